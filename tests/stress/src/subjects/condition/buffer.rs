//! A bounded buffer: all that is put in comes out, and nobody is forgotten.
//!
//! Nothing is ever closed here: a notification that is lost leaves its thread waiting for ever.

use std::ops::Deref;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering::Relaxed};

use futon::{Condition, WaitGuard};

use super::{Door, Inside};
use crate::board::Doing;
use crate::crew::Hand;
use crate::random::Random;
use crate::subjects::{Pair, Subject};

/// Places with even numbers put items in, those after them take items out, as many.
#[derive(Debug)]
pub struct Buffer {
    door: Door<Ring>,
    is_not_empty: Condition,
    is_not_full: Condition,
    threads: usize,
    /// The number of the next item.
    next: AtomicUsize,
    /// How often each item has come out.
    seen: Vec<AtomicU32>,
}

#[derive(Debug, Default)]
struct Ring {
    pair: Pair,
    items: Vec<AtomicUsize>,
    first: AtomicUsize,
    count: AtomicUsize,
}

impl Ring {
    fn is_full(&self) -> bool {
        self.count.load(Relaxed) == self.items.len()
    }

    fn is_empty(&self) -> bool {
        self.count.load(Relaxed) == 0
    }

    fn put(&self, item: usize) {
        let (first, count) = (self.first.load(Relaxed), self.count.load(Relaxed));
        assert!(count < self.items.len());
        self.items[(first + count) % self.items.len()].store(item, Relaxed);
        self.count.store(count + 1, Relaxed);
    }

    fn take(&self) -> usize {
        let (first, count) = (self.first.load(Relaxed), self.count.load(Relaxed));
        self.first.store((first + 1) % self.items.len(), Relaxed);
        self.count.store(count.checked_sub(1).expect("it is not empty"), Relaxed);
        self.items[first].load(Relaxed)
    }
}

impl Buffer {
    pub fn new(random: &mut Random, threads: usize, steps: u32) -> Self {
        let items = (0..1 + random.below(4)).map(|_| AtomicUsize::new(0)).collect();
        Self {
            door: Door::new(random, Ring { items, ..Ring::default() }),
            is_not_empty: Condition::new(),
            is_not_full: Condition::new(),
            threads,
            next: AtomicUsize::new(0),
            seen: (0..threads / 2 * steps as usize).map(|_| AtomicU32::new(0)).collect(),
        }
    }
}

/// Waits in a random way until it does not hold any more.
fn wait_while<G: WaitGuard + Deref<Target = Ring>>(
    condition: &Condition,
    guard: &mut G,
    hand: &mut Hand<'_, '_>,
    holds: fn(&Ring) -> bool,
) {
    while holds(guard) {
        match hand.random.below(8) {
            0..=1 => hand.run(Doing::WaitWhile, || condition.wait_while(guard, holds)),
            2..=3 => hand.run(Doing::Wait, || condition.wait(guard)),
            4..=5 => {
                _ = hand.within(Doing::WaitTimeoutWhile, |time| {
                    condition.wait_timeout_while(guard, time, holds)
                })
            }
            6 => _ = hand.within(Doing::WaitTimeout, |time| condition.wait_timeout(guard, time)),
            _ => _ = hand.until(Doing::WaitDeadline, |at| condition.wait_deadline(guard, at)),
        }
    }
}

struct Put<'a>(&'a Buffer);

impl Inside<Ring> for Put<'_> {
    fn run<G: WaitGuard + Deref<Target = Ring>>(&self, guard: &mut G, hand: &mut Hand<'_, '_>) {
        let Self(buffer) = self;
        wait_while(&buffer.is_not_full, guard, hand, Ring::is_full);
        guard.pair.count(hand);
        guard.put(buffer.next.fetch_add(1, Relaxed));
        hand.run(Doing::Notify, || buffer.is_not_empty.notify_one());
        hand.perhaps_panic();
    }
}

struct Take<'a>(&'a Buffer);

impl Inside<Ring> for Take<'_> {
    fn run<G: WaitGuard + Deref<Target = Ring>>(&self, guard: &mut G, hand: &mut Hand<'_, '_>) {
        let Self(buffer) = self;
        wait_while(&buffer.is_not_empty, guard, hand, Ring::is_empty);
        guard.pair.count(hand);
        buffer.seen[guard.take()].fetch_add(1, Relaxed);
        hand.run(Doing::Notify, || buffer.is_not_full.notify_one());
        hand.perhaps_panic();
    }
}

impl Subject for Buffer {
    fn step<'env>(&'env self, hand: &mut Hand<'_, 'env>) {
        if hand.place % 2 == 1 {
            self.door.enter(hand, &Take(self));
        } else if hand.place + 1 < self.threads {
            self.door.enter(hand, &Put(self));
        }
    }

    fn check(self: Box<Self>) {
        let wrong = self.seen.iter().position(|times| times.load(Relaxed) != 1);
        assert_eq!(wrong, None, "an item was lost, or came out more than once");
        assert_eq!((self.is_not_empty.waiters(), self.is_not_full.waiters()), (0, 0));
        self.door.assert_is_left();
        assert!(self.door.with(Ring::is_empty));
    }
}
