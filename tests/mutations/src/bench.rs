//! The tests, compiled with all mutations in them, and what each of them reaches.

use std::collections::HashSet;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::find::{Mutation, Way};
use crate::weave::{Woven, question, weave};
use crate::{Result, sources};

/// All tests that hold without a mutation.
pub struct Bench {
    pub tests: Vec<Test>,
    folder: PathBuf,
}

pub struct Test {
    program: PathBuf,
    /// Where it is to be run.
    folder: PathBuf,
    /// The file of tests and the test's name.
    pub name: String,
    test: String,
    /// A model fails each time or never.
    pub is_model: bool,
    /// How long it takes without a mutation.
    pub time: Duration,
    /// Which mutations it comes by.
    pub reaches: HashSet<usize>,
}

/// What became of a test.
#[derive(Debug, PartialEq, Clone, Copy)]
pub enum End {
    Passed,
    Failed,
    /// It took far longer than it should.
    Hung,
}

impl Bench {
    /// Compiles the tests, without those of the `mutations` that no compiler lets pass, and runs each once.
    pub fn set_up(root: &Path, mutations: &mut Vec<Mutation>, jobs: usize) -> Result<Self> {
        let folder = root.join("target/mutations");
        let copy = folder.join("sources");
        fs::create_dir_all(&copy)?;
        copy_sources(root, &copy)?;
        let before = mutations.len();
        weed_out(root, &folder, mutations)?;
        eprintln!("{} mutations, {} others do not compile", mutations.len(), before - mutations.len());
        let mut bench = Self { tests: Vec::new(), folder };
        for (program, folder, name, is_model) in programs(&bench.folder)? {
            let list = Command::new(&program)
                .args(["--list", "--format", "terse"])
                .current_dir(&folder)
                .output()?;
            let list = String::from_utf8(list.stdout)?;
            for test in list.lines().filter_map(|line| line.strip_suffix(": test")) {
                bench.tests.push(Test {
                    program: program.clone(),
                    folder: folder.clone(),
                    name: format!("{name}::{test}"),
                    test: test.to_owned(),
                    is_model,
                    time: Duration::ZERO,
                    reaches: HashSet::new(),
                });
            }
        }
        bench.look_what_they_reach(jobs)?;
        Ok(bench)
    }

    fn look_what_they_reach(&mut self, jobs: usize) -> Result<()> {
        let folder = &self.folder;
        let share = self.tests.len().div_ceil(jobs).max(1);
        let look = |worker: usize, tests: &mut [Test]| {
            let file = folder.join(format!("reached-{worker}"));
            tests
                .iter_mut()
                .try_for_each(|test| test.look_what_it_reaches(&file))
                .map_err(|error| error.to_string())
        };
        thread::scope(|scope| {
            let shares = self.tests.chunks_mut(share).enumerate();
            let workers: Vec<_> =
                shares.map(|(worker, tests)| scope.spawn(move || look(worker, tests))).collect();
            workers.into_iter().try_for_each(|worker| worker.join().expect("does not panic"))
        })?;
        self.tests.retain(|test| !test.reaches.is_empty());
        Ok(())
    }
}

impl Test {
    fn look_what_it_reaches(&mut self, file: &Path) -> Result<()> {
        File::create(file)?;
        let start = Instant::now();
        let end = self.run("FUTON_REACHED", &file.display().to_string(), Duration::from_secs(300))?;
        self.time = start.elapsed();
        if end == End::Passed {
            let numbers = fs::read(file)?;
            let numbers = numbers
                .chunks_exact(4)
                .map(|bytes| u32::from_le_bytes(bytes.try_into().expect("four")));
            self.reaches = numbers.map(|number| number as usize).collect();
        } else {
            eprintln!("{} does not hold here, and is left out", self.name);
        }
        Ok(())
    }

    /// Runs the test with this mutation.
    pub fn run_with(&self, mutation: usize) -> Result<End> {
        let patience = Duration::from_secs(5).max(10 * self.time);
        self.run("FUTON_MUTATION", &mutation.to_string(), patience)
    }

