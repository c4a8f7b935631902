//! The event: a flag that goes up and down, one that is up for a moment only, and a token that goes round.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::thread;
use std::time::Duration;

use futon::Event;

use super::{Pair, Subject};
use crate::board::Doing;
use crate::crew::Hand;

/// One event, which the drivers set and clear, and for which the others wait.
#[derive(Debug, Default)]
pub struct Flag {
    event: Event,
    /// How often it has been set, or is being set.
    sets: AtomicU64,
    /// It has been set for good.
    is_closed: AtomicBool,
}

impl Flag {
    fn wait(&self, hand: &mut Hand<'_, '_>) {
        let is_closed = self.is_closed.load(SeqCst);
        let kind = if hand.is_driver() { 2 + hand.random.below(2) } else { hand.random.below(4) };
        let was_set = match kind {
            0..=1 => hand.run(Doing::Wait, || {
                self.event.wait();
                true
            }),
            2 => hand.within(Doing::WaitTimeout, |time| self.event.wait_timeout(time)),
            _ => hand.until(Doing::WaitDeadline, |at| self.event.wait_deadline(at)),
        };
        assert!(!was_set || self.sets.load(SeqCst) > 0, "nobody has set it");
        assert!(was_set || !is_closed, "it was set all the time");
    }
}

impl Subject for Flag {
    fn step<'env>(&'env self, hand: &mut Hand<'_, 'env>) {
        if !hand.is_driver() || hand.random.one_in(4) {
            return self.wait(hand);
        }
        if hand.random.one_in(2) {
            self.sets.fetch_add(1, SeqCst);
            hand.run(Doing::Set, || self.event.set());
        } else {
            hand.run(Doing::Clear, || self.event.clear());
        }
        hand.pause();
    }

    fn close(&self) {
        self.sets.fetch_add(1, SeqCst);
        self.event.set();
        self.is_closed.store(true, SeqCst);
    }

    fn check(self: Box<Self>) {
        assert!(self.event.is_set());
        assert_eq!(self.event.waiters(), 0);
    }
}

/// As many events as threads. Each thread waits for its own, and sets that of the next.
#[derive(Debug)]
pub struct Relay {
    events: Vec<Event>,
    pair: Pair,
    hops: u64,
}

impl Relay {
    pub fn new(threads: usize, steps: u32) -> Self {
        let events: Vec<Event> = (0..threads).map(|_| Event::new()).collect();
        events[0].set();
        Self { events, pair: Pair::default(), hops: threads as u64 * u64::from(steps) }
    }
}

impl Subject for Relay {
    fn step<'env>(&'env self, hand: &mut Hand<'_, 'env>) {
        let mine = &self.events[hand.place];
        loop {
            let has_come = match hand.random.below(4) {
                0..=1 => hand.run(Doing::Wait, || {
                    mine.wait();
                    true
                }),
                2 => hand.within(Doing::WaitTimeout, |time| mine.wait_timeout(time)),
                _ => hand.until(Doing::WaitDeadline, |at| mine.wait_deadline(at)),
            };
            if has_come {
                break;
            }
        }
        assert!(mine.is_set(), "only this thread clears it");
        hand.run(Doing::Clear, || mine.clear());
        self.pair.count(hand);
        let next = &self.events[(hand.place + 1) % self.events.len()];
        hand.run(Doing::Set, || next.set());
        hand.perhaps_panic();
    }

    fn check(self: Box<Self>) {
        assert_eq!(self.pair.number(), self.hops);
        let set: Vec<bool> = self.events.iter().map(Event::is_set).collect();
        assert!(set[0] && !set[1..].contains(&true), "the token is where it began: {set:?}");
        assert!(self.events.iter().all(|event| event.waiters() == 0));
    }
}

/// One event, which the first thread sets and clears at once when all the others wait. That has to release each
/// of them, once.
#[derive(Debug)]
pub struct Pulse {
    event: Event,
    others: u64,
    released: AtomicU64,
    pulses: AtomicU64,
    cleared: AtomicU64,
}

impl Pulse {
    pub fn new(threads: usize) -> Self {
        let [released, pulses, cleared] = [const { AtomicU64::new(0) }; 3];
        Self { event: Event::new(), others: threads as u64 - 1, released, pulses, cleared }
    }
}

impl Subject for Pulse {
    fn step<'env>(&'env self, hand: &mut Hand<'_, 'env>) {
        if hand.place > 0 {
            match hand.random.one_in(2) {
                true => hand.run(Doing::Wait, || self.event.wait()),
                false => assert!(hand.run(Doing::WaitTimeout, || {
                    self.event.wait_timeout(Duration::from_secs(3600))
                })),
            }
            // Or it would find the same pulse again. The next one does not begin without this thread.
            while self.cleared.load(SeqCst) < self.pulses.load(SeqCst) {
                thread::yield_now();
            }
            self.released.fetch_add(1, SeqCst);
            return;
        }
        let pulses = self.pulses.load(SeqCst);
        // Those of the pulse before count as waiting until they are on their way.
        while self.released.load(SeqCst) < pulses * self.others
            || (self.event.waiters() as u64) < self.others
        {
            thread::yield_now();
        }
        self.pulses.fetch_add(1, SeqCst);
        hand.run(Doing::Set, || self.event.set());
        self.event.clear();
        self.cleared.fetch_add(1, SeqCst);
    }

    fn check(self: Box<Self>) {
        assert!(!self.event.is_set());
        assert_eq!(self.event.waiters(), 0);
        assert_eq!(self.released.into_inner(), self.pulses.into_inner() * self.others);
    }
}
