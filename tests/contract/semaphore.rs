//! [`Semaphore`] and its permits, and what [`BoundedSemaphore`] has in common with it.

pub mod any;
pub mod both;
pub mod python;

use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering::Relaxed, Ordering::SeqCst};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use futon::{BoundedSemaphore, Semaphore};

use self::any::{LONG, MAX, assert_rests, keep_for_the_head, untimed};
use crate::threads::{AGES, Random, limit, spin_until, stress, timed, wait_until};
#[cfg(not(miri))]
use crate::threads::{assert_ends_in_the_right_second, sleeps};
#[cfg(all(target_os = "linux", not(miri)))]
use crate::threads::{is_asleep, kept_from_running, system_id};

/// Wakes all who sleep on a word in `object`: for a wake that was counted in the place of being made.
#[cfg(all(target_os = "linux", target_pointer_width = "64", target_endian = "little", not(miri)))]
fn wake_anyway<T>(object: &T) {
    let words = &raw const *object;
    for word in 0..size_of::<T>() / 4 {
        futon::futex::wake_all(words.cast::<futon::atomic::AtomicU32>().wrapping_add(word));
    }
}

// What both semaphores do.

#[test]
fn each_form_takes_what_is_there_and_gives_it_back() {
    both::each_form_takes_what_is_there_and_gives_it_back::<Semaphore>();
}

#[test]
fn each_form_with_a_limit_takes_all_or_none() {
    both::each_form_with_a_limit_takes_all_or_none::<Semaphore>();
}

#[test]
fn each_form_that_waits_gets_what_is_released() {
    both::each_form_that_waits_gets_what_is_released::<Semaphore>();
}

#[test]
fn none_are_had_at_once() {
    both::none_are_had_at_once::<Semaphore>();
}

#[test]
fn more_than_there_can_be_are_refused_with_a_panic() {
    let most = if cfg!(futon_narrow) { "255" } else { "1073741823" };
    let said = format!("and a semaphore has at most {most}");
    both::more_than_there_can_be_are_refused_with_a_panic::<Semaphore>(MAX, &said);
}

#[test]
fn as_many_as_there_can_be_may_be_had_at_once() {
    both::as_many_as_there_can_be_may_be_had_at_once::<Semaphore>();
}

#[test]
fn none_may_be_released_at_any_time() {
    both::none_may_be_released_at_any_time::<Semaphore>();
}

#[test]
fn a_timeout_beyond_the_clock_waits_until_there_is_a_permit() {
    both::a_timeout_beyond_the_clock_waits_until_there_is_a_permit::<Semaphore>();
}

#[test]
fn nobody_gives_up_before_the_time() {
    both::nobody_gives_up_before_the_time::<Semaphore>();
}

#[test]
fn without_time_an_acquire_is_a_try() {
    both::without_time_an_acquire_is_a_try::<Semaphore>();
}

#[test]
#[cfg(not(miri))]
fn signals_do_not_show() {
    both::signals_do_not_show::<Semaphore>();
}

#[test]
fn whoever_gets_a_permit_may_free_the_semaphore_at_once() {
    both::whoever_gets_a_permit_may_free_the_semaphore_at_once::<Semaphore>();
    both::whoever_gets_the_last_permit_may_free_the_semaphore_at_once::<Semaphore>();
}

#[test]
fn whatever_happens_all_permits_are_there_in_the_end() {
    both::whatever_happens_all_permits_are_there_in_the_end::<Semaphore>();
}

#[test]
fn with_one_permit_it_is_a_lock() {
    both::with_one_permit_it_is_a_lock::<Semaphore>();
}

#[test]
fn a_release_above_the_limit_is_an_error_and_nothing_else() {
    both::a_release_above_the_limit_is_an_error_and_nothing_else::<Semaphore>(MAX);
}

#[test]
fn of_two_releases_for_which_there_is_no_room_one_is_an_error() {
    both::of_two_releases_for_which_there_is_no_room_one_is_an_error::<Semaphore>(MAX);
}

#[test]
#[cfg(all(target_os = "linux", target_pointer_width = "64", target_endian = "little", not(miri)))]
fn a_release_that_fails_wakes_nobody() {
    both::a_release_that_fails_wakes_nobody::<Semaphore>(MAX);
}

#[test]
fn permits_are_taken_apart_put_together_forgotten_and_given_back() {
    both::permits::<Semaphore>();
}

