//! The cases of Python's own tests of `Event`, by their names there.

use super::*;

/// Set and clear turn the flag on and off however often.
#[test]
fn test_is_set() {
    let event = Event::new();
    assert!(!event.is_set());
    event.set();
    assert!(event.is_set());
    event.set();
    assert!(event.is_set());
    event.clear();
    assert!(!event.is_set());
    event.clear();
    assert!(!event.is_set());
}

/// A set releases all who wait and all who come later.
#[test]
fn test_notify() {
    let _limit = limit();
    let event = Event::new();
    for _ in 0..2 {
        let released = AtomicUsize::new(0);
        thread::scope(|s| {
            for _ in 0..THREADS {
                s.spawn(|| {
                    event.wait();
                    released.fetch_add(1, SeqCst);
                    event.wait(); // returns at once
                    released.fetch_add(1, SeqCst);
                });
            }
            wait_until(|| event.waiters() == THREADS);
            assert_eq!(released.load(SeqCst), 0);
            event.set();
        });
        assert_eq!(released.into_inner(), 2 * THREADS);
        assert_eq!(event.waiters(), 0);
        event.set();
        event.clear();
    }
}

/// A timed wait says whether the event was set.
#[test]
fn test_timeout() {
    let _limit = limit();
    let event = Event::new();
    thread::scope(|s| {
        for _ in 0..THREADS {
            s.spawn(|| {
                assert!(!event.wait_timeout(Duration::ZERO));
                let timeout = Duration::from_millis(20);
                let (was_set, elapsed) = timed(|| event.wait_timeout(timeout));
                assert!(!was_set);
                assert!(elapsed >= timeout, "gave up after {elapsed:?}");
                assert!(elapsed < AGES);
            });
        }
    });
    event.set();
    thread::scope(|s| {
        for _ in 0..THREADS {
            s.spawn(|| {
                assert!(event.wait_timeout(Duration::ZERO));
                assert!(event.wait_timeout(Duration::from_secs(3600)));
                assert!(event.wait_deadline(Instant::now()));
            });
        }
    });
}

/// A set releases all who wait even if a clear follows at once.
///
/// The flag alone is not enough: by the time a woken thread looks at it, it is cleared again.
///
/// And a thread that was released first may wait again before the others have looked: it must not look
/// to them as if nothing had happened. Whoever is counted by `waiters` before a set is released by it.
/// 100,000 rounds, or, where the machine is very busy, as many as can be had in ten seconds.
#[test]
fn test_set_and_clear() {
    let start = Instant::now();
    let (all, at_once) = (rounds(100_000), rounds(500));
    let mut done = 0;
    while done < all && (done == 0 || start.elapsed() < Duration::from_secs(10)) {
        let _limit = limit();
        set_and_clear_for_five(at_once);
        done += at_once;
    }
    println!("{done} rounds");
}

/// Debug shows the flag and the waiters.
#[test]
fn test_repr() {
    let _limit = limit();
    let event = Event::new();
    assert_eq!(format!("{event:?}"), "Event { is_set: false, waiters: 0 }");
    thread::scope(|s| {
        s.spawn(|| event.wait());
        wait_until(|| event.waiters() == 1);
        assert_eq!(format!("{event:?}"), "Event { is_set: false, waiters: 1 }");
        event.set();
    });
    assert_eq!(format!("{event:?}"), "Event { is_set: true, waiters: 0 }");
}
