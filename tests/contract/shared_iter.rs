//! One iterator, pulled from by many threads.

use std::any::Any;
use std::cell::Cell;
use std::collections::BTreeSet;
use std::io::BufRead;
use std::iter::{self, FusedIterator};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Barrier, Mutex, MutexGuard, OnceLock, Weak, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use futon::{Busy, IteratorExt, Puller, SharedIter, SharedIterHandle, threadsafe};
use static_assertions::{assert_impl_all, assert_not_impl_any};

use crate::allocations::allocations;
use crate::threads::{AGES, Random, endless_timeouts, limit, rounds, spin_until, timed, wait_until};

/// Ends by unwinding, and without the words of the panic hook on the terminal.
fn unwind() -> ! {
    resume_unwind(Box::new("on purpose"))
}

/// What a call that panics says.
fn panic_of<R>(f: impl FnOnce() -> R) -> String {
    let panic = catch_unwind(AssertUnwindSafe(f)).err().expect("did not panic");
    words(&*panic)
}

fn words(panic: &(dyn Any + Send)) -> String {
    let str = panic.downcast_ref::<&str>().map(|s| (*s).to_owned());
    str.or_else(|| panic.downcast_ref::<String>().cloned()).expect("no words")
}

/// Whether a thread is inside the iterator. Other than `try_next` this never goes there itself.
fn is_taken<I: Iterator>(shared: &SharedIter<I>) -> bool {
    format!("{shared:?}").contains("<locked>")
}

/// Each of `0..n` once.
#[track_caller]
fn assert_is_each_once(mut items: Vec<usize>, n: usize) {
    items.sort_unstable();
    assert!(items.iter().copied().eq(0..n), "{} items, expected {n}", items.len());
}

/// What `threads` threads come to, each with its number.
fn on_threads<R: Send>(threads: usize, f: impl Fn(usize) -> R + Sync) -> Vec<R> {
    let start = Barrier::new(threads);
    thread::scope(|s| {
        let (f, start) = (&f, &start);
        let all: Vec<_> = (0..threads)
            .map(|number| {
                s.spawn(move || {
                    start.wait();
                    f(number)
                })
            })
            .collect();
        all.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

type Numbers = std::ops::Range<usize>;
type Boxed = Box<dyn Iterator<Item = usize> + Send>;

/// A way to pull from the start to the end.
type Way = fn(&SharedIter<Numbers>) -> Vec<usize>;

/// A way to do something with a shared iterator.
type With<I, R> = fn(&SharedIter<I>) -> R;

fn by_next(shared: &SharedIter<Numbers>) -> Vec<usize> {
    iter::from_fn(|| shared.next()).collect()
}

fn by_iterating(shared: &SharedIter<Numbers>) -> Vec<usize> {
    shared.into_iter().collect()
}

fn by_next_indexed(shared: &SharedIter<Numbers>) -> Vec<usize> {
    let indexed = iter::from_fn(|| shared.next_indexed());
    indexed.inspect(|(place, item)| assert_eq!(place, item)).map(|(_, item)| item).collect()
}

fn by_try_next(shared: &SharedIter<Numbers>) -> Vec<usize> {
    let next = || loop {
        match shared.try_next() {
            Ok(item) => return item,
            Err(Busy) => thread::yield_now(),
        }
    };
    iter::from_fn(next).collect()
}

fn by_next_timeout(shared: &SharedIter<Numbers>) -> Vec<usize> {
    let mut random = Random::new(7);
    let mut all = Vec::new();
    loop {
        match shared.next_timeout(Duration::from_micros(random.below(20))) {
            Ok(Some(item)) => all.push(item),
            Ok(None) => return all,
            Err(Busy) => {}
        }
    }
}

fn by_next_deadline(shared: &SharedIter<Numbers>) -> Vec<usize> {
    iter::from_fn(|| shared.next_deadline(Instant::now() + AGES).unwrap()).collect()
}

fn by_next_chunk(shared: &SharedIter<Numbers>) -> Vec<usize> {
    let mut random = Random::new(8);
    let chunks = iter::from_fn(|| {
        let chunk = shared.next_chunk(1 + random.below(9) as usize);
        (!chunk.is_empty()).then_some(chunk)
    });
    chunks.flatten().collect()
}

fn by_puller(shared: &SharedIter<Numbers>) -> Vec<usize> {
    let mut puller = shared.puller();
    let indexed = iter::from_fn(|| puller.next_indexed());
    indexed.inspect(|(place, item)| assert_eq!(place, item)).map(|(_, item)| item).collect()
}

fn by_many_pullers(shared: &SharedIter<Numbers>) -> Vec<usize> {
    let mut random = Random::new(9);
    let mut all = Vec::new();
    loop {
        let had = all.len();
        all.extend(shared.puller().take(1 + random.below(300) as usize));
        if all.len() == had {
            return all;
        }
    }
}

const WAYS: [(&str, Way); 9] = [
    ("next", by_next),
    ("iterating", by_iterating),
    ("next_indexed", by_next_indexed),
    ("try_next", by_try_next),
    ("next_timeout", by_next_timeout),
    ("next_deadline", by_next_deadline),
    ("next_chunk", by_next_chunk),
    ("puller", by_puller),
    ("many pullers", by_many_pullers),
];

// Each item goes to exactly one thread

#[test]
fn each_item_goes_to_exactly_one_thread_in_whatever_way_they_pull() {
    let _limit = limit();
    let n = rounds(20_000);
    for (name, way) in WAYS {
        let shared = (0..n).shared();
        let mut all = on_threads(4, |_| way(&shared)).concat();
        // Pullers that were dropped after a thread had seen the end have given back to nobody.
        let (rest, leftovers) = shared.into_inner();
        assert_eq!(rest.len(), 0, "{name}");
        all.extend(leftovers);
        assert_is_each_once(all, n);
    }
}

#[test]
fn each_item_goes_to_exactly_one_thread_where_each_pulls_in_its_own_way() {
    let _limit = limit();
    let n = rounds(60_000);
    for _ in 0..rounds(3) {
        let shared = (0..n).shared();
        let mut all = on_threads(WAYS.len(), |number| WAYS[number].1(&shared)).concat();
        all.extend(shared.into_inner().1);
        assert_is_each_once(all, n);
    }
}

#[test]
fn each_item_goes_to_exactly_one_handle() {
    let _limit = limit();
    let n = rounds(20_000);
    let handle = (0..n).shared().into_handle();
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let handle = handle.clone();
            thread::spawn(move || handle.collect::<Vec<_>>())
        })
        .collect();
    let all: Vec<_> = threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
    assert_is_each_once(all, n);
    assert_eq!(handle.try_into_shared().unwrap().into_inner().0, n..n);
}

#[test]
fn two_threads_that_pull_100_000_each_from_an_unprotected_counter_end_at_200_001() {
    let _limit = limit();
    let each = rounds(100_000);
    let mut count = 0;
    let next = move || {
        // Two steps, between which a second thread would be seen.
        let now = count + 1;
        count = std::hint::black_box(now);
        Some(now)
    };
    let shared = iter::from_fn(next).shared();
    on_threads(2, |_| (&shared).take(each).for_each(drop));
    assert_eq!(shared.next(), Some(2 * each + 1));
}

#[test]
fn the_places_are_those_in_which_the_iterator_gave_the_items() {
    let _limit = limit();
    let n = rounds(20_000);
    let shared = (0..n).map(|i| i * 3).shared();
    let all = on_threads(4, |number| {
        let mut puller = shared.puller();
        let mut random = Random::new(number as u64);
        let mut all = Vec::new();
        loop {
            let item = match random.below(1000) {
                0 => {
                    puller = shared.puller();
                    continue;
                }
                1..500 => puller.next_indexed(),
                _ => shared.next_indexed(),
            };
            match item {
                Some(item) => all.push(item),
                None => return all,
            }
        }
    })
    .concat();
    assert!(all.iter().all(|(place, item)| 3 * place == *item));
    let leftovers = shared.into_inner().1.into_iter().map(|item| item / 3);
    assert_is_each_once(all.into_iter().map(|(place, _)| place).chain(leftovers).collect(), n);
}

#[test]
fn a_chunk_has_as_many_items_as_asked_for_up_to_the_end() {
    let shared = (0..10).shared();
    assert_eq!(shared.next_chunk(0), []);
    assert_eq!(shared.next_chunk(4), [0, 1, 2, 3]);
    assert_eq!(shared.next(), Some(4));
    assert_eq!(shared.next_chunk(5), [5, 6, 7, 8, 9]);
    assert_eq!(shared.next_chunk(1), []);
    // Much more than there can be room for.
    assert_eq!((0..10).shared().next_chunk(usize::MAX).len(), 10);
}

#[test]
fn a_chunk_is_not_interrupted_by_other_threads() {
    let _limit = limit();
    let shared = (0..rounds(40_000)).shared();
    on_threads(4, |number| {
        if number == 0 {
            by_next(&shared);
        } else {
            loop {
                let chunk = shared.next_chunk(7);
                assert!(chunk.windows(2).all(|pair| pair[0] + 1 == pair[1]));
                if chunk.is_empty() {
                    break;
                }
            }
        }
    });
}

#[test]
fn what_one_call_of_next_did_is_seen_by_the_next_one() {
    let _limit = limit();
    // Steps that only fit together if each one sees all of the one before.
    let n = rounds(10_000);
    let mut texts: Vec<String> = Vec::new();
    let shared = iter::from_fn(move || {
        assert!(texts.last().is_none_or(|last| *last == (texts.len() - 1).to_string()));
        (texts.len() < n).then(|| {
            texts.push(texts.len().to_string());
            texts.len() - 1
        })
    })
    .shared();
    assert_is_each_once(on_threads(4, |_| shared.into_iter().collect::<Vec<_>>()).concat(), n);
    assert_eq!(shared.panicked(), None);
}

#[test]
fn whatever_is_an_iterator_can_be_shared() {
    fn lines(text: &str) -> impl Iterator<Item = String> + Send {
        std::io::Cursor::new(text.to_owned())
            .lines()
            .map(Result::unwrap)
            .filter(|line| !line.is_empty())
    }
    let shared = threadsafe(lines)("one\n\ntwo");
    assert_eq!(
        (shared.next().as_deref(), shared.next().as_deref(), shared.next()),
        (Some("one"), Some("two"), None)
    );

    let boxed: Box<dyn Iterator<Item = i32> + Send> = Box::new(vec![1, 2].into_iter().rev());
    assert_eq!(SharedIter::from(boxed).next_chunk(9), [2, 1]);

    // A function that takes nothing and returns what is not an iterator yet.
    let twice = threadsafe(|()| [1, 2]);
    assert_eq!((twice(()).next(), twice(()).next()), (Some(1), Some(1)));

    static IDS: SharedIter<std::ops::RangeFrom<u64>> = SharedIter::new(5..);
    assert_eq!((IDS.next(), IDS.puller().next()), (Some(5), Some(6)));
}

// The end

/// Gives numbers below `end`, then `None` once, then numbers again.
struct Resuming {
    end: usize,
    calls: Arc<AtomicUsize>,
}

impl Iterator for Resuming {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        let call = self.calls.fetch_add(1, SeqCst);
        (call != self.end).then_some(call)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (usize::MAX, None)
    }
}

