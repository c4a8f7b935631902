//! The semaphores, sentence by sentence of their contract.

mod checking;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use checking::{Seen, Slot, Unprotected, check_bounded, cost, costs};
use futon_model::atomic::model::{Calls, calls, check};
use futon_model::atomic::{AtomicU32, Ordering::Relaxed, yield_now};
use futon_model::{BoundedSemaphore, Permit, Semaphore};
use loom::thread;

const SOON: Duration = Duration::from_secs(1);
const MAX: u32 = Semaphore::MAX_PERMITS;

/// A semaphore, and a number that it protects if it has one permit.
struct Guarded {
    semaphore: Arc<Semaphore>,
    value: Unprotected,
}

type Shared = Arc<Guarded>;

fn shared(permits: u32) -> Shared {
    Arc::new(Guarded { semaphore: Arc::new(Semaphore::new(permits)), value: Unprotected::new(0) })
}

/// Nobody waits, and no mark of those who did has stayed: what there is can be had, and given back without
/// a call of the futex.
#[track_caller]
fn assert_rests(semaphore: &Semaphore, available: u32) {
    assert_eq!((semaphore.available(), semaphore.waiters()), (available, 0));
    let before = calls();
    let all = semaphore.try_acquire_many(available).expect("kept for somebody who is gone");
    assert!(semaphore.try_acquire().is_none());
    assert!(semaphore.acquire_timeout(Duration::ZERO).is_none());
    drop(all);
    semaphore.release(1).unwrap();
    semaphore.acquire().forget();
    assert_eq!(calls(), before);
}

fn until_waiting(semaphore: &Semaphore, threads: usize) {
    while semaphore.waiters() < threads {
        yield_now();
    }
}

// As a lock

/// Takes the permit in some way, adds one if it has it, gives it back in some way. Returns how many it added.
type Way = fn(&Guarded) -> u32;

/// Threads that take the one permit at once, each in its way, lose nothing of what they add.
fn take_turns<const N: usize>(preemptions: usize, ways: [Way; N]) {
    check_bounded(preemptions, move || {
        let shared = shared(1);
        let [ours, others @ ..] = &ways[..] else { unreachable!() };
        let others: Vec<_> = others
            .iter()
            .map(|&way| {
                let shared = shared.clone();
                thread::spawn(move || way(&shared))
            })
            .collect();
        let ours = ours(&shared);
        let sum = others.into_iter().map(|other| other.join().unwrap()).sum::<u32>() + ours;
        assert_rests(&shared.semaphore, 1);
        let _permit = shared.semaphore.acquire();
        assert_eq!(shared.value.get(), sum);
    });
}

fn with(shared: &Guarded, permit: Option<Permit<'_>>) -> u32 {
    permit.map_or(0, |_permit| {
        shared.value.add_one();
        1
    })
}

fn acquiring(shared: &Guarded) -> u32 {
    with(shared, Some(shared.semaphore.acquire()))
}

fn acquiring_twice(shared: &Guarded) -> u32 {
    acquiring(shared) + acquiring(shared)
}

fn trying(shared: &Guarded) -> u32 {
    with(shared, shared.semaphore.try_acquire())
}

fn with_a_timeout(shared: &Guarded) -> u32 {
    with(shared, shared.semaphore.acquire_timeout(SOON))
}

fn with_a_deadline(shared: &Guarded) -> u32 {
    with(shared, shared.semaphore.acquire_deadline(Instant::now() + SOON))
}

fn owning(shared: &Guarded) -> u32 {
    let _permit = shared.semaphore.acquire_arc();
    shared.value.add_one();
    1
}

fn releasing_by_hand(shared: &Guarded) -> u32 {
    shared.semaphore.acquire().forget();
    shared.value.add_one();
    shared.semaphore.release(1).unwrap();
    1
}

fn panicking(shared: &Guarded) -> u32 {
    let panic = catch_unwind(AssertUnwindSafe(|| {
        acquiring_and(shared, || resume_unwind(Box::new(())));
    }));
    assert!(panic.is_err());
    1
}

fn acquiring_and(shared: &Guarded, then: impl FnOnce()) {
    let _permit = shared.semaphore.acquire();
    shared.value.add_one();
    then();
}

#[test]
fn two_threads_take_turns() {
    take_turns(3, [acquiring, acquiring]);
    take_turns(2, [acquiring_twice, acquiring_twice]);
}

