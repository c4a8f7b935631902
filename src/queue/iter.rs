//! One item after the other, until the queue is closed.

use core::fmt;
use core::iter::FusedIterator;
use std::collections::VecDeque;

use super::{Container, Queue};

/// Gets one item after the other. Made by [`Queue::iter`].
///
/// Waits for each, and ends when the queue is closed and nothing is left in it. Any number of threads may have such an iterator: each item
/// goes to one of them. It takes an item out of the queue when it is asked, so that dropping it loses nothing.
///
/// As [`std::sync::mpsc::Iter`].
///
/// ```
/// use futon::Queue;
///
/// let queue = Queue::from_iter([1, 2, 3]);
/// queue.close();
/// let (mut mine, yours) = (queue.iter(), queue.iter());
/// assert_eq!(mine.next(), Some(1));
/// assert_eq!(yours.collect::<Vec<_>>(), [2, 3]);
/// assert_eq!(mine.next(), None);
/// ```
#[must_use = "it gets nothing before it is asked"]
pub struct QueueIter<'a, T, C = VecDeque<T>> {
    queue: &'a Queue<T, C>,
}

impl<'a, T, C> QueueIter<'a, T, C> {
    pub(super) fn new(queue: &'a Queue<T, C>) -> Self {
        Self { queue }
    }
}

impl<T, C: Container<T>> Iterator for QueueIter<'_, T, C> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        self.queue.get().ok()
    }
}

// What is closed stays closed.
impl<T, C: Container<T>> FusedIterator for QueueIter<'_, T, C> {}

impl<'a, T, C: Container<T>> IntoIterator for &'a Queue<T, C> {
    type Item = T;
    type IntoIter = QueueIter<'a, T, C>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<T, C> Clone for QueueIter<'_, T, C> {
    fn clone(&self) -> Self {
        Self { queue: self.queue }
    }
}

impl<T, C: Container<T>> fmt::Debug for QueueIter<'_, T, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("QueueIter").field("queue", self.queue).finish()
    }
}
