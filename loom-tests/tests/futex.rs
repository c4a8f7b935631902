//! The checker is checked: mistakes that were planted must be found, and the model of the futex keeps the
//! contract of `src/futex.rs`, no more and no less.

mod checking;

use std::sync::Arc;
use std::time::{Duration, Instant};

use checking::{Seen, Unprotected, check_bounded, cost};
use futon_model::atomic::model::{calls, check};
use futon_model::atomic::{AtomicU32, AtomicU64, Ordering::*, yield_now};
use futon_model::deadline::Deadline;
use futon_model::futex::{self, Outcome};
use futon_model::{Event, Lock};
use loom::thread;

fn soon() -> Deadline {
    Deadline::after(Duration::from_secs(1))
}

// Planted mistakes

#[test]
#[should_panic(expected = "deadlock")]
fn finds_a_store_without_a_wake() {
    check(|| {
        let word = Arc::new(AtomicU32::new(0));
        let theirs = word.clone();
        let waiter = thread::spawn(move || {
            while theirs.load(Acquire) == 0 {
                futex::wait(&theirs, 0);
            }
        });
        word.store(1, Release);
        waiter.join().unwrap();
    });
}

#[test]
#[should_panic(expected = "deadlock")]
fn finds_a_wake_before_the_store() {
    check(|| {
        let word = Arc::new(AtomicU32::new(0));
        let theirs = word.clone();
        let waiter = thread::spawn(move || {
            while theirs.load(Acquire) == 0 {
                futex::wait(&theirs, 0);
            }
        });
        futex::wake_all(&*word);
        word.store(1, Release);
        waiter.join().unwrap();
    });
}

#[test]
#[should_panic(expected = "deadlock")]
fn finds_a_sleep_on_a_word_that_was_read_after_the_condition() {
    check(|| {
        let shared = Arc::new((AtomicU32::new(0), AtomicU32::new(0)));
        let theirs = shared.clone();
        let waiter = thread::spawn(move || {
            let (ready, round) = &*theirs;
            while ready.load(Acquire) == 0 {
                // The mistake: to be read before `ready`, or a change between the two goes unnoticed.
                let now = round.load(Relaxed);
                futex::wait(round, now);
            }
        });
        let (ready, round) = &*shared;
        ready.store(1, Release);
        round.fetch_add(1, Relaxed);
        futex::wake_all(round);
        waiter.join().unwrap();
    });
}

#[test]
#[should_panic(expected = "deadlock")]
fn finds_one_wake_for_two_sleepers() {
    check_bounded(2, || {
        let word = Arc::new(AtomicU32::new(0));
        let waiters = [word.clone(), word.clone()].map(|theirs| {
            thread::spawn(move || {
                while theirs.load(Acquire) == 0 {
                    futex::wait(&theirs, 0);
                }
            })
        });
        word.store(1, Release);
        futex::wake_one(&*word);
        waiters.into_iter().for_each(|waiter| waiter.join().unwrap());
    });
}

#[test]
#[should_panic(expected = "deadlock")]
fn finds_a_wake_that_is_left_out_before_the_sleeper_has_said_that_it_sleeps() {
    check(|| {
        let shared = Arc::new((AtomicU32::new(0), AtomicU32::new(0)));
        let theirs = shared.clone();
        let waiter = thread::spawn(move || {
            let (word, sleepers) = &*theirs;
            while word.load(Acquire) == 0 {
                // The mistake: between these two the other thread can do all that it does.
                sleepers.fetch_add(1, Relaxed);
                futex::wait(word, 0);
                sleepers.fetch_sub(1, Relaxed);
            }
        });
        let (word, sleepers) = &*shared;
        // And the other half of it: the load does not see the addition, though that came first.
        word.store(1, Release);
        if sleepers.load(Relaxed) > 0 {
            futex::wake_one(word);
        }
        waiter.join().unwrap();
    });
}

/// A party that sleeps reads the generation after it has arrived, when it may have turned already.
///
/// loom alone does not find this (tokio-rs/loom#392): the load in the loop makes it forget the load
/// before.
#[test]
#[should_panic(expected = "deadlock")]
fn finds_a_barrier_that_reads_its_generation_after_arriving() {
    struct Barrier {
        arrived: AtomicU32,
        generation: AtomicU32,
    }
    impl Barrier {
        fn wait(&self) {
            if self.arrived.fetch_add(1, AcqRel) == 1 {
                self.generation.fetch_add(1, Release);
                futex::wake_all(&self.generation);
            } else {
                let now = self.generation.load(Acquire);
                while self.generation.load(Acquire) == now {
                    futex::wait(&self.generation, now);
                }
            }
        }
    }
    check(|| {
        let barrier = Arc::new(Barrier { arrived: AtomicU32::new(0), generation: AtomicU32::new(0) });
        let theirs = barrier.clone();
        let party = thread::spawn(move || theirs.wait());
        barrier.wait();
        party.join().unwrap();
    });
}

