//! The parallel map.

use std::any::Any;
use std::cell::Cell;
use std::collections::{BTreeSet, HashSet};
use std::iter::{self, FusedIterator};
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Barrier, Mutex, Weak, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use futon::{Event, IteratorExt, Leftovers, NotReady, ParMap, ParMapResults, Semaphore, Workers};
use static_assertions::{assert_impl_all, assert_not_impl_any};

use crate::threads::{
    AGES, Random, Unprotected, endless_timeouts, limit, rounds, spin_until, stress, timed, wait_until,
};

/// Ends by unwinding, and without the words of the panic hook on the terminal.
fn unwind() -> ! {
    resume_unwind(Box::new("on purpose"))
}

/// What a call that panics says.
fn panic_of<R>(f: impl FnOnce() -> R) -> String {
    words(&*catch_unwind(AssertUnwindSafe(f)).err().expect("did not panic"))
}

fn words(panic: &(dyn Any + Send)) -> String {
    let str = panic.downcast_ref::<&str>().map(|s| (*s).to_owned());
    str.or_else(|| panic.downcast_ref::<String>().cloned()).expect("no words")
}

/// Keeps the CPU for up to so many microseconds, depending on the number.
fn busy(number: usize, most: u64) {
    let micros = Random::new(number as u64 + 1).below(most + 1);
    spin_until(Instant::now() + Duration::from_micros(micros));
}

/// Numbers from 0, of which somebody counts how many have been pulled.
fn counted(pulled: &AtomicUsize) -> impl Iterator<Item = usize> + Send {
    (0..).inspect(|_| _ = pulled.fetch_add(1, SeqCst))
}

type Numbers = std::ops::RangeFrom<usize>;

/// Each setting that matters: few and many threads, much room and little, chunks or none.
fn settings() -> impl Iterator<Item = Workers> {
    let threads = if cfg!(miri) { &[0, 2][..] } else { &[0, 1, 2, 4, 9] };
    threads.iter().flat_map(|&threads| {
        let workers = Workers::new(threads);
        [
            workers,
            workers.in_flight(1),
            workers.in_flight(3),
            workers.in_flight(100),
            workers.chunk(7),
            workers.chunk(5).in_flight(5),
            workers.chunk(4).in_flight(6),
            workers.chunk(1000).in_flight(3),
        ]
    })
}

// Each result once, in order

#[test]
fn the_results_come_in_the_order_of_the_items_however_long_each_takes() {
    let _limit = limit();
    let n = rounds(200);
    for workers in settings() {
        let mut results = thread::scope(|s| {
            let map = (0..n).par_map(s, workers, |i| {
                busy(i, 50);
                (i, i * i)
            });
            map.collect::<Vec<_>>().into_iter()
        });
        assert!(results.by_ref().enumerate().all(|(i, result)| result == (i, i * i)), "{workers:?}");
    }
}

#[test]
fn as_they_come_there_is_one_result_for_each_item() {
    let _limit = limit();
    let n = rounds(200);
    for workers in settings() {
        let results: BTreeSet<_> = thread::scope(|s| {
            let mut count = 0;
            let map = (0..n).par_map_unordered(s, workers, |i| {
                busy(i, 50);
                i
            });
            let results = map.inspect(|_| count += 1).collect();
            assert_eq!(count, n, "{workers:?}");
            results
        });
        assert!(results.into_iter().eq(0..n), "{workers:?}");
    }
}

#[test]
fn the_results_of_many_cheap_items_come_in_order() {
    let _limit = limit();
    let n = rounds(30_000);
    for workers in [Workers::new(2), Workers::new(4).in_flight(3), Workers::new(3).chunk(50)] {
        thread::scope(|s| {
            assert!((0..n).par_map(s, workers, |i| i + 1).eq(1..=n));
        });
    }
}

#[test]
fn whoever_asks_may_be_slower_than_the_workers_and_faster_and_both_in_turn() {
    let _limit = limit();
    for workers in [Workers::new(3), Workers::new(2).in_flight(2), Workers::new(2).chunk(3)] {
        thread::scope(|s| {
            let function = |i| {
                busy(i, if i / 100 % 2 == 0 { 100 } else { 0 });
                i
            };
            let mut expected = 0..rounds(600);
            for i in expected.clone().par_map(s, workers, function) {
                busy(i, if i / 100 % 3 == 0 { 0 } else { 100 });
                assert_eq!(Some(i), expected.next());
            }
            assert!(expected.is_empty());
        });
    }
}

#[test]
fn several_threads_may_ask_and_each_result_goes_to_one_of_them() {
    let _limit = limit();
    for chunk in [1, 4] {
        let n = rounds(5000);
        let map = ParMap::new(0..n, 16, |i| i).chunk(chunk);
        let mut all = thread::scope(|s| {
            (0..2).for_each(|_| _ = s.spawn(|| map.work()));
            let ask = || map.into_iter().collect::<Vec<_>>();
            let asks: Vec<_> = (0..3).map(|_| s.spawn(ask)).collect();
            asks.into_iter().map(|ask| ask.join().unwrap()).collect::<Vec<_>>()
        });
        assert!(all.iter().all(|results| results.is_sorted()));
        let mut all: Vec<_> = all.drain(..).flatten().collect();
        all.sort_unstable();
        assert!(all.into_iter().eq(0..n));
    }
}

/// Two wait, and a chunk brings a result for each: whoever brings it tells one, who tells the other.
#[test]
fn who_gets_a_result_tells_the_next_one_that_waits() {
    let _limit = limit();
    for _ in stress(200) {
        let go = Event::new();
        let map = ParMap::new(0.., 2, |i| {
            go.wait();
            i
        })
        .chunk(2);
        thread::scope(|s| {
            s.spawn(|| map.work());
            wait_until(|| go.waiters() == 1);
            let asks = [(); 2].map(|()| s.spawn(|| map.next().unwrap()));
            wait_until(|| map.waiters() == 2);
            go.set();
            assert_eq!(asks.map(|ask| ask.join().unwrap()).iter().sum::<usize>(), 1);
            map.stop();
        });
    }
}

/// H35: an iterator that goes on after its end.
#[test]
fn after_its_end_the_iterator_is_not_called_again() {
    let _limit = limit();
    for workers in settings() {
        let calls = AtomicUsize::new(0);
        let iter = iter::from_fn(|| Some(calls.fetch_add(1, SeqCst)).filter(|&call| call != 20));
        thread::scope(|s| {
            let mut results = iter.par_map(s, workers, |i| i);
            assert!(results.by_ref().eq(0..20));
            assert_eq!((results.next(), results.next(), results.try_next()), (None, None, Ok(None)));
        });
        assert_eq!(calls.into_inner(), 21);
    }
}

