//! What the command line asks for.

use std::thread::available_parallelism;
use std::time::Duration;

pub const HELP: &str = "\
Changes futon's sources one place at a time, and sees whether a test notices.

usage: cargo run --release -p futon-mutations -- [OPTIONS] [PART…]

PART      only in files of whose path this is a part; without any all of them, and docs/mutations.md is made anew
--list    says what would be changed
--book    makes the changes that the chapters of the book ask for, and sees whether what they say comes of it;
          PART is then one of the chapter's name
--first   with --book, the first of each chapter alone
--jobs N  how many tests to run at once; one for each CPU if not said
--patience SECONDS
          for how long to look for a test that notices, each time; until all have passed if not said
--resume  takes over what earlier runs have found out about files that have not changed since; looks again at
          what has survived without a reason in less than all tests
--help    this

The exit status is 0 if each change was noticed by a test, or survivors.toml says why none does, and with --book if
each fails as the book says; 1 if not; 2 if it could not be found out.
";

/// What to do.
#[derive(Debug, PartialEq)]
pub struct Arguments {
    pub files: Vec<String>,
    pub list: bool,
    pub book: bool,
    pub first: bool,
    pub resume: bool,
    pub jobs: usize,
    pub patience: Duration,
}

/// The arguments, `None` if help is asked for, or what is wrong with them.
pub fn parse(arguments: impl IntoIterator<Item = String>) -> Result<Option<Arguments>, String> {
    let jobs = available_parallelism().map_or(1, usize::from);
    let mut parsed = Arguments {
        files: Vec::new(),
        list: false,
        book: false,
        first: false,
        resume: false,
        jobs,
        patience: Duration::MAX,
    };
    let mut arguments = arguments.into_iter();
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--help" | "-h" => return Ok(None),
            "--list" => parsed.list = true,
            "--book" => parsed.book = true,
            "--first" => parsed.first = true,
            "--resume" => parsed.resume = true,
            "--jobs" => {
                let jobs = arguments.next().and_then(|jobs| jobs.parse().ok()).filter(|&jobs| jobs > 0);
                parsed.jobs = jobs.ok_or("--jobs how many?")?;
            }
            "--patience" => {
                let seconds = arguments.next().and_then(|seconds| seconds.parse().ok());
                parsed.patience = Duration::from_secs(seconds.ok_or("--patience for how long?")?);
            }
            option if option.starts_with('-') => return Err(format!("{option} is not known")),
            _ => parsed.files.push(argument),
        }
    }
    Ok(Some(parsed))
}
