//! A socket between `ipc-channel` and us: one end is theirs, the other end is our plain file.
//!
//! `ipc-channel` creates its own sockets and doesn't show their descriptors, but its senders connect to a
//! given path. So we listen at a path, let a sender connect, and unlink the path at once.

use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use ipc_channel::ipc::IpcSender;
use rustix::io::{Errno, retry_on_intr};
use rustix::net::{
    AddressFamily, SocketAddrUnix, SocketFlags, SocketType, accept_with, bind, listen, socket_with,
    sockopt,
};
use rustix::process::{Pid, getpid, test_kill_process};

use crate::platform::limits::explained;
use crate::platform::passing;

/// Bytes of the largest packet: `ipc-channel` puts two numbers before a message, which is empty.
const PACKET: usize = 64;

const PREFIX: &str = "multiprocess-";
const SUFFIX: &str = ".socket";

/// Creates a bridge, and returns their end, as a sender, and ours.
pub(crate) fn build<T: serde::Serialize>() -> Result<(IpcSender<T>, OwnedFd), String> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let folder = std::env::temp_dir();
    remove_abandoned(&folder);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let path = folder.join(format!("{PREFIX}{}-{count}{SUFFIX}", std::process::id()));
    let listening = listen_at(&path).map_err(|error| {
        format!(
            "a socket is needed in the folder for temporary files ({}), where it cannot be made: \
             {}; set TMPDIR to a folder that can be written to",
            folder.display(),
            explained(&error)
        )
    });
    let ends = listening.and_then(|listener| connect(&path, &listener));
    let _ = std::fs::remove_file(path);
    ends
}

fn listen_at(path: &Path) -> io::Result<OwnedFd> {
    let flags = SocketFlags::CLOEXEC;
    let listener = socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None)?;
    bind(&listener, &SocketAddrUnix::new(path)?)?;
    listen(&listener, 8)?;
    Ok(listener)
}

fn connect<T: serde::Serialize>(
    path: &Path,
    listener: &OwnedFd,
) -> Result<(IpcSender<T>, OwnedFd), String> {
    let path = path.to_str();
    let path = path.ok_or("the path of the folder for temporary files is not UTF-8")?;
    // Without a free descriptor `ipc-channel` would fail to connect, with a misleading error.
    drop(listener.try_clone().map_err(|error| explained(&error))?);
    let theirs = IpcSender::connect(path.to_owned()).map_err(|error| error.to_string())?;
    let ours = accept(listener).map_err(|error| explained(&error))?;
    Ok((theirs, ours))
}

/// Accepts only the connection that this process made.
fn accept(listener: &OwnedFd) -> io::Result<OwnedFd> {
    loop {
        let connection = retry_on_intr(|| accept_with(listener, SocketFlags::CLOEXEC))?;
        if sockopt::socket_peercred(&connection)?.pid == getpid() {
            return Ok(connection);
        }
    }
}

/// Removes the sockets of processes that were killed before they removed them.
fn remove_abandoned(folder: &Path) {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        let owner = entry.file_name().to_str().and_then(owner);
        if owner.is_some_and(|owner| test_kill_process(owner) == Err(Errno::SRCH)) {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

/// Returns the process that made the socket of this name.
fn owner(name: &str) -> Option<Pid> {
    let name = name.strip_prefix(PREFIX)?.strip_suffix(SUFFIX)?;
    let (pid, _) = name.split_once('-')?;
    Pid::from_raw(pid.parse().ok()?)
}

/// Takes the one packet that `ipc-channel` sent over the bridge, and the files that came with it.
pub(crate) fn take_packet(bridge: &OwnedFd) -> io::Result<(Vec<u8>, Vec<OwnedFd>)> {
    let (mut packet, mut files) = (vec![0; PACKET], Vec::new());
    let (length, all) = passing::receive(bridge, &mut packet, &mut files)?;
    packet.truncate(length);
    if !all {
        // There were too few free descriptors.
        return Err(Errno::MFILE.into());
    }
    Ok((packet, files))
}
