//! The condition, with all kinds of guards: notifications that are counted, and a bounded buffer.

pub mod buffer;
pub mod notify;

use std::fmt::Debug;
use std::ops::Deref;
use std::sync::Arc;

use futon::{Lock, LockGuard, RLock, RLockGuard, WaitGuard};

use crate::board::Doing;
use crate::crew::Hand;
use crate::random::Random;

/// A lock of a kind that a condition takes.
#[derive(Debug)]
enum Door<T> {
    Lock(Arc<Lock<T>>),
    RLock(Arc<RLock<T>>),
}

/// What is done under the lock.
trait Inside<T> {
    fn run<G: WaitGuard + Deref<Target = T>>(&self, guard: &mut G, hand: &mut Hand<'_, '_>);
}

impl<T: Send + Sync> Door<T> {
    fn new(random: &mut Random, value: T) -> Self {
        match random.one_in(2) {
            true => Self::Lock(Arc::new(Lock::new(value))),
            false => Self::RLock(Arc::new(RLock::new(value))),
        }
    }

    /// Takes the lock, with a random guard, and gives it back.
    fn enter(&self, hand: &mut Hand<'_, '_>, inside: &impl Inside<T>) {
        match (self, hand.random.below(4)) {
            (Self::Lock(lock), 0) => {
                let mut guard = hand.run(Doing::Acquire, || lock.acquire_arc());
                inside.run(&mut guard, hand);
            }
            (Self::Lock(lock), kind) => {
                let mut guard = hand.run(Doing::Acquire, || lock.acquire());
                inside.run(&mut guard, hand);
                if kind == 1 {
                    hand.run(Doing::ReleaseFair, || LockGuard::release_fair(guard));
                }
            }
            (Self::RLock(lock), 0) => {
                let mut guard = hand.run(Doing::Acquire, || lock.acquire_arc());
                inside.run(&mut guard, hand);
            }
            (Self::RLock(lock), 1) => {
                let _outer = hand.run(Doing::Acquire, || lock.acquire());
                let mut inner = lock.acquire();
                inside.run(&mut RLockGuard::all_levels(&mut inner), hand);
                assert_eq!(lock.depth(), 2, "all levels are back");
            }
            (Self::RLock(lock), kind) => {
                let mut guard = hand.run(Doing::Acquire, || lock.acquire());
                inside.run(&mut guard, hand);
                assert_eq!(lock.depth(), 1);
                if kind == 2 {
                    hand.run(Doing::ReleaseFair, || RLockGuard::release_fair(guard));
                }
            }
        }
    }

    /// Looks at the value under the lock.
    fn with<R>(&self, look: impl FnOnce(&T) -> R) -> R {
        match self {
            Self::Lock(lock) => look(&lock.acquire()),
            Self::RLock(lock) => look(&lock.acquire()),
        }
    }

    fn assert_is_left(&self) {
        let (is_locked, waiters) = match self {
            Self::Lock(lock) => (lock.is_locked(), lock.waiters()),
            Self::RLock(lock) => (lock.is_locked(), lock.waiters()),
        };
        assert_eq!((is_locked, waiters), (false, 0));
    }
}
