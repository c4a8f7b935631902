//! The event beside what std offers in its place, a flag under a mutex with a condition variable.

use std::hint::black_box;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Condvar, Mutex};

use criterion::Criterion;
use futon::Event;
use futon_benches::{alone, compare};

#[derive(Default)]
struct StdEvent {
    is_set: Mutex<bool>,
    was_set: Condvar,
}

impl StdEvent {
    fn set(&self) {
        *self.is_set.lock().unwrap() = true;
        self.was_set.notify_all();
    }

    fn clear(&self) {
        *self.is_set.lock().unwrap() = false;
    }

    fn wait(&self) {
        let guard = self.is_set.lock().unwrap();
        drop(self.was_set.wait_while(guard, |is_set| !*is_set).unwrap());
    }
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let (std, futon, limit) = (StdEvent::default(), Event::new(), AtomicU32::new(0));

    compare(
        &mut criterion,
        "event, set and clear without waiters",
        &[
            (
                "std",
                alone(|| {
                    black_box(&std).set();
                    black_box(&std).clear();
                }),
            ),
            (
                "futon",
                alone(|| {
                    black_box(&futon).set();
                    black_box(&futon).clear();
                }),
            ),
            (
                "limit",
                alone(|| {
                    black_box(&limit).fetch_or(1, Ordering::Release);
                    black_box(&limit).fetch_and(!1, Ordering::Acquire)
                }),
            ),
        ],
    );

    std.set();
    futon.set();
    compare(
        &mut criterion,
        "event, wait when set",
        &[
            ("std", alone(|| black_box(&std).wait())),
            ("futon", alone(|| black_box(&futon).wait())),
            ("limit", alone(|| black_box(&limit).load(Ordering::Acquire))),
        ],
    );
    criterion.final_summary();
}
