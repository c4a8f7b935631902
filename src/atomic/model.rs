//! The atomics, clock and threads of a model: loom's, with three things that it lacks.
//!
//! **Constant constructors.** loom's atomics are made at run time, futon's primitives in constants.
//! So an atomic here is a plain initial value, and takes its place among those that [`check`] made at
//! the start of the execution when it is first used. What loom stores is the distance from the initial
//! value: zero for each of them at the start.
//!
//! **Loads that loom forgets** (tokio-rs/loom#392). loom tries both orders of two operations on one
//! atomic if they depend on each other, and remembers for that the last access of each kind. A thread's
//! own load overwrites the memory of another thread's load, and with it the reason to try the other
//! order: real deadlocks pass unseen. Here each atomic has a second one beside it, `order`, that is
//! touched by an RMW which never stores anything, and so neither adds nor hides synchronization: by
//! each load, and by each other operation once there has been a load. RMWs are never forgotten.
//!
//! **Choice.** Whether a wait returns for no reason, a deadline passes, or a millisecond goes by is not
//! up to any thread. At the start of an execution a thread that nobody synchronizes with stores true
//! into a few atomics. A Relaxed load of one of them may see the store or not, and loom tries both.

// What users do not see does not say so much.
#![allow(clippy::missing_errors_doc, clippy::missing_panics_doc, clippy::must_use_candidate)]

mod world;

use std::cell::{Cell, OnceCell};
use std::panic::{AssertUnwindSafe, RefUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

pub use core::sync::atomic::Ordering;
use core::sync::atomic::Ordering::Relaxed;
pub use loom::thread::yield_now;

use loom::sync::atomic as looms;

use world::Place;
pub use world::{Calls, Operations, calls, calls_of_this_thread, operations};
pub(crate) use world::{Sleeper, World};

/// The execution of an atomic that was dropped: it is not to be used in any.
const GONE: u64 = u64::MAX;

/// Runs `model` in every way that it can run, like [`loom::model`].
///
/// In the place of that one, because futon's types need a place in each execution before the first
/// thread starts. One of loom's five threads is used up for it. The environment variables that bound
/// loom work as usual, and `LOOM_LOCATION`, but not `LOOM_LOG`. A model
/// with three threads or more wants `LOOM_MAX_PREEMPTIONS=2` or
/// [`check_with`].
pub fn check<F: Fn() + Sync + Send + 'static>(model: F) {
    check_with(loom::model::Builder::new(), model);
}

/// Runs `model` in every way that it can run within the bounds of `builder`.
///
/// One model at a time, whatever the number of tests that run at once. Each execution maps and unmaps the stacks of its
/// threads, which a process can not do in two places at once: two models beside each other take longer than one
/// after the other.
pub fn check_with<F: Fn() + Sync + Send + 'static>(builder: loom::model::Builder, model: F) {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    // A model that has failed leaves nothing behind that would matter to the next.
    let _one_at_a_time = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    builder.check(move || {
        World::begin();
        model();
    });
}

/// Runs an operation of loom's, also where a failed model unwinds.
///
/// A model that has failed unwinds through its guards, whose operations loom refuses with a panic: in a
/// destructor, that would abort the whole test binary. Then `otherwise` is as good as anything.
fn survive<R>(operation: impl FnOnce() -> R, otherwise: impl FnOnce() -> R) -> R {
    if std::thread::panicking() {
        catch_unwind(AssertUnwindSafe(operation)).unwrap_or_else(|_| otherwise())
    } else {
        operation()
    }
}

fn count(operation: impl FnOnce(&mut Operations)) {
    World::now().count_operation(operation);
}

