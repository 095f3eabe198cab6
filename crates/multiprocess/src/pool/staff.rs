//! The running of a pool: starting workers, hearing what they say, replacing those that die, and the end.
//!
//! Callers hand in batches; a thread of the pool hears what the workers say. Both give free workers something to do.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::error::{Error, Result};
use crate::pool::call::{Batch, Call, PoolEnd};
use crate::pool::diary::Diary;
use crate::pool::initializer::Initializer;
use crate::pool::line::Line;
use crate::pool::message::{NO_BATCH, News, Order, Seat};
use crate::pool::roster::{Buried, Did, Phase, Roster, Worker};
use crate::pool::worker::{Assignment, work};
use crate::process::Builder;
use crate::reaper;

/// How the workers of a pool are to be.
pub(crate) struct Settings {
    pub(crate) workers: usize,
    pub(crate) name: String,
    pub(crate) initializer: Option<Initializer>,
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

/// How long a killed process may take to end.
const DYING: Duration = Duration::from_secs(5);

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
        for place in 0..staff.size() {
            let mut state = staff.state();
            match staff.start_worker(&mut state, place) {
                Ok(worker) => state.workers.push(Some(worker)),
                Err(error) => {
                    drop(state);
                    staff.give_up();
                    return Err(error);
                }
            }
        }
        Ok(staff)
    }

    /// Ends a pool that nobody listens to.
    pub(crate) fn give_up(&self) {
        self.end(&mut self.state(), &PoolEnd::Terminated);
        self.listen();
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
        state.hired = state.hired.wrapping_add(1);
        let place = u32::try_from(place).expect("fewer workers than pids");
        let seat = Seat {
            place,
            generation: state.hired,
        };
        let name = format!("{}-{}", self.settings.name, state.hired);
        let setup = match &self.settings.initializer {
            None => None,
            Some(initializer) => {
                let unsendable = |reason| Error::Encode {
                    what: crate::Travelling::Arguments,
                    name: name.clone(),
                    reason,
                };
                let arguments = initializer.arguments().map_err(unsendable)?;
                // Not with the start, which is sent while the roster is locked: they may be large, and the worker slow.
                let order = Order {
                    batch: NO_BATCH,
                    task: initializer.task,
                    count: 1,
                    inputs: &arguments.bytes,
                };
                orders.put(&order.to_bytes()).map_err(unsendable)?;
                Some(arguments.luggage)
            }
        };
        let assignment = Assignment {
            place,
            generation: seat.generation,
            orders: orders.clone(),
            news: self.news.clone(),
            diary: self.diary.clone(),
            initialized: setup.is_some(),
            calls: self.settings.calls_per_worker,
        };
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
            setup,
            dismissed: false,
            has: VecDeque::new(),
            ready: false,
            stuck: false,
            last: Instant::now(),
            depth: 2,
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

    /// Hears what there is to hear until the pool has ended; the whole life of the pool's thread.
    pub(crate) fn listen(&self) {
        let _guard = EndOnPanic(self);
        let mut looked = Instant::now();
        loop {
            let message = match self.news.get_timeout(self.pause()) {
                Ok(message) => message,
                Err(reason) => {
                    self.end(&mut self.state(), &PoolEnd::Broken(reason));
                    None
                }
            };
            let mut state = self.state();
            if state.has_ended() {
                drop(state);
                return self.see_off(message);
            }
            let mut woken = self.hear_all(&mut state, message);
            if looked.elapsed() >= SOON {
                self.look(&mut state, &mut woken);
                looked = Instant::now();
            }
            state.give_out();
            state.dismiss_if_done();
            if state.phase == Phase::Closed && state.is_empty() && !state.has_work() {
                self.end(&mut state, &PoolEnd::Terminated);
            }
            drop(state);
            // Once for all that there is, and when they need not wait for the roster.
            for call in woken {
                call.wake();
            }
        }
    }

    /// How long to wait for news before looking around.
    fn pause(&self) -> Duration {
        let state = self.state();
        let all_there = state.workers.iter().all(Option::is_some);
        if state.phase == Phase::Open && all_there && !state.has_batches() {
            LATER
        } else {
            SOON
        }
    }

    /// Hears a message and those that are there behind it; gives the callers to be woken.
    fn hear_all(&self, state: &mut Roster, first: Option<Vec<u8>>) -> Vec<Arc<Call>> {
        // So many that others get at the roster in between.
        const MOST: usize = 64;
        let mut woken: Vec<Arc<Call>> = Vec::new();
        let mut message = first;
        for _ in 0..MOST {
            let Some(next) = message else { break };
            woken.extend(self.hear(state, next));
            message = self.news.try_get();
        }
        if let Some(last) = message {
            woken.extend(self.hear(state, last));
        }
        woken
    }

    fn hear(&self, state: &mut Roster, message: Vec<u8>) -> Option<Arc<Call>> {
        match News::from_bytes(&message) {
            Some(News::Ready(seat)) => state.ready(seat),
            Some(News::Done {
                seat,
                batch,
                took,
                loaded,
            }) => {
                let did = Did {
                    took,
                    loaded,
                    bytes: message,
                };
                return state.done(seat, batch, did);
            }
            Some(News::Died(seat)) => self.replace(state, seat),
            Some(News::Look) | None => {}
        }
        None
    }

    /// Looks for what nobody has told.
    fn look(&self, state: &mut Roster, woken: &mut Vec<Arc<Call>>) {
        // Workers that are dead without having been announced so, for want of memory.
        let dead: Vec<Seat> = state
            .workers
            .iter()
            .flatten()
            .filter(|worker| !worker.handle.is_alive())
            .map(|worker| worker.seat)
            .collect();
        if !dead.is_empty() {
            // What they sent is there by now, and is heard before.
            while let Some(message) = self.news.try_get() {
                woken.extend(self.hear(state, message));
            }
            for seat in dead {
                self.replace(state, seat);
            }
        }
        for place in 0..state.workers.len() {
            if state.workers[place].is_none() {
                self.fill(state, place, None);
            }
        }
        state.look_for_stuck();
    }

    fn bury(&self, state: &mut Roster, seat: Seat) -> Option<Buried> {
        let buried = state.bury(seat, &self.diary)?;
        if !buried.ready {
            self.news.take_back();
            self.diary.take_back();
        }
        Some(buried)
    }

    /// Takes a dead worker off the roster and, unless it is better to wait, puts a new one in its place.
    fn replace(&self, state: &mut Roster, seat: Seat) {
        // Longer than any trouble lasts that comes from outside.
        const TROUBLE: Duration = Duration::from_secs(20);
        let Some(Buried { how, ready, killed }) = self.bury(state, seat) else {
            return;
        };
        if !ready {
            state.starts.failed += 1;
        }
        // Each place may be unlucky once; more than that is not bad luck.
        let suspicious = state.starts.failed > self.settings.workers + 1;
        if !suspicious {
            return self.fill(state, seat.place as usize, how);
        }
        let since = *state.starts.failing_since.get_or_insert_with(Instant::now);
        // Whoever kills workers may stop doing so; the place is filled at the next look.
        if !killed || since.elapsed() > TROUBLE {
            let reason = how.unwrap_or_else(|| "they end before they are ready".to_owned());
            self.end(state, &PoolEnd::Broken(reason));
        }
    }

    /// Puts a new worker in an empty place, if it will have something to do.
    fn fill(&self, state: &mut Roster, place: usize, died: Option<String>) {
        if state.has_ended() || state.phase == Phase::Closed && !state.has_work() {
            return;
        }
        match self.start_worker(state, place) {
            Ok(worker) => state.workers[place] = Some(worker),
            // It is tried again at the next look.
            Err(_) if !state.is_empty() => {}
            Err(error) => {
                let reason = died.map_or_else(String::new, |how| format!(" ({how})"));
                self.end(state, &PoolEnd::Broken(format!("{error}{reason}")));
            }
        }
    }

    /// Ends the workers, and the waiting of all callers.
    fn end(&self, state: &mut Roster, end: &PoolEnd) {
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
        // Where it fails, the pool's thread looks by itself before long.
        let _ = self.news.put(&News::Look.to_bytes());
        self.changed.notify_all();
    }

    /// Waits until the workers of a pool that has ended are gone, and gives back what was on its way.
    fn see_off(&self, first: Option<Vec<u8>>) {
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
        let mut message = first;
        while let Some(next) = message {
            // Only what was done is of interest now.
            if !matches!(News::from_bytes(&next), Some(News::Died(_))) {
                drop(self.hear(&mut state, next));
            }
            message = self.news.try_get();
        }
        let seats: Vec<Seat> = state.workers.iter().flatten().map(|it| it.seat).collect();
        for seat in seats {
            let dead = state
                .worker(seat)
                .is_some_and(|worker| !worker.handle.is_alive());
            if dead {
                self.bury(&mut state, seat);
            }
        }
        state.waiting.clear();
        state.workers.clear();
        drop(state);
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

/// Looks around that often where something is to be done, and where nothing is.
const SOON: Duration = Duration::from_millis(100);
const LATER: Duration = Duration::from_secs(1);

/// Ends the pool if its thread does not go on: nobody is to wait for it.
struct EndOnPanic<'a>(&'a Staff);

impl Drop for EndOnPanic<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let mut state = self.0.state();
            let end = PoolEnd::Broken("the thread of the pool panicked".to_owned());
            self.0.end(&mut state, &end);
            state.workers.clear();
            self.0.changed.notify_all();
        }
    }
}
