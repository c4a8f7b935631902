//! The condition, sentence by sentence of its contract.

mod checking;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use checking::{Seen, Slot, Unprotected, check_bounded, cost};
use futon_model::atomic::model::{Calls, calls, calls_of_this_thread, check};
use futon_model::atomic::yield_now;
use futon_model::{Condition, Lock, LockGuard, RLock, RLockGuard};
use loom::thread;

const SOON: Duration = Duration::from_secs(1);

/// A condition and its lock, and a number that no lock guards.
struct Shared {
    lock: Lock<Unprotected>,
    changed: Condition,
    beside: Unprotected,
}

fn shared() -> Arc<Shared> {
    Arc::new(Shared {
        lock: Lock::new(Unprotected::new(0)),
        changed: Condition::new(),
        beside: Unprotected::new(0),
    })
}

fn until_waiting(condition: &Condition, threads: usize) {
    while condition.waiters() < threads {
        yield_now();
    }
}

/// Nobody waits, nobody has the lock or waits for it, and no mark of those who did has stayed.
#[track_caller]
fn assert_untouched(shared: &Shared) {
    assert_eq!(shared.changed.waiters(), 0);
    assert!(!shared.lock.is_locked());
    assert_eq!(shared.lock.waiters(), 0);
    assert!(shared.lock.try_acquire().is_some());
}

/// Waits in some way, until the number under the lock is not 0. Whether it was notified.
type Way = fn(&Shared) -> bool;

/// Waits once, so that it must have been notified, and not for no reason.
fn once(shared: &Shared) -> bool {
    let mut guard = shared.lock.acquire();
    shared.changed.wait(&mut guard);
    assert_eq!(shared.beside.get(), 1);
    guard.add_one();
    true
}

fn once_with_a_timeout(shared: &Shared) -> bool {
    let mut guard = shared.lock.acquire();
    let notified = shared.changed.wait_timeout(&mut guard, SOON);
    assert!(!notified || shared.beside.get() == 1);
    guard.add_one();
    notified
}

fn once_with_a_deadline(shared: &Shared) -> bool {
    let mut guard = shared.lock.acquire();
    let notified = shared.changed.wait_deadline(&mut guard, Instant::now() + SOON);
    assert!(!notified || shared.beside.get() == 1);
    guard.add_one();
    notified
}

/// Notifies in some way, those who wait at this moment. Returns how many it has released.
type Notify = fn(&Shared) -> usize;

fn without_the_lock(shared: &Shared) -> usize {
    usize::from(shared.changed.notify_one())
}

fn with_the_lock(shared: &Shared) -> usize {
    let guard = shared.lock.acquire();
    let released = usize::from(shared.changed.notify_one());
    guard.add_one();
    released
}

fn all_without_the_lock(shared: &Shared) -> usize {
    shared.changed.notify_all()
}

fn all_with_the_lock(shared: &Shared) -> usize {
    let guard = shared.lock.acquire();
    let released = shared.changed.notify_all();
    guard.add_one();
    released
}

/// Threads that wait in these ways, and one that notifies when so many of them are in the line. Returns how
/// many it has released, and who says that it was notified.
fn notified<const N: usize>(ways: [Way; N], in_line: usize, notify: Notify) -> (usize, [bool; N]) {
    let shared = shared();
    let mut waiting = 0;
    let others = ways.map(|way| {
        let theirs = shared.clone();
        let other = thread::spawn(move || way(&theirs));
        waiting += 1;
        // One after the other, which leaves out nothing but who is first.
        until_waiting(&shared.changed, in_line.min(waiting));
        other
    });
    shared.beside.set(1);
    let released = notify(&shared);
    let notified = others.map(|other| other.join().unwrap());
    assert_untouched(&shared);
    (released, notified)
}

// Nothing is lost

/// The number under the lock is changed, then it is notified: nobody sleeps on.
fn changes(preemptions: usize, change: fn(&Shared), waits: fn(&Shared)) {
    check_bounded(preemptions, move || {
        let shared = shared();
        let theirs = shared.clone();
        let other = thread::spawn(move || waits(&theirs));
        change(&shared);
        other.join().unwrap();
        assert_untouched(&shared);
    });
}

