//! Several locks at once, in an order that all threads share.
//!
//! # The order
//!
//! A deadlock is a circle of threads, each of which waits for a lock that the next one has. Put all locks in one
//! order, and look at the last of those that are waited for in the circle. The thread that has it waits for another one, which
//! stands before it: it has begun at the wrong end. So there is no circle where all threads take their locks in that
//! order. Here it is that of the addresses of the locks' words: all threads see the same, it costs no memory, and no
//! two words that live have the same one. (In a model it is that of their first use: [`rank`](RawLock::rank).)
//!
//! | step                                          | fails                                       | what was taken |
//! |-----------------------------------------------|---------------------------------------------|----------------|
//! | the locks are put in order                    | with a panic, if a `Lock` is there twice    | is nothing yet |
//! | one after the other is taken, waiting at each | at the deadline                             | is released    |
//! |                                               | with a panic, if an `RLock` has no level left | is released  |
//! | each gets its guard, at its place             | –                                           |                |
//!
//! # The invariant
//!
//! * **Whoever waits here for a lock has, of those that were taken here, only such as stand before it.**
//! * **Until all are taken nobody but this call knows of any of them**: it can give them up again. So all are had or none.
//!
//! # The other way
//!
//! C++'s `std::lock` waits for one and only tries the others: if one of them is taken it gives up what it has and begins
//! again with that one. So it never waits with a lock in its hands, and goes together with any order in which others
//! take theirs. But it may begin again for ever, and the more so the more locks it wants: a thread that needs all of
//! some busy locks finds them free at one moment by luck alone. Here each wait is one of those of which the lock itself
//! says how long it may become, and there are as many as there are locks.

use core::time::Duration;
use core::{array, mem, ptr};
use std::sync::Arc;
use std::time::Instant;

use crate::deadline::Deadline;
use crate::lock::{Lock, LockGuard};
use crate::raw_lock::RawLock;
use crate::rlock::{Owner, RLock, RLockGuard};

/// Waits until it has all of these locks.
///
/// Threads that take several locks one by one may each have what the other one waits for. Here they are
/// taken in an order that is the same for all threads, whatever the order in which they stand here; the guards
/// come in the order in which the locks stand. [`AcquireAll`] says what can be given: a tuple, an array or a slice, of
/// [`Lock`]s and [`RLock`]s.
///
/// It is what `std::scoped_lock` is in C++, and the crate `happylock` in Rust. Neither Python nor Rust's std has
/// anything like it.
///
/// ```
/// use futon::{Lock, acquire_all};
/// use std::thread;
///
/// fn transfer(from: &Lock<u32>, to: &Lock<u32>, amount: u32) {
///     let (mut from, mut to) = acquire_all((from, to));
///     *from -= amount;
///     *to += amount;
/// }
///
/// let (ada, ben) = (Lock::new(100), Lock::new(100));
/// thread::scope(|s| {
///     s.spawn(|| (0..100).for_each(|_| transfer(&ada, &ben, 1)));
///     s.spawn(|| (0..100).for_each(|_| transfer(&ben, &ada, 1))); // the other way round
/// });
/// assert_eq!((ada.into_inner(), ben.into_inner()), (100, 100));
/// ```
///
/// **Guards.** They are those of [`Lock::acquire`] and [`RLock::acquire`], and each releases its own lock. Have a name for
/// each, be it `_b`: what `let (a, _) = …` does not name is released at once. Guards with names of their
/// own are dropped in reverse, those that stay in their tuple, array or `Vec` from the first to the last. It
/// makes no difference to others, since a release never waits.
///
/// **The same lock twice.** Two levels of an `RLock` are as good as any. A `Lock` can not be had twice: that panics.
///
/// **Memory ordering.** That of each lock: everything that happened before its last release is seen. Where one of the
/// other forms fails there is no order to rely on.
///
/// **Fairness.** That of each lock. There is no second try: a thread waits for each of its locks once. While a thread
/// waits for one of them it has those that come before it, for which others wait meanwhile. [`Lock::waiters`] counts
/// it at the one that it waits for.
///
/// **Deadlock.** Not among threads that take locks in this way alone. What a thread has already when it calls this is
/// outside of the order, and so is what it takes again while it has others, as
/// [`Condition::wait`](crate::Condition::wait) and [`LockGuard::unlocked`] do. A `Lock` that it has already is waited
/// for in vain, as by [`Lock::acquire`].
///
/// **Cost.** Tuples and arrays allocate nothing, a slice allocates twice. Where all locks are free there is no system call.
///
/// # Panics
///
/// If a `Lock` is given twice, or if this thread would have more than 2³² − 1 levels of an `RLock`; as do the other forms. None of
/// the locks is taken then.
///
/// ```should_panic
/// let lock = futon::Lock::new(1);
/// futon::acquire_all([&lock, &lock]); // it would wait for itself
/// ```
#[inline]
#[track_caller]
#[must_use = "the locks are released as soon as the guards are dropped"]
#[doc(alias = "scoped_lock")]
#[doc(alias = "lock_all")]
pub fn acquire_all<L: AcquireAll>(locks: L) -> L::Guards {
    match locks.acquire_within(Limit::Until(Deadline::NEVER)) {
        Some(guards) => guards,
        None => unreachable!("a wait without a limit has come to an end"),
    }
}