#[test]
fn permits_for_which_there_is_no_room_are_no_more() {
    both::permits_for_which_there_is_no_room_are_no_more::<Semaphore>(MAX);
}

#[test]
fn permits_may_outlive_all_other_owners() {
    both::permits_may_outlive_all_other_owners::<Semaphore>();
}

#[test]
fn nothing_is_allocated() {
    both::nothing_is_allocated::<Semaphore>();
}

// What the documentation says.

#[test]
fn the_most_permits_are_a_billion() {
    let most = if cfg!(futon_narrow) { 255 } else { (1 << 30) - 1 };
    assert_eq!((Semaphore::MAX_PERMITS, BoundedSemaphore::MAX_PERMITS), (most, most));
}

/// A producer counts what it has made, and consumers take that.
#[test]
fn those_who_have_none_may_release() {
    let _limit = limit();
    const ITEMS: usize = 300;
    let (made, taken) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let items = Semaphore::new(0);
    thread::scope(|s| {
        for _ in 0..3 {
            s.spawn(|| {
                for _ in 0..ITEMS / 3 {
                    items.acquire().forget();
                    assert!(taken.fetch_add(1, SeqCst) < made.load(SeqCst));
                }
            });
        }
        for round in 0..ITEMS / 2 {
            made.fetch_add(2, SeqCst);
            items.release(2).unwrap();
            if round % 8 == 0 {
                wait_until(|| taken.load(SeqCst) == made.load(SeqCst));
            }
        }
    });
    assert_rests(&items, 0);
}

/// Together they could not be told from those of a semaphore that has more than it can have.
#[test]
fn permits_that_are_together_too_many_stay_apart() {
    let _limit = limit();
    let semaphore = Arc::new(Semaphore::new(MAX));
    let mut permits = semaphore.acquire_many(MAX);
    semaphore.release(2).unwrap(); // by mistake
    let other = permits.merge(semaphore.acquire_many(2)).unwrap_err();
    assert_eq!((permits.count(), other.count()), (MAX, 2));
    let mut less = permits.split(2).unwrap();
    permits.merge(other).unwrap();
    assert_eq!(permits.count(), MAX);
    assert!(permits.merge(less.split(1).unwrap()).is_err());
    assert_eq!(semaphore.available(), 1);
    drop(permits);
    assert_eq!(semaphore.available(), 1);
    drop(less);
    assert_rests(&*semaphore, 2);

    semaphore.release(MAX - 2).unwrap();
    let mut permits = semaphore.acquire_many_arc(MAX);
    semaphore.release(1).unwrap();
    let other = permits.merge(semaphore.acquire_arc()).unwrap_err();
    assert_eq!((permits.count(), other.count()), (MAX, 1));
    drop(other);
    assert_eq!((Arc::strong_count(&semaphore), semaphore.available()), (2, 1));
}

/// The one is a semaphore in the other, so that it is the word that has to be told apart.
#[test]
fn permits_of_the_two_kinds_of_semaphore_do_not_mix() {
    let _limit = limit();
    let (semaphore, bounded) = (Arc::new(Semaphore::new(2)), Arc::new(BoundedSemaphore::new(2)));
    assert!(semaphore.acquire().merge(bounded.acquire()).is_err());
    assert!(bounded.acquire_arc().merge(semaphore.acquire_arc()).is_err());
    assert_rests(&*semaphore, 2);
    assert_rests(&*bounded, 2);
}

#[test]
fn debug_shows_those_who_wait() {
    let _limit = limit();
    let semaphore = Semaphore::new(0);
    thread::scope(|s| {
        s.spawn(|| drop(semaphore.acquire()));
        wait_until(|| semaphore.waiters() == 1);
        assert_eq!(format!("{semaphore:?}"), "Semaphore { available: 0, waiters: 1 }");
        semaphore.release(1).unwrap();
    });
    assert_eq!(format!("{semaphore:?}"), "Semaphore { available: 1, waiters: 0 }");
}

