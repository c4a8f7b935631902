//! The guard that borrows the lock.

use core::fmt;
use core::marker::PhantomData;
use core::mem::ManuallyDrop;
use core::ops::Deref;
use core::ptr::NonNull;

use super::owner::Owner;
use super::{MappedRLockGuard, RLock};

/// A level of a re-entrant lock. Gives access to the value; dropping it releases the level.
///
/// Made by [`RLock::acquire`] and the other ways to take a level. Dropping it is Python's `RLock.release()`, and the end
/// of its `with` block. The lock is released with the last level. Guards may be dropped in any order.
///
/// ```
/// use std::cell::Cell;
///
/// let lock = futon::RLock::new(Cell::new(1));
/// let guard = lock.acquire();
/// guard.set(2);
/// drop(guard);
/// assert!(!lock.is_owned());
/// assert_eq!(lock.acquire().get(), 2);
/// ```
///
/// A guard stays on the thread that made it, whatever the value is.
///
/// ```compile_fail,E0277
/// let lock = futon::RLock::new(1);
/// let guard = lock.acquire();
/// std::thread::scope(|s| {
///     s.spawn(move || drop(guard)); // another thread can not release what this one has
/// });
/// ```
///
/// It can be lent to others if `&T` can.
///
/// ```compile_fail,E0277
/// # use std::cell::Cell;
/// fn shared<T: Sync>(_: T) {}
/// shared(futon::RLock::new(1).acquire()); // may be
/// shared(futon::RLock::new(Cell::new(1)).acquire()); // must not be
/// ```
///
/// It is not the only one of its thread, and so gives no `&mut T`.
///
/// ```compile_fail,E0594
/// let lock = futon::RLock::new(1);
/// *lock.acquire() = 2;
/// ```
#[must_use = "the level is released as soon as the guard is dropped"]
#[doc(alias = "ReentrantLockGuard")]
#[doc(alias = "ReentrantMutexGuard")]
#[doc(alias = "unlock")]
#[doc(alias = "release")]
pub struct RLockGuard<'a, T: ?Sized> {
    lock: &'a RLock<T>,
    /// Not `Send`: the thread that has a level is the one to release it.
    _here: PhantomData<*const ()>,
}

// SAFETY: a shared guard gives out `&T` and nothing else, which `T: Sync` allows. It does not lead back
// to the lock, nor to its levels.
unsafe impl<T: ?Sized + Sync> Sync for RLockGuard<'_, T> {}

impl<'a, T: ?Sized> RLockGuard<'a, T> {
    /// Stands for a level that the calling thread has just taken.
    #[inline]
    pub(crate) fn new(lock: &'a RLock<T>) -> Self {
        Self { lock, _here: PhantomData }
    }

    /// Whose lock this is a level of, for a condition that waits with it.
    #[inline]
    pub(crate) fn owner(&self) -> &Owner {
        &self.lock.owner
    }

