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
//! No primitive depends on any of this. A model does not spin: it would only add interleavings that differ in nothing.

use core::cell::Cell;
use core::time::Duration;

use crate::atomic::{Instant, spin_loop, yield_now};
use crate::deadline::Deadline;
use crate::futex::platform;

/// How often a thread looks with pauses before it gives way, at most.
const LOOKS: i32 = 5;
/// The same for a lock. To those who take it over and over a look is a nuisance: its cache line goes to another CPU
/// and has to come back.
const LOOKS_AT_A_LOCK: i32 = 3;
/// How often to tell the CPU that this thread spins, the first time. Then twice as often, and so on. How long that takes
/// differs between CPUs: five pauses are 124 of them, which is between one microsecond and ten.
const FIRST_PAUSE: u32 = 4;
/// After how many waits in which pauses were of no use, in a row, there are some again.
const WAITS_WITHOUT_LOOKS: i32 = 128;
/// How often a thread gives way before it sleeps: for about as long as it takes to wake a thread on a CPU that sleeps too.
const YIELDS: u32 = 128;
/// Giving way for so long means that there are others who do not give the CPU back. A thread that sleeps gets it from
/// them when it is woken, one that has given way does not.
const LONG: Duration = Duration::from_micros(400);
/// How long a spin may take, however seldom this thread has the CPU meanwhile.
const LONGEST: Duration = Duration::from_millis(1);
/// How many spins that have paid make up for half as many that have not.
const MOST_TRUST: u32 = 8;
/// For how many times as long as a spin in vain has taken there is none: at first, and twice as often each time, up to
/// the second.
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

thread_local! {
    // Constant and without a destructor, as for the thread's id.
    static LEARNED: Cell<Learned> = const { Cell::new(Learned::NOTHING) };
}

impl Learned {
    const NOTHING: Self =
        Self { looks: LOOKS, trust: MOST_TRUST, again: None, abstention: LEAST_ABSTENTION };

    fn allows_spinning(&self) -> bool {
        self.again.is_none_or(|again| Instant::now() >= again)
    }

    fn that_pauses_help(&mut self, they_do: bool) {
        let is_time_to_try = self.looks <= -WAITS_WITHOUT_LOOKS;
        self.looks = if they_do || is_time_to_try { LOOKS } else { self.looks - 1 };
    }

    fn that_it_pays(&mut self) {
        self.trust = (self.trust + 1).min(MOST_TRUST);
        (self.again, self.abstention) = (None, LEAST_ABSTENTION);
    }

    fn that_it_was_in_vain(&mut self, spent: Duration, now: Instant) {
        self.trust = self.trust.saturating_sub(2);
        if self.trust == 0 {
            self.again = now.checked_add(spent * self.abstention);
            self.abstention = (self.abstention * 2).min(MOST_ABSTENTION);
        }
    }
}

/// Looks for something that may be about to happen, for as long as that has paid lately, but not after `deadline`.
///
/// For some tens of microseconds at most, or a millisecond if other threads have the CPU meanwhile (and one that
/// keeps it longer is waited for once).
pub(crate) fn spin_until(deadline: Deadline, has_happened: impl Fn() -> bool) {
    look_again(deadline, Spin::until, has_happened);
}

/// The same for something that is up to threads which take turns with this one, as those at the other end of a queue.
///
/// They may keep the CPU for long when this thread gives way to them, and do what it waits for, over and over. That is no
/// reason not to give way the next time.
pub(crate) fn spin_for_a_turn_until(deadline: Deadline, has_happened: impl Fn() -> bool) {
    look_again(deadline, Spin::for_a_turn_until, has_happened);
}

/// The same for a microsecond or so, whatever has paid lately, and without giving way.
pub(crate) fn spin_shortly_until(deadline: Deadline, has_happened: impl Fn() -> bool) {
    look_again(deadline, |_| Spin::short(), has_happened);
}

fn look_again(
    deadline: Deadline,
    spin: impl FnOnce(Deadline) -> Spin,
    has_happened: impl Fn() -> bool,
) {
    if has_happened() || deadline.has_passed() {
        return;
    }
    let mut spin = spin(deadline);
    while spin.pause() {
        if has_happened() {
            return spin.has_paid();
        }
    }
}

/// Pauses, for a thread whose change of a word has failed because another one was faster. False if there was no pause.
#[cold]
pub(crate) fn back_off() -> bool {
    if platform::SPINS {
        (0..4 * FIRST_PAUSE).for_each(|_| spin_loop());
    }
    platform::SPINS
}

