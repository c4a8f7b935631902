//! A map of its own at each step, with threads of its own.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::Ordering::Relaxed;
use std::thread;

use futon::{IteratorExt, ParMapResults, Workers};

use super::{Function, Item, Places, Source};
use crate::board::Doing;
use crate::crew::Hand;
use crate::random::Random;
use crate::subjects::Subject;

#[derive(Debug)]
pub struct Scoped;

/// What is random in one map.
#[derive(Debug)]
struct Setting {
    workers: Workers,
    source: Source,
    function: Function,
    is_in_order: bool,
}

impl Setting {
    fn new(random: &mut Random) -> Self {
        let end = random.below(80) as usize;
        let in_flight = 1 + random.below(20) as usize;
        let chunk = if random.one_in(2) { 1 } else { 1 + random.below(9) as usize };
        let workers = Workers::new(random.below(4) as usize).in_flight(in_flight).chunk(chunk);
        let (source, function) = (Source::new(end, in_flight, random), Function::new(end, random));
        Self { workers, source, function, is_in_order: !random.one_in(3) }
    }
}

/// Some results, or all of them, and the panic if there is one among them.
fn take(
    results: &mut ParMapResults<'_, Source, impl Fn(Item) -> Item, Item>,
    count: usize,
    handed_out: &mut Vec<Item>,
    asked: impl Fn(),
) -> thread::Result<()> {
    catch_unwind(AssertUnwindSafe(|| {
        for _ in 0..count {
            asked();
            match results.next() {
                Some(result) => handed_out.push(result),
                None => return,
            }
        }
    }))
}

fn map(hand: &mut Hand<'_, '_>) {
    let random = &mut hand.random;
    let Setting { workers, source, function, is_in_order } = Setting::new(random);
    let (end, asked) = (source.end, source.asked.clone());
    let asked = || _ = asked.fetch_add(1, Relaxed);
    let (first, then) = (random.below(100) as usize, random.below(4));
    let places = Places::new(end);
    let mut handed_out = Vec::new();
    let panic = hand.run(Doing::ParMap, || {
        thread::scope(|s| {
            let call = |item| function.call(item);
            let mut results = match is_in_order {
                true => source.par_map(s, workers, call),
                false => source.par_map_unordered(s, workers, call),
            };
            let mut panic = take(&mut results, first, &mut handed_out, asked);
            if then == 0 {
                return panic;
            }
            if then < 3 && panic.is_ok() {
                match then {
                    1 => results.stop(),
                    _ => results.cancel(),
                }
                panic = take(&mut results, usize::MAX, &mut handed_out, asked);
            }
            handed_out.iter().for_each(|item| places.see(**item));
            function.check(&places, usize::from(panic.is_err()), results.into_inner());
            panic
        })
    });
    if is_in_order {
        assert!(handed_out.iter().map(|item| **item).eq(0..handed_out.len()));
    }
    // Those before it have come first.
    match panic {
        Err(panic) => resume_unwind(panic),
        Ok(()) => hand.perhaps_panic(),
    }
}

/// Until the first of some errors in order.
fn for_each(hand: &mut Hand<'_, '_>) {
    let Setting { workers, mut source, function, .. } = Setting::new(&mut hand.random);
    // It has no results that are asked for.
    source.in_flight = usize::MAX;
    let end = source.end;
    let errors_from = if hand.random.one_in(2) { hand.random.below(80) as usize } else { end };
    let first = [Some(errors_from), function.panics_at, source.panics_at, Some(end)];
    let first = first.into_iter().flatten().min().unwrap_or(end);
    let result = hand.run(Doing::ParForEach, || {
        catch_unwind(AssertUnwindSafe(|| {
            source.par_try_for_each(workers, |item| {
                let item = function.call(item);
                if *item < errors_from { Ok(()) } else { Err(*item) }
            })
        }))
    });
    assert!(
        (0..first).all(|place| function.mapped.has(place)),
        "all that come before have been processed"
    );
    match result {
        Ok(Ok(())) => assert_eq!(first, end),
        Ok(Err(error)) => assert_eq!((first, error), (errors_from, errors_from)),
        Err(panic) => {
            // That of the function, or of the iterator.
            assert!(function.panics_at == Some(first) || !function.mapped.has(first));
            resume_unwind(panic)
        }
    }
}

impl Subject for Scoped {
    fn step<'env>(&'env self, hand: &mut Hand<'_, 'env>) {
        match hand.random.one_in(3) {
            true => for_each(hand),
            false => map(hand),
        }
    }

    fn check(self: Box<Self>) {}
}
