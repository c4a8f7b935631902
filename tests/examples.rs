//! Runs the examples as their users do, on files that were made for it, and reads what they print.

#![cfg(not(any(loom, miri)))]

use std::collections::{HashMap, HashSet};
use std::ffi::OsStr;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, SystemTime};
use std::{env, fs, io, process};

// ---- Where the examples are -----------------------------------------------------------------

/// The folder with the compiled examples.
///
/// A plain `cargo test` has built them. `cargo test --test examples` has not, or long ago: then this does.
static EXAMPLES: LazyLock<PathBuf> = LazyLock::new(|| {
    // This runs in target/[triple/]profile/deps.
    let executable = env::current_exe().unwrap();
    let profile = executable.ancestors().nth(2).unwrap();
    let examples = profile.join("examples");
    let newest_source = newest_source();
    let is_new = |name: &String| {
        let built = fs::metadata(executable_in(&examples, name)).and_then(|m| m.modified());
        built.is_ok_and(|built| built >= newest_source)
    };
    if !names().iter().all(is_new) {
        build_examples(profile);
    }
    examples
});

/// The examples that there are.
fn names() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let files = fs::read_dir(folder).unwrap().map(|entry| PathBuf::from(entry.unwrap().file_name()));
    let sources = files.filter(|file| file.extension().is_some_and(|extension| extension == "rs"));
    let mut names: Vec<_> =
        sources.map(|file| file.file_stem().unwrap().to_str().unwrap().to_owned()).collect();
    names.sort();
    names
}

fn executable_in(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{name}{}", env::consts::EXE_SUFFIX))
}

/// When a source file of the crate or of an example was changed last.
fn newest_source() -> SystemTime {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut newest = SystemTime::UNIX_EPOCH;
    let mut folders = vec![root.join("src"), root.join("examples")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            if entry.path().is_dir() {
                folders.push(entry.path());
            } else {
                newest = newest.max(entry.metadata().unwrap().modified().unwrap());
            }
        }
    }
    newest
}

/// Builds the examples in the same way as this test was built, as far as its place tells.
fn build_examples(profile: &Path) {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--quiet", "--examples", "--manifest-path"]);
    cargo.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"));
    cargo.arg("--profile").arg(match profile.file_name().unwrap() {
        name if name == "debug" => OsStr::new("dev"),
        name => name,
    });
    // A folder for another target is one in a target folder, and its name tells the system.
    let mut target = profile.parent().unwrap();
    let name = target.file_name().unwrap();
    let around = target.parent().unwrap();
    if name.to_string_lossy().contains(env::consts::OS) && around.join("CACHEDIR.TAG").exists() {
        cargo.arg("--target").arg(name);
        target = around;
    }
    cargo.arg("--target-dir").arg(target);
    let status = cargo.status().unwrap();
    assert!(status.success(), "{cargo:?}: {status}");
}

// ---- Running them ---------------------------------------------------------------------------

/// A folder for the files of one test, with a name that is hard to get right. Removed in the end.
struct Folder(PathBuf);

