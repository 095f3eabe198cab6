//! Segments and files that go together with a segment, and are found by its name and a suffix.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::memory::create::total;
use crate::memory::layout::HEADER;
use crate::memory::name::remove;
use crate::memory::segment::{Access, Segment, open_segment};
use crate::platform::capacity;

impl Segment {
    /// Makes a segment that is found by this one's name and a suffix, and goes together with it. What the suffix
    /// led to before is removed.
    pub(crate) fn create_dependent(
        &self,
        suffix: &str,
        length: usize,
    ) -> std::io::Result<Arc<Segment>> {
        let total = total(length)?;
        let _making = crate::memory::registry::making()?;
        self.header().accompanied.store(1, Ordering::Relaxed);
        let place = self.place.dependent(suffix);
        if place.users().exists() {
            self.remove_dependent(suffix);
        }
        Self::create_at(place, total, length, Access::Atomic, true)
    }

    /// Opens a dependent of this segment.
    pub(crate) fn open_dependent(&self, suffix: &str) -> Result<Arc<Segment>, String> {
        let place = self.place.dependent(suffix);
        match open_segment(&place) {
            Some(segment) => Ok(segment),
            None => Self::map_at(&place, None, Access::Atomic, true),
        }
    }

    /// Removes a dependent that nobody will use any more, also for those who still have it open.
    pub(crate) fn remove_dependent(&self, suffix: &str) {
        let place = self.place.dependent(suffix);
        capacity::give_back(&place.name, HEADER as u64);
        let _ = remove(&place.name);
        place.forget();
    }

    /// The path of a file that goes together with the segment.
    pub(crate) fn companion(&self, suffix: &str) -> PathBuf {
        self.header().accompanied.store(1, Ordering::Relaxed);
        self.place.dependent(suffix).users()
    }
}
