//! The algorithm of the lock: one word, no data.
//!
//! # The word
//!
//! ```text
//!   31          18 17           3     2         1        0
//!  +--------------+--------------+----------+---------+--------+
//!  |   STARVING   |   WAITING    | RESERVED | WAKING  | LOCKED |
//!  +--------------+--------------+----------+---------+--------+
//!   of the waiting, all threads    the next   one of    taken
//!   those who have  that wait      to take    them is
//!   waited long                    is one     on its
//!                                  of them    way
//! ```
//!
//! | word               | acquire                         | release                               |
//! |--------------------|---------------------------------|---------------------------------------|
//! | 0                  | `LOCKED`                        | –                                     |
//! | free, open         | + `LOCKED` (overtakes waiters)  | –                                     |
//! | free, not open     | lets the waiters go first       | –                                     |
//! | `LOCKED`           | joins the waiting, − `WAKING`   | 0                                     |
//! | `LOCKED`, waiting  | the same                        | − `LOCKED` + `WAKING`, wakes one      |
//! | … and `WAKING`     | the same                        | − `LOCKED`                            |
//!
//! *Open* is a lock without `RESERVED` and `STARVING`. A thread that waits takes any lock that is free.
//!
//! # The invariant
//!
//! * **`WAKING` has a thread behind it**: one of the waiting is awake, or has been woken, and will look at the
//!   word. Without one nobody would ever be woken again. So each thread that waits takes `WAKING` off in
//!   whatever it does next, be it that it takes the lock, sleeps again or gives up. That another thread is
//!   on its way too does not matter: then one is woken for nothing.
//! * **Whoever goes to sleep expects a word that is `LOCKED` and not `WAKING`**, so that the next release
//!   wakes. It must not be one with `WAKING`: a release that found nobody asleep may have relied on this very
//!   thread, and others may have brought the word back to what it was.
//! * **A free lock with threads waiting has `WAKING`.** `RESERVED` and `STARVING` are not there unless
//!   threads are waiting. Who waits can always take, so a lock that is not open is never free for good.
//!
//! # Threads from elsewhere
//!
//! Whoever notifies threads that sleep on other words and need this lock next, counts each here
//! ([`join`](RawLock::join)) and then moves its sleep to this word ([`take_in`](RawLock::take_in)). In this order, for
//! it may be woken here from the moment at which it is moved, and goes on as one that was counted. A release in
//! between finds it counted and not there to be woken, and sets `WAKING` in reliance on it. So when all have been moved
//! there is a last look ([`has_to_wake`](RawLock::has_to_wake)): if the lock is free, or has `WAKING`, one is woken, in
//! whose turn the others are. Until then a free lock may have threads waiting and no `WAKING`.
//!
//! # Fairness
//!
//! A free lock goes to whoever comes first, which is far faster than handing it to a thread that still
//! has to wake up. But a thread that has waited for [`PATIENCE`] counts itself as `STARVING`, and from
//! then until it has the lock a newcomer lets it lie where it is free: the lock goes from waiter to waiter,
//! in the order in which they are woken. So it is after a fair release, once. A newcomer does that for as
//! long as its own patience lasts: should the thread that the lock is kept for not come to run, it is taken.

use core::ptr;
use core::time::Duration;

use crate::atomic::Ordering::{Acquire, Relaxed, Release};
use crate::atomic::{AtomicU32, Instant, yield_now};
use crate::deadline::Deadline;
use crate::futex::{self, Outcome};

const LOCKED: u32 = 1;
const WAKING: u32 = 1 << 1;
const RESERVED: u32 = 1 << 2;
const ONE_WAITING: u32 = 1 << 3;
const WAITING: u32 = 0x7fff << 3;
const ONE_STARVING: u32 = 1 << 18;
const STARVING: u32 = 0x3fff << 18;

/// How long a thread lets itself be overtaken.
pub(crate) const PATIENCE: Duration = Duration::from_millis(1);

