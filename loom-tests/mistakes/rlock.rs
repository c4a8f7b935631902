//! Re-entrant locks that are wrong, and the smallest one that is right.

use futon_model::atomic::{AtomicU32, Ordering::*, thread_id};

use crate::lock::{RawLock, ThreeStates};

/// A lock that a thread may take again while it has it. It is released as often as it was taken.
pub trait RLock: Send + Sync + 'static {
    fn new() -> Self;
    fn acquire(&self);
    fn release(&self);
}

/// Who gives threads their numbers.
pub trait Numbers: Send + Sync + 'static {
    fn new() -> Self;
    /// For a thread that begins.
    fn take(&self) -> u32;
    /// From a thread that ends.
    fn give_back(&self, number: u32);
}

const NOBODY: u32 = 0;

fn me() -> u32 {
    u32::try_from(thread_id()).unwrap()
}

/// The right one: who stands in `owner` has the lock. It is written after the lock was taken and cleared before
/// the lock is released, so that a thread that reads its own number there has the lock.
pub struct OwnerWithinTheLock {
    lock: ThreeStates,
    owner: AtomicU32,
    depth: AtomicU32,
}

impl RLock for OwnerWithinTheLock {
    fn new() -> Self {
        Self { lock: ThreeStates::new(), owner: AtomicU32::new(NOBODY), depth: AtomicU32::new(0) }
    }

    fn acquire(&self) {
        if self.owner.load(Relaxed) != me() {
            self.lock.acquire();
            self.owner.store(me(), Relaxed);
        }
        self.depth.fetch_add(1, Relaxed);
    }

    fn release(&self) {
        if self.depth.fetch_sub(1, Relaxed) == 1 {
            self.owner.store(NOBODY, Relaxed);
            self.lock.release();
        }
    }
}

/// Tempting: say who comes, then come.
///
/// Wrong: 1. A has the lock. 2. B writes its number and waits for the lock. 3. A takes the lock again, finds that it
/// is not the owner, and waits for itself.
///
/// Right: the number is written after the lock was taken: `src/rlock/owner.rs`.
pub struct WritesTheOwnerFirst {
    lock: ThreeStates,
    owner: AtomicU32,
    depth: AtomicU32,
}

impl RLock for WritesTheOwnerFirst {
    fn new() -> Self {
        Self { lock: ThreeStates::new(), owner: AtomicU32::new(NOBODY), depth: AtomicU32::new(0) }
    }

    fn acquire(&self) {
        if self.owner.load(Relaxed) != me() {
            self.owner.store(me(), Relaxed);
            self.lock.acquire();
        }
        self.depth.fetch_add(1, Relaxed);
    }

    fn release(&self) {
        if self.depth.fetch_sub(1, Relaxed) == 1 {
            self.owner.store(NOBODY, Relaxed);
            self.lock.release();
        }
    }
}

/// Tempting: give the lock to the others as soon as possible, then tidy up.
///
/// Wrong: 1. A releases the lock. 2. B takes it and writes its number. 3. A clears the owner: that is B. 4. B takes
/// the lock again, is not the owner, and waits for itself.
///
/// Right: the owner is cleared before the lock is released: `src/rlock/owner.rs`.
pub struct ClearsTheOwnerLate {
    lock: ThreeStates,
    owner: AtomicU32,
    depth: AtomicU32,
}

impl RLock for ClearsTheOwnerLate {
    fn new() -> Self {
        Self { lock: ThreeStates::new(), owner: AtomicU32::new(NOBODY), depth: AtomicU32::new(0) }
    }

    fn acquire(&self) {
        if self.owner.load(Relaxed) != me() {
            self.lock.acquire();
            self.owner.store(me(), Relaxed);
        }
        self.depth.fetch_add(1, Relaxed);
    }

    fn release(&self) {
        if self.depth.fetch_sub(1, Relaxed) == 1 {
            self.lock.release();
            self.owner.store(NOBODY, Relaxed);
        }
    }
}

/// Tempting: the next owner writes its own number over it, so there is no need to clear it.
///
/// Wrong: 1. A releases the lock; its number stays. 2. A comes again, reads its own number, and goes in without the
/// lock. 3. B takes the lock, which is free, and goes in beside A.
///
/// Right: the owner is cleared before the lock is released: `src/rlock/owner.rs`.
pub struct LeavesTheOwnerThere {
    lock: ThreeStates,
    owner: AtomicU32,
    depth: AtomicU32,
}

impl RLock for LeavesTheOwnerThere {
    fn new() -> Self {
        Self { lock: ThreeStates::new(), owner: AtomicU32::new(NOBODY), depth: AtomicU32::new(0) }
    }

    fn acquire(&self) {
        if self.owner.load(Relaxed) != me() {
            self.lock.acquire();
            self.owner.store(me(), Relaxed);
        }
        self.depth.fetch_add(1, Relaxed);
    }

    fn release(&self) {
        if self.depth.fetch_sub(1, Relaxed) == 1 {
            self.lock.release();
        }
    }
}

/// The right one: a number is given once.
pub struct GivenOnce {
    last: AtomicU32,
}

impl Numbers for GivenOnce {
    fn new() -> Self {
        Self { last: AtomicU32::new(NOBODY) }
    }

    fn take(&self) -> u32 {
        self.last.fetch_add(1, Relaxed) + 1
    }

    fn give_back(&self, _: u32) {}
}

/// Tempting: the address of a thread-local, or what the system calls the thread, is a number without any cost.
///
/// Wrong: 1. A takes the lock, and its guard is leaked. 2. A ends. 3. B begins and gets the number that A had. 4. B
/// reads its own number in the lock, and has what it never took.
///
/// Right: a number is not given again: `src/atomic/native.rs`.
pub struct GivenAgain {
    taken: AtomicU32,
}

impl Numbers for GivenAgain {
    fn new() -> Self {
        Self { taken: AtomicU32::new(0) }
    }

    fn take(&self) -> u32 {
        loop {
            let bit = self.taken.load(Relaxed).trailing_ones();
            if self.taken.fetch_or(1 << bit, Relaxed) >> bit & 1 == 0 {
                return bit + 1;
            }
        }
    }

    fn give_back(&self, number: u32) {
        self.taken.fetch_and(!(1 << (number - 1)), Relaxed);
    }
}
