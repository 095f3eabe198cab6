//! The thread that waits for the children no thread will join, so that none becomes a zombie, and for those that have
//! handles in flight to them: if they die before they have read them, the handles are freed at once.
//!
//! It also removes what killed processes left in shared memory, for a while after one was killed: see
//! [`Suspects`].
//!
//! It is started when the first such child is, or with the first handle that is dropped before its process has ended,
//! and ends itself when there is nothing left to wait for.

use std::io::Write;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags};

use crate::memory::registry;
use crate::memory::sweep::{self, Suspects};
use crate::platform::exit_watch::{ExitWatch, wait_for};
use crate::transfer::caught;

/// A child whose end the thread waits for.
pub(crate) trait Awaited: Send + Sync {
    fn watch(&self) -> &ExitWatch;

    /// Waits until the child has ended and was reaped, or the deadline has passed; false if it still runs.
    fn reap(&self, deadline: Instant) -> bool;
}

struct Reaper {
    /// Handed over, and not yet seen by the thread.
    new: Vec<(Arc<dyn Awaited>, Option<Then>)>,
    /// The process that has the thread, and what wakes it; `None` while there is no thread.
    waker: Option<(u32, UnixStream)>,
    /// Until when to sweep what killed processes left.
    sweep_until: Option<Instant>,
    /// How long to wait before the next sweep.
    pause: Duration,
}

static REAPER: Mutex<Reaper> = Mutex::new(Reaper {
    new: Vec::new(),
    waker: None,
    sweep_until: None,
    pause: PAUSE,
});

/// How long what a killed process left is looked for: its daemons and pool workers end a little after it, and a large
/// process on a busy machine takes seconds to end.
const SWEEPING: Duration = Duration::from_secs(10);

/// Between the first sweeps; later ones are further apart. A sweep of thousands of segments takes milliseconds, so the
/// pause is also a multiple of that.
const PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Makes the thread sweep what killed processes left: one was killed, or ended without cleaning up.
pub(crate) fn sweep() {
    if registry::may_have_left_something() {
        let mut reaper = REAPER.lock().unwrap_or_else(PoisonError::into_inner);
        reaper.sweep_until = Some(Instant::now() + SWEEPING);
        reaper.pause = PAUSE;
        // Without thread or descriptors it is removed at the end of the run.
        let _ = reaper.wake();
    }
}

/// What is to be done when a child has ended.
pub(crate) type Then = Box<dyn FnOnce() + Send>;

/// Takes over the waiting for a child; when it has ended and was reaped, `then` is called.
///
/// Without thread or descriptors it is reaped by the next `active_children`, or at the end.
pub(crate) fn adopt(child: Arc<dyn Awaited>, then: Option<Then>) {
    let mut reaper = REAPER.lock().unwrap_or_else(PoisonError::into_inner);
    reaper.new.push((child, then));
    let _ = reaper.wake();
}

/// Waits for a child beside the owner of its handle; false without thread or descriptors.
pub(crate) fn assist(child: Arc<dyn Awaited>) -> bool {
    let mut reaper = REAPER.lock().unwrap_or_else(PoisonError::into_inner);
    reaper.new.push((child, None));
    let is_awake = reaper.wake().is_ok();
    if !is_awake {
        reaper.new.pop();
    }
    is_awake
}

impl Reaper {
    /// Wakes the thread; starts it if there is none.
    fn wake(&mut self) -> std::io::Result<()> {
        let this = std::process::id();
        if let Some((_, waker)) = self.waker.as_mut().filter(|(process, _)| *process == this) {
            // A full socket has woken the thread already.
            let _ = waker.write(&[0]);
            return Ok(());
        }
        let (waker, wakeups) = UnixStream::pair()?;
        waker.set_nonblocking(true)?;
        wakeups.set_nonblocking(true)?;
        let thread = std::thread::Builder::new().name("reaper".to_owned());
        thread.spawn(move || reap(&wakeups))?;
        self.waker = Some((this, waker));
        Ok(())
    }
}

fn reap(wakeups: &UnixStream) {
    let mut children: Vec<(Arc<dyn Awaited>, Option<Then>)> = Vec::new();
    let mut suspects = Suspects::default();
    let mut next_sweep: Option<Instant> = None;
    loop {
        if next_sweep.is_some_and(|next| Instant::now() >= next) {
            let start = Instant::now();
            let orphans = sweep::sweep(&mut suspects);
            let mut reaper = REAPER.lock().unwrap_or_else(PoisonError::into_inner);
            if suspects.is_empty() {
                reaper.pause = (reaper.pause * 5 / 4).min(LONGEST_PAUSE);
            }
            next_sweep = Some(Instant::now() + reaper.pause.max(50 * start.elapsed()));
            if orphans || !suspects.is_empty() {
                let soon = Instant::now() + 2 * reaper.pause;
                reaper.sweep_until = reaper.sweep_until.max(Some(soon));
            } else if reaper.sweep_until.is_some_and(|until| start >= until) {
                reaper.sweep_until = None;
            }
        }
        {
            let mut reaper = REAPER.lock().unwrap_or_else(PoisonError::into_inner);
            children.append(&mut reaper.new);
            next_sweep = reaper
                .sweep_until
                .map(|_| next_sweep.unwrap_or_else(Instant::now));
            if children.is_empty() && next_sweep.is_none() {
                reaper.waker = None;
                return;
            }
        }
        let mut descriptors = vec![PollFd::new(wakeups, PollFlags::IN)];
        descriptors.extend(children.iter().map(|(child, _)| child.watch().poll_fd()));
        wait_for(&mut descriptors, next_sweep);
        let ready: Vec<bool> = descriptors[1..]
            .iter()
            .map(|descriptor| !descriptor.revents().is_empty())
            .collect();
        let mut ready = ready.into_iter();
        children.retain_mut(|(child, then)| {
            let soon = Instant::now() + Duration::from_secs(1);
            let ended = ready.next() == Some(true) && child.reap(soon);
            if ended && let Some(then) = then.take() {
                // Whatever becomes of it, the others are waited for.
                let _ = caught::without_panic(then);
            }
            !ended
        });
        let _ = std::io::Read::read(&mut &*wakeups, &mut [0; 64]);
    }
}
