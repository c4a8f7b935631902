//! When a wait has to end.

use std::time::Duration;

use crate::atomic::Instant;

/// A moment on the monotonic clock at which a wait gives up, or never.
///
/// A timed method computes its deadline once, so that neither spurious wake-ups nor signals make it
/// wait longer in sum. What lies beyond the range of the clock means never: `Duration::MAX` is a fine
/// way to write "without a limit".
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
    /// The deadline that does not come.
    pub const NEVER: Self = Self { at: None };

    /// The moment `timeout` from now.
    #[inline]
    pub fn after(timeout: Duration) -> Self {
        Self { at: Instant::now().checked_add(timeout) }
    }

    /// The moment `at`.
    #[inline]
    // Under loom the clock is modelled and this is a real conversion.
    #[allow(clippy::useless_conversion)]
    pub fn at(at: std::time::Instant) -> Self {
        Self { at: Some(Instant::from(at)) }
    }

    /// Whether the moment has come. Reads the clock.
    #[inline]
    pub fn has_passed(self) -> bool {
        self.remaining() == Some(Duration::ZERO)
    }

    /// How long it is until then: zero once the moment has come, `None` for never. Reads the clock.
    #[inline]
    pub fn remaining(self) -> Option<Duration> {
        self.at.map(|at| at.saturating_duration_since(Instant::now()))
    }
}
