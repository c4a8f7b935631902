//! The event.

use futon::Event;

use crate::{new, seconds};

/// `Event()`
#[unsafe(no_mangle)]
pub extern "C" fn futon_event_new() -> Box<Event> {
    new(Event::new())
}

/// The end of it.
#[unsafe(no_mangle)]
pub extern "C" fn futon_event_free(_: Option<Box<Event>>) {}

/// `set()`
#[unsafe(no_mangle)]
pub extern "C" fn futon_event_set(event: &Event) {
    event.set();
}

/// `clear()`
#[unsafe(no_mangle)]
pub extern "C" fn futon_event_clear(event: &Event) {
    event.clear();
}

/// `is_set()`
#[unsafe(no_mangle)]
pub extern "C" fn futon_event_is_set(event: &Event) -> bool {
    event.is_set()
}

/// `wait(timeout)`
#[unsafe(no_mangle)]
pub extern "C" fn futon_event_wait(event: &Event, timeout: Option<&f64>) -> bool {
    match timeout {
        Some(timeout) => event.wait_timeout(seconds(timeout)),
        None => {
            event.wait();
            true
        }
    }
}
