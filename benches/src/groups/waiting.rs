//! The lock: how long its threads wait, at worst and nearly always.

use std::fs::File;
use std::hint::black_box;
use std::os::unix::fs::FileExt;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use super::lock::THREADS;
use crate::crew::{Apart, Crew, Places};
use crate::peers::mutexes::{Futon, Mutex, ParkingLot, Pthread, Std, Usync};
use crate::turns::{Contender, Group, Sample, Turns};
use crate::work::{Histogram, steps};

pub fn waits(crew: &Crew, turns: &mut Turns) {
    for threads in THREADS {
        let contenders = vec![
            waiting::<Futon>(crew, threads),
            waiting::<Std>(crew, threads),
            waiting::<ParkingLot>(crew, threads),
            waiting::<Usync>(crew, threads),
            waiting::<Pthread>(crew, threads),
            no_lock(crew, threads),
        ];
        let group = Group::new("lock/waiting", "acquire and release", contenders);
        turns.run(group.cell(&[("threads", threads)]).longer(25, 4));
    }
}

/// Each wait is timed, which is some work outside.
fn waiting<M: Mutex>(crew: &Crew, threads: u64) -> Contender<'_> {
    let mutex = Box::new(Apart(M::new()));
    Contender::by_time(M::NAME, move |time| {
        let before = mutex.0.with(|value| *value);
        let (sample, all) = time_waits(crew, threads, time, |number| {
            let start = Instant::now();
            mutex.0.with(|value| {
                let waited = start.elapsed();
                *value += 1;
                *number = steps(*number, 10);
                waited
            })
        });
        assert_eq!(mutex.0.with(|value| *value), before + all, "mutual exclusion");
        sample
    })
}

/// What the scheduler adds, for it may take a thread off its CPU between two looks at the clock.
fn no_lock(crew: &Crew, threads: u64) -> Contender<'_> {
    Contender::by_time("limit: no lock", move |time| {
        let look = |number: &mut u64| {
            let start = Instant::now();
            let waited = start.elapsed();
            *number = steps(*number, 10);
            waited
        };
        time_waits(crew, threads, time, look).0
    })
}

fn time_waits(
    crew: &Crew,
    threads: u64,
    time: Duration,
    once: impl Fn(&mut u64) -> Duration + Sync,
) -> (Sample, u64) {
    let places = Places::<(Histogram, u64)>::new(threads as usize);
    let (counts, took) = crew.run_for(threads as usize, time, |index, stop| {
        // SAFETY: each thread has a place of its own.
        let (waits, longest_asleep) = unsafe { places.of(index) };
        let mut queued = Queued::new();
        let mut number = index as u64;
        let mut times = 0;
        while !stop.load(Relaxed) {
            queued.look();
            let waited = once(&mut number).as_nanos() as u64;
            waits.add(waited);
            if waited > *longest_asleep {
                *longest_asleep = waited.saturating_sub(queued.since_look()).max(*longest_asleep);
            }
            times += 1;
        }
        black_box(number);
        times
    });
    let (mut waits, mut longest_asleep) = (Histogram::default(), 0);
    for (own, own_longest) in places.into_inner() {
        waits.merge(&own);
        longest_asleep = longest_asleep.max(own_longest);
    }
    let all = counts.iter().sum();
    let more = vec![
        ("p99.9 ns", waits.all_but(0.001) as f64),
        ("longest ns", waits.longest() as f64),
        ("longest, without the time that it was ready to run, ns", longest_asleep as f64),
    ];
    (Sample { more, ..Sample::new(all, took) }, all)
}

/// How long this thread has been ready to run and has not run, by the kernel's account: no lock can do
/// anything about that. Asking takes a microsecond, and so it is asked now and then.
struct Queued {
    account: File,
    asked: Instant,
    then: u64,
}

impl Queued {
    const NOW_AND_THEN: Duration = Duration::from_micros(100);

    fn new() -> Self {
        let account = File::open("/proc/thread-self/schedstat").unwrap();
        let mut queued = Self { account, asked: Instant::now(), then: 0 };
        queued.then = queued.ask();
        queued
    }

    /// The second number in the file, in nanoseconds.
    fn ask(&self) -> u64 {
        let mut text = [0; 64];
        let length = self.account.read_at(&mut text, 0).unwrap();
        let text = str::from_utf8(&text[..length]).unwrap();
        text.split_whitespace().nth(1).unwrap().parse().unwrap()
    }

    /// Asks, unless that was just done.
    #[inline]
    fn look(&mut self) {
        if self.asked.elapsed() > Self::NOW_AND_THEN {
            self.then = self.ask();
            self.asked = Instant::now();
        }
    }

    /// The time since then; it may have begun a little before the last look.
    #[cold]
    fn since_look(&self) -> u64 {
        self.ask() - self.then
    }
}
