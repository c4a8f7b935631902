//! Mistakes that are often made, each found by a model that the right version passes.
//!
//! The versions themselves are in `../mistakes`: what tempts one to write them, what goes wrong, and where the
//! right one of futon is.

mod checking;

#[path = "../mistakes/acquire_all.rs"]
mod acquire_all;
#[path = "../mistakes/barrier.rs"]
mod barrier;
#[path = "../mistakes/condition.rs"]
mod condition;
#[path = "../mistakes/event.rs"]
mod event;
#[path = "../mistakes/lock.rs"]
mod lock;
#[path = "../mistakes/many.rs"]
mod many;
#[path = "../mistakes/once.rs"]
mod once;
#[path = "../mistakes/par_map.rs"]
mod par_map;
#[path = "../mistakes/queue.rs"]
mod queue;
#[path = "../mistakes/queue_ends.rs"]
mod queue_ends;
#[path = "../mistakes/rlock.rs"]
mod rlock;
#[path = "../mistakes/semaphore.rs"]
mod semaphore;
#[path = "../mistakes/shared_iter.rs"]
mod shared_iter;

use std::sync::Arc;
use std::time::Duration;

use checking::{Slot, Unprotected};
use futon_model::atomic::model::calls;
use futon_model::atomic::{AtomicU32, Ordering::*, yield_now};
use futon_model::deadline::Deadline;
use loom::thread;

use acquire_all::{Both, BothInTime, ByAddress};
use barrier::Barrier;
use condition::{Condition, ExactCondition};
use event::Event;
use lock::{RawLock, ThreeStates, TimedLock};
use once::Once;
use par_map::ParMap;
use queue::{HandingOver, Parts, Queue};
use queue_ends::{Ends, TwoEnded};
use rlock::{Numbers, RLock};
use semaphore::{Semaphore, TimedSemaphore};
use shared_iter::SharedIter;

const SOON: Duration = Duration::from_secs(1);

/// Runs `model` with so many preemptions. In a box, so that loom is compiled once and not for each model.
fn in_many_ways(preemptions: usize, model: impl Fn() + Sync + Send + 'static) {
    let model: Box<dyn Fn() + Sync + Send> = Box::new(model);
    checking::check_bounded(preemptions, model);
}

/// Until so many threads have called to wait: they sleep, or will if nothing has changed.
fn until_waits(threads: usize) {
    while calls().waits < threads {
        yield_now();
    }
}

// Locks

/// A lock and a number under it.
fn add_one<L: RawLock>(shared: &(L, Unprotected)) -> u32 {
    shared.0.acquire();
    shared.1.add_one();
    let now = shared.1.get();
    shared.0.release();
    now
}

/// Each adds one under the lock.
fn two_take_turns<L: RawLock>() {
    in_many_ways(3, || {
        let shared = Arc::new((L::new(), Unprotected::new(0)));
        let theirs = shared.clone();
        let other = thread::spawn(move || add_one(&theirs));
        add_one(&shared);
        other.join().unwrap();
        assert_eq!(add_one(&shared), 3);
    });
}

fn three_take_turns<L: RawLock>() {
    in_many_ways(2, || {
        let shared = Arc::new((L::new(), Unprotected::new(0)));
        let others = [(); 2].map(|()| {
            let theirs = shared.clone();
            thread::spawn(move || add_one(&theirs))
        });
        add_one(&shared);
        others.into_iter().for_each(|other| _ = other.join().unwrap());
        assert_eq!(add_one(&shared), 4);
    });
}

/// Of two threads the one that has the lock last frees it.
fn the_last_one_frees_it<L: RawLock>() {
    in_many_ways(3, || {
        let slot = Arc::new(Slot::new((L::new(), Unprotected::new(0))));
        let theirs = slot.clone();
        let free_if_last = |slot: &Slot<(L, Unprotected)>| {
            if add_one(slot.get()) == 2 {
                slot.free();
            }
        };
        let other = thread::spawn(move || free_if_last(&theirs));
        free_if_last(&slot);
        other.join().unwrap();
    });
}

/// Two wait, one of them for a limited time.
fn one_of_two_gives_up<L: TimedLock>() {
    in_many_ways(2, || {
        let lock = Arc::new(L::new());
        lock.acquire();
        let theirs = lock.clone();
        let hasty = thread::spawn(move || {
            if theirs.acquire_timeout(SOON) {
                theirs.release();
            }
        });
        let theirs = lock.clone();
        let patient = thread::spawn(move || {
            theirs.acquire();
            theirs.release();
        });
        lock.release();
        hasty.join().unwrap();
        patient.join().unwrap();
    });
}

