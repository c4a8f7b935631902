//! Where each thread writes what it does and has done, for others to read.

use std::fmt;
use std::sync::atomic::{AtomicI32, AtomicU64, AtomicUsize, Ordering::Relaxed};

/// What a thread may be doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum Doing {
    Nothing,
    Pause,
    Acquire,
    TryAcquire,
    AcquireTimeout,
    AcquireDeadline,
    Release,
    ReleaseFair,
    Unlocked,
    Set,
    Clear,
    Wait,
    WaitTimeout,
    WaitDeadline,
    WaitWhile,
    WaitTimeoutWhile,
    Notify,
    Abort,
    Reset,
    Put,
    TryPut,
    PutTimeout,
    PutDeadline,
    Get,
    TryGet,
    GetTimeout,
    GetDeadline,
    Join,
    JoinTimeout,
    JoinDeadline,
    Next,
    TryNext,
    NextTimeout,
    NextDeadline,
    NextChunk,
    Puller,
    SizeHint,
    Stop,
    Cancel,
    Work,
    ParMap,
    ParForEach,
}

/// What [`Doing`] is called, in its order.
const NAMES: [&str; 42] = [
    "nothing",
    "pause",
    "acquire",
    "try_acquire",
    "acquire_timeout",
    "acquire_deadline",
    "release",
    "release_fair",
    "unlocked",
    "set",
    "clear",
    "wait",
    "wait_timeout",
    "wait_deadline",
    "wait_while",
    "wait_timeout_while",
    "notify",
    "abort",
    "reset",
    "put",
    "try_put",
    "put_timeout",
    "put_deadline",
    "get",
    "try_get",
    "get_timeout",
    "get_deadline",
    "join",
    "join_timeout",
    "join_deadline",
    "next",
    "try_next",
    "next_timeout",
    "next_deadline",
    "next_chunk",
    "puller",
    "size_hint",
    "stop",
    "cancel",
    "work",
    "par_map",
    "par_for_each",
];

/// One thread's part of the board.
#[derive(Default)]
#[repr(align(128))]
pub struct Post {
    /// The system's number of the thread, 0 while there is none.
    thread: AtomicI32,
    life: AtomicUsize,
    doing: AtomicUsize,
    operations: AtomicU64,
    timeouts: AtomicU64,
    panics: AtomicU64,
}

impl Post {
    /// A thread begins.
    pub fn enter(&self, life: usize) {
        self.life.store(life, Relaxed);
        // SAFETY: takes nothing, and always succeeds.
        self.thread.store(unsafe { libc::gettid() }, Relaxed);
    }

    /// The thread ends.
    pub fn leave(&self) {
        self.thread.store(0, Relaxed);
    }

    pub fn set(&self, doing: Doing) {
        self.doing.store(doing as usize, Relaxed);
    }

    pub fn count_operation(&self) {
        self.operations.fetch_add(1, Relaxed);
    }

    pub fn count_timeout(&self) {
        self.timeouts.fetch_add(1, Relaxed);
    }

    pub fn count_panic(&self) {
        self.panics.fetch_add(1, Relaxed);
    }

    pub fn counts(&self) -> Counts {
        Counts {
            operations: self.operations.load(Relaxed),
            timeouts: self.timeouts.load(Relaxed),
            panics: self.panics.load(Relaxed),
            ..Counts::default()
        }
    }

    /// Interrupts the thread, whatever it waits for. False if there is none, or it has ended.
    pub fn signal(&self) -> bool {
        let thread = self.thread.load(Relaxed);
        if thread == 0 {
            return false;
        }
        // SAFETY: the handler does nothing. A thread that has ended meanwhile is not found, and the signal of
        // one that has its number now is handled in the same way.
        unsafe { libc::syscall(libc::SYS_tgkill, libc::getpid(), thread, libc::SIGUSR1) == 0 }
    }
}

impl fmt::Display for Post {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (life, doing) = (self.life.load(Relaxed) + 1, NAMES[self.doing.load(Relaxed)]);
        let operations = self.operations.load(Relaxed);
        match self.thread.load(Relaxed) {
            0 => write!(f, "has ended after {operations} operations"),
            thread => write!(f, "{doing} (thread {thread}, the {life}. here, {operations} operations)"),
        }
    }
}

/// What has happened so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub rounds: u64,
    pub operations: u64,
    pub timeouts: u64,
    pub panics: u64,
    pub signals: u64,
}

impl std::ops::AddAssign for Counts {
    fn add_assign(&mut self, more: Self) {
        self.rounds += more.rounds;
        self.operations += more.operations;
        self.timeouts += more.timeouts;
        self.panics += more.panics;
        self.signals += more.signals;
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rounds, operations, timeouts, panics, signals } = self;
        write!(f, "{rounds:>7} rounds {operations:>10} operations {timeouts:>8} timeouts ")?;
        write!(f, "{panics:>7} panics {signals:>7} signals")
    }
}
