//! A flag that threads wait for.

use rsevents::Awaitable;

use super::conditions::{self, Monitor};
use super::{ALL, Futex};

/// An event.
pub trait Event: Sync + Send + 'static {
    const NAME: &'static str;
    fn new() -> Self;
    fn set(&self);
    fn clear(&self);
    fn wait(&self);
}

impl Event for futon::Event {
    const NAME: &'static str = "futon";
    fn new() -> Self {
        futon::Event::new()
    }
    #[inline]
    fn set(&self) {
        futon::Event::set(self);
    }
    #[inline]
    fn clear(&self) {
        futon::Event::clear(self);
    }
    #[inline]
    fn wait(&self) {
        futon::Event::wait(self);
    }
}

impl Event for rsevents::ManualResetEvent {
    const NAME: &'static str = "rsevents";
    fn new() -> Self {
        rsevents::ManualResetEvent::new(rsevents::EventState::Unset)
    }
    #[inline]
    fn set(&self) {
        rsevents::ManualResetEvent::set(self);
    }
    #[inline]
    fn clear(&self) {
        self.reset();
    }
    #[inline]
    fn wait(&self) {
        Awaitable::wait(self);
    }
}

/// A flag under a mutex, with a condition variable: what is written where there is no event.
pub struct Flag<M>(M);
impl<M: Monitor<bool>> Event for Flag<M> {
    const NAME: &'static str = M::NAME;
    fn new() -> Self {
        Self(M::new(false))
    }
    #[inline]
    fn set(&self) {
        *self.0.lock() = true;
        self.0.notify_all(0);
    }
    #[inline]
    fn clear(&self) {
        *self.0.lock() = false;
    }
    #[inline]
    fn wait(&self) {
        drop(self.0.wait_while(0, self.0.lock(), |is_set| !is_set));
    }
}
pub type Std = Flag<conditions::Std<bool>>;
pub type ParkingLot = Flag<conditions::ParkingLot<bool>>;

impl Event for Futex {
    const NAME: &'static str = "limit: bare futex";
    fn new() -> Self {
        Self::default()
    }
    fn set(&self) {
        Futex::set(self, 1, ALL);
    }
    fn clear(&self) {
        self.0.store(0, std::sync::atomic::Ordering::Release);
    }
    fn wait(&self) {
        Futex::wait(self, 0);
    }
}
