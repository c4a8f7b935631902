//! A number under mutual exclusion.

use std::cell::UnsafeCell;

/// A mutex.
pub trait Mutex: Sync + Send + 'static {
    const NAME: &'static str;
    fn new() -> Self;
    /// With the mutex locked.
    fn with<R>(&self, f: impl FnOnce(&mut u64) -> R) -> R;
}

pub type Futon = futon::Lock<u64>;
impl Mutex for Futon {
    const NAME: &'static str = "futon";
    fn new() -> Self {
        futon::Lock::new(0)
    }
    #[inline]
    fn with<R>(&self, f: impl FnOnce(&mut u64) -> R) -> R {
        f(&mut self.acquire())
    }
}

pub type Std = std::sync::Mutex<u64>;
impl Mutex for Std {
    const NAME: &'static str = "std";
    fn new() -> Self {
        std::sync::Mutex::new(0)
    }
    #[inline]
    fn with<R>(&self, f: impl FnOnce(&mut u64) -> R) -> R {
        f(&mut self.lock().unwrap())
    }
}

pub type ParkingLot = parking_lot::Mutex<u64>;
impl Mutex for ParkingLot {
    const NAME: &'static str = "parking_lot";
    fn new() -> Self {
        parking_lot::Mutex::new(0)
    }
    #[inline]
    fn with<R>(&self, f: impl FnOnce(&mut u64) -> R) -> R {
        f(&mut self.lock())
    }
}

pub type Usync = usync::Mutex<u64>;
impl Mutex for Usync {
    const NAME: &'static str = "usync";
    fn new() -> Self {
        usync::Mutex::new(0)
    }
    #[inline]
    fn with<R>(&self, f: impl FnOnce(&mut u64) -> R) -> R {
        f(&mut self.lock())
    }
}

/// The C library's.
pub struct Pthread {
    pub(super) mutex: UnsafeCell<libc::pthread_mutex_t>,
    value: UnsafeCell<u64>,
}

// SAFETY: the value is used under the mutex alone.
unsafe impl Sync for Pthread {}

impl Pthread {
    pub(super) const fn of(mutex: libc::pthread_mutex_t) -> Self {
        Self { mutex: UnsafeCell::new(mutex), value: UnsafeCell::new(0) }
    }

    #[inline]
    pub(super) fn lock(&self) {
        // SAFETY: the mutex is valid, and nobody moves it while it is in use.
        let result = unsafe { libc::pthread_mutex_lock(self.mutex.get()) };
        debug_assert_eq!(result, 0);
    }

    #[inline]
    pub(super) fn unlock(&self) {
        // SAFETY: as above.
        let result = unsafe { libc::pthread_mutex_unlock(self.mutex.get()) };
        debug_assert_eq!(result, 0);
    }
}

impl Mutex for Pthread {
    const NAME: &'static str = "pthread";
    fn new() -> Self {
        Self::of(libc::PTHREAD_MUTEX_INITIALIZER)
    }
    #[inline]
    fn with<R>(&self, f: impl FnOnce(&mut u64) -> R) -> R {
        self.lock();
        // SAFETY: the mutex is locked.
        let result = f(unsafe { &mut *self.value.get() });
        self.unlock();
        result
    }
}
