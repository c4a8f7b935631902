//! How these primitives are made, and why each line is as it is.
//!

// These are the pages in `docs`. They are there in the documentation, and when the examples in them are tested; no
// program contains them. Their links have other names here, which the first file gives them.
#![doc = include_str!("../docs/links-in-rustdoc.md")]
#![doc = include_str!("../docs/README.md")]

#[doc = include_str!("../docs/links-in-rustdoc.md")]
#[doc = include_str!("../docs/01-atomics.md")]
pub mod ch01_atomics {}

#[doc = include_str!("../docs/links-in-rustdoc.md")]
#[doc = include_str!("../docs/02-futex.md")]
pub mod ch02_futex {}

#[doc = include_str!("../docs/links-in-rustdoc.md")]
#[doc = include_str!("../docs/03-lock.md")]
pub mod ch03_lock {}

#[doc = include_str!("../docs/links-in-rustdoc.md")]
#[doc = include_str!("../docs/04-rlock.md")]
pub mod ch04_rlock {}

#[doc = include_str!("../docs/links-in-rustdoc.md")]
#[doc = include_str!("../docs/05-semaphore.md")]
pub mod ch05_semaphore {}

#[doc = include_str!("../docs/links-in-rustdoc.md")]
#[doc = include_str!("../docs/06-event.md")]
pub mod ch06_event {}

#[doc = include_str!("../docs/links-in-rustdoc.md")]
#[doc = include_str!("../docs/07-condition.md")]
pub mod ch07_condition {}

#[doc = include_str!("../docs/links-in-rustdoc.md")]
#[doc = include_str!("../docs/08-barrier.md")]
pub mod ch08_barrier {}

#[doc = include_str!("../docs/links-in-rustdoc.md")]
#[doc = include_str!("../docs/09-shared-iter.md")]
pub mod ch09_shared_iter {}

#[doc = include_str!("../docs/links-in-rustdoc.md")]
#[doc = include_str!("../docs/10-queue.md")]
pub mod ch10_queue {}

#[doc = include_str!("../docs/links-in-rustdoc.md")]
#[doc = include_str!("../docs/11-par-map.md")]
pub mod ch11_par_map {}

#[doc = include_str!("../docs/links-in-rustdoc.md")]
#[doc = include_str!("../docs/12-acquire-all.md")]
pub mod ch12_acquire_all {}

#[doc = include_str!("../docs/links-in-rustdoc.md")]
#[doc = include_str!("../docs/13-fairness-and-spinning.md")]
pub mod ch13_fairness_and_spinning {}

#[doc = include_str!("../docs/links-in-rustdoc.md")]
#[doc = include_str!("../docs/14-verifying.md")]
pub mod ch14_verifying {}

#[doc = include_str!("../docs/links-in-rustdoc.md")]
#[doc = include_str!("../docs/performance/in-rustdoc.md")]
#[doc = include_str!("../docs/15-measuring.md")]
pub mod ch15_measuring {}

#[doc = include_str!("../docs/links-in-rustdoc.md")]
#[doc = include_str!("../docs/16-from-python.md")]
pub mod ch16_from_python {}

#[doc = include_str!("../docs/links-in-rustdoc.md")]
#[doc = include_str!("../docs/17-comparison.md")]
pub mod ch17_comparison {}

#[doc = include_str!("../docs/links-in-rustdoc.md")]
#[doc = include_str!("../docs/checking-your-code.md")]
pub mod checking_your_code {}
