//! [`Condition`].

mod python;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering::SeqCst};
use std::thread;
use std::time::{Duration, Instant};

use futon::{Condition, Lock, RLock, RLockGuard, WaitGuard};

use crate::allocations::allocations;
use crate::threads::{
    AGES, Page, Random, Unprotected, endless_timeouts, last_instant, limit, rounds, spin_until, stress,
    timed, wait_until,
};
#[cfg(not(miri))]
use crate::threads::{Storm, assert_ends_in_the_right_second, sleeps};

const LONG: Duration = Duration::from_secs(3600);

/// Nobody has the lock, waits for it or is kept from it.
#[track_caller]
fn assert_free<T>(lock: &Lock<T>) {
    assert!(!lock.is_locked());
    assert_eq!(lock.waiters(), 0);
    assert!(lock.try_acquire().is_some());
}

/// Whether another thread gets the lock at this moment.
fn other_gets_it<T: Send>(lock: &Lock<T>) -> bool {
    thread::scope(|s| s.spawn(|| lock.try_acquire().is_some()).join().unwrap())
}

fn message_of(f: impl FnOnce()) -> String {
    let panic = catch_unwind(AssertUnwindSafe(f)).unwrap_err();
    panic
        .downcast_ref::<String>()
        .cloned()
        .unwrap_or_else(|| (*panic.downcast_ref::<&str>().unwrap()).into())
}

/// Waits in each way that there is, with something that is notified. True if each says so.
fn waits_in_every_way<G: WaitGuard>(changed: &Condition, guard: &mut G) -> bool {
    let once = |asked: &mut u32| {
        *asked += 1;
        *asked == 1
    };
    let mut asked = [0; 3];
    changed.wait(guard);
    changed.wait_while(guard, |_| once(&mut asked[0]));
    changed.wait_timeout(guard, LONG)
        && changed.wait_deadline(guard, Instant::now() + LONG)
        && changed.wait_timeout_while(guard, LONG, |_| once(&mut asked[1]))
        && changed.wait_deadline_while(guard, Instant::now() + LONG, |_| once(&mut asked[2]))
        && asked == [2; 3]
}

/// Notifies as often as [`waits_in_every_way`] waits.
fn notify_for_every_way(changed: &Condition) {
    for _ in 0..6 {
        wait_until(|| changed.waiters() == 1);
        assert!(changed.notify_one());
    }
}

// Who is released, and when

#[test]
fn who_has_waited_longest_is_released_first() {
    let _limit = limit();
    let (order, changed) = (Lock::new(Vec::new()), Condition::new());
    thread::scope(|s| {
        for number in 0..8 {
            let (order, changed) = (&order, &changed);
            s.spawn(move || {
                let mut order = order.acquire();
                changed.wait(&mut order);
                order.push(number);
            });
            wait_until(|| changed.waiters() == number + 1);
        }
        for released in 1..=8 {
            assert!(changed.notify_one());
            wait_until(|| order.acquire().len() == released);
            assert_eq!(changed.waiters(), 8 - released);
        }
        assert!(!changed.notify_one());
    });
    assert_eq!(order.into_inner(), [0, 1, 2, 3, 4, 5, 6, 7]);
}

/// H1, H2, H3: whoever waits again stands behind those who wait already, in the ten-thousandth round as in the
/// first.
#[test]
fn nobody_is_overtaken_in_any_number_of_rounds() {
    const THREADS: usize = 3;
    let _limit = limit();
    let (last, changed) = (Lock::new((0, usize::MAX)), Condition::new());
    let is_over = AtomicBool::new(false);
    thread::scope(|s| {
        for number in 0..THREADS {
            let (last, changed, is_over) = (&last, &changed, &is_over);
            s.spawn(move || {
                let mut last = last.acquire();
                loop {
                    changed.wait(&mut last);
                    if is_over.load(SeqCst) {
                        return;
                    }
                    *last = (last.0 + 1, number);
                }
            });
            wait_until(|| changed.waiters() == number + 1);
        }
        for round in stress(20_000) {
            assert!(changed.notify_one());
            wait_until(|| changed.waiters() == THREADS);
            assert_eq!(*last.acquire(), (round + 1, round % THREADS));
        }
        is_over.store(true, SeqCst);
        assert_eq!(changed.notify_all(), THREADS);
    });
    assert_free(&last);
}

/// H2, H3: others come and go behind a thread that sleeps; the notification is for the one that stayed.
#[test]
fn who_sleeps_through_the_rounds_of_others_is_released_by_one_notification() {
    let _limit = limit();
    let (lock, changed, other) = (Lock::new(()), Condition::new(), Condition::new());
    thread::scope(|s| {
        let sleeper = s.spawn(|| changed.wait(&mut lock.acquire()));
        wait_until(|| changed.waiters() == 1);
        let partner = s.spawn(|| {
            for _ in stress(20_000) {
                assert!(!changed.wait_timeout(&mut lock.acquire(), Duration::ZERO));
                other.wait_timeout(&mut lock.acquire(), Duration::ZERO);
            }
        });
        for _ in stress(20_000) {
            assert!(!changed.wait_timeout(&mut lock.acquire(), Duration::ZERO));
            other.notify_all();
        }
        partner.join().unwrap();
        assert!(!sleeper.is_finished());
        assert_eq!(changed.waiters(), 1);
        assert!(changed.notify_one());
    });
}

