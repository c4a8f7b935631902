//! Iterators for many threads that are wrong, and the smallest one that is right.

use futon_model::atomic::{AtomicU32, Ordering::*};

use crate::checking::Unprotected;
use crate::lock::{RawLock, ThreeStates};

pub trait SharedIter: Send + Sync + 'static {
    fn new() -> Self;
    fn next(&self) -> Option<u32>;
}

/// An iterator that is not made for several threads. It ends after two items, and begins again if it is asked
/// once more, as an iterator may.
struct Items {
    position: Unprotected,
}

impl Items {
    fn new() -> Self {
        Self { position: Unprotected::new(0) }
    }

    fn next(&self) -> Option<u32> {
        let now = self.position.get();
        self.position.set((now + 1) % 3);
        (now < 2).then_some(now)
    }
}

/// The right one: the iterator is called under the lock, and after its end not at all.
pub struct EndsOnce {
    lock: ThreeStates,
    has_ended: Unprotected,
    items: Items,
}

impl SharedIter for EndsOnce {
    fn new() -> Self {
        Self { lock: ThreeStates::new(), has_ended: Unprotected::new(0), items: Items::new() }
    }

    fn next(&self) -> Option<u32> {
        self.lock.acquire();
        let item = if self.has_ended.get() == 0 { self.items.next() } else { None };
        if item.is_none() {
            self.has_ended.set(1);
        }
        self.lock.release();
        item
    }
}

/// Tempting: the lock is for taking the item; to step on is this thread's own affair.
///
/// Wrong: 1. A reads the position under the lock and releases it. 2. B reads the same position. 3. Both step on
/// and have the same item.
///
/// Right: the lock is held until `next` has returned: `src/shared_iter.rs`.
pub struct UnlocksBeforeItStores {
    lock: ThreeStates,
    position: Unprotected,
}

impl SharedIter for UnlocksBeforeItStores {
    fn new() -> Self {
        Self { lock: ThreeStates::new(), position: Unprotected::new(0) }
    }

    fn next(&self) -> Option<u32> {
        self.lock.acquire();
        let now = self.position.get();
        self.lock.release();
        if now < 2 {
            self.position.set(now + 1);
        }
        (now < 2).then_some(now)
    }
}

/// Tempting: all that an iterator for many threads needs is a lock around it.
///
/// Wrong: 1. A takes the last item. 2. B is told the end. 3. A asks once more, and the iterator, which has ended
/// already, begins again.
///
/// Right: after `None` the iterator is not called again: `src/shared_iter.rs`.
pub struct AsksAfterTheEnd {
    lock: ThreeStates,
    items: Items,
}

impl SharedIter for AsksAfterTheEnd {
    fn new() -> Self {
        Self { lock: ThreeStates::new(), items: Items::new() }
    }

    fn next(&self) -> Option<u32> {
        self.lock.acquire();
        let item = self.items.next();
        self.lock.release();
        item
    }
}

/// Tempting: a flag for the end saves the lock to all who come later; look at it first.
///
/// Wrong: 1. A and B find the flag down. 2. A takes the lock, finds the end, raises the flag and releases. 3. B
/// takes the lock and asks the iterator after its end.
///
/// Right: a look outside of the lock may only say that it is over; under the lock there is another one:
/// `src/shared_iter.rs`.
pub struct LooksForTheEndOutside {
    lock: ThreeStates,
    has_ended: AtomicU32,
    items: Items,
}

impl SharedIter for LooksForTheEndOutside {
    fn new() -> Self {
        Self { lock: ThreeStates::new(), has_ended: AtomicU32::new(0), items: Items::new() }
    }

    fn next(&self) -> Option<u32> {
        if self.has_ended.load(Acquire) == 1 {
            return None;
        }
        self.lock.acquire();
        let item = self.items.next();
        if item.is_none() {
            self.has_ended.store(1, Release);
        }
        self.lock.release();
        item
    }
}