fn and_notifies_under_the_lock(shared: &Shared) {
    let guard = shared.lock.acquire();
    guard.set(1);
    shared.changed.notify_one();
}

fn and_notifies_after_the_lock(shared: &Shared) {
    shared.lock.acquire().set(1);
    shared.changed.notify_one();
}

fn and_notifies_all(shared: &Shared) {
    let guard = shared.lock.acquire();
    guard.set(1);
    shared.changed.notify_all();
}

fn while_it_is_zero(shared: &Shared) {
    let mut guard = shared.lock.acquire();
    shared.changed.wait_while(&mut guard, |value| value.get() == 0);
    assert_eq!(guard.get(), 1);
}

/// H6: a notification that finds nobody counted must not leave a thread out that waits already.
#[test]
fn a_change_under_the_lock_is_not_missed() {
    changes(3, and_notifies_under_the_lock, while_it_is_zero);
    changes(3, and_notifies_after_the_lock, while_it_is_zero);
    changes(3, and_notifies_all, while_it_is_zero);
}

#[test]
fn a_change_is_not_missed_by_who_looks_for_itself() {
    changes(3, and_notifies_after_the_lock, |shared| {
        let mut guard = shared.lock.acquire();
        while guard.get() == 0 {
            shared.changed.wait(&mut guard);
        }
    });
}

#[test]
fn a_change_is_not_missed_within_the_longest_time() {
    changes(2, and_notifies_after_the_lock, |shared| {
        let mut guard = shared.lock.acquire();
        let has_changed =
            shared.changed.wait_timeout_while(&mut guard, Duration::MAX, |value| value.get() == 0);
        assert!(has_changed);
    });
}

#[test]
fn a_wait_with_a_limit_says_whether_the_condition_has_come_to_an_end() {
    static SEEN: Seen<bool> = Seen::new();
    changes(3, and_notifies_after_the_lock, |shared| {
        let mut guard = shared.lock.acquire();
        let has_ended = shared.changed.wait_timeout_while(&mut guard, SOON, |value| value.get() == 0);
        assert_eq!(has_ended, guard.get() != 0);
        SEEN.add(has_ended);
    });
    SEEN.assert_is([false, true]);

    static AT: Seen<bool> = Seen::new();
    changes(3, and_notifies_after_the_lock, |shared| {
        let mut guard = shared.lock.acquire();
        let deadline = Instant::now() + SOON;
        let has_ended =
            shared.changed.wait_deadline_while(&mut guard, deadline, |value| value.get() == 0);
        assert_eq!(has_ended, guard.get() != 0);
        AT.add(has_ended);
    });
    AT.assert_is([false, true]);
}

/// H10: the time is over, and nobody has notified; still the condition has come to an end.
#[test]
fn who_runs_out_of_time_looks_once_more() {
    static SEEN: Seen<bool> = Seen::new();
    changes(
        3,
        |shared| shared.lock.acquire().set(1),
        |shared| {
            let mut guard = shared.lock.acquire();
            let has_ended = shared.changed.wait_timeout_while(&mut guard, SOON, |v| v.get() == 0);
            assert_eq!(has_ended, guard.get() == 1);
            SEEN.add(has_ended);
        },
    );
    SEEN.assert_is([false, true]);
}

#[test]
fn two_threads_take_turns_by_one_condition() {
    fn turns(shared: &Shared, mine: u32) {
        let mut guard = shared.lock.acquire();
        shared.changed.wait_while(&mut guard, |value| value.get() % 2 != mine);
        guard.add_one();
        shared.changed.notify_one();
    }
    for (preemptions, rounds) in [(2, 1), (1, 2)] {
        check_bounded(preemptions, move || {
            let shared = shared();
            let theirs = shared.clone();
            let other = thread::spawn(move || (0..rounds).for_each(|_| turns(&theirs, 1)));
            (0..rounds).for_each(|_| turns(&shared, 0));
            other.join().unwrap();
            assert_eq!(shared.lock.acquire().get(), 2 * rounds);
            assert_untouched(&shared);
        });
    }
}

