//! What those do that want the results.

use core::fmt;
use core::mem;
use core::time::Duration;
use std::panic::resume_unwind;
use std::time::Instant;

use super::finished::Outcome;
use super::{ParMap, State};
use crate::deadline::Deadline;
use crate::lock::LockGuard;

/// The next result is not there yet, and the caller did not want to wait, or not any longer.
///
/// It promises no memory ordering. Python's `multiprocessing.TimeoutError`.
///
/// ```
/// use futon::{IteratorExt, NotReady};
/// use std::thread;
///
/// let first = thread::scope(|s| {
///     let squares = (3..6).par_map(s, 1, |n| n * n);
///     loop {
///         match squares.try_next() {
///             Err(NotReady) => thread::yield_now(), // or something of use
///             Ok(first) => break first,
///         }
///     }
/// });
/// assert_eq!(first, Some(9));
/// ```
#[doc(alias = "TimeoutError")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotReady;

impl fmt::Display for NotReady {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the next result is not there yet")
    }
}

impl std::error::Error for NotReady {}

impl<I: Iterator, F: Fn(I::Item) -> R, R> ParMap<I, F, R> {
    /// The next result, or `None` at the end. Waits until it is there.
    ///
    /// If no thread works at this moment it pulls the item and maps it itself.
    ///
    /// Python's `next(results)` of what `Pool.imap` returns.
    ///
    /// ```
    /// let map = futon::ParMap::new(1..3, 8, |n| n * n);
    /// assert_eq!((map.next(), map.next(), map.next()), (Some(1), Some(4), None));
    /// ```
    ///
    /// # Panics
    ///
    /// If the function has panicked for this item, or the iterator in its place; and with "already executing" if it is
    /// the function or the iterator that would have to wait.
    pub fn next(&self) -> Option<R> {
        match self.next_until(Deadline::NEVER) {
            Ok(result) => result,
            Err(NotReady) => unreachable!("waits for as long as it takes"),
        }
    }

    /// The next result, if it is there.
    ///
    /// `Ok(None)` is the end. Waits for nobody. But where no thread works it pulls and maps as [`next`](Self::next)
    /// does.
    ///
    /// ```
    /// use futon::{NotReady, ParMap, Semaphore};
    /// use std::thread;
    ///
    /// let go = Semaphore::new(0);
    /// let map = ParMap::new(1..=1, 1, |n| {
    ///     go.acquire().forget();
    ///     n
    /// });
    /// thread::scope(|s| {
    ///     s.spawn(|| map.work());
    ///     while go.waiters() < 1 {
    ///         thread::yield_now();
    ///     }
    ///     assert_eq!(map.try_next(), Err(NotReady));
    ///     go.release(1).unwrap();
    ///     assert_eq!(map.next(), Some(1));
    /// });
    /// ```
    ///
    /// # Errors
    ///
    /// [`NotReady`] if it is not there, and threads work or are about to. So it is too where the function or the iterator calls
    /// this.
    ///
    /// # Panics
    ///
    /// If the function has panicked for this item, or the iterator in its place.
    pub fn try_next(&self) -> Result<Option<R>, NotReady> {
        self.next_until(Deadline::after(Duration::ZERO))
    }

    /// The next result, or [`NotReady`] if it is not there within `timeout`.
    ///
    /// `Ok(None)` is the end. Never gives up before its time, and looks once more after it; the result is not lost,
    /// but the next one still. The limit is for the wait: where no thread works this pulls and maps as
    /// [`next`](Self::next) does, and that may take longer. A zero timeout is [`try_next`](Self::try_next);
    /// `Duration::MAX` and everything else beyond the range of the clock is [`next`](Self::next).
    ///
    /// Python's `next(timeout)` of what `Pool.imap` returns.
    ///
    /// ```
    /// use futon::{Event, IteratorExt, NotReady};
    /// use std::{thread, time::Duration};
    ///
    /// let go = Event::new();
    /// thread::scope(|s| {
    ///     let slow = ["a"].iter().par_map(s, 1, |item| {
    ///         go.wait();
    ///         item
    ///     });
    ///     assert_eq!(slow.next_timeout(Duration::from_millis(1)), Err(NotReady));
    ///     go.set();
    ///     assert_eq!(slow.next_timeout(Duration::MAX), Ok(Some(&"a")));
    /// });
    /// ```
    ///
    /// # Errors
    ///
    /// [`NotReady`] if it was not there in time.
    ///
    /// # Panics
    ///
    /// As [`next`](Self::next).
    pub fn next_timeout(&self, timeout: Duration) -> Result<Option<R>, NotReady> {
        self.next_until(Deadline::after(timeout))
    }

