//! [`acquire_all`] and its other forms.

use std::cell::Cell;
use std::fmt::Debug;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use futon::{
    Condition, Lock, LockGuard, RLock, RLockGuard, acquire_all, acquire_all_deadline,
    acquire_all_timeout, try_acquire_all,
};

use crate::allocations::allocations;
use crate::threads::{
    Random, endless_timeouts, last_instant, limit, rounds, spin_until, timed, wait_until,
};

const LONG: Duration = Duration::from_secs(3600);
const SHORT: Duration = Duration::from_millis(2);

fn locks<const N: usize>() -> [Lock<usize>; N] {
    std::array::from_fn(Lock::new)
}

/// Nobody has any of them, nobody waits.
#[track_caller]
fn assert_untouched(locks: &[Lock<impl Sized>]) {
    for lock in locks {
        assert!(!lock.is_locked());
        assert_eq!(lock.waiters(), 0);
        assert!(lock.try_acquire().is_some());
    }
}

// What it is for

#[test]
fn threads_that_ask_in_all_orders_and_ways_take_turns() {
    const LOCKS: usize = 5;

    /// Locks that differ, in an order without a pattern.
    fn some(random: &mut Random) -> Vec<usize> {
        let mut all: Vec<_> = (0..LOCKS).collect();
        for i in (1..LOCKS).rev() {
            all.swap(i, random.below(i as u64 + 1) as usize);
        }
        all.truncate(2 + random.below(LOCKS as u64 - 1) as usize);
        all
    }

    /// Adds one to each. The caller has to be alone there.
    fn count(counts: &[&Cell<usize>], added: &mut [usize; LOCKS], places: &[usize]) {
        let before: Vec<_> = counts.iter().map(|count| count.get()).collect();
        (0..20).for_each(|_| std::hint::spin_loop());
        for ((count, before), &place) in counts.iter().zip(before).zip(places) {
            count.set(before + 1);
            added[place] += 1;
        }
    }

    fn values<'g>(guards: &'g [LockGuard<'_, Cell<usize>>]) -> Vec<&'g Cell<usize>> {
        guards.iter().map(|guard| &**guard).collect()
    }

    let _limit = limit();
    let rounds = rounds(4_000);
    let locks: [Lock<Cell<usize>>; LOCKS] = Default::default();
    let rlocks: [RLock<Cell<usize>>; LOCKS] = Default::default();
    let turns = |seed| {
        let mut random = Random::new(seed);
        let (mut added, mut added_to_rlocks) = ([0; LOCKS], [0; LOCKS]);
        for _ in 0..rounds {
            let places = some(&mut random);
            let wanted: Vec<_> = places.iter().map(|&place| &locks[place]).collect();
            let time = Duration::from_micros(random.below(100));
            let guards = match random.below(8) {
                0 => try_acquire_all(&wanted[..]),
                1 => acquire_all_timeout(&wanted[..], time),
                2 => acquire_all_deadline(&wanted[..], Instant::now() + time),
                3 => {
                    let (lock, rlock) = (wanted[0], &rlocks[places[1]]);
                    let (first, second, third) = acquire_all((rlock, lock, rlock));
                    count(&[&second], &mut added, &places[..1]);
                    count(&[&third], &mut added_to_rlocks, &places[1..2]);
                    assert_eq!((rlock.depth(), first.get()), (2, third.get()));
                    continue;
                }
                4 => Some(acquire_all([wanted[1], wanted[0]]).into_iter().rev().collect()),
                // One alone, as those do who do not need several.
                5 => Some(vec![wanted[0].acquire()]),
                _ => Some(acquire_all(&wanted[..])),
            };
            if let Some(guards) = guards {
                count(&values(&guards), &mut added, &places);
            }
        }
        (added, added_to_rlocks)
    };
    let (mut sum, mut sum_of_rlocks) = ([0; LOCKS], [0; LOCKS]);
    thread::scope(|s| {
        let threads = [1, 2, 3, 4, 5, 6].map(|seed| s.spawn(move || turns(seed)));
        for thread in threads {
            let (added, added_to_rlocks) = thread.join().unwrap();
            sum.iter_mut().zip(added).for_each(|(sum, added)| *sum += added);
            sum_of_rlocks.iter_mut().zip(added_to_rlocks).for_each(|(sum, added)| *sum += added);
        }
    });
    assert_untouched(&locks);
    assert_eq!(locks.map(|lock| lock.into_inner().get()), sum);
    assert!(rlocks.iter().all(|lock| !lock.is_locked()));
    assert_eq!(rlocks.map(|lock| lock.into_inner().get()), sum_of_rlocks);
}

/// The order is that of the addresses, whatever the order in which they are given.
#[test]
fn whoever_waits_has_only_those_that_come_before() {
    let _limit = limit();
    let locks = locks::<3>();
    let [a, b, c] = &locks;
    for wanted in [[a, b, c], [a, c, b], [b, a, c], [b, c, a], [c, a, b], [c, b, a]] {
        for held in 0..3 {
            thread::scope(|s| {
                let guard = locks[held].acquire();
                s.spawn(|| drop(acquire_all(wanted)));
                wait_until(|| locks[held].waiters() == 1);
                for (place, lock) in locks.iter().enumerate() {
                    assert_eq!(lock.is_locked(), place <= held);
                    assert_eq!(lock.waiters(), usize::from(place == held));
                }
                drop(guard);
            });
            assert_untouched(&locks);
        }
    }
}

// What is given and what is had

#[test]
fn each_guard_stands_where_its_lock_stands() {
    let [a, b, c, d] = &locks::<4>();
    let (r, s) = (&RLock::new('r'), &RLock::new("s"));
    for _ in 0..2 {
        let (x, y) = acquire_all((b, a));
        assert_eq!((*x, *y), (1, 0));
    }
    let (x, mut y, z) = acquire_all((r, b, s));
    *y += 10;
    assert_eq!((*x, *y, *z), ('r', 11, "s"));
    drop((x, y, z));
    let (w, x, y, z) = acquire_all((c, s, b, r));
    assert_eq!((*w, *x, *y, *z), (2, "s", 11, 'r'));
    drop((w, x, y, z));
    let (v, w, x, y, z) = acquire_all((d, c, b, a, r));
    assert_eq!((*v, *w, *x, *y, *z), (3, 2, 11, 0, 'r'));
    drop((v, w, x, y, z));
    let (u, v, w, x, y, z) = acquire_all((s, a, r, d, c, b));
    assert_eq!((*u, *v, *w, *x, *y, *z), ("s", 0, 'r', 3, 2, 11));
    drop((u, v, w, x, y, z));

    let [x, y, z] = acquire_all([d, a, c]);
    assert_eq!((*x, *y, *z), (3, 0, 2));
    drop((x, y, z));
    assert_eq!(acquire_all([d, b, a]).map(|guard| *guard), [3, 11, 0]);
    assert_eq!(acquire_all([s]).map(|guard| *guard), ["s"]);
}

#[test]
fn a_slice_may_be_of_locks_or_references_or_arcs() {
    fn values(guards: Vec<LockGuard<'_, usize>>) -> Vec<usize> {
        guards.iter().map(|guard| **guard).collect()
    }

    let locks = locks::<3>();
    assert_eq!(values(acquire_all(&locks[..])), [0, 1, 2]);
    // Of references the guards outlive the slice.
    let guards = acquire_all(&[&locks[2], &locks[0]][..]);
    assert_eq!(values(guards), [2, 0]);
    let arcs = [7, 8].map(|value| Arc::new(Lock::new(value)));
    assert_eq!(values(acquire_all(&arcs[..])), [7, 8]);
    let (x, y, z) = acquire_all((&arcs[1], &locks[0], &arcs[0]));
    assert_eq!((*x, *y, *z), (8, 0, 7));
    let levels = [1, 2, 3].map(RLock::new);
    let guards: Vec<RLockGuard<i32>> = acquire_all(&levels[..]);
    assert!(guards.iter().map(|guard| **guard).eq(1..4));
    assert_untouched(&locks[1..]);
}

#[test]
fn a_value_may_be_without_a_size() {
    let any: &Lock<dyn Debug + Send> = &Lock::new(5);
    let slice: &RLock<[i32]> = &RLock::new([1, 2]);
    let (x, y) = acquire_all((any, slice));
    assert_eq!(format!("{x:?} {y:?}"), "5 [1, 2]");
    drop((x, y));
    assert_eq!(acquire_all([slice, slice]).map(|guard| guard[1]), [2, 2]);
}

#[test]
fn of_no_locks_all_are_had() {
    let none: [&Lock<i32>; 0] = [];
    assert!(acquire_all(none).is_empty());
    assert!(try_acquire_all(&none[..]).is_some_and(|guards| guards.is_empty()));
    assert!(acquire_all_timeout(none, Duration::ZERO).is_some());
}

/// Guards of several locks are guards like any others.
#[test]
fn each_guard_releases_its_own_lock() {
    let _limit = limit();
    let locks = locks::<3>();
    let is_taken = || locks.each_ref().map(|lock| lock.is_locked());
    let [a, b, c] = acquire_all(locks.each_ref());
    assert_eq!(is_taken(), [true, true, true]);
    drop(b);
    assert_eq!(is_taken(), [true, false, true]);
    LockGuard::release_fair(a);
    assert_eq!(is_taken(), [false, false, true]);
    thread::scope(|s| {
        s.spawn(move || drop(c));
    });
    assert_eq!(is_taken(), [false, false, false]);

    // One that is given no name is gone already.
    let changed = Condition::new();
    thread::scope(|s| {
        let (mut value, _) = acquire_all((&locks[0], &locks[1]));
        assert_eq!(is_taken(), [true, false, false]);
        s.spawn(|| {
            *locks[0].acquire() = 7;
            changed.notify_one();
        });
        changed.wait_while(&mut value, |value| *value == 0);
        assert_eq!(*value, 7);
    });
    assert_untouched(&locks);
}

/// H33.
#[test]
fn a_panic_under_the_locks_releases_all() {
    let locks = locks::<3>();
    let level = RLock::new(());
    let panic = catch_unwind(AssertUnwindSafe(|| {
        let _guards = acquire_all((&locks[2], &level, &locks[0]));
        let _rest = acquire_all(&locks[1..2]);
        std::panic::resume_unwind(Box::new("on purpose"))
    }));
    assert_eq!(panic.unwrap_err().downcast_ref(), Some(&"on purpose"));
    assert_untouched(&locks);
    assert!(!level.is_locked());
}

// The same lock twice

fn message(f: impl FnOnce()) -> String {
    let panic = catch_unwind(AssertUnwindSafe(f)).expect_err("no panic");
    *panic.downcast::<String>().expect("a message with numbers")
}

/// It would wait for itself. That others have another one of the locks does not keep it from being found.
#[test]
fn a_lock_that_is_given_twice_is_refused_before_anything_is_taken() {
    let _limit = limit();
    let locks = locks::<3>();
    let [a, b, c] = &locks;
    for (held, wanted, indices) in [
        (a, [b, a, b], "0 and 2"),
        (c, [b, b, c], "0 and 1"),
        (b, [b, a, a], "1 and 2"),
        (a, [c, c, c], "0 and 1"),
    ] {
        let ways: [&dyn Fn(); 5] = [
            &|| _ = acquire_all(wanted),
            &|| _ = try_acquire_all(wanted),
            &|| _ = acquire_all_timeout(wanted, LONG),
            &|| _ = acquire_all_deadline(wanted, Instant::now()),
            &|| _ = acquire_all(&wanted[..]),
        ];
        let guard = held.acquire();
        for way in ways {
            let message = message(way);
            assert!(message.contains(&format!("twice at once, at indices {indices}")), "{message}");
        }
        drop(guard);
        assert_untouched(&locks);
    }
    let level = RLock::new(());
    let message = message(|| _ = acquire_all((&level, a, b, &level, a)));
    assert!(message.contains("at indices 1 and 4"), "{message}");
    assert!(!level.is_locked());
}

#[test]
fn an_rlock_that_is_given_twice_is_had_twice() {
    let _limit = limit();
    let (level, lock) = (RLock::new(1), Lock::new(2));
    let outer = level.acquire();
    let guards = acquire_all((&level, &lock, &level));
    assert_eq!((level.depth(), *guards.2), (3, 1));
    thread::scope(|s| {
        s.spawn(|| assert!(try_acquire_all([&level, &level]).is_none()));
    });
    drop(guards.0);
    drop(outer);
    assert_eq!(level.depth(), 1);
    drop(guards.2);
    assert!(!level.is_locked());
    // Two different ones inside of each other have two words.
    let nested = RLock::new(Lock::new(3));
    let outer = nested.acquire();
    let (inner, again) = acquire_all((&*outer, &nested));
    assert_eq!((*inner, nested.depth()), (3, 2));
    drop(again);
}

// All or none

#[test]
fn a_try_has_all_or_none() {
    let locks = locks::<3>();
    let [a, b, c] = &locks;
    let level = RLock::new(());
    for wanted in [[a, b, c], [c, a, b], [c, b, a]] {
        for held in &locks {
            let guard = held.acquire();
            assert!(try_acquire_all(wanted).is_none());
            assert!(try_acquire_all(&wanted[..]).is_none());
            assert!(try_acquire_all((&level, wanted[0], &level, wanted[1], wanted[2])).is_none());
            drop(guard);
            assert_untouched(&locks);
            assert_eq!((level.depth(), level.is_locked()), (0, false));
        }
        assert!(try_acquire_all(wanted).is_some_and(|guards| guards.len() == 3));
    }
    // Where this thread has a level already it keeps it.
    let outer = level.acquire();
    let guard = a.acquire();
    assert!(try_acquire_all((&level, a, &level)).is_none());
    assert_eq!(level.depth(), 1);
    drop((outer, guard));
}

/// H25.
#[test]
fn a_time_that_runs_out_leaves_nothing_taken_and_does_so_not_before_its_end() {
    let _limit = limit();
    let locks = locks::<3>();
    let [a, b, c] = &locks;
    for held in &locks {
        let guard = held.acquire();
        for wanted in [[a, b, c], [c, b, a]] {
            let (taken, time) = timed(|| acquire_all_timeout(wanted, SHORT));
            assert!(taken.is_none() && time >= SHORT, "{time:?}");
            let deadline = Instant::now() + SHORT;
            assert!(acquire_all_deadline(&wanted[..], deadline).is_none());
            assert!(Instant::now() >= deadline);
        }
        drop(guard);
        assert_untouched(&locks);
    }
}

/// Who waited for a lock that was given up again is not forgotten.
#[test]
fn what_is_given_up_goes_to_those_who_wait_for_it() {
    let _limit = limit();
    let locks = locks::<2>();
    let [a, b] = &locks;
    for _ in 0..rounds(20) {
        thread::scope(|s| {
            let guard = b.acquire();
            let gives_up = s.spawn(|| acquire_all_timeout((b, a), SHORT).is_none());
            s.spawn(|| drop(a.acquire()));
            assert!(gives_up.join().unwrap());
            wait_until(|| !a.is_locked() && a.waiters() == 0);
            drop(guard);
        });
        assert_untouched(&locks);
    }
}

/// H26.
#[test]
fn without_time_it_is_a_try() {
    let _limit = limit();
    let locks = locks::<2>();
    let long_ago = Instant::now();
    let [a, b] = &locks;
    assert!(acquire_all_timeout([b, a], Duration::ZERO).is_some());
    assert!(acquire_all_deadline([b, a], long_ago).is_some());
    let guard = b.acquire();
    assert!(acquire_all_timeout([b, a], Duration::ZERO).is_none());
    assert!(acquire_all_deadline([b, a], long_ago).is_none());
    drop(guard);
    assert_untouched(&locks);
}

/// H21.
#[test]
fn a_timeout_beyond_the_clock_waits_until_all_are_free() {
    let _limit = limit();
    let (locks, last) = (locks::<2>(), last_instant());
    let [a, b] = &locks;
    let get_them = |acquire: &(dyn Fn() -> bool + Sync)| {
        thread::scope(|s| {
            let guard = b.acquire();
            let other = s.spawn(acquire);
            wait_until(|| b.waiters() == 1);
            drop(guard);
            assert!(other.join().unwrap());
        });
    };
    for timeout in endless_timeouts() {
        get_them(&|| acquire_all_timeout([b, a], timeout).is_some());
    }
    get_them(&|| acquire_all_deadline([b, a], last).is_some());
    assert_untouched(&locks);
}

/// The first lock comes free when much of the time is over, the second one never. There are many tries, for a machine that
/// does not let a thread run when its time is over.
#[test]
fn the_time_is_for_all_locks_together() {
    let _limit = limit();
    let time = Duration::from_millis(40);
    let locks = locks::<2>();
    let [a, b] = &locks;
    let ends_in_time = |_| {
        thread::scope(|s| {
            let (first, _second) = acquire_all((a, b));
            let waits = s.spawn(|| timed(|| acquire_all_timeout([b, a], time).is_none()));
            wait_until(|| a.waiters() == 1);
            spin_until(Instant::now() + time * 3 / 4);
            drop(first);
            let (has_given_up, took) = waits.join().unwrap();
            assert!(has_given_up && took >= time, "{took:?}");
            took < time * 3 / 2
        })
    };
    assert!((0..20).any(ends_in_time), "each lock has a time of its own");
    assert_untouched(&locks);
}

// What it costs

/// H39.
#[test]
fn nothing_is_allocated_for_tuples_and_arrays() {
    let _limit = limit();
    let locks = locks::<6>();
    let [a, b, c, d, e, f] = &locks;
    let level = RLock::new(());
    let alone = allocations(|| {
        drop(acquire_all((f, e, d, c, b, a)));
        drop(acquire_all((b, &level, a, &level)));
        drop(acquire_all([f, e, d, c, b, a]));
        drop(try_acquire_all([b, a]));
        drop(acquire_all_timeout((b, a), SHORT));
        let guard = b.acquire();
        assert!(try_acquire_all([b, a]).is_none());
        assert!(acquire_all_timeout((b, a), SHORT).is_none());
        drop(guard);
    });
    assert_eq!(alone, 0);
    // Two are asked for, and given back.
    assert_eq!(allocations(|| drop(acquire_all(&locks[..]))), 4);
    assert_eq!(allocations(|| drop(try_acquire_all(&locks[..]))), 4);
    assert_eq!(allocations(|| drop(acquire_all(&locks[..0]))), 0);
    thread::scope(|s| {
        let guard = b.acquire();
        let other = s.spawn(|| allocations(|| drop(acquire_all([b, a]))));
        wait_until(|| b.waiters() == 1);
        drop(guard);
        assert_eq!(other.join().unwrap(), 0);
    });
}

#[test]
#[cfg(all(target_os = "linux", target_pointer_width = "64", target_endian = "little", not(miri)))]
fn locks_that_are_free_are_had_without_a_call_of_the_kernel() {
    use crate::calls::{Calls, calls_on};

    let _limit = limit();
    let locks = locks::<4>();
    let alone = calls_on(&locks, || {
        let [a, b, c, d] = &locks;
        for _ in 0..1_000 {
            drop(acquire_all((d, b, c)));
            drop(acquire_all(&locks[..]));
            drop(try_acquire_all([d, a]).unwrap());
            drop(acquire_all_timeout([d, a], LONG).unwrap());
            let _guard = b.acquire();
            assert!(try_acquire_all([d, b, a]).is_none());
            assert!(acquire_all_timeout([d, b, a], Duration::ZERO).is_none());
        }
    });
    assert!(matches!(alone, None | Some(Calls::NONE)), "{alone:?}");
}
