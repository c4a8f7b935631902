//! The rules of the house, as tests: what the sources promise their readers and no compiler checks.
//!
//! Each rule is a function from the text of a file to what is wrong with it, and is tried here on a small
//! text that breaks it before it is applied to the sources: a rule that finds nothing may be a rule that
//! looks at nothing.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

/// A breach: where, and of which rule.
#[derive(Debug, PartialEq, Eq)]
struct Breach {
    file: String,
    line: usize,
    rule: String,
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.rule)
    }
}

/// A source file, taken apart.
struct Source {
    /// With slashes, below the root of the package.
    path: String,
    text: String,
    lines: Vec<Line>,
}

/// One line of a source.
#[derive(Debug, Default, PartialEq, Eq)]
struct Line {
    /// Without comments and without what stands between quotation marks.
    code: String,
    /// What stands between quotation marks.
    quoted: String,
    /// With the slashes.
    comment: String,
}

impl Source {
    fn new(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), text: text.to_owned(), lines: take_apart(text) }
    }

    fn breach(&self, index: usize, rule: impl Into<String>) -> Breach {
        Breach { file: self.path.clone(), line: index + 1, rule: rule.into() }
    }
}

/// Tells code, strings and comments apart. Knows as much of Rust as is needed for that.
fn take_apart(text: &str) -> Vec<Line> {
    enum State {
        Code,
        LineComment,
        /// So many have been opened.
        BlockComment(usize),
        String,
        /// With so many `#`.
        RawString(usize),
    }

    let chars: Vec<char> = text.chars().collect();
    let at = |i: usize| chars.get(i).copied().unwrap_or('\n');
    let mut lines = vec![Line::default()];
    let mut state = State::Code;
    let mut i = 0;
    while i < chars.len() {
        let (c, next) = (chars[i], at(i + 1));
        if c == '\n' {
            lines.push(Line::default());
            if matches!(state, State::LineComment) {
                state = State::Code;
            }
            i += 1;
            continue;
        }
        let line = lines.last_mut().unwrap();
        let mut length = 1;
        match state {
            State::Code => {
                let hashes = (i + 1..).take_while(|&j| at(j) == '#').count();
                // As in br"…".
                let start = if i > 0 && at(i - 1) == 'b' { i - 1 } else { i };
                let is_word = start > 0 && is_of_a_word(at(start - 1));
                if c == '/' && next == '/' {
                    line.comment.push('/');
                    state = State::LineComment;
                } else if c == '/' && next == '*' {
                    line.comment.push_str("/*");
                    state = State::BlockComment(1);
                    length = 2;
                } else if c == '"' {
                    line.code.push('"');
                    state = State::String;
                } else if c == 'r' && !is_word && at(i + 1 + hashes) == '"' {
                    line.code.push('"');
                    state = State::RawString(hashes);
                    length = hashes + 2;
                } else if c == '\'' && next == '\\' {
                    // A character such as '\'' or '\u{1f}'.
                    let end = (i + 3..).find(|&j| at(j) == '\'' || at(j) == '\n').unwrap();
                    line.code.push_str("''");
                    length = end + 1 - i;
                } else if c == '\'' && at(i + 2) == '\'' {
                    line.code.push_str("''");
                    length = 3;
                } else {
                    // Also the tick of a lifetime.
                    line.code.push(c);
                }
            }
            State::LineComment => line.comment.push(c),
            State::BlockComment(depth) => {
                line.comment.push(c);
                if c == '*' && next == '/' {
                    line.comment.push('/');
                    state = if depth == 1 { State::Code } else { State::BlockComment(depth - 1) };
                    length = 2;
                } else if c == '/' && next == '*' {
                    line.comment.push('*');
                    state = State::BlockComment(depth + 1);
                    length = 2;
                }
            }
            State::String => {
                if c == '"' {
                    line.code.push('"');
                    state = State::Code;
                } else if c == '\\' && next != '\n' {
                    length = 2;
                } else {
                    line.quoted.push(c);
                }
            }
            State::RawString(hashes) => {
                if c == '"' && (1..=hashes).all(|j| at(i + j) == '#') {
                    line.code.push('"');
                    state = State::Code;
                    length = 1 + hashes;
                } else {
                    line.quoted.push(c);
                }
            }
        }
        i += length;
    }
    if text.ends_with('\n') {
        lines.pop();
    }
    lines
}

fn is_of_a_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The names and keywords in a piece of code, in order.
fn words(code: &str) -> impl Iterator<Item = &str> {
    code.split(|c| !is_of_a_word(c)).filter(|word| !word.is_empty())
}

fn has_word(code: &str, word: &str) -> bool {
    words(code).any(|w| w == word)
}

