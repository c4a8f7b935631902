//! The semaphore: alone, and with more threads than permits.

use std::hint::black_box;
use std::sync::atomic::{AtomicU32, Ordering::*};

use crate::crew::{Apart, Crew};
use crate::peers::semaphores::{AsyncLock, Glibc, ParkingLot, Semaphore, Std, Tokio};
use crate::turns::{Contender, Group, Sample, Turns};
use crate::work::steps;

pub fn uncontended() -> Group<'static> {
    fn contender<S: Semaphore>() -> Contender<'static> {
        let semaphore = Box::new(Apart(S::new(1)));
        Contender::alone(S::NAME, move || black_box(&semaphore.0).with(|| ()))
    }
    let limit = Box::new(Apart(AtomicU32::new(1)));
    let limit = Contender::alone("limit: CAS + fetch_add", move || {
        let permits = &black_box(&limit).0;
        let before = permits.load(Relaxed);
        permits.compare_exchange(before, before - 1, Acquire, Relaxed).unwrap();
        permits.fetch_add(1, Release)
    });
    let contenders = vec![
        contender::<futon::Semaphore>(),
        contender::<Glibc>(),
        contender::<Tokio>(),
        contender::<AsyncLock>(),
        contender::<Std>(),
        contender::<ParkingLot>(),
        limit,
    ];
    Group::new("semaphore/uncontended", "acquire and release", contenders)
}

pub fn contended(crew: &Crew, turns: &mut Turns) {
    for (inside, outside) in [(2, 0), (10, 100)] {
        for threads in [2, 8] {
            for permits in [1, 4] {
                let contenders = vec![
                    throughput::<futon::Semaphore>(crew, threads, permits, inside, outside),
                    throughput::<Glibc>(crew, threads, permits, inside, outside),
                    throughput::<Tokio>(crew, threads, permits, inside, outside),
                    throughput::<AsyncLock>(crew, threads, permits, inside, outside),
                    throughput::<Std>(crew, threads, permits, inside, outside),
                    throughput::<ParkingLot>(crew, threads, permits, inside, outside),
                ];
                let cell = [
                    ("threads", threads),
                    ("permits", permits.into()),
                    ("inside", inside),
                    ("outside", outside),
                ];
                let group = Group::new("semaphore/contended", "acquire and release", contenders);
                turns.run(group.cell(&cell));
            }
        }
    }
}

fn throughput<S: Semaphore>(
    crew: &Crew,
    threads: u64,
    permits: u32,
    inside: u64,
    outside: u64,
) -> Contender<'_> {
    let semaphore = Box::new(Apart(S::new(permits)));
    // With one permit, what is not an atomic addition must not lose anything.
    let total = Box::new(Apart(AtomicU32::new(0)));
    Contender::by_time(S::NAME, move |time| {
        let before = total.0.load(Relaxed);
        let (counts, took) = crew.run_for(threads as usize, time, |index, stop| {
            let mut times = 0;
            let mut number = index as u64;
            while !stop.load(Relaxed) {
                semaphore.0.with(|| {
                    if permits == 1 {
                        total.0.store(total.0.load(Relaxed).wrapping_add(1), Relaxed);
                    }
                    number = steps(number, inside);
                });
                number = steps(number, outside);
                times += 1;
            }
            black_box(number);
            times
        });
        let all: u64 = counts.iter().sum();
        if permits == 1 {
            assert_eq!(total.0.load(Relaxed), before.wrapping_add(all as u32), "one at a time");
        }
        // All permits must be there again, or this does not return.
        (0..permits).for_each(|_| semaphore.0.acquire());
        (0..permits).for_each(|_| semaphore.0.release());
        Sample::new(all, took)
    })
}
