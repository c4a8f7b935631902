//! The barrier: threads that do nothing but wait for each other.

use std::sync::atomic::{AtomicU64, Ordering::*};

use crate::crew::{Apart, Crew};
use crate::peers::barriers::{Barrier, Generation, Pthread};
use crate::turns::{Contender, Group, Turns};

pub fn rounds(crew: &Crew, turns: &mut Turns) {
    for parties in [2, 4, 8, 16] {
        let contenders = vec![
            go_round::<futon::Barrier>(crew, parties),
            go_round::<std::sync::Barrier>(crew, parties),
            go_round::<Pthread>(crew, parties),
            go_round::<Generation>(crew, parties),
        ];
        turns.run(
            Group::new("barrier/rounds", "round", contenders).cell(&[("parties", parties.into())]),
        );
    }
}

fn go_round<B: Barrier>(crew: &Crew, parties: u32) -> Contender<'_> {
    let barrier = Box::new(Apart(B::new(parties)));
    Contender::by_rounds(B::NAME, move |rounds| {
        let leaders = AtomicU64::new(0);
        let time = crew.run(parties as usize, |_| {
            let led = (0..rounds).filter(|_| barrier.0.wait()).count();
            leaders.fetch_add(led as u64, Relaxed);
        });
        assert_eq!(leaders.into_inner(), rounds, "one leader each round");
        time
    })
}