/// H2: what a thread remembers of an earlier round does not come back.
#[test]
fn a_thread_that_waits_again_is_notified_again() {
    for (preemptions, notify) in [(2, without_the_lock as Notify), (1, with_the_lock)] {
        check_bounded(preemptions, move || {
            let shared = shared();
            let theirs = shared.clone();
            shared.beside.set(1);
            let other = thread::spawn(move || once(&theirs) && once(&theirs));
            for _ in 0..2 {
                until_waiting(&shared.changed, 1);
                assert_eq!(notify(&shared), 1);
            }
            assert!(other.join().unwrap());
            assert_untouched(&shared);
        });
    }
}

// Each notification releases one thread, and tells it what came before

#[test]
fn a_notification_releases_a_waiter_and_publishes() {
    for notify in [without_the_lock as Notify, with_the_lock, all_without_the_lock, all_with_the_lock] {
        check_bounded(2, move || assert_eq!(notified([once], 1, notify), (1, [true])));
    }
}

#[test]
fn all_who_wait_are_released() {
    check_bounded(1, || assert_eq!(notified([once, once], 2, all_with_the_lock), (2, [true, true])));
    check_bounded(1, || assert_eq!(notified([once, once], 2, all_without_the_lock), (2, [true, true])));
}

#[test]
fn as_many_are_released_as_asked_for() {
    fn in_two_steps(shared: &Shared) -> usize {
        assert_eq!(shared.changed.notify(0), 0);
        assert_eq!(shared.changed.waiters(), 2);
        assert_eq!(shared.changed.notify(1), 1);
        assert_eq!(shared.changed.waiters(), 1);
        1 + shared.changed.notify(2)
    }
    check_bounded(1, || assert_eq!(notified([once, once], 2, in_two_steps), (2, [true, true])));
}

/// A wait that reports a notification has used it up, and one that does not has left it.
#[test]
fn a_notification_at_the_last_moment_is_reported_or_not_given() {
    for (way, notify) in [
        (once_with_a_timeout as Way, without_the_lock as Notify),
        (once_with_a_timeout, with_the_lock),
        (once_with_a_deadline, all_with_the_lock),
    ] {
        let seen = Arc::new(Seen::new());
        let outcomes = seen.clone();
        check_bounded(2, move || {
            let (released, [notified]) = notified([way], 0, notify);
            assert_eq!(released, usize::from(notified));
            outcomes.add(notified);
        });
        seen.assert_is([false, true]);
    }
}

/// H4: nobody takes it along who says that he was not notified.
#[test]
fn a_notification_is_not_swallowed_by_who_runs_out_of_time() {
    static SEEN: Seen<(bool, bool)> = Seen::new();
    for notify in [without_the_lock as Notify, with_the_lock] {
        check_bounded(1, move || {
            let shared = shared();
            shared.beside.set(1);
            let theirs = shared.clone();
            let timed = thread::spawn(move || once_with_a_timeout(&theirs));
            let theirs = shared.clone();
            let untimed = thread::spawn(move || once(&theirs));
            let released = notify(&shared) == 1;
            let in_time = timed.join().unwrap();
            SEEN.add((released, in_time));
            assert!(released || !in_time);
            if !released || in_time {
                // The other one still waits, or comes now.
                until_waiting(&shared.changed, 1);
                assert_eq!(notify(&shared), 1);
            }
            untimed.join().unwrap();
            assert_untouched(&shared);
        });
    }
    SEEN.assert_is([(false, false), (true, false), (true, true)]);
}

#[test]
fn two_notifications_at_once_are_not_for_one_thread() {
    check_bounded(1, || {
        let shared = shared();
        shared.beside.set(1);
        let theirs = shared.clone();
        let waiter = thread::spawn(move || once(&theirs));
        until_waiting(&shared.changed, 1);
        let theirs = shared.clone();
        let notifier = thread::spawn(move || theirs.changed.notify_one());
        let ours = shared.changed.notify_one();
        assert!(ours != notifier.join().unwrap());
        waiter.join().unwrap();
        assert_untouched(&shared);
    });
}

// In order

