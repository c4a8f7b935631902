//! The chapters of the book are whole, and what they quote, name, link to and break is there.

use crate::chapter::{blocks, breaks, prose};
use crate::picture::in_an_address;
use crate::source::{Breach, Source};

/// What a chapter about a primitive consists of.
const SHAPE: [&str; 9] = [
    "The problem",
    "Try it",
    "The tempting version",
    "The picture",
    "The code",
    "Why each ordering",
    "Break it",
    "When to use it, and when not",
    "How others do it",
];

/// Chapters that are not about a primitive, and have what they need.
const OF_ANOTHER_SHAPE: [&str; 6] = [
    "docs/01-atomics.md",
    "docs/13-fairness-and-spinning.md",
    "docs/14-verifying.md",
    "docs/15-measuring.md",
    "docs/16-from-python.md",
    "docs/17-comparison.md",
];

/// The headings, with their lines.
fn headings<'a>(page: &'a str, mark: &'a str) -> impl Iterator<Item = (usize, &'a str)> {
    prose(page).filter_map(move |(index, line)| Some((index, line.strip_prefix(mark)?.trim())))
}

/// A chapter has the sections of its kind, in their order, and something to break.
pub fn chapters_have_the_shape(chapter: &Source) -> Vec<Breach> {
    let mut breaches = Vec::new();
    let sections: Vec<_> = headings(&chapter.text, "## ").collect();
    if !OF_ANOTHER_SHAPE.contains(&&*chapter.path) {
        let wrong = sections.iter().zip(SHAPE).find(|((_, section), right)| section != right);
        if let Some(((index, _), right)) = wrong {
            breaches.push(chapter.breach(*index, format!("here should be `## {right}`")));
        } else if sections.len() != SHAPE.len() {
            breaches.push(chapter.breach(0, format!("{} sections of {}", sections.len(), SHAPE.len())));
        }
    }
    if breaks(&chapter.text).0.len() < 2 {
        breaches.push(chapter.breach(0, "below `## Break it` there is less than two things to break"));
    }
    let number = chapter.path.trim_start_matches("docs/").split('-').next().unwrap_or_default();
    let title = format!("# {}. ", number.trim_start_matches('0'));
    if !chapter.text.starts_with(&title) {
        breaches.push(chapter.breach(0, format!("a chapter begins with `{title}…`")));
    }
    breaches
}

/// A picture is of characters that are as wide everywhere, and not wider than a page.
pub fn pictures_fit_everywhere(chapter: &Source) -> Vec<Breach> {
    let (breaks, _) = breaks(&chapter.text);
    let outputs: Vec<_> = breaks.iter().map(|this| &this.output).collect();
    let mut breaches = Vec::new();
    for block in blocks(&chapter.text).iter().filter(|block| block.info == "text") {
        if outputs.contains(&&block.lines) {
            continue;
        }
        let lines = (block.index + 1..).zip(&block.lines);
        let wrong = lines.filter(|(_, line)| !line.is_ascii() || line.len() > 80);
        breaches
            .extend(wrong.map(|(index, _)| chapter.breach(index, "80 columns of ASCII for a picture")));
    }
    breaches
}

/// Code that is not compiled here stands in a file, which is named above it, as it stands there.
///
/// A line `// …` is in the place of others. All lines may be further to the right in the file, by as much.
pub fn quotations_are_true(chapter: &Source, read: impl Fn(&str) -> Option<String>) -> Vec<Breach> {
    let mut breaches = Vec::new();
    for block in blocks(&chapter.text).iter().filter(|block| block.info.contains("ignore")) {
        let Some(file) = quoted_file(block.before) else {
            let rule = "above a quotation stands From `FILE`: or From `FILE`, … `TEST`:";
            breaches.push(chapter.breach(block.index, rule));
            continue;
        };
        let text = read(file).unwrap_or_default();
        let lines: Vec<_> = text.lines().collect();
        if !(0..32).any(|shift| is_quoted(&block.lines, &lines, shift)) {
            breaches.push(chapter.breach(block.index, format!("`{file}` does not have these lines")));
        }
    }
    breaches
}

