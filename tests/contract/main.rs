//! futon's contract on real threads, through its public interface alone.
//!
//! One module a primitive. A test waits for a condition, mostly for [`waiters`](futon::Lock::waiters),
//! and never sleeps in the hope that something has happened by then. What may hang instead of failing
//! runs under a [time limit](threads::limit).
//!
//! `H12` and the like in front of a test name the hazard that it is about: a mistake that a well-known
//! implementation of such a primitive has made.

#![cfg(not(loom))]

mod acquire_all;
mod allocations;
mod atomic;
mod barrier;
mod bounded_semaphore;
mod calls;
mod condition;
mod deadline;
mod event;
mod fork;
mod futex;
mod lock;
mod par_for_each;
mod par_map;
mod queue;
mod rlock;
mod semaphore;
mod shared_iter;
mod shared_range;
mod threads;
mod traits;