macro_rules! modelled {
    ($name:ident, $int:ty, $looms:ident, $places:ident, $moved:expr) => {
        #[doc = concat!("`core::sync::atomic::", stringify!($name), "`, modelled.")]
        pub struct $name {
            initial: $int,
            /// The execution in which it was first used, its place there and the address it had.
            place: Cell<(u64, usize, usize)>,
        }

        // SAFETY: the threads of a model take turns on one thread of the system, so that no two of
        // them are ever in the cell at once.
        unsafe impl Send for $name {}
        // SAFETY: as above.
        unsafe impl Sync for $name {}
        impl RefUnwindSafe for $name {}

        #[allow(missing_docs)]
        impl $name {
            pub const fn new(initial: $int) -> Self {
                Self { initial, place: Cell::new((0, 0, 0)) }
            }

            pub(crate) fn place(&self) -> Rc<Place<looms::$looms>> {
                let world = World::now();
                let here = std::ptr::from_ref(self).addr();
                let (execution, mut place, address) = self.place.get();
                assert!(execution != GONE, "an atomic is used after it was dropped");
                if execution != world.execution || address != here {
                    if execution != world.execution {
                        place = world.$places.take();
                    }
                    $moved(&world, place, address, here);
                    self.place.set((world.execution, place, here));
                }
                world.$places.all[place].clone()
            }

            /// Again after the operation, before which other threads have run.
            fn assert_is_there(&self) {
                assert!(self.place.get().0 != GONE, "an atomic is used after it was dropped");
            }

            pub fn load(&self, order: Ordering) -> $int {
                self.op(|place| {
                    count(|operations| operations.loads += 1);
                    place.before_load();
                    place.value.load(order).wrapping_add(self.initial)
                })
            }

            pub fn store(&self, value: $int, order: Ordering) {
                survive(
                    || {
                        let place = self.place();
                        count(|operations| operations.stores += 1);
                        place.before_rmw();
                        place.value.store(value.wrapping_sub(self.initial), order);
                        self.assert_is_there();
                    },
                    || (),
                );
            }

            pub fn swap(&self, value: $int, order: Ordering) -> $int {
                self.op(|place| {
                    count(|operations| operations.rmws += 1);
                    place.before_rmw();
                    let value = value.wrapping_sub(self.initial);
                    place.value.swap(value, order).wrapping_add(self.initial)
                })
            }

            pub fn fetch_add(&self, value: $int, order: Ordering) -> $int {
                self.op(|place| {
                    count(|operations| operations.rmws += 1);
                    place.before_rmw();
                    place.value.fetch_add(value, order).wrapping_add(self.initial)
                })
            }

            pub fn fetch_sub(&self, value: $int, order: Ordering) -> $int {
                self.fetch_add(value.wrapping_neg(), order)
            }

            pub fn fetch_and(&self, value: $int, order: Ordering) -> $int {
                self.rmw(order, |old| old & value, |looms| looms.fetch_and(value, order))
            }

            pub fn fetch_or(&self, value: $int, order: Ordering) -> $int {
                self.rmw(order, |old| old | value, |looms| looms.fetch_or(value, order))
            }

            pub fn compare_exchange(
                &self,
                current: $int,
                new: $int,
                success: Ordering,
                failure: Ordering,
            ) -> Result<$int, $int> {
                let away = |value: $int| value.wrapping_sub(self.initial);
                let back = |value: $int| value.wrapping_add(self.initial);
                survive(
                    || {
                        let place = self.place();
                        count(|operations| operations.rmws += 1);
                        place.before_rmw();
                        let result = place
                            .value
                            .compare_exchange(away(current), away(new), success, failure)
                            .map(back)
                            .map_err(back);
                        self.assert_is_there();
                        result
                    },
                    || Ok(current),
                )
            }

            /// Does not fail for no reason here: loops that call it again would have no end in a model.
            pub fn compare_exchange_weak(
                &self,
                current: $int,
                new: $int,
                success: Ordering,
                failure: Ordering,
            ) -> Result<$int, $int> {
                self.compare_exchange(current, new, success, failure)
            }

            /// The latest value, which no weak ordering hides, read without synchronizing.
            pub(crate) fn latest(&self) -> $int {
                let away = (!0 as $int).wrapping_sub(self.initial);
                match self.place().value.compare_exchange(away, away, Relaxed, Relaxed) {
                    Ok(value) | Err(value) => value.wrapping_add(self.initial),
                }
            }

            /// Bitwise operations are not the same on a distance from the initial value: loom's own
            /// does if that is zero, else the value is exchanged.
            fn rmw(
                &self,
                order: Ordering,
                change: impl Fn($int) -> $int,
                looms: impl Fn(&looms::$looms) -> $int,
            ) -> $int {
                if self.initial == 0 {
                    return self.op(|place| {
                        count(|operations| operations.rmws += 1);
                        place.before_rmw();
                        looms(&place.value)
                    });
                }
                let mut old = survive(|| self.latest(), || self.initial);
                while let Err(other) = self.compare_exchange(old, change(old), order, Relaxed) {
                    old = other;
                }
                old
            }

            fn op(&self, operation: impl FnOnce(&Place<looms::$looms>) -> $int) -> $int {
                survive(
                    || {
                        let result = operation(&self.place());
                        self.assert_is_there();
                        result
                    },
                    || self.initial,
                )
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.load(Relaxed).fmt(f)
            }
        }
    };
}