/// Asks in each way whether there is more.
fn is_over<I: Iterator>(shared: &SharedIter<I>) -> bool {
    shared.next().is_none()
        && { shared }.next().is_none()
        && shared.next_indexed().is_none()
        && matches!(shared.try_next(), Ok(None))
        && matches!(shared.next_timeout(AGES), Ok(None))
        && matches!(shared.next_deadline(Instant::now() + AGES), Ok(None))
        && shared.next_chunk(3).is_empty()
        && shared.puller().next().is_none()
        && shared.puller().next_indexed().is_none()
        && shared.size_hint() == (0, Some(0))
}

/// H35: an iterator that goes on after its end.
#[test]
fn after_its_end_the_iterator_is_not_called_again() {
    let reach_the_end: [With<Resuming, ()>; 5] = [
        |shared| while shared.next().is_some() {},
        |shared| while shared.try_next().unwrap().is_some() {},
        |shared| assert_eq!(shared.next_chunk(10).len(), 4),
        |shared| assert_eq!(shared.puller().count(), 4),
        |shared| {
            let mut puller = shared.puller();
            while puller.next().is_some() {}
            assert_eq!(puller.next(), None);
        },
    ];
    for reach_the_end in reach_the_end {
        let calls = Arc::new(AtomicUsize::new(0));
        let shared = Resuming { end: 4, calls: calls.clone() }.shared();
        reach_the_end(&shared);
        assert!(is_over(&shared));
        assert_eq!(calls.load(SeqCst), 5);
    }
}

#[test]
fn an_iterator_that_would_go_on_ends_for_all_threads_at_once() {
    let _limit = limit();
    for round in 0..rounds(200) {
        let calls = Arc::new(AtomicUsize::new(0));
        let shared = Resuming { end: 100 + round, calls: calls.clone() }.shared();
        let mut all = on_threads(3, |number| match number {
            0 => shared.puller().collect::<Vec<_>>(),
            1 => shared.next_chunk(1000),
            _ => shared.into_iter().collect(),
        })
        .concat();
        all.extend(shared.into_inner().1);
        assert_is_each_once(all, 100 + round);
        assert_eq!(calls.load(SeqCst), 101 + round);
    }
}

// Panics

/// Numbers below `end`, then a panic, then numbers again.
fn panicking(end: usize) -> impl Iterator<Item = usize> + Send {
    (0..).inspect(move |&i| {
        if i == end {
            unwind();
        }
    })
}

#[test]
fn a_panic_of_the_iterator_goes_on_in_the_thread_that_called_it() {
    let pulls: [With<Boxed, ()>; 6] = [
        |shared| _ = shared.next(),
        |shared| _ = shared.try_next(),
        |shared| _ = shared.next_timeout(AGES),
        |shared| _ = shared.next_deadline(Instant::now() + AGES),
        |shared| _ = shared.next_chunk(3),
        |shared| _ = shared.puller().next(),
    ];
    for pull in pulls {
        let boxed: Boxed = Box::new(panicking(0));
        let shared = boxed.shared();
        assert_eq!(panic_of(|| pull(&shared)), "on purpose");
        assert!(is_over(&shared));
        assert_eq!(shared.panicked().as_deref(), Some("on purpose"));
    }
}

#[test]
fn why_the_iterator_panicked_is_told_in_its_words() {
    type Payload = fn() -> Box<dyn Any + Send>;
    let reasons: [(Payload, &str); 3] = [
        (|| Box::new("a literal"), "a literal"),
        (|| Box::new(String::from("a text")), "a text"),
        (|| Box::new(7), "a panic without a message"),
    ];
    for (payload, reason) in reasons {
        let shared = iter::from_fn(|| -> Option<()> { resume_unwind(payload()) }).shared();
        assert_eq!(shared.panicked(), None);
        let panic = catch_unwind(AssertUnwindSafe(|| shared.next())).unwrap_err();
        // The panic itself goes on as it was.
        assert_eq!((*panic).type_id(), (*payload()).type_id());
        assert_eq!(shared.panicked().as_deref(), Some(reason));
    }
}

