//! The running of a pool: starting workers, taking in batches, and the end.
//!
//! Callers submit batches; a thread of the pool handles the workers' events (`event_loop`). Both send batches to free
//! workers.

use std::any::type_name;
use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use bytemuck::bytes_of;

use crate::errors::error::{Error, Result, Travelling};
use crate::pool::builder::PoolBuilder;
use crate::pool::byte_channel::ByteChannel;
use crate::pool::job::{Batch, Caller, Job, PoolEnd};
use crate::pool::message::{Event, EventKind, NO_BATCH, WorkerId};
use crate::pool::progress_cells::ProgressCells;
use crate::pool::scheduler::{Phase, Scheduler, Worker};
use crate::pool::worker::work;
use crate::process::builder::Builder;
use crate::process::reaper;
use crate::process::task::Task;
use crate::process::task_table;

pub(crate) struct Supervisor {
    pub(super) settings: PoolBuilder,
    pub(super) progress_cells: ProgressCells,
    pub(super) events: ByteChannel,
    state: Mutex<Scheduler>,
    /// Notified when the last worker is gone.
    pub(super) changed: Condvar,
}

/// How long a killed process may take to end.
pub(super) const DYING: Duration = Duration::from_secs(5);

impl Supervisor {
    pub(crate) fn new(settings: PoolBuilder) -> Result<Supervisor> {
        Ok(Supervisor {
            progress_cells: ProgressCells::new(settings.workers)?,
            settings,
            events: ByteChannel::new()?,
            state: Mutex::default(),
            changed: Condvar::new(),
        })
    }

    /// Starts the workers, and the thread that handles their events.
    pub(crate) fn start(self: &Arc<Supervisor>) -> Result<thread::JoinHandle<()>> {
        for place in 0..self.size() {
            let mut state = self.state();
            let worker = self.start_worker(&mut state, place)?;
            state.workers.push(Some(worker));
        }
        let supervisor = Arc::clone(self);
        let listener = thread::Builder::new().name("pool".to_owned());
        let listener = listener.spawn(move || supervisor.run());
        listener.map_err(|source| Error::System {
            doing: "start a thread for the pool of",
            name: "workers".to_owned(),
            source,
        })
    }

    pub(super) fn state(&self) -> MutexGuard<'_, Scheduler> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the number of workers that the pool should have.
    pub(crate) fn size(&self) -> usize {
        self.settings.workers
    }

    pub(super) fn start_worker(&self, state: &mut Scheduler, place: usize) -> Result<Worker> {
        let requests = ByteChannel::new()?;
        state.started = state.started.wrapping_add(1);
        let id = WorkerId {
            place: u32::try_from(place).expect("fewer workers than pids"),
            generation: state.started,
        };
        let name = format!("{}-{}", self.settings.name, state.started);
        let mut setup = None;
        if let Some(initializer) = &self.settings.initializer {
            let unsendable = |reason| Error::encode(Travelling::Arguments, &name, reason);
            let (request, attachments) = initializer.request().map_err(unsendable)?;
            // Not with the start, which is sent while the scheduler is locked: it may be large, and the worker slow.
            requests.put(&request).map_err(unsendable)?;
            setup = Some(attachments);
        }
        let arguments = (
            id,
            requests.clone(),
            self.events.clone(),
            self.progress_cells.clone(),
            setup.is_some(),
            self.settings.calls_per_worker,
        );
        let builder = Builder::new().name(name).daemon(true);
        let handle = builder.spawn(work, arguments)?;
        let events = self.events.clone();
        let report = move || {
            // It can fail only for want of memory; then the pool's next check notices the death.
            let _ = events.put(bytes_of(&Event::new(EventKind::Died, id)));
        };
        reaper::adopt(handle.child(), Some(Box::new(report)));
        Ok(Worker {
            id,
            handle,
            requests,
            setup,
            last_batch: NO_BATCH,
            has: VecDeque::new(),
            stuck: false,
            last: Instant::now(),
            depth: 0,
        })
    }

    /// Takes in a call, whose batches will be handed in.
    pub(crate) fn open_call<F: Task<Args, How>, Args, How>(&self, function: F) -> Result<Caller> {
        let task = task_table::index_of(function)?;
        let call = Job::new::<F::Output>(task, type_name::<F>());
        let mut state = self.state();
        match &state.phase {
            Phase::Open => state.enter(&call),
            Phase::Closed => return Err(Error::PoolClosed),
            Phase::Ended(end) => return Err(end.clone().into()),
        }
        Ok(Caller(call))
    }

    /// Hands in batches of a call that was taken in. If the pool has ended since, the call has been told.
    pub(crate) fn submit(&self, batches: &mut Vec<Batch>) {
        if batches.is_empty() {
            return;
        }
        let mut state = self.state();
        let batches = batches.drain(..);
        if !state.has_ended() {
            state.waiting.extend(batches);
            state.give_out();
        }
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
        drop(state);
        self.wake();
    }

    /// Ends everything at once, and waits until no worker is left.
    pub(crate) fn terminate(&self) {
        let mut state = self.state();
        self.end(&mut state, &PoolEnd::Terminated);
        let limit = DYING + Duration::from_secs(1);
        let there = |state: &mut Scheduler| !state.workers.is_empty();
        drop(self.changed.wait_timeout_while(state, limit, there));
    }

    /// Waits until a closed pool has done its work and its workers have gone.
    pub(crate) fn wait_for_end(&self) {
        let closed = |state: &mut Scheduler| state.phase == Phase::Closed;
        drop(self.changed.wait_while(self.state(), closed));
    }
}
