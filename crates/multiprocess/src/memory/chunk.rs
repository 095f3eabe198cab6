//! Chunks: files of shared memory, each mapped once per process, in which the slots are.
//!
//! One of the two files with unsafe code. It lends out the data of a slot in one of two ways, fixed for as long as the
//! slot is in use: as bytes, to the thread that holds the slot's lock, or as atomic numbers, to all threads.

#![allow(unsafe_code, reason = "maps memory that several processes see")]
#![allow(
    clippy::cast_ptr_alignment,
    reason = "a mapping begins at a page, and what is in it at a multiple of 64"
)]

use std::collections::BTreeMap;
use std::ffi::c_void;
use std::fs::File;
use std::io::{self, ErrorKind};
use std::num::NonZero;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU8, AtomicU16, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError, Weak};

use nix::sys::mman::{MapFlags, ProtFlags, mmap, munmap};

use crate::memory::layout::{
    Access, COMPLETE, ChunkHeader, Content, LOCKS, LockPlace, Pointer, Shape, SlotHeader, UNIT,
    WORDS,
};
use crate::memory::liveness::UniquePid;
use crate::memory::name::Run;
use crate::memory::run_file::{self, Existence};
use crate::platform::limits;

/// A file of shared memory that this process has mapped.
#[derive(Debug)]
pub(crate) struct Chunk {
    pub(super) run: Run,
    /// Its number in the run, never 0.
    pub(super) number: u32,
    start: NonNull<c_void>,
    length: NonZero<usize>,
}

// SAFETY: the mapping is valid in all threads of the process until `drop`, which has the chunk to itself. All access
// to the memory goes through atomics and mutexes, or through `Lent`, which exists once for all threads and processes.
unsafe impl Send for Chunk {}
// SAFETY: as above.
unsafe impl Sync for Chunk {}

/// The chunks that this process has mapped.
static MAPPED: Mutex<BTreeMap<(Run, u32), Weak<Chunk>>> = Mutex::new(BTreeMap::new());

fn mapped() -> MutexGuard<'static, BTreeMap<(Run, u32), Weak<Chunk>>> {
    MAPPED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Bytes before the bits.
const HEADER: usize = size_of::<ChunkHeader>();

impl Chunk {
    /// Creates a chunk of that many units, the first of which hold its header and as many `bits`. It is complete, and
    /// has no slots. Returns its file too.
    pub(super) fn create(run: Run, units: u64, bits: u64) -> io::Result<(Arc<Chunk>, File)> {
        let total = units.saturating_mul(UNIT as u64);
        limits::check(total)?;
        loop {
            let number = Run::new_number();
            let path = run.chunk(number);
            // Locked until it is complete: a sweep removes an incomplete one that is free.
            let file = match run_file::hold(&path, Existence::New) {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => continue,
                file => file?,
            };
            // Otherwise, with too little memory, the first write would end the process by a signal.
            let reserved = limits::reserve(&file, total);
            let chunk = reserved.and_then(|()| Chunk::map(run, number, &file));
            let chunk = chunk.inspect_err(|_| run.remove_chunk(number))?;
            let header = chunk.header();
            header.bits.store(bits, Ordering::Relaxed);
            header
                .maker
                .store(UniquePid::own().number(), Ordering::Relaxed);
            header.mark.store(COMPLETE, Ordering::Release);
            let chunk = Arc::new(chunk);
            mapped().insert((run, number), Arc::downgrade(&chunk));
            return Ok((chunk, file));
        }
    }

    /// Returns a chunk of the run, and maps it if this process hasn't.
    pub(super) fn open(run: Run, number: u32) -> io::Result<Arc<Chunk>> {
        if let Some(chunk) = mapped().get(&(run, number)).and_then(Weak::upgrade) {
            return Ok(chunk);
        }
        let file = run_file::open(&run.chunk(number), Existence::Old)?;
        let chunk = Chunk::map(run, number, &file)?;
        if chunk.header().mark.load(Ordering::Acquire) != COMPLETE
            || chunk.first_unit() > chunk.units()
        {
            return Err(not_a_chunk());
        }
        let chunk = Arc::new(chunk);
        // Another thread may have mapped it meanwhile. Ours is dropped when nothing is locked.
        let mut mapped = mapped();
        let known = mapped.entry((run, number)).or_default();
        if let Some(known) = known.upgrade() {
            drop(mapped);
            return Ok(known);
        }
        *known = Arc::downgrade(&chunk);
        drop(mapped);
        Ok(chunk)
    }