/// Takes all of these locks if they are free, else none. Does not wait.
///
/// `None` where [`Lock::try_acquire`] or [`RLock::try_acquire`] of one of them is. Those that it has taken by then it
/// releases at once. C++'s `std::try_lock`.
///
/// ```
/// let (a, b) = (futon::Lock::new(1), futon::Lock::new(2));
/// let taken = b.acquire();
/// assert!(futon::try_acquire_all((&a, &b)).is_none());
/// assert!(!a.is_locked());
/// drop(taken);
/// assert!(futon::try_acquire_all((&a, &b)).is_some());
/// ```
///
/// # Panics
///
/// As [`acquire_all`].
#[inline]
#[track_caller]
#[must_use = "the locks are released as soon as the guards are dropped"]
#[doc(alias = "try_lock_all")]
pub fn try_acquire_all<L: AcquireAll>(locks: L) -> Option<L::Guards> {
    locks.acquire_within(Limit::Now)
}

/// Waits until it has all of these locks, or gives up after `timeout` and has none of them.
///
/// The time is for all of them together. `None` if it has given up, never before the time is over; and even then it has
/// them all if those that are missing are free. A zero timeout is [`try_acquire_all`]; `Duration::MAX` and everything
/// else beyond the range of the clock is [`acquire_all`].
///
/// ```
/// use std::time::Duration;
///
/// let (a, b) = (futon::Lock::new(1), futon::Lock::new(2));
/// let taken = b.acquire();
/// assert!(futon::acquire_all_timeout((&a, &b), Duration::from_millis(1)).is_none());
/// assert!(!a.is_locked());
/// # drop(taken);
/// ```
///
/// # Panics
///
/// As [`acquire_all`].
#[inline]
#[track_caller]
#[must_use = "the locks are released as soon as the guards are dropped"]
#[doc(alias = "try_lock_for")]
pub fn acquire_all_timeout<L: AcquireAll>(locks: L, timeout: Duration) -> Option<L::Guards> {
    locks.acquire_within(Limit::Until(Deadline::after(timeout)))
}

/// Waits until it has all of these locks, or gives up at `deadline` and has none of them.
///
/// As [`acquire_all_timeout`], for a limit that several waits share. A deadline in the past is [`try_acquire_all`].
///
/// ```
/// use std::time::{Duration, Instant};
///
/// let (a, b, c) = (futon::Lock::new(1), futon::Lock::new(2), futon::Lock::new(3));
/// let deadline = Instant::now() + Duration::from_secs(1);
/// let (a, b) = futon::acquire_all_deadline((&a, &b), deadline).unwrap();
/// let c = c.acquire_deadline(deadline).unwrap(); // what is left of the same second
/// assert_eq!(*a + *b + *c, 6);
/// ```
///
/// # Panics
///
/// As [`acquire_all`].
#[inline]
#[track_caller]
#[must_use = "the locks are released as soon as the guards are dropped"]
#[doc(alias = "try_lock_until")]
pub fn acquire_all_deadline<L: AcquireAll>(locks: L, deadline: Instant) -> Option<L::Guards> {
    locks.acquire_within(Limit::Until(Deadline::at(deadline)))
}

