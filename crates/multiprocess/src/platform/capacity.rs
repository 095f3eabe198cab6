//! How much memory there is to be shared.

use std::fs::{self, OpenOptions};
use std::io;
use std::path::Path;

/// The most bytes that this process may make a file; `None` where there is no limit. Writing more ends it by a signal.
pub(crate) fn largest_file() -> Option<u64> {
    rustix::process::getrlimit(rustix::process::Resource::Fsize).current
}

/// An error if this process may not make a file so large: trying would end it by a signal.
pub(crate) fn check_file_size(bytes: u64) -> io::Result<()> {
    if largest_file().is_some_and(|most| bytes > most) {
        let reason = "it is larger than this process's limit for files (`ulimit -f`)";
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, reason));
    }
    Ok(())
}

/// To look how much is free takes longer than to make a lock. So little is asked for without looking: that there is
/// no room for it shows when it is [reserved](reserve).
const LITTLE: u64 = 16 << 10;

/// An error if there is less memory free than that many bytes.
pub(crate) fn check(bytes: u64) -> io::Result<()> {
    check_file_size(bytes)?;
    if bytes <= LITTLE {
        return Ok(());
    }
    match free_memory() {
        Some(free) if bytes > free => Err(too_large(free)),
        _ => Ok(()),
    }
}

/// Has the system set aside the memory of a new name; an error if there is too little of it.
#[cfg_attr(
    not(all(target_os = "linux", not(multiprocess_twins))),
    allow(clippy::unnecessary_wraps, reason = "on Linux it can fail")
)]
pub(crate) fn reserve(name: &str, bytes: u64) -> io::Result<()> {
    #[cfg(all(target_os = "linux", not(multiprocess_twins)))]
    {
        let mut file = OpenOptions::new()
            .write(true)
            .open(Path::new(SHARED).join(name))?;
        let set_aside = rustix::io::retry_on_intr(|| {
            rustix::fs::fallocate(&file, rustix::fs::FallocateFlags::empty(), 0, bytes)
        });
        let set_aside = match set_aside {
            // Not every file system can (ramfs cannot), but each has memory for what is written.
            Err(rustix::io::Errno::OPNOTSUPP) => {
                io::copy(&mut io::Read::take(io::repeat(0), bytes), &mut file)
            }
            other => other.map(|()| bytes).map_err(Into::into),
        };
        set_aside.map_err(|error| match error.kind() {
            io::ErrorKind::StorageFull => too_large(free_in_shm().unwrap_or(0)),
            _ => error,
        })?;
    }
    let _ = (name, bytes, OpenOptions::new(), Path::new(""));
    Ok(())
}

/// Where Linux has the names of shared memory.
#[cfg(all(target_os = "linux", not(multiprocess_twins)))]
const SHARED: &str = "/dev/shm";

/// The error for a name that the system would not make, by the code that it gave.
pub(crate) fn not_made(code: u32) -> io::Error {
    let error = io::Error::from_raw_os_error(code.cast_signed());
    #[cfg(all(target_os = "linux", not(multiprocess_twins)))]
    {
        use io::ErrorKind::{NotFound, PermissionDenied, ReadOnlyFilesystem};
        let reason = match error.kind() {
            NotFound => format!(
                "{SHARED} is missing, where shared memory lies: mount it (`mount -t tmpfs tmpfs {SHARED}`)"
            ),
            PermissionDenied | ReadOnlyFilesystem => format!(
                "{SHARED}, where shared memory lies, cannot be written to by this user: {error}"
            ),
            _ => return error,
        };
        io::Error::new(error.kind(), reason)
    }
    #[cfg(not(all(target_os = "linux", not(multiprocess_twins))))]
    error
}

/// Gives memory back to the system that nobody will read any more, though somebody may have it open; not the first
/// `kept` bytes, which those may still look at.
pub(crate) fn give_back(name: &str, kept: u64) {
    #[cfg(all(target_os = "linux", not(multiprocess_twins)))]
    if let Ok(file) = OpenOptions::new()
        .write(true)
        .open(Path::new(SHARED).join(name))
        && let Ok(found) = file.metadata()
    {
        use rustix::fs::FallocateFlags;
        let hole = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
        // Reading a page that is gone asks for a new one, and where there is none ends the reader by a signal.
        let length = found.len().saturating_sub(kept);
        let _ = rustix::fs::fallocate(&file, hole, kept, length);
    }
    let _ = (name, kept);
}

/// The error for memory of which only so many bytes are free.
pub(crate) fn too_large(free: u64) -> io::Error {
    let reason = format!("it needs more memory than is free ({} MiB)", free >> 20);
    io::Error::new(io::ErrorKind::OutOfMemory, reason)
}