    /// Returns the chunk of a slot, after checking that there is one.
    pub(super) fn find(run: Run, pointer: Pointer) -> io::Result<Arc<Chunk>> {
        let chunk = Chunk::open(run, pointer.chunk)?;
        if chunk.has_slot(pointer.unit) {
            return Ok(chunk);
        }
        Err(not_a_chunk())
    }

    fn map(run: Run, number: u32, file: &File) -> io::Result<Chunk> {
        static FORKS: Once = Once::new();
        FORKS.call_once(|| {
            // SAFETY: the function only stores a number, which is allowed there. If it can't be registered, there is
            // too little memory to go on anyway.
            let _ = unsafe { libc::pthread_atfork(None, None, Some(copied)) };
        });
        let length = usize::try_from(file.metadata()?.len()).unwrap_or(usize::MAX);
        let length = NonZero::new(length).filter(|length| length.get() > HEADER);
        let length = length.ok_or_else(not_a_chunk)?;
        let how = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
        // SAFETY: the system chooses where, so nothing of this process is there.
        let start = unsafe { mmap(None, length, how, MapFlags::MAP_SHARED, file, 0)? };
        Ok(Chunk {
            run,
            number,
            start,
            length,
        })
    }

    pub(super) fn header(&self) -> &ChunkHeader {
        // SAFETY: the mapping is longer than a header, which is made of atomics, and all bytes make those.
        unsafe { self.start.cast::<ChunkHeader>().as_ref() }
    }

    /// Returns the process that makes slots in it.
    pub(super) fn maker(&self) -> Option<UniquePid> {
        UniquePid::from_number(self.header().maker.load(Ordering::Relaxed))
    }

    fn bits(&self) -> &[AtomicU64] {
        let most = (self.length.get() - HEADER) / size_of::<AtomicU64>();
        let bits = self.header().bits.load(Ordering::Relaxed);
        let bits = usize::try_from(bits).map_or(most, |bits| bits.min(most));
        // SAFETY: they follow the header, and the mapping is that long; all bytes make atomics.
        unsafe {
            let bits_start = self.start.cast::<u8>().add(HEADER).cast::<AtomicU64>();
            std::slice::from_raw_parts(bits_start.as_ptr(), bits)
        }
    }

    /// Returns the first unit after the bits.
    pub(super) fn first_unit(&self) -> u32 {
        let bytes = HEADER + self.bits().len() * 8;
        u32::try_from(bytes.div_ceil(UNIT)).unwrap_or(u32::MAX)
    }

    /// Returns the number of units, or the greatest that a slot can begin at.
    pub(super) fn units(&self) -> u32 {
        let units = u32::try_from(self.length.get() / UNIT);
        units.map_or(Pointer::UNITS, |units| units.min(Pointer::UNITS))
    }

    /// Returns whether a slot begins at the unit.
    pub(super) fn has_slot(&self, unit: u32) -> bool {
        let (word, bit) = (unit as usize / 64, unit % 64);
        let word = self.bits().get(word);
        let is_set = word.is_some_and(|word| word.load(Ordering::Acquire) >> bit & 1 == 1);
        is_set && unit >= self.first_unit() && unit < self.units()
    }

    /// Returns where the slots begin.
    pub(super) fn slots(&self) -> impl Iterator<Item = u32> {
        let bits = (0..).zip(self.bits());
        let units = bits.flat_map(|(index, word)| {
            let word = word.load(Ordering::Acquire);
            let set = (0..64).filter(move |bit| word >> bit & 1 == 1);
            set.map(move |bit| index * 64 + bit)
        });
        units.filter(|unit| self.has_slot(*unit))
    }

    /// Makes a slot at a unit that is part of none. The caller is its chunk's maker, and has a lock.
    pub(super) fn carve(&self, unit: u32, shape: Shape) -> io::Result<()> {
        let end = u64::from(unit) + shape.units();
        assert!(unit >= self.first_unit() && end <= (self.length.get() / UNIT) as u64);
        let header = self.at::<SlotHeader>(unit);
        header.shape.store(shape.number(), Ordering::Relaxed);
        for lock in self.locks(unit) {
            #[allow(unused_unsafe, reason = "that of the stub is safe")]
            // SAFETY: no other thread or process knows of the slot, since its bit isn't set.
            unsafe {
                lock.mutex.init()?;
            };
        }
        let word = &self.bits()[unit as usize / 64];
        word.fetch_or(1 << (unit % 64), Ordering::Release);
        Ok(())
    }

