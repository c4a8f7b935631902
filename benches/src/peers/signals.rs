//! What one thread gives and another one takes: a semaphore, an event or a condition can be that.

use std::hint::spin_loop;
use std::sync::atomic::{AtomicU32, Ordering::*};

use super::Futex;
use super::conditions::Monitor;
use super::events::Event;
use super::semaphores::Semaphore;

/// From one thread to one other.
pub trait Signal: Sync + Send + 'static {
    const NAME: &'static str;
    fn new() -> Self;
    fn give(&self);
    /// Waits for it.
    fn take(&self);
}

/// A permit is the signal.
pub struct BySemaphore<S>(S);
impl<S: Semaphore> Signal for BySemaphore<S> {
    const NAME: &'static str = S::NAME;
    fn new() -> Self {
        Self(S::new(0))
    }
    #[inline]
    fn give(&self) {
        self.0.release();
    }
    #[inline]
    fn take(&self) {
        self.0.acquire();
    }
}

/// A set event is the signal; who takes it clears it.
pub struct ByEvent<E>(E);
impl<E: Event> Signal for ByEvent<E> {
    const NAME: &'static str = E::NAME;
    fn new() -> Self {
        Self(E::new())
    }
    #[inline]
    fn give(&self) {
        self.0.set();
    }
    #[inline]
    fn take(&self) {
        self.0.wait();
        self.0.clear();
    }
}

/// A flag under a lock is the signal, and the other one is notified of it while it is locked.
pub struct ByCondition<M>(M);
impl<M: Monitor<bool>> Signal for ByCondition<M> {
    const NAME: &'static str = M::NAME;
    fn new() -> Self {
        Self(M::new(false))
    }
    #[inline]
    fn give(&self) {
        let mut is_there = self.0.lock();
        *is_there = true;
        self.0.notify_one(0);
    }
    #[inline]
    fn take(&self) {
        *self.0.wait_while(0, self.0.lock(), |is_there| !is_there) = false;
    }
}

impl Signal for Futex {
    const NAME: &'static str = "limit: bare futex";
    fn new() -> Self {
        Self::default()
    }
    fn give(&self) {
        self.set(1, 1);
    }
    fn take(&self) {
        self.wait(0);
        self.0.store(0, Relaxed);
    }
}

/// No sleep at all: what a cache line takes from one CPU to the other.
pub struct Spinning(AtomicU32);
impl Signal for Spinning {
    const NAME: &'static str = "limit: spinning";
    fn new() -> Self {
        Self(AtomicU32::new(0))
    }
    fn give(&self) {
        self.0.store(1, Release);
    }
    fn take(&self) {
        while self.0.load(Acquire) == 0 {
            spin_loop();
        }
        self.0.store(0, Relaxed);
    }
}