/// What can be acquired at once with [`acquire_all`].
///
/// | locks | guards |
/// |---|---|
/// | a tuple of two to six, of different types if need be: `(&a, &b)` | a tuple |
/// | an array: `[&a, &b]`, or `locks.each_ref()` of an array of locks | an array |
/// | a slice: `&locks[..]` | a `Vec` |
///
/// A lock is a `&Lock<T>` or a `&RLock<T>`, or a reference to an `Arc` of one. A slice may be one of locks, of references,
/// or of `Arc`s. Of no locks, as in an empty slice, all are had.
/// Nobody else can implement this trait.
///
/// ```
/// use futon::{Lock, RLock, acquire_all};
/// use std::cell::Cell;
/// use std::sync::Arc;
///
/// let (names, count) = (Lock::new(vec!["Ada"]), RLock::new(Cell::new(1)));
/// let (mut n, c) = acquire_all((&names, &count));
/// n.push("Ben");
/// c.set(n.len());
///
/// let accounts: Vec<Arc<Lock<u32>>> = [1, 2, 3].map(|money| Arc::new(Lock::new(money))).into();
/// let sum: u32 = acquire_all(&accounts[..]).iter().map(|account| **account).sum();
/// let [first, last] = acquire_all([&accounts[0], &accounts[2]]);
/// assert_eq!((sum, *first, *last), (6, 1, 3));
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a collection of locks that can be acquired at once",
    note = "give a tuple `(&a, &b)`, an array `[&a, &b]` or a slice `&locks[..]`"
)]
#[doc(alias = "LockCollection")]
pub trait AcquireAll {
    /// The guards of the locks, each at the place of its lock.
    type Guards;

    /// Takes all, or none if the limit is reached.
    #[doc(hidden)]
    #[track_caller]
    fn acquire_within(self, limit: Limit) -> Option<Self::Guards>;
}

/// How long to wait for all locks together. Public in name only: the trait above names it.
#[derive(Clone, Copy)]
pub enum Limit {
    /// Not at all.
    Now,
    Until(Deadline),
}

/// A lock of any kind. Public in name only: what implements the trait above names it.
pub trait AnyLock {
    type Guard<'a>
    where
        Self: 'a;

    fn bare(&self) -> Bare<'_>;

    /// The guard of the lock, which the caller has just taken.
    fn guard(&self) -> Self::Guard<'_>;
}

impl<T: ?Sized> AnyLock for Lock<T> {
    type Guard<'a>
        = LockGuard<'a, T>
    where
        T: 'a;

    #[inline]
    fn bare(&self) -> Bare<'_> {
        Bare::Lock(self.raw())
    }

    #[inline]
    fn guard(&self) -> LockGuard<'_, T> {
        LockGuard::new(self)
    }
}

impl<T: ?Sized> AnyLock for RLock<T> {
    type Guard<'a>
        = RLockGuard<'a, T>
    where
        T: 'a;

    #[inline]
    fn bare(&self) -> Bare<'_> {
        Bare::RLock(self.owner())
    }

    #[inline]
    fn guard(&self) -> RLockGuard<'_, T> {
        RLockGuard::new(self)
    }
}

/// For slices of references. The guards borrow what the references do, and not the slice.
impl<'l, L: AnyLock + ?Sized> AnyLock for &'l L {
    type Guard<'a>
        = L::Guard<'l>
    where
        Self: 'a;

    #[inline]
    fn bare(&self) -> Bare<'_> {
        (**self).bare()
    }

    #[inline]
    fn guard(&self) -> L::Guard<'l> {
        (*self).guard()
    }
}

impl<L: AnyLock + ?Sized> AnyLock for Arc<L> {
    type Guard<'a>
        = L::Guard<'a>
    where
        Self: 'a;

    #[inline]
    fn bare(&self) -> Bare<'_> {
        (**self).bare()
    }

    #[inline]
    fn guard(&self) -> L::Guard<'_> {
        (**self).guard()
    }
}

/// For a tuple of so many: the place of each, and a name for its type.
macro_rules! tuple {
    ($($place:tt $lock:ident),+) => {
        impl<'a, $($lock: AnyLock + ?Sized),+> AcquireAll for ($(&'a $lock),+) {
            type Guards = ($($lock::Guard<'a>),+);

            fn acquire_within(self, limit: Limit) -> Option<Self::Guards> {
                let mut locks = [$(($place, self.$place.bare())),+];
                take_all(&mut locks, limit).then(|| ($(self.$place.guard()),+))
            }
        }
    };
}

tuple!(0 A, 1 B);
tuple!(0 A, 1 B, 2 C);
tuple!(0 A, 1 B, 2 C, 3 D);
tuple!(0 A, 1 B, 2 C, 3 D, 4 E);
tuple!(0 A, 1 B, 2 C, 3 D, 4 E, 5 F);

