//! The algorithm of the lock: a word and a count, no data.
//!
//! # The word
//!
//! ```text
//!   31         3     2         1        0
//!  +------------+----------+--------+--------+     +---------------------+
//!  |            | RESERVED | ASLEEP | LOCKED |     |       waiting       |
//!  +------------+----------+--------+--------+     +---------------------+
//!                 for one    threads  taken          how many threads are
//!                 of those   sleep                   in the line
//!                 in line
//! ```
//!
//! | word                 | a newcomer                      | a thread in the line    | release               |
//! |----------------------|---------------------------------|-------------------------|-----------------------|
//! | 0                    | `LOCKED`                        | `LOCKED`, see below     | –                     |
//! | `ASLEEP`             | `LOCKED`, overtaking the line   | the same                | –                     |
//! | `RESERVED`           | lets the line go first          | the same                | –                     |
//! | `LOCKED`             | goes into the line              | + `ASLEEP`, sleeps      | − `LOCKED`            |
//! | `LOCKED` `ASLEEP`    | the same                        | sleeps                  | − `LOCKED`, wakes one |
//!
//! `RESERVED` may stand beside each of the others. Whoever takes the lock takes off both marks, and a thread that
//! leaves the line in this way puts `ASLEEP` back if it is not the last one there.
//!
//! Nothing of that is to be seen by a thread that meets nobody: to it the word is 0 or `LOCKED`, with one RMW
//! between them. It is so too while others sleep and one of them is on its way, though that may
//! take the time of a thousand short critical sections. That is why the count is a word of its own.
//!
//! # The invariant
//!
//! * **While threads sleep, either the lock is taken and `ASLEEP`, so that the release wakes one; or one of the line
//!   is awake, or has been woken**, and puts the mark there before it sleeps again, or when it takes the lock.
//! * **So whoever goes to sleep expects `LOCKED` and `ASLEEP`**, and has put it there by an RMW of its own.
//! * **A free lock that is `ASLEEP` was left by a release that wakes one.** A newcomer may take it, and
//!   takes the mark off: the next release does not have to wake another.
//! * **Whoever has left the line by its deadline was not woken**, so that no one relies on it.
//! * `RESERVED` is never there for good: who is in the line can always take, and where nobody is it does not count.
//!
//! # Threads from elsewhere
//!
//! Whoever notifies threads that sleep on other words and need this lock next, counts each here
//! ([`join`](RawLock::join)) and then moves its sleep to this word ([`take_in`](RawLock::take_in)). In this order, for
//! it may be woken here from the moment at which it is moved, and goes on as one that was counted. When all have been
//! moved there is a last look ([`has_to_wake`](RawLock::has_to_wake)): a lock that is taken is made `ASLEEP`, and if it is
//! free one is woken, in whose turn the others are.
//!
//! # Fairness
//!
//! A free lock goes to whoever comes first, which is far faster than handing it to a thread that still
//! has to wake up. But a thread of the line that has been awake for nothing after it has waited for
//! [`PATIENCE`] marks the lock as `RESERVED`: once it is free, newcomers let it lie for the line. So does a fair
//! release. A newcomer does that for as long as its own patience lasts: should the thread that the lock is kept for
//! not come to run, it is taken.
//!
//! Handing over is slow: another CPU has to have the memory, if not the scheduler its turn. In a long line everybody
//! has waited for long, and if each had the lock kept for it there would be nothing but handing over. So in a line
//! of more than four, patience grows with it: it happens about four times a millisecond.

use core::ptr;
use core::time::Duration;

use crate::atomic::Ordering::{Acquire, Relaxed, Release};
use crate::atomic::{AtomicU32, Instant, rank, yield_now};
use crate::deadline::Deadline;
use crate::futex::{self, Outcome};
use crate::spin::Spin;

const LOCKED: u32 = 1;
const ASLEEP: u32 = 1 << 1;
const RESERVED: u32 = 1 << 2;

/// How long a thread lets itself be overtaken, at least.
pub(crate) const PATIENCE: Duration = Duration::from_millis(1);

/// … and for each thread in the line.
const PATIENCE_FOR_EACH: Duration = Duration::from_micros(250);