/// Without protection of its own: the order is the map's.
#[test]
fn what_the_iterator_did_the_function_sees_and_what_that_did_is_seen_with_its_result() {
    let _limit = limit();
    let notes: Vec<_> = (0..rounds(2000)).map(|_| [(); 2].map(|()| Unprotected::new())).collect();
    let iter = notes.iter().enumerate().inspect(|(i, note)| note[0].set(i + 1));
    thread::scope(|s| {
        let results = iter.par_map(s, 3, |(i, note)| note[1].set(note[0].get() + i));
        for ((i, note), ()) in notes.iter().enumerate().zip(results) {
            assert_eq!(note[1].get(), 2 * i + 1);
        }
    });
}

// Lazily, within the bound

#[test]
fn nothing_is_pulled_before_somebody_works_or_asks() {
    let pulled = AtomicUsize::new(0);
    let map = ParMap::new(counted(&pulled), 5, |i| i);
    assert_eq!(pulled.load(SeqCst), 0);
    assert_eq!(map.next(), Some(0));
    assert_eq!(pulled.load(SeqCst), 1);
}

/// How many items are pulled when so many results have been taken, in the end: the workers wait for nothing else.
#[track_caller]
fn assert_pulls(workers: Workers, expected: impl Fn(usize) -> std::ops::RangeInclusive<usize>) {
    let _limit = limit();
    let pulled = AtomicUsize::new(0);
    thread::scope(|s| {
        let mut results = counted(&pulled).par_map(s, workers, |i| i);
        // As long as no room is given back, who waits for it will wait.
        wait_until(|| results.waiters() == results.threads());
        assert_eq!(pulled.load(SeqCst), *expected(0).end());
        for taken in 0..50 {
            let expected = expected(taken);
            wait_until(|| pulled.load(SeqCst) >= *expected.start());
            thread::yield_now();
            assert!(pulled.load(SeqCst) <= *expected.end());
            assert_eq!(results.next(), Some(taken));
        }
    });
}

#[test]
fn the_iterator_is_pulled_from_as_far_ahead_as_allowed_and_no_further() {
    assert_pulls(Workers::new(2).in_flight(2), |taken| taken + 2..=taken + 2);
    assert_pulls(Workers::new(4).in_flight(1), |taken| taken + 1..=taken + 1);
    // Room is given back once there is some for a while, and as long as the others are enough for all.
    assert_pulls(Workers::new(1), |taken| taken + 33..=taken + 64);
    assert_pulls(Workers::new(1).chunk(10), |taken| taken + 41..=taken + 80);
    assert_pulls(Workers::new(2).in_flight(10), |taken| taken + 6..=taken + 10);
    assert_pulls(Workers::new(2).in_flight(12).chunk(4), |taken| taken + 7..=taken + 12);
}

#[test]
fn no_more_is_in_flight_than_allowed_at_any_moment() {
    let _limit = limit();
    for workers in [2, 5].map(Workers::new) {
        for in_flight in [1, 2, 7] {
            let asked = AtomicUsize::new(0);
            let n = rounds(1000);
            thread::scope(|s| {
                let iter = (0..n).inspect(|&i| assert!(i < asked.load(SeqCst) + in_flight));
                let mut results = iter.par_map(s, workers.in_flight(in_flight), |i| busy(i, 10));
                for _ in 0..n {
                    asked.fetch_add(1, SeqCst);
                    results.next().unwrap();
                }
            });
        }
    }
}

#[test]
fn all_threads_work_at_the_same_time() {
    let _limit = limit();
    let barrier = Barrier::new(4);
    thread::scope(|s| {
        let results = (0..400).par_map(s, 4, |_| _ = barrier.wait());
        assert_eq!(results.threads(), 4);
        assert_eq!(results.count(), 400);
    });
}

#[test]
fn no_more_threads_work_at_the_same_time_than_items_may_be_in_flight() {
    let _limit = limit();
    let at_work = AtomicUsize::new(0);
    thread::scope(|s| {
        let results = (0..rounds(500)).par_map(s, Workers::new(5).in_flight(2), |i| {
            assert!(at_work.fetch_add(1, SeqCst) < 2);
            busy(i, 20);
            at_work.fetch_sub(1, SeqCst);
        });
        assert_eq!(results.count(), rounds(500));
    });
}

#[test]
fn the_others_go_on_while_one_item_takes_long_until_there_is_no_more_room() {
    let _limit = limit();
    let (go, pulled) = (Event::new(), AtomicUsize::new(0));
    let wait_for_the_first = |i| {
        if i == 0 {
            go.wait();
        }
        i
    };
    thread::scope(|s| {
        let mut results = counted(&pulled).par_map(s, Workers::new(2).in_flight(9), wait_for_the_first);
        wait_until(|| pulled.load(SeqCst) == 9 && results.waiters() == 1);
        assert_eq!(results.try_next(), Err(NotReady));
        go.set();
        assert!(results.by_ref().take(20).eq(0..20));
        drop(results);

        go.clear();
        let mut results = (0..9).par_map_unordered(s, Workers::new(2).in_flight(9), wait_for_the_first);
        assert!(results.by_ref().take(8).eq(1..9), "as they come");
        assert_eq!(results.try_next(), Err(NotReady));
        go.set();
        assert_eq!((results.next(), results.next()), (Some(0), None));
    });
}

/// What an item leads to may be the next item: the iterator waits for it, and the workers do not.
#[test]
fn the_iterator_may_wait_for_what_comes_of_its_items() {
    let _limit = limit();
    let (send, receive) = mpsc::channel();
    thread::scope(|s| {
        send.send(1).unwrap();
        let mut results = receive.into_iter().par_map(s, Workers::new(4).in_flight(2), |n| 2 * n);
        for power in 1..30 {
            assert_eq!(results.next(), Some(1 << power));
            send.send(1 << power).unwrap();
        }
        drop(send);
        assert_eq!((results.next(), results.next()), (Some(1 << 30), None));
    });
}

// Threads

#[test]
fn function_and_iterator_may_borrow_and_the_function_runs_on_the_workers() {
    let _limit = limit();
    let (words, seen) = (vec!["to", "be", "or", "not"], Mutex::new(HashSet::new()));
    let here = thread::current().id();
    thread::scope(|s| {
        let lengths = words.iter().par_map(s, 2, |word| {
            seen.lock().unwrap().insert(thread::current().id());
            word.len()
        });
        assert_eq!(lengths.sum::<usize>(), 9);
    });
    assert!(!seen.into_inner().unwrap().contains(&here));
}

