//! Which places of a source can be changed, and how.

use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Range;

use proc_macro2::Span;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{BinOp, Block, Expr, ExprMethodCall, ImplItemFn, ItemFn, Lit, ReturnType, Stmt, Type};

use crate::Result;

/// One change of one place.
#[derive(Debug, Clone)]
pub struct Mutation {
    pub file: String,
    pub line: usize,
    pub column: usize,
    /// The function that it is in, with its type.
    pub within: String,
    /// Which bytes of the file are replaced.
    pub place: Range<usize>,
    /// How they are replaced.
    pub way: Way,
    pub from: String,
    pub to: String,
    /// Another one if the code of the file is changed.
    pub id: u64,
}

/// How a mutation is written into the source.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Way {
    /// One expression in the place of another.
    Instead,
    /// A statement is left out.
    Without,
    /// Before the first statement of a function, at an empty place.
    First,
}

impl Mutation {
    /// `from → to`
    pub fn change(&self) -> String {
        match self.to.starts_with(IN_TWO_STEPS) {
            true => format!("{} → the same in two steps", self.from),
            false => format!("{} → {}", self.from, self.to.replace(ORDERING, "")),
        }
    }
}

impl fmt::Display for Mutation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{} {}: {}", self.file, self.line, self.column, self.within, self.change())
    }
}

/// All mutations of a file.
pub fn mutations(file: &str, text: &str) -> Result<Vec<Mutation>> {
    let syntax = syn::parse_file(text)?;
    let (within, found) = (Vec::new(), Vec::new());
    let mut finder = Finder { file, text, code: code_of(text), within, is_constant: false, found };
    finder.visit_file(&syntax);
    Ok(finder.found)
}

struct Finder<'a> {
    file: &'a str,
    text: &'a str,
    code: String,
    within: Vec<String>,
    /// Where no function can be called that is not `const`.
    is_constant: bool,
    found: Vec<Mutation>,
}

