//! What may cross threads, and how large things are. Most of it is checked while this is compiled.
//!
//! H15: the bounds of guards have been wrong in std, parking_lot, lock_api and futures. So each type is
//! tried with values of all four kinds:
//!
//! | value              | `Send` | `Sync` |
//! |--------------------|--------|--------|
//! | `i32`              | yes    | yes    |
//! | `Cell<i32>`        | yes    | no     |
//! | `Shared`           | no     | yes    |
//! | `Rc<i32>`, `*mut`  | no     | no     |

use std::cell::Cell;
use std::ops::DerefMut;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::rc::Rc;
use std::sync::MutexGuard;

use futon::deadline::Deadline;
use futon::futex::Outcome;
use futon::{
    AcquireAll, AllLevels, Barrier, BarrierWaitResult, BoundedSemaphore, BrokenBarrier, Condition,
    Event, Lock, LockArcGuard, LockGuard, MappedLockGuard, MappedRLockGuard, Permit, PermitArc, RLock,
    RLockArcGuard, RLockGuard, ReleaseError, Semaphore, WaitGuard,
};
use static_assertions::{assert_impl_all, assert_not_impl_any, const_assert_eq};

/// `Sync` and not `Send`.
type Shared = MutexGuard<'static, i32>;
type Pointer = *mut i32;

assert_impl_all!(Cell<i32>: Send);
assert_not_impl_any!(Cell<i32>: Sync);
assert_impl_all!(Shared: Sync);
assert_not_impl_any!(Shared: Send);

// A lock hands its value from thread to thread, and never to two at once.
assert_impl_all!(Lock<i32>: Send, Sync);
assert_impl_all!(Lock<Cell<i32>>: Send, Sync);
assert_not_impl_any!(Lock<Shared>: Send, Sync);
assert_not_impl_any!(Lock<Rc<i32>>: Send, Sync);
assert_not_impl_any!(Lock<Pointer>: Send, Sync);
assert_impl_all!(Lock<dyn Send>: Send, Sync);
assert_not_impl_any!(Lock<dyn Sync>: Send, Sync);

