//! The groups: for each primitive, what is done with it, by futon and by its peers.

mod barrier;
mod condition;
mod event;
mod hand_over;
mod iterator;
mod lock;
mod par_map;
mod queue;
mod rlock;
mod semaphore;
mod waiting;

use crate::crew::Crew;
use crate::turns::{Group, Turns};

/// What one thread does alone.
pub fn alone() -> Vec<Group<'static>> {
    let mut groups = vec![lock::uncontended()];
    groups.extend(rlock::uncontended());
    groups.push(semaphore::uncontended());
    groups.extend(event::uncontended());
    groups.push(condition::uncontended());
    groups
}

/// What several threads do.
pub fn together(crew: &Crew, turns: &mut Turns) {
    lock::contended(crew, turns);
    waiting::waits(crew, turns);
    rlock::contended(crew, turns);
    semaphore::contended(crew, turns);
    event::waking(crew, turns);
    condition::contended(crew, turns);
    hand_over::ping_pong(crew, turns);
    barrier::rounds(crew, turns);
    queue::flows(crew, turns);
    if turns.wants("iterator/") {
        iterator::all(crew, turns);
    }
    if turns.wants("par_map/") {
        par_map::all(turns);
    }
}
