//! More threads than can be checked in full: each primitive with five to eight, in all of its ways at once.
//!
//! A model here says what must hold in each execution. It is as strong as the executions that were come upon.

#[path = "../../tests/checking/mod.rs"]
mod checking;

// Each model uses one or two of a file.
#[allow(dead_code)]
#[path = "../../mistakes/barrier.rs"]
mod barrier;
#[allow(dead_code)]
#[path = "../../mistakes/event.rs"]
mod event;
#[allow(dead_code)]
#[path = "../../mistakes/lock.rs"]
mod lock;
#[path = "../../mistakes/many.rs"]
mod mistakes;

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering::SeqCst};
use std::time::{Duration, Instant};

use checking::Unprotected;
use futon_model::atomic::model::{calls, check};
use futon_model::atomic::yield_now;
use futon_model::{
    Barrier, Condition, Event, GetError, Lock, LockGuard, ParMap, PutError, Queue, RLock, RLockGuard,
    Semaphore, SharedIter, SharedRange, acquire_all, acquire_all_timeout, try_acquire_all,
};
use loom::thread;

const SOON: Duration = Duration::from_secs(1);

/// Runs `way` on so many threads, which are told their numbers. What each returned.
fn each_of<R: 'static>(threads: usize, way: impl Fn(usize) -> R + 'static) -> Vec<R> {
    let way = Arc::new(way);
    let started: Vec<_> = (0..threads)
        .map(|number| {
            let way = way.clone();
            thread::spawn(move || way(number))
        })
        .collect();
    started.into_iter().map(|thread| thread.join().unwrap()).collect()
}

/// Lets other threads run until `condition` holds.
fn until(condition: impl Fn() -> bool) {
    while !condition() {
        yield_now();
    }
}

/// A number that is of no importance to the checker, for what a test itself has to know.
#[derive(Default)]
struct Count(AtomicI64);

impl Count {
    fn add(&self, n: i64) -> i64 {
        self.0.fetch_add(n, SeqCst) + n
    }

    fn get(&self) -> i64 {
        self.0.load(SeqCst)
    }
}

/// A lock, and how often it should have been had.
#[derive(Clone)]
struct Locked {
    lock: Arc<Lock<Unprotected>>,
    had: Arc<Count>,
}

impl Locked {
    fn new() -> Self {
        Self { lock: Arc::new(Lock::new(Unprotected::new(0))), had: Arc::default() }
    }

    fn add_one(&self, number: &Unprotected) {
        number.add_one();
        self.had.add(1);
    }

    /// In a way that depends on `way`.
    fn take_a_turn(&self, way: usize) {
        match way % 6 {
            0 => self.add_one(&self.lock.acquire()),
            1 => _ = self.lock.try_acquire().map(|guard| self.add_one(&guard)),
            2 => _ = self.lock.acquire_timeout(SOON).map(|guard| self.add_one(&guard)),
            3 => {
                let guard = self.lock.acquire();
                self.add_one(&guard);
                LockGuard::release_fair(guard);
            }
            4 => {
                let mut guard = self.lock.acquire();
                self.add_one(&guard);
                LockGuard::unlocked(&mut guard, yield_now);
                self.add_one(&guard);
            }
            _ => {
                let guard = self.lock.acquire_arc();
                self.add_one(&guard);
                let panic = move || {
                    let _guard = guard;
                    resume_unwind(Box::new(()));
                };
                assert!(catch_unwind(AssertUnwindSafe(panic)).is_err());
            }
        }
    }

    fn assert_rests(&self) {
        assert_eq!(self.lock.waiters(), 0);
        assert!(!self.lock.is_locked());
        assert_eq!(i64::from(self.lock.try_acquire().unwrap().get()), self.had.get());
    }
}

#[test]
fn six_threads_take_turns_at_a_lock_in_all_ways() {
    check(|| {
        let locked = Locked::new();
        let theirs = locked.clone();
        each_of(6, move |way| theirs.take_a_turn(way));
        locked.assert_rests();
    });
}

#[test]
fn five_threads_take_a_lock_again_and_again() {
    check(|| {
        let locked = Locked::new();
        let theirs = locked.clone();
        each_of(5, move |way| (0..3).for_each(|round| theirs.take_a_turn(way * (round + 1) + round)));
        locked.assert_rests();
    });
}

