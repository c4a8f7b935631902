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
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::rc::Rc;
use std::sync::MutexGuard;

use futon::deadline::Deadline;
use futon::futex::Outcome;
use futon::{Event, Lock, LockArcGuard, LockGuard, MappedLockGuard};
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

assert_impl_all!(Event: Send, Sync);
assert_impl_all!(Deadline: Send, Sync, Copy);
assert_impl_all!(Outcome: Send, Sync, Copy);

// A panic in a critical section may leave the value half changed, and no poison tells of it. So a lock
// that is shared with a closure which may panic wants `AssertUnwindSafe`, as a `Cell` does.
assert_impl_all!(Lock<i32>: UnwindSafe);
assert_not_impl_any!(Lock<i32>: RefUnwindSafe);
assert_not_impl_any!(LockGuard<'static, i32>: UnwindSafe);
assert_not_impl_any!(MappedLockGuard<'static, i32>: UnwindSafe);
assert_not_impl_any!(LockArcGuard<i32>: UnwindSafe);
// An event has nothing that could be left half changed.
assert_impl_all!(Event: UnwindSafe, RefUnwindSafe);

const_assert_eq!(size_of::<Lock<()>>(), 4);
const_assert_eq!(size_of::<Lock<u32>>(), 8);
const_assert_eq!(size_of::<Lock<[u8; 4]>>(), 8);
const_assert_eq!(size_of::<Event>(), 8);
const_assert_eq!(size_of::<LockGuard<'static, u64>>(), size_of::<usize>());
const_assert_eq!(size_of::<LockArcGuard<u64>>(), size_of::<usize>());
const_assert_eq!(size_of::<MappedLockGuard<'static, u64>>(), 2 * size_of::<usize>());
// A guard is never null, so that an option of one is no larger.
const_assert_eq!(size_of::<Option<LockGuard<'static, u64>>>(), size_of::<usize>());

static LOCK: Lock<Vec<i32>> = Lock::new(Vec::new());
static EVENT: Event = Event::new();

#[test]
fn statics_are_made_in_constants() {
    LOCK.acquire().push(1);
    assert_eq!(*LOCK.acquire(), [1]);
    EVENT.set();
    assert!(EVENT.is_set());
}

#[test]
fn defaults_are_free_and_not_set() {
    assert_eq!(*Lock::<i32>::default().acquire(), 0);
    assert_eq!(*Lock::from("value").acquire(), "value");
    assert!(!Event::default().is_set());
}

#[test]
fn a_lock_may_be_around_a_value_without_a_size() {
    let slice: &Lock<[i32]> = &Lock::new([1, 2, 3]);
    slice.acquire()[1] = 7;
    assert_eq!(*slice.acquire(), [1, 7, 3]);

    let mut any: Box<Lock<dyn std::fmt::Debug + Send>> = Box::new(Lock::new(5));
    assert_eq!(format!("{:?}", any.acquire()), "5");
    assert_eq!(format!("{:?}", any.get_mut()), "5");
}
