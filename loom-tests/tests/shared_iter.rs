//! The shared iterator: threads that pull, stop, panic and give back at once.

mod checking;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::time::Duration;

use checking::{Seen, Unprotected, check_bounded};
use futon_model::{Busy, SharedIter};
use loom::thread;

/// Counts to `end` and then ends, in one way or another, for good or not. Has no protection of its own.
struct Counter {
    at: Unprotected,
    end: u32,
    at_the_end: fn() -> Option<Item>,
}

/// A number that has been written down without protection too.
struct Item(Arc<Unprotected>);

impl Item {
    fn number(self) -> u32 {
        self.0.get()
    }
}

impl Iterator for Counter {
    type Item = Item;

    fn next(&mut self) -> Option<Item> {
        let at = self.at.get();
        self.at.add_one();
        if at == self.end {
            return (self.at_the_end)();
        }
        let item = Item(Arc::new(Unprotected::new(0)));
        item.0.set(at);
        Some(item)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        ((self.end - self.at.get().min(self.end)) as usize, None)
    }
}

type Shared = Arc<SharedIter<Counter>>;

/// Numbers up to `end`. Asked again after that it would give more of them.
fn counter(end: u32) -> Shared {
    Arc::new(SharedIter::new(Counter { at: Unprotected::new(0), end, at_the_end: || None }))
}

/// Numbers up to `end`, then a panic without the message of one. Asked again it would give more of them.
fn panicking(end: u32) -> Shared {
    let at_the_end = || resume_unwind(Box::new("on purpose"));
    Arc::new(SharedIter::new(Counter { at: Unprotected::new(0), end, at_the_end }))
}

/// Pulls in some way for a while.
type Way = fn(&Shared) -> Vec<u32>;

fn one(shared: &Shared) -> Vec<u32> {
    shared.next().into_iter().map(Item::number).collect()
}

fn two(shared: &Shared) -> Vec<u32> {
    [one(shared), one(shared)].concat()
}

fn all(shared: &Shared) -> Vec<u32> {
    shared.into_iter().map(Item::number).collect()
}

fn places(shared: &Shared) -> Vec<u32> {
    let mut all = Vec::new();
    while let Some((place, item)) = shared.next_indexed() {
        let number = item.number();
        assert_eq!(place, number as usize);
        all.push(number);
    }
    all
}

fn trying(shared: &Shared) -> Vec<u32> {
    shared.try_next().unwrap_or(None).into_iter().map(Item::number).collect()
}

fn with_a_timeout(shared: &Shared) -> Vec<u32> {
    shared.next_timeout(Duration::from_secs(1)).unwrap_or(None).into_iter().map(Item::number).collect()
}

fn a_chunk(shared: &Shared) -> Vec<u32> {
    let chunk: Vec<_> = shared.next_chunk(2).into_iter().map(Item::number).collect();
    chunk
}

fn by_a_puller(shared: &Shared) -> Vec<u32> {
    shared.puller().map(Item::number).collect()
}

/// One item, then two more of which one comes back.
fn and_giving_back(shared: &Shared) -> Vec<u32> {
    let mut puller = shared.puller();
    let mut all = Vec::new();
    for _ in 0..2 {
        if let Some((place, item)) = puller.next_indexed() {
            let number = item.number();
            assert_eq!(place, number as usize);
            all.push(number);
        }
    }
    all
}

/// What a way of pulling came to, whether the iterator panicked or not.
fn survive(way: Way, shared: &Shared) -> (Vec<u32>, usize) {
    match catch_unwind(AssertUnwindSafe(|| way(shared))) {
        Ok(numbers) => (numbers, 0),
        Err(panic) => {
            assert_eq!(panic.downcast_ref::<&str>(), Some(&"on purpose"));
            (Vec::new(), 1)
        }
    }
}

/// Threads pull at once, each in its way. Each item goes to one of them, or can be had afterwards.
///
/// Where the iterator panics, the ways must not hold any items at that time, which would be lost rightly.
fn each_once<const N: usize>(preemptions: usize, make: fn() -> Shared, ways: [Way; N]) {
    check_bounded(preemptions, move || {
        let shared = make();
        let [ours, others @ ..] = &ways[..] else { unreachable!() };
        let others: Vec<_> = others
            .iter()
            .map(|&way| {
                let shared = shared.clone();
                thread::spawn(move || survive(way, &shared))
            })
            .collect();
        let (mut numbers, mut panics) = survive(*ours, &shared);
        for other in others {
            let (theirs, panicked) = other.join().unwrap();
            numbers.extend(theirs);
            panics += panicked;
        }
        assert_eq!(shared.panicked().is_some(), panics == 1);
        assert_eq!(shared.waiters(), 0);
        let Some(shared) = Arc::into_inner(shared) else { unreachable!() };
        let (iter, leftovers) = shared.into_inner();
        let leftovers: Vec<_> = leftovers.into_iter().map(Item::number).collect();
        assert!(leftovers.is_sorted());
        numbers.extend(leftovers);
        numbers.sort_unstable();
        let given = iter.at.get().min(iter.end);
        assert!(numbers.iter().copied().eq(0..given), "{numbers:?} of {given}");
        assert!(iter.at.get() <= iter.end + 1, "called after its end");
    });
}