#[test]
fn waiters_are_those_who_wait() {
    let _limit = limit();
    let semaphore = Arc::new(Semaphore::new(1));
    let _held = semaphore.acquire();
    thread::scope(|s| {
        for count in 1..=5 {
            let semaphore = &semaphore;
            s.spawn(move || match count {
                1 => semaphore.acquire_many(2).forget(),
                2 => semaphore.acquire_timeout(LONG).unwrap().forget(),
                3 => semaphore.acquire_many_arc(2).forget(),
                _ => semaphore.acquire().forget(),
            });
            wait_until(|| semaphore.waiters() == count);
        }
        // One that comes and gives up, and one that does not wait.
        assert!(semaphore.acquire_timeout(Duration::from_millis(2)).is_none());
        assert!(semaphore.try_acquire().is_none());
        assert_eq!(semaphore.waiters(), 5);
        // As they get theirs, they are fewer.
        semaphore.release(2).unwrap();
        wait_until(|| semaphore.waiters() < 5);
        wait_until(|| semaphore.available() == 0);
        assert!(semaphore.waiters() >= 3);
        semaphore.release(5).unwrap();
    });
    assert_rests(&*semaphore, 0);
}

#[test]
fn as_many_get_through_as_there_are_permits_however_they_are_released() {
    let _limit = limit();
    for parts in [&[6][..], &[1; 6], &[2, 4], &[5, 1]] {
        let semaphore = Semaphore::new(0);
        let through = AtomicU32::new(0);
        thread::scope(|s| {
            for permits in [1, 1, 1, 3] {
                let (semaphore, through) = (&semaphore, &through);
                s.spawn(move || {
                    semaphore.acquire_many(permits).forget();
                    through.fetch_add(permits, SeqCst);
                });
            }
            wait_until(|| semaphore.waiters() == 4);
            for &permits in parts {
                semaphore.release(permits).unwrap();
            }
        });
        assert_eq!(through.into_inner(), 6);
        assert_rests(&semaphore, 0);
    }
}

/// A newcomer may take what has just come in before a thread that waits has woken up for it.
#[test]
fn a_permit_goes_to_whoever_comes_first() {
    let _limit = limit();
    let mut overtaken = 0;
    for _ in stress(20_000) {
        if overtaken > 0 {
            break;
        }
        let semaphore = Semaphore::new(0);
        thread::scope(|s| {
            s.spawn(|| drop(semaphore.acquire()));
            wait_until(|| semaphore.waiters() == 1);
            semaphore.release(1).unwrap();
            if let Some(permit) = semaphore.try_acquire() {
                overtaken += semaphore.waiters();
                drop(permit);
            }
        });
        assert_rests(&semaphore, 1);
    }
    assert!(overtaken > 0 || cfg!(miri), "nobody has ever overtaken");
}

/// Also past one that waits for more, and in each of the forms.
#[test]
#[cfg(all(target_os = "linux", not(miri)))]
fn what_is_too_little_for_the_head_of_the_line_others_may_have() {
    use self::any::all;

    let _limit = limit();
    let (tell, told) = mpsc::channel();
    for form in all::<Semaphore>(1) {
        let overtakes = stress(1_000).any(|_| {
            let semaphore = Arc::new(Semaphore::new(2));
            let is_open = thread::scope(|s| {
                s.spawn(|| {
                    tell.send(system_id()).unwrap();
                    drop(semaphore.acquire_many(3));
                });
                let id = told.recv().unwrap();
                wait_until(|| semaphore.waiters() == 1 && is_asleep(id));
                // A head that has come so slowly that it has lost its patience on the way keeps them.
                let first = semaphore.try_acquire();
                let is_open = first.is_some();
                if is_open {
                    let second = form(&semaphore, 1, LONG).expect("there is one more");
                    assert_eq!((semaphore.available(), semaphore.waiters()), (0, 1));
                    drop(second);
                }
                semaphore.release(1).unwrap();
                is_open
            });
            assert_rests(&*semaphore, 3);
            is_open
        });
        assert!(overtakes, "there has never been one for others");
    }
}

