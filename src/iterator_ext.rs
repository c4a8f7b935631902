//! What futon adds to iterators.

use std::convert::Infallible;
use std::thread::Scope;

use crate::par_map::{self, ParMap, ParMapResults, Workers};
use crate::shared_iter::SharedIter;

/// What futon adds to iterators: all of them, and not just those that know about threads.
///
/// ```
/// use futon::IteratorExt;
/// use std::thread;
///
/// let words = "the quick brown fox".split(' ');
/// let lengths = thread::scope(|s| words.par_map(s, 2, str::len).collect::<Vec<_>>());
/// assert_eq!(lengths, [3, 5, 5, 3]);
/// ```
pub trait IteratorExt: Iterator + Sized {
    /// Shares this iterator between threads: [`SharedIter::new`] at the end of a chain.
    ///
    /// ```
    /// use futon::IteratorExt;
    ///
    /// let evens = (0..10).filter(|n| n % 2 == 0).shared();
    /// assert_eq!(evens.next_chunk(3), [0, 2, 4]);
    /// ```
    #[must_use]
    #[doc(alias = "par_bridge")]
    #[doc(alias = "serialize_iterator")]
    #[doc(alias = "into_con_iter")]
    fn shared(self) -> SharedIter<Self> {
        SharedIter::new(self)
    }