#[test]
fn next_racing_with_next() {
    each_once(2, || counter(2), [two, two]);
    each_once(1, || counter(2), [places, two]);
    each_once(1, || counter(2), [one, one, all]);
}

#[test]
fn try_next_racing_with_next() {
    each_once(2, || counter(2), [two, trying]);
}

#[test]
fn next_with_a_timeout_racing_with_next() {
    each_once(2, || counter(2), [two, with_a_timeout]);
    each_once(1, || counter(2), [with_a_timeout, with_a_timeout]);
}

#[test]
fn a_chunk_racing_with_next() {
    each_once(2, || counter(3), [a_chunk, two]);
    each_once(2, || counter(3), [a_chunk, a_chunk]);
}

#[test]
fn a_puller_racing_with_next() {
    each_once(1, || counter(3), [by_a_puller, two]);
    each_once(1, || counter(2), [by_a_puller, places]);
}

#[test]
fn a_puller_racing_with_a_puller() {
    each_once(1, || counter(3), [by_a_puller, by_a_puller]);
}

#[test]
fn the_end_racing_with_next() {
    each_once(2, || counter(0), [one, two]);
    each_once(1, || counter(1), [by_a_puller, two]);
}

#[test]
fn giving_back_racing_with_next() {
    each_once(1, || counter(3), [and_giving_back, two]);
    each_once(1, || counter(3), [and_giving_back, all]);
}

#[test]
fn giving_back_racing_with_a_puller() {
    each_once(1, || counter(4), [and_giving_back, by_a_puller]);
}

#[test]
fn giving_back_racing_with_a_chunk() {
    each_once(1, || counter(4), [and_giving_back, a_chunk]);
}

#[test]
fn giving_back_racing_with_giving_back() {
    each_once(1, || counter(6), [and_giving_back, and_giving_back]);
}

/// The first puller that takes two items at once, with one of them unread.
fn give_one_back(shared: &Shared, read: &mut Vec<u32>) {
    let mut puller = shared.puller();
    read.extend(puller.next().map(Item::number));
    read.extend(puller.next().map(Item::number));
}

#[test]
fn taking_what_came_back_racing_with_taking_what_came_back() {
    let takes: [[Way; 2]; 3] = [[one, one], [one, by_a_puller], [by_a_puller, a_chunk]];
    for [ours, theirs] in takes {
        check_bounded(1, move || {
            let shared = counter(6);
            let mut numbers = Vec::new();
            give_one_back(&shared, &mut numbers);
            give_one_back(&shared, &mut numbers);
            let other = shared.clone();
            let other = thread::spawn(move || theirs(&other));
            numbers.extend(ours(&shared));
            numbers.extend(other.join().unwrap());
            numbers.extend(all(&shared));
            numbers.sort_unstable();
            assert!(numbers.iter().copied().eq(0..6), "{numbers:?}");
            // No more is counted than is there, nor less.
            assert_eq!(shared.size_hint(), (0, Some(0)));
            assert!(shared.next().is_none());
        });
    }
}

/// Who knows that a puller is gone finds what it has given back.
#[test]
fn who_is_ordered_after_giving_back_finds_what_came_back() {
    check_bounded(2, || {
        let shared = counter(4);
        let theirs = shared.clone();
        let other = thread::spawn(move || and_giving_back(&theirs));
        let mut numbers = one(&shared);
        numbers.extend(other.join().unwrap());
        numbers.extend(all(&shared));
        numbers.sort_unstable();
        assert_eq!(numbers, [0, 1, 2, 3]);
    });
}

#[test]
fn a_panic_racing_with_next() {
    each_once(2, || panicking(0), [one, one]);
    each_once(2, || panicking(1), [one, one]);
    each_once(1, || panicking(0), [one, one, one]);
}

#[test]
fn a_panic_in_a_chunk_racing_with_next() {
    each_once(2, || panicking(1), [a_chunk, one]);
    each_once(2, || panicking(1), [a_chunk, by_one_puller]);
    each_once(2, || panicking(2), [a_chunk, a_chunk]);
}

