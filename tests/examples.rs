//! Runs the examples as their users do, on files that were made for it, and reads what they print.

#![cfg(not(any(loom, miri)))]

use std::ffi::OsStr;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::LazyLock;
use std::thread;
use std::time::SystemTime;
use std::{env, fs, process};

// ---- Where the examples are -----------------------------------------------------------------

/// The folder with the compiled examples.
///
/// A plain `cargo test` has built them. `cargo test --test examples` has not, or long ago: then this does.
static EXAMPLES: LazyLock<PathBuf> = LazyLock::new(|| {
    // This runs in target/[triple/]profile/deps.
    let executable = env::current_exe().unwrap();
    let profile = executable.ancestors().nth(2).unwrap();
    let examples = profile.join("examples");
    let age =
        |example: &str| fs::metadata(executable_in(&examples, example)).and_then(|m| m.modified());
    let oldest = age("wordcount").and_then(|a| Ok(a.min(age("threadsafe_counter")?)));
    if !oldest.is_ok_and(|oldest| oldest >= newest_source()) {
        build_examples(profile);
    }
    examples
});

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
        wordcount.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = wordcount.spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let output = thread::scope(|s| {
            s.spawn(move || drop(stdin.write_all(input))); // whether it is read is up to the child
            child.wait_with_output().unwrap()
        });
        Run::new(output)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// What a run has printed.
#[derive(Debug)]
struct Run {
    status: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Run {
    fn new(output: Output) -> Self {
        Self {
            status: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Reads the report of a run that must have gone well.
    fn report(&self) -> Report {
        assert_eq!((self.status, self.stderr.as_str()), (Some(0), ""), "{self:?}");
        let mut report = Report::default();
        let mut rows = self.stdout.lines();
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

// ---- threadsafe_counter ---------------------------------------------------------------------

#[test]
fn the_counter_of_two_threads_ends_at_200001() {
    let output = Command::new(executable_in(&EXAMPLES, "threadsafe_counter")).output().unwrap();
    let run = Run::new(output);
    assert_eq!((run.status, run.stderr.as_str()), (Some(0), ""), "{run:?}");
    assert!(run.stdout.trim_end().ends_with(" 200001"), "{run:?}");
}