    /// Maps the items on threads of `scope`. The results come in the order of the items.
    ///
    /// The threads start at once, and go on until the iterator has ended, something has panicked, or the result of this is
    /// stopped or dropped. They pull the items in order, one at a time or by the [`chunk`](Workers::chunk), and are never
    /// further ahead of you than [`in_flight`](Workers::in_flight) items, 64 for each thread if you do not say. So the
    /// iterator may be endless, or wait for something, and the results need no more memory than that.
    ///
    /// ```
    /// use futon::IteratorExt;
    /// use std::thread;
    ///
    /// let text = String::from("one two\nthree\nfour five six");
    /// thread::scope(|s| {
    ///     // The function borrows, and so may the iterator.
    ///     for (number, words) in text.lines().par_map(s, 4, |line| line.split(' ').count()).enumerate() {
    ///         assert_eq!(words, [2, 1, 3][number]);
    ///     }
    /// });
    /// ```
    ///
    /// **Errors** are results. Whoever stops at the first one, the first in order, stops the workers too, and has had all
    /// results before it:
    ///
    /// ```
    /// # use futon::IteratorExt;
    /// # use std::thread;
    /// let numbers = ["1", "2", "three", "4", "five"];
    /// let sum: Result<u32, _> = thread::scope(|s| numbers.iter().par_map(s, 2, |n| n.parse::<u32>()).sum());
    /// assert_eq!(sum.unwrap_err(), "three".parse::<u32>().unwrap_err());
    /// ```
    ///
    /// **Panics.** If the function panics, the panic goes on in the thread that asks for that result, once it has had all
    /// earlier ones, and there are none after it; so with the iterator. Nobody else panics, and the scope does not.
    ///
    /// **Dropping** what this returns stops the workers; [`into_inner`](ParMapResults::into_inner) stops them and gives back
    /// what was pulled and not mapped, and the iterator. A panic that nobody has got to, because nobody asked for so many
    /// results, goes on nowhere.
    ///
    /// **Threads.** With no threads at all, or where the system gives none, the items are mapped by whoever asks for the
    /// results.
    ///
    /// [`ParMap`] says more, of memory ordering for one. In Python this is `Pool.imap`, and
    /// `ThreadPoolExecutor.map` with a `buffersize`.
    ///
    /// # Panics
    ///
    /// If the iterator's `size_hint` does.
    #[doc(alias = "imap")]
    #[doc(alias = "buffered")]
    #[doc(alias = "parallel_map")]
    #[doc(alias = "par_iter")]
    #[doc(alias = "par_bridge")]
    fn par_map<'scope, F, R>(
        self,
        scope: &'scope Scope<'scope, '_>,
        workers: impl Into<Workers>,
        f: F,
    ) -> ParMapResults<'scope, Self, F, R>
    where
        Self: Send + 'scope,
        Self::Item: Send,
        F: Fn(Self::Item) -> R + Send + Sync + 'scope,
        R: Send + 'scope,
    {
        let workers = workers.into();
        ParMapResults::start(ParMap::of(self, workers, f), workers, scope)
    }

    /// Maps the items on threads of `scope`. The results come as they are ready.
    ///
    /// So one slow item keeps nobody from the results of others, as long as there is room. A panic of the function comes in its
    /// turn, and ends the results. In all else it is [`par_map`](Self::par_map). Python's `Pool.imap_unordered`.
    ///
    /// ```
    /// use futon::IteratorExt;
    /// use std::thread;
    ///
    /// thread::scope(|s| {
    ///     let mut squares: Vec<_> = (1..=5).par_map_unordered(s, 2, |n| n * n).collect();
    ///     squares.sort();
    ///     assert_eq!(squares, [1, 4, 9, 16, 25]);
    /// });
    /// ```
    ///
    /// # Panics
    ///
    /// If the iterator's `size_hint` does.
    #[doc(alias = "imap_unordered")]
    #[doc(alias = "buffer_unordered")]
    fn par_map_unordered<'scope, F, R>(
        self,
        scope: &'scope Scope<'scope, '_>,
        workers: impl Into<Workers>,
        f: F,
    ) -> ParMapResults<'scope, Self, F, R>
    where
        Self: Send + 'scope,
        Self::Item: Send,
        F: Fn(Self::Item) -> R + Send + Sync + 'scope,
        R: Send + 'scope,
    {
        let workers = workers.into();
        ParMapResults::start(ParMap::of(self, workers, f).unordered(), workers, scope)
    }

    /// Calls the function with each item, on so many threads, of which the calling thread is one. Returns when all
    /// calls have.
    ///
    /// With one thread or none, or where the system gives none, the calling thread does it all. What happened before this is
    /// seen by all calls, and what these did by whoever called this, when it has returned. As rayon's `for_each` after
    /// `par_bridge`; neither std nor Python has it.
    ///
    /// ```
    /// use futon::IteratorExt;
    /// use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
    ///
    /// let sum = AtomicU32::new(0);
    /// (1..=10).par_for_each(4, |n| _ = sum.fetch_add(n, Relaxed));
    /// assert_eq!(sum.into_inner(), 55);
    /// ```
    ///
    /// [`in_flight`](Workers::in_flight) has no meaning here, but [`chunk`](Workers::chunk) has.
    ///
    /// # Panics
    ///
    /// If the function panics, no more items are taken, and the panic goes on in the calling thread when all threads
    /// have done with theirs. If it panics for several items, or the iterator does, it is the panic that would have come
    /// first with a single thread.
    #[doc(alias = "for_each")]
    #[doc(alias = "for_each_concurrent")]
    #[doc(alias = "par_bridge")]
    fn par_for_each<F>(self, workers: impl Into<Workers>, f: F)
    where
        Self: Send,
        Self::Item: Send,
        F: Fn(Self::Item) + Sync,
    {
        let each = |item| {
            f(item);
            Ok::<(), Infallible>(())
        };
        match par_map::try_for_each(self, workers.into(), each) {
            Ok(()) => {}
            Err(never) => match never {},
        }
    }

    /// Calls the function with each item until it returns an error, on so many threads, of which the calling thread is
    /// one. Returns when all calls have.
    ///
    /// After an error no more items are taken. All that come before it have been taken then, and are brought to their end.
    /// Some items that come after it may have been processed too. What was taken with a [`chunk`](Workers::chunk) and
    /// not processed is dropped.
    ///
    /// In all else it is [`par_for_each`](Self::par_for_each).
    ///
    /// ```
    /// use futon::IteratorExt;
    ///
    /// let odd = |n: u32| if n % 2 == 0 { Ok(()) } else { Err(n) };
    /// assert_eq!([2, 4, 5, 6, 7].into_iter().par_try_for_each(3, odd), Err(5));
    /// assert_eq!([2, 4, 6].into_iter().par_try_for_each(3, odd), Ok(()));
    /// ```
    ///
    /// # Errors
    ///
    /// The error of the function that comes first in the order of the items: the one that a single thread would have found.
    ///
    /// # Panics
    ///
    /// As [`par_for_each`](Self::par_for_each), unless an error comes before the panic in that order.
    #[doc(alias = "try_for_each")]
    #[doc(alias = "try_for_each_concurrent")]
    fn par_try_for_each<F, E>(self, workers: impl Into<Workers>, f: F) -> Result<(), E>
    where
        Self: Send,
        Self::Item: Send,
        F: Fn(Self::Item) -> Result<(), E> + Sync,
        E: Send,
    {
        par_map::try_for_each(self, workers.into(), f)
    }
}

impl<I: Iterator> IteratorExt for I {}