#[test]
fn a_panic_of_size_hint_is_a_panic_of_the_iterator() {
    struct Unsure(Numbers);
    impl Iterator for Unsure {
        type Item = usize;
        fn next(&mut self) -> Option<usize> {
            self.0.next()
        }
        fn size_hint(&self) -> (usize, Option<usize>) {
            unwind()
        }
    }
    let shared = Unsure(0..9).shared();
    assert_eq!(shared.next(), Some(0));
    assert_eq!(panic_of(|| shared.size_hint()), "on purpose");
    assert!(is_over(&shared));
    assert_eq!(shared.into_inner().0.0, 1..9);
}

#[test]
fn a_thread_that_waits_while_the_iterator_panics_sees_the_end() {
    let _limit = limit();
    let (go, wait) = mpsc::channel::<()>();
    let shared = iter::from_fn(move || -> Option<()> {
        wait.recv().unwrap();
        unwind()
    })
    .shared();
    thread::scope(|s| {
        let inside = s.spawn(|| panic_of(|| shared.next()));
        wait_until(|| is_taken(&shared));
        let waiting = [
            s.spawn(|| shared.next()),
            s.spawn(|| shared.next_timeout(AGES).unwrap()),
            s.spawn(|| shared.next_chunk(3).pop()),
            s.spawn(|| shared.puller().next()),
        ];
        wait_until(|| shared.waiters() == waiting.len());
        go.send(()).unwrap();
        for waiting in waiting {
            assert_eq!(waiting.join().unwrap(), None);
            assert_eq!(shared.panicked().as_deref(), Some("on purpose"));
        }
        assert_eq!(inside.join().unwrap(), "on purpose");
    });
}

#[test]
fn the_items_of_a_chunk_that_ended_in_a_panic_go_to_whoever_asks_next() {
    let shared = panicking(5).shared();
    assert_eq!(shared.next(), Some(0));
    panic_of(|| shared.next_chunk(9));
    assert_eq!(shared.next_indexed(), Some((1, 1)));
    assert_eq!(shared.next_chunk(2), [2, 3]);
    assert_eq!(shared.puller().next_indexed(), Some((4, 4)));
    assert!(is_over(&shared));
}

#[test]
fn a_chunk_that_ends_in_a_panic_loses_none_of_the_items_that_had_come_back() {
    let shared = panicking(20).shared();
    let mut puller = shared.puller();
    let mut read: Vec<_> = puller.by_ref().take(10).collect();
    drop(puller);
    read.extend(shared.next());
    panic_of(|| shared.next_chunk(100));
    read.extend(&shared);
    assert_is_each_once(read, 20);
}

#[test]
fn what_a_puller_got_before_the_iterator_panicked_is_not_lost() {
    let n = 3000;
    let shared = panicking(n).shared();
    let mut puller = shared.puller();
    let mut read = Vec::new();
    let panic = panic_of(|| puller.by_ref().for_each(|item| read.push(item)));
    assert_eq!(panic, "on purpose");
    // By the same puller, or another.
    read.extend(puller.next());
    drop(puller);
    read.extend(shared.puller());
    assert_is_each_once(read, n);
}

#[test]
fn items_of_a_worker_that_panics_go_to_the_others() {
    let _limit = limit();
    let n = rounds(5000);
    let shared = (0..n).shared();
    let read = Mutex::new(Vec::new());
    thread::scope(|s| {
        let worker = s.spawn(|| {
            panic_of(|| {
                for item in shared.puller() {
                    read.lock().unwrap().push(item);
                    if item == n / 2 {
                        unwind();
                    }
                }
            })
        });
        assert_eq!(worker.join().unwrap(), "on purpose");
    });
    assert_eq!(shared.panicked(), None);
    let mut read = read.into_inner().unwrap();
    read.extend(&shared);
    assert_is_each_once(read, n);
}

// Re-entrancy

/// An iterator that knows its own wrapper.
struct Ouroboros {
    own: Arc<OnceLock<Weak<SharedIter<Ouroboros>>>>,
    next: fn(&SharedIter<Ouroboros>) -> Option<String>,
    size_hint: fn(&SharedIter<Ouroboros>) -> usize,
}

impl Ouroboros {
    fn shared(
        next: fn(&SharedIter<Self>) -> Option<String>,
        size_hint: fn(&SharedIter<Self>) -> usize,
    ) -> Arc<SharedIter<Self>> {
        let own = Arc::new(OnceLock::new());
        let shared = Arc::new(IteratorExt::shared(Self { own: own.clone(), next, size_hint }));
        own.set(Arc::downgrade(&shared)).unwrap();
        shared
    }

    fn own(&self) -> Arc<SharedIter<Self>> {
        self.own.get().unwrap().upgrade().unwrap()
    }
}

impl Iterator for Ouroboros {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        (self.next)(&self.own())
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        ((self.size_hint)(&self.own()), None)
    }
}

/// H34.
#[test]
fn an_iterator_that_pulls_from_its_own_wrapper_panics_and_does_not_wait_for_itself() {
    let _limit = limit();
    let pulls: [With<Ouroboros, Option<String>>; 8] = [
        |own| own.next(),
        |own| { own }.by_ref().next(),
        |own| own.next_indexed().map(|(_, item)| item),
        |own| own.next_timeout(Duration::MAX).unwrap(),
        |own| own.next_deadline(Instant::now() + AGES).unwrap(),
        |own| own.next_chunk(2).pop(),
        |own| own.puller().next(),
        |own| Some(own.size_hint().0.to_string()),
    ];
    for (number, pull) in pulls.into_iter().enumerate() {
        let shared = Ouroboros::shared(pull, |_| 0);
        // From the outside in all ways, too.
        let panic = panic_of(|| match number % 3 {
            0 => shared.next(),
            1 => shared.next_chunk(2).pop(),
            _ => shared.puller().next(),
        });
        assert!(panic.contains("already executing"), "{panic}");
        assert!(shared.panicked().unwrap().contains("already executing"));
        assert!(is_over(&shared));
    }
    let shared = Ouroboros::shared(|_| None, |own| own.next().map_or(0, |_| 1));
    assert!(panic_of(|| shared.size_hint()).contains("already executing"));
}

#[test]
fn an_iterator_that_tries_to_pull_from_its_own_wrapper_finds_it_busy() {
    let tries: [With<Ouroboros, Option<String>>; 3] = [
        |own| Some(format!("{:?}", own.try_next())),
        |own| Some(format!("{:?}", own.next_timeout(Duration::ZERO))),
        |own| Some(format!("{:?}", own.next_deadline(Instant::now()))),
    ];
    for pull in tries {
        let shared = Ouroboros::shared(pull, |_| 0);
        assert_eq!(shared.next().unwrap(), "Err(Busy)");
        assert_eq!(shared.panicked(), None);
    }
}

#[test]
fn an_iterator_may_ask_its_own_wrapper_what_needs_no_pulling() {
    let shared = Ouroboros::shared(
        |own| {
            drop(own.puller());
            Some(format!("{:?} {} {own:?}", own.panicked(), own.waiters()))
        },
        |_| 0,
    );
    let said = shared.next().unwrap();
    assert!(said.starts_with("None 0 SharedIter") && said.contains("<locked>"), "{said}");
}

