//! [`Queue`], [`LifoQueue`], [`PriorityQueue`] and what they keep their items in.

mod heap;
mod python;

use std::cell::Cell;
use std::cmp::{Ordering, Reverse};
use std::collections::VecDeque;
use std::error::Error;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex, OnceLock, Weak};
use std::thread;
use std::time::{Duration, Instant};

use futon::{
    Closed, Container, Event, GetError, LifoQueue, MinHeap, PriorityQueue, PutError, Queue,
    TaskDoneError,
};

use crate::allocations::allocations;
use crate::threads::{
    AGES, Random, endless_timeouts, last_instant, limit, rounds, spin_until, stress, timed, wait_until,
};
#[cfg(not(miri))]
use crate::threads::{Page, Storm, assert_ends_in_the_right_second, sleeps};

const LONG: Duration = Duration::from_secs(3600);

/// Nobody waits, and the lock is free.
#[track_caller]
fn assert_left<T, C: Container<T>>(queue: &Queue<T, C>) {
    assert_eq!((queue.getters(), queue.putters(), queue.joiners(), queue.waiters()), (0, 0, 0, 0));
    assert!(!format!("{queue:?}").contains("locked"));
}

/// With these in it, and no room for more.
fn full_of<const N: usize>(numbers: [u32; N]) -> Queue<u32> {
    Queue::bounded_with_container(N, numbers.into())
}

/// All that is in it, in the order in which it comes out.
fn drain<T, C: Container<T>>(queue: &Queue<T, C>) -> Vec<T> {
    std::iter::from_fn(|| queue.try_get().ok()).collect()
}

/// Panics as the test wants it, and so without a report.
fn panic_quietly() -> ! {
    resume_unwind(Box::new("on purpose"))
}

/// Runs what panics on purpose.
#[track_caller]
fn panics<R>(f: impl FnOnce() -> R) {
    let panic = catch_unwind(AssertUnwindSafe(f)).err().expect("no panic");
    assert_eq!(panic.downcast_ref(), Some(&"on purpose"));
}

/// An item whose comparisons panic, on the thread that has asked for it, so many comparisons from then.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Touchy(u32);

thread_local! {
    static COMPARISONS: Cell<Option<usize>> = const { Cell::new(None) };
}

impl Touchy {
    /// Lets so many comparisons succeed on this thread, and the next one panic. Returns whether one has.
    fn after<R>(comparisons: usize, f: impl FnOnce() -> R) -> Result<R, ()> {
        COMPARISONS.set(Some(comparisons));
        let result = catch_unwind(AssertUnwindSafe(f));
        COMPARISONS.set(None);
        result.map_err(|panic| assert_eq!(panic.downcast_ref(), Some(&"on purpose")))
    }
}

impl Ord for Touchy {
    fn cmp(&self, other: &Self) -> Ordering {
        match COMPARISONS.get() {
            Some(0) => panic_quietly(),
            left => COMPARISONS.set(left.map(|left| left - 1)),
        }
        self.0.cmp(&other.0)
    }
}

