//! The algorithm of the semaphores: a word of permits and a line, no limits and no guards.
//!
//! # The word
//!
//! ```text
//!   31                              2      1         0
//!  +---------------------------------+----------+--------+
//!  |             permits             | RESERVED | ASLEEP |
//!  +---------------------------------+----------+--------+
//!    those that nobody has             what comes  the head of
//!                                      in is kept  the line
//!                                      for it      sleeps
//! ```
//!
//! | word                        | acquire n                  | release n                        |
//! |-----------------------------|----------------------------|----------------------------------|
//! | at least n, not `RESERVED`  | − n (overtakes the line)   | + n                              |
//! | fewer, or `RESERVED`        | goes into the line         | + n                              |
//! | either, with `ASLEEP`       | the same                   | + n, − `ASLEEP`, wakes the head  |
//!
//! The line is a lock. Whoever has it is the head of the line and alone waits for permits; the others wait
//! for the lock. The head takes its permits as soon as there are enough of them, whatever the flags say, takes
//! the flags off and lets the next one go to the head.
//!
//! So a release wakes one thread at most, however many permits it brings: if more than the head can have some,
//! each lets the next one look. A head that wants many and waits for more of them holds up those
//! behind it, and none of them can take what it gathers. One that gives up lets the next one look, too.
//!
//! # The invariant
//!
//! * **`ASLEEP` and `RESERVED` belong to the head of the line.** Nobody else sets them, and the head takes
//!   them off before it leaves. So a word without a head has neither.
//! * **The head sleeps on a word that has `ASLEEP` and too few permits for it.** `ASLEEP` may be there while it is
//!   awake; it must never be missing while it sleeps. A release that finds it takes it off and wakes.
//! * **Permits that are enough for the head do not lie while it sleeps**: it looks after each release.
//!
//! # Fairness
//!
//! Permits go to whoever comes first, be it past the line, until the head finds, as it looks after a release,
//! that it has waited for [`PATIENCE`] since it came. Then it sets `RESERVED`, and what is released goes to it.

use core::ptr;
use core::time::Duration;

use crate::atomic::Ordering::{Acquire, Relaxed, Release};
use crate::atomic::{AtomicU32, Instant};
use crate::deadline::Deadline;
use crate::futex::{self, Outcome};
use crate::raw_lock::{PATIENCE, RawLock};
use crate::spin::{back_off, spin_until};
use crate::widths::one_above_flags;

const ASLEEP: u32 = 1;
const RESERVED: u32 = 1 << 1;
const ONE_PERMIT: u32 = one_above_flags(2);

/// The most permits that the word has room for.
pub(crate) const MAX_PERMITS: u32 = u32::MAX / ONE_PERMIT;

pub(crate) struct RawSemaphore {
    word: AtomicU32,
    line: RawLock,
}

impl RawSemaphore {
    /// With at most [`MAX_PERMITS`], which the caller sees to.
    pub(crate) const fn new(permits: u32) -> Self {
        Self { word: AtomicU32::new(permits * ONE_PERMIT), line: RawLock::new() }
    }

    pub(crate) fn available(&self) -> u32 {
        // ORDERING: Relaxed. The answer may be out of date before it is returned, so it orders nothing.
        self.word.load(Relaxed) / ONE_PERMIT
    }

    /// How many threads are in the line, its head included.
    pub(crate) fn waiters(&self) -> usize {
        self.line.users()
    }

    #[inline]
    pub(crate) fn try_acquire(&self, permits: u32) -> bool {
        if permits == 0 {
            return true;
        }
        // ORDERING: Relaxed, because the change below compares before it means anything.
        let mut word = self.word.load(Relaxed);
        while word & RESERVED == 0 && word / ONE_PERMIT >= permits {
            match self.change(word, word - permits * ONE_PERMIT) {
                Ok(_) => return true,
                Err(now) => word = self.back_off(now),
            }
        }
        false
    }

    #[inline]
    pub(crate) fn acquire(&self, permits: u32) {
        if !self.try_acquire(permits) {
            self.acquire_contended(permits, Deadline::NEVER);
        }
    }