#[test]
fn six_threads_who_wait_for_one_lock_all_get_it() {
    check(|| {
        let locked = Locked::new();
        let theirs = locked.clone();
        let guard = locked.lock.acquire_arc();
        let lock = locked.lock.clone();
        let releases = thread::spawn(move || {
            until(|| lock.waiters() == 6);
            drop(guard);
        });
        each_of(6, move |number| theirs.take_a_turn(if number == 3 { 3 } else { 0 }));
        releases.join().unwrap();
        locked.assert_rests();
    });
}

#[test]
fn six_threads_nest_at_a_re_entrant_lock() {
    check(|| {
        let lock = Arc::new(RLock::new(Unprotected::new(0)));
        let had = Arc::new(Count::default());
        let (theirs, count) = (lock.clone(), had.clone());
        each_of(6, move |number| {
            let outer = match number % 3 {
                0 => Some(theirs.acquire()),
                1 => theirs.acquire_timeout(SOON),
                _ => theirs.try_acquire(),
            };
            let Some(outer) = outer else { return };
            let inner = theirs.acquire();
            assert_eq!(theirs.depth(), 2);
            inner.add_one();
            count.add(1);
            drop(inner);
            assert!(theirs.is_owned());
            if number % 2 == 0 { drop(outer) } else { RLockGuard::release_fair(outer) }
        });
        assert_eq!(lock.waiters(), 0);
        assert_eq!(i64::from(lock.try_acquire().unwrap().get()), had.get());
    });
}

/// Three of four, which differ from thread to thread and overlap in a ring.
#[test]
fn six_threads_take_three_of_four_locks_in_all_orders_and_ways() {
    check(|| {
        let locked = Arc::new([(); 4].map(|()| Locked::new()));
        let theirs = locked.clone();
        each_of(6, move |number| {
            let mut wanted = [0, 1, 2].map(|next| &theirs[(number + next) % 4]);
            if number % 2 == 0 {
                wanted.reverse();
            }
            let [a, b, c] = wanted.map(|locked| &*locked.lock);
            let guards = match number {
                0 => try_acquire_all(&[a, b, c][..]),
                1 => acquire_all_timeout([a, b, c], SOON).map(Vec::from),
                2 => {
                    let (a, b, c) = acquire_all((a, b, c));
                    Some(vec![a, b, c])
                }
                3 => Some(acquire_all(&[a, b, c][..])),
                _ => Some(Vec::from(acquire_all([a, b, c]))),
            };
            for (locked, guard) in wanted.iter().zip(guards.into_iter().flatten()) {
                locked.add_one(&guard);
            }
        });
        locked.iter().for_each(Locked::assert_rests);
    });
}

#[test]
fn seven_threads_share_three_permits() {
    check(|| {
        let semaphore = Arc::new(Semaphore::new(3));
        let taken = Arc::new(Count::default());
        let (theirs, inside) = (semaphore.clone(), taken.clone());
        each_of(7, move |number| {
            let wanted = (number % 3 + 1) as u32;
            for round in 0..2 {
                let permit = match (number + round) % 4 {
                    0 => theirs.acquire_many_timeout(wanted, SOON),
                    1 => theirs.try_acquire_many(wanted),
                    _ => Some(theirs.acquire_many(wanted)),
                };
                if let Some(mut permit) = permit {
                    assert!(inside.add(wanted.into()) <= 3, "more than there are");
                    let part = permit.split(1);
                    yield_now();
                    inside.add(-i64::from(wanted));
                    drop(part);
                }
            }
        });
        assert_eq!((semaphore.available(), semaphore.waiters()), (3, 0));
    });
}

#[test]
fn one_release_is_enough_for_six_who_sleep() {
    check(|| {
        let semaphore = Arc::new(Semaphore::new(0));
        let (theirs, ours) = (semaphore.clone(), semaphore.clone());
        let releases = thread::spawn(move || {
            until(|| ours.waiters() == 6);
            ours.release(6).unwrap();
        });
        each_of(6, move |_| theirs.acquire().forget());
        releases.join().unwrap();
        assert_eq!((semaphore.available(), semaphore.waiters()), (0, 0));
    });
}

