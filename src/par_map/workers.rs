//! How many threads are to map, and how far ahead.

use std::thread;

use crate::semaphore::Semaphore;

/// How many threads map, how many items they may have in flight, and how many each takes at once.
///
/// Where one is wanted a number will do, which is that of the threads. By `Default` these are as many as the system says are
/// of use to this program.
///
/// ```
/// use futon::{IteratorExt, Workers};
/// use std::thread;
///
/// let words = ["to", "be", "or", "not"];
/// thread::scope(|s| {
///     let lengths = words.iter().par_map(s, Workers::new(2).in_flight(3), |word| word.len());
///     assert_eq!(lengths.collect::<Vec<_>>(), [2, 2, 2, 3]);
///     let letters = words.iter().par_map(s, 2, |word| word.len());
///     assert_eq!(letters.sum::<usize>(), 9);
/// });
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[doc(alias = "ThreadPoolExecutor")]
#[doc(alias = "Pool")]
pub struct Workers {
    threads: usize,
    in_flight: Option<usize>,
    chunk: usize,
}

impl Workers {
    /// So many threads, 64 items in flight for each, or eight [chunks](Self::chunk) if that is more, and each item taken alone.
    ///
    /// With no threads at all whoever asks for a result maps its item, one after the other: for a look at what goes
    /// wrong, and for a program that is told how many threads to use.
    ///
    /// ```
    /// use futon::{IteratorExt, Workers};
    /// use std::thread;
    ///
    /// let me = thread::current().id();
    /// thread::scope(|s| {
    ///     let mut nobody = (0..3).par_map(s, Workers::new(0), |_| thread::current().id());
    ///     assert!(nobody.all(|worker| worker == me));
    ///     let mut others = (0..3).par_map(s, Workers::new(2), |_| thread::current().id());
    ///     assert!(others.all(|worker| worker != me));
    /// });
    /// ```
    #[must_use]
    #[doc(alias = "num_threads")]
    #[doc(alias = "max_workers")]
    pub const fn new(threads: usize) -> Self {
        Self { threads, in_flight: None, chunk: 1 }
    }

    /// At most so many items may be in flight: pulled from the iterator, and their results not handed out.
    ///
    /// It is what bounds the memory, and what one slow item costs: the others go on until so many are in flight. If
    /// there are fewer than threads, some of these have nothing to do. More than 2<sup>29</sup> − 1 are taken for as many.
    ///
    /// Python's `buffersize`.
    ///
    /// ```
    /// use futon::{IteratorExt, Workers};
    /// use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
    ///
    /// let pulled = AtomicUsize::new(0);
    /// let items = (0..100).inspect(|_| _ = pulled.fetch_add(1, Relaxed));
    /// std::thread::scope(|s| {
    ///     for result in items.par_map(s, Workers::new(2).in_flight(3), |n| n) {
    ///         let handed_out = result + 1;
    ///         assert!(pulled.load(Relaxed) <= handed_out + 3);
    ///     }
    /// });
    /// ```
    ///
    /// # Panics
    ///
    /// If `items` is 0.
    #[must_use]
    #[track_caller]
    #[doc(alias = "buffersize")]
    #[doc(alias = "buffer_size")]
    pub const fn in_flight(mut self, items: usize) -> Self {
        assert!(items > 0, "with no item in flight there are no results; let there be at least one");
        self.in_flight = Some(items);
        self
    }

    /// Each thread takes so many items at once, and hands in their results together.
    ///
    /// For items that are mapped in a few microseconds or less: a chunk costs as much as an item alone. Not where the
    /// iterator may wait for something that comes of its items, since those of a chunk are mapped when it is full. No
    /// more than may be in flight.
    ///
    /// Python's `chunksize`.
    ///
    /// ```
    /// use futon::{IteratorExt, Workers};
    ///
    /// let sum = std::thread::scope(|s| (1..=1000).par_map(s, Workers::new(2).chunk(100), |n| n * n).sum::<u64>());
    /// assert_eq!(sum, 333_833_500);
    /// ```
    ///
    /// # Panics
    ///
    /// If `items` is 0.
    #[must_use]
    #[track_caller]
    #[doc(alias = "chunksize")]
    pub const fn chunk(mut self, items: usize) -> Self {
        assert!(items > 0, "a chunk of no items has no end; let there be at least one");
        self.chunk = items;
        self
    }

    pub(super) fn threads(self) -> usize {
        self.threads
    }

    pub(super) fn most_in_flight(self) -> usize {
        let each = self.chunk.saturating_mul(8).max(64);
        self.in_flight.unwrap_or_else(|| each.saturating_mul(self.threads.max(1)))
    }

    pub(super) fn items_at_once(self) -> usize {
        self.chunk
    }
}

/// As many threads as the system says are of use to this program, or one if it does not say.
impl Default for Workers {
    fn default() -> Self {
        Self::new(thread::available_parallelism().map_or(1, usize::from))
    }
}

impl From<usize> for Workers {
    fn from(threads: usize) -> Self {
        Self::new(threads)
    }
}

/// So many items as permits of a semaphore, of which there are to be twice as many at most.
#[track_caller]
pub(super) fn permits(items: usize) -> u32 {
    assert!(items > 0, "with no item at a time there are no results; let there be at least one");
    let most = Semaphore::MAX_PERMITS / 2;
    u32::try_from(items).map_or(most, |items| items.min(most))
}
