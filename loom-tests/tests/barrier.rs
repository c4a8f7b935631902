//! The barrier, sentence by sentence of its contract.

mod checking;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use checking::{Seen, Slot, Unprotected, check_bounded};
use futon_model::atomic::model::{Calls, calls, check};
use futon_model::atomic::{AtomicU32, Ordering::Relaxed, yield_now};
use futon_model::{Barrier, BarrierWaitResult, BrokenBarrier};
use loom::thread;

const SOON: Duration = Duration::from_secs(1);

type Waited = Result<BarrierWaitResult, BrokenBarrier>;

/// What breaks a barrier, and whether it stays broken or the like.
type End<A> = (fn(&Barrier<A>), bool);

/// A barrier with an action that may use the barrier.
type Acting = Barrier<Action>;
type Action = Box<dyn Fn() + Send + Sync>;

fn acting(parties: u32, action: impl Fn(&Acting) + Send + Sync + 'static) -> Arc<Acting> {
    Arc::new_cyclic(|barrier: &Weak<Acting>| {
        let barrier = barrier.clone();
        let action = move || action(&barrier.upgrade().unwrap());
        Barrier::with_action(parties, Box::new(action) as Action)
    })
}

/// The same, with an action that does something the first time and nothing later.
fn acting_once(parties: u32, action: impl Fn(&Acting) + Send + Sync + 'static) -> Arc<Acting> {
    let runs = AtomicU32::new(0);
    acting(parties, move |barrier| {
        if runs.fetch_add(1, Relaxed) == 0 {
            action(barrier);
        }
    })
}

/// A panic without the message.
fn panic_quietly() -> ! {
    resume_unwind(Box::new(()))
}

/// What a thread does with what all share. It is told its number.
type Way<S, R> = fn(&S, usize) -> R;

/// Runs each way on a thread of its own, and `ours` on this one.
fn beside<S: Send + Sync + 'static, R: 'static, const N: usize>(
    shared: &Arc<S>,
    ways: [Way<S, R>; N],
    ours: impl FnOnce(&S),
) -> [R; N] {
    let mut number = 0;
    let others = ways.map(|way| {
        let (shared, ours) = (shared.clone(), number);
        number += 1;
        thread::spawn(move || way(&shared, ours))
    });
    ours(shared);
    others.map(|other| other.join().unwrap())
}

/// Runs each way on a thread of its own, the last one on this one.
fn together<S: Send + Sync + 'static, R: Copy + 'static, const N: usize>(
    shared: &Arc<S>,
    ways: [Way<S, R>; N],
) -> [R; N] {
    let [others @ .., last] = &ways[..] else { unreachable!() };
    let others: Vec<_> = (0..others.len())
        .map(|number| {
            let shared = shared.clone();
            thread::spawn(move || ways[number](&shared, number))
        })
        .collect();
    let last = last(shared, N - 1);
    let mut others = others.into_iter();
    std::array::from_fn(|_| others.next().map_or(last, |other| other.join().unwrap()))
}

fn wait<A: Fn()>(barrier: &Barrier<A>, _: usize) -> Waited {
    barrier.wait()
}

fn wait_timeout<A: Fn()>(barrier: &Barrier<A>, _: usize) -> Waited {
    barrier.wait_timeout(SOON)
}

fn wait_deadline<A: Fn()>(barrier: &Barrier<A>, _: usize) -> Waited {
    barrier.wait_deadline(Instant::now() + SOON)
}

/// Comes again if it has failed.
fn wait_until_passed<A: Fn()>(barrier: &Barrier<A>, _: usize) -> Waited {
    loop {
        let result = barrier.wait();
        if result.is_ok() {
            return result;
        }
    }
}

/// `None` if this thread ran the action, and it panicked.
fn wait_for_a_panic<A: Fn()>(barrier: &Barrier<A>, _: usize) -> Option<Waited> {
    catch_unwind(AssertUnwindSafe(|| barrier.wait())).ok()
}

/// All have passed, as one round, or none has. Returns which.
#[track_caller]
fn all_or_none<const N: usize>(results: [Waited; N]) -> bool {
    let passed = results.iter().flatten();
    let count = passed.clone().count();
    assert!(count == 0 || count == N, "{results:?}");
    let mut indices: Vec<_> = passed.clone().map(|arrival| arrival.index() as usize).collect();
    indices.sort_unstable();
    assert!(indices.into_iter().eq(0..count), "{results:?}");
    for arrival in passed {
        assert_eq!(arrival.is_leader(), arrival.index() as usize == N - 1);
    }
    count == N
}

