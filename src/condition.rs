//! The condition: threads that have given up a lock until they are notified.
//!
//! # The state
//!
//! ```text
//!   waiting                 line
//!  +---------+   +-----+   +-------+    +-------+    +-------+
//!  | how     |   | its |   | first |───▶|       |───▶| last  |──┐
//!  | many    |   | lock|   |       |◀───|       |◀───|       |  │
//!  +---------+   +-----+   +-------+    +-------+    +-------+  │
//!                              ▲     each on its own stack      │
//!                              └────────────────────────────────┘
//! ```
//!
//! | a thread …     | does, under the lock of the line                                                   |
//! |----------------|------------------------------------------------------------------------------------|
//! | waits          | joins the end of the line, and only then releases the lock that it came with       |
//! | notifies       | takes the first out and tells it, as often as asked for                            |
//! | runs out of time | leaves the line, unless it has been told: then it was notified in time           |
//! | was told       | nothing, but it comes by: after that, whoever told it has done with it             |
//!
//! # The invariant
//!
//! * **Who is in the line has not been told, and who was told is not in the line.** So a notification
//!   is for a thread that came before it, is for one thread, and is used by it or was not given to it.
//! * **Each sleeps on a word of its own**, on which no number of rounds can bring an old value back.
//! * `waiting` is the length of the line. It is changed under the lock of the line, and read without it by
//!   those who notify: what they must not overlook was done under the lock that the waiting thread has released.
//!
//! # No stampede
//!
//! Who is notified needs the lock, and often the notifier has it. So it is not woken: its sleep
//! is moved to the word of the lock ([`RawLock::join`], [`take_in`](RawLock::take_in)), and the release of
//! the lock wakes the first, whose release wakes the next. If the lock is free the notifier wakes the first.
//! Where the system can not move a sleep, all are woken.

mod suspend;

use core::cell::UnsafeCell;
use core::fmt;
use core::panic::{RefUnwindSafe, UnwindSafe};
use core::ptr;
use core::time::Duration;
use std::time::Instant;

pub use suspend::WaitGuard;

use crate::atomic::AtomicU32;
use crate::atomic::Ordering::Relaxed;
use crate::deadline::Deadline;
use crate::futex;
use crate::raw_lock::RawLock;
use crate::wait_list::{News, WaitList, Waiter};

/// Notified, and counted already among those that wait for the lock.
const NOTIFIED: News = News::new(2);

/// Threads that wait, each having given up a lock, until another one notifies them.
///
/// A thread that has a lock finds that what it needs is not there yet. It [`wait`](Self::wait)s: that gives up
/// the lock and sleeps, in one step, and when it has been notified it takes the lock again. It is Python's
/// `threading.Condition`, but that it stands beside the lock and not around it, as [`std::sync::Condvar`]
/// does. One lock may have several conditions, as with both of them.
///
/// ```
/// use futon::{Condition, Lock};
/// use std::thread;
///
/// let queue = Lock::new(Vec::new());
/// let is_not_empty = Condition::new();
///
/// thread::scope(|s| {
///     s.spawn(|| {
///         let mut queue = queue.acquire();
///         is_not_empty.wait_while(&mut queue, |queue| queue.is_empty());
///         assert_eq!(queue.pop(), Some("item"));
///     });
///     queue.acquire().push("item");
///     is_not_empty.notify_one();
/// });
/// ```
///
/// **With which locks.** With the guards of [`Lock`](crate::Lock) and [`RLock`](crate::RLock), see [`WaitGuard`]. All
/// threads that wait at one time must have come with the same lock.
///
/// **Notifications are not lost, swallowed or stolen.** Each goes to the thread that has waited longest, and never
/// to one that comes later. One that is given at the moment at which the thread's time runs out is reported
/// by that thread's wait, or else is given to the next. There are no wake-ups without a notification. A
/// notification while nobody waits is not kept: wait for a condition of the value under the lock, with
/// [`wait_while`](Self::wait_while).
///
/// **The notifier need not have the lock**, as it has to in Python. But the change that it notifies of has
/// to be made under the lock, or the notification may come between a look at the value and the wait.
///
/// **Memory ordering.** What happened before a notification is seen by the threads that it releases; and what
/// happened under the lock before is seen under it afterwards, also by a thread whose time has run out. A notification
/// that releases nobody orders nothing.
///
/// **Fairness.** First come, first notified. Which of those that were notified gets the lock first, and
/// whether a newcomer gets it before, is as with any other [acquire](crate::Lock), where a thread that was notified
/// has waited from the moment at which it was first woken.
///
/// **Cost.** Twenty-four bytes where a pointer has eight, no allocation. A notification is one load while nobody waits. It makes
/// one system call for each thread that it releases and that is asleep, and perhaps two more. It wakes at most one of them:
/// those that would have to wait for the lock are woken one after the other as it is released. (Where the system can
/// not do that, they are woken at once.)
#[doc(alias = "threading.Condition")]
#[doc(alias = "Condvar")]
pub struct Condition {
    /// Guards the line.
    lock: RawLock,
    waiting: AtomicU32,
    line: UnsafeCell<WaitList<LockAddress>>,
}

