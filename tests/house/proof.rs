//! The chapter on proof says of each guarantee which checks are behind it.

use crate::items::{items, module};
use crate::layers::Layers;
use crate::source::{Breach, Source, words};

/// A row of a table of guarantees.
pub struct Row<'a> {
    index: usize,
    /// With five cells.
    is_whole: bool,
    /// What the heading above names: types, or a module for the functions in it.
    owners: Vec<&'a str>,
    guarantee: &'a str,
    on_threads: &'a str,
    in_the_model: &'a str,
    also: &'a str,
}

/// The rows of the tables whose first column is headed so: where, and the cells.
fn table<'a>(chapter: &'a Source, first: &str) -> Vec<(usize, Vec<&'a str>)> {
    let mut is_inside = false;
    let mut rows = Vec::new();
    for (index, line) in chapter.text.lines().enumerate() {
        let cells: Vec<_> = line.split('|').map(str::trim).collect();
        let is_row = is_inside && line.starts_with('|') && !line.starts_with("|-");
        is_inside = cells.get(1) == Some(&first) || is_inside && line.starts_with('|');
        rows.extend(is_row.then_some((index, cells)));
    }
    rows
}

/// The rows of all tables of the chapter that are about guarantees.
pub fn rows(chapter: &Source) -> Vec<Row<'_>> {
    let mut rows = Vec::new();
    for (index, cells) in table(chapter, "guarantee") {
        let above = chapter.text.lines().take(index).filter(|line| line.starts_with("## "));
        let cell = |n| cells.get(n).copied().unwrap_or_default();
        rows.push(Row {
            index,
            is_whole: cells.len() == 7,
            owners: quoted(above.last().unwrap_or_default()).collect(),
            guarantee: cell(1),
            on_threads: cell(2),
            in_the_model: cell(3),
            also: cell(4),
        });
    }
    rows
}

fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// The checks that a row names exist, each in the column of its kind, and each row names one.
pub fn guarantees_are_checked(
    chapter: &Source,
    on_threads: &[String],
    models: &[String],
) -> Vec<Breach> {
    let mut breaches = Vec::new();
    for row in rows(chapter) {
        for (named, there) in [(row.on_threads, on_threads), (row.in_the_model, models)] {
            let unknown = quoted(named).filter(|name| !there.iter().any(|test| test == name));
            breaches.extend(
                unknown
                    .map(|name| chapter.breach(row.index, format!("there is no test `{name}` here"))),
            );
        }
        if !row.is_whole {
            breaches.push(chapter.breach(row.index, "there are five cells in a row"));
        }
        if quoted(row.on_threads).chain(quoted(row.in_the_model)).next().is_none() {
            breaches.push(chapter.breach(row.index, "no check is named"));
        }
    }
    breaches
}

/// The tests exist that the ladder says have seen a rung fail.
pub fn rungs_name_tests_that_exist(chapter: &Source, tests: &[String]) -> Vec<Breach> {
    let mut breaches = Vec::new();
    for (index, cells) in table(chapter, "rung") {
        let named = cells.iter().flat_map(|cell| quoted(cell)).filter(|name| name.contains("::"));
        let unknown = named.filter(|name| !tests.iter().any(|test| test == name));
        breaches
            .extend(unknown.map(|name| chapter.breach(index, format!("there is no test `{name}`"))));
    }
    breaches
}

/// What a row stands on beside its tests and models are rungs of the ladder, and mistakes that there are.
pub fn rungs_are_known(chapter: &Source, mistakes: &[String]) -> Vec<Breach> {
    let rungs = table(chapter, "rung");
    let rungs: Vec<_> = rungs.iter().map(|(_, cells)| cells[1].trim_matches('*')).collect();
    let mut breaches = Vec::new();
    for row in rows(chapter) {
        let plain = row.also.split('`').step_by(2).flat_map(words).filter(|word| !rungs.contains(word));
        let unknown = quoted(row.also).filter(|name| !mistakes.iter().any(|mistake| mistake == name));
        for name in plain.chain(unknown) {
            breaches.push(chapter.breach(row.index, format!("`{name}` is no rung and no mistake")));
        }
    }
    breaches
}

/// Something that the documentation speaks of: a function, a constant, or a paragraph that opens in bold type.
#[derive(Debug, PartialEq, Eq)]
pub struct Promise {
    /// The type that it belongs to, else the module.
    pub owner: String,
    /// As a row has it.
    pub name: String,
}

