//! What lies ready for those who get, apart from those who put.

use super::Container;
use crate::atomic::AtomicU64;
use crate::atomic::Ordering::{Acquire, Relaxed, Release};
use crate::lock::Lock;

/// The end of the queue that items are got from.
#[repr(align(128))]
pub(super) struct Outlet<C> {
    pub(super) ready: Lock<Ready<C>>,
    /// How many items were taken out of what was ready, ever. Changed by whoever has the lock.
    taken: AtomicU64,
}

/// Items that were moved here all at once, and are got one by one.
pub(super) struct Ready<C> {
    /// `None` until the first ones are, and for ever if the container is not first in, first out.
    pub(super) items: Option<C>,
    /// Whether somebody may wait for room, so that it is not enough to make it.
    pub(super) has_putters: bool,
}

impl<C> Outlet<C> {
    pub(super) const fn new() -> Self {
        Self {
            ready: Lock::new(Ready { items: None, has_putters: false }),
            taken: AtomicU64::new(0),
        }
    }

    /// How many items have been taken, or a few more by now.
    #[inline]
    pub(super) fn taken(&self) -> u64 {
        // ORDERING: Acquire pairs with the Release in `take`: whoever finds room sees what happened before the get that
        // made it.
        self.taken.load(Acquire)
    }

    /// Takes the first item that is ready.
    #[inline]
    pub(super) fn take<T>(&self, ready: &mut Ready<C>) -> Option<T>
    where
        C: Container<T>,
    {
        let item = ready.items.as_mut()?.pop()?;
        // ORDERING: Relaxed, since only who has the lock changes it. Release as in `taken`.
        self.taken.store(self.taken.load(Relaxed) + 1, Release);
        Some(item)
    }
}
