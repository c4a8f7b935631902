//! The queue: items that are handed from thread to thread.
//!
//! # The state
//!
//! ```text
//!     put ──▶  inlet: its lock                                    outlet: its lock  ──▶ get
//!             +-----------+---------+---------+---------+        +--------+--------+
//!             | container | getters | putters | joiners |        | ready  | taken  |
//!             |           |         |         |         |        |        |        |
//!             | items, in | who     | who     | who     |  all   | items, | how    |
//!             | an order  | waits   | waits   | waits   | ─────▶ | in     | many,  |
//!             | of its    | for an  | with an | until   | at     | their  | ever   |
//!             | own       | item    | item    | all is  | once   | order  |        |
//!             |           |         | for room| done    |        |        |        |
//!             +-----------+---------+---------+---------+        +--------+--------+
//!               … out: how many have left the container and are not done; is_closed
//! ```
//!
//! A container that is first in, first out is two: one that is put into, and one that is got from. When the second one is empty, they
//! are exchanged. So those who put and those who get meet once for many items. With another order, as that of a heap, there is
//! only the first one.
//!
//! | a thread …       | does, under the lock of the inlet                                                     | and then tells |
//! |------------------|---------------------------------------------------------------------------------------|----------------|
//! | puts             | gives its item to the first getter; else puts it into the container, if there is room | the getter     |
//! | … else           | joins the putters with it, under both locks                                           | –, waits to be told |
//! | gets             | under the lock of the outlet alone, takes an item that is ready; if there are putters, lets them in, under both | the putters |
//! | … else           | under both, makes ready what is in the container, and takes an item; lets putters in  | the putters    |
//! | … else           | takes what the first putter has brought, should the capacity be zero                  | the putter     |
//! | … else           | joins the getters                                                                     | –, waits to be told |
//! | says that one is done | takes one off `out`; if no item is unfinished, takes out the joiners             | them           |
//! | closes           | takes out the getters and the putters, with what they have                            | them           |
//! | … now            | the same under both, and takes all items; if none is unfinished, the joiners too      | them           |
//! | runs out of time | leaves its line, unless it was taken out: then it will be told                        | –              |
//!
//! Who takes both locks takes that of the outlet first.
//!
//! # The invariant
//!
//! * **Nobody waits for what is there.** While there are getters nothing is ready, the container is empty and nobody waits with an item;
//!   while there are putters it is full, but for the moment in which a thread that has made room is about to let them in; while there are joiners an
//!   item is unfinished; and with a closed queue there are no getters and no putters.
//! * **Who makes room knows whether somebody waits for it.** A thread joins the putters under both locks, and leaves a mark in
//!   the outlet; there is no way to look for room, and then wait for it, past a get.
//! * **What counts as room is too little rather than too much.** Those who put have a number of items that were taken, and read it anew when
//!   that leaves no room. It only grows, and so does the room.
//! * **An item is in one place**: with the thread that puts it, in the container, ready, or with the thread that gets it. From one to
//!   the next it goes under a lock of both. So what a thread is told is not to look again, which another one might forestall, but
//!   what it has got. There are no notifications that could be lost, swallowed or stolen.
//! * **Who is in a line has not been told, and who was taken out of it is told, once, and soon.** What it is told is decided
//!   under the lock, and a time that runs out a moment later does not change it.
//! * **How many are unfinished is not counted**: it is what is in the container and what is `out`. So whatever the container
//!   does, even if it panics, the two can not come to differ.
//! * **Nothing of the user's runs under a lock but the container.** No item is dropped there.
//!
//! # Why it hands over
//!
//! With a condition for each end, a thread that is notified takes the lock again, looks, and may find that another
//! one was faster. Here it has what it waited for, without the lock. And with little room it counts that threads that wait bring their
//! items with them: a thread that runs serves all of them in one turn on the CPU, in the place of one.
//!
//! With more room it is better not to wait in line at all. A thread that finds the queue full looks for some microseconds whether there is
//! room for several items, and then puts several: in steps of one it would follow those who get, with a cache line
//! that goes back and forth for each item.

mod container;
mod ends;
mod failure;
mod iter;
mod outlet;
mod state;

use core::fmt;
use core::panic::{RefUnwindSafe, UnwindSafe};
use core::time::Duration;
use std::collections::VecDeque;
use std::time::Instant;

pub use container::{Container, MinHeap};
use ends::release;
pub use failure::{Closed, GetError, PutError, TaskDoneError};
pub use iter::QueueIter;
use outlet::Outlet;
use state::{NO_LIMIT, State};

