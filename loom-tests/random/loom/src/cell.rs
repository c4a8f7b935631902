//! A cell that finds out who uses it without an order.

use crate::memory;

/// Memory without any protection of its own.
pub struct UnsafeCell<T> {
    value: std::cell::UnsafeCell<T>,
    cell: usize,
}

impl<T> UnsafeCell<T> {
    /// A cell that belongs to the calling thread until others learn of it.
    pub fn new(value: T) -> Self {
        Self { value: std::cell::UnsafeCell::new(value), cell: memory::cell() }
    }

    /// A look at the value, for which there may be no write that is not ordered before or after it.
    pub fn with<R>(&self, f: impl FnOnce(*const T) -> R) -> R {
        memory::access(self.cell, false);
        f(self.value.get())
    }

    /// A change of the value, for which there may be no other access that is not ordered before or after it.
    pub fn with_mut<R>(&self, f: impl FnOnce(*mut T) -> R) -> R {
        memory::access(self.cell, true);
        f(self.value.get())
    }
}
