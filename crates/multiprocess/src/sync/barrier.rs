//! The barrier: a point where processes wait for each other.

use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use crate::errors::broken_by::BrokenBy;
use crate::errors::error::{Error, Result};
use crate::memory::liveness::UniquePid;
use crate::platform::file_lock::Refused;
use crate::platform::wait_until::is_over;
use crate::sync::monitor::{Monitor, Numbers, Table};
use crate::transfer::attachments::{self, Attachment};
use crate::transfer::handle::handle;

/// A point where a number of participants, threads of any processes, wait until all of them have arrived.
///
/// It is a handle, like [`Lock`](crate::Lock), and can be used again and again. It breaks when a participant dies, when
/// a wait times out, and by [`abort`](Barrier::abort). Then all waiters, and all that arrive later, get
/// [`Error::BarrierBroken`], which says why, until one calls [`reset`](Barrier::reset).
///
/// A process is a participant from the moment when it receives the barrier, or waits at it for the first time, until it
/// drops its last handle to what it received. If it dies before that, or drops the handle in a panic, the barrier
/// breaks: at once, or within a tenth of a second after a wait began. So it does if a process dies before it has read
/// the barrier among its arguments. If a message with the barrier is never received, nothing breaks: the others wait
/// for ever, unless they use [`wait_timeout`](Barrier::wait_timeout).
///
/// Python: `multiprocessing.Barrier(parties)`. Different here: if a participant is killed in Python, the others wait
/// for ever.
///
/// # Examples
///
/// ```
/// use multiprocess::{Barrier, spawn, task};
///
/// fn climber(summit: Barrier) -> u32 {
///     summit.wait().expect("all climbers are alive")
/// }
///
/// fn main() -> Result<(), multiprocess::Error> {
///     multiprocess::init([task(climber)]);
///     let summit = Barrier::new(2)?;
///     let child = spawn(climber, (summit.clone(),))?;
///     // One of them is the first, which is 0, and the other one the second.
///     assert_eq!(summit.wait()? + child.join()?, 1);
///     Ok(())
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Barrier(Arc<Inner>);

/// The barrier as one process has it.
#[derive(Debug)]
struct Inner {
    monitor: Monitor,
    parties: u32,
    /// The place of this process among the participants, once it is one.
    place: OnceLock<Option<usize>>,
    /// Whether it arrived while the thread panicked, as in a message that is discarded.
    arrived_in_panic: bool,
}

// The numbers. A round ends when all have arrived or the barrier breaks.
const ARRIVED: usize = 0;
const ROUND: usize = 1;
/// What the barrier is broken by, 0 if it is not broken.
const BROKEN: usize = 2;
/// The process that broke it, if it was one.
const CULPRIT: usize = 3;
/// One bit for each of the last 64 rounds: whether it failed.
const FAILED: usize = 4;
/// The processes that are participants.
const PARTICIPANTS: Table<1> = Table(5);

/// The eventcount that is notified when a round ends.
const ROUND_ENDED: usize = 0;

const TIMEOUT: u64 = 1;
const ABORT: u64 = 2;
const DEATH: u64 = 3;
const PANIC: u64 = 4;

/// Places for processes beyond one for each participant, and the maximum.
const SPARE_PLACES: u32 = 64;
const MAX_PLACES: u32 = 4096;

impl Barrier {
    /// Makes a barrier for that many participants. One for 0 is as one for 1: no wait blocks.
    ///
    /// # Errors
    ///
    /// [`Error::Memory`] if there is no shared memory for it.
    pub fn new(parties: u32) -> Result<Barrier> {
        let parties = parties.max(1);
        let places = parties.saturating_add(SPARE_PLACES).min(MAX_PLACES);
        let monitor = Monitor::new(PARTICIPANTS.0 + places as usize, CONTENT)?;
        Ok(Barrier::of(monitor, parties))
    }

    fn of(monitor: Monitor, parties: u32) -> Barrier {
        Barrier(Arc::new(Inner {
            monitor,
            parties,
            place: OnceLock::new(),
            arrived_in_panic: std::thread::panicking(),
        }))
    }

    /// Waits until all have arrived; returns the order of arrival: 0 for the first, 1 for the second, ….
    ///
    /// # Errors
    ///
    /// [`Error::BarrierBroken`] if it is broken or breaks, [`Error::Memory`] if the operating system refuses.
    pub fn wait(&self) -> Result<u32> {
        self.0.wait(None)
    }

