//! Where a segment is to be found: by its name in the system, and by the file of that name in the folder of its run.

use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A path as it travels to another process: serde's own way takes only paths that are UTF-8.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct PathBytes(pub(crate) PathBuf);

impl Serialize for PathBytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.as_os_str().as_bytes().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for PathBytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<PathBytes, D::Error> {
        let bytes = Vec::<u8>::deserialize(deserializer)?;
        Ok(PathBytes(OsString::from_vec(bytes).into()))
    }
}

/// Where a segment is to be found.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub(crate) struct SegmentName {
    #[serde(serialize_with = "as_bytes", deserialize_with = "from_bytes")]
    pub(super) folder: PathBuf,
    pub(super) name: String,
}

fn as_bytes<S: Serializer>(folder: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    PathBytes(folder.to_owned()).serialize(serializer)
}

fn from_bytes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<PathBuf, D::Error> {
    PathBytes::deserialize(deserializer).map(|PathBytes(folder)| folder)
}

impl SegmentName {
    pub(super) fn users(&self) -> PathBuf {
        self.folder.join(&self.name)
    }

    pub(super) fn lock(&self) -> PathBuf {
        self.folder.join(format!("{}.lock", self.name))
    }

    /// The place of a dependent, which is found by its owner's name.
    pub(super) fn dependent(&self, suffix: &str) -> SegmentName {
        SegmentName {
            folder: self.folder.clone(),
            name: format!("{}.{suffix}", self.name),
        }
    }

    pub(super) fn forget(&self) {
        let _ = fs::remove_file(self.lock());
        let _ = fs::remove_file(self.users());
    }

    /// Removes the files beside the one of the name, and the memory that has such a name.
    pub(super) fn forget_companions(&self) {
        for entry in fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let Some(name) = name.to_str() else { continue };
            let rest = name.strip_prefix(&self.name);
            if rest.is_some_and(|rest| rest.starts_with('.')) && remove(name) {
                let _ = fs::remove_file(entry.path());
            }
        }
    }
}
/// Removes a name that a dead run left, with its memory; whether it is gone now.
pub(crate) fn remove(name: &str) -> bool {
    // By name alone: one that was made by a process killed before it gave it a length cannot be mapped.
    matches!(
        rustix::shm::unlink(os_id(name)),
        Ok(()) | Err(rustix::io::Errno::NOENT)
    )
}
/// The name in the form that the system asks for.
pub(super) fn os_id(name: &str) -> String {
    format!("/{name}")
}
