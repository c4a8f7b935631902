//! futon measured beside its peers, in two ways.
//!
//! `cargo run --release -p futon-benches` runs everything, each contender in turns with the others, and
//! makes of it `docs/performance.md` and the pictures beside that page. `cargo bench -p futon-benches`
//! hands to criterion what one thread does alone, and says how certain each figure is.
//!
//! Times from different runs say little, and neither do times of contenders that ran one after the other:
//! what counts is the ratio within a turn.

mod crew;
mod groups;
mod peers;
mod record;
mod report;
mod turns;
mod work;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::{env, fs};

use criterion::Criterion;

use crew::Crew;
use record::{Machine, Results};
use turns::{Run, Turns};

const HELP: &str = "\
Measures futon beside its peers, and writes docs/performance.md.

    cargo run --release -p futon-benches [-- OPTION... GROUP...]

With GROUPs, runs those whose names begin so (lock, lock/contended, event …), prints the ratios, and
leaves the page as it is.

    --quick     shorter slices and fewer turns: about 3 minutes, not about 10
    --page      runs nothing: makes the page again, of what the last full run has left in target/
    --help      this";

/// The program: see its `--help`.
pub fn main() -> Result<(), Box<dyn Error>> {
    let (mut quick, mut page_only, mut only) = (false, false, Vec::new());
    for argument in env::args().skip(1) {
        match argument.as_str() {
            "--quick" => quick = true,
            "--page" => page_only = true,
            "--help" => {
                println!("{HELP}");
                return Ok(());
            }
            option if option.starts_with('-') => return Err(format!("{option}?\n\n{HELP}").into()),
            group => only.push(group.to_owned()),
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let results = results(only.is_empty())?;
    if !page_only {
        if cfg!(debug_assertions) {
            return Err("without --release the figures mean nothing".into());
        }
        let command =
            format!("cargo run --release -p futon-benches{}", if quick { " -- --quick" } else { "" });
        let is_all = only.is_empty();
        let turns = Turns::new(&results, Machine::this(command), quick, only)?;
        run(turns)?;
        println!("results: {}", results.display());
        if !is_all {
            return Ok(());
        }
    }
    report::write(&root.join("docs"), &Results::read(&results)?)?;
    println!("see docs/performance.md");
    Ok(())
}

/// Where the results go: beside the folder of the executable.
fn results(is_all: bool) -> Result<PathBuf, Box<dyn Error>> {
    let executable = env::current_exe()?;
    let target = executable.ancestors().nth(2).ok_or("no target folder")?;
    fs::create_dir_all(target)?;
    Ok(target.join(if is_all { "performance.jsonl" } else { "performance-part.jsonl" }))
}

fn run(mut turns: Turns) -> std::io::Result<()> {
    let crew = Crew::new();
    for group in groups::alone() {
        turns.run(group);
    }
    groups::together(&crew, &mut turns);
    turns.end()
}

/// Hands to criterion what one thread does alone.
pub fn with_criterion(criterion: &mut Criterion) {
    // Some libraries leave out atomic operations in a process with one thread only.
    let _crew = Crew::new();
    for group in groups::alone() {
        let mut bench = criterion.benchmark_group(group.name.replace('/', ", "));
        for mut contender in group.contenders {
            let Run::Rounds(run, _) = &mut contender.run else {
                unreachable!("one thread does it so often")
            };
            bench.bench_function(&contender.name, |bencher| bencher.iter_custom(&mut *run));
        }
        bench.finish();
    }
}
