//! What CPython tests of its queues, under the names that it has there: those of `test_queue.py`.
//!
//! Its `BaseQueueTestMixin` is about all three of them, and so are the tests here.

use super::*;

/// Python's `QUEUE_SIZE`.
const SIZE: usize = 5;
const SHORT: Duration = Duration::from_millis(10);

/// What is tested of each of the three queues.
trait Kind {
    type Container: Container<i32> + Default + Send + 'static;

    /// In which order 111, 333 and 222 come out.
    const ORDER: [i32; 3];

    fn unbounded() -> Queue<i32, Self::Container> {
        Queue::default()
    }

    fn bounded(capacity: usize) -> Queue<i32, Self::Container> {
        Queue::bounded_with_container(capacity, Self::Container::default())
    }
}

struct Fifo;
struct Lifo;
struct Priority;

impl Kind for Fifo {
    type Container = VecDeque<i32>;
    const ORDER: [i32; 3] = [111, 333, 222];
}

impl Kind for Lifo {
    type Container = Vec<i32>;
    const ORDER: [i32; 3] = [222, 333, 111];
}

impl Kind for Priority {
    type Container = MinHeap<i32>;
    const ORDER: [i32; 3] = [111, 222, 333];
}

/// Runs what blocks, and what lets it go on when it does.
fn blocking<R: Send>(
    block: impl FnOnce() -> R + Send,
    blocks: impl Fn() -> bool,
    trigger: impl FnOnce(),
) -> R {
    thread::scope(|s| {
        let blocked = s.spawn(block);
        wait_until(|| blocks() || blocked.is_finished());
        assert!(!blocked.is_finished(), "it appeared not to block");
        trigger();
        blocked.join().unwrap_or_else(|panic| resume_unwind(panic))
    })
}

#[test]
fn test_queue_task_done() {
    fn check<K: Kind>() {
        assert_eq!(K::unbounded().task_done(), Err(TaskDoneError));
    }
    check::<Fifo>();
    check::<Lifo>();
    check::<Priority>();
}

#[test]
fn test_queue_join() {
    fn join<C: Container<i32> + Send>(queue: &Queue<i32, C>) {
        let sum = Mutex::new(0);
        thread::scope(|s| {
            for _ in 0..2 {
                s.spawn(|| {
                    loop {
                        let number = queue.get().unwrap();
                        if number >= 0 {
                            *sum.lock().unwrap() += number;
                        }
                        queue.task_done().unwrap();
                        if number < 0 {
                            return;
                        }
                    }
                });
            }
            (0..100).for_each(|number| queue.put(number).unwrap());
            queue.join();
            assert_eq!(*sum.lock().unwrap(), (0..100).sum::<i32>());
            // They are to end. And one can join twice.
            (0..2).for_each(|_| queue.put(-1).unwrap());
            queue.join();
        });
    }
    fn check<K: Kind>() {
        let queue = K::unbounded();
        join(&queue);
        join(&queue);
        assert!(queue.task_done().is_err());
    }
    let _limit = limit();
    check::<Fifo>();
    check::<Lifo>();
    check::<Priority>();
}

#[test]
fn test_basic() {
    fn basic<K: Kind>(queue: &Queue<i32, K::Container>) {
        assert!(queue.is_empty() && !queue.is_full());
        [111, 333, 222].into_iter().for_each(|number| queue.put(number).unwrap());
        assert_eq!([(); 3].map(|()| queue.get().unwrap()), K::ORDER);
        for number in 0..SIZE as i32 - 1 {
            queue.put(number).unwrap();
            assert!(!queue.is_empty() && !queue.is_full());
        }
        let (last, full) = (2 * SIZE as i32, 6 * SIZE as i32);
        queue.put(last).unwrap();
        assert!(!queue.is_empty() && queue.is_full());
        assert_eq!(queue.try_put(full), Err(PutError::Full(full)));
        assert_eq!(queue.put_timeout(full, SHORT), Err(PutError::Full(full)));
        let waits_for_room = || queue.putters() == 1;
        let get = || assert!(queue.get().is_ok());
        blocking(|| queue.put(full), waits_for_room, get).unwrap();
        blocking(|| queue.put_timeout(full, LONG), waits_for_room, get).unwrap();
        (0..SIZE).for_each(|_| get());
        assert!(queue.is_empty());
        assert_eq!(queue.try_get(), Err(GetError::Empty));
        assert_eq!(queue.get_timeout(SHORT), Err(GetError::Empty));
        let waits_for_item = || queue.getters() == 1;
        let put = || queue.put(7).unwrap();
        assert_eq!(blocking(|| queue.get(), waits_for_item, put), Ok(7));
        assert_eq!(blocking(|| queue.get_timeout(LONG), waits_for_item, put), Ok(7));
    }
    fn check<K: Kind>() {
        let queue = K::bounded(SIZE);
        basic::<K>(&queue);
        basic::<K>(&queue);
    }
    let _limit = limit();
    check::<Fifo>();
    check::<Lifo>();
    check::<Priority>();
}

