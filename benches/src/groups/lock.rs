//! The lock: alone, contended in many ways, and who gets how much of it.

use std::cell::Cell;
use std::hint::black_box;
use std::sync::atomic::{AtomicU32, Ordering::*};

use crate::crew::{Apart, Crew};
use crate::peers::mutexes::{Futon, Mutex, ParkingLot, Pthread, Std, Usync};
use crate::turns::{Contender, Group, Sample, Turns};
use crate::work::{steps, timed};

pub const THREADS: [u64; 4] = [2, 4, 8, 16];
const INSIDE: [u64; 3] = [2, 10, 300];
const OUTSIDE: [u64; 4] = [0, 100, 300, 1000];

/// Takes and releases it, with nobody else there.
pub fn uncontended() -> Group<'static> {
    fn contender<M: Mutex>() -> Contender<'static> {
        let mutex = Box::new(Apart(M::new()));
        Contender::by_rounds(M::NAME, move |rounds| {
            let before = mutex.0.with(|value| *value);
            let time = timed(rounds, || black_box(&mutex.0).with(|value| *value += 1));
            assert_eq!(mutex.0.with(|value| *value), before + rounds);
            time
        })
    }
    let contenders = vec![
        contender::<Futon>(),
        contender::<Std>(),
        contender::<ParkingLot>(),
        contender::<Usync>(),
        contender::<Pthread>(),
        limit(),
    ];
    Group::new("lock/uncontended", "acquire and release", contenders)
}

/// The least that a lock can do: one atomic operation to take it, one to see who waits.
pub fn limit() -> Contender<'static> {
    let limit = Box::new(Apart((AtomicU32::new(0), Cell::new(0u64))));
    Contender::alone("limit: CAS + swap", move || {
        let (word, value) = &black_box(&limit).0;
        word.compare_exchange(0, 1, Acquire, Relaxed).unwrap();
        value.set(value.get().wrapping_add(1));
        word.swap(0, Release)
    })
}

pub fn contended(crew: &Crew, turns: &mut Turns) {
    for threads in THREADS {
        for inside in INSIDE {
            for outside in OUTSIDE {
                let contenders = vec![
                    throughput::<Futon>(crew, threads, inside, outside),
                    throughput::<Std>(crew, threads, inside, outside),
                    throughput::<ParkingLot>(crew, threads, inside, outside),
                    throughput::<Usync>(crew, threads, inside, outside),
                    throughput::<Pthread>(crew, threads, inside, outside),
                ];
                let cell = [("threads", threads), ("inside", inside), ("outside", outside)];
                turns.run(Group::new("lock/contended", "acquire and release", contenders).cell(&cell));
            }
        }
    }
    // The same for so long that the scheduler has been round: who got how much of it?
    for threads in THREADS {
        let contenders = vec![
            throughput::<Futon>(crew, threads, 10, 100),
            throughput::<Std>(crew, threads, 10, 100),
            throughput::<ParkingLot>(crew, threads, 10, 100),
            throughput::<Usync>(crew, threads, 10, 100),
            throughput::<Pthread>(crew, threads, 10, 100),
        ];
        let group = Group::new("lock/share", "acquire and release", contenders);
        turns.run(group.cell(&[("threads", threads)]).longer(25, 4));
    }
}

fn throughput<M: Mutex>(crew: &Crew, threads: u64, inside: u64, outside: u64) -> Contender<'_> {
    let mutex = Box::new(Apart(M::new()));
    Contender::by_time(M::NAME, move |time| {
        let before = mutex.0.with(|value| *value);
        let (counts, took) = crew.run_for(threads as usize, time, |index, stop| {
            let mut times = 0;
            let mut number = index as u64;
            while !stop.load(Relaxed) {
                mutex.0.with(|value| {
                    *value += 1;
                    number = steps(number, inside);
                });
                number = steps(number, outside);
                times += 1;
            }
            black_box(number);
            times
        });
        let all = counts.iter().sum();
        assert_eq!(mutex.0.with(|value| *value), before + all, "mutual exclusion");
        let fair = all as f64 / threads as f64;
        let slowest = *counts.iter().min().unwrap() as f64 / fair;
        Sample { more: vec![("slowest share", slowest)], ..Sample::new(all, took) }
    })
}