/// Patience is counted from the moment at which a thread comes, not from that at which it is the head.
#[test]
#[cfg(all(target_os = "linux", not(miri)))]
fn a_thread_that_has_waited_behind_another_has_waited() {
    let _limit = limit();
    let (tell, told) = mpsc::channel();
    let has_been_behind = stress(20).any(|_| {
        let semaphore = Semaphore::new(1);
        thread::scope(|s| {
            let first =
                s.spawn(|| semaphore.acquire_many_timeout(9, Duration::from_millis(30)).is_some());
            wait_until(|| semaphore.waiters() == 1 || first.is_finished());
            s.spawn(|| {
                tell.send(system_id()).unwrap();
                semaphore.acquire_many(2).forget();
            });
            let id = told.recv().unwrap();
            wait_until(|| semaphore.waiters() == 2 && is_asleep(id) || first.is_finished());
            let is_behind = semaphore.waiters() == 2;
            spin_until(Instant::now() + Duration::from_millis(2));
            let is_behind = is_behind && semaphore.waiters() == 2;
            assert!(!first.join().unwrap());
            // Woken by the first one, it finds the second permit missing, and keeps the one that there is.
            let end = Instant::now() + AGES;
            let is_kept = || semaphore.try_acquire().map(|permit| permit.forget()).is_none();
            wait_until(|| is_asleep(id) || Instant::now() > end);
            let is_kept = is_kept();
            semaphore.release(if is_kept { 1 } else { 2 }).unwrap();
            assert!(is_kept || !is_behind, "overtaken");
            is_behind
        })
    });
    assert!(has_been_behind);
}

/// A request that those who come later could be content with does not let a large one come to nothing: the
/// turns in which it is overtaken are counted, each of which takes a quarter of a millisecond.
#[test]
#[cfg(all(target_os = "linux", not(miri)))]
fn a_large_request_is_overtaken_a_few_times_only() {
    let _limit = limit();
    for _ in stress(20) {
        let semaphore = Semaphore::new(2);
        let (tell, told) = mpsc::channel();
        thread::scope(|s| {
            let mut held = semaphore.acquire();
            let large = s.spawn(|| {
                tell.send(system_id()).unwrap();
                let slept = sleeps();
                drop(semaphore.acquire_many(2));
                sleeps() - slept
            });
            let id = told.recv().unwrap();
            let mut turns = 0;
            loop {
                wait_until(|| semaphore.waiters() == 1 && is_asleep(id));
                spin_until(Instant::now() + Duration::from_micros(250));
                // Never are both of them there, as long as the second one can be had.
                let Some(second) = semaphore.try_acquire() else { break };
                held = second;
                turns += 1;
                assert!(turns <= 8, "overtaken {turns} times");
            }
            // There is one, and nobody gets it.
            assert_eq!((semaphore.available(), semaphore.waiters()), (1, 1));
            assert!(semaphore.acquire_timeout(Duration::from_millis(1)).is_none());
            assert!(semaphore.acquire_timeout(Duration::ZERO).is_none());
            drop(held);
            let slept = large.join().unwrap();
            // Once at first, once a turn and once more.
            assert!(slept <= turns + 4, "{slept} sleeps in {turns} turns");
        });
        assert_rests(&semaphore, 2);
    }
}

/// The same with threads that take one again and again. Without an end of it, this would never end.
#[test]
#[cfg(not(miri))]
fn a_large_request_comes_to_its_turn_beside_small_ones() {
    let _limit = limit();
    let semaphore = Semaphore::new(4);
    let over = AtomicUsize::new(0);
    thread::scope(|s| {
        for _ in 0..3 {
            s.spawn(|| {
                let mut held = semaphore.acquire();
                while over.load(Relaxed) == 0 {
                    // Takes the next one before it gives this one back, if it can.
                    spin_until(Instant::now() + Duration::from_micros(100));
                    let next = semaphore.try_acquire();
                    drop(held);
                    held = next.unwrap_or_else(|| semaphore.acquire());
                }
            });
        }
        let mut in_vain = Vec::new();
        for _ in 0..30 {
            let before = sleeps();
            drop(semaphore.acquire_many(4));
            in_vain.push(sleeps() - before);
        }
        over.store(1, Relaxed);
        in_vain.sort_unstable();
        println!("sleeps {in_vain:?}");
        // A millisecond has room for ten turns of each of the three, and then there are four to come in.
        assert!(in_vain.iter().all(|&count| count <= 60), "woken in vain so often: {in_vain:?}");
    });
    assert_rests(&semaphore, 4);
}

/// One that waits for all permits keeps out a thread that has some of them and wants more.
#[test]
fn who_has_permits_and_wants_more_may_wait_behind_one_that_wants_those() {
    let _limit = limit();
    let semaphore = Semaphore::new(2);
    thread::scope(|s| {
        let first = semaphore.acquire();
        let second = semaphore.acquire();
        s.spawn(|| drop(semaphore.acquire_many(3)));
        wait_until(|| semaphore.waiters() == 1);
        keep_for_the_head(&semaphore);
        let third = semaphore.acquire_timeout(Duration::from_millis(5));
        assert_eq!((third.is_none(), semaphore.available(), semaphore.waiters()), (true, 1, 1));
        drop((first, second));
    });
    assert_rests(&semaphore, 3);
}

