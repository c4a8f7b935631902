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

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::panic::{AssertUnwindSafe, RefUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::time::Duration;

pub use core::sync::atomic::Ordering;
use core::sync::atomic::Ordering::Relaxed;
pub use loom::thread::yield_now;

use loom::sync::atomic as looms;

/// How many atomics of each width one execution may use.
const PLACES: usize = 24;
/// The execution of an atomic that was dropped: it is not to be used in any.
const GONE: u64 = u64::MAX;
/// How often a thread looks at the clock before an hour has gone by.
const MOST_LOOKS: u32 = 8;
/// How many threads loom can have.
const THREADS: usize = 5;

/// Runs `model` in every way that it can run, like [`loom::model`].
///
/// In the place of that one, because futon's types need a place in each execution before the first
/// thread starts. One of loom's five threads is used up for it. The environment variables that steer
/// loom work as usual; a model with three threads or more wants `LOOM_MAX_PREEMPTIONS=2` or
/// [`check_with`].
pub fn check<F: Fn() + Sync + Send + 'static>(model: F) {
    check_with(loom::model::Builder::new(), model);
}

/// Runs `model` in every way that it can run within the bounds of `builder`.
pub fn check_with<F: Fn() + Sync + Send + 'static>(builder: loom::model::Builder, model: F) {
    builder.check(move || {
        World::begin();
        model();
    });
}

/// How often the futex was called, in an execution so far.
///
/// What costs a program a system call, and so what an algorithm is frugal with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Calls {
    /// How often a thread called to wait, whether or not it then slept.
    pub waits: usize,
    /// How often a thread called to wake, whether or not anybody slept.
    pub wakes: usize,
    /// How many sleepers were woken in sum.
    pub woken: usize,
    /// The bits that were in any of the words that a thread called to wait on.
    pub expected: u32,
}

/// What this execution has called the futex for so far.
pub fn calls() -> Calls {
    World::now().calls.get()
}

/// What belongs to one execution of a model.
pub(crate) struct World {
    /// Tells the atomics of this execution from what a `static` remembers of an earlier one.
    execution: u64,
    narrow: Places<looms::AtomicU32>,
    wide: Places<looms::AtomicU64>,
    /// Which place the 32-bit atomic at an address has: a futex knows its word by the address.
    addresses: RefCell<BTreeMap<usize, usize>>,
    /// What a wake touches that finds no word at its address.
    nowhere: Place<looms::AtomicU32>,
    choices: [Choices; THREADS],
    threads: Cell<usize>,
    calls: Cell<Calls>,
}

struct Places<A> {
    all: Vec<Rc<Place<A>>>,
    taken: Cell<usize>,
}

/// One modelled atomic.
pub(crate) struct Place<A> {
    value: A,
    order: looms::AtomicU32,
    loaded: Cell<bool>,
    /// Who sleeps on it, first come first. Invisible to loom; `order` is what its accesses race for.
    pub(crate) sleepers: RefCell<VecDeque<Rc<Sleeper>>>,
}

/// A thread in the queue of a futex.
pub(crate) struct Sleeper {
    pub(crate) thread: loom::thread::Thread,
    pub(crate) is_timed: bool,
    pub(crate) woken: Cell<bool>,
}

/// What the world may do to one thread: each once.
struct Choices {
    returns_for_no_reason: Choice,
    deadline_passes: [Choice; 2],
    time_goes_by: Choice,
    /// How often it has looked at the clock.
    looks: Cell<u32>,
}

struct Choice {
    made: Cell<bool>,
    bit: looms::AtomicBool,
}

thread_local! {
    // All threads of a model are one thread of the system, which makes this theirs in common.
    static WORLD: RefCell<Option<Rc<World>>> = const { RefCell::new(None) };
}

impl World {
    fn begin() {
        static EXECUTIONS: core::sync::atomic::AtomicU64 = core::sync::atomic::AtomicU64::new(0);

        let world = Rc::new(Self {
            execution: EXECUTIONS.fetch_add(1, Relaxed) + 1,
            narrow: Places::new(|| looms::AtomicU32::new(0)),
            wide: Places::new(|| looms::AtomicU64::new(0)),
            addresses: RefCell::default(),
            nowhere: Place::new(looms::AtomicU32::new(0)),
            choices: std::array::from_fn(|_| Choices::new()),
            threads: Cell::new(0),
            calls: Cell::default(),
        });
        WORLD.set(Some(world.clone()));

        loom::stop_exploring();
        let decided = Rc::new(Cell::new(false));
        let fate = decided.clone();
        let first = loom::thread::current();
        loom::thread::spawn(move || {
            // First, because loom orders what came before it: the stores must stay unordered with all
            // that follows. The first thread runs again when this one has ended.
            first.unpark();
            world.choices.iter().flat_map(Choices::iter).for_each(|c| c.bit.store(true, Relaxed));
            fate.set(true);
        });
        // Not `yield_now`: a thread that has yielded never sees again what it saw before, and the first
        // thread, which has made them all, has seen each atomic's first value.
        loom::thread::park();
        assert!(decided.get());
        loom::explore();
    }

    /// The world of this execution.
    pub(crate) fn now() -> Rc<Self> {
        WORLD.with_borrow(|world| {
            world.clone().expect(
                "futon's primitives are used under cfg(loom) outside of a model: \
                 start it with futon::atomic::model::check in the place of loom::model",
            )
        })
    }

    /// The word at an address, if an atomic lives there.
    pub(crate) fn word_at(&self, address: usize) -> Option<Rc<Place<looms::AtomicU32>>> {
        let word = || self.addresses.borrow().get(&address).map(|&p| self.narrow.all[p].clone());
        // An atomic has no place before it is used, and so nothing that the first sleeper could race
        // for with a wake. For the sake of that one, a wake that finds nothing is a visible step too.
        word().or_else(|| {
            self.nowhere.before_load();
            word()
        })
    }