/// Nobody waits, and nothing is left of those who did.
#[track_caller]
fn assert_left<A: Fn()>(barrier: &Barrier<A>, is_broken: bool) {
    assert_eq!((barrier.waiting(), barrier.waiters()), (0, 0));
    assert_eq!(barrier.is_broken(), is_broken);
}

fn until_waiting<A: Fn()>(barrier: &Barrier<A>, threads: usize) {
    while barrier.waiters() < threads {
        yield_now();
    }
}

// All of a round go on together, and see what each has done

/// A barrier, and a number of each thread.
type Numbers = (Barrier, [Unprotected; 3]);

fn numbers(parties: u32) -> Arc<Numbers> {
    Arc::new((Barrier::new(parties), [(); 3].map(|()| Unprotected::new(0))))
}

/// Writes its own number before each round and reads all of them after it. The next round is for all to have read.
fn write_and_read(rounds: u32, (barrier, numbers): &Numbers, number: usize) {
    for round in 1..=rounds {
        numbers[number].set(round);
        barrier.wait().unwrap();
        for theirs in &numbers[..barrier.parties() as usize] {
            assert_eq!(theirs.get(), round);
        }
        if round < rounds {
            barrier.wait().unwrap();
        }
    }
}

#[test]
fn two_threads_pass_together_and_see_what_both_did() {
    check_bounded(4, || {
        let shared = numbers(2);
        together(&shared, [|shared, number| write_and_read(1, shared, number); 2]);
        assert_left(&shared.0, false);
    });
}

#[test]
fn two_threads_pass_again_and_again() {
    check_bounded(2, || {
        let shared = numbers(2);
        together(&shared, [|shared, number| write_and_read(2, shared, number); 2]);
        assert_left(&shared.0, false);
    });
}

#[test]
fn three_threads_pass_together_and_see_what_all_did() {
    check_bounded(2, || {
        let shared = numbers(3);
        together(&shared, [|shared, number| write_and_read(1, shared, number); 3]);
        assert_left(&shared.0, false);
    });
}

#[test]
fn three_threads_pass_again_and_again() {
    check_bounded(1, || {
        let shared = numbers(3);
        together(&shared, [|shared, number| write_and_read(2, shared, number); 3]);
        assert_left(&shared.0, false);
    });
}

#[test]
fn each_of_a_round_has_another_number_and_the_last_is_the_leader() {
    check_bounded(3, || {
        let barrier = Arc::new(Barrier::new(2));
        assert!(all_or_none(together(&barrier, [wait; 2])));
        assert_left(&barrier, false);
    });
    check_bounded(1, || {
        let barrier = Arc::new(Barrier::new(4));
        assert!(all_or_none(together(&barrier, [wait; 4])));
        assert_left(&barrier, false);
    });
}

#[test]
fn one_alone_passes_a_barrier_for_one() {
    check(|| {
        let barrier = Arc::new(Barrier::new(1));
        for way in [wait, wait_timeout, wait_deadline, wait] {
            assert!(all_or_none([way(&barrier, 0)]));
            assert_left(&barrier, false);
        }
        barrier.wait_timeout(Duration::ZERO).unwrap();
    });
}

#[test]
fn of_four_threads_at_a_barrier_for_two_each_passes_with_another() {
    check_bounded(1, || {
        let barrier = Arc::new(Barrier::new(2));
        let results = together(&barrier, [wait; 4]);
        let mut indices = results.map(|result| result.unwrap().index());
        indices.sort_unstable();
        assert_eq!(indices, [0, 0, 1, 1]);
        assert_left(&barrier, false);
    });
}

/// The third is of the next round, also if it comes while the action of this one runs.
#[test]
fn of_three_threads_at_a_barrier_for_two_one_is_left() {
    fn model<A: Fn() + Send + Sync + 'static>(make: fn() -> Arc<Barrier<A>>) {
        check_bounded(1, move || {
            let barrier = make();
            let passes = Arc::new(AtomicU32::new(0));
            let others = [(); 3].map(|()| {
                let (barrier, passes) = (barrier.clone(), passes.clone());
                thread::spawn(move || {
                    let result = barrier.wait();
                    passes.fetch_add(u32::from(result.is_ok()), Relaxed);
                    result
                })
            });
            while passes.load(Relaxed) < 2 {
                yield_now();
            }
            barrier.abort();
            let results = others.map(|other| other.join().unwrap());
            assert_eq!(results.iter().flatten().count(), 2);
            assert_left(&barrier, true);
        });
    }
    model(|| Arc::new(Barrier::new(2)));
    model(|| acting(2, |_| yield_now()));
}

