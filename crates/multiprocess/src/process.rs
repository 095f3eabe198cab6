//! Starting a process, and the handle to it.

use std::ffi::OsString;
use std::marker::PhantomData;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use serde::Serialize;
use serde::de::DeserializeOwned;
use tracing::Level;

use crate::child::{self, PanicReport, Start};
use crate::children::Child;
use crate::current::{self, ProcessInfo};
use crate::death::DeathWatch;
use crate::error::{Error, Result, Signal, Travelling};
use crate::events::{self, recorder};
use crate::link::{Frame, Kind};
use crate::luggage::Luggage;
use crate::parcel::{self, Parcel};
use crate::run;
use crate::task::{self, Task};

/// Starts a process that calls `function` with `args`, a tuple, and returns the handle to it.
///
/// Python: `p = Process(target=function, args=args); p.start()`. The process is started by running this
/// same program again, as Python's `spawn` method does (never by `fork`); but it does not run `main`
/// past [`init`](crate::init). Its standard input is empty, its standard output and error are the
/// parent's, as are its environment and its current folder.
///
/// # Errors
///
/// [`Error::NotInitialized`] or [`Error::NotRegistered`] if the child could not run the function,
/// [`Error::Encode`] if the arguments cannot travel, [`Error::Spawn`] if the operating system refuses. In
/// each case no process was started.
///
/// # Examples
///
/// ```
/// use multiprocess::{spawn, task};
///
/// fn doubler(number: i64) -> i64 {
///     2 * number
/// }
///
/// fn main() -> Result<(), multiprocess::Error> {
///     multiprocess::init([task(doubler)]);
///     let child = spawn(doubler, (5,))?;
///     assert_eq!(child.join()?, 10);
///     Ok(())
/// }
/// ```
///
/// Arguments that do not fit the function are refused when the program is built, where Python fails in the child:
///
/// ```compile_fail,E0308
/// # fn doubler(number: i64) -> i64 { 2 * number }
/// let child = multiprocess::spawn(doubler, ("5".to_owned(),));
/// ```
///
/// ```compile_fail,E0277
/// # fn doubler(number: i64) -> i64 { 2 * number }
/// let child = multiprocess::spawn(doubler, 5); // a tuple is needed: (5,)
/// ```
pub fn spawn<F, Args>(function: F, args: Args) -> Result<JoinHandle<F::Output>>
where
    F: Task<Args>,
    Args: Serialize + DeserializeOwned,
{
    Builder::new().spawn(function, args)
}

/// A process to be started, with a name or as a daemon.
///
/// Python: the arguments `name=` and `daemon=` of `Process`. The shape is that of
/// [`std::thread::Builder`].
///
/// # Examples
///
/// ```
/// use multiprocess::{Builder, task};
///
/// fn who() -> String {
///     multiprocess::current().name().to_owned()
/// }
///
/// fn main() -> Result<(), multiprocess::Error> {
///     multiprocess::init([task(who)]);
///     let worker = Builder::new().name("worker 1").spawn(who, ())?;
///     assert_eq!(worker.join()?, "worker 1");
///     Ok(())
/// }
/// ```
#[derive(Debug, Default)]
#[must_use = "a builder starts nothing until `spawn` is called"]
pub struct Builder {
    name: Option<String>,
    daemon: bool,
}

impl Builder {
    /// A process with a default name, no daemon.
    pub fn new() -> Builder {
        Builder::default()
    }

    /// Names the process, for people: two processes may have one name.
    ///
    /// The operating system shows the name too; Linux keeps the first 15 bytes for `ps -o comm` and `top`,
    /// and the whole of it in the command line. Without a name the process is `Process-1`, `Process-2`, …
    /// by order of start; the children of `Process-2` are `Process-2:1`, `Process-2:2`, …
    pub fn name(mut self, name: impl Into<String>) -> Builder {
        self.name = Some(name.into());
        self
    }

    /// Makes the process a daemon: it is ended when this process ends, however that happens.
    ///
    /// At an orderly end daemons get SIGTERM and, a second later, SIGKILL; when this process is killed they
    /// notice and end at once. The other children are waited for. Unlike in Python a daemon may start
    /// processes itself.
    pub fn daemon(mut self, daemon: bool) -> Builder {
        self.daemon = daemon;
        self
    }

