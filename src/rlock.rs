//! The re-entrant lock: [`Owner`]'s algorithm around a value.

mod all_levels;
mod guard;
mod mapped;
mod owned;
mod owner;

use core::cell::UnsafeCell;
use core::fmt;
use core::panic::RefUnwindSafe;
use core::time::Duration;
use std::sync::Arc;
use std::time::Instant;

pub use all_levels::AllLevels;
pub use guard::RLockGuard;
pub use mapped::MappedRLockGuard;
pub use owned::RLockArcGuard;
pub(crate) use owner::Owner;

use crate::deadline::Deadline;

/// A re-entrant lock around a value: the thread that has it may take it again.
///
/// Functions that each take the lock may call each other under it. It is Python's `threading.RLock`: it
/// has an owner, each [`acquire`](Self::acquire) of the owner adds a level, and the lock is free when all
/// levels are released. What Python reports when a program runs, a release by a thread that has no level,
/// does not compile here: only a guard releases, and it stays on its thread.
///
/// Since one thread may have several guards, they give `&T` and never `&mut T`. To change the value put it
/// into a [`Cell`](core::cell::Cell) or a [`RefCell`](core::cell::RefCell), as for
/// [`std::sync::ReentrantLock`]. A `RefCell` panics where a function has borrowed from it to change it, and calls one that
/// borrows too: have the guard while you call others, and the borrow only between the calls.
///
/// ```
/// use futon::RLock;
/// use std::cell::Cell;
///
/// struct Pair(RLock<(Cell<i32>, Cell<i32>)>);
///
/// impl Pair {
///     fn first(&self) -> i32 {
///         self.0.acquire().0.get()
///     }
///     fn second(&self) -> i32 {
///         self.0.acquire().1.get()
///     }
///     /// Nobody changes the second between the two.
///     fn both(&self) -> (i32, i32) {
///         let _guard = self.0.acquire();
///         (self.first(), self.second())
///     }
///     fn set(&self, first: i32, second: i32) {
///         let guard = self.0.acquire();
///         guard.0.set(first);
///         guard.1.set(second);
///     }
/// }
///
/// static PAIR: Pair = Pair(RLock::new((Cell::new(0), Cell::new(0))));
///
/// std::thread::scope(|s| {
///     s.spawn(|| (1..=100).for_each(|i| PAIR.set(i, -i)));
///     for _ in 0..100 {
///         let (first, second) = PAIR.both();
///         assert_eq!(first + second, 0);
///     }
/// });
/// ```
///
/// **Memory ordering.** Everything that happened before the release of the last level is seen by whoever
/// acquires after it. The levels in between order nothing, and neither does what fails, a try or a timeout.
///
/// **Fairness.** As [`Lock`](crate::Lock)'s: a free lock goes to whoever comes first, but a thread that has
/// waited for about a millisecond sees to it that newcomers go behind. [`RLockGuard::release_fair`] keeps the lock for
/// those who wait at once. The owner always gets its next level at once.
///
/// **Deadlock.** Not with itself. As with any lock, two threads deadlock if each waits for what the other has:
/// those that need several take them with [`acquire_all`](fn@crate::acquire_all).
///
/// **Cost.** 24 bytes and the value. Nothing is allocated, ever. The first level takes one atomic read-modify-write, as a
/// `Lock` does, and its release another; a further one is a load, a comparison and an addition, none of them an atomic
/// read-modify-write. A release makes a system call only where others have had to wait.
///
/// **Panics.** A thread can have 2³² − 1 levels. Each way to acquire one more panics, and changes nothing.
///
/// **Threads.** The owner is known by a number that no other thread of the process ever gets. If a thread leaks
/// a guard and ends, the lock stays taken, and no later thread is taken for the owner. The lock can be used in
/// the destructor of a thread-local.
///
/// The value decides what may cross threads: `RLock<T>` is `Send` and `Sync` if `T` is `Send`.
///
/// ```compile_fail,E0277
/// # use std::rc::Rc;
/// fn shared<T: Sync>(_: T) {}
/// shared(futon::RLock::new(Rc::new(1))); // an Rc must stay on its thread
/// ```
///
/// There is nothing with which a thread could release what it does not have.
///
/// ```compile_fail,E0382
/// let lock = futon::RLock::new(());
/// let guard = lock.acquire();
/// drop(guard);
/// drop(guard); // Python's "cannot release un-acquired lock"
/// ```
#[doc(alias = "ReentrantLock")]
#[doc(alias = "ReentrantMutex")]
#[doc(alias = "recursive")]
#[doc(alias = "threading.RLock")]
pub struct RLock<T: ?Sized> {
    owner: Owner,
    /// Never borrowed as mutable while the lock is shared. Still in a cell, for the thread that frees the
    /// lock at once when another one has released it: a borrow of a cell does not claim that it stays.
    value: UnsafeCell<T>,
}

