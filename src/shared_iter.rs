//! One iterator, pulled from by many threads.
//!
//! A composition: the iterator lies in a [`Lock`], and whoever wants an item takes the lock, calls
//! `next` and leaves. Around that stand the cases that make it more than a line:
//!
//! * **The iterator ends once.** After it has returned `None`, or panicked, it is not called again.
//! * **The iterator pulls from its own wrapper.** The lock is not re-entrant, so this would wait for
//!   itself. The wrapper notes which thread is inside, and a thread that finds itself there panics.
//! * **Items come back.** A [`Puller`] takes many items under one lock and may be dropped before it has
//!   read them. They lie in [`Returned`] until somebody takes them, before any new ones.

mod handle;
mod puller;
mod returned;

use core::fmt;
use core::time::Duration;
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::Instant;

pub use handle::SharedIterHandle;
pub use puller::Puller;
use returned::{GiveBack, Returned, Run};

use crate::atomic::Ordering::{Acquire, Relaxed, Release};
use crate::atomic::{AtomicU32, AtomicU64, thread_id};
use crate::deadline::Deadline;
use crate::lock::{Lock, LockGuard};

/// An iterator that many threads pull from, each item going to exactly one of them.
///
/// There are two ways to pull. `&SharedIter` and [`SharedIterHandle`] are iterators that take one item
/// under one lock: the least latency, and right where `next` blocks. A [`puller`](Self::puller) belongs to one
/// thread and takes many at once: the most items a second.
///
/// ```
/// use futon::IteratorExt;
/// use std::thread;
///
/// let lines = "one two\nthree\nfour five six".lines().shared();
/// let words: usize = thread::scope(|s| {
///     let workers: Vec<_> = (0..2)
///         .map(|_| s.spawn(|| lines.puller().map(|line| line.split(' ').count()).sum::<usize>()))
///         .collect();
///     workers.into_iter().map(|w| w.join().unwrap()).sum()
/// });
/// assert_eq!(words, 6);
/// ```
///
/// It wraps whatever is an `Iterator`: `from_fn`, adaptors, the lines of a reader. It is the recipe that
/// Python programmers know as a `threadsafe_iter` around a generator, and since Python 3.15 as
/// `threading.serialize_iterator`. std has nothing like it.
///
/// **The end is the end.** After `None` the iterator is not called again, also if it would go on. (What a
/// puller gives back later can still be had. So the handles are not `FusedIterator`s.)
///
/// **Panics.** If `next` panics, the panic goes on in the thread that called it, and the others see the
/// end; [`panicked`](Self::panicked) says why. Items that were pulled before are not lost.
///
/// **Re-entrancy.** An iterator that pulls from its own wrapper panics with "already executing", like a
/// generator of Python's, in the place of waiting for itself. (Two iterators that pull from each other can block
/// each other on two threads, as two locks can.)
///
/// **Memory ordering.** What a call of the iterator's `next` did is seen by every later call, on whatever
/// thread. The iterator need not know about threads; that it and its items may be *sent* to another is all
/// it takes:
///
/// ```compile_fail,E0277
/// # use std::rc::Rc;
/// fn shared<T: Sync>(_: T) {}
/// let counter = Rc::new(1);
/// shared(futon::SharedIter::new(std::iter::from_fn(move || Some(*counter))));
/// ```
///
/// **Fairness.** As [`Lock`].
#[doc(alias = "threadsafe_iter")]
#[doc(alias = "serialize_iterator")]
#[doc(alias = "ConcurrentIter")]
pub struct SharedIter<I: Iterator> {
    inside: Inside<I>,
    returned: Returned<I::Item>,
    /// 1 once somebody has called `stop`.
    stopped: AtomicU32,
    panic: Lock<Option<String>>,
}

/// What each thread changes that pulls, apart from what it only reads: that stays in the caches of all of them.
#[repr(align(128))]
struct Inside<I> {
    source: Lock<Source<I>>,
    /// The id of the thread that is inside the iterator, or 0.
    runner: AtomicU64,
}

