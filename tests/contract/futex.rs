//! The contract of [`futex`], on the system's own.
//!
//! A wait may return for no reason at any time. So where a test needs a sleeper it sleeps in a loop, and
//! the count of the woken, not that a wait has returned, says who was there.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering::SeqCst};
#[cfg(all(target_os = "linux", not(miri)))]
use std::sync::{Arc, atomic::AtomicI32};
use std::thread;
use std::time::{Duration, Instant};

use futon::deadline::Deadline;
use futon::futex::{self, Outcome};

use crate::threads::{
    AGES, Page, endless_timeouts, last_instant, limit, rounds, stress, timed, wait_until,
};
#[cfg(not(miri))]
use crate::threads::{Storm, assert_ends_in_the_right_second};
#[cfg(all(target_os = "linux", not(miri)))]
use crate::threads::{is_asleep, system_id};

/// Threads that sleep on a word for as long as it is zero.
struct Sleepers {
    word: AtomicU32,
    left: AtomicUsize,
}

impl Sleepers {
    const fn new() -> Self {
        Self { word: AtomicU32::new(0), left: AtomicUsize::new(0) }
    }

    fn sleep(&self) {
        while self.word.load(SeqCst) == 0 {
            futex::wait(&self.word, 0);
        }
        self.left.fetch_add(1, SeqCst);
    }
}

#[test]
fn a_wait_for_another_value_returns_at_once() {
    let _limit = limit();
    let word = AtomicU32::new(1);
    futex::wait(&word, 0);
    let deadline = Deadline::after(Duration::from_secs(3600));
    assert_eq!(futex::wait_until(&word, 2, deadline), Outcome::Awake);
    assert_eq!(futex::wait_until(&word, u32::MAX, Deadline::NEVER), Outcome::Awake);
}

/// What an earlier call has left behind says nothing about this one.
#[test]
fn a_wake_is_not_taken_for_the_time_that_ran_out_before() {
    let _limit = limit();
    let word = AtomicU32::new(0);
    assert_eq!(futex::wait_until(&word, 0, past()), Outcome::TimedOut);
    let is_over = AtomicBool::new(false);
    let outcome = thread::scope(|s| {
        s.spawn(|| {
            while !is_over.load(SeqCst) {
                futex::wake_one(&raw const word);
            }
        });
        let outcome = futex::wait_until(&word, 0, Deadline::after(AGES));
        is_over.store(true, SeqCst);
        outcome
    });
    assert_eq!(outcome, Outcome::Awake);
}

#[test]
fn all_bits_of_the_word_are_compared() {
    let _limit = limit();
    for bit in 0..32 {
        let word = AtomicU32::new(1 << bit);
        futex::wait(&word, 0);
        assert_eq!(futex::wait_until(&word, 1 << bit, past()), Outcome::TimedOut);
    }
}

/// H26.
#[test]
fn a_deadline_that_has_passed_times_out_where_the_word_matches() {
    let _limit = limit();
    let word = AtomicU32::new(5);
    for deadline in [past(), Deadline::after(Duration::ZERO), Deadline::at(Instant::now())] {
        assert_eq!(futex::wait_until(&word, 5, deadline), Outcome::TimedOut);
    }
}

#[test]
fn another_value_wins_over_a_deadline_that_has_passed() {
    let word = AtomicU32::new(5);
    assert_eq!(futex::wait_until(&word, 6, past()), Outcome::Awake);
    assert_eq!(futex::wait_until(&word, 6, Deadline::after(Duration::ZERO)), Outcome::Awake);
}

fn past() -> Deadline {
    let now = Instant::now();
    Deadline::at(now.checked_sub(Duration::from_secs(1)).unwrap_or(now))
}

/// H25.
#[test]
fn a_wait_times_out_at_its_deadline_and_not_before() {
    let _limit = limit();
    let word = AtomicU32::new(0);
    for micros in stress(200).map(|round| round as u64 * 37 % 2_500) {
        let at = Instant::now() + Duration::from_micros(micros);
        while futex::wait_until(&word, 0, Deadline::at(at)) == Outcome::Awake {}
        let now = Instant::now();
        assert!(now >= at, "{:?} early", at - now);
        assert!(now - at < AGES);
    }
}

