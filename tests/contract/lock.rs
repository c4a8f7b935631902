//! [`Lock`] and its guards.

mod python;

use std::cell::Cell;
use std::collections::VecDeque;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed, Ordering::SeqCst};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use futon::{Event, Lock, LockArcGuard, LockGuard, MappedLockGuard};

use crate::allocations::allocations;
use crate::threads::{
    AGES, Page, Random, endless_timeouts, last_instant, limit, rounds, spin_until, stress, timed,
    wait_until,
};
#[cfg(not(miri))]
use crate::threads::{Storm, assert_ends_in_the_right_second, sleeps};
#[cfg(all(target_os = "linux", not(miri)))]
use crate::threads::{is_asleep, stay_on_cpu, system_id};

const THREADS: usize = 5;
const LONG: Duration = Duration::from_secs(3600);

/// Whether a thread that has not waited gets the lock.
fn is_free(lock: &Lock<impl ?Sized + Send>) -> bool {
    thread::scope(|s| s.spawn(|| lock.try_acquire().is_some()).join().unwrap())
}

/// As nobody had ever touched it.
fn assert_untouched(lock: &Lock<impl ?Sized + Send>) {
    assert!(!lock.is_locked());
    assert_eq!(lock.waiters(), 0);
    assert!(is_free(lock));
}

/// Panics as the test wants it, and so without a report.
fn panic_quietly() -> ! {
    std::panic::resume_unwind(Box::new("on purpose"))
}

/// Runs what panics on purpose.
fn panics<R>(f: impl FnOnce() -> R) {
    let panic = catch_unwind(AssertUnwindSafe(f)).err().expect("no panic");
    assert_eq!(panic.downcast_ref(), Some(&"on purpose"));
}

struct CountsDrops<'a>(&'a AtomicUsize);

impl Drop for CountsDrops<'_> {
    fn drop(&mut self) {
        self.0.fetch_add(1, SeqCst);
    }
}

/// H33.
#[test]
fn a_panic_releases_the_lock_and_poisons_nothing() {
    let lock = Lock::new(1);
    panics(|| {
        let mut guard = lock.acquire();
        *guard = 2;
        panic_quietly()
    });
    assert_untouched(&lock);
    assert_eq!(*lock.acquire(), 2);

    let result = thread::scope(|s| {
        let dies = s.spawn(|| {
            let _guard = lock.acquire();
            panic_quietly()
        });
        dies.join()
    });
    assert!(result.is_err());
    assert_untouched(&lock);
}

// What others got wrong.