/// The lock without a value. Public in name only: the trait of the guards that a condition takes names it.
pub struct RawLock {
    word: AtomicU32,
    waiting: AtomicU32,
}

impl RawLock {
    pub(crate) const fn new() -> Self {
        Self { word: AtomicU32::new(0), waiting: AtomicU32::new(0) }
    }

    pub(crate) fn is_locked(&self) -> bool {
        // ORDERING: Relaxed. The answer may be out of date before it is returned, so it orders nothing.
        !self.is_open(self.word.load(Relaxed))
    }

    pub(crate) fn waiters(&self) -> usize {
        // ORDERING: Relaxed, as in `is_locked`.
        self.waiting.load(Relaxed) as usize
    }

    /// How many threads have the lock or wait for it.
    pub(crate) fn users(&self) -> usize {
        // ORDERING: Relaxed, as in `is_locked`.
        (self.word.load(Relaxed) & LOCKED) as usize + self.waiters()
    }

    /// Its place in an order of all locks: no two have the same.
    pub(crate) fn rank(&self) -> usize {
        rank(&self.word)
    }

    #[inline]
    pub(crate) fn try_acquire(&self) -> bool {
        self.take_if_zero() || self.try_acquire_contended()
    }

    #[inline]
    pub(crate) fn acquire(&self) {
        if !self.take_if_zero() {
            self.acquire_contended(Spin::for_a_lock_until, Deadline::NEVER);
        }
    }

    /// The same for a lock that is held for so short that to give way takes longer than to wait.
    #[inline]
    pub(crate) fn acquire_for_a_moment(&self) {
        if !self.take_if_zero() {
            self.acquire_contended(Spin::for_a_moment_until, Deadline::NEVER);
        }
    }

    #[inline]
    pub(crate) fn acquire_timeout(&self, timeout: Duration) -> bool {
        self.take_if_zero() || self.acquire_contended(Spin::for_a_lock_until, Deadline::after(timeout))
    }

    #[inline]
    pub(crate) fn acquire_until(&self, deadline: Deadline) -> bool {
        self.take_if_zero() || self.acquire_contended(Spin::for_a_lock_until, deadline)
    }

    #[inline]
    fn take_if_zero(&self) -> bool {
        // ORDERING: Acquire pairs with the Release in `release` and `release_fair`: what was done
        // under the lock before is seen under it now. A failure has read nothing of use: Relaxed.
        self.word.compare_exchange(0, LOCKED, Acquire, Relaxed).is_ok()
    }

    /// Threads wait, or the lock is taken.
    #[cold]
    fn try_acquire_contended(&self) -> bool {
        // ORDERING: Relaxed, because `take` compares before it synchronizes.
        let mut word = self.word.load(Relaxed);
        while self.is_open(word) {
            match self.take(word) {
                Ok(_) => return true,
                Err(now) => word = now,
            }
        }
        false
    }

    /// Whether a newcomer may take the lock.
    fn is_open(&self, word: u32) -> bool {
        // ORDERING: Relaxed. Whoever the lock is kept for takes it whatever is seen here.
        word & LOCKED == 0 && (word & RESERVED == 0 || self.waiting.load(Relaxed) == 0)
    }

    /// Takes a free lock, and all marks off.
    fn take(&self, free: u32) -> Result<u32, u32> {
        // ORDERING: as in `take_if_zero`. Other RMWs that stand between the release and this one carry
        // the release on. Acquire pairs with the Release in `make_asleep`, too.
        self.word.compare_exchange_weak(free, LOCKED, Acquire, Relaxed)
    }

