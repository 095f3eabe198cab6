//! What is measured, beside what, and the targets: the only place where that is written.

use self::Program::{C, Python, Rust};
use self::Target::{AtMost, Faster, FasterOnTwoCores, FasterPerCore};
use crate::measure::{self, Measurement, large, lock, pipe, pool, queue};

/// An operation that several sides do. The first side is ours.
pub(crate) struct Row {
    /// The name on the command line.
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    /// Whether operations per second are shown, instead of the time of one.
    pub(crate) is_rate: bool,
    pub(crate) sides: &'static [Side],
}

pub(crate) struct Side {
    pub(crate) title: &'static str,
    pub(crate) program: Program,
    pub(crate) target: Target,
    pub(crate) max_rounds: u32,
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

const fn time(name: &'static str, title: &'static str) -> Row {
    Row {
        name,
        title,
        is_rate: false,
        sides: &[],
    }
}

const fn rate(name: &'static str, title: &'static str) -> Row {
    let mut row = time(name, title);
    row.is_rate = true;
    row
}

const fn side(title: &'static str, program: Program) -> Side {
    Side {
        title,
        program,
        target: Target::Any,
        max_rounds: u32::MAX,
    }
}

const fn ours(measurement: Measurement) -> Side {
    side("multiprocess", Rust(measurement))
}

const fn python(call: &'static str) -> Side {
    side("Python", Python(call))
}

impl Row {
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

    const fn sides(mut self, sides: &'static [Side]) -> Row {
        self.sides = sides;
        self
    }
}

impl Side {
    const fn target(mut self, target: Target) -> Side {
        self.target = target;
        self
    }

