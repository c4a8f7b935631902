//! The lock, sentence by sentence of its contract.

mod checking;

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use checking::{Seen, Slot, Unprotected, check_bounded, costs};
use futon_model::atomic::model::{Calls, calls, check};
use futon_model::atomic::{AtomicU32, Ordering::Relaxed, yield_now};
use futon_model::{Lock, LockArcGuard, LockGuard, MappedLockGuard};
use loom::thread;

type Shared = Arc<Lock<Unprotected>>;

const SOON: Duration = Duration::from_secs(1);

fn shared() -> Shared {
    Arc::new(Lock::new(Unprotected::new(0)))
}

/// Nobody has the lock, nobody waits, and no mark of those who did has stayed.
#[track_caller]
fn assert_is_free<T>(lock: &Lock<T>) {
    assert!(!lock.is_locked());
    assert_eq!(lock.waiters(), 0);
    assert!(lock.try_acquire().is_some());
}

fn until_waiting<T>(lock: &Lock<T>, threads: usize) {
    while lock.waiters() < threads {
        yield_now();
    }
}

// Mutual exclusion, and what was done under the lock before is seen under it now

/// Takes the lock in some way, adds one if it has it, releases it in some way. Returns how many it added.
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

fn trying(lock: &Shared) -> u32 {
    lock.try_acquire().map_or(0, |value| {
        value.add_one();
        1
    })
}

fn with_a_timeout(lock: &Shared) -> u32 {
    lock.acquire_timeout(SOON).map_or(0, |value| {
        value.add_one();
        1
    })
}

