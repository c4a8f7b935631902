//! Barriers that are wrong, and the smallest one that is right.

use futon_model::atomic::{AtomicU32, Ordering::*};
use futon_model::futex;

pub trait Barrier: Send + Sync + 'static {
    fn new(parties: u32) -> Self;
    fn wait(&self);
    /// Lets those go who wait, and begins a new round.
    fn reset(&self);
}

/// One turn of the generation, which stands above the number of those who have arrived.
const TURN: u32 = 1 << 8;

/// Changes the word from what it was to `change` of it. Returns the new value.
fn update(word: &AtomicU32, change: impl Fn(u32) -> u32) -> u32 {
    let mut now = word.load(Relaxed);
    while let Err(other) = word.compare_exchange(now, change(now), AcqRel, Relaxed) {
        now = other;
    }
    change(now)
}

/// The word of the next round, with nobody there.
fn next_round(word: u32) -> u32 {
    (word / TURN + 1) * TURN
}

/// The right one: generation and arrivals in one word, so that to arrive and to learn the round is one step.
pub struct OneWord {
    parties: u32,
    word: AtomicU32,
}

impl Barrier for OneWord {
    fn new(parties: u32) -> Self {
        Self { parties, word: AtomicU32::new(0) }
    }

    fn wait(&self) {
        let is_last = |word: u32| word % TURN + 1 == self.parties;
        let arrived = update(&self.word, |w| if is_last(w) { next_round(w) } else { w + 1 });
        if arrived % TURN == 0 {
            futex::wake_all(&self.word);
            return;
        }
        let mut now = arrived;
        while now / TURN == arrived / TURN {
            futex::wait(&self.word, now);
            now = self.word.load(Acquire);
        }
    }

    fn reset(&self) {
        update(&self.word, next_round);
        futex::wake_all(&self.word);
    }
}

/// Tempting: count up to all, then back to 0; who finds 0 goes on.
///
/// Wrong: 1. B arrives and sleeps. 2. A arrives, stores 0, wakes B, goes on. 3. A arrives for the next round: 1.
/// 4. B looks, finds 1 as before, and sleeps on; so does A.
///
/// Right: a round is known by something that does not come back: `src/barrier/state.rs` tells each thread by a
/// word of its own.
pub struct CountAlone {
    parties: u32,
    arrived: AtomicU32,
}

impl Barrier for CountAlone {
    fn new(parties: u32) -> Self {
        Self { parties, arrived: AtomicU32::new(0) }
    }

    fn wait(&self) {
        let mut now = self.arrived.fetch_add(1, AcqRel) + 1;
        if now == self.parties {
            self.reset();
            return;
        }
        while now != 0 {
            futex::wait(&self.arrived, now);
            now = self.arrived.load(Acquire);
        }
    }

    fn reset(&self) {
        self.arrived.swap(0, AcqRel);
        futex::wake_all(&self.arrived);
    }
}

/// Tempting: only who has to sleep needs the generation, so read it there.
///
/// Wrong: 1. B arrives. 2. A arrives as the last and turns the generation. 3. B reads the generation, the new one,
/// and waits for the one after it.
///
/// Right: the round is known before the arrival or with it: `src/barrier.rs`, where both happen under its lock.
pub struct ReadsItsGenerationLate {
    parties: u32,
    arrived: AtomicU32,
    generation: AtomicU32,
}

impl Barrier for ReadsItsGenerationLate {
    fn new(parties: u32) -> Self {
        Self { parties, arrived: AtomicU32::new(0), generation: AtomicU32::new(0) }
    }

    fn wait(&self) {
        if self.arrived.fetch_add(1, AcqRel) + 1 == self.parties {
            self.reset();
            return;
        }
        let mine = self.generation.load(Acquire);
        while self.generation.load(Acquire) == mine {
            futex::wait(&self.generation, mine);
        }
    }

    fn reset(&self) {
        self.arrived.store(0, Relaxed);
        self.generation.fetch_add(1, Release);
        futex::wake_all(&self.generation);
    }
}

/// Tempting: let the others go first, then tidy up.
///
/// Wrong: 1. A, the last one, turns the generation. 2. B goes on at once and arrives for the next round. 3. A
/// stores 0, and the arrival of B is lost. 4. A arrives, is one of two, and both sleep.
///
/// Right: all of the next round is in place before the first thread may go on: `src/barrier/state.rs`, under the
/// lock of the barrier.
pub struct TidiesUpLate {
    parties: u32,
    arrived: AtomicU32,
    generation: AtomicU32,
}

impl Barrier for TidiesUpLate {
    fn new(parties: u32) -> Self {
        Self { parties, arrived: AtomicU32::new(0), generation: AtomicU32::new(0) }
    }

    fn wait(&self) {
        let mine = self.generation.load(Acquire);
        if self.arrived.fetch_add(1, AcqRel) + 1 == self.parties {
            self.reset();
            return;
        }
        while self.generation.load(Acquire) == mine {
            futex::wait(&self.generation, mine);
        }
    }

    fn reset(&self) {
        self.generation.fetch_add(1, Release);
        futex::wake_all(&self.generation);
        self.arrived.store(0, Release);
    }
}

/// Tempting: a reset makes the barrier empty, so take off all who have arrived.
///
/// Wrong: 1. B arrives and sleeps. 2. A resets: nobody has arrived any more. 3. B looks, finds its own generation,
/// and sleeps on. No round that comes will need it.
///
/// Right: a reset ends the round of those who wait and tells them: `src/barrier.rs`.
pub struct ResetsTheCountAlone {
    parties: u32,
    word: AtomicU32,
}

impl Barrier for ResetsTheCountAlone {
    fn new(parties: u32) -> Self {
        Self { parties, word: AtomicU32::new(0) }
    }

    fn wait(&self) {
        let is_last = |word: u32| word % TURN + 1 == self.parties;
        let arrived = update(&self.word, |w| if is_last(w) { next_round(w) } else { w + 1 });
        if arrived % TURN == 0 {
            futex::wake_all(&self.word);
            return;
        }
        let mut now = arrived;
        while now / TURN == arrived / TURN {
            futex::wait(&self.word, now);
            now = self.word.load(Acquire);
        }
    }

    fn reset(&self) {
        update(&self.word, |word| word / TURN * TURN);
        futex::wake_all(&self.word);
    }
}

/// Tempting: who arrives publishes, who is let go sees; the last one is not let go, so `Release` is enough.
///
/// Wrong: 1. B writes its part and arrives. 2. A arrives as the last, with `Release`, and does not wait. 3. A reads
/// the part of B as it was before.
///
/// Right: each arrival both publishes and sees: in `src/barrier.rs` by the lock that all arrive under.
pub struct LastOneDoesNotSee {
    parties: u32,
    arrived: AtomicU32,
    generation: AtomicU32,
}

impl Barrier for LastOneDoesNotSee {
    fn new(parties: u32) -> Self {
        Self { parties, arrived: AtomicU32::new(0), generation: AtomicU32::new(0) }
    }

    fn wait(&self) {
        let mine = self.generation.load(Relaxed);
        if self.arrived.fetch_add(1, Release) + 1 == self.parties {
            self.reset();
            return;
        }
        while self.generation.load(Acquire) == mine {
            futex::wait(&self.generation, mine);
        }
    }

    fn reset(&self) {
        self.arrived.store(0, Relaxed);
        self.generation.fetch_add(1, Release);
        futex::wake_all(&self.generation);
    }
}
