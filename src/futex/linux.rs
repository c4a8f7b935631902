//! Linux and Android: the system call that gave the futex its name.
//!
//! Waits without a limit and the usual wakes are [`atomic_wait`]'s. It has neither timed waits nor a
//! count of the woken, so those are called here; they share the kernel's queue with its own.

use core::ptr;

pub(super) use atomic_wait::{wait, wake_all, wake_one};

use super::Outcome;
use crate::atomic::AtomicU32;
use crate::deadline::Deadline;

/// The call whose `timespec` is libc's. Where a 32-bit target has times of 64 bits, that is another one.
const FUTEX: libc::c_long = if size_of::<libc::time_t>() > size_of::<libc::c_long>() {
    422 // futex_time64, the same number on all of them
} else {
    libc::SYS_futex
};

pub(super) fn wait_until(word: &AtomicU32, expected: u32, deadline: Deadline) -> Outcome {
    let Some(at) = on_the_kernels_clock(deadline) else {
        wait(word, expected);
        return Outcome::Awake;
    };
    loop {
        // SAFETY: `word` and `at` are alive during the call, which writes to neither.
        let result = unsafe {
            libc::syscall(
                FUTEX,
                ptr::from_ref(word),
                // Unlike FUTEX_WAIT, the bitset form takes an absolute time, on CLOCK_MONOTONIC.
                libc::FUTEX_WAIT_BITSET | libc::FUTEX_PRIVATE_FLAG,
                expected,
                ptr::from_ref(&at),
                ptr::null::<u32>(),
                !0u32, // any wake will do
            )
        };
        if result == 0 {
            return Outcome::Awake;
        }
        match errno() {
            libc::ETIMEDOUT => return Outcome::TimedOut,
            // A signal. The deadline is absolute, so that sleeping again does not prolong the wait.
            libc::EINTR => {}
            // EAGAIN: the word holds another value. Whatever else there may be is a return without a
            // reason, which the contract allows.
            _ => return Outcome::Awake,
        }
    }
}

pub(super) fn wake(word: *const AtomicU32, count: usize) -> usize {
    let count = i32::try_from(count).unwrap_or(i32::MAX);
    // SAFETY: the kernel uses the address as a name only and accepts any.
    let woken =
        unsafe { libc::syscall(FUTEX, word, libc::FUTEX_WAKE | libc::FUTEX_PRIVATE_FLAG, count) };
    // Negative is EFAULT: the memory is gone, and so are its sleepers.
    usize::try_from(woken).unwrap_or(0)
}

pub(super) fn requeue_one(word: &AtomicU32, expected: u32, to: *const AtomicU32) -> bool {
    // Miri runs the other calls, and does not know this one.
    if cfg!(miri) {
        return false;
    }
    // SAFETY: `word` is alive during the call, which reads it; `to` is used as a name only.
    let result = unsafe {
        libc::syscall(
            FUTEX,
            ptr::from_ref(word),
            libc::FUTEX_CMP_REQUEUE | libc::FUTEX_PRIVATE_FLAG,
            0,       // to wake
            1_usize, // to move: here in the place of a time, and as wide as that
            to,
            expected,
        )
    };
    // How many were moved, or EAGAIN: the word holds another value.
    result >= 0
}

/// The deadline as the kernel wants it, `None` if its clock does not reach that far.
fn on_the_kernels_clock(deadline: Deadline) -> Option<libc::timespec> {
    // The remaining time is read first and the kernel's clock second: what passes in between makes
    // the wait end late by that much, never early.
    let remaining = deadline.remaining()?;
    let mut at = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `at` is valid for writes; this clock always exists, so that the call can not fail.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut at) };

    let nanos = at.tv_nsec as u64 + u64::from(remaining.subsec_nanos());
    let secs =
        (at.tv_sec as u64).checked_add(remaining.as_secs())?.checked_add(nanos / NANOS_PER_SEC)?;
    at.tv_sec = libc::time_t::try_from(secs).ok()?;
    // Below a billion, or the kernel refuses it. The type of the field differs between targets.
    at.tv_nsec = (nanos % NANOS_PER_SEC) as _;
    Some(at)
}

const NANOS_PER_SEC: u64 = 1_000_000_000;

fn errno() -> i32 {
    // Reads errno; does not allocate for the codes that come from the system.
    std::io::Error::last_os_error().raw_os_error().unwrap_or(0)
}

/// Whether a thread may look for a while before it sleeps.
pub(crate) const SPINS: bool = true;
