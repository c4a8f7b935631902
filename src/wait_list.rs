//! Threads that wait in a line, each to be told something.
//!
//! A thread that waits has a [`Waiter`] on its own stack: a word that it alone sleeps on, and links to its
//! neighbours. So a line needs no memory but a pointer, whoever is to be released is released and nobody
//! else, and no number of rounds can bring a word back to what a slow thread remembers of it.
//!
//! # The word of a waiter
//!
//! ```text
//!   NEITHER ──────────── tell ───────────▶ the news
//!      │                                      ▲
//!      └── sleep_until ─▶ ASLEEP ─── tell ────┘
//! ```
//!
//! | word      | sleep_until                 | tell                            |
//! |-----------|-----------------------------|---------------------------------|
//! | `NEITHER` | `ASLEEP`, sleeps            | the news                        |
//! | `ASLEEP`  | sleeps                      | the news, and is to be woken    |
//! | the news  | returns them                | not twice                       |
//!
//! # The invariant
//!
//! * **Who sleeps, sleeps on `ASLEEP`**, so that whoever tells knows whether there is somebody to wake.
//! * **Who is told is in no line.** The teller has taken it out, under the lock that guards the line.
//! * **Who has been told may be gone**, unless whoever has the line sees to it that it stays. Past that point its
//!   word is not touched, only its address is used. A waiter that was not told takes itself out before it goes.

use core::cell::Cell;
use core::ptr;

use crate::atomic::AtomicU32;
use crate::atomic::Ordering::{Acquire, Relaxed, Release};
use crate::deadline::Deadline;
use crate::futex::{self, Outcome};
use crate::spin::{spin_for_a_turn_until, spin_until};

/// Not told yet, and not asleep.
const NEITHER: u32 = 0;
/// Not told yet, and asleep or about to be.
const ASLEEP: u32 = 1;

/// What a thread is told. Any number but the two that are not news.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct News(u32);

impl News {
    pub(crate) const fn new(number: u32) -> Self {
        assert!(number > ASLEEP, "not a number for news");
        Self(number)
    }

    /// What a word holds that these have been told to.
    pub(crate) const fn number(self) -> u32 {
        self.0
    }
}

/// One thread that waits. `T` is what others have to know about it.
pub(crate) struct Waiter<T> {
    word: AtomicU32,
    /// The links of the ring, null outside of one. Whoever has the list has them.
    next: Cell<*const Waiter<T>>,
    previous: Cell<*const Waiter<T>>,
    about: T,
}

impl<T> Waiter<T> {
    pub(crate) const fn new(about: T) -> Self {
        Self {
            word: AtomicU32::new(NEITHER),
            next: Cell::new(ptr::null()),
            previous: Cell::new(ptr::null()),
            about,
        }
    }

    pub(crate) const fn about(&self) -> &T {
        &self.about
    }

    pub(crate) fn into_about(self) -> T {
        self.about
    }

    /// What it has been told, if anything.
    pub(crate) fn news(&self) -> Option<News> {
        // ORDERING: Acquire pairs with the Release in `tell`.
        match self.word.load(Acquire) {
            NEITHER | ASLEEP => None,
            news => Some(News(news)),
        }
    }

    /// Sleeps until it is told something. `None` if the deadline has come first.
    ///
    /// For the thread that the waiter stands for.
    pub(crate) fn wait_until(&self, deadline: Deadline) -> Option<News> {
        spin_until(deadline, || self.news().is_some());
        self.sleep_until(deadline)
    }

    /// The same, for news from threads that take turns with this one.
    pub(crate) fn wait_for_a_turn_until(&self, deadline: Deadline) -> Option<News> {
        spin_for_a_turn_until(deadline, || self.news().is_some());
        self.sleep_until(deadline)
    }