/// The lock without a value. Public in name only: the trait of the guards that a condition takes names it.
pub struct RawLock {
    word: AtomicU32,
}

impl RawLock {
    pub(crate) const fn new() -> Self {
        Self { word: AtomicU32::new(0) }
    }

    pub(crate) fn is_locked(&self) -> bool {
        // ORDERING: Relaxed. The answer may be out of date before it is returned, so it orders nothing.
        self.word.load(Relaxed) & (LOCKED | RESERVED | STARVING) != 0
    }

    pub(crate) fn waiters(&self) -> usize {
        // ORDERING: Relaxed, as in `is_locked`.
        ((self.word.load(Relaxed) & WAITING) / ONE_WAITING) as usize
    }

    /// How many threads have the lock or wait for it.
    pub(crate) fn users(&self) -> usize {
        // ORDERING: Relaxed, as in `is_locked`.
        let word = self.word.load(Relaxed);
        ((word & LOCKED) + (word & WAITING) / ONE_WAITING) as usize
    }

    #[inline]
    pub(crate) fn try_acquire(&self) -> bool {
        self.take_if_zero() || self.try_acquire_contended()
    }

    #[inline]
    pub(crate) fn acquire(&self) {
        if !self.take_if_zero() {
            self.acquire_contended(Deadline::NEVER);
        }
    }

    #[inline]
    pub(crate) fn acquire_timeout(&self, timeout: Duration) -> bool {
        self.take_if_zero() || self.acquire_contended(Deadline::after(timeout))
    }

    #[inline]
    pub(crate) fn acquire_until(&self, deadline: Deadline) -> bool {
        self.take_if_zero() || self.acquire_contended(deadline)
    }

    #[inline]
    fn take_if_zero(&self) -> bool {
        // ORDERING: Acquire pairs with the Release in `release` and `release_contended`: what was done
        // under the lock before is seen under it now. A failure has read nothing of use: Relaxed.
        self.word.compare_exchange(0, LOCKED, Acquire, Relaxed).is_ok()
    }

    /// Threads wait, or the lock is taken.
    #[cold]
    fn try_acquire_contended(&self) -> bool {
        // ORDERING: Relaxed, because `take` compares before it synchronizes.
        let mut word = self.word.load(Relaxed);
        while is_open(word) {
            match self.take(word, word | LOCKED) {
                Ok(_) => return true,
                Err(now) => word = now,
            }
        }
        false
    }

    fn take(&self, free: u32, taken: u32) -> Result<u32, u32> {
        // ORDERING: as in `take_if_zero`. The RMWs of waiting threads may stand between the release and
        // this one; they carry the release on.
        self.word.compare_exchange_weak(free, taken, Acquire, Relaxed)
    }

    /// The lock was taken a moment ago: as a newcomer, take it or join those who wait.
    #[cold]
    fn acquire_contended(&self, deadline: Deadline) -> bool {
        let since = Instant::now();
        // Spinning beside sleepers would only make their turn come later.
        let mut word = self.spin_while(|word| word & LOCKED != 0 && word & WAITING == 0);
        loop {
            let is_free = word & LOCKED == 0;
            if !is_open(word) && deadline.has_passed() {
                // The clock was read after the word.
                return self.try_acquire_contended();
            } else if is_open(word) || is_free && since.elapsed() >= PATIENCE {
                match self.take(word, (word & !RESERVED) | LOCKED) {
                    Ok(_) => return true,
                    Err(now) => word = now,
                }
            } else if is_free || word & WAITING == WAITING {
                // The lock is kept for a thread that is on its way, which is a matter of microseconds. Or there
                // is no room to be counted, and so to be woken, until one of 32,767 threads leaves.
                yield_now();
                // ORDERING: Relaxed, as in `try_acquire_contended`.
                word = self.word.load(Relaxed);
            } else {
                // Nobody sleeps on a word with WAKING: see the invariant.
                let asleep = (word & !WAKING) + ONE_WAITING;
                match self.change(word, asleep) {
                    Ok(_) => {
                        // The other side of this is `release_contended`: it changes the word before it wakes.
                        let outcome = futex::wait_until(&self.word, asleep, deadline);
                        return self.wait_in_line(outcome, since, deadline);
                    }
                    Err(now) => word = now,
                }
            }
        }
    }