/// One item, with the rest of its chunk given back.
fn by_one_puller(shared: &Shared) -> Vec<u32> {
    shared.puller().next().map(Item::number).into_iter().collect()
}

#[test]
fn a_thread_that_sees_the_end_because_of_a_panic_sees_why_and_what_came_back() {
    static SEEN: Seen<(bool, u32)> = Seen::new();
    check_bounded(2, || {
        // The chunk panics after one item, which goes to the other thread, be it before the panic, after
        // it, or in between.
        let shared = panicking(1);
        let theirs = shared.clone();
        let other = thread::spawn(move || survive(a_chunk, &theirs).1);
        let (numbers, panics) = survive(all_kept, &shared);
        let known = shared.panicked().is_some();
        assert!(known, "the end, and nobody knows why");
        assert_eq!(panics + other.join().unwrap(), 1);
        SEEN.add((panics == 1, numbers.iter().sum::<u32>() + numbers.len() as u32));
    });
    SEEN.assert_is([(true, 0), (false, 1)]);
}

/// One after the other, until the end. Holds nothing while the iterator is called but what it read.
fn all_kept(shared: &Shared) -> Vec<u32> {
    let first = one(shared);
    if first.is_empty() {
        return first;
    }
    match catch_unwind(AssertUnwindSafe(|| one(shared))) {
        Ok(second) => assert!(second.is_empty()),
        Err(panic) => resume_unwind(panic),
    }
    first
}

/// That another thread is inside, or was there before, is no reason to take this one for the iterator.
#[test]
fn a_thread_that_was_inside_racing_with_one_that_is() {
    check_bounded(2, || {
        let shared = counter(4);
        let theirs = shared.clone();
        let other = thread::spawn(move || two(&theirs));
        let ours = two(&shared);
        assert_eq!((ours.len(), other.join().unwrap().len()), (2, 2));
        assert_eq!(shared.panicked(), None);
    });
}

#[test]
fn stop_racing_with_next() {
    static SEEN: Seen<(usize, u32)> = Seen::new();
    check_bounded(2, || {
        let shared = counter(9);
        let before = Arc::new(Unprotected::new(0));
        let (theirs, written) = (shared.clone(), before.clone());
        let other = thread::spawn(move || {
            written.set(7);
            theirs.stop();
        });
        let read = two(&shared);
        if read.len() < 2 {
            // The end, and nothing but `stop` can be the reason.
            assert_eq!(before.get(), 7);
        }
        assert!(shared.next_timeout(Duration::ZERO) != Err(Busy));
        other.join().unwrap();
        assert!(shared.next().is_none());
        let Some(shared) = Arc::into_inner(shared) else { unreachable!() };
        let (iter, leftovers) = shared.into_inner();
        assert!(leftovers.is_empty());
        SEEN.add((read.len(), iter.at.get().min(3)));
    });
    SEEN.assert_is([(0, 0), (1, 1), (2, 2), (2, 3)]);
}

impl PartialEq for Item {
    fn eq(&self, other: &Self) -> bool {
        self.0.get() == other.0.get()
    }
}

#[test]
fn stop_racing_with_every_way_to_pull() {
    let ways: [Way; 3] = [a_chunk, by_one_puller, with_a_timeout];
    for way in ways {
        check_bounded(2, move || {
            let shared = counter(9);
            let before = Arc::new(Unprotected::new(0));
            let (theirs, written) = (shared.clone(), before.clone());
            let other = thread::spawn(move || {
                written.set(7);
                theirs.stop();
            });
            if way(&shared).is_empty() {
                assert_eq!(before.get(), 7);
            }
            other.join().unwrap();
            assert!(way(&shared).is_empty());
        });
    }
}

#[test]
fn stop_racing_with_a_thread_that_waits() {
    check_bounded(2, || {
        let shared = counter(9);
        let threads = [(); 2].map(|()| {
            let shared = shared.clone();
            thread::spawn(move || one(&shared).len())
        });
        shared.stop();
        let got: usize = threads.map(|thread| thread.join().unwrap()).into_iter().sum();
        let Some(shared) = Arc::into_inner(shared) else { unreachable!() };
        assert_eq!(shared.into_inner().0.at.get() as usize, got);
    });
}

#[test]
fn the_size_hint_racing_with_next() {
    check_bounded(2, || {
        let shared = counter(2);
        let theirs = shared.clone();
        let other = thread::spawn(move || one(&theirs).len());
        let before = shared.size_hint().0;
        assert_eq!(one(&shared).len() + other.join().unwrap(), 2);
        assert!((1..=2).contains(&before));
        assert_eq!(shared.size_hint().0, 0);
    });
}
