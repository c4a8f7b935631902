//! One iterator for many threads, beside a mutex around it and the peers.
//!
//! Each measurement is the time for a given number of items by all threads together, the start of the
//! threads included. Groups are named for what an item costs.

use std::hint::black_box;
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use futon::{SharedIter, SharedRange};
use orx_concurrent_iter::{ChunkPuller, ConcurrentIter, IterIntoConcurrentIter};

const THREADS: [usize; 4] = [1, 2, 4, 8];

/// Runs `worker` on so many threads.
fn on_threads(threads: usize, worker: impl Fn() + Sync) {
    thread::scope(|s| {
        for _ in 0..threads {
            s.spawn(&worker);
        }
    });
}

/// About 110 ns: steps that each wait for the one before.
fn steps(mut number: u64) -> u64 {
    for _ in 0..115 {
        number = black_box(number).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (number >> 29);
    }
    number
}

fn spin(time: Duration) {
    let end = Instant::now() + time;
    while Instant::now() < end {}
}

/// All contestants, each given the iterator that `make` makes and the work on an item.
fn compare<I>(
    c: &mut Criterion,
    name: &str,
    items: u64,
    make: impl Fn() -> I,
    work: impl Fn(I::Item) + Sync,
) where
    I: Iterator + Send,
    I::Item: Send,
{
    let mut group = c.benchmark_group(format!("iterator/{name}"));
    group.throughput(Throughput::Elements(items)).sample_size(10);
    group.warm_up_time(Duration::from_millis(200)).measurement_time(Duration::from_millis(800));
    for threads in THREADS {
        let id = |contestant| BenchmarkId::new(contestant, threads);
        group.bench_function(id("futon puller"), |b| {
            b.iter(|| {
                let shared = SharedIter::new(make());
                on_threads(threads, || shared.puller().for_each(&work));
            });
        });
        group.bench_function(id("futon one by one"), |b| {
            b.iter(|| {
                let shared = SharedIter::new(make());
                on_threads(threads, || shared.into_iter().for_each(&work));
            });
        });
        group.bench_function(id("parking_lot"), |b| {
            b.iter(|| {
                let shared = parking_lot::Mutex::new(make());
                let next = || shared.lock().next();
                on_threads(threads, || std::iter::from_fn(next).for_each(&work));
            });
        });
        group.bench_function(id("std"), |b| {
            b.iter(|| {
                let shared = Mutex::new(make());
                let next = || shared.lock().unwrap().next();
                on_threads(threads, || std::iter::from_fn(next).for_each(&work));
            });
        });
        group.bench_function(id("orx"), |b| {
            b.iter(|| {
                let shared = make().iter_into_con_iter();
                on_threads(threads, || std::iter::from_fn(|| shared.next()).for_each(&work));
            });
        });
        group.bench_function(id("orx by 64"), |b| {
            b.iter(|| {
                let shared = make().iter_into_con_iter();
                on_threads(threads, || shared.chunk_puller(64).flattened().for_each(&work));
            });
        });
    }
    group.finish();
}

fn cheap(c: &mut Criterion) {
    let make = || (0..2_000_000u64).map(|i| i ^ 5);
    compare(c, "cheap next", 2_000_000, make, |i| _ = black_box(i));
}

fn work(c: &mut Criterion) {
    compare(c, "110 ns of work", 200_000, || 0..200_000u64, |i| _ = black_box(steps(i)));
}

fn slow_next(c: &mut Criterion) {
    let make = || (0..20_000u64).inspect(|_| spin(Duration::from_micros(1)));
    compare(c, "next of 1 µs", 20_000, make, |i| _ = black_box(i));
}

fn strings(c: &mut Criterion) {
    let make = || (0..200_000u64).map(|i| i.to_string());
    compare(c, "strings", 200_000, make, |text| drop(black_box(text)));
}

/// What leaves no thread idle at the end: 100 items of half a millisecond are 25 ms of work for two.
fn few_and_slow(c: &mut Criterion) {
    compare(c, "0.5 ms of work", 100, || 0..100u64, |_| spin(Duration::from_micros(500)));
}

fn known_length(c: &mut Criterion) {
    use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

    const ITEMS: usize = 8_000_000;
    let mut group = c.benchmark_group("iterator/known length");
    group.throughput(Throughput::Elements(ITEMS as u64)).sample_size(10);
    group.warm_up_time(Duration::from_millis(200)).measurement_time(Duration::from_millis(800));
    for threads in THREADS {
        let id = |contestant| BenchmarkId::new(contestant, threads);
        group.bench_function(id("futon puller"), |b| {
            b.iter(|| {
                let range = SharedRange::new(0..ITEMS);
                on_threads(threads, || range.puller().for_each(|i| _ = black_box(i)));
            });
        });
        group.bench_function(id("limit: fetch_add by 64"), |b| {
            b.iter(|| {
                let next = AtomicUsize::new(0);
                on_threads(threads, || {
                    loop {
                        let start = next.fetch_add(64, Relaxed);
                        if start >= ITEMS {
                            break;
                        }
                        (start..ITEMS.min(start + 64)).for_each(|i| _ = black_box(i));
                    }
                });
            });
        });
    }
    group.finish();
}

criterion_group!(benches, cheap, work, slow_next, strings, few_and_slow, known_length);
criterion_main!(benches);
