//! The gap of an exercise, and how to have it again when it was filled in.

use std::path::Path;
use std::process::Command;

/// How the comment begins that marks a gap.
pub(crate) const MARK: &str = "// Gap:";

/// Tells whether a gap is marked in a program.
pub(crate) fn is_marked(program: &str) -> bool {
    program.contains(MARK)
}

/// Gives the command with which a program gets its gap back, as git knows it. Without git, or if no
/// commit has the gap, there is none. The path is that from the root of the checkout.
pub(crate) fn restoring(root: &Path, program: &Path) -> Option<String> {
    let path = program.display();
    let has_gap = |revision: &str| {
        let text = git(root, &["show", &format!("{revision}:./{path}")]);
        text.is_some_and(|text| is_marked(&text))
    };
    // What is staged, which is what is committed unless somebody has added the solution.
    if has_gap("") {
        return Some(format!("git restore {path}"));
    }
    let commits = git(root, &["log", "--format=%h", "--", &path.to_string()])?;
    let commit = commits.lines().find(|commit| has_gap(commit))?;
    Some(format!("git restore --source={commit} {path}"))
}

fn git(root: &Path, arguments: &[&str]) -> Option<String> {
    let mut git = Command::new("git");
    let output = git.args(arguments).current_dir(root).output().ok()?;
    let text = output.status.success().then_some(output.stdout)?;
    String::from_utf8(text).ok()
}
