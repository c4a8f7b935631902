//! The barrier: threads that wait for each other.
//!
//! # The state
//!
//! ```text
//!     line                                          arrived    round   breaks   is_broken
//!  +----------------------------------------------+---------+---------+--------+-----------+
//!  | those of full rounds whose  | those of the   | so many | the one | how    | until a   |
//!  | action runs                 | round that     | are in  | that    | often  | reset     |
//!  |                             | fills          | it      | fills   |        |           |
//!  +----------------------------------------------+---------+---------+--------+-----------+
//! ```
//!
//! | a thread …       | does, under the lock of the state                           | and then tells them |
//! |------------------|-------------------------------------------------------------|---------------------|
//! | arrives          | joins the line, unless the barrier is broken                | –, waits to be told |
//! | arrives last     | opens the next round, takes the others of its own out       | `TRIPPED`           |
//! | … with an action | opens the next round, and lets go of the lock to run it; then takes the others of its own out, unless `breaks` has changed | `TRIPPED` |
//! | runs out of time | leaves the line, breaks the barrier: takes all others out   | `BROKEN`            |
//! | aborts           | breaks the barrier: takes all out                           | `BROKEN`            |
//! | resets           | the same, but mends it                                      | `BROKEN`            |
//!
//! # The invariant
//!
//! * **Who is in the line has not been told, and who was taken out of it is told, once, and soon.** So what
//!   has become of a round is decided under the lock, and what comes a moment later does not reach back.
//! * **The line is in the order of the rounds**, and a full round has left it, or its action runs.
//! * **Who is told may free the barrier**, while the teller is still on its way out of a wait, an abort or a
//!   reset. So nobody is told before all who were taken out have done with the barrier. That is only in
//!   question for one whose time runs out at that moment: see [`Arrival`].
//! * **The action runs without the lock**, and finds a barrier that works: it may call any method. Whether its
//!   round was broken meanwhile shows in `breaks`.

mod state;

use core::cell::UnsafeCell;
use core::fmt;
use core::mem;
use core::panic::{RefUnwindSafe, UnwindSafe};
use core::time::Duration;
use std::time::Instant;

use state::{Arrival, BROKEN, State, TRIPPED};

use crate::deadline::Deadline;
use crate::lock::{Lock, LockGuard};
use crate::wait_list::{News, Waiter};
use crate::widths::Number;

/// Threads that wait until so many of them have arrived, and then all go on.
///
/// It can be used again at once, round after round. It is Python's `threading.Barrier`: a thread may set itself a
/// time to wait, one that can not come may [`abort`](Self::abort), and then the barrier is *broken* and nobody
/// waits in vain; and one thread of each round may run an [action](Self::with_action) before the others go on. Of
/// all this [`std::sync::Barrier`] has the wait and its leader.
///
/// ```
/// use futon::Barrier;
/// use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
/// use std::thread;
///
/// let (barrier, done) = (Barrier::new(3), AtomicU32::new(0));
/// thread::scope(|s| {
///     for _ in 0..3 {
///         s.spawn(|| {
///             done.fetch_add(1, Relaxed); // … the first half of the work …
///             let arrival = barrier.wait().unwrap();
///             assert_eq!(done.load(Relaxed), 3); // by all
///             if arrival.is_leader() {
///                 println!("half of it is done");
///             }
///         });
///     }
/// });
/// ```
///
/// **Which round.** The first `parties` threads to arrive are a round, the next ones the next. There may be more
/// threads than parties. Once a round is complete, all its threads succeed: what breaks the barrier a moment later
/// does not reach back, as it does in Python.
///
/// **Broken.** A wait whose time runs out breaks the barrier, as do an abort and an action that panics. Then all who
/// wait fail with [`BrokenBarrier`], and all who come, until somebody calls [`reset`](Self::reset). That a thread has
/// ended or panicked the barrier does not know: [abort](Self::abort) it there.
///
/// **Memory ordering.** What the threads of a round did before they waited is seen by all of them afterwards, and
/// by the action; what the action did is seen by all. What happened before an abort, a reset or a wait that ran
/// out of time is seen by those that fail because of it.
///
/// **Fairness.** All are released at once; in which order they run is the system's choice.
///
/// **Nothing is touched afterwards.** A thread whose wait has succeeded may free the barrier at once, though the
/// others of its round have not returned yet.
///
/// **Cost.** Fifty-six bytes where a pointer has eight, and the action; no allocation. An arrival is a lock that is held for
/// a moment; the last one makes a system call for each thread that sleeps.
#[doc(alias = "threading.Barrier")]
#[doc(alias = "CyclicBarrier")]
pub struct Barrier<A = fn()> {
    /// Never changed. Still in a cell, for the thread that frees the barrier at once when it has been told: a
    /// borrow of a cell does not claim that it stays.
    terms: UnsafeCell<Terms<A>>,
    state: Lock<State>,
}

