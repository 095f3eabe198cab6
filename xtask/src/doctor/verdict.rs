//! What is thought of each thing that was found, apart from how it was found.

use super::found::{Limit, Packages, Python, Room, Tool};

/// How good it is for the course.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Fine,
    /// The course can be played; something will be slower, or left out.
    Note,
    /// Something that the course needs is missing.
    Problem,
}

impl Verdict {
    pub(super) fn word(self) -> &'static str {
        match self {
            Verdict::Fine => "ok",
            Verdict::Note => "note",
            Verdict::Problem => "PROBLEM",
        }
    }
}

/// A thing that was looked at.
#[derive(Debug, PartialEq)]
pub(super) struct Finding {
    pub(super) what: &'static str,
    /// What was found.
    pub(super) found: String,
    pub(super) verdict: Verdict,
    /// What to do, in Markdown; empty when all is well.
    pub(super) advice: String,
}

impl Finding {
    fn fine(what: &'static str, found: impl Into<String>) -> Self {
        Self {
            what,
            found: found.into(),
            verdict: Verdict::Fine,
            advice: String::new(),
        }
    }

    fn note(what: &'static str, found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self {
            verdict: Verdict::Note,
            advice: advice.into(),
            ..Self::fine(what, found)
        }
    }

    fn problem(what: &'static str, found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self {
            verdict: Verdict::Problem,
            ..Self::note(what, found, advice)
        }
    }
}

const MIB: u64 = 1024 * 1024;

/// What the step `big` of lesson value-array needs, 64 MiB, and some room.
pub(super) const SHARED_MEMORY: u64 = 72 * MIB;

/// What a first build writes, about.
const BUILD: u64 = 1024 * MIB;

/// What the temporary folder must have for what the processes write there.
const TEMPORARY: u64 = 8 * MIB;

/// Files that a program of the course has open at most, sockets and memory among them, and Cargo while it
/// builds: so many, and so many for each core, since pools have a worker for each.
const FILES: (u64, usize) = (48, 8);

/// Processes and threads at the same time while a lesson is built or played, at most.
const TASKS: (u64, usize) = (32, 8);

const PYTHON: (u32, u32) = (3, 9);

/// Judges the operating system.
pub(super) fn system(os: &str, architecture: &str) -> Finding {
    let found = format!("{os}, {architecture}");
    match os {
        "linux" => Finding::fine("system", found),
        "windows" => Finding::problem(
            "system",
            found,
            "The crate `multiprocess` needs Unix. On Windows, use WSL, the Windows Subsystem for Linux.",
        ),
        _ => Finding::note(
            "system",
            found,
            "The course is made for Linux. On other Unix systems some steps show less.",
        ),
    }
}

/// Judges Rust's version; `needed` is such as `1.95`.
pub(super) fn rust(tool: &Tool, needed: &str) -> Finding {
    let mend = "`rustup update` installs the newest.";
    match tool {
        Tool::Missing(why) => Finding::problem("Rust", why, install_or_start(why)),
        Tool::Says(words) => match version(words) {
            Some(version) if Some(version) < self::version(needed) => Finding::problem(
                "Rust",
                words,
                format!("The course needs Rust {needed} or newer. {mend}"),
            ),
            Some(_) => Finding::fine("Rust", words),
            None => Finding::note(
                "Rust",
                words,
                format!("The course needs Rust {needed} or newer."),
            ),
        },
    }
}

/// Judges Cargo.
pub(super) fn cargo(tool: &Tool) -> Finding {
    match tool {
        Tool::Says(words) => Finding::fine("Cargo", words),
        Tool::Missing(why) => Finding::problem("Cargo", why, install_or_start(why)),
    }
}

fn install_or_start(why: &str) -> &'static str {
    if why.contains("not found") {
        "Install Rust: <https://rustup.rs> says how."
    } else {
        "It is there but does not start: the cause stands above."
    }
}

/// Judges how many cores a program may use.
pub(super) fn cores(cores: usize) -> Finding {
    match cores {
        0 | 1 => Finding::note(
            "cores",
            cores.to_string(),
            "All steps work, but none gets faster by working in parallel: the speed-ups that the lessons \
             show are about 1 here.",
        ),
        _ => Finding::fine("cores", cores.to_string()),
    }
}

/// Judges how busy the machine is: the mean number of programs that wanted to compute in the last minute.
pub(super) fn load(load: Option<f64>, cores: usize) -> Finding {
    const WHAT: &str = "busy with other things";
    let Some(load) = load else {
        return Finding::fine(WHAT, "this system does not say");
    };
    let found = format!("{load:.1} programs on {cores} cores");
    let share = load / f64::from(u32::try_from(cores.max(1)).unwrap_or(u32::MAX));
    if share > 0.5 {
        let advice = "Other programs compute as well. The times that the steps measure will be longer, and \
                      the speed-ups smaller.";
        return Finding::note(WHAT, found, advice);
    }
    Finding::fine(WHAT, found)
}

