//! The threads that run the contenders. They are made once, so that no measurement contains the making
//! of a thread, and they stay, so that no library takes the process for one with a single thread and
//! leaves out its atomic operations.

use std::any::Any;
use std::cell::UnsafeCell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::*};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::{Duration, Instant};

/// One more than the most threads that are woken at once.
pub const MOST: usize = 65;

/// Keeps what stands next to it out of the cache lines of `T`.
#[repr(align(128))]
pub struct Apart<T>(pub T);

/// The threads, asleep until there is something to run.
pub struct Crew {
    workers: Vec<Sender<Order>>,
    done: Receiver<Result<(), Box<dyn Any + Send>>>,
    born: Instant,
}

struct Order {
    job: &'static (dyn Fn(usize) + Sync),
    line: &'static Line,
}

/// Where the threads of a job wait for each other, and what the time was when it began and ended.
#[derive(Default)]
struct Line {
    threads: usize,
    arrived: AtomicUsize,
    began: AtomicU64,
    ended: AtomicU64,
}

impl Crew {
    /// Makes all the threads.
    pub fn new() -> Self {
        let born = Instant::now();
        let (tell, done) = mpsc::channel();
        let workers = (0..MOST).map(|index| {
            let (give, orders) = mpsc::channel::<Order>();
            let tell = tell.clone();
            thread::spawn(move || {
                for Order { job, line } in orders {
                    let result = catch_unwind(AssertUnwindSafe(|| {
                        // Each on its CPU, in turn; afterwards the scheduler may do as it likes. It is
                        // slow to part threads that were woken together.
                        let pinned = pin(index);
                        line.wait(born);
                        drop(pinned);
                        job(index);
                        line.ended.fetch_max(since(born), Relaxed);
                    }));
                    // Whoever gets this may free the job and the line.
                    tell.send(result).unwrap();
                }
            });
            give
        });
        Self { workers: workers.collect(), done, born }
    }

    /// Runs `job` on so many threads, which begin together and are told their numbers. Returns the time from
    /// the beginning until the last one has ended.
    pub fn run(&self, threads: usize, job: impl Fn(usize) + Sync) -> Duration {
        self.run_beside(threads, job, |_| ())
    }

    /// Runs `job` on so many threads for a while: it has to end soon after the flag that it is given. What
    /// it returns says how often it has done something; the time is that until the flag was set.
    pub fn run_for(
        &self,
        threads: usize,
        time: Duration,
        job: impl Fn(usize, &AtomicBool) -> u64 + Sync,
    ) -> (Vec<u64>, Duration) {
        let stop = Apart(AtomicBool::new(false));
        let counts: Vec<_> = (0..threads).map(|_| AtomicU64::new(0)).collect();
        let mut took = Duration::ZERO;
        self.run_beside(
            threads,
            |index| counts[index].store(job(index, &stop.0), Relaxed),
            |began| {
                thread::sleep(time);
                stop.0.store(true, Relaxed);
                took = Duration::from_nanos(since(self.born) - began);
            },
        );
        (counts.into_iter().map(AtomicU64::into_inner).collect(), took)
    }

    /// Runs `job` on so many threads, and once they have begun, `beside` on this one.
    fn run_beside(
        &self,
        threads: usize,
        job: impl Fn(usize) + Sync,
        beside: impl FnOnce(u64),
    ) -> Duration {
        assert!(0 < threads && threads <= MOST);
        let line = Apart(Line { threads, ..Line::default() });
        let job: &(dyn Fn(usize) + Sync) = &job;
        // SAFETY: all workers have answered, and use neither any more, before this function returns or
        // unwinds: nothing in between panics, but for `beside`, whose panic is held back.
        let job: &'static (dyn Fn(usize) + Sync) = unsafe { std::mem::transmute(job) };
        // SAFETY: as above.
        let lasting: &'static Line = unsafe { std::mem::transmute::<&Line, &Line>(&line.0) };
        for worker in &self.workers[..threads] {
            worker.send(Order { job, line: lasting }).unwrap_or_else(|_| std::process::abort());
        }
        let aside = catch_unwind(AssertUnwindSafe(|| {
            while line.0.began.load(Relaxed) == 0 {
                thread::yield_now();
            }
            beside(line.0.began.load(Relaxed));
        }));
        let answer = |_| self.done.recv().unwrap_or_else(|_| std::process::abort());
        let answers: Vec<_> = (0..threads).map(answer).collect();
        for result in answers.into_iter().chain([aside]) {
            result.unwrap_or_else(|panic| resume_unwind(panic));
        }
        Duration::from_nanos(line.0.ended.load(Relaxed) - line.0.began.load(Relaxed))
    }
}

impl Line {
    /// Until all have come. Threads that are there give way to those that are not, and all can run when the
    /// last one has come.
    fn wait(&self, born: Instant) {
        if self.arrived.fetch_add(1, AcqRel) + 1 == self.threads {
            self.began.store(since(born).max(1), Release);
        }
        while self.began.load(Acquire) == 0 {
            thread::yield_now();
        }
    }
}

fn since(moment: Instant) -> u64 {
    moment.elapsed().as_nanos() as u64
}

/// Lets the calling thread run on one CPU only, until what is returned is dropped.
pub fn pin(cpu: usize) -> Pinned {
    // SAFETY: an all-zero set is a valid value of this plain C struct.
    let mut before: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    // SAFETY: the kernel writes at most the size that is passed.
    let result = unsafe { libc::sched_getaffinity(0, size_of_val(&before), &raw mut before) };
    assert_eq!(result, 0, "sched_getaffinity");
    // SAFETY: as above.
    let allowed = |cpu: &usize| unsafe { libc::CPU_ISSET(*cpu, &before) };
    let allowed: Vec<_> = (0..libc::CPU_SETSIZE as usize).filter(allowed).collect();
    // SAFETY: as above.
    let mut one: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    // SAFETY: only writes to the set.
    unsafe { libc::CPU_SET(allowed[cpu % allowed.len()], &mut one) };
    set_affinity(&one);
    Pinned { before }
}

/// Ends what [`pin`] began.
pub struct Pinned {
    before: libc::cpu_set_t,
}

impl Drop for Pinned {
    fn drop(&mut self) {
        set_affinity(&self.before);
    }
}

fn set_affinity(set: &libc::cpu_set_t) {
    // SAFETY: the kernel reads the size that is passed.
    let result = unsafe { libc::sched_setaffinity(0, size_of_val(set), set) };
    assert_eq!(result, 0, "sched_setaffinity");
}

/// What each thread of a job collects for itself. Thread `index` may use the place `index`.
pub struct Places<T>(Vec<Apart<UnsafeCell<T>>>);

// SAFETY: `with` is called by one thread at a time for each place, as its caller promises.
unsafe impl<T: Send> Sync for Places<T> {}

impl<T: Default> Places<T> {
    /// So many places.
    pub fn new(threads: usize) -> Self {
        Self((0..threads).map(|_| Apart(UnsafeCell::default())).collect())
    }

    /// # Safety
    ///
    /// No other thread may use this place meanwhile.
    #[allow(clippy::mut_from_ref)]
    pub unsafe fn of(&self, index: usize) -> &mut T {
        // SAFETY: the caller's.
        unsafe { &mut *self.0[index].0.get() }
    }

    /// What has been collected.
    pub fn into_inner(self) -> impl Iterator<Item = T> {
        self.0.into_iter().map(|place| place.0.into_inner())
    }
}
