//! Notifications and waits without anything to wait for, so that each one can be counted.

use std::ops::Deref;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

use futon::{Condition, WaitGuard};

use super::{Door, Inside};
use crate::board::Doing;
use crate::crew::Hand;
use crate::random::Random;
use crate::subjects::{Pair, Subject};

/// The drivers notify, the others wait.
#[derive(Debug)]
pub struct Notified {
    door: Door<State>,
    condition: Condition,
    /// All wait without a limit, and notifications are given under the lock: then who came first goes first.
    is_in_order: bool,
    /// How many threads the notifications have released, as they say.
    told: AtomicU64,
    /// How many waits have ended with a notification.
    notified: AtomicU64,
}

#[derive(Debug, Default)]
struct State {
    pair: Pair,
    /// How many have come to wait.
    tickets: AtomicU64,
    is_closed: AtomicBool,
}

impl Notified {
    pub fn new(random: &mut Random) -> Self {
        Self {
            door: Door::new(random, State::default()),
            condition: Condition::new(),
            is_in_order: random.one_in(2),
            told: AtomicU64::new(0),
            notified: AtomicU64::new(0),
        }
    }

    fn notify(&self, hand: &mut Hand<'_, '_>) {
        let kind = hand.random.below(8);
        let told = hand.run(Doing::Notify, || match kind {
            0 => self.condition.notify_all(),
            1 => self.condition.notify(2),
            _ => usize::from(self.condition.notify_one()),
        });
        assert!(told <= [usize::MAX, 2, 1][kind.min(2) as usize]);
        self.told.fetch_add(told as u64, Relaxed);
    }
}

struct Wait<'a>(&'a Notified);

impl Inside<State> for Wait<'_> {
    fn run<G: WaitGuard + Deref<Target = State>>(&self, guard: &mut G, hand: &mut Hand<'_, '_>) {
        let Self(all) = self;
        guard.pair.count(hand);
        if guard.is_closed.load(Relaxed) {
            return;
        }
        let ticket = guard.tickets.fetch_add(1, Relaxed);
        let (limited, condition) = (hand.is_driver(), &all.condition);
        let was_notified = match hand.random.below(4) {
            kind if all.is_in_order || kind < 2 && !limited => hand.run(Doing::Wait, || {
                condition.wait(guard);
                true
            }),
            0..=2 => hand.within(Doing::WaitTimeout, |time| condition.wait_timeout(guard, time)),
            _ => hand.until(Doing::WaitDeadline, |at| condition.wait_deadline(guard, at)),
        };
        if was_notified {
            all.notified.fetch_add(1, Relaxed);
            let told = all.told.load(Relaxed);
            assert!(!all.is_in_order || told > ticket, "number {ticket} goes on after {told}");
        }
        guard.pair.count(hand);
        hand.perhaps_panic();
    }
}

struct Notify<'a>(&'a Notified);

impl Inside<State> for Notify<'_> {
    fn run<G: WaitGuard + Deref<Target = State>>(&self, guard: &mut G, hand: &mut Hand<'_, '_>) {
        guard.pair.count(hand);
        self.0.notify(hand);
        hand.perhaps_panic();
    }
}

impl Subject for Notified {
    fn step<'env>(&'env self, hand: &mut Hand<'_, 'env>) {
        if !hand.is_driver() || !self.is_in_order && hand.random.one_in(4) {
            self.door.enter(hand, &Wait(self));
        } else if self.is_in_order || hand.random.one_in(2) {
            self.door.enter(hand, &Notify(self));
        } else {
            self.notify(hand);
        }
    }

    fn close(&self) {
        let notify_all = || self.told.fetch_add(self.condition.notify_all() as u64, Relaxed);
        self.door.with(|state| {
            state.is_closed.store(true, Relaxed);
            if self.is_in_order {
                notify_all();
            }
        });
        // After the lock, so that there is no release which wakes them.
        notify_all();
    }

    fn check(self: Box<Self>) {
        assert_eq!(self.condition.waiters(), 0);
        let (told, notified) = (self.told.into_inner(), self.notified.into_inner());
        assert_eq!(told, notified, "each notification is for one wait");
        self.door.assert_is_left();
        self.door.with(|state| state.pair.number());
    }
}
