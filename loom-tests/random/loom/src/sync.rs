//! The atomics.

/// Those that futon uses.
pub mod atomic {
    pub use std::sync::atomic::Ordering;

    use crate::memory;

    macro_rules! atomic {
        ($name:ident, $int:ty) => {
            #[doc = concat!("`core::sync::atomic::", stringify!($name), "`, in a weak memory.")]
            #[derive(Debug)]
            pub struct $name(usize);

            #[allow(missing_docs)]
            impl $name {
                pub fn new(value: $int) -> Self {
                    Self(memory::atomic(value.into()))
                }

                pub fn load(&self, order: Ordering) -> $int {
                    memory::load(self.0, order) as $int
                }

                pub fn store(&self, value: $int, order: Ordering) {
                    memory::store(self.0, value.into(), order);
                }

                pub fn swap(&self, value: $int, order: Ordering) -> $int {
                    self.change(order, |_| value)
                }

                pub fn fetch_add(&self, value: $int, order: Ordering) -> $int {
                    self.change(order, |old| old.wrapping_add(value))
                }

                pub fn fetch_and(&self, value: $int, order: Ordering) -> $int {
                    self.change(order, |old| old & value)
                }

                pub fn fetch_or(&self, value: $int, order: Ordering) -> $int {
                    self.change(order, |old| old | value)
                }

                pub fn compare_exchange(
                    &self,
                    current: $int,
                    new: $int,
                    success: Ordering,
                    failure: Ordering,
                ) -> Result<$int, $int> {
                    let change = |old| (old == u64::from(current)).then_some(new.into());
                    let result = memory::rmw(self.0, success, failure, change);
                    result.map(|old| old as $int).map_err(|old| old as $int)
                }

                fn change(&self, order: Ordering, change: impl FnOnce($int) -> $int) -> $int {
                    let change = |old| Some(change(old as $int).into());
                    match memory::rmw(self.0, order, order, change) {
                        Ok(old) | Err(old) => old as $int,
                    }
                }
            }
        };
    }

    atomic!(AtomicU32, u32);
    atomic!(AtomicU64, u64);

    /// `core::sync::atomic::AtomicBool`, in a weak memory.
    #[derive(Debug)]
    pub struct AtomicBool(usize);

    #[allow(missing_docs)]
    impl AtomicBool {
        pub fn new(value: bool) -> Self {
            Self(memory::atomic(value.into()))
        }

        pub fn load(&self, order: Ordering) -> bool {
            memory::load(self.0, order) != 0
        }

        pub fn store(&self, value: bool, order: Ordering) {
            memory::store(self.0, value.into(), order);
        }
    }
}