impl PartialOrd for Touchy {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

// What others got wrong

/// H9: an item that comes as the time of a get runs out is got, or it is left.
#[test]
fn an_item_at_the_last_moment_is_got_or_left() {
    let _limit = limit();
    let queue = Queue::new();
    let mut seen = [0; 2];
    for round in stress(5_000) {
        let deadline = Instant::now() + Duration::from_micros(20 + round as u64 % 60);
        let got = thread::scope(|s| {
            let getter = s.spawn(|| queue.get_deadline(deadline));
            spin_until(deadline);
            queue.put(round).unwrap();
            getter.join().unwrap()
        });
        let left = queue.try_get();
        assert!(
            got == Ok(round) && left.is_err() || got.is_err() && left == Ok(round),
            "{got:?} {left:?}"
        );
        seen[usize::from(got.is_ok())] += 1;
        assert_left(&queue);
    }
    eprintln!("left {}, got {}", seen[0], seen[1]);
}

/// H9: room that comes as the time of a put runs out is used, or the item comes back.
#[test]
fn room_at_the_last_moment_is_used_or_left() {
    let _limit = limit();
    let queue = Queue::bounded(1);
    for round in stress(5_000) {
        queue.put(usize::MAX).unwrap();
        let deadline = Instant::now() + Duration::from_micros(20 + round as u64 % 60);
        let result = thread::scope(|s| {
            let putter = s.spawn(|| queue.put_deadline(round, deadline));
            spin_until(deadline);
            assert_eq!(queue.get(), Ok(usize::MAX));
            putter.join().unwrap()
        });
        assert_eq!(drain(&queue), if result.is_ok() { vec![round] } else { vec![] });
        assert!(result.is_ok() || result == Err(PutError::Full(round)));
        assert_left(&queue);
    }
}

/// H4: an item that comes as the time of one runs out is not kept from the other who waits.
#[test]
fn an_item_at_the_last_moment_is_not_kept_from_the_next() {
    let _limit = limit();
    let queue = Queue::new();
    for round in stress(5_000) {
        let deadline = Instant::now() + Duration::from_micros(60 + round as u64 % 60);
        thread::scope(|s| {
            let hasty = s.spawn(|| queue.get_deadline(deadline));
            wait_until(|| queue.getters() == 1 || hasty.is_finished());
            let patient = s.spawn(|| queue.get());
            spin_until(deadline);
            queue.put(round).unwrap();
            if hasty.join().unwrap().is_ok() {
                queue.put(round).unwrap();
            }
            assert_eq!(patient.join().unwrap(), Ok(round));
        });
        assert!(queue.is_empty());
        assert_left(&queue);
    }
}

/// H12: whoever has got the last item may free the queue, while the put that has brought it is still on its way out;
/// whoever has waited for the work may, while the thread that has done it is.
#[test]
#[cfg(not(miri))]
fn whoever_has_the_last_item_may_free_the_queue_at_once() {
    let _limit = limit();
    let (send, receive) = std::sync::mpsc::channel::<(Page<Queue<usize>>, usize)>();
    thread::scope(|s| {
        s.spawn(move || {
            for (queue, round) in receive {
                if round % 4 == 3 {
                    queue.get().unwrap();
                    queue.task_done().unwrap();
                } else {
                    queue.put(round).unwrap();
                }
            }
        });
        for round in stress(4_000) {
            // With room, without any, with none left.
            let queue = [Queue::new(), Queue::bounded(0), full_of_one(7), Queue::from_iter([7])];
            let queue = Page::new(queue.into_iter().nth(round % 4).unwrap());
            send.send((queue.share(), round)).unwrap();
            match round % 4 {
                2 => {
                    // Half of the time before the other one waits, half of the time while it does.
                    wait_until(|| round % 8 < 4 || queue.putters() == 1);
                    assert_eq!((queue.get(), queue.get()), (Ok(7), Ok(round)));
                }
                3 => queue.join(),
                _ => assert_eq!(queue.get(), Ok(round)),
            }
            // SAFETY: the other thread's last use of the queue is the call by which this one goes on.
            unsafe { queue.free() };
        }
        drop(send);
    });
}

#[cfg(not(miri))]
fn full_of_one(number: usize) -> Queue<usize> {
    Queue::bounded_with_container(1, VecDeque::from([number]))
}

/// H19: what is left in a queue is dropped with it, once; what was got is not.
#[test]
fn what_is_left_is_dropped_once() {
    fn check<C: Container<Arc<()>> + Default>() {
        let item = Arc::new(());
        let queue = Queue::<_, C>::default();
        (0..10).for_each(|_| queue.put(item.clone()).unwrap());
        let got: Vec<_> = (0..3).map(|_| queue.get().unwrap()).collect();
        assert_eq!(Arc::strong_count(&item), 11);
        drop(queue);
        assert_eq!(Arc::strong_count(&item), 4);
        drop(got);
        let queue = Queue::<_, C>::default();
        (0..10).for_each(|_| queue.put(item.clone()).unwrap());
        let rest = queue.close_now();
        assert_eq!((rest.len(), queue.len(), Arc::strong_count(&item)), (10, 0, 11));
        drop(queue);
        assert_eq!(Arc::strong_count(&item), 11);
        drop(rest);
        assert_eq!(Arc::strong_count(&item), 1);
    }
    check::<VecDeque<_>>();
    check::<Vec<_>>();
    check::<MinHeap<_>>();
}

/// H21.
#[test]
fn a_timeout_beyond_the_clock_waits_until_something_comes() {
    fn waits<R: Send>(
        wait: impl Fn() -> R + Sync,
        is_waiting: impl Fn() -> bool,
        then: impl Fn(),
    ) -> R {
        thread::scope(|s| {
            let waiter = s.spawn(&wait);
            wait_until(|| is_waiting() || waiter.is_finished());
            then();
            waiter.join().unwrap()
        })
    }
    let _limit = limit();
    let queue = Queue::bounded(1);
    let check = |get: &(dyn Fn() -> Result<u32, GetError> + Sync),
                 put: &(dyn Fn() -> Result<(), PutError<u32>> + Sync),
                 join: &(dyn Fn() -> bool + Sync)| {
        assert_eq!(waits(get, || queue.getters() == 1, || queue.put(1).unwrap()), Ok(1));
        queue.put(2).unwrap();
        assert_eq!(waits(put, || queue.putters() == 1, || assert_eq!(queue.get(), Ok(2))), Ok(()));
        assert_eq!(queue.get(), Ok(3));
        let done = || (0..3).for_each(|_| queue.task_done().unwrap());
        assert!(waits(join, || queue.joiners() == 1, done));
    };
    for timeout in endless_timeouts() {
        check(&|| queue.get_timeout(timeout), &|| queue.put_timeout(3, timeout), &|| {
            queue.join_timeout(timeout)
        });
    }
    let last = last_instant();
    check(&|| queue.get_deadline(last), &|| queue.put_deadline(3, last), &|| queue.join_deadline(last));
}

/// H22.
#[test]
#[cfg(not(miri))]
fn timeouts_end_in_the_right_second() {
    let _limit = limit();
    let (empty, full) = (Queue::<u32>::new(), full_of([1]));
    assert_ends_in_the_right_second(|at| assert_eq!(empty.get_deadline(at), Err(GetError::Empty)));
    assert_ends_in_the_right_second(|at| assert_eq!(full.put_deadline(2, at), Err(PutError::Full(2))));
    assert_ends_in_the_right_second(|at| assert!(!full.join_deadline(at)));
    let timeout = Duration::from_nanos(999_999_999);
    let slept = sleeps();
    let (got, elapsed) = timed(|| empty.get_timeout(timeout));
    assert!(got.is_err() && elapsed >= timeout && elapsed < AGES, "{elapsed:?}");
    assert!(sleeps() - slept <= 10, "it polls");
}

/// H24.
#[test]
#[cfg(not(miri))]
fn signals_do_not_show() {
    let _limit = limit();
    let queue = Queue::bounded(1);
    let storm = Storm::new();
    thread::scope(|s| {
        let waiter = s.spawn(|| {
            storm.around(|| {
                assert_eq!(queue.get(), Ok(1));
                assert_eq!(queue.get_timeout(LONG), Ok(2));
                queue.put(3).unwrap();
                queue.put(4).unwrap();
                queue.put_timeout(5, LONG).unwrap();
                queue.join();
                for millis in [0, 1, 5, 50] {
                    let timeout = Duration::from_millis(millis);
                    let (got, elapsed) = timed(|| queue.get_timeout(timeout));
                    assert_eq!(got, Err(GetError::Empty));
                    assert!(elapsed >= timeout, "a signal has cut {timeout:?} to {elapsed:?}");
                    assert!(elapsed < AGES, "signals have made {elapsed:?} of {timeout:?}");
                }
            });
        });
        let through_a_storm = |count: fn(&Queue<i32>) -> usize| {
            wait_until(|| count(&queue) == 1);
            let sent = storm.sent();
            wait_until(|| storm.sent() > sent + 200 || waiter.is_finished());
            assert_eq!(count(&queue), 1, "a signal has ended the wait");
        };
        for number in [1, 2] {
            through_a_storm(Queue::getters);
            queue.put(number).unwrap();
        }
        for number in [3, 4] {
            through_a_storm(Queue::putters);
            assert_eq!(queue.get(), Ok(number));
        }
        assert_eq!(queue.get(), Ok(5));
        through_a_storm(Queue::joiners);
        (0..5).for_each(|_| queue.task_done().unwrap());
    });
    assert_left(&queue);
}

/// H25.
#[test]
fn no_wait_gives_up_before_its_time() {
    let _limit = limit();
    let (empty, full) = (Queue::<u32>::new(), full_of([1]));
    for micros in (0..rounds(100) as u64).map(|round| round * 37) {
        let timeout = Duration::from_micros(micros);
        let in_vain: [&dyn Fn() -> bool; 6] = [
            &|| empty.get_timeout(timeout) == Err(GetError::Empty),
            &|| empty.get_deadline(Instant::now() + timeout) == Err(GetError::Empty),
            &|| full.put_timeout(2, timeout) == Err(PutError::Full(2)),
            &|| full.put_deadline(2, Instant::now() + timeout) == Err(PutError::Full(2)),
            &|| !full.join_timeout(timeout),
            &|| !full.join_deadline(Instant::now() + timeout),
        ];
        for wait in in_vain {
            let (was_in_vain, elapsed) = timed(wait);
            assert!(was_in_vain && elapsed >= timeout && elapsed < AGES, "{elapsed:?} of {timeout:?}");
        }
    }
}

/// H26.
#[test]
fn without_time_a_wait_is_a_try() {
    let _limit = limit();
    let queue = Queue::bounded(1);
    let before = Instant::now();
    assert_eq!(queue.get_timeout(Duration::ZERO), Err(GetError::Empty));
    assert_eq!(queue.get_deadline(before), Err(GetError::Empty));
    assert!(queue.join_timeout(Duration::ZERO) && queue.join_deadline(before));
    assert_eq!(queue.put_timeout(1, Duration::ZERO), Ok(()));
    assert_eq!(queue.put_timeout(2, Duration::ZERO), Err(PutError::Full(2)));
    assert_eq!(queue.put_deadline(2, before), Err(PutError::Full(2)));
    assert!(!queue.join_timeout(Duration::ZERO) && !queue.join_deadline(before));
    assert_eq!(queue.get_timeout(Duration::ZERO), Ok(1));
    assert_eq!(queue.put_deadline(3, before), Ok(()));
    assert_eq!(queue.get_deadline(before), Ok(3));
}

/// H28, H31: no more are done than were put in, however many say so at once.
#[test]
fn no_more_are_done_than_were_put_in() {
    let _limit = limit();
    for items in 0..rounds(50) {
        let queue: Queue<_> = (0..items).collect();
        let errors: usize = thread::scope(|s| {
            let threads: Vec<_> = (0..3)
                .map(|_| s.spawn(|| (0..items).filter(|_| queue.task_done().is_err()).count()))
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        assert_eq!(errors, 2 * items);
        assert_eq!(queue.task_done(), Err(TaskDoneError));
        assert!(queue.join_timeout(Duration::ZERO));
        assert_eq!(queue.len(), items);
    }
}

/// H33: whichever comparison panics, in a put or in a get: nothing is lost, the lock is released, and what is unfinished
/// is what was put in.
#[test]
fn a_comparison_that_panics_loses_nothing() {
    for comparisons in 0..8 {
        let queue = PriorityQueue::default();
        (0..20).for_each(|number| queue.put(Touchy(number * 7 % 20)).unwrap());
        let put = Touchy::after(comparisons, || queue.put(Touchy(0)));
        assert_eq!(queue.len(), 21, "{put:?}");
        let got = Touchy::after(comparisons, || queue.get().unwrap());
        assert_eq!(queue.len(), if got.is_ok() { 20 } else { 21 });
        let mut all = drain(&queue);
        all.extend(got);
        all.sort();
        let numbers: Vec<_> = all.into_iter().map(|item| item.0).collect();
        assert!(numbers.into_iter().eq([0].into_iter().chain(0..20)));
        (0..21).for_each(|_| queue.task_done().unwrap());
        assert!(queue.task_done().is_err());
        assert_left(&queue);
    }
    // One was got, two are ready, and one came later.
    for done_before in 0..4 {
        let queue = Queue::from_iter(0..3);
        assert_eq!(queue.get(), Ok(0));
        queue.put(3).unwrap();
        (0..done_before).for_each(|_| queue.task_done().unwrap());
        thread::scope(|s| {
            let joiner = s.spawn(|| queue.join_timeout(LONG));
            wait_until(|| queue.joiners() == 1);
            assert_eq!(queue.close_now(), [1, 2, 3]);
            if done_before == 0 {
                assert_eq!(queue.joiners(), 1, "one was got and is not done");
                queue.task_done().unwrap();
            }
            assert!(joiner.join().unwrap());
        });
        assert!(queue.task_done().is_err());
        assert_left(&queue);
    }
}

/// H33: a get puts in what another thread waits with. Should that panic, it is for the other thread; the get has its item.
#[test]
fn a_panic_goes_to_the_put_that_it_is_about() {
    let _limit = limit();
    let items = [2, 1].map(Touchy).into_iter().collect();
    let queue: PriorityQueue<_> = Queue::bounded_with_container(2, items);
    thread::scope(|s| {
        let putter = s.spawn(|| panics(|| queue.put(Touchy(0))));
        wait_until(|| queue.putters() == 1);
        // One of its own comparisons: there is none with two items. Then that of the put.
        assert_eq!(Touchy::after(0, || queue.get()), Ok(Ok(Touchy(1))));
        putter.join().unwrap();
    });
    assert_eq!(queue.len(), 2);
    let mut all = drain(&queue);
    all.sort();
    assert_eq!(all, [Touchy(0), Touchy(2)]);
    assert_left(&queue);
}

/// H33: a container may drop what it can not take. Then there is still room for the next one who waits.
#[test]
fn who_waits_behind_a_panic_is_let_in() {
    #[derive(Default)]
    struct Picky(Vec<u32>);
    impl Container<u32> for Picky {
        fn push(&mut self, item: u32) {
            if item == 13 {
                panic_quietly();
            }
            self.0.push(item);
        }
        fn pop(&mut self) -> Option<u32> {
            self.0.pop()
        }
        fn len(&self) -> usize {
            self.0.len()
        }
    }
    let _limit = limit();
    let queue = Queue::bounded_with_container(1, Picky(vec![1]));
    thread::scope(|s| {
        let unlucky = s.spawn(|| panics(|| queue.put(13)));
        wait_until(|| queue.putters() == 1);
        let lucky = s.spawn(|| queue.put(2));
        wait_until(|| queue.putters() == 2);
        assert_eq!(queue.get(), Ok(1));
        unlucky.join().unwrap();
        assert_eq!(lucky.join().unwrap(), Ok(()));
    });
    assert_eq!(drain(&queue), [2]);
    panics(|| queue.try_put(13));
    assert_eq!(queue.try_put(3), Ok(()));
    (0..3).for_each(|_| queue.task_done().unwrap());
    assert!(queue.task_done().is_err(), "what was dropped was not put in");
}

/// H34: what is dropped may use the queue, wherever that happens.
#[test]
fn an_item_that_is_dropped_may_use_its_queue() {
    struct Reporter {
        number: u32,
        queue: Weak<OnceLock<PriorityQueue<Reporter>>>,
        reports: Arc<Mutex<Vec<(u32, usize)>>>,
    }
    impl Drop for Reporter {
        fn drop(&mut self) {
            if let Some(queue) = self.queue.upgrade() {
                let queue = queue.get().unwrap();
                assert!(queue.try_get().is_err() || queue.is_closed());
                self.reports.lock().unwrap().push((self.number, queue.len()));
            }
        }
    }
    impl PartialEq for Reporter {
        fn eq(&self, other: &Self) -> bool {
            self.cmp(other).is_eq()
        }
    }
    impl Eq for Reporter {}
    impl PartialOrd for Reporter {
        fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
            Some(self.cmp(other))
        }
    }
    impl Ord for Reporter {
        fn cmp(&self, other: &Self) -> Ordering {
            self.number.cmp(&other.number)
        }
    }

    let _limit = limit();
    let cell = Arc::new(OnceLock::new());
    let reports = Arc::default();
    let item =
        |number| Reporter { number, queue: Arc::downgrade(&cell), reports: Arc::clone(&reports) };
    let queue = cell.get_or_init(|| Queue::bounded_with_container(2, MinHeap::new()));

    queue.put(item(1)).unwrap();
    drop(queue.get());
    (2..4).for_each(|number| queue.put(item(number)).unwrap());
    thread::scope(|s| {
        let putter = s.spawn(|| drop(queue.put(item(4))));
        wait_until(|| queue.putters() == 1);
        drop(queue.close_now());
        putter.join().unwrap();
    });
    assert!(queue.put(item(5)).is_err());
    assert!(queue.try_put(item(6)).is_err());
    assert!(queue.put_timeout(item(7), LONG).is_err());
    let mut reports = reports.lock().unwrap().clone();
    reports.sort_unstable();
    assert!(reports.into_iter().eq((1..8).map(|number| (number, 0))));
}

/// H39.
#[test]
fn nothing_is_allocated_but_by_the_container() {
    let _limit = limit();
    assert_eq!(allocations(|| drop(Queue::<String>::bounded(10))), 0);
    let queue = Queue::bounded_with_container(2, VecDeque::with_capacity(2));
    let puts = || (0..2).for_each(|number| queue.put(number).unwrap());
    assert_eq!(allocations(puts), 0);
    // What was made ready has left its place to a container that is to grow.
    (0..2).for_each(|number| assert_eq!(queue.get(), Ok(number)));
    puts();
    (0..2).for_each(|number| assert_eq!(queue.get(), Ok(number)));
    assert_eq!(allocations(puts), 0);
    assert_eq!(allocations(|| assert!(queue.put_timeout(2, Duration::from_micros(200)).is_err())), 0);
    thread::scope(|s| {
        s.spawn(|| {
            assert_eq!(allocations(|| (2..10).for_each(|number| queue.put(number).unwrap())), 0)
        });
        wait_until(|| queue.putters() == 1);
        let count = allocations(|| (0..10).for_each(|number| assert_eq!(queue.get(), Ok(number))));
        assert_eq!(count, 0);
    });
    assert_eq!(allocations(|| assert!(queue.get_timeout(Duration::from_micros(200)).is_err())), 0);
    assert_eq!(allocations(|| assert!(!queue.join_timeout(Duration::from_micros(200)))), 0);
    assert_eq!(allocations(|| queue.close()), 0);
}

/// A put and a get where nobody waits are nothing to the system.
#[test]
#[cfg(all(target_os = "linux", target_pointer_width = "64", target_endian = "little", not(miri)))]
fn the_system_is_not_called_without_need() {
    use crate::calls::{Calls, calls_on};
    let _limit = limit();
    let queue = Queue::bounded(2);
    let calls = calls_on(&queue, || {
        for number in 0..10 {
            queue.put(number).unwrap();
            queue.put_timeout(number, LONG).unwrap();
            assert_eq!(queue.try_put(number), Err(PutError::Full(number)));
            assert_eq!((queue.get(), queue.get_timeout(LONG)), (Ok(number), Ok(number)));
            assert!(queue.try_get().is_err());
            (0..2).for_each(|_| queue.task_done().unwrap());
            queue.join();
        }
    });
    assert!(calls.is_none_or(|calls| calls == Calls::NONE), "{calls:?}");
}

// What the documentation says

#[test]
fn the_container_decides_on_the_order() {
    fn order<C: Container<u32> + Default>() -> Vec<u32> {
        let queue = Queue::<_, C>::default();
        [2, 3, 1].into_iter().for_each(|number| queue.put(number).unwrap());
        drain(&queue)
    }
    assert_eq!(order::<VecDeque<_>>(), [2, 3, 1]);
    assert_eq!(order::<Vec<_>>(), [1, 3, 2]);
    assert_eq!(order::<MinHeap<_>>(), [1, 2, 3]);
    let largest_first = Queue::with_container(MinHeap::from_iter([1, 3, 2].map(Reverse)));
    assert_eq!(largest_first.get(), Ok(Reverse(3)));
}

#[test]
fn a_queue_is_made_in_many_ways() {
    static FIFO: Queue<u32> = Queue::new();
    static BOUNDED: Queue<u32> = Queue::bounded(3);
    static LIFO: LifoQueue<u32> = Queue::bounded_with_container(2, Vec::new());
    static PRIORITY: PriorityQueue<u32> = Queue::with_container(MinHeap::new());
    assert_eq!((FIFO.capacity(), BOUNDED.capacity()), (None, Some(3)));
    assert_eq!((LIFO.capacity(), PRIORITY.capacity()), (Some(2), None));
    assert!(FIFO.is_empty() && LIFO.is_empty() && PRIORITY.is_empty());

    assert_eq!(Queue::<u32>::default().capacity(), None);
    assert_eq!(Queue::<u32>::bounded(usize::MAX).capacity(), None);
    assert_eq!(drain(&Queue::from_iter([1, 2])), [1, 2]);
    assert_eq!(drain(&Queue::from(vec![1, 2])), [2, 1]);
    let queue = Queue::<_, MinHeap<_>>::from(MinHeap::from_iter([2, 1]));
    queue.put(0).unwrap();
    assert_eq!(queue.into_inner().into_vec().len(), 3);
}

#[test]
fn a_queue_counts_and_has_so_much_room() {
    let queue = Queue::bounded(2);
    assert_eq!((queue.len(), queue.is_empty(), queue.is_full()), (0, true, false));
    queue.put(1).unwrap();
    assert_eq!((queue.len(), queue.is_empty(), queue.is_full()), (1, false, false));
    queue.put(2).unwrap();
    assert_eq!((queue.len(), queue.is_empty(), queue.is_full()), (2, false, true));
    assert_eq!(queue.try_put(3), Err(PutError::Full(3)));
    assert_eq!(queue.get(), Ok(1));
    assert_eq!(queue.try_put(3), Ok(()));
    // Some are ready to be got, some came later; all of them count.
    assert_eq!((queue.len(), queue.is_full(), queue.try_put(4)), (2, true, Err(PutError::Full(4))));
    assert_eq!((queue.get(), queue.len(), queue.is_full()), (Ok(2), 1, false));
    assert_eq!((queue.try_put(4), queue.is_full()), (Ok(()), true));
    assert_eq!((queue.get(), queue.get(), queue.is_empty()), (Ok(3), Ok(4), true));
    let unbounded = Queue::new();
    (0..1000).for_each(|number| unbounded.put(number).unwrap());
    assert_eq!((unbounded.len(), unbounded.is_full()), (1000, false));
}

/// A put that fails has the item in its error, and errors say what is wrong.
#[test]
fn an_item_that_was_not_put_in_comes_back() {
    #[derive(PartialEq, Eq)]
    struct Bare(u32); // not `Debug`

    let queue = Queue::bounded(0);
    let full = queue.try_put(Bare(1)).unwrap_err();
    assert_eq!(
        (format!("{full:?}"), full.to_string()),
        ("Full(..)".into(), "the queue is full".into())
    );
    assert_eq!(full.into_inner().0, 1);
    let full = queue.put_timeout(Bare(2), Duration::from_micros(1)).unwrap_err();
    assert!(full == PutError::Full(Bare(2)));
    queue.close();
    let closed = queue.put(Bare(3)).unwrap_err();
    assert_eq!(
        (format!("{closed:?}"), closed.to_string()),
        ("Closed(..)".into(), "the queue is closed".into())
    );
    assert_eq!(closed.into_inner().0, 3);
    for result in [
        queue.try_put(Bare(4)),
        queue.put_timeout(Bare(4), LONG),
        queue.put_deadline(Bare(4), Instant::now() + LONG),
        queue.put(Bare(4)).map_err(PutError::from),
    ] {
        let closed = result.unwrap_err();
        assert_eq!(
            (format!("{closed:?}"), closed.to_string()),
            ("Closed(..)".into(), "the queue is closed".into())
        );
        assert_eq!(closed.into_inner().0, 4);
    }
    assert_eq!(queue.get().err(), Some(Closed(())));
    assert_eq!(GetError::from(Closed(())), GetError::Closed);
    assert_eq!(GetError::Closed.to_string(), "the queue is closed");
    assert_eq!(GetError::Empty.to_string(), "the queue is empty");
    assert_eq!(TaskDoneError.to_string(), "more items were said to be done than have been put in");

    fn is_error(_: impl Error + Send + Sync + 'static) {}
    is_error(Closed(()));
    is_error(PutError::Full(1));
    is_error(GetError::Empty);
    is_error(TaskDoneError);
}

#[test]
fn who_waits_is_served_in_turn() {
    let _limit = limit();
    let queue = Queue::new();
    thread::scope(|s| {
        let getters: Vec<_> = (1..=5)
            .map(|count| {
                let getter = s.spawn(|| queue.get());
                wait_until(|| queue.getters() == count);
                getter
            })
            .collect();
        for number in 0..5 {
            queue.put(number).unwrap();
            assert_eq!((queue.getters(), queue.len()), (4 - number, 0));
            assert!(queue.try_get().is_err(), "it is another one's");
        }
        let got = getters.into_iter().map(|getter| getter.join().unwrap().unwrap());
        assert!(got.eq(0..5));
    });
    assert_left(&queue);
}

#[test]
fn who_waits_for_room_is_let_in_in_turn() {
    let _limit = limit();
    // With more room a thread looks for a while before it waits.
    for capacity in [2, 16] {
        let queue = Queue::bounded_with_container(capacity, (0..capacity).collect::<VecDeque<_>>());
        thread::scope(|s| {
            for number in 0..4 {
                let queue = &queue;
                s.spawn(move || queue.put(capacity + number).unwrap());
                wait_until(|| queue.putters() == number + 1);
            }
            for number in 0..4 {
                assert_eq!(queue.get(), Ok(number));
                let left = 3 - number;
                assert_eq!((queue.putters(), queue.waiters(), queue.len()), (left, left, capacity));
                assert_eq!(queue.try_put(99), Err(PutError::Full(99)), "the room is another one's");
            }
        });
        assert!(drain(&queue).into_iter().eq(4..4 + capacity));
        assert_left(&queue);
    }
}

#[test]
fn a_queue_without_room_hands_over() {
    let _limit = limit();
    let queue = Queue::bounded(0);
    assert!(queue.is_full() && queue.is_empty());
    assert_eq!(queue.try_put(1), Err(PutError::Full(1)));
    assert_eq!(queue.try_get(), Err(GetError::Empty));
    thread::scope(|s| {
        let getter = s.spawn(|| queue.get());
        wait_until(|| queue.getters() == 1);
        assert_eq!(queue.try_put(2), Ok(()));
        assert_eq!(queue.try_put(3), Err(PutError::Full(3)));
        assert_eq!(getter.join().unwrap(), Ok(2));

        let putter = s.spawn(|| queue.put(4));
        wait_until(|| queue.putters() == 1);
        assert_eq!((queue.len(), queue.try_get()), (0, Ok(4)));
        assert_eq!(putter.join().unwrap(), Ok(()));

        let putter = s.spawn(|| queue.put(5));
        wait_until(|| queue.putters() == 1);
        queue.close();
        assert_eq!(putter.join().unwrap(), Err(Closed(5)));
    });
    assert_eq!(queue.try_get(), Err(GetError::Closed));
    (0..2).for_each(|_| queue.task_done().unwrap());
    assert!(queue.task_done().is_err());
}

#[test]
fn a_closed_queue_takes_nothing_and_gives_what_it_has() {
    let _limit = limit();
    let queue = full_of([1, 2]);
    assert!(!queue.is_closed());
    queue.close();
    queue.close();
    assert!(queue.is_closed());
    assert_eq!(queue.put(3), Err(Closed(3)), "closed comes before full");
    assert_eq!(queue.try_put(3), Err(PutError::Closed(3)));
    assert_eq!((queue.get(), queue.try_put(3)), (Ok(1), Err(PutError::Closed(3))));
    assert_eq!((queue.get_timeout(LONG), queue.get()), (Ok(2), Err(Closed(()))));
    assert_eq!(
        (queue.try_get(), queue.get_timeout(LONG)),
        (Err(GetError::Closed), Err(GetError::Closed))
    );
    assert!(queue.close_now().is_empty());
}

#[test]
fn an_end_is_for_all_who_wait() {
    let _limit = limit();
    for is_now in [false, true] {
        let end = |queue: &Queue<u32>| if is_now { drop(queue.close_now()) } else { queue.close() };
        let empty = Queue::new();
        thread::scope(|s| {
            let getters: Vec<_> = (0..6)
                .map(|number| {
                    s.spawn({
                        let empty = &empty;
                        move || match number % 3 {
                            0 => empty.get().map_err(GetError::from),
                            1 => empty.get_timeout(LONG),
                            _ => empty.get_deadline(Instant::now() + LONG),
                        }
                    })
                })
                .collect();
            wait_until(|| empty.getters() == 6);
            end(&empty);
            assert!(getters.into_iter().all(|getter| getter.join().unwrap() == Err(GetError::Closed)));
        });
        let full = full_of([1]);
        thread::scope(|s| {
            let putters: Vec<_> = (0..6)
                .map(|number| {
                    s.spawn({
                        let full = &full;
                        move || match number % 3 {
                            0 => full.put(number).map_err(PutError::from),
                            1 => full.put_timeout(number, LONG),
                            _ => full.put_deadline(number, Instant::now() + LONG),
                        }
                    })
                })
                .collect();
            wait_until(|| full.putters() == 6);
            end(&full);
            for (putter, number) in putters.into_iter().zip(0..) {
                assert_eq!(putter.join().unwrap(), Err(PutError::Closed(number)));
            }
        });
        assert_eq!(full.len(), usize::from(!is_now));
        assert_left(&full);
    }
}

#[test]
fn what_is_left_is_handed_back() {
    let queue = Queue::from_iter(0..5);
    assert_eq!(queue.get(), Ok(0));
    assert_eq!(queue.close_now(), [1, 2, 3, 4]);
    assert!(queue.is_closed() && queue.is_empty());
    assert_eq!(queue.get(), Err(Closed(())));
    assert!(queue.close_now().is_empty());
    assert!(!queue.join_timeout(Duration::ZERO), "one was got");
    queue.task_done().unwrap();
    assert!(queue.join_timeout(Duration::ZERO));
    assert!(queue.task_done().is_err());

    let stack = Queue::with_container(vec![1, 2]);
    stack.close();
    assert_eq!(stack.close_now(), [1, 2]);
}

/// Also where some were made ready to be got, and others came later.
#[test]
fn what_is_left_is_handed_back_in_its_order() {
    let queue = || {
        let queue = Queue::from_iter(0..3);
        assert_eq!(queue.get(), Ok(0));
        (3..5).for_each(|number| queue.put(number).unwrap());
        assert_eq!(queue.len(), 4);
        queue
    };
    assert_eq!(queue().close_now(), [1, 2, 3, 4]);
    assert_eq!(queue().into_inner(), [1, 2, 3, 4]);
    assert_eq!(drain(&queue()), [1, 2, 3, 4]);
    let queue = queue();
    (1..3).for_each(|number| assert_eq!(queue.get(), Ok(number)));
    assert_eq!(queue.into_inner(), [3, 4]);
}

/// What was said to be done before it was got is not done twice by being handed back.
#[test]
fn a_join_ends_when_the_rest_is_handed_back() {
    let _limit = limit();
    for done_before in 0..3 {
        let queue = Queue::from_iter(0..3);
        (0..done_before).for_each(|_| queue.task_done().unwrap());
        thread::scope(|s| {
            let joiner = s.spawn(|| queue.join_timeout(LONG));
            wait_until(|| queue.joiners() == 1);
            assert_eq!(queue.close_now().len(), 3);
            assert!(joiner.join().unwrap());
        });
        assert!(queue.task_done().is_err());
        assert_left(&queue);
    }
}

#[test]
fn a_join_waits_for_work_and_not_for_room() {
    let _limit = limit();
    let queue = Queue::bounded(3);
    queue.join();
    let done = AtomicUsize::new(0);
    thread::scope(|s| {
        let workers: Vec<_> = (0..3)
            .map(|_| {
                s.spawn(|| {
                    for _ in &queue {
                        done.fetch_add(1, SeqCst);
                        queue.task_done().unwrap();
                    }
                })
            })
            .collect();
        for round in 1..=rounds(100) {
            (0..10).for_each(|number| queue.put(number).unwrap());
            queue.join();
            assert_eq!(done.load(SeqCst), 10 * round);
        }
        queue.close();
        queue.join();
        workers.into_iter().for_each(|worker| worker.join().unwrap());
    });
    assert!(queue.task_done().is_err());
}

#[test]
fn all_who_join_are_released_by_the_last_that_is_done() {
    let _limit = limit();
    let queue = Queue::from_iter([1, 2]);
    thread::scope(|s| {
        let joiners = [
            s.spawn(|| queue.join_timeout(LONG)),
            s.spawn(|| queue.join_deadline(Instant::now() + LONG)),
            s.spawn(|| {
                queue.join();
                true
            }),
        ];
        wait_until(|| queue.joiners() == 3);
        queue.task_done().unwrap();
        assert_eq!(drain(&queue), [1, 2]);
        assert_eq!((queue.joiners(), queue.waiters()), (3, 3));
        queue.task_done().unwrap();
        assert_eq!(queue.joiners(), 0);
        assert!(joiners.into_iter().all(|joiner| joiner.join().unwrap()));
    });
}

#[test]
fn an_iteration_ends_when_the_queue_is_closed() {
    let _limit = limit();
    let queue = Queue::from_iter(0..3);
    let iter = queue.iter();
    thread::scope(|s| {
        let others =
            [s.spawn(|| iter.clone().sum::<u32>()), s.spawn(|| (&queue).into_iter().sum::<u32>())];
        wait_until(|| queue.getters() == 2);
        queue.put(4).unwrap();
        wait_until(|| queue.getters() == 2);
        queue.close();
        assert_eq!(others.into_iter().map(|other| other.join().unwrap()).sum::<u32>(), 7);
    });
    let mut rest = queue.iter();
    assert_eq!((rest.next(), rest.next()), (None, None));
    assert_eq!(format!("{rest:?}"), format!("QueueIter {{ queue: {queue:?} }}"));
}

/// Never waits, and says so.
#[test]
fn debug_shows_how_it_stands() {
    struct Slow<'a>(&'a Event, &'a Event);
    impl Container<()> for Slow<'_> {
        fn push(&mut self, (): ()) {
            self.0.set();
            self.1.wait();
        }
        fn pop(&mut self) -> Option<()> {
            None
        }
        fn len(&self) -> usize {
            0
        }
    }
    let _limit = limit();
    let queue = Queue::bounded(3);
    (0..2).for_each(|number| queue.put(number).unwrap());
    queue.get().unwrap();
    assert_eq!(
        format!("{queue:?}"),
        "Queue { len: 1, capacity: Some(3), unfinished: 2, is_closed: false }"
    );
    queue.close();
    assert!(format!("{queue:?}").ends_with("is_closed: true }"));

    let (inside, go_on) = (Event::new(), Event::new());
    let queue = Queue::with_container(Slow(&inside, &go_on));
    thread::scope(|s| {
        s.spawn(|| queue.put(()));
        inside.wait();
        assert_eq!(format!("{queue:?}"), "Queue { len: <locked> }");
        go_on.set();
    });
}

/// A thread that unwinds may have used a queue: no poison, no half of anything.
#[test]
fn a_panic_between_calls_leaves_the_queue_as_it_is() {
    let queue = Queue::from_iter([1]);
    let result = catch_unwind(|| {
        queue.put(2).unwrap();
        panic_quietly();
    });
    assert!(result.is_err());
    assert_eq!(drain(&queue), [1, 2]);
}

// All together

/// What threads do at random. Each item that was put in is got, is left or handed back: once.
fn balance<C: Container<usize> + Default + Send>(capacity: Option<usize>, seed: u64, ends_now: bool) {
    const THREADS: usize = 4;
    const ITEMS: usize = 400;
    let items = rounds(ITEMS);
    let queue = match capacity {
        Some(capacity) => Queue::bounded_with_container(capacity, C::default()),
        None => Queue::with_container(C::default()),
    };
    let seen: Vec<AtomicUsize> = (0..THREADS * items).map(|_| AtomicUsize::new(0)).collect();
    let (seen, got) = (&seen, AtomicUsize::new(0));
    let see = |item: usize| assert_eq!(seen[item].fetch_add(1, SeqCst), 0, "{item} was doubled");
    let soon = |random: &mut Random| Duration::from_micros(random.below(30));
    thread::scope(|s| {
        let putters: Vec<_> = (0..THREADS)
            .map(|number| {
                let queue = &queue;
                s.spawn(move || {
                    let mut random = Random::new(seed + number as u64);
                    for item in number * items..(number + 1) * items {
                        let mut item = Ok(item);
                        while let Ok(number) = item {
                            let result = match random.below(4) {
                                0 => queue.try_put(number),
                                1 => queue.put_timeout(number, soon(&mut random)),
                                2 => queue.put_deadline(number, Instant::now() + soon(&mut random)),
                                _ => queue.put(number).map_err(PutError::from),
                            };
                            item = match result {
                                Ok(()) => Err(()),
                                Err(PutError::Full(number)) => Ok(number),
                                Err(PutError::Closed(number)) => return see(number),
                            };
                        }
                    }
                })
            })
            .collect();
        for number in 0..THREADS {
            let (queue, got) = (&queue, &got);
            s.spawn(move || {
                let mut random = Random::new(seed + 100 + number as u64);
                loop {
                    let result = match random.below(4) {
                        0 => queue.try_get(),
                        1 => queue.get_timeout(soon(&mut random)),
                        2 => queue.get_deadline(Instant::now() + soon(&mut random)),
                        _ => queue.get().map_err(GetError::from),
                    };
                    match result {
                        Ok(item) => {
                            see(item);
                            got.fetch_add(1, SeqCst);
                            queue.task_done().unwrap();
                        }
                        Err(GetError::Empty) => {}
                        Err(GetError::Closed) => return,
                    }
                }
            });
        }
        let joiner = s.spawn(|| {
            while !queue.is_closed() {
                queue.join_timeout(Duration::from_micros(50));
            }
            queue.join();
        });
        if ends_now {
            wait_until(|| got.load(SeqCst) >= items);
            let mut rest = queue.close_now();
            std::iter::from_fn(|| rest.pop()).for_each(see);
        } else {
            putters.into_iter().for_each(|putter| putter.join().unwrap());
            queue.close();
        }
        joiner.join().unwrap();
    });
    assert!(queue.is_empty() && queue.task_done().is_err());
    assert_left(&queue);
    if !ends_now {
        assert!(seen.iter().all(|times| times.load(SeqCst) == 1), "an item was lost");
        assert_eq!(got.load(SeqCst), THREADS * items);
    }
}

#[test]
fn items_balance_whatever_threads_do() {
    let _limit = limit();
    for round in stress(40) {
        let (seed, ends_now) = (round as u64 * 1000, round % 2 == 1);
        for capacity in [Some(0), Some(1), Some(3), Some(16), None] {
            match round % 3 {
                0 => balance::<VecDeque<_>>(capacity, seed, ends_now),
                1 => balance::<Vec<_>>(capacity, seed, ends_now),
                _ => balance::<MinHeap<_>>(capacity, seed, ends_now),
            }
        }
    }
}

/// Each thread's items keep their order on their way to one other thread.
#[test]
fn what_a_thread_puts_in_comes_out_in_its_order() {
    let _limit = limit();
    let items = rounds(5_000);
    for capacity in [0, 1, 5, 16, usize::MAX] {
        let queue = Queue::bounded(capacity);
        thread::scope(|s| {
            for putter in 0..3 {
                let queue = &queue;
                s.spawn(move || (0..items).for_each(|number| queue.put((putter, number)).unwrap()));
            }
            let mut next = [0; 3];
            for (putter, number) in queue.iter().take(3 * items) {
                assert_eq!(number, next[putter], "thread {putter} was overtaken by itself");
                next[putter] += 1;
            }
        });
        assert_left(&queue);
    }
}

/// Some threads' items panic as they are compared, in whoever's hands, and no item is lost or doubled.
#[test]
fn items_balance_though_comparisons_panic() {
    let _limit = limit();
    let items = rounds(2_000) as u32;
    for capacity in [1, 4, 100] {
        let queue: PriorityQueue<Touchy> = Queue::bounded_with_container(capacity, MinHeap::new());
        let is_over = AtomicBool::new(false);
        let (queue, is_over) = (&queue, &is_over);
        thread::scope(|s| {
            let putters: Vec<_> = (0..2)
                .map(|putter| {
                    s.spawn(move || {
                        let mut random = Random::new(u64::from(putter));
                        (0..items).for_each(|number| {
                            // Panicking or not, it is in.
                            _ = Touchy::after(random.below(20) as usize, || {
                                queue.put(Touchy(number * 2 + putter)).unwrap();
                            });
                        });
                    })
                })
                .collect();
            let getter = s.spawn(move || {
                let (mut random, mut all) = (Random::new(7), Vec::new());
                loop {
                    match Touchy::after(random.below(20) as usize, || queue.get()) {
                        Ok(Ok(item)) => all.push(item.0),
                        Ok(Err(Closed(()))) => return all,
                        Err(()) => {}
                    }
                }
            });
            putters.into_iter().for_each(|putter| putter.join().unwrap());
            is_over.store(true, SeqCst);
            queue.close();
            let mut all = getter.join().unwrap();
            all.sort_unstable();
            assert!(all.into_iter().eq(0..2 * items), "an item was lost or doubled");
        });
        assert_left(queue);
    }
}