/// H22: the nanoseconds of the deadline must stay below a billion, or the kernel refuses it. A wait that
/// the kernel refuses is one that does not sleep.
#[test]
#[cfg(not(miri))]
fn a_deadline_behind_a_full_second_is_slept_for() {
    let _limit = limit();
    let word = AtomicU32::new(0);
    assert_ends_in_the_right_second(|at| {
        while futex::wait_until(&word, 0, Deadline::at(at)) == Outcome::Awake {}
    });
}

/// H21.
#[test]
fn a_deadline_beyond_the_clock_is_waited_for_until_woken() {
    let _limit = limit();
    let deadlines =
        endless_timeouts().map(Deadline::after).chain([Deadline::at(last_instant()), Deadline::NEVER]);
    for deadline in deadlines {
        let word = AtomicU32::new(0);
        thread::scope(|s| {
            let sleeper = s.spawn(|| futex::wait_until(&word, 0, deadline));
            // Found asleep, so it did not return by itself.
            while futex::wake(&word, 1) == 0 {
                assert!(!sleeper.is_finished(), "did not sleep until {deadline:?}");
                thread::yield_now();
            }
            assert_eq!(sleeper.join().unwrap(), Outcome::Awake);
        });
    }
}

#[test]
fn a_change_and_a_wake_reach_whoever_has_compared_before() {
    let _limit = limit();
    for _ in stress(3_000) {
        let sleepers = Sleepers::new();
        let waker_is_there = AtomicU32::new(0);
        thread::scope(|s| {
            s.spawn(|| {
                waker_is_there.store(1, SeqCst);
                sleepers.word.store(1, SeqCst);
                futex::wake_one(&sleepers.word);
            });
            wait_until(|| waker_is_there.load(SeqCst) == 1);
            sleepers.sleep();
        });
    }
}

#[test]
fn a_wake_says_how_many_it_has_woken() {
    let _limit = limit();
    let word = AtomicU32::new(0);
    let awake = AtomicUsize::new(0);
    let mut woken = 0;
    thread::scope(|s| {
        for _ in 0..5 {
            s.spawn(|| {
                futex::wait(&word, 0);
                awake.fetch_add(1, SeqCst);
            });
        }
        for count in [1, 2, 1, 2].into_iter().cycle() {
            if awake.load(SeqCst) == 5 {
                break;
            }
            let now = futex::wake(&word, count);
            assert!(now <= count, "woke {now} in the place of {count}");
            woken += now;
            thread::yield_now();
        }
    });
    assert_eq!(woken, 5);
    assert_eq!(futex::wake(&word, 1), 0);
    assert_eq!(futex::wake(&word, usize::MAX), 0);
}

/// The kernel's own call wakes one if it is asked for none.
#[test]
fn a_wake_of_nobody_wakes_nobody() {
    let _limit = limit();
    let word = AtomicU32::new(0);
    let awake = AtomicU32::new(0);
    thread::scope(|s| {
        s.spawn(|| {
            futex::wait(&word, 0);
            awake.store(1, SeqCst);
        });
        // Whatever the moment at which it falls asleep, many of these come after it.
        let mut woken = 0;
        for _ in 0..rounds(20_000) {
            woken += futex::wake(&word, 0);
        }
        assert_eq!(woken, 0);
        // Still there, or just coming: it is found by a wake that is meant.
        while futex::wake(&word, 1) == 0 {
            assert_eq!(awake.load(SeqCst), 0, "it was woken by a wake of nobody");
            thread::yield_now();
        }
    });
}

#[test]
fn a_wake_of_all_wakes_all() {
    let _limit = limit();
    let sleepers = Sleepers::new();
    thread::scope(|s| {
        for _ in 0..5 {
            s.spawn(|| sleepers.sleep());
        }
        sleepers.word.store(1, SeqCst);
        futex::wake_all(&sleepers.word);
    });
    assert_eq!(sleepers.left.into_inner(), 5);
}

