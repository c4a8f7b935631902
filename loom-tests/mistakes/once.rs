//! Values made at their first use, in ways that are wrong, and in the smallest one that is right.
//!
//! futon has no such primitive; it is what people build first from a lock and a flag.

use futon_model::atomic::{AtomicU32, Ordering::*};

use crate::checking::Unprotected;
use crate::lock::{RawLock, ThreeStates};

pub trait Once: Send + Sync + 'static {
    fn new() -> Self;
    /// The value, made by the first thread that calls.
    fn get(&self, make: impl Fn() -> u32) -> u32;
}

/// The right one: looks without the lock, with `Acquire`, and once more under it.
pub struct ChecksTwice {
    lock: ThreeStates,
    is_made: AtomicU32,
    value: Unprotected,
}

impl Once for ChecksTwice {
    fn new() -> Self {
        Self { lock: ThreeStates::new(), is_made: AtomicU32::new(0), value: Unprotected::new(0) }
    }

    fn get(&self, make: impl Fn() -> u32) -> u32 {
        if self.is_made.load(Acquire) == 0 {
            self.lock.acquire();
            if self.is_made.load(Relaxed) == 0 {
                self.value.set(make());
                self.is_made.store(1, Release);
            }
            self.lock.release();
        }
        self.value.get()
    }
}

/// Tempting: the value is made under a lock, which has all the orders that are needed.
///
/// Wrong: 1. A makes the value and sets the flag. 2. B sees the flag without the lock, with `Relaxed`. 3. B reads
/// the value as it was before it was made.
///
/// Right: who does not take the lock needs `Acquire` at the flag, as `is_set` in `src/event.rs` has it.
pub struct ChecksRelaxed {
    lock: ThreeStates,
    is_made: AtomicU32,
    value: Unprotected,
}

impl Once for ChecksRelaxed {
    fn new() -> Self {
        Self { lock: ThreeStates::new(), is_made: AtomicU32::new(0), value: Unprotected::new(0) }
    }

    fn get(&self, make: impl Fn() -> u32) -> u32 {
        if self.is_made.load(Relaxed) == 0 {
            self.lock.acquire();
            if self.is_made.load(Relaxed) == 0 {
                self.value.set(make());
                self.is_made.store(1, Release);
            }
            self.lock.release();
        }
        self.value.get()
    }
}

/// Tempting: it was not made a moment ago, so make it.
///
/// Wrong: 1. A and B find the flag down. 2. A takes the lock and makes the value. 3. B takes the lock and makes it
/// again.
///
/// Right: what was found without the lock is looked at again under it, as in `src/shared_iter.rs` whether it
/// was stopped.
pub struct ChecksOnce {
    lock: ThreeStates,
    is_made: AtomicU32,
    value: Unprotected,
}

impl Once for ChecksOnce {
    fn new() -> Self {
        Self { lock: ThreeStates::new(), is_made: AtomicU32::new(0), value: Unprotected::new(0) }
    }

    fn get(&self, make: impl Fn() -> u32) -> u32 {
        if self.is_made.load(Acquire) == 0 {
            self.lock.acquire();
            self.value.set(make());
            self.is_made.store(1, Release);
            self.lock.release();
        }
        self.value.get()
    }
}

/// Tempting: raise the flag first, and nobody else begins to make the value.
///
/// Wrong: 1. A raises the flag. 2. B sees it and reads the value. 3. A makes the value.
///
/// Right: the flag is raised when all that it stands for is done, as the set of an event is in `src/event.rs`.
pub struct MarksFirst {
    is_made: AtomicU32,
    value: Unprotected,
}

impl Once for MarksFirst {
    fn new() -> Self {
        Self { is_made: AtomicU32::new(0), value: Unprotected::new(0) }
    }

    fn get(&self, make: impl Fn() -> u32) -> u32 {
        if self.is_made.swap(1, AcqRel) == 0 {
            self.value.set(make());
        }
        self.value.get()
    }
}
