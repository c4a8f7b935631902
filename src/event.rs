//! The event: a flag that threads wait for.
//!
//! # The word
//!
//! ```text
//!   31                              2     1       0
//!  +---------------------------------+--------+-------+
//!  |           generation            | PARKED |  SET  |
//!  +---------------------------------+--------+-------+
//!    how often a set has               threads  the
//!    released sleepers                 sleep    flag
//! ```
//!
//! | word      | wait                      | set                                        | clear     |
//! |-----------|---------------------------|--------------------------------------------|-----------|
//! | 0         | + `PARKED`, sleeps        | + `SET`                                    | –         |
//! | `PARKED`  | sleeps                    | + `SET`, − `PARKED`, next generation, wakes all | –    |
//! | `SET`     | returns                   | –                                          | − `SET`   |
//!
//! A flag alone is not enough. A thread that is woken, and looks at the flag only after another has
//! cleared it, would take the wake for a mistake and sleep on. So a set that releases sleepers also
//! turns the generation, and whoever went to sleep in an earlier one is released, whatever the flag says.
//!
//! # The invariant
//!
//! * **Who sleeps, sleeps on a word that has `PARKED` and its own generation.** As long as they sleep the
//!   word does not change: only a set changes it, and that turns the generation and wakes all.
//! * `PARKED` may be there without a sleeper (the last one's time ran out), and then one wake is for
//!   nothing. It must never be missing while one sleeps.
//!
//! The generation has 30 bits. It turns only where a set finds `PARKED`, so for a sleeper to miss its
//! release it would have to stand still between two neighbouring instructions for exactly 2^30 such
//! rounds, in each of which others fall asleep and are woken. (With `--cfg futon_narrow` it has eight, see `widths.rs`.)

use core::fmt;
use core::ptr;
use core::time::Duration;
use std::time::Instant;

use crate::atomic::AtomicU32;
use crate::atomic::Ordering::{Acquire, Relaxed, Release};
use crate::deadline::Deadline;
use crate::futex::{self, Outcome};
use crate::spin::spin_until;
use crate::widths::one_above_flags;

const SET: u32 = 1;
const PARKED: u32 = 1 << 1;
const ONE_GENERATION: u32 = one_above_flags(2);

/// A flag that threads can wait for.
///
/// One thread [`set`](Self::set)s it, and all that [`wait`](Self::wait) go on: those that sleep at that
/// moment, and those that come later until somebody [`clear`](Self::clear)s it. It is Python's
/// `threading.Event`; std has nothing like it.
///
/// ```
/// use futon::Event;
/// use std::thread;
///
/// let ready = Event::new();
/// thread::scope(|s| {
///     for _ in 0..3 {
///         s.spawn(|| {
///             ready.wait();
///             assert!(ready.is_set());
///         });
///     }
///     ready.set();
/// });
/// ```
///
/// **All of them.** A set releases every thread that waits at that time, *even if a clear follows at
/// once*, before any of them has run.
///
/// **Memory ordering.** What happened before a set is seen after a wait that the set ends, after an
/// [`is_set`](Self::is_set) that returns true because of it, and after the clear that takes it back. So a
/// consumer may wait, clear, and then look for work: whatever was put there before a set that it has
/// cleared away is there. False, of `is_set` or of a wait with a limit, promises no order.
///
/// **Fairness.** A set releases all at once; in which order they run is the system's choice.
///
/// **Cost.** Eight bytes, no allocation. Waiting for an event that is set is one load. Set and clear
/// are one atomic read-modify-write each, a set after a load. A set makes a system call only where threads have had to
/// wait.
#[doc(alias = "threading.Event")]
#[doc(alias = "ManualResetEvent")]
pub struct Event {
    word: AtomicU32,
    /// How many threads sleep, or are about to. For `waiters` alone; no decision hangs on it.
    waiting: AtomicU32,
}

impl Event {
    /// An event that is not set. Python's `Event()`.
    ///
    /// ```
    /// static STOP: futon::Event = futon::Event::new();
    /// assert!(!STOP.is_set());
    /// ```
    #[inline]
    #[must_use]
    pub const fn new() -> Self {
        Self { word: AtomicU32::new(0), waiting: AtomicU32::new(0) }
    }

