//! Segments of shared memory: created, shared with other processes, and removed after their last user.
//!
//! One of the two files with unsafe code. It lends out the memory in one of two ways, fixed for the life of a segment:
//! as bytes, to the thread that holds the segment's lock, or as atomic numbers, to all threads.

#![allow(unsafe_code, reason = "maps memory that several processes see")]
#![allow(
    clippy::cast_ptr_alignment,
    reason = "a mapping begins at a page, and the data at a multiple of 64"
)]

use std::collections::BTreeMap;
use std::ffi::c_void;
use std::fs::File;
use std::io::{self, ErrorKind};
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::num::NonZero;
use std::ops::{Deref, DerefMut};
use std::path::Path;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};

use nix::sys::mman::{MapFlags, ProtFlags, mmap, munmap};
use serde::{Deserialize, Serialize};

use crate::memory::layout::{HEADER, Header, LOCK, WORDS};
use crate::memory::liveness::UniquePid;
use crate::memory::name::{COMPANIONS, Run, SegmentName};
use crate::memory::registry;
use crate::memory::run_file::{self, Existence};
use crate::platform::file_lock::FileLock;
use crate::platform::is_portable;
use crate::platform::limits::explained;

/// How the memory of a segment is used.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) enum Access {
    /// As bytes, under the lock.
    Locked,
    /// As atomic numbers.
    Atomic,
    /// As atomic numbers, by threads that hold the lock.
    AtomicLocked,
}

impl Access {
    /// Returns the first number of a complete segment with this use.
    pub(super) fn mark(self) -> u64 {
        0x6d75_6c74_6970_726f + self as u64
    }
}

/// The data by which another process opens a segment.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Address {
    pub(super) place: SegmentName,
    pub(super) length: usize,
    pub(super) usage: Access,
}

/// Memory that stays mapped until this is dropped; it begins with a header.
pub(super) struct Mapping {
    start: NonNull<c_void>,
    length: NonZero<usize>,
}

impl Mapping {
    /// Maps a whole file; `NotFound` if it is shorter than a header. It isn't the file that is locked, since a mapping
    /// keeps the lock of its file.
    pub(super) fn of(path: &Path, least: u64) -> io::Result<Mapping> {
        let memory = run_file::open(path, Existence::Old)?;
        let length = memory.metadata()?.len();
        let long_enough = length >= least.max(HEADER as u64);
        let length = usize::try_from(length).ok().filter(|_| long_enough);
        let length = length.and_then(NonZero::new).ok_or_else(too_short)?;
        let how = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
        // SAFETY: the system chooses where, so nothing of this process is there.
        let start = unsafe { mmap(None, length, how, MapFlags::MAP_SHARED, memory, 0)? };
        Ok(Mapping { start, length })
    }

    #[inline]
    fn header(&self) -> &Header {
        // SAFETY: there is room for a header, which is made of atomics and of mutexes; a mutex is used only after its
        // maker has initialised it.
        unsafe { self.start.cast::<Header>().as_ref() }
    }

    /// Returns where the memory after the header begins.
    #[inline]
    fn data(&self) -> *mut u8 {
        // SAFETY: the mapping is at least as long as the header.
        unsafe { self.start.cast::<u8>().add(HEADER).as_ptr() }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: it was mapped with that length, and what is borrowed from it borrows this.
        let _ = unsafe { munmap(self.start, self.length.get()) };
    }
}

fn too_short() -> io::Error {
    io::Error::new(
        ErrorKind::NotFound,
        "it is shorter than when it was created",
    )
}

/// A segment of shared memory that this process has open.
pub(crate) struct Segment {
    /// Dropped by hand: a held mutex must not move.
    pub(super) mapping: ManuallyDrop<Mapping>,
    pub(crate) address: Address,
    /// The file of the segment's name, with a shared lock, as long as this process uses the segment.
    users: Arc<File>,
    /// The portable versions of the mutexes in the segment, where they are used.
    pub(super) files: [OnceLock<FileLock>; LOCK + 1],
    /// The process that opened it, and the effective user that it had.
    pub(super) opened_by: (UniquePid, u32),
    /// How often the thread that holds the lock has kept it; written under the lock.
    pub(super) times_kept: AtomicU32,
    /// Called by its last user for each direction before the memory is unmapped.
    clear: [OnceLock<Clear>; 2],
}