// Time

#[test]
fn a_time_that_runs_out_is_over_for_both() {
    let timed: Way<Barrier, Waited> = wait_timeout;
    for ways in [[timed, wait], [wait_deadline, wait], [timed, timed]] {
        static SEEN: Seen<bool> = Seen::new();
        check_bounded(2, move || {
            let barrier = Arc::new(Barrier::new(2));
            let all = all_or_none(together(&barrier, ways));
            assert_left(&barrier, !all);
            SEEN.add(all);
        });
        SEEN.assert_is([true, false]);
    }
}

#[test]
fn a_time_that_runs_out_is_over_for_all_three() {
    static SEEN: Seen<bool> = Seen::new();
    for ways in [[wait_timeout, wait, wait], [wait_timeout, wait_timeout, wait]] {
        check_bounded(1, move || {
            let barrier = Arc::new(Barrier::new(3));
            let all = all_or_none(together(&barrier, ways));
            assert_left(&barrier, !all);
            SEEN.add(all);
        });
    }
    SEEN.assert_is([true, false]);
}

#[test]
fn two_whose_time_runs_out_at_once_break_the_barrier_together() {
    check_bounded(2, || {
        let barrier = Arc::new(Barrier::new(3));
        assert!(!all_or_none(together(&barrier, [wait_timeout; 2])));
        assert_left(&barrier, true);
    });
}

#[test]
fn a_time_runs_out_where_nobody_comes() {
    check(|| {
        let barrier = Arc::new(Barrier::new(2));
        for way in [wait_timeout, wait_deadline] {
            assert!(way(&barrier, 0).is_err());
            assert_left(&barrier, true);
            assert!(barrier.wait().is_err());
            barrier.reset();
        }
    });
}

#[test]
fn without_time_the_last_one_passes() {
    check_bounded(3, || {
        let barrier = Arc::new(Barrier::new(2));
        let [other] = beside(&barrier, [wait], |barrier| {
            until_waiting(barrier, 1);
            assert!(barrier.wait_timeout(Duration::ZERO).unwrap().is_leader());
        });
        assert_eq!(other.unwrap().index(), 0);
    });
}

#[test]
fn the_longest_timeout_does_not_run_out() {
    check_bounded(3, || {
        let barrier = Arc::new(Barrier::new(2));
        let way: Way<Barrier, Waited> = |barrier, _| barrier.wait_timeout(Duration::MAX);
        assert!(all_or_none(together(&barrier, [way; 2])));
    });
}

// Abort and reset

type WithANumber = (Barrier, Unprotected);

/// Breaks the barrier while one other thread waits, or before it comes.
fn broken_by(end: fn(&Barrier), first_waits: bool) {
    check_bounded(3, move || {
        let shared: Arc<WithANumber> = Arc::new((Barrier::new(3), Unprotected::new(0)));
        let way: Way<WithANumber, ()> = |(barrier, number), _| {
            assert!(barrier.wait().is_err());
            assert_eq!(number.get(), 1);
        };
        beside(&shared, [way], |(barrier, number)| {
            if first_waits {
                until_waiting(barrier, 1);
                assert_eq!(barrier.waiting(), 1);
            }
            number.set(1);
            end(barrier);
        });
        assert_eq!((shared.0.waiting(), shared.0.waiters()), (0, 0));
    });
}

#[test]
fn who_fails_sees_what_came_before_the_end() {
    broken_by(Barrier::abort, false);
    broken_by(|barrier| assert!(barrier.wait_timeout(Duration::ZERO).is_err()), false);
    // The threads that are counted as waiting are those that fail, whatever follows.
    broken_by(Barrier::reset, true);
    broken_by(
        |barrier| {
            barrier.abort();
            barrier.reset();
        },
        true,
    );
}

#[test]
fn who_finds_a_waiter_counted_sees_what_it_did_before() {
    check_bounded(3, || {
        let shared: Arc<WithANumber> = Arc::new((Barrier::new(2), Unprotected::new(0)));
        let way: Way<WithANumber, ()> = |(barrier, number), _| {
            number.set(1);
            assert!(barrier.wait().is_err());
        };
        beside(&shared, [way], |(barrier, number)| {
            until_waiting(barrier, 1);
            assert_eq!(number.get(), 1);
            barrier.abort();
        });
    });
}

