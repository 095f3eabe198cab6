//! Handles of `ipc-channel` that do not arrive, and leave nothing behind.

#![allow(
    clippy::needless_pass_by_value,
    reason = "arguments of a child move to it"
)]

use crate::story;

use std::process::ExitCode;

use ipc_channel::ipc::{self, IpcReceiver, IpcSender, IpcSharedMemory};
use multiprocess::{Error, RegisteredTask, Travelling, init, spawn, task};
use serde::{Deserialize, Serialize, Serializer};

use story::proc;
use story::scene::Scene;

pub(crate) fn main() -> ExitCode {
    story::play(
        || init(tasks()),
        story::named![
            handles_that_do_not_travel,
            a_first_use_of_handles,
            handles_without_a_folder,
        ],
        story::named![
            sixty_four_handles_are_too_many_and_affect_nothing,
            handles_in_a_value_that_cannot_be_sent_are_closed,
            handles_in_an_answer_that_cannot_be_sent_are_closed,
            handles_in_a_value_that_panics_do_not_travel_with_the_next,
            handles_leave_no_files_behind_and_remove_those_of_the_dead,
            handles_without_a_folder_for_temporary_files_are_an_error_with_the_reason,
        ],
    )
}

fn tasks() -> Vec<RegisteredTask> {
    vec![
        task(next_of),
        task(numbers),
        task(back),
        task(hold),
        task(count),
        task(refuse),
        task(same_refusing),
        task(same_panicking),
    ]
}

fn next_of(number: u32) -> u32 {
    number + 1
}

fn works() {
    assert_eq!(spawn(next_of, (1,)).unwrap().join().unwrap(), 2);
}

fn numbers(count: u32) -> IpcReceiver<u32> {
    let (number, numbers) = ipc::channel().unwrap();
    for value in 0..count {
        number.send(value).unwrap();
    }
    numbers
}

fn back(sender: IpcSender<u32>) -> (IpcSender<u32>, String) {
    sender.send(1).unwrap();
    (sender, "thank you".to_owned())
}

fn hold(sender: IpcSender<u32>) {
    sender.send(std::process::id()).unwrap();
    story::a_minute();
}

fn count(handles: Vec<IpcSender<usize>>, text: String) -> (usize, Vec<IpcSender<usize>>) {
    for (number, handle) in handles.iter().enumerate() {
        handle.send(number).unwrap();
    }
    (text.len(), handles)
}

/// Its `Serialize` reports an error, or panics.
#[derive(Debug, Deserialize)]
struct Refusing;

impl Serialize for Refusing {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom("not this one"))
    }
}

#[derive(Debug, Deserialize)]
struct Panicking;

impl Serialize for Panicking {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        // Without a message on standard error.
        std::panic::resume_unwind(Box::new("not this one"))
    }
}

type Handles = (IpcSender<u32>, IpcReceiver<u32>, IpcSharedMemory);

fn handles() -> Handles {
    let (sender, _) = ipc::channel().unwrap();
    let (_, receiver) = ipc::channel().unwrap();
    (sender, receiver, IpcSharedMemory::from_bytes(b"some"))
}

fn same_refusing(_: Handles, _: Refusing) {}

fn same_panicking(_: IpcSender<usize>, _: Panicking) {}

fn refuse() -> (Handles, Refusing) {
    (handles(), Refusing)
}

