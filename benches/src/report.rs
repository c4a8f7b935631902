//! Makes the page of what a run has left.

mod pictures;
mod plot;
mod sections;
mod sizes;
mod targets;

use std::error::Error;
use std::fmt::Write;
use std::fs;
use std::path::Path;

use crate::record::{Record, Results};
use targets::State;

/// The part of the CPUs' time from which on what others use is too much.
const DISTURBED: f64 = 0.1;

/// The contenders of a group that did the same.
pub struct Cell<'a> {
    pub group: &'a str,
    /// futon's is the first one.
    pub records: &'a [Record],
}

impl Cell<'_> {
    /// The one of this name.
    pub fn of(&self, contender: &str) -> Option<&Record> {
        self.records.iter().find(|record| record.contender == contender)
    }

    /// futon's.
    pub fn futon(&self) -> &Record {
        &self.records[0]
    }

    /// The fastest of those whose names pass, in comparison with futon's in the same turns.
    pub fn best(&self, passes: impl Fn(&Record) -> bool) -> Option<&Record> {
        let others = self.records.iter().filter(|record| passes(record));
        others.max_by(|a, b| self.futon().by(a).total_cmp(&self.futon().by(b)))
    }
}

/// The records, cell by cell.
fn cells(records: &[Record]) -> Vec<Cell<'_>> {
    let same = |a: &Record, b: &Record| a.group == b.group && a.cell == b.cell;
    records.chunk_by(same).map(|records| Cell { group: &records[0].group, records }).collect()
}

/// Writes `performance.md` and the pictures.
pub fn write(docs: &Path, results: &Results) -> Result<(), Box<dyn Error>> {
    let cells = cells(&results.records);
    let folder = docs.join("performance");
    fs::create_dir_all(&folder)?;
    pictures::draw(&folder, &cells)?;
    fs::write(folder.join("in-rustdoc.md"), pictures::in_rustdoc(&folder)?)?;

    let mut page = String::new();
    head(&mut page, results)?;
    verdicts(&mut page, &cells)?;
    for section in &sections::SECTIONS {
        section.write(&mut page, &cells)?;
    }
    sizes::write(&mut page)?;
    fs::write(docs.join("performance.md"), page)?;
    Ok(())
}

fn head(page: &mut String, results: &Results) -> std::fmt::Result {
    let (machine, end) = (&results.machine, &results.end);
    let kind = if machine.virtual_machine { ", a virtual machine" } else { "" };
    let peers: Vec<_> =
        machine.peers.iter().map(|(name, version)| format!("{name} {version}")).collect();
    writeln!(
        page,
        "# Performance

<!-- Made by `{command}`: change the program, not this page. -->

futon beside its peers, the same work for each of them, checked for its result. They take turns in slices of
5 to 250 ms on threads that are there already and begin each slice spread over the CPUs, so that whatever else the machine
does meets all of them. **What counts
is the ratio: futon's time by the other's, in the same turn; the median over all turns. Below 1 futon is faster.** The times
themselves are for orientation.

This is *one* machine with {cpus} CPUs, which others use too. With more threads than that, much is decided by
the scheduler. Other machines will give other figures: run it on yours.

| | |
|---|---|
| CPUs | {cpus} × {cpu}{kind} |
| kernel | {kernel} |
| C library | {libc} |
| compiler | {rustc} |
| date | {date} |
| command | `{command}` |
| took | {minutes:.0} minutes, in which other processes used {others:.0} % of the CPUs' time, and the host {stolen:.0} % |
| versions | {peers} |
",
        command = machine.command,
        cpus = machine.cpus,
        cpu = machine.cpu,
        kernel = machine.kernel,
        libc = machine.libc,
        rustc = machine.rustc,
        date = machine.date,
        minutes = (end.seconds as f64 / 60.0).ceil(),
        others = end.others * 100.0,
        stolen = end.stolen * 100.0,
        peers = peers.join(", "),
    )?;
    if end.others + end.stolen > DISTURBED {
        writeln!(
            page,
            "**This run was disturbed**: others had a good part of the CPUs. Take nothing here for granted.\n"
        )?;
    }
    Ok(())
}

fn verdicts(page: &mut String, cells: &[Cell]) -> std::fmt::Result {
    let mut verdicts = targets::verdicts(cells);
    verdicts.sort_by(|a, b| b.excess().total_cmp(&a.excess()));
    verdicts.sort_by_key(|verdict| verdict.state());
    let count = |state: State| verdicts.iter().filter(|verdict| verdict.state() == state).count();
    writeln!(
        page,
        "## Beside the targets

What the project wants of itself, what is missed first. Where a target is for several cells, the worst one
is shown, with the number of cells in which the target is met. *About* says that the target lies in the middle half of the
ratios: another run may decide otherwise. Missed {}, about {}, met {}.

| | target | here | middle half | worst cell | cells met | |
|---|---|---|---|---|---|---|",
        count(State::Missed),
        count(State::About),
        count(State::Met),
    )?;
    for verdict in &verdicts {
        let (low, high) = verdict.range;
        writeln!(
            page,
            "| {} | {} {} | **{}** | {} | {} | {} of {} | {} |",
            verdict.what,
            if verdict.at_least { "≥" } else { "≤" },
            figure(verdict.limit),
            figure(verdict.value),
            if low == high { String::new() } else { format!("{} – {}", figure(low), figure(high)) },
            verdict.place,
            verdict.met,
            verdict.cells,
            verdict.state(),
        )?;
    }
    writeln!(page, "\n![Each cell's ratio to the best peer](performance/overview.svg)\n")
}

/// With three digits that mean something, at most.
fn figure(value: f64) -> String {
    match value.abs() {
        x if x < 5e-5 => "0".to_owned(),
        x if x >= 100.0 => format!("{value:.0}"),
        x if x >= 10.0 => format!("{value:.1}"),
        x if x >= 0.1 => format!("{value:.2}"),
        x if x >= 0.01 => format!("{value:.3}"),
        _ => format!("{value:.4}"),
    }
}

fn time(nanos: f64) -> String {
    match nanos {
        x if x < 1e3 => format!("{} ns", figure(x)),
        x if x < 1e6 => format!("{} µs", figure(x / 1e3)),
        x => format!("{} ms", figure(x / 1e6)),
    }
}
