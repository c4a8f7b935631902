//! Ranges and slices, which many threads pull from without a lock.
//!
//! Where the length is known an item is a number, and taking some is moving a number on: one
//! compare-and-swap takes a chunk, of a size that follows from what is left. At first chunks are large, so
//! that the word is seldom fought for; towards the end they are small, so that all threads finish together.

use core::fmt;
use core::ops::Range;

use crate::atomic::Ordering::Relaxed;
use crate::atomic::{AtomicU32, AtomicU64};
use crate::lock::Lock;

/// The most numbers that are taken at once.
const MOST: u64 = 4096;

/// A range of numbers that many threads pull from, each number going to exactly one of them.
///
/// The counterpart of [`SharedIter`](crate::SharedIter) for a known length: no lock, but for what pullers give back, and a
/// [`puller`](Self::puller) takes a share of what is left at once. Neither Python nor std has it. It is what
/// OpenMP calls a `guided` schedule.
///
/// ```
/// use futon::SharedRange;
/// use std::thread;
///
/// let range = SharedRange::new(0..1000);
/// let sum: usize = thread::scope(|s| {
///     let workers: Vec<_> = (0..2).map(|_| s.spawn(|| range.puller().sum::<usize>())).collect();
///     workers.into_iter().map(|w| w.join().unwrap()).sum()
/// });
/// assert_eq!(sum, 499_500);
/// ```
///
/// **Memory ordering.** None: numbers carry no data with them.
///
/// There is no line, and so no turn: a number goes to whoever is there first.
#[doc(alias = "guided")]
pub struct SharedRange {
    /// The next number that nobody has.
    next: AtomicU64,
    end: u64,
    pullers: AtomicU32,
    /// What pullers gave back, and how many ranges that is, so that looking for none costs a load.
    returned: Lock<Vec<Range<u64>>>,
    returns: AtomicU32,
}

impl SharedRange {
    /// Shares `range`. A range that ends before it starts is empty.
    ///
    /// ```
    /// static TICKETS: futon::SharedRange = futon::SharedRange::new(1..100);
    /// assert_eq!(TICKETS.next(), Some(1));
    /// ```
    #[must_use]
    pub const fn new(range: Range<usize>) -> Self {
        let (start, end) = (range.start as u64, range.end as u64);
        Self {
            next: AtomicU64::new(start),
            end: if end < start { start } else { end },
            pullers: AtomicU32::new(0),
            returned: Lock::new(Vec::new()),
            returns: AtomicU32::new(0),
        }
    }

    /// The next number, or `None` when all are taken. Never waits, except where a puller that was dropped has
    /// given numbers back.
    ///
    /// ```
    /// let range = futon::SharedRange::new(3..5);
    /// assert_eq!((range.next(), range.next(), range.next()), (Some(3), Some(4), None));
    /// ```
    #[inline]
    pub fn next(&self) -> Option<usize> {
        self.take(|_| 1).map(|taken| taken.start as usize)
    }

