//! The cases of Python's own tests of `Condition`, by their names there.
//!
//! Two of them have nothing left to test, because it does not compile: without a guard nobody waits
//! (`test_unacquired_wait`), and a notification needs no lock (`test_unacquired_notify`).

use super::*;

/// Python's condition is around a lock, which by default is re-entrant. Here it is beside any.
#[test]
fn test_acquire() {
    let condition = Condition::new();
    let lock = RLock::new(());
    let mut outer = lock.acquire();
    drop(lock.acquire());
    assert!(!condition.wait_timeout(&mut outer, Duration::ZERO));
    drop(outer);

    let lock = Lock::new(());
    let mut guard = lock.acquire();
    assert!(!condition.wait_timeout(&mut guard, Duration::ZERO));
    assert!(lock.try_acquire().is_none());
    drop(guard);
    assert!(lock.try_acquire().is_some());
}

/// Notifications release as many as they say, and nobody returns without one. Twice.
#[test]
fn test_notify() {
    let _limit = limit();
    let (phase, changed) = (Lock::new(0), Condition::new());
    for _ in 0..2 {
        *phase.acquire() = 0;
        // In which phase each of them has returned, the first time and the second.
        let (first, second) = (Lock::new(Vec::new()), Lock::new(Vec::new()));
        let returned = || (first.acquire().len(), second.acquire().len());
        thread::scope(|s| {
            for _ in 0..5 {
                s.spawn(|| {
                    let mut guard = phase.acquire();
                    changed.wait(&mut guard);
                    first.acquire().push(*guard);
                    changed.wait(&mut guard);
                    second.acquire().push(*guard);
                });
            }
            wait_until(|| changed.waiters() == 5);
            {
                let mut phase = phase.acquire();
                assert_eq!(changed.notify(3), 3);
                *phase = 1;
            }
            wait_until(|| returned().0 == 3 && changed.waiters() == 5);
            assert_eq!(returned(), (3, 0));
            {
                let mut phase = phase.acquire();
                assert_eq!(changed.notify(5), 5);
                *phase = 2;
            }
            wait_until(|| returned() == (5, 3) && changed.waiters() == 2);
            {
                let mut phase = phase.acquire();
                assert_eq!(changed.notify_all(), 2);
                *phase = 3;
            }
            wait_until(|| returned() == (5, 5));
            assert_eq!(changed.notify_all(), 0);
        });
        let (mut first, mut second) = (first.into_inner(), second.into_inner());
        first.sort_unstable();
        second.sort_unstable();
        assert_eq!((first, second), (vec![1, 1, 1, 2, 2], vec![2, 2, 2, 3, 3]));
    }
}

/// A wait whose time runs out says so, after its time.
#[test]
fn test_timeout() {
    let _limit = limit();
    let (lock, changed) = (Lock::new(()), Condition::new());
    let timeout = Duration::from_millis(20);
    thread::scope(|s| {
        for _ in 0..5 {
            s.spawn(|| {
                let mut guard = lock.acquire();
                let (notified, elapsed) = timed(|| changed.wait_timeout(&mut guard, timeout));
                assert!(!notified);
                assert!(elapsed >= timeout && elapsed < AGES, "{elapsed:?}");
            });
        }
    });
}

/// Waits until what it waits for has come, through notifications of other things.
#[test]
fn test_waitfor() {
    let _limit = limit();
    let (state, changed) = (Lock::new(0), Condition::new());
    thread::scope(|s| {
        let waiter = s.spawn(|| {
            let mut state = state.acquire();
            changed.wait_while(&mut state, |state| *state != 4);
            *state
        });
        for _ in 0..4 {
            wait_until(|| changed.waiters() == 1);
            let mut state = state.acquire();
            *state += 1;
            changed.notify_one();
        }
        assert_eq!(waiter.join().unwrap(), 4);
    });
}

/// Gives up after its time, however often it is notified of other things.
#[test]
fn test_waitfor_timeout() {
    let _limit = limit();
    let (state, changed) = (Lock::new(0), Condition::new());
    let timeout = Duration::from_millis(100);
    thread::scope(|s| {
        let waiter = s.spawn(|| {
            let mut state = state.acquire();
            timed(|| changed.wait_timeout_while(&mut state, timeout, |state| *state != 4))
        });
        for _ in 0..3 {
            wait_until(|| changed.waiters() == 1 || waiter.is_finished());
            let mut state = state.acquire();
            *state += 1;
            changed.notify_one();
        }
        let (has_ended, elapsed) = waiter.join().unwrap();
        assert!(!has_ended);
        assert!(elapsed >= timeout && elapsed < AGES, "{elapsed:?}");
    });
}
