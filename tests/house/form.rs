//! What files are named, how long they are, how they begin and end, and what they depend on.

use crate::source::{Breach, Line, Source, has_word, is_a_model, words};

/// What is to be done stands in an issue.
pub fn nothing_is_left_to_do(source: &Source) -> Vec<Breach> {
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
pub fn module_names_say_something(source: &Source) -> Vec<Breach> {
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
pub fn files_are_short(source: &Source) -> Vec<Breach> {
    // A model is no algorithm that anybody reads to learn how a lock works.
    let limit = if is_a_model(&source) { 400 } else { 300 };
    let has_code = |(_, line): &(usize, &Line)| !line.code.trim().is_empty();
    let too_much = source.lines.iter().enumerate().filter(has_code).nth(limit - 1);
    let rule = format!("{limit} lines of code or more");
    too_much.map(|(index, _)| source.breach(index, rule)).into_iter().collect()
}

/// A file begins by saying what it is, and ends with the end of a line.
pub fn files_begin_and_end_well(source: &Source) -> Vec<Breach> {
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
pub fn dependencies_are_few(path: &str, manifest: &str) -> Vec<Breach> {
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

mod the_rules {
    use super::*;
    use crate::source::found;

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
}
