//! Who has a re-entrant lock, and how many levels of it: [`RawLock`] with an owner, no data.
//!
//! # The state
//!
//! | field   | is                                            | written by             | read by           |
//! |---------|-----------------------------------------------|------------------------|-------------------|
//! | `raw`   | the lock, and who waits for it                | all                    | all               |
//! | `id`    | the number of the thread that has it, else 0  | the thread that has it | all               |
//! | `depth` | how many levels that thread has, else 0       | the thread that has it | that thread alone |
//!
//! |           | `id` is this thread's                               | `id` is 0 or another's                     |
//! |-----------|-----------------------------------------------------|--------------------------------------------|
//! | acquire   | `depth` + 1                                         | acquires `raw`; then `id` = me, `depth` = 1 |
//! | release   | `depth` − 1; at 0: `id` = 0, then releases `raw`    | –                                          |
//! | `suspend` | `depth` = 0, `id` = 0                               | –                                          |
//! | `resume`  | –                                                   | with `raw`: `id` = me, `depth` as before   |
//!
//! # The invariant
//!
//! * **Who stands in `id` has `raw`.** It is written after `raw` was taken, and cleared before `raw` is
//!   released: later it would be the next owner that is cleared away.
//! * **A thread that reads its own number has the lock.** Nobody else ever stores that number. So it was this
//!   thread, and what it has stored after that (the 0 of a release) it would have read instead.
//! * **A thread that has the lock reads its own number**: what it has stored last, since nobody else writes.
//!   What others read while the lock changes hands is one number or another, and never their own.
//! * **A number is not given again** when its thread has ended. If that one has leaked a guard, the lock stays
//!   taken and no new thread takes itself for the owner.

use core::cell::Cell;
use core::panic::RefUnwindSafe;
use core::time::Duration;

use crate::atomic::{AtomicU64, Ordering::Relaxed, thread_id};
use crate::deadline::Deadline;
use crate::raw_lock::RawLock;
use crate::widths::MOST;

/// No thread has this number.
const NOBODY: u64 = 0;
/// How many levels a thread can have.
const MAX_DEPTH: u32 = MOST;

/// A re-entrant lock without a value. Public in name only: the trait of the guards that a condition takes names it.
pub struct Owner {
    raw: RawLock,
    depth: Cell<u32>,
    id: AtomicU64,
}

// SAFETY: `depth` is the one field that is not made for several threads. Only a thread that has `raw`
// touches it, and having `raw` orders one such thread after the other.
unsafe impl Sync for Owner {}
// Nothing here is half done when a panic passes.
impl RefUnwindSafe for Owner {}

impl Owner {
    pub(super) const fn new() -> Self {
        Self { raw: RawLock::new(), depth: Cell::new(0), id: AtomicU64::new(NOBODY) }
    }

    /// Whether the calling thread has the lock.
    #[inline]
    pub(super) fn is_me(&self) -> bool {
        self.is(thread_id())
    }

    #[inline]
    fn is(&self, me: u64) -> bool {
        // ORDERING: Relaxed. It is only compared with the number that the calling thread itself may have
        // stored in `set`, and a thread sees its own stores in order. See the invariant.
        self.id.load(Relaxed) == me
    }

    #[inline]
    fn set(&self, id: u64, depth: u32) {
        // ORDERING: Relaxed, as in `is`. That the stores of two threads take place one after the other
        // follows from the Release and the Acquire of `raw`, which lie between them.
        self.id.store(id, Relaxed);
        self.depth.set(depth);
    }

    /// How many levels the calling thread has.
    #[inline]
    pub(crate) fn depth(&self) -> u32 {
        if self.is_me() { self.depth.get() } else { 0 }
    }

    /// The lock itself, for those who wait for it or count its waiters.
    #[inline]
    pub(crate) fn raw(&self) -> &RawLock {
        &self.raw
    }

    #[inline]
    #[track_caller]
    pub(super) fn acquire(&self) {
        self.enter(|raw| {
            raw.acquire();
            true
        });
    }

    #[inline]
    #[track_caller]
    pub(crate) fn try_acquire(&self) -> bool {
        self.enter(RawLock::try_acquire)
    }

