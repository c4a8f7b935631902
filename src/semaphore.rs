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
/// each hold half of what both need. Python has nothing like it.
///
/// **Memory ordering.** What happened before permits were released, by hand or by a [`Permit`] that is dropped, is seen
/// by whoever acquires them. No order is promised where none are acquired or released, as in a try that fails.
///
/// **Fairness.** A permit goes to whoever comes first. Those who find none form a line; its head looks whenever
/// something is released, and those behind it do not look before it has got what it wants or has given up, or their own
/// time is over. Once the head, looking, finds that it has waited for about a millisecond, all that is there and all that
/// comes is kept for it, also if it wants many and others would be content with fewer. Who comes to the head next is
/// decided as by a [`Lock`](crate::Lock).
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
    ///
    /// Python's has no such limit.
    ///
    /// ```
    /// use futon::Semaphore;
    ///
    /// let semaphore = Semaphore::new(Semaphore::MAX_PERMITS);
    /// assert!(semaphore.release(1).is_err()); // it has no room for one more
    /// ```
    pub const MAX_PERMITS: u32 = raw_semaphore::MAX_PERMITS;

    /// A semaphore with so many permits. None is a fine number to begin with.
    ///
    /// Python's `Semaphore(value)`.
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
    #[must_use]
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
    /// `None` if there is none, or if it is kept for a thread that has waited for too long. That orders nothing
    /// (`Relaxed`).
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
    #[must_use = "the permit is given back as soon as it is dropped"]
    pub fn try_acquire(&self) -> Option<Permit<'_>> {
        self.try_acquire_many(1)
    }

    /// Waits until there is a permit and takes it, or gives up after `timeout`.
    ///
    /// Never gives up before its time, and looks once more after it: if there is none even then it is `None`. A zero
    /// timeout is [`try_acquire`](Self::try_acquire); `Duration::MAX` and everything else beyond the range of the clock is
    /// [`acquire`](Self::acquire).
    ///
    /// Python's `acquire(timeout=…)`.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let semaphore = futon::Semaphore::new(1);
    /// let permit = semaphore.acquire_timeout(Duration::MAX); // there is one: no time passes
    /// assert!(permit.is_some());
    /// assert!(semaphore.acquire_timeout(Duration::from_millis(1)).is_none());
    /// ```
    #[inline]
    #[must_use = "the permit is given back as soon as it is dropped"]
    #[doc(alias = "try_acquire_for")]
    pub fn acquire_timeout(&self, timeout: Duration) -> Option<Permit<'_>> {
        self.acquire_many_timeout(1, timeout)
    }

    /// Waits until there is a permit and takes it, or gives up at `deadline`.
    ///
    /// As [`acquire_timeout`](Self::acquire_timeout), for a limit that several waits share. A deadline in the past is
    /// [`try_acquire`](Self::try_acquire). Python has no form for it.
    ///
    /// ```
    /// use std::time::{Duration, Instant};
    ///
    /// let semaphore = futon::Semaphore::new(1);
    /// let deadline = Instant::now() + Duration::from_millis(1);
    /// let first = semaphore.acquire_deadline(deadline);
    /// let second = semaphore.acquire_deadline(deadline); // in what is left of the time
    /// assert!(first.is_some() && second.is_none());
    /// ```
    #[inline]
    #[must_use = "the permit is given back as soon as it is dropped"]
    #[doc(alias = "try_acquire_until")]
    pub fn acquire_deadline(&self, deadline: Instant) -> Option<Permit<'_>> {
        self.acquire_many_deadline(1, deadline)
    }

    /// Waits until there are so many permits and takes them all at once.
    ///
    /// Meanwhile it takes none of them. It waits for as long as it takes, for ever if there will never
    /// be so many, and once it has waited for long nobody else gets any. Acquiring none waits for nothing.
    ///
    /// ```
    /// use std::thread;
    ///
    /// let desks = futon::Semaphore::new(3);
    /// thread::scope(|s| {
    ///     for _ in 0..3 {
    ///         let desk = desks.acquire();
    ///         s.spawn(move || drop(desk));
    ///     }
    ///     let all = desks.acquire_many(3); // waits until they have all gone
    ///     assert_eq!((all.count(), desks.available()), (3, 0));
    /// });
    /// ```
    ///
    /// # Panics
    ///
    /// If they are more than [`MAX_PERMITS`](Self::MAX_PERMITS).
    #[inline]
    #[track_caller]
    pub fn acquire_many(&self, permits: u32) -> Permit<'_> {
        permit::assert_can_be(permits);
        self.raw.acquire(permits);
        Permit::new(self.source(), permits)
    }

    /// Takes so many permits if they are there, else none. [`acquire_many`](Self::acquire_many), as a try.
    ///
    /// `None` if there are fewer, or if they are kept for a thread that has waited for too long. That orders nothing
    /// (`Relaxed`). Acquiring none always succeeds.
    ///
    /// ```
    /// let seats = futon::Semaphore::new(3);
    /// let table = seats.try_acquire_many(2);
    /// assert!(table.is_some());
    /// assert!(seats.try_acquire_many(2).is_none());
    /// assert_eq!(seats.available(), 1); // not taken
    /// ```
    ///
    /// # Panics
    ///
    /// If they are more than [`MAX_PERMITS`](Self::MAX_PERMITS).
    #[inline]
    #[must_use = "the permits are given back as soon as they are dropped"]
    #[track_caller]
    pub fn try_acquire_many(&self, permits: u32) -> Option<Permit<'_>> {
        permit::assert_can_be(permits);
        self.raw.try_acquire(permits).then(|| Permit::new(self.source(), permits))
    }

    /// Waits until there are so many permits and takes them all at once, or gives up after `timeout`.
    ///
    /// [`acquire_many`](Self::acquire_many), with the time of [`acquire_timeout`](Self::acquire_timeout). `None` is that
    /// none of them was taken.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let semaphore = futon::Semaphore::new(1);
    /// assert!(semaphore.acquire_many_timeout(2, Duration::from_millis(1)).is_none());
    /// assert_eq!(semaphore.available(), 1);
    /// ```
    ///
    /// # Panics
    ///
    /// If they are more than [`MAX_PERMITS`](Self::MAX_PERMITS).
    #[inline]
    #[must_use = "the permits are given back as soon as they are dropped"]
    #[track_caller]
    pub fn acquire_many_timeout(&self, permits: u32, timeout: Duration) -> Option<Permit<'_>> {
        permit::assert_can_be(permits);
        self.raw.acquire_timeout(permits, timeout).then(|| Permit::new(self.source(), permits))
    }

    /// Waits until there are so many permits and takes them all at once, or gives up at `deadline`.
    ///
    /// [`acquire_many`](Self::acquire_many), with the time of [`acquire_deadline`](Self::acquire_deadline). `None` is that
    /// none of them was taken.
    ///
    /// ```
    /// use std::time::Instant;
    ///
    /// let semaphore = futon::Semaphore::new(2);
    /// let past = Instant::now(); // so that these are tries
    /// assert!(semaphore.acquire_many_deadline(3, past).is_none());
    /// assert!(semaphore.acquire_many_deadline(2, past).is_some());
    /// ```
    ///
    /// # Panics
    ///
    /// If they are more than [`MAX_PERMITS`](Self::MAX_PERMITS).
    #[inline]
    #[must_use = "the permits are given back as soon as they are dropped"]
    #[track_caller]
    pub fn acquire_many_deadline(&self, permits: u32, deadline: Instant) -> Option<Permit<'_>> {
        permit::assert_can_be(permits);
        let has_them = self.raw.acquire_until(permits, Deadline::at(deadline));
        has_them.then(|| Permit::new(self.source(), permits))
    }

    /// Adds so many permits, and wakes a thread that waits for them.
    ///
    /// For permits that were [forgotten](Permit::forget), and for those that never were: a producer that
    /// counts what it has made. Publishes what happened before (`Release`). Never blocks.
    ///
    /// Python's `release(n)`. Releasing none does nothing; Python's raises `ValueError` then.
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
    /// [`ReleaseError`] if there would be more than [`MAX_PERMITS`](Self::MAX_PERMITS). Then nothing is changed and nobody
    /// woken.
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
    ///
    /// Python has no name for it, but for `get_value` of `multiprocessing`.
    ///
    /// ```
    /// let semaphore = futon::Semaphore::new(3);
    /// let permits = semaphore.acquire_many(2);
    /// assert_eq!(semaphore.available(), 1);
    /// drop(permits);
    /// assert_eq!(semaphore.available(), 3);
    /// ```
    #[inline]
    #[must_use]
    #[doc(alias = "available_permits")]
    #[doc(alias = "get_value")]
    pub fn available(&self) -> u32 {
        self.raw.available()
    }

    /// How many threads wait for permits at this moment.
    ///
    /// What a test waits for when it wants to know that another thread blocks, in the place of a sleep.
    /// Orders nothing (`Relaxed`). Python has nothing like it.
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
    #[must_use]
    pub fn waiters(&self) -> usize {
        self.raw.waiters()
    }

    #[inline]
    fn source(&self) -> Source<'_> {
        Source::new(&self.raw, Self::MAX_PERMITS)
    }
}

