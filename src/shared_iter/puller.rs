//! The handle that takes many items under one lock.
//!
//! How many is a question of time, not of number. A lock that changes threads costs microseconds, so a
//! chunk should be worth a few; but while one thread fills its chunk the others wait, and what lies in
//! its buffer nobody else can work on. From this come the four limits below.

use core::fmt;
use core::time::Duration;

use super::returned::Run;
use super::{SharedIter, Source};
use crate::atomic::Instant;

/// A chunk that was filled faster than this is not worth the lock: the next one is twice as large.
const WORTH_A_LOCK: Duration = Duration::from_micros(5);
/// How long to stay inside while others wait.
const LONGEST_HOLD: Duration = Duration::from_micros(250);
/// How long the handle itself may take for the items of a chunk.
const LONGEST_WORK: Duration = Duration::from_micros(500);
/// How much memory the buffer may take, apart from what the items own.
const MOST_BYTES: usize = 256 << 10;
/// How many cheap items pass between two looks at the clock: as many again as there are so far, but no fewer than this and
/// no more than four times this.
const STRIDE: usize = 32;

/// One thread's own way to pull from a [`SharedIter`], which takes many items under one lock.
///
/// It begins with one item at a time. It takes more at once while filling its buffer is a matter of a few
/// microseconds, or others want the lock; and fewer where an item takes long to make or to work on. So cheap items
/// cost a small part of a lock each, and a buffer holds no more than can be worked on in about half a millisecond, going
/// by the items before.
///
/// Where the iterator's `next` *blocks*, for a message say, take [`SharedIter::next`]: a puller may keep
/// an item in its buffer while it waits for another.
///
/// **Dropping it** gives the items that were not read back: they go to whoever asks next, before new ones. So it is
/// with a thread that panics. A thread that has seen the end before that has to ask again. Items of a puller that
/// leaks (`mem::forget`) are lost.
///
/// Memory ordering, fairness and what a panic does are as [`SharedIter`] says.
///
/// ```
/// let shared = futon::SharedIter::new(0..100);
/// assert_eq!(shared.puller().take(10).sum::<u32>(), 45);
/// assert_eq!(shared.puller().count(), 90); // none lost, none doubled
/// ```
#[must_use = "a puller takes nothing before it is asked"]
pub struct Puller<'a, I: Iterator> {
    shared: &'a SharedIter<I>,
    unread: Run<I::Item>,
    /// How many items to take at once.
    chunk: usize,
    /// How many items the buffer got when it was filled last, and when that was.
    filled: usize,
    since: Instant,
}

impl<'a, I: Iterator> Puller<'a, I> {
    pub(super) fn new(shared: &'a SharedIter<I>) -> Self {
        Self { shared, unread: Run::new(), chunk: 1, filled: 0, since: Instant::now() }
    }

    /// The next item and its place in the order in which the iterator gave them, from 0. `None` at the end.
    ///
    /// Where its buffer is empty it waits as [`SharedIter::next`].
    ///
    /// ```
    /// let shared = futon::SharedIter::new("ab".chars());
    /// shared.next();
    /// assert_eq!(shared.puller().next_indexed(), Some((1, 'b')));
    /// ```
    ///
    /// # Panics
    ///
    /// As [`SharedIter::next`], where its buffer is empty.
    #[inline]
    #[doc(alias = "enumerate")]
    pub fn next_indexed(&mut self) -> Option<(usize, I::Item)> {
        if self.shared.is_stopped() {
            return None;
        }
        self.unread.pop().or_else(|| {
            self.refill();
            self.unread.pop()
        })
    }