struct Terms<A> {
    parties: u32,
    action: Option<A>,
}

// SAFETY: the terms are only read, by any thread that has the barrier.
unsafe impl<A: Sync> Sync for Barrier<A> {}
impl<A: UnwindSafe> UnwindSafe for Barrier<A> {}
impl<A: RefUnwindSafe> RefUnwindSafe for Barrier<A> {}

/// What a thread is told that has waited with success.
///
/// Python's `wait()` returns the [`index`](Self::index) alone, that of [`std::sync::Barrier`] whether the thread
/// [is the leader](Self::is_leader).
///
/// ```
/// let barrier = futon::Barrier::new(1);
/// let arrival = barrier.wait()?;
/// assert_eq!((arrival.index(), arrival.is_leader()), (0, true));
/// # Ok::<(), futon::BrokenBarrier>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BarrierWaitResult {
    index: u32,
    is_leader: bool,
}

/// The barrier is broken, or was broken or reset while this thread waited.
///
/// It is returned by the waits of a [`Barrier`], and is Python's `BrokenBarrierError`.
///
/// ```
/// use futon::{Barrier, BrokenBarrier};
///
/// fn two_phases(barrier: &Barrier) -> Result<(), BrokenBarrier> {
///     barrier.wait()?;
///     barrier.wait()?;
///     Ok(())
/// }
///
/// let barrier = Barrier::new(1);
/// assert_eq!(two_phases(&barrier), Ok(()));
/// barrier.abort();
/// assert_eq!(two_phases(&barrier).unwrap_err().to_string(), "the barrier is broken");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[doc(alias = "BrokenBarrierError")]
#[doc(alias = "BrokenBarrierException")]
pub struct BrokenBarrier;

impl Barrier {
    /// A barrier for so many threads.
    ///
    /// Python's `Barrier(parties)`. There is no timeout for all waits, as Python has: say it to
    /// [`wait_timeout`](Self::wait_timeout).
    ///
    /// ```
    /// static START: futon::Barrier = futon::Barrier::new(4);
    /// assert_eq!(START.parties(), 4);
    /// ```
    ///
    /// # Panics
    ///
    /// If they are none. In a constant, that does not compile.
    ///
    /// ```should_panic
    /// futon::Barrier::new(0);
    /// ```
    ///
    /// ```compile_fail,E0080
    /// static START: futon::Barrier = futon::Barrier::new(0);
    /// ```
    #[must_use]
    #[track_caller]
    pub const fn new(parties: u32) -> Self {
        Self::of(parties, None)
    }
}

impl<A> Barrier<A> {
    #[track_caller]
    const fn of(parties: u32, action: Option<A>) -> Self {
        let terms = UnsafeCell::new(Terms { parties, action });
        let barrier = Self { terms, state: Lock::new(State::new()) };
        assert!(parties > 0, "a barrier for 0 threads: it takes at least 1");
        barrier
    }

    fn terms(&self) -> &Terms<A> {
        // SAFETY: they are never written to.
        unsafe { &*self.terms.get() }
    }
}

