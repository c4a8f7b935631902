//! The parallel map: each item is mapped once, and its result handed out or left, whoever works, asks, panics and stops.

pub mod scoped;
pub mod shared;

use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering::Relaxed};

use futon::Leftovers;

use crate::crew::planned_panic;
use crate::random::Random;

/// In a box, so that no memory checker overlooks one that is lost or doubled.
type Item = Box<usize>;

/// What somebody saw of each item, by its place.
#[derive(Debug)]
struct Places(Vec<AtomicU32>);

impl Places {
    fn new(count: usize) -> Self {
        Self((0..count).map(|_| AtomicU32::new(0)).collect())
    }

    fn see(&self, place: usize) {
        assert_eq!(self.0[place].fetch_add(1, Relaxed), 0, "item {place} has come before");
    }

    fn has(&self, place: usize) -> bool {
        self.0[place].load(Relaxed) == 1
    }
}

/// Numbers up to an end, or to a panic.
#[derive(Debug)]
struct Source {
    next: usize,
    end: usize,
    panics_at: Option<usize>,
    has_ended: bool,
    has_panicked: bool,
    in_flight: usize,
    /// How many results have been asked for. May be too high for a moment.
    asked: Arc<AtomicUsize>,
    random: Random,
}

impl Source {
    fn new(end: usize, in_flight: usize, random: &mut Random) -> Self {
        let panics_at = perhaps_below(end, random);
        let (asked, random) = (Arc::default(), Random::of(&[random.next()]));
        let (has_ended, has_panicked) = (false, false);
        Self { next: 0, end, panics_at, has_ended, has_panicked, in_flight, asked, random }
    }
}

impl Iterator for Source {
    type Item = Item;

    fn next(&mut self) -> Option<Item> {
        assert!(!self.has_ended, "it has ended, and is not to be called any more");
        assert!(self.next < self.asked.load(Relaxed) + self.in_flight, "too far ahead");
        if self.panics_at == Some(self.next) {
            (self.has_ended, self.has_panicked) = (true, true);
            resume_unwind(planned_panic());
        }
        if self.next == self.end {
            self.has_ended = true;
            return None;
        }
        busy(&mut self.random);
        self.next += 1;
        Some(Box::new(self.next - 1))
    }
}

/// What maps: each item once, and one of them, perhaps, with a panic.
#[derive(Clone, Debug)]
struct Function {
    mapped: Arc<Places>,
    panics_at: Option<usize>,
    seed: u64,
}

impl Function {
    fn new(end: usize, random: &mut Random) -> Self {
        let mapped = Arc::new(Places::new(end));
        Self { mapped, panics_at: perhaps_below(end, random), seed: random.next() }
    }

    fn call(&self, item: Item) -> Item {
        self.mapped.see(*item);
        busy(&mut Random::of(&[self.seed, *item as u64]));
        if self.panics_at == Some(*item) {
            resume_unwind(planned_panic());
        }
        item
    }

    fn has_panicked(&self) -> bool {
        self.panics_at.is_some_and(|place| self.mapped.has(place))
    }

    /// Each item was handed out, or is left, mapped or not, or has panicked.
    fn check(&self, handed_out: &Places, panics: usize, left: Leftovers<Source, Item>) {
        let Leftovers { iter, items, results, panic, .. } = left;
        for (place, item) in &items {
            assert_eq!(place, &**item);
            assert!(!self.mapped.has(*place), "item {place} was mapped and given back");
            handed_out.see(*place);
        }
        for (place, result) in &results {
            assert_eq!(place, &**result);
            handed_out.see(*place);
        }
        assert!(items.is_sorted());
        let with_panic = self.panics_at.filter(|_| self.has_panicked());
        with_panic.into_iter().for_each(|place| handed_out.see(place));
        let given = (0..iter.next).find(|place| !handed_out.has(*place));
        assert_eq!(given, None, "an item was lost");
        assert!((iter.next..iter.end).all(|place| !handed_out.has(place)));

        let has_panicked = iter.has_panicked || with_panic.is_some();
        assert!(panics <= usize::from(has_panicked), "{panics} panics");
        assert_eq!(panic.is_some(), has_panicked && panics == 0);
    }
}

/// A place, now and then.
fn perhaps_below(end: usize, random: &mut Random) -> Option<usize> {
    let place = random.below(end as u32 + 1) as usize;
    Some(place).filter(|place| *place < end && random.one_in(4))
}

/// Works for a while, or waits.
fn busy(random: &mut Random) {
    match random.below(32) {
        0 => std::thread::yield_now(),
        1..=4 => (0..random.below(1000)).for_each(|_| std::hint::spin_loop()),
        _ => {}
    }
}
