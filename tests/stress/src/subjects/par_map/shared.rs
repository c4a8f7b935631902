//! One map that some threads work for, and others ask.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use futon::ParMap;

use super::{Function, Item, Places, Source};
use crate::board::Doing;
use crate::crew::Hand;
use crate::random::Random;
use crate::subjects::Subject;

type Map = ParMap<Source, Box<dyn Fn(Item) -> Item + Send + Sync>, Item>;

#[derive(Debug)]
pub struct Shared {
    map: Map,
    function: Function,
    is_in_order: bool,
    is_canceled: bool,
    may_stop: bool,
    asked: Arc<AtomicUsize>,
    handed_out: Places,
    /// How many threads a panic of the function or the iterator has come to.
    panics: AtomicUsize,
}

impl Shared {
    pub fn new(random: &mut Random, threads: usize, steps: u32) -> Self {
        let end = threads * steps as usize * (1 + random.below(8) as usize);
        let in_flight = 1 + random.below(20) as usize;
        let function = Function::new(end, random);
        let source = Source::new(end, in_flight, random);
        let asked = source.asked.clone();
        let theirs = function.clone();
        let map = Map::new(source, in_flight, Box::new(move |item| theirs.call(item)));
        let map = map.chunk(if random.one_in(2) { 1 } else { 1 + random.below(9) as usize });
        let is_in_order = !random.one_in(3);
        Self {
            map: if is_in_order { map } else { map.unordered() },
            function,
            is_in_order,
            is_canceled: random.one_in(2),
            may_stop: random.one_in(4),
            asked,
            handed_out: Places::new(end),
            panics: AtomicUsize::new(0),
        }
    }

    /// One result, or `Err` if it is not there in time.
    fn next(&self, hand: &mut Hand<'_, '_>) -> Result<Option<Item>, ()> {
        self.asked.fetch_add(1, Relaxed);
        let result = catch_unwind(AssertUnwindSafe(|| match hand.random.below(8) {
            0 => hand.run(Doing::TryNext, || self.map.try_next()),
            1 => hand.within(Doing::NextTimeout, |time| self.map.next_timeout(time)),
            2 => hand.until(Doing::NextDeadline, |at| self.map.next_deadline(at)),
            _ => Ok(hand.run(Doing::Next, || self.map.next())),
        }));
        match result {
            Ok(Err(_)) => {
                self.asked.fetch_sub(1, Relaxed);
                Err(())
            }
            Ok(Ok(item)) => Ok(item),
            Err(panic) => {
                self.panics.fetch_add(1, Relaxed);
                resume_unwind(panic)
            }
        }
    }

    fn ask(&self, hand: &mut Hand<'_, '_>) {
        let mut last = None;
        for _ in 0..hand.random.below(30) {
            match self.next(hand) {
                Ok(None) => return,
                Ok(Some(item)) => {
                    self.handed_out.see(*item);
                    let before = last.replace(*item);
                    assert!(!self.is_in_order || before < last);
                }
                Err(()) => {}
            }
            if hand.random.one_in(20) {
                hand.pause();
                hand.perhaps_panic();
            }
        }
    }
}

impl Subject for Shared {
    fn step<'env>(&'env self, hand: &mut Hand<'_, 'env>) {
        match hand.random.below(16) {
            0..=2 if !hand.is_driver() => hand.run(Doing::Work, || self.map.work()),
            3 if self.may_stop && hand.random.one_in(100) => hand.run(Doing::Stop, || self.map.stop()),
            4 if self.may_stop && hand.random.one_in(100) => {
                hand.run(Doing::Cancel, || self.map.cancel());
            }
            _ => self.ask(hand),
        }
    }

    fn close(&self) {
        match self.is_canceled {
            true => self.map.cancel(),
            false => self.map.stop(),
        }
    }

    fn check(self: Box<Self>) {
        assert_eq!((self.map.workers(), self.map.waiters()), (0, 0));
        let panics = self.panics.into_inner();
        if self.is_in_order {
            let count = self.handed_out.0.iter().filter(|seen| seen.load(Relaxed) == 1).count();
            assert!((0..count).all(|place| self.handed_out.has(place)), "without a gap");
        }
        self.function.check(&self.handed_out, panics, self.map.into_inner());
    }
}
