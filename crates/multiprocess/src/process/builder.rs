//! Starting a process.

use std::ffi::OsString;
use std::io;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::io::{FdFlags, fcntl_setfd};
use serde::de::DeserializeOwned;
use tracing::Level;

use crate::errors::current::{self, Identity, ProcessInfo};
use crate::errors::error::{Error, Result, Travelling};
use crate::memory::{liveness, registry};
use crate::platform::limits::explained;
use crate::platform::signal::Signal;
use crate::platform::spawner::Spawner;
use crate::platform::{program, shared_folder};
use crate::process::children::Child;
use crate::process::control_socket::{Frame, Kind};
use crate::process::join_handle::JoinHandle;
use crate::process::start::{self, MARK, Start};
use crate::process::task::Task;
use crate::process::{at_exit, reaper, task_table};
use crate::trace::events::{self, event};
use crate::trace::recorder;
use crate::transfer::codec;
use crate::transfer::envelope::{self, Envelope};

/// Starts a process that calls `function` with `args`, a tuple, and returns the handle to it.
///
/// Python: `p = Process(target=function, args=args); p.start()`, with the start method `spawn`: this same program is run
/// again, but not past [`init`](crate::init). Its standard input is empty; its standard output and error, arguments,
/// environment and current folder are the parent's; a [`Builder`] can set others. Lines that it prints stay whole
/// [up to a length](crate#printing).
///
/// When `main` ends, also by `?`, it waits for the process. If that may wait for something from this one, make it a
/// [daemon](Builder::daemon), or use a [`channel`](crate::channel), which ends with its senders; a
/// [`Queue`](crate::Queue) does not.
///
/// # Errors
///
/// [`Error::NotInitialized`] or [`Error::NotRegistered`] if the child could not run the function, [`Error::Encode`] if the
/// arguments cannot travel, [`Error::Spawn`] if the operating system refuses. No process was started then.
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
pub fn spawn<F, Args, How>(function: F, args: Args) -> Result<JoinHandle<F::Output>>
where
    F: Task<Args, How>,
{
    Builder::new().spawn(function, args)
}

/// A process to be started: its name, whether it is a daemon, and its surroundings.
///
/// Python: the arguments `name=` and `daemon=` of `Process`. For the others it has no equivalent; they work as in
/// [`std::process::Command`], and what is not set is the parent's.
///
/// # Examples
///
/// ```
/// use std::io::Read;
/// use multiprocess::{Builder, task};
///
/// fn greet() {
///     let this = multiprocess::current();
///     println!("{} greets the {}.", this.name(), std::env::var("WHO").unwrap());
/// }
///
/// fn main() -> Result<(), Box<dyn std::error::Error>> {
///     multiprocess::init([task(greet)]);
///     let (mut reader, writer) = std::io::pipe()?;
///     let builder = Builder::new().name("worker 1").env("WHO", "world").stdout(writer);
///     builder.spawn(greet, ())?.join()?;
///     let mut text = String::new();
///     reader.read_to_string(&mut text)?;
///     assert_eq!(text, "worker 1 greets the world.\n");
///     Ok(())
/// }
/// ```
#[derive(Debug, Default)]
#[must_use = "a builder starts nothing until `spawn` is called"]
pub struct Builder {
    name: Option<String>,
    daemon: Option<bool>,
    arguments: Option<Vec<OsString>>,
    /// Variables to set, or to remove.
    environment: Vec<(OsString, Option<OsString>)>,
    folder: Option<PathBuf>,
    stdin: Option<OwnedFd>,
    stdout: Option<OwnedFd>,
    stderr: Option<OwnedFd>,
}

impl Builder {
    /// Returns a builder with a default name; the process is a daemon if this process is one.
    pub fn new() -> Builder {
        Builder::default()
    }

    /// Names the process, for people: two processes may have one name.
    ///
    /// The operating system shows it too: Linux the first 15 bytes in `ps -o comm` and `top`, and all of it in the
    /// command line. The default is `Process-1`, `Process-2`, … by order of start; the children of `Process-2` are
    /// `Process-2:1`, `Process-2:2`, …
    pub fn name(mut self, name: impl Into<String>) -> Builder {
        self.name = Some(name.into());
        self
    }

