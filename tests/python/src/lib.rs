//! futon for Python's `ctypes`: C functions, each of which is one call of futon and what has to be kept for it.
//!
//! Python knows a primitive by its address: a `Box` that `…_new` gives away and `…_free` takes back; in
//! between, any thread calls with `&`. A timeout is the address of a number of seconds, at least zero and at most
//! as many as `threading.TIMEOUT_MAX`, or null, which is for ever.
//!
//! In Rust a guard releases, in Python a method of the lock does. So a guard is kept beside its lock from the one
//! call to the other. An item of a queue is a number here, and its object stays in Python. That is all that is added: what
//! waits, counts and decides is futon.
//!
//! A function without mangling must not have the name of another one in the process: these begin with `futon_`.

mod barrier;
mod condition;
mod event;
mod lock;
mod queue;
mod rlock;
mod semaphore;

use std::panic::{self, AssertUnwindSafe};
use std::time::Duration;

/// What C is told.
#[repr(u8)]
#[derive(Clone, Copy)]
pub enum Answer {
    /// The time has run out, or the condition does not hold, or the queue is full or empty.
    No = 0,
    /// It was notified, or the condition holds, or the item was put in or got.
    Yes = 1,
    /// Nothing was done: the lock is not taken, or not by this thread.
    NotAcquired = 2,
    /// A function of Python's has raised an exception.
    Raised = 3,
    /// Nothing was done: the queue is closed.
    Closed = 4,
}

impl From<bool> for Answer {
    fn from(yes: bool) -> Self {
        if yes { Self::Yes } else { Self::No }
    }
}

/// A function of Python's: false, true, or it has raised an exception. An [`Answer`], if it is one.
type Callback = extern "C" fn() -> u8;

/// The panic that stands for an exception.
struct Exception;

/// Asks a function of Python's. If it raises an exception, that is a panic here, to pass through futon.
fn ask(callback: Callback) -> bool {
    match callback() {
        0 => false,
        1 => true,
        // The hook is not called: Python is to say what has happened.
        _ => panic::resume_unwind(Box::new(Exception)),
    }
}

/// Runs what may [`ask`]. `None` if there was an exception. Any other panic goes on, and ends the process.
fn catch_exception<R>(f: impl FnOnce() -> R) -> Option<R> {
    // What is unwound through is futon's, and stands it.
    match panic::catch_unwind(AssertUnwindSafe(f)) {
        Ok(result) => Some(result),
        Err(panic) if panic.is::<Exception>() => None,
        Err(panic) => panic::resume_unwind(panic),
    }
}

/// What Python may give to any of its threads, each of which may free it.
fn new<T: Send + Sync>(value: T) -> Box<T> {
    Box::new(value)
}

fn seconds(seconds: &f64) -> Duration {
    Duration::from_secs_f64(*seconds)
}
