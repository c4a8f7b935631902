//! Queues with a lock for each end that are wrong, and the smallest one that is right.

use futon_model::atomic::{AtomicU32, Ordering::*};
use futon_model::futex;

use crate::lock::{RawLock, ThreeStates};

/// A queue with a lock for each end and room for one item, of which there is one. Only how many were taken is modelled.
pub trait TwoEnded: Send + Sync + 'static {
    fn made_of(ends: Ends) -> Self;
    fn ends(&self) -> &Ends;
    /// Whether there was room. If not, the one that makes some will see the mark.
    fn finds_room_or_leaves_a_mark(&self) -> bool;

    /// Waits until there is room for a second item.
    fn put(&self) {
        let ends = self.ends();
        ends.of_puts.acquire();
        if !self.finds_room_or_leaves_a_mark() {
            while ends.was_let_in.load(Acquire) == 0 {
                futex::wait(&ends.was_let_in, 0);
            }
        }
        ends.of_puts.release();
    }

    /// Takes the first one.
    fn get(&self) {
        let ends = self.ends();
        ends.of_gets.acquire();
        ends.taken.store(1, Release);
        if ends.mark.load(Relaxed) == 1 {
            ends.was_let_in.store(1, Release);
            futex::wake_one(&ends.was_let_in);
        }
        ends.of_gets.release();
    }
}

/// The right one in parts.
pub struct Ends {
    of_puts: ThreeStates,
    of_gets: ThreeStates,
    taken: AtomicU32,
    /// Whether somebody waits for room.
    mark: AtomicU32,
    was_let_in: AtomicU32,
}

impl Ends {
    pub fn new() -> Self {
        Self {
            of_puts: ThreeStates::new(),
            of_gets: ThreeStates::new(),
            taken: AtomicU32::new(0),
            mark: AtomicU32::new(0),
            was_let_in: AtomicU32::new(0),
        }
    }
}

/// The right one: it leaves the mark under the lock of those who get, and looks once more there.
pub struct MarksUnderBoth(Ends);

impl TwoEnded for MarksUnderBoth {
    fn made_of(ends: Ends) -> Self {
        Self(ends)
    }

    fn ends(&self) -> &Ends {
        &self.0
    }

    fn finds_room_or_leaves_a_mark(&self) -> bool {
        self.0.of_gets.acquire();
        let has_room = self.0.taken.load(Relaxed) == 1;
        if !has_room {
            self.0.mark.store(1, Relaxed);
        }
        self.0.of_gets.release();
        has_room
    }
}

/// Tempting: who waits leaves a mark, and looks once more whether there is room now: so either it sees the room, or the one that has made
/// it sees the mark. And nobody needs the other one's lock.
///
/// Wrong: both may miss it. Each of them writes one word and then reads the other one's, and a read may come before a write to
/// another word.
///
/// Right: the mark is left under both locks: `src/queue/ends.rs`.
pub struct MarksAndLooksAgain(Ends);

impl TwoEnded for MarksAndLooksAgain {
    fn made_of(ends: Ends) -> Self {
        Self(ends)
    }

    fn ends(&self) -> &Ends {
        &self.0
    }

    fn finds_room_or_leaves_a_mark(&self) -> bool {
        if self.0.taken.load(Acquire) == 1 {
            return true;
        }
        self.0.mark.store(1, Relaxed);
        self.0.taken.load(Acquire) == 1
    }
}
