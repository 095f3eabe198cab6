//! The processes that this process has started and not yet waited for.

use std::fmt;
use std::io::ErrorKind;
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tracing::Level;

use crate::errors::current::ProcessInfo;
use crate::errors::error::{Error, Result};
use crate::errors::failure::Failure;
use crate::memory::liveness::UniquePid;
use crate::memory::registry;
use crate::platform::exit_watch::ExitWatch;
use crate::platform::signal::Signal;
use crate::process::control_socket::{self, Frame, Kind, Wait};
use crate::process::reaper::{self, Awaited};
use crate::trace::events;
use crate::transfer::attachments::Attachments;
use crate::transfer::caught;
use crate::transfer::envelope::Envelope;

/// One child, shared by its handle, the list of children, and the reaper.
pub(crate) struct Child {
    pub(crate) info: ProcessInfo,
    unique_pid: UniquePid,
    /// Pid of the process that started it; a copy of that process made by `fork` leaves it alone.
    parent: u32,
    watch: ExitWatch,
    state: Mutex<State>,
    /// Reads the answer and throws it away, with the handles in it.
    discard: fn(Envelope),
    /// Whether the reaper waits for it, beside the owner of its handle.
    is_assisted: AtomicBool,
}

struct State {
    process: std::process::Child,
    /// Our end of the control socket; closed when the child has ended and everything was read.
    socket: Option<UnixStream>,
    /// Shared memory whose handles are in the arguments, until the child has read them.
    attachments: Option<Attachments>,
    ended: Option<Ended>,
}

/// The end of a child, as the system reports it.
#[derive(Clone, Copy)]
pub(crate) enum End {
    Known(ExitStatus),
    /// Its exit status was taken before we could: SIGCHLD is ignored (then the system drops it), or something in this
    /// program waits for any child.
    Unknown,
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            End::Known(status) => status.fmt(f),
            End::Unknown => f.write_str("unknown"),
        }
    }
}

/// How a child ended.
struct Ended {
    end: End,
    /// What its function returned, or why there is nothing, until a join has taken it.
    answer: Option<Result<Envelope>>,
}

impl Drop for Child {
    fn drop(&mut self) {
        self.discard_answer();
    }
}

impl Child {
    pub(crate) fn new(
        info: ProcessInfo,
        random_half: u32,
        process: std::process::Child,
        socket: UnixStream,
        watch: ExitWatch,
        attachments: Attachments,
        discard: fn(Envelope),
    ) -> Arc<Child> {
        let state = Mutex::new(State {
            process,
            socket: Some(socket),
            attachments: Some(attachments),
            ended: None,
        });
        let child = Arc::new(Child {
            unique_pid: UniquePid::of(info.pid, random_half),
            parent: std::process::id(),
            info,
            watch,
            state,
            discard,
            is_assisted: AtomicBool::new(false),
        });
        list().push(Arc::clone(&child));
        child
    }

    /// Sends the child its start and its arguments.
    pub(crate) fn send_start(&self, frames: &[Frame]) -> Result<()> {
        let state = self.state();
        let Some(socket) = &state.socket else {
            return Ok(());
        };
        for frame in frames {
            match frame.send(socket) {
                Ok(()) => {}
                // It is dead already; the join reports how it died.
                Err(error)
                    if matches!(
                        error.kind(),
                        ErrorKind::BrokenPipe | ErrorKind::ConnectionReset
                    ) =>
                {
                    return Ok(());
                }
                Err(source) => return Err(self.system_error("send its start to", source)),
            }
        }
        Ok(())
    }

