//! The semaphore that does not take back more than it has given out.

use core::cell::UnsafeCell;
use core::fmt;
use core::panic::RefUnwindSafe;
use core::time::Duration;
use std::sync::Arc;
use std::time::Instant;

use crate::deadline::Deadline;
use crate::raw_semaphore::RawSemaphore;
use crate::semaphore::{Owner, Permit, PermitArc, ReleaseError, Semaphore, Source};

/// A [`Semaphore`] that never has more permits than in the beginning.
///
/// It is Python's `threading.BoundedSemaphore`, for resources of which there are so many and not more: a
/// [`release`](Self::release) of what was not taken is a mistake, and is an error here.
///
/// ```
/// use futon::BoundedSemaphore;
///
/// static CONNECTIONS: BoundedSemaphore = BoundedSemaphore::new(2);
///
/// let first = CONNECTIONS.acquire();
/// let second = CONNECTIONS.acquire();
/// assert!(CONNECTIONS.try_acquire().is_none());
/// drop((first, second));
/// assert!(CONNECTIONS.release(1).is_err()); // they are all back already
/// ```
///
/// **Memory ordering**, **fairness** and **cost** are those of [`Semaphore`], but that it is of sixteen bytes.
#[doc(alias = "threading.BoundedSemaphore")]
pub struct BoundedSemaphore {
    raw: RawSemaphore,
    /// Never changed. Still in a cell, for the thread that frees the semaphore at once when another one has
    /// released what it waited for: a borrow of a cell does not claim that it stays.
    limit: UnsafeCell<u32>,
}

// SAFETY: the limit is only read.
unsafe impl Sync for BoundedSemaphore {}
impl RefUnwindSafe for BoundedSemaphore {}

impl BoundedSemaphore {
    /// The most permits that a semaphore can have: 2<sup>30</sup> − 1. [`limit`](Self::limit) is how many this one has.
    ///
    /// ```
    /// use futon::{BoundedSemaphore, Semaphore};
    ///
    /// let semaphore = BoundedSemaphore::new(BoundedSemaphore::MAX_PERMITS);
    /// assert_eq!(semaphore.limit(), Semaphore::MAX_PERMITS);
    /// ```
    pub const MAX_PERMITS: u32 = Semaphore::MAX_PERMITS;

    /// A semaphore with so many permits, and never more.
    ///
    /// With none, an acquire waits for ever or until its time is over, and to release one is an error. Python's
    /// `BoundedSemaphore(value)`.
    ///
    /// ```
    /// static SLOTS: futon::BoundedSemaphore = futon::BoundedSemaphore::new(8);
    /// assert_eq!(SLOTS.available(), 8);
    /// ```
    ///
    /// # Panics
    ///
    /// If there are more than [`MAX_PERMITS`](Self::MAX_PERMITS). In a constant, that does not compile.
    ///
    /// ```compile_fail,E0080
    /// static SLOTS: futon::BoundedSemaphore = futon::BoundedSemaphore::new(1 << 30);
    /// ```
    #[inline]
    #[must_use]
    #[track_caller]
    pub const fn new(permits: u32) -> Self {
        assert!(permits <= Self::MAX_PERMITS, "a semaphore has at most 2^30 - 1 permits");
        Self { raw: RawSemaphore::new(permits), limit: UnsafeCell::new(permits) }
    }

    /// How many permits there are in all: those it was made with. It never changes.
    ///
    /// Python has no public name for it.
    ///
    /// ```
    /// let semaphore = futon::BoundedSemaphore::new(3);
    /// let _permit = semaphore.acquire();
    /// assert_eq!((semaphore.available(), semaphore.limit()), (2, 3));
    /// ```
    #[inline]
    #[must_use]
    pub fn limit(&self) -> u32 {
        // SAFETY: it is never written to.
        unsafe { *self.limit.get() }
    }

