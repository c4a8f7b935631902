//! The condition. The lock that it belongs to in Python is said in each call.

use futon::{Condition, WaitGuard};

use crate::lock::Lock;
use crate::rlock::RLock;
use crate::{Answer, Callback, ask, new, seconds};

fn wait(condition: &Condition, guard: &mut impl WaitGuard, timeout: Option<&f64>) -> bool {
    match timeout {
        Some(timeout) => condition.wait_timeout(guard, seconds(timeout)),
        None => {
            condition.wait(guard);
            true
        }
    }
}

fn wait_for(
    condition: &Condition,
    guard: &mut impl WaitGuard,
    predicate: Callback,
    timeout: Option<&f64>,
) -> bool {
    match timeout {
        Some(timeout) => condition.wait_timeout_while(guard, seconds(timeout), |_| !ask(predicate)),
        None => {
            condition.wait_while(guard, |_| !ask(predicate));
            true
        }
    }
}

/// `Condition()`
#[unsafe(no_mangle)]
pub extern "C" fn futon_condition_new() -> Box<Condition> {
    new(Condition::new())
}

/// The end of it.
#[unsafe(no_mangle)]
pub extern "C" fn futon_condition_free(_: Option<Box<Condition>>) {}

/// `wait(timeout)`
#[unsafe(no_mangle)]
pub extern "C" fn futon_condition_wait_lock(
    condition: &Condition,
    lock: &Lock,
    timeout: Option<&f64>,
) -> Answer {
    lock.with_guard(|guard| wait(condition, guard, timeout))
}

/// `wait(timeout)`
#[unsafe(no_mangle)]
pub extern "C" fn futon_condition_wait_rlock(
    condition: &Condition,
    rlock: &RLock,
    timeout: Option<&f64>,
) -> Answer {
    rlock.with_all_levels(|guard| wait(condition, guard, timeout))
}

/// `wait_for(predicate, timeout)`
#[unsafe(no_mangle)]
pub extern "C" fn futon_condition_wait_for_lock(
    condition: &Condition,
    lock: &Lock,
    predicate: Callback,
    timeout: Option<&f64>,
) -> Answer {
    lock.with_guard(|guard| wait_for(condition, guard, predicate, timeout))
}

/// `wait_for(predicate, timeout)`
#[unsafe(no_mangle)]
pub extern "C" fn futon_condition_wait_for_rlock(
    condition: &Condition,
    rlock: &RLock,
    predicate: Callback,
    timeout: Option<&f64>,
) -> Answer {
    rlock.with_all_levels(|guard| wait_for(condition, guard, predicate, timeout))
}

/// `notify(n)`
#[unsafe(no_mangle)]
pub extern "C" fn futon_condition_notify(condition: &Condition, count: usize) {
    condition.notify(count);
}

/// `notify_all()`
#[unsafe(no_mangle)]
pub extern "C" fn futon_condition_notify_all(condition: &Condition) {
    condition.notify_all();
}

/// How many threads wait.
#[unsafe(no_mangle)]
pub extern "C" fn futon_condition_waiters(condition: &Condition) -> usize {
    condition.waiters()
}