#[test]
fn the_right_lock_is_taken_in_turns() {
    two_take_turns::<ThreeStates>();
}

#[test]
fn the_right_lock_is_taken_in_turns_by_three() {
    three_take_turns::<ThreeStates>();
}

#[test]
fn the_right_lock_is_freed_by_the_last_one() {
    the_last_one_frees_it::<ThreeStates>();
}

#[test]
fn the_right_lock_strands_nobody_when_another_gives_up() {
    one_of_two_gives_up::<ThreeStates>();
}

#[test]
#[should_panic(expected = "deadlock")]
fn finds_a_flag_that_speaks_for_one_sleeper_of_two() {
    three_take_turns::<lock::TwoStatesAndAFlag>();
}

#[test]
#[should_panic(expected = "deadlock")]
fn finds_a_wake_before_the_release() {
    two_take_turns::<lock::WakesFirst>();
}

#[test]
#[should_panic(expected = "Causality violation")]
fn finds_a_release_that_does_not_publish() {
    two_take_turns::<lock::ReleasesRelaxed>();
}

#[test]
#[should_panic(expected = "Causality violation")]
fn finds_an_acquire_that_does_not_see() {
    two_take_turns::<lock::AcquiresRelaxed>();
}

#[test]
#[should_panic(expected = "deadlock")]
fn finds_a_woken_thread_that_forgets_the_other_sleepers() {
    three_take_turns::<lock::ForgetsTheOthers>();
}

#[test]
#[should_panic(expected = "Causality violation")]
fn finds_a_lock_that_tests_and_then_sets() {
    two_take_turns::<lock::TestsThenSets>();
}

#[test]
#[should_panic(expected = "used after it was dropped")]
fn finds_a_look_at_the_lock_after_its_release() {
    the_last_one_frees_it::<lock::LooksAfterTheRelease>();
}

#[test]
#[should_panic(expected = "deadlock")]
fn finds_a_woken_thread_that_gives_up_without_a_last_look() {
    one_of_two_gives_up::<lock::GivesUpAwake>();
}

#[test]
#[should_panic(expected = "deadlock")]
fn finds_a_mark_that_is_put_on_a_free_lock() {
    two_take_turns::<lock::MarksByStore>();
}

#[test]
#[should_panic(expected = "deadlock")]
fn finds_a_sleep_on_whatever_is_in_the_word() {
    two_take_turns::<lock::SleepsOnWhatItReads>();
}

// Semaphores

/// Two sleep for a permit each; the releases bring so many.
fn two_are_served<S: Semaphore>(releases: &'static [u32]) {
    in_many_ways(2, move || {
        let semaphore = Arc::new(S::new(0));
        let others = [(); 2].map(|()| {
            let theirs = semaphore.clone();
            thread::spawn(move || theirs.acquire(1))
        });
        releases.iter().for_each(|n| semaphore.release(*n));
        others.into_iter().for_each(|other| other.join().unwrap());
    });
}

/// Two threads, each of which wants all permits that there are.
fn two_take_all<S: Semaphore>(permits: u32) {
    in_many_ways(3, move || {
        let shared = Arc::new((S::new(permits), Unprotected::new(0)));
        let theirs = shared.clone();
        let turn = move |shared: &(S, Unprotected)| {
            shared.0.acquire(permits);
            shared.1.add_one();
            shared.0.release(permits);
        };
        let other = thread::spawn(move || turn(&theirs));
        turn(&shared);
        other.join().unwrap();
        assert_eq!(shared.1.get(), 2);
    });
}

/// A permit comes as the time of the only one who waits runs out.
fn no_permit_is_lost<S: TimedSemaphore>() {
    in_many_ways(4, || {
        let semaphore = Arc::new(S::new());
        let theirs = semaphore.clone();
        let other = thread::spawn(move || theirs.acquire_until(Deadline::after(SOON)));
        semaphore.release();
        let is_taken = other.join().unwrap();
        assert!(is_taken || semaphore.try_acquire(), "the permit is lost");
    });
}

#[test]
fn the_right_semaphore_serves_two_by_one_release() {
    two_are_served::<semaphore::WakesAll>(&[2]);
}

#[test]
fn the_right_semaphore_serves_two_by_two_releases() {
    two_are_served::<semaphore::WakesAll>(&[1, 1]);
}