    /// Counts a call of the futex.
    pub(crate) fn count(&self, call: impl FnOnce(&mut Calls)) {
        let mut calls = self.calls.get();
        call(&mut calls);
        self.calls.set(calls);
    }

    /// What somebody does who is about to sleep, on whichever word.
    pub(crate) fn before_sleep(&self) {
        self.nowhere.before_rmw();
    }

    /// Whether the calling thread's wait returns for no reason now.
    pub(crate) fn returns_for_no_reason(&self) -> bool {
        self.mine().is_some_and(|mine| mine.returns_for_no_reason.make())
    }

    /// Whether the deadline of the calling thread's wait passes before anything else happens.
    pub(crate) fn deadline_passes(&self) -> bool {
        self.mine().is_some_and(|mine| {
            mine.deadline_passes.iter().find(|c| !c.made.get()).is_some_and(Choice::make)
        })
    }

    fn mine(&self) -> Option<&Choices> {
        self.choices.get(thread_id() as usize - 1)
    }
}

impl<A> Places<A> {
    fn new(zero: impl Fn() -> A) -> Self {
        Self { all: (0..PLACES).map(|_| Rc::new(Place::new(zero()))).collect(), taken: Cell::new(0) }
    }

    fn take(&self) -> usize {
        let next = self.taken.get();
        assert!(next < PLACES, "a model may use {PLACES} atomics of futon's of each width");
        self.taken.set(next + 1);
        next
    }
}

impl<A> Place<A> {
    fn new(value: A) -> Self {
        Self {
            value,
            order: looms::AtomicU32::new(0),
            loaded: Cell::new(false),
            sleepers: RefCell::default(),
        }
    }

    /// A visible step that conflicts with every other one on this atomic, and does nothing.
    pub(crate) fn touch(&self) {
        let _ = self.order.compare_exchange(1, 1, Relaxed, Relaxed);
    }

    fn before_load(&self) {
        self.loaded.set(true);
        self.touch();
    }

    fn before_rmw(&self) {
        if self.loaded.get() {
            self.touch();
        }
    }
}

impl Choices {
    fn new() -> Self {
        let choice = || Choice { made: Cell::new(false), bit: looms::AtomicBool::new(false) };
        Self {
            returns_for_no_reason: choice(),
            deadline_passes: [choice(), choice()],
            time_goes_by: choice(),
            looks: Cell::new(0),
        }
    }

    fn iter(&self) -> impl Iterator<Item = &Choice> {
        [&self.returns_for_no_reason, &self.time_goes_by].into_iter().chain(&self.deadline_passes)
    }
}

impl Choice {
    /// Both ways the first time, false from then on.
    fn make(&self) -> bool {
        !self.made.replace(true) && self.bit.load(Relaxed)
    }
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
                    $moved(&world, address, here, place);
                    self.place.set((world.execution, place, here));
                }
                world.$places.all[place].clone()
            }

            pub fn load(&self, order: Ordering) -> $int {
                self.op(|place| {
                    place.before_load();
                    place.value.load(order).wrapping_add(self.initial)
                })
            }

            pub fn store(&self, value: $int, order: Ordering) {
                survive(
                    || {
                        let place = self.place();
                        place.before_rmw();
                        place.value.store(value.wrapping_sub(self.initial), order);
                    },
                    || (),
                );
            }

            pub fn swap(&self, value: $int, order: Ordering) -> $int {
                self.op(|place| {
                    place.before_rmw();
                    let value = value.wrapping_sub(self.initial);
                    place.value.swap(value, order).wrapping_add(self.initial)
                })
            }

            pub fn fetch_add(&self, value: $int, order: Ordering) -> $int {
                self.op(|place| {
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
                        place.before_rmw();
                        place
                            .value
                            .compare_exchange(away(current), away(new), success, failure)
                            .map(back)
                            .map_err(back)
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
                survive(|| operation(&self.place()), || self.initial)
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.load(Relaxed).fmt(f)
            }
        }
    };
}

modelled!(AtomicU32, u32, AtomicU32, narrow, |world: &World, old, new, place| {
    let mut addresses = world.addresses.borrow_mut();
    if addresses.get(&old) == Some(&place) {
        addresses.remove(&old);
    }
    addresses.insert(new, place);
});
modelled!(AtomicU64, u64, AtomicU64, wide, |_: &World, _: usize, _: usize, _: usize| ());

impl Drop for AtomicU32 {
    fn drop(&mut self) {
        // From here on a wake at this address finds nobody, as on a real machine.
        let (execution, place, address) = self.place.replace((GONE, 0, 0));
        WORLD.with_borrow(|world| match world {
            Some(world) if world.execution == execution => {
                let mut addresses = world.addresses.borrow_mut();
                if addresses.get(&address) == Some(&place) {
                    addresses.remove(&address);
                }
            }
            _ => {}
        });
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
    ///
    /// Always an hour to a thread that has looked often: a loop that waits for time to go by has an end.
    pub fn elapsed(self) -> Duration {
        let world = World::now();
        let has_gone_by = world.mine().is_some_and(|mine| {
            mine.looks.set(mine.looks.get() + 1);
            mine.time_goes_by.make() || mine.looks.get() > MOST_LOOKS
        });
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
    ID.with(|id| {
        *id.get_or_init(|| {
            let threads = &World::now().threads;
            threads.set(threads.get() + 1);
            threads.get() as u64
        })
    })
}

/// Lets another thread run: a model has no time to pass.
pub fn spin_loop() {
    yield_now();
}