impl Finder<'_> {
    fn source(&self, span: Span) -> &str {
        &self.text[span.byte_range()]
    }

    fn add(&mut self, way: Way, span: Span, to: impl Into<String>) {
        let (place, to) = (span.byte_range(), to.into());
        self.add_at(way, place, self.source(span).to_owned(), to);
    }

    fn add_at(&mut self, way: Way, place: Range<usize>, from: String, to: String) {
        if self.is_constant {
            return;
        }
        let before = &self.text[..place.start];
        let line = 1 + before.matches('\n').count();
        let column = 1 + before.len() - before.rfind('\n').map_or(0, |end| end + 1);
        let one_line = |code: &str| code.split_whitespace().collect::<Vec<_>>().join(" ");
        self.found.push(Mutation {
            file: self.file.to_owned(),
            line,
            column,
            within: self.within.join("::"),
            place,
            way,
            from: one_line(&from),
            to: one_line(&to),
            id: hash((&self.code, self.file, code_of(before).len(), to)),
        });
    }

    fn instead(&mut self, span: Span, to: impl Into<String>) {
        self.add(Way::Instead, span, to);
    }

    fn inside(&mut self, name: String, visit: impl FnOnce(&mut Self)) {
        self.within.push(name);
        visit(self);
        self.within.pop();
    }

    fn function(&mut self, signature: &syn::Signature, block: &Block) {
        let was_constant = std::mem::replace(&mut self.is_constant, signature.constness.is_some());
        self.inside(signature.ident.to_string(), |finder| {
            for value in values_of(&signature.output) {
                let at = block.brace_token.span.open().byte_range().end;
                let to = format!("return {value};").replace(" ;", ";");
                finder.add_at(Way::First, at..at, "all".to_owned(), to);
            }
            finder.visit_block(block);
        });
        self.is_constant = was_constant;
    }

    fn binary(&mut self, binary: &syn::ExprBinary) {
        let (left, right) = (self.source(binary.left.span()), self.source(binary.right.span()));
        let (left, right) = (left.to_owned(), right.to_owned());
        let with = |operator: &str| format!("{left} {operator} {right}");
        let others = match &binary.op {
            BinOp::Lt(_) => vec![with("<=")],
            BinOp::Le(_) => vec![with("<")],
            BinOp::Gt(_) => vec![with(">=")],
            BinOp::Ge(_) => vec![with(">")],
            BinOp::Eq(_) => vec![with("!=")],
            BinOp::Ne(_) => vec![with("==")],
            BinOp::Add(_) => vec![with("-")],
            BinOp::Sub(_) => vec![with("+")],
            BinOp::Mul(_) => vec![with("+")],
            BinOp::Div(_) => vec![with("*")],
            BinOp::AddAssign(_) => vec![with("-=")],
            BinOp::SubAssign(_) => vec![with("+=")],
            BinOp::MulAssign(_) => vec![with("+=")],
            BinOp::And(_) if has_let(&binary.left) || has_let(&binary.right) => vec![],
            BinOp::And(_) | BinOp::Or(_) | BinOp::BitAnd(_) | BinOp::BitOr(_) => vec![left, right],
            _ => vec![],
        };
        others.into_iter().for_each(|other| self.instead(binary.span(), other));
    }

    fn method_call(&mut self, call: &ExprMethodCall) {
        let receiver = self.source(call.receiver.span()).to_owned();
        let arguments: Vec<_> =
            call.args.iter().map(|argument| self.source(argument.span()).to_owned()).collect();
        let others = match (call.method.to_string().as_str(), &*arguments) {
            // Atomic operations in two steps. The orderings are not what this is about.
            ("fetch_add", [n, _]) => {
                vec![in_two_steps(&receiver, &format!("before.wrapping_add({n})"))]
            }
            ("fetch_sub", [n, _]) => {
                vec![in_two_steps(&receiver, &format!("before.wrapping_sub({n})"))]
            }
            ("fetch_or", [n, _]) => vec![in_two_steps(&receiver, &format!("before | {n}"))],
            ("fetch_and", [n, _]) => vec![in_two_steps(&receiver, &format!("before & {n}"))],
            ("swap", [n, ordering]) if is_ordering(ordering) => vec![in_two_steps(&receiver, n)],
            ("compare_exchange" | "compare_exchange_weak", [from, to, ..]) => vec![format!(
                "{IN_TWO_STEPS} = {receiver}.load({ORDERING}Acquire); if before == {from} \
                 {{ {receiver}.store({to}, {ORDERING}Release); Ok(before) }} else {{ Err(before) }} }}"
            )],
            ("min", [n]) => vec![format!("{receiver}.max({n})"), receiver.clone()],
            ("max", [n]) => vec![format!("{receiver}.min({n})"), receiver.clone()],
            ("push_back", [item]) => vec![format!("{receiver}.push_front({item})")],
            ("push_front", [item]) => vec![format!("{receiver}.push_back({item})")],
            ("pop_front", []) => vec![format!("{receiver}.pop_back()")],
            _ => vec![],
        };
        others.into_iter().for_each(|other| self.instead(call.span(), other));
    }

    /// A function of the futex, by whatever path.
    fn call(&mut self, call: &syn::ExprCall) {
        let Expr::Path(function) = &*call.func else { return };
        let Some(name) = function.path.segments.last() else { return };
        let path = self.source(function.span()).to_owned();
        let arguments: Vec<_> =
            call.args.iter().map(|argument| self.source(argument.span()).to_owned()).collect();
        let others = match (name.ident.to_string().as_str(), &*arguments) {
            ("wake_one" | "wake_one_of", [_]) => vec!["()".to_owned()],
            ("wake_all", [word]) => {
                vec!["()".to_owned(), format!("{}({word})", path.replace("wake_all", "wake_one"))]
            }
            ("wake", [word, _]) => vec!["0".to_owned(), format!("{path}({word}, 1)")],
            ("wait_until", [word, expected, _]) => {
                vec![format!(
                    "{{ {}({word}, {expected}); {path_of}::Outcome::Awake }}",
                    path.replace("wait_until", "wait"),
                    path_of = path.trim_end_matches("::wait_until")
                )]
            }
            ("requeue_one", [..]) => vec!["true".to_owned(), "false".to_owned()],
            _ => vec![],
        };
        others.into_iter().for_each(|other| self.instead(call.span(), other));
    }

    fn condition(&mut self, condition: &Expr, may_be_always: bool) {
        if !has_let(condition) {
            self.instead(condition.span(), "false");
            if may_be_always {
                self.instead(condition.span(), "true");
            }
        }
    }
}