#[test]
fn the_right_semaphore_of_one_permit_is_a_lock() {
    two_take_all::<semaphore::WakesAll>(1);
}

#[test]
fn the_right_semaphore_gives_all_permits_or_none() {
    two_take_all::<semaphore::WakesAll>(2);
}

#[test]
fn the_right_semaphore_loses_no_permit_when_a_thread_gives_up() {
    no_permit_is_lost::<semaphore::TakesItsGift>();
}

#[test]
#[should_panic(expected = "deadlock")]
fn finds_one_wake_for_two_permits() {
    two_are_served::<semaphore::WakesOne>(&[2]);
}

#[test]
#[should_panic(expected = "deadlock")]
fn finds_a_wake_for_the_first_permit_alone() {
    two_are_served::<semaphore::WakesFromZero>(&[1, 1]);
}

#[test]
#[should_panic(expected = "Causality violation")]
fn finds_a_semaphore_that_checks_and_then_subtracts() {
    two_take_all::<semaphore::ChecksThenSubtracts>(1);
}

#[test]
#[should_panic(expected = "deadlock")]
fn finds_permits_that_are_taken_one_by_one() {
    two_take_all::<semaphore::TakesOneByOne>(2);
}

#[test]
#[should_panic(expected = "Causality violation")]
fn finds_orders_that_are_the_wrong_way_round() {
    two_take_all::<semaphore::OrdersTheWrongWay>(1);
}

#[test]
#[should_panic(expected = "the permit is lost")]
fn finds_a_thread_that_gives_up_and_leaves_its_permit() {
    no_permit_is_lost::<semaphore::LeavesItsGift>();
}

// Events

/// What was written before the set is read after the wait.
fn a_set_publishes<E: Event>() {
    in_many_ways(3, || {
        let shared = Arc::new((E::new(), Unprotected::new(0)));
        let theirs = shared.clone();
        let waiter = thread::spawn(move || {
            theirs.0.wait();
            theirs.1.get()
        });
        shared.1.set(1);
        shared.0.set();
        assert_eq!(waiter.join().unwrap(), 1);
    });
}

/// A wait returns after the set.
fn a_wait_waits<E: Event>() {
    in_many_ways(3, || {
        let shared = Arc::new((E::new(), AtomicU32::new(0)));
        let theirs = shared.clone();
        let waiter = thread::spawn(move || {
            theirs.0.wait();
            assert_eq!(theirs.1.load(Relaxed), 1, "nobody has set it");
        });
        shared.1.store(1, Relaxed);
        shared.0.set();
        waiter.join().unwrap();
    });
}

/// A thread waits, and the event is set and cleared.
fn a_short_set_releases<E: Event>() {
    in_many_ways(3, || {
        let event = Arc::new(E::new());
        let theirs = event.clone();
        let waiter = thread::spawn(move || theirs.wait());
        until_waits(1);
        event.set();
        event.clear();
        waiter.join().unwrap();
    });
}

/// A thread waits. Another one clears while a third one sets.
fn a_set_beside_a_clear_releases<E: Event>() {
    in_many_ways(2, || {
        let event = Arc::new(E::new());
        let theirs = event.clone();
        let waiter = thread::spawn(move || theirs.wait());
        until_waits(1);
        let theirs = event.clone();
        let clearer = thread::spawn(move || theirs.clear());
        event.set();
        clearer.join().unwrap();
        waiter.join().unwrap();
    });
}

#[test]
fn the_right_event_publishes() {
    a_set_publishes::<event::FlagAndGeneration>();
}

#[test]
fn the_right_event_waits() {
    a_wait_waits::<event::FlagAndGeneration>();
}

#[test]
fn the_right_event_releases_though_it_is_cleared_at_once() {
    a_short_set_releases::<event::FlagAndGeneration>();
}

#[test]
fn the_right_event_releases_though_another_thread_clears_it() {
    a_set_beside_a_clear_releases::<event::FlagAndGeneration>();
}

#[test]
#[should_panic(expected = "deadlock")]
fn finds_an_event_without_a_generation() {
    a_short_set_releases::<event::FlagAlone>();
}

#[test]
#[should_panic(expected = "deadlock")]
fn finds_an_event_that_wakes_before_it_is_set() {
    a_set_publishes::<event::WakesBeforeItSets>();
}

#[test]
#[should_panic(expected = "Causality violation")]
fn finds_a_set_that_does_not_publish() {
    a_set_publishes::<event::SetsRelaxed>();
}

