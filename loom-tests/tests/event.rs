//! The event, sentence by sentence of its contract.

mod checking;

use std::sync::Arc;
use std::time::{Duration, Instant};

use checking::{Seen, Slot, Unprotected, check_bounded, cost};
use futon_model::Event;
use futon_model::atomic::model::{Calls, calls, check};
use futon_model::atomic::{AtomicU32, Ordering::Relaxed, yield_now};
use loom::thread;

const SOON: Duration = Duration::from_secs(1);

/// An event, and a number that is written before it is set.
type Shared = Arc<(Event, Unprotected)>;

fn shared() -> Shared {
    Arc::new((Event::new(), Unprotected::new(0)))
}

fn until_waiting(event: &Event, threads: usize) {
    while event.waiters() < threads {
        yield_now();
    }
}

/// Waits in some way. Reads the number if the event was set.
type Way = fn(&(Event, Unprotected)) -> bool;

fn without_limit((event, value): &(Event, Unprotected)) -> bool {
    event.wait();
    assert_eq!(value.get(), 1);
    true
}

fn with_a_timeout((event, value): &(Event, Unprotected)) -> bool {
    let was_set = event.wait_timeout(SOON);
    assert!(!was_set || value.get() == 1);
    was_set
}

fn with_a_deadline((event, value): &(Event, Unprotected)) -> bool {
    let was_set = event.wait_deadline(Instant::now() + SOON);
    assert!(!was_set || value.get() == 1);
    was_set
}

fn looking((event, value): &(Event, Unprotected)) -> bool {
    let is_set = event.is_set();
    assert!(!is_set || value.get() == 1);
    is_set
}

/// Threads that wait, each in its way, and one that sets. Returns whether they saw it set.
fn released<const N: usize>(ways: [Way; N], set: impl FnOnce(&Event)) -> [bool; N] {
    let shared = shared();
    let others = ways.map(|way| {
        let shared = shared.clone();
        thread::spawn(move || way(&shared))
    });
    let (event, value) = &*shared;
    value.set(1);
    set(event);
    let released = others.map(|other| other.join().unwrap());
    assert_eq!(event.waiters(), 0);
    released
}

// A set releases

/// H6: a set that finds nobody marked as asleep must not leave the wake out too early.
#[test]
fn a_set_releases_a_waiter_and_publishes() {
    check_bounded(5, || assert_eq!(released([without_limit], Event::set), [true]));
}

#[test]
fn a_set_releases_two_waiters() {
    check_bounded(2, || _ = released([without_limit, without_limit], Event::set));
}

#[test]
fn a_set_releases_three_waiters() {
    check_bounded(1, || _ = released([without_limit; 3], Event::set));
}

#[test]
fn a_second_set_changes_nothing() {
    check_bounded(3, || {
        _ = released([without_limit], |event| {
            event.set();
            event.set();
            assert!(event.is_set());
        });
    });
}

#[test]
fn two_sets_at_once_release_a_waiter() {
    check_bounded(2, || {
        let shared = shared();
        shared.1.set(1);
        let others = [without_limit as Way, |(event, _)| {
            event.set();
            true
        }]
        .map(|way| {
            let shared = shared.clone();
            thread::spawn(move || way(&shared))
        });
        shared.0.set();
        others.into_iter().for_each(|other| _ = other.join().unwrap());
        assert!(shared.0.is_set());
    });
}

#[test]
fn who_sees_it_set_sees_what_came_before() {
    static SEEN: Seen<[bool; 1]> = Seen::new();
    check(|| SEEN.add(released([looking], Event::set)));
    SEEN.assert_is([[false], [true]]);
}

#[test]
fn a_timed_wait_may_run_out_and_may_be_released() {
    static SEEN: Seen<[bool; 1]> = Seen::new();
    check_bounded(4, || SEEN.add(released([with_a_timeout], Event::set)));
    check_bounded(4, || SEEN.add(released([with_a_deadline], Event::set)));
    SEEN.assert_is([[false], [true]]);
}

#[test]
fn a_timed_wait_runs_out_where_nobody_sets() {
    check(|| {
        let event = Event::new();
        assert!(!event.wait_timeout(SOON));
        assert!(!event.wait_deadline(Instant::now() + SOON));
        assert_eq!(event.waiters(), 0);
    });
}

#[test]
fn no_time_at_all_is_a_look() {
    check(|| {
        let event = Event::new();
        let past = Instant::now();
        assert!(!event.wait_timeout(Duration::ZERO));
        assert!(!event.wait_deadline(past));
        event.set();
        assert!(event.wait_timeout(Duration::ZERO));
        assert!(event.wait_deadline(past));
    });
}

