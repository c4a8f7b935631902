//! What both semaphores do in the same way. Each function is a test of either.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering::Relaxed, Ordering::SeqCst};
use std::sync::{Arc, Barrier, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use futon::PermitArc;

use super::any::{
    AnyPermit, AnySemaphore, Held, LONG, MAX, SHORT, all, assert_rests, drained, keep_for_the_head,
    limited, message, panic_quietly, panics, trying, untimed,
};
use crate::allocations::allocations;
#[cfg(not(miri))]
use crate::threads::Storm;
use crate::threads::{
    AGES, Page, Random, Unprotected, endless_timeouts, last_instant, limit, rounds, stress, timed,
    wait_until,
};
#[cfg(all(target_os = "linux", not(miri)))]
use crate::threads::{is_asleep, system_id};

pub fn each_form_takes_what_is_there_and_gives_it_back<S: AnySemaphore>() {
    let _limit = limit();
    for permits in [1, 2, 3] {
        for form in all::<S>(permits) {
            let semaphore = Arc::new(S::made_with(3));
            let held = form(&semaphore, permits, LONG).unwrap();
            assert_eq!(held.count(), permits);
            assert_eq!(semaphore.available(), 3 - permits);
            assert_eq!(semaphore.waiters(), 0);
            drop(held);
            assert_rests(&*semaphore, 3);
            assert_eq!(Arc::strong_count(&semaphore), 1);
        }
    }
}

/// H29: of too few none are taken.
pub fn each_form_with_a_limit_takes_all_or_none<S: AnySemaphore>() {
    let _limit = limit();
    for permits in [1, 2, 3] {
        let semaphore = Arc::new(S::made_with(permits));
        let _one = semaphore.acquire();
        for form in trying::<S>(permits) {
            assert!(form(&semaphore, permits, LONG).is_none());
            assert_rests(&*semaphore, permits - 1);
        }
        for form in limited::<S>(permits) {
            let timeout = Duration::from_millis(3);
            let (held, elapsed) = timed(|| form(&semaphore, permits, timeout).is_some());
            assert!(!held);
            assert!(elapsed >= timeout && elapsed < AGES, "gave up after {elapsed:?}");
            assert_rests(&*semaphore, permits - 1);
        }
    }
}

pub fn each_form_that_waits_gets_what_is_released<S: AnySemaphore>() {
    let _limit = limit();
    for permits in [1, 2, 3] {
        for form in [untimed::<S>(permits), limited::<S>(permits)].concat() {
            let semaphore = drained::<S>(3);
            thread::scope(|s| {
                let waiter = s.spawn(|| {
                    let held = form(&semaphore, permits, LONG).unwrap();
                    assert_eq!((held.count(), semaphore.available()), (permits, 0));
                });
                // One after the other, and the last one lets it go.
                for _ in 0..permits {
                    wait_until(|| semaphore.waiters() == 1);
                    assert!(!waiter.is_finished());
                    semaphore.release(1).unwrap();
                }
            });
            assert_rests(&*semaphore, permits);
            assert_eq!(Arc::strong_count(&semaphore), 1);
        }
    }
}

/// Also where there are no others, where others wait, and where all that comes is kept for them.
pub fn none_are_had_at_once<S: AnySemaphore>() {
    let _limit = limit();
    let semaphore = drained::<S>(2);
    let none_at_once = || {
        for form in all::<S>(0) {
            for time in [Duration::ZERO, LONG] {
                assert_eq!(form(&semaphore, 0, time).unwrap().count(), 0);
            }
        }
    };
    none_at_once();
    thread::scope(|s| {
        s.spawn(|| drop(semaphore.acquire_many(2)));
        wait_until(|| semaphore.waiters() == 1);
        none_at_once();
        keep_for_the_head(&*semaphore);
        none_at_once();
        assert_eq!((semaphore.available(), semaphore.waiters()), (1, 1));
        semaphore.release(1).unwrap();
    });
    none_at_once();
    assert_rests(&*semaphore, 2);
}

/// Says how many, and what is said of the semaphore.
pub fn more_than_there_can_be_are_refused_with_a_panic<S: AnySemaphore>(most: u32, said: &str) {
    let _limit = limit();
    let semaphore = Arc::new(S::made_with(most.min(7)));
    for permits in [most + 1, u32::MAX / 4 + 2, u32::MAX] {
        for form in all::<S>(permits) {
            let message = message(|| form(&semaphore, permits, SHORT));
            assert_eq!(message, format!("{permits} permits asked for, {said}"));
        }
    }
    assert_rests(&*semaphore, most.min(7));
    assert_eq!(Arc::strong_count(&semaphore), 1);
}

pub fn as_many_as_there_can_be_may_be_had_at_once<S: AnySemaphore>() {
    let _limit = limit();
    let semaphore = Arc::new(S::made_with(MAX));
    for form in all::<S>(MAX) {
        let held = form(&semaphore, MAX, SHORT).unwrap();
        assert_eq!((held.count(), semaphore.available()), (MAX, 0));
        drop(held);
        assert_rests(&*semaphore, MAX);
    }
    let one = semaphore.acquire();
    for form in trying::<S>(MAX) {
        assert!(form(&semaphore, MAX, SHORT).is_none());
    }
    drop(one);
    assert_rests(&*semaphore, MAX);
}

pub fn none_may_be_released_at_any_time<S: AnySemaphore>() {
    let _limit = limit();
    for permits in [0, 1, MAX] {
        let semaphore = S::made_with(permits);
        semaphore.release(0).unwrap();
        assert_rests(&semaphore, permits);
    }
}

/// H21.
pub fn a_timeout_beyond_the_clock_waits_until_there_is_a_permit<S: AnySemaphore>() {
    let _limit = limit();
    let last = last_instant();
    let gets_it = |form: &(dyn Fn(&Arc<S>) -> bool + Sync)| {
        let semaphore = drained::<S>(2);
        thread::scope(|s| {
            let waiter = s.spawn(|| form(&semaphore));
            wait_until(|| semaphore.waiters() == 1 || waiter.is_finished());
            semaphore.release(2).unwrap();
            waiter.join().unwrap()
        })
    };
    for timeout in endless_timeouts() {
        assert!(gets_it(&|s| s.acquire_timeout(timeout).is_some()), "{timeout:?}");
        assert!(gets_it(&|s| s.acquire_many_timeout(2, timeout).is_some()), "{timeout:?}");
    }
    assert!(gets_it(&|s| s.acquire_timeout_arc(Duration::MAX).is_some()));
    assert!(gets_it(&|s| s.acquire_many_timeout_arc(2, Duration::MAX).is_some()));
    assert!(gets_it(&|s| s.acquire_deadline(last).is_some()));
    assert!(gets_it(&|s| s.acquire_many_deadline(2, last).is_some()));
    assert!(gets_it(&|s| s.acquire_deadline_arc(last).is_some()));
    assert!(gets_it(&|s| s.acquire_many_deadline_arc(2, last).is_some()));
}

/// H25.
pub fn nobody_gives_up_before_the_time<S: AnySemaphore>() {
    let _limit = limit();
    let semaphore = Arc::new(S::made_with(2));
    let _permit = semaphore.acquire();
    let mut random = Random::new(25);
    for round in stress(100) {
        let timeout = Duration::from_nanos(random.below(2_000_000));
        let forms = limited::<S>(2);
        let form = forms[round % forms.len()];
        let (held, elapsed) = timed(|| form(&semaphore, 2, timeout).is_some());
        assert!(!held);
        assert!(elapsed >= timeout, "gave up after {elapsed:?} of {timeout:?}");
        assert!(elapsed < AGES);

        let deadline = Instant::now() + timeout;
        assert!(semaphore.acquire_many_deadline(2, deadline).is_none());
        assert!(Instant::now() >= deadline);
    }
    assert_rests(&*semaphore, 1);
}

/// H26.
pub fn without_time_an_acquire_is_a_try<S: AnySemaphore>() {
    let _limit = limit();
    let past = Instant::now();
    for permits in [1, 2] {
        let semaphore = Arc::new(S::made_with(permits));
        let forms: [&dyn Fn() -> bool; 4] = [
            &|| limited::<S>(permits).iter().any(|f| f(&semaphore, permits, Duration::ZERO).is_some()),
            &|| limited::<S>(permits).iter().all(|f| f(&semaphore, permits, Duration::ZERO).is_some()),
            &|| semaphore.acquire_many_deadline(permits, past).is_some(),
            &|| semaphore.acquire_many_deadline_arc(permits, past).is_some(),
        ];
        for _ in 0..rounds(200) {
            assert!(forms.iter().all(|form| form()));
        }
        let one = semaphore.acquire();
        for _ in 0..rounds(200) {
            assert!(!forms.iter().any(|form| form()));
        }
        drop(one);
        assert_rests(&*semaphore, permits);
    }
}

/// H24.
#[cfg(not(miri))]
pub fn signals_do_not_show<S: AnySemaphore>() {
    let _limit = limit();
    let semaphore = drained::<S>(2);
    let storm = Storm::new();
    thread::scope(|s| {
        let waiter = s.spawn(|| {
            storm.around(|| {
                semaphore.acquire_many(2).forget();
                semaphore.acquire_many_timeout(2, LONG).unwrap().forget();
                for millis in [0, 1, 5, 50] {
                    let timeout = Duration::from_millis(millis);
                    let (held, elapsed) = timed(|| semaphore.acquire_timeout(timeout));
                    assert!(held.is_none(), "a signal has let it in");
                    assert!(elapsed >= timeout, "a signal has cut {timeout:?} to {elapsed:?}");
                    assert!(elapsed < AGES, "signals have made {elapsed:?} of {timeout:?}");
                }
            });
        });
        for _ in 0..2 {
            // One is not enough, and lets it look.
            semaphore.release(1).unwrap();
            wait_until(|| semaphore.waiters() == 1 && semaphore.available() == 1);
            let sent = storm.sent();
            wait_until(|| storm.sent() > sent + 200 || waiter.is_finished());
            assert_eq!(semaphore.waiters(), 1, "a signal has ended the wait");
            assert_eq!(semaphore.available(), 1, "a signal has let it in");
            semaphore.release(1).unwrap();
            wait_until(|| semaphore.available() == 0 || waiter.is_finished());
        }
    });
    assert_rests(&*semaphore, 0);
}

/// H12: whoever gets the permit may free the semaphore while the other thread is still in `release`.
pub fn whoever_gets_a_permit_may_free_the_semaphore_at_once<S: AnySemaphore>() {
    let _limit = limit();
    let (send, receive) = mpsc::channel::<Page<S>>();
    thread::scope(|s| {
        s.spawn(move || {
            for (round, semaphore) in receive.into_iter().enumerate() {
                // Half of the time before the waiter sleeps, half of the time while it does.
                if round % 2 == 0 {
                    wait_until(|| semaphore.waiters() == 1);
                }
                semaphore.release(1).unwrap();
            }
        });
        for round in stress(5_000) {
            let semaphore = Page::new(S::made_with(1));
            semaphore.acquire().forget();
            send.send(semaphore.share()).unwrap();
            match round % 3 {
                0 => semaphore.acquire_timeout(LONG).unwrap().forget(),
                _ => semaphore.acquire().forget(),
            }
            // SAFETY: the other thread's last use of the semaphore was the release by which this one
            // goes on.
            unsafe { semaphore.free() };
        }
        drop(send);
    });
}

/// The same where the semaphore is a lock, and the last one to have had it frees it.
pub fn whoever_gets_the_last_permit_may_free_the_semaphore_at_once<S: AnySemaphore>() {
    let _limit = limit();
    type Shared<S> = Page<(S, AtomicUsize)>;
    let (send, receive) = mpsc::channel::<Shared<S>>();

    fn leave<S: AnySemaphore>(shared: Shared<S>) -> bool {
        let permit = shared.0.acquire();
        let is_last = shared.1.fetch_sub(1, Relaxed) == 1;
        drop(permit);
        if is_last {
            // SAFETY: of the two threads that know of it, the other one has given its permit back
            // before this one came. It may not have returned from that, and that is the point.
            unsafe { shared.free() };
        }
        is_last
    }

    thread::scope(|s| {
        let other = s.spawn(move || receive.into_iter().filter(|it| leave(it.share())).count());
        let (mut frees, mut made) = (0, 0);
        for _ in stress(5_000) {
            made += 1;
            let shared = Page::new((S::made_with(1), AtomicUsize::new(2)));
            send.send(shared.share()).unwrap();
            frees += usize::from(leave(shared));
        }
        drop(send);
        assert_eq!(frees + other.join().unwrap(), made);
    });
}

/// H8: waiters() says nothing but the truth, and permits neither vanish nor appear, whatever happens.
pub fn whatever_happens_all_permits_are_there_in_the_end<S: AnySemaphore>() {
    const PERMITS: u32 = 5;
    let _limit = limit();
    let rounds = rounds(1_500);
    let semaphore = Arc::new(S::made_with(PERMITS));
    let out = AtomicU32::new(0);
    thread::scope(|s| {
        for seed in 0..6 {
            let (semaphore, out) = (&semaphore, &out);
            s.spawn(move || {
                let mut random = Random::new(seed);
                let end = Instant::now() + Duration::from_secs(5);
                for round in 0..rounds {
                    use_some(semaphore, out, &mut random);
                    if round % 16 == 0 && Instant::now() > end {
                        break;
                    }
                }
            });
        }
    });
    assert_eq!(out.into_inner(), 0);
    assert_rests(&*semaphore, PERMITS);
    assert_eq!(Arc::strong_count(&semaphore), 1);
}

/// Takes permits in some way and gives them back in some way.
fn use_some<S: AnySemaphore>(semaphore: &Arc<S>, out: &AtomicU32, random: &mut Random) {
    let permits = [0, 1, 1, 1, 2, 2, 3, 5][random.below(8) as usize];
    let timeout = Duration::from_micros(random.below(300));
    let forms = all::<S>(permits);
    let form = forms[random.below(forms.len() as u64) as usize];
    let Some(mut held) = form(semaphore, permits, timeout) else { return };
    assert_eq!(held.count(), permits);
    assert!(out.fetch_add(permits, SeqCst) + permits <= 5, "more are out than there are");
    (0..random.below(200)).for_each(|_| std::hint::spin_loop());
    if random.below(8) == 0 {
        thread::yield_now();
    }
    out.fetch_sub(permits, SeqCst);
    match (random.below(6), &mut held) {
        (0, _) => {
            let panic = catch_unwind(AssertUnwindSafe(|| {
                let _held = held;
                panic_quietly()
            }));
            assert!(panic.is_err());
        }
        (1, Held::Borrowing(permit)) => drop(permit.split(permits / 2).unwrap()),
        (1, Held::Owning(permit)) => drop(permit.split(permits / 2).unwrap()),
        (2, _) => match held {
            Held::Borrowing(permit) => permit.release().unwrap(),
            Held::Owning(permit) => permit.release().unwrap(),
        },
        (3, _) => {
            match held {
                Held::Borrowing(permit) => permit.forget(),
                Held::Owning(permit) => permit.forget(),
            }
            semaphore.release(permits).unwrap();
        }
        _ => {}
    }
}

/// H20: as a lock, it lets no update of what it protects be lost.
pub fn with_one_permit_it_is_a_lock<S: AnySemaphore>() {
    let _limit = limit();
    let rounds = rounds(3_000);
    let semaphore = Arc::new(S::made_with(1));
    let value = Unprotected::new();
    let entered: usize = thread::scope(|s| {
        let threads: Vec<_> = (0..6)
            .map(|seed| {
                let (semaphore, value) = (&semaphore, &value);
                s.spawn(move || {
                    let mut random = Random::new(seed);
                    let enters = |_: &usize| {
                        let forms = all::<S>(1);
                        let form = forms[random.below(forms.len() as u64) as usize];
                        let timeout = Duration::from_micros(random.below(100));
                        let permit = form(semaphore, 1, timeout);
                        if permit.is_some() {
                            let before = value.get();
                            (0..random.below(60)).for_each(|_| std::hint::spin_loop());
                            value.set(before + 1);
                        }
                        permit.is_some()
                    };
                    (0..rounds).filter(enters).count()
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert_eq!(value.get(), entered);
    assert_rests(&*semaphore, 1);
}

/// H28: a release that is too much changes nothing.
pub fn a_release_above_the_limit_is_an_error_and_nothing_else<S: AnySemaphore>(limit: u32) {
    let _limit = crate::threads::limit();
    for out in [0, 1, 2] {
        let semaphore = S::made_with(limit);
        semaphore.acquire_many(out).forget();
        for permits in [out + 1, out + 2, limit, MAX, MAX + 1, u32::MAX / 4 + 2, u32::MAX] {
            if permits <= out {
                continue;
            }
            let error = semaphore.release(permits).unwrap_err();
            assert_eq!(semaphore.available(), limit - out);
            let s = if permits == 1 { "" } else { "s" };
            let has = limit - out;
            let expected = format!(
                "{permits} permit{s} released to a semaphore that has {has} of at most {limit}"
            );
            assert_eq!(error.to_string(), expected);
            assert_eq!(error, semaphore.release(permits).unwrap_err());
        }
        assert_rests(&semaphore, limit - out);
        semaphore.release(out).unwrap();
        assert_rests(&semaphore, limit);
    }
}

/// H28: there was room for one, and two come at once.
pub fn of_two_releases_for_which_there_is_no_room_one_is_an_error<S: AnySemaphore>(limit: u32) {
    let _limit = crate::threads::limit();
    let together = Barrier::new(2);
    let semaphores: Vec<S> = (0..rounds(500)).map(|_| S::made_with(limit)).collect();
    semaphores.iter().for_each(|semaphore| semaphore.acquire_many(3).forget());
    let semaphores = &semaphores;
    let errors = thread::scope(|s| {
        let release = |permits| {
            let together = &together;
            move || {
                let release = |semaphore: &S| {
                    together.wait();
                    semaphore.release(permits).is_err()
                };
                semaphores.iter().map(release).collect::<Vec<bool>>()
            }
        };
        let (two, more) = (s.spawn(release(2)), s.spawn(release(3)));
        let errors: Vec<_> = two.join().unwrap().into_iter().zip(more.join().unwrap()).collect();
        errors
    });
    for (semaphore, (two, more)) in semaphores.iter().zip(errors) {
        assert_ne!(two, more, "both or none");
        assert_rests(semaphore, if two { limit } else { limit - 1 });
    }
}

/// While somebody waits for more, too: that one sleeps on.
#[cfg(all(target_os = "linux", target_pointer_width = "64", target_endian = "little", not(miri)))]
pub fn a_release_that_fails_wakes_nobody<S: AnySemaphore>(limit: u32) {
    use crate::calls::{Calls, calls_on};

    let _limit = crate::threads::limit();
    let semaphore = S::made_with(limit);
    let (tell, told) = mpsc::channel();
    thread::scope(|s| {
        semaphore.acquire_many(2).forget();
        s.spawn(|| {
            tell.send(system_id()).unwrap();
            semaphore.acquire_many(limit).forget();
        });
        let id = told.recv().unwrap();
        wait_until(|| semaphore.waiters() == 1 && is_asleep(id));
        let calls = calls_on(&semaphore, || {
            assert!(semaphore.release(3).is_err());
            assert!(semaphore.release(u32::MAX).is_err());
            semaphore.release(0).unwrap();
        });
        assert!(matches!(calls, None | Some(Calls::NONE)), "{calls:?}");
        assert_eq!((semaphore.available(), semaphore.waiters()), (limit - 2, 1));
        semaphore.release(2).unwrap();
    });
    assert_rests(&semaphore, 0);
}

/// With both kinds of permits, each kind from its own form.
pub fn permits<S: AnySemaphore>() {
    let _limit = limit();
    let (semaphore, another) = (S::made_with(5), S::made_with(5));
    permits_of(&semaphore, &|n| semaphore.acquire_many(n), &|n| another.acquire_many(n));
    assert_rests(&another, 5);
    let (semaphore, another) = (Arc::new(semaphore), Arc::new(another));
    let acquire = |n| semaphore.acquire_many_arc(n);
    permits_of(&*semaphore, &acquire, &|n| another.acquire_many_arc(n));
    assert_rests(&*another, 5);
    assert_eq!((Arc::strong_count(&semaphore), Arc::strong_count(&another)), (1, 1));
}

fn permits_of<P: AnyPermit>(
    semaphore: &impl AnySemaphore,
    acquire: &dyn Fn(u32) -> P,
    from_another: &dyn Fn(u32) -> P,
) {
    let assert_out = |expected: u32| assert_eq!(semaphore.available(), 5 - expected);

    // Forgotten, until somebody releases as many.
    acquire(3).forget();
    assert_out(3);
    semaphore.release(3).unwrap();
    assert_out(0);

    acquire(3).release().unwrap();
    assert_out(0);
    acquire(0).release().unwrap();
    drop(acquire(0));
    acquire(0).forget();
    assert_out(0);

    // Taken apart.
    let mut permits = acquire(5);
    assert!(permits.split(6).is_none());
    assert!(permits.split(u32::MAX).is_none());
    assert_eq!(permits.count(), 5);
    let two = permits.split(2).unwrap();
    assert_eq!((permits.count(), two.count()), (3, 2));
    assert_out(5);
    drop(two);
    assert_out(3);
    let none = permits.split(0).unwrap();
    assert_eq!((permits.count(), none.count()), (3, 0));
    drop(none);
    let all = permits.split(3).unwrap();
    assert_eq!((permits.count(), all.count()), (0, 3));
    drop(permits);
    assert_out(3);
    all.release().unwrap();
    assert_out(0);

    // Put together.
    let (mut permits, two) = (acquire(1), acquire(2));
    permits.merge(two).unwrap();
    assert_eq!(permits.count(), 3);
    assert_out(3);
    permits.merge(acquire(0)).unwrap();
    assert_eq!(permits.count(), 3);
    drop(permits);
    assert_out(0);
    let (mut none, four) = (acquire(0), acquire(4));
    none.merge(four).unwrap();
    assert_out(4);
    let one = none.split(1).unwrap();
    none.merge(one).unwrap();
    assert_eq!(none.count(), 4);
    none.release().unwrap();
    assert_out(0);

    // Of another semaphore.
    let mut permits = acquire(2);
    for other in [from_another(0), from_another(1)] {
        let count = other.count();
        let other = permits.merge(other).unwrap_err();
        assert_eq!((permits.count(), other.count()), (2, count));
    }
    assert_out(2);
    drop(permits);
    assert_out(0);

    // And dropped by a thread that has not acquired them.
    let (there, forgotten, released) = (acquire(2), acquire(1), acquire(1));
    thread::scope(|s| {
        s.spawn(move || drop(there));
        s.spawn(move || forgotten.forget());
        s.spawn(move || released.release().unwrap());
    });
    assert_out(1);
    semaphore.release(1).unwrap();

    let expected = |name: &str| format!("{name} {{ count: 2 }}");
    let shown = format!("{:?}", acquire(2));
    assert!([expected("Permit"), expected("PermitArc")].contains(&shown), "{shown}");
    panics(|| {
        let _permits = acquire(2);
        panic_quietly()
    });
    assert_rests(semaphore, 5);
}

/// What others have released already can not be given back, and nothing happens.
pub fn permits_for_which_there_is_no_room_are_no_more<S: AnySemaphore>(limit: u32) {
    let _limit = crate::threads::limit();
    let semaphore = Arc::new(S::made_with(limit));
    let (one, mut three) = (semaphore.acquire(), semaphore.acquire_many_arc(3));
    semaphore.release(3).unwrap();
    assert_eq!(semaphore.available(), limit - 1);
    let error = three.split(2).unwrap().release().unwrap_err();
    let has = limit - 1;
    let expected = format!("2 permits released to a semaphore that has {has} of at most {limit}");
    assert_eq!(error.to_string(), expected);
    assert_eq!(semaphore.available(), limit - 1);
    three.release().unwrap();
    let error = one.release().unwrap_err();
    assert!(error.to_string().starts_with("1 permit released"), "{error}");
    assert_rests(&*semaphore, limit);

    let (one, owned) = (semaphore.acquire(), semaphore.acquire_arc());
    semaphore.release(2).unwrap();
    drop((one, owned));
    assert_rests(&*semaphore, limit);
    assert_eq!(Arc::strong_count(&semaphore), 1);
}

/// The permit is its last owner.
pub fn permits_may_outlive_all_other_owners<S: AnySemaphore>() {
    let _limit = limit();
    let ends: [fn(PermitArc); 5] = [
        drop,
        PermitArc::forget,
        |permit| permit.release().unwrap(),
        |mut permit| {
            let one = permit.split(1).unwrap();
            drop(permit);
            drop(one);
        },
        |mut permit| {
            let one = permit.split(1).unwrap();
            permit.merge(one).unwrap();
        },
    ];
    for end in ends {
        let semaphore = Arc::new(S::made_with(3));
        let weak = Arc::downgrade(&semaphore);
        let permit = semaphore.acquire_many_arc(2);
        assert_eq!(Arc::strong_count(&semaphore), 2);
        drop(semaphore);
        assert_eq!(weak.upgrade().unwrap().available(), 1);
        thread::spawn(move || end(permit)).join().unwrap();
        assert!(weak.upgrade().is_none(), "it lives on");
    }
}

/// H39.
pub fn nothing_is_allocated<S: AnySemaphore>() {
    let _limit = limit();
    assert_eq!(allocations(|| assert_eq!(S::made_with(3).available(), 3)), 0);
    let semaphore = Arc::new(S::made_with(3));
    let alone = allocations(|| {
        drop(semaphore.acquire());
        drop(semaphore.try_acquire_many(2));
        drop(semaphore.acquire_many_timeout(2, SHORT));
        drop(semaphore.acquire_deadline(Instant::now()));
        drop(semaphore.acquire_arc());
        let mut permits = semaphore.acquire_many_arc(3);
        let one = permits.split(1).unwrap();
        permits.merge(one).unwrap();
        permits.forget();
        assert!(semaphore.release(MAX + 1).is_err());
    });
    assert_eq!(alone, 0);

    let ways: [fn(&Arc<S>); 5] = [
        |s| drop(s.acquire()),
        |s| drop(s.acquire_many_timeout(2, LONG).unwrap()),
        |s| drop(s.acquire_many_arc(2)),
        // Also where the time runs out: there are none before that has happened.
        |s| assert!(s.acquire_timeout(SHORT).is_none()),
        |s| assert!(s.acquire_many_timeout(3, Duration::from_millis(3)).is_none()),
    ];
    thread::scope(|s| {
        let mut threads: Vec<_> = ways
            .into_iter()
            .map(|way| {
                let semaphore = &semaphore;
                s.spawn(move || assert_eq!(allocations(|| way(semaphore)), 0))
            })
            .collect();
        for _ in 0..2 {
            threads.pop().unwrap().join().unwrap();
        }
        wait_until(|| semaphore.waiters() == 3);
        assert_eq!(allocations(|| semaphore.release(3).unwrap()), 0);
    });
    assert_rests(&*semaphore, 3);
}
