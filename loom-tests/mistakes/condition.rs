//! Conditions that are wrong, and the smallest ones that are right.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use futon_model::atomic::{AtomicU32, Ordering::*};
use futon_model::deadline::Deadline;
use futon_model::futex::{self, Outcome};

use crate::lock::{RawLock, ThreeStates};

/// A condition for threads that look in a loop whether what they need is there.
pub trait Condition: Send + Sync + 'static {
    fn new() -> Self;
    /// Gives up the lock, waits, has the lock again. May return for no reason.
    fn wait(&self, lock: &ThreeStates);
    /// After the change, with the lock or without it.
    fn notify_one(&self);
}

/// A condition that releases whom it should and nobody else.
pub trait ExactCondition: Send + Sync + 'static {
    fn new() -> Self;
    /// Whether it was notified.
    fn wait_until(&self, lock: &ThreeStates, deadline: Deadline) -> bool;
    /// Under the lock. Whether anybody waited.
    fn notify_one(&self) -> bool;
}

/// The right one for a loop: a number that each notification changes, read under the lock.
///
/// A thread that has found nothing under the lock has read the number before any change that could come after.
pub struct Numbered {
    number: AtomicU32,
}

impl Condition for Numbered {
    fn new() -> Self {
        Self { number: AtomicU32::new(0) }
    }

    fn wait(&self, lock: &ThreeStates) {
        let now = self.number.load(Relaxed);
        lock.release();
        futex::wait(&self.number, now);
        lock.acquire();
    }

    fn notify_one(&self) {
        self.number.fetch_add(1, Relaxed);
        futex::wake_one(&self.number);
    }
}

/// Tempting: keep the lock no longer than needed; the number is atomic and does not need it.
///
/// Wrong: 1. B finds nothing, releases the lock. 2. A takes the lock, brings what B needs, notifies: the number is
/// 1. 3. B reads 1 and sleeps until it is another number.
///
/// Right: enter the line first, then release the lock: `src/condition.rs`.
pub struct ReleasesFirst {
    number: AtomicU32,
}

impl Condition for ReleasesFirst {
    fn new() -> Self {
        Self { number: AtomicU32::new(0) }
    }

    fn wait(&self, lock: &ThreeStates) {
        lock.release();
        let now = self.number.load(Relaxed);
        futex::wait(&self.number, now);
        lock.acquire();
    }

    fn notify_one(&self) {
        self.number.fetch_add(1, Relaxed);
        futex::wake_one(&self.number);
    }
}

/// Tempting: a notification that finds nobody counted need not call the system, and the count is atomic.
///
/// Wrong: 1. B reads the number, releases the lock, counts itself, sleeps. 2. A changes the number and loads the
/// count: nothing orders the two, so that it may still load 0. 3. No wake, and B sleeps on.
///
/// Right: count before the release of the lock. Who has had the lock afterwards finds it counted:
/// `src/condition.rs`, where being counted is to stand in the line.
pub struct CountsLate {
    number: AtomicU32,
    waiting: AtomicU32,
}

impl Condition for CountsLate {
    fn new() -> Self {
        Self { number: AtomicU32::new(0), waiting: AtomicU32::new(0) }
    }

    fn wait(&self, lock: &ThreeStates) {
        let now = self.number.load(Relaxed);
        lock.release();
        self.waiting.fetch_add(1, Relaxed);
        futex::wait(&self.number, now);
        self.waiting.fetch_sub(1, Relaxed);
        lock.acquire();
    }

    fn notify_one(&self) {
        self.number.fetch_add(1, Relaxed);
        if self.waiting.load(Relaxed) > 0 {
            futex::wake_one(&self.number);
        }
    }
}

/// The right one that is exact: a line of words, each of which one thread sleeps on.
///
/// The line is reached under the lock of the condition alone; the mutex is there for the compiler.
pub struct Line {
    line: Mutex<VecDeque<Arc<AtomicU32>>>,
}