    #[inline]
    #[track_caller]
    pub(super) fn acquire_timeout(&self, timeout: Duration) -> bool {
        self.enter(|raw| raw.acquire_timeout(timeout))
    }

    #[inline]
    #[track_caller]
    pub(crate) fn acquire_until(&self, deadline: Deadline) -> bool {
        self.enter(|raw| raw.acquire_until(deadline))
    }

    /// One level more: the first one if `take` takes the lock.
    #[inline]
    #[track_caller]
    fn enter(&self, take: impl FnOnce(&RawLock) -> bool) -> bool {
        let me = thread_id();
        if self.is(me) {
            let depth = self.depth.get();
            if depth == MAX_DEPTH {
                too_deep();
            }
            self.depth.set(depth + 1);
            return true;
        }
        let taken = take(&self.raw);
        if taken {
            self.set(me, 1);
        }
        taken
    }

    /// Gives up one level, which the calling thread has.
    #[inline]
    pub(crate) fn release(&self) {
        if self.leave() {
            self.raw.release();
        }
    }

    /// Gives up one level, and if it is the last one, the lock to a thread that waits.
    #[inline]
    pub(super) fn release_fair(&self) {
        if self.leave() {
            self.raw.release_fair();
        }
    }

    /// One level less. Whether it was the last, so that `raw` is to be released now.
    #[inline]
    fn leave(&self) -> bool {
        let depth = self.depth.get() - 1;
        if depth == 0 {
            self.suspend();
        } else {
            self.depth.set(depth);
        }
        depth == 0
    }

    /// Makes nobody the owner and returns how many levels the calling thread had, all of which it gives up.
    ///
    /// `raw` stays taken: it is for the caller to release.
    #[inline]
    pub(crate) fn suspend(&self) -> u32 {
        let depth = self.depth.get();
        self.set(NOBODY, 0);
        depth
    }

    /// Makes the calling thread, which has just taken `raw`, the owner of so many levels again.
    #[inline]
    pub(crate) fn resume(&self, depth: u32) {
        self.set(thread_id(), depth);
    }
}

#[cold]
#[track_caller]
fn too_deep() -> ! {
    panic!("a thread acquires an RLock once more that it has {MAX_DEPTH} times, which is the maximum");
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;

    /// H30.
    #[test]
    fn one_level_above_the_maximum_panics_and_changes_nothing() {
        let most = if cfg!(futon_narrow) { 255 } else { 4_294_967_295 };
        let owner = Owner::new();
        assert!(owner.try_acquire());
        owner.set(thread_id(), most - 1);
        assert!(owner.try_acquire());
        assert_eq!(owner.depth(), most);
        let ways: [fn(&Owner); 4] = [
            |owner| owner.acquire(),
            |owner| _ = owner.try_acquire(),
            |owner| _ = owner.acquire_timeout(Duration::ZERO),
            |owner| _ = owner.acquire_until(Deadline::NEVER),
        ];
        for way in ways {
            let panic = catch_unwind(AssertUnwindSafe(|| way(&owner))).unwrap_err();
            let message = panic.downcast_ref::<String>().unwrap();
            let said = format!("{most} times, which is the maximum");
            assert!(message.contains(&said), "{message}");
            assert_eq!(owner.depth(), most);
            assert!(owner.raw().is_locked());
        }
        owner.release();
        assert_eq!(owner.depth(), most - 1);
        owner.set(thread_id(), 1);
        owner.release();
        assert_eq!(owner.depth(), 0);
        assert!(!owner.raw().is_locked());
    }

    #[test]
    fn a_thread_that_suspends_has_no_level_until_it_resumes() {
        let owner = Owner::new();
        assert!((0..3).all(|_| owner.try_acquire()));
        assert_eq!(owner.suspend(), 3);
        assert!(!owner.is_me());
        assert_eq!(owner.depth(), 0);
        assert!(owner.raw().is_locked());
        owner.raw().release();

        assert!(owner.raw().try_acquire());
        owner.resume(3);
        assert!(owner.is_me());
        assert_eq!(owner.depth(), 3);
        for depth in (0..3).rev() {
            owner.release();
            assert_eq!(owner.depth(), depth);
            assert_eq!(owner.raw().is_locked(), depth > 0);
        }
    }
}
