//! The end of a process: it ends its daemons, waits for its other children, and frees the shared memory that no other
//! process uses. A child calls this itself, in [`init`](crate::init).

use std::sync::atomic::Ordering;
use std::sync::{PoisonError, RwLock, RwLockReadGuard};
use std::time::{Duration, Instant};

use crate::memory::{reference, registry};
use crate::platform::signal::Signal;
use crate::process::children;
use crate::trace::recorder::process_ends;

/// Its destructor runs when the main thread ends.
struct AtEnd;

impl Drop for AtEnd {
    fn drop(&mut self) {
        if children::are_over() && registry::is_none() {
            // Other threads keep running.
            stop_starting();
        }
        if children::are_over() && registry::is_none() {
            registry::leave(Duration::ZERO, reference::end);
            return process_ends();
        }
        // The thread-locals of this thread are being destroyed; a listener to events may need its own.
        let thread = std::thread::Builder::new().name("end".to_owned());
        match thread.spawn(end) {
            Ok(ending) => drop(ending.join()),
            Err(_) => end(),
        }
        process_ends();
    }
}

/// Ends the daemons, waits for the other children, and leaves the run.
pub(crate) fn end() {
    end_children();
    // Other threads may have started more children meanwhile.
    stop_starting();
    end_children();
    // Don't wait for a listener that waits for this thread.
    let deadline = Instant::now() + GRACE_PERIOD;
    while !children::are_over() && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(1));
    }
    // The descendants of a killed child end too, a moment later.
    let some_died = children::DIED.load(Ordering::Acquire);
    registry::leave(GRACE_PERIOD * u32::from(some_died), reference::end);
}

thread_local! {
    static AT_END: AtEnd = const { AtEnd };
}

/// Arranges that the end of the calling thread, the main thread, takes care of the children.
///
/// The C library runs the destructors of the main thread's variables when `main` returns or calls `exit`. Where a
/// system doesn't, non-daemons are not waited for, and daemons notice their parent's end by themselves.
pub(crate) fn prepare() {
    AT_END.with(|_| ());
}

/// Whether this process starts no more children. Locked for reading while one is started.
static OVER: RwLock<bool> = RwLock::new(false);

/// Keeps this process from ending while a child is started; returns an error if it is already ending.
pub(crate) fn starting() -> std::io::Result<RwLockReadGuard<'static, bool>> {
    let over = OVER.read().unwrap_or_else(PoisonError::into_inner);
    if *over {
        return Err(std::io::Error::other("this process is ending"));
    }
    Ok(over)
}

/// Also waits for children that are being started.
fn stop_starting() {
    *OVER.write().unwrap_or_else(PoisonError::into_inner) = true;
}

/// How long a daemon may take to end when asked to, before it is killed, and how long others may take afterwards.
const GRACE_PERIOD: Duration = Duration::from_secs(1);

fn end_children() {
    let mut daemons = children::running();
    daemons.retain(|child| child.info.daemon);
    for daemon in &daemons {
        let _ = daemon.signal(Signal::TERM);
    }
    let deadline = Instant::now() + GRACE_PERIOD;
    for daemon in &daemons {
        if !matches!(daemon.wait(Some(deadline)), Ok(true)) {
            let _ = daemon.signal(Signal::KILL);
            let _ = daemon.wait(Some(Instant::now() + GRACE_PERIOD));
        }
    }
    // Other threads may start more processes meanwhile.
    while let Some(child) = children::running().iter().find(|child| !child.info.daemon) {
        let _ = child.wait(None);
    }
}
