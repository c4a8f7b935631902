//! A value under a mutex, with two conditions that threads may wait for.

use std::cell::UnsafeCell;
use std::ops::{Deref, DerefMut};

use super::mutexes;
use super::mutexes::Mutex as _;

/// A mutex with two condition variables.
pub trait Monitor<T: 'static>: Sync + Send + 'static {
    const NAME: &'static str;
    type Guard<'a>: DerefMut<Target = T>
    where
        Self: 'a;
    fn new(value: T) -> Self;
    fn lock(&self) -> Self::Guard<'_>;
    /// Until notified; perhaps for no reason.
    fn wait<'a>(&'a self, condition: usize, guard: Self::Guard<'a>) -> Self::Guard<'a>;
    fn notify_one(&self, condition: usize);
    fn notify_all(&self, condition: usize);

    /// Until the value is no longer so.
    #[inline]
    fn wait_while<'a>(
        &'a self,
        condition: usize,
        mut guard: Self::Guard<'a>,
        is_so: impl Fn(&T) -> bool,
    ) -> Self::Guard<'a> {
        while is_so(&guard) {
            guard = self.wait(condition, guard);
        }
        guard
    }
}

/// A lock with two of futon's conditions.
pub struct Futon<T>(futon::Lock<T>, [futon::Condition; 2]);
impl<T: Send + 'static> Monitor<T> for Futon<T> {
    const NAME: &'static str = "futon";
    type Guard<'a>
        = futon::LockGuard<'a, T>
    where
        T: 'a;
    fn new(value: T) -> Self {
        Self(futon::Lock::new(value), Default::default())
    }
    #[inline]
    fn lock(&self) -> Self::Guard<'_> {
        self.0.acquire()
    }
    #[inline]
    fn wait<'a>(&'a self, condition: usize, mut guard: Self::Guard<'a>) -> Self::Guard<'a> {
        self.1[condition].wait(&mut guard);
        guard
    }
    #[inline]
    fn notify_one(&self, condition: usize) {
        self.1[condition].notify_one();
    }
    #[inline]
    fn notify_all(&self, condition: usize) {
        self.1[condition].notify_all();
    }
}

/// std's.
pub struct Std<T>(std::sync::Mutex<T>, [std::sync::Condvar; 2]);
impl<T: Send + 'static> Monitor<T> for Std<T> {
    const NAME: &'static str = "std";
    type Guard<'a>
        = std::sync::MutexGuard<'a, T>
    where
        T: 'a;
    fn new(value: T) -> Self {
        Self(std::sync::Mutex::new(value), Default::default())
    }
    #[inline]
    fn lock(&self) -> Self::Guard<'_> {
        self.0.lock().unwrap()
    }
    #[inline]
    fn wait<'a>(&'a self, condition: usize, guard: Self::Guard<'a>) -> Self::Guard<'a> {
        self.1[condition].wait(guard).unwrap()
    }
    #[inline]
    fn notify_one(&self, condition: usize) {
        self.1[condition].notify_one();
    }
    #[inline]
    fn notify_all(&self, condition: usize) {
        self.1[condition].notify_all();
    }
}

/// parking_lot's.
pub struct ParkingLot<T>(parking_lot::Mutex<T>, [parking_lot::Condvar; 2]);
impl<T: Send + 'static> Monitor<T> for ParkingLot<T> {
    const NAME: &'static str = "parking_lot";
    type Guard<'a>
        = parking_lot::MutexGuard<'a, T>
    where
        T: 'a;
    fn new(value: T) -> Self {
        Self(parking_lot::Mutex::new(value), Default::default())
    }
    #[inline]
    fn lock(&self) -> Self::Guard<'_> {
        self.0.lock()
    }
    #[inline]
    fn wait<'a>(&'a self, condition: usize, mut guard: Self::Guard<'a>) -> Self::Guard<'a> {
        self.1[condition].wait(&mut guard);
        guard
    }
    #[inline]
    fn notify_one(&self, condition: usize) {
        self.1[condition].notify_one();
    }
    #[inline]
    fn notify_all(&self, condition: usize) {
        self.1[condition].notify_all();
    }
}

/// usync's.
pub struct Usync<T>(usync::Mutex<T>, [usync::Condvar; 2]);
impl<T: Send + 'static> Monitor<T> for Usync<T> {
    const NAME: &'static str = "usync";
    type Guard<'a>
        = usync::MutexGuard<'a, T>
    where
        T: 'a;
    fn new(value: T) -> Self {
        Self(usync::Mutex::new(value), Default::default())
    }
    #[inline]
    fn lock(&self) -> Self::Guard<'_> {
        self.0.lock()
    }
    #[inline]
    fn wait<'a>(&'a self, condition: usize, mut guard: Self::Guard<'a>) -> Self::Guard<'a> {
        self.1[condition].wait(&mut guard);
        guard
    }
    #[inline]
    fn notify_one(&self, condition: usize) {
        self.1[condition].notify_one();
    }
    #[inline]
    fn notify_all(&self, condition: usize) {
        self.1[condition].notify_all();
    }
}

/// The C library's.
pub struct Pthread<T> {
    mutex: mutexes::Pthread,
    conditions: [UnsafeCell<libc::pthread_cond_t>; 2],
    value: UnsafeCell<T>,
}

// SAFETY: the value is used under the mutex alone.
unsafe impl<T: Send> Sync for Pthread<T> {}

/// The value, while the mutex is locked.
pub struct PthreadGuard<'a, T>(&'a Pthread<T>);

impl<T> Deref for PthreadGuard<'_, T> {
    type Target = T;
    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: the mutex is locked.
        unsafe { &*self.0.value.get() }
    }
}

impl<T> DerefMut for PthreadGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: the mutex is locked.
        unsafe { &mut *self.0.value.get() }
    }
}

impl<T> Drop for PthreadGuard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        self.0.mutex.unlock();
    }
}

impl<T: Send + 'static> Monitor<T> for Pthread<T> {
    const NAME: &'static str = "pthread";
    type Guard<'a>
        = PthreadGuard<'a, T>
    where
        T: 'a;
    fn new(value: T) -> Self {
        let conditions = [libc::PTHREAD_COND_INITIALIZER; 2].map(UnsafeCell::new);
        Self { mutex: mutexes::Pthread::new(), conditions, value: UnsafeCell::new(value) }
    }
    #[inline]
    fn lock(&self) -> Self::Guard<'_> {
        self.mutex.lock();
        PthreadGuard(self)
    }
    #[inline]
    fn wait<'a>(&'a self, condition: usize, guard: Self::Guard<'a>) -> Self::Guard<'a> {
        // SAFETY: both are valid, nobody moves them while they are in use, and the mutex is locked.
        unsafe { libc::pthread_cond_wait(self.conditions[condition].get(), self.mutex.mutex.get()) };
        guard
    }
    #[inline]
    fn notify_one(&self, condition: usize) {
        // SAFETY: valid, and not moved while in use.
        unsafe { libc::pthread_cond_signal(self.conditions[condition].get()) };
    }
    #[inline]
    fn notify_all(&self, condition: usize) {
        // SAFETY: valid, and not moved while in use.
        unsafe { libc::pthread_cond_broadcast(self.conditions[condition].get()) };
    }
}
