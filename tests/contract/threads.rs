//! What the tests have in common: limits, conditions, time, signals and memory that goes away.

use std::cell::UnsafeCell;
use std::io::Write;
use std::mem::MaybeUninit;
use std::ops::Deref;
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Mutex, Once, mpsc};
use std::thread;
use std::time::{Duration, Instant};

/// Far more than any test takes, also where many others run.
const LIMIT: Duration = Duration::from_secs(60);

/// A time limit for the test that keeps the returned value: past it the process ends with a message.
///
/// A lost wake-up shows as a thread that sleeps for ever. Then there is no way to fail but this one.
#[must_use]
pub fn limit() -> Limit {
    // Miri reports a deadlock by itself, and would count its own slowness as time.
    if cfg!(miri) {
        return Limit { over: None, watch: None };
    }
    let test = thread::current().name().unwrap_or("a test").to_owned();
    let (over, rest) = mpsc::channel::<()>();
    let watch = thread::spawn(move || {
        if rest.recv_timeout(LIMIT) == Err(mpsc::RecvTimeoutError::Timeout) {
            // Not by `eprintln`, which is caught for a report that will never be made.
            let _ = writeln!(std::io::stderr(), "{test} hangs: not done after {LIMIT:?}");
            std::process::abort();
        }
    });
    Limit { over: Some(over), watch: Some(watch) }
}

pub struct Limit {
    over: Option<mpsc::Sender<()>>,
    watch: Option<thread::JoinHandle<()>>,
}

impl Drop for Limit {
    fn drop(&mut self) {
        self.over = None;
        if let Some(watch) = self.watch.take() {
            watch.join().unwrap();
        }
    }
}

/// Lets other threads run until `condition` holds.
///
/// Looks often, to be there in the moment when it comes true: the first moment is when mistakes show.
pub fn wait_until(condition: impl Fn() -> bool) {
    while !(0..100).any(|_| condition()) {
        thread::yield_now();
    }
}

/// How many rounds of a stress test to run: all of them, or a few where each step is interpreted.
pub fn rounds(native: usize) -> usize {
    if cfg!(miri) { native.min(5) } else { native }
}

/// The numbers of so many rounds, or, on a machine that is very busy, of those that begin within seconds.
pub fn stress(native: usize) -> impl Iterator<Item = usize> {
    let end = Instant::now() + Duration::from_secs(5);
    (0..rounds(native)).take_while(move |&round| round == 0 || Instant::now() < end)
}

/// Keeps the CPU until `moment`.
pub fn spin_until(moment: Instant) {
    while Instant::now() < moment {
        std::hint::spin_loop();
    }
}

/// What `f` returns, and how long it took.
pub fn timed<R>(f: impl FnOnce() -> R) -> (R, Duration) {
    let start = Instant::now();
    let result = f();
    (result, start.elapsed())
}

/// What no wait of a few milliseconds takes, however busy the machine is.
pub const AGES: Duration = Duration::from_secs(20);

/// Timeouts that mean "for ever", or nearly so, and that a careless conversion turns into "not at all":
/// near the ends of the types in which implementations have counted time.
pub fn endless_timeouts() -> impl Iterator<Item = Duration> {
    let seconds = [
        u64::MAX,
        i64::MAX as u64 + 1,
        i64::MAX as u64,
        i64::MAX as u64 - 1,
        u64::MAX / 1_000, // in milliseconds
        u64::MAX / 1_000_000,
        u64::MAX / 1_000_000_000,
        i64::MAX as u64 / 1_000_000_000 + 1,
        i64::MAX as u64 / 1_000_000_000,
        1 << 33,
        1 << 32,
        i32::MAX as u64,
        1 << 22, // 2^32 in milliseconds
    ];
    let nanos = [0, 1, 999_999_999];
    seconds.into_iter().flat_map(move |s| nanos.map(|n| Duration::new(s, n))).chain([
        Duration::MAX,
        Duration::MAX - Duration::from_nanos(1),
        Duration::from_nanos(u64::MAX),
        Duration::from_nanos(i64::MAX as u64),
    ])
}

/// The last moment that the clock can tell.
pub fn last_instant() -> Instant {
    let now = Instant::now();
    let mut farthest = now;
    for bit in (0..64).rev() {
        farthest = farthest.checked_add(Duration::from_secs(1 << bit)).unwrap_or(farthest);
    }
    assert!(farthest > now + Duration::from_secs(1 << 60));
    farthest
}