#[test]
fn permits_that_come_one_by_one_are_enough_for_small_and_large_requests() {
    check(|| {
        let semaphore = Arc::new(Semaphore::new(0));
        let (theirs, ours) = (semaphore.clone(), semaphore.clone());
        let releases = thread::spawn(move || (0..9).for_each(|_| ours.release(1).unwrap()));
        // Enough for all, of whom two may give up.
        let had: Vec<u32> = each_of(6, move |number| match number {
            0 => theirs.acquire_many(3).forget_counted(),
            1 => theirs.acquire_many_timeout(2, SOON).map_or(0, Forget::forget_counted),
            2 => theirs.acquire_timeout(SOON).map_or(0, Forget::forget_counted),
            _ => theirs.acquire().forget_counted(),
        });
        releases.join().unwrap();
        assert_eq!(semaphore.available() + had.iter().sum::<u32>(), 9);
        assert_eq!(semaphore.waiters(), 0);
    });
}

/// Of a permit: to keep it for good, and how many it was.
trait Forget {
    fn forget_counted(self) -> u32;
}

impl Forget for futon_model::Permit<'_> {
    fn forget_counted(self) -> u32 {
        let count = self.count();
        self.forget();
        count
    }
}

#[test]
fn a_set_releases_seven_who_wait_even_if_a_clear_follows_at_once() {
    check(|| {
        let event = Arc::new(Event::new());
        let value = Arc::new(Unprotected::new(0));
        let (theirs, seen, ours) = (event.clone(), value.clone(), event.clone());
        let sets = thread::spawn(move || {
            until(|| ours.waiters() == 7);
            value.set(1);
            ours.set();
            ours.clear();
        });
        each_of(7, move |_| {
            theirs.wait();
            assert_eq!(seen.get(), 1);
        });
        sets.join().unwrap();
        assert!(!event.is_set());
        assert_eq!(event.waiters(), 0);
    });
}

#[test]
fn sets_and_clears_of_two_threads_strand_none_of_five() {
    check(|| {
        let event = Arc::new(Event::new());
        let theirs = event.clone();
        each_of(7, move |number| match number {
            0 => theirs.set(),
            1 => {
                theirs.clear();
                theirs.set();
            }
            2 => _ = theirs.wait_timeout(SOON),
            _ => theirs.wait(),
        });
        // Whatever came last, it was a set.
        assert!(event.is_set());
        assert_eq!(event.waiters(), 0);
    });
}

/// A buffer with room for `room`, between those who put and those who take.
struct Buffer {
    items: Lock<Vec<usize>>,
    room: usize,
    not_empty: Condition,
    not_full: Condition,
}

impl Buffer {
    fn new(room: usize) -> Arc<Self> {
        Arc::new(Self {
            items: Lock::new(Vec::new()),
            room,
            not_empty: Condition::new(),
            not_full: Condition::new(),
        })
    }

    fn put(&self, item: usize) {
        let mut items = self.items.acquire();
        self.not_full.wait_while(&mut items, |items| items.len() == self.room);
        items.push(item);
        self.not_empty.notify_one();
    }

    fn take(&self) -> usize {
        let mut items = self.items.acquire();
        self.not_empty.wait_while(&mut items, |items| items.is_empty());
        let item = items.remove(0);
        drop(items);
        self.not_full.notify_one();
        item
    }

    fn take_in_time(&self) -> Option<usize> {
        let mut items = self.items.acquire();
        if !self.not_empty.wait_timeout_while(&mut items, SOON, |items| items.is_empty()) {
            return None;
        }
        let item = items.remove(0);
        self.not_full.notify_one();
        Some(item)
    }
}

#[test]
fn three_who_put_and_three_who_take_lose_nothing() {
    check(|| {
        let buffer = Buffer::new(1);
        let theirs = buffer.clone();
        let taken = each_of(6, move |number| match number % 2 {
            0 => {
                theirs.put(number);
                theirs.put(number + 1);
                Vec::new()
            }
            _ => vec![theirs.take(), theirs.take()],
        });
        let mut taken: Vec<_> = taken.into_iter().flatten().collect();
        taken.sort_unstable();
        assert_eq!(taken, [0, 1, 2, 3, 4, 5]);
        assert_eq!((buffer.not_empty.waiters(), buffer.not_full.waiters()), (0, 0));
    });
}

