//! A map by several threads: their results in the order of the items, and never far ahead of who takes them.
//!
//! A composition, without an atomic of its own. This is the way of an item:
//!
//! ```text
//!              room              items                            finished
//! worker     a permit  →  an item and its place  →  f  →  its result, at its place
//!                                                                    ↓
//! consumer   the permit is given back  ←  ←  ←  ←  ←  the result of the next place
//! ```
//!
//! # The invariant
//!
//! * **Who pulls has a permit, and each result has the permit of its item until it is handed out.** So there are
//!   never more items in flight than permits.
//! * **Who waits for room has nothing that others need**: no item, no lock, and not the iterator. So what is in
//!   flight comes to its end, and with it the room.
//! * **A worker that leaves has no item.** So once all have left, a result that is not there will never be.
//! * **What users have written runs under no lock** but the iterator's own. So it may call any method. Only it can
//!   not wait for a result, which may be its own.
//!
//! # The end
//!
//! | what happens      | the workers                                       | the consumer gets, before `None`      |
//! |-------------------|---------------------------------------------------|---------------------------------------|
//! | the iterator ends | leave                                             | all results                           |
//! | it panics         | map what it has given, and leave                  | all results, then the panic           |
//! | `f` panics        | take no more, and map what comes before that item | the results before it, then the panic |
//! | a stop            | take no more, and map what they have taken        | the results of all that was taken     |
//! | a cancel          | take no more, and map no more                     | the results before the first gap      |
//!
//! Whoever waits for room while no more is to be taken is let go by one permit too many, which each gives to the next.
//!
//! # Room
//!
//! Permits come back late, so many at once: whoever waits for room sleeps, mostly, and is worth a call of the system only
//! if there is something to do for a while. They come back before the consumer waits itself, and before there is too little
//! in flight to keep all workers busy.

mod finished;
mod for_each;
mod next;
mod results;
mod work;
mod workers;

use core::fmt;
use std::any::Any;

use finished::Finished;
pub(crate) use for_each::try_for_each;
pub use next::NotReady;
pub use results::ParMapResults;
pub use workers::Workers;

use crate::condition::Condition;
use crate::lock::Lock;
use crate::semaphore::Semaphore;
use crate::shared_iter::SharedIter;

/// A map of an iterator for threads that you bring along.
///
/// [`par_map`](crate::IteratorExt::par_map) is this with threads of a scope, and what is mostly wanted. With a
/// `ParMap` it is up to you where the work is done: in a pool, in threads that were there before, in one more when there
/// is much to do. Some threads call [`work`](Self::work), and some [`next`](Self::next) for the results. No item is mapped
/// twice, and no result handed out twice. They come in the order of the items.
///
/// In Python it is `Pool.imap`, and `ThreadPoolExecutor.map` with a `buffersize`, without their threads.
///
/// ```
/// use futon::ParMap;
/// use std::thread;
///
/// let squares = ParMap::new(1..=4, 8, |n| n * n);
/// thread::scope(|s| {
///     s.spawn(|| squares.work());
///     s.spawn(|| squares.work());
///     assert_eq!(squares.into_iter().collect::<Vec<_>>(), [1, 4, 9, 16]);
/// });
/// ```
///
/// **Lazy.** Nothing is pulled from the iterator before somebody works or asks, and never more than `in_flight`
/// items beyond what was handed out. Workers wait for room, without the iterator, while there are so many.
///
/// **Where nobody works**, [`next`](Self::next) maps the item itself. So a thread may be the only one of its pool, and ask.
///
/// **Panics.** If the function panics, the panic goes on in the thread that asks for that result, once it has had all
/// earlier ones, and after that there are none. A panic of the iterator comes after all results of what it has given.
/// Either comes once. A panic that nobody gets to, because nobody asks for so many results, goes on nowhere;
/// [`into_inner`](Self::into_inner) hands the first one back.
///
/// **Errors** that the function returns are results like others. Whoever stops asking at the first one, as
/// `collect::<Result<Vec<_>, _>>()` does, gets the one that comes first in order.
///
/// **Re-entrancy.** The function and the iterator may call any method, but not wait: if they ask for a result
/// that is not there they panic with "already executing", in the place of waiting for themselves.
///
/// **Memory ordering.** What happened before an item was pulled is seen by the function that maps it; what the function
/// did is seen by whoever gets the result.
///
/// **Fairness.** Items are pulled in turn as with a [`Lock`], room is given as permits of a [`Semaphore`] are.
///
/// **Cost.** An item costs a permit and three locks: one to take it, one to hand its result in, one to hand it out. Cheap
/// ones are better taken in [chunks](Self::chunk). Results lie in a queue that grows to as many as are in flight.
#[doc(alias = "imap")]
pub struct ParMap<I: Iterator, F, R> {
    items: SharedIter<I>,
    f: F,
    /// A permit for each item that may be in flight.
    room: Semaphore,
    in_flight: u32,
    /// How many items a worker takes at once.
    chunk: u32,
    /// How many items there were to come at first, as far as the iterator knew.
    hint: (usize, Option<usize>),
    state: Lock<State<I::Item, R>>,
    /// The next result is there, or nobody is left who might bring it.
    changed: Condition,
}

