//! The semaphore: permits that are taken and given back.

mod permit;

use core::fmt;
use core::time::Duration;
use std::sync::Arc;
use std::time::Instant;

pub(crate) use permit::{Owner, Source};
pub use permit::{Permit, PermitArc, ReleaseError};

use crate::deadline::Deadline;
use crate::raw_semaphore::{self, RawSemaphore};

/// A number of permits, for which threads wait while there are none left.
///
/// It is Python's `threading.Semaphore`: [`acquire`](Self::acquire) takes a permit, or waits for one;
/// [`release`](Self::release) adds permits, also more than there were in the beginning, and may be called by
/// threads that have none. Unlike Python's it gives a permit out as a guard, which is given back when it is dropped,
/// so that the two calls can not get out of step; [`Permit::forget`] is for those who count by hand.
///
/// ```
/// use futon::Semaphore;
/// use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
/// use std::thread;
///
/// // Four threads, and never more than two of them at work.
/// let desks = Semaphore::new(2);
/// let at_work = AtomicU32::new(0);
/// thread::scope(|s| {
///     for _ in 0..4 {
///         s.spawn(|| {
///             let _desk = desks.acquire();
///             assert!(at_work.fetch_add(1, Relaxed) < 2);
///             at_work.fetch_sub(1, Relaxed);
///         });
///     }
/// });
/// ```
///
/// **Several at once.** [`acquire_many`](Self::acquire_many) takes all of them or none, so that two threads can not
/// each hold half of what both need.
///
/// **Memory ordering.** What happened before permits were released is seen by whoever acquires them.
///
/// **Fairness.** A permit goes to whoever comes first. Those who find none form a line; its head looks whenever
/// something is released, and those behind it do not look before it has got what it wants or has given up. Once
/// the head, looking, finds that it has waited for about a millisecond, all that is there and all that comes is kept for
/// it, also if it wants many and others would be content with fewer. Those behind it come to the head in the order in
/// which they are woken.
///
/// **Deadlock.** A thread that has permits and acquires more of them may wait behind one that wants those it has.
/// Acquire at once all that is needed.
///
/// **Cost.** Twelve bytes, no allocation. Without contention acquiring and releasing are a load and one atomic
/// read-modify-write each. A release makes a system call only where others have had to wait, and wakes one thread at
/// most; if it brings permits for more, each of them wakes the next.
#[doc(alias = "threading.Semaphore")]
pub struct Semaphore {
    raw: RawSemaphore,
}

impl Semaphore {
    /// The most permits that a semaphore can have: 2<sup>30</sup> − 1.
    pub const MAX_PERMITS: u32 = raw_semaphore::MAX_PERMITS;

    /// A semaphore with so many permits. None is a fine number to begin with.
    ///
    /// ```
    /// static SLOTS: futon::Semaphore = futon::Semaphore::new(8);
    /// assert_eq!(SLOTS.available(), 8);
    /// ```
    ///
    /// # Panics
    ///
    /// If there are more than [`MAX_PERMITS`](Self::MAX_PERMITS). In a constant, that does not compile.
    ///
    /// ```should_panic
    /// futon::Semaphore::new(futon::Semaphore::MAX_PERMITS + 1);
    /// ```
    ///
    /// ```compile_fail,E0080
    /// static SLOTS: futon::Semaphore = futon::Semaphore::new(futon::Semaphore::MAX_PERMITS + 1);
    /// ```
    #[inline]
    #[track_caller]
    pub const fn new(permits: u32) -> Self {
        assert!(permits <= Self::MAX_PERMITS, "a semaphore has at most 2^30 - 1 permits");
        Self { raw: RawSemaphore::new(permits) }
    }

