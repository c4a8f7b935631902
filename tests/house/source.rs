//! Reading the sources: where a line is code, where a comment, and what is wrong with it.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

/// A breach: where, and of which rule.
#[derive(Debug, PartialEq, Eq)]
pub struct Breach {
    pub file: String,
    pub line: usize,
    pub rule: String,
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.rule)
    }
}

/// A source file, taken apart.
pub struct Source {
    /// With slashes, below the root of the package.
    pub path: String,
    pub text: String,
    pub lines: Vec<Line>,
}

/// One line of a source.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Line {
    /// Without comments and without what stands between quotation marks.
    pub code: String,
    /// What stands between quotation marks.
    pub quoted: String,
    /// With the slashes.
    pub comment: String,
}

impl Source {
    pub fn new(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), text: text.to_owned(), lines: take_apart(text) }
    }

    pub fn breach(&self, index: usize, rule: impl Into<String>) -> Breach {
        Breach { file: self.path.clone(), line: index + 1, rule: rule.into() }
    }
}

/// Tells code, strings and comments apart. Knows as much of Rust as is needed for that.
pub fn take_apart(text: &str) -> Vec<Line> {
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

pub fn is_of_a_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The names and keywords in a piece of code, in order.
pub fn words(code: &str) -> impl Iterator<Item = &str> {
    code.split(|c| !is_of_a_word(c)).filter(|word| !word.is_empty())
}

pub fn has_word(code: &str, word: &str) -> bool {
    words(code).any(|w| w == word)
}

/// For each line, whether it belongs to a `use` declaration.
pub fn is_import(source: &Source) -> Vec<bool> {
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

pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All Rust files below a folder of the package, in the order of their names.
pub fn sources(folder: &str) -> Vec<Source> {
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

pub fn read(file: &Path) -> Source {
    let text = fs::read_to_string(file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
    let path = file.strip_prefix(root()).unwrap().to_str().unwrap().replace('\\', "/");
    Source::new(&path, &text)
}

/// The models of the machine need no justification: what they run is justified where it is written.
pub fn is_a_model(source: &&Source) -> bool {
    source.path.ends_with("/model.rs") || source.path.contains("/model/")
}

#[track_caller]
pub fn assert_none(breaches: impl IntoIterator<Item = Breach>) {
    let breaches: Vec<String> = breaches.into_iter().map(|breach| breach.to_string()).collect();
    assert!(breaches.is_empty(), "\n{}\n", breaches.join("\n"));
}

/// The lines at which a rule finds something in a text.
pub fn found(rule: impl Fn(&Source) -> Vec<Breach>, text: &str) -> Vec<usize> {
    rule(&Source::new("src/x.rs", text)).into_iter().map(|breach| breach.line).collect()
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
}