    /// Takes the lock, or sleeps while others have it. This thread is counted in the word, and has slept.
    fn wait_in_line(&self, mut outcome: Outcome, since: Instant, deadline: Deadline) -> bool {
        // What this thread has added to the word, and takes off again when it leaves.
        let mut mine = ONE_WAITING;
        loop {
            let starves = mine == ONE_WAITING && since.elapsed() >= PATIENCE;

            // This may be the thread that WAKING speaks of, so each way out of here takes WAKING off.
            let mut word = self.spin_while(|word| word & LOCKED != 0);
            let asleep = loop {
                let others = (word - mine) & !WAKING;
                if word & LOCKED == 0 {
                    // Also after the deadline: what came in at the last moment is not lost.
                    match self.take(word, (others & !RESERVED) | LOCKED) {
                        Ok(_) => return true,
                        Err(now) => word = now,
                    }
                } else if outcome == Outcome::TimedOut {
                    match self.change(word, others) {
                        Ok(_) => return false,
                        Err(now) => word = now,
                    }
                } else {
                    let is_full = others & STARVING == STARVING;
                    let stays = if starves && !is_full { ONE_WAITING + ONE_STARVING } else { mine };
                    match self.change(word, others + stays) {
                        Ok(_) => {
                            mine = stays;
                            break others + stays;
                        }
                        Err(now) => word = now,
                    }
                }
            };
            // As in `acquire_contended`.
            outcome = futex::wait_until(&self.word, asleep, deadline);
        }
    }

    /// Counts a thread that sleeps elsewhere among those that wait, on its behalf. False if there is no room.
    ///
    /// From then on it may be [moved here](Self::take_in), is woken as the others are, and goes on with
    /// [`acquire_joined`](Self::acquire_joined), whatever woke it.
    pub(crate) fn join(&self) -> bool {
        // ORDERING: Relaxed, as in `try_acquire_contended`.
        let mut word = self.word.load(Relaxed);
        while word & WAITING != WAITING {
            match self.change(word, word + ONE_WAITING) {
                Ok(_) => return true,
                Err(now) => word = now,
            }
        }
        false
    }

    /// Moves a thread that has joined to those that sleep here. It sleeps on a word that holds `expected`.
    ///
    /// False if that can not be done: then it is to be woken where it is.
    pub(crate) fn take_in(&self, word: &AtomicU32, expected: u32) -> bool {
        futex::requeue_one(word, expected, &raw const self.word)
    }

    /// Whether one of those that have joined and were moved here is to be woken now, since no release will.
    ///
    /// The caller wakes one, with [`wake_one`](Self::wake_one), however many there are.
    pub(crate) fn has_to_wake(&self) -> bool {
        // ORDERING: Relaxed, as in `try_acquire_contended`.
        let mut word = self.word.load(Relaxed);
        loop {
            // Either the next release wakes one. Or the lock is free; or the release that has set `WAKING`
            // may have relied on one that had not been moved here yet.
            let wakes = word & LOCKED == 0 || word & WAKING != 0;
            // Also where that changes nothing: this has to be about the latest word.
            match self.change(word, if wakes { word | WAKING } else { word }) {
                Ok(_) => return wakes,
                Err(now) => word = now,
            }
        }
    }

    /// Wakes one of those that wait.
    pub(crate) fn wake_one(&self) {
        futex::wake_one(&raw const self.word);
    }

    /// Acquires the lock, for a thread that [`join`](Self::join) has counted.
    pub(crate) fn acquire_joined(&self) {
        self.wait_in_line(Outcome::Awake, Instant::now(), Deadline::NEVER);
    }