    /// The next result, or [`NotReady`] if it is not there by `deadline`.
    ///
    /// As [`next_timeout`](Self::next_timeout), for a limit that several waits share.
    ///
    /// ```
    /// use std::time::{Duration, Instant};
    ///
    /// // All that is there within a millisecond. This thread maps them itself, so that none is late.
    /// let map = futon::ParMap::new(1..=3, 8, |n| n * n);
    /// let deadline = Instant::now() + Duration::from_millis(1);
    /// let results = std::iter::from_fn(|| map.next_deadline(deadline).ok().flatten());
    /// assert_eq!(results.collect::<Vec<_>>(), [1, 4, 9]);
    /// ```
    ///
    /// # Errors
    ///
    /// [`NotReady`] if it was not there in time.
    ///
    /// # Panics
    ///
    /// As [`next`](Self::next).
    pub fn next_deadline(&self, deadline: Instant) -> Result<Option<R>, NotReady> {
        self.next_until(Deadline::at(deadline))
    }

    fn next_until(&self, deadline: Deadline) -> Result<Option<R>, NotReady> {
        let mut state = self.state.acquire();
        let mut is_late = deadline.has_passed();
        loop {
            if state.is_over {
                return Ok(None);
            }
            if let Some(outcome) = state.finished.take() {
                return Ok(Some(self.hand_out(state, outcome)));
            }
            if state.owed > 0 {
                // Who is about to wait has the time to wake those who wait for room.
                self.give_room(mem::take(&mut state.owed));
            } else if state.is_deserted() {
                let may_be_more = self.help(state);
                state = self.state.acquire();
                // If not, nobody can have found something meanwhile.
                if !may_be_more {
                    self.see_the_end(state);
                    return Ok(None);
                }
            } else {
                if is_late {
                    return Err(NotReady);
                }
                self.assert_not_at_work(&state);
                is_late = !self.changed.sleep_until(&mut state, deadline);
            }
        }
    }

    fn hand_out(&self, mut state: LockGuard<'_, State<I::Item, R>>, outcome: Outcome<R>) -> R {
        state.owed += 1;
        // Half of what is not needed to keep all busy.
        let busy = u32::try_from(state.workers.len()).unwrap_or(u32::MAX).saturating_mul(self.chunk);
        let enough = 1 + self.in_flight.saturating_sub(busy) / 2;
        if state.owed >= enough {
            self.give_room(mem::take(&mut state.owed));
        }
        let is_ready = state.finished.is_ready();
        state.is_over = outcome.is_err();
        state.has_panicked = outcome.is_err();
        drop(state);
        match outcome {
            Ok(result) => {
                // Another one may wait that was not notified, since it was this one's turn.
                if is_ready {
                    self.changed.notify_one();
                }
                result
            }
            Err(panic) => {
                self.changed.notify_all();
                resume_unwind(panic)
            }
        }
    }

    /// Nothing comes any more but perhaps the panic of the iterator. Nobody waits: the last one that worked has told all.
    fn see_the_end(&self, mut state: LockGuard<'_, State<I::Item, R>>) {
        state.is_over = true;
        // Only after all results. After a cancel some may be missing.
        let taken = state.finished.taken();
        let panic = state.panic.take_if(|(given, _)| *given == taken);
        if let Some((_, panic)) = panic {
            resume_unwind(panic);
        }
    }
}

/// One result a lock.
impl<I: Iterator, F: Fn(I::Item) -> R, R> Iterator for &ParMap<I, F, R> {
    type Item = R;

    // No size hint: how many of the rest will be this thread's is not known.

    #[inline]
    fn next(&mut self) -> Option<R> {
        ParMap::next(self)
    }
}
