//! The condition: when nobody waits, a bounded buffer, and many that wait at once.

use std::collections::VecDeque;
use std::hint::black_box;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::*};

use crate::crew::{Apart, Crew};
use crate::peers::conditions::{Futon, Monitor, ParkingLot, Pthread, Std, Usync};
use crate::turns::{Contender, Group, Turns};

pub fn uncontended() -> Group<'static> {
    fn contender<M: Monitor<u32>>() -> Contender<'static> {
        let monitor = Box::new(Apart(M::new(0)));
        Contender::alone(M::NAME, move || black_box(&monitor.0).notify_one(0))
    }
    let limit = Box::new(Apart(AtomicU32::new(0)));
    let contenders = vec![
        contender::<Futon<u32>>(),
        contender::<Std<u32>>(),
        contender::<ParkingLot<u32>>(),
        contender::<Usync<u32>>(),
        contender::<Pthread<u32>>(),
        Contender::alone("limit: load", move || black_box(&limit.0).load(Relaxed)),
    ];
    Group::new("condition/notify nobody", "notify_one", contenders)
}

pub fn contended(crew: &Crew, turns: &mut Turns) {
    for (name, notify) in [
        ("condition/bounded buffer, notified while locked", Notify::WhileLocked),
        ("condition/bounded buffer, notified after", Notify::After),
    ] {
        for pairs in [1, 4] {
            let contenders = vec![
                bounded_buffer::<Futon<_>>(crew, pairs, notify),
                bounded_buffer::<Std<_>>(crew, pairs, notify),
                bounded_buffer::<ParkingLot<_>>(crew, pairs, notify),
                bounded_buffer::<Usync<_>>(crew, pairs, notify),
                bounded_buffer::<Pthread<_>>(crew, pairs, notify),
            ];
            let cell = [("producers", pairs), ("consumers", pairs)];
            turns.run(Group::new(name, "item", contenders).cell(&cell));
        }
    }
    let contenders = vec![
        notify_all::<Futon<_>>(crew, 15),
        notify_all::<Std<_>>(crew, 15),
        notify_all::<ParkingLot<_>>(crew, 15),
        notify_all::<Usync<_>>(crew, 15),
        notify_all::<Pthread<_>>(crew, 15),
    ];
    turns.run(Group::new("condition/notify_all", "round", contenders).cell(&[("waiters", 15)]));
}

/// When those who have changed the buffer tell the others.
#[derive(Clone, Copy, PartialEq)]
enum Notify {
    WhileLocked,
    After,
}

const ROOM: usize = 8;
const IS_NOT_FULL: usize = 0;
const IS_NOT_EMPTY: usize = 1;

fn bounded_buffer<M: Monitor<VecDeque<u64>>>(crew: &Crew, pairs: u64, notify: Notify) -> Contender<'_> {
    let buffer = Box::new(Apart(M::new(VecDeque::with_capacity(ROOM))));
    Contender::by_rounds(M::NAME, move |rounds| {
        let each = rounds.div_ceil(pairs);
        let total = AtomicU64::new(0);
        let tell = |guard: M::Guard<'_>, condition| {
            if notify == Notify::WhileLocked {
                buffer.0.notify_one(condition);
                drop(guard);
            } else {
                drop(guard);
                buffer.0.notify_one(condition);
            }
        };
        let produce = || {
            for item in 1..=each {
                let guard = buffer.0.lock();
                let mut guard = buffer.0.wait_while(IS_NOT_FULL, guard, |items| items.len() == ROOM);
                guard.push_back(item);
                tell(guard, IS_NOT_EMPTY);
            }
        };
        let consume = || {
            let mut sum = 0;
            for _ in 0..each {
                let guard = buffer.0.lock();
                let mut guard = buffer.0.wait_while(IS_NOT_EMPTY, guard, |items| items.is_empty());
                sum += guard.pop_front().unwrap();
                tell(guard, IS_NOT_FULL);
            }
            total.fetch_add(sum, Relaxed);
        };
        let time =
            crew.run(2 * pairs as usize, |index| if index % 2 == 0 { produce() } else { consume() });
        assert_eq!(total.into_inner(), pairs * (each * (each + 1) / 2), "each item once");
        time.mul_f64(rounds as f64 / (each * pairs) as f64)
    })
}

#[derive(Default)]
struct Round {
    number: u64,
    arrived: u64,
}

const NEXT_ROUND: usize = 0;
const ALL_ARRIVED: usize = 1;

/// One thread begins a round and notifies all the others; the last of these notifies it.
fn notify_all<M: Monitor<Round>>(crew: &Crew, waiters: u64) -> Contender<'_> {
    Contender::by_rounds(M::NAME, move |rounds| {
        let monitor = Apart(M::new(Round { number: 0, arrived: waiters }));
        // All of them wait before the first round begins, and again before the lock is free in each.
        let is_done = |round: &Round| round.arrived == waiters;
        let ready = AtomicU64::new(0);
        let lead = || {
            while ready.load(Acquire) < waiters {
                std::thread::yield_now();
            }
            for _ in 0..rounds {
                let mut guard = monitor.0.lock();
                guard.number += 1;
                guard.arrived = 0;
                monitor.0.notify_all(NEXT_ROUND);
                drop(monitor.0.wait_while(ALL_ARRIVED, guard, |round| !is_done(round)));
            }
        };
        let follow = || {
            let mut guard = monitor.0.lock();
            ready.fetch_add(1, Release);
            for number in 1..=rounds {
                guard = monitor.0.wait_while(NEXT_ROUND, guard, |round| round.number < number);
                assert_eq!(guard.number, number);
                guard.arrived += 1;
                if is_done(&guard) {
                    monitor.0.notify_one(ALL_ARRIVED);
                }
            }
        };
        let time = crew.run(1 + waiters as usize, |index| if index == 0 { lead() } else { follow() });
        assert_eq!(monitor.0.lock().number, rounds);
        time
    })
}