#[test]
fn test_nowait() {
    fn check<K: Kind>() {
        let queue = K::bounded(SIZE);
        (0..SIZE).for_each(|_| queue.try_put(1).unwrap());
        assert_eq!(queue.try_put(1), Err(PutError::Full(1)));
        (0..SIZE).for_each(|_| assert_eq!(queue.try_get(), Ok(1)));
        assert_eq!(queue.try_get(), Err(GetError::Empty));
    }
    check::<Fifo>();
    check::<Lifo>();
    check::<Priority>();
}

/// Here the capacity stays, but there may be more in the container than that.
#[test]
fn test_shrinking_queue() {
    fn check<K: Kind>() {
        let queue = K::bounded(3);
        (1..=3).for_each(|number| queue.put(number).unwrap());
        assert_eq!(queue.try_put(4), Err(PutError::Full(4)));
        assert_eq!(queue.len(), 3);
        let queue = Queue::bounded_with_container(2, queue.into_inner());
        assert_eq!(queue.try_put(4), Err(PutError::Full(4)));
        assert!(queue.get().is_ok());
        assert_eq!(queue.try_put(4), Err(PutError::Full(4)));
        assert!(queue.get().is_ok());
        assert_eq!(queue.try_put(4), Ok(()));
    }
    check::<Fifo>();
    check::<Lifo>();
    check::<Priority>();
}

#[test]
fn test_shutdown_empty() {
    fn check<K: Kind>() {
        let queue = K::unbounded();
        queue.close();
        assert_eq!(queue.put(1), Err(Closed(1)));
        assert_eq!(queue.get(), Err(Closed(())));
    }
    check::<Fifo>();
    check::<Lifo>();
    check::<Priority>();
}

#[test]
fn test_shutdown_nonempty() {
    fn check<K: Kind>() {
        let queue = K::unbounded();
        queue.put(1).unwrap();
        queue.close();
        assert_eq!(queue.get(), Ok(1));
        assert_eq!(queue.get(), Err(Closed(())));
    }
    check::<Fifo>();
    check::<Lifo>();
    check::<Priority>();
}

#[test]
fn test_shutdown_immediate() {
    fn check<K: Kind>() {
        let queue = K::unbounded();
        queue.put(1).unwrap();
        assert_eq!(queue.close_now().pop(), Some(1));
        assert_eq!(queue.get(), Err(Closed(())));
    }
    check::<Fifo>();
    check::<Lifo>();
    check::<Priority>();
}

#[test]
fn test_shutdown_allowed_transitions() {
    fn check<K: Kind>() {
        let queue = K::unbounded();
        assert!(!queue.is_closed());
        queue.close();
        assert!(queue.is_closed());
        drop(queue.close_now());
        assert!(queue.is_closed());
        queue.close();
        assert!(queue.is_closed());
    }
    check::<Fifo>();
    check::<Lifo>();
    check::<Priority>();
}

/// Closes it in one way or the other.
fn close<C: Container<i32> + Default>(queue: &Queue<i32, C>, is_immediate: bool) {
    if is_immediate {
        drop(queue.close_now());
    } else {
        queue.close();
    }
}