/// H3: whoever comes after the notification does not get it.
#[test]
fn a_later_waiter_does_not_steal() {
    for notify in [without_the_lock as Notify, with_the_lock] {
        check_bounded(1, move || {
            let shared = shared();
            shared.beside.set(1);
            let theirs = shared.clone();
            let other = thread::spawn(move || once(&theirs));
            until_waiting(&shared.changed, 1);
            assert_eq!(notify(&shared), 1);
            assert!(!once_with_a_timeout(&shared));
            other.join().unwrap();
            assert_untouched(&shared);
        });
    }
}

#[test]
fn who_has_waited_longest_is_released_first() {
    for notify in [without_the_lock as Notify, with_the_lock] {
        check_bounded(1, move || {
            let shared = shared();
            shared.beside.set(1);
            let waits = |number| {
                let theirs = shared.clone();
                let waiter = thread::spawn(move || once(&theirs));
                until_waiting(&shared.changed, number);
                waiter
            };
            let (first, second) = (waits(1), waits(2));
            assert_eq!(notify(&shared), 1);
            first.join().unwrap();
            assert_eq!(shared.changed.waiters(), 1);
            assert_eq!(notify(&shared), 1);
            second.join().unwrap();
            assert_untouched(&shared);
        });
    }
}

/// Whoever leaves the line, from the front or the end of it, leaves the others there.
#[test]
fn who_gives_up_leaves_the_others_in_line() {
    check_bounded(1, || {
        let shared = shared();
        shared.beside.set(1);
        let waiters = [once as Way, once_with_a_timeout].map(|way| {
            let shared = shared.clone();
            thread::spawn(move || way(&shared))
        });
        let [untimed, timed] = waiters;
        assert!(!timed.join().unwrap());
        until_waiting(&shared.changed, 1);
        assert_eq!(shared.changed.notify_all(), 1);
        assert!(untimed.join().unwrap());
        assert_untouched(&shared);
    });
}

#[test]
fn the_one_in_the_middle_may_leave() {
    check_bounded(1, || {
        let shared = shared();
        shared.beside.set(1);
        let spawn = |way: Way| {
            let shared = shared.clone();
            thread::spawn(move || way(&shared))
        };
        let first = spawn(once);
        until_waiting(&shared.changed, 1);
        let middle = spawn(once_with_a_timeout);
        let last = spawn(once);
        assert!(!middle.join().unwrap());
        until_waiting(&shared.changed, 2);
        assert!(shared.changed.notify_one());
        assert!(first.join().unwrap());
        assert!(shared.changed.notify_one());
        assert!(last.join().unwrap());
        assert_untouched(&shared);
    });
}

// Those who were notified need the lock

/// They sleep on until the lock is released, wherever the system can move a sleeper.
#[test]
fn who_is_notified_under_the_lock_is_woken_by_its_release() {
    /// How many were moved, and whether any were woken, by the notification.
    static SEEN: Seen<(usize, bool)> = Seen::new();
    check_bounded(2, || {
        let shared = shared();
        shared.beside.set(1);
        let theirs = shared.clone();
        let other = thread::spawn(move || once(&theirs));
        until_waiting(&shared.changed, 1);
        let guard = shared.lock.acquire();
        let before = calls();
        assert!(shared.changed.notify_one());
        let (moved, woken) = (calls().moved - before.moved, calls().woken - before.woken);
        assert_eq!(shared.lock.waiters(), 1, "counted");
        assert_eq!(shared.changed.waiters(), 0);
        drop(guard);
        other.join().unwrap();
        SEEN.add((moved, woken > 0));
        assert_untouched(&shared);
    });
    // Moved; woken, because it could not be; or not asleep yet.
    SEEN.assert_is([(1, false), (0, true), (0, false)]);
}

/// No stampede: a notification of all wakes nobody under the lock, and each release wakes one.
#[test]
fn all_who_are_notified_under_the_lock_are_woken_one_by_one() {
    static SEEN: Seen<(usize, usize)> = Seen::new();
    check_bounded(1, || {
        let shared = shared();
        shared.beside.set(1);
        let others = [1, 2].map(|waiting| {
            let theirs = shared.clone();
            let other = thread::spawn(move || once(&theirs));
            until_waiting(&shared.changed, waiting);
            other
        });
        let guard = shared.lock.acquire();
        let before = calls();
        assert_eq!(shared.changed.notify_all(), 2);
        let moved = calls().moved - before.moved;
        SEEN.add((moved, calls().woken - before.woken));
        assert_eq!(shared.lock.waiters(), 2);
        let before = calls();
        drop(guard);
        assert!(calls().woken <= before.woken + 1, "the release has woken more than one");
        others.into_iter().for_each(|other| _ = other.join().unwrap());
        assert_untouched(&shared);
    });
    SEEN.assert_has([(2, 0)]);
}

