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

/// Which thread starts a process; by default the caller's, which may end before its process does.
#[derive(Default)]
pub(crate) struct Spawner {
    /// Whether it lasts as long as its process.
    pub(crate) lasts: bool,
    /// Of a thread that never ends, if not the caller's.
    orders: Option<Sender<Order>>,
}

/// The thread's orders, and the process that it belongs to: a forked copy doesn't have the thread.
static THREAD: Mutex<Option<(u32, Sender<Order>)>> = Mutex::new(None);

impl Spawner {
    /// Returns a spawner, which lasts as long as this process if that is wanted, makes a difference, and a thread can be
    /// had.
    pub(crate) fn new(lasting: bool) -> Spawner {
        if !lasting || platform::is_portable() {
            return Spawner::default();
        }
        let this = std::process::id();
        let mut orders = None;
        if u32::try_from(platform::process::thread_id()) != Ok(this) {
            let mut thread = THREAD.lock().unwrap_or_else(PoisonError::into_inner);
            if !matches!(&*thread, Some((process, _)) if *process == this) {
                *thread = start_thread().ok().map(|orders| (this, orders));
            }
            let Some((_, thread)) = &*thread else {
                return Spawner::default();
            };
            orders = Some(thread.clone());
        }
        Spawner {
            lasts: true,
            orders,
        }
    }

    pub(crate) fn spawn(&self, mut command: Command) -> io::Result<Child> {
        let Some(orders) = &self.orders else {
            return command.spawn();
        };
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

fn start_thread() -> io::Result<Sender<Order>> {
    let (sender, orders) = mpsc::channel::<Order>();
    let thread = std::thread::Builder::new().name("spawner".to_owned());
    thread.spawn(move || orders.into_iter().for_each(|order| order()))?;
    Ok(sender)
}
