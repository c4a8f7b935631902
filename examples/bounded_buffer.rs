//! A buffer with room for so many items: whoever is too fast waits for the others.
//!
//! ```text
//! cargo run --release --example bounded_buffer -- 4 3 2 1000
//! ```
//!
//! What to look at:
//!
//! * Two [`Condition`]s share one [`Lock`], one for each thing to wait for. So each notification goes to
//!   a thread that can go on: who has put something in wakes a taker, and the other way round. With a single
//!   condition `notify_one` might wake a producer that finds the buffer still full, and nobody else.
//! * `put` and `take` let go of the lock before they notify: the thread that wakes finds it free.
//! * The end is an item too, one for each consumer, put in once the producers are done. (In
//!   `producer_consumer` the end is a state of the queue.)

mod sizes;

use std::collections::VecDeque;
use std::thread;

use futon::{Condition, Lock};

struct Buffer<T> {
    capacity: usize,
    state: Lock<State<T>>,
    not_full: Condition,
    not_empty: Condition,
}

struct State<T> {
    items: VecDeque<T>,
    /// How many items there were at once.
    most: usize,
}

impl<T> Buffer<T> {
    fn new(capacity: usize) -> Self {
        let state = Lock::new(State { items: VecDeque::new(), most: 0 });
        Self { capacity, state, not_full: Condition::new(), not_empty: Condition::new() }
    }

    fn put(&self, item: T) {
        let mut state = self.state.acquire();
        self.not_full.wait_while(&mut state, |s| s.items.len() == self.capacity);
        state.items.push_back(item);
        state.most = state.most.max(state.items.len());
        drop(state);
        self.not_empty.notify_one();
    }

    fn take(&self) -> T {
        let mut state = self.state.acquire();
        self.not_empty.wait_while(&mut state, |s| s.items.is_empty());
        let item = state.items.pop_front().unwrap();
        drop(state);
        self.not_full.notify_one();
        item
    }
}

/// Who has made it, and which of theirs it is.
type Item = (usize, usize);

/// Returns what each consumer has taken.
fn run(buffer: &Buffer<Option<Item>>, threads: (usize, usize), items: usize) -> Vec<Vec<Item>> {
    let (producers, consumers) = threads;
    let produce = |p| (0..items).for_each(|number| buffer.put(Some((p, number))));
    let consume = || std::iter::from_fn(|| buffer.take()).collect();
    thread::scope(|s| {
        let producers: Vec<_> = (0..producers).map(|p| s.spawn(move || produce(p))).collect();
        // Nothing is taken before the buffer is full. So it is not by luck that the limit is tried.
        while buffer.state.acquire().items.len() < buffer.capacity {
            thread::yield_now();
        }
        let consumers: Vec<_> = (0..consumers).map(|_| s.spawn(consume)).collect();
        producers.into_iter().for_each(|producer| producer.join().unwrap());
        consumers.iter().for_each(|_| buffer.put(None));
        consumers.into_iter().map(|consumer| consumer.join().unwrap()).collect()
    })
}

fn main() {
    let [capacity, producers, consumers, times] = sizes::from_arguments(
        "Threads that hand items to each other through a buffer of limited size.",
        [
            ("CAPACITY", "how many items the buffer has room for", 1..=1_000, 4),
            ("PRODUCERS", "threads that put items in", 1..=64, 3),
            ("CONSUMERS", "threads that take them out", 1..=64, 2),
            ("TIMES", "how often each producer could fill it", 1..=1_000, 500),
        ],
    );
    let (buffer, items) = (Buffer::new(capacity), capacity * times);
    let taken = run(&buffer, (producers, consumers), items);

    for (p, taken) in taken.iter().flat_map(|taken| (0..producers).map(move |p| (p, taken))) {
        let numbers = taken.iter().filter(|item| item.0 == p).map(|item| item.1);
        assert!(numbers.is_sorted(), "producer {p} was overtaken by itself");
    }
    let mut taken: Vec<_> = taken.into_iter().flatten().collect();
    taken.sort_unstable();
    let all = (0..producers).flat_map(|p| (0..items).map(move |number| (p, number)));
    assert!(taken.iter().copied().eq(all), "an item was lost, or taken twice");
    let State { items: rest, most } = buffer.state.into_inner();
    assert!(rest.is_empty(), "{} items were left", rest.len());
    assert_eq!(most, capacity, "so many were in the buffer at once");

    println!("{producers} producers, {consumers} consumers, room for {capacity}.");
    println!("{} items were taken, each exactly once.", taken.len());
    println!("There were never more than {most} in the buffer.");
}