/// The same where the lock is free: one of them is woken, and its release wakes the next.
#[test]
fn all_who_are_notified_while_the_lock_is_free_are_woken_one_by_one() {
    static SEEN: Seen<(usize, usize)> = Seen::new();
    check_bounded(1, || {
        let shared = shared();
        shared.beside.set(1);
        let others = [1, 2].map(|waiting| {
            let theirs = shared.clone();
            let other = thread::spawn(move || once(&theirs));
            until_waiting(&shared.changed, waiting);
            other
        });
        let before = calls_of_this_thread();
        assert_eq!(shared.changed.notify_all(), 2);
        let after = calls_of_this_thread();
        let (moved, wakes) = (after.moved - before.moved, after.wakes - before.wakes);
        // One for the lock, and one for a thread that waits for the line.
        assert!(moved + wakes <= 4, "a call for each, and two more: {moved} and {wakes}");
        SEEN.add((moved, wakes));
        others.into_iter().for_each(|other| _ = other.join().unwrap());
        assert_untouched(&shared);
    });
    SEEN.assert_has([(2, 1)]);
}

/// Where the lock is free, one that is notified alone would be moved only to be woken there.
#[test]
fn who_is_notified_alone_while_the_lock_is_free_is_not_moved() {
    /// Of how many, and whether the system was called for it.
    static WOKEN: Seen<(usize, bool)> = Seen::new();

    fn model(waiting: usize, notify: Notify) {
        check_bounded(1, move || {
            let shared = shared();
            shared.beside.set(1);
            let others: Vec<_> = (1..=waiting)
                .map(|waiting| {
                    let theirs = shared.clone();
                    let other = thread::spawn(move || once(&theirs));
                    until_waiting(&shared.changed, waiting);
                    other
                })
                .collect();
            // Not held by one who is about to wait.
            drop(shared.lock.acquire());
            let before = calls();
            assert_eq!(notify(&shared), 1);
            assert_eq!(calls().moved, before.moved, "{:?}", calls());
            WOKEN.add((waiting, calls().wakes > before.wakes));
            assert_eq!(shared.changed.notify_all(), waiting - 1);
            others.into_iter().for_each(|other| _ = other.join().unwrap());
            assert_untouched(&shared);
        });
    }
    model(1, without_the_lock);
    model(1, all_without_the_lock);
    model(2, without_the_lock);
    // Nobody is to be woken who has not fallen asleep yet.
    WOKEN.assert_has([(1, false), (1, true), (2, true)]);
}

