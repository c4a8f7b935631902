//! [`Event`].

mod python;

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed, Ordering::SeqCst};
use std::thread;
use std::time::{Duration, Instant};

use futon::Event;

use crate::allocations::allocations;
use crate::threads::{
    AGES, Page, Random, Unprotected, endless_timeouts, last_instant, limit, rounds, spin_until, stress,
    timed, wait_until,
};
#[cfg(not(miri))]
use crate::threads::{Storm, assert_ends_in_the_right_second, sleeps};

const THREADS: usize = 5;

fn set_and_clear_for_five(rounds: usize) {
    let event = Event::new();
    let (released, cleared) = (AtomicUsize::new(0), AtomicUsize::new(0));
    thread::scope(|s| {
        for _ in 0..THREADS {
            s.spawn(|| {
                for round in 1..=rounds {
                    event.wait();
                    released.fetch_add(1, SeqCst);
                    wait_until(|| cleared.load(SeqCst) >= round);
                }
            });
        }
        for round in 1..=rounds {
            wait_until(|| event.waiters() == THREADS);
            event.set();
            event.clear();
            cleared.store(round, SeqCst);
            // A thread that has missed it sleeps for ever.
            wait_until(|| released.load(SeqCst) == round * THREADS);
        }
    });
    assert!(!event.is_set());
    assert_eq!(event.waiters(), 0);
}

// What others got wrong.

/// H8, H10: a set that comes in time is never reported as a timeout, a wait that times out neither undoes
/// the set nor keeps others from being released by it.
#[test]
fn a_set_at_the_last_moment_is_seen_by_all() {
    let _limit = limit();
    let mut random = Random::new(8);
    let (mut in_time, mut late) = (0, 0);
    for _ in stress(3_000) {
        let event = Event::new();
        let deadline = Instant::now() + Duration::from_micros(120);
        // Around the moment at which the kernel lets the sleeper go, which is after the deadline.
        let moment = deadline + Duration::from_micros(random.below(100));
        let moment = moment - Duration::from_micros(20);
        thread::scope(|s| {
            let timed = s.spawn(|| event.wait_deadline(deadline));
            let untimed = s.spawn(|| event.wait());
            spin_until(moment);
            event.set();
            let set_at = Instant::now();
            assert!(event.is_set(), "the timeout has undone the set");
            untimed.join().unwrap();
            match timed.join().unwrap() {
                true => in_time += 1,
                false => {
                    late += 1;
                    assert!(set_at > deadline, "set {:?} before the deadline", deadline - set_at);
                }
            }
            assert!(event.is_set());
            assert!(event.wait_deadline(deadline), "an event that is set needs no time");
            assert_eq!(event.waiters(), 0);
        });
    }
    // On an idle machine both come about. It depends on nothing but luck, so it is only told.
    println!("{in_time} in time, {late} late");
}

/// H12: whoever is released may free the event while the thread that has set it is still in `set`.
#[test]
fn a_released_thread_may_free_the_event_at_once() {
    let _limit = limit();
    let (send, receive) = std::sync::mpsc::channel::<Page<Event>>();
    thread::scope(|s| {
        s.spawn(move || {
            for (round, event) in receive.into_iter().enumerate() {
                // Half of the time before the waiter sleeps, half of the time while it does.
                if round % 2 == 0 {
                    wait_until(|| event.waiters() == 1);
                }
                event.set();
            }
        });
        for _ in stress(5_000) {
            let event = Page::new(Event::new());
            send.send(event.share()).unwrap();
            event.wait();
            // SAFETY: the other thread's last use of the event was the set by which this one goes on.
            unsafe { event.free() };
        }
        drop(send);
    });
}

/// H21.
#[test]
fn a_timeout_beyond_the_clock_waits_until_the_event_is_set() {
    let _limit = limit();
    let last = last_instant();
    let waits = |event: &Event, wait: &(dyn Fn(&Event) -> bool + Sync)| {
        event.clear();
        thread::scope(|s| {
            let waiter = s.spawn(|| wait(event));
            wait_until(|| event.waiters() == 1 || waiter.is_finished());
            event.set();
            waiter.join().unwrap()
        })
    };
    let event = Event::new();
    for timeout in endless_timeouts() {
        assert!(waits(&event, &|e| e.wait_timeout(timeout)), "{timeout:?}");
    }
    assert!(waits(&event, &|e| e.wait_deadline(last)));
}

