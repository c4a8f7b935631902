//! A count of the futex calls of a thread, for the claim that there are none without a sleeper.
//!
//! The kernel itself counts: a seccomp filter on the thread under test turns each call on the words in
//! question into a signal, in the place of the call. So a call that is counted is *not* made; a wake that
//! is swallowed in this way has to be made good by the test.

#![cfg(all(target_os = "linux", target_pointer_width = "64", target_endian = "little", not(miri)))]

use std::cell::Cell;
use std::mem::offset_of;
use std::ptr;
use std::sync::Once;
use std::sync::atomic::AtomicU32;
use std::thread;

use futon::deadline::Deadline;
use futon::futex;

/// The calls of one thread on one object.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Calls {
    pub wakes_of_one: usize,
    pub wakes_of_more: usize,
    pub waits: usize,
    /// Calls with which a thread passes time.
    pub yields: usize,
}

impl Calls {
    pub const NONE: Self = Self { wakes_of_one: 0, wakes_of_more: 0, waits: 0, yields: 0 };
}

const WAKE_OF_ONE: u32 = 1;
const WAKE_OF_MORE: u32 = 2;
const WAIT: u32 = 3;
const YIELD: u32 = 4;

thread_local! {
    static CALLS: Cell<Calls> = const { Cell::new(Calls::NONE) };
}

/// Runs `f` on a thread of its own and counts its futex calls on the words in `object`.
///
/// `None`, and `f` has not run, where the system does not let a thread be filtered.
pub fn calls_on<T: Sync>(object: &T, f: impl FnOnce() + Send) -> Option<Calls> {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(install);
    thread::scope(|s| {
        let counted = s.spawn(|| {
            if !filter(ptr::from_ref(object).addr(), size_of::<T>()) {
                eprintln!("not tested: the system lets no thread be filtered");
                return None;
            }
            f();
            Some(CALLS.get())
        });
        counted.join().unwrap()
    })
}

fn install() {
    extern "C" fn handle(_: libc::c_int, info: *mut libc::siginfo_t, _: *mut libc::c_void) {
        // SAFETY: the kernel passes a valid pointer. For a filtered call it is the filter's own number.
        let kind = unsafe { (*info).si_errno };
        let mut calls = CALLS.get();
        match kind as u32 {
            WAKE_OF_ONE => calls.wakes_of_one += 1,
            WAKE_OF_MORE => calls.wakes_of_more += 1,
            WAIT => calls.waits += 1,
            _ => calls.yields += 1,
        }
        CALLS.set(calls);
    }
    let handle: extern "C" fn(libc::c_int, *mut libc::siginfo_t, *mut libc::c_void) = handle;
    // SAFETY: all-zero is a valid value of this plain C struct: no flags, an empty mask.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    action.sa_sigaction = handle as usize;
    action.sa_flags = libc::SA_SIGINFO;
    // SAFETY: the signal comes in the place of a call of the same thread, nowhere in the middle of
    // something, and the handler only writes to thread-local cells without destructors.
    let result = unsafe { libc::sigaction(libc::SIGSYS, &raw const action, ptr::null_mut()) };
    assert_eq!(result, 0);
}

/// Filters the calls of this thread, from now until it ends.
fn filter(address: usize, size: usize) -> bool {
    let argument = |n: usize| (offset_of!(libc::seccomp_data, args) + 8 * n) as u32;
    let (low, high) = (address as u32, (address as u64 >> 32) as u32);
    let last = low.checked_add(size as u32 - 1).expect("an object across a multiple of 4 GiB");

    // A jump skips so many instructions if the comparison holds, and so many if not.
    let load = |at: u32| instruction(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, at, 0, 0);
    let and = |mask: u32| instruction(libc::BPF_ALU | libc::BPF_AND | libc::BPF_K, mask, 0, 0);
    let is = |value: u32, yes: u8, no: u8| {
        instruction(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, value, yes, no)
    };
    let at_least = |value: u32, yes: u8, no: u8| {
        instruction(libc::BPF_JMP | libc::BPF_JGE | libc::BPF_K, value, yes, no)
    };
    let above = |value: u32, yes: u8, no: u8| {
        instruction(libc::BPF_JMP | libc::BPF_JGT | libc::BPF_K, value, yes, no)
    };
    let end = |result: u32| instruction(libc::BPF_RET | libc::BPF_K, result, 0, 0);

    let mut program = [
        load(offset_of!(libc::seccomp_data, nr) as u32),
        is(libc::SYS_sched_yield as u32, 16, 0),
        is(libc::SYS_clock_nanosleep as u32, 15, 0),
        is(libc::SYS_futex as u32, 0, 10),
        load(argument(0) + 4),
        is(high, 0, 8),
        load(argument(0)),
        at_least(low, 0, 6),
        above(last, 5, 0),
        load(argument(1)),
        and(0x7f), // the operation without its flags
        is(libc::FUTEX_WAKE as u32, 0, 5),
        load(argument(2)),
        is(1, 1, 2),
        end(libc::SECCOMP_RET_ALLOW),
        end(libc::SECCOMP_RET_TRAP | WAKE_OF_ONE),
        end(libc::SECCOMP_RET_TRAP | WAKE_OF_MORE),
        end(libc::SECCOMP_RET_TRAP | WAIT),
        end(libc::SECCOMP_RET_TRAP | YIELD),
    ];
    let program =
        libc::sock_fprog { len: program.len() as libc::c_ushort, filter: program.as_mut_ptr() };
    // SAFETY: gives up rights that this thread does not need; touches no memory.
    let result = unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) };
    if result != 0 {
        return false;
    }
    let mode = libc::c_ulong::from(libc::SECCOMP_MODE_FILTER);
    // SAFETY: the program is valid during the call, which copies it. It applies to this thread alone.
    unsafe { libc::prctl(libc::PR_SET_SECCOMP, mode, &raw const program) == 0 }
}

fn instruction(code: u32, k: u32, jt: u8, jf: u8) -> libc::sock_filter {
    libc::sock_filter { code: code as u16, jt, jf, k }
}

#[test]
fn the_counter_counts() {
    let words = [const { AtomicU32::new(0) }; 3];
    let Some(calls) = calls_on(&words[1], || {
        futex::wake_one(&words[1]);
        futex::wake_all(&words[1]);
        futex::wake(&words[1], 2);
        futex::wait(&words[1], 0);
        futex::wait(&words[1], 0);
        futex::wait(&words[1], 0);
        futex::wait_until(&words[1], 0, Deadline::after(std::time::Duration::from_secs(60)));
        (0..5).for_each(|_| thread::yield_now());
        // The words beside it are let through.
        futex::wake_one(&words[0]);
        futex::wake_one(&words[2]);
    }) else {
        return;
    };
    assert_eq!(calls, Calls { wakes_of_one: 1, wakes_of_more: 2, waits: 4, yields: 5 });
}