    /// Returns what is at a unit.
    #[inline]
    fn at<T: InChunk>(&self, unit: u32) -> &T {
        assert!(unit < self.units());
        // SAFETY: the mapping contains the unit, and a `T` fits into one and is made of atomics or of mutexes; a mutex
        // is used only in a slot, after its maker has initialised it.
        unsafe {
            &*self
                .start
                .cast::<u8>()
                .as_ptr()
                .add(unit as usize * UNIT)
                .cast::<T>()
        }
    }

    #[inline]
    pub(super) fn slot(&self, unit: u32) -> &SlotHeader {
        self.at(unit)
    }

    /// Returns the shape of the slot at a unit: one that fits into the chunk, whatever is there.
    #[inline]
    pub(super) fn shape(&self, unit: u32) -> Shape {
        let shape = Shape::of(self.slot(unit).shape.load(Ordering::Relaxed));
        let end = u64::from(unit) + shape.units();
        if end <= (self.length.get() / UNIT) as u64 && usize::from(shape.locks) <= LOCKS {
            shape
        } else {
            Shape::default()
        }
    }

    /// Returns the locks of the slot at a unit.
    #[inline]
    pub(super) fn locks(&self, unit: u32) -> &[LockPlace] {
        let locks = self.shape(unit).locks;
        // SAFETY: they follow the header; a shape fits into its chunk; and as in `at`.
        unsafe {
            let first = self.unit_pointer(unit + 1).cast::<LockPlace>();
            std::slice::from_raw_parts(first, locks.into())
        }
    }

    /// Returns the words of the slot at a unit.
    #[inline]
    pub(super) fn words(&self, unit: u32) -> &[AtomicU32] {
        let Shape { locks, words, .. } = self.shape(unit);
        // SAFETY: they follow the locks; a shape fits into its chunk; all bytes make atomics.
        unsafe {
            let first = self.unit_pointer(unit + 1 + u32::from(locks));
            std::slice::from_raw_parts(first.cast::<AtomicU32>(), usize::from(words) * WORDS)
        }
    }

    #[inline]
    fn unit_pointer(&self, unit: u32) -> *mut u8 {
        // SAFETY: the callers' slots fit into the mapping, also their ends.
        unsafe { self.start.cast::<u8>().as_ptr().add(unit as usize * UNIT) }
    }

    /// Returns where the data of the slot at a unit begins, and how many bytes there are at most.
    #[inline]
    fn data(&self, unit: u32) -> (*mut u8, usize) {
        let Shape {
            locks, words, data, ..
        } = self.shape(unit);
        let first = unit + 1 + u32::from(locks) + u32::from(words);
        (self.unit_pointer(first), data as usize * UNIT)
    }

    /// Returns what the data of a slot is used for; `None` if that is impossible.
    pub(super) fn content(&self, unit: u32) -> Option<Content> {
        let content = Content::of(self.slot(unit).content.load(Ordering::Acquire))?;
        (content.length <= self.data(unit).1).then_some(content)
    }

    /// Returns the data of a slot that has [more owners](Access::Owners) of another one; no numbers for any other slot.
    pub(super) fn owners(&self, unit: u32) -> &[AtomicU64] {
        let content = self.content(unit);
        let content = content.filter(|content| content.access == Access::Owners);
        let (data, most) = self.data(unit);
        let length = content.map_or(0, |content| content.length.min(most));
        // SAFETY: the slot contains that much data, which stays mapped while `self` is borrowed; all bytes make atomics.
        unsafe {
            let first = data.cast::<AtomicU64>();
            std::slice::from_raw_parts(first, length / size_of::<AtomicU64>())
        }
    }

    /// Overwrites the words and the data of a slot that nothing uses.
    pub(super) fn fill(&self, unit: u32, byte: u8, content: Content) {
        let bytes = u32::from_ne_bytes([byte; 4]);
        let words = self.words(unit).iter();
        words.for_each(|word| word.store(bytes, Ordering::Relaxed));
        let (data, most) = self.data(unit);
        // SAFETY: the slot contains the data. It is neither lent out nor used by another process: its maker, or its
        // last owner, has it alone.
        unsafe { data.write_bytes(byte, content.length.min(most)) };
    }
}

impl Drop for Chunk {
    fn drop(&mut self) {
        let mut mapped = mapped();
        let known = mapped.get(&(self.run, self.number));
        if known.is_some_and(|known| known.strong_count() == 0) {
            mapped.remove(&(self.run, self.number));
        }
        drop(mapped);
        // SAFETY: it was mapped with that length, and what is borrowed from it borrows this.
        let _ = unsafe { munmap(self.start, self.length.get()) };
    }
}