use crate::deadline::Deadline;
use crate::lock::{Lock, LockGuard};

/// Items that some threads put in and others get out.
///
/// It is Python's `queue.Queue`: bounded or not, any number of threads at either end, with a limit of time for each wait; and
/// it knows how many items are not done yet, so that a thread can [`join`](Self::join) the work. Unlike
/// [`std::sync::mpsc`] it has no ends that are owned: it ends when somebody [`close`](Self::close)s it, or takes back what is left
/// with [`close_now`](Self::close_now).
///
/// ```
/// use futon::Queue;
/// use std::thread;
///
/// let queue = Queue::bounded(8);
/// let sum: u32 = thread::scope(|s| {
///     let workers: Vec<_> = (0..2).map(|_| s.spawn(|| queue.iter().sum::<u32>())).collect();
///     for number in 1..=100 {
///         queue.put(number).unwrap();
///     }
///     queue.close(); // what is in it is still got
///     workers.into_iter().map(|worker| worker.join().unwrap()).sum()
/// });
/// assert_eq!(sum, 5050);
/// ```
///
/// **Order.** What is put in first comes out first. [`LifoQueue`] and [`PriorityQueue`] have another order: that is up to
/// the [`Container`] `C`, of which there may be more.
///
/// **Each item goes to one thread**, and none is lost. A put that fails has the item in its error. A get whose time
/// runs out as an item comes returns the item, or has left it to the next.
///
/// **Memory ordering.** What happened before an item was put in is seen by whoever gets it; what happened before a
/// [`task_done`](Self::task_done) by whoever's join ends because of it; what happened before the queue was closed by
/// whoever finds it closed; what happened before a get by whoever puts an item in where that has made room.
///
/// **Fairness.** Threads that wait are served in the order in which they came, and nobody overtakes them: an item that is put in goes
/// to the one that has waited longest for it, past the container, and room to the one that has waited longest for that.
/// Threads that do not have to wait come in the order in which they get the lock. One that finds the queue full may look for
/// some microseconds whether that changes, before it counts as one that waits.
///
/// **Panics.** Those of the container, as when a comparison of items panics in a [`PriorityQueue`], go on in the thread
/// whose item is put in, or which gets one, and the queue goes on working. Nothing is poisoned.
///
/// **Nothing is touched afterwards.** A thread that has got an item, or whose join has ended, may free the queue at once, though the
/// put or the task_done has not returned yet. (A put with a limit of time may still be at the queue.)
///
/// **Deadlock.** The container works under the lock of the queue. A comparison of items, in a [`PriorityQueue`], that uses the
/// queue would wait for itself. Where an item is dropped, by whomever, it may use the queue.
///
/// **Cost.** Making one does not allocate; the container does as it grows, and the second one that a queue has which is first in, first
/// out. There a put and a get have a lock each, which is held for a moment, and with another order one for both. They make a system
/// call only where others have had to wait, or they have to themselves.
///
/// The items decide what may cross threads: a queue is `Send` and `Sync` if they and the container are `Send`.
///
/// ```compile_fail,E0277
/// # use std::rc::Rc;
/// fn shared<T: Sync>(_: T) {}
/// shared(futon::Queue::<Rc<i32>>::new()); // an Rc must stay on its thread
/// ```
#[doc(alias = "queue.Queue")]
#[doc(alias = "SimpleQueue")]
#[doc(alias = "channel")]
#[doc(alias = "sync_channel")]
#[doc(alias = "mpsc")]
#[doc(alias = "mpmc")]
#[doc(alias = "Sender")]
#[doc(alias = "SyncSender")]
#[doc(alias = "Receiver")]
pub struct Queue<T, C = VecDeque<T>> {
    outlet: Outlet<C>,
    inlet: Inlet<T, C>,
}

/// The end that items are put into, and all that both have to do with. In cache lines of its own.
#[repr(align(128))]
struct Inlet<T, C> {
    state: Lock<State<T, C>>,
}

/// A queue from which what was put in last comes out first.
///
/// Python's `queue.LifoQueue`. Whatever [`Queue`] promises holds of it, but for the order.
///
/// ```
/// use futon::LifoQueue;
///
/// static STACK: LifoQueue<u32> = LifoQueue::with_container(Vec::new());
/// STACK.put(1).unwrap();
/// STACK.put(2).unwrap();
/// assert_eq!((STACK.get(), STACK.get()), (Ok(2), Ok(1)));
/// ```
#[doc(alias = "queue.LifoQueue")]
#[doc(alias = "stack")]
pub type LifoQueue<T> = Queue<T, Vec<T>>;

