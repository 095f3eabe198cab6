//! The program that makes the book.

use std::env;
use std::path::PathBuf;

use course::Course;

/// Installs the version that is known to work, for the course only.
pub(crate) const INSTALL: &str = "cargo install mdbook --version 0.5.4 --locked \
    --no-default-features --features search --root target/tools";

/// Finds it: where `.ci/run` installs it, or else on the `PATH`.
pub(crate) fn find(course: &Course) -> Option<PathBuf> {
    let name = format!("mdbook{}", env::consts::EXE_SUFFIX);
    let path = env::var_os("PATH").unwrap_or_default();
    let tools = [course.target_folder(), course.root.join("target")];
    let mut places = tools
        .map(|target| target.join("tools").join("bin"))
        .into_iter()
        .chain(env::split_paths(&path))
        .map(|folder| folder.join(&name));
    places.find(|place| place.is_file())
}

#[cfg(test)]
mod tests {
    use super::INSTALL;

    #[test]
    fn the_version_that_is_advised_is_the_one_that_is_tried() {
        let script = include_str!("../../.ci/run");
        let (_, rest) = script.split_once("mdbook_version=").unwrap();
        let version = rest.lines().next().unwrap();
        assert!(INSTALL.contains(&format!(" --version {version} ")));
    }
}
