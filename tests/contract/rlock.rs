//! [`RLock`] and its guards.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use futon::{Event, MappedRLockGuard, RLock, RLockArcGuard, RLockGuard};

use crate::allocations::allocations;
use crate::threads::{
    AGES, Page, Random, endless_timeouts, last_instant, limit, rounds, stress, timed, wait_until,
};

const THREADS: usize = 5;
const LONG: Duration = Duration::from_secs(3600);

/// Whether another thread gets the lock.
fn is_free(lock: &RLock<impl ?Sized + Send>) -> bool {
    thread::scope(|s| s.spawn(|| lock.try_acquire().is_some()).join().unwrap())
}

/// As nobody had ever touched it.
#[track_caller]
fn assert_untouched(lock: &RLock<impl ?Sized + Send>) {
    assert_depth(lock, 0);
    assert!(!lock.is_locked());
    assert_eq!(lock.waiters(), 0);
    assert!(is_free(lock));
}

/// This thread has so many levels.
#[track_caller]
fn assert_depth(lock: &RLock<impl ?Sized>, depth: u32) {
    assert_eq!(lock.depth(), depth);
    assert_eq!(lock.is_owned(), depth > 0);
}

/// This thread has so many levels, and another one neither has nor gets any.
#[track_caller]
fn assert_has(lock: &RLock<impl ?Sized + Send>, depth: u32) {
    assert_depth(lock, depth);
    assert!(lock.is_locked());
    assert!(!is_free(lock));
    assert_eq!(elsewhere(lock), (false, 0));
}

/// Whether another thread has the lock, and how many levels.
fn elsewhere(lock: &RLock<impl ?Sized + Send>) -> (bool, u32) {
    thread::scope(|s| s.spawn(|| (lock.is_owned(), lock.depth())).join().unwrap())
}

/// Panics as the test wants it, and so without a report.
fn panic_quietly() -> ! {
    std::panic::resume_unwind(Box::new("on purpose"))
}

/// Runs what panics on purpose.
fn panics<R>(f: impl FnOnce() -> R) {
    let panic = catch_unwind(AssertUnwindSafe(f)).err().expect("no panic");
    assert_eq!(panic.downcast_ref(), Some(&"on purpose"));
}

struct CountsDrops<'a>(&'a AtomicUsize);

impl Drop for CountsDrops<'_> {
    fn drop(&mut self) {
        self.0.fetch_add(1, SeqCst);
    }
}

/// What CPython tests of its `RLock`, by its names.
///
/// Not here is what does not compile: `test_release_unacquired`, `test_release_save_unacquired` and
/// `test_different_thread` ask for errors of releases by a thread that has nothing to release. The
/// documentation of [`RLock`] and [`RLockGuard`] has them as examples that fail to compile.
mod python {
    use super::*;

    #[test]
    fn test_constructor() {
        let drops = AtomicUsize::new(0);
        let lock = RLock::new(CountsDrops(&drops));
        assert!(!lock.is_locked());
        drop(lock);
        assert_eq!(drops.into_inner(), 1);
    }

    #[test]
    fn test_repr() {
        assert_eq!(format!("{:?}", RLock::new(7)), "RLock { depth: 0, value: 7 }");
    }

    #[test]
    fn test_locked_repr() {
        let _limit = limit();
        let lock = RLock::new(7);
        let guard = lock.acquire();
        assert_eq!(format!("{lock:?}"), "RLock { depth: 1, value: 7 }");
        let elsewhere = thread::scope(|s| s.spawn(|| format!("{lock:?}")).join().unwrap());
        assert_eq!(elsewhere, "RLock { depth: 0, value: <locked> }");
        drop(guard);
        assert_untouched(&lock);
    }

    #[test]
    fn test_acquire_destroy() {
        let _limit = limit();
        let drops = AtomicUsize::new(0);
        let lock = RLock::new(CountsDrops(&drops));
        mem::forget(lock.acquire());
        mem::forget(lock.acquire());
        drop(lock);
        assert_eq!(drops.into_inner(), 1);
    }

    #[test]
    fn test_acquire_release() {
        let _limit = limit();
        let lock = RLock::new(1);
        let guard = lock.acquire();
        assert_has(&lock, 1);
        assert_eq!(*guard, 1);
        drop(guard);
        assert_untouched(&lock);
    }

    #[test]
    fn test_try_acquire() {
        let _limit = limit();
        let lock = RLock::new(1);
        let guard = lock.try_acquire().unwrap();
        assert_has(&lock, 1);
        assert_eq!(*guard, 1);
        drop(guard);
        assert_untouched(&lock);
    }

    #[test]
    fn test_try_acquire_contended() {
        let _limit = limit();
        let lock = RLock::new(());
        let _guard = lock.acquire();
        thread::scope(|s| {
            s.spawn(|| {
                assert!(lock.try_acquire().is_none());
                assert_depth(&lock, 0);
            });
        });
        assert_has(&lock, 1);
        assert_eq!(lock.waiters(), 0);
    }

