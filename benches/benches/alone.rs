//! What one thread does alone, measured by criterion.

use std::time::Duration;

use criterion::Criterion;

fn main() {
    let criterion = Criterion::default().warm_up_time(Duration::from_millis(500));
    let mut criterion = criterion.measurement_time(Duration::from_secs(2)).configure_from_args();
    futon_benches::with_criterion(&mut criterion);
    criterion.final_summary();
}
