//! The supervisor of a pool: callers submit batches; a thread of the pool handles the workers' events, replaces workers
//! that die, and waits for them at the end. Both send batches to idle workers.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytemuck::bytes_of;

use crate::errors::error::{Error, Result, Travelling};
use crate::platform::signal::Signal;
use crate::platform::wait_until::WaitUntil;
use crate::pool::builder::{Initializer, Packed, PoolBuilder};
use crate::pool::job::{Batch, Caller, Job, Phase};
use crate::pool::message::{self, ByteChannel, Event, EventKind, NO_BATCH, Received, Request};
use crate::pool::progress_cells::ProgressCells;
use crate::pool::scheduler::{Scheduler, Worker};
use crate::pool::worker::work;
use crate::process::builder::Builder;
use crate::process::reaper;
use crate::trace::events::event;
use crate::transfer::attachments::Attachments;
use crate::transfer::caught::without_panic;

/// How often the thread checks the workers: with work to do, and without.
const SOON: Duration = Duration::from_millis(100);
const LATER: Duration = Duration::from_secs(1);
/// How long a killed process may take to end.
const DYING: Duration = Duration::from_secs(5);

const NO_WORKERS: &str = "its workers cannot be started";

pub(crate) struct Supervisor {
    pub(super) settings: PoolBuilder,
    progress_cells: ProgressCells,
    events: ByteChannel,
    state: Mutex<Scheduler>,
    /// Notified when the last worker is gone.
    changed: Condvar,
    /// The process that created the pool. A copy of it made by `fork` has neither the pool's thread nor its workers.
    process: u32,
}

impl Supervisor {
    pub(crate) fn new(settings: PoolBuilder) -> Result<Supervisor> {
        Ok(Supervisor {
            progress_cells: ProgressCells::new(settings.workers)?,
            settings,
            events: ByteChannel::new()?,
            state: Mutex::default(),
            changed: Condvar::new(),
            process: std::process::id(),
        })
    }

    pub(super) fn is_own(&self) -> bool {
        self.process == std::process::id()
    }

