//! The running of a pool: starting workers, hearing what they say, replacing those that die, and the end.
//!
//! Callers hand in batches; a thread of the pool hears what the workers say. Both give free workers something to do.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::error::{Error, Result};
use crate::pool::call::{Batch, Call, PoolEnd};
use crate::pool::line::Line;
use crate::pool::message::{News, Seat};
use crate::pool::roster::{Buried, Phase, Roster, Worker};
use crate::pool::worker::{Assignment, Diary, work};
use crate::process::Builder;
use crate::reaper;

/// How the workers of a pool are to be.
pub(crate) struct Settings {
    pub(crate) workers: usize,
    pub(crate) name: String,
    pub(crate) initializer: Option<(u32, Vec<u8>)>,
    pub(crate) calls_per_worker: Option<u64>,
}

pub(crate) struct Staff {
    settings: Settings,
    diary: Diary,
    news: Line,
    state: Mutex<Roster>,
    /// Somebody waits for the last worker to go.
    changed: Condvar,
}

impl Staff {
    /// Starts the workers.
    pub(crate) fn hire(settings: Settings) -> Result<Arc<Staff>> {
        let news = Line::new()?;
        let diary = Diary::new(settings.workers)?;
        let (state, changed) = (Mutex::new(Roster::new()), Condvar::new());
        let staff = Arc::new(Staff {
            settings,
            diary,
            news,
            state,
            changed,
        });
        {
            let mut state = staff.state();
            for place in 0..staff.settings.workers {
                match staff.start_worker(&mut state, place) {
                    Ok(worker) => state.workers.push(Some(worker)),
                    Err(error) => {
                        drop(state);
                        staff.terminate();
                        return Err(error);
                    }
                }
            }
        }
        Ok(staff)
    }

    fn state(&self) -> MutexGuard<'_, Roster> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Number of workers that the pool is to have.
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

    fn start_worker(&self, state: &mut Roster, place: usize) -> Result<Worker> {
        let orders = Line::new()?;
        state.hired += 1;
        let place = u32::try_from(place).expect("fewer workers than pids");
        let seat = Seat {
            place,
            generation: state.hired,
        };
        let assignment = Assignment {
            place,
            generation: seat.generation,
            orders: orders.clone(),
            news: self.news.clone(),
            diary: self.diary.clone(),
            initializer: self.settings.initializer.clone(),
            calls: self.settings.calls_per_worker,
        };
        let name = format!("{}-{}", self.settings.name, state.hired);
        let handle = Builder::new()
            .name(name)
            .daemon(true)
            .spawn(work, (assignment,))?;
        let news = self.news.clone();
        reaper::adopt(
            Arc::clone(handle.child()),
            Some(Box::new(move || {
                // It can fail only for want of memory; then the death is noticed by the pool's next look.
                let _ = news.put(&News::Died(seat).to_bytes());
            })),
        );
        Ok(Worker {
            seat,
            handle,
            orders,
            dismissed: false,
            has: VecDeque::new(),
            ready: false,
            depth: 1,
        })
    }

    /// Takes in a call, whose batches will be handed in.
    pub(crate) fn open_call(&self, call: &Arc<Call>) -> Result<()> {
        let mut state = self.state();
        match &state.phase {
            Phase::Open => {}
            Phase::Closed => return Err(Error::PoolClosed),
            Phase::Ended(end) => return Err(end.clone().into()),
        }
        state.calls.retain(|call| call.strong_count() > 0);
        state.calls.push(Arc::downgrade(call));
        Ok(())
    }

    /// Hands in a batch of a call that was taken in.
    pub(crate) fn submit(&self, batch: Batch) {
        let mut state = self.state();
        if let Phase::Ended(end) = &state.phase {
            batch.call.end(end.clone());
            return;
        }
        state.waiting.push_back(batch);
        state.give_out();
    }

