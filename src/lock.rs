//! The lock: [`RawLock`]'s algorithm around a value.

mod guard;
mod mapped;
mod owned;

use core::cell::UnsafeCell;
use core::fmt;
use core::time::Duration;
use std::sync::Arc;
use std::time::Instant;

pub use guard::LockGuard;
pub use mapped::MappedLockGuard;
pub use owned::LockArcGuard;

use crate::deadline::Deadline;
use crate::raw_lock::RawLock;

/// A mutual exclusion lock around a value.
///
/// At most one thread at a time has the lock, and with it the value. It is Python's `threading.Lock`:
/// no owner, so that any thread may release it (guards are `Send` where the value is), not re-entrant, and with a
/// timeout on each way to wait. Unlike Python's it holds the value that it protects, as [`std::sync::Mutex`] does,
/// and unlike std's it does not poison: a panic under the lock releases it. A change that must not be left half done
/// by one is a [`transaction`](LockGuard::transaction).
///
/// ```
/// use futon::Lock;
/// use std::thread;
///
/// static HITS: Lock<u32> = Lock::new(0);
///
/// thread::scope(|s| {
///     for _ in 0..4 {
///         s.spawn(|| *HITS.acquire() += 1);
///     }
/// });
/// assert_eq!(*HITS.acquire(), 4);
/// ```
///
/// **Memory ordering.** Everything that happened before a release is seen by whoever acquires after it. What fails, a
/// try or a timeout, orders nothing.
///
/// **Fairness.** A free lock goes to whoever comes first; a thread may take it many times in a row. But a
/// thread that has waited for about a millisecond, and finds the lock taken when it is its turn, has the next
/// release kept for those who wait: newcomers go behind, unless for a millisecond none of those comes to take it. (If
/// more than four wait: a quarter of a millisecond for each of them, in the place of the first millisecond.)
/// [`LockGuard::release_fair`] keeps the lock for those who wait at once.
///
/// **Deadlock.** A thread that acquires a lock it already has waits until another thread drops the guard, which mostly
/// is for ever, or until its timeout. Threads that need several locks take them with [`acquire_all`](fn@crate::acquire_all).
///
/// **Cost.** Eight bytes and the value. Nothing is allocated, ever. Without contention one atomic
/// operation takes the lock and one releases it. A release makes a system call only where others have had to wait.
///
/// The value decides what may cross threads: `Lock<T>` is `Send` and `Sync` if `T` is `Send`.
///
/// ```compile_fail,E0277
/// # use std::rc::Rc;
/// fn shared<T: Sync>(_: T) {}
/// shared(futon::Lock::new(Rc::new(1))); // an Rc must stay on its thread
/// ```
#[doc(alias = "Mutex")]
#[doc(alias = "threading.Lock")]
pub struct Lock<T: ?Sized> {
    raw: RawLock,
    value: UnsafeCell<T>,
}

// SAFETY: a shared lock hands the value to one thread at a time, which may take it out or drop it there;
// that is all that `Send` asks for. Two threads never have `&T` at once unless a guard is shared, and
// then its own bound applies.
unsafe impl<T: ?Sized + Send> Sync for Lock<T> {}

impl<T> Lock<T> {
    /// A free lock around `value`.
    ///
    /// ```
    /// static NAMES: futon::Lock<Vec<String>> = futon::Lock::new(Vec::new());
    ///
    /// NAMES.acquire().push("Ada".into());
    /// assert_eq!(NAMES.acquire().len(), 1);
    /// ```
    #[inline]
    #[must_use]
    pub const fn new(value: T) -> Self {
        Self { raw: RawLock::new(), value: UnsafeCell::new(value) }
    }

    /// The value, once nobody shares the lock any more.
    ///
    /// As [`get_mut`](Self::get_mut), also where a guard was leaked.
    ///
    /// ```
    /// let names = futon::Lock::new(vec!["Ada"]);
    /// names.acquire().push("Ben");
    /// assert_eq!(names.into_inner(), ["Ada", "Ben"]);
    /// ```
    #[inline]
    pub fn into_inner(self) -> T {
        self.value.into_inner()
    }
}

impl<T: ?Sized> Lock<T> {
    /// The value, without locking: `&mut` proves that nobody else has the lock.
    ///
    /// This holds even after a guard was leaked and the lock stays taken.
    ///
    /// ```
    /// let mut lock = futon::Lock::new(1);
    /// *lock.get_mut() = 2;
    /// assert_eq!(*lock.acquire(), 2);
    /// ```
    #[inline]
    pub fn get_mut(&mut self) -> &mut T {
        self.value.get_mut()
    }

    /// What is acquired and released, for those who acquire several at once.
    #[inline]
    pub(crate) fn raw(&self) -> &RawLock {
        &self.raw
    }

