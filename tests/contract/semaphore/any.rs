//! The two semaphores behind one trait, their forms of acquire in lists, and what tests of them share.

use std::fmt::Debug;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use futon::{BoundedSemaphore, Permit, PermitArc, ReleaseError, Semaphore};

pub const LONG: Duration = Duration::from_secs(3600);
pub const SHORT: Duration = Duration::from_micros(50);
pub const MAX: u32 = Semaphore::MAX_PERMITS;

/// Either semaphore. What is about both is written once and run for each.
pub trait AnySemaphore: Debug + Default + Send + Sync + 'static {
    fn made_with(permits: u32) -> Self;
    fn acquire(&self) -> Permit<'_>;
    fn try_acquire(&self) -> Option<Permit<'_>>;
    fn acquire_timeout(&self, timeout: Duration) -> Option<Permit<'_>>;
    fn acquire_deadline(&self, deadline: Instant) -> Option<Permit<'_>>;
    fn acquire_many(&self, permits: u32) -> Permit<'_>;
    fn try_acquire_many(&self, permits: u32) -> Option<Permit<'_>>;
    fn acquire_many_timeout(&self, permits: u32, timeout: Duration) -> Option<Permit<'_>>;
    fn acquire_many_deadline(&self, permits: u32, deadline: Instant) -> Option<Permit<'_>>;
    fn acquire_arc(self: &Arc<Self>) -> PermitArc;
    fn try_acquire_arc(self: &Arc<Self>) -> Option<PermitArc>;
    fn acquire_timeout_arc(self: &Arc<Self>, timeout: Duration) -> Option<PermitArc>;
    fn acquire_deadline_arc(self: &Arc<Self>, deadline: Instant) -> Option<PermitArc>;
    fn acquire_many_arc(self: &Arc<Self>, permits: u32) -> PermitArc;
    fn try_acquire_many_arc(self: &Arc<Self>, permits: u32) -> Option<PermitArc>;
    fn acquire_many_timeout_arc(self: &Arc<Self>, permits: u32, timeout: Duration)
    -> Option<PermitArc>;
    fn acquire_many_deadline_arc(
        self: &Arc<Self>,
        permits: u32,
        deadline: Instant,
    ) -> Option<PermitArc>;
    fn release(&self, permits: u32) -> Result<(), ReleaseError>;
    fn available(&self) -> u32;
    fn waiters(&self) -> usize;
}

macro_rules! any_semaphore {
    ($Semaphore:ident, $(fn $name:ident($self:ident: $This:ty $(, $arg:ident: $Arg:ty)*) -> $Result:ty;)*) => {
        impl AnySemaphore for $Semaphore {
            fn made_with(permits: u32) -> Self {
                Self::new(permits)
            }
            // The semaphore's own methods come before those of the trait.
            $(fn $name($self: $This $(, $arg: $Arg)*) -> $Result {
                Self::$name($self $(, $arg)*)
            })*
        }
    };
    ($Semaphore:ident) => {
        any_semaphore! { $Semaphore,
            fn acquire(self: &Self) -> Permit<'_>;
            fn try_acquire(self: &Self) -> Option<Permit<'_>>;
            fn acquire_timeout(self: &Self, timeout: Duration) -> Option<Permit<'_>>;
            fn acquire_deadline(self: &Self, deadline: Instant) -> Option<Permit<'_>>;
            fn acquire_many(self: &Self, permits: u32) -> Permit<'_>;
            fn try_acquire_many(self: &Self, permits: u32) -> Option<Permit<'_>>;
            fn acquire_many_timeout(self: &Self, permits: u32, timeout: Duration) -> Option<Permit<'_>>;
            fn acquire_many_deadline(self: &Self, permits: u32, deadline: Instant) -> Option<Permit<'_>>;
            fn acquire_arc(self: &Arc<Self>) -> PermitArc;
            fn try_acquire_arc(self: &Arc<Self>) -> Option<PermitArc>;
            fn acquire_timeout_arc(self: &Arc<Self>, timeout: Duration) -> Option<PermitArc>;
            fn acquire_deadline_arc(self: &Arc<Self>, deadline: Instant) -> Option<PermitArc>;
            fn acquire_many_arc(self: &Arc<Self>, permits: u32) -> PermitArc;
            fn try_acquire_many_arc(self: &Arc<Self>, permits: u32) -> Option<PermitArc>;
            fn acquire_many_timeout_arc(self: &Arc<Self>, permits: u32, timeout: Duration) -> Option<PermitArc>;
            fn acquire_many_deadline_arc(self: &Arc<Self>, permits: u32, deadline: Instant) -> Option<PermitArc>;
            fn release(self: &Self, permits: u32) -> Result<(), ReleaseError>;
            fn available(self: &Self) -> u32;
            fn waiters(self: &Self) -> usize;
        }
    };
}

any_semaphore!(Semaphore);
any_semaphore!(BoundedSemaphore);

/// Either kind of permits.
pub trait AnyPermit: Debug + Send + Sized {
    fn count(&self) -> u32;
    fn forget(self);
    fn release(self) -> Result<(), ReleaseError>;
    fn split(&mut self, permits: u32) -> Option<Self>;
    fn merge(&mut self, other: Self) -> Result<(), Self>;
}

macro_rules! any_permit {
    ($Permit:ty) => {
        impl AnyPermit for $Permit {
            fn count(&self) -> u32 {
                Self::count(self)
            }
            fn forget(self) {
                Self::forget(self)
            }
            fn release(self) -> Result<(), ReleaseError> {
                Self::release(self)
            }
            fn split(&mut self, permits: u32) -> Option<Self> {
                Self::split(self, permits)
            }
            fn merge(&mut self, other: Self) -> Result<(), Self> {
                Self::merge(self, other)
            }
        }
    };
}

