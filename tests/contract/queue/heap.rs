//! [`MinHeap`], alone.

use super::*;

fn pop_all<T: Ord>(heap: &mut MinHeap<T>) -> Vec<T> {
    std::iter::from_fn(|| heap.pop()).collect()
}

#[test]
fn the_smallest_comes_out_first() {
    let mut random = Random::new(1);
    for len in 0..rounds(100) {
        let items: Vec<_> = (0..len).map(|_| random.below(len as u64 / 2 + 1)).collect();
        let mut sorted = items.clone();
        sorted.sort_unstable();
        let mut heap = MinHeap::default();
        items.iter().for_each(|&item| heap.push(item));
        assert_eq!(heap.len(), len);
        assert_eq!(pop_all(&mut heap), sorted);
        assert_eq!(pop_all(&mut MinHeap::from_iter(items)), sorted);
        assert_eq!((heap.len(), heap.pop()), (0, None));
    }
}

#[test]
fn pushes_and_pops_mix() {
    let mut random = Random::new(2);
    let (mut heap, mut list) = (MinHeap::new(), Vec::new());
    for _ in 0..rounds(5_000) {
        if random.below(5) < 3 {
            let item = random.below(100);
            heap.push(item);
            list.push(item);
        } else {
            let smallest = list.iter().copied().min();
            assert_eq!(heap.pop(), smallest);
            list.iter().position(|item| Some(*item) == smallest).map(|at| list.swap_remove(at));
        }
        assert_eq!(heap.len(), list.len());
    }
    let mut rest = heap.clone().into_vec();
    rest.sort_unstable();
    assert_eq!(rest, pop_all(&mut heap));
}

/// H33: whichever comparison panics, all is as it was, but that a new item is there.
#[test]
fn a_comparison_that_panics_changes_nothing() {
    let mut random = Random::new(3);
    for len in 1..rounds(40) {
        let heap = MinHeap::from_iter((0..len).map(|_| Touchy(random.below(50) as u32)));
        for comparisons in 0..20 {
            let mut other = heap.clone();
            match Touchy::after(comparisons, || other.pop()) {
                Ok(item) => assert_eq!((item.is_some(), other.len()), (true, len - 1)),
                Err(()) => assert_eq!(other.into_vec(), heap.clone().into_vec()),
            }
            let mut other = heap.clone();
            if Touchy::after(comparisons, || other.push(Touchy(0))).is_err() {
                assert_eq!(other.into_vec(), [heap.clone().into_vec(), vec![Touchy(0)]].concat());
            }
        }
    }
}
