//! A list of the threads that are alive. The standard library keeps none.

use std::sync::Mutex;
use std::thread::{self, Thread, ThreadId};

static ALIVE: Mutex<Vec<Thread>> = Mutex::new(Vec::new());

/// Removes its thread from the list when it is dropped.
pub struct Registration {
    id: ThreadId,
}

pub fn register() -> Registration {
    let me = thread::current();
    let id = me.id();
    ALIVE.lock().unwrap().push(me);
    Registration { id }
}

impl Drop for Registration {
    fn drop(&mut self) {
        let mut alive = ALIVE.lock().unwrap();
        alive.retain(|thread| thread.id() != self.id);
    }
}

pub fn names() -> Vec<String> {
    let mut names = Vec::new();
    for thread in ALIVE.lock().unwrap().iter() {
        names.push(thread.name().unwrap_or("(no name)").to_string());
    }
    names.sort();
    names
}
