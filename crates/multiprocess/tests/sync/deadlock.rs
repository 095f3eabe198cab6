//! A deadlock is a cycle of waits.

use crate::story;

use std::process::ExitCode;

use multiprocess::{Deadlock, Holder, LockWait, init};

pub(crate) fn main() -> ExitCode {
    story::play(
        || init([]),
        &[],
        story::named![
            a_cycle_is_found_without_those_that_only_wait_for_it,
            without_a_cycle_there_is_no_deadlock,
            it_says_what_each_process_waits_for,
        ],
    )
}

/// Finds the cycle in waits of the form `A1B`: A waits for 1, which B holds.
fn cycle(text: &str) -> Option<String> {
    let process = |name: char| Holder {
        pid: u32::from(name),
        name: Some(name.to_string()),
    };
    let parse = |wait: &str| {
        let [waiter, what, holder] = wait.chars().collect::<Vec<_>>()[..] else {
            panic!("{wait}");
        };
        LockWait {
            waiter: process(waiter),
            what: what.to_string(),
            holder: process(holder),
        }
    };
    let waits: Vec<_> = text.split_whitespace().map(parse).collect();
    let deadlock = Deadlock::among(&waits)?;
    let show = |wait: &LockWait| {
        let name = |holder: &Holder| holder.name.clone().expect("a name");
        name(&wait.waiter) + &wait.what + &name(&wait.holder)
    };
    Some(
        deadlock
            .waits()
            .iter()
            .map(show)
            .collect::<Vec<_>>()
            .join(" "),
    )
}

fn a_cycle_is_found_without_those_that_only_wait_for_it() {
    for (text, found) in [
        ("A2B B1A", "A2B B1A"),
        ("A2B B3C C1A", "A2B B3C C1A"),
        ("C1A B3C A2B", "C1A A2B B3C"),
        ("X1A A2B Y2B B1A", "A2B B1A"),
        // Behind dead ends.
        ("A5E A2B B6F B1A", "A2B B1A"),
    ] {
        assert_eq!(cycle(text).as_deref(), Some(found));
    }
}

fn without_a_cycle_there_is_no_deadlock() {
    // In the last one, two threads of one process take turns.
    for text in ["", "A2B", "A2B B3C A3C", "A2B A3C B4D C4D", "A1A"] {
        assert_eq!(cycle(text), None, "{text}");
    }
}

fn it_says_what_each_process_waits_for() {
    let process = |name: &str, pid| Holder {
        pid,
        name: Some(name.to_owned()),
    };
    let wait = LockWait {
        waiter: process("Ann", 17),
        what: "the paper".to_owned(),
        holder: process("Bob", 18),
    };
    assert_eq!(
        wait.to_string(),
        "process 'Ann' (pid 17) waits for the paper, held by process 'Bob' (pid 18)"
    );
}
