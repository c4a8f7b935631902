//! The queue: each item that was put in is got, handed back or left, once, also where comparisons panic.

use std::cmp::Ordering;
use std::collections::VecDeque;
use std::fmt::Debug;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering::Relaxed};

use futon::{Closed, Container, GetError, Lock, MinHeap, PutError, Queue};

use super::Subject;
use crate::board::Doing;
use crate::crew::{Hand, planned_panic};
use crate::random::Random;

/// A number in a box, so that no memory checker overlooks one that is lost or doubled. Some of its comparisons panic.
#[derive(Debug, PartialEq, Eq)]
struct Item {
    number: Box<usize>,
    /// Every so many of them, which is more than it takes to find a place for it; 0 for none.
    panics_at: u32,
    comparisons: AtomicComparisons,
}

/// How often an item was compared. No part of what it is.
#[derive(Debug, Default)]
struct AtomicComparisons(AtomicU32);

impl PartialEq for AtomicComparisons {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for AtomicComparisons {}

impl Ord for Item {
    fn cmp(&self, other: &Self) -> Ordering {
        let comparisons = self.comparisons.0.fetch_add(1, Relaxed) + 1;
        if self.panics_at > 0 && comparisons % self.panics_at == 0 {
            resume_unwind(planned_panic());
        }
        self.number.cmp(&other.number)
    }
}

impl PartialOrd for Item {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Items that any thread puts in and any gets out.
#[derive(Debug)]
struct Items<C: Container<Item> + Debug> {
    queue: Queue<Item, C>,
    /// The number of the next item.
    next: AtomicUsize,
    /// How often each number has come out, or back to where it came from.
    seen: Vec<AtomicU32>,
    panics_at: u32,
    handed_back: Lock<Option<C>>,
}

/// With one container or the other.
pub fn items(random: &mut Random, threads: usize, steps: u32) -> Box<dyn Subject> {
    match random.below(3) {
        0 => Box::new(Items::<VecDeque<_>>::new(random, threads, steps)),
        1 => Box::new(Items::<Vec<_>>::new(random, threads, steps)),
        _ => Box::new(Items::<MinHeap<_>>::new(random, threads, steps)),
    }
}

impl<C: Container<Item> + Default + Debug> Items<C> {
    fn new(random: &mut Random, threads: usize, steps: u32) -> Self {
        let queue = match [0, 1, 2, 16, usize::MAX][random.below(5) as usize] {
            usize::MAX => Queue::with_container(C::default()),
            capacity => Queue::bounded_with_container(capacity, C::default()),
        };
        Self {
            queue,
            next: AtomicUsize::new(0),
            seen: (0..threads * steps as usize).map(|_| AtomicU32::new(0)).collect(),
            panics_at: if random.one_in(2) { 30 + random.below(100) } else { 0 },
            handed_back: Lock::new(None),
        }
    }

    fn see(&self, item: Item) {
        let number = *item.number;
        assert_eq!(self.seen[number].fetch_add(1, Relaxed), 0, "item {number} has come before");
    }

    fn put(&self, hand: &mut Hand<'_, '_>) {
        let number = Box::new(self.next.fetch_add(1, Relaxed));
        let item = Item { number, panics_at: self.panics_at, comparisons: Default::default() };
        let queue = &self.queue;
        let way = if hand.is_driver() { hand.random.below(3) } else { hand.random.below(4) };
        // Closed is no reason to have waited for so long. Who finds it so has the item back.
        let closed = |error| match error {
            PutError::Closed(item) => Ok(Some(item)),
            PutError::Full(item) => Err(item),
        };
        let put = || match way {
            0 => hand.run(Doing::TryPut, || queue.try_put(item).map(|()| None).or_else(closed)),
            1 => hand.within(Doing::PutTimeout, |time| {
                queue.put_timeout(item, time).map(|()| None).or_else(closed)
            }),
            2 => hand.until(Doing::PutDeadline, |at| {
                queue.put_deadline(item, at).map(|()| None).or_else(closed)
            }),
            _ => Ok(hand.run(Doing::Put, || queue.put(item)).err().map(Closed::into_inner)),
        };
        // Should it panic, the item is in nevertheless.
        match put() {
            Ok(None) => {}
            Ok(Some(item)) => {
                assert!(queue.is_closed());
                self.see(item);
            }
            Err(item) => self.see(item),
        }
    }

    fn get(&self, hand: &mut Hand<'_, '_>) {
        let queue = &self.queue;
        let way = if hand.is_driver() { hand.random.below(3) } else { hand.random.below(4) };
        let closed = |error| match error {
            GetError::Closed => Ok(None),
            GetError::Empty => Err(()),
        };
        let item = match way {
            0 => hand.run(Doing::TryGet, || queue.try_get().map(Some).or_else(closed)),
            1 => {
                hand.within(Doing::GetTimeout, |time| queue.get_timeout(time).map(Some).or_else(closed))
            }
            2 => hand.until(Doing::GetDeadline, |at| queue.get_deadline(at).map(Some).or_else(closed)),
            _ => Ok(hand.run(Doing::Get, || queue.get()).ok()),
        };
        match item {
            Ok(Some(item)) => {
                self.see(item);
                hand.pause();
                queue.task_done().expect("one was got");
                hand.perhaps_panic();
            }
            Ok(None) => assert!(queue.is_closed()),
            Err(()) => {}
        }
    }

    fn join(&self, hand: &mut Hand<'_, '_>) {
        let queue = &self.queue;
        match hand.random.below(3) {
            0 => _ = hand.within(Doing::JoinTimeout, |time| queue.join_timeout(time)),
            1 => _ = hand.until(Doing::JoinDeadline, |at| queue.join_deadline(at)),
            _ if hand.is_driver() => assert!(queue.waiters() <= self.seen.len()),
            _ => hand.run(Doing::Join, || queue.join()),
        }
    }
}

impl<C: Container<Item> + Default + Debug + Send> Subject for Items<C> {
    fn step<'env>(&'env self, hand: &mut Hand<'_, 'env>) {
        match hand.random.below(20) {
            0..=8 => self.put(hand),
            9..=17 => self.get(hand),
            _ => self.join(hand),
        }
    }

    fn close(&self) {
        *self.handed_back.acquire() = Some(self.queue.close_now());
    }

    fn check(self: Box<Self>) {
        assert_eq!(self.queue.waiters(), 0);
        assert!(self.queue.is_closed() && self.queue.is_empty());
        assert!(self.queue.task_done().is_err(), "all that was got is done");
        let mut rest = self.handed_back.acquire().take().expect("it was closed");
        while rest.len() > 0 {
            // A comparison may panic here, too.
            if let Ok(item) = catch_unwind(AssertUnwindSafe(|| rest.pop())) {
                self.see(item.expect("there is one"));
            }
        }
        let count = self.next.load(Relaxed);
        let wrong = self.seen[..count].iter().position(|seen| seen.load(Relaxed) != 1);
        assert_eq!(wrong, None, "an item was lost");
    }
}