#[test]
fn an_iterator_that_survives_pulling_from_its_own_wrapper_goes_on() {
    let shared = Ouroboros::shared(|own| Some(panic_of(|| own.next())), |_| 0);
    assert!(shared.next().unwrap().contains("already executing"));
    assert!(shared.puller().next().unwrap().contains("already executing"));
    assert_eq!(shared.panicked(), None);
}

#[test]
fn two_iterators_that_pull_from_each_other_panic_and_do_not_wait() {
    struct Half(Arc<[OnceLock<Weak<SharedIter<Half>>>; 2]>, usize);
    impl Iterator for Half {
        type Item = ();
        fn next(&mut self) -> Option<()> {
            self.0[self.1].get()?.upgrade()?.next()
        }
    }
    let _limit = limit();
    let each_other = Arc::new([OnceLock::new(), OnceLock::new()]);
    let halves = [1, 0].map(|other| Arc::new(Half(each_other.clone(), other).shared()));
    for (place, half) in each_other.iter().zip(&halves) {
        place.set(Arc::downgrade(half)).unwrap();
    }
    assert!(panic_of(|| halves[0].next()).contains("already executing"));
    assert!(halves.iter().all(|half| half.panicked().unwrap().contains("already executing")));
    assert!(halves.iter().all(|half| is_over(half)));
}

#[test]
fn one_shared_iterator_may_feed_another() {
    let _limit = limit();
    let n = rounds(10_000);
    let inner = (0..n).shared();
    let outer = (&inner).map(|i| i + n).shared();
    let all = on_threads(4, |number| match number {
        0 => inner.puller().collect::<Vec<_>>(),
        1 => outer.puller().map(|i| i - n).collect(),
        2 => inner.into_iter().collect(),
        _ => outer.into_iter().map(|i| i - n).collect(),
    });
    assert_is_each_once(all.concat(), n);
}

#[test]
fn a_thread_that_was_inside_before_waits_for_another_and_does_not_panic() {
    let _limit = limit();
    let (send, receive) = mpsc::channel();
    let shared = receive.into_iter().shared();
    send.send(1).unwrap();
    assert_eq!(shared.next(), Some(1));
    thread::scope(|s| {
        let inside = s.spawn(|| shared.next());
        wait_until(|| is_taken(&shared));
        assert_eq!(shared.next_timeout(Duration::from_millis(1)), Err(Busy));
        send.send(2).unwrap();
        send.send(3).unwrap();
        assert_eq!(shared.next().max(inside.join().unwrap()), Some(3));
    });
}

// Iterators that block

/// Items that come when they are sent, and a thread that is inside and waits for the first one.
fn while_another_is_inside(f: impl FnOnce(&SharedIter<mpsc::IntoIter<usize>>, mpsc::Sender<usize>)) {
    let _limit = limit();
    let (send, receive) = mpsc::channel();
    let shared = receive.into_iter().shared();
    thread::scope(|s| {
        let inside = s.spawn(|| shared.next());
        wait_until(|| is_taken(&shared));
        let first = send.clone();
        f(&shared, send);
        first.send(99).unwrap();
        assert_eq!(inside.join().unwrap(), Some(99), "its item arrives, whatever has happened");
    });
}

#[test]
fn who_only_tries_does_not_wait_for_a_thread_inside() {
    while_another_is_inside(|shared, _| {
        let (result, took) = timed(|| shared.try_next());
        assert_eq!(result, Err(Busy));
        assert!(took < AGES);
    });
}

#[test]
fn who_waits_with_a_timeout_gives_up_at_its_time_and_not_before() {
    while_another_is_inside(|shared, _| {
        for timeout in [0, 1, 999, 20_000].map(Duration::from_micros) {
            let (result, took) = timed(|| shared.next_timeout(timeout));
            assert_eq!(result, Err(Busy));
            assert!(took >= timeout && took < AGES, "{took:?} for {timeout:?}");

            let deadline = Instant::now() + timeout;
            assert_eq!(shared.next_deadline(deadline), Err(Busy));
            assert!(Instant::now() >= deadline);
        }
        assert_eq!(shared.next_deadline(Instant::now() - Duration::from_millis(1)), Err(Busy));
        assert_eq!(shared.waiters(), 0);
    });
}

#[test]
fn the_size_hint_waits_for_a_thread_inside() {
    while_another_is_inside(|shared, send| {
        thread::scope(|s| {
            let asks = s.spawn(|| shared.size_hint());
            wait_until(|| shared.waiters() == 1 || asks.is_finished());
            let is_early = asks.is_finished();
            send.send(99).unwrap();
            assert_eq!(asks.join().unwrap(), (0, None));
            assert!(!is_early, "asked while another thread is inside");
        });
    });
}

#[test]
fn an_endless_timeout_is_no_timeout() {
    for timeout in endless_timeouts() {
        assert_eq!((3..4).shared().next_timeout(timeout), Ok(Some(3)));
    }
    let _limit = limit();
    let (send, receive) = mpsc::channel();
    let shared = receive.into_iter().shared();
    thread::scope(|s| {
        let inside = s.spawn(|| shared.next());
        wait_until(|| is_taken(&shared));
        let waiting = s.spawn(|| shared.next_timeout(Duration::MAX));
        wait_until(|| shared.waiters() == 1);
        send.send(1).unwrap();
        send.send(2).unwrap();
        assert_eq!((inside.join().unwrap(), waiting.join().unwrap()), (Some(1), Ok(Some(2))));
    });
}

#[test]
fn who_waits_is_counted() {
    while_another_is_inside(|shared, send| {
        thread::scope(|s| {
            assert_eq!(shared.waiters(), 0);
            let threads = [(); 3].map(|()| s.spawn(|| shared.next()));
            wait_until(|| shared.waiters() == 3);
            // The first one is for the thread inside.
            [99, 1, 2, 3].into_iter().for_each(|item| send.send(item).unwrap());
            let got = threads.map(|thread| thread.join().unwrap().unwrap());
            assert_eq!(BTreeSet::from(got), BTreeSet::from([1, 2, 3]));
            assert_eq!(shared.waiters(), 0);
        });
    });
}

