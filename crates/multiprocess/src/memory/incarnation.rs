//! A process, told from a later one that has the same pid.

use std::sync::OnceLock;

/// A process as one number: its pid in the lower half, and in the upper one the moment of its start, in ticks of the
/// system's clock, where the system says it. Never 0.
///
/// It costs less than a [`Presence`](crate::memory::presence::Presence), and is not as certain: pid and tick could be the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Incarnation(u64);

const LOWER: u64 = 0xffff_ffff;

impl Incarnation {
    /// This process.
    #[inline]
    pub(crate) fn own() -> Incarnation {
        // A child is always a new program, so the pid does not change.
        static OWN: OnceLock<Incarnation> = OnceLock::new();
        *OWN.get_or_init(|| {
            let pid = std::process::id();
            let start = platform::start(pid).unwrap_or(0);
            Incarnation(start << 32 | u64::from(pid))
        })
    }

    /// The number as it stands in shared memory; `None` where it is 0, and nobody.
    #[inline]
    pub(crate) fn from_number(number: u64) -> Option<Incarnation> {
        (number != 0).then_some(Incarnation(number))
    }

    #[inline]
    pub(crate) fn number(self) -> u64 {
        self.0
    }

    pub(crate) fn pid(self) -> u32 {
        u32::try_from(self.0 & LOWER).expect("the lower half")
    }

    /// Whether the process has ended, with all its threads. Where it cannot be told, it has not.
    pub(crate) fn is_gone(self) -> bool {
        self != Incarnation::own() && platform::is_gone(self)
    }
}

/// Whether no process has the pid, not even one that has ended and was not yet waited for.
fn is_pid_free(process: Incarnation) -> bool {
    let pid = i32::try_from(process.pid())
        .ok()
        .and_then(rustix::process::Pid::from_raw);
    pid.is_none_or(|pid| rustix::process::test_kill_process(pid) == Err(rustix::io::Errno::SRCH))
}

#[cfg(all(target_os = "linux", not(multiprocess_twins)))]
mod platform {
    use std::io::ErrorKind;

    use super::{Incarnation, LOWER};

    /// What the system says of a process.
    #[derive(Debug, PartialEq)]
    pub(super) struct Stat {
        state: char,
        threads: u64,
        start: u64,
    }

    /// Reads the system's line on a process. The name in it stands in brackets, may hold any character, and may be cut in
    /// the middle of one.
    pub(super) fn parsed(line: &[u8]) -> Option<Stat> {
        let name_end = line.windows(2).rposition(|two| two == b") ")?;
        let rest = std::str::from_utf8(&line[name_end + 2..]).ok()?;
        // The state is the third of all words: <https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html>
        let words: Vec<&str> = rest.split_ascii_whitespace().collect();
        Some(Stat {
            state: words.first()?.chars().next()?,
            threads: words.get(17)?.parse().ok()?,
            start: words.get(19)?.parse::<u64>().ok()? & LOWER,
        })
    }

    fn stat(pid: u32) -> std::io::Result<Option<Stat>> {
        std::fs::read(format!("/proc/{pid}/stat")).map(|line| parsed(&line))
    }

    pub(super) fn start(pid: u32) -> Option<u64> {
        Some(stat(pid).ok()??.start)
    }

    pub(super) fn is_gone(process: Incarnation) -> bool {
        let start = process.number() >> 32;
        match stat(process.pid()) {
            Ok(Some(found)) => found.is_over() || start != 0 && start != found.start,
            Ok(None) => false,
            Err(error) => {
                let is_unknown = rustix::io::Errno::from_io_error(&error);
                let is_missing = error.kind() == ErrorKind::NotFound
                    || is_unknown == Some(rustix::io::Errno::SRCH);
                // The file is missing, too, where /proc is not mounted or hides other users' processes.
                is_missing && super::is_pid_free(process)
            }
        }
    }

    impl Stat {
        /// A process whose first thread has ended is a zombie, too, while other threads of it run.
        pub(super) fn is_over(&self) -> bool {
            self.state == 'X' || self.state == 'Z' && self.threads <= 1
        }
    }
}

/// Here a process that has ended, and was not yet waited for, still counts as there, and so does a later one of its pid.
#[cfg(not(all(target_os = "linux", not(multiprocess_twins))))]
mod platform {
    pub(super) use super::is_pid_free as is_gone;

    pub(super) fn start(_pid: u32) -> Option<u64> {
        None
    }
}

#[cfg(all(test, target_os = "linux", not(multiprocess_twins)))]
mod tests {
    use super::Incarnation;
    use super::platform::parsed;
    use std::process::Command;
    use std::time::{Duration, Instant};

    fn of(pid: u32, start: u64) -> Incarnation {
        Incarnation(start << 32 | u64::from(pid))
    }

    #[test]
    fn this_process_is_here_and_an_earlier_one_of_its_pid_is_gone() {
        let own = Incarnation::own();
        assert_eq!(own.pid(), std::process::id());
        assert!(!own.is_gone());
        let start = own.number() >> 32;
        assert_ne!(start, 0);
        assert!(of(own.pid(), start - 1).is_gone());
        // Where the start is not known, the pid has to do.
        assert!(!of(own.pid(), 0).is_gone());
    }

    #[test]
    fn a_child_is_gone_when_it_is_a_zombie_and_when_it_was_waited_for() {
        let mut child = Command::new("sleep").arg("60").spawn().unwrap();
        let start = super::platform::start(child.id()).unwrap();
        let process = of(child.id(), start);
        assert!(!process.is_gone());
        child.kill().unwrap();
        let deadline = Instant::now() + Duration::from_secs(30);
        while !process.is_gone() && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(1));
        }
        assert!(process.is_gone());
        child.wait().unwrap();
        assert!(process.is_gone());
    }

    #[test]
    fn a_name_may_be_anything_and_a_leader_may_end_before_its_threads() {
        let line = |state: &str, threads: u32| {
            let mut line = b"77 (a) \xe2\x82 S 1) ".to_vec();
            let before = "1 77 77 0 -1 4194560 1 0 0 0 0 0 0 0 20 0";
            let rest = format!("{state} {before} {threads} 0 4294967301 5 6");
            line.extend(rest.bytes());
            parsed(&line).unwrap()
        };
        assert!(!line("S", 1).is_over());
        assert!(line("Z", 1).is_over());
        assert!(!line("Z", 3).is_over());
        assert_eq!(line("R", 2), line("R", 2));
        assert!(format!("{:?}", line("R", 2)).contains("start: 5"));
        assert_eq!(parsed(b"77 (a"), None);
    }
}
