//! The re-entrant lock, sentence by sentence of its contract.
//!
//! What it has in common with the lock, the algorithm on the word, the models of the lock check.

mod checking;

use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use checking::{Seen, Slot, Unprotected, check_bounded, costs};
use futon_model::atomic::model::{Calls, calls, check};
use futon_model::atomic::yield_now;
use futon_model::{MappedRLockGuard, RLock, RLockArcGuard, RLockGuard};
use loom::thread;

type Shared = Arc<RLock<Unprotected>>;

const SOON: Duration = Duration::from_secs(1);

fn shared() -> Shared {
    Arc::new(RLock::new(Unprotected::new(0)))
}

/// This thread has so many levels.
#[track_caller]
fn assert_depth<T>(lock: &RLock<T>, depth: u32) {
    assert_eq!(lock.depth(), depth);
    assert_eq!(lock.is_owned(), depth > 0);
}

/// Nobody has the lock, nobody waits, and no mark of those who did has stayed.
#[track_caller]
fn assert_is_free<T>(lock: &RLock<T>) {
    assert_depth(lock, 0);
    assert!(!lock.is_locked());
    assert_eq!(lock.waiters(), 0);
    assert!(lock.try_acquire().is_some());
}

fn until_waiting<T>(lock: &RLock<T>, threads: usize) {
    while lock.waiters() < threads {
        yield_now();
    }
}

// Mutual exclusion, and what was done under the lock before is seen under it now

/// Takes levels in some way, adds as it has them, releases them in some way. Returns how many it added.
type Way = fn(&Shared) -> u32;

/// Threads that take the lock at once, each in its way, lose nothing of what they add.
fn take_turns<const N: usize>(preemptions: usize, ways: [Way; N]) {
    check_bounded(preemptions, move || {
        let lock = shared();
        let [ours, others @ ..] = &ways[..] else { unreachable!() };
        let others: Vec<_> = others
            .iter()
            .map(|&way| {
                let lock = lock.clone();
                thread::spawn(move || way(&lock))
            })
            .collect();
        let ours = ours(&lock);
        let sum = others.into_iter().map(|other| other.join().unwrap()).sum::<u32>() + ours;
        assert_is_free(&lock);
        assert_eq!(lock.acquire().get(), sum);
    });
}

fn acquiring(lock: &Shared) -> u32 {
    lock.acquire().add_one();
    1
}

fn acquiring_twice(lock: &Shared) -> u32 {
    acquiring(lock) + acquiring(lock)
}

/// One level around another, and something to do at each step.
fn nesting(lock: &Shared) -> u32 {
    let outer = lock.acquire();
    outer.add_one();
    acquiring(lock);
    outer.add_one();
    3
}

/// The outer level goes first.
fn nesting_crosswise(lock: &Shared) -> u32 {
    let first = lock.acquire();
    let second = lock.acquire();
    first.add_one();
    drop(first);
    second.add_one();
    2
}

fn nesting_in_all_ways(lock: &Shared) -> u32 {
    let outer = lock.acquire();
    let now = Instant::now();
    lock.try_acquire().unwrap().add_one();
    lock.acquire_timeout(Duration::ZERO).unwrap().add_one();
    lock.acquire_deadline(now).unwrap().add_one();
    lock.acquire_arc().add_one();
    lock.try_acquire_arc().unwrap().add_one();
    lock.acquire_timeout_arc(Duration::ZERO).unwrap().add_one();
    lock.acquire_deadline_arc(now).unwrap().add_one();
    RLockGuard::map(lock.acquire(), |value| value).add_one();
    outer.add_one();
    9
}

/// With a level below the one that is tried.
fn trying(lock: &Shared) -> u32 {
    lock.try_acquire().map_or(0, |value| {
        value.add_one();
        1 + acquiring(lock)
    })
}

fn with_a_timeout(lock: &Shared) -> u32 {
    lock.acquire_timeout(SOON).map_or(0, |value| {
        value.add_one();
        1 + acquiring(lock)
    })
}

fn with_a_deadline(lock: &Shared) -> u32 {
    lock.acquire_deadline(Instant::now() + SOON).map_or(0, |value| {
        value.add_one();
        1 + acquiring(lock)
    })
}

fn owning(lock: &Shared) -> u32 {
    lock.acquire_arc().add_one();
    1
}

