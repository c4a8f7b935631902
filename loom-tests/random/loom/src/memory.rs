//! A weak memory: which values a load may return, and what is ordered before what.
//!
//! Each atomic has a history of the values that were stored in it, oldest first. Each thread has a *view*: how far
//! it has got in each history, and what each other thread has done as far as it knows. A load may
//! return any value that is not before the thread's view of that history. With a value goes the view that it was
//! released with, all of the storing thread's if the order is `Release` or stronger, and a load that is `Acquire` or
//! stronger takes it over. An RMW reads the latest value, and hands on the view that came with it, too: that is the
//! release sequence.
//!
//! This is C++'s memory model without fences, without `SeqCst` (which is taken for `AcqRel`) and without load
//! buffering: a load never returns what is stored later.

use std::cell::RefCell;
use std::sync::atomic::Ordering;
use std::time::Duration;

use shuttle::rand::Rng;

use crate::thread::me;

thread_local! {
    // All threads of an execution are one thread of the system.
    static MEMORY: RefCell<Memory> = const { RefCell::new(Memory::new()) };
}

/// What there is in one execution.
struct Memory {
    histories: Vec<Vec<Message>>,
    cells: Vec<Accesses>,
    views: Vec<View>,
    /// Which threads have given way and have to see what others do meanwhile.
    gave_way: Vec<bool>,
    is_switching: bool,
}

/// A stored value.
struct Message {
    value: u64,
    view: View,
}

#[derive(Clone, Default)]
pub struct View {
    /// How far each history is known: the place of the oldest value that may still be read.
    histories: Vec<usize>,
    /// How many accesses to unprotected cells of each thread are known.
    accesses: Vec<usize>,
}

/// The last accesses to a cell, each as thread and number among the thread's accesses.
#[derive(Default)]
struct Accesses {
    write: Option<(usize, usize)>,
    reads: Vec<(usize, usize)>,
}

impl Memory {
    const fn new() -> Self {
        Self {
            histories: Vec::new(),
            cells: Vec::new(),
            views: Vec::new(),
            gave_way: Vec::new(),
            is_switching: true,
        }
    }

    fn view(&mut self, thread: usize) -> &mut View {
        if self.views.len() <= thread {
            self.views.resize_with(thread + 1, View::default);
        }
        &mut self.views[thread]
    }
}

impl View {
    fn join(&mut self, other: &Self) {
        fn join(mine: &mut Vec<usize>, other: &[usize]) {
            if mine.len() < other.len() {
                mine.resize(other.len(), 0);
            }
            mine.iter_mut().zip(other).for_each(|(mine, other)| *mine = (*mine).max(*other));
        }
        join(&mut self.histories, &other.histories);
        join(&mut self.accesses, &other.accesses);
    }

    fn at(list: &mut Vec<usize>, place: usize) -> &mut usize {
        if list.len() <= place {
            list.resize(place + 1, 0);
        }
        &mut list[place]
    }
}

fn with<R>(f: impl FnOnce(&mut Memory) -> R) -> R {
    MEMORY.with_borrow_mut(f)
}

/// Forgets the execution before.
pub fn begin() {
    with(|memory| *memory = Memory::new());
}

pub fn set_switching(is_switching: bool) {
    with(|memory| memory.is_switching = is_switching);
}

/// Runs `f`, during which the calling thread goes on unless it blocks.
pub fn without_steps(f: impl FnOnce()) {
    let before = with(|memory| std::mem::replace(&mut memory.is_switching, false));
    f();
    set_switching(before);
}

pub fn is_switching() -> bool {
    with(|memory| memory.is_switching)
}

/// A moment at which any thread may go on.
pub fn step() {
    // A model has no time: this is a switch and nothing else.
    shuttle::thread::sleep(Duration::ZERO);
}

/// After it, the calling thread's next load returns the latest value: a loop that looks again comes to an end.
pub fn give_way() {
    let me = me();
    with(|memory| {
        if memory.gave_way.len() <= me {
            memory.gave_way.resize(me + 1, false);
        }
        memory.gave_way[me] = true;
    });
}

/// What the calling thread knows.
pub fn view() -> View {
    let me = me();
    with(|memory| memory.view(me).clone())
}

