//! Events that are wrong, and the smallest one that is right.

use futon_model::atomic::{AtomicU32, Ordering::*};
use futon_model::futex;

const SET: u32 = 1;
/// One turn of the generation, which stands above the flag.
const TURN: u32 = 2;

pub trait Event: Send + Sync + 'static {
    fn new() -> Self;
    fn set(&self);
    fn clear(&self);
    fn wait(&self);
}

/// Sets the flag and turns the generation.
fn set_and_turn(word: &AtomicU32) {
    let mut now = word.load(Relaxed);
    while let Err(other) = word.compare_exchange(now, (now + TURN) | SET, Release, Relaxed) {
        now = other;
    }
    futex::wake_all(word);
}

/// Sleeps until the flag is set or the generation is another one.
fn wait_for_flag_or_turn(word: &AtomicU32) {
    let first = word.load(Acquire);
    let mut now = first;
    while now & SET == 0 && now / TURN == first / TURN {
        futex::wait(word, now);
        now = word.load(Acquire);
    }
}

/// The right one: a flag and a generation in one word. Whoever waits goes on if either has changed.
pub struct FlagAndGeneration {
    word: AtomicU32,
}

impl Event for FlagAndGeneration {
    fn new() -> Self {
        Self { word: AtomicU32::new(0) }
    }

    fn set(&self) {
        set_and_turn(&self.word);
    }

    fn clear(&self) {
        self.word.fetch_and(!SET, Relaxed);
    }

    fn wait(&self) {
        wait_for_flag_or_turn(&self.word);
    }
}

/// Tempting: an event is a flag.
///
/// Wrong: 1. B sleeps. 2. A sets the flag and wakes B. 3. A clears the flag. 4. B looks, finds the flag down, and
/// sleeps on: it has missed its set.
///
/// Right: a set turns a generation, and a sleeper looks at that too: `src/event.rs`.
pub struct FlagAlone {
    word: AtomicU32,
}

impl Event for FlagAlone {
    fn new() -> Self {
        Self { word: AtomicU32::new(0) }
    }

    fn set(&self) {
        self.word.swap(SET, Release);
        futex::wake_all(&self.word);
    }

    fn clear(&self) {
        self.word.swap(0, Relaxed);
    }

    fn wait(&self) {
        while self.word.load(Acquire) != SET {
            futex::wait(&self.word, 0);
        }
    }
}

/// Tempting: after the set the event may be gone, so wake while it is certainly there.
///
/// Wrong: 1. A wakes all: nobody sleeps yet. 2. B finds the flag down and sleeps. 3. A sets the flag, and nobody
/// tells B.
///
/// Right: set, then wake, by an address that was taken before: `src/event.rs`.
pub struct WakesBeforeItSets {
    word: AtomicU32,
}

impl Event for WakesBeforeItSets {
    fn new() -> Self {
        Self { word: AtomicU32::new(0) }
    }

    fn set(&self) {
        futex::wake_all(&self.word);
        self.word.fetch_or(SET, Release);
    }

    fn clear(&self) {
        self.word.fetch_and(!SET, Relaxed);
    }

    fn wait(&self) {
        while self.word.load(Acquire) & SET == 0 {
            futex::wait(&self.word, 0);
        }
    }
}

/// Tempting: the event is a mere flag, without a value that it would have to publish.
///
/// Wrong: 1. A writes a value. 2. A sets the flag with `Relaxed`, and nothing keeps the write before it. 3. B
/// sees the flag and reads the value as it was before.
///
/// Right: `Release`, for what was done before the set is what the others have waited for: `src/event.rs`.
pub struct SetsRelaxed {
    word: AtomicU32,
}

impl Event for SetsRelaxed {
    fn new() -> Self {
        Self { word: AtomicU32::new(0) }
    }

    fn set(&self) {
        self.word.fetch_add(TURN | SET, Relaxed);
        futex::wake_all(&self.word);
    }

    fn clear(&self) {
        self.word.fetch_and(!SET, Relaxed);
    }

    fn wait(&self) {
        wait_for_flag_or_turn(&self.word);
    }
}

/// Tempting: who comes back from a sleep was woken, and only a set wakes.
///
/// Wrong: 1. B sleeps. 2. The system lets it return: a signal, or the wake of somebody who had the address
/// before. 3. B goes on, and nobody has set the event.
///
/// Right: look again, in a loop, after each return: `src/event.rs`.
pub struct WaitsOnce {
    word: AtomicU32,
}

impl Event for WaitsOnce {
    fn new() -> Self {
        Self { word: AtomicU32::new(0) }
    }

    fn set(&self) {
        set_and_turn(&self.word);
    }

    fn clear(&self) {
        self.word.fetch_and(!SET, Relaxed);
    }

    fn wait(&self) {
        let now = self.word.load(Acquire);
        if now & SET == 0 {
            futex::wait(&self.word, now);
        }
    }
}

/// Tempting: a wake costs a system call, so count the sleepers; and count before the set, for afterwards the
/// event may be gone.
///
/// Wrong: 1. A finds nobody counted. 2. B finds the flag down, counts itself and sleeps. 3. A sets the flag and
/// leaves out the wake.
///
/// Right: whether somebody sleeps stands in the word that the set changes, `PARKED` in `src/event.rs`.
pub struct CountsBeforeItSets {
    word: AtomicU32,
    sleepers: AtomicU32,
}

impl Event for CountsBeforeItSets {
    fn new() -> Self {
        Self { word: AtomicU32::new(0), sleepers: AtomicU32::new(0) }
    }

    fn set(&self) {
        let has_sleepers = self.sleepers.fetch_add(0, AcqRel) > 0;
        let address = &raw const self.word;
        self.word.fetch_or(SET, Release);
        if has_sleepers {
            futex::wake_all(address);
        }
    }

    fn clear(&self) {
        self.word.fetch_and(!SET, Relaxed);
    }

    fn wait(&self) {
        while self.word.load(Acquire) & SET == 0 {
            self.sleepers.fetch_add(1, AcqRel);
            futex::wait(&self.word, 0);
            self.sleepers.fetch_sub(1, AcqRel);
        }
    }
}

/// Tempting: to clear is to write the word without the flag.
///
/// Wrong: 1. B sleeps in one generation. 2. C, which clears, reads the word. 3. A sets the event, which turns the
/// generation, and wakes B. 4. C writes the old generation back, and B, which looks only now, sleeps on.
///
/// Right: one step that takes off one bit, `fetch_and`: `src/event.rs`.
pub struct ClearsByStore {
    word: AtomicU32,
}

impl Event for ClearsByStore {
    fn new() -> Self {
        Self { word: AtomicU32::new(0) }
    }

    fn set(&self) {
        set_and_turn(&self.word);
    }

    fn clear(&self) {
        let now = self.word.load(Relaxed);
        self.word.store(now & !SET, Relaxed);
    }

    fn wait(&self) {
        wait_for_flag_or_turn(&self.word);
    }
}