    fn change(&self, from: u32, to: u32) -> Result<u32, u32> {
        // ORDERING: Relaxed. Joining, sleeping again and giving up publish nothing; that they are seen
        // by the thread that releases follows from the order of changes to one word.
        self.word.compare_exchange_weak(from, to, Relaxed, Relaxed)
    }

    /// Looks at the word for as long as a short critical section takes, then returns what it saw.
    fn spin_while(&self, is_worth_it: impl Fn(u32) -> bool) -> u32 {
        // ORDERING: Relaxed, as in `try_acquire_contended`.
        futex::spin_until(|| !is_worth_it(self.word.load(Relaxed)));
        self.word.load(Relaxed)
    }

    /// Gives the lock up, to whoever comes first.
    #[inline]
    pub(crate) fn release(&self) {
        // ORDERING: Release pairs with the Acquire in `take_if_zero` and `take`.
        if self.word.compare_exchange(LOCKED, 0, Release, Relaxed).is_err() {
            self.release_contended(0);
        }
    }

    /// Gives the lock up to a thread that waits, if there is one.
    #[inline]
    pub(crate) fn release_fair(&self) {
        // ORDERING: as in `release`.
        if self.word.compare_exchange(LOCKED, 0, Release, Relaxed).is_err() {
            self.release_contended(RESERVED);
        }
    }

    #[cold]
    fn release_contended(&self, reserved: u32) {
        let address = ptr::from_ref(&self.word);
        // ORDERING: Relaxed, because the change below compares before it means anything.
        let mut word = self.word.load(Relaxed);
        loop {
            let free = word & !LOCKED;
            let (next, wakes) = match (word & WAITING != 0, word & WAKING != 0) {
                (false, _) => (free, false),
                (true, true) => (free | reserved, false),
                (true, false) => (free | reserved | WAKING, true),
            };
            // ORDERING: Release pairs with the Acquire in `take_if_zero` and `take`.
            match self.word.compare_exchange_weak(word, next, Release, Relaxed) {
                Ok(_) => {
                    // Past this point the lock may be gone: another thread may take it, release it and
                    // free its memory. The word is not looked at again, only its address is used.
                    if wakes {
                        futex::wake_one(address);
                    }
                    return;
                }
                Err(now) => word = now,
            }
        }
    }
}

/// Whether a thread that has not waited may take the lock.
fn is_open(word: u32) -> bool {
    word & (LOCKED | RESERVED | STARVING) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(lock: &RawLock) -> u32 {
        // ORDERING: Relaxed. There is no other thread.
        lock.word.load(Relaxed)
    }

    /// After this nobody has it, and nobody waits.
    fn acquire_joined_and_release(lock: &RawLock) {
        lock.acquire_joined();
        assert!(!lock.has_to_wake(), "the next release would not wake");
        lock.release();
        assert_eq!(word(lock), 0);
    }

    #[test]
    fn one_is_to_be_woken_if_the_release_came_before_it_was_there() {
        let lock = RawLock::new();
        lock.acquire();
        assert!(lock.join());
        assert_eq!(lock.waiters(), 1);
        assert!(!lock.has_to_wake(), "the release will do it");
        lock.release();
        assert!(lock.has_to_wake());
        // Another one has come first, whose release relies on somebody who is awake.
        assert!(lock.try_acquire());
        assert!(lock.has_to_wake());
        lock.release();
        acquire_joined_and_release(&lock);
    }

    #[test]
    fn while_one_is_on_its_way_a_release_relies_on_it() {
        let lock = RawLock::new();
        assert!(lock.join());
        assert!(lock.has_to_wake());
        assert_ne!(word(&lock) & WAKING, 0);
        assert!(lock.try_acquire());
        assert_ne!(word(&lock) & WAKING, 0);
        lock.release();
        acquire_joined_and_release(&lock);
    }
}