#[test]
fn without_threads_whoever_asks_maps_one_after_the_other() {
    for workers in [Workers::new(0), Workers::new(0).in_flight(1), Workers::new(0).chunk(9)] {
        let pulled = AtomicUsize::new(0);
        let here = thread::current().id();
        thread::scope(|s| {
            let mut results = counted(&pulled).par_map(s, workers, |i| {
                assert_eq!(thread::current().id(), here);
                i
            });
            assert_eq!((results.threads(), pulled.load(SeqCst)), (0, 0));
            for i in 0..100 {
                assert_eq!(results.next(), Some(i));
                assert_eq!(pulled.load(SeqCst), i + 1);
            }
            assert_eq!(results.try_next(), Ok(Some(100)));
            assert_eq!(results.next_timeout(Duration::ZERO), Ok(Some(101)));
            assert_eq!(results.into_inner().iter.take(2).collect::<Vec<_>>(), [102, 103]);
        });
    }
}

/// Runs this test once more in a process that can have no more threads.
#[cfg(not(miri))]
#[test]
fn where_the_system_gives_no_thread_whoever_asks_maps() {
    let mut process = std::process::Command::new(std::env::current_exe().unwrap());
    process.args(["par_map::where_the_system_gives_no_thread_whoever_asks_maps", "--exact"]);
    // The stack of a thread: there is no room for such a one.
    process.args(["--test-threads", "1"]).env("RUST_MIN_STACK", (1_u64 << 60).to_string());
    if std::env::var_os("RUST_MIN_STACK").is_none_or(|stack| stack.len() < 15) {
        let run = process.output().unwrap();
        assert!(run.status.success(), "{run:?}");
        assert!(String::from_utf8_lossy(&run.stdout).contains("1 passed"), "{run:?}");
        return;
    }
    assert!(thread::Builder::new().spawn(|| ()).is_err());
    thread::scope(|s| {
        let results = (0..100).par_map(s, 4, |i| i);
        assert_eq!(results.threads(), 0);
        assert!(results.eq(0..100));
    });
    let count = AtomicUsize::new(0);
    (0..100).par_for_each(4, |_| _ = count.fetch_add(1, SeqCst));
    assert_eq!(count.into_inner(), 100);
}

#[test]
fn a_worker_may_come_later_and_from_anywhere() {
    let _limit = limit();
    let map = Arc::new(ParMap::new(0..rounds(2000), 4, |i| (i, thread::current().id())));
    let mut next = 0;
    let mut ask = |times: usize| {
        let results = map.into_iter().take(times).map(|(i, id)| {
            assert_eq!(i, next);
            next += 1;
            id
        });
        results.collect::<HashSet<_>>()
    };
    let here = HashSet::from([thread::current().id()]);
    assert_eq!(ask(2), here);
    // Not of a scope: it shares the map.
    let theirs = map.clone();
    let worker = thread::spawn(move || theirs.work());
    wait_until(|| map.workers() == 1 && map.waiters() == 1);
    let mut seen = ask(2);
    seen.extend(ask(usize::MAX));
    assert_eq!(seen, HashSet::from([worker.thread().id()]));
    worker.join().unwrap();
    assert_eq!(map.next(), None);
    assert_eq!((map.workers(), map.waiters()), (0, 0));
}

#[test]
fn another_thread_may_work_with_those_of_the_map() {
    let _limit = limit();
    let both = Barrier::new(2);
    thread::scope(|s| {
        // With one thread alone nobody passes the barrier.
        let results = (0..10).par_map(s, Workers::new(1).in_flight(10), |i| {
            both.wait();
            i
        });
        let map = &*results;
        thread::scope(|inner| {
            inner.spawn(|| map.work());
            assert!(map.into_iter().eq(0..10));
        });
    });
}

#[test]
fn a_map_may_map_the_results_of_another_and_run_within_one() {
    let _limit = limit();
    let n = rounds(500);
    thread::scope(|s| {
        let lengths = (0..n).par_map(s, 2, |i| i.to_string()).par_map(s, 2, |text| text.len());
        assert!(lengths.eq((0..n).map(|i| i.to_string().len())));

        let sum = |i: usize| thread::scope(|s| (0..i).par_map(s, 2, |j| j + 1).sum::<usize>());
        assert!((0..20).par_map(s, 2, sum).eq((0..20).map(|i| i * (i + 1) / 2)));
    });
}

// Panics

/// H33: a panic in the function, at each place and with whatever threads.
#[test]
fn a_panic_of_the_function_comes_once_after_all_earlier_results() {
    let _limit = limit();
    for workers in settings() {
        for at in [0, 1, 7, 30] {
            thread::scope(|s| {
                let function = |i| {
                    busy(i, 20);
                    // Later ones panic too, perhaps earlier.
                    if i == at || i > at + 2 { unwind() } else { i }
                };
                let mut results = (0..).par_map(s, workers, function);
                assert!(results.by_ref().take(at).eq(0..at), "{workers:?}");
                assert_eq!(panic_of(|| results.next()), "on purpose");
                assert_eq!(
                    (results.next(), results.try_next(), results.next()),
                    (None, Ok(None), None)
                );
                assert_eq!(results.size_hint(), (0, Some(0)));
            });
        }
    }
}

#[test]
fn the_panic_goes_on_as_it_was_and_the_scope_does_not_panic() {
    let _limit = limit();
    let panic = thread::scope(|s| {
        let mut results = iter::once(7).par_map(s, 1, |n: i32| -> () { resume_unwind(Box::new(n)) });
        catch_unwind(AssertUnwindSafe(|| results.next())).unwrap_err()
    });
    assert_eq!(panic.downcast_ref(), Some(&7));
}

#[test]
fn a_panic_lets_those_go_that_wait_for_room_and_takes_no_more() {
    let _limit = limit();
    let (go, pulled) = (Event::new(), AtomicUsize::new(0));
    thread::scope(|s| {
        let mut results = counted(&pulled).par_map(s, Workers::new(5).in_flight(3), |i| {
            if i == 0 {
                go.wait();
                unwind()
            }
        });
        wait_until(|| pulled.load(SeqCst) == 3 && results.waiters() == 4);
        go.set();
        wait_until(|| results.workers() == 0);
        assert_eq!((pulled.load(SeqCst), results.waiters()), (3, 0));
        // Though nobody has asked yet.
        assert_eq!(panic_of(|| results.next()), "on purpose");
    });
}