fn all_methods_in_one_thread<K: Kind>(is_immediate: bool) {
    let queue = K::bounded(2);
    queue.put(1).unwrap();
    queue.try_put(2).unwrap();
    close(&queue, is_immediate);
    assert_eq!(queue.put(3), Err(Closed(3)));
    assert_eq!(queue.try_put(4), Err(PutError::Closed(4)));
    if is_immediate {
        assert!(queue.task_done().is_err());
    } else {
        for _ in 0..2 {
            assert!(matches!(queue.get(), Ok(1 | 2)));
            queue.task_done().unwrap();
        }
    }
    queue.join();
    assert_eq!(queue.get(), Err(Closed(())));
    assert_eq!(queue.try_get(), Err(GetError::Closed));
    assert_eq!(queue.get_timeout(Duration::from_secs(1)), Err(GetError::Closed));
}

#[test]
fn test_shutdown_all_methods_in_one_thread() {
    let _limit = limit();
    all_methods_in_one_thread::<Fifo>(false);
    all_methods_in_one_thread::<Lifo>(false);
    all_methods_in_one_thread::<Priority>(false);
}

#[test]
fn test_shutdown_immediate_all_methods_in_one_thread() {
    let _limit = limit();
    all_methods_in_one_thread::<Fifo>(true);
    all_methods_in_one_thread::<Lifo>(true);
    all_methods_in_one_thread::<Priority>(true);
}

/// Four threads put, six get and two join, while one closes.
fn all_methods_in_many_threads<K: Kind>(is_immediate: bool) {
    const WRITERS: usize = 4;
    const READERS: usize = 6;
    let queue = &K::unbounded();
    let each = rounds(4_000) as i32;
    let joiners = if is_immediate { 2 } else { 0 };
    let start = &futon::Barrier::new((WRITERS + READERS + joiners) as u32);
    let shutdown = &Event::new();
    thread::scope(|s| {
        let writers: Vec<_> = (0..WRITERS)
            .map(|_| {
                s.spawn(move || {
                    // At least one for each reader.
                    (0..each / 4 + 2).for_each(|number| queue.put(number).unwrap());
                    start.wait().unwrap();
                    for number in each / 4..each {
                        if queue.put(number).is_err() {
                            return false;
                        }
                        if number == each / 2 {
                            shutdown.set();
                        }
                    }
                    true
                })
            })
            .collect();
        let readers: Vec<_> = (0..READERS)
            .map(|_| {
                s.spawn(move || {
                    queue.get().unwrap();
                    queue.task_done().unwrap();
                    start.wait().unwrap();
                    loop {
                        match queue.try_get() {
                            Ok(_) => queue.task_done().unwrap(),
                            Err(GetError::Empty) => thread::yield_now(),
                            Err(GetError::Closed) => return,
                        }
                    }
                })
            })
            .collect();
        for _ in 0..joiners {
            s.spawn(move || {
                start.wait().unwrap();
                queue.join();
            });
        }
        shutdown.wait();
        close(queue, is_immediate);
        assert!(!is_immediate || queue.is_empty());
        readers.into_iter().for_each(|reader| reader.join().unwrap());
        writers.into_iter().for_each(|writer| _ = writer.join().unwrap());
    });
    assert!(queue.is_empty() && queue.task_done().is_err());
    assert_left(queue);
}

#[test]
fn test_shutdown_all_methods_in_many_threads() {
    let _limit = limit();
    all_methods_in_many_threads::<Fifo>(false);
    all_methods_in_many_threads::<Lifo>(false);
    all_methods_in_many_threads::<Priority>(false);
}

#[test]
fn test_shutdown_immediate_all_methods_in_many_threads() {
    let _limit = limit();
    all_methods_in_many_threads::<Fifo>(true);
    all_methods_in_many_threads::<Lifo>(true);
    all_methods_in_many_threads::<Priority>(true);
}

/// Two items, and more threads that want one.
fn shutdown_get<K: Kind>(is_immediate: bool) {
    let queue = &K::bounded(2);
    let go = &Event::new();
    (1..=2).for_each(|number| queue.put(number).unwrap());
    thread::scope(|s| {
        let getters: Vec<_> = (0..3)
            .map(|_| {
                s.spawn(move || {
                    go.wait();
                    queue.get()
                })
            })
            .collect();
        close(queue, is_immediate);
        go.set();
        let got: Vec<_> =
            getters.into_iter().filter_map(|getter| getter.join().unwrap().ok()).collect();
        assert_eq!(got.len(), if is_immediate { 0 } else { 2 });
    });
}

