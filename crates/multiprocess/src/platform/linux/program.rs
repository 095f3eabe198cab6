//! The file of the running program, to start it again.

use std::ffi::{OsStr, OsString};
use std::io::{self, ErrorKind};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::platform::unix::program::named;

/// The kernel's own link leads to the running file even when it was deleted, or replaced by a rebuild.
const LINK: &str = "/proc/self/exe";

/// The arguments for the loader that started this program: `ld.so --library-path LIBRARIES PROGRAM …`. Empty if the
/// kernel started the program itself.
static FOR_LOADER: OnceLock<Vec<OsString>> = OnceLock::new();

/// Records how this program was started, before it can change its folder.
pub(crate) fn note() {
    FOR_LOADER.get_or_init(|| {
        let line = std::fs::read("/proc/self/cmdline").unwrap_or_default();
        for_loader(&line, &std::env::args_os().collect::<Vec<_>>()).unwrap_or_default()
    });
}

/// The kernel runs the loader, which passes the arguments after its own to the program that it loads.
fn for_loader(line: &[u8], seen: &[OsString]) -> Option<Vec<OsString>> {
    let line = line.strip_suffix(&[0])?;
    let all: Vec<&OsStr> = line
        .split(|&byte| byte == 0)
        .map(OsStr::from_bytes)
        .collect();
    let for_loader = all.len().checked_sub(seen.len()).filter(|&more| more > 0)?;
    // A program may have overwritten its arguments as the system shows them.
    if all[for_loader + 1..] != seen[1..] {
        return None;
    }
    let program = std::path::absolute(all[for_loader]).ok()?;
    if is_same_file(&program, LINK.as_ref()) != Some(false) {
        return None;
    }
    let mut arguments: Vec<OsString> = all[..for_loader].iter().map(|&it| it.to_owned()).collect();
    arguments.push(program.into());
    Some(arguments)
}

fn is_same_file(one: &Path, other: &Path) -> Option<bool> {
    let (one, other) = (one.metadata().ok()?, other.metadata().ok()?);
    Some((one.dev(), one.ino()) == (other.dev(), other.ino()))
}

/// Returns a command that runs this program again; the caller adds the arguments.
pub(crate) fn command() -> io::Result<Command> {
    if let Err(error) = std::fs::metadata(LINK) {
        let reason = match error.kind() {
            ErrorKind::NotFound => format!(
                "{LINK}, the link to the running program, is missing: is /proc mounted \
                 (`mount -t proc proc /proc`)?"
            ),
            _ => format!("{LINK}, the link to the running program, cannot be used: {error}"),
        };
        return Err(io::Error::new(error.kind(), reason));
    }
    match FOR_LOADER.get().map(Vec::as_slice) {
        Some([loader, arguments @ ..]) => {
            let mut command = named(LINK.into(), Some(loader.clone()));
            command.args(arguments);
            Ok(command)
        }
        _ => Ok(named(file(), std::env::args_os().next())),
    }
}

fn file() -> PathBuf {
    // Under valgrind, the running file is valgrind's. Reading the link returns the program, but following it doesn't.
    let in_valgrind = std::env::var_os("LD_PRELOAD")
        .is_some_and(|libraries| libraries.to_string_lossy().contains("vgpreload"));
    if in_valgrind
        && let Ok(program) = std::fs::read_link(LINK)
        && is_same_file(&program, LINK.as_ref()) == Some(false)
    {
        return program;
    }
    LINK.into()
}
