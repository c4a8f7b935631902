//! The crate on real threads: a plain `cargo test`.
#![cfg(not(loom))]

use std::thread;
use std::time::{Duration, Instant};

use downstream::{Latch, Mailbox};

const MOMENT: Duration = Duration::from_millis(20);

#[test]
fn each_message_is_taken_once() {
    const MESSAGES: u64 = 20_000;
    static MAILBOX: Mailbox<u64> = Mailbox::new();

    let sums: u64 = thread::scope(|s| {
        let take = || {
            let mut sum = 0;
            loop {
                match MAILBOX.take() {
                    0 => return sum,
                    message => sum += message,
                }
            }
        };
        let takers = [s.spawn(take), s.spawn(take), s.spawn(take)];
        for message in (1..=MESSAGES).chain([0; 3]) {
            while MAILBOX.put(message).is_err() {
                thread::yield_now();
            }
        }
        takers.into_iter().map(|taker| taker.join().unwrap()).sum()
    });
    assert_eq!(sums, MESSAGES * (MESSAGES + 1) / 2);
}

#[test]
fn a_take_that_times_out_has_waited_its_time() {
    let mailbox = Mailbox::<()>::new();
    let start = Instant::now();
    assert_eq!(mailbox.take_timeout(MOMENT), None);
    assert!(start.elapsed() >= MOMENT);
}

#[test]
fn a_take_may_wait_for_ever_and_is_woken() {
    let mailbox = Mailbox::new();
    thread::scope(|s| {
        let taker = s.spawn(|| mailbox.take_timeout(Duration::MAX));
        while mailbox.waiters() == 0 {
            thread::yield_now();
        }
        mailbox.put("hello").unwrap();
        assert_eq!(taker.join().unwrap(), Some("hello"));
    });
}

#[test]
fn a_full_mailbox_gives_the_message_back() {
    let mailbox = Mailbox::new();
    assert_eq!(mailbox.put(1), Ok(()));
    assert_eq!(mailbox.put(2), Err(2));
    assert_eq!(mailbox.take(), 1);
    assert_eq!(mailbox.try_take(), None);
}

#[test]
fn a_latch_opens_at_the_last_count() {
    static LATCH: Latch = Latch::new(2);

    thread::scope(|s| {
        let waiter = s.spawn(|| LATCH.wait());
        LATCH.count_down();
        assert!(!LATCH.wait_timeout(MOMENT));
        assert!(!waiter.is_finished());
        LATCH.count_down();
    });
    assert!(LATCH.wait_timeout(Duration::ZERO));
}

#[test]
#[should_panic = "more often than its count"]
fn a_latch_that_is_open_is_not_counted_down() {
    Latch::new(0).count_down();
}
