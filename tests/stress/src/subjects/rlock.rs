//! The reentrant lock: one thread at a time, at several levels, which are left in any order.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use futon::{MappedRLockGuard, RLock, RLockArcGuard, RLockGuard};

use super::{Pair, Subject};
use crate::board::Doing;
use crate::crew::Hand;

#[derive(Debug, Default)]
pub struct Levels {
    lock: Arc<RLock<Pair>>,
    entered: AtomicU64,
}

enum Level<'a> {
    Plain(RLockGuard<'a, Pair>),
    Mapped(MappedRLockGuard<'a, Pair>),
    Owned(RLockArcGuard<Pair>),
}

impl Level<'_> {
    fn pair(&self) -> &Pair {
        match self {
            Self::Plain(guard) => guard,
            Self::Mapped(guard) => guard,
            Self::Owned(guard) => guard,
        }
    }

    fn release_fair(self) {
        match self {
            Self::Plain(guard) => RLockGuard::release_fair(guard),
            Self::Mapped(guard) => MappedRLockGuard::release_fair(guard),
            Self::Owned(guard) => RLockArcGuard::release_fair(guard),
        }
    }
}

impl Levels {
    fn acquire(&self, hand: &mut Hand<'_, '_>) -> Option<Level<'_>> {
        let lock = &self.lock;
        let guard = match hand.random.below(9) {
            0..=1 => Some(hand.run(Doing::Acquire, || lock.acquire())),
            2 => hand.run(Doing::TryAcquire, || lock.try_acquire()),
            3 => hand.within(Doing::AcquireTimeout, |time| lock.acquire_timeout(time)),
            4 => hand.until(Doing::AcquireDeadline, |at| lock.acquire_deadline(at)),
            other => {
                let guard = match other {
                    5 => Some(hand.run(Doing::Acquire, || lock.acquire_arc())),
                    6 => hand.run(Doing::TryAcquire, || lock.try_acquire_arc()),
                    7 => hand.within(Doing::AcquireTimeout, |time| lock.acquire_timeout_arc(time)),
                    _ => hand.until(Doing::AcquireDeadline, |at| lock.acquire_deadline_arc(at)),
                };
                return guard.map(Level::Owned);
            }
        };
        match hand.random.one_in(4) {
            true => guard.map(|guard| Level::Mapped(RLockGuard::map(guard, |pair| pair))),
            false => guard.map(Level::Plain),
        }
    }

    fn assert_depth(&self, depth: usize) {
        assert_eq!(self.lock.depth() as usize, depth);
        assert_eq!(self.lock.is_owned(), depth > 0);
        assert!(self.lock.is_locked() || depth == 0);
    }

    fn count(&self, level: &Level<'_>, hand: &mut Hand<'_, '_>) {
        level.pair().count(hand);
        self.entered.fetch_add(1, Relaxed);
    }
}

impl Subject for Levels {
    fn step<'env>(&'env self, hand: &mut Hand<'_, 'env>) {
        self.assert_depth(0);
        let Some(mut first) = self.acquire(hand) else { return };
        self.count(&first, hand);
        if let (Level::Plain(guard), true) = (&mut first, hand.random.one_in(4)) {
            hand.run(Doing::Unlocked, || RLockGuard::unlocked(guard, || self.assert_depth(0)));
            self.count(&first, hand);
        }
        let mut levels = vec![first];
        for depth in 1..1 + hand.random.below(4) as usize {
            self.assert_depth(depth);
            levels.push(self.acquire(hand).expect("who has it gets it again"));
            self.count(&levels[depth], hand);
        }
        hand.perhaps_panic();
        while !levels.is_empty() {
            self.assert_depth(levels.len());
            self.count(&levels[0], hand);
            let level = levels.swap_remove(hand.random.below(levels.len() as u32) as usize);
            match hand.random.one_in(5) {
                true => hand.run(Doing::ReleaseFair, || level.release_fair()),
                false => hand.run(Doing::Release, || drop(level)),
            }
        }
        self.assert_depth(0);
    }

    fn check(self: Box<Self>) {
        assert!(!self.lock.is_locked(), "nobody has it");
        assert_eq!(self.lock.waiters(), 0);
        assert!(self.lock.try_acquire().is_some(), "it is kept for nobody");
        let lock = Arc::into_inner(self.lock).expect("no guard owns it any more");
        assert_eq!(lock.into_inner().number(), self.entered.load(Relaxed));
    }
}
