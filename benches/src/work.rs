//! What the contenders do besides waiting for each other, and what is counted of it.

use std::hint::{black_box, spin_loop};
use std::time::{Duration, Instant};

/// Work of about a nanosecond a step, each of which needs the one before.
#[inline]
pub fn steps(mut number: u64, steps: u64) -> u64 {
    for _ in 0..steps {
        number = black_box(number).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (number >> 29);
    }
    number
}

/// Work that takes so long.
pub fn spin(time: Duration) {
    let start = Instant::now();
    while start.elapsed() < time {
        spin_loop();
    }
}

/// The time that it takes to do something so often.
#[inline]
pub fn timed<R>(rounds: u64, mut operation: impl FnMut() -> R) -> Duration {
    let start = Instant::now();
    for _ in 0..rounds {
        black_box(operation());
    }
    start.elapsed()
}

/// The one in the middle; zero for none.
pub fn median(values: &[f64]) -> f64 {
    quantile(values, 0.5)
}

/// What this part of the values are below; zero for none.
pub fn quantile(values: &[f64], part: f64) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    let last = values.len().saturating_sub(1);
    values.get((last as f64 * part).round() as usize).copied().unwrap_or(0.0)
}

/// How often a wait took how long, to within an eighth.
pub struct Histogram {
    counts: Vec<u64>,
    longest: u64,
}

/// So many intervals for each doubling.
const PARTS: u64 = 8;

impl Default for Histogram {
    fn default() -> Self {
        Self { counts: vec![0; 64 * PARTS as usize], longest: 0 }
    }
}

impl Histogram {
    /// Counts a time of so many nanoseconds.
    #[inline]
    pub fn add(&mut self, nanos: u64) {
        let place = if nanos < PARTS {
            nanos
        } else {
            let doublings = u64::from(nanos.ilog2()) - u64::from(PARTS.ilog2());
            (doublings + 1) * PARTS + (nanos >> doublings) - PARTS
        };
        self.counts[place as usize] += 1;
        self.longest = self.longest.max(nanos);
    }

    /// Adds what another one has counted.
    pub fn merge(&mut self, other: &Self) {
        self.counts.iter_mut().zip(&other.counts).for_each(|(count, more)| *count += more);
        self.longest = self.longest.max(other.longest);
    }

    /// The longest time.
    pub fn longest(&self) -> u64 {
        self.longest
    }

    /// What all but this part of the times were not longer than.
    pub fn all_but(&self, part: f64) -> u64 {
        let all: u64 = self.counts.iter().sum();
        let mut left = (all as f64 * part) as u64;
        for (place, count) in self.counts.iter().enumerate().rev() {
            if *count > left {
                let (doublings, rest) = (place as u64 / PARTS, place as u64 % PARTS);
                let end =
                    if doublings == 0 { rest } else { ((PARTS + rest + 1) << (doublings - 1)) - 1 };
                return end.min(self.longest);
            }
            left -= count;
        }
        0
    }
}
