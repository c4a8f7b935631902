//! Which pictures there are, and what is in them.

#[path = "../../../tests/house/picture.rs"]
mod picture;

use std::fs;
use std::path::Path;

use picture::in_an_address;

use super::plot::{Content, Panel, Result, draw as draw_panels, height};
use super::{Cell, time};
use crate::record::Record;
use crate::work::median;

/// Draws those for which there are cells.
pub fn draw(folder: &Path, cells: &[Cell]) -> Result {
    let picture = |name: &str, panels: Vec<Panel>, columns: usize, size: (u32, u32)| -> Result {
        if panels.is_empty() {
            return Ok(());
        }
        draw_panels(&folder.join(format!("{name}.svg")), &panels, columns, size)
    };
    let of = |groups: &[&str]| -> Vec<&Cell> {
        let is_one = |cell: &&Cell| groups.iter().any(|group| cell.group.starts_with(group));
        cells.iter().filter(is_one).collect()
    };

    let rows = overview(cells);
    let size = (900, height(rows.len()) + 20);
    let title = "futon's time / the best peer's, each cell a dot; left of 1 futon is faster".to_owned();
    picture("overview", vec![Panel { title, content: Content::Dots(rows) }], 1, size)?;

    let alone = ["lock/uncontended", "rlock/first", "rlock/nested", "semaphore/uncontended"];
    let alone = [&alone[..], &["event/set", "event/wait when", "condition/notify nobody"]].concat();
    picture("alone", bars(&of(&alone)), 2, (450, height(7)))?;
    picture("semaphore", bars(&of(&["semaphore/contended"])), 2, (450, height(6)))?;
    picture(
        "condition",
        bars(&of(&["condition/bounded", "condition/notify_all"])),
        2,
        (450, height(5)),
    )?;
    picture("queue", bars(&of(&["queue/"])), 2, (450, height(5)))?;
    let ways = ["running", "asleep", "one CPU"];
    let mut hand_over = of(&["hand-over/"]);
    hand_over.sort_by_key(|cell| ways.iter().position(|way| cell.group.ends_with(way)));
    picture("hand-over", bars(&hand_over), 3, (400, height(8)))?;

    let contended = of(&["lock/contended"]);
    let mut steps: Vec<(u64, u64)> = Vec::new();
    for cell in &contended {
        let own = cell.futon();
        let pair = (own.of_cell("inside").unwrap_or(0), own.of_cell("outside").unwrap_or(0));
        if !steps.contains(&pair) {
            steps.push(pair);
        }
    }
    let panels = steps.into_iter().map(|(inside, outside)| {
        let has = |name, value| move |cell: &&&Cell<'_>| cell.futon().of_cell(name) == Some(value);
        let cells = contended.iter().filter(has("inside", inside)).filter(has("outside", outside));
        let cells: Vec<_> = cells.copied().collect();
        lines(
            &cells,
            "threads",
            &format!("{inside} steps inside, {outside} outside"),
            "per µs",
            false,
            &per_micro,
        )
    });
    picture("lock", panels.collect(), 4, (300, 220))?;

    let figure =
        |name: &'static str, by: f64| move |record: &Record| record.figure(name).unwrap_or(0.0) / by;
    let largest =
        |name: &'static str, by: f64| move |record: &Record| record.largest(name).unwrap_or(0.0) / by;
    let (shares, waits) = (of(&["lock/share"]), of(&["lock/waiting"]));
    let mut panels = Vec::new();
    if !shares.is_empty() && !waits.is_empty() {
        let share = figure("slowest share", 1.0);
        let percentile = figure("p99.9 ns", 1e3);
        let longest = largest("longest ns", 1e6);
        panels.push(lines(
            &shares,
            "threads",
            "share of the slowest thread",
            "of its fair share",
            false,
            &share,
        ));
        panels.push(lines(&waits, "threads", "99.9th percentile of waiting", "µs", true, &percentile));
        panels.push(lines(&waits, "threads", "longest wait", "ms", true, &longest));
    }
    picture("waiting", panels, 3, (330, 280))?;

    let micros = |record: &Record| median(&record.nanos) / 1e3;
    let one = |group: &str, x_name: &str, title: &str| -> Vec<Panel> {
        let cells = of(&[group]);
        if cells.is_empty() {
            Vec::new()
        } else {
            vec![lines(&cells, x_name, title, "µs", true, &micros)]
        }
    };
    picture("event", one("event/wake", "waiters", "from set until the last one runs"), 1, (600, 340))?;
    picture("barrier", one("barrier/", "parties", "a round"), 1, (600, 340))?;

    let mut panels = Vec::new();
    for (group, title, logarithmic) in [
        ("iterator/cheap next", "cheap next", true),
        ("iterator/known length", "known length, cheap", true),
        ("iterator/110 ns of work", "110 ns of work an item", false),
        ("iterator/next of 1 µs", "next of 1 µs", false),
        ("iterator/strings", "strings", false),
        ("iterator/0.5 ms of work", "0.5 ms of work an item", false),
    ] {
        let cells = of(&[group]);
        if !cells.is_empty() {
            panels.push(lines(&cells, "threads", title, "items per µs", logarithmic, &per_micro));
        }
    }
    picture("iterators", panels, 2, (450, 300))
}

