//! Senders, receivers and shared memory of `ipc-channel` in arguments and results.

#![allow(
    clippy::needless_pass_by_value,
    reason = "arguments of a child move to it"
)]

use crate::story;

use std::process::ExitCode;

use ipc_channel::ipc::{self, IpcReceiver, IpcSender, IpcSharedMemory};
use multiprocess::{Error, RegisteredTask, init, spawn, task};
use serde::{Deserialize, Serialize};

use story::proc;
use story::scene::Scene;

pub(crate) fn main() -> ExitCode {
    story::play(
        || init(tasks()),
        story::named![handles_that_travel,],
        story::named![
            a_sender_and_a_receiver_travel_as_arguments,
            a_receiver_travels_as_a_result_and_its_messages_are_kept,
            a_returned_sender_still_works_after_its_child_has_ended,
            handles_travel_nested_in_vectors_structs_and_enums,
            shared_memory_travels_both_ways,
            a_channel_ends_with_the_child_that_held_its_only_sender,
            sixty_three_handles_and_a_large_text_travel_together,
            handles_leave_no_descriptors_behind,
        ],
    )
}

fn tasks() -> Vec<RegisteredTask> {
    vec![
        task(shout),
        task(numbers),
        task(back),
        task(add_up),
        task(invert),
        task(hold),
        task(count),
    ]
}

fn shout(words: IpcReceiver<String>, loud: IpcSender<String>) -> usize {
    let mut count = 0;
    while let Ok(word) = words.recv() {
        loud.send(word.to_uppercase()).unwrap();
        count += 1;
    }
    count
}

fn a_sender_and_a_receiver_travel_as_arguments() {
    let (word, words) = ipc::channel().unwrap();
    let (loud, louds) = ipc::channel().unwrap();
    let child = spawn(shout, (words, loud)).unwrap();
    for (said, heard) in [("one", "ONE"), ("two", "TWO")] {
        word.send(said.to_owned()).unwrap();
        assert_eq!(story::next(&louds), heard);
    }
    // The end of the words is the end of the child, and that is the end of its answers.
    drop(word);
    assert_eq!(child.join().unwrap(), 2);
    story::ends(&louds);
}

fn numbers(count: u32) -> IpcReceiver<u32> {
    let (number, numbers) = ipc::channel().unwrap();
    for value in 0..count {
        number.send(value).unwrap();
    }
    numbers
}

fn a_receiver_travels_as_a_result_and_its_messages_are_kept() {
    let numbers = spawn(numbers, (3,)).unwrap().join().unwrap();
    for value in 0..3 {
        assert_eq!(story::next(&numbers), value);
    }
    story::ends(&numbers);
}

fn back(sender: IpcSender<u32>) -> (IpcSender<u32>, String) {
    sender.send(1).unwrap();
    (sender, "thank you".to_owned())
}

fn a_returned_sender_still_works_after_its_child_has_ended() {
    let (sender, receiver) = ipc::channel().unwrap();
    let (sender, words) = spawn(back, (sender,)).unwrap().join().unwrap();
    assert_eq!(words, "thank you");
    sender.send(2).unwrap();
    assert_eq!([story::next(&receiver), story::next(&receiver)], [1, 2]);
    // And a second time.
    let (sender, _) = spawn(back, (sender,)).unwrap().join().unwrap();
    assert_eq!(story::next(&receiver), 1);
    drop(sender);
    story::ends(&receiver);
}

#[derive(Serialize, Deserialize)]
struct Job {
    name: String,
    answer: Option<IpcSender<(String, u64)>>,
    parts: Vec<Part>,
}

#[derive(Serialize, Deserialize)]
enum Part {
    Number(u64),
    Stream(IpcReceiver<u64>),
    Memory { bytes: IpcSharedMemory },
}

fn add_up(jobs: Vec<Job>) -> Vec<Job> {
    for job in &jobs {
        let mut sum = 0;
        for part in &job.parts {
            match part {
                Part::Number(number) => sum += number,
                Part::Memory { bytes } => sum += bytes.iter().map(|&b| u64::from(b)).sum::<u64>(),
                Part::Stream(numbers) => {
                    while let Ok(number) = numbers.recv() {
                        sum += number;
                    }
                }
            }
        }
        if let Some(answer) = &job.answer {
            answer.send((job.name.clone(), sum)).unwrap();
        }
    }
    jobs
}