/// For each line, whether it belongs to a `use` declaration.
fn is_import(source: &Source) -> Vec<bool> {
    let mut inside = false;
    let is_import = |line: &Line| {
        let code = line.code.trim_start();
        let code = code.strip_prefix("pub ").unwrap_or(code);
        let code = code.strip_prefix("pub(crate) ").unwrap_or(code);
        let this = inside || code.starts_with("use ");
        inside = this && !line.code.contains(';');
        this
    };
    source.lines.iter().map(is_import).collect()
}

// The rules.

const ORDERINGS: [&str; 5] = ["Relaxed", "Acquire", "Release", "AcqRel", "SeqCst"];
/// How far below its comment an ordering may stand.
const REACH: usize = 10;

/// Each ordering has an `// ORDERING:` comment in the same function, at most ten lines above.
fn orderings_are_justified(source: &Source) -> Vec<Breach> {
    let imports = is_import(source);
    let mut breaches = Vec::new();
    let mut comment = None;
    for (index, line) in source.lines.iter().enumerate() {
        if has_word(&line.code, "fn") {
            comment = None;
        }
        if line.comment.contains("// ORDERING: ") {
            comment = Some(index);
        }
        let Some(ordering) = words(&line.code).find(|word| ORDERINGS.contains(word)) else {
            continue;
        };
        if !imports[index] && comment.is_none_or(|at| index - at > REACH) {
            breaches.push(source.breach(
                index,
                format!("{ordering} without an `// ORDERING:` comment in the {REACH} lines above"),
            ));
        }
    }
    breaches
}

/// The functions that an `// ORDERING:` comment names as its partners exist.
fn orderings_name_functions_that_exist(source: &Source, functions: &[String]) -> Vec<Breach> {
    let mut breaches = Vec::new();
    let mut inside = false;
    for (index, line) in source.lines.iter().enumerate() {
        inside = line.comment.contains("// ORDERING: ")
            || inside && line.code.trim().is_empty() && line.comment.starts_with("// ");
        if !inside {
            continue;
        }
        for name in line.comment.split('`').skip(1).step_by(2) {
            let is_name = name.chars().all(|c| is_of_a_word(c) && !c.is_uppercase());
            if is_name && !functions.iter().any(|function| function == name) {
                breaches.push(source.breach(index, format!("there is no function `{name}`")));
            }
        }
    }
    breaches
}

fn functions(source: &Source) -> impl Iterator<Item = String> {
    source
        .lines
        .iter()
        .filter_map(|line| words(&line.code).skip_while(|word| *word != "fn").nth(1).map(str::to_owned))
}

/// Each `unsafe` has a `// SAFETY:` comment of its own directly above the statement, and each public
/// function that is unsafe to call says when it is not. (A method of an unsafe trait need not say it
/// again.)
fn unsafe_is_justified(source: &Source) -> Vec<Breach> {
    /// A statement may begin so many lines above its `unsafe`.
    const LINES_OF_STATEMENT: usize = 2;

    let mut breaches = Vec::new();
    let mut is_spent = true;
    let mut lines_of_code = 0;
    for (index, line) in source.lines.iter().enumerate() {
        if line.comment.contains("// SAFETY: ") || line.comment.contains("/// # Safety") {
            is_spent = false;
            lines_of_code = 0;
        }
        let code = line.code.trim();
        if code.is_empty() || code.starts_with("#[") {
            continue;
        }
        lines_of_code += 1;
        if has_word(code, "unsafe") && (!code.contains("unsafe fn") || code.starts_with("pub")) {
            if is_spent || lines_of_code > 1 + LINES_OF_STATEMENT {
                breaches.push(source.breach(index, "`unsafe` without a `// SAFETY:` comment above"));
            }
            is_spent = true;
        }
    }
    breaches
}

/// What lib.rs says about the layers.
struct Layers {
    /// The modules, lowest first.
    modules: Vec<String>,
    /// The module from which an item of the root comes.
    items: BTreeMap<String, String>,
}

impl Layers {
    fn of(lib: &Source) -> Self {
        let code: String = lib.lines.iter().map(|line| line.code.clone() + " ").collect();
        let mut layers = Self { modules: Vec::new(), items: BTreeMap::new() };
        let mut depth = 0;
        // What follows the last one is not ended by a semicolon.
        let declarations = code.rsplit_once(';').map_or("", |(all, _)| all);
        for declaration in declarations.split(';') {
            depth += declaration.matches('{').count();
            depth -= declaration.matches('}').count();
            if depth > 0 {
                continue; // in a module within lib.rs
            }
            let words: Vec<_> = words(declaration).collect();
            // Attributes and other declarations may stand in front, since nothing but `;` divides here.
            if let [.., "mod", module] = words[..] {
                layers.modules.push(module.to_owned());
            } else if let Some(at) = words.iter().position(|word| *word == "use") {
                if let [module, items @ ..] = &words[at + 1..] {
                    let items = items.iter().map(|item| (item.to_string(), module.to_string()));
                    layers.items.extend(items);
                }
            }
        }
        layers
    }