/// A thread is inside, where it blocks until it is told that there is no more. Before, a puller has taken
/// items that it has not read, and `f` is given. Returns all that was pulled from 20 items.
fn with_unread_while_another_is_inside(
    f: impl FnOnce(&SharedIter<Boxed>, Puller<'_, Boxed>) -> Vec<usize>,
) {
    let _limit = limit();
    let (send, receive) = mpsc::channel::<usize>();
    let numbers: Boxed = Box::new((0..20).chain(receive));
    let shared = numbers.shared();
    let (puller, last) = with_unread(&shared);
    let mut read: Vec<_> = (0..=last).collect();
    while read.last() != Some(&19) {
        read.extend(shared.next());
    }
    thread::scope(|s| {
        let inside = s.spawn(|| shared.into_iter().collect::<Vec<_>>());
        wait_until(|| is_taken(&shared));
        read.extend(f(&shared, puller));
        assert_eq!(shared.try_next(), Err(Busy));
        drop(send);
        read.extend(inside.join().unwrap());
    });
    read.extend(shared.into_inner().1);
    assert_is_each_once(read, 20);
}

/// What can be had without going inside.
fn drain(shared: &SharedIter<Boxed>) -> Vec<usize> {
    iter::from_fn(|| shared.try_next().unwrap_or(None)).collect()
}

#[test]
fn a_puller_that_is_dropped_does_not_wait_for_a_thread_inside() {
    with_unread_while_another_is_inside(|shared, puller| {
        drop(puller);
        drain(shared)
    });
}

#[test]
fn what_came_back_can_be_had_in_each_way_while_another_thread_is_inside() {
    let takes: [With<Boxed, Option<usize>>; 6] = [
        |shared| shared.next(),
        |shared| shared.next_indexed().map(|(_, item)| item),
        |shared| shared.try_next().unwrap(),
        |shared| shared.next_timeout(Duration::ZERO).unwrap(),
        |shared| shared.next_deadline(Instant::now()).unwrap(),
        |shared| shared.puller().next(),
    ];
    for take in takes {
        with_unread_while_another_is_inside(|shared, puller| {
            drop(puller);
            let first = take(shared).unwrap();
            [vec![first], drain(shared)].concat()
        });
    }
}

const WAITS: [With<Boxed, Option<usize>>; 5] = [
    |shared| shared.next(),
    |shared| shared.next_indexed().map(|(_, item)| item),
    |shared| shared.next_timeout(AGES).unwrap(),
    |shared| shared.next_chunk(1).pop(),
    |shared| shared.puller().next(),
];

/// What a thread gets that waits in some way while `meanwhile` happens, after which there is no more.
fn what_a_waiting_thread_gets(
    wait: With<Boxed, Option<usize>>,
    meanwhile: impl FnOnce(&SharedIter<Boxed>, Puller<'_, Boxed>),
) -> Option<usize> {
    let _limit = limit();
    let (send, receive) = mpsc::channel::<usize>();
    let numbers: Boxed = Box::new((0..20).chain(receive));
    let shared = numbers.shared();
    let (puller, _) = with_unread(&shared);
    while shared.next() != Some(19) {}
    thread::scope(|s| {
        let inside = s.spawn(|| shared.next());
        wait_until(|| is_taken(&shared));
        let waiting = s.spawn(|| wait(&shared));
        wait_until(|| shared.waiters() == 1);
        meanwhile(&shared, puller);
        drop(send);
        assert_eq!(inside.join().unwrap(), None);
        waiting.join().unwrap()
    })
}

#[test]
fn who_waits_gets_what_came_back_meanwhile() {
    for wait in WAITS {
        assert!(what_a_waiting_thread_gets(wait, |_, puller| drop(puller)).is_some());
    }
}

#[test]
fn whose_time_runs_out_gets_what_came_back_meanwhile() {
    type Wait = fn(&SharedIter<Boxed>, Duration) -> Result<Option<usize>, Busy>;
    let waits: [Wait; 2] = [
        |shared, timeout| shared.next_timeout(timeout),
        |shared, timeout| shared.next_deadline(Instant::now() + timeout),
    ];
    for wait in waits {
        let (mut timeout, mut has_waited) = (Duration::from_millis(2), false);
        while !has_waited {
            timeout *= 2;
            with_unread_while_another_is_inside(|shared, puller| {
                thread::scope(|s| {
                    let waiting = s.spawn(|| wait(shared, timeout));
                    wait_until(|| shared.waiters() == 1 || waiting.is_finished());
                    drop(puller);
                    // If not, its time was over before that.
                    has_waited = shared.waiters() == 1;
                    let got = waiting.join().unwrap();
                    assert!(got.is_ok() || !has_waited, "{got:?}");
                    [got.ok().flatten().into_iter().collect(), drain(shared)].concat()
                })
            });
        }
    }
}

#[test]
fn who_waits_gets_nothing_after_stop_also_of_what_came_back() {
    for wait in WAITS {
        let got = what_a_waiting_thread_gets(wait, |shared, puller| {
            shared.stop();
            drop(puller);
        });
        assert_eq!(got, None);
    }
}

#[test]
fn showing_it_does_not_wait_for_a_thread_inside() {
    while_another_is_inside(|shared, _| {
        assert_eq!(format!("{shared:?}"), "SharedIter { given: <locked>, is_stopped: false }");
    });
    let shared = (0..1).shared();
    shared.next();
    assert_eq!(format!("{shared:?}"), "SharedIter { given: 1, has_ended: false, is_stopped: false }");
    assert!(is_over(&shared));
    shared.stop();
    assert_eq!(format!("{shared:?}"), "SharedIter { given: 1, has_ended: true, is_stopped: true }");
    assert_eq!(
        format!("{:?}", shared.into_handle()),
        "SharedIter { given: 1, has_ended: true, is_stopped: true }"
    );
    assert!(format!("{:?}", (0..9).shared().puller()).contains("unread: 0"));
}

#[test]
fn showing_it_to_a_writer_that_pulls_from_it_does_not_hang() {
    struct Pulling<'a>(&'a SharedIter<Numbers>);
    impl std::fmt::Write for Pulling<'_> {
        fn write_str(&mut self, _: &str) -> std::fmt::Result {
            self.0.next().map(drop).ok_or(std::fmt::Error)
        }
    }
    let _limit = limit();
    let shared = (0..1000).shared();
    std::fmt::Write::write_fmt(&mut Pulling(&shared), format_args!("{shared:?}")).unwrap();
    assert!(shared.next() > Some(1));
}

// stop

#[test]
fn stop_is_the_end_in_each_way_to_pull() {
    let calls = Arc::new(AtomicUsize::new(0));
    let shared = Resuming { end: usize::MAX, calls: calls.clone() }.shared();
    let mut buffered = shared.puller();
    buffered.by_ref().take(2).for_each(drop);
    let mut empty = shared.puller();
    let before = calls.load(SeqCst);
    shared.stop();
    shared.stop();
    assert!(is_over(&shared));
    assert_eq!((buffered.next(), buffered.next_indexed(), empty.next()), (None, None, None));
    drop((buffered, empty));
    assert!(is_over(&shared));
    assert_eq!(calls.load(SeqCst), before);
}

#[test]
fn stop_waits_for_nobody_and_those_who_wait_see_the_end() {
    while_another_is_inside(|shared, send| {
        thread::scope(|s| {
            let waiting = [
                s.spawn(|| shared.next()),
                s.spawn(|| shared.next_timeout(AGES).unwrap()),
                s.spawn(|| shared.next_chunk(2).pop()),
                s.spawn(|| shared.puller().next()),
            ];
            wait_until(|| shared.waiters() == 4);
            shared.stop();
            // Also while the one inside blocks.
            assert_eq!((shared.try_next(), shared.next()), (Ok(None), None));
            assert!(is_over(shared));
            // The others get out when it does, and leave what comes after.
            [99, 1, 2, 3, 4].into_iter().for_each(|item| send.send(item).unwrap());
            assert!(waiting.into_iter().all(|thread| thread.join().unwrap().is_none()));
        });
    });
}

#[test]
fn after_stop_the_iterator_is_not_called_again_in_the_middle_of_a_chunk_either() {
    let pulls: [With<Ouroboros, usize>; 2] =
        [|shared| shared.next_chunk(100).len(), |shared| shared.puller().count()];
    for pull in pulls {
        static CALLS: AtomicUsize = AtomicUsize::new(0);
        CALLS.store(0, SeqCst);
        let shared = Ouroboros::shared(
            |own| {
                if CALLS.fetch_add(1, SeqCst) == 20 {
                    own.stop();
                }
                (CALLS.load(SeqCst) < 1000).then(String::new)
            },
            |_| 0,
        );
        let read = pull(&shared);
        assert_eq!(CALLS.load(SeqCst), 21, "called again after the call that was under way");
        let leftovers = Arc::into_inner(shared).unwrap().into_inner().1.len();
        assert_eq!(read + leftovers, 21, "and nothing is lost");
    }
}