#[test]
fn three_threads_take_turns() {
    take_turns(1, [acquiring, acquiring, acquiring]);
}

#[test]
fn a_thread_that_only_tries_takes_its_turn() {
    take_turns(4, [acquiring, trying]);
    take_turns(3, [acquiring_twice, trying]);
    take_turns(1, [acquiring, trying, acquiring]);
}

#[test]
fn a_thread_with_a_limit_takes_its_turn() {
    take_turns(3, [acquiring, with_a_timeout]);
    take_turns(3, [with_a_deadline, acquiring]);
    take_turns(2, [with_a_timeout, with_a_timeout]);
}

#[test]
fn however_it_is_given_back_the_next_one_takes_its_turn() {
    take_turns(3, [owning, acquiring]);
    take_turns(3, [releasing_by_hand, acquiring]);
    take_turns(3, [panicking, with_a_timeout]);
}

// What happened before a release is seen by whoever acquires

/// Publishes, each time with one more permit than before, to a thread that acquires in some way.
fn publish(preemptions: usize, acquire: fn(&Semaphore) -> bool) {
    check_bounded(preemptions, move || {
        let shared = shared(0);
        let theirs = shared.clone();
        let other = thread::spawn(move || {
            theirs.value.set(1);
            theirs.semaphore.release(1).unwrap();
        });
        let has_it = acquire(&shared.semaphore);
        if has_it {
            assert_eq!(shared.value.get(), 1);
        }
        other.join().unwrap();
        assert_rests(&shared.semaphore, u32::from(!has_it));
    });
}

#[test]
fn those_who_have_never_acquired_publish_too() {
    publish(3, |semaphore| {
        semaphore.acquire().forget();
        true
    });
    publish(3, |semaphore| semaphore.try_acquire().map(Permit::forget).is_some());
    publish(3, |semaphore| semaphore.acquire_timeout(SOON).map(Permit::forget).is_some());
}

/// Of many permits one is taken at a time, and by threads that have acquired others.
#[test]
fn what_was_published_with_many_permits_is_seen_with_each_of_them() {
    check_bounded(1, || {
        let shared = shared(0);
        let readers = [(); 2].map(|()| {
            let theirs = shared.clone();
            thread::spawn(move || {
                theirs.semaphore.acquire().forget();
                assert_eq!(theirs.value.get(), 1);
            })
        });
        shared.value.set(1);
        shared.semaphore.release(2).unwrap();
        readers.into_iter().for_each(|reader| reader.join().unwrap());
        assert_rests(&shared.semaphore, 0);
    });
}

/// Who takes permits of two threads at once sees what both have done.
#[test]
fn what_two_have_published_is_seen_by_one() {
    check_bounded(1, || {
        let shared = Arc::new((Semaphore::new(0), [Unprotected::new(0), Unprotected::new(0)]));
        let writers = [0, 1].map(|number| {
            let theirs = shared.clone();
            thread::spawn(move || {
                theirs.1[number].set(1);
                theirs.0.release(1).unwrap();
            })
        });
        shared.0.acquire_many(2).forget();
        assert_eq!(shared.1.each_ref().map(Unprotected::get), [1, 1]);
        writers.into_iter().for_each(|writer| writer.join().unwrap());
        assert_rests(&shared.0, 0);
    });
}

// Nobody is forgotten

/// So many permits in some way. Returns how many of them it has got, and forgets them.
type Takes = fn(&Semaphore) -> u32;

fn one(semaphore: &Semaphore) -> u32 {
    semaphore.acquire().forget();
    1
}

fn two(semaphore: &Semaphore) -> u32 {
    semaphore.acquire_many(2).forget();
    2
}

fn one_in_time(semaphore: &Semaphore) -> u32 {
    forget(semaphore.acquire_timeout(SOON))
}

fn two_in_time(semaphore: &Semaphore) -> u32 {
    forget(semaphore.acquire_many_timeout(2, SOON))
}

fn one_at_once(semaphore: &Semaphore) -> u32 {
    forget(semaphore.try_acquire())
}

fn one_in_time_for_a_while(semaphore: &Semaphore) -> u32 {
    drop(semaphore.acquire_timeout(SOON));
    0
}

fn two_in_time_for_a_while(semaphore: &Semaphore) -> u32 {
    drop(semaphore.acquire_many_timeout(2, SOON));
    0
}