pub(crate) struct Source<I> {
    iter: I,
    /// How many items it has given.
    given: usize,
    has_ended: bool,
}

/// Somebody is inside the iterator, or about to be, and the caller did not want to wait, or not any longer.
///
/// It promises no memory ordering.
///
/// ```
/// use futon::{Busy, Event, SharedIter};
/// use std::thread;
///
/// let (inside, go) = (Event::new(), Event::new());
/// let slow = SharedIter::new(std::iter::from_fn(|| {
///     inside.set();
///     go.wait();
///     Some('a')
/// }));
/// thread::scope(|s| {
///     s.spawn(|| slow.next());
///     inside.wait();
///     assert_eq!(slow.try_next(), Err(Busy));
///     go.set();
/// });
/// ```
#[doc(alias = "WouldBlock")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Busy;

impl fmt::Display for Busy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("another thread is inside the iterator")
    }
}

impl std::error::Error for Busy {}

impl<I: Iterator> SharedIter<I> {
    /// Shares `iter`.
    ///
    /// ```
    /// static IDS: futon::SharedIter<std::ops::RangeFrom<u64>> = futon::SharedIter::new(1..);
    /// assert_eq!(IDS.next(), Some(1));
    /// ```
    #[must_use]
    pub const fn new(iter: I) -> Self {
        Self {
            inside: Inside {
                source: Lock::new(Source { iter, given: 0, has_ended: false }),
                runner: AtomicU64::new(0),
            },
            returned: Returned::new(),
            stopped: AtomicU32::new(0),
            panic: Lock::new(None),
        }
    }

    /// The next item, or `None` at the end. Waits while another thread is inside the iterator.
    ///
    /// What pullers gave back comes first, and without a wait for the iterator. Python's `next(iterator)`.
    ///
    /// ```
    /// let shared = futon::SharedIter::new(1..3);
    /// assert_eq!((shared.next(), shared.next(), shared.next()), (Some(1), Some(2), None));
    /// ```
    ///
    /// # Panics
    ///
    /// If the iterator does, and with "already executing" if it is the iterator itself that calls this.
    #[inline]
    pub fn next(&self) -> Option<I::Item> {
        self.next_indexed().map(|(_, item)| item)
    }

    /// The next item and its place in the order in which the iterator gave them, from 0. `None` at the end.
    ///
    /// `enumerate` would count the items of one thread.
    ///
    /// ```
    /// let shared = futon::SharedIter::new("ab".chars());
    /// assert_eq!(shared.next(), Some('a'));
    /// assert_eq!(shared.next_indexed(), Some((1, 'b')));
    /// ```
    ///
    /// # Panics
    ///
    /// As [`next`](Self::next).
    #[inline]
    #[doc(alias = "enumerate")]
    pub fn next_indexed(&self) -> Option<(usize, I::Item)> {
        match self.pull(|| Some(self.occupied().acquire())) {
            Ok(item) => item,
            Err(Busy) => unreachable!("waits for as long as it takes"),
        }
    }

    /// The next item if nobody is inside the iterator.
    ///
    /// `Ok(None)` is the end. Waits for nobody who is inside, but the iterator itself may block.
    ///
    /// ```
    /// let shared = futon::SharedIter::new(1..2);
    /// assert_eq!(shared.try_next(), Ok(Some(1)));
    /// assert_eq!(shared.try_next(), Ok(None));
    /// ```
    ///
    /// # Errors
    ///
    /// [`Busy`] if somebody is inside the iterator or about to be. So it is too where the iterator itself calls this.
    ///
    /// # Panics
    ///
    /// If the iterator does.
    pub fn try_next(&self) -> Result<Option<I::Item>, Busy> {
        self.pull(|| None).map(value)
    }