    /// The lock was taken a moment ago: as a newcomer, take it or go into the line.
    #[cold]
    fn acquire_contended(&self, spin: fn(Deadline) -> Spin, deadline: Deadline) -> bool {
        let mut spin = match deadline.has_passed() {
            true => Spin::none(),
            false => spin(deadline),
        };
        let mut since = None;
        // ORDERING: Relaxed, here and below, as in `try_acquire_contended`.
        let mut word = self.word.load(Relaxed);
        loop {
            if self.is_open(word) {
                match self.take(word) {
                    Ok(_) => {
                        spin.has_paid();
                        return true;
                    }
                    Err(now) => word = now,
                }
                continue;
            }
            // Spinning beside sleepers would only make their turn come later.
            if word == LOCKED && spin.pause() {
                // ORDERING: as above.
                word = self.word.load(Relaxed);
                continue;
            }
            if deadline.has_passed() {
                // The clock was read after the word.
                return self.try_acquire_contended();
            }
            let since = *since.get_or_insert_with(|| spin.since());
            if word & LOCKED != 0 {
                // ORDERING: Relaxed, see `make_asleep`.
                self.waiting.fetch_add(1, Relaxed);
                return self.wait_in_line(Spin::none(), since, deadline);
            } else if since.elapsed() < PATIENCE {
                // It is kept for a thread that is on its way, which is a matter of microseconds.
                yield_now();
                word = self.word.load(Relaxed);
            } else {
                match self.take(word) {
                    Ok(_) => return true,
                    Err(now) => word = now,
                }
            }
        }
    }

    /// Takes the lock, or sleeps while others have it. This thread is counted.
    fn wait_in_line(&self, mut spin: Spin, since: Instant, deadline: Deadline) -> bool {
        let mut outcome = Outcome::Awake;
        // Not before it has slept.
        let mut may_reserve = false;
        loop {
            // ORDERING: Relaxed, here and below, as in `try_acquire_contended`.
            let mut word = self.word.load(Relaxed);
            loop {
                if word & LOCKED == 0 {
                    // Also after the deadline: what came in at the last moment is not lost.
                    match self.take(word) {
                        Ok(_) => {
                            spin.has_paid();
                            self.leave_to_the_others();
                            return true;
                        }
                        Err(now) => word = now,
                    }
                } else if outcome == Outcome::TimedOut {
                    // ORDERING: Relaxed. Nobody relies on this thread: see the invariant.
                    self.waiting.fetch_sub(1, Relaxed);
                    return false;
                } else if spin.pause() {
                    word = self.word.load(Relaxed);
                } else if may_reserve && self.is_over(since) {
                    may_reserve = false;
                    spin = Spin::short();
                    // ORDERING: Relaxed. It publishes nothing, and should the lock be free, this thread takes it.
                    word = self.word.fetch_or(RESERVED, Relaxed) | RESERVED;
                } else {
                    match self.make_asleep(word) {
                        Ok(_) => break,
                        Err(now) => word = now,
                    }
                }
            }
            // The other side of this is `release`: it changes the word before it wakes.
            outcome = futex::wait_until(&self.word, word | ASLEEP, deadline);
            may_reserve = true;
            spin = Spin::for_a_lock_until(deadline);
        }
    }

    /// Whether a thread has been patient for long enough.
    fn is_over(&self, since: Instant) -> bool {
        since.elapsed() >= self.patience()
    }

    fn patience(&self) -> Duration {
        let waiting = u32::try_from(self.waiters()).unwrap_or(u32::MAX);
        PATIENCE.max(PATIENCE_FOR_EACH.saturating_mul(waiting))
    }

    /// Takes this thread out of the line, which has the lock. If it was not the last one, the release is to wake.
    fn leave_to_the_others(&self) {
        // ORDERING: Relaxed. Who relies on this thread, and so has to be counted here, has done an RMW of the word
        // after it was counted, and `take` has seen that: see `make_asleep`.
        if self.waiting.fetch_sub(1, Relaxed) > 1 {
            // ORDERING: Relaxed, as in `make_asleep`.
            self.word.fetch_or(ASLEEP, Relaxed);
        }
    }

    /// Marks a lock that is taken, so that the release wakes one.
    fn make_asleep(&self, locked: u32) -> Result<u32, u32> {
        // Also where that changes nothing: this has to be about the latest word.
        // ORDERING: Release pairs with the Acquire in `take`: a thread that takes the lock after this finds those
        // counted who were counted before this.
        self.word.compare_exchange_weak(locked, locked | ASLEEP, Release, Relaxed)
    }