/// Judges the memory that processes can share.
pub(super) fn shared_memory(room: &Room) -> Finding {
    const WHAT: &str = "shared memory";
    let container = "In a container, give it more with `--shm-size=256m`; otherwise \
                     `mount -o remount,size=256m /dev/shm`.";
    match room {
        Room::NotHere => Finding::fine(WHAT, "this system has no /dev/shm to look at"),
        Room::Unusable(why) => Finding::problem(
            WHAT,
            format!("/dev/shm: {why}"),
            "Processes share memory there: mount a tmpfs on `/dev/shm` that everybody may write to.",
        ),
        Room::Bytes { free, total } => {
            let found = format!("{} free of {}", bytes(*free), bytes(*total));
            if *free >= SHARED_MEMORY {
                return Finding::fine(WHAT, found);
            }
            let need = bytes(SHARED_MEMORY);
            let advice = if *total >= SHARED_MEMORY {
                format!(
                    "The step `big` of lesson value-array needs {need} of it. Look with `ls -l /dev/shm` \
                     who uses it."
                )
            } else {
                format!("The step `big` of lesson value-array needs {need} of it. {container}")
            };
            Finding::problem(WHAT, found, advice)
        }
    }
}

/// Judges the folder for temporary files.
pub(super) fn temporary(path: &str, room: &Room) -> Finding {
    const WHAT: &str = "temporary files";
    let mend = "Set `TMPDIR` to a folder that can be written to.";
    match room {
        Room::NotHere => Finding::problem(WHAT, format!("{path} is not there"), mend),
        Room::Unusable(why) => Finding::problem(WHAT, format!("{path}: {why}"), mend),
        Room::Bytes { free, .. } => {
            let found = format!("{path}, {} free", bytes(*free));
            if *free < TEMPORARY {
                return Finding::problem(WHAT, found, format!("Free some space there. Or: {mend}"));
            }
            Finding::fine(WHAT, found)
        }
    }
}

/// Judges the room for what is built.
pub(super) fn disk(room: &Room, all_built: bool) -> Finding {
    const WHAT: &str = "disk, for what is built";
    match room {
        Room::NotHere => Finding::fine(WHAT, "not known"),
        Room::Unusable(why) => Finding::problem(
            WHAT,
            why,
            "Cargo builds in the folder `target` of the checkout: make the checkout writable, or set \
             `CARGO_TARGET_DIR` to a folder that is.",
        ),
        Room::Bytes { free, .. } => {
            let found = format!("{} free", bytes(*free));
            if *free < BUILD && !all_built {
                let advice = format!(
                    "A first build writes about {}. Free some space, or set `CARGO_TARGET_DIR` to a folder \
                     on another disk.",
                    bytes(BUILD)
                );
                return Finding::note(WHAT, found, advice);
            }
            Finding::fine(WHAT, found)
        }
    }
}

/// Judges how many files a program may have open.
pub(super) fn files(limit: Limit, cores: usize) -> Finding {
    const WHAT: &str = "open files";
    let needed = needed(FILES, cores);
    match limit {
        Limit::Unknown => Finding::fine(WHAT, "this system does not say"),
        Limit::None => Finding::fine(WHAT, "no limit"),
        Limit::AtMost(limit) if limit >= needed => Finding::fine(WHAT, format!("up to {limit}")),
        Limit::AtMost(limit) => Finding::problem(
            WHAT,
            format!("up to {limit}"),
            format!(
                "Cargo and the pools need up to {needed}. `ulimit -n 1024` in this terminal gives more, if the \
                 system allows it."
            ),
        ),
    }
}

/// Judges how many processes and threads can still be started.
pub(super) fn tasks(limit: Limit, cores: usize) -> Finding {
    const WHAT: &str = "processes and threads";
    let needed = needed(TASKS, cores);
    match limit {
        Limit::Unknown => Finding::fine(WHAT, "this system does not say"),
        Limit::None => Finding::fine(WHAT, "no limit"),
        Limit::AtMost(limit) if limit >= needed => Finding::fine(WHAT, format!("{limit} more")),
        Limit::AtMost(limit) => Finding::problem(
            WHAT,
            format!("{limit} more"),
            format!(
                "Building and playing a lesson takes up to {needed}. End other programs, or raise the limit: \
                 `ulimit -u 4096` in this terminal, `--pids-limit` of a container."
            ),
        ),
    }
}

fn needed((always, for_each_core): (u64, usize), cores: usize) -> u64 {
    always + u64::try_from(for_each_core * cores).unwrap_or(u64::MAX / 2)
}

