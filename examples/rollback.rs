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
//!   belongs in a [`transaction`](LockGuard::transaction).
//! * It is a copy that is changed, under the lock, and that takes the value's place if all has gone well. After an
//!   early return by `?` or a panic it just goes away: there is nothing to undo.
//! * It is a copy of the whole value. Of a large one, keep what undoes the change.

mod sizes;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::thread;

use futon::{Lock, LockGuard};

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
    LockGuard::transaction(&mut stock.acquire(), |stock| build_table(stock, careless))
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