    /// Counts a thread that sleeps elsewhere among those that wait, on its behalf.
    ///
    /// From then on it may be [moved here](Self::take_in), is woken as the others are, and goes on with
    /// [`acquire_joined`](Self::acquire_joined), whatever woke it.
    pub(crate) fn join(&self) {
        // ORDERING: Relaxed, as in `acquire_contended`. A lock that is taken has its word changed by `has_to_wake`; if it is
        // free, whoever is woken sees the count by the lock of the line that it has to come by.
        self.waiting.fetch_add(1, Relaxed);
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
        while word & LOCKED != 0 {
            match self.make_asleep(word) {
                Ok(_) => return false,
                Err(now) => word = now,
            }
        }
        true
    }

    /// Wakes one of those that wait.
    pub(crate) fn wake_one(&self) {
        futex::wake_one(&raw const self.word);
    }

    /// Acquires the lock, for a thread that [`join`](Self::join) has counted.
    pub(crate) fn acquire_joined(&self) {
        self.wait_in_line(Spin::for_a_lock_until(Deadline::NEVER), Instant::now(), Deadline::NEVER);
    }

    /// Gives the lock up, to whoever comes first.
    #[inline]
    pub(crate) fn release(&self) {
        let address = ptr::from_ref(&self.word);
        // ORDERING: Release pairs with the Acquire in `take_if_zero` and `take`.
        let word = self.word.fetch_sub(LOCKED, Release);
        // Past this point the lock may be gone: another thread may take it, release it and free its memory.
        // The word is not looked at again, only its address is used.
        if word & ASLEEP != 0 {
            wake_one_of(address);
        }
    }

    /// Gives the lock up to a thread that waits, if there is one.
    pub(crate) fn release_fair(&self) {
        let address = ptr::from_ref(&self.word);
        // ORDERING: Relaxed, because the change below compares before it means anything.
        let mut word = self.word.load(Relaxed);
        // ORDERING: Relaxed, as in `is_locked`: who comes at this moment is not waiting yet.
        while self.waiting.load(Relaxed) != 0 {
            let next = (word & !LOCKED) | RESERVED;
            // ORDERING: Release, as in `release`.
            match self.word.compare_exchange_weak(word, next, Release, Relaxed) {
                // As in `release`.
                Ok(_) if word & ASLEEP != 0 => return futex::wake_one(address),
                Ok(_) => return,
                Err(now) => word = now,
            }
        }
        self.release();
    }
}

#[cold]
fn wake_one_of(address: *const AtomicU32) {
    futex::wake_one(address);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(lock: &RawLock) -> u32 {
        // ORDERING: Relaxed. There is no other thread.
        lock.word.load(Relaxed)
    }

    #[test]
    fn threads_that_have_joined_are_woken_now_or_by_the_release() {
        let lock = RawLock::new();
        lock.acquire();
        lock.join();
        lock.join();
        assert_eq!((lock.waiters(), lock.users()), (2, 3));
        assert!(!lock.has_to_wake(), "the release will do it");
        assert_eq!(word(&lock), LOCKED | ASLEEP);
        lock.release();
        assert!(lock.has_to_wake());
        // Another one has come first, whose release would wake nobody.
        assert!(lock.try_acquire());
        assert_eq!(word(&lock), LOCKED);
        assert!(!lock.has_to_wake());
        lock.release();
        lock.acquire_joined();
        assert_eq!(word(&lock), LOCKED | ASLEEP, "there is one left");
        lock.release();
        lock.acquire_joined();
        assert_eq!(word(&lock), LOCKED);
        lock.release();
        assert_eq!((word(&lock), lock.users()), (0, 0));
    }

    #[test]
    fn patience_is_a_millisecond_and_of_more_than_four_a_quarter_of_one_for_each() {
        let lock = RawLock::new();
        let micros = [1, 2, 3, 4, 5, 6, 7, 8].map(|_| {
            lock.join();
            lock.patience().as_micros()
        });
        assert_eq!(micros, [1_000, 1_000, 1_000, 1_000, 1_250, 1_500, 1_750, 2_000]);
    }

    #[test]
    fn patience_grows_with_the_line() {
        let lock = RawLock::new();
        let before = Instant::now() - 2 * PATIENCE;
        assert!(lock.is_over(before));
        assert!(!lock.is_over(Instant::now() + PATIENCE));
        (0..4_000_000).for_each(|_| lock.join());
        assert!(!lock.is_over(before));
    }
}
