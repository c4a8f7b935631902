//! What those do that map.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::finished::Outcome;
use super::{ParMap, State};
use crate::atomic::thread_id;
use crate::lock::LockGuard;
use crate::semaphore::Permit;

impl<I: Iterator, F: Fn(I::Item) -> R, R> ParMap<I, F, R> {
    /// Takes items and maps them until there are no more. Waits while there is no room for another.
    ///
    /// To be called by as many threads as are to work. It returns when the iterator has ended, or somebody has called
    /// [`stop`](Self::stop), or when a panic has ended the map. It does not panic if the function or the iterator does.
    ///
    /// If nobody asks for the results it waits for ever once there is no room, be it for an item that will not come: call
    /// [`stop`](Self::stop) when you have done with them, and where whoever asks may panic, in the `drop` of something.
    ///
    /// ```
    /// use futon::ParMap;
    /// use std::thread;
    ///
    /// // With room for all nobody has to ask meanwhile.
    /// let map = ParMap::new(1..=4, 8, |n| (n * n, thread::current().id()));
    /// let worker = thread::scope(|s| {
    ///     let worker = s.spawn(|| map.work());
    ///     worker.thread().id()
    /// });
    /// assert_eq!(map.next(), Some((1, worker)));
    /// assert_eq!(map.into_inner().results.len(), 3);
    /// ```
    ///
    /// # Panics
    ///
    /// With "already executing" if the thread does this already: if it is the function or the iterator that calls it.
    pub fn work(&self) {
        self.work_until_the_end(self.enter(self.state.acquire(), false));
    }

    /// [`work`](Self::work) for a thread that was [expected](Self::expect_worker).
    pub(super) fn work_as_expected(&self) {
        self.work_until_the_end(self.enter(self.state.acquire(), true));
    }

    fn work_until_the_end(&self, _at_work: AtWork<'_, I, F, R>) {
        let mut results = Vec::new();
        if self.chunk == 1 {
            while self.map(self.room.acquire(), &mut results, || self.items.next_indexed()) {}
        } else {
            let take = || self.items.next_chunk_indexed(self.chunk as usize);
            while self.map(self.room.acquire_many(self.chunk), &mut results, take) {}
        }
    }

    /// Maps one item, on the thread that wants its result and has found nobody at work. Returns whether there may be more.
    #[cold]
    pub(super) fn help(&self, state: LockGuard<'_, State<I::Item, R>>) -> bool {
        // Before a worker can come: that might be faster and take the very item, and this thread wait for another one.
        let source = self.items.try_enter().expect("nobody works, so nobody is inside");
        let room = self.room.try_acquire().expect("nothing is in flight");
        let _at_work = self.enter(state, false);
        self.map(room, &mut Vec::new(), || self.items.next_indexed_inside(source))
    }

    /// Maps what `take` takes from the iterator and hands the results in. Returns whether there may be more to take.
    ///
    /// `results` is empty, and is empty again in the end.
    fn map<T: IntoIterator<Item = (usize, I::Item)>>(
        &self,
        mut room: Permit<'_>,
        results: &mut Vec<(usize, Outcome<R>)>,
        take: impl FnOnce() -> T,
    ) -> bool {
        let taken = match catch_unwind(AssertUnwindSafe(take)) {
            Ok(taken) => taken,
            Err(panic) => {
                let given = self.items.given();
                self.state.acquire().panic = Some((given, panic));
                // What the iterator had given before can still be had.
                return true;
            }
        };
        let mut may_be_more = false;
        for (place, item) in taken {
            may_be_more = true;
            if let Some(item) = self.give_back_unless_wanted(place, item) {
                let outcome = catch_unwind(AssertUnwindSafe(|| (self.f)(item)));
                if outcome.is_err() {
                    self.end_at(place);
                }
                results.push((place, outcome));
            }
        }
        // These go with the results. The others are given back, and whoever waits for them comes and sees
        // the end too.
        if let Some(theirs) = room.split(results.len() as u32) {
            theirs.forget();
        }
        self.hand_in(results);
        may_be_more
    }

    /// After the end nobody may want the item, which then stays where it can be had back.
    #[inline]
    fn give_back_unless_wanted(&self, place: usize, item: I::Item) -> Option<I::Item> {
        if self.items.is_stopped() {
            let mut state = self.state.acquire();
            if place >= state.end {
                state.unmapped.push((place, item));
                return None;
            }
        }
        Some(item)
    }

    fn hand_in(&self, results: &mut Vec<(usize, Outcome<R>)>) {
        if results.is_empty() {
            return;
        }
        let mut state = self.state.acquire();
        results.drain(..).for_each(|(place, outcome)| state.finished.put(place, outcome));
        let is_ready = state.finished.is_ready();
        drop(state);
        if is_ready {
            self.changed.notify_one();
        }
    }

    /// Counts the calling thread among those that work, and no longer among those that are expected.
    #[track_caller]
    fn enter<'a>(
        &'a self,
        mut state: LockGuard<'_, State<I::Item, R>>,
        is_expected: bool,
    ) -> AtWork<'a, I, F, R> {
        self.assert_not_at_work(&state);
        let me = thread_id();
        state.workers.push(me);
        state.started -= usize::from(is_expected);
        AtWork { map: self, me }
    }
}

impl<I: Iterator, F, R> ParMap<I, F, R> {
    /// What works would wait for itself.
    #[track_caller]
    pub(super) fn assert_not_at_work(&self, state: &State<I::Item, R>) {
        assert!(
            !state.workers.contains(&thread_id()),
            "already executing: the function or the iterator waits for the map that it is in"
        );
    }

    /// Ends the map for an item that has panicked: no result is wanted that comes after it.
    #[cold]
    fn end_at(&self, place: usize) {
        let mut state = self.state.acquire();
        let place = if state.finished.is_in_order() { place } else { 0 };
        state.end = state.end.min(place);
        drop(state);
        self.stop();
    }

    /// Counts a thread as there that is about to be started.
    pub(super) fn expect_worker(&self) {
        self.state.acquire().started += 1;
    }

    /// It does not come. Nobody asks yet, and so nobody has to be told.
    pub(super) fn forget_worker(&self) {
        self.state.acquire().started -= 1;
    }
}

/// A thread that is counted among those that work.
struct AtWork<'a, I: Iterator, F, R> {
    map: &'a ParMap<I, F, R>,
    me: u64,
}

impl<I: Iterator, F, R> Drop for AtWork<'_, I, F, R> {
    fn drop(&mut self) {
        let mut state = self.map.state.acquire();
        state.workers.retain(|worker| *worker != self.me);
        let is_deserted = state.is_deserted();
        drop(state);
        if is_deserted {
            self.map.changed.notify_all();
        }
    }
}