#[test]
fn those_who_wait_for_later_results_see_the_end_after_a_panic() {
    let _limit = limit();
    let (go, end) = (Event::new(), Event::new());
    let map = ParMap::new(0.., 3, |i| match i {
        0 => {
            go.wait();
            unwind()
        }
        _ => end.wait(),
    });
    thread::scope(|s| {
        (0..2).for_each(|_| _ = s.spawn(|| map.work()));
        wait_until(|| go.waiters() == 1 && end.waiters() == 1);
        let ask = || catch_unwind(AssertUnwindSafe(|| map.next())).map_err(|panic| words(&*panic));
        let asks = [(); 3].map(|()| s.spawn(ask));
        wait_until(|| map.waiters() == 3);
        go.set();
        let mut seen = asks.map(|ask| ask.join().unwrap());
        seen.sort();
        assert_eq!(seen, [Ok(None), Ok(None), Err("on purpose".to_owned())]);
        // One worked on meanwhile.
        assert_eq!(end.waiters(), 1);
        end.set();
    });
}

#[test]
fn a_panic_of_the_iterator_comes_once_after_all_results() {
    let _limit = limit();
    for workers in settings() {
        for at in [0, 1, 7, 30] {
            thread::scope(|s| {
                // Called again it would go on.
                let iter = (0..).inspect(|&i| {
                    if i == at {
                        unwind()
                    }
                });
                let mut results = iter.par_map(s, workers, |i| {
                    busy(i, 20);
                    i
                });
                assert!(results.by_ref().take(at).eq(0..at), "{workers:?}");
                assert_eq!(panic_of(|| results.next()), "on purpose");
                assert_eq!(
                    (results.next(), results.try_next(), results.next()),
                    (None, Ok(None), None)
                );
            });
        }
    }
}

#[test]
fn as_they_come_a_panic_comes_in_its_turn_and_is_the_last() {
    let _limit = limit();
    for workers in settings() {
        thread::scope(|s| {
            let mut results =
                (0..).par_map_unordered(s, workers, |i| if i == 9 { unwind() } else { i });
            let mut seen = BTreeSet::new();
            let panic = panic_of(|| results.by_ref().for_each(|i| assert!(seen.insert(i))));
            assert_eq!(panic, "on purpose");
            assert!(!seen.contains(&9));
            assert_eq!((results.next(), results.next()), (None, None));

            let iter = (0..9).chain(iter::once_with(|| unwind()));
            let mut results = iter.par_map_unordered(s, workers, |i| i);
            assert!(results.by_ref().take(9).collect::<BTreeSet<_>>().into_iter().eq(0..9));
            assert_eq!(panic_of(|| results.next()), "on purpose");
        });
    }
}

/// As it is with one thread, which would not have come so far.
#[test]
fn a_panic_that_nobody_gets_to_is_none() {
    let _limit = limit();
    let met = AtomicBool::new(false);
    let function = |i| {
        if i == 5 {
            met.store(true, SeqCst);
            unwind()
        }
        i
    };
    thread::scope(|s| {
        let mut results = (0..9).par_map(s, 2, function);
        assert!(results.by_ref().take(3).eq(0..3));
        wait_until(|| met.load(SeqCst));
        drop(results);

        let mut results = (0..9).chain(iter::once_with(|| unwind())).par_map(s, 2, |i| i);
        assert!(results.by_ref().take(9).eq(0..9));
    });
}

#[test]
fn a_panic_of_whoever_asks_ends_the_map_and_the_scope() {
    let _limit = limit();
    let panic = panic_of(|| {
        thread::scope(|s| {
            for i in (0..).par_map(s, Workers::new(3).in_flight(4), |i| i) {
                if i == 10 {
                    unwind();
                }
            }
        });
    });
    assert_eq!(panic, "on purpose");
}

// Errors

#[test]
fn the_first_error_in_order_ends_a_collect_and_the_workers() {
    let _limit = limit();
    for workers in settings() {
        let pulled = AtomicUsize::new(0);
        let mut before = Vec::new();
        let result: Result<Vec<_>, _> = thread::scope(|s| {
            let divide = |i: usize| {
                // Later errors come earlier.
                busy(100 - i.min(100), 20);
                if i < 20 { Ok(i) } else { Err(i) }
            };
            counted(&pulled).par_map(s, workers, divide).inspect(|r| before.extend(*r)).collect()
        });
        assert_eq!(result, Err(20), "{workers:?}");
        assert!(before.into_iter().eq(0..20));
        assert!(pulled.into_inner() <= 21 + 9 * 64, "{workers:?}");
    }
}

#[test]
fn errors_are_results_for_those_who_go_on() {
    let _limit = limit();
    let texts = ["1", "two", "3", "four"];
    thread::scope(|s| {
        // Those of the iterator, too.
        let texts = texts.iter().map(|text| if text.len() == 4 { Err("long") } else { Ok(*text) });
        let numbers = texts.par_map(s, 2, |text| text?.parse::<u32>().map_err(|_| "no number"));
        assert_eq!(numbers.collect::<Vec<_>>(), [Ok(1), Err("no number"), Ok(3), Err("long")]);
    });
}

// Early ends, and what is left

#[test]
fn dropping_the_results_stops_the_workers_wherever_they_are() {
    let _limit = limit();
    // These are as many as there can be with counters of eight bits.
    for workers in settings().chain([Workers::new(2).in_flight(255).chunk(200)]) {
        for taken in [0, 1, 10, 150] {
            let pulled = AtomicUsize::new(0);
            thread::scope(|s| {
                let results = counted(&pulled).par_map(s, workers, |i| busy(i, 10));
                assert_eq!(results.take(taken).count(), taken);
            });
        }
    }
}

/// Each of the numbers has come out at one place, and the iterator goes on where it was.
#[track_caller]
fn assert_complete(handed_out: &[usize], left: Leftovers<Numbers, usize>) -> (usize, usize) {
    let Leftovers { mut iter, items, results, .. } = left;
    assert!(items.iter().chain(&results).all(|(place, number)| place == number));
    assert!(items.is_sorted());
    let left = items.iter().chain(&results).map(|(_, number)| *number);
    let all: BTreeSet<_> = handed_out.iter().copied().chain(left).collect();
    assert_eq!(all.len(), handed_out.len() + items.len() + results.len());
    assert!(all.into_iter().eq(0..iter.next().unwrap()));
    (items.len(), results.len())
}

#[test]
fn what_is_left_and_what_was_handed_out_is_all_that_was_given() {
    let _limit = limit();
    for round in stress(20) {
        for workers in settings() {
            thread::scope(|s| {
                let mut results = (0..).par_map(s, workers, |i| {
                    busy(i + round, 10);
                    i
                });
                let taken: Vec<_> = results.by_ref().take(round).collect();
                busy(round, 30);
                assert_complete(&taken, results.into_inner());

                let mut results = (0..).par_map_unordered(s, workers, |i| i);
                let taken: Vec<_> = results.by_ref().take(round).collect();
                assert_complete(&taken, results.into_inner());
            });
        }
    }
}