/// The lock that a thread came with. Alive until the thread, having been told, comes by.
#[derive(PartialEq)]
struct LockAddress(*const RawLock);

// SAFETY: the line is reached under the lock alone. Its waiters are on the stacks of threads that do not
// leave before they are out of it.
unsafe impl Send for Condition {}
// SAFETY: as above.
unsafe impl Sync for Condition {}
// Nothing of the user's runs while the line is changed, and so nothing can panic half-way.
impl UnwindSafe for Condition {}
impl RefUnwindSafe for Condition {}

impl Condition {
    /// A condition that nobody waits for, not tied to any lock.
    ///
    /// ```
    /// static CHANGED: futon::Condition = futon::Condition::new();
    /// assert_eq!(CHANGED.waiters(), 0);
    /// ```
    #[inline]
    #[must_use]
    pub const fn new() -> Self {
        Self {
            lock: RawLock::new(),
            waiting: AtomicU32::new(0),
            line: UnsafeCell::new(WaitList::new()),
        }
    }

    /// Gives up the lock, waits until it is notified, and takes the lock again.
    ///
    /// Returns only because of a notification, but by then others may have had the lock and changed
    /// what it was about. So look again, or let [`wait_while`](Self::wait_while) do that.
    ///
    /// Python's `wait()`, and std's `Condvar::wait` without spurious wake-ups.
    ///
    /// ```
    /// use futon::{Condition, Lock};
    /// use std::thread;
    ///
    /// let (ready, changed) = (Lock::new(false), Condition::new());
    /// thread::scope(|s| {
    ///     s.spawn(|| {
    ///         *ready.acquire() = true;
    ///         changed.notify_all();
    ///     });
    ///     let mut ready = ready.acquire();
    ///     while !*ready {
    ///         changed.wait(&mut ready);
    ///     }
    ///     assert!(*ready);
    /// });
    /// ```
    ///
    /// # Panics
    ///
    /// If others wait at this time that came with another lock, or if the guard is of an
    /// [`RLock`](crate::RLock) that this thread has more than once, and is not [`AllLevels`](crate::AllLevels) (see
    /// [`WaitGuard`]); as do the other forms. The lock is not given up then.
    #[track_caller]
    pub fn wait<G: WaitGuard>(&self, guard: &mut G) {
        self.wait_until(guard, Deadline::NEVER);
    }

    /// Gives up the lock, waits until it is notified or for `timeout`, and takes the lock again. Returns
    /// whether it was notified.
    ///
    /// False if its time has run out, never before that. Taking the lock again is not limited in time. A zero
    /// timeout still gives up the lock and takes it again; `Duration::MAX` and everything else beyond the range of
    /// the clock is [`wait`](Self::wait).
    ///
    /// Python's `wait(timeout)`, and parking_lot's `wait_for`.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let (lock, changed) = (futon::Lock::new(()), futon::Condition::new());
    /// let mut guard = lock.acquire();
    /// assert!(!changed.wait_timeout(&mut guard, Duration::from_millis(1)));
    /// assert!(lock.is_locked()); // again
    /// # drop(guard);
    /// ```
    ///
    /// # Panics
    ///
    /// As [`wait`](Self::wait).
    #[track_caller]
    #[doc(alias = "wait_for")]
    #[doc(alias = "WaitTimeoutResult")]
    pub fn wait_timeout<G: WaitGuard>(&self, guard: &mut G, timeout: Duration) -> bool {
        self.wait_until(guard, Deadline::after(timeout))
    }