struct State<T, R> {
    finished: Finished<R>,
    /// The threads that work.
    workers: Vec<u64>,
    /// How many threads have been started to work and do not yet.
    started: usize,
    /// How many results have been handed out whose permits have not been given back yet.
    owed: u32,
    /// From this place on no result is wanted.
    end: usize,
    /// Items that were taken when they were no longer wanted.
    unmapped: Vec<(usize, T)>,
    /// That of the iterator, and how many items it had given before.
    panic: Option<(usize, Payload)>,
    /// The consumer has seen the end, or a panic.
    is_over: bool,
    /// It was a panic of the function.
    has_panicked: bool,
}

/// What a panic throws.
type Payload = Box<dyn Any + Send>;

/// What is left of a map that was not carried to its end: together with the results that were handed out, everything
/// that the iterator has given, but for items whose function has panicked, and the rest of it.
///
/// Returned by [`ParMap::into_inner`] and [`ParMapResults::into_inner`].
///
/// ```
/// let map = futon::ParMap::new(1.., 8, |n| n * n);
/// assert_eq!(map.next(), Some(1));
/// let mut left = map.into_inner();
/// assert_eq!((left.items, left.results), (vec![], vec![]));
/// assert_eq!(left.iter.next(), Some(2));
/// assert!(left.panic.is_none());
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub struct Leftovers<I: Iterator, R> {
    /// The iterator.
    pub iter: I,
    /// Items that were pulled and not mapped, each with its place in the order of the iterator, in that order.
    pub items: Vec<(usize, I::Item)>,
    /// Results that were not handed out, each with the place of its item, in the order in which they would have been.
    pub results: Vec<(usize, R)>,
    /// The first panic of the function or the iterator, if there was one that has not been handed out.
    pub panic: Option<Box<dyn Any + Send>>,
}

impl<I: Iterator, F: Fn(I::Item) -> R, R> ParMap<I, F, R> {
    /// A map of `iter` with at most so many items in flight: pulled, and their results not handed out.
    ///
    /// More than 2<sup>29</sup> − 1 are taken for as many. Of the iterator it asks for the `size_hint`, and no item.
    ///
    /// ```
    /// use futon::ParMap;
    /// use std::thread;
    ///
    /// let map = ParMap::new(1..=4, 2, |n| n * n);
    /// thread::scope(|s| {
    ///     s.spawn(|| map.work());
    ///     // Two are mapped, and there is no room for a third one.
    ///     while map.waiters() < 1 {
    ///         thread::yield_now();
    ///     }
    ///     assert!(map.into_iter().eq([1, 4, 9, 16]));
    /// });
    /// ```
    ///
    /// # Panics
    ///
    /// If `in_flight` is 0, or the iterator's `size_hint` panics.
    #[must_use]
    #[track_caller]
    #[doc(alias = "buffersize")]
    pub fn new(iter: I, in_flight: usize, f: F) -> Self {
        let in_flight = workers::permits(in_flight);
        Self {
            hint: iter.size_hint(),
            items: SharedIter::new(iter),
            f,
            room: Semaphore::new(in_flight),
            in_flight,
            chunk: 1,
            state: Lock::new(State {
                finished: Finished::in_order(),
                workers: Vec::new(),
                started: 0,
                owed: 0,
                end: usize::MAX,
                unmapped: Vec::new(),
                panic: None,
                is_over: false,
                has_panicked: false,
            }),
            changed: Condition::new(),
        }
    }

