//! Sleeping until a word of memory changes: the contract, and the choice of the platform.
//!
//! A futex is a word that a thread can sleep on. All that the system keeps is a queue of sleepers for
//! an address, made when the first one comes and gone with the last; the word itself is the program's
//! and means what the program says. Every primitive in this crate is an algorithm on such words.
//!
//! It is what Linux's system call `futex` does. Neither std nor Python shows it; C++'s `atomic::wait` and Windows'
//! `WaitOnAddress` are for the same.
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
//! # A primitive of one's own
//!
//! A gate that opens once. Who waits looks at the word in a loop; who opens changes it first and wakes then, by the
//! address, for a thread that has gone through may free the gate at once.
//!
//! ```
//! use futon::atomic::AtomicU32;
//! use futon::atomic::Ordering::{Acquire, Release};
//! use futon::deadline::Deadline;
//! use futon::futex::{self, Outcome};
//! use std::{ptr, thread, time::Duration};
//!
//! const SHUT: u32 = 0;
//! const OPEN: u32 = 1;
//!
//! struct Gate {
//!     word: AtomicU32,
//! }
//!
//! impl Gate {
//!     const fn new() -> Self {
//!         Self { word: AtomicU32::new(SHUT) }
//!     }
//!
//!     fn is_open(&self) -> bool {
//!         self.word.load(Acquire) == OPEN
//!     }
//!
//!     fn open(&self) {
//!         let address = ptr::from_ref(&self.word);
//!         self.word.store(OPEN, Release);
//!         futex::wake_all(address);
//!     }
//!
//!     fn wait(&self) {
//!         while !self.is_open() {
//!             futex::wait(&self.word, SHUT);
//!         }
//!     }
//!
//!     /// Whether it was opened in time.
//!     fn wait_timeout(&self, timeout: Duration) -> bool {
//!         let deadline = Deadline::after(timeout);
//!         while !self.is_open() {
//!             if futex::wait_until(&self.word, SHUT, deadline) == Outcome::TimedOut {
//!                 return self.is_open();
//!             }
//!         }
//!         true
//!     }
//! }
//!
//! static GATE: Gate = Gate::new();
//! assert!(!GATE.wait_timeout(Duration::from_millis(1)));
//! thread::scope(|s| {
//!     s.spawn(|| GATE.wait());
//!     GATE.open();
//! });
//! assert!(GATE.wait_timeout(Duration::ZERO));
//! ```
//!
//! Can it lose a wake? [`atomic`](crate::atomic) says how to have that checked.

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
///
/// ```
/// use futon::{atomic::AtomicU32, deadline::Deadline, futex, futex::Outcome};
/// use std::time::Duration;
///
/// let word = AtomicU32::new(0);
/// let past = Deadline::after(Duration::ZERO);
/// // The word is compared first, and it does not hold 1.
/// assert_eq!(futex::wait_until(&word, 1, past), Outcome::Awake);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Woken, or the word held another value, or for no reason: look at the word again.
    Awake,
    /// The deadline has passed.
    TimedOut,
}

/// Sleeps on `word` if it holds `expected`, until woken.
///
/// May return at any time: call it in a loop that looks at the word. Orders nothing.
///
/// ```
/// use futon::atomic::{AtomicU32, Ordering::{Acquire, Release}};
/// use futon::futex;
/// use std::thread;
///
/// let word = AtomicU32::new(0);
/// thread::scope(|s| {
///     s.spawn(|| {
///         word.store(7, Release);
///         futex::wake_one(&word);
///     });
///     while word.load(Acquire) == 0 {
///         futex::wait(&word, 0);
///     }
/// });
/// assert_eq!(word.load(Acquire), 7);
/// ```
#[inline]
#[doc(alias = "FUTEX_WAIT")]
#[doc(alias = "WaitOnAddress")]
#[doc(alias = "park")]
pub fn wait(word: &AtomicU32, expected: u32) {
    platform::wait(word, expected);
}

/// Sleeps on `word` if it holds `expected`, until woken or until `deadline`.
///
/// With [`Deadline::NEVER`] it is [`wait`]. With a deadline that has passed it does not sleep. Orders nothing.
///
/// ```
/// use futon::{atomic::AtomicU32, deadline::Deadline, futex, futex::Outcome};
/// use std::time::Duration;
///
/// let word = AtomicU32::new(0);
/// let deadline = Deadline::after(Duration::from_millis(1));
/// // It may return for no reason, but does not give up before its time.
/// while futex::wait_until(&word, 0, deadline) == Outcome::Awake {}
/// assert!(deadline.has_passed());
/// ```
#[inline]
#[doc(alias = "FUTEX_WAIT_BITSET")]
#[doc(alias = "wait_timeout")]
pub fn wait_until(word: &AtomicU32, expected: u32, deadline: Deadline) -> Outcome {
    if deadline == Deadline::NEVER {
        platform::wait(word, expected);
        Outcome::Awake
    } else {
        platform::wait_until(word, expected, deadline)
    }
}

