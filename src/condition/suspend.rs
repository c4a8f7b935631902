//! The guards that a condition can be waited with.

use core::ops::Deref;

use crate::lock::{LockArcGuard, LockGuard};
use crate::raw_lock::RawLock;
use crate::rlock::{AllLevels, Owner, RLockArcGuard, RLockGuard};

/// A guard that can be given up for as long as its thread waits for a [`Condition`](super::Condition).
///
/// | guard | |
/// |---|---|
/// | [`LockGuard`], [`LockArcGuard`] | |
/// | [`RLockGuard`](crate::RLockGuard), [`RLockArcGuard`](crate::RLockArcGuard) | if the thread has the lock once, else it panics |
/// | [`AllLevels`](crate::AllLevels) | however often the thread has the `RLock`; its value must be `Sync` |
///
/// ```
/// use futon::{Condition, Lock, RLock, WaitGuard};
/// use std::time::Duration;
///
/// fn is_notified_soon(changed: &Condition, mut guard: impl WaitGuard) -> bool {
///     changed.wait_timeout(&mut guard, Duration::from_millis(1))
/// }
///
/// let (changed, lock, rlock) = (Condition::new(), Lock::new(1), RLock::new(1));
/// assert!(!is_notified_soon(&changed, lock.acquire()));
/// assert!(!is_notified_soon(&changed, rlock.acquire()));
/// ```
///
/// [`MappedLockGuard`](crate::MappedLockGuard) is not among them, nor [`MappedRLockGuard`](crate::MappedRLockGuard): what
/// others do to the value in the meantime may do away with the part.
///
/// ```compile_fail,E0277
/// use futon::{Condition, Lock, LockGuard};
///
/// let lock = Lock::new((1, 2));
/// let mut first = LockGuard::map(lock.acquire(), |pair| &mut pair.0);
/// Condition::new().wait(&mut first);
/// ```
///
/// While its thread waits, nothing that was borrowed from the guard is in use.
///
/// ```compile_fail,E0502
/// use futon::{Condition, Lock};
///
/// let lock = Lock::new(1);
/// let mut guard = lock.acquire();
/// let value: &i32 = &guard;
/// Condition::new().wait(&mut guard);
/// println!("{value}");
/// ```
///
/// Nobody else can implement this trait.
///
/// ```compile_fail,E0277
/// struct Mine;
///
/// impl std::ops::Deref for Mine {
///     type Target = ();
///     fn deref(&self) -> &() {
///         &()
///     }
/// }
/// impl futon::WaitGuard for Mine {}
/// ```
pub trait WaitGuard: Deref + Suspend {}

/// How a guard is given up and had again.
pub trait Suspend {
    /// What is released and acquired.
    fn raw(&self) -> &RawLock;

    /// Who has levels of the lock, if it has levels.
    fn owner(&self) -> Option<&Owner> {
        None
    }

    /// Panics if this guard can not be given up at this time.
    ///
    /// With more than one level, another guard's `&T` may be in use while others have the lock.
    #[track_caller]
    fn assert_can_wait(&self) {
        let levels = self.owner().map_or(1, Owner::depth);
        assert!(
            levels == 1,
            "a thread waits that has {levels} levels of an RLock; to give up more than one, \
             wait with RLockGuard::all_levels"
        );
    }

    /// Has the lock forget its owner, before it is released. Returns what `resume` needs.
    fn suspend(&self) -> u32 {
        self.owner().map_or(0, Owner::suspend)
    }

    /// Makes the thread, which has acquired the lock again, its owner as before.
    fn resume(&self, levels: u32) {
        if let Some(owner) = self.owner() {
            owner.resume(levels);
        }
    }
}

impl<T: ?Sized> WaitGuard for LockGuard<'_, T> {}
impl<T: ?Sized> Suspend for LockGuard<'_, T> {
    #[inline]
    fn raw(&self) -> &RawLock {
        self.raw()
    }
}

impl<T: ?Sized> WaitGuard for LockArcGuard<T> {}
impl<T: ?Sized> Suspend for LockArcGuard<T> {
    #[inline]
    fn raw(&self) -> &RawLock {
        self.raw()
    }
}

impl<T: ?Sized> WaitGuard for RLockGuard<'_, T> {}
impl<T: ?Sized> Suspend for RLockGuard<'_, T> {
    #[inline]
    fn raw(&self) -> &RawLock {
        self.owner().raw()
    }

    #[inline]
    fn owner(&self) -> Option<&Owner> {
        Some(self.owner())
    }
}

impl<T: ?Sized> WaitGuard for RLockArcGuard<T> {}
impl<T: ?Sized> Suspend for RLockArcGuard<T> {
    #[inline]
    fn raw(&self) -> &RawLock {
        self.owner().raw()
    }

    #[inline]
    fn owner(&self) -> Option<&Owner> {
        Some(self.owner())
    }
}

impl<T: ?Sized + Sync> WaitGuard for AllLevels<'_, '_, T> {}
impl<T: ?Sized + Sync> Suspend for AllLevels<'_, '_, T> {
    #[inline]
    fn raw(&self) -> &RawLock {
        self.owner().raw()
    }

    #[inline]
    fn owner(&self) -> Option<&Owner> {
        Some(self.owner())
    }

    /// Always: the `&T` of other guards may be used while others have the lock.
    #[inline]
    fn assert_can_wait(&self) {}
}