    /// Hears what there is to hear until the pool has ended; the whole life of the pool's thread.
    pub(crate) fn listen(&self) {
        // How long a death can stay unnoticed whose announcement was lost for want of memory.
        const LOOK_ROUND: Duration = Duration::from_secs(1);
        loop {
            let message = match self.news.get_timeout(LOOK_ROUND) {
                Ok(message) => message,
                Err(reason) => {
                    let mut state = self.state();
                    return self.end(&mut state, &PoolEnd::Broken(reason));
                }
            };
            let mut state = self.state();
            let Some(message) = message else {
                self.look_for_dead(&mut state);
                continue;
            };
            match News::from_bytes(&message) {
                Some(News::Ready(seat)) => {
                    state.failed_starts = 0;
                    if let Some(worker) = state.worker(seat) {
                        worker.ready = true;
                    }
                }
                Some(News::Done { seat, batch, took }) => state.done(seat, batch, took, message),
                Some(News::Died(seat)) => self.replace(&mut state, seat),
                Some(News::Look) | None => {}
            }
            state.give_out();
            state.dismiss_if_done();
            let nobody_left = state.workers.iter().all(Option::is_none);
            if matches!(state.phase, Phase::Ended(_)) || state.phase == Phase::Closed && nobody_left
            {
                if state.phase == Phase::Closed {
                    state.phase = Phase::Ended(PoolEnd::Terminated);
                }
                self.changed.notify_all();
                return;
            }
        }
    }

    /// Looks for workers that are dead without having been announced so. Whatever they sent has been heard.
    fn look_for_dead(&self, state: &mut Roster) {
        let seats = state.workers.iter().flatten();
        let dead: Vec<Seat> = seats
            .filter(|worker| !worker.handle.is_alive())
            .map(|worker| worker.seat)
            .collect();
        for seat in dead {
            self.replace(state, seat);
        }
        state.give_out();
    }

    /// Puts a new worker in the place of a dead one.
    fn replace(&self, state: &mut Roster, seat: Seat) {
        let Some(Buried { how, ready }) = state.bury(seat, &self.diary) else {
            return;
        };
        let place = seat.place as usize;
        if !ready {
            state.failed_starts += 1;
        }
        let work_left = state.has_work();
        if matches!(state.phase, Phase::Ended(_)) || state.phase == Phase::Closed && !work_left {
            return;
        }
        // Each place may be unlucky once; more than that is not bad luck.
        let hopeless = state.failed_starts > self.settings.workers + 1;
        let hired = if hopeless {
            Err(how.unwrap_or_else(|| "they end before they are ready".to_owned()))
        } else {
            self.start_worker(state, place)
                .map_err(|error| error.to_string())
        };
        match hired {
            Ok(worker) => state.workers[place] = Some(worker),
            Err(_) if state.workers.iter().any(Option::is_some) && !hopeless => {}
            Err(reason) => self.end(state, &PoolEnd::Broken(reason)),
        }
    }

    /// Ends the workers, and the waiting of all callers.
    fn end(&self, state: &mut Roster, end: &PoolEnd) {
        if matches!(state.phase, Phase::Ended(_)) {
            return;
        }
        state.phase = Phase::Ended(end.clone());
        state.waiting.clear();
        state.under_way.clear();
        for call in state.calls.drain(..).filter_map(|call| call.upgrade()) {
            call.end(end.clone());
        }
        for worker in state.workers.iter().flatten() {
            let _ = worker.handle.kill();
        }
        let _ = self.news.put(&News::Look.to_bytes());
        self.changed.notify_all();
    }

    pub(crate) fn close(&self) {
        let mut state = self.state();
        if state.phase == Phase::Open {
            state.phase = Phase::Closed;
        }
        state.dismiss_if_done();
        drop(state);
        let _ = self.news.put(&News::Look.to_bytes());
    }

    /// Ends everything at once, and waits until no worker is left.
    pub(crate) fn terminate(&self) {
        let workers = {
            let mut state = self.state();
            self.end(&mut state, &PoolEnd::Terminated);
            std::mem::take(&mut state.workers)
        };
        for worker in workers.into_iter().flatten() {
            let _ = worker.handle.kill();
            // A killed process ends soon; what does not is left to the reaper.
            let _ = worker
                .handle
                .child()
                .wait(Some(Instant::now() + Duration::from_secs(5)));
        }
    }

    /// Waits until a closed pool has done its work and its workers have gone; false if it was not closed.
    pub(crate) fn wait_for_end(&self) -> bool {
        let mut state = self.state();
        loop {
            match state.phase {
                Phase::Open => return false,
                Phase::Ended(_) => return true,
                Phase::Closed => {
                    state = self
                        .changed
                        .wait(state)
                        .unwrap_or_else(PoisonError::into_inner);
                }
            }
        }
    }
}
