//! Semaphores that are wrong, and the smallest ones that are right.

use futon_model::atomic::{AtomicU32, Ordering::*};
use futon_model::deadline::Deadline;
use futon_model::futex::{self, Outcome};

pub trait Semaphore: Send + Sync + 'static {
    fn new(permits: u32) -> Self;
    fn acquire(&self, n: u32);
    fn release(&self, n: u32);
}

pub trait TimedSemaphore: Send + Sync + 'static {
    fn new() -> Self;
    fn try_acquire(&self) -> bool;
    fn acquire_until(&self, deadline: Deadline) -> bool;
    fn release(&self);
}

/// Takes `n` of the permits in a word, all or none. Returns how many there were if there were too few.
fn take(word: &AtomicU32, n: u32) -> Result<(), u32> {
    let mut now = word.load(Relaxed);
    while now >= n {
        match word.compare_exchange(now, now - n, Acquire, Relaxed) {
            Ok(_) => return Ok(()),
            Err(other) => now = other,
        }
    }
    Err(now)
}

/// The right one: a word of permits. A release wakes all, and who finds too few sleeps again.
pub struct WakesAll {
    permits: AtomicU32,
}

impl Semaphore for WakesAll {
    fn new(permits: u32) -> Self {
        Self { permits: AtomicU32::new(permits) }
    }

    fn acquire(&self, n: u32) {
        while let Err(too_few) = take(&self.permits, n) {
            futex::wait(&self.permits, too_few);
        }
    }

    fn release(&self, n: u32) {
        let address = &raw const self.permits;
        self.permits.fetch_add(n, Release);
        futex::wake_all(address);
    }
}

/// Tempting: one release, one wake.
///
/// Wrong: 1. B and C sleep. 2. A releases two permits and wakes B. 3. B takes one. 4. C sleeps beside the other.
///
/// Right: as many wakes as permits, or, as in `src/raw_semaphore.rs`, one wake and each who was served lets the
/// next one look.
pub struct WakesOne {
    permits: AtomicU32,
}

impl Semaphore for WakesOne {
    fn new(permits: u32) -> Self {
        Self { permits: AtomicU32::new(permits) }
    }

    fn acquire(&self, n: u32) {
        while let Err(too_few) = take(&self.permits, n) {
            futex::wait(&self.permits, too_few);
        }
    }

    fn release(&self, n: u32) {
        self.permits.fetch_add(n, Release);
        futex::wake_one(&self.permits);
    }
}

/// Tempting: threads sleep only where there is no permit, so a wake is needed only for the first one.
///
/// Wrong: 1. B and C sleep. 2. A releases one permit and wakes B. 3. Before B has taken it, A releases another:
/// there is one already, so no wake. 4. C sleeps beside the second permit.
///
/// Right: whether somebody sleeps is said by those who do, as `ASLEEP` in `src/raw_semaphore.rs`.
pub struct WakesFromZero {
    permits: AtomicU32,
}

impl Semaphore for WakesFromZero {
    fn new(permits: u32) -> Self {
        Self { permits: AtomicU32::new(permits) }
    }

    fn acquire(&self, n: u32) {
        while let Err(too_few) = take(&self.permits, n) {
            futex::wait(&self.permits, too_few);
        }
    }

    fn release(&self, n: u32) {
        if self.permits.fetch_add(n, Release) == 0 {
            futex::wake(&self.permits, n as usize);
        }
    }
}

/// Tempting: if there is a permit, take it off; `fetch_sub` is atomic.
///
/// Wrong: 1. A sees the one permit. 2. B sees the one permit. 3. Both subtract: two are in, and the word holds
/// 2^32 - 1 permits.
///
/// Right: subtract only from the number that was looked at, with `compare_exchange`: `src/raw_semaphore.rs`.
pub struct ChecksThenSubtracts {
    permits: AtomicU32,
}

impl Semaphore for ChecksThenSubtracts {
    fn new(permits: u32) -> Self {
        Self { permits: AtomicU32::new(permits) }
    }

    fn acquire(&self, n: u32) {
        loop {
            let now = self.permits.load(Acquire);
            if now >= n {
                self.permits.fetch_sub(n, Acquire);
                return;
            }
            futex::wait(&self.permits, now);
        }
    }

    fn release(&self, n: u32) {
        self.permits.fetch_add(n, Release);
        futex::wake_all(&self.permits);
    }
}

/// Tempting: to acquire many is to acquire one, many times.
///
/// Wrong: there are two permits. 1. A takes one of the two that it wants. 2. B takes one of the two that it
/// wants. 3. Each waits for the other to give back what it has.
///
/// Right: all at once or none: `src/raw_semaphore.rs`, where only the head of the line gathers permits.
pub struct TakesOneByOne {
    permits: AtomicU32,
}

impl Semaphore for TakesOneByOne {
    fn new(permits: u32) -> Self {
        Self { permits: AtomicU32::new(permits) }
    }

    fn acquire(&self, n: u32) {
        for _ in 0..n {
            while let Err(too_few) = take(&self.permits, 1) {
                futex::wait(&self.permits, too_few);
            }
        }
    }