/// loom orders a wake before what the woken thread does. A kernel does not, so that the checker must not
/// be content with it.
#[test]
#[should_panic(expected = "Causality violation")]
fn finds_a_relaxed_load_after_a_wake() {
    check(|| {
        let shared = Arc::new((AtomicU32::new(0), Unprotected::new(0)));
        let theirs = shared.clone();
        let waiter = thread::spawn(move || {
            let (word, value) = &*theirs;
            let mut now = word.load(Acquire);
            while now == 0 {
                futex::wait(word, 0);
                now = word.load(Relaxed);
            }
            value.get()
        });
        let (word, value) = &*shared;
        value.set(1);
        word.store(1, Release);
        futex::wake_all(word);
        waiter.join().unwrap();
    });
}

#[test]
#[should_panic(expected = "Causality violation")]
fn finds_a_relaxed_load_after_a_timed_wake() {
    check(|| {
        let shared = Arc::new((AtomicU32::new(0), Unprotected::new(0)));
        let theirs = shared.clone();
        let waiter = thread::spawn(move || {
            let (word, value) = &*theirs;
            if word.load(Acquire) == 1
                || futex::wait_until(word, 0, soon()) == Outcome::Awake && word.load(Relaxed) == 1
            {
                value.get();
            }
        });
        let (word, value) = &*shared;
        value.set(1);
        word.store(1, Release);
        futex::wake_all(word);
        waiter.join().unwrap();
    });
}

#[test]
#[should_panic(expected = "Causality violation")]
fn finds_a_relaxed_store_before_a_wake() {
    check(|| {
        let shared = Arc::new((AtomicU32::new(0), Unprotected::new(0)));
        let theirs = shared.clone();
        let waiter = thread::spawn(move || {
            let (word, value) = &*theirs;
            while word.load(Acquire) == 0 {
                futex::wait(word, 0);
            }
            value.get()
        });
        let (word, value) = &*shared;
        value.set(1);
        word.store(1, Relaxed);
        futex::wake_all(word);
        waiter.join().unwrap();
    });
}

#[test]
#[should_panic(expected = "nobody has set it")]
fn finds_a_return_taken_for_a_wake() {
    check(|| {
        let word = Arc::new(AtomicU32::new(0));
        let theirs = word.clone();
        let waiter = thread::spawn(move || {
            if theirs.load(Acquire) == 0 {
                futex::wait(&theirs, 0);
            }
            assert_eq!(theirs.load(Acquire), 1, "nobody has set it");
        });
        word.store(1, Release);
        futex::wake_all(&*word);
        waiter.join().unwrap();
    });
}

/// The thread that starts the model is no exception.
#[test]
#[should_panic(expected = "nobody has set it")]
fn finds_a_return_taken_for_a_wake_in_the_first_thread() {
    check(|| {
        let word = Arc::new(AtomicU32::new(0));
        let theirs = word.clone();
        let setter = thread::spawn(move || {
            theirs.store(1, Release);
            futex::wake_all(&*theirs);
        });
        if word.load(Acquire) == 0 {
            futex::wait(&word, 0);
        }
        assert_eq!(word.load(Acquire), 1, "nobody has set it");
        setter.join().unwrap();
    });
}

/// A permit is handed to a thread that has been counted as waiting; its time runs out, and it goes without.
#[test]
#[should_panic(expected = "the permit is lost")]
fn finds_a_gift_to_a_thread_whose_time_has_run_out() {
    const WAITING: u32 = 1;
    const GIVEN: u32 = 2;
    check(|| {
        let word = Arc::new(AtomicU32::new(0));
        let theirs = word.clone();
        let waiter = thread::spawn(move || {
            theirs.store(WAITING, Relaxed);
            while theirs.load(Acquire) == WAITING {
                if futex::wait_until(&theirs, WAITING, soon()) == Outcome::TimedOut {
                    return false; // without another look
                }
            }
            true
        });
        let given = word.compare_exchange(WAITING, GIVEN, Release, Relaxed).is_ok();
        futex::wake_one(&*word);
        assert_eq!(waiter.join().unwrap(), given, "the permit is lost");
    });
}

/// A lock of one bit whose release wakes one thread if any is counted, and a thread that sleeps elsewhere
/// until it is told. Whoever tells it moves it to the lock, at which others are busy.
struct Moving {
    lock: AtomicU32,
    counted: AtomicU32,
    told: AtomicU32,
}

