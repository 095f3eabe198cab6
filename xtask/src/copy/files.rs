use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use course::manifest::stands_alone;

/// Gives the files below a folder that travel with it, relative to it and in order: not what is
/// hidden, built, or a project of its own.
pub(super) fn files(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    walk(folder, Path::new(""), &mut files)?;
    files.sort();
    Ok(files)
}

fn walk(top: &Path, below: &Path, files: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    let folder = top.join(below);
    let cannot_be_read = || format!("{} cannot be read", folder.display());
    for entry in fs::read_dir(&folder).with_context(cannot_be_read)? {
        let entry = entry.with_context(cannot_be_read)?;
        let name = entry.file_name();
        let path = below.join(&name);
        let full = entry.path();
        // Before it is looked at: an editor's lock is a link that leads nowhere.
        if is_left_behind(&name.to_string_lossy()) {
            continue;
        }
        let found =
            fs::metadata(&full).with_context(|| format!("{} cannot be read", full.display()))?;
        if found.is_file() {
            files.push(path);
        } else if full.is_symlink() {
            bail!(
                "{} is a symbolic link to a folder, which a copy cannot take along: put the folder \
                 itself there",
                full.display()
            );
        } else if found.is_dir() && !is_built(&full) && !stands_alone(&full) {
            walk(top, &path, files)?;
        }
    }
    Ok(())
}

/// Tells whether a name is that of something hidden, or that a program left there.
fn is_left_behind(name: &str) -> bool {
    let is_python = |extension: &str| name.ends_with(extension);
    name.starts_with('.') || name.ends_with('~') || name == "__pycache__" || is_python(".pyc")
}

/// Tells whether a folder is one that Cargo builds in, whatever its name.
fn is_built(folder: &Path) -> bool {
    folder.join("CACHEDIR.TAG").is_file() || folder.file_name().is_some_and(|name| name == "target")
}

#[cfg(test)]
mod tests {
    use super::files;
    use std::fs;
    use std::path::Path;
    use tempfile::TempDir;

    /// A folder with these files in it.
    fn folder(files: &[(&str, &str)]) -> TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        folder
    }

    #[test]
    fn what_is_hidden_built_or_a_project_of_its_own_stays_behind() {
        let folder = folder(&[
            ("Cargo.toml", "[package]\nname = \"pool\"\n"),
            ("src/main.rs", ""),
            ("exercise/README.md", ""),
            ("pool.py", ""),
            (".git/config", ""),
            (".hidden", ""),
            ("src/main.rs~", ""),
            ("__pycache__/pool.pyc", ""),
            ("target/debug/pool", ""),
            ("built/CACHEDIR.TAG", ""),
            ("built/debug/pool", ""),
            ("copy/Cargo.toml", "[workspace]\n"),
            ("copy/src/main.rs", ""),
        ]);
        let expected = ["Cargo.toml", "exercise/README.md", "pool.py", "src/main.rs"];
        assert_eq!(files(folder.path()).unwrap(), expected.map(Path::new));
    }

    #[cfg(unix)]
    #[test]
    fn a_link_to_a_file_is_a_file_and_one_to_a_folder_is_refused() {
        use std::os::unix::fs::symlink;

        let folder = folder(&[("src/main.rs", "")]);
        symlink("main.rs", folder.path().join("src/same.rs")).unwrap();
        let expected = ["src/main.rs", "src/same.rs"];
        assert_eq!(files(folder.path()).unwrap(), expected.map(Path::new));
        symlink("src", folder.path().join("more")).unwrap();
        let error = files(folder.path()).unwrap_err().to_string();
        assert!(
            error.contains("more is a symbolic link to a folder"),
            "{error}"
        );
    }

    #[cfg(unix)]
    #[test]
    fn a_link_that_leads_nowhere_matters_only_if_it_would_travel() {
        use std::os::unix::fs::symlink;

        let folder = folder(&[("src/main.rs", "")]);
        symlink("ann@host.42", folder.path().join("src/.#main.rs")).unwrap();
        assert_eq!(files(folder.path()).unwrap(), [Path::new("src/main.rs")]);
        symlink("nowhere.rs", folder.path().join("src/lost.rs")).unwrap();
        let error = files(folder.path()).unwrap_err().to_string();
        assert!(error.contains("lost.rs cannot be read"), "{error}");
    }
}