// SAFETY: of the threads that share a lock only the one that has it gets `&T`, and may take the value out
// or drop it: that is all that `Send` asks for. Two threads have `&T` at once only if a guard is shared or
// gives up all levels for a while, and then their own bounds apply.
unsafe impl<T: ?Sized + Send> Sync for RLock<T> {}
// All that it gives out is `&T`.
impl<T: ?Sized + RefUnwindSafe> RefUnwindSafe for RLock<T> {}

impl<T> RLock<T> {
    /// A free lock around `value`.
    ///
    /// ```
    /// use std::cell::RefCell;
    ///
    /// static NAMES: futon::RLock<RefCell<Vec<String>>> = futon::RLock::new(RefCell::new(Vec::new()));
    ///
    /// NAMES.acquire().borrow_mut().push("Ada".into());
    /// assert_eq!(NAMES.acquire().borrow().len(), 1);
    /// ```
    #[inline]
    #[must_use]
    pub const fn new(value: T) -> Self {
        Self { owner: Owner::new(), value: UnsafeCell::new(value) }
    }

    /// The value, once nobody shares the lock any more.
    ///
    /// As [`get_mut`](Self::get_mut), also where a guard was leaked.
    ///
    /// ```
    /// use std::cell::Cell;
    ///
    /// let count = futon::RLock::new(Cell::new(1));
    /// count.acquire().set(2);
    /// assert_eq!(count.into_inner().get(), 2);
    /// ```
    #[inline]
    pub fn into_inner(self) -> T {
        self.value.into_inner()
    }
}

impl<T: ?Sized> RLock<T> {
    /// The value, without locking: `&mut` proves that nobody else has the lock.
    ///
    /// This holds even after a guard was leaked and the lock stays taken.
    ///
    /// ```
    /// let mut lock = futon::RLock::new(1);
    /// *lock.get_mut() = 2;
    /// assert_eq!(*lock.acquire(), 2);
    /// ```
    #[inline]
    pub fn get_mut(&mut self) -> &mut T {
        self.value.get_mut()
    }

    /// Who has it, for those who acquire several at once.
    #[inline]
    pub(crate) fn owner(&self) -> &Owner {
        &self.owner
    }

