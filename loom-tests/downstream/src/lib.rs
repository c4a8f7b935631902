//! Somebody's crate that is made from futon: two small types, one from its primitives, one from its
//! futex.
//!
//! Nothing here knows that it can be checked with loom. That is up to `Cargo.toml`, which turns on
//! futon's feature for `--cfg loom`, and to `tests/loom.rs`.

mod latch;
mod mailbox;

pub use latch::Latch;
pub use mailbox::Mailbox;
