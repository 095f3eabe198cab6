use std::collections::{BTreeMap, VecDeque};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};

use super::manifest_text::ManifestText;

/// The folders of the course that a lesson depends on, each with its name in the copy, where they
/// lie side by side in `crates`.
#[derive(Debug)]
pub(super) struct Crates {
    names: BTreeMap<PathBuf, String>,
}

impl Crates {
    /// Finds what a lesson needs, and what that needs in turn, for building and not for testing it.
    pub(super) fn needed_by(lesson: &Path) -> anyhow::Result<Self> {
        let mut crates = Self {
            names: BTreeMap::new(),
        };
        let mut rest = VecDeque::from([(lesson.to_owned(), read(lesson)?)]);
        while let Some((folder, manifest)) = rest.pop_front() {
            for dependency in manifest.path_dependencies()? {
                let needed = canonical(&folder.join(&dependency.path))?;
                if crates.names.contains_key(&needed) {
                    continue;
                }
                let name = needed.file_name().unwrap_or_default().to_string_lossy();
                let name = name.into_owned();
                ensure!(
                    !crates.names.values().any(|other| *other == name),
                    "two folders called {name} are needed: rename {}",
                    needed.display()
                );
                rest.push_back((needed.clone(), without_tests(&needed)?));
                crates.names.insert(needed, name);
            }
        }
        Ok(crates)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&Path, &str)> {
        let names = self.names.iter();
        names.map(|(folder, name)| (folder.as_path(), name.as_str()))
    }

    /// Gives the name in the copy of the crate that `path` leads to, as seen from `folder`.
    pub(super) fn name(&self, folder: &Path, path: &Path) -> anyhow::Result<&str> {
        let needed = canonical(&folder.join(path))?;
        let name = self.names.get(&needed);
        name.map(String::as_str)
            .with_context(|| format!("{} is not among what the lesson needs", needed.display()))
    }
}

/// Reads the manifest of a package.
pub(super) fn read(folder: &Path) -> anyhow::Result<ManifestText> {
    let path = folder.join("Cargo.toml");
    let text =
        fs::read_to_string(&path).with_context(|| format!("{} cannot be read", path.display()))?;
    ManifestText::new(text).with_context(|| format!("{} cannot be understood", path.display()))
}

/// Reads the manifest of a package, and leaves out what only its tests need.
pub(super) fn without_tests(folder: &Path) -> anyhow::Result<ManifestText> {
    let mut manifest = read(folder)?;
    manifest.remove_tables(&["dev-dependencies", "test", "example", "bench"])?;
    Ok(manifest)
}

fn canonical(path: &Path) -> anyhow::Result<PathBuf> {
    fs::canonicalize(path).with_context(|| format!("{} cannot be found", path.display()))
}