    /// Waits until there is a permit and takes it: [`Semaphore::acquire`]. For ever if the [`limit`](Self::limit) is 0.
    ///
    /// ```
    /// let semaphore = futon::BoundedSemaphore::new(1);
    /// let permit = semaphore.acquire();
    /// assert_eq!(semaphore.available(), 0);
    /// drop(permit);
    /// assert_eq!(semaphore.available(), semaphore.limit());
    /// ```
    #[inline]
    #[doc(alias = "wait")]
    pub fn acquire(&self) -> Permit<'_> {
        self.raw.acquire(1);
        Permit::new(self.source(), 1)
    }

    /// Takes a permit if there is one: [`Semaphore::try_acquire`].
    ///
    /// ```
    /// let semaphore = futon::BoundedSemaphore::new(1);
    /// let permit = semaphore.try_acquire();
    /// assert!(permit.is_some());
    /// assert!(semaphore.try_acquire().is_none());
    /// ```
    #[inline]
    #[must_use = "the permit is given back as soon as it is dropped"]
    pub fn try_acquire(&self) -> Option<Permit<'_>> {
        self.raw.try_acquire(1).then(|| Permit::new(self.source(), 1))
    }

    /// Waits until there is a permit and takes it, or gives up after `timeout`: [`Semaphore::acquire_timeout`].
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let semaphore = futon::BoundedSemaphore::new(1);
    /// let _permit = semaphore.acquire();
    /// assert!(semaphore.acquire_timeout(Duration::from_millis(1)).is_none());
    /// ```
    #[inline]
    #[must_use = "the permit is given back as soon as it is dropped"]
    #[doc(alias = "try_acquire_for")]
    pub fn acquire_timeout(&self, timeout: Duration) -> Option<Permit<'_>> {
        self.raw.acquire_timeout(1, timeout).then(|| Permit::new(self.source(), 1))
    }

    /// Waits until there is a permit and takes it, or gives up at `deadline`: [`Semaphore::acquire_deadline`].
    ///
    /// ```
    /// use std::time::{Duration, Instant};
    ///
    /// let semaphore = futon::BoundedSemaphore::new(2);
    /// let deadline = Instant::now() + Duration::from_millis(1); // for all three
    /// let permits: Vec<_> = (0..3).map_while(|_| semaphore.acquire_deadline(deadline)).collect();
    /// assert_eq!(permits.len(), 2); // as many as there were until then
    /// ```
    #[inline]
    #[must_use = "the permit is given back as soon as it is dropped"]
    #[doc(alias = "try_acquire_until")]
    pub fn acquire_deadline(&self, deadline: Instant) -> Option<Permit<'_>> {
        let has_it = self.raw.acquire_until(1, Deadline::at(deadline));
        has_it.then(|| Permit::new(self.source(), 1))
    }

    /// Waits until there are so many permits and takes them all at once: [`Semaphore::acquire_many`].
    ///
    /// ```
    /// let readers = futon::BoundedSemaphore::new(8);
    /// let writer = readers.acquire_many(readers.limit()); // alone
    /// assert!(readers.try_acquire().is_none());
    /// drop(writer);
    /// assert!(readers.try_acquire().is_some());
    /// ```
    ///
    /// # Panics
    ///
    /// If they are more than the [`limit`](Self::limit): that would be to wait for ever, and to keep what there is from
    /// all others.
    ///
    /// ```should_panic
    /// futon::BoundedSemaphore::new(2).acquire_many(3);
    /// ```
    #[inline]
    #[track_caller]
    pub fn acquire_many(&self, permits: u32) -> Permit<'_> {
        self.assert_can_be(permits);
        self.raw.acquire(permits);
        Permit::new(self.source(), permits)
    }

    /// Takes so many permits if they are there, else none: [`Semaphore::try_acquire_many`].
    ///
    /// ```
    /// let semaphore = futon::BoundedSemaphore::new(3);
    /// let one = semaphore.acquire();
    /// assert!(semaphore.try_acquire_many(3).is_none()); // one of them is out
    /// drop(one);
    /// assert!(semaphore.try_acquire_many(3).is_some());
    /// ```
    ///
    /// # Panics
    ///
    /// If they are more than the [`limit`](Self::limit).
    #[inline]
    #[must_use = "the permits are given back as soon as they are dropped"]
    #[track_caller]
    pub fn try_acquire_many(&self, permits: u32) -> Option<Permit<'_>> {
        self.assert_can_be(permits);
        self.raw.try_acquire(permits).then(|| Permit::new(self.source(), permits))
    }

    /// Waits until there are so many permits and takes them all at once, or gives up after `timeout`:
    /// [`Semaphore::acquire_many_timeout`].
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let semaphore = futon::BoundedSemaphore::new(2);
    /// let _one = semaphore.acquire();
    /// assert!(semaphore.acquire_many_timeout(2, Duration::from_millis(1)).is_none());
    /// assert_eq!(semaphore.available(), 1);
    /// ```
    ///
    /// # Panics
    ///
    /// If they are more than the [`limit`](Self::limit).
    #[inline]
    #[must_use = "the permits are given back as soon as they are dropped"]
    #[track_caller]
    pub fn acquire_many_timeout(&self, permits: u32, timeout: Duration) -> Option<Permit<'_>> {
        self.assert_can_be(permits);
        self.raw.acquire_timeout(permits, timeout).then(|| Permit::new(self.source(), permits))
    }

    /// Waits until there are so many permits and takes them all at once, or gives up at `deadline`:
    /// [`Semaphore::acquire_many_deadline`].
    ///
    /// ```
    /// use std::time::Instant;
    ///
    /// let semaphore = futon::BoundedSemaphore::new(2);
    /// let past = Instant::now(); // so that these are tries
    /// let two = semaphore.acquire_many_deadline(2, past);
    /// assert!(two.is_some());
    /// assert!(semaphore.acquire_many_deadline(1, past).is_none());
    /// ```
    ///
    /// # Panics
    ///
    /// If they are more than the [`limit`](Self::limit).
    #[inline]
    #[must_use = "the permits are given back as soon as they are dropped"]
    #[track_caller]
    pub fn acquire_many_deadline(&self, permits: u32, deadline: Instant) -> Option<Permit<'_>> {
        self.assert_can_be(permits);
        let has_them = self.raw.acquire_until(permits, Deadline::at(deadline));
        has_them.then(|| Permit::new(self.source(), permits))
    }

    /// Gives so many permits back, and wakes a thread that waits for them.
    ///
    /// For permits that were [forgotten](Permit::forget). Publishes what happened before (`Release`). Never blocks.
    ///
    /// Python's `release(n)`. Releasing none does nothing; Python's raises `ValueError` then.
    ///
    /// ```
    /// let semaphore = futon::BoundedSemaphore::new(2);
    /// semaphore.acquire().forget();
    /// assert!(semaphore.release(2).is_err()); // only one of them is out, and stays out
    /// assert_eq!(semaphore.available(), 1);
    /// assert!(semaphore.release(1).is_ok());
    /// ```
    ///
    /// # Errors
    ///
    /// [`ReleaseError`] if there would be more than in the beginning. Then nothing is changed and nobody woken.
    #[inline]
    #[doc(alias = "post")]
    #[doc(alias = "add_permits")]
    pub fn release(&self, permits: u32) -> Result<(), ReleaseError> {
        self.source().release(permits)
    }

    /// How many permits nobody has at this moment: [`Semaphore::available`].
    ///
    /// ```
    /// let semaphore = futon::BoundedSemaphore::new(3);
    /// let _permits = semaphore.acquire_many(2);
    /// assert_eq!(semaphore.limit() - semaphore.available(), 2); // so many are out
    /// ```
    #[inline]
    #[must_use]
    #[doc(alias = "available_permits")]
    #[doc(alias = "get_value")]
    pub fn available(&self) -> u32 {
        self.raw.available()
    }

    /// How many threads wait for permits at this moment: [`Semaphore::waiters`].
    ///
    /// ```
    /// use std::thread;
    ///
    /// let semaphore = futon::BoundedSemaphore::new(1);
    /// thread::scope(|s| {
    ///     let permit = semaphore.acquire();
    ///     s.spawn(|| drop(semaphore.acquire()));
    ///     while semaphore.waiters() < 1 {
    ///         thread::yield_now();
    ///     }
    ///     drop(permit); // for the one that waits
    /// });
    /// assert_eq!((semaphore.waiters(), semaphore.available()), (0, 1));
    /// ```
    #[inline]
    #[must_use]
    pub fn waiters(&self) -> usize {
        self.raw.waiters()
    }

    /// Panics if there are never so many.
    #[inline]
    #[track_caller]
    fn assert_can_be(&self, permits: u32) {
        let limit = self.limit();
        assert!(permits <= limit, "{permits} permits asked for, of a semaphore that has {limit}");
    }

    #[inline]
    fn source(&self) -> Source<'_> {
        Source::new(&self.raw, self.limit())
    }
}
/// The same with a permit that shares the ownership of the semaphore, and so borrows nothing: it can be
/// stored, returned and sent to a thread that outlives the caller. Neither Python nor std has such forms; tokio calls
/// them `owned`.
impl BoundedSemaphore {
    /// [`acquire`](Self::acquire) with a permit that shares the ownership of the semaphore.
    ///
    /// ```
    /// use std::{sync::Arc, thread};
    ///
    /// let semaphore = Arc::new(futon::BoundedSemaphore::new(1));
    /// let permit = semaphore.acquire_arc();
    /// thread::spawn(move || drop(permit)).join().unwrap(); // given back there
    /// assert_eq!(semaphore.available(), 1);
    /// ```
    #[inline]
    #[doc(alias = "acquire_owned")]
    pub fn acquire_arc(self: &Arc<Self>) -> PermitArc {
        PermitArc::of(self.acquire(), self.clone())
    }