    /// How high a module, or the module of an item, stands.
    fn height(&self, name: &str) -> Option<usize> {
        let module = self.items.get(name).map_or(name, String::as_str);
        self.modules.iter().position(|m| m == module)
    }
}

/// A file uses only what stands above it in lib.rs.
fn layers_are_kept(source: &Source, layers: &Layers) -> Vec<Breach> {
    let own = source.path.strip_prefix("src/").unwrap_or(&source.path);
    let own = own.split(['/', '.']).next().unwrap_or(own);
    if own == "lib" {
        return Vec::new();
    }
    let Some(own_height) = layers.height(own) else {
        return vec![source.breach(0, format!("lib.rs has no `mod {own};`"))];
    };

    let code: String = source.lines.iter().map(|line| line.code.clone() + "\n").collect();
    let mut breaches = Vec::new();
    for (start, path) in code.match_indices("crate::") {
        if code[..start].ends_with(is_of_a_word) {
            continue;
        }
        let index = code[..start].matches('\n').count();
        for name in first_names(&code[start + path.len()..]) {
            match layers.height(name) {
                Some(height) if height <= own_height => {}
                Some(_) => {
                    breaches.push(source.breach(
                        index,
                        format!("`{own}` uses `{name}`, which stands below it in lib.rs"),
                    ))
                }
                None => breaches.push(
                    source
                        .breach(index, format!("`{name}` is neither declared nor exported in lib.rs")),
                ),
            }
        }
    }
    breaches
}

/// What a path that goes on like this begins with: one name, or several in braces.
fn first_names(path: &str) -> Vec<&str> {
    let Some(group) = path.strip_prefix('{') else {
        return words(path).take(1).collect();
    };
    let mut depth = 1;
    let mut names = Vec::new();
    let mut begin = 0;
    for (i, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 || depth == 1 && c == ',' {
            names.extend(words(&group[begin..i]).next());
            begin = i + 1;
        }
        if depth == 0 {
            break;
        }
    }
    names
}

/// loom is named in two places only: the switch and the model of the futex.
fn loom_stays_in_its_place(source: &Source) -> Vec<Breach> {
    let places = ["src/atomic.rs", "src/atomic/", "src/futex.rs", "src/futex/"];
    if places.iter().any(|place| source.path.starts_with(place)) {
        return Vec::new();
    }
    let names_it = |line: &Line| has_word(&line.code, "loom") || has_word(&line.quoted, "loom");
    let lines = source.lines.iter().enumerate().filter(|(_, line)| names_it(line));
    lines.map(|(index, _)| source.breach(index, "loom is for `atomic` and `futex` alone")).collect()
}

/// What is to be done stands in an issue.
fn nothing_is_left_to_do(source: &Source) -> Vec<Breach> {
    let mut breaches = Vec::new();
    for (index, line) in source.lines.iter().enumerate() {
        for mark in ["TODO", "FIXME", "XXX", "HACK"] {
            if has_word(&line.comment, mark) {
                breaches.push(source.breach(index, format!("{mark} in a comment")));
            }
        }
        for mark in ["todo", "unimplemented"] {
            if line.code.contains(&format!("{mark}!")) {
                breaches.push(source.breach(index, format!("{mark}! in the code")));
            }
        }
    }
    breaches
}

/// A module is named for what it is about.
fn module_names_say_something(source: &Source) -> Vec<Breach> {
    const EMPTY: [&str; 8] =
        ["prelude", "util", "utils", "common", "error", "errors", "helpers", "misc"];

    let mut breaches = Vec::new();
    let file = source.path.rsplit('/').next().unwrap_or_default().trim_end_matches(".rs");
    if EMPTY.contains(&file) {
        breaches.push(source.breach(0, format!("a file named `{file}`")));
    }
    for (index, line) in source.lines.iter().enumerate() {
        let mut words = words(&line.code).skip_while(|word| *word != "mod");
        if let Some(name) = words.nth(1).filter(|name| EMPTY.contains(name)) {
            breaches.push(source.breach(index, format!("a module named `{name}`")));
        }
    }
    breaches
}

/// A file that grows wants to be two.
fn files_are_short(source: &Source) -> Vec<Breach> {
    // A model is no algorithm that anybody reads to learn how a lock works.
    let limit = if is_a_model(&source) { 400 } else { 300 };
    let has_code = |(_, line): &(usize, &Line)| !line.code.trim().is_empty();
    let too_much = source.lines.iter().enumerate().filter(has_code).nth(limit - 1);
    let rule = format!("{limit} lines of code or more");
    too_much.map(|(index, _)| source.breach(index, rule)).into_iter().collect()
}

