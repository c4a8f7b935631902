//! Methods that lock, called by a method that has locked already: what a re-entrant lock is for.
//!
//! ```text
//! cargo run --release --example nested_access -- 2 4 1000000
//! ```
//!
//! The parts of a value can be had one by one, with `first` and `second`, and each of these takes the
//! lock. To get both of one moment, `both` takes the lock around the two calls. With a lock that knows no
//! owner, `first` would then wait for its own caller, for ever. An [`RLock`] counts its owner's levels.
//!
//! What to look at:
//!
//! * The value of an `RLock` can not be had as `&mut`: an outer level has a reference to it as well. What is
//!   to be changed stands in a [`Cell`], which only one thread at a time gets to see.
//! * `both` and `increment` are one step for other threads, because they have the lock *between* the inner
//!   calls. Take the `acquire` of `both` away, and the readers find torn pairs.

mod sizes;

use std::cell::Cell;
use std::thread;

use futon::{Lock, RLock};

/// Two parts that belong together: the second is always the square of the first.
struct Pair {
    parts: RLock<(Cell<u64>, Cell<u64>)>,
}

impl Pair {
    fn first(&self) -> u64 {
        self.parts.acquire().0.get()
    }

    fn second(&self) -> u64 {
        self.parts.acquire().1.get()
    }

    fn both(&self) -> (u64, u64) {
        let _parts = self.parts.acquire();
        (self.first(), self.second())
    }

    fn set_first(&self, first: u64) {
        self.parts.acquire().0.set(first);
    }

    fn set_second(&self, second: u64) {
        self.parts.acquire().1.set(second);
    }

    /// Changes both parts by what they are: `both` is at depth 2 here, and `first` in it at depth 3.
    fn increment(&self) {
        let _parts = self.parts.acquire();
        let number = self.both().0 + 1;
        self.set_first(number);
        self.set_second(number * number);
        assert_eq!(self.parts.depth(), 1, "the inner levels have ended");
    }
}

fn main() {
    let [writers, readers, times] = sizes::from_arguments(
        "Threads that read and change the two parts of a value.",
        [
            ("WRITERS", "threads that change both parts", 1..=64, 2),
            ("READERS", "threads that read both parts", 1..=64, 2),
            ("TIMES", "how often each of them does it", 1..=1_000_000, 100_000),
        ],
    );
    let pair = Pair { parts: RLock::new((Cell::new(0), Cell::new(0))) };

    thread::scope(|s| {
        for _ in 0..writers {
            s.spawn(|| (0..times).for_each(|_| pair.increment()));
        }
        for _ in 0..readers {
            s.spawn(|| {
                let mut last = 0;
                for _ in 0..times {
                    let (first, second) = pair.both();
                    assert_eq!(second, first * first, "a torn pair");
                    assert!(first >= last, "an old pair");
                    last = first;
                }
            });
        }
    });

    let (first, second) = pair.both();
    assert_eq!(first, (writers * times) as u64, "an increment was lost");
    assert_eq!(second, first * first);
    println!("{writers} writers made {first} increments: the pair is {first} and {second}.");
    println!("{readers} readers saw {} pairs, and none was torn.", readers * times);

    // What is re-entrant, and what is not.
    let outer = pair.parts.acquire();
    let inner = pair.parts.try_acquire().expect("the owner never waits");
    println!("An RLock let its owner in again: depth {}.", pair.parts.depth());
    drop((inner, outer));
    assert_eq!((pair.parts.depth(), pair.parts.is_locked()), (0, false));
    let lock = Lock::new(());
    let outer = lock.acquire();
    assert!(lock.try_acquire().is_none());
    println!("A Lock did not: `acquire` would have waited for ever.");
    drop(outer);
}
