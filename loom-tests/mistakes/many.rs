//! Mistakes that only many threads bring to light: each passes the models of two and three.

use futon_model::atomic::{AtomicU32, Ordering::*};
use futon_model::futex;

use crate::barrier::Barrier;
use crate::event::Event;
use crate::lock::RawLock;

const LOCKED: u32 = 1;
/// One of those who wait, of whom two bits are the count.
const WAITER: u32 = 2;
const WAITERS: u32 = 3 * WAITER;
const FLAG: u32 = 1 << 3;

/// Tempting: the word has bits to spare for a count of those who wait, and two of them are enough for a test.
///
/// Wrong: 1. A has the lock; B, C, D and E wait, and the count has come round to 0. 2. A releases, finds nobody
/// counted, and wakes nobody. 3. All four sleep beside a free lock.
///
/// Right: the count has as many bits as there can be threads. `src/raw_lock.rs` has 32 beside the word, and is tested with
/// eight, by `src/widths.rs`.
pub struct CountsInTwoBits {
    word: AtomicU32,
}

impl CountsInTwoBits {
    /// Adds one to the count or takes one away.
    fn count(&self, change: impl Fn(u32) -> u32) {
        let mut now = self.word.load(Relaxed);
        let new = |word: u32| word & !WAITERS | change(word & WAITERS) & WAITERS;
        while let Err(other) = self.word.compare_exchange(now, new(now), Relaxed, Relaxed) {
            now = other;
        }
    }
}

impl RawLock for CountsInTwoBits {
    fn new() -> Self {
        Self { word: AtomicU32::new(0) }
    }

    fn acquire(&self) {
        if self.word.fetch_or(LOCKED, Acquire) & LOCKED == 0 {
            return;
        }
        self.count(|count| count.wrapping_add(WAITER));
        loop {
            let word = self.word.fetch_or(LOCKED, Acquire);
            if word & LOCKED == 0 {
                break;
            }
            futex::wait(&self.word, word);
        }
        self.count(|count| count.wrapping_sub(WAITER));
    }

    fn release(&self) {
        let address = &raw const self.word;
        if self.word.fetch_and(!LOCKED, Release) & WAITERS != 0 {
            futex::wake_one(address);
        }
    }
}

/// Tempting: wake in batches, so that nobody waits for a long line to be woken; a batch is four.
///
/// Wrong: 1. Five sleep. 2. A sets the flag and wakes a batch: the fifth sleeps on.
///
/// Right: one call wakes all, `src/event.rs`; or the batches go on until nobody is left.
pub struct WakesABatch {
    word: AtomicU32,
}

impl Event for WakesABatch {
    fn new() -> Self {
        Self { word: AtomicU32::new(0) }
    }

    fn set(&self) {
        self.word.swap(FLAG, Release);
        futex::wake(&self.word, 4);
    }

    fn clear(&self) {
        self.word.swap(0, Relaxed);
    }

    fn wait(&self) {
        while self.word.load(Acquire) == 0 {
            futex::wait(&self.word, 0);
        }
    }
}

/// Tempting: only two rounds are ever under way, the one that ends and the one that begins: a bit can tell them apart.
///
/// Wrong: 1. B arrives in a round of two and is about to look. 2. A completes it. 3. C and D complete another one,
/// and the bit is as it was. 4. B looks, finds its own round, and sleeps for ever.
///
/// Right: a round that a thread has not left yet is not to come back: `src/barrier/state.rs` tells each thread by a word of
/// its own.
pub struct TurnsABit {
    parties: u32,
    word: AtomicU32,
}

/// The round, above the number of those who have arrived.
const ROUND: u32 = 1 << 8;

impl TurnsABit {
    fn next_round(word: u32) -> u32 {
        !word & ROUND
    }

    fn update(&self, change: impl Fn(u32) -> u32) -> u32 {
        let mut now = self.word.load(Relaxed);
        while let Err(other) = self.word.compare_exchange(now, change(now), AcqRel, Relaxed) {
            now = other;
        }
        change(now)
    }
}

impl Barrier for TurnsABit {
    fn new(parties: u32) -> Self {
        Self { parties, word: AtomicU32::new(0) }
    }

    fn wait(&self) {
        let is_last = |word: u32| word % ROUND + 1 == self.parties;
        let arrived = self.update(|word| if is_last(word) { Self::next_round(word) } else { word + 1 });
        if arrived % ROUND == 0 {
            futex::wake_all(&self.word);
            return;
        }
        let mut now = arrived;
        while now & ROUND == arrived & ROUND {
            futex::wait(&self.word, now);
            now = self.word.load(Acquire);
        }
    }

    fn reset(&self) {
        self.update(Self::next_round);
        futex::wake_all(&self.word);
    }
}