    /// Waits until all have arrived, but not longer than `limit`. Python: `Barrier.wait(seconds)`.
    ///
    /// When the time is over the barrier breaks for all; if a stopped process is using it, as soon as that goes on.
    ///
    /// # Errors
    ///
    /// As [`wait`](Barrier::wait), and [`Error::Timeout`] if this thread's own time is over.
    pub fn wait_timeout(&self, limit: Duration) -> Result<u32> {
        let waited = self.0.wait(Instant::now().checked_add(limit));
        waited.map_err(|error| match error {
            Error::Timeout { event, .. } => Error::Timeout { event, limit },
            other => other,
        })
    }

    /// Breaks the barrier. Python: `Barrier.abort()`.
    ///
    /// # Errors
    ///
    /// [`Error::Memory`] if the operating system refuses.
    pub fn abort(&self) -> Result<()> {
        let mut numbers = self.0.enter(None)?;
        let me = UniquePid::own().number();
        break_it(&self.0.monitor, &mut numbers, ABORT, me);
        Ok(())
    }

    /// Repairs a broken barrier, and empties it; a thread that waits at one that is not broken gets an error.
    ///
    /// # Errors
    ///
    /// [`Error::Memory`] if the operating system refuses.
    pub fn reset(&self) -> Result<()> {
        let mut numbers = self.0.enter(None)?;
        self.0.check_for_dead(&mut numbers);
        end_round(&mut numbers, true, 0, 0);
        self.0.monitor.eventcount(ROUND_ENDED).notify_all();
        Ok(())
    }

    /// Returns whether the barrier is broken. Python: `Barrier.broken`.
    ///
    /// # Errors
    ///
    /// [`Error::Memory`] if the operating system refuses.
    pub fn is_broken(&self) -> Result<bool> {
        Ok(self.0.enter(None)?.get(BROKEN) != 0)
    }

    /// Returns the number of waiters at this moment. Python: `Barrier.n_waiting`.
    ///
    /// # Errors
    ///
    /// [`Error::Memory`] if the operating system refuses.
    pub fn waiting(&self) -> Result<u32> {
        let numbers = self.0.enter(None)?;
        Ok(u32::try_from(numbers.get(ARRIVED)).unwrap_or(u32::MAX))
    }

    /// Returns how many participants the barrier waits for. Python: `Barrier.parties`.
    #[must_use]
    pub fn parties(&self) -> u32 {
        self.0.parties
    }
}

/// How long a thread that must not block waits for the numbers: a process that holds them for longer is stopped.
const BUSY_LIMIT: Duration = Duration::from_secs(1);

impl Inner {
    /// Locks the numbers. If a stopped process holds them beyond the deadline, this still breaks the barrier: it leaves
    /// a note, and the next thread that locks them breaks it.
    fn enter(&self, deadline: Option<Instant>) -> Result<Numbers<'_>> {
        match self.monitor.lock(deadline) {
            Ok(mut numbers) => {
                let late = self.monitor.note().load(Ordering::SeqCst);
                if late != 0 {
                    let late = u64::from(late) << 32;
                    break_it(&self.monitor, &mut numbers, TIMEOUT, late);
                    // Cleared last: if this process dies before, the next breaks once more what is broken.
                    self.monitor.note().store(0, Ordering::SeqCst);
                }
                Ok(numbers)
            }
            Err(Refused::Busy) => {
                self.monitor
                    .note()
                    .store(std::process::id(), Ordering::SeqCst);
                Err(late())
            }
            Err(refused) => Err(self.monitor.refusal(refused, None)),
        }
    }

    /// Makes this process a participant, if it is none yet.
    fn join(&self, numbers: &mut Numbers<'_>) {
        if self.place.get().is_none() {
            // Without a free place, the death of this process goes unnoticed.
            let place = PARTICIPANTS.place_of(numbers.all(), 0);
            if let Some(place) = place {
                numbers.change(&[(place, UniquePid::own().number())]);
            }
            let _ = self.place.set(place);
        }
    }

    fn wait(&self, deadline: Option<Instant>) -> Result<u32> {
        let mut numbers = self.enter(deadline)?;
        self.join(&mut numbers);
        if numbers.get(BROKEN) != 0 {
            return Err(cause(&numbers));
        }
        let index = numbers.get(ARRIVED);
        let round = numbers.get(ROUND);
        if index + 1 >= u64::from(self.parties) {
            end_round(&mut numbers, false, 0, 0);
            drop(numbers);
            self.monitor.eventcount(ROUND_ENDED).notify_all();
        } else {
            numbers.change(&[(ARRIVED, index + 1)]);
            self.wait_for_others(numbers, round, deadline)?;
        }
        Ok(u32::try_from(index).unwrap_or(u32::MAX))
    }

    fn wait_for_others<'a>(
        &'a self,
        mut numbers: Numbers<'a>,
        round: u64,
        deadline: Option<Instant>,
    ) -> Result<()> {
        while numbers.get(ROUND) == round {
            let check = self.monitor.wait(numbers, ROUND_ENDED, deadline);
            numbers = self.enter(deadline)?;
            if check && numbers.get(ROUND) == round {
                self.check_for_dead(&mut numbers);
            }
            if is_over(deadline) && numbers.get(ROUND) == round {
                let me = UniquePid::own().number();
                break_it(&self.monitor, &mut numbers, TIMEOUT, me);
                return Err(late());
            }
        }
        if has_failed(&numbers, round) {
            return Err(cause(&numbers));
        }
        Ok(())
    }

    /// Breaks the barrier if a participant is dead, and removes the dead ones.
    fn check_for_dead(&self, numbers: &mut Numbers<'_>) {
        let dead = PARTICIPANTS.dead(numbers.all(), self.monitor.run());
        if let Some((_, process)) = dead.first() {
            break_it(&self.monitor, numbers, DEATH, process.number());
        }
        for (place, _) in dead {
            numbers.change(&[(place, 0)]);
        }
    }
}