    /// Takes back the handles in its arguments: it was never sent them.
    pub(crate) fn cancel_attachments(&self) {
        self.state().attachments = None;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes the reaper wait for it, in addition to the owner of its handle, if that is possible.
    pub(crate) fn assist(self: &Arc<Self>) {
        if !self.is_assisted.swap(true, Ordering::Relaxed) {
            let is_assisted = reaper::assist(Arc::clone(self) as Arc<dyn Awaited>);
            self.is_assisted.store(is_assisted, Ordering::Relaxed);
        }
    }

    /// Waits until the child has ended and was reaped, or the deadline has passed; true if it has ended.
    pub(crate) fn wait(&self, deadline: Option<Instant>) -> Result<bool> {
        let mut pause = Duration::from_micros(10);
        loop {
            if self.try_reap()?.is_some() {
                return Ok(true);
            }
            if !self.watch.wait(deadline) {
                return Ok(self.try_reap()?.is_some());
            }
            if self.try_reap()?.is_some() {
                return Ok(true);
            }
            // The socket closes a little before the exit status is there.
            let until = Instant::now() + pause;
            if deadline.is_some_and(|deadline| until >= deadline) {
                return Ok(false);
            }
            std::thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(10));
        }
    }

    /// Reaps the child if it has ended. A child is reaped once, under the lock of its state, under which
    /// signals are sent too: no signal reaches a process that got the pid later.
    pub(crate) fn try_reap(&self) -> Result<Option<End>> {
        if self.parent != std::process::id() {
            let reason = "it was started by the process that was forked, and not by its copy";
            return Err(self.system_error("wait for", std::io::Error::other(reason)));
        }
        let mut state = self.state();
        if let Some(ended) = &state.ended {
            return Ok(Some(ended.end));
        }
        let end = match state.process.try_wait() {
            Ok(None) => return Ok(None),
            Ok(Some(status)) => End::Known(status),
            Err(error) if error.raw_os_error() == Some(libc::ECHILD) => End::Unknown,
            Err(source) => return Err(self.system_error("wait for", source)),
        };
        let (mut started, mut unpacked) = (false, false);
        let mut answer = None;
        let mut unreadable = None;
        if let Some(socket) = state.socket.take() {
            loop {
                match control_socket::receive_frame(&socket, Wait::No) {
                    Ok(None) => break,
                    Ok(Some((Kind::Started, _))) => started = true,
                    Ok(Some((Kind::Unpacked, _))) => unpacked = true,
                    Ok(Some((Kind::Answer, envelope))) => answer = Some(Ok(envelope)),
                    Ok(Some((Kind::Failed, envelope))) => {
                        let failure = Failure::from_bytes(&envelope.bytes);
                        answer = Some(Err(failure.of_process(&self.info)));
                    }
                    Ok(Some((Kind::Start | Kind::Arguments, _))) => {}
                    Err(source) => {
                        unreadable = Some(self.system_error("read the answer of", source));
                        break;
                    }
                }
            }
        }
        match state.attachments.take() {
            Some(attachments) if unpacked => attachments.commit(),
            Some(attachments) => attachments.lose(self.info.pid),
            None => {}
        }
        registry::forget(self.unique_pid);
        // One that was killed has left what it used. So has one that exited in the middle of its function.
        let killed = matches!(end, End::Known(status) if status.signal().is_some());
        if killed || answer.is_none() {
            DIED.store(true, Ordering::Release);
            reaper::sweep();
        }
        let at = events::moment(Level::INFO);
        // From now on another thread may join it, and the program end.
        let _unreported = Unreported::new();
        let no_answer = || Err(unreadable.unwrap_or_else(|| self.no_answer(end, started)));
        let answer = Some(answer.unwrap_or_else(no_answer));
        state.ended = Some(Ended { end, answer });
        drop(state);
        forget(self);
        // Without a lock: a listener may wait for something that a thread which joins has.
        events::process_ended(&self.info, end, at);
        Ok(Some(end))
    }

    /// Throws away the answer of a child that has ended, if it has one that no join took.
    pub(crate) fn discard_answer(&self) {
        let mut state = self.state();
        let answer = state.ended.as_mut().and_then(|ended| ended.answer.take());
        drop(state);
        if let Some(Ok(answer)) = answer {
            // The answer's own `Drop` may panic, and this may be the reaper, which waits for others too.
            let _ = caught::without_panic(|| (self.discard)(answer));
        }
    }

    /// Returns the answer of a child that has ended, once.
    pub(crate) fn take_answer(&self) -> Result<Envelope> {
        let mut state = self.state();
        let ended = state.ended.as_mut().expect("the process was waited for");
        let name = self.info.name.clone();
        ended
            .answer
            .take()
            .unwrap_or(Err(Error::AlreadyJoined { name }))
    }

