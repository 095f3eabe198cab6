//! Making a segment: its name, its memory, and the header in it.

use std::fs::OpenOptions;
use std::io::ErrorKind;
use std::os::unix::fs::OpenOptionsExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use shared_memory::{Shmem, ShmemConf, ShmemError};

use crate::memory::incarnation::Incarnation;
use crate::memory::layout::{HEADER, MARK};
use crate::memory::name::{SegmentName, os_id};
use crate::memory::registry;
use crate::memory::segment::{Access, Segment, open_segments};
use crate::platform::capacity;

impl Segment {
    /// Makes a segment of `length` bytes, all zero, that nobody else knows.
    pub(crate) fn create(length: usize, usage: Access) -> std::io::Result<Arc<Segment>> {
        static MADE: AtomicU64 = AtomicU64::new(0);
        let total = total(length)?;
        let _making = registry::making()?;
        let folder = registry::folder()?;
        let run = folder
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        loop {
            let made = MADE.fetch_add(1, Ordering::Relaxed);
            // No later process gives the same name: a process that was stopped while it removed one does no harm.
            let name = format!("mp-{run}-{:x}-{made:x}", Incarnation::own().number());
            let place = SegmentName {
                name,
                folder: folder.clone(),
            };
            match Self::create_at(place, total, length, usage, false) {
                // A process of the run that had this pid before gave that name.
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                // It was taken for a dead process's, before it was locked.
                Err(error) if error.kind() == ErrorKind::NotFound && folder.is_dir() => {}
                made => return made,
            }
        }
    }

    /// Makes it at that place, of `total` bytes with its header.
    pub(super) fn create_at(
        place: SegmentName,
        total: usize,
        length: usize,
        usage: Access,
        dependent: bool,
    ) -> std::io::Result<Arc<Segment>> {
        // The name is written down before it is given out: whatever happens next, it will be cleared away.
        let users = registry::hold(
            &place.users(),
            OpenOptions::new()
                .read(true)
                .write(true)
                .create_new(true)
                .mode(0o600),
        )?;
        let segment = Self::map_new(&place, total).and_then(|mapping| {
            #[cfg(all(target_os = "linux", not(multiprocess_twins)))]
            Self::make_mutexes(&mapping)?;
            Self::assemble(mapping, place.clone(), length, usage, users, dependent)
        });
        let mut segment = segment.map_err(|error| {
            place.forget();
            match error.kind() {
                // Only the file of the name may be gone: a system without shared memory is no reason to try again.
                ErrorKind::NotFound => std::io::Error::other(error),
                _ => error,
            }
        })?;
        segment.mapping.set_owner(false);
        let header = segment.header();
        header.length.store(length as u64, Ordering::Relaxed);
        header
            .atomic
            .store(u32::from(usage == Access::Atomic), Ordering::Relaxed);
        header.mark.store(MARK, Ordering::Release);
        let segment = Arc::new(segment);
        open_segments()
            .get_or_insert_default()
            .insert(place, Arc::downgrade(&segment));
        Ok(segment)
    }

    /// Maps a new name, and has the memory set aside: to learn that there is too little of it at the first write
    /// would be to learn it by a signal.
    fn map_new(place: &SegmentName, total: usize) -> std::io::Result<Shmem> {
        let made = ShmemConf::new()
            .os_id(os_id(&place.name))
            .size(total)
            .create();
        // While it is the owner, dropping it removes the name.
        let mapping = made.map_err(|error| match error {
            ShmemError::MappingIdExists => ErrorKind::AlreadyExists.into(),
            ShmemError::MapCreateFailed(code) | ShmemError::UnknownOsError(code) => {
                capacity::not_made(code)
            }
            other => std::io::Error::other(other),
        })?;
        capacity::reserve(&place.name, total as u64)?;
        Ok(mapping)
    }
}

/// Bytes of a segment with its header; an error if there is less memory than that.
pub(super) fn total(length: usize) -> std::io::Result<usize> {
    let total = HEADER
        .checked_add(length)
        .filter(|&total| isize::try_from(total).is_ok());
    let total = total.ok_or_else(|| capacity::too_large(capacity::free_memory().unwrap_or(0)))?;
    capacity::check(total as u64)?;
    Ok(total)
}