    /// A map as these workers need it.
    pub(crate) fn of(iter: I, workers: Workers, f: F) -> Self {
        Self::new(iter, workers.most_in_flight(), f).chunk(workers.items_at_once())
    }

    /// Hands the results out as they come, not in the order of the items.
    ///
    /// A panic of the function comes in its turn, and after it nothing. Python's `Pool.imap_unordered`.
    ///
    /// ```
    /// let mut squares: Vec<_> = futon::ParMap::new(1..=4, 8, |n| n * n).unordered().into_iter().collect();
    /// squares.sort();
    /// assert_eq!(squares, [1, 4, 9, 16]);
    /// ```
    #[must_use]
    #[doc(alias = "imap_unordered")]
    pub fn unordered(mut self) -> Self {
        self.state.get_mut().finished = Finished::as_they_come();
        self
    }

    /// Lets workers take so many items at once, as far as so many may be in flight, and hand their results in together.
    ///
    /// As [`Workers::chunk`]. Who maps an item because nobody works takes that one alone.
    ///
    /// ```
    /// use futon::ParMap;
    /// use std::thread;
    ///
    /// let squares = ParMap::new(1..=100, 64, |n| n * n).chunk(16);
    /// thread::scope(|s| {
    ///     s.spawn(|| squares.work());
    ///     assert_eq!(squares.into_iter().sum::<u32>(), 338_350);
    /// });
    /// ```
    ///
    /// # Panics
    ///
    /// If `items` is 0.
    #[must_use]
    #[track_caller]
    #[doc(alias = "chunksize")]
    pub fn chunk(mut self, items: usize) -> Self {
        self.chunk = workers::permits(items).min(self.in_flight);
        self
    }
}

impl<I: Iterator, F, R> ParMap<I, F, R> {
    /// Lets workers take no more items.
    ///
    /// What they have taken they map, and [`next`](Self::next) gives all of these results, and then the end. The
    /// iterator is not called again, but a call that is under way is not interrupted, and its item is mapped.
    ///
    /// Waits for nobody, and stopping again changes nothing. What happened before is seen by a worker that returns because of
    /// it (`Release`). Python's `Pool.close`.
    ///
    /// ```
    /// let map = futon::ParMap::new(1.., 8, |n| n * n);
    /// assert_eq!((map.next(), map.next()), (Some(1), Some(4)));
    /// map.stop();
    /// assert_eq!(map.next(), None);
    /// assert_eq!(map.into_inner().iter.next(), Some(3));
    /// ```
    #[doc(alias = "close")]
    pub fn stop(&self) {
        self.items.stop();
        // Enough for one of those that wait for room to come and see the end. It gives that to the next.
        self.give_room(self.chunk);
    }

    /// Lets workers take no more items, and map no more of those that they have taken.
    ///
    /// What they map at this moment they map. [`next`](Self::next) gives the results that come before the first item
    /// that was not mapped, and then the end; all the rest can be had from [`into_inner`](Self::into_inner). In all else
    /// it is [`stop`](Self::stop).
    ///
    /// `Pool.terminate` of Python's, and `Executor.shutdown` with `cancel_futures`.
    ///
    /// ```
    /// let map = futon::ParMap::new(1.., 8, |n| n * n);
    /// assert_eq!(map.next(), Some(1));
    /// map.cancel();
    /// assert_eq!(map.next(), None);
    /// ```
    #[doc(alias = "terminate")]
    #[doc(alias = "shutdown")]
    #[doc(alias = "cancel_futures")]
    pub fn cancel(&self) {
        self.state.acquire().end = 0;
        self.stop();
    }