/// H7: the one that has the lock releases it at any moment, before the notified thread is counted, between that
/// and its being moved, or later; and may come back in between, or meet another one that waits.
#[test]
fn a_release_by_another_thread_meets_a_notification() {
    type Holds = fn(&Lock<Unprotected>, LockGuard<'_, Unprotected>);
    let ways: [(usize, Holds); 4] = [
        (2, |_, guard| drop(guard)),
        (1, |_, guard| LockGuard::release_fair(guard)),
        (1, |lock, guard| {
            drop(guard);
            drop(lock.try_acquire());
        }),
        (1, |lock, guard| {
            drop(guard);
            drop(lock.acquire_timeout(SOON));
        }),
    ];
    for (preemptions, holds) in ways {
        check_bounded(preemptions, move || {
            let shared = shared();
            shared.beside.set(1);
            let theirs = shared.clone();
            let waiter = thread::spawn(move || once(&theirs));
            until_waiting(&shared.changed, 1);
            let theirs = shared.clone();
            let notifier = thread::spawn(move || assert!(theirs.changed.notify_one()));
            holds(&shared.lock, shared.lock.acquire());
            notifier.join().unwrap();
            waiter.join().unwrap();
            assert_untouched(&shared);
        });
    }
}

/// The same among those who wait for the lock already.
#[test]
fn a_notified_thread_stands_in_line_with_those_who_wait_for_the_lock() {
    check_bounded(1, || {
        let shared = shared();
        shared.beside.set(1);
        let theirs = shared.clone();
        let waiter = thread::spawn(move || once(&theirs));
        until_waiting(&shared.changed, 1);
        let guard = shared.lock.acquire();
        let theirs = shared.clone();
        let other = thread::spawn(move || theirs.lock.acquire().add_one());
        let theirs = shared.clone();
        let notifier = thread::spawn(move || assert!(theirs.changed.notify_one()));
        drop(guard);
        drop(shared.lock.try_acquire());
        waiter.join().unwrap();
        other.join().unwrap();
        notifier.join().unwrap();
        assert_eq!(shared.lock.acquire().get(), 2);
        assert_untouched(&shared);
    });
}

/// Who has been notified waits for the lock as patiently as any other, and no more so: overtaken once it has waited long,
/// it has the lock kept.
#[test]
fn a_notified_thread_that_has_waited_long_for_the_lock_is_not_overtaken_again() {
    const RESERVED: u32 = 4;
    /// Whether the lock was kept for it in the end, and whether it was overtaken then.
    static SEEN: Seen<(bool, bool)> = Seen::new();
    check_bounded(2, || {
        let shared = shared();
        shared.beside.set(1);
        let theirs = shared.clone();
        let other = thread::spawn(move || once(&theirs));
        until_waiting(&shared.changed, 1);
        let guard = shared.lock.acquire();
        assert!(shared.changed.notify_one());
        // Else it may be this thread that has had it kept, or the lock of the line that was.
        let is_known = calls().expected & RESERVED == 0;
        // Woken, it finds the lock taken and sleeps there; woken again it has waited long, or has not.
        drop(guard);
        drop(shared.lock.try_acquire());
        drop(shared.lock.try_acquire());
        let is_kept = is_known && calls().expected & RESERVED != 0;
        let again = shared.lock.try_acquire();
        let overtakes = again.as_ref().is_some_and(|value| value.get() == 0);
        assert!(!(overtakes && is_kept), "overtaken");
        SEEN.add((is_kept, overtakes));
        drop(again);
        other.join().unwrap();
        assert_untouched(&shared);
    });
    SEEN.assert_has([(true, false), (false, true)]);
}

/// One whose time runs out when it has been moved already was notified.
#[test]
fn the_time_of_a_moved_thread_may_run_out() {
    static SEEN: Seen<(usize, usize)> = Seen::new();
    check_bounded(3, || {
        let shared = shared();
        shared.beside.set(1);
        let theirs = shared.clone();
        let other = thread::spawn(move || once_with_a_timeout(&theirs));
        let guard = shared.lock.acquire();
        let released = shared.changed.notify_all();
        guard.add_one();
        if released == 1 {
            // Until it has come back by itself, if it can.
            (0..2).for_each(|_| yield_now());
        }
        SEEN.add((released, calls().moved));
        drop(guard);
        assert_eq!(other.join().unwrap(), released == 1);
        assert_untouched(&shared);
    });
    SEEN.assert_has([(0, 0), (1, 0), (1, 1)]);
}

// The lock is given up, and had again

#[test]
fn the_lock_is_free_while_a_thread_waits_and_taken_when_it_has_waited() {
    static SEEN: Seen<(bool, u32)> = Seen::new();
    check_bounded(3, || {
        let shared = shared();
        let theirs = shared.clone();
        let other = thread::spawn(move || {
            let guard = theirs.lock.try_acquire();
            guard.as_ref().map_or(0, |value| {
                value.add_one();
                value.get()
            })
        });
        let mut guard = shared.lock.acquire();
        guard.add_one();
        let notified = shared.changed.wait_timeout(&mut guard, Duration::ZERO);
        guard.add_one();
        drop(guard);
        SEEN.add((notified, other.join().unwrap()));
        assert_untouched(&shared);
    });
    // Before the wait, in the middle of it, after it; and refused.
    SEEN.assert_is([(false, 1), (false, 2), (false, 3), (false, 0)]);
}

#[test]
fn a_predicate_that_panics_does_so_under_the_lock() {
    check_bounded(2, || {
        let shared = shared();
        let theirs = shared.clone();
        let other = thread::spawn(move || {
            let panic = catch_unwind(AssertUnwindSafe(|| {
                let mut guard = theirs.lock.acquire();
                theirs.changed.wait_while(&mut guard, |value| {
                    if value.get() == 1 {
                        // A panic without the message.
                        resume_unwind(Box::new(()));
                    }
                    true
                });
            }));
            assert!(panic.is_err());
        });
        shared.lock.acquire().add_one();
        shared.changed.notify_one();
        other.join().unwrap();
        assert_untouched(&shared);
        shared.lock.acquire().add_one();
    });
}

#[test]
fn a_guard_that_owns_its_lock_can_be_waited_with() {
    check_bounded(3, || {
        let shared = Arc::new((Arc::new(Lock::new(false)), Condition::new()));
        let theirs = shared.clone();
        let other = thread::spawn(move || {
            let mut ready = theirs.0.acquire_arc();
            theirs.1.wait_while(&mut ready, |ready| !ready);
        });
        let mut ready = shared.0.acquire();
        *ready = true;
        shared.1.notify_one();
        drop(ready);
        other.join().unwrap();
    });
}

// With a re-entrant lock

fn with_levels(preemptions: usize, waits: fn(&Condition, &RLock<Unprotected>)) {
    check_bounded(preemptions, move || {
        let shared = Arc::new((RLock::new(Unprotected::new(0)), Condition::new()));
        let theirs = shared.clone();
        let other = thread::spawn(move || {
            waits(&theirs.1, &theirs.0);
            assert!(!theirs.0.is_owned());
        });
        let value = shared.0.acquire();
        value.add_one();
        shared.1.notify_one();
        drop(value);
        other.join().unwrap();
        assert!(!shared.0.is_locked());
        assert_eq!(shared.0.waiters(), 0);
        assert_eq!(shared.0.acquire().get(), 1);
    });
}

#[test]
fn a_level_of_a_re_entrant_lock_is_given_up_and_had_again() {
    with_levels(2, |condition, lock| {
        let mut guard = lock.acquire();
        condition.wait_while(&mut guard, |value| {
            assert_eq!(lock.depth(), 1);
            value.get() == 0
        });
        assert_eq!(lock.depth(), 1);
    });
}

#[test]
fn all_levels_are_given_up_and_had_again() {
    with_levels(2, |condition, lock| {
        let outer = lock.acquire();
        let mut inner = lock.acquire();
        let mut all = RLockGuard::all_levels(&mut inner);
        condition.wait_while(&mut all, |value| {
            assert_eq!(lock.depth(), 2);
            value.get() == 0
        });
        assert_eq!(lock.depth(), 2);
        assert_eq!(outer.get(), 1);
    });
}

// Several of them

#[test]
fn two_conditions_of_one_lock_are_two() {
    check_bounded(1, || {
        let shared = Arc::new((Lock::new(0), Condition::new(), Condition::new()));
        let theirs = shared.clone();
        let first = thread::spawn(move || theirs.1.wait(&mut theirs.0.acquire()));
        let theirs = shared.clone();
        let second = thread::spawn(move || theirs.2.wait(&mut theirs.0.acquire()));
        until_waiting(&shared.1, 1);
        until_waiting(&shared.2, 1);
        assert!(shared.1.notify_one());
        first.join().unwrap();
        assert_eq!((shared.1.notify_all(), shared.2.waiters()), (0, 1));
        assert!(shared.2.notify_one());
        second.join().unwrap();
    });
}

#[test]
fn a_buffer_of_one_with_two_conditions_loses_nothing() {
    check_bounded(1, || {
        let shared = Arc::new((Lock::new(Some(0)), Condition::new(), Condition::new()));
        let theirs = shared.clone();
        let producer = thread::spawn(move || {
            let (slot, is_full, is_empty) = &*theirs;
            let mut slot = slot.acquire();
            is_empty.wait_while(&mut slot, |slot| slot.is_some());
            *slot = Some(1);
            is_full.notify_one();
        });
        let (slot, is_full, is_empty) = &*shared;
        for item in 0..2 {
            let mut slot = slot.acquire();
            is_full.wait_while(&mut slot, |slot| slot.is_none());
            assert_eq!(slot.take(), Some(item));
            is_empty.notify_one();
        }
        producer.join().unwrap();
    });
}

#[test]
fn one_condition_may_serve_one_lock_after_the_other() {
    check_bounded(1, || {
        let shared = Arc::new((Lock::new(()), Lock::new(()), Condition::new()));
        let theirs = shared.clone();
        let other = thread::spawn(move || theirs.2.wait(&mut theirs.0.acquire()));
        until_waiting(&shared.2, 1);
        assert!(shared.2.notify_one());
        // The other one has been told, and may not be through yet.
        assert!(!shared.2.wait_timeout(&mut shared.1.acquire(), SOON));
        other.join().unwrap();
    });
}

// Nothing is touched by whoever has notified

/// H12.
#[test]
fn condition_and_lock_may_be_freed_by_the_thread_that_was_released() {
    type Pair = (Condition, Lock<()>);
    fn model(preemptions: usize, waits: fn(&Pair) -> bool, notify: fn(&Pair)) {
        check_bounded(preemptions, move || {
            let slot = Arc::new(Slot::new((Condition::new(), Lock::new(()))));
            let theirs = slot.clone();
            let waiter = thread::spawn(move || {
                let notified = waits(theirs.get());
                if notified {
                    // The other thread may not be through with its notification yet.
                    theirs.free();
                }
                notified
            });
            until_waiting(&slot.get().0, 1);
            notify(slot.get());
            if !waiter.join().unwrap() {
                slot.free();
            }
        });
    }
    let waits: fn(&Pair) -> bool = |pair| {
        pair.0.wait(&mut pair.1.acquire());
        true
    };
    model(3, waits, |pair| _ = pair.0.notify_one());
    model(2, waits, |pair| {
        let _guard = pair.1.acquire();
        pair.0.notify_all();
    });
}

#[test]
fn they_may_be_freed_by_a_thread_that_was_released_in_time() {
    check_bounded(2, || {
        let slot = Arc::new(Slot::new((Condition::new(), Lock::new(()))));
        let theirs = slot.clone();
        let notifier = thread::spawn(move || theirs.get().0.notify_one());
        let (condition, lock) = slot.get();
        let notified = condition.wait_timeout(&mut lock.acquire(), SOON);
        if notified {
            slot.free();
        }
        assert_eq!(notifier.join().unwrap(), notified);
        if !notified {
            slot.free();
        }
    });
}

// No call of the futex without need

#[test]
fn a_notification_without_a_waiter_calls_nobody() {
    check(|| {
        let shared = shared();
        assert!(!shared.changed.notify_one());
        assert_eq!(shared.changed.notify_all(), 0);
        let mut guard = shared.lock.acquire();
        assert_eq!(shared.changed.notify(5), 0);
        shared.changed.wait_while(&mut guard, |_| false);
        assert!(shared.changed.wait_timeout_while(&mut guard, SOON, |_| false));
        drop(guard);
        assert_eq!(calls(), Calls::default());
    });
}

#[test]
fn a_notification_without_a_waiter_is_one_load() {
    check(|| {
        let changed = Condition::new();
        assert_eq!(cost(|| assert!(!changed.notify_one())), (1, 0, 0));
        assert_eq!(cost(|| assert_eq!(changed.notify(7), 0)), (1, 0, 0));
        assert_eq!(cost(|| assert_eq!(changed.notify_all(), 0)), (1, 0, 0));
    });
}

/// A notification calls at most once for a thread that it can move, and the release once.
#[test]
fn a_notification_under_the_lock_and_the_release_call_once() {
    check_bounded(2, || {
        let shared = shared();
        shared.beside.set(1);
        let theirs = shared.clone();
        let other = thread::spawn(move || once(&theirs));
        until_waiting(&shared.changed, 1);
        let guard = shared.lock.acquire();
        let before = calls();
        shared.changed.notify_one();
        if calls().moved == 1 {
            assert_eq!(calls().wakes, before.wakes, "{:?}", calls());
        }
        drop(guard);
        other.join().unwrap();
    });
}
