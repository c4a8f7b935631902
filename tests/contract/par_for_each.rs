//! A function that is called with each item, by several threads.

use std::collections::HashSet;
use std::iter;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Barrier, Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use futon::{Event, IteratorExt, Workers};

use crate::threads::{Random, limit, rounds, spin_until};

/// Ends by unwinding with a number, and without the words of the panic hook on the terminal.
fn unwind(number: usize) -> ! {
    resume_unwind(Box::new(number))
}

/// The number of a call that panics.
fn panic_of<R>(f: impl FnOnce() -> R) -> usize {
    let panic = catch_unwind(AssertUnwindSafe(f)).err().expect("did not panic");
    *panic.downcast_ref().expect("no number")
}

/// Keeps the CPU for up to so many microseconds.
fn busy(number: usize, most: u64) {
    let micros = Random::new(number as u64 + 1).below(most + 1);
    spin_until(Instant::now() + Duration::from_micros(micros));
}

fn settings() -> impl Iterator<Item = Workers> {
    [0, 1, 2, 5].into_iter().flat_map(|threads| [1, 7].map(|chunk| Workers::new(threads).chunk(chunk)))
}

#[test]
fn the_function_is_called_once_with_each_item() {
    let _limit = limit();
    let n = rounds(3000);
    for workers in settings() {
        let calls: Vec<_> = (0..n).map(|_| AtomicUsize::new(0)).collect();
        (0..n).par_for_each(workers, |i| {
            busy(i, 2);
            calls[i].fetch_add(1, SeqCst);
        });
        assert!(calls.into_iter().all(|calls| calls.into_inner() == 1), "{workers:?}");
        let sum = AtomicUsize::new(0);
        let add = |i| Ok::<_, ()>(_ = sum.fetch_add(i, SeqCst));
        assert_eq!((0..n).par_try_for_each(workers, add), Ok(()));
        assert_eq!(sum.into_inner(), n * (n - 1) / 2);
    }
}

#[test]
fn so_many_threads_work_at_the_same_time_and_the_calling_one_is_among_them() {
    let _limit = limit();
    let (barrier, threads) = (Barrier::new(4), Mutex::new(HashSet::new()));
    (0..400).par_for_each(4, |_| {
        barrier.wait();
        threads.lock().unwrap().insert(thread::current().id());
    });
    let threads = threads.into_inner().unwrap();
    assert_eq!(threads.len(), 4);
    assert!(threads.contains(&thread::current().id()));
}

#[test]
fn with_one_thread_or_none_the_calling_one_does_it_all_in_order() {
    for workers in [0, 1] {
        let (here, next) = (thread::current().id(), AtomicUsize::new(0));
        (0..100).par_for_each(workers, |i| {
            assert_eq!((thread::current().id(), i), (here, next.fetch_add(1, SeqCst)));
        });
        assert_eq!(next.into_inner(), 100);
    }
}

/// A list of things to do that grows while they are done, as a crawler's: an item may be what comes of another one.
#[test]
fn the_iterator_may_wait_for_what_comes_of_its_items() {
    let _limit = limit();
    let (send, receive) = mpsc::channel();
    let (send, seen) = (Mutex::new(Some(send)), AtomicUsize::new(0));
    send.lock().unwrap().as_ref().unwrap().send(1).unwrap();
    receive.into_iter().par_for_each(3, |n: usize| {
        let mut send = send.lock().unwrap();
        // Each number leads to two others, as long as they are small.
        (2 * n..=2 * n + 1).filter(|&next| next < 512).for_each(|next| {
            send.as_ref().unwrap().send(next).unwrap();
        });
        if seen.fetch_add(1, SeqCst) == 510 {
            *send = None;
        }
    });
    assert_eq!(seen.into_inner(), 511);
}

// Panics

