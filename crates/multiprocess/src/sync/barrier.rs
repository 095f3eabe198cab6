//! The barrier: a point at which processes wait for each other.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::process;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use crate::errors::error::{Error, Result};
use crate::memory::layout::Access;
use crate::memory::liveness::UniquePid;
use crate::memory::slot::Slot;
use crate::sync::rounds::{self, ABORT, DEATH, PANIC, PASSED, RESET, Rounds};
use crate::sync::table::Table;
use crate::sync::typed_memory::{Layout, create};
use crate::transfer::attachments::{self, Attachment};
use crate::transfer::handle::handle;

/// A point at which a fixed number of participants, threads of any processes, wait until all of them have arrived.
///
/// It is a handle, like [`Lock`](crate::Lock), and can be used any number of times. It breaks when a participant dies,
/// when a wait times out, and by [`abort`](Barrier::abort). Then all current and later waiters get
/// [`Error::BarrierBroken`], which says why, until one calls [`reset`](Barrier::reset).
///
/// A process becomes a participant when it receives the barrier, or waits at it for the first time, and stays one until
/// it drops its last handle. If it dies before that, or drops the handle during a panic, the barrier breaks: at once,
/// or within a tenth of a second after a wait began. It also breaks if a process dies before it has read the barrier
/// from its arguments. It does not break if a function returns, even with an error, before it has waited, or if a
/// message with the barrier is never received: then the others wait forever, unless they use
/// [`wait_timeout`](Barrier::wait_timeout), or the function calls [`abort`](Barrier::abort) before it returns.
///
/// Python: `multiprocessing.Barrier(parties)`. Different here: the barrier breaks if a participant is killed, where
/// Python lets the others wait forever.
///
/// # Examples
///
/// ```
/// use multiprocess::{Barrier, spawn, task};
///
/// fn climber(summit: Barrier) -> u32 {
///     summit.wait_with(|| println!("all are here")).expect("all climbers are alive")
/// }
///
/// fn main() -> Result<(), multiprocess::Error> {
///     multiprocess::init([task(climber)]);
///     let summit = Barrier::new(2)?;
///     let child = spawn(climber, (summit.clone(),))?;
///     // One of them arrives first and gets 0, the other one gets 1.
///     assert_eq!(climber(summit) + child.join()?, 1);
///     Ok(())
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Barrier(Arc<Inner>);

/// One process's view of the barrier.
#[derive(Debug)]
struct Inner {
    rounds: Rounds,
    parties: u32,
    /// The place of this process among the participants, once it is one.
    place: OnceLock<Option<usize>>,
    /// Whether it arrived while the thread panicked, as in a message that is discarded.
    arrived_in_panic: bool,
}

/// How many processes can take part before a barrier needs more memory.
const FEW_PLACES: usize = 15;
/// How many more places than participants there are, and the maximum number of places.
const SPARE_PLACES: u32 = 64;
const MAX_PLACES: u32 = 4096;

impl Barrier {
    /// Creates a barrier for `parties` participants; 0 counts as 1, for which no wait blocks.
    ///
    /// # Errors
    ///
    /// [`Error::Memory`] if there is no shared memory for it.
    pub fn new(parties: u32) -> Result<Barrier> {
        let parties = parties.max(1);
        let numbers = rounds::PARTICIPANTS + 2 * FEW_PLACES;
        let layout = Layout {
            locks: 0,
            words: 1,
            access: Access::Atomic,
        };
        let memory = create::<u64>(numbers, layout, || CONTENT.to_owned())?;
        Ok(Barrier::of(memory, parties))
    }

    fn of(memory: Arc<Slot>, parties: u32) -> Barrier {
        let places = parties.saturating_add(SPARE_PLACES).min(MAX_PLACES) as usize;
        let participants = Table::of(&memory, rounds::PARTICIPANTS, places);
        Barrier(Arc::new(Inner {
            rounds: Rounds {
                memory,
                participants,
            },
            parties,
            place: OnceLock::new(),
            arrived_in_panic: std::thread::panicking(),
        }))
    }

    /// Waits until all have arrived, and returns the order of arrival: 0 for the first, 1 for the second, ….
    ///
    /// Python: `Barrier.wait()`.
    ///
    /// # Errors
    ///
    /// [`Error::BarrierBroken`] if it is broken or breaks; [`Error::Memory`] in a copy of the process made by `fork`.
    pub fn wait(&self) -> Result<u32> {
        self.arrive(None, || ())
    }

    /// Waits at most `limit` until all have arrived; a timeout breaks the barrier for all.
    ///
    /// Python: `Barrier.wait(seconds)`.
    ///
    /// # Errors
    ///
    /// As [`wait`](Barrier::wait), and [`Error::Timeout`] if this wait itself timed out.
    pub fn wait_timeout(&self, limit: Duration) -> Result<u32> {
        self.arrive(Some(limit), || ())
    }