/// A queue from which the smallest item comes out first. Of equal ones, any.
///
/// Python's `queue.PriorityQueue`, with pairs of a number and something else for instance. For the largest first, put
/// [`Reverse`](core::cmp::Reverse) around the items. Whatever [`Queue`] promises holds of it, but for the order.
///
/// ```
/// use futon::{MinHeap, PriorityQueue};
///
/// static JOBS: PriorityQueue<(u8, &str)> = PriorityQueue::with_container(MinHeap::new());
/// JOBS.put((2, "sweep")).unwrap();
/// JOBS.put((1, "put out the fire")).unwrap();
/// assert_eq!(JOBS.get(), Ok((1, "put out the fire")));
/// ```
#[doc(alias = "queue.PriorityQueue")]
#[doc(alias = "heapq")]
pub type PriorityQueue<T> = Queue<T, MinHeap<T>>;

impl<T> Queue<T> {
    /// A queue with room for any number of items. First in, first out.
    ///
    /// Python's `Queue()`.
    ///
    /// ```
    /// static LINES: futon::Queue<String> = futon::Queue::new();
    /// LINES.put(String::from("one")).unwrap();
    /// assert_eq!(LINES.get().unwrap(), "one");
    /// ```
    #[inline]
    #[must_use]
    #[doc(alias = "unbounded")]
    #[doc(alias = "channel")]
    pub const fn new() -> Self {
        Self::with_container(VecDeque::new())
    }

    /// A queue with room for so many items. First in, first out.
    ///
    /// A queue without room (which in Python is one without a limit) hands over: each put waits until a thread gets its item,
    /// as with [`std::sync::mpsc::sync_channel`]. Room for `usize::MAX` items is no limit.
    ///
    /// Python's `Queue(maxsize)`.
    ///
    /// ```
    /// use futon::{PutError, Queue};
    ///
    /// let queue = Queue::bounded(1);
    /// assert_eq!(queue.try_put('a'), Ok(()));
    /// assert_eq!(queue.try_put('b'), Err(PutError::Full('b')));
    /// ```
    #[inline]
    #[must_use]
    #[doc(alias = "sync_channel")]
    pub const fn bounded(capacity: usize) -> Self {
        Self::bounded_with_container(capacity, VecDeque::new())
    }
}

impl<T, C> Queue<T, C> {
    /// A queue with room for any number of items, in an order that is up to the container. What that has in it is in the
    /// queue, and has been put in for a [`join`](Self::join).
    ///
    /// ```
    /// let stack = futon::Queue::with_container(vec![1, 2]);
    /// assert_eq!(stack.get(), Ok(2));
    /// ```
    #[inline]
    #[must_use]
    pub const fn with_container(container: C) -> Self {
        Self::bounded_with_container(NO_LIMIT, container)
    }

    /// A queue with room for so many items, in an order that is up to the container. What that has in it is in the queue, also
    /// if there is no room for so many. The capacity is as that of [`bounded`](Queue::bounded).
    ///
    /// ```
    /// use futon::{MinHeap, PutError, Queue};
    ///
    /// let queue = Queue::bounded_with_container(2, MinHeap::from_iter([3, 2, 1]));
    /// assert_eq!(queue.try_put(4), Err(PutError::Full(4)));
    /// assert_eq!(queue.get(), Ok(1));
    /// assert_eq!(queue.try_put(4), Err(PutError::Full(4)));
    /// ```
    #[inline]
    #[must_use]
    pub const fn bounded_with_container(capacity: usize, container: C) -> Self {
        let state = Lock::new(State::new(container, capacity));
        Self { outlet: Outlet::new(), inlet: Inlet { state } }
    }