/// H22.
#[test]
#[cfg(not(miri))]
fn timeouts_end_in_the_right_second() {
    let _limit = limit();
    let event = Event::new();
    assert_ends_in_the_right_second(|at| assert!(!event.wait_deadline(at)));
    let timeout = Duration::from_nanos(999_999_999);
    let slept = sleeps();
    let (was_set, elapsed) = timed(|| event.wait_timeout(timeout));
    assert!(!was_set && elapsed >= timeout && elapsed < AGES, "{elapsed:?}");
    assert!(sleeps() - slept <= 10, "it polls");
}

/// H24.
#[test]
#[cfg(not(miri))]
fn signals_do_not_show() {
    let _limit = limit();
    let event = Event::new();
    let storm = Storm::new();
    thread::scope(|s| {
        let waiter = s.spawn(|| {
            storm.around(|| {
                event.wait();
                event.clear();
                assert!(event.wait_timeout(Duration::from_secs(3600)));
                event.clear();
                for millis in [0, 1, 5, 50] {
                    let timeout = Duration::from_millis(millis);
                    let (was_set, elapsed) = timed(|| event.wait_timeout(timeout));
                    assert!(!was_set, "a signal has set it");
                    assert!(elapsed >= timeout, "a signal has cut {timeout:?} to {elapsed:?}");
                    assert!(elapsed < AGES, "signals have made {elapsed:?} of {timeout:?}");
                }
            });
        });
        for _ in 0..2 {
            wait_until(|| event.waiters() == 1 && !event.is_set());
            let sent = storm.sent();
            wait_until(|| storm.sent() > sent + 200 || waiter.is_finished());
            assert_eq!(event.waiters(), 1, "a signal has ended the wait");
            event.set();
            wait_until(|| !event.is_set() || waiter.is_finished());
        }
    });
}

/// H25.
#[test]
fn no_wait_gives_up_before_its_time() {
    let _limit = limit();
    let event = Event::new();
    let mut random = Random::new(25);
    for _ in stress(200) {
        let timeout = Duration::from_nanos(random.below(2_000_000));
        let (was_set, elapsed) = timed(|| event.wait_timeout(timeout));
        assert!(!was_set);
        assert!(elapsed >= timeout, "gave up after {elapsed:?} of {timeout:?}");
        assert!(elapsed < AGES);

        let deadline = Instant::now() + timeout;
        assert!(!event.wait_deadline(deadline));
        assert!(Instant::now() >= deadline);
    }
}

/// H26.
#[test]
fn without_time_a_wait_is_a_look() {
    let _limit = limit();
    let event = Event::new();
    let past = Instant::now();
    for _ in 0..rounds(1_000) {
        assert!(!event.wait_timeout(Duration::ZERO));
        assert!(!event.wait_deadline(past));
    }
    event.set();
    assert!(event.wait_timeout(Duration::ZERO));
    assert!(event.wait_deadline(past));
}

/// H39.
#[test]
fn nothing_is_allocated() {
    let _limit = limit();
    let event = Event::new();
    let timeout = Duration::from_micros(200);
    assert_eq!(allocations(|| assert!(!Event::new().is_set())), 0);
    assert_eq!(allocations(|| assert!(!event.wait_timeout(timeout))), 0);
    thread::scope(|s| {
        for timed in [true, false] {
            let event = &event;
            s.spawn(move || {
                let count = allocations(|| match timed {
                    true => assert!(event.wait_timeout(Duration::from_secs(3600))),
                    false => event.wait(),
                });
                assert_eq!(count, 0);
            });
        }
        wait_until(|| event.waiters() == 2);
        assert_eq!(allocations(|| event.set()), 0);
    });
    assert_eq!(allocations(|| (event.wait(), event.clear()).0), 0);
}

// What the documentation says.