fn quoted_file(before: &str) -> Option<&str> {
    let (file, rest) = before.strip_prefix("From `")?.split_once('`')?;
    (rest == ":" || rest.starts_with(", ") && rest.ends_with("`:")).then_some(file)
}

/// Whether the file has the parts of the quotation in their order, so many columns to the right.
fn is_quoted(quotation: &[&str], file: &[&str], shift: usize) -> bool {
    let indent = " ".repeat(shift);
    let is_same = |(line, quoted): (&&str, &&str)| match quoted.is_empty() {
        true => line.is_empty(),
        false => line.strip_prefix(&*indent) == Some(quoted),
    };
    let mut at = 0;
    quotation.split(|line| line.trim() == "// …").filter(|part| !part.is_empty()).all(|part| {
        let mut places = file[at..].windows(part.len());
        let place = places.position(|place| place.iter().zip(part).all(is_same));
        at += place.map_or(0, |place| place + part.len());
        place.is_some()
    })
}

/// A mistake that is quoted says by which model it is found, the right one says which it passes; and the table of the
/// models says the same.
pub fn quoted_mistakes_name_their_model(chapter: &Source, table: &Source) -> Vec<Breach> {
    let mut breaches = Vec::new();
    for block in blocks(&chapter.text) {
        let file = quoted_file(block.before).and_then(|file| file.strip_prefix("loom-tests/mistakes/"));
        let Some(file) = file else { continue };
        let test = block.before.rsplit('`').nth(1).unwrap_or_default();
        let names =
            block.lines.iter().filter_map(|line| match line.split(' ').collect::<Vec<_>>()[..] {
                ["pub", "struct", name, ..] | ["impl", _, "for", name, ..] => Some(name),
                _ => None,
            });
        for name in names {
            let finds = table.text.lines().any(|row| {
                row.starts_with(&format!("| `{file}`: `{name}` |"))
                    && row.contains(&format!("`{test}`"))
            });
            // The right one has no row, and stands at the end of those of the mistakes.
            let passes = name.starts_with(|c: char| c.is_uppercase())
                && block.before.contains("which passes")
                && table.text.lines().any(|row| row.ends_with(&format!("| `{test}` |")));
            if !finds && !passes {
                let rule = format!("the table of the models does not say `{test}` of `{name}`");
                breaches.push(chapter.breach(block.index, rule));
            }
        }
        if !block.lines.iter().any(|line| line.starts_with("impl ")) {
            breaches.push(chapter.breach(block.index, "no `impl` says which mistake it is"));
        }
    }
    breaches
}

/// The edits can be made, and the commands name a test that is there.
pub fn breaks_can_be_made(
    chapter: &Source,
    read: impl Fn(&str) -> Option<String>,
    tests: &[String],
) -> Vec<Breach> {
    let (breaks, wrong) = breaks(&chapter.text);
    let mut breaches: Vec<_> =
        wrong.into_iter().map(|(index, rule)| chapter.breach(index, rule)).collect();
    for this in &breaks {
        for edit in &this.edits {
            let edited =
                read(edit.file).ok_or("is not there".to_owned()).and_then(|text| edit.apply(&text));
            breaches.extend(edited.err().map(|wrong| chapter.breach(edit.index, wrong)));
        }
        let words: Vec<_> = this.command.split(' ').collect();
        let is_known = match words[..] {
            ["cargo", "test", "-p", _, "--test", "contract", name] => {
                tests.iter().any(|test| test == name)
            }
            ["cargo", "test", "-p", _, "--test", file, name] => {
                tests.contains(&format!("{file}::{name}"))
            }
            _ => false,
        };
        if !is_known {
            let rule =
                "the command is `cargo test -p PACKAGE --test FILE NAME`, with a test that there is";
            breaches.push(chapter.breach(this.index, rule));
        }
    }
    breaches
}

/// The files of futon that are named between backticks are there.
pub fn named_files_are_there(page: &Source, is_there: impl Fn(&str) -> bool) -> Vec<Breach> {
    const FOLDERS: [&str; 6] = ["src/", "loom-tests/", "tests/", "docs/", "benches/", "examples/"];
    let mut breaches = Vec::new();
    // Those of others have their own names.
    let lines = prose(&page.text).take_while(|(_, line)| *line != "## How others do it");
    for (index, line) in lines {
        let named = line.split('`').skip(1).step_by(2);
        let ours = named.filter(|name| FOLDERS.iter().any(|folder| name.starts_with(folder)));
        let ours = ours.filter(|name| !name.contains(['…', ' ', '*']));
        let gone = ours.filter(|name| !is_there(name));
        breaches.extend(gone.map(|name| page.breach(index, format!("`{name}` is not there"))));
    }
    breaches
}

