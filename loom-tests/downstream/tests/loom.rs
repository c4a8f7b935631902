//! The crate in every interleaving: `RUSTFLAGS="--cfg loom" cargo test --test loom`.
//!
//! Some models are of wrong variants of the crate's types, and have to fail. They show that such a
//! mistake in the types themselves would be found.
#![cfg(loom)]

use std::collections::BTreeSet;
use std::ptr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use downstream::{Latch, Mailbox};
use futon::atomic::model::check_with;
use futon::atomic::{AtomicU32, Ordering};
use futon::{Event, Lock, futex};
use loom::cell::UnsafeCell;
use loom::model::Builder;
use loom::thread;

/// Far more than a model takes to run: whether it passes is loom's choice, not the clock's.
const HOUR: Duration = Duration::from_secs(3600);

#[test]
fn put_races_take() {
    explore(|| {
        let mailbox = Arc::new(Mailbox::new());
        let sender = mailbox.clone();
        let sending = thread::spawn(move || {
            sender.put(1).unwrap();
            sender.put(2)
        });
        assert_eq!(mailbox.take(), 1);
        if sending.join().unwrap().is_ok() {
            assert_eq!(mailbox.take(), 2);
        }
        assert_eq!(mailbox.try_take(), None);
    });
}

#[test]
fn put_races_try_take() {
    explore(|| {
        let mailbox = Arc::new(Mailbox::new());
        let sender = mailbox.clone();
        let sending = thread::spawn(move || sender.put(()).unwrap());
        let was_taken = mailbox.try_take().is_some();
        sending.join().unwrap();
        // With an event that says yes while the mailbox is empty, this would go round for ever.
        assert_eq!(mailbox.take_timeout(HOUR).is_none(), was_taken);
    });
}

#[test]
fn two_takes_race_for_one_message() {
    explore(|| {
        let mailbox = Arc::new(Mailbox::new());
        let other = mailbox.clone();
        let taking = thread::spawn(move || other.take_timeout(HOUR).is_some());
        mailbox.put(()).unwrap();
        let taken = [mailbox.take_timeout(HOUR).is_some(), taking.join().unwrap()];
        let left = mailbox.try_take().is_some();
        assert_eq!(taken.into_iter().chain([left]).filter(|&is_here| is_here).count(), 1);
    });
}

#[test]
fn put_races_the_timeout_of_take() {
    let outcomes = outcomes(|| {
        let mailbox = Arc::new(Mailbox::new());
        let sender = mailbox.clone();
        let sending = thread::spawn(move || sender.put(()).unwrap());
        let was_taken = mailbox.take_timeout(HOUR).is_some();
        sending.join().unwrap();
        // Nothing is lost between the two: it was taken, or it is still there.
        assert_eq!(mailbox.try_take().is_none(), was_taken);
        was_taken
    });
    assert_eq!(outcomes, BTreeSet::from([false, true]));
}

/// A mailbox that clears its event a moment after it has released the lock.
struct HastyMailbox {
    message: Lock<Option<u32>>,
    has_mail: Event,
}

impl HastyMailbox {
    fn put(&self, message: u32) -> bool {
        let mut slot = self.message.acquire();
        let is_free = slot.is_none();
        if is_free {
            *slot = Some(message);
            self.has_mail.set();
        }
        is_free
    }

    fn take(&self) -> u32 {
        loop {
            self.has_mail.wait();
            let message = self.message.acquire().take();
            // Wrong: there may be another message by now, which nobody will hear of.
            self.has_mail.clear();
            if let Some(message) = message {
                return message;
            }
        }
    }
}

#[test]
#[should_panic = "deadlock"]
fn put_races_a_take_that_clears_too_late() {
    explore(|| {
        let mailbox = Arc::new(HastyMailbox { message: Lock::new(None), has_mail: Event::new() });
        let sender = mailbox.clone();
        let sending = thread::spawn(move || {
            assert!(sender.put(1));
            sender.put(2)
        });
        assert_eq!(mailbox.take(), 1);
        if sending.join().unwrap() {
            assert_eq!(mailbox.take(), 2);
        }
    });
}

#[test]
fn count_downs_race_wait() {
    explore(|| {
        static LATCH: Latch = Latch::new(2);

        let notes = Arc::new([Note::new(), Note::new()]);
        for place in 0..2 {
            let notes = notes.clone();
            thread::spawn(move || {
                notes[place].write();
                LATCH.count_down();
            });
        }
        LATCH.wait();
        assert_eq!(notes.iter().map(Note::read).sum::<u32>(), 2);
    });
}

#[test]
fn count_down_races_the_timeout_of_wait() {
    let outcomes = outcomes(|| {
        let latch = Arc::new(Latch::new(1));
        let counter = latch.clone();
        let counting = thread::spawn(move || counter.count_down());
        let was_open = latch.wait_timeout(HOUR);
        counting.join().unwrap();
        assert!(latch.wait_timeout(HOUR), "a latch that is open needs no time");
        was_open
    });
    assert_eq!(outcomes, BTreeSet::from([false, true]));
}

/// A latch of one count in a few lines, with a place for each of two mistakes.
fn count_down_races_wait(opening: Ordering, wakes: bool) {
    explore(move || {
        let shared = Arc::new((AtomicU32::new(1), Note::new()));
        let counter = shared.clone();
        thread::spawn(move || {
            let (left, note) = &*counter;
            note.write();
            let address = ptr::from_ref(left);
            left.fetch_sub(1, opening);
            if wakes {
                futex::wake_all(address);
            }
        });
        let (left, note) = &*shared;
        while left.load(Ordering::Acquire) != 0 {
            futex::wait(left, 1);
        }
        assert_eq!(note.read(), 1);
    });
}

#[test]
fn count_down_races_wait_in_the_latch_without_a_mistake() {
    count_down_races_wait(Ordering::Release, true);
}

#[test]
#[should_panic = "deadlock"]
fn count_down_races_wait_in_a_latch_that_does_not_wake() {
    count_down_races_wait(Ordering::Release, false);
}

#[test]
#[should_panic = "Causality violation"]
fn count_down_races_wait_in_a_latch_that_publishes_nothing() {
    count_down_races_wait(Ordering::Relaxed, true);
}

/// A number that nothing protects: loom fails if two threads use it and no order is between them.
struct Note(UnsafeCell<u32>);

// SAFETY: the threads of a model take turns. Whether this is rightly shared is what the model finds out.
unsafe impl Sync for Note {}

impl Note {
    fn new() -> Self {
        Self(UnsafeCell::new(0))
    }

    fn write(&self) {
        // SAFETY: loom has made sure that nobody else is here.
        self.0.with_mut(|number| unsafe { *number = 1 });
    }

    fn read(&self) -> u32 {
        // SAFETY: loom has made sure that nobody writes.
        self.0.with(|number| unsafe { *number })
    }
}

/// What a model returns in all the ways that it can run.
fn outcomes(model: impl Fn() -> bool + Send + Sync + 'static) -> BTreeSet<bool> {
    let outcomes = Arc::new(Mutex::new(BTreeSet::new()));
    let seen = outcomes.clone();
    explore(move || {
        let outcome = model();
        seen.lock().unwrap().insert(outcome);
    });
    Arc::into_inner(outcomes).unwrap().into_inner().unwrap()
}

/// Runs a model in every way that needs no more than three switches away from a thread that could go
/// on. It takes few for a mistake to show; each further one makes a model ten times slower.
fn explore(model: impl Fn() + Send + Sync + 'static) {
    let mut builder = Builder::new();
    builder.preemption_bound = builder.preemption_bound.or(Some(3));
    check_with(builder, model);
}
