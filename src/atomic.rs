//! The atomics that everything else is built on, and the switch between the machine's and loom's.
//!
//! This module and the model of the futex are the only places of the crate that know about
//! [loom](https://docs.rs/loom). On a real machine the names below are those of `core` and `std`, with
//! nothing in between. Under `--cfg loom` with the feature `loom` they are modelled: the same sources
//! above run inside `atomic::model::check`, which tries every interleaving and every value that a weak
//! memory order allows.
//!
//! The types are public so that primitives of your own, made from these atomics and
//! [`futex`](crate::futex), can be checked in the same way.

#[cfg(not(all(loom, feature = "loom")))]
mod native;
#[cfg(not(all(loom, feature = "loom")))]
pub use native::*;

#[cfg(all(loom, feature = "loom"))]
pub mod model;
#[cfg(all(loom, feature = "loom"))]
pub use model::*;
