//! The cases of Python's own tests of `Lock`, by their names there.

use super::*;

/// A lock is made and dropped.
#[test]
fn test_constructor() {
    assert_untouched(&Lock::new(()));
    let drops = AtomicUsize::new(0);
    drop(Lock::new(CountsDrops(&drops)));
    assert_eq!(drops.into_inner(), 1);
}

/// Debug shows the value of a free lock.
#[test]
fn test_repr() {
    assert_eq!(format!("{:?}", Lock::new(7)), "Lock { value: 7 }");
}

/// Debug of a taken lock does not wait.
///
/// H33 has it that a report which waits for the lock is a deadlock in the report of a deadlock.
#[test]
fn test_locked_repr() {
    let _limit = limit();
    let lock = Lock::new(7);
    let guard = lock.acquire();
    assert_eq!(format!("{lock:?}"), "Lock { value: <locked> }");
    assert_eq!(format!("{guard:?} {guard}"), "7 7");
    drop(guard);
    assert_eq!(format!("{lock:?}"), "Lock { value: 7 }");
    assert_untouched(&lock);
}

/// A taken lock may be dropped.
#[test]
fn test_acquire_destroy() {
    let drops = AtomicUsize::new(0);
    let lock = Lock::new(CountsDrops(&drops));
    mem::forget(lock.acquire());
    assert!(lock.is_locked());
    drop(lock);
    assert_eq!(drops.into_inner(), 1);
}

/// Acquire takes the lock and dropping the guard releases it.
#[test]
fn test_acquire_release() {
    let lock = Lock::new(1);
    let mut guard = lock.acquire();
    assert!(lock.is_locked());
    *guard += 1;
    drop(guard);
    assert!(!lock.is_locked());
    assert_eq!(*lock.acquire(), 2);
    assert_untouched(&lock);
}

/// Try acquire takes a free lock.
#[test]
fn test_try_acquire() {
    let lock = Lock::new(1);
    *lock.try_acquire().unwrap() += 1;
    assert_eq!(*lock.try_acquire().unwrap(), 2);
    assert_untouched(&lock);
}

/// Try acquire of a taken lock fails.
#[test]
fn test_try_acquire_contended() {
    let lock = Lock::new(());
    let guard = lock.acquire();
    assert!(lock.try_acquire().is_none());
    assert!(!is_free(&lock));
    assert_eq!(lock.waiters(), 0);
    drop(guard);
    assert_untouched(&lock);
}

/// Those who wait get through once the lock is released.
#[test]
fn test_acquire_contended() {
    let _limit = limit();
    let lock = Lock::new(0);
    thread::scope(|s| {
        let guard = lock.acquire();
        for count in 1..=THREADS {
            s.spawn(|| *lock.acquire() += 1);
            wait_until(|| lock.waiters() == count);
        }
        assert_eq!(*guard, 0);
        drop(guard);
    });
    assert_eq!(*lock.acquire(), THREADS);
    assert_untouched(&lock);
}

/// The end of a scope releases the lock.
#[test]
fn test_with() {
    let lock = Lock::new(1);
    {
        let _guard = lock.acquire();
        assert!(!is_free(&lock));
    }
    assert_untouched(&lock);
}

/// Threads that have ended leave nothing behind.
#[test]
fn test_thread_leak() {
    let _limit = limit();
    let lock = Lock::new(0);
    thread::scope(|s| {
        for _ in 0..15 {
            s.spawn(|| {
                *lock.acquire() += 1;
                drop(lock.acquire_timeout(Duration::from_micros(1)));
            });
        }
    });
    assert_untouched(&lock);
    assert_eq!(lock.into_inner(), 15);
}

/// A timed acquire takes a free lock and gives up on a taken one.
#[test]
fn test_timeout() {
    let _limit = limit();
    let lock = Lock::new(());
    assert!(lock.acquire_timeout(LONG).is_some());
    assert!(lock.acquire_timeout(Duration::MAX).is_some());

    let guard = lock.acquire();
    let timeout = Duration::from_millis(20);
    let (taken, elapsed) = timed(|| lock.acquire_timeout(timeout).is_some());
    assert!(!taken);
    assert!(elapsed >= timeout && elapsed < AGES, "gave up after {elapsed:?}");
    let deadline = Instant::now() + timeout;
    assert!(lock.acquire_deadline(deadline).is_none());
    assert!(Instant::now() >= deadline);
    drop(guard);
    assert_untouched(&lock);
}

/// A second acquire blocks until another thread releases.
#[test]
fn test_reacquire() {
    let _limit = limit();
    let lock = Lock::new(0);
    thread::scope(|s| {
        let mut first = lock.acquire();
        let lock = &lock;
        s.spawn(move || {
            wait_until(|| lock.waiters() == 1);
            *first += 1;
            drop(first);
        });
        let second = lock.acquire();
        assert_eq!(*second, 1);
    });
    assert_untouched(&lock);
}

/// A guard may be dropped on another thread.
#[test]
fn test_different_thread() {
    let _limit = limit();
    let lock = Lock::new(0);
    for round in stress(100) {
        let mut guard = lock.acquire();
        thread::scope(|s| {
            s.spawn(move || {
                assert_eq!(*guard, round);
                *guard += 1;
            });
        });
        assert!(!lock.is_locked());
    }
    let mapped = LockGuard::map(lock.acquire(), |value| value);
    thread::scope(|s| {
        s.spawn(move || drop(mapped));
    });
    assert_untouched(&lock);
}

/// A timeout leaves no trace.
#[test]
fn test_state_after_timeout() {
    let _limit = limit();
    let lock = Lock::new(());
    let guard = lock.acquire();
    for micros in [0, 1, 100, 3_000] {
        // The longest of them waits long enough to have counted as starving.
        assert!(lock.acquire_timeout(Duration::from_micros(micros)).is_none());
        assert_eq!(lock.waiters(), 0);
    }
    drop(guard);
    assert!(!lock.is_locked());
    assert!(lock.try_acquire().is_some());
    assert_untouched(&lock);
}

/// A lock can be referred to without being kept alive.
#[test]
fn test_weakref_exists() {
    let lock = Arc::new(Lock::new(1));
    let weak = Arc::downgrade(&lock);
    *weak.upgrade().unwrap().acquire() += 1;
    assert_eq!(*lock.acquire(), 2);
}

/// And such a reference ends with the lock, which an owning guard keeps alive.
#[test]
fn test_weakref_deleted() {
    let lock = Arc::new(Lock::new(()));
    let weak = Arc::downgrade(&lock);
    let guard = lock.acquire_arc();
    drop(lock);
    assert!(weak.upgrade().is_some());
    drop(guard);
    assert!(weak.upgrade().is_none());
}
