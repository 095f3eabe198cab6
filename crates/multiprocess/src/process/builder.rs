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
use crate::memory::liveness::{self, UniquePid};
use crate::memory::registry;
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

/// Starts a process that calls `function` with the arguments in the tuple `args`, and returns its handle.
///
/// Python: `p = Process(target=function, args=args); p.start()`, with the start method `spawn`: the process runs this
/// same program again, up to [`init`](crate::init). Its standard input is empty. It has the parent's standard output
/// and error, arguments, environment and current folder, unless a [`Builder`] sets others. Lines that it prints stay
/// whole [up to a length](crate#printing).
///
/// When `main` returns, also by `?`, this process waits for the child. If the child may then be waiting for this
/// process, make it a [daemon](Builder::daemon), or use a [`channel`](crate::channel), which ends with its senders; a
/// [`Queue`](crate::Queue) doesn't.
///
/// # Errors
///
/// No process was started if it returns an error: [`Error::NotInitialized`] or [`Error::NotRegistered`] if the child
/// could not run the function, [`Error::Encode`] if the arguments can't be sent, [`Error::Spawn`] if the operating
/// system refuses.
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
/// Arguments that don't fit the function don't compile; in Python they fail in the child:
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

/// Builds a process: sets its name, whether it is a daemon, and its environment, and then starts it.
///
/// Python: the arguments `name=` and `daemon=` of `Process`. Python has no equivalent of the others; they work as in
/// [`std::process::Command`], and default to the parent's.
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
    /// Returns a builder with the defaults that each method describes.
    pub fn new() -> Builder {
        Builder::default()
    }

    /// Sets the name of the process, for messages and logs. Names need not be unique.
    ///
    /// The operating system shows it too: Linux shows the first 15 bytes in `ps -o comm` and `top`, and all of it in
    /// the command line. The default is `Process-1`, `Process-2`, … in the order of starts; the children of `Process-2`
    /// are `Process-2:1`, `Process-2:2`, …
    pub fn name(mut self, name: impl Into<String>) -> Builder {
        self.name = Some(name.into());
        self
    }

    /// Sets whether the process is a daemon: one that is ended when this process ends, for whatever reason.
    ///
    /// By default, the process is a daemon if this process is one, as in Python. Unlike in Python, a daemon can start
    /// processes itself. When its function returns, it waits for those that aren't daemons. When the daemon is ended,
    /// all its descendants end with it, since no process would be left to wait for them.
    ///
    /// At a normal end, this process sends its daemons SIGTERM and, a second later, SIGKILL, and waits for its other
    /// children. If this process is killed, its daemons end at once.
    pub fn daemon(mut self, daemon: bool) -> Builder {
        self.daemon = Some(daemon);
        self
    }

    /// Sets the arguments that [`args_os`](crate::args_os) returns in the process, without the program's name.
    ///
    /// By default, they are this process's own, as in Python.
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

    /// Sets the standard input: a [`File`](std::fs::File), a [`PipeReader`](std::io::PipeReader) or the standard output
    /// of a [`Command`](std::process::Command). It is empty by default.
    pub fn stdin(mut self, file: impl Into<OwnedFd>) -> Builder {
        self.stdin = Some(closed_by_start(file.into()));
        self
    }

    /// Sets the standard output: a [`File`](std::fs::File) or a [`PipeWriter`](std::io::PipeWriter).
    pub fn stdout(mut self, file: impl Into<OwnedFd>) -> Builder {
        self.stdout = Some(closed_by_start(file.into()));
        self
    }

    /// Sets the standard error, as [`stdout`](Builder::stdout) does the standard output.
    pub fn stderr(mut self, file: impl Into<OwnedFd>) -> Builder {
        self.stderr = Some(closed_by_start(file.into()));
        self
    }

    /// Starts the process, and returns its handle.
    ///
    /// # Errors
    ///
    /// The same as [`spawn`].
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
            pid: 0, // Not known yet.
            daemon: self.daemon.unwrap_or(parent.this.daemon),
        };
        let ends_with_parent = this.daemon || parent.ends_with_parent;
        let spawner = Spawner::new(ends_with_parent);
        // Shared memory that the child creates and returns has to outlive it, so it belongs to a run of this process.
        let run = if returns_memory {
            registry::own_run().ok()
        } else {
            registry::own_run_if_any()
        };
        if let Some(run) = run {
            // The child passes the handles in its result on to this process.
            let joined = registry::join(run);
            joined.map_err(|source| Error::Spawn {
                name: name.clone(),
                source,
            })?;
        }
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
            parent: UniquePid::current().number(),
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
            // The system holds the lease while it is in flight: if this process dies before the child has read its
            // start, the run isn't over.
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
                Child::start(command, this, random_half, &spawner)
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
            // If the child dies before it has read its arguments, this and other processes may wait for the handles in
            // them without checking whether the child is alive.
            reaper::assist(&child);
        }
        Ok(child)
    }

    /// Returns the command that runs this program again, as a child with that name.
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
            // The system's own error doesn't say whether the folder or the program is missing.
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

/// Marks the file as closed on `exec`: the child gets it only as a standard stream.
fn closed_by_start(file: OwnedFd) -> OwnedFd {
    // If this fails, the child has it twice.
    let _ = fcntl_setfd(&file, FdFlags::CLOEXEC);
    file
}

fn read_answer<R: DeserializeOwned + 'static>(answer: Envelope) -> std::result::Result<R, String> {
    envelope::open(answer, |mut bytes| codec::read(&mut bytes))
}
