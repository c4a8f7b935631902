//! The parallel map: threads that work, ask, stop, panic and come too late.

mod checking;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use checking::{Seen, Unprotected, check_bounded, cost};
use futon_model::{Event, NotReady, ParMap};
use loom::thread;

const SOON: Duration = Duration::from_secs(1);

/// Numbers from 0, and what comes in the place of the one after the last.
///
/// Has no protection of its own, and looks after the bound.
struct Numbers {
    at: Unprotected,
    end: u32,
    at_the_end: fn() -> Option<Item>,
    /// More than so many must not be pulled than have been asked for.
    bound: usize,
    asked: Arc<AtomicUsize>,
}

impl Iterator for Numbers {
    type Item = Item;

    fn next(&mut self) -> Option<Item> {
        let at = self.at.get();
        self.at.add_one();
        assert!(at <= self.end, "called after its end");
        if at == self.end {
            return (self.at_the_end)();
        }
        assert!((at as usize) < self.asked.load(SeqCst) + self.bound, "pulled too far ahead");
        Some(number(at))
    }
}

/// A number that has been written down without protection.
type Item = Arc<Unprotected>;

fn number(number: u32) -> Item {
    let item = Arc::new(Unprotected::new(0));
    item.set(number);
    item
}

type Function = fn(Item) -> Item;

/// A map, and how often its results have been asked for: an observer that no thread of the model orders anything by.
#[derive(Clone)]
struct Model {
    map: Arc<ParMap<Numbers, Function, Item>>,
    asked: Arc<AtomicUsize>,
}

#[derive(Clone, Copy)]
struct Setting {
    end: u32,
    bound: usize,
    chunk: usize,
    at_the_end: fn() -> Option<Item>,
    function: Function,
}

/// So many numbers, of which so many may be in flight, each to be mapped to ten times as much.
const fn setting(end: u32, bound: usize) -> Setting {
    Setting { end, bound, chunk: 1, at_the_end: || None, function: times_ten }
}

fn times_ten(item: Item) -> Item {
    number(10 * item.get())
}

/// Panics for the number 1.
fn not_one(item: Item) -> Item {
    if item.get() == 1 { unwind() } else { times_ten(item) }
}

fn unwind() -> ! {
    resume_unwind(Box::new("on purpose"))
}

impl Setting {
    fn model(self) -> Model {
        self.model_of(|map| map)
    }

    fn model_of(
        self,
        change: impl FnOnce(ParMap<Numbers, Function, Item>) -> ParMap<Numbers, Function, Item>,
    ) -> Model {
        let Self { end, bound, chunk, at_the_end, function } = self;
        let asked = Arc::new(AtomicUsize::new(0));
        let iter = Numbers { at: Unprotected::new(0), end, at_the_end, bound, asked: asked.clone() };
        let map = Arc::new(change(ParMap::new(iter, bound, function).chunk(chunk)));
        Model { map, asked }
    }
}

impl Model {
    fn worker(&self) -> thread::JoinHandle<()> {
        let map = self.map.clone();
        thread::spawn(move || map.work())
    }

    fn workers<const N: usize>(&self) -> [thread::JoinHandle<()>; N] {
        [(); N].map(|()| self.worker())
    }

    fn next(&self) -> Option<u32> {
        self.asked.fetch_add(1, SeqCst);
        self.map.next().map(|item| item.get())
    }

    /// All results until the end, or until a panic.
    fn all(&self) -> (Vec<u32>, bool) {
        let mut all = Vec::new();
        loop {
            match catch_unwind(AssertUnwindSafe(|| self.next())) {
                Ok(Some(result)) => all.push(result),
                Ok(None) => return (all, false),
                Err(panic) => {
                    assert_eq!(panic.downcast_ref::<&str>(), Some(&"on purpose"));
                    return (all, true);
                }
            }
        }
    }

    /// The end is the end. What has become of each item is known: so many results were handed out, and the next one if
    /// that was a panic. Returns how many of the others are mapped, and how many are not.
    fn assert_is_over(self, handed_out: usize, panicked: bool) -> (usize, usize) {
        assert_eq!(self.map.next().map(|item| item.get()), None);
        self.assert_is_complete(handed_out + usize::from(panicked))
    }

