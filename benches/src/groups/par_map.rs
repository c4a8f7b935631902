//! A map of an iterator by as many threads as there are CPUs, of items that take more and less. The thread that calls gets
//! the results. A slice is a map from its first item to its last, and all but rayon start their threads for it.

use std::thread;

use futon::{IteratorExt, Workers};
use rayon::ThreadPoolBuilder;
use rayon::iter::{IntoParallelIterator, ParallelIterator};

use crate::crew::pin;
use crate::peers::pipelines::*;
use crate::turns::{Contender, Group, Turns};
use crate::work::{steps, timed};

const NANOS_OF_WORK: [u64; 4] = [100, 1_000, 10_000, 100_000];

pub fn all(turns: &mut Turns) {
    let threads = thread::available_parallelism().map_or(2, usize::from);
    // Placed as those of the other groups are.
    let pool = ThreadPoolBuilder::new().num_threads(threads).start_handler(|index| drop(pin(index)));
    let pool = &pool.build().unwrap();
    for nanos in NANOS_OF_WORK {
        let work = move |item: u64| {
            std::hint::black_box(steps(item, nanos));
            item
        };
        let finish = |name, contenders| {
            let cell = [("threads", threads as u64), ("ns of work", nanos)];
            Group::new(name, "item", contenders).cell(&cell).longer(2, 2)
        };

        let futon = move |items, workers| {
            timed(1, || thread::scope(|s| check((0..items).par_map(s, workers, work), items)))
        };
        let channels = move |items| {
            let mut next = 0;
            timed(1, || by_channels_in_order(0..items, threads, work, |item| next = follow(next, item)))
        };
        let contenders = vec![
            Contender::by_rounds("futon", move |items| futon(items, Workers::new(threads))),
            Contender::by_rounds("futon by 16", move |items| {
                futon(items, Workers::new(threads).chunk(16))
            }),
            Contender::by_rounds("rayon, sorted", move |items| {
                timed(1, || check(by_rayon_in_order(0..items, pool, work), items))
            }),
            Contender::by_rounds("crossbeam-channel", channels),
            // It knows where each item will be.
            Contender::by_rounds("limit: rayon by index", move |items| {
                let map = || (0..items as usize).into_par_iter().map(|item| work(item as u64));
                timed(1, || check(pool.install(|| map().collect::<Vec<_>>()).into_iter(), items))
            }),
        ];
        turns.run(finish("par_map/in order", contenders));

        let futon = move |items, workers| {
            timed(1, || {
                let sum: u64 = thread::scope(|s| (0..items).par_map_unordered(s, workers, work).sum());
                check_sum(sum, items);
            })
        };
        let channels = move |items| {
            let mut sum = 0;
            let time = timed(1, || by_channels(0..items, threads, work, |_, item| sum += item));
            check_sum(sum, items);
            time
        };
        let contenders = vec![
            Contender::by_rounds("futon", move |items| futon(items, Workers::new(threads))),
            Contender::by_rounds("futon by 16", move |items| {
                futon(items, Workers::new(threads).chunk(16))
            }),
            Contender::by_rounds("rayon", move |items| {
                timed(1, || check_sum(by_rayon(0..items, pool, work).into_iter().sum(), items))
            }),
            Contender::by_rounds("crossbeam-channel", channels),
        ];
        turns.run(finish("par_map/as they come", contenders));
    }
}

/// Each result is the next one.
fn check(results: impl Iterator<Item = u64>, items: u64) {
    assert_eq!(results.fold(0, follow), items);
}

fn follow(next: u64, item: u64) -> u64 {
    assert_eq!(next, item, "in order");
    next + 1
}

fn check_sum(sum: u64, items: u64) {
    assert_eq!(sum, items * (items - 1) / 2, "each item once");
}