    /// An iterator of the calling thread's own that takes many numbers at once.
    ///
    /// Dropping it gives back what it has not read. Making one takes nothing; but how much each of them takes at once depends
    /// on how many there are.
    ///
    /// ```
    /// let range = futon::SharedRange::new(0..1000);
    /// assert_eq!(range.puller().take(10).sum::<usize>(), 45);
    /// assert_eq!(range.remaining(), 990);
    /// ```
    pub fn puller(&self) -> RangePuller<'_> {
        // ORDERING: Relaxed, here and in `RangePuller::drop`: it only sizes the chunks.
        self.pullers.fetch_add(1, Relaxed);
        RangePuller { shared: self, unread: 0..0 }
    }

    /// How many numbers nobody has taken, at this moment.
    ///
    /// What pullers have in their buffers counts as taken. May be out of date before it is returned: fit for a test or a log.
    /// Promises no memory ordering.
    ///
    /// ```
    /// let range = futon::SharedRange::new(3..5);
    /// range.next();
    /// assert_eq!(range.remaining(), 1);
    /// ```
    #[must_use]
    #[doc(alias = "len")]
    pub fn remaining(&self) -> usize {
        let returned: u64 = self.returned.acquire().iter().map(|range| range.end - range.start).sum();
        // ORDERING: Relaxed, see `take`.
        (self.left(self.next.load(Relaxed)) + returned) as usize
    }

    #[inline]
    fn left(&self, next: u64) -> u64 {
        self.end - next
    }

    /// Takes as many numbers as `size` says of those that are left: one at least, and no more than there are.
    #[inline]
    fn take(&self, size: impl Fn(u64) -> u64) -> Option<Range<u64>> {
        // ORDERING: Relaxed, for all accesses to `next`. That a number is given once follows from the
        // order of changes to one word.
        let mut next = self.next.load(Relaxed);
        loop {
            // ORDERING: Relaxed. The count only says whether to look; the lock orders what is found.
            // Whoever is ordered after a puller was dropped can not read an older count.
            if self.returns.load(Relaxed) > 0 {
                if let Some(range) = self.take_returned(&size) {
                    return Some(range);
                }
            }
            let left = self.left(next);
            if left == 0 {
                return None;
            }
            let taken = next..next + size(left);
            // ORDERING: Relaxed, as above.
            match self.next.compare_exchange_weak(next, taken.end, Relaxed, Relaxed) {
                Ok(_) => return Some(taken),
                Err(now) => next = now,
            }
        }
    }

    #[cold]
    fn take_returned(&self, size: impl Fn(u64) -> u64) -> Option<Range<u64>> {
        let mut returned = self.returned.acquire();
        let range = returned.last_mut()?;
        let left = range.end - range.start;
        let taken = range.start..range.start + size(left);
        range.start = taken.end;
        if range.is_empty() {
            returned.pop();
            // ORDERING: Relaxed, see `take`.
            self.returns.fetch_sub(1, Relaxed);
        }
        Some(taken)
    }
}

/// One number at a time.
impl Iterator for &SharedRange {
    type Item = usize;

    #[inline]
    fn next(&mut self) -> Option<usize> {
        SharedRange::next(self)
    }
}

impl fmt::Debug for SharedRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // ORDERING: Relaxed, see `take`.
        let next = self.next.load(Relaxed);
        f.debug_struct("SharedRange").field("next", &next).field("end", &self.end).finish()
    }
}

/// One thread's own way to pull from a [`SharedRange`], which takes many numbers at once.
///
/// At first many, towards the end few: a quarter of its share of what is left, one at least and 4096 at most.
///
/// Dropping it gives back what it has not read: that goes to whoever asks next, before new numbers. A thread that has
/// seen the end before that has to ask again. Numbers of a puller that leaks (`mem::forget`) are lost.
///
/// ```
/// let range = futon::SharedRange::new(0..1000);
/// let (mut one, other) = (range.puller(), range.puller());
/// assert_eq!(one.next(), Some(0));
/// assert_eq!(other.count(), 1000 - 125); // an eighth is in the buffer of the one
/// drop(one);
/// assert_eq!(range.next(), Some(1));
/// ```
#[must_use = "a puller takes nothing before it is asked"]
pub struct RangePuller<'a> {
    shared: &'a SharedRange,
    unread: Range<u64>,
}

impl Iterator for RangePuller<'_> {
    type Item = usize;

    #[inline]
    fn next(&mut self) -> Option<usize> {
        if self.unread.is_empty() {
            // ORDERING: Relaxed, see `SharedRange::puller`.
            let pullers = u64::from(self.shared.pullers.load(Relaxed)).max(1);
            self.unread = self.shared.take(|left| (left / (4 * pullers)).clamp(1, MOST))?;
        }
        self.unread.next().map(|number| number as usize)
    }
}

impl Drop for RangePuller<'_> {
    fn drop(&mut self) {
        if !self.unread.is_empty() {
            let mut returned = self.shared.returned.acquire();
            returned.push(self.unread.clone());
            // ORDERING: Relaxed, see `SharedRange::take`.
            self.shared.returns.fetch_add(1, Relaxed);
        }
        // ORDERING: Relaxed, see `SharedRange::puller`.
        self.shared.pullers.fetch_sub(1, Relaxed);
    }
}