    /// Makes the process a daemon, or not: a daemon is ended when this process ends, however that happens.
    ///
    /// By default, the process is a daemon if this process is one, as in Python. Unlike in Python, a daemon may start
    /// processes itself. It waits for those that aren't daemons when its function returns; when it is ended, all its
    /// descendants are ended with it, since no process would be left to wait for them.
    ///
    /// At an orderly end daemons get SIGTERM and, a second later, SIGKILL, and the other children are waited for; when
    /// this process is killed, daemons end at once.
    pub fn daemon(mut self, daemon: bool) -> Builder {
        self.daemon = Some(daemon);
        self
    }

    /// Sets the arguments that [`args_os`](crate::args_os) returns in the process, without the name of the program.
    ///
    /// The default are this process's own, as in Python.
    pub fn args<A: Into<OsString>>(mut self, arguments: impl IntoIterator<Item = A>) -> Builder {
        self.arguments = Some(arguments.into_iter().map(Into::into).collect());
        self
    }

    /// Sets an environment variable.
    pub fn env(mut self, key: impl Into<OsString>, value: impl Into<OsString>) -> Builder {
        self.environment.push((key.into(), Some(value.into())));
        self
    }

    /// Removes an environment variable.
    pub fn env_remove(mut self, key: impl Into<OsString>) -> Builder {
        self.environment.push((key.into(), None));
        self
    }

    /// Sets the current folder.
    pub fn current_dir(mut self, folder: impl Into<PathBuf>) -> Builder {
        self.folder = Some(folder.into());
        self
    }

    /// Sets where standard input comes from: a [`File`](std::fs::File), a [`PipeReader`](std::io::PipeReader), the
    /// standard output of a [`Command`](std::process::Command). Without it, it is empty.
    pub fn stdin(mut self, file: impl Into<OwnedFd>) -> Builder {
        self.stdin = Some(closed_by_start(file.into()));
        self
    }

    /// Sets where standard output goes: a [`File`](std::fs::File), a [`PipeWriter`](std::io::PipeWriter).
    pub fn stdout(mut self, file: impl Into<OwnedFd>) -> Builder {
        self.stdout = Some(closed_by_start(file.into()));
        self
    }

    /// As [`stdout`](Builder::stdout), for standard error.
    pub fn stderr(mut self, file: impl Into<OwnedFd>) -> Builder {
        self.stderr = Some(closed_by_start(file.into()));
        self
    }

    /// Starts the process.
    ///
    /// # Errors
    ///
    /// As [`spawn`].
    #[allow(clippy::needless_pass_by_value, reason = "arguments move to the child")]
    pub fn spawn<F, Args, How>(self, function: F, args: Args) -> Result<JoinHandle<F::Output>>
    where
        F: Task<Args, How>,
    {
        let pack = || envelope::pack::<Args>(|bytes| F::write(&args, bytes));
        let child = self.start(
            task_table::index_of(function)?,
            std::any::type_name::<F>(),
            &pack,
            std::mem::needs_drop::<F::Output>(),
            |answer| drop(read_answer::<F::Output>(answer)),
        )?;
        let read = read_answer;
        Ok(JoinHandle { child, read })
    }

