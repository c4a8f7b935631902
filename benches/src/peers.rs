//! The peers, brought to one shape: what a benchmark asks of a mutex, a semaphore and so on, and each
//! peer's way of doing it. Everything is inlined; what is measured is the peer.

pub mod barriers;
pub mod conditions;
pub mod events;
pub mod mutexes;
pub mod pipelines;
pub mod queues;
pub mod reentrant;
pub mod semaphores;
pub mod signals;

use std::sync::atomic::{AtomicU32, Ordering::*};

/// A futex and nothing else: the limit for whatever sleeps.
#[derive(Default)]
pub struct Futex(pub AtomicU32);

impl Futex {
    /// Until the word is another one.
    pub fn wait(&self, expected: u32) {
        while self.0.load(Acquire) == expected {
            self.call(libc::FUTEX_WAIT, expected);
        }
    }

    /// Stores, and wakes so many.
    pub fn set(&self, value: u32, wake: u32) {
        self.0.store(value, Release);
        self.call(libc::FUTEX_WAKE, wake);
    }

    fn call(&self, operation: i32, value: u32) {
        let no_timeout = std::ptr::null::<libc::timespec>();
        let operation = operation | libc::FUTEX_PRIVATE_FLAG;
        // SAFETY: the word is valid for as long as the call takes.
        unsafe { libc::syscall(libc::SYS_futex, self.0.as_ptr(), operation, value, no_timeout) };
    }
}

/// All that wait.
pub const ALL: u32 = i32::MAX as u32;
