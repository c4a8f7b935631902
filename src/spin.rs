//! Looking again instead of sleeping: for how long, and when not at all.
//!
//! A thread that sleeps costs whoever wakes it a system call, and comes back microseconds later, or tens of them if
//! its CPU has gone to sleep as well. Looking again and again is a hundred times as fast where what it waits for is
//! about to happen on another CPU. Where it is not, or where the thread that is to do it wants this CPU, it is a waste. So each spin
//! here
//!
//! * **is bounded**, by about the time that it takes to sleep and be woken: in vain, it doubles the cost of a wait;
//! * **gives way** to other threads after the first microsecond ([`yield_now`]). That costs little if there are none, and
//!   if there are they do what this thread waits for, and no one has to be woken;
//! * **is as long as that has paid lately** in this thread. In vain a few times, or with others about who do not give
//!   the CPU back, there is none for many times as long as it has taken.
//!
//! A spin for a lock ([`Spin`]) is another matter. That is held for a moment, mostly, and there is always somebody to
//! whom a look at it is a nuisance: its cache line goes to another CPU and has to come back.
//!
//! No primitive depends on any of this. A model does not spin: it would only add interleavings that differ in nothing.

use core::cell::Cell;
use core::time::Duration;

use crate::atomic::{Instant, spin_loop, yield_now};
use crate::deadline::Deadline;
use crate::futex::platform;

/// How often to tell the CPU that this thread spins, the first time. How long that takes in sum differs between
/// CPUs: five pauses, that double, are 124 of them, which is between one microsecond and ten.
const FIRST_PAUSE: u32 = 4;

fn pause(done: i32) {
    (0..FIRST_PAUSE << done).for_each(|_| spin_loop());
}

/// Pauses between looks at a lock that may become free, until it is time to sleep.
pub(crate) struct Spin {
    done: i32,
    /// How many pauses there are to be, each twice as long as the one before, and after these, how often to give way.
    pauses: i32,
    yields: i32,
}

impl Spin {
    pub(crate) const fn none() -> Self {
        Self { done: 0, pauses: 0, yields: 0 }
    }

    /// For as long as a short critical section takes: some microseconds.
    pub(crate) const fn short() -> Self {
        Self { done: 0, pauses: 5, yields: 0 }
    }

    /// Soon gives way to other threads instead.
    ///
    /// Looking seldom costs those little that are at it over and over; and if the thread that this one waits for
    /// has no CPU, this is how it gets one.
    pub(crate) const fn yielding() -> Self {
        Self { done: 0, pauses: 3, yields: 7 }
    }

    /// Lets a moment pass. False, at once, if there are to be no more, or if there is no other CPU.
    #[inline]
    pub(crate) fn pause(&mut self) -> bool {
        if self.done >= self.pauses + self.yields || !platform::has_spare_cpu() {
            return false;
        }
        if self.done < self.pauses {
            pause(self.done);
        } else {
            yield_now();
        }
        self.done += 1;
        true
    }
}

/// How often a thread looks with pauses before it gives way, at most.
const LOOKS: i32 = 5;
/// After how many waits in which that was of no use, in a row, it does so again.
const WAITS_WITHOUT_LOOKS: i32 = 128;
/// How often it gives way before it sleeps: for about as long as it takes to wake a thread on a CPU that sleeps too.
const YIELDS: u32 = 128;
/// Giving way for so long means that there are others who do not give the CPU back. A thread that sleeps gets it from
/// them when it is woken, one that has given way does not.
const LONG: Duration = Duration::from_micros(400);
/// How many spins that have paid make up for half as many that have not.
const MOST_TRUST: u32 = 8;
/// For how many times as long as a spin in vain has taken there is none: at first, and twice as often each time, up to the second.
const LEAST_ABSTENTION: u32 = 16;
const MOST_ABSTENTION: u32 = 512;

/// What a thread has learned about spinning.
#[derive(Clone, Copy)]
struct Learned {
    /// How often to look with pauses. Less each time that is of no use: then the others want this CPU. Below zero it
    /// counts the waits.
    looks: i32,
    trust: u32,
    /// Without trust: when to try again, and for how long not to if that is in vain, too.
    again: Option<Instant>,
    abstention: u32,
}

impl Learned {
    const NOTHING: Self =
        Self { looks: LOOKS, trust: MOST_TRUST, again: None, abstention: LEAST_ABSTENTION };
}

thread_local! {
    // Constant and without a destructor, as for the thread's id.
    static LEARNED: Cell<Learned> = const { Cell::new(Learned::NOTHING) };
}

/// Looks for something that may be about to happen, for as long as that has paid lately, but not after `deadline`.
///
/// For some tens of microseconds at most, and as much longer as another thread has the CPU meanwhile.
pub(crate) fn spin_until(deadline: Deadline, has_happened: impl Fn() -> bool) {
    if has_happened() || !platform::SPINS || deadline.has_passed() {
        return;
    }
    let mut learned = LEARNED.get();
    if learned.again.is_none_or(|again| Instant::now() >= again) {
        learned.spin_until(deadline, &has_happened);
        LEARNED.set(learned);
    }
}

