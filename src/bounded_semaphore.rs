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
    /// The most permits that a semaphore can have: 2<sup>30</sup> − 1.
    pub const MAX_PERMITS: u32 = Semaphore::MAX_PERMITS;

    /// A semaphore with so many permits, and never more.
    ///
    /// With none, each acquire waits for ever and each release is an error.
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
    #[track_caller]
    pub const fn new(permits: u32) -> Self {
        assert!(permits <= Self::MAX_PERMITS, "a semaphore has at most 2^30 - 1 permits");
        Self { raw: RawSemaphore::new(permits), limit: UnsafeCell::new(permits) }
    }

    /// How many permits there are in all: those it was made with.
    ///
    /// ```
    /// let semaphore = futon::BoundedSemaphore::new(3);
    /// let _permit = semaphore.acquire();
    /// assert_eq!((semaphore.available(), semaphore.limit()), (2, 3));
    /// ```
    #[inline]
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
    /// assert_eq!(semaphore.available(), 1);
    /// ```
    #[inline]
    #[doc(alias = "wait")]
    pub fn acquire(&self) -> Permit<'_> {
        self.raw.acquire(1);
        Permit::new(self.source(), 1)
    }

    /// Takes a permit if there is one: [`Semaphore::try_acquire`].
    #[inline]
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
    pub fn acquire_timeout(&self, timeout: Duration) -> Option<Permit<'_>> {
        self.raw.acquire_timeout(1, timeout).then(|| Permit::new(self.source(), 1))
    }

    /// Waits until there is a permit and takes it, or gives up at `deadline`: [`Semaphore::acquire_deadline`].
    #[inline]
    pub fn acquire_deadline(&self, deadline: Instant) -> Option<Permit<'_>> {
        let has_it = self.raw.acquire_until(1, Deadline::at(deadline));
        has_it.then(|| Permit::new(self.source(), 1))
    }

    /// Waits until there are so many permits and takes them all at once: [`Semaphore::acquire_many`].
    ///
    /// # Panics
    ///
    /// If they are more than the [`limit`](Self::limit), as do the other forms: that would be to wait for ever,
    /// and to keep what there is from all others.
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
    #[inline]
    #[track_caller]
    pub fn try_acquire_many(&self, permits: u32) -> Option<Permit<'_>> {
        self.assert_can_be(permits);
        self.raw.try_acquire(permits).then(|| Permit::new(self.source(), permits))
    }

    /// [`acquire_many`](Self::acquire_many), or none of them after `timeout`.
    #[inline]
    #[track_caller]
    pub fn acquire_many_timeout(&self, permits: u32, timeout: Duration) -> Option<Permit<'_>> {
        self.assert_can_be(permits);
        self.raw.acquire_timeout(permits, timeout).then(|| Permit::new(self.source(), permits))
    }

    /// [`acquire_many`](Self::acquire_many), or none of them at `deadline`.
    #[inline]
    #[track_caller]
    pub fn acquire_many_deadline(&self, permits: u32, deadline: Instant) -> Option<Permit<'_>> {
        self.assert_can_be(permits);
        let has_them = self.raw.acquire_until(permits, Deadline::at(deadline));
        has_them.then(|| Permit::new(self.source(), permits))
    }

    /// Gives so many permits back, and wakes a thread that waits for them.
    ///
    /// For permits that were [forgotten](Permit::forget). Publishes what happened before (`Release`). Never
    /// blocks. Releasing none does nothing. Python's `release(n)`.
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
    /// If there would be more than in the beginning. Then nothing is changed and nobody woken.
    #[inline]
    #[doc(alias = "post")]
    #[doc(alias = "add_permits")]
    pub fn release(&self, permits: u32) -> Result<(), ReleaseError> {
        self.source().release(permits)
    }

    /// How many permits nobody has at this moment: [`Semaphore::available`].
    #[inline]
    #[doc(alias = "available_permits")]
    pub fn available(&self) -> u32 {
        self.raw.available()
    }

    /// How many threads wait for permits at this moment: [`Semaphore::waiters`].
    #[inline]
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
/// stored, returned and sent to a thread that outlives the caller.
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
    #[inline]
    #[doc(alias = "try_acquire_owned")]
    pub fn try_acquire_arc(self: &Arc<Self>) -> Option<PermitArc> {
        self.try_acquire().map(|permit| PermitArc::of(permit, self.clone()))
    }

    /// [`acquire_timeout`](Self::acquire_timeout) with a permit that shares the ownership of the semaphore.
    #[inline]
    pub fn acquire_timeout_arc(self: &Arc<Self>, timeout: Duration) -> Option<PermitArc> {
        self.acquire_timeout(timeout).map(|permit| PermitArc::of(permit, self.clone()))
    }

    /// [`acquire_deadline`](Self::acquire_deadline) with a permit that shares the ownership of the semaphore.
    #[inline]
    pub fn acquire_deadline_arc(self: &Arc<Self>, deadline: Instant) -> Option<PermitArc> {
        self.acquire_deadline(deadline).map(|permit| PermitArc::of(permit, self.clone()))
    }

    /// [`acquire_many`](Self::acquire_many) with a permit that shares the ownership of the semaphore.
    #[inline]
    #[track_caller]
    #[doc(alias = "acquire_many_owned")]
    pub fn acquire_many_arc(self: &Arc<Self>, permits: u32) -> PermitArc {
        PermitArc::of(self.acquire_many(permits), self.clone())
    }

    /// [`try_acquire_many`](Self::try_acquire_many) with a permit that shares the ownership of the semaphore.
    #[inline]
    #[track_caller]
    #[doc(alias = "try_acquire_many_owned")]
    pub fn try_acquire_many_arc(self: &Arc<Self>, permits: u32) -> Option<PermitArc> {
        self.try_acquire_many(permits).map(|permit| PermitArc::of(permit, self.clone()))
    }

    /// [`acquire_many_timeout`](Self::acquire_many_timeout) with a permit that shares the ownership of the
    /// semaphore.
    #[inline]
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
    #[inline]
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
