//! Several locks at once, sentence by sentence of their contract.
//!
//! The locks of a model stand in one array and are looked at in its order before the threads begin, so that this is the
//! order in which they are taken.

mod checking;

use std::array;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

use checking::{Seen, Slot, Unprotected, check_bounded};
use futon_model::atomic::model::{Calls, calls, check};
use futon_model::atomic::yield_now;
use futon_model::{
    Lock, RLock, acquire_all, acquire_all_deadline, acquire_all_timeout, try_acquire_all,
};
use loom::thread;

type Locks<const N: usize> = [Lock<Unprotected>; N];

const SOON: Duration = Duration::from_secs(1);

fn shared<const N: usize>() -> Arc<Locks<N>> {
    let locks = Arc::new(array::from_fn(|_| Lock::new(Unprotected::new(0))));
    assert_free(&*locks);
    locks
}

/// Nobody has any of them, nobody waits.
#[track_caller]
fn assert_free(locks: &[Lock<Unprotected>]) {
    for lock in locks {
        assert!(!lock.is_locked());
        assert_eq!(lock.waiters(), 0);
    }
}

// No deadlock, and what was done under the locks before is seen under them now

/// Takes some of the locks and adds one to each. How many it has added to each.
type Way<const N: usize> = fn(&Locks<N>) -> [u32; N];

/// Threads that take locks at once, each in its way, lose nothing of what they add.
fn take_turns<const N: usize, const T: usize>(preemptions: usize, ways: [Way<N>; T]) {
    check_bounded(preemptions, move || {
        let locks = shared();
        let [ours, others @ ..] = &ways[..] else { unreachable!() };
        let others: Vec<_> = others
            .iter()
            .map(|&way| {
                let locks = locks.clone();
                thread::spawn(move || way(&locks))
            })
            .collect();
        let mut sum = ours(&locks);
        for other in others {
            let added = other.join().unwrap();
            sum = array::from_fn(|place| sum[place] + added[place]);
        }
        assert_free(&*locks);
        assert_eq!(acquire_all(locks.each_ref()).map(|number| number.get()), sum);
    });
}

fn both([a, b]: &Locks<2>) -> [u32; 2] {
    let (a, b) = acquire_all((a, b));
    a.add_one();
    b.add_one();
    [1, 1]
}

fn both_the_other_way([a, b]: &Locks<2>) -> [u32; 2] {
    let [b, a] = acquire_all([b, a]);
    a.add_one();
    b.add_one();
    [1, 1]
}

fn a_slice(locks: &Locks<2>) -> [u32; 2] {
    acquire_all(&locks[..]).iter().for_each(|number| number.add_one());
    [1, 1]
}

fn one_alone([_, b]: &Locks<2>) -> [u32; 2] {
    b.acquire().add_one();
    [0, 1]
}

fn trying([a, b]: &Locks<2>) -> [u32; 2] {
    try_acquire_all([b, a]).map_or([0, 0], |numbers| {
        numbers.iter().for_each(|number| number.add_one());
        [1, 1]
    })
}

fn with_a_timeout([a, b]: &Locks<2>) -> [u32; 2] {
    acquire_all_timeout((b, a), SOON).map_or([0, 0], |(b, a)| {
        a.add_one();
        b.add_one();
        [1, 1]
    })
}

fn with_a_deadline(locks: &Locks<2>) -> [u32; 2] {
    acquire_all_deadline(&locks[..], Instant::now() + SOON).map_or([0, 0], |numbers| {
        numbers.iter().for_each(|number| number.add_one());
        [1, 1]
    })
}

#[test]
fn two_threads_that_ask_in_opposite_orders_take_turns() {
    take_turns(5, [both, both_the_other_way]);
    take_turns(4, [a_slice, both_the_other_way]);
}

#[test]
fn who_needs_both_and_who_needs_one_take_turns() {
    take_turns(5, [both_the_other_way, one_alone]);
    take_turns(1, [one_alone, both, both_the_other_way]);
}

#[test]
fn a_thread_that_only_tries_takes_its_turn() {
    take_turns(5, [both, trying]);
}

#[test]
fn a_thread_with_a_limit_takes_its_turn() {
    take_turns(3, [both, with_a_timeout]);
    take_turns(3, [with_a_deadline, both_the_other_way]);
}