#[test]
fn who_takes_in_time_or_gives_up_strands_nobody() {
    check(|| {
        let buffer = Buffer::new(2);
        let theirs = buffer.clone();
        // Two put, three in sum; four take, two of them for as long as it takes.
        let taken = each_of(6, move |number| match number {
            0 => {
                theirs.put(0);
                theirs.put(1);
                None
            }
            1 => {
                theirs.put(2);
                None
            }
            2 | 3 => theirs.take_in_time(),
            _ => {
                // With the two that give up there are enough for one of these, in the worst case.
                (number == 4).then(|| theirs.take())
            }
        });
        let taken: Vec<_> = taken.into_iter().flatten().collect();
        let left = buffer.items.acquire().len();
        assert_eq!(taken.len() + left, 3);
        assert_eq!(taken.iter().collect::<BTreeSet<_>>().len(), taken.len());
        assert_eq!((buffer.not_empty.waiters(), buffer.not_full.waiters()), (0, 0));
    });
}

#[test]
fn as_many_of_six_are_released_as_were_notified() {
    check(|| {
        let shared = Arc::new((Lock::new(0), Condition::new()));
        let notified = Arc::new(Count::default());
        let (theirs, ours, told) = (shared.clone(), shared.clone(), notified.clone());
        let notifier = thread::spawn(move || {
            let (lock, changed) = &*ours;
            until(|| changed.waiters() >= 4);
            told.add(changed.notify(3) as i64);
            let guard = lock.acquire();
            told.add(changed.notify_one().into());
            drop(guard);
            // The others, as they come. Those with a time may have given up.
            while told.get() + *lock.acquire() < 6 {
                told.add(changed.notify_all() as i64);
                yield_now();
            }
        });
        let woken = each_of(6, move |number| {
            let (lock, changed) = &*theirs;
            let mut guard = lock.acquire();
            if number < 2 {
                let in_time = changed.wait_timeout(&mut guard, SOON);
                *guard += i64::from(!in_time);
                in_time
            } else {
                changed.wait(&mut guard);
                true
            }
        });
        notifier.join().unwrap();
        let woken = woken.into_iter().filter(|&woken| woken).count();
        assert_eq!(woken as i64, notified.get());
        assert_eq!(shared.1.waiters(), 0);
        assert!(!shared.0.is_locked());
    });
}

#[test]
fn five_threads_pass_a_barrier_twice() {
    check(|| {
        let barrier = Arc::new(Barrier::new(5));
        let steps: Arc<Vec<Unprotected>> = Arc::new((0..5).map(|_| Unprotected::new(0)).collect());
        let (theirs, shared) = (barrier.clone(), steps.clone());
        let leads = each_of(5, move |number| {
            shared[number].set(1);
            let first = theirs.wait().unwrap().is_leader();
            assert!(shared.iter().all(|step| step.get() == 1));
            let second = theirs.wait().unwrap().is_leader();
            shared[number].set(2);
            [first, second]
        });
        for round in 0..2 {
            assert_eq!(leads.iter().filter(|leads| leads[round]).count(), 1);
        }
        assert!(steps.iter().all(|step| step.get() == 2));
        assert_eq!(barrier.waiting(), 0);
    });
}

#[test]
fn of_eight_threads_at_a_barrier_for_four_all_pass() {
    check(|| {
        let barrier = Arc::new(Barrier::new(4));
        let theirs = barrier.clone();
        let mut indices = each_of(8, move |_| theirs.wait().unwrap().index());
        indices.sort_unstable();
        assert_eq!(indices, [0, 0, 1, 1, 2, 2, 3, 3]);
        assert_eq!(barrier.waiting(), 0);
    });
}

#[test]
fn a_round_of_five_is_complete_for_all_or_broken_for_all() {
    check(|| {
        let barrier = Arc::new(Barrier::new(5));
        let theirs = barrier.clone();
        let passed = each_of(6, move |number| match number {
            0 => Some(theirs.wait_timeout(SOON).is_ok()),
            5 => {
                theirs.abort();
                None
            }
            _ => Some(theirs.wait().is_ok()),
        });
        let passed: Vec<_> = passed.into_iter().flatten().collect();
        assert!(passed.iter().all(|&one| one == passed[0]), "{passed:?}");
        assert!(barrier.is_broken());
        assert_eq!(barrier.waiting(), 0);
        barrier.reset();
        let theirs = barrier.clone();
        assert!(each_of(5, move |_| theirs.wait().is_ok()).into_iter().all(|passed| passed));
    });
}

/// A number that was written down without protection, by whoever puts it in.
fn written(number: u32) -> Unprotected {
    let item = Unprotected::new(0);
    item.set(number);
    item
}

