//! What the benches have in common: `cargo bench -p futon-benches`.
//!
//! criterion measures one contender after the other and says how certain each figure is. What counts is
//! the ratio between the contenders of a group. For that they are run once more, in turns, so that
//! whatever else the machine does meets all of them; the medians of the ratios are printed below the
//! group. Times from different runs say little.

use std::cell::Cell;
use std::hint::black_box;
use std::sync::{Barrier, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use criterion::Criterion;

const SAMPLES: usize = 40;
/// How often the contenders take turns, and for how long each of them then runs.
const TURNS: usize = 41;
const TURN: Duration = Duration::from_millis(10);

/// Does an operation this often, returns how long it took.
pub type Run<'a> = Box<dyn Fn(u64) -> Duration + 'a>;

/// Measures the contenders of a group, and prints their times as parts of the first one's.
pub fn compare(criterion: &mut Criterion, group: &str, contenders: &[(&str, Run)]) {
    // Some libraries leave out atomic operations in a process with one thread only.
    let (company, stays) = mpsc::channel::<()>();
    let second_thread = thread::spawn(move || stays.recv());

    let mut bench = criterion.benchmark_group(group);
    bench.sample_size(SAMPLES);
    let mut measured = Vec::new();
    for contender @ (name, run) in contenders {
        let calls = Cell::new(0);
        bench.bench_function(*name, |bencher| {
            bencher.iter_custom(|rounds| {
                calls.set(calls.get() + 1);
                run(rounds)
            });
        });
        // Not if the command line leaves it out, or asks for a test only.
        if calls.get() >= SAMPLES {
            measured.push(contender);
        }
    }
    bench.finish();

    if let Some((first, _)) = measured.first() {
        print!("{group}: time / time of {first}:");
        for ((name, _), ratio) in measured.iter().zip(ratios(&measured)) {
            print!("  {name} {ratio:.3}");
        }
        println!("\n");
    }
    drop(company);
    second_thread.join().unwrap().unwrap_err();
}

/// The median, over all turns, of each contender's time by the first one's in the same turn.
fn ratios(contenders: &[&(&str, Run)]) -> Vec<f64> {
    let rounds: Vec<u64> = contenders.iter().map(|(_, run)| rounds_in_a_turn(run)).collect();
    let mut ratios = vec![Vec::new(); contenders.len()];
    for _ in 0..TURNS {
        let time =
            |((_, run), &rounds): (&&(&str, Run), &u64)| run(rounds).as_secs_f64() / rounds as f64;
        let times: Vec<f64> = contenders.iter().zip(&rounds).map(time).collect();
        for (ratios, time) in ratios.iter_mut().zip(&times) {
            ratios.push(time / times[0]);
        }
    }
    let median = |mut values: Vec<f64>| {
        values.sort_by(f64::total_cmp);
        values[TURNS / 2]
    };
    ratios.into_iter().map(median).collect()
}

fn rounds_in_a_turn(run: &Run) -> u64 {
    let mut rounds = 1;
    while run(rounds) < TURN {
        rounds *= 2;
    }
    rounds
}

/// One thread does `operation`, over and over.
pub fn alone<'a, R>(operation: impl Fn() -> R + 'a) -> Run<'a> {
    Box::new(move |rounds| {
        let start = Instant::now();
        for _ in 0..rounds {
            black_box(operation());
        }
        start.elapsed()
    })
}

/// So many threads do `operation` at the same time, over and over, and share the rounds between them.
///
/// The time is that from the first start to the last end, without making the threads.
pub fn together<'a>(threads: u64, operation: impl Fn() + Sync + 'a) -> Run<'a> {
    Box::new(move |rounds| {
        let line = Barrier::new(threads as usize);
        let work = || {
            line.wait();
            let start = Instant::now();
            (0..rounds.div_ceil(threads)).for_each(|_| operation());
            (start, Instant::now())
        };
        let spans: Vec<_> = thread::scope(|s| {
            let workers: Vec<_> = (0..threads).map(|_| s.spawn(work)).collect();
            workers.into_iter().map(|worker| worker.join().unwrap()).collect()
        });
        let start = spans.iter().map(|span| span.0).min().unwrap();
        let end = spans.iter().map(|span| span.1).max().unwrap();
        end - start
    })
}
