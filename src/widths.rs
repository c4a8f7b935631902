//! How wide the counters are that come round to zero again, or have an end.
//!
//! They are as wide as they can be, and so no test sees them come round. With `--cfg futon_narrow` they have eight bits,
//! and all tests and models are run once more. (The numbers of threads stay as they are: that they never come round is
//! what they are for.)

/// The lowest bit of a counter that shares a word with so many flags below it.
pub(crate) const fn one_above_flags(flags: u32) -> u32 {
    if cfg!(futon_narrow) { 1 << 24 } else { 1 << flags }
}

/// The number of a thing of which there are many, one after the other, and that is only compared with what it was.
#[cfg(not(futon_narrow))]
pub(crate) type Number = u64;
#[cfg(futon_narrow)]
pub(crate) type Number = u8;

/// The most of what is counted, and is an error above.
pub(crate) const MOST: u32 = if cfg!(futon_narrow) { u8::MAX as u32 } else { u32::MAX };