/// Takes one and gives it back.
fn one_for_a_while(semaphore: &Semaphore) -> u32 {
    drop(semaphore.acquire());
    0
}

fn two_for_a_while(semaphore: &Semaphore) -> u32 {
    drop(semaphore.acquire_many(2));
    0
}

fn forget(permit: Option<Permit<'_>>) -> u32 {
    permit.map_or(0, |permit| {
        let count = permit.count();
        permit.forget();
        count
    })
}

/// The first thread releases permits in parts, the others take some. All get them, but for those whose time
/// runs out; and nothing of those stays, and no permit is lost.
fn released_to<const N: usize>(preemptions: usize, parts: &'static [u32], takes: [Takes; N]) {
    check_bounded(preemptions, move || {
        let semaphore = Arc::new(Semaphore::new(0));
        let others = takes.map(|takes| {
            let semaphore = semaphore.clone();
            thread::spawn(move || takes(&semaphore))
        });
        parts.iter().for_each(|&permits| semaphore.release(permits).unwrap());
        let taken = others.map(|other| other.join().unwrap()).into_iter().sum::<u32>();
        assert_rests(&semaphore, parts.iter().sum::<u32>() - taken);
    });
}

/// H6: a release that finds nobody marked as asleep must not leave the wake out too early.
#[test]
fn a_release_while_a_thread_goes_to_sleep_is_not_lost() {
    released_to(4, &[1], [one]);
    released_to(3, &[1, 1], [two]);
    released_to(3, &[1, 1, 1], [two]);
}

#[test]
fn one_release_is_enough_for_two_who_sleep() {
    released_to(1, &[2], [one, one]);
    released_to(1, &[3], [one, two]);
    released_to(1, &[3], [two, one]);
}

#[test]
fn one_release_is_enough_for_three_who_sleep() {
    released_to(1, &[3], [one, one, one]);
}

#[test]
fn two_releases_are_enough_for_two_who_sleep() {
    released_to(1, &[1, 1], [one, one]);
    released_to(1, &[1, 2], [one, two]);
    released_to(1, &[2, 1], [two, one]);
}

/// What the second one needs the first one gives back.
#[test]
fn one_permit_is_enough_for_two_who_give_it_back() {
    released_to(1, &[1], [one_for_a_while, one_for_a_while]);
    released_to(1, &[2], [two_for_a_while, one_for_a_while]);
}

#[test]
fn a_release_while_a_thread_gives_up_is_not_lost() {
    released_to(3, &[1], [one_in_time]);
    released_to(2, &[1], [two_in_time]);
    released_to(2, &[1, 1], [two_in_time]);
}

/// Be it the head of the line or not.
#[test]
fn a_thread_that_gives_up_does_not_strand_the_next() {
    released_to(1, &[1], [one_in_time_for_a_while, one]);
    released_to(1, &[1], [two_in_time, one]);
    released_to(1, &[2], [two_in_time_for_a_while, two]);
}

#[test]
fn two_threads_may_give_up() {
    released_to(1, &[1], [one_in_time, one_in_time]);
    released_to(1, &[2], [two_in_time, one_in_time]);
}

#[test]
fn those_who_wait_are_not_forgotten_for_those_who_only_come_by() {
    released_to(2, &[2], [one, one_at_once]);
    released_to(1, &[1, 2], [two, one_at_once]);
}

/// What a first round leaves behind, a second one would stumble over.
#[test]
fn the_semaphore_is_as_new_after_a_round() {
    for first in [one as Takes, one_in_time, two_in_time] {
        check_bounded(2, move || {
            let semaphore = Arc::new(Semaphore::new(0));
            for takes in [first, one] {
                let theirs = semaphore.clone();
                let other = thread::spawn(move || takes(&theirs));
                semaphore.release(2).unwrap();
                let left = 2 - other.join().unwrap();
                assert_rests(&semaphore, left);
                semaphore.acquire_many(left).forget();
            }
        });
    }
}

// All or none

/// H29: if each of two threads had one half of what both need, none would get the rest.
#[test]
fn two_threads_do_not_share_what_both_need() {
    check_bounded(2, || {
        let semaphore = Arc::new(Semaphore::new(3));
        let theirs = semaphore.clone();
        let other = thread::spawn(move || two_for_a_while(&theirs));
        two_for_a_while(&semaphore);
        two_for_a_while(&semaphore);
        other.join().unwrap();
        assert_rests(&semaphore, 3);
    });
}

