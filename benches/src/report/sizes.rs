//! How many bytes the primitives take, without what they protect.

use std::fmt::Write;

use crate::peers::{barriers, events, mutexes, reentrant, semaphores};

/// Writes the table.
pub fn write(page: &mut String) -> std::fmt::Result {
    const NUMBER: usize = size_of::<u64>();

    let rows: [(&str, &[(&str, usize)]); 6] = [
        (
            "lock",
            &[
                ("futon", size_of::<futon::Lock<()>>()),
                ("std", size_of::<std::sync::Mutex<()>>()),
                ("parking_lot", size_of::<parking_lot::Mutex<()>>()),
                ("usync", size_of::<usync::Mutex<()>>()),
                ("pthread", size_of::<mutexes::Pthread>() - NUMBER),
            ],
        ),
        (
            "re-entrant lock",
            &[
                ("futon", size_of::<futon::RLock<()>>()),
                ("parking_lot", size_of::<reentrant::ParkingLot>() - NUMBER),
                ("usync", size_of::<reentrant::Usync>() - NUMBER),
                ("pthread", size_of::<libc::pthread_mutex_t>()),
            ],
        ),
        (
            "semaphore",
            &[
                ("futon", size_of::<futon::Semaphore>()),
                ("sem_t", size_of::<libc::sem_t>()),
                ("tokio", size_of::<semaphores::Tokio>()),
                ("async-lock", size_of::<semaphores::AsyncLock>()),
            ],
        ),
        (
            "event",
            &[
                ("futon", size_of::<futon::Event>()),
                ("rsevents", size_of::<rsevents::ManualResetEvent>()),
                ("std", size_of::<events::Std>()),
                ("parking_lot", size_of::<events::ParkingLot>()),
            ],
        ),
        (
            "condition",
            &[
                ("futon", size_of::<futon::Condition>()),
                ("std", size_of::<std::sync::Condvar>()),
                ("parking_lot", size_of::<parking_lot::Condvar>()),
                ("usync", size_of::<usync::Condvar>()),
                ("pthread", size_of::<libc::pthread_cond_t>()),
            ],
        ),
        (
            "barrier",
            &[
                ("futon", size_of::<futon::Barrier>()),
                ("std", size_of::<std::sync::Barrier>()),
                ("pthread", size_of::<libc::pthread_barrier_t>()),
                ("bare futex", size_of::<barriers::Generation>()),
            ],
        ),
    ];
    writeln!(
        page,
        "## Sizes\n\nIn bytes, here, without the value that is protected. *std* and *parking_lot* as above.\n"
    )?;
    writeln!(page, "| | |\n|---|---|")?;
    for (name, sizes) in rows {
        let sizes: Vec<_> = sizes.iter().map(|(whose, size)| format!("{whose} {size}")).collect();
        writeln!(page, "| {name} | {} |", sizes.join(", "))?;
    }
    Ok(())
}
