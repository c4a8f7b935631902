//! Half a second of each subject, and what the command says to arguments.

use std::process::{Command, Output};

fn stress(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_futon-stress")).args(arguments).output().expect("it runs")
}

#[track_caller]
fn assert_is_well(arguments: &[&str]) -> String {
    let output = stress(arguments);
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{}\n{out}{err}", output.status);
    out.into_owned()
}

macro_rules! half_a_second_of {
    ($($name:ident)*) => {
        $(
            #[test]
            fn $name() {
                let out = assert_is_well(&["--seconds", "0.5", stringify!($name)]);
                assert!(out.contains("all is well") && out.contains(" rounds "), "{out}");
            }
        )*
    };
}

half_a_second_of!(lock rlock acquire_all semaphore bounded_semaphore event condition barrier queue shared_iter par_map mix);

#[test]
fn all_subjects_have_their_turns_if_none_is_named() {
    let out = assert_is_well(&["--seconds=0.5", "--threads", "3"]);
    for name in ["lock", "rlock", "acquire_all", "semaphore", "bounded_semaphore", "event", "condition"]
    {
        assert!(out.contains(&format!("{name} ")), "{out}");
    }
    assert!(
        out.contains("barrier ")
            && out.contains("queue ")
            && out.contains("shared_iter ")
            && out.contains("par_map ")
            && out.contains("mix "),
        "{out}"
    );
}

#[test]
fn a_seed_is_printed_as_it_was_given() {
    let out = assert_is_well(&["--seed", "18446744073709551615", "--seconds", "0.01", "lock"]);
    assert!(out.starts_with("seed 18446744073709551615, "), "{out}");
}

#[test]
fn help_names_all_subjects_and_options() {
    let help = assert_is_well(&["--help", "lock"]);
    let words = "lock rlock acquire_all semaphore bounded_semaphore event condition barrier queue shared_iter par_map mix \
                 --seconds --minutes --hours --seed --threads --patience";
    for word in words.split_whitespace() {
        assert!(help.contains(word), "{word} is missing");
    }
}

#[test]
fn senseless_arguments_are_refused() {
    let senseless: [&[&str]; 14] = [
        &["mutex"],
        &["lock", "lock"],
        &["--quick"],
        &["--seconds"],
        &["--seconds", "soon"],
        &["--seconds", "0"],
        &["--seconds", "-1"],
        &["--hours", "nan"],
        &["--seconds", "1", "--seconds", "1"],
        &["--seconds", "1", "--minutes", "1"],
        &["--threads", "1"],
        &["--threads", "1001"],
        &["--seed", "x"],
        &["--seed", "18446744073709551616"],
    ];
    for arguments in senseless {
        let output = stress(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(output.stdout.is_empty(), "{arguments:?}");
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(error.starts_with("futon-stress: ") && error.contains("--help"), "{error}");
    }
}
