//! Changes futon's sources one place at a time, and sees whether a test notices.
//!
//! A change, or *mutation*, is small: an ordering one step weaker, a wake left out, a comparison that is off by one,
//! an atomic operation that no longer is one step. If all tests pass in spite of it, then either it makes no difference, and
//! `survivors.toml` says why, or a test is missing.
//!
//! To compile a crate for each of some thousand changes would take days. So all of them are [woven](weave) into one
//! copy of the sources, each behind a question that is answered at run time, and the tests are compiled once. A first run
//! of each test tells which changes it [reaches](bench); only those tests are run that can notice one, the
//! fastest first, and no more after one has failed.
//!
//! With `--book` it makes other changes: those that the chapters of the book ask their readers to make.

mod arguments;
mod bench;
mod book;
#[path = "../../house/chapter.rs"]
mod chapter;
mod find;
mod judge;
mod page;
mod survivors;
mod weave;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{env, fs};

use arguments::Arguments;
use bench::Bench;
use judge::Record;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> ExitCode {
    let arguments = match arguments::parse(env::args().skip(1)) {
        Ok(Some(arguments)) => arguments,
        Ok(None) => {
            print!("{}", arguments::HELP);
            return ExitCode::SUCCESS;
        }
        Err(wrong) => {
            eprintln!("{wrong}; --help says what there is");
            return ExitCode::from(2);
        }
    };
    match run(&arguments) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(2)
        }
    }
}

/// Whether each mutation is noticed or explained, or each break of the book fails.
fn run(arguments: &Arguments) -> Result<bool> {
    let root = root();
    if arguments.book {
        return book::check(&root, &arguments.files, arguments.first);
    }
    let mut mutations = Vec::new();
    for file in sources(&root)? {
        if arguments.files.is_empty() || arguments.files.iter().any(|part| file.contains(part)) {
            let text = fs::read_to_string(root.join(&file))?;
            mutations.extend(find::mutations(&file, &text)?);
        }
    }
    if arguments.list {
        mutations.iter().for_each(|mutation| println!("{mutation}"));
        return Ok(true);
    }
    let mut record = Record::open(root.join("target/mutations/results.jsonl"), arguments.resume)?;
    let survivors = survivors::read(&root.join("tests/mutations/survivors.toml"))?;
    let bench = Bench::set_up(&root, &mut mutations, arguments.jobs)?;
    record.look_again(mutations.iter().filter(|mutation| page::reason(mutation, &survivors).is_none()));
    let verdicts = judge::judge(&bench, &mutations, arguments.jobs, arguments.patience, &record)?;
    let unexplained = page::print(&mutations, &verdicts, &survivors);
    if arguments.files.is_empty() {
        let page = root.join("docs/mutations.md");
        fs::write(&page, page::write(&mutations, &verdicts, &survivors))?;
        println!("see docs/mutations.md");
    }
    Ok(unexplained == 0)
}

/// Where the sources of futon are.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("this package's folder")
}

/// What is changed: all that a user's program is made of. The models of atomics and futex are not, nor is what
/// stands in for a system that there is not.
fn sources(root: &Path) -> Result<Vec<String>> {
    fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            match path.is_dir() {
                true => collect(&path, files)?,
                false => files.push(path),
            }
        }
        Ok(())
    }
    let mut files = Vec::new();
    collect(&root.join("src"), &mut files)?;
    let names = files.iter().map(|file| file.strip_prefix(root).expect("below the root"));
    let mut names: Vec<String> = names.map(|name| name.display().to_string()).collect();
    names.retain(|name| {
        name.ends_with(".rs") && !name.contains("/model") && !name.ends_with("unsupported.rs")
    });
    names.sort();
    Ok(names)
}