    /// [`try_acquire`](Self::try_acquire) with a permit that shares the ownership of the semaphore.
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// let semaphore = Arc::new(futon::BoundedSemaphore::new(2));
    /// let all: Vec<_> = (0..3).map_while(|_| semaphore.try_acquire_arc()).collect();
    /// assert_eq!((all.len(), semaphore.available()), (2, 0));
    /// ```
    #[inline]
    #[must_use = "the permit is given back as soon as it is dropped"]
    #[doc(alias = "try_acquire_owned")]
    pub fn try_acquire_arc(self: &Arc<Self>) -> Option<PermitArc> {
        self.try_acquire().map(|permit| PermitArc::of(permit, self.clone()))
    }

    /// [`acquire_timeout`](Self::acquire_timeout) with a permit that shares the ownership of the semaphore.
    ///
    /// ```
    /// use std::{sync::Arc, thread, time::Duration};
    ///
    /// let semaphore = Arc::new(futon::BoundedSemaphore::new(1));
    /// let permit = semaphore.acquire_timeout_arc(Duration::MAX).unwrap();
    /// let worker = thread::spawn(move || drop(permit));
    /// assert!(semaphore.acquire_timeout_arc(Duration::MAX).is_some()); // once the worker is done
    /// worker.join().unwrap();
    /// ```
    #[inline]
    #[must_use = "the permit is given back as soon as it is dropped"]
    pub fn acquire_timeout_arc(self: &Arc<Self>, timeout: Duration) -> Option<PermitArc> {
        self.acquire_timeout(timeout).map(|permit| PermitArc::of(permit, self.clone()))
    }

