//! What a queue knows, and the threads that wait at it.

use core::cell::{Cell, UnsafeCell};
use core::mem;
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::outlet::{Outlet, Ready};
use super::{Container, GetError, PutError};
use crate::futex;
use crate::wait_list::{News, WaitList, Waiter};

/// What each of those is told who wait: that its [`Load`] says what has become of it.
const TOLD: News = News::new(2);

/// For how many items there is room if there is for any number.
pub(super) const NO_LIMIT: usize = usize::MAX;

/// What is reached under the lock of the queue alone.
pub(super) struct State<T, C> {
    pub(super) container: C,
    capacity: usize,
    /// How many items left the container, and are not done. Below zero if more were said to be done.
    out: i64,
    /// How many of them were made ready, ever, and how many of those were taken when somebody looked last.
    made_ready: u64,
    taken: u64,
    pub(super) is_closed: bool,
    pub(super) getters: Line<T>,
    pub(super) putters: Line<T>,
    pub(super) joiners: Line<T>,
}

impl<T, C> State<T, C> {
    pub(super) const fn new(container: C, capacity: usize) -> Self {
        Self {
            container,
            capacity,
            out: 0,
            made_ready: 0,
            taken: 0,
            is_closed: false,
            getters: Line::new(),
            putters: Line::new(),
            joiners: Line::new(),
        }
    }

    /// For how many items there is room, if not for any number.
    pub(super) fn limit(&self) -> Option<usize> {
        (self.capacity != NO_LIMIT).then_some(self.capacity)
    }
}

impl<T, C: Container<T>> State<T, C> {
    /// How many items are in the queue.
    pub(super) fn len(&mut self, outlet: &Outlet<C>) -> usize {
        self.taken = outlet.taken();
        self.most()
    }

    /// There are not more items in the queue.
    #[inline]
    fn most(&self) -> usize {
        self.container.len() + (self.made_ready - self.taken) as usize
    }

    #[inline]
    pub(super) fn is_full(&mut self, outlet: &Outlet<C>) -> bool {
        self.may_be_full() && self.len(outlet) >= self.capacity
    }

    /// Whether it is full, unless more items were taken than this thread knows of.
    #[inline]
    pub(super) fn may_be_full(&self) -> bool {
        self.most() >= self.capacity
    }

    /// How many items will have been taken when there is room for several, if no more are put in. `None` if that is not
    /// worth waiting for: others wait already, or the queue is small.
    pub(super) fn taken_when_there_is_room(&self) -> Option<u64> {
        let several = self.capacity / 8;
        if C::FIFO.is_none() || several == 0 || !self.putters.is_empty() {
            return None;
        }
        let in_all = self.made_ready + self.container.len() as u64;
        (in_all + several as u64).checked_sub(self.capacity as u64)
    }

    /// How many items are not done: those in the container, and those that have left it.
    pub(super) fn unfinished(&self) -> i64 {
        self.container.len() as i64 + self.out
    }

    /// Gives an item to the first of those who wait for one, or puts it in.
    #[inline]
    pub(super) fn put(&mut self, item: T, outlet: &Outlet<C>) -> Result<Released<T>, PutError<T>> {
        let mut released = Released::nobody();
        if self.is_closed {
            return Err(PutError::Closed(item));
        }
        if !self.getters.is_empty() {
            self.out += 1;
            self.getters.exchange_first(Load::Item(item));
            self.getters.release_first(&mut released);
        } else if !self.putters.is_empty() || self.is_full(outlet) {
            // Room is for those who wait, also if they are not let in yet.
            return Err(PutError::Full(item));
        } else {
            self.container.push(item);
        }
        Ok(released)
    }