#[test]
fn an_abort_comes_before_a_round_is_complete_or_after() {
    static SEEN: Seen<bool> = Seen::new();
    for way in [wait as Way<Barrier, Waited>, wait_timeout] {
        check_bounded(2, move || {
            let barrier = Arc::new(Barrier::new(2));
            SEEN.add(all_or_none(beside(&barrier, [way, wait], Barrier::abort)));
            assert_left(&barrier, true);
        });
    }
    SEEN.assert_is([true, false]);
}

#[test]
fn after_a_reset_those_who_have_failed_pass() {
    check_bounded(2, || {
        let barrier = Arc::new(Barrier::new(2));
        assert!(all_or_none(beside(&barrier, [wait_until_passed; 2], Barrier::reset)));
        assert_left(&barrier, false);
    });
}

#[test]
fn aborts_and_resets_at_once_leave_one_or_the_other() {
    static SEEN: Seen<bool> = Seen::new();
    check_bounded(2, || {
        let barrier = Arc::new(Barrier::new(2));
        let ways: [Way<Barrier, ()>; 2] =
            [|barrier, _| _ = barrier.wait_timeout(SOON).unwrap_err(), |barrier, _| barrier.abort()];
        beside(&barrier, ways, Barrier::reset);
        assert_eq!((barrier.waiting(), barrier.waiters()), (0, 0));
        SEEN.add(barrier.is_broken());
    });
    SEEN.assert_is([true, false]);
}

#[test]
fn an_end_and_a_time_that_runs_out_let_one_fail_once() {
    static SEEN: Seen<(bool, bool)> = Seen::new();
    for (is_reset, end) in [(false, Barrier::abort as fn(&Barrier)), (true, Barrier::reset)] {
        check_bounded(3, move || {
            let barrier = Arc::new(Barrier::new(2));
            let [result] = beside(&barrier, [wait_timeout], end);
            assert!(result.is_err());
            assert_eq!((barrier.waiting(), barrier.waiters()), (0, 0));
            SEEN.add((is_reset, barrier.is_broken()));
        });
    }
    SEEN.assert_is([(false, true), (true, true), (true, false)]);
}

// The action

/// Three numbers: of two threads, and of the action.
type WithTheSum = (Acting, Arc<[Unprotected; 3]>);

#[test]
fn an_action_sees_what_all_did_and_all_see_what_it_did() {
    fn way((barrier, numbers): &WithTheSum, number: usize) {
        numbers[number].set(1);
        barrier.wait().unwrap();
        assert_eq!(numbers[2].get(), 2);
        assert_eq!(numbers[1 - number].get(), 1);
    }
    check_bounded(3, || {
        let numbers = Arc::new([(); 3].map(|()| Unprotected::new(0)));
        let theirs = numbers.clone();
        let action = move || theirs[2].set(theirs[0].get() + theirs[1].get());
        let barrier: Acting = Barrier::with_action(2, Box::new(action));
        let shared: Arc<WithTheSum> = Arc::new((barrier, numbers));
        together(&shared, [way; 2]);
        assert_left(&shared.0, false);
    });
}

#[test]
fn an_action_runs_once_a_round() {
    check_bounded(2, || {
        let runs = Arc::new(Unprotected::new(0));
        let counts = runs.clone();
        let barrier = acting(2, move |_| counts.add_one());
        let way: Way<Acting, ()> = |barrier, _| (0..2).for_each(|_| _ = barrier.wait().unwrap());
        together(&barrier, [way; 2]);
        assert_eq!(runs.get(), 2);
        assert_left(&barrier, false);
    });
    check_bounded(1, || {
        let runs = Arc::new(Unprotected::new(0));
        let counts = runs.clone();
        let barrier = acting(3, move |_| counts.add_one());
        assert!(all_or_none(together(&barrier, [wait; 3])));
        assert_eq!(runs.get(), 1);
    });
}

