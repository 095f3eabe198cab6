//! The start and the end of a child process: what [`init`](crate::init) does.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::net::UnixStream;
use std::panic::{AssertUnwindSafe, catch_unwind};

use rustix::process::{Signal, getpid, kill_process};

use crate::channel::ring;
use crate::errors::current;
use crate::errors::failure::Failure;
use crate::errors::task_failure::TaskFailure;
use crate::memory::liveness::{self, UniquePid};
use crate::memory::owner::Owner;
use crate::memory::{freeing, registry, sweep};
use crate::platform::limits::explained;
use crate::platform::{exit_watch, inherited, process, program, shared_folder};
use crate::process::control_socket::{self, Frame, Kind};
use crate::process::start::{self, MARK, Start};
use crate::process::task_table::{self, RegisteredTask};
use crate::process::{at_exit, panic, sweeper};
use crate::trace::events::{self, event};
use crate::transfer::envelope::Envelope;
use crate::transfer::ipc;

/// Exit code of a child whose function panicked: that of a Rust program that panicked.
const PANICKED: i32 = 101;
/// Exit code of a child whose function returned an error, or could not be run, or whose value could not be sent.
const FAILED: i32 = 1;
/// Exit code of a program that was started with wrong arguments.
const USAGE: i32 = 2;

/// Registers the functions that children may run; in a child, runs the requested one, and exits.
pub(crate) fn begin(tasks: Vec<RegisteredTask>) {
    task_table::register(tasks);
    // Any process may free the last reference to a channel.
    freeing::discard_with(ring::discard);
    program::note();
    at_exit::prepare();
    if start::is_child() {
        std::process::exit(run());
    }
    events::prepare();
    ipc::prepare();
    registry::clear_dead_runs();
}

/// Runs a child from start to end; returns its exit code.
fn run() -> i32 {
    let socket = match take_socket() {
        Ok(socket) => current::keep_socket(socket),
        Err(error) => {
            let why = explained(&error);
            eprintln!(
                "{MARK} is for the child processes that a program with the crate `multiprocess` starts; \
                 don't pass it yourself ({why})"
            );
            return USAGE;
        }
    };
    inherited::close(socket.as_raw_fd());
    let mut envelope = match control_socket::receive_frame(socket) {
        Ok(Some((Kind::Start, envelope))) => envelope,
        // The parent has died.
        Ok(_) => return FAILED,
        Err(error) => return fail(socket, &Failure::NotStarted(explained(&error))),
    };
    let Ok(mut start) = postcard::from_bytes::<Start>(&envelope.bytes) else {
        return fail(socket, &Failure::OtherProgram("a function".to_owned()));
    };
    start.identity.this.pid = std::process::id();
    if start.has_input
        && let Some(input) = envelope.files.pop()
        && let Err(error) = rustix::stdio::dup2_stdin(input)
    {
        return fail(socket, &Failure::NotStarted(explained(&error.into())));
    }
    let ends_with_parent = start.identity.ends_with_parent;
    process::set_name(&start.identity.this.name);
    liveness::inherit(start.random_half);
    current::become_child(start.identity);
    if ends_with_parent {
        if !start.dies_with.is_none_or(process::end_with) {
            return FAILED;
        }
        let end = || {
            let _ = kill_process(getpid(), Signal::KILL);
        };
        if let Err(error) = when_parent_ends(socket, end) {
            let why = explained(&error);
            let reason = format!("it ends with its parent, but can't watch it: {why}");
            return fail(socket, &Failure::NotStarted(reason));
        }
    }
    if let Some(folder) = start.shared_folder {
        shared_folder::inherit(folder.into());
    }
    if let Some(run) = start.run {
        registry::inherit(run);
        if !ends_with_parent {
            // If the parent is killed, this process keeps the run from being over, and removes what the parent left in
            // it. If no thread can start, that is freed at the end of the run.
            let _ = when_parent_ends(socket, move || {
                sweep::become_orphan(run);
                sweeper::start();
            });
        }
    }
    // This closes the parent's lease, now that we have our own.
    drop(envelope);
    std::panic::set_hook(Box::new(panic::announce));
    events::prepare();

    let table = task_table::table().unwrap_or_default();
    let task = table
        .get(start.index as usize)
        .filter(|task| task.name == start.function && table.len() == start.tasks);
    let Some(task) = task else {
        return fail(socket, &Failure::OtherProgram(start.function));
    };
    let arguments = match control_socket::receive_frame(socket) {
        Ok(Some((Kind::Arguments, mut arguments))) => {
            arguments.receive(&[Owner::transit(UniquePid::current())]);
            arguments
        }
        Ok(_) => return FAILED,
        Err(error) => {
            let reason = explained(&error);
            let failure = TaskFailure::UnreadableInput { reason };
            return fail(socket, &Failure::Task(failure));
        }
    };
    send(socket, Kind::Started, Vec::new());
    let code = answer(socket, task, arguments, start.parent);
    at_exit::end();
    code
}