    /// Waits until there is a permit and takes it.
    ///
    /// Python's `acquire()`.
    ///
    /// ```
    /// let semaphore = futon::Semaphore::new(1);
    /// let permit = semaphore.acquire();
    /// assert_eq!(semaphore.available(), 0);
    /// drop(permit);
    /// assert_eq!(semaphore.available(), 1);
    /// ```
    #[inline]
    #[doc(alias = "wait")]
    pub fn acquire(&self) -> Permit<'_> {
        self.acquire_many(1)
    }

    /// Takes a permit if there is one. Does not wait, and does not fail without a reason.
    ///
    /// `None` if there is none, or if it is kept for a thread that has waited for too long.
    ///
    /// Python's `acquire(blocking=False)`.
    ///
    /// ```
    /// let semaphore = futon::Semaphore::new(1);
    /// let permit = semaphore.try_acquire();
    /// assert!(permit.is_some());
    /// assert!(semaphore.try_acquire().is_none());
    /// ```
    #[inline]
    pub fn try_acquire(&self) -> Option<Permit<'_>> {
        self.try_acquire_many(1)
    }

    /// Waits until there is a permit and takes it, or gives up after `timeout`.
    ///
    /// Never gives up before its time. A zero timeout is [`try_acquire`](Self::try_acquire); `Duration::MAX`
    /// and everything else beyond the range of the clock is [`acquire`](Self::acquire).
    ///
    /// Python's `acquire(timeout=…)`.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let semaphore = futon::Semaphore::new(0);
    /// assert!(semaphore.acquire_timeout(Duration::from_millis(1)).is_none());
    /// ```
    #[inline]
    pub fn acquire_timeout(&self, timeout: Duration) -> Option<Permit<'_>> {
        self.acquire_many_timeout(1, timeout)
    }

    /// Waits until there is a permit and takes it, or gives up at `deadline`.
    ///
    /// As [`acquire_timeout`](Self::acquire_timeout), for a limit that several waits share.
    #[inline]
    pub fn acquire_deadline(&self, deadline: Instant) -> Option<Permit<'_>> {
        self.acquire_many_deadline(1, deadline)
    }

    /// Waits until there are so many permits and takes them all at once.
    ///
    /// Meanwhile it takes none of them. It waits for as long as it takes, for ever if there will never
    /// be so many, and once it has waited for long nobody else gets any. Acquiring none waits for nothing.
    ///
    /// ```
    /// let semaphore = futon::Semaphore::new(3);
    /// let two = semaphore.acquire_many(2);
    /// assert!(semaphore.try_acquire_many(2).is_none());
    /// assert_eq!((two.count(), semaphore.available()), (2, 1));
    /// ```
    ///
    /// # Panics
    ///
    /// If they are more than [`MAX_PERMITS`](Self::MAX_PERMITS), as do the other forms.
    #[inline]
    #[track_caller]
    pub fn acquire_many(&self, permits: u32) -> Permit<'_> {
        permit::assert_can_be(permits);
        self.raw.acquire(permits);
        Permit::new(self.source(), permits)
    }

    /// Takes so many permits if they are there, else none. [`acquire_many`](Self::acquire_many), as a try.
    #[inline]
    #[track_caller]
    pub fn try_acquire_many(&self, permits: u32) -> Option<Permit<'_>> {
        permit::assert_can_be(permits);
        self.raw.try_acquire(permits).then(|| Permit::new(self.source(), permits))
    }

    /// [`acquire_many`](Self::acquire_many), or none of them after `timeout`.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let semaphore = futon::Semaphore::new(1);
    /// assert!(semaphore.acquire_many_timeout(2, Duration::from_millis(1)).is_none());
    /// assert_eq!(semaphore.available(), 1);
    /// ```
    #[inline]
    #[track_caller]
    pub fn acquire_many_timeout(&self, permits: u32, timeout: Duration) -> Option<Permit<'_>> {
        permit::assert_can_be(permits);
        self.raw.acquire_timeout(permits, timeout).then(|| Permit::new(self.source(), permits))
    }

    /// [`acquire_many`](Self::acquire_many), or none of them at `deadline`.
    #[inline]
    #[track_caller]
    pub fn acquire_many_deadline(&self, permits: u32, deadline: Instant) -> Option<Permit<'_>> {
        permit::assert_can_be(permits);
        let has_them = self.raw.acquire_until(permits, Deadline::at(deadline));
        has_them.then(|| Permit::new(self.source(), permits))
    }

    /// Adds so many permits, and wakes a thread that waits for them.
    ///
    /// For permits that were [forgotten](Permit::forget), and for those that never were: a producer that
    /// counts what it has made. Publishes what happened before (`Release`). Never blocks. Releasing none
    /// does nothing.
    ///
    /// Python's `release(n)`.
    ///
    /// ```
    /// let items = futon::Semaphore::new(0);
    /// items.release(2)?;
    /// items.acquire().forget();
    /// assert_eq!(items.available(), 1);
    /// # Ok::<(), futon::ReleaseError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If there would be more than [`MAX_PERMITS`](Self::MAX_PERMITS). Then nothing is changed and nobody woken.
    #[inline]
    #[doc(alias = "post")]
    #[doc(alias = "add_permits")]
    pub fn release(&self, permits: u32) -> Result<(), ReleaseError> {
        self.source().release(permits)
    }

    /// How many permits nobody has at this moment.
    ///
    /// The answer may be out of date before it is returned: fit for a test or a log, not for a decision.
    /// Orders nothing (`Relaxed`).
    #[inline]
    #[doc(alias = "available_permits")]
    pub fn available(&self) -> u32 {
        self.raw.available()
    }

    /// How many threads wait for permits at this moment.
    ///
    /// What a test waits for when it wants to know that another thread blocks, in the place of a sleep.
    /// Orders nothing (`Relaxed`).
    ///
    /// ```
    /// use std::thread;
    ///
    /// let semaphore = futon::Semaphore::new(0);
    /// thread::scope(|s| {
    ///     s.spawn(|| semaphore.acquire().forget());
    ///     while semaphore.waiters() < 1 {
    ///         thread::yield_now();
    ///     }
    ///     semaphore.release(1).unwrap();
    /// });
    /// assert_eq!(semaphore.waiters(), 0);
    /// ```
    #[inline]
    pub fn waiters(&self) -> usize {
        self.raw.waiters()
    }

    #[inline]
    fn source(&self) -> Source<'_> {
        Source::new(&self.raw, Self::MAX_PERMITS)
    }
}

/// The same with a permit that shares the ownership of the semaphore, and so borrows nothing: it can be
/// stored, returned and sent to a thread that outlives the caller.
impl Semaphore {
    /// [`acquire`](Self::acquire) with a permit that shares the ownership of the semaphore.
    ///
    /// ```
    /// use std::{sync::Arc, thread};
    ///
    /// let semaphore = Arc::new(futon::Semaphore::new(1));
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

impl Owner for Semaphore {
    #[inline]
    fn source(&self) -> Source<'_> {
        self.source()
    }
}

/// One permit, as in Python.
impl Default for Semaphore {
    fn default() -> Self {
        Self::new(1)
    }
}

impl fmt::Debug for Semaphore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Semaphore")
            .field("available", &self.available())
            .field("waiters", &self.waiters())
            .finish()
    }
}