/// However large a number the kernel can not take.
#[test]
#[cfg(all(target_os = "linux", not(miri)))]
fn a_wake_of_as_many_as_there_can_be_wakes_all() {
    let _limit = limit();
    for count in [3, usize::MAX, i32::MAX as usize, u32::MAX as usize, 1 << 31] {
        let word = AtomicU32::new(0);
        let ids = [const { AtomicI32::new(0) }; 3];
        thread::scope(|s| {
            for id in &ids {
                let word = &word;
                s.spawn(move || {
                    id.store(system_id(), SeqCst);
                    futex::wait(word, 0);
                });
            }
            let sleeps = |id: &AtomicI32| id.load(SeqCst) != 0 && is_asleep(id.load(SeqCst));
            wait_until(|| ids.iter().all(sleeps));
            let woken = futex::wake(&word, count);
            // Whoever it has missed.
            word.store(1, SeqCst);
            (0..3).for_each(|_| futex::wake_one(&word));
            assert_eq!(woken, 3, "of {count}");
        });
    }
}

/// H13.
#[test]
fn a_wake_at_memory_that_is_gone_wakes_nobody() {
    let page = Page::new(AtomicU32::new(0));
    let address = &raw const *page;
    // SAFETY: only the address is used from here on.
    unsafe { page.free() };
    futex::wake_one(address);
    futex::wake_all(address);
    futex::wake(address, 1);
    assert_eq!(futex::wake(std::ptr::null(), 1), 0);
    // The kernel's own memory, which it refuses.
    assert_eq!(futex::wake(std::ptr::without_provenance(usize::MAX - 3), 1), 0);
}

/// H24.
#[test]
#[cfg(not(miri))]
fn signals_neither_end_nor_prolong_a_timed_wait() {
    let _limit = limit();
    let word = AtomicU32::new(0);
    let storm = Storm::new();
    storm.around(|| {
        for millis in [1, 5, 20, 50] {
            let timeout = Duration::from_millis(millis);
            let sent = storm.sent();
            let (outcome, elapsed) = timed(|| futex::wait_until(&word, 0, Deadline::after(timeout)));
            assert_eq!(outcome, Outcome::TimedOut, "a signal ended the wait");
            assert!(elapsed >= timeout);
            assert!(elapsed < AGES);
            assert!(millis < 20 || storm.sent() > sent, "no signal was sent");
        }
    });
}

// A sleeper that is moved

/// Threads that have fallen asleep on the first of two words, one after the other, each once.
#[cfg(all(target_os = "linux", not(miri)))]
fn with_sleepers<const N: usize>(
    sleep: impl Fn(&AtomicU32) + Sync,
    f: impl FnOnce(&AtomicU32, &AtomicU32, &[AtomicU32; N]),
) {
    let (from, to) = (AtomicU32::new(0), AtomicU32::new(0));
    let awake = [const { AtomicU32::new(0) }; N];
    thread::scope(|s| {
        for awake in &awake {
            let (id, from, sleep) = (Arc::new(AtomicI32::new(0)), &from, &sleep);
            let theirs = id.clone();
            s.spawn(move || {
                theirs.store(system_id(), SeqCst);
                sleep(from);
                awake.store(1, SeqCst);
            });
            wait_until(|| {
                id.load(SeqCst) != 0 && (is_asleep(id.load(SeqCst)) || awake.load(SeqCst) == 1)
            });
        }
        f(&from, &to, &awake);
        // Whoever a mistake has left where it is.
        futex::wake_all(&from);
        futex::wake_all(&to);
    });
}

#[test]
#[cfg(all(target_os = "linux", not(miri)))]
fn who_was_moved_is_woken_at_the_new_word_and_not_at_the_old_one() {
    let _limit = limit();
    with_sleepers(
        |word| futex::wait(word, 0),
        |from, to, [awake]| {
            assert!(futex::requeue_one(from, 0, to));
            assert_eq!(futex::wake(from, usize::MAX), 0);
            assert_eq!(awake.load(SeqCst), 0, "woken in the place of being moved");
            assert_eq!(futex::wake(to, 1), 1);
            wait_until(|| awake.load(SeqCst) == 1);
        },
    );
}