#[test]
fn three_threads_in_a_ring_take_turns() {
    fn two(locks: &Locks<3>, first: usize) -> [u32; 3] {
        let second = (first + 1) % 3;
        let numbers = acquire_all((&locks[first], &locks[second]));
        numbers.0.add_one();
        numbers.1.add_one();
        array::from_fn(|place| u32::from(place == first || place == second))
    }
    take_turns(2, [|locks| two(locks, 0), |locks| two(locks, 1), |locks| two(locks, 2)]);
}

#[test]
fn levels_and_locks_are_taken_together() {
    check_bounded(3, || {
        let shared = Arc::new((RLock::new(Unprotected::new(0)), Lock::new(Unprotected::new(0))));
        assert!(!shared.0.is_locked() && !shared.1.is_locked());
        let theirs = shared.clone();
        let other = thread::spawn(move || {
            let (number, levels) = acquire_all((&theirs.1, &theirs.0));
            number.add_one();
            levels.add_one();
        });
        let (outer, number, inner) = acquire_all((&shared.0, &shared.1, &shared.0));
        drop(outer);
        number.add_one();
        inner.add_one();
        assert_eq!(shared.0.depth(), 1);
        drop((number, inner));
        other.join().unwrap();
        assert!(!shared.0.is_locked());
        let (levels, number) = acquire_all((&shared.0, &shared.1));
        assert_eq!((levels.get(), number.get()), (2, 2));
    });
}

// All or none

/// Another thread has the last lock at first. What this one does without all it does without any: the first one is free.
fn all_or_none(expected: [bool; 2], acquire: fn([&Lock<Unprotected>; 2]) -> bool) {
    static SEEN: Seen<(usize, bool)> = Seen::new();
    static MODELS: AtomicUsize = AtomicUsize::new(0);
    let model = MODELS.fetch_add(1, Relaxed);
    check_bounded(3, move || {
        let locks = shared::<2>();
        let theirs = locks.clone();
        let other = thread::spawn(move || theirs[1].acquire().add_one());
        let has_them = acquire([&locks[1], &locks[0]]);
        SEEN.add((model, has_them));
        assert!(locks[0].try_acquire().is_some());
        other.join().unwrap();
        assert_free(&*locks);
        assert_eq!(locks[0].acquire().get(), u32::from(has_them));
        assert_eq!(locks[1].acquire().get(), 1 + u32::from(has_them));
    });
    SEEN.assert_has(expected.map(|has_them| (model, has_them)));
}

fn add_one_to_each(numbers: impl IntoIterator<Item = impl std::ops::Deref<Target = Unprotected>>) {
    numbers.into_iter().for_each(|number| number.add_one());
}

#[test]
fn a_try_takes_all_or_none() {
    all_or_none([true, false], |locks| try_acquire_all(locks).map(add_one_to_each).is_some());
}

#[test]
fn a_timeout_may_run_out_and_leaves_nothing_taken() {
    all_or_none([true, false], |locks| acquire_all_timeout(locks, SOON).map(add_one_to_each).is_some());
}

#[test]
fn a_deadline_may_pass_and_leaves_nothing_taken() {
    all_or_none([true, false], |locks| {
        acquire_all_deadline(&locks[..], Instant::now() + SOON).map(add_one_to_each).is_some()
    });
}

#[test]
fn no_time_at_all_is_a_try() {
    all_or_none([true, false], |locks| {
        acquire_all_timeout(locks, Duration::ZERO).map(add_one_to_each).is_some()
    });
    check(|| {
        let locks = shared::<2>();
        let guard = locks[1].acquire();
        let long_ago = Instant::now();
        assert!(acquire_all_timeout(locks.each_ref(), Duration::ZERO).is_none());
        assert!(acquire_all_deadline(locks.each_ref(), long_ago).is_none());
        drop(guard);
        assert!(acquire_all_timeout(locks.each_ref(), Duration::ZERO).is_some());
        assert_eq!(calls(), Calls::default());
    });
}

#[test]
fn the_longest_timeout_does_not_run_out() {
    all_or_none([true, true], |locks| {
        acquire_all_timeout(locks, Duration::MAX).map(add_one_to_each).unwrap();
        true
    });
}

#[test]
fn a_timeout_runs_out_where_a_lock_is_not_released() {
    check_bounded(2, || {
        let locks = shared::<3>();
        let guard = locks[1].acquire();
        assert!(acquire_all_timeout(locks.each_ref(), SOON).is_none());
        assert!(!locks[0].is_locked() && !locks[2].is_locked());
        drop(guard);
        assert_free(&*locks);
    });
}