/// Three put in and three get out, in all ways, with so much room or without a limit; one waits for the work. Each item is
/// got or has come back.
#[test]
fn seven_threads_hand_items_over_in_all_ways() {
    const EACH: u32 = 3;
    for capacity in [0, 1, 2, usize::MAX] {
        check(move || {
            let queue = Arc::new(Queue::bounded(capacity));
            let (theirs, putting) = (queue.clone(), Arc::new(Count::default()));
            let done = Arc::new(Count::default());
            let count = done.clone();
            let had = each_of(7, move |number| -> Vec<u32> {
                let queue = &*theirs;
                let mut had = Vec::new();
                if number < 3 {
                    for item in (0..EACH).map(|item| EACH * number as u32 + item) {
                        let result = match item % 4 {
                            0 => queue.put(written(item)).map_err(PutError::from),
                            1 => queue.put_timeout(written(item), SOON),
                            2 => queue.try_put(written(item)),
                            _ => queue.put_deadline(written(item), Instant::now() + SOON),
                        };
                        had.extend(result.err().map(|error| error.into_inner().get()));
                    }
                    if putting.add(1) == 3 {
                        queue.close();
                    }
                } else if number < 6 {
                    for way in number.. {
                        let item = match way % 3 {
                            0 => queue.get().map_err(GetError::from),
                            1 => queue.get_timeout(SOON),
                            _ => queue.try_get(),
                        };
                        match item {
                            Ok(item) => {
                                had.push(item.get());
                                count.add(1);
                                queue.task_done().unwrap();
                            }
                            Err(GetError::Empty) => yield_now(),
                            Err(GetError::Closed) => break,
                        }
                    }
                } else {
                    until(|| queue.is_closed());
                    queue.join();
                }
                had
            });
            let back: usize = had[..3].iter().map(Vec::len).sum();
            assert_eq!(done.get() as usize + back, 3 * EACH as usize);
            assert!(had[6].is_empty() && queue.is_empty() && queue.waiters() == 0);
            let mut had: Vec<_> = had.into_iter().flatten().collect();
            had.sort_unstable();
            assert!(had.into_iter().eq(0..3 * EACH), "an item was lost or doubled");
        });
    }
}

/// A close, or what is handed back, is for all who wait; an item for one of them.
#[test]
fn of_seven_who_wait_at_a_queue_each_is_released_once() {
    for is_now in [false, true] {
        check(move || {
            let queue = Arc::new(Queue::new());
            let theirs = queue.clone();
            let got = each_of(8, move |number| {
                if number < 7 {
                    return theirs.get().is_ok();
                }
                until(|| theirs.getters() == 7);
                (0..3).for_each(|number| theirs.put(written(number)).unwrap());
                if is_now {
                    assert!(theirs.close_now().is_empty(), "they are others' already");
                } else {
                    theirs.close();
                }
                false
            });
            assert_eq!(got.into_iter().filter(|got| *got).count(), 3);
            assert_eq!(queue.waiters(), 0);
        });
    }
}

#[test]
fn six_threads_share_an_iterator_in_all_ways() {
    check(|| {
        let items = Arc::new(SharedIter::new(0..12));
        let theirs = items.clone();
        let had = each_of(6, move |number| -> Vec<usize> {
            match number {
                0 => theirs.puller().take(2).collect(),
                1 => theirs.puller().collect(),
                2 => std::iter::from_fn(|| theirs.next()).collect(),
                3 => theirs.try_next().ok().flatten().into_iter().collect(),
                4 => theirs.next_chunk(3),
                _ => theirs.next_timeout(SOON).ok().flatten().into_iter().collect(),
            }
        });
        let mut had: Vec<_> =
            had.into_iter().flatten().chain(std::iter::from_fn(|| items.next())).collect();
        had.sort_unstable();
        assert!(had.into_iter().eq(0..12));
        assert_eq!(items.waiters(), 0);
    });
}

#[test]
fn six_threads_share_a_range_in_all_ways() {
    check(|| {
        let items = Arc::new(SharedRange::new(0..20));
        let theirs = items.clone();
        let had = each_of(6, move |number| -> Vec<usize> {
            match number % 3 {
                0 => theirs.puller().take(2).collect(),
                1 => theirs.puller().collect(),
                _ => std::iter::from_fn(|| theirs.next()).take(4).collect(),
            }
        });
        let mut had: Vec<_> =
            had.into_iter().flatten().chain(std::iter::from_fn(|| items.next())).collect();
        had.sort_unstable();
        assert!(had.into_iter().eq(0..20));
    });
}