/// Returns the error of a thread whose own time is over; the limit is filled in later.
fn late() -> Error {
    Error::Timeout {
        event: "the others at a barrier, which is broken now".to_owned(),
        limit: Duration::ZERO,
    }
}

/// Locks the numbers, unless a stopped process holds them.
fn lock_briefly(monitor: &Monitor) -> Option<Numbers<'_>> {
    monitor.lock(Some(Instant::now() + BUSY_LIMIT)).ok()
}

fn break_it(monitor: &Monitor, numbers: &mut Numbers<'_>, by: u64, culprit: u64) {
    // The first cause stays.
    if numbers.get(BROKEN) == 0 {
        end_round(numbers, true, by, culprit);
        monitor.eventcount(ROUND_ENDED).notify_all();
    }
}

/// A barrier among the arguments of a process, which will be a participant.
struct SentBarrier(Monitor);

impl Attachment for SentBarrier {
    fn cancel(&self) {}

    fn lost(&self, pid: u32) {
        if let Some(mut numbers) = lock_briefly(&self.0) {
            break_it(&self.0, &mut numbers, DEATH, u64::from(pid) << 32);
        }
    }
}

/// Ends the round, for the waiters and those that arrive later.
fn end_round(numbers: &mut Numbers<'_>, failed: bool, broken: u64, culprit: u64) {
    let round = numbers.get(ROUND);
    let bit = round % 64;
    let history = numbers.get(FAILED) & !(1 << bit) | u64::from(failed) << bit;
    numbers.change(&[
        (ARRIVED, 0),
        (ROUND, round + 1),
        (FAILED, history),
        (BROKEN, broken),
        (CULPRIT, culprit),
    ]);
}

/// Returns whether a past round ended before all had arrived; one that is too long ago counts as failed.
fn has_failed(numbers: &Numbers<'_>, round: u64) -> bool {
    numbers.get(ROUND) - round >= 64 || numbers.get(FAILED) & (1 << (round % 64)) != 0
}

/// Returns the error for a round that failed.
fn cause(numbers: &Numbers<'_>) -> Error {
    let culprit = UniquePid::from_number(numbers.get(CULPRIT)).map(UniquePid::holder);
    let by = match (numbers.get(BROKEN), culprit) {
        (TIMEOUT, Some(process)) => BrokenBy::Timeout(process),
        (ABORT, Some(process)) => BrokenBy::Abort(process),
        (DEATH, Some(process)) => BrokenBy::Death(process),
        (PANIC, Some(process)) => BrokenBy::Panic(process),
        _ => BrokenBy::Reset,
    };
    Error::BarrierBroken { by }
}

impl Drop for Inner {
    fn drop(&mut self) {
        let Some(Some(place)) = self.place.get() else {
            return;
        };
        // If a stopped process holds the numbers, this one stays a participant until it ends.
        let Some(mut numbers) = lock_briefly(&self.monitor) else {
            return;
        };
        let me = numbers.get(*place);
        if std::thread::panicking() && !self.arrived_in_panic {
            break_it(&self.monitor, &mut numbers, PANIC, me);
        }
        numbers.change(&[(*place, 0)]);
    }
}

const CONTENT: &str = "a Barrier";

handle!(
    Barrier,
    CONTENT,
    |barrier| {
        let inner = &barrier.0;
        attachments::add(Arc::new(SentBarrier(inner.monitor.clone())));
        Ok((inner.monitor.memory(), inner.parties))
    },
    |memory, parties| {
        let barrier = Barrier::of(Monitor::of(memory, CONTENT), parties);
        // If a stopped process holds the numbers, the first wait makes this one a participant.
        if let Some(mut numbers) = lock_briefly(&barrier.0.monitor) {
            barrier.0.join(&mut numbers);
        }
        Ok(barrier)
    },
);
