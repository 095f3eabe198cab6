//! The processes that this process has started and not yet waited for.

use std::io::ErrorKind;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitStatus};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::process::{self, Pid, kill_process};
use tracing::Level;

use crate::channel::select::Source;
use crate::errors::current::ProcessInfo;
use crate::errors::error::{Error, Result, Travelling};
use crate::errors::failure::Failure;
use crate::memory::eventcount::{AdaptiveSpin, EventCount};
use crate::memory::liveness::{self, UniquePid};
use crate::memory::owner::Owner;
use crate::memory::registry;
use crate::platform::exit_watch::ExitWatch;
use crate::platform::signal::Signal;
use crate::platform::spawner::Spawner;
use crate::platform::wait_until::is_over;
use crate::process::control_socket::{self, Frame, Kind};
use crate::process::sweeper;
use crate::trace::events::{self, event};
use crate::transfer::attachments::Attachments;
use crate::transfer::envelope::Envelope;

/// One child, shared by its handle, the list of children, and the reaper.
pub(crate) struct Child {
    pub(crate) info: ProcessInfo,
    unique_pid: UniquePid,
    /// Pid of the process that started it; a copy of that process made by `fork` must not wait for it.
    parent: u32,
    pub(super) watch: ExitWatch,
    state: Mutex<State>,
    /// Notified when it has ended and was reaped; the two words of an [`EventCount`].
    ended: [AtomicU32; 2],
    /// Whether the reaper waits for it, in addition to the owner of its handle.
    pub(super) is_assisted: AtomicBool,
}

struct State {
    process: std::process::Child,
    /// Our end of the control socket; closed when the child has ended and everything was read.
    socket: Option<UnixStream>,
    /// The handles in the arguments, from when they are sent until the child has read them.
    attachments: Attachments,
    ended: Option<Ended>,
}

/// How a child ended.
struct Ended {
    /// `None` if its exit status was taken before we could: SIGCHLD is ignored (then the system drops it), or something
    /// in this program waits for any child.
    status: Option<ExitStatus>,
    /// The function's result, or why there is none, until a join has taken it.
    answer: Option<Result<Envelope>>,
}

impl Drop for Child {
    fn drop(&mut self) {
        self.discard_answer();
    }
}

impl Child {
    /// Runs the command, with a control socket as its standard input.
    pub(crate) fn start(
        mut command: Command,
        mut info: ProcessInfo,
        random_half: u32,
        spawner: &Spawner,
    ) -> std::io::Result<Arc<Child>> {
        let (socket, childs_end) = UnixStream::pair()?;
        command.stdin(OwnedFd::from(childs_end));
        // That drops the command, which holds our copy of the child's end.
        let mut process = spawner.spawn(command)?;
        info.pid = process.id();
        let watch = ExitWatch::new(info.pid, &socket).inspect_err(|_| {
            let _ = process.kill();
            let _ = process.wait();
        })?;
        let child = Arc::new(Child {
            unique_pid: UniquePid::of(info.pid, random_half),
            info,
            parent: std::process::id(),
            watch,
            state: Mutex::new(State {
                process,
                socket: Some(socket),
                attachments: Attachments::default(),
                ended: None,
            }),
            ended: Default::default(),
            is_assisted: AtomicBool::new(false),
        });
        list().push(Arc::clone(&child));
        Ok(child)
    }