#[test]
fn as_many_are_released_as_asked_for_and_there_are() {
    let _limit = limit();
    let (returned, changed) = (Lock::new(0), Condition::new());
    thread::scope(|s| {
        for _ in 0..7 {
            s.spawn(|| {
                let mut returned = returned.acquire();
                changed.wait(&mut returned);
                *returned += 1;
            });
        }
        wait_until(|| changed.waiters() == 7);
        let mut expected = 0;
        for (count, released) in [(0, 0), (1, 1), (0, 0), (2, 2), (3, 3), (2, 1), (2, 0), (0, 0)] {
            assert_eq!(changed.notify(count), released);
            expected += released;
            assert_eq!(changed.waiters(), 7 - expected);
            wait_until(|| *returned.acquire() == expected);
        }
    });
    assert_eq!(changed.notify_all(), 0);
    assert!(!changed.notify_one());
}

/// H7.
#[test]
fn all_of_many_are_released_with_the_lock_and_without() {
    let _limit = limit();
    let (returned, changed) = (Lock::new(0), Condition::new());
    let many = rounds(60);
    for round in 0..4 {
        *returned.acquire() = 0;
        thread::scope(|s| {
            for _ in 0..many {
                s.spawn(|| {
                    let mut returned = returned.acquire();
                    changed.wait(&mut returned);
                    *returned += 1;
                });
            }
            wait_until(|| changed.waiters() == many);
            let guard = (round % 2 == 0).then(|| returned.acquire());
            assert_eq!(changed.notify_all(), many);
            assert_eq!(changed.waiters(), 0);
            if let Some(guard) = guard {
                assert_eq!(*guard, 0);
                assert_eq!(returned.waiters(), many, "they wait for the lock now");
            }
        });
        assert_eq!(*returned.acquire(), many);
        assert_free(&returned);
    }
}

/// H7: a thread that has nothing to do with it releases the lock, and takes it, all the time.
#[test]
fn all_return_while_others_take_and_release_the_lock() {
    let _limit = limit();
    let (lock, changed) = (Lock::new(0_usize), Condition::new());
    let is_over = AtomicBool::new(false);
    thread::scope(|s| {
        for fair in [false, true] {
            let (lock, is_over) = (&lock, &is_over);
            s.spawn(move || {
                while !is_over.load(SeqCst) {
                    let guard = lock.acquire();
                    match fair {
                        true => futon::LockGuard::release_fair(guard),
                        false => drop(guard),
                    }
                    thread::yield_now();
                }
            });
        }
        let waiters = [(); 3].map(|()| {
            s.spawn(|| {
                for _ in 0..rounds(1_000) {
                    changed.wait(&mut lock.acquire());
                }
            })
        });
        let mut released = 0;
        while released < 3 * rounds(1_000) {
            released += changed.notify_all();
        }
        waiters.into_iter().for_each(|waiter| waiter.join().unwrap());
        is_over.store(true, SeqCst);
    });
    assert_free(&lock);
}

#[test]
fn a_notification_is_not_kept() {
    let _limit = limit();
    let (lock, changed) = (Lock::new(()), Condition::new());
    assert!(!changed.notify_one());
    assert_eq!(changed.notify(3), 0);
    assert_eq!(changed.notify_all(), 0);
    assert!(!changed.wait_timeout(&mut lock.acquire(), Duration::from_millis(2)));
}

#[test]
fn waiters_are_those_who_wait_to_be_notified() {
    let _limit = limit();
    let (lock, changed) = (Lock::new(()), Condition::new());
    assert_eq!(changed.waiters(), 0);
    thread::scope(|s| {
        for count in 1..=4 {
            s.spawn(|| changed.wait(&mut lock.acquire()));
            wait_until(|| changed.waiters() == count);
            assert_eq!(format!("{changed:?}"), format!("Condition {{ waiters: {count} }}"));
        }
        assert!(!changed.wait_timeout(&mut lock.acquire(), Duration::from_micros(1)));
        assert_eq!(changed.waiters(), 4, "the one that gave up is not counted any more");
        let guard = lock.acquire();
        assert_eq!(changed.notify(3), 3);
        // From now on they wait for the lock.
        assert_eq!((changed.waiters(), lock.waiters()), (1, 3));
        drop(guard);
        assert_eq!(changed.notify_all(), 1);
    });
    assert_eq!(changed.waiters(), 0);
    assert_free(&lock);
}

/// Looks again after each notification, since another thread may have been faster.
#[test]
fn what_was_there_may_be_gone_when_the_lock_is_had_again() {
    let _limit = limit();
    let (items, changed) = (Lock::new(Vec::new()), Condition::new());
    let asked = AtomicUsize::new(0);
    thread::scope(|s| {
        let consumer = s.spawn(|| {
            let mut items = items.acquire();
            changed.wait_while(&mut items, |items| {
                asked.fetch_add(1, SeqCst);
                items.is_empty()
            });
            items.pop()
        });
        for round in 1..=3 {
            wait_until(|| changed.waiters() == 1);
            assert_eq!(asked.load(SeqCst), round);
            let mut items = items.acquire();
            items.push(round);
            assert!(changed.notify_one());
            if round < 3 {
                assert_eq!(items.pop(), Some(round));
            }
        }
        assert_eq!(consumer.join().unwrap(), Some(3));
    });
}