impl<A: Fn()> Barrier<A> {
    /// A barrier with an action, which is run once a round: when all have arrived, and before any goes on.
    ///
    /// The thread that arrives last runs it, in its wait. The others wait for it to end, each for as long as it
    /// wants to wait. Python's `Barrier(parties, action)`.
    ///
    /// ```
    /// use futon::{Barrier, Lock};
    /// use std::thread;
    ///
    /// let sums = Lock::new(vec![0]);
    /// let barrier = Barrier::with_action(2, || sums.acquire().push(0));
    /// thread::scope(|s| {
    ///     for number in 1..=2 {
    ///         let (sums, barrier) = (&sums, &barrier);
    ///         s.spawn(move || {
    ///             for _ in 0..3 {
    ///                 *sums.acquire().last_mut().unwrap() += number;
    ///                 barrier.wait().unwrap();
    ///             }
    ///         });
    ///     }
    /// });
    /// assert_eq!(*sums.acquire(), [3, 3, 3, 0]);
    /// ```
    ///
    /// If it panics the barrier is broken, and the panic goes on in the thread that ran it.
    ///
    /// **It may call any method of the barrier**; in Python most of them wait for ever there.
    ///
    /// | in the action | |
    /// |---|---|
    /// | [`abort`](Self::abort) | breaks the barrier: this round fails, for the thread that runs the action too |
    /// | [`reset`](Self::reset) | this round fails in the same way, but the barrier is as new. A panic of the action afterwards does not break it again |
    /// | [`wait`](Self::wait) | arrives in the *next* round, as any thread may meanwhile if there are more than parties. With one party this runs the action again, within itself |
    /// | [`waiting`](Self::waiting) | how many have arrived in the next round |
    /// | [`waiters`](Self::waiters) | counts those who wait for the action too |
    ///
    /// As the action may be run by any thread that has the barrier, they can share it only if it is `Sync`.
    ///
    /// ```compile_fail,E0277
    /// # use std::cell::Cell;
    /// let rounds = Cell::new(0);
    /// let barrier = futon::Barrier::with_action(2, || rounds.set(rounds.get() + 1));
    /// std::thread::scope(|s| _ = s.spawn(|| barrier.wait()));
    /// ```
    ///
    /// # Panics
    ///
    /// If there are no parties, as [`new`](Barrier::new).
    #[must_use]
    #[track_caller]
    pub const fn with_action(parties: u32, action: A) -> Self {
        Self::of(parties, Some(action))
    }

    /// Waits until so many threads have arrived, this one included.
    ///
    /// The last one to arrive does not wait: it is the leader, and runs the action if there is one.
    ///
    /// Python's `wait()`.
    ///
    /// ```
    /// use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
    /// use std::thread;
    ///
    /// let (barrier, answer) = (futon::Barrier::new(2), AtomicU32::new(0));
    /// thread::scope(|s| {
    ///     s.spawn(|| {
    ///         answer.store(42, Relaxed);
    ///         barrier.wait()
    ///     });
    ///     barrier.wait().unwrap();
    ///     assert_eq!(answer.load(Relaxed), 42);
    /// });
    /// ```
    ///
    /// # Errors
    ///
    /// If the barrier is broken, or is broken or [reset](Self::reset) before all have arrived and the action has
    /// been run.
    ///
    /// # Panics
    ///
    /// If the action panics, in the thread that runs it. Then the barrier is broken.
    pub fn wait(&self) -> Result<BarrierWaitResult, BrokenBarrier> {
        self.wait_until(Deadline::NEVER)
    }

    /// Waits until so many threads have arrived, for at most `timeout`. If that is not enough, the barrier is
    /// broken.
    ///
    /// Never gives up before its time, and looks once more after it: a round that is complete by then has
    /// succeeded. The time until an action has been run counts too, but not for the last thread to arrive, which runs
    /// it however long that takes. With a zero timeout every other thread breaks the barrier, unless the rest arrive at
    /// that very moment; `Duration::MAX` and everything else beyond the range of the clock is [`wait`](Self::wait).
    ///
    /// Python's `wait(timeout)`.
    ///
    /// ```
    /// use futon::{Barrier, BrokenBarrier};
    /// use std::time::Duration;
    ///
    /// let barrier = Barrier::new(2);
    /// assert!(barrier.wait_timeout(Duration::from_millis(1)).is_err());
    /// assert!(barrier.is_broken());
    /// assert!(barrier.wait().is_err());
    /// ```
    ///
    /// # Errors
    ///
    /// As [`wait`](Self::wait), and if the time runs out.
    ///
    /// # Panics
    ///
    /// As [`wait`](Self::wait): if the action panics, in the thread that runs it.
    #[doc(alias = "wait_for")]
    pub fn wait_timeout(&self, timeout: Duration) -> Result<BarrierWaitResult, BrokenBarrier> {
        self.wait_until(Deadline::after(timeout))
    }

