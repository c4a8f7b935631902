//! A change in several steps that is made as a whole or not at all, also if it panics half-way.
//!
//! ```text
//! cargo run --release --example rollback -- 4 1000
//! ```
//!
//! What to look at:
//!
//! * Nothing is poisoned. A panic under a [`Lock`] releases it, and the next thread finds the value as the
//!   panic has left it. Whether that is a mistake only the value's owner knows: where it is, the change
//!   belongs in a [`Transaction`], which is 20 lines.
//! * It is the guard that rolls back. An early return by `?`, a panic, a forgotten `commit`: all of
//!   them drop it. And they do so under the lock, so that no other thread sees half a change.
//! * What is kept is a copy of the value. Of a large one, keep what undoes the change.

mod sizes;

use std::ops::{Deref, DerefMut};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::thread;

use futon::{Lock, LockGuard};

/// A value that is locked, and what it was before.
struct Transaction<'a, T> {
    value: LockGuard<'a, T>,
    before: Option<T>,
}

impl<'a, T: Clone> Transaction<'a, T> {
    fn begin(lock: &'a Lock<T>) -> Self {
        let value = lock.acquire();
        Self { before: Some(value.clone()), value }
    }

    /// Without this it has not happened.
    fn commit(mut self) {
        self.before = None;
    }
}

impl<T> Drop for Transaction<'_, T> {
    fn drop(&mut self) {
        if let Some(before) = self.before.take() {
            *self.value = before;
        }
        // The lock is released after this, with the guard.
    }
}

impl<T> Deref for Transaction<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> DerefMut for Transaction<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.value
    }
}

/// What there is in a workshop. Tables have four legs, so tops and legs are used together.
#[derive(Clone, Debug, PartialEq)]
struct Stock {
    tops: u32,
    legs: u32,
    tables: u32,
}

/// Takes the top and *then* looks for the legs: a change that may fail half-way.
fn build_table(stock: &mut Stock, careless: bool) -> Result<(), &'static str> {
    stock.tops = stock.tops.checked_sub(1).ok_or("no top is left")?;
    if careless {
        resume_unwind(Box::new("a panic")); // that prints nothing
    }
    stock.legs = stock.legs.checked_sub(4).ok_or("too few legs")?;
    stock.tables += 1;
    Ok(())
}

fn order(stock: &Lock<Stock>, careless: bool) -> Result<(), &'static str> {
    let mut transaction = Transaction::begin(stock);
    build_table(&mut transaction, careless)?;
    transaction.commit();
    Ok(())
}

/// How it ended. That a panic has left nothing half done is for the caller to know.
fn outcome(change: impl FnOnce() -> Result<(), &'static str>) -> &'static str {
    match catch_unwind(AssertUnwindSafe(change)) {
        Ok(Ok(())) => "done",
        Ok(Err(why)) => why,
        Err(_) => "a panic",
    }
}

fn show(when: &str, stock: &Lock<Stock>) {
    let Stock { tops, legs, tables } = *stock.acquire();
    println!("{when:<20} tops {tops}, legs {legs}, tables {tables}");
}

fn main() {
    let [threads, tables] = sizes::from_arguments(
        "Changes that fail half-way and are undone.",
        [
            ("THREADS", "that order tables", 1..=64, 4),
            ("TABLES", "for how many there are legs", 1..=1_000_000, 500),
        ],
    );

    // Four orders: one that is done, and three that fail half-way. The last has no transaction around it.
    let stock = Lock::new(Stock { tops: 3, legs: 6, tables: 0 });
    show("at first", &stock);
    show(outcome(|| order(&stock, false)), &stock);
    let one_table = stock.acquire().clone();
    assert_eq!(one_table, Stock { tops: 2, legs: 2, tables: 1 });
    for careless in [false, true] {
        show(outcome(|| order(&stock, careless)), &stock);
        assert_eq!(*stock.acquire(), one_table, "half a change was left");
    }
    let bare = outcome(|| build_table(&mut stock.acquire(), true));
    show(&format!("{bare}, not undone"), &stock);
    assert_eq!(*stock.acquire(), Stock { tops: 1, ..one_table }, "who has undone this?");

    // Many threads, until the legs come to an end. Each third order of theirs panics.
    let stock = Lock::new(Stock { tops: tables as u32 + 1, legs: 4 * tables as u32, tables: 0 });
    let until_the_end = || {
        for number in 1.. {
            if outcome(|| order(&stock, number % 3 == 0)) == "too few legs" {
                return;
            }
        }
    };
    thread::scope(|s| {
        for _ in 0..threads {
            s.spawn(until_the_end);
        }
    });
    show(&format!("{threads} threads later"), &stock);
    assert_eq!(*stock.acquire(), Stock { tops: 1, legs: 0, tables: tables as u32 });
}
