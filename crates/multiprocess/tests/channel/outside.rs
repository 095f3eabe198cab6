//! Handles outside of messages: other serialisers and other channels cannot carry them, and return an error. None of
//! them counts as in flight, so channels end and memory is freed as if there had been no attempt.

#![allow(
    clippy::needless_pass_by_value,
    reason = "arguments of a child move to it"
)]

use crate::story;
use crate::story::left::is_in_use;

use std::fmt::Debug;
use std::process::ExitCode;

use ipc_channel::ipc;
use multiprocess::{
    Array, Barrier, Condition, Connection, Error, Event, Lock, Pool, Queue, RLock, RawArray,
    RawValue, Receiver, RegisteredTask, Semaphore, Sender, Value, channel, init, pipe, spawn, task,
};
use serde::de::{DeserializeOwned, Error as _};
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use story::forged::bytes_of;

pub(crate) fn main() -> ExitCode {
    story::play(
        || init(tasks()),
        story::named![],
        story::named![
            handles_of_each_kind_are_refused_outside_of_messages,
            a_channel_ends_after_its_sender_was_refused,
            a_pipe_ends_after_its_end_was_refused,
            a_function_of_a_pool_cannot_serialise_handles_either,
            text_with_a_handle_travels_within_a_message_and_not_outside,
            a_message_that_fails_half_way_frees_its_handles,
            a_handle_of_ipc_channel_is_refused_and_affects_no_other_item,
        ],
    )
}

fn tasks() -> Vec<RegisteredTask> {
    vec![
        task(writes_down),
        task(takes_half),
        task(makes_half),
        task(passes_on_text),
    ]
}

const WHY: &str = "travels only in messages";

/// The memory of a handle, by its `Debug`.
fn memory_of(handle: &impl Debug) -> String {
    let text = format!("{handle:?}");
    let name = text
        .split([' ', '{', '('])
        .find(|word| word.starts_with("mp-"));
    name.expect("its `Debug` names its memory").to_owned()
}

/// Tries to serialise a handle, and to read it; both fail, and leave nothing behind.
fn is_refused<T: Serialize + DeserializeOwned + Debug + 'static>(make: impl Fn() -> T) {
    let handle = make();
    let memory = memory_of(&handle);
    assert!(is_in_use(&memory), "{handle:?}");

    let error = serde_json::to_string(&handle).unwrap_err().to_string();
    assert!(error.contains(WHY), "{error}");
    assert!(error.contains("argument or a result"), "{error}");
    assert!(postcard::to_stdvec(&handle).is_err(), "{handle:?}");
    let (sender, receiver) = ipc::channel().unwrap();
    assert!(sender.send(handle).is_err(), "by ipc-channel");
    assert!(receiver.try_recv().is_err(), "it is not sent");
    assert!(!is_in_use(&memory), "it counts as in flight");

    let handle = make();
    let memory = memory_of(&handle);
    let bytes = bytes_of(handle);
    assert!(!is_in_use(&memory), "it counts as in flight");
    for _ in 0..2 {
        assert!(
            postcard::from_bytes::<T>(&bytes).is_err(),
            "it did not come with a message"
        );
    }
}

fn handles_of_each_kind_are_refused_outside_of_messages() {
    is_refused(|| Queue::<u8>::new().unwrap());
    is_refused(|| channel::<u8>().unwrap().0);
    is_refused(|| channel::<u8>().unwrap().1);
    is_refused(|| pipe::<u8, u16>().unwrap().0);
    is_refused(|| Lock::new().unwrap());
    is_refused(|| RLock::new().unwrap());
    is_refused(|| Semaphore::new(2).unwrap());
    is_refused(|| Event::new().unwrap());
    is_refused(|| Barrier::new(2).unwrap());
    is_refused(|| Condition::new().unwrap());
    is_refused(|| Value::new(1_i64).unwrap());
    is_refused(|| Array::<i64>::new(3).unwrap());
    is_refused(|| RawValue::new(1_i64).unwrap());
    is_refused(|| RawArray::<i64>::new(3).unwrap());
}

fn ends(receiver: &Receiver<u32>) {
    let end = receiver.recv_timeout(story::LIMIT / 2);
    assert!(matches!(end, Err(Error::Closed { .. })), "{end:?}");
}

fn a_channel_ends_after_its_sender_was_refused() {
    let (sender, receiver) = channel::<u32>().unwrap();
    assert!(serde_json::to_string(&sender).is_err());
    assert!(serde_json::to_string(&receiver).is_err());
    drop(sender);
    ends(&receiver);

    let (sender, receiver) = channel::<u32>().unwrap();
    assert!(serde_json::to_string(&receiver).is_err());
    drop(receiver);
    assert!(sender.send(1).is_err(), "there is no receiver");
}

fn a_pipe_ends_after_its_end_was_refused() {
    let (near, far): (Connection<u32, ()>, _) = pipe().unwrap();
    assert!(serde_json::to_string(&near).is_err());
    near.send(1).expect("it is still ours");
    drop(near);
    assert_eq!(far.recv().unwrap(), 1);
    assert!(far.recv_timeout(story::LIMIT / 2).unwrap_err().is_closed());
}