#[test]
fn after_stop_the_rest_can_be_had() {
    let shared = (0..1000).shared();
    let mut pullers = [shared.puller(), shared.puller(), shared.puller()];
    let mut read = Vec::new();
    for _ in 0..20 {
        read.extend(pullers.iter_mut().filter_map(Iterator::next));
    }
    shared.stop();
    drop(pullers);
    let (rest, leftovers) = shared.into_inner();
    read.extend(leftovers.into_iter().chain(rest));
    assert_is_each_once(read, 1000);
}

#[test]
fn many_threads_that_are_stopped_lose_nothing() {
    let _limit = limit();
    for round in 0..rounds(100) {
        let shared = (0..).shared();
        let stop_at = 10 * round;
        let mut all = on_threads(3, |number| {
            let mut read = Vec::new();
            let mut puller = shared.puller();
            while let Some(item) = if number == 0 { shared.next() } else { puller.next() } {
                read.push(item);
                if item >= stop_at {
                    shared.stop();
                }
            }
            read
        })
        .concat();
        let (mut rest, leftovers) = shared.into_inner();
        all.extend(leftovers);
        assert_is_each_once(all, rest.next().unwrap());
    }
}

// Pullers and what they give back

/// A puller of numbers that has read one of the two or more that it took last.
fn with_unread<I: Iterator<Item = usize>>(shared: &SharedIter<I>) -> (Puller<'_, I>, usize) {
    let mut puller = shared.puller();
    loop {
        let read = puller.next().unwrap();
        if !format!("{puller:?}").contains("unread: 0") {
            return (puller, read);
        }
    }
}

#[test]
fn what_a_dropped_puller_has_not_read_is_given_out_before_new_items() {
    let takes: [With<Numbers, usize>; 5] = [
        |shared| shared.next().unwrap(),
        |shared| shared.try_next().unwrap().unwrap(),
        |shared| shared.next_timeout(AGES).unwrap().unwrap(),
        |shared| shared.next_chunk(1)[0],
        |shared| shared.puller().next().unwrap(),
    ];
    for take in takes {
        let shared = (0..100).shared();
        let (puller, read) = with_unread(&shared);
        let new = shared.next().unwrap();
        drop(puller);
        let back: Vec<_> = (read + 1..new).map(|_| take(&shared)).collect();
        assert_is_each_once(back.iter().map(|item| item - read - 1).collect(), new - read - 1);
        assert_eq!(take(&shared), new + 1);
    }
}

#[test]
fn a_chunk_takes_what_came_back_and_then_new_items() {
    let shared = (0..1000).shared();
    let (puller, read) = with_unread(&shared);
    drop(puller);
    let chunk = shared.next_chunk(500);
    assert!(chunk.into_iter().eq(read + 1..read + 501));
    assert_eq!(shared.next_indexed(), Some((read + 501, read + 501)));
}

#[test]
fn what_came_back_keeps_its_place() {
    let shared = (0..1000).shared();
    let (puller, read) = with_unread(&shared);
    let new = shared.next().unwrap();
    drop(puller);
    assert_eq!(shared.next_indexed(), Some((read + 1, read + 1)));
    // Half of it goes back again.
    let (mut first, _) = with_unread(&shared);
    while let Some((place, item)) = first.next_indexed() {
        assert_eq!(place, item);
        if item > new + 10 {
            break;
        }
    }
    drop(first);
    shared.puller().for_each(drop);
    let mut puller = shared.puller();
    assert_eq!(puller.next_indexed(), None);
}

#[test]
fn what_came_back_is_counted_in_the_size_hint_and_what_pullers_have_is_not() {
    let shared = (0..100).shared();
    let (puller, _) = with_unread(&shared);
    let (new, _) = shared.next_indexed().unwrap();
    assert_eq!(shared.size_hint(), (99 - new, Some(99 - new)));
    drop(puller);
    let left = shared.size_hint().0;
    assert!(left > 99 - new);
    assert_eq!(shared.size_hint(), (left, Some(left)));
    assert_eq!(shared.into_iter().count(), left);
    assert_eq!(shared.size_hint(), (0, Some(0)));
    // No number is too large.
    let endless = (0..).shared();
    drop(with_unread(&endless));
    assert_eq!(endless.size_hint(), (usize::MAX, None));
}

#[test]
fn the_leftovers_are_in_the_order_of_the_iterator() {
    for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0]] {
        let shared = (0..1000).shared();
        let mut pullers: Vec<_> = (0..3).map(|_| Some(with_unread(&shared).0)).collect();
        order.into_iter().for_each(|number| pullers[number] = None);
        drop(pullers);
        let (rest, leftovers) = shared.into_inner();
        assert!(leftovers.len() >= 3);
        assert!(leftovers.windows(2).all(|pair| pair[0] < pair[1]), "{leftovers:?}");
        assert!(*leftovers.last().unwrap() < rest.start);
    }
}

#[test]
fn an_item_is_dropped_once_wherever_it_ends() {
    struct Counted(Arc<AtomicUsize>);
    impl Drop for Counted {
        fn drop(&mut self) {
            self.0.fetch_add(1, SeqCst);
        }
    }
    let ends: [With<Box<dyn Iterator<Item = Counted>>, ()>; 5] = [
        |_| (),
        |shared| shared.puller().take(10).for_each(drop),
        |shared| drop(shared.next_chunk(10)),
        |shared| shared.into_iter().for_each(drop),
        |shared| shared.stop(),
    ];
    for end in ends {
        let drops: Vec<_> = (0..100).map(|_| Arc::new(AtomicUsize::new(0))).collect();
        let panics = drops.clone().into_iter().enumerate().map(|(number, drops)| {
            if number == 50 {
                unwind();
            }
            Counted(drops)
        });
        let boxed: Box<dyn Iterator<Item = Counted>> = Box::new(panics);
        let shared = boxed.shared();
        shared.puller().take(20).for_each(drop);
        panic_of(|| shared.next_chunk(100));
        let dropped = || drops.iter().filter(|drops| drops.load(SeqCst) > 0).count();
        // The chunk that ended in a panic has dropped none.
        assert_eq!(dropped(), 20);
        end(&shared);
        drop(shared);
        assert_eq!(dropped(), 50);
        assert!(drops[..50].iter().all(|drops| drops.load(SeqCst) == 1));
    }
}

