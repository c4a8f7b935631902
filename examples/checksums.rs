//! Checksums of files, computed by several threads and printed in the order of the files.
//!
//! ```text
//! cargo run --release --example checksums -- --threads 4 some/folder some/other/file
//! ```
//!
//! They are those of the program `cksum`, and so are the lines. What to look at:
//!
//! * The walk through the folders is a plain iterator. It is pulled from as the work goes on and never far ahead of what
//!   is printed: the first line comes at once, and the memory does not grow with the number of files.
//! * A small file is done before a large one in front of it. Its line comes after that one's, in each run.
//! * The first error in order ends it. What comes before is printed, as it would be by a single thread, and
//!   dropping the results stops the workers.
//! * [`next_timeout`](futon::ParMap::next_timeout) gives the printing thread something to do while it waits for a
//!   large file: it draws how far the workers are.
//! * In the end a single thread computes the same again: it is the same map, with no workers.

use std::ffi::OsString;
use std::io::{self, Read, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;
use std::{env, fs, thread, vec};

use futon::{IteratorExt, NotReady, Workers};
use indicatif::{ProgressBar, ProgressFinish, ProgressStyle};

const HELP: &str = "\
Prints checksums and sizes of files, as cksum does.

Usage: checksums [--threads N] [--in-flight N] [PATH]...

  --threads N    how many workers, up to 1024; without any the main thread works
                 (as many as there are cores, at least 2)
  --in-flight N  how many files to be ahead of what is printed, from 1 (64 for each worker)
  PATH           a file, or a folder with all that is below it (futon's own sources)
";

/// How long to wait for a result before the progress is drawn once more.
const GLANCE: Duration = Duration::from_millis(100);

/// What went wrong, and where. It is only ever shown, so words will do.
type Error = String;

/// What is known of a file in the end.
#[derive(Debug, PartialEq)]
struct Sum {
    crc: u32,
    bytes: u64,
    path: PathBuf,
}

/// The files below some paths, folder by folder, in the order of their names. Reads a folder when its turn comes.
struct Walk {
    /// Those that are being read, the innermost last.
    folders: Vec<vec::IntoIter<PathBuf>>,
}

impl Walk {
    fn new(paths: Vec<PathBuf>) -> Self {
        Self { folders: vec![paths.into_iter()] }
    }
}

impl Iterator for Walk {
    type Item = Result<PathBuf, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let Some(path) = self.folders.last_mut()?.next() else {
                self.folders.pop();
                continue;
            };
            // Links are followed where they are named, and not where they are found: there they may lead in circles.
            let is_named = self.folders.len() == 1;
            let metadata = if is_named { fs::metadata(&path) } else { fs::symlink_metadata(&path) };
            match metadata {
                Ok(metadata) if metadata.is_dir() => match entries(&path) {
                    Ok(entries) => self.folders.push(entries.into_iter()),
                    Err(e) => return Some(Err(format!("{}: {e}", path.display()))),
                },
                Ok(metadata) if metadata.is_file() || is_named => return Some(Ok(path)),
                Ok(_) => {}
                Err(e) => return Some(Err(format!("{}: {e}", path.display()))),
            }
        }
    }
}

fn entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut entries: Vec<_> =
        fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<io::Result<_>>()?;
    entries.sort();
    Ok(entries)
}

/// The work. Many threads do this at once.
fn sum(path: PathBuf, progress: &ProgressBar) -> Result<Sum, Error> {
    let sum = || -> io::Result<(u32, u64)> {
        let mut file = progress.wrap_read(fs::File::open(&path)?);
        let mut buffer = vec![0; 64 << 10];
        let (mut crc, mut bytes) = (0, 0);
        loop {
            match file.read(&mut buffer)? {
                0 => return Ok((end(crc, bytes), bytes)),
                read => {
                    crc = buffer[..read].iter().fold(crc, |crc, byte| add(crc, *byte));
                    bytes += read as u64;
                }
            }
        }
    };
    match sum() {
        Ok((crc, bytes)) => Ok(Sum { crc, bytes, path }),
        Err(e) => Err(format!("{}: {e}", path.display())),
    }
}

/// The polynomial of POSIX, from the highest bit down, for each byte.
const TABLE: [u32; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut crc = (byte as u32) << 24;
        let mut bit = 0;
        while bit < 8 {
            let carry = crc >> 31 != 0;
            crc <<= 1;
            if carry {
                crc ^= 0x04c1_1db7;
            }
            bit += 1;
        }
        table[byte] = crc;
        byte += 1;
    }
    table
};