    const fn max_rounds(mut self, rounds: u32) -> Side {
        self.max_rounds = rounds;
        self
    }
}

pub(crate) static ROWS: &[Row] = &[
    time("spawn", "start a process that does nothing, and join it").sides(&[
        ours(measure::start),
        side("process::Command", Rust(measure::command)).target(AtMost(1.5)),
        side("Python, fork", Python("spawn fork")).target(Faster(1.2)),
        side("Python, spawn", Python("spawn spawn")).target(Faster(30.0)),
    ]),
    time("pipe", "a number through a pipe and back").sides(&[
        ours(|| pipe::to_child(pipe::steady)),
        side("raw socketpair", Rust(|| pipe::socketpair(pipe::steady))).target(AtMost(1.0)),
        side("bare ipc-channel", Rust(pipe::ipc_channel)),
        python("pipe").target(Faster(3.0)),
    ]),
    time(
        "pipe-paused",
        "the same, to a process that has fallen asleep",
    )
    .sides(&[
        ours(|| pipe::to_child(pipe::paused)),
        side("raw socketpair", Rust(|| pipe::socketpair(pipe::paused))),
        python("pipe_paused"),
    ]),
    rate(
        "queue",
        "small items through a queue, one putter, one getter",
    )
    .sides(&[
        ours(|| queue::ours(1, 1)),
        side("bare ipc-channel", Rust(queue::ipc_channel)).target(Faster(4.0)),
        python("queue 1 1").target(Faster(20.0)),
    ]),
    rate("queue-4-2", "the same, four putters, two getters").sides(&[
        ours(|| queue::ours(4, 2)),
        python("queue 4 2").target(Faster(20.0)),
    ]),
    time("bytes-1", "1 MiB of bytes through a pipe and back").sides(&[
        ours(|| large::vector::<u8>(1)),
        python("large bytes 1").target(Faster(5.0)),
        side("four copies", Rust(|| large::copies(1, 4, 0))).target(AtMost(4.0)),
    ]),
    time("bytes-10", "the same, 10 MiB").sides(&[
        ours(|| large::vector::<u8>(10)),
        python("large bytes 10").target(Faster(5.0)),
        side("four copies", Rust(|| large::copies(10, 4, 0))).target(AtMost(4.0)),
    ]),
    time("bytes-100", "the same, 100 MiB").sides(&[
        ours(|| large::vector::<u8>(100)),
        python("large bytes 100"),
        side("four copies", Rust(|| large::copies(100, 4, 0))),
        side("copies, fresh pages", Rust(|| large::copies(100, 2, 2))).target(AtMost(1.3)),
    ]),
    time("numbers-1", "1 MiB of f64 through a pipe and back").sides(&[
        ours(|| large::vector::<f64>(1)),
        python("large numbers 1").target(Faster(5.0)),
        side("four copies", Rust(|| large::copies(1, 4, 0))).target(AtMost(4.0)),
    ]),
    time("numbers-10", "the same, 10 MiB").sides(&[
        ours(|| large::vector::<f64>(10)),
        python("large numbers 10").target(Faster(5.0)),
        side("four copies", Rust(|| large::copies(10, 4, 0))).target(AtMost(4.0)),
    ]),
    time("numbers-100", "the same, 100 MiB").sides(&[
        ours(|| large::vector::<f64>(100)),
        python("large numbers 100"),
        side("four copies", Rust(|| large::copies(100, 4, 0))),
        side("copies, fresh pages", Rust(|| large::copies(100, 2, 2))).target(AtMost(1.3)),
    ]),
    time("buffer", "a shared buffer of 100 MiB handed over and back").sides(&[
        ours(large::buffer),
        side("a number", Rust(|| pipe::to_child(pipe::steady))).target(AtMost(1.0)),
        python("buffer"),
    ]),
    time("pool", "pool map, 1 000 000 trivial calls, for each").sides(&[
        ours(pool::ours),
        python("pool").target(Faster(5.0)),
        side("rayon (threads)", Rust(pool::rayon)),
    ]),
    time("pool-single", "pool map, chunk size 1, for each call").sides(&[
        ours(pool::ours_single),
        python("pool_single").target(Faster(4.0)),
        side("procspawn", Rust(pool::procspawn)),
    ]),
    time("pool-work", "pool map, sums of 1000 squares, for each").sides(&[
        ours(pool::ours_work),
        side("a plain loop", Rust(pool::plain_loop)).target(FasterPerCore(0.95)),
        side("threads", Rust(pool::threads)),
        side("rayon (threads)", Rust(pool::rayon_work)),
    ]),
    time("pool-large", "pool map, 64 inputs of 1 MiB, for each")
        .sides(&[ours(large::pool), python("pool_large").target(Faster(5.0))]),
    time("lock", "take a lock that is free, and release it").sides(&[
        ours(lock::ours),
        side("bare robust mutex", C("lock")).target(AtMost(2.0)),
        python("lock").target(Faster(2.0)),
    ]),
    time("value", "four processes add 1 to one value, for each time").sides(&[
        ours(lock::value),
        side("bare robust mutex", C("value")).target(AtMost(2.0)),
        python("value").target(Faster(10.0)),
    ]),
    time("semaphore", "take a semaphore that is free, and release it").sides(&[
        ours(lock::semaphore),
        python("semaphore").target(Faster(1.5)),
    ]),
    time("lock-new", "make a lock, and drop it")
        .sides(&[ours(lock::new), python("lock_new").target(Faster(10.0))]),
    time("array-read", "copy a 64 MiB array out of shared memory").sides(&[
        ours(large::array_read),
        side("memcpy", Rust(|| large::copies(64, 1, 0))).target(Faster(0.8)),
    ]),
    time("array-write", "copy 64 MiB into a shared array").sides(&[
        ours(large::array_write),
        side("memcpy", Rust(|| large::copies(64, 1, 0))).target(Faster(0.8)),
    ]),
    time("factorial", "1 500 000! on one thread").sides(&[
        side("the lesson", Rust(|| measure::factorial(1))).max_rounds(5),
        python("factorial").target(Faster(6.0)).max_rounds(2),
    ]),
    time("factorial-cores", "1 500 000! on all cores").sides(&[
        side("the lesson", Rust(measure::factorial_on_all_cores)).max_rounds(5),
        side("one thread", Rust(|| measure::factorial(1)))
            .target(FasterOnTwoCores(1.7))
            .max_rounds(5),
    ]),
];

#[cfg(test)]
mod tests {
    use super::ROWS;

    #[test]
    fn the_help_lists_each_row() {
        let words: Vec<&str> = crate::USAGE.split_whitespace().collect();
        for row in ROWS {
            assert!(words.contains(&row.name), "{}", row.name);
        }
    }
}