/// Three work and two ask, one of whom does not wait for long; one item panics, perhaps.
#[test]
fn five_threads_map_and_ask_in_all_ways() {
    const ITEMS: u32 = 4;
    const PANICS: u32 = 2;
    let settings = [(1, 1, false, true), (2, 1, true, false), (3, 2, false, true), (9, 3, true, true)];
    for (in_flight, chunk, is_unordered, panics) in settings {
        check(move || {
            let function = move |item: Unprotected| {
                if panics && item.get() == PANICS {
                    resume_unwind(Box::new(PANICS));
                }
                written(item.get() + 100)
            };
            let map = ParMap::new((0..ITEMS).map(written), in_flight, function).chunk(chunk);
            let map = Arc::new(if is_unordered { map.unordered() } else { map });
            let theirs = map.clone();
            let had = each_of(5, move |number| -> Vec<u32> {
                let mut had = Vec::new();
                if number < 3 {
                    theirs.work();
                    return had;
                }
                for way in 0.. {
                    let result = catch_unwind(AssertUnwindSafe(|| match (number, way) {
                        (3, _) => Ok(theirs.next()),
                        (_, 0) => theirs.next_timeout(SOON),
                        _ => theirs.try_next(),
                    }));
                    match result {
                        Ok(Ok(Some(result))) => had.push(result.get() - 100),
                        Ok(Ok(None)) => break,
                        Ok(Err(_)) => yield_now(),
                        Err(panic) => had.push(*panic.downcast::<u32>().unwrap()),
                    }
                }
                assert!(is_unordered || had.is_sorted());
                had
            });
            assert_eq!((map.workers(), map.waiters()), (0, 0));
            let left = Arc::into_inner(map).unwrap().into_inner();
            assert!(left.panic.is_none());
            let items = left.items.into_iter().map(|(_, item)| item.get());
            let results = left.results.into_iter().map(|(_, result)| result.get() - 100);
            let rest = left.iter.map(|item| item.get());
            let mut all: Vec<_> =
                had.into_iter().flatten().chain(items).chain(results).chain(rest).collect();
            all.sort_unstable();
            assert!(all.into_iter().eq(0..ITEMS), "an item was lost or doubled");
        });
    }
}

// Mistakes that take so many threads. The right versions pass.

/// Each takes the lock twice.
fn six_take_turns<L: lock::RawLock>() {
    check(|| {
        let shared = Arc::new((L::new(), Unprotected::new(0)));
        let theirs = shared.clone();
        each_of(6, move |_| {
            for _ in 0..2 {
                theirs.0.acquire();
                theirs.1.add_one();
                theirs.0.release();
            }
        });
        shared.0.acquire();
        assert_eq!(shared.1.get(), 12);
    });
}

fn a_set_releases_six<E: event::Event>() {
    check(|| {
        let event = Arc::new(E::new());
        let theirs = event.clone();
        let waiters = thread::spawn(move || each_of(6, move |_| theirs.wait()));
        until(|| calls().waits >= 6);
        event.set();
        waiters.join().unwrap();
    });
}

fn six_pass_in_pairs<B: barrier::Barrier>() {
    check(|| {
        let barrier = Arc::new(B::new(2));
        each_of(6, move |_| barrier.wait());
    });
}

#[test]
fn the_right_lock_is_taken_in_turns_by_six() {
    six_take_turns::<lock::ThreeStates>();
}

#[test]
fn the_right_event_releases_six() {
    a_set_releases_six::<event::FlagAndGeneration>();
}

#[test]
fn the_right_barrier_lets_six_pass_in_pairs() {
    six_pass_in_pairs::<barrier::OneWord>();
}

#[test]
#[should_panic(expected = "deadlock")]
fn finds_a_count_that_comes_round_with_a_fourth_waiter() {
    six_take_turns::<mistakes::CountsInTwoBits>();
}

#[test]
#[should_panic(expected = "deadlock")]
fn finds_a_wake_that_is_enough_for_four() {
    a_set_releases_six::<mistakes::WakesABatch>();
}

#[test]
#[should_panic(expected = "deadlock")]
fn finds_a_round_that_comes_back() {
    six_pass_in_pairs::<mistakes::TurnsABit>();
}