fn owning_in_any_way(lock: &Shared) -> u32 {
    let guard = lock
        .try_acquire_arc()
        .or_else(|| lock.acquire_timeout_arc(SOON))
        .or_else(|| lock.acquire_deadline_arc(Instant::now() + SOON));
    guard.map_or(0, |value| {
        value.add_one();
        1
    })
}

/// Fairly with each level, of which the inner one is released to nobody.
fn releasing_fairly(lock: &Shared) -> u32 {
    let outer = lock.acquire();
    let inner = lock.acquire();
    inner.add_one();
    RLockGuard::release_fair(inner);
    outer.add_one();
    RLockGuard::release_fair(outer);
    2
}

fn releasing_fairly_what_it_owns(lock: &Shared) -> u32 {
    let outer = lock.acquire_arc();
    let inner = lock.acquire_arc();
    RLockArcGuard::release_fair(inner);
    outer.add_one();
    RLockArcGuard::release_fair(outer);
    1
}

fn releasing_for_a_while(lock: &Shared) -> u32 {
    let mut guard = lock.acquire();
    guard.add_one();
    RLockGuard::unlocked(&mut guard, || ());
    guard.add_one();
    2
}

fn mapping(lock: &Shared) -> u32 {
    let outer = RLockGuard::map(lock.acquire(), |value| value);
    acquiring(lock);
    outer.add_one();
    2
}

fn mapping_and_releasing_fairly(lock: &Shared) -> u32 {
    let outer = lock.acquire();
    let part = || RLockGuard::map(lock.acquire(), |value| value);
    MappedRLockGuard::release_fair(part());
    outer.add_one();
    let last = part();
    drop(outer);
    last.add_one();
    MappedRLockGuard::release_fair(last);
    2
}

#[test]
fn two_threads_take_turns() {
    take_turns(4, [acquiring, acquiring]);
    take_turns(2, [acquiring_twice, acquiring_twice]);
}

#[test]
fn two_threads_that_nest_take_turns() {
    take_turns(4, [nesting, acquiring]);
    take_turns(3, [nesting, nesting]);
    take_turns(3, [nesting_crosswise, acquiring_twice]);
}

#[test]
fn three_threads_take_turns() {
    take_turns(1, [acquiring, acquiring, acquiring]);
    take_turns(2, [acquiring, trying, trying]);
}

#[test]
fn three_threads_that_nest_take_turns() {
    take_turns(1, [nesting, nesting_crosswise, acquiring]);
}

#[test]
fn whoever_has_the_lock_gets_the_next_level_in_every_way() {
    take_turns(2, [nesting_in_all_ways, acquiring]);
}

#[test]
fn a_thread_that_only_tries_takes_its_turn() {
    take_turns(4, [acquiring, trying]);
    take_turns(3, [nesting, trying]);
}

#[test]
fn a_thread_with_a_timeout_takes_its_turn() {
    take_turns(3, [nesting, with_a_timeout]);
    take_turns(3, [with_a_timeout, acquiring]);
    take_turns(2, [with_a_timeout, with_a_timeout]);
}

#[test]
fn a_thread_with_a_deadline_takes_its_turn() {
    take_turns(3, [acquiring, with_a_deadline]);
}

#[test]
fn threads_whose_guards_own_the_lock_take_turns() {
    take_turns(3, [owning, owning]);
    take_turns(2, [nesting, owning_in_any_way]);
}

#[test]
fn a_fair_release_is_a_release() {
    take_turns(3, [releasing_fairly, acquiring]);
    take_turns(3, [releasing_fairly, trying]);
    take_turns(3, [releasing_fairly_what_it_owns, acquiring]);
}

#[test]
fn a_release_for_a_while_is_a_release() {
    take_turns(2, [releasing_for_a_while, acquiring]);
    take_turns(2, [nesting, releasing_for_a_while]);
}

#[test]
fn the_end_of_a_mapped_guard_is_a_release() {
    take_turns(3, [mapping, acquiring]);
    take_turns(3, [mapping_and_releasing_fairly, acquiring]);
}