#[test]
#[should_panic(expected = "nobody has set it")]
fn finds_a_wait_that_does_not_look_again() {
    a_wait_waits::<event::WaitsOnce>();
}

#[test]
#[should_panic(expected = "deadlock")]
fn finds_a_wake_that_is_left_out_by_an_early_count() {
    a_set_publishes::<event::CountsBeforeItSets>();
}

#[test]
#[should_panic(expected = "deadlock")]
fn finds_a_clear_that_writes_back_an_old_word() {
    a_set_beside_a_clear_releases::<event::ClearsByStore>();
}

// Conditions

/// A thread waits for something that another brings under the lock.
fn what_is_waited_for_is_found<C: Condition>() {
    in_many_ways(3, || {
        let shared = Arc::new((ThreeStates::new(), C::new(), Unprotected::new(0)));
        let theirs = shared.clone();
        let waiter = thread::spawn(move || {
            let (lock, condition, is_ready) = &*theirs;
            lock.acquire();
            while is_ready.get() == 0 {
                condition.wait(lock);
            }
            lock.release();
        });
        let (lock, condition, is_ready) = &*shared;
        lock.acquire();
        is_ready.set(1);
        lock.release();
        condition.notify_one();
        waiter.join().unwrap();
    });
}

/// A notification comes as the time of the only one who waits runs out.
fn no_notification_is_lost<C: ExactCondition>() {
    in_many_ways(3, || {
        let shared = Arc::new((ThreeStates::new(), C::new()));
        let theirs = shared.clone();
        let waiter = thread::spawn(move || {
            let (lock, condition) = &*theirs;
            lock.acquire();
            let was_told = condition.wait_until(lock, Deadline::after(SOON));
            lock.release();
            was_told
        });
        let (lock, condition) = &*shared;
        lock.acquire();
        let has_told = condition.notify_one();
        lock.release();
        assert_eq!(waiter.join().unwrap(), has_told, "the notification is lost");
    });
}

/// A thread waits and is notified. Then another waits for a limited time.
fn nobody_steals<C: ExactCondition>() {
    in_many_ways(3, || {
        let shared = Arc::new((ThreeStates::new(), C::new()));
        let theirs = shared.clone();
        let first = thread::spawn(move || {
            let (lock, condition) = &*theirs;
            lock.acquire();
            condition.wait_until(lock, Deadline::NEVER);
            lock.release();
        });
        until_waits(1);
        let (lock, condition) = &*shared;
        lock.acquire();
        assert!(condition.notify_one());
        let has_stolen = condition.wait_until(lock, Deadline::after(SOON));
        assert!(!has_stolen, "the notification is stolen");
        lock.release();
        first.join().unwrap();
    });
}

#[test]
fn the_right_condition_releases_who_waits() {
    what_is_waited_for_is_found::<condition::Numbered>();
}

#[test]
fn the_right_condition_loses_no_notification_when_a_thread_gives_up() {
    no_notification_is_lost::<condition::Line>();
}

#[test]
fn the_right_condition_lets_nobody_steal() {
    nobody_steals::<condition::Line>();
}

#[test]
#[should_panic(expected = "deadlock")]
fn finds_a_condition_that_releases_before_it_enters_the_line() {
    what_is_waited_for_is_found::<condition::ReleasesFirst>();
}

#[test]
#[should_panic(expected = "deadlock")]
fn finds_a_count_that_is_not_ordered_by_the_lock() {
    what_is_waited_for_is_found::<condition::CountsLate>();
}

#[test]
#[should_panic(expected = "the notification is lost")]
fn finds_a_thread_that_gives_up_with_a_notification() {
    no_notification_is_lost::<condition::DecidesWithoutTheLock>();
}

#[test]
#[should_panic(expected = "the notification is stolen")]
fn finds_a_later_waiter_that_steals() {
    nobody_steals::<condition::OneCount>();
}

// Barriers

/// Two threads pass a barrier so often.
fn two_pass<B: Barrier>(rounds: usize) {
    in_many_ways(2, move || {
        let barrier = Arc::new(B::new(2));
        let theirs = barrier.clone();
        let other = thread::spawn(move || (0..rounds).for_each(|_| theirs.wait()));
        (0..rounds).for_each(|_| barrier.wait());
        other.join().unwrap();
    });
}

