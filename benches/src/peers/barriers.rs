//! Threads that wait for each other. usync's barrier serves once only, and so is not here.

use std::cell::UnsafeCell;
use std::sync::atomic::{AtomicU32, Ordering::*};

use super::{ALL, Futex};

/// A barrier.
pub trait Barrier: Sync + Send + 'static {
    const NAME: &'static str;
    fn new(parties: u32) -> Self;
    /// Whether this one is the leader.
    fn wait(&self) -> bool;
}

impl Barrier for futon::Barrier {
    const NAME: &'static str = "futon";
    fn new(parties: u32) -> Self {
        futon::Barrier::new(parties)
    }
    #[inline]
    fn wait(&self) -> bool {
        futon::Barrier::wait(self).unwrap().is_leader()
    }
}

impl Barrier for std::sync::Barrier {
    const NAME: &'static str = "std";
    fn new(parties: u32) -> Self {
        std::sync::Barrier::new(parties as usize)
    }
    #[inline]
    fn wait(&self) -> bool {
        std::sync::Barrier::wait(self).is_leader()
    }
}

/// The C library's.
pub struct Pthread(Box<UnsafeCell<libc::pthread_barrier_t>>);

// SAFETY: a barrier is for several threads.
unsafe impl Sync for Pthread {}
// SAFETY: as above; and it is in a box, and so is not moved.
unsafe impl Send for Pthread {}

impl Barrier for Pthread {
    const NAME: &'static str = "pthread";
    fn new(parties: u32) -> Self {
        // SAFETY: plain memory, initialized below.
        let barrier = Box::new(UnsafeCell::new(unsafe { std::mem::zeroed() }));
        // SAFETY: the place is valid; no attributes are asked for.
        let result = unsafe { libc::pthread_barrier_init(barrier.get(), std::ptr::null(), parties) };
        assert_eq!(result, 0);
        Self(barrier)
    }
    #[inline]
    fn wait(&self) -> bool {
        // SAFETY: it is initialized.
        let result = unsafe { libc::pthread_barrier_wait(self.0.get()) };
        result == libc::PTHREAD_BARRIER_SERIAL_THREAD
    }
}

/// A count, and a generation to sleep on.
pub struct Generation {
    parties: u32,
    arrived: AtomicU32,
    generation: Futex,
}

impl Barrier for Generation {
    const NAME: &'static str = "limit: bare futex";
    fn new(parties: u32) -> Self {
        Self { parties, arrived: AtomicU32::new(0), generation: Futex::default() }
    }
    fn wait(&self) -> bool {
        let generation = self.generation.0.load(Acquire);
        let is_last = self.arrived.fetch_add(1, AcqRel) + 1 == self.parties;
        if is_last {
            self.arrived.store(0, Relaxed);
            self.generation.set(generation.wrapping_add(1), ALL);
        } else {
            self.generation.wait(generation);
        }
        is_last
    }
}