/// What a file of the sources promises to users, who see the types that lib.rs exports and the modules that are public.
pub fn promises(source: &Source, layers: &Layers) -> Vec<Promise> {
    let mut promises = Vec::new();
    for item in items(source, layers) {
        let name = item.name.iter().map(|name| format!("`{name}`"));
        let topics = item.docs.iter().filter_map(|line| bold(line, " "));
        promises.extend(name.chain(topics).map(|name| Promise { owner: item.owner.clone(), name }));
    }
    let module = module(source);
    if module == "futon" || layers.is_public(module) {
        let topics = source.lines.iter().filter_map(|line| bold(&line.comment, "//! * "));
        promises.extend(topics.map(|name| Promise { owner: module.to_owned(), name }));
    }
    promises
}

/// What a comment opens with in bold type, without the mark at its end.
fn bold(comment: &str, before: &str) -> Option<String> {
    let (topic, _) = comment.strip_prefix(before)?.strip_prefix("**")?.split_once("**")?;
    Some(format!("**{}", topic.trim_end_matches('.')))
}

/// Each promise has a row below a heading that names its owner. Where the heading names several, the row says whose it is.
pub fn promises_have_a_row(chapter: &Source, promises: &[Promise]) -> Vec<Breach> {
    let rows = rows(chapter);
    let has_a_row = |promise: &&Promise| {
        rows.iter().filter(|row| row.owners.contains(&&*promise.owner)).any(|row| {
            let name = match promise.name.strip_prefix('`') {
                Some(name) if row.owners.len() > 1 => format!("`{}::{name}", promise.owner),
                _ => promise.name.clone(),
            };
            row.guarantee.contains(&name)
        })
    };
    let missing = promises.iter().filter(|promise| !has_a_row(promise));
    missing
        .map(|Promise { owner, name }| chapter.breach(0, format!("no row for {name} of `{owner}`")))
        .collect()
}

/// Each type that lib.rs exports stands in a heading.
pub fn types_have_a_table(chapter: &Source, layers: &Layers) -> Vec<Breach> {
    let rows = rows(chapter);
    let types = layers.items.keys().filter(|item| item.starts_with(char::is_uppercase));
    let missing = types.filter(|item| !rows.iter().any(|row| row.owners.contains(&item.as_str())));
    missing.map(|item| chapter.breach(0, format!("no table for `{item}`"))).collect()
}

mod the_rules {
    use super::*;

    const CHAPTER: &str = "\
| rung | sees |
|---|---|
| **types** | `a::test`, `cargo` |

## `Lock`

| guarantee | on threads | in the model | also | what none of these sees |
|---|---|---|---|---|
| `acquire` waits | `lock::waits` | `lock::races`, `many::race` | types; mistakes: `WakesFirst` | time |
| **Cost.** `new` | | `lock::races` | | |

| another | table |
|---|---|
| `not` | one |

## `Guard`, `Mapped`

| guarantee | on threads | in the model | also | what none of these sees |
|---|---|---|---|---|
| `Guard::map` | `lock::waits` | | | |
";

    fn chapter(text: &str) -> Source {
        Source::new("docs/x.md", text)
    }

    fn lines(breaches: Vec<Breach>) -> Vec<usize> {
        breaches.iter().map(|breach| breach.line).collect()
    }

    #[test]
    fn read_the_rows_off_the_chapter() {
        let source = chapter(CHAPTER);
        let rows: Vec<_> =
            rows(&source).iter().map(|row| (row.index + 1, row.owners.clone())).collect();
        assert_eq!(rows, [(9, vec!["Lock"]), (10, vec!["Lock"]), (20, vec!["Guard", "Mapped"])]);
    }

    #[test]
    fn find_a_guarantee_without_a_check() {
        let rule = |text: &str| {
            let on_threads = ["lock::waits".to_owned()];
            let models = ["lock::races", "many::race"].map(str::to_owned);
            lines(guarantees_are_checked(&chapter(text), &on_threads, &models))
        };
        assert_eq!(rule(CHAPTER), []);
        assert_eq!(rule(&CHAPTER.replace("many::race", "many::gone")), [9]);
        // A model is no test on threads, nor the other way round.
        assert_eq!(rule(&CHAPTER.replace("`lock::waits` |", "`lock::races` |")), [9, 20]);
        assert_eq!(rule(&CHAPTER.replace("| `lock::races` |", "| `lock::waits` |")), [10]);
        assert_eq!(rule(&CHAPTER.replace("| `lock::races` |", "| lock::races |")), [10]);
        assert_eq!(rule(&CHAPTER.replace("`lock::waits` | | |", "| | `lock::waits` |")), [20]);
        assert_eq!(rule(&CHAPTER.replace("`lock::waits` | | | |", "`lock::waits` | | |")), [20]);
    }

