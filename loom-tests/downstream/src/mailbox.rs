//! A place for one message, from a lock and an event.

use std::time::{Duration, Instant};

use futon::{Event, Lock};

/// A place for one message at a time, between any number of threads.
///
/// The event says whether there is a message. It changes under the lock only, so that the two never
/// contradict each other for those who have the lock.
pub struct Mailbox<T> {
    message: Lock<Option<T>>,
    has_mail: Event,
}

impl<T> Mailbox<T> {
    /// An empty mailbox.
    pub const fn new() -> Self {
        Self { message: Lock::new(None), has_mail: Event::new() }
    }

    /// Leaves a message. If there is one already, this one is given back.
    pub fn put(&self, message: T) -> Result<(), T> {
        let mut slot = self.message.acquire();
        if slot.is_some() {
            return Err(message);
        }
        *slot = Some(message);
        self.has_mail.set();
        Ok(())
    }

    /// Takes the message, if there is one.
    pub fn try_take(&self) -> Option<T> {
        let mut slot = self.message.acquire();
        let message = slot.take();
        if message.is_some() {
            self.has_mail.clear();
        }
        message
    }

    /// Takes the message, and waits for it if there is none.
    pub fn take(&self) -> T {
        loop {
            self.has_mail.wait();
            // Somebody else may have been faster.
            if let Some(message) = self.try_take() {
                return message;
            }
        }
    }

    /// Takes the message, and waits for it for at most `timeout`.
    pub fn take_timeout(&self, timeout: Duration) -> Option<T> {
        let Some(deadline) = Instant::now().checked_add(timeout) else {
            return Some(self.take());
        };
        while self.has_mail.wait_deadline(deadline) {
            if let Some(message) = self.try_take() {
                return Some(message);
            }
        }
        None
    }

    /// How many threads wait for a message.
    pub fn waiters(&self) -> usize {
        self.has_mail.waiters()
    }
}

impl<T> Default for Mailbox<T> {
    fn default() -> Self {
        Self::new()
    }
}
