//! The guard that shares the ownership of the lock.

use core::fmt;
use core::marker::PhantomData;
use core::mem::ManuallyDrop;
use core::ops::{Deref, DerefMut};
use core::ptr;
use std::sync::Arc;

use super::Lock;
use super::guard::transaction;
use crate::raw_lock::RawLock;

/// A lock that is taken and kept alive. Borrows nothing; dropping it releases the lock.
///
/// Made by [`Lock::acquire_arc`] and its like. May be sent to another thread and released there, if the value may. As
/// [`LockGuard`](super::LockGuard) it can be waited with on a [`Condition`](crate::Condition).
///
/// ```
/// use std::sync::Arc;
/// use futon::{Lock, LockArcGuard};
///
/// /// Has its device for as long as it is there.
/// struct Job {
///     device: LockArcGuard<String>,
/// }
///
/// let device = Arc::new(Lock::new(String::from("ready")));
/// let mut job = Job { device: device.acquire_arc() };
/// job.device.push('!');
/// drop(job);
/// assert_eq!(*device.acquire(), "ready!");
/// ```
#[must_use = "the lock is released as soon as the guard is dropped"]
#[doc(alias = "ArcMutexGuard")]
#[doc(alias = "OwnedMutexGuard")]
#[doc(alias = "MutexGuardArc")]
pub struct LockArcGuard<T: ?Sized> {
    lock: Arc<Lock<T>>,
    /// Takes `Send` and `Sync` away, to be given back below under the right conditions.
    _value: PhantomData<*mut T>,
}

// SAFETY: the value is reached, and with the last owner dropped, on the thread that has the guard.
unsafe impl<T: ?Sized + Send> Send for LockArcGuard<T> {}
// SAFETY: a shared guard gives out `&T` and nothing else, in particular not the `Arc`.
unsafe impl<T: ?Sized + Sync> Sync for LockArcGuard<T> {}

impl<T: ?Sized> LockArcGuard<T> {
    /// Stands for a lock that the caller has just taken.
    #[inline]
    pub(super) fn new(lock: Arc<Lock<T>>) -> Self {
        Self { lock, _value: PhantomData }
    }

    /// What a condition releases and acquires.
    #[inline]
    pub(crate) fn raw(&self) -> &RawLock {
        &self.lock.raw
    }

    /// Releases the lock to a thread that waits for it, if there is one:
    /// see [`LockGuard::release_fair`](super::LockGuard::release_fair).
    ///
    /// ```
    /// use std::sync::Arc;
    /// use futon::{Lock, LockArcGuard};
    ///
    /// let lock = Arc::new(Lock::new(0));
    /// LockArcGuard::release_fair(lock.acquire_arc());
    /// assert_eq!(Arc::strong_count(&lock), 1);
    /// ```
    #[doc(alias = "unlock_fair")]
    pub fn release_fair(guard: Self) {
        let guard = ManuallyDrop::new(guard);
        // SAFETY: the guard is not used or dropped after this, so that its `Arc` has one owner, `lock`.
        let lock = unsafe { ptr::read(&raw const guard.lock) };
        lock.raw.release_fair();
    }
}

impl<T: Clone> LockArcGuard<T> {
    /// Changes the value as a whole or not at all: see [`LockGuard::transaction`](super::LockGuard::transaction).
    ///
    /// ```
    /// use std::sync::Arc;
    /// use futon::{Lock, LockArcGuard};
    ///
    /// let mut guard = Arc::new(Lock::new(1)).acquire_arc();
    /// let done = LockArcGuard::transaction(&mut guard, |value| {
    ///     *value = 2;
    ///     Err::<(), _>("no")
    /// });
    /// assert_eq!((done, *guard), (Err("no"), 1));
    /// ```
    ///
    /// # Errors
    ///
    /// That of `change`. Then the value has not changed.
    #[doc(alias = "rollback")]
    #[doc(alias = "poison")]
    pub fn transaction<R, E>(
        guard: &mut Self,
        change: impl FnOnce(&mut T) -> Result<R, E>,
    ) -> Result<R, E> {
        transaction(&mut **guard, change)
    }
}

impl<T: ?Sized> Deref for LockArcGuard<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: this guard has the lock, so nobody else has access; the borrow ends before the guard.
        unsafe { &*self.lock.value.get() }
    }
}

impl<T: ?Sized> DerefMut for LockArcGuard<T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: as in `deref`, and the guard is borrowed exclusively.
        unsafe { &mut *self.lock.value.get() }
    }
}

impl<T: ?Sized> Drop for LockArcGuard<T> {
    #[inline]
    fn drop(&mut self) {
        // The lock outlives this: its owner is dropped afterwards.
        self.lock.raw.release();
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for LockArcGuard<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: ?Sized + fmt::Display> fmt::Display for LockArcGuard<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
