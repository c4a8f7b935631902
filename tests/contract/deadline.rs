//! [`Deadline`].

use std::time::{Duration, Instant};

use futon::deadline::Deadline;

use crate::threads::{endless_timeouts, last_instant, limit, spin_until};

#[test]
fn a_deadline_passes_at_its_moment_and_not_before() {
    let _limit = limit();
    let at = Instant::now() + Duration::from_millis(2);
    let deadline = Deadline::at(at);
    loop {
        let has_passed = deadline.has_passed();
        let now = Instant::now();
        if has_passed {
            assert!(now >= at, "passed {:?} early", at - now);
            break;
        }
    }
    spin_until(at);
    assert!(deadline.has_passed());
}

#[test]
fn a_deadline_after_a_timeout_is_that_much_later() {
    let timeout = Duration::from_secs(1000);
    let earliest = Instant::now() + timeout;
    let deadline = Deadline::after(timeout);
    let latest = Instant::now() + timeout;
    assert!(!deadline.has_passed());

    let remaining = deadline.remaining().unwrap();
    assert!(remaining <= timeout);
    assert!(Instant::now() + remaining >= earliest);
    assert!(remaining <= latest - earliest + timeout);
    assert!(deadline.remaining().unwrap() <= remaining, "time runs backwards");
}

#[test]
fn a_zero_timeout_has_passed() {
    assert!(Deadline::after(Duration::ZERO).has_passed());
    assert_eq!(Deadline::after(Duration::ZERO).remaining(), Some(Duration::ZERO));
}

#[test]
fn a_moment_in_the_past_has_passed_and_nothing_remains() {
    let past = Instant::now();
    spin_until(past + Duration::from_micros(1));
    assert!(Deadline::at(past).has_passed());
    assert_eq!(Deadline::at(past).remaining(), Some(Duration::ZERO));
}

#[test]
fn never_does_not_come() {
    assert!(!Deadline::NEVER.has_passed());
    assert_eq!(Deadline::NEVER.remaining(), None);
    assert_ne!(Deadline::NEVER, Deadline::at(last_instant()));
}

/// H21.
#[test]
fn a_timeout_beyond_the_clock_means_never() {
    assert_eq!(Deadline::after(Duration::MAX), Deadline::NEVER);
    assert_eq!(Deadline::after(Duration::MAX - Duration::from_nanos(1)), Deadline::NEVER);
    assert_eq!(Deadline::after(Duration::from_secs(u64::MAX)), Deadline::NEVER);
}

/// H21.
#[test]
fn no_long_timeout_wraps_into_the_past() {
    for timeout in endless_timeouts() {
        let deadline = Deadline::after(timeout);
        assert!(!deadline.has_passed(), "{timeout:?}");
        assert!(deadline.remaining().is_none_or(|d| d > timeout / 2), "{timeout:?}");
    }
    assert!(!Deadline::at(last_instant()).has_passed());
}
