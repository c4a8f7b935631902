//! What the models have in common.

// Each file of models is a program of its own and uses what it needs.
#![allow(dead_code)]

use std::fmt::Debug;
use std::mem::ManuallyDrop;
use std::sync::{Mutex, PoisonError};

use futon_model::atomic::model::{Operations, check_with, operations};
use loom::cell::UnsafeCell;
use loom::model::Builder;

/// Runs `model` in every way with at most `preemptions` switches away from a thread that could go on.
///
/// What there is to find in so few threads takes two or three of them.
pub fn check_bounded<F: Fn() + Sync + Send + 'static>(preemptions: usize, model: F) {
    let mut builder = Builder::new();
    builder.preemption_bound = Some(preemptions);
    check_with(builder, model);
}

/// What `f` costs a thread that meets nobody: loads, stores and read-modify-writes of futon's atomics.
pub fn cost(f: impl FnOnce()) -> (usize, usize, usize) {
    let before = operations();
    f();
    let Operations { loads, stores, rmws } = operations();
    (loads - before.loads, stores - before.stores, rmws - before.rmws)
}

/// What it costs to take something that is free, and to give it back.
pub fn costs<G>(take: impl FnOnce() -> Option<G>) -> [(usize, usize, usize); 2] {
    let mut taken = None;
    [cost(|| taken = take()), cost(|| drop(taken.expect("not free")))]
}

/// Whether a few executions are chosen at random, in the place of all.
pub const IS_AT_RANDOM: bool = matches!(env!("CARGO_PKG_NAME").as_bytes(), b"random-tests");

/// What the executions of a model came to, taken together.
///
/// A model asserts what must hold in every execution. That something may also happen, it can say only
/// after the last one.
pub struct Seen<T>(Mutex<Vec<T>>);

impl<T: PartialEq + Debug> Seen<T> {
    pub const fn new() -> Self {
        Self(Mutex::new(Vec::new()))
    }

    pub fn add(&self, outcome: T) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !seen.contains(&outcome) {
            seen.push(outcome);
        }
    }

    /// These have been seen, unless it is up to chance what is.
    #[track_caller]
    pub fn assert_has<const N: usize>(&self, expected: [T; N]) {
        if !IS_AT_RANDOM {
            self.assert_came_upon(expected);
        }
    }

    /// These have been seen, in all executions or in those that chance has chosen.
    #[track_caller]
    pub fn assert_came_upon<const N: usize>(&self, expected: [T; N]) {
        let seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for outcome in &expected {
            assert!(seen.contains(outcome), "{outcome:?} never happened, only {seen:?}");
        }
    }

    /// No other than these have been seen, and, unless it is up to chance, these have.
    #[track_caller]
    pub fn assert_is<const N: usize>(&self, expected: [T; N]) {
        for outcome in &*self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            assert!(expected.contains(outcome), "{outcome:?} must not happen");
        }
        self.assert_has(expected);
    }
}

/// A number without any protection of its own.
///
/// loom fails the model if two threads are at it at once, or one after the other without an order
/// between them.
pub struct Unprotected(UnsafeCell<u32>);

// SAFETY: the threads of a model take turns on one thread of the system. Whether it is right that they
// share this is what the model finds out.
unsafe impl Sync for Unprotected {}

impl Unprotected {
    pub fn new(value: u32) -> Self {
        Self(UnsafeCell::new(value))
    }

    pub fn get(&self) -> u32 {
        // SAFETY: loom has checked that nobody writes.
        self.0.with(|value| unsafe { *value })
    }

    pub fn set(&self, new: u32) {
        // SAFETY: loom has checked that nobody else is here.
        self.0.with_mut(|value| unsafe { *value = new });
    }

    pub fn add_one(&self) {
        // SAFETY: as in `set`.
        self.0.with_mut(|value| unsafe { *value += 1 });
    }
}

/// A place for a value that one of several threads drops while the memory stays.
///
/// Whoever uses an atomic after that is found out by the model, and does no harm.
pub struct Slot<T>(std::cell::UnsafeCell<ManuallyDrop<T>>);

// SAFETY: the threads of a model take turns on one thread of the system.
unsafe impl<T> Sync for Slot<T> {}

impl<T> Slot<T> {
    pub fn new(value: T) -> Self {
        Self(std::cell::UnsafeCell::new(ManuallyDrop::new(value)))
    }

    pub fn get(&self) -> &T {
        // SAFETY: nothing makes an exclusive reference but `free`, which no model uses the value after.
        unsafe { &*self.0.get() }
    }

    /// Drops the value, once.
    pub fn free(&self) {
        // SAFETY: each model calls this once, and uses the value no more.
        unsafe { ManuallyDrop::drop(&mut *self.0.get()) }
    }
}
