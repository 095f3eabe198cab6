//! The gap of an exercise, and how to get it back once it is filled in.

use std::path::Path;
use std::process::Command;

/// How the comment that marks a gap begins.
pub const MARK: &str = "// Gap:";

/// Returns whether a gap is marked in a program.
pub fn is_marked(program: &str) -> bool {
    program.contains(MARK)
}

/// Returns the git command that brings back the gap of a program, whose path is relative to the root
/// of the checkout; nothing without git, or if no commit has the gap.
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
    // The index is what is committed, unless the solution has been added to it.
    if has_gap("") {
        return Some(format!("git restore {path}"));
    }
    let commits = git(&["log", "--format=%h", "--", &path])?;
    let commit = commits.lines().find(|commit| has_gap(commit))?;
    Some(format!("git restore --source={commit} {path}"))
}