    /// Gives up the lock, waits until it is notified or until `deadline`, and takes the lock again. Returns
    /// whether it was notified.
    ///
    /// As [`wait_timeout`](Self::wait_timeout), for a limit that several waits share. It is parking_lot's `wait_until`.
    ///
    /// ```
    /// use futon::{Condition, Lock};
    /// use std::time::{Duration, Instant};
    ///
    /// let (lock, changed) = (Lock::new(()), Condition::new());
    /// let deadline = Instant::now() + Duration::from_millis(1);
    /// let mut notifications = 0;
    /// while changed.wait_deadline(&mut lock.acquire(), deadline) {
    ///     notifications += 1;
    /// }
    /// assert!(notifications == 0 && Instant::now() >= deadline);
    /// ```
    ///
    /// # Panics
    ///
    /// As [`wait`](Self::wait).
    #[track_caller]
    #[doc(alias = "wait_until")]
    pub fn wait_deadline<G: WaitGuard>(&self, guard: &mut G, deadline: Instant) -> bool {
        self.wait_until(guard, Deadline::at(deadline))
    }

    /// Waits, again and again, while `condition` holds. It is asked under the lock, before each wait.
    ///
    /// If it panics, the lock is with the guard, as it is whenever it is asked.
    ///
    /// Python's `wait_for()`, with the opposite condition, and std's `wait_while`, whose closure gets `&mut T`.
    ///
    /// ```
    /// use futon::{Condition, Lock};
    /// use std::thread;
    ///
    /// let (count, changed) = (Lock::new(0), Condition::new());
    /// thread::scope(|s| {
    ///     for _ in 0..3 {
    ///         s.spawn(|| {
    ///             *count.acquire() += 1;
    ///             changed.notify_one();
    ///         });
    ///     }
    ///     let mut count = count.acquire();
    ///     changed.wait_while(&mut count, |count| *count < 3);
    ///     assert_eq!(*count, 3);
    /// });
    /// ```
    ///
    /// # Panics
    ///
    /// As [`wait`](Self::wait), if it comes to that, and if `condition` panics.
    #[track_caller]
    #[doc(alias = "wait_for")]
    pub fn wait_while<G: WaitGuard>(&self, guard: &mut G, condition: impl FnMut(&G::Target) -> bool) {
        self.wait_until_while(guard, Deadline::NEVER, condition);
    }

    /// Waits, again and again, while `condition` holds, or gives up after `timeout`. Returns whether it
    /// has come to an end.
    ///
    /// It is asked before each wait, and once more after the last: false means that it holds, though the
    /// time is over. The time is for all waits together; in all else each is [`wait_timeout`](Self::wait_timeout).
    ///
    /// Python's `wait_for(timeout=…)`, with the opposite condition, and parking_lot's `wait_while_for`.
    ///
    /// ```
    /// use futon::{Condition, Lock};
    /// use std::time::Duration;
    ///
    /// let (ready, changed) = (Lock::new(false), Condition::new());
    /// let mut guard = ready.acquire();
    /// assert!(!changed.wait_timeout_while(&mut guard, Duration::from_millis(1), |ready| !ready));
    /// *guard = true;
    /// assert!(changed.wait_timeout_while(&mut guard, Duration::ZERO, |ready| !ready));
    /// ```
    ///
    /// # Panics
    ///
    /// As [`wait`](Self::wait), if it comes to that, and if `condition` panics.
    #[track_caller]
    #[doc(alias = "wait_for")]
    #[doc(alias = "wait_while_for")]
    pub fn wait_timeout_while<G: WaitGuard>(
        &self,
        guard: &mut G,
        timeout: Duration,
        condition: impl FnMut(&G::Target) -> bool,
    ) -> bool {
        self.wait_until_while(guard, Deadline::after(timeout), condition)
    }

    /// Waits, again and again, while `condition` holds, or gives up at `deadline`. Returns whether it has come
    /// to an end.
    ///
    /// As [`wait_timeout_while`](Self::wait_timeout_while), for a limit that several waits share. It is parking_lot's
    /// `wait_while_until`.
    ///
    /// ```
    /// use futon::{Condition, Lock};
    /// use std::time::{Duration, Instant};
    ///
    /// let (orders, came) = (Lock::new(vec!["tea"]), Condition::new());
    /// let deadline = Instant::now() + Duration::from_millis(1);
    /// let mut orders = orders.acquire();
    /// let mut served = 0;
    /// while came.wait_deadline_while(&mut orders, deadline, |orders| orders.is_empty()) {
    ///     served += orders.drain(..).count();
    /// }
    /// assert_eq!(served, 1);
    /// ```
    ///
    /// # Panics
    ///
    /// As [`wait`](Self::wait), if it comes to that, and if `condition` panics.
    #[track_caller]
    #[doc(alias = "wait_while_until")]
    pub fn wait_deadline_while<G: WaitGuard>(
        &self,
        guard: &mut G,
        deadline: Instant,
        condition: impl FnMut(&G::Target) -> bool,
    ) -> bool {
        self.wait_until_while(guard, Deadline::at(deadline), condition)
    }

