//! A primitive of one's own, from an atomic and the futex.

use std::ptr;
use std::time::Duration;

use futon::atomic::AtomicU32;
use futon::atomic::Ordering::{Acquire, Release};
use futon::deadline::Deadline;
use futon::futex::{self, Outcome};

/// Opens once it has been counted down, and stays open.
///
/// What happened before any of the counts is seen by those who have waited.
pub struct Latch {
    left: AtomicU32,
}

impl Latch {
    /// A latch that opens after `count` calls of [`count_down`](Self::count_down).
    pub const fn new(count: u32) -> Self {
        Self { left: AtomicU32::new(count) }
    }

    /// Counts down by one; the last one opens the latch.
    ///
    /// # Panics
    ///
    /// If the latch is open already.
    pub fn count_down(&self) {
        let address = ptr::from_ref(&self.left);
        // ORDERING: Release pairs with the Acquire in `left`. Each count carries on those before it.
        let before = self.left.fetch_sub(1, Release);
        assert_ne!(before, 0, "the latch was counted down more often than its count");
        // From here on the latch may be gone, unless others have still to count it down.
        if before == 1 {
            futex::wake_all(address);
        }
    }

    /// Whether the latch is open.
    pub fn is_open(&self) -> bool {
        self.left() == 0
    }

    /// Waits until the latch is open.
    pub fn wait(&self) {
        self.wait_until(Deadline::NEVER);
    }

    /// Waits until the latch is open, for at most `timeout`. Returns whether it is.
    pub fn wait_timeout(&self, timeout: Duration) -> bool {
        self.is_open() || self.wait_until(Deadline::after(timeout))
    }

    fn wait_until(&self, deadline: Deadline) -> bool {
        loop {
            let left = self.left();
            if left == 0 {
                return true;
            }
            if futex::wait_until(&self.left, left, deadline) == Outcome::TimedOut {
                // What comes in at the last moment counts.
                return self.is_open();
            }
        }
    }

    fn left(&self) -> u32 {
        // ORDERING: Acquire pairs with the Release in `count_down`.
        self.left.load(Acquire)
    }
}
