//! The bounded semaphore: as the other one, and never more permits than in the beginning.

use futon::BoundedSemaphore;

use super::semaphore::Desks;
use crate::random::Random;

pub fn bounded_semaphore(random: &mut Random) -> Desks<BoundedSemaphore> {
    let permits = 1 + random.below(4);
    Desks::new(BoundedSemaphore::new(permits), permits)
}