    fn assert_is_complete(self, handed_out: usize) -> (usize, usize) {
        assert_eq!((self.map.workers(), self.map.waiters()), (0, 0));
        let left = Arc::into_inner(self.map).unwrap().into_inner();
        let mut places: Vec<_> = (0..handed_out).collect();
        for (place, item) in &left.items {
            assert_eq!(item.get() as usize, *place);
            places.push(*place);
        }
        for (place, result) in &left.results {
            assert_eq!(result.get() as usize, 10 * place);
            places.push(*place);
        }
        places.sort_unstable();
        let given = left.iter.at.get().min(left.iter.end) as usize;
        assert!(places.iter().copied().eq(0..given), "{places:?} of {given}");
        (left.results.len(), left.items.len())
    }
}

/// So many threads work and one asks: it gets each result once, in order, and nothing is left.
fn in_order<const N: usize>(preemptions: usize, setting: Setting) {
    check_bounded(preemptions, move || {
        let model = setting.model();
        let workers: [_; N] = model.workers();
        let expected: Vec<_> = (0..setting.end).map(|n| 10 * n).collect();
        assert_eq!(model.all(), (expected, false));
        workers.into_iter().for_each(|worker| worker.join().unwrap());
        assert_eq!(model.assert_is_over(setting.end as usize, false), (0, 0));
    });
}

#[test]
fn one_works_and_one_asks() {
    in_order::<1>(1, setting(1, 1));
    in_order::<1>(1, setting(3, 1));
    in_order::<1>(1, setting(3, 2));
    in_order::<1>(1, Setting { chunk: 2, ..setting(3, 2) });
    in_order::<1>(1, Setting { chunk: 3, ..setting(4, 3) });
}

/// Whoever asks where nobody works maps the item itself. Meanwhile a worker may come, take the only permit, or the only
/// item, or neither.
#[test]
fn one_comes_to_work_while_the_one_that_asks_maps() {
    for bound in [1, 2] {
        check_bounded(2, move || {
            let model = setting(1, bound).model();
            let worker = model.worker();
            assert_eq!(model.next(), Some(0));
            worker.join().unwrap();
            assert_eq!(model.assert_is_over(1, false), (0, 0));
        });
    }
}

/// The iterator waits for the first result to be handed out. So whoever asks where nobody works may take the first item, but
/// not go for the next one where a worker was faster and has the first.
#[test]
fn one_comes_to_work_and_the_iterator_waits_for_what_comes_of_its_items() {
    static GO: Event = Event::new();
    check_bounded(2, || {
        let wait = || {
            GO.wait();
            None
        };
        let model = Setting { at_the_end: wait, ..setting(1, 2) }.model();
        let worker = model.worker();
        assert_eq!(model.next(), Some(0));
        GO.set();
        worker.join().unwrap();
        assert_eq!(model.assert_is_over(1, false), (0, 0));
    });
}

/// Two threads work until there is no more room, or no more items. Then one asks.
fn in_order_afterwards(preemptions: usize, setting: Setting) {
    check_bounded(preemptions, move || {
        let model = setting.model();
        let other = model.worker();
        model.map.work();
        other.join().unwrap();
        let expected: Vec<_> = (0..setting.end).map(|n| 10 * n).collect();
        assert_eq!(model.all(), (expected, false));
        assert_eq!(model.assert_is_over(setting.end as usize, false), (0, 0));
    });
}

#[test]
fn two_work_at_once() {
    in_order_afterwards(2, setting(1, 2));
    in_order_afterwards(1, setting(2, 3));
    in_order_afterwards(1, Setting { chunk: 2, ..setting(3, 5) });
}

/// As in any order, so that they are compared in one.
fn sorted(mut results: Vec<u32>) -> Vec<u32> {
    results.sort_unstable();
    results
}

#[test]
fn out_of_order_one_works_and_one_asks() {
    check_bounded(1, || {
        let model = setting(3, 2).model_of(ParMap::unordered);
        let worker = model.worker();
        let (results, panicked) = model.all();
        assert_eq!((sorted(results), panicked), (vec![0, 10, 20], false));
        worker.join().unwrap();
        assert_eq!(model.assert_is_over(3, false), (0, 0));
    });
}

#[test]
fn out_of_order_the_results_come_as_they_are_handed_in() {
    static SEEN: Seen<Vec<u32>> = Seen::new();
    check_bounded(1, || {
        let model = setting(2, 3).model_of(ParMap::unordered);
        let other = model.worker();
        model.map.work();
        other.join().unwrap();
        SEEN.add(model.all().0);
        assert_eq!(model.assert_is_over(2, false), (0, 0));
    });
    SEEN.assert_is([vec![0, 10], vec![10, 0]]);
}

