//! Creating a segment: its name, its memory, and its header; and the other segments and files that belong to it, which
//! are found by its name and a suffix.

use std::io::{self, ErrorKind};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::memory::layout::HEADER;
use crate::memory::liveness::UniquePid;
use crate::memory::name::{SegmentName, companion_bit};
use crate::memory::registry;
use crate::memory::run_file::{self, Existence};
use crate::memory::segment::{Access, Address, Mapping, Segment};
use crate::platform::limits;

impl Segment {
    /// Creates a segment of `length` bytes, all zero, that no other process knows.
    pub(crate) fn create(length: usize, usage: Access) -> io::Result<Arc<Segment>> {
        static MADE: AtomicU64 = AtomicU64::new(0);
        let _making = registry::making()?;
        let run = registry::own_run()?;
        registry::join(run)?;
        loop {
            let made = MADE.fetch_add(1, Ordering::Relaxed);
            // No later process uses the same name, so a process that was stopped while it removed one does no harm.
            let place = SegmentName::new(run, UniquePid::own().number(), made);
            match Self::create_at(place, length, usage) {
                // Another process took that name, which it guessed from an earlier one.
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                made => return made,
            }
        }
    }

    /// Creates a dependent: a segment that is found by this one's name and a suffix, and removed with it. Replaces an
    /// earlier one with that suffix.
    pub(crate) fn create_dependent(&self, suffix: &str, length: usize) -> io::Result<Arc<Segment>> {
        let _making = registry::making()?;
        let path = self.companion(suffix)?;
        if path.symlink_metadata().is_ok() {
            self.remove_dependent(suffix);
        }
        Self::create_at(self.address.place.child(suffix), length, Access::Atomic)
    }

    pub(crate) fn open_dependent(&self, suffix: &str) -> io::Result<Arc<Segment>> {
        self.check_process()?;
        Self::open(&self.address.place.child(suffix), None, Access::Atomic)
    }

    /// Removes a dependent that is no longer used, even if processes still have it open.
    pub(crate) fn remove_dependent(&self, suffix: &str) {
        if self.check_process().is_ok() {
            let place = self.address.place.child(suffix);
            if let Ok(memory) = run_file::open(&place.path(), Existence::Old) {
                limits::release(&memory, HEADER as u64);
            }
            place.remove();
        }
    }

    /// Returns the path of a file that belongs to the segment.
    pub(crate) fn companion(&self, suffix: &str) -> io::Result<PathBuf> {
        self.check_process()?;
        let noted = &self.header().accompanied;
        noted.fetch_or(companion_bit(suffix), Ordering::Relaxed);
        Ok(self.address.place.child(suffix).path())
    }

    fn create_at(place: SegmentName, length: usize, usage: Access) -> io::Result<Arc<Segment>> {
        let total = HEADER.saturating_add(length) as u64;
        limits::check(total)?;
        let users = run_file::hold(&place.path(), Existence::New)?;
        // Otherwise, with too little memory, the first write would end the process by a signal.
        let reserved = limits::reserve(&users, total);
        let mapping = reserved.and_then(|()| Mapping::of(&place.path(), total));
        let mapping = mapping.inspect_err(|_| place.remove())?;
        // From here on, its drop removes the name, or that of the segment to which it belongs.
        let address = Address {
            place,
            length,
            usage,
        };
        let segment = Segment::new(mapping, address, Arc::new(users));
        #[cfg(all(target_os = "linux", not(multiprocess_twins)))]
        segment.make_mutexes()?;
        let header = segment.header();
        header.length.store(length as u64, Ordering::Relaxed);
        header.mark.store(usage.mark(), Ordering::Release);
        segment.share(true)
    }
}
