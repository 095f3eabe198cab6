//! Turns: locks in a segment that guard no memory, but let processes do something one after the other.

use std::marker::PhantomData;
use std::time::Instant;

use crate::memory::run_file::{self, Existence};
use crate::memory::segment::{Segment, is_portable};
use crate::platform::file_lock::{FileLock, Refused};
use crate::platform::robust_mutex::RobustMutex;

/// A turn of a segment, held by this thread.
pub(crate) struct Turn<'a> {
    lock: TurnLock<'a>,
    /// The mutex belongs to the thread that locked it.
    not_send: PhantomData<*mut ()>,
}

enum TurnLock<'a> {
    Mutex(&'a RobustMutex),
    File(&'a FileLock),
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        match self.lock {
            TurnLock::Mutex(mutex) => mutex.unlock(),
            TurnLock::File(file) => file.unlock(),
        }
    }
}

impl Segment {
    /// Waits for a turn until the deadline; without a deadline, as long as it takes.
    pub(crate) fn turn(
        &self,
        which: usize,
        deadline: Option<Instant>,
    ) -> Result<Turn<'_>, Refused> {
        if is_portable() {
            let file = self.file_turn(which)?;
            file.lock_until(deadline)?;
            return Ok(Turn {
                lock: TurnLock::File(file),
                not_send: PhantomData,
            });
        }
        let mutex = &self.header().turns[which].0;
        // A holder that died left nothing half done: turns are used only where that is so.
        match deadline {
            None => mutex.lock()?,
            Some(deadline) => mutex.lock_until(deadline)?,
        }
        Ok(Turn {
            lock: TurnLock::Mutex(mutex),
            not_send: PhantomData,
        })
    }

    /// Takes a turn if it is free.
    pub(crate) fn try_turn(&self, which: usize) -> Result<Turn<'_>, Refused> {
        if is_portable() {
            return self.turn(which, Some(Instant::now()));
        }
        let mutex = &self.header().turns[which].0;
        mutex.try_lock()?;
        Ok(Turn {
            lock: TurnLock::Mutex(mutex),
            not_send: PhantomData,
        })
    }

    fn file_turn(&self, which: usize) -> Result<&FileLock, Refused> {
        let place = &self.file_turns[which];
        if let Some(file) = place.get() {
            return Ok(file);
        }
        let _making = crate::memory::registry::making().map_err(Refused::System)?;
        let file = self
            .companion(&format!("turn{which}"))
            .and_then(|path| run_file::open(&path, Existence::Either))
            .map_err(Refused::System)?;
        Ok(place.get_or_init(|| FileLock::new(file)))
    }
}
