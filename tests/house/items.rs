//! What users see of the sources, and what the documentation of each item has to have.

use crate::layers::Layers;
use crate::source::{Breach, Source, words};

/// A type, a trait, a function or a constant that users see, or a method of one.
#[derive(Debug, Default)]
pub struct Item {
    /// The line that it is declared in.
    index: usize,
    /// The type that it belongs to, or that it is; else the module.
    pub owner: String,
    /// Of a function or constant.
    pub name: Option<String>,
    /// Its documentation, line by line.
    pub docs: Vec<String>,
    is_function: bool,
}

/// The items of a file. Users see what lib.rs exports, and the modules that are public.
pub fn items(source: &Source, layers: &Layers) -> Vec<Item> {
    let module = module(source);
    let mut items = Vec::new();
    let mut owner = module;
    let (mut is_trait, mut is_hidden) = (false, false);
    let mut docs = Vec::new();
    // How deep in the brackets of an attribute.
    let mut depth = 0;
    for (index, line) in source.lines.iter().enumerate() {
        let has = |name: &&str| layers.items.contains_key(*name);
        let exported = words(&line.code).find(has);
        let words: Vec<_> = words(&line.code).collect();
        // A block at the margin is of a type, or of a trait.
        if ["impl", "pub trait"].iter().any(|block| line.code.starts_with(block)) {
            owner = exported.unwrap_or(module);
            is_trait = words.contains(&"trait") && exported.is_some();
        } else if line.code == "}" {
            (owner, is_trait) = (module, false);
        }
        let item = match words[..] {
            ["pub", "struct" | "enum" | "trait" | "type", name, ..]
                if has(&name) || layers.is_public(module) =>
            {
                Some((name, None))
            }
            ["pub", "fn", name, ..]
            | ["pub", "const", "fn", name, ..]
            | ["pub", "unsafe", "fn", name, ..]
            | ["pub", "const", name, ..] => Some((owner, Some(name.to_owned()))),
            ["fn", name, ..] if is_trait => Some((owner, Some(name.to_owned()))),
            _ => None,
        };
        if let Some((owner, name)) = item.filter(|_| !is_hidden) {
            items.push(Item {
                index,
                owner: owner.to_owned(),
                name,
                docs: std::mem::take(&mut docs),
                is_function: words.contains(&"fn"),
            });
        }
        docs.extend(line.comment.strip_prefix("///").map(str::to_owned));
        let is_attribute = depth > 0 || line.code.trim_start().starts_with('#');
        if is_attribute {
            depth += line.code.matches('[').count();
            depth -= line.code.matches(']').count();
        }
        if !is_attribute && line.comment.is_empty() {
            docs.clear();
        }
        is_hidden = is_attribute && (is_hidden || line.code.contains("doc(hidden)"));
    }
    items
}

/// The module that a file belongs to.
pub fn module(source: &Source) -> &str {
    let module = source.path.trim_start_matches("src/").split(['/', '.']).next().unwrap_or_default();
    if module == "lib" { "futon" } else { module }
}

/// Each item has an example of its own. (Constants are none without something that they are used for.)
pub fn items_have_an_example(source: &Source, layers: &Layers) -> Vec<Breach> {
    let has_none = |item: &Item| !item.docs.iter().any(|line| line.trim_start().starts_with("```"));
    let is_due = |item: &&Item| item.name.is_none() || item.is_function;
    let items = items(source, layers);
    let missing = items.iter().filter(is_due).filter(|item| has_none(item));
    let breach = |item: &Item| {
        let name = item.name.iter().map(|name| format!("::{name}"));
        source
            .breach(item.index, format!("`{}{}` has no example", item.owner, name.collect::<String>()))
    };
    missing.map(breach).collect()
}

/// Whoever looks for a name that others have finds an item, by its name or by an alias.
pub fn names_of_others_are_found(names: &str, sources: &[Source], layers: &Layers) -> Vec<String> {
    let lines = sources.iter().flat_map(|source| &source.lines);
    let aliases: Vec<_> =
        lines.filter(|line| line.code.contains("doc(alias")).map(|line| &line.quoted).collect();
    let items: Vec<_> = sources.iter().flat_map(|source| items(source, layers)).collect();
    let is_found = |name: &&str| {
        let is_in_python = |alias: &str| alias.rsplit('.').next() == Some(name);
        aliases.iter().any(|alias| is_in_python(alias))
            || items.iter().any(|item| item.name.as_deref().unwrap_or(&item.owner) == *name)
    };
    names.split_whitespace().filter(|name| !is_found(name)).map(str::to_owned).collect()
}

mod the_rules {
    use super::*;

    const LIB: &str = "pub mod futex;\nmod lock;\npub use lock::{Guard, Lock, Open};\n";

    fn layers() -> Layers {
        Layers::of(&Source::new("src/lib.rs", LIB))
    }

    #[test]
    fn find_an_item_without_an_example() {
        let text = "\
/// A lock.
///
/// ```
/// Lock;
/// ```
#[inline]
pub struct Lock<T>;
/// A guard.
pub struct Guard;
/// Nobody sees it.
pub struct Raw;
impl Lock {
    /// Not this one.
    pub const MOST: u32 = 1;
    /// Nor this one. ``` has to be the first of a line.
    ///
    /// ```
    /// one();
    /// ```
    #[note(
        x = []
    )]
    pub fn one() {}
    /// Makes one.
    #[doc(alias = \"make\")]
    #[note(
        x = [1]
    )]
    pub const fn new() -> Self {}
    /// Does not.
    #[doc(hidden)]
    pub fn hidden() {}
    pub(crate) fn inner() {}
}
pub trait Open {
    fn open(self) {}
}
";
        let source = Source::new("src/lock.rs", text);
        let found = items_have_an_example(&source, &layers());
        let lines: Vec<_> = found.iter().map(|breach| breach.line).collect();
        assert_eq!(lines, [9, 29, 35, 36]);
        let alone = Source::new("src/futex.rs", "/// Wakes.\npub fn wake() {}\n");
        assert_eq!(items_have_an_example(&alone, &layers()).len(), 1);
    }

    #[test]
    fn find_a_name_that_leads_to_nothing() {
        let text = "\
#[doc(alias = \"Mutex\")]
#[doc(alias = \"threading.Lock2\")]
pub struct Lock;
impl Lock {
    #[doc(alias = \"lock\")]
    pub fn acquire() {}
}
";
        let sources = [Source::new("src/lock.rs", text)];
        let names = "Mutex Lock Lock2 acquire lock try_lock mutex";
        assert_eq!(names_of_others_are_found(names, &sources, &layers()), ["try_lock", "mutex"]);
    }
}
