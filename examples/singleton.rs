//! A value that many threads want, made when the first one asks, and made once.
//!
//! ```text
//! cargo run --release --example singleton -- 16 5000000
//! ```
//!
//! What to look at:
//!
//! * It is made *under* the lock. To look, let go, make, and put it in would make it as often as there are threads
//!   that look at the same time.
//! * What they get is an [`Arc`], so that the lock is held to look and not to use the value.
//! * Who fails to make it puts nothing in, and takes the failure home. Whoever waited for the lock meanwhile
//!   finds nothing, and tries for itself. So it is with a panic, since nothing is poisoned.
//! * Each use locks, which is two atomic operations if nobody else does. Where that is too much, put an `Event` and a
//!   `OnceLock` beside it: set the event once the value is there, and look at `is_set`, one load,
//!   before you lock and look again. That is the double-checked way.

mod sizes;

use std::sync::Arc;
use std::thread;

use futon::{Barrier, Lock};

/// A value that is made when it is first wanted.
struct Lazy<T> {
    value: Lock<Option<Arc<T>>>,
}

impl<T> Lazy<T> {
    const fn new() -> Self {
        Self { value: Lock::new(None) }
    }

    fn get_or_make<E>(&self, make: impl FnOnce() -> Result<T, E>) -> Result<Arc<T>, E> {
        let mut value = self.value.acquire();
        if let Some(value) = &*value {
            return Ok(Arc::clone(value));
        }
        let made = Arc::new(make()?);
        *value = Some(Arc::clone(&made));
        Ok(made)
    }
}

/// The singleton: all primes up to a limit.
static PRIMES: Lazy<Vec<usize>> = Lazy::new();

/// How often somebody tried to make it.
static TRIES: Lock<usize> = Lock::new(0);

fn primes(limit: usize) -> Result<Arc<Vec<usize>>, &'static str> {
    PRIMES.get_or_make(|| {
        *TRIES.acquire() += 1;
        // As if a file were not there yet, or a server did not answer.
        if *TRIES.acquire() == 1 { Err("the first try fails") } else { Ok(sieve(limit)) }
    })
}

fn sieve(limit: usize) -> Vec<usize> {
    let mut is_prime = vec![true; limit + 1];
    for number in (2..).take_while(|n| n * n <= limit) {
        if is_prime[number] {
            (number * number..=limit).step_by(number).for_each(|multiple| is_prime[multiple] = false);
        }
    }
    (2..=limit).filter(|&number| is_prime[number]).collect()
}

fn main() {
    let [threads, limit] = sizes::from_arguments(
        "Threads that want the same value, which is made once.",
        [
            ("THREADS", "that want it", 2..=64, 8),
            ("LIMIT", "up to where primes are looked for", 2..=100_000_000, 100_000),
        ],
    );

    // All ask at the same time.
    let start = Barrier::new(threads as u32);
    let answers: Vec<_> = thread::scope(|s| {
        let ask = || {
            start.wait().unwrap();
            primes(limit)
        };
        let threads: Vec<_> = (0..threads).map(|_| s.spawn(ask)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let failures: Vec<_> = answers.iter().filter_map(|answer| answer.clone().err()).collect();
    let values: Vec<_> = answers.into_iter().flatten().collect();
    let tries = *TRIES.acquire();
    assert_eq!((tries, &failures[..]), (2, &["the first try fails"][..]));
    assert!(values.iter().all(|value| Arc::ptr_eq(value, &values[0])), "there are two of it");
    assert_eq!(primes(limit).as_ref(), Ok(&values[0]));
    assert_eq!(*TRIES.acquire(), tries, "it was made again");

    println!("{threads} threads wanted the primes up to {limit}.");
    println!("The first try failed, and told one thread: {}.", failures[0]);
    println!("The second made {} primes, and {} threads got the same.", values[0].len(), values.len());
}