#[test]
fn a_panic_releases_the_levels_that_it_passes() {
    check_bounded(3, || {
        let lock = shared();
        let theirs = lock.clone();
        let other = thread::spawn(move || {
            let outer = theirs.acquire();
            let panic = catch_unwind(AssertUnwindSafe(|| {
                let _inner = theirs.acquire();
                theirs.acquire().add_one();
                // A panic without the message.
                resume_unwind(Box::new(()));
            }));
            assert!(panic.is_err());
            assert_depth(&theirs, 1);
            outer.add_one();
        });
        lock.acquire().add_one();
        other.join().unwrap();
        assert_is_free(&lock);
        assert_eq!(lock.acquire().get(), 3);
    });
}

// Levels

/// What a thread does under its levels is done before another one gets the lock, at whichever level.
#[test]
fn the_release_of_an_inner_level_lets_nobody_in() {
    let inners: [fn(&Shared); 4] = [
        |lock| drop(lock.acquire()),
        |lock| RLockGuard::release_fair(lock.acquire()),
        |lock| RLockArcGuard::release_fair(lock.acquire_arc()),
        |lock| MappedRLockGuard::release_fair(RLockGuard::map(lock.acquire(), |value| value)),
    ];
    for inner in inners {
        let seen = Arc::new(Seen::new());
        let outcomes = seen.clone();
        check_bounded(3, move || {
            let lock = shared();
            let theirs = lock.clone();
            let other = thread::spawn(move || theirs.try_acquire().map(|value| value.get()));
            let outer = lock.acquire();
            outer.set(1);
            inner(&lock);
            assert!(lock.is_owned() && lock.is_locked());
            outer.set(2);
            drop(outer);
            outcomes.add(other.join().unwrap());
            assert_is_free(&lock);
        });
        seen.assert_is([None, Some(0), Some(2)]);
    }
}

/// The same for a thread that waits for it, and is not woken before its time either.
#[test]
fn the_release_of_an_inner_level_wakes_nobody() {
    static LEFT: Seen<usize> = Seen::new();
    check_bounded(2, || {
        let lock = shared();
        let outer = lock.acquire();
        let theirs = lock.clone();
        let other = thread::spawn(move || {
            assert_eq!(theirs.acquire().get(), 1);
            assert_depth(&theirs, 0);
        });
        until_waiting(&lock, 1);
        drop([lock.acquire(), lock.acquire()]);
        RLockGuard::release_fair(lock.acquire());
        assert_eq!((calls().wakes, lock.waiters()), (0, 1));
        outer.set(1);
        drop(outer);
        LEFT.add(lock.waiters());
        other.join().unwrap();
        assert_is_free(&lock);
    });
    LEFT.assert_is([0, 1]);
}

/// As the lock goes from hand to hand, each thread always knows whether it has it, and how deep.
#[test]
fn each_thread_knows_its_own_levels() {
    fn lives(lock: &Shared) {
        assert_depth(lock, 0);
        let outer = lock.acquire();
        assert_depth(lock, 1);
        let inner = lock.acquire();
        assert_depth(lock, 2);
        drop(outer);
        assert_depth(lock, 1);
        drop(inner);
        assert_depth(lock, 0);
    }
    check_bounded(2, || {
        let lock = shared();
        let theirs = lock.clone();
        let other = thread::spawn(move || lives(&theirs));
        lives(&lock);
        other.join().unwrap();
        assert_is_free(&lock);
    });
}

/// Who has had the lock, and looks at it while others have it and release it, does not see itself.
#[test]
fn those_who_look_on_own_nothing() {
    check_bounded(2, || {
        let lock = shared();
        let theirs = lock.clone();
        let other = thread::spawn(move || _ = acquiring_twice(&theirs));
        acquiring(&lock);
        assert_eq!(lock.depth(), 0);
        assert!(!lock.is_owned());
        other.join().unwrap();
        assert_is_free(&lock);
    });
}

#[test]
fn two_who_look_on_own_nothing() {
    check_bounded(1, || {
        let lock = shared();
        let others = [(); 2].map(|()| {
            let theirs = lock.clone();
            thread::spawn(move || {
                assert!(!theirs.is_owned());
                let has_it = theirs.try_acquire();
                assert_eq!(theirs.is_owned(), has_it.is_some());
            })
        });
        acquiring(&lock);
        assert!(!lock.is_owned());
        others.into_iter().for_each(|other| other.join().unwrap());
        assert_is_free(&lock);
    });
}