impl<'a, L: AnyLock + ?Sized, const N: usize> AcquireAll for [&'a L; N] {
    type Guards = [L::Guard<'a>; N];

    fn acquire_within(self, limit: Limit) -> Option<Self::Guards> {
        let mut locks: [_; N] = array::from_fn(|place| (place, self[place].bare()));
        take_all(&mut locks, limit).then(|| self.map(|lock| lock.guard()))
    }
}

impl<'a, L: AnyLock> AcquireAll for &'a [L] {
    type Guards = Vec<L::Guard<'a>>;

    fn acquire_within(self, limit: Limit) -> Option<Self::Guards> {
        // Both before a lock is taken: nobody waits for the allocator.
        let mut locks: Vec<_> = self.iter().map(L::bare).enumerate().collect();
        let mut guards = Vec::with_capacity(self.len());
        take_all(&mut locks, limit).then(|| {
            guards.extend(self.iter().map(|lock| lock.guard()));
            guards
        })
    }
}

/// A lock without its value. Public in name only.
#[derive(Clone, Copy)]
pub enum Bare<'a> {
    Lock(&'a RawLock),
    RLock(&'a Owner),
}

impl Bare<'_> {
    /// Its place in the order of all locks.
    fn rank(self) -> usize {
        match self {
            Bare::Lock(raw) => raw.rank(),
            Bare::RLock(owner) => owner.raw().rank(),
        }
    }

    #[track_caller]
    fn acquire(self, limit: Limit) -> bool {
        match (self, limit) {
            (Bare::Lock(raw), Limit::Now) => raw.try_acquire(),
            (Bare::Lock(raw), Limit::Until(deadline)) => raw.acquire_until(deadline),
            (Bare::RLock(owner), Limit::Now) => owner.try_acquire(),
            (Bare::RLock(owner), Limit::Until(deadline)) => owner.acquire_until(deadline),
        }
    }

    fn release(self) {
        match self {
            Bare::Lock(raw) => raw.release(),
            Bare::RLock(owner) => owner.release(),
        }
    }
}

/// Takes all of these locks, each of which stands beside its place among those that were given, or none.
#[track_caller]
fn take_all(locks: &mut [(usize, Bare<'_>)], limit: Limit) -> bool {
    locks.sort_unstable_by_key(|&(place, lock)| (lock.rank(), place));
    for pair in locks.windows(2) {
        // Two levels of an `RLock` are one after the other now, and so the second one is never waited for.
        if let [(first, Bare::Lock(lock)), (second, Bare::Lock(next))] = *pair {
            assert!(
                !ptr::eq(lock, next),
                "a Lock is to be acquired twice at once, at indices {first} and {second}"
            );
        }
    }
    let mut taken = Taken { locks, count: 0 };
    for (_, lock) in taken.locks {
        if !lock.acquire(limit) {
            return false;
        }
        taken.count += 1;
    }
    mem::forget(taken);
    true
}

/// Those that have been taken of some locks, the first ones. Releases them, unless it is forgotten.
struct Taken<'s, 'a> {
    locks: &'s [(usize, Bare<'a>)],
    count: usize,
}

impl Drop for Taken<'_, '_> {
    fn drop(&mut self) {
        // The last one first: who waits for the first one finds the others free.
        self.locks[..self.count].iter().rev().for_each(|(_, lock)| lock.release());
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;
    use crate::widths::MOST;

    /// H30.
    #[test]
    fn one_level_too_many_panics_and_leaves_nothing_taken() {
        // In this order: the first lock is taken when that happens, and the last one is not.
        let [(first, _), (_, levels), (last, _)] = &[(); 3].map(|()| (Lock::new(()), RLock::new(())));
        levels.owner().raw().acquire();
        levels.owner().resume(MOST - 1);
        let panic = catch_unwind(AssertUnwindSafe(|| {
            _ = acquire_all((levels, last, first, levels));
        }));
        assert!(panic.unwrap_err().downcast_ref::<String>().unwrap().contains("which is the maximum"));
        assert_eq!(levels.depth(), MOST - 1);
        assert!(!first.is_locked() && !last.is_locked());
        // One more is not too many.
        let guards = acquire_all((levels, last, first));
        assert_eq!(levels.depth(), MOST);
        drop(guards);
        assert_eq!(levels.depth(), MOST - 1);
    }
}
