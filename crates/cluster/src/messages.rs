//! The messages between ranks.

use std::thread;
use std::time::Duration;

use ferrompi::{Communicator, Source, Tag};
use serde::{Deserialize, Serialize};

/// What a message says; bytes go with it.
#[derive(Serialize, Deserialize)]
pub(crate) enum Head {
    /// To rank 0: the first message of each rank.
    Hello(Hello),
    /// From rank 0: inputs, by [`raw::append`](multiprocess::raw::append).
    Chunk(Chunk),
    /// To rank 0: results of a chunk, for [`raw::next`](multiprocess::raw::next).
    Answer(Answer),
    /// From rank 0: its last message.
    End,
    /// To rank 0: the last message of each rank.
    Ended,
}

#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Hello {
    pub(crate) rank: usize,
    pub(crate) host: String,
    /// The number of its workers, or why it has none.
    pub(crate) workers: Result<usize, String>,
    /// The hash of its program, which must be the same everywhere.
    pub(crate) program: u64,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct Chunk {
    /// The number of the call.
    pub(crate) call: u64,
    /// The function's index in the list.
    pub(crate) task: u32,
    /// The index of the first input.
    pub(crate) first: usize,
    pub(crate) count: usize,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct Answer {
    pub(crate) rank: usize,
    pub(crate) call: u64,
    pub(crate) first: usize,
    pub(crate) count: usize,
    /// Whether these are the last results of a chunk; or why the rank can't go on.
    pub(crate) is_last: Result<bool, String>,
    /// How long a worker took for each.
    pub(crate) each_took: Option<Duration>,
}

/// The maximum number of bytes of inputs or results in a message: MPI counts those of a message by an `int`.
pub(crate) const MAX_BYTES: usize = 1 << 30;

/// Sends a message. The head follows the bytes, so that they needn't be copied.
pub(crate) fn send(
    world: &Communicator,
    rank: usize,
    head: &Head,
    bytes: Vec<u8>,
) -> ferrompi::Result<()> {
    let length = bytes.len() as u64;
    let bytes = postcard::to_extend(head, bytes);
    let mut bytes = bytes.expect("it consists of numbers and strings");
    bytes.extend(length.to_le_bytes());
    let rank = i32::try_from(rank).expect("MPI counts ranks by an `int`");
    world.send(&bytes, rank, 0)
}

/// Waits for the next message. Not inside MPI, which would keep a core busy.
pub(crate) fn receive(world: &Communicator) -> ferrompi::Result<(Head, Vec<u8>)> {
    let mut looks = 0;
    loop {
        if let Some((message, status)) = world.improbe::<u8>(Source::Any, Tag::Any)? {
            let mut bytes = vec![0; status.count.unwrap_or(0)];
            message.mrecv(&mut bytes)?;
            return Ok(split(bytes).expect("all ranks run the same program"));
        }
        // The next one often comes soon; while nothing is to be done, none does.
        let pause = if looks < 1000 { 10 } else { 1000 };
        thread::sleep(Duration::from_micros(pause));
        looks += 1;
    }
}

fn split(mut bytes: Vec<u8>) -> Option<(Head, Vec<u8>)> {
    let (rest, length) = bytes.split_last_chunk()?;
    let length = usize::try_from(u64::from_le_bytes(*length)).ok()?;
    let head = postcard::from_bytes(rest.get(length..)?).ok()?;
    bytes.truncate(length);
    Some((head, bytes))
}
