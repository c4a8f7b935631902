//! Results that are there and not handed out yet.

use std::collections::VecDeque;
use std::thread;

use super::Payload;

/// A result, or what its panic has thrown.
pub(super) type Outcome<R> = thread::Result<R>;

/// A queue of results, each with the place of its item.
pub(super) struct Finished<R> {
    is_in_order: bool,
    /// How many have been taken. In order, this is the place of the next one.
    taken: usize,
    /// In order: from the next place on, with gaps where a result is not there yet.
    queue: VecDeque<Option<(usize, Outcome<R>)>>,
}

impl<R> Finished<R> {
    pub(super) const fn in_order() -> Self {
        Self { is_in_order: true, taken: 0, queue: VecDeque::new() }
    }

    pub(super) const fn as_they_come() -> Self {
        Self { is_in_order: false, taken: 0, queue: VecDeque::new() }
    }

    pub(super) fn is_in_order(&self) -> bool {
        self.is_in_order
    }

    pub(super) fn taken(&self) -> usize {
        self.taken
    }

    /// Whether there is one to be taken.
    pub(super) fn is_ready(&self) -> bool {
        matches!(self.queue.front(), Some(Some(_)))
    }

    pub(super) fn put(&mut self, place: usize, outcome: Outcome<R>) {
        let slot = if self.is_in_order { place - self.taken } else { self.queue.len() };
        while self.queue.len() <= slot {
            self.queue.push_back(None);
        }
        self.queue[slot] = Some((place, outcome));
    }

    pub(super) fn take(&mut self) -> Option<Outcome<R>> {
        if !self.is_ready() {
            return None;
        }
        self.taken += 1;
        self.queue.pop_front().flatten().map(|(_, outcome)| outcome)
    }

    /// All that have not been taken, and the first panic among them.
    pub(super) fn into_results(self) -> (Vec<(usize, R)>, Option<Payload>) {
        let mut panic = None;
        let mut results = Vec::new();
        for (place, outcome) in self.queue.into_iter().flatten() {
            match outcome {
                Ok(result) => results.push((place, result)),
                Err(payload) => _ = panic.get_or_insert(payload),
            }
        }
        (results, panic)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take_all(finished: &mut Finished<char>) -> String {
        std::iter::from_fn(|| finished.take()).map(Result::unwrap).collect()
    }

    #[test]
    fn in_order_each_waits_for_those_before_it() {
        let mut finished = Finished::in_order();
        for (place, result, taken) in
            [(1, 'b', ""), (0, 'a', "ab"), (2, 'c', "c"), (5, 'f', ""), (4, 'e', "")]
        {
            finished.put(place, Ok(result));
            assert_eq!(finished.is_ready(), !taken.is_empty());
            assert_eq!(take_all(&mut finished), taken);
        }
        assert_eq!(finished.taken(), 3);
        assert_eq!(finished.into_results().0, [(4, 'e'), (5, 'f')]);
    }

    #[test]
    fn out_of_order_they_come_as_they_were_put() {
        let mut finished = Finished::as_they_come();
        assert!(!finished.is_ready());
        [(7, 'h'), (0, 'a')].into_iter().for_each(|(place, result)| finished.put(place, Ok(result)));
        assert_eq!(take_all(&mut finished), "ha");
        finished.put(3, Ok('d'));
        finished.put(1, Ok('b'));
        assert_eq!(finished.taken(), 2);
        assert_eq!(finished.into_results().0, [(3, 'd'), (1, 'b')]);
    }

    #[test]
    fn of_the_panics_that_are_left_the_first_is_the_one() {
        let mut finished = Finished::in_order();
        finished.put(2, Err(Box::new("second")));
        finished.put(1, Err(Box::new("first")));
        finished.put(3, Ok('d'));
        let (results, panic) = finished.into_results();
        assert_eq!(results, [(3, 'd')]);
        assert_eq!(panic.unwrap().downcast_ref(), Some(&"first"));
    }
}
