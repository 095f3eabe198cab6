//! Ends the test program, and the processes that it started, when a test takes too long.

use std::sync::{Mutex, Once, PoisonError};
use std::time::{Duration, Instant};

use super::proc;

struct Watched {
    name: &'static str,
    deadline: Instant,
}

static WATCHED: Mutex<Vec<Watched>> = Mutex::new(Vec::new());

/// A test that is running.
pub(crate) struct Running(&'static str);

impl Drop for Running {
    fn drop(&mut self) {
        let mut watched = WATCHED.lock().unwrap_or_else(PoisonError::into_inner);
        watched.retain(|test| test.name != self.0);
    }
}

/// Watches a test until the returned value is dropped.
pub(crate) fn watch(name: &'static str, limit: Duration) -> Running {
    static START: Once = Once::new();
    let deadline = Instant::now() + limit;
    WATCHED
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(Watched { name, deadline });
    START.call_once(|| {
        std::thread::spawn(patrol);
    });
    Running(name)
}

fn patrol() {
    loop {
        std::thread::sleep(Duration::from_millis(200));
        let watched = WATCHED.lock().unwrap_or_else(PoisonError::into_inner);
        if watched.iter().all(|test| Instant::now() < test.deadline) {
            continue;
        }
        let late: Vec<&str> = watched.iter().map(|test| test.name).collect();
        eprintln!("these tests are still running, one of them for too long: {late:?}");
        end_descendants(std::process::id());
        std::process::abort();
    }
}

fn end_descendants(parent: u32) {
    for child in proc::children_of(parent) {
        end_descendants(child);
        proc::kill(child);
    }
}
