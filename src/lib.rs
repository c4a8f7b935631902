//! Thread synchronization primitives with the contract of Python's `threading`, in the shape of Rust.
//!
//! | I want | take |
//! |---|---|
//! | one thread at a time at a value | [`Lock`] |
//! | the same, where the thread may have it already | [`RLock`] |
//! | several of them at once, without a deadlock | [`acquire_all`] |
//! | a limited number of threads at something | [`Semaphore`] |
//! | the same, and an error where more is given back than was taken | [`BoundedSemaphore`] |
//! | threads that wait until something has happened | [`Event`] |
//! | threads that wait until a locked value is as they need it | [`Condition`] |
//! | threads that wait for each other, phase by phase | [`Barrier`] |
//! | threads that hand items to other threads | [`Queue`]; the newest first, [`LifoQueue`]; the smallest first, [`PriorityQueue`] |
//! | threads that share the items of one iterator | [`SharedIter`], made by [`shared`](IteratorExt::shared) or [`threadsafe`] |
//! | threads that share a range of numbers or the elements of a slice | [`SharedRange`], [`SharedSlice`] |
//! | the items of an iterator mapped by several threads, and the results in order | [`par_map`](IteratorExt::par_map); by threads of my own, [`ParMap`] |
//! | a function called with each item, by several threads | [`par_for_each`](IteratorExt::par_for_each); one that may fail, [`par_try_for_each`](IteratorExt::par_try_for_each) |
//! | a primitive of my own | [`futex`] on the [`atomic`]s, with a [`deadline`] |
//!
//! The search of these pages knows most of them, and their methods, by the names that Python, std and other crates have for
//! the same: `Mutex`, `Condvar`, `put_nowait`. [`RwLock`](std::sync::RwLock), [`OnceLock`](std::sync::OnceLock),
//! [`LazyLock`](std::sync::LazyLock) and the [threads](std::thread) themselves are not here: std has them.
//! [A chapter](book::ch16_from_python) has what became of each name and each error of Python's.
//!
//! ```
//! use futon::{Event, Lock};
//! use std::{thread, time::Duration};
//!
//! static NAMES: Lock<Vec<&str>> = Lock::new(Vec::new());
//! static DONE: Event = Event::new();
//!
//! thread::spawn(|| {
//!     NAMES.acquire().push("Ada");
//!     DONE.set();
//! });
//! assert!(DONE.wait_timeout(Duration::from_secs(60)));
//! assert_eq!(*NAMES.acquire(), ["Ada"]);
//! ```
//!
//! What they have in common:
//!
//! * **Names.** `acquire`, `try_acquire`, `acquire_timeout(Duration)` and `acquire_deadline(Instant)` for what
//!   is taken and given back, `wait`, `wait_timeout` and `wait_deadline` for what is waited for; `put` and `get`
//!   of a queue have the same forms as `acquire`.
//! * **Time.** Deadlines are moments on the monotonic clock. What lies beyond its range, `Duration::MAX` for
//!   one, means never; a zero timeout and a deadline in the past mean a try (in which a [`Condition`] still
//!   gives the lock up and takes it again). No timed call gives up before its time, and signals do not show. After its
//!   time it looks once more: what came in at the last moment is taken, not lost.
//! * **Waiting.** A thread that has to wait looks again for some microseconds, gives way to other threads for some tens of
//!   them (about a millisecond, should others run meanwhile), and then sleeps in the kernel. How far it goes before it
//!   sleeps is what has paid in its last waits. Who waits for a result of a [`ParMap`] sleeps at once: the CPU is for those who
//!   work. Where nobody has had to wait there is no system call.
//! * **Panics.** No lock is poisoned. A panic in a critical section releases the lock, and leaves the value as it is at that
//!   moment; [`LockGuard::transaction`] leaves it as it was before.
//! * **Memory.** Constructors are `const` and do not allocate, but for that of [`ParMap`]. Once a primitive is released
//!   it is not touched again, so that the thread that gets it may free it at once.
//! * **fork.** In the child there is only the thread that has forked. What it had, it has there too. What another
//!   thread had stays taken for ever: a try fails, a timeout runs out. What other threads waited at is not to be used in the
//!   child, where the lines of a [`Condition`], a [`Barrier`] or a [`Queue`] lead to stacks that are gone; a [`Lock`] or an
//!   [`RLock`] may be. Put a new one in the place of what can not be used.
//! * **Tests without sleeps.** `waiters()` says how many threads are blocked, which is what a test has to wait for.
//! * **Proof.** The crate's own tests check these sources under [loom](https://docs.rs/loom). With the feature
//!   `loom` and `--cfg loom`, code that uses the crate can be checked in the same way, timeouts included:
//!   [A page of the book](book::checking_your_code) says how.
//!
//! It compiles for Linux and Android.
//!
//! # Reading the source
//!
//! The modules stand in `src/lib.rs` in the order in which they are built on each other. A file uses only what
//! stands above it there; one with an algorithm opens with its state and its invariant; and each memory ordering has a
//! comment that says why it is enough. The [`book`] tells how they came to be as they are, for readers who have never used an atomic.

// What users see says when it fails and when it panics, and what is not to be thrown away.
#![deny(clippy::missing_errors_doc, clippy::missing_panics_doc)]
#![deny(clippy::must_use_candidate, clippy::return_self_not_must_use)]

// 0: what the machine gives, or the model of it.
pub mod atomic;
pub mod deadline;
mod widths;
// 1: sleeping until a word changes, and what to do before that.
pub mod futex;
mod spin;
// 2: the algorithms, without data.
mod raw_lock;
mod raw_semaphore;
mod wait_list;
// 3: the primitives.
mod event;
mod lock;
mod rlock;
mod semaphore;
// 4: what is made of them.
mod acquire_all;
mod barrier;
mod bounded_semaphore;
mod condition;
mod queue;
mod shared_iter;
mod shared_range;
mod threadsafe;
// 5: what is made of those.
mod par_map;
// 6: what of all this is to be had at the end of a chain.
mod iterator_ext;

// The pages in `docs`.
#[cfg(any(doc, doctest))]
pub mod book;

pub use acquire_all::{
    AcquireAll, acquire_all, acquire_all_deadline, acquire_all_timeout, try_acquire_all,
};
pub use barrier::{Barrier, BarrierWaitResult, BrokenBarrier};
pub use bounded_semaphore::BoundedSemaphore;
pub use condition::{Condition, WaitGuard};
pub use event::Event;
pub use iterator_ext::IteratorExt;
pub use lock::{Lock, LockArcGuard, LockGuard, MappedLockGuard};
pub use par_map::{Leftovers, NotReady, ParMap, ParMapResults, Workers};
pub use queue::{
    Closed, Container, GetError, LifoQueue, MinHeap, PriorityQueue, PutError, Queue, QueueIter,
    TaskDoneError,
};
pub use rlock::{AllLevels, MappedRLockGuard, RLock, RLockArcGuard, RLockGuard};
pub use semaphore::{Permit, PermitArc, ReleaseError, Semaphore};
pub use shared_iter::{Busy, Puller, SharedIter, SharedIterHandle};
pub use shared_range::{RangePuller, SharedRange, SharedSlice, SlicePuller};
pub use threadsafe::threadsafe;

/// Compiles and runs what the README shows.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}