/// A text without what no test notices: comments, and attributes for those who read and those who compile.
fn code_of(text: &str) -> String {
    let words = ["//", "#[doc(", "#[must_use", "#[expect("];
    let is_code = |line: &&str| !words.iter().any(|word| line.trim_start().starts_with(word));
    text.split_inclusive('\n').filter(is_code).collect()
}

fn hash(what: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    what.hash(&mut hasher);
    hasher.finish()
}

const IN_TWO_STEPS: &str = "{ let before";
const ORDERING: &str = "::core::sync::atomic::Ordering::";

fn in_two_steps(word: &str, after: &str) -> String {
    format!(
        "{IN_TWO_STEPS} = {word}.load({ORDERING}Acquire); {word}.store({after}, {ORDERING}Release); before }}"
    )
}

fn is_ordering(code: &str) -> bool {
    !weaker(code.trim_start_matches("Ordering::")).is_empty() || code.ends_with("Relaxed")
}

/// One step weaker.
fn weaker(ordering: &str) -> &'static [&'static str] {
    match ordering {
        "Acquire" | "Release" => &["Relaxed"],
        "AcqRel" => &["Acquire", "Release"],
        "SeqCst" => &["AcqRel"],
        _ => &[],
    }
}

/// Whether there is a `let` in a condition.
fn has_let(condition: &Expr) -> bool {
    match condition {
        Expr::Let(_) => true,
        Expr::Binary(binary) => has_let(&binary.left) || has_let(&binary.right),
        _ => false,
    }
}

fn other_literals(literal: &Lit) -> Vec<String> {
    match literal {
        Lit::Bool(value) => vec![(!value.value).to_string()],
        Lit::Int(number) => {
            let Ok(value) = number.base10_parse::<u64>() else { return vec![] };
            let others = [value.checked_add(1), value.checked_sub(1)];
            others.into_iter().flatten().map(|other| format!("{other}{}", number.suffix())).collect()
        }
        _ => vec![],
    }
}

/// What a function could return without doing anything, given the type of its result.
fn values_of(output: &ReturnType) -> &'static [&'static str] {
    let ReturnType::Type(_, output) = output else { return &[""] };
    let Type::Path(path) = &**output else { return &[] };
    let Some(last) = path.path.segments.last() else { return &[] };
    match last.ident.to_string().as_str() {
        "bool" => &["true", "false"],
        "u32" | "u64" | "usize" => &["0", "1"],
        "Option" => &["None"],
        "Duration" => &["Duration::ZERO"],
        _ => &[],
    }
}

fn is_test(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute.meta.require_list().is_ok_and(|list| list.tokens.to_string() == "test")
    })
}

