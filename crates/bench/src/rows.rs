//! The rows of the table: what is measured, what it's compared with, and the targets. This is the only place for that.

use std::thread;

use multiprocess::{Event, Lock, Queue, Semaphore, Value};

use self::Program::{C, Python, Rust};
use self::Target::{Any, AtMost, Faster};
use crate::measure::{self, Samples, large, lock, pipe, pool, queue};

/// An operation that several sides perform. The first side is ours.
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) title: String,
    pub(crate) sides: Vec<Side>,
}

pub(crate) struct Side {
    pub(crate) title: &'static str,
    pub(crate) target: Target,
    pub(crate) program: Program,
    /// The nanoseconds of one operation, for each sample so far; `None` after a failed measurement.
    pub(crate) samples: Option<Vec<f64>>,
}

/// How a side is measured.
pub(crate) enum Program {
    Rust(Box<dyn Fn() -> Samples>),
    /// A function of `speed.py`, and its arguments.
    Python(String),
    /// An argument of `bare_mutex.c`.
    C(&'static str),
}

/// How fast ours should be, compared with a side.
#[derive(Clone, Copy)]
pub(crate) enum Target {
    /// No target: the side is there for comparison.
    Any,
    /// At least this many times as fast.
    Faster(f64),
    /// At most this many times as long.
    AtMost(f64),
}

/// Returns the row with this name, or an error that suggests the nearest one.
pub(crate) fn row(wanted: &str) -> Result<Row, lexopt::Error> {
    let mut rows = rows();
    if let Some(place) = rows.iter().position(|row| row.name == wanted) {
        return Ok(rows.swap_remove(place));
    }
    let names: Vec<&str> = rows.iter().map(|row| &*row.name).collect();
    let nearest = support::nearest_name(wanted, names.iter().copied());
    let nearest = nearest.map(|name| format!("; did you mean `{name}`?"));
    let (wanted, nearest) = (wanted.escape_debug(), nearest.unwrap_or_default());
    let names = names.join(", ");
    Err(format!("there is no row `{wanted}`{nearest}\nThe rows are {names}").into())
}

#[expect(clippy::cast_precision_loss, reason = "a small number")]
pub(crate) fn rows() -> Vec<Row> {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let per_core = Faster((cores * 95) as f64 / 100.0);
    let on_all_cores = if cores > 1 { Faster(1.7) } else { Any };
    let mut rows = vec![
        Row::new("spawn", "start a process that does nothing, and join it")
            .ours(measure::start)
            .rust("process::Command", AtMost(1.5), measure::command)
            .side("Python, fork", Faster(1.2), Python("spawn fork".into()))
            .side("Python, spawn", Faster(30.0), Python("spawn spawn".into())),
        Row::new("pipe", "a number through a pipe and back")
            .ours(|| pipe::to_child(pipe::steady))
            .rust("raw socketpair", AtMost(1.0), || pipe::to_cat(pipe::steady))
            .rust("bare ipc-channel", Any, pipe::ipc_channel)
            .python("pipe", Faster(3.0)),
        Row::new(
            "pipe-paused",
            "the same, to a process that has gone to sleep",
        )
        .ours(|| pipe::to_child(pipe::paused))
        .rust("raw socketpair", Any, || pipe::to_cat(pipe::paused))
        .python("pipe_paused", Any),
        Row::new("queue", "items through a queue, one producer, one consumer")
            .ours(|| queue::ours(1, 1))
            .rust("bare ipc-channel", Faster(4.0), queue::ipc_channel)
            .python("queue 1 1", Faster(20.0)),
        Row::new("queue-4-2", "the same, four producers, two consumers")
            .ours(|| queue::ours(4, 2))
            .python("queue 4 2", Faster(20.0)),
    ];
    for (kind, vector) in [
        ("bytes", large::vector::<u8> as fn(u32) -> _),
        ("numbers", large::vector::<f64>),
    ] {
        for mib in [1, 10, 100] {
            let [than_python, four, fresh] = match mib {
                100 => [Any, Any, AtMost(1.3)],
                _ => [Faster(5.0), AtMost(4.0), Any],
            };
            let name = format!("{kind}-{mib}");
            let title = format!("{mib} MiB of {kind} through a pipe and back");
            let row = Row::new(&name, &title)
                .ours(move || vector(mib))
                .python(&format!("large {kind} {mib}"), than_python)
                .rust("four copies", four, move || large::copies(mib, 4, 0))
                .rust("copies, fresh pages", fresh, move || {
                    large::copies(mib, 2, 2)
                });
            rows.push(row);
        }
    }
    rows.extend([
        Row::new("buffer", "a shared buffer of 100 MiB handed over and back")
            .ours(large::buffer)
            .rust("a number", AtMost(1.0), || pipe::to_child(pipe::steady))
            .python("buffer", Any),
        Row::new("pool", "pool map, 1 000 000 trivial calls, for each")
            .ours(pool::ours)
            .python("pool", Faster(5.0))
            .rust("rayon (threads)", Any, pool::rayon),
        Row::new("pool-single", "pool map, chunk size 1, for each call")
            .ours(pool::ours_single)
            .python("pool_single", Faster(4.0))
            .rust("procspawn", Any, pool::procspawn),
        Row::new("pool-work", "pool map, sums of 1000 squares, for each")
            .ours(pool::ours_work)
            .rust("a plain loop", per_core, pool::plain_loop)
            .rust("rayon (threads)", Any, pool::rayon_work),
        Row::new("pool-large", "pool map, 64 inputs of 1 MiB, for each")
            .ours(large::pool)
            .python("pool_large", Faster(5.0)),
        Row::new("lock", "take a lock that is free, and release it")
            .ours(lock::ours)
            .side("bare robust mutex", AtMost(2.0), C("lock"))
            .python("lock", Faster(2.0)),
        Row::new("value", "four processes add 1 to one value, for each time")
            .ours(lock::value)
            .side("bare robust mutex", AtMost(2.0), C("value"))
            .python("value", Faster(10.0)),
        Row::new("semaphore", "take a semaphore that is free, and release it")
            .ours(lock::semaphore)
            .python("semaphore", Faster(1.5)),
        Row::new("array-read", "copy a 64 MiB array out of shared memory")
            .ours(|| large::array(|array, vector| vector.copy_from_slice(array)))
            .rust("memcpy", Faster(0.8), || large::copies(64, 1, 0)),
        Row::new("array-write", "copy 64 MiB into a shared array")
            .ours(|| large::array(|array, vector| array.copy_from_slice(vector)))
            .rust("memcpy", Faster(0.8), || large::copies(64, 1, 0)),
        Row::new("factorial", "1 500 000! on one thread")
            .rust("the lesson", Any, || measure::factorial(1))
            .python("factorial", Faster(4.0)),
        Row::new("factorial-cores", "1 500 000! on all cores")
            .rust("the lesson", Any, move || measure::factorial(cores))
            .rust("one thread", on_all_cores, || measure::factorial(1)),
    ]);
    rows.extend(new_handles());
    rows
}

fn new_handles() -> [Row; 6] {
    [
        Row::of_new("lock", Faster(10.0), Lock::new),
        Row::of_new("value", Any, || Value::new(0_i64)),
        Row::of_new("semaphore", Any, || Semaphore::new(2)),
        Row::of_new("event", Any, Event::new),
        Row::of_new("queue", Any, Queue::<u64>::new),
        Row::of_new("pipe", Any, multiprocess::pipe::<u64, u64>),
    ]
}

impl Row {
    fn new(name: &str, title: &str) -> Self {
        let (name, title, sides) = (name.to_owned(), title.to_owned(), Vec::new());
        Self { name, title, sides }
    }

    /// Returns a row about making handles of one kind.
    fn of_new<T: 'static>(kind: &str, target: Target, it: fn() -> multiprocess::Result<T>) -> Self {
        let title = format!("make a new {kind}, and drop it");
        Self::new(&format!("{kind}-new"), &title)
            .ours(move || measure::new(it))
            .python(&format!("new {kind}"), target)
    }

    fn ours(self, it: impl Fn() -> Samples + 'static) -> Self {
        self.rust("multiprocess", Any, it)
    }

    fn rust(self, title: &'static str, target: Target, it: impl Fn() -> Samples + 'static) -> Self {
        self.side(title, target, Rust(Box::new(it)))
    }

    fn python(self, call: &str, target: Target) -> Self {
        self.side("Python", target, Python(call.into()))
    }

    fn side(mut self, title: &'static str, target: Target, program: Program) -> Self {
        self.sides.push(Side {
            title,
            target,
            program,
            samples: Some(Vec::new()),
        });
        self
    }
}
