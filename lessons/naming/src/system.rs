//! What the operating system knows: the files below `/proc` on Linux, and the command `ps`.

use anyhow::Result;
use std::fs;
use std::path::Path;
use std::process::Command;

/// The pids of all processes that the system knows by this name.
pub fn pids_called(name: &str) -> Result<Vec<u32>> {
    let mut pids = Vec::new();
    for entry in fs::read_dir("/proc")? {
        let entry = entry?;
        let pid = entry.file_name().to_string_lossy().parse();
        if let (Ok(pid), Some(comm)) = (pid, comm(&entry.path()))
            && comm == name
        {
            pids.push(pid);
        }
    }
    Ok(pids)
}

/// The names of all threads of a process, as the system shows them.
pub fn thread_names(pid: u32) -> Result<Vec<String>> {
    if !cfg!(target_os = "linux") {
        return Ok(vec!["(only Linux shows them below /proc)".to_string()]);
    }
    let mut names = Vec::new();
    for thread in fs::read_dir(format!("/proc/{pid}/task"))? {
        if let Some(name) = comm(&thread?.path()) {
            names.push(name);
        }
    }
    Ok(names)
}

/// The words of the command line that started a process.
pub fn command_line(pid: u32) -> Vec<String> {
    let words = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let words = String::from_utf8_lossy(&words);
    words.split_terminator('\0').map(String::from).collect()
}

/// What `ps` says about the threads of a process, on one line.
pub fn ps(pid: u32) -> String {
    let ps = Command::new("ps")
        .args(["-T", "-o", "pid=,comm=", "-p"])
        .arg(pid.to_string())
        .output();
    match ps {
        Ok(answer) if answer.status.success() => {
            let lines = String::from_utf8_lossy(&answer.stdout);
            lines.lines().map(str::trim).collect::<Vec<_>>().join(", ")
        }
        Ok(_) => "(the ps of this machine does not know these options)".to_string(),
        Err(_) => "(there is no ps on this machine)".to_string(),
    }
}

/// The name in `DIRECTORY/comm`; `None` when the process or thread has just ended.
fn comm(directory: &Path) -> Option<String> {
    let comm = fs::read_to_string(directory.join("comm")).ok()?;
    Some(comm.trim_end().to_string())
}
