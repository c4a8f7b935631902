//! The lock, with a place for its guard.

use std::mem;
use std::sync::Arc;

use futon::LockArcGuard;

use crate::{Answer, catch_exception, new, seconds};

/// A lock. While it is taken its guard is beside it, for whichever thread releases it.
pub struct Lock {
    lock: Arc<futon::Lock<()>>,
    /// Touched for moments only.
    guard: futon::Lock<Option<LockArcGuard<()>>>,
}

impl Lock {
    /// Keeps the guard, if there is one. Whether there is.
    fn keep(&self, guard: Option<LockArcGuard<()>>) -> bool {
        let is_some = guard.is_some();
        if is_some {
            let before = mem::replace(&mut *self.guard.acquire(), guard);
            // It was taken away before the lock was released.
            debug_assert!(before.is_none());
        }
        is_some
    }

    fn take(&self) -> Option<LockArcGuard<()>> {
        self.guard.acquire().take()
    }

    /// Does something with the guard of the lock, for which it is not here.
    pub(crate) fn with_guard(&self, f: impl FnOnce(&mut LockArcGuard<()>) -> bool) -> Answer {
        let Some(mut guard) = self.take() else { return Answer::NotAcquired };
        let result = catch_exception(|| f(&mut guard));
        self.keep(Some(guard));
        result.map_or(Answer::Raised, Answer::from)
    }
}

/// `Lock()`
#[unsafe(no_mangle)]
pub extern "C" fn futon_lock_new() -> Box<Lock> {
    new(Lock { lock: Arc::default(), guard: futon::Lock::default() })
}

/// The end of it, even if it is taken.
#[unsafe(no_mangle)]
pub extern "C" fn futon_lock_free(_: Option<Box<Lock>>) {}

/// `acquire(True, timeout)`
#[unsafe(no_mangle)]
pub extern "C" fn futon_lock_acquire(lock: &Lock, timeout: Option<&f64>) -> bool {
    lock.keep(match timeout {
        Some(timeout) => lock.lock.acquire_timeout_arc(seconds(timeout)),
        None => Some(lock.lock.acquire_arc()),
    })
}

/// `acquire(False)`
#[unsafe(no_mangle)]
pub extern "C" fn futon_lock_try_acquire(lock: &Lock) -> bool {
    lock.keep(lock.lock.try_acquire_arc())
}

/// `release()`, or false if it is not taken
#[unsafe(no_mangle)]
pub extern "C" fn futon_lock_release(lock: &Lock) -> bool {
    lock.take().is_some()
}

/// `locked()`
#[unsafe(no_mangle)]
pub extern "C" fn futon_lock_is_locked(lock: &Lock) -> bool {
    lock.lock.is_locked()
}
