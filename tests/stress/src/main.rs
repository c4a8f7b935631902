//! Random operations on random primitives, for minutes or hours.
//!
//! Each subject is a primitive, or all of them, with what has to hold for them. They have their turns, a second
//! each; in a turn there are as many rounds as it takes, each with new objects and new threads.

mod arguments;
mod board;
mod crew;
mod random;
mod subjects;

use std::process::{ExitCode, exit};
use std::sync::Mutex;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use std::{env, io, mem, panic, ptr, thread};

use board::Counts;
use crew::{Crew, Rules};
use random::Random;

/// How long a turn is, if there is time for all.
const TURN: Duration = Duration::from_secs(1);

/// What is under way, for the report of a failure.
static NOW: Mutex<String> = Mutex::new(String::new());

fn main() -> ExitCode {
    let arguments = match arguments::parse(env::args().skip(1)) {
        Ok(Some(arguments)) => arguments,
        Ok(None) => {
            print!("{}", arguments::HELP);
            return ExitCode::SUCCESS;
        }
        Err(error) => {
            eprintln!("futon-stress: {error}\nSee --help.");
            return ExitCode::from(2);
        }
    };
    let cpus = thread::available_parallelism().map_or(2, usize::from);
    let rules = Rules {
        seed: arguments.seed.unwrap_or_else(seed_of_this_moment),
        threads: arguments.threads.unwrap_or((4 * cpus).clamp(8, 1000)),
        patience: arguments.patience,
    };
    println!("seed {}, {} threads on {cpus} CPUs", rules.seed, rules.threads);
    report_failures(rules);
    handle_signals().expect("a handler for signals");

    let start = Instant::now();
    let turn = TURN.min(arguments.time / arguments.names.len() as u32);
    let mut all = vec![Counts::default(); arguments.names.len()];
    for index in (0..all.len()).cycle() {
        let left = arguments.time.saturating_sub(start.elapsed());
        if left.is_zero() {
            break;
        }
        let (name, counts) = (arguments.names[index], &mut all[index]);
        take_turn(rules, name, turn.min(left), counts);
        println!("{:>6.0} s  {name:<17} {counts}", start.elapsed().as_secs_f32());
    }

    println!("all is well after {:.1} s, seed {}", start.elapsed().as_secs_f32(), rules.seed);
    for (name, counts) in arguments.names.iter().zip(&all) {
        println!("          {name:<17} {counts}");
    }
    ExitCode::SUCCESS
}

/// Runs rounds of one subject for so long, but at least one.
fn take_turn(rules: Rules, name: &'static str, time: Duration, counts: &mut Counts) {
    let start = Instant::now();
    let number = subjects::NAMES.iter().position(|known| *known == name).unwrap() as u64;
    loop {
        *NOW.lock().unwrap() = format!("{name}, round {}", counts.rounds);
        let mut random = Random::of(&[rules.seed, number, counts.rounds]);
        let pace = random.below(400);
        let steps = 20 + random.below(80);
        let subject = subjects::make(name, &mut random, rules.threads, steps);
        *counts += Crew::new(rules, number, counts.rounds, pace).run(&*subject, steps);
        subject.check();
        if start.elapsed() >= time {
            return;
        }
    }
}

/// Makes any panic that is not planned the end of the process, with a report.
fn report_failures(rules: Rules) {
    let usual = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        // One is enough, and the others would not make it clearer.
        static FIRST: Mutex<()> = Mutex::new(());
        let _first = FIRST.lock();
        usual(panic);
        let now = NOW.lock().map_or_else(|now| now.into_inner().clone(), |now| now.clone());
        let name = now.split(',').next().unwrap_or_default();
        let Rules { seed, threads, .. } = rules;
        eprintln!("FAILED: {now}, seed {seed}, {threads} threads");
        eprintln!("the same choices again: futon-stress --seed {seed} --threads {threads} {name}");
        exit(1);
    }));
}

/// Has SIGUSR1 interrupt what a thread waits for, and do nothing else.
fn handle_signals() -> io::Result<()> {
    extern "C" fn do_nothing(_: libc::c_int) {}

    // SAFETY: zeros are a fine `sigaction`, with no flags: without SA_RESTART system calls are interrupted.
    let mut action: libc::sigaction = unsafe { mem::zeroed() };
    action.sa_sigaction = do_nothing as extern "C" fn(libc::c_int) as libc::sighandler_t;
    // SAFETY: both live, and the handler may be called at any time.
    match unsafe { libc::sigaction(libc::SIGUSR1, &raw const action, ptr::null_mut()) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

fn seed_of_this_moment() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    // Short enough to be typed.
    Random::of(&[now.as_nanos() as u64]).next() >> 24
}
