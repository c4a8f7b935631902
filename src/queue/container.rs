//! What a queue keeps its items in, which decides the order in which they come out.

use core::mem;
use std::collections::VecDeque;

/// What a [`Queue`](super::Queue) keeps its items in: who comes out first is up to it.
///
/// | container | comes out first | name of the queue |
/// |---|---|---|
/// | [`VecDeque`] | what was put in first | [`Queue`](super::Queue) |
/// | [`Vec`] | what was put in last | [`LifoQueue`](super::LifoQueue) |
/// | [`MinHeap`] | the smallest | [`PriorityQueue`](super::PriorityQueue) |
///
/// Any other order is a type of your own. In Python it is a class that overrides `_put`, `_get` and `_qsize` of `Queue`.
///
/// ```
/// use futon::{Container, Queue};
///
/// /// Urgent items first, in the order in which they came.
/// #[derive(Default)]
/// struct TwoLanes {
///     urgent: Vec<&'static str>,
///     other: Vec<&'static str>,
/// }
///
/// impl Container<&'static str> for TwoLanes {
///     fn push(&mut self, item: &'static str) {
///         let lane = if item.ends_with('!') { &mut self.urgent } else { &mut self.other };
///         lane.push(item);
///     }
///     fn pop(&mut self) -> Option<&'static str> {
///         let lane = if self.urgent.is_empty() { &mut self.other } else { &mut self.urgent };
///         if lane.is_empty() { None } else { Some(lane.remove(0)) }
///     }
///     fn len(&self) -> usize {
///         self.urgent.len() + self.other.len()
///     }
/// }
///
/// let queue = Queue::with_container(TwoLanes::default());
/// queue.put("sweep").unwrap();
/// queue.put("fire!").unwrap();
/// assert_eq!(queue.get(), Ok("fire!"));
/// assert_eq!(queue.get(), Ok("sweep"));
/// ```
///
/// **It is called under the lock of the queue.** So it should be quick, and must not use the queue: that would wait
/// for itself. The same holds for what it calls, as comparisons of items. It drops no items.
///
/// **It may panic**, and the queue goes on working. But in a [`pop`](Self::pop) that panics it must not get shorter: what it
/// drops is lost, and nobody is let in for it.
#[allow(clippy::len_without_is_empty)] // a container that is implemented needs no second question
pub trait Container<T> {
    /// How to make another one without items, if what is put in first always comes out first, and otherwise `None`.
    ///
    /// With it a queue works with two of them: one that is put into, and one that is got from, which are exchanged when the
    /// other one is empty. So those who put and those who get are seldom in each other's way.
    ///
    /// ```
    /// use futon::{Container, Queue};
    /// use std::collections::VecDeque;
    ///
    /// /// First in, first out, with memory for 64 items from the beginning.
    /// struct Roomy(VecDeque<u8>);
    ///
    /// impl Container<u8> for Roomy {
    ///     const FIFO: Option<fn() -> Self> = Some(|| Roomy(VecDeque::with_capacity(64)));
    ///     fn push(&mut self, item: u8) {
    ///         self.0.push_back(item);
    ///     }
    ///     fn pop(&mut self) -> Option<u8> {
    ///         self.0.pop_front()
    ///     }
    ///     fn len(&self) -> usize {
    ///         self.0.len()
    ///     }
    /// }
    ///
    /// let queue = Queue::with_container(Roomy(VecDeque::with_capacity(64)));
    /// queue.put(1).unwrap();
    /// assert_eq!(queue.get(), Ok(1));
    /// ```
    const FIFO: Option<fn() -> Self> = None;

    /// Adds an item.
    ///
    /// ```
    /// use futon::Container;
    /// use std::collections::VecDeque;
    ///
    /// let mut items = VecDeque::from([1]);
    /// items.push(2);
    /// assert_eq!(items, [1, 2]);
    /// ```
    fn push(&mut self, item: T);

    /// Takes the item out that comes first. `None` if there is none.
    ///
    /// ```
    /// use futon::Container;
    /// use std::collections::VecDeque;
    ///
    /// let mut items = VecDeque::from([1]);
    /// assert_eq!((items.pop(), items.pop()), (Some(1), None));
    /// ```
    fn pop(&mut self) -> Option<T>;

    /// How many items there are. By this the queue knows whether it is full, and whether all are done.
    ///
    /// ```
    /// use futon::{Container, MinHeap};
    ///
    /// assert_eq!(MinHeap::from_iter([3, 1, 2]).len(), 3);
    /// ```
    fn len(&self) -> usize;
}

