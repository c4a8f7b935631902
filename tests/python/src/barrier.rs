//! The barrier, with an action or without.

use futon::{BarrierWaitResult, BrokenBarrier};

use crate::{Callback, ask, catch_exception, new, seconds};

/// What a wait returns in the place of an index if the barrier is broken.
const BROKEN: i64 = -1;
/// What a wait returns in the place of an index if the action has raised an exception in this thread.
const RAISED: i64 = -2;

/// What calls a function of Python's in each round.
type Action = Box<dyn Fn() + Send + Sync>;

/// A barrier of either kind.
pub enum Barrier {
    /// Made by `new`.
    Plain(futon::Barrier),
    /// Made by `with_action`.
    Acting(futon::Barrier<Action>),
}

fn wait<A: Fn()>(
    barrier: &futon::Barrier<A>,
    timeout: Option<&f64>,
) -> Result<BarrierWaitResult, BrokenBarrier> {
    match timeout {
        Some(timeout) => barrier.wait_timeout(seconds(timeout)),
        None => barrier.wait(),
    }
}

/// `Barrier(parties, action)`, where there is at least one
#[unsafe(no_mangle)]
pub extern "C" fn futon_barrier_new(parties: u32, action: Option<Callback>) -> Box<Barrier> {
    new(match action {
        Some(action) => {
            let action: Action = Box::new(move || _ = ask(action));
            Barrier::Acting(futon::Barrier::with_action(parties, action))
        }
        None => Barrier::Plain(futon::Barrier::new(parties)),
    })
}

/// The end of it.
#[unsafe(no_mangle)]
pub extern "C" fn futon_barrier_free(_: Option<Box<Barrier>>) {}

/// `wait(timeout)`
#[unsafe(no_mangle)]
pub extern "C" fn futon_barrier_wait(barrier: &Barrier, timeout: Option<&f64>) -> i64 {
    let result = catch_exception(|| match barrier {
        Barrier::Plain(barrier) => wait(barrier, timeout),
        Barrier::Acting(barrier) => wait(barrier, timeout),
    });
    match result {
        Some(Ok(arrival)) => arrival.index().into(),
        Some(Err(BrokenBarrier)) => BROKEN,
        None => RAISED,
    }
}

/// `abort()`
#[unsafe(no_mangle)]
pub extern "C" fn futon_barrier_abort(barrier: &Barrier) {
    match barrier {
        Barrier::Plain(barrier) => barrier.abort(),
        Barrier::Acting(barrier) => barrier.abort(),
    }
}

/// `reset()`
#[unsafe(no_mangle)]
pub extern "C" fn futon_barrier_reset(barrier: &Barrier) {
    match barrier {
        Barrier::Plain(barrier) => barrier.reset(),
        Barrier::Acting(barrier) => barrier.reset(),
    }
}

/// `parties`
#[unsafe(no_mangle)]
pub extern "C" fn futon_barrier_parties(barrier: &Barrier) -> u32 {
    match barrier {
        Barrier::Plain(barrier) => barrier.parties(),
        Barrier::Acting(barrier) => barrier.parties(),
    }
}

/// `n_waiting`
#[unsafe(no_mangle)]
pub extern "C" fn futon_barrier_waiting(barrier: &Barrier) -> usize {
    match barrier {
        Barrier::Plain(barrier) => barrier.waiting(),
        Barrier::Acting(barrier) => barrier.waiting(),
    }
}

/// `broken`
#[unsafe(no_mangle)]
pub extern "C" fn futon_barrier_is_broken(barrier: &Barrier) -> bool {
    match barrier {
        Barrier::Plain(barrier) => barrier.is_broken(),
        Barrier::Acting(barrier) => barrier.is_broken(),
    }
}
