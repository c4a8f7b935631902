//! The guard that borrows the lock.

use core::fmt;
use core::marker::PhantomData;
use core::mem::ManuallyDrop;
use core::ops::{Deref, DerefMut};
use core::ptr::NonNull;

use super::{Lock, MappedLockGuard};
use crate::raw_lock::RawLock;

/// A lock that is taken. Gives access to the value; dropping it releases the lock.
///
/// Made by [`Lock::acquire`] and the other ways to take a lock. Dropping it is Python's `Lock.release()`, and the end of
/// its `with` block; there is no way to do it twice.
///
/// May be sent to another thread and released there, if the value may.
///
/// ```
/// use std::thread;
///
/// let lock = futon::Lock::new(1);
/// let mut guard = lock.acquire();
/// thread::scope(|s| {
///     s.spawn(move || *guard += 1); // and drops the guard
/// });
/// assert_eq!(*lock.acquire(), 2);
/// ```
///
/// A guard of a value that must stay on its thread stays there too.
///
/// ```compile_fail,E0277
/// # use std::rc::Rc;
/// fn sent<T: Send>(_: T) {}
/// let lock = futon::Lock::new(Rc::new(1));
/// sent(lock.acquire());
/// ```
///
/// And it is shared between threads only if `&T` may be.
///
/// ```compile_fail,E0277
/// # use std::cell::Cell;
/// fn shared<T: Sync>(_: T) {}
/// let lock = futon::Lock::new(Cell::new(1));
/// shared(lock.acquire());
/// ```
#[must_use = "the lock is released as soon as the guard is dropped"]
#[doc(alias = "MutexGuard")]
#[doc(alias = "unlock")]
#[doc(alias = "release")]
pub struct LockGuard<'a, T: ?Sized> {
    lock: &'a Lock<T>,
    /// What the guard is to the compiler: an exclusive borrow of the value.
    _value: PhantomData<&'a mut T>,
}

// SAFETY: a shared guard gives out `&T` and nothing else, which `T: Sync` allows. It does not lead back
// to the lock, which would give `&mut T` to a thread that `T` may not be sent to.
unsafe impl<T: ?Sized + Sync> Sync for LockGuard<'_, T> {}

impl<'a, T: ?Sized> LockGuard<'a, T> {
    /// Stands for a lock that the caller has just taken.
    #[inline]
    pub(crate) fn new(lock: &'a Lock<T>) -> Self {
        Self { lock, _value: PhantomData }
    }

    /// What a condition releases and acquires.
    #[inline]
    pub(crate) fn raw(&self) -> &RawLock {
        &self.lock.raw
    }

    /// A guard of a part of the value.
    ///
    /// An associated function, to be called as `LockGuard::map(guard, …)`, so that it does not hide a
    /// method of the value.
    ///
    /// ```
    /// use futon::{Lock, LockGuard, MappedLockGuard};
    ///
    /// struct Account { name: String, balance: i64 }
    ///
    /// fn balance(account: &Lock<Account>) -> MappedLockGuard<'_, i64> {
    ///     LockGuard::map(account.acquire(), |a| &mut a.balance)
    /// }
    ///
    /// let account = Lock::new(Account { name: "Ada".into(), balance: 0 });
    /// *balance(&account) += 10;
    /// assert_eq!(account.acquire().balance, 10);
    /// # assert_eq!(account.acquire().name, "Ada");
    /// ```
    ///
    /// If `part` panics the lock is released. It is parking_lot's `MutexGuard::map`.
    #[inline]
    pub fn map<U: ?Sized>(
        mut guard: Self,
        part: impl FnOnce(&mut T) -> &mut U,
    ) -> MappedLockGuard<'a, U> {
        let part = NonNull::from(part(&mut guard));
        Self::mapped(guard, part)
    }

    /// A guard of a part of the value, if there is such a part; else the guard as it was.
    ///
    /// ```
    /// use futon::{Lock, LockGuard};
    ///
    /// let list = Lock::new(vec![1, 2]);
    /// let last = LockGuard::filter_map(list.acquire(), |v| v.last_mut());
    /// assert_eq!(last.map(|last| *last).ok(), Some(2));
    ///
    /// let third = LockGuard::filter_map(list.acquire(), |v| v.get_mut(2));
    /// assert_eq!(third.unwrap_err().len(), 2);
    /// ```
    ///
    /// If `part` panics the lock is released. It is parking_lot's `try_map`.
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
            Some(part) => Ok(Self::mapped(guard, part)),
            None => Err(guard),
        }
    }

    #[inline]
    fn mapped<U: ?Sized>(guard: Self, part: NonNull<U>) -> MappedLockGuard<'a, U> {
        MappedLockGuard::new(&ManuallyDrop::new(guard).lock.raw, part)
    }

    /// Releases the lock while `f` runs, then takes it again. Returns what `f` does.
    ///
    /// Other threads may change the value meanwhile; taking the lock again waits for them as
    /// [`acquire`](Lock::acquire) does, without a limit. If `f` panics the lock is taken again before the panic
    /// goes on, and released by the guard as usual.
    ///
    /// ```
    /// use futon::{Lock, LockGuard};
    ///
    /// let lock = Lock::new(1);
    /// let mut guard = lock.acquire();
    /// LockGuard::unlocked(&mut guard, || *lock.acquire() += 1);
    /// assert_eq!(*guard, 2);
    /// ```
    ///
    /// It is parking_lot's `MutexGuard::unlocked`. Neither Python nor std has it.
    pub fn unlocked<R>(guard: &mut Self, f: impl FnOnce() -> R) -> R {
        struct Again<'l, T: ?Sized>(&'l Lock<T>);
        impl<T: ?Sized> Drop for Again<'_, T> {
            fn drop(&mut self) {
                self.0.raw.acquire();
            }
        }
        guard.lock.raw.release();
        let _again = Again(guard.lock);
        f()
    }

    /// Releases the lock to a thread that waits for it, if there is one.
    ///
    /// Dropping a guard lets whoever comes first have the lock, and that is often the thread that has just
    /// dropped it. After this it is kept for those who wait: usually the one that has waited longest gets it. Others,
    /// the calling thread included, let it lie, and take it only where for about a millisecond none of those has come
    /// to do so. Threads have to sleep and wake for it, so use it where a turn matters more than speed.
    ///
    /// It is parking_lot's `unlock_fair`, and its `bump` with an [`acquire`](Lock::acquire) after it. Neither Python nor
    /// std has it.
    ///
    /// ```
    /// use futon::{Lock, LockGuard};
    ///
    /// let lock = Lock::new(0);
    /// LockGuard::release_fair(lock.acquire());
    /// assert!(!lock.is_locked());
    /// ```
    #[inline]
    #[doc(alias = "unlock_fair")]
    #[doc(alias = "bump")]
    pub fn release_fair(guard: Self) {
        ManuallyDrop::new(guard).lock.raw.release_fair();
    }
}

