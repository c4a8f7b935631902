//! How items are put in and got out, and how threads wait for that.

use std::panic::resume_unwind;

use super::outlet::Ready;
use super::state::{Line, Load, Place, Released, State};
use super::{Container, GetError, PutError, Queue};
use crate::deadline::Deadline;
use crate::lock::LockGuard;
use crate::spin::spin_shortly_until;
use crate::wait_list::Waiter;

impl<T, C: Container<T>> Queue<T, C> {
    #[inline]
    pub(super) fn put_until(
        &self,
        item: T,
        deadline: impl FnOnce() -> Deadline,
    ) -> Result<(), PutError<T>> {
        let state = self.state();
        if state.may_be_full() {
            return self.put_contended(state, item, deadline());
        }
        match self.put_under(state, item) {
            Err(PutError::Full(item)) => self.put_contended(self.state(), item, deadline()),
            done => done,
        }
    }

    /// Puts an item in, if there is room.
    #[inline]
    pub(super) fn put_under(
        &self,
        mut state: LockGuard<'_, State<T, C>>,
        item: T,
    ) -> Result<(), PutError<T>> {
        let released = state.put(item, &self.outlet)?;
        release(state, released);
        Ok(())
    }

    /// There may be no room.
    #[cold]
    fn put_contended<'a>(
        &'a self,
        mut state: LockGuard<'a, State<T, C>>,
        item: T,
        deadline: Deadline,
    ) -> Result<(), PutError<T>> {
        if let Some(taken) = state.taken_when_there_is_room() {
            drop(state);
            spin_shortly_until(deadline, || self.outlet.taken() >= taken);
            state = self.state();
        }
        match self.put_under(state, item) {
            Err(PutError::Full(item)) => self.put_in_line(item, deadline),
            done => done,
        }
    }

    /// Waits for room, unless there is some now.
    fn put_in_line(&self, item: T, deadline: Deadline) -> Result<(), PutError<T>> {
        // Nobody gets what is ready between the look and the wait.
        let mut ready = C::FIFO.map(|_| self.outlet.acquire());
        let mut state = self.state();
        let item = match state.put(item, &self.outlet) {
            Ok(released) => {
                release((ready, state), released);
                return Ok(());
            }
            Err(PutError::Full(item)) => item,
            Err(closed) => return Err(closed),
        };
        if let Some(ready) = &mut ready {
            ready.has_putters = true;
        }
        match self.wait(ready, state, |state| &mut state.putters, Load::Item(item), deadline) {
            (_, Load::Nothing) => Ok(()),
            (true, Load::Item(item)) => Err(PutError::Closed(item)),
            (false, Load::Item(item)) => Err(PutError::Full(item)),
            (_, Load::Panic(panic)) => resume_unwind(panic),
        }
    }

    #[inline]
    pub(super) fn get_now(&self) -> Result<T, GetError> {
        self.take_ready().or_else(|mut ready| {
            let mut state = self.state();
            let (item, released) = state.get(&self.outlet, ready.as_deref_mut())?;
            release((ready, state), released);
            Ok(item)
        })
    }

    #[inline]
    pub(super) fn get_until(&self, deadline: impl FnOnce() -> Deadline) -> Result<T, GetError> {
        self.take_ready().or_else(|mut ready| {
            let mut state = self.state();
            match state.get(&self.outlet, ready.as_deref_mut()) {
                Ok((item, released)) => {
                    release((ready, state), released);
                    Ok(item)
                }
                Err(GetError::Empty) => self.get_in_line(ready, state, deadline()),
                Err(GetError::Closed) => Err(GetError::Closed),
            }
        })
    }

    /// Takes an item that is ready. If none is, none will be before the lock is released that this comes back with.
    #[inline]
    fn take_ready(&self) -> Result<T, Option<LockGuard<'_, Ready<C>>>> {
        if C::FIFO.is_none() {
            return Err(None);
        }
        let mut ready = self.outlet.acquire();
        let Some(item) = self.outlet.take(&mut ready) else { return Err(Some(ready)) };
        if ready.has_putters {
            self.let_in(ready);
        }
        Ok(item)
    }

    /// Lets those in who wait for room.
    #[cold]
    fn let_in(&self, mut ready: LockGuard<'_, Ready<C>>) {
        let mut state = self.state();
        let mut released = Released::nobody();
        state.let_in(&self.outlet, &mut released);
        ready.has_putters = state.putters.count() > 0;
        release((ready, state), released);
    }

    /// There is nothing.
    #[cold]
    fn get_in_line(
        &self,
        ready: Option<LockGuard<'_, Ready<C>>>,
        state: LockGuard<'_, State<T, C>>,
        deadline: Deadline,
    ) -> Result<T, GetError> {
        match self.wait(ready, state, |state| &mut state.getters, Load::Nothing, deadline) {
            (_, Load::Item(item)) => Ok(item),
            (true, _) => Err(GetError::Closed),
            (false, _) => Err(GetError::Empty),
        }
    }

    pub(super) fn join_until(&self, deadline: Deadline) -> bool {
        let state = self.state();
        state.unfinished() <= 0
            || self.wait(None, state, |state| &mut state.joiners, Load::Nothing, deadline).0
    }

    /// Waits in a line until it is told, or until the deadline. Returns whether it was told, and what it has then.
    fn wait(
        &self,
        ready: Option<LockGuard<'_, Ready<C>>>,
        mut state: LockGuard<'_, State<T, C>>,
        line: fn(&mut State<T, C>) -> &mut Line<T>,
        load: Load<T>,
        deadline: Deadline,
    ) -> (bool, Load<T>) {
        if deadline.has_passed() {
            return (false, load);
        }
        let waiter = Waiter::new(Place::new(load));
        // SAFETY: it stays where it is until it has been told, or has left the line.
        unsafe { line(&mut state).push(&waiter) };
        drop((ready, state));
        let mut was_told = waiter.wait_for_a_turn_until(deadline).is_some();
        if !was_told {
            // SAFETY: that is the line that it was put into.
            was_told = !unsafe { line(&mut self.state()).remove(&waiter) };
            if was_told {
                // Or is being told at this moment.
                waiter.wait_until(Deadline::NEVER);
            }
        }
        (was_told, waiter.into_about().into_load())
    }
}

/// Lets go of the locks, and then tells those whom this thread has taken out under them.
#[inline]
pub(super) fn release<L, T>(locks: L, released: Released<T>) {
    drop(locks);
    released.tell();
}