#[test]
fn a_condition_that_does_not_hold_is_not_waited_for() {
    let (value, changed) = (Lock::new(5), Condition::new());
    let mut guard = value.acquire();
    let mut asked = 0;
    let mut ask = |value: &i32| {
        asked += 1;
        *value != 5
    };
    changed.wait_while(&mut guard, &mut ask);
    assert!(changed.wait_timeout_while(&mut guard, Duration::ZERO, &mut ask));
    assert!(changed.wait_timeout_while(&mut guard, LONG, &mut ask));
    assert!(changed.wait_deadline_while(&mut guard, Instant::now(), &mut ask));
    assert_eq!(asked, 4);
}

// The lock

#[test]
fn every_way_to_wait_can_be_notified() {
    let _limit = limit();
    let (lock, changed) = (Lock::new(1), Condition::new());
    thread::scope(|s| {
        s.spawn(|| {
            let mut guard = lock.acquire();
            assert!(waits_in_every_way(&changed, &mut guard));
            assert!(!other_gets_it(&lock));
            *guard += 1;
        });
        notify_for_every_way(&changed);
    });
    assert_eq!(*lock.acquire(), 2);
    assert_free(&lock);
}

#[test]
fn a_guard_that_owns_its_lock_can_be_waited_with() {
    let _limit = limit();
    let (lock, changed) = (Arc::new(Lock::new(1)), Condition::new());
    thread::scope(|s| {
        s.spawn(|| {
            let mut guard = lock.acquire_arc();
            assert!(waits_in_every_way(&changed, &mut guard));
            assert!(!other_gets_it(&lock));
            *guard += 1;
        });
        notify_for_every_way(&changed);
    });
    assert_eq!(*lock.acquire(), 2);
    assert_free(&lock);
}

#[test]
fn the_one_level_of_a_re_entrant_lock_is_given_up_and_had_again() {
    let _limit = limit();
    let (lock, changed) = (Arc::new(RLock::new(AtomicU32::new(0))), Condition::new());
    let gives_up = |wait: &(dyn Fn() -> bool + Sync)| {
        thread::scope(|s| {
            s.spawn(|| {
                assert!(wait());
                assert!(!lock.is_owned());
            });
            for round in 0..6 {
                wait_until(|| changed.waiters() == 1);
                // Ours in the meantime.
                let value = lock.acquire();
                assert_eq!((lock.depth(), value.swap(round, SeqCst)), (1, round.max(1) - 1));
                assert!(changed.notify_one());
            }
        });
        lock.acquire().store(0, SeqCst);
        assert!(!lock.is_locked());
    };
    gives_up(&|| {
        let mut guard = lock.acquire();
        waits_in_every_way(&changed, &mut guard) && (lock.depth(), lock.is_owned()) == (1, true)
    });
    gives_up(&|| {
        let mut guard = lock.acquire_arc();
        waits_in_every_way(&changed, &mut guard) && (lock.depth(), lock.is_owned()) == (1, true)
    });
}

#[test]
fn all_levels_of_a_re_entrant_lock_are_given_up_and_had_again() {
    let _limit = limit();
    let (lock, changed) = (RLock::new(AtomicU32::new(0)), Condition::new());
    for levels in 1..=3 {
        thread::scope(|s| {
            s.spawn(|| {
                let outer: Vec<_> = (1..levels).map(|_| lock.acquire()).collect();
                let mut inner = lock.acquire();
                let mut all = RLockGuard::all_levels(&mut inner);
                assert_eq!(lock.depth(), levels);
                assert!(waits_in_every_way(&changed, &mut all));
                assert_eq!(lock.depth(), levels);
                assert!(!changed.wait_timeout(&mut all, Duration::ZERO));
                assert_eq!(lock.depth(), levels);
                assert_eq!(inner.load(SeqCst), 6);
                drop((inner, outer));
                assert!(!lock.is_owned());
            });
            for round in 0..6 {
                wait_until(|| changed.waiters() == 1);
                lock.acquire().store(round + 1, SeqCst);
                assert!(changed.notify_one());
            }
        });
        assert!(!lock.is_locked());
        assert_eq!(lock.waiters(), 0);
    }
}

/// H16: another guard's `&T` would be in use while others have the lock.
#[test]
fn a_guard_that_is_not_the_only_one_of_its_thread_can_not_be_waited_with() {
    let _limit = limit();
    let (lock, changed) = (Arc::new(RLock::new(())), Condition::new());
    let _outer = lock.acquire();
    let mut inner = lock.acquire();
    let expected =
        "has 2 levels of an RLock; to give up more than one, wait with RLockGuard::all_levels";
    let refuses = |ways: &mut dyn FnMut(usize)| {
        for way in 0..6 {
            let message = message_of(|| ways(way));
            assert!(message.contains(expected), "{message}");
            assert_eq!((lock.depth(), lock.is_owned()), (2, true), "given up");
            let other = thread::scope(|s| s.spawn(|| lock.try_acquire().is_some()).join().unwrap());
            assert!(!other);
            assert_eq!(changed.waiters(), 0);
        }
    };
    refuses(&mut |way| waits_in_way(way, &changed, &mut inner));
    drop(inner);
    let mut inner = lock.acquire_arc();
    refuses(&mut |way| waits_in_way(way, &changed, &mut inner));
}

