//! What the operating system says about this machine.

use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::thread;

use super::found::{Limit, Room};

/// How many cores this program may use.
pub(super) fn cores() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// How many programs wanted to compute at the same time, in the mean of the last minute.
pub(super) fn load() -> Option<f64> {
    let text = fs::read_to_string("/proc/loadavg").ok()?;
    text.split_whitespace().next()?.parse().ok()
}

/// The memory that processes can share: a folder, on Linux.
pub(super) fn shared_memory() -> Room {
    if cfg!(target_os = "linux") {
        let path = Path::new("/dev/shm");
        match room(path) {
            Room::NotHere => Room::Unusable("it is not there".to_owned()),
            room => room,
        }
    } else {
        Room::NotHere
    }
}

/// The nearest folder to `path` that is there already.
pub(super) fn existing(path: &Path) -> PathBuf {
    let mut folders = path.ancestors();
    let existing = folders.find(|folder| folder.is_dir());
    existing.unwrap_or(path).to_owned()
}

/// The variables that change what the lessons show, of which those that are set.
pub(super) fn changing_variables() -> Vec<&'static str> {
    const CHANGING: [&str; 2] = ["MULTIPROCESS_LOG", "MULTIPROCESS_PORTABLE"];
    let set = CHANGING
        .into_iter()
        .filter(|name| env::var_os(name).is_some());
    set.collect()
}

/// Counts the runs whose processes have all been killed, and which have left something.
///
/// The crate `multiprocess` keeps a file for each run, the lease, beside the names of shared memory; every process of the
/// run holds a lock on it (`crates/multiprocess/src/memory/registry.rs`).
pub(super) fn dead_runs() -> usize {
    let is_portable = env::var_os("MULTIPROCESS_PORTABLE").is_some_and(|value| value == "1");
    let folder = if cfg!(target_os = "linux") && !is_portable {
        PathBuf::from("/dev/shm")
    } else {
        env::temp_dir()
    };
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let leases = entries.filter(|entry| {
        let is_of_a_run = entry.file_name().to_string_lossy().starts_with("mp-");
        let is_lease = entry.path().extension().is_some_and(|end| end == "lease");
        // To open something else could take for ever.
        let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
        is_of_a_run && is_lease && is_file
    });
    // The lock is free again when the file is closed, at once.
    let dead =
        leases.filter(|lease| File::open(lease.path()).is_ok_and(|lease| lease.try_lock().is_ok()));
    dead.count()
}

/// How many files a program may have open.
pub(super) fn files() -> Limit {
    unix::files()
}

/// How many processes and threads can still be started.
pub(super) fn tasks() -> Limit {
    unix::tasks().and(tasks_of_group())
}

/// How many more the control group allows, on Linux, and those above it.
fn tasks_of_group() -> Limit {
    let Ok(groups) = fs::read_to_string("/proc/self/cgroup") else {
        return Limit::Unknown;
    };
    let folders = groups.lines().filter_map(|line| {
        let mut parts = line.splitn(3, ':').skip(1);
        let (controllers, path) = (parts.next()?, parts.next()?.trim_start_matches('/'));
        let top = match controllers {
            "" => Path::new("/sys/fs/cgroup"),
            "pids" => Path::new("/sys/fs/cgroup/pids"),
            _ => return None,
        };
        Some((top, top.join(path)))
    });
    folders
        .flat_map(|(top, folder)| {
            let groups: Vec<PathBuf> = folder.ancestors().map(Path::to_owned).collect();
            groups
                .into_iter()
                .filter(move |group| group.starts_with(top))
        })
        .map(|group| tasks_left(&group))
        .fold(Limit::Unknown, Limit::and)
}

/// Reads `pids.max`, a number or the word max, and `pids.current`.
fn tasks_left(group: &Path) -> Limit {
    let read = |name| fs::read_to_string(group.join(name)).ok();
    let Some(most) = read("pids.max") else {
        return Limit::Unknown;
    };
    let now = read("pids.current").and_then(|now| now.trim().parse::<u64>().ok());
    match (most.trim().parse::<u64>(), now) {
        (Ok(most), Some(now)) => Limit::AtMost(most.saturating_sub(now)),
        _ => Limit::None,
    }
}