/// H5, H20: what one thread has written the next one sees, and none is forgotten while it sleeps.
#[test]
fn whatever_the_way_in_and_out_one_thread_at_a_time_is_inside() {
    let _limit = limit();
    let rounds = rounds(4_000);
    let lock = Arc::new(Lock::new((0usize, Cell::new(0usize))));
    let taken = thread::scope(|s| {
        let threads: Vec<_> = (0..8)
            .map(|seed| {
                let lock = &lock;
                s.spawn(move || {
                    let mut random = Random::new(seed);
                    (0..rounds).filter(|_| enter(lock, &mut random)).count()
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum::<usize>()
    });
    let guard = lock.acquire();
    assert_eq!((guard.0, guard.1.get()), (taken, taken));
    drop(guard);
    assert_untouched(&lock);
}

/// Counts itself in one of many ways; returns whether it did.
fn enter(lock: &Arc<Lock<(usize, Cell<usize>)>>, random: &mut Random) -> bool {
    fn count(value: &mut (usize, Cell<usize>), random: &mut Random) {
        let before = value.0;
        (0..random.below(60)).for_each(|_| std::hint::spin_loop());
        value.0 = before + 1;
        value.1.set(before + 1);
    }
    let timeout = Duration::from_micros(random.below(200));
    match random.below(10) {
        0 | 1 => count(&mut lock.acquire(), random),
        2 => match lock.try_acquire() {
            Some(mut guard) => count(&mut guard, random),
            None => return false,
        },
        3 => match lock.acquire_timeout(timeout) {
            Some(mut guard) => count(&mut guard, random),
            None => return false,
        },
        4 => match lock.acquire_deadline(Instant::now() + timeout) {
            Some(mut guard) => count(&mut guard, random),
            None => return false,
        },
        5 => count(&mut lock.acquire_arc(), random),
        6 => match lock.acquire_timeout_arc(timeout) {
            Some(mut guard) => {
                count(&mut guard, random);
                LockArcGuard::release_fair(guard);
            }
            None => return false,
        },
        7 => {
            let mut guard = lock.acquire();
            count(&mut guard, random);
            LockGuard::release_fair(guard);
        }
        8 => {
            let mut guard = lock.acquire();
            LockGuard::unlocked(&mut guard, thread::yield_now);
            count(&mut guard, random);
        }
        _ => {
            let mut guard = LockGuard::map(lock.acquire(), |value| value);
            count(&mut guard, random);
            MappedLockGuard::release_fair(guard);
        }
    }
    true
}

/// H8: a release at the moment at which a waiter gives up. Whom the wake was meant for or not, the thread
/// that still waits gets the lock, nobody gives up on a lock that was free in time, and nothing of the
/// waiters stays in the word.
#[test]
fn a_release_at_the_last_moment_is_lost_on_nobody() {
    let _limit = limit();
    let mut random = Random::new(8);
    let (mut in_time, mut late) = (0, 0);
    for round in stress(3_000) {
        let lock = Lock::new(());
        let deadline = Instant::now() + Duration::from_micros(120);
        let moment = deadline + Duration::from_micros(random.below(100));
        let moment = moment - Duration::from_micros(20);
        let has_rival = round % 3 != 0;
        thread::scope(|s| {
            let guard = lock.acquire();
            let timed = s.spawn(|| lock.acquire_deadline(deadline).is_some());
            let untimed = has_rival.then(|| s.spawn(|| drop(lock.acquire())));
            spin_until(moment);
            drop(guard);
            // Nobody else comes now who would wake a thread that was forgotten.
            let free_at = Instant::now();
            if let Some(untimed) = untimed {
                untimed.join().unwrap();
            }
            match timed.join().unwrap() {
                true => in_time += 1,
                false => {
                    late += 1;
                    let early = deadline.saturating_duration_since(free_at);
                    assert!(has_rival || early.is_zero(), "was free {early:?} before the deadline");
                }
            }
        });
        assert!(!lock.is_locked());
        assert_eq!(lock.waiters(), 0);
        assert!(lock.try_acquire().is_some());
    }
    // On an idle machine both come about. It depends on nothing but luck, so it is only told.
    println!("{in_time} in time, {late} late");
}

/// H12: the last one to have had the lock frees it, while an earlier one may still be in its release.
#[test]
fn the_next_owner_may_free_the_lock_at_once() {
    let _limit = limit();
    let (send, receive) = mpsc::channel::<Page<Lock<u32>>>();

    fn leave(lock: Page<Lock<u32>>) -> bool {
        let mut guard = lock.acquire();
        *guard -= 1;
        let is_last = *guard == 0;
        drop(guard);
        if is_last {
            // SAFETY: of the two threads that know of the lock, the other one has left it before this
            // one came. It may not have returned from its release, and that is the point.
            unsafe { lock.free() };
        }
        is_last
    }

    thread::scope(|s| {
        let other = s.spawn(move || receive.into_iter().filter(|lock| leave(lock.share())).count());
        let (mut frees, mut made) = (0, 0);
        for round in stress(5_000) {
            made += 1;
            let lock = Page::new(Lock::new(2));
            if round % 2 == 0 {
                let mut guard = lock.acquire();
                send.send(lock.share()).unwrap();
                // The other one sleeps, or is about to: the release has somebody to wake.
                wait_until(|| lock.waiters() == 1);
                *guard -= 1;
                drop(guard); // from here on the lock may be gone
            } else {
                send.send(lock.share()).unwrap();
                frees += usize::from(leave(lock));
            }
        }
        drop(send);
        assert_eq!(frees + other.join().unwrap(), made);
    });
}

/// H21.
#[test]
fn a_timeout_beyond_the_clock_waits_until_the_lock_is_free() {
    let _limit = limit();
    let last = last_instant();
    let lock = Lock::new(());
    let gets_it = |acquire: &(dyn Fn() -> bool + Sync)| {
        thread::scope(|s| {
            let guard = lock.acquire();
            let waiter = s.spawn(acquire);
            wait_until(|| lock.waiters() == 1 || waiter.is_finished());
            drop(guard);
            waiter.join().unwrap()
        })
    };
    for timeout in endless_timeouts() {
        assert!(gets_it(&|| lock.acquire_timeout(timeout).is_some()), "{timeout:?}");
    }
    assert!(gets_it(&|| lock.acquire_deadline(last).is_some()));

    let lock = Arc::new(Lock::new(()));
    assert!(lock.acquire_timeout_arc(Duration::MAX).is_some());
    assert!(lock.acquire_deadline_arc(last).is_some());
}

/// H22.
#[test]
#[cfg(not(miri))]
fn timeouts_end_in_the_right_second() {
    let _limit = limit();
    let lock = Lock::new(());
    let _guard = lock.acquire();
    assert_ends_in_the_right_second(|at| assert!(lock.acquire_deadline(at).is_none()));
    let timeout = Duration::from_nanos(999_999_999);
    let slept = sleeps();
    let (guard, elapsed) = timed(|| lock.acquire_timeout(timeout));
    assert!(guard.is_none() && elapsed >= timeout && elapsed < AGES, "{elapsed:?}");
    assert!(sleeps() - slept <= 10, "it polls");
}

/// H24.
#[test]
#[cfg(not(miri))]
fn signals_do_not_show() {
    let _limit = limit();
    let lock = Lock::new(0);
    let storm = Storm::new();
    let (done, taken_again) = (Event::new(), Event::new());
    thread::scope(|s| {
        let mut guard = lock.acquire();
        let waiter = s.spawn(|| {
            storm.around(|| {
                *lock.acquire() += 1;
                done.set();
                taken_again.wait();
                *lock.acquire_timeout(LONG).unwrap() += 1;
                taken_again.clear();
                done.set();
                taken_again.wait();
                for millis in [0, 1, 5, 50] {
                    let timeout = Duration::from_millis(millis);
                    let (guard, elapsed) = timed(|| lock.acquire_timeout(timeout));
                    assert!(guard.is_none(), "a signal has let it in");
                    assert!(elapsed >= timeout, "a signal has cut {timeout:?} to {elapsed:?}");
                    assert!(elapsed < AGES, "signals have made {elapsed:?} of {timeout:?}");
                }
            });
        });
        for round in 0..2 {
            wait_until(|| lock.waiters() == 1);
            let sent = storm.sent();
            wait_until(|| storm.sent() > sent + 200);
            assert_eq!(lock.waiters(), 1, "a signal has ended the wait");
            assert_eq!(*guard, round, "a signal has let it in");
            drop(guard);
            done.wait();
            done.clear();
            guard = lock.acquire();
            taken_again.set();
        }
        waiter.join().unwrap();
        drop(guard);
    });
    assert_untouched(&lock);
}

/// H25.
#[test]
fn nobody_gives_up_before_the_time() {
    let _limit = limit();
    let lock = Arc::new(Lock::new(()));
    let _guard = lock.acquire();
    let mut random = Random::new(25);
    for _ in stress(150) {
        let timeout = Duration::from_nanos(random.below(2_000_000));
        let (guard, elapsed) = timed(|| lock.acquire_timeout(timeout));
        assert!(guard.is_none());
        assert!(elapsed >= timeout, "gave up after {elapsed:?} of {timeout:?}");
        assert!(elapsed < AGES);

        let deadline = Instant::now() + timeout;
        assert!(lock.acquire_deadline(deadline).is_none());
        assert!(Instant::now() >= deadline);

        let (guard, elapsed) = timed(|| lock.acquire_timeout_arc(timeout));
        assert!(guard.is_none() && elapsed >= timeout);
        let deadline = Instant::now() + timeout;
        assert!(lock.acquire_deadline_arc(deadline).is_none());
        assert!(Instant::now() >= deadline);
    }
}

/// H26.
#[test]
fn without_time_an_acquire_is_a_try() {
    let _limit = limit();
    let lock = Arc::new(Lock::new(()));
    let past = Instant::now();
    for _ in 0..rounds(1_000) {
        assert!(lock.acquire_timeout(Duration::ZERO).is_some());
        assert!(lock.acquire_deadline(past).is_some());
        assert!(lock.acquire_timeout_arc(Duration::ZERO).is_some());
        assert!(lock.acquire_deadline_arc(past).is_some());
    }
    let guard = lock.acquire();
    for _ in 0..rounds(1_000) {
        assert!(lock.acquire_timeout(Duration::ZERO).is_none());
        assert!(lock.acquire_deadline(past).is_none());
        assert!(lock.acquire_timeout_arc(Duration::ZERO).is_none());
        assert!(lock.acquire_deadline_arc(past).is_none());
    }
    drop(guard);
    assert_untouched(&lock);
}

/// H31: nobody but a guard can release, and each guard once.
#[test]
fn a_leaked_guard_leaves_the_lock_taken_and_the_value_within_reach_of_its_owner() {
    let mut lock = Lock::new(1);
    mem::forget(lock.acquire());
    assert!(lock.try_acquire().is_none());
    assert!(lock.acquire_timeout(Duration::from_micros(10)).is_none());
    *lock.get_mut() += 1;
    assert!(lock.is_locked());
    assert_eq!(lock.into_inner(), 2);
}

/// H39.
#[test]
fn nothing_is_allocated() {
    let _limit = limit();
    let lock = Arc::new(Lock::new(0));
    let short = Duration::from_micros(200);
    assert_eq!(allocations(|| assert!(!Lock::new(0).is_locked())), 0);
    let alone = allocations(|| {
        drop(lock.acquire());
        drop(lock.try_acquire());
        drop(lock.acquire_timeout(short));
        drop(lock.acquire_arc());
        drop(LockGuard::map(lock.acquire(), |value| value));
        LockGuard::release_fair(lock.acquire());
    });
    assert_eq!(alone, 0);

    let ways: [fn(&Arc<Lock<i32>>); 5] = [
        |lock| drop(lock.acquire()),
        |lock| drop(lock.acquire_timeout(LONG).unwrap()),
        |lock| drop(lock.acquire_arc()),
        // Also where the time runs out: the lock is held until that has happened.
        |lock| assert!(lock.acquire_timeout(Duration::from_micros(10)).is_none()),
        |lock| assert!(lock.acquire_timeout(Duration::from_millis(3)).is_none()),
    ];
    thread::scope(|s| {
        let guard = lock.acquire();
        let mut threads: VecDeque<_> = ways
            .into_iter()
            .map(|way| {
                let lock = &lock;
                s.spawn(move || assert_eq!(allocations(|| way(lock)), 0))
            })
            .collect();
        for _ in 0..2 {
            threads.pop_back().unwrap().join().unwrap();
        }
        wait_until(|| lock.waiters() == 3);
        assert_eq!(allocations(|| drop(guard)), 0);
    });
}

// What the documentation says.

/// A thread that takes the lock again and again, and gives it up only for a moment, does not keep
/// another one out: not for longer than about a millisecond.
///
/// Time depends on what else the machine does. So it is counted how often the other thread was woken in
/// vain: at most once a turn of the first, of which five fit into a millisecond, and once more to find
/// that it has waited long. From then on nobody overtakes it. On a busy machine it only becomes less.
#[test]
#[cfg(all(target_os = "linux", not(miri)))]
fn nobody_is_kept_out_by_a_thread_that_hammers_the_lock() {
    let _limit = limit();
    // The lock counts the CPUs once, when a thread first has to wait: before they are fewer.
    let lock = Lock::new(());
    let _guard = lock.acquire();
    assert!(lock.acquire_timeout(Duration::from_micros(1)).is_none());

    let in_vain = acquire_beside_a_hammer(Duration::from_micros(200));
    assert!(in_vain.iter().all(|&count| count <= 20), "was woken in vain so often: {in_vain:?}");
}

/// Has the lock in turns of a length while another thread acquires it, with hardly a pause in between.
///
/// Returns how often that one has slept in each wait, sorted; tells how long the waits were.
#[cfg(all(target_os = "linux", not(miri)))]
fn acquire_beside_a_hammer(turn: Duration) -> Vec<i64> {
    let lock = Lock::new(());
    let over = AtomicBool::new(false);
    thread::scope(|s| {
        // Each on its own CPU. On the same one, the system often stops a thread that wakes another to
        // let that run: then it has the lock without any help.
        s.spawn(|| {
            stay_on_cpu(0);
            while !over.load(Relaxed) {
                let _guard = lock.acquire();
                spin_until(Instant::now() + turn);
            }
        });
        let victim = s.spawn(|| {
            stay_on_cpu(1);
            let (mut in_vain, mut waits) = (Vec::new(), Vec::new());
            for _ in 0..50 {
                // The other one has it again before this one comes back.
                wait_until(|| lock.is_locked());
                let before = sleeps();
                let (guard, wait) = timed(|| lock.acquire());
                drop(guard);
                in_vain.push(sleeps() - before);
                waits.push(wait);
            }
            over.store(true, Relaxed);
            in_vain.sort();
            waits.sort();
            println!("turns of {turn:?}: sleeps {in_vain:?}, waits {waits:?}");
            in_vain
        });
        victim.join().unwrap()
    })
}

/// Nobody overtakes after a fair release, not even the thread that has just released.
#[test]
fn a_fair_release_passes_the_lock_to_a_thread_that_waits() {
    let _limit = limit();
    let lock = Arc::new(Lock::new(0));
    let check = |release: &dyn Fn()| {
        let seen = Event::new();
        thread::scope(|s| {
            s.spawn(|| {
                let _guard = lock.acquire();
                // Keeps the lock until the other thread has found that it can not have it.
                seen.wait();
            });
            wait_until(|| lock.waiters() == 1);
            release();
            let overtakes = lock.try_acquire().is_some() || !lock.is_locked();
            let overtakes = overtakes || lock.acquire_timeout(Duration::ZERO).is_some();
            seen.set();
            assert!(!overtakes, "overtook a thread that waits");
            drop(lock.acquire());
        });
        assert_untouched(&lock);
    };
    for _ in stress(100) {
        let guard = Cell::new(Some(lock.acquire()));
        check(&|| LockGuard::release_fair(guard.take().unwrap()));
        let guard = Cell::new(Some(LockGuard::map(lock.acquire(), |value| value)));
        check(&|| MappedLockGuard::release_fair(guard.take().unwrap()));
        let guard = Cell::new(Some(lock.acquire_arc()));
        check(&|| LockArcGuard::release_fair(guard.take().unwrap()));
    }
}

#[test]
fn a_fair_release_without_a_waiter_is_a_release() {
    let lock = Arc::new(Lock::new(0));
    LockGuard::release_fair(lock.acquire());
    assert_untouched(&lock);
    MappedLockGuard::release_fair(LockGuard::map(lock.acquire(), |value| value));
    assert_untouched(&lock);
    LockArcGuard::release_fair(lock.acquire_arc());
    assert_untouched(&lock);
    assert_eq!(Arc::strong_count(&lock), 1);
}

/// With fair releases two threads take turns: none has the lock twice in a row while the other one waits,
/// unless that one has not come to run for a millisecond.
#[test]
fn fair_releases_make_two_threads_take_turns() {
    const PATIENCE: Duration = Duration::from_millis(1);

    let _limit = limit();
    let turns = rounds(200);
    let lock = Lock::new(Vec::new());
    let has_ended = [AtomicBool::new(false), AtomicBool::new(false)];
    thread::scope(|s| {
        for thread in [0, 1] {
            let (lock, has_ended) = (&lock, &has_ended);
            s.spawn(move || {
                for _ in 0..turns {
                    let mut guard = lock.acquire();
                    let acquired = Instant::now();
                    wait_until(|| lock.waiters() == 1 || has_ended[1 - thread].load(SeqCst));
                    guard.push((thread, acquired, Instant::now(), lock.waiters()));
                    LockGuard::release_fair(guard);
                }
                has_ended[thread].store(true, SeqCst);
            });
        }
    });
    let order = lock.into_inner();
    assert_eq!(order.len(), 2 * turns);
    for pair in order.windows(2) {
        let [(one, _, released, waiters), (next, acquired, ..)] = pair else { unreachable!() };
        assert!(
            one != next || *waiters == 0 || acquired.duration_since(*released) >= PATIENCE,
            "{one} had it twice in a row, after {:?}",
            acquired.duration_since(*released)
        );
    }
}

/// Those who wait get the lock in the order in which they have come, as far as the system wakes them so.
#[test]
#[cfg(all(target_os = "linux", not(miri)))]
fn fair_releases_serve_in_the_order_of_arrival() {
    let _limit = limit();
    let lock = Lock::new(Vec::new());
    let (tell, told) = mpsc::channel();
    thread::scope(|s| {
        let guard = lock.acquire();
        for number in 0..4 {
            let (lock, tell) = (&lock, tell.clone());
            s.spawn(move || {
                tell.send(system_id()).unwrap();
                let mut guard = lock.acquire();
                guard.push(number);
                LockGuard::release_fair(guard);
            });
            let id = told.recv().unwrap();
            wait_until(|| lock.waiters() == number + 1 && is_asleep(id));
        }
        LockGuard::release_fair(guard);
    });
    assert_eq!(lock.into_inner(), [0, 1, 2, 3]);
}

/// A thread that has waited for long and is woken in vain has the next release kept for it, and sleeps again.
#[test]
#[cfg(all(target_os = "linux", not(miri)))]
fn who_has_waited_long_and_is_woken_in_vain_sleeps_again() {
    let _limit = limit();
    let lock = Lock::new(());
    let (tell, told) = mpsc::channel();
    thread::scope(|s| {
        for _ in 0..20 {
            let mut guard = Some(lock.acquire());
            s.spawn(|| {
                tell.send(system_id()).unwrap();
                drop(lock.acquire());
            });
            let id = told.recv().unwrap();
            wait_until(|| is_asleep(id));
            spin_until(Instant::now() + Duration::from_millis(2));
            drop(guard.take());
            guard = lock.try_acquire();
            if guard.is_some() && lock.waiters() == 1 {
                // It has been woken in vain, sees to it that the next release is kept for it, and …
                spin_until(Instant::now() + Duration::from_millis(2));
                wait_until(|| is_asleep(id));
            }
            drop(guard);
            wait_until(|| lock.waiters() == 0);
        }
    });
}

#[test]
fn waiters_are_those_who_wait() {
    let _limit = limit();
    let lock = Lock::new(());
    assert_eq!(lock.waiters(), 0);
    thread::scope(|s| {
        let guard = lock.acquire();
        assert_eq!(lock.waiters(), 0);
        for count in 1..=4 {
            let lock = &lock;
            s.spawn(move || match count {
                1 => drop(lock.acquire_timeout(LONG).unwrap()),
                _ => drop(lock.acquire()),
            });
            wait_until(|| lock.waiters() == count);
        }
        assert!(lock.try_acquire().is_none());
        assert_eq!(lock.waiters(), 4);
        drop(guard);
    });
    assert_untouched(&lock);
}

/// A release wakes one thread and not all, who would only find that they are too late.
#[test]
#[cfg(all(target_os = "linux", target_pointer_width = "64", target_endian = "little", not(miri)))]
fn a_release_calls_the_kernel_once_for_one_sleeper_and_never_without_one() {
    use crate::calls::{Calls, calls_on};
    use futon::futex;

    let _limit = limit();
    let lock = Lock::new(());
    let alone = calls_on(&lock, || {
        for _ in 0..1_000 {
            drop(lock.acquire());
            drop(lock.try_acquire().unwrap());
            drop(lock.acquire_timeout(LONG).unwrap());
            LockGuard::release_fair(lock.acquire());
            let _guard = lock.acquire();
            assert!(lock.try_acquire().is_none());
            assert!(lock.acquire_timeout(Duration::ZERO).is_none());
        }
    });
    assert!(matches!(alone, None | Some(Calls::NONE)), "{alone:?}");

    for release in [LockGuard::release_fair, drop] {
        thread::scope(|s| {
            let guard = lock.acquire();
            for _ in 0..8 {
                s.spawn(|| drop(lock.acquire()));
            }
            wait_until(|| lock.waiters() == 8);
            let calls = calls_on(&lock, || release(guard));
            // The wake was counted in the place of being made.
            futex::wake((&raw const lock).cast(), 1);
            let expected = Calls { wakes_of_one: 1, ..Calls::NONE };
            assert!(calls.is_none_or(|calls| calls == expected), "{calls:?}");
        });
        assert_untouched(&lock);
    }
}

/// One that has been woken is enough: until it has come, who takes the lock and releases it again meets nobody.
#[test]
#[cfg(all(target_os = "linux", target_pointer_width = "64", target_endian = "little", not(miri)))]
fn while_a_woken_thread_is_on_its_way_no_release_calls_the_kernel() {
    use crate::calls::{Calls, calls_on};
    use crate::threads::{is_asleep, system_id};
    use futon::futex;
    use std::sync::mpsc;

    let _limit = limit();
    let lock = Lock::new(0);
    thread::scope(|s| {
        let guard = lock.acquire();
        let (tell, told) = mpsc::channel();
        for _ in 0..3 {
            let (lock, tell) = (&lock, tell.clone());
            s.spawn(move || {
                tell.send(system_id()).unwrap();
                *lock.acquire() += 1;
            });
        }
        let ids: Vec<_> = told.iter().take(3).collect();
        wait_until(|| lock.waiters() == 3 && ids.iter().all(|&id| is_asleep(id)));
        let calls = calls_on(&lock, || {
            drop(guard);
            for _ in 0..1_000 {
                *lock.acquire() += 1;
                *lock.acquire_timeout(LONG).unwrap() += 1;
                *lock.try_acquire().unwrap() += 1;
            }
        });
        // The one wake was counted in the place of being made.
        futex::wake((&raw const lock).cast(), 1);
        let expected = Calls { wakes_of_one: 1, ..Calls::NONE };
        assert!(calls.is_none_or(|calls| calls == expected), "{calls:?}");
    });
    let count = *lock.acquire();
    assert!(matches!(count, 3 | 3_003), "{count}");
    assert_untouched(&lock);
}

/// The same from the side of those who sleep: each one about once, not once for each who goes before.
#[test]
#[cfg(not(miri))]
fn those_who_wait_are_woken_one_after_the_other() {
    const WAITERS: i64 = 8;
    let _limit = limit();
    let lock = Lock::new(());
    let slept: i64 = thread::scope(|s| {
        let guard = lock.acquire();
        let threads: Vec<_> = (0..WAITERS)
            .map(|_| {
                s.spawn(|| {
                    let before = sleeps();
                    let _guard = lock.acquire();
                    let slept = sleeps() - before;
                    // Long enough for others to find the lock taken and to sleep again.
                    spin_until(Instant::now() + Duration::from_millis(2));
                    slept
                })
            })
            .collect();
        wait_until(|| lock.waiters() == WAITERS as usize);
        drop(guard);
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    println!("{slept} sleeps of {WAITERS} threads");
    assert!(slept <= 2 * WAITERS, "{slept} sleeps of {WAITERS} threads");
}

// Guards of a part.

#[test]
fn a_mapped_guard_keeps_the_lock_until_it_is_dropped() {
    let lock = Lock::new((1, [2, 3]));
    let part = LockGuard::map(lock.acquire(), |value| &mut value.1);
    assert!(!is_free(&lock));
    let mut part = MappedLockGuard::map(part, |array| &mut array[1]);
    assert!(!is_free(&lock));
    assert_eq!(format!("{part:?} {part}"), "3 3");
    *part = 4;
    drop(part);
    assert_untouched(&lock);
    assert_eq!(lock.into_inner(), (1, [2, 4]));
}

#[test]
fn a_guard_of_no_part_is_the_guard_as_it_was() {
    let lock = Lock::new(vec![1, 2]);
    let part = LockGuard::filter_map(lock.acquire(), |list| list.get_mut(1)).ok().unwrap();
    assert_eq!(*part, 2);
    let part = MappedLockGuard::filter_map(part, |_| None::<&mut i32>).err().unwrap();
    assert_eq!(*part, 2);
    assert!(!is_free(&lock));
    let mut part = MappedLockGuard::filter_map(part, |same| Some(same)).ok().unwrap();
    *part = 7;
    assert!(!is_free(&lock));
    drop(part);
    assert_untouched(&lock);

    let mut guard = LockGuard::filter_map(lock.acquire(), |list| list.get_mut(2)).err().unwrap();
    assert!(!is_free(&lock));
    guard.push(3);
    drop(guard);
    assert_untouched(&lock);
    assert_eq!(lock.into_inner(), [1, 7, 3]);
}

/// H33.
#[test]
fn a_panic_on_the_way_to_a_part_releases_the_lock() {
    let lock = Lock::new(1);
    let part = || LockGuard::map(lock.acquire(), |value| value);

    panics(|| LockGuard::map(lock.acquire(), |_| -> &mut i32 { panic_quietly() }));
    assert_untouched(&lock);
    panics(|| {
        LockGuard::filter_map(lock.acquire(), |_| -> Option<&mut i32> { panic_quietly() }).is_ok()
    });
    assert_untouched(&lock);
    panics(|| MappedLockGuard::map(part(), |_| -> &mut i32 { panic_quietly() }));
    assert_untouched(&lock);
    panics(|| MappedLockGuard::filter_map(part(), |_| -> Option<&mut i32> { panic_quietly() }).is_ok());
    assert_untouched(&lock);
}

// Changes that are made as a whole or not at all.

type Pair = (u32, u32);
type Change = fn(&mut Pair) -> Result<u32, &'static str>;
type Transaction = fn(&Arc<Lock<Pair>>, Change) -> Result<u32, &'static str>;

/// A change that fails, or panics, in the middle.
#[test]
fn a_transaction_changes_the_value_as_a_whole_or_not_at_all() {
    let transactions: [Transaction; 3] = [
        |lock, change| LockGuard::transaction(&mut lock.acquire(), change),
        |lock, change| LockArcGuard::transaction(&mut lock.acquire_arc(), change),
        |lock, change| {
            let mut guard = LockGuard::map(lock.acquire(), |value| value);
            MappedLockGuard::transaction(&mut guard, change)
        },
    ];
    for transaction in transactions {
        let lock = Arc::new(Lock::new((1, 1)));
        let done = transaction(&lock, |pair| {
            *pair = (2, 2);
            Ok(7)
        });
        assert_eq!((done, *lock.acquire()), (Ok(7), (2, 2)));
        let failed = transaction(&lock, |pair| {
            pair.0 = 3;
            Err("in the middle")
        });
        assert_eq!((failed, *lock.acquire()), (Err("in the middle"), (2, 2)));
        panics(|| {
            transaction(&lock, |pair| {
                pair.0 = 4;
                panic_quietly()
            })
        });
        assert_eq!(*lock.acquire(), (2, 2));
        assert_untouched(&lock);
    }
}

#[test]
fn a_transaction_of_a_part_copies_the_part_alone() {
    struct NoCopy;

    let lock = Lock::new((NoCopy, 1u32));
    let mut part = LockGuard::map(lock.acquire(), |pair| &mut pair.1);
    for (value, done) in [(5, Ok(())), (6, Err("no"))] {
        let result = MappedLockGuard::transaction(&mut part, |part| {
            *part = value;
            done
        });
        assert_eq!((result, *part), (done, 5));
    }
}

/// Whoever comes meanwhile waits, and sees all of it or nothing.
#[test]
fn a_transaction_keeps_the_lock_until_its_guard_is_dropped() {
    let _limit = limit();
    for fails in [false, true] {
        let lock = Lock::new(vec![1]);
        thread::scope(|s| {
            let mut guard = lock.acquire();
            let other = s.spawn(|| lock.acquire().clone());
            let done = LockGuard::transaction(&mut guard, |value| {
                value.push(2);
                wait_until(|| lock.waiters() == 1);
                assert!(lock.try_acquire().is_none());
                if fails { Err(()) } else { Ok(()) }
            });
            assert_eq!(done.is_err(), fails);
            assert_eq!(lock.waiters(), 1);
            drop(guard);
            assert_eq!(other.join().unwrap(), if fails { vec![1] } else { vec![1, 2] });
        });
    }
}

/// H33: what else may panic is the copying, before, and the end of the old value, after.
#[test]
fn a_panic_around_a_transaction_leaves_the_old_value_or_the_new_one() {
    #[derive(Debug)]
    struct Fragile<'a>(&'a Cell<&'static str>, u32);

    impl Clone for Fragile<'_> {
        fn clone(&self) -> Self {
            if self.0.get() == "no copy" {
                panic_quietly();
            }
            Self(self.0, self.1)
        }
    }

    impl Drop for Fragile<'_> {
        fn drop(&mut self) {
            if self.0.get() == "no end" {
                self.0.set("");
                panic_quietly();
            }
        }
    }

    for (when, left) in [("no copy", 1), ("no end", 2)] {
        let fate = Cell::new("");
        let lock = Lock::new(Fragile(&fate, 1));
        let mut guard = lock.acquire();
        fate.set(when);
        panics(|| {
            LockGuard::transaction(&mut guard, |value| {
                value.1 = 2;
                Ok::<_, ()>(())
            })
        });
        fate.set("");
        assert_eq!(guard.1, left);
    }
}

// For a while without the lock.

#[test]
fn unlocked_gives_the_lock_up_and_takes_it_again() {
    let _limit = limit();
    let lock = Lock::new(1);
    let mut guard = lock.acquire();
    let result = LockGuard::unlocked(&mut guard, || {
        assert_untouched(&lock);
        *lock.acquire() += 1;
        "result"
    });
    assert_eq!((result, *guard), ("result", 2));
    assert!(!is_free(&lock));
    drop(guard);
    assert_untouched(&lock);
}

#[test]
fn unlocked_waits_for_whoever_has_the_lock_by_then() {
    let _limit = limit();
    let lock = Lock::new(1);
    thread::scope(|s| {
        let mut guard = lock.acquire();
        LockGuard::unlocked(&mut guard, || {
            let mut other = lock.acquire();
            let lock = &lock;
            s.spawn(move || {
                wait_until(|| lock.waiters() == 1);
                *other += 1;
            });
        });
        assert_eq!(*guard, 2);
    });
    assert_untouched(&lock);
}

/// H33: the guard lives on, so there must be a lock for it to release.
#[test]
fn a_panic_while_unlocked_takes_the_lock_again_first() {
    let lock = Lock::new(1);
    let mut guard = lock.acquire();
    panics(|| LockGuard::unlocked(&mut guard, || panic_quietly()));
    assert!(lock.is_locked());
    assert!(!is_free(&lock));
    *guard += 1;
    drop(guard);
    assert_untouched(&lock);

    panics(|| {
        let mut guard = lock.acquire();
        LockGuard::unlocked(&mut guard, || panic_quietly())
    });
    assert_untouched(&lock);
}

// Guards that share the ownership.

#[test]
fn an_arc_guard_may_go_to_a_thread_that_outlives_its_maker() {
    let _limit = limit();
    let (go, wait) = mpsc::channel::<()>();
    let thread = {
        let lock = Arc::new(Lock::new(vec![1]));
        let mut guard = lock.acquire_arc();
        thread::spawn(move || {
            wait.recv().unwrap();
            guard.push(2);
            guard.len()
        })
    };
    // The maker and its handle of the lock are gone; the guard is the only owner.
    go.send(()).unwrap();
    assert_eq!(thread.join().unwrap(), 2);
}

#[test]
fn arc_guards_are_made_in_all_the_ways_and_exclude_each_other() {
    let lock = Arc::new(Lock::new(0));
    let soon = || Instant::now() + Duration::from_micros(50);
    let ways: [&dyn Fn() -> Option<LockArcGuard<i32>>; 4] = [
        &|| Some(lock.acquire_arc()),
        &|| lock.try_acquire_arc(),
        &|| lock.acquire_timeout_arc(Duration::from_micros(50)),
        &|| lock.acquire_deadline_arc(soon()),
    ];
    for way in ways {
        let mut guard = way().unwrap();
        *guard += 1;
        assert_eq!(format!("{guard:?} {guard}"), format!("{} {0}", *guard));
        assert!(!is_free(&lock));
        for other in &ways[1..] {
            assert!(other().is_none());
        }
        drop(guard);
        assert_untouched(&lock);
        assert_eq!(Arc::strong_count(&lock), 1);
    }
    assert_eq!(*lock.acquire(), 4);
}

#[test]
fn the_last_arc_guard_frees_the_lock_and_its_value() {
    let drops = AtomicUsize::new(0);
    let lock = Arc::new(Lock::new(CountsDrops(&drops)));
    let weak = Arc::downgrade(&lock);
    let guard = lock.acquire_arc();
    drop(lock);
    assert!(weak.upgrade().is_some());
    assert_eq!(drops.load(SeqCst), 0);
    drop(guard);
    assert!(weak.upgrade().is_none());
    assert_eq!(drops.load(SeqCst), 1);

    let guard = Arc::new(Lock::new(CountsDrops(&drops))).acquire_arc();
    LockArcGuard::release_fair(guard);
    assert_eq!(drops.load(SeqCst), 2);
}

#[test]
fn a_panic_with_an_arc_guard_releases_the_lock() {
    let lock = Arc::new(Lock::new(1));
    panics(|| {
        let _guard = lock.acquire_arc();
        panic_quietly()
    });
    assert_untouched(&lock);
    assert_eq!(Arc::strong_count(&lock), 1);
}

#[test]
fn whoever_owns_the_lock_alone_needs_no_locking() {
    let mut lock = Lock::new(String::from("a"));
    lock.get_mut().push('b');
    lock.acquire().push('c');
    assert_eq!(lock.into_inner(), "abc");
}