    #[test]
    fn test_acquire_contended() {
        let _limit = limit();
        let lock = RLock::new(Cell::new(0));
        thread::scope(|s| {
            let guard = lock.acquire();
            for count in 1..=THREADS {
                let lock = &lock;
                s.spawn(move || {
                    let guard = lock.acquire();
                    guard.set(guard.get() + 1);
                });
                wait_until(|| lock.waiters() == count);
            }
            assert_eq!(guard.get(), 0);
            drop(guard);
        });
        assert_eq!(lock.acquire().get(), THREADS);
        assert_untouched(&lock);
    }

    #[test]
    fn test_with() {
        let _limit = limit();
        let lock = RLock::new(());
        {
            let _guard = lock.acquire();
            assert_has(&lock, 1);
        }
        assert_untouched(&lock);
        panics(|| {
            let _guard = lock.acquire();
            panic_quietly()
        });
        assert_untouched(&lock);
    }

    #[test]
    fn test_thread_leak() {
        let _limit = limit();
        let lock = RLock::new(Cell::new(0));
        thread::scope(|s| {
            for _ in 0..15 {
                s.spawn(|| {
                    let guard = lock.acquire();
                    guard.set(guard.get() + 1);
                });
            }
        });
        assert_untouched(&lock);
        assert_eq!(lock.into_inner().get(), 15);
    }

    /// What Python refuses, a timeout below zero, not a number or beyond its clock, a `Duration` can not
    /// be, or is no mistake here.
    #[test]
    fn test_timeout() {
        let _limit = limit();
        let lock = RLock::new(());
        assert!(lock.acquire_timeout(Duration::MAX).is_some());
        assert!(lock.acquire_timeout(LONG).is_some());
        let _guard = lock.acquire();
        let timeout = Duration::from_millis(20);
        thread::scope(|s| {
            s.spawn(|| {
                let (taken, elapsed) = timed(|| lock.acquire_timeout(timeout).is_some());
                assert!(!taken);
                assert!(elapsed >= timeout && elapsed < AGES, "gave up after {elapsed:?}");
            });
        });
    }

    #[test]
    fn test_weakref_exists() {
        let _limit = limit();
        let lock = Arc::new(RLock::new(1));
        let weak = Arc::downgrade(&lock);
        assert_eq!(*weak.upgrade().unwrap().acquire_arc(), 1);
    }

    #[test]
    fn test_weakref_deleted() {
        let _limit = limit();
        let lock = Arc::new(RLock::new(1));
        let weak = Arc::downgrade(&lock);
        let guard = lock.acquire_arc();
        drop(lock);
        assert!(weak.upgrade().is_some());
        drop(guard);
        assert!(weak.upgrade().is_none());
    }

    #[test]
    fn test_reacquire() {
        let _limit = limit();
        let lock = RLock::new(());
        let first = lock.acquire();
        let second = lock.acquire();
        drop(second);
        let third = lock.acquire();
        let fourth = lock.acquire();
        assert_has(&lock, 3);
        drop(fourth);
        drop(third);
        assert_has(&lock, 1);
        drop(first);
        assert_untouched(&lock);
    }

    #[test]
    fn test_recursion_count() {
        let _limit = limit();
        let lock = RLock::new(());
        assert_eq!(lock.depth(), 0);
        let first = lock.acquire();
        assert_eq!(lock.depth(), 1);
        let more = [lock.acquire(), lock.acquire()];
        assert_eq!(lock.depth(), 3);
        let [second, third] = more;
        drop(second);
        assert_eq!(lock.depth(), 2);
        drop((first, third));
        assert_eq!(lock.depth(), 0);

        let done = Event::new();
        thread::scope(|s| {
            s.spawn(|| {
                let _guards = [lock.acquire(), lock.acquire()];
                done.wait();
                assert_eq!(lock.depth(), 2);
            });
            wait_until(|| lock.is_locked());
            assert_eq!(lock.depth(), 0);
            done.set();
        });
    }

    #[test]
    #[allow(non_snake_case)]
    fn test__is_owned() {
        let _limit = limit();
        let lock = RLock::new(());
        assert!(!lock.is_owned());
        let first = lock.acquire();
        assert!(lock.is_owned());
        let second = lock.acquire();
        assert!(lock.is_owned());
        assert_eq!(elsewhere(&lock), (false, 0));
        drop(second);
        assert!(lock.is_owned());
        drop(first);
        assert!(!lock.is_owned());
    }
}

// Levels.

type Shared<T> = Arc<RLock<T>>;

/// A guard of any kind.
enum Level<'a> {
    Plain(RLockGuard<'a, Cell<usize>>),
    Mapped(MappedRLockGuard<'a, Cell<usize>>),
    Owned(RLockArcGuard<Cell<usize>>),
}

impl Level<'_> {
    fn value(&self) -> &Cell<usize> {
        match self {
            Self::Plain(guard) => guard,
            Self::Mapped(guard) => guard,
            Self::Owned(guard) => guard,
        }
    }

    fn release_fair(self) {
        match self {
            Self::Plain(guard) => RLockGuard::release_fair(guard),
            Self::Mapped(guard) => MappedRLockGuard::release_fair(guard),
            Self::Owned(guard) => RLockArcGuard::release_fair(guard),
        }
    }
}