    #[cold]
    fn refill(&mut self) {
        let worked = self.since.elapsed();
        if let Some(run) = self.shared.returned.take_run() {
            return self.read(run);
        }
        let (mut source, was_contended) = match self.shared.source().try_acquire() {
            Some(source) => (source, false),
            None => (self.shared.occupied().acquire(), true),
        };
        if self.shared.is_stopped() {
            return;
        }
        if let Some(run) = self.shared.returned.take_run() {
            return self.read(run);
        }
        self.chunk = self.chunk.min(items_in(LONGEST_WORK, worked, self.filled));
        let held = self.fill(&mut source);
        let is_contended = was_contended || self.shared.source().waiters() > 0;
        drop(source);

        self.filled = self.unread.len();
        if self.filled >= self.chunk && (is_contended || held < WORTH_A_LOCK) {
            self.chunk = (self.chunk * 2).min(most_items::<I::Item>());
        }
        self.chunk = self.chunk.min(items_in(LONGEST_HOLD, held, self.filled));
        self.since = Instant::now();
    }

    /// Takes a chunk from the iterator. Returns how long that took.
    fn fill(&mut self, source: &mut Source<I>) -> Duration {
        let start = Instant::now();
        let (mut held, mut looked_at, mut look_at) = (Duration::ZERO, 0, STRIDE);
        let (shared, chunk) = (self.shared, self.chunk);
        shared.fill(source, &mut self.unread, |filled| {
            if filled == look_at {
                let now = start.elapsed();
                // Of items that take a microsecond and more each one is timed.
                let took = now.saturating_sub(held);
                let is_slow = took > Duration::from_micros((filled - looked_at) as u64);
                look_at += if is_slow { 1 } else { filled.clamp(STRIDE, 4 * STRIDE) };
                (held, looked_at) = (now, filled);
            }
            if held < LONGEST_HOLD || shared.source().waiters() == 0 {
                chunk.min(look_at) - filled
            } else {
                0
            }
        });
        start.elapsed()
    }

    /// Goes on with items that came back. They say nothing about the iterator.
    fn read(&mut self, run: Run<I::Item>) {
        self.filled = 0;
        self.unread = run;
        self.since = Instant::now();
    }
}

/// How many items a buffer may have. At least one.
fn most_items<T>() -> usize {
    (MOST_BYTES / size_of::<T>().max(64)).max(1)
}

/// How many items fit into `limit`, if `items` of them took `time`. At least one.
fn items_in(limit: Duration, time: Duration, items: usize) -> usize {
    if items == 0 {
        return usize::MAX;
    }
    let fit = limit.as_nanos() * items as u128 / time.as_nanos().max(1);
    usize::try_from(fit).unwrap_or(usize::MAX).max(1)
}

impl<I: Iterator> Iterator for Puller<'_, I> {
    type Item = I::Item;

    #[inline]
    fn next(&mut self) -> Option<I::Item> {
        self.next_indexed().map(|(_, item)| item)
    }
}

impl<I: Iterator> Drop for Puller<'_, I> {
    fn drop(&mut self) {
        self.shared.returned.give(self.unread.take());
    }
}

impl<I: Iterator> fmt::Debug for Puller<'_, I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Puller")
            .field("unread", &self.unread.len())
            .field("chunk", &self.chunk)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    /// How many items of ten microseconds a puller takes at once that would have ten thousand.
    fn taken(while_another_waits: bool) -> usize {
        let shared = SharedIter::new((0..10_000).inspect(|_| {
            let start = Instant::now();
            while start.elapsed() < Duration::from_micros(10) {}
        }));
        let mut puller = shared.puller();
        puller.chunk = 10_000;
        thread::scope(|s| {
            let mut source = shared.source().acquire();
            if while_another_waits {
                s.spawn(|| shared.next());
            }
            while shared.waiters() < usize::from(while_another_waits) {
                thread::yield_now();
            }
            puller.fill(&mut source);
        });
        puller.unread.len()
    }

    #[test]
    fn a_buffer_has_room_for_one_item_and_for_no_more_than_four_thousand() {
        assert_eq!(most_items::<[u8; 1 << 20]>(), 1);
        assert_eq!(most_items::<[u8; 1 << 10]>(), 256);
        assert_eq!([most_items::<[u8; 64]>(), most_items::<()>()], [4096; 2]);
    }

    #[test]
    fn a_chunk_ends_early_if_others_wait() {
        assert_eq!(taken(false), 10_000);
        assert!(taken(true) < 1_000);
    }
}
