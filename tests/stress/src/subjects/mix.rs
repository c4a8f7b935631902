//! All of them at once, one inside the other where that is allowed.

use futon::Semaphore;

use super::Subject;
use super::acquire_all::Accounts;
use super::barrier::Wild;
use super::bounded_semaphore::bounded_semaphore;
use super::condition::notify::Notified;
use super::event::Flag;
use super::lock::Locked;
use super::par_map::shared::Shared;
use super::queue::items;
use super::rlock::Levels;
use super::semaphore::semaphore;
use super::shared_iter::Items;
use crate::board::Doing;
use crate::crew::Hand;
use crate::random::Random;

#[derive(Debug)]
pub struct Mix {
    /// Those of which nobody waits for what others may never do, and then the rest.
    subjects: [Box<dyn Subject>; 11],
    gate: Semaphore,
}

/// How many subjects may be used by those who have a permit for the gate.
const BEHIND_THE_GATE: u32 = 6;

impl Mix {
    pub fn new(random: &mut Random, threads: usize, steps: u32) -> Self {
        let subjects: [Box<dyn Subject>; 11] = [
            Box::new(Locked::default()),
            Box::new(Levels::default()),
            Box::new(Accounts::default()),
            Box::new(semaphore(random)),
            Box::new(bounded_semaphore(random)),
            Box::new(Items::new(random, threads, steps)),
            Box::new(Flag::default()),
            Box::new(Notified::new(random)),
            Box::new(Wild::new(random, threads)),
            items(random, threads, steps),
            Box::new(Shared::new(random, threads, steps)),
        ];
        Self { subjects, gate: Semaphore::new(2) }
    }
}

impl Subject for Mix {
    fn step<'env>(&'env self, hand: &mut Hand<'_, 'env>) {
        let subject = |index: u32| &self.subjects[index as usize];
        if hand.random.one_in(3) {
            let permit = hand.run(Doing::Acquire, || self.gate.acquire());
            subject(hand.random.below(BEHIND_THE_GATE)).step(hand);
            drop(permit);
        } else {
            subject(hand.random.below(self.subjects.len() as u32)).step(hand);
        }
    }

    fn close(&self) {
        self.subjects.iter().for_each(|subject| subject.close());
    }

    fn check(self: Box<Self>) {
        assert_eq!((self.gate.available(), self.gate.waiters()), (2, 0));
        self.subjects.into_iter().for_each(|subject| subject.check());
    }
}
