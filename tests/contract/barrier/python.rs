//! The cases of Python's own tests of `Barrier`, by their names there.

use super::*;

/// A barrier for nobody is refused.
#[test]
fn test_constructor() {
    for make in [|| _ = Barrier::new(0), || _ = Barrier::with_action(0, || ())] {
        let panic = catch_unwind(make).expect_err("a barrier for nobody");
        let message = panic.downcast_ref::<&str>().copied().unwrap_or_default();
        assert_eq!(message, "a barrier for 0 threads: it takes at least 1");
    }
    assert_eq!(Barrier::new(1).parties(), 1);
    assert_eq!(Barrier::new(u32::MAX).parties(), u32::MAX);
    assert_eq!(Barrier::with_action(7, || ()).parties(), 7);
}

fn passes(times: usize) {
    let _limit = limit();
    let barrier = Barrier::new(THREADS as u32);
    let (before, after) = (AtomicUsize::new(0), AtomicUsize::new(0));
    together(THREADS, |_| {
        for pass in 0..times {
            assert_eq!(after.load(SeqCst), pass * THREADS, "somebody is ahead");
            before.fetch_add(1, SeqCst);
            barrier.wait().unwrap();
            assert_eq!(before.load(SeqCst), (pass + 1) * THREADS, "somebody is behind");
            after.fetch_add(1, SeqCst);
            barrier.wait().unwrap();
        }
    });
    assert_untouched(&barrier);
}

/// All pass together, twice.
#[test]
fn test_barrier() {
    passes(1);
}

/// All pass together, ten times as often.
#[test]
fn test_barrier_10() {
    passes(10);
}

/// Each of a round has another number, and the last to arrive is the leader.
#[test]
fn test_wait_return() {
    let _limit = limit();
    let barrier = Barrier::new(THREADS as u32);
    for _ in 0..rounds(100) {
        let mut arrivals = together(THREADS, |_| barrier.wait().unwrap());
        arrivals.sort_by_key(BarrierWaitResult::index);
        for (index, arrival) in arrivals.iter().enumerate() {
            assert_eq!(arrival.index() as usize, index);
            assert_eq!(arrival.is_leader(), index == THREADS - 1);
        }
    }
    assert_untouched(&barrier);
}

/// The action has been run, once, when any of the threads goes on.
#[test]
fn test_action() {
    let _limit = limit();
    let runs = AtomicUsize::new(0);
    let barrier = Barrier::with_action(THREADS as u32, || _ = runs.fetch_add(1, SeqCst));
    for round in 1..=rounds(100) {
        together(THREADS, |_| {
            barrier.wait().unwrap();
            assert_eq!(runs.load(SeqCst), round);
        });
    }
    assert_untouched(&barrier);
}

/// An abort lets all others fail, and the barrier stays broken.
#[test]
fn test_abort() {
    let _limit = limit();
    let barrier = Barrier::new(THREADS as u32);
    let results = together(THREADS, |number| {
        if number == THREADS / 2 {
            barrier.abort();
            return Err(None);
        }
        barrier.wait().map_err(Some)
    });
    assert_eq!(results.iter().filter(|result| matches!(result, Err(Some(_)))).count(), THREADS - 1);
    assert!(barrier.is_broken());
    assert!(barrier.wait().is_err());
}

/// A reset lets those fail who wait, and then all pass.
#[test]
fn test_reset() {
    let _limit = limit();
    let barrier = Barrier::new(THREADS as u32);
    let failed = AtomicUsize::new(0);
    together(THREADS, |number| {
        if number == THREADS / 2 {
            wait_until(|| barrier.waiting() == THREADS - 1);
            barrier.reset();
        } else {
            assert!(barrier.wait().is_err());
            failed.fetch_add(1, SeqCst);
        }
        barrier.wait().unwrap();
        assert_eq!(failed.load(SeqCst), THREADS - 1);
    });
    assert_untouched(&barrier);
}

/// After an abort, a reset makes the barrier usable again.
#[test]
fn test_abort_and_reset() {
    let _limit = limit();
    let (barrier, second) = (Barrier::new(THREADS as u32), Barrier::new(THREADS as u32));
    let failed = AtomicUsize::new(0);
    together(THREADS, |number| {
        if number == THREADS / 2 {
            barrier.abort();
        } else {
            assert!(barrier.wait().is_err());
            failed.fetch_add(1, SeqCst);
        }
        assert!(barrier.is_broken());
        // Once all have failed, one makes the barrier as new.
        if second.wait().unwrap().is_leader() {
            barrier.reset();
        }
        second.wait().unwrap();
        assert_eq!(failed.load(SeqCst), THREADS - 1);
        barrier.wait().unwrap();
    });
    assert_untouched(&barrier);
}

/// One whose time runs out lets all others fail: those who wait, and the one that comes too late.
#[test]
fn test_timeout() {
    let _limit = limit();
    let barrier = Barrier::new(THREADS as u32);
    let timeout = Duration::from_millis(20);
    together(THREADS, |number| match number {
        0 => {
            wait_until(|| barrier.is_broken());
            assert!(barrier.wait().is_err());
        }
        1 => {
            let (result, elapsed) = timed(|| barrier.wait_timeout(timeout));
            assert!(result.is_err());
            assert!(elapsed >= timeout && elapsed < AGES, "{elapsed:?}");
        }
        _ => assert!(barrier.wait().is_err()),
    });
    assert!(barrier.is_broken());
}

/// One alone gives up after its time, which it gives to its wait and not to the constructor.
#[test]
fn test_default_timeout() {
    let _limit = limit();
    let barrier = Barrier::new(2);
    let timeout = Duration::from_millis(100);
    let (result, elapsed) = timed(|| barrier.wait_timeout(timeout));
    assert!(result.is_err());
    assert!(elapsed >= timeout && elapsed < AGES, "{elapsed:?}");
    assert!(barrier.is_broken());
}

/// One alone passes a barrier for one.
#[test]
fn test_single_thread() {
    let barrier = Barrier::new(1);
    for _ in 0..2 {
        let arrival = barrier.wait().unwrap();
        assert_eq!((arrival.index(), arrival.is_leader()), (0, true));
    }
    assert_untouched(&barrier);
}

/// Debug shows how many have arrived, and whether the barrier is broken.
#[test]
fn test_repr() {
    let _limit = limit();
    let barrier = Barrier::new(3);
    let empty = "Barrier { waiting: 0, parties: 3, is_broken: false }";
    assert_eq!(format!("{barrier:?}"), empty);
    thread::scope(|s| {
        (0..2).for_each(|_| _ = s.spawn(|| barrier.wait().unwrap()));
        wait_until(|| barrier.waiters() == 2);
        assert_eq!(format!("{barrier:?}"), "Barrier { waiting: 2, parties: 3, is_broken: false }");
        barrier.wait().unwrap();
    });
    assert_eq!(format!("{barrier:?}"), empty);
    barrier.abort();
    assert_eq!(format!("{barrier:?}"), "Barrier { waiting: 0, parties: 3, is_broken: true }");
}