/// H22: that a wait for what never comes, until the moment that it is given, ends no sooner, is asleep until then
/// and does not poll, also where a second of the clock becomes full on the way.
///
/// A thread that the machine keeps from running until its time is out has no need to sleep. So there are many
/// tries, and in one of them a wait has to sleep before the full second and after it.
#[cfg(not(miri))]
pub fn assert_ends_in_the_right_second(wait_in_vain: impl Fn(Instant)) {
    // For how long it has slept.
    let sleep_until = |at: Instant| {
        let (before, busy, start) = (sleeps(), busy(), Instant::now());
        wait_in_vain(at);
        assert!(Instant::now() >= at);
        assert!(sleeps() - before <= 10, "it polls");
        start.elapsed().saturating_sub(self::busy() - busy)
    };
    let sleeps_over_the_full_second = |_| {
        let before = shortly_before_a_full_second();
        // Of what is left of this second, and then of a time half of which is in the next one.
        sleep_until(before) > Duration::ZERO && sleep_until(before + 2 * SHORTLY) > SHORTLY * 3 / 2
    };
    assert!((0..40).any(sleeps_over_the_full_second), "it does not sleep");
}

/// How long before a second is full is shortly before.
#[cfg(not(miri))]
const SHORTLY: Duration = Duration::from_millis(4);

/// A moment of the monotonic clock, a little before a second of it is full.
#[cfg(not(miri))]
fn shortly_before_a_full_second() -> Instant {
    let mut clock = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    let now = Instant::now();
    // SAFETY: `clock` is valid for writes.
    assert_eq!(unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut clock) }, 0);
    let rest = 1_000_000_000 - u64::try_from(clock.tv_nsec).unwrap();
    let early = SHORTLY.as_nanos() as u64;
    let wait = if rest > early { rest - early } else { rest + 1_000_000_000 - early };
    now + Duration::from_nanos(wait)
}

/// How often the calling thread has gone to sleep, be it on a futex or elsewhere.
#[cfg(not(miri))]
pub fn sleeps() -> i64 {
    let mut usage = MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: `usage` is valid for writes.
    assert_eq!(unsafe { libc::getrusage(libc::RUSAGE_THREAD, usage.as_mut_ptr()) }, 0);
    // SAFETY: all-zero is a valid value of this plain C struct, and the kernel has written to it.
    unsafe { usage.assume_init() }.ru_nvcsw
}

/// Keeps the calling thread on one CPU of those that it may use: on the first, the second and so on.
#[cfg(all(target_os = "linux", not(miri)))]
pub fn stay_on_cpu(number: usize) {
    // SAFETY: an all-zero set is a valid value of this plain C struct.
    let mut set: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    let size = size_of_val(&set);
    // SAFETY: the kernel writes at most the size that is passed.
    assert_eq!(unsafe { libc::sched_getaffinity(0, size, &raw mut set) }, 0);
    // SAFETY: reads the set alone, and the number is within it.
    let is_ours = |cpu: &usize| unsafe { libc::CPU_ISSET(*cpu, &set) };
    let cpus: Vec<usize> = (0..libc::CPU_SETSIZE as usize).filter(is_ours).collect();

    // SAFETY: as above.
    let mut one: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    // SAFETY: writes to the set alone, and the number is within it.
    unsafe { libc::CPU_SET(cpus[number % cpus.len()], &mut one) };
    // SAFETY: the set is valid during the call, which only reads it.
    assert_eq!(unsafe { libc::sched_setaffinity(0, size, &raw const one) }, 0);
}

/// The system's number of the calling thread, for [`is_asleep`].
#[cfg(all(target_os = "linux", not(miri)))]
pub fn system_id() -> i32 {
    // SAFETY: has no preconditions.
    unsafe { libc::gettid() }
}

/// Whether the thread with this number sleeps: being counted as a waiter comes before that.
#[cfg(all(target_os = "linux", not(miri)))]
pub fn is_asleep(system_id: i32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/self/task/{system_id}/stat"));
    // Behind the name, which may contain anything, comes the state.
    stat.is_ok_and(|stat| stat.rsplit(')').next().unwrap_or_default().starts_with(" S"))
}

/// How long the calling thread has been ready to run, so far, while others had the CPU. Nothing where the system
/// does not say.
#[cfg(all(target_os = "linux", not(miri)))]
pub fn kept_from_running() -> Duration {
    on_the_cpu_and_ready()[1]
}

/// How long it has run or been ready to.
#[cfg(not(miri))]
fn busy() -> Duration {
    on_the_cpu_and_ready().iter().sum()
}

#[cfg(not(miri))]
fn on_the_cpu_and_ready() -> [Duration; 2] {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let mut nanos = stat.split(' ').map(|nanos| nanos.parse().unwrap_or(0));
    [(); 2].map(|()| Duration::from_nanos(nanos.next().unwrap_or(0)))
}

/// Numbers without a pattern, the same in each run.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number below `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}

/// A number without any protection of its own.
///
/// Where threads use it without an order between them it may be an old one; and ThreadSanitizer and Miri see that there
/// is none.
pub struct Unprotected(UnsafeCell<usize>);

// SAFETY: whether it is right that threads share this is what the tests are about.
unsafe impl Sync for Unprotected {}

impl Unprotected {
    pub const fn new() -> Self {
        Self(UnsafeCell::new(0))
    }

    pub fn get(&self) -> usize {
        // SAFETY: what is tested sees to it that nobody writes.
        unsafe { *self.0.get() }
    }

