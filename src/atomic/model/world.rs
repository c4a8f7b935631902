//! What belongs to one execution of a model: the atomics, the queues of the futex, the choices, the counts.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;
use std::sync::atomic::Ordering::Relaxed;

use loom::sync::atomic as looms;

use super::thread_id;

/// How many atomics of each width one execution may use.
const PLACES: usize = 24;
/// How often a thread looks at the clock before an hour has gone by.
const MOST_LOOKS: u32 = 8;
/// How many threads loom can have.
const THREADS: usize = 5;

/// How often the futex was called, in an execution so far.
///
/// What costs a program a system call, and so what an algorithm is frugal with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Calls {
    /// How often a thread called to wait, whether or not it then slept.
    pub waits: usize,
    /// How often a thread called to wake, whether or not anybody slept.
    pub wakes: usize,
    /// How many sleepers were woken in sum.
    pub woken: usize,
    /// How many sleepers were moved from one word to another.
    pub moved: usize,
    /// The bits that were in any of the words that a thread called to wait on.
    pub expected: u32,
    /// The bits that were in all of them.
    pub always_expected: u32,
}

impl Default for Calls {
    fn default() -> Self {
        Self { waits: 0, wakes: 0, woken: 0, moved: 0, expected: 0, always_expected: !0 }
    }
}

/// What this execution has called the futex for so far.
pub fn calls() -> Calls {
    World::now().calls.get()
}

/// What the calling thread has called the futex for in this execution so far.
pub fn calls_of_this_thread() -> Calls {
    World::now().calls_by_thread.borrow().get(&thread_id()).copied().unwrap_or_default()
}

/// How often futon's atomics were used, in an execution so far.
///
/// What an algorithm costs that meets nobody.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Operations {
    /// How often one was loaded.
    pub loads: usize,
    /// How often one was stored to.
    pub stores: usize,
    /// How often one was read, changed and written in one step, or compared in vain.
    pub rmws: usize,
}

/// What this execution has done to its atomics so far.
pub fn operations() -> Operations {
    World::now().operations.get()
}

/// What belongs to one execution of a model.
pub(crate) struct World {
    /// Tells the atomics of this execution from what a `static` remembers of an earlier one.
    pub(super) execution: u64,
    pub(super) narrow: Places<looms::AtomicU32>,
    pub(super) wide: Places<looms::AtomicU64>,
    /// Which place the 32-bit atomic at an address has: a futex knows its word by the address.
    addresses: RefCell<BTreeMap<usize, usize>>,
    /// What a wake touches that finds no word at its address.
    nowhere: Place<looms::AtomicU32>,
    choices: [Choices; THREADS],
    threads: Cell<usize>,
    calls: Cell<Calls>,
    calls_by_thread: RefCell<BTreeMap<u64, Calls>>,
    operations: Cell<Operations>,
}

pub(super) struct Places<A> {
    pub(super) all: Vec<Rc<Place<A>>>,
    taken: Cell<usize>,
}