    /// [`acquire_deadline`](Self::acquire_deadline) with a permit that shares the ownership of the semaphore.
    ///
    /// ```
    /// use futon::BoundedSemaphore;
    /// use std::sync::Arc;
    /// use std::time::{Duration, Instant};
    ///
    /// let (desks, lamps) = (Arc::new(BoundedSemaphore::new(2)), Arc::new(BoundedSemaphore::new(0)));
    /// let deadline = Instant::now() + Duration::from_millis(1); // for both
    /// let desk = desks.acquire_deadline_arc(deadline);
    /// let lamp = lamps.acquire_deadline_arc(deadline);
    /// assert!(desk.is_some() && lamp.is_none());
    /// ```
    #[inline]
    #[must_use = "the permit is given back as soon as it is dropped"]
    pub fn acquire_deadline_arc(self: &Arc<Self>, deadline: Instant) -> Option<PermitArc> {
        self.acquire_deadline(deadline).map(|permit| PermitArc::of(permit, self.clone()))
    }

    /// [`acquire_many`](Self::acquire_many) with a permit that shares the ownership of the semaphore.
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// let semaphore = Arc::new(futon::BoundedSemaphore::new(4));
    /// let mut permits = vec![semaphore.acquire_many_arc(3), semaphore.acquire_many_arc(1)];
    /// permits.remove(0);
    /// assert_eq!(semaphore.available(), 3);
    /// ```
    ///
    /// # Panics
    ///
    /// If they are more than the [`limit`](Self::limit).
    #[inline]
    #[track_caller]
    #[doc(alias = "acquire_many_owned")]
    pub fn acquire_many_arc(self: &Arc<Self>, permits: u32) -> PermitArc {
        PermitArc::of(self.acquire_many(permits), self.clone())
    }