    #[inline]
    pub(crate) fn acquire_timeout(&self, permits: u32, timeout: Duration) -> bool {
        self.try_acquire(permits) || self.acquire_contended(permits, Deadline::after(timeout))
    }

    #[inline]
    pub(crate) fn acquire_until(&self, permits: u32, deadline: Deadline) -> bool {
        self.try_acquire(permits) || self.acquire_contended(permits, deadline)
    }

    /// There were too few, a moment ago: goes into the line.
    #[cold]
    fn acquire_contended(&self, permits: u32, deadline: Deadline) -> bool {
        if deadline.has_passed() {
            return self.try_acquire(permits);
        }
        let since = Instant::now();
        if !self.line.acquire_until(deadline) {
            // What came in at the last moment is not lost.
            return self.try_acquire(permits);
        }
        let has_them = self.wait_at_the_head(permits, since, deadline);
        self.line.release();
        has_them
    }

    /// Sleeps until there are enough. For the thread that has the line.
    fn wait_at_the_head(&self, permits: u32, since: Instant, deadline: Deadline) -> bool {
        let is_enough = |word: u32| word / ONE_PERMIT >= permits;
        let mut outcome = Outcome::Awake;
        loop {
            // ORDERING: Relaxed, here and below, because each change compares before it means anything.
            spin_until(deadline, || is_enough(self.word.load(Relaxed)));
            let mut word = self.word.load(Relaxed);
            // Until it has left, or knows the word that it sleeps on.
            let asleep = loop {
                let (next, result) = if is_enough(word) {
                    // Also after the deadline.
                    ((word & !(RESERVED | ASLEEP)) - permits * ONE_PERMIT, Some(true))
                } else if outcome == Outcome::TimedOut {
                    (word & !(RESERVED | ASLEEP), Some(false))
                } else if since.elapsed() >= PATIENCE {
                    (word | RESERVED | ASLEEP, None)
                } else {
                    (word | ASLEEP, None)
                };
                match (self.change(word, next), result) {
                    (Ok(_), Some(has_them)) => return has_them,
                    (Ok(_), None) => break next,
                    (Err(now), _) => word = now,
                }
            };
            // The other side of this is `release`: it changes the word before it wakes.
            outcome = futex::wait_until(&self.word, asleep, deadline);
        }
    }

    fn change(&self, from: u32, to: u32) -> Result<u32, u32> {
        // ORDERING: Acquire pairs with the Release in `release`: what was done before permits were given
        // back is seen by whoever takes them. Other changes in between carry that on, as RMWs. A failure has
        // read nothing of use: Relaxed.
        self.word.compare_exchange_weak(from, to, Acquire, Relaxed)
    }

    /// Another thread has changed the word meanwhile. Lets it get ahead, and returns what the word is then.
    ///
    /// Two threads that change a word all the time are slower than one of them, since the word has to go to and fro.
    fn back_off(&self, now: u32) -> u32 {
        // ORDERING: Relaxed, because each change compares before it means anything.
        if back_off() { self.word.load(Relaxed) } else { now }
    }

    /// Adds permits, unless there would be more than `limit` of them. Then nothing is changed, and the
    /// number that there was is the error.
    #[inline]
    pub(crate) fn release(&self, permits: u32, limit: u32) -> Result<(), u32> {
        if permits == 0 {
            return Ok(());
        }
        let address = ptr::from_ref(&self.word);
        // ORDERING: Relaxed, because the change below compares before it means anything.
        let mut word = self.word.load(Relaxed);
        loop {
            let available = word / ONE_PERMIT;
            if permits > limit - available {
                return Err(available);
            }
            let next = (word & !ASLEEP) + permits * ONE_PERMIT;
            // ORDERING: Release pairs with the Acquire in `change`.
            match self.word.compare_exchange_weak(word, next, Release, Relaxed) {
                Ok(_) => {
                    // Past this point the semaphore may be gone: whoever takes the permits may free it. Only
                    // its address is used.
                    if word & ASLEEP != 0 {
                        futex::wake_one(address);
                    }
                    return Ok(());
                }
                Err(now) => word = self.back_off(now),
            }
        }
    }
}