any_permit!(Permit<'_>);
any_permit!(PermitArc);

/// Permits from any of the forms of acquire. Only held and dropped, as most are.
#[derive(Debug)]
pub enum Held<'a> {
    Borrowing(Permit<'a>),
    Owning(PermitArc),
}

impl Held<'_> {
    pub fn count(&self) -> u32 {
        match self {
            Self::Borrowing(permit) => permit.count(),
            Self::Owning(permit) => permit.count(),
        }
    }
}

impl<'a> From<Permit<'a>> for Held<'a> {
    fn from(permit: Permit<'a>) -> Self {
        Self::Borrowing(permit)
    }
}

impl From<PermitArc> for Held<'_> {
    fn from(permit: PermitArc) -> Self {
        Self::Owning(permit)
    }
}

/// A form of acquire: so many permits, for those that have a limit within this time.
pub type Form<S> = for<'a> fn(&'a Arc<S>, u32, Duration) -> Option<Held<'a>>;

/// The forms that wait for as long as it takes.
pub fn untimed<S: AnySemaphore>(permits: u32) -> Vec<Form<S>> {
    let one: [Form<S>; 2] =
        [|s, _, _| Some(s.acquire().into()), |s, _, _| Some(s.acquire_arc().into())];
    let many: [Form<S>; 2] =
        [|s, n, _| Some(s.acquire_many(n).into()), |s, n, _| Some(s.acquire_many_arc(n).into())];
    fit_for(permits, one, many)
}

/// The forms that do not wait.
pub fn trying<S: AnySemaphore>(permits: u32) -> Vec<Form<S>> {
    let one: [Form<S>; 2] =
        [|s, _, _| s.try_acquire().map(Held::from), |s, _, _| s.try_acquire_arc().map(Held::from)];
    let many: [Form<S>; 2] = [
        |s, n, _| s.try_acquire_many(n).map(Held::from),
        |s, n, _| s.try_acquire_many_arc(n).map(Held::from),
    ];
    fit_for(permits, one, many)
}

/// The forms that wait for a time.
pub fn limited<S: AnySemaphore>(permits: u32) -> Vec<Form<S>> {
    let one: [Form<S>; 4] = [
        |s, _, time| s.acquire_timeout(time).map(Held::from),
        |s, _, time| s.acquire_deadline(Instant::now() + time).map(Held::from),
        |s, _, time| s.acquire_timeout_arc(time).map(Held::from),
        |s, _, time| s.acquire_deadline_arc(Instant::now() + time).map(Held::from),
    ];
    let many: [Form<S>; 4] = [
        |s, n, time| s.acquire_many_timeout(n, time).map(Held::from),
        |s, n, time| s.acquire_many_deadline(n, Instant::now() + time).map(Held::from),
        |s, n, time| s.acquire_many_timeout_arc(n, time).map(Held::from),
        |s, n, time| s.acquire_many_deadline_arc(n, Instant::now() + time).map(Held::from),
    ];
    fit_for(permits, one, many)
}

pub fn all<S: AnySemaphore>(permits: u32) -> Vec<Form<S>> {
    [untimed(permits), trying(permits), limited(permits)].concat()
}

/// The forms for one permit fit for one, those for many fit for any number.
fn fit_for<S, const N: usize>(permits: u32, one: [Form<S>; N], many: [Form<S>; N]) -> Vec<Form<S>> {
    let one = one.into_iter().filter(|_| permits == 1);
    one.chain(many).collect()
}

/// A semaphore that so many permits have been taken from by hand, and that has no other.
pub fn drained<S: AnySemaphore>(permits: u32) -> Arc<S> {
    let semaphore = S::made_with(permits);
    semaphore.acquire_many(permits).forget();
    assert_eq!(semaphore.available(), 0);
    Arc::new(semaphore)
}

/// Nobody waits, and no mark of those who did has stayed: all that there is can be had.
#[track_caller]
pub fn assert_rests(semaphore: &impl AnySemaphore, available: u32) {
    assert_eq!((semaphore.available(), semaphore.waiters()), (available, 0));
    let all = semaphore.try_acquire_many(available).expect("kept for somebody who is gone");
    assert!(semaphore.try_acquire().is_none());
    drop(all);
    assert_eq!(semaphore.available(), available);
}

/// Panics as the test wants it, and so without a report.
pub fn panic_quietly() -> ! {
    std::panic::resume_unwind(Box::new("on purpose"))
}

/// Runs what panics on purpose.
pub fn panics<R>(f: impl FnOnce() -> R) {
    let panic = catch_unwind(AssertUnwindSafe(f)).err().expect("no panic");
    assert_eq!(panic.downcast_ref(), Some(&"on purpose"));
}

/// What `f` panics with.
#[track_caller]
pub fn message<R>(f: impl FnOnce() -> R) -> String {
    let panic = catch_unwind(AssertUnwindSafe(f)).err().expect("no panic");
    match panic.downcast::<String>() {
        Ok(message) => *message,
        Err(panic) => (*panic.downcast_ref::<&str>().expect("a message")).to_owned(),
    }
}

/// Releases one, and wakes the head, which waits for more, until that one is kept for it or it has given up.
pub fn keep_for_the_head(semaphore: &impl AnySemaphore) {
    semaphore.release(1).unwrap();
    while semaphore.waiters() > 0 {
        let Some(permit) = semaphore.try_acquire() else { break };
        drop(permit);
        thread::yield_now();
    }
}
