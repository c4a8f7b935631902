//! What CPython tests of its `Semaphore`, under the names that it has there: `BaseSemaphoreTests` and
//! `SemaphoreTests` of its `lock_tests.py`.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering::SeqCst};
use std::thread;
use std::time::Duration;

use futon::{Permit, Semaphore};

use super::any::{AnySemaphore, MAX, assert_rests, message, panic_quietly, panics};
use crate::threads::{AGES, limit, timed, wait_until};

/// The tests of `BaseSemaphoreTests`, which are about both semaphores.
pub mod base {
    use super::*;

    /// A thread of Python's has no guard: what it has acquired it releases by hand.
    fn by_hand<S: AnySemaphore>(semaphore: &S, blocks: bool) -> bool {
        let permit = if blocks { Some(semaphore.acquire()) } else { semaphore.try_acquire() };
        permit.map(Permit::forget).is_some()
    }

    fn within(semaphore: &impl AnySemaphore, millis: u64) -> bool {
        semaphore.acquire_timeout(Duration::from_millis(millis)).map(Permit::forget).is_some()
    }

    /// That there may be no negative number of permits the type says.
    pub fn test_constructor<S: AnySemaphore>() {
        let _limit = limit();
        for permits in [0, 1, MAX] {
            assert_rests(&S::made_with(permits), permits);
        }
        for permits in [MAX + 1, u32::MAX] {
            let message = message(|| S::made_with(permits));
            assert!(message.contains("2^30 - 1"), "{message}");
        }
    }

    pub fn test_acquire<S: AnySemaphore>() {
        let _limit = limit();
        let semaphore = S::made_with(1);
        semaphore.acquire().forget();
        assert_eq!(semaphore.available(), 0);
        semaphore.release(1).unwrap();
        let semaphore = S::made_with(2);
        semaphore.acquire().forget();
        semaphore.acquire().forget();
        assert_eq!(semaphore.available(), 0);
        semaphore.release(1).unwrap();
        semaphore.release(1).unwrap();
        assert_rests(&semaphore, 2);

        let (one, two) = (semaphore.acquire(), semaphore.acquire());
        assert_eq!(semaphore.available(), 0);
        drop(one);
        assert_eq!(semaphore.available(), 1);
        drop(two);
        assert_rests(&semaphore, 2);
    }

    pub fn test_acquire_destroy<S: AnySemaphore>() {
        let _limit = limit();
        let semaphore = S::default();
        semaphore.acquire().forget();
        drop(semaphore);
        let semaphore = Arc::new(S::default());
        let permit = semaphore.acquire_arc();
        drop(semaphore);
        drop(permit);
    }

    /// In each phase exactly as many get through as there are permits.
    fn in_phases<S: AnySemaphore>(release: fn(&S, u32)) {
        const PERMITS: u32 = 7;
        const THREADS: usize = 10;
        let _limit = limit();
        let semaphore = S::made_with(PERMITS);
        semaphore.acquire().forget();
        let (phase, ended) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let passed = [const { AtomicU32::new(0) }; 4];
        let pass = || {
            semaphore.acquire().forget();
            passed[phase.load(SeqCst)].fetch_add(1, SeqCst);
        };
        let assert_passed = |expected: [u32; 4]| {
            // All others have come to a stop.
            wait_until(|| semaphore.waiters() == THREADS - ended.load(SeqCst));
            let sum: u32 = expected.iter().sum();
            wait_until(|| passed.iter().map(|count| count.load(SeqCst)).sum::<u32>() >= sum);
            wait_until(|| semaphore.waiters() == THREADS - ended.load(SeqCst));
            assert_eq!(passed.each_ref().map(|count| count.load(SeqCst)), expected);
        };
        thread::scope(|s| {
            for _ in 0..THREADS {
                s.spawn(|| {
                    pass();
                    pass();
                    ended.fetch_add(1, SeqCst);
                });
            }
            assert_passed([PERMITS - 1, 0, 0, 0]);
            phase.store(1, SeqCst);
            release(&semaphore, PERMITS);
            assert_passed([PERMITS - 1, PERMITS, 0, 0]);
            phase.store(2, SeqCst);
            release(&semaphore, PERMITS - 1);
            assert_passed([PERMITS - 1, PERMITS, PERMITS - 1, 0]);
            assert!(!by_hand(&semaphore, false));
            phase.store(3, SeqCst);
            release(&semaphore, 1);
        });
        assert_eq!(passed.map(AtomicU32::into_inner), [PERMITS - 1, PERMITS, PERMITS - 1, 1]);
        assert_rests(&semaphore, 0);
    }

    pub fn test_acquire_contended<S: AnySemaphore>() {
        in_phases::<S>(|semaphore, count| {
            (0..count).for_each(|_| semaphore.release(1).unwrap());
        });
    }

    pub fn test_multirelease<S: AnySemaphore>() {
        in_phases::<S>(|semaphore, count| semaphore.release(count).unwrap());
    }