/// The same with a permit that shares the ownership of the semaphore, and so borrows nothing: it can be
/// stored, returned and sent to a thread that outlives the caller. Neither Python nor std has such forms; tokio calls
/// them `owned`.
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
    ///
    /// ```
    /// use futon::{PermitArc, Semaphore};
    /// use std::sync::Arc;
    ///
    /// struct Connection(PermitArc);
    ///
    /// let slots = Arc::new(Semaphore::new(1));
    /// let connect = || slots.try_acquire_arc().map(Connection);
    /// let first = connect();
    /// assert!(first.is_some());
    /// assert!(connect().is_none()); // as long as there is the first one
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
    /// use futon::{PermitArc, Semaphore};
    /// use std::{sync::Arc, time::Duration};
    ///
    /// fn enter(room: &Arc<Semaphore>) -> Option<PermitArc> {
    ///     room.acquire_timeout_arc(Duration::from_millis(1))
    /// }
    ///
    /// let room = Arc::new(Semaphore::new(1));
    /// let inside = enter(&room);
    /// assert!(inside.is_some() && enter(&room).is_none());
    /// ```
    #[inline]
    #[must_use = "the permit is given back as soon as it is dropped"]
    pub fn acquire_timeout_arc(self: &Arc<Self>, timeout: Duration) -> Option<PermitArc> {
        self.acquire_timeout(timeout).map(|permit| PermitArc::of(permit, self.clone()))
    }

    /// [`acquire_deadline`](Self::acquire_deadline) with a permit that shares the ownership of the semaphore.
    ///
    /// ```
    /// use std::time::{Duration, Instant};
    /// use std::sync::Arc;
    ///
    /// let semaphore = Arc::new(futon::Semaphore::new(2));
    /// let deadline = Instant::now() + Duration::from_millis(1); // for all three
    /// let permits: Vec<_> = (0..3).map_while(|_| semaphore.acquire_deadline_arc(deadline)).collect();
    /// assert_eq!(permits.len(), 2); // as many as there were until then
    /// ```
    #[inline]
    #[must_use = "the permit is given back as soon as it is dropped"]
    pub fn acquire_deadline_arc(self: &Arc<Self>, deadline: Instant) -> Option<PermitArc> {
        self.acquire_deadline(deadline).map(|permit| PermitArc::of(permit, self.clone()))
    }

    /// [`acquire_many`](Self::acquire_many) with a permit that shares the ownership of the semaphore.
    ///
    /// ```
    /// use std::{sync::Arc, thread};
    ///
    /// let memory = Arc::new(futon::Semaphore::new(4096));
    /// let mut buffer = memory.acquire_many_arc(1024);
    /// let half = buffer.split(512).unwrap();
    /// thread::spawn(move || drop(half)).join().unwrap(); // not needed any more
    /// assert_eq!(memory.available(), 4096 - buffer.count());
    /// ```
    ///
    /// # Panics
    ///
    /// If they are more than [`MAX_PERMITS`](Self::MAX_PERMITS).
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
    /// let semaphore = Arc::new(futon::Semaphore::new(3));
    /// let two = semaphore.try_acquire_many_arc(2).unwrap();
    /// assert!(semaphore.try_acquire_many_arc(2).is_none());
    /// drop(semaphore); // the permits have a share of it
    /// assert!(two.release().is_ok());
    /// ```
    ///
    /// # Panics
    ///
    /// If they are more than [`MAX_PERMITS`](Self::MAX_PERMITS).
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
    /// let cores = Arc::new(futon::Semaphore::new(4));
    /// let job = cores.acquire_many_timeout_arc(3, Duration::MAX);
    /// assert!(job.is_some());
    /// assert!(cores.acquire_many_timeout_arc(3, Duration::from_millis(1)).is_none());
    /// ```
    ///
    /// # Panics
    ///
    /// If they are more than [`MAX_PERMITS`](Self::MAX_PERMITS).
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
    /// use std::time::{Duration, Instant};
    /// use std::{sync::Arc, thread};
    ///
    /// let cores = Arc::new(futon::Semaphore::new(4));
    /// let deadline = Instant::now() + Duration::from_secs(1);
    /// let permits = cores.acquire_many_deadline_arc(3, deadline).unwrap();
    /// let job = thread::spawn(move || permits.count());
    /// assert_eq!(job.join().unwrap(), 3);
    /// assert_eq!(cores.available(), 4); // the job is done
    /// ```
    ///
    /// # Panics
    ///
    /// If they are more than [`MAX_PERMITS`](Self::MAX_PERMITS).
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
