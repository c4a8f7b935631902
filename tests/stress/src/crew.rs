//! The threads of a round: who they are, who takes over from them, and who looks after them.
//!
//! A round has a number of places. At each of them threads live one after the other: a life is a number of
//! steps, and the thread whose life ends is replaced by another, until all steps of the place are done. All choices
//! come from the seed, the round, the place and the life.
//!
//! Every third place is a *driver's*. Drivers wait for nothing that others may never do. When all of them have
//! done their steps the subject is closed, and the others have to come to an end.
//!
//! Meanwhile the thread that runs the round sends signals, and looks whether anything happens.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread::{self, Scope};
use std::time::{Duration, Instant};

use crate::board::{Counts, Doing, Post};
use crate::random::Random;
use crate::subjects::Subject;

/// What is the same for all rounds.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    pub seed: u64,
    pub threads: usize,
    pub patience: Duration,
}

/// What a panic carries that is meant to happen.
struct Planned;

/// The threads of one round.
pub struct Crew {
    rules: Rules,
    /// What tells this round from all others.
    round: [u64; 3],
    posts: Vec<Post>,
    /// How many threads there are, with those that only give something back.
    alive: AtomicUsize,
    /// How many places of drivers are not done.
    drivers: AtomicUsize,
    /// The others sleep in a pause of this length at most.
    pace: u32,
}

impl Crew {
    pub fn new(rules: Rules, subject: u64, round: u64, pace: u32) -> Self {
        Self {
            rules,
            round: [rules.seed, subject, round],
            posts: (0..rules.threads).map(|_| Post::default()).collect(),
            alive: AtomicUsize::new(rules.threads),
            drivers: AtomicUsize::new((0..rules.threads).filter(|place| is_driver(*place)).count()),
            pace,
        }
    }

    /// Runs the round to its end.
    pub fn run(&self, subject: &dyn Subject, steps: u32) -> Counts {
        let signals = thread::scope(|scope| {
            for place in 0..self.posts.len() {
                scope.spawn(move || self.live(scope, subject, place, 0, steps));
            }
            self.look_after(subject)
        });
        let mut counts = self.counts();
        counts.rounds = 1;
        counts.signals = signals;
        counts
    }

    fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        self.posts.iter().for_each(|post| counts += post.counts());
        counts
    }

    /// One thread's life.
    fn live<'scope, 'env>(
        &'env self,
        scope: &'scope Scope<'scope, 'env>,
        subject: &'env dyn Subject,
        place: usize,
        life: usize,
        steps: u32,
    ) {
        let post = &self.posts[place];
        post.enter(life);
        let [seed, name, round] = self.round;
        let random = Random::of(&[seed, name, round, place as u64, life as u64]);
        let mut hand = Hand { crew: self, scope, post, place, random };
        let now = match hand.random.one_in(3) {
            true => steps,
            false => 1 + hand.random.below(steps),
        };
        for _ in 0..now {
            if let Err(panic) = catch_unwind(AssertUnwindSafe(|| subject.step(&mut hand))) {
                assert!(panic.is::<Planned>(), "only planned panics come by without a report");
                post.count_panic();
            }
            hand.pause();
        }
        post.leave();
        if steps > now {
            scope.spawn(move || self.live(scope, subject, place, life + 1, steps - now));
            return;
        }
        if is_driver(place) && self.drivers.fetch_sub(1, Relaxed) == 1 {
            subject.close();
        }
        self.alive.fetch_sub(1, Relaxed);
    }

    /// Sends signals, and looks whether anything happens. Returns how many signals it has sent.
    fn look_after(&self, subject: &dyn Subject) -> u64 {
        let mut random = Random::of(&self.round);
        let between = 50 + random.below(1000);
        // A signal makes a thread look again, which hides that nobody has woken it. So there are rounds without.
        let has_signals = random.one_in(2);
        let mut signals = 0;
        let mut seen = (self.counts(), self.alive.load(Relaxed));
        let mut since = Instant::now();
        while self.alive.load(Relaxed) > 0 {
            thread::sleep(Duration::from_micros(random.below(between).into()));
            let place = random.below(self.posts.len() as u32) as usize;
            signals += u64::from(has_signals && self.posts[place].signal());
            let now = (self.counts(), self.alive.load(Relaxed));
            if now != seen {
                (seen, since) = (now, Instant::now());
            } else if since.elapsed() > self.rules.patience {
                self.report_hang(subject);
            }
        }
        signals
    }

    fn report_hang(&self, subject: &dyn Subject) -> ! {
        eprintln!("nothing has happened for {:?}", self.rules.patience);
        for (place, post) in self.posts.iter().enumerate() {
            eprintln!("  {place:>4}: {post}");
        }
        eprintln!("{subject:#?}");
        panic!("it hangs");
    }
}