    /// Starts the process.
    ///
    /// # Errors
    ///
    /// As [`spawn`].
    #[allow(clippy::needless_pass_by_value, reason = "arguments move to the child")]
    pub fn spawn<F, Args>(self, function: F, args: Args) -> Result<JoinHandle<F::Output>>
    where
        F: Task<Args>,
        Args: Serialize + DeserializeOwned,
    {
        static STARTED: AtomicU32 = AtomicU32::new(0);
        let index = task::index_of(function)?;
        let parent = current::identity();
        let mut numbers = parent.numbers.clone();
        numbers.push(STARTED.fetch_add(1, Ordering::Relaxed) + 1);
        let name = self.name.unwrap_or_else(|| {
            let numbers: Vec<String> = numbers.iter().map(u32::to_string).collect();
            format!("Process-{}", numbers.join(":"))
        });
        let unsendable = |reason| Error::Encode {
            what: Travelling::Arguments,
            name: name.clone(),
            reason,
        };

        let start = Start {
            name: name.clone(),
            daemon: self.daemon,
            numbers,
            parent: parent.this.clone(),
            index,
            function: std::any::type_name::<F>().to_owned(),
            tasks: task::table()?.len(),
            // What the child makes and returns has to outlive it: it lies in a run that this process is a part of.
            run: if std::mem::needs_drop::<F::Output>() {
                run::folder().ok()
            } else {
                run::folder_if_any()
            },
        };
        let start = Parcel {
            bytes: start.to_bytes(),
            ..Parcel::default()
        };
        let arguments = parcel::pack(&args).map_err(unsendable)?;
        let too_large = |error: std::io::Error| unsendable(error.to_string());
        let (start, _) = Frame::new(Kind::Start, start).map_err(too_large)?;
        let (arguments, luggage) = Frame::new(Kind::Arguments, arguments).map_err(too_large)?;

        let at = events::moment(Level::INFO);
        let child = start_program(&name, self.daemon, luggage, |answer| {
            let _ = parcel::open::<F::Output>(answer);
        })
        .map_err(|source| Error::Spawn {
            name: name.clone(),
            source,
        })?;
        child.greet(&[start, arguments]).inspect_err(|_| {
            let _ = child.signal(Signal::KILL);
            let _ = child.wait(None);
        })?;
        events::process_started(&child.info, at);
        Ok(JoinHandle {
            child,
            answer: PhantomData,
        })
    }
}

/// Runs this program once more, with a line to it as its standard input.
fn start_program(
    name: &str,
    daemon: bool,
    luggage: Luggage,
    discard: fn(Parcel),
) -> std::io::Result<Arc<Child>> {
    let (line, childs_end) = UnixStream::pair()?;
    let mut args = std::env::args_os();
    let mut command = Command::new(program()?);
    command
        .arg0(
            args.next()
                .unwrap_or_else(|| OsString::from("multiprocess")),
        )
        .arg(child::MARK)
        .arg(name)
        .stdin(Stdio::from(OwnedFd::from(childs_end)));
    if let Some(folder) = recorder::folder_for_children() {
        command.env(recorder::VARIABLE, folder);
    }
    let mut process = command.spawn()?;
    // The command still holds our copy of the child's end.
    drop(command);
    let pid = process.id();
    let watch = DeathWatch::new(pid, &line).inspect_err(|_| {
        let _ = process.kill();
        let _ = process.wait();
    })?;
    let info = ProcessInfo {
        name: name.to_owned(),
        pid,
        daemon,
    };
    Ok(Child::new(info, process, line, watch, luggage, discard))
}

/// The file of the running program.
fn program() -> std::io::Result<std::path::PathBuf> {
    // The kernel's own link leads to the running file even when it was deleted, or replaced by a rebuild.
    if crate::portable::IS_LINUX {
        return Ok("/proc/self/exe".into());
    }
    std::env::current_exe()
}

/// The handle to a process: wait for it, take its answer, end it.
///
/// Python: `Process` after `start()`. Unlike there, [`join`](JoinHandle::join) returns what the function
/// returned.
///
/// Dropping the handle detaches the process: it goes on, is reaped when it ends, and its answer is lost.
/// At the end of this process it is waited for all the same, unless it is a daemon.
#[must_use = "dropping the handle detaches the process, and its answer is lost"]
pub struct JoinHandle<R> {
    child: Arc<Child>,
    answer: PhantomData<fn() -> R>,
}

impl<R> JoinHandle<R> {
    /// Returns the name of the process.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.child.info.name
    }

    /// Returns the process id that the operating system gave.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.info.pid
    }

    /// Whether the process is a daemon.
    #[must_use]
    pub fn is_daemon(&self) -> bool {
        self.child.info.daemon
    }

    /// Whether the process is still running. Python: `Process.is_alive()`.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        matches!(self.child.try_reap(), Ok(None))
    }

    /// Returns how the process ended; `None` while it runs.
    ///
    /// Python: `Process.exitcode`, which is -9 where this has the signal 9. A function that returned gives
    /// code 0, one that panicked 101, one whose answer could not be sent 1.
    #[must_use]
    pub fn exit_status(&self) -> Option<ExitStatus> {
        self.child.try_reap().ok().flatten()
    }

    /// Asks the process to end, with SIGTERM; it is not waited for. Python: `Process.terminate()`.
    ///
    /// A process that has ended already is left alone.
    ///
    /// # Errors
    ///
    /// [`Error::System`] if the signal cannot be sent.
    pub fn terminate(&self) -> Result<()> {
        self.child.signal(Signal::TERM)
    }

    /// Ends the process at once, with SIGKILL; it is not waited for. Python: `Process.kill()`.
    ///
    /// A process that has ended already is left alone.
    ///
    /// # Errors
    ///
    /// [`Error::System`] if the signal cannot be sent.
    pub fn kill(&self) -> Result<()> {
        self.child.signal(Signal::KILL)
    }
}

