//! Locks that are wrong, and the smallest one that is right.

use std::time::Duration;

use futon_model::atomic::{AtomicU32, Instant, Ordering::*};
use futon_model::deadline::Deadline;
use futon_model::futex;

const FREE: u32 = 0;
const LOCKED: u32 = 1;
/// Locked, and somebody may sleep.
const CONTENDED: u32 = 2;

pub trait RawLock: Send + Sync + 'static {
    fn new() -> Self;
    fn acquire(&self);
    fn release(&self);
}

pub trait TimedLock: RawLock {
    fn acquire_timeout(&self, limit: Duration) -> bool;
}

/// The right one: three states, so that a release learns from the word that it leaves whether it has to wake.
///
/// Whoever has waited takes the lock as `CONTENDED`, since it does not know whether it was the last to wait.
pub struct ThreeStates {
    word: AtomicU32,
}

impl RawLock for ThreeStates {
    fn new() -> Self {
        Self { word: AtomicU32::new(FREE) }
    }

    fn acquire(&self) {
        if self.word.compare_exchange(FREE, LOCKED, Acquire, Relaxed).is_err() {
            while self.word.swap(CONTENDED, Acquire) != FREE {
                futex::wait(&self.word, CONTENDED);
            }
        }
    }

    fn release(&self) {
        let address = &raw const self.word;
        if self.word.swap(FREE, Release) == CONTENDED {
            futex::wake_one(address);
        }
    }
}

impl TimedLock for ThreeStates {
    fn acquire_timeout(&self, limit: Duration) -> bool {
        let start = Instant::now();
        loop {
            if self.word.swap(CONTENDED, Acquire) == FREE {
                return true;
            }
            if start.elapsed() >= limit {
                return false;
            }
            futex::wait_until(&self.word, CONTENDED, Deadline::after(limit));
        }
    }
}

/// Tempting: locked or not is one bit, and whether somebody sleeps is another that the release takes along.
///
/// Wrong: 1. A has the lock, B and C set the flag and sleep. 2. A releases, takes the flag down, wakes B.
/// 3. B takes the lock and releases it: no flag, no wake. 4. C sleeps beside a free lock.
///
/// Right: who has slept takes the lock with the mark. `src/raw_lock.rs` has a count of those in the line and puts
/// the mark back unless it is 0.
pub struct TwoStatesAndAFlag {
    word: AtomicU32,
    somebody_sleeps: AtomicU32,
}

impl RawLock for TwoStatesAndAFlag {
    fn new() -> Self {
        Self { word: AtomicU32::new(FREE), somebody_sleeps: AtomicU32::new(0) }
    }

    fn acquire(&self) {
        while self.word.swap(LOCKED, Acquire) == LOCKED {
            self.somebody_sleeps.swap(1, AcqRel);
            futex::wait(&self.word, LOCKED);
        }
    }

    fn release(&self) {
        self.word.swap(FREE, Release);
        if self.somebody_sleeps.swap(0, AcqRel) == 1 {
            futex::wake_one(&self.word);
        }
    }
}

/// Tempting: after the release the lock may be gone, so wake while it is certainly there.
///
/// Wrong: 1. A has the lock and wakes B. 2. B finds the lock taken and sleeps again. 3. A stores `FREE`, and
/// nobody tells B.
///
/// Right: release, then wake, by an address that was taken before: `release` in `src/raw_lock.rs`.
pub struct WakesFirst {
    word: AtomicU32,
}

impl RawLock for WakesFirst {
    fn new() -> Self {
        Self { word: AtomicU32::new(FREE) }
    }

    fn acquire(&self) {
        while self.word.swap(CONTENDED, Acquire) != FREE {
            futex::wait(&self.word, CONTENDED);
        }
    }

    fn release(&self) {
        futex::wake_one(&self.word);
        self.word.swap(FREE, Release);
    }
}

/// Tempting: the acquire has an order already, and the swap is atomic as it is.
///
/// Wrong: 1. A writes the value. 2. A releases, and nothing keeps the write before the release. 3. B takes the
/// lock and reads the value as it was before.
///
/// Right: `Release`, so that whoever acquires sees what was done: `src/raw_lock.rs`.
pub struct ReleasesRelaxed {
    word: AtomicU32,
}

