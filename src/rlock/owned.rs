//! The guard that shares the ownership of the lock.

use core::fmt;
use core::marker::PhantomData;
use core::mem::ManuallyDrop;
use core::ops::Deref;
use core::ptr;
use std::sync::Arc;

use super::RLock;
use super::owner::Owner;

/// A level of a re-entrant lock that is kept alive. Borrows nothing; dropping it releases the level.
///
/// Made by [`RLock::acquire_arc`] and its like. As [`RLockGuard`](super::RLockGuard) it can be waited with on a
/// [`Condition`](crate::Condition) where it is the one level of its thread.
///
/// ```
/// use std::sync::Arc;
/// use futon::{RLock, RLockArcGuard};
///
/// /// Has its device for as long as it is there.
/// struct Job {
///     device: RLockArcGuard<&'static str>,
/// }
///
/// let device = Arc::new(RLock::new("printer"));
/// let job = Job { device: device.acquire_arc() };
/// assert_eq!((*job.device, device.depth()), ("printer", 1));
/// drop(job);
/// assert_eq!(device.depth(), 0);
/// ```
///
/// Stays on the thread that made it.
///
/// ```compile_fail,E0277
/// use std::sync::Arc;
///
/// let guard = Arc::new(futon::RLock::new(1)).acquire_arc();
/// std::thread::spawn(move || drop(guard)); // another thread can not release what this one has
/// ```
#[must_use = "the level is released as soon as the guard is dropped"]
#[doc(alias = "ArcReentrantMutexGuard")]
pub struct RLockArcGuard<T: ?Sized> {
    lock: Arc<RLock<T>>,
    /// Not `Send`: the thread that has a level is the one to release it.
    _here: PhantomData<*const ()>,
}

// SAFETY: a shared guard gives out `&T` and nothing else, in particular not the `Arc`.
unsafe impl<T: ?Sized + Sync> Sync for RLockArcGuard<T> {}

impl<T: ?Sized> RLockArcGuard<T> {
    /// Stands for a level that the calling thread has just taken.
    #[inline]
    pub(super) fn new(lock: Arc<RLock<T>>) -> Self {
        Self { lock, _here: PhantomData }
    }

    /// Whose lock this is a level of, for a condition that waits with it.
    #[inline]
    pub(crate) fn owner(&self) -> &Owner {
        &self.lock.owner
    }

    /// Releases the level, and if it is the last, the lock to a thread that waits for it, if there is one:
    /// see [`RLockGuard::release_fair`](super::RLockGuard::release_fair).
    ///
    /// ```
    /// use std::sync::Arc;
    /// use futon::{RLock, RLockArcGuard};
    ///
    /// let lock = Arc::new(RLock::new(0));
    /// RLockArcGuard::release_fair(lock.acquire_arc());
    /// assert_eq!(Arc::strong_count(&lock), 1);
    /// ```
    #[doc(alias = "unlock_fair")]
    pub fn release_fair(guard: Self) {
        let guard = ManuallyDrop::new(guard);
        // SAFETY: the guard is not used or dropped after this, so that its `Arc` has one owner, `lock`.
        let lock = unsafe { ptr::read(&raw const guard.lock) };
        lock.owner.release_fair();
    }
}

impl<T: ?Sized> Deref for RLockArcGuard<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: nobody makes `&mut T` of a lock that has several owners or is borrowed. This thread has
        // it; another one has `&T` at the same time only where `T: Sync`.
        unsafe { &*self.lock.value.get() }
    }
}

impl<T: ?Sized> Drop for RLockArcGuard<T> {
    #[inline]
    fn drop(&mut self) {
        // The lock outlives this: its owner is dropped afterwards.
        self.lock.owner.release();
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for RLockArcGuard<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: ?Sized + fmt::Display> fmt::Display for RLockArcGuard<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