/// One wait, in one of the six ways.
fn waits_in_way<G: WaitGuard>(way: usize, changed: &Condition, guard: &mut G) {
    let now = Instant::now();
    match way {
        0 => changed.wait(guard),
        1 => changed.wait_while(guard, |_| true),
        2 => _ = changed.wait_timeout(guard, Duration::ZERO),
        3 => _ = changed.wait_deadline(guard, now),
        4 => _ = changed.wait_timeout_while(guard, Duration::ZERO, |_| true),
        _ => _ = changed.wait_deadline_while(guard, now, |_| true),
    }
}

#[test]
fn with_two_locks_at_once_it_panics_before_anything_is_given_up() {
    let _limit = limit();
    let (first, second) = (Lock::new(()), Arc::new(Lock::new(())));
    let (third, changed) = (RLock::new(()), Condition::new());
    let expected =
        "this condition is waited for with another lock; all who wait at one time need the same";
    thread::scope(|s| {
        let waiters = [(); 2].map(|()| s.spawn(|| changed.wait(&mut first.acquire())));
        wait_until(|| changed.waiters() == 2);
        for waiting in [2, 1] {
            for way in 0..6 {
                let mut guard = second.acquire();
                assert_eq!(message_of(|| waits_in_way(way, &changed, &mut guard)), expected);
                assert!(!other_gets_it(&second), "given up");
                drop(guard);
                let mut guard = second.acquire_arc();
                assert_eq!(message_of(|| waits_in_way(way, &changed, &mut guard)), expected);
                drop(guard);
                let mut guard = third.acquire();
                assert_eq!(message_of(|| waits_in_way(way, &changed, &mut guard)), expected);
                assert_eq!(third.depth(), 1);
            }
            assert_free(&second);
            assert_eq!(changed.waiters(), waiting);
            // With the same lock there is nothing against it.
            assert!(!changed.wait_timeout(&mut first.acquire(), Duration::ZERO));
            assert!(changed.notify_one());
        }
        // None of the first lock waits any more, though they may not have returned yet.
        assert!(!changed.wait_timeout(&mut second.acquire(), Duration::ZERO));
        waiters.into_iter().for_each(|waiter| waiter.join().unwrap());
        let other = s.spawn(|| changed.wait(&mut second.acquire()));
        wait_until(|| changed.waiters() == 1);
        assert!(changed.notify_one());
        other.join().unwrap();
    });
    assert_free(&first);
    assert_free(&second);
}

#[test]
fn conditions_of_one_lock_are_told_apart() {
    let _limit = limit();
    let (lock, conditions) = (Lock::new([0; 3]), [const { Condition::new() }; 3]);
    thread::scope(|s| {
        for (number, condition) in conditions.iter().enumerate() {
            for _ in 0..2 {
                let lock = &lock;
                s.spawn(move || {
                    let mut returned = lock.acquire();
                    condition.wait(&mut returned);
                    returned[number] += 1;
                });
            }
        }
        wait_until(|| conditions.iter().all(|condition| condition.waiters() == 2));
        assert_eq!(conditions[1].notify_all(), 2);
        wait_until(|| lock.acquire()[1] == 2);
        assert_eq!(*lock.acquire(), [0, 2, 0]);
        assert!(conditions[2].notify_one());
        wait_until(|| lock.acquire()[2] == 1);
        assert_eq!(*lock.acquire(), [0, 2, 1]);
        assert_eq!(conditions.each_ref().map(Condition::waiters), [2, 0, 1]);
        assert_eq!(conditions.each_ref().map(Condition::notify_all), [2, 0, 1]);
    });
    assert_eq!(*lock.acquire(), [2, 2, 2]);
}

#[test]
fn a_buffer_with_two_conditions_loses_nothing() {
    const PAIRS: usize = 3;
    let _limit = limit();
    let (buffer, is_full, is_empty) = (Lock::new(Vec::new()), Condition::new(), Condition::new());
    let items = rounds(3_000);
    let sum: usize = thread::scope(|s| {
        for _ in 0..PAIRS {
            s.spawn(|| {
                for item in 1..=items {
                    let mut buffer = buffer.acquire();
                    is_full.wait_while(&mut buffer, |buffer| buffer.len() >= 2);
                    buffer.push(item);
                    is_empty.notify_one();
                }
            });
        }
        let consumers = [(); PAIRS].map(|()| {
            s.spawn(|| {
                let mut sum = 0;
                for _ in 0..items {
                    let mut buffer = buffer.acquire();
                    is_empty.wait_while(&mut buffer, |buffer| buffer.is_empty());
                    sum += buffer.pop().unwrap();
                    drop(buffer);
                    is_full.notify_one();
                }
                sum
            })
        });
        consumers.into_iter().map(|consumer| consumer.join().unwrap()).sum()
    });
    assert_eq!(sum, PAIRS * items * (items + 1) / 2);
    assert!(buffer.acquire().is_empty());
    assert_free(&buffer);
}