    #[inline]
    fn state(&self) -> LockGuard<'_, State<T, C>> {
        self.inlet.state.acquire_for_a_moment()
    }

    /// The container with what is in the queue, once nobody shares that any more. Where there are two, one of them.
    ///
    /// ```
    /// let queue = futon::Queue::from_iter([1, 2]);
    /// assert_eq!(queue.into_inner(), [1, 2]);
    /// ```
    ///
    /// # Panics
    ///
    /// If the container does, where there are two and what is in one goes to the other.
    #[must_use]
    pub fn into_inner(self) -> C
    where
        C: Container<T>,
    {
        in_order(self.outlet.into_ready(), self.inlet.state.into_inner().container)
    }

    /// For how many items there is room in all. `None` if for any number, as for `usize::MAX`. Python's `maxsize`.
    ///
    /// ```
    /// use futon::Queue;
    ///
    /// assert_eq!(Queue::<u8>::bounded(3).capacity(), Some(3));
    /// assert_eq!(Queue::<u8>::new().capacity(), None);
    /// ```
    #[must_use]
    #[doc(alias = "maxsize")]
    pub fn capacity(&self) -> Option<usize> {
        self.state().limit()
    }

    /// Whether somebody has closed the queue. What was in it then may still be. Python's `is_shutdown`.
    ///
    /// If so, what happened before that is seen. If not, it may be by now: who wants to know asks [`try_put`](Self::try_put) or
    /// [`try_get`](Self::try_get).
    ///
    /// ```
    /// let queue = futon::Queue::from_iter([1]);
    /// queue.close();
    /// assert!(queue.is_closed() && !queue.is_empty());
    /// ```
    #[must_use]
    #[doc(alias = "is_disconnected")]
    #[doc(alias = "is_shutdown")]
    pub fn is_closed(&self) -> bool {
        self.state().is_closed
    }

    /// How many threads wait for an item at this moment.
    ///
    /// What a test waits for when it wants to know that another thread blocks, in the place of a sleep: so many items
    /// that are put in go to the threads that were counted. Sees what they did before they waited. The same holds for the
    /// numbers of other threads that wait.
    ///
    /// ```
    /// use std::thread;
    ///
    /// let queue = futon::Queue::new();
    /// thread::scope(|s| {
    ///     let other = s.spawn(|| queue.get());
    ///     while queue.getters() < 1 {
    ///         thread::yield_now();
    ///     }
    ///     queue.put('a').unwrap();
    ///     assert_eq!((queue.getters(), queue.len()), (0, 0)); // it has got it, running or not
    ///     assert_eq!(other.join().unwrap(), Ok('a'));
    /// });
    /// ```
    #[must_use]
    pub fn getters(&self) -> usize {
        self.state().getters.count()
    }

    /// How many threads wait for room, each with an item, at this moment. These items are not in the queue.
    ///
    /// See [`getters`](Self::getters).
    ///
    /// ```
    /// use std::thread;
    ///
    /// let queue = futon::Queue::bounded(1);
    /// queue.put('a').unwrap();
    /// thread::scope(|s| {
    ///     s.spawn(|| queue.put('b').unwrap());
    ///     while queue.putters() < 1 {
    ///         thread::yield_now();
    ///     }
    ///     assert_eq!((queue.len(), queue.get()), (1, Ok('a')));
    ///     assert_eq!((queue.putters(), queue.len()), (0, 1)); // that get has let the other one in
    /// });
    /// ```
    #[must_use]
    pub fn putters(&self) -> usize {
        self.state().putters.count()
    }

    /// How many threads wait in a [`join`](Self::join) at this moment.
    ///
    /// See [`getters`](Self::getters).
    ///
    /// ```
    /// use std::thread;
    ///
    /// let queue = futon::Queue::from_iter(["work"]);
    /// thread::scope(|s| {
    ///     s.spawn(|| queue.join());
    ///     while queue.joiners() < 1 {
    ///         thread::yield_now();
    ///     }
    ///     queue.task_done().unwrap();
    ///     assert_eq!(queue.joiners(), 0);
    /// });
    /// ```
    #[must_use]
    pub fn joiners(&self) -> usize {
        self.state().joiners.count()
    }

    /// How many threads wait at this moment, for whatever.
    ///
    /// See [`getters`](Self::getters).
    ///
    /// ```
    /// use std::thread;
    ///
    /// let queue = futon::Queue::<u8>::new();
    /// thread::scope(|s| {
    ///     (0..2).for_each(|_| _ = s.spawn(|| assert!(queue.get().is_err())));
    ///     while queue.waiters() < 2 {
    ///         thread::yield_now();
    ///     }
    ///     queue.close();
    ///     assert_eq!(queue.waiters(), 0);
    /// });
    /// ```
    #[must_use]
    pub fn waiters(&self) -> usize {
        let state = self.state();
        state.getters.count() + state.putters.count() + state.joiners.count()
    }
}

