//! What the operating system shows: the files below `/proc` on Linux, and the command `ps`.

use anyhow::Result;
use std::fs;
use std::process::Command;

/// Returns the name of a process.
pub fn process_name(pid: u32) -> Result<String> {
    let comm = fs::read_to_string(format!("/proc/{pid}/comm"))?;
    Ok(comm.trim().to_string())
}

/// Returns the names of all threads of a process.
pub fn thread_names(pid: u32) -> Result<Vec<String>> {
    if !cfg!(target_os = "linux") {
        return Ok(vec!["(only Linux has /proc)".to_string()]);
    }
    let mut names = Vec::new();
    for thread in fs::read_dir(format!("/proc/{pid}/task"))? {
        let comm = thread?.path().join("comm");
        // A thread that has just ended has no file.
        if let Ok(name) = fs::read_to_string(comm) {
            names.push(name.trim().to_string());
        }
    }
    Ok(names)
}

/// Returns the command line that started a process.
pub fn command_line(pid: u32) -> Result<String> {
    let line = fs::read_to_string(format!("/proc/{pid}/cmdline"))?;
    Ok(line.replace('\0', " ").trim().to_string())
}

/// Returns what `ps` says about the threads of a process, on one line.
pub fn ps(pid: u32) -> String {
    let mut ps = Command::new("ps");
    ps.args(["-T", "-o", "pid=,comm=", "-p", &pid.to_string()]);
    match ps.output() {
        Ok(answer) if answer.status.success() => {
            let lines = String::from_utf8_lossy(&answer.stdout);
            lines.trim().replace('\n', ", ")
        }
        Ok(_) => "(this machine's ps does not know these options)".to_string(),
        Err(_) => "(this machine has no ps)".to_string(),
    }
}
