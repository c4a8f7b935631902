//! What the project wants of itself, and whether a run has shown it.

use std::fmt;

use super::Cell;
use crate::record::Record;
use crate::work::median;

/// How a target was missed or met.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    Missed,
    /// The target lies in the middle half of the ratios.
    About,
    Met,
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            State::Missed => "**missed**",
            State::About => "about",
            State::Met => "met",
        })
    }
}

/// A target, beside the worst of the cells that it is for.
pub struct Verdict {
    pub what: String,
    /// The cell.
    pub place: String,
    pub value: f64,
    /// In which the middle half of the values lies.
    pub range: (f64, f64),
    pub limit: f64,
    pub at_least: bool,
    /// In how many cells it was met.
    pub met: usize,
    pub cells: usize,
}

impl Verdict {
    /// By what factor it was missed: at most 1 if it was met.
    pub fn excess(&self) -> f64 {
        let excess = self.value / self.limit;
        if self.at_least { 1.0 / excess } else { excess }
    }

    /// Missed or met.
    pub fn state(&self) -> State {
        let (low, high) = self.range;
        if self.excess() <= 1.0 {
            State::Met
        } else if low <= self.limit && self.limit <= high {
            State::About
        } else {
            State::Missed
        }
    }
}

/// Whose time futon's is compared with.
#[derive(Clone, Copy)]
enum By {
    /// The best of the peers.
    Best,
    /// The best of these.
    These(&'static [&'static str]),
}
use By::{Best, These};

impl By {
    fn of<'a>(self, cell: &'a Cell<'a>) -> Option<&'a Record> {
        match self {
            Best => cell.best(Record::is_peer),
            These(names) => cell.best(|record| names.contains(&record.contender.as_str())),
        }
    }
}

/// For the cells of a group: futon's time by another's is at most this. The group may be given by what its
/// name begins with.
struct Target {
    what: &'static str,
    group: &'static str,
    by: By,
    limit: f64,
    /// For which of the cells.
    cells: fn(&Record) -> bool,
}

const fn target(what: &'static str, group: &'static str, by: By, limit: f64) -> Target {
    Target { what, group, by, limit, cells: |_| true }
}

impl Target {
    const fn only(self, cells: fn(&Record) -> bool) -> Self {
        Self { cells, ..self }
    }
}

fn several_threads(record: &Record) -> bool {
    record.of_cell("threads") > Some(1)
}

const CAS_SWAP: By = These(&["limit: CAS + swap"]);
const BARE_FUTEX: By = These(&["limit: bare futex"]);
const MUTEXES: By = These(&["std", "parking_lot"]);

