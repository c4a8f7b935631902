//! What CPython tests of its `BoundedSemaphore`, under the names that it has there: `BaseSemaphoreTests` and
//! `BoundedSemaphoreTests` of its `lock_tests.py`.

use futon::BoundedSemaphore;

use crate::semaphore::python::base;
use crate::threads::limit;

#[test]
fn test_constructor() {
    base::test_constructor::<BoundedSemaphore>();
}

#[test]
fn test_acquire() {
    base::test_acquire::<BoundedSemaphore>();
}

#[test]
fn test_acquire_destroy() {
    base::test_acquire_destroy::<BoundedSemaphore>();
}

#[test]
fn test_acquire_contended() {
    base::test_acquire_contended::<BoundedSemaphore>();
}

#[test]
fn test_multirelease() {
    base::test_multirelease::<BoundedSemaphore>();
}

#[test]
fn test_try_acquire() {
    base::test_try_acquire::<BoundedSemaphore>();
}

#[test]
fn test_try_acquire_contended() {
    base::test_try_acquire_contended::<BoundedSemaphore>();
}

#[test]
fn test_acquire_timeout() {
    base::test_acquire_timeout::<BoundedSemaphore>();
}

#[test]
fn test_default_value() {
    base::test_default_value::<BoundedSemaphore>();
}

#[test]
fn test_with() {
    base::test_with::<BoundedSemaphore>();
}

#[test]
fn test_release_unacquired() {
    let _limit = limit();
    let semaphore = BoundedSemaphore::default();
    assert!(semaphore.release(1).is_err());
    semaphore.acquire().forget();
    semaphore.release(1).unwrap();
    assert!(semaphore.release(1).is_err());
    drop(semaphore.acquire());
    assert!(semaphore.release(1).is_err());
    assert_eq!(semaphore.available(), 1);
}

#[test]
fn test_repr() {
    let semaphore = BoundedSemaphore::new(3);
    let shown = format!("{semaphore:?}");
    assert_eq!(shown, "BoundedSemaphore { available: 3, limit: 3, waiters: 0 }");
    semaphore.acquire().forget();
    let shown = format!("{semaphore:?}");
    assert_eq!(shown, "BoundedSemaphore { available: 2, limit: 3, waiters: 0 }");
}