/// What was known to another thread at some moment is now known to the calling one.
pub fn learn(view: &View) {
    let me = me();
    with(|memory| memory.view(me).join(view));
}

/// A new atomic.
pub fn atomic(value: u64) -> usize {
    with(|memory| {
        memory.histories.push(vec![Message { value, view: View::default() }]);
        memory.histories.len() - 1
    })
}

fn acquires(order: Ordering) -> bool {
    !matches!(order, Ordering::Relaxed | Ordering::Release)
}

fn releases(order: Ordering) -> bool {
    !matches!(order, Ordering::Relaxed | Ordering::Acquire)
}

pub fn load(atomic: usize, order: Ordering) -> u64 {
    step();
    let me = me();
    let (oldest, latest) = with(|memory| {
        let oldest = *View::at(&mut memory.view(me).histories, atomic);
        let gave_way = memory.gave_way.get_mut(me).is_some_and(std::mem::take);
        let latest = memory.histories[atomic].len() - 1;
        (if gave_way { latest } else { oldest }, latest)
    });
    // The latest value half of the time, or threads would rarely see each other at all.
    let place = if oldest == latest || shuttle::rand::thread_rng().gen_bool(0.5) {
        latest
    } else {
        shuttle::rand::thread_rng().gen_range(oldest..latest)
    };
    with(|memory| read(memory, me, atomic, place, order))
}

pub fn store(atomic: usize, value: u64, order: Ordering) {
    step();
    let me = me();
    with(|memory| write(memory, me, atomic, value, order, View::default()));
}

/// Reads the latest value and, if `change` has another one for it, stores that.
///
/// The orders are for success and for failure.
pub fn rmw(
    atomic: usize,
    success: Ordering,
    failure: Ordering,
    change: impl FnOnce(u64) -> Option<u64>,
) -> Result<u64, u64> {
    step();
    let me = me();
    with(|memory| {
        let latest = memory.histories[atomic].len() - 1;
        match change(memory.histories[atomic][latest].value) {
            Some(new) => {
                let old = read(memory, me, atomic, latest, success);
                let sequence = memory.histories[atomic][latest].view.clone();
                write(memory, me, atomic, new, success, sequence);
                Ok(old)
            }
            None => Err(read(memory, me, atomic, latest, failure)),
        }
    })
}

fn read(memory: &mut Memory, me: usize, atomic: usize, place: usize, order: Ordering) -> u64 {
    let Message { value, view } = &memory.histories[atomic][place];
    let (value, view) = (*value, acquires(order).then(|| view.clone()));
    *View::at(&mut memory.view(me).histories, atomic) = place;
    if let Some(view) = view {
        memory.view(me).join(&view);
    }
    value
}

fn write(memory: &mut Memory, me: usize, atomic: usize, value: u64, order: Ordering, mut view: View) {
    let place = memory.histories[atomic].len();
    *View::at(&mut memory.view(me).histories, atomic) = place;
    if releases(order) {
        view.join(memory.view(me));
    }
    // Whoever has read the value reads nothing older.
    let oldest = View::at(&mut view.histories, atomic);
    *oldest = place;
    memory.histories[atomic].push(Message { value, view });
}

/// A new unprotected cell.
pub fn cell() -> usize {
    with(|memory| {
        memory.cells.push(Accesses::default());
        memory.cells.len() - 1
    })
}

/// Panics if the calling thread's access to the cell is not ordered after those of other threads.
pub fn access(cell: usize, is_write: bool) {
    step();
    let me = me();
    let is_race = with(|memory| {
        let view = memory.view(me);
        let number = View::at(&mut view.accesses, me);
        *number += 1;
        let mine = (me, *number);
        let known = view.accesses.clone();
        let is_unknown =
            |&(thread, number): &(usize, usize)| known.get(thread).is_none_or(|&k| k < number);
        let Accesses { write, reads } = &mut memory.cells[cell];
        let is_race = write.iter().any(is_unknown) || is_write && reads.iter().any(is_unknown);
        if is_write {
            *write = Some(mine);
            reads.clear();
        } else {
            reads.retain(|&(thread, _)| thread != me);
            reads.push(mine);
        }
        is_race
    });
    assert!(
        !is_race,
        "Causality violation: two accesses of which at least one writes, and no order between them"
    );
}
