//! Parallel maps that are wrong, and the smallest ones that are right.
//!
//! Each maps the numbers 0 and 1 to ten times as much, with one of them in flight: pulled, and its result not handed
//! out. Threads call `work`, and one calls `next`.

use futon_model::{Condition, Lock, Semaphore};

use crate::checking::Unprotected;

pub trait ParMap: Send + Sync + 'static {
    fn new() -> Self;
    fn work(&self);
    fn next(&self) -> Option<u32>;
}

const ITEMS: usize = 2;

/// What all of them have: room for an item, the iterator, and the results that are there.
struct Parts {
    room: Semaphore,
    state: Lock<State>,
    changed: Condition,
}

#[derive(Default)]
struct State {
    pulled: usize,
    results: [Option<u32>; ITEMS],
    taken: usize,
    workers: usize,
}

impl State {
    fn pull(&mut self) -> Option<usize> {
        let place = self.pulled;
        if place == ITEMS {
            return None;
        }
        self.pulled += 1;
        assert!(self.pulled <= self.taken + 1, "more is in flight than may be");
        Some(place)
    }

    fn put(&mut self, place: usize) {
        self.results[place] = Some(10 * place as u32);
    }

    fn take(&mut self) -> Option<u32> {
        let result = self.results[self.taken].take()?;
        self.taken += 1;
        Some(result)
    }
}

impl Parts {
    fn new() -> Self {
        let state = Lock::new(State::default());
        Self { room: Semaphore::new(1), state, changed: Condition::new() }
    }

    fn pull(&self) -> Option<usize> {
        self.state.acquire().pull()
    }

    fn put(&self, place: usize) {
        self.state.acquire().put(place);
        self.changed.notify_one();
    }

    /// Room is taken already. Returns whether there was an item.
    fn map(&self) -> bool {
        let place = self.pull();
        match place {
            Some(place) => self.put(place),
            None => self.room.release(1).unwrap(),
        }
        place.is_some()
    }

    fn next(&self) -> Option<u32> {
        let mut state = self.state.acquire();
        if state.taken == ITEMS {
            return None;
        }
        self.changed.wait_while(&mut state, |state| state.results[state.taken].is_none());
        let result = state.take();
        drop(state);
        self.room.release(1).unwrap();
        result
    }
}

/// The right one: room is taken before the item, and given back once its result is handed out.
pub struct RoomFirst(Parts);

impl ParMap for RoomFirst {
    fn new() -> Self {
        Self(Parts::new())
    }

    fn work(&self) {
        loop {
            self.0.room.acquire().forget();
            if !self.0.map() {
                return;
            }
        }
    }

    fn next(&self) -> Option<u32> {
        self.0.next()
    }
}

/// Tempting: first see whether there is an item at all; then wait for room for it.
///
/// Wrong: 1. A maps the first item. 2. It pulls the second, though the first result has not been handed out, and waits for
/// room with it. And where two work: 1. A pulls the first item and B the second. 2. B is quicker, takes the room and maps.
/// 3. A waits for room, which comes when the first result is handed out. That is A's.
///
/// Right: room first, item second, so that what is in flight has all that it needs: `src/par_map/work.rs`.
pub struct ItemFirst(Parts);

impl ParMap for ItemFirst {
    fn new() -> Self {
        Self(Parts::new())
    }

    fn work(&self) {
        while let Some(place) = self.0.pull() {
            self.0.room.acquire().forget();
            self.0.put(place);
        }
    }

    fn next(&self) -> Option<u32> {
        self.0.next()
    }
}

/// Tempting: whoever has the lock, and with it the iterator, waits for room there: so items are sure to be in order.
///
/// Wrong: 1. A maps the first item. 2. It takes the lock for the second, and waits for room. 3. B wants to take the first
/// result, which would make room. It waits for the lock.
///
/// Right: who waits for room has nothing that others need: `src/par_map/work.rs`.
pub struct WaitsUnderTheLock(Parts);

impl ParMap for WaitsUnderTheLock {
    fn new() -> Self {
        Self(Parts::new())
    }

