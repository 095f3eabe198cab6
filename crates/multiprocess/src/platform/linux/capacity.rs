//! How much memory Linux has free, and reserving it in `/dev/shm`.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{FallocateFlags, MemfdFlags, fallocate, memfd_create};
use rustix::io::{Errno, retry_on_intr};

use crate::platform::is_portable;
use crate::platform::limits::too_large;
use crate::platform::unix::capacity::reserve as write_zeros;

/// Sets the length of new memory, and reserves it; returns an error if there is too little.
pub(crate) fn reserve(memory: &File, bytes: u64) -> io::Result<()> {
    let reserve = || fallocate(memory, FallocateFlags::empty(), 0, bytes);
    let reserved = match retry_on_intr(reserve) {
        // Not every file system can reserve (ramfs can't), but each allocates what is written.
        Err(Errno::OPNOTSUPP) => write_zeros(memory, bytes),
        other => other.map_err(Into::into),
    };
    reserved.map_err(|error| match error.kind() {
        io::ErrorKind::StorageFull => {
            let found = rustix::fs::fstatvfs(memory);
            too_large(found.map_or(0, |found| found.f_bavail * found.f_frsize))
        }
        _ => error,
    })
}

/// Returns a new file without a name, which disappears with the last process that has it open; `None` if the system has
/// no such files.
pub(crate) fn memfd() -> Option<io::Result<File>> {
    let create = || memfd_create("multiprocess", MemfdFlags::CLOEXEC);
    match (!is_portable()).then(create)? {
        Err(Errno::NOSYS) => None,
        file => Some(file.map(File::from).map_err(io::Error::from)),
    }
}

/// Returns how many bytes can be used without the system having to end a program; `None` if it doesn't say.
pub(crate) fn free_memory() -> Option<u64> {
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    let kilobytes = number_after(&text, "MemAvailable:")?
        .saturating_add(number_after(&text, "SwapFree:").unwrap_or(0));
    // The control group of this process limits a container.
    let groups = fs::read_to_string("/proc/self/cgroup").ok();
    let left = groups.and_then(|groups| left_to(&groups, Path::new("/sys/fs/cgroup")));
    Some(kilobytes.saturating_mul(1024).min(left.unwrap_or(u64::MAX)))
}

/// Returns the number that follows the key, at the beginning of a line.
fn number_after(text: &str, key: &str) -> Option<u64> {
    let rest = text.lines().find_map(|line| line.strip_prefix(key))?;
    rest.split_whitespace().next()?.parse().ok()
}

/// Returns the minimum that the control groups in `text` and their ancestors have left. A system may have both versions
/// of control groups.
fn left_to(text: &str, root: &Path) -> Option<u64> {
    let left = |line: &str| {
        let (_, line) = line.split_once(':')?;
        let (controllers, group) = line.split_once(":/")?;
        if controllers.is_empty() {
            left_within(root, group, ["memory.max", "memory.current"], "")
        } else if controllers.split(',').any(|name| name == "memory") {
            let files = ["memory.limit_in_bytes", "memory.usage_in_bytes"];
            left_within(&root.join("memory"), group, files, "total_")
        } else {
            None
        }
    };
    text.lines().filter_map(left).min()
}

fn left_within(root: &Path, group: &str, [max, used]: [&str; 2], prefix: &str) -> Option<u64> {
    let number = |path: PathBuf| fs::read_to_string(path).ok()?.trim().parse::<u64>().ok();
    let left = |folder: &Path| {
        let (max, used) = (number(folder.join(max))?, number(folder.join(used))?);
        // The system frees its cache of files when it needs the memory.
        let stat = fs::read_to_string(folder.join("memory.stat")).unwrap_or_default();
        let files = ["active_file ", "inactive_file "];
        let files = files.map(|key| number_after(&stat, &format!("{prefix}{key}")).unwrap_or(0));
        Some(max.saturating_sub(used.saturating_sub(files.iter().sum())))
    };
    let group = root.join(group);
    let folders = group.ancestors().take_while(|it| it.starts_with(root));
    folders.filter_map(left).min()
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
        let (max, used) = ("memory.limit_in_bytes", "memory.usage_in_bytes");
        let stat = "active_file 1\ntotal_inactive_file 100\ntotal_active_file 50\n";
        let first = [(max, "1000\n"), (used, "700\n"), ("memory.stat", stat)];
        write(&root.join("memory/outer"), &first);
        let unlimited = [(max, "9223372036854771712\n"), (used, "600\n")];
        write(&root.join("memory/outer/inner"), &unlimited);
        let text = "5:cpu,cpuacct:/other\n4:memory:/outer/inner\n0::/second/inner\n";
        assert_eq!(left_to(text, root), Some(1000 - (700 - 150)));
        let (max, used) = ("memory.max", "memory.current");
        let stat = ("memory.stat", "inactive_file 20\n");
        write(
            &root.join("second"),
            &[(max, "900\n"), (used, "800\n"), stat],
        );
        write(&root.join("second/inner"), &[(max, "max\n")]);
        assert_eq!(left_to(text, root), Some(900 - (800 - 20)));
        // A container may see its group at the root, and under the name that it has outside.
        assert_eq!(left_to("4:memory:/docker/1", &root.join("none")), None);
        write(&root.join("memory"), &first);
        assert_eq!(left_to("4:memory:/docker/1", root), Some(450));
    }
}