/// Each of two threads sees what the other has written before.
fn each_sees_both<B: Barrier>() {
    in_many_ways(3, || {
        let shared = Arc::new((B::new(2), [0; 2].map(Unprotected::new)));
        let theirs = shared.clone();
        let part = |shared: &(B, [Unprotected; 2]), mine: usize| {
            shared.1[mine].set(1);
            shared.0.wait();
            assert_eq!(shared.1[1 - mine].get(), 1);
        };
        let other = thread::spawn(move || part(&theirs, 1));
        part(&shared, 0);
        other.join().unwrap();
    });
}

/// A thread waits, and the barrier is reset.
fn a_reset_releases<B: Barrier>() {
    in_many_ways(3, || {
        let barrier = Arc::new(B::new(2));
        let theirs = barrier.clone();
        let party = thread::spawn(move || theirs.wait());
        until_waits(1);
        barrier.reset();
        party.join().unwrap();
    });
}

#[test]
fn the_right_barrier_lets_two_pass() {
    two_pass::<barrier::OneWord>(1);
}

#[test]
fn the_right_barrier_lets_two_pass_again() {
    two_pass::<barrier::OneWord>(2);
}

#[test]
fn the_right_barrier_publishes() {
    each_sees_both::<barrier::OneWord>();
}

#[test]
fn the_right_barrier_strands_nobody_when_it_is_reset() {
    a_reset_releases::<barrier::OneWord>();
}

#[test]
#[should_panic(expected = "deadlock")]
fn finds_a_barrier_without_a_generation() {
    two_pass::<barrier::CountAlone>(2);
}

#[test]
#[should_panic(expected = "deadlock")]
fn finds_a_generation_that_is_read_after_the_arrival() {
    two_pass::<barrier::ReadsItsGenerationLate>(1);
}

#[test]
#[should_panic(expected = "deadlock")]
fn finds_a_barrier_that_tidies_up_after_its_turn() {
    two_pass::<barrier::TidiesUpLate>(2);
}

#[test]
#[should_panic(expected = "deadlock")]
fn finds_a_reset_that_strands_who_waits() {
    a_reset_releases::<barrier::ResetsTheCountAlone>();
}

#[test]
#[should_panic(expected = "Causality violation")]
fn finds_a_last_arrival_that_does_not_see() {
    each_sees_both::<barrier::LastOneDoesNotSee>();
}

// Re-entrant locks

/// Two threads take the lock twice over and add one. One of them comes again.
fn two_take_two_levels<L: RLock>() {
    in_many_ways(2, || {
        let shared = Arc::new((L::new(), Unprotected::new(0)));
        let theirs = shared.clone();
        let turn = |shared: &(L, Unprotected)| {
            shared.0.acquire();
            shared.0.acquire();
            shared.1.add_one();
            shared.0.release();
            shared.0.release();
        };
        let other = thread::spawn(move || turn(&theirs));
        turn(&shared);
        turn(&shared);
        other.join().unwrap();
        assert_eq!(shared.1.get(), 3);
    });
}

/// A thread leaks the lock and ends. Another one begins.
fn nobody_inherits<N: Numbers>() {
    in_many_ways(3, || {
        let shared = Arc::new((N::new(), AtomicU32::new(0)));
        let theirs = shared.clone();
        let first = thread::spawn(move || {
            let (numbers, owner) = &*theirs;
            let me = numbers.take();
            owner.store(me, Relaxed);
            numbers.give_back(me);
        });
        first.join().unwrap();
        let (numbers, owner) = &*shared;
        let me = numbers.take();
        assert_ne!(owner.load(Relaxed), me, "owns what it never took");
    });
}

#[test]
fn the_right_re_entrant_lock_is_taken_in_turns() {
    two_take_two_levels::<rlock::OwnerWithinTheLock>();
}

#[test]
fn the_right_numbers_let_nobody_inherit() {
    nobody_inherits::<rlock::GivenOnce>();
}

#[test]
#[should_panic(expected = "deadlock")]
fn finds_an_owner_that_is_written_before_the_lock_is_taken() {
    two_take_two_levels::<rlock::WritesTheOwnerFirst>();
}

#[test]
#[should_panic(expected = "deadlock")]
fn finds_an_owner_that_is_cleared_after_the_release() {
    two_take_two_levels::<rlock::ClearsTheOwnerLate>();
}

#[test]
#[should_panic(expected = "Causality violation")]
fn finds_an_owner_that_is_never_cleared() {
    two_take_two_levels::<rlock::LeavesTheOwnerThere>();
}

