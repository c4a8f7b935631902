//! Accounts, each with a lock of its own, and threads that move money between them.
//!
//! ```text
//! cargo run --release --example money_transfer -- 8 4 100000 10000
//! ```
//!
//! What to look at:
//!
//! * A transfer has two locks at once. If one thread goes from A to B and another from B to A, each may have its
//!   first and wait for the other's: a deadlock. [`acquire_all`] takes them in the same order in all threads,
//!   whatever the direction, so that there is no circle of threads to wait in.
//! * From an account to itself would be the same lock twice, which is the smallest circle, and is refused with a panic.
//! * The auditor takes its locks in the same way. It has *all* of them before it adds up, so that it sees no money on
//!   its way. Were it to let each go at once, sums would be wrong now and then.
//! * Nobody starts before all are there: a [`Barrier`] sees to it that there is a crowd.

mod sizes;

use std::{iter, thread};

use futon::{Barrier, Lock, acquire_all};

/// In each account at the beginning.
const START: u64 = 100;

struct Bank {
    accounts: Vec<Lock<u64>>,
}

impl Bank {
    /// From one account to another. `None`, and nothing is moved, if there is not enough.
    fn transfer(&self, from: usize, to: usize, amount: u64) -> Option<()> {
        let [mut from, mut to] = acquire_all([&self.accounts[from], &self.accounts[to]]);
        *from = from.checked_sub(amount)?;
        *to += amount;
        Some(())
    }

    /// What there is in all accounts at one moment.
    fn sum(&self) -> u64 {
        acquire_all(&self.accounts[..]).iter().map(|balance| **balance).sum()
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
        if from != to && bank.transfer(from, to, amount as u64).is_some() {
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