#[test]
fn many_are_had_beside_those_who_take_one() {
    for takes in [[two_for_a_while, one_for_a_while], [one_for_a_while, two_for_a_while]] {
        check_bounded(1, move || {
            let semaphore = Arc::new(Semaphore::new(2));
            let others = takes.map(|takes| {
                let semaphore = semaphore.clone();
                thread::spawn(move || takes(&semaphore))
            });
            one_for_a_while(&semaphore);
            others.into_iter().for_each(|other| _ = other.join().unwrap());
            assert_rests(&semaphore, 2);
        });
    }
}

/// Never are more permits out than there are.
#[test]
fn no_permit_is_had_by_two() {
    check_bounded(1, || {
        let shared = Arc::new((Semaphore::new(2), AtomicU32::new(0)));
        let uses = |shared: &(Semaphore, AtomicU32), permits: u32| {
            let _permit = shared.0.acquire_many(permits);
            assert!(shared.1.fetch_add(permits, Relaxed) + permits <= 2);
            shared.1.fetch_sub(permits, Relaxed);
        };
        let others = [1, 2].map(|permits| {
            let shared = shared.clone();
            thread::spawn(move || uses(&shared, permits))
        });
        uses(&shared, 1);
        others.into_iter().for_each(|other| other.join().unwrap());
        assert_rests(&shared.0, 2);
    });
}

#[test]
fn none_are_had_at_once() {
    check_bounded(3, || {
        let semaphore = Arc::new(Semaphore::new(0));
        let theirs = semaphore.clone();
        let other = thread::spawn(move || two(&theirs));
        drop(semaphore.acquire_many(0));
        semaphore.release(1).unwrap();
        drop(semaphore.acquire_many(0));
        assert!(semaphore.try_acquire_many(0).is_some());
        semaphore.release(0).unwrap();
        semaphore.release(1).unwrap();
        other.join().unwrap();
        assert_rests(&semaphore, 0);
    });
}

// Time

#[test]
fn a_timeout_may_run_out_and_may_not() {
    static SEEN: Seen<u32> = Seen::new();
    check_bounded(4, || {
        let semaphore = Arc::new(Semaphore::new(1));
        let theirs = semaphore.clone();
        let other = thread::spawn(move || two_in_time(&theirs));
        semaphore.release(1).unwrap();
        let taken = other.join().unwrap();
        SEEN.add(taken);
        assert_rests(&semaphore, 2 - taken);
    });
    SEEN.assert_is([0, 2]);
}

#[test]
fn a_timeout_runs_out_where_nothing_is_released() {
    check_bounded(4, || {
        let semaphore = Arc::new(Semaphore::new(1));
        let theirs = semaphore.clone();
        let other = thread::spawn(move || {
            assert!(theirs.acquire_many_timeout(2, SOON).is_none());
            assert!(theirs.acquire_many_deadline(2, Instant::now() + SOON).is_none());
        });
        other.join().unwrap();
        assert_rests(&semaphore, 1);
    });
}

#[test]
fn no_time_at_all_is_a_try() {
    check(|| {
        let semaphore = Semaphore::new(1);
        let past = Instant::now();
        assert!(semaphore.acquire_timeout(Duration::ZERO).is_some());
        assert!(semaphore.acquire_deadline(past).is_some());
        assert!(semaphore.acquire_many_timeout(2, Duration::ZERO).is_none());
        assert!(semaphore.acquire_many_deadline(2, past).is_none());
        assert_eq!(calls(), Calls::default());
        assert_rests(&semaphore, 1);
    });
}

#[test]
fn the_longest_timeout_does_not_run_out() {
    check_bounded(4, || {
        let semaphore = Arc::new(Semaphore::new(0));
        let theirs = semaphore.clone();
        let other = thread::spawn(move || forget(theirs.acquire_timeout(Duration::MAX)));
        semaphore.release(1).unwrap();
        assert_eq!(other.join().unwrap(), 1);
        assert_rests(&semaphore, 0);
    });
}

// Who is next