/// Returns why a handle cannot be serialised here.
fn writes_down(sender: Sender<u32>) -> String {
    let refused = serde_json::to_string(&sender).unwrap_err();
    refused.to_string()
}

fn a_function_of_a_pool_cannot_serialise_handles_either() {
    let pool = Pool::new(1).unwrap();
    let (sender, receiver) = channel::<u32>().unwrap();
    let senders = (0..3).map(|_| sender.clone());
    for why in pool.chunk_size(3).map(writes_down, senders).unwrap() {
        assert!(why.contains(WHY), "{why}");
    }
    let child = spawn(writes_down, (sender,)).unwrap();
    assert!(child.join().unwrap().contains(WHY));
    ends(&receiver);
}

/// Travels as text, and is a handle at both ends.
struct Text(Sender<u32>);

impl Serialize for Text {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text = serde_json::to_string(&self.0).map_err(S::Error::custom)?;
        serializer.serialize_str(&text)
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Text, D::Error> {
        let text = String::deserialize(deserializer)?;
        serde_json::from_str(&text)
            .map(Text)
            .map_err(D::Error::custom)
    }
}

fn passes_on_text(text: Text) -> Text {
    text.0.send(1).unwrap();
    text
}

fn text_with_a_handle_travels_within_a_message_and_not_outside() {
    let (sender, receiver) = channel::<u32>().unwrap();
    let child = spawn(passes_on_text, (Text(sender),)).unwrap();
    let text = child.join().unwrap();
    let pool = Pool::new(1).unwrap();
    let text = pool.apply(passes_on_text, (text,)).unwrap();
    let (there, back) = channel().unwrap();
    there.send(text).unwrap();
    back.recv().unwrap().0.send(1).unwrap();
    for _ in 0..3 {
        assert_eq!(receiver.recv_timeout(story::LIMIT / 2).unwrap(), 1);
    }
    ends(&receiver);

    // The same text, kept for later.
    let (sender, _receiver) = channel::<u32>().unwrap();
    let text: String = postcard::from_bytes(&bytes_of(Text(sender.clone()))).unwrap();
    let refused = serde_json::from_str::<Sender<u32>>(&text).unwrap_err();
    assert!(refused.to_string().contains(WHY), "{refused}");
}

/// A handle, and what reports an error when it is serialised.
#[derive(Serialize, Deserialize)]
struct Half(Sender<u32>, Refusing);

#[derive(Deserialize)]
struct Refusing;

impl Serialize for Refusing {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(S::Error::custom("not this one"))
    }
}

fn takes_half(_: Half) {}

fn makes_half(sender: Sender<u32>) -> Half {
    Half(sender, Refusing)
}

fn a_message_that_fails_half_way_frees_its_handles() {
    let (sender, receiver) = channel::<u32>().unwrap();
    let half = || Half(sender.clone(), Refusing);
    let check_refusal = |error: &dyn Debug| assert!(format!("{error:?}").contains("not this one"));

    check_refusal(&spawn(takes_half, (half(),)).unwrap_err());
    check_refusal(
        &spawn(makes_half, (sender.clone(),))
            .unwrap()
            .join()
            .map(|_| ())
            .unwrap_err(),
    );
    let pool = Pool::new(1).unwrap();
    check_refusal(&pool.apply(takes_half, (half(),)).unwrap_err());
    check_refusal(
        &pool
            .apply(makes_half, (sender.clone(),))
            .map(|_| ())
            .unwrap_err(),
    );
    check_refusal(
        &Pool::builder()
            .initializer(takes_half, (half(),))
            .unwrap_err(),
    );
    let queue = Queue::new().unwrap();
    let (there, back) = channel().unwrap();
    let (near, far) = pipe::<Half, ()>().unwrap();
    for _ in 0..2 {
        check_refusal(&queue.put(half()).unwrap_err().error());
        check_refusal(&there.send(half()).unwrap_err().error());
        check_refusal(&near.send(half()).unwrap_err().error());
    }
    drop((queue, back, far));
    drop(sender);
    ends(&receiver);
}

fn a_handle_of_ipc_channel_is_refused_and_affects_no_other_item() {
    #[derive(Serialize, Deserialize)]
    struct Hidden {
        sender: Option<ipc::IpcSender<u8>>,
    }
    let (sender, _receiver) = ipc::channel::<u8>().unwrap();
    let plain = Queue::new().unwrap();
    let refused = plain.put(vec![sender.clone()]).unwrap_err();
    assert!(refused.to_string().contains("ipc-channel"), "{refused}");

    let hidden = Queue::new().unwrap();
    let item = Hidden {
        sender: Some(sender),
    };
    // With the feature `ipc` where it is put, without where it is read.
    let refused = match hidden.put(item) {
        Ok(()) => hidden.get().map(drop).unwrap_err(),
        Err(refused) => refused.into_parts().1,
    };
    assert!(
        matches!(refused, Error::Unsendable { .. } | Error::Unreadable { .. }),
        "{refused}"
    );
    hidden.put(Hidden { sender: None }).unwrap();
    assert!(hidden.get().unwrap().sender.is_none());
    assert!(hidden.is_empty());
}