    pub(super) fn state(&self) -> MutexGuard<'_, Scheduler> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn start_workers(&self) -> Result<()> {
        for place in 0..self.settings.workers {
            let mut state = self.state();
            if state.has_ended() {
                // Don't keep those running that were already started.
                return Err(state.phase.clone().into());
            }
            let worker = self.start_worker(&mut state, place)?;
            state.workers.push(Some(worker));
        }
        Ok(())
    }

    /// Returns the first request for a worker.
    fn first_request(&self) -> Packed {
        let initializer = self.settings.initializer.as_ref();
        let no_call = || (vec![0; Request::SIZE], Attachments::default());
        initializer.map_or_else(no_call, Initializer::request)
    }

    fn start_worker(&self, state: &mut Scheduler, place: usize) -> Result<Worker> {
        let (request, setup) = self.first_request();
        let requests = ByteChannel::new()?;
        state.started = state.started.wrapping_add(1);
        let number = state.started;
        let name = format!("{}-{number}", self.settings.name);
        let unsendable = |reason| Error::encode(Travelling::Arguments, &name, reason);
        // Not together with the start, which is sent while the scheduler is locked: it may be large, and the worker
        // slow.
        let limit = WaitUntil::Until(None);
        requests.put(&request, limit).map_err(unsendable)?;
        let arguments = (
            number,
            place,
            requests.clone(),
            self.events.clone(),
            self.progress_cells.clone(),
            self.settings.calls_per_worker,
        );
        let builder = Builder::new().name(name).daemon(true);
        let handle = builder.spawn(work, arguments)?;
        let events = self.events.clone();
        let report = move || {
            // If this fails for lack of memory or beside a stopped worker, the pool's next check notices the death.
            let died = Event::new(EventKind::Died, number);
            let _ = events.put(bytes_of(&died), WaitUntil::Try);
        };
        reaper::adopt(&handle.child, Some(Box::new(report)));
        Ok(Worker {
            number,
            handle,
            requests,
            setup,
            last_batch: NO_BATCH,
            has: VecDeque::new(),
            last: Some(Instant::now()),
            depth: 0,
        })
    }

    /// Accepts a call, whose batches will be submitted.
    pub(crate) fn open_call(&self, task: u32, function: &'static str) -> Result<Caller> {
        let call = Job::new(task, function);
        if !self.is_own() {
            let reason =
                "it belongs to the original process, not to this copy made by `fork`".to_owned();
            return Err(Error::PoolBroken { reason });
        }
        let mut state = self.state();
        match &state.phase {
            Phase::Open => state.enter(&call),
            ended => return Err(ended.clone().into()),
        }
        Ok(Caller(call))
    }

    /// Submits batches of a call. If the pool has ended since the call was opened, the call knows.
    pub(crate) fn submit(&self, batches: &mut Vec<Batch>) {
        if batches.is_empty() {
            return;
        }
        // Those that are left are dropped after unlocking.
        let batches = batches.drain(..);
        let mut state = self.state();
        if !state.has_ended() {
            state.waiting.extend(batches);
            state.give_out();
        }
    }

    pub(crate) fn close(&self) {
        if !self.is_own() {
            return;
        }
        let mut state = self.state();
        if state.phase == Phase::Open {
            state.phase = Phase::Closed;
        }
        drop(state);
        self.wake();
    }

    /// Ends the workers and wakes all waiting callers.
    pub(crate) fn end(&self, state: &mut Scheduler, end: Phase) {
        if state.has_ended() {
            return;
        }
        state.waiting.clear();
        for call in state.calls.drain(..).filter_map(|call| call.upgrade()) {
            call.end(end.clone());
        }
        state.phase = end;
        for worker in state.workers.iter().flatten() {
            event!(DEBUG, pid = worker.handle.pid(), "worker terminated");
            let _ = worker.handle.kill();
        }
        self.wake();
    }

    /// Wakes the pool's thread, with an event of no worker. If that fails, the thread's next check is soon.
    fn wake(&self) {
        let wake = Event::new(EventKind::Done, 0);
        let _ = self.events.put(bytes_of(&wake), WaitUntil::Try);
    }

    /// Waits until the pool has ended and its workers have gone.
    pub(crate) fn wait_for_end(&self) {
        let are_there = |state: &mut Scheduler| self.is_own() && !state.workers.is_empty();
        drop(self.changed.wait_while(self.state(), are_there));
    }

    /// Runs the pool's thread, from its start to its end.
    pub(crate) fn run(&self) {
        let _ = without_panic(|| self.listen());
        let mut state = self.state();
        // If the pool hasn't ended, the thread panicked, and callers must not wait for it.
        let panicked = "the thread of the pool panicked".to_owned();
        self.end(&mut state, Phase::Broken(panicked));
        let left = std::mem::take(&mut *state);
        state.phase = left.phase.clone();
        drop(state);
        self.changed.notify_all();
        let _ = without_panic(|| drop(left));
    }

    /// Handles events until the pool has ended and its workers are gone.
    fn listen(&self) {
        // A limited number of events at a time, so that others can lock the scheduler in between.
        const MAX: usize = 64;
        let (mut pause, mut checked) = (SOON, Instant::now());
        let mut deadline = None;
        loop {
            let message = self.events.get(pause);
            let mut state = self.state();
            self.handle(&mut state, message, MAX);
            if checked.elapsed() >= SOON {
                self.check_workers(&mut state);
                checked = Instant::now();
            }
            state.give_out();
            if state.is_done() {
                for worker in state.workers.iter().flatten() {
                    worker.requests.close();
                }
                if state.is_empty() {
                    self.end(&mut state, Phase::Terminated);
                }
            }
            if state.has_ended() {
                // A killed process ends soon; if it doesn't, leave it to the reaper.
                let deadline = *deadline.get_or_insert_with(|| Instant::now() + DYING);
                if state.is_empty() || Instant::now() >= deadline {
                    return;
                }
            }
            let all_there = state.workers.iter().all(Option::is_some);
            let is_idle = state.phase == Phase::Open && all_there && !state.has_batches();
            pause = if is_idle { LATER } else { SOON };
            let woken = std::mem::take(&mut state.woken);
            drop(state);
            // Once for all events, and after unlocking the scheduler.
            for call in woken {
                call.wake();
            }
        }
    }

    /// Handles the `first` message and up to `max` more. If no more can be read, the pool is broken.
    fn handle(&self, state: &mut Scheduler, first: Result<Option<Received>, String>, max: usize) {
        let behind = std::iter::from_fn(|| self.events.try_get().transpose());
        for message in first.transpose().into_iter().chain(behind).take(max) {
            let message = match message {
                Ok(message) => message,
                Err(reason) => return self.end(state, Phase::Broken(reason)),
            };
            let Some((event, _)) = message::read::<Event>(&message.0) else {
                continue;
            };
            match event.kind {
                EventKind::Done => state.done(&event, message),
                EventKind::Died => self.replace(state, event.worker),
            }
        }
    }

    /// Checks for changes that no event reports.
    fn check_workers(&self, state: &mut Scheduler) {
        // Workers whose death wasn't announced, for lack of memory.
        let workers = state.workers.iter().flatten();
        let dead = workers.filter(|worker| !worker.handle.is_alive());
        let dead: Vec<u32> = dead.map(|worker| worker.number).collect();
        if !dead.is_empty() {
            // Everything they sent has arrived, and is handled first.
            self.handle(state, Ok(None), usize::MAX);
            for number in dead {
                self.replace(state, number);
            }
        }
        for place in 0..state.workers.len() {
            self.fill(state, place, None);
        }
        state.cancel_stuck();
    }

    /// Removes a dead worker from the scheduler and, unless it is better to wait, starts a new one in its place.
    fn replace(&self, state: &mut Scheduler, number: u32) {
        // That many failed starts per worker take twenty seconds; a temporary cause is gone by then.
        const TROUBLE: usize = 200;
        let is_it = |worker: &Worker| worker.number == number;
        let mut workers = state.workers.iter();
        let place = workers.position(|worker| worker.as_ref().is_some_and(is_it));
        let Some(place) = place else { return };
        let (ready, death) = state.remove_dead(place, &self.progress_cells);
        state.failed_starts += usize::from(!ready);
        let how = death.as_ref().map(Error::to_string);
        // Each place may fail once by chance, but not more often.
        if state.failed_starts <= self.settings.workers + 1 {
            return self.fill(state, place, how);
        }
        let killed = match death {
            Some(Error::Killed { signal, .. }) => [Signal::KILL, Signal::TERM].contains(&signal),
            // Possibly.
            Some(Error::EndUnknown { .. }) => true,
            _ => false,
        };
        // The cause may disappear; the next check fills the place.
        if !killed || state.failed_starts > TROUBLE.saturating_mul(self.settings.workers) {
            let how = how.unwrap_or_else(|| "they ended before they were ready".to_owned());
            self.end(state, Phase::Broken(format!("{NO_WORKERS}: {how}")));
        }
    }

    /// Starts a worker in an empty place, if there is work for it.
    fn fill(&self, state: &mut Scheduler, place: usize, died: Option<String>) {
        if state.workers[place].is_some() || state.has_ended() || state.is_done() {
            return;
        }
        let started = self.start_worker(state, place);
        match started {
            Ok(worker) => state.workers[place] = Some(worker),
            // The next check tries again.
            Err(_) if !state.is_empty() => {}
            Err(error) => {
                let reason = died.map_or_else(String::new, |how| format!(" ({how})"));
                let reason = format!("{NO_WORKERS}: {error}{reason}");
                self.end(state, Phase::Broken(reason));
            }
        }
    }
}