/// Runs the function and sends its result or failure; returns the exit code.
fn answer(socket: &UnixStream, task: &RegisteredTask, arguments: Envelope, parent: u64) -> i32 {
    event!(DEBUG, function = task.name, "task begins");
    let opened = || send(socket, Kind::Unpacked, Vec::new());
    let result = catch_unwind(AssertUnwindSafe(|| (task.run)(arguments, &opened)));
    event!(DEBUG, function = task.name, "task ends");
    let sent = match result {
        Ok(answer) => answer.and_then(|answer| {
            Frame::new(Kind::Answer, answer)
                .and_then(|(frame, attachments)| {
                    frame.send(socket)?;
                    attachments.commit();
                    if let Some(parent) = UniquePid::from_number(parent) {
                        attachments.pass_to(Owner::transit(parent));
                    }
                    Ok(())
                })
                .map_err(|error| TaskFailure::UnsendableResult {
                    reason: explained(&error),
                })
        }),
        Err(payload) => Err(panic::failure(payload.as_ref())),
    };
    sent.map_or_else(|failure| fail(socket, &Failure::Task(failure)), |()| 0)
}

/// Reports to the parent why there is no result; returns the exit code.
fn fail(socket: &UnixStream, failure: &Failure) -> i32 {
    let bytes = postcard::to_stdvec(failure).expect("a failure is a few strings");
    send(socket, Kind::Failed, bytes);
    match failure {
        Failure::Task(TaskFailure::Panicked { .. }) => PANICKED,
        _ => FAILED,
    }
}

/// Sends a frame to the parent, which may be gone.
fn send(socket: &UnixStream, kind: Kind, bytes: Vec<u8>) {
    let envelope = Envelope {
        bytes,
        ..Envelope::default()
    };
    let _ = Frame::new(kind, envelope).and_then(|(frame, _)| frame.send(socket));
}

/// Takes the control socket from standard input, and leaves an empty standard input behind.
fn take_socket() -> io::Result<UnixStream> {
    let socket = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
    // Fails if standard input isn't a socket.
    socket.local_addr()?;
    // If there is no such file, standard input stays the socket, which nothing else reads.
    if let Ok(empty) = File::open("/dev/null") {
        rustix::stdio::dup2_stdin(empty)?;
    }
    Ok(socket)
}

/// Starts a thread that calls `act` when the parent ends for whatever reason: until then, its end of the socket is
/// open.
fn when_parent_ends(
    socket: &'static UnixStream,
    act: impl FnOnce() + Send + 'static,
) -> io::Result<()> {
    let thread = std::thread::Builder::new().name("parent watch".to_owned());
    let watch = thread.spawn(move || {
        exit_watch::wait_for(&mut [exit_watch::hang_up(socket)], None);
        act();
    });
    watch.map(drop)
}
