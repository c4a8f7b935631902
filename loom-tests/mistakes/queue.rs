//! Queues that are wrong, and the smallest ones that are right.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use futon_model::atomic::{AtomicU32, Ordering::*};
use futon_model::deadline::Deadline;
use futon_model::futex::{self, Outcome};

use crate::condition::{ExactCondition, Line};
use crate::lock::{RawLock, ThreeStates};

/// The right one in parts, which most queues below have in common: one lock and a condition for each thing to wait for, as in
/// Python.
pub struct Parts {
    pub capacity: usize,
    lock: ThreeStates,
    not_empty: Line,
    not_full: Line,
    all_done: Line,
    /// Reached under the lock alone; the mutex is there for the compiler.
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    items: VecDeque<u32>,
    unfinished: usize,
    is_closed: bool,
}

impl Parts {
    fn with<R>(&self, f: impl FnOnce(&mut State) -> R) -> R {
        f(&mut self.state.lock().unwrap())
    }

    /// Waits while this holds.
    fn wait_while(&self, condition: &Line, holds: impl Fn(&State) -> bool) {
        while self.with(|state| holds(state)) {
            condition.wait_until(&self.lock, Deadline::NEVER);
        }
    }

    pub fn new(capacity: usize) -> Self {
        Self {
            capacity,
            lock: ThreeStates::new(),
            not_empty: Line::new(),
            not_full: Line::new(),
            all_done: Line::new(),
            state: Mutex::default(),
        }
    }
}

/// A queue of these parts, which follows Python's recipe where it does not say otherwise.
pub trait Queue: Send + Sync + 'static {
    fn made_of(parts: Parts) -> Self;
    fn parts(&self) -> &Parts;

    fn put(&self, item: u32) {
        let parts = self.parts();
        parts.lock.acquire();
        parts.wait_while(&parts.not_full, |state| state.items.len() == parts.capacity);
        parts.with(|state| {
            state.items.push_back(item);
            state.unfinished += 1;
        });
        parts.not_empty.notify_one();
        parts.lock.release();
    }

    /// `None` if it is closed.
    fn get(&self) -> Option<u32> {
        let parts = self.parts();
        parts.lock.acquire();
        parts.wait_while(&parts.not_empty, |state| state.items.is_empty() && !state.is_closed);
        let item = parts.with(|state| state.items.pop_front());
        parts.not_full.notify_one();
        parts.lock.release();
        item
    }

    fn task_done(&self) {
        let parts = self.parts();
        parts.lock.acquire();
        parts.with(|state| state.unfinished -= 1);
        while parts.all_done.notify_one() {}
        parts.lock.release();
    }

    fn join(&self) {
        let parts = self.parts();
        parts.lock.acquire();
        parts.wait_while(&parts.all_done, |state| state.unfinished > 0);
        parts.lock.release();
    }

    fn close(&self) {
        let parts = self.parts();
        parts.lock.acquire();
        parts.with(|state| state.is_closed = true);
        while parts.not_empty.notify_one() {}
        parts.lock.release();
    }
}

/// The right one: it follows the recipe.
pub struct Recipe(Parts);

impl Queue for Recipe {
    fn made_of(parts: Parts) -> Self {
        Self(parts)
    }

    fn parts(&self) -> &Parts {
        &self.0
    }
}

/// Tempting: one condition is less than two, and all who wait look again before they go on.
///
/// Wrong: there is room for one item. 1. B and C wait to get. 2. A puts an item in, which notifies B. 3. D finds it full and waits to
/// put, behind C. 4. B gets the item and notifies the first in line: that is C, which finds nothing and waits again. 5. D
/// sleeps, though there is room.
///
/// Right: a line for each thing to wait for: `src/queue/state.rs`.
pub struct OneConditionForBoth(Parts);

impl Queue for OneConditionForBoth {
    fn made_of(parts: Parts) -> Self {
        Self(parts)
    }

    fn parts(&self) -> &Parts {
        &self.0
    }

    fn put(&self, item: u32) {
        let (parts, changed) = (self.parts(), &self.parts().not_empty);
        parts.lock.acquire();
        parts.wait_while(changed, |state| state.items.len() == parts.capacity);
        parts.with(|state| state.items.push_back(item));
        changed.notify_one();
        parts.lock.release();
    }

    fn get(&self) -> Option<u32> {
        let (parts, changed) = (self.parts(), &self.parts().not_empty);
        parts.lock.acquire();
        parts.wait_while(changed, |state| state.items.is_empty() && !state.is_closed);
        let item = parts.with(|state| state.items.pop_front());
        changed.notify_one();
        parts.lock.release();
        item
    }
}

/// Tempting: whoever waits, waits for the queue not to be empty, and that it becomes with the first item only.
///
/// Wrong: 1. B and C wait. 2. A puts an item in, which notifies B. 3. Before B runs, A puts in another one: the queue was not
/// empty. 4. B gets one item. C sleeps beside the other one.
///
/// Right: each item is for a thread of its own: `src/queue/state.rs`.
pub struct NotifiesOfTheFirst(Parts);

impl Queue for NotifiesOfTheFirst {
    fn made_of(parts: Parts) -> Self {
        Self(parts)
    }

    fn parts(&self) -> &Parts {
        &self.0
    }

    fn put(&self, item: u32) {
        let parts = self.parts();
        parts.lock.acquire();
        parts.wait_while(&parts.not_full, |state| state.items.len() == parts.capacity);
        let was_empty = parts.with(|state| {
            state.items.push_back(item);
            state.items.len() == 1
        });
        if was_empty {
            parts.not_empty.notify_one();
        }
        parts.lock.release();
    }
}