// Panics

/// H33.
#[test]
fn a_predicate_that_panics_unwinds_with_the_lock() {
    let _limit = limit();
    let (lock, changed) = (Lock::new(0), Condition::new());
    for panics_at in 1..=3 {
        *lock.acquire() = 0;
        thread::scope(|s| {
            let waiter = s.spawn(|| {
                let mut guard = lock.acquire();
                let panic = catch_unwind(AssertUnwindSafe(|| {
                    let mut asked = 0;
                    changed.wait_while(&mut guard, |_| {
                        asked += 1;
                        if asked == panics_at {
                            // A panic without the message.
                            resume_unwind(Box::new(asked));
                        }
                        true
                    });
                }));
                assert_eq!(*panic.unwrap_err().downcast_ref::<i32>().unwrap(), panics_at);
                assert!(!other_gets_it(&lock), "not with the guard");
                *guard += 1;
                resume_unwind(Box::new(()));
            });
            for _ in 1..panics_at {
                wait_until(|| changed.waiters() == 1);
                assert!(changed.notify_one());
            }
            assert!(waiter.join().is_err());
        });
        // Released while unwinding.
        assert_eq!(*lock.acquire(), 1);
        assert_eq!(changed.waiters(), 0);
        assert_free(&lock);
    }
}

// Time

/// H4: the notification is for the one in front, or, if that one has given up, for the next.
#[test]
fn a_notification_at_the_last_moment_is_not_swallowed() {
    let _limit = limit();
    let mut random = Random::new(4);
    let (mut in_time, mut late) = (0, 0);
    for round in stress(2_000) {
        let (lock, changed) = (Lock::new(()), Condition::new());
        let deadline = Instant::now() + Duration::from_micros(250);
        // Around the moment at which the kernel lets the sleeper go, which is after the deadline.
        let moment = deadline + Duration::from_micros(random.below(120));
        let moment = moment - Duration::from_micros(20);
        thread::scope(|s| {
            let timed = s.spawn(|| changed.wait_deadline(&mut lock.acquire(), deadline));
            wait_until(|| changed.waiters() == 1 || timed.is_finished());
            let untimed = s.spawn(|| changed.wait(&mut lock.acquire()));
            wait_until(|| changed.waiters() == 2 || Instant::now() > deadline);
            wait_until(|| changed.waiters() >= 1);
            spin_until(moment);
            let guard = (round % 2 == 0).then(|| lock.acquire());
            let released = changed.notify_one();
            let notified_at = Instant::now();
            drop(guard);
            let notified = timed.join().unwrap();
            match notified {
                true => in_time += 1,
                false => late += 1,
            }
            assert!(notified || notified_at > deadline);
            assert!(released || !notified);
            if notified || !released {
                wait_until(|| changed.waiters() == 1);
                assert!(!untimed.is_finished(), "released by nothing");
                assert!(changed.notify_one());
            }
            // Else it is for this one, which sleeps for ever if it has been swallowed.
            untimed.join().unwrap();
            assert_eq!(changed.waiters(), 0);
        });
        assert_free(&lock);
    }
    // On an idle machine both come about. It depends on nothing but luck, so it is only told.
    println!("{in_time} in time, {late} late");
}

/// H10: what comes true at the last moment counts, notified or not.
#[test]
fn who_runs_out_of_time_looks_once_more() {
    let _limit = limit();
    let (ready, changed) = (Lock::new(false), Condition::new());
    let deadline = Instant::now() + Duration::from_millis(20);
    thread::scope(|s| {
        let waiter = s.spawn(|| {
            let mut ready = ready.acquire();
            changed.wait_deadline_while(&mut ready, deadline, |ready| !ready)
        });
        wait_until(|| changed.waiters() == 1);
        *ready.acquire() = true;
        assert!(waiter.join().unwrap());
        assert!(Instant::now() >= deadline, "released by nothing");
    });
    // And with no time at all: before the wait, and after it.
    let mut guard = ready.acquire();
    let mut asked = 0;
    let second_time = |_: &bool| {
        asked += 1;
        asked == 1
    };
    assert!(changed.wait_timeout_while(&mut guard, Duration::ZERO, second_time));
    assert_eq!(asked, 2);
}

