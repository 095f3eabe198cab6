//! The thread that waits for the children no thread will join, so that none becomes a zombie, and for those that have
//! handles in flight to them: if they die before they have read them, the handles are freed at once.
//!
//! It is started with the first such child, and ends itself when there is none left.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags};

use crate::platform::exit_watch::wait_for;
use crate::process::children::Child;
use crate::transfer::caught;

/// What is to be done when a child has ended.
type Then = Box<dyn FnOnce() + Send>;

struct Reaper {
    /// Handed over, and not yet seen by the thread.
    new: Vec<(Arc<Child>, Option<Then>)>,
    /// The process that has the thread, and what wakes it; `None` while there is no thread.
    waker: Option<(u32, UnixStream)>,
}

static REAPER: Mutex<Reaper> = Mutex::new(Reaper {
    new: Vec::new(),
    waker: None,
});

fn reaper() -> MutexGuard<'static, Reaper> {
    REAPER.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Takes over the waiting for a child; when it has ended and was reaped, `then` is called.
///
/// Without thread or descriptors it is reaped by the next `active_children`, or at the end.
pub(crate) fn adopt(child: &Arc<Child>, then: Option<Then>) {
    let mut reaper = reaper();
    reaper.new.push((Arc::clone(child), then));
    let _ = reaper.wake();
}

/// Waits for a child beside the owner of its handle, if there is a thread for it.
pub(crate) fn assist(child: &Arc<Child>) {
    let mut reaper = reaper();
    if !child.is_assisted.swap(true, Ordering::Relaxed) {
        reaper.new.push((Arc::clone(child), None));
        if reaper.wake().is_err() {
            // It would keep the descriptors of a child that was joined, where they are scarce.
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
            // Whatever a listener, or `then`, makes of its end, the others are waited for.
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
