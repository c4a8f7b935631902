//! What a barrier knows, and the threads that wait at it.

use core::mem;

use crate::atomic::AtomicU32;
use crate::atomic::Ordering::{Acquire, Relaxed, Release};
use crate::deadline::Deadline;
use crate::futex;
use crate::spin::spin_until;
use crate::wait_list::{News, WaitList, Waiter};
use crate::widths::Number;

/// All have arrived, and the action has been run.
pub(super) const TRIPPED: News = News::new(2);
/// The barrier was broken or reset before that.
pub(super) const BROKEN: News = News::new(3);

/// What is reached under the lock of the barrier alone.
pub(super) struct State {
    /// Those who wait, in the order in which they came, and so of their rounds.
    line: WaitList<Arrival>,
    /// How many they are.
    waiters: usize,
    /// How many have arrived in the round that fills.
    pub(super) arrived: u32,
    /// The number of the round that fills.
    pub(super) round: Number,
    /// How often all who wait have been taken out because the barrier was broken or reset.
    pub(super) breaks: Number,
    pub(super) is_broken: bool,
}

impl State {
    pub(super) const fn new() -> Self {
        Self { line: WaitList::new(), waiters: 0, arrived: 0, round: 0, breaks: 0, is_broken: false }
    }

    pub(super) fn waiters(&self) -> usize {
        self.waiters
    }

    /// Puts a thread at the end of the line.
    ///
    /// # Safety
    ///
    /// It is in no line. It stays valid, and where it is, until it has been told, or taken out by `remove`.
    pub(super) unsafe fn push(&mut self, waiter: *const Waiter<Arrival>) {
        // SAFETY: as the caller says. Those whom `take_out` takes out are told by `Released`.
        unsafe { self.line.push(waiter) };
        self.waiters += 1;
    }

    /// Takes a thread out of the line, to be told nothing.
    ///
    /// # Safety
    ///
    /// It is in the line.
    pub(super) unsafe fn remove(&mut self, waiter: *const Waiter<Arrival>) {
        // SAFETY: as the caller says.
        unsafe { self.line.remove(waiter) };
        self.waiters -= 1;
    }

    /// Takes those out who are meant, to be told once the lock has been released.
    pub(super) fn take_out(&mut self, is_meant: impl Fn(&Arrival) -> bool) -> Released {
        let mut released = Released { waiting: WaitList::new(), leaving: WaitList::new() };
        let mut all = mem::replace(&mut self.line, WaitList::new());
        while let Some(waiter) = all.pop() {
            // SAFETY: it has not been told, so it is still there.
            let arrival = unsafe { (*waiter).about() };
            let line = if !is_meant(arrival) {
                &mut self.line
            } else {
                self.waiters -= 1;
                if arrival.take() { &mut released.waiting } else { &mut released.leaving }
            };
            // SAFETY: it is in no line any more, and stays until it is told, by whoever has this line.
            unsafe { line.push(waiter) };
        }
        released
    }
}

/// Threads that were taken out of the line of a barrier, and are to be told why.
#[must_use = "they wait for it"]
pub(super) struct Released {
    waiting: WaitList<Arrival>,
    /// Those of them who are on their way to the lock of the barrier.
    leaving: WaitList<Arrival>,
}

impl Released {
    /// Tells them. From the first one on, the barrier may be gone.
    pub(super) fn tell(mut self, news: News) {
        while let Some(waiter) = self.leaving.pop() {
            // SAFETY: it has not been told, so it is still there; and it is in no line any more.
            unsafe {
                (*waiter).about().wait_until_passed();
                self.waiting.push(waiter);
            }
        }
        while let Some(waiter) = self.waiting.pop() {
            // SAFETY: it is in no line, and nobody else tells it. The next one has been read before this one is
            // told, by `pop`, which leaves no link to it.
            if let Some(word) = unsafe { Waiter::tell(waiter, news) } {
                futex::wake_one(word);
            }
        }
    }
}

/// What is to be known about a thread that waits.
///
/// One whose time has run out needs the lock of the barrier to leave the line. If it is taken out just then,
/// the others must not be told before it has done with the lock, because they may free the barrier. So both sides
/// announce themselves:
///
/// ```text
///          take ─────────▶ TAKEN            it stays away from the barrier
///         ╱
///    STAYS
///         ╲
///          leave ────────▶ LEAVES           it goes to the lock. If it is the first there: out of the line
///                             │ take
///                             ▼
///                          TAKEN ── pass ──▶ PASSED   it has been there
/// ```
pub(super) struct Arrival {
    pub(super) round: Number,
    exit: AtomicU32,
}

const STAYS: u32 = 0;
const LEAVES: u32 = 1;
const TAKEN: u32 = 2;
const PASSED: u32 = 3;

impl Arrival {
    pub(super) const fn new(round: Number) -> Self {
        Self { round, exit: AtomicU32::new(STAYS) }
    }

    /// Says, for a thread whose time has run out, that it is on its way to the lock. False if it is not to
    /// go there, because it has been taken out and will be told why.
    pub(super) fn leave(&self) -> bool {
        // ORDERING: Relaxed, here and in `take`. Both are RMWs of one word, so that the second of them sees the
        // first, and it passes on nothing else.
        self.exit.swap(LEAVES, Relaxed) == STAYS
    }

    /// Says, under the lock, that the thread has been taken out. False if it is on its way to the lock.
    fn take(&self) -> bool {
        // ORDERING: Relaxed, as in `leave`.
        self.exit.swap(TAKEN, Relaxed) == STAYS
    }

    /// Whether the thread, which has the lock now, has been taken out before.
    pub(super) fn is_taken(&self) -> bool {
        // ORDERING: Relaxed. `take` was called under the lock.
        self.exit.load(Relaxed) == TAKEN
    }

    /// Says, for a thread that was taken out on its way to the lock, that it has been there.
    pub(super) fn pass(&self) {
        // ORDERING: Release pairs with the Acquire in `wait_until_passed`: the barrier is not in use any more.
        self.exit.swap(PASSED, Release);
        futex::wake_one(&raw const self.exit);
    }

    fn wait_until_passed(&self) {
        // ORDERING: Acquire pairs with the Release in `pass`.
        let has_passed = || self.exit.load(Acquire) == PASSED;
        spin_until(Deadline::NEVER, has_passed);
        while !has_passed() {
            // The other side of this is `pass`: it changes the word before it wakes.
            futex::wait(&self.exit, TAKEN);
        }
    }
}
