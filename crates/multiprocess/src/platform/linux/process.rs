//! What Linux says about processes and threads.

pub(crate) use crate::platform::unix::process::now;

/// Returns the name of a process, of which the system shows 15 bytes.
pub(crate) fn name(pid: u32) -> Option<String> {
    let name = std::fs::read_to_string(format!("/proc/{pid}/comm")).ok()?;
    Some(name.trim_end().to_owned())
}

/// Returns the number of this thread; that of the main thread is the process id.
pub(crate) fn thread_id() -> i32 {
    rustix::thread::gettid().as_raw_pid()
}

/// Sets the name of this process that the system shows.
pub(crate) fn set_name(name: &str) {
    // The kernel keeps 15 bytes; as `ps` shows them, control characters are question marks.
    let short = name[..name.floor_char_boundary(15)].replace(char::is_control, "?");
    if let Ok(short) = std::ffi::CString::new(short) {
        let _ = rustix::thread::set_name(&short);
    }
}

/// Makes the system kill this process when its parent, or the parent's thread that started it, ends; false if that has
/// happened. Unlike a thread that watches the parent, this also ends a process that is stopped.
pub(crate) fn end_with(parent: u32) -> bool {
    use rustix::process::{Pid, Signal, getppid, set_parent_process_death_signal};
    // Where the system refuses, there is still the thread that watches the parent.
    let _ = set_parent_process_death_signal(Some(Signal::KILL));
    // Checked afterwards: an earlier death sends no signal.
    let parent = i32::try_from(parent).ok().and_then(Pid::from_raw);
    // In a new namespace of process ids the parent has none.
    getppid().is_none_or(|found| Some(found) == parent)
}
