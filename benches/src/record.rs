//! What a run leaves behind: a file of JSON lines, the first one about the machine, each of the others about a
//! contender of a group, the last one about the run.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::time::Instant;
use std::{fs, io};

use serde::{Deserialize, Serialize};

use crate::work::{median, quantile};

/// A line of the file.
#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Line {
    /// The first one.
    Machine(Machine),
    /// In between.
    Record(Record),
    /// The last one.
    End(End),
}

/// Where and when.
#[derive(Serialize, Deserialize, Clone)]
pub struct Machine {
    pub cpu: String,
    pub cpus: usize,
    pub virtual_machine: bool,
    pub kernel: String,
    pub libc: String,
    pub rustc: String,
    pub date: String,
    pub command: String,
    pub peers: Vec<(String, String)>,
}

/// How the run went.
#[derive(Serialize, Deserialize, Clone)]
pub struct End {
    pub seconds: u64,
    /// Which part of the CPUs' time other processes used meanwhile, and the host.
    pub others: f64,
    pub stolen: f64,
}

/// What a contender did, turn by turn.
#[derive(Serialize, Deserialize, Clone)]
pub struct Record {
    pub group: String,
    pub cell: Vec<(String, u64)>,
    pub contender: String,
    pub unit: String,
    /// Nanoseconds for each unit.
    pub nanos: Vec<f64>,
    /// Other figures.
    pub more: BTreeMap<String, Vec<f64>>,
}

impl Record {
    /// What distinguishes the cell, for readers.
    pub fn cell_name(&self) -> String {
        let parts: Vec<_> = self.cell.iter().map(|(name, value)| format!("{name} {value}")).collect();
        parts.join(", ")
    }

    /// The number of this name in the cell.
    pub fn of_cell(&self, name: &str) -> Option<u64> {
        self.cell.iter().find(|(own, _)| own == name).map(|(_, value)| *value)
    }

    /// This one's time by the other's: the median over the turns.
    pub fn by(&self, other: &Self) -> f64 {
        median(&self.ratios(other))
    }

    /// The range in which the middle half of these ratios lies.
    pub fn range_by(&self, other: &Self) -> (f64, f64) {
        let ratios = self.ratios(other);
        (quantile(&ratios, 0.25), quantile(&ratios, 0.75))
    }

    fn ratios(&self, other: &Self) -> Vec<f64> {
        self.nanos.iter().zip(&other.nanos).map(|(own, other)| own / other).collect()
    }

    /// The median of another figure.
    pub fn figure(&self, name: &str) -> Option<f64> {
        self.more.get(name).map(|values| median(values))
    }

    /// The largest value of another figure.
    pub fn largest(&self, name: &str) -> Option<f64> {
        self.more.get(name).map(|values| quantile(values, 1.0))
    }

    /// Whether this is one of the others, neither futon's nor a limit.
    pub fn is_peer(&self) -> bool {
        !["futon", "limit"].iter().any(|own| self.contender.starts_with(own))
    }
}

/// What a run has written.
pub struct Results {
    pub machine: Machine,
    pub records: Vec<Record>,
    pub end: End,
}

impl Results {
    /// Reads it.
    pub fn read(file: &Path) -> io::Result<Self> {
        let (mut machine, mut records, mut end) = (None, Vec::new(), None);
        for line in fs::read_to_string(file)?.lines() {
            match serde_json::from_str(line)? {
                Line::Machine(line) => machine = Some(line),
                Line::Record(line) => records.push(line),
                Line::End(line) => end = Some(line),
            }
        }
        let missing = || io::Error::other(format!("{} is not complete", file.display()));
        Ok(Self { machine: machine.ok_or_else(missing)?, records, end: end.ok_or_else(missing)? })
    }
}

/// The crates that are measured beside futon.
const PEERS: [&str; 11] = [
    "parking_lot",
    "usync",
    "tokio",
    "async-lock",
    "rsevents",
    "orx-concurrent-iter",
    "flume",
    "kanal",
    "crossbeam-channel",
    "rayon",
    "futon",
];

impl Machine {
    /// This one, now.
    pub fn this(command: String) -> Self {
        let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let field = |name: &str| {
            let line = cpuinfo.lines().find(|line| line.starts_with(name))?;
            Some(line.split_once(':')?.1.trim().to_owned())
        };
        let said = |program: &str, arguments: &[&str]| {
            let output = Command::new(program).args(arguments).output().ok();
            let text = output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
            text.filter(|text| !text.is_empty()).unwrap_or_else(|| "unknown".to_owned())
        };
        // SAFETY: the function returns a string that lasts.
        let libc = unsafe { std::ffi::CStr::from_ptr(libc::gnu_get_libc_version()) };
        Self {
            cpu: field("model name").unwrap_or_else(|| "unknown".to_owned()),
            cpus: std::thread::available_parallelism().map_or(1, |cpus| cpus.get()),
            virtual_machine: field("flags").is_some_and(|flags| flags.contains("hypervisor")),
            // Without what a distribution or a host has added to the version.
            kernel: said("uname", &["-sr"]).split('-').next().unwrap_or_default().to_owned(),
            libc: format!("glibc {}", libc.to_string_lossy()),
            rustc: said("rustc", &["--version"]),
            date: said("date", &["-u", "+%Y-%m-%d"]),
            command,
            peers: PEERS.iter().map(|name| (name.to_string(), version(name))).collect(),
        }
    }
}

/// The version of a crate that this was built with.
fn version(name: &str) -> String {
    let lock = include_str!("../../Cargo.lock");
    let name = format!("name = \"{name}\"");
    let line = lock.lines().skip_while(|line| *line != name).nth(1).unwrap_or_default();
    line.trim_start_matches("version = ").trim_matches('"').to_owned()
}

/// What the CPUs have done since the machine was started, in seconds.
pub struct Load {
    start: Instant,
    busy: f64,
    stolen: f64,
    own: f64,
}

impl Load {
    /// Until now.
    pub fn now() -> Self {
        let stat = fs::read_to_string("/proc/stat").unwrap_or_default();
        let numbers = stat.lines().next().unwrap_or_default().split_whitespace().skip(1);
        // user, nice, system, idle, waiting for the disk, interrupts (two), stolen
        let seconds: Vec<f64> =
            numbers.map(|ticks| ticks.parse::<f64>().unwrap_or(0.0) / 100.0).collect();
        let of = |place: usize| seconds.get(place).copied().unwrap_or(0.0);
        // SAFETY: an all-zero struct is a valid value of this plain C struct.
        let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
        // SAFETY: the place is valid.
        unsafe { libc::getrusage(libc::RUSAGE_SELF, &raw mut usage) };
        let time = |time: libc::timeval| time.tv_sec as f64 + time.tv_usec as f64 * 1e-6;
        Self {
            start: Instant::now(),
            busy: [0, 1, 2, 5, 6].map(of).iter().sum(),
            stolen: of(7),
            own: time(usage.ru_utime) + time(usage.ru_stime),
        }
    }

    /// What happened since.
    pub fn end(self) -> End {
        let now = Self::now();
        let seconds = self.start.elapsed().as_secs_f64();
        let all = seconds * std::thread::available_parallelism().map_or(1.0, |cpus| cpus.get() as f64);
        End {
            seconds: seconds as u64,
            others: ((now.busy - self.busy - (now.own - self.own)) / all).max(0.0),
            stolen: (now.stolen - self.stolen) / all,
        }
    }
}
