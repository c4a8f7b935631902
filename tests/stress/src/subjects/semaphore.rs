//! The semaphore: never more permits out than there are, and all back in the end.

use std::fmt::Debug;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use futon::{BoundedSemaphore, Permit, PermitArc, ReleaseError, Semaphore};

use super::Subject;
use crate::board::Doing;
use crate::crew::Hand;
use crate::random::Random;

/// What the two semaphores have in common.
pub trait Permits: Debug + Send + Sync + 'static {
    fn acquire(&self, permits: u32) -> Permit<'_>;
    fn try_acquire(&self, permits: u32) -> Option<Permit<'_>>;
    fn acquire_timeout(&self, permits: u32, timeout: Duration) -> Option<Permit<'_>>;
    fn acquire_deadline(&self, permits: u32, deadline: Instant) -> Option<Permit<'_>>;
    fn acquire_arc(self: &Arc<Self>, permits: u32) -> PermitArc;
    fn try_acquire_arc(self: &Arc<Self>, permits: u32) -> Option<PermitArc>;
    fn acquire_timeout_arc(self: &Arc<Self>, permits: u32, timeout: Duration) -> Option<PermitArc>;
    fn acquire_deadline_arc(self: &Arc<Self>, permits: u32, deadline: Instant) -> Option<PermitArc>;
    fn release(&self, permits: u32) -> Result<(), ReleaseError>;
    fn available(&self) -> u32;
    fn waiters(&self) -> usize;
    /// How many permits it can have, if that is what it began with.
    fn limit(&self) -> Option<u32>;
}

macro_rules! permits {
    ($semaphore:ty, $limit:expr) => {
        impl Permits for $semaphore {
            fn acquire(&self, permits: u32) -> Permit<'_> {
                if permits == 1 { self.acquire() } else { self.acquire_many(permits) }
            }
            fn try_acquire(&self, permits: u32) -> Option<Permit<'_>> {
                if permits == 1 { self.try_acquire() } else { self.try_acquire_many(permits) }
            }
            fn acquire_timeout(&self, permits: u32, timeout: Duration) -> Option<Permit<'_>> {
                self.acquire_many_timeout(permits, timeout)
            }
            fn acquire_deadline(&self, permits: u32, deadline: Instant) -> Option<Permit<'_>> {
                self.acquire_many_deadline(permits, deadline)
            }
            fn acquire_arc(self: &Arc<Self>, permits: u32) -> PermitArc {
                self.acquire_many_arc(permits)
            }
            fn try_acquire_arc(self: &Arc<Self>, permits: u32) -> Option<PermitArc> {
                self.try_acquire_many_arc(permits)
            }
            fn acquire_timeout_arc(
                self: &Arc<Self>,
                permits: u32,
                timeout: Duration,
            ) -> Option<PermitArc> {
                self.acquire_many_timeout_arc(permits, timeout)
            }
            fn acquire_deadline_arc(
                self: &Arc<Self>,
                permits: u32,
                deadline: Instant,
            ) -> Option<PermitArc> {
                self.acquire_many_deadline_arc(permits, deadline)
            }
            fn release(&self, permits: u32) -> Result<(), ReleaseError> {
                self.release(permits)
            }
            fn available(&self) -> u32 {
                self.available()
            }
            fn waiters(&self) -> usize {
                self.waiters()
            }
            fn limit(&self) -> Option<u32> {
                let limit: fn(&Self) -> Option<u32> = $limit;
                limit(self)
            }
        }
    };
}

permits!(Semaphore, |_| None);
permits!(BoundedSemaphore, |semaphore| Some(semaphore.limit()));

/// A semaphore with a count of what is out.
#[derive(Debug)]
pub struct Desks<S> {
    semaphore: Arc<S>,
    /// How many permits there are in the beginning.
    permits: u32,
    /// How many permits are out, and, in the upper half, how many there may be at most. In one, or the second would
    /// be of another moment than the first.
    out_of: AtomicU64,
}

const ONE_MORE: u64 = 1 << 32;

pub fn semaphore(random: &mut Random) -> Desks<Semaphore> {
    let permits = 1 + random.below(4);
    Desks::new(Semaphore::new(permits), permits)
}

impl<S: Permits> Desks<S> {
    pub fn new(semaphore: S, permits: u32) -> Self {
        let out_of = AtomicU64::new(u64::from(permits) * ONE_MORE);
        Self { semaphore: Arc::new(semaphore), permits, out_of }
    }