#[test]
#[should_panic(expected = "owns what it never took")]
fn finds_a_number_that_is_given_again() {
    nobody_inherits::<rlock::GivenAgain>();
}

// Iterators

/// Two threads pull until they are told the end.
fn two_share<I: SharedIter>() {
    in_many_ways(3, || {
        let items = Arc::new(I::new());
        let theirs = items.clone();
        let count = |items: &I| std::iter::from_fn(|| items.next()).count();
        let other = thread::spawn(move || count(&theirs));
        let ours = count(&items);
        assert_eq!(ours + other.join().unwrap(), 2, "items after the end");
    });
}

#[test]
fn the_right_iterator_is_shared() {
    two_share::<shared_iter::EndsOnce>();
}

#[test]
#[should_panic(expected = "Causality violation")]
fn finds_an_iterator_that_is_unlocked_before_it_has_stepped_on() {
    two_share::<shared_iter::UnlocksBeforeItStores>();
}

#[test]
#[should_panic(expected = "items after the end")]
fn finds_an_iterator_that_is_asked_after_its_end() {
    two_share::<shared_iter::AsksAfterTheEnd>();
}

#[test]
#[should_panic(expected = "items after the end")]
fn finds_an_iterator_whose_end_is_looked_for_without_the_lock_alone() {
    two_share::<shared_iter::LooksForTheEndOutside>();
}

// Queues

/// Two wait to get an item each; as many are put in, by so many threads.
fn two_get_an_item_each<Q: Queue>(capacity: usize, putters: usize) {
    in_many_ways(1, move || {
        let queue = Arc::new(Q::made_of(Parts::new(capacity)));
        let getters = [(); 2].map(|()| {
            let theirs = queue.clone();
            thread::spawn(move || theirs.get().is_some())
        });
        until_waits(2);
        let others: Vec<_> = (1..putters)
            .map(|_| {
                let theirs = queue.clone();
                thread::spawn(move || theirs.put(1))
            })
            .collect();
        (putters - 1..2).for_each(|_| queue.put(2));
        assert!(getters.into_iter().all(|getter| getter.join().unwrap()));
        others.into_iter().for_each(|other| other.join().unwrap());
    });
}

/// One joins while the other does the work that there is.
fn a_join_waits_for_the_work<Q: Queue>() {
    in_many_ways(3, || {
        let shared = Arc::new((Q::made_of(Parts::new(1)), Unprotected::new(0)));
        shared.0.put(1);
        let theirs = shared.clone();
        let worker = thread::spawn(move || {
            assert!(theirs.0.get().is_some());
            theirs.1.set(1);
            theirs.0.task_done();
        });
        shared.0.join();
        assert_eq!(shared.1.get(), 1);
        worker.join().unwrap();
    });
}

fn two_find_it_closed<Q: Queue>() {
    in_many_ways(2, || {
        let queue = Arc::new(Q::made_of(Parts::new(1)));
        let getters = [(); 2].map(|()| {
            let theirs = queue.clone();
            thread::spawn(move || theirs.get().is_none())
        });
        queue.close();
        assert!(getters.into_iter().all(|getter| getter.join().unwrap()));
    });
}

/// An item comes as the time of the only one who waits runs out.
fn no_item_is_lost<Q: HandingOver>() {
    in_many_ways(4, || {
        let queue = Arc::new(Q::new());
        let theirs = queue.clone();
        let other = thread::spawn(move || theirs.get_until(Deadline::after(SOON)));
        queue.put(7);
        let got = other.join().unwrap();
        let left = queue.get_until(Deadline::after(Duration::ZERO));
        assert_eq!(got.xor(left), Some(7), "the item is lost");
    });
}

/// Room is made as somebody looks for it.
fn a_put_finds_room<Q: TwoEnded>() {
    in_many_ways(4, || {
        let queue = Arc::new(Q::made_of(Ends::new()));
        let theirs = queue.clone();
        let other = thread::spawn(move || theirs.put());
        queue.get();
        other.join().unwrap();
    });
}

#[test]
fn the_right_queue_gives_two_an_item_each() {
    two_get_an_item_each::<queue::Recipe>(2, 1);
}

#[test]
fn the_right_queue_with_little_room_gives_two_an_item_each() {
    two_get_an_item_each::<queue::Recipe>(1, 2);
}

#[test]
fn the_right_queue_lets_a_join_wait_for_the_work() {
    a_join_waits_for_the_work::<queue::Recipe>();
}

#[test]
fn the_right_queue_is_closed_for_all() {
    two_find_it_closed::<queue::Recipe>();
}

