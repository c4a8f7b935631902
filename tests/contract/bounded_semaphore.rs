//! [`BoundedSemaphore`]: what it shares with `Semaphore`, and its limit.

mod python;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::thread;
use std::time::Duration;

use futon::BoundedSemaphore;

use crate::semaphore::both;
use crate::threads::{Random, limit, rounds, wait_until};

const LIMIT: u32 = 7;

// What both semaphores do.

#[test]
fn each_form_takes_what_is_there_and_gives_it_back() {
    both::each_form_takes_what_is_there_and_gives_it_back::<BoundedSemaphore>();
}

#[test]
fn each_form_with_a_limit_takes_all_or_none() {
    both::each_form_with_a_limit_takes_all_or_none::<BoundedSemaphore>();
}

#[test]
fn each_form_that_waits_gets_what_is_released() {
    both::each_form_that_waits_gets_what_is_released::<BoundedSemaphore>();
}

#[test]
fn none_are_had_at_once() {
    both::none_are_had_at_once::<BoundedSemaphore>();
}

#[test]
fn more_than_there_can_be_are_refused_with_a_panic() {
    let said = "of a semaphore that has 7";
    both::more_than_there_can_be_are_refused_with_a_panic::<BoundedSemaphore>(LIMIT, said);
}

#[test]
fn as_many_as_there_can_be_may_be_had_at_once() {
    both::as_many_as_there_can_be_may_be_had_at_once::<BoundedSemaphore>();
}

#[test]
fn none_may_be_released_at_any_time() {
    both::none_may_be_released_at_any_time::<BoundedSemaphore>();
}

#[test]
fn a_timeout_beyond_the_clock_waits_until_there_is_a_permit() {
    both::a_timeout_beyond_the_clock_waits_until_there_is_a_permit::<BoundedSemaphore>();
}

#[test]
fn nobody_gives_up_before_the_time() {
    both::nobody_gives_up_before_the_time::<BoundedSemaphore>();
}

#[test]
fn without_time_an_acquire_is_a_try() {
    both::without_time_an_acquire_is_a_try::<BoundedSemaphore>();
}

#[test]
#[cfg(not(miri))]
fn signals_do_not_show() {
    both::signals_do_not_show::<BoundedSemaphore>();
}

#[test]
fn whoever_gets_a_permit_may_free_the_semaphore_at_once() {
    both::whoever_gets_a_permit_may_free_the_semaphore_at_once::<BoundedSemaphore>();
    both::whoever_gets_the_last_permit_may_free_the_semaphore_at_once::<BoundedSemaphore>();
}

#[test]
fn whatever_happens_all_permits_are_there_in_the_end() {
    both::whatever_happens_all_permits_are_there_in_the_end::<BoundedSemaphore>();
}

#[test]
fn with_one_permit_it_is_a_lock() {
    both::with_one_permit_it_is_a_lock::<BoundedSemaphore>();
}

#[test]
fn a_release_above_the_limit_is_an_error_and_nothing_else() {
    both::a_release_above_the_limit_is_an_error_and_nothing_else::<BoundedSemaphore>(LIMIT);
    let most = BoundedSemaphore::MAX_PERMITS;
    both::a_release_above_the_limit_is_an_error_and_nothing_else::<BoundedSemaphore>(most);
}

#[test]
fn of_two_releases_for_which_there_is_no_room_one_is_an_error() {
    both::of_two_releases_for_which_there_is_no_room_one_is_an_error::<BoundedSemaphore>(LIMIT);
}

#[test]
#[cfg(all(target_os = "linux", target_pointer_width = "64", target_endian = "little", not(miri)))]
fn a_release_that_fails_wakes_nobody() {
    both::a_release_that_fails_wakes_nobody::<BoundedSemaphore>(LIMIT);
}

#[test]
fn permits_are_taken_apart_put_together_forgotten_and_given_back() {
    both::permits::<BoundedSemaphore>();
}

#[test]
fn permits_for_which_there_is_no_room_are_no_more() {
    both::permits_for_which_there_is_no_room_are_no_more::<BoundedSemaphore>(LIMIT);
}

#[test]
fn permits_may_outlive_all_other_owners() {
    both::permits_may_outlive_all_other_owners::<BoundedSemaphore>();
}

#[test]
fn nothing_is_allocated() {
    both::nothing_is_allocated::<BoundedSemaphore>();
}

// The limit.

#[test]
fn the_limit_is_what_it_was_made_with() {
    for permits in [0, 1, LIMIT, BoundedSemaphore::MAX_PERMITS] {
        let semaphore = BoundedSemaphore::new(permits);
        assert_eq!((semaphore.limit(), semaphore.available()), (permits, permits));
        let _permit = semaphore.try_acquire();
        assert!(semaphore.release(permits.max(2)).is_err());
        assert_eq!(semaphore.limit(), permits);
    }
    assert_eq!(BoundedSemaphore::default().limit(), 1);
}

/// Python allows it, and so does this one.
#[test]
fn without_permits_each_acquire_waits_and_each_release_is_an_error() {
    let _limit = limit();
    let semaphore = BoundedSemaphore::new(0);
    assert!(semaphore.try_acquire().is_none());
    assert!(semaphore.acquire_timeout(Duration::from_millis(2)).is_none());
    assert!(semaphore.release(1).is_err());
    semaphore.release(0).unwrap();
    assert_eq!(semaphore.acquire_many(0).count(), 0);
    let error = semaphore.release(1).unwrap_err().to_string();
    assert_eq!(error, "1 permit released to a semaphore that has 0 of at most 0");
}

#[test]
fn debug_shows_those_who_wait() {
    let _limit = limit();
    let semaphore = BoundedSemaphore::new(1);
    thread::scope(|s| {
        let permit = semaphore.acquire();
        s.spawn(|| drop(semaphore.acquire()));
        wait_until(|| semaphore.waiters() == 1);
        let shown = format!("{semaphore:?}");
        assert_eq!(shown, "BoundedSemaphore { available: 0, limit: 1, waiters: 1 }");
        drop(permit);
    });
}

/// H28: threads that release what they do not have, among others that have what they release.
#[test]
fn there_are_never_more_than_the_limit() {
    let _limit = limit();
    let semaphore = Arc::new(BoundedSemaphore::new(3));
    let (errors, extra) = (AtomicU32::new(0), AtomicU32::new(0));
    let rounds = rounds(3_000);
    thread::scope(|s| {
        for seed in 0..4 {
            let (semaphore, errors, extra) = (&semaphore, &errors, &extra);
            s.spawn(move || {
                let mut random = Random::new(seed);
                for _ in 0..rounds {
                    let permits = random.below(4) as u32;
                    if random.below(2) == 0 {
                        drop(semaphore.try_acquire_many(permits));
                    } else {
                        let count = if semaphore.release(permits).is_ok() { extra } else { errors };
                        count.fetch_add(permits, SeqCst);
                    }
                    assert!(semaphore.available() <= 3);
                }
            });
        }
    });
    assert!(semaphore.available() <= 3);
    semaphore.release(3 - semaphore.available()).unwrap();
    assert!(semaphore.release(1).is_err());
    assert!(semaphore.try_acquire_many(3).is_some());
}
