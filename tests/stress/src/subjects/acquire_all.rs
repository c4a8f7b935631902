//! Several locks at once: what is moved from one account to another is nowhere lost and nowhere doubled.

use std::cell::Cell;

use futon::{
    AcquireAll, Lock, RLock, acquire_all, acquire_all_deadline, acquire_all_timeout, try_acquire_all,
};

use super::Subject;
use crate::board::Doing;
use crate::crew::Hand;

const ACCOUNTS: usize = 4;

/// Accounts, some of which each thread wants at once, in whatever order. Together they have nothing.
#[derive(Debug, Default)]
pub struct Accounts {
    accounts: [Lock<Cell<i64>>; ACCOUNTS],
    /// May be had twice by a thread that has it.
    bank: RLock<Cell<i64>>,
}

impl Accounts {
    fn acquire<L: AcquireAll>(&self, hand: &mut Hand<'_, '_>, locks: L) -> Option<L::Guards> {
        match hand.random.below(4) {
            0 => hand.run(Doing::TryAcquire, || try_acquire_all(locks)),
            1 => hand.within(Doing::AcquireTimeout, |time| acquire_all_timeout(locks, time)),
            2 => hand.until(Doing::AcquireDeadline, |at| acquire_all_deadline(locks, at)),
            _ => Some(hand.run(Doing::Acquire, || acquire_all(locks))),
        }
    }

    /// Some of them, in an order without a pattern.
    fn some(&self, hand: &mut Hand<'_, '_>) -> Vec<&Lock<Cell<i64>>> {
        let mut accounts: Vec<_> = self.accounts.iter().collect();
        for i in (1..ACCOUNTS).rev() {
            accounts.swap(i, hand.random.below(i as u32 + 1) as usize);
        }
        accounts.truncate(hand.random.below(ACCOUNTS as u32 + 1) as usize);
        accounts
    }

    /// All at once, and so at a moment where nobody moves anything.
    fn audit(&self, hand: &mut Hand<'_, '_>) {
        let [a, b, c, d] = self.accounts.each_ref();
        if let Some((a, b, c, d, bank)) = self.acquire(hand, (a, b, c, d, &self.bank)) {
            let sum: i64 = [a.get(), b.get(), c.get(), d.get(), bank.get()].iter().sum();
            assert_eq!(sum, 0, "something was lost");
        }
    }
}

/// From each to the next, and not all at once.
fn transfer(hand: &mut Hand<'_, '_>, accounts: &[&Cell<i64>]) {
    for pair in accounts.windows(2) {
        let amount = i64::from(hand.random.below(100));
        let (from, to) = (pair[0].get() - amount, pair[1].get() + amount);
        pair[0].set(from);
        hand.pause();
        pair[1].set(to);
    }
}

impl Subject for Accounts {
    fn step<'env>(&'env self, hand: &mut Hand<'_, 'env>) {
        match hand.random.below(4) {
            0 => self.audit(hand),
            1 => {
                let some = self.some(hand);
                let [first, ..] = some[..] else { return };
                if let Some((twice, account, bank)) =
                    self.acquire(hand, (&self.bank, first, &self.bank))
                {
                    assert_eq!(self.bank.depth() - 2, 0, "each had one of its own");
                    transfer(hand, &[&twice, &account]);
                    drop(twice);
                    transfer(hand, &[&account, &bank]);
                    hand.perhaps_panic();
                }
            }
            _ => {
                let some = self.some(hand);
                let Some(guards) = self.acquire(hand, &some[..]) else { return };
                assert!(some.iter().all(|account| account.is_locked()));
                transfer(hand, &guards.iter().map(|guard| &**guard).collect::<Vec<_>>());
                hand.perhaps_panic();
                if hand.random.one_in(20) {
                    hand.give_away(guards);
                }
            }
        }
    }

    fn check(self: Box<Self>) {
        assert!(!self.bank.is_locked() && self.bank.waiters() == 0);
        assert!(self.accounts.iter().all(|account| !account.is_locked() && account.waiters() == 0));
        let sum: i64 = self.accounts.into_iter().map(|account| account.into_inner().get()).sum();
        assert_eq!(sum + self.bank.into_inner().get(), 0, "something was lost");
    }
}
