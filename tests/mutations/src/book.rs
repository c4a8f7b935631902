//! What the chapters of the book ask their readers to break, done as they say, in a copy of the sources.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::Result;
use crate::bench::{copy_sources, end_of, write_if_changed};
use crate::chapter::{self, Break};

/// Most of it is compiling, the first time.
const PATIENCE: Duration = Duration::from_secs(600);

/// Whether each break fails as its chapter says, or the first of each, in the chapters whose name has one of these parts, or in
/// all.
pub fn check(root: &Path, parts: &[String], first: bool) -> Result<bool> {
    let folder = root.join("target/breaks");
    let copy = Copy { sources: folder.join("sources"), target: folder.join("target") };
    fs::create_dir_all(&copy.sources)?;
    copy_sources(root, &copy.sources)?;

    let mut chapters = Vec::new();
    for name in names(&root.join("docs"))? {
        if name.ends_with(".md") && (parts.is_empty() || parts.iter().any(|part| name.contains(part))) {
            chapters.push((fs::read_to_string(root.join("docs").join(&name))?, name));
        }
    }
    let count = if first { 1 } else { usize::MAX };
    let of = |text| chapter::breaks(text).0.into_iter().take(count);
    let breaks: Vec<_> =
        chapters.iter().flat_map(|(text, name)| of(text).map(move |this| (name, this))).collect();
    if breaks.is_empty() {
        return Err("there is nothing to break".into());
    }
    // What fails without the break as well would prove nothing.
    for command in breaks.iter().map(|(_, this)| this.command).collect::<BTreeSet<_>>() {
        let (succeeded, output) = copy.run(command)?;
        if !succeeded || !output.contains("test result: ok. 1 passed") {
            return Err(format!("without a break `{command}` should pass one test\n\n{output}").into());
        }
    }
    let mut wrong = 0;
    for (name, this) in &breaks {
        let start = Instant::now();
        let outcome = copy.with(this)?;
        let seconds = start.elapsed().as_secs();
        println!(
            "{name}: {}: {}, {seconds} s",
            this.title,
            if outcome.is_ok() { "fails" } else { "WRONG" }
        );
        if let Err(why) = outcome {
            println!("\n`{}` {why}", this.command);
            wrong += 1;
        }
    }
    println!("{} breaks, {wrong} of them do not fail as the book says", breaks.len());
    Ok(wrong == 0)
}

/// The copy in which things are broken. It keeps what it has compiled for the next time.
struct Copy {
    sources: PathBuf,
    target: PathBuf,
}

impl Copy {
    /// Makes the edits, runs the command, and takes the edits back. What is wrong is not as the chapter says.
    fn with(&self, this: &Break) -> Result<std::result::Result<(), String>> {
        let mut originals = Vec::new();
        for edit in &this.edits {
            let file = self.sources.join(edit.file);
            let text = fs::read_to_string(&file)?;
            let edited = edit.apply(&text).map_err(|why| format!("line {}: {why}", edit.index + 1))?;
            fs::write(&file, edited)?;
            originals.push((file, text));
        }
        let run = self.run(this.command);
        for (file, text) in originals.iter().rev() {
            write_if_changed(file, text.as_bytes())?;
        }
        let (succeeded, output) = run?;
        if succeeded {
            return Ok(Err("passes".to_owned()));
        }
        Ok(chapter::shows(&output, &this.output).map_err(|why| format!("{why}\nbut\n\n{output}")))
    }

    /// Whether a command succeeds, and all that it prints.
    fn run(&self, command: &str) -> Result<(bool, String)> {
        let output = self.target.with_file_name("output");
        let file = File::create(&output)?;
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or("cargo".into()));
        cargo.args(command.split(' ').skip(1)).current_dir(&self.sources);
        // As for a reader who has set nothing.
        for variable in ["RUSTFLAGS", "RUST_BACKTRACE", "FUTON_SEED", "FUTON_EXECUTIONS", "LOOM_LOG"] {
            cargo.env_remove(variable);
        }
        cargo.env("CARGO_TARGET_DIR", &self.target).env("CARGO_TERM_COLOR", "never");
        let child = cargo.stdout(file.try_clone()?).stderr(file).spawn()?;
        match end_of(child, PATIENCE)? {
            Some(status) => Ok((status.success(), fs::read_to_string(output)?)),
            None => Err(format!("`{command}` does not come to an end").into()),
        }
    }
}

/// The names of what is in a folder, in their order.
fn names(folder: &Path) -> Result<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    for entry in fs::read_dir(folder)? {
        names.insert(entry?.file_name().to_string_lossy().into_owned());
    }
    Ok(names)
}
