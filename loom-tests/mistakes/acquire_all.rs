//! Ways to take two locks at once that are wrong, and the smallest one that is right.

use std::ptr;
use std::time::Duration;

use futon_model::atomic::yield_now;

use crate::lock::{RawLock, ThreeStates, TimedLock};

/// Takes two locks.
pub trait Both: 'static {
    /// Whether it has them. Not if that is one lock, given twice.
    fn acquire(locks: [&ThreeStates; 2]) -> bool;
}

/// Takes two locks, or none if the time is over.
pub trait BothInTime: 'static {
    fn acquire_timeout(locks: [&ThreeStates; 2], limit: Duration) -> bool;
}

/// The right one: all threads begin with the lock that has the lower address. Who gives up has none.
pub struct ByAddress;

impl ByAddress {
    fn sort(locks: &mut [&ThreeStates; 2]) {
        locks.sort_by_key(|lock| ptr::from_ref(*lock).addr());
    }
}

impl Both for ByAddress {
    fn acquire(mut locks: [&ThreeStates; 2]) -> bool {
        if ptr::eq(locks[0], locks[1]) {
            return false;
        }
        Self::sort(&mut locks);
        locks.iter().for_each(|lock| lock.acquire());
        true
    }
}

impl BothInTime for ByAddress {
    fn acquire_timeout(mut locks: [&ThreeStates; 2], limit: Duration) -> bool {
        Self::sort(&mut locks);
        if !locks[0].acquire_timeout(limit) {
            return false;
        }
        let has_both = locks[1].acquire_timeout(limit);
        if !has_both {
            locks[0].release();
        }
        has_both
    }
}

/// Tempting: from this account to that one, so this one is locked first.
///
/// Wrong: 1. A wants to move from 1 to 2, and has 1. 2. B wants to move from 2 to 1, and has 2. 3. Each waits for what
/// the other one has.
///
/// Right: the order is the same in all threads: `take_all` in `src/acquire_all.rs`.
pub struct AsGiven;

impl Both for AsGiven {
    fn acquire(locks: [&ThreeStates; 2]) -> bool {
        locks.iter().for_each(|lock| lock.acquire());
        true
    }
}

/// Tempting: there is no deadlock where nobody waits with a lock in its hands, so the second one is only tried, again
/// and again.
///
/// Wrong: 1. A has 1, B has 2. 2. A tries 2 and B tries 1, without success. 3. Both try again, for ever, each with
/// its first lock in its hands: it is waiting, if not asleep.
///
/// Right: who tries gives up what it has before it tries again. Or there is an order, and nobody has to try: `take_all`
/// in `src/acquire_all.rs`.
pub struct KeepsTheFirst;

impl Both for KeepsTheFirst {
    fn acquire(locks: [&ThreeStates; 2]) -> bool {
        locks[0].acquire();
        while !locks[1].acquire_timeout(Duration::ZERO) {
            yield_now();
        }
        true
    }
}

/// Tempting: sort them by address.
///
/// Wrong: what is sorted are references, and what is passed to the closure is a reference to one of them, which lies where
/// it lies in the array. So they are in order already, whatever they refer to. 1. A has 1, B has 2. 2. Each waits for
/// what the other one has.
///
/// Right: the address is that of the lock's own word: `rank` in `src/raw_lock.rs`, asked for by `src/acquire_all.rs`.
pub struct SortsTheReferences;

impl Both for SortsTheReferences {
    fn acquire(mut locks: [&ThreeStates; 2]) -> bool {
        locks.sort_by_key(|lock| ptr::from_ref(lock).addr());
        locks.iter().for_each(|lock| lock.acquire());
        true
    }
}

/// Tempting: nobody moves money from an account to itself.
///
/// Wrong: 1. A has the lock. 2. It takes it once more, and waits for itself.
///
/// Right: once they are sorted, what is the same is side by side, and is refused before anything is taken: `take_all` in
/// `src/acquire_all.rs`.
pub struct TakesTheSameTwice;

impl Both for TakesTheSameTwice {
    fn acquire(mut locks: [&ThreeStates; 2]) -> bool {
        ByAddress::sort(&mut locks);
        locks.iter().for_each(|lock| lock.acquire());
        true
    }
}

/// Tempting: whether all were had is what `all` says.
///
/// Wrong: 1. A has 1, and its time runs out while it waits for 2. 2. It says that it has none, and does something
/// else. 3. B waits for 1, which nobody releases.
///
/// Right: what has been taken is given up again, also by a panic: `Taken` in `src/acquire_all.rs`.
pub struct LeavesTheFirst;

impl BothInTime for LeavesTheFirst {
    fn acquire_timeout(mut locks: [&ThreeStates; 2], limit: Duration) -> bool {
        ByAddress::sort(&mut locks);
        locks.iter().all(|lock| lock.acquire_timeout(limit))
    }
}
