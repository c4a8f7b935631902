//! One counter, two threads, 100,000 numbers each: a story that Python programmers know.
//!
//! There, a generator that two threads pull from raises "generator already executing", and the cure
//! is a decorator that puts a lock around it. Here, the compiler refuses to share it without one:
//!
//! ```text
//! let mut numbers = counter(());
//! thread::scope(|s| {
//!     for _ in 0..2 {
//!         s.spawn(|| numbers.next());
//!     }
//! });
//! ```
//!
//! ```text
//! error[E0499]: cannot borrow `numbers` as mutable more than once at a time
//! ```
//!
//! `next` wants the iterator for itself (`&mut self`), and two threads can not both have it.

use std::{iter, thread};

use futon::threadsafe;

/// 1, 2, 3 and so on. Nothing in it is made for threads.
fn counter((): ()) -> impl Iterator<Item = u64> {
    let mut last = 0;
    iter::from_fn(move || {
        last += 1;
        Some(last)
    })
}

fn main() {
    let counter = threadsafe(counter); // the decorator
    let numbers = counter(());
    thread::scope(|s| {
        for _ in 0..2 {
            s.spawn(|| {
                for _ in 0..100_000 {
                    numbers.next(); // `&self`: a lock stands around each
                }
            });
        }
    });
    // No number was lost, and none was given twice.
    let next = numbers.next();
    println!("after 200,000 numbers comes {}", next.unwrap());
    assert_eq!(next, Some(200_001));
}