type Way = for<'a> fn(&'a Shared<Cell<usize>>, Duration) -> Option<Level<'a>>;

fn mapped<'a>(guard: RLockGuard<'a, Cell<usize>>) -> Level<'a> {
    Level::Mapped(RLockGuard::map(guard, |value| value))
}

/// All the ways to a level. The first two wait for as long as it takes.
const WAYS: [Way; 10] = [
    |lock, _| Some(Level::Plain(lock.acquire())),
    |lock, _| Some(Level::Owned(lock.acquire_arc())),
    |lock, _| lock.try_acquire().map(Level::Plain),
    |lock, timeout| lock.acquire_timeout(timeout).map(Level::Plain),
    |lock, timeout| lock.acquire_deadline(Instant::now() + timeout).map(Level::Plain),
    |lock, _| lock.try_acquire_arc().map(Level::Owned),
    |lock, timeout| lock.acquire_timeout_arc(timeout).map(Level::Owned),
    |lock, timeout| lock.acquire_deadline_arc(Instant::now() + timeout).map(Level::Owned),
    |lock, _| lock.try_acquire().map(mapped),
    |lock, timeout| lock.acquire_timeout(timeout).map(mapped),
];

#[test]
fn each_way_to_a_level_takes_one_and_each_way_out_releases_one() {
    let _limit = limit();
    let lock = Arc::new(RLock::new(Cell::new(0)));
    let outs: [fn(Level<'_>); 2] = [|level| drop(level), |level| level.release_fair()];
    for way in WAYS {
        for out in outs {
            let first = way(&lock, Duration::from_micros(50)).unwrap();
            assert_has(&lock, 1);
            first.value().set(first.value().get() + 1);
            out(first);
            assert_untouched(&lock);
            for second in WAYS {
                let first = way(&lock, Duration::ZERO).unwrap();
                // At once, without any time.
                let second = second(&lock, Duration::ZERO).unwrap();
                assert_depth(&lock, 2);
                assert!(std::ptr::eq(first.value(), second.value()));
                out(first); // in the order in which they were taken
                assert_depth(&lock, 1);
                out(second);
                assert_depth(&lock, 0);
            }
            assert_untouched(&lock);
        }
    }
    assert_eq!(lock.acquire().get(), 2 * WAYS.len());
    assert_eq!(Arc::strong_count(&lock), 1);
}

#[test]
fn the_lock_is_free_after_the_last_of_many_levels() {
    let _limit = limit();
    let lock = RLock::new(());
    let mut guards: VecDeque<_> = (0..100).map(|_| lock.acquire()).collect();
    while guards.len() > 1 {
        let depth = guards.len() as u32;
        assert_depth(&lock, depth);
        drop(if depth % 2 == 0 { guards.pop_front() } else { guards.pop_back() });
        assert_has(&lock, depth - 1);
    }
    guards.clear();
    assert_untouched(&lock);
}

/// However many threads wait, and have waited so long that nobody may overtake them.
#[test]
fn the_owner_gets_its_next_level_at_once() {
    let _limit = limit();
    let lock = Arc::new(RLock::new(Cell::new(0)));
    thread::scope(|s| {
        let _first = lock.acquire();
        for count in 1..=3 {
            let lock = &lock;
            s.spawn(move || drop(lock.acquire()));
            wait_until(|| lock.waiters() == count);
        }
        for way in WAYS {
            assert!(way(&lock, Duration::ZERO).is_some());
            assert_eq!(lock.waiters(), 3);
            assert_depth(&lock, 1);
        }
    });
    assert_untouched(&lock);
}

#[test]
fn a_thread_has_levels_of_several_locks() {
    let _limit = limit();
    let (a, b) = (RLock::new(()), RLock::new(()));
    let first = a.acquire();
    assert_depth(&b, 0);
    assert!(is_free(&b));
    let _second = b.acquire();
    let _third = b.acquire();
    assert_has(&a, 1);
    assert_has(&b, 2);
    drop(first);
    assert_untouched(&a);
    assert_has(&b, 2);
}

/// H33.
#[test]
fn a_panic_releases_the_levels_that_it_passes() {
    let _limit = limit();
    let lock = RLock::new(Cell::new(1));
    let outer = lock.acquire();
    panics(|| {
        let _second = lock.acquire();
        let third = lock.acquire();
        third.set(2);
        panic_quietly()
    });
    assert_has(&lock, 1);
    assert_eq!(outer.get(), 2);
    drop(outer);
    let died = thread::scope(|s| {
        let dies = s.spawn(|| {
            let _guards = [lock.acquire(), lock.acquire()];
            panic_quietly()
        });
        dies.join().is_err()
    });
    assert!(died);
    assert_untouched(&lock);
}

/// H18, H20: as for the lock, and nobody ever takes the levels of another thread for its own.
#[test]
fn whatever_the_ways_in_and_out_one_thread_at_a_time_has_levels() {
    let _limit = limit();
    let rounds = rounds(2_000);
    let lock = Arc::new(RLock::new(Cell::new(0)));
    let taken = thread::scope(|s| {
        let threads: Vec<_> = (0..8)
            .map(|seed| {
                let lock = &lock;
                s.spawn(move || {
                    let mut random = Random::new(seed);
                    (0..rounds).map(|_| enter(lock, &mut random, 0)).sum::<usize>()
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum::<usize>()
    });
    assert_eq!(lock.acquire().get(), taken);
    assert_untouched(&lock);
}

/// Counts itself at each of some levels, each taken and released in one of many ways. Returns how many.
fn enter(lock: &Shared<Cell<usize>>, random: &mut Random, depth: u32) -> usize {
    assert_depth(lock, depth);
    let timeout = Duration::from_micros(random.below(200));
    let way = random.below(WAYS.len() as u64) as usize;
    let Some(level) = WAYS[way](lock, timeout) else {
        assert!(depth == 0 && way > 1, "the owner was refused");
        assert_depth(lock, 0);
        return 0;
    };
    assert_depth(lock, depth + 1);
    let before = level.value().get();
    (0..random.below(60)).for_each(|_| std::hint::spin_loop());
    level.value().set(before + 1);
    let mut count = 1;
    while depth < 3 && random.below(2) == 0 {
        count += enter(lock, random, depth + 1);
    }
    assert_eq!(level.value().get(), before + count);
    assert_depth(lock, depth + 1);
    match random.below(3) {
        0 => level.release_fair(),
        _ => drop(level),
    }
    assert_depth(lock, depth);
    count
}

/// H18: who looks while the lock goes from hand to hand sees that it is not its own.
#[test]
fn those_who_look_on_own_nothing() {
    let _limit = limit();
    let lock = RLock::new(());
    let over = AtomicBool::new(false);
    thread::scope(|s| {
        let players: Vec<_> = (0..2)
            .map(|_| {
                s.spawn(|| {
                    for _ in stress(20_000) {
                        let _outer = lock.acquire();
                        let _inner = lock.acquire();
                        assert_depth(&lock, 2);
                    }
                    assert_depth(&lock, 0);
                })
            })
            .collect();
        s.spawn(|| {
            while !over.load(SeqCst) {
                assert_depth(&lock, 0);
            }
        });
        players.into_iter().for_each(|player| player.join().unwrap());
        over.store(true, SeqCst);
    });
    assert_untouched(&lock);
}

#[test]
fn debug_shows_what_this_thread_has() {
    let _limit = limit();
    let lock = RLock::new(7);
    let first = lock.acquire();
    let second = lock.acquire();
    assert_eq!(format!("{lock:?}"), "RLock { depth: 2, value: 7 }");
    assert_eq!(format!("{first:?} {second}"), "7 7");
    assert_depth(&lock, 2);
}

// Threads that end.

/// H17: the numbers that the system gives, and the addresses of what a thread has, are given again.
#[test]
fn what_a_thread_leaves_taken_belongs_to_no_later_thread() {
    let _limit = limit();
    let lock = RLock::new(());
    thread::scope(|s| {
        let leaks = s.spawn(|| {
            mem::forget(lock.acquire());
            mem::forget(lock.acquire());
            assert_depth(&lock, 2);
        });
        leaks.join().unwrap();
        for _ in 0..rounds(1_000) {
            let later = s.spawn(|| {
                assert_depth(&lock, 0);
                assert!(lock.try_acquire().is_none());
                assert!(lock.acquire_timeout(Duration::ZERO).is_none());
                assert_depth(&lock, 0);
            });
            later.join().unwrap();
        }
    });
    assert!(lock.is_locked());
    assert_eq!(lock.waiters(), 0);
}

/// The owner is known by its number: two threads that ask for theirs at the same moment get two.
#[test]
fn no_two_threads_have_the_same_number() {
    use futon::atomic::thread_id;

    let _limit = limit();
    for _ in 0..rounds(500) {
        let ready = AtomicUsize::new(0);
        let number = || {
            ready.fetch_add(1, SeqCst);
            wait_until(|| ready.load(SeqCst) == 2);
            thread_id()
        };
        let (ours, other) = thread::scope(|s| {
            let other = s.spawn(number);
            let ours = s.spawn(number);
            (ours.join().unwrap(), other.join().unwrap())
        });
        assert_ne!(ours, other);
    }
}

#[test]
fn a_leaked_guard_leaves_the_level_taken_and_the_value_within_reach_of_its_owner() {
    let _limit = limit();
    let mut lock = RLock::new(1);
    mem::forget(lock.acquire());
    drop(lock.acquire());
    assert_has(&lock, 1);
    *lock.get_mut() += 1;
    assert_has(&lock, 1);
    assert_eq!(*lock.acquire(), 2);
    assert_eq!(lock.into_inner(), 2);
}

/// H17, H39: when a thread ends, its thread-locals go one by one, and some of them want a lock.
#[test]
fn the_lock_works_in_the_destructor_of_a_thread_local() {
    /// Tells what it finds; a panic in such a place would end the process.
    struct AtTheEnd(Shared<Cell<u32>>, Arc<Mutex<Vec<u32>>>);

    impl Drop for AtTheEnd {
        fn drop(&mut self) {
            let mut depths = vec![self.0.depth(), u32::from(self.0.is_owned())];
            let outer = self.0.acquire();
            let inner = self.0.acquire_timeout(Duration::ZERO);
            depths.extend([self.0.depth(), u32::from(self.0.is_owned())]);
            drop(inner);
            outer.set(outer.get() + 1);
            depths.push(self.0.depth());
            drop(outer);
            depths.push(self.0.depth());
            *self.1.lock().unwrap() = depths;
        }
    }

    thread_local! {
        static AT_THE_END: RefCell<Option<AtTheEnd>> = const { RefCell::new(None) };
    }

    let _limit = limit();
    let lock = Arc::new(RLock::new(Cell::new(0)));
    for is_known in [false, true] {
        let found = Arc::new(Mutex::new(Vec::new()));
        let at_the_end = AtTheEnd(lock.clone(), found.clone());
        let thread = thread::spawn(move || {
            if is_known {
                drop(at_the_end.0.acquire());
            }
            AT_THE_END.set(Some(at_the_end));
        });
        thread.join().unwrap();
        assert_eq!(*found.lock().unwrap(), [0, 0, 2, 1, 1, 0]);
        assert_untouched(&lock);
    }
    assert_eq!(lock.acquire().get(), 2);
}

#[test]
fn a_guard_in_a_thread_local_is_released_when_the_thread_ends() {
    thread_local! {
        static GUARDS: RefCell<Vec<RLockArcGuard<()>>> = const { RefCell::new(Vec::new()) };
    }

    let _limit = limit();
    let lock = Arc::new(RLock::new(()));
    let theirs = lock.clone();
    let thread = thread::spawn(move || {
        GUARDS.set(vec![theirs.acquire_arc(), theirs.acquire_arc()]);
        assert_has(&theirs, 2);
    });
    thread.join().unwrap();
    assert_untouched(&lock);
    assert_eq!(Arc::strong_count(&lock), 1);
}

/// H12: the last one to have had the lock frees it, while an earlier one may still be in its release.
#[test]
fn the_next_owner_may_free_the_lock_at_once() {
    let _limit = limit();
    let (send, receive) = mpsc::channel::<Page<RLock<Cell<u32>>>>();

    fn leave(lock: Page<RLock<Cell<u32>>>, is_fair: bool) -> bool {
        let outer = lock.acquire();
        let inner = lock.acquire();
        inner.set(inner.get() - 1);
        let is_last = inner.get() == 0;
        drop(inner);
        match is_fair {
            true => RLockGuard::release_fair(outer),
            false => drop(outer),
        }
        if is_last {
            // SAFETY: of the two threads that know of the lock, the other one has left it before this
            // one came. It may not have returned from its release, and that is the point.
            unsafe { lock.free() };
        }
        is_last
    }

    thread::scope(|s| {
        let other =
            s.spawn(move || receive.into_iter().filter(|lock| leave(lock.share(), false)).count());
        let (mut frees, mut made) = (0, 0);
        for round in stress(5_000) {
            made += 1;
            let lock = Page::new(RLock::new(Cell::new(2)));
            let is_fair = round % 4 < 2;
            if round % 2 == 0 {
                let guard = lock.acquire();
                send.send(lock.share()).unwrap();
                // The other one sleeps, or is about to: the release has somebody to wake.
                wait_until(|| lock.waiters() == 1);
                guard.set(guard.get() - 1);
                match is_fair {
                    true => RLockGuard::release_fair(guard),
                    false => drop(guard),
                } // from here on the lock may be gone
            } else {
                send.send(lock.share()).unwrap();
                frees += usize::from(leave(lock, is_fair));
            }
        }
        drop(send);
        assert_eq!(frees + other.join().unwrap(), made);
    });
}

// Time.

#[test]
fn a_timeout_leaves_no_trace() {
    let _limit = limit();
    let lock = Arc::new(RLock::new(Cell::new(0)));
    let guard = lock.acquire();
    thread::scope(|s| {
        s.spawn(|| {
            for micros in [0, 1, 100, 3_000] {
                // The longest of them waits long enough to have counted as starving.
                for way in &WAYS[2..] {
                    assert!(way(&lock, Duration::from_micros(micros)).is_none());
                    assert_depth(&lock, 0);
                    assert_eq!(lock.waiters(), 0);
                }
            }
        });
    });
    assert_has(&lock, 1);
    drop(guard);
    assert_untouched(&lock);
    assert_eq!(Arc::strong_count(&lock), 1);
}

/// H21.
#[test]
fn a_timeout_beyond_the_clock_waits_until_the_lock_is_free() {
    let _limit = limit();
    let last = last_instant();
    let lock = Arc::new(RLock::new(()));
    let gets_it = |acquire: &(dyn Fn() -> bool + Sync)| {
        thread::scope(|s| {
            let guard = lock.acquire();
            assert!(acquire());
            let waiter = s.spawn(acquire);
            wait_until(|| lock.waiters() == 1 || waiter.is_finished());
            drop(guard);
            waiter.join().unwrap()
        })
    };
    for timeout in endless_timeouts() {
        assert!(gets_it(&|| lock.acquire_timeout(timeout).is_some()), "{timeout:?}");
    }
    assert!(gets_it(&|| lock.acquire_timeout_arc(Duration::MAX).is_some()));
    assert!(gets_it(&|| lock.acquire_deadline(last).is_some()));
    assert!(gets_it(&|| lock.acquire_deadline_arc(last).is_some()));
}

/// H25, H26.
#[test]
fn nobody_gives_up_before_the_time_and_without_time_an_acquire_is_a_try() {
    let _limit = limit();
    let lock = Arc::new(RLock::new(()));
    let past = Instant::now();
    let _guard = lock.acquire();
    thread::scope(|s| {
        s.spawn(|| {
            for _ in 0..rounds(100) {
                assert!(lock.acquire_timeout(Duration::ZERO).is_none());
                assert!(lock.acquire_deadline(past).is_none());
                assert!(lock.acquire_timeout_arc(Duration::ZERO).is_none());
                assert!(lock.acquire_deadline_arc(past).is_none());
            }
            let mut random = Random::new(25);
            for _ in stress(50) {
                let timeout = Duration::from_nanos(random.below(2_000_000));
                let (guard, elapsed) = timed(|| lock.acquire_timeout(timeout));
                assert!(guard.is_none() && elapsed >= timeout && elapsed < AGES, "{elapsed:?}");
                let (guard, elapsed) = timed(|| lock.acquire_timeout_arc(timeout));
                assert!(guard.is_none() && elapsed >= timeout && elapsed < AGES, "{elapsed:?}");
                let deadline = Instant::now() + timeout;
                assert!(lock.acquire_deadline(deadline).is_none());
                assert!(Instant::now() >= deadline);
                let deadline = Instant::now() + timeout;
                assert!(lock.acquire_deadline_arc(deadline).is_none());
                assert!(Instant::now() >= deadline);
            }
        });
    });
    assert_eq!(Arc::strong_count(&lock), 1);
}

// What the documentation says.

#[test]
fn waiters_are_those_who_wait_and_not_the_levels() {
    let _limit = limit();
    let lock = RLock::new(());
    thread::scope(|s| {
        let guards = [lock.acquire(), lock.acquire()];
        assert_eq!(lock.waiters(), 0);
        for count in 1..=4 {
            let lock = &lock;
            s.spawn(move || match count {
                1 => drop(lock.acquire_timeout(LONG).unwrap()),
                _ => drop([lock.acquire(), lock.acquire()]),
            });
            wait_until(|| lock.waiters() == count);
            assert_depth(lock, 2);
        }
        drop(guards);
    });
    assert_untouched(&lock);
}

/// The levels below the last one are released to nobody, fairly or not.
#[test]
fn a_fair_release_of_the_last_level_passes_the_lock_to_a_thread_that_waits() {
    let _limit = limit();
    let lock = Arc::new(RLock::new(Cell::new(0)));
    for round in stress(100) {
        let seen = Event::new();
        thread::scope(|s| {
            let way = WAYS[[0, 1, 8][round % 3]];
            let level = way(&lock, Duration::ZERO).unwrap();
            s.spawn(|| {
                let _guard = lock.acquire();
                // Keeps the lock until the other thread has found that it can not have it.
                seen.wait();
            });
            wait_until(|| lock.waiters() == 1);
            way(&lock, Duration::ZERO).unwrap().release_fair();
            assert_depth(&lock, 1);
            assert_eq!(lock.waiters(), 1);

            level.release_fair();
            let overtakes = lock.try_acquire().is_some() || !lock.is_locked();
            let overtakes = overtakes || lock.acquire_timeout(Duration::ZERO).is_some();
            seen.set();
            assert!(!overtakes, "overtook a thread that waits");
            drop(lock.acquire());
        });
        assert_depth(&lock, 0);
        assert!(!lock.is_locked());
    }
    assert_untouched(&lock);
}

/// H39.
#[test]
fn nothing_is_allocated() {
    let _limit = limit();
    let lock = Arc::new(RLock::new(Cell::new(0)));
    assert_eq!(allocations(|| assert!(!RLock::new(0).is_locked())), 0);
    let alone = || {
        for outer in WAYS {
            let _outer = outer(&lock, LONG);
            WAYS.into_iter().for_each(|inner| inner(&lock, LONG).unwrap().release_fair());
            assert!(lock.is_owned() && lock.depth() == 1);
        }
        let mut guard = lock.acquire();
        RLockGuard::unlocked(&mut guard, || ());
    };
    assert_eq!(allocations(alone), 0);
    // Nor the first time that a thread comes here.
    thread::scope(|s| {
        s.spawn(|| assert_eq!(allocations(|| assert!(!lock.is_owned())), 0));
        s.spawn(|| assert_eq!(allocations(|| drop(lock.acquire())), 0));
    });
    thread::scope(|s| {
        let guard = lock.acquire();
        let brief = s.spawn(|| {
            let brief = Duration::from_millis(3);
            assert_eq!(allocations(|| assert!(lock.acquire_timeout(brief).is_none())), 0);
        });
        brief.join().unwrap();
        s.spawn(|| assert_eq!(allocations(|| drop(lock.acquire())), 0));
        s.spawn(|| assert_eq!(allocations(|| drop(lock.acquire_timeout(LONG).unwrap())), 0));
        wait_until(|| lock.waiters() == 2);
        assert_eq!(allocations(|| drop(guard)), 0);
    });
}

#[test]
#[cfg(all(target_os = "linux", target_pointer_width = "64", target_endian = "little", not(miri)))]
fn the_kernel_is_called_once_for_one_sleeper_and_never_without_one() {
    use crate::calls::{Calls, calls_on};
    use futon::futex;

    let _limit = limit();
    let lock = Arc::new(RLock::new(Cell::new(0)));
    let alone = calls_on(&*lock, || {
        for outer in WAYS {
            let _outer = outer(&lock, LONG).unwrap();
            WAYS.into_iter().for_each(|inner| inner(&lock, LONG).unwrap().release_fair());
        }
    });
    assert!(matches!(alone, None | Some(Calls::NONE)), "{alone:?}");

    let lock = RLock::new(());
    let over = AtomicBool::new(false);
    thread::scope(|s| {
        for _ in 0..4 {
            s.spawn(|| {
                wait_until(|| lock.is_locked() || over.load(SeqCst));
                drop(lock.acquire());
            });
        }
        let calls = calls_on(&lock, || {
            let outer = lock.acquire();
            while lock.waiters() < 4 {
                std::hint::spin_loop();
            }
            // A level that is not the last wakes nobody.
            drop([lock.acquire(), lock.acquire()]);
            drop(outer);
        });
        over.store(true, SeqCst);
        // The wake was counted in the place of being made. The word may be anywhere in the lock.
        for word in 0..size_of_val(&lock) / 4 {
            futex::wake((&raw const lock).cast::<futon::atomic::AtomicU32>().wrapping_add(word), 1);
        }
        let expected = Calls { wakes_of_one: 1, ..Calls::NONE };
        assert!(calls.is_none_or(|calls| calls == expected), "{calls:?}");
    });
    assert_untouched(&lock);
}

// Guards of a part.

#[test]
fn a_mapped_guard_is_the_level_that_it_was_made_of() {
    let _limit = limit();
    let lock = RLock::new((1, [2, 3]));
    let part = RLockGuard::map(lock.acquire(), |value| &value.1);
    assert_has(&lock, 1);
    let whole = lock.acquire();
    assert_has(&lock, 2);
    let part = MappedRLockGuard::map(part, |array| &array[1]);
    assert_has(&lock, 2);
    drop(whole);
    assert_has(&lock, 1);
    assert_eq!(format!("{part:?} {part}"), "3 3");
    drop(part);
    assert_untouched(&lock);
}

#[test]
fn a_guard_of_no_part_is_the_guard_as_it_was() {
    let _limit = limit();
    let lock = RLock::new(vec![1, 2]);
    let part = RLockGuard::filter_map(lock.acquire(), |list| list.get(1)).ok().unwrap();
    assert_eq!(*part, 2);
    let part = MappedRLockGuard::filter_map(part, |_| None::<&i32>).err().unwrap();
    assert_eq!(*part, 2);
    assert_has(&lock, 1);
    let part = MappedRLockGuard::filter_map(part, |same| Some(same)).ok().unwrap();
    assert_eq!(*part, 2);
    assert_has(&lock, 1);
    drop(part);
    assert_untouched(&lock);

    let guard = RLockGuard::filter_map(lock.acquire(), |list| list.get(2)).err().unwrap();
    assert_has(&lock, 1);
    assert_eq!(*guard, [1, 2]);
    drop(guard);
    assert_untouched(&lock);
}

/// H33.
#[test]
fn a_panic_on_the_way_to_a_part_releases_the_level() {
    let _limit = limit();
    let lock = RLock::new(1);
    for depth in [0, 1] {
        let _outer = (depth == 1).then(|| lock.acquire());
        let part = || RLockGuard::map(lock.acquire(), |value| value);

        panics(|| RLockGuard::map(lock.acquire(), |_| -> &i32 { panic_quietly() }));
        assert_depth(&lock, depth);
        panics(|| {
            RLockGuard::filter_map(lock.acquire(), |_| -> Option<&i32> { panic_quietly() }).is_ok()
        });
        assert_depth(&lock, depth);
        panics(|| MappedRLockGuard::map(part(), |_| -> &i32 { panic_quietly() }));
        assert_depth(&lock, depth);
        panics(|| {
            MappedRLockGuard::filter_map(part(), |_| -> Option<&i32> { panic_quietly() }).is_ok()
        });
        assert_depth(&lock, depth);
    }
    assert_untouched(&lock);
}

// For a while without the lock.

#[test]
fn unlocked_gives_the_lock_up_and_takes_it_again() {
    let _limit = limit();
    let lock = RLock::new(Cell::new(1));
    let mut guard = lock.acquire();
    let result = RLockGuard::unlocked(&mut guard, || {
        assert_untouched(&lock);
        thread::scope(|s| {
            s.spawn(|| lock.acquire().set(2));
        });
        "result"
    });
    assert_eq!((result, guard.get()), ("result", 2));
    assert_has(&lock, 1);
    drop(guard);
    assert_untouched(&lock);
}

#[test]
fn unlocked_waits_for_whoever_has_the_lock_by_then() {
    let _limit = limit();
    let lock = RLock::new(Cell::new(1));
    thread::scope(|s| {
        let mut guard = lock.acquire();
        RLockGuard::unlocked(&mut guard, || {
            s.spawn(|| {
                let other = lock.acquire();
                wait_until(|| lock.waiters() == 1);
                other.set(2);
            });
            wait_until(|| lock.is_locked());
        });
        assert_eq!(guard.get(), 2);
        assert_depth(&lock, 1);
    });
    assert_untouched(&lock);
}

/// H16: the outer guard's `&T` is in use.
#[test]
fn unlocked_panics_at_any_other_depth_than_one_and_releases_nothing() {
    let _limit = limit();
    let lock = RLock::new(Cell::new(1));
    for depth in [2, 3] {
        let _outer: Vec<_> = (1..depth).map(|_| lock.acquire()).collect();
        let mut guard = lock.acquire();
        let panic = catch_unwind(AssertUnwindSafe(|| {
            RLockGuard::unlocked(&mut guard, || panic!("the lock was released"))
        }));
        let message = panic.unwrap_err().downcast::<String>().unwrap();
        assert!(message.contains(&format!("has {depth} levels")), "{message}");
        assert_has(&lock, depth);
    }
    assert_untouched(&lock);
}

#[test]
fn a_panic_while_unlocked_takes_the_lock_again_first() {
    let _limit = limit();
    let lock = RLock::new(());
    let mut guard = lock.acquire();
    panics(|| RLockGuard::unlocked(&mut guard, || panic_quietly()));
    assert_has(&lock, 1);
    drop(guard);
    assert_untouched(&lock);
}

#[test]
fn a_guard_that_was_made_while_unlocked_may_stay() {
    let _limit = limit();
    let lock = RLock::new(());
    let mut guard = lock.acquire();
    let other = RLockGuard::unlocked(&mut guard, || lock.acquire());
    assert_has(&lock, 2);
    drop(guard);
    assert_has(&lock, 1);
    drop(other);
    assert_untouched(&lock);
}

#[test]
fn all_levels_are_seen_through_one_guard_and_are_not_one_more() {
    let _limit = limit();
    let lock = RLock::new(7);
    let _outer = lock.acquire();
    let mut inner = lock.acquire();
    let all = RLockGuard::all_levels(&mut inner);
    assert_has(&lock, 2);
    assert_eq!(format!("{all:?} {all} {}", *all), "7 7 7");
    drop(all);
    assert_has(&lock, 2);
    drop(inner);
    assert_has(&lock, 1);
}

// Guards that share the ownership.

#[test]
fn the_last_arc_guard_frees_the_lock_and_its_value() {
    let _limit = limit();
    let drops = AtomicUsize::new(0);
    let lock = Arc::new(RLock::new(CountsDrops(&drops)));
    let (first, second) = (lock.acquire_arc(), lock.acquire_arc());
    drop(lock);
    drop(first);
    assert_eq!(drops.load(SeqCst), 0);
    drop(second);
    assert_eq!(drops.load(SeqCst), 1);

    let guard = Arc::new(RLock::new(CountsDrops(&drops))).acquire_arc();
    RLockArcGuard::release_fair(guard);
    assert_eq!(drops.load(SeqCst), 2);
}

#[test]
fn an_arc_guard_shows_its_value() {
    let _limit = limit();
    let guard = Arc::new(RLock::new(7)).acquire_arc();
    assert_eq!(format!("{guard:?} {guard}"), "7 7");
}

#[test]
fn whoever_owns_the_lock_alone_needs_no_locking() {
    let _limit = limit();
    let mut lock = RLock::new(String::from("a"));
    lock.get_mut().push('b');
    assert_eq!(*lock.acquire(), "ab");
    assert_eq!(lock.into_inner(), "ab");
}