const TARGETS: [Target; 38] = [
    target("Lock alone, by its limit", "lock/uncontended", CAS_SWAP, 1.05),
    target("Lock contended, by the best peer", "lock/contended", Best, 1.0 / 0.95),
    target("RLock, first level, by Lock", "rlock/first", These(&["futon Lock"]), 1.05),
    target("RLock, nested level, by two RMWs (it has none)", "rlock/nested", CAS_SWAP, 0.5),
    target(
        "Semaphore alone, by its limit",
        "semaphore/uncontended",
        These(&["limit: CAS + fetch_add"]),
        1.05,
    ),
    target("Semaphore alone, by tokio", "semaphore/uncontended", These(&["tokio"]), 0.5),
    target("Semaphore alone, by parking_lot", "semaphore/uncontended", These(&["parking_lot"]), 0.5),
    target("Semaphore alone, by std", "semaphore/uncontended", These(&["std"]), 1.0 / 15.0),
    target("Semaphore contended, by the best peer", "semaphore/contended", Best, 1.0),
    target("Event, wait when set, by one load", "event/wait when set", These(&["limit: load"]), 1.05),
    target("Event, waking 16, by a bare futex", "event/wake", BARE_FUTEX, 1.0)
        .only(|record| record.of_cell("waiters") == Some(16)),
    target("Event, waking 1, 4, 16, 64, by a bare futex", "event/wake", BARE_FUTEX, 1.05),
    target("Condition, notifying nobody, by std", "condition/notify nobody", These(&["std"]), 0.01),
    target("Condition, bounded buffer, by usync", "condition/bounded buffer", These(&["usync"]), 1.0),
    target("Condition, notify_all to 15, by std", "condition/notify_all", These(&["std"]), 0.8),
    target(
        "Hand-over of a semaphore, partner running, by the best peer",
        "hand-over/semaphore, partner running",
        Best,
        0.5,
    ),
    target(
        "Hand-over of an event, partner running, by the best peer",
        "hand-over/event, partner running",
        Best,
        0.5,
    ),
    target(
        "Hand-over of a condition, partner running, by the best peer",
        "hand-over/condition, partner running",
        Best,
        0.5,
    ),
    target(
        "Hand-over of a semaphore, partner asleep, by a bare futex",
        "hand-over/semaphore, partner asleep",
        BARE_FUTEX,
        1.05,
    ),
    target(
        "Hand-over of an event, partner asleep, by a bare futex",
        "hand-over/event, partner asleep",
        BARE_FUTEX,
        1.05,
    ),
    target(
        "Hand-over of a condition, partner asleep, by a bare futex",
        "hand-over/condition, partner asleep",
        BARE_FUTEX,
        1.05,
    ),
    target(
        "Hand-over of a semaphore on one CPU, by a bare futex",
        "hand-over/semaphore, one CPU",
        BARE_FUTEX,
        1.05,
    ),
    target(
        "Hand-over of an event on one CPU, by a bare futex",
        "hand-over/event, one CPU",
        BARE_FUTEX,
        1.05,
    ),
    target(
        "Hand-over of a condition on one CPU, by a bare futex",
        "hand-over/condition, one CPU",
        BARE_FUTEX,
        1.05,
    ),
    target("Barrier of 2, by std", "barrier/rounds", These(&["std"]), 0.3)
        .only(|record| record.of_cell("parties") == Some(2)),
    target("Barrier of 4, 8, 16, by pthread", "barrier/rounds", These(&["pthread"]), 1.0)
        .only(|record| record.of_cell("parties") > Some(2)),
    target("Queue with room for one, by the best peer", "queue/bounded", Best, 1.0)
        .only(|record| record.of_cell("capacity") == Some(1)),
    target("Queue with room for 64, by the best peer", "queue/bounded", Best, 1.0)
        .only(|record| record.of_cell("capacity") == Some(64)),
    target("Queue without a limit, by the best peer", "queue/unbounded", Best, 1.0),
    target("Puller, cheap next, by std's mutex", "iterator/cheap", These(&["std"]), 1.0 / 15.0)
        .only(several_threads),
    target(
        "Puller, cheap next, by parking_lot's mutex",
        "iterator/cheap",
        These(&["parking_lot"]),
        1.0 / 8.0,
    )
    .only(several_threads),
    target("Puller, 110 ns of work, by the better mutex", "iterator/110 ns", MUTEXES, 0.5)
        .only(several_threads),
    target("Puller, next of 1 µs, by the better mutex", "iterator/next of", MUTEXES, 1.0 / 1.5)
        .only(several_threads),
    target("Puller, strings, by the better mutex", "iterator/strings", MUTEXES, 1.0 / 1.3)
        .only(several_threads),
    target(
        "Puller of known length, by fetch_add of 64",
        "iterator/known",
        These(&["fetch_add by 64"]),
        1.0,
    ),
    // Of all the iterators, and here it is the other handle of futon's that counts.
    target(ONE_BY_ONE, "iterator/", These(&["parking_lot"]), 1.0),
    target("Parallel map in order, by the best peer", "par_map/in order", Best, 1.0),
    target("Parallel map as they come, by the best peer", "par_map/as they come", Best, 1.0),
];

const ONE_BY_ONE: &str = "One by one, by parking_lot's mutex";

/// All targets for which there are cells.
pub fn verdicts(cells: &[Cell]) -> Vec<Verdict> {
    let mut verdicts: Vec<_> = TARGETS.iter().filter_map(|target| of_times(cells, target)).collect();
    verdicts.extend(geometric_mean(cells));
    verdicts.extend(growth(cells));
    let of = |group: &str| cells.iter().filter(|cell| cell.group == group).collect::<Vec<_>>();
    verdicts.extend(worst(of("lock/share").into_iter().filter_map(|cell| {
        let share = cell.futon().figure("slowest share")?;
        Some(single("Lock, share of the slowest thread", cell, share, 0.5, true))
    })));
    verdicts.extend(worst(of("lock/waiting").into_iter().filter_map(|cell| {
        let of = |record: &Record| record.figure("p99.9 ns");
        let best = cell
            .records
            .iter()
            .filter(|record| record.is_peer())
            .filter_map(of)
            .min_by(f64::total_cmp)?;
        Some(single(
            "Lock, 99.9th percentile of waiting, by the best peer's",
            cell,
            of(cell.futon())? / best,
            1.0,
            false,
        ))
    })));
    verdicts.extend(worst(of("lock/waiting").into_iter().filter_map(|cell| {
        let longest = cell.futon().largest("longest ns")? / 1e6;
        let without = cell.of("limit: no lock")?.largest("longest ns")? / 1e6;
        let verdict = single("Lock, longest wait, in ms", cell, longest, 5.0, false);
        Some(Verdict {
            place: format!("{}; with no lock at all {without:.1}", verdict.place),
            ..verdict
        })
    })));
    verdicts
}