/// The lock is taken at the start. One thread releases it, one tells the sleeper, as `tell` does it.
fn moves_a_sleeper(tell: fn(&Moving)) {
    check_bounded(2, move || {
        let shared = Arc::new(Moving {
            lock: AtomicU32::new(1),
            counted: AtomicU32::new(0),
            told: AtomicU32::new(0),
        });
        // It has a place from its first use on.
        shared.lock.swap(1, Relaxed);
        let theirs = shared.clone();
        let sleeper = thread::spawn(move || {
            while theirs.told.load(Acquire) == 0 {
                futex::wait(&theirs.told, 0);
            }
        });
        let theirs = shared.clone();
        let holder = thread::spawn(move || {
            theirs.lock.swap(0, AcqRel);
            if theirs.counted.fetch_add(0, AcqRel) > 0 {
                futex::wake_one(&theirs.lock);
            }
        });
        tell(&shared);
        sleeper.join().unwrap();
        holder.join().unwrap();
    });
}

/// `told` must be changed before anybody is moved, so that nobody falls asleep there afterwards.
fn told(shared: &Moving) -> bool {
    shared.told.swap(1, Release);
    futex::requeue_one(&shared.told, 1, &shared.lock)
}

#[test]
fn a_sleeper_may_be_moved_to_a_lock_if_the_lock_is_looked_at_afterwards() {
    moves_a_sleeper(|shared| {
        shared.counted.fetch_add(1, AcqRel);
        if !told(shared) {
            futex::wake_one(&shared.told);
        } else if shared.lock.fetch_add(0, AcqRel) == 0 {
            futex::wake_one(&shared.lock);
        }
    });
}

/// The release may have come before, and no other will come.
#[test]
#[should_panic(expected = "deadlock")]
fn finds_a_sleeper_that_is_moved_to_a_lock_that_was_released_before() {
    moves_a_sleeper(|shared| {
        shared.counted.fetch_add(1, AcqRel);
        if !told(shared) {
            futex::wake_one(&shared.told);
        }
    });
}

/// The release finds nobody counted, and so wakes nobody.
#[test]
#[should_panic(expected = "deadlock")]
fn finds_a_sleeper_that_is_moved_before_it_is_counted() {
    moves_a_sleeper(|shared| {
        if !told(shared) {
            futex::wake_one(&shared.told);
        } else if shared.lock.fetch_add(0, AcqRel) == 0 {
            futex::wake_one(&shared.lock);
        }
        shared.counted.fetch_add(1, AcqRel);
    });
}

/// Not each system can move a sleeper, and none is bound to.
#[test]
#[should_panic(expected = "deadlock")]
fn finds_a_sleeper_that_is_left_alone_where_it_can_not_be_moved() {
    moves_a_sleeper(|shared| {
        shared.counted.fetch_add(1, AcqRel);
        if told(shared) && shared.lock.fetch_add(0, AcqRel) == 0 {
            futex::wake_one(&shared.lock);
        }
    });
}

#[test]
#[should_panic(expected = "outside of a model")]
fn says_so_when_there_is_no_model() {
    drop(Lock::new(()).acquire());
}

// A failure is one failure

/// Guards that a failed model unwinds through find that loom does not answer any more. The one failure
/// must not become an abort of the whole program.
#[test]
#[should_panic(expected = "this failure alone")]
fn a_model_that_fails_with_guards_and_sleepers_about_just_fails() {
    check_bounded(1, || {
        let (lock, event) = (Arc::new(Lock::new(())), Arc::new(Event::new()));
        let sleeper = {
            let (lock, event) = (lock.clone(), event.clone());
            thread::spawn(move || {
                let _guard = lock.acquire();
                event.wait();
            })
        };
        let waiter = {
            let lock = lock.clone();
            thread::spawn(move || drop(lock.acquire()))
        };
        while lock.waiters() < 1 || event.waiters() < 1 {
            yield_now();
        }
        let other = Lock::new(());
        let _guard = other.acquire();
        assert!(lock.try_acquire().is_some(), "this failure alone");
        event.set();
        sleeper.join().unwrap();
        waiter.join().unwrap();
    });
}

#[test]
#[should_panic(expected = "deadlock")]
fn a_deadlock_with_guards_about_just_fails() {
    check_bounded(1, || {
        let lock = Arc::new(Lock::new(()));
        let theirs = lock.clone();
        let other = thread::spawn(move || {
            let _guard = theirs.acquire();
            let _again = theirs.acquire();
        });
        let _guard = lock.acquire();
        other.join().unwrap();
    });
}

// Nothing that may happen is left out

