//! The handles that take one item under one lock.

use core::fmt;
use core::ops::Deref;
use std::sync::Arc;

use super::SharedIter;

/// One item a lock.
///
/// ```
/// let shared = futon::SharedIter::new(1..=4);
/// let firsts: Vec<_> = (&shared).take(2).collect();
/// assert_eq!((firsts, shared.next()), (vec![1, 2], Some(3)));
/// ```
impl<I: Iterator> Iterator for &SharedIter<I> {
    type Item = I::Item;

    // No size hint: how many of the rest will be this thread's is not known.

    #[inline]
    fn next(&mut self) -> Option<I::Item> {
        SharedIter::next(self)
    }
}

/// A [`SharedIter`] with shared ownership, for threads that outlive the one that made it.
///
/// A clone is another handle of the same iterator. As an iterator it takes one item a lock; all that
/// the `SharedIter` can do is there through `Deref`. What holds of that holds of this: the end, panics, memory
/// ordering and fairness.
///
/// ```
/// use futon::SharedIter;
/// use std::thread;
///
/// let ids = SharedIter::new(0..100).into_handle();
/// let other = ids.clone();
/// let worker = thread::spawn(move || other.count());
/// let mine = ids.count();
/// assert_eq!(mine + worker.join().unwrap(), 100);
/// ```
pub struct SharedIterHandle<I: Iterator> {
    shared: Arc<SharedIter<I>>,
}

impl<I: Iterator> SharedIter<I> {
    /// A handle that owns this, and can be cloned. Allocates once.
    ///
    /// ```
    /// use std::thread;
    ///
    /// let handle = futon::SharedIter::new("ab".chars()).into_handle();
    /// let other = handle.clone();
    /// let first = thread::spawn(move || other.take(1).collect::<String>()).join().unwrap();
    /// assert_eq!(first + &handle.collect::<String>(), "ab");
    /// ```
    #[must_use]
    pub fn into_handle(self) -> SharedIterHandle<I> {
        SharedIterHandle { shared: Arc::new(self) }
    }
}

impl<I: Iterator> SharedIterHandle<I> {
    /// The `SharedIter`, if this is its last handle. As [`Arc::try_unwrap`].
    ///
    /// ```
    /// let first = futon::SharedIter::new(0..9).into_handle();
    /// let second = first.clone();
    /// let second = second.try_into_shared().unwrap_err();
    /// drop(first);
    /// assert_eq!(second.try_into_shared().unwrap().into_inner().0, 0..9);
    /// ```
    ///
    /// # Errors
    ///
    /// This handle as it was, if there are others.
    #[doc(alias = "try_unwrap")]
    pub fn try_into_shared(self) -> Result<SharedIter<I>, Self> {
        Arc::try_unwrap(self.shared).map_err(|shared| Self { shared })
    }

    /// [`SharedIter::next_chunk`], which `Iterator`'s of the same name would hide.
    ///
    /// ```
    /// let handle = futon::SharedIter::new(1..).into_handle();
    /// assert_eq!(handle.next_chunk(3), [1, 2, 3]);
    /// ```
    ///
    /// # Panics
    ///
    /// As [`SharedIter::next_chunk`].
    #[must_use = "the items are gone if nobody takes them"]
    pub fn next_chunk(&self, n: usize) -> Vec<I::Item> {
        self.shared.next_chunk(n)
    }

    /// [`SharedIter::size_hint`], which `Iterator`'s of the same name would hide.
    ///
    /// ```
    /// let handle = futon::SharedIter::new(1..6).into_handle();
    /// assert_eq!(handle.size_hint(), (5, Some(5)));
    /// ```
    ///
    /// # Panics
    ///
    /// As [`SharedIter::size_hint`].
    #[must_use]
    pub fn size_hint(&self) -> (usize, Option<usize>) {
        self.shared.size_hint()
    }
}

impl<I: Iterator> Iterator for SharedIterHandle<I> {
    type Item = I::Item;

    #[inline]
    fn next(&mut self) -> Option<I::Item> {
        self.shared.next()
    }
}

impl<I: Iterator> Deref for SharedIterHandle<I> {
    type Target = SharedIter<I>;

    fn deref(&self) -> &SharedIter<I> {
        &self.shared
    }
}

impl<I: Iterator> Clone for SharedIterHandle<I> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<I: Iterator> From<SharedIter<I>> for SharedIterHandle<I> {
    fn from(shared: SharedIter<I>) -> Self {
        shared.into_handle()
    }
}

impl<I: Iterator> fmt::Debug for SharedIterHandle<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.shared.fmt(f)
    }
}