fn is_driver(place: usize) -> bool {
    place % 3 == 0
}

/// What a thread has in its hands: its choices, and its post on the board.
pub struct Hand<'scope, 'env> {
    crew: &'env Crew,
    scope: &'scope Scope<'scope, 'env>,
    post: &'env Post,
    pub place: usize,
    pub random: Random,
}

impl<'env> Hand<'_, 'env> {
    /// Whether this thread must not wait for what others may never do.
    pub fn is_driver(&self) -> bool {
        is_driver(self.place)
    }

    /// Does something that may block, and says so.
    pub fn run<R>(&mut self, doing: Doing, call: impl FnOnce() -> R) -> R {
        self.post.set(doing);
        let result = call();
        self.post.set(Doing::Nothing);
        self.post.count_operation();
        result
    }

    /// Tries something for a random time. It must not give up before.
    pub fn within<R: MayFail>(&mut self, doing: Doing, call: impl FnOnce(Duration) -> R) -> R {
        let timeout = self.random.timeout();
        let start = Instant::now();
        let result = self.run(doing, || call(timeout));
        self.look_at_the_clock(result.has_failed(), start + timeout);
        result
    }

    /// The same with a moment in the place of a time.
    pub fn until<R: MayFail>(&mut self, doing: Doing, call: impl FnOnce(Instant) -> R) -> R {
        let deadline = Instant::now() + self.random.timeout();
        let result = self.run(doing, || call(deadline));
        self.look_at_the_clock(result.has_failed(), deadline);
        result
    }

    fn look_at_the_clock(&self, has_failed: bool, deadline: Instant) {
        if has_failed {
            let early = deadline.saturating_duration_since(Instant::now());
            assert!(early.is_zero(), "gave up {early:?} before its time");
            self.has_timed_out();
        }
    }

    /// Counts a wait that ran out of time.
    pub fn has_timed_out(&self) {
        self.post.count_timeout();
    }

    /// Does nothing for a while, in one of several ways.
    pub fn pause(&mut self) {
        match self.random.below(16) {
            0..=7 => {}
            8..=11 => (0..self.random.below(500)).for_each(|_| std::hint::spin_loop()),
            12..=14 => thread::yield_now(),
            _ => {
                self.post.set(Doing::Pause);
                let time = self.random.below(1 + self.crew.pace);
                thread::sleep(Duration::from_micros(time.into()));
                self.post.set(Doing::Nothing);
            }
        }
    }

    /// Panics, now and then.
    pub fn perhaps_panic(&mut self) {
        if self.random.one_in(20) {
            self.post.set(Doing::Nothing);
            resume_unwind(planned_panic());
        }
    }

    /// Lets another thread drop this.
    pub fn give_away(&mut self, guard: impl Send + 'env) {
        let crew = self.crew;
        let time = self.random.below(1 + crew.pace);
        crew.alive.fetch_add(1, Relaxed);
        self.scope.spawn(move || {
            thread::sleep(Duration::from_micros(time.into()));
            drop(guard);
            crew.alive.fetch_sub(1, Relaxed);
        });
    }
}

/// What timed calls return.
pub trait MayFail {
    fn has_failed(&self) -> bool;
}

impl MayFail for bool {
    fn has_failed(&self) -> bool {
        !self
    }
}

impl<T> MayFail for Option<T> {
    fn has_failed(&self) -> bool {
        self.is_none()
    }
}

impl<T, E> MayFail for Result<T, E> {
    fn has_failed(&self) -> bool {
        self.is_err()
    }
}

/// For panics in what the primitives call.
pub fn planned_panic() -> Box<dyn std::any::Any + Send> {
    Box::new(Planned)
}
