//! What is measured, beside what, and what is asked of it: the only place where that is written.

/// An operation that is measured on several sides, the first of which is ours.
#[derive(Debug)]
pub(crate) struct Row {
    /// What it is called on the command line and by the programs that measure.
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    pub(crate) shown: Shown,
    pub(crate) sides: &'static [Side],
}

/// How a measurement is written down.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Shown {
    /// As the time of one operation.
    Time,
    /// As operations per second.
    Rate,
}

/// One of those that do the same.
#[derive(Debug)]
pub(crate) struct Side {
    /// What it is called by the programs that measure.
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    pub(crate) by: Instrument,
    pub(crate) asked: Asked,
    /// In how many rounds it is measured, at most.
    most_rounds: usize,
}

/// The program that measures a side.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Instrument {
    /// The example `speed` of `multiprocess`.
    Speed,
    /// The example `speed_procspawn`.
    Procspawn,
    /// `bare_mutex.c`.
    BareMutex,
    /// `speed.py`, with the method by which it starts processes.
    Python(&'static str),
}

/// What ours should be, compared with a side.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Asked {
    /// Nothing: the side is measured for scale.
    Nothing,
    /// So many times as fast, or faster.
    Faster(f64),
    /// So many times as fast for each core, or faster.
    FasterPerCore(f64),
    /// So many times as fast, or faster, where there are two cores or more.
    FasterOnTwoCores(f64),
    /// So many times as long, or shorter.
    AtMost(f64),
}

/// Rounds at most: as many as there are.
const ALL: usize = usize::MAX;

const OURS: Side = side("ours", "multiprocess", Instrument::Speed, Asked::Nothing);

const fn side(name: &'static str, title: &'static str, by: Instrument, asked: Asked) -> Side {
    Side {
        name,
        title,
        by,
        asked,
        most_rounds: ALL,
    }
}

/// Another side that the example `speed` measures.
const fn beside(name: &'static str, title: &'static str, asked: Asked) -> Side {
    side(name, title, Instrument::Speed, asked)
}

const fn python(asked: Asked) -> Side {
    side("python", "Python", Instrument::Python("fork"), asked)
}

const fn bare_mutex(asked: Asked) -> Side {
    let by = Instrument::BareMutex;
    side("bare", "bare robust mutex", by, asked)
}

const fn rarely(mut side: Side, rounds: usize) -> Side {
    side.most_rounds = rounds;
    side
}

use Asked::{AtMost, Faster, FasterOnTwoCores, FasterPerCore, Nothing};

