//! The thread that waits for the children nobody will join, so that none becomes a zombie, and for those that have
//! handles on their way to them: should they die before they have read them, the handles are given back at once.
//!
//! It is started when the first such child is, or with the first handle that is dropped before its process has ended,
//! and ends itself when there is nothing left to wait for.

use std::io::Write;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags};

use crate::children::Child;
use crate::death::wait_for;
use crate::parcel;

struct Reaper {
    /// Handed over, and not yet seen by the thread.
    new: Vec<(Arc<Child>, Option<Then>)>,
    /// Wakes the thread; `None` while there is no thread.
    bell: Option<UnixStream>,
}

static REAPER: Mutex<Reaper> = Mutex::new(Reaper {
    new: Vec::new(),
    bell: None,
});

/// What is to be done when a child has ended.
pub(crate) type Then = Box<dyn FnOnce() + Send>;

/// Takes over the waiting for a child; when it has ended and was reaped, `then` is called.
///
/// Without thread or descriptors it is reaped by the next `active_children`, or at the end.
pub(crate) fn adopt(child: Arc<Child>, then: Option<Then>) {
    let mut reaper = REAPER.lock().unwrap_or_else(PoisonError::into_inner);
    reaper.new.push((child, then));
    let _ = reaper.wake();
}

/// Waits for a child beside whoever has its handle, if that is possible.
pub(crate) fn assist(child: Arc<Child>) {
    let mut reaper = REAPER.lock().unwrap_or_else(PoisonError::into_inner);
    reaper.new.push((child, None));
    if reaper.wake().is_err() {
        reaper.new.pop();
    }
}

impl Reaper {
    /// Wakes the thread; starts it if there is none.
    fn wake(&mut self) -> std::io::Result<()> {
        if let Some(bell) = &mut self.bell {
            // A full socket has woken the thread already.
            let _ = bell.write(&[0]);
            return Ok(());
        }
        let (bell, ear) = UnixStream::pair()?;
        bell.set_nonblocking(true)?;
        ear.set_nonblocking(true)?;
        let thread = std::thread::Builder::new().name("reaper".to_owned());
        thread.spawn(move || reap(&ear))?;
        self.bell = Some(bell);
        Ok(())
    }
}

fn reap(ear: &UnixStream) {
    let mut children: Vec<(Arc<Child>, Option<Then>)> = Vec::new();
    loop {
        {
            let mut reaper = REAPER.lock().unwrap_or_else(PoisonError::into_inner);
            children.append(&mut reaper.new);
            if children.is_empty() {
                reaper.bell = None;
                return;
            }
        }
        let mut descriptors = vec![PollFd::new(ear, PollFlags::IN)];
        descriptors.extend(children.iter().map(|(child, _)| child.watch().poll_fd()));
        wait_for(&mut descriptors, None);
        let ready: Vec<bool> = descriptors[1..]
            .iter()
            .map(|descriptor| !descriptor.revents().is_empty())
            .collect();
        let mut ready = ready.into_iter();
        children.retain_mut(|(child, then)| {
            let soon = Instant::now() + Duration::from_secs(1);
            let ended = ready.next() == Some(true) && !matches!(child.wait(Some(soon)), Ok(false));
            if ended && let Some(then) = then.take() {
                // Whatever becomes of it, the others are waited for.
                let _ = parcel::without_panic(then);
            }
            !ended
        });
        let _ = std::io::Read::read(&mut &*ear, &mut [0; 64]);
    }
}