    /// Returns the error for a child that ended without an answer.
    fn no_answer(&self, end: End, started: bool) -> Error {
        let ProcessInfo { name, pid, .. } = self.info.clone();
        let End::Known(status) = end else {
            return Error::EndUnknown { name, pid };
        };
        if let Some(signal) = status.signal() {
            return Error::Killed {
                name,
                pid,
                signal: Signal(signal),
            };
        }
        if !started {
            return Error::NeverStarted { name, pid, status };
        }
        Error::Exited {
            name,
            pid,
            code: status.code().unwrap_or(-1),
        }
    }

    /// Sends a signal, unless the child has been reaped.
    pub(crate) fn signal(&self, signal: Signal) -> Result<()> {
        if self.try_reap()?.is_some() {
            return Ok(());
        }
        let mut state = self.state();
        if state.ended.is_some() {
            return Ok(());
        }
        let sent = match self.watch.signal(signal) {
            Some(sent) => sent,
            None if signal == Signal::KILL => state.process.kill(),
            None => {
                let pid = i32::try_from(self.info.pid)
                    .ok()
                    .and_then(rustix::process::Pid::from_raw);
                let pid = pid.expect("a started process has a pid");
                rustix::process::kill_process(pid, rustix::process::Signal::TERM)
                    .map_err(Into::into)
            }
        };
        sent.map_err(|source| self.system_error("send a signal to", source))
    }

    fn system_error(&self, doing: &'static str, source: std::io::Error) -> Error {
        Error::System {
            doing,
            name: self.info.name.clone(),
            source,
        }
    }
}

impl Awaited for Child {
    fn watch(&self) -> &ExitWatch {
        &self.watch
    }

    fn reap(&self, deadline: Instant) -> bool {
        !matches!(self.wait(Some(deadline)), Ok(false))
    }
}

/// Returns whether a child of this process was killed, so that it did not wait for its own children.
pub(crate) fn have_died() -> bool {
    DIED.load(Ordering::Acquire)
}

static DIED: AtomicBool = AtomicBool::new(false);

/// The end of a child that is known, and was not yet reported.
struct Unreported;

static UNREPORTED: AtomicUsize = AtomicUsize::new(0);

impl Unreported {
    fn new() -> Unreported {
        UNREPORTED.fetch_add(1, Ordering::AcqRel);
        Unreported
    }
}

impl Drop for Unreported {
    fn drop(&mut self) {
        UNREPORTED.fetch_sub(1, Ordering::AcqRel);
    }
}

/// Returns whether nothing is left to do for children: none exists, and the end of each was reported.
pub(crate) fn are_over() -> bool {
    all().is_empty() && UNREPORTED.load(Ordering::Acquire) == 0
}

static CHILDREN: Mutex<Vec<Arc<Child>>> = Mutex::new(Vec::new());

fn list() -> MutexGuard<'static, Vec<Arc<Child>>> {
    CHILDREN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns the children that are not yet reaped, some of which may have ended.
pub(crate) fn all() -> Vec<Arc<Child>> {
    let this = std::process::id();
    let is_own = |child: &&Arc<Child>| child.parent == this;
    list().iter().filter(is_own).cloned().collect()
}

/// Returns the children of this process that are still running, in the order in which they were started.
///
/// Children that have ended are reaped on the way, like in Python; their answer stays with their handle.
///
/// Python: `multiprocessing.active_children()`.
///
/// # Examples
///
/// ```
/// assert!(multiprocess::active_children().is_empty());
/// ```
#[must_use]
pub fn active_children() -> Vec<ProcessInfo> {
    all()
        .into_iter()
        .filter(|child| matches!(child.try_reap(), Ok(None)))
        .map(|child| child.info.clone())
        .collect()
}

/// Takes a child off the list that could not be waited for.
pub(crate) fn forget(child: &Child) {
    list().retain(|listed| !std::ptr::eq(listed.as_ref(), child));
}