/// A separate scene, so that nothing else opens or closes descriptors meanwhile.
fn handles_that_do_not_travel() {
    init(tasks());
    works();
    // The lease of the run stays open from the first handle on.
    let _run = multiprocess::Lock::new().unwrap();
    let before = proc::descriptors();
    for round in 0..3 {
        let (sender, receiver) = ipc::channel().unwrap();
        let error = match std::env::args().nth(1).as_deref() {
            Some("too many") => {
                let senders = vec![sender.clone(); 64];
                spawn(count, (senders, String::new())).unwrap_err()
            }
            Some("refused") => spawn(same_refusing, (handles(), Refusing)).unwrap_err(),
            Some("refused answer") => spawn(refuse, ()).unwrap().join().unwrap_err(),
            Some("panic") => {
                let sent = std::panic::catch_unwind(|| {
                    let _ = spawn(same_panicking, (sender, Panicking));
                });
                assert!(sent.is_err());
                // The next child must not get the sender, and the channel ends.
                let (word, words) = ipc::channel().unwrap();
                let child = spawn(hold, (word,)).unwrap();
                story::next(&words);
                story::ends(&receiver);
                child.kill().unwrap();
                assert!(child.join().is_err());
                continue;
            }
            other => panic!("no such case: {other:?}"),
        };
        assert!(matches!(error, Error::Encode { .. }), "{error}");
        if round == 0 {
            println!("{error}");
        }
        drop(sender);
        story::ends(&receiver);
        works();
    }
    // The thread that frees the memory of the killed child has its own descriptors for a while.
    story::until("its descriptors are closed", || {
        proc::descriptors().len() == before.len()
    });
    assert!(proc::children().is_empty());
}

fn sixty_four_handles_are_too_many_and_affect_nothing() {
    let lines = Scene::new("handles_that_do_not_travel")
        .arg("too many")
        .succeed();
    assert!(lines[0].contains("more than 63 handles"), "{lines:?}");
}

fn handles_in_a_value_that_cannot_be_sent_are_closed() {
    let lines = Scene::new("handles_that_do_not_travel")
        .arg("refused")
        .succeed();
    assert!(lines[0].contains("not this one"), "{lines:?}");
}

fn handles_in_an_answer_that_cannot_be_sent_are_closed() {
    let lines = Scene::new("handles_that_do_not_travel")
        .arg("refused answer")
        .succeed();
    assert!(lines[0].contains("not this one"), "{lines:?}");
}

fn handles_in_a_value_that_panics_do_not_travel_with_the_next() {
    Scene::new("handles_that_do_not_travel")
        .arg("panic")
        .succeed();
}

fn a_first_use_of_handles() {
    init(tasks());
    let (sender, receiver) = ipc::channel().unwrap();
    let (sender, _) = spawn(back, (sender,)).unwrap().join().unwrap();
    assert_eq!(story::next(&receiver), 1);
    drop(sender);
    story::ends(&receiver);
}

fn handles_leave_no_files_behind_and_remove_those_of_the_dead() {
    let folder = tempfile::tempdir().unwrap();
    let mut short = std::process::Command::new("true").spawn().unwrap();
    short.wait().unwrap();
    let of = |pid: u32| format!("multiprocess-{pid}-0.socket");
    let (dead, living) = (of(short.id()), of(std::process::id()));
    let other = "multiprocess-notes.txt".to_owned();
    for name in [&dead, &living, &other] {
        std::fs::write(folder.path().join(name), "").unwrap();
    }
    Scene::new("a_first_use_of_handles")
        .env("TMPDIR", folder.path())
        .succeed();
    let mut left: Vec<String> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    left.sort();
    let mut expected = [living, other];
    expected.sort();
    assert_eq!(left, expected);
}

fn handles_without_a_folder() {
    init(tasks());
    // What the run itself has open, it has from its first shared memory to its end. The portable version has no
    // folder for it.
    drop(multiprocess::Lock::new());
    let before = proc::descriptors();
    let (sender, receiver) = ipc::channel().unwrap();
    let error = spawn(back, (sender,)).unwrap_err();
    assert!(
        matches!(
            error,
            Error::Encode {
                what: Travelling::Arguments,
                ..
            }
        ),
        "{error}"
    );
    assert!(error.to_string().contains("TMPDIR"), "{error}");
    story::ends(&receiver);
    drop(receiver);
    works();
    let error = spawn(numbers, (3,)).unwrap().join().unwrap_err();
    assert!(
        matches!(
            error,
            Error::Encode {
                what: Travelling::Answer,
                ..
            }
        ),
        "{error}"
    );
    assert_eq!(proc::descriptors().len(), before.len());
}

fn handles_without_a_folder_for_temporary_files_are_an_error_with_the_reason() {
    Scene::new("handles_without_a_folder")
        .env("TMPDIR", "/nonexistent")
        .succeed();
}
