//! The hand-over: two threads that take turns, through a semaphore, an event or a condition.
//!
//! rsevents is not among the events: every few minutes a `wait` of its `ManualResetEvent` 0.3.1 did not
//! return, where the event was set, and cleared by the one who had waited while `set` was still under way.

use std::sync::atomic::{AtomicU64, Ordering::*};
use std::time::{Duration, Instant};

use crate::crew::{Apart, Crew, Places, pin};
use crate::peers::signals::{ByCondition, ByEvent, BySemaphore, Signal, Spinning};
use crate::peers::{Futex, conditions, events, semaphores};
use crate::turns::{Contender, Group, Sample, Turns};
use crate::work::spin;

/// How long each thread keeps the ball, so that the other one has fallen asleep.
const KEPT: Duration = Duration::from_micros(50);

/// In what way the ball is played.
#[derive(Clone, Copy)]
enum Way {
    /// Two CPUs, and back at once: the partner is running.
    AtOnce,
    /// Two CPUs, and each keeps the ball for a while: the partner is asleep.
    Kept,
    /// One CPU: the partner can not run, and so is asleep.
    OneCpu,
}

pub fn ping_pong(crew: &Crew, turns: &mut Turns) {
    for way in [Way::AtOnce, Way::Kept, Way::OneCpu] {
        let semaphores = vec![
            play::<BySemaphore<futon::Semaphore>>(crew, way),
            play::<BySemaphore<semaphores::Glibc>>(crew, way),
            play::<BySemaphore<semaphores::Tokio>>(crew, way),
            play::<BySemaphore<semaphores::AsyncLock>>(crew, way),
            play::<BySemaphore<semaphores::Std>>(crew, way),
            play::<BySemaphore<semaphores::ParkingLot>>(crew, way),
        ];
        let events = vec![
            play::<ByEvent<futon::Event>>(crew, way),
            play::<ByEvent<events::Std>>(crew, way),
            play::<ByEvent<events::ParkingLot>>(crew, way),
        ];
        let conditions = vec![
            play::<ByCondition<conditions::Futon<_>>>(crew, way),
            play::<ByCondition<conditions::Std<_>>>(crew, way),
            play::<ByCondition<conditions::ParkingLot<_>>>(crew, way),
            play::<ByCondition<conditions::Usync<_>>>(crew, way),
            play::<ByCondition<conditions::Pthread<_>>>(crew, way),
        ];
        let names = match way {
            Way::AtOnce => [
                "hand-over/semaphore, partner running",
                "hand-over/event, partner running",
                "hand-over/condition, partner running",
            ],
            Way::Kept => [
                "hand-over/semaphore, partner asleep",
                "hand-over/event, partner asleep",
                "hand-over/condition, partner asleep",
            ],
            Way::OneCpu => [
                "hand-over/semaphore, one CPU",
                "hand-over/event, one CPU",
                "hand-over/condition, one CPU",
            ],
        };
        for (name, mut contenders) in names.into_iter().zip([semaphores, events, conditions]) {
            contenders.push(play::<Futex>(crew, way));
            if matches!(way, Way::AtOnce) {
                contenders.push(play::<Spinning>(crew, way));
            }
            let unit = if matches!(way, Way::Kept) { "one way" } else { "round trip" };
            turns.run(Group::new(name, unit, contenders));
        }
    }
}

fn play<S: Signal>(crew: &Crew, way: Way) -> Contender<'_> {
    let signals = Box::new([Apart(S::new()), Apart(S::new())]);
    let round_trips = move |rounds: u64, apart: bool| {
        let passed = Apart(AtomicU64::new(0));
        let time = crew.run(2, |index| {
            let _pinned = pin(if apart { index } else { 0 });
            for _ in 0..rounds {
                if index == 0 {
                    signals[0].0.give();
                    signals[1].0.take();
                } else {
                    signals[0].0.take();
                    signals[1].0.give();
                }
            }
            passed.0.fetch_add(rounds, Relaxed);
        });
        assert_eq!(passed.0.into_inner(), 2 * rounds);
        time
    };
    match way {
        Way::AtOnce => Contender::by_rounds(S::NAME, move |rounds| round_trips(rounds, true)),
        Way::OneCpu => Contender::by_rounds(S::NAME, move |rounds| round_trips(rounds, false)),
        Way::Kept => {
            let signals = [Apart(S::new()), Apart(S::new())];
            Contender::by_time(S::NAME, move |time| one_way(crew, &signals, time))
        }
    }
}

/// The time from just before the ball is given until it is taken.
fn one_way<S: Signal>(crew: &Crew, signals: &[Apart<S>; 2], time: Duration) -> Sample {
    let rounds = (time.as_nanos() / (2 * KEPT.as_nanos())).max(1);
    let start = Instant::now();
    let given = Apart(AtomicU64::new(0));
    let places = Places::<Vec<f64>>::new(2);
    crew.run(2, |index| {
        let _pinned = pin(index);
        // SAFETY: each thread has a place of its own.
        let nanos = unsafe { places.of(index) };
        let now = || start.elapsed().as_nanos() as u64;
        let give = || {
            spin(KEPT);
            given.0.store(now(), Relaxed);
            signals[index].0.give();
        };
        if index == 0 {
            give();
        }
        for round in 0..rounds {
            signals[1 - index].0.take();
            nanos.push((now() - given.0.load(Relaxed)) as f64);
            if index == 1 || round + 1 < rounds {
                give();
            }
        }
    });
    let nanos: Vec<_> = places.into_inner().flatten().collect();
    assert_eq!(nanos.len() as u128, 2 * rounds);
    Sample::median(&nanos)
}