/// Two threads that each want two of three would stand still if each could have one.
///
/// H29.
#[test]
fn two_threads_do_not_share_what_both_need() {
    let _limit = limit();
    let semaphore = Arc::new(Semaphore::new(3));
    let out = AtomicU32::new(0);
    thread::scope(|s| {
        for form in [untimed::<Semaphore>(2)[0], untimed::<Semaphore>(2)[1]] {
            let (semaphore, out) = (&semaphore, &out);
            s.spawn(move || {
                for _ in stress(20_000) {
                    let _two = form(semaphore, 2, LONG).unwrap();
                    assert_eq!(out.fetch_add(2, SeqCst), 0);
                    out.fetch_sub(2, SeqCst);
                }
            });
        }
    });
    assert_rests(&*semaphore, 3);
}

// What others got wrong.

/// H4.
#[test]
fn those_behind_a_large_request_that_gives_up_go_on() {
    let _limit = limit();
    for behind in [1, 3] {
        let semaphore = Semaphore::new(0);
        thread::scope(|s| {
            let deadline = Instant::now() + Duration::from_millis(30);
            let large =
                s.spawn(|| semaphore.acquire_many_timeout(9, Duration::from_millis(30)).is_some());
            wait_until(|| semaphore.waiters() == 1 || Instant::now() > deadline);
            for count in 0..behind {
                s.spawn(|| semaphore.acquire().forget());
                wait_until(|| semaphore.waiters() >= count + 2 || Instant::now() > deadline);
            }
            // Enough for all of them, and not for the one in front of them.
            semaphore.release(behind as u32).unwrap();
            assert!(!large.join().unwrap());
        });
        assert_rests(&semaphore, 0);
    }
}

/// H4, H8, H10: a release at the moment at which a waiter gives up. It is this one's or that one's who
/// waits behind it, and is there in the end if nobody wants it.
#[test]
fn a_release_at_the_last_moment_is_lost_on_nobody() {
    let _limit = limit();
    let mut random = Random::new(8);
    let (mut in_time, mut late) = (0, 0);
    for round in stress(3_000) {
        let semaphore = Semaphore::new(0);
        let permits = 1 + (round % 2) as u32;
        let deadline = Instant::now() + Duration::from_micros(120);
        let moment = deadline + Duration::from_micros(random.below(100));
        let moment = moment - Duration::from_micros(20);
        let has_rival = round % 3 != 0;
        thread::scope(|s| {
            let timed = s.spawn(|| match semaphore.acquire_many_deadline(permits, deadline) {
                Some(permit) => {
                    permit.forget();
                    true
                }
                None => false,
            });
            let rival = has_rival.then(|| s.spawn(|| semaphore.acquire().forget()));
            spin_until(moment);
            semaphore.release(permits).unwrap();
            let there_at = Instant::now();
            let got_it = timed.join().unwrap();
            if got_it && has_rival {
                // Then there is none left for the other one, or was not.
                semaphore.release(1).unwrap();
            }
            if let Some(rival) = rival {
                rival.join().unwrap();
            }
            match got_it {
                true => in_time += 1,
                false => {
                    late += 1;
                    let early = deadline.saturating_duration_since(there_at);
                    assert!(has_rival || early.is_zero(), "was there {early:?} before the deadline");
                }
            }
            let taken = if got_it { permits } else { 0 } + u32::from(has_rival);
            let released = permits + u32::from(got_it && has_rival);
            assert_rests(&semaphore, released - taken);
        });
    }
    // On an idle machine both come about. It depends on nothing but luck, so it is only told.
    println!("{in_time} in time, {late} late");
}

