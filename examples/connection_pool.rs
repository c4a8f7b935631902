//! A few connections, many threads that want one: a semaphore counts what is left.
//!
//! ```text
//! cargo run --release --example connection_pool -- 4 16 1000
//! ```
//!
//! What to look at:
//!
//! * The semaphore counts, the lock guards the list. Whoever has a permit finds a connection: the waiting
//!   is done before the list is touched, and the list is locked for a moment only.
//! * A [`Checkout`] is a connection *and* its permit. Dropped, also by a panic, it puts the connection back
//!   first and gives the permit back then: that is the order of `drop` and of the fields below it.
//! * Where a thread can not wait for ever, [`BoundedSemaphore::acquire_timeout`] says so, and it is the only
//!   place that has to know about time.
//! * A *bounded* semaphore refuses permits that nobody took. With a plain one, a `release` too many
//!   would let somebody in who finds no connection, much later and somewhere else.

mod sizes;

use std::ops::{Deref, DerefMut};
use std::panic::resume_unwind;
use std::thread;
use std::time::Duration;

use futon::{BoundedSemaphore, Lock, Permit};

/// What is expensive to open.
struct Connection {
    queries: usize,
}

impl Connection {
    /// Something to compute, which takes the connection for itself (`&mut`).
    fn square(&mut self, number: u64) -> u64 {
        self.queries += 1;
        number * number
    }
}

struct Pool {
    idle: Lock<Vec<Connection>>,
    permits: BoundedSemaphore,
}

impl Pool {
    fn open(size: usize) -> Self {
        let idle = (0..size).map(|_| Connection { queries: 0 }).collect();
        Self { idle: Lock::new(idle), permits: BoundedSemaphore::new(size as u32) }
    }

    fn checkout(&self) -> Checkout<'_> {
        self.lend(self.permits.acquire())
    }

    fn checkout_timeout(&self, timeout: Duration) -> Option<Checkout<'_>> {
        self.permits.acquire_timeout(timeout).map(|permit| self.lend(permit))
    }

    fn lend<'a>(&'a self, permit: Permit<'a>) -> Checkout<'a> {
        let connection = self.idle.acquire().pop();
        assert!(connection.is_some(), "a permit without a connection");
        Checkout { connection, pool: self, _permit: permit }
    }
}

/// A connection that somebody has.
struct Checkout<'a> {
    connection: Option<Connection>,
    pool: &'a Pool,
    /// Given back when the connection is back, since fields are dropped after `drop`.
    _permit: Permit<'a>,
}

impl Drop for Checkout<'_> {
    fn drop(&mut self) {
        self.pool.idle.acquire().extend(self.connection.take());
    }
}

impl Deref for Checkout<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.connection.as_ref().unwrap()
    }
}

impl DerefMut for Checkout<'_> {
    fn deref_mut(&mut self) -> &mut Connection {
        self.connection.as_mut().unwrap()
    }
}

fn main() {
    let [connections, threads, queries] = sizes::from_arguments(
        "Threads that share a pool of connections.",
        [
            ("CONNECTIONS", "how many there are", 1..=1_000, 3),
            ("THREADS", "that want one", 1..=64, 8),
            ("QUERIES", "how many each of them makes", 1..=1_000_000, 500),
        ],
    );
    let pool = &Pool::open(connections);

    // Each thread takes a connection for each of its queries.
    let sum: u64 = thread::scope(|s| {
        let ask = || (1..=queries as u64).map(|number| pool.checkout().square(number)).sum::<u64>();
        let threads: Vec<_> = (0..threads).map(|_| s.spawn(ask)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    let alone: u64 = (1..=queries as u64).map(|number| number * number).sum();
    assert_eq!(sum, alone * threads as u64);
    let served: usize = pool.idle.acquire().iter().map(|connection| connection.queries).sum();
    assert_eq!(served, threads * queries);
    println!("{threads} threads made {served} queries on {connections} connections.");

    // All are out: who wants one more gives up after a while, and gets it once one is back.
    let mut out: Vec<_> = (0..connections).map(|_| pool.checkout()).collect();
    assert!(pool.checkout_timeout(Duration::from_millis(20)).is_none());
    out.pop();
    assert!(pool.checkout_timeout(Duration::MAX).is_some());
    drop(out);
    println!("With all of them out, a checkout gave up after its time.");

    // A user panics. (This way of it prints nothing.)
    let panics = || {
        let _connection = pool.checkout();
        resume_unwind(Box::new("a user's mistake"));
    };
    let user = thread::scope(|s| s.spawn(panics).join());
    assert!(user.is_err());
    assert_eq!(pool.idle.acquire().len(), connections);
    assert_eq!(pool.permits.available() as usize, connections);
    println!("A user panicked: its connection came back, all {connections} are there.");

    // Somebody releases what nobody has taken.
    let error = pool.permits.release(1).unwrap_err();
    assert_eq!(pool.permits.available() as usize, connections);
    println!("A release too many changed nothing: {error}.");
}
