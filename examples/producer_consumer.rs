//! Threads that make work, threads that do it, and a queue between them.
//!
//! ```text
//! cargo run --release --example producer_consumer -- 3 4 100000
//! ```
//!
//! What to look at:
//!
//! * `take` waits for a *state*, under the lock that the state is changed under: [`Condition::wait_while`]
//!   looks, waits and looks again, so that it does not matter whether the notification or the wait is first.
//! * `put` wakes *one* thread, since one item is work for one. The end wakes *all*, since all have to see it.
//! * The end is part of the state: the queue is empty *and* nobody is left to fill it. A producer signs off
//!   when it is dropped, so that one that panics does not leave the consumers waiting for ever.
//!
//! The queue takes whatever comes; one that makes the producers wait is `bounded_buffer`.

mod sizes;

use std::cmp::Reverse;
use std::collections::VecDeque;
use std::thread;

use futon::{Condition, Lock};

/// Numbers that were made and not taken yet.
struct Queue {
    state: Lock<State>,
    changed: Condition,
}

struct State {
    numbers: VecDeque<u64>,
    /// How many may still put something in.
    producers: usize,
}

impl Queue {
    /// `None` in the end.
    fn take(&self) -> Option<u64> {
        let mut state = self.state.acquire();
        self.changed.wait_while(&mut state, |s| s.numbers.is_empty() && s.producers > 0);
        state.numbers.pop_front()
    }
}

/// The right to put something in.
struct Producer<'a>(&'a Queue);

impl Producer<'_> {
    fn put(&self, number: u64) {
        self.0.state.acquire().numbers.push_back(number);
        self.0.changed.notify_one();
    }
}

impl Drop for Producer<'_> {
    fn drop(&mut self) {
        self.0.state.acquire().producers -= 1;
        self.0.changed.notify_all();
    }
}

/// What the consumers have found out about their numbers.
#[derive(Debug, Default, PartialEq)]
struct Found {
    count: usize,
    sum: u64,
    /// The most steps, and the least number that takes them.
    longest: Option<(u32, Reverse<u64>)>,
}

impl Found {
    fn add(&mut self, number: u64) {
        let other = Self { count: 1, sum: number, longest: Some((collatz(number), Reverse(number))) };
        self.merge(other);
    }

    fn merge(&mut self, other: Self) {
        self.count += other.count;
        self.sum += other.sum;
        self.longest = self.longest.max(other.longest);
    }
}

/// The work: how many steps it is from a number to 1, if each halves it or makes it three times plus one.
fn collatz(mut number: u64) -> u32 {
    let mut steps = 0;
    while number != 1 {
        number = if number % 2 == 0 { number / 2 } else { 3 * number + 1 };
        steps += 1;
    }
    steps
}

fn main() {
    let [producers, consumers, count] = sizes::from_arguments(
        "Threads that make numbers, and threads that examine them.",
        [
            ("PRODUCERS", "threads that make numbers", 1..=64, 3),
            ("CONSUMERS", "threads that take them", 1..=64, 4),
            ("NUMBERS", "how many in all", 1..=10_000_000, 20_000),
        ],
    );
    let queue = Queue {
        state: Lock::new(State { numbers: VecDeque::new(), producers }),
        changed: Condition::new(),
    };

    let found = thread::scope(|s| {
        // They come before there is anything to take.
        let consume = || {
            let mut found = Found::default();
            while let Some(number) = queue.take() {
                found.add(number);
            }
            found
        };
        let consumers: Vec<_> = (0..consumers).map(|_| s.spawn(consume)).collect();
        for first in 1..=producers {
            let producer = Producer(&queue);
            s.spawn(move || (first..=count).step_by(producers).for_each(|n| producer.put(n as u64)));
        }
        let mut total = Found::default();
        consumers.into_iter().for_each(|consumer| total.merge(consumer.join().unwrap()));
        total
    });

    let mut alone = Found::default();
    (1..=count as u64).for_each(|number| alone.add(number));
    assert_eq!(found, alone, "a number was lost, or taken twice");

    let Found { count, sum, longest } = found;
    let (steps, Reverse(number)) = longest.unwrap();
    println!("{producers} producers, {consumers} consumers: {count} numbers, their sum is {sum}.");
    println!("By Collatz's rule {number} takes the most steps to 1: {steps}.");
    println!("A single thread finds the same.");
}