/// H10: a release comes before the deadline, and its wake not at all: as where the system stops the thread
/// between the two for a while. Whoever gives up looks once more.
#[test]
#[cfg(all(target_os = "linux", target_pointer_width = "64", target_endian = "little", not(miri)))]
fn a_release_whose_wake_comes_too_late_is_still_in_time() {
    use crate::calls::{Calls, calls_on};

    let _limit = limit();
    let (tell, told) = mpsc::channel();
    let semaphore = Semaphore::new(0);
    thread::scope(|s| {
        let waiter = s.spawn(|| {
            tell.send(system_id()).unwrap();
            semaphore
                .acquire_timeout(Duration::from_millis(200))
                .map(|permit| permit.forget())
                .is_some()
        });
        let id = told.recv().unwrap();
        wait_until(|| semaphore.waiters() == 1 && is_asleep(id) || waiter.is_finished());
        let in_time = !waiter.is_finished();
        let calls = calls_on(&semaphore, || semaphore.release(1).unwrap());
        let got_it = waiter.join().unwrap();
        // Swallowed in the place of being made.
        if calls == Some(Calls { wakes_of_one: 1, ..Calls::NONE }) {
            assert!(got_it || !in_time, "gave up on a permit");
        }
    });
}

/// The same behind another one: what is there at the end of its time, and is not kept, it takes.
#[test]
#[cfg(all(target_os = "linux", not(miri)))]
fn whoever_gives_up_in_the_line_looks_once_more() {
    let _limit = limit();
    // A round of the three threads, and how long they were kept from running.
    let round = || {
        let semaphore = Semaphore::new(0);
        let before = kept_from_running();
        let (found, kept) = thread::scope(|s| {
            let large = s.spawn(|| {
                semaphore.acquire_many(2).forget();
                kept_from_running()
            });
            wait_until(|| semaphore.waiters() == 1);
            let small = s.spawn(|| {
                let permit = semaphore.acquire_timeout(Duration::from_millis(3));
                (permit.map(|permit| permit.forget()).is_some(), kept_from_running())
            });
            wait_until(|| semaphore.waiters() == 2 || small.is_finished());
            // The head looks, finds it too little, and sleeps on. It keeps it only if it has waited long.
            let was_there = semaphore.waiters() == 2;
            semaphore.release(1).unwrap();
            let (got_it, kept) = small.join().unwrap();
            semaphore.release(if got_it { 2 } else { 1 }).unwrap();
            (was_there && got_it, kept + large.join().unwrap())
        });
        (found, kept + kept_from_running() - before)
    };
    // The first or second time, but for a machine that leaves each of the three waiting for a CPU: what it does to them
    // says nothing about the semaphore.
    let end = Instant::now() + Duration::from_secs(30);
    let mut undisturbed = 0;
    while undisturbed < 50 && Instant::now() < end {
        let (found, kept) = round();
        if found {
            return;
        }
        undisturbed += u32::from(kept < Duration::from_micros(300));
    }
    assert!(undisturbed < 20, "nobody has ever looked once more");
    println!("the machine is too busy to tell: {undisturbed} rounds were undisturbed");
}

/// H22.
#[test]
#[cfg(not(miri))]
fn timeouts_end_in_the_right_second() {
    let _limit = limit();
    let semaphore = Semaphore::new(1);
    assert_ends_in_the_right_second(|at| assert!(semaphore.acquire_many_deadline(2, at).is_none()));
    let timeout = Duration::from_nanos(999_999_999);
    let slept = sleeps();
    let (permit, elapsed) = timed(|| semaphore.acquire_many_timeout(2, timeout));
    assert!(permit.is_none() && elapsed >= timeout && elapsed < AGES, "{elapsed:?}");
    assert!(sleeps() - slept <= 10, "it polls");
}

/// A timeout of whoever is at the head of the line, or of one behind it.
#[test]
fn a_timeout_leaves_no_trace() {
    let _limit = limit();
    let semaphore = Semaphore::new(1);
    for micros in [0, 1, 100, 3_000] {
        // The longest of them waits long enough to have permits kept for it.
        assert!(semaphore.acquire_many_timeout(2, Duration::from_micros(micros)).is_none());
        assert_rests(&semaphore, 1);
    }
    thread::scope(|s| {
        s.spawn(|| semaphore.acquire_many(2).forget());
        wait_until(|| semaphore.waiters() == 1);
        for micros in [0, 1, 100, 3_000] {
            assert!(semaphore.acquire_many_timeout(3, Duration::from_micros(micros)).is_none());
            assert_eq!((semaphore.available(), semaphore.waiters()), (1, 1));
        }
        semaphore.release(1).unwrap();
    });
    assert_rests(&semaphore, 0);
}