    /// [`try_acquire_many`](Self::try_acquire_many) with a permit that shares the ownership of the semaphore.
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// let semaphore = Arc::new(futon::BoundedSemaphore::new(3));
    /// let two = semaphore.try_acquire_many_arc(2);
    /// assert!(two.is_some());
    /// assert!(semaphore.try_acquire_many_arc(2).is_none());
    /// ```
    ///
    /// # Panics
    ///
    /// If they are more than the [`limit`](Self::limit).
    #[inline]
    #[must_use = "the permits are given back as soon as they are dropped"]
    #[track_caller]
    #[doc(alias = "try_acquire_many_owned")]
    pub fn try_acquire_many_arc(self: &Arc<Self>, permits: u32) -> Option<PermitArc> {
        self.try_acquire_many(permits).map(|permit| PermitArc::of(permit, self.clone()))
    }

    /// [`acquire_many_timeout`](Self::acquire_many_timeout) with a permit that shares the ownership of the
    /// semaphore.
    ///
    /// ```
    /// use std::{sync::Arc, time::Duration};
    ///
    /// let semaphore = Arc::new(futon::BoundedSemaphore::new(2));
    /// let all = semaphore.acquire_many_timeout_arc(2, Duration::MAX);
    /// drop(semaphore); // the permits have a share of it
    /// assert_eq!(all.map(|all| all.count()), Some(2));
    /// ```
    ///
    /// # Panics
    ///
    /// If they are more than the [`limit`](Self::limit).
    #[inline]
    #[must_use = "the permits are given back as soon as they are dropped"]
    #[track_caller]
    pub fn acquire_many_timeout_arc(
        self: &Arc<Self>,
        permits: u32,
        timeout: Duration,
    ) -> Option<PermitArc> {
        let permit = self.acquire_many_timeout(permits, timeout);
        permit.map(|permit| PermitArc::of(permit, self.clone()))
    }

    /// [`acquire_many_deadline`](Self::acquire_many_deadline) with a permit that shares the ownership of the
    /// semaphore.
    ///
    /// ```
    /// use std::{sync::Arc, time::Instant};
    ///
    /// let semaphore = Arc::new(futon::BoundedSemaphore::new(2));
    /// let _one = semaphore.acquire_arc();
    /// let past = Instant::now(); // so that this is a try
    /// assert!(semaphore.acquire_many_deadline_arc(2, past).is_none());
    /// ```
    ///
    /// # Panics
    ///
    /// If they are more than the [`limit`](Self::limit).
    #[inline]
    #[must_use = "the permits are given back as soon as they are dropped"]
    #[track_caller]
    pub fn acquire_many_deadline_arc(
        self: &Arc<Self>,
        permits: u32,
        deadline: Instant,
    ) -> Option<PermitArc> {
        let permit = self.acquire_many_deadline(permits, deadline);
        permit.map(|permit| PermitArc::of(permit, self.clone()))
    }
}

impl Owner for BoundedSemaphore {
    #[inline]
    fn source(&self) -> Source<'_> {
        self.source()
    }
}

/// One permit, as in Python.
impl Default for BoundedSemaphore {
    fn default() -> Self {
        Self::new(1)
    }
}

impl fmt::Debug for BoundedSemaphore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BoundedSemaphore")
            .field("available", &self.available())
            .field("limit", &self.limit())
            .field("waiters", &self.waiters())
            .finish()
    }
}