#[test]
fn an_action_that_panics_lets_all_others_fail() {
    check_bounded(3, || {
        let number = Arc::new(Unprotected::new(0));
        let theirs = number.clone();
        let barrier = acting(2, move |_| {
            theirs.set(1);
            panic_quietly();
        });
        let shared = Arc::new((barrier, number));
        let way: Way<(Arc<Acting>, Arc<Unprotected>), bool> = |(barrier, number), _| {
            let result = wait_for_a_panic(barrier, 0);
            assert_eq!(number.get(), 1);
            result.is_none_or(|result| result.is_ok())
        };
        let mut panicked = together(&shared, [way; 2]);
        panicked.sort_unstable();
        assert_eq!(panicked, [false, true]);
        assert_left(&shared.0, true);
    });
}

/// Also those of another round.
#[test]
fn an_action_that_panics_lets_those_of_the_next_round_fail() {
    check_bounded(1, || {
        let barrier = acting(2, |_| panic_quietly());
        let results = together(&barrier, [wait_for_a_panic; 3]);
        assert_eq!(results.iter().filter(|result| result.is_none()).count(), 1);
        assert!(results.iter().flatten().all(Result::is_err));
        assert_left(&barrier, true);
    });
}

#[test]
fn an_action_that_panics_after_a_reset_does_not_break_the_barrier_again() {
    check_bounded(2, || {
        let barrier = acting_once(2, |barrier| {
            barrier.reset();
            panic_quietly();
        });
        let results = together(&barrier, [wait_for_a_panic; 2]);
        assert_eq!(results.iter().filter(|result| result.is_none()).count(), 1);
        assert!(results.iter().flatten().all(Result::is_err));
        assert_left(&barrier, false);
        assert!(all_or_none(together(&barrier, [wait; 2])));
    });
}

#[test]
fn an_action_that_breaks_its_barrier_lets_all_fail() {
    let ends: [End<Action>; 5] = [
        (Barrier::abort, true),
        (Barrier::reset, false),
        (|barrier| (barrier.abort(), barrier.reset()).0, false),
        (|barrier| (barrier.reset(), barrier.abort()).0, true),
        (|barrier| assert!(barrier.wait_timeout(SOON).is_err()), true),
    ];
    for (end, is_broken) in ends {
        check_bounded(2, move || {
            let barrier = acting_once(2, end);
            assert!(!all_or_none(together(&barrier, [wait; 2])));
            assert_left(&barrier, is_broken);
        });
    }
}

#[test]
fn an_action_may_look_at_its_barrier() {
    check_bounded(2, || {
        let barrier = acting(2, |barrier| {
            assert_eq!((barrier.waiting(), barrier.waiters(), barrier.parties()), (0, 1, 2));
            assert!(!barrier.is_broken());
        });
        assert!(all_or_none(together(&barrier, [wait; 2])));
    });
}

/// It counts in the next round, and of four arrivals each passes with another.
#[test]
fn an_action_may_wait() {
    check_bounded(1, || {
        let barrier = acting_once(2, |barrier| _ = barrier.wait().unwrap());
        let results = together(&barrier, [wait; 3]);
        assert!(results.iter().all(Result::is_ok), "{results:?}");
        assert_left(&barrier, false);
    });
}

#[test]
fn a_time_that_runs_out_while_the_action_runs_is_over_for_all() {
    static SEEN: Seen<(u32, bool)> = Seen::new();
    check_bounded(3, || {
        let runs = Arc::new(AtomicU32::new(0));
        let counts = runs.clone();
        let barrier = acting(2, move |_| _ = counts.fetch_add(1, Relaxed));
        let all = all_or_none(together(&barrier, [wait_timeout, wait]));
        assert_left(&barrier, !all);
        SEEN.add((runs.load(Relaxed), all));
    });
    SEEN.assert_is([(1, true), (1, false), (0, false)]);
}

#[test]
fn an_abort_comes_before_the_action_is_done_or_after() {
    static SEEN: Seen<(u32, bool)> = Seen::new();
    check_bounded(2, || {
        let runs = Arc::new(AtomicU32::new(0));
        let counts = runs.clone();
        let barrier = acting(2, move |_| _ = counts.fetch_add(1, Relaxed));
        let all = all_or_none(beside(&barrier, [wait; 2], Barrier::abort));
        assert_left(&barrier, true);
        SEEN.add((runs.load(Relaxed), all));
    });
    SEEN.assert_is([(1, true), (1, false), (0, false)]);
}

#[test]
fn after_a_reset_while_the_action_runs_those_who_have_failed_pass() {
    static SEEN: Seen<u32> = Seen::new();
    check_bounded(2, || {
        let runs = Arc::new(AtomicU32::new(0));
        let counts = runs.clone();
        let barrier = acting(2, move |_| _ = counts.fetch_add(1, Relaxed));
        assert!(all_or_none(beside(&barrier, [wait_until_passed; 2], Barrier::reset)));
        assert_left(&barrier, false);
        SEEN.add(runs.load(Relaxed));
    });
    SEEN.assert_is([1, 2]);
}