#[cfg(all(target_os = "linux", not(multiprocess_twins)))]
fn free_in_shm() -> Option<u64> {
    let found = rustix::fs::statvfs(SHARED).ok()?;
    Some(found.f_bavail * found.f_frsize)
}

/// Bytes that can be used without another program having to end; `None` where the system does not say.
pub(crate) fn free_memory() -> Option<u64> {
    let kilobytes = |text: &str, key: &str| -> Option<u64> {
        let rest = text.lines().find_map(|line| line.strip_prefix(key))?;
        rest.trim().strip_suffix("kB")?.trim().parse().ok()
    };
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    let system = kilobytes(&text, "MemAvailable:")? + kilobytes(&text, "SwapFree:").unwrap_or(0);
    Some(
        system
            .saturating_mul(1024)
            .min(left_to_group().unwrap_or(u64::MAX)),
    )
}

/// Bytes that the control group of this process may still use, which is what limits a container.
fn left_to_group() -> Option<u64> {
    let text = fs::read_to_string("/proc/self/cgroup").ok()?;
    left_to(&text, Path::new("/sys/fs/cgroup"))
}

/// How the two versions of control groups name what is asked of them.
struct Names {
    most: &'static str,
    used: &'static str,
    files: [&'static str; 2],
}

const FIRST: Names = Names {
    most: "memory.limit_in_bytes",
    used: "memory.usage_in_bytes",
    files: ["total_active_file ", "total_inactive_file "],
};
const SECOND: Names = Names {
    most: "memory.max",
    used: "memory.current",
    files: ["active_file ", "inactive_file "],
};

/// The least that the groups in `text` and the groups around them have left. A system may have both versions.
fn left_to(text: &str, root: &Path) -> Option<u64> {
    let left = |line: &str| {
        let (_, line) = line.split_once(':')?;
        let (controllers, group) = line.split_once(":/")?;
        if controllers.is_empty() {
            left_within(&root.join(group), root, &SECOND)
        } else if controllers.split(',').any(|name| name == "memory") {
            let root = root.join("memory");
            left_within(&root.join(group), &root, &FIRST)
        } else {
            None
        }
    };
    text.lines().filter_map(left).min()
}

fn left_within(group: &Path, root: &Path, names: &Names) -> Option<u64> {
    let number = |path: &Path| fs::read_to_string(path).ok()?.trim().parse::<u64>().ok();
    group
        .ancestors()
        .take_while(|folder| folder.starts_with(root))
        .filter_map(|folder| {
            let most = number(&folder.join(names.most))?;
            let used = number(&folder.join(names.used))?;
            // What is used to remember files is given up when it is needed.
            let stat = fs::read_to_string(folder.join("memory.stat")).unwrap_or_default();
            let files = names.files.iter().filter_map(|key| {
                stat.lines()
                    .find_map(|line| line.strip_prefix(key))?
                    .parse::<u64>()
                    .ok()
            });
            Some(most.saturating_sub(used.saturating_sub(files.sum())))
        })
        .min()
}

#[cfg(test)]
mod tests {
    use super::left_to;
    use std::fs;
    use std::path::Path;

    fn write(folder: &Path, files: &[(&str, &str)]) {
        fs::create_dir_all(folder).unwrap();
        for (name, text) in files {
            fs::write(folder.join(name), text).unwrap();
        }
    }

    #[test]
    fn the_limit_of_a_group_of_either_version_and_of_those_around_it_counts() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path();
        let first = [
            ("memory.limit_in_bytes", "1000\n"),
            ("memory.usage_in_bytes", "700\n"),
            (
                "memory.stat",
                "active_file 1\ntotal_inactive_file 100\ntotal_active_file 50\n",
            ),
        ];
        write(&root.join("memory/outer"), &first);
        let unlimited = [
            ("memory.limit_in_bytes", "9223372036854771712\n"),
            ("memory.usage_in_bytes", "600\n"),
        ];
        write(&root.join("memory/outer/inner"), &unlimited);
        let text = "5:cpu,cpuacct:/other\n4:memory:/outer/inner\n0::/second/inner\n";
        assert_eq!(left_to(text, root), Some(1000 - (700 - 150)));
        let second = [
            ("memory.max", "900\n"),
            ("memory.current", "800\n"),
            ("memory.stat", "inactive_file 20\n"),
        ];
        write(&root.join("second"), &second);
        write(&root.join("second/inner"), &[("memory.max", "max\n")]);
        assert_eq!(left_to(text, root), Some(900 - (800 - 20)));
        // A container may see its group at the root, and under the name that it has outside.
        assert_eq!(left_to("4:memory:/docker/1", &root.join("none")), None);
        write(&root.join("memory"), &first);
        assert_eq!(left_to("4:memory:/docker/1", root), Some(450));
    }
}
