//! The re-entrant lock: its first level, the levels above, and with other threads.

use std::cell::Cell;
use std::hint::black_box;
use std::sync::atomic::Ordering::Relaxed;

use super::lock::limit;
use crate::crew::{Apart, Crew};
use crate::peers::mutexes::{self, Mutex};
use crate::peers::reentrant::{Futon, ParkingLot, PthreadRecursive, Reentrant, Usync};
use crate::turns::{Contender, Group, Sample, Turns};
use crate::work::{steps, timed};

fn add_one(value: &Cell<u64>) {
    value.set(value.get() + 1);
}

pub fn uncontended() -> [Group<'static>; 2] {
    let first = vec![
        first_level::<Futon>(),
        first_level::<ParkingLot>(),
        first_level::<Usync>(),
        first_level::<PthreadRecursive>(),
        plain_lock(),
        limit(),
    ];
    let nested = vec![
        nested_level::<Futon>(),
        nested_level::<ParkingLot>(),
        nested_level::<Usync>(),
        nested_level::<PthreadRecursive>(),
        limit(),
    ];
    [
        Group::new("rlock/first level", "acquire and release", first),
        Group::new("rlock/nested level", "acquire and release", nested),
    ]
}

fn first_level<R: Reentrant>() -> Contender<'static> {
    let mutex = Box::new(Apart(R::new()));
    Contender::by_rounds(R::NAME, move |rounds| {
        let before = mutex.0.with(Cell::get);
        let time = timed(rounds, || black_box(&mutex.0).with(add_one));
        assert_eq!(mutex.0.with(Cell::get), before + rounds);
        time
    })
}

fn nested_level<R: Reentrant>() -> Contender<'static> {
    let mutex = Box::new(Apart(R::new()));
    Contender::by_rounds(R::NAME, move |rounds| {
        mutex.0.with(|value| {
            let before = value.get();
            let time = timed(rounds, || black_box(&mutex.0).with(add_one));
            assert_eq!(value.get(), before + rounds);
            time
        })
    })
}

/// The lock that can not be taken again.
fn plain_lock() -> Contender<'static> {
    let lock = Box::new(Apart(mutexes::Futon::new(0)));
    Contender::alone("futon Lock", move || black_box(&lock.0).with(|value| *value += 1))
}

pub fn contended(crew: &Crew, turns: &mut Turns) {
    for threads in [2, 8] {
        let contenders = vec![
            together::<Futon>(crew, threads),
            together::<ParkingLot>(crew, threads),
            together::<Usync>(crew, threads),
            together::<PthreadRecursive>(crew, threads),
        ];
        let group = Group::new("rlock/contended", "two levels", contenders);
        turns.run(group.cell(&[("threads", threads)]));
    }
}

/// Two levels each time, 10 steps inside and 100 outside.
fn together<R: Reentrant>(crew: &Crew, threads: u64) -> Contender<'_> {
    let mutex = Box::new(Apart(R::new()));
    Contender::by_time(R::NAME, move |time| {
        let before = mutex.0.with(Cell::get);
        let (counts, took) = crew.run_for(threads as usize, time, |index, stop| {
            let mut times = 0;
            let mut number = index as u64;
            while !stop.load(Relaxed) {
                mutex.0.with(|value| {
                    mutex.0.with(add_one);
                    number = steps(number, 10);
                    black_box(value);
                });
                number = steps(number, 100);
                times += 1;
            }
            black_box(number);
            times
        });
        let all = counts.iter().sum();
        assert_eq!(mutex.0.with(Cell::get), before + all, "mutual exclusion");
        Sample::new(all, took)
    })
}
