//! How large a run is to be: whole numbers from the command line. Nothing in here is about threads.

use std::ops::RangeInclusive;
use std::{array, env, process};

/// Its name, what it is, what it may be, and what it is where it is not given.
pub type Size<'a> = (&'a str, &'a str, RangeInclusive<usize>, usize);

/// Reads the arguments, in this order; the last ones may be left out.
///
/// Ends the program if help is wanted, or, with status 2, if the arguments make no sense.
pub fn from_arguments<const N: usize>(about: &str, sizes: [Size; N]) -> [usize; N] {
    let given: Vec<_> = env::args_os().skip(1).map(|a| a.to_string_lossy().into_owned()).collect();
    if given.iter().any(|argument| argument == "--help" || argument == "-h") {
        print!("{}", usage(about, &sizes));
        process::exit(0);
    }
    let refuse = |why: String| -> ! {
        eprint!("{}: {why}\n\n{}", env!("CARGO_BIN_NAME"), usage(about, &sizes));
        process::exit(2);
    };
    if given.len() > N {
        refuse(format!("{} arguments are too many", given.len()));
    }
    array::from_fn(|i| {
        let (name, _, allowed, default) = &sizes[i];
        let Some(argument) = given.get(i) else { return *default };
        let number = argument.parse().ok().filter(|number| allowed.contains(number));
        let (least, most) = (allowed.start(), allowed.end());
        number.unwrap_or_else(|| {
            refuse(format!("{name} is a number from {least} to {most}, not {argument:?}"))
        })
    })
}

fn usage(about: &str, sizes: &[Size]) -> String {
    let mut usage = format!("{about}\n\nUsage: {}", env!("CARGO_BIN_NAME"));
    for (name, ..) in sizes {
        usage += &format!(" [{name}");
    }
    usage += &"]".repeat(sizes.len());
    usage += "\n\n";
    for (name, what, allowed, default) in sizes {
        let (least, most) = (allowed.start(), allowed.end());
        usage += &format!("  {name:<12} {what}, from {least} to {most} ({default})\n");
    }
    usage
}