    /// The same, without looking again before it sleeps.
    pub(crate) fn sleep_until(&self, deadline: Deadline) -> Option<News> {
        // ORDERING: Acquire on failure: it has been told, as in `news`. A success publishes nothing.
        if let Err(news) = self.word.compare_exchange(NEITHER, ASLEEP, Relaxed, Acquire) {
            if news != ASLEEP {
                return Some(News(news));
            }
        }
        loop {
            // The other side of this is `tell`: it changes the word before anybody is woken.
            let outcome = futex::wait_until(&self.word, ASLEEP, deadline);
            if let Some(news) = self.news() {
                return Some(news);
            }
            if outcome == Outcome::TimedOut {
                return None;
            }
        }
    }

    /// Tells a thread what it waits for. The address of its word, if it sleeps there and is to be woken.
    ///
    /// # Safety
    ///
    /// The waiter has been taken out of a line and has not been told yet. It is not touched after this, but
    /// by those who know that its thread is still to come by.
    pub(crate) unsafe fn tell(waiter: *const Self, news: News) -> Option<*const AtomicU32> {
        // SAFETY: as the caller says; the thread does not leave before it is told. The reference ends with
        // the word, and so does the use of the memory: once told, the thread may do away with it.
        let word = unsafe { &raw const (*waiter).word };
        // ORDERING: Release pairs with the Acquire in `news` and `sleep_until`.
        // SAFETY: as above.
        let old = unsafe { (*word).swap(news.0, Release) };
        debug_assert!(matches!(old, NEITHER | ASLEEP), "told twice");
        (old == ASLEEP).then_some(word)
    }
}

/// A line of threads, first come first. Guarded by a lock of whoever has it.
///
/// A ring, of which the last one is known: its next is the first.
pub(crate) struct WaitList<T> {
    last: *const Waiter<T>,
}

// SAFETY: a list is a pointer to waiters that stay where they are until they are taken out. Whoever has
// the list, on whichever thread, has their links; what they are about is shared.
unsafe impl<T: Sync> Send for WaitList<T> {}

impl<T> WaitList<T> {
    pub(crate) const fn new() -> Self {
        Self { last: ptr::null() }
    }

    /// What is to be known about the one that waits longest.
    pub(crate) fn first(&self) -> Option<&T> {
        // SAFETY: a waiter stays valid while it is in the list (see `push`), and this borrows the list.
        unsafe { self.last.as_ref().map(|last| &(*last.next.get()).about) }
    }

    /// Puts a waiter at the end of the line.
    ///
    /// # Safety
    ///
    /// It is in no line. It stays valid, and where it is, until it has been taken out, by any of the methods
    /// below, and then until it has been told or has been the argument of `remove`.
    pub(crate) unsafe fn push(&mut self, waiter: *const Waiter<T>) {
        // SAFETY: the waiter is valid, as the caller says, and so are those in the list. Their links are ours.
        unsafe {
            let first = match self.last.as_ref() {
                None => waiter,
                Some(last) => last.next.replace(waiter),
            };
            (*waiter).next.set(first);
            (*waiter).previous.set(self.last);
            // Its own, if it is alone.
            (*first).previous.set(waiter);
        }
        self.last = waiter;
    }

    /// Takes the one out that waits longest.
    pub(crate) fn pop(&mut self) -> Option<*const Waiter<T>> {
        // SAFETY: as in `first`.
        let first = unsafe { self.last.as_ref()?.next.get() };
        // SAFETY: it is in this list.
        unsafe { self.remove(first) };
        Some(first)
    }

    /// Takes a waiter out.
    ///
    /// # Safety
    ///
    /// It is in this list.
    pub(crate) unsafe fn remove(&mut self, waiter: *const Waiter<T>) {
        // SAFETY: it is in the list, and so are its neighbours; all of them are valid, see `push`.
        unsafe {
            let next = (*waiter).next.replace(ptr::null());
            let previous = (*waiter).previous.replace(ptr::null());
            if next == waiter {
                self.last = ptr::null();
                return;
            }
            (*previous).next.set(next);
            (*next).previous.set(previous);
            if self.last == waiter {
                self.last = previous;
            }
        }
    }
}
