//! What a semaphore gives out, and what it says when it is given too much back.

use core::error::Error;
use core::fmt;
use core::mem::{self, ManuallyDrop};
use core::panic::{RefUnwindSafe, UnwindSafe};
use core::ptr;
use std::sync::Arc;

use crate::raw_semaphore::{MAX_PERMITS, RawSemaphore};

/// Where permits come from, and how many there may be.
#[derive(Clone, Copy)]
pub(crate) struct Source<'a> {
    raw: &'a RawSemaphore,
    limit: u32,
}

impl<'a> Source<'a> {
    #[inline]
    pub(crate) fn new(raw: &'a RawSemaphore, limit: u32) -> Self {
        Self { raw, limit }
    }

    #[inline]
    pub(crate) fn release(self, permits: u32) -> Result<(), ReleaseError> {
        let Self { raw, limit } = self;
        raw.release(permits, limit).map_err(|available| ReleaseError { permits, available, limit })
    }

    fn is(self, other: Self) -> bool {
        ptr::eq(self.raw, other.raw)
    }
}

/// A semaphore whose ownership a permit shares.
pub(crate) trait Owner: Send + Sync + UnwindSafe + RefUnwindSafe {
    fn source(&self) -> Source<'_>;
}

/// Panics if no semaphore can have so many.
#[inline]
#[track_caller]
pub(super) fn assert_can_be(permits: u32) {
    assert!(
        permits <= MAX_PERMITS,
        "{permits} permits asked for, and a semaphore has at most {MAX_PERMITS}"
    );
}

/// A semaphore was given more permits than it can have.
///
/// The semaphore has not changed. It is returned by `release` of [`Semaphore`](crate::Semaphore),
/// [`BoundedSemaphore`](crate::BoundedSemaphore), [`Permit`] and [`PermitArc`], and is Python's
/// `ValueError: Semaphore released too many times`.
///
/// ```
/// let semaphore = futon::BoundedSemaphore::new(2);
/// let error = semaphore.release(1).unwrap_err();
/// assert_eq!(error.to_string(), "1 permit released to a semaphore that has 2 of at most 2");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[doc(alias = "ValueError")]
pub struct ReleaseError {
    permits: u32,
    available: u32,
    limit: u32,
}

impl fmt::Display for ReleaseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { permits, available, limit } = self;
        let s = if *permits == 1 { "" } else { "s" };
        write!(f, "{permits} permit{s} released to a semaphore that has {available} of at most {limit}")
    }
}

impl Error for ReleaseError {}

/// Permits of a semaphore. Dropping it gives them back.
///
/// Made by [`Semaphore::acquire`](crate::Semaphore::acquire), [`acquire_many`](crate::Semaphore::acquire_many) and their like, and by those
/// of [`BoundedSemaphore`](crate::BoundedSemaphore). It may be sent to another thread and given back there.
///
/// If the semaphore can not take them back, because more were [released](crate::Semaphore::release) by hand than were taken,
/// dropping it changes nothing; [`release`](Self::release) says so.
///
/// It is what the block of a `with semaphore:` is in Python, and to a semaphore what a guard is to a lock. Giving the
/// permits back publishes what happened before (`Release`), as [`Semaphore::release`](crate::Semaphore::release) does.
///
/// ```
/// use std::thread;
///
/// let semaphore = futon::Semaphore::new(1);
/// thread::scope(|s| {
///     let permit = semaphore.acquire();
///     assert_eq!(semaphore.available(), 0);
///     s.spawn(move || drop(permit)); // given back by another thread
/// });
/// assert_eq!(semaphore.available(), 1);
/// ```
#[must_use = "the permits are given back as soon as this is dropped"]
#[doc(alias = "SemaphoreGuard")]
#[doc(alias = "SemaphorePermit")]
pub struct Permit<'a> {
    raw: &'a RawSemaphore,
    limit: u32,
    count: u32,
}

impl<'a> Permit<'a> {
    /// Stands for permits that the caller has just taken.
    #[inline]
    pub(crate) fn new(source: Source<'a>, count: u32) -> Self {
        let Source { raw, limit } = source;
        Self { raw, limit, count }
    }