    /// Waits until so many threads have arrived, at most until `deadline`. If that is not enough, the barrier is
    /// broken.
    ///
    /// As [`wait_timeout`](Self::wait_timeout), for a limit that several waits share. A deadline in the past is a zero
    /// timeout. Python has no form for it.
    ///
    /// ```
    /// use std::time::{Duration, Instant};
    ///
    /// let deadline = Instant::now() + Duration::from_millis(1);
    /// assert!(futon::Barrier::new(1).wait_deadline(deadline).is_ok());
    /// assert!(futon::Barrier::new(2).wait_deadline(deadline).is_err());
    /// ```
    ///
    /// # Errors
    ///
    /// As [`wait_timeout`](Self::wait_timeout).
    ///
    /// # Panics
    ///
    /// As [`wait`](Self::wait): if the action panics, in the thread that runs it.
    #[doc(alias = "wait_until")]
    pub fn wait_deadline(&self, deadline: Instant) -> Result<BarrierWaitResult, BrokenBarrier> {
        self.wait_until(Deadline::at(deadline))
    }

    fn wait_until(&self, deadline: Deadline) -> Result<BarrierWaitResult, BrokenBarrier> {
        let mut state = self.state.acquire();
        if state.is_broken {
            return Err(BrokenBarrier);
        }
        let index = state.arrived;
        state.arrived += 1;
        let is_leader = state.arrived == self.terms().parties;
        let news = if is_leader { self.lead(state) } else { self.follow(state, deadline) };
        if news == TRIPPED { Ok(BarrierWaitResult { index, is_leader }) } else { Err(BrokenBarrier) }
    }

    /// All have arrived, this thread last.
    fn lead<'a>(&'a self, mut state: LockGuard<'a, State>) -> News {
        let (round, breaks) = (state.round, state.breaks);
        state.arrived = 0;
        state.round = state.round.wrapping_add(1);
        if let Some(action) = &self.terms().action {
            drop(state);
            let broken_by_panic = BreakOnDrop { state: &self.state, breaks };
            action();
            mem::forget(broken_by_panic);
            state = self.state.acquire();
            if state.breaks != breaks {
                return BROKEN;
            }
        }
        let followers = state.take_out(|arrival| arrival.round == round);
        drop(state);
        followers.tell(TRIPPED);
        TRIPPED
    }

    /// Others are still to arrive.
    fn follow(&self, mut state: LockGuard<'_, State>, mut deadline: Deadline) -> News {
        let waiter = Waiter::new(Arrival::new(state.round));
        // SAFETY: it stays where it is until it has been told, or has taken itself out in `gives_up`.
        unsafe { state.push(&waiter) };
        drop(state);
        loop {
            if let Some(news) = waiter.wait_until(deadline) {
                return news;
            }
            if self.gives_up(&waiter) {
                return BROKEN;
            }
            // It has been taken out, and what it has been waiting for is on its way.
            deadline = Deadline::NEVER;
        }
    }

    /// Breaks the barrier on behalf of a thread whose time has run out. False if it has been taken out meanwhile.
    fn gives_up(&self, waiter: &Waiter<Arrival>) -> bool {
        if !waiter.about().leave() {
            return false;
        }
        let mut state = self.state.acquire();
        if waiter.about().is_taken() {
            drop(state);
            waiter.about().pass();
            return false;
        }
        // SAFETY: it is in the line, as nobody has taken it out.
        unsafe { state.remove(waiter) };
        state.is_broken = true;
        tell_all_broken(state);
        true
    }
}

