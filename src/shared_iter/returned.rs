//! Items that were taken from the iterator and came back unread.

use std::collections::VecDeque;

use crate::atomic::AtomicU32;
use crate::atomic::Ordering::Relaxed;
use crate::lock::Lock;

/// Items that follow each other in the order of the iterator.
pub(super) struct Run<T> {
    /// The place in that order that comes after the last one. It stays while they go.
    end: usize,
    /// Back to front, so that the next one to go is the last: a `Vec` gives that away for next to nothing.
    items: Vec<T>,
}

impl<T> Run<T> {
    pub(super) const fn new() -> Self {
        Self { end: 0, items: Vec::new() }
    }

    pub(super) fn len(&self) -> usize {
        self.items.len()
    }

    /// Items in the order of the iterator, to be added to; first the run is to be empty, and at the end it is to be
    /// [closed](Self::close).
    pub(super) fn open(&mut self) -> &mut Vec<T> {
        &mut self.items
    }

    /// The items are there, and come before `end`.
    pub(super) fn close(&mut self, end: usize) {
        self.items.reverse();
        self.end = end;
    }

    #[inline]
    pub(super) fn pop(&mut self) -> Option<(usize, T)> {
        let first = self.end - self.items.len();
        Some((first, self.items.pop()?))
    }

    pub(super) fn take(&mut self) -> Self {
        core::mem::replace(self, Self::new())
    }

    pub(super) fn into_items(self) -> impl Iterator<Item = T> {
        self.items.into_iter().rev()
    }

    pub(super) fn into_indexed(self) -> impl Iterator<Item = (usize, T)> {
        let first = self.end - self.items.len();
        (first..).zip(self.into_items())
    }
}

/// The runs that came back. Behind a lock of their own: giving back must not wait for an iterator that
/// blocks.
pub(super) struct Returned<T> {
    runs: Lock<VecDeque<Run<T>>>,
    /// How many runs there are, so that looking for none costs a load.
    count: AtomicU32,
}

impl<T> Returned<T> {
    pub(super) const fn new() -> Self {
        Self { runs: Lock::new(VecDeque::new()), count: AtomicU32::new(0) }
    }

    pub(super) fn give(&self, run: Run<T>) {
        if !run.items.is_empty() {
            let mut runs = self.runs.acquire();
            runs.push_back(run);
            // ORDERING: Relaxed, here and below. The count only says whether to look; the lock orders the
            // items. Whoever is ordered after this by other means can not read an older count.
            self.count.fetch_add(1, Relaxed);
        }
    }

    #[inline]
    pub(super) fn take_one(&self) -> Option<(usize, T)> {
        if self.is_empty() { None } else { self.take_one_contended() }
    }

    #[cold]
    fn take_one_contended(&self) -> Option<(usize, T)> {
        let mut runs = self.runs.acquire();
        let first = runs.front_mut()?;
        let item = first.pop();
        if first.items.is_empty() {
            runs.pop_front();
            // ORDERING: Relaxed, see `give`.
            self.count.fetch_sub(1, Relaxed);
        }
        item
    }

    pub(super) fn take_run(&self) -> Option<Run<T>> {
        if self.is_empty() {
            return None;
        }
        let run = self.runs.acquire().pop_front()?;
        // ORDERING: Relaxed, see `give`.
        self.count.fetch_sub(1, Relaxed);
        Some(run)
    }

    /// Moves up to `n` items to the end of `to`. Returns how many.
    pub(super) fn take_up_to(&self, n: usize, to: &mut Vec<Run<T>>) -> usize {
        let mut taken = 0;
        while taken < n {
            let Some(mut run) = self.take_run() else { break };
            if let Some(too_many @ 1..) = run.len().checked_sub(n - taken) {
                let items = run.items.split_off(too_many);
                let end = run.end - too_many;
                self.give_first(core::mem::replace(&mut run, Run { end, items }));
            }
            taken += run.len();
            to.push(run);
        }
        taken
    }

    fn give_first(&self, run: Run<T>) {
        self.runs.acquire().push_front(run);
        // ORDERING: Relaxed, see `give`.
        self.count.fetch_add(1, Relaxed);
    }

    #[inline]
    fn is_empty(&self) -> bool {
        // ORDERING: Relaxed, see `give`.
        self.count.load(Relaxed) == 0
    }

    /// How many items there are.
    pub(super) fn count(&self) -> usize {
        self.runs.acquire().iter().map(Run::len).sum()
    }

    /// All of them, in the order of the iterator, each with its place.
    pub(super) fn into_indexed(self) -> Vec<(usize, T)> {
        let mut runs = self.runs.into_inner();
        runs.make_contiguous().sort_unstable_by_key(|run| run.end);
        runs.into_iter().flat_map(Run::into_indexed).collect()
    }
}

/// Runs that go back when this is dropped: if the iterator panics.
pub(super) struct GiveBack<'a, T> {
    pub(super) returned: &'a Returned<T>,
    pub(super) runs: &'a mut [Run<T>],
}

impl<T> Drop for GiveBack<'_, T> {
    fn drop(&mut self) {
        self.runs.iter_mut().for_each(|run| self.returned.give(run.take()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn give(returned: &Returned<usize>, items: core::ops::Range<usize>) {
        let mut run = Run::new();
        run.open().extend(items.clone());
        run.close(items.end);
        returned.give(run);
    }

    #[test]
    fn what_came_back_first_goes_first_and_each_item_keeps_its_place() {
        let returned = Returned::new();
        [20..23, 0..4, 10..12].into_iter().for_each(|items| give(&returned, items));
        let mut runs = Vec::new();
        assert_eq!(returned.take_up_to(5, &mut runs), 5);
        let places = |run: &mut Run<usize>| core::iter::from_fn(|| run.pop()).collect::<Vec<_>>();
        let taken: Vec<_> = runs.iter_mut().map(places).collect();
        assert_eq!(taken, [vec![(20, 20), (21, 21), (22, 22)], vec![(0, 0), (1, 1)]]);
        assert_eq!(returned.count(), 4);
        assert_eq!(returned.take_one(), Some((2, 2)));
        assert_eq!(returned.take_up_to(9, &mut runs), 3);
        assert_eq!((returned.take_one(), returned.count()), (None, 0));
    }

    #[test]
    fn a_part_that_is_given_back_goes_where_it_was() {
        let returned = Returned::new();
        [20..23, 0..4].into_iter().for_each(|items| give(&returned, items));
        let mut runs = Vec::new();
        assert_eq!(returned.take_up_to(5, &mut runs), 5);
        runs.into_iter().for_each(|run| returned.give(run));
        assert_eq!(returned.into_indexed(), [0, 1, 2, 3, 20, 21, 22].map(|place| (place, place)));
    }
}