#[test]
fn test_shutdown_get() {
    let _limit = limit();
    shutdown_get::<Fifo>(false);
    shutdown_get::<Lifo>(false);
    shutdown_get::<Priority>(false);
}

#[test]
fn test_shutdown_immediate_get() {
    let _limit = limit();
    shutdown_get::<Fifo>(true);
    shutdown_get::<Lifo>(true);
    shutdown_get::<Priority>(true);
}

/// No room, and two threads that wait for it, or are about to.
fn shutdown_put<K: Kind>(is_immediate: bool) {
    let queue = &K::bounded(2);
    let go = &Event::new();
    (1..=2).for_each(|number| queue.put(number).unwrap());
    thread::scope(|s| {
        let waiting = s.spawn(move || queue.put(3));
        wait_until(|| queue.putters() == 1);
        let late = s.spawn(move || {
            go.wait();
            queue.put(4)
        });
        close(queue, is_immediate);
        go.set();
        assert_eq!(waiting.join().unwrap(), Err(Closed(3)));
        assert_eq!(late.join().unwrap(), Err(Closed(4)));
    });
}

#[test]
fn test_shutdown_put() {
    let _limit = limit();
    shutdown_put::<Fifo>(false);
    shutdown_put::<Lifo>(false);
    shutdown_put::<Priority>(false);
}

#[test]
fn test_shutdown_immediate_put() {
    let _limit = limit();
    shutdown_put::<Fifo>(true);
    shutdown_put::<Lifo>(true);
    shutdown_put::<Priority>(true);
}

/// Two threads wait for the work: for the thread that does it, or until the queue is closed with nothing to be done.
fn shutdown_join<K: Kind>(is_immediate: bool) {
    let queue = &K::unbounded();
    queue.put(1).unwrap();
    thread::scope(|s| {
        (0..2).for_each(|_| _ = s.spawn(move || queue.join()));
        wait_until(|| queue.joiners() == 2);
        close(queue, is_immediate);
        if !is_immediate {
            assert_eq!(queue.joiners(), 2);
            assert_eq!(queue.get(), Ok(1));
            queue.task_done().unwrap();
        }
    });
    assert_left(queue);
}

#[test]
fn test_shutdown_immediate_join() {
    let _limit = limit();
    shutdown_join::<Fifo>(true);
    shutdown_join::<Lifo>(true);
    shutdown_join::<Priority>(true);
}

#[test]
fn test_shutdown_join() {
    let _limit = limit();
    shutdown_join::<Fifo>(false);
    shutdown_join::<Lifo>(false);
    shutdown_join::<Priority>(false);
}

fn shutdown_put_join<K: Kind>(is_immediate: bool) {
    let queue = &K::bounded(2);
    let go = &Event::new();
    queue.put(1).unwrap();
    thread::scope(|s| {
        let putter = s.spawn(move || {
            go.wait();
            queue.put(2)
        });
        let joiner = s.spawn(move || queue.join());
        wait_until(|| queue.joiners() == 1);
        close(queue, is_immediate);
        go.set();
        if is_immediate {
            assert_eq!(queue.try_get(), Err(GetError::Closed));
        } else {
            assert_eq!(queue.get(), Ok(1));
            queue.task_done().unwrap();
        }
        assert_eq!(putter.join().unwrap(), Err(Closed(2)));
        joiner.join().unwrap();
    });
}

#[test]
fn test_shutdown_immediate_put_join() {
    let _limit = limit();
    shutdown_put_join::<Fifo>(true);
    shutdown_put_join::<Lifo>(true);
    shutdown_put_join::<Priority>(true);
}

#[test]
fn test_shutdown_put_join() {
    let _limit = limit();
    shutdown_put_join::<Fifo>(false);
    shutdown_put_join::<Lifo>(false);
    shutdown_put_join::<Priority>(false);
}

#[test]
fn test_shutdown_get_task_done_join() {
    fn check<K: Kind>() {
        let queue = &K::bounded(2);
        let go = &Event::new();
        (1..=2).for_each(|number| queue.put(number).unwrap());
        thread::scope(|s| {
            for _ in 0..2 {
                s.spawn(move || {
                    go.wait();
                    assert!(queue.get().is_ok());
                    queue.task_done().unwrap();
                });
                s.spawn(move || queue.join());
            }
            wait_until(|| queue.joiners() == 2);
            go.set();
            queue.close();
        });
        assert!(queue.is_empty());
        assert_left(queue);
    }
    let _limit = limit();
    check::<Fifo>();
    check::<Lifo>();
    check::<Priority>();
}