#[test]
#[cfg(all(target_os = "linux", not(miri)))]
fn one_at_a_time_is_moved_the_first_one_first() {
    let _limit = limit();
    with_sleepers(
        |word| futex::wait(word, 0),
        |from, to, awake: &[_; 3]| {
            let are_awake = || awake.each_ref().map(|awake| awake.load(SeqCst));
            assert!(futex::requeue_one(from, 0, to));
            assert_eq!(futex::wake(to, usize::MAX), 1);
            wait_until(|| are_awake() != [0, 0, 0]);
            assert_eq!(are_awake(), [1, 0, 0]);
            assert!(futex::requeue_one(from, 0, to));
            assert_eq!(futex::wake(from, usize::MAX), 1);
            assert_eq!(futex::wake(to, usize::MAX), 1);
        },
    );
}

#[test]
#[cfg(all(target_os = "linux", not(miri)))]
fn who_was_moved_keeps_its_deadline() {
    let _limit = limit();
    let at = Instant::now() + Duration::from_millis(60);
    with_sleepers(
        |word| {
            assert_eq!(futex::wait_until(word, 0, Deadline::at(at)), Outcome::TimedOut);
            assert!(Instant::now() >= at);
        },
        |from, to, [awake]| {
            assert!(futex::requeue_one(from, 0, to));
            wait_until(|| awake.load(SeqCst) == 1 || Instant::now() > at + AGES);
            assert_eq!(awake.load(SeqCst), 1, "it has lost its deadline");
            assert_eq!(futex::wake(to, 1), 0);
        },
    );
}

#[test]
#[cfg(all(target_os = "linux", not(miri)))]
fn who_has_a_deadline_can_be_woken_where_it_was_moved_to() {
    let _limit = limit();
    with_sleepers(
        |word| {
            let deadline = Deadline::after(Duration::from_secs(3600));
            assert_eq!(futex::wait_until(word, 0, deadline), Outcome::Awake);
        },
        |from, to, [_]| {
            assert!(futex::requeue_one(from, 0, to));
            assert_eq!((futex::wake(from, 1), futex::wake(to, 1)), (0, 1));
        },
    );
}

#[test]
#[cfg(all(target_os = "linux", not(miri)))]
fn a_word_with_another_value_keeps_its_sleepers() {
    let _limit = limit();
    with_sleepers(
        |word| futex::wait(word, 0),
        |from, to, [_]| {
            for other in [1, 1 << 31, u32::MAX] {
                assert!(!futex::requeue_one(from, other, to));
            }
            // It is the word that counts, and not what the sleeper expects.
            from.store(7, SeqCst);
            assert!(!futex::requeue_one(from, 0, to));
            assert_eq!(futex::wake(to, usize::MAX), 0);
            assert!(futex::requeue_one(from, 7, to));
            assert_eq!((futex::wake(from, 1), futex::wake(to, 1)), (0, 1));
        },
    );
}

#[test]
#[cfg(all(target_os = "linux", not(miri)))]
fn where_nobody_sleeps_it_is_done_already() {
    let (from, to) = (AtomicU32::new(3), AtomicU32::new(0));
    assert!(futex::requeue_one(&from, 3, &to));
    assert!(!futex::requeue_one(&from, 4, &to));
}

/// The new word is an address and nothing else.
#[test]
#[cfg(all(target_os = "linux", not(miri)))]
fn a_sleeper_can_be_moved_to_a_word_that_is_gone() {
    let _limit = limit();
    with_sleepers(
        |word| futex::wait(word, 0),
        |from, _, [_]| {
            let page = Page::new(AtomicU32::new(0));
            let address = &raw const *page;
            // SAFETY: only the address is used from here on.
            unsafe { page.free() };
            assert!(futex::requeue_one(from, 0, address));
            assert_eq!(futex::wake(address, 1), 1);
        },
    );
}
