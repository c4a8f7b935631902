//! Random choices that can be made again: the same seed gives the same ones.

use std::time::Duration;

/// A stream of choices. (SplitMix64, which is small and good enough.)
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// A stream of its own for each list of numbers.
    pub fn of(numbers: &[u64]) -> Self {
        numbers.iter().fold(Self(0), |mut random, number| Self(random.next() ^ number))
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number from 0 to `limit - 1`.
    pub fn below(&mut self, limit: u32) -> u32 {
        (((self.next() >> 32) * u64::from(limit)) >> 32) as u32
    }

    /// True once in so many times.
    pub fn one_in(&mut self, times: u32) -> bool {
        self.below(times) == 0
    }

    /// How long to wait: often not at all or for a moment, sometimes for a few milliseconds.
    pub fn timeout(&mut self) -> Duration {
        match self.below(8) {
            0 => Duration::ZERO,
            1 => Duration::from_nanos(self.below(2_000).into()),
            2..=4 => Duration::from_micros(self.below(100).into()),
            5..=6 => Duration::from_micros(self.below(1_000).into()),
            _ => Duration::from_micros(self.below(4_000).into()),
        }
    }
}