/// Two stores, two loads in the other order: all four outcomes. A thread reads an old value even after a
/// newer one was stored, as long as nothing orders the two; the first thread as well as any other.
#[test]
fn a_relaxed_load_may_be_late_in_any_thread() {
    static IN_THE_FIRST: Seen<(u32, u32)> = Seen::new();
    static IN_ANOTHER: Seen<(u32, u32)> = Seen::new();

    type Pair = (AtomicU32, AtomicU32);

    fn stores((x, y): &Pair) {
        x.store(1, Relaxed);
        y.store(1, Relaxed);
    }
    fn loads((x, y): &Pair) -> (u32, u32) {
        let y = y.load(Relaxed);
        (y, x.load(Relaxed))
    }
    fn shared() -> (Arc<Pair>, Arc<Pair>) {
        let shared = Arc::new((AtomicU32::new(0), AtomicU32::new(0)));
        (shared.clone(), shared)
    }

    check(|| {
        let (ours, theirs) = shared();
        let other = thread::spawn(move || stores(&theirs));
        IN_THE_FIRST.add(loads(&ours));
        other.join().unwrap();
    });
    check(|| {
        let (ours, theirs) = shared();
        let other = thread::spawn(move || loads(&theirs));
        stores(&ours);
        IN_ANOTHER.add(other.join().unwrap());
    });
    IN_ANOTHER.assert_is([(0, 0), (0, 1), (1, 0), (1, 1)]);
    IN_THE_FIRST.assert_is([(0, 0), (0, 1), (1, 0), (1, 1)]);
}

#[test]
fn a_wait_may_return_for_no_reason_and_may_be_woken() {
    /// Whether it was for no reason, and how many were woken.
    static IN_THE_FIRST: Seen<(bool, usize)> = Seen::new();
    static IN_ANOTHER: Seen<(bool, usize)> = Seen::new();

    fn waits_once(word: &AtomicU32) -> bool {
        futex::wait(word, 0);
        word.load(Relaxed) == 0
    }
    fn sets(word: &AtomicU32) -> usize {
        word.swap(1, Relaxed);
        futex::wake(word, 1)
    }

    check(|| {
        let word = Arc::new(AtomicU32::new(0));
        let theirs = word.clone();
        let other = thread::spawn(move || sets(&theirs));
        let no_reason = waits_once(&word);
        IN_THE_FIRST.add((no_reason, other.join().unwrap()));
    });
    check(|| {
        let word = Arc::new(AtomicU32::new(0));
        let theirs = word.clone();
        let other = thread::spawn(move || waits_once(&theirs));
        let woken = sets(&word);
        IN_ANOTHER.add((other.join().unwrap(), woken));
    });
    // After a wake a Relaxed load is not late here, though it might be on a real machine: see
    // `finds_a_relaxed_load_after_a_wake` for what makes up for that.
    IN_ANOTHER.assert_is([(false, 0), (false, 1), (true, 0)]);
    IN_THE_FIRST.assert_is([(false, 0), (false, 1), (true, 0)]);
}

#[test]
fn a_timed_wait_may_run_out_and_may_be_woken() {
    static IN_THE_FIRST: Seen<(Outcome, usize)> = Seen::new();
    static IN_ANOTHER: Seen<(Outcome, usize)> = Seen::new();

    check(|| {
        let word = Arc::new(AtomicU32::new(0));
        let theirs = word.clone();
        let other = thread::spawn(move || futex::wake(&*theirs, 1));
        let outcome = futex::wait_until(&word, 0, soon());
        IN_THE_FIRST.add((outcome, other.join().unwrap()));
    });
    check(|| {
        let word = Arc::new(AtomicU32::new(0));
        let theirs = word.clone();
        let other = thread::spawn(move || futex::wait_until(&theirs, 0, soon()));
        let woken = futex::wake(&*word, 1);
        IN_ANOTHER.add((other.join().unwrap(), woken));
    });
    // Whoever has been woken is not timed out as well, and the other way round.
    let all = [(Outcome::Awake, 0), (Outcome::Awake, 1), (Outcome::TimedOut, 0)];
    IN_ANOTHER.assert_is(all);
    IN_THE_FIRST.assert_is(all);
}

#[test]
fn a_wake_comes_before_or_after_a_sleep_though_neither_changes_the_word() {
    static SEEN: Seen<(Outcome, usize)> = Seen::new();
    check(|| {
        let word = Arc::new(AtomicU32::new(0));
        word.swap(7, Relaxed);
        let theirs = word.clone();
        let other = thread::spawn(move || futex::wait_until(&theirs, 7, soon()));
        let woken = futex::wake(&*word, 1);
        SEEN.add((other.join().unwrap(), woken));
    });
    SEEN.assert_is([(Outcome::Awake, 0), (Outcome::Awake, 1), (Outcome::TimedOut, 0)]);
}

