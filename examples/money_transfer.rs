//! Accounts, each with a lock of its own, and threads that move money between them.
//!
//! ```text
//! cargo run --release --example money_transfer -- 8 4 100000 10000
//! ```
//!
//! What to look at:
//!
//! * A transfer has two locks at once. If one thread goes from A to B and another from B to A, each may have its
//!   first and wait for the other's: a deadlock. Here all lock in the same order, the lower index
//!   first, whatever the direction, so that there is no circle of threads to wait in.
//! * From an account to itself would be the same lock twice, which is the smallest circle.
//! * The auditor keeps to the order too. It has *all* locks before it adds up, so that it sees no money on
//!   its way. Were it to let each go at once, sums would be wrong now and then.
//! * Nobody starts before all are there: a [`Barrier`] sees to it that there is a crowd.

mod sizes;

use std::{iter, thread};

use futon::{Barrier, Lock};

/// In each account at the beginning.
const START: u64 = 100;

struct Bank {
    accounts: Vec<Lock<u64>>,
}

impl Bank {
    /// Whether there was enough to move.
    fn transfer(&self, from: usize, to: usize, amount: u64) -> bool {
        if from == to {
            return *self.accounts[from].acquire() >= amount;
        }
        // Both locks, in the order of the accounts.
        let mut lower = self.accounts[from.min(to)].acquire();
        let mut higher = self.accounts[from.max(to)].acquire();
        let (from, to) = if from < to { (&mut lower, &mut higher) } else { (&mut higher, &mut lower) };
        let is_enough = **from >= amount;
        if is_enough {
            **from -= amount;
            **to += amount;
        }
        is_enough
    }

    /// What there is in all accounts at one moment.
    fn sum(&self) -> u64 {
        let all: Vec<_> = self.accounts.iter().map(Lock::acquire).collect();
        all.iter().map(|balance| **balance).sum()
    }
}

/// Numbers without a pattern, always the same ones for a seed.
fn numbers(seed: usize) -> impl Iterator<Item = usize> {
    let mut state = seed as u64;
    iter::repeat_with(move || {
        state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
        (state >> 33) as usize
    })
}

/// Makes so many transfers, and returns what they have changed in each account.
fn clerk(bank: &Bank, seed: usize, transfers: usize) -> Vec<i64> {
    let mut changes = vec![0; bank.accounts.len()];
    let mut numbers = numbers(seed);
    for _ in 0..transfers {
        let mut next = |end| numbers.next().unwrap() % end;
        let (from, to, amount) = (next(changes.len()), next(changes.len()), next(START as usize));
        if bank.transfer(from, to, amount as u64) {
            changes[from] -= amount as i64;
            changes[to] += amount as i64;
        }
    }
    changes
}

fn main() {
    let [accounts, clerks, transfers, audits] = sizes::from_arguments(
        "Threads that move money between accounts, and one that looks whether all is there.",
        [
            ("ACCOUNTS", "how many there are", 1..=1_000, 8),
            ("CLERKS", "threads that move money", 1..=64, 4),
            ("TRANSFERS", "how many each of them tries", 1..=10_000_000, 20_000),
            ("AUDITS", "how often the sum is looked at meanwhile", 1..=1_000_000, 5_000),
        ],
    );
    let bank = &Bank { accounts: (0..accounts).map(|_| Lock::new(START)).collect() };
    let total = bank.sum();

    let start = &Barrier::new(clerks as u32 + 1);
    let changes: Vec<Vec<i64>> = thread::scope(|s| {
        let clerks = (0..clerks).map(|seed| {
            s.spawn(move || {
                start.wait().unwrap();
                clerk(bank, seed, transfers)
            })
        });
        let clerks: Vec<_> = clerks.collect();
        start.wait().unwrap();
        (0..audits).for_each(|_| assert_eq!(bank.sum(), total, "money was made or lost"));
        clerks.into_iter().map(|clerk| clerk.join().unwrap()).collect()
    });

    // Each account is what the clerks' own notes make it, and has never been below zero: it is a `u64`.
    for (account, balance) in bank.accounts.iter().enumerate() {
        let change: i64 = changes.iter().map(|changes| changes[account]).sum();
        assert_eq!(*balance.acquire() as i64, START as i64 + change, "account {account}");
    }
    println!("{clerks} clerks tried {} transfers between {accounts} accounts.", clerks * transfers);
    println!("{audits} audits meanwhile found {total}, as at the beginning.");
    println!("So it is in the end: {}.", bank.sum());
}