    /// The next item, or [`Busy`] if other threads are inside the iterator for all of `timeout`.
    ///
    /// `Ok(None)` is the end. The limit is for the wait; the iterator itself may block for longer. Never gives up
    /// before its time, and then looks once more whether items were given back. A zero timeout is
    /// [`try_next`](Self::try_next); `Duration::MAX` and everything else beyond the range of the clock is
    /// [`next`](Self::next).
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let shared = futon::SharedIter::new(1..2);
    /// // Nobody is inside: no time is needed.
    /// assert_eq!(shared.next_timeout(Duration::ZERO), Ok(Some(1)));
    /// assert_eq!(shared.next_timeout(Duration::MAX), Ok(None));
    /// ```
    ///
    /// # Errors
    ///
    /// [`Busy`] if others were inside all the time.
    ///
    /// # Panics
    ///
    /// As [`next`](Self::next), but with a zero timeout as [`try_next`](Self::try_next).
    pub fn next_timeout(&self, timeout: Duration) -> Result<Option<I::Item>, Busy> {
        let wait = || self.occupied().acquire_timeout(timeout);
        self.pull(|| if timeout.is_zero() { None } else { wait() }).map(value)
    }

    /// The next item, or [`Busy`] if other threads are inside the iterator until `deadline`.
    ///
    /// As [`next_timeout`](Self::next_timeout), for a limit that several waits share.
    ///
    /// ```
    /// use std::time::{Duration, Instant};
    ///
    /// let (low, high) = (futon::SharedIter::new(1..9), futon::SharedIter::new(10..));
    /// let deadline = Instant::now() + Duration::from_millis(1);
    /// assert_eq!(low.next_deadline(deadline), Ok(Some(1)));
    /// assert_eq!(high.next_deadline(deadline), Ok(Some(10)));
    /// ```
    ///
    /// # Errors
    ///
    /// [`Busy`], as [`next_timeout`](Self::next_timeout).
    ///
    /// # Panics
    ///
    /// As [`next`](Self::next), but past the deadline as [`try_next`](Self::try_next).
    pub fn next_deadline(&self, deadline: Instant) -> Result<Option<I::Item>, Busy> {
        let wait = || self.occupied().acquire_deadline(deadline);
        let is_over = || Deadline::at(deadline).has_passed();
        self.pull(|| if is_over() { None } else { wait() }).map(value)
    }

    /// Up to `n` items, taken under one lock. Fewer only where the iterator ends or is stopped, none at the end.
    ///
    /// Waits while another thread is inside the iterator, unless `n` is zero.
    ///
    /// ```
    /// let shared = futon::SharedIter::new(1..6);
    /// assert_eq!(shared.next_chunk(3), [1, 2, 3]);
    /// assert_eq!(shared.next_chunk(3), [4, 5]);
    /// assert!(shared.next_chunk(3).is_empty());
    /// ```
    ///
    /// # Panics
    ///
    /// As [`next`](Self::next). If the iterator panics, the items of the chunk so far go to whoever asks next.
    #[must_use = "the items are gone if nobody takes them"]
    pub fn next_chunk(&self, n: usize) -> Vec<I::Item> {
        if n == 0 || self.is_stopped() {
            return Vec::new();
        }
        self.take(n).into_iter().flat_map(Run::into_items).collect()
    }

    /// As [`next_chunk`](Self::next_chunk), each item with its place.
    pub(crate) fn next_chunk_indexed(&self, n: usize) -> Vec<(usize, I::Item)> {
        self.take(n).into_iter().flat_map(Run::into_indexed).collect()
    }

    fn take(&self, n: usize) -> Vec<Run<I::Item>> {
        let mut source = self.enter();
        if self.is_stopped() {
            return Vec::new();
        }
        let mut runs = Vec::new();
        let wanted = n - self.returned.take_up_to(n, &mut runs);
        let mut run = Run::new();
        let back = GiveBack { returned: &self.returned, runs: &mut runs };
        self.fill(&mut source, &mut run, |filled| wanted - filled);
        core::mem::forget(back);
        drop(source);
        runs.push(run);
        runs
    }

