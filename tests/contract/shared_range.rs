//! Ranges and slices that many threads pull from.

use std::cell::Cell;
use std::iter;
use std::rc::Rc;
use std::sync::Barrier;
use std::thread;

use futon::{RangePuller, SharedRange, SharedSlice, SlicePuller};
use static_assertions::{assert_impl_all, assert_not_impl_any};

use crate::allocations::allocations;
use crate::threads::{Random, limit, rounds};

/// What four threads pull, each in the way of its number.
fn on_four_threads<R: Send>(pull: impl Fn(usize) -> Vec<R> + Sync) -> Vec<R> {
    let start = Barrier::new(4);
    thread::scope(|s| {
        let (pull, start) = (&pull, &start);
        let threads: Vec<_> = (0..4)
            .map(|number| {
                s.spawn(move || {
                    start.wait();
                    pull(number)
                })
            })
            .collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    })
}

#[track_caller]
fn assert_is_each_once(mut numbers: Vec<usize>, range: std::ops::Range<usize>) {
    numbers.sort_unstable();
    assert!(numbers.iter().copied().eq(range.clone()), "{} numbers for {range:?}", numbers.len());
}

#[test]
fn each_number_goes_to_exactly_one_thread() {
    let _limit = limit();
    for range in [0..0, 0..1, 5..8, 1000..rounds(60_000) + 1000] {
        let one_by_one = SharedRange::new(range.clone());
        assert_is_each_once(on_four_threads(|_| one_by_one.into_iter().collect()), range.clone());

        let in_shares = SharedRange::new(range.clone());
        assert_is_each_once(on_four_threads(|_| in_shares.puller().collect()), range.clone());

        let mixed = SharedRange::new(range.clone());
        let all = on_four_threads(|number| match number {
            0 => iter::from_fn(|| mixed.next()).collect(),
            _ => mixed.puller().collect::<Vec<_>>(),
        });
        assert_is_each_once(all, range);
        assert_eq!((mixed.remaining(), mixed.next(), mixed.puller().next()), (0, None, None));
    }
}

#[test]
fn each_number_goes_to_exactly_one_thread_while_pullers_are_dropped() {
    let _limit = limit();
    for round in 0..rounds(100) {
        let range = SharedRange::new(7..3007);
        let mut all = on_four_threads(|number| {
            let mut random = Random::new((4 * round + number) as u64);
            let mut all = Vec::new();
            loop {
                let had = all.len();
                match random.below(3) {
                    0 => all.extend(range.next()),
                    _ => all.extend(range.puller().take(1 + random.below(200) as usize)),
                }
                if all.len() == had {
                    return all;
                }
            }
        });
        // What was given back after the others had seen the end.
        let remaining = range.remaining();
        let had = all.len();
        all.extend(&range);
        assert_eq!(all.len() - had, remaining);
        assert_is_each_once(all, 7..3007);
    }
}

#[test]
fn a_range_that_ends_before_it_starts_is_empty() {
    #[allow(clippy::reversed_empty_ranges)]
    for range in [SharedRange::new(5..3), SharedRange::new(usize::MAX..0), SharedRange::new(9..9)] {
        assert_eq!((range.remaining(), range.next(), range.puller().next()), (0, None, None));
    }
}

#[test]
fn a_range_up_to_the_largest_number_does_not_overflow() {
    let range = SharedRange::new(usize::MAX - 100..usize::MAX);
    let mut puller = range.puller();
    assert_eq!(puller.next(), Some(usize::MAX - 100));
    assert_eq!(puller.count() + 1, 100);
    assert_eq!((range.next(), range.next(), range.remaining()), (None, None, 0));

    let whole = SharedRange::new(0..usize::MAX);
    assert_eq!(whole.remaining(), usize::MAX);
    assert_eq!(whole.puller().next(), Some(0));
    assert_eq!(whole.next(), Some(1));
    assert_eq!(whole.remaining(), usize::MAX - 2);
}

#[test]
fn what_a_dropped_puller_has_not_read_is_given_out_before_new_numbers() {
    let range = SharedRange::new(0..1000);
    let mut puller = range.puller();
    assert_eq!(puller.next(), Some(0));
    let new = range.next().unwrap();
    assert!(new > 1, "a puller takes many");
    let before = range.remaining();
    drop(puller);
    assert_eq!(range.remaining(), before + new - 1);
    let back: Vec<_> = (1..new).map(|_| range.next().unwrap()).collect();
    assert_is_each_once(back, 1..new);
    assert_eq!(range.next(), Some(new + 1));

    // A puller takes them too.
    let mut puller = range.puller();
    let first = puller.next().unwrap();
    drop(puller);
    assert_eq!(range.puller().next(), Some(first + 1));
}

#[test]
fn a_puller_that_has_read_all_that_it_took_gives_nothing_back() {
    let range = SharedRange::new(0..1000);
    range.puller().for_each(drop);
    assert_eq!((range.remaining(), range.next()), (0, None));
    drop(range.puller());
    assert_eq!((range.remaining(), range.next()), (0, None));
}