    /// … and without any.
    pub fn run_without(&self) -> Result<End> {
        self.run_with(i32::MAX as usize)
    }

    fn run(&self, variable: &str, value: &str, patience: Duration) -> Result<End> {
        let mut command = Command::new(&self.program);
        command.args(["--exact", &self.test, "--test-threads", "1"]).env(variable, value);
        command.current_dir(&self.folder).env("RUST_BACKTRACE", "0");
        // What is chosen at random is the same each time.
        command.env("FUTON_SEED", "1").env("FUTON_EXECUTIONS", "1000");
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).stdin(Stdio::null()).spawn()?;
        Ok(match end_of(child, patience)? {
            Some(status) if status.success() => End::Passed,
            Some(_) => End::Failed,
            None => End::Hung,
        })
    }
}

/// Waits for the end of a program, or makes it end if that takes too long: `None`.
pub fn end_of(mut child: Child, patience: Duration) -> Result<Option<ExitStatus>> {
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if start.elapsed() > patience {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        thread::sleep((start.elapsed() / 8).clamp(Duration::from_millis(1), Duration::from_millis(50)));
    }
}

/// Writes the woven sources, and takes out what does not compile until the rest does.
fn weed_out(root: &Path, folder: &Path, mutations: &mut Vec<Mutation>) -> Result<()> {
    loop {
        let mut woven = Vec::new();
        for file in sources(root)? {
            let of_this_file =
                mutations.iter().enumerate().filter(|(_, mutation)| mutation.file == file);
            let mut text = weave(&fs::read_to_string(root.join(&file))?, of_this_file);
            if file == "src/lib.rs" {
                text.text.push_str(&question(mutations.len()));
            }
            write_if_changed(&folder.join("sources").join(&file), text.text.as_bytes())?;
            woven.push((file, text));
        }
        let mut wrong = HashSet::new();
        let mut elsewhere = Vec::new();
        for message in cargo(folder, &["check", "-p", "futon", "-p", "loom-tests", "--lib"])? {
            let message = &message["message"];
            if message["level"] == "error" {
                let at_fault = at_fault(message, &woven, mutations);
                if at_fault.is_empty() {
                    elsewhere.push(message["rendered"].as_str().unwrap_or_default().to_owned());
                }
                wrong.extend(at_fault);
            }
        }
        if wrong.is_empty() {
            return if elsewhere.is_empty() { Ok(()) } else { Err(elsewhere.concat().into()) };
        }
        eprintln!("{} do not compile", wrong.len());
        let mut number = 0..;
        mutations.retain(|_| !wrong.contains(&number.next().expect("endless")));
    }
}

/// Which mutations an error message is about.
fn at_fault(message: &Value, woven: &[(String, Woven)], mutations: &[Mutation]) -> Vec<usize> {
    let mut places = Vec::new();
    for span in message["spans"].as_array().into_iter().flatten() {
        let name = span["file_name"].as_str().unwrap_or_default();
        let byte = |key: &str| span[key].as_u64().unwrap_or_default() as usize;
        if let Some((_, text)) = woven.iter().find(|(file, _)| name.ends_with(&**file)) {
            places.push((text, byte("byte_start")..byte("byte_end"), span["is_primary"] == true));
        }
    }
    // What was moved or borrowed before is the fault of a statement that may be left out: one that is named, …
    let is_left_out = |number: &usize| mutations[*number].way == Way::Without;
    let named = places.iter().flat_map(|(text, place, _)| text.at(place.clone())).copied();
    let left_out: Vec<_> = named.filter(is_left_out).collect();
    if !left_out.is_empty() {
        return left_out;
    }
    let primary = places.iter().filter(|(_, _, is_primary)| *is_primary);
    let primary: Vec<_> =
        primary.flat_map(|(text, place, _)| text.at(place.clone())).copied().collect();
    if !primary.is_empty() {
        return primary;
    }
    // … or else one on the way from what the message names first to what it names last.
    let Some((text, ..)) = places.first() else { return Vec::new() };
    let starts = || places.iter().map(|(_, place, _)| place.start);
    let way = starts().min().unwrap_or(0)..starts().max().unwrap_or(0);
    text.within(way).into_iter().filter(is_left_out).collect()
}