fn handles_travel_nested_in_vectors_structs_and_enums() {
    let (answer, answers) = ipc::channel().unwrap();
    let stream = |numbers: &[u64]| {
        let (sender, receiver) = ipc::channel().unwrap();
        for number in numbers {
            sender.send(*number).unwrap();
        }
        Part::Stream(receiver)
    };
    let memory = |bytes: &[u8]| Part::Memory {
        bytes: IpcSharedMemory::from_bytes(bytes),
    };
    let job = |name: &str, answer: Option<IpcSender<_>>, parts| Job {
        name: name.to_owned(),
        answer,
        parts,
    };
    let jobs = vec![
        job(
            "a",
            Some(answer.clone()),
            vec![stream(&[1, 2]), Part::Number(3), memory(&[4, 5])],
        ),
        job("b", None, vec![]),
        job(
            "c",
            Some(answer),
            vec![memory(&[]), memory(&[6]), stream(&[]), stream(&[7])],
        ),
    ];
    let jobs = spawn(add_up, (jobs,)).unwrap().join().unwrap();
    assert_eq!(story::next(&answers), ("a".to_owned(), 15));
    assert_eq!(story::next(&answers), ("c".to_owned(), 13));
    // The handles that came back are good for a second time.
    let jobs = spawn(add_up, (jobs,)).unwrap().join().unwrap();
    assert_eq!(story::next(&answers), ("a".to_owned(), 12));
    assert_eq!(story::next(&answers), ("c".to_owned(), 6));
    drop(jobs);
    story::ends(&answers);
}

fn invert(bytes: IpcSharedMemory) -> IpcSharedMemory {
    let inverted: Vec<u8> = bytes.iter().map(|byte| !byte).collect();
    IpcSharedMemory::from_bytes(&inverted)
}

fn shared_memory_travels_both_ways() {
    let bytes: Vec<u8> = (0..=255).cycle().take(1 << 20).collect();
    let memory = IpcSharedMemory::from_bytes(&bytes);
    let inverted = spawn(invert, (memory.clone(),)).unwrap().join().unwrap();
    assert!(
        inverted
            .iter()
            .zip(&bytes)
            .all(|(after, before)| *after == !before)
    );
    let again = spawn(invert, (inverted,)).unwrap().join().unwrap();
    assert!(again[..] == memory[..]);
}

fn hold(sender: IpcSender<u32>) {
    sender.send(std::process::id()).unwrap();
    story::a_minute();
}

fn a_channel_ends_with_the_child_that_held_its_only_sender() {
    let (sender, receiver) = ipc::channel().unwrap();
    let child = spawn(hold, (sender,)).unwrap();
    assert_eq!(story::next(&receiver), child.pid());
    child.kill().unwrap();
    story::ends(&receiver);
    assert!(matches!(child.join(), Err(Error::Killed { .. })));
}

fn count(handles: Vec<IpcSender<usize>>, text: String) -> (usize, Vec<IpcSender<usize>>) {
    for (number, handle) in handles.iter().enumerate() {
        handle.send(number).unwrap();
    }
    (text.len(), handles)
}

fn sixty_three_handles_and_a_large_text_travel_together() {
    let (senders, receivers): (Vec<_>, Vec<_>) = (0..63).map(|_| ipc::channel().unwrap()).unzip();
    let text = "x".repeat(1 << 20);
    let (length, senders) = spawn(count, (senders, text)).unwrap().join().unwrap();
    assert_eq!((length, senders.len()), (1 << 20, 63));
    for (number, receiver) in receivers.iter().enumerate() {
        assert_eq!(story::next(receiver), number);
    }
}

fn handles_that_travel() {
    init(tasks());
    // The lease of the run stays open from the first handle on.
    let _run = multiprocess::Lock::new().unwrap();
    let before = proc::descriptors();
    a_sender_and_a_receiver_travel_as_arguments();
    a_returned_sender_still_works_after_its_child_has_ended();
    handles_travel_nested_in_vectors_structs_and_enums();
    shared_memory_travels_both_ways();
    assert_eq!(
        proc::descriptors().len(),
        before.len(),
        "{:?}",
        proc::descriptors()
    );
}

fn handles_leave_no_descriptors_behind() {
    Scene::new("handles_that_travel").succeed();
}