/// Pauses between looks.
pub(crate) struct Spin {
    /// How many pauses are to come before it gives way, and how often it does that.
    pauses: i32,
    yields: u32,
    deadline: Deadline,
    /// What pauses there have been.
    done: i32,
    /// When it first gave way, and when it came back last.
    gave_way: Option<(Instant, Instant)>,
    /// Whether those who keep the CPU for long when it gives way may be those whom it waits for.
    is_patient: bool,
    is_for_a_lock: bool,
    /// Whether what comes of it is something to learn from.
    is_lesson: bool,
}

impl Spin {
    /// No pause.
    pub(crate) const fn none() -> Self {
        Self {
            pauses: 0,
            yields: 0,
            deadline: Deadline::NEVER,
            done: 0,
            gave_way: None,
            is_patient: false,
            is_for_a_lock: false,
            is_lesson: false,
        }
    }

    /// For as long as a short critical section takes: some microseconds.
    pub(crate) fn short() -> Self {
        Self { pauses: if platform::SPINS { LOOKS } else { 0 }, ..Self::none() }
    }

    /// For as long as that has paid lately, but not after `deadline`.
    fn until(deadline: Deadline) -> Self {
        let learned = LEARNED.get();
        if !platform::SPINS || !learned.allows_spinning() {
            return Self::none();
        }
        let pauses = learned.looks;
        Self { pauses, yields: YIELDS, deadline, is_lesson: true, ..Self::none() }
    }

    /// The same where those who have the CPU meanwhile may be those whom it waits for.
    fn for_a_turn_until(deadline: Deadline) -> Self {
        Self { is_patient: true, ..Self::until(deadline) }
    }

    /// The same for a lock. That is held for a moment, mostly, so there always are a few pauses. If it is not,
    /// whoever has it has lost its CPU: giving way, for however long, is how it gets one.
    pub(crate) fn for_a_lock_until(deadline: Deadline) -> Self {
        let pauses = if platform::SPINS { LOOKS_AT_A_LOCK } else { 0 };
        Self { pauses, is_for_a_lock: true, ..Self::for_a_turn_until(deadline) }
    }

    /// The same for a lock that is held for less time than it takes to give way.
    pub(crate) fn for_a_moment_until(deadline: Deadline) -> Self {
        let Self { pauses, .. } = Self::short();
        Self { pauses, ..Self::for_a_lock_until(deadline) }
    }

    /// Lets a moment pass. False, at once, if it is time to sleep.
    pub(crate) fn pause(&mut self) -> bool {
        if self.done < self.pauses {
            (0..FIRST_PAUSE << self.done).for_each(|_| spin_loop());
            self.done += 1;
            return true;
        }
        if self.yields > 0 {
            self.give_way();
            return true;
        }
        if let (true, Some((start, now))) = (self.is_lesson, self.gave_way) {
            self.learn(|learned| {
                learned.that_it_was_in_vain(now.saturating_duration_since(start), now)
            });
        }
        false
    }

    fn give_way(&mut self) {
        let (start, before) = self.gave_way.unwrap_or_else(|| {
            let now = Instant::now();
            (now, now)
        });
        yield_now();
        let now = Instant::now();
        self.yields -= 1;
        self.gave_way = Some((start, now));
        let is_too_long = now.saturating_duration_since(start) > LONGEST;
        if is_too_long || self.deadline.has_passed() {
            self.yields = 0;
        }
        let gone = now.saturating_duration_since(before);
        if self.is_patient {
            // Many threads take turns on this CPU. It does not mean that spinning is of no use.
            self.is_lesson &= !is_too_long;
        } else if gone > LONG {
            self.yields = 0;
            self.learn(|learned| {
                learned.trust = 0;
                learned.that_it_was_in_vain(gone, now);
            });
        }
    }

    /// When it first gave way, or else the moment.
    pub(crate) fn since(&self) -> Instant {
        self.gave_way.map_or_else(Instant::now, |(start, _)| start)
    }

    /// What it was for has happened.
    pub(crate) fn has_paid(mut self) {
        if self.is_lesson && (self.done > 0 || self.gave_way.is_some()) {
            let (is_for_a_lock, gave_way) = (self.is_for_a_lock, self.gave_way.is_some());
            self.learn(|learned| {
                learned.that_it_pays();
                if !is_for_a_lock {
                    learned.that_pauses_help(!gave_way);
                }
            });
        }
    }

