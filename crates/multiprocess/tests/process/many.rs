//! Many processes, one after another and at once: nothing is left of them.

#![allow(
    clippy::needless_pass_by_value,
    reason = "arguments of a child move to it"
)]

use crate::story;

use std::process::ExitCode;

use ipc_channel::ipc::{self, IpcReceiver};
use multiprocess::{Error, RegisteredTask, active_children, init, spawn, task};

use story::proc;
use story::scene::Scene;

pub(crate) fn main() -> ExitCode {
    story::play(
        || init(tasks()),
        story::named![
            five_hundred_in_a_row,
            a_hundred_at_once,
            fifty_without_a_join,
            fifty_that_are_killed,
            eight_threads_at_once,
            twenty_that_print,
        ],
        story::named![
            five_hundred_children_in_a_row_leave_nothing_behind,
            a_hundred_children_at_once_leave_nothing_behind,
            children_are_reaped_without_a_join,
            children_that_are_killed_leave_nothing_behind,
            several_threads_start_children_at_once,
            a_thread_that_ends_leaves_its_child_to_others,
            lines_of_many_children_stay_whole,
        ],
    )
}

fn tasks() -> Vec<RegisteredTask> {
    vec![task(next_of), task(wait), task(nap), task(prints)]
}

fn next_of(number: u32) -> u32 {
    number + 1
}

fn wait(word: IpcReceiver<u32>) -> u32 {
    story::next(&word)
}

fn nap() {
    story::a_minute();
}

fn nothing_is_left(before: &[(u32, String)]) {
    assert!(proc::children().is_empty(), "zombies");
    assert_eq!(
        proc::descriptors().len(),
        before.len(),
        "{:?}",
        proc::descriptors()
    );
    assert!(active_children().is_empty());
}

fn five_hundred_in_a_row() {
    init(tasks());
    let before = proc::descriptors();
    for number in 0..500 {
        assert_eq!(
            spawn(next_of, (number,)).unwrap().join().unwrap(),
            number + 1
        );
    }
    nothing_is_left(&before);
}

fn five_hundred_children_in_a_row_leave_nothing_behind() {
    Scene::new("five_hundred_in_a_row").succeed();
}

fn a_hundred_at_once() {
    init(tasks());
    let before = proc::descriptors();
    let started: Vec<_> = (0..100)
        .map(|_| {
            let (word, words) = ipc::channel().unwrap();
            (word, spawn(wait, (words,)).unwrap())
        })
        .collect();
    assert_eq!(active_children().len(), 100);
    assert_eq!(proc::children().len(), 100);
    for (number, (word, _)) in (0..).zip(&started) {
        word.send(number).unwrap();
    }
    for (number, (_, child)) in (0..).zip(started) {
        assert_eq!(child.join().unwrap(), number);
    }
    nothing_is_left(&before);
}

fn a_hundred_children_at_once_leave_nothing_behind() {
    Scene::new("a_hundred_at_once").succeed();
}

fn fifty_without_a_join() {
    init(tasks());
    let before = proc::descriptors();
    let words: Vec<_> = (0..50)
        .map(|number| {
            let (word, words) = ipc::channel().unwrap();
            drop(spawn(wait, (words,)).unwrap());
            drop(spawn(next_of, (number,)).unwrap());
            word
        })
        .collect();
    assert!(active_children().len() >= 50);
    for word in words {
        word.send(0).unwrap();
    }
    story::until("the children are reaped", || proc::children().is_empty());
    story::until("the descriptors are closed", || {
        proc::descriptors().len() == before.len()
    });
    // The thread that did it has ended, and is there again when it is needed.
    drop(spawn(next_of, (0,)).unwrap());
    story::until("the last child is reaped", || proc::children().is_empty());
}

fn children_are_reaped_without_a_join() {
    Scene::new("fifty_without_a_join").succeed();
}

fn fifty_that_are_killed() {
    init(tasks());
    let before = proc::descriptors();
    let children: Vec<_> = (0..50).map(|_| spawn(nap, ()).unwrap()).collect();
    for child in &children {
        child.kill().unwrap();
    }
    for child in children {
        let error = child.join().unwrap_err();
        assert!(matches!(error, Error::Killed { .. }), "{error}");
    }
    // The thread that looks for what they left has its own for a while, if any program has shared memory.
    story::until("its descriptors are closed", || {
        proc::descriptors().len() == before.len()
    });
    nothing_is_left(&before);
}

fn children_that_are_killed_leave_nothing_behind() {
    Scene::new("fifty_that_are_killed").succeed();
}

fn eight_threads_at_once() {
    init(tasks());
    let before = proc::descriptors();
    std::thread::scope(|scope| {
        for thread in 0..8 {
            scope.spawn(move || {
                for number in thread * 100..thread * 100 + 20 {
                    let (word, words) = ipc::channel().unwrap();
                    let one = spawn(wait, (words,)).unwrap();
                    let other = spawn(next_of, (number,)).unwrap();
                    word.send(number).unwrap();
                    assert_eq!(other.join().unwrap(), number + 1);
                    assert_eq!(one.join().unwrap(), number);
                }
            });
        }
    });
    nothing_is_left(&before);
}

fn several_threads_start_children_at_once() {
    Scene::new("eight_threads_at_once").succeed();
}

fn a_thread_that_ends_leaves_its_child_to_others() {
    let (word, words) = ipc::channel().unwrap();
    let thread = std::thread::spawn(move || spawn(wait, (words,)).unwrap());
    let mut child = thread.join().unwrap();
    assert!(child.is_alive());
    word.send(5).unwrap();
    assert_eq!(child.join_timeout(story::LIMIT).unwrap(), 5);
}

fn prints(number: usize) {
    for _ in 0..200 {
        println!("{number:02}{}", "-".repeat(198));
    }
}

fn twenty_that_print() {
    init(tasks());
    let children: Vec<_> = (0..20)
        .map(|number| spawn(prints, (number,)).unwrap())
        .collect();
    for child in children {
        child.join().unwrap();
    }
}

fn lines_of_many_children_stay_whole() {
    let lines = Scene::new("twenty_that_print").succeed();
    let mut count = [0; 20];
    for line in lines {
        let (number, rest) = line.split_at(2);
        assert_eq!(rest, "-".repeat(198));
        count[number.parse::<usize>().unwrap()] += 1;
    }
    assert_eq!(count, [200; 20]);
}