/// In one order who has the first gets the others, or finds them with a thread that wants no other.
#[test]
fn of_two_who_try_at_once_one_succeeds() {
    static SEEN: Seen<(u32, u32)> = Seen::new();
    check(|| {
        let locks = shared();
        let theirs = locks.clone();
        let other = thread::spawn(move || trying(&theirs)[0]);
        let [a, b] = &*locks;
        let ours = try_acquire_all((a, b)).is_some();
        SEEN.add((ours.into(), other.join().unwrap()));
        assert_free(&*locks);
    });
    SEEN.assert_is([(1, 1), (1, 0), (0, 1)]);
}

#[test]
fn a_panic_under_the_locks_releases_all() {
    take_turns(
        3,
        [both_the_other_way, |locks| {
            let panic = catch_unwind(AssertUnwindSafe(|| {
                let numbers = acquire_all(locks.each_ref());
                numbers.iter().for_each(|number| number.add_one());
                // A panic without the message.
                resume_unwind(Box::new(()));
            }));
            assert!(panic.is_err());
            [1, 1]
        }],
    );
}

// Nobody is forgotten

#[test]
fn who_waits_for_a_lock_that_is_given_up_again_gets_it() {
    check_bounded(2, || {
        let locks = shared::<2>();
        let guard = locks[1].acquire();
        let theirs = locks.clone();
        let gives_up =
            thread::spawn(move || assert!(acquire_all_timeout(theirs.each_ref(), SOON).is_none()));
        let theirs = locks.clone();
        let waits = thread::spawn(move || theirs[0].acquire().add_one());
        waits.join().unwrap();
        gives_up.join().unwrap();
        drop(guard);
        assert_free(&*locks);
    });
}

#[test]
fn whoever_waits_has_only_those_that_come_before() {
    check_bounded(2, || {
        let locks = shared::<3>();
        let guard = locks[1].acquire();
        let theirs = locks.clone();
        let other = thread::spawn(move || {
            let [a, b, c] = &*theirs;
            drop(acquire_all((c, b, a)));
        });
        while locks[1].waiters() == 0 {
            yield_now();
        }
        assert!(locks[0].try_acquire().is_none());
        assert!(locks[2].try_acquire().is_some());
        drop(guard);
        other.join().unwrap();
        assert_free(&*locks);
    });
}

// What is left

#[test]
fn the_locks_may_be_freed_by_whoever_has_them_last() {
    check_bounded(3, || {
        let slot = Arc::new(Slot::new([(); 2].map(|()| Lock::new(Unprotected::new(0)))));
        let theirs = slot.clone();
        let free_if_last = |slot: &Slot<Locks<2>>| {
            let [a, b] = acquire_all(slot.get().each_ref());
            a.add_one();
            let is_last = a.get() == 2;
            drop((a, b));
            if is_last {
                slot.free();
            }
        };
        let other = thread::spawn(move || free_if_last(&theirs));
        free_if_last(&slot);
        other.join().unwrap();
    });
}

#[test]
fn locks_without_contention_call_nobody() {
    check(|| {
        let locks = shared::<3>();
        drop(acquire_all(&locks[..]));
        let [a, b, c] = &*locks;
        drop(acquire_all((c, a, b)));
        drop(try_acquire_all([b, a]).unwrap());
        drop(acquire_all_timeout([b, a], SOON).unwrap());
        assert_eq!(calls(), Calls::default());
    });
}

/// In memory it is another one each time, as it may be where each lock is in a box of its own.
#[test]
fn the_order_is_the_same_in_each_execution() {
    static EXECUTIONS: AtomicUsize = AtomicUsize::new(0);
    check_bounded(2, || {
        let locks = Arc::new([(); 2].map(|()| Lock::new(Unprotected::new(0))));
        let first = EXECUTIONS.fetch_add(1, Relaxed) % 2;
        let theirs = locks.clone();
        let other = thread::spawn(move || {
            let (a, b) = acquire_all((&theirs[first], &theirs[1 - first]));
            a.add_one();
            b.add_one();
        });
        let (b, a) = acquire_all((&locks[1 - first], &locks[first]));
        a.add_one();
        b.add_one();
        drop((a, b));
        other.join().unwrap();
        assert_free(&*locks);
    });
    assert!(EXECUTIONS.load(Relaxed) > 2);
}