    fn start(
        mut self,
        index: u32,
        function: &str,
        pack: &dyn Fn() -> std::result::Result<Envelope, String>,
        returns_memory: bool,
        discard: fn(Envelope),
    ) -> Result<Arc<Child>> {
        static STARTED: AtomicU32 = AtomicU32::new(0);
        let parent = current::identity();
        let mut numbers = parent.numbers.clone();
        numbers.push(STARTED.fetch_add(1, Ordering::Relaxed) + 1);
        let name = self.name.take().unwrap_or_else(|| {
            let numbers: Vec<String> = numbers.iter().map(u32::to_string).collect();
            format!("Process-{}", numbers.join(":"))
        });
        let unsendable = |reason| Error::encode(Travelling::Arguments, &name, reason);

        let this = ProcessInfo {
            name: name.clone(),
            pid: 0, // It is not yet known.
            daemon: self.daemon.unwrap_or(parent.this.daemon),
        };
        let ends_with_parent = this.daemon || parent.ends_with_parent;
        let spawner = Spawner::new(ends_with_parent);
        // What the child makes and returns has to outlive it: it is in a run that this process is a part of.
        let run = if returns_memory {
            registry::own_run().ok()
        } else {
            registry::own_run_if_any()
        };
        let random_half = liveness::random_half();
        let start = Start {
            identity: Identity {
                this: this.clone(),
                parent: Some(parent.this.clone()),
                numbers,
                ends_with_parent,
            },
            dies_with: spawner.lasts.then(std::process::id),
            random_half,
            has_input: self.stdin.is_some(),
            index,
            function: function.to_owned(),
            tasks: task_table::table()?.len(),
            run,
            shared_folder: shared_folder::for_children().map(Into::into),
        };
        let stdin = self.stdin.take();
        let start = Envelope {
            bytes: postcard::to_stdvec(&start).map_err(|error| unsendable(error.to_string()))?,
            // The lease is held by the system while it is in flight: the run is not over if this process dies before
            // the child has read its start.
            files: registry::lease().into_iter().chain(stdin).collect(),
            ..Envelope::default()
        };
        let arguments = pack().map_err(unsendable)?;
        let too_large = |error: std::io::Error| unsendable(explained(&error));
        let (start, _) = Frame::new(Kind::Start, start).map_err(too_large)?;
        let (arguments, attachments) = Frame::new(Kind::Arguments, arguments).map_err(too_large)?;
        let carries = !attachments.is_empty();

        let at = events::moment(Level::INFO);
        let child = at_exit::starting()
            .and_then(|_starting| {
                let command = self.command(&name)?;
                Child::start(command, this, random_half, &spawner, discard)
            })
            .map_err(|source| Error::Spawn { name, source })?;
        let sent = child.send_start(&[start, arguments], attachments);
        sent.inspect_err(|_| {
            let _ = child.signal(Signal::KILL);
            let _ = child.wait(None);
        })?;
        let ProcessInfo { name, pid, daemon } = &child.info;
        event!(INFO, name, pid, daemon, at, "process started");
        if carries {
            // If it dies before it has read its arguments, others may wait for the handles in them, and this process
            // with them, and not ask whether the child lives.
            reaper::assist(&child);
        }
        Ok(child)
    }

    /// Returns the command that runs this program once more, as a child with that name.
    fn command(self, name: &str) -> io::Result<Command> {
        let mut command = program::command()?;
        let arguments = self.arguments;
        command.args(arguments.unwrap_or_else(|| start::args_os().skip(1).collect()));
        command.args([MARK, name]);
        if let Some(folder) = recorder::folder_for_children() {
            command.env(recorder::VARIABLE, folder);
        }
        for (key, value) in self.environment {
            match value {
                Some(value) => command.env(key, value),
                None => command.env_remove(key),
            };
        }
        if let Some(folder) = self.folder {
            // The system's own error would not tell it from the program.
            let found = folder.metadata().and_then(|_| folder.join(".").metadata());
            found.map_err(|error| {
                let reason = format!("its current folder '{}': {error}", folder.display());
                io::Error::new(error.kind(), reason)
            })?;
            command.current_dir(folder);
        }
        if let Some(stdout) = self.stdout {
            command.stdout(stdout);
        }
        if let Some(stderr) = self.stderr {
            command.stderr(stderr);
        }
        Ok(command)
    }
}

/// Has the start of a program close the file: the child gets it in the place of a stream only.
fn closed_by_start(file: OwnedFd) -> OwnedFd {
    // Where it fails the child has it twice.
    let _ = fcntl_setfd(&file, FdFlags::CLOEXEC);
    file
}

fn read_answer<R: DeserializeOwned + 'static>(answer: Envelope) -> std::result::Result<R, String> {
    envelope::open(answer, |mut bytes| codec::read(&mut bytes))
}