#[test]
fn the_right_queue_that_hands_over_loses_no_item() {
    no_item_is_lost::<queue::WaitsForItsItem>();
}

#[test]
fn the_right_queue_with_two_locks_finds_room() {
    a_put_finds_room::<queue_ends::MarksUnderBoth>();
}

#[test]
#[should_panic(expected = "deadlock")]
fn finds_a_mark_that_is_left_without_the_lock_of_who_looks_for_it() {
    a_put_finds_room::<queue_ends::MarksAndLooksAgain>();
}

#[test]
#[should_panic(expected = "deadlock")]
fn finds_one_condition_for_items_and_for_room() {
    two_get_an_item_each::<queue::OneConditionForBoth>(1, 2);
}

#[test]
#[should_panic(expected = "deadlock")]
fn finds_a_notification_of_the_first_item_alone() {
    two_get_an_item_each::<queue::NotifiesOfTheFirst>(2, 1);
}

#[test]
#[should_panic(expected = "Causality violation")]
fn finds_a_join_that_looks_at_the_length() {
    a_join_waits_for_the_work::<queue::JoinsTheLength>();
}

#[test]
#[should_panic(expected = "deadlock")]
fn finds_an_end_that_one_thread_is_told_of() {
    two_find_it_closed::<queue::ClosesForOne>();
}

#[test]
#[should_panic(expected = "the item is lost")]
fn finds_a_thread_that_leaves_without_the_item_it_is_given() {
    no_item_is_lost::<queue::LeavesWithoutItsItem>();
}

// Several locks at once

/// Two locks, in this order in memory, each with a number under it.
#[derive(Clone)]
struct Two(Arc<([ThreeStates; 2], [Unprotected; 2])>);

impl Two {
    fn new() -> Self {
        let locks = [(); 2].map(|()| ThreeStates::new());
        Self(Arc::new((locks, [(); 2].map(|()| Unprotected::new(0)))))
    }

    fn locks(&self) -> [&ThreeStates; 2] {
        self.0.0.each_ref()
    }

    /// For a thread that has both.
    fn add_one_and_release(&self) -> [u32; 2] {
        self.0.1.iter().for_each(Unprotected::add_one);
        let now = self.0.1.each_ref().map(Unprotected::get);
        self.locks().into_iter().rev().for_each(ThreeStates::release);
        now
    }
}

fn two_want_both_in_opposite_orders<B: Both>() {
    in_many_ways(2, || {
        let shared = Two::new();
        let theirs = shared.clone();
        let other = thread::spawn(move || {
            let [first, second] = theirs.locks();
            assert!(B::acquire([second, first]));
            theirs.add_one_and_release();
        });
        assert!(B::acquire(shared.locks()));
        shared.add_one_and_release();
        other.join().unwrap();
        assert!(B::acquire(shared.locks()));
        assert_eq!(shared.add_one_and_release(), [3, 3]);
    });
}

fn one_wants_the_same_twice<B: Both>() {
    in_many_ways(2, || {
        let lock = ThreeStates::new();
        assert!(!B::acquire([&lock, &lock]));
        lock.acquire();
        lock.release();
    });
}

/// One gives up on the second lock, or does not. Then another one takes both.
fn one_of_two_who_want_both_gives_up<B: Both, T: BothInTime>() {
    in_many_ways(2, || {
        let shared = Two::new();
        let theirs = shared.clone();
        shared.locks()[1].acquire();
        let hasty = thread::spawn(move || {
            if T::acquire_timeout(theirs.locks(), SOON) {
                theirs.add_one_and_release();
            }
        });
        shared.locks()[1].release();
        assert!(B::acquire(shared.locks()));
        shared.add_one_and_release();
        hasty.join().unwrap();
    });
}

#[test]
fn the_right_order_lets_two_have_both_in_turns() {
    two_want_both_in_opposite_orders::<ByAddress>();
}

#[test]
fn the_right_order_refuses_the_same_twice() {
    one_wants_the_same_twice::<ByAddress>();
}

#[test]
fn the_right_order_leaves_nothing_taken_when_a_thread_gives_up() {
    one_of_two_who_want_both_gives_up::<ByAddress, ByAddress>();
}

#[test]
#[should_panic(expected = "deadlock")]
fn finds_two_locks_that_are_taken_as_they_are_given() {
    two_want_both_in_opposite_orders::<acquire_all::AsGiven>();
}