/// Called in a copy made by `fork`. The copy has the same memory mapped, and no references to what is in it: the original
/// may free that, and use it again.
extern "C" fn copied() {
    UniquePid::forget();
}

fn not_a_chunk() -> io::Error {
    io::Error::new(ErrorKind::NotFound, "it is not what was sent")
}

/// What a unit can be used as.
///
/// # Safety
///
/// It must fit into a unit, and be made of atomics and mutexes.
unsafe trait InChunk {}

// SAFETY: it is 64 bytes of atomics.
unsafe impl InChunk for SlotHeader {}

const _: () = {
    assert!(size_of::<SlotHeader>() == UNIT && size_of::<LockPlace>() == UNIT);
    assert!(align_of::<SlotHeader>() == UNIT && align_of::<LockPlace>() == UNIT);
};

/// The memory of a slot, found once.
pub(super) struct View {
    pub(super) chunk: Arc<Chunk>,
    locks: NonNull<[LockPlace]>,
    words: NonNull<[AtomicU32]>,
    data: NonNull<u8>,
    pub(super) content: Content,
}

// SAFETY: as for a chunk, which stays mapped as long as this exists.
unsafe impl Send for View {}
// SAFETY: as above.
unsafe impl Sync for View {}

impl View {
    /// The chunk has a slot at the unit.
    pub(super) fn new(chunk: Arc<Chunk>, unit: u32, content: Content) -> View {
        let (data, most) = chunk.data(unit);
        assert!(content.length <= most);
        View {
            locks: NonNull::from(chunk.locks(unit)),
            words: NonNull::from(chunk.words(unit)),
            data: NonNull::new(data).expect("it is in a mapping"),
            content,
            chunk,
        }
    }

    #[inline]
    pub(super) fn locks(&self) -> &[LockPlace] {
        // SAFETY: it was found in the chunk, which is mapped.
        unsafe { self.locks.as_ref() }
    }

    #[inline]
    pub(super) fn words(&self) -> &[AtomicU32] {
        // SAFETY: as above.
        unsafe { self.words.as_ref() }
    }

    /// Returns the data as atomic numbers.
    #[inline]
    pub(super) fn atomics<A: Atomic>(&self) -> &[A] {
        assert!(
            self.content.access != Access::Locked,
            "memory used under a lock is not used by atomics"
        );
        // SAFETY: the slot contains the data, which is aligned for every atomic, and stays mapped while `self` is
        // borrowed. Every byte of it is lent out as part of an atomic only; all bits make one.
        unsafe {
            let first = self.data.cast::<A>().as_ptr();
            std::slice::from_raw_parts(first, self.content.length / size_of::<A>())
        }
    }

    /// Returns where the data is that the holder of the lock uses.
    #[inline]
    fn locked_data(&self) -> *mut u8 {
        assert!(
            self.content.access == Access::Locked,
            "it is lent out as atomic numbers"
        );
        self.data.as_ptr()
    }

    /// Returns the data; the caller holds the lock for which it was lent.
    #[inline]
    pub(super) fn bytes<'a>(&'a self, _: &'a Lent) -> &'a [u8] {
        // SAFETY: the slot contains the data, and its chunk stays mapped while it is borrowed. One thread of all
        // processes holds the lock, and lends it once for each time that it locks it.
        unsafe { std::slice::from_raw_parts(self.locked_data(), self.content.length) }
    }

    /// Returns the data; the caller holds the lock for which it was lent.
    #[inline]
    pub(super) fn bytes_mut<'a>(&'a self, _: &'a mut Lent) -> &'a mut [u8] {
        // SAFETY: as above; and the right to use it is borrowed mutably.
        unsafe { std::slice::from_raw_parts_mut(self.locked_data(), self.content.length) }
    }
}

/// The right to use the data of one slot, which the thread has that holds its lock. It has no size: a guard is one
/// pointer, and stays in a register.
pub(super) struct Lent(());

impl Lent {
    /// The caller holds the lock, and keeps it as long as the result exists.
    #[inline]
    pub(super) fn to_holder() -> Lent {
        Lent(())
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
unsafe impl Atomic for AtomicU8 {}
// SAFETY: as above.
unsafe impl Atomic for AtomicU16 {}
// SAFETY: as above.
unsafe impl Atomic for AtomicU32 {}
// SAFETY: as above.
unsafe impl Atomic for AtomicU64 {}