impl ExactCondition for Line {
    fn new() -> Self {
        Self { line: Mutex::default() }
    }

    fn wait_until(&self, lock: &ThreeStates, deadline: Deadline) -> bool {
        let mine = Arc::new(AtomicU32::new(0));
        self.line.lock().unwrap().push_back(mine.clone());
        lock.release();
        while mine.load(Acquire) == 0 {
            if futex::wait_until(&mine, 0, deadline) == Outcome::TimedOut {
                break;
            }
        }
        lock.acquire();
        // Under the lock nobody is told, so that this is the last word.
        let was_told = mine.load(Relaxed) == 1;
        if !was_told {
            self.line.lock().unwrap().retain(|other| !Arc::ptr_eq(other, &mine));
        }
        was_told
    }

    fn notify_one(&self) -> bool {
        let first = self.line.lock().unwrap().pop_front();
        if let Some(waiter) = &first {
            waiter.store(1, Release);
            futex::wake_one(&**waiter);
        }
        first.is_some()
    }
}

/// Tempting: the sleep has said that the time ran out. (Python's own condition does it.)
///
/// Wrong: 1. The time of B runs out. 2. A, which has the lock, notifies the first in line: that is B. 3. B takes the
/// lock, is no longer in the line, and reports that its time ran out. Nobody else was told.
///
/// Right: decide under the lock, whether one was told: `src/condition.rs` with `src/wait_list.rs`.
pub struct DecidesWithoutTheLock {
    line: Mutex<VecDeque<Arc<AtomicU32>>>,
}

impl ExactCondition for DecidesWithoutTheLock {
    fn new() -> Self {
        Self { line: Mutex::default() }
    }

    fn wait_until(&self, lock: &ThreeStates, deadline: Deadline) -> bool {
        let mine = Arc::new(AtomicU32::new(0));
        self.line.lock().unwrap().push_back(mine.clone());
        lock.release();
        let mut was_told = true;
        while was_told && mine.load(Acquire) == 0 {
            was_told = futex::wait_until(&mine, 0, deadline) != Outcome::TimedOut;
        }
        lock.acquire();
        if !was_told {
            self.line.lock().unwrap().retain(|other| !Arc::ptr_eq(other, &mine));
        }
        was_told
    }

    fn notify_one(&self) -> bool {
        let first = self.line.lock().unwrap().pop_front();
        if let Some(waiter) = &first {
            waiter.store(1, Release);
            futex::wake_one(&**waiter);
        }
        first.is_some()
    }
}

/// Tempting: a condition is a semaphore without permits that a notification gives one to if anybody waits.
///
/// Wrong: 1. B waits. 2. A notifies: one permit, meant for B. 3. Before B runs, C begins to wait, finds the permit
/// and takes it. 4. B, which was first, sleeps on.
///
/// Right: each in line has a word of its own to be told at: `src/wait_list.rs`.
pub struct OneCount {
    waiting: AtomicU32,
    permits: AtomicU32,
}

impl ExactCondition for OneCount {
    fn new() -> Self {
        Self { waiting: AtomicU32::new(0), permits: AtomicU32::new(0) }
    }

    fn wait_until(&self, lock: &ThreeStates, deadline: Deadline) -> bool {
        self.waiting.fetch_add(1, Relaxed);
        lock.release();
        let mut was_told = true;
        while was_told && self.permits.compare_exchange(1, 0, Acquire, Relaxed).is_err() {
            was_told = futex::wait_until(&self.permits, 0, deadline) != Outcome::TimedOut;
        }
        lock.acquire();
        was_told
    }

    fn notify_one(&self) -> bool {
        let waiting = self.waiting.load(Relaxed);
        if waiting > 0 {
            self.waiting.store(waiting - 1, Relaxed);
            self.permits.fetch_add(1, Release);
            futex::wake_one(&self.permits);
        }
        waiting > 0
    }
}