#[test]
fn a_timed_wait_may_run_out_before_any_other_thread_goes_on() {
    static SEEN: Seen<(u32, usize)> = Seen::new();
    check(|| {
        let shared = Arc::new((AtomicU32::new(0), AtomicU32::new(0)));
        let theirs = shared.clone();
        let other = thread::spawn(move || {
            let (word, gave_up) = &*theirs;
            if futex::wait_until(word, 0, soon()) == Outcome::TimedOut {
                gave_up.swap(1, Relaxed);
            }
        });
        let gave_up = shared.1.load(Relaxed);
        SEEN.add((gave_up, futex::wake(&shared.0, 1)));
        other.join().unwrap();
    });
    SEEN.assert_is([(0, 0), (0, 1), (1, 0)]);
}

#[test]
fn each_thread_of_three_may_return_for_no_reason_or_run_out() {
    static SEEN: Seen<[Outcome; 3]> = Seen::new();
    check_bounded(2, || {
        let word = Arc::new(AtomicU32::new(0));
        let others = [word.clone(), word.clone()]
            .map(|theirs| thread::spawn(move || futex::wait_until(&theirs, 0, soon())));
        let ours = futex::wait_until(&word, 0, soon());
        let [second, third] = others.map(|other| other.join().unwrap());
        SEEN.add([ours, second, third]);
    });
    use Outcome::{Awake, TimedOut};
    SEEN.assert_is([
        [Awake, Awake, Awake],
        [Awake, Awake, TimedOut],
        [Awake, TimedOut, Awake],
        [Awake, TimedOut, TimedOut],
        [TimedOut, Awake, Awake],
        [TimedOut, Awake, TimedOut],
        [TimedOut, TimedOut, Awake],
        [TimedOut, TimedOut, TimedOut],
    ]);
}

#[test]
fn time_may_go_by_and_may_not() {
    static SEEN: Seen<(bool, bool)> = Seen::new();
    check(|| {
        let goes_by = || futon_model::atomic::Instant::now().elapsed() > Duration::from_secs(1);
        let other = thread::spawn(goes_by);
        let ours = goes_by();
        SEEN.add((ours, other.join().unwrap()));
    });
    SEEN.assert_is([(false, false), (false, true), (true, false), (true, true)]);
}

// The contract of the futex

#[test]
fn a_word_with_another_value_is_not_slept_on_even_past_the_deadline() {
    check(|| {
        let word = AtomicU32::new(1);
        futex::wait(&word, 0);
        assert_eq!(futex::wait_until(&word, 0, soon()), Outcome::Awake);
        assert_eq!(futex::wait_until(&word, 0, Deadline::after(Duration::ZERO)), Outcome::Awake);
        assert_eq!(futex::wait_until(&word, 0, Deadline::at(Instant::now())), Outcome::Awake);
    });
}

#[test]
fn a_deadline_that_has_passed_ends_the_wait_at_once() {
    check(|| {
        let word = AtomicU32::new(7);
        for deadline in [Deadline::after(Duration::ZERO), Deadline::at(Instant::now())] {
            assert_eq!(futex::wait_until(&word, 7, deadline), Outcome::TimedOut);
        }
    });
}

#[test]
#[should_panic(expected = "deadlock")]
fn never_does_not_come() {
    check(|| {
        let word = AtomicU32::new(0);
        loop {
            futex::wait_until(&word, 0, Deadline::after(Duration::MAX));
        }
    });
}

#[test]
fn a_wake_wakes_no_more_than_it_was_told_and_says_how_many() {
    static ONE: Seen<(usize, usize)> = Seen::new();
    static TWO: Seen<usize> = Seen::new();

    fn with_two_sleepers(model: impl Fn(&AtomicU32)) {
        let word = Arc::new(AtomicU32::new(0));
        let sleepers = [false, true].map(|is_timed| {
            let theirs = word.clone();
            thread::spawn(move || {
                while theirs.load(Relaxed) == 0 {
                    match is_timed {
                        true => _ = futex::wait_until(&theirs, 0, soon()),
                        false => futex::wait(&theirs, 0),
                    }
                }
            })
        });
        assert_eq!(futex::wake(&*word, 0), 0);
        model(&word);
        word.swap(1, Relaxed);
        futex::wake_all(&*word);
        sleepers.into_iter().for_each(|sleeper| sleeper.join().unwrap());
    }
    check_bounded(2, || {
        with_two_sleepers(|word| {
            let first = futex::wake(word, 1);
            ONE.add((first, futex::wake(word, 1)));
        });
    });
    check_bounded(2, || with_two_sleepers(|word| TWO.add(futex::wake(word, 5))));

    ONE.assert_is([(0, 0), (0, 1), (1, 0), (1, 1)]);
    TWO.assert_is([0, 1, 2]);
}