/// A file begins by saying what it is, and ends with the end of a line.
fn files_begin_and_end_well(source: &Source) -> Vec<Breach> {
    let mut breaches = Vec::new();
    if !source.text.starts_with("//! ") {
        breaches.push(source.breach(0, "a file opens with `//!` and says what it is"));
    }
    let last = source.lines.len().saturating_sub(1);
    if !source.text.ends_with('\n') {
        breaches.push(source.breach(last, "the last line has no end"));
    }
    if source.text.ends_with("\n\n") {
        breaches.push(source.breach(last, "an empty line at the end"));
    }
    breaches
}

/// What runs under a user's program is this crate and two more.
fn dependencies_are_few(path: &str, manifest: &str) -> Vec<Breach> {
    const ALLOWED: [&str; 2] = ["atomic-wait", "libc"];

    let source = Source { path: path.to_owned(), text: String::new(), lines: Vec::new() };
    let mut breaches = Vec::new();
    let mut section = "";
    for (index, line) in manifest.lines().enumerate() {
        if line.starts_with('[') {
            section = line.trim();
            continue;
        }
        let Some((name, value)) = line.split_once('=') else { continue };
        let name = name.trim().split('.').next().unwrap_or_default();
        let counts = match section {
            "[dependencies]" => !ALLOWED.contains(&name),
            // Whoever asks for loom by cfg and by feature gets it.
            "[target.'cfg(loom)'.dependencies]" => name != "loom" || !value.contains("optional = true"),
            _ => section.starts_with("[target.") && section.ends_with(".dependencies]"),
        };
        if counts && !line.starts_with('#') {
            breaches.push(source.breach(index, format!("`{name}` is one dependency too many")));
        }
    }
    breaches
}

/// The tests of a file: its name or that of its folder, and that of the function, as in `event::a_set_…`.
fn tests(source: &Source) -> Vec<String> {
    let file = source.path.rsplit_once("tests/").map_or(&*source.path, |(_, path)| path);
    let file =
        file.trim_start_matches("tests/").trim_start_matches("contract/").trim_end_matches(".rs");
    let mut names = Vec::new();
    let mut modules = vec![file.replace('/', "::")];
    let mut is_test = false;
    for line in &source.lines {
        let words: Vec<_> = words(&line.code).collect();
        match words[..] {
            ["mod", name] if line.code.ends_with('{') => modules.push(name.to_owned()),
            ["test"] if line.code.trim() == "#[test]" => is_test = true,
            // Not a name that a macro is given: the table may leave those out.
            ["fn", name, ..] if is_test && !line.code.contains('$') => {
                names.push(format!("{}::{name}", modules.join("::")));
                is_test = false;
            }
            _ => {}
        }
        if line.code == "}" {
            modules.truncate(1);
        }
    }
    names
}

/// What a table names between backticks, of the form `module::name`, and where.
fn named_tests(table: &Source) -> Vec<(usize, String)> {
    let names = |(index, line): (usize, &str)| {
        let quoted = line.split('`').skip(1).step_by(2);
        let is_name =
            |name: &&str| name.contains("::") && name.chars().all(|c| is_of_a_word(c) || c == ':');
        quoted.filter(is_name).map(|name| (index, name.to_owned())).collect::<Vec<_>>()
    };
    table.text.lines().enumerate().filter(|(_, line)| line.starts_with('|')).flat_map(names).collect()
}

/// The tests that a table names exist.
fn tables_name_tests_that_exist(table: &Source, tests: &[String]) -> Vec<Breach> {
    let unknown = named_tests(table).into_iter().filter(|(_, name)| !tests.contains(name));
    unknown.map(|(index, name)| table.breach(index, format!("there is no test `{name}`"))).collect()
}

/// A table names each of the tests.
fn tables_name_each_test(table: &Source, tests: &[String]) -> Vec<Breach> {
    let named: Vec<_> = named_tests(table).into_iter().map(|(_, name)| name).collect();
    let missing = tests.iter().filter(|test| !named.contains(test));
    missing.map(|test| table.breach(0, format!("`{test}` is not in the table"))).collect()
}

/// The public types of a file: where, the name, and the documentation above in one line.
fn documented_types(source: &Source) -> Vec<(usize, String, String)> {
    let mut types = Vec::new();
    let mut documentation = String::new();
    for (index, line) in source.lines.iter().enumerate() {
        let words: Vec<_> = words(&line.code).collect();
        if let ["pub", "struct", name, ..] = words[..] {
            types.push((index, name.to_owned(), documentation.clone()));
        }
        match line.comment.strip_prefix("///") {
            Some(text) => documentation = documentation + text.trim() + " ",
            None => documentation.clear(),
        }
    }
    types
}