impl<'ast> Visit<'ast> for Finder<'_> {
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if !is_test(&item.attrs) {
            visit::visit_item_mod(self, item);
        }
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        let Type::Path(path) = &*item.self_ty else { return visit::visit_item_impl(self, item) };
        let name = path.path.segments.last().map(|last| last.ident.to_string());
        let name = name.unwrap_or_default();
        self.inside(name, |finder| visit::visit_item_impl(finder, item));
    }

    fn visit_item_trait(&mut self, item: &'ast syn::ItemTrait) {
        self.inside(item.ident.to_string(), |finder| visit::visit_item_trait(finder, item));
    }

    fn visit_item_fn(&mut self, item: &'ast ItemFn) {
        if !is_test(&item.attrs) {
            self.function(&item.sig, &item.block);
        }
    }

    fn visit_impl_item_fn(&mut self, item: &'ast ImplItemFn) {
        if !is_test(&item.attrs) {
            self.function(&item.sig, &item.block);
        }
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        if let Some(block) = &item.default {
            self.function(&item.sig, block);
        }
    }

    // Constants are changed where they are used.
    fn visit_item_const(&mut self, _: &'ast syn::ItemConst) {}

    fn visit_impl_item_const(&mut self, _: &'ast syn::ImplItemConst) {}

    fn visit_item_static(&mut self, _: &'ast syn::ItemStatic) {}

    fn visit_type(&mut self, _: &'ast Type) {}

    fn visit_pat(&mut self, _: &'ast syn::Pat) {}

    fn visit_stmt(&mut self, stmt: &'ast Stmt) {
        if let Stmt::Expr(
            Expr::Call(_) | Expr::MethodCall(_) | Expr::Assign(_) | Expr::Binary(_),
            Some(_),
        ) = stmt
        {
            self.add(Way::Without, stmt.span(), "nothing");
        }
        visit::visit_stmt(self, stmt);
    }

    fn visit_expr(&mut self, expr: &'ast Expr) {
        match expr {
            // Constants, and what has its own syntax.
            Expr::Const(_) | Expr::Macro(_) => return,
            Expr::Repeat(repeat) => return self.visit_expr(&repeat.expr),
            Expr::Path(path) => {
                if let Some(last) = path.path.segments.last() {
                    let name = last.ident.to_string();
                    for weaker in weaker(&name) {
                        self.instead(path.span(), format!("{ORDERING}{weaker}"));
                    }
                    if name.len() > 1 && !name.contains(char::is_lowercase) {
                        self.instead(path.span(), format!("{} + 1", self.source(path.span())));
                    }
                }
            }
            Expr::Lit(literal) => {
                for to in other_literals(&literal.lit) {
                    self.instead(literal.span(), to);
                }
            }
            Expr::Unary(unary) if matches!(unary.op, syn::UnOp::Not(_)) => {
                self.instead(unary.span(), self.source(unary.expr.span()).to_owned());
            }
            Expr::Binary(binary) => self.binary(binary),
            Expr::MethodCall(call) => self.method_call(call),
            Expr::Call(call) => self.call(call),
            Expr::If(choice) => self.condition(&choice.cond, true),
            Expr::While(cycle) => self.condition(&cycle.cond, false),
            _ => {}
        }
        visit::visit_expr(self, expr);
    }

    fn visit_arm(&mut self, arm: &'ast syn::Arm) {
        if let Some((_, guard)) = &arm.guard {
            self.condition(guard, true);
        }
        visit::visit_arm(self, arm);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changes(source: &str) -> Vec<String> {
        mutations("src/x.rs", source).unwrap().iter().map(Mutation::change).collect()
    }

    #[test]
    fn each_kind_of_place_is_found() {
        let source =
            "impl X { fn f() { futon::wake_all(x); x.fetch_add(n, AcqRel); if !a && BC { y } } }";
        let expected = [
            "!a && BC → !a",
            "!a && BC → BC",
            "!a && BC → false",
            "!a && BC → true",
            "!a → a",
            "AcqRel → Acquire",
            "AcqRel → Release",
            "BC → BC + 1",
            "all → return;",
            "futon::wake_all(x) → ()",
            "futon::wake_all(x) → futon::wake_one(x)",
            "futon::wake_all(x); → nothing",
            "x.fetch_add(n, AcqRel) → the same in two steps",
            "x.fetch_add(n, AcqRel); → nothing",
        ];
        let mut found = changes(source);
        found.sort();
        assert_eq!(found, expected);
    }

    #[test]
    fn a_comment_makes_no_other_mutation_of_one() {
        let ids =
            |source| mutations("src/x.rs", source).unwrap().iter().map(|m| m.id).collect::<Vec<_>>();
        let code = ids("fn f() {\n    x == 1;\n}\n");
        assert_eq!(code, ids("/// All.\n#[must_use]\nfn f() {\n    // And more.\n    x == 1;\n}\n"));
        assert!(ids("fn f() {\n    x == 2;\n}\n").iter().all(|id| !code.contains(id)));
    }

    #[test]
    fn tests_and_constants_are_left_alone() {
        assert_eq!(changes("#[cfg(test)] mod tests { fn f() { x == 1; } }"), [""; 0]);
        assert_eq!(changes("const fn f() -> u32 { 1 + A }\nconst B: u32 = 1 + 2;"), [""; 0]);
        assert_eq!(changes("fn f() -> [u8; 3] { match x { 1 => [b; 3], _ => y } }"), [""; 0]);
    }
}