    /// Whether the event is set.
    ///
    /// If so, what happened before the set is seen (`Acquire`). Python's `is_set`.
    ///
    /// ```
    /// let event = futon::Event::new();
    /// event.set();
    /// assert!(event.is_set());
    /// ```
    #[inline]
    #[must_use]
    #[doc(alias = "isSet")]
    pub fn is_set(&self) -> bool {
        // ORDERING: Acquire pairs with the Release in `set`.
        self.word.load(Acquire) & SET != 0
    }

    /// Sets the event and releases all threads that wait for it. Setting it again changes nothing.
    ///
    /// Publishes what happened before (`Release`), also where the event is set already. Never blocks.
    ///
    /// Python's `set`.
    ///
    /// ```
    /// use std::thread;
    ///
    /// let event = futon::Event::new();
    /// thread::scope(|s| {
    ///     for _ in 0..2 {
    ///         s.spawn(|| event.wait());
    ///     }
    ///     while event.waiters() < 2 {
    ///         thread::yield_now();
    ///     }
    ///     event.set(); // releases both of them,
    ///     event.clear(); // whatever comes next
    /// });
    /// assert!(!event.is_set());
    /// ```
    pub fn set(&self) {
        let address = ptr::from_ref(&self.word);
        // ORDERING: Relaxed, because the change below compares before it means anything.
        let mut word = self.word.load(Relaxed);
        loop {
            let parked = word & PARKED != 0;
            let next = match parked {
                true => (word & !PARKED).wrapping_add(ONE_GENERATION) | SET,
                false => word | SET,
            };
            // Also where nothing changes: whoever clears the event must find this set there.
            // ORDERING: Release pairs with the Acquire in `is_set`, `clear`, `wait_contended` and `sleep`.
            match self.word.compare_exchange_weak(word, next, Release, Relaxed) {
                Ok(_) => {
                    // Past this point a released thread may do away with the event. Only its address
                    // is used.
                    if parked {
                        futex::wake_all(address);
                    }
                    return;
                }
                Err(now) => word = now,
            }
        }
    }

    /// Takes the flag back. Threads that a set has released stay released. Where it is not set this changes nothing.
    ///
    /// Sees what happened before the set that it takes back (`Acquire`). Never blocks. Python's `clear`.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let event = futon::Event::new();
    /// event.set();
    /// event.clear();
    /// assert!(!event.wait_timeout(Duration::from_millis(1))); // who comes now waits
    /// ```
    #[doc(alias = "reset")]
    pub fn clear(&self) {
        // ORDERING: Acquire pairs with the Release in `set`: a set that this takes back has happened
        // before what follows, though no wait will ever return because of it.
        self.word.fetch_and(!SET, Acquire);
    }

    /// Waits until the event is set. Returns at once if it is.
    ///
    /// Sees what happened before the set (`Acquire`). Python's `wait()`.
    ///
    /// ```
    /// use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
    /// use std::thread;
    ///
    /// let (is_done, answer) = (futon::Event::new(), AtomicU32::new(0));
    /// thread::scope(|s| {
    ///     s.spawn(|| {
    ///         answer.store(42, Relaxed);
    ///         is_done.set();
    ///     });
    ///     is_done.wait();
    ///     assert_eq!(answer.load(Relaxed), 42);
    /// });
    /// ```
    #[inline]
    pub fn wait(&self) {
        if !self.is_set() {
            self.wait_contended(Deadline::NEVER);
        }
    }

    /// Waits until the event is set, for at most `timeout`. Returns whether it was set in time.
    ///
    /// Never gives up before its time, and looks once more after it: false means that no set has released
    /// this thread. A zero timeout is [`is_set`](Self::is_set); `Duration::MAX` and everything else
    /// beyond the range of the clock is [`wait`](Self::wait).
    ///
    /// Python's `wait(timeout)`, which may return false though the event is set.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let event = futon::Event::new();
    /// assert!(!event.wait_timeout(Duration::from_millis(1)));
    /// event.set();
    /// assert!(event.wait_timeout(Duration::ZERO));
    /// ```
    #[inline]
    #[doc(alias = "wait_for")]
    pub fn wait_timeout(&self, timeout: Duration) -> bool {
        self.is_set() || self.wait_contended(Deadline::after(timeout))
    }

