//! The lock beside std's and parking_lot's.

use std::hint::black_box;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use criterion::Criterion;
use futon::Lock;
use futon_benches::{alone, compare, together};

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    uncontended(&mut criterion);
    for threads in [2, 4, 8] {
        contended(&mut criterion, threads);
    }
    criterion.final_summary();
}

/// Take and release, with nobody else there.
fn uncontended(criterion: &mut Criterion) {
    let std = Mutex::new(0u32);
    let parking_lot = parking_lot::Mutex::new(0u32);
    let futon = Lock::new(0u32);
    // The least that a lock can do: one atomic operation to take it, one to see who waits.
    let (word, value) = (AtomicU32::new(0), std::cell::Cell::new(0u32));
    let limit = || {
        black_box(&word).compare_exchange(0, 1, Ordering::Acquire, Ordering::Relaxed).unwrap();
        value.set(value.get().wrapping_add(1));
        black_box(&word).swap(0, Ordering::Release)
    };

    compare(
        criterion,
        "lock, uncontended",
        &[
            ("std", alone(|| add_one(&mut black_box(&std).lock().unwrap()))),
            ("parking_lot", alone(|| add_one(&mut black_box(&parking_lot).lock()))),
            ("futon", alone(|| add_one(&mut black_box(&futon).acquire()))),
            ("limit", alone(limit)),
        ],
    );
}

/// Threads that do nothing but take the lock and release it soon.
fn contended(criterion: &mut Criterion, threads: u64) {
    let std = Mutex::new(0);
    let parking_lot = parking_lot::Mutex::new(0);
    let futon = Lock::new(0);

    compare(
        criterion,
        &format!("lock, {threads} threads"),
        &[
            ("std", together(threads, || add_one(&mut std.lock().unwrap()))),
            ("parking_lot", together(threads, || add_one(&mut parking_lot.lock()))),
            ("futon", together(threads, || add_one(&mut futon.acquire()))),
        ],
    );
}

fn add_one(value: &mut u32) {
    *value = value.wrapping_add(1);
}