/// Tries to overtake a thread that waits for two of them, which is woken by each release: a second permit is
/// acquired before the first one is released. Both together are there only if there are none to be had.
#[test]
fn a_thread_that_has_waited_long_is_not_overtaken() {
    static SEEN: Seen<(bool, bool)> = Seen::new();
    check_bounded(2, || {
        let semaphore = Arc::new(Semaphore::new(0));
        let theirs = semaphore.clone();
        let large = thread::spawn(move || two(&theirs));
        until_waiting(&semaphore, 1);
        semaphore.release(1).unwrap();
        let first = semaphore.try_acquire();
        let overtakes = first.is_some();
        if let Some(first) = first {
            drop(first);
        } else {
            // It is there, and kept. Nobody else gets it, now or later.
            assert_eq!((semaphore.available(), semaphore.waiters()), (1, 1));
            assert!(semaphore.try_acquire().is_none());
            assert!(semaphore.acquire_timeout(Duration::ZERO).is_none());
        }
        let again = semaphore.try_acquire();
        SEEN.add((overtakes, again.is_some()));
        assert!(overtakes || again.is_none());
        drop(again);
        semaphore.release(1).unwrap();
        large.join().unwrap();
        assert_rests(&semaphore, 0);
    });
    SEEN.assert_is([(false, false), (true, false), (true, true)]);
}

/// Nor by a newcomer with a limit, which gives up in the line behind it.
#[test]
fn a_newcomer_gives_up_on_what_is_kept_for_another() {
    static SEEN: Seen<(u32, u32)> = Seen::new();
    check_bounded(1, || {
        let semaphore = Arc::new(Semaphore::new(0));
        let theirs = semaphore.clone();
        let large = thread::spawn(move || two_in_time(&theirs));
        until_asked(&semaphore);
        semaphore.release(1).unwrap();
        let ours = one_in_time(&semaphore);
        semaphore.release(1).unwrap();
        let large = large.join().unwrap();
        SEEN.add((large, ours));
        assert_rests(&semaphore, 2 - large - ours);
    });
    SEEN.assert_is([(0, 0), (0, 1), (2, 0)]);
}

/// Somebody is there, or has given up already.
fn until_asked(semaphore: &Semaphore) {
    while semaphore.waiters() == 0 && calls().waits == 0 {
        yield_now();
    }
}

/// What was kept for it is for all again.
#[test]
fn a_thread_that_has_waited_long_and_gives_up_leaves_no_mark() {
    static SEEN: Seen<(bool, u32)> = Seen::new();
    check_bounded(2, || {
        let semaphore = Arc::new(Semaphore::new(0));
        let theirs = semaphore.clone();
        let large = thread::spawn(move || two_in_time(&theirs));
        semaphore.release(1).unwrap();
        let kept = semaphore.try_acquire().is_none();
        let taken = large.join().unwrap();
        SEEN.add((kept, taken));
        assert_rests(&semaphore, 1);
    });
    SEEN.assert_is([(false, 0), (true, 0)]);
}

/// A newcomer may have what is released before the thread that it wakes has come, if that has not waited long.
#[test]
fn a_newcomer_may_overtake_a_waiter() {
    static SEEN: Seen<(bool, usize)> = Seen::new();
    check_bounded(2, || {
        let semaphore = Arc::new(Semaphore::new(0));
        let theirs = semaphore.clone();
        let waiter = thread::spawn(move || one_for_a_while(&theirs));
        // As it sleeps nothing is kept for it yet.
        while calls().waits == 0 {
            yield_now();
        }
        semaphore.release(1).unwrap();
        let permit = semaphore.try_acquire();
        SEEN.add((permit.is_some(), semaphore.waiters()));
        drop(permit);
        waiter.join().unwrap();
        assert_rests(&semaphore, 1);
    });
    SEEN.assert_is([(true, 1), (true, 0), (false, 1), (false, 0)]);
}

// Too many

/// H28: there is room for one more.
#[test]
fn of_two_releases_for_which_there_is_no_room_one_is_an_error() {
    check_bounded(4, || {
        let semaphore = Arc::new(Semaphore::new(MAX - 1));
        let theirs = semaphore.clone();
        let other = thread::spawn(move || theirs.release(1).is_err());
        let ours = semaphore.release(1).is_err();
        assert_ne!(ours, other.join().unwrap());
        assert_eq!(semaphore.available(), MAX);
        assert!(semaphore.release(1).is_err());
    });
    check_bounded(4, || {
        let semaphore = Arc::new(BoundedSemaphore::new(3));
        semaphore.acquire_many(2).forget();
        let theirs = semaphore.clone();
        let other = thread::spawn(move || theirs.release(2).is_err());
        let ours = semaphore.release(1).is_err();
        let theirs = other.join().unwrap();
        assert_ne!(ours, theirs);
        assert_eq!(semaphore.available(), if theirs { 2 } else { 3 });
    });
}