/// Discards the messages in one direction of a segment that no other process has or can open.
pub(crate) type Clear = fn(&Arc<Segment>, usize);

// SAFETY: the mapping is valid in all threads of the process until `drop`, which has the segment to itself. All access
// to the memory goes through atomics, or through `SegmentGuard`, which exists once for all threads and processes.
unsafe impl Send for Segment {}
// SAFETY: as above.
unsafe impl Sync for Segment {}

/// The segments that this process has open: each is mapped once.
static OPEN: Mutex<BTreeMap<SegmentName, Weak<Segment>>> = Mutex::new(BTreeMap::new());

fn open_segments() -> MutexGuard<'static, BTreeMap<SegmentName, Weak<Segment>>> {
    OPEN.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Segment {
    pub(super) fn new(mapping: Mapping, address: Address, users: Arc<File>) -> Segment {
        Segment {
            mapping: ManuallyDrop::new(mapping),
            address,
            users,
            files: Default::default(),
            opened_by: (UniquePid::current(), run_file::user()),
            times_kept: AtomicU32::new(0),
            clear: Default::default(),
        }
    }

    /// Initialises the mutexes in a new segment that no other process knows.
    #[cfg(all(target_os = "linux", not(multiprocess_twins)))]
    pub(super) fn make_mutexes(&self) -> io::Result<()> {
        // SAFETY: as said, and this thread has not yet shared the segment.
        (0..=LOCK).try_for_each(|which| unsafe { self.header().mutex(which).init() })
    }

    /// Completes opening or creating it.
    pub(super) fn share(self, is_new: bool) -> io::Result<Arc<Segment>> {
        if is_portable() && self.address.usage != Access::Atomic {
            self.open_file(LOCK)?;
        }
        let segment = Arc::new(self);
        let mut open = open_segments();
        let known = open.entry(segment.address.place.clone()).or_default();
        match known.upgrade() {
            // Another thread has opened it meanwhile, so drop ours.
            Some(known) if !is_new => Ok(known),
            _ => {
                *known = Arc::downgrade(&segment);
                Ok(Arc::clone(&segment))
            }
        }
    }

    /// Opens the file of a turn, or of the [`LOCK`].
    pub(super) fn open_file(&self, which: usize) -> io::Result<()> {
        let file = run_file::open(&self.companion(COMPANIONS[which])?, Existence::Either)?;
        let _ = self.files[which].set(FileLock::new(file));
        Ok(())
    }

    /// Returns an error if this process may use the mapped memory, but can neither open nor count anything for it: it
    /// is a copy, made by `fork`, of the process that opened the segment, or has changed its user since.
    pub(crate) fn check_process(&self) -> io::Result<()> {
        let (process, user) = self.opened_by;
        let reason = if process != UniquePid::current() {
            format!(
                "this handle belongs to the original process (pid {}), not to this copy made by `fork`",
                process.pid()
            )
        } else if user != run_file::user() {
            format!("this handle belongs to the previous user of this process (uid {user})")
        } else {
            return Ok(());
        };
        Err(io::Error::other(reason))
    }

    /// Returns whether this process is a copy, made by `fork`, of the one that opened the segment.
    pub(crate) fn is_forked(&self) -> bool {
        self.opened_by.0 != UniquePid::current()
    }

    pub(crate) fn at(address: &Address) -> io::Result<Arc<Segment>> {
        Self::open(&address.place, Some(address.length), address.usage)
    }

    /// Opens an existing segment, of the given length or the one in its header.
    pub(super) fn open(
        place: &SegmentName,
        length: Option<usize>,
        usage: Access,
    ) -> io::Result<Arc<Segment>> {
        let known = open_segments().get(place).and_then(Weak::upgrade);
        if let Some(segment) = known {
            return segment.check_process().map(|()| segment);
        }
        Self::map(place, length, usage).map_err(|error| {
            let what = match error.kind() {
                ErrorKind::NotFound => "no longer exists",
                _ => "cannot be opened",
            };
            io::Error::other(format!(
                "the shared memory {place} {what}: {}",
                explained(&error)
            ))
        })
    }

    fn map(place: &SegmentName, length: Option<usize>, usage: Access) -> io::Result<Arc<Segment>> {
        let _making = registry::making()?;
        registry::join(place.run)?;
        let users = run_file::hold(&place.path(), Existence::Old)?;
        let mapping = Mapping::of(&place.path(), 0)?;
        let header = mapping.header();
        let mark = header.mark.load(Ordering::Acquire);
        let written = header.length.load(Ordering::Relaxed);
        let length = length.unwrap_or(usize::try_from(written).unwrap_or(usize::MAX));
        if length > mapping.length.get() - HEADER {
            return Err(too_short());
        }
        if mark != usage.mark() || written != length as u64 {
            let reason = "its length or kind is not what was sent";
            return Err(io::Error::new(ErrorKind::NotFound, reason));
        }
        let address = Address {
            place: place.clone(),
            length,
            usage,
        };
        Segment::new(mapping, address, Arc::new(users)).share(false)
    }

    #[inline]
    pub(super) fn header(&self) -> &Header {
        self.mapping.header()
    }

    pub(crate) fn clear_with(&self, direction: usize, clear: Clear) {
        let _ = self.clear[direction].set(clear);
    }

    /// Moves the mapping to a successor, which can be lent once more, and clears each direction.
    fn clear(&mut self, clear: &[OnceLock<Clear>]) {
        // SAFETY: the mapping is taken once, by the `drop` that calls this, and moves to the successor.
        let mapping = unsafe { ManuallyDrop::take(&mut self.mapping) };
        let users = Arc::clone(&self.users);
        let mut successor = Segment::new(mapping, self.address.clone(), users);
        successor.files = std::mem::take(&mut self.files);
        successor.opened_by = self.opened_by;
        let successor = Arc::new(successor);
        // A message may contain a handle of this memory.
        open_segments().insert(self.address.place.clone(), Arc::downgrade(&successor));
        for (direction, clear) in clear.iter().enumerate() {
            if let Some(clear) = clear.get() {
                clear(&successor, direction);
            }
        }
    }

    /// Counts a handle as in flight: the segment exists until it [arrives](Segment::count_arrival).
    pub(crate) fn count_departure(&self) {
        self.header().in_flight.fetch_add(1, Ordering::AcqRel);
    }

    /// Counts a handle as no longer in flight.
    pub(crate) fn count_arrival(&self) {
        if self.is_forked() {
            return;
        }
        let in_flight = &self.header().in_flight;
        let one_less = |count: u32| count.checked_sub(1);
        let _ = in_flight.fetch_update(Ordering::AcqRel, Ordering::Acquire, one_less);
    }

    /// Returns the bytes without the header.
    pub(crate) fn len(&self) -> usize {
        self.address.length
    }

    pub(crate) fn run(&self) -> Run {
        self.address.place.run
    }

    /// Returns the numbers that can be used without the lock, for waiting.
    pub(crate) fn words(&self) -> &[AtomicU32; WORDS] {
        &self.header().words
    }

    /// Returns the process that holds the lock, or held it when it died. It may be another one by the time the caller
    /// reads this.
    #[inline]
    pub(crate) fn holder(&self) -> Option<UniquePid> {
        UniquePid::from_number(self.header().lock.holder.load(Ordering::Relaxed))
    }

    #[inline]
    fn assert_not_atomic(&self) {
        let usage = self.address.usage;
        assert_eq!(usage, Access::Locked, "it is lent out as atomic numbers");
    }

    /// Returns the memory as atomic numbers.
    pub(crate) fn atomics<A: Atomic>(&self) -> &[A] {
        assert_ne!(
            self.address.usage,
            Access::Locked,
            "memory used under a lock is not used by atomics"
        );
        // SAFETY: the data follows the header, aligned for every atomic, and stays mapped while
        // `self` is borrowed. Every byte of it is lent out as part of an atomic only; all bits make one.
        unsafe {
            let data = self.mapping.data().cast::<A>();
            std::slice::from_raw_parts(data, self.address.length / size_of::<A>())
        }
    }
}