/// The programs of tests, each with the folder it belongs to, its name, and whether it consists of models.
fn programs(folder: &Path) -> Result<Vec<(PathBuf, PathBuf, String, bool)>> {
    let mut programs = Vec::new();
    let packages = ["-p", "futon", "-p", "loom-tests", "-p", "random-tests"];
    for artifact in cargo(folder, &[&["test", "--no-run", "--tests"], &packages[..]].concat())? {
        if artifact["reason"] == "build-finished" && artifact["success"] == false {
            return Err("the tests do not compile".into());
        }
        let Some(program) = artifact["executable"].as_str() else { continue };
        if artifact["profile"]["test"] != true {
            continue;
        }
        let manifest = Path::new(artifact["manifest_path"].as_str().unwrap_or_default());
        let name = artifact["target"]["name"].as_str().unwrap_or_default();
        let package = manifest.parent().and_then(Path::file_name).unwrap_or_default();
        let group = match package.to_str() {
            Some("loom-tests") => "model ",
            Some("random") => "random ",
            _ => "",
        };
        // These are not about what the sources do.
        if !["house", "mistakes", "examples"].contains(&name) {
            let folder = manifest.parent().unwrap_or(Path::new("/"));
            let is_model = !group.is_empty();
            programs.push((program.into(), folder.into(), format!("{group}{name}"), is_model));
        }
    }
    Ok(programs)
}

/// What cargo says, message by message.
fn cargo(folder: &Path, arguments: &[&str]) -> Result<Vec<Value>> {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or("cargo".into()));
    let (command, rest) = (command.arg(arguments[0]), &arguments[1..]);
    let command = command.args(["--message-format", "json", "--quiet"]).args(rest);
    let command =
        command.current_dir(folder.join("sources")).env("CARGO_TARGET_DIR", folder.join("target"));
    // Mutations are not to everybody's taste.
    let command = command.env("RUSTFLAGS", "--cap-lints allow");
    let output = command.stderr(Stdio::inherit()).output()?;
    if output.stdout.is_empty() && !output.status.success() {
        return Err("cargo did not get as far as compiling".into());
    }
    String::from_utf8(output.stdout)?.lines().map(|line| Ok(serde_json::from_str(line)?)).collect()
}

/// Copies what the tests are made of.
pub fn copy_sources(root: &Path, copy: &Path) -> Result<()> {
    let files = ["Cargo.toml", "Cargo.lock", "README.md"];
    let folders = ["src", "examples", "loom-tests", "tests", "benches", "docs"];
    for part in files.into_iter().chain(folders) {
        copy_all(&root.join(part), &copy.join(part))?;
    }
    Ok(())
}

fn copy_all(from: &Path, to: &Path) -> Result<()> {
    if !from.is_dir() {
        return write_if_changed(to, &fs::read(from)?);
    }
    fs::create_dir_all(to)?;
    // What an earlier copy has and is no more.
    for entry in fs::read_dir(to)? {
        let name = entry?.file_name();
        if !from.join(&name).exists() {
            let gone = to.join(&name);
            if gone.is_dir() { fs::remove_dir_all(gone)? } else { fs::remove_file(gone)? }
        }
    }
    for entry in fs::read_dir(from)? {
        let name = entry?.file_name();
        if name != "target" {
            copy_all(&from.join(&name), &to.join(&name))?;
        }
    }
    Ok(())
}

/// Or else cargo would compile it again.
pub fn write_if_changed(file: &Path, text: &[u8]) -> Result<()> {
    if !fs::read(file).is_ok_and(|old| old == text) {
        fs::write(file, text)?;
    }
    Ok(())
}
