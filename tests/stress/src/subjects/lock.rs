//! The lock: one thread at a time, whatever way in and out.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use futon::{Lock, LockArcGuard, LockGuard, MappedLockGuard};

use super::{Pair, Subject};
use crate::board::Doing;
use crate::crew::Hand;

#[derive(Debug, Default)]
pub struct Locked {
    lock: Arc<Lock<Pair>>,
    entered: AtomicU64,
}

impl Locked {
    fn count(&self, pair: &Pair, hand: &mut Hand<'_, '_>) {
        assert!(self.lock.is_locked());
        pair.count(hand);
        self.entered.fetch_add(1, Relaxed);
    }

    fn acquire(&self, hand: &mut Hand<'_, '_>) -> Option<LockGuard<'_, Pair>> {
        match hand.random.below(5) {
            0..=1 => Some(hand.run(Doing::Acquire, || self.lock.acquire())),
            2 => hand.run(Doing::TryAcquire, || self.lock.try_acquire()),
            3 => hand.within(Doing::AcquireTimeout, |time| self.lock.acquire_timeout(time)),
            _ => hand.until(Doing::AcquireDeadline, |at| self.lock.acquire_deadline(at)),
        }
    }

    fn acquire_arc(&self, hand: &mut Hand<'_, '_>) -> Option<LockArcGuard<Pair>> {
        match hand.random.below(5) {
            0..=1 => Some(hand.run(Doing::Acquire, || self.lock.acquire_arc())),
            2 => hand.run(Doing::TryAcquire, || self.lock.try_acquire_arc()),
            3 => hand.within(Doing::AcquireTimeout, |time| self.lock.acquire_timeout_arc(time)),
            _ => hand.until(Doing::AcquireDeadline, |at| self.lock.acquire_deadline_arc(at)),
        }
    }
}

impl Subject for Locked {
    fn step<'env>(&'env self, hand: &mut Hand<'_, 'env>) {
        if hand.random.one_in(4) {
            let Some(guard) = self.acquire_arc(hand) else { return };
            self.count(&guard, hand);
            hand.perhaps_panic();
            match hand.random.below(8) {
                0 => hand.give_away(guard),
                1 | 2 => hand.run(Doing::ReleaseFair, || LockArcGuard::release_fair(guard)),
                _ => hand.run(Doing::Release, || drop(guard)),
            }
            return;
        }
        let Some(mut guard) = self.acquire(hand) else { return };
        self.count(&guard, hand);
        hand.perhaps_panic();
        match hand.random.below(16) {
            0 => hand.give_away(LockGuard::map(guard, |pair| &mut pair.first)),
            1 => {
                let guard = LockGuard::map(guard, |pair| pair);
                self.count(&guard, hand);
                hand.run(Doing::ReleaseFair, || MappedLockGuard::release_fair(guard));
            }
            2 => {
                hand.run(Doing::Unlocked, || LockGuard::unlocked(&mut guard, std::thread::yield_now));
                self.count(&guard, hand);
            }
            3..=5 => hand.run(Doing::ReleaseFair, || LockGuard::release_fair(guard)),
            _ => hand.run(Doing::Release, || drop(guard)),
        }
    }

    fn check(self: Box<Self>) {
        assert!(!self.lock.is_locked(), "nobody has it");
        assert_eq!(self.lock.waiters(), 0);
        assert!(self.lock.try_acquire().is_some(), "it is kept for nobody");
        let lock = Arc::into_inner(self.lock).expect("no guard owns it any more");
        assert_eq!(lock.into_inner().number(), self.entered.load(Relaxed));
    }
}
