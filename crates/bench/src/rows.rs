//! What is measured, beside what, and the targets: the only place where that is written.

use self::Program::{C, Python, Rust};
use self::Target::{Any, AtMost, Faster, FasterOnTwoCores, FasterPerCore};
use crate::measure::{self, Measurement, large, lock, pipe, pool, queue};

/// An operation that several sides do. The first side is ours.
pub(crate) struct Row {
    /// The name on the command line.
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    pub(crate) sides: &'static [Side],
}

pub(crate) struct Side {
    pub(crate) title: &'static str,
    pub(crate) target: Target,
    pub(crate) program: Program,
}

/// What measures a side.
#[derive(Clone, Copy)]
pub(crate) enum Program {
    Rust(Measurement),
    /// A function of `speed.py`, and its arguments.
    Python(&'static str),
    /// An argument of `bare_mutex.c`.
    C(&'static str),
}

/// What our speed should be, compared with a side's.
#[derive(Clone, Copy)]
pub(crate) enum Target {
    /// Anything: the side is measured for scale.
    Any,
    /// At least so many times as fast.
    Faster(f64),
    /// At least so many times as fast for each core.
    FasterPerCore(f64),
    /// At least so many times as fast, where there are two cores or more.
    FasterOnTwoCores(f64),
    /// At most so many times as long.
    AtMost(f64),
}

const fn row(name: &'static str, title: &'static str) -> Row {
    let sides = &[];
    Row { name, title, sides }
}

const fn rust(title: &'static str, target: Target, measurement: Measurement) -> Side {
    side(title, target, Rust(measurement))
}

const fn ours(measurement: Measurement) -> Side {
    rust("multiprocess", Any, measurement)
}

const fn python(call: &'static str, target: Target) -> Side {
    side("Python", target, Python(call))
}

const fn bare_mutex(argument: &'static str, target: Target) -> Side {
    side("bare robust mutex", target, C(argument))
}

const fn side(title: &'static str, target: Target, program: Program) -> Side {
    Side {
        title,
        target,
        program,
    }
}

impl Row {
    const fn sides(self, sides: &'static [Side]) -> Row {
        Row { sides, ..self }
    }

    /// Returns the row of that name, or an error that suggests the nearest name.
    pub(crate) fn find(name: &str) -> Result<&'static Row, lexopt::Error> {
        ROWS.iter().find(|row| row.name == name).ok_or_else(|| {
            let names: Vec<&str> = ROWS.iter().map(|row| row.name).collect();
            let nearest = support::nearest_name(name, names.iter().copied());
            let nearest = nearest.map(|name| format!("; did you mean `{name}`?"));
            let (nearest, names) = (nearest.unwrap_or_default(), names.join(", "));
            format!("there is no row `{name}`{nearest}\nThe rows are {names}").into()
        })
    }
}

pub(crate) static ROWS: &[Row] = &[
    row("spawn", "start a process that does nothing, and join it").sides(&[
        ours(measure::start),
        rust("process::Command", AtMost(1.5), measure::command),
        side("Python, fork", Faster(1.2), Python("spawn fork")),
        side("Python, spawn", Faster(30.0), Python("spawn spawn")),
    ]),
    row("pipe", "a number through a pipe and back").sides(&[
        ours(|| pipe::to_child(pipe::steady)),
        rust("raw socketpair", AtMost(1.0), || {
            pipe::socketpair(pipe::steady)
        }),
        rust("bare ipc-channel", Any, pipe::ipc_channel),
        python("pipe", Faster(3.0)),
    ]),
    row(
        "pipe-paused",
        "the same, to a process that has fallen asleep",
    )
    .sides(&[
        ours(|| pipe::to_child(pipe::paused)),
        rust("raw socketpair", Any, || pipe::socketpair(pipe::paused)),
        python("pipe_paused", Any),
    ]),
    row(
        "queue",
        "small items through a queue, one putter, one getter",
    )
    .sides(&[
        ours(|| queue::ours(1, 1)),
        rust("bare ipc-channel", Faster(4.0), queue::ipc_channel),
        python("queue 1 1", Faster(20.0)),
    ]),
    row("queue-4-2", "the same, four putters, two getters").sides(&[
        ours(|| queue::ours(4, 2)),
        python("queue 4 2", Faster(20.0)),
    ]),
    row("bytes-1", "1 MiB of bytes through a pipe and back").sides(&[
        ours(large::vector::<u8, 1>),
        python("large bytes 1", Faster(5.0)),
        rust("four copies", AtMost(4.0), large::copies::<1, 4, 0>),
    ]),
    row("bytes-10", "the same, 10 MiB").sides(&[
        ours(large::vector::<u8, 10>),
        python("large bytes 10", Faster(5.0)),
        rust("four copies", AtMost(4.0), large::copies::<10, 4, 0>),
    ]),
    row("bytes-100", "the same, 100 MiB").sides(&[
        ours(large::vector::<u8, 100>),
        python("large bytes 100", Any),
        rust("four copies", Any, large::copies::<100, 4, 0>),
        rust(
            "copies, fresh pages",
            AtMost(1.3),
            large::copies::<100, 2, 2>,
        ),
    ]),
    row("numbers-1", "1 MiB of f64 through a pipe and back").sides(&[
        ours(large::vector::<f64, 1>),
        python("large numbers 1", Faster(5.0)),
        rust("four copies", AtMost(4.0), large::copies::<1, 4, 0>),
    ]),
    row("numbers-10", "the same, 10 MiB").sides(&[
        ours(large::vector::<f64, 10>),
        python("large numbers 10", Faster(5.0)),
        rust("four copies", AtMost(4.0), large::copies::<10, 4, 0>),
    ]),
    row("numbers-100", "the same, 100 MiB").sides(&[
        ours(large::vector::<f64, 100>),
        python("large numbers 100", Any),
        rust("four copies", Any, large::copies::<100, 4, 0>),
        rust(
            "copies, fresh pages",
            AtMost(1.3),
            large::copies::<100, 2, 2>,
        ),
    ]),
    row("buffer", "a shared buffer of 100 MiB handed over and back").sides(&[
        ours(large::buffer),
        rust("a number", AtMost(1.0), || pipe::to_child(pipe::steady)),
        python("buffer", Any),
    ]),
    row("pool", "pool map, 1 000 000 trivial calls, for each").sides(&[
        ours(pool::ours),
        python("pool", Faster(5.0)),
        rust("rayon (threads)", Any, pool::rayon),
    ]),
    row("pool-single", "pool map, chunk size 1, for each call").sides(&[
        ours(pool::ours_single),
        python("pool_single", Faster(4.0)),
        rust("procspawn", Any, pool::procspawn),
    ]),
    row("pool-work", "pool map, sums of 1000 squares, for each").sides(&[
        ours(pool::ours_work),
        rust("a plain loop", FasterPerCore(0.95), pool::plain_loop),
        rust("threads", Any, pool::threads),
        rust("rayon (threads)", Any, pool::rayon_work),
    ]),
    row("pool-large", "pool map, 64 inputs of 1 MiB, for each")
        .sides(&[ours(large::pool), python("pool_large", Faster(5.0))]),
    row("lock", "take a lock that is free, and release it").sides(&[
        ours(lock::ours),
        bare_mutex("lock", AtMost(2.0)),
        python("lock", Faster(2.0)),
    ]),
    row("value", "four processes add 1 to one value, for each time").sides(&[
        ours(lock::value),
        bare_mutex("value", AtMost(2.0)),
        python("value", Faster(10.0)),
    ]),
    row("semaphore", "take a semaphore that is free, and release it")
        .sides(&[ours(lock::semaphore), python("semaphore", Faster(1.5))]),
    row("lock-new", "make a lock, and drop it")
        .sides(&[ours(lock::new), python("lock_new", Faster(10.0))]),
    row("array-read", "copy a 64 MiB array out of shared memory").sides(&[
        ours(large::array_read),
        rust("memcpy", Faster(0.8), large::copies::<64, 1, 0>),
    ]),
    row("array-write", "copy 64 MiB into a shared array").sides(&[
        ours(large::array_write),
        rust("memcpy", Faster(0.8), large::copies::<64, 1, 0>),
    ]),
    row("factorial", "1 500 000! on one thread").sides(&[
        rust("the lesson", Any, || measure::factorial(1)),
        python("factorial", Faster(6.0)),
    ]),
    row("factorial-cores", "1 500 000! on all cores").sides(&[
        rust("the lesson", Any, measure::factorial_on_all_cores),
        rust("one thread", FasterOnTwoCores(1.7), || {
            measure::factorial(1)
        }),
    ]),
];