    /// Waits until the lock is free and takes it.
    ///
    /// Python's `Lock.acquire()`, and std's `Mutex::lock` without poison.
    ///
    /// ```
    /// let lock = futon::Lock::new(String::new());
    /// lock.acquire().push_str("hello");
    /// assert_eq!(*lock.acquire(), "hello");
    /// ```
    #[inline]
    #[doc(alias = "lock")]
    pub fn acquire(&self) -> LockGuard<'_, T> {
        self.raw.acquire();
        LockGuard::new(self)
    }

    /// [`acquire`](Self::acquire) where everybody has the lock for no more than a moment.
    #[inline]
    pub(crate) fn acquire_for_a_moment(&self) -> LockGuard<'_, T> {
        self.raw.acquire_for_a_moment();
        LockGuard::new(self)
    }

    /// Takes the lock if it is free. Does not wait, and does not fail without a reason.
    ///
    /// `None` if a thread has the lock, the calling one included, or is about to have it: after
    /// [`release_fair`](LockGuard::release_fair), and while a thread waits that has waited too long. That orders
    /// nothing (`Relaxed`).
    ///
    /// Python's `Lock.acquire(blocking=False)`.
    ///
    /// ```
    /// let lock = futon::Lock::new(());
    /// let guard = lock.acquire();
    /// assert!(lock.try_acquire().is_none());
    /// drop(guard);
    /// assert!(lock.try_acquire().is_some());
    /// ```
    #[inline]
    #[must_use = "the lock is released as soon as the guard is dropped"]
    #[doc(alias = "try_lock")]
    pub fn try_acquire(&self) -> Option<LockGuard<'_, T>> {
        self.raw.try_acquire().then(|| LockGuard::new(self))
    }

    /// Waits until the lock is free and takes it, or gives up after `timeout`.
    ///
    /// `None` if it has given up, which it never does before its time, and which orders nothing (`Relaxed`). A zero
    /// timeout is [`try_acquire`](Self::try_acquire); `Duration::MAX` and everything else beyond the range of the clock
    /// is [`acquire`](Self::acquire).
    ///
    /// Python's `Lock.acquire(timeout=…)`, and parking_lot's `try_lock_for`. std has none.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let lock = futon::Lock::new(5);
    /// let guard = lock.acquire();
    /// assert!(lock.acquire_timeout(Duration::from_millis(1)).is_none());
    /// drop(guard);
    /// assert_eq!(*lock.acquire_timeout(Duration::from_millis(1)).unwrap(), 5);
    /// ```
    #[inline]
    #[must_use = "the lock is released as soon as the guard is dropped"]
    #[doc(alias = "try_lock_for")]
    #[doc(alias = "lock_timeout")]
    pub fn acquire_timeout(&self, timeout: Duration) -> Option<LockGuard<'_, T>> {
        self.raw.acquire_timeout(timeout).then(|| LockGuard::new(self))
    }

    /// Waits until the lock is free and takes it, or gives up at `deadline`.
    ///
    /// As [`acquire_timeout`](Self::acquire_timeout), for a limit that several waits share. A deadline in the past is
    /// [`try_acquire`](Self::try_acquire). It is parking_lot's `try_lock_until`.
    ///
    /// ```
    /// use std::time::{Duration, Instant};
    ///
    /// let (a, b) = (futon::Lock::new(1), futon::Lock::new(2));
    /// let deadline = Instant::now() + Duration::from_secs(1);
    /// let sum = *a.acquire_deadline(deadline).unwrap() + *b.acquire_deadline(deadline).unwrap();
    /// assert_eq!(sum, 3);
    /// ```
    #[inline]
    #[must_use = "the lock is released as soon as the guard is dropped"]
    #[doc(alias = "try_lock_until")]
    pub fn acquire_deadline(&self, deadline: Instant) -> Option<LockGuard<'_, T>> {
        self.raw.acquire_until(Deadline::at(deadline)).then(|| LockGuard::new(self))
    }

    /// Whether a thread has the lock, the calling one or another, or is about to get it.
    ///
    /// The answer may be out of date before it is returned: fit for a test or a log, not for a decision.
    /// Orders nothing (`Relaxed`). Python's `Lock.locked()`.
    ///
    /// ```
    /// let lock = futon::Lock::new(());
    /// assert!(!lock.is_locked());
    /// let _guard = lock.acquire();
    /// assert!(lock.is_locked());
    /// ```
    #[inline]
    #[must_use]
    #[doc(alias = "locked")]
    pub fn is_locked(&self) -> bool {
        self.raw.is_locked()
    }

    /// How many threads wait for the lock at this moment.
    ///
    /// What a test waits for when it wants to know that another thread blocks, in the place of a sleep. A thread
    /// counts once it is about to sleep, not while it still looks whether the lock becomes free. Orders nothing
    /// (`Relaxed`). Neither Python nor std has it.
    ///
    /// ```
    /// use std::thread;
    ///
    /// let lock = futon::Lock::new(());
    /// thread::scope(|s| {
    ///     let guard = lock.acquire();
    ///     s.spawn(|| drop(lock.acquire()));
    ///     while lock.waiters() < 1 {
    ///         thread::yield_now();
    ///     }
    ///     drop(guard);
    /// });
    /// assert_eq!(lock.waiters(), 0);
    /// ```
    #[inline]
    #[must_use]
    pub fn waiters(&self) -> usize {
        self.raw.waiters()
    }

    /// [`acquire`](Self::acquire) with a guard that shares the ownership of the lock.
    ///
    /// Such a guard borrows nothing: it can be stored, returned and sent to a thread that outlives the caller. It is
    /// parking_lot's `lock_arc`; std has none, and in Python everything is shared in this way.
    ///
    /// ```
    /// use std::{sync::Arc, thread};
    ///
    /// let lock = Arc::new(futon::Lock::new(0));
    /// let mut guard = lock.acquire_arc();
    /// thread::spawn(move || *guard += 1).join().unwrap(); // released there
    /// assert_eq!(*lock.acquire(), 1);
    /// ```
    #[inline]
    #[doc(alias = "lock_arc")]
    #[doc(alias = "lock_owned")]
    pub fn acquire_arc(self: &Arc<Self>) -> LockArcGuard<T> {
        self.raw.acquire();
        LockArcGuard::new(Arc::clone(self))
    }

    /// [`try_acquire`](Self::try_acquire) with a guard that shares the ownership of the lock.
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// let device = Arc::new(futon::Lock::new("printer"));
    /// let job = device.try_acquire_arc();
    /// assert_eq!(job.as_deref(), Some(&"printer"));
    /// assert!(device.try_acquire_arc().is_none()); // until the job is dropped
    /// ```
    #[inline]
    #[must_use = "the lock is released as soon as the guard is dropped"]
    #[doc(alias = "try_lock_arc")]
    #[doc(alias = "try_lock_owned")]
    pub fn try_acquire_arc(self: &Arc<Self>) -> Option<LockArcGuard<T>> {
        self.raw.try_acquire().then(|| LockArcGuard::new(Arc::clone(self)))
    }

    /// [`acquire_timeout`](Self::acquire_timeout) with a guard that shares the ownership of the lock.
    ///
    /// ```
    /// use std::{sync::Arc, time::Duration};
    ///
    /// let guard = Arc::new(futon::Lock::new(5)).acquire_timeout_arc(Duration::from_secs(1));
    /// assert_eq!(guard.as_deref(), Some(&5)); // nobody else owns the lock any more
    /// ```
    #[inline]
    #[must_use = "the lock is released as soon as the guard is dropped"]
    #[doc(alias = "try_lock_arc_for")]
    pub fn acquire_timeout_arc(self: &Arc<Self>, timeout: Duration) -> Option<LockArcGuard<T>> {
        self.raw.acquire_timeout(timeout).then(|| LockArcGuard::new(Arc::clone(self)))
    }

    /// [`acquire_deadline`](Self::acquire_deadline) with a guard that shares the ownership of the lock.
    ///
    /// ```
    /// use std::{sync::Arc, thread, time::{Duration, Instant}};
    ///
    /// let lock = Arc::new(futon::Lock::new(1));
    /// let deadline = Instant::now() + Duration::from_secs(1);
    /// let guard = lock.acquire_deadline_arc(deadline).unwrap();
    /// assert!(lock.acquire_deadline_arc(Instant::now()).is_none()); // a try
    /// thread::spawn(move || drop(guard)).join().unwrap();
    /// assert!(!lock.is_locked());
    /// ```
    #[inline]
    #[must_use = "the lock is released as soon as the guard is dropped"]
    #[doc(alias = "try_lock_arc_until")]
    pub fn acquire_deadline_arc(self: &Arc<Self>, deadline: Instant) -> Option<LockArcGuard<T>> {
        let deadline = Deadline::at(deadline);
        self.raw.acquire_until(deadline).then(|| LockArcGuard::new(Arc::clone(self)))
    }
}

impl<T: Default> Default for Lock<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T> From<T> for Lock<T> {
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

/// Shows the value if the lock is free, else `<locked>`. Never waits.
impl<T: ?Sized + fmt::Debug> fmt::Debug for Lock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lock = f.debug_struct("Lock");
        match self.try_acquire() {
            Some(guard) => lock.field("value", &&*guard).finish(),
            None => lock.field("value", &format_args!("<locked>")).finish(),
        }
    }
}