/// Judges whether the packages that the course uses are downloaded.
pub(super) fn packages(packages: &Packages) -> Finding {
    const WHAT: &str = "packages";
    match packages {
        Packages::AllHere(count) => Finding::fine(
            WHAT,
            format!("{count}, all downloaded: no network is needed"),
        ),
        Packages::SomeMissing(which) => Finding::note(
            WHAT,
            which,
            "Run `cargo fetch --locked` while there is a network; after that none is needed.",
        ),
        Packages::Unclear(why) => Finding::problem(
            WHAT,
            why,
            "`cargo metadata --locked` in the checkout shows what Cargo cannot do.",
        ),
    }
}

/// Judges how many of the lessons are built already.
pub(super) fn built(built: usize, lessons: usize) -> Finding {
    const WHAT: &str = "lessons built";
    let found = format!("{built} of {lessons}");
    if built < lessons {
        let advice = "A lesson is built when it is played for the first time, and the first of them takes \
                      longest. Before a class, run `cargo build --workspace`.";
        return Finding::note(WHAT, found, advice);
    }
    Finding::fine(WHAT, found)
}

/// Judges what is there of Python.
pub(super) fn python(python: &Python) -> Finding {
    const WHAT: &str = "Python";
    let needed = format!("{}.{}", PYTHON.0, PYTHON.1);
    match python {
        Python::Missing(why) => Finding::note(
            WHAT,
            why,
            format!(
                "Only the Python counterparts need it. For those, install Python {needed} or newer so that it \
                 is called `python3`."
            ),
        ),
        Python::Here {
            version: words,
            start_method,
        } => {
            let found = format!("{words}, starts processes by {start_method}");
            if version(words).is_none_or(|version| version < PYTHON) {
                let advice = format!("The Python counterparts need Python {needed} or newer.");
                return Finding::note(WHAT, found, advice);
            }
            Finding::fine(WHAT, found)
        }
    }
}

/// Judges where the output goes: `None` for what is no terminal.
pub(super) fn terminal(width: Option<u16>, is_plain: bool) -> Finding {
    const WHAT: &str = "terminal";
    match width {
        None => Finding::fine(WHAT, "none: plain text, 80 columns"),
        Some(width) if width < 80 => Finding::note(
            WHAT,
            format!("{width} columns"),
            "Code in the lessons is up to 100 columns wide: widen the window, or make the letters smaller.",
        ),
        Some(width) if is_plain => Finding::fine(WHAT, format!("{width} columns, plain text")),
        Some(width) => Finding::fine(WHAT, format!("{width} columns, with colours")),
    }
}

/// Judges `mdbook`, which only makes the HTML book.
pub(super) fn mdbook(tool: &Tool) -> Finding {
    match tool {
        Tool::Says(words) => Finding::fine("mdBook", words),
        Tool::Missing(why) => Finding::note(
            "mdBook",
            why,
            "Only the course as an HTML book needs it: `cargo install mdbook`.",
        ),
    }
}

/// Judges what programs left that were killed.
pub(super) fn leftovers(dead_runs: usize) -> Finding {
    const WHAT: &str = "left by killed programs";
    let found = match dead_runs {
        0 => return Finding::fine(WHAT, "nothing"),
        1 => "what 1 run shared".to_owned(),
        _ => format!("what {dead_runs} runs shared"),
    };
    let advice =
        "Nothing needs to be done: the next step with processes that is run clears it away.";
    Finding::note(WHAT, found, advice)
}

/// Judges the environment variables that change what the lessons show; `set` has those that are set.
pub(super) fn environment(set: &[&str]) -> Finding {
    const WHAT: &str = "environment";
    if set.is_empty() {
        return Finding::fine(WHAT, "nothing that changes the lessons");
    }
    let names: Vec<String> = set.iter().map(|name| format!("`{name}`")).collect();
    Finding::note(
        WHAT,
        format!("{} set", set.join(", ")),
        format!(
            "The lessons will show other things than their texts say. `unset` what you did not set on \
             purpose: {}.",
            names.join(", ")
        ),
    )
}

/// Finds the first version in a text, such as `rustc 1.95.0 (abc 2026-01-02)`: its first two numbers.
fn version(text: &str) -> Option<(u32, u32)> {
    text.split_whitespace().find_map(|word| {
        let mut numbers = word.split('.').map(str::parse::<u32>);
        match (numbers.next(), numbers.next()) {
            (Some(Ok(major)), Some(Ok(minor))) => Some((major, minor)),
            _ => None,
        }
    })
}

/// Writes a number of bytes with its unit.
fn bytes(bytes: u64) -> String {
    let (unit, name) = if bytes >= 1024 * MIB {
        (1024 * MIB, "GiB")
    } else {
        (MIB, "MiB")
    };
    format!("{} {name}", bytes / unit)
}

#[cfg(test)]
#[path = "verdict_tests.rs"]
mod tests;