#[test]
fn shares_become_smaller_towards_the_end_so_that_all_finish_together() {
    let range = SharedRange::new(0..100_000);
    let pullers = 3;
    let mut others: Vec<_> = (1..pullers).map(|_| range.puller()).collect();
    let mut puller = range.puller();
    let mut last_share = usize::MAX;
    let mut shares = 0;
    while let Some(number) = puller.next() {
        let share = (100_000 - number).min(100_000 - number - range.remaining());
        assert!(share <= last_share && share <= 4096);
        // No thread gets more than its part of a quarter of what is left.
        assert!(share == 1 || share <= (100_000 - number) / (4 * pullers));
        last_share = share;
        shares += 1;
        puller.by_ref().take(share - 1).for_each(drop);
    }
    assert_eq!(last_share, 1);
    assert!(shares < 500, "{shares} shares for 100,000 numbers");
    assert!(others.iter_mut().all(|other| other.next().is_none()));
}

#[test]
fn pullers_that_are_gone_do_not_make_shares_smaller() {
    let range = SharedRange::new(0..4000);
    (0..1000).for_each(|_| drop(range.puller()));
    let mut puller = range.puller();
    assert_eq!(puller.next(), Some(0));
    assert_eq!(range.remaining(), 3000);
}

#[test]
fn each_element_goes_to_exactly_one_thread_with_its_place() {
    let _limit = limit();
    let words: Vec<String> = (0..rounds(10_000)).map(|i| i.to_string()).collect();
    let shared = SharedSlice::new(&words);
    let all = on_four_threads(|number| {
        let mut puller = shared.puller();
        match number {
            0 => iter::from_fn(|| shared.next()).map(|word| word.parse().unwrap()).collect(),
            1 => puller.map(|word| word.parse().unwrap()).collect(),
            _ => iter::from_fn(|| puller.next_indexed())
                .inspect(|(place, word)| assert!(std::ptr::eq(*word, &words[*place])))
                .map(|(place, _)| place)
                .collect::<Vec<usize>>(),
        }
    });
    assert_is_each_once(all, 0..words.len());
    assert_eq!((shared.next(), shared.puller().next()), (None, None));
}

#[test]
fn a_dropped_puller_gives_the_elements_back() {
    let words: Vec<_> = (0..100).collect();
    let shared = SharedSlice::new(&words);
    let mut read: Vec<_> = shared.puller().take(3).collect();
    read.extend(shared.puller().take(1));
    read.extend(iter::from_fn(|| shared.next()));
    assert_is_each_once(read.into_iter().copied().collect(), 0..100);
}

#[test]
fn elements_outlive_the_shared_slice() {
    let words = ["a", "b"];
    let first = SharedSlice::new(&words).next();
    let second = SharedSlice::new(&words).puller().last();
    assert_eq!((first, second), (Some(&"a"), Some(&"b")));
    assert_eq!(SharedSlice::<i32>::new(&[]).next(), None);
}

#[test]
fn pulling_needs_no_memory() {
    let range = SharedRange::new(0..100);
    assert_eq!(allocations(|| while range.next().is_some() {}), 0);
    let range = SharedRange::new(0..100);
    assert_eq!(allocations(|| range.puller().for_each(drop)), 0);
}

#[test]
fn ranges_and_slices_are_made_in_constants() {
    static RANGE: SharedRange = SharedRange::new(3..5);
    static SLICE: SharedSlice<'static, &str> = SharedSlice::new(&["x"]);
    assert_eq!((RANGE.next(), SLICE.next()), (Some(3), Some(&"x")));
    assert_eq!(format!("{RANGE:?}"), "SharedRange { next: 4, end: 5 }");
    assert_eq!(format!("{:?}", RANGE.puller()), "RangePuller { unread: 0..0 }");
}

#[test]
fn who_has_seen_the_end_and_asks_again_gets_what_was_given_back_since() {
    let range = SharedRange::new(0..1000);
    let mut first = range.puller();
    first.next();
    let mut other = range.puller();
    other.by_ref().for_each(drop);
    assert_eq!((other.next(), range.next()), (None, None));
    drop(first);
    assert!(other.next().is_some());
}

#[test]
fn fused_it_stays_at_the_end_whatever_is_given_back_since() {
    let range = SharedRange::new(0..1000);
    let mut first = range.puller();
    first.next();
    let mut fused = range.puller().fuse();
    assert!(fused.by_ref().last().is_some());
    drop(first);
    assert_eq!(fused.next(), None);

    let shared = SharedSlice::new(&[0; 1000]);
    let mut first = shared.puller();
    first.next();
    let mut fused = shared.puller().fuse();
    assert!(fused.by_ref().last().is_some());
    drop(first);
    assert_eq!(fused.next(), None);
}

#[test]
fn a_shared_range_goes_everywhere() {
    assert_impl_all!(SharedRange: Send, Sync);
    assert_impl_all!(RangePuller<'static>: Send, Sync);
    assert_not_impl_any!(RangePuller<'static>: Clone, Copy);
}

/// Elements are shared, not sent: as `&[T]`.
#[test]
fn a_shared_slice_goes_where_its_elements_may_be_shared() {
    assert_impl_all!(SharedSlice<'static, i32>: Send, Sync);
    assert_not_impl_any!(SharedSlice<'static, Cell<i32>>: Send, Sync);
    assert_not_impl_any!(SharedSlice<'static, Rc<i32>>: Send, Sync);
    assert_impl_all!(SlicePuller<'static, 'static, i32>: Send, Sync);
    assert_not_impl_any!(SlicePuller<'static, 'static, Cell<i32>>: Send, Sync);
}
