//! A number under a mutex that its owner may lock again. std's is not stable.

use std::cell::Cell;

use super::mutexes::Pthread;

/// A re-entrant mutex.
pub trait Reentrant: Sync + Send + 'static {
    const NAME: &'static str;
    fn new() -> Self;
    /// With the mutex locked, once more.
    fn with<R>(&self, f: impl FnOnce(&Cell<u64>) -> R) -> R;
}

pub type Futon = futon::RLock<Cell<u64>>;
impl Reentrant for Futon {
    const NAME: &'static str = "futon";
    fn new() -> Self {
        futon::RLock::new(Cell::new(0))
    }
    #[inline]
    fn with<R>(&self, f: impl FnOnce(&Cell<u64>) -> R) -> R {
        f(&self.acquire())
    }
}

pub type ParkingLot = parking_lot::ReentrantMutex<Cell<u64>>;
impl Reentrant for ParkingLot {
    const NAME: &'static str = "parking_lot";
    fn new() -> Self {
        parking_lot::ReentrantMutex::new(Cell::new(0))
    }
    #[inline]
    fn with<R>(&self, f: impl FnOnce(&Cell<u64>) -> R) -> R {
        f(&self.lock())
    }
}

pub type Usync = usync::ReentrantMutex<Cell<u64>>;
impl Reentrant for Usync {
    const NAME: &'static str = "usync";
    fn new() -> Self {
        usync::const_reentrant_mutex(Cell::new(0))
    }
    #[inline]
    fn with<R>(&self, f: impl FnOnce(&Cell<u64>) -> R) -> R {
        f(&self.lock())
    }
}

/// The C library's, of the recursive kind.
pub struct PthreadRecursive {
    mutex: Box<Pthread>,
    value: Cell<u64>,
}

// SAFETY: the value is used under the mutex alone.
unsafe impl Sync for PthreadRecursive {}

impl Reentrant for PthreadRecursive {
    const NAME: &'static str = "pthread";
    fn new() -> Self {
        let mutex = Box::new(Pthread::of(libc::PTHREAD_MUTEX_INITIALIZER));
        // SAFETY: plain memory, initialized below.
        let mut attributes: libc::pthread_mutexattr_t = unsafe { std::mem::zeroed() };
        let attributes = &raw mut attributes;
        // SAFETY: both places are valid, nobody uses the mutex yet, and in its box it is not moved.
        let result = unsafe {
            libc::pthread_mutexattr_init(attributes);
            libc::pthread_mutexattr_settype(attributes, libc::PTHREAD_MUTEX_RECURSIVE);
            libc::pthread_mutex_init(mutex.mutex.get(), attributes)
        };
        assert_eq!(result, 0);
        Self { mutex, value: Cell::new(0) }
    }
    #[inline]
    fn with<R>(&self, f: impl FnOnce(&Cell<u64>) -> R) -> R {
        self.mutex.lock();
        let result = f(&self.value);
        self.mutex.unlock();
        result
    }
}