impl Folder {
    fn new(test: &str) -> Self {
        let name = format!("wörd count {test} {}", process::id());
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, content).unwrap();
        path
    }

    /// Runs `wordcount` here.
    fn wordcount<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Run {
        self.wordcount_from(arguments, b"")
    }

    fn wordcount_from<S: AsRef<OsStr>>(
        &self,
        arguments: impl IntoIterator<Item = S>,
        input: &[u8],
    ) -> Run {
        let mut wordcount = Command::new(executable_in(&EXAMPLES, "wordcount"));
        wordcount.args(arguments).current_dir(&self.0);
        run(wordcount, input)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Runs an example.
fn example(name: &str, arguments: &[&str]) -> Run {
    let mut example = Command::new(executable_in(&EXAMPLES, name));
    example.args(arguments);
    run(example, b"")
}

/// Runs a command to its end, or not for longer than the limit: an example that hangs is to fail.
fn run(mut command: Command, input: &[u8]) -> Run {
    const LIMIT: Duration = Duration::from_secs(60);

    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let (mut stdout, mut stderr) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
    let (ended, end) = mpsc::channel::<()>();
    thread::scope(|s| {
        s.spawn(move || drop(stdin.write_all(input))); // whether it is read is up to the child
        let stderr = s.spawn(move || io::read_to_string(&mut stderr).unwrap());
        let stdout = s.spawn(move || {
            let _ended = ended; // is dropped when all is read, which the child has closed then
            io::read_to_string(&mut stdout).unwrap()
        });
        let hangs = end.recv_timeout(LIMIT) == Err(RecvTimeoutError::Timeout);
        if hangs {
            child.kill().unwrap();
        }
        let status = child.wait().unwrap().code();
        let (stdout, stderr) = (stdout.join().unwrap(), stderr.join().unwrap());
        assert!(!hangs, "{command:?} does not end; so far: {stdout}{stderr}");
        Run { status, stdout, stderr }
    })
}

/// What a run has printed.
#[derive(Debug)]
struct Run {
    status: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Run {
    /// The lines of a run that must have gone well.
    fn lines(&self) -> Vec<&str> {
        assert_eq!((self.status, self.stderr.as_str()), (Some(0), ""), "{self:?}");
        self.stdout.lines().collect()
    }

    /// Reads the report of a run that must have gone well.
    fn report(&self) -> Report {
        let mut report = Report::default();
        let mut rows = self.lines().into_iter();
        assert_eq!(rows.next_back(), Some("A single thread counts the same."));
        for row in rows {
            let columns: Vec<_> = row.split_whitespace().collect();
            let number = columns[0].parse().unwrap();
            match columns[1..] {
                [word, "first", "in", ..] => {
                    let place = row.split_once(" first in ").unwrap().1;
                    report.words.push((number, word.to_owned(), place.to_owned()));
                }
                ["lines", "taken", "by", "worker", _] => report.taken.push(number),
                ["files"] => report.files = number,
                ["lines"] => report.lines = number,
                ["words"] => report.total = number,
                ["different", "words"] => report.different = number,
                _ => panic!("what is {row:?}?"),
            }
        }
        // No line is lost, and none is counted twice.
        assert_eq!(report.taken.iter().sum::<usize>(), report.lines);
        report
    }

    /// The one message of a run that must have failed.
    fn error(&self) -> &str {
        assert_eq!((self.status, self.stdout.as_str()), (Some(2), ""), "{self:?}");
        let message =
            self.stderr.strip_prefix("wordcount: ").and_then(|error| error.strip_suffix('\n'));
        let message = message.unwrap_or_else(|| panic!("{self:?}"));
        assert_eq!(message.lines().count(), 1, "{self:?}");
        message
    }
}

#[derive(Debug, Default)]
struct Report {
    /// How often, what, and where first.
    words: Vec<(usize, String, String)>,
    taken: Vec<usize>,
    lines: usize,
    files: usize,
    total: usize,
    different: usize,
}

impl Report {
    fn words(&self) -> Vec<(usize, &str, &str)> {
        self.words.iter().map(|(count, word, place)| (*count, word.as_str(), place.as_str())).collect()
    }
}

// ---- wordcount ------------------------------------------------------------------------------

#[test]
fn words_are_counted_over_all_files() {
    let folder = Folder::new("all files");
    folder.file("a b.txt", "one two\nTWO three, three\n\n");
    folder.file("c.txt", "Three-four (FOUR) four4\nfour _four_\n");
    let report = folder.wordcount(["a b.txt", "c.txt"]).report();
    assert_eq!(
        report.words(),
        [
            (4, "four", "c.txt:1"),
            (3, "three", "a b.txt:2"),
            (2, "two", "a b.txt:1"),
            (1, "four4", "c.txt:1"),
            (1, "one", "a b.txt:1"),
        ]
    );
    assert_eq!((report.lines, report.files, report.total, report.different), (5, 2, 11, 5));
}

#[test]
fn a_word_is_letters_and_digits_of_any_script_with_apostrophes_inside() {
    let folder = Folder::new("scripts");
    folder.file(
        "text",
        "'Don't' don't ''quoted'' rock'n'roll ' '' it’s\nÄRGER Ärger ΣΊΣΥΦΟΣ сло́во 東京 ٤٢ 🦀a🦀\n",
    );
    let report = folder.wordcount(["--top", "99", "text"]).report();
    let words: Vec<_> = report.words().iter().map(|&(count, word, _)| (count, word)).collect();
    assert_eq!(words[..2], [(2, "don't"), (2, "ärger")]);
    for word in ["quoted", "rock'n'roll", "it’s", "σίσυφος", "東京", "٤٢", "a"] {
        assert!(words.contains(&(1, word)), "{word}: {words:?}");
    }
    assert!(!words.iter().any(|(_, word)| word.starts_with('\'')), "{words:?}");
}

#[test]
fn a_last_line_without_its_end_counts() {
    let folder = Folder::new("no end");
    folder.file("a", "one\ntwo");
    folder.file("b", "two");
    // The files do not run into each other.
    let report = folder.wordcount(["a", "b"]).report();
    assert_eq!(report.words(), [(2, "two", "a:2"), (1, "one", "a:1")]);
    assert_eq!(report.lines, 3);
}

#[test]
fn line_ends_of_windows_are_line_ends() {
    let folder = Folder::new("windows");
    folder.file("a", "\u{feff}one two\r\n\r\ntwo\r\ntwo");
    let report = folder.wordcount(["a"]).report();
    assert_eq!(report.words(), [(3, "two", "a:1"), (1, "one", "a:1")]);
    assert_eq!(report.lines, 4);
}

#[test]
fn an_empty_file_has_no_lines() {
    let folder = Folder::new("empty");
    folder.file("nothing", "");
    folder.file("something", "word\n");
    let report = folder.wordcount(["nothing"]).report();
    assert_eq!((report.words.len(), report.lines, report.total), (0, 0, 0));
    let report = folder.wordcount(["nothing", "something", "nothing"]).report();
    assert_eq!((report.words(), report.lines), (vec![(1, "word", "something:1")], 1));
}

#[test]
fn a_file_that_is_not_there_is_an_error_that_names_it() {
    let folder = Folder::new("missing");
    folder.file("a", "one\n");
    for files in
        [&["not there"][..], &["a", "not there"], &["not there", "a"], &["a", "not there", "nor this"]]
    {
        let run = folder.wordcount(files);
        assert!(run.error().starts_with("not there: "), "{run:?}");
        assert!(run.error().contains("(os error 2)"), "{run:?}");
    }
}

#[test]
fn a_directory_is_an_error_that_names_it() {
    let folder = Folder::new("directory");
    fs::create_dir(folder.0.join("some folder")).unwrap();
    let run = folder.wordcount(["some folder"]);
    assert!(run.error().starts_with("some folder:"), "{run:?}");
    assert!(run.error().contains("directory"), "{run:?}");
}

#[test]
fn what_is_not_utf8_is_an_error_that_names_line_and_byte() {
    let folder = Folder::new("not utf-8");
    folder.file("latin", b"one\ntwo\ncaf\xe9 three\nfour\n");
    // A character of two bytes, of which the end of the file has cut off the second.
    folder.file("cut", "one é".as_bytes().split_last().unwrap().1);
    for (file, place, byte) in [("latin", "latin:3: ", " byte 4 "), ("cut", "cut:1: ", " byte 5 ")] {
        let run = folder.wordcount([file]);
        assert!(run.error().starts_with(place), "{run:?}");
        assert!(run.error().contains("not UTF-8") && run.error().contains(byte), "{run:?}");
    }
}

#[test]
fn an_error_ends_the_work_of_all_and_is_reported_once() {
    let folder = Folder::new("error");
    let mut bad: Vec<u8> = b"some good words\n".repeat(20_000);
    bad.extend(b"\xff\n");
    bad.extend(b"more of them\n\xff\n".repeat(20_000));
    folder.file("good", "good\n".repeat(20_000));
    folder.file("bad", bad);
    for _ in 0..5 {
        let run = folder.wordcount(["--threads", "8", "good", "bad", "good", "not there"]);
        assert!(run.error().starts_with("bad:20001: not UTF-8"), "{run:?}");
    }
}

#[test]
fn many_threads_count_a_large_input_and_no_bar_is_drawn_where_nobody_looks() {
    let folder = Folder::new("large");
    // Mostly dashes, so that it is large enough for a bar, but quickly counted.
    let mut text = String::new();
    for i in 0..60_000 {
        text += &format!("word{} {:-<150} common\n", i % 1000, "");
    }
    assert!(text.len() > 8 << 20);
    folder.file("large", text);
    let report = folder.wordcount(["--threads", "32", "--top", "1001", "large"]).report();
    assert_eq!(report.words()[0], (60_000, "common", "large:1"));
    assert_eq!(report.words.len(), 1001);
    for (count, word, place) in &report.words()[1..] {
        let number: usize = word.strip_prefix("word").unwrap().parse().unwrap();
        assert_eq!((*count, *place), (60, format!("large:{}", number + 1).as_str()));
    }
    assert_eq!((report.lines, report.taken.len()), (60_000, 32));
}

#[test]
fn by_default_there_are_two_workers_at_least_and_ten_words() {
    let folder = Folder::new("defaults");
    folder.file("a", "a b c d e f g h i j k l");
    let report = folder.wordcount(["a"]).report();
    assert_eq!(report.words.len(), 10);
    let cores = thread::available_parallelism().map_or(1, |cores| cores.get());
    assert_eq!(report.taken.len(), cores.max(2));
    assert_eq!(folder.wordcount(["--threads", "1", "a"]).report().taken, [1]);
}

#[test]
fn without_files_it_counts_the_documents_of_the_repository() {
    let folder = Folder::new("documents");
    let report = folder.wordcount(["--top", "1000000"]).report();
    assert!(report.files > 10 && report.lines > 1000, "{report:?}");
    assert_eq!(report.words.len(), report.different);
    assert_eq!(report.words.iter().map(|(count, ..)| count).sum::<usize>(), report.total);
    // From the first line of each.
    let places: Vec<_> = report.words().iter().map(|&(_, _, place)| place).collect();
    for place in ["README.md:1", "src/lib.rs:1"] {
        assert!(places.contains(&place), "{place}");
    }
}

#[test]
fn standard_input_is_read_and_counted_twice() {
    let folder = Folder::new("stdin");
    folder.file("a", "three\n");
    let report = folder.wordcount_from(["a", "-"], b"one three\ntwo three").report();
    assert_eq!(report.words()[0], (3, "three", "a:1"));
    assert_eq!((report.lines, report.total, report.files), (3, 5, 2));
    // The same by a name that it has as a file.
    #[cfg(target_os = "linux")]
    assert_eq!(folder.wordcount_from(["/dev/stdin"], b"one\ntwo").report().lines, 2);
    let run = folder.wordcount_from(["-"], b"one\n\xff");
    assert!(run.error().starts_with("-:2: not UTF-8"), "{run:?}");
}

/// A new text at each reading: what the threads have counted can not be what one thread counts.
#[cfg(target_os = "linux")]
#[test]
fn a_different_count_by_a_single_thread_is_an_error() {
    let run = Folder::new("different").wordcount(["/proc/sys/kernel/random/uuid"]);
    assert!(run.error().contains("a single thread counts otherwise"), "{run:?}");
}

#[test]
fn options_that_make_no_sense_are_refused() {
    let folder = Folder::new("options");
    for arguments in [
        &["--threads", "0"][..],
        &["--threads", "1025"],
        &["--threads", "two"],
        &["--threads"],
        &["--top", "-1"],
        &["--top"],
        &["--bottom", "3"],
    ] {
        let run = folder.wordcount(arguments);
        assert!(run.error().contains(arguments[0]), "{run:?}");
    }
    let help = folder.wordcount(["--help"]);
    assert_eq!((help.status, help.stderr.as_str()), (Some(0), ""));
    assert!(help.stdout.contains("Usage: wordcount"), "{help:?}");
}

// ---- checksums ------------------------------------------------------------------------------

impl Folder {
    fn checksums<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Run {
        let mut checksums = Command::new(executable_in(&EXAMPLES, "checksums"));
        checksums.args(arguments).current_dir(&self.0);
        run(checksums, b"")
    }
}

/// What `cksum` prints for these.
#[test]
fn checksums_are_those_of_cksum() {
    let folder = Folder::new("cksum");
    folder.file("nothing", "");
    folder.file("digits", "123456789");
    folder.file("zeros", vec![0; 1_000_000]);
    let run = folder.checksums(["digits", "nothing", "zeros"]);
    assert_eq!(run.lines(), ["930766865 9 digits", "4294967295 0 nothing", "1345294785 1000000 zeros"]);
}

#[test]
fn checksums_come_in_the_order_of_the_files_whatever_the_number_of_workers() {
    let folder = Folder::new("order");
    let mut names = Vec::new();
    for sub in ["a", "b", "b/a", "b/c"] {
        fs::create_dir(folder.0.join(sub)).unwrap();
        for number in 0..10 {
            let name = format!("{sub}/x{number}");
            // Large ones before small ones.
            folder.file(&name, vec![number as u8; 200_000 >> number]);
            names.push(name);
        }
    }
    names.sort();
    let all = |arguments: &[&str]| {
        let run = folder.checksums(arguments.iter().chain(&["a", "b"]));
        run.lines().into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    let expected = all(&["--threads", "0"]);
    let named: Vec<_> = expected.iter().map(|line| line.splitn(3, ' ').nth(2).unwrap()).collect();
    assert_eq!(named, names);
    for threads in ["1", "2", "9"] {
        assert_eq!(all(&["--threads", threads]), expected);
        assert_eq!(all(&["--threads", threads, "--in-flight", "1"]), expected);
    }
}

#[test]
fn checksums_end_with_the_first_error_and_what_comes_before_is_printed() {
    let folder = Folder::new("error");
    folder.file("a", "123456789");
    folder.file("b", "");
    for threads in ["0", "1", "5"] {
        let run = folder.checksums(["--threads", threads, "a", "b", "not there", "a", "nor this", "a"]);
        assert_eq!((run.status, run.stdout.as_str()), (Some(2), "930766865 9 a\n4294967295 0 b\n"));
        assert!(run.stderr.starts_with("checksums: not there: "), "{run:?}");
        assert!(run.stderr.contains("(os error 2)") && run.stderr.lines().count() == 1, "{run:?}");
    }
}

#[cfg(unix)]
#[test]
fn checksums_follow_the_links_that_are_named_and_no_others() {
    let folder = Folder::new("links");
    fs::create_dir(folder.0.join("sub")).unwrap();
    folder.file("sub/digits", "123456789");
    std::os::unix::fs::symlink("..", folder.0.join("sub/up")).unwrap();
    std::os::unix::fs::symlink("sub", folder.0.join("link")).unwrap();
    assert_eq!(folder.checksums(["link"]).lines(), ["930766865 9 link/digits"]);
}

#[test]
fn checksums_of_the_sources_if_nothing_is_named() {
    let run = Folder::new("sources").checksums::<&str>([]);
    assert!(run.lines().iter().any(|line| line.ends_with("src/lib.rs")), "{run:?}");
}

#[test]
fn options_of_checksums_that_make_no_sense_are_refused() {
    let folder = Folder::new("options of checksums");
    for arguments in [
        &["--threads", "1025"][..],
        &["--threads", "two"],
        &["--threads"],
        &["--in-flight", "0"],
        &["--in-flight"],
        &["--bottom", "3"],
        &["-"],
    ] {
        let run = folder.checksums(arguments);
        assert_eq!((run.status, run.stdout.as_str()), (Some(2), ""), "{run:?}");
        assert!(run.stderr.starts_with("checksums: ") && run.stderr.contains(arguments[0]), "{run:?}");
    }
    let help = folder.checksums(["--help"]);
    assert_eq!((help.status, help.stderr.as_str()), (Some(0), ""));
    assert!(help.stdout.contains("Usage: checksums"), "{help:?}");
}

// ---- threadsafe_counter ---------------------------------------------------------------------

#[test]
fn the_counter_of_two_threads_ends_at_200001() {
    let run = example("threadsafe_counter", &[]);
    assert!(run.lines()[0].ends_with(" 200001"), "{run:?}");
}

// ---- All but the three above: their arguments -------------------------------------------------

/// The examples that take nothing but sizes, and how many.
const SIZED: [(&str, usize); 8] = [
    ("bounded_buffer", 4),
    ("connection_pool", 3),
    ("money_transfer", 4),
    ("nested_access", 3),
    ("producer_consumer", 3),
    ("rollback", 2),
    ("simulation_phases", 3),
    ("singleton", 2),
];

#[test]
fn each_example_has_a_test() {
    let mut tested: Vec<_> = SIZED.iter().map(|(name, _)| *name).collect();
    tested.extend(["checksums", "threadsafe_counter", "wordcount"]);
    tested.sort_unstable();
    assert_eq!(names(), tested);
}

#[test]
fn sizes_that_make_no_sense_are_refused_with_the_usage() {
    for (name, count) in SIZED {
        let too_many = vec!["2"; count + 1];
        for (arguments, wrong) in [
            (&["0"][..], "\"0\""),
            (&["-1"], "\"-1\""),
            (&["two"], "\"two\""),
            (&[""], "\"\""),
            (&["2", "1e3"], "\"1e3\""),
            (&["99999999999999999999999"], "\"99999999999999999999999\""),
            (&["--size"], "\"--size\""),
            (&too_many, "too many"),
        ] {
            let run = example(name, arguments);
            assert_eq!((run.status, run.stdout.as_str()), (Some(2), ""), "{run:?}");
            let first = run.stderr.lines().next().unwrap();
            assert!(first.starts_with(&format!("{name}: ")) && first.contains(wrong), "{run:?}");
            assert!(run.stderr.contains(&format!("\nUsage: {name} [")), "{run:?}");
        }
    }
}

#[test]
fn help_tells_the_sizes_and_what_they_are_by_default() {
    for (name, count) in SIZED {
        for option in ["--help", "-h"] {
            let run = example(name, &["2", option]);
            let lines = run.lines();
            let usage =
                lines.iter().position(|line| line.starts_with(&format!("Usage: {name} ["))).unwrap();
            assert_eq!(lines[usage].matches(" [").count(), count, "{run:?}");
            let sizes = &lines[usage + 2..];
            assert_eq!(sizes.len(), count, "{run:?}");
            assert!(sizes.iter().all(|size| size.starts_with("  ") && size.ends_with(')')), "{run:?}");
        }
    }
}

/// What an example prints by default is what it prints for the sizes that its help names.
#[test]
fn the_sizes_by_default_are_those_of_the_help() {
    for (name, _) in SIZED {
        let help = example(name, &["--help"]);
        let defaults: Vec<_> = help
            .lines()
            .iter()
            .filter_map(|line| line.strip_suffix(')')?.rsplit_once('('))
            .map(|(_, default)| default)
            .collect();
        assert_eq!(example(name, &defaults).lines(), example(name, &[]).lines());
    }
}

// ---- producer_consumer ----------------------------------------------------------------------

#[test]
fn what_producers_make_is_consumed_by_however_many() {
    for (producers, consumers) in [("1", "1"), ("1", "8"), ("8", "1"), ("5", "3"), ("64", "64")] {
        let run = example("producer_consumer", &[producers, consumers, "10000"]);
        assert_eq!(
            run.lines(),
            [
                &format!(
                    "{producers} producers, {consumers} consumers: 10000 numbers, their sum is 50005000."
                ),
                // As it is in books.
                "By Collatz's rule 6171 takes the most steps to 1: 261.",
                "A single thread finds the same.",
            ]
        );
    }
}

#[test]
fn consumers_without_work_end_too() {
    for (producers, consumers) in [("1", "16"), ("64", "64")] {
        let run = example("producer_consumer", &[producers, consumers, "1"]);
        assert!(run.lines()[0].ends_with(": 1 numbers, their sum is 1."), "{run:?}");
        assert_eq!(run.lines()[1], "By Collatz's rule 1 takes the most steps to 1: 0.");
    }
}

// ---- bounded_buffer -------------------------------------------------------------------------

#[test]
fn a_buffer_is_filled_to_its_capacity_and_not_above() {
    for [capacity, producers, consumers, times, taken] in [
        ["4", "3", "2", "500", "6000"],
        ["1", "1", "1", "500", "500"],
        ["1", "8", "8", "500", "4000"],
        ["1", "32", "32", "20", "640"],
        ["7", "1", "8", "50", "350"],
        ["100", "5", "1", "5", "2500"],
        ["30", "1", "2", "1", "30"],
    ] {
        let run = example("bounded_buffer", &[capacity, producers, consumers, times]);
        assert_eq!(
            run.lines(),
            [
                format!("{producers} producers, {consumers} consumers, room for {capacity}."),
                format!("{taken} items were taken, each exactly once."),
                format!("There were never more than {capacity} in the buffer."),
            ]
        );
    }
}

// ---- connection_pool ------------------------------------------------------------------------

#[test]
fn connections_are_lent_and_come_back() {
    for [connections, threads, queries, served] in [
        ["3", "8", "500", "4000"],
        ["1", "1", "1", "1"],
        ["1", "64", "20", "1280"],
        ["64", "2", "100", "200"],
    ] {
        let run = example("connection_pool", &[connections, threads, queries]);
        assert_eq!(
            run.lines()[..3],
            [
                format!("{threads} threads made {served} queries on {connections} connections."),
                "With all of them out, a checkout gave up after its time.".to_owned(),
                format!("A user panicked: its connection came back, all {connections} are there."),
            ]
        );
        // Whatever the error says of itself.
        let error = run.lines()[3].strip_prefix("A release too many changed nothing: ").unwrap();
        assert!(error.len() > 5, "{run:?}");
        assert_eq!(run.lines().len(), 4);
    }
}

// ---- nested_access --------------------------------------------------------------------------

#[test]
fn methods_that_lock_call_each_other_and_pairs_are_not_torn() {
    for [writers, readers, times, number, square, read] in [
        ["2", "2", "20000", "40000", "1600000000", "40000"],
        ["1", "1", "1", "1", "1", "1"],
        ["1", "16", "300", "300", "90000", "4800"],
        ["16", "1", "300", "4800", "23040000", "300"],
    ] {
        let run = example("nested_access", &[writers, readers, times]);
        assert_eq!(
            run.lines(),
            [
                &format!(
                    "{writers} writers made {number} increments: the pair is {number} and {square}."
                ),
                &format!("{readers} readers saw {read} pairs, and none was torn."),
                "An RLock let its owner in again: depth 2.",
                "A Lock did not: `acquire` would have waited for ever.",
            ]
        );
    }
}

// ---- simulation_phases ----------------------------------------------------------------------

/// How many cells live in a generation: the rule once more, for cells in a set instead of a grid.
fn alive(size: i32, generations: i32) -> usize {
    let cells = [(1, 0), (2, 0), (0, 1), (1, 1), (1, 2)];
    let mut alive: HashSet<(i32, i32)> =
        cells.into_iter().map(|(x, y): (i32, i32)| (x % size, y % size)).collect();
    for _ in 0..generations {
        let mut neighbours: HashMap<(i32, i32), usize> = HashMap::new();
        for (x, y) in &alive {
            for (dx, dy) in (-1..=1).flat_map(|dx| (-1..=1).map(move |dy| (dx, dy))) {
                if (dx, dy) != (0, 0) {
                    let cell = ((x + dx).rem_euclid(size), (y + dy).rem_euclid(size));
                    *neighbours.entry(cell).or_default() += 1;
                }
            }
        }
        let lives = |(cell, n): (&(i32, i32), &usize)| *n == 3 || *n == 2 && alive.contains(cell);
        alive =
            neighbours.iter().filter(|&(cell, n)| lives((cell, n))).map(|(cell, _)| *cell).collect();
    }
    alive.len()
}

#[test]
fn a_world_goes_on_in_step_and_ends_when_a_worker_fails() {
    for (workers, size, generations) in
        [(4, 48, 100), (1, 20, 50), (2, 31, 77), (7, 20, 50), (64, 5, 9), (3, 3, 2), (2, 3, 1)]
    {
        let arguments = [workers, size, generations].map(|number| number.to_string());
        let run = example("simulation_phases", &arguments.each_ref().map(String::as_str));
        let alive = alive(size, generations);
        assert_eq!(
            run.lines(),
            [
                &format!(
                    "{workers} workers, {size} x {size} cells: {alive} live in generation {generations}."
                ),
                "A single thread finds the same.",
                &format!(
                    "Worker {} failed in generation {}. The others ended too: {}.",
                    workers - 1,
                    generations / 2,
                    workers - 1
                ),
            ]
        );
    }
}

// ---- money_transfer -------------------------------------------------------------------------

#[test]
fn money_is_moved_and_neither_made_nor_lost() {
    for [accounts, clerks, transfers, audits, tried, total] in [
        ["8", "4", "20000", "5000", "80000", "800"],
        // Where two clerks most likely want the same two accounts.
        ["2", "16", "5000", "5000", "80000", "200"],
        // All transfers are from an account to itself.
        ["1", "4", "1000", "1", "4000", "100"],
        ["300", "2", "1000", "100", "2000", "30000"],
    ] {
        let run = example("money_transfer", &[accounts, clerks, transfers, audits]);
        assert_eq!(
            run.lines(),
            [
                format!("{clerks} clerks tried {tried} transfers between {accounts} accounts."),
                format!("{audits} audits meanwhile found {total}, as at the beginning."),
                format!("So it is in the end: {total}."),
            ]
        );
    }
}

// ---- rollback -------------------------------------------------------------------------------

#[test]
fn a_change_that_fails_half_way_is_undone() {
    for [threads, tables] in [["4", "500"], ["1", "1"], ["1", "7"], ["64", "1"], ["16", "3000"]] {
        let run = example("rollback", &[threads, tables]);
        let rows = run.lines();
        let rows: Vec<_> = rows.iter().map(|row| row.split_once(" tops ").unwrap()).collect();
        let rows: Vec<_> = rows.into_iter().map(|(when, stock)| (when.trim_end(), stock)).collect();
        assert_eq!(
            rows,
            [
                ("at first", "3, legs 6, tables 0"),
                ("done", "2, legs 2, tables 1"),
                ("too few legs", "2, legs 2, tables 1"),
                ("a panic", "2, legs 2, tables 1"),
                ("a panic, not undone", "1, legs 2, tables 1"),
                (&format!("{threads} threads later"), &format!("1, legs 0, tables {tables}")),
            ]
        );
    }
}

// ---- singleton ------------------------------------------------------------------------------

#[test]
fn a_singleton_is_made_once_and_tried_again_if_that_fails() {
    for [threads, limit, primes, got] in [
        ["8", "100000", "9592", "7"],
        ["2", "2", "1", "1"],
        ["64", "1000", "168", "63"],
        ["16", "48", "15", "15"],
        ["16", "49", "15", "15"],
    ] {
        let run = example("singleton", &[threads, limit]);
        assert_eq!(
            run.lines(),
            [
                &format!("{threads} threads wanted the primes up to {limit}."),
                "The first try failed, and told one thread: the first try fails.",
                &format!("The second made {primes} primes, and {got} threads got the same."),
            ]
        );
    }
}