    fn work(&self) {
        loop {
            let mut state = self.0.state.acquire();
            self.0.room.acquire().forget();
            let Some(place) = state.pull() else {
                return self.0.room.release(1).unwrap();
            };
            state.put(place);
            drop(state);
            self.0.changed.notify_one();
        }
    }

    fn next(&self) -> Option<u32> {
        self.0.next()
    }
}

/// Tempting: for so many items in flight so many slots are enough, and the worker may as well begin with the next item
/// while this thread reads the slot.
///
/// Wrong: 1. A writes the first result into the slot. 2. B gives the room back. 3. A writes the second result into the
/// slot. 4. B reads it, in the place of the first.
///
/// Right: the room is given back when the result has been taken out: `src/par_map/next.rs`.
pub struct GivesRoomBeforeItReads {
    parts: Parts,
    slot: Unprotected,
    is_there: Semaphore,
}

impl ParMap for GivesRoomBeforeItReads {
    fn new() -> Self {
        Self { parts: Parts::new(), slot: Unprotected::new(0), is_there: Semaphore::new(0) }
    }

    fn work(&self) {
        while let Some(place) = {
            self.parts.room.acquire().forget();
            self.parts.pull()
        } {
            self.slot.set(10 * place as u32);
            self.is_there.release(1).unwrap();
        }
    }

    fn next(&self) -> Option<u32> {
        let taken = self.parts.state.acquire().taken;
        if taken == ITEMS {
            return None;
        }
        self.is_there.acquire().forget();
        self.parts.state.acquire().taken += 1;
        self.parts.room.release(1).unwrap();
        Some(self.slot.get())
    }
}

/// Where nobody works, whoever wants the result maps the item.
trait Helps {
    /// Returns whether there may be room now.
    fn take_room(parts: &Parts) -> bool;
}

fn next_or_help<H: Helps>(parts: &Parts) -> Option<u32> {
    let mut state = parts.state.acquire();
    loop {
        if state.taken == ITEMS {
            return None;
        }
        if let Some(result) = state.take() {
            drop(state);
            parts.room.release(1).unwrap();
            return Some(result);
        }
        if state.workers > 0 {
            parts.changed.wait(&mut state);
            continue;
        }
        drop(state);
        if H::take_room(parts) {
            parts.map();
        }
        state = parts.state.acquire();
    }
}

fn work_and_be_counted(parts: &Parts) {
    parts.state.acquire().workers += 1;
    loop {
        parts.room.acquire().forget();
        if !parts.map() {
            break;
        }
    }
    parts.state.acquire().workers -= 1;
    parts.changed.notify_all();
}

/// The right one: it does not wait for room, and looks again if there is none.
pub struct HelpsWhereThereIsRoom(Parts);

impl Helps for HelpsWhereThereIsRoom {
    fn take_room(parts: &Parts) -> bool {
        parts.room.try_acquire().map(|room| room.forget()).is_some()
    }
}

impl ParMap for HelpsWhereThereIsRoom {
    fn new() -> Self {
        Self(Parts::new())
    }

    fn work(&self) {
        work_and_be_counted(&self.0);
    }

    fn next(&self) -> Option<u32> {
        next_or_help::<Self>(&self.0)
    }
}

/// Tempting: whoever maps needs room, so whoever helps waits for it as others do. There is some, since nobody works.
///
/// Wrong: 1. A wants a result, and nobody works. 2. B comes to work, takes the room and maps. 3. A waits for room, and so
/// does B. What would make room is that A takes the result.
///
/// Right: whoever makes room must not wait for it: `src/par_map/work.rs`.
pub struct HelpsAndWaits(Parts);

impl Helps for HelpsAndWaits {
    fn take_room(parts: &Parts) -> bool {
        parts.room.acquire().forget();
        true
    }
}

impl ParMap for HelpsAndWaits {
    fn new() -> Self {
        Self(Parts::new())
    }

    fn work(&self) {
        work_and_be_counted(&self.0);
    }

    fn next(&self) -> Option<u32> {
        next_or_help::<Self>(&self.0)
    }
}