/// The links of a page in the middle of a text, as `[text](target)`: where, and the target.
fn inline_links(page: &str) -> Vec<(usize, &str)> {
    let mut links = Vec::new();
    for (index, line) in prose(page) {
        let ends = line.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
        links.extend(ends.map(|(target, _)| (index, target)));
    }
    links
}

/// The labels of a page, as in `[label]: target`: where, the label and the target.
fn labels(page: &str) -> Vec<(usize, &str, &str)> {
    let label = |(index, line): (usize, _)| {
        let (label, target) = str::strip_prefix(line, "[")?.split_once("]: ")?;
        Some((index, label, target))
    };
    prose(page).filter_map(label).collect()
}

/// The links in the pages, but for those to elsewhere, lead to a file and to a heading in it.
pub fn links_lead_somewhere(page: &Source, read: impl Fn(&str) -> Option<String>) -> Vec<Breach> {
    let labels = labels(&page.text);
    let labels = labels.iter().map(|(index, _, target)| (*index, *target));
    let mut breaches = Vec::new();
    for (index, link) in inline_links(&page.text).into_iter().chain(labels) {
        if link.contains("://") || link.starts_with("crate::") {
            continue;
        }
        let (file, heading) = link.split_once('#').unwrap_or((link, ""));
        let folder = page.path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let path = if file.is_empty() { page.path.clone() } else { resolved(folder, file) };
        match read(&path) {
            None => breaches.push(page.breach(index, format!("`{link}` leads to no file"))),
            Some(text) if !heading.is_empty() => {
                let is_it = |(_, line): (usize, &str)| anchor(line.trim_start_matches('#')) == heading;
                if !prose(&text).filter(|(_, line)| line.starts_with('#')).any(is_it) {
                    breaches.push(page.breach(index, format!("`{link}` leads to no heading")));
                }
            }
            Some(_) => {}
        }
    }
    breaches
}