fn with_a_deadline(lock: &Shared) -> u32 {
    lock.acquire_deadline(Instant::now() + SOON).map_or(0, |value| {
        value.add_one();
        1
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

fn releasing_fairly(lock: &Shared) -> u32 {
    let guard = lock.acquire();
    guard.add_one();
    LockGuard::release_fair(guard);
    1
}

fn releasing_fairly_what_it_owns(lock: &Shared) -> u32 {
    let guard = lock.acquire_arc();
    guard.add_one();
    LockArcGuard::release_fair(guard);
    1
}

fn releasing_for_a_while(lock: &Shared) -> u32 {
    let mut guard = lock.acquire();
    guard.add_one();
    LockGuard::unlocked(&mut guard, || ());
    guard.add_one();
    2
}

fn mapping(lock: &Shared) -> u32 {
    LockGuard::map(lock.acquire(), |value| value).add_one();
    1
}

fn mapping_and_releasing_fairly(lock: &Shared) -> u32 {
    let guard = LockGuard::map(lock.acquire(), |value| value);
    guard.add_one();
    MappedLockGuard::release_fair(guard);
    1
}

#[test]
fn two_threads_take_turns() {
    take_turns(5, [acquiring, acquiring]);
    take_turns(3, [acquiring_twice, acquiring_twice]);
}

#[test]
fn three_threads_take_turns() {
    take_turns(2, [acquiring, acquiring, acquiring]);
}

#[test]
fn a_thread_that_only_tries_takes_its_turn() {
    take_turns(4, [acquiring, trying]);
    take_turns(4, [acquiring_twice, trying]);
    take_turns(2, [acquiring, trying, acquiring]);
}

#[test]
fn a_thread_with_a_timeout_takes_its_turn() {
    take_turns(3, [acquiring, with_a_timeout]);
    take_turns(3, [with_a_timeout, acquiring]);
    take_turns(3, [with_a_timeout, with_a_timeout]);
}

#[test]
fn a_thread_with_a_deadline_takes_its_turn() {
    take_turns(3, [acquiring, with_a_deadline]);
}

#[test]
fn threads_whose_guards_own_the_lock_take_turns() {
    take_turns(3, [owning, owning]);
    take_turns(3, [acquiring, owning_in_any_way]);
}

#[test]
fn a_fair_release_is_a_release() {
    take_turns(3, [releasing_fairly, acquiring]);
    take_turns(3, [releasing_fairly, trying]);
    take_turns(3, [releasing_fairly_what_it_owns, with_a_timeout]);
    take_turns(1, [releasing_fairly, releasing_fairly, acquiring]);
}

#[test]
fn a_release_for_a_while_is_a_release() {
    take_turns(3, [releasing_for_a_while, acquiring]);
    take_turns(3, [acquiring, releasing_for_a_while]);
}

#[test]
fn the_end_of_a_mapped_guard_is_a_release() {
    take_turns(3, [mapping, acquiring]);
    take_turns(3, [mapping_and_releasing_fairly, acquiring]);
}

#[test]
fn a_guard_may_be_dropped_on_another_thread() {
    check_bounded(3, || {
        let lock = shared();
        let guard = lock.acquire_arc();
        let other = thread::spawn(move || {
            guard.add_one();
            drop(guard);
        });
        assert_eq!(lock.acquire().get(), 1);
        other.join().unwrap();
        assert_is_free(&lock);
    });
}

#[test]
fn a_borrowing_guard_may_be_dropped_on_another_thread() {
    static LOCK: Lock<u32> = Lock::new(0);
    check_bounded(3, || {
        let mut guard = LOCK.acquire();
        *guard = 0; // loom does not forget what an earlier execution left here
        let other = thread::spawn(move || *guard += 1);
        assert_eq!(*LOCK.acquire(), 1);
        other.join().unwrap();
        assert_is_free(&LOCK);
    });
}

#[test]
fn a_panic_under_the_lock_releases_it() {
    check_bounded(3, || {
        let lock = shared();
        let theirs = lock.clone();
        let other = thread::spawn(move || {
            let panic = catch_unwind(AssertUnwindSafe(|| {
                let value = theirs.acquire();
                value.add_one();
                // A panic without the message.
                resume_unwind(Box::new(()));
            }));
            assert!(panic.is_err());
        });
        lock.acquire().add_one();
        other.join().unwrap();
        assert_is_free(&lock);
        assert_eq!(lock.acquire().get(), 2);
    });
}

#[test]
fn a_panic_while_the_lock_is_released_takes_it_again_first() {
    check_bounded(3, || {
        let lock = shared();
        let theirs = lock.clone();
        let other = thread::spawn(move || theirs.acquire().add_one());
        let mut guard = lock.acquire();
        let panic = catch_unwind(AssertUnwindSafe(|| {
            LockGuard::unlocked(&mut guard, || resume_unwind(Box::new(())));
        }));
        assert!(panic.is_err());
        guard.add_one();
        drop(guard);
        other.join().unwrap();
        assert_eq!(lock.acquire().get(), 2);
        assert_is_free(&lock);
    });
}

// Nobody is forgotten

/// The first thread has the lock when the others come, and releases it in some way. All get it, but for
/// those whose time runs out; and nothing of those stays.
fn one_after_the_other<const N: usize>(
    preemptions: usize,
    release: fn(LockArcGuard<Unprotected>),
    ways: [Way; N],
) {
    check_bounded(preemptions, move || {
        let lock = shared();
        let guard = lock.acquire_arc();
        let others = ways.map(|way| {
            let lock = lock.clone();
            thread::spawn(move || way(&lock))
        });
        release(guard);
        let sum = others.map(|other| other.join().unwrap()).into_iter().sum::<u32>();
        assert_is_free(&lock);
        assert_eq!(lock.acquire().get(), sum);
    });
}

#[test]
fn each_of_two_waiters_gets_the_lock() {
    one_after_the_other(2, drop, [acquiring, acquiring]);
    one_after_the_other(1, LockArcGuard::release_fair, [acquiring, acquiring]);
}

/// So many are there before the first one is woken.
fn once_all_wait<const N: usize>(preemptions: usize) {
    check_bounded(preemptions, || {
        let lock = shared();
        let guard = lock.acquire();
        let others = [(); N].map(|()| {
            let lock = lock.clone();
            thread::spawn(move || acquiring(&lock))
        });
        until_waiting(&lock, N);
        drop(guard);
        others.into_iter().for_each(|other| _ = other.join().unwrap());
        assert_is_free(&lock);
    });
}

#[test]
fn all_who_wait_are_counted() {
    once_all_wait::<2>(1);
}

/// This is how it knows that its release has to wake. Who has seen the count itself would see it again in any case, so
/// nobody looks at it here before.
#[test]
fn who_takes_the_lock_finds_a_thread_counted_that_has_gone_to_sleep() {
    static SEEN: Seen<(bool, bool)> = Seen::new();
    check_bounded(3, || {
        let lock = shared();
        let guard = lock.acquire();
        let theirs = lock.clone();
        let other = thread::spawn(move || acquiring(&theirs));
        drop(guard);
        let again = lock.try_acquire();
        // Before this one took it. The number of calls orders nothing.
        let has_slept = calls().waits > 0;
        let is_first = again.as_ref().is_some_and(|value| value.get() == 0);
        if has_slept && is_first {
            assert_eq!(lock.waiters(), 1);
        }
        SEEN.add((has_slept, is_first));
        drop(again);
        other.join().unwrap();
        assert_is_free(&lock);
    });
    SEEN.assert_has([(true, true), (true, false), (false, true)]);
}

#[test]
fn each_of_three_waiters_gets_the_lock() {
    one_after_the_other(1, drop, [acquiring, acquiring, acquiring]);
}

#[test]
fn each_of_three_who_sleep_gets_the_lock() {
    once_all_wait::<3>(0);
}

#[test]
fn a_waiter_that_gives_up_does_not_strand_the_next() {
    one_after_the_other(2, drop, [with_a_timeout, acquiring]);
    one_after_the_other(1, drop, [acquiring, with_a_timeout]);
    one_after_the_other(1, LockArcGuard::release_fair, [with_a_timeout, acquiring]);
}

#[test]
fn two_waiters_may_give_up() {
    one_after_the_other(1, drop, [with_a_timeout, with_a_timeout]);
    one_after_the_other(1, LockArcGuard::release_fair, [with_a_timeout, with_a_deadline]);
}

#[test]
fn a_waiter_is_not_forgotten_by_those_who_only_come_by() {
    one_after_the_other(2, drop, [acquiring, trying]);
    one_after_the_other(2, drop, [acquiring_twice, acquiring]);
}

/// What a first round leaves behind, a second one would stumble over.
#[test]
fn the_lock_is_as_new_after_a_round() {
    for (first, release) in [
        (acquiring as Way, drop as fn(LockArcGuard<Unprotected>)),
        (with_a_timeout, drop),
        (acquiring, LockArcGuard::release_fair),
        (with_a_timeout, LockArcGuard::release_fair),
    ] {
        check_bounded(2, move || {
            let lock = shared();
            for way in [first, acquiring] {
                let guard = lock.acquire_arc();
                let theirs = lock.clone();
                let other = thread::spawn(move || way(&theirs));
                release(guard);
                other.join().unwrap();
                assert_is_free(&lock);
            }
        });
    }
}

// Time

#[test]
fn a_timeout_may_run_out_and_may_not() {
    static SEEN: Seen<bool> = Seen::new();
    check_bounded(4, || {
        let lock = shared();
        let guard = lock.acquire_arc();
        let theirs = lock.clone();
        let other = thread::spawn(move || theirs.acquire_timeout(SOON).is_some());
        drop(guard);
        SEEN.add(other.join().unwrap());
        assert_is_free(&lock);
    });
    SEEN.assert_is([false, true]);
}

#[test]
fn a_thread_with_a_timeout_waits_in_line() {
    static WAITED: Seen<bool> = Seen::new();
    check_bounded(2, || {
        let shared = Arc::new((Lock::new(()), AtomicU32::new(0)));
        let guard = shared.0.acquire();
        let theirs = shared.clone();
        let other = thread::spawn(move || {
            let has_it = theirs.0.acquire_timeout(SOON).is_some();
            theirs.1.swap(1, Relaxed);
            has_it
        });
        while shared.0.waiters() == 0 && shared.1.load(Relaxed) == 0 {
            yield_now();
        }
        let waits = shared.0.waiters() == 1;
        drop(guard);
        WAITED.add(other.join().unwrap() && waits);
    });
    WAITED.assert_has([true]);
}

#[test]
fn a_timeout_runs_out_where_the_lock_is_not_released() {
    check_bounded(4, || {
        let lock = shared();
        let guard = lock.acquire();
        let theirs = lock.clone();
        let other = thread::spawn(move || {
            assert!(theirs.acquire_timeout(SOON).is_none());
            assert!(theirs.acquire_deadline(Instant::now() + SOON).is_none());
        });
        other.join().unwrap();
        assert!(lock.is_locked());
        assert_eq!(lock.waiters(), 0);
        drop(guard);
        assert_is_free(&lock);
    });
}

#[test]
fn no_time_at_all_is_a_try() {
    check(|| {
        let lock = Lock::new(());
        let past = Instant::now();
        assert!(lock.acquire_timeout(Duration::ZERO).is_some());
        assert!(lock.acquire_deadline(past).is_some());
        let guard = lock.acquire();
        assert!(lock.acquire_timeout(Duration::ZERO).is_none());
        assert!(lock.acquire_deadline(past).is_none());
        drop(guard);
        assert_is_free(&lock);
    });
}

#[test]
fn the_longest_timeout_does_not_run_out() {
    check_bounded(4, || {
        let lock = shared();
        let guard = lock.acquire_arc();
        let theirs = lock.clone();
        let other = thread::spawn(move || theirs.acquire_timeout(Duration::MAX).is_some());
        drop(guard);
        assert!(other.join().unwrap());
        assert_is_free(&lock);
    });
}

// Who is next

#[test]
fn a_newcomer_may_overtake_a_waiter() {
    static SEEN: Seen<(bool, usize)> = Seen::new();
    check_bounded(2, || {
        let lock = shared();
        let guard = lock.acquire();
        let theirs = lock.clone();
        let waiter = thread::spawn(move || acquiring(&theirs));
        until_waiting(&lock, 1);
        drop(guard);
        let again = lock.try_acquire();
        SEEN.add((again.is_some(), lock.waiters()));
        drop(again);
        waiter.join().unwrap();
        assert_is_free(&lock);
    });
    SEEN.assert_has([(true, 1), (false, 0), (true, 0)]);
}

/// Has the lock, waits for a waiter, releases the lock fairly in the given way. Then `comes_back` is called.
fn after_a_fair_release(hold_and_release: fn(&Shared, &dyn Fn()), comes_back: fn(&Shared)) {
    check_bounded(2, move || {
        let lock = shared();
        let waiter = Cell::new(None);
        hold_and_release(&lock, &|| {
            let theirs = lock.clone();
            waiter.set(Some(thread::spawn(move || acquiring(&theirs))));
            until_waiting(&lock, 1);
        });
        comes_back(&lock);
        waiter.take().unwrap().join().unwrap();
        assert_is_free(&lock);
    });
}

fn holding(lock: &Shared, meanwhile: &dyn Fn()) {
    let guard = lock.acquire();
    meanwhile();
    LockGuard::release_fair(guard);
}

fn holding_a_part(lock: &Shared, meanwhile: &dyn Fn()) {
    let guard = LockGuard::map(lock.acquire(), |value| value);
    meanwhile();
    MappedLockGuard::release_fair(guard);
}

fn holding_and_owning(lock: &Shared, meanwhile: &dyn Fn()) {
    let guard = lock.acquire_arc();
    meanwhile();
    LockArcGuard::release_fair(guard);
}

/// Barges in first, while the waiter has been woken and is on its way.
fn holding_again(lock: &Shared, meanwhile: &dyn Fn()) {
    let guard = lock.acquire();
    meanwhile();
    drop(guard);
    if let Some(guard) = lock.try_acquire() {
        LockGuard::release_fair(guard);
    }
}

/// The releasing thread itself does not get the lock back before the waiter has had it.
#[test]
fn a_fair_release_lets_nobody_have_the_lock_before_a_waiter() {
    static TRIED: Seen<(bool, usize)> = Seen::new();
    for hold_and_release in [holding, holding_again, holding_a_part, holding_and_owning] {
        after_a_fair_release(hold_and_release, |lock| {
            let again = lock.try_acquire();
            if let Some(value) = &again {
                assert_eq!(value.get(), 1, "overtaken");
            }
            TRIED.add((again.is_some(), lock.waiters()));
        });
    }
    // Refused while nobody has the lock and the waiter is on its way, while the waiter has it, and not.
    TRIED.assert_is([(false, 1), (false, 0), (true, 0)]);
}

/// Whoever finds it free gets it, and after the waiter, unless that one has taken it at this moment.
#[test]
fn a_lock_that_is_kept_for_a_waiter_counts_as_locked() {
    static SEEN: Seen<bool> = Seen::new();
    after_a_fair_release(holding, |lock| {
        let is_locked = lock.is_locked();
        if !is_locked {
            let is_next = lock.try_acquire().is_some_and(|value| value.get() == 1);
            assert!(is_next || lock.waiters() == 0);
        }
        SEEN.add(is_locked);
    });
    SEEN.assert_is([false, true]);
}

#[test]
fn a_newcomer_does_not_get_what_is_reserved() {
    check_bounded(2, || {
        let lock = shared();
        let guard = lock.acquire();
        let theirs = lock.clone();
        let waiter = thread::spawn(move || {
            let value = theirs.acquire();
            assert!(value.get() == 1 || value.get() == 2);
            value.set(2);
        });
        until_waiting(&lock, 1);
        let theirs = lock.clone();
        let newcomer = thread::spawn(move || {
            if let Some(value) = theirs.try_acquire() {
                // The lock has been released, so that the waiter has had it.
                assert_eq!(value.get(), 2, "overtaken");
            }
        });
        guard.set(1);
        LockGuard::release_fair(guard);
        waiter.join().unwrap();
        newcomer.join().unwrap();
        assert_is_free(&lock);
    });
}

/// The thread that it is kept for may not come to run for long. Time passes once for a thread: when it has, the same
/// newcomer is patient again, and this time the waiter comes first.
#[test]
fn a_newcomer_is_patient_with_a_thread_that_the_lock_is_kept_for_but_not_for_ever() {
    static SEEN: Seen<(u32, u32)> = Seen::new();
    check_bounded(1, || {
        let lock = shared();
        let guard = lock.acquire();
        let theirs = lock.clone();
        let waiter = thread::spawn(move || acquiring(&theirs));
        until_waiting(&lock, 1);
        LockGuard::release_fair(guard);
        let guard = lock.acquire();
        let at_first = guard.get();
        LockGuard::release_fair(guard);
        SEEN.add((at_first, lock.acquire().get()));
        waiter.join().unwrap();
        assert_is_free(&lock);
    });
    SEEN.assert_is([(0, 1), (1, 1)]);
}

#[test]
fn a_fair_release_without_a_waiter_reserves_nothing() {
    check(|| {
        let lock = Arc::new(Lock::new(0));
        LockGuard::release_fair(lock.acquire());
        assert_is_free(&lock);
        LockArcGuard::release_fair(lock.acquire_arc());
        assert_is_free(&lock);
        MappedLockGuard::release_fair(LockGuard::map(lock.acquire(), |value| value));
        assert_is_free(&lock);
    });
}

/// No newcomer gets past a thread that has waited long. That shows in a try that fails though nobody has
/// the lock, while the thread still waits.
#[test]
fn a_thread_that_has_waited_long_is_not_overtaken() {
    const RESERVED: u32 = 4;
    static SEEN: Seen<(bool, usize, bool)> = Seen::new();
    check_bounded(2, || {
        let lock = shared();
        let guard = lock.acquire();
        let theirs = lock.clone();
        let waiter = thread::spawn(move || acquiring(&theirs));
        until_waiting(&lock, 1);
        drop(guard);
        let is_reserved = calls().expected & RESERVED != 0;
        let again = lock.try_acquire();
        let waiters = lock.waiters();
        SEEN.add((again.is_some(), waiters, is_reserved));
        if again.is_none() && waiters == 1 {
            assert!(lock.acquire_timeout(Duration::ZERO).is_none_or(|value| value.get() == 1));
        }
        drop(again);
        waiter.join().unwrap();
        assert_is_free(&lock);
    });
    // It may also be that the other one has the lock by then. Not so where it sleeps, and the lock is kept for it.
    SEEN.assert_has([(true, 1, false), (false, 1, true)]);
}

/// What shows that it has waited long is that it sleeps on a word with the mark. Without that it is overtaken again.
#[test]
fn a_thread_that_has_been_overtaken_is_not_overtaken_again_once_it_has_waited_long() {
    const RESERVED: u32 = 4;
    static SEEN: Seen<(bool, bool, usize)> = Seen::new();
    check_bounded(2, || {
        let lock = shared();
        let guard = lock.acquire();
        let theirs = lock.clone();
        let waiter = thread::spawn(move || acquiring(&theirs));
        until_waiting(&lock, 1);
        drop(guard);
        drop(lock.try_acquire());
        let again = lock.try_acquire();
        let (wakes, is_reserved) = (calls().wakes, calls().expected & RESERVED != 0);
        let overtakes = again.as_ref().is_some_and(|value| value.get() == 0);
        assert!(!(overtakes && is_reserved), "overtaken");
        SEEN.add((is_reserved, overtakes, wakes));
        drop(again);
        waiter.join().unwrap();
        assert_is_free(&lock);
    });
    SEEN.assert_has([(true, false, 2), (false, true, 2)]);
}

#[test]
fn two_threads_that_have_waited_long_leave_no_mark() {
    check_bounded(1, || {
        let lock = shared();
        let guard = lock.acquire();
        let ways: [Way; 2] = [acquiring, with_a_timeout];
        let waiters = ways.map(|way| {
            let lock = lock.clone();
            thread::spawn(move || way(&lock))
        });
        drop(guard);
        // Lets them find it taken when they have been woken.
        drop(lock.try_acquire());
        waiters.into_iter().for_each(|waiter| _ = waiter.join().unwrap());
        assert_is_free(&lock);
    });
}

/// While a thread stands just before its sleep, others may bring the word back to what it expects. So that must be a word
/// whose release wakes.
///
/// To see the deadlock itself takes three preemptions and minutes; to see the expectation, two.
#[test]
fn nobody_goes_to_sleep_but_on_a_lock_whose_release_wakes() {
    const LOCKED_AND_ASLEEP: u32 = 3;
    static SLEPT: Seen<bool> = Seen::new();
    let check_expected = || {
        let calls = calls();
        SLEPT.add(calls.waits > 0);
        assert_eq!(calls.always_expected & LOCKED_AND_ASLEEP, LOCKED_AND_ASLEEP, "{calls:?}");
    };
    check_bounded(2, move || {
        let lock = shared();
        let guard = lock.acquire();
        let others = [(); 2].map(|()| {
            let lock = lock.clone();
            thread::spawn(move || drop(lock.acquire()))
        });
        drop(guard);
        drop(lock.try_acquire());
        others.into_iter().for_each(|other| other.join().unwrap());
        check_expected();
        assert_is_free(&lock);
    });
    check_bounded(2, move || {
        let lock = shared();
        let guard = lock.acquire();
        let theirs = lock.clone();
        let other = thread::spawn(move || drop(theirs.acquire()));
        LockGuard::release_fair(guard);
        drop(lock.acquire());
        other.join().unwrap();
        check_expected();
        assert_is_free(&lock);
    });
    SLEPT.assert_is([false, true]);
}

// Nothing is touched after the release

#[test]
fn a_lock_may_be_freed_by_whoever_acquires_it_last() {
    for is_fair in [false, true] {
        check_bounded(3, move || {
            let slot = Arc::new(Slot::new(Lock::new(())));
            let guard = slot.get().acquire();
            let theirs = slot.clone();
            let other = thread::spawn(move || {
                drop(theirs.get().acquire());
                theirs.free();
            });
            // The other thread may be through before this is.
            match is_fair {
                true => LockGuard::release_fair(guard),
                false => drop(guard),
            }
            other.join().unwrap();
        });
    }
}

#[test]
fn a_lock_may_be_freed_by_the_last_of_two_waiters() {
    check_bounded(2, || {
        let slot = Arc::new(Slot::new(Lock::new(0)));
        let mut guard = slot.get().acquire();
        *guard += 1;
        let others = [(); 2].map(|()| {
            let slot = slot.clone();
            thread::spawn(move || {
                let mut guard = slot.get().acquire();
                *guard += 1;
                let is_last = *guard == 3;
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
        let lock = Lock::new(());
        drop(lock.acquire());
        LockGuard::release_fair(lock.acquire());
        let guard = lock.acquire();
        assert!(lock.try_acquire().is_none());
        assert!(lock.acquire_timeout(Duration::ZERO).is_none());
        drop(guard);
        assert_eq!(calls(), Calls::default());
    });
}

#[test]
fn a_lock_without_contention_takes_one_operation_and_one_more_to_release() {
    const ONE_EACH: [(usize, usize, usize); 2] = [(0, 0, 1); 2];
    check(|| {
        let lock = Arc::new(Lock::new(()));
        let later = Instant::now() + SOON;
        assert_eq!(costs(|| Some(lock.acquire())), ONE_EACH);
        assert_eq!(costs(|| lock.try_acquire()), ONE_EACH);
        assert_eq!(costs(|| lock.acquire_timeout(SOON)), ONE_EACH);
        assert_eq!(costs(|| lock.acquire_deadline(later)), ONE_EACH);
        assert_eq!(costs(|| Some(lock.acquire_arc())), ONE_EACH);
        assert_eq!(costs(|| Some(LockGuard::map(lock.acquire(), |value| value))), ONE_EACH);
    });
}

/// Each release wakes one at most, and the last one nobody.
#[test]
fn a_release_wakes_one_of_two_waiters() {
    for is_fair in [false, true] {
        check_bounded(2, move || {
            let lock = Arc::new(Lock::new(()));
            let guard = lock.acquire();
            let others = [(); 2].map(|()| {
                let lock = lock.clone();
                thread::spawn(move || match is_fair {
                    true => LockGuard::release_fair(lock.acquire()),
                    false => drop(lock.acquire()),
                })
            });
            drop(guard);
            others.into_iter().for_each(|other| other.join().unwrap());
            assert!(calls().woken <= 2 && calls().wakes <= 2, "{:?}", calls());
        });
    }
}

/// A fair release wakes a waiter that sleeps, and does not call where the waiter looks at the lock still.
#[test]
fn a_fair_release_calls_only_those_who_sleep() {
    static SEEN: Seen<usize> = Seen::new();
    check_bounded(2, || {
        let lock = Arc::new(Lock::new(()));
        let guard = lock.acquire();
        let theirs = lock.clone();
        let waiter = thread::spawn(move || drop(theirs.acquire()));
        until_waiting(&lock, 1);
        LockGuard::release_fair(guard);
        SEEN.add(calls().wakes);
        waiter.join().unwrap();
    });
    SEEN.assert_is([0, 1]);
}

/// While one that was woken is on its way, a release calls nobody.
#[test]
fn a_waiter_on_its_way_is_not_woken_again() {
    check_bounded(2, || {
        let lock = Arc::new(Lock::new(()));
        let guard = lock.acquire();
        let theirs = lock.clone();
        let other = thread::spawn(move || drop(theirs.acquire()));
        drop(guard);
        for _ in 0..2 {
            // Each time it goes to sleep again there is one more call, and no other.
            drop(lock.try_acquire());
        }
        other.join().unwrap();
        assert!(calls().wakes <= calls().waits, "{:?}", calls());
    });
}

/// A thread that has been overtaken once, and has not waited long, may be overtaken again. That it has been
/// woken in vain shows in a second wake.
#[test]
fn a_thread_that_has_not_waited_long_may_be_overtaken_again() {
    static SEEN: Seen<(usize, bool, usize)> = Seen::new();
    check_bounded(3, || {
        let lock = Arc::new(Lock::new(()));
        let guard = lock.acquire();
        let theirs = lock.clone();
        let other = thread::spawn(move || drop(theirs.acquire()));
        drop(guard);
        drop(lock.try_acquire());
        let again = lock.try_acquire();
        SEEN.add((calls().wakes, again.is_some(), lock.waiters()));
        drop(again);
        other.join().unwrap();
    });
    SEEN.assert_has([(2, true, 1), (2, false, 1)]);
}
