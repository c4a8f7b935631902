//! Ranges that two threads pull from at once.

mod checking;

use std::sync::Arc;

use checking::{check_bounded, cost};
use futon_model::SharedRange;
use futon_model::atomic::model::{Calls, calls, check};
use loom::thread;

/// Pulls in some way for a while.
type Way = fn(&SharedRange) -> Vec<usize>;

fn one_by_one(range: &SharedRange) -> Vec<usize> {
    range.into_iter().collect()
}

fn two(range: &SharedRange) -> Vec<usize> {
    range.into_iter().take(2).collect()
}

fn in_shares(range: &SharedRange) -> Vec<usize> {
    range.puller().collect()
}

/// Gives back what is left of the first share.
fn and_giving_back(range: &SharedRange) -> Vec<usize> {
    range.puller().take(1).collect()
}

/// Threads that pull at once, each in its way, get each number once; what they leave can be had after.
fn each_once<const N: usize>(preemptions: usize, end: usize, ways: [Way; N]) {
    check_bounded(preemptions, move || {
        let range = Arc::new(SharedRange::new(0..end));
        let [ours, others @ ..] = &ways[..] else { unreachable!() };
        let others: Vec<_> = others
            .iter()
            .map(|&way| {
                let range = range.clone();
                thread::spawn(move || way(&range))
            })
            .collect();
        let mut numbers = ours(&range);
        others.into_iter().for_each(|other| numbers.extend(other.join().unwrap()));
        let remaining = range.remaining();
        assert_eq!(remaining, end - numbers.len());
        numbers.extend(&*range);
        numbers.sort_unstable();
        assert!(numbers.iter().copied().eq(0..end), "{numbers:?}");
        assert_eq!(range.remaining(), 0);
    });
}

#[test]
fn next_racing_with_next() {
    each_once(2, 3, [one_by_one, one_by_one]);
    each_once(1, 4, [two, one_by_one, two]);
}

#[test]
fn a_puller_racing_with_next() {
    each_once(2, 5, [in_shares, one_by_one]);
}

#[test]
fn a_puller_racing_with_a_puller() {
    each_once(1, 5, [in_shares, in_shares]);
}

#[test]
fn giving_back_racing_with_next() {
    each_once(2, 9, [and_giving_back, one_by_one]);
    each_once(2, 9, [and_giving_back, two]);
}

#[test]
fn giving_back_racing_with_a_puller() {
    each_once(1, 9, [and_giving_back, in_shares]);
}

#[test]
fn giving_back_racing_with_giving_back() {
    each_once(1, 20, [and_giving_back, and_giving_back]);
    each_once(1, 20, [and_giving_back, and_giving_back, two]);
}

#[test]
fn taking_what_came_back_racing_with_taking_what_came_back() {
    check_bounded(2, || {
        let range = Arc::new(SharedRange::new(0..10));
        // Two numbers in a share, of which one comes back, twice: 1 and 3.
        let mut pullers = [range.puller(), range.puller()];
        let read: Vec<_> = pullers.iter_mut().map(|puller| puller.next().unwrap()).collect();
        drop(pullers);
        let theirs = range.clone();
        let other = thread::spawn(move || two(&theirs));
        let mut numbers = two(&range);
        numbers.extend(other.join().unwrap());
        numbers.extend(read);
        numbers.extend(&*range);
        numbers.sort_unstable();
        assert!(numbers.into_iter().eq(0..10));
    });
}

/// What is done before a puller is dropped in another thread is done: who knows of it finds what came back.
#[test]
fn who_is_ordered_after_giving_back_finds_what_came_back() {
    check_bounded(2, || {
        let range = Arc::new(SharedRange::new(0..4));
        let mut puller = range.puller();
        puller.next();
        let theirs = range.clone();
        let other = thread::spawn(move || theirs.puller().last());
        drop(puller);
        other.join().unwrap();
        let mut rest: Vec<_> = one_by_one(&range);
        rest.extend(in_shares(&range));
        assert_eq!(range.remaining(), 0);
        assert_eq!(range.next(), None);
    });
}

/// A lock would take two changes, and a wait a call.
#[test]
fn a_number_and_a_share_are_taken_by_one_change_without_a_lock() {
    check(|| {
        let range = SharedRange::new(0..100);
        let mut puller = range.puller();
        // Looks at what there is and what came back, and the change.
        assert_eq!(cost(|| assert_eq!(range.next(), Some(0))), (2, 0, 1));
        assert_eq!(cost(|| assert_eq!(puller.next(), Some(1))), (3, 0, 1));
        assert_eq!(cost(|| assert_eq!(puller.next(), Some(2))), (0, 0, 0));
        assert_eq!(calls(), Calls::default());
    });
}
