//! The map with threads of a scope.

use core::fmt;
use core::iter::FusedIterator;
use core::ops::Deref;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::thread::{self, Scope, ScopedJoinHandle};

use super::{Leftovers, ParMap, Workers};

/// The results of a map by threads of a scope, one after the other.
///
/// Made by [`par_map`](crate::IteratorExt::par_map) and [`par_map_unordered`](crate::IteratorExt::par_map_unordered). As an
/// iterator it gives the results; all that a [`ParMap`] can do is there through `Deref`, so that it can be waited for the next
/// one with a [timeout](ParMap::next_timeout), the map can be [stopped](ParMap::stop), and another thread can
/// [work](ParMap::work) with the others.
///
/// **Dropping it** [cancels](ParMap::cancel) the map and waits for nobody: the last thread to leave drops what is left, items
/// that were taken and not begun, results, and the iterator. [`into_inner`](Self::into_inner) drops nothing. Neither
/// interrupts a call of the function or the iterator, and the scope does not end before that has returned. If this leaks
/// (`mem::forget`) while workers wait for room, they wait for ever, and so does the scope.
///
/// ```
/// use futon::IteratorExt;
/// use std::thread;
///
/// thread::scope(|s| {
///     // There is no end to the items, but to the results that are asked for.
///     let mut squares = (1..).par_map(s, 2, |n| n * n);
///     assert_eq!(squares.find(|square| square % 7 == 0), Some(49));
/// });
/// ```
///
/// Memory ordering, fairness and panics are as [`ParMap`] says; the iterator is fused. It is what Python's `Pool.imap`
/// returns.
#[doc(alias = "IMapIterator")]
#[must_use = "the workers stop as soon as this is dropped"]
pub struct ParMapResults<'scope, I: Iterator, F, R> {
    map: Cancelling<I, F, R>,
    workers: Vec<ScopedJoinHandle<'scope, ()>>,
}

/// Cancels when it is dropped.
struct Cancelling<I: Iterator, F, R>(Arc<ParMap<I, F, R>>);

impl<I: Iterator, F, R> Drop for Cancelling<I, F, R> {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

impl<'scope, I, F, R> ParMapResults<'scope, I, F, R>
where
    I: Iterator + Send + 'scope,
    I::Item: Send,
    F: Fn(I::Item) -> R + Send + Sync + 'scope,
    R: Send + 'scope,
{
    /// Starts so many threads, or as many as there can be.
    pub(crate) fn start(
        map: ParMap<I, F, R>,
        workers: Workers,
        scope: &'scope Scope<'scope, '_>,
    ) -> Self {
        // From here on: those that are there are not to wait for ever if another one can not be started for a panic.
        let map = Cancelling(Arc::new(map));
        let start = |_| {
            let theirs = Arc::clone(&map.0);
            // Before its start, or whoever asks first would not wait for it.
            map.0.expect_worker();
            let thread = thread::Builder::new().spawn_scoped(scope, move || theirs.work_as_expected());
            thread.inspect_err(|_| map.0.forget_worker()).ok()
        };
        let workers = (0..workers.threads()).map_while(start).collect();
        Self { map, workers }
    }
}

impl<I: Iterator, F, R> ParMapResults<'_, I, F, R> {
    /// All that is left, when the threads have ended.
    ///
    /// It [cancels](ParMap::cancel) the map, as dropping does, and waits for the threads.
    ///
    /// ```
    /// use futon::IteratorExt;
    /// use std::thread;
    ///
    /// thread::scope(|s| {
    ///     let mut results = (0..).par_map(s, 2, |n| 10 * n);
    ///     assert_eq!(results.by_ref().take(3).collect::<Vec<_>>(), [0, 10, 20]);
    ///     let left = results.into_inner();
    ///     let mut places: Vec<_> = left.results.iter().map(|(place, _)| *place).collect();
    ///     places.extend(left.items.iter().map(|(place, _)| *place));
    ///     places.extend(left.iter.take(1));
    ///     places.sort();
    ///     assert!(places.iter().copied().eq(3..3 + places.len()));
    /// });
    /// ```
    ///
    /// # Panics
    ///
    /// With "already executing" if it is the function or the iterator that calls it, which would wait for itself.
    #[track_caller]
    #[must_use = "to stop the workers and drop all that is left, drop the results"]
    pub fn into_inner(self) -> Leftovers<I, R> {
        self.assert_not_at_work(&self.state.acquire());
        let Self { map, workers } = self;
        map.0.cancel();
        workers
            .into_iter()
            .for_each(|worker| worker.join().unwrap_or_else(|panic| resume_unwind(panic)));
        let last = Arc::clone(&map.0);
        drop(map);
        Arc::into_inner(last)
            .expect("the threads have ended, and who else had it has borrowed it from this")
            .into_inner()
    }

    /// How many threads were started: fewer than asked for if the system would not give so many.
    ///
    /// If it gives none at all, whoever asks for a result maps its item.
    ///
    /// ```
    /// use futon::IteratorExt;
    /// use std::thread;
    ///
    /// thread::scope(|s| {
    ///     let results = (0..9).par_map(s, 2, |n| n);
    ///     assert_eq!(results.threads(), 2);
    /// });
    /// ```
    #[must_use]
    pub fn threads(&self) -> usize {
        self.workers.len()
    }
}

impl<I: Iterator, F: Fn(I::Item) -> R, R> Iterator for ParMapResults<'_, I, F, R> {
    type Item = R;

    #[inline]
    fn next(&mut self) -> Option<R> {
        self.map.0.next()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.map.0.size_hint()
    }
}

impl<I: Iterator, F: Fn(I::Item) -> R, R> FusedIterator for ParMapResults<'_, I, F, R> {}

impl<I: Iterator, F, R> Deref for ParMapResults<'_, I, F, R> {
    type Target = ParMap<I, F, R>;

    fn deref(&self) -> &ParMap<I, F, R> {
        &self.map.0
    }
}

impl<I: Iterator, F, R> fmt::Debug for ParMapResults<'_, I, F, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.map.0.fmt(f)
    }
}