    /// Waits until the event is set, at most until `deadline`. Returns whether it was set in time.
    ///
    /// As [`wait_timeout`](Self::wait_timeout), for a limit that several waits share. A deadline in the past is
    /// [`is_set`](Self::is_set). Python has no form for it.
    ///
    /// ```
    /// use std::time::{Duration, Instant};
    ///
    /// let (first, second) = (futon::Event::new(), futon::Event::new());
    /// first.set();
    /// let deadline = Instant::now() + Duration::from_millis(1);
    /// assert!(first.wait_deadline(deadline));
    /// assert!(!second.wait_deadline(deadline));
    /// ```
    #[inline]
    #[doc(alias = "wait_until")]
    pub fn wait_deadline(&self, deadline: Instant) -> bool {
        self.is_set() || self.wait_contended(Deadline::at(deadline))
    }

    /// How many threads wait at this moment.
    ///
    /// Counts a thread from before it sleeps until it has left, which for a released thread is a moment
    /// after the set. What a test waits for when it wants to know that another thread blocks, in the
    /// place of a sleep: each thread that is counted is released by a set that follows. Sees what those
    /// threads did before they waited (`Acquire`). Python has nothing like it.
    ///
    /// ```
    /// use std::thread;
    ///
    /// let event = futon::Event::new();
    /// thread::scope(|s| {
    ///     s.spawn(|| event.wait());
    ///     while event.waiters() < 1 {
    ///         thread::yield_now();
    ///     }
    ///     event.set();
    /// });
    /// assert_eq!(event.waiters(), 0);
    /// ```
    #[must_use]
    pub fn waiters(&self) -> usize {
        // ORDERING: Acquire pairs with the Release in `wait_contended`: a set that follows upon this finds
        // `PARKED`, or a word that has changed since, and releases each thread that was counted.
        self.waiting.load(Acquire) as usize
    }

    #[cold]
    fn wait_contended(&self, deadline: Deadline) -> bool {
        if deadline.has_passed() {
            return self.is_set();
        }
        spin_until(deadline, || self.is_set());
        // ORDERING: Acquire, here and below, pairs with the Release in `set`, by which a thread is
        // released that has not slept.
        let mut word = self.word.load(Acquire);
        while word & PARKED == 0 {
            if word & SET != 0 {
                return true;
            }
            // The other side of this is `set`, which leaves out the wake where it finds no `PARKED`.
            match self.word.compare_exchange_weak(word, word | PARKED, Relaxed, Acquire) {
                Ok(_) => word |= PARKED,
                Err(now) => word = now,
            }
        }
        // Not before, or a set and a clear could slip in between, which this thread would not see.
        // ORDERING: Release pairs with the Acquire in `waiters`.
        self.waiting.fetch_add(1, Release);
        let was_set = self.sleep(word, deadline);
        // ORDERING: Relaxed, because nothing hangs on it that the count goes down.
        self.waiting.fetch_sub(1, Relaxed);
        was_set
    }

    /// Sleeps until another generation than that of `word`.
    fn sleep(&self, word: u32, deadline: Deadline) -> bool {
        loop {
            let outcome = futex::wait_until(&self.word, word, deadline);
            // ORDERING: Acquire pairs with the Release in `set`. If a clear stands between, this reads
            // it: an RMW, which carries the set on.
            if self.word.load(Acquire) != word {
                // Another word is another generation: nothing else can have changed.
                return true;
            }
            if outcome == Outcome::TimedOut {
                return false;
            }
        }
    }
}

impl Default for Event {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Event")
            .field("is_set", &self.is_set())
            .field("waiters", &self.waiters())
            .finish()
    }
}
