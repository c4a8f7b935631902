//! The parts of the page, one for each primitive, with the tables of their groups.

use std::fmt::Write;

use super::{Cell, figure, time};
use crate::record::Record;
use crate::work::median;

/// A part of the page.
pub struct Section {
    title: &'static str,
    text: &'static str,
    pictures: &'static [(&'static str, &'static str)],
    /// What the names of its groups begin with.
    groups: &'static str,
}

/// In the order of the page.
pub const SECTIONS: [Section; 10] = [
    Section {
        title: "Lock",
        text: "Steps inside and outside of the lock take about a nanosecond each. The share is the slowest thread's, of \
               what each would have if all had the same, in a quarter of a second. Waiting is measured with 10 steps inside; \
               the column without a lock shows what comes from the scheduler, which may take a thread off its CPU at any time.",
        pictures: &[
            ("alone", "What one thread does alone"),
            ("lock", "The contended lock"),
            ("waiting", "Shares and waits"),
        ],
        groups: "lock/",
    },
    Section {
        title: "RLock",
        text: "std's re-entrant lock is not stable. *futon Lock* is the lock that can not be taken again.",
        pictures: &[],
        groups: "rlock/",
    },
    Section {
        title: "Semaphore",
        text: "*std* and *parking_lot* stand for a number under their mutex with their condition variable; *sem_t* is the C \
               library's; tokio's waits in the smallest executor that blocks a thread.",
        pictures: &[("semaphore", "More threads than permits")],
        groups: "semaphore/",
    },
    Section {
        title: "Event",
        text: "*std* and *parking_lot* stand for a flag under their mutex with their condition variable. Waking is the time \
               from `set` until the last of the sleeping threads runs.",
        pictures: &[("event", "Waking threads")],
        groups: "event/",
    },
    Section {
        title: "Condition",
        text: "The bounded buffer has room for 8. A round of `notify_all` begins with it and ends when the last of the \
               15 has had the lock, and has notified the one that began.",
        pictures: &[("condition", "Conditions")],
        groups: "condition/",
    },
    Section {
        title: "Hand-over",
        text: "Two threads take turns. *Partner running*: on two CPUs, and back at once. *Partner asleep*: on two CPUs, and \
               each keeps the ball for 50 µs; the time is from just before it is given until it is taken. *One CPU*: the partner \
               can not run before the other one sleeps.",
        pictures: &[("hand-over", "Hand-over")],
        groups: "hand-over/",
    },
    Section {
        title: "Barrier",
        text: "Threads that do nothing but wait for each other.",
        pictures: &[("barrier", "Rounds of a barrier")],
        groups: "barrier/",
    },
    Section {
        title: "Queue",
        text: "As many threads that put as threads that get, which do nothing else. std's channel is for one that gets, and there is \
               none of std's where there are more.",
        pictures: &[("queue", "Queues")],
        groups: "queue/",
    },
    Section {
        title: "Iterators",
        text: "Many threads and one iterator, from its first item to its last. *std* and *parking_lot* stand for their mutex around it. \
               crossbeam's channel is filled by one more thread.",
        pictures: &[("iterators", "Shared iterators")],
        groups: "iterator/",
    },
    Section {
        title: "Parallel map",
        text: "One iterator mapped by as many threads as there are CPUs, and the results in the hands of the one that \
               called. All but rayon start their threads for it. rayon's `par_bridge` gives the results as they come and \
               all at the end, *sorted* by the places that they carry; *by index* is for what has one, as a slice. \
               crossbeam's channels bring jobs to the threads and results from them, put in order by a tree. *By 16* is \
               futon's with chunks of so many items.",
        pictures: &[],
        groups: "par_map/",
    },
];

impl Section {
    /// Writes it, with a table for each of its groups.
    pub fn write(&self, page: &mut String, cells: &[Cell]) -> std::fmt::Result {
        writeln!(page, "## {}\n\n{}\n", self.title, self.text)?;
        for (picture, title) in self.pictures {
            writeln!(page, "![{title}](performance/{picture}.svg)\n")?;
        }
        let cells: Vec<_> = cells.iter().filter(|cell| cell.group.starts_with(self.groups)).collect();
        // One table for each group, wherever its cells are.
        let mut groups: Vec<&str> = Vec::new();
        for cell in &cells {
            if !groups.contains(&cell.group) {
                groups.push(cell.group);
            }
        }
        for group in groups {
            let cells: Vec<_> = cells.iter().copied().filter(|cell| cell.group == group).collect();
            table(page, group, &cells)?;
        }
        Ok(())
    }
}

fn table(page: &mut String, group: &str, cells: &[&Cell]) -> std::fmt::Result {
    let name = group.split_once('/').map_or(group, |(_, name)| name);
    let futon = &cells[0].futon().contender;
    let mut capital = name.chars();
    let title: String =
        capital.next().into_iter().flat_map(char::to_uppercase).chain(capital.by_ref()).collect();
    writeln!(page, "**{title}**, {futon}'s time by the other's; in bold by the fastest peer's:\n")?;
    let names = cells[0].futon().cell.iter().map(|(name, _)| name.as_str());
    let others = cells[0].records[1..].iter().map(|record| record.contender.as_str());
    let unit = &cells[0].futon().unit;
    let head: Vec<_> = names.map(str::to_owned).chain([format!("{futon}: {unit}")]).collect();
    writeln!(page, "| {} | {} |", head.join(" | "), others.collect::<Vec<_>>().join(" | "))?;
    let columns = head.len() + cells[0].records.len() - 1;
    writeln!(page, "|{}", "---:|".repeat(columns))?;
    for cell in cells {
        let best = cell.best(Record::is_peer).map(|best| &best.contender);
        let own = cell.futon();
        let values = own.cell.iter().map(|(_, value)| value.to_string());
        let ratio = |record: &Record| {
            let ratio = figure(own.by(record));
            if best == Some(&record.contender) { format!("**{ratio}**") } else { ratio }
        };
        let values =
            values.chain([time(median(&own.nanos))]).chain(cell.records[1..].iter().map(ratio));
        writeln!(page, "| {} |", values.collect::<Vec<_>>().join(" | "))?;
    }
    writeln!(page)?;

    // Other figures, as they are. A slice is too short to say much about shares.
    let more = cells[0].futon().more.keys().filter(|_| group != "lock/contended");
    for name in more {
        let is_time = name.ends_with("ns");
        let title = name.trim_end_matches("ns").trim_end_matches([' ', ',']);
        let how = if title.starts_with("longest") { "in all turns" } else { "median of the turns" };
        writeln!(page, "**{title}**, {how}:\n")?;
        let names = cells[0].futon().cell.iter().map(|(name, _)| name.as_str());
        let all = cells[0].records.iter().map(|record| record.contender.as_str());
        let head: Vec<_> = names.chain(all).collect();
        writeln!(page, "| {} |\n|{}", head.join(" | "), "---:|".repeat(head.len()))?;
        for cell in cells {
            let figures = cell.records.iter().map(|record| {
                let value = if title.starts_with("longest") {
                    record.largest(name)
                } else {
                    record.figure(name)
                };
                value.map_or(String::new(), |value| if is_time { time(value) } else { figure(value) })
            });
            let values = cell.futon().cell.iter().map(|(_, value)| value.to_string()).chain(figures);
            writeln!(page, "| {} |", values.collect::<Vec<_>>().join(" | "))?;
        }
        writeln!(page)?;
    }
    Ok(())
}
