//! Sleeping until a word of memory changes: the contract, and the choice of the platform.
//!
//! A futex is a word that a thread can sleep on. All that the system keeps is a queue of sleepers for
//! an address, made when the first one comes and gone with the last; the word itself is the program's
//! and means what the program says. Every primitive in this crate is an algorithm on one such word.
//!
//! # The contract
//!
//! * **Compare and sleep are one step.** [`wait`] sleeps only if the word still holds `expected` when
//!   the sleeper enters the queue. A thread that changes the word *and then* wakes can not slip in
//!   between: either the sleeper sees the change and does not sleep, or the waker sees the sleeper.
//! * **Returns mean nothing.** A wait may return because it was woken, because the word held something
//!   else, or for no reason at all. Whoever waits looks at the word again, in a loop.
//! * **Only a timeout means something.** [`TimedOut`](Outcome::TimedOut) is that the deadline has passed; never
//!   before. The word is compared first: with another value in it, a wait whose deadline has passed still
//!   returns [`Awake`](Outcome::Awake).
//! * **Signals are not seen.** A wait that a signal handler interrupts sleeps on, to the same deadline, or
//!   returns as it may at any time. There is no error for it.
//! * **A wake takes an address, not a reference.** It never looks at the memory, so that it may be
//!   called after the word was freed: then it wakes nobody, or, where the memory is in use again,
//!   somebody who finds no reason for it and goes back to sleep.
//! * **Memory ordering: none.** A wake and the return from a wait order nothing. Whoever sleeps reads
//!   the word afterwards, with `Acquire` where it matters.
//! * **A sleeper can be moved** to the queue of another word, by [`requeue_one`], where the system can do that.
//! * Wakes are given in the order in which threads fell asleep, as far as the system does (Linux does,
//!   among threads of equal priority). No algorithm in this crate is wrong where it does not.
//!
//! ```
//! use std::thread;
//! use futon::atomic::{AtomicU32, Ordering};
//! use futon::futex;
//!
//! let ready = AtomicU32::new(0);
//! thread::scope(|s| {
//!     s.spawn(|| {
//!         while ready.load(Ordering::Acquire) == 0 {
//!             futex::wait(&ready, 0);
//!         }
//!     });
//!     ready.store(1, Ordering::Release);
//!     futex::wake_all(&ready);
//! });
//! ```

#[cfg(not(all(loom, feature = "loom")))]
#[cfg_attr(any(target_os = "linux", target_os = "android"), path = "futex/linux.rs")]
#[cfg_attr(not(any(target_os = "linux", target_os = "android")), path = "futex/unsupported.rs")]
pub(crate) mod platform;

#[cfg(all(loom, feature = "loom"))]
#[path = "futex/model.rs"]
pub(crate) mod platform;

use crate::atomic::AtomicU32;
use crate::deadline::Deadline;

/// Why a wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Woken, or the word held another value, or for no reason: look at the word again.
    Awake,
    /// The deadline has passed.
    TimedOut,
}

/// Sleeps on `word` if it holds `expected`, until woken.
///
/// May return at any time: call it in a loop that looks at the word.
#[inline]
pub fn wait(word: &AtomicU32, expected: u32) {
    platform::wait(word, expected);
}

/// Sleeps on `word` if it holds `expected`, until woken or until `deadline`.
///
/// With [`Deadline::NEVER`] it is [`wait`]. With a deadline that has passed it does not sleep.
#[inline]
pub fn wait_until(word: &AtomicU32, expected: u32, deadline: Deadline) -> Outcome {
    if deadline == Deadline::NEVER {
        platform::wait(word, expected);
        Outcome::Awake
    } else {
        platform::wait_until(word, expected, deadline)
    }
}

/// Wakes at most one of the threads that sleep on the word at this address.
#[inline]
pub fn wake_one(word: *const AtomicU32) {
    platform::wake_one(word);
}

/// Wakes at most `count` of the threads that sleep on the word at this address; returns how many.
///
/// `wake(word, 0)` wakes nobody.
#[inline]
pub fn wake(word: *const AtomicU32, count: usize) -> usize {
    if count == 0 { 0 } else { platform::wake(word, count) }
}

/// Wakes all threads that sleep on the word at this address.
#[inline]
pub fn wake_all(word: *const AtomicU32) {
    platform::wake_all(word);
}

/// Lets a thread that sleeps on `word` sleep on the word at the address `to` instead, without waking it.
///
/// At most one thread, and only if `word` holds `expected`. It keeps its deadline, and from now on it is woken by
/// wakes at `to`. A signal may bring it back to `word`, so let that hold by now what it does not sleep on.
///
/// False if the system did not do it: then a thread that slept on `word` still does. True also where nobody slept
/// there.
///
/// Not every system can do this, and where it can it may still fail: have a wake ready for that.
#[inline]
#[must_use]
pub fn requeue_one(word: &AtomicU32, expected: u32, to: *const AtomicU32) -> bool {
    platform::requeue_one(word, expected, to)
}