    /// An iterator of the calling thread's own that takes many items under one lock.
    ///
    /// Each thread makes its own. Making one takes nothing from the iterator.
    ///
    /// ```
    /// let shared = futon::SharedIter::new(0..1000);
    /// assert_eq!(shared.puller().sum::<u32>(), 499_500);
    /// ```
    pub fn puller(&self) -> Puller<'_, I> {
        Puller::new(self)
    }

    /// Ends the iteration for all threads.
    ///
    /// From here on every way to pull gives the end, also a puller that has items in its buffer. The
    /// iterator is not called again, but a call that is under way is not interrupted, and its item
    /// arrives. Waits for nobody, and stopping again changes nothing. What happened before is seen by a thread
    /// that sees the end because of it (`Release`). The rest can be had from [`into_inner`](Self::into_inner).
    ///
    /// ```
    /// let shared = futon::SharedIter::new(1..);
    /// shared.next();
    /// shared.stop();
    /// assert_eq!(shared.next(), None);
    /// assert_eq!(shared.into_inner().0.next(), Some(2));
    /// ```
    #[doc(alias = "close")]
    pub fn stop(&self) {
        // ORDERING: Release pairs with the Acquire in `is_stopped`.
        self.stopped.swap(1, Release);
    }

    /// Why the iterator panicked: what it said. `None` if it did not panic.
    ///
    /// Where the panic was thrown with something that is no text, this is "a panic without a message".
    ///
    /// ```
    /// use std::panic::{AssertUnwindSafe, catch_unwind};
    ///
    /// let shared = futon::SharedIter::new((0..3).map(|i| if i < 1 { i } else { panic!("no {i}") }));
    /// assert_eq!(shared.next(), Some(0));
    /// assert_eq!(shared.panicked(), None);
    /// catch_unwind(AssertUnwindSafe(|| shared.next())).unwrap_err();
    /// assert_eq!(shared.panicked().as_deref(), Some("no 1"));
    /// assert_eq!(shared.next(), None);
    /// ```
    #[must_use]
    #[doc(alias = "is_poisoned")]
    pub fn panicked(&self) -> Option<String> {
        self.panic.acquire().clone()
    }

    /// How many items are left, as far as the iterator knows, at this moment.
    ///
    /// At least the first number, and at most the second, which is `None` where the iterator does not know.
    /// Those that lie in the buffers of pullers are not counted: they are somebody's already. After a
    /// [`stop`](Self::stop) none are left. Waits while another thread is inside the iterator.
    ///
    /// It is the [`Iterator::size_hint`] of all threads together. Those who pull have none of their own: how many of the rest
    /// will be theirs is not known.
    ///
    /// ```
    /// let shared = futon::SharedIter::new(1..6);
    /// shared.next();
    /// assert_eq!(shared.size_hint(), (4, Some(4)));
    /// ```
    ///
    /// # Panics
    ///
    /// If the `size_hint` of the iterator does, which ends it as a panic of its `next` does, and with "already executing" if
    /// it is the iterator itself that calls this.
    #[must_use]
    pub fn size_hint(&self) -> (usize, Option<usize>) {
        if self.is_stopped() {
            return (0, Some(0));
        }
        let mut source = self.enter();
        let (low, high) = match source.has_ended {
            true => (0, Some(0)),
            false => self.run(thread_id(), &mut source, |iter| iter.size_hint()),
        };
        let returned = self.returned.count();
        (low.saturating_add(returned), high.and_then(|high| high.checked_add(returned)))
    }

    /// How many threads wait to get into the iterator at this moment.
    ///
    /// What a test waits for when it wants to know that another thread blocks, in the place of a sleep. Orders nothing
    /// (`Relaxed`).
    ///
    /// ```
    /// use futon::{Event, SharedIter};
    /// use std::thread;
    ///
    /// let go = Event::new();
    /// let slow = SharedIter::new(std::iter::from_fn(|| {
    ///     go.wait();
    ///     Some('a')
    /// }));
    /// thread::scope(|s| {
    ///     // One is inside, and the other waits for it.
    ///     (0..2).for_each(|_| _ = s.spawn(|| slow.next()));
    ///     while slow.waiters() < 1 {
    ///         thread::yield_now();
    ///     }
    ///     go.set();
    /// });
    /// assert_eq!(slow.waiters(), 0);
    /// ```
    #[must_use]
    pub fn waiters(&self) -> usize {
        self.source().waiters()
    }

    /// The iterator, and in its order what pullers have taken from it and not read.
    ///
    /// After a panic too: then the iterator is as the panic left it.
    ///
    /// ```
    /// let shared = futon::SharedIter::new(1..);
    /// shared.puller().next();
    /// let (rest, leftovers) = shared.into_inner();
    /// assert_eq!(leftovers.into_iter().chain(rest).take(2).collect::<Vec<_>>(), [2, 3]);
    /// ```
    #[must_use]
    pub fn into_inner(self) -> (I, Vec<I::Item>) {
        let (iter, leftovers) = self.into_inner_indexed();
        (iter, leftovers.into_iter().map(|(_, item)| item).collect())
    }

    /// As [`into_inner`](Self::into_inner), each item with its place.
    pub(crate) fn into_inner_indexed(self) -> (I, Vec<(usize, I::Item)>) {
        (self.inside.source.into_inner().iter, self.returned.into_indexed())
    }

    /// One item. Calls `wait` if another thread is inside the iterator.
    #[inline]
    fn pull<'a>(
        &'a self,
        wait: impl FnOnce() -> Option<LockGuard<'a, Source<I>>>,
    ) -> Result<Option<(usize, I::Item)>, Busy> {
        if let Some(found) = self.find() {
            return Ok(found);
        }
        // Not under the lock, which is held for a few nanoseconds otherwise.
        let me = thread_id();
        let source = match self.source().try_acquire() {
            Some(source) => source,
            None => {
                let source = wait();
                // This is what may have happened meanwhile, also where the wait was in vain.
                if let Some(found) = self.find() {
                    return Ok(found);
                }
                source.ok_or(Busy)?
            }
        };
        Ok(self.next_inside(me, source))
    }

    /// One item, for the calling thread, which is `me` and has the iterator.
    #[inline]
    fn next_inside(&self, me: u64, mut source: LockGuard<'_, Source<I>>) -> Option<(usize, I::Item)> {
        if source.has_ended {
            // Perhaps by a panic a moment ago, which has given items back.
            return self.find().flatten();
        }
        let Some(item) = self.run(me, &mut source, I::next) else {
            source.has_ended = true;
            return None;
        };
        source.given += 1;
        Some((source.given - 1, item))
    }

    /// The iterator for the calling thread alone, if no other thread is inside. Nobody gets in while it has that.
    pub(crate) fn try_enter(&self) -> Option<LockGuard<'_, Source<I>>> {
        self.source().try_acquire()
    }

    /// As [`next_indexed`](Self::next_indexed), for a thread that has [entered](Self::try_enter).
    pub(crate) fn next_indexed_inside(
        &self,
        source: LockGuard<'_, Source<I>>,
    ) -> Option<(usize, I::Item)> {
        self.find().unwrap_or_else(|| self.next_inside(thread_id(), source))
    }

    /// How many items the iterator has given. Waits while another thread is inside.
    pub(crate) fn given(&self) -> usize {
        self.enter().given
    }

    /// What there is without a call of the iterator: the end, if it was stopped, or an item that came back.
    #[inline]
    fn find(&self) -> Option<Option<(usize, I::Item)>> {
        if self.is_stopped() { Some(None) } else { self.returned.take_one().map(Some) }
    }

    /// Moves items from the iterator to `run`, which is empty, as long as there are any and `more` says how many
    /// more, given their number.
    ///
    /// If the iterator panics, what the run holds is given back before others can get in.
    fn fill(
        &self,
        source: &mut Source<I>,
        run: &mut Run<I::Item>,
        mut more: impl FnMut(usize) -> usize,
    ) {
        if source.has_ended {
            return;
        }
        let mut filling = Filling { returned: &self.returned, source, run };
        filling.source.has_ended = self.run(thread_id(), filling.source, |iter| {
            let items = filling.run.open();
            loop {
                let more = more(items.len());
                if more == 0 {
                    return false;
                }
                for _ in 0..more {
                    if self.is_stopped() {
                        return false;
                    }
                    let Some(item) = iter.next() else { return true };
                    items.push(item);
                }
            }
        });
        filling.end();
        core::mem::forget(filling);
    }

    /// Calls the iterator, with its lock held, and sees to what happens if it panics or comes back. `me` is the
    /// calling thread.
    #[inline]
    fn run<R>(&self, me: u64, source: &mut Source<I>, call: impl FnOnce(&mut I) -> R) -> R {
        // ORDERING: Relaxed, here and in `occupied`: a thread looks for its own id there, and its
        // own stores it always sees.
        self.inside.runner.store(me, Relaxed);
        let result = catch_unwind(AssertUnwindSafe(|| call(&mut source.iter)));
        self.inside.runner.store(0, Relaxed);
        result.unwrap_or_else(|panic| {
            source.has_ended = true;
            *self.panic.acquire() = Some(message(&*panic));
            resume_unwind(panic)
        })
    }

    #[inline]
    fn source(&self) -> &Lock<Source<I>> {
        &self.inside.source
    }

    #[inline]
    fn enter(&self) -> LockGuard<'_, Source<I>> {
        self.source().try_acquire().unwrap_or_else(|| self.occupied().acquire())
    }

    /// The lock that another thread has, for whoever is about to wait for it.
    #[cold]
    #[track_caller]
    fn occupied(&self) -> &Lock<Source<I>> {
        // ORDERING: Relaxed, see `run`.
        assert!(
            self.inside.runner.load(Relaxed) != thread_id(),
            "already executing: the iterator pulls from the SharedIter that it is in"
        );
        self.source()
    }

    #[inline]
    pub(crate) fn is_stopped(&self) -> bool {
        // ORDERING: Acquire pairs with the Release in `stop`.
        self.stopped.load(Acquire) != 0
    }
}

