//! The futex of a model: a queue of sleepers that loom can not see, and steps that it can.
//!
//! A kernel keeps the queue of a word under a lock, takes that lock, compares the word and enters the
//! sleeper. Here `touch` is taking the lock: a step that conflicts with every other wait and wake on the
//! word, so that loom tries them in every order. What follows it up to the next visible step of the
//! thread happens at once, as it would under the lock.
//!
//! * The comparison reads the latest value, as the kernel does, and synchronizes with nobody.
//! * A sleeper without a deadline is blocked in loom's eyes: when nobody is left to wake it, loom reports
//!   a deadlock. That is how a lost wake-up shows.
//! * loom's `unpark` orders what the waker did before what the woken does, which a kernel does not. So a
//!   wait also returns for no reason, once a thread, without that order: an algorithm that leans on the
//!   wake for its memory ordering, or takes a return for a wake, fails there.
//! * A thread that is moved to another word is moved from queue to queue. Once in an execution for each thread
//!   the call is refused, as it is by systems that do not know it.
//! * A deadline passes at once or when nothing else can run. Any moment between is like passing at once
//!   in a thread that is slow to go on.

use std::cell::Cell;
use std::rc::Rc;

use super::Outcome;
use crate::atomic::AtomicU32;
use crate::atomic::model::{Sleeper, World};
use crate::deadline::Deadline;

enum Entry {
    /// The word held another value.
    Differs,
    /// The word held the expected value, and the wait was not to sleep.
    Stays,
    Asleep(Rc<Sleeper>),
}

pub(super) fn wait(word: &AtomicU32, expected: u32) {
    // Choices are visible steps. They come first: none may stand between comparing and sleeping.
    let stays = World::now().returns_for_no_reason();
    if let Entry::Asleep(sleeper) = compare_and_sleep(word, expected, stays, false) {
        while !sleeper.woken.get() {
            loom::thread::park();
        }
    }
}

pub(super) fn wait_until(word: &AtomicU32, expected: u32, deadline: Deadline) -> Outcome {
    let world = World::now();
    let has_passed = deadline.has_passed() || world.deadline_passes();
    let stays = has_passed || world.returns_for_no_reason();
    match compare_and_sleep(word, expected, stays, true) {
        Entry::Stays if has_passed => Outcome::TimedOut,
        Entry::Stays | Entry::Differs => Outcome::Awake,
        Entry::Asleep(sleeper) => {
            // Comes back when the other threads can not go on without this one, or earlier where loom
            // wants to know what happens then.
            loom::thread::yield_now();
            if sleeper.woken.get() {
                return Outcome::Awake;
            }
            // Here, or where it was moved to.
            world.forget(&sleeper);
            Outcome::TimedOut
        }
    }
}

fn compare_and_sleep(word: &AtomicU32, expected: u32, stays: bool, is_timed: bool) -> Entry {
    let world = World::now();
    world.count(|calls| {
        calls.waits += 1;
        calls.expected |= expected;
        calls.always_expected &= expected;
    });
    world.before_sleep();
    let place = word.place();
    place.touch();
    // A visible step in itself, and the last one before the sleeper is in the queue.
    if word.latest() != expected {
        return Entry::Differs;
    }
    if stays {
        return Entry::Stays;
    }
    let thread = loom::thread::current();
    let sleeper = Rc::new(Sleeper { thread, is_timed, woken: Cell::new(false) });
    place.sleepers.borrow_mut().push_back(sleeper.clone());
    Entry::Asleep(sleeper)
}

pub(super) fn wake_one(word: *const AtomicU32) {
    wake(word, 1);
}

pub(super) fn wake_all(word: *const AtomicU32) {
    wake(word, usize::MAX);
}

pub(super) fn wake(word: *const AtomicU32, count: usize) -> usize {
    // By address alone: the word may be gone.
    let world = World::now();
    world.count(|calls| calls.wakes += 1);
    let Some(place) = world.word_at(word.addr()) else { return 0 };
    place.touch();
    let mut sleepers = place.sleepers.borrow_mut();
    let count = count.min(sleepers.len());
    world.count(|calls| calls.woken += count);
    for sleeper in sleepers.drain(..count) {
        sleeper.woken.set(true);
        if !sleeper.is_timed {
            sleeper.thread.unpark();
        }
    }
    count
}

pub(super) fn requeue_one(word: &AtomicU32, expected: u32, to: *const AtomicU32) -> bool {
    let world = World::now();
    let (from, to) = match world.word_at(to.addr()) {
        Some(to) if !world.requeue_is_refused() => (word.place(), to),
        _ => return false,
    };
    // A kernel takes both locks, then does it all at once.
    to.touch();
    from.touch();
    if word.latest() != expected {
        return false;
    }
    let moved = from.sleepers.borrow_mut().pop_front();
    world.count(|calls| calls.moved += usize::from(moved.is_some()));
    to.sleepers.borrow_mut().extend(moved);
    true
}

/// A model has no use for spinning: it would only add interleavings that differ in nothing.
pub(crate) const SPINS: bool = false;
