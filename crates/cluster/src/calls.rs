//! What rank 0 knows of the other ranks, and of its calls that are running.

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crossbeam_channel::{Receiver, Sender, unbounded};
use ferrompi::Communicator;

use crate::error::{Error, Result};
use crate::messages::{Answer, Chunk, Head, Hello, send};
use crate::rank::{Rank, size};

type Answers = (Answer, Vec<u8>);

struct State {
    hellos: Vec<Hello>,
    /// The calls that are running, by their number.
    running: BTreeMap<u64, Sender<Answers>>,
    last: u64,
}

static STATE: Mutex<State> = Mutex::new(State {
    hellos: Vec::new(),
    running: BTreeMap::new(),
    last: 0,
});
static GREETED: Condvar = Condvar::new();

fn state() -> MutexGuard<'static, State> {
    STATE.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) fn hello(hello: Hello) {
    state().hellos.push(hello);
    GREETED.notify_all();
}

pub(crate) fn answer(answer: Answer, results: Vec<u8>) {
    // A call that was abandoned isn't there any more.
    if let Some(call) = state().running.get(&answer.call) {
        let _ = call.send((answer, results));
    }
}

/// Waits until all ranks have said hello, and returns what they said, in their order.
pub(crate) fn hellos(this: &Rank) -> Vec<Hello> {
    let all = size(&this.world);
    let waited = GREETED.wait_while(state(), |state| state.hellos.len() < all);
    let mut hellos = waited
        .unwrap_or_else(PoisonError::into_inner)
        .hellos
        .clone();
    hellos.sort_unstable_by_key(|hello| hello.rank);
    hellos
}

/// Whether the ranks were told to end. Locked while something is sent to them: nothing is sent after that.
static ENDED: Mutex<bool> = Mutex::new(false);

fn ended() -> MutexGuard<'static, bool> {
    ENDED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Tells all ranks to end.
pub(crate) fn end(world: &Communicator) -> ferrompi::Result<()> {
    *ended() = true;
    (0..size(world)).try_for_each(|rank| send(world, rank, &Head::End, Vec::new()))
}

pub(crate) fn send_chunk(this: &Rank, rank: usize, chunk: Chunk, inputs: Vec<u8>) -> Result<()> {
    let ended = ended();
    if *ended {
        return Err(Error::Ended);
    }
    Ok(send(&this.world, rank, &Head::Chunk(chunk), inputs)?)
}

/// A call that is running, with the answers to it. Dropping it abandons the call.
pub(crate) struct Call {
    pub(crate) number: u64,
    answers: Receiver<Answers>,
}

impl Call {
    pub(crate) fn new() -> Call {
        let (sender, answers) = unbounded();
        let mut state = state();
        state.last += 1;
        let number = state.last;
        state.running.insert(number, sender);
        Call { number, answers }
    }

    pub(crate) fn next(&self) -> Result<Answers> {
        match self.answers.recv() {
            Ok(answers) if answers.0.is_last.is_ok() || !*ended() => Ok(answers),
            _ => Err(Error::Ended),
        }
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        state().running.remove(&self.number);
    }
}
