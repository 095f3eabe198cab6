//! Segments and files that belong to a segment, and are found by its name and a suffix.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::memory::create::total;
use crate::memory::layout::HEADER;
use crate::memory::name::companion_bit;
use crate::memory::registry;
use crate::memory::segment::{Access, Segment};
use crate::platform::capacity;

impl Segment {
    /// Makes a dependent: a segment that is found by this one's name and a suffix, and removed with it. Replaces an
    /// earlier one of that suffix.
    pub(crate) fn create_dependent(
        &self,
        suffix: &str,
        length: usize,
    ) -> std::io::Result<Arc<Segment>> {
        let total = total(length)?;
        let _making = registry::making()?;
        let path = self.companion(suffix)?;
        if path.symlink_metadata().is_ok() {
            self.remove_dependent(suffix);
        }
        Self::create_at(self.place.child(suffix), total, length, Access::Atomic)
    }

    /// Opens a dependent of this segment.
    pub(crate) fn open_dependent(&self, suffix: &str) -> Result<Arc<Segment>, String> {
        self.check_process().map_err(|error| error.to_string())?;
        Self::open(&self.place.child(suffix), None, Access::Atomic)
    }

    /// Removes a dependent that is no longer used, even if processes still have it open.
    pub(crate) fn remove_dependent(&self, suffix: &str) {
        if self.check_process().is_ok() {
            let place = self.place.child(suffix);
            capacity::release(&place.to_string(), HEADER as u64);
            place.remove();
        }
    }

    /// Returns the path of a file that belongs to the segment.
    pub(crate) fn companion(&self, suffix: &str) -> std::io::Result<PathBuf> {
        self.check_process()?;
        let noted = &self.header().accompanied;
        noted.fetch_or(companion_bit(suffix), Ordering::Relaxed);
        Ok(self.place.child(suffix).path())
    }
}