/// Tempting: when the queue is empty, all work has been done.
///
/// Wrong: 1. B gets the last item and begins to work. 2. A joins: the queue is empty. 3. A goes on, and B still works.
///
/// Right: what was got counts until it is said to be done: `src/queue/state.rs`.
pub struct JoinsTheLength(Parts);

impl Queue for JoinsTheLength {
    fn made_of(parts: Parts) -> Self {
        Self(parts)
    }

    fn parts(&self) -> &Parts {
        &self.0
    }

    fn join(&self) {
        let parts = self.parts();
        parts.lock.acquire();
        parts.wait_while(&parts.all_done, |state| !state.items.is_empty());
        parts.lock.release();
    }
}

/// Tempting: the end is one more thing to get, of which one thread is notified.
///
/// Wrong: 1. B and C wait. 2. A closes the queue, which notifies B. 3. B finds the end, but leaves nothing that would notify C.
///
/// Right: the end is for all who wait: `src/queue/state.rs`.
pub struct ClosesForOne(Parts);

impl Queue for ClosesForOne {
    fn made_of(parts: Parts) -> Self {
        Self(parts)
    }

    fn parts(&self) -> &Parts {
        &self.0
    }

    fn close(&self) {
        let parts = self.parts();
        parts.lock.acquire();
        parts.with(|state| state.is_closed = true);
        parts.not_empty.notify_one();
        parts.lock.release();
    }
}

/// A queue that hands an item to the first thread that waits, as futon's does.
pub trait HandingOver: Send + Sync + 'static {
    fn new() -> Self;
    fn put(&self, item: u32);
    /// Whether an item is there is looked at once more when the time has run out.
    fn get_until(&self, deadline: Deadline) -> Option<u32>;
}

/// Items that nobody waited for, and threads that wait: each has a word for its item.
#[derive(Default)]
struct Hall {
    items: VecDeque<u32>,
    waiting: VecDeque<Arc<AtomicU32>>,
}

const NOTHING_YET: u32 = 0;

/// Gives it to the first, or leaves it there.
fn hand_over(hall: &Mutex<Hall>, lock: &ThreeStates, item: u32) {
    lock.acquire();
    let first = {
        let mut hall = hall.lock().unwrap();
        let first = hall.waiting.pop_front();
        if first.is_none() {
            hall.items.push_back(item);
        }
        first
    };
    lock.release();
    if let Some(waiter) = first {
        waiter.store(item, Release);
        futex::wake_one(&*waiter);
    }
}

/// Takes one, or sleeps until it is given one. What it has then: nothing, if the time has run out.
fn take_or_sleep(
    hall: &Mutex<Hall>,
    lock: &ThreeStates,
    deadline: Deadline,
) -> Result<u32, Arc<AtomicU32>> {
    lock.acquire();
    let mine = Arc::new(AtomicU32::new(NOTHING_YET));
    let item = {
        let mut hall = hall.lock().unwrap();
        let item = hall.items.pop_front();
        if item.is_none() {
            hall.waiting.push_back(mine.clone());
        }
        item
    };
    lock.release();
    if let Some(item) = item {
        return Ok(item);
    }
    loop {
        let outcome = futex::wait_until(&mine, NOTHING_YET, deadline);
        match mine.load(Acquire) {
            NOTHING_YET if outcome == Outcome::TimedOut => return Err(mine),
            NOTHING_YET => {}
            item => return Ok(item),
        }
    }
}

/// Takes it out. False if it was not there any more.
fn leave(hall: &Mutex<Hall>, lock: &ThreeStates, mine: &Arc<AtomicU32>) -> bool {
    lock.acquire();
    let mut hall = hall.lock().unwrap();
    let before = hall.waiting.len();
    hall.waiting.retain(|other| !Arc::ptr_eq(other, mine));
    let was_there = hall.waiting.len() < before;
    drop(hall);
    lock.release();
    was_there
}

/// The right one that hands over: who is not in the line any more has an item, or will have one in a moment.
pub struct WaitsForItsItem {
    lock: ThreeStates,
    hall: Mutex<Hall>,
}

impl HandingOver for WaitsForItsItem {
    fn new() -> Self {
        Self { lock: ThreeStates::new(), hall: Mutex::default() }
    }

    fn put(&self, item: u32) {
        hand_over(&self.hall, &self.lock, item);
    }

    fn get_until(&self, deadline: Deadline) -> Option<u32> {
        let mine = match take_or_sleep(&self.hall, &self.lock, deadline) {
            Ok(item) => return Some(item),
            Err(mine) => mine,
        };
        if leave(&self.hall, &self.lock, &mine) {
            return None;
        }
        while mine.load(Acquire) == NOTHING_YET {
            futex::wait(&mine, NOTHING_YET);
        }
        Some(mine.load(Acquire))
    }
}

/// Tempting: the time has run out, and nothing was there at the last look. So it only has to leave the line.
///
/// Wrong: 1. The time of B runs out. 2. A takes B out of the line, to give it an item. 3. B finds that it is not in the line, and
/// returns without one. 4. A gives the item to nobody.
///
/// Right: who is not in the line any more waits for what it will be given: `src/queue/ends.rs`.
pub struct LeavesWithoutItsItem {
    lock: ThreeStates,
    hall: Mutex<Hall>,
}

impl HandingOver for LeavesWithoutItsItem {
    fn new() -> Self {
        Self { lock: ThreeStates::new(), hall: Mutex::default() }
    }

    fn put(&self, item: u32) {
        hand_over(&self.hall, &self.lock, item);
    }

    fn get_until(&self, deadline: Deadline) -> Option<u32> {
        match take_or_sleep(&self.hall, &self.lock, deadline) {
            Ok(item) => Some(item),
            Err(mine) => {
                leave(&self.hall, &self.lock, &mine);
                None
            }
        }
    }
}