impl<T, C> Queue<T, C>
where
    C: Container<T>,
{
    /// Puts an item in. Waits while there is no room.
    ///
    /// Python's `put(item)`.
    ///
    /// ```
    /// use futon::{Closed, Queue};
    ///
    /// let queue = Queue::new();
    /// assert_eq!(queue.put(1), Ok(()));
    /// queue.close();
    /// assert_eq!(queue.put(2), Err(Closed(2)));
    /// ```
    ///
    /// # Errors
    ///
    /// [`Closed`], with the item, if the queue is closed, or is closed before there was room.
    ///
    /// # Panics
    ///
    /// If the container does as it takes the item. Whether it has it is up to the container; a [`MinHeap`] has.
    #[inline]
    #[doc(alias = "send")]
    #[doc(alias = "push")]
    pub fn put(&self, item: T) -> Result<(), Closed<T>> {
        self.put_until(item, || Deadline::NEVER).map_err(|error| Closed(error.into_inner()))
    }

    /// Puts an item in if there is room.
    ///
    /// Waits for nothing but other threads that are in the middle of something at this moment. If the capacity is zero there is
    /// room if a thread waits for an item.
    ///
    /// Python's `put_nowait(item)`, and `put(item, block=False)`.
    ///
    /// ```
    /// use futon::{PutError, Queue};
    ///
    /// let queue = Queue::bounded(1);
    /// assert_eq!(queue.try_put('a'), Ok(()));
    /// assert_eq!(queue.try_put('b'), Err(PutError::Full('b')));
    /// queue.close();
    /// assert_eq!(queue.try_put('c'), Err(PutError::Closed('c')));
    /// ```
    ///
    /// # Errors
    ///
    /// [`PutError::Full`] if there is no room, or others wait for it; [`PutError::Closed`] if the queue is closed. Both
    /// have the item.
    ///
    /// # Panics
    ///
    /// As [`put`](Self::put).
    #[inline]
    #[doc(alias = "put_nowait")]
    #[doc(alias = "try_send")]
    pub fn try_put(&self, item: T) -> Result<(), PutError<T>> {
        self.put_under(self.state(), item)
    }

    /// Puts an item in. Waits while there is no room, for at most `timeout`.
    ///
    /// Never gives up before its time, and looks once more after it. A zero timeout is [`try_put`](Self::try_put);
    /// `Duration::MAX` and everything else beyond the range of the clock is [`put`](Self::put).
    ///
    /// Python's `put(item, timeout=…)`.
    ///
    /// ```
    /// use futon::{PutError, Queue};
    /// use std::time::Duration;
    ///
    /// let queue = Queue::bounded(1);
    /// assert_eq!(queue.put_timeout(1, Duration::from_millis(1)), Ok(()));
    /// assert_eq!(queue.put_timeout(2, Duration::from_millis(1)), Err(PutError::Full(2)));
    /// ```
    ///
    /// # Errors
    ///
    /// [`PutError::Full`] if there was no room in time; [`PutError::Closed`] if the queue is closed or was closed meanwhile.
    /// Both have the item.
    ///
    /// # Panics
    ///
    /// As [`put`](Self::put).
    #[inline]
    #[doc(alias = "send_timeout")]
    pub fn put_timeout(&self, item: T, timeout: Duration) -> Result<(), PutError<T>> {
        self.put_until(item, || Deadline::after(timeout))
    }

    /// Puts an item in. Waits while there is no room, at most until `deadline`.
    ///
    /// As [`put_timeout`](Self::put_timeout), for a limit that several waits share.
    ///
    /// ```
    /// use std::time::{Duration, Instant};
    ///
    /// let queue = futon::Queue::bounded(2);
    /// let deadline = Instant::now() + Duration::from_millis(1);
    /// let put = (1..).take_while(|number| queue.put_deadline(*number, deadline).is_ok());
    /// assert_eq!(put.count(), 2);
    /// ```
    ///
    /// # Errors
    ///
    /// As [`put_timeout`](Self::put_timeout).
    ///
    /// # Panics
    ///
    /// As [`put`](Self::put).
    #[inline]
    #[doc(alias = "send_deadline")]
    pub fn put_deadline(&self, item: T, deadline: Instant) -> Result<(), PutError<T>> {
        self.put_until(item, || Deadline::at(deadline))
    }

    /// Gets an item out. Waits while there is none.
    ///
    /// Python's `get()`.
    ///
    /// ```
    /// use futon::{Closed, Queue};
    ///
    /// let queue = Queue::from_iter([1]);
    /// queue.close();
    /// assert_eq!(queue.get(), Ok(1));
    /// assert_eq!(queue.get(), Err(Closed(())));
    /// ```
    ///
    /// # Errors
    ///
    /// [`Closed`] if the queue is closed and nothing is left in it.
    ///
    /// # Panics
    ///
    /// If the container does as it gives the item out. From a [`MinHeap`] nothing is lost by that.
    #[inline]
    #[doc(alias = "recv")]
    #[doc(alias = "pop")]
    pub fn get(&self) -> Result<T, Closed> {
        self.get_until(|| Deadline::NEVER).map_err(|_| Closed(()))
    }

    /// Gets an item out if there is one.
    ///
    /// Waits for nothing but other threads that are in the middle of something at this moment. If the capacity is zero there
    /// is one if a thread waits with it.
    ///
    /// Python's `get_nowait()`, and `get(block=False)`.
    ///
    /// ```
    /// use futon::{GetError, Queue};
    ///
    /// let queue = Queue::from_iter([1]);
    /// assert_eq!(queue.try_get(), Ok(1));
    /// assert_eq!(queue.try_get(), Err(GetError::Empty));
    /// queue.close();
    /// assert_eq!(queue.try_get(), Err(GetError::Closed));
    /// ```
    ///
    /// # Errors
    ///
    /// [`GetError::Empty`] if there is none at this moment; [`GetError::Closed`] if none will come any more.
    ///
    /// # Panics
    ///
    /// As [`get`](Self::get).
    #[inline]
    #[doc(alias = "get_nowait")]
    #[doc(alias = "try_recv")]
    pub fn try_get(&self) -> Result<T, GetError> {
        self.get_now()
    }

    /// Gets an item out. Waits while there is none, for at most `timeout`.
    ///
    /// Never gives up before its time, and looks once more after it. A zero timeout is [`try_get`](Self::try_get);
    /// `Duration::MAX` and everything else beyond the range of the clock is [`get`](Self::get).
    ///
    /// Python's `get(timeout=…)`.
    ///
    /// ```
    /// use futon::{GetError, Queue};
    /// use std::time::Duration;
    ///
    /// let queue = Queue::from_iter([1]);
    /// assert_eq!(queue.get_timeout(Duration::from_millis(1)), Ok(1));
    /// assert_eq!(queue.get_timeout(Duration::from_millis(1)), Err(GetError::Empty));
    /// ```
    ///
    /// # Errors
    ///
    /// [`GetError::Empty`] if there was none in time; [`GetError::Closed`] if the queue is closed, or was closed meanwhile,
    /// and nothing is left in it.
    ///
    /// # Panics
    ///
    /// As [`get`](Self::get).
    #[inline]
    #[doc(alias = "recv_timeout")]
    pub fn get_timeout(&self, timeout: Duration) -> Result<T, GetError> {
        self.get_until(|| Deadline::after(timeout))
    }

    /// Gets an item out. Waits while there is none, at most until `deadline`.
    ///
    /// As [`get_timeout`](Self::get_timeout), for a limit that several waits share.
    ///
    /// ```
    /// use std::time::{Duration, Instant};
    ///
    /// // All that comes within a millisecond.
    /// let queue = futon::Queue::from_iter([1, 2]);
    /// let deadline = Instant::now() + Duration::from_millis(1);
    /// let mut got = Vec::new();
    /// while let Ok(item) = queue.get_deadline(deadline) {
    ///     got.push(item);
    /// }
    /// assert_eq!(got, [1, 2]);
    /// ```
    ///
    /// # Errors
    ///
    /// As [`get_timeout`](Self::get_timeout).
    ///
    /// # Panics
    ///
    /// As [`get`](Self::get).
    #[inline]
    #[doc(alias = "recv_deadline")]
    pub fn get_deadline(&self, deadline: Instant) -> Result<T, GetError> {
        self.get_until(|| Deadline::at(deadline))
    }

    /// Says that an item is done that was got out of the queue. When all are done, those who [`join`](Self::join) go on.
    ///
    /// Which one is not asked, nor whether it was this thread that got it. Publishes what happened before (`Release`).
    ///
    /// Python's `task_done()`.
    ///
    /// ```
    /// let queue = futon::Queue::from_iter(["work"]);
    /// queue.get().unwrap();
    /// assert!(queue.task_done().is_ok());
    /// assert!(queue.task_done().is_err());
    /// ```
    ///
    /// # Errors
    ///
    /// [`TaskDoneError`] if it is called more often than items have been put in, and not handed back by
    /// [`close_now`](Self::close_now). Then nothing is changed.
    pub fn task_done(&self) -> Result<(), TaskDoneError> {
        let mut state = self.state();
        let released = state.task_done().ok_or(TaskDoneError)?;
        release(state, released);
        Ok(())
    }

    /// Waits until all that was put in is done: until [`task_done`](Self::task_done) has been called as often as items
    /// have been put in.
    ///
    /// Items that [`close_now`](Self::close_now) has handed back are not waited for. What is put in while others are not done yet
    /// is waited for too. Returns at once if nothing was ever put in. A thread that panics between a get and its `task_done`
    /// leaves an item that is never done: this waits for ever then, [`join_timeout`](Self::join_timeout) does not.
    ///
    /// Python's `join()`.
    ///
    /// ```
    /// use futon::Queue;
    /// use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
    /// use std::thread;
    ///
    /// let (queue, sum) = (Queue::new(), AtomicU32::new(0));
    /// thread::scope(|s| {
    ///     s.spawn(|| {
    ///         for number in &queue {
    ///             sum.fetch_add(number, Relaxed);
    ///             queue.task_done().unwrap();
    ///         }
    ///     });
    ///     (1..=10).for_each(|number| queue.put(number).unwrap());
    ///     queue.join();
    ///     assert_eq!(sum.load(Relaxed), 55);
    ///     queue.close();
    /// });
    /// ```
    #[doc(alias = "WaitGroup")]
    pub fn join(&self) {
        self.join_until(Deadline::NEVER);
    }

    /// Waits until all that was put in is done, for at most `timeout`. Returns whether it is.
    ///
    /// Never gives up before its time. With a zero timeout it does not wait; `Duration::MAX` and everything else beyond the
    /// range of the clock is [`join`](Self::join).
    ///
    /// If it is not done it promises no memory ordering. Python's `join` has no limit.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let queue = futon::Queue::from_iter(["work"]);
    /// assert!(!queue.join_timeout(Duration::from_millis(1)));
    /// queue.get().unwrap();
    /// queue.task_done().unwrap();
    /// assert!(queue.join_timeout(Duration::ZERO));
    /// ```
    pub fn join_timeout(&self, timeout: Duration) -> bool {
        self.join_until(Deadline::after(timeout))
    }

    /// Waits until all that was put in is done, at most until `deadline`. Returns whether it is.
    ///
    /// As [`join_timeout`](Self::join_timeout), for a limit that several waits share.
    ///
    /// ```
    /// use futon::Queue;
    /// use std::time::{Duration, Instant};
    ///
    /// let (done, not_done) = (Queue::<&str>::new(), Queue::from_iter(["work"]));
    /// let deadline = Instant::now() + Duration::from_millis(1);
    /// assert!(done.join_deadline(deadline));
    /// assert!(!not_done.join_deadline(deadline));
    /// ```
    pub fn join_deadline(&self, deadline: Instant) -> bool {
        self.join_until(Deadline::at(deadline))
    }

    /// Lets nobody put anything in any more. What is in the queue can still be got.
    ///
    /// Puts fail from now on, also those that wait, and have their items in their errors. Gets fail when nothing is left, also
    /// those that wait. Closing again changes nothing. Publishes what happened before (`Release`).
    ///
    /// Python's `shutdown()`.
    ///
    /// ```
    /// let queue = futon::Queue::from_iter([1, 2]);
    /// queue.close();
    /// assert!(queue.put(3).is_err());
    /// assert_eq!(queue.iter().collect::<Vec<_>>(), [1, 2]);
    /// ```
    #[doc(alias = "shutdown")]
    pub fn close(&self) {
        let mut state = self.state();
        let released = state.close();
        release(state, released);
    }

    /// Closes the queue and hands back what is left in it: nothing can be got any more.
    ///
    /// It is a [`close`](Self::close), also for those who wait. A [`join`](Self::join) does not wait for what is handed back, but
    /// it does for what was got and is not done. Of a queue that was closed before, it hands back what is still there.
    ///
    /// That is the container, whose [`pop`](Container::pop) gives the items in the order of the queue. From the front of a `VecDeque`
    /// so they are anyway. In a `Vec` the newest is the last, and those of a [`MinHeap`] lie in no order.
    ///
    /// Python's `shutdown(immediate=True)`.
    ///
    /// ```
    /// let queue = futon::Queue::from_iter([1, 2]);
    /// assert_eq!(queue.close_now(), [1, 2]);
    /// assert!(queue.get().is_err());
    /// queue.join();
    /// ```
    ///
    /// # Panics
    ///
    /// As [`into_inner`](Self::into_inner). Then the queue is closed all the same.
    #[doc(alias = "shutdown")]
    pub fn close_now(&self) -> C
    where
        C: Default,
    {
        let mut ready = self.outlet.acquire();
        let mut state = self.state();
        let (first, rest, released) = state.close_now(&self.outlet, &mut ready);
        release((ready, state), released);
        in_order(first, rest)
    }

    /// How many items are in the queue at this moment. Python's `qsize()`.
    ///
    /// Those are not counted that others wait with, for room. May be out of date before it is returned: fit for a test or a log. Who
    /// wants an item calls [`try_get`](Self::try_get). Promises no memory ordering.
    ///
    /// ```
    /// assert_eq!(futon::Queue::from_iter([1, 2]).len(), 2);
    /// ```
    #[must_use]
    #[doc(alias = "qsize")]
    pub fn len(&self) -> usize {
        self.state().len(&self.outlet)
    }

    /// Whether nothing is in the queue at this moment: [`len`](Self::len) is zero. Python's `empty()`.
    ///
    /// ```
    /// let queue = futon::Queue::from_iter([1]);
    /// assert!(!queue.is_empty());
    /// queue.get().unwrap(); // from here on it is empty, though not done
    /// assert!(queue.is_empty() && !queue.join_timeout(std::time::Duration::ZERO));
    /// ```
    #[must_use]
    #[doc(alias = "empty")]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether there is no room in the queue at this moment: [`len`](Self::len) is its capacity, or more. Python's `full()`.
    ///
    /// So a queue without room always is. Who has an item calls [`try_put`](Self::try_put). Promises no memory ordering.
    ///
    /// ```
    /// let queue = futon::Queue::bounded(1);
    /// assert!(!queue.is_full());
    /// queue.put('a').unwrap();
    /// assert!(queue.is_full());
    /// ```
    #[must_use]
    #[doc(alias = "full")]
    pub fn is_full(&self) -> bool {
        self.state().is_full(&self.outlet)
    }

    /// Gets one item after the other, each when it is asked for one, until the queue is closed and nothing is left.
    ///
    /// So is `for item in &queue`. Waits, and panics, as [`get`](Self::get).
    ///
    /// ```
    /// let queue = futon::Queue::from_iter("abc".chars());
    /// queue.close();
    /// assert!(queue.iter().eq("abc".chars()));
    /// ```
    pub fn iter(&self) -> QueueIter<'_, T, C> {
        QueueIter::new(self)
    }
}