pub(crate) const ROWS: &[Row] = &[
    Row {
        name: "spawn",
        title: "start a process that does nothing, and join it",
        shown: Shown::Time,
        sides: &[
            OURS,
            beside("command", "process::Command", AtMost(1.5)),
            side(
                "python-fork",
                "Python, fork",
                Instrument::Python("fork"),
                Faster(1.2),
            ),
            side(
                "python-spawn",
                "Python, spawn",
                Instrument::Python("spawn"),
                Faster(30.0),
            ),
        ],
    },
    Row {
        name: "pipe",
        title: "a number through a pipe and back",
        shown: Shown::Time,
        sides: &[
            OURS,
            beside("socketpair", "raw socketpair", AtMost(1.0)),
            beside("ipc-channel", "bare ipc-channel", Nothing),
            python(Faster(3.0)),
        ],
    },
    Row {
        name: "pipe-paused",
        title: "the same, to a process that has fallen asleep",
        shown: Shown::Time,
        sides: &[
            OURS,
            beside("socketpair", "raw socketpair", Nothing),
            python(Nothing),
        ],
    },
    Row {
        name: "queue",
        title: "small items through a queue, one putter, one getter",
        shown: Shown::Rate,
        sides: &[
            OURS,
            beside("ipc-channel", "bare ipc-channel", Faster(4.0)),
            python(Faster(20.0)),
        ],
    },
    Row {
        name: "queue-4-2",
        title: "the same, four putters, two getters",
        shown: Shown::Rate,
        sides: &[OURS, python(Faster(20.0))],
    },
    Row {
        name: "pool",
        title: "pool map, 1 000 000 trivial calls, for each",
        shown: Shown::Time,
        sides: &[
            OURS,
            python(Faster(5.0)),
            beside("rayon", "rayon (threads)", Nothing),
        ],
    },
    Row {
        name: "pool-single",
        title: "pool map, chunk size 1, for each call",
        shown: Shown::Time,
        sides: &[
            OURS,
            python(Faster(4.0)),
            side("procspawn", "procspawn", Instrument::Procspawn, Nothing),
        ],
    },
    Row {
        name: "pool-work",
        title: "pool map, sums of 1000 squares, for each",
        shown: Shown::Time,
        sides: &[
            OURS,
            beside("loop", "a plain loop", FasterPerCore(0.9)),
            beside("threads", "threads", Nothing),
            beside("rayon", "rayon (threads)", Nothing),
        ],
    },
    Row {
        name: "lock",
        title: "take a lock that is free, and release it",
        shown: Shown::Time,
        sides: &[OURS, bare_mutex(AtMost(2.0)), python(Faster(2.0))],
    },
    Row {
        name: "value",
        title: "four processes add 1 to one value, for each time",
        shown: Shown::Time,
        sides: &[OURS, bare_mutex(AtMost(2.0)), python(Faster(10.0))],
    },
    Row {
        name: "semaphore",
        title: "take a semaphore that is free, and release it",
        shown: Shown::Time,
        sides: &[OURS, python(Nothing)],
    },
    Row {
        name: "lock-new",
        title: "make a lock, and drop it",
        shown: Shown::Time,
        sides: &[OURS, python(Nothing)],
    },
    Row {
        name: "array-read",
        title: "copy a 64 MiB array out of shared memory",
        shown: Shown::Time,
        sides: &[OURS, beside("memcpy", "memcpy", Faster(0.8))],
    },
    Row {
        name: "array-write",
        title: "copy 64 MiB into a shared array",
        shown: Shown::Time,
        sides: &[OURS, beside("memcpy", "memcpy", Faster(0.8))],
    },
    Row {
        name: "factorial",
        title: "1 500 000! on one thread",
        shown: Shown::Time,
        sides: &[
            rarely(side("ours", "the lesson", Instrument::Speed, Nothing), 5),
            rarely(python(Faster(6.0)), 2),
        ],
    },
    Row {
        name: "factorial-cores",
        title: "1 500 000! on all cores",
        shown: Shown::Time,
        sides: &[
            rarely(side("ours", "the lesson", Instrument::Speed, Nothing), 5),
            rarely(beside("one-thread", "one thread", FasterOnTwoCores(1.7)), 5),
        ],
    },
];

impl Side {
    /// In how many of so many rounds it is measured.
    pub(crate) fn rounds(&self, all: usize) -> usize {
        self.most_rounds.min(all)
    }
}

impl Instrument {
    pub(crate) fn is_python(self) -> bool {
        matches!(self, Instrument::Python(_))
    }
}

#[cfg(test)]
mod tests {
    use super::{Instrument, ROWS};

    const SPEED: &str = include_str!("../../../crates/multiprocess/examples/speed/main.rs");
    const PYTHON: &str = include_str!("../../../crates/multiprocess/examples/speed/speed.py");
    const BARE: &str = include_str!("../../../crates/multiprocess/examples/speed/bare_mutex.c");

    #[test]
    fn each_side_is_known_to_the_program_that_measures_it() {
        for row in ROWS {
            for side in row.sides {
                let known = match side.by {
                    Instrument::Speed => {
                        SPEED.contains(&format!("(\"{}\", \"{}\",", row.name, side.name))
                    }
                    Instrument::Python(_) => {
                        let function = row.name.replace('-', "_");
                        PYTHON.contains(&format!("\ndef {function}(context"))
                    }
                    Instrument::BareMutex => BARE.contains(&format!("argv[1], \"{}\")", row.name)),
                    Instrument::Procspawn => row.name == "pool-single",
                };
                assert!(known, "{} {}", row.name, side.name);
            }
        }
    }

    #[test]
    fn names_are_unique_and_ours_comes_first() {
        for (index, row) in ROWS.iter().enumerate() {
            assert!(ROWS[index + 1..].iter().all(|it| it.name != row.name));
            assert_eq!(row.sides[0].name, "ours");
            for (index, side) in row.sides.iter().enumerate() {
                let others = &row.sides[index + 1..];
                assert!(others.iter().all(|it| it.title != side.title));
            }
        }
    }
}