    /// Releases the thread that has waited longest. Returns whether there was one.
    ///
    /// Publishes what happened before to that thread (`Release`); if there is none it orders nothing (`Relaxed`). May be
    /// called with the lock or without. It waits for nothing but other threads that join or leave the line, or notify,
    /// at this moment.
    ///
    /// Python's `notify()`, which is for those who have the lock, and std's `notify_one`.
    ///
    /// ```
    /// use futon::{Condition, Lock};
    /// use std::thread;
    ///
    /// let (lock, changed) = (Lock::new(()), Condition::new());
    /// thread::scope(|s| {
    ///     s.spawn(|| changed.wait(&mut lock.acquire()));
    ///     while !changed.notify_one() {
    ///         thread::yield_now(); // it does not wait yet
    ///     }
    /// });
    /// ```
    #[inline]
    #[doc(alias = "signal")]
    pub fn notify_one(&self) -> bool {
        self.notify(1) == 1
    }

    /// Releases the `count` threads that have waited longest, or all if they are fewer. Returns how many.
    ///
    /// As [`notify_one`](Self::notify_one) in all else. Of none it does nothing. Python's `notify(n)`; std has none.
    ///
    /// ```
    /// use futon::{Condition, Lock};
    /// use std::thread;
    ///
    /// let (lock, changed) = (Lock::new(()), Condition::new());
    /// thread::scope(|s| {
    ///     for _ in 0..3 {
    ///         s.spawn(|| changed.wait(&mut lock.acquire()));
    ///     }
    ///     while changed.waiters() < 3 {
    ///         thread::yield_now();
    ///     }
    ///     assert_eq!(changed.notify(2), 2);
    ///     assert_eq!(changed.notify(2), 1);
    /// });
    /// ```
    #[inline]
    pub fn notify(&self, count: usize) -> usize {
        // ORDERING: Relaxed. A thread whose wait is to be noticed has counted itself before it gave up its
        // lock, and whoever notifies it has had that lock since, or knows of it in another way.
        if self.waiting.load(Relaxed) == 0 { 0 } else { self.notify_contended(count) }
    }

    /// Releases all threads that wait. Returns how many.
    ///
    /// As [`notify_one`](Self::notify_one) in all else. Python's and std's `notify_all()`.
    ///
    /// ```
    /// use futon::{Condition, Lock};
    /// use std::thread;
    ///
    /// let (is_open, changed) = (Lock::new(false), Condition::new());
    /// thread::scope(|s| {
    ///     for _ in 0..3 {
    ///         s.spawn(|| changed.wait_while(&mut is_open.acquire(), |is_open| !is_open));
    ///     }
    ///     *is_open.acquire() = true;
    ///     changed.notify_all(); // those who come later need not wait
    /// });
    /// assert_eq!(changed.notify_all(), 0);
    /// ```
    #[inline]
    #[doc(alias = "broadcast")]
    pub fn notify_all(&self) -> usize {
        self.notify(usize::MAX)
    }

    /// How many threads wait to be notified at this moment.
    ///
    /// What a test waits for when it wants to know that another thread blocks, in the place of a sleep: each thread
    /// that is counted is released by a notification of all that follows, unless its time runs out before. Who has been
    /// notified and waits for the lock is counted by the `waiters` of the lock. Orders nothing (`Relaxed`). Neither Python nor std has it.
    ///
    /// ```
    /// use futon::{Condition, Lock};
    /// use std::thread;
    ///
    /// let (lock, changed) = (Lock::new(()), Condition::new());
    /// thread::scope(|s| {
    ///     s.spawn(|| changed.wait(&mut lock.acquire()));
    ///     while changed.waiters() < 1 {
    ///         thread::yield_now();
    ///     }
    ///     assert!(changed.notify_one());
    /// });
    /// ```
    #[inline]
    #[must_use]
    pub fn waiters(&self) -> usize {
        // ORDERING: Relaxed. The answer may be out of date before it is returned, so it orders nothing.
        self.waiting.load(Relaxed) as usize
    }

    #[track_caller]
    fn wait_until_while<G: WaitGuard>(
        &self,
        guard: &mut G,
        deadline: Deadline,
        mut condition: impl FnMut(&G::Target) -> bool,
    ) -> bool {
        while condition(guard) {
            if !self.wait_until(guard, deadline) {
                return !condition(guard);
            }
        }
        true
    }

    #[track_caller]
    fn wait_until<G: WaitGuard>(&self, guard: &mut G, deadline: Deadline) -> bool {
        self.wait_by(guard, |waiter| waiter.wait_until(deadline))
    }