/// First in, first out.
impl<T> Container<T> for VecDeque<T> {
    const FIFO: Option<fn() -> Self> = Some(Self::new);

    #[inline]
    fn push(&mut self, item: T) {
        self.push_back(item);
    }

    #[inline]
    fn pop(&mut self) -> Option<T> {
        self.pop_front()
    }

    #[inline]
    fn len(&self) -> usize {
        self.len()
    }
}

/// Last in, first out.
impl<T> Container<T> for Vec<T> {
    #[inline]
    fn push(&mut self, item: T) {
        self.push(item);
    }

    #[inline]
    fn pop(&mut self) -> Option<T> {
        self.pop()
    }

    #[inline]
    fn len(&self) -> usize {
        self.len()
    }
}

/// A binary heap: the smallest item comes out first. Of equal ones, any.
///
/// It is there beside [`BinaryHeap`](std::collections::BinaryHeap) for what happens when a comparison panics: here no item is
/// lost by that. All comparisons come before anything is moved. In Python it is a list, by `heapq`.
///
/// For the largest first, put [`Reverse`](core::cmp::Reverse) around the items.
///
/// ```
/// use futon::{Container, MinHeap};
///
/// let mut heap = MinHeap::from_iter([3, 1, 2]);
/// heap.push(0);
/// assert_eq!(heap.pop(), Some(0));
/// assert_eq!(heap.pop(), Some(1));
/// assert_eq!(heap.len(), 2);
/// ```
#[doc(alias = "BinaryHeap")]
#[doc(alias = "heapq")]
#[derive(Clone, Debug)]
pub struct MinHeap<T> {
    /// Each one is at least as large as its parent: the one at half its place.
    items: Vec<T>,
}

impl<T> MinHeap<T> {
    /// A heap of nothing.
    ///
    /// ```
    /// use futon::{Container, MinHeap};
    ///
    /// const EMPTY: MinHeap<u8> = MinHeap::new();
    /// assert_eq!(EMPTY.len(), 0);
    /// ```
    #[inline]
    #[must_use]
    pub const fn new() -> Self {
        Self { items: Vec::new() }
    }

    /// The items, in no order.
    ///
    /// ```
    /// let mut items = futon::MinHeap::from_iter([3, 1, 2]).into_vec();
    /// items.sort();
    /// assert_eq!(items, [1, 2, 3]);
    /// ```
    #[inline]
    #[must_use]
    pub fn into_vec(self) -> Vec<T> {
        self.items
    }
}

const fn parent(place: usize) -> usize {
    (place - 1) / 2
}

impl<T: Ord> Container<T> for MinHeap<T> {
    /// Should a comparison panic, the item is there, at the end, whether or not it belongs there.
    fn push(&mut self, item: T) {
        let end = self.items.len();
        self.items.push(item);
        // Up from the end, to below the first that is not larger.
        let mut place = end;
        while place > 0 && self.items[end] < self.items[parent(place)] {
            place = parent(place);
        }
        let mut gap = end;
        while gap > place {
            self.items.swap(gap, parent(gap));
            gap = parent(gap);
        }
    }

    /// Should a comparison panic, nothing has changed.
    fn pop(&mut self) -> Option<T> {
        let last = self.items.len().checked_sub(1)?;
        // The first one leaves a gap, which the last one is to fill. Down from the top, the smaller child goes up into it ...
        let mut place = 0;
        while 2 * place + 1 < last {
            let (left, right) = (2 * place + 1, 2 * place + 2);
            let is_right = right < last && self.items[right] < self.items[left];
            place = if is_right { right } else { left };
        }
        // ... but not those that are larger than the last one.
        while place > 0 && self.items[last] < self.items[place] {
            place = parent(place);
        }
        let mut item = self.items.pop()?;
        if place < last {
            while place > 0 {
                mem::swap(&mut self.items[place], &mut item);
                place = parent(place);
            }
            mem::swap(&mut self.items[0], &mut item);
        }
        Some(item)
    }

    #[inline]
    fn len(&self) -> usize {
        self.items.len()
    }
}

impl<T> Default for MinHeap<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: Ord> FromIterator<T> for MinHeap<T> {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        let mut items: Vec<_> = items.into_iter().collect();
        // What is in order is a heap.
        items.sort_unstable();
        Self { items }
    }
}