    #[test]
    fn find_a_rung_that_is_not_there() {
        let rule = |text: &str, mistakes: &[&str]| {
            let mistakes: Vec<_> = mistakes.iter().map(|mistake| mistake.to_string()).collect();
            lines(rungs_are_known(&chapter(text), &mistakes))
        };
        let with_mistakes = CHAPTER.replace("\n## `Lock`", "| **mistakes** | |\n\n## `Lock`");
        assert_eq!(rule(&with_mistakes, &["WakesFirst"]), []);
        assert_eq!(rule(CHAPTER, &["WakesFirst"]), [9]);
        assert_eq!(rule(&with_mistakes, &["WakesLast"]), [10]);
        assert_eq!(rule(&with_mistakes.replace("types;", "luck;"), &["WakesFirst"]), [10]);
    }

    #[test]
    fn find_a_test_of_the_ladder_that_is_not_there() {
        let rule = |tests: &[&str]| {
            let tests: Vec<_> = tests.iter().map(|test| test.to_string()).collect();
            lines(rungs_name_tests_that_exist(&chapter(CHAPTER), &tests))
        };
        assert_eq!(rule(&["a::test"]), []);
        assert_eq!(rule(&["a_test"]), [3]);
    }

    const LIB: &str =
        "//! * **Time.** It passes.\npub mod futex;\nmod lock;\npub use lock::{Guard, Lock, Open};\n";

    fn promised(path: &str, text: &str) -> Vec<String> {
        let layers = Layers::of(&Source::new("src/lib.rs", LIB));
        let promises = promises(&Source::new(path, text), &layers);
        promises.into_iter().map(|Promise { owner, name }| format!("{owner} {name}")).collect()
    }

    #[test]
    fn see_what_users_see() {
        let text = "\
//! * **Inside.** For readers.
/// A lock.
///
/// **Cost.** Little, **really**.
#[inline]
pub struct Lock<T>;
/// **Not this.** It is private.
struct Raw;
/// **Nor this.** It is no type.
impl<T> Lock<T> {
    pub const MOST: u32 = 1;
    /// pub fn not() {}
    ///
    /// **As new.** It is.
    #[inline]
    pub const fn new() -> Self {}
    fn private() {}
    pub(crate) fn inner() {}
}
impl<T> Deref for Guard<T> {
    fn deref() {}
}
impl<'a, T> Guard<'a, T> {
    pub unsafe fn map() {}
}
pub trait Open {
    fn open(self) {}
    #[doc(hidden)]
    #[inline]
    fn hidden(self) {}
    fn close(self) {}
}
pub trait Sealed {
    fn seal(self) {}
}
pub fn lock() {}
";
        let expected = [
            "Lock **Cost",
            "Lock `MOST`",
            "Lock `new`",
            "Lock **As new",
            "Guard `map`",
            "Open `open`",
            "Open `close`",
            "lock `lock`",
        ];
        assert_eq!(promised("src/lock.rs", text), expected);
        assert_eq!(promised("src/lib.rs", LIB), ["futon **Time"]);
        let futex = "//! * **Wakes.** All.\n//! **No.** No.\npub fn wake() {}\n";
        assert_eq!(promised("src/futex.rs", futex), ["futex `wake`", "futex **Wakes"]);
    }

    #[test]
    fn find_a_promise_without_a_row() {
        let rule = |owner: &str, name: &str| {
            let promise = Promise { owner: owner.to_owned(), name: name.to_owned() };
            promises_have_a_row(&chapter(CHAPTER), &[promise]).len()
        };
        assert_eq!(rule("Lock", "`acquire`") + rule("Lock", "**Cost") + rule("Guard", "`map`"), 0);
        assert_eq!(rule("Lock", "`release`"), 1);
        // Of another type, and of another one below the same heading.
        assert_eq!(rule("Guard", "`acquire`"), 1);
        assert_eq!(rule("Mapped", "`map`"), 1);
        assert_eq!(rule("Lock", "**Fairness"), 1);
        assert_eq!(rule("Lock", "`waits`"), 1, "a check is no guarantee");
    }

    #[test]
    fn find_a_type_without_a_table() {
        let layers = Layers::of(&Source::new("src/lib.rs", LIB));
        let breaches = types_have_a_table(&chapter(CHAPTER), &layers);
        assert_eq!(breaches.len(), 1);
        assert!(breaches[0].rule.contains("`Open`"));
    }
}
