//! A first model, small enough to be changed: chapter 14 of the book begins with it.

mod checking;

use std::sync::Arc;
use std::time::Duration;

use checking::Unprotected;
use futon_model::Event;
use futon_model::atomic::model::check;
use loom::thread;

/// A number that one thread leaves and another one takes, and the event that says that it is there.
struct Mailbox {
    number: Unprotected,
    has_come: Event,
}

fn a_number_arrives(send: fn(&Mailbox), receive: fn(&Mailbox) -> u32) {
    check(move || {
        let mailbox = Arc::new(Mailbox { number: Unprotected::new(0), has_come: Event::new() });
        let theirs = mailbox.clone();
        let sender = thread::spawn(move || send(&theirs));
        assert_eq!(receive(&mailbox), 7);
        sender.join().unwrap();
    });
}

fn write_and_tell(mailbox: &Mailbox) {
    mailbox.number.set(7);
    mailbox.has_come.set();
}

fn tell_and_write(mailbox: &Mailbox) {
    mailbox.has_come.set();
    mailbox.number.set(7);
}

fn wait_and_read(mailbox: &Mailbox) -> u32 {
    mailbox.has_come.wait();
    mailbox.number.get()
}

fn wait_a_minute_and_read(mailbox: &Mailbox) -> u32 {
    mailbox.has_come.wait_timeout(Duration::from_secs(60));
    mailbox.number.get()
}

#[test]
fn a_number_that_is_written_before_the_event_arrives() {
    a_number_arrives(write_and_tell, wait_and_read);
}

#[test]
#[should_panic(expected = "Causality violation")]
fn finds_a_number_that_is_written_after_the_event() {
    a_number_arrives(tell_and_write, wait_and_read);
}

#[test]
#[should_panic(expected = "Causality violation")]
fn finds_a_receiver_that_takes_a_minute_for_enough() {
    a_number_arrives(write_and_tell, wait_a_minute_and_read);
}