impl<A> Barrier<A> {
    /// Breaks the barrier: all who wait fail, and all who come until it is [reset](Self::reset).
    ///
    /// For a thread that can not take part, so that the others do not wait for ever. A round that is complete
    /// succeeds nevertheless, unless its action is not done yet. Never blocks for long. Aborting again changes
    /// nothing.
    ///
    /// Python's `abort()`.
    ///
    /// ```
    /// use futon::{Barrier, BrokenBarrier};
    /// use std::thread;
    ///
    /// let barrier = Barrier::new(2);
    /// thread::scope(|s| {
    ///     let other = s.spawn(|| barrier.wait());
    ///     barrier.abort(); // before the other one has come, or while it waits
    ///     assert!(other.join().unwrap().is_err());
    /// });
    /// assert!(barrier.is_broken());
    /// ```
    ///
    /// A thread that may panic does it in a `drop`:
    ///
    /// ```
    /// use futon::Barrier;
    /// use std::thread;
    ///
    /// struct AbortOnPanic<'a>(&'a Barrier);
    ///
    /// impl Drop for AbortOnPanic<'_> {
    ///     fn drop(&mut self) {
    ///         if thread::panicking() {
    ///             self.0.abort();
    ///         }
    ///     }
    /// }
    ///
    /// let barrier = Barrier::new(2);
    /// thread::scope(|s| {
    ///     let other = s.spawn(|| {
    ///         let _abort = AbortOnPanic(&barrier);
    ///         panic!("half-way");
    ///     });
    ///     assert!(barrier.wait().is_err());
    ///     assert!(other.join().is_err());
    /// });
    /// ```
    pub fn abort(&self) {
        let mut state = self.state.acquire();
        state.is_broken = true;
        tell_all_broken(state);
    }

    /// Makes the barrier as new. All who wait fail.
    ///
    /// It can be used at once: who comes from now on is the first of a new round. A round that is complete
    /// succeeds nevertheless, unless its action is not done yet: then it fails.
    ///
    /// Python's `reset()`.
    ///
    /// ```
    /// let barrier = futon::Barrier::new(1);
    /// barrier.abort();
    /// assert!(barrier.wait().is_err());
    /// barrier.reset();
    /// assert!(barrier.wait().is_ok());
    /// ```
    pub fn reset(&self) {
        let mut state = self.state.acquire();
        state.is_broken = false;
        tell_all_broken(state);
    }

    /// How many threads a round takes: what the barrier was made with. Python's `parties`.
    ///
    /// ```
    /// use std::thread;
    ///
    /// let barrier = futon::Barrier::new(3);
    /// thread::scope(|s| {
    ///     for _ in 1..barrier.parties() {
    ///         s.spawn(|| barrier.wait());
    ///     }
    ///     assert!(barrier.wait().is_ok()); // with this one they are enough
    /// });
    /// ```
    #[must_use]
    pub fn parties(&self) -> u32 {
        self.terms().parties
    }

    /// How many threads have arrived in the round that fills. None if the barrier is broken.
    ///
    /// The answer may be out of date before it is returned: fit for a test or a log, not for a decision.
    /// Python's `n_waiting`.
    ///
    /// ```
    /// use std::thread;
    ///
    /// let barrier = futon::Barrier::new(3);
    /// thread::scope(|s| {
    ///     s.spawn(|| barrier.wait().unwrap_err());
    ///     while barrier.waiting() < 1 {
    ///         thread::yield_now();
    ///     }
    ///     barrier.reset(); // the round begins anew
    ///     assert_eq!(barrier.waiting(), 0);
    /// });
    /// ```
    #[must_use]
    #[doc(alias = "n_waiting")]
    pub fn waiting(&self) -> usize {
        self.state.acquire().arrived as usize
    }

