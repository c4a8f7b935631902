//! The shared iterator: each item for exactly one, also where pullers are dropped and the iterator panics.

use std::iter;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use futon::SharedIter;

use super::{Pair, Subject};
use crate::board::Doing;
use crate::crew::{Hand, planned_panic};
use crate::random::Random;

/// Numbers, each in a box so that no memory checker overlooks one that is lost or doubled.
#[derive(Debug)]
pub struct Items {
    shared: SharedIter<Source>,
    /// How often each number has come.
    seen: Vec<AtomicU32>,
    may_stop: bool,
}

#[derive(Debug)]
struct Source {
    next: usize,
    end: usize,
    panics_at: Option<usize>,
    has_ended: bool,
    pair: Pair,
    random: Random,
}

impl Iterator for Source {
    type Item = Box<usize>;

    fn next(&mut self) -> Option<Box<usize>> {
        assert!(!self.has_ended, "it has ended, and is not to be called any more");
        assert_eq!(self.pair.number(), self.next as u64);
        if self.panics_at == Some(self.next) {
            self.has_ended = true;
            resume_unwind(planned_panic());
        }
        if self.next == self.end {
            self.has_ended = true;
            return None;
        }
        self.next += 1;
        self.pair.first.store(self.next as u64, Relaxed);
        if self.random.one_in(16) {
            match self.random.one_in(4) {
                true => std::thread::yield_now(),
                false => (0..self.random.below(500)).for_each(|_| std::hint::spin_loop()),
            }
        }
        self.pair.second.store(self.next as u64, Relaxed);
        Some(Box::new(self.next - 1))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (0, Some(self.end - self.next))
    }
}

impl Items {
    pub fn new(random: &mut Random, threads: usize, steps: u32) -> Self {
        let end = threads * steps as usize * (1 + random.below(8) as usize);
        let panics_at = random.one_in(3).then(|| random.below(end as u32) as usize);
        let (pair, random_of_its_own) = (Pair::default(), Random::of(&[random.next()]));
        let source =
            Source { next: 0, end, panics_at, has_ended: false, pair, random: random_of_its_own };
        Self {
            shared: SharedIter::new(source),
            seen: (0..end).map(|_| AtomicU32::new(0)).collect(),
            may_stop: random.one_in(4),
        }
    }

    fn see(&self, item: Box<usize>) {
        assert_eq!(self.seen[*item].fetch_add(1, Relaxed), 0, "item {item} has come before");
    }

    fn pull(&self, hand: &mut Hand<'_, '_>) {
        let mut items = hand.run(Doing::Puller, || self.shared.puller());
        let mut last = None;
        for _ in 0..hand.random.below(100) {
            let Some((index, item)) = hand.run(Doing::Puller, || items.next_indexed()) else { break };
            assert_eq!(index, *item);
            assert_ne!(last.replace(index), Some(index));
            self.see(item);
            if hand.random.one_in(20) {
                hand.pause();
                hand.perhaps_panic();
            }
        }
        hand.run(Doing::Puller, || drop(items));
    }
}

impl Subject for Items {
    fn step<'env>(&'env self, hand: &mut Hand<'_, 'env>) {
        let shared = &self.shared;
        let item = match hand.random.below(8) {
            0 => hand.run(Doing::Next, || shared.next()),
            1 => hand.run(Doing::Next, || shared.next_indexed()).map(|(index, item)| {
                assert_eq!(index, *item);
                item
            }),
            2 => hand.run(Doing::TryNext, || shared.try_next()).unwrap_or(None),
            3 => hand.within(Doing::NextTimeout, |time| shared.next_timeout(time)).unwrap_or(None),
            4 => hand.until(Doing::NextDeadline, |at| shared.next_deadline(at)).unwrap_or(None),
            5 => {
                let count = hand.random.below(8) as usize;
                let items = hand.run(Doing::NextChunk, || shared.next_chunk(count));
                assert!(items.len() <= count);
                return items.into_iter().for_each(|item| self.see(item));
            }
            6 if hand.random.one_in(8) => {
                let (_, high) = hand.run(Doing::SizeHint, || shared.size_hint());
                assert!(high.is_none_or(|high| high <= self.seen.len()));
                None
            }
            6 if self.may_stop && hand.random.one_in(100) => {
                hand.run(Doing::Stop, || shared.stop());
                assert_eq!(shared.next(), None);
                None
            }
            _ => return self.pull(hand),
        };
        item.into_iter().for_each(|item| self.see(item));
    }

    fn check(self: Box<Self>) {
        let Self { shared, seen, .. } = *self;
        assert_eq!(shared.waiters(), 0);
        let has_panicked = shared.panicked().is_some();
        let (source, leftovers) = shared.into_inner();
        assert_eq!(has_panicked, source.has_ended && source.panics_at == Some(source.next));
        for item in &leftovers {
            assert_eq!(seen[**item].fetch_add(1, Relaxed), 0, "item {item} was used and given back");
        }
        assert!(leftovers.is_sorted(), "in the order in which they came");
        let times = iter::repeat_n(1, source.next).chain(iter::repeat(0));
        let wrong = seen.iter().zip(times).position(|(seen, times)| seen.load(Relaxed) != times);
        assert_eq!(wrong, None, "an item was lost");
    }
}