#[test]
fn what_is_mapped_at_the_end_is_mapped_and_what_was_only_taken_comes_back() {
    let _limit = limit();
    let go = Event::new();
    thread::scope(|s| {
        let results = (0..).par_map(s, Workers::new(2).in_flight(8).chunk(4), |i| {
            go.wait();
            i
        });
        wait_until(|| go.waiters() == 2);
        let end = s.spawn(move || results.into_inner());
        // It waits for the workers, which have no reason to end but this one.
        wait_until(|| !go.is_set());
        thread::yield_now();
        go.set();
        let left = end.join().unwrap();
        let places: Vec<_> = left.results.iter().map(|(place, _)| *place).collect();
        assert!([0, 4].iter().all(|place| places.contains(place)), "{places:?}");
        assert_complete(&[], left);
    });
}

#[test]
fn a_panic_that_was_not_seen_is_left_once() {
    let _limit = limit();
    let (met, both) = (AtomicBool::new(false), Barrier::new(2));
    let meet = || {
        met.store(true, SeqCst);
        unwind()
    };
    for chunk in [1, 3] {
        thread::scope(|s| {
            let workers = Workers::new(2).in_flight(6).chunk(chunk);
            let not_two = |i| if i == 2 { meet() } else { i };
            let results = (0..).par_map(s, workers, not_two);
            wait_until(|| met.load(SeqCst) && results.workers() == 0);
            let left = results.into_inner();
            assert_eq!(words(&*left.panic.unwrap()), "on purpose");
            assert_eq!(left.results[..2], [(0, 0), (1, 1)]);

            met.store(false, SeqCst);
            let results = (0..2).chain(iter::once_with(meet)).par_map(s, workers, |i| i);
            wait_until(|| met.load(SeqCst) && results.workers() == 0);
            let left = results.into_inner();
            assert_eq!(words(&*left.panic.unwrap()), "on purpose");
            assert_eq!(left.results, [(0, 0), (1, 1)]);

            // Two panic at once, each in one thread. The second one would have been no panic with one thread.
            let function = |i| {
                if i == 2 || i == 3 {
                    both.wait();
                    unwind();
                }
                i
            };
            let mut results = (0..).par_map(s, workers, function);
            assert_eq!(panic_of(|| results.by_ref().for_each(drop)), "on purpose");
            assert!(results.into_inner().panic.is_none());

            // One in the function, and later in order but earlier in time one in the iterator.
            met.store(false, SeqCst);
            let function = |i| {
                if i == 1 {
                    wait_until(|| met.load(SeqCst));
                    resume_unwind(Box::new("the first"));
                }
                i
            };
            let results = (0..2).chain(iter::once_with(meet)).par_map(s, workers.chunk(1), function);
            wait_until(|| met.load(SeqCst) && results.workers() == 0);
            assert_eq!(words(&*results.into_inner().panic.unwrap()), "the first");
            met.store(false, SeqCst);
        });
    }
}

/// The iterator cancels its own map and panics, in the middle of a chunk: what it gave before comes back.
#[test]
fn an_item_that_the_iterator_gave_before_it_panicked_comes_back() {
    let _limit = limit();
    let map = with_itself(
        2,
        |own, i| {
            if i == 3 {
                own.cancel();
                unwind();
            }
            Some(i)
        },
        |_, i| i,
    );
    map.work();
    assert_eq!(map.next(), Some(0));
    let left = Arc::into_inner(map).unwrap().into_inner();
    assert_eq!((left.items, left.results), (vec![(2, 2)], vec![(1, 1)]));
    assert_eq!(words(&*left.panic.unwrap()), "on purpose");
}

#[test]
fn a_worker_maps_what_the_iterator_gave_before_it_panicked() {
    let iter = (0..).inspect(|&i| {
        if i == 3 {
            unwind()
        }
    });
    let map = ParMap::new(iter, 20, |i| i).chunk(8);
    map.work();
    let left = map.into_inner();
    assert_eq!((left.items, left.results), (vec![], vec![(0, 0), (1, 1), (2, 2)]));
}

/// What comes behind a gap nobody gets to, be it a panic. It is left.
#[test]
fn a_panic_that_comes_after_an_item_that_was_not_mapped_is_left() {
    let of_the_iterator = with_itself(
        2,
        |own, i| {
            if i == 3 {
                own.cancel();
                unwind();
            }
            Some(i)
        },
        |_, i| i,
    );
    of_the_iterator.work();
    // The number 2 was given back.
    assert_eq!(of_the_iterator.into_iter().collect::<Vec<_>>(), [0, 1]);
    let left = Arc::into_inner(of_the_iterator).unwrap().into_inner();
    assert_eq!((left.items, left.results), (vec![(2, 2)], vec![]));
    assert_eq!(words(&*left.panic.unwrap()), "on purpose");
}

#[test]
fn a_stop_hands_out_what_was_taken_and_then_the_end() {
    let _limit = limit();
    for workers in settings() {
        let pulled = AtomicUsize::new(0);
        thread::scope(|s| {
            let mut results = counted(&pulled).par_map(s, workers, |i| {
                busy(i, 20);
                i
            });
            assert!(results.by_ref().take(5).eq(0..5));
            results.stop();
            results.stop();
            let rest: Vec<_> = results.by_ref().collect();
            let pulled = pulled.load(SeqCst);
            assert!(rest.iter().copied().eq(5..pulled), "{workers:?}");
            assert_eq!(results.next(), None);
            let left = results.into_inner();
            assert_eq!((left.items.len(), left.results.len(), left.panic.is_some()), (0, 0, false));
        });
    }
}

#[test]
fn a_stop_does_not_interrupt_the_iterator_and_whoever_waits_gets_its_item() {
    let _limit = limit();
    let (send, receive) = mpsc::channel();
    let inside = &Event::new();
    let waiting = move || {
        inside.set();
        receive.recv().ok()
    };
    let map = ParMap::new(iter::from_fn(waiting), 3, |i: i32| i);
    thread::scope(|s| {
        (0..3).for_each(|_| _ = s.spawn(|| map.work()));
        let asks = s.spawn(|| (map.next(), map.next()));
        inside.wait();
        map.stop();
        // The one that is inside. The others find the end.
        send.send(1).unwrap();
        assert_eq!(asks.join().unwrap(), (Some(1), None));
    });
}