impl RawLock for ReleasesRelaxed {
    fn new() -> Self {
        Self { word: AtomicU32::new(FREE) }
    }

    fn acquire(&self) {
        if self.word.compare_exchange(FREE, LOCKED, Acquire, Relaxed).is_err() {
            while self.word.swap(CONTENDED, Acquire) != FREE {
                futex::wait(&self.word, CONTENDED);
            }
        }
    }

    fn release(&self) {
        if self.word.swap(FREE, Relaxed) == CONTENDED {
            futex::wake_one(&self.word);
        }
    }
}

/// Tempting: the fast path acquires, and who has slept was woken by the release, which came before.
///
/// Wrong: 1. A writes the value and releases with `Release`. 2. B, on the slow path, takes the lock with
/// `Relaxed`. 3. B reads the value as it was before: a wake orders nothing.
///
/// Right: `Acquire` wherever the lock is taken: `src/raw_lock.rs`.
pub struct AcquiresRelaxed {
    word: AtomicU32,
}

impl RawLock for AcquiresRelaxed {
    fn new() -> Self {
        Self { word: AtomicU32::new(FREE) }
    }

    fn acquire(&self) {
        if self.word.compare_exchange(FREE, LOCKED, Acquire, Relaxed).is_err() {
            while self.word.swap(CONTENDED, Relaxed) != FREE {
                futex::wait(&self.word, CONTENDED);
            }
        }
    }

    fn release(&self) {
        if self.word.swap(FREE, Release) == CONTENDED {
            futex::wake_one(&self.word);
        }
    }
}

/// Tempting: who has been woken tries again from the start, by the same fast path as everybody.
///
/// Wrong: 1. A has the lock, B and C sleep: `CONTENDED`. 2. A releases and wakes B. 3. B takes the lock as
/// `LOCKED`, and the mark that spoke for C is gone. 4. B releases, wakes nobody, and C sleeps for ever.
///
/// Right: who has waited takes the lock with the mark: `src/raw_lock.rs`, where it stays away only if the count of
/// those in the line is 0.
pub struct ForgetsTheOthers {
    word: AtomicU32,
}

impl RawLock for ForgetsTheOthers {
    fn new() -> Self {
        Self { word: AtomicU32::new(FREE) }
    }

    fn acquire(&self) {
        while self.word.compare_exchange(FREE, LOCKED, Acquire, Relaxed).is_err() {
            let marked = self.word.compare_exchange(LOCKED, CONTENDED, Relaxed, Relaxed);
            if marked != Err(FREE) {
                futex::wait(&self.word, CONTENDED);
            }
        }
    }

    fn release(&self) {
        if self.word.swap(FREE, Release) == CONTENDED {
            futex::wake_one(&self.word);
        }
    }
}

/// Tempting: look whether it is free, and if so take it.
///
/// Wrong: 1. A finds the lock free. 2. B finds the lock free. 3. Both store `LOCKED` and both have it.
///
/// Right: one step that looks and takes, a `compare_exchange` or a `swap`: `src/raw_lock.rs`.
pub struct TestsThenSets {
    word: AtomicU32,
}

impl RawLock for TestsThenSets {
    fn new() -> Self {
        Self { word: AtomicU32::new(FREE) }
    }

    fn acquire(&self) {
        while self.word.load(Acquire) != FREE {
            futex::wait(&self.word, LOCKED);
        }
        self.word.store(LOCKED, Relaxed);
    }

    fn release(&self) {
        self.word.store(FREE, Release);
        futex::wake_one(&self.word);
    }
}

/// Tempting: a count says exactly whether anybody waits, so release and look at the count.
///
/// Wrong: 1. A releases. 2. B takes the lock, releases it, and frees it, since it was the last to need it. 3. A
/// looks at the count, in memory that is no longer there.
///
/// Right: what the release has to know is in the word that it changes; afterwards only the address is used:
/// `src/raw_lock.rs`.
pub struct LooksAfterTheRelease {
    word: AtomicU32,
    waiting: AtomicU32,
}