#[test]
fn test_shutdown_pending_get() {
    fn check<K: Kind>() {
        let queue = K::unbounded();
        let got = blocking(|| queue.get(), || queue.getters() == 1, || queue.close());
        assert_eq!(got, Err(Closed(())));
    }
    let _limit = limit();
    check::<Fifo>();
    check::<Lifo>();
    check::<Priority>();
}

/// A container that fails when it is told to. An item that is handed to a thread which waits does not go through it.
#[test]
fn test_failing_queue() {
    struct Failing<'a> {
        items: VecDeque<i32>,
        next_put_fails: &'a AtomicBool,
        next_get_fails: &'a AtomicBool,
    }
    impl Container<i32> for Failing<'_> {
        fn push(&mut self, item: i32) {
            if self.next_put_fails.swap(false, SeqCst) {
                panic_quietly();
            }
            self.items.push_back(item);
        }
        fn pop(&mut self) -> Option<i32> {
            if self.next_get_fails.swap(false, SeqCst) {
                panic_quietly();
            }
            self.items.pop_front()
        }
        fn len(&self) -> usize {
            self.items.len()
        }
    }
    fn check(
        queue: &Queue<i32, Failing<'_>>,
        next_put_fails: &AtomicBool,
        next_get_fails: &AtomicBool,
    ) {
        assert!(queue.is_empty());
        let failing_put = |put: &dyn Fn()| {
            next_put_fails.store(true, SeqCst);
            panics(put);
        };
        let failing_get = |get: &dyn Fn()| {
            next_get_fails.store(true, SeqCst);
            panics(get);
        };
        (0..SIZE as i32 - 1).for_each(|number| queue.put(number).unwrap());
        failing_put(&|| queue.try_put(7).unwrap());
        failing_put(&|| queue.put_timeout(7, LONG).unwrap());
        queue.put(8).unwrap();
        assert!(queue.is_full());
        // A put that blocks fails as the get lets it in, and the get succeeds.
        let waits_for_room = || queue.putters() == 1;
        let get = || assert!(queue.get().is_ok());
        failing_put(&|| blocking(|| queue.put(9), waits_for_room, get).unwrap());
        queue.put(8).unwrap();
        failing_put(&|| blocking(|| queue.put_timeout(9, LONG), waits_for_room, get).unwrap());
        queue.put(8).unwrap();
        assert!(queue.is_full());
        get();
        assert!(!queue.is_full());
        queue.put(8).unwrap();
        assert!(queue.is_full());
        blocking(|| queue.put(9), waits_for_room, get).unwrap();
        (0..SIZE).for_each(|_| get());
        assert!(queue.is_empty());

        queue.put(1).unwrap();
        failing_get(&|| assert!(queue.get().is_ok()));
        assert!(!queue.is_empty());
        failing_get(&|| assert!(queue.get_timeout(LONG).is_ok()));
        assert!(!queue.is_empty());
        get();
        assert!(queue.is_empty());
        assert_left(queue);
    }
    let _limit = limit();
    let [next_put_fails, next_get_fails] = [const { AtomicBool::new(false) }; 2];
    let container = Failing {
        items: VecDeque::new(),
        next_put_fails: &next_put_fails,
        next_get_fails: &next_get_fails,
    };
    let queue = Queue::bounded_with_container(SIZE, container);
    check(&queue, &next_put_fails, &next_get_fails);
    check(&queue, &next_put_fails, &next_get_fails);
}

/// The tests of Python's `SimpleQueue`, which is a queue without a limit.
mod simple {
    use super::*;