    /// Takes an item out, and puts in what others wait with.
    #[inline]
    pub(super) fn get(
        &mut self,
        outlet: &Outlet<C>,
        ready: Option<&mut Ready<C>>,
    ) -> Result<(T, Released<T>), GetError> {
        let mut released = Released::nobody();
        let item = match (C::FIFO, ready) {
            (Some(make), Some(ready)) => {
                if self.container.len() > 0 {
                    self.make_ready(ready, make);
                }
                outlet.take(ready)
            }
            _ => {
                let item = self.container.pop();
                self.out += item.is_some() as i64;
                item
            }
        };
        let item = match item {
            Some(item) => item,
            None => self.take_from_first_putter(&mut released)?,
        };
        if !self.putters.is_empty() {
            self.let_in(outlet, &mut released);
        }
        Ok((item, released))
    }

    /// Makes all ready that is in the container. Nothing is ready.
    fn make_ready(&mut self, ready: &mut Ready<C>, make: fn() -> C) {
        let count = self.container.len();
        mem::swap(ready.items.get_or_insert_with(make), &mut self.container);
        self.out += count as i64;
        self.made_ready += count as u64;
    }

    /// Nothing is in the container. Somebody waits with an item nevertheless if it has no room for any.
    fn take_from_first_putter(&mut self, released: &mut Released<T>) -> Result<T, GetError> {
        match self.putters.exchange_first(Load::Nothing) {
            Some(Load::Item(item)) => {
                self.putters.release_first(released);
                self.out += 1;
                Ok(item)
            }
            _ if self.is_closed => Err(GetError::Closed),
            _ => Err(GetError::Empty),
        }
    }

    /// Puts in what others wait with, as far as there is room.
    #[cold]
    pub(super) fn let_in(&mut self, outlet: &Outlet<C>, released: &mut Released<T>) {
        while !self.is_full(outlet) {
            let Some(Load::Item(item)) = self.putters.exchange_first(Load::Nothing) else { return };
            // A panic is for the thread that has brought the item. This one has got an item, which must not be lost.
            let push = AssertUnwindSafe(|| self.container.push(item));
            if let Err(panic) = catch_unwind(push) {
                self.putters.exchange_first(Load::Panic(panic));
            }
            self.putters.release_first(released);
        }
    }

    /// One of the items that are not done is done. `None` if there is none.
    pub(super) fn task_done(&mut self) -> Option<Released<T>> {
        if self.unfinished() <= 0 {
            return None;
        }
        self.out -= 1;
        let mut released = Released::nobody();
        self.end_joins(&mut released);
        Some(released)
    }

    /// Lets nobody put anything in any more.
    pub(super) fn close(&mut self) -> Released<T> {
        self.is_closed = true;
        let mut released = Released::nobody();
        self.getters.release_all(&mut released);
        self.putters.release_all(&mut released);
        released
    }

    /// Closes, and takes all out: what is ready, and what comes after it.
    pub(super) fn close_now(
        &mut self,
        outlet: &Outlet<C>,
        ready: &mut Ready<C>,
    ) -> (Option<C>, C, Released<T>)
    where
        C: Default,
    {
        let (first, rest) = (ready.items.take(), mem::take(&mut self.container));
        // What was said to be done and is now handed back counts once.
        self.out = (self.out - (self.made_ready - outlet.taken()) as i64).max(0);
        self.made_ready = outlet.taken();
        let mut released = self.close();
        self.end_joins(&mut released);
        (first, rest, released)
    }

    fn end_joins(&mut self, released: &mut Released<T>) {
        if self.unfinished() == 0 {
            self.joiners.release_all(released);
        }
    }
}

/// What a thread that waits has brought with it, and what it finds when it has been told.
///
/// | it waits for         | has brought | finds                                                                    |
/// |----------------------|-------------|--------------------------------------------------------------------------|
/// | an item              | `Nothing`   | the `Item`; `Nothing` if the queue is closed                             |
/// | room for an item     | the `Item`  | `Nothing`; the `Item` if the queue is closed; the `Panic` of the container that was to take it |
/// | the end of all work  | `Nothing`   | `Nothing`                                                                |
pub(super) enum Load<T> {
    Nothing,
    Item(T),
    Panic(Box<dyn Any + Send>),
}