    /// How many threads work at this moment, those that wait for room or inside the iterator included.
    ///
    /// A thread that was started and does not run yet is not one of them. May be out of date before it is returned: fit for a
    /// test or a log. Promises no memory ordering.
    ///
    /// ```
    /// use futon::ParMap;
    /// use std::thread;
    ///
    /// let map = ParMap::new(1.., 4, |n| n);
    /// thread::scope(|s| {
    ///     s.spawn(|| map.work());
    ///     while map.workers() < 1 {
    ///         thread::yield_now();
    ///     }
    ///     map.stop();
    /// });
    /// assert_eq!(map.workers(), 0);
    /// ```
    #[must_use]
    pub fn workers(&self) -> usize {
        self.state.acquire().workers.len()
    }

    /// How many threads wait at this moment, workers for room and others for a result.
    ///
    /// What a test waits for when it wants to know that another thread blocks, in the place of a sleep. Orders nothing
    /// (`Relaxed`).
    ///
    /// ```
    /// use futon::ParMap;
    /// use std::thread;
    ///
    /// let map = ParMap::new(1.., 4, |n| n);
    /// thread::scope(|s| {
    ///     s.spawn(|| map.work());
    ///     while map.waiters() < 1 {
    ///         thread::yield_now();
    ///     }
    ///     map.stop();
    /// });
    /// assert_eq!(map.into_inner().results.len(), 4); // it had waited for room for a fifth one
    /// ```
    #[must_use]
    pub fn waiters(&self) -> usize {
        self.room.waiters() + self.changed.waiters()
    }

    /// All that is left, once nobody works or asks any more.
    ///
    /// ```
    /// use std::thread;
    ///
    /// let map = futon::ParMap::new(1.., 4, |n| 10 * n);
    /// thread::scope(|s| {
    ///     s.spawn(|| map.work());
    ///     assert_eq!(map.next(), Some(10));
    ///     map.stop();
    /// });
    /// let left = map.into_inner();
    /// let results = left.results.into_iter().map(|(_, result)| result);
    /// let rest = left.items.into_iter().map(|(_, item)| item).chain(left.iter).map(|n| 10 * n);
    /// assert_eq!(results.chain(rest).take(8).collect::<Vec<_>>(), [20, 30, 40, 50, 60, 70, 80, 90]);
    /// ```
    #[must_use]
    pub fn into_inner(self) -> Leftovers<I, R> {
        let state = self.state.into_inner();
        let (iter, mut items) = self.items.into_inner_indexed();
        items.extend(state.unmapped);
        items.sort_unstable_by_key(|(place, _)| *place);
        let (results, panic) = state.finished.into_results();
        let panic = panic.or(state.panic.map(|(_, panic)| panic));
        // After one that was handed out the others are such as nobody would have got to.
        let panic = panic.filter(|_| !state.has_panicked);
        Leftovers { iter, items, results, panic }
    }

    /// As an iterator's.
    fn size_hint(&self) -> (usize, Option<usize>) {
        let state = self.state.acquire();
        if state.is_over {
            return (0, Some(0));
        }
        let taken = state.finished.taken();
        let high = self.hint.1.map(|high| high.saturating_sub(taken));
        let low = if self.items.is_stopped() { 0 } else { self.hint.0.saturating_sub(taken) };
        (low, high)
    }

    fn give_room(&self, permits: u32) {
        // There may be too much only after many stops, and then there is enough.
        let _ = self.room.release(permits);
    }
}

impl<T, R> State<T, R> {
    /// Nobody works, and nobody is about to.
    fn is_deserted(&self) -> bool {
        self.workers.is_empty() && self.started == 0
    }
}

/// Shows how many items may be in flight, how many results were handed out, and how many threads work. Never waits.
impl<I: Iterator, F, R> fmt::Debug for ParMap<I, F, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut map = f.debug_struct("ParMap");
        map.field("in_flight", &self.in_flight);
        // Not under the lock: what is written to may itself ask.
        let seen = self.state.try_acquire().map(|state| (state.finished.taken(), state.workers.len()));
        match &seen {
            Some((taken, workers)) => map.field("handed_out", taken).field("workers", workers),
            None => map.field("handed_out", &format_args!("<locked>")),
        };
        map.finish()
    }
}