fn single(what: &str, cell: &Cell, value: f64, limit: f64, at_least: bool) -> Verdict {
    let place = cell.futon().cell_name();
    let what = what.to_owned();
    Verdict { what, place, value, range: (value, value), limit, at_least, met: 0, cells: 1 }
}

/// The worst of several, which counts how many of them were met.
fn worst(verdicts: impl Iterator<Item = Verdict>) -> Option<Verdict> {
    let verdicts: Vec<_> = verdicts.collect();
    let met = verdicts.iter().filter(|verdict| verdict.state() == State::Met).count();
    let cells = verdicts.len();
    let worst = verdicts.into_iter().max_by(|a, b| a.excess().total_cmp(&b.excess()))?;
    Some(Verdict { met, cells, ..worst })
}

fn of_times(cells: &[Cell], target: &Target) -> Option<Verdict> {
    let cells = cells
        .iter()
        .filter(|cell| cell.group.starts_with(target.group) && (target.cells)(cell.futon()));
    worst(cells.filter_map(|cell| {
        let other = target.by.of(cell)?;
        let own = if target.what == ONE_BY_ONE { cell.of("futon one by one")? } else { cell.futon() };
        let mut place = cell.futon().cell_name();
        if matches!(target.by, Best) || target.what == ONE_BY_ONE || target.group.ends_with("buffer") {
            let of = if matches!(target.by, Best) { other.contender.as_str() } else { cell.group };
            place = if place.is_empty() { of.to_owned() } else { format!("{place}: {of}") };
        }
        Some(Verdict {
            what: target.what.to_owned(),
            place,
            value: own.by(other),
            range: own.range_by(other),
            limit: target.limit,
            at_least: false,
            met: 0,
            cells: 1,
        })
    }))
}

/// Over all cells of the contended lock, by the one peer that is best in this.
fn geometric_mean(cells: &[Cell]) -> Option<Verdict> {
    let cells: Vec<_> = cells.iter().filter(|cell| cell.group == "lock/contended").collect();
    let peers = cells.first()?.records.iter().filter(|record| record.is_peer());
    let mean = |peer: &Record| {
        let ratio = |cell: &&Cell| cell.of(&peer.contender).map(|other| cell.futon().by(other).ln());
        let logarithms: Vec<_> = cells.iter().filter_map(ratio).collect();
        (logarithms.iter().sum::<f64>() / logarithms.len() as f64).exp()
    };
    let means = peers.map(|peer| (mean(peer), peer.contender.clone()));
    let (value, peer) = means.max_by(|a, b| a.0.total_cmp(&b.0))?;
    let verdict = Verdict {
        what: "Lock contended, geometric mean over all cells, by the best single peer".to_owned(),
        place: peer,
        value,
        range: (value, value),
        limit: 1.0 / 1.10,
        at_least: false,
        met: 0,
        cells: 1,
    };
    worst([verdict].into_iter())
}

/// What sixteen threads at the lock take beside two, who do the same.
fn growth(cells: &[Cell]) -> Option<Verdict> {
    let cells = || cells.iter().filter(|cell| cell.group == "lock/contended");
    let is_of = |cell: &Cell, threads| cell.futon().of_cell("threads") == Some(threads);
    let work = |cell: &Cell| ["inside", "outside"].map(|name| cell.futon().of_cell(name));
    worst(cells().filter(|cell| is_of(cell, 16)).filter_map(|many| {
        let few = cells().find(|cell| is_of(cell, 2) && work(cell) == work(many))?;
        let ratio = median(&many.futon().nanos) / median(&few.futon().nanos);
        Some(single("Lock, time of 16 threads by that of 2", many, ratio, 2.0, false))
    }))
}