    /// Sends the child its start and its arguments. After an error, the handles in the arguments are released.
    pub(crate) fn send_start(&self, frames: &[Frame], attachments: Attachments) -> Result<()> {
        let mut state = self.state();
        let Some(socket) = &state.socket else {
            attachments.lose(self.info.pid);
            return Ok(());
        };
        attachments.pass_to(Owner::transit(self.unique_pid));
        // If it is already dead, the join reports how it died.
        let is_dead = [ErrorKind::BrokenPipe, ErrorKind::ConnectionReset];
        if let Err(source) = frames.iter().try_for_each(|frame| frame.send(socket))
            && !is_dead.contains(&source.kind())
        {
            attachments.release_from(Owner::transit(self.unique_pid));
            return Err(self.system_error("send the start message to", source));
        }
        state.attachments = attachments;
        Ok(())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until the child has ended and was reaped, or the deadline has passed; returns whether it has ended.
    pub(crate) fn wait(&self, deadline: Option<Instant>) -> Result<bool> {
        let mut pause = Duration::ZERO;
        while !self.try_reap()? {
            // The socket closes a little before the exit status is available, or earlier, if the child closes it.
            std::thread::sleep(pause);
            if !self.watch.wait(deadline) || is_over(deadline) {
                return self.try_reap();
            }
            pause = (pause * 2).clamp(Duration::from_micros(10), Duration::from_millis(10));
        }
        Ok(true)
    }

    /// Reaps the child if it has ended, and returns whether it has. A child is reaped once, under the lock of its
    /// state. Signals are sent under that lock too, so no signal reaches a process that got the pid later.
    pub(crate) fn try_reap(&self) -> Result<bool> {
        if self.parent != std::process::id() {
            let reason = "it is a child of the original process, not of this copy made by `fork`";
            return Err(self.system_error("wait for", std::io::Error::other(reason)));
        }
        let mut state = self.state();
        if state.ended.is_some() {
            return Ok(true);
        }
        let status = match state.process.try_wait() {
            Ok(None) => return Ok(false),
            Ok(status) => status,
            Err(error) if error.raw_os_error() == Some(libc::ECHILD) => None,
            Err(source) => return Err(self.system_error("wait for", source)),
        };
        liveness::child_has_ended();
        let (mut started, mut unpacked) = (false, false);
        let mut answer = None;
        let mut unreadable = None;
        if let Some(socket) = state.socket.take() {
            // A copy of the child, made by `fork`, may have the other end.
            let _ = socket.set_nonblocking(true);
            loop {
                match control_socket::receive_frame(&socket) {
                    Ok(None) => break,
                    Ok(Some((Kind::Started, _))) => started = true,
                    Ok(Some((Kind::Unpacked, _))) => unpacked = true,
                    Ok(Some((Kind::Answer, mut envelope))) => {
                        // It may have died before it had passed them on.
                        envelope.receive(&[
                            Owner::transit(UniquePid::current()),
                            Owner::process(self.unique_pid),
                        ]);
                        answer = Some(Ok(envelope));
                    }
                    Ok(Some((Kind::Failed, envelope))) => {
                        answer = Some(Err(self.failure(&envelope.bytes)));
                    }
                    Ok(Some((Kind::Start | Kind::Arguments, _))) => {}
                    Err(source) => {
                        unreadable = Some(self.system_error("read the result of", source));
                        break;
                    }
                }
            }
        }
        let attachments = std::mem::take(&mut state.attachments);
        // Those that the child has not taken over.
        attachments.release_from(Owner::transit(self.unique_pid));
        if unpacked {
            attachments.commit();
        } else {
            attachments.lose(self.info.pid);
        }
        // A killed child hasn't freed what it used, nor has one that exited in the middle of its function.
        let killed = status.is_some_and(|status| status.signal().is_some());
        if killed || answer.is_none() {
            DIED.store(true, Ordering::Release);
            sweeper::start();
        } else if registry::has_left_references(self.unique_pid) {
            sweeper::start();
        }
        let at = events::moment(Level::INFO);
        // Another thread may join it now, but the program doesn't end before this end is reported.
        let _listed = Listed(self);
        let no_answer = || Err(unreadable.unwrap_or_else(|| self.no_answer(status, started)));
        let answer = Some(answer.unwrap_or_else(no_answer));
        state.ended = Some(Ended { status, answer });
        drop(state);
        self.changed().notify_all();
        // Without a lock: a listener may wait for something that a joining thread holds.
        let status = status.map_or("unknown".to_owned(), |status| status.to_string());
        let ProcessInfo { name, pid, .. } = &self.info;
        event!(INFO, name, pid, %status, at, "process ended");
        Ok(true)
    }

    /// Returns how the child ended; `None` while it runs, and if that is unknown.
    pub(crate) fn exit_status(&self) -> Option<ExitStatus> {
        self.try_reap().ok()?;
        self.state().ended.as_ref()?.status
    }

    /// Drops the result of a child that has ended, if no join has taken it.
    pub(crate) fn discard_answer(&self) {
        let mut state = self.state();
        let answer = state.ended.as_mut().and_then(|ended| ended.answer.take());
        drop(state);
        drop(answer);
    }

    /// Returns the result of a child that has ended, once.
    pub(crate) fn take_answer(&self) -> Result<Envelope> {
        let mut state = self.state();
        let ended = state.ended.as_mut().expect("the process was waited for");
        let name = self.info.name.clone();
        let answer = ended.answer.take();
        answer.unwrap_or(Err(Error::AlreadyJoined { name }))
    }

    /// Returns the error for what the child sent instead of a result.
    fn failure(&self, bytes: &[u8]) -> Error {
        match postcard::from_bytes::<Failure>(bytes) {
            Ok(failure) => failure.of_process(&self.info),
            Err(error) => self.unreadable_answer(error.to_string()),
        }
    }

    pub(crate) fn unreadable_answer(&self, reason: String) -> Error {
        Error::decode(Travelling::Answer, &self.info.name, reason)
    }

    /// Returns the error for a child that ended without a result.
    fn no_answer(&self, status: Option<ExitStatus>, started: bool) -> Error {
        let ProcessInfo { name, pid, .. } = self.info.clone();
        let Some(status) = status else {
            return Error::EndUnknown { name, pid };
        };
        if let Some(signal) = status.signal().map(Signal) {
            return Error::Killed { name, pid, signal };
        }
        if !started {
            return Error::NeverStarted { name, pid, status };
        }
        let code = status.code().unwrap_or(-1);
        Error::Exited { name, pid, code }
    }

    /// Sends a signal, unless the child has been reaped.
    pub(crate) fn signal(&self, signal: Signal) -> Result<()> {
        if self.try_reap()? {
            return Ok(());
        }
        let mut state = self.state();
        if state.ended.is_some() {
            return Ok(());
        }
        let sent = match self.watch.signal(signal) {
            Some(sent) => sent,
            None if signal == Signal::KILL => state.process.kill(),
            None => kill_process(Pid::from_child(&state.process), process::Signal::TERM)
                .map_err(Into::into),
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

impl Source for Child {
    fn changed(&self) -> EventCount<'_> {
        let [epoch, waiters] = &self.ended;
        EventCount { epoch, waiters }
    }

    fn looks_ready(&self) -> bool {
        // Not while another thread reads its result, which may be long.
        let state = self.state.try_lock();
        state.is_ok_and(|state| state.ended.is_some())
    }

    fn is_ready(&self) -> bool {
        self.looks_ready() || self.watch.wait(Some(Instant::now()))
    }

    fn spin(&self) -> Option<&AdaptiveSpin> {
        None
    }
}

/// Whether a child of this process was killed, and so did not wait for its own children.
pub(super) static DIED: AtomicBool = AtomicBool::new(false);

/// A child whose end is known; it is on the list until its end is reported.
struct Listed<'a>(&'a Child);

impl Drop for Listed<'_> {
    fn drop(&mut self) {
        list().retain(|listed| !std::ptr::eq(listed.as_ref(), self.0));
    }
}

static CHILDREN: Mutex<Vec<Arc<Child>>> = Mutex::new(Vec::new());

fn list() -> MutexGuard<'static, Vec<Arc<Child>>> {
    CHILDREN.lock().unwrap_or_else(PoisonError::into_inner)
}

fn all() -> Vec<Arc<Child>> {
    let this = std::process::id();
    let is_own = |child: &&Arc<Child>| child.parent == this;
    list().iter().filter(is_own).cloned().collect()
}

/// Returns whether nothing is left to do for children: all have ended, and their ends were reported.
pub(crate) fn are_over() -> bool {
    all().is_empty()
}

/// Returns the children that are still running; reaps the others.
pub(crate) fn running() -> Vec<Arc<Child>> {
    let mut children = all();
    children.retain(|child| matches!(child.try_reap(), Ok(false)));
    children
}

/// Returns the children of this process that are still running, in the order in which they were started.
///
/// It also reaps children that have ended, as in Python; their results stay with their handles.
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
    let running = running();
    running.iter().map(|child| child.info.clone()).collect()
}