/// A path from a folder, without `..`.
fn resolved(folder: &str, path: &str) -> String {
    let mut parts: Vec<_> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.trim_end_matches('/').split('/') {
        match part {
            ".." => _ = parts.pop(),
            "." => {}
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// The name of a heading in a link.
fn anchor(heading: &str) -> String {
    let heading = heading.trim().to_lowercase().replace(' ', "-");
    heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, '-' | '_')).collect()
}

/// A chapter links by labels, which lead to the same place in rustdoc, where the files have other names.
///
/// rustdoc takes no files of pictures along: there a label leads to the picture itself.
pub fn links_lead_to_the_same_in_rustdoc(
    chapter: &Source,
    rustdoc: &[Source],
    read: impl Fn(&str) -> Option<String>,
) -> Vec<Breach> {
    let labels = labels(&chapter.text);
    let there: Vec<_> = rustdoc.iter().flat_map(|page| self::labels(&page.text)).collect();
    let mut breaches = Vec::new();
    for (index, target) in inline_links(&chapter.text) {
        if !target.contains("://") && !target.starts_with('#') {
            breaches
                .push(chapter.breach(index, format!("a link is `[text][label]`, not `({target})`")));
        }
    }
    for (index, label, target) in &labels {
        let Some((file, heading)) = target
            .split_once('#')
            .map(|(file, heading)| (file, format!("#{heading}")))
            .or(Some((target, String::new())))
        else {
            continue;
        };
        let expected = match module(file) {
            Some(module) => format!("crate::book::{module}{heading}"),
            None if target.contains("://") => continue,
            None if file.ends_with(".svg") => {
                let picture = read(&format!("docs/{file}")).unwrap_or_default();
                format!("data:image/svg+xml,{}", in_an_address(&picture))
            }
            // There are only chapters in rustdoc, and the first page, which says where the others are.
            None => "crate::book#the-appendices".to_owned(),
        };
        if !there.iter().any(|(_, other, target)| other == label && **target == expected) {
            let start: String = expected.chars().take(60).collect();
            let rule = format!("rustdoc's labels have no `[{label}]: {start}`");
            breaches.push(chapter.breach(*index, rule));
        }
    }
    for (index, line) in prose(&chapter.text) {
        let used =
            line.split("][").skip(1).filter_map(|rest| rest.split_once(']')).map(|(label, _)| label);
        let unknown = used.filter(|used| !labels.iter().any(|(_, label, _)| label == used));
        for label in unknown {
            breaches.push(chapter.breach(index, format!("there is no label `{label}` below")));
        }
    }
    breaches
}

/// Each file belongs to a chapter: the first page names it, or its folder.
pub fn sources_have_a_chapter(first: &Source, sources: &[Source]) -> Vec<Breach> {
    let rows = first.text.lines().filter(|line| line.starts_with("| ["));
    let named: Vec<_> = rows.flat_map(|row| row.split('`').skip(1).step_by(2)).collect();
    let has_one = |source: &&Source| {
        let is_within = |name: &&str| {
            source.path.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        named.iter().any(is_within)
    };
    // What holds the book together is not in it.
    let files = sources.iter().filter(|source| !["src/lib.rs", "src/book.rs"].contains(&&*source.path));
    let alone = files.filter(|source| !has_one(source));
    alone.map(|source| source.breach(0, format!("no chapter in `{}`", first.path))).collect()
}

/// The README says of how many places the page on mutations is.
pub fn mutations_are_counted(readme: &Source, page: &str) -> Vec<Breach> {
    let all = page.lines().find_map(|line| line.strip_prefix("| `all` | ")?.split(' ').next());
    let all = all.unwrap_or("none");
    let (thousands, rest) = all.split_at(all.len().saturating_sub(3));
    let claim = format!("changed at {thousands},{rest} places");
    let is_true = readme.text.contains(&claim);
    let breach = || readme.breach(0, format!("the page on mutations is of {all} places"));
    if is_true { Vec::new() } else { vec![breach()] }
}

/// The module in which rustdoc shows this chapter.
fn module(file: &str) -> Option<String> {
    let name = file.strip_suffix(".md")?.replace('-', "_");
    match name.starts_with(|c: char| c.is_ascii_digit()) {
        true => Some(format!("ch{name}")),
        // A guide, and no chapter.
        false => (name == "checking_your_code").then_some(name),
    }
}

/// A chapter is in the table of contents, on the first page, and in rustdoc.
pub fn chapters_are_in_the_book(
    chapter: &Source,
    summary: &str,
    first: &str,
    rustdoc: &str,
) -> Vec<Breach> {
    let file = chapter.path.trim_start_matches("docs/");
    let module = module(file).unwrap_or_default();
    let mut breaches = Vec::new();
    let title = chapter.text.lines().next().unwrap_or_default().trim_start_matches(['#', ' ']);
    let rows = [
        ("docs/SUMMARY.md", summary, format!("- [{title}]({file})")),
        ("docs/README.md", first, format!("]: {file}")),
        ("src/book.rs", rustdoc, format!("\"../docs/{file}\")]\npub mod {module} {{}}")),
    ];
    for (page, text, row) in rows {
        if !text.contains(&row) {
            breaches.push(chapter.breach(0, format!("`{page}` does not have `{row}`")));
        }
    }
    breaches
}

mod the_rules {
    use super::*;

    fn lines(breaches: Vec<Breach>) -> Vec<usize> {
        breaches.iter().map(|breach| breach.line).collect()
    }

    fn chapter(text: &str) -> Source {
        Source::new("docs/03-lock.md", text)
    }

    #[test]
    fn find_a_chapter_without_a_section() {
        let breaks: String = ["a", "b"].map(|title| format!("### {title}\n")).concat();
        let text: String = SHAPE.map(|title| format!("## {title}\n")).concat();
        let text = format!("# 3. Lock\n{}", text.replace("Break it\n", &format!("Break it\n{breaks}")));
        let rule = |text: &str| lines(chapters_have_the_shape(&chapter(text)));
        assert_eq!(rule(&text), []);
        assert_eq!(rule(&text.replace("## Try it\n", "")), [3]);
        assert_eq!(rule(&text.replace("## How others do it\n", "")), [1]);
        assert_eq!(rule(&text.replace("### a\n", "")), [1]);
        assert_eq!(rule(&text.replace("# 3.", "# 4.")), [1]);
        let free = Source::new("docs/01-atomics.md", "# 1. x\n## Break it\n### a\n### b\n");
        assert_eq!(lines(chapters_have_the_shape(&free)), []);
    }

    #[test]
    fn find_a_picture_that_does_not_fit() {
        let rule = |line: &str| {
            lines(pictures_fit_everywhere(&chapter(&format!("```text\n+--+\n{line}\n```\n"))))
        };
        assert_eq!(rule(&"-".repeat(80)), []);
        assert_eq!(rule(&"-".repeat(81)), [3]);
        assert_eq!(rule("┌──┐"), [3]);
        let output = "## Break it\n### a\n```text\n…\n```\n";
        assert_eq!(lines(pictures_fit_everywhere(&chapter(output))), []);
    }

    #[test]
    fn find_a_quotation_that_is_not_true() {
        let file = "fn f() {\n    a;\n\n    b;\n    c;\n}\n";
        let read = |name: &str| (name == "src/x.rs").then(|| file.to_owned());
        let rule = |before: &str, quotation: &str| {
            let text = format!("{before}\n\n```rust,ignore\n{quotation}\n```\n");
            lines(quotations_are_true(&chapter(&text), read))
        };
        for right in
            ["fn f() {\n    a;\n\n    b;", "a;\n\nb;", "fn f() {\n    // …\n    c;\n}", "a;\n// …\nc;"]
        {
            assert_eq!(rule("From `src/x.rs`:", right), [], "{right}");
        }
        for wrong in ["a;\nb;", "    a;\n\nb;", "b;\n// …\na;", "fn f() {\na;", "d;"] {
            assert_eq!(rule("From `src/x.rs`:", wrong), [3], "{wrong}");
        }
        assert_eq!(rule("From `src/y.rs`:", "a;"), [3]);
        assert_eq!(rule("As in `src/x.rs`:", "a;"), [3]);
        assert_eq!(rule("From `src/x.rs`, proved wrong by `a::b`:", "a;"), []);
    }

    #[test]
    fn find_a_mistake_whose_model_is_not_the_one_that_is_named() {
        let table = Source::new("x.md", "| `lock.rs`: `Wrong` | `m::finds` | by | `m::right` |\n");
        let rule = |says: &str, code: &str| {
            let before = format!("From `loom-tests/mistakes/lock.rs`, {says}:");
            let text = format!("{before}\n```rust,ignore\n{code}\n```\n");
            lines(quoted_mistakes_name_their_model(&chapter(&text), &table))
        };
        let code = "impl RawLock for Wrong {";
        assert_eq!(rule("proved wrong by `m::finds`", code), []);
        assert_eq!(rule("proved wrong by `m::other`", code), [2]);
        assert_eq!(rule("proved wrong by `m::finds`", "impl RawLock for Other {"), [2]);
        assert_eq!(rule("proved wrong by `m::finds`", "fn f() {"), [2]);
        assert_eq!(rule("which passes `m::right`", "impl RawLock for Right {"), []);
        assert_eq!(rule("which passes `m::finds`", "impl RawLock for Right {"), [2]);
    }

    #[test]
    fn find_a_break_that_can_not_be_made() {
        let text = "## Break it\n### a\nIn `src/x.rs`:\n```diff\n-a;\n+b;\n```\n```sh\n\
            cargo test -p loom-tests --test lock one\n```\n```text\nFAILED\n```\n";
        let read = |name: &str| (name == "src/x.rs").then(|| "a;\n".to_owned());
        let rule = |from: &str, to: &str| {
            let tests = ["lock::one".to_owned(), "lock::two".to_owned()];
            lines(breaks_can_be_made(&chapter(&text.replace(from, to)), read, &tests))
        };
        assert_eq!(rule("", ""), []);
        assert_eq!(rule("test lock one", "test contract lock::two"), []);
        assert_eq!(rule("-a", "-c"), [4]);
        assert_eq!(rule("src/x", "src/y"), [4]);
        assert_eq!(rule("one", "three"), [2]);
        assert_eq!(rule(" --test lock one", ""), [2]);
        assert_eq!(rule("FAILED\n", ""), [2]);
    }

    #[test]
    fn find_a_link_and_a_name_that_lead_nowhere() {
        let read = |name: &str| (name == "docs/02-futex.md").then(|| "# 2. A b, c\n## D\n".to_owned());
        let rule = |text: &str| lines(links_lead_somewhere(&chapter(text), read));
        let right = "[a](02-futex.md) [a](02-futex.md#d) [a](https://x.y)\n[b]: 02-futex.md#2-a-b-c\n";
        assert_eq!(rule(right), []);
        assert_eq!(
            rule("[a](02.md)\n[a](../02-futex.md)\n[b]: 02-futex.md#e\n[c](#d)\n"),
            [1, 2, 4, 3]
        );
        assert_eq!(rule("```text\n[a](02.md)\n```\n"), []);
        assert_eq!(anchor("Try it: `x_y`, now"), "try-it-x_y-now");

        let rule = |text: &str| lines(named_files_are_there(&chapter(text), |name| name == "src/x.rs"));
        assert_eq!(rule("`src/x.rs` `src/` `a/b` `src/….rs`\n`src/y.rs` src/y.rs\n"), [1, 2]);
    }

    #[test]
    fn find_a_link_that_is_another_in_rustdoc() {
        let there = "[futex]: crate::book::ch02_futex#d\n[proof]: crate::book#the-appendices\n";
        let plots = "[plot]: data:image/svg+xml,%3Ca%20b='c'/%3E\n";
        let there = [there, plots].map(|text| Source::new("docs/links.md", text));
        let read = |file: &str| (file == "docs/d/p.svg").then(|| "<a b=\"c\"/>\n".to_owned());
        let rule = |text: &str| lines(links_lead_to_the_same_in_rustdoc(&chapter(text), &there, read));
        let right = "[a][futex], [b][proof]\n\n[futex]: 02-futex.md#d\n[proof]: proof.md\n";
        assert_eq!(rule(right), []);
        assert_eq!(rule(&right.replace("#d", "")), [3]);
        assert_eq!(rule(&right.replace("proof]", "p]")), [4]);
        assert_eq!(rule(&right.replace("[a][futex]", "[a](02-futex.md)")), [1]);
        assert_eq!(rule(&right.replace("[a][futex]", "[a][lock]")), [1]);
        assert_eq!(rule("![p][plot]\n\n[plot]: d/p.svg\n"), []);
        assert_eq!(rule("![p][plot]\n\n[plot]: d/q.svg\n"), [3]);
    }

    #[test]
    fn find_a_count_that_is_another_one() {
        let readme = Source::new("README.md", "They are changed at 1,571 places.\n");
        let rule = |page: &str| mutations_are_counted(&readme, page).len();
        assert_eq!(["| `all` | 1571 | 9 |\n", "| `all` | 1572 | 9 |\n", ""].map(rule), [0, 1, 1]);
    }

    #[test]
    fn find_a_source_without_a_chapter() {
        let first = Source::new("docs/README.md", "| [1][a] | `src/a.rs`, `src/b` |\n`src/c.rs`\n");
        let rule = |path: &str| sources_have_a_chapter(&first, &[Source::new(path, "")]).len();
        assert_eq!(["src/a.rs", "src/b/x.rs", "src/lib.rs"].map(rule), [0, 0, 0]);
        assert_eq!(["src/c.rs", "src/b.rs", "src/bc.rs"].map(rule), [1, 1, 1]);
    }

    #[test]
    fn find_a_chapter_that_is_in_no_table_of_contents() {
        let pages = [
            "- [3. A lock](03-lock.md)",
            "[lock]: 03-lock.md",
            "#[doc = include_str!(\"../docs/03-lock.md\")]\npub mod ch03_lock {}",
        ];
        let rule =
            |[a, b, c]: [&str; 3]| chapters_are_in_the_book(&chapter("# 3. A lock\n"), a, b, c).len();
        assert_eq!(rule(pages), 0);
        assert_eq!(rule(["", pages[1], pages[2]]), 1);
        assert_eq!(rule(["", "", ""]), 3);
    }
}