/// A run that is filled from front to back, and goes back if the iterator panics.
struct Filling<'a, I: Iterator> {
    returned: &'a Returned<I::Item>,
    source: &'a mut Source<I>,
    run: &'a mut Run<I::Item>,
}

impl<I: Iterator> Filling<'_, I> {
    fn end(&mut self) {
        self.source.given += self.run.len();
        self.run.close(self.source.given);
    }
}

impl<I: Iterator> Drop for Filling<'_, I> {
    fn drop(&mut self) {
        self.end();
        self.returned.give(self.run.take());
    }
}

fn value<T>(item: Option<(usize, T)>) -> Option<T> {
    item.map(|(_, item)| item)
}

/// What a panic said, if it said it in words.
fn message(panic: &(dyn Any + Send)) -> String {
    let words = panic.downcast_ref::<&str>().copied();
    let words = words.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    words.unwrap_or("a panic without a message").to_owned()
}

impl<I: Iterator> From<I> for SharedIter<I> {
    fn from(iter: I) -> Self {
        Self::new(iter)
    }
}

/// Shows how many items the iterator has given, or `<locked>` while a thread is inside. Never waits.
impl<I: Iterator> fmt::Debug for SharedIter<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shared = f.debug_struct("SharedIter");
        // Not under the lock: what is written to may itself pull.
        let seen = self.source().try_acquire().map(|source| (source.given, source.has_ended));
        match &seen {
            Some((given, has_ended)) => shared.field("given", given).field("has_ended", has_ended),
            None => shared.field("given", &format_args!("<locked>")),
        };
        shared.field("is_stopped", &self.is_stopped()).finish()
    }
}
