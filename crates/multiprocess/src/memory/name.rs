//! The names of shared memory. Those of a run have one prefix, and are in one folder:
//!
//! ```text
//! mp-4a1f-93c0…                   the run: the pid of the process that began it, and 64 random bits
//! mp-4a1f-93c0….lease             every process of the run holds a shared lock on it
//! mp-4a1f-93c0….alive-…           one process of the run has it locked; `new-…` before it is locked
//! mp-4a1f-93c0…-b29e…             a chunk, in which slots are
//! mp-4a1f-93c0….locks             the portable version of the locks in all slots
//! ```

use std::fmt;
use std::fs::{self, DirEntry};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::ErrorKind;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::platform::shared_folder::shared_folder;

/// A run. Its name is random, so that no program can take it in advance.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub(crate) struct Run {
    pid: u32,
    random: u64,
}

impl Run {
    pub(super) fn new() -> Run {
        let (pid, random) = (std::process::id(), random());
        Run { pid, random }
    }

    /// Returns the two numbers in its name.
    pub(super) fn parts(self) -> (u32, u64) {
        (self.pid, self.random)
    }

    pub(super) fn of_parts(pid: u32, random: u64) -> Run {
        Run { pid, random }
    }

    pub(super) fn of(name: &str) -> Option<Run> {
        let (pid, rest) = name.strip_prefix("mp-")?.split_once('-')?;
        let pid = u32::from_str_radix(pid, 16).ok()?;
        let random = u64::from_str_radix(rest.get(..16)?, 16).ok()?;
        let run = Run { pid, random };
        let rest = run.rest(name)?;
        rest.starts_with(['-', '.']).then_some(run)
    }

    /// Returns the part of a name after the run.
    pub(super) fn rest(self, name: &str) -> Option<&str> {
        name.strip_prefix(&self.to_string())
    }

    pub(super) fn lease(self) -> PathBuf {
        self.file("lease")
    }

    /// Returns the path of a file of the run that isn't a chunk.
    pub(super) fn file(self, suffix: &str) -> PathBuf {
        path(&format!("{self}.{suffix}"))
    }

    /// Returns a number for a new chunk: random, so that processes which make chunks rarely choose the same. (A process
    /// that was stopped while it removed a chunk would remove a later one of the same number.)
    pub(super) fn new_number() -> u32 {
        loop {
            let number = u32::try_from(random() >> 40).expect("24 bits");
            if number != 0 {
                return number;
            }
        }
    }

    pub(super) fn chunk(self, number: u32) -> PathBuf {
        path(&self.chunk_name(number))
    }

    fn chunk_name(self, number: u32) -> String {
        format!("{self}-{number:x}")
    }

    pub(super) fn remove_chunk(self, number: u32) {
        remove(&self.chunk_name(number));
    }

    /// Returns the number of a chunk, by its name.
    pub(super) fn chunk_number(self, name: &str) -> Option<u32> {
        let number = self.rest(name)?.strip_prefix('-')?;
        u32::from_str_radix(number, 16)
            .ok()
            .filter(|number| *number != 0)
    }
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "mp-{:x}-{:016x}", self.pid, self.random)
    }
}

/// Returns 64 unpredictable bits.
pub(super) fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}

/// Returns the names in the folder.
pub(super) fn entries() -> impl Iterator<Item = (String, DirEntry)> {
    let entries = fs::read_dir(shared_folder()).into_iter().flatten();
    let named = |entry: DirEntry| Some((entry.file_name().into_string().ok()?, entry));
    entries.flatten().filter_map(named)
}

pub(super) fn path(name: &str) -> PathBuf {
    shared_folder().join(name)
}

/// Removes a name, and with it the memory; returns whether it no longer exists.
pub(super) fn remove(name: &str) -> bool {
    match fs::remove_file(path(name)) {
        Ok(()) => true,
        Err(error) => error.kind() == ErrorKind::NotFound,
    }
}

#[cfg(test)]
mod tests {
    use super::Run;

    #[test]
    fn the_run_of_a_name_is_found_and_other_names_have_none() {
        let run = Run::new();
        let chunk = run.chunk(255);
        let chunk = chunk.file_name().unwrap().to_str().unwrap();
        assert_eq!(Run::of(chunk), Some(run));
        assert_eq!(run.rest(chunk), Some("-ff"));
        assert_eq!(run.chunk_number(chunk), Some(255));
        let lease = run.file("lease");
        let lease = lease.file_name().unwrap().to_str().unwrap();
        assert_eq!(Run::of(lease), Some(run));
        assert_eq!(run.chunk_number(lease), None);
        assert_ne!(Run::new(), run);
        let others = " mp- mp-1-2 mp-1-0000000000000002 mp-1-0000000000000002x np-1-0000000000000002.lease \
                      mp-01-0000000000000002.lease mp-+1-0000000000000002.lease \
                      mp-1-00000000000000AB.lease mp-1-00000000000000é.lease";
        for other in others.split(' ') {
            assert_eq!(Run::of(other), None, "{other}");
        }
    }
}
