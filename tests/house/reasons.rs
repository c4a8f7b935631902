//! Each ordering and each unsafe has its reason.

use crate::source::{Breach, Source, has_word, is_import, is_of_a_word, words};

pub const ORDERINGS: [&str; 5] = ["Relaxed", "Acquire", "Release", "AcqRel", "SeqCst"];
/// How far below its comment an ordering may stand.
pub const REACH: usize = 10;

/// Each ordering has an `// ORDERING:` comment in the same function, at most ten lines above.
pub fn orderings_are_justified(source: &Source) -> Vec<Breach> {
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
pub fn orderings_name_functions_that_exist(source: &Source, functions: &[String]) -> Vec<Breach> {
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

pub fn functions(source: &Source) -> impl Iterator<Item = String> {
    source
        .lines
        .iter()
        .filter_map(|line| words(&line.code).skip_while(|word| *word != "fn").nth(1).map(str::to_owned))
}

/// Each `unsafe` has a `// SAFETY:` comment of its own directly above the statement, and each public
/// function that is unsafe to call says when it is not. (A method of an unsafe trait need not say it
/// again.)
pub fn unsafe_is_justified(source: &Source) -> Vec<Breach> {
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

mod the_rules {
    use super::*;
    use crate::source::found;

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
}