    pub fn set(&self, new: usize) {
        // SAFETY: what is tested sees to it that nobody else is here.
        unsafe { *self.0.get() = new }
    }
}

/// A value in a page of memory of its own.
///
/// Once it is freed, whoever still touches it ends with a segmentation fault, where a freed box would
/// mostly go unnoticed. Where AddressSanitizer watches, it is a box: that is what it knows best.
pub struct Page<T>(NonNull<T>);

// SAFETY: a `Page` is a reference that is shared between threads, and whoever frees it drops the value.
unsafe impl<T: Send + Sync> Send for Page<T> {}

impl<T> Page<T> {
    const SIZE: usize = 4096;

    pub fn new(value: T) -> Self {
        const { assert!(size_of::<T>() <= Self::SIZE) };
        if cfg!(futon_heap) {
            return Self(NonNull::from(Box::leak(Box::new(value))));
        }
        // SAFETY: asks for new memory; touches none that there is.
        let memory = unsafe {
            libc::mmap(
                ptr::null_mut(),
                Self::SIZE,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
                -1,
                0,
            )
        };
        assert_ne!(memory, libc::MAP_FAILED);
        let place = NonNull::new(memory.cast::<T>()).unwrap();
        // SAFETY: the memory is new, large enough, and aligned to a page.
        unsafe { place.write(value) };
        Self(place)
    }

    /// One more reference to the same page.
    pub fn share(&self) -> Self {
        Self(self.0)
    }

    /// Drops the value and gives the memory back to the system.
    ///
    /// # Safety
    ///
    /// Nobody uses the value any more, through this or any other reference.
    pub unsafe fn free(self) {
        if cfg!(futon_heap) {
            // SAFETY: what `new` has leaked, and the caller is the last one to know of it.
            drop(unsafe { Box::from_raw(self.0.as_ptr()) });
            return;
        }
        // SAFETY: the value was written in `new`, and the caller is the last one to know of it.
        unsafe { self.0.drop_in_place() };
        // SAFETY: what `new` has mapped, and nothing else.
        let result = unsafe { libc::munmap(self.0.as_ptr().cast(), Self::SIZE) };
        assert_eq!(result, 0);
    }
}

impl<T> Deref for Page<T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: the page is there until `free`, whose caller promises that nobody comes here later.
        unsafe { self.0.as_ref() }
    }
}

/// Signals that come one after the other at a thread that blocks.
pub struct Storm {
    sent: AtomicUsize,
    over: AtomicBool,
}

static HANDLED: AtomicUsize = AtomicUsize::new(0);

impl Storm {
    /// Runs `f` on this thread while another one interrupts it all the time.
    ///
    /// The handler is installed without `SA_RESTART`, so that every system call that can be interrupted
    /// is. `f` is given the storm so that others can tell how many signals there have been.
    pub fn around<R>(&self, f: impl FnOnce() -> R) -> R {
        // One storm at a time, or they would slow each other down.
        static ONE: Mutex<()> = Mutex::new(());
        let _one = ONE.lock().unwrap_or_else(|poison| poison.into_inner());
        static INSTALLED: Once = Once::new();
        INSTALLED.call_once(Self::install);

        struct Over<'a>(&'a Storm);
        impl Drop for Over<'_> {
            fn drop(&mut self) {
                self.0.over.store(true, SeqCst);
            }
        }

        let handled = HANDLED.load(SeqCst);
        // SAFETY: has no preconditions.
        let target = unsafe { libc::pthread_self() };
        let result = thread::scope(|s| {
            s.spawn(move || {
                while !self.over.load(SeqCst) {
                    // SAFETY: the target is alive: it does not leave the scope before this thread ends.
                    assert_eq!(unsafe { libc::pthread_kill(target, libc::SIGUSR1) }, 0);
                    self.sent.fetch_add(1, SeqCst);
                    // Now and then rarely enough that the target comes to sleep in between.
                    thread::yield_now();
                }
            });
            let _over = Over(self);
            f()
        });
        assert!(HANDLED.load(SeqCst) > handled, "no signal was delivered");
        result
    }

    pub const fn new() -> Self {
        Self { sent: AtomicUsize::new(0), over: AtomicBool::new(false) }
    }

    /// How many signals there have been up to now.
    pub fn sent(&self) -> usize {
        self.sent.load(SeqCst)
    }

    fn install() {
        extern "C" fn handle(_: libc::c_int) {
            HANDLED.fetch_add(1, SeqCst);
        }
        let handle: extern "C" fn(libc::c_int) = handle;
        // SAFETY: all-zero is a valid value of this plain C struct: no flags, an empty mask.
        let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
        action.sa_sigaction = handle as usize;
        // SAFETY: the handler does nothing but add to an atomic, which a signal handler may.
        let result = unsafe { libc::sigaction(libc::SIGUSR1, &raw const action, ptr::null_mut()) };
        assert_eq!(result, 0);
    }
}
