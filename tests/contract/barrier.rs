//! [`Barrier`].

mod python;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Weak, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use futon::{Barrier, BarrierWaitResult, BrokenBarrier, Event};

use crate::allocations::allocations;
use crate::threads::{
    AGES, Random, Unprotected, endless_timeouts, last_instant, limit, rounds, spin_until, stress,
    timed, wait_until,
};
#[cfg(not(miri))]
use crate::threads::{Page, Storm, assert_ends_in_the_right_second, sleeps};

const THREADS: usize = 5;
const LONG: Duration = Duration::from_secs(3600);

type Waited = Result<BarrierWaitResult, BrokenBarrier>;

/// A barrier with an action that is chosen at run time, and may use the barrier.
type Acting<'a> = Barrier<Box<dyn Fn() + Send + Sync + 'a>>;

fn acting<'a>(parties: u32, action: impl Fn(&Acting<'a>) + Send + Sync + 'a) -> Arc<Acting<'a>> {
    Arc::new_cyclic(|barrier: &Weak<Acting<'a>>| {
        let barrier = barrier.clone();
        let action = move || action(&barrier.upgrade().unwrap());
        Barrier::with_action(parties, Box::new(action) as Box<dyn Fn() + Send + Sync>)
    })
}

/// Runs `f` on so many threads at once, each with its number.
fn together<R: Send>(threads: usize, f: impl Fn(usize) -> R + Sync) -> Vec<R> {
    thread::scope(|s| {
        let f = &f;
        let threads: Vec<_> = (0..threads).map(|number| s.spawn(move || f(number))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

/// As nobody had ever touched it.
#[track_caller]
fn assert_untouched<A: Fn()>(barrier: &Barrier<A>) {
    assert!(!barrier.is_broken());
    assert_eq!((barrier.waiting(), barrier.waiters()), (0, 0));
}

/// Broken, and nobody waits.
#[track_caller]
fn assert_broken<A: Fn()>(barrier: &Barrier<A>) {
    assert!(barrier.is_broken());
    assert_eq!((barrier.waiting(), barrier.waiters()), (0, 0));
    assert!(barrier.wait().is_err());
    assert!(barrier.wait_timeout(LONG).is_err());
    assert!(barrier.wait_deadline(Instant::now()).is_err());
    assert_eq!((barrier.waiting(), barrier.waiters()), (0, 0));
}

/// All the others wait; then this thread comes too, and all pass. In the order of their arrival.
fn assert_works<A: Fn() + Sync>(barrier: &Barrier<A>) {
    assert_untouched(barrier);
    let parties = barrier.parties() as usize;
    thread::scope(|s| {
        let others: Vec<_> = (1..parties)
            .map(|count| {
                let other = s.spawn(|| barrier.wait());
                wait_until(|| barrier.waiters() == count);
                assert_eq!(barrier.waiting(), count);
                other
            })
            .collect();
        let last = barrier.wait().unwrap();
        assert_eq!((last.index() as usize, last.is_leader()), (parties - 1, true));
        for (index, other) in others.into_iter().enumerate() {
            let other = other.join().unwrap().unwrap();
            assert_eq!((other.index() as usize, other.is_leader()), (index, false));
        }
    });
    assert_untouched(barrier);
}

/// Runs what panics on purpose.
#[track_caller]
fn panics<R>(f: impl FnOnce() -> R) {
    let panic = catch_unwind(AssertUnwindSafe(f)).err().expect("no panic");
    assert_eq!(panic.downcast_ref(), Some(&"on purpose"));
}

/// Panics as the test wants it, and so without a report.
fn panic_quietly() -> ! {
    resume_unwind(Box::new("on purpose"))
}

/// The same with an action that does something the first time, and nothing later.
fn acting_once<'a>(parties: u32, action: impl Fn(&Acting<'a>) + Send + Sync + 'a) -> Arc<Acting<'a>> {
    let has_run = AtomicBool::new(false);
    acting(parties, move |barrier| {
        if !has_run.swap(true, SeqCst) {
            action(barrier);
        }
    })
}

// What others got wrong.

/// H12: whoever goes on may free the barrier, while the last one to arrive, who has released it, is still in its
/// wait. Or the other way round. With an action and without.
#[test]
#[cfg(not(miri))] // counts plain fields of what `self` refers to as in use until the call returns
fn a_released_thread_may_free_the_barrier_at_once() {
    fn model<A: Fn() + Send + Sync + 'static>(make: fn() -> Barrier<A>, is_last: bool) {
        let (send, receive) = mpsc::channel::<Page<Barrier<A>>>();
        thread::scope(|s| {
            s.spawn(move || {
                for (round, barrier) in receive.into_iter().enumerate() {
                    // Half of the time before the other one sleeps, half of the time while it does.
                    if is_last && round % 2 == 0 {
                        wait_until(|| barrier.waiters() == 1);
                    }
                    barrier.wait().unwrap();
                }
            });
            for round in stress(2_000) {
                let barrier = Page::new(make());
                send.send(barrier.share()).unwrap();
                if !is_last && round % 2 == 0 {
                    wait_until(|| barrier.waiters() == 1);
                }
                barrier.wait().unwrap();
                // SAFETY: the other thread's last use of the barrier is the wait by which this one goes on.
                unsafe { barrier.free() };
            }
            drop(send);
        });
    }
    let _limit = limit();
    for is_last in [true, false] {
        model(|| Barrier::new(2), is_last);
        model(|| Barrier::with_action(2, || ()), is_last);
    }
}

/// H12: the same of three, one of whom runs out of time at about that moment.
#[test]
#[cfg(not(miri))]
fn a_released_thread_may_free_the_barrier_while_anothers_time_runs_out() {
    type Round = (Page<Barrier>, Instant);

    let _limit = limit();
    let mut random = Random::new(12);
    let (mut in_time, mut late) = (0, 0);
    thread::scope(|s| {
        let (answer, answers) = mpsc::channel();
        let others = [0, 1].map(|number| {
            let (send, receive) = mpsc::channel::<Round>();
            let answer = answer.clone();
            s.spawn(move || {
                for (barrier, deadline) in receive {
                    let result = match number {
                        0 => barrier.wait_deadline(deadline),
                        _ => barrier.wait(),
                    };
                    answer.send(result.is_ok()).unwrap();
                }
            });
            send
        });
        for _ in stress(3_000) {
            let barrier = Page::new(Barrier::new(3));
            let deadline = Instant::now() + Duration::from_micros(120);
            for other in &others {
                other.send((barrier.share(), deadline)).unwrap();
            }
            spin_until(deadline + Duration::from_micros(random.below(80)));
            let passed = barrier.wait().is_ok();
            if !passed {
                // A failed wait says nothing about the others.
                late += 1;
                (0..2).for_each(|_| assert!(!answers.recv().unwrap()));
            }
            // SAFETY: all have arrived and those who go on do not use the barrier; or all have returned.
            unsafe { barrier.free() };
            if passed {
                in_time += 1;
                (0..2).for_each(|_| assert!(answers.recv().unwrap()));
            }
        }
    });
    println!("{in_time} in time, {late} late");
}

/// H12: one who fails because of an abort or a reset may free the barrier while that is not done yet.
#[test]
#[cfg(not(miri))]
fn a_thread_that_fails_may_free_the_barrier_at_once() {
    let _limit = limit();
    for end in [Barrier::abort as fn(&Barrier), Barrier::reset] {
        let (send, receive) = mpsc::channel::<Page<Barrier>>();
        thread::scope(|s| {
            s.spawn(move || {
                for (round, barrier) in receive.into_iter().enumerate() {
                    wait_until(|| barrier.waiters() == 1);
                    // Half of the time it sleeps by then.
                    (0..(round % 2) * 20_000).for_each(|_| std::hint::spin_loop());
                    end(&barrier);
                }
            });
            for _ in stress(2_000) {
                let barrier = Page::new(Barrier::new(2));
                send.send(barrier.share()).unwrap();
                assert!(barrier.wait().is_err());
                // SAFETY: the other thread's last use of the barrier is the call by which this one goes on.
                unsafe { barrier.free() };
            }
            drop(send);
        });
    }
}

/// H14: a fast thread may come again, and again, while others have not left yet. 100,000 rounds, or as many as can be
/// had in seconds on a machine that is very busy.
#[test]
fn a_fast_thread_may_come_again_before_the_others_have_left() {
    let _limit = limit();
    let barrier = Barrier::new(3);
    let arrivals = AtomicUsize::new(0);
    let end = AtomicUsize::new(usize::MAX);
    let start = Instant::now();
    let indices = together(3, |number| {
        let mut indices = 0;
        for round in 0..rounds(100_000) {
            // One of them decides, before a round that the others can not leave without it.
            if number == 0 && start.elapsed() > Duration::from_secs(10) {
                end.fetch_min(round, SeqCst);
            }
            arrivals.fetch_add(1, SeqCst);
            indices += barrier.wait().unwrap().index() as usize;
            let all = arrivals.load(SeqCst);
            let (fewest, most) = (3 * (round + 1), 3 * (round + 1) + 2);
            assert!(fewest <= all && all <= most, "{all} arrivals after round {round}");
            if round >= end.load(SeqCst) {
                return (indices, round + 1);
            }
        }
        (indices, rounds(100_000))
    });
    let (sum, done) = (indices.iter().map(|thread| thread.0).sum::<usize>(), indices[0].1);
    assert!(indices.iter().all(|thread| thread.1 == done));
    assert_eq!(sum, done * 3);
    assert_untouched(&barrier);
    println!("{done} rounds");
}

/// H20: what each did before is seen by all, by the leader, and by the action; what the action did, by all.
#[test]
fn all_see_what_all_did_before() {
    let _limit = limit();
    let rounds = rounds(5_000);
    for with_action in [false, true] {
        let data = [const { Unprotected::new() }; 3];
        let sum = Unprotected::new();
        let barrier = acting(3, |_| {
            if with_action {
                sum.set(data.iter().map(Unprotected::get).sum());
            }
        });
        together(3, |number| {
            for round in 1..=rounds {
                data[number].set(round);
                barrier.wait().unwrap();
                assert!(data.iter().all(|number| number.get() == round));
                assert_eq!(sum.get(), if with_action { 3 * round } else { 0 });
                barrier.wait().unwrap();
            }
        });
    }
}

/// H21.
#[test]
fn a_timeout_beyond_the_clock_waits_until_all_have_arrived() {
    let _limit = limit();
    let last = last_instant();
    let barrier = Barrier::new(2);
    let waits = |wait: &(dyn Fn() -> Waited + Sync)| {
        thread::scope(|s| {
            let waiter = s.spawn(wait);
            wait_until(|| barrier.waiters() == 1 || waiter.is_finished());
            barrier.wait().is_ok() && waiter.join().unwrap().is_ok()
        })
    };
    for timeout in endless_timeouts() {
        assert!(waits(&|| barrier.wait_timeout(timeout)), "{timeout:?}");
    }
    assert!(waits(&|| barrier.wait_deadline(last)));
}

/// H22.
#[test]
#[cfg(not(miri))]
fn timeouts_end_in_the_right_second() {
    let _limit = limit();
    let barrier = Barrier::new(2);
    assert_ends_in_the_right_second(|at| {
        barrier.reset();
        assert!(barrier.wait_deadline(at).is_err());
    });
    barrier.reset();
    let timeout = Duration::from_nanos(999_999_999);
    let slept = sleeps();
    let (result, elapsed) = timed(|| barrier.wait_timeout(timeout));
    assert!(result.is_err() && elapsed >= timeout && elapsed < AGES, "{elapsed:?}");
    assert!(sleeps() - slept <= 10, "it polls");
}

/// H24.
#[test]
#[cfg(not(miri))]
fn signals_do_not_show() {
    let _limit = limit();
    let barrier = Barrier::new(2);
    let storm = Storm::new();
    thread::scope(|s| {
        let waiter = s.spawn(|| {
            storm.around(|| {
                barrier.wait().unwrap();
                barrier.wait_timeout(LONG).unwrap();
                for millis in [0, 1, 5, 50] {
                    let timeout = Duration::from_millis(millis);
                    let (result, elapsed) = timed(|| barrier.wait_timeout(timeout));
                    assert!(result.is_err());
                    assert!(elapsed >= timeout, "a signal has cut {timeout:?} to {elapsed:?}");
                    assert!(elapsed < AGES, "signals have made {elapsed:?} of {timeout:?}");
                    barrier.reset();
                }
            });
        });
        for _ in 0..2 {
            wait_until(|| barrier.waiters() == 1 || waiter.is_finished());
            let sent = storm.sent();
            wait_until(|| storm.sent() > sent + 200 || waiter.is_finished());
            assert_eq!(barrier.waiters(), 1, "a signal has ended the wait");
            barrier.wait().unwrap();
        }
    });
}

/// H25.
#[test]
fn no_wait_gives_up_before_its_time() {
    let _limit = limit();
    let barrier = Barrier::new(2);
    let mut random = Random::new(25);
    for _ in stress(200) {
        let timeout = Duration::from_nanos(random.below(2_000_000));
        let (result, elapsed) = timed(|| barrier.wait_timeout(timeout));
        assert!(result.is_err());
        assert!(elapsed >= timeout, "gave up after {elapsed:?} of {timeout:?}");
        assert!(elapsed < AGES);
        barrier.reset();

        let deadline = Instant::now() + timeout;
        assert!(barrier.wait_deadline(deadline).is_err());
        assert!(Instant::now() >= deadline);
        barrier.reset();
    }
}

/// H26.
#[test]
fn without_time_only_the_last_one_passes() {
    let _limit = limit();
    let past = Instant::now();
    let alone = Barrier::new(1);
    alone.wait_timeout(Duration::ZERO).unwrap();
    alone.wait_deadline(past).unwrap();
    let barrier = Barrier::new(2);
    for wait in
        [|b: &Barrier, _| b.wait_timeout(Duration::ZERO), |b: &Barrier, past| b.wait_deadline(past)]
    {
        thread::scope(|s| {
            let first = s.spawn(|| barrier.wait().unwrap());
            wait_until(|| barrier.waiters() == 1);
            assert!(wait(&barrier, past).unwrap().is_leader());
            assert_eq!(first.join().unwrap().index(), 0);
        });
        assert!(wait(&barrier, past).is_err());
        assert_broken(&barrier);
        barrier.reset();
    }
}

/// H32: two rounds of one barrier may fill one after the other with threads that all come at once.
#[test]
fn there_may_be_more_threads_than_parties() {
    let _limit = limit();
    let runs = AtomicUsize::new(0);
    for with_action in [false, true] {
        let barrier = acting(3, |_| {
            if with_action {
                runs.fetch_add(1, SeqCst);
            }
        });
        // Each arrival has a number. As long as there are numbers there are threads that come, and at the
        // end none is left waiting, as it is a whole number of rounds.
        let all = 3 * rounds(20_000);
        let arrivals = AtomicUsize::new(0);
        let counts = together(7, |_| {
            let mut counts = [0; 3];
            while arrivals.fetch_add(1, SeqCst) < all {
                let arrival = barrier.wait().unwrap();
                assert_eq!(arrival.is_leader(), arrival.index() == 2);
                counts[arrival.index() as usize] += 1;
            }
            counts
        });
        for index in 0..3 {
            assert_eq!(counts.iter().map(|counts| counts[index]).sum::<usize>(), all / 3);
        }
        assert_eq!(runs.swap(0, SeqCst), if with_action { all / 3 } else { 0 });
        assert_untouched(&barrier);
    }
}

/// H32: those of a round go on, all of them and nobody else, though another round fills while the action runs; and
/// that one may be over first.
#[test]
fn a_round_may_begin_and_end_while_the_action_of_another_runs() {
    let _limit = limit();
    let (runs, done) = (Event::new(), Event::new());
    let barrier = acting_once(2, |_| {
        runs.set();
        done.wait();
    });
    thread::scope(|s| {
        let first = [(); 2].map(|()| s.spawn(|| barrier.wait()));
        runs.wait();
        wait_until(|| barrier.waiters() == 1);
        assert_eq!(barrier.waiting(), 0);

        let second = [(); 2].map(|()| s.spawn(|| barrier.wait()));
        second.into_iter().for_each(|other| _ = other.join().unwrap().unwrap());
        assert_eq!((barrier.waiters(), barrier.waiting()), (1, 0));
        assert!(!first.iter().any(|thread| thread.is_finished()));

        let third = s.spawn(|| barrier.wait());
        wait_until(|| barrier.waiters() == 2);
        assert_eq!(barrier.waiting(), 1);
        done.set();
        first.into_iter().for_each(|thread| _ = thread.join().unwrap().unwrap());
        assert_eq!((barrier.waiters(), barrier.waiting()), (1, 1));
        assert!(!third.is_finished());
        assert_eq!(barrier.wait().unwrap().index(), 1);
        assert_eq!(third.join().unwrap().unwrap().index(), 0);
    });
    assert_untouched(&barrier);
}

/// H32: what breaks the barrier lets all fail who wait: those of the round that fills, and those of a full round
/// whose action is not done; and the thread that runs it.
#[test]
fn what_breaks_the_barrier_breaks_it_for_all() {
    let _limit = limit();
    let breaks: [fn(&Acting); 4] = [
        |barrier| barrier.abort(),
        |barrier| assert!(barrier.wait_timeout(Duration::ZERO).is_err()),
        |barrier| assert!(barrier.wait_deadline(Instant::now()).is_err()),
        |barrier| barrier.reset(),
    ];
    for (number, end) in breaks.into_iter().enumerate() {
        let is_reset = number == 3;
        let (runs, done) = (Event::new(), Event::new());
        let barrier = acting_once(4, |_| {
            runs.set();
            done.wait();
        });
        thread::scope(|s| {
            let full = [(); 4].map(|()| s.spawn(|| barrier.wait()));
            runs.wait();
            let half = [(); 2].map(|()| s.spawn(|| barrier.wait()));
            wait_until(|| barrier.waiters() == 5);
            assert_eq!(barrier.waiting(), 2);
            end(&barrier);
            assert_eq!((barrier.waiting(), barrier.waiters()), (0, 0));
            assert_eq!(barrier.is_broken(), !is_reset);
            half.into_iter().for_each(|thread| assert!(thread.join().unwrap().is_err()));
            // Not because of the action: that runs on.
            wait_until(|| full.iter().filter(|thread| thread.is_finished()).count() == 3);
            if is_reset {
                assert_works(&barrier);
            } else {
                assert_broken(&barrier);
            }
            done.set();
            full.into_iter().for_each(|thread| assert!(thread.join().unwrap().is_err()));
        });
        assert_eq!(barrier.is_broken(), !is_reset);
        barrier.reset();
        assert_works(&barrier);
    }
}

/// H32: threads of a round that is complete succeed, though the barrier is broken before they have left it.
#[test]
fn what_comes_after_a_round_does_not_reach_back() {
    let _limit = limit();
    let breaks: [fn(&Barrier); 4] = [
        |barrier| barrier.abort(),
        |barrier| assert!(barrier.wait_timeout(Duration::ZERO).is_err()),
        |barrier| barrier.reset(),
        |barrier| {
            barrier.abort();
            barrier.reset();
        },
    ];
    for end in breaks {
        for _ in stress(500) {
            let barrier = Barrier::new(4);
            thread::scope(|s| {
                for _ in 0..2 {
                    s.spawn(|| barrier.wait().unwrap());
                }
                s.spawn(|| barrier.wait_timeout(LONG).unwrap());
                wait_until(|| barrier.waiters() == 3);
                barrier.wait().unwrap();
                end(&barrier);
            });
        }
    }
}

/// H32: the barrier can be used at once after a reset, while those who failed have not left it yet; they may be the
/// ones who come again.
#[test]
fn a_reset_barrier_may_be_used_at_once() {
    let _limit = limit();
    let barrier = Barrier::new(3);
    for round in stress(2_000) {
        thread::scope(|s| {
            let early = [(); 2].map(|()| {
                s.spawn(|| {
                    assert!(barrier.wait().is_err());
                    // Between an abort and a reset it fails again.
                    loop {
                        if let Ok(arrival) = barrier.wait() {
                            return arrival.index();
                        }
                    }
                })
            });
            wait_until(|| barrier.waiters() == 2);
            if round % 2 == 0 {
                barrier.abort();
            }
            barrier.reset();
            let ours = barrier.wait().unwrap().index();
            assert_eq!(ours + early.map(|other| other.join().unwrap()).iter().sum::<u32>(), 3);
        });
    }
    assert_untouched(&barrier);
}

/// H8, H32: where the last one comes at the moment at which another's time runs out, either all pass or all fail.
#[test]
fn at_the_last_moment_all_pass_or_all_fail() {
    let _limit = limit();
    let mut random = Random::new(8);
    let (mut in_time, mut late) = (0, 0);
    for _ in stress(3_000) {
        let barrier = Barrier::new(4);
        let deadline = Instant::now() + Duration::from_micros(150);
        let moment = deadline + Duration::from_micros(random.below(100));
        let moment = moment - Duration::from_micros(20);
        thread::scope(|s| {
            let timed = [(); 2].map(|()| s.spawn(|| barrier.wait_deadline(deadline)));
            let untimed = s.spawn(|| barrier.wait());
            spin_until(moment);
            let last = barrier.wait();
            let others = timed.into_iter().chain([untimed]).map(|other| other.join().unwrap());
            let passed: Vec<_> = others.map(|other| other.is_ok()).collect();
            match last {
                Ok(_) => {
                    // It may be any of them that has come last.
                    in_time += 1;
                    assert_eq!(passed, [true; 3]);
                    assert_works(&barrier);
                }
                Err(_) => {
                    late += 1;
                    assert_eq!(passed, [false; 3]);
                    assert!(Instant::now() >= deadline);
                    assert_broken(&barrier);
                }
            }
        });
    }
    println!("{in_time} in time, {late} late");
}

/// H32: the time until the action has been run counts too.
#[test]
fn a_time_that_runs_out_while_the_action_runs_breaks_the_barrier() {
    let _limit = limit();
    let runs = Event::new();
    let broken = Event::new();
    let slow = acting(3, |_| {
        runs.set();
        broken.wait();
    });
    thread::scope(|s| {
        let timed = s.spawn(|| {
            // Long enough for the others to come, most of the time; the outcome does not hang on it.
            slow.wait_timeout(Duration::from_millis(50))
        });
        let untimed = s.spawn(|| slow.wait());
        wait_until(|| slow.waiters() == 2 || slow.is_broken());
        let last = s.spawn(|| slow.wait());
        wait_until(|| slow.is_broken());
        broken.set();
        assert!(last.join().unwrap().is_err());
        assert!(timed.join().unwrap().is_err());
        assert!(untimed.join().unwrap().is_err());
    });
    assert_broken(&slow);
    println!("{}", if runs.is_set() { "while it ran" } else { "before" });
}

/// H32, H33: the panic goes on in the thread that runs the action, and all others fail: those who wait for the action,
/// and those of another round.
#[test]
fn an_action_that_panics_breaks_the_barrier() {
    let _limit = limit();
    let (runs, goes_on) = (Event::new(), Event::new());
    let barrier = acting_once(3, |_| {
        runs.set();
        goes_on.wait();
        panic_quietly();
    });
    thread::scope(|s| {
        let others = [(); 2].map(|()| s.spawn(|| barrier.wait()));
        wait_until(|| barrier.waiters() == 2);
        let last = s.spawn(|| panics(|| barrier.wait()));
        runs.wait();
        let next = s.spawn(|| barrier.wait_timeout(LONG));
        wait_until(|| barrier.waiters() == 3);
        goes_on.set();
        last.join().unwrap();
        others.into_iter().for_each(|other| assert!(other.join().unwrap().is_err()));
        assert!(next.join().unwrap().is_err());
    });
    assert_broken(&barrier);
    barrier.reset();
    assert_works(&barrier);
}

/// H33: nor does it break it a second time, if it has been made as new meanwhile.
#[test]
fn an_action_that_panics_after_a_reset_leaves_the_barrier_as_it_is() {
    let _limit = limit();
    let (runs, goes_on) = (Event::new(), Event::new());
    let barrier = acting_once(2, |_| {
        runs.set();
        goes_on.wait();
        panic_quietly();
    });
    thread::scope(|s| {
        let other = s.spawn(|| barrier.wait());
        wait_until(|| barrier.waiters() == 1);
        let last = s.spawn(|| panics(|| barrier.wait()));
        runs.wait();
        barrier.reset();
        assert!(other.join().unwrap().is_err());
        let new = s.spawn(|| barrier.wait());
        wait_until(|| barrier.waiters() == 1);
        goes_on.set();
        last.join().unwrap();
        assert_eq!((barrier.waiters(), barrier.is_broken()), (1, false));
        barrier.wait().unwrap();
        new.join().unwrap().unwrap();
    });
    assert_works(&barrier);
}

/// H32, H34: an action may call any method, and none of them waits for the action itself.
#[test]
fn an_action_may_look_at_the_barrier() {
    let _limit = limit();
    let seen = futon::Lock::new(Vec::new());
    let barrier = acting(3, |barrier| {
        assert_eq!(barrier.parties(), 3);
        let debug = format!("{barrier:?}");
        seen.acquire().push((barrier.waiting(), barrier.waiters(), barrier.is_broken(), debug));
    });
    assert_works(&barrier);
    let debug = "Barrier { waiting: 0, parties: 3, is_broken: false }".to_owned();
    assert_eq!(*seen.acquire(), [(0, 2, false, debug)]);
}

/// H32, H34.
#[test]
fn an_action_may_abort_or_reset() {
    type End = (fn(&Acting), bool);

    let _limit = limit();
    let ends: [End; 4] = [
        (|barrier| barrier.abort(), true),
        (|barrier| barrier.reset(), false),
        (
            |barrier| {
                barrier.reset();
                barrier.abort();
            },
            true,
        ),
        (
            |barrier| {
                barrier.abort();
                barrier.reset();
            },
            false,
        ),
    ];
    for (end, is_broken) in ends {
        let barrier = acting_once(3, end);
        thread::scope(|s| {
            let others = [(); 2].map(|()| s.spawn(|| barrier.wait()));
            wait_until(|| barrier.waiters() == 2);
            assert!(barrier.wait().is_err());
            others.into_iter().for_each(|other| assert!(other.join().unwrap().is_err()));
        });
        assert_eq!(barrier.is_broken(), is_broken);
        if is_broken {
            assert_broken(&barrier);
            barrier.reset();
        }
        assert_works(&barrier);
    }
}

/// H32, H34: a wait in the action is one of the next round.
#[test]
fn an_action_may_wait() {
    let _limit = limit();
    let inner = futon::Lock::new(None);
    let barrier = acting_once(2, |barrier| {
        let arrival = barrier.wait();
        *inner.acquire() = Some(arrival);
    });
    thread::scope(|s| {
        let first = [(); 2].map(|()| s.spawn(|| barrier.wait()));
        // One for the action, and the action for the next round.
        wait_until(|| barrier.waiters() == 2);
        assert_eq!(barrier.waiting(), 1);
        assert!(!first.iter().any(|thread| thread.is_finished()));
        let arrival = barrier.wait().unwrap();
        assert_eq!((arrival.index(), arrival.is_leader()), (1, true));
        first.into_iter().for_each(|thread| _ = thread.join().unwrap().unwrap());
    });
    let inner = inner.acquire().unwrap().unwrap();
    assert_eq!((inner.index(), inner.is_leader()), (0, false));
    assert_works(&barrier);
}

/// H32: also in vain, and then its own round fails too.
#[test]
fn an_action_whose_wait_runs_out_of_time_breaks_its_own_round() {
    let _limit = limit();
    let barrier = acting_once(2, |barrier| {
        assert!(barrier.wait_timeout(Duration::from_millis(1)).is_err());
    });
    assert!(together(2, |_| barrier.wait()).iter().all(Result::is_err));
    assert_broken(&barrier);
    barrier.reset();
    assert_works(&barrier);
}

/// H34: with one party the next round is complete at once.
#[test]
fn an_action_that_waits_at_a_barrier_for_one_runs_within_itself() {
    let depth = AtomicUsize::new(0);
    let barrier = acting(1, |barrier| {
        if depth.fetch_add(1, SeqCst) < 10 {
            assert!(barrier.wait().unwrap().is_leader());
        }
    });
    barrier.wait().unwrap();
    assert_eq!(depth.load(SeqCst), 11);
    assert_untouched(&barrier);
}

/// H39.
#[test]
fn nothing_is_allocated() {
    let _limit = limit();
    let barrier = Barrier::new(3);
    assert_eq!(allocations(|| assert_eq!(Barrier::new(3).waiters(), 0)), 0);
    assert_eq!(allocations(|| assert!(barrier.wait_timeout(Duration::from_micros(200)).is_err())), 0);
    assert_eq!(allocations(|| barrier.reset()), 0);
    thread::scope(|s| {
        for timed in [true, false] {
            let barrier = &barrier;
            s.spawn(move || {
                let count = allocations(|| {
                    let result = if timed { barrier.wait_timeout(LONG) } else { barrier.wait() };
                    result.unwrap();
                });
                assert_eq!(count, 0);
            });
        }
        wait_until(|| barrier.waiters() == 2);
        assert_eq!(allocations(|| assert!(barrier.wait().unwrap().is_leader())), 0);
    });
    assert_eq!(allocations(|| barrier.abort()), 0);
    assert_eq!(allocations(|| _ = Barrier::with_action(1, || ()).wait().unwrap()), 0);
}

// What the documentation says.

#[test]
fn waiters_are_those_who_wait_and_waiting_those_of_the_round() {
    let _limit = limit();
    let barrier = Barrier::new(5);
    assert_untouched(&barrier);
    assert_works(&barrier);
    thread::scope(|s| {
        let others = [(); 3].map(|()| s.spawn(|| barrier.wait()));
        wait_until(|| barrier.waiters() == 3);
        assert_eq!(barrier.waiting(), 3);
        assert!(barrier.wait_timeout(Duration::from_micros(1)).is_err());
        assert_broken(&barrier);
        others.into_iter().for_each(|other| assert!(other.join().unwrap().is_err()));
    });
}

#[test]
fn an_abort_is_for_good_until_a_reset() {
    let barrier = Barrier::new(1);
    for _ in 0..2 {
        barrier.abort();
        assert_broken(&barrier);
    }
    barrier.reset();
    assert_works(&barrier);
    barrier.reset();
    assert_works(&barrier);
}

#[test]
fn a_broken_barrier_runs_no_action() {
    let barrier = Barrier::with_action(1, || panic_quietly());
    barrier.abort();
    assert_broken(&barrier);
    barrier.reset();
    panics(|| barrier.wait());
    assert_broken(&barrier);
}

#[test]
fn the_leader_runs_the_action_in_its_wait() {
    let _limit = limit();
    let ran_by = futon::Lock::new(None);
    let barrier = Barrier::with_action(3, || *ran_by.acquire() = Some(thread::current().id()));
    for _ in 0..rounds(100) {
        together(3, |_| {
            let is_leader = barrier.wait().unwrap().is_leader();
            let ran_by = *ran_by.acquire();
            assert_eq!(ran_by == Some(thread::current().id()), is_leader);
        });
    }
}

#[test]
fn the_error_says_what_it_is() {
    let barrier = Barrier::new(1);
    barrier.abort();
    let error: Box<dyn std::error::Error + Send + Sync> = barrier.wait().unwrap_err().into();
    assert_eq!(error.to_string(), "the barrier is broken");
}

/// All kinds of calls at once: nobody hangs, and what passes passes as a round.
#[test]
fn waits_aborts_and_resets_of_all_kinds_get_along() {
    let _limit = limit();
    let runs = AtomicUsize::new(0);
    let barrier = acting(3, |_| {
        if runs.fetch_add(1, SeqCst) % 64 == 63 {
            panic_quietly();
        }
    });
    let over = Event::new();
    thread::scope(|s| {
        let others: Vec<_> = (0..4)
            .map(|seed| {
                let barrier = &barrier;
                s.spawn(move || {
                    let mut random = Random::new(seed + 1);
                    let mut passed = 0;
                    for _ in 0..rounds(5_000) {
                        let micros = Duration::from_micros(random.below(100));
                        let result = catch_unwind(AssertUnwindSafe(|| match random.below(8) {
                            0 => barrier.wait_timeout(micros),
                            1 => barrier.wait_deadline(Instant::now() + micros),
                            2 => barrier.wait_timeout(LONG),
                            _ => barrier.wait(),
                        }));
                        match result {
                            Ok(Ok(arrival)) => {
                                assert!(arrival.index() < 3);
                                passed += 1;
                            }
                            _ if random.below(4) == 0 => barrier.reset(),
                            _ if random.below(16) == 0 => barrier.abort(),
                            _ => {}
                        }
                    }
                    passed
                })
            })
            .collect();
        // Whoever is left alone at the end has somebody to let it go.
        s.spawn(|| {
            while !over.is_set() {
                thread::yield_now();
                barrier.reset();
            }
        });
        let passed: Vec<usize> = others.into_iter().map(|other| other.join().unwrap()).collect();
        over.set();
        println!("{passed:?} passed in {} rounds", runs.load(SeqCst));
    });
    barrier.reset();
    assert_untouched(&barrier);
}

/// A barrier has no sleepers on words of its own.
#[test]
#[cfg(all(target_os = "linux", target_pointer_width = "64", target_endian = "little", not(miri)))]
fn no_call_is_made_on_the_barrier_where_nobody_else_uses_it() {
    use crate::calls::{Calls, calls_on};

    let barrier = Barrier::new(1);
    let calls = calls_on(&barrier, || {
        for _ in 0..1_000 {
            barrier.wait().unwrap();
            barrier.wait_timeout(Duration::ZERO).unwrap();
            barrier.abort();
            barrier.reset();
        }
    });
    assert!(matches!(calls, None | Some(Calls::NONE)), "{calls:?}");
}