impl std::fmt::Debug for Segment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({} bytes)", self.address.place, self.address.length)
    }
}

impl Drop for Segment {
    fn drop(&mut self) {
        let mut open = open_segments();
        let known = open.get(&self.address.place);
        if known.is_some_and(|known| known.strong_count() == 0) {
            open.remove(&self.address.place);
        }
        drop(open);
        // A forgotten guard still holds the mutex: its thread knows the mutex by its address, so the memory stays
        // mapped. The name is removed by the next sweep, or at the end of the run.
        if self.holder() == Some(UniquePid::own()) {
            return;
        }
        let last = !self.address.place.is_child()
            && !self.is_forked()
            && run_file::is_last(&self.users)
            && self.header().in_flight.load(Ordering::Acquire) == 0;
        if !last && !self.is_forked() {
            // A copy made by `fork` shares the open file, and with it the lock, which may be exclusive by now.
            let _ = self.users.unlock();
        }
        let clear = std::mem::take(&mut self.clear);
        if last && clear.iter().any(|clear| clear.get().is_some()) {
            // Only this decides who is the last user: in the process by the count of the `Arc`, between processes by
            // the lock on the name, which the successor keeps.
            return self.clear(&clear);
        }
        let companions = self.header().accompanied.load(Ordering::Relaxed);
        // SAFETY: dropped once, here, and not used afterwards.
        unsafe { ManuallyDrop::drop(&mut self.mapping) };
        if last {
            // The name itself is removed last: if this process is killed before, the end of the run removes the rest.
            self.address.place.remove_companions(companions);
            self.address.place.remove();
        }
        // The lock on the name is released last: until then, no other process opens it.
    }
}

