//! When no more files can be opened: errors say so, and nothing is lost.

#![allow(
    clippy::needless_pass_by_value,
    reason = "arguments of a child move to it"
)]

use crate::story;

use std::fs::File;
use std::process::ExitCode;

use ipc_channel::ipc::{self, IpcReceiver};
use multiprocess::{
    Array, Error, Event, JoinHandle, Pool, RegisteredTask, Sender, channel, init, spawn, task,
};

use story::proc;
use story::scene::Scene;

pub(crate) fn main() -> ExitCode {
    story::play(
        || init(tasks()),
        story::named![
            starts,
            starts_with_a_handle,
            joins_with_a_large_answer,
            joins_with_a_sender,
            has_a_worker_without_descriptors,
        ],
        story::named![
            without_free_descriptors_a_start_is_an_error_and_the_next_works,
            without_free_descriptors_a_start_with_a_handle_is_an_error_or_complete,
            without_free_descriptors_a_large_answer_is_an_error_or_complete,
            the_sender_in_an_answer_that_cannot_be_read_is_freed,
            a_worker_without_free_descriptors_reports_an_input_with_a_handle,
        ],
    )
}

fn tasks() -> Vec<RegisteredTask> {
    vec![
        task(next_of),
        task(wait),
        task(zeros),
        task(gives_back),
        task(keeps_all_descriptors),
        task(first),
    ]
}

fn next_of(number: u32) -> u32 {
    number + 1
}

fn wait(word: IpcReceiver<u32>) -> u32 {
    story::next(&word)
}

fn zeros(length: usize) -> Vec<u8> {
    vec![0; length]
}

/// Takes all free descriptors except a few.
fn leave(free: usize) -> Vec<File> {
    let mut hoard = Vec::new();
    while let Ok(file) = File::open("/dev/null") {
        hoard.push(file);
    }
    hoard.truncate(hoard.len() - free);
    hoard
}

/// The error must name what is missing, with the text of the code that noticed it first.
fn assert_scarce(error: &Error) {
    let words = error.to_string();
    let parts = ["os error 24", "EMFILE", "ulimit"];
    assert!(parts.iter().any(|part| words.contains(part)), "{words}");
}

/// How often it must have failed and succeeded.
fn both<R>(mut attempt: impl FnMut(usize) -> Result<R, Error>) {
    // The lease of the run stays open from the first handle on.
    let _run = multiprocess::Lock::new().unwrap();
    let before = proc::descriptors();
    let (mut failed, mut succeeded) = (0, 0);
    for free in 0..20 {
        match attempt(free) {
            Ok(_) => succeeded += 1,
            Err(error) => {
                assert_scarce(&error);
                failed += 1;
            }
        }
        assert!(proc::children().is_empty());
        // A sweep may just have some open.
        story::until("the descriptors are closed", || {
            proc::descriptors().len() == before.len()
        });
    }
    assert!(
        failed > 0 && succeeded > 0,
        "{failed} failed, {succeeded} succeeded"
    );
}

fn starts() {
    init(tasks());
    both(|free| {
        let _hoard = leave(free);
        let answer = spawn(next_of, (1,)).and_then(JoinHandle::join)?;
        assert_eq!(answer, 2);
        Ok(())
    });
}

fn without_free_descriptors_a_start_is_an_error_and_the_next_works() {
    play("starts");
}

fn starts_with_a_handle() {
    init(tasks());
    both(|free| {
        let (word, words) = ipc::channel().unwrap();
        let _hoard = leave(free);
        let child = spawn(wait, (words,))?;
        word.send(5).unwrap();
        assert_eq!(child.join()?, 5);
        Ok(())
    });
}

fn without_free_descriptors_a_start_with_a_handle_is_an_error_or_complete() {
    play("starts_with_a_handle");
}

fn joins_with_a_large_answer() {
    init(tasks());
    both(|free| {
        let child = spawn(zeros, (1 << 20,))?;
        let known = proc::Known::of(child.pid());
        story::until("the child ends", || !known.is_running());
        let _hoard = leave(free);
        assert!(child.join()? == vec![0; 1 << 20]);
        Ok(())
    });
}

fn without_free_descriptors_a_large_answer_is_an_error_or_complete() {
    play("joins_with_a_large_answer");
}

fn play(scene: &str) {
    Scene::by_shell("ulimit -n 40; exec \"$PROGRAM\"", scene).succeed();
}

/// Returns when the parent has no free descriptors.
fn gives_back(sender: Sender<u32>, length: usize, go: Event) -> (Vec<u8>, Sender<u32>) {
    go.wait_timeout(story::LIMIT).unwrap();
    (zeros(length), sender)
}

fn joins_with_a_sender() {
    init(tasks());
    for length in [100, 100_000] {
        let (sender, receiver) = channel::<u32>().unwrap();
        let go = Event::new().unwrap();
        let child = spawn(gives_back, (sender, length, go.clone())).unwrap();
        let hoard = leave(0);
        go.set();
        let joined = child.join();
        drop(hoard);
        drop(joined);
        let end = receiver.recv_timeout(story::LIMIT / 2).unwrap_err();
        assert!(end.is_closed(), "{end}");
    }
}

fn the_sender_in_an_answer_that_cannot_be_read_is_freed() {
    play("joins_with_a_sender");
}

fn keeps_all_descriptors() {
    std::mem::forget(leave(0));
}

fn first(array: Array<u64>) -> u64 {
    array.lock().unwrap()[0]
}

fn has_a_worker_without_descriptors() {
    init(tasks());
    let builder = Pool::builder().workers(1);
    let builder = builder.initializer(keeps_all_descriptors, ());
    let pool = builder.unwrap().build().unwrap();
    // It has a file of its own.
    let large = Array::new(100_000).unwrap();
    for _ in 0..2 {
        let mut call = pool.apply_async(first, (large.clone(),)).unwrap();
        assert_scarce(&call.get_timeout(story::LIMIT / 2).unwrap_err());
    }
    assert_eq!(pool.apply(next_of, (1,)).unwrap(), 2);
}

fn a_worker_without_free_descriptors_reports_an_input_with_a_handle() {
    play("has_a_worker_without_descriptors");
}