#[test]
fn a_wake_at_the_address_of_a_word_that_is_gone_wakes_nobody() {
    check_bounded(3, || {
        let gone = Box::new(AtomicU32::new(0));
        let address = &raw const *gone;
        let other = Arc::new(AtomicU32::new(0));
        let theirs = other.clone();
        let sleeper = thread::spawn(move || {
            while theirs.load(Relaxed) == 0 {
                futex::wait(&theirs, 0);
            }
        });
        gone.store(1, Relaxed);
        drop(gone);
        assert_eq!(futex::wake(address, usize::MAX), 0);
        futex::wake_one(std::ptr::null());
        futex::wake_all(std::ptr::dangling());

        other.swap(1, Relaxed);
        futex::wake_all(&*other);
        sleeper.join().unwrap();
    });
}

/// Two words. A thread sleeps on the first, once, while it holds 0.
fn with_a_sleeper(
    wait: fn(&AtomicU32) -> Outcome,
    model: fn(&AtomicU32, &AtomicU32) -> Moves,
) -> (Outcome, Moves) {
    let words = Arc::new((AtomicU32::new(0), AtomicU32::new(0)));
    // It has a place from its first use on.
    words.1.swap(0, Relaxed);
    let theirs = words.clone();
    let sleeper = thread::spawn(move || wait(&theirs.0));
    let outcome = model(&words.0, &words.1);
    (sleeper.join().unwrap(), outcome)
}

/// Whether the system did it, how many were moved, and how many were then woken at the first word and the
/// second one.
type Moves = (bool, usize, usize, usize);

fn move_and_wake(from: &AtomicU32, to: &AtomicU32) -> Moves {
    let done = futex::requeue_one(from, 0, to);
    let moved = calls().moved;
    let at_first = futex::wake(from, 1);
    (done, moved, at_first, futex::wake(to, 1))
}

#[test]
fn who_was_moved_is_woken_at_the_new_word_and_not_at_the_old_one() {
    use Outcome::{Awake, TimedOut};
    static SEEN: Seen<(Outcome, Moves)> = Seen::new();
    check(|| {
        SEEN.add(with_a_sleeper(|word| futex::wait_until(word, 0, soon()), move_and_wake));
    });
    SEEN.assert_is([
        (Awake, (true, 1, 0, 1)),
        // Not asleep yet, or not any more.
        (Awake, (true, 0, 1, 0)),
        (Awake, (true, 0, 0, 0)),
        (TimedOut, (true, 0, 0, 0)),
        // Refused.
        (Awake, (false, 0, 1, 0)),
        (Awake, (false, 0, 0, 0)),
        (TimedOut, (false, 0, 0, 0)),
    ]);
}

#[test]
fn who_was_moved_may_run_out_of_time_and_is_not_found_there_then() {
    static SEEN: Seen<(Outcome, Moves)> = Seen::new();
    check(|| {
        SEEN.add(with_a_sleeper(
            |word| futex::wait_until(word, 0, soon()),
            |from, to| {
                let done = futex::requeue_one(from, 0, to);
                // Until it has come back by itself, if nothing else can happen.
                (0..3).for_each(|_| yield_now());
                (done, calls().moved, futex::wake(from, 1), futex::wake(to, 1))
            },
        ));
    });
    SEEN.assert_has([(Outcome::TimedOut, (true, 1, 0, 0))]);
}

#[test]
fn a_sleeper_without_a_limit_is_woken_where_it_was_moved_to() {
    static SEEN: Seen<Moves> = Seen::new();
    check(|| {
        let wait = |word: &AtomicU32| {
            while word.load(Relaxed) == 0 {
                futex::wait(word, 0);
            }
            Outcome::Awake
        };
        let (_, outcome) = with_a_sleeper(wait, |from, to| {
            let outcome = move_and_wake(from, to);
            from.swap(1, Relaxed);
            futex::wake_all(from);
            futex::wake_all(to);
            outcome
        });
        SEEN.add(outcome);
    });
    SEEN.assert_is([
        (true, 1, 0, 1),
        (true, 0, 1, 0),
        (true, 0, 0, 0),
        (false, 0, 1, 0),
        (false, 0, 0, 0),
    ]);
}

/// What a wake at one of the words does at the same time comes before the move or after it.
fn moves_while_another_wakes(wake: fn(&(AtomicU32, AtomicU32)) -> usize) -> Arc<Seen<(usize, usize)>> {
    let seen = Arc::new(Seen::new());
    let outcomes = seen.clone();
    check_bounded(2, move || {
        let words = Arc::new((AtomicU32::new(0), AtomicU32::new(0)));
        words.1.swap(0, Relaxed);
        let theirs = words.clone();
        let sleeper = thread::spawn(move || {
            while theirs.0.load(Relaxed) == 0 {
                futex::wait(&theirs.0, 0);
            }
        });
        while calls().waits == 0 {
            yield_now();
        }
        let theirs = words.clone();
        let waker = thread::spawn(move || wake(&theirs));
        _ = futex::requeue_one(&words.0, 0, &words.1);
        outcomes.add((calls().moved, waker.join().unwrap()));
        words.0.swap(1, Relaxed);
        futex::wake_all(&words.0);
        futex::wake_all(&words.1);
        sleeper.join().unwrap();
    });
    seen
}