/// H21.
#[test]
fn a_timeout_beyond_the_clock_waits_until_it_is_notified() {
    let _limit = limit();
    let (lock, changed) = (Lock::new(()), Condition::new());
    let last = last_instant();
    let waits = |wait: &(dyn Fn(&mut futon::LockGuard<'_, ()>) -> bool + Sync)| {
        thread::scope(|s| {
            let waiter = s.spawn(|| wait(&mut lock.acquire()));
            wait_until(|| changed.waiters() == 1 || waiter.is_finished());
            changed.notify_one();
            waiter.join().unwrap()
        })
    };
    for timeout in endless_timeouts() {
        assert!(waits(&|guard| changed.wait_timeout(guard, timeout)), "{timeout:?}");
    }
    assert!(waits(&|guard| changed.wait_deadline(guard, last)));
    let once = || {
        let mut asked = 0;
        move |_: &()| {
            asked += 1;
            asked == 1
        }
    };
    assert!(waits(&|guard| changed.wait_timeout_while(guard, Duration::MAX, once())));
    assert!(waits(&|guard| changed.wait_deadline_while(guard, last, once())));
}

/// H22.
#[test]
#[cfg(not(miri))]
fn timeouts_end_in_the_right_second() {
    let _limit = limit();
    let (lock, changed) = (Lock::new(()), Condition::new());
    assert_ends_in_the_right_second(|at| assert!(!changed.wait_deadline(&mut lock.acquire(), at)));
    let mut guard = lock.acquire();
    let timeout = Duration::from_nanos(999_999_999);
    let slept = sleeps();
    let (notified, elapsed) = timed(|| changed.wait_timeout(&mut guard, timeout));
    assert!(!notified && elapsed >= timeout && elapsed < AGES, "{elapsed:?}");
    assert!(sleeps() - slept <= 10, "it polls");
}

/// H25.
#[test]
fn no_wait_gives_up_before_its_time() {
    let _limit = limit();
    let (lock, changed) = (Lock::new(()), Condition::new());
    let mut guard = lock.acquire();
    let mut random = Random::new(25);
    for _ in stress(200) {
        let timeout = Duration::from_nanos(random.below(2_000_000));
        for is_repeated in [false, true] {
            let (ended, elapsed) = timed(|| match is_repeated {
                true => changed.wait_timeout_while(&mut guard, timeout, |()| true),
                false => changed.wait_timeout(&mut guard, timeout),
            });
            assert!(!ended);
            assert!(elapsed >= timeout, "gave up after {elapsed:?} of {timeout:?}");
            assert!(elapsed < AGES);

            let deadline = Instant::now() + timeout;
            let ended = match is_repeated {
                true => changed.wait_deadline_while(&mut guard, deadline, |()| true),
                false => changed.wait_deadline(&mut guard, deadline),
            };
            assert!(!ended);
            assert!(Instant::now() >= deadline);
        }
    }
}

/// H26: also without time others get at the lock.
#[test]
fn a_wait_without_time_gives_up_the_lock_and_takes_it_again() {
    let _limit = limit();
    let (lock, changed) = (Lock::new(0), Condition::new());
    let past = Instant::now();
    thread::scope(|s| {
        for way in 0..2 {
            let mut guard = lock.acquire();
            s.spawn(|| *lock.acquire() += 1);
            wait_until(|| lock.waiters() == 1);
            // The other one gets it, if not the first time: a thread that waits is overtaken for a while.
            while *guard == way {
                let notified = match way {
                    0 => changed.wait_timeout(&mut guard, Duration::ZERO),
                    _ => changed.wait_deadline(&mut guard, past),
                };
                assert!(!notified);
                assert!(!other_gets_it(&lock));
            }
        }
    });
    assert_free(&lock);
}

/// The time is for the wait. Taking the lock again takes as long as it takes.
#[test]
fn a_wait_that_is_over_does_not_return_without_the_lock() {
    let _limit = limit();
    let (lock, changed) = (Lock::new(0), Condition::new());
    thread::scope(|s| {
        for is_notified in [false, true] {
            let (lock, changed) = (&lock, &changed);
            let timeout = if is_notified { LONG } else { Duration::from_millis(1) };
            let waiter = s.spawn(move || {
                let mut guard = lock.acquire();
                let notified = changed.wait_timeout(&mut guard, timeout);
                (notified, *guard)
            });
            // Its time may be over before anybody looks.
            wait_until(|| changed.waiters() == 1 || waiter.is_finished());
            let mut guard = lock.acquire();
            if waiter.is_finished() {
                continue;
            }
            if is_notified {
                changed.notify_one();
            }
            wait_until(|| lock.waiters() == 1);
            *guard += 1;
            let now = *guard;
            drop(guard);
            assert_eq!(waiter.join().unwrap(), (is_notified, now));
        }
    });
}

/// H24, and the same for a thread that has been moved to those who wait for the lock.
#[test]
#[cfg(not(miri))]
fn signals_do_not_show() {
    let _limit = limit();
    let (lock, changed) = (Lock::new(0), Condition::new());
    let storm = Storm::new();
    thread::scope(|s| {
        let waiter = s.spawn(|| {
            storm.around(|| {
                let mut guard = lock.acquire();
                changed.wait(&mut guard);
                assert_eq!(*guard, 1);
                assert!(changed.wait_timeout(&mut guard, LONG));
                assert_eq!(*guard, 2);
                for millis in [0, 1, 5, 50] {
                    let timeout = Duration::from_millis(millis);
                    let (notified, elapsed) = timed(|| changed.wait_timeout(&mut guard, timeout));
                    assert!(!notified, "a signal has notified it");
                    assert!(elapsed >= timeout, "a signal has cut {timeout:?} to {elapsed:?}");
                    assert!(elapsed < AGES, "signals have made {elapsed:?} of {timeout:?}");
                }
            });
        });
        let many_signals = || {
            let sent = storm.sent();
            wait_until(|| storm.sent() > sent + 200 || waiter.is_finished());
        };
        for _ in 0..2 {
            wait_until(|| changed.waiters() == 1);
            many_signals();
            assert_eq!(changed.waiters(), 1, "a signal has ended the wait");
            let mut guard = lock.acquire();
            assert!(changed.notify_one());
            many_signals();
            assert_eq!((changed.waiters(), lock.waiters()), (0, 1));
            *guard += 1;
        }
    });
    assert_free(&lock);
}

// Memory

/// H12: whoever is released may free the condition and the lock while the notifier is still in `notify`.
#[test]
fn a_released_thread_may_free_the_condition_and_the_lock_at_once() {
    let _limit = limit();
    let (send, receive) = std::sync::mpsc::channel::<Page<(Condition, Lock<()>)>>();
    thread::scope(|s| {
        s.spawn(move || {
            for (round, page) in receive.into_iter().enumerate() {
                let (changed, lock) = &*page;
                wait_until(|| changed.waiters() == 1);
                if round % 3 == 0 {
                    // Asleep by then, most of the time.
                    thread::yield_now();
                }
                let guard = (round % 2 == 0).then(|| lock.acquire());
                assert_eq!(changed.notify_all(), 1);
                drop(guard);
            }
        });
        for round in stress(5_000) {
            let page = Page::new((Condition::new(), Lock::new(())));
            send.send(page.share()).unwrap();
            let (changed, lock) = &*page;
            match round % 2 {
                0 => changed.wait(&mut lock.acquire()),
                _ => assert!(changed.wait_timeout(&mut lock.acquire(), LONG)),
            }
            // SAFETY: the other thread's last use of both was the notification by which this one goes on,
            // and the release before which it did not.
            unsafe { page.free() };
        }
        drop(send);
    });
}

/// H20.
#[test]
fn a_thread_that_was_notified_without_the_lock_sees_what_came_before() {
    let _limit = limit();
    for round in stress(2_000) {
        let (lock, changed, data) = (Lock::new(()), Condition::new(), Unprotected::new());
        thread::scope(|s| {
            for is_timed in [false, true] {
                let (lock, changed, data) = (&lock, &changed, &data);
                s.spawn(move || {
                    let mut guard = lock.acquire();
                    match is_timed {
                        true => assert!(changed.wait_timeout(&mut guard, LONG)),
                        false => changed.wait(&mut guard),
                    }
                    assert_eq!(data.get(), round + 1);
                });
            }
            wait_until(|| changed.waiters() == 2);
            data.set(round + 1);
            assert_eq!(changed.notify_all(), 2);
        });
    }
}

/// H39.
#[test]
fn nothing_is_allocated() {
    let _limit = limit();
    let (lock, changed) = (Lock::new(()), Condition::new());
    let timeout = Duration::from_micros(200);
    assert_eq!(allocations(|| assert!(!Condition::new().notify_one())), 0);
    let times_out = || assert!(!changed.wait_timeout(&mut lock.acquire(), timeout));
    assert_eq!(allocations(times_out), 0);
    thread::scope(|s| {
        for is_timed in [false, true] {
            let (lock, changed) = (&lock, &changed);
            s.spawn(move || {
                let mut guard = lock.acquire();
                let count = allocations(|| match is_timed {
                    true => assert!(changed.wait_timeout(&mut guard, LONG)),
                    false => changed.wait(&mut guard),
                });
                assert_eq!(count, 0);
            });
        }
        wait_until(|| changed.waiters() == 2);
        assert_eq!(allocations(|| assert!(changed.notify_one())), 0);
        let _guard = lock.acquire();
        assert_eq!(allocations(|| assert_eq!(changed.notify_all(), 1)), 0);
    });
}

// The cost

/// No system call without a waiter. With the lock held, none that wakes.
#[test]
#[cfg(all(target_os = "linux", target_pointer_width = "64", target_endian = "little", not(miri)))]
fn the_kernel_is_not_called_without_a_waiter_and_wakes_nobody_who_would_have_to_wait() {
    use crate::calls::{Calls, calls_on};

    let _limit = limit();
    let both = (Condition::new(), Lock::new(()));
    let (changed, lock) = &both;
    let without_waiters = calls_on(&both, || {
        for _ in 0..1_000 {
            let mut guard = lock.acquire();
            assert!(!changed.notify_one());
            assert_eq!((changed.notify(3), changed.notify_all()), (0, 0));
            changed.wait_while(&mut guard, |()| false);
            assert!(!changed.wait_timeout(&mut guard, Duration::ZERO));
        }
    });
    assert!(matches!(without_waiters, None | Some(Calls::NONE)), "{without_waiters:?}");

    thread::scope(|s| {
        for _ in 0..5 {
            s.spawn(|| changed.wait(&mut lock.acquire()));
        }
        wait_until(|| changed.waiters() == 5);
        let guard = lock.acquire();
        let calls = calls_on(lock, || assert_eq!(changed.notify_all(), 5));
        if calls.is_none() {
            changed.notify_all();
        }
        assert_eq!(lock.waiters(), 5);
        assert!(matches!(calls, None | Some(Calls::NONE)), "{calls:?}");
        drop(guard);
    });
}

/// No stampede: each one sleeps about once, not once for each who goes before.
#[test]
#[cfg(all(target_os = "linux", not(miri)))]
fn those_who_are_notified_together_are_woken_one_after_the_other() {
    use crate::threads::{is_asleep, system_id};
    use std::sync::atomic::AtomicI32;

    const WAITERS: usize = 8;
    let _limit = limit();
    let (lock, changed) = (Lock::new(()), Condition::new());
    for has_lock in [true, false] {
        let ids = [const { AtomicI32::new(0) }; WAITERS];
        let slept: i64 = thread::scope(|s| {
            let waiters: Vec<_> = ids
                .iter()
                .map(|id| {
                    let (lock, changed) = (&lock, &changed);
                    s.spawn(move || {
                        id.store(system_id(), SeqCst);
                        let mut guard = lock.acquire();
                        let before = sleeps();
                        changed.wait(&mut guard);
                        let slept = sleeps() - before;
                        // Long enough for others to find the lock taken and to sleep again.
                        spin_until(Instant::now() + Duration::from_millis(2));
                        slept
                    })
                })
                .collect();
            let all_sleep = || ids.iter().all(|id| is_asleep(id.load(SeqCst)));
            wait_until(|| changed.waiters() == WAITERS && all_sleep());
            let guard = has_lock.then(|| lock.acquire());
            assert_eq!(changed.notify_all(), WAITERS);
            assert!(guard.is_none() || all_sleep(), "woken while the lock is taken");
            drop(guard);
            waiters.into_iter().map(|waiter| waiter.join().unwrap()).sum()
        });
        assert!(slept <= 2 * WAITERS as i64, "{WAITERS} threads have slept {slept} times");
    }
}

// All at once

/// As many waits return as notified as there are notifications, whoever gives up, panics or dies meanwhile.
#[test]
fn waits_and_notifications_of_all_kinds_balance() {
    let _limit = limit();
    let (lock, changed) = (Lock::new(()), Condition::new());
    let (given, used) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let over = AtomicBool::new(false);

    let wait = |random: &mut Random| {
        let micros = Duration::from_micros(random.below(60));
        let add = |count: usize| _ = used.fetch_add(count, SeqCst);
        match random.below(7) {
            0 => {
                changed.wait(&mut lock.acquire());
                add(1);
            }
            1 => add(changed.wait_timeout(&mut lock.acquire(), micros).into()),
            2 => add(changed.wait_deadline(&mut lock.acquire(), Instant::now() + micros).into()),
            3 => {
                // Asked before each wait, and after the last.
                let mut asked = 0;
                let ended = changed.wait_timeout_while(&mut lock.acquire(), micros, |()| {
                    asked += 1;
                    true
                });
                assert!(!ended);
                add(asked - 2);
            }
            4 => {
                let mut asked = 0;
                let panic = catch_unwind(AssertUnwindSafe(|| {
                    changed.wait_while(&mut lock.acquire(), |()| {
                        asked += 1;
                        if asked == 3 {
                            resume_unwind(Box::new(()));
                        }
                        true
                    });
                }));
                assert!(panic.is_err());
                add(2);
            }
            5 => {
                // A thread that dies with the guard in its hands.
                let dies = || {
                    let mut guard = lock.acquire();
                    changed.wait(&mut guard);
                    add(1);
                    resume_unwind(Box::new(()));
                };
                assert!(thread::scope(|s| s.spawn(dies).join()).is_err());
            }
            _ => drop(lock.acquire()),
        }
    };

    thread::scope(|s| {
        for seed in 0..2 {
            let (lock, changed, given, over) = (&lock, &changed, &given, &over);
            s.spawn(move || {
                let mut random = Random::new(seed + 1);
                while !over.load(SeqCst) {
                    let guard = (random.below(2) == 0).then(|| lock.acquire());
                    let released = match random.below(8) {
                        0 => changed.notify_all(),
                        1..=3 => changed.notify(random.below(4) as usize),
                        _ => changed.notify_one().into(),
                    };
                    given.fetch_add(released, SeqCst);
                    drop(guard);
                    (0..random.below(300)).for_each(|_| std::hint::spin_loop());
                    thread::yield_now();
                }
            });
        }
        let waiters: Vec<_> = (0..4)
            .map(|seed| {
                let wait = &wait;
                s.spawn(move || {
                    let mut random = Random::new(seed + 3);
                    let mut waits = || stress(2_000).for_each(|_| wait(&mut random));
                    #[cfg(not(miri))]
                    if seed == 0 {
                        return Storm::new().around(waits);
                    }
                    waits();
                })
            })
            .collect();
        let results: Vec<_> = waiters.into_iter().map(|waiter| waiter.join()).collect();
        over.store(true, SeqCst);
        results.into_iter().for_each(|result| result.unwrap());
    });
    assert_eq!(used.into_inner(), given.into_inner());
    assert_eq!(changed.waiters(), 0);
    assert_free(&lock);
}
