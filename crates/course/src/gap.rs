//! The gap of an exercise, and how to restore it.

use std::path::Path;
use std::process::Command;

/// The beginning of the comment that marks a gap.
pub const MARK: &str = "// Gap:";

/// Returns whether a program contains the mark of a gap.
pub fn is_marked(program: &str) -> bool {
    program.contains(MARK)
}

/// Returns the git command that restores the gap of a program, whose path is relative to the root of the
/// checkout. Returns `None` without git, or if no commit has the gap.
pub fn restoring(root: &Path, program: &Path) -> Option<String> {
    let path = program.display().to_string();
    let git = |arguments: &[&str]| {
        let output = Command::new("git")
            .args(arguments)
            .current_dir(root)
            .output()
            .ok()?;
        let text = output.status.success().then_some(output.stdout)?;
        String::from_utf8(text).ok()
    };
    let has_gap = |revision: &str| {
        let text = git(&["show", &format!("{revision}:./{path}")]);
        text.is_some_and(|text| is_marked(&text))
    };
    // The index has the gap, unless the solution has been added or committed.
    if has_gap("") {
        return Some(format!("git restore {path}"));
    }
    let commits = git(&["log", "--format=%h", "--", &path])?;
    let commit = commits.lines().find(|commit| has_gap(commit))?;
    Some(format!("git restore --source={commit} {path}"))
}
