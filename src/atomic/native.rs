//! The machine's own atomics, clock and threads.

use std::cell::Cell;
use std::ptr;

pub use core::hint::spin_loop;
pub use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};
pub use std::thread::yield_now;
pub use std::time::Instant;

/// A number for the calling thread that no other thread of this process has, had or will have.
///
/// Never zero. Unlike the address of a thread-local or the id that the system gives, it is not given
/// again after the thread has ended. It may be asked for in the destructor of a thread-local too.
///
/// As std's `ThreadId`, but a number that fits into an atomic. Python's `get_ident` is given again. Orders nothing.
///
/// ```
/// use futon::atomic::thread_id;
/// use std::thread;
///
/// let other = thread::spawn(thread_id).join().unwrap();
/// assert_ne!(thread_id(), other);
/// assert_eq!(thread_id(), thread_id());
/// ```
#[inline]
#[must_use]
#[doc(alias = "ThreadId")]
#[doc(alias = "get_ident")]
pub fn thread_id() -> u64 {
    thread_local! {
        // Constant and without a destructor: such a value can be read for as long as the thread runs.
        static ID: Cell<u64> = const { Cell::new(0) };
    }
    ID.with(|id| match id.get() {
        0 => {
            static LAST: AtomicU64 = AtomicU64::new(0);
            // ORDERING: Relaxed, because each RMW gives another number and nothing hangs on their order.
            // A thread a nanosecond would take five centuries to run out of them.
            id.set(LAST.fetch_add(1, Ordering::Relaxed) + 1);
            id.get()
        }
        id => id,
    })
}

/// A number for a word that no other word has, and that stays while the word is where it is: its address.
#[inline]
pub(crate) fn rank(word: &AtomicU32) -> usize {
    ptr::from_ref(word).addr()
}