    /// Waits until all have arrived. If this thread is the last to arrive, it runs `action` before the others are
    /// released; the actions of the others don't run, even if they are different.
    ///
    /// The barrier breaks if the action panics or its process dies in it. If it breaks during the action for another
    /// reason, such as the timeout of a waiter, the action still runs to its end, and the call returns the error.
    /// The action must not wait at the same barrier.
    ///
    /// Python: `Barrier(parties, action=…)`. Different here: each call has its own action, since processes can't share
    /// a closure; and in Python, if a process dies in its action, the others wait forever.
    ///
    /// # Errors
    ///
    /// As [`wait`](Barrier::wait).
    ///
    /// # Panics
    ///
    /// If `action` panics.
    pub fn wait_with(&self, action: impl FnOnce()) -> Result<u32> {
        self.arrive(None, action)
    }

    /// Breaks the barrier. Python: `Barrier.abort()`.
    ///
    /// # Errors
    ///
    /// [`Error::Memory`] in a copy of the process made by `fork`.
    pub fn abort(&self) -> Result<()> {
        self.rounds()?.break_by(ABORT, process::id());
        Ok(())
    }

    /// Repairs a broken barrier. If threads wait at it, they get an error. Python: `Barrier.reset()`.
    ///
    /// # Errors
    ///
    /// As [`abort`](Barrier::abort).
    pub fn reset(&self) -> Result<()> {
        let rounds = self.rounds()?;
        rounds.check_for_dead();
        while !rounds.end(rounds.now().0, RESET, 0) {}
        Ok(())
    }

    /// Returns whether the barrier is broken. Python: `Barrier.broken`.
    ///
    /// # Errors
    ///
    /// As [`abort`](Barrier::abort).
    pub fn is_broken(&self) -> Result<bool> {
        let rounds = self.rounds()?;
        Ok(rounds.broken_before(rounds.now().0).is_some())
    }

    /// Returns the number of threads that wait at this moment. Python: `Barrier.n_waiting`.
    ///
    /// # Errors
    ///
    /// As [`abort`](Barrier::abort).
    pub fn waiting(&self) -> Result<u32> {
        Ok(self.rounds()?.now().1)
    }

    /// Returns the number of participants that the barrier waits for. Python: `Barrier.parties`.
    #[must_use]
    pub fn parties(&self) -> u32 {
        self.0.parties
    }

    fn arrive(&self, limit: Option<Duration>, action: impl FnOnce()) -> Result<u32> {
        let deadline = limit.and_then(|limit| Instant::now().checked_add(limit));
        let rounds = self.rounds()?;
        self.join();
        let wait_for_end = |round, has_arrived| {
            let event = if has_arrived {
                "the others at a barrier, which is broken now"
            } else {
                "the end of a round at a barrier, in which all had arrived"
            };
            let late = || Error::timeout(event, limit.unwrap_or_default());
            let in_time = rounds.wait_for_end(round, deadline, has_arrived);
            in_time.then_some(()).ok_or_else(late)
        };
        let (round, index) = loop {
            let (round, arrived) = rounds.now();
            if let Some(broken) = rounds.broken_before(round) {
                return Err(broken);
            }
            if arrived >= self.0.parties {
                // All have arrived and the last one runs its action, so this thread belongs to the next round.
                wait_for_end(round, false)?;
            } else if rounds.change([round, arrived], [round, arrived + 1]) {
                break (round, arrived);
            }
        };
        if index + 1 < self.0.parties {
            wait_for_end(round, true)?;
        } else if let Err(panic) = catch_unwind(AssertUnwindSafe(action)) {
            rounds.end(round, PANIC, process::id());
            resume_unwind(panic);
        } else if rounds.end(round, PASSED, 0) {
            return Ok(index);
        }
        match rounds.final_outcome(round) {
            PASSED => Ok(index),
            failed => Err(rounds::broken_by(failed)),
        }
    }

    /// Makes this process a participant, if it isn't one yet. If no place is free, its death stays unnoticed.
    fn join(&self) {
        let participants = &self.0.rounds.participants;
        self.0.place.get_or_init(|| {
            let place = participants.take_place();
            place.or_else(|| participants.extend().then(|| participants.take_place())?)
        });
    }

    /// Returns an error in a copy of the process made by `fork`, which isn't a participant.
    fn rounds(&self) -> Result<&Rounds> {
        let rounds = &self.0.rounds;
        if rounds.memory.is_forked() {
            let checked = rounds.memory.check_process();
            checked.map_err(|source| Error::memory(CONTENT, source))?;
        }
        Ok(rounds)
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        let place = self.place.get().copied().flatten();
        let Some(place) = place.filter(|_| !self.rounds.memory.is_forked()) else {
            return;
        };
        if std::thread::panicking() && !self.arrived_in_panic {
            self.rounds.break_by(PANIC, process::id());
        }
        self.rounds.participants.remove(place, UniquePid::own());
    }
}

/// A barrier in the arguments of a process, which will be a participant.
impl Attachment for Rounds {
    fn lost(&self, pid: u32) {
        self.break_by(DEATH, pid);
    }
}

const CONTENT: &str = "a Barrier";

handle!(
    Barrier,
    CONTENT,
    |barrier| {
        let inner = &barrier.0;
        attachments::add(Arc::new(inner.rounds.clone()));
        Ok((&inner.rounds.memory, inner.parties))
    },
    |memory, parties| {
        let barrier = Barrier::of(memory, parties);
        barrier.join();
        Ok(barrier)
    },
);