    /// How many threads are blocked in a wait at this moment.
    ///
    /// What a test waits for when it wants to know that another thread blocks, in the place of a sleep: each thread
    /// that is counted fails if an abort or a reset follows. Those who wait for the action of a round that is
    /// complete are counted too, the thread that runs it is not. Sees what those threads did before they waited. Python
    /// has nothing like it.
    ///
    /// ```
    /// use std::thread;
    ///
    /// let barrier = futon::Barrier::new(2);
    /// thread::scope(|s| {
    ///     s.spawn(|| barrier.wait().unwrap());
    ///     while barrier.waiters() < 1 {
    ///         thread::yield_now();
    ///     }
    ///     assert_eq!(barrier.wait().unwrap().index(), 1);
    /// });
    /// assert_eq!(barrier.waiters(), 0);
    /// ```
    #[must_use]
    pub fn waiters(&self) -> usize {
        self.state.acquire().waiters()
    }

    /// Whether the barrier is broken: until a [`reset`](Self::reset), all waits fail. Python's `broken`.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let barrier = futon::Barrier::new(2);
    /// assert!(barrier.wait_timeout(Duration::ZERO).is_err()); // nobody else has come
    /// assert!(barrier.is_broken());
    /// barrier.reset();
    /// assert!(!barrier.is_broken());
    /// ```
    #[must_use]
    #[doc(alias = "broken")]
    pub fn is_broken(&self) -> bool {
        self.state.acquire().is_broken
    }
}

/// Takes all out, of all rounds, and tells them that it was in vain.
fn tell_all_broken(mut state: LockGuard<'_, State>) {
    state.breaks = state.breaks.wrapping_add(1);
    state.arrived = 0;
    let all = state.take_out(|_| true);
    drop(state);
    all.tell(BROKEN);
}

/// Breaks the barrier when the action of a round panics, unless that round has been broken already.
struct BreakOnDrop<'a> {
    state: &'a Lock<State>,
    breaks: Number,
}

impl Drop for BreakOnDrop<'_> {
    fn drop(&mut self) {
        let mut state = self.state.acquire();
        if state.breaks == self.breaks {
            state.is_broken = true;
            tell_all_broken(state);
        }
    }
}

/// Shows what [`waiting`](Barrier::waiting) and the like would say, or `<locked>` if they would have to wait.
impl<A> fmt::Debug for Barrier<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.state.try_acquire().map(|state| (state.arrived, state.is_broken));
        let mut barrier = f.debug_struct("Barrier");
        match state {
            Some((waiting, _)) => barrier.field("waiting", &waiting),
            None => barrier.field("waiting", &format_args!("<locked>")),
        };
        barrier.field("parties", &self.terms().parties);
        match state {
            Some((_, is_broken)) => barrier.field("is_broken", &is_broken),
            None => barrier.field("is_broken", &format_args!("<locked>")),
        };
        barrier.finish()
    }
}

impl BarrierWaitResult {
    /// How many of its round have arrived before this thread. Each number below `parties` is given once a round.
    ///
    /// What Python's `wait()` returns.
    ///
    /// ```
    /// use std::thread;
    ///
    /// let barrier = futon::Barrier::new(3);
    /// let mut indices = thread::scope(|s| {
    ///     let waits = [(); 3].map(|()| s.spawn(|| barrier.wait().unwrap().index()));
    ///     waits.map(|wait| wait.join().unwrap())
    /// });
    /// indices.sort();
    /// assert_eq!(indices, [0, 1, 2]);
    /// ```
    #[must_use]
    pub fn index(&self) -> u32 {
        self.index
    }

    /// Whether this thread was the last to arrive, and has run the action. So is one of each round.
    ///
    /// As std's. In Python it is an index of `parties - 1`.
    ///
    /// ```
    /// use std::thread;
    ///
    /// let barrier = futon::Barrier::new(3);
    /// let is_leader = thread::scope(|s| {
    ///     let waits = [(); 3].map(|()| s.spawn(|| barrier.wait().unwrap().is_leader()));
    ///     waits.map(|wait| wait.join().unwrap())
    /// });
    /// assert_eq!(is_leader.iter().filter(|is_leader| **is_leader).count(), 1);
    /// ```
    #[must_use]
    pub fn is_leader(&self) -> bool {
        self.is_leader
    }
}

impl fmt::Display for BrokenBarrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the barrier is broken")
    }
}

impl core::error::Error for BrokenBarrier {}