    /// The same, asleep from the first moment: for a thread whose CPU those who notify it can use better.
    #[track_caller]
    pub(crate) fn sleep_until<G: WaitGuard>(&self, guard: &mut G, deadline: Deadline) -> bool {
        self.wait_by(guard, |waiter| waiter.sleep_until(deadline))
    }

    #[track_caller]
    fn wait_by<G: WaitGuard>(
        &self,
        guard: &mut G,
        wait: impl FnOnce(&Waiter<LockAddress>) -> Option<News>,
    ) -> bool {
        guard.assert_can_wait();
        let waiter = Waiter::new(LockAddress(ptr::from_ref(guard.raw())));
        assert!(
            self.enter(&waiter),
            "this condition is waited for with another lock; all who wait at one time need the same"
        );
        let levels = guard.suspend();
        guard.raw().release();

        let news = wait(&waiter);
        match self.leave(&waiter, news) {
            Some(_) => guard.raw().acquire_joined(),
            None => guard.raw().acquire(),
        }
        guard.resume(levels);
        waiter.news().is_some()
    }

    /// Goes to the end of the line, if all there have the same lock.
    fn enter(&self, waiter: &Waiter<LockAddress>) -> bool {
        self.with_line(|line| {
            if line.first().is_some_and(|first| first != waiter.about()) {
                return false;
            }
            // SAFETY: it stays where it is until `leave` has found it told, or has removed it.
            unsafe { line.push(waiter) };
            // ORDERING: Relaxed, see `notify`.
            self.waiting.fetch_add(1, Relaxed);
            true
        })
    }

    /// Makes sure that nobody has to do with this waiter any more: it was told, or leaves the line.
    fn leave(&self, waiter: &Waiter<LockAddress>, news: Option<News>) -> Option<News> {
        self.with_line(|line| {
            // What came in at the last moment is not swallowed.
            let news = news.or_else(|| waiter.news());
            if news.is_none() {
                // SAFETY: it has not been told, and so is still in the line.
                unsafe { line.remove(waiter) };
                // ORDERING: Relaxed, see `notify`.
                self.waiting.fetch_sub(1, Relaxed);
            }
            news
        })
    }

    #[cold]
    fn notify_contended(&self, count: usize) -> usize {
        self.with_line(|line| {
            let mut released = 0;
            let mut moved_to = None;
            while released < count {
                let Some(waiter) = line.pop() else { break };
                // ORDERING: Relaxed, see `notify`.
                self.waiting.fetch_sub(1, Relaxed);
                let is_alone = released == 0 && (count == 1 || line.first().is_none());
                // SAFETY: it was in the line, so that its thread does not go before it has been in `leave`,
                // after this.
                moved_to = unsafe { release(waiter, is_alone) }.or(moved_to);
                released += 1;
            }
            // All of them have come with the same lock.
            if let Some(lock) = moved_to {
                if lock.has_to_wake() {
                    lock.wake_one();
                }
            }
            released
        })
    }

    fn with_line<R>(&self, f: impl FnOnce(&mut WaitList<LockAddress>) -> R) -> R {
        self.lock.acquire();
        // SAFETY: the lock is taken, and none of the callers comes here again from within `f`.
        let result = f(unsafe { &mut *self.line.get() });
        self.lock.release();
        result
    }
}

/// Tells a thread that it was notified, and wakes it or moves its sleep to the lock that it needs now. Returns
/// the lock in the latter case: somebody may have to be woken there.
///
/// Who is notified alone is woken if the lock is free. Of several, all but one would have to sleep again.
///
/// # Safety
///
/// The waiter has been taken out of the line just now, and its thread does not leave before the lock of
/// the line is released; nor is what is returned used after that.
unsafe fn release<'a>(waiter: *const Waiter<LockAddress>, is_alone: bool) -> Option<&'a RawLock> {
    // SAFETY: as the caller says. The lock is that of a guard, which the thread has in its hands.
    let lock = unsafe { &*(*waiter).about().0 };
    lock.join();
    // SAFETY: as the caller says.
    let word = unsafe { Waiter::tell(waiter, NOTIFIED) }?;
    let is_moved = !(is_alone && lock.has_to_wake())
        // SAFETY: as the caller says, the word is still there.
        && lock.take_in(unsafe { &*word }, NOTIFIED.number());
    if is_moved {
        return Some(lock);
    }
    futex::wake_one(word);
    None
}

impl Default for Condition {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Condition").field("waiters", &self.waiters()).finish()
    }
}