#[test]
fn nothing_is_lost_or_doubled_while_iterators_and_workers_panic_and_pullers_are_dropped() {
    struct Item(usize, Arc<Vec<AtomicUsize>>);
    impl Drop for Item {
        fn drop(&mut self) {
            self.1[self.0].fetch_add(1, SeqCst);
        }
    }
    let _limit = limit();
    const N: usize = 1000;
    for round in 0..rounds(400) {
        let mut random = Random::new(round as u64);
        let end = random.below(N as u64 - 1) as usize;
        let drops: Arc<Vec<_>> = Arc::new((0..N).map(|_| AtomicUsize::new(0)).collect());
        let theirs = drops.clone();
        let shared = panicking(end).map(move |number| Item(number, theirs.clone())).shared();
        let read = Mutex::new(Vec::new());
        let seeds = [(); 4].map(|()| random.below(1 << 40));
        let panics: usize = on_threads(4, |number| {
            let mut random = Random::new(seeds[number]);
            let mut panics = 0;
            let keep = |item: Item| read.lock().unwrap().push(item);
            while shared.panicked().is_none()
                || shared.try_next().map(|item| item.map(keep)) != Ok(None)
            {
                let worker = catch_unwind(AssertUnwindSafe(|| match random.below(4) {
                    0 => shared.next().into_iter().for_each(keep),
                    1 => shared.next_chunk(random.below(40) as usize).into_iter().for_each(keep),
                    _ => {
                        let most = random.below(60);
                        shared.puller().take(most as usize).for_each(keep);
                        if most == 7 {
                            // A worker whose puller is dropped by a panic.
                            let mut puller = shared.puller();
                            puller.by_ref().take(2).for_each(keep);
                            panic_any_worker();
                        }
                    }
                }));
                panics += usize::from(worker.is_err_and(|panic| words(&*panic) == "on purpose"));
            }
            panics
        })
        .into_iter()
        .sum();
        assert_eq!(panics, 1, "the panic of the iterator goes on in one thread");
        let read = read.into_inner().unwrap();
        let leftovers = shared.into_inner().1;
        let numbers = read.iter().chain(&leftovers).map(|item| item.0).collect();
        assert_is_each_once(numbers, end);
        drop((read, leftovers));
        let dropped = |drops: &[AtomicUsize], times| drops.iter().all(|d| d.load(SeqCst) == times);
        assert!(dropped(&drops[..end], 1) && dropped(&drops[end..], 0));
    }
}

fn panic_any_worker() -> ! {
    resume_unwind(Box::new("a worker"))
}

// How many items a puller takes at once

/// How many items the iterator makes for each time that the puller's thread waits for some: the puller
/// reads `n` items, `make` and `work` are what each of them takes.
fn chunks_of<T>(n: usize, make: impl Fn(usize) -> T, work: impl Fn()) -> Vec<usize> {
    let reads = Rc::new(Cell::new(0));
    let chunks = Rc::new(Cell::new(Vec::new()));
    let (theirs, seen) = (chunks.clone(), reads.clone());
    let mut filled_at = None;
    let shared = (0..)
        .map(|number| {
            let mut chunks = theirs.take();
            if filled_at.replace(seen.get()) != Some(seen.get()) {
                chunks.push(0);
            }
            *chunks.last_mut().unwrap() += 1;
            theirs.set(chunks);
            make(number)
        })
        .shared();
    for _ in shared.puller().take(n) {
        reads.set(reads.get() + 1);
        work();
    }
    chunks.take()
}

#[test]
fn cheap_items_are_taken_many_at_once_beginning_with_one() {
    let n = rounds(50_000);
    let chunks = chunks_of(n, |_| (), || ());
    assert_eq!(chunks[0], 1);
    assert!(chunks.len() < n / 10 || cfg!(miri), "{} chunks", chunks.len());
}

#[test]
fn items_that_take_long_to_make_are_taken_one_at_a_time() {
    let chunks = chunks_of(20, |_| spin_until(Instant::now() + Duration::from_micros(50)), || ());
    assert_eq!(chunks, [1; 20]);
}

#[test]
fn items_that_take_long_to_work_on_are_taken_one_at_a_time() {
    let chunks = chunks_of(20, |_| (), || spin_until(Instant::now() + Duration::from_micros(600)));
    assert_eq!(chunks, [1; 20]);
}

#[test]
fn items_that_become_expensive_to_work_on_are_taken_fewer_at_once() {
    let count = Cell::new(0);
    let cheap = rounds(20_000);
    let chunks = chunks_of(
        cheap + 10_000,
        |_| (),
        || {
            count.set(count.get() + 1);
            if count.get() > cheap {
                spin_until(Instant::now() + Duration::from_micros(20));
            }
        },
    );
    // 500 µs of work are 25 such items.
    assert!(*chunks.last().unwrap() <= 25, "{chunks:?}");
}

#[test]
fn a_puller_does_not_stay_inside_for_long_while_others_wait() {
    let _limit = limit();
    const CHEAP: usize = 20_000;
    // Who is inside, from the first expensive item on, lets the other thread come and wait.
    let shared = Arc::new(OnceLock::<SharedIter<Box<dyn Iterator<Item = usize> + Send>>>::new());
    let own = Arc::downgrade(&shared);
    static IS_EXPENSIVE: AtomicBool = AtomicBool::new(false);
    let numbers = (0..CHEAP + 10_000).inspect(move |&number| {
        if number >= CHEAP {
            IS_EXPENSIVE.store(true, SeqCst);
            if number == CHEAP {
                let own = own.upgrade().unwrap();
                wait_until(|| own.get().unwrap().waiters() > 0);
            }
            spin_until(Instant::now() + Duration::from_micros(50));
        }
    });
    let shared = shared.get_or_init(|| SharedIter::new(Box::new(numbers)));
    thread::scope(|s| {
        let waiting = s.spawn(|| {
            wait_until(|| IS_EXPENSIVE.load(SeqCst));
            let number = shared.next().unwrap();
            shared.stop();
            number
        });
        shared.puller().for_each(drop);
        // Far fewer than fit into a buffer.
        let number = waiting.join().unwrap();
        assert!(number - CHEAP < 200, "{} items while another waited", number - CHEAP);
    });
}

/// How many items of 10 µs a puller takes at once, at most, where another thread waits all the time.
fn most_at_once_while_another_waits<T: Copy + Send + Sync + 'static>(item: T) -> usize {
    type Items<T> = Box<dyn Iterator<Item = T> + Send>;

    let _limit = limit();
    let own = Arc::new(OnceLock::<Weak<SharedIter<Items<T>>>>::new());
    let (reads, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (wrapper, read, largest) = (own.clone(), reads.clone(), most.clone());
    let puller_thread = thread::current().id();
    let (mut filled_at, mut chunk) = (usize::MAX, 0);
    let items: Items<T> = Box::new(iter::from_fn(move || {
        if thread::current().id() == puller_thread {
            let shared = wrapper.get().unwrap().upgrade().unwrap();
            wait_until(|| shared.waiters() > 0);
            spin_until(Instant::now() + Duration::from_micros(10));
            let reads = read.load(SeqCst);
            chunk = if reads == filled_at { chunk + 1 } else { 1 };
            filled_at = reads;
            largest.fetch_max(chunk, SeqCst);
        }
        Some(item)
    }));
    let shared = Arc::new(items.shared());
    own.set(Arc::downgrade(&shared)).unwrap();
    thread::scope(|s| {
        s.spawn(|| while shared.next().is_some() {});
        for _ in shared.puller().take(200) {
            reads.fetch_add(1, SeqCst);
        }
        shared.stop();
    });
    most.load(SeqCst)
}

/// A puller takes more than one at once, and never more than `limit`.
///
/// More than one is a matter of time: where the machine is taken away for long, an item is all that fits
/// into a chunk. So that it happens can be had by trying again, and that more never happens can not.
fn assert_several_are_taken_at_once<T: Copy + Send + Sync + 'static>(item: T, limit: usize) {
    let takes_several = || {
        let most = most_at_once_while_another_waits(item);
        assert!(most <= limit, "{most} items at once");
        most > 1
    };
    assert!((0..20).any(|_| takes_several()), "one item at a time, each time");
}

#[test]
fn items_that_others_wait_for_are_taken_many_at_once_although_they_take_long_to_make() {
    // Up to 250 µs of them, and what is made before the clock is looked at.
    assert_several_are_taken_at_once((), 32);
}