    #[inline]
    fn source(&self) -> Source<'a> {
        Source::new(self.raw, self.limit)
    }

    /// How many permits these are.
    ///
    /// ```
    /// let semaphore = futon::Semaphore::new(3);
    /// assert_eq!(semaphore.acquire_many(2).count(), 2);
    /// ```
    #[inline]
    #[must_use]
    #[doc(alias = "num_permits")]
    pub fn count(&self) -> u32 {
        self.count
    }

    /// Does not give the permits back. They are gone, until somebody
    /// [releases](crate::Semaphore::release) as many.
    ///
    /// Python's `acquire()`, which leaves the giving back to whoever calls `release`.
    ///
    /// ```
    /// let semaphore = futon::Semaphore::new(1);
    /// semaphore.acquire().forget();
    /// assert_eq!(semaphore.available(), 0);
    /// semaphore.release(1).unwrap();
    /// assert_eq!(semaphore.available(), 1);
    /// ```
    #[inline]
    pub fn forget(self) {
        mem::forget(self);
    }

    /// Gives the permits back, as dropping it does, and says whether the semaphore could take them.
    ///
    /// ```
    /// let semaphore = futon::BoundedSemaphore::new(1);
    /// let permit = semaphore.acquire();
    /// semaphore.release(1).unwrap(); // by mistake: the permit is still out
    /// assert!(permit.release().is_err());
    /// assert_eq!(semaphore.available(), 1);
    /// ```
    ///
    /// # Errors
    ///
    /// [`ReleaseError`] if there would be more than there may be, because others have released what they did not have.
    /// Then none of them has been given back.
    #[inline]
    pub fn release(self) -> Result<(), ReleaseError> {
        let permit = ManuallyDrop::new(self);
        permit.source().release(permit.count)
    }

    /// Takes so many of these permits apart, or none if they are fewer: then it is `None`.
    ///
    /// To take none apart makes a permit for none. The semaphore has nothing to do with it. Neither Python nor std has
    /// this, or [`merge`](Self::merge); tokio has both.
    ///
    /// ```
    /// let semaphore = futon::Semaphore::new(3);
    /// let mut permits = semaphore.acquire_many(3);
    /// let one = permits.split(1).unwrap();
    /// assert_eq!((one.count(), permits.count()), (1, 2));
    /// assert!(permits.split(3).is_none());
    /// ```
    #[must_use = "the permits are given back as soon as they are dropped"]
    pub fn split(&mut self, permits: u32) -> Option<Self> {
        self.count = self.count.checked_sub(permits)?;
        Some(Self::new(self.source(), permits))
    }

    /// Adds permits of the same semaphore to these.
    ///
    /// ```
    /// let (semaphore, another) = (futon::Semaphore::new(3), futon::Semaphore::new(1));
    /// let mut permits = semaphore.acquire();
    /// permits.merge(semaphore.acquire()).unwrap();
    /// assert_eq!(permits.count(), 2);
    /// assert!(permits.merge(another.acquire()).is_err());
    /// ```
    ///
    /// # Errors
    ///
    /// Hands `other` back if it is of another semaphore, or if together they would be more than
    /// [`MAX_PERMITS`](crate::Semaphore::MAX_PERMITS).
    pub fn merge(&mut self, other: Self) -> Result<(), Self> {
        match sum(self.count, other.count) {
            Some(count) if self.source().is(other.source()) => {
                self.count = count;
                other.forget();
                Ok(())
            }
            _ => Err(other),
        }
    }
}

/// Permits together, if there can be so many.
fn sum(these: u32, others: u32) -> Option<u32> {
    these.checked_add(others).filter(|&sum| sum <= MAX_PERMITS)
}

impl Drop for Permit<'_> {
    #[inline]
    fn drop(&mut self) {
        // An error says that others have released these permits already.
        let _ = self.source().release(self.count);
    }
}

impl fmt::Debug for Permit<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permit").field("count", &self.count).finish()
    }
}