impl<R> JoinHandle<R> {
    pub(crate) fn child(&self) -> &Arc<Child> {
        &self.child
    }
}

impl<R: DeserializeOwned> JoinHandle<R> {
    /// Waits for the process to end and returns what its function returned.
    ///
    /// Python: `Process.join()`, which returns nothing.
    ///
    /// # Errors
    ///
    /// [`Error::Panicked`], [`Error::Exited`], [`Error::Killed`] or [`Error::NeverStarted`] if the function
    /// did not return; [`Error::Encode`] or [`Error::Decode`] if its value could not travel;
    /// [`Error::AlreadyJoined`] if [`join_timeout`](JoinHandle::join_timeout) gave the answer before.
    pub fn join(self) -> Result<R> {
        self.wait(None)?;
        self.answer()
    }

    /// Waits for the process to end, but not longer than `limit`; `None` if it runs on.
    ///
    /// It can be called again. Python: `Process.join(limit)`, after which `is_alive()` has to be asked.
    ///
    /// # Errors
    ///
    /// As [`join`](JoinHandle::join).
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use multiprocess::{spawn, task};
    ///
    /// fn nap(milliseconds: u64) {
    ///     std::thread::sleep(Duration::from_millis(milliseconds));
    /// }
    ///
    /// fn main() -> Result<(), multiprocess::Error> {
    ///     multiprocess::init([task(nap)]);
    ///     let mut sleeper = spawn(nap, (60_000,))?;
    ///     assert_eq!(sleeper.join_timeout(Duration::from_millis(10))?, None);
    ///     assert!(sleeper.is_alive());
    ///     sleeper.kill()
    /// }
    /// ```
    pub fn join_timeout(&mut self, limit: Duration) -> Result<Option<R>> {
        // A limit beyond what the clock can express is no limit.
        let deadline = Instant::now().checked_add(limit);
        if self.wait(deadline)? {
            self.answer().map(Some)
        } else {
            Ok(None)
        }
    }

    /// Waits until the process has ended, or the deadline has passed; true if it has ended.
    fn wait(&self, deadline: Option<Instant>) -> Result<bool> {
        events::join_awaited(&self.child.info);
        let ended = self.child.wait(deadline);
        events::joined(&self.child.info);
        ended
    }

    /// The answer of a process that has ended.
    fn answer(&self) -> Result<R> {
        let info = &self.child.info;
        let ProcessInfo { name, pid, .. } = info.clone();
        let mut remains = self
            .child
            .take_remains()
            .expect("the process was waited for");
        if remains.taken_before {
            return Err(Error::AlreadyJoined { name });
        }
        let Some((kind, parcel)) = remains.last_words.take() else {
            return Err(remains.unspoken(info));
        };
        let words = || String::from_utf8_lossy(&parcel.bytes).into_owned();
        Err(match kind {
            Kind::Answer => {
                let unreadable = |reason| Error::Decode {
                    what: Travelling::Answer,
                    name,
                    reason,
                };
                return parcel::open(parcel).map_err(unreadable);
            }
            Kind::Panicked => {
                let PanicReport { message, location } = PanicReport::from_bytes(&parcel.bytes);
                Error::Panicked {
                    name,
                    pid,
                    message,
                    location,
                }
            }
            Kind::OtherProgram => Error::OtherProgram {
                name,
                pid,
                function: words(),
            },
            Kind::UnreadableArguments => Error::Decode {
                what: Travelling::Arguments,
                name,
                reason: words(),
            },
            Kind::UnsendableAnswer => Error::Encode {
                what: Travelling::Answer,
                name,
                reason: words(),
            },
            Kind::Start | Kind::Arguments | Kind::Started | Kind::Unpacked => {
                remains.unspoken(info)
            }
        })
    }
}

impl<R> std::fmt::Debug for JoinHandle<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("JoinHandle")
            .field("process", &self.child.info)
            .field("exit_status", &self.exit_status())
            .finish()
    }
}

impl<R> Drop for JoinHandle<R> {
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_reap() {
            crate::reaper::adopt(Arc::clone(&self.child), None);
        }
    }
}
