//! Running a model many times.

use std::any::Any;
use std::env;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{SystemTime, UNIX_EPOCH};

use shuttle::scheduler::{PctScheduler, RandomScheduler, Schedule, Scheduler, Task, TaskId};
use shuttle::{Config, FailurePersistence, MaxSteps, Runner};

use crate::memory;

/// After so many executions that failed there is no use in others.
const MOST_FAILURES: usize = 20;

/// How a model is run.
#[non_exhaustive]
pub struct Builder {
    /// Of no meaning here: any number of preemptions may be chosen.
    pub preemption_bound: Option<usize>,
}

impl Default for Builder {
    fn default() -> Self {
        Self::new()
    }
}

/// A way to fail, and the first execution that did.
struct Failure {
    message: String,
    execution: usize,
}

impl Builder {
    /// As the environment says.
    pub fn new() -> Self {
        Self { preemption_bound: None }
    }

    /// Runs `model` as often as `FUTON_EXECUTIONS` says, 3,000 times unless told, with choices that follow from
    /// `FUTON_SEED`, a new one unless told.
    ///
    /// Half of the executions switch at any step to any thread. In the other half each thread has a rank, the highest
    /// that can goes on, and at a few steps the one that runs gets the lowest: this finds what takes a thread that stands
    /// still for long at the wrong moment.
    ///
    /// A model may fail in several ways. The panic names each that was come upon.
    pub fn check<F: Fn() + Send + Sync + 'static>(&self, model: F) {
        let number = |name| env::var(name).ok().map(|value| value.parse::<u64>().expect(name));
        let executions = number("FUTON_EXECUTIONS").unwrap_or(3_000) as usize;
        let seed = number("FUTON_SEED").unwrap_or_else(|| {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            now.as_nanos() as u64 % 1_000_000_000
        });

        let model = Arc::new(model);
        let half = executions.div_ceil(2);
        let mut failures = Vec::new();
        run(half, &model, &mut failures, |left| {
            RandomScheduler::new_from_seed(seed ^ left as u64, left)
        });
        run(half, &model, &mut failures, |left| {
            PctScheduler::new_from_seed(seed ^ left as u64, 3, left)
        });
        if !failures.is_empty() {
            let ways =
                failures.iter().map(|f| format!("in execution {}: {}\n", f.execution, f.message));
            panic!("{}the same again with FUTON_SEED={seed}", ways.collect::<String>());
        }
    }
}

fn run<S: Scheduler + 'static>(
    executions: usize,
    model: &Arc<impl Fn() + Send + Sync + 'static>,
    failures: &mut Vec<Failure>,
    scheduler: impl Fn(usize) -> S,
) {
    let (mut done, mut failed) = (0, 0);
    // A failure ends what a scheduler has begun.
    while done < executions && failed < MOST_FAILURES {
        let count = Arc::new(AtomicUsize::new(0));
        let (model, counted) = (model.clone(), count.clone());
        let all = move || {
            counted.fetch_add(1, Relaxed);
            memory::begin();
            model();
        };
        let runner = Runner::new(Steps(scheduler(executions - done)), config());
        let result = catch_unwind(AssertUnwindSafe(|| runner.run(all)));
        done += count.load(Relaxed);
        if let Err(panic) = result {
            failed += 1;
            let message = message(&*panic);
            if failures.iter().all(|failure| failure.message != message) {
                failures.push(Failure { message, execution: done });
            }
        }
    }
}

fn config() -> Config {
    let mut config = Config::new();
    config.stack_size = 1 << 18;
    config.failure_persistence = FailurePersistence::None;
    config.max_steps = MaxSteps::FailAfter(100_000);
    config.silence_warnings = true;
    config
}

fn message(panic: &(dyn Any + Send)) -> String {
    let message = panic.downcast_ref::<String>().map(String::as_str);
    let message = message.or_else(|| panic.downcast_ref::<&str>().copied());
    let message = message.unwrap_or("a panic without words");
    // It goes on with the names of those who are blocked: not each of these is a way of its own.
    message.split(" blocked tasks").next().unwrap_or(message).to_owned()
}

/// Leaves the choice of the next thread to a scheduler, but for the steps that are not to be explored.
struct Steps<S>(S);

impl<S: Scheduler> Scheduler for Steps<S> {
    fn new_execution(&mut self) -> Option<Schedule> {
        self.0.new_execution()
    }

    fn next_task(
        &mut self,
        runnable: &[&Task],
        current: Option<TaskId>,
        is_yielding: bool,
    ) -> Option<TaskId> {
        let goes_on = current.filter(|&id| !is_yielding && runnable.iter().any(|task| task.id() == id));
        match goes_on {
            Some(id) if !memory::is_switching() => Some(id),
            _ => self.0.next_task(runnable, current, is_yielding),
        }
    }

    fn next_u64(&mut self) -> u64 {
        self.0.next_u64()
    }
}
