//! Starting a process.

use std::sync::atomic::{AtomicU32, Ordering};

use serde::de::DeserializeOwned;
use tracing::Level;

use crate::errors::current::{self, Identity, ProcessInfo};
use crate::errors::error::{Error, Result, Travelling};
use crate::memory::{liveness, registry};
use crate::platform::limits::explained;
use crate::platform::shared_folder;
use crate::platform::signal::Signal;
use crate::platform::spawner::Spawner;
use crate::process::children::Child;
use crate::process::control_socket::{Frame, Kind};
use crate::process::join_handle::JoinHandle;
use crate::process::start::Start;
use crate::process::task::Task;
use crate::process::{at_exit, reaper, task_table};
use crate::trace::events::{self, event};
use crate::transfer::codec;
use crate::transfer::envelope::{self, Envelope};
use crate::transfer::handles::Handles;

/// Starts a process that calls `function` with `args`, a tuple, and returns the handle to it.
///
/// Python: `p = Process(target=function, args=args); p.start()`, with the start method `spawn`: this same program is run
/// again, but not past [`init`](crate::init). Its standard input is empty; its standard output and error, environment
/// and current folder are the parent's. Lines that it prints stay whole [up to a length](crate#printing).
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
pub fn spawn<F, Args>(function: F, args: Args) -> Result<JoinHandle<F::Output>>
where
    F: Task<Args>,
{
    Builder::new().spawn(function, args)
}

/// A process to be started, with a name or as a daemon.
///
/// Python: the arguments `name=` and `daemon=` of `Process`.
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
    daemon: Option<bool>,
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

    /// Starts the process.
    ///
    /// # Errors
    ///
    /// As [`spawn`].
    #[allow(clippy::needless_pass_by_value, reason = "arguments move to the child")]
    pub fn spawn<F, Args>(self, function: F, args: Args) -> Result<JoinHandle<F::Output>>
    where
        F: Task<Args>,
    {
        static STARTED: AtomicU32 = AtomicU32::new(0);
        let index = task_table::index_of(function)?;
        let parent = current::identity();
        let mut numbers = parent.numbers.clone();
        numbers.push(STARTED.fetch_add(1, Ordering::Relaxed) + 1);
        let name = self.name.unwrap_or_else(|| {
            let numbers: Vec<String> = numbers.iter().map(u32::to_string).collect();
            format!("Process-{}", numbers.join(":"))
        });
        let unsendable = |reason| Error::encode(Travelling::Arguments, &name, reason);

        let daemon = self.daemon.unwrap_or(parent.this.daemon);
        let ends_with_parent = daemon || parent.ends_with_parent;
        let spawner = if ends_with_parent {
            Spawner::lasting()
        } else {
            Spawner::default()
        };
        // What the child makes and returns has to outlive it: it is in a run that this process is a part of.
        let run = if std::mem::needs_drop::<F::Output>() {
            registry::own_run().ok()
        } else {
            registry::own_run_if_any()
        };
        let random_half = liveness::random_half();
        let start = Start {
            identity: Identity {
                this: ProcessInfo {
                    name: name.clone(),
                    pid: 0, // It is not yet known.
                    daemon,
                },
                parent: Some(parent.this.clone()),
                numbers,
                ends_with_parent,
            },
            dies_with: spawner.lasts.then(std::process::id),
            random_half,
            index,
            function: std::any::type_name::<F>().to_owned(),
            tasks: task_table::table()?.len(),
            run,
            shared_folder: shared_folder::for_children().map(Into::into),
        };
        let start = Envelope {
            bytes: start.to_bytes(),
            // Held by the system while it is in flight: the run is not over if this process dies before the child has
            // read its start.
            handles: Handles {
                files: registry::lease().into_iter().collect(),
                ..Handles::default()
            },
            ..Envelope::default()
        };
        let packed = envelope::pack::<Args>(|bytes, handles| F::write(&args, bytes, handles));
        let arguments = packed.map_err(unsendable)?;
        let too_large = |error: std::io::Error| unsendable(explained(&error));
        let (start, _) = Frame::new(Kind::Start, start).map_err(too_large)?;
        let (arguments, attachments) = Frame::new(Kind::Arguments, arguments).map_err(too_large)?;
        let carries = !attachments.is_empty();

        let at = events::moment(Level::INFO);
        let discard = |answer| drop(read_answer::<F::Output>(answer));
        let child = at_exit::starting()
            .and_then(|_starting| Child::start(&name, daemon, random_half, &spawner, discard))
            .map_err(|source| {
                let name = name.clone();
                Error::Spawn { name, source }
            })?;
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
        Ok(JoinHandle::new(child, read_answer))
    }
}

fn read_answer<R: DeserializeOwned + 'static>(answer: Envelope) -> std::result::Result<R, String> {
    envelope::open(answer, codec::read)
}