/// A head for which permits were kept, and which gives up on them.
#[test]
fn what_was_kept_for_a_thread_that_gives_up_is_for_all_again() {
    let _limit = limit();
    for _ in stress(20) {
        let semaphore = Semaphore::new(0);
        thread::scope(|s| {
            let large =
                s.spawn(|| semaphore.acquire_many_timeout(3, Duration::from_millis(20)).is_some());
            wait_until(|| semaphore.waiters() == 1 || large.is_finished());
            keep_for_the_head(&semaphore);
            assert!(!large.join().unwrap());
        });
        assert_rests(&semaphore, 1);
    }
}

/// No thread sleeps: no call. One sleeps: one call for all permits that come at once.
#[test]
#[cfg(all(target_os = "linux", target_pointer_width = "64", target_endian = "little", not(miri)))]
fn a_release_calls_the_kernel_once_for_a_sleeper_and_never_without_one() {
    use crate::calls::{Calls, calls_on};

    let _limit = limit();
    let semaphore = Arc::new(Semaphore::new(2));
    let alone = calls_on(&*semaphore, || {
        for _ in 0..1_000 {
            drop(semaphore.acquire());
            drop(semaphore.acquire_many(2));
            drop(semaphore.try_acquire_many(3));
            drop(semaphore.acquire_many_timeout(2, LONG).unwrap());
            drop(semaphore.acquire_many_timeout(3, Duration::ZERO));
            drop(semaphore.acquire_many_deadline(3, Instant::now()));
            drop(semaphore.acquire_many_arc(2));
            semaphore.acquire().forget();
            semaphore.release(1).unwrap();
            assert!(semaphore.release(MAX).is_err());
        }
    });
    assert!(matches!(alone, None | Some(Calls::NONE)), "{alone:?}");

    let once = Calls { wakes_of_one: 1, ..Calls::NONE };
    let (tell, told) = mpsc::channel();
    for _ in 0..3 {
        semaphore.acquire_many(2).forget();
        thread::scope(|s| {
            for _ in 0..3 {
                let (semaphore, tell) = (&semaphore, tell.clone());
                s.spawn(move || {
                    tell.send(system_id()).unwrap();
                    drop(semaphore.acquire_many(2));
                });
            }
            let ids = [(); 3].map(|()| told.recv().unwrap());
            wait_until(|| semaphore.waiters() == 3 && ids.iter().all(|&id| is_asleep(id)));
            // Who sleeps is called by the first one. It has not woken up before the second one comes,
            // because it has not been called at all.
            let calls = calls_on(&*semaphore, || {
                semaphore.release(1).unwrap();
                semaphore.release(1).unwrap();
            });
            wake_anyway(&*semaphore);
            assert!(calls.is_none_or(|calls| calls == once), "{calls:?}");
        });
        // And as none sleeps now, nobody is called.
        let alone = calls_on(&*semaphore, || drop(semaphore.acquire()));
        assert!(matches!(alone, None | Some(Calls::NONE)), "{alone:?}");
        assert_rests(&*semaphore, 2);
    }

    // Nor after one who has slept has given up.
    assert!(semaphore.acquire_many_timeout(3, Duration::from_millis(3)).is_none());
    let alone = calls_on(&*semaphore, || drop(semaphore.acquire()));
    assert!(matches!(alone, None | Some(Calls::NONE)), "{alone:?}");
}

/// From the side of those who sleep: each one about once, not once for each who goes before.
#[test]
#[cfg(not(miri))]
fn those_who_wait_are_woken_one_after_the_other() {
    const WAITERS: usize = 8;
    let _limit = limit();
    let semaphore = Semaphore::new(0);
    let slept: i64 = thread::scope(|s| {
        let threads: Vec<_> = (0..WAITERS)
            .map(|_| {
                s.spawn(|| {
                    let before = sleeps();
                    semaphore.acquire().forget();
                    sleeps() - before
                })
            })
            .collect();
        for count in (0..WAITERS).rev() {
            wait_until(|| semaphore.waiters() == count + 1);
            spin_until(Instant::now() + Duration::from_millis(2));
            semaphore.release(1).unwrap();
            wait_until(|| semaphore.waiters() == count);
        }
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    println!("{slept} sleeps of {WAITERS} threads");
    assert!(slept <= 3 * WAITERS as i64, "{slept} sleeps of {WAITERS} threads");
}
