//! A chapter of the book, taken apart: its blocks of code, and what it asks its readers to break.
//!
//! Used by the rules of the house, which see that an edit can be made, and by `futon-mutations`, which makes it.

/// A block between two fences.
pub struct Block<'a> {
    /// Of the line with the first fence.
    pub index: usize,
    /// What stands behind the first fence.
    pub info: &'a str,
    pub lines: Vec<&'a str>,
    /// The last line above that is not empty.
    pub before: &'a str,
}

/// All blocks of a chapter.
pub fn blocks(chapter: &str) -> Vec<Block<'_>> {
    let mut blocks = Vec::<Block>::new();
    let (mut is_inside, mut before) = (false, "");
    for (index, line) in chapter.lines().enumerate() {
        match (line.strip_prefix("```"), is_inside) {
            (Some(info), false) => {
                blocks.push(Block { index, info: info.trim(), lines: Vec::new(), before });
                is_inside = true;
            }
            (Some(_), true) => (is_inside, before) = (false, line),
            (None, true) => blocks.last_mut().expect("inside of one").lines.push(line),
            (None, false) if line.trim().is_empty() => {}
            (None, false) => before = line,
        }
    }
    blocks
}

/// The lines that are not in a block, with their numbers from zero.
pub fn prose(chapter: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut is_inside = false;
    chapter.lines().enumerate().filter(move |(_, line)| {
        let is_fence = line.starts_with("```");
        is_inside ^= is_fence;
        !is_inside && !is_fence
    })
}

/// An edit of one file.
pub struct Edit<'a> {
    /// Of the block in the chapter.
    pub index: usize,
    pub file: &'a str,
    /// With the marks of a diff.
    lines: Vec<&'a str>,
}

impl Edit<'_> {
    /// The file's text with the edit in it, or why that can not be done.
    ///
    /// The old lines have to be there once. They may be further to the right than in the chapter, all of them by as much.
    pub fn apply(&self, text: &str) -> Result<String, String> {
        let with = |marks: [char; 2]| -> Vec<&str> {
            let lines = self.lines.iter().filter(|line| line.is_empty() || line.starts_with(marks));
            lines.map(|line| line.get(1..).unwrap_or_default()).collect()
        };
        let (old, new) = (with(['-', ' ']), with(['+', ' ']));
        let first = old.first().ok_or("an edit takes a line away, or stands beside one")?;
        let lines: Vec<_> = text.lines().collect();
        let mut places = Vec::new();
        for (at, place) in lines.windows(old.len()).enumerate() {
            let indent = place[0].strip_suffix(first).filter(|indent| indent.trim().is_empty());
            let is_here =
                |indent: &&str| place.iter().zip(&old).all(|(a, b)| **a == indented(indent, b));
            places.extend(indent.filter(is_here).map(|indent| (at, indent)));
        }
        let [(at, indent)] = places[..] else {
            return Err(format!("`{}` has these lines {} times", self.file, places.len()));
        };
        let new = new.iter().map(|line| indented(indent, line));
        let before = lines[..at].iter().map(|line| line.to_string());
        let after = lines[at + old.len()..].iter().map(|line| line.to_string());
        Ok(before.chain(new).chain(after).map(|line| line + "\n").collect())
    }
}

fn indented(indent: &str, line: &str) -> String {
    if line.is_empty() { String::new() } else { format!("{indent}{line}") }
}

/// Something that readers are asked to break.
pub struct Break<'a> {
    /// Of the heading.
    pub index: usize,
    pub title: &'a str,
    pub edits: Vec<Edit<'a>>,
    pub command: &'a str,
    /// What the command then prints, with `…` for what is left out.
    pub output: Vec<&'a str>,
}

