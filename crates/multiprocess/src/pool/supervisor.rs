//! The running of a pool: starting workers, taking in batches, and the end.
//!
//! Callers submit batches; a thread of the pool handles the workers' events (`event_loop`). Both send batches to free
//! workers.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytemuck::bytes_of;

use crate::errors::error::{Error, Result, Travelling};
use crate::pool::byte_channel::ByteChannel;
use crate::pool::initializer::Initializer;
use crate::pool::job::{Batch, Job, PoolEnd};
use crate::pool::message::{Event, EventKind, Request, WorkerId};
use crate::pool::progress_cells::ProgressCells;
use crate::pool::scheduler::{Phase, Scheduler};
use crate::pool::worker::{Assignment, work};
use crate::pool::worker_slot::Worker;
use crate::process::builder::Builder;
use crate::process::reaper;

/// How the workers of a pool are to be.
pub(crate) struct Settings {
    pub(crate) workers: usize,
    pub(crate) name: String,
    pub(crate) initializer: Option<Initializer>,
    pub(crate) calls_per_worker: Option<u64>,
}

pub(crate) struct Supervisor {
    pub(super) settings: Settings,
    pub(super) progress_cells: ProgressCells,
    pub(super) events: ByteChannel,
    state: Mutex<Scheduler>,
    /// Notified when the last worker is gone.
    pub(super) changed: Condvar,
}

/// How long a killed process may take to end.
pub(super) const DYING: Duration = Duration::from_secs(5);

impl Supervisor {
    /// Starts the workers.
    pub(crate) fn start(settings: Settings) -> Result<Arc<Supervisor>> {
        let events = ByteChannel::new()?;
        let progress_cells = ProgressCells::new(settings.workers)?;
        let (state, changed) = (Mutex::new(Scheduler::new()), Condvar::new());
        let supervisor = Arc::new(Supervisor {
            settings,
            progress_cells,
            events,
            state,
            changed,
        });
        for place in 0..supervisor.size() {
            let mut state = supervisor.state();
            match supervisor.start_worker(&mut state, place) {
                Ok(worker) => state.workers.push(Some(worker)),
                Err(error) => {
                    drop(state);
                    supervisor.give_up();
                    return Err(error);
                }
            }
        }
        Ok(supervisor)
    }

    /// Ends a pool that has no thread.
    pub(crate) fn give_up(&self) {
        self.end(&mut self.state(), &PoolEnd::Terminated);
        self.listen();
    }

    pub(super) fn state(&self) -> MutexGuard<'_, Scheduler> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the number of workers that the pool should have.
    pub(crate) fn size(&self) -> usize {
        self.settings.workers
    }

    /// Process ids of the workers that there are now.
    pub(crate) fn pids(&self) -> Vec<u32> {
        self.state()
            .workers
            .iter()
            .flatten()
            .map(|worker| worker.handle.pid())
            .collect()
    }

    pub(super) fn start_worker(&self, state: &mut Scheduler, place: usize) -> Result<Worker> {
        let requests = ByteChannel::new()?;
        state.started = state.started.wrapping_add(1);
        let place = u32::try_from(place).expect("fewer workers than pids");
        let worker_id = WorkerId {
            place,
            generation: state.started,
        };
        let name = format!("{}-{}", self.settings.name, state.started);
        let setup = match &self.settings.initializer {
            None => None,
            Some(initializer) => {
                let unsendable = |reason| Error::encode(Travelling::Arguments, &name, reason);
                let arguments = initializer.arguments().map_err(unsendable)?;
                // Not with the start, which is sent while the scheduler is locked: they may be large, and the worker
                // slow.
                let request = Request {
                    task: initializer.task,
                    count: 1,
                    ..Request::default()
                };
                let message = [bytes_of(&request), &arguments.bytes].concat();
                requests.put(&message).map_err(unsendable)?;
                Some(arguments.attachments)
            }
        };
        let assignment = Assignment {
            place,
            generation: worker_id.generation,
            requests: requests.clone(),
            events: self.events.clone(),
            progress_cells: self.progress_cells.clone(),
            initialized: setup.is_some(),
            calls: self.settings.calls_per_worker,
        };
        let handle = Builder::new()
            .name(name)
            .daemon(true)
            .spawn(work, (assignment,))?;
        let events = self.events.clone();
        let report = move || {
            // It can fail only for want of memory; then the pool's next check notices the death.
            let _ = events.put(bytes_of(&Event::new(EventKind::Died, worker_id)));
        };
        reaper::adopt(handle.child(), Some(Box::new(report)));
        Ok(Worker {
            id: worker_id,
            handle,
            requests,
            setup,
            closed: false,
            has: VecDeque::new(),
            ready: false,
            stuck: false,
            last: Instant::now(),
            depth: 2,
        })
    }

    /// Takes in a call, whose batches will be handed in.
    pub(crate) fn open_call(&self, call: &Arc<Job>) -> Result<()> {
        let mut state = self.state();
        match &state.phase {
            Phase::Open => {}
            Phase::Closed => return Err(Error::PoolClosed),
            Phase::Ended(end) => return Err(end.clone().into()),
        }
        state.enter(call);
        Ok(())
    }

    /// Hands in batches of a call that was taken in.
    pub(crate) fn submit(&self, batches: impl IntoIterator<Item = Batch>) {
        let mut batches = batches.into_iter().peekable();
        if batches.peek().is_none() {
            return;
        }
        let mut state = self.state();
        for batch in batches {
            if let Phase::Ended(end) = &state.phase {
                return batch.call.end(end.clone());
            }
            state.waiting.push_back(batch);
        }
        state.give_out();
    }

    /// Ends the workers, and the waiting of all callers.
    pub(super) fn end(&self, state: &mut Scheduler, end: &PoolEnd) {
        if state.has_ended() {
            return;
        }
        state.phase = Phase::Ended(end.clone());
        state.waiting.clear();
        for call in state.calls.drain(..).filter_map(|call| call.upgrade()) {
            call.end(end.clone());
        }
        for worker in state.workers.iter().flatten() {
            let _ = worker.handle.kill();
        }
        self.wake();
        self.changed.notify_all();
    }

    /// Wakes the pool's thread. Where that fails, it checks by itself before long.
    fn wake(&self) {
        let wake = Event::new(EventKind::Wake, WorkerId::default());
        let _ = self.events.put(bytes_of(&wake));
    }

    pub(crate) fn close(&self) {
        let mut state = self.state();
        if state.phase == Phase::Open {
            state.phase = Phase::Closed;
        }
        state.close_if_done();
        drop(state);
        self.wake();
    }

    /// Ends everything at once, and waits until no worker is left.
    pub(crate) fn terminate(&self) {
        let mut state = self.state();
        self.end(&mut state, &PoolEnd::Terminated);
        let deadline = Instant::now() + DYING + Duration::from_secs(1);
        while !state.workers.is_empty() {
            let rest = deadline.saturating_duration_since(Instant::now());
            if rest.is_zero() {
                return;
            }
            let waited = self.changed.wait_timeout(state, rest);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Waits until a closed pool has done its work and its workers have gone.
    pub(crate) fn wait_for_end(&self) {
        let mut state = self.state();
        while state.phase == Phase::Closed {
            let waited = self.changed.wait(state);
            state = waited.unwrap_or_else(PoisonError::into_inner);
        }
    }
}
