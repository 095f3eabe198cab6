//! The thread of a pool: it handles the workers' events, replaces workers that die, and waits for them at the end.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::errors::error::Error;
use crate::platform::signal::Signal;
use crate::pool::job::PoolEnd;
use crate::pool::message::{self, Event, EventKind, WorkerId};
use crate::pool::scheduler::{Phase, Scheduler};
use crate::pool::supervisor::{DYING, Supervisor};
use crate::transfer::caught::without_panic;

/// How often it checks the workers: with work to do, and without.
const SOON: Duration = Duration::from_millis(100);
const LATER: Duration = Duration::from_secs(1);

const NO_WORKERS: &str = "its workers cannot be started";

impl Supervisor {
    /// The whole life of the pool's thread.
    pub(crate) fn run(&self) {
        if without_panic(|| self.listen()).is_none() {
            // Callers must not wait for it.
            let mut state = self.state();
            let end = PoolEnd::Broken("the thread of the pool panicked".to_owned());
            self.end(&mut state, &end);
            state.workers.clear();
            self.changed.notify_all();
        }
    }

    /// Handles events until the pool has ended.
    fn listen(&self) {
        // So many events at a time that others get at the scheduler in between.
        const MAX: usize = 64;
        let (mut pause, mut checked) = (SOON, Instant::now());
        loop {
            let message = match self.events.get(Some(pause)) {
                Ok(message) => message,
                Err(reason) => {
                    self.end(&mut self.state(), &PoolEnd::Broken(reason));
                    None
                }
            };
            let mut state = self.state();
            if state.has_ended() {
                drop(state);
                return self.finish(message);
            }
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
                    self.end(&mut state, &PoolEnd::Terminated);
                }
            }
            let all_there = state.workers.iter().all(Option::is_some);
            let is_idle = state.phase == Phase::Open && all_there && !state.has_batches();
            pause = if is_idle { LATER } else { SOON };
            let woken = std::mem::take(&mut state.woken);
            drop(state);
            // Once for all that there is, and when they need not wait for the scheduler.
            for call in woken {
                call.wake();
            }
        }
    }

    /// Handles the `first` message and those behind it, up to `max`.
    fn handle(&self, state: &mut Scheduler, first: Option<Vec<u8>>, max: usize) {
        let behind = std::iter::from_fn(|| self.events.try_get());
        for message in first.into_iter().chain(behind).take(max) {
            let Some((event, _)) = message::read::<Event>(&message) else {
                continue;
            };
            match event.kind {
                EventKind::Ready => state.ready(event.worker_id),
                EventKind::Done => state.done(&event, message),
                EventKind::Died => self.replace(state, event.worker_id),
                EventKind::Wake => {}
            }
        }
    }

    /// Checks for what no event reports.
    fn check_workers(&self, state: &mut Scheduler) {
        // Workers that are dead without having been announced so, for want of memory.
        let dead = state.dead();
        if !dead.is_empty() {
            // What they sent is there by now, and is handled first.
            self.handle(state, None, usize::MAX);
            for worker_id in dead {
                self.replace(state, worker_id);
            }
        }
        for place in 0..state.workers.len() {
            if state.workers[place].is_none() {
                self.fill(state, place, None);
            }
        }
        state.cancel_stuck();
    }

    /// Takes a dead worker off the scheduler and, unless it is better to wait, puts a new one in its place.
    fn replace(&self, state: &mut Scheduler, worker_id: WorkerId) {
        // Longer than any trouble lasts that comes from outside.
        const TROUBLE: Duration = Duration::from_secs(20);
        let dead = state.remove_dead(worker_id, &self.progress_cells);
        let Some((ready, death)) = dead else { return };
        if !ready {
            state.failed_starts += 1;
        }
        let how = death.as_ref().map(Error::to_string);
        // Each place may be unlucky once; more than that is not bad luck.
        let suspicious = state.failed_starts > self.size() + 1;
        if !suspicious {
            return self.fill(state, worker_id.place as usize, how);
        }
        let since = *state.failing_since.get_or_insert_with(Instant::now);
        let killed = match death {
            Some(Error::Killed { signal, .. }) => [Signal::KILL, Signal::TERM].contains(&signal),
            // It may have been.
            Some(Error::EndUnknown { .. }) => true,
            _ => false,
        };
        // What kills the workers may stop; the place is filled at the next check.
        if !killed || since.elapsed() > TROUBLE {
            let how = how.unwrap_or_else(|| "they end before they are ready".to_owned());
            self.end(state, &PoolEnd::Broken(format!("{NO_WORKERS}: {how}")));
        }
    }

    /// Puts a new worker in an empty place, if it will have something to do.
    fn fill(&self, state: &mut Scheduler, place: usize, died: Option<String>) {
        if state.has_ended() || state.is_done() {
            return;
        }
        match self.start_worker(state, place) {
            Ok(worker) => state.workers[place] = Some(worker),
            // The next check tries again.
            Err(_) if !state.is_empty() => {}
            Err(error) => {
                let reason = died.map_or_else(String::new, |how| format!(" ({how})"));
                let reason = format!("{NO_WORKERS}: {error}{reason}");
                self.end(state, &PoolEnd::Broken(reason));
            }
        }
    }

    /// Waits until the workers of a pool that has ended are gone, and frees what was in flight.
    fn finish(&self, first: Option<Vec<u8>>) {
        let deadline = Instant::now() + DYING;
        let children: Vec<_> = self
            .state()
            .workers
            .iter()
            .flatten()
            .map(|worker| Arc::clone(worker.handle.child()))
            .collect();
        for child in children {
            // A killed process ends soon; what does not is left to the reaper.
            let _ = child.wait(Some(deadline));
        }
        let mut state = self.state();
        // Events that came between the last check and the end are there, too.
        self.handle(&mut state, first, usize::MAX);
        for worker_id in state.dead() {
            state.remove_dead(worker_id, &self.progress_cells);
        }
        state.waiting.clear();
        state.workers.clear();
        drop(state);
        self.changed.notify_all();
    }
}