    /// A guard of a part of the value. The level goes over to it.
    ///
    /// An associated function, to be called as `RLockGuard::map(guard, …)`, so that it does not hide a
    /// method of the value.
    ///
    /// ```
    /// use futon::{MappedRLockGuard, RLock, RLockGuard};
    /// use std::cell::Cell;
    ///
    /// struct Account { name: String, balance: Cell<i64> }
    ///
    /// fn balance(account: &RLock<Account>) -> MappedRLockGuard<'_, Cell<i64>> {
    ///     RLockGuard::map(account.acquire(), |a| &a.balance)
    /// }
    ///
    /// let account = RLock::new(Account { name: "Ada".into(), balance: Cell::new(0) });
    /// let guard = account.acquire();
    /// balance(&account).set(10);
    /// assert_eq!(guard.balance.get(), 10);
    /// # assert_eq!(guard.name, "Ada");
    /// ```
    ///
    /// If `part` panics the level is released. It is parking_lot's `ReentrantMutexGuard::map`.
    #[inline]
    pub fn map<U: ?Sized>(guard: Self, part: impl FnOnce(&T) -> &U) -> MappedRLockGuard<'a, U> {
        let part = NonNull::from(part(&guard));
        Self::mapped(guard, part)
    }

    /// A guard of a part of the value, if there is such a part; else the guard as it was.
    ///
    /// ```
    /// use futon::{RLock, RLockGuard};
    ///
    /// let list = RLock::new(vec![1, 2]);
    /// let last = RLockGuard::filter_map(list.acquire(), |v| v.last());
    /// assert_eq!(last.map(|last| *last).ok(), Some(2));
    ///
    /// let third = RLockGuard::filter_map(list.acquire(), |v| v.get(2));
    /// assert_eq!(third.unwrap_err().len(), 2);
    /// ```
    ///
    /// If `part` panics the level is released. It is parking_lot's `try_map`.
    ///
    /// # Errors
    ///
    /// The guard as it was, and with it the level, if `part` returns `None`.
    #[inline]
    #[doc(alias = "try_map")]
    pub fn filter_map<U: ?Sized>(
        guard: Self,
        part: impl FnOnce(&T) -> Option<&U>,
    ) -> Result<MappedRLockGuard<'a, U>, Self> {
        match part(&guard).map(NonNull::from) {
            Some(part) => Ok(Self::mapped(guard, part)),
            None => Err(guard),
        }
    }

    #[inline]
    fn mapped<U: ?Sized>(guard: Self, part: NonNull<U>) -> MappedRLockGuard<'a, U> {
        MappedRLockGuard::new(&ManuallyDrop::new(guard).lock.owner, part)
    }

    /// Releases the lock while `f` runs, then takes it again. Returns what `f` does.
    ///
    /// Other threads may have the lock meanwhile; taking it again waits for them as [`acquire`](RLock::acquire) does,
    /// without a limit. If `f` panics the lock is taken again before the panic goes on, and released by the guard as
    /// usual.
    ///
    /// It is parking_lot's `ReentrantMutexGuard::unlocked`, but that this one releases the lock or panics. Neither
    /// Python nor std has it.
    ///
    /// ```
    /// use futon::{RLock, RLockGuard};
    /// use std::cell::Cell;
    ///
    /// let lock = RLock::new(Cell::new(1));
    /// let mut guard = lock.acquire();
    /// std::thread::scope(|s| {
    ///     RLockGuard::unlocked(&mut guard, || s.spawn(|| lock.acquire().set(2)).join().unwrap());
    /// });
    /// assert_eq!(guard.get(), 2);
    /// ```
    ///
    /// # Panics
    ///
    /// If this thread has further levels: an outer function relies on the lock, and its `&T` is in use. Nothing is
    /// released then.
    #[track_caller]
    pub fn unlocked<R>(guard: &mut Self, f: impl FnOnce() -> R) -> R {
        struct Again<'l, T: ?Sized>(&'l RLock<T>);
        impl<T: ?Sized> Drop for Again<'_, T> {
            fn drop(&mut self) {
                // By the usual way: this thread may have it, if `f` has kept a guard somewhere.
                self.0.owner.acquire();
            }
        }
        let lock = guard.lock;
        let depth = lock.owner.depth();
        assert!(depth == 1, "a thread has {depth} levels of an RLock, of which it can release only 1");
        lock.owner.release();
        let _again = Again(lock);
        f()
    }

    /// Releases the level, and if it is the last, the lock to a thread that waits for it, if there is one.
    ///
    /// Dropping the last guard lets whoever comes first have the lock, and that is often the thread that
    /// has just dropped it. After this it is kept for those who wait: usually the one that has waited longest gets it.
    /// See [`LockGuard::release_fair`](crate::LockGuard::release_fair).
    ///
    /// ```
    /// use futon::{RLock, RLockGuard};
    ///
    /// let lock = RLock::new(0);
    /// let outer = lock.acquire();
    /// RLockGuard::release_fair(lock.acquire());
    /// assert!(lock.is_locked());
    /// RLockGuard::release_fair(outer);
    /// assert!(!lock.is_locked());
    /// ```
    #[inline]
    #[doc(alias = "unlock_fair")]
    #[doc(alias = "bump")]
    pub fn release_fair(guard: Self) {
        ManuallyDrop::new(guard).lock.owner.release_fair();
    }
}

impl<T: ?Sized> Deref for RLockGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: nobody makes `&mut T` of a lock that is borrowed. This thread has it; another one has
        // `&T` at the same time only where `T: Sync`.
        unsafe { &*self.lock.value.get() }
    }
}

impl<T: ?Sized> Drop for RLockGuard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        self.lock.owner.release();
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for RLockGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: ?Sized + fmt::Display> fmt::Display for RLockGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
