//! The tables of tests, models and mistakes are true and complete.

use crate::source::{Breach, Source, is_of_a_word, words};

/// The tests of a file: its name or that of its folder, and that of the function, as in `event::a_set_…`.
pub fn tests(source: &Source) -> Vec<String> {
    let file = source.path.rsplit_once("tests/").map_or(&*source.path, |(_, path)| path);
    let file = file.trim_start_matches("src/").trim_start_matches("contract/").trim_end_matches(".rs");
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
pub fn named_tests(table: &Source) -> Vec<(usize, String)> {
    let names = |(index, line): (usize, &str)| {
        let quoted = line.split('`').skip(1).step_by(2);
        let is_name =
            |name: &&str| name.contains("::") && name.chars().all(|c| is_of_a_word(c) || c == ':');
        quoted.filter(is_name).map(|name| (index, name.to_owned())).collect::<Vec<_>>()
    };
    table.text.lines().enumerate().filter(|(_, line)| line.starts_with('|')).flat_map(names).collect()
}

/// The tests that a table names exist.
pub fn tables_name_tests_that_exist(table: &Source, tests: &[String]) -> Vec<Breach> {
    let unknown = named_tests(table).into_iter().filter(|(_, name)| !tests.contains(name));
    unknown.map(|(index, name)| table.breach(index, format!("there is no test `{name}`"))).collect()
}

/// A table names each of the tests.
pub fn tables_name_each_test(table: &Source, tests: &[String]) -> Vec<Breach> {
    let named: Vec<_> = named_tests(table).into_iter().map(|(_, name)| name).collect();
    let missing = tests.iter().filter(|test| !named.contains(test));
    missing.map(|test| table.breach(0, format!("`{test}` is not in the table"))).collect()
}

/// The public types of a file: where, the name, and the documentation above in one line.
pub fn documented_types(source: &Source) -> Vec<(usize, String, String)> {
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
pub fn mistakes_are_explained(source: &Source, is_file: impl Fn(&str) -> bool) -> Vec<Breach> {
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
pub fn tables_name_each_mistake(table: &Source, mistakes: &[Source]) -> Vec<Breach> {
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

mod the_rules {
    use super::*;
    use crate::source::found;

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
}
