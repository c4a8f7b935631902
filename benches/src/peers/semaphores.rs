//! Permits.

use std::cell::UnsafeCell;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use super::conditions::{self, Monitor};

/// A semaphore.
pub trait Semaphore: Sync + Send + 'static {
    const NAME: &'static str;
    fn new(permits: u32) -> Self;
    /// Takes a permit for good.
    fn acquire(&self);
    /// Adds a permit.
    fn release(&self);
    /// Does something with a permit, which is given back: in the way that is usual there.
    #[inline]
    fn with<R>(&self, f: impl FnOnce() -> R) -> R {
        self.acquire();
        let result = f();
        self.release();
        result
    }
}

impl Semaphore for futon::Semaphore {
    const NAME: &'static str = "futon";
    fn new(permits: u32) -> Self {
        futon::Semaphore::new(permits)
    }
    #[inline]
    fn acquire(&self) {
        futon::Semaphore::acquire(self).forget();
    }
    #[inline]
    fn release(&self) {
        futon::Semaphore::release(self, 1).unwrap();
    }
    #[inline]
    fn with<R>(&self, f: impl FnOnce() -> R) -> R {
        let _permit = futon::Semaphore::acquire(self);
        f()
    }
}

/// The C library's.
pub struct Glibc(Box<UnsafeCell<libc::sem_t>>);

// SAFETY: a semaphore is for several threads.
unsafe impl Sync for Glibc {}
// SAFETY: as above; and it is in a box, and so is not moved.
unsafe impl Send for Glibc {}

impl Semaphore for Glibc {
    const NAME: &'static str = "sem_t";
    fn new(permits: u32) -> Self {
        // SAFETY: an all-zero semaphore is a valid value of this plain C struct.
        let semaphore = Box::new(UnsafeCell::new(unsafe { std::mem::zeroed() }));
        // SAFETY: the place is valid.
        let result = unsafe { libc::sem_init(semaphore.get(), 0, permits) };
        assert_eq!(result, 0);
        Self(semaphore)
    }
    #[inline]
    fn acquire(&self) {
        // SAFETY: it is initialized. A signal ends the call, and then it is to be called again.
        while unsafe { libc::sem_wait(self.0.get()) } != 0 {}
    }
    #[inline]
    fn release(&self) {
        // SAFETY: it is initialized.
        let result = unsafe { libc::sem_post(self.0.get()) };
        debug_assert_eq!(result, 0);
    }
}

/// tokio's, with threads that block in the place of tasks.
pub struct Tokio(tokio::sync::Semaphore);
impl Semaphore for Tokio {
    const NAME: &'static str = "tokio";
    fn new(permits: u32) -> Self {
        Self(tokio::sync::Semaphore::new(permits as usize))
    }
    #[inline]
    fn acquire(&self) {
        block_on(self.0.acquire()).unwrap().forget();
    }
    #[inline]
    fn release(&self) {
        self.0.add_permits(1);
    }
    #[inline]
    fn with<R>(&self, f: impl FnOnce() -> R) -> R {
        let _permit = block_on(self.0.acquire()).unwrap();
        f()
    }
}

/// async-lock's, which can block by itself.
pub struct AsyncLock(async_lock::Semaphore);
impl Semaphore for AsyncLock {
    const NAME: &'static str = "async-lock";
    fn new(permits: u32) -> Self {
        Self(async_lock::Semaphore::new(permits as usize))
    }
    #[inline]
    fn acquire(&self) {
        self.0.acquire_blocking().forget();
    }
    #[inline]
    fn release(&self) {
        self.0.add_permits(1);
    }
    #[inline]
    fn with<R>(&self, f: impl FnOnce() -> R) -> R {
        let _permit = self.0.acquire_blocking();
        f()
    }
}

/// A number under a mutex, with a condition variable: what is written where there is no semaphore.
pub struct Counted<M>(M);
impl<M: Monitor<u32>> Semaphore for Counted<M> {
    const NAME: &'static str = M::NAME;
    fn new(permits: u32) -> Self {
        Self(M::new(permits))
    }
    #[inline]
    fn acquire(&self) {
        *self.0.wait_while(0, self.0.lock(), |permits| *permits == 0) -= 1;
    }
    #[inline]
    fn release(&self) {
        *self.0.lock() += 1;
        self.0.notify_one(0);
    }
}
pub type Std = Counted<conditions::Std<u32>>;
pub type ParkingLot = Counted<conditions::ParkingLot<u32>>;

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

thread_local! {
    static WAKER: Waker = Waker::from(Arc::new(Unpark(thread::current())));
}

/// Blocks the thread until the future is ready. The waker is made once for each thread.
#[inline]
fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    WAKER.with(|waker| {
        let mut context = Context::from_waker(waker);
        loop {
            match future.as_mut().poll(&mut context) {
                Poll::Ready(output) => return output,
                Poll::Pending => thread::park(),
            }
        }
    })
}