#[test]
fn a_move_and_a_wake_at_the_new_word_come_one_after_the_other() {
    let seen = moves_while_another_wakes(|words| futex::wake(&words.1, 1));
    seen.assert_is([(0, 0), (1, 0), (1, 1)]);
}

#[test]
fn a_move_and_a_wake_at_the_old_word_come_one_after_the_other() {
    let seen = moves_while_another_wakes(|words| futex::wake(&words.0, 1));
    // The last one has fallen asleep again in between.
    seen.assert_is([(0, 0), (1, 0), (0, 1), (1, 1)]);
}

#[test]
fn a_word_with_another_value_keeps_its_sleeper() {
    check(|| {
        let wait = |word: &AtomicU32| futex::wait_until(word, 0, soon());
        let (_, (done, moved, _, at_second)) = with_a_sleeper(wait, |from, to| {
            let done = futex::requeue_one(from, 1, to);
            (done, calls().moved, futex::wake(from, 1), futex::wake(to, 1))
        });
        assert_eq!((done, moved, at_second), (false, 0, 0));
    });
}

#[test]
fn one_of_two_sleepers_is_moved_and_the_other_one_stays() {
    static SEEN: Seen<[usize; 3]> = Seen::new();
    check_bounded(1, || {
        let words = Arc::new((AtomicU32::new(0), AtomicU32::new(0)));
        words.1.swap(0, Relaxed);
        let sleepers = [(); 2].map(|()| {
            let theirs = words.clone();
            thread::spawn(move || {
                while theirs.0.load(Relaxed) == 0 {
                    futex::wait(&theirs.0, 0);
                }
            })
        });
        while calls().waits < 2 {
            yield_now();
        }
        _ = futex::requeue_one(&words.0, 0, &words.1);
        let moved = calls().moved;
        let (at_first, at_second) = (futex::wake(&words.0, 2), futex::wake(&words.1, 2));
        assert_eq!(at_second, moved);
        SEEN.add([moved, at_first, at_second]);
        words.0.swap(1, Relaxed);
        futex::wake_all(&words.0);
        futex::wake_all(&words.1);
        sleepers.into_iter().for_each(|sleeper| sleeper.join().unwrap());
    });
    SEEN.assert_has([[1, 1, 1], [0, 2, 0], [0, 1, 0]]);
}

#[test]
fn a_word_that_has_moved_keeps_its_value_and_is_woken_where_it_is() {
    check(|| {
        let word = AtomicU32::new(0);
        word.store(7, Relaxed);
        let word = Arc::new(word);
        let theirs = word.clone();
        let sleeper = thread::spawn(move || {
            while theirs.load(Relaxed) == 7 {
                futex::wait(&theirs, 7);
            }
        });
        assert_eq!(word.swap(8, Relaxed), 7);
        futex::wake_all(&*word);
        sleeper.join().unwrap();
    });
}

#[test]
fn what_is_made_in_a_constant_starts_afresh_in_each_execution() {
    static LOCK: Lock<u32> = Lock::new(5);
    static EVENT: Event = Event::new();
    static WORD: AtomicU32 = AtomicU32::new(9);

    check_bounded(3, || {
        assert!(!EVENT.is_set());
        assert!(!LOCK.is_locked());
        assert_eq!(WORD.fetch_add(1, Relaxed), 9);
        let other = thread::spawn(|| {
            *LOCK.acquire() += 1;
            EVENT.set();
            // Stays locked and set at the end of this execution.
            std::mem::forget(LOCK.acquire());
        });
        EVENT.wait();
        other.join().unwrap();
        assert!(LOCK.try_acquire().is_none());
    });
}

// The atomics