/// The number 1 panics, and is an end for the number 0 too if that has not been begun.
#[test]
fn out_of_order_a_panic_ends_all_that_was_not_begun() {
    static SEEN: Seen<(usize, usize, usize)> = Seen::new();
    check_bounded(1, || {
        let model = Setting { function: not_one, ..setting(2, 2) }.model_of(ParMap::unordered);
        let other = model.worker();
        model.map.work();
        other.join().unwrap();
        let (results, panicked) = model.all();
        assert!(panicked);
        let left = Arc::into_inner(model.map).unwrap().into_inner();
        SEEN.add((results.len(), left.results.len(), left.items.len()));
    });
    // Before the panic, or after it, or not at all.
    SEEN.assert_is([(1, 0, 0), (0, 1, 0), (0, 0, 1)]);
}

/// A thread works, another one asks, and the number 1 panics: for the one that asks, once, after all before it.
fn a_panic_comes_in_its_place(setting: Setting, before: Vec<u32>) {
    let is_of_the_function = before.len() < setting.end as usize;
    check_bounded(1, move || {
        let model = setting.model();
        let worker = model.worker();
        assert_eq!(model.all(), (before.clone(), true));
        worker.join().unwrap();
        model.assert_is_over(before.len(), is_of_the_function);
    });
}

#[test]
fn a_panic_of_the_function_comes_in_its_place() {
    a_panic_comes_in_its_place(Setting { function: not_one, ..setting(3, 1) }, vec![0]);
    a_panic_comes_in_its_place(Setting { function: not_one, ..setting(3, 2) }, vec![0]);
    a_panic_comes_in_its_place(Setting { function: not_one, chunk: 2, ..setting(4, 2) }, vec![0]);
}

#[test]
fn a_panic_of_the_iterator_comes_after_all_results() {
    let setting = |end, bound| Setting { at_the_end: || unwind(), ..setting(end, bound) };
    a_panic_comes_in_its_place(setting(0, 1), vec![]);
    a_panic_comes_in_its_place(setting(2, 1), vec![0, 10]);
    a_panic_comes_in_its_place(Setting { chunk: 2, ..setting(1, 2) }, vec![0]);
}

/// Of two threads that work one meets the panic, while the other one has an item that comes before it, or after it, or
/// is about to take one, or finds no room.
#[test]
fn a_panic_in_one_of_two_that_work_ends_the_other() {
    static SEEN: Seen<(usize, usize)> = Seen::new();
    let settings = [setting(3, 2), setting(3, 3)];
    for setting in settings {
        check_bounded(1, move || {
            let model = Setting { function: not_one, ..setting }.model();
            let other = model.worker();
            model.map.work();
            other.join().unwrap();
            assert_eq!(model.all(), (vec![0], true));
            SEEN.add(model.assert_is_over(1, true));
        });
    }
    // The number 2 is not taken, or mapped in vain, or given back.
    SEEN.assert_is([(0, 0), (1, 0), (0, 1)]);
}

#[test]
fn a_panic_of_the_iterator_in_one_of_two_that_work_ends_the_other() {
    for chunk in [1, 2] {
        check_bounded(1, move || {
            let model = Setting { at_the_end: || unwind(), chunk, ..setting(1, 4) }.model();
            let other = model.worker();
            model.map.work();
            other.join().unwrap();
            assert_eq!(model.all(), (vec![0], true));
            assert_eq!(model.assert_is_over(1, false), (0, 0));
        });
    }
}

/// Whoever stops gets all that was taken, and no more is.
#[test]
fn a_stop_racing_with_a_thread_that_works() {
    static SEEN: Seen<usize> = Seen::new();
    for bound in [1, 2] {
        check_bounded(1, move || {
            let model = setting(9, bound).model();
            let worker = model.worker();
            model.map.stop();
            let (results, panicked) = model.all();
            assert!(!panicked && results.iter().copied().eq((0..).step_by(10).take(results.len())));
            worker.join().unwrap();
            SEEN.add(results.len());
            assert_eq!(model.assert_is_over(results.len(), false), (0, 0));
        });
    }
    SEEN.assert_is([0, 1, 2]);
}

/// Whoever cancels loses nothing: each item is mapped, or can be had back.
#[test]
fn a_cancel_racing_with_a_thread_that_works() {
    static SEEN: Seen<(usize, usize)> = Seen::new();
    for (bound, chunk) in [(1, 1), (2, 2)] {
        check_bounded(2, move || {
            let model = Setting { chunk, ..setting(9, bound) }.model();
            let worker = model.worker();
            model.map.cancel();
            worker.join().unwrap();
            SEEN.add(model.assert_is_complete(0));
        });
    }
    SEEN.assert_is([(0, 0), (1, 0), (0, 1), (2, 0), (1, 1), (0, 2)]);
}