/// Wakes at most one of the threads that sleep on the word at this address.
///
/// Orders nothing: change the word first, with `Release`.
///
/// ```
/// use futon::atomic::{AtomicU32, Ordering::{Acquire, Relaxed, Release}};
/// use futon::futex;
/// use std::thread;
///
/// // One token, and two who want it.
/// let token = AtomicU32::new(0);
/// let put_back = || {
///     token.store(1, Release);
///     futex::wake_one(&token);
/// };
/// thread::scope(|s| {
///     for _ in 0..2 {
///         s.spawn(|| {
///             while token.compare_exchange(1, 0, Acquire, Relaxed).is_err() {
///                 futex::wait(&token, 0);
///             }
///             put_back();
///         });
///     }
///     put_back();
/// });
/// assert_eq!(token.load(Relaxed), 1);
/// ```
#[inline]
#[doc(alias = "FUTEX_WAKE")]
#[doc(alias = "WakeByAddressSingle")]
#[doc(alias = "notify_one")]
#[doc(alias = "unpark_one")]
pub fn wake_one(word: *const AtomicU32) {
    platform::wake_one(word);
}

/// Wakes at most `count` of the threads that sleep on the word at this address; returns how many.
///
/// `wake(word, 0)` wakes nobody. Orders nothing: change the word first, with `Release`.
///
/// ```
/// use futon::atomic::{AtomicU32, Ordering::{Acquire, Release}};
/// use futon::futex;
/// use std::thread;
///
/// let is_open = AtomicU32::new(0);
/// thread::scope(|s| {
///     for _ in 0..3 {
///         s.spawn(|| {
///             while is_open.load(Acquire) == 0 {
///                 futex::wait(&is_open, 0);
///             }
///         });
///     }
///     is_open.store(1, Release);
///     let woken = futex::wake(&is_open, 2); // two of those who sleep by now, if they are so many
///     assert!(woken <= 2);
///     futex::wake_all(&is_open);
/// });
/// ```
#[inline]
pub fn wake(word: *const AtomicU32, count: usize) -> usize {
    if count == 0 { 0 } else { platform::wake(word, count) }
}

/// Wakes all threads that sleep on the word at this address.
///
/// Orders nothing: change the word first, with `Release`.
///
/// ```
/// use futon::atomic::{AtomicU32, Ordering::{Acquire, Release}};
/// use futon::futex;
/// use std::thread;
///
/// let is_open = AtomicU32::new(0);
/// thread::scope(|s| {
///     let passes = [(); 3].map(|()| {
///         s.spawn(|| {
///             while is_open.load(Acquire) == 0 {
///                 futex::wait(&is_open, 0);
///             }
///         })
///     });
///     is_open.store(1, Release);
///     futex::wake_all(&is_open);
///     assert!(passes.into_iter().all(|pass| pass.join().is_ok()));
/// });
/// ```
#[inline]
#[doc(alias = "WakeByAddressAll")]
#[doc(alias = "notify_all")]
#[doc(alias = "unpark_all")]
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
/// Not every system can do this, and where it can it may still fail: have a wake ready for that. Orders nothing.
///
/// ```
/// use futon::atomic::{AtomicU32, Ordering::{Acquire, Release}};
/// use futon::futex;
/// use std::thread;
///
/// let wait_for = |word: &AtomicU32| {
///     while word.load(Acquire) == 0 {
///         futex::wait(word, 0);
///     }
/// };
/// // Who waits at the door goes on to the desk.
/// let (door, desk) = (AtomicU32::new(0), AtomicU32::new(0));
/// thread::scope(|s| {
///     s.spawn(|| {
///         wait_for(&door);
///         wait_for(&desk);
///     });
///     door.store(1, Release);
///     if !futex::requeue_one(&door, 1, &desk) {
///         futex::wake_one(&door); // it goes there by itself
///     }
///     desk.store(1, Release);
///     futex::wake_one(&desk);
/// });
/// assert_eq!(futex::wake(&door, 1), 0); // nobody was left behind
/// ```
#[inline]
#[must_use = "a thread that was not moved is to be woken"]
#[doc(alias = "FUTEX_CMP_REQUEUE")]
#[doc(alias = "unpark_requeue")]
pub fn requeue_one(word: &AtomicU32, expected: u32, to: *const AtomicU32) -> bool {
    platform::requeue_one(word, expected, to)
}