/// Also while a thread waits: that one is left alone by what fails.
#[test]
fn there_are_never_more_than_the_limit() {
    static SEEN: Seen<(bool, usize)> = Seen::new();
    check_bounded(2, || {
        let semaphore = Arc::new(BoundedSemaphore::new(2));
        let permit = semaphore.acquire();
        let theirs = semaphore.clone();
        let other = thread::spawn(move || {
            let all = theirs.acquire_many(2);
            assert_eq!((all.count(), theirs.available()), (2, 0));
        });
        let too_much = semaphore.release(2).is_err();
        semaphore.release(0).unwrap();
        SEEN.add((too_much, calls().wakes));
        assert!(semaphore.available() <= 2);
        drop(permit);
        assert!(semaphore.available() <= 2);
        other.join().unwrap();
        assert_eq!((semaphore.available(), semaphore.waiters()), (2, 0));
        assert!(semaphore.release(1).is_err());
    });
    SEEN.assert_is([(true, 0)]);
}

/// With a limit of one it is a lock.
#[test]
fn a_bounded_semaphore_lets_in_as_many_as_it_has() {
    check_bounded(3, || {
        let shared = Arc::new((BoundedSemaphore::new(1), Unprotected::new(0)));
        let theirs = shared.clone();
        let other = thread::spawn(move || {
            let permit = theirs.0.acquire();
            theirs.1.add_one();
            permit.release().unwrap();
        });
        let permit = shared.0.acquire_timeout(SOON);
        if permit.is_some() {
            shared.1.add_one();
        }
        drop(permit);
        other.join().unwrap();
        assert!(shared.0.release(1).is_err());
        assert_eq!((shared.0.available(), shared.0.waiters()), (1, 0));
    });
}

// Nothing is touched after the release

#[test]
fn a_semaphore_may_be_freed_by_whoever_gets_the_permit() {
    for permits in [1, 2] {
        check_bounded(3, move || {
            let slot = Arc::new(Slot::new(Semaphore::new(0)));
            let theirs = slot.clone();
            let other = thread::spawn(move || {
                theirs.get().acquire_many(permits).forget();
                theirs.free();
            });
            // The other thread may be through before this is.
            for _ in 1..permits {
                slot.get().release(1).unwrap();
            }
            slot.get().release(1).unwrap();
            other.join().unwrap();
        });
    }
}

#[test]
fn a_semaphore_may_be_freed_by_whoever_gets_the_permit_of_another() {
    check_bounded(3, || {
        let slot = Arc::new(Slot::new(BoundedSemaphore::new(1)));
        let permit = slot.get().acquire();
        let theirs = slot.clone();
        let other = thread::spawn(move || {
            drop(theirs.get().acquire());
            theirs.free();
        });
        drop(permit);
        other.join().unwrap();
    });
}

#[test]
fn a_semaphore_may_be_freed_by_the_last_of_two_who_wait() {
    check_bounded(1, || {
        let slot = Arc::new(Slot::new((Semaphore::new(0), AtomicU32::new(0))));
        let others = [(); 2].map(|()| {
            let slot = slot.clone();
            thread::spawn(move || {
                let permit = slot.get().0.acquire();
                let is_last = slot.get().1.fetch_add(1, Relaxed) == 1;
                drop(permit);
                if is_last {
                    slot.free();
                }
            })
        });
        slot.get().0.release(1).unwrap();
        others.into_iter().for_each(|other| other.join().unwrap());
    });
}

/// The permit is its last owner.
#[test]
fn a_semaphore_ends_with_its_last_permit() {
    check_bounded(3, || {
        let semaphore = Arc::new(Semaphore::new(1));
        let permit = semaphore.acquire_arc();
        let other = thread::spawn(move || {
            drop(semaphore.acquire_timeout(SOON));
            drop(semaphore);
        });
        permit.release().unwrap();
        other.join().unwrap();
    });
}

// No call of the futex without need