#[test]
fn a_cancel_lets_those_go_that_wait_for_room() {
    static SEEN: Seen<(usize, usize)> = Seen::new();
    check_bounded(1, || {
        let model = setting(9, 1).model();
        let workers: [_; 2] = model.workers();
        model.map.cancel();
        workers.into_iter().for_each(|worker| worker.join().unwrap());
        SEEN.add(model.assert_is_complete(0));
    });
    SEEN.assert_is([(0, 0), (1, 0), (0, 1)]);
}

/// Whoever stops asking at the first error has had all results before it.
#[test]
fn an_error_ends_the_map_for_those_who_stop_asking() {
    check_bounded(1, || {
        let model = setting(9, 2).model();
        let worker = model.worker();
        let small = |item: Item| Some(item.get()).filter(|result| *result < 20).ok_or("too large");
        let mut asked = 0;
        let results: Result<Vec<_>, _> = std::iter::from_fn(|| {
            asked += 1;
            model.asked.fetch_add(1, SeqCst);
            model.map.next().map(small)
        })
        .collect();
        model.map.cancel();
        assert_eq!((results, asked), (Err("too large"), 3));
        worker.join().unwrap();
        model.assert_is_complete(3);
    });
}

#[test]
fn a_time_that_runs_out_loses_no_result() {
    static SEEN: Seen<bool> = Seen::new();
    static IS_INSIDE: Event = Event::new();
    static GO: Event = Event::new();
    check_bounded(1, || {
        let function = |item| {
            IS_INSIDE.set();
            GO.wait();
            times_ten(item)
        };
        let model = Setting { function, ..setting(1, 2) }.model();
        let is_done = Arc::new(AtomicBool::new(false));
        let (theirs, done) = (model.clone(), is_done.clone());
        let worker = thread::spawn(move || {
            theirs.map.work();
            done.store(true, SeqCst);
        });
        IS_INSIDE.wait();
        GO.set();
        let result = model.map.next_timeout(SOON);
        SEEN.add(result.is_ok());
        let item = result.unwrap_or_else(|NotReady| {
            assert!(!is_done.load(SeqCst), "the result was there");
            model.map.next()
        });
        assert_eq!(item.unwrap().get(), 0);
        worker.join().unwrap();
        assert_eq!(model.assert_is_over(1, false), (0, 0));
    });
    SEEN.assert_is([true, false]);
}

/// A chunk of two results is handed in at once, and there is one thread for each. The one that hands them in waits for
/// room after that, and is no help.
#[test]
fn two_wait_and_each_gets_a_result() {
    check_bounded(1, || {
        let model = Setting { chunk: 2, ..setting(9, 2) }.model();
        let (sum, count) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let asks = [(); 2].map(|()| {
            let (model, sum, count) = (model.clone(), sum.clone(), count.clone());
            thread::spawn(move || {
                sum.fetch_add(model.next().unwrap() as usize, SeqCst);
                if count.fetch_add(1, SeqCst) == 1 {
                    model.map.cancel();
                }
            })
        });
        model.map.work();
        asks.into_iter().for_each(|ask| ask.join().unwrap());
        assert_eq!(sum.load(SeqCst), 10);
        model.assert_is_complete(2);
    });
}

/// What an item costs where nobody waits: a permit and a lock to take it, a lock to hand its result in, and one to hand it
/// out. A chunk costs as much as an item. Room is given back by one change for many.
#[test]
fn an_item_costs_a_permit_and_three_locks() {
    let costs = |items, bound, chunk, expected: (usize, usize)| {
        check_bounded(0, move || {
            let model = Setting { chunk, ..setting(items, bound) }.model();
            let (_, _, work) = cost(|| model.map.work());
            let (_, _, next) = cost(|| (0..items).for_each(|_| _ = model.next()));
            assert_eq!((work, next), expected);
        });
    };
    let (lock, permit, change) = (2, 1, 1);
    let item = permit + 2 * lock;
    // To come and to go, and to find the end, which gives a permit back.
    let around = 2 * lock + permit + lock + change;
    costs(1, 8, 1, (around + item, lock));
    costs(3, 8, 1, (around + 3 * item, 3 * lock));
    costs(3, 8, 3, (around + item, 3 * lock));
    costs(3, 6, 1, (around + 3 * item, 3 * lock));
    costs(3, 4, 1, (around + 3 * item, 3 * lock + change));
}
