//! The main job: threads that count the words of files together.
//!
//! ```text
//! cargo run --release --example wordcount -- --top 5 README.md some/other/file
//! ```
//!
//! All workers pull from *one* iterator over the lines of all files. So it does not matter where the
//! work lies: whoever is done with a line takes the next one. In the end a single thread counts the
//! same input, and the example fails unless it finds the same.

use std::collections::HashMap;
use std::ffi::OsString;
use std::io::{self, BufRead, BufReader, Read, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{cmp, env, fmt, fs, mem, thread};

use futon::{IteratorExt, Lock, SharedIter};
use indicatif::{ProgressBar, ProgressFinish, ProgressStyle};

const HELP: &str = "\
Counts words with several threads.

Usage: wordcount [--threads N] [--top N] [FILE]...

  --threads N  how many workers, from 1 to 1024 (as many as there are cores, at least 2)
  --top N      how many of the most frequent words to print (10)
  FILE         text in UTF-8, - for standard input (futon's own sources and documents)
";

/// A terminal shows the progress of work on more bytes than this.
const LARGE: u64 = 8 << 20;

/// What went wrong, and where. It is only ever shown, so words will do.
type Error = String;

/// The number of a file, from 0, and of a line in it, from 1. Places sort as the input does.
type Place = (usize, usize);

struct Line {
    place: Place,
    /// With its end, `\n` or `\r\n`, which the last line need not have. No part of a word.
    text: String,
}

/// How many lines there are, and of each word how often it is there and where first.
#[derive(Default, PartialEq)]
struct Tally {
    lines: usize,
    words: HashMap<String, (usize, Place)>,
}

impl Tally {
    fn add(&mut self, line: &Line) {
        self.lines += 1;
        words(&line.text).for_each(|word| self.add_word(word.to_lowercase(), 1, line.place));
    }

    fn add_word(&mut self, word: String, count: usize, place: Place) {
        let (total, first) = self.words.entry(word).or_insert((0, place));
        *total += count;
        *first = place.min(*first);
    }

    fn merge(&mut self, other: Self) {
        self.lines += other.lines;
        other.words.into_iter().for_each(|(word, (count, first))| self.add_word(word, count, first));
    }
}

/// Runs of letters and digits, with apostrophes inside, but not around them.
fn words(text: &str) -> impl Iterator<Item = &str> {
    const APOSTROPHES: [char; 2] = ['\'', '’'];
    text.split(|c: char| !c.is_alphanumeric() && !APOSTROPHES.contains(&c))
        .map(|run| run.trim_matches(APOSTROPHES))
        .filter(|word| !word.is_empty())
}

/// The heart of it: shares the lines between threads. Returns also how many each of them took.
fn count_together(
    lines: impl Iterator<Item = Result<Line, Error>> + Send,
    threads: usize,
) -> Result<(Tally, Vec<usize>), Error> {
    let lines = lines.shared();
    let total = Lock::new(Tally::default());
    let taken = thread::scope(|s| {
        let workers: Vec<_> = (0..threads).map(|_| s.spawn(|| work(&lines, &total))).collect();
        workers.into_iter().map(|worker| worker.join().unwrap()).collect::<Result<_, _>>()
    })?;
    Ok((total.into_inner(), taken))
}

fn work(
    lines: &SharedIter<impl Iterator<Item = Result<Line, Error>>>,
    total: &Lock<Tally>,
) -> Result<usize, Error> {
    let mut mine = Tally::default();
    for line in lines.puller() {
        // Whoever meets the error reports it. For the others the iteration is over.
        mine.add(&line.inspect_err(|_| lines.stop())?);
    }
    let taken = mine.lines;
    total.acquire().merge(mine); // one lock a worker, not one a word
    Ok(taken)
}

/// The lines of all sources, one source after the other. Nothing in it is made for threads.
fn lines(
    sources: &[Source],
    progress: &ProgressBar,
) -> impl Iterator<Item = Result<Line, Error>> + Send {
    let lines = sources.iter().enumerate().flat_map(|(file, source)| {
        let mut reader = source.open(progress).map_err(|e| format!("{source}: {e}"));
        (1..).map_while(move |number| {
            let text = match &mut reader {
                Ok(reader) => read_line(reader)?.map_err(|e| format!("{source}:{number}: {e}")),
                Err(e) => Err(mem::take(e)),
            };
            Some(text.map(|text| Line { place: (file, number), text }))
        })
    });
    // Nothing follows an error. So there is only one to report, and always the same.
    lines.scan(false, |failed, line| (!mem::replace(failed, line.is_err())).then_some(line))
}

/// Reads bytes and then looks whether they are text, so as to say where they are not.
fn read_line(reader: &mut impl BufRead) -> Option<io::Result<String>> {
    let mut bytes = Vec::new();
    match reader.read_until(b'\n', &mut bytes) {
        Ok(0) => None,
        Ok(_) => Some(String::from_utf8(bytes).map_err(|e| {
            let byte = e.utf8_error().valid_up_to() + 1;
            io::Error::other(format!("not UTF-8, from byte {byte} of the line on"))
        })),
        Err(e) => Some(Err(e)),
    }
}

struct Source {
    path: PathBuf,
    /// What can be read only once, a pipe for one, is kept: this example counts it twice.
    kept: Option<Vec<u8>>,
}

impl Source {
    fn new(path: PathBuf) -> Result<Self, Error> {
        let mut bytes = Vec::new();
        let kept = if path == Path::new("-") {
            io::stdin().read_to_end(&mut bytes).map(|_| Some(bytes))
        } else if fs::metadata(&path).is_ok_and(|m| !m.is_file() && !m.is_dir()) {
            fs::read(&path).map(Some)
        } else {
            Ok(None) // whether it can be read at all will show in its turn
        };
        Ok(Self { kept: kept.map_err(|e| format!("{}: {e}", path.display()))?, path })
    }

    fn size(&self) -> u64 {
        let size_of_file = || fs::metadata(&self.path).map_or(0, |metadata| metadata.len());
        self.kept.as_ref().map_or_else(size_of_file, |kept| kept.len() as u64)
    }

    fn open(&self, progress: &ProgressBar) -> io::Result<impl BufRead + Send> {
        let bytes: Box<dyn Read + Send> = match &self.kept {
            Some(kept) => Box::new(&kept[..]),
            None => Box::new(fs::File::open(&self.path)?),
        };
        Ok(BufReader::new(progress.wrap_read(bytes)))
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.path.strip_prefix(env!("CARGO_MANIFEST_DIR")).unwrap_or(&self.path).display().fmt(f)
    }
}

/// What there is to count where nothing is named: futon's own texts.
fn documents() -> io::Result<Vec<PathBuf>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = vec![root.join("README.md")];
    let mut folders = vec![root.join("docs"), root.join("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md" || extension == "rs") {
                files.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}

struct Options {
    threads: usize,
    top: usize,
    files: Vec<PathBuf>,
}

/// `None` where help is wanted.
fn parse(mut arguments: impl Iterator<Item = OsString>) -> Result<Option<Options>, Error> {
    let cores = thread::available_parallelism().map_or(1, |cores| cores.get());
    let mut options = Options { threads: cores.clamp(2, 1024), top: 10, files: Vec::new() };
    while let Some(argument) = arguments.next() {
        let (option, allowed, number) = match argument.to_str() {
            Some("--help" | "-h") => return Ok(None),
            Some("--threads") => ("--threads", 1..=1024, &mut options.threads),
            Some("--top") => ("--top", 0..=usize::MAX, &mut options.top),
            Some(other) if other.starts_with('-') && other != "-" => {
                return Err(format!("there is no option {other}, see --help"));
            }
            _ => {
                options.files.push(argument.into());
                continue;
            }
        };
        let value = arguments.next().and_then(|value| value.to_str()?.parse().ok());
        let value = value.filter(|value| allowed.contains(value));
        *number = value.ok_or_else(|| format!("{option} wants a number, see --help"))?;
    }
    Ok(Some(options))
}

/// Returns what to print.
fn run() -> Result<String, Error> {
    let Some(mut options) = parse(env::args_os().skip(1))? else { return Ok(HELP.into()) };
    if options.files.is_empty() {
        options.files = documents().map_err(|e| format!("futon's own texts: {e}"))?;
    }
    let sources = options.files.into_iter().map(Source::new).collect::<Result<Vec<_>, _>>()?;

    // Draws on standard error, if that is a terminal, and wipes itself off when it is dropped.
    let size: u64 = sources.iter().map(Source::size).sum();
    let progress = if size > LARGE { ProgressBar::new(2 * size) } else { ProgressBar::hidden() };
    let style = ProgressStyle::with_template("{msg} {wide_bar} {percent:>3} % {eta:>4}").unwrap();
    let progress = progress.with_style(style).with_finish(ProgressFinish::AndClear);

    progress.set_message("counting");
    let (tally, taken) = count_together(lines(&sources, &progress), options.threads)?;
    progress.set_message("checking");
    let mut alone = Tally::default();
    for line in lines(&sources, &progress) {
        alone.add(&line?);
    }
    if tally != alone {
        return Err("a single thread counts otherwise; has a file changed meanwhile?".into());
    }

    let total: usize = tally.words.values().map(|(count, _)| count).sum();
    let mut words: Vec<_> = tally.words.iter().collect();
    words.sort_by_key(|&(word, &(count, _))| (cmp::Reverse(count), word));
    let mut report = String::new();
    for (word, (count, (file, line))) in words.iter().take(options.top) {
        report += &format!("{count:>9}  {word:<20} first in {}:{line}\n", sources[*file]);
    }
    for (worker, taken) in (1..).zip(&taken) {
        report += &format!("{taken:>9}  lines taken by worker {worker}\n");
    }
    for (number, what) in [
        (sources.len(), "files"),
        (tally.lines, "lines"),
        (total, "words"),
        (words.len(), "different words"),
    ] {
        report += &format!("{number:>9}  {what}\n");
    }
    Ok(report + "A single thread counts the same.\n")
}

fn main() -> ExitCode {
    let printed = run().and_then(|text| match io::stdout().write_all(text.as_bytes()) {
        // Whoever closes the pipe has read enough.
        Err(e) if e.kind() != io::ErrorKind::BrokenPipe => Err(format!("standard output: {e}")),
        _ => Ok(()),
    });
    match printed {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("wordcount: {error}");
            ExitCode::from(2)
        }
    }
}