impl fmt::Debug for RangePuller<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RangePuller").field("unread", &self.unread).finish()
    }
}

/// A slice that many threads pull from, each element going to exactly one of them.
///
/// ```
/// use futon::SharedSlice;
/// use std::thread;
///
/// let words = ["a", "bc", "def"];
/// let shared = SharedSlice::new(&words);
/// let letters: usize = thread::scope(|s| {
///     let workers: Vec<_> =
///         (0..2).map(|_| s.spawn(|| shared.puller().map(|w| w.len()).sum::<usize>())).collect();
///     workers.into_iter().map(|w| w.join().unwrap()).sum()
/// });
/// assert_eq!(letters, 6);
/// ```
///
/// It is a [`SharedRange`] of the places in the slice, and that holds of it too. The elements are borrowed from the slice,
/// not from this, and may outlive it.
#[derive(Debug)]
pub struct SharedSlice<'a, T> {
    items: &'a [T],
    places: SharedRange,
}

impl<'a, T> SharedSlice<'a, T> {
    /// Shares the elements of `items`.
    ///
    /// ```
    /// static NAMES: futon::SharedSlice<&str> = futon::SharedSlice::new(&["Ada", "Bob"]);
    /// assert_eq!(NAMES.next(), Some(&"Ada"));
    /// ```
    #[must_use]
    pub const fn new(items: &'a [T]) -> Self {
        Self { items, places: SharedRange::new(0..items.len()) }
    }

    /// The next element, or `None` when all are taken.
    ///
    /// Waits as [`SharedRange::next`].
    ///
    /// ```
    /// let shared = futon::SharedSlice::new(&['x']);
    /// assert_eq!((shared.next(), shared.next()), (Some(&'x'), None));
    /// ```
    #[inline]
    pub fn next(&self) -> Option<&'a T> {
        self.places.next().map(|place| &self.items[place])
    }

    /// An iterator of the calling thread's own that takes many elements at once.
    ///
    /// Dropping it gives back what it has not read. `enumerate` does not count in the order of the
    /// slice; [`next_indexed`](SlicePuller::next_indexed) does.
    ///
    /// ```
    /// let shared = futon::SharedSlice::new(&[1, 2, 3]);
    /// assert_eq!(shared.puller().next(), Some(&1));
    /// assert_eq!(shared.puller().sum::<i32>(), 5);
    /// ```
    pub fn puller(&self) -> SlicePuller<'_, 'a, T> {
        SlicePuller { items: self.items, places: self.places.puller() }
    }
}

/// One thread's own way to pull from a [`SharedSlice`], which takes many elements at once: a [`RangePuller`] of places.
///
/// ```
/// let words = ["to", "be", "or", "not"];
/// let shared = futon::SharedSlice::new(&words);
/// let longest = shared.puller().max_by_key(|word| word.len());
/// assert_eq!(longest, Some(&"not"));
/// ```
#[derive(Debug)]
#[must_use = "a puller takes nothing before it is asked"]
pub struct SlicePuller<'s, 'a, T> {
    items: &'a [T],
    places: RangePuller<'s>,
}

impl<'a, T> SlicePuller<'_, 'a, T> {
    /// The next element and its place in the slice. `None` when all are taken.
    ///
    /// ```
    /// let shared = futon::SharedSlice::new(&['x', 'y']);
    /// shared.next();
    /// assert_eq!(shared.puller().next_indexed(), Some((1, &'y')));
    /// ```
    #[inline]
    #[doc(alias = "enumerate")]
    pub fn next_indexed(&mut self) -> Option<(usize, &'a T)> {
        self.places.next().map(|place| (place, &self.items[place]))
    }
}

impl<'a, T> Iterator for SlicePuller<'_, 'a, T> {
    type Item = &'a T;

    #[inline]
    fn next(&mut self) -> Option<&'a T> {
        self.next_indexed().map(|(_, item)| item)
    }
}