/// A mistake says what tempts one to make it, what goes wrong, and which file has it right.
///
/// What is no mistake says so: it is the right one.
fn mistakes_are_explained(source: &Source, is_file: impl Fn(&str) -> bool) -> Vec<Breach> {
    let mut breaches = Vec::new();
    for (index, name, documentation) in documented_types(source) {
        if documentation.starts_with("The right one") {
            continue;
        }
        for part in ["Tempting: ", "Wrong: ", "Right: "] {
            if !documentation.contains(part) {
                breaches.push(source.breach(index, format!("`{name}` does not say `{part}…`")));
            }
        }
        let right = documentation.split_once("Right: ").map_or("", |(_, right)| right);
        let mut files = right.split('`').skip(1).step_by(2).filter(|name| name.starts_with("src/"));
        if !files.clone().all(&is_file) || files.next().is_none() {
            breaches.push(source.breach(index, format!("`{name}` names no file that has it right")));
        }
    }
    breaches
}

/// A table names each of the mistakes.
fn tables_name_each_mistake(table: &Source, mistakes: &[Source]) -> Vec<Breach> {
    let rows: Vec<_> = table.text.lines().filter(|line| line.starts_with('|')).collect();
    let mut breaches = Vec::new();
    for source in mistakes {
        let file = source.path.rsplit('/').next().unwrap_or_default();
        for (_, name, documentation) in documented_types(source) {
            let row = format!("| `{file}`: `{name}` |");
            if documentation.contains("Tempting: ") && !rows.iter().any(|r| r.starts_with(&row)) {
                breaches.push(table.breach(0, format!("`{file}`: `{name}` is not in the table")));
            }
        }
    }
    breaches
}