#[test]
fn the_longest_timeout_does_not_run_out() {
    check_bounded(3, || {
        let way: Way = |(event, _)| event.wait_timeout(Duration::MAX);
        assert_eq!(released([way], Event::set), [true]);
    });
}

#[test]
fn a_waiter_that_gives_up_does_not_take_the_set_from_the_others() {
    check_bounded(1, || assert!(released([with_a_timeout, without_limit], Event::set)[1]));
    check_bounded(1, || assert!(released([without_limit, with_a_timeout], Event::set)[0]));
}

#[test]
fn what_a_waiter_that_gave_up_has_left_does_not_disturb_the_next_round() {
    check_bounded(3, || {
        let shared = shared();
        let theirs = shared.clone();
        let other = thread::spawn(move || {
            if !with_a_timeout(&theirs) {
                without_limit(&theirs);
            }
        });
        shared.1.set(1);
        shared.0.set();
        other.join().unwrap();
        shared.0.clear();
        assert!(!shared.0.wait_timeout(SOON));
    });
}

// All of them, even if a clear follows at once

fn set_and_clear(event: &Event) {
    event.set();
    event.clear();
}

/// The threads that are counted as waiting are those that a set releases.
#[test]
fn a_set_releases_who_waits_even_if_a_clear_follows_at_once() {
    check_bounded(3, || {
        let waits = |event: &Event| {
            until_waiting(event, 1);
            set_and_clear(event);
        };
        assert_eq!(released([without_limit], waits), [true]);
    });
}

/// What a flag alone could not do: by the time the released thread looks, others sleep there again. Nor does it take
/// the release back if there has been another set since, for nobody.
#[test]
fn a_set_releases_who_waits_even_if_others_sleep_again_before_it_has_looked() {
    for sets in [1, 2] {
        check_bounded(2, move || {
            let again = move |event: &Event| {
                until_waiting(event, 1);
                (0..sets).for_each(|_| set_and_clear(event));
                assert!(!event.wait_timeout(SOON));
            };
            assert_eq!(released([without_limit], again), [true]);
        });
    }
}

#[test]
fn who_finds_a_waiter_counted_sees_what_it_did_before() {
    check_bounded(3, || {
        let shared = shared();
        let theirs = shared.clone();
        let waiter = thread::spawn(move || {
            theirs.1.set(1);
            theirs.0.wait();
        });
        until_waiting(&shared.0, 1);
        assert_eq!(shared.1.get(), 1);
        shared.0.set();
        waiter.join().unwrap();
    });
}

#[test]
fn a_set_releases_both_who_wait_even_if_a_clear_follows_at_once() {
    check_bounded(1, || {
        let wait = |event: &Event| {
            until_waiting(event, 2);
            set_and_clear(event);
        };
        assert_eq!(released([without_limit, without_limit], wait), [true, true]);
    });
}

#[test]
fn a_set_releases_who_waits_even_if_another_thread_clears() {
    check_bounded(2, || {
        let shared = shared();
        let theirs = shared.clone();
        let waiter = thread::spawn(move || without_limit(&theirs));
        until_waiting(&shared.0, 1);
        let theirs = shared.clone();
        let clearer = thread::spawn(move || theirs.0.clear());
        shared.1.set(1);
        shared.0.set();
        waiter.join().unwrap();
        clearer.join().unwrap();
    });
}

/// Whoever comes between the two rounds is released by the first or the second.
#[test]
fn a_set_after_a_clear_releases_who_came_too_late_for_the_first() {
    let twice = |event: &Event| {
        set_and_clear(event);
        event.set();
    };
    check_bounded(3, move || assert_eq!(released([without_limit], twice), [true]));
    check_bounded(1, move || _ = released([without_limit, without_limit], twice));
    check_bounded(1, move || _ = released([with_a_timeout, without_limit], twice));
}

#[test]
fn a_clear_takes_back_the_flag_and_nothing_else() {
    check_bounded(3, || {
        let shared = shared();
        let theirs = shared.clone();
        let waiter = thread::spawn(move || without_limit(&theirs));
        // Also where it is not set, and a thread sleeps or is about to.
        shared.0.clear();
        assert!(!shared.0.is_set());
        shared.1.set(1);
        shared.0.set();
        waiter.join().unwrap();
        shared.0.clear();
        assert!(!shared.0.is_set());
    });
}

