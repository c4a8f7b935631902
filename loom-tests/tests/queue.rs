//! The queue: threads that put, get, run out of time, close and join at once.

mod checking;

use std::cell::Cell;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use checking::{IS_AT_RANDOM, Seen, Slot, Unprotected, check_bounded, cost};
use futon_model::atomic::model::{Calls, calls, check};
use futon_model::atomic::yield_now;
use futon_model::{Closed, Container, GetError, PutError, Queue, TaskDoneError};
use loom::thread;

const SOON: Duration = Duration::from_secs(1);

/// A number that was written down without protection, by whoever puts it in.
struct Item(Unprotected);

impl Item {
    fn new(number: u32) -> Self {
        let item = Self(Unprotected::new(0));
        item.0.set(number);
        item
    }

    fn number(self) -> u32 {
        self.0.get()
    }
}

type Shared<C = VecDeque<Item>> = Arc<Queue<Item, C>>;

fn unbounded() -> Shared {
    Arc::new(Queue::new())
}

fn bounded(capacity: usize) -> Shared {
    Arc::new(Queue::bounded(capacity))
}

/// With these in it, and no room for more.
fn full_of<const N: usize>(numbers: [u32; N]) -> Shared {
    Arc::new(Queue::bounded_with_container(N, numbers.map(Item::new).into()))
}

/// The same, and all of it has been made ready to be got: by a get, whose item is done.
fn ready_of<const N: usize>(numbers: [u32; N]) -> Shared {
    let items = [99].into_iter().chain(numbers).map(Item::new);
    let queue = Arc::new(Queue::bounded_with_container(N, items.collect()));
    assert_eq!(get(&queue).map(Item::number), Some(99));
    queue.task_done().unwrap();
    assert!(queue.is_full());
    queue
}

fn until(condition: impl Fn() -> bool) {
    while !condition() {
        yield_now();
    }
}

/// Nobody waits, and the lock is free.
#[track_caller]
fn assert_left<C: Container<Item>>(queue: &Queue<Item, C>) {
    assert_eq!(queue.waiters(), 0);
    assert!(!format!("{queue:?}").contains("locked"));
}

/// Puts an item in, in some way. It comes back if it was not put in.
type Put = fn(&Queue<Item>, Item) -> Result<(), Item>;

fn put(queue: &Queue<Item>, item: Item) -> Result<(), Item> {
    queue.put(item).map_err(Closed::into_inner)
}

fn try_put(queue: &Queue<Item>, item: Item) -> Result<(), Item> {
    queue.try_put(item).map_err(PutError::into_inner)
}

fn put_with_a_timeout(queue: &Queue<Item>, item: Item) -> Result<(), Item> {
    queue.put_timeout(item, SOON).map_err(PutError::into_inner)
}

fn put_with_a_deadline(queue: &Queue<Item>, item: Item) -> Result<(), Item> {
    queue.put_deadline(item, Instant::now() + SOON).map_err(PutError::into_inner)
}

/// Gets an item out, in some way, if there is one.
type Get = fn(&Queue<Item>) -> Option<Item>;

fn get(queue: &Queue<Item>) -> Option<Item> {
    queue.get().ok()
}

fn try_get(queue: &Queue<Item>) -> Option<Item> {
    queue.try_get().ok()
}

fn get_with_a_timeout(queue: &Queue<Item>) -> Option<Item> {
    queue.get_timeout(SOON).ok()
}

fn get_with_a_deadline(queue: &Queue<Item>) -> Option<Item> {
    queue.get_deadline(Instant::now() + SOON).ok()
}