// The sources.

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All Rust files below a folder of the package, in the order of their names.
fn sources(folder: &str) -> Vec<Source> {
    fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
        let entries = fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
        for entry in entries {
            let path = entry.unwrap().path();
            if path.is_dir() {
                collect(&path, files);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    let mut files = Vec::new();
    collect(&root().join(folder), &mut files);
    files.sort();
    assert!(!files.is_empty(), "no sources in {folder}");
    files.iter().map(|file| read(file)).collect()
}

fn read(file: &Path) -> Source {
    let text = fs::read_to_string(file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
    let path = file.strip_prefix(root()).unwrap().to_str().unwrap().replace('\\', "/");
    Source::new(&path, &text)
}

/// The models of the machine need no justification: what they run is justified where it is written.
fn is_a_model(source: &&Source) -> bool {
    source.path.ends_with("/model.rs") || source.path.contains("/model/")
}

#[track_caller]
fn assert_none(breaches: impl IntoIterator<Item = Breach>) {
    let breaches: Vec<String> = breaches.into_iter().map(|breach| breach.to_string()).collect();
    assert!(breaches.is_empty(), "\n{}\n", breaches.join("\n"));
}

/// The lines at which a rule finds something in a text.
fn found(rule: impl Fn(&Source) -> Vec<Breach>, text: &str) -> Vec<usize> {
    rule(&Source::new("src/x.rs", text)).into_iter().map(|breach| breach.line).collect()
}

#[cfg(not(miri))]
mod the_sources {
    use super::*;

    #[test]
    fn justify_each_ordering() {
        let sources = sources("src");
        let sources = sources.iter().filter(|source| !is_a_model(source));
        assert_none(sources.flat_map(orderings_are_justified));
    }

    #[test]
    fn name_partners_that_exist() {
        let sources = sources("src");
        let functions: Vec<String> = sources.iter().flat_map(functions).collect();
        assert_none(sources.iter().flat_map(|s| orderings_name_functions_that_exist(s, &functions)));
    }

    #[test]
    fn justify_each_unsafe() {
        let sources =
            ["src", "tests", "loom-tests/tests", "loom-tests/mistakes", "examples"].map(sources);
        assert_none(sources.iter().flatten().flat_map(unsafe_is_justified));
    }

    #[test]
    fn use_only_what_stands_above_them() {
        let layers = Layers::of(&read(&root().join("src/lib.rs")));
        assert_none(sources("src").iter().flat_map(|source| layers_are_kept(source, &layers)));
    }

    #[test]
    fn name_loom_in_two_places_only() {
        assert_none(sources("src").iter().flat_map(loom_stays_in_its_place));
    }

    #[test]
    fn have_nothing_left_to_do() {
        assert_none(sources("src").iter().flat_map(nothing_is_left_to_do));
    }

    #[test]
    fn have_names_that_say_something() {
        assert_none(sources("src").iter().flat_map(module_names_say_something));
    }

    #[test]
    fn are_short() {
        let sources = ["src", "loom-tests/mistakes"].map(sources);
        assert_none(sources.iter().flatten().flat_map(files_are_short));
    }

    #[test]
    fn begin_and_end_well() {
        let sources =
            ["src", "tests", "loom-tests/tests", "loom-tests/mistakes", "examples"].map(sources);
        assert_none(sources.iter().flatten().flat_map(files_begin_and_end_well));
    }

    #[test]
    fn are_checked_by_models_that_are_named() {
        let files = ["loom-tests/tests", "loom-tests/random/tests"].map(sources);
        let models: Vec<_> = files.iter().flatten().flat_map(tests).collect();
        let table = read(&root().join("loom-tests/README.md"));
        assert_none(tables_name_tests_that_exist(&table, &models));
        assert_none(tables_name_each_test(&table, &models));
    }

    #[test]
    fn explain_each_mistake() {
        let mistakes = sources("loom-tests/mistakes");
        let is_file = |name: &str| root().join(name).is_file();
        assert_none(mistakes.iter().flat_map(|source| mistakes_are_explained(source, is_file)));
        let table = read(&root().join("loom-tests/README.md"));
        assert_none(tables_name_each_mistake(&table, &mistakes));
    }

    #[test]
    fn pass_the_tests_of_python() {
        let tests: Vec<_> = sources("tests/contract").iter().flat_map(tests).collect();
        let table = read(&root().join("tests/README.md"));
        assert_none(tables_name_tests_that_exist(&table, &tests));
        for case in 1..=62 {
            let row = format!("| {case} | `test_");
            assert!(table.text.lines().any(|line| line.starts_with(&row)), "case {case} is missing");
        }
        let python: Vec<_> = tests.into_iter().filter(|test| test.contains("::python::")).collect();
        assert_none(tables_name_each_test(&table, &python));
    }

    #[test]
    fn depend_on_little() {
        let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
        assert_none(dependencies_are_few("Cargo.toml", &manifest));
    }
}

mod the_rules {
    use super::*;

    #[test]
    fn tell_code_strings_and_comments_apart() {
        let text = r##"let a = "x // y \" z"; // say "hi"
/* one /* two */
still */ let b = '"'; let c: &'a str = r#"raw " // "#; done
let d = '\''; let e = "two
lines"; f('/', b"bytes", br"\"); /// doc"##;
        let lines = take_apart(text);
        let code: Vec<_> = lines.iter().map(|line| line.code.as_str()).collect();
        assert_eq!(
            code,
            [
                "let a = \"\"; ",
                "",
                " let b = ''; let c: &'a str = \"\"; done",
                "let d = ''; let e = \"",
                "\"; f('', b\"\", b\"\"); ",
            ]
        );
        let quoted: Vec<_> = lines.iter().map(|line| line.quoted.as_str()).collect();
        assert_eq!(quoted, ["x // y  z", "", "raw \" // ", "two", "linesbytes\\"]);
        let comments: Vec<_> = lines.iter().map(|line| line.comment.as_str()).collect();
        assert_eq!(comments, ["// say \"hi\"", "/* one /* two */", "still */", "", "/// doc"]);
    }

    #[test]
    fn find_an_ordering_without_a_comment() {
        let rule = orderings_are_justified;
        assert_eq!(found(rule, "fn f() {\n    x.load(Relaxed);\n}\n"), [2]);
        assert_eq!(found(rule, "fn f() {\n    x.load(Ordering::SeqCst);\n}\n"), [2]);
        // A comment of another kind, of nothing, in a string, and of another function.
        assert_eq!(found(rule, "// Relaxed will do\nx.store(1, Release);\n"), [2]);
        assert_eq!(found(rule, "// ORDERING:\nx.store(1, Release);\n"), [2]);
        assert_eq!(found(rule, "let s = \"// ORDERING: x\"; x.load(Acquire);\n"), [1]);
        let other = "fn f() {\n    // ORDERING: x\n    g(Acquire)\n}\nfn h() { g(AcqRel) }\n";
        assert_eq!(found(rule, other), [5]);
        // Too far below its comment.
        let far = |lines| format!("// ORDERING: x\n{}g(Acquire);\n", "a();\n".repeat(lines));
        assert_eq!(found(rule, &far(10)), [12]);
        assert_eq!(found(rule, &far(9)), []);
    }

    #[test]
    fn let_an_ordering_with_a_comment_pass() {
        let rule = orderings_are_justified;
        let imports = "use core::Ordering::{\n    Acquire,\n    Relaxed,\n};\npub use a::Release;\n";
        assert_eq!(found(rule, imports), []);
        assert_eq!(found(rule, &format!("{imports}g(Acquire);\n")), [6]);
        assert_eq!(found(rule, "// ORDERING: why\n// it is so.\nx\n    .load(Acquire);\n"), []);
        assert_eq!(found(rule, "/// Synchronizes (`Acquire`).\nfn f() { \"Acquire\" }\n"), []);
    }

    #[test]
    fn find_a_partner_that_does_not_exist() {
        let rule = |text: &str| {
            let source = Source::new("src/x.rs", text);
            let functions: Vec<_> = functions(&source).collect();
            let breaches = orderings_name_functions_that_exist(&source, &functions);
            breaches.into_iter().map(|breach| breach.line).collect::<Vec<_>>()
        };
        assert_eq!(rule("fn set() {}\n// ORDERING: pairs with `sat`.\n"), [2]);
        assert_eq!(rule("fn set() {}\n// ORDERING: pairs\n// with `sat`.\n"), [3]);
        assert_eq!(rule("pub const fn set() {}\n// ORDERING: as in `set`, for `Acquire`.\n"), []);
        assert_eq!(rule("// ORDERING: x\n\n// With `sat`.\n"), []);
        assert_eq!(rule("// ORDERING: x\ncode();\n// With `sat`.\n"), []);
    }

    #[test]
    fn find_an_unsafe_without_a_comment() {
        let rule = unsafe_is_justified;
        assert_eq!(found(rule, "let x = unsafe { f() };\n"), [1]);
        assert_eq!(found(rule, "// It is safe.\nunsafe impl Send for X {}\n"), [2]);
        assert_eq!(found(rule, "// SAFETY: one\nunsafe { f() }\nunsafe { g() }\n"), [3]);
        assert_eq!(found(rule, "// SAFETY: x\na();\nb();\nc();\nunsafe { g() }\n"), [5]);
        assert_eq!(found(rule, "/// Does.\npub unsafe fn f() {}\n"), [2]);
    }

    #[test]
    fn let_an_unsafe_with_a_comment_pass() {
        let rule = unsafe_is_justified;
        assert_eq!(found(rule, "// SAFETY: x\n// y\n#[inline]\nunsafe impl Send for X {}\n"), []);
        assert_eq!(found(rule, "// SAFETY: x\nlet x =\n    unsafe { f() };\n"), []);
        assert_eq!(found(rule, "/// # Safety\n///\n/// None.\npub unsafe fn f() {}\n"), []);
        assert_eq!(found(rule, "let x = \"unsafe\"; // unsafe\nunsafe_op();\n"), []);
    }

    const LIB: &str = "
        //! See [`mod none;`].
        #[cfg(x)]
        pub mod atomic;
        mod raw; // mod none;
        mod lock;
        pub use lock::{Lock, LockGuard};
        mod pages { mod readme; mod second {} }
    ";

    #[test]
    fn read_the_layers_off_lib() {
        let layers = Layers::of(&Source::new("src/lib.rs", LIB));
        assert_eq!(layers.modules, ["atomic", "raw", "lock"]);
        assert_eq!(layers.height("LockGuard"), Some(2));
        assert_eq!(layers.height("none"), None);
    }

    #[test]
    fn find_a_use_of_a_higher_layer() {
        let layers = Layers::of(&Source::new("src/lib.rs", LIB));
        let raw = |text: &str| -> Vec<usize> {
            let breaches = layers_are_kept(&Source::new("src/raw.rs", text), &layers);
            breaches.into_iter().map(|breach| breach.line).collect()
        };
        assert_eq!(raw("use crate::lock::Lock;\n"), [1]);
        assert_eq!(raw("\nfn f(x: crate::Lock) {}\n"), [2]);
        assert_eq!(raw("use crate::{atomic::{A, lock}, lock};\n"), [1]);
        assert_eq!(raw("use crate::{\n    Lock, LockGuard,\n};\n"), [1, 1]);
        assert_eq!(raw("use crate::unknown;\n"), [1]);
        assert_eq!(raw("/// [x](crate::lock)\nuse crate::{atomic::A, raw::b};\n"), []);
        assert_eq!(raw("use core::lock; use lock::x; my_crate::lock();\n"), []);

        let below = Source::new("src/lock/guard.rs", "use crate::raw::R;\nuse crate::lock::L;\n");
        assert_eq!(layers_are_kept(&below, &layers), []);
        let strange = Source::new("src/strange.rs", "");
        assert_eq!(layers_are_kept(&strange, &layers).len(), 1);
    }

    #[test]
    fn find_loom_where_it_does_not_belong() {
        let rule = loom_stays_in_its_place;
        assert_eq!(found(rule, "#[cfg(loom)]\nfn f() {}\nuse loom::x;\n"), [1, 3]);
        assert_eq!(found(rule, "#[cfg(feature = \"loom\")]\n"), [1]);
        assert_eq!(found(rule, "/// Under loom.\nlet bloom = \"gloom\";\n"), []);
        assert_eq!(rule(&Source::new("src/atomic/model.rs", "use loom::x;\n")), []);
        assert_eq!(rule(&Source::new("src/atomic.rs", "use loom::x;\n")), []);
        assert_eq!(rule(&Source::new("src/futexes.rs", "use loom::x;\n")).len(), 1);
    }

    #[test]
    fn find_what_is_left_to_do() {
        let rule = nothing_is_left_to_do;
        assert_eq!(found(rule, "// TODO: more\nx();\n/// FIXME\n/* XXX */\ntodo!()\n"), [1, 3, 4, 5]);
        assert_eq!(found(rule, "// mastodon\nlet TODO = \"todo!\";\n"), []);
    }

    #[test]
    fn find_a_name_that_says_nothing() {
        let rule = module_names_say_something;
        assert_eq!(found(rule, "pub mod prelude;\nmod lock;\nmod util { }\n"), [1, 3]);
        assert_eq!(found(rule, "mod utility;\n// mod error;\nlet error = 1;\n"), []);
        assert_eq!(rule(&Source::new("src/lock/common.rs", "")).len(), 1);
    }

    #[test]
    fn find_a_file_that_is_too_long() {
        let text = |lines| "//! x\n\n".repeat(1000) + &"f();\n".repeat(lines);
        assert_eq!(found(files_are_short, &text(299)), []);
        assert_eq!(found(files_are_short, &text(300)), [2300]);
    }

    #[test]
    fn find_a_bad_begin_and_a_bad_end() {
        let rule = files_begin_and_end_well;
        assert_eq!(found(rule, "//! Good.\n"), []);
        assert_eq!(found(rule, "// Not good.\n"), [1]);
        assert_eq!(found(rule, "//! Good.\nbad"), [2]);
        assert_eq!(found(rule, "//! Good.\nbad\n\n"), [3]);
        assert_eq!(found(rule, ""), [1, 1]);
    }

    #[test]
    fn find_a_test_that_is_not_there_or_not_named() {
        let text = "#[test]\nfn a() {}\nfn b() {}\nmod m {\n    #[test]\n    fn c() {}\n}\n#[test]\n#[x]\nfn d() {}\n";
        let there = tests(&Source::new("loom-tests/tests/lock.rs", text));
        assert_eq!(there, ["lock::a", "lock::m::c", "lock::d"]);
        let python = tests(&Source::new("tests/contract/lock/python.rs", text));
        assert_eq!(python[0], "lock::python::a");
        let table = Source::new("x.md", "`lock::x`\n| `lock::a`, `Lock`, `lock::d` |\n| `lock::b` |\n");
        let lines = |breaches: Vec<Breach>| breaches.iter().map(|b| b.line).collect::<Vec<_>>();
        assert_eq!(lines(tables_name_tests_that_exist(&table, &there)), [3]);
        assert_eq!(lines(tables_name_each_test(&table, &there)), [1]);
        assert!(tables_name_each_test(&table, &there)[0].rule.contains("`lock::m::c`"));
    }

    #[test]
    fn find_a_mistake_that_is_not_explained() {
        let rule = |source: &Source| mistakes_are_explained(source, |name| name == "src/lock.rs");
        let good = "/// Tempting: a.\n///\n/// Wrong: b.\n///\n/// Right: c,\n/// `src/lock.rs`.\npub struct S;\n";
        assert_eq!(found(rule, good), []);
        assert_eq!(found(rule, "/// The right one.\npub struct S;\nstruct T;\n"), []);
        assert_eq!(found(rule, &good.replace("Wrong", "Bad")), [7]);
        assert_eq!(found(rule, &good.replace("Tempting", "Well")), [7]);
        assert_eq!(found(rule, &good.replace("src/lock.rs", "src/gone.rs")), [7]);
        assert_eq!(found(rule, &good.replace("`", "")), [7]);
        // Not at all, and not about this type.
        assert_eq!(found(rule, "pub struct S;\n").len(), 4);
        assert_eq!(found(rule, &good.replace("pub", "fn f() {}\npub")).len(), 4);

        let mistakes = [Source::new("loom-tests/mistakes/lock.rs", good)];
        let missing =
            |table: &str| tables_name_each_mistake(&Source::new("x.md", table), &mistakes).len();
        assert_eq!(missing("| `lock.rs`: `S` | `a::b` |\n"), 0);
        assert_eq!(missing("`lock.rs`: `S`\n| `event.rs`: `S` |\n| `lock.rs`: `T` |\n"), 1);
    }

    #[test]
    fn find_a_dependency_too_many() {
        let lines = |manifest: &str| -> Vec<usize> {
            dependencies_are_few("Cargo.toml", manifest).iter().map(|breach| breach.line).collect()
        };
        assert_eq!(lines("[dependencies]\nlibc = \"1\"\nserde = \"1\"\n"), [3]);
        assert_eq!(lines("[target.'cfg(unix)'.dependencies]\nnix = \"1\"\n"), [2]);
        assert_eq!(lines("[target.'cfg(loom)'.dependencies]\nloom = \"1\"\n"), [2]);
        assert_eq!(
            lines("[dev-dependencies]\nserde = \"1\"\n[dependencies]\nlibc.workspace = true\n"),
            []
        );
    }

    #[test]
    fn say_where_and_what() {
        let breaches = loom_stays_in_its_place(&Source::new("src/x.rs", "\nuse loom::y;\n"));
        assert_eq!(breaches[0].to_string(), "src/x.rs:2: loom is for `atomic` and `futex` alone");
    }
}