/// What stands below `## Break it`, and what is wrong with it.
pub fn breaks(chapter: &str) -> (Vec<Break<'_>>, Vec<(usize, String)>) {
    let mut breaks = Vec::<Break>::new();
    let mut wrong = Vec::new();
    let mut is_there = false;
    for (index, line) in prose(chapter) {
        if line.starts_with("## ") {
            is_there = line == "## Break it";
        } else if let Some(title) = line.strip_prefix("### ").filter(|_| is_there) {
            breaks.push(Break { index, title, edits: Vec::new(), command: "", output: Vec::new() });
        }
    }
    let end = prose(chapter).skip_while(|(_, line)| *line != "## Break it").skip(1);
    let end = end.filter(|(_, line)| line.starts_with("## ")).map(|(index, _)| index).next();
    for block in blocks(chapter) {
        let is_inside = end.is_none_or(|end| block.index < end);
        let Some(this) = breaks.iter_mut().rfind(|this| this.index < block.index).filter(|_| is_inside)
        else {
            continue;
        };
        match block.info {
            "diff" => match block.before.strip_prefix("In `").and_then(|rest| rest.split_once('`')) {
                Some((file, ":")) => {
                    this.edits.push(Edit { index: block.index, file, lines: block.lines });
                }
                _ => wrong.push((block.index, "above an edit stands In `FILE`:".to_owned())),
            },
            "sh" if this.command.is_empty() => match block.lines[..] {
                [command] if command.starts_with("cargo test ") => this.command = command,
                _ => wrong.push((block.index, "one command, `cargo test …`".to_owned())),
            },
            "text" if this.output.is_empty() => this.output = block.lines,
            _ => wrong.push((block.index, "a block that a break has no use for".to_owned())),
        }
    }
    for this in &breaks {
        if this.edits.is_empty() || this.command.is_empty() || this.output.is_empty() {
            wrong.push((this.index, "a break is an edit, a command and its output".to_owned()));
        }
    }
    (breaks, wrong)
}

/// Whether these lines are in the output, in this order. `…` stands for lines that are left out, or for a part of one;
/// so does the beginning and the end.
pub fn shows(output: &str, expected: &[&str]) -> Result<(), String> {
    let output: Vec<_> = output.lines().map(str::trim_end).collect();
    let mut at = 0;
    for part in expected.split(|line| *line == "…").filter(|part| !part.is_empty()) {
        let is_here = |place: &[&str]| place.iter().zip(part).all(|(line, like)| is_like(line, like));
        let Some(place) = output[at..].windows(part.len()).position(is_here) else {
            return Err(format!("does not show\n\n{}\n", part.join("\n")));
        };
        at += place + part.len();
    }
    Ok(())
}

fn is_like(line: &str, like: &str) -> bool {
    let mut parts = like.trim_end().split('…');
    let Some(mut rest) = parts.next().and_then(|first| line.strip_prefix(first)) else { return false };
    let mut parts = parts.peekable();
    while let Some(part) = parts.next() {
        match (parts.peek(), rest.find(part)) {
            (None, _) => return rest.ends_with(part),
            (_, Some(found)) => rest = &rest[found + part.len()..],
            (_, None) => return false,
        }
    }
    rest.is_empty()
}

#[cfg(test)]
mod the_parts {
    use super::*;

    const CHAPTER: &str = "\
# 3. The lock

```text
### no heading
```

## Break it

### The first

In `src/lock.rs`:

```diff
-if a {
+if b {
```

Run this:

```sh
cargo test lock
```

```text
…
test … FAILED
```

### The second

## When to use it

### Not a break

```rust
x();
```
";

