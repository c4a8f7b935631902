//! The queue: as many threads that put as threads that get.

use std::sync::atomic::{AtomicU64, Ordering::*};

use crate::crew::{Apart, Crew};
use crate::peers::queues::{Crossbeam, Flume, Kanal, Queue, Std};
use crate::turns::{Contender, Group, Turns};

pub fn flows(crew: &Crew, turns: &mut Turns) {
    for capacity in [Some(1), Some(64), None] {
        for pairs in [1, 2, 4] {
            let mut contenders = vec![
                flow::<futon::Queue<u64>>(crew, capacity, pairs),
                flow::<Crossbeam>(crew, capacity, pairs),
                flow::<Flume>(crew, capacity, pairs),
                flow::<Kanal>(crew, capacity, pairs),
            ];
            if pairs == 1 {
                contenders.push(flow::<Std>(crew, capacity, pairs));
            }
            let group = match (capacity, pairs) {
                (Some(_), 1) => "queue/bounded, one and one",
                (Some(_), _) => "queue/bounded, many",
                (None, 1) => "queue/unbounded, one and one",
                (None, _) => "queue/unbounded, many",
            };
            let cell = [("capacity", capacity.unwrap_or(0) as u64), ("puts and gets", pairs)];
            let cell = if capacity.is_some() { &cell[..] } else { &cell[1..] };
            turns.run(Group::new(group, "item", contenders).cell(cell));
        }
    }
}

fn flow<Q: Queue>(crew: &Crew, capacity: Option<usize>, pairs: u64) -> Contender<'_> {
    assert!(pairs == 1 || Q::HAS_MANY_GETTERS);
    Contender::by_rounds(Q::NAME, move |rounds| {
        let queue = Apart(Q::new(capacity));
        let sum = AtomicU64::new(0);
        // The same number for each thread, so that nobody has to be told the end.
        let each = rounds.div_ceil(pairs);
        let time = crew.run(2 * pairs as usize, |index| {
            if index % 2 == 0 {
                (0..each).for_each(|item| queue.0.put(item));
            } else {
                sum.fetch_add((0..each).map(|_| queue.0.get()).sum(), Relaxed);
            }
        });
        assert_eq!(sum.into_inner(), pairs * (each * (each - 1) / 2), "each item once");
        time
    })
}
