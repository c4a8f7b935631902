//! The decorator.

use crate::shared_iter::SharedIter;

/// Makes of a function that returns an iterator one that returns a [`SharedIter`].
///
/// What Python programmers write above a generator: `@threadsafe_generator`, in the recipe that goes around, and since
/// Python 3.15 `@threading.synchronized_iterator`. The function takes one argument; let it be a tuple, or `()`, for
/// more or none. Each call of the new function is a call of the old one.
///
/// ```
/// use futon::threadsafe;
/// use std::thread;
///
/// fn count_from(start: u64) -> impl Iterator<Item = u64> {
///     start..
/// }
///
/// let count_from = threadsafe(count_from);
/// let ids = count_from(1);
/// thread::scope(|s| {
///     for _ in 0..2 {
///         s.spawn(|| (&ids).take(100).count());
///     }
/// });
/// assert_eq!(ids.next(), Some(201));
/// ```
///
/// Without it the compiler refuses: two threads would have to borrow the iterator as mutable at once.
///
/// ```compile_fail,E0499
/// # use std::thread;
/// # fn count_from(start: u64) -> impl Iterator<Item = u64> {
/// #     start..
/// # }
/// let mut ids = count_from(1);
/// thread::scope(|s| {
///     for _ in 0..2 {
///         s.spawn(|| ids.by_ref().take(100).count());
///     }
/// });
/// ```
#[doc(alias = "threadsafe_generator")]
#[doc(alias = "synchronized_iterator")]
pub fn threadsafe<A, I: IntoIterator>(
    iterators: impl Fn(A) -> I,
) -> impl Fn(A) -> SharedIter<I::IntoIter> {
    move |argument| SharedIter::new(iterators(argument).into_iter())
}
