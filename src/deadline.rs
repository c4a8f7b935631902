//! When a wait has to end.
//!
//! futon's own methods take a `Duration` or an [`Instant`], and make a [`Deadline`] of it. It is public
//! for primitives of one's own on the [`futex`](crate::futex). For their waits to mean what futon's mean:
//!
//! * compute the deadline once, before the first wait, so that who is woken and sleeps again does not begin anew;
//! * look once more after it.
//!
//! # A primitive of one's own
//!
//! ```
//! use futon::atomic::AtomicU32;
//! use futon::atomic::Ordering::{Acquire, Release};
//! use futon::deadline::Deadline;
//! use futon::futex::{self, Outcome};
//! use std::{ptr, thread, time::Duration};
//!
//! /// Work that is still to be done, and threads that wait until it is.
//! struct Countdown {
//!     left: AtomicU32,
//! }
//!
//! impl Countdown {
//!     fn one_is_done(&self) {
//!         let address = ptr::from_ref(&self.left);
//!         if self.left.fetch_sub(1, Release) == 1 {
//!             futex::wake_all(address);
//!         }
//!     }
//!
//!     /// Whether all was done in time.
//!     fn wait_timeout(&self, timeout: Duration) -> bool {
//!         let deadline = Deadline::after(timeout);
//!         loop {
//!             let left = self.left.load(Acquire);
//!             if left == 0 {
//!                 return true;
//!             }
//!             if futex::wait_until(&self.left, left, deadline) == Outcome::TimedOut {
//!                 return self.left.load(Acquire) == 0;
//!             }
//!         }
//!     }
//! }
//!
//! let work = Countdown { left: AtomicU32::new(2) };
//! thread::scope(|s| {
//!     work.one_is_done();
//!     assert!(!work.wait_timeout(Duration::from_millis(1)));
//!     s.spawn(|| work.one_is_done());
//!     assert!(work.wait_timeout(Duration::MAX));
//! });
//! ```

use std::time::Duration;

use crate::atomic::Instant;

/// A moment on the monotonic clock at which a wait gives up, or never.
///
/// A timed method computes its deadline once, so that neither spurious wake-ups nor signals make it
/// wait longer in sum. What lies beyond the range of the clock means never: `Duration::MAX` is a fine
/// way to write "without a limit".
///
/// Neither Python nor std has a type for it: an [`Instant`] can not mean never.
///
/// ```
/// use std::time::Duration;
/// use futon::deadline::Deadline;
///
/// assert!(Deadline::after(Duration::ZERO).has_passed());
/// assert!(!Deadline::after(Duration::from_secs(60)).has_passed());
/// assert_eq!(Deadline::after(Duration::MAX), Deadline::NEVER);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadline {
    at: Option<Instant>,
}

impl Deadline {
    /// The deadline that does not come. Python's `timeout=None`.
    ///
    /// ```
    /// use futon::deadline::Deadline;
    ///
    /// assert!(!Deadline::NEVER.has_passed());
    /// assert_eq!(Deadline::NEVER.remaining(), None);
    /// ```
    pub const NEVER: Self = Self { at: None };

    /// The moment `timeout` from now. [`NEVER`](Self::NEVER) if that lies beyond the range of the clock. Reads the clock.
    ///
    /// ```
    /// use futon::deadline::Deadline;
    /// use std::time::Duration;
    ///
    /// let deadline = Deadline::after(Duration::from_secs(60));
    /// assert!(deadline.remaining() <= Some(Duration::from_secs(60)));
    /// assert_eq!(Deadline::after(Duration::MAX), Deadline::NEVER);
    /// ```
    #[inline]
    #[must_use]
    pub fn after(timeout: Duration) -> Self {
        Self { at: Instant::now().checked_add(timeout) }
    }

    /// The moment `at`. If that is in the past, the deadline has passed.
    ///
    /// ```
    /// use futon::deadline::Deadline;
    /// use std::time::{Duration, Instant};
    ///
    /// let now = Instant::now();
    /// assert!(Deadline::at(now).has_passed());
    /// assert!(!Deadline::at(now + Duration::from_secs(60)).has_passed());
    /// ```
    #[inline]
    #[must_use]
    // Under loom the clock is modelled and this is a real conversion.
    #[allow(clippy::useless_conversion)]
    pub fn at(at: std::time::Instant) -> Self {
        Self { at: Some(Instant::from(at)) }
    }

    /// Whether the moment has come. Reads the clock, unless it never comes.
    ///
    /// ```
    /// use futon::deadline::Deadline;
    /// use std::time::Duration;
    ///
    /// let deadline = Deadline::after(Duration::from_millis(1));
    /// while !deadline.has_passed() {
    ///     std::thread::yield_now();
    /// }
    /// assert_eq!(deadline.remaining(), Some(Duration::ZERO));
    /// ```
    #[inline]
    #[must_use]
    pub fn has_passed(self) -> bool {
        self.remaining() == Some(Duration::ZERO)
    }

    /// How long it is until then: zero once the moment has come, `None` for never, without a look at the clock.
    ///
    /// For a call that takes a timeout.
    ///
    /// ```
    /// use futon::deadline::Deadline;
    /// use std::sync::mpsc;
    /// use std::time::Duration;
    ///
    /// let (_sender, receiver) = mpsc::channel::<()>();
    /// let deadline = Deadline::after(Duration::from_millis(1));
    /// let result = match deadline.remaining() {
    ///     Some(timeout) => receiver.recv_timeout(timeout).ok(),
    ///     None => receiver.recv().ok(),
    /// };
    /// assert!(result.is_none() && deadline.has_passed());
    /// ```
    #[inline]
    #[must_use]
    pub fn remaining(self) -> Option<Duration> {
        self.at.map(|at| at.saturating_duration_since(Instant::now()))
    }
}