#[test]
fn many_stops_do_no_harm() {
    let _limit = limit();
    thread::scope(|s| {
        let mut results = (0..).par_map(s, Workers::new(2).in_flight(100), |i| i);
        // Each gives room for a thread to see the end; with counters of eight bits there is none for so many.
        (0..1000).for_each(|_| results.stop());
        wait_until(|| results.workers() == 0);
        let (rest, given) = (results.by_ref().count(), results.into_inner().iter.next());
        assert_eq!(Some(rest), given);
    });
}

#[test]
fn a_cancel_hands_out_what_comes_before_the_first_gap() {
    let _limit = limit();
    let go = Event::new();
    thread::scope(|s| {
        let mut results = (0..).par_map(s, Workers::new(2).in_flight(8).chunk(2), |i| {
            if i == 2 {
                go.wait();
            }
            i
        });
        // One has the numbers 2 and 3, the other one all others.
        wait_until(|| go.waiters() == 1 && results.waiters() == 1);
        results.cancel();
        go.set();
        assert!(results.by_ref().eq(0..3), "3 was not begun");
        let left = results.into_inner();
        assert_eq!(left.items, [(3, 3)]);
        assert_eq!(left.results, [(4, 4), (5, 5), (6, 6), (7, 7)]);
    });
}

/// A map of two chunks: the first one begins with a wait, the second one with a wait and a panic.
fn two_chunks(first: &Event, second: &Event) -> ParMap<Range<i32>, impl Fn(i32) -> i32, i32> {
    ParMap::new(0..8, 8, move |i| match i {
        0 => {
            first.wait();
            i
        }
        4 => {
            second.wait();
            unwind()
        }
        _ => i,
    })
    .chunk(4)
}

/// A panic is an end too, but does not take back that nothing is wanted any more.
#[test]
fn after_a_cancel_a_panic_changes_nothing() {
    let _limit = limit();
    let [first, second] = [(); 2].map(|()| Event::new());
    let map = two_chunks(&first, &second);
    thread::scope(|s| {
        s.spawn(|| map.work());
        s.spawn(|| map.work());
        wait_until(|| first.waiters() == 1 && second.waiters() == 1);
        map.cancel();
        second.set();
        wait_until(|| map.workers() == 1);
        first.set();
    });
    assert_eq!((map.next(), map.next()), (Some(0), None));
    let left = map.into_inner();
    assert_eq!(left.items, [(1, 1), (2, 2), (3, 3), (5, 5), (6, 6), (7, 7)]);
    assert_eq!(words(&*left.panic.unwrap()), "on purpose");
}

/// So it is with a panic where the results come as they are ready: it is an end for all that was not begun.
#[test]
fn as_they_come_nothing_is_mapped_any_more_after_a_panic() {
    let _limit = limit();
    let [first, second] = [(); 2].map(|()| Event::new());
    let map = two_chunks(&first, &second).unordered();
    thread::scope(|s| {
        s.spawn(|| map.work());
        s.spawn(|| map.work());
        wait_until(|| first.waiters() == 1 && second.waiters() == 1);
        second.set();
        wait_until(|| map.workers() == 1);
        first.set();
    });
    let left = map.into_inner();
    assert_eq!(left.items, [(1, 1), (2, 2), (3, 3), (5, 5), (6, 6), (7, 7)]);
    assert_eq!(left.results, [(0, 0)]);
}

#[test]
fn what_the_iterator_gives_after_a_stop_is_mapped_and_after_a_cancel_comes_back() {
    for (end, result, items) in
        [(Own::stop as fn(&Own), Some(0), vec![]), (Own::cancel, None, vec![(0, 0)])]
    {
        let iter = move |own: &Own, i| {
            end(own);
            Some(i)
        };
        let map = with_itself(1, iter, |_, i| i);
        assert_eq!((map.next(), map.next()), (result, None));
        assert_eq!(Arc::into_inner(map).unwrap().into_inner().items, items);
    }
}

/// H19: nothing is dropped twice, and nothing stays.
#[test]
fn items_results_function_and_iterator_are_dropped_once() {
    let _limit = limit();
    for workers in settings() {
        for taken in [0, 3, 40] {
            let token = Arc::new(());
            thread::scope(|s| {
                let (iter, function) = (token.clone(), token.clone());
                let iter = (0..30).map(move |i| (i, iter.clone()));
                let results = iter.par_map(s, workers, move |(i, item)| {
                    if i == 25 {
                        unwind()
                    }
                    (item, function.clone())
                });
                let mut results = results;
                let taken = catch_unwind(AssertUnwindSafe(|| results.by_ref().take(taken).count()));
                assert!(taken.is_err() || taken.unwrap() < 25);
                match workers == Workers::new(2) {
                    true => drop(results.into_inner()),
                    false => drop(results),
                }
            });
            assert_eq!(Arc::strong_count(&token), 1, "{workers:?}");
        }
    }
}

// Re-entrancy

type Boxed = Box<dyn Iterator<Item = usize> + Send + Sync>;
type Function = Box<dyn Fn(usize) -> usize + Send + Sync>;
type Own = ParMap<Boxed, Function, usize>;

/// A map whose iterator and function know it.
fn with_itself(
    chunk: usize,
    iter: impl Fn(&Own, usize) -> Option<usize> + Send + Sync + 'static,
    function: impl Fn(&Own, usize) -> usize + Send + Sync + 'static,
) -> Arc<Own> {
    Arc::new_cyclic(|own: &Weak<Own>| {
        let (ours, theirs) = (own.clone(), own.clone());
        let mut numbers = 0..;
        let iter: Boxed =
            Box::new(iter::from_fn(move || iter(&ours.upgrade().unwrap(), numbers.next().unwrap())));
        let function: Function = Box::new(move |i| function(&theirs.upgrade().unwrap(), i));
        ParMap::new(iter, 4, function).chunk(chunk)
    })
}

/// What one asks, while so many work.
fn with_workers<R>(map: &Own, threads: usize, ask: impl FnOnce() -> R) -> R {
    thread::scope(|s| {
        (0..threads).for_each(|_| _ = s.spawn(|| map.work()));
        let result = ask();
        map.stop();
        result
    })
}

