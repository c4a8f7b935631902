//! Contenders take turns, in slices of some milliseconds each, so that whatever else the machine does meets
//! all of them. What counts is the ratio of the times within a turn, and of these the median.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use std::{process, thread};

use crate::record::{Line, Load, Machine, Record};
use crate::work::{median, timed};

/// What is measured together: the same work for each contender.
pub struct Group<'a> {
    /// The primitive, a slash, and what it does.
    pub name: &'static str,
    /// What distinguishes this from others of the same name: the number of threads, for example.
    pub cell: Vec<(&'static str, u64)>,
    /// What a time is the time of.
    pub unit: &'static str,
    /// How many times as long as usual a slice takes.
    pub longer: u32,
    /// A part of the usual number of turns, for what takes long.
    pub fewer_turns: u32,
    /// The first one is futon's.
    pub contenders: Vec<Contender<'a>>,
}

/// One of those that do the same work.
pub struct Contender<'a> {
    /// Whose it is.
    pub name: String,
    pub(crate) run: Run<'a>,
}

type Rounds<'a> = Box<dyn FnMut(u64) -> Duration + 'a>;
type Slice<'a> = Box<dyn FnMut(Duration) -> Sample + 'a>;

pub(crate) enum Run<'a> {
    /// Does it so many times, and says how long it took; with the number for the next slice.
    Rounds(Rounds<'a>, u64),
    /// Does it for so long.
    Slice(Slice<'a>),
}

/// What comes of a slice.
pub struct Sample {
    /// Nanoseconds for each time.
    pub nanos: f64,
    /// Other figures.
    pub more: Vec<(&'static str, f64)>,
}

impl<'a> Group<'a> {
    /// A group with slices of the usual length.
    pub fn new(name: &'static str, unit: &'static str, contenders: Vec<Contender<'a>>) -> Self {
        Self { name, cell: Vec::new(), unit, longer: 1, fewer_turns: 1, contenders }
    }

    /// The same, one of several of its name.
    pub fn cell(mut self, cell: &[(&'static str, u64)]) -> Self {
        self.cell = cell.to_vec();
        self
    }

    /// The same with slices that are longer, and fewer of them.
    pub fn longer(mut self, longer: u32, fewer_turns: u32) -> Self {
        (self.longer, self.fewer_turns) = (longer, fewer_turns);
        self
    }
}

impl<'a> Contender<'a> {
    /// Does something so many times, and says how long it took.
    pub fn by_rounds(name: impl Into<String>, run: impl FnMut(u64) -> Duration + 'a) -> Self {
        Self { name: name.into(), run: Run::Rounds(Box::new(run), 1) }
    }

    /// Does something for so long, and says how often.
    pub fn by_time(name: impl Into<String>, run: impl FnMut(Duration) -> Sample + 'a) -> Self {
        Self { name: name.into(), run: Run::Slice(Box::new(run)) }
    }

    /// One thread does something, over and over.
    pub fn alone<R>(name: impl Into<String>, mut operation: impl FnMut() -> R + 'a) -> Self {
        Self::by_rounds(name, move |rounds| timed(rounds, &mut operation))
    }

    fn slice(&mut self, time: Duration) -> Sample {
        match &mut self.run {
            Run::Slice(run) => run(time),
            Run::Rounds(run, rounds) => {
                let took = run(*rounds);
                let nanos = took.as_secs_f64() * 1e9 / *rounds as f64;
                let next = time.as_secs_f64() / took.as_secs_f64().max(1e-9);
                // A power of two, so that what is made for a number of rounds can be used again.
                *rounds = (*rounds as f64 * next.clamp(0.25, 64.0)).max(1.0) as u64;
                *rounds = 1 << (*rounds as f64).log2().round() as u32;
                Sample { nanos, more: Vec::new() }
            }
        }
    }

    /// Finds the number of rounds that a slice has room for.
    fn warm_up(&mut self, time: Duration) {
        self.slice(time);
        for _ in 0..12 {
            let Run::Rounds(_, before) = self.run else { return };
            self.slice(time);
            let Run::Rounds(_, after) = self.run else { return };
            if after <= before {
                return;
            }
        }
    }
}

impl Sample {
    /// So many times in so long a time.
    pub fn new(times: u64, took: Duration) -> Self {
        Self { nanos: took.as_secs_f64() * 1e9 / times as f64, more: Vec::new() }
    }

    /// The median of several times, in nanoseconds.
    pub fn median(nanos: &[f64]) -> Self {
        Self { nanos: median(nanos), more: Vec::new() }
    }
}

/// Runs groups, and writes down what comes of them.
pub struct Turns {
    slice: Duration,
    turns: u32,
    only: Vec<String>,
    file: File,
    load: Load,
    now: Arc<Mutex<(String, Instant)>>,
}

/// No slice takes so long, unless a thread waits for ever.
const TOO_LONG: Duration = Duration::from_secs(60);

impl Turns {
    /// Writes to a new file. With `only`, runs groups whose names begin with one of these and no others.
    pub fn new(file: &Path, machine: Machine, quick: bool, only: Vec<String>) -> std::io::Result<Self> {
        let mut file = File::create(file)?;
        writeln!(file, "{}", serde_json::to_string(&Line::Machine(machine))?)?;
        let (slice, turns) = if quick { (5, 11) } else { (10, 41) };
        let now = Arc::new(Mutex::new((String::new(), Instant::now())));
        watch(Arc::clone(&now));
        Ok(Self { slice: Duration::from_millis(slice), turns, only, file, load: Load::now(), now })
    }

    /// Whether groups whose names begin so are to be run.
    pub fn wants(&self, name: &str) -> bool {
        self.only.is_empty()
            || self.only.iter().any(|only| name.starts_with(only.as_str()) || only.starts_with(name))
    }

    /// Lets the contenders of a group take turns.
    pub fn run(&mut self, mut group: Group<'_>) {
        if !self.only.is_empty() && !self.only.iter().any(|only| group.name.starts_with(only.as_str()))
        {
            return;
        }
        let slice = self.slice * group.longer;
        let turns = (self.turns / group.fewer_turns).max(5);
        let count = group.contenders.len();
        let mut records: Vec<Record> = Vec::new();
        for contender in &mut group.contenders {
            self.begin(group.name, &contender.name);
            contender.warm_up(slice);
            records.push(Record {
                group: group.name.to_owned(),
                cell: group.cell.iter().map(|(name, value)| (name.to_string(), *value)).collect(),
                contender: contender.name.clone(),
                unit: group.unit.to_owned(),
                nanos: Vec::new(),
                more: BTreeMap::new(),
            });
        }
        for turn in 0..turns as usize {
            // Another one begins each time, so that none is always the first.
            for place in 0..count {
                let index = (turn + place) % count;
                self.begin(group.name, &group.contenders[index].name);
                let sample = group.contenders[index].slice(slice);
                let record = &mut records[index];
                record.nanos.push(sample.nanos);
                for (name, value) in sample.more {
                    record.more.entry(name.to_owned()).or_default().push(value);
                }
            }
        }
        self.write(&records);
    }

    /// Tells the watch.
    fn begin(&self, group: &str, contender: &str) {
        *self.now.lock().unwrap() = (format!("{group}, {contender}"), Instant::now());
    }

    /// Says how it went.
    pub fn end(mut self) -> std::io::Result<()> {
        let end = self.load.end();
        println!(
            "{} s; meanwhile other processes had {:.0} % of the CPUs' time, and the host {:.0} %",
            end.seconds,
            end.others * 100.0,
            end.stolen * 100.0
        );
        writeln!(self.file, "{}", serde_json::to_string(&Line::End(end))?)
    }

    fn write(&mut self, records: &[Record]) {
        let first = &records[0];
        println!("{} {}", first.group, first.cell_name());
        for record in records {
            let ratio = first.by(record);
            print!("    {:<24} {:>12.2} ns", record.contender, median(&record.nanos));
            print!("   {} / this: {ratio:.3}", first.contender);
            for (name, values) in &record.more {
                print!("   {name} {:.3}", median(values));
            }
            println!();
            let line = serde_json::to_string(&Line::Record(record.clone())).unwrap();
            writeln!(self.file, "{line}").unwrap();
        }
    }
}

/// Ends the program if a contender does not return, and says which one.
fn watch(now: Arc<Mutex<(String, Instant)>>) {
    thread::spawn(move || {
        loop {
            thread::sleep(TOO_LONG / 10);
            let (name, since) = &*now.lock().unwrap();
            if since.elapsed() > TOO_LONG {
                eprintln!("{name}: has not returned for {} s", since.elapsed().as_secs());
                process::exit(1);
            }
        }
    });
}