// Nothing is touched afterwards

/// The one that has arrived as the given number frees the barrier, if all have passed.
fn freed_by<A: Fn() + Send + Sync + 'static, const N: usize>(
    preemptions: usize,
    index: u32,
    make: fn(u32) -> Barrier<A>,
    ways: [Way<Barrier<A>, Waited>; N],
) {
    check_bounded(preemptions, move || {
        let slot = Arc::new(Slot::new(make(N as u32)));
        let threads = ways.map(|way| {
            let slot = slot.clone();
            thread::spawn(move || {
                let result = way(slot.get(), 0);
                if result.is_ok_and(|arrival| arrival.index() == index) {
                    // The others may not be through with their waits yet.
                    slot.free();
                }
                result
            })
        });
        if !all_or_none(threads.map(|thread| thread.join().unwrap())) {
            slot.free();
        }
    });
}

#[test]
fn a_barrier_may_be_freed_by_any_thread_that_has_passed() {
    for index in 0..2 {
        freed_by(3, index, Barrier::new, [wait; 2]);
        freed_by(2, index, |parties| Barrier::with_action(parties, || ()), [wait; 2]);
    }
    for index in 0..3 {
        freed_by(1, index, Barrier::new, [wait; 3]);
    }
}

/// The leader may come while the other one is on its way out, and go before that is through.
#[test]
fn a_barrier_may_be_freed_while_a_time_runs_out() {
    freed_by(2, 0, Barrier::new, [wait_timeout, wait]);
    freed_by(3, 1, Barrier::new, [wait_timeout, wait]);
}

#[test]
fn a_barrier_may_be_freed_while_the_time_of_one_of_three_runs_out() {
    for index in 0..3 {
        freed_by(1, index, Barrier::new, [wait_timeout, wait, wait]);
    }
    for index in 0..2 {
        freed_by(1, index, |parties| Barrier::with_action(parties, || ()), [wait_timeout, wait]);
    }
}

#[test]
fn a_barrier_may_be_freed_by_a_thread_that_fails() {
    let ends: [End<fn()>; 3] = [
        (Barrier::abort, false),
        (Barrier::reset, true),
        (|barrier| assert!(barrier.wait_timeout(SOON).is_err()), false),
    ];
    for (end, first_waits) in ends {
        check_bounded(2, move || {
            let slot = Arc::new(Slot::new(Barrier::new(3)));
            let way: Way<Slot<Barrier>, ()> = |slot, _| {
                assert!(slot.get().wait().is_err());
                // The other thread may not be through with what has ended this wait.
                slot.free();
            };
            beside(&slot, [way], |slot| {
                if first_waits {
                    until_waiting(slot.get(), 1);
                }
                end(slot.get());
            });
        });
    }
}

// What it shows

#[test]
fn showing_it_waits_for_nobody() {
    static SHOWN: Seen<String> = Seen::new();
    check(|| {
        let barrier = Arc::new(Barrier::new(1));
        let theirs = barrier.clone();
        let other = thread::spawn(move || theirs.wait().is_ok());
        SHOWN.add(format!("{barrier:?}"));
        assert!(other.join().unwrap());
    });
    SHOWN.assert_is([
        "Barrier { waiting: 0, parties: 1, is_broken: false }".to_owned(),
        "Barrier { waiting: <locked>, parties: 1, is_broken: <locked> }".to_owned(),
    ]);
}

// No call of the futex without need

#[test]
fn a_barrier_where_nobody_sleeps_calls_nobody() {
    check(|| {
        let barrier = Barrier::with_action(1, || ());
        for _ in 0..2 {
            barrier.wait().unwrap();
            barrier.wait_timeout(Duration::ZERO).unwrap();
            barrier.abort();
            assert!(barrier.wait().is_err());
            barrier.reset();
        }
        assert_eq!(calls(), Calls::default());
    });
}

#[test]
fn who_does_not_sleep_is_not_woken() {
    check_bounded(3, || {
        let barrier = Arc::new(Barrier::new(2));
        assert!(all_or_none(together(&barrier, [wait; 2])));
        assert!(calls().wakes <= calls().waits, "{:?}", calls());
    });
}