/// What comes first, and behind it the rest.
fn in_order<T, C: Container<T>>(first: Option<C>, mut rest: C) -> C {
    let Some(mut first) = first.filter(|first| first.len() > 0) else { return rest };
    while let Some(item) = rest.pop() {
        first.push(item);
    }
    first
}

// An item goes in and out as a whole. A container that panics is called again all the same, as those that are called by other
// threads are.
impl<T, C> UnwindSafe for Queue<T, C> {}
impl<T, C> RefUnwindSafe for Queue<T, C> {}

/// Without a limit.
impl<T, C: Default> Default for Queue<T, C> {
    fn default() -> Self {
        Self::with_container(C::default())
    }
}

/// Without a limit.
impl<T, C: Container<T>> From<C> for Queue<T, C> {
    fn from(container: C) -> Self {
        Self::with_container(container)
    }
}

/// Without a limit. First in, first out.
impl<T> FromIterator<T> for Queue<T> {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        Self::with_container(items.into_iter().collect())
    }
}

/// Shows how many items there are and how many are not done, or `<locked>`. Never waits, and shows no item.
impl<T, C: Container<T>> fmt::Debug for Queue<T, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut queue = f.debug_struct("Queue");
        // Not under the lock: what is written to may itself use the queue.
        let seen = self.inlet.state.try_acquire().map(|mut state| {
            (state.len(&self.outlet), state.limit(), state.unfinished(), state.is_closed)
        });
        match &seen {
            Some((len, capacity, unfinished, is_closed)) => queue
                .field("len", len)
                .field("capacity", capacity)
                .field("unfinished", unfinished)
                .field("is_closed", is_closed),
            None => queue.field("len", &format_args!("<locked>")),
        };
        queue.finish()
    }
}
