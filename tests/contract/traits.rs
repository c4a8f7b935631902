//! What may cross threads, and how large things are.
//!
//! Most of it is checked while this is compiled, so that these tests have nothing left to do when they run. They give
//! what was checked a name.
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
use std::sync::{Arc, MutexGuard};
use std::time::{Duration, Instant};

use futon::deadline::Deadline;
use futon::futex::Outcome;
use futon::{
    AcquireAll, AllLevels, Barrier, BarrierWaitResult, BoundedSemaphore, BrokenBarrier, Closed,
    Condition, Event, GetError, LifoQueue, Lock, LockArcGuard, LockGuard, MappedLockGuard,
    MappedRLockGuard, MinHeap, Permit, PermitArc, PriorityQueue, PutError, Queue, QueueIter, RLock,
    RLockArcGuard, RLockGuard, ReleaseError, Semaphore, TaskDoneError, WaitGuard,
};
use static_assertions::{assert_impl_all, assert_not_impl_any, const_assert_eq};

/// `Sync` and not `Send`.
type Shared = MutexGuard<'static, i32>;
type Pointer = *mut i32;

/// The values with which the types are tried are as the table says.
#[test]
fn the_four_kinds_of_values_are_what_they_are_taken_for() {
    assert_impl_all!(Cell<i32>: Send);
    assert_not_impl_any!(Cell<i32>: Sync);
    assert_impl_all!(Shared: Sync);
    assert_not_impl_any!(Shared: Send);
    assert_not_impl_any!(Rc<i32>: Send, Sync);
    assert_not_impl_any!(Pointer: Send, Sync);
}

/// A lock hands its value from thread to thread, and never to two at once.
#[test]
fn a_lock_goes_where_its_value_may_be_sent() {
    assert_impl_all!(Lock<i32>: Send, Sync);
    assert_impl_all!(Lock<Cell<i32>>: Send, Sync);
    assert_not_impl_any!(Lock<Shared>: Send, Sync);
    assert_not_impl_any!(Lock<Rc<i32>>: Send, Sync);
    assert_not_impl_any!(Lock<Pointer>: Send, Sync);
    assert_impl_all!(Lock<dyn Send>: Send, Sync);
    assert_not_impl_any!(Lock<dyn Sync>: Send, Sync);
}

/// A guard is an exclusive borrow of the value.
#[test]
fn a_guard_of_a_lock_goes_where_its_value_may() {
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
}

/// A re-entrant lock hands its value from thread to thread too, and never to two at once.
#[test]
fn a_re_entrant_lock_goes_where_its_value_may_be_sent() {
    assert_impl_all!(RLock<i32>: Send, Sync);
    assert_impl_all!(RLock<Cell<i32>>: Send, Sync);
    assert_not_impl_any!(RLock<Shared>: Send, Sync);
    assert_not_impl_any!(RLock<Rc<i32>>: Send, Sync);
    assert_not_impl_any!(RLock<Pointer>: Send, Sync);
    assert_impl_all!(RLock<dyn Send>: Send, Sync);
    assert_not_impl_any!(RLock<dyn Sync>: Send, Sync);
}

/// A guard is a shared borrow of the value, and a level of one thread: it stays there in any case.
#[test]
fn a_level_stays_on_its_thread_and_may_be_lent_where_its_value_may() {
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
}