/// What a thread has leaked belongs to nobody once it has ended, and stays taken.
#[test]
fn what_a_thread_leaves_taken_belongs_to_no_other() {
    check_bounded(3, || {
        let lock = Arc::new(RLock::new(()));
        for is_first in [true, false] {
            let theirs = lock.clone();
            let other = thread::spawn(move || {
                assert_depth(&theirs, 0);
                if is_first {
                    mem::forget(theirs.acquire());
                } else {
                    assert!(theirs.try_acquire().is_none());
                    assert!(theirs.acquire_timeout(SOON).is_none());
                }
                assert_depth(&theirs, u32::from(is_first));
            });
            other.join().unwrap();
            assert_depth(&lock, 0);
        }
        assert!(lock.is_locked());
        assert!(lock.try_acquire_arc().is_none());
    });
}

/// A thread that suspends its level has none, and gets it back when it has the lock again.
#[test]
fn nobody_owns_what_is_released_for_a_while() {
    check_bounded(2, || {
        let lock = shared();
        let theirs = lock.clone();
        let other = thread::spawn(move || {
            let guard = theirs.acquire();
            assert_depth(&theirs, 1);
            guard.add_one();
        });
        let mut guard = lock.acquire();
        RLockGuard::unlocked(&mut guard, || {
            assert_depth(&lock, 0);
            acquiring(&lock);
        });
        assert_depth(&lock, 1);
        drop(guard);
        other.join().unwrap();
        assert_is_free(&lock);
        assert_eq!(lock.acquire().get(), 2);
    });
}

/// A panic while the lock is released takes it again first.
#[test]
fn a_panic_while_the_lock_is_released_takes_it_again_first() {
    check_bounded(2, || {
        let lock = shared();
        let theirs = lock.clone();
        let other = thread::spawn(move || _ = acquiring(&theirs));
        let mut guard = lock.acquire();
        let panic = catch_unwind(AssertUnwindSafe(|| {
            RLockGuard::unlocked(&mut guard, || resume_unwind(Box::new(())));
        }));
        assert!(panic.is_err());
        assert_depth(&lock, 1);
        guard.add_one();
        drop(guard);
        other.join().unwrap();
        assert_eq!(lock.acquire().get(), 2);
        assert_is_free(&lock);
    });
}

// Nobody is forgotten

