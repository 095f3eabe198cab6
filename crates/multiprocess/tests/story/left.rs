//! The files of a program in shared memory, and what is in them.

use std::fmt::Debug;
use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// The folder with the files that are shared memory.
pub(crate) fn folder() -> PathBuf {
    if super::is_portable() {
        std::env::temp_dir()
    } else {
        PathBuf::from("/dev/shm")
    }
}

/// The files of the runs that a process has begun: their leases, processes and chunks.
pub(crate) fn files(pid: u32) -> Vec<PathBuf> {
    let beginning = format!("mp-{pid:x}-");
    let entries = fs::read_dir(folder()).unwrap().flatten();
    let mut found: Vec<PathBuf> = entries
        .filter(|entry| entry.file_name().to_string_lossy().starts_with(&beginning))
        .map(|entry| entry.path())
        .collect();
    found.sort();
    found
}

/// The names of the slots in use, in the runs that a process has begun, as a handle's `Debug` shows them; without the
/// parts of other slots.
pub(crate) fn slots(pid: u32) -> Vec<String> {
    let chunks = files(pid)
        .into_iter()
        .filter(|path| path.extension().is_none());
    chunks.flat_map(|chunk| slots_in(&chunk)).collect()
}

/// Whether the slot of that name is in use.
pub(crate) fn is_in_use(slot: &str) -> bool {
    let chunk = slot.rsplitn(3, '-').nth(2).unwrap();
    slots_in(&folder().join(chunk)).contains(&slot.to_owned())
}

/// Returns where a slot is: its name without the generation.
pub(crate) fn place(slot: &str) -> &str {
    slot.rsplit_once('-').unwrap().0
}

/// Checks that all these slots are in use.
#[track_caller]
pub(crate) fn check_in_use(slots: &[String]) {
    let freed = slots.iter().find(|slot| !is_in_use(slot));
    assert_eq!(freed, None);
}

/// Waits until all these slots are freed.
pub(crate) fn until_freed(slots: &[String]) {
    super::until("they are freed", || !slots.iter().any(|it| is_in_use(it)));
}

/// Makes objects until one is where that slot was, and returns it. This process has made the slot, and another one near
/// it, which is in use: otherwise their chunk may be gone.
pub(crate) fn use_again<T: Debug>(slot: &str, make: impl Fn() -> T) -> T {
    let mut others = Vec::new();
    while others.len() < 5000 {
        let object = make();
        let name = super::memory_name(&object);
        if place(&name) == place(slot) {
            assert_ne!(name, slot, "it is another generation");
            return object;
        }
        others.push(object);
    }
    panic!("{slot} is not used again");
}

/// Makes this process's reference to a slot that of a dead process, which had the same pid and another random half. See
/// `src/memory/layout.rs` and `liveness.rs`.
pub(crate) fn forge_owner(slot: &str, has_file: bool) {
    let [_, unit, chunk] = *slot.rsplitn(3, '-').collect::<Vec<_>>() else {
        panic!("{slot}");
    };
    let first_owner = u64::from_str_radix(unit, 16).unwrap() * 64 + 32;
    let mut options = OpenOptions::new();
    let file = options.read(true).write(true).open(folder().join(chunk));
    let (file, mut number) = (file.unwrap(), [0; 8]);
    file.read_exact_at(&mut number, first_owner).unwrap();
    let dead = u64::from_ne_bytes(number) ^ 1;
    assert_eq!(dead >> 32, u64::from(std::process::id()));
    file.write_all_at(&dead.to_ne_bytes(), first_owner).unwrap();
    if has_file {
        let run = chunk.rsplit_once('-').unwrap().0;
        fs::write(folder().join(format!("{run}.alive-{dead:x}")), "").unwrap();
    }
}

/// The slots in use in a chunk; see `src/memory/layout.rs`.
fn slots_in(chunk: &Path) -> Vec<String> {
    const UNIT: usize = 64;
    let bytes = fs::read(chunk).unwrap_or_default();
    let number = |at: usize| {
        let bytes = bytes.get(at..).and_then(|bytes| bytes.first_chunk());
        bytes.map_or(0, |bytes| u64::from_ne_bytes(*bytes))
    };
    let name = chunk.file_name().unwrap().to_str().unwrap();
    let bits = usize::try_from(number(16)).unwrap();
    let begins = |unit: &usize| number(UNIT + unit / 64 * 8) >> (unit % 64) & 1 == 1;
    let units = (0..bits * 64).filter(begins);
    let in_use = units.filter_map(|unit| {
        let (state, content) = (number(unit * UNIT), number(unit * UNIT + 16));
        // Live, or being freed.
        let is_live = matches!(state & 7, 1 | 4..);
        // The uses of a slot of its own are the first.
        let is_part = content & 0xff > 3;
        let generation = state >> 3 & u64::from(u32::MAX);
        (is_live && !is_part).then(|| format!("{name}-{unit:x}-{generation:x}"))
    });
    in_use.collect()
}