    fn release(&self, n: u32) {
        self.permits.fetch_add(n, Release);
        futex::wake_all(&self.permits);
    }
}

/// Tempting: a release makes a permit, so it acquires; an acquire gives one away, so it releases.
///
/// Wrong: 1. A writes the value. 2. A gives its permit back with `Acquire`, which keeps nothing before it. 3. B
/// takes the permit with `Release`, which keeps nothing after it, and reads the value as it was before.
///
/// Right: who gives a permit back publishes with `Release`, who takes one sees it with `Acquire`:
/// `src/raw_semaphore.rs`.
pub struct OrdersTheWrongWay {
    permits: AtomicU32,
}

impl Semaphore for OrdersTheWrongWay {
    fn new(permits: u32) -> Self {
        Self { permits: AtomicU32::new(permits) }
    }

    fn acquire(&self, n: u32) {
        loop {
            let now = self.permits.load(Relaxed);
            if now < n {
                futex::wait(&self.permits, now);
            } else if self.permits.compare_exchange(now, now - n, Release, Relaxed).is_ok() {
                return;
            }
        }
    }

    fn release(&self, n: u32) {
        self.permits.fetch_add(n, Acquire);
        futex::wake_all(&self.permits);
    }
}

/// One thread in the line of a semaphore that gives its permits to those in line. Below it stand the permits.
const WAITING: u32 = 1 << 16;

/// Changes the word from what it was to `change` of it. Returns the old value.
fn update(word: &AtomicU32, change: impl Fn(u32) -> u32) -> u32 {
    let mut now = word.load(Relaxed);
    while let Err(other) = word.compare_exchange(now, change(now), AcqRel, Relaxed) {
        now = other;
    }
    now
}

/// A permit, or a place in the line for it; true for a permit.
fn take_or_join(word: &AtomicU32) -> bool {
    let has_permits = |word: u32| word % WAITING > 0;
    has_permits(update(word, |w| if has_permits(w) { w - 1 } else { w + WAITING }))
}

/// A permit, if there is one.
fn take_one(word: &AtomicU32) -> bool {
    let has_permits = |word: u32| word % WAITING > 0;
    has_permits(update(word, |w| if has_permits(w) { w - 1 } else { w }))
}

/// Leaves the line. False if nobody is in it: whoever was there is given a permit.
fn leave(word: &AtomicU32) -> bool {
    update(word, |w| w.checked_sub(WAITING).unwrap_or(w)) >= WAITING
}

/// A permit for a thread of the line, which is told so at `gifts`, else for anybody.
fn give(word: &AtomicU32, gifts: &AtomicU32) {
    if update(word, |w| w.checked_sub(WAITING).unwrap_or(w + 1)) >= WAITING {
        gifts.fetch_add(1, Release);
        futex::wake_one(gifts);
    }
}

/// The right one that gives its permits to those in line: who is no longer in the line takes its permit along.
pub struct TakesItsGift {
    word: AtomicU32,
    gifts: AtomicU32,
}

impl TimedSemaphore for TakesItsGift {
    fn new() -> Self {
        Self { word: AtomicU32::new(0), gifts: AtomicU32::new(0) }
    }

    fn try_acquire(&self) -> bool {
        take_one(&self.word)
    }

    fn acquire_until(&self, mut deadline: Deadline) -> bool {
        if take_or_join(&self.word) {
            return true;
        }
        while take(&self.gifts, 1).is_err() {
            if futex::wait_until(&self.gifts, 0, deadline) == Outcome::TimedOut {
                if leave(&self.word) {
                    return false;
                }
                // It is on its way.
                deadline = Deadline::NEVER;
            }
        }
        true
    }

    fn release(&self) {
        give(&self.word, &self.gifts);
    }
}

/// Tempting: whose time has run out leaves the line if it is still there, and fails in any case.
///
/// Wrong: 1. B waits in line. 2. A takes B out of the line, to give it a permit. 3. The time of B runs out; it is
/// in no line and leaves. 4. A puts the permit where nobody looks who is not in the line.
///
/// Right: who was taken out of the line has what it was waiting for. In `src/raw_semaphore.rs` the head gives up
/// under the lock of the line, after a last look, and lets the next one look.
pub struct LeavesItsGift {
    word: AtomicU32,
    gifts: AtomicU32,
}

impl TimedSemaphore for LeavesItsGift {
    fn new() -> Self {
        Self { word: AtomicU32::new(0), gifts: AtomicU32::new(0) }
    }

    fn try_acquire(&self) -> bool {
        take_one(&self.word)
    }

    fn acquire_until(&self, deadline: Deadline) -> bool {
        if take_or_join(&self.word) {
            return true;
        }
        while take(&self.gifts, 1).is_err() {
            if futex::wait_until(&self.gifts, 0, deadline) == Outcome::TimedOut {
                leave(&self.word);
                return false;
            }
        }
        true
    }

    fn release(&self) {
        give(&self.word, &self.gifts);
    }
}
