//! What is put under stress, and what has to hold for it.

mod acquire_all;
mod barrier;
mod bounded_semaphore;
mod condition;
mod event;
mod lock;
mod mix;
mod par_map;
mod queue;
mod rlock;
mod semaphore;
mod shared_iter;

use std::fmt::Debug;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::crew::Hand;
use crate::random::Random;

/// All subjects.
pub const NAMES: [&str; 12] = [
    "lock",
    "rlock",
    "acquire_all",
    "semaphore",
    "bounded_semaphore",
    "event",
    "condition",
    "barrier",
    "queue",
    "shared_iter",
    "par_map",
    "mix",
];

/// The objects of one round. What is wrong with them makes its methods panic.
pub trait Subject: Sync + Debug {
    /// A few random operations, looked at closely. May panic as planned, between them or with a guard.
    fn step<'env>(&'env self, hand: &mut Hand<'_, 'env>);

    /// Lets all go on that wait for what will not come any more: the drivers have done their steps.
    fn close(&self) {}

    /// Whether all that was taken has been given back, and so on: the threads have ended.
    fn check(self: Box<Self>);
}

/// The subject of that name, in one of its forms, for so many threads and steps of each.
pub fn make(name: &str, random: &mut Random, threads: usize, steps: u32) -> Box<dyn Subject> {
    match name {
        "lock" => Box::new(lock::Locked::default()),
        "rlock" => Box::new(rlock::Levels::default()),
        "acquire_all" => Box::new(acquire_all::Accounts::default()),
        "semaphore" => Box::new(semaphore::semaphore(random)),
        "bounded_semaphore" => Box::new(bounded_semaphore::bounded_semaphore(random)),
        "event" => match random.below(3) {
            0 => Box::new(event::Flag::default()),
            1 => Box::new(event::Pulse::new(threads)),
            _ => Box::new(event::Relay::new(threads, steps)),
        },
        "condition" => match random.below(2) {
            0 => Box::new(condition::notify::Notified::new(random)),
            _ => Box::new(condition::buffer::Buffer::new(random, threads, steps)),
        },
        "barrier" => match random.below(2) {
            0 => Box::new(barrier::Wild::new(random, threads)),
            _ => Box::new(barrier::Lockstep::new(threads, steps)),
        },
        "queue" => queue::items(random, threads, steps),
        "shared_iter" => Box::new(shared_iter::Items::new(random, threads, steps)),
        "par_map" => match random.below(3) {
            0 => Box::new(par_map::scoped::Scoped),
            _ => Box::new(par_map::shared::Shared::new(random, threads, steps)),
        },
        "mix" => Box::new(mix::Mix::new(random, threads, steps)),
        _ => unreachable!("the arguments name subjects that exist"),
    }
}

/// Two numbers that are equal while nobody is at work on them, and that two at once would get wrong.
#[derive(Debug, Default)]
pub struct Pair {
    first: AtomicU64,
    second: AtomicU64,
}

impl Pair {
    /// Counts one. The caller has to be alone here.
    pub fn count(&self, hand: &mut Hand<'_, '_>) {
        let number = self.first.load(Relaxed);
        assert_eq!(number, self.second.load(Relaxed), "another thread is in the middle of it");
        self.first.store(number + 1, Relaxed);
        hand.pause();
        assert_eq!(number + 1, self.first.load(Relaxed), "another thread was here meanwhile");
        self.second.store(number + 1, Relaxed);
    }

    pub fn number(&self) -> u64 {
        assert_eq!(self.first.load(Relaxed), self.second.load(Relaxed));
        self.first.load(Relaxed)
    }
}