/// H34.
#[test]
fn a_function_or_an_iterator_that_waits_for_a_result_of_its_own_map_panics_and_does_not_wait() {
    let _limit = limit();
    type Wait = fn(&Own) -> Option<usize>;
    let waits: [Wait; 5] = [
        |own| own.next(),
        |own| own.into_iter().last(),
        |own| own.next_timeout(Duration::MAX).unwrap(),
        |own| own.next_deadline(Instant::now() + AGES).unwrap(),
        |own| {
            own.work();
            None
        },
    ];
    for wait in waits {
        for threads in [0, 1, 2] {
            let map = with_itself(
                1,
                |_, i| Some(i),
                move |own, i| if i == 0 { wait(own).unwrap() } else { i },
            );
            let panic = with_workers(&map, threads, || panic_of(|| map.next()));
            assert!(panic.contains("already executing"), "{panic}");
            assert_eq!(map.next(), None);

            let map = with_itself(1, move |own, i| if i == 0 { wait(own) } else { Some(i) }, |_, i| i);
            let panic = with_workers(&map, threads, || panic_of(|| map.next()));
            assert!(panic.contains("already executing"), "{panic}");
            assert_eq!(map.next(), None);
        }
    }
}

#[test]
fn a_function_that_waits_for_its_own_thread_to_end_panics_and_does_not_wait() {
    type Results<'scope> =
        ParMapResults<'scope, Numbers, Box<dyn Fn(usize) + Send + Sync + 'scope>, ()>;
    let _limit = limit();
    let (go, panic) = (Event::new(), Mutex::new(None));
    let (go, panic) = (&go, &panic);
    thread::scope(|s| {
        let own: Arc<Mutex<Option<Results<'_>>>> = Arc::default();
        let theirs = own.clone();
        let function = Box::new(move |_| {
            go.wait();
            let own = theirs.lock().unwrap().take().unwrap();
            *panic.lock().unwrap() = Some(panic_of(|| own.into_inner()));
        });
        *own.lock().unwrap() = Some((0..).par_map(s, 1, function));
        go.set();
    });
    let panic = panic.lock().unwrap().take().unwrap();
    assert!(panic.contains("already executing"), "{panic}");
}

#[test]
fn a_function_or_an_iterator_may_take_a_result_that_is_there() {
    let _limit = limit();
    // Each item takes the result of the one before it, which nobody else asks for.
    let take = |own: &Own, i| if i == 0 { 0 } else { own.next().unwrap() + 1 };
    let map = with_itself(1, |_, i| (i < 9).then_some(i), take);
    map.work();
    assert_eq!((map.next(), map.next()), (Some(8), None));

    let map = with_itself(1, move |own, i| (i < 9).then(|| take(own, i)), |_, i| i);
    map.work();
    assert_eq!((map.next(), map.next()), (Some(8), None));
}

#[test]
fn a_function_or_an_iterator_may_call_what_does_not_wait() {
    let _limit = limit();
    fn look(own: &Own, i: usize) -> usize {
        assert_eq!(own.try_next(), Err(NotReady));
        assert_eq!(own.next_timeout(Duration::ZERO), Err(NotReady));
        assert_eq!((own.workers(), own.waiters()), (1, 0));
        let shown = format!("{own:?}");
        assert_eq!(shown, format!("ParMap {{ in_flight: 4, handed_out: {i}, workers: 1 }}"));
        i
    }
    let map = with_itself(1, |own, i| (i < 9).then(|| look(own, i)), look);
    assert!(map.into_iter().eq(0..9));
}

#[test]
fn a_function_may_stop_its_own_map() {
    let _limit = limit();
    for threads in [0, 1, 3] {
        let stop_at_5 = |own: &Own, i| {
            if i == 5 {
                own.stop();
            }
            i
        };
        let map = with_itself(1, |_, i| Some(i), stop_at_5);
        let results = with_workers(&map, threads, || map.into_iter().collect::<Vec<_>>());
        assert!((6..=9).contains(&results.len()), "with four in flight");
        assert!(results.iter().copied().eq(0..results.len()));
    }
}

// Time

#[test]
fn whoever_waits_with_a_limit_gives_up_at_its_time_and_not_before_and_loses_nothing() {
    let _limit = limit();
    let go = Semaphore::new(0);
    thread::scope(|s| {
        let results = (0..3).par_map(s, 1, |i| {
            go.acquire().forget();
            i
        });
        for timeout in [0, 1, 999, 20_000].map(Duration::from_micros) {
            let (result, took) = timed(|| results.next_timeout(timeout));
            assert_eq!(result, Err(NotReady));
            assert!(took >= timeout && took < AGES, "{took:?} for {timeout:?}");
            let deadline = Instant::now() + timeout;
            assert_eq!(results.next_deadline(deadline), Err(NotReady));
            assert!(Instant::now() >= deadline);
        }
        assert_eq!(results.next_deadline(Instant::now() - Duration::from_millis(1)), Err(NotReady));
        assert_eq!(results.try_next(), Err(NotReady));
        assert_eq!(results.waiters(), 0);
        go.release(1).unwrap();
        assert_eq!(results.next_timeout(AGES), Ok(Some(0)));
        go.release(1).unwrap();
        assert_eq!(results.next_deadline(Instant::now() + AGES), Ok(Some(1)));
        go.release(1).unwrap();
        wait_until(|| results.workers() == 0);
        assert_eq!(results.try_next(), Ok(Some(2)));
        assert_eq!((results.try_next(), results.try_next()), (Ok(None), Ok(None)));
        assert_eq!(results.next_timeout(AGES), Ok(None));
    });
    assert_eq!(NotReady.to_string(), "the next result is not there yet");
}

/// H9, H10: a result that comes as the time runs out is handed out then, or to the next call.
#[test]
fn a_result_that_comes_as_the_time_runs_out_is_not_lost() {
    let _limit = limit();
    let n = rounds(3000);
    thread::scope(|s| {
        let mut random = Random::new(5);
        let results = (0..n).par_map(s, Workers::new(1).in_flight(1), |i| {
            busy(i, 40);
            i
        });
        let mut expected = 0..n;
        loop {
            match results.next_timeout(Duration::from_micros(random.below(40))) {
                Ok(Some(result)) => assert_eq!(Some(result), expected.next()),
                Ok(None) => break,
                Err(NotReady) => {}
            }
        }
        assert!(expected.is_empty());
    });
}

#[test]
fn an_endless_timeout_is_no_timeout() {
    let _limit = limit();
    for timeout in endless_timeouts() {
        assert_eq!(ParMap::new(3..4, 1, |i| i).next_timeout(timeout), Ok(Some(3)));
    }
    let go = Event::new();
    let map = ParMap::new(0..1, 1, |_| go.wait());
    thread::scope(|s| {
        s.spawn(|| map.work());
        wait_until(|| map.workers() == 1);
        let ask = s.spawn(|| map.next_timeout(Duration::MAX));
        wait_until(|| map.waiters() == 1);
        go.set();
        assert_eq!(ask.join().unwrap(), Ok(Some(())));
    });
}

// What it says of itself

