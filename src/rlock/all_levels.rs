//! The permission to give up all levels for a while.
//!
//! A thread that waits on a condition gives up the lock, and gets it back. With one level that is sound for
//! any `T`: the wait borrows the only guard as mutable, so that no `&T` of this thread is in use meanwhile.
//!
//! With several levels it is not. Here another thread has `&T` while the outer guard's `&T` is in use on
//! this one:
//!
//! ```text
//!   let outer = lock.acquire();
//!   let value: &Cell<i32> = &outer;          // in use to the end
//!   let mut inner = lock.acquire();
//!   wait with inner, giving up both levels    lock.acquire().set(1)      // another thread
//!   value.get()
//! ```
//!
//! Two threads may have `&T` at once if and only if `T: Sync`. So guards are waited with at depth 1, which
//! is looked at when the program runs, and [`AllLevels`] at any depth, which asks for `T: Sync` when
//! it is compiled. A mapped outer guard is sound too: it was made of `&T`, by what all who have `&T` may call.

use core::fmt;
use core::ops::Deref;

use super::RLockGuard;
use super::owner::Owner;

/// A guard, and with it the permission to give up *all* levels of the calling thread for a while.
///
/// Made by [`RLockGuard::all_levels`]. It is for a [`Condition`](crate::Condition) to wait with where outer functions may have
/// levels too. A plain guard can be waited with only where it is the one level of its thread.
///
/// ```
/// use futon::{Condition, RLock, RLockGuard};
/// use std::time::Duration;
///
/// let lock = RLock::new(1);
/// let (_outer, mut inner) = (lock.acquire(), lock.acquire());
/// let mut all = RLockGuard::all_levels(&mut inner);
/// let was_notified = Condition::new().wait_timeout(&mut all, Duration::from_millis(1)); // without either level
/// assert!(!was_notified);
/// assert_eq!((*all, lock.depth()), (1, 2));
/// ```
///
/// Since the outer guards' `&T` stay in use meanwhile, it asks for `T: Sync`.
///
/// ```compile_fail,E0277
/// use futon::{RLock, RLockGuard};
/// use std::cell::Cell;
///
/// let lock = RLock::new(Cell::new(1));
/// let mut guard = lock.acquire();
/// RLockGuard::all_levels(&mut guard); // two threads would have &Cell at once
/// ```
#[must_use = "this does nothing by itself: it is to be waited with"]
pub struct AllLevels<'a, 'l, T: ?Sized + Sync> {
    guard: &'a mut RLockGuard<'l, T>,
}

impl<'l, T: ?Sized + Sync> RLockGuard<'l, T> {
    /// The guard as one that may give up all levels of this thread.
    ///
    /// Python's `Condition.wait` always gives up all levels of an `RLock`. Here the type has to say that
    /// it may: whoever has an outer level finds the value changed when the inner function returns.
    ///
    /// ```
    /// use futon::{Condition, RLock, RLockGuard};
    /// use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
    /// use std::thread;
    ///
    /// let (count, changed) = (RLock::new(AtomicU32::new(0)), Condition::new());
    /// thread::scope(|s| {
    ///     let outer = count.acquire();
    ///     let mut inner = count.acquire();
    ///     s.spawn(|| {
    ///         count.acquire().store(7, Relaxed); // while the other thread waits
    ///         changed.notify_one();
    ///     });
    ///     let mut all = RLockGuard::all_levels(&mut inner);
    ///     changed.wait_while(&mut all, |count| count.load(Relaxed) == 0);
    ///     assert_eq!((outer.load(Relaxed), count.depth()), (7, 2));
    /// });
    /// ```
    #[inline]
    #[doc(alias = "_release_save")]
    pub fn all_levels(guard: &mut Self) -> AllLevels<'_, 'l, T> {
        AllLevels { guard }
    }
}

impl<T: ?Sized + Sync> AllLevels<'_, '_, T> {
    /// Whose levels these are, for a condition that waits with them.
    #[inline]
    pub(crate) fn owner(&self) -> &Owner {
        self.guard.owner()
    }
}

impl<T: ?Sized + Sync> Deref for AllLevels<'_, '_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        self.guard
    }
}

impl<T: ?Sized + Sync + fmt::Debug> fmt::Debug for AllLevels<'_, '_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: ?Sized + Sync + fmt::Display> fmt::Display for AllLevels<'_, '_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