fn add(crc: u32, byte: u8) -> u32 {
    crc << 8 ^ TABLE[(crc >> 24) as usize ^ byte as usize]
}

/// The size belongs to what is summed up, in as many bytes as it needs.
fn end(mut crc: u32, mut bytes: u64) -> u32 {
    while bytes > 0 {
        crc = add(crc, bytes as u8);
        bytes >>= 8;
    }
    !crc
}

/// Gives all sums, in order, to `take`, and draws the progress while it waits.
fn sums(
    paths: Vec<PathBuf>,
    workers: Workers,
    progress: &ProgressBar,
    mut take: impl FnMut(Sum) -> Result<(), Error>,
) -> Result<(), Error> {
    thread::scope(|s| {
        let results = Walk::new(paths).par_map(s, workers, |path| sum(path?, progress));
        loop {
            match results.next_timeout(GLANCE) {
                Ok(Some(sum)) => take(sum?)?,
                Ok(None) => return Ok(()),
                Err(NotReady) => progress.tick(),
            }
        }
    })
}

struct Options {
    workers: Workers,
    paths: Vec<PathBuf>,
}

/// `None` where help is wanted.
fn parse(mut arguments: impl Iterator<Item = OsString>) -> Result<Option<Options>, Error> {
    let cores = thread::available_parallelism().map_or(1, |cores| cores.get());
    let (mut threads, mut in_flight, mut paths) = (cores.clamp(2, 1024), 0, Vec::new());
    while let Some(argument) = arguments.next() {
        let (option, allowed, number) = match argument.to_str() {
            Some("--help" | "-h") => return Ok(None),
            Some("--threads") => ("--threads", 0..=1024, &mut threads),
            Some("--in-flight") => ("--in-flight", 1..=usize::MAX, &mut in_flight),
            Some(other) if other.starts_with('-') => {
                return Err(format!("there is no option {other}, see --help"));
            }
            _ => {
                paths.push(argument.into());
                continue;
            }
        };
        let value = arguments.next().and_then(|value| value.to_str()?.parse().ok());
        let value = value.filter(|value| allowed.contains(value));
        *number = value.ok_or_else(|| format!("{option} wants a number, see --help"))?;
    }
    let mut workers = Workers::new(threads);
    if in_flight > 0 {
        workers = workers.in_flight(in_flight);
    }
    Ok(Some(Options { workers, paths }))
}

fn run() -> Result<(), Error> {
    let Some(Options { workers, mut paths }) = parse(env::args_os().skip(1))? else {
        return print(HELP);
    };
    if paths.is_empty() {
        paths.push(Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    }

    // Draws on standard error, if that is a terminal, and wipes itself off when it is dropped.
    let style = ProgressStyle::with_template("{spinner} {msg} {bytes} ({bytes_per_sec})").unwrap();
    let progress = ProgressBar::no_length().with_style(style).with_finish(ProgressFinish::AndClear);

    progress.set_message("reading");
    let mut all = Vec::new();
    sums(paths.clone(), workers, &progress, |sum| {
        let line = format!("{} {} {}\n", sum.crc, sum.bytes, sum.path.display());
        all.push(sum);
        progress.suspend(|| print(&line))
    })?;

    progress.set_message("checking");
    let mut together = all.into_iter();
    sums(paths, Workers::new(0), &progress, |sum| match together.next() == Some(sum) {
        true => Ok(()),
        false => Err("a single thread finds something else; has a file changed meanwhile?".into()),
    })?;
    match together.next() {
        None => Ok(()),
        Some(sum) => Err(format!("{}: gone meanwhile", sum.path.display())),
    }
}

fn print(text: &str) -> Result<(), Error> {
    io::stdout().write_all(text.as_bytes()).map_err(|e| match e.kind() {
        // Whoever closes the pipe has read enough.
        io::ErrorKind::BrokenPipe => String::new(),
        _ => format!("standard output: {e}"),
    })
}

fn main() -> ExitCode {
    match run() {
        Err(error) if !error.is_empty() => {
            eprintln!("checksums: {error}");
            ExitCode::from(2)
        }
        _ => ExitCode::SUCCESS,
    }
}
