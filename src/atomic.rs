//! The atomics that everything else is built on, and the switch between the machine's and loom's.
//!
//! This module and the model of the futex are the only places of the crate that know about
//! [loom](https://docs.rs/loom). On a real machine the names below are those of `core` and `std`, with
//! nothing in between, but for [`thread_id`], which is futon's own. Under `--cfg loom` with the feature
//! `loom` they are modelled: the same sources above run inside `atomic::model::check`, which tries the
//! interleavings of the threads and the values that a weak memory order allows.
//!
//! # A primitive of one's own
//!
//! The types are public so that primitives of your own, made from these atomics and
//! [`futex`](crate::futex), can be checked in the same way.
//!
//! ```
//! use futon::atomic::Ordering::{Acquire, Relaxed, Release};
//! use futon::atomic::{AtomicU64, thread_id};
//! use std::thread;
//!
//! /// Something that is claimed by one thread at a time, and given up by none but that one.
//! struct Claim {
//!     owner: AtomicU64,
//! }
//!
//! impl Claim {
//!     const fn new() -> Self {
//!         Self { owner: AtomicU64::new(0) } // which is no thread's number
//!     }
//!
//!     fn claim(&self) -> bool {
//!         // Acquire pairs with the Release in `give_up`.
//!         self.owner.compare_exchange(0, thread_id(), Acquire, Relaxed).is_ok()
//!     }
//!
//!     fn is_mine(&self) -> bool {
//!         // Relaxed: this thread knows what it has stored, and no other stores its number.
//!         self.owner.load(Relaxed) == thread_id()
//!     }
//!
//!     fn give_up(&self) {
//!         assert!(self.is_mine(), "given up by a thread that does not have it");
//!         self.owner.store(0, Release);
//!     }
//! }
//!
//! static CLAIM: Claim = Claim::new();
//! assert!(CLAIM.claim());
//! thread::scope(|s| s.spawn(|| assert!(!CLAIM.claim() && !CLAIM.is_mine())).join()).unwrap();
//! CLAIM.give_up();
//! assert!(CLAIM.claim());
//! ```
//!
//! A model of it is a test that is compiled with `--cfg loom`, and calls `atomic::model::check` with what its threads do.
//! [A page of the book](crate::book::checking_your_code) says how that is set up, and what a model does not see.

#[cfg(not(all(loom, feature = "loom")))]
mod native;
#[cfg(not(all(loom, feature = "loom")))]
pub use native::*;

#[cfg(all(loom, feature = "loom"))]
pub mod model;
#[cfg(all(loom, feature = "loom"))]
pub use model::*;
