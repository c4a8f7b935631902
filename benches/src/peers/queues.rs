//! Queues between threads.

use std::cell::UnsafeCell;
use std::sync::mpsc;

/// A queue with room for so many items, or for any number.
pub trait Queue: Send + Sync + 'static {
    const NAME: &'static str;
    /// Whether several threads can get items at once.
    const HAS_MANY_GETTERS: bool = true;
    fn new(capacity: Option<usize>) -> Self;
    fn put(&self, item: u64);
    fn get(&self) -> u64;
}

impl Queue for futon::Queue<u64> {
    const NAME: &'static str = "futon";

    fn new(capacity: Option<usize>) -> Self {
        capacity.map_or_else(Self::new, Self::bounded)
    }

    #[inline]
    fn put(&self, item: u64) {
        self.put(item).unwrap();
    }

    #[inline]
    fn get(&self) -> u64 {
        self.get().unwrap()
    }
}

macro_rules! channel {
    ($type:ident, $module:ident, $name:literal) => {
        pub struct $type {
            sender: $module::Sender<u64>,
            receiver: $module::Receiver<u64>,
        }

        impl Queue for $type {
            const NAME: &'static str = $name;

            fn new(capacity: Option<usize>) -> Self {
                let (sender, receiver) = capacity.map_or_else($module::unbounded, $module::bounded);
                Self { sender, receiver }
            }

            #[inline]
            fn put(&self, item: u64) {
                self.sender.send(item).unwrap();
            }

            #[inline]
            fn get(&self) -> u64 {
                self.receiver.recv().unwrap()
            }
        }
    };
}

channel!(Crossbeam, crossbeam_channel, "crossbeam");
channel!(Flume, flume, "flume");
channel!(Kanal, kanal, "kanal");

/// For one thread that gets.
pub struct Std {
    sender: StdSender,
    receiver: UnsafeCell<mpsc::Receiver<u64>>,
}

enum StdSender {
    Bounded(mpsc::SyncSender<u64>),
    Unbounded(mpsc::Sender<u64>),
}

// SAFETY: the receiver, which alone is not `Sync`, is used by one thread.
unsafe impl Sync for Std {}

impl Queue for Std {
    const NAME: &'static str = "std";
    const HAS_MANY_GETTERS: bool = false;

    fn new(capacity: Option<usize>) -> Self {
        let (sender, receiver) = match capacity {
            Some(capacity) => {
                let (sender, receiver) = mpsc::sync_channel(capacity);
                (StdSender::Bounded(sender), receiver)
            }
            None => {
                let (sender, receiver) = mpsc::channel();
                (StdSender::Unbounded(sender), receiver)
            }
        };
        Self { sender, receiver: UnsafeCell::new(receiver) }
    }

    #[inline]
    fn put(&self, item: u64) {
        match &self.sender {
            StdSender::Bounded(sender) => sender.send(item).unwrap(),
            StdSender::Unbounded(sender) => sender.send(item).unwrap(),
        }
    }

    #[inline]
    fn get(&self) -> u64 {
        // SAFETY: one thread gets, as `HAS_MANY_GETTERS` tells the benchmark.
        unsafe { &*self.receiver.get() }.recv().unwrap()
    }
}
