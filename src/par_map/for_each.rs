//! The same without results, and without threads from outside.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::thread;

use super::{Payload, Workers};
use crate::lock::Lock;
use crate::shared_iter::SharedIter;

struct ForEach<I: Iterator, F, E> {
    items: SharedIter<I>,
    f: F,
    chunk: usize,
    /// The first failure in the order of the items, and its place.
    failure: Lock<Option<(usize, Failure<E>)>>,
}

enum Failure<E> {
    Error(E),
    Panic(Payload),
}

/// [`IteratorExt::par_try_for_each`](crate::IteratorExt::par_try_for_each).
pub(crate) fn try_for_each<I, F, E>(iter: I, workers: Workers, f: F) -> Result<(), E>
where
    I: Iterator<Item: Send> + Send,
    F: Fn(I::Item) -> Result<(), E> + Sync,
    E: Send,
{
    let items = SharedIter::new(iter);
    let each = ForEach { items, f, chunk: workers.items_at_once(), failure: Lock::new(None) };
    thread::scope(|s| {
        let start = |_| thread::Builder::new().spawn_scoped(s, || each.work()).is_ok();
        // The calling thread is one of them. If there are no more, it does what there is to do.
        (1..workers.threads()).all(start);
        each.work();
    });
    match each.failure.into_inner() {
        None => Ok(()),
        Some((_, Failure::Error(error))) => Err(error),
        Some((_, Failure::Panic(panic))) => resume_unwind(panic),
    }
}

impl<I: Iterator, F: Fn(I::Item) -> Result<(), E>, E> ForEach<I, F, E> {
    /// Takes items and calls the function until there are no more.
    fn work(&self) {
        if self.chunk == 1 {
            while self.call(|| self.items.next_indexed()) {}
        } else {
            while self.call(|| self.items.next_chunk_indexed(self.chunk)) {}
        }
    }

    /// Returns whether there may be more to take.
    fn call<T: IntoIterator<Item = (usize, I::Item)>>(&self, take: impl FnOnce() -> T) -> bool {
        let taken = match catch_unwind(AssertUnwindSafe(take)) {
            Ok(taken) => taken,
            Err(panic) => {
                // After all items. What was given before can still be had.
                self.fail(usize::MAX, Failure::Panic(panic));
                return true;
            }
        };
        let mut may_be_more = false;
        for (place, item) in taken {
            may_be_more = true;
            if self.is_beyond_a_failure(place) {
                break;
            }
            match catch_unwind(AssertUnwindSafe(|| (self.f)(item))) {
                Ok(Ok(())) => {}
                Ok(Err(error)) => self.fail(place, Failure::Error(error)),
                Err(panic) => self.fail(place, Failure::Panic(panic)),
            }
        }
        may_be_more
    }

    #[inline]
    fn is_beyond_a_failure(&self, place: usize) -> bool {
        self.items.is_stopped()
            && self.failure.acquire().as_ref().is_some_and(|(first, _)| *first < place)
    }

    /// Keeps the failure if it is the first in order.
    #[cold]
    fn fail(&self, place: usize, failure: Failure<E>) {
        let mut kept = self.failure.acquire();
        let is_first = kept.as_ref().is_none_or(|(first, _)| place < *first);
        // What it replaces is dropped without the lock.
        let _other = if is_first { kept.replace((place, failure)) } else { Some((place, failure)) };
        drop(kept);
        if place != usize::MAX {
            self.items.stop();
        }
    }
}