#[test]
fn where_nobody_waits_nobody_is_called() {
    check(|| {
        let semaphore = Arc::new(Semaphore::new(3));
        let mut permits = semaphore.acquire_many(3);
        assert!(semaphore.try_acquire().is_none());
        assert!(semaphore.acquire_timeout(Duration::ZERO).is_none());
        drop(permits.split(1));
        drop(permits);
        drop(semaphore.acquire_arc());
        assert!(semaphore.release(MAX).is_err());
        assert_eq!(calls(), Calls::default());
        assert_rests(&semaphore, 3);
    });
}

/// As often as there was a release or a thread has left the line, and not once for each permit.
#[test]
fn a_release_wakes_one_of_two_waiters() {
    check_bounded(1, || {
        let semaphore = Arc::new(Semaphore::new(0));
        let others = [(); 2].map(|()| {
            let semaphore = semaphore.clone();
            thread::spawn(move || one(&semaphore))
        });
        semaphore.release(2).unwrap();
        others.into_iter().for_each(|other| _ = other.join().unwrap());
        assert!(calls().woken <= 2 && calls().wakes <= 2, "{:?}", calls());
        assert_rests(&semaphore, 0);
    });
}

/// A thread that has been woken and is on its way is not woken again.
#[test]
fn a_waiter_on_its_way_is_not_woken_again() {
    check_bounded(2, || {
        let semaphore = Arc::new(Semaphore::new(0));
        let theirs = semaphore.clone();
        let other = thread::spawn(move || two(&theirs));
        for _ in 0..3 {
            semaphore.release(1).unwrap();
        }
        other.join().unwrap();
        // One call for each time that it has gone to sleep, and no other.
        assert!(calls().wakes <= calls().waits, "{:?}", calls());
        assert_rests(&semaphore, 1);
    });
}

/// Nor one for whose flag nobody is behind it any more.
#[test]
fn after_a_timeout_a_release_calls_nobody() {
    check_bounded(4, || {
        let semaphore = Arc::new(Semaphore::new(0));
        let theirs = semaphore.clone();
        let other = thread::spawn(move || one_in_time(&theirs));
        assert!(other.join().unwrap() == 0);
        semaphore.release(1).unwrap();
        assert_eq!(calls().wakes, 0);
        assert_rests(&semaphore, 1);
    });
}

#[test]
fn a_semaphore_without_contention_takes_one_change_and_one_more_to_release() {
    // Each after a look at how many there are.
    const ONE_EACH: [(usize, usize, usize); 2] = [(1, 0, 1); 2];
    check(|| {
        let (semaphore, bounded) = (Arc::new(Semaphore::new(3)), BoundedSemaphore::new(3));
        let later = Instant::now() + SOON;
        assert_eq!(costs(|| Some(semaphore.acquire())), ONE_EACH);
        assert_eq!(costs(|| semaphore.try_acquire()), ONE_EACH);
        assert_eq!(costs(|| semaphore.acquire_timeout(SOON)), ONE_EACH);
        assert_eq!(costs(|| semaphore.acquire_deadline(later)), ONE_EACH);
        assert_eq!(costs(|| Some(semaphore.acquire_many(3))), ONE_EACH);
        assert_eq!(costs(|| Some(semaphore.acquire_arc())), ONE_EACH);
        assert_eq!(costs(|| Some(bounded.acquire())), ONE_EACH);
        assert_eq!(costs(|| bounded.try_acquire_many(2)), ONE_EACH);
        semaphore.acquire_many(2).forget();
        assert_eq!(cost(|| semaphore.release(2).unwrap()), ONE_EACH[1]);
    });
}

/// The head of the line sleeps on a word from which the next release takes `ASLEEP`, and never without it.
#[test]
fn whoever_sleeps_for_permits_is_marked() {
    const ASLEEP: u32 = 1;
    static SLEPT: Seen<bool> = Seen::new();
    check_bounded(3, || {
        let semaphore = Arc::new(Semaphore::new(0));
        let theirs = semaphore.clone();
        let other = thread::spawn(move || two(&theirs));
        semaphore.release(1).unwrap();
        semaphore.release(1).unwrap();
        other.join().unwrap();
        let calls = calls();
        assert!(calls.waits == 0 || calls.expected & ASLEEP != 0, "{calls:?}");
        SLEPT.add(calls.waits > 0);
    });
    SLEPT.assert_is([false, true]);
}