/// Permits that share the ownership of their semaphore. Borrows nothing; dropping it gives them back.
///
/// Made by [`Semaphore::acquire_arc`](crate::Semaphore::acquire_arc) and its like, and by those of
/// [`BoundedSemaphore`](crate::BoundedSemaphore). As [`Permit`] in all else.
///
/// ```
/// use futon::{PermitArc, Semaphore};
/// use std::sync::Arc;
///
/// /// A resource that is counted for as long as it lives.
/// struct Connection {
///     _permit: PermitArc,
/// }
///
/// let limit = Arc::new(Semaphore::new(8));
/// let connection = Connection { _permit: limit.acquire_arc() };
/// assert_eq!(limit.available(), 7);
/// drop(connection);
/// assert_eq!(limit.available(), 8);
/// ```
#[must_use = "the permits are given back as soon as this is dropped"]
#[doc(alias = "OwnedSemaphorePermit")]
#[doc(alias = "SemaphoreGuardArc")]
pub struct PermitArc {
    owner: Arc<dyn Owner>,
    count: u32,
}

impl PermitArc {
    /// Makes of a permit one that shares the ownership of `owner`, from which it is.
    #[inline]
    pub(crate) fn of(permit: Permit<'_>, owner: Arc<dyn Owner>) -> Self {
        Self { owner, count: ManuallyDrop::new(permit).count }
    }

    /// How many permits these are: see [`Permit::count`].
    ///
    /// ```
    /// let semaphore = std::sync::Arc::new(futon::Semaphore::new(3));
    /// let permits = semaphore.acquire_many_arc(2);
    /// assert_eq!(permits.count() + semaphore.available(), 3);
    /// ```
    #[inline]
    #[must_use]
    #[doc(alias = "num_permits")]
    pub fn count(&self) -> u32 {
        self.count
    }

    /// Does not give the permits back: see [`Permit::forget`]. The ownership of the semaphore it does.
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// let semaphore = Arc::new(futon::Semaphore::new(1));
    /// semaphore.acquire_arc().forget();
    /// assert_eq!((semaphore.available(), Arc::strong_count(&semaphore)), (0, 1));
    /// ```
    #[inline]
    pub fn forget(mut self) {
        // Given back are none, and the ownership of the semaphore.
        self.count = 0;
    }

    /// Gives the permits back and says whether the semaphore could take them: see [`Permit::release`].
    ///
    /// ```
    /// let semaphore = std::sync::Arc::new(futon::BoundedSemaphore::new(1));
    /// let permit = semaphore.acquire_arc();
    /// assert!(permit.release().is_ok());
    /// assert_eq!(semaphore.available(), 1);
    /// ```
    ///
    /// # Errors
    ///
    /// [`ReleaseError`] if there would be more than there may be. Then none of them has been given back.
    #[inline]
    pub fn release(mut self) -> Result<(), ReleaseError> {
        let count = mem::take(&mut self.count);
        self.owner.source().release(count)
    }

    /// Takes so many of these permits apart, or none if they are fewer: see [`Permit::split`].
    ///
    /// ```
    /// use std::{sync::Arc, thread};
    ///
    /// let semaphore = Arc::new(futon::Semaphore::new(3));
    /// let mut permits = semaphore.acquire_many_arc(3);
    /// let one = permits.split(1).unwrap();
    /// thread::spawn(move || drop(one)).join().unwrap(); // its part of the work is done
    /// assert_eq!((permits.count(), semaphore.available()), (2, 1));
    /// ```
    #[must_use = "the permits are given back as soon as they are dropped"]
    pub fn split(&mut self, permits: u32) -> Option<Self> {
        self.count = self.count.checked_sub(permits)?;
        Some(Self { owner: self.owner.clone(), count: permits })
    }

    /// Adds permits of the same semaphore to these: see [`Permit::merge`].
    ///
    /// ```
    /// let semaphore = std::sync::Arc::new(futon::Semaphore::new(2));
    /// let mut permits = semaphore.acquire_arc();
    /// permits.merge(semaphore.acquire_arc()).unwrap();
    /// assert_eq!(permits.count(), 2);
    /// ```
    ///
    /// # Errors
    ///
    /// Hands `other` back if it is of another semaphore, or if they would be too many.
    pub fn merge(&mut self, mut other: Self) -> Result<(), Self> {
        match sum(self.count, other.count) {
            Some(count) if self.owner.source().is(other.owner.source()) => {
                self.count = count;
                other.count = 0;
                Ok(())
            }
            _ => Err(other),
        }
    }
}

impl Drop for PermitArc {
    #[inline]
    fn drop(&mut self) {
        // An error says that others have released these permits already.
        let _ = self.owner.source().release(self.count);
    }
}

impl fmt::Debug for PermitArc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PermitArc").field("count", &self.count).finish()
    }
}
