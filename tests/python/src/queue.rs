//! The queues. Their items are numbers, under each of which Python keeps an object.

use std::any::Any;
use std::cmp::Ordering;
use std::mem;
use std::panic::{self, AssertUnwindSafe};
use std::thread;

use futon::{GetError, LifoQueue, MinHeap, PriorityQueue, PutError};

use crate::{Answer, new, seconds};

/// A function of Python's that says whether the object of the first number is less than that of the second: false, true, or
/// it has raised an exception, whose number it has left in the third.
type IsLess = extern "C" fn(u64, u64, &mut u64) -> u8;

/// The panic that stands for an exception, with its number: it may go on in another thread than that which has compared.
struct Exception(u64);

/// What is in a queue.
struct Item {
    number: u64,
    /// None where nothing is compared.
    is_less: Option<IsLess>,
}

impl Ord for Item {
    fn cmp(&self, other: &Self) -> Ordering {
        match () {
            () if self < other => Ordering::Less,
            () if other < self => Ordering::Greater,
            () => Ordering::Equal,
        }
    }
}

impl PartialOrd for Item {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }

    // Python's objects know this alone, and its own heap asks for nothing else.
    fn lt(&self, other: &Self) -> bool {
        let is_less = self.is_less.expect("only in a queue that compares");
        let mut exception = 0;
        match is_less(self.number, other.number, &mut exception) {
            0 => false,
            1 => true,
            // The hook is not called: Python is to say what has happened.
            _ => panic::resume_unwind(Box::new(Exception(exception))),
        }
    }
}