impl RawLock for LooksAfterTheRelease {
    fn new() -> Self {
        Self { word: AtomicU32::new(FREE), waiting: AtomicU32::new(0) }
    }

    fn acquire(&self) {
        self.waiting.fetch_add(1, AcqRel);
        while self.word.swap(LOCKED, Acquire) == LOCKED {
            futex::wait(&self.word, LOCKED);
        }
        self.waiting.fetch_sub(1, AcqRel);
    }

    fn release(&self) {
        self.word.swap(FREE, Release);
        if self.waiting.fetch_add(0, AcqRel) > 0 {
            futex::wake_one(&self.word);
        }
    }
}

/// Tempting: back from a sleep, look at the clock first: who is late has to leave.
///
/// Wrong: 1. A has the lock, B sleeps with a limit, C without one. 2. A releases and wakes B. 3. B looks at the
/// clock, is late, and leaves with the wake that it was given. 4. C sleeps beside a free lock.
///
/// Right: a last look at the word before giving up; only then at the clock: `src/raw_lock.rs`.
pub struct GivesUpAwake {
    word: AtomicU32,
}

impl RawLock for GivesUpAwake {
    fn new() -> Self {
        Self { word: AtomicU32::new(FREE) }
    }

    fn acquire(&self) {
        while self.word.swap(CONTENDED, Acquire) != FREE {
            futex::wait(&self.word, CONTENDED);
        }
    }

    fn release(&self) {
        if self.word.swap(FREE, Release) == CONTENDED {
            futex::wake_one(&self.word);
        }
    }
}

impl TimedLock for GivesUpAwake {
    fn acquire_timeout(&self, limit: Duration) -> bool {
        let start = Instant::now();
        while self.word.swap(CONTENDED, Acquire) != FREE {
            futex::wait_until(&self.word, CONTENDED, Deadline::after(limit));
            if start.elapsed() >= limit {
                return false;
            }
        }
        true
    }
}

/// Tempting: the lock is taken, as the failed exchange has just said, so put the mark there.
///
/// Wrong: 1. B finds the lock taken. 2. A releases it. 3. B stores `CONTENDED` into a lock that nobody has.
/// 4. B, and everybody after it, sleeps.
///
/// Right: the mark is put by an operation that also says whether the lock was taken: `src/raw_lock.rs`.
pub struct MarksByStore {
    word: AtomicU32,
}

impl RawLock for MarksByStore {
    fn new() -> Self {
        Self { word: AtomicU32::new(FREE) }
    }

    fn acquire(&self) {
        let mut taken = LOCKED;
        while self.word.compare_exchange(FREE, taken, Acquire, Relaxed).is_err() {
            taken = CONTENDED;
            self.word.store(CONTENDED, Relaxed);
            futex::wait(&self.word, CONTENDED);
        }
    }

    fn release(&self) {
        if self.word.swap(FREE, Release) == CONTENDED {
            futex::wake_one(&self.word);
        }
    }
}

/// Tempting: a futex wants the present value of the word, so load it and pass it on.
///
/// Wrong: 1. B puts the mark on a taken lock. 2. A releases and wakes nobody, since nobody sleeps yet. 3. B loads
/// the word, finds `FREE`, and sleeps as long as it stays so.
///
/// Right: sleep on the value that is the reason to sleep, never on whatever is there: `src/raw_lock.rs`.
pub struct SleepsOnWhatItReads {
    word: AtomicU32,
}

impl RawLock for SleepsOnWhatItReads {
    fn new() -> Self {
        Self { word: AtomicU32::new(FREE) }
    }

    fn acquire(&self) {
        while self.word.swap(CONTENDED, Acquire) != FREE {
            let now = self.word.load(Relaxed);
            futex::wait(&self.word, now);
        }
    }

    fn release(&self) {
        if self.word.swap(FREE, Release) == CONTENDED {
            futex::wake_one(&self.word);
        }
    }
}