/// The lock of a segment, held by this thread, and with it the memory.
pub(crate) struct SegmentGuard<'a> {
    pub(crate) segment: &'a Segment,
    /// The mutex belongs to the thread that locked it.
    pub(super) not_send: PhantomData<*mut ()>,
}

impl SegmentGuard<'_> {
    /// Keeps the lock without the guard, until [`release_kept`](Segment::release_kept).
    pub(crate) fn keep(self) {
        // The count of a forgotten guard no longer applies.
        self.segment.times_kept.store(1, Ordering::Relaxed);
        std::mem::forget(self);
    }
}

impl Deref for SegmentGuard<'_> {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        self.segment.assert_not_atomic();
        // SAFETY: the data follows the header and stays mapped while the segment is borrowed. One thread of all
        // processes holds the lock, and there is one `SegmentGuard` for each time it is locked.
        unsafe { std::slice::from_raw_parts(self.segment.mapping.data(), self.segment.len()) }
    }
}

impl DerefMut for SegmentGuard<'_> {
    #[inline]
    fn deref_mut(&mut self) -> &mut [u8] {
        self.segment.assert_not_atomic();
        // SAFETY: as in `deref`; and the `SegmentGuard` is borrowed mutably.
        unsafe { std::slice::from_raw_parts_mut(self.segment.mapping.data(), self.segment.len()) }
    }
}

/// A number that several processes may use at once.
///
/// # Safety
///
/// All bits must make a value, the alignment must be at most 64, and the type must be an atomic.
/// It is `pub` because it bounds a type that a public, sealed trait names.
pub unsafe trait Atomic {}

// SAFETY: these are the standard library's atomics.
unsafe impl Atomic for std::sync::atomic::AtomicU8 {}
// SAFETY: as above.
unsafe impl Atomic for std::sync::atomic::AtomicU16 {}
// SAFETY: as above.
unsafe impl Atomic for AtomicU32 {}
// SAFETY: as above.
unsafe impl Atomic for AtomicU64 {}