#[test]
#[should_panic(expected = "exceeded max")]
fn finds_a_thread_that_tries_again_and_keeps_what_it_has() {
    two_want_both_in_opposite_orders::<acquire_all::KeepsTheFirst>();
}

#[test]
#[should_panic(expected = "deadlock")]
fn finds_an_order_of_the_references_and_not_of_the_locks() {
    two_want_both_in_opposite_orders::<acquire_all::SortsTheReferences>();
}

#[test]
#[should_panic(expected = "deadlock")]
fn finds_a_lock_that_is_taken_twice_at_once() {
    one_wants_the_same_twice::<acquire_all::TakesTheSameTwice>();
}

#[test]
#[should_panic(expected = "deadlock")]
fn finds_a_thread_that_gives_up_and_leaves_the_first_lock_taken() {
    one_of_two_who_want_both_gives_up::<ByAddress, acquire_all::LeavesTheFirst>();
}

// Parallel maps

/// One works, and another one asks until the end.
fn one_works_and_one_asks<M: ParMap>() {
    in_many_ways(2, || {
        let map = Arc::new(M::new());
        let theirs = map.clone();
        let worker = thread::spawn(move || theirs.work());
        let results: Vec<_> = std::iter::from_fn(|| map.next()).collect();
        assert_eq!(results, [0, 10]);
        worker.join().unwrap();
    });
}

#[test]
fn the_right_map_is_worked_at_by_one() {
    one_works_and_one_asks::<par_map::RoomFirst>();
}

#[test]
fn the_right_map_is_worked_at_by_whoever_asks_too() {
    one_works_and_one_asks::<par_map::HelpsWhereThereIsRoom>();
}

#[test]
#[should_panic(expected = "more is in flight than may be")]
fn finds_an_item_that_is_taken_before_there_is_room() {
    one_works_and_one_asks::<par_map::ItemFirst>();
}

#[test]
#[should_panic(expected = "deadlock")]
fn finds_a_worker_that_waits_for_room_under_the_lock() {
    one_works_and_one_asks::<par_map::WaitsUnderTheLock>();
}

#[test]
#[should_panic(expected = "Causality violation")]
fn finds_room_that_is_given_back_before_the_result_is_read() {
    one_works_and_one_asks::<par_map::GivesRoomBeforeItReads>();
}

#[test]
#[should_panic(expected = "deadlock")]
fn finds_one_who_waits_for_room_and_is_to_make_it() {
    one_works_and_one_asks::<par_map::HelpsAndWaits>();
}

// Values made at their first use

/// Two threads want the value at once.
fn it_is_made_once<O: Once>() {
    in_many_ways(3, || {
        let shared = Arc::new((O::new(), AtomicU32::new(0)));
        let theirs = shared.clone();
        let get = |shared: &(O, AtomicU32)| {
            let value = shared.0.get(|| {
                assert_eq!(shared.1.fetch_add(1, Relaxed), 0, "made twice");
                7
            });
            assert_eq!(value, 7);
        };
        let other = thread::spawn(move || get(&theirs));
        get(&shared);
        other.join().unwrap();
    });
}

#[test]
fn the_right_value_is_made_once() {
    it_is_made_once::<once::ChecksTwice>();
}

#[test]
#[should_panic(expected = "Causality violation")]
fn finds_a_first_look_that_does_not_see_the_value() {
    it_is_made_once::<once::ChecksRelaxed>();
}

#[test]
#[should_panic(expected = "made twice")]
fn finds_a_value_that_is_made_without_a_second_look() {
    it_is_made_once::<once::ChecksOnce>();
}

#[test]
#[should_panic(expected = "Causality violation")]
fn finds_a_flag_that_is_raised_before_the_value_is_made() {
    it_is_made_once::<once::MarksFirst>();
}

// What takes more threads than these models have: `../random` finds it.

#[test]
fn does_not_find_a_count_that_comes_round_with_a_fourth_waiter() {
    two_take_turns::<many::CountsInTwoBits>();
    three_take_turns::<many::CountsInTwoBits>();
}

#[test]
fn does_not_find_a_wake_that_is_enough_for_four() {
    a_set_publishes::<many::WakesABatch>();
    a_wait_waits::<many::WakesABatch>();
}

#[test]
fn does_not_find_a_round_that_comes_back() {
    two_pass::<many::TurnsABit>(1);
    two_pass::<many::TurnsABit>(2);
    each_sees_both::<many::TurnsABit>();
    a_reset_releases::<many::TurnsABit>();
}
