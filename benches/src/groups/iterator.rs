//! One iterator for many threads. A slice is an iterator from its first item to its last: the number of
//! items is chosen to fill the slice.

use std::hint::black_box;
use std::iter;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::*};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crossbeam_channel::bounded;
use futon::{SharedIter, SharedRange};
use orx_concurrent_iter::{ChunkPuller, ConcurrentIter, IntoConcurrentIter, IterIntoConcurrentIter};
use rayon::iter::{IntoParallelIterator, ParallelBridge, ParallelIterator};
use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::crew::{Apart, Crew, pin};
use crate::turns::{Contender, Group, Turns};
use crate::work::{spin, steps, timed};

const THREADS: [usize; 5] = [1, 2, 4, 8, 16];

pub fn all(crew: &Crew, turns: &mut Turns) {
    for threads in THREADS {
        // Placed as the crew is.
        let pool =
            ThreadPoolBuilder::new().num_threads(threads).start_handler(|index| drop(pin(index)));
        let pool = pool.build().unwrap();
        let on = On { crew, threads, pool: &pool };

        let numbers = |items| 0..items;
        let backwards = |items| (0..items).map(move |i| items - 1 - i);
        let slow = |items| (0..items).inspect(|_| spin(Duration::from_micros(1)));
        let strings = |items| (0..items).map(|i: u64| i.to_string());

        let none = |item| black_box(item);
        let some = |item| {
            black_box(steps(item, 115));
            item
        };
        // With so few items it counts that no thread is idle at the end.
        let much = |item| {
            spin(Duration::from_micros(500));
            item
        };
        // Reads it and frees it.
        let parse =
            |text: String| text.bytes().fold(0, |number, digit| 10 * number + u64::from(digit - b'0'));

        turns.run(on.group("iterator/cheap next", backwards, none));
        turns.run(on.group("iterator/110 ns of work", numbers, some));
        turns.run(on.group("iterator/next of 1 µs", slow, none));
        turns.run(on.group("iterator/strings", strings, parse));
        turns.run(on.group("iterator/0.5 ms of work", numbers, much));
        turns.run(on.known_length());
    }
}

/// So many threads, and a pool of as many for rayon.
#[derive(Clone, Copy)]
struct On<'a> {
    crew: &'a Crew,
    threads: usize,
    pool: &'a ThreadPool,
}

impl<'a> On<'a> {
    /// All contenders, given iterators over so many items, and what to do with an item, which returns
    /// its number in the iterator. These are added up, and so nothing can be lost or come twice.
    fn group<I>(
        self,
        name: &'static str,
        make: impl Fn(u64) -> I + Copy + Sync + 'a,
        work: impl Fn(I::Item) -> u64 + Copy + Send + Sync + 'a,
    ) -> Group<'a>
    where
        I: Iterator<Item: Send> + Send,
    {
        let add = move |sum: u64, item| sum + work(item);
        let puller = move |items| {
            let shared = Apart(SharedIter::new(make(items)));
            self.add_up(items, || shared.0.puller().fold(0, add))
        };
        let one_by_one = move |items| {
            let shared = Apart(SharedIter::new(make(items)));
            self.add_up(items, || shared.0.into_iter().fold(0, add))
        };
        let std = move |items| {
            let shared = Apart(Mutex::new(make(items)));
            let next = || shared.0.lock().unwrap_or_else(PoisonError::into_inner).next();
            self.add_up(items, || iter::from_fn(next).fold(0, add))
        };
        let parking_lot = move |items| {
            let shared = Apart(parking_lot::Mutex::new(make(items)));
            let next = || shared.0.lock().next();
            self.add_up(items, || iter::from_fn(next).fold(0, add))
        };
        let orx = move |items| {
            let shared = make(items).iter_into_con_iter();
            self.add_up(items, || iter::from_fn(|| shared.next()).fold(0, add))
        };
        let orx_by_64 = move |items| {
            let shared = make(items).iter_into_con_iter();
            self.add_up(items, || shared.chunk_puller(64).flattened().fold(0, add))
        };
        let channel = move |items| {
            let (give, take) = bounded(1024);
            let give = Mutex::new(Some(give));
            let total = AtomicU64::new(0);
            let time = self.crew.run(self.threads + 1, |index| {
                if index == self.threads {
                    let give = give.lock().unwrap().take().unwrap();
                    make(items).for_each(|item| give.send(item).unwrap());
                } else {
                    total.fetch_add(take.iter().fold(0, add), Relaxed);
                }
            });
            check(total.into_inner(), items);
            time
        };
        let rayon = move |items| {
            timed(1, || {
                let sum = self.pool.install(|| make(items).par_bridge().map(work).sum());
                check(sum, items);
            })
        };
        self.finish(
            name,
            vec![
                Contender::by_rounds("futon puller", puller),
                Contender::by_rounds("futon one by one", one_by_one),
                Contender::by_rounds("std", std),
                Contender::by_rounds("parking_lot", parking_lot),
                Contender::by_rounds("orx", orx),
                Contender::by_rounds("orx by 64", orx_by_64),
                Contender::by_rounds("crossbeam-channel", channel),
                Contender::by_rounds("rayon", rayon),
            ],
        )
    }

    /// The same for a range, of which any part can be had without the parts before it.
    fn known_length(self) -> Group<'a> {
        let number = |i: usize| black_box(i) as u64;
        let add = move |sum, i| sum + number(i);
        let puller = move |items| {
            let shared = Apart(SharedRange::new(0..items as usize));
            self.add_up(items, || shared.0.puller().fold(0, add))
        };
        let fetch_add = move |items, by: usize| {
            let next = Apart(AtomicUsize::new(0));
            let end = items as usize;
            self.add_up(items, || {
                let start = || Some(next.0.fetch_add(by, Relaxed)).filter(|start| *start < end);
                iter::from_fn(start).flat_map(|start| start..end.min(start + by)).fold(0, add)
            })
        };
        let orx_by_64 = move |items| {
            let shared = (0..items as usize).into_con_iter();
            self.add_up(items, || shared.chunk_puller(64).flattened().fold(0, add))
        };
        let rayon = move |items| {
            timed(1, || {
                let sum = self.pool.install(|| (0..items as usize).into_par_iter().map(number).sum());
                check(sum, items);
            })
        };
        self.finish(
            "iterator/known length",
            vec![
                Contender::by_rounds("futon puller", puller),
                Contender::by_rounds("fetch_add by 1", move |items| fetch_add(items, 1)),
                Contender::by_rounds("fetch_add by 64", move |items| fetch_add(items, 64)),
                Contender::by_rounds("orx by 64", orx_by_64),
                Contender::by_rounds("rayon", rayon),
            ],
        )
    }

    fn finish(self, name: &'static str, contenders: Vec<Contender<'a>>) -> Group<'a> {
        Group::new(name, "item", contenders).cell(&[("threads", self.threads as u64)]).longer(2, 2)
    }

    /// Each thread adds up its own.
    fn add_up(self, items: u64, each: impl Fn() -> u64 + Sync) -> Duration {
        let total = AtomicU64::new(0);
        let time = self.crew.run(self.threads, |_| _ = total.fetch_add(each(), Relaxed));
        check(total.into_inner(), items);
        time
    }
}

fn check(sum: u64, items: u64) {
    assert_eq!(sum, items * (items - 1) / 2, "each item once");
}
