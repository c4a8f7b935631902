//! What the command line asks for.

use std::time::Duration;

use crate::subjects::NAMES;

pub const HELP: &str = "\
Random operations on the primitives of futon, for as long as you like.

usage: cargo run --release -p futon-stress -- [OPTIONS] [NAME…]

NAME                one of lock, rlock, acquire_all, semaphore, bounded_semaphore, event, condition, barrier,
                    queue, shared_iter, par_map and mix, which is all of them at once; without a name all
                    have their turns
--seconds N         for how long, also --minutes N and --hours N; 60 seconds if not said
--seed S            makes the same choices as the run that printed this seed; when they are made is up to
                    the scheduler
--threads T         how many threads; four for each CPU, and at least eight, if not said
--patience SECONDS  how long nothing may happen before that counts as a hang; 20 if not said
--help              this

The exit status is 0 if all was well, 1 if something was wrong, and 2 if the arguments make no sense.
";

/// What to do.
#[derive(Debug)]
pub struct Arguments {
    pub names: Vec<&'static str>,
    pub time: Duration,
    pub seed: Option<u64>,
    pub threads: Option<usize>,
    pub patience: Duration,
}

/// The arguments, `None` if help is asked for, or what is wrong with them.
pub fn parse(arguments: impl IntoIterator<Item = String>) -> Result<Option<Arguments>, String> {
    let mut names = Vec::new();
    let (mut time, mut seed, mut threads, mut patience) = (None, None, None, None);
    let mut arguments = arguments.into_iter();
    while let Some(argument) = arguments.next() {
        let (option, value) = match argument.split_once('=') {
            Some((option, value)) if option.starts_with("--") => (option, Some(value.to_owned())),
            _ => (argument.as_str(), None),
        };
        let mut value = || value.clone().or_else(|| arguments.next()).ok_or(format!("{option} what?"));
        match option {
            "--help" | "-h" => return Ok(None),
            "--seconds" => once(&mut time, option, span(option, &value()?, 1.0)?)?,
            "--minutes" => once(&mut time, option, span(option, &value()?, 60.0)?)?,
            "--hours" => once(&mut time, option, span(option, &value()?, 3600.0)?)?,
            "--patience" => once(&mut patience, option, span(option, &value()?, 1.0)?)?,
            "--seed" => {
                let value = value()?;
                let number =
                    value.parse().map_err(|_| format!("{option} {value}: not a number below 2^64"));
                once(&mut seed, option, number?)?;
            }
            "--threads" => {
                let value = value()?;
                let number = value.parse().ok().filter(|number| (2..=1000).contains(number));
                let number = number.ok_or(format!("{option} {value}: from 2 to 1000 threads"))?;
                once(&mut threads, option, number)?;
            }
            _ if option.starts_with('-') => return Err(format!("there is no option {option}")),
            name => {
                let known = NAMES.into_iter().find(|known| *known == name);
                let known = known.ok_or(format!("{name} is none of {}", NAMES.join(", ")))?;
                if names.contains(&known) {
                    return Err(format!("{name} is named twice"));
                }
                names.push(known);
            }
        }
    }
    if names.is_empty() {
        names = NAMES.to_vec();
    }
    Ok(Some(Arguments {
        names,
        time: time.unwrap_or(Duration::from_secs(60)),
        seed,
        threads,
        patience: patience.unwrap_or(Duration::from_secs(20)),
    }))
}

fn once<T>(place: &mut Option<T>, option: &str, value: T) -> Result<(), String> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(format!("{option}: this has been said already")),
    }
}

/// Fractions are fine: half a second is enough for a first look.
fn span(option: &str, value: &str, unit: f64) -> Result<Duration, String> {
    let seconds = value.parse().ok().map(|number: f64| number * unit);
    let seconds = seconds.filter(|seconds| (0.001..=1e8).contains(seconds));
    seconds.map(Duration::from_secs_f64).ok_or(format!("{option} {value}: for how long is that?"))
}
