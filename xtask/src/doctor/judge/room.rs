//! Where the course writes, and how much.

use super::verdict::Finding;
use crate::doctor::found::Room;

pub(super) const MIB: u64 = 1024 * 1024;

/// What the step `big` of lesson value-array needs, 64 MiB, and some room.
pub(super) const SHARED_MEMORY: u64 = 72 * MIB;

/// What a first build writes, about.
const BUILD: u64 = 1024 * MIB;

/// What the temporary folder must have for what the processes write there.
const TEMPORARY: u64 = 8 * MIB;

/// Judges the memory that processes can share.
pub(in crate::doctor) fn shared_memory(room: &Room) -> Finding {
    const WHAT: &str = "shared memory";
    let container = "In a container, give it more with `--shm-size=256m`; otherwise \
                     `mount -o remount,size=256m /dev/shm`.";
    match room {
        Room::NotHere => Finding::fine(WHAT, "this system has no /dev/shm to look at"),
        Room::Unusable(why) => Finding::problem(
            WHAT,
            format!("/dev/shm: {why}"),
            "Processes share memory there: mount a tmpfs on `/dev/shm` that everybody may write to.",
        ),
        Room::Bytes { free, total } => {
            let found = format!("{} free of {}", bytes(*free), bytes(*total));
            if *free >= SHARED_MEMORY {
                return Finding::fine(WHAT, found);
            }
            let need = bytes(SHARED_MEMORY);
            let advice = if *total >= SHARED_MEMORY {
                format!(
                    "The step `big` of lesson value-array needs {need} of it. Look with `ls -l /dev/shm` \
                     who uses it."
                )
            } else {
                format!("The step `big` of lesson value-array needs {need} of it. {container}")
            };
            Finding::problem(WHAT, found, advice)
        }
    }
}

/// Judges the folder for temporary files.
pub(in crate::doctor) fn temporary(path: &str, room: &Room) -> Finding {
    const WHAT: &str = "temporary files";
    let mend = "Set `TMPDIR` to a folder that can be written to.";
    match room {
        Room::NotHere => Finding::problem(WHAT, format!("{path} is not there"), mend),
        Room::Unusable(why) => Finding::problem(WHAT, format!("{path}: {why}"), mend),
        Room::Bytes { free, .. } => {
            let found = format!("{path}, {} free", bytes(*free));
            if *free < TEMPORARY {
                return Finding::problem(WHAT, found, format!("Free some space there. Or: {mend}"));
            }
            Finding::fine(WHAT, found)
        }
    }
}

/// Judges the room for what is built.
pub(in crate::doctor) fn disk(room: &Room, all_built: bool) -> Finding {
    const WHAT: &str = "disk, for what is built";
    match room {
        Room::NotHere => Finding::fine(WHAT, "not known"),
        Room::Unusable(why) => Finding::problem(
            WHAT,
            why,
            "Cargo builds in the folder `target` of the checkout: make the checkout writable, or set \
             `CARGO_TARGET_DIR` to a folder that is.",
        ),
        Room::Bytes { free, .. } => {
            let found = format!("{} free", bytes(*free));
            if *free < BUILD && !all_built {
                let advice = format!(
                    "A first build writes about {}. Free some space, or set `CARGO_TARGET_DIR` to a folder \
                     on another disk.",
                    bytes(BUILD)
                );
                return Finding::note(WHAT, found, advice);
            }
            Finding::fine(WHAT, found)
        }
    }
}

/// Writes a number of bytes with its unit.
fn bytes(bytes: u64) -> String {
    let (unit, name) = if bytes >= 1024 * MIB {
        (1024 * MIB, "GiB")
    } else {
        (MIB, "MiB")
    };
    format!("{} {name}", bytes / unit)
}
