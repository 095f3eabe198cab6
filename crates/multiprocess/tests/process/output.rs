//! Lines that several processes print at once: whole up to the length that the documentation promises.

#![allow(
    clippy::needless_pass_by_value,
    reason = "arguments of a child move to it"
)]

use crate::story;

use std::process::ExitCode;

use multiprocess::{Barrier, Lock, RegisteredTask, Result, init, spawn, task};

use story::scene::Scene;

pub(crate) fn main() -> ExitCode {
    story::play(
        || init(tasks()),
        story::named![prints_lines, prints_in_one_piece, prints_under_a_lock],
        story::named![
            lines_of_1024_bytes_stay_whole,
            lines_of_4096_bytes_stay_whole_if_they_are_printed_in_one_piece,
            lines_of_any_length_stay_whole_under_a_lock,
        ],
    )
}

const PROCESSES: u8 = 8;
const LINES: usize = 200;

fn tasks() -> Vec<RegisteredTask> {
    vec![
        task(print_lines),
        task(print_in_one_piece),
        task(print_under_a_lock),
    ]
}

/// A letter of the process, as often as it makes a line of that length with its end.
fn text(number: u8, length: usize) -> (char, String) {
    let letter = char::from(b'a' + number);
    (letter, letter.to_string().repeat(length - 2))
}

fn print_lines(number: u8, together: Barrier) {
    let (letter, rest) = text(number, 1024);
    together.wait().unwrap();
    for _ in 0..LINES {
        println!("{letter}{rest}");
    }
}

fn print_in_one_piece(number: u8, together: Barrier) {
    let (letter, rest) = text(number, 4096);
    together.wait().unwrap();
    for _ in 0..LINES {
        let line = format!("{letter}{rest}\n");
        print!("{line}");
        eprint!("{line}");
    }
}

fn print_under_a_lock(number: u8, together: Barrier, lock: Lock) {
    let (letter, rest) = text(number, 10_000);
    together.wait().unwrap();
    for _ in 0..LINES / 10 {
        let _alone = lock.lock().unwrap();
        println!("{letter}{rest}");
        eprintln!("{letter}{rest}");
    }
}

fn prints_lines() {
    init(tasks());
    let together = Barrier::new(PROCESSES.into()).unwrap();
    join_all(|number| spawn(print_lines, (number, together.clone())));
}

fn prints_in_one_piece() {
    init(tasks());
    let together = Barrier::new(PROCESSES.into()).unwrap();
    join_all(|number| spawn(print_in_one_piece, (number, together.clone())));
}

fn prints_under_a_lock() {
    init(tasks());
    let (together, lock) = (
        Barrier::new(PROCESSES.into()).unwrap(),
        Lock::new().unwrap(),
    );
    join_all(|number| spawn(print_under_a_lock, (number, together.clone(), lock.clone())));
}

fn join_all(start: impl Fn(u8) -> Result<multiprocess::JoinHandle<()>>) {
    let children: Vec<_> = (0..PROCESSES)
        .map(|number| start(number).unwrap())
        .collect();
    for child in children {
        child.join().unwrap();
    }
}

/// How many lines there are; each is of one letter and of that length, with its end.
fn whole(lines: &[String], length: usize) -> usize {
    for line in lines {
        assert_eq!(line.len() + 1, length);
        assert!(line.bytes().all(|byte| byte == line.as_bytes()[0]));
    }
    lines.len()
}

fn lines_of_1024_bytes_stay_whole() {
    let printed = Scene::new("prints_lines").succeed();
    assert_eq!(whole(&printed, 1024), usize::from(PROCESSES) * LINES);
}

fn lines_of_4096_bytes_stay_whole_if_they_are_printed_in_one_piece() {
    let played = Scene::new("prints_in_one_piece").play();
    assert!(played.status.success());
    assert_eq!(whole(&played.out, 4096), usize::from(PROCESSES) * LINES);
    assert_eq!(whole(&played.err, 4096), usize::from(PROCESSES) * LINES);
}

fn lines_of_any_length_stay_whole_under_a_lock() {
    let played = Scene::new("prints_under_a_lock").play();
    assert!(played.status.success());
    assert_eq!(
        whole(&played.out, 10_000),
        usize::from(PROCESSES) * LINES / 10
    );
    assert_eq!(
        whole(&played.err, 10_000),
        usize::from(PROCESSES) * LINES / 10
    );
}