impl PartialEq for Item {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Item {}

/// A queue with one of the three orders.
enum Items {
    /// Made by `Queue`.
    Fifo(futon::Queue<Item>),
    /// Made by `LifoQueue`.
    Lifo(LifoQueue<Item>),
    /// Made by `PriorityQueue`.
    Priority(PriorityQueue<Item>),
}

/// Does the same with a queue of whatever order.
macro_rules! with {
    ($items:expr, $queue:ident => $result:expr) => {
        match $items {
            Items::Fifo($queue) => $result,
            Items::Lifo($queue) => $result,
            Items::Priority($queue) => $result,
        }
    };
}

/// A queue, with what its items are compared by.
pub struct Queue {
    items: Items,
    is_less: Option<IsLess>,
}

/// A queue of futon's, where a capacity of zero is Python's: there is no limit.
fn with_capacity<C>(capacity: usize, container: C) -> futon::Queue<Item, C> {
    match capacity {
        0 => futon::Queue::with_container(container),
        _ => futon::Queue::bounded_with_container(capacity, container),
    }
}

/// The answer, or that a comparison has raised an exception, and its number. Any other panic goes on, and ends the process.
fn catch_exception(number: &mut u64, f: impl FnOnce() -> Answer) -> Answer {
    // What is unwound through is futon's, and stands it.
    panic::catch_unwind(AssertUnwindSafe(f)).unwrap_or_else(|panic: Box<dyn Any + Send>| {
        let Exception(exception) =
            *panic.downcast().unwrap_or_else(|panic| panic::resume_unwind(panic));
        *number = exception;
        Answer::Raised
    })
}

fn put(
    queue: &Queue,
    number: &mut u64,
    put: impl FnOnce(&Items, Item) -> Result<(), PutError<Item>>,
) -> Answer {
    let item = Item { number: *number, is_less: queue.is_less };
    catch_exception(number, || match put(&queue.items, item) {
        Ok(()) => Answer::Yes,
        Err(PutError::Full(_)) => Answer::No,
        Err(PutError::Closed(_)) => Answer::Closed,
    })
}

fn get(queue: &Queue, number: &mut u64, get: impl FnOnce(&Items) -> Result<Item, GetError>) -> Answer {
    let mut got = 0;
    let answer = catch_exception(number, || match get(&queue.items) {
        Ok(item) => {
            got = item.number;
            Answer::Yes
        }
        Err(GetError::Empty) => Answer::No,
        Err(GetError::Closed) => Answer::Closed,
    });
    if let Answer::Yes = answer {
        *number = got;
    }
    answer
}

/// `Queue(capacity)`
#[unsafe(no_mangle)]
pub extern "C" fn futon_queue_new(capacity: usize) -> Box<Queue> {
    new(Queue { items: Items::Fifo(with_capacity(capacity, Default::default())), is_less: None })
}

/// `LifoQueue(capacity)`
#[unsafe(no_mangle)]
pub extern "C" fn futon_queue_new_lifo(capacity: usize) -> Box<Queue> {
    new(Queue { items: Items::Lifo(with_capacity(capacity, Vec::new())), is_less: None })
}

/// `PriorityQueue(capacity)`
#[unsafe(no_mangle)]
pub extern "C" fn futon_queue_new_priority(capacity: usize, is_less: IsLess) -> Box<Queue> {
    let items = Items::Priority(with_capacity(capacity, MinHeap::new()));
    new(Queue { items, is_less: Some(is_less) })
}

/// The end of it, and of what is in it.
#[unsafe(no_mangle)]
pub extern "C" fn futon_queue_free(_: Option<Box<Queue>>) {}

/// `put(item, True, timeout)`
///
/// If a comparison has raised an exception, `number` is the one of that.
#[unsafe(no_mangle)]
pub extern "C" fn futon_queue_put(queue: &Queue, number: &mut u64, timeout: Option<&f64>) -> Answer {
    put(queue, number, |items, item| {
        with!(items, queue => match timeout {
            Some(timeout) => queue.put_timeout(item, seconds(timeout)),
            None => queue.put(item).map_err(PutError::from),
        })
    })
}

/// `put(item, False)`
#[unsafe(no_mangle)]
pub extern "C" fn futon_queue_try_put(queue: &Queue, number: &mut u64) -> Answer {
    put(queue, number, |items, item| with!(items, queue => queue.try_put(item)))
}

/// `get(True, timeout)`
///
/// Leaves the item in `number`, or the exception that a comparison has raised.
#[unsafe(no_mangle)]
pub extern "C" fn futon_queue_get(queue: &Queue, number: &mut u64, timeout: Option<&f64>) -> Answer {
    get(queue, number, |items| {
        with!(items, queue => match timeout {
            Some(timeout) => queue.get_timeout(seconds(timeout)),
            None => queue.get().map_err(GetError::from),
        })
    })
}

/// `get(False)`
#[unsafe(no_mangle)]
pub extern "C" fn futon_queue_try_get(queue: &Queue, number: &mut u64) -> Answer {
    get(queue, number, |items| with!(items, queue => queue.try_get()))
}

/// `task_done()`, or false if that is too much
#[unsafe(no_mangle)]
pub extern "C" fn futon_queue_task_done(queue: &Queue) -> bool {
    with!(&queue.items, queue => queue.task_done().is_ok())
}

/// `join()`
#[unsafe(no_mangle)]
pub extern "C" fn futon_queue_join(queue: &Queue) {
    with!(&queue.items, queue => queue.join());
}

/// `shutdown()`
#[unsafe(no_mangle)]
pub extern "C" fn futon_queue_close(queue: &Queue) {
    with!(&queue.items, queue => queue.close());
}

/// `shutdown(True)`, which hands back what is left in it
#[unsafe(no_mangle)]
pub extern "C" fn futon_queue_close_now(queue: &Queue, hand_back: extern "C" fn(u64)) {
    let items: Vec<Item> = match &queue.items {
        Items::Fifo(queue) => queue.close_now().into(),
        Items::Lifo(queue) => queue.close_now(),
        Items::Priority(queue) => queue.close_now().into_vec(),
    };
    items.into_iter().for_each(|item| hand_back(item.number));
}

/// `is_shutdown`
#[unsafe(no_mangle)]
pub extern "C" fn futon_queue_is_closed(queue: &Queue) -> bool {
    with!(&queue.items, queue => queue.is_closed())
}

/// `qsize()`
#[unsafe(no_mangle)]
pub extern "C" fn futon_queue_len(queue: &Queue) -> usize {
    with!(&queue.items, queue => queue.len())
}

/// `full()`
#[unsafe(no_mangle)]
pub extern "C" fn futon_queue_is_full(queue: &Queue) -> bool {
    with!(&queue.items, queue => queue.is_full())
}

/// `unfinished_tasks`, which is said by what is shown of the queue, and by nothing else.
#[unsafe(no_mangle)]
pub extern "C" fn futon_queue_unfinished(queue: &Queue) -> usize {
    loop {
        let shown = with!(&queue.items, queue => format!("{queue:?}"));
        if let Some((_, from_there)) = shown.split_once("unfinished: ") {
            let number = from_there.split(',').next().and_then(|number| number.parse().ok());
            return number.expect("a number of items");
        }
        // What is shown waits for nobody, and somebody was in the middle of something.
        thread::yield_now();
    }
}

/// How many threads wait.
#[unsafe(no_mangle)]
pub extern "C" fn futon_queue_waiters(queue: &Queue) -> usize {
    with!(&queue.items, queue => queue.waiters())
}

/// `maxsize = capacity`, with a new queue in the place of the old one, for nobody but the caller to use meanwhile. False if
/// the new one would not be as the old one is: that is closed, threads wait, or not all that has left it is done.
#[unsafe(no_mangle)]
pub extern "C" fn futon_queue_set_capacity(queue: &mut Queue, capacity: usize) -> bool {
    let is_at_rest = futon_queue_waiters(queue) == 0 && !futon_queue_is_closed(queue);
    if !is_at_rest || futon_queue_unfinished(queue) != futon_queue_len(queue) {
        return false;
    }
    with!(&mut queue.items, queue => {
        let container = mem::take(queue).into_inner();
        *queue = with_capacity(capacity, container);
    });
    true
}