/// What can be acquired at once, whatever the values are: references alone, which leave the locks where they are.
#[test]
fn references_to_locks_can_be_acquired_at_once() {
    assert_impl_all!((&'static Lock<Rc<i32>>, &'static RLock<Pointer>): AcquireAll);
    assert_impl_all!([&'static Lock<dyn Send>; 9]: AcquireAll);
    assert_impl_all!(&'static [RLock<i32>]: AcquireAll);
    assert_impl_all!(&'static [Arc<Lock<i32>>]: AcquireAll);
    assert_not_impl_any!((Lock<i32>, Lock<i32>): AcquireAll);
    assert_not_impl_any!(Vec<Lock<i32>>: AcquireAll);
    assert_not_impl_any!(&'static Lock<i32>: AcquireAll);
}

#[test]
fn what_holds_no_value_goes_everywhere() {
    assert_impl_all!(Event: Send, Sync);
    assert_impl_all!(Condition: Send, Sync);
    assert_impl_all!(Semaphore: Send, Sync);
    assert_impl_all!(BoundedSemaphore: Send, Sync);
    assert_impl_all!(Deadline: Send, Sync, Copy);
    assert_impl_all!(Outcome: Send, Sync, Copy);
}

/// Others may do away with a part of the value while the thread waits.
#[test]
fn a_guard_of_a_part_can_not_be_waited_with() {
    assert_impl_all!(LockGuard<'static, Rc<i32>>: WaitGuard);
    assert_impl_all!(LockArcGuard<Rc<i32>>: WaitGuard);
    assert_impl_all!(RLockGuard<'static, Rc<i32>>: WaitGuard);
    assert_impl_all!(RLockArcGuard<Rc<i32>>: WaitGuard);
    assert_impl_all!(AllLevels<'static, 'static, i32>: WaitGuard);
    assert_not_impl_any!(MappedLockGuard<'static, i32>: WaitGuard);
    assert_not_impl_any!(MappedRLockGuard<'static, i32>: WaitGuard);
}

/// The action of a barrier is run by any thread that has the barrier, through a shared reference.
#[test]
fn a_barrier_goes_where_its_action_may() {
    assert_impl_all!(Barrier: Send, Sync);
    assert_impl_all!(Barrier<i32>: Send, Sync);
    assert_impl_all!(Barrier<Cell<i32>>: Send);
    assert_not_impl_any!(Barrier<Cell<i32>>: Sync);
    assert_impl_all!(Barrier<Shared>: Sync);
    assert_not_impl_any!(Barrier<Shared>: Send);
    assert_not_impl_any!(Barrier<Rc<i32>>: Send, Sync);
    assert_not_impl_any!(Barrier<Pointer>: Send, Sync);
    assert_not_impl_any!(Barrier: Clone, Copy);
}

/// A queue hands its items from thread to thread, and shows them to nobody. So does what it keeps them in.
#[test]
fn a_queue_goes_where_its_items_and_its_container_may_be_sent() {
    assert_impl_all!(Queue<i32>: Send, Sync);
    assert_impl_all!(Queue<Cell<i32>>: Send, Sync);
    assert_not_impl_any!(Queue<Shared>: Send, Sync);
    assert_not_impl_any!(Queue<Rc<i32>>: Send, Sync);
    assert_not_impl_any!(Queue<Pointer>: Send, Sync);
    assert_impl_all!(LifoQueue<Cell<i32>>: Send, Sync);
    assert_not_impl_any!(LifoQueue<Rc<i32>>: Send, Sync);
    assert_impl_all!(PriorityQueue<Cell<i32>>: Send, Sync);
    assert_not_impl_any!(PriorityQueue<Rc<i32>>: Send, Sync);
    // Also where only one of the two must stay on its thread.
    assert_impl_all!(Queue<i32, Cell<i32>>: Send, Sync);
    assert_not_impl_any!(Queue<i32, Rc<i32>>: Send, Sync);
    assert_not_impl_any!(Queue<Rc<i32>, i32>: Send, Sync);
    assert_not_impl_any!(Queue<i32>: Clone, Copy);
    assert_impl_all!(QueueIter<'static, Cell<i32>>: Send, Sync, Clone, Iterator, std::iter::FusedIterator);
    assert_not_impl_any!(QueueIter<'static, Rc<i32>>: Send, Sync);
}

/// Permits are not tied to a thread. There are as many of them as have been taken.
#[test]
fn permits_are_not_tied_to_a_thread() {
    assert_impl_all!(Permit<'static>: Send, Sync);
    assert_impl_all!(PermitArc: Send, Sync);
    assert_not_impl_any!(Permit<'static>: Clone, Copy);
    assert_not_impl_any!(PermitArc: Clone, Copy);
}

#[test]
fn results_and_errors_are_plain_values() {
    assert_impl_all!(BarrierWaitResult: Send, Sync, Copy, Eq);
    assert_impl_all!(BrokenBarrier: Send, Sync, Copy, Eq, std::error::Error);
    assert_impl_all!(ReleaseError: Send, Sync, Copy, Eq, std::error::Error);
    assert_impl_all!(Closed: Send, Sync, Copy, Eq, std::error::Error);
    assert_impl_all!(PutError<i32>: Send, Sync, Copy, Eq, std::error::Error);
    // Whatever the item is.
    assert_impl_all!(PutError<Pointer>: std::error::Error);
    assert_impl_all!(Closed<Pointer>: std::error::Error);
    assert_impl_all!(GetError: Send, Sync, Copy, Eq, std::error::Error);
    assert_impl_all!(TaskDoneError: Send, Sync, Copy, Eq, std::error::Error);
}

/// A panic in a critical section may leave the value half changed, and no poison tells of it. So a lock
/// that is shared with a closure which may panic wants `AssertUnwindSafe`, as a `Cell` does.
#[test]
fn a_lock_is_shared_with_a_closure_that_may_panic_only_where_that_is_said() {
    assert_impl_all!(Lock<i32>: UnwindSafe);
    assert_not_impl_any!(Lock<i32>: RefUnwindSafe);
    assert_not_impl_any!(LockGuard<'static, i32>: UnwindSafe);
    assert_not_impl_any!(MappedLockGuard<'static, i32>: UnwindSafe);
    assert_not_impl_any!(LockArcGuard<i32>: UnwindSafe);
}

/// A re-entrant lock gives out `&T` only, so that it is as the value is.
#[test]
fn a_re_entrant_lock_minds_a_panic_as_its_value_does() {
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
}

/// An event has nothing that could be left half changed.
#[test]
fn a_panic_leaves_nothing_of_futons_half_changed() {
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
    // Nor a queue: its items go in and out as a whole.
    assert_impl_all!(Queue<Cell<i32>>: UnwindSafe, RefUnwindSafe);
    assert_impl_all!(PriorityQueue<&'static mut i32>: UnwindSafe, RefUnwindSafe);
}

#[test]
fn sizes_are_as_they_are_said_to_be() {
    const_assert_eq!(size_of::<Lock<()>>(), 8);
    const_assert_eq!(size_of::<Lock<u32>>(), 12);
    const_assert_eq!(size_of::<Lock<[u8; 4]>>(), 12);
    const_assert_eq!(size_of::<RLock<()>>(), 24);
    const_assert_eq!(size_of::<RLock<u64>>(), 32);
    const_assert_eq!(size_of::<RLock<[u8; 8]>>(), 32);
    const_assert_eq!(size_of::<Semaphore>(), 12);
    const_assert_eq!(size_of::<BoundedSemaphore>(), 16);
    // On 64 bit: twenty-four.
    const_assert_eq!(size_of::<Condition>(), 16 + size_of::<usize>());
    const_assert_eq!(size_of::<Event>(), 8);
    // Its numbers are bytes with `--cfg futon_narrow`.
    #[cfg(all(target_pointer_width = "64", not(futon_narrow)))]
    const_assert_eq!(size_of::<Barrier<()>>(), 56);
    #[cfg(all(target_pointer_width = "64", not(futon_narrow)))]
    const_assert_eq!(size_of::<Barrier>(), 64);
    #[cfg(target_pointer_width = "64")]
    const_assert_eq!(size_of::<Queue<u64>>(), 256);
    const_assert_eq!(size_of::<MinHeap<u64>>(), size_of::<Vec<u64>>());
}

#[test]
fn a_guard_is_as_large_as_what_it_points_with() {
    const_assert_eq!(size_of::<LockGuard<'static, u64>>(), size_of::<usize>());
    const_assert_eq!(size_of::<LockArcGuard<u64>>(), size_of::<usize>());
    const_assert_eq!(size_of::<MappedLockGuard<'static, u64>>(), 2 * size_of::<usize>());
    const_assert_eq!(size_of::<RLockGuard<'static, u64>>(), size_of::<usize>());
    const_assert_eq!(size_of::<RLockArcGuard<u64>>(), size_of::<usize>());
    const_assert_eq!(size_of::<MappedRLockGuard<'static, u64>>(), 2 * size_of::<usize>());
    const_assert_eq!(size_of::<AllLevels<'static, 'static, u64>>(), size_of::<usize>());
    // A guard is never null, so that an option of one is no larger.
    const_assert_eq!(size_of::<Option<LockGuard<'static, u64>>>(), size_of::<usize>());
    const_assert_eq!(size_of::<Option<RLockGuard<'static, u64>>>(), size_of::<usize>());
    // Permits know their number and the limit.
    const_assert_eq!(size_of::<Permit<'static>>(), size_of::<usize>() + 8);
    const_assert_eq!(size_of::<Option<Permit<'static>>>(), size_of::<Permit<'static>>());
    const_assert_eq!(size_of::<PermitArc>(), 3 * size_of::<usize>());
    const_assert_eq!(size_of::<Option<PermitArc>>(), size_of::<PermitArc>());
}

/// One vocabulary: each type that is taken has these four methods and those of the guards that own it, each that is
/// waited for these three, and each of both a count of those who wait.
#[test]
fn what_is_taken_and_what_is_waited_for_go_by_the_same_names() {
    macro_rules! is_taken {
        ($type:ty) => {
            let _ = (<$type>::acquire, <$type>::try_acquire, <$type>::waiters);
            let _ = |it: &$type| drop((it.acquire_timeout(SOON), it.acquire_deadline(Instant::now())));
            let _ = (<$type>::acquire_arc, <$type>::try_acquire_arc);
            let _ = |it: &Arc<$type>| {
                drop((it.acquire_timeout_arc(SOON), it.acquire_deadline_arc(Instant::now())));
            };
        };
    }
    macro_rules! is_waited_for {
        ($type:ty) => {
            let _ = (<$type>::wait, <$type>::waiters);
            let _ = |it: &$type| (it.wait_timeout(SOON), it.wait_deadline(Instant::now()));
        };
    }
    const SOON: Duration = Duration::from_secs(1);
    is_taken!(Lock<i32>);
    is_taken!(RLock<i32>);
    is_taken!(Semaphore);
    is_taken!(BoundedSemaphore);
    is_waited_for!(Event);
    is_waited_for!(Barrier);
    let _ = (Queue::<i32>::put, Queue::<i32>::try_put, Queue::<i32>::putters);
    let _ = |it: &Queue<i32>| (it.put_timeout(1, SOON), it.put_deadline(1, Instant::now()));
    let _ = (Queue::<i32>::get, Queue::<i32>::try_get, Queue::<i32>::getters);
    let _ = |it: &Queue<i32>| (it.get_timeout(SOON), it.get_deadline(Instant::now()));
    let _ = (Queue::<i32>::join, Queue::<i32>::joiners, Queue::<i32>::waiters);
    let _ = |it: &Queue<i32>| (it.join_timeout(SOON), it.join_deadline(Instant::now()));
    let _ = (Condition::wait::<LockGuard<'_, i32>>, Condition::waiters);
    let _ = |it: &Condition, guard: &mut LockGuard<'_, i32>| {
        (it.wait_timeout(guard, SOON), it.wait_deadline(guard, Instant::now()))
    };
}
static LOCK: Lock<Vec<i32>> = Lock::new(Vec::new());
static RLOCK: RLock<Cell<i32>> = RLock::new(Cell::new(0));
static EVENT: Event = Event::new();
static CHANGED: Condition = Condition::new();
static BARRIER: Barrier = Barrier::new(1);
static BARRIER_WITH_ACTION: Barrier = Barrier::with_action(1, || EVENT.clear());
static QUEUE: Queue<Cell<i32>> = Queue::bounded(1);
static BY_PRIORITY: PriorityQueue<i32> = Queue::with_container(MinHeap::new());
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
    QUEUE.put(Cell::new(1)).unwrap();
    assert_eq!(QUEUE.get().unwrap().get(), 1);
    assert!(BY_PRIORITY.is_empty());
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
    let any: Arc<RLock<dyn std::fmt::Debug + Send>> = Arc::new(RLock::new(5));
    assert_eq!(format!("{:?} {:?}", any.acquire(), any.acquire_arc()), "5 5");
    assert_eq!(format!("{any:?}"), "RLock { depth: 0, value: 5 }");
}
