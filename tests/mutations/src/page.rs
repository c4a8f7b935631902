//! What a run has shown: at the end of its output, and as `docs/mutations.md`.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::find::Mutation;
use crate::judge::Verdict;
use crate::survivors::Survivor;

/// Prints which mutations have survived without a reason. Returns how many.
pub fn print(mutations: &[Mutation], verdicts: &[Verdict], survivors: &[Survivor]) -> usize {
    let mut unexplained = 0;
    println!("\nnoticed by no test, and not explained:");
    for (mutation, verdict) in mutations.iter().zip(verdicts) {
        if matches!(verdict, Verdict::Survived { .. }) && reason(mutation, survivors).is_none() {
            println!("  {mutation}");
            unexplained += 1;
        }
    }
    println!("{unexplained} of {}", mutations.len());
    unexplained
}

pub fn reason<'a>(mutation: &Mutation, survivors: &'a [Survivor]) -> Option<&'a str> {
    survivors.iter().find(|survivor| survivor.is_about(mutation)).map(|survivor| &*survivor.why)
}

/// How many of a file's mutations were noticed, and by what.
#[derive(Default)]
struct Count {
    by_model: usize,
    by_test: usize,
    by_time: usize,
    survived: usize,
}

/// The page.
pub fn write(mutations: &[Mutation], verdicts: &[Verdict], survivors: &[Survivor]) -> String {
    let mut counts = BTreeMap::<&str, Count>::new();
    for (mutation, verdict) in mutations.iter().zip(verdicts) {
        let count = counts.entry(&mutation.file).or_default();
        match verdict {
            Verdict::Noticed { by_time: true, .. } => count.by_time += 1,
            Verdict::Noticed { is_model: true, .. } => count.by_model += 1,
            Verdict::Noticed { .. } => count.by_test += 1,
            Verdict::Survived { .. } => count.survived += 1,
        }
    }
    let mut page = HEAD.to_owned();
    let mut all = Count::default();
    for (file, count) in &counts {
        row(&mut page, file, count);
        all.by_model += count.by_model;
        all.by_test += count.by_test;
        all.by_time += count.by_time;
        all.survived += count.survived;
    }
    row(&mut page, "all", &all);
    page.push_str(SURVIVORS);
    for file in counts.keys() {
        let mut by_reason = Vec::<(&str, Vec<String>)>::new();
        for (mutation, verdict) in mutations.iter().zip(verdicts) {
            let Verdict::Survived { passed, of } = verdict else { continue };
            if mutation.file != **file {
                continue;
            }
            let why = reason(mutation, survivors).unwrap_or("**Not explained.**");
            let mut line = format!("`{}`: `{}`", mutation.within, mutation.change());
            if passed < of {
                let _ = write!(line, " ({passed} of {of} tests)");
            }
            match by_reason.iter_mut().find(|(other, _)| *other == why) {
                Some((_, lines)) => lines.push(line),
                None => by_reason.push((why, vec![line])),
            }
        }
        if !by_reason.is_empty() {
            let _ = writeln!(page, "\n### `{file}`");
        }
        for (why, lines) in by_reason {
            let _ = writeln!(page, "\n{why}\n");
            lines.iter().for_each(|line| _ = writeln!(page, "- {line}"));
        }
    }
    page
}

fn row(page: &mut String, name: &str, count: &Count) {
    let Count { by_model, by_test, by_time, survived } = count;
    let all = by_model + by_test + by_time + survived;
    let _ = writeln!(page, "| `{name}` | {all} | {by_model} | {by_test} | {by_time} | {survived} |");
}

const HEAD: &str = "\
# Mutations

<!-- Made by `cargo run --release -p futon-mutations`: change the program, the tests or `tests/mutations/survivors.toml`, not this page. -->

A test that can not fail proves nothing. So futon's sources are changed, one place at a time, and the tests have to notice:
each ordering one step weaker, each wake left out or for fewer threads, each atomic operation in two steps, each comparison,
number, mark and condition another one, each statement left out, each function without its work.

A mutation is noticed by a model, by a test on real threads, or since a test does not come to its end (a thread that nobody
wakes). Only the first test that notices is counted, and the fastest are run first.

| file | mutations | by a model | by a test | by a hang | survived |
|---|---:|---:|---:|---:|---:|
";

const SURVIVORS: &str = "
## What survives, and why

The function, and what is changed; how many of the tests that reach it were run, where it was not all of them.
";
