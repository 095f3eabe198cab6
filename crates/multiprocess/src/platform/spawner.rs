//! The thread that starts processes which end with this one.
//!
//! On Linux, such a process requests SIGKILL for the death of its parent, which ends it even while it is stopped. The
//! system regards the *thread* that started it as its parent, so a thread that lives as long as its process has to
//! start it. Elsewhere any thread can, and a stopped process ends when it continues.

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
    /// Whether it lives as long as its process.
    pub(crate) lasts: bool,
    /// Sends orders to a thread that never ends; `None` for the caller's thread.
    orders: Option<Sender<Order>>,
}

/// Sends the thread's orders, and the process that it belongs to: a forked copy doesn't have the thread.
static THREAD: Mutex<Option<(u32, Sender<Order>)>> = Mutex::new(None);

impl Spawner {
    /// Returns a spawner; if `lasting`, one that lives as long as this process, if that matters and a thread can be
    /// started.
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
        // A process inherits the blocked signals of the thread that starts it.
        let blocked = SigSet::thread_get_mask().ok();
        let order = move || {
            if let Some(blocked) = blocked {
                let _ = blocked.thread_set_mask();
            }
            let started = command.spawn();
            // The command holds our copy of the child's end of the control socket.
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
