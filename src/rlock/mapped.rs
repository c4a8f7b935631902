//! The guard of a part of the value.

use core::fmt;
use core::marker::PhantomData;
use core::mem::ManuallyDrop;
use core::ops::Deref;
use core::ptr::NonNull;

use super::owner::Owner;

/// A level of a re-entrant lock, seen through a part of its value. Dropping it releases the level.
///
/// Made by [`RLockGuard::map`](super::RLockGuard::map) and [`filter_map`](super::RLockGuard::filter_map). Like every
/// guard of an [`RLock`](super::RLock) it gives `&U` only and stays on its thread. It can not be waited with on a [`Condition`](crate::Condition).
///
/// ```
/// use futon::{RLock, RLockGuard};
///
/// let names = RLock::new(["Ada", "Ben"]);
/// let first = RLockGuard::map(names.acquire(), |names| &names[0]);
/// assert_eq!((*first, names.depth()), ("Ada", 1));
/// drop(first);
/// assert_eq!(names.depth(), 0);
/// ```
#[must_use = "the level is released as soon as the guard is dropped"]
#[doc(alias = "MappedReentrantMutexGuard")]
pub struct MappedRLockGuard<'a, U: ?Sized> {
    owner: &'a Owner,
    /// Also keeps the guard from being `Send`: the thread that has a level is the one to release it.
    part: NonNull<U>,
    /// What the guard is to the compiler: a shared borrow of the part.
    _part: PhantomData<&'a U>,
}

// SAFETY: a shared guard gives out `&U` and nothing else.
unsafe impl<U: ?Sized + Sync> Sync for MappedRLockGuard<'_, U> {}

impl<'a, U: ?Sized> MappedRLockGuard<'a, U> {
    /// Takes over a level that the calling thread has, and with it `part` of the value.
    #[inline]
    pub(super) fn new(owner: &'a Owner, part: NonNull<U>) -> Self {
        Self { owner, part, _part: PhantomData }
    }

    /// A guard of a part of the part. If `part` panics the level is released.
    ///
    /// ```
    /// use futon::{MappedRLockGuard, RLock, RLockGuard};
    ///
    /// let lock = RLock::new((1, (2, 3)));
    /// let inner = RLockGuard::map(lock.acquire(), |v| &v.1);
    /// assert_eq!(*MappedRLockGuard::map(inner, |v| &v.0), 2);
    /// ```
    #[inline]
    pub fn map<V: ?Sized>(guard: Self, part: impl FnOnce(&U) -> &V) -> MappedRLockGuard<'a, V> {
        let part = NonNull::from(part(&guard));
        MappedRLockGuard::new(ManuallyDrop::new(guard).owner, part)
    }

    /// A guard of a part of the part, if there is such a part; else the guard as it was.
    ///
    /// ```
    /// use futon::{MappedRLockGuard, RLock, RLockGuard};
    ///
    /// let lock = RLock::new((1, [2, 3]));
    /// let list = RLockGuard::map(lock.acquire(), |v| &v.1);
    /// let list = MappedRLockGuard::filter_map(list, |list| list.get(2)).unwrap_err();
    /// let last = MappedRLockGuard::filter_map(list, |list| list.last());
    /// assert_eq!(last.map(|last| *last).ok(), Some(3));
    /// ```
    ///
    /// If `part` panics the level is released.
    ///
    /// # Errors
    ///
    /// The guard as it was, and with it the level, if `part` returns `None`.
    #[inline]
    #[doc(alias = "try_map")]
    pub fn filter_map<V: ?Sized>(
        guard: Self,
        part: impl FnOnce(&U) -> Option<&V>,
    ) -> Result<MappedRLockGuard<'a, V>, Self> {
        match part(&guard).map(NonNull::from) {
            Some(part) => Ok(MappedRLockGuard::new(ManuallyDrop::new(guard).owner, part)),
            None => Err(guard),
        }
    }

    /// Releases the level, and if it is the last, the lock to a thread that waits for it, if there is one:
    /// see [`RLockGuard::release_fair`](super::RLockGuard::release_fair).
    ///
    /// ```
    /// use futon::{MappedRLockGuard, RLock, RLockGuard};
    ///
    /// let lock = RLock::new((1, 2));
    /// MappedRLockGuard::release_fair(RLockGuard::map(lock.acquire(), |pair| &pair.0));
    /// assert!(!lock.is_locked());
    /// ```
    #[inline]
    #[doc(alias = "unlock_fair")]
    pub fn release_fair(guard: Self) {
        ManuallyDrop::new(guard).owner.release_fair();
    }
}

impl<U: ?Sized> Deref for MappedRLockGuard<'_, U> {
    type Target = U;

    #[inline]
    fn deref(&self) -> &U {
        // SAFETY: the part was borrowed from the value, which nobody makes `&mut` of as long as the lock is
        // borrowed; and this thread has the lock as long as this guard lives.
        unsafe { self.part.as_ref() }
    }
}

impl<U: ?Sized> Drop for MappedRLockGuard<'_, U> {
    #[inline]
    fn drop(&mut self) {
        self.owner.release();
    }
}

impl<U: ?Sized + fmt::Debug> fmt::Debug for MappedRLockGuard<'_, U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<U: ?Sized + fmt::Display> fmt::Display for MappedRLockGuard<'_, U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