    pub fn test_try_acquire<S: AnySemaphore>() {
        let _limit = limit();
        let semaphore = S::made_with(2);
        assert!(by_hand(&semaphore, false));
        assert!(by_hand(&semaphore, false));
        assert!(!by_hand(&semaphore, false));
        semaphore.release(1).unwrap();
        assert!(by_hand(&semaphore, false));
        assert!(!by_hand(&semaphore, false));

        let semaphore = S::made_with(2);
        let (one, two) = (semaphore.try_acquire().unwrap(), semaphore.try_acquire().unwrap());
        assert!(semaphore.try_acquire().is_none());
        drop(one);
        assert!(semaphore.try_acquire().is_some());
        drop(two);
        assert_rests(&semaphore, 2);
    }

    pub fn test_try_acquire_contended<S: AnySemaphore>() {
        let _limit = limit();
        let semaphore = S::made_with(4);
        semaphore.acquire().forget();
        let tries = || usize::from(by_hand(&semaphore, false));
        let got: usize = thread::scope(|s| {
            let threads: Vec<_> = (0..5).map(|_| s.spawn(|| tries() + tries())).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        assert_eq!(got, 3);
        assert_rests(&semaphore, 0);
    }

    /// That a try has no timeout the names say.
    pub fn test_acquire_timeout<S: AnySemaphore>() {
        let _limit = limit();
        let semaphore = S::made_with(2);
        assert!(within(&semaphore, 5));
        assert!(within(&semaphore, 5));
        assert!(!within(&semaphore, 5));
        semaphore.release(1).unwrap();
        assert!(within(&semaphore, 5));
        let (got, elapsed) = timed(|| within(&semaphore, 50));
        assert!(!got);
        assert!(elapsed >= Duration::from_millis(50) && elapsed < AGES, "{elapsed:?}");
        assert_rests(&semaphore, 0);
    }

    pub fn test_default_value<S: AnySemaphore>() {
        let _limit = limit();
        let semaphore = S::default();
        assert_eq!(semaphore.available(), 1);
        semaphore.acquire().forget();
        thread::scope(|s| {
            let other = s.spawn(|| {
                semaphore.acquire().forget();
                semaphore.release(1).unwrap();
            });
            wait_until(|| semaphore.waiters() == 1);
            assert!(!other.is_finished());
            semaphore.release(1).unwrap();
        });
        assert_rests(&semaphore, 1);
    }

    pub fn test_with<S: AnySemaphore>() {
        let _limit = limit();
        let semaphore = S::made_with(2);
        let blocks = |fails: bool| {
            let _with = semaphore.acquire();
            assert!(by_hand(&semaphore, false));
            semaphore.release(1).unwrap();
            {
                let _with = semaphore.acquire();
                assert!(!by_hand(&semaphore, false));
                if fails {
                    panic_quietly();
                }
            }
            assert!(by_hand(&semaphore, false));
            semaphore.release(1).unwrap();
        };
        blocks(false);
        assert_rests(&semaphore, 2);
        panics(|| blocks(true));
        assert_rests(&semaphore, 2);
        thread::scope(|s| assert!(s.spawn(|| blocks(true)).join().is_err()));
        assert_rests(&semaphore, 2);
    }
}

#[test]
fn test_constructor() {
    base::test_constructor::<Semaphore>();
}

#[test]
fn test_acquire() {
    base::test_acquire::<Semaphore>();
}

#[test]
fn test_acquire_destroy() {
    base::test_acquire_destroy::<Semaphore>();
}

#[test]
fn test_acquire_contended() {
    base::test_acquire_contended::<Semaphore>();
}

#[test]
fn test_multirelease() {
    base::test_multirelease::<Semaphore>();
}

#[test]
fn test_try_acquire() {
    base::test_try_acquire::<Semaphore>();
}

#[test]
fn test_try_acquire_contended() {
    base::test_try_acquire_contended::<Semaphore>();
}

#[test]
fn test_acquire_timeout() {
    base::test_acquire_timeout::<Semaphore>();
}

#[test]
fn test_default_value() {
    base::test_default_value::<Semaphore>();
}

#[test]
fn test_with() {
    base::test_with::<Semaphore>();
}

#[test]
fn test_release_unacquired() {
    let _limit = limit();
    let semaphore = Semaphore::new(1);
    semaphore.release(1).unwrap();
    semaphore.acquire().forget();
    semaphore.acquire().forget();
    semaphore.release(1).unwrap();
    assert_rests(&semaphore, 1);

    semaphore.release(1).unwrap();
    let (one, two) = (semaphore.acquire(), semaphore.acquire());
    semaphore.release(1).unwrap();
    drop((one, two));
    assert_rests(&semaphore, 3);
}

#[test]
fn test_repr() {
    let semaphore = Semaphore::new(3);
    assert_eq!(format!("{semaphore:?}"), "Semaphore { available: 3, waiters: 0 }");
    semaphore.acquire().forget();
    assert_eq!(format!("{semaphore:?}"), "Semaphore { available: 2, waiters: 0 }");
    semaphore.release(2).unwrap();
    assert_eq!(format!("{semaphore:?}"), "Semaphore { available: 4, waiters: 0 }");
}
