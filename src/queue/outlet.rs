//! The end of a queue that items are got from, apart from the one that they are put into.

use super::Container;
use crate::atomic::AtomicU64;
use crate::atomic::Ordering::{Acquire, Relaxed, Release};
use crate::lock::{Lock, LockGuard};

/// What those who get have to themselves. In cache lines of its own.
#[repr(align(128))]
pub(super) struct Outlet<C> {
    ready: Lock<Ready<C>>,
    /// How many of the items that were ready have been taken, ever. Written by whoever has the lock.
    taken: AtomicU64,
}

/// The items that come out next, and are got one by one under this lock alone.
pub(super) struct Ready<C> {
    /// `None` before the first ones are, and for ever if the container is not one that this is for.
    pub(super) items: Option<C>,
    /// Whether threads may wait for room. If so, it is not enough to make it. Set and cleared under both locks.
    pub(super) has_putters: bool,
}

impl<C> Outlet<C> {
    pub(super) const fn new() -> Self {
        let ready = Ready { items: None, has_putters: false };
        Self { ready: Lock::new(ready), taken: AtomicU64::new(0) }
    }

    #[inline]
    pub(super) fn acquire(&self) -> LockGuard<'_, Ready<C>> {
        self.ready.acquire_for_a_moment()
    }

    pub(super) fn into_ready(self) -> Option<C> {
        self.ready.into_inner().items
    }

    /// How many have been taken; by now perhaps more.
    #[inline]
    pub(super) fn taken(&self) -> u64 {
        // ORDERING: Acquire pairs with the Release in `take`: whoever finds room sees what happened before the get that
        // has made it.
        self.taken.load(Acquire)
    }

    /// Takes the first of the items that are ready.
    #[inline]
    pub(super) fn take<T>(&self, ready: &mut Ready<C>) -> Option<T>
    where
        C: Container<T>,
    {
        let item = ready.items.as_mut()?.pop()?;
        // ORDERING: Relaxed. Who has the lock is the only one that writes.
        let taken = self.taken.load(Relaxed);
        // ORDERING: Release, see `taken`.
        self.taken.store(taken + 1, Release);
        Some(item)
    }
}
