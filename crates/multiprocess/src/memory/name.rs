//! The names of shared memory. Those of a run have one prefix, and are in one folder:
//!
//! ```text
//! mp-4a1f-93c0…                   the run: the pid of the process that began it, and 64 random bits
//! mp-4a1f-93c0….lease             every process of the run holds a shared lock on it
//! mp-4a1f-93c0….alive-…           one process of the run holds a shared lock on it
//! mp-4a1f-93c0…-4a1f…-0           a segment; every process that has it open holds a shared lock on it
//! mp-4a1f-93c0…-4a1f…-0.left      a file that belongs to a segment
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

    /// Returns the path of a file of the run that isn't a segment.
    pub(super) fn file(self, suffix: &str) -> PathBuf {
        path(&format!("{self}.{suffix}"))
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

/// The name of a segment. Its parts can be sent, and can't form a path outside the folder.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub(crate) struct SegmentName {
    pub(super) run: Run,
    /// The unique number of the process that created it, and which of its segments it is.
    maker: u64,
    number: u64,
    /// The suffix of a child segment's name; it is found by its parent's name, and isn't sent.
    #[serde(skip)]
    suffix: String,
}

impl SegmentName {
    pub(super) fn new(run: Run, maker: u64, number: u64) -> SegmentName {
        SegmentName {
            run,
            maker,
            number,
            suffix: String::new(),
        }
    }

    /// Returns the name of a child segment, or of a file that belongs to the segment.
    pub(super) fn child(&self, suffix: &str) -> SegmentName {
        SegmentName {
            suffix: suffix.to_owned(),
            ..self.clone()
        }
    }

    pub(super) fn is_child(&self) -> bool {
        !self.suffix.is_empty()
    }

    pub(super) fn path(&self) -> PathBuf {
        path(&self.to_string())
    }

    pub(super) fn remove(&self) {
        remove(&self.to_string());
    }

    /// Removes the files that belong to a segment, by the bits that were [noted](COMPANIONS).
    pub(super) fn remove_companions(&self, noted: u32) {
        for (bit, suffix) in COMPANIONS.iter().enumerate() {
            if noted & 1 << bit != 0 {
                remove(&self.child(suffix).to_string());
            }
        }
        if noted & OTHERS != 0 {
            let prefix = format!("{self}.");
            for (name, _) in entries().filter(|(name, _)| name.starts_with(&prefix)) {
                remove(&name);
            }
        }
    }
}

/// Returns the bit for a file of that suffix, which belongs to a segment.
pub(super) fn companion_bit(suffix: &str) -> u32 {
    let known = COMPANIONS.iter().position(|known| *known == suffix);
    known.map_or(OTHERS, |bit| 1 << bit)
}

/// Suffixes that have a bit of their own, which says whether the file was made. The first are those of a segment's
/// turns and lock.
pub(super) const COMPANIONS: [&str; 7] =
    ["turn0", "turn1", "turn2", "turn3", "lock", "left", "right"];

/// The bit for all other suffixes: files with these have to be searched for.
const OTHERS: u32 = 1 << 31;

impl fmt::Display for SegmentName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{:x}-{:x}", self.run, self.maker, self.number)?;
        if self.is_child() {
            write!(f, ".{}", self.suffix)?;
        }
        Ok(())
    }
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
    use super::{Run, SegmentName};

    #[test]
    fn the_run_of_a_name_is_found_and_other_names_have_none() {
        let run = Run::new();
        let segment = SegmentName::new(run, 7, 255);
        assert!(segment.to_string().ends_with("-7-ff"), "{segment}");
        assert_eq!(Run::of(&segment.to_string()), Some(run));
        let child = segment.child("a1");
        assert_eq!(Run::of(&child.to_string()), Some(run));
        assert_eq!(run.rest(&child.to_string()), Some("-7-ff.a1"));
        let lease = run.file("lease");
        let lease = lease.file_name().unwrap().to_str().unwrap();
        assert_eq!(Run::of(lease), Some(run));
        assert_ne!(Run::new(), run);
        let others = " mp- mp-1-2 mp-1-0000000000000002 mp-1-0000000000000002x np-1-0000000000000002.lease \
                      mp-01-0000000000000002.lease mp-+1-0000000000000002.lease \
                      mp-1-00000000000000AB.lease mp-1-00000000000000é.lease";
        for other in others.split(' ') {
            assert_eq!(Run::of(other), None, "{other}");
        }
    }
}