modelled!(AtomicU32, u32, AtomicU32, narrow, World::moved);
modelled!(AtomicU64, u64, AtomicU64, wide, |_: &World, _: usize, _: usize, _: usize| ());

impl Drop for AtomicU32 {
    fn drop(&mut self) {
        // From here on a wake at this address finds nobody, as on a real machine.
        let (execution, place, address) = self.place.replace((GONE, 0, 0));
        if let Some(world) = World::of(execution) {
            world.gone(place, address);
        }
    }
}

impl Drop for AtomicU64 {
    fn drop(&mut self) {
        self.place.set((GONE, 0, 0));
    }
}

/// The moment, on a clock that stands still.
///
/// What passes is a choice of the execution: a deadline in [`futex`](crate::futex), and
/// [`elapsed`](Self::elapsed).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Instant {
    since_start: Duration,
}

#[allow(missing_docs)]
impl Instant {
    pub fn now() -> Self {
        Self { since_start: Duration::ZERO }
    }

    pub fn checked_add(self, time: Duration) -> Option<Self> {
        // As far as the clock of a real machine reaches.
        let since_start = self.since_start.checked_add(time)?;
        i64::try_from(since_start.as_secs()).ok().map(|_| Self { since_start })
    }

    pub fn saturating_duration_since(self, earlier: Self) -> Duration {
        self.since_start.saturating_sub(earlier.since_start)
    }

    /// No time at all, or, if the execution so chooses, an hour once.
    pub fn elapsed(self) -> Duration {
        let has_gone_by = World::now().time_goes_by();
        if has_gone_by { Duration::from_secs(3600) } else { Duration::ZERO }
    }
}

impl From<std::time::Instant> for Instant {
    fn from(at: std::time::Instant) -> Self {
        Self { since_start: at.saturating_duration_since(std::time::Instant::now()) }
    }
}

/// A number for the calling thread that no other thread of this execution has or had.
pub fn thread_id() -> u64 {
    loom::thread_local! {
        static ID: OnceCell<u64> = OnceCell::new();
    }
    ID.with(|id| *id.get_or_init(|| World::now().next_thread()))
}

/// A number for a word that no other word of this execution has: the later it was used first the higher.
///
/// Not its address, which is another one in the next execution: there the same choices would lead elsewhere, and
/// loom could not go on from where it was.
pub(crate) fn rank(word: &AtomicU32) -> usize {
    let _is_in_place = word.place();
    let (_, place, _) = word.place.get();
    place
}

/// Lets another thread run: a model has no time to pass.
pub fn spin_loop() {
    yield_now();
}
