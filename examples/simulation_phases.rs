//! A world that goes from one generation to the next, and threads that compute a part of it each.
//!
//! ```text
//! cargo run --release --example simulation_phases -- 8 400 1000
//! ```
//!
//! The rule is Conway's Game of Life, on a grid whose edges meet. There are two grids: all read the one, and
//! write their rows of the other.
//!
//! What to look at:
//!
//! * One [`Barrier`] and one `wait` a generation will do. Its action runs when all have arrived and before
//!   anybody leaves, so it is the place for what is done once: to swap the grids.
//! * The cells are `Relaxed`, as they are nothing but memory that may be shared. It is the barrier that
//!   orders: what was written before it, all see after it.
//! * A worker that fails would leave the others waiting for it. [`AbortOnDrop`] breaks the barrier when a worker
//!   ends early, be it by `?` or by a panic, and `wait` tells the others so.

mod sizes;

use std::ops::Range;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::{mem, thread};

use futon::{Barrier, BrokenBarrier};

struct World {
    size: usize,
    /// Row by row: this generation and the next, or the other way round.
    grids: [Vec<AtomicBool>; 2],
    generation: AtomicUsize,
}

impl World {
    /// With five cells in the middle that take 1,103 generations to come to rest, if there is room.
    fn new(size: usize) -> Self {
        let grid = || (0..size * size).map(|_| AtomicBool::new(false)).collect();
        let world = Self { size, grids: [grid(), grid()], generation: AtomicUsize::new(0) };
        for (x, y) in [(1, 0), (2, 0), (0, 1), (1, 1), (1, 2)] {
            let (x, y) = ((size / 2 + x) % size, (size / 2 + y) % size);
            world.grids[0][y * size + x].store(true, Relaxed);
        }
        world
    }

    fn generation(&self) -> usize {
        self.generation.load(Relaxed)
    }

    /// For one thread, while no other computes.
    fn swap(&self) {
        self.generation.fetch_add(1, Relaxed);
    }

    fn alive(&self) -> Vec<bool> {
        self.grids[self.generation() % 2].iter().map(|cell| cell.load(Relaxed)).collect()
    }

    /// Computes the next generation of some rows.
    fn compute(&self, rows: Range<usize>) {
        let (size, generation) = (self.size, self.generation());
        let (now, next) = (&self.grids[generation % 2], &self.grids[(generation + 1) % 2]);
        let is_alive = |x: usize, y: usize| now[y % size * size + x % size].load(Relaxed);
        for (y, x) in rows.flat_map(|y| (0..size).map(move |x| (y, x))) {
            let around = (0..9).filter(|i| *i != 4);
            let around = around.filter(|i| is_alive(x + size - 1 + i % 3, y + size - 1 + i / 3));
            let lives = matches!((is_alive(x, y), around.count()), (true, 2) | (_, 3));
            next[y * size + x].store(lives, Relaxed);
        }
    }
}

/// Breaks the barrier, unless it is forgotten.
struct AbortOnDrop<'a, A>(&'a Barrier<A>);

impl<A> Drop for AbortOnDrop<'_, A> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Runs some generations, and returns how each worker ended. One of them may be made to fail.
fn simulate(
    world: &World,
    workers: usize,
    generations: usize,
    failure: Option<(usize, usize)>,
) -> Vec<thread::Result<Result<(), BrokenBarrier>>> {
    let barrier = &Barrier::with_action(workers as u32, || world.swap());
    let work = |worker: usize| {
        let abort = AbortOnDrop(barrier);
        for generation in 0..generations {
            if failure == Some((worker, generation)) {
                resume_unwind(Box::new("a worker failed")); // a panic that prints nothing
            }
            world.compute(worker * world.size / workers..(worker + 1) * world.size / workers);
            barrier.wait()?;
        }
        mem::forget(abort);
        Ok(())
    };
    thread::scope(|s| {
        let workers: Vec<_> = (0..workers).map(|worker| s.spawn(move || work(worker))).collect();
        workers.into_iter().map(|worker| worker.join()).collect()
    })
}

fn main() {
    let [workers, size, generations] = sizes::from_arguments(
        "The Game of Life, computed by several threads.",
        [
            ("WORKERS", "threads, each for some of the rows", 1..=64, 4),
            ("SIZE", "how many rows and columns there are", 3..=2_000, 48),
            ("GENERATIONS", "how many are computed", 1..=100_000, 100),
        ],
    );
    let alone = World::new(size);
    for _ in 0..generations {
        alone.compute(0..size);
        alone.swap();
    }

    let world = World::new(size);
    let ends = simulate(&world, workers, generations, None);
    assert!(ends.iter().all(|end| matches!(end, Ok(Ok(())))), "{ends:?}");
    assert_eq!(world.generation(), generations);
    assert!(world.alive() == alone.alive(), "a single thread finds otherwise");
    let alive = world.alive().into_iter().filter(|alive| *alive).count();
    println!("{workers} workers, {size} x {size} cells: {alive} live in generation {generations}.");
    println!("A single thread finds the same.");

    let (failing, generation) = (workers - 1, generations / 2);
    let world = World::new(size);
    let ends = simulate(&world, workers, generations, Some((failing, generation)));
    assert!(ends[failing].is_err(), "it panicked");
    let broken = ends.iter().filter(|end| matches!(end, Ok(Err(_)))).count();
    assert_eq!(broken, workers - 1, "{ends:?}");
    assert_eq!(world.generation(), generation, "nobody has gone on without the others");
    println!("Worker {failing} failed in generation {generation}. The others ended too: {broken}.");
}