#[test]
fn who_works_and_who_waits_is_counted() {
    let _limit = limit();
    let (send, receive) = mpsc::channel::<usize>();
    let results = ParMap::new(receive.into_iter(), 3, |i| i);
    thread::scope(|s| {
        (0..3).for_each(|_| _ = s.spawn(|| results.work()));
        // One is inside the iterator, and the others want to be.
        wait_until(|| results.workers() == 3);
        assert_eq!(results.waiters(), 0);
        (0..3).for_each(|i| send.send(i).unwrap());
        wait_until(|| results.waiters() == 3);
        let ask = s.spawn(|| results.into_iter().take(4).count());
        // The fourth.
        wait_until(|| results.waiters() == 1);
        send.send(3).unwrap();
        assert_eq!(ask.join().unwrap(), 4);
        drop(send);
        wait_until(|| results.workers() == 0);
        assert_eq!((results.next(), results.waiters()), (None, 0));
    });
}

#[test]
fn the_size_hint_counts_what_is_to_come() {
    let _limit = limit();
    thread::scope(|s| {
        let mut results = (0..10).par_map(s, 2, |i| i);
        for left in (1..=10).rev() {
            assert_eq!(results.size_hint(), (left, Some(left)));
            results.next();
        }
        assert_eq!((results.next(), results.size_hint()), (None, (0, Some(0))));

        let mut results = (0..10).filter(|i| i % 2 == 0).par_map(s, 2, |i| i);
        assert_eq!(results.size_hint(), (0, Some(10)));
        results.next();
        assert_eq!(results.size_hint(), (0, Some(9)));
        assert_eq!((results.by_ref().count(), results.size_hint()), (4, (0, Some(0))));
        assert_eq!((0..).par_map(s, 1, |i| i).size_hint(), (usize::MAX, None));

        let mut results = (0..10).par_map_unordered(s, 1, |i| i);
        results.next();
        results.stop();
        assert_eq!(results.size_hint(), (0, Some(9)));
    });
}

/// Which is safe to do, and so believed by nobody.
#[test]
fn an_iterator_that_is_wrong_about_its_size_loses_nothing() {
    struct Wrong(std::ops::Range<usize>, (usize, Option<usize>));

    impl Iterator for Wrong {
        type Item = usize;

        fn next(&mut self) -> Option<usize> {
            self.0.next()
        }

        fn size_hint(&self) -> (usize, Option<usize>) {
            self.1
        }
    }

    let _limit = limit();
    for hint in [(0, Some(0)), (7, Some(3)), (1000, None), (usize::MAX, Some(0))] {
        for workers in settings() {
            thread::scope(|s| {
                let mut results = Wrong(0..50, hint).par_map(s, workers, |i| i);
                for i in 0..50 {
                    let (low, high) = hint;
                    let less = |size: usize| size.saturating_sub(i);
                    assert_eq!(results.size_hint(), (less(low), high.map(less)));
                    assert_eq!(results.next(), Some(i));
                }
                assert_eq!(results.next(), None);
                assert_eq!(results.size_hint(), (0, Some(0)));
            });
        }
    }
}

#[test]
fn it_shows_itself() {
    let _limit = limit();
    thread::scope(|s| {
        let mut results = (0..9).par_map(s, Workers::new(0).in_flight(5), |i| i);
        results.next();
        assert_eq!(format!("{results:?}"), "ParMap { in_flight: 5, handed_out: 1, workers: 0 }");
        let left = results.into_inner();
        let shown = format!("{left:?}");
        assert!(shown.starts_with("Leftovers { iter: 1..9, items: [], results: []"), "{shown}");
    });
    let shown = format!("{:?}", Workers::new(3).chunk(2));
    assert_eq!(shown, "Workers { threads: 3, in_flight: None, chunk: 2 }");
}

#[test]
fn what_makes_no_sense_is_refused_with_a_panic() {
    assert!(panic_of(|| Workers::new(1).in_flight(0)).contains("at least one"));
    assert!(panic_of(|| Workers::new(1).chunk(0)).contains("at least one"));
    assert!(panic_of(|| ParMap::new(0..1, 0, |i| i)).contains("at least one"));
    assert!(panic_of(|| ParMap::new(0..1, 1, |i| i).chunk(0)).contains("at least one"));
}

#[test]
fn more_than_there_can_be_is_as_much_as_there_can_be() {
    let _limit = limit();
    for workers in [
        Workers::new(2).in_flight(usize::MAX),
        Workers::new(2).in_flight(u32::MAX as usize),
        Workers::new(2).chunk(usize::MAX),
        Workers::new(2).in_flight(usize::MAX).chunk(usize::MAX),
    ] {
        thread::scope(|s| assert!((0..1000).par_map(s, workers, |i| i).eq(0..1000)));
    }
    let map = ParMap::new(0..1, usize::MAX, |i| i);
    let most = Semaphore::MAX_PERMITS / 2;
    assert!(format!("{map:?}").contains(&format!("in_flight: {most},")), "{map:?}");
    let threads = thread::available_parallelism().unwrap().get();
    assert_eq!(Workers::default(), Workers::new(threads));
    assert_eq!(Workers::from(3), Workers::new(3));
}

// What may cross threads

type MapOf<I, R> = ParMap<std::vec::IntoIter<I>, fn(I) -> R, R>;
type ResultsOf<R> = ParMapResults<'static, std::vec::IntoIter<i32>, fn(i32) -> R, R>;

#[test]
fn a_map_goes_where_iterator_items_function_and_results_may_be_sent() {
    assert_impl_all!(MapOf<i32, i32>: Send, Sync);
    // Items and results are handed from thread to thread, and never shared.
    assert_impl_all!(MapOf<Cell<i32>, Cell<i32>>: Send, Sync);
    assert_not_impl_any!(MapOf<Rc<i32>, i32>: Send, Sync);
    assert_not_impl_any!(MapOf<i32, Rc<i32>>: Send, Sync);
    // The function is called by several at once.
    assert_impl_all!(ParMap<std::vec::IntoIter<i32>, Cell<i32>, i32>: Send);
    assert_not_impl_any!(ParMap<std::vec::IntoIter<i32>, Cell<i32>, i32>: Sync);
    assert_impl_all!(ResultsOf<i32>: Send, Sync, FusedIterator);
    assert_impl_all!(ResultsOf<Cell<i32>>: Send);
    assert_not_impl_any!(ResultsOf<Rc<i32>>: Send, Sync);
    assert_not_impl_any!(ResultsOf<i32>: Clone);
    assert_impl_all!(Workers: Send, Sync, Copy, Eq);
    assert_impl_all!(NotReady: Send, Sync, Copy, Eq, std::error::Error);
}