    /// Once for each spin.
    fn learn(&mut self, lesson: impl FnOnce(&mut Learned)) {
        let mut learned = LEARNED.get();
        lesson(&mut learned);
        LEARNED.set(learned);
        self.is_lesson = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Spins so, from a state in which this thread has learned `learned`. Returns how often it looked, and what it has
    /// learned.
    fn spin(learned: Learned, deadline: Deadline, has_happened_at: i32) -> (i32, Learned) {
        let looks = Cell::new(0);
        LEARNED.set(learned);
        spin_until(deadline, || {
            looks.set(looks.get() + 1);
            looks.get() == has_happened_at
        });
        (looks.get(), LEARNED.replace(Learned::NOTHING))
    }

    const NEVER: i32 = 0;

    #[test]
    fn what_does_not_pay_is_given_up_and_tried_again() {
        let mut learned = Learned::NOTHING;
        // As often as the trust is for, unless others have this CPU meanwhile.
        while learned.trust > 0 {
            let (looks, now) = spin(learned, Deadline::NEVER, NEVER);
            assert!(looks > LOOKS && now.trust < learned.trust, "{looks} {}", now.trust);
            learned = now;
        }
        assert!(learned.abstention > LEAST_ABSTENTION);

        let in_an_hour = Instant::now().checked_add(Duration::from_secs(3600));
        let (looks, learned) = spin(Learned { again: in_an_hour, ..learned }, Deadline::NEVER, NEVER);
        assert_eq!(looks, 1, "no more than to see whether to wait at all");
        let (looks, learned) =
            spin(Learned { again: Some(Instant::now()), ..learned }, Deadline::NEVER, NEVER);
        assert!(looks > LOOKS, "another try");
        assert!(learned.again.is_some());
        assert!(learned.abstention <= MOST_ABSTENTION);
    }

    #[test]
    fn what_pays_is_done_again() {
        let learned = Learned { trust: 0, again: Some(Instant::now()), abstention: 64, looks: 2 };
        let (looks, learned) = spin(learned, Deadline::NEVER, 3);
        assert_eq!((looks, learned.trust, learned.looks), (3, 1, LOOKS));
        assert_eq!((learned.again, learned.abstention), (None, LEAST_ABSTENTION));
        let (_, learned) = spin(Learned::NOTHING, Deadline::NEVER, 2);
        assert_eq!(learned.trust, MOST_TRUST, "not for ever");
    }

    #[test]
    fn what_was_there_before_says_nothing_about_spinning() {
        let learned = Learned { trust: 1, looks: 1, ..Learned::NOTHING };
        let (looks, learned) = spin(learned, Deadline::NEVER, 1);
        assert_eq!((looks, learned.trust, learned.looks), (1, 1, 1));
    }

    #[test]
    fn pauses_are_left_out_where_only_giving_way_helps_and_come_back() {
        let mut learned = Learned::NOTHING;
        for looks in (-WAITS_WITHOUT_LOOKS..LOOKS).rev() {
            learned.that_pauses_help(false);
            assert_eq!(learned.looks, looks);
        }
        learned.that_pauses_help(false);
        assert_eq!(learned.looks, LOOKS);

        let (looks, learned) = spin(Learned { looks: 1, ..learned }, Deadline::NEVER, 3);
        // The look before, the one after the pause, and the one after giving way, unless others had this CPU meanwhile.
        assert_eq!(looks, 3);
        assert!(learned.looks == 0 || learned.again.is_some());
    }

    #[test]
    fn nobody_spins_past_the_deadline() {
        let (looks, _) = spin(Learned::NOTHING, Deadline::after(Duration::ZERO), NEVER);
        assert_eq!(looks, 1);
        let soon = Deadline::after(Duration::from_micros(1));
        let (looks, _) = spin(Learned::NOTHING, soon, NEVER);
        assert!(looks <= LOOKS + 2);
    }

    #[test]
    fn each_spin_comes_to_an_end() {
        let count = |mut spin: Spin| (0..).take_while(|_| spin.pause()).count();
        assert_eq!((count(Spin::none()), count(Spin::short())), (0, LOOKS as usize));
        let for_a_lock = count(Spin::for_a_lock_until(Deadline::NEVER));
        assert!(
            (LOOKS_AT_A_LOCK as usize + 1..=LOOKS_AT_A_LOCK as usize + YIELDS as usize)
                .contains(&for_a_lock)
        );
    }
}