/// What is to be known about a thread that waits.
pub(super) struct Place<T> {
    /// Belongs to whoever has the line or the list that the thread is in, and otherwise to the thread.
    load: UnsafeCell<Load<T>>,
    /// Belongs to whoever has the lock of the queue. False once it will be told.
    is_in_line: Cell<bool>,
}

// SAFETY: one thread at a time has the load, and one the flag. An item that one of them leaves there another one takes, so
// it has to be `Send`; nobody has a reference to one.
unsafe impl<T: Send> Sync for Place<T> {}

impl<T> Place<T> {
    pub(super) const fn new(load: Load<T>) -> Self {
        Self { load: UnsafeCell::new(load), is_in_line: Cell::new(true) }
    }

    pub(super) fn into_load(self) -> Load<T> {
        self.load.into_inner()
    }
}

/// Threads that wait for the same, first come first.
pub(super) struct Line<T> {
    list: WaitList<Place<T>>,
    count: usize,
}

impl<T> Line<T> {
    const fn new() -> Self {
        Self { list: WaitList::new(), count: 0 }
    }

    pub(super) fn count(&self) -> usize {
        self.count
    }

    #[inline]
    fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Puts a thread at the end of the line.
    ///
    /// # Safety
    ///
    /// It is in no line and never was. It stays valid, and where it is, until it has been told, or taken out by `remove`.
    pub(super) unsafe fn push(&mut self, waiter: *const Waiter<Place<T>>) {
        // SAFETY: as the caller says. Those whom others take out are told by `Released`.
        unsafe { self.list.push(waiter) };
        self.count += 1;
    }

    /// Takes a thread out, to be told nothing. False if it has been taken out before, and so is told.
    ///
    /// # Safety
    ///
    /// It was put into this line.
    pub(super) unsafe fn remove(&mut self, waiter: &Waiter<Place<T>>) -> bool {
        let is_in_line = waiter.about().is_in_line.get();
        if is_in_line {
            // SAFETY: it is in this line still.
            unsafe { self.list.remove(waiter) };
            self.count -= 1;
        }
        is_in_line
    }

    /// Gives the first thread this load. Returns the one that it had; `None` if there is no thread.
    fn exchange_first(&mut self, load: Load<T>) -> Option<Load<T>> {
        let place = self.list.first()?;
        // SAFETY: it is in this line, which is borrowed exclusively.
        Some(mem::replace(unsafe { &mut *place.load.get() }, load))
    }

    /// Takes the first thread out, to be told.
    fn release_first(&mut self, released: &mut Released<T>) {
        if let Some(waiter) = self.list.pop() {
            self.count -= 1;
            // SAFETY: it has not been told, so it is still there. It is in no line any more, and will be told.
            unsafe {
                (*waiter).about().is_in_line.set(false);
                released.list.push(waiter);
            }
        }
    }

    fn release_all(&mut self, released: &mut Released<T>) {
        while !self.is_empty() {
            self.release_first(released);
        }
    }
}

/// Threads that were taken out of a line, and are to be told.
#[must_use = "they wait for it"]
pub(super) struct Released<T> {
    list: WaitList<Place<T>>,
}

impl<T> Released<T> {
    pub(super) const fn nobody() -> Self {
        Self { list: WaitList::new() }
    }

    /// Tells them. From the first one on, the queue may be gone.
    #[inline]
    pub(super) fn tell(mut self) {
        while let Some(waiter) = self.list.pop() {
            // SAFETY: it is in no line, and nobody else tells it. The next one has been read before this one is
            // told, by `pop`, which leaves no link to it.
            if let Some(word) = unsafe { Waiter::tell(waiter, TOLD) } {
                futex::wake_one(word);
            }
        }
    }
}
