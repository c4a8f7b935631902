//! The barrier: breaking and being made as new at any time, and in lockstep.

use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::{Duration, Instant};

use futon::{Barrier, BarrierWaitResult, BrokenBarrier};

use super::{Pair, Subject};
use crate::board::Doing;
use crate::crew::{Hand, planned_panic};
use crate::random::Random;

/// Anything may happen. The drivers break the barrier and make it as new.
#[derive(Debug)]
pub struct Wild {
    barrier: Barrier<Box<dyn Fn() + Send + Sync>>,
    actions: Arc<Actions>,
    /// How often each index has been given out.
    indexes: Vec<AtomicU64>,
    /// How many waits have failed, and what may have been the reason.
    failures: AtomicU64,
    reasons: AtomicU64,
}

#[derive(Debug, Default)]
struct Actions {
    begun: AtomicU64,
    done: AtomicU64,
    panicked: AtomicU64,
}

impl Wild {
    pub fn new(random: &mut Random, threads: usize) -> Self {
        let parties = 1 + random.below(threads.min(4) as u32);
        let actions = Arc::new(Actions::default());
        let (counts, choices) = (actions.clone(), random.next());
        let panics_sometimes = random.one_in(2);
        let action = move || {
            let number = counts.begun.fetch_add(1, SeqCst);
            let mut random = Random::of(&[choices, number]);
            std::thread::sleep(Duration::from_micros(random.below(20).into()));
            if panics_sometimes && random.one_in(30) {
                counts.panicked.fetch_add(1, SeqCst);
                resume_unwind(planned_panic());
            }
            counts.done.fetch_add(1, SeqCst);
        };
        Self {
            barrier: Barrier::with_action(parties, Box::new(action)),
            actions,
            indexes: (0..parties).map(|_| AtomicU64::new(0)).collect(),
            failures: AtomicU64::new(0),
            reasons: AtomicU64::new(0),
        }
    }

    fn wait(&self, hand: &mut Hand<'_, '_>) {
        let barrier = &self.barrier;
        let timeout = hand.random.timeout();
        let deadline = Instant::now() + timeout;
        let result = match hand.random.below(8) {
            0..=4 if !hand.is_driver() => hand.run(Doing::Wait, || barrier.wait()),
            0..=6 => hand.run(Doing::WaitTimeout, || barrier.wait_timeout(timeout)),
            _ => hand.run(Doing::WaitDeadline, || barrier.wait_deadline(deadline)),
        };
        match result {
            Ok(arrival) => {
                let is_last = arrival.index() + 1 == barrier.parties();
                assert_eq!(arrival.is_leader(), is_last);
                self.indexes[arrival.index() as usize].fetch_add(1, SeqCst);
            }
            Err(BrokenBarrier) => {
                self.failures.fetch_add(1, SeqCst);
                if Instant::now() >= deadline {
                    // Perhaps this thread has broken it.
                    self.reasons.fetch_add(1, SeqCst);
                    hand.has_timed_out();
                }
            }
        }
    }
}

impl Subject for Wild {
    fn step<'env>(&'env self, hand: &mut Hand<'_, 'env>) {
        if !hand.is_driver() {
            return self.wait(hand);
        }
        if self.barrier.is_broken() || hand.random.one_in(20) {
            self.reasons.fetch_add(1, SeqCst);
            hand.run(Doing::Reset, || self.barrier.reset());
        }
        if hand.random.one_in(20) {
            self.reasons.fetch_add(1, SeqCst);
            hand.run(Doing::Abort, || self.barrier.abort());
        }
        self.wait(hand);
    }

    fn close(&self) {
        self.reasons.fetch_add(1, SeqCst);
        self.barrier.abort();
    }

    fn check(self: Box<Self>) {
        assert!(self.barrier.is_broken());
        assert_eq!((self.barrier.waiting(), self.barrier.waiters()), (0, 0));
        let indexes: Vec<u64> = self.indexes.iter().map(|index| index.load(SeqCst)).collect();
        let rounds = indexes[0];
        assert!(indexes.iter().all(|index| *index == rounds), "a round released some: {indexes:?}");
        let Actions { begun, done, panicked } = &*self.actions;
        assert_eq!(begun.load(SeqCst), done.load(SeqCst) + panicked.load(SeqCst));
        assert!(done.load(SeqCst) >= rounds, "{rounds} rounds of {:?}", self.actions);
        let (failures, reasons) = (self.failures.into_inner(), self.reasons.into_inner());
        assert!(failures == 0 || reasons + panicked.load(SeqCst) > 0, "{failures} for no reason");
    }
}

/// All threads meet, step by step, and nothing breaks.
#[derive(Debug)]
pub struct Lockstep {
    barrier: Barrier,
    arrivals: AtomicU64,
    /// How many steps each place has done.
    done: Vec<AtomicU64>,
    /// What the leaders have counted.
    pair: Pair,
    steps: u64,
}

impl Lockstep {
    pub fn new(threads: usize, steps: u32) -> Self {
        Self {
            barrier: Barrier::new(threads as u32),
            arrivals: AtomicU64::new(0),
            done: (0..threads).map(|_| AtomicU64::new(0)).collect(),
            pair: Pair::default(),
            steps: steps.into(),
        }
    }
}

impl Subject for Lockstep {
    fn step<'env>(&'env self, hand: &mut Hand<'_, 'env>) {
        const LONG: Duration = Duration::from_secs(3600);

        self.arrivals.fetch_add(1, SeqCst);
        let result = match hand.random.below(4) {
            0 => hand.run(Doing::WaitTimeout, || self.barrier.wait_timeout(LONG)),
            1 => hand.run(Doing::WaitDeadline, || self.barrier.wait_deadline(Instant::now() + LONG)),
            _ => hand.run(Doing::Wait, || self.barrier.wait()),
        };
        let arrival: BarrierWaitResult = result.expect("nothing breaks this barrier");
        if arrival.is_leader() {
            self.pair.count(hand);
        }
        let rounds = self.done[hand.place].fetch_add(1, SeqCst) + 1;
        let (arrivals, parties) = (self.arrivals.load(SeqCst), u64::from(self.barrier.parties()));
        let fits = rounds * parties <= arrivals && arrivals < (rounds + 1) * parties;
        assert!(fits, "round {rounds} is over after {arrivals} arrivals of {parties}");
        hand.perhaps_panic();
    }

    fn check(self: Box<Self>) {
        assert_eq!(self.pair.number(), self.steps);
        assert_eq!((self.barrier.waiting(), self.barrier.waiters()), (0, 0));
        assert!(!self.barrier.is_broken());
    }
}
