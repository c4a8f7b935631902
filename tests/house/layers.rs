//! What may use what.

use std::collections::BTreeMap;

use crate::source::{Breach, Line, Source, has_word, is_of_a_word, words};

/// What lib.rs says about the layers.
pub struct Layers {
    /// The modules, lowest first.
    pub modules: Vec<String>,
    /// The module from which an item of the root comes.
    pub items: BTreeMap<String, String>,
    /// The modules that users see.
    public: Vec<String>,
}

impl Layers {
    pub fn of(lib: &Source) -> Self {
        let code: String = lib.lines.iter().map(|line| line.code.clone() + " ").collect();
        let mut layers = Self { modules: Vec::new(), items: BTreeMap::new(), public: Vec::new() };
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
                let is_public = words.ends_with(&["pub", "mod", module]);
                layers.public.extend(is_public.then(|| module.to_owned()));
            } else if let Some(at) = words.iter().position(|word| *word == "use") {
                if let [module, items @ ..] = &words[at + 1..] {
                    let items = items.iter().map(|item| (item.to_string(), module.to_string()));
                    layers.items.extend(items);
                }
            }
        }
        layers
    }

    pub fn is_public(&self, module: &str) -> bool {
        self.public.iter().any(|m| m == module)
    }

    /// How high a module, or the module of an item, stands.
    pub fn height(&self, name: &str) -> Option<usize> {
        let module = self.items.get(name).map_or(name, String::as_str);
        self.modules.iter().position(|m| m == module)
    }
}

/// Each file is a module of the one that it belongs to, or nobody compiles it.
pub fn files_are_modules(sources: &[Source]) -> Vec<Breach> {
    let is_module = |source: &&Source| {
        let Some((folder, file)) = source.path.rsplit_once('/') else { return false };
        let parent = if folder == "src" { "src/lib.rs".to_owned() } else { format!("{folder}.rs") };
        let declaration = format!("mod {};", file.trim_end_matches(".rs"));
        // … or by its path, where it depends on the system.
        let path = format!("{}/{file}", folder.rsplit('/').next().unwrap_or(folder));
        sources
            .iter()
            .filter(|source| source.path == parent)
            .flat_map(|parent| &parent.lines)
            .any(|line| line.code.ends_with(&declaration) || line.quoted.contains(&path))
    };
    let files = sources.iter().filter(|source| source.path != "src/lib.rs");
    let alone = files.filter(|source| !is_module(source));
    alone.map(|source| source.breach(0, "is a module of no file")).collect()
}

/// A file uses only what stands above it in lib.rs.
pub fn layers_are_kept(source: &Source, layers: &Layers) -> Vec<Breach> {
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
pub fn first_names(path: &str) -> Vec<&str> {
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
pub fn loom_stays_in_its_place(source: &Source) -> Vec<Breach> {
    let places = ["src/atomic.rs", "src/atomic/", "src/futex.rs", "src/futex/"];
    if places.iter().any(|place| source.path.starts_with(place)) {
        return Vec::new();
    }
    let names_it = |line: &Line| has_word(&line.code, "loom") || has_word(&line.quoted, "loom");
    let lines = source.lines.iter().enumerate().filter(|(_, line)| names_it(line));
    lines.map(|(index, _)| source.breach(index, "loom is for `atomic` and `futex` alone")).collect()
}

mod the_rules {
    use super::*;
    use crate::source::found;

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
        assert_eq!(
            ["atomic", "raw", "none"].map(|module| layers.is_public(module)),
            [true, false, false]
        );
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
    fn find_a_file_that_nobody_compiles() {
        let sources = [
            ("src/lib.rs", "mod lock;\nmod unlock;\n"),
            (
                "src/lock.rs",
                "pub mod guard;\n#[cfg_attr(unix, path = \"lock/linux.rs\")]\nmod platform;\n// mod left;\n",
            ),
            ("src/lock/guard.rs", ""),
            ("src/lock/linux.rs", ""),
            ("src/lock/left.rs", ""),
            ("src/alone.rs", ""),
        ];
        let breaches = files_are_modules(&sources.map(|(path, text)| Source::new(path, text)));
        let found: Vec<_> = breaches.iter().map(ToString::to_string).collect();
        assert_eq!(
            found,
            ["src/lock/left.rs:1: is a module of no file", "src/alone.rs:1: is a module of no file"]
        );
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
    fn say_where_and_what() {
        let breaches = loom_stays_in_its_place(&Source::new("src/x.rs", "\nuse loom::y;\n"));
        assert_eq!(breaches[0].to_string(), "src/x.rs:2: loom is for `atomic` and `futex` alone");
    }
}