/// The first thread has two levels when the others come, and releases the last of them in some way. All get
/// the lock, but for those whose time runs out; and nothing of those stays.
fn one_after_the_other<const N: usize>(
    preemptions: usize,
    release: fn(RLockGuard<'_, Unprotected>),
    ways: [Way; N],
) {
    check_bounded(preemptions, move || {
        let lock = shared();
        let outer = lock.acquire();
        let inner = lock.acquire();
        let others = ways.map(|way| {
            let lock = lock.clone();
            thread::spawn(move || way(&lock))
        });
        drop(outer);
        release(inner);
        let sum = others.map(|other| other.join().unwrap()).into_iter().sum::<u32>();
        assert_is_free(&lock);
        assert_eq!(lock.acquire().get(), sum);
    });
}

fn releasing(guard: RLockGuard<'_, Unprotected>) {
    drop(guard);
}

fn releasing_it_fairly(guard: RLockGuard<'_, Unprotected>) {
    RLockGuard::release_fair(guard);
}

#[test]
fn each_of_two_waiters_gets_the_lock() {
    one_after_the_other(1, releasing, [acquiring, acquiring]);
    one_after_the_other(1, releasing_it_fairly, [acquiring, acquiring]);
}

#[test]
fn a_waiter_that_gives_up_does_not_strand_the_next() {
    one_after_the_other(1, releasing, [with_a_timeout, nesting]);
    one_after_the_other(1, releasing_it_fairly, [with_a_timeout, acquiring]);
}

// Time

/// Who gives up has no level, and has left nothing that another thread could find.
#[test]
fn a_timeout_may_run_out_and_may_not() {
    let ways: [fn(&Shared) -> bool; 4] = [
        |lock| lock.acquire_timeout(SOON).is_some(),
        |lock| lock.acquire_deadline(Instant::now() + SOON).is_some(),
        |lock| lock.acquire_timeout_arc(SOON).is_some(),
        |lock| lock.acquire_deadline_arc(Instant::now() + SOON).is_some(),
    ];
    for way in ways {
        let seen = Arc::new(Seen::new());
        let outcomes = seen.clone();
        check_bounded(2, move || {
            let lock = shared();
            let guard = lock.acquire();
            let theirs = lock.clone();
            let other = thread::spawn(move || {
                let has_had_it = way(&theirs);
                assert_depth(&theirs, 0);
                has_had_it
            });
            assert_depth(&lock, 1);
            drop(guard);
            outcomes.add(other.join().unwrap());
            assert_is_free(&lock);
        });
        seen.assert_is([false, true]);
    }
}

#[test]
fn a_timeout_runs_out_where_the_lock_is_not_released() {
    check_bounded(3, || {
        let lock = shared();
        let guard = lock.acquire();
        let theirs = lock.clone();
        let other = thread::spawn(move || {
            assert!(theirs.acquire_timeout(SOON).is_none());
            assert!(theirs.acquire_deadline(Instant::now() + SOON).is_none());
            assert_depth(&theirs, 0);
        });
        other.join().unwrap();
        assert_depth(&lock, 1);
        assert_eq!(lock.waiters(), 0);
        drop(guard);
        assert_is_free(&lock);
    });
}

/// But for the owner, whom nobody keeps waiting.
#[test]
fn no_time_at_all_is_a_try() {
    check_bounded(3, || {
        let lock = shared();
        let past = Instant::now();
        assert!(lock.acquire_timeout(Duration::ZERO).is_some());
        assert!(lock.acquire_deadline(past).is_some());
        let guard = lock.acquire();
        assert!(lock.acquire_timeout(Duration::ZERO).is_some());
        assert!(lock.acquire_deadline(past).is_some());
        let theirs = lock.clone();
        let other = thread::spawn(move || {
            assert!(theirs.acquire_timeout(Duration::ZERO).is_none());
            assert!(theirs.acquire_deadline(past).is_none());
            assert!(theirs.acquire_timeout_arc(Duration::ZERO).is_none());
            assert!(theirs.acquire_deadline_arc(past).is_none());
        });
        other.join().unwrap();
        drop(guard);
        assert_is_free(&lock);
    });
}

#[test]
fn the_longest_timeout_does_not_run_out() {
    check_bounded(3, || {
        let lock = shared();
        let guard = lock.acquire();
        let theirs = lock.clone();
        let other = thread::spawn(move || theirs.acquire_timeout(Duration::MAX).is_some());
        drop(guard);
        assert!(other.join().unwrap());
        assert_is_free(&lock);
    });
}

#[test]
fn a_try_succeeds_and_fails_and_leaves_nothing() {
    let ways: [fn(&Shared) -> bool; 2] =
        [|lock| lock.try_acquire().is_some(), |lock| lock.try_acquire_arc().is_some()];
    for way in ways {
        let seen = Arc::new(Seen::new());
        let outcomes = seen.clone();
        check_bounded(2, move || {
            let lock = shared();
            let theirs = lock.clone();
            let other = thread::spawn(move || _ = nesting(&theirs));
            outcomes.add(way(&lock));
            assert_depth(&lock, 0);
            other.join().unwrap();
            assert_is_free(&lock);
        });
        seen.assert_is([false, true]);
    }
}

// Who is next

/// Where nobody has asked for a fair release.
#[test]
fn a_newcomer_may_overtake_a_waiter() {
    let releases: [fn(&Shared, RLockGuard<'_, Unprotected>); 3] = [
        |_, guard| drop(guard),
        |_, guard| drop(RLockGuard::map(guard, |value| value)),
        |lock, guard| {
            let last = lock.acquire_arc();
            drop(guard);
            drop(last);
        },
    ];
    for release in releases {
        let seen = Arc::new(Seen::new());
        let outcomes = seen.clone();
        check_bounded(2, move || {
            let lock = shared();
            let guard = lock.acquire();
            let theirs = lock.clone();
            let waiter = thread::spawn(move || _ = acquiring(&theirs));
            until_waiting(&lock, 1);
            release(&lock, guard);
            let again = lock.try_acquire();
            outcomes.add((again.is_some(), lock.waiters()));
            drop(again);
            waiter.join().unwrap();
            assert_is_free(&lock);
        });
        seen.assert_has([(true, 1), (false, 0), (true, 0)]);
    }
}

/// Has the lock while something happens, then releases it fairly.
type Hold = fn(&Shared, &dyn Fn());

/// The releasing thread itself does not get the lock back before the waiter has had it.
#[test]
fn a_fair_release_of_the_last_level_lets_nobody_have_the_lock_before_a_waiter() {
    let holds: [Hold; 3] = [
        |lock, meanwhile| {
            let outer = lock.acquire();
            let inner = lock.acquire();
            meanwhile();
            RLockGuard::release_fair(inner);
            RLockGuard::release_fair(outer);
        },
        |lock, meanwhile| {
            let guard = RLockGuard::map(lock.acquire(), |value| value);
            meanwhile();
            MappedRLockGuard::release_fair(guard);
        },
        |lock, meanwhile| {
            let guard = lock.acquire_arc();
            meanwhile();
            RLockArcGuard::release_fair(guard);
        },
    ];
    for hold_and_release in holds {
        let seen = Arc::new(Seen::new());
        let outcomes = seen.clone();
        check_bounded(2, move || {
            let lock = shared();
            let waiter = std::cell::Cell::new(None);
            hold_and_release(&lock, &|| {
                let theirs = lock.clone();
                waiter.set(Some(thread::spawn(move || acquiring(&theirs))));
                until_waiting(&lock, 1);
            });
            let again = lock.try_acquire();
            if let Some(value) = &again {
                assert_eq!(value.get(), 1, "overtaken");
            }
            outcomes.add((again.is_some(), lock.waiters()));
            drop(again);
            waiter.take().unwrap().join().unwrap();
            assert_is_free(&lock);
        });
        // Refused while nobody has the lock and the waiter is on its way, while the waiter has it, and not.
        seen.assert_is([(false, 1), (false, 0), (true, 0)]);
    }
}

// Nothing is touched after the release

#[test]
fn a_lock_may_be_freed_by_whoever_acquires_it_last() {
    let releases: [fn(RLockGuard<'_, ()>); 3] = [
        |guard| drop(guard),
        |guard| RLockGuard::release_fair(guard),
        |guard| drop(RLockGuard::map(guard, |value| value)),
    ];
    for release in releases {
        check_bounded(3, move || {
            let slot = Arc::new(Slot::new(RLock::new(())));
            let outer = slot.get().acquire();
            let inner = slot.get().acquire();
            let theirs = slot.clone();
            let other = thread::spawn(move || {
                drop([theirs.get().acquire(), theirs.get().acquire()]);
                theirs.free();
            });
            drop(inner);
            // The other thread may be through before this is.
            release(outer);
            other.join().unwrap();
        });
    }
}

#[test]
fn a_lock_may_be_freed_by_the_last_of_two_waiters() {
    check_bounded(1, || {
        let slot = Arc::new(Slot::new(RLock::new(Unprotected::new(0))));
        let guard = slot.get().acquire();
        guard.add_one();
        let others = [(); 2].map(|()| {
            let slot = slot.clone();
            thread::spawn(move || {
                let guard = slot.get().acquire();
                guard.add_one();
                let is_last = guard.get() == 3;
                drop(guard);
                if is_last {
                    slot.free();
                }
            })
        });
        drop(guard);
        others.into_iter().for_each(|other| other.join().unwrap());
    });
}

// No call of the futex without need

#[test]
fn a_lock_without_contention_calls_nobody() {
    check(|| {
        let lock = shared();
        nesting_in_all_ways(&lock);
        releasing_fairly(&lock);
        assert_depth(&lock, 0);
        assert_eq!(calls(), Calls::default());
    });
}

/// Who has the lock stands in a word of its own, which is loaded and stored to.
#[test]
fn only_the_first_level_takes_a_read_modify_write_and_only_its_release() {
    const FIRST: [(usize, usize, usize); 2] = [(1, 1, 1), (0, 1, 1)];
    const FURTHER: [(usize, usize, usize); 2] = [(1, 0, 0), (0, 0, 0)];
    check(|| {
        let lock = Arc::new(RLock::new(()));
        let later = Instant::now() + SOON;
        for expected in [FIRST, FURTHER] {
            assert_eq!(costs(|| Some(lock.acquire())), expected);
            assert_eq!(costs(|| lock.try_acquire()), expected);
            assert_eq!(costs(|| lock.acquire_timeout(SOON)), expected);
            assert_eq!(costs(|| lock.acquire_deadline(later)), expected);
            assert_eq!(costs(|| Some(lock.acquire_arc())), expected);
            assert_eq!(costs(|| Some(RLockGuard::map(lock.acquire(), |value| value))), expected);
            mem::forget(lock.acquire());
        }
    });
}
