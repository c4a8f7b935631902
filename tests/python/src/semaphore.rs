//! The semaphores. A permit is forgotten when it is taken, since a release does not say which it gives back.

use futon::{BoundedSemaphore, Semaphore};

use crate::{new, seconds};

/// `Semaphore(value)`, or null if that is too much
#[unsafe(no_mangle)]
pub extern "C" fn futon_semaphore_new(permits: u32) -> Option<Box<Semaphore>> {
    (permits <= Semaphore::MAX_PERMITS).then(|| new(Semaphore::new(permits)))
}

/// The end of it.
#[unsafe(no_mangle)]
pub extern "C" fn futon_semaphore_free(_: Option<Box<Semaphore>>) {}

/// `acquire(True, timeout)`
#[unsafe(no_mangle)]
pub extern "C" fn futon_semaphore_acquire(semaphore: &Semaphore, timeout: Option<&f64>) -> bool {
    let permit = match timeout {
        Some(timeout) => semaphore.acquire_timeout(seconds(timeout)),
        None => Some(semaphore.acquire()),
    };
    permit.map(|permit| permit.forget()).is_some()
}

/// `acquire(False)`
#[unsafe(no_mangle)]
pub extern "C" fn futon_semaphore_try_acquire(semaphore: &Semaphore) -> bool {
    semaphore.try_acquire().map(|permit| permit.forget()).is_some()
}

/// `release(n)`, or false if that is too much
#[unsafe(no_mangle)]
pub extern "C" fn futon_semaphore_release(semaphore: &Semaphore, permits: u32) -> bool {
    semaphore.release(permits).is_ok()
}

/// `_value`
#[unsafe(no_mangle)]
pub extern "C" fn futon_semaphore_available(semaphore: &Semaphore) -> u32 {
    semaphore.available()
}

/// `BoundedSemaphore(value)`, or null if that is too much
#[unsafe(no_mangle)]
pub extern "C" fn futon_bounded_semaphore_new(permits: u32) -> Option<Box<BoundedSemaphore>> {
    (permits <= BoundedSemaphore::MAX_PERMITS).then(|| new(BoundedSemaphore::new(permits)))
}

/// The end of it.
#[unsafe(no_mangle)]
pub extern "C" fn futon_bounded_semaphore_free(_: Option<Box<BoundedSemaphore>>) {}

/// `acquire(True, timeout)`
#[unsafe(no_mangle)]
pub extern "C" fn futon_bounded_semaphore_acquire(
    semaphore: &BoundedSemaphore,
    timeout: Option<&f64>,
) -> bool {
    let permit = match timeout {
        Some(timeout) => semaphore.acquire_timeout(seconds(timeout)),
        None => Some(semaphore.acquire()),
    };
    permit.map(|permit| permit.forget()).is_some()
}

/// `acquire(False)`
#[unsafe(no_mangle)]
pub extern "C" fn futon_bounded_semaphore_try_acquire(semaphore: &BoundedSemaphore) -> bool {
    semaphore.try_acquire().map(|permit| permit.forget()).is_some()
}

/// `release(n)`, or false if that is too much
#[unsafe(no_mangle)]
pub extern "C" fn futon_bounded_semaphore_release(semaphore: &BoundedSemaphore, permits: u32) -> bool {
    semaphore.release(permits).is_ok()
}

/// `_value`
#[unsafe(no_mangle)]
pub extern "C" fn futon_bounded_semaphore_available(semaphore: &BoundedSemaphore) -> u32 {
    semaphore.available()
}

/// `_initial_value`
#[unsafe(no_mangle)]
pub extern "C" fn futon_bounded_semaphore_limit(semaphore: &BoundedSemaphore) -> u32 {
    semaphore.limit()
}
