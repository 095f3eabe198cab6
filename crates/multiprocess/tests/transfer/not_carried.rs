//! Handles of `ipc-channel` in messages, which cannot carry them: each is refused where it is sent, in any part of any
//! value, and closed; a value that only resembles one travels.

#![allow(
    clippy::needless_pass_by_value,
    reason = "arguments of a child move to it"
)]

use crate::story;

use std::fmt::Debug;
use std::num::NonZeroU64;
use std::panic::{catch_unwind, resume_unwind};
use std::process::ExitCode;

use ipc_channel::ipc::{self, IpcReceiver, IpcSender, IpcSharedMemory};
use multiprocess::{Pool, Queue, RegisteredTask, channel, init, pipe, task};
use serde::{Deserialize, Serialize, Serializer};

pub(crate) fn main() -> ExitCode {
    story::play(
        || init(tasks()),
        story::named![],
        story::named![
            a_handle_in_a_later_value_is_refused_by_queue_channel_and_pipe,
            a_handle_in_a_later_input_or_result_is_refused_by_a_pool,
            handles_are_found_in_all_kinds_of_values,
            a_handle_in_an_optional_field_is_refused,
            handles_that_were_refused_are_closed,
            a_value_that_only_resembles_a_handle_travels,
        ],
    )
}

fn tasks() -> Vec<RegisteredTask> {
    vec![task(makes_job), task(takes_job), task(takes_pair)]
}

#[derive(Debug, Serialize, Deserialize)]
enum Job {
    Plain(u64, String),
    Answered(Answer),
    Listening(IpcReceiver<u32>),
    Shared { memory: IpcSharedMemory },
}

/// Its `Serialize` hands its one field on as it is.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(transparent)]
struct Answer(Box<IpcSender<u32>>);

fn plain() -> Job {
    Job::Plain(0, "some".to_owned())
}

fn answered() -> Job {
    let (sender, _) = ipc::channel().unwrap();
    Job::Answered(Answer(Box::new(sender)))
}

fn listening() -> Job {
    let (_, receiver) = ipc::channel().unwrap();
    Job::Listening(receiver)
}

fn shared() -> Job {
    let memory = IpcSharedMemory::from_bytes(b"some");
    Job::Shared { memory }
}

const LOADED: [fn() -> Job; 3] = [answered, listening, shared];

fn check_refusal(error: impl Debug) {
    let text = format!("{error:?}");
    assert!(text.contains("handle of ipc-channel"), "{text}");
}

fn a_handle_in_a_later_value_is_refused_by_queue_channel_and_pipe() {
    let queue = Queue::new().unwrap();
    let (sender, receiver) = channel().unwrap();
    let (near, far) = pipe::<Job, ()>().unwrap();
    for loaded in LOADED {
        queue.put(plain()).unwrap();
        check_refusal(queue.put(loaded()).unwrap_err().error());
        queue.put(plain()).unwrap();
        sender.send(plain()).unwrap();
        check_refusal(sender.send(loaded()).unwrap_err().error());
        sender.send(plain()).unwrap();
        near.send(plain()).unwrap();
        check_refusal(near.send(loaded()).unwrap_err().error());
        near.send(plain()).unwrap();
    }
    queue.close().unwrap();
    drop((sender, near));
    for jobs in [queue.iter(), receiver.iter(), far.iter()] {
        let jobs: Vec<Job> = jobs.map(Result::unwrap).collect();
        assert!(jobs.iter().all(|job| matches!(job, Job::Plain(0, _))));
        assert_eq!(jobs.len(), 6);
    }
}

fn makes_job(kind: usize) -> Job {
    LOADED.get(kind).map_or_else(plain, |make| make())
}

fn takes_job(_: Job) {}

fn a_handle_in_a_later_input_or_result_is_refused_by_a_pool() {
    let pool = Pool::new(1).unwrap();
    for chunk in [1, 10] {
        let inputs = [plain(), answered(), listening(), shared(), plain()];
        let results = pool.chunk_size(chunk).map_each(takes_job, inputs).unwrap();
        let results = results.into_iter().map(|it| it.map(|()| plain()));
        let made = pool.chunk_size(chunk).map_each(makes_job, [9, 0, 1, 2, 9]);
        for results in [results.collect(), made.unwrap()] {
            for (number, result) in results.into_iter().enumerate() {
                match number {
                    0 | 4 => drop(result.unwrap()),
                    _ => check_refusal(result.unwrap_err()),
                }
            }
        }
    }
    for loaded in LOADED {
        check_refusal(pool.apply(takes_job, (loaded(),)).unwrap_err());
        check_refusal(
            Pool::builder()
                .initializer(takes_job, (loaded(),))
                .unwrap_err(),
        );
    }
}

