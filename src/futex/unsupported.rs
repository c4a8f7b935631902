//! Systems whose timed wait has not been written yet. Nothing here polls or pretends.

compile_error!(
    "futon has no timed futex wait for this target yet. \
     Write src/futex/<system>.rs with `wait`, `wait_until`, `wake_one`, `wake`, `wake_all`, \
     `requeue_one` and `SPINS` to the contract in src/futex.rs (src/futex/linux.rs is the example), and name it \
     there beside `mod platform`."
);
