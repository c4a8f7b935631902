//! All mutations of a file at once, each of them behind a question.
//!
//! `a < b` becomes `(if crate::mutations::on(7) {a <= b} else {a < b})`, and so on for each place, also where one lies in
//! another. What is off is the source as it was.

use std::ops::Range;

use crate::find::{Mutation, Way};

/// The text, and which mutations each part of it comes from, outer parts before inner ones.
#[derive(Default)]
pub struct Woven {
    pub text: String,
    pub parts: Vec<(Range<usize>, Vec<usize>)>,
}

/// Those of one file, with their numbers.
pub fn weave<'a>(source: &str, mutations: impl Iterator<Item = (usize, &'a Mutation)>) -> Woven {
    let mut mutations: Vec<_> = mutations.collect();
    mutations.sort_by_key(|(number, mutation)| {
        (mutation.place.start, usize::MAX - mutation.place.end, *number)
    });
    let groups: Vec<_> =
        mutations.chunk_by(|(_, a), (_, b)| a.place == b.place && a.way == b.way).collect();
    let mut woven = Woven::default();
    woven.between(source, 0..source.len(), &groups);
    woven
}

type Group<'a> = [(usize, &'a Mutation)];

impl Woven {
    /// A piece of the source with all that is in it.
    fn between(&mut self, source: &str, piece: Range<usize>, mut groups: &[&Group]) {
        let mut at = piece.start;
        while let Some((group, others)) = groups.split_first() {
            let place = group[0].1.place.clone();
            let inside = others.partition_point(|other| other[0].1.place.start < place.end);
            self.text.push_str(&source[at..place.start]);
            self.group(source, group, &others[..inside]);
            (at, groups) = (place.end, &others[inside..]);
        }
        self.text.push_str(&source[at..piece.end]);
    }

    /// One place.
    fn group(&mut self, source: &str, group: &Group, inside: &[&Group]) {
        let (start, place) = (self.text.len(), group[0].1.place.clone());
        let part = self.parts.len();
        self.parts.push((0..0, group.iter().map(|(number, _)| *number).collect()));
        match group[0].1.way {
            Way::Instead => {
                self.text.push('(');
                for (number, mutation) in group {
                    self.text.push_str(&format!("if crate::mutations::on({number}) {{"));
                    self.alternative(*number, &mutation.to);
                    self.text.push_str("} else ");
                }
                self.text.push('{');
                self.between(source, place, inside);
                self.text.push_str("})");
            }
            Way::Without => {
                self.text.push_str(&format!("if !crate::mutations::on({}) {{", group[0].0));
                self.between(source, place, inside);
                self.text.push('}');
            }
            Way::First => {
                for (number, mutation) in group {
                    self.text.push_str(&format!(" if crate::mutations::on({number}) {{"));
                    self.alternative(*number, &mutation.to);
                    self.text.push('}');
                }
            }
        }
        self.parts[part].0 = start..self.text.len();
    }

    fn alternative(&mut self, number: usize, code: &str) {
        let start = self.text.len();
        self.text.push_str(code);
        self.parts.push((start..self.text.len(), vec![number]));
    }

    /// Whose part this place of the text is: those of the smallest part that holds it.
    pub fn at(&self, place: Range<usize>) -> &[usize] {
        let holds = |(part, _): &&(Range<usize>, _)| part.start <= place.start && place.end <= part.end;
        let smallest = self.parts.iter().filter(holds).min_by_key(|(part, _)| part.len());
        smallest.map_or(&[], |(_, numbers)| numbers)
    }
}

impl Woven {
    /// Whose parts lie within this piece of the text.
    pub fn within(&self, piece: Range<usize>) -> Vec<usize> {
        let inside =
            self.parts.iter().filter(|(part, _)| piece.start <= part.start && part.end <= piece.end);
        inside.flat_map(|(_, numbers)| numbers.iter().copied()).collect()
    }
}

/// What the woven sources ask. It goes to the end of `lib.rs`.
///
/// With plain system calls, since it is asked in the midst of what the tests look at: it must not allocate, and
/// needs little of a stack.
pub fn question(mutations: usize) -> String {
    QUESTION.replace("MUTATIONS", &mutations.to_string())
}

const QUESTION: &str = r#"
#[doc(hidden)]
#[allow(missing_docs, clippy::all)]
pub mod mutations {
    use std::sync::atomic::{AtomicI32, AtomicU8, AtomicU32, Ordering::*};

    const UNKNOWN: u32 = u32::MAX;
    const NONE: u32 = u32::MAX - 1;
    const ALL_ARE_TOLD: u32 = u32::MAX - 2;
    static ON: AtomicU32 = AtomicU32::new(UNKNOWN);
    static TOLD: [AtomicU8; MUTATIONS] = [const { AtomicU8::new(0) }; MUTATIONS];
    static FILE: AtomicI32 = AtomicI32::new(-1);

    #[inline]
    pub fn on(number: u32) -> bool {
        match ON.load(Relaxed) {
            UNKNOWN => {
                start();
                on(number)
            }
            ALL_ARE_TOLD => tell(number),
            one => one == number,
        }
    }

    #[cold]
    fn start() {
        // SAFETY: two names that end with a zero; nobody changes the environment.
        let (one, file) = unsafe {
            (libc::getenv(c"FUTON_MUTATION".as_ptr()), libc::getenv(c"FUTON_REACHED".as_ptr()))
        };
        if !file.is_null() {
            // SAFETY: a name that ends with a zero.
            let file = unsafe { libc::open(file, libc::O_WRONLY | libc::O_APPEND) };
            FILE.store(file, Relaxed);
            ON.store(ALL_ARE_TOLD, Relaxed);
        } else if !one.is_null() {
            // SAFETY: as above.
            ON.store(unsafe { libc::atoi(one) } as u32, Relaxed);
        } else {
            ON.store(NONE, Relaxed);
        }
    }

    #[cold]
    fn tell(number: u32) -> bool {
        if TOLD[number as usize].swap(1, Relaxed) == 0 {
            // SAFETY: four bytes of this thread's own.
            unsafe { libc::write(FILE.load(Relaxed), (&raw const number).cast(), 4) };
        }
        false
    }
}
"#;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::find::mutations;

    fn woven(source: &str) -> Woven {
        weave(source, mutations("src/x.rs", source).unwrap().iter().enumerate())
    }

    #[test]
    fn a_place_in_another_is_changed_only_where_that_one_is_as_it_was() {
        let woven = woven("fn f(a: u32) -> char { g(a < b + c) }");
        let expected = "fn f(a: u32) -> char { g((if crate::mutations::on(0) {a <= b + c} \
                        else {a < (if crate::mutations::on(1) {b - c} else {b + c})})) }";
        assert_eq!(woven.text, expected);
        let at = |code: &str| woven.text.find(code).map(|start| woven.at(start..start + code.len()));
        assert_eq!(at("a <= b + c"), Some(&[0][..]));
        assert_eq!(at("a < (if"), Some(&[0][..]));
        assert_eq!(at("b - c"), Some(&[1][..]));
        assert_eq!(at("fn f"), Some(&[][..]));
    }

    #[test]
    fn statements_are_left_out_and_functions_return_at_once() {
        let woven = woven("fn f() -> bool {\n    g(h);\n    h\n}");
        let expected = "fn f() -> bool { if crate::mutations::on(0) {return true;} \
                        if crate::mutations::on(1) {return false;}\n    \
                        if !crate::mutations::on(2) {g(h);}\n    h\n}";
        assert_eq!(woven.text, expected);
    }
}
