//! The thread that waits for children that no thread will join, so that none becomes a zombie, and for those with
//! handles in flight to them: if such a child dies before it has read them, the handles are freed at once.
//!
//! It starts with the first such child, and ends when there is none left.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags};

use crate::platform::exit_watch::wait_for;
use crate::process::children::Child;
use crate::transfer::caught;

/// What to do when a child has ended.
type Then = Box<dyn FnOnce() + Send>;

struct Reaper {
    /// Children that the thread hasn't seen yet.
    new: Vec<(Arc<Child>, Option<Then>)>,
    /// The process that has the thread, and the socket that wakes it; `None` while there is no thread.
    waker: Option<(u32, UnixStream)>,
}

static REAPER: Mutex<Reaper> = Mutex::new(Reaper {
    new: Vec::new(),
    waker: None,
});

fn reaper() -> MutexGuard<'static, Reaper> {
    REAPER.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Waits for a child in the caller's place; when it has ended and was reaped, calls `then`.
///
/// Without a thread or descriptors, the next `active_children` reaps it, or the end of this process.
pub(crate) fn adopt(child: &Arc<Child>, then: Option<Then>) {
    let mut reaper = reaper();
    reaper.new.push((Arc::clone(child), then));
    let _ = reaper.wake();
}

/// Waits for a child in addition to the owner of its handle, if there is a thread for it.
pub(crate) fn assist(child: &Arc<Child>) {
    let mut reaper = reaper();
    if !child.is_assisted.swap(true, Ordering::Relaxed) {
        reaper.new.push((Arc::clone(child), None));
        if reaper.wake().is_err() {
            // It would keep the descriptors of a joined child, when they are scarce.
            reaper.new.pop();
            child.is_assisted.store(false, Ordering::Relaxed);
        }
    }
}

impl Reaper {
    /// Wakes the thread; starts it if there is none.
    fn wake(&mut self) -> std::io::Result<()> {
        let this = std::process::id();
        if let Some((_, waker)) = self.waker.as_mut().filter(|(process, _)| *process == this) {
            // If the socket is full, the thread is already awake.
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

fn reap(mut wakeups: &UnixStream) {
    let mut children: Vec<(Arc<Child>, Option<Then>)> = Vec::new();
    loop {
        {
            let mut reaper = reaper();
            children.append(&mut reaper.new);
            if children.is_empty() {
                reaper.waker = None;
                return;
            }
        }
        let mut descriptors = vec![PollFd::new(wakeups, PollFlags::IN)];
        descriptors.extend(children.iter().map(|(child, _)| child.watch.poll_fd()));
        wait_for(&mut descriptors, None);
        let is_ready = |descriptor: &PollFd<'_>| !descriptor.revents().is_empty();
        let ready: Vec<bool> = descriptors[1..].iter().map(is_ready).collect();
        let mut ready = ready.into_iter();
        children.retain_mut(|(child, then)| {
            let soon = Instant::now() + Duration::from_secs(1);
            // Even if a listener or `then` panics, wait for the others.
            let has_ended = || !matches!(child.wait(Some(soon)), Ok(false));
            let ended =
                ready.next() == Some(true) && caught::without_panic(has_ended) != Some(false);
            if ended && let Some(then) = then.take() {
                let _ = caught::without_panic(then);
            }
            !ended
        });
        let _ = wakeups.read(&mut [0; 64]);
    }
}