impl<T: Clone> LockGuard<'_, T> {
    /// Changes the value as a whole or not at all.
    ///
    /// `change` gets a copy of the value, which takes the value's place if it returns `Ok`. If it returns an error
    /// or panics, the value is as it was: nothing of what was half done is to be seen, by this thread or by another.
    ///
    /// ```
    /// use futon::{Lock, LockGuard};
    ///
    /// #[derive(Clone)]
    /// struct Stock { tops: u32, legs: u32 }
    ///
    /// fn take_table(stock: &Lock<Stock>) -> Result<(), &'static str> {
    ///     LockGuard::transaction(&mut stock.acquire(), |stock| {
    ///         stock.tops = stock.tops.checked_sub(1).ok_or("no top is left")?;
    ///         stock.legs = stock.legs.checked_sub(4).ok_or("too few legs")?;
    ///         Ok(())
    ///     })
    /// }
    ///
    /// let stock = Lock::new(Stock { tops: 2, legs: 6 });
    /// assert_eq!(take_table(&stock), Ok(()));
    /// assert_eq!(take_table(&stock), Err("too few legs"));
    /// assert_eq!(stock.acquire().tops, 1); // and not 0
    /// ```
    ///
    /// This is what takes the place of the poison of [`std::sync::Mutex`], which keeps others away from a value that a
    /// panic may have left half changed. Neither Python nor std has it.
    ///
    /// A copy is made each time. Of a large value, keep what undoes the change, or have [`Arc`](std::sync::Arc)s in it and
    /// change those with [`make_mut`](std::sync::Arc::make_mut). What the copy shares with the value, such as what is behind
    /// an `Rc<RefCell<_>>`, and what is elsewhere does not come back.
    ///
    /// For the values of several locks, one inside of the other: the inner one is the last to be able to fail.
    ///
    /// ```
    /// use futon::{Lock, LockGuard, acquire_all};
    ///
    /// let (from, to) = (Lock::new(10u8), Lock::new(250u8));
    /// let (mut f, mut t) = acquire_all((&from, &to));
    /// let moved = LockGuard::transaction(&mut f, |f| {
    ///     *f = f.checked_sub(7).ok_or("too little")?;
    ///     LockGuard::transaction(&mut t, |t| {
    ///         *t = t.checked_add(7).ok_or("too much")?;
    ///         Ok(())
    ///     })
    /// });
    /// assert_eq!((moved, *f, *t), (Err("too much"), 10, 250));
    /// ```
    ///
    /// # Errors
    ///
    /// That of `change`. Then the value has not changed.
    #[doc(alias = "rollback")]
    #[doc(alias = "poison")]
    #[doc(alias = "PoisonError")]
    pub fn transaction<R, E>(
        guard: &mut Self,
        change: impl FnOnce(&mut T) -> Result<R, E>,
    ) -> Result<R, E> {
        transaction(&mut **guard, change)
    }
}

/// Runs `change` on a copy of the value, which takes its place if that returns `Ok`.
pub(super) fn transaction<T: Clone, R, E>(
    value: &mut T,
    change: impl FnOnce(&mut T) -> Result<R, E>,
) -> Result<R, E> {
    let mut changed = value.clone();
    let result = change(&mut changed)?;
    *value = changed;
    Ok(result)
}

impl<T: ?Sized> Deref for LockGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: this guard has the lock, so nobody else has access; the borrow ends before the guard.
        unsafe { &*self.lock.value.get() }
    }
}

impl<T: ?Sized> DerefMut for LockGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: as in `deref`, and the guard is borrowed exclusively.
        unsafe { &mut *self.lock.value.get() }
    }
}

impl<T: ?Sized> Drop for LockGuard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        self.lock.raw.release();
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for LockGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: ?Sized + fmt::Display> fmt::Display for LockGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
