//! The memory that the random scheduler runs models in: what may be seen is seen, what may not is not.
//!
//! The classic litmus tests, by their usual names.

#[path = "../../tests/checking/mod.rs"]
mod checking;

use std::fmt::Debug;
use std::sync::Arc;

use checking::{Seen, Unprotected};
use futon_model::atomic::model::check;
use futon_model::atomic::{AtomicU32, Ordering, Ordering::*};
use loom::thread;

/// All of these have been seen, and no other: each is far from rare.
#[track_caller]
fn assert_is<T: PartialEq + Debug + Copy, const N: usize>(seen: &Seen<T>, expected: [T; N]) {
    seen.assert_is(expected);
    seen.assert_came_upon(expected);
}

/// Two words and a number beside them.
struct Shared {
    x: AtomicU32,
    y: AtomicU32,
    number: Unprotected,
}

/// Runs each on a thread of its own. What they returned, in their order.
fn beside<A: 'static, B: 'static>(
    first: impl FnOnce(&Shared) -> A + 'static,
    second: impl FnOnce(&Shared) -> B + 'static,
) -> (A, B) {
    let shared =
        Arc::new(Shared { x: AtomicU32::new(0), y: AtomicU32::new(0), number: Unprotected::new(0) });
    let (one, other) = (shared.clone(), shared);
    let first = thread::spawn(move || first(&one));
    let second = thread::spawn(move || second(&other));
    (first.join().unwrap(), second.join().unwrap())
}

/// One writes x and then y, the other one reads y and then x.
fn message_passing(write: Ordering, read: Ordering) -> (u32, u32) {
    let write = move |shared: &Shared| {
        shared.x.store(1, Relaxed);
        shared.y.store(1, write);
    };
    let read = move |shared: &Shared| (shared.y.load(read), shared.x.load(Relaxed));
    beside(write, read).1
}

#[test]
fn a_message_is_passed_by_release_and_acquire() {
    static SEEN: Seen<(u32, u32)> = Seen::new();
    check(|| SEEN.add(message_passing(Release, Acquire)));
    assert_is(&SEEN, [(0, 0), (0, 1), (1, 1)]);
}

#[test]
fn a_message_may_be_late_unless_it_is_released() {
    static SEEN: Seen<(u32, u32)> = Seen::new();
    check(|| SEEN.add(message_passing(Relaxed, Acquire)));
    assert_is(&SEEN, [(0, 0), (0, 1), (1, 1), (1, 0)]);
}

#[test]
fn a_message_may_be_late_unless_it_is_acquired() {
    static SEEN: Seen<(u32, u32)> = Seen::new();
    check(|| SEEN.add(message_passing(Release, Relaxed)));
    assert_is(&SEEN, [(0, 0), (0, 1), (1, 1), (1, 0)]);
}

/// Also called SB: the store of each may be behind its load.
#[test]
fn both_stores_may_be_late() {
    static SEEN: Seen<(u32, u32)> = Seen::new();
    check(|| {
        SEEN.add(beside(
            |shared| {
                shared.x.store(1, Release);
                shared.y.load(Acquire)
            },
            |shared| {
                shared.y.store(1, Release);
                shared.x.load(Acquire)
            },
        ));
    });
    assert_is(&SEEN, [(0, 0), (0, 1), (1, 0), (1, 1)]);
}

/// Also called CoRR: who has seen a value sees none from before it.
#[test]
fn a_thread_does_not_see_one_word_go_back() {
    static SEEN: Seen<(u32, u32)> = Seen::new();
    check(|| {
        let write = |shared: &Shared| (1..=2).for_each(|value| shared.x.store(value, Relaxed));
        let read = |shared: &Shared| (shared.x.load(Relaxed), shared.x.load(Relaxed));
        SEEN.add(beside(write, read).1);
    });
    assert_is(&SEEN, [(0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2)]);
}

/// A thread that only adds to the word hands on what was released before it.
#[test]
fn an_rmw_hands_on_what_was_released() {
    static SEEN: Seen<bool> = Seen::new();
    check(|| {
        let release = |shared: &Shared| {
            shared.number.set(7);
            shared.x.fetch_add(1, Release);
        };
        let pass_on = |shared: &Shared| {
            let is_second = shared.x.fetch_add(1, Relaxed) == 1;
            // What this reads was written by the line above, which has released nothing itself.
            if is_second && shared.x.load(Acquire) == 2 {
                assert_eq!(shared.number.get(), 7);
            }
            is_second
        };
        SEEN.add(beside(release, pass_on).1);
    });
    assert_is(&SEEN, [false, true]);
}

#[test]
fn a_store_does_not_hand_on_what_was_released() {
    static SEEN: Seen<(u32, u32)> = Seen::new();
    check(|| {
        // The other thread's store takes the place of the one that had released.
        let write = |shared: &Shared| {
            shared.x.store(1, Relaxed);
            shared.y.store(1, Release);
        };
        let read = |shared: &Shared| {
            let before = shared.y.swap(2, Relaxed);
            shared.y.store(3, Relaxed);
            let after = shared.y.load(Acquire);
            (if after == 3 { before } else { 0 }, shared.x.load(Relaxed))
        };
        SEEN.add(beside(write, read).1);
    });
    // Having read that the other one was there, and not what it wrote.
    SEEN.assert_came_upon([(1, 0)]);
}

#[test]
#[should_panic(expected = "Causality violation")]
fn finds_a_write_beside_a_write() {
    check(|| _ = beside(|shared| shared.number.set(1), |shared| shared.number.set(2)));
}

#[test]
#[should_panic(expected = "Causality violation")]
fn finds_a_read_beside_a_write() {
    check(|| _ = beside(|shared| shared.number.set(1), |shared| shared.number.get()));
}

#[test]
fn reads_beside_reads_are_no_race() {
    check(|| _ = beside(|shared| shared.number.get(), |shared| shared.number.get()));
}