/// One modelled atomic.
pub(crate) struct Place<A> {
    pub(super) value: A,
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
    requeue_is_refused: Choice,
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
    /// Makes the world of another execution.
    pub(super) fn begin() {
        static EXECUTIONS: core::sync::atomic::AtomicU64 = core::sync::atomic::AtomicU64::new(0);

        loom::stop_exploring();
        let decided = Rc::new(Cell::new(false));
        let fate = decided.clone();
        let first = loom::thread::current();
        loom::thread::spawn(move || {
            // Made by this thread and not by the first one, for a thread that has yielded never sees again what
            // it saw before: there the choices would all be made.
            let world = Rc::new(Self {
                execution: EXECUTIONS.fetch_add(1, Relaxed) + 1,
                narrow: Places::new(|| looms::AtomicU32::new(0)),
                wide: Places::new(|| looms::AtomicU64::new(0)),
                addresses: RefCell::default(),
                nowhere: Place::new(looms::AtomicU32::new(0)),
                choices: std::array::from_fn(|_| Choices::new()),
                threads: Cell::new(0),
                calls: Cell::default(),
                calls_by_thread: RefCell::default(),
                operations: Cell::default(),
            });
            WORLD.set(Some(world.clone()));
            // Before the stores, because loom orders what came before it: the stores must stay unordered
            // with all that follows. The first thread runs again when this one has ended.
            first.unpark();
            world.choices.iter().flat_map(Choices::iter).for_each(|c| c.bit.store(true, Relaxed));
            fate.set(true);
        });
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

    /// The world of the execution with this number, if that is still under way.
    pub(super) fn of(execution: u64) -> Option<Rc<Self>> {
        WORLD.with_borrow(|world| world.clone().filter(|world| world.execution == execution))
    }

    /// A number that no other thread of this execution has.
    pub(super) fn next_thread(&self) -> u64 {
        self.threads.set(self.threads.get() + 1);
        self.threads.get() as u64
    }

    /// Remembers that the word with this place is at an address, until a moment ago at another one.
    pub(super) fn moved(&self, place: usize, from: usize, to: usize) {
        self.gone(place, from);
        self.addresses.borrow_mut().insert(to, place);
    }

    /// Forgets that the word with this place is at an address.
    pub(super) fn gone(&self, place: usize, from: usize) {
        let mut addresses = self.addresses.borrow_mut();
        if addresses.get(&from) == Some(&place) {
            addresses.remove(&from);
        }
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
    pub(crate) fn count(&self, call: impl Fn(&mut Calls)) {
        let mut calls = self.calls.get();
        call(&mut calls);
        self.calls.set(calls);
        call(self.calls_by_thread.borrow_mut().entry(thread_id()).or_default());
    }

    /// Counts an operation on an atomic.
    pub(super) fn count_operation(&self, operation: impl FnOnce(&mut Operations)) {
        let mut operations = self.operations.get();
        operation(&mut operations);
        self.operations.set(operations);
    }

    /// What somebody does who is about to sleep, on whichever word.
    pub(crate) fn before_sleep(&self) {
        self.nowhere.before_rmw();
    }

    /// Whether the calling thread's wait returns for no reason now.
    pub(crate) fn returns_for_no_reason(&self) -> bool {
        self.mine().returns_for_no_reason.make()
    }

    /// Whether the system does not move a sleeper that the calling thread wants to be moved.
    pub(crate) fn requeue_is_refused(&self) -> bool {
        self.mine().requeue_is_refused.make()
    }

    /// Takes a sleeper out of the queue that it is in.
    pub(crate) fn forget(&self, sleeper: &Rc<Sleeper>) {
        for place in &self.narrow.all {
            place.sleepers.borrow_mut().retain(|other| !Rc::ptr_eq(other, sleeper));
        }
    }

    /// Whether the deadline of the calling thread's wait passes before anything else happens.
    pub(crate) fn deadline_passes(&self) -> bool {
        self.mine().deadline_passes.iter().find(|c| !c.made.get()).is_some_and(Choice::make)
    }

    /// Whether much time goes by for the calling thread before it looks at the clock now.
    ///
    /// Always to a thread that has looked often: a loop that waits for time to go by has an end.
    pub(super) fn time_goes_by(&self) -> bool {
        let mine = self.mine();
        mine.looks.set(mine.looks.get() + 1);
        mine.time_goes_by.make() || mine.looks.get() > MOST_LOOKS
    }

    /// What the world may do to the calling thread. Where there are more threads than loom can have, some share it.
    fn mine(&self) -> &Choices {
        &self.choices[(thread_id() as usize - 1) % THREADS]
    }
}

impl<A> Places<A> {
    fn new(zero: impl Fn() -> A) -> Self {
        Self { all: (0..PLACES).map(|_| Rc::new(Place::new(zero()))).collect(), taken: Cell::new(0) }
    }

    pub(super) fn take(&self) -> usize {
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

    pub(super) fn before_load(&self) {
        self.loaded.set(true);
        self.touch();
    }

    pub(super) fn before_rmw(&self) {
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
            requeue_is_refused: choice(),
            deadline_passes: [choice(), choice()],
            time_goes_by: choice(),
            looks: Cell::new(0),
        }
    }

    fn iter(&self) -> impl Iterator<Item = &Choice> {
        [&self.returns_for_no_reason, &self.requeue_is_refused, &self.time_goes_by]
            .into_iter()
            .chain(&self.deadline_passes)
    }
}

impl Choice {
    /// Both ways the first time, false from then on.
    fn make(&self) -> bool {
        !self.made.replace(true) && self.bit.load(Relaxed)
    }
}