/// What a thread does with its items: it puts them in, or gets some out.
#[derive(Clone, Copy)]
enum Deed {
    Puts(&'static [Put]),
    Gets(&'static [Get]),
    Closes,
    ClosesNow,
}

use Deed::*;

/// What has become of items: they were got, in this order, or have come back.
#[derive(Default)]
struct Fate {
    got: Vec<u32>,
    back: Vec<u32>,
}

impl Deed {
    /// Does it, with items whose numbers begin with this one.
    fn run(self, queue: &Queue<Item>, first: u32) -> Fate {
        let mut fate = Fate::default();
        match self {
            Puts(ways) => {
                for (way, number) in ways.iter().zip(first..) {
                    fate.back.extend(way(queue, Item::new(number)).err().map(Item::number));
                }
            }
            Gets(ways) => {
                fate.got.extend(ways.iter().filter_map(|way| way(queue)).map(Item::number));
            }
            Closes => queue.close(),
            ClosesNow => fate.back.extend(queue.close_now().into_iter().map(Item::number)),
        }
        fate
    }
}

/// Threads do these at once, the first of them the thread of the model itself. Each item is got, comes back or is left: one
/// of these, and once; and those that one thread has put in and one has got come in their order.
///
/// Returns how many were got, came back and are left.
fn each_once<const N: usize>(queue: &Shared, deeds: [Deed; N]) -> (usize, usize, usize) {
    let mut all: Vec<u32> = (0..queue.len() as u32).collect();
    for (deed, first) in deeds.iter().zip((10..).step_by(10)) {
        if let Puts(ways) = deed {
            all.extend(first..first + ways.len() as u32);
        }
    }
    let others: Vec<_> = (1..N)
        .map(|index| {
            let (deed, theirs) = (deeds[index], queue.clone());
            thread::spawn(move || deed.run(&theirs, 10 * (1 + index as u32)))
        })
        .collect();
    let mut fates = vec![deeds[0].run(queue, 10)];
    fates.extend(others.into_iter().map(|other| other.join().unwrap()));
    assert_left(queue);
    let left: Vec<u32> = std::iter::from_fn(|| try_get(queue)).map(Item::number).collect();
    for got in fates.iter().map(|fate| &fate.got).chain([&left]) {
        let of_one = |who| got.iter().filter(move |&&number| number / 10 == who);
        assert!((0..=N as u32).all(|who| of_one(who).is_sorted()), "out of order: {got:?}");
    }
    let got: Vec<u32> = fates.iter().flat_map(|fate| fate.got.clone()).collect();
    let back: Vec<u32> = fates.iter().flat_map(|fate| fate.back.clone()).collect();
    let counts = (got.len(), back.len(), left.len());
    let mut seen = [got, back, left].concat();
    seen.sort_unstable();
    assert_eq!(seen, all, "an item was lost or doubled");
    counts
}

/// Runs the deeds in many ways. These are the things that come of it: how many were got, came back and are left.
fn racing_to<const N: usize, const M: usize>(
    preemptions: usize,
    make: fn() -> Shared,
    deeds: [Deed; N],
    counts: [(usize, usize, usize); M],
) {
    let seen = Arc::new(Seen::new());
    let add = seen.clone();
    check_bounded(preemptions, move || add.add(each_once(&make(), deeds)));
    seen.assert_is(counts);
}

/// Runs `f` on another thread, and this on the one of the model.
fn beside<Q: Send + Sync + 'static, R: Send + 'static, S>(
    queue: &Arc<Q>,
    f: impl FnOnce(&Q) -> R + Send + 'static,
    here: impl FnOnce(&Q) -> S,
) -> (R, S) {
    let theirs = queue.clone();
    let other = thread::spawn(move || f(&theirs));
    let ours = here(queue);
    (other.join().unwrap(), ours)
}

// Each item goes to one thread, which sees what came before

#[test]
fn a_put_racing_with_a_get() {
    racing_to(3, unbounded, [Gets(&[get]), Puts(&[put])], [(1, 0, 0)]);
    racing_to(3, unbounded, [Gets(&[get]), Puts(&[try_put])], [(1, 0, 0)]);
    racing_to(3, unbounded, [Gets(&[get]), Puts(&[put_with_a_timeout])], [(1, 0, 0)]);
    racing_to(3, unbounded, [Gets(&[get]), Puts(&[put_with_a_deadline])], [(1, 0, 0)]);
    racing_to(3, unbounded, [Gets(&[try_get]), Puts(&[put])], [(1, 0, 0), (0, 0, 1)]);
}

#[test]
fn puts_one_after_the_other_racing_with_gets() {
    racing_to(3, unbounded, [Gets(&[get, get]), Puts(&[put, put])], [(2, 0, 0)]);
    racing_to(3, || bounded(1), [Gets(&[get, get]), Puts(&[put, put])], [(2, 0, 0)]);
}

#[test]
fn two_puts_racing_with_a_thread_that_gets_both() {
    let deeds = [Gets(&[get, get]), Puts(&[put]), Puts(&[put])];
    racing_to(2, unbounded, deeds, [(2, 0, 0)]);
    racing_to(1, || bounded(1), deeds, [(2, 0, 0)]);
}

#[test]
fn two_gets_racing_with_a_thread_that_puts_for_both() {
    let deeds = [Puts(&[put, put]), Gets(&[get]), Gets(&[get])];
    racing_to(1, unbounded, deeds, [(2, 0, 0)]);
    racing_to(1, || bounded(1), deeds, [(2, 0, 0)]);
    let one = [Puts(&[put]), Gets(&[try_get]), Gets(&[try_get])];
    racing_to(2, unbounded, one, [(1, 0, 0), (0, 0, 1)]);
}

// Room

#[test]
fn a_put_into_a_full_queue_racing_with_a_get() {
    let full = || full_of([0]);
    racing_to(3, full, [Gets(&[get]), Puts(&[put])], [(1, 0, 1)]);
    racing_to(3, full, [Gets(&[get, get]), Puts(&[put])], [(2, 0, 0)]);
    racing_to(3, full, [Gets(&[get]), Puts(&[try_put])], [(1, 0, 1), (1, 1, 0)]);
    racing_to(2, || full_of([0, 1]), [Gets(&[get]), Puts(&[put])], [(1, 0, 2)]);
}

#[test]
fn two_puts_into_a_full_queue_racing_with_gets() {
    racing_to(1, || full_of([0]), [Gets(&[get, get]), Puts(&[put]), Puts(&[put])], [(2, 0, 1)]);
}

#[test]
fn two_gets_racing_with_a_put_into_a_full_queue() {
    racing_to(2, || full_of([0]), [Puts(&[put]), Gets(&[get]), Gets(&[get])], [(2, 0, 0)]);
}

/// The one who gets does not come to the lock of those who put, but for those who wait.
#[test]
fn a_put_racing_with_a_get_of_what_is_ready() {
    let full = || ready_of([0]);
    racing_to(3, full, [Gets(&[get]), Puts(&[put])], [(1, 0, 1)]);
    racing_to(3, full, [Gets(&[get, get]), Puts(&[put])], [(2, 0, 0)]);
    racing_to(3, full, [Gets(&[try_get]), Puts(&[put])], [(1, 0, 1)]);
    racing_to(3, full, [Gets(&[get]), Puts(&[try_put])], [(1, 0, 1), (1, 1, 0)]);
    racing_to(2, || ready_of([0, 1]), [Gets(&[get, get]), Puts(&[put])], [(2, 0, 1)]);
    let in_or_back = [(1, 0, 1), (1, 1, 0)];
    racing_to(3, full, [Gets(&[get]), Puts(&[put_with_a_timeout])], in_or_back);
}

#[test]
fn several_racing_for_the_room_that_a_get_of_what_is_ready_makes() {
    let full = || ready_of([0]);
    racing_to(1, full, [Gets(&[get, get]), Puts(&[put]), Puts(&[put])], [(2, 0, 1)]);
    racing_to(2, full, [Puts(&[put]), Gets(&[get]), Gets(&[get])], [(2, 0, 0)]);
    racing_to(2, || ready_of([0, 1]), [Puts(&[put]), Gets(&[get]), Gets(&[try_get])], [(2, 0, 1)]);
}

/// The mark is for all who wait for room: it stays until the last of them has been let in.
#[test]
fn a_get_of_what_is_ready_lets_one_of_two_in_and_the_next_get_the_other() {
    check_bounded(1, || {
        let queue = ready_of([0, 1]);
        let others = [2, 3].map(|number| {
            let theirs = queue.clone();
            thread::spawn(move || put(&theirs, Item::new(number)).is_ok())
        });
        until(|| queue.putters() == 2);
        for number in 0..2 {
            assert_eq!(get(&queue).map(Item::number), Some(number));
        }
        assert!(others.into_iter().all(|other| other.join().unwrap()));
        assert_eq!(queue.len(), 2);
        assert_left(&queue);
    });
}

#[test]
fn who_finds_room_sees_what_came_before_the_get() {
    fn sees(make: fn() -> Shared, wait: fn(&Queue<Item>)) {
        check_bounded(3, move || {
            let Some(queue) = Arc::into_inner(make()) else { unreachable!() };
            let (_, number) = beside(
                &Arc::new((queue, Unprotected::new(0))),
                |(queue, number)| {
                    number.set(1);
                    assert!(get(queue).is_some());
                },
                |(queue, number)| {
                    wait(queue);
                    number.get()
                },
            );
            assert_eq!(number, 1);
        });
    }
    for make in [|| full_of([0]), || ready_of([0])] {
        sees(make, |queue| assert!(put(queue, Item::new(1)).is_ok()));
        sees(make, |queue| until(|| try_put(queue, Item::new(1)).is_ok()));
        sees(make, |queue| until(|| queue.is_empty()));
    }
}

#[test]
fn a_queue_without_room_hands_over() {
    let none = || bounded(0);
    racing_to(3, none, [Gets(&[get]), Puts(&[put])], [(1, 0, 0)]);
    racing_to(3, none, [Gets(&[try_get]), Puts(&[try_put])], [(0, 1, 0)]);
    let handed_over_or_not = [(1, 0, 0), (0, 1, 0)];
    racing_to(2, none, [Gets(&[get_with_a_timeout]), Puts(&[try_put])], handed_over_or_not);
    racing_to(2, none, [Gets(&[try_get]), Puts(&[put_with_a_timeout])], handed_over_or_not);
    racing_to(2, none, [Gets(&[get_with_a_timeout]), Puts(&[put_with_a_timeout])], handed_over_or_not);
    racing_to(1, none, [Gets(&[get, get]), Puts(&[put]), Puts(&[put])], [(2, 0, 0)]);
    racing_to(1, none, [Puts(&[put, put]), Gets(&[get]), Gets(&[get])], [(2, 0, 0)]);
}

// Time

/// H9: the item is got, or it is left; not both, and not neither.
#[test]
fn a_get_whose_time_runs_out_racing_with_a_put() {
    let got_or_left = [(1, 0, 0), (0, 0, 1)];
    racing_to(3, unbounded, [Gets(&[get_with_a_timeout]), Puts(&[put])], got_or_left);
    racing_to(3, unbounded, [Gets(&[get_with_a_deadline]), Puts(&[put])], got_or_left);
    let both = [Puts(&[put]), Gets(&[get_with_a_timeout]), Gets(&[get_with_a_timeout])];
    racing_to(2, unbounded, both, got_or_left);
}

/// H9: the same for a put.
#[test]
fn a_put_whose_time_runs_out_racing_with_a_get() {
    let in_or_back = [(1, 0, 1), (1, 1, 0)];
    racing_to(3, || full_of([0]), [Gets(&[get]), Puts(&[put_with_a_timeout])], in_or_back);
    racing_to(3, || full_of([0]), [Gets(&[get]), Puts(&[put_with_a_deadline])], in_or_back);
    let both = [Gets(&[get]), Puts(&[put_with_a_timeout]), Puts(&[put_with_a_timeout])];
    racing_to(2, || full_of([0]), both, [(1, 1, 1), (1, 2, 0)]);
}

/// H4: an item that comes as the time of one runs out is not kept from the other.
#[test]
fn a_get_that_gives_up_leaves_the_item_to_the_next() {
    static SEEN: Seen<bool> = Seen::new();
    check_bounded(2, || {
        let queue = unbounded();
        let theirs = queue.clone();
        let hasty = thread::spawn(move || get_with_a_timeout(&theirs).is_some());
        let theirs = queue.clone();
        let patient = thread::spawn(move || get(&theirs).is_some());
        queue.put(Item::new(1)).unwrap();
        let hasty_has_it = hasty.join().unwrap();
        queue.close();
        assert_eq!(patient.join().unwrap(), !hasty_has_it);
        assert_left(&queue);
        SEEN.add(hasty_has_it);
    });
    SEEN.assert_is([false, true]);
}

/// H4: nor is room.
#[test]
fn a_put_that_gives_up_leaves_the_room_to_the_next() {
    static SEEN: Seen<bool> = Seen::new();
    check_bounded(2, || {
        let queue = full_of([0]);
        let theirs = queue.clone();
        let hasty = thread::spawn(move || put_with_a_timeout(&theirs, Item::new(1)).is_ok());
        let theirs = queue.clone();
        let patient = thread::spawn(move || put(&theirs, Item::new(2)).is_ok());
        assert_eq!(get(&queue).map(Item::number), Some(0));
        let hasty_is_in = hasty.join().unwrap();
        if hasty_is_in {
            get(&queue).unwrap();
        }
        assert!(patient.join().unwrap());
        assert_left(&queue);
        SEEN.add(hasty_is_in);
    });
    SEEN.assert_is([false, true]);
}

#[test]
fn a_time_runs_out_where_nobody_comes() {
    check(|| {
        let queue = full_of([]);
        assert_eq!(queue.get_timeout(SOON).err(), Some(GetError::Empty));
        assert!(matches!(queue.put_timeout(Item::new(1), SOON), Err(PutError::Full(_))));
        let queue = full_of([0]);
        assert!(matches!(
            queue.put_deadline(Item::new(1), Instant::now() + SOON),
            Err(PutError::Full(_))
        ));
        assert!(!queue.join_timeout(SOON));
        assert_left(&queue);
        assert_eq!(queue.len(), 1);
    });
}

#[test]
fn no_time_at_all_is_a_try() {
    check(|| {
        let queue = bounded(1);
        assert_eq!(queue.get_timeout(Duration::ZERO).err(), Some(GetError::Empty));
        assert_eq!(queue.get_deadline(Instant::now()).err(), Some(GetError::Empty));
        assert!(queue.join_timeout(Duration::ZERO));
        assert!(queue.put_timeout(Item::new(1), Duration::ZERO).is_ok());
        assert!(matches!(queue.put_timeout(Item::new(2), Duration::ZERO), Err(PutError::Full(_))));
        assert!(!queue.join_timeout(Duration::ZERO));
        assert!(queue.get_timeout(Duration::ZERO).is_ok());
        assert_eq!(calls(), Calls::default());
        assert_left(&queue);
    });
}

#[test]
fn the_longest_timeout_does_not_run_out() {
    check_bounded(2, || {
        let queue = bounded(1);
        let put_two = |queue: &Queue<Item>| {
            assert!(queue.put_timeout(Item::new(1), Duration::MAX).is_ok());
            assert!(queue.put_timeout(Item::new(2), Duration::MAX).is_ok());
            assert!(queue.join_timeout(Duration::MAX));
        };
        beside(&queue, put_two, |queue| {
            for number in 1..=2 {
                assert_eq!(queue.get_timeout(Duration::MAX).map(Item::number).ok(), Some(number));
                queue.task_done().unwrap();
            }
        });
        assert_left(&queue);
    });
}

// Fairness

#[test]
fn who_has_waited_longest_gets_the_first_item() {
    check_bounded(1, || {
        let queue = unbounded();
        let others = [1, 2].map(|number| {
            let theirs = queue.clone();
            let other = thread::spawn(move || get(&theirs).map(Item::number));
            until(|| queue.getters() == number);
            other
        });
        (1..=2).for_each(|number| queue.put(Item::new(number)).unwrap());
        assert_eq!(queue.getters(), 0);
        assert_eq!(others.map(|other| other.join().unwrap()), [Some(1), Some(2)]);
    });
}

#[test]
fn who_has_waited_longest_for_room_is_let_in_first() {
    check_bounded(1, || {
        let queue = full_of([0]);
        let others = [1, 2].map(|number| {
            let theirs = queue.clone();
            let other = thread::spawn(move || put(&theirs, Item::new(number)).is_ok());
            until(|| queue.putters() == number as usize);
            other
        });
        assert_eq!([(); 3].map(|()| get(&queue).map(Item::number)), [Some(0), Some(1), Some(2)]);
        assert!(others.into_iter().all(|other| other.join().unwrap()));
    });
}

#[test]
fn nobody_overtakes_a_thread_that_waits() {
    check_bounded(3, || {
        let queue = unbounded();
        beside(
            &queue,
            |queue| assert!(get(queue).is_some()),
            |queue| {
                until(|| queue.getters() == 1);
                queue.put(Item::new(1)).unwrap();
                assert!(try_get(queue).is_none(), "it is the other one's");
            },
        );
        assert_left(&queue);
    });
    check_bounded(3, || {
        let queue = full_of([0]);
        beside(
            &queue,
            |queue| assert!(put(queue, Item::new(1)).is_ok()),
            |queue| {
                until(|| queue.putters() == 1);
                assert_eq!(get(queue).map(Item::number), Some(0));
                assert!(try_put(queue, Item::new(2)).is_err(), "the room is the other one's");
            },
        );
        assert_left(&queue);
    });
}

/// The get has made room, and comes to those who wait for it a moment later.
#[test]
fn nobody_overtakes_a_thread_that_is_about_to_be_let_in() {
    check_bounded(2, || {
        let queue = ready_of([0]);
        let waits = queue.clone();
        let waits = thread::spawn(move || put(&waits, Item::new(1)).is_ok());
        until(|| queue.putters() == 1);
        let (got, overtakes) = beside(
            &queue,
            |queue| get(queue).map(Item::number),
            |queue| try_put(queue, Item::new(2)).is_ok(),
        );
        assert!(waits.join().unwrap() && !overtakes);
        assert_eq!((got, get(&queue).map(Item::number)), (Some(0), Some(1)));
    });
}

/// What a test waits for is more than a number.
#[test]
fn who_finds_a_thread_counted_sees_what_it_did_before() {
    fn sees(wait: fn(&Queue<Item>), count: fn(&Queue<Item>) -> usize, release: fn(&Queue<Item>)) {
        check_bounded(3, move || {
            let shared = Arc::new((Queue::bounded(1), Unprotected::new(0)));
            shared.0.put(Item::new(0)).unwrap();
            beside(
                &shared,
                move |(queue, number)| {
                    number.set(1);
                    wait(queue);
                },
                |(queue, number)| {
                    until(|| count(queue) == 1);
                    assert_eq!((number.get(), queue.waiters()), (1, 1));
                    release(queue);
                },
            );
        });
    }
    let close_now = |queue: &Queue<Item>| drop(queue.close_now());
    sees(|queue| assert!(put(queue, Item::new(1)).is_err()), Queue::putters, Queue::close);
    sees(Queue::join, Queue::joiners, close_now);
    sees(|queue| assert!(get(queue).is_some() && get(queue).is_none()), Queue::getters, Queue::close);
}

// The end

#[test]
fn close_racing_with_those_who_wait_for_an_item() {
    for way in [get as Get, get_with_a_timeout, get_with_a_deadline] {
        check_bounded(3, move || {
            let got = beside(&unbounded(), move |queue| way(queue).is_some(), Queue::close).0;
            assert!(!got);
        });
    }
    racing_to(2, unbounded, [Closes, Gets(&[get]), Gets(&[get])], [(0, 0, 0)]);
    racing_to(2, unbounded, [Closes, Closes, Gets(&[get])], [(0, 0, 0)]);
}

#[test]
fn close_racing_with_those_who_wait_for_room() {
    let full = || full_of([0]);
    racing_to(3, full, [Closes, Puts(&[put])], [(0, 1, 1)]);
    racing_to(3, full, [Closes, Puts(&[put_with_a_timeout])], [(0, 1, 1)]);
    racing_to(2, full, [Closes, Puts(&[put]), Puts(&[put])], [(0, 2, 1)]);
    racing_to(2, full, [Closes, Puts(&[put]), Gets(&[get])], [(1, 0, 1), (1, 1, 0)]);
    racing_to(3, || bounded(0), [Closes, Puts(&[put])], [(0, 1, 0)]);
}

#[test]
fn close_racing_with_a_put() {
    racing_to(3, unbounded, [Closes, Puts(&[put])], [(0, 0, 1), (0, 1, 0)]);
    let three = [Closes, Puts(&[put]), Gets(&[get])];
    racing_to(2, unbounded, three, [(1, 0, 0), (0, 1, 0)]);
}

/// What is in a queue that is closed is got.
#[test]
fn close_racing_with_those_who_get_what_is_there() {
    racing_to(2, || full_of([0, 1]), [Closes, Gets(&[get]), Gets(&[get, get])], [(2, 0, 0)]);
}

#[test]
fn close_as_the_time_runs_out() {
    static GOT: Seen<GetError> = Seen::new();
    check_bounded(3, || {
        let got = beside(&unbounded(), |queue| queue.get_timeout(SOON), Queue::close).0;
        GOT.add(got.map(|_| ()).unwrap_err());
    });
    GOT.assert_is([GetError::Empty, GetError::Closed]);

    static PUT: Seen<bool> = Seen::new();
    check_bounded(3, || {
        let put = |queue: &Queue<Item>| queue.put_timeout(Item::new(1), SOON);
        let is_closed = match beside(&full_of([0]), put, Queue::close).0 {
            Ok(()) => panic!("there was no room"),
            Err(PutError::Full(item)) => item.number() == 0,
            Err(PutError::Closed(item)) => item.number() == 1,
        };
        PUT.add(is_closed);
    });
    PUT.assert_is([false, true]);
}

#[test]
fn who_finds_it_closed_sees_what_came_before() {
    for way in [get as Get, try_get, get_with_a_timeout] {
        check_bounded(3, move || {
            let shared = Arc::new((Queue::new(), Unprotected::new(0)));
            beside(
                &shared,
                |(queue, number)| {
                    number.set(1);
                    queue.close();
                },
                |(queue, number)| {
                    let got = way(queue);
                    assert!(got.is_none());
                    if queue.is_closed() {
                        assert_eq!(number.get(), 1);
                    }
                },
            );
        });
    }
    check_bounded(3, || {
        let shared = Arc::new((Queue::bounded(0), Unprotected::new(0)));
        beside(
            &shared,
            |(queue, number)| {
                number.set(1);
                drop(queue.close_now());
            },
            |(queue, number)| {
                assert!(put(queue, Item::new(1)).is_err());
                assert_eq!(number.get(), 1);
            },
        );
    });
}

#[test]
fn what_is_handed_back_racing_with_those_who_get() {
    racing_to(3, || full_of([0]), [ClosesNow, Gets(&[get])], [(1, 0, 0), (0, 1, 0)]);
    let two = [(2, 0, 0), (1, 1, 0), (0, 2, 0)];
    racing_to(2, || full_of([0, 1]), [ClosesNow, Gets(&[get]), Gets(&[get])], two);
    racing_to(3, || ready_of([0]), [ClosesNow, Gets(&[get])], [(1, 0, 0), (0, 1, 0)]);
    racing_to(2, || ready_of([0, 1]), [ClosesNow, Gets(&[get]), Gets(&[get])], two);
}

#[test]
fn what_is_handed_back_racing_with_those_who_put() {
    racing_to(3, unbounded, [ClosesNow, Puts(&[put])], [(0, 1, 0)]);
    racing_to(3, || full_of([0]), [ClosesNow, Puts(&[put])], [(0, 2, 0)]);
    racing_to(3, || ready_of([0]), [ClosesNow, Puts(&[put])], [(0, 2, 0)]);
    racing_to(2, || full_of([0]), [ClosesNow, Puts(&[put]), Puts(&[put_with_a_timeout])], [(0, 3, 0)]);
    let three = [ClosesNow, Puts(&[put]), Gets(&[get])];
    racing_to(2, || full_of([0]), three, [(1, 1, 0), (0, 2, 0)]);
}

#[test]
fn what_is_handed_back_is_handed_back_once() {
    racing_to(3, || full_of([0]), [ClosesNow, ClosesNow], [(0, 1, 0)]);
    racing_to(3, || full_of([0]), [ClosesNow, Closes], [(0, 1, 0)]);
}

// What is done

/// A queue, and what is written down by those who do the work.
type Work = Arc<(Queue<Item>, Unprotected)>;

fn work(items: u32) -> Work {
    let numbers: VecDeque<_> = (0..items).map(Item::new).collect();
    Arc::new((Queue::with_container(numbers), Unprotected::new(0)))
}

/// Gets an item, does the work, and says so.
fn do_one((queue, done): &(Queue<Item>, Unprotected)) {
    assert!(get(queue).is_some());
    done.add_one();
    queue.task_done().unwrap();
}

#[test]
fn a_join_ends_when_the_work_is_done_and_sees_it() {
    check_bounded(3, || {
        let ((), ()) = beside(&work(1), do_one, |(queue, done)| {
            queue.join();
            assert_eq!(done.get(), 1);
        });
    });
    check_bounded(2, || {
        let do_two = |work: &(Queue<Item>, Unprotected)| (0..2).for_each(|_| do_one(work));
        beside(&work(2), do_two, |(queue, done)| {
            queue.join();
            assert_eq!(done.get(), 2);
            assert_left(queue);
        });
    });
}

#[test]
fn a_join_waits_for_all_who_work() {
    static ORDER: Seen<[bool; 2]> = Seen::new();
    check_bounded(2, || {
        let shared = Arc::new((work(2), [Unprotected::new(0), Unprotected::new(0)]));
        let others = [0, 1].map(|index| {
            let theirs = shared.clone();
            thread::spawn(move || {
                let (work, done) = &*theirs;
                let is_second = get(&work.0).map(Item::number) == Some(1);
                done[index].set(1);
                work.0.task_done().unwrap();
                is_second
            })
        });
        let (work, done) = &*shared;
        work.0.join();
        assert_eq!((done[0].get(), done[1].get()), (1, 1));
        ORDER.add(others.map(|other| other.join().unwrap()));
    });
    ORDER.assert_is([[false, true], [true, false]]);
}

#[test]
fn all_who_join_go_on() {
    check_bounded(1, || {
        let work = work(1);
        let others = [(); 2].map(|()| {
            let theirs = work.clone();
            thread::spawn(move || {
                theirs.0.join();
                assert_eq!(theirs.1.get(), 1);
            })
        });
        do_one(&work);
        others.into_iter().for_each(|other| other.join().unwrap());
        assert_left(&work.0);
    });
}

#[test]
fn a_join_waits_for_what_is_put_in_before_the_last_is_done() {
    check_bounded(2, || {
        let more_work = |work: &(Queue<Item>, Unprotected)| {
            assert!(get(&work.0).is_some());
            work.0.put(Item::new(1)).unwrap();
            work.0.task_done().unwrap();
            do_one(work);
        };
        beside(&work(1), more_work, |(queue, done)| {
            queue.join();
            assert_eq!(done.get(), 1);
        });
    });
}

/// What is handed over past the container is not done yet.
#[test]
fn a_join_waits_for_what_was_handed_over() {
    check_bounded(2, || {
        let ((), ()) = beside(&work(0), do_one, |(queue, done)| {
            queue.put(Item::new(0)).unwrap();
            queue.join();
            assert_eq!(done.get(), 1);
        });
    });
}

#[test]
fn a_join_whose_time_runs_out_says_so() {
    for way in [(|queue| queue.join_timeout(SOON)) as fn(&Queue<Item>) -> bool, |queue| {
        queue.join_deadline(Instant::now() + SOON)
    }] {
        let seen = Arc::new(Seen::new());
        let add = seen.clone();
        check_bounded(2, move || {
            let work = work(1);
            let is_done = beside(&work, do_one, |(queue, done)| {
                let is_done = way(queue);
                assert!(!is_done || done.get() == 1);
                is_done
            });
            add.add(is_done.1);
            assert_left(&work.0);
            assert!(work.0.join_timeout(Duration::ZERO));
        });
        seen.assert_is([false, true]);
    }
}

/// H28, H31: no more are done than were put in.
#[test]
fn of_two_who_say_that_the_last_is_done_one_is_wrong() {
    check_bounded(3, || {
        let (theirs, ours) =
            beside(&work(1), |(queue, _)| queue.task_done(), |(queue, _)| queue.task_done());
        assert_eq!(theirs.is_ok(), ours == Err(TaskDoneError));
    });
}

#[test]
fn a_join_does_not_wait_for_what_is_handed_back() {
    check_bounded(3, || {
        let (back, ()) =
            beside(&work(1), |(queue, _)| queue.close_now().len(), |(queue, _)| queue.join());
        assert_eq!(back, 1);
    });
    check_bounded(2, || {
        let work = work(2);
        let theirs = work.clone();
        let worker = thread::spawn(move || {
            let item = get(&theirs.0);
            if item.is_some() {
                theirs.1.set(1);
                theirs.0.task_done().unwrap();
            }
            item.is_some()
        });
        let theirs = work.clone();
        let closer = thread::spawn(move || theirs.0.close_now().len());
        work.0.join();
        let (worked, back) = (worker.join().unwrap(), closer.join().unwrap());
        assert_eq!(usize::from(worked) + back, 2);
        if worked {
            assert_eq!(work.1.get(), 1);
        }
    });
}

// Panics

/// Takes an item and panics, if it is an unlucky one.
struct Superstitious {
    items: VecDeque<Item>,
    keeps_it: bool,
    has_panicked: Cell<bool>,
}

const UNLUCKY: u32 = 13;

impl Container<Item> for Superstitious {
    fn push(&mut self, item: Item) {
        let is_unlucky = item.0.get() == UNLUCKY;
        if !is_unlucky || self.keeps_it {
            self.items.push_back(item);
        }
        if is_unlucky {
            self.has_panicked.set(true);
            resume_unwind(Box::new("on purpose"));
        }
    }

    fn pop(&mut self) -> Option<Item> {
        self.items.pop_front()
    }

    fn len(&self) -> usize {
        self.items.len()
    }
}

/// H33: the get that lets it in has its own item, and the put that waits with the unlucky one panics. Whoever waits behind it is
/// not forgotten.
#[test]
fn a_panic_of_the_container_goes_to_the_put_that_it_is_about() {
    for keeps_it in [true, false] {
        check_bounded(2, move || {
            let items = VecDeque::from([Item::new(0)]);
            let container = Superstitious { items, keeps_it, has_panicked: Cell::new(false) };
            let queue = Arc::new(Queue::bounded_with_container(1, container));
            let mut in_line = 0;
            let [unlucky, lucky] = [UNLUCKY, 2].map(|number| {
                let theirs = queue.clone();
                let other = thread::spawn(move || {
                    let put = AssertUnwindSafe(|| theirs.put(Item::new(number)).is_ok());
                    catch_unwind(put).map_err(|panic| panic.downcast_ref() == Some(&"on purpose"))
                });
                in_line += 1;
                until(|| queue.putters() == in_line);
                other
            });
            assert_eq!(queue.get().map(Item::number), Ok(0));
            assert_eq!(queue.putters(), usize::from(keeps_it));
            let rest = [UNLUCKY, 2].into_iter().skip(usize::from(!keeps_it));
            rest.for_each(|number| assert_eq!(queue.get().map(Item::number), Ok(number)));
            assert_eq!((unlucky.join().unwrap(), lucky.join().unwrap()), (Err(true), Ok(true)));
            assert_left(&queue);
            let Some(queue) = Arc::into_inner(queue) else { unreachable!() };
            assert!(queue.into_inner().has_panicked.get());
        });
    }
}

/// It is released as the panic passes, and what is in the queue is as the container has left it.
#[test]
fn a_panic_of_the_container_in_a_put_leaves_a_queue_that_works() {
    check_bounded(2, || {
        let container =
            Superstitious { items: VecDeque::new(), keeps_it: true, has_panicked: Cell::new(false) };
        let queue = Arc::new(Queue::bounded_with_container(2, container));
        queue.put(Item::new(0)).unwrap();
        let put = |queue: &Queue<Item, Superstitious>| {
            catch_unwind(AssertUnwindSafe(|| queue.put(Item::new(UNLUCKY)))).is_err()
        };
        let (has_panicked, number) = beside(&queue, put, |queue| queue.get().map(Item::number).ok());
        assert_eq!((has_panicked, number, queue.len()), (true, Some(0), 1));
        assert_left(&queue);
    });
}

// What is not done

/// H12: who has got the last item may do away with the queue, while the put that has brought it is on its way out.
#[test]
fn a_queue_may_be_freed_by_whoever_gets_the_last_item() {
    fn freed(preemptions: usize, make: fn() -> Shared, gets: usize) {
        check_bounded(preemptions, move || {
            let Some(queue) = Arc::into_inner(make()) else { unreachable!() };
            let slot = Arc::new(Slot::new(queue));
            beside(
                &slot,
                |slot| assert!(put(slot.get(), Item::new(1)).is_ok()),
                |slot| {
                    (0..gets).for_each(|_| assert!(get(slot.get()).is_some()));
                    slot.free();
                },
            );
        });
    }
    freed(3, unbounded, 1);
    freed(3, || full_of([0]), 2);
    freed(3, || ready_of([0]), 2);
    freed(3, || bounded(0), 1);
}

#[test]
fn a_queue_may_be_freed_by_whoever_has_waited_for_the_work() {
    check_bounded(3, || {
        let queue = Queue::with_container(VecDeque::from([Item::new(0)]));
        let slot = Arc::new(Slot::new(queue));
        beside(
            &slot,
            |slot| {
                assert!(get(slot.get()).is_some());
                slot.get().task_done().unwrap();
            },
            |slot| {
                slot.get().join();
                slot.free();
            },
        );
    });
}

#[test]
fn where_nobody_waits_nobody_is_called() {
    check(|| {
        let queue = bounded(1);
        queue.put(Item::new(1)).unwrap();
        assert!(queue.try_put(Item::new(2)).is_err());
        assert!(queue.get().is_ok());
        assert!(queue.try_get().is_err());
        queue.task_done().unwrap();
        queue.join();
        queue.close();
        assert!(queue.close_now().is_empty());
        assert!(queue.get().is_err());
        assert_eq!(calls(), Calls::default());
    });
}

#[test]
fn an_item_wakes_the_thread_that_it_is_for() {
    check_bounded(1, || {
        let queue = unbounded();
        let others = [(); 2].map(|()| {
            let theirs = queue.clone();
            thread::spawn(move || get(&theirs).is_some())
        });
        until(|| queue.getters() == 2);
        let before = calls();
        queue.put(Item::new(1)).unwrap();
        assert!(calls().wakes <= before.wakes + 1);
        queue.put(Item::new(2)).unwrap();
        assert!(calls().wakes <= before.wakes + 2);
        assert!(others.into_iter().all(|other| other.join().unwrap()));
    });
}

#[test]
fn who_does_not_sleep_is_not_woken() {
    check_bounded(3, || {
        each_once(&bounded(1), [Gets(&[get, get]), Puts(&[put, put])]);
        // With more preemptions a lock may wake one that is counted and does not sleep yet, as in
        // `RawLock::leave_to_the_others`.
        assert!(calls().wakes <= calls().waits || IS_AT_RANDOM, "{:?}", calls());
    });
}

/// A lock, taken and given back; the other one as well where nothing is ready; and the number of items that were taken,
/// where one is taken and where there may be no room.
#[test]
fn a_put_and_a_get_without_contention_are_two_operations_each() {
    const TWO: (usize, usize, usize) = (0, 0, 2);
    check(|| {
        let queue = bounded(2);
        assert_eq!(cost(|| queue.put(Item::new(1)).unwrap()), TWO);
        assert_eq!(cost(|| assert!(queue.put_timeout(Item::new(2), SOON).is_ok())), TWO);
        assert_eq!(cost(|| assert!(queue.try_put(Item::new(3)).is_err())), (1, 0, 2));
        assert_eq!(cost(|| assert!(queue.get().is_ok())), (1, 1, 4));
        assert_eq!(cost(|| assert!(queue.get_timeout(SOON).is_ok())), (1, 1, 2));
        assert_eq!(cost(|| assert!(queue.try_get().is_err())), (0, 0, 4));
        assert_eq!(cost(|| queue.task_done().unwrap()), TWO);
        assert_eq!(cost(|| queue.close()), TWO);
        let queue = Queue::with_container(vec![1]);
        assert_eq!(cost(|| assert!(queue.get().is_ok())), TWO);
    });
}
