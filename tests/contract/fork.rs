//! H36: what a child of `fork` can do with primitives that other threads used at that moment. None of these threads lives
//! in the child.

#![cfg(all(target_os = "linux", not(miri)))]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;
use std::time::{Duration, Instant};

use futon::{BoundedSemaphore, Event, Lock, LockGuard, RLock, RLockGuard, Semaphore};

use crate::threads::{limit, wait_until};

/// Runs this in a child, which ends without running anything else. Fails if it does not return true.
#[track_caller]
fn in_a_child(claim: impl FnOnce() -> bool) {
    // SAFETY: no other thread has its hands on the allocator, which the C library sees to; and the child uses
    // nothing else of what they may have been at, until it ends at once.
    match unsafe { libc::fork() } {
        -1 => panic!("no child: {}", std::io::Error::last_os_error()),
        0 => {
            let holds = catch_unwind(AssertUnwindSafe(claim)).unwrap_or(false);
            // SAFETY: has no preconditions, and runs no destructors.
            unsafe { libc::_exit(i32::from(!holds)) }
        }
        child => {
            let mut status = 0;
            // SAFETY: `status` is valid for writes.
            assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
            assert!(libc::WIFEXITED(status) && libc::WEXITSTATUS(status) == 0, "status {status}");
        }
    }
}

/// Runs this on another thread, up to the moment at which it waits for `end`; then `here`.
fn beside(there: impl FnOnce(&Event) + Send, here: impl FnOnce()) {
    let end = Event::new();
    thread::scope(|s| {
        s.spawn(|| there(&end));
        wait_until(|| end.waiters() == 1);
        // A claim that fails is not to leave the other one waiting.
        let result = catch_unwind(AssertUnwindSafe(here));
        end.set();
        result.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    });
}

const SOON: Duration = Duration::from_millis(5);

#[test]
fn what_another_thread_had_stays_taken_in_the_child() {
    let _limit = limit();
    let (lock, rlock) = (Lock::new(1), RLock::new(2));
    let (semaphore, bounded) = (Semaphore::new(1), BoundedSemaphore::new(1));
    beside(
        |end| {
            let _guards = (lock.acquire(), rlock.acquire(), semaphore.acquire(), bounded.acquire());
            end.wait();
        },
        || {
            in_a_child(|| {
                let start = Instant::now();
                let ran_out = lock.acquire_timeout(SOON).is_none()
                    && rlock.acquire_timeout(SOON).is_none()
                    && semaphore.acquire_timeout(SOON).is_none()
                    && bounded.acquire_timeout(SOON).is_none();
                ran_out
                    && start.elapsed() >= 4 * SOON
                    && lock.try_acquire().is_none()
                    && rlock.try_acquire().is_none()
                    && !rlock.is_owned()
            });
        },
    );
    // The parent does not notice.
    assert_eq!((*lock.acquire(), *rlock.acquire()), (1, 2));
    assert_eq!((semaphore.available(), bounded.available()), (1, 1));
}

#[test]
fn what_the_thread_itself_had_it_has_in_the_child_too() {
    let _limit = limit();
    let (lock, rlock, semaphore) = (Lock::new(1), RLock::new(2), Semaphore::new(1));
    let mut guard = Some(lock.acquire());
    let mut level = Some(rlock.acquire());
    let mut permit = Some(semaphore.acquire());
    // One that waits is counted in the child, and is not there: newcomers get along without it.
    thread::scope(|s| {
        s.spawn(|| drop(lock.acquire()));
        s.spawn(|| drop(rlock.acquire()));
        wait_until(|| lock.waiters() == 1 && rlock.waiters() == 1);
        in_a_child(|| {
            drop(guard.take());
            let again = (0..100).all(|_| lock.acquire_timeout(Duration::from_secs(10)).is_some());
            LockGuard::release_fair(lock.acquire());
            let after_a_fair_release = lock.acquire_timeout(Duration::from_secs(10)).is_some();
            let nested = rlock.is_owned() && rlock.try_acquire().is_some();
            RLockGuard::release_fair(level.take().unwrap());
            let later = rlock.acquire_timeout(Duration::from_secs(10)).is_some();
            drop(permit.take());
            again && after_a_fair_release && nested && later && semaphore.available() == 1
        });
        drop((guard.take(), level.take()));
    });
    drop(permit.take());
    assert_eq!((lock.waiters(), rlock.waiters(), semaphore.available()), (0, 0, 1));
}

#[test]
fn what_nobody_else_used_can_be_used_in_the_child_by_any_of_its_threads() {
    let _limit = limit();
    let (lock, event) = (Lock::new(0), Event::new());
    beside(
        |end| end.wait(),
        || {
            in_a_child(|| {
                thread::scope(|s| {
                    s.spawn(|| {
                        *lock.acquire() += 1;
                        event.set();
                    });
                    event.wait();
                    *lock.acquire() == 1
                })
            });
        },
    );
    assert!(!event.is_set(), "the memory of the child is its own");
}

/// As Python's `_at_fork_reinit` does.
#[test]
fn a_new_one_can_be_put_in_the_place_of_one_that_stays_taken() {
    let _limit = limit();
    let lock = Lock::new(3);
    let place = &raw const lock as usize;
    beside(
        |end| {
            let _guard = lock.acquire();
            end.wait();
        },
        || {
            in_a_child(|| {
                let place = place as *mut Lock<i32>;
                // SAFETY: whoever had borrowed it was left in the parent, apart from this thread, which
                // looks again only after this.
                unsafe { place.write(Lock::new(4)) };
                lock.try_acquire().is_some_and(|value| *value == 4)
            });
        },
    );
}
