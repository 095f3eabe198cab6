//! The thread that starts processes which end with this one.
//!
//! On Linux such a process asks the system for SIGKILL at the death of its parent, which ends it even while it is
//! stopped. The system takes the *thread* that started it for its parent, so only a thread that lasts as long as its
//! process may start it. Elsewhere any thread will do, and a stopped process ends when it goes on.

use std::io;
use std::process::{Child, Command};
use std::sync::mpsc::{self, Sender};
use std::sync::{Mutex, PoisonError};

use nix::sys::signal::SigSet;

use crate::platform;

type Order = Box<dyn FnOnce() + Send>;

/// Which thread starts a process.
pub(crate) enum Spawner {
    /// The calling one, which may end before its process does.
    Caller,
    /// The calling one, the main thread.
    Main,
    /// A thread that never ends.
    Thread(Sender<Order>),
}

/// The thread's orders, and the process that it belongs to: a forked copy doesn't have the thread.
static THREAD: Mutex<Option<(u32, Sender<Order>)>> = Mutex::new(None);

impl Spawner {
    /// Returns a spawner that lasts as long as this process, where that makes a difference and a thread can be had.
    pub(crate) fn lasting() -> Spawner {
        if platform::is_portable() {
            return Spawner::Caller;
        }
        if u32::try_from(platform::process::thread_id()) == Ok(std::process::id()) {
            return Spawner::Main;
        }
        let mut thread = THREAD.lock().unwrap_or_else(PoisonError::into_inner);
        let this = std::process::id();
        if !matches!(&*thread, Some((process, _)) if *process == this) {
            *thread = start_thread().ok().map(|orders| (this, orders));
        }
        match &*thread {
            Some((_, orders)) => Spawner::Thread(orders.clone()),
            None => Spawner::Caller,
        }
    }

    /// Returns whether the thread lasts as long as this process.
    pub(crate) fn lasts(&self) -> bool {
        !matches!(self, Spawner::Caller)
    }

    pub(crate) fn spawn(&self, mut command: Command) -> io::Result<Child> {
        match self {
            Spawner::Caller | Spawner::Main => command.spawn(),
            Spawner::Thread(orders) => {
                let ended = || io::Error::other("the thread that starts processes has ended");
                let (reply, started) = mpsc::channel();
                // A process takes the blocked signals from the thread that starts it.
                let blocked = SigSet::thread_get_mask().ok();
                let order = move || {
                    if let Some(blocked) = blocked {
                        let _ = blocked.thread_set_mask();
                    }
                    let started = command.spawn();
                    // The command has our copy of the child's end of the control socket.
                    drop(command);
                    let _ = reply.send(started);
                };
                orders.send(Box::new(order)).map_err(|_| ended())?;
                started.recv().map_err(|_| ended())?
            }
        }
    }
}

fn start_thread() -> io::Result<Sender<Order>> {
    let (sender, orders) = mpsc::channel::<Order>();
    let thread = std::thread::Builder::new().name("spawner".to_owned());
    thread.spawn(move || orders.into_iter().for_each(|order| order()))?;
    Ok(sender)
}