fn per_micro(record: &Record) -> f64 {
    1e3 / median(&record.nanos)
}

/// The pictures that the book shows, as labels that lead to all that is in them: rustdoc takes no files along.
pub fn in_rustdoc(folder: &Path) -> std::io::Result<String> {
    let mut labels = String::new();
    for name in ["lock", "overview"] {
        let picture = fs::read_to_string(folder.join(name).with_extension("svg"))?;
        labels.push_str(&format!("[{name}-picture]: data:image/svg+xml,{}\n", in_an_address(&picture)));
    }
    Ok(labels)
}

/// For each group the ratios to the best peer.
fn overview(cells: &[Cell]) -> Vec<(String, Vec<f64>)> {
    let mut rows: Vec<(String, Vec<f64>)> = Vec::new();
    for cell in cells {
        let Some(best) = cell.best(Record::is_peer) else { continue };
        let name = cell.group.replace('/', ": ");
        let row = match rows.iter().position(|(row, _)| *row == name) {
            Some(row) => row,
            None => {
                rows.push((name, Vec::new()));
                rows.len() - 1
            }
        };
        rows[row].1.push(cell.futon().by(best));
    }
    rows
}

/// A panel for each cell, with a bar for each contender.
fn bars(cells: &[&Cell]) -> Vec<Panel> {
    let panel = |cell: &&Cell| {
        let cell_name = cell.futon().cell_name();
        let (_, name) = cell.group.split_once('/').unwrap_or(("", cell.group));
        let title = match (cell.group.starts_with("hand-over"), cell_name.is_empty()) {
            (true, _) => name.to_owned(),
            (false, true) => cell.group.replace('/', ", "),
            (false, false) if cell.group.starts_with("semaphore") => cell_name,
            (false, false) => format!("{name}: {cell_name}"),
        };
        let title = format!("{title} ({})", cell.futon().unit);
        let bar = |record: &Record| {
            let nanos = median(&record.nanos);
            (record.contender.clone(), nanos, time(nanos))
        };
        Panel { title, content: Content::Bars(cell.records.iter().map(bar).collect()) }
    };
    cells.iter().map(panel).collect()
}

/// A line for each contender, over what distinguishes the cells.
fn lines(
    cells: &[&Cell],
    x_name: &str,
    title: &str,
    y_name: &str,
    logarithmic: bool,
    value: &dyn Fn(&Record) -> f64,
) -> Panel {
    let xs = cells.iter().map(|cell| cell.futon().of_cell(x_name).unwrap_or(0)).collect();
    let names = cells[0].records.iter().map(|record| record.contender.clone());
    let of = |name: &str| cells.iter().map(|cell| cell.of(name).map_or(0.0, value)).collect();
    let lines = names.map(|name| (name.clone(), of(&name))).collect();
    let (x_name, y_name) = (x_name.to_owned(), y_name.to_owned());
    Panel {
        title: title.to_owned(),
        content: Content::Lines { x_name, xs, y_name, logarithmic, lines },
    }
}