    /// Waits until no other thread has the lock and takes it, or takes one level more of it.
    ///
    /// Python's `RLock.acquire()`.
    ///
    /// ```
    /// let lock = futon::RLock::new(5);
    /// let outer = lock.acquire();
    /// let inner = lock.acquire();
    /// drop(outer); // in any order
    /// assert_eq!((*inner, lock.depth()), (5, 1));
    /// ```
    ///
    /// # Panics
    ///
    /// If this thread has 2³² − 1 levels already. It keeps them.
    #[inline]
    #[track_caller]
    #[doc(alias = "lock")]
    pub fn acquire(&self) -> RLockGuard<'_, T> {
        self.owner.acquire();
        RLockGuard::new(self)
    }

    /// Takes the lock if no other thread has it. Does not wait, and does not fail without a reason.
    ///
    /// `None` if another thread has the lock, or if it is about to: after
    /// [`release_fair`](RLockGuard::release_fair), and while a thread waits that has waited too long. That orders
    /// nothing (`Relaxed`).
    ///
    /// Python's `RLock.acquire(blocking=False)`.
    ///
    /// ```
    /// use std::thread;
    ///
    /// let lock = futon::RLock::new(());
    /// let _guard = lock.acquire();
    /// assert!(lock.try_acquire().is_some());
    /// thread::scope(|s| {
    ///     s.spawn(|| assert!(lock.try_acquire().is_none()));
    /// });
    /// ```
    ///
    /// # Panics
    ///
    /// As [`acquire`](Self::acquire).
    #[inline]
    #[track_caller]
    #[must_use = "the level is released as soon as the guard is dropped"]
    #[doc(alias = "try_lock")]
    pub fn try_acquire(&self) -> Option<RLockGuard<'_, T>> {
        self.owner.try_acquire().then(|| RLockGuard::new(self))
    }

    /// Waits until no other thread has the lock and takes it, or gives up after `timeout`.
    ///
    /// `None` if it has given up, which it never does before its time, and which orders nothing (`Relaxed`). A zero
    /// timeout is [`try_acquire`](Self::try_acquire); `Duration::MAX` and everything else beyond the range of the clock
    /// is [`acquire`](Self::acquire).
    ///
    /// Python's `RLock.acquire(timeout=…)`, and parking_lot's `try_lock_for`. std has none.
    ///
    /// ```
    /// use std::{thread, time::Duration};
    ///
    /// let lock = futon::RLock::new(5);
    /// let _guard = lock.acquire();
    /// assert_eq!(*lock.acquire_timeout(Duration::from_millis(1)).unwrap(), 5);
    /// thread::scope(|s| {
    ///     s.spawn(|| assert!(lock.acquire_timeout(Duration::from_millis(1)).is_none()));
    /// });
    /// ```
    ///
    /// # Panics
    ///
    /// As [`acquire`](Self::acquire).
    #[inline]
    #[track_caller]
    #[must_use = "the level is released as soon as the guard is dropped"]
    #[doc(alias = "try_lock_for")]
    #[doc(alias = "lock_timeout")]
    pub fn acquire_timeout(&self, timeout: Duration) -> Option<RLockGuard<'_, T>> {
        self.owner.acquire_timeout(timeout).then(|| RLockGuard::new(self))
    }

    /// Waits until no other thread has the lock and takes it, or gives up at `deadline`.
    ///
    /// As [`acquire_timeout`](Self::acquire_timeout), for a limit that several waits share. A deadline in the past is
    /// [`try_acquire`](Self::try_acquire). It is parking_lot's `try_lock_until`.
    ///
    /// ```
    /// use std::time::{Duration, Instant};
    ///
    /// let (a, b) = (futon::RLock::new(1), futon::RLock::new(2));
    /// let deadline = Instant::now() + Duration::from_secs(1);
    /// let sum = *a.acquire_deadline(deadline).unwrap() + *b.acquire_deadline(deadline).unwrap();
    /// assert_eq!(sum, 3);
    /// ```
    ///
    /// # Panics
    ///
    /// As [`acquire`](Self::acquire).
    #[inline]
    #[track_caller]
    #[must_use = "the level is released as soon as the guard is dropped"]
    #[doc(alias = "try_lock_until")]
    pub fn acquire_deadline(&self, deadline: Instant) -> Option<RLockGuard<'_, T>> {
        self.owner.acquire_until(Deadline::at(deadline)).then(|| RLockGuard::new(self))
    }

    /// Whether the calling thread has the lock.
    ///
    /// The answer stays true or false until this thread itself changes it. Orders nothing (`Relaxed`): what
    /// the owner may see it has seen when it acquired the lock. Python's `RLock._is_owned()`.
    ///
    /// ```
    /// use std::thread;
    ///
    /// let lock = futon::RLock::new(());
    /// assert!(!lock.is_owned());
    /// let _guard = lock.acquire();
    /// assert!(lock.is_owned());
    /// thread::scope(|s| {
    ///     s.spawn(|| assert!(!lock.is_owned()));
    /// });
    /// ```
    #[inline]
    #[must_use]
    #[doc(alias = "is_owned_by_current_thread")]
    #[doc(alias = "_is_owned")]
    pub fn is_owned(&self) -> bool {
        self.owner.is_me()
    }

    /// How many levels the calling thread has: 0 if it does not have the lock.
    ///
    /// Each guard is a level, also one of a part of the value. Orders nothing (`Relaxed`).
    /// Python's `RLock._recursion_count()`.
    ///
    /// ```
    /// let lock = futon::RLock::new(());
    /// assert_eq!(lock.depth(), 0);
    /// let _guards = [lock.acquire(), lock.acquire()];
    /// assert_eq!(lock.depth(), 2);
    /// ```
    #[inline]
    #[must_use]
    #[doc(alias = "_recursion_count")]
    pub fn depth(&self) -> u32 {
        self.owner.depth()
    }

    /// Whether a thread, this one or another, has the lock, or is about to get it.
    ///
    /// The answer may be out of date before it is returned: fit for a test or a log, not for a decision.
    /// Orders nothing (`Relaxed`). Python's `RLock.locked()`, which came with 3.14.
    ///
    /// ```
    /// let lock = futon::RLock::new(());
    /// assert!(!lock.is_locked());
    /// let _guard = lock.acquire();
    /// assert!(lock.is_locked());
    /// ```
    #[inline]
    #[must_use]
    #[doc(alias = "locked")]
    pub fn is_locked(&self) -> bool {
        self.owner.raw().is_locked()
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
    /// let lock = futon::RLock::new(());
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
        self.owner.raw().waiters()
    }

    /// [`acquire`](Self::acquire) with a guard that shares the ownership of the lock.
    ///
    /// Such a guard borrows nothing: it can be stored and returned. It stays on its thread like any other. It is
    /// parking_lot's `lock_arc`; std has none.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use futon::{RLock, RLockArcGuard};
    ///
    /// fn taken() -> RLockArcGuard<i32> {
    ///     Arc::new(RLock::new(7)).acquire_arc()
    /// }
    /// assert_eq!(*taken(), 7);
    /// ```
    ///
    /// # Panics
    ///
    /// As [`acquire`](Self::acquire).
    #[inline]
    #[track_caller]
    #[doc(alias = "lock_arc")]
    #[doc(alias = "lock_owned")]
    pub fn acquire_arc(self: &Arc<Self>) -> RLockArcGuard<T> {
        self.owner.acquire();
        RLockArcGuard::new(Arc::clone(self))
    }

    /// [`try_acquire`](Self::try_acquire) with a guard that shares the ownership of the lock.
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// let lock = Arc::new(futon::RLock::new(7));
    /// let guards: Vec<_> = (0..3).map_while(|_| lock.try_acquire_arc()).collect();
    /// assert_eq!((guards.len(), lock.depth()), (3, 3));
    /// ```
    ///
    /// # Panics
    ///
    /// As [`acquire`](Self::acquire).
    #[inline]
    #[track_caller]
    #[must_use = "the level is released as soon as the guard is dropped"]
    #[doc(alias = "try_lock_arc")]
    #[doc(alias = "try_lock_owned")]
    pub fn try_acquire_arc(self: &Arc<Self>) -> Option<RLockArcGuard<T>> {
        self.owner.try_acquire().then(|| RLockArcGuard::new(Arc::clone(self)))
    }

    /// [`acquire_timeout`](Self::acquire_timeout) with a guard that shares the ownership of the lock.
    ///
    /// ```
    /// use std::{sync::Arc, time::Duration};
    ///
    /// let guard = Arc::new(futon::RLock::new(5)).acquire_timeout_arc(Duration::from_secs(1));
    /// assert_eq!(guard.as_deref(), Some(&5)); // nobody else owns the lock any more
    /// ```
    ///
    /// # Panics
    ///
    /// As [`acquire`](Self::acquire).
    #[inline]
    #[track_caller]
    #[must_use = "the level is released as soon as the guard is dropped"]
    #[doc(alias = "try_lock_arc_for")]
    pub fn acquire_timeout_arc(self: &Arc<Self>, timeout: Duration) -> Option<RLockArcGuard<T>> {
        self.owner.acquire_timeout(timeout).then(|| RLockArcGuard::new(Arc::clone(self)))
    }

    /// [`acquire_deadline`](Self::acquire_deadline) with a guard that shares the ownership of the lock.
    ///
    /// ```
    /// use std::{sync::Arc, thread, time::Instant};
    ///
    /// let lock = Arc::new(futon::RLock::new(1));
    /// let guard = lock.acquire_arc();
    /// let now = Instant::now(); // in the past by then: a try
    /// assert!(lock.acquire_deadline_arc(now).is_some());
    /// thread::scope(|s| {
    ///     s.spawn(|| assert!(lock.acquire_deadline_arc(now).is_none()));
    /// });
    /// # drop(guard);
    /// ```
    ///
    /// # Panics
    ///
    /// As [`acquire`](Self::acquire).
    #[inline]
    #[track_caller]
    #[must_use = "the level is released as soon as the guard is dropped"]
    #[doc(alias = "try_lock_arc_until")]
    pub fn acquire_deadline_arc(self: &Arc<Self>, deadline: Instant) -> Option<RLockArcGuard<T>> {
        let deadline = Deadline::at(deadline);
        self.owner.acquire_until(deadline).then(|| RLockArcGuard::new(Arc::clone(self)))
    }
}

impl<T: Default> Default for RLock<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T> From<T> for RLock<T> {
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

/// Shows the levels of the calling thread and the value, or `<locked>` if another thread has the lock.
/// Never waits.
impl<T: ?Sized + fmt::Debug> fmt::Debug for RLock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lock = f.debug_struct("RLock");
        lock.field("depth", &self.depth());
        match self.try_acquire() {
            Some(guard) => lock.field("value", &&*guard).finish(),
            None => lock.field("value", &format_args!("<locked>")).finish(),
        }
    }
}
