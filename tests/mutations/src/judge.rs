//! Whether a test notices a mutation.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::Write;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::Result;
use crate::bench::{Bench, End, Test};
use crate::find::Mutation;

/// What was found out about a mutation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Verdict {
    /// By this test; `by_time` if it did not come to an end.
    Noticed { by: String, is_model: bool, by_time: bool },
    /// So many tests have passed, of those that reach it.
    Survived { passed: usize, of: usize },
}

struct Judge<'a> {
    bench: &'a Bench,
    /// How long to look for a test that notices.
    patience: Duration,
    /// How often a test has noticed a mutation in this file, or in this function of it.
    noticed: Mutex<HashMap<(String, usize), u32>>,
}

/// What was found out, by the mutations' ids.
pub struct Record {
    file: PathBuf,
    known: HashMap<u64, Verdict>,
}

impl Record {
    /// That of earlier runs, or one that knows nothing yet.
    pub fn open(file: PathBuf, resume: bool) -> Result<Self> {
        let text = if resume { fs::read_to_string(&file).unwrap_or_default() } else { String::new() };
        let known = text.lines().map(serde_json::from_str).collect::<std::result::Result<_, _>>()?;
        fs::create_dir_all(file.parent().expect("not the root"))?;
        fs::write(&file, text)?;
        Ok(Self { file, known })
    }

    /// Of these mutations it is to be found out again whether a test notices that was not run.
    pub fn look_again<'a>(&mut self, mutations: impl Iterator<Item = &'a Mutation>) {
        for Mutation { id, .. } in mutations {
            if matches!(self.known.get(id), Some(Verdict::Survived { passed, of }) if passed < of) {
                self.known.remove(id);
            }
        }
    }

    fn add(&self, id: u64, verdict: &Verdict) -> Result<()> {
        let line = serde_json::to_string(&(id, verdict))? + "\n";
        Ok(File::options().append(true).open(&self.file)?.write_all(line.as_bytes())?)
    }
}

/// All of them, in their order.
pub fn judge(
    bench: &Bench,
    mutations: &[Mutation],
    jobs: usize,
    patience: Duration,
    record: &Record,
) -> Result<Vec<Verdict>> {
    let judge = Judge { bench, patience, noticed: Mutex::default() };
    let (next, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let verdicts = Mutex::new(vec![None; mutations.len()]);
    let work = || -> std::result::Result<(), String> {
        loop {
            let number = next.fetch_add(1, Relaxed);
            let Some(mutation) = mutations.get(number) else { return Ok(()) };
            let verdict = match record.known.get(&mutation.id) {
                Some(known) => known.clone(),
                None => {
                    let verdict = judge.verdict(number, mutation).map_err(|error| error.to_string())?;
                    record.add(mutation.id, &verdict).map_err(|error| error.to_string())?;
                    verdict
                }
            };
            let done = done.fetch_add(1, Relaxed) + 1;
            if let Verdict::Survived { passed, of } = verdict {
                println!("survived {passed} of {of} tests: {mutation}");
            }
            if done % 50 == 0 {
                println!("{done} of {}", mutations.len());
            }
            verdicts.lock().unwrap_or_else(PoisonError::into_inner)[number] = Some(verdict);
        }
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..jobs).map(|_| scope.spawn(work)).collect();
        workers.into_iter().try_for_each(|worker| worker.join().expect("does not panic"))
    })?;
    let verdicts = verdicts.into_inner().unwrap_or_else(PoisonError::into_inner);
    Ok(verdicts.into_iter().map(|verdict| verdict.expect("all were judged")).collect())
}

impl Judge<'_> {
    fn verdict(&self, number: usize, mutation: &Mutation) -> Result<Verdict> {
        let places = [mutation.file.clone(), format!("{} {}", mutation.file, mutation.within)];
        let tests = self.in_good_order(number, &places);
        let (start, mut passed, mut has_hung) = (Instant::now(), 0, false);
        for &index in &tests {
            let test = &self.bench.tests[index];
            let end = test.run_with(number)?;
            let by_time = end == End::Hung;
            if end == End::Passed || !is_sure(test, number, end)? {
                passed += 1;
            } else if by_time && test.is_model && !has_hung {
                // It may only have got more to do. A second one tells.
                has_hung = true;
            } else {
                let mut noticed = self.noticed.lock().unwrap_or_else(PoisonError::into_inner);
                for place in places {
                    *noticed.entry((place, index)).or_default() += 1;
                }
                return Ok(Verdict::Noticed {
                    by: test.name.clone(),
                    is_model: test.is_model,
                    by_time,
                });
            }
            if start.elapsed() > self.patience {
                break;
            }
        }
        Ok(Verdict::Survived { passed, of: tests.len() })
    }

    /// The tests that reach it. First those that are fast, and have noticed mutations nearby.
    fn in_good_order(&self, mutation: usize, places: &[String; 2]) -> Vec<usize> {
        let all = 0..self.bench.tests.len();
        let mut tests: Vec<_> =
            all.filter(|&test| self.bench.tests[test].reaches.contains(&mutation)).collect();
        let noticed = self.noticed.lock().unwrap_or_else(PoisonError::into_inner);
        tests.sort_by_cached_key(|&test| {
            let times = places.clone().map(|place| noticed.get(&(place, test)).copied().unwrap_or(0));
            self.bench.tests[test].time / (1 + 10 * times[0] + 100 * times[1])
        });
        tests
    }
}

/// Threads may fail a test by chance: once more with the mutation, and once without.
fn is_sure(test: &Test, mutation: usize, end: End) -> Result<bool> {
    if test.is_model {
        return Ok(true);
    }
    // A hang is not by chance, and costs much to see twice.
    let fails_again = end == End::Hung || test.run_with(mutation)? != End::Passed;
    Ok(fails_again && test.run_without()? == End::Passed)
}