// A guard is an exclusive borrow of the value.
assert_impl_all!(LockGuard<'static, i32>: Send, Sync);
assert_impl_all!(LockGuard<'static, Cell<i32>>: Send);
assert_not_impl_any!(LockGuard<'static, Cell<i32>>: Sync);
assert_impl_all!(LockGuard<'static, Shared>: Sync);
assert_not_impl_any!(LockGuard<'static, Shared>: Send);
assert_not_impl_any!(LockGuard<'static, Rc<i32>>: Send, Sync);
assert_not_impl_any!(LockGuard<'static, Pointer>: Send, Sync);
assert_not_impl_any!(LockGuard<'static, i32>: Clone, Copy);

assert_impl_all!(MappedLockGuard<'static, i32>: Send, Sync);
assert_impl_all!(MappedLockGuard<'static, Cell<i32>>: Send);
assert_not_impl_any!(MappedLockGuard<'static, Cell<i32>>: Sync);
assert_impl_all!(MappedLockGuard<'static, Shared>: Sync);
assert_not_impl_any!(MappedLockGuard<'static, Shared>: Send);
assert_not_impl_any!(MappedLockGuard<'static, Rc<i32>>: Send, Sync);
assert_not_impl_any!(MappedLockGuard<'static, Pointer>: Send, Sync);
assert_not_impl_any!(MappedLockGuard<'static, i32>: Clone, Copy);

// This one may also be the last owner of the lock.
assert_impl_all!(LockArcGuard<i32>: Send, Sync);
assert_impl_all!(LockArcGuard<Cell<i32>>: Send);
assert_not_impl_any!(LockArcGuard<Cell<i32>>: Sync);
assert_impl_all!(LockArcGuard<Shared>: Sync);
assert_not_impl_any!(LockArcGuard<Shared>: Send);
assert_not_impl_any!(LockArcGuard<Rc<i32>>: Send, Sync);
assert_not_impl_any!(LockArcGuard<Pointer>: Send, Sync);
assert_not_impl_any!(LockArcGuard<i32>: Clone, Copy);

// A re-entrant lock hands its value from thread to thread too, and never to two at once.
assert_impl_all!(RLock<i32>: Send, Sync);
assert_impl_all!(RLock<Cell<i32>>: Send, Sync);
assert_not_impl_any!(RLock<Shared>: Send, Sync);
assert_not_impl_any!(RLock<Rc<i32>>: Send, Sync);
assert_not_impl_any!(RLock<Pointer>: Send, Sync);
assert_impl_all!(RLock<dyn Send>: Send, Sync);
assert_not_impl_any!(RLock<dyn Sync>: Send, Sync);

// A guard is a shared borrow of the value, and a level of one thread: it stays there in any case.
assert_impl_all!(RLockGuard<'static, i32>: Sync);
assert_impl_all!(RLockGuard<'static, Shared>: Sync);
assert_not_impl_any!(RLockGuard<'static, i32>: Send, Clone, Copy, DerefMut);
assert_not_impl_any!(RLockGuard<'static, Cell<i32>>: Send, Sync);
assert_not_impl_any!(RLockGuard<'static, Shared>: Send);
assert_not_impl_any!(RLockGuard<'static, Rc<i32>>: Send, Sync);
assert_not_impl_any!(RLockGuard<'static, Pointer>: Send, Sync);

assert_impl_all!(MappedRLockGuard<'static, i32>: Sync);
assert_impl_all!(MappedRLockGuard<'static, Shared>: Sync);
assert_not_impl_any!(MappedRLockGuard<'static, i32>: Send, Clone, Copy, DerefMut);
assert_not_impl_any!(MappedRLockGuard<'static, Cell<i32>>: Send, Sync);
assert_not_impl_any!(MappedRLockGuard<'static, Shared>: Send);
assert_not_impl_any!(MappedRLockGuard<'static, Rc<i32>>: Send, Sync);
assert_not_impl_any!(MappedRLockGuard<'static, Pointer>: Send, Sync);

assert_impl_all!(RLockArcGuard<i32>: Sync);
assert_impl_all!(RLockArcGuard<Shared>: Sync);
assert_not_impl_any!(RLockArcGuard<i32>: Send, Clone, Copy, DerefMut);
assert_not_impl_any!(RLockArcGuard<Cell<i32>>: Send, Sync);
assert_not_impl_any!(RLockArcGuard<Shared>: Send);
assert_not_impl_any!(RLockArcGuard<Rc<i32>>: Send, Sync);
assert_not_impl_any!(RLockArcGuard<Pointer>: Send, Sync);

// Not even named for a value that is not `Sync`.
assert_impl_all!(AllLevels<'static, 'static, i32>: Sync);
assert_impl_all!(AllLevels<'static, 'static, Shared>: Sync);
assert_not_impl_any!(AllLevels<'static, 'static, i32>: Send, Clone, Copy, DerefMut);

// What can be acquired at once, whatever the values are: references alone, which leave the locks where they are.
assert_impl_all!((&'static Lock<Rc<i32>>, &'static RLock<Pointer>): AcquireAll);
assert_impl_all!([&'static Lock<dyn Send>; 9]: AcquireAll);
assert_impl_all!(&'static [RLock<i32>]: AcquireAll);
assert_impl_all!(&'static [std::sync::Arc<Lock<i32>>]: AcquireAll);
assert_not_impl_any!((Lock<i32>, Lock<i32>): AcquireAll);
assert_not_impl_any!(Vec<Lock<i32>>: AcquireAll);
assert_not_impl_any!(&'static Lock<i32>: AcquireAll);

assert_impl_all!(Event: Send, Sync);
assert_impl_all!(Condition: Send, Sync);
// Others may do away with a part of the value while the thread waits.
assert_impl_all!(LockGuard<'static, Rc<i32>>: WaitGuard);
assert_impl_all!(LockArcGuard<Rc<i32>>: WaitGuard);
assert_impl_all!(RLockGuard<'static, Rc<i32>>: WaitGuard);
assert_impl_all!(RLockArcGuard<Rc<i32>>: WaitGuard);
assert_impl_all!(AllLevels<'static, 'static, i32>: WaitGuard);
assert_not_impl_any!(MappedLockGuard<'static, i32>: WaitGuard);
assert_not_impl_any!(MappedRLockGuard<'static, i32>: WaitGuard);

// The action of a barrier is run by any thread that has the barrier, through a shared reference.
assert_impl_all!(Barrier: Send, Sync);
assert_impl_all!(Barrier<i32>: Send, Sync);
assert_impl_all!(Barrier<Cell<i32>>: Send);
assert_not_impl_any!(Barrier<Cell<i32>>: Sync);
assert_impl_all!(Barrier<Shared>: Sync);
assert_not_impl_any!(Barrier<Shared>: Send);
assert_not_impl_any!(Barrier<Rc<i32>>: Send, Sync);
assert_not_impl_any!(Barrier<Pointer>: Send, Sync);
assert_not_impl_any!(Barrier: Clone, Copy);
assert_impl_all!(BarrierWaitResult: Send, Sync, Copy, Eq);
assert_impl_all!(BrokenBarrier: Send, Sync, Copy, Eq, std::error::Error);
assert_impl_all!(Semaphore: Send, Sync);
assert_impl_all!(BoundedSemaphore: Send, Sync);
// Permits are not tied to a thread. There are as many of them as have been taken.
assert_impl_all!(Permit<'static>: Send, Sync);
assert_impl_all!(PermitArc: Send, Sync);
assert_not_impl_any!(Permit<'static>: Clone, Copy);
assert_not_impl_any!(PermitArc: Clone, Copy);
assert_impl_all!(ReleaseError: Send, Sync, Copy, Eq, std::error::Error);
assert_impl_all!(Deadline: Send, Sync, Copy);
assert_impl_all!(Outcome: Send, Sync, Copy);

// A panic in a critical section may leave the value half changed, and no poison tells of it. So a lock
// that is shared with a closure which may panic wants `AssertUnwindSafe`, as a `Cell` does.
assert_impl_all!(Lock<i32>: UnwindSafe);
assert_not_impl_any!(Lock<i32>: RefUnwindSafe);
assert_not_impl_any!(LockGuard<'static, i32>: UnwindSafe);
assert_not_impl_any!(MappedLockGuard<'static, i32>: UnwindSafe);
assert_not_impl_any!(LockArcGuard<i32>: UnwindSafe);
// A re-entrant lock gives out `&T` only, so that it is as the value is.
assert_impl_all!(RLock<i32>: UnwindSafe, RefUnwindSafe);
assert_impl_all!(RLock<Cell<i32>>: UnwindSafe);
assert_not_impl_any!(RLock<Cell<i32>>: RefUnwindSafe);
assert_not_impl_any!(RLock<&'static mut i32>: UnwindSafe);
assert_impl_all!(RLockGuard<'static, i32>: UnwindSafe, RefUnwindSafe);
assert_not_impl_any!(RLockGuard<'static, Cell<i32>>: UnwindSafe, RefUnwindSafe);
assert_impl_all!(MappedRLockGuard<'static, i32>: UnwindSafe, RefUnwindSafe);
assert_not_impl_any!(MappedRLockGuard<'static, Cell<i32>>: UnwindSafe, RefUnwindSafe);
assert_impl_all!(RLockArcGuard<i32>: UnwindSafe, RefUnwindSafe);
assert_not_impl_any!(RLockArcGuard<Cell<i32>>: UnwindSafe, RefUnwindSafe);
// An event has nothing that could be left half changed.
assert_impl_all!(Event: UnwindSafe, RefUnwindSafe);
assert_impl_all!(Condition: UnwindSafe, RefUnwindSafe);
// Nor has a barrier, but for its action.
assert_impl_all!(Barrier: UnwindSafe, RefUnwindSafe);
assert_not_impl_any!(Barrier<Cell<i32>>: RefUnwindSafe);
// Nor have a semaphore and its permits.
assert_impl_all!(Semaphore: UnwindSafe, RefUnwindSafe);
assert_impl_all!(BoundedSemaphore: UnwindSafe, RefUnwindSafe);
assert_impl_all!(Permit<'static>: UnwindSafe, RefUnwindSafe);
assert_impl_all!(PermitArc: UnwindSafe, RefUnwindSafe);
assert_impl_all!(ReleaseError: UnwindSafe, RefUnwindSafe);

const_assert_eq!(size_of::<Lock<()>>(), 8);
const_assert_eq!(size_of::<Lock<u32>>(), 12);
const_assert_eq!(size_of::<Lock<[u8; 4]>>(), 12);
const_assert_eq!(size_of::<Event>(), 8);
// On 64 bit: twenty-four.
const_assert_eq!(size_of::<Condition>(), 16 + size_of::<usize>());
// Its numbers are bytes with `--cfg futon_narrow`.
#[cfg(all(target_pointer_width = "64", not(futon_narrow)))]
const_assert_eq!(size_of::<Barrier<()>>(), 56);
const_assert_eq!(size_of::<RLock<()>>(), 24);
const_assert_eq!(size_of::<RLock<u64>>(), 32);
const_assert_eq!(size_of::<RLock<[u8; 8]>>(), 32);
const_assert_eq!(size_of::<RLockGuard<'static, u64>>(), size_of::<usize>());
const_assert_eq!(size_of::<RLockArcGuard<u64>>(), size_of::<usize>());
const_assert_eq!(size_of::<MappedRLockGuard<'static, u64>>(), 2 * size_of::<usize>());
const_assert_eq!(size_of::<Option<RLockGuard<'static, u64>>>(), size_of::<usize>());
const_assert_eq!(size_of::<AllLevels<'static, 'static, u64>>(), size_of::<usize>());
const_assert_eq!(size_of::<Semaphore>(), 12);
const_assert_eq!(size_of::<BoundedSemaphore>(), 16);
const_assert_eq!(size_of::<LockGuard<'static, u64>>(), size_of::<usize>());
const_assert_eq!(size_of::<LockArcGuard<u64>>(), size_of::<usize>());
const_assert_eq!(size_of::<MappedLockGuard<'static, u64>>(), 2 * size_of::<usize>());
// A guard is never null, so that an option of one is no larger.
const_assert_eq!(size_of::<Option<LockGuard<'static, u64>>>(), size_of::<usize>());
// Permits know their number and the limit.
const_assert_eq!(size_of::<Permit<'static>>(), size_of::<usize>() + 8);
const_assert_eq!(size_of::<Option<Permit<'static>>>(), size_of::<Permit<'static>>());
const_assert_eq!(size_of::<PermitArc>(), 3 * size_of::<usize>());
const_assert_eq!(size_of::<Option<PermitArc>>(), size_of::<PermitArc>());

static LOCK: Lock<Vec<i32>> = Lock::new(Vec::new());
static RLOCK: RLock<Cell<i32>> = RLock::new(Cell::new(0));
static EVENT: Event = Event::new();
static CHANGED: Condition = Condition::new();
static BARRIER: Barrier = Barrier::new(1);
static BARRIER_WITH_ACTION: Barrier = Barrier::with_action(1, || EVENT.clear());
static SEMAPHORE: Semaphore = Semaphore::new(2);
static BOUNDED: BoundedSemaphore = BoundedSemaphore::new(2);

#[test]
fn statics_are_made_in_constants() {
    LOCK.acquire().push(1);
    assert_eq!(*LOCK.acquire(), [1]);
    RLOCK.acquire().set(1);
    assert_eq!(RLOCK.acquire().get(), 1);
    EVENT.set();
    assert!(EVENT.is_set());
    assert!(!CHANGED.notify_one());
    BARRIER.wait().unwrap();
    BARRIER_WITH_ACTION.wait().unwrap();
    assert!(!EVENT.is_set());
    let permit: Permit<'static> = SEMAPHORE.acquire();
    assert_eq!((permit.count(), SEMAPHORE.available()), (1, 1));
    let permit: Permit<'static> = BOUNDED.acquire_many(2);
    assert_eq!((permit.count(), BOUNDED.available()), (2, 0));
}

#[test]
fn defaults_are_free_and_not_set() {
    assert_eq!(Semaphore::default().available(), 1);
    assert_eq!(BoundedSemaphore::default().available(), 1);
    assert_eq!(*Lock::<i32>::default().acquire(), 0);
    assert_eq!(*Lock::from("value").acquire(), "value");
    assert_eq!(*RLock::<i32>::default().acquire(), 0);
    assert_eq!(*RLock::from("value").acquire(), "value");
    assert!(!Event::default().is_set());
    assert_eq!(Condition::default().waiters(), 0);
}

#[test]
fn a_lock_may_be_around_a_value_without_a_size() {
    let slice: &Lock<[i32]> = &Lock::new([1, 2, 3]);
    slice.acquire()[1] = 7;
    assert_eq!(*slice.acquire(), [1, 7, 3]);

    let mut any: Box<Lock<dyn std::fmt::Debug + Send>> = Box::new(Lock::new(5));
    assert_eq!(format!("{:?}", any.acquire()), "5");
    assert_eq!(format!("{:?}", any.get_mut()), "5");

    let slice: &RLock<[i32]> = &RLock::new([1, 2, 3]);
    assert_eq!(*RLockGuard::map(slice.acquire(), |slice| &slice[1..]), [2, 3]);
    let any: std::sync::Arc<RLock<dyn std::fmt::Debug + Send>> = std::sync::Arc::new(RLock::new(5));
    assert_eq!(format!("{:?} {:?}", any.acquire(), any.acquire_arc()), "5 5");
    assert_eq!(format!("{any:?}"), "RLock { depth: 0, value: 5 }");
}
