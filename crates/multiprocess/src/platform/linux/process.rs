//! What Linux says about processes and threads.

/// Returns the name of a process, of which the system shows 15 bytes.
pub(crate) fn name(pid: u32) -> Option<String> {
    let name = std::fs::read_to_string(format!("/proc/{pid}/comm")).ok()?;
    Some(name.trim_end().to_owned())
}

/// Returns the number of this thread; that of the main thread is the process id.
pub(crate) fn thread_id() -> i32 {
    rustix::thread::gettid().as_raw_pid()
}