/// Holds a value in each way that serde's own derive knows of.
#[derive(Serialize, Deserialize)]
struct Ways<T> {
    maybe: Option<T>,
    list: Vec<T>,
    pair: (u8, Option<T>),
    map: std::collections::BTreeMap<u8, T>,
    tagged: Option<Tagged<T>>,
    own: Option<Own<T>>,
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", content = "value")]
enum Tagged<T> {
    This(T),
}

#[derive(Serialize, Deserialize)]
#[serde(bound(serialize = "T: Serialize", deserialize = "T: Deserialize<'de>"))]
struct Own<T>(#[serde(with = "as_it_is")] T);

mod as_it_is {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<T: Serialize, S: Serializer>(
        value: &T,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        value.serialize(serializer)
    }

    pub(super) fn deserialize<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<T, D::Error> {
        T::deserialize(deserializer)
    }
}

fn empty<T>() -> Ways<T> {
    Ways {
        maybe: None,
        list: Vec::new(),
        pair: (0, None),
        map: std::collections::BTreeMap::new(),
        tagged: None,
        own: None,
    }
}

/// A value in each of the ways in turn.
fn each_way<T>(make: impl Fn() -> T) -> Vec<Ways<T>> {
    let fill: [fn(&mut Ways<T>, T); 6] = [
        |ways, value| ways.maybe = Some(value),
        |ways, value| ways.list.push(value),
        |ways, value| ways.pair.1 = Some(value),
        |ways, value| drop(ways.map.insert(0, value)),
        |ways, value| ways.tagged = Some(Tagged::This(value)),
        |ways, value| ways.own = Some(Own(value)),
    ];
    let filled = fill.into_iter().map(|fill| {
        let mut ways = empty();
        fill(&mut ways, make());
        ways
    });
    filled.collect()
}

fn handles_are_found_in_all_kinds_of_values() {
    let queue = Queue::new().unwrap();
    for make in LOADED {
        for ways in each_way(make) {
            check_refusal(queue.put(ways).unwrap_err().error());
            queue.put(empty()).unwrap();
        }
    }
    let (sender, _receiver) = ipc::channel::<u8>().unwrap();
    let queue = Queue::new().unwrap();
    for ways in each_way(|| sender.clone()) {
        check_refusal(queue.put(ways).unwrap_err().error());
        queue.put(empty()).unwrap();
    }
}

fn a_handle_in_an_optional_field_is_refused() {
    #[derive(Serialize, Deserialize)]
    struct Hidden {
        sender: Option<IpcSender<u8>>,
    }
    let (sender, _receiver) = ipc::channel::<u8>().unwrap();
    let plain = Queue::new().unwrap();
    let refused = plain.put(vec![sender.clone()]).unwrap_err();
    assert!(refused.to_string().contains("ipc-channel"), "{refused}");

    let hidden = Queue::new().unwrap();
    let item = Hidden {
        sender: Some(sender.clone()),
    };
    let refused = hidden.put(item).unwrap_err();
    assert!(refused.to_string().contains("ipc-channel"), "{refused}");

    // Also where the values before it held none.
    hidden.put(Hidden { sender: None }).unwrap();
    let refused = hidden.put(refused.into_inner()).unwrap_err();
    assert!(refused.to_string().contains("ipc-channel"), "{refused}");
    assert!(hidden.get().unwrap().sender.is_none());
    assert!(hidden.is_empty());
}

/// What lets a message fail behind the handles in it, or panic.
#[derive(Deserialize)]
enum Behind {
    Nothing,
    Error,
    Panic,
}

impl Serialize for Behind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Behind::Nothing => serializer.serialize_unit(),
            Behind::Error => Err(serde::ser::Error::custom("not this one")),
            Behind::Panic => resume_unwind(Box::new("not this one")),
        }
    }
}

fn takes_pair(_: IpcSender<u32>, _: Behind) {}

fn handles_that_were_refused_are_closed() {
    let (sender, receiver) = ipc::channel::<u32>().unwrap();
    let pair = |behind| (sender.clone(), behind);
    let queue = Queue::new().unwrap();
    let pool = Pool::new(1).unwrap();
    for behind in [|| Behind::Nothing, || Behind::Error, || Behind::Panic] {
        let put = catch_unwind(std::panic::AssertUnwindSafe(|| queue.put(pair(behind()))));
        assert!(!matches!(put, Ok(Ok(()))));
        assert!(pool.apply(takes_pair, pair(behind())).is_err());
    }
    // Whatever this thread sends next takes along nothing of it.
    drop(sender);
    story::ends(&receiver);
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
struct Id(u64);

fn a_value_that_only_resembles_a_handle_travels() {
    let queue = Queue::new().unwrap();
    for number in [0, 1, 63, 64, u64::MAX] {
        for ways in each_way(|| (Id(number), Box::new(number), String::new())) {
            // The wire format does not say enough to read such a one back.
            let is_tagged = ways.tagged.is_some();
            queue.put(ways).unwrap();
            assert_eq!(queue.get().is_ok(), !is_tagged);
        }
    }
    let queue = Queue::new().unwrap();
    let one = NonZeroU64::MIN;
    queue
        .put((one, vec![one], vec![Id(0)], "some".to_owned()))
        .unwrap();
    assert_eq!(queue.get().unwrap().1, [one]);
    // There is no file behind memory of no length.
    let queue = Queue::new().unwrap();
    queue.put(IpcSharedMemory::from_bytes(b"")).unwrap();
    assert!(queue.get().unwrap().is_empty());
}