/// How much room there is in a folder, and whether it can be written to.
pub(super) fn room(folder: &Path) -> Room {
    match fs::metadata(folder) {
        Err(_) => Room::NotHere,
        Ok(found) if !found.is_dir() => Room::Unusable("it is no folder".to_owned()),
        Ok(_) => unix::room(folder),
    }
}

#[cfg(unix)]
mod unix {
    use std::path::Path;

    use rustix::fs::{Access, access, statvfs};
    use rustix::process::{Resource, getrlimit, getuid};

    use super::{Limit, Room};

    pub(super) fn files() -> Limit {
        limit(Resource::Nofile)
    }

    pub(super) fn tasks() -> Limit {
        // The limit is for all programs of the user together; root has none.
        if getuid().is_root() {
            return Limit::None;
        }
        limit(Resource::Nproc)
    }

    fn limit(resource: Resource) -> Limit {
        getrlimit(resource)
            .current
            .map_or(Limit::None, Limit::AtMost)
    }

    pub(super) fn room(folder: &Path) -> Room {
        if let Err(error) = access(folder, Access::WRITE_OK | Access::EXEC_OK) {
            return Room::Unusable(format!("it cannot be written to: {error}"));
        }
        match statvfs(folder) {
            Ok(found) => Room::Bytes {
                free: found.f_bavail.saturating_mul(found.f_frsize),
                total: found.f_blocks.saturating_mul(found.f_frsize),
            },
            Err(error) => Room::Unusable(format!("it cannot be looked at: {error}")),
        }
    }
}

#[cfg(not(unix))]
mod unix {
    use std::path::Path;

    use super::{Limit, Room};

    pub(super) fn files() -> Limit {
        Limit::Unknown
    }

    pub(super) fn tasks() -> Limit {
        Limit::Unknown
    }

    pub(super) fn room(_: &Path) -> Room {
        Room::Bytes {
            free: u64::MAX,
            total: u64::MAX,
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::{cores, existing, files, load, room, shared_memory, tasks_left};
    use crate::doctor::found::{Limit, Room};
    use std::fs;

    #[test]
    fn this_machine_is_read() {
        assert!(cores() >= 1);
        assert!(load().is_some_and(|load| load >= 0.0));
        assert!(matches!(shared_memory(), Room::Bytes { total, .. } if total > 0));
        assert_ne!(files(), Limit::Unknown);
    }

    #[test]
    fn a_folder_is_told_from_a_file_and_from_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let Room::Bytes { free, total } = room(folder.path()) else {
            panic!("{:?}", room(folder.path()));
        };
        assert!(free <= total);
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        assert_eq!(room(&file), Room::Unusable("it is no folder".to_owned()));
        assert_eq!(room(&folder.path().join("new")), Room::NotHere);
        assert_eq!(existing(&folder.path().join("new/newer")), folder.path());
    }

    #[test]
    fn the_tasks_left_in_a_group_are_counted() {
        let group = tempfile::tempdir().unwrap();
        assert_eq!(tasks_left(group.path()), Limit::Unknown);
        fs::write(group.path().join("pids.current"), "30\n").unwrap();
        for (most, expected) in [
            ("100\n", Limit::AtMost(70)),
            ("20\n", Limit::AtMost(0)),
            ("max\n", Limit::None),
        ] {
            fs::write(group.path().join("pids.max"), most).unwrap();
            assert_eq!(tasks_left(group.path()), expected, "{most}");
        }
    }

    #[test]
    fn of_two_limits_the_lower_one_counts() {
        let (low, high) = (Limit::AtMost(7), Limit::AtMost(9));
        assert_eq!(high.and(low), low);
        assert_eq!(Limit::None.and(low), low);
        assert_eq!(low.and(Limit::Unknown), low);
        assert_eq!(Limit::None.and(Limit::Unknown), Limit::None);
        assert_eq!(Limit::Unknown.and(Limit::Unknown), Limit::Unknown);
    }
}