    #[test]
    fn test_basic() {
        let _limit = limit();
        let queue = Queue::new();
        assert!(queue.is_empty());
        queue.put(1).unwrap();
        assert_eq!((queue.is_empty(), queue.len()), (false, 1));
        queue.put(2).unwrap();
        queue.try_put(3).unwrap();
        queue.put(4).unwrap();
        assert_eq!(queue.len(), 4);
        assert_eq!((queue.get(), queue.len()), (Ok(1), 3));
        assert_eq!((queue.try_get(), queue.len()), (Ok(2), 2));
        assert_eq!((queue.get_timeout(Duration::ZERO), queue.is_empty()), (Ok(3), false));
        assert_eq!((queue.get_timeout(SHORT), queue.is_empty()), (Ok(4), true));
        assert_eq!(queue.try_get(), Err(GetError::Empty));
        assert_eq!(queue.get_timeout(Duration::from_millis(1)), Err(GetError::Empty));
        assert!(queue.is_empty());
    }

    /// So many threads put these in, so many get them in this way, until each has found an end.
    fn run(
        threads: usize,
        items: usize,
        get: impl Fn(&Queue<Option<usize>>) -> Option<usize> + Sync,
    ) -> Vec<usize> {
        let (queue, results) = (Queue::new(), Mutex::new(Vec::new()));
        let inputs = Mutex::new((0..items).rev().collect::<Vec<_>>());
        thread::scope(|s| {
            for thread in 0..threads {
                let (queue, inputs, results, get) = (&queue, &inputs, &results, &get);
                s.spawn(move || {
                    let mut random = Random::new(42 + thread as u64);
                    loop {
                        let input = inputs.lock().unwrap().pop();
                        queue.put(input).unwrap();
                        if input.is_none() {
                            return;
                        }
                        if random.below(100) == 0 {
                            thread::yield_now();
                        }
                    }
                });
                s.spawn(move || {
                    while let Some(item) = get(queue) {
                        results.lock().unwrap().push(item);
                    }
                });
            }
        });
        assert!(queue.is_empty());
        results.into_inner().unwrap()
    }

    /// Of one that puts and one that gets.
    #[test]
    fn test_order() {
        let _limit = limit();
        assert!(run(1, 100, |queue| queue.get().unwrap()).into_iter().eq(0..100));
    }

    #[track_caller]
    fn assert_are_all(mut results: Vec<usize>, items: usize) {
        results.sort_unstable();
        assert!(results.into_iter().eq(0..items));
    }

    #[test]
    fn test_many_threads() {
        let _limit = limit();
        let items = rounds(10_000);
        assert_are_all(run(rounds(50), items, |queue| queue.get().unwrap()), items);
    }

    #[test]
    fn test_many_threads_nonblock() {
        let _limit = limit();
        let items = rounds(10_000);
        let get = |queue: &Queue<_>| {
            loop {
                match queue.try_get() {
                    Ok(item) => return item,
                    Err(_) => thread::yield_now(),
                }
            }
        };
        assert_are_all(run(rounds(50), items, get), items);
    }

    #[test]
    fn test_many_threads_timeout() {
        let _limit = limit();
        let items = rounds(1_000);
        let get = |queue: &Queue<_>| {
            loop {
                if let Ok(item) = queue.get_timeout(Duration::from_micros(10)) {
                    return item;
                }
            }
        };
        assert_are_all(run(rounds(50), items, get), items);
    }

    /// What has left the queue is not kept by it.
    #[test]
    fn test_references() {
        let queue = Queue::new();
        (0..20).for_each(|number| queue.put(Arc::new(number)).unwrap());
        for _ in 0..20 {
            let item = Arc::downgrade(&queue.get().unwrap());
            assert_eq!(item.strong_count(), 0);
        }
    }

    /// An item may put others in as it is dropped, between any two calls.
    #[test]
    fn test_reentrancy() {
        struct Circular<'a>(&'a Queue<usize>, &'a Cell<usize>);
        impl Drop for Circular<'_> {
            fn drop(&mut self) {
                self.0.put(self.1.replace(self.1.get() + 1)).unwrap();
            }
        }
        let _limit = limit();
        let (queue, next) = (Queue::new(), Cell::new(0));
        let last = rounds(10_000);
        let mut results = Vec::new();
        while results.last() != Some(&last) {
            let item = Circular(&queue, &next);
            queue.put(next.replace(next.get() + 1)).unwrap();
            drop(item);
            results.push(queue.get().unwrap());
        }
        assert!(results.into_iter().eq(0..=last));
    }
}