    fn work(&self, permits: u32, hand: &mut Hand<'_, '_>) {
        let out_of = self.out_of.fetch_add(permits.into(), Relaxed) + u64::from(permits);
        let (out, of) = (out_of % ONE_MORE, out_of / ONE_MORE);
        assert!(out <= of, "{out} of {of} permits are out");
        hand.pause();
        self.out_of.fetch_sub(permits.into(), Relaxed);
        if let Some(limit) = self.semaphore.limit() {
            assert!(self.semaphore.available() <= limit - permits);
            assert!(self.semaphore.release(limit + 1).is_err(), "more than it can have");
        }
    }

    fn acquire(&self, permits: u32, hand: &mut Hand<'_, '_>) -> Option<Permit<'_>> {
        let semaphore = &*self.semaphore;
        match hand.random.below(5) {
            0..=1 => Some(hand.run(Doing::Acquire, || semaphore.acquire(permits))),
            2 => hand.run(Doing::TryAcquire, || semaphore.try_acquire(permits)),
            3 => hand.within(Doing::AcquireTimeout, |time| semaphore.acquire_timeout(permits, time)),
            _ => hand.until(Doing::AcquireDeadline, |at| semaphore.acquire_deadline(permits, at)),
        }
    }

    fn acquire_arc(&self, permits: u32, hand: &mut Hand<'_, '_>) -> Option<PermitArc> {
        let semaphore = &self.semaphore;
        match hand.random.below(5) {
            0..=1 => Some(hand.run(Doing::Acquire, || semaphore.acquire_arc(permits))),
            2 => hand.run(Doing::TryAcquire, || semaphore.try_acquire_arc(permits)),
            3 => {
                hand.within(Doing::AcquireTimeout, |time| semaphore.acquire_timeout_arc(permits, time))
            }
            _ => hand.until(Doing::AcquireDeadline, |at| semaphore.acquire_deadline_arc(permits, at)),
        }
    }

    /// Adds permits, and takes as many away again.
    fn add_some(&self, hand: &mut Hand<'_, '_>) {
        let more = 1 + hand.random.below(2);
        self.out_of.fetch_add(u64::from(more) * ONE_MORE, Relaxed);
        hand.run(Doing::Release, || self.semaphore.release(more)).expect("there is room");
        for _ in 0..more {
            hand.pause();
            hand.run(Doing::Acquire, || self.semaphore.acquire(1)).forget();
            self.out_of.fetch_sub(ONE_MORE, Relaxed);
        }
    }
}

impl<S: Permits> Subject for Desks<S> {
    fn step<'env>(&'env self, hand: &mut Hand<'_, 'env>) {
        if self.semaphore.limit().is_none() && hand.random.one_in(8) {
            return self.add_some(hand);
        }
        let permits = match hand.random.one_in(3) {
            true => 1 + hand.random.below(self.permits),
            false => 1,
        };
        if hand.random.one_in(4) {
            let Some(permit) = self.acquire_arc(permits, hand) else { return };
            assert_eq!(permit.count(), permits);
            self.work(permits, hand);
            hand.perhaps_panic();
            return match hand.random.one_in(6) {
                true => hand.give_away(permit),
                false => hand.run(Doing::Release, || permit.release()).expect("it was out"),
            };
        }
        let Some(mut permit) = self.acquire(permits, hand) else { return };
        self.work(permits, hand);
        hand.perhaps_panic();
        match hand.random.below(10) {
            0 => hand.give_away(permit),
            1 => {
                permit.forget();
                hand.run(Doing::Release, || self.semaphore.release(permits)).expect("it was out");
            }
            2 => {
                let part = permit.split(1).expect("it has one at least");
                hand.pause();
                match hand.random.one_in(2) {
                    true => permit.merge(part).expect("of the same semaphore"),
                    false => hand.run(Doing::Release, || drop(part)),
                }
                hand.run(Doing::Release, || drop(permit));
            }
            3 => hand.run(Doing::Release, || permit.release()).expect("it was out"),
            _ => hand.run(Doing::Release, || drop(permit)),
        }
    }

    fn check(self: Box<Self>) {
        assert_eq!(self.semaphore.waiters(), 0);
        assert_eq!(self.semaphore.available(), self.permits, "all are back");
        assert!(self.semaphore.try_acquire(self.permits).is_some(), "and kept for nobody");
        assert_eq!(self.out_of.into_inner(), u64::from(self.permits) * ONE_MORE);
        assert_eq!(Arc::strong_count(&self.semaphore), 1, "no permit owns it any more");
    }
}