#[test]
fn a_wait_sees_what_happened_before_the_set() {
    let _limit = limit();
    for round in stress(2_000) {
        let (event, data) = (Event::new(), Unprotected::new());
        thread::scope(|s| {
            for how in 0..3 {
                let (event, data) = (&event, &data);
                s.spawn(move || {
                    match how {
                        0 => event.wait(),
                        1 => assert!(event.wait_timeout(Duration::from_secs(3600))),
                        _ => wait_until(|| event.is_set()),
                    }
                    assert_eq!(data.get(), round + 1);
                });
            }
            data.set(round + 1);
            event.set();
        });
    }
}

/// A consumer waits, clears, and then takes what is there: no piece of work is left behind.
#[test]
fn a_set_that_is_cleared_away_has_published_its_work() {
    let _limit = limit();
    let (event, work) = (Event::new(), AtomicUsize::new(0));
    let pieces = rounds(50_000);
    thread::scope(|s| {
        for _ in 0..2 {
            s.spawn(|| {
                for _ in 0..pieces {
                    work.fetch_add(1, Relaxed);
                    event.set();
                }
            });
        }
        let mut done = 0;
        while done < 2 * pieces {
            event.wait();
            event.clear();
            done += work.swap(0, Relaxed);
        }
    });
}

#[test]
fn waiters_are_those_who_wait() {
    let _limit = limit();
    let event = Event::new();
    assert_eq!(event.waiters(), 0);
    thread::scope(|s| {
        for count in 1..=4 {
            s.spawn(|| event.wait());
            wait_until(|| event.waiters() == count);
        }
        event.set();
    });
    assert_eq!(event.waiters(), 0);
    event.wait();
    event.clear();
    assert!(!event.wait_timeout(Duration::from_micros(1)));
    assert_eq!(event.waiters(), 0);
}

#[test]
fn sets_clears_and_waits_of_all_kinds_get_along() {
    let _limit = limit();
    let event = Event::new();
    let over = Event::new();
    thread::scope(|s| {
        s.spawn(|| {
            let mut random = Random::new(1);
            while !over.is_set() {
                event.set();
                (0..random.below(200)).for_each(|_| std::hint::spin_loop());
                event.clear();
            }
            event.set();
        });
        let waiters: Vec<_> = (0..3)
            .map(|seed| {
                let event = &event;
                s.spawn(move || {
                    let mut random = Random::new(seed + 2);
                    for _ in 0..rounds(5_000) {
                        match random.below(3) {
                            0 => event.wait(),
                            1 => drop(event.wait_timeout(Duration::from_micros(random.below(50)))),
                            _ => {
                                let deadline = Instant::now() + Duration::from_micros(20);
                                let was_set = event.wait_deadline(deadline);
                                assert!(was_set || Instant::now() >= deadline);
                            }
                        }
                    }
                })
            })
            .collect();
        waiters.into_iter().for_each(|waiter| waiter.join().unwrap());
        over.set();
    });
    assert_eq!(event.waiters(), 0);
}

/// No system call without a sleeper, and one for all of them.
#[test]
#[cfg(all(target_os = "linux", target_pointer_width = "64", target_endian = "little", not(miri)))]
fn the_kernel_is_called_once_for_all_sleepers_and_never_without_one() {
    use crate::calls::{Calls, calls_on};
    use futon::futex;

    let _limit = limit();
    let event = Event::new();
    let without_sleepers = calls_on(&event, || {
        for _ in 0..1_000 {
            event.set();
            event.wait();
            assert!(event.wait_timeout(Duration::from_secs(3600)));
            event.clear();
            assert!(!event.is_set());
            assert!(!event.wait_timeout(Duration::ZERO));
        }
    });
    assert!(matches!(without_sleepers, None | Some(Calls::NONE)), "{without_sleepers:?}");

    event.clear();
    thread::scope(|s| {
        for _ in 0..THREADS {
            s.spawn(|| event.wait());
        }
        wait_until(|| event.waiters() == THREADS);
        let calls = calls_on(&event, || {
            event.set();
            event.set();
        });
        let expected = Calls { wakes_of_more: 1, ..Calls::NONE };
        // The wake was counted in the place of being made. Of the two words one has sleepers.
        event.set();
        let first = (&raw const event).cast();
        futex::wake_all(first);
        futex::wake_all(first.wrapping_add(1));
        assert!(calls.is_none_or(|calls| calls == expected), "{calls:?}");
    });
}