impl Learned {
    fn spin_until(&mut self, deadline: Deadline, has_happened: &impl Fn() -> bool) {
        for look in 0..self.looks {
            pause(look);
            if has_happened() {
                self.looks = LOOKS;
                return self.gain_trust();
            }
        }
        self.looks = if self.looks > -WAITS_WITHOUT_LOOKS { self.looks - 1 } else { LOOKS };
        let start = Instant::now();
        let mut now = start;
        for _ in 0..YIELDS {
            let before = now;
            yield_now();
            let has_happened = has_happened();
            now = Instant::now();
            if now.saturating_duration_since(before) > LONG {
                // Had this thread slept, it would have been back sooner.
                self.trust = 0;
                break;
            }
            if has_happened {
                return self.gain_trust();
            }
            if deadline.has_passed() {
                break;
            }
        }
        self.lose_trust(now.saturating_duration_since(start), now);
    }

    fn gain_trust(&mut self) {
        self.trust = (self.trust + 1).min(MOST_TRUST);
        (self.again, self.abstention) = (None, LEAST_ABSTENTION);
    }

    fn lose_trust(&mut self, spent: Duration, now: Instant) {
        self.trust = self.trust.saturating_sub(2);
        if self.trust == 0 {
            self.again = now.checked_add(spent * self.abstention);
            self.abstention = (self.abstention * 2).min(MOST_ABSTENTION);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_pay_is_given_up_and_tried_again() {
        let mut learned = Learned::NOTHING;
        let looks = Cell::new(0);
        let in_vain = || {
            looks.set(looks.get() + 1);
            false
        };
        // As many as the trust is for, unless others have this CPU meanwhile.
        (0..MOST_TRUST / 2).for_each(|_| learned.spin_until(Deadline::NEVER, &in_vain));
        assert!(looks.get() > LOOKS);
        assert_eq!(learned.trust, 0);
        let again = learned.again.expect("it has been in vain");
        assert!(learned.abstention > LEAST_ABSTENTION);

        LEARNED
            .set(Learned { again: Instant::now().checked_add(Duration::from_secs(3600)), ..learned });
        looks.set(0);
        spin_until(Deadline::NEVER, in_vain);
        assert_eq!(looks.get(), 1, "no more than to see whether to wait at all");
        LEARNED.set(Learned { again: Some(again), ..learned });
        while Instant::now() < again {}
        spin_until(Deadline::NEVER, in_vain);
        assert!(looks.get() > 2, "another try");
        LEARNED.set(Learned::NOTHING);
    }

    #[test]
    fn what_pays_is_done_again() {
        let mut learned = Learned { trust: 0, again: Some(Instant::now()), ..Learned::NOTHING };
        let looks = Cell::new(0);
        learned.spin_until(Deadline::NEVER, &|| {
            looks.set(looks.get() + 1);
            looks.get() == 2
        });
        assert_eq!((looks.get(), learned.trust, learned.looks), (2, 1, LOOKS));
        assert_eq!(learned.again, None);
    }

    #[test]
    fn pauses_are_left_out_where_only_giving_way_helps_and_come_back() {
        let mut learned = Learned::NOTHING;
        let mut counts = Vec::new();
        for _ in 0..LOOKS + WAITS_WITHOUT_LOOKS + 1 {
            let looks = Cell::new(0);
            let most = learned.looks.max(0) + 1;
            learned.spin_until(Deadline::NEVER, &|| {
                looks.set(looks.get() + 1);
                looks.get() == most
            });
            counts.push(looks.get());
        }
        assert_eq!(counts[..7], [6, 5, 4, 3, 2, 1, 1]);
        assert_eq!(learned.looks, LOOKS);
    }

    #[test]
    fn nobody_spins_past_the_deadline() {
        let mut learned = Learned::NOTHING;
        let looks = Cell::new(0);
        learned.spin_until(Deadline::after(Duration::ZERO), &|| {
            looks.set(looks.get() + 1);
            false
        });
        assert_eq!(looks.get(), LOOKS + 1);
        looks.set(0);
        LEARNED.set(Learned::NOTHING);
        spin_until(Deadline::after(Duration::ZERO), || {
            looks.set(looks.get() + 1);
            false
        });
        assert_eq!(looks.get(), 1);
    }

    #[test]
    fn a_spin_for_a_lock_comes_to_an_end() {
        let count = |mut spin: Spin| (0..).take_while(|_| spin.pause()).count();
        assert_eq!(count(Spin::none()), 0);
        if platform::has_spare_cpu() {
            assert_eq!((count(Spin::short()), count(Spin::yielding())), (5, 10));
        }
    }
}
