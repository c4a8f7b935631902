//! The guard of a part of the value.

use core::fmt;
use core::marker::PhantomData;
use core::mem::ManuallyDrop;
use core::ops::{Deref, DerefMut};
use core::ptr::NonNull;

use super::guard::transaction;
use crate::raw_lock::RawLock;

/// A lock that is taken, seen through a part of its value. Dropping it releases the lock.
///
/// Made by [`LockGuard::map`](super::LockGuard::map) and [`filter_map`](super::LockGuard::filter_map). It can not be
/// waited with on a [`Condition`](crate::Condition): what
/// another thread does to the whole value in the meantime might do away with the part.
///
/// ```
/// use futon::{Lock, LockGuard};
///
/// let names = Lock::new(vec!["Ada", "Ben"]);
/// let mut first = LockGuard::map(names.acquire(), |names| &mut names[0]);
/// *first = "Eve";
/// assert!(names.is_locked()); // all of them
/// drop(first);
/// assert_eq!(names.into_inner(), ["Eve", "Ben"]);
/// ```
#[must_use = "the lock is released as soon as the guard is dropped"]
#[doc(alias = "MappedMutexGuard")]
pub struct MappedLockGuard<'a, T: ?Sized> {
    raw: &'a RawLock,
    part: NonNull<T>,
    /// What the guard is to the compiler: an exclusive borrow of the part.
    _part: PhantomData<&'a mut T>,
}

// SAFETY: as an exclusive borrow of the part. Releasing the lock elsewhere touches only its word, and
// drops nothing of the value around the part, which therefore need not be `Send`.
unsafe impl<T: ?Sized + Send> Send for MappedLockGuard<'_, T> {}
// SAFETY: a shared guard gives out `&T` and nothing else.
unsafe impl<T: ?Sized + Sync> Sync for MappedLockGuard<'_, T> {}

impl<'a, T: ?Sized> MappedLockGuard<'a, T> {
    /// Takes over a lock that the caller has, and with it `part` of its value.
    #[inline]
    pub(super) fn new(raw: &'a RawLock, part: NonNull<T>) -> Self {
        Self { raw, part, _part: PhantomData }
    }

    /// A guard of a part of the part. If `part` panics the lock is released.
    ///
    /// ```
    /// use futon::{Lock, LockGuard, MappedLockGuard};
    ///
    /// let lock = Lock::new((1, (2, 3)));
    /// let inner = LockGuard::map(lock.acquire(), |v| &mut v.1);
    /// *MappedLockGuard::map(inner, |v| &mut v.0) = 7;
    /// assert_eq!(*lock.acquire(), (1, (7, 3)));
    /// ```
    #[inline]
    pub fn map<U: ?Sized>(
        mut guard: Self,
        part: impl FnOnce(&mut T) -> &mut U,
    ) -> MappedLockGuard<'a, U> {
        let part = NonNull::from(part(&mut guard));
        MappedLockGuard::new(ManuallyDrop::new(guard).raw, part)
    }

    /// A guard of a part of the part, if there is such a part; else the guard as it was.
    ///
    /// ```
    /// use futon::{Lock, LockGuard, MappedLockGuard};
    ///
    /// let lock = Lock::new((1, vec![2, 3]));
    /// let list = LockGuard::map(lock.acquire(), |v| &mut v.1);
    /// let list = MappedLockGuard::filter_map(list, |list| list.get_mut(2)).unwrap_err();
    /// let last = MappedLockGuard::filter_map(list, |list| list.last_mut());
    /// assert_eq!(last.map(|last| *last).ok(), Some(3));
    /// ```
    ///
    /// If `part` panics the lock is released.
    ///
    /// # Errors
    ///
    /// The guard as it was, and with it the lock, if `part` returns `None`.
    #[inline]
    #[doc(alias = "try_map")]
    pub fn filter_map<U: ?Sized>(
        mut guard: Self,
        part: impl FnOnce(&mut T) -> Option<&mut U>,
    ) -> Result<MappedLockGuard<'a, U>, Self> {
        match part(&mut guard).map(NonNull::from) {
            Some(part) => Ok(MappedLockGuard::new(ManuallyDrop::new(guard).raw, part)),
            None => Err(guard),
        }
    }

    /// Releases the lock to a thread that waits for it, if there is one:
    /// see [`LockGuard::release_fair`](super::LockGuard::release_fair).
    ///
    /// ```
    /// use futon::{Lock, LockGuard, MappedLockGuard};
    ///
    /// let lock = Lock::new((1, 2));
    /// MappedLockGuard::release_fair(LockGuard::map(lock.acquire(), |pair| &mut pair.0));
    /// assert!(!lock.is_locked());
    /// ```
    #[inline]
    #[doc(alias = "unlock_fair")]
    pub fn release_fair(guard: Self) {
        ManuallyDrop::new(guard).raw.release_fair();
    }
}

impl<T: Clone> MappedLockGuard<'_, T> {
    /// Changes the part as a whole or not at all: see [`LockGuard::transaction`](super::LockGuard::transaction).
    ///
    /// Only the part is copied.
    ///
    /// ```
    /// use futon::{Lock, LockGuard, MappedLockGuard};
    ///
    /// let lock = Lock::new(("large", 1));
    /// let mut second = LockGuard::map(lock.acquire(), |pair| &mut pair.1);
    /// let done = MappedLockGuard::transaction(&mut second, |second| {
    ///     *second = 2;
    ///     Err::<(), _>("no")
    /// });
    /// assert_eq!((done, *second), (Err("no"), 1));
    /// ```
    ///
    /// # Errors
    ///
    /// That of `change`. Then the part has not changed.
    #[doc(alias = "rollback")]
    #[doc(alias = "poison")]
    pub fn transaction<R, E>(
        guard: &mut Self,
        change: impl FnOnce(&mut T) -> Result<R, E>,
    ) -> Result<R, E> {
        transaction(&mut **guard, change)
    }
}

impl<T: ?Sized> Deref for MappedLockGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: the part was borrowed from the value for as long as the lock is held, which is as long
        // as this guard lives.
        unsafe { self.part.as_ref() }
    }
}

impl<T: ?Sized> DerefMut for MappedLockGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: as in `deref`, and the guard is borrowed exclusively.
        unsafe { self.part.as_mut() }
    }
}

impl<T: ?Sized> Drop for MappedLockGuard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        self.raw.release();
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for MappedLockGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: ?Sized + fmt::Display> fmt::Display for MappedLockGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
