//! What futon and its models use of loom, by another checker: executions are not all tried but chosen at random.
//!
//! loom tries everything, and so has to stop at four threads and a few preemptions. Here a scheduler of
//! [shuttle](https://docs.rs/shuttle) chooses which thread goes on at each step, and [`memory`] chooses, among the
//! values that a weak memory order allows, which one a load returns. What it does not come upon it does not
//! see; but eight threads are as good as two. It goes by the name of loom, so that the sources and the models need
//! not know.
//!
//! A failure names its seed. The same seed makes the same choices again.

pub mod cell;
mod memory;
pub mod model;
pub mod sync;
pub mod thread;

pub use shuttle::thread_local;

/// From here on the calling thread goes on until it ends or blocks.
pub fn stop_exploring() {
    memory::set_switching(false);
}

/// From here on any thread may go on at each step.
pub fn explore() {
    memory::set_switching(true);
}
