//! Why nothing was put in, got out or done.

use core::fmt;

/// The queue is closed: nothing can be put in any more, or nothing is left to be got.
///
/// Python's `ShutDown`. With it comes back what was to be put in.
///
/// ```
/// use futon::{Closed, Queue};
///
/// let queue = Queue::new();
/// queue.close();
/// let Err(Closed(item)) = queue.put("late") else { panic!("it is closed") };
/// assert_eq!(item, "late");
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
#[doc(alias = "ShutDown")]
#[doc(alias = "SendError")]
#[doc(alias = "RecvError")]
pub struct Closed<T = ()>(pub T);

/// An item was not put in. It comes back.
///
/// ```
/// use futon::{PutError, Queue};
///
/// let queue = Queue::bounded(0);
/// let what_became_of_it = match queue.try_put("item") {
///     Ok(()) => String::from("somebody has it"),
///     Err(PutError::Full(item)) => format!("keep the {item} for later"),
///     Err(PutError::Closed(item)) => format!("do away with the {item}"),
/// };
/// assert_eq!(what_became_of_it, "keep the item for later");
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
#[doc(alias = "TrySendError")]
#[doc(alias = "SendTimeoutError")]
pub enum PutError<T> {
    /// There was no room, or there was none in time. Promises no memory ordering. Python's `Full`.
    #[doc(alias = "queue.Full")]
    #[doc(alias = "Timeout")]
    Full(T),
    /// The queue is closed. Python's `ShutDown`.
    #[doc(alias = "ShutDown")]
    #[doc(alias = "Disconnected")]
    Closed(T),
}

/// There was nothing to get.
///
/// ```
/// use futon::{GetError, Queue};
///
/// let queue = Queue::from_iter([1, 2]);
/// let mut sum = 0;
/// let why = loop {
///     match queue.try_get() {
///         Ok(item) => sum += item,
///         Err(why) => break why,
///     }
/// };
/// assert_eq!((sum, why), (3, GetError::Empty)); // more may come
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[doc(alias = "TryRecvError")]
#[doc(alias = "RecvTimeoutError")]
pub enum GetError {
    /// There was no item, or there was none in time. Promises no memory ordering. Python's `Empty`.
    #[doc(alias = "queue.Empty")]
    #[doc(alias = "Timeout")]
    Empty,
    /// The queue is closed, and nothing is left in it. Python's `ShutDown`.
    #[doc(alias = "ShutDown")]
    #[doc(alias = "Disconnected")]
    Closed,
}

/// More items were said to be done than have been put in.
///
/// The error of [`Queue::task_done`](super::Queue::task_done). Python has a `ValueError` for it.
///
/// ```
/// let queue = futon::Queue::<u8>::new();
/// assert_eq!(queue.task_done(), Err(futon::TaskDoneError));
/// ```
#[doc(alias = "ValueError")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TaskDoneError;

impl<T> Closed<T> {
    /// What was to be put in.
    ///
    /// ```
    /// let queue = futon::Queue::new();
    /// queue.close();
    /// assert_eq!(queue.put("item").unwrap_err().into_inner(), "item");
    /// ```
    #[must_use]
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> PutError<T> {
    /// What was to be put in.
    ///
    /// ```
    /// let queue = futon::Queue::bounded(0);
    /// assert_eq!(queue.try_put("item").unwrap_err().into_inner(), "item");
    /// ```
    #[must_use]
    pub fn into_inner(self) -> T {
        match self {
            Self::Full(item) | Self::Closed(item) => item,
        }
    }
}

impl<T> From<Closed<T>> for PutError<T> {
    fn from(Closed(item): Closed<T>) -> Self {
        Self::Closed(item)
    }
}

impl From<Closed> for GetError {
    fn from(_: Closed) -> Self {
        Self::Closed
    }
}

// Errors can be shown whatever the items are.

impl<T> fmt::Debug for Closed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Closed(..)")
    }
}

impl<T> fmt::Display for Closed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the queue is closed")
    }
}

impl<T> core::error::Error for Closed<T> {}

impl<T> fmt::Debug for PutError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full(_) => "Full(..)",
            Self::Closed(_) => "Closed(..)",
        })
    }
}

impl<T> fmt::Display for PutError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full(_) => "the queue is full",
            Self::Closed(_) => "the queue is closed",
        })
    }
}

impl<T> core::error::Error for PutError<T> {}

impl fmt::Display for GetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "the queue is empty",
            Self::Closed => "the queue is closed",
        })
    }
}

impl core::error::Error for GetError {}

impl fmt::Display for TaskDoneError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("more items were said to be done than have been put in")
    }
}

impl core::error::Error for TaskDoneError {}
