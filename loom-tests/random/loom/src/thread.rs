//! Threads: those of shuttle, which also say what is ordered before what.

use std::cell::Cell;
use std::rc::Rc;

use crate::memory::{self, View};

/// The number of the calling thread, from zero.
pub(crate) fn me() -> usize {
    shuttle::current::me().into()
}

/// A thread that can be unparked.
#[derive(Clone, Debug)]
pub struct Thread {
    thread: shuttle::thread::Thread,
    token: Token,
}

/// Whether a thread has been unparked.
type Token = Rc<Cell<bool>>;

/// What goes from one thread to another, whatever it is.
struct Sent<T>(T);

// SAFETY: the threads of an execution take turns on one thread of the system, and no value leaves that.
unsafe impl<T> Send for Sent<T> {}

impl<T> Sent<T> {
    fn get(self) -> T {
        self.0
    }
}

shuttle::thread_local! {
    static TOKEN: Token = Token::default();
}

/// The calling thread.
pub fn current() -> Thread {
    Thread { thread: shuttle::thread::current(), token: TOKEN.with(Clone::clone) }
}

impl Thread {
    /// Lets the thread return from [`park`]. It orders nothing, as a wake in the kernel, and is no step of its own.
    pub fn unpark(&self) {
        self.token.set(true);
        memory::without_steps(|| self.thread.unpark());
    }
}

/// Blocks until the calling thread is unparked, and never returns for no reason.
pub fn park() {
    let token = TOKEN.with(Clone::clone);
    while !token.replace(false) {
        shuttle::thread::park();
    }
}

/// Lets another thread go on.
pub fn yield_now() {
    shuttle::thread::yield_now();
    memory::give_way();
}

/// A thread that can be waited for.
pub struct JoinHandle<T> {
    thread: shuttle::thread::JoinHandle<Sent<(T, View)>>,
}

/// Starts a thread. What has happened before is ordered before all that it does.
pub fn spawn<T: 'static>(f: impl FnOnce() -> T + 'static) -> JoinHandle<T> {
    let (before, f) = (memory::view(), Sent(f));
    let thread = shuttle::thread::spawn(move || {
        memory::learn(&before);
        let result = f.get()();
        Sent((result, memory::view()))
    });
    JoinHandle { thread }
}

impl<T> JoinHandle<T> {
    /// Waits until the thread has ended. All that it did is ordered before what follows.
    pub fn join(self) -> std::thread::Result<T> {
        self.thread.join().map(|Sent((result, view))| {
            memory::learn(&view);
            result
        })
    }
}
