//! The numbers of threads.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::thread;

use futon::atomic::thread_id;

use crate::threads::{limit, rounds};

#[test]
fn a_thread_keeps_its_number_which_is_not_zero() {
    let _limit = limit();
    let mine = thread_id();
    assert_ne!(mine, 0);
    thread::spawn(move || {
        assert!(![0, mine].contains(&thread_id()));
        assert_eq!(thread_id(), thread_id());
    })
    .join()
    .unwrap();
    assert_eq!(thread_id(), mine);
}

/// H17: as the numbers are that the system gives.
#[test]
fn the_number_of_a_thread_that_has_ended_is_not_given_again() {
    let _limit = limit();
    let count = rounds(1_000);
    let numbers: BTreeSet<_> = (0..count).map(|_| thread::spawn(thread_id).join().unwrap()).collect();
    assert_eq!(numbers.len(), count);
    assert!(!numbers.contains(&thread_id()));
}

/// H17: there a panic would end the process. The first time too, and it is the number that the thread has had.
#[test]
fn the_number_can_be_had_in_the_destructor_of_a_thread_local() {
    struct AtTheEnd(Arc<Mutex<Vec<u64>>>);

    impl Drop for AtTheEnd {
        fn drop(&mut self) {
            self.0.lock().unwrap().push(thread_id());
        }
    }

    thread_local! {
        static AT_THE_END: Cell<Option<AtTheEnd>> = const { Cell::new(None) };
    }

    let _limit = limit();
    for is_known in [false, true] {
        let found = Arc::new(Mutex::new(Vec::new()));
        let at_the_end = AtTheEnd(found.clone());
        let known = thread::spawn(move || {
            AT_THE_END.set(Some(at_the_end));
            is_known.then(thread_id)
        });
        let known = known.join().unwrap();
        let found = found.lock().unwrap();
        assert!(found.len() == 1 && found[0] != 0, "{found:?}");
        assert!(known.is_none_or(|known| known == found[0]), "{known:?} and {found:?}");
    }
}
