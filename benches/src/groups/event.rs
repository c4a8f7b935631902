//! The event: when nobody waits, and what it takes to wake so many.

use std::hint::black_box;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::*};
use std::thread;
use std::time::{Duration, Instant};

use rsevents::ManualResetEvent;

use crate::crew::{Apart, Crew, Places};
use crate::peers::events::{Event, ParkingLot, Std};
use crate::peers::{ALL, Futex};
use crate::turns::{Contender, Group, Sample, Turns};

pub fn uncontended() -> [Group<'static>; 2] {
    let word = || Box::new(Apart(AtomicU32::new(0)));
    let (flag, other) = (word(), word());
    let limit = Contender::alone("limit: two RMWs", move || {
        black_box(&flag).0.fetch_or(1, Release);
        black_box(&flag).0.fetch_and(!1, Acquire)
    });
    let contenders = vec![
        set_and_clear::<futon::Event>(),
        set_and_clear::<ManualResetEvent>(),
        set_and_clear::<Std>(),
        set_and_clear::<ParkingLot>(),
        limit,
    ];
    let first = Group::new("event/set and clear", "set and clear", contenders);

    other.0.store(1, Relaxed);
    let limit = Contender::alone("limit: load", move || {
        if black_box(&other).0.load(Acquire) & 1 == 0 {
            thread::park();
        }
    });
    let contenders = vec![
        wait_when_set::<futon::Event>(),
        wait_when_set::<ManualResetEvent>(),
        wait_when_set::<Std>(),
        wait_when_set::<ParkingLot>(),
        limit,
    ];
    [first, Group::new("event/wait when set", "wait", contenders)]
}

fn set_and_clear<E: Event>() -> Contender<'static> {
    let event = Box::new(Apart(E::new()));
    Contender::alone(E::NAME, move || {
        black_box(&event.0).set();
        black_box(&event.0).clear();
    })
}

fn wait_when_set<E: Event>() -> Contender<'static> {
    let event = Box::new(Apart(E::new()));
    event.0.set();
    Contender::alone(E::NAME, move || black_box(&event.0).wait())
}

pub fn waking(crew: &Crew, turns: &mut Turns) {
    for waiters in [1, 4, 16, 64] {
        let contenders = vec![
            wake::<futon::Event>(crew, waiters),
            wake::<ManualResetEvent>(crew, waiters),
            wake::<Std>(crew, waiters),
            wake::<ParkingLot>(crew, waiters),
            wake::<Futex>(crew, waiters),
        ];
        let group = Group::new("event/wake", "from set until the last one runs", contenders);
        turns.run(group.cell(&[("waiters", waiters)]).longer(2, 1));
    }
}

/// How long they get to fall asleep: after the last one has said that it is about to.
fn until_asleep(waiters: u64) -> Duration {
    Duration::from_micros(200 + 5 * waiters)
}

fn wake<E: Event>(crew: &Crew, waiters: u64) -> Contender<'_> {
    const STOP: u32 = u32::MAX;

    let event = Box::new(Apart(E::new()));
    Contender::by_time(E::NAME, move |time| {
        let (round, done) = (Apart(Futex::default()), Apart(Futex::default()));
        let (about_to_wait, awake) = (Apart(AtomicU64::new(0)), Apart(AtomicU64::new(0)));
        let start = Instant::now();
        let ended = AtomicU64::new(0);
        let now = || start.elapsed().as_nanos() as u64;

        let driver = |nanos: &mut Vec<f64>| {
            let mut number = 0;
            while start.elapsed() < time || nanos.is_empty() {
                event.0.clear();
                about_to_wait.0.store(0, Relaxed);
                awake.0.store(0, Relaxed);
                number += 1;
                round.0.set(number, ALL);
                while about_to_wait.0.load(Acquire) < waiters {
                    thread::yield_now();
                }
                let all_here = Instant::now();
                while all_here.elapsed() < until_asleep(waiters) {
                    thread::yield_now();
                }
                let began = now();
                event.0.set();
                done.0.wait(number - 1);
                assert_eq!(awake.0.load(Relaxed), waiters);
                nanos.push((ended.load(Relaxed) - began) as f64);
            }
            // They wait for the next round.
            round.0.set(STOP, ALL);
        };
        let waiter = || {
            let mut number = 0;
            loop {
                round.0.wait(number);
                number = round.0.0.load(Acquire);
                if number == STOP {
                    break;
                }
                about_to_wait.0.fetch_add(1, Release);
                event.0.wait();
                if awake.0.fetch_add(1, AcqRel) + 1 == waiters {
                    ended.store(now(), Relaxed);
                    done.0.set(number, 1);
                }
            }
        };
        let places = Places::<Vec<f64>>::new(1);
        crew.run(1 + waiters as usize, |index| match index {
            // SAFETY: this thread alone uses the place.
            0 => driver(unsafe { places.of(0) }),
            _ => waiter(),
        });
        let nanos: Vec<_> = places.into_inner().flatten().collect();
        Sample::median(&nanos)
    })
}