macro_rules! has_every_operation_from_any_first_value {
    ($name:ident, $atomic:ident, $int:ident) => {
        #[test]
        fn $name() {
            check(|| {
                for first in [0, 1, 0b1100, $int::MAX - 1, $int::MAX] {
                    let word = $atomic::new(first);
                    assert_eq!(word.load(Relaxed), first);
                    assert_eq!(format!("{word:?}"), format!("{first}"));
                    assert_eq!(word.fetch_and(0b0110, Relaxed), first);
                    assert_eq!(word.fetch_or(0b1001, Relaxed), first & 0b0110);
                    assert_eq!(word.swap($int::MAX, Relaxed), first & 0b0110 | 0b1001);
                    assert_eq!(word.fetch_add(2, Relaxed), $int::MAX);
                    assert_eq!(word.fetch_sub(3, Relaxed), 1);
                    assert_eq!(word.fetch_and($int::MAX - 4, Relaxed), $int::MAX - 1);
                    word.store(3, Relaxed);
                    assert_eq!(word.compare_exchange(4, 5, Relaxed, Relaxed), Err(3));
                    assert_eq!(word.compare_exchange(3, first, Relaxed, Relaxed), Ok(3));
                    assert_eq!(word.compare_exchange_weak(first, 6, Relaxed, Relaxed), Ok(first));
                    assert_eq!(word.load(Relaxed), 6);
                }
            });
        }
    };
}
has_every_operation_from_any_first_value!(a_word_has_every_operation, AtomicU32, u32);
has_every_operation_from_any_first_value!(a_wide_word_has_every_operation, AtomicU64, u64);

#[test]
fn a_bit_that_two_threads_set_at_once_is_set_by_one_of_them() {
    for first in [0, 0b100] {
        check(move || {
            let word = Arc::new(AtomicU32::new(first));
            let theirs = word.clone();
            let other = thread::spawn(move || theirs.fetch_or(0b10, Relaxed));
            let ours = word.fetch_or(0b01, Relaxed);
            let theirs = other.join().unwrap();
            assert!(ours & 0b10 == 0 || theirs & 0b01 == 0);
            assert!(ours & 0b10 != 0 || theirs & 0b01 != 0);
            assert_eq!(word.load(Relaxed), first | 0b11);
        });
    }
}

/// Two threads meet at a word by `fetch_or` and `fetch_and`; the second reads what the first has written.
fn meets(first: u32, or: futon_model::atomic::Ordering, and: futon_model::atomic::Ordering) {
    check(move || {
        let shared = Arc::new((AtomicU32::new(first), Unprotected::new(0)));
        let theirs = shared.clone();
        let other = thread::spawn(move || {
            theirs.1.set(1);
            theirs.0.fetch_or(1, or);
        });
        if shared.0.fetch_and(!2, and) & 1 != 0 {
            assert_eq!(shared.1.get(), 1);
        }
        other.join().unwrap();
    });
}

#[test]
fn bitwise_operations_order_as_they_are_told() {
    meets(0, Release, Acquire);
    meets(8, Release, Acquire);
}

#[test]
#[should_panic(expected = "Causality violation")]
fn finds_a_bitwise_operation_that_does_not_publish() {
    meets(8, Relaxed, Acquire);
}

#[test]
#[should_panic(expected = "Causality violation")]
fn finds_a_bitwise_operation_that_does_not_see() {
    meets(8, Release, Relaxed);
}

/// What an algorithm costs is counted in these.
#[test]
fn each_operation_is_counted_once_as_what_it_is() {
    for first in [0, 5] {
        check(move || {
            let (narrow, wide) = (AtomicU32::new(first), AtomicU64::new(first.into()));
            let loads = || _ = (narrow.load(Relaxed), wide.load(Acquire));
            let stores = || (narrow.store(2, Relaxed), wide.store(2, Release)).0;
            assert_eq!((cost(loads), cost(stores)), ((2, 0, 0), (0, 2, 0)));
            assert_eq!(cost(|| _ = (narrow.swap(1, AcqRel), wide.swap(1, Relaxed))), (0, 0, 2));
            assert_eq!(
                cost(|| _ = (narrow.fetch_add(1, Relaxed), narrow.fetch_sub(1, Relaxed))),
                (0, 0, 2)
            );
            assert_eq!(
                cost(|| _ = (narrow.fetch_or(6, Relaxed), narrow.fetch_and(3, Relaxed))),
                (0, 0, 2)
            );
            let in_vain = || _ = narrow.compare_exchange(9, 1, Acquire, Relaxed).unwrap_err();
            let not_in_vain = || _ = wide.compare_exchange_weak(1, 9, Acquire, Relaxed).unwrap();
            assert_eq!((cost(in_vain), cost(not_in_vain)), ((0, 0, 1), (0, 0, 1)));
            assert_eq!(cost(|| futex::wake_all(&narrow)), (0, 0, 0));
        });
    }
}

#[test]
fn no_two_threads_have_the_same_number() {
    check_bounded(2, || {
        let others = [(); 2].map(|()| thread::spawn(futon_model::atomic::thread_id));
        let ours = futon_model::atomic::thread_id();
        let [second, third] = others.map(|other| other.join().unwrap());
        assert!(ours != 0 && second != 0 && third != 0);
        assert!(ours != second && second != third && third != ours);
        assert_eq!(ours, futon_model::atomic::thread_id());
    });
}
