//! The re-entrant lock, with a place for its guards.

use std::cell::UnsafeCell;
use std::mem;
use std::sync::Arc;

use futon::{AllLevels, RLockArcGuard, RLockGuard};

use crate::{Answer, catch_exception, new, seconds};

/// A re-entrant lock. The guards of the thread that has it are beside it, one a level.
pub struct RLock {
    lock: Arc<futon::RLock<()>>,
    /// Empty when the lock is free.
    levels: UnsafeCell<Vec<RLockArcGuard<()>>>,
}

// SAFETY: `levels` is reached only by the thread that has the lock, and what is in it was put there by that
// thread: it is empty when the lock changes hands. (Or else by whoever drops this, see there.)
unsafe impl Sync for RLock {}
// SAFETY: a guard is dropped by its own thread or by none, see `drop`.
unsafe impl Send for RLock {}

impl RLock {
    /// Does something with the guards of the calling thread, if it has the lock. `f` must not come here again.
    fn with_levels<R>(&self, f: impl FnOnce(&mut Vec<RLockArcGuard<()>>) -> R) -> Option<R> {
        if !self.lock.is_owned() {
            return None;
        }
        // SAFETY: no other thread reaches them, since this one has the lock, and `f` does not come here.
        Some(f(unsafe { &mut *self.levels.get() }))
    }

    /// Keeps the guard, if there is one. Whether there is.
    fn keep(&self, guard: Option<RLockArcGuard<()>>) -> bool {
        guard.and_then(|guard| self.with_levels(|levels| levels.push(guard))).is_some()
    }

    /// Does something for which all levels of the calling thread may be given up for a while.
    pub(crate) fn with_all_levels(&self, f: impl FnOnce(&mut AllLevels<'_, '_, ()>) -> bool) -> Answer {
        // The guards make room for those of whoever has the lock meanwhile.
        let Some(mut levels) = self.with_levels(mem::take) else { return Answer::NotAcquired };
        // One level more, for only a guard that borrows the lock stands for all of them.
        let mut guard = self.lock.acquire();
        let result = catch_exception(|| f(&mut RLockGuard::all_levels(&mut guard)));
        drop(guard);
        self.with_levels(|later| {
            levels.append(later);
            *later = levels;
        });
        result.map_or(Answer::Raised, Answer::from)
    }
}

impl Drop for RLock {
    fn drop(&mut self) {
        if !self.lock.is_owned() {
            // Of another thread, which may have ended. They, and the lock with them, are never freed.
            mem::forget(mem::take(self.levels.get_mut()));
        }
    }
}

/// `RLock()`
#[unsafe(no_mangle)]
pub extern "C" fn futon_rlock_new() -> Box<RLock> {
    new(RLock { lock: Arc::default(), levels: UnsafeCell::default() })
}

/// The end of it, even if it is taken.
#[unsafe(no_mangle)]
pub extern "C" fn futon_rlock_free(_: Option<Box<RLock>>) {}

/// `acquire(True, timeout)`
#[unsafe(no_mangle)]
pub extern "C" fn futon_rlock_acquire(rlock: &RLock, timeout: Option<&f64>) -> bool {
    rlock.keep(match timeout {
        Some(timeout) => rlock.lock.acquire_timeout_arc(seconds(timeout)),
        None => Some(rlock.lock.acquire_arc()),
    })
}

/// `acquire(False)`
#[unsafe(no_mangle)]
pub extern "C" fn futon_rlock_try_acquire(rlock: &RLock) -> bool {
    rlock.keep(rlock.lock.try_acquire_arc())
}

/// `release()`, or false if this thread does not have it
#[unsafe(no_mangle)]
pub extern "C" fn futon_rlock_release(rlock: &RLock) -> bool {
    // Out of the list first, for it belongs to another thread as soon as the guard is dropped.
    rlock.with_levels(Vec::pop).flatten().is_some()
}

/// `_release_save()`: the number of levels, none if this thread does not have it
#[unsafe(no_mangle)]
pub extern "C" fn futon_rlock_release_all(rlock: &RLock) -> usize {
    rlock.with_levels(mem::take).map_or(0, |levels| levels.len())
}

/// `_acquire_restore(…)`
#[unsafe(no_mangle)]
pub extern "C" fn futon_rlock_acquire_all(rlock: &RLock, levels: usize) {
    (0..levels).for_each(|_| _ = rlock.keep(Some(rlock.lock.acquire_arc())));
}

/// `_is_owned()`
#[unsafe(no_mangle)]
pub extern "C" fn futon_rlock_is_owned(rlock: &RLock) -> bool {
    rlock.lock.is_owned()
}

/// `_recursion_count()`
#[unsafe(no_mangle)]
pub extern "C" fn futon_rlock_depth(rlock: &RLock) -> u32 {
    rlock.lock.depth()
}

/// `locked()`
#[unsafe(no_mangle)]
pub extern "C" fn futon_rlock_is_locked(rlock: &RLock) -> bool {
    rlock.lock.is_locked()
}