    fn edit(diff: &'static str) -> Edit<'static> {
        Edit { index: 0, file: "src/lock.rs", lines: diff.lines().collect() }
    }

    #[test]
    fn a_chapter_has_blocks_and_prose() {
        let blocks = blocks(CHAPTER);
        let infos: Vec<_> = blocks.iter().map(|block| (block.index, block.info)).collect();
        assert_eq!(infos, [(2, "text"), (12, "diff"), (19, "sh"), (23, "text"), (34, "rust")]);
        assert_eq!(
            (blocks[1].before, &*blocks[1].lines),
            ("In `src/lock.rs`:", &["-if a {", "+if b {"][..])
        );
        assert_eq!(blocks[3].before, "```");
        let headings: Vec<_> = prose(CHAPTER).filter(|(_, line)| line.starts_with('#')).collect();
        assert_eq!(headings.len(), 6);
        assert_eq!(headings[1], (6, "## Break it"));
    }

    #[test]
    fn a_break_is_an_edit_a_command_and_its_output() {
        let (breaks, wrong) = breaks(CHAPTER);
        let titles: Vec<_> = breaks.iter().map(|this| this.title).collect();
        assert_eq!(titles, ["The first", "The second"]);
        assert_eq!(
            (breaks[0].command, &*breaks[0].output),
            ("cargo test lock", &["…", "test … FAILED"][..])
        );
        assert_eq!(breaks[0].edits[0].file, "src/lock.rs");
        assert_eq!(wrong.iter().map(|(index, _)| *index).collect::<Vec<_>>(), [28]);

        let wrong = |from: &str, to: &str| -> Vec<usize> {
            let chapter = CHAPTER.replace("### The second\n", "").replacen(from, to, 1);
            super::breaks(&chapter).1.into_iter().map(|(index, _)| index).collect()
        };
        assert!(wrong("", "").is_empty());
        assert_eq!(wrong("In `src", "Of `src"), [12, 8]);
        assert_eq!(wrong("cargo test lock\n", "rm -r lock\n"), [19, 8]);
        assert_eq!(wrong("cargo test lock\n", "cargo test lock\nls\n"), [19, 8]);
        assert_eq!(wrong("```sh", "```rust"), [19, 8]);
        assert_eq!(wrong("…\ntest … FAILED\n", ""), [8]);
    }

    #[test]
    fn an_edit_is_made_where_its_lines_are_and_nowhere_else() {
        let text = "fn f() {\n    if a {\n        x();\n\n    }\n}\n";
        let edited = |diff| edit(diff).apply(text).ok();
        assert_eq!(edited("-if a {\n+if b {").as_deref(), Some(&*text.replace('a', "b")));
        assert_eq!(edited("-    if a {\n+    if b {").as_deref(), Some(&*text.replace('a', "b")));
        let none = edited(" if a {\n-    x();\n-\n }");
        assert_eq!(none.as_deref(), Some("fn f() {\n    if a {\n    }\n}\n"));
        let more = edited(" fn f() {\n+    let a;\n     if a {");
        assert_eq!(
            more.as_deref(),
            Some("fn f() {\n    let a;\n    if a {\n        x();\n\n    }\n}\n")
        );
        // Not there, there twice, with another indentation in between, and without a place.
        assert_eq!(edited("-if c {"), None);
        assert_eq!(edit("-x();").apply("x();\nx();\n").ok(), None);
        assert_eq!(edited(" if a {\n-x();"), None);
        assert_eq!(edited("+if c {"), None);
        assert!(edit("-if c {").apply(text).unwrap_err().contains("0 times"));
    }

    #[test]
    fn an_output_shows_lines_in_their_order() {
        let output = "a\nb  \nthread 'x' (17) panicked at y.rs:3:4:\nc\nd\n";
        let shows = |expected: &str| shows(output, &expected.lines().collect::<Vec<_>>()).is_ok();
        assert!(shows("a\nb"));
        assert!(shows("…\nb\n…\nd\n…"));
        assert!(shows("thread 'x' (…) panicked at …:\nc"));
        assert!(shows("…panicked…4:\n…\nd"));
        assert!(!shows("a\nc"), "something is left out");
        assert!(!shows("c\n…\nb"), "the other way round");
        assert!(!shows("d\n…\nd"), "once only");
        assert!(!shows("thread … panicked at …5:"));
        assert!(!shows("read 'x'…"));
        assert!(!shows("thread 'x'"));
    }
}