// Wait, clear, look for work

/// A consumer loses nothing that was put there before a set that it has cleared away, and is never left
/// waiting beside work: that would be a deadlock.
fn consume(work: &[AtomicU32; 2], event: &Event) {
    let mut found = 0;
    while found < 2 {
        event.wait();
        event.clear();
        for item in work {
            // A load, because an RMW would see the latest value without any help of the event.
            if item.load(Relaxed) == 1 {
                item.store(2, Relaxed);
                found += 1;
            }
        }
    }
}

#[test]
fn a_consumer_finds_what_one_producer_has_put_before_each_set() {
    check_bounded(3, || {
        let shared = Arc::new(([AtomicU32::new(0), AtomicU32::new(0)], Event::new()));
        let theirs = shared.clone();
        let consumer = thread::spawn(move || consume(&theirs.0, &theirs.1));
        for item in &shared.0 {
            item.store(1, Relaxed);
            shared.1.set();
        }
        consumer.join().unwrap();
    });
}

#[test]
fn a_consumer_finds_what_two_producers_have_put_before_their_sets() {
    check_bounded(1, || {
        let shared = Arc::new(([AtomicU32::new(0), AtomicU32::new(0)], Event::new()));
        let producers = [0, 1].map(|item| {
            let shared = shared.clone();
            thread::spawn(move || {
                shared.0[item].store(1, Relaxed);
                shared.1.set();
            })
        });
        consume(&shared.0, &shared.1);
        producers.into_iter().for_each(|producer| producer.join().unwrap());
    });
}

#[test]
fn two_threads_take_turns_by_two_events() {
    check_bounded(1, || {
        let shared = Arc::new((Event::new(), Event::new(), Unprotected::new(0)));
        let theirs = shared.clone();
        let other = thread::spawn(move || {
            let (ping, pong, value) = &*theirs;
            for _ in 0..2 {
                ping.wait();
                ping.clear();
                value.add_one();
                pong.set();
            }
        });
        let (ping, pong, value) = &*shared;
        for _ in 0..2 {
            value.add_one();
            ping.set();
            pong.wait();
            pong.clear();
        }
        assert_eq!(value.get(), 4);
        other.join().unwrap();
    });
}

// Nothing is touched after the set

#[test]
fn an_event_may_be_freed_by_the_thread_that_it_has_released() {
    fn model(wait: fn(&Event) -> bool) {
        check_bounded(3, move || {
            let slot = Arc::new(Slot::new(Event::new()));
            let theirs = slot.clone();
            let setter = thread::spawn(move || theirs.get().set());
            let was_set = wait(slot.get());
            if was_set {
                // The other thread may not be through with its set yet.
                slot.free();
            }
            setter.join().unwrap();
            if !was_set {
                slot.free();
            }
        });
    }
    model(|event| {
        event.wait();
        true
    });
    model(|event| event.wait_timeout(SOON));
    model(Event::is_set);
}

// No call of the futex without need

#[test]
fn a_set_without_a_sleeper_calls_nobody() {
    check(|| {
        let event = Event::new();
        assert!(!event.wait_timeout(Duration::ZERO));
        event.set();
        event.set();
        event.wait();
        event.clear();
        event.set();
        assert_eq!(calls(), Calls::default());
    });
}

#[test]
fn a_wait_for_a_set_event_is_one_load_and_a_set_and_a_clear_are_one_change_each() {
    check(|| {
        let event = Event::new();
        for _ in 0..2 {
            // A look at what is there, and the change.
            assert_eq!(cost(|| event.set()), (1, 0, 1));
        }
        assert_eq!(cost(|| event.wait()), (1, 0, 0));
        assert_eq!(cost(|| assert!(event.wait_timeout(SOON))), (1, 0, 0));
        assert_eq!(cost(|| assert!(event.wait_deadline(Instant::now() + SOON))), (1, 0, 0));
        assert_eq!(cost(|| assert!(event.is_set())), (1, 0, 0));
        assert_eq!(cost(|| event.clear()), (0, 0, 1));
    });
}

/// A set calls once for all, and a set on a set event not at all.
#[test]
fn a_set_calls_once_for_all_sleepers() {
    check_bounded(2, || {
        let event = Arc::new(Event::new());
        let theirs = event.clone();
        let other = thread::spawn(move || theirs.wait());
        event.set();
        event.set();
        assert!(calls().wakes <= 1, "{:?}", calls());
        other.join().unwrap();
        assert!(calls().wakes <= calls().waits, "{:?}", calls());
    });
}