#[test]
fn of_several_panics_the_first_in_order_goes_on_in_the_caller_when_all_calls_have_returned() {
    let _limit = limit();
    for workers in settings() {
        for at in [0, 3, 20, 21] {
            let (begun, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
            let number = panic_of(|| {
                (0..).par_for_each(workers, |i| {
                    begun.fetch_add(1, SeqCst);
                    // Those that panic later do so earlier.
                    busy(i, if i == at { 50 } else { 5 });
                    done.fetch_add(1, SeqCst);
                    if i >= at {
                        unwind(i);
                    }
                });
            });
            assert_eq!(number, at, "{workers:?}");
            assert_eq!(begun.into_inner(), done.load(SeqCst));
            assert!(done.into_inner() > at);
        }
    }
}

#[test]
fn a_panic_of_the_iterator_comes_when_all_items_have_been_processed() {
    let _limit = limit();
    for workers in settings() {
        for at in [0, 3, 20] {
            let sum = AtomicUsize::new(0);
            // Called again it would go on.
            let iter = (0..).inspect(|&i| {
                if i == at {
                    unwind(1000)
                }
            });
            let number = panic_of(|| {
                iter.par_for_each(workers, |i| {
                    busy(i, 10);
                    sum.fetch_add(i + 1, SeqCst);
                });
            });
            assert_eq!((number, sum.into_inner()), (1000, at * (at + 1) / 2), "{workers:?}");
        }
    }
}

#[test]
fn a_panic_or_an_error_of_an_item_comes_before_a_panic_of_the_iterator() {
    let _limit = limit();
    for workers in settings() {
        let iter = || (0..9).chain(iter::once_with(|| unwind(1000)));
        let fail = |i| if i == 8 { Err(i) } else { Ok(()) };
        // The panic of the iterator may come while the last item is processed, and so earlier.
        assert_eq!(iter().par_try_for_each(workers, fail), Err(8), "{workers:?}");
        let number = panic_of(|| {
            iter().par_for_each(workers, |i| {
                if i == 8 {
                    unwind(i)
                }
            })
        });
        assert_eq!(number, 8);
    }
}

// Errors

#[test]
fn the_first_error_in_order_is_returned_and_all_items_before_it_are_processed() {
    let _limit = limit();
    for workers in settings() {
        for at in [0, 1, 13, 40] {
            let done = Mutex::new(HashSet::new());
            let result = (0..).par_try_for_each(workers, |i| {
                // Later errors come earlier.
                busy(i, if i <= at { 40 } else { 0 });
                done.lock().unwrap().insert(i);
                if i >= at { Err(i) } else { Ok(()) }
            });
            assert_eq!(result, Err(at), "{workers:?}");
            let done = done.into_inner().unwrap();
            assert!((0..=at).all(|i| done.contains(&i)));
        }
    }
}

#[test]
fn whatever_fails_first_in_order_is_what_comes_of_it() {
    let _limit = limit();
    let go = Event::new();
    // The second one fails first.
    let fail = |i| match i {
        0 => {
            go.wait();
            Err(0)
        }
        1 => {
            go.set();
            unwind(1)
        }
        _ => Ok(()),
    };
    assert_eq!((0..9).par_try_for_each(2, fail), Err(0));

    go.clear();
    let fail = |i| match i {
        0 => {
            go.wait();
            unwind(0)
        }
        1 => {
            go.set();
            Err(1)
        }
        _ => Ok(()),
    };
    assert_eq!(panic_of(|| (0..9).par_try_for_each(2, fail)), 0);
}

/// Of three that fail, the first in order is kept, whether the one that comes last in order fails before it or after it. What is
/// not kept is dropped where others can fail meanwhile.
#[test]
fn an_error_that_comes_later_in_order_and_in_time_is_dropped() {
    struct Failed<'a>(usize, &'a [Event; 2]);

    impl Drop for Failed<'_> {
        fn drop(&mut self) {
            let Self(number, [last, second]) = self;
            match number {
                1 => second.set(),
                2 => {
                    last.set();
                    second.wait();
                }
                _ => {}
            }
        }
    }

    let _limit = limit();
    for _ in 0..rounds(200) {
        let (all, dropped) = (Barrier::new(3), [(); 2].map(|()| Event::new()));
        let error = (0..3).par_try_for_each(3, |i| {
            all.wait();
            if i == 1 {
                // The number 0 is known by now.
                dropped[0].wait();
            }
            Err(Failed(i, &dropped))
        });
        assert_eq!(error.unwrap_err().0, 0);
    }
}

#[test]
fn each_thread_takes_as_many_items_at_once_as_it_is_told() {
    for chunk in [1, 2, 5] {
        let pulled = AtomicUsize::new(0);
        let items = (0..20).inspect(|_| _ = pulled.fetch_add(1, SeqCst));
        items.par_for_each(Workers::new(1).chunk(chunk), |i| {
            assert_eq!(pulled.load(SeqCst), (i / chunk + 1) * chunk);
        });
    }
}

#[test]
fn after_an_error_the_rest_can_be_had() {
    let _limit = limit();
    for threads in [0, 1, 2, 4] {
        let (mut numbers, seen) = (0.., Mutex::new(HashSet::new()));
        let result = numbers.by_ref().par_try_for_each(threads, |i| {
            seen.lock().unwrap().insert(i);
            if i == 5 { Err("five") } else { Ok(()) }
        });
        assert_eq!(result, Err("five"));
        let next = numbers.next().unwrap();
        assert!(if threads < 2 { next == 6 } else { next >= 6 });
        assert!(seen.into_inner().unwrap().into_iter().all(|i| i < next));
    }
}

#[test]
fn of_a_chunk_with_an_error_the_rest_is_not_processed_but_all_before_it() {
    let _limit = limit();
    let [first, second] = [(); 2].map(|()| Event::new());
    let done = Mutex::new(HashSet::new());
    let result = (0..).par_try_for_each(Workers::new(2).chunk(4), |i| {
        match i {
            // One thread has these four …
            0 => {
                second.wait();
                first.set();
                // So that by now the error is known, most likely.
                let soon = Instant::now() + Duration::from_millis(20);
                while Instant::now() < soon {
                    thread::yield_now();
                }
            }
            // … and the other one the next.
            5 => {
                second.set();
                first.wait();
                return Err(i);
            }
            _ => {}
        }
        done.lock().unwrap().insert(i);
        Ok(())
    });
    assert_eq!(result, Err(5));
    let done = done.into_inner().unwrap();
    assert!((0..5).all(|i| done.contains(&i)));
    assert!(!done.contains(&6) && !done.contains(&7));
}

/// H19.
#[test]
fn items_are_dropped_once() {
    let _limit = limit();
    for workers in settings() {
        let token = Arc::new(());
        let items = iter::repeat_n(token.clone(), 100).enumerate();
        let result = items.par_try_for_each(workers, |(i, token)| {
            busy(i, 5);
            if i == 50 { Err(token) } else { Ok(()) }
        });
        assert!(result.is_err());
        drop(result);
        assert_eq!(Arc::strong_count(&token), 1);
    }
}