#[test]
fn large_items_are_taken_few_at_once_also_where_others_wait() {
    assert_several_are_taken_at_once([0u8; 64 << 10], 4);
}

#[test]
fn items_that_become_expensive_to_make_are_taken_fewer_at_once() {
    let make = |number| {
        if number >= 5000 {
            spin_until(Instant::now() + Duration::from_micros(50));
        }
    };
    // Whatever the chunk in which they become expensive, the next ones are worth 250 µs.
    let chunks = chunks_of(5000 + 4096 + 20, make, || ());
    assert!(*chunks.last().unwrap() <= 5, "{chunks:?}");
}

// Handles, traits, sizes

#[test]
fn the_last_handle_gives_the_shared_iterator_back() {
    let first = (0..9).shared().into_handle();
    let second = first.clone();
    let first = first.try_into_shared().unwrap_err();
    assert_eq!(second.last(), Some(8));
    assert_eq!(first.try_into_shared().unwrap().into_inner().0, 9..9);
    let mut handle = SharedIterHandle::from((0..2).shared());
    assert_eq!((handle.next(), handle.clone().next(), handle.next()), (Some(0), Some(1), None));
}

#[test]
fn a_handle_does_what_the_shared_iterator_does() {
    let handle = (0..9).shared().into_handle();
    assert_eq!(handle.size_hint(), (9, Some(9)));
    assert_eq!(handle.next_indexed(), Some((0, 0)));
    assert_eq!(SharedIter::next_chunk(&handle, 2), [1, 2]);
    assert_eq!(handle.waiters(), 0);
    handle.stop();
    assert_eq!(handle.try_next(), Ok(None));
}

#[test]
fn a_handle_asks_for_memory_once_and_its_clones_do_not() {
    let shared = (0..9).shared();
    let mut handle = None;
    assert_eq!(allocations(|| handle = Some(shared.into_handle())), 1);
    let handle = handle.unwrap();
    assert_eq!(allocations(|| assert_eq!(handle.clone().next(), Some(0))), 0);
}

#[test]
fn an_item_that_is_pulled_one_by_one_needs_no_memory() {
    let shared = (0..).shared();
    let count = allocations(|| {
        for _ in 0..10 {
            shared.next();
            shared.try_next().unwrap();
            shared.next_timeout(AGES).unwrap();
        }
        drop(shared.puller());
    });
    assert_eq!(count, 0);
}

#[test]
fn busy_is_an_error_with_words() {
    let busy: Box<dyn std::error::Error> = Box::new(Busy);
    assert_eq!(busy.to_string(), "another thread is inside the iterator");
}

/// An iterator over `T` that is whatever `C` is.
struct Made<C, T>(C, fn() -> T);

impl<C, T> Iterator for Made<C, T> {
    type Item = T;
    fn next(&mut self) -> Option<T> {
        Some(self.1())
    }
}

/// `Sync` and not `Send`.
type Stays = MutexGuard<'static, i32>;

/// A shared iterator hands both itself and its items from thread to thread, one at a time.
#[test]
fn a_shared_iterator_goes_where_the_iterator_and_its_items_may_be_sent() {
    assert_impl_all!(SharedIter<Made<i32, i32>>: Send, Sync);
    assert_impl_all!(SharedIter<Made<Cell<i32>, i32>>: Send, Sync);
    assert_impl_all!(SharedIter<Made<i32, Cell<i32>>>: Send, Sync);
    assert_not_impl_any!(SharedIter<Made<Stays, i32>>: Send, Sync);
    assert_not_impl_any!(SharedIter<Made<Rc<i32>, i32>>: Send, Sync);
    assert_not_impl_any!(SharedIter<Made<*mut i32, i32>>: Send, Sync);
    // Also an iterator that is `Send` may make items that are not.
    assert_impl_all!(Made<i32, Rc<i32>>: Send);
    assert_not_impl_any!(SharedIter<Made<i32, Rc<i32>>>: Send, Sync);
    assert_not_impl_any!(SharedIter<Made<i32, Stays>>: Send, Sync);
}

#[test]
fn handles_and_pullers_go_where_the_iterator_and_its_items_may_be_sent() {
    assert_impl_all!(SharedIterHandle<Made<Cell<i32>, Cell<i32>>>: Send, Sync, Clone);
    assert_not_impl_any!(SharedIterHandle<Made<Rc<i32>, i32>>: Send, Sync);
    assert_not_impl_any!(SharedIterHandle<Made<i32, Rc<i32>>>: Send, Sync);

    assert_impl_all!(Puller<'static, Made<Cell<i32>, i32>>: Send, Sync);
    assert_impl_all!(Puller<'static, Made<i32, Cell<i32>>>: Send);
    assert_not_impl_any!(Puller<'static, Made<Rc<i32>, i32>>: Send, Sync);
    assert_not_impl_any!(Puller<'static, Made<i32, Rc<i32>>>: Send, Sync);
    assert_not_impl_any!(Puller<'static, Made<i32, i32>>: Clone, Copy);
    assert_impl_all!(Busy: Send, Sync, Copy, std::error::Error);
}

/// After the end a puller may give items back, so that there may be some again.
#[test]
fn no_way_to_pull_says_that_it_stays_at_the_end() {
    assert_not_impl_any!(&'static SharedIter<Made<i32, i32>>: FusedIterator);
    assert_not_impl_any!(SharedIterHandle<Made<i32, i32>>: FusedIterator);
    assert_not_impl_any!(Puller<'static, Made<i32, i32>>: FusedIterator);
}

#[test]
fn who_has_seen_the_end_and_asks_again_gets_what_was_given_back_since() {
    let shared = (0..100).shared();
    let (puller, _) = with_unread(&shared);
    let mut other = shared.puller();
    other.by_ref().for_each(drop);
    assert_eq!(shared.next(), None);
    drop(puller);
    assert!(other.next().is_some());
}

#[test]
fn fused_it_stays_at_the_end_whatever_is_given_back_since() {
    let shared = (0..100).shared();
    let (puller, _) = with_unread(&shared);
    let mut fused = (&shared).fuse();
    let mut fused_puller = shared.puller().fuse();
    assert!(fused.by_ref().last().is_some());
    assert_eq!(fused_puller.next(), None);
    drop(puller);
    assert_eq!((fused.next(), fused_puller.next()), (None, None));

    let handle = (0..100).shared().into_handle();
    let (puller, _) = with_unread(&handle);
    let mut fused = handle.clone().fuse();
    assert!(fused.by_ref().last().is_some());
    drop(puller);
    assert_eq!(fused.next(), None);
}

#[test]
fn several_leftovers_of_one_puller_are_in_the_order_of_the_iterator() {
    let shared = SharedIter::new(0..1_000);
    let (mut puller, mut read) = with_unread(&shared);
    while format!("{puller:?}").contains("unread: 0") || format!("{puller:?}").contains("unread: 1,") {
        read = puller.next().unwrap();
    }
    drop(puller);
    let (rest, leftovers) = shared.into_inner();
    assert!(leftovers.len() > 1);
    assert!(leftovers.into_iter().chain(rest).eq(read + 1..1_000));
}

#[test]
fn a_chunk_of_all_that_came_back_leaves_nothing_that_a_puller_would_take_for_the_end() {
    let shared = SharedIter::new(0..1_000);
    let (puller, read) = with_unread(&shared);
    let came_back = 999 - read - shared.size_hint().0;
    drop(puller);
    assert_eq!(shared.next_chunk(came_back).len(), came_back);
    assert_eq!(shared.puller().count(), 999 - read - came_back);
}
