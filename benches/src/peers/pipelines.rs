//! Maps by several threads: what takes an iterator and gives the results to whoever called.

use std::collections::BTreeMap;
use std::thread;

use crossbeam_channel::bounded;
use rayon::ThreadPool;
use rayon::iter::{ParallelBridge, ParallelIterator};

/// Room enough in a channel that nobody waits for a moment of another's.
const ROOM: usize = 1024;

/// By channels: one thread gives the jobs, others take them and give results, and `take` gets these as they come.
pub fn by_channels<T: Send, R: Send>(
    iter: impl Iterator<Item = T> + Send,
    threads: usize,
    work: impl Fn(T) -> R + Sync,
    mut take: impl FnMut(usize, R),
) {
    let (give_job, jobs) = bounded(ROOM);
    let (give_result, results) = bounded(ROOM);
    thread::scope(|s| {
        s.spawn(move || iter.enumerate().for_each(|job| give_job.send(job).unwrap()));
        for _ in 0..threads {
            let (jobs, give_result) = (jobs.clone(), give_result.clone());
            let work = &work;
            s.spawn(move || {
                jobs.iter().for_each(|(place, item)| give_result.send((place, work(item))).unwrap());
            });
        }
        drop(give_result);
        results.iter().for_each(|(place, result)| take(place, result));
    });
}

/// The same with results in order: those that come too early are kept in a tree.
pub fn by_channels_in_order<T: Send, R: Send>(
    iter: impl Iterator<Item = T> + Send,
    threads: usize,
    work: impl Fn(T) -> R + Sync,
    mut take: impl FnMut(R),
) {
    let (mut early, mut next) = (BTreeMap::new(), 0);
    by_channels(iter, threads, work, |place, result| {
        early.insert(place, result);
        while let Some(result) = early.remove(&next) {
            take(result);
            next += 1;
        }
    });
    assert!(early.is_empty());
}

/// By rayon, all results at the end, as they came.
pub fn by_rayon<T: Send, R: Send>(
    iter: impl Iterator<Item = T> + Send,
    pool: &ThreadPool,
    work: impl Fn(T) -> R + Sync + Send,
) -> Vec<R> {
    pool.install(|| iter.par_bridge().map(work).collect())
}

/// The same in order, which rayon does not give: each with its place, and sorted.
pub fn by_rayon_in_order<T: Send, R: Send>(
    iter: impl Iterator<Item = T> + Send,
    pool: &ThreadPool,
    work: impl Fn(T) -> R + Sync + Send,
) -> impl Iterator<Item = R> {
    let mut results = by_rayon(iter.enumerate(), pool, |(place, item)| (place, work(item)));
    results.sort_unstable_by_key(|(place, _)| *place);
    results.into_iter().map(|(_, result)| result)
}
