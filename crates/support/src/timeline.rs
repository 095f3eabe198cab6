use std::cell::Cell;
use std::fmt::Display;
use std::io::{self, Write};

use tracing::{dispatcher, info};

/// Adds the note `text` to this thread's lane in the timeline of the step, and names the lane `lane`.
///
/// `cargo xtask timeline` records a step and draws a lane for each process by itself. A thread gets a lane with its
/// first note; the lane ends with the thread. If nothing is recorded, this does nothing.
///
/// # Examples
///
/// ```
/// let worker = std::thread::spawn(|| {
///     for number in 0..3 {
///         support::mark("worker", number);
///     }
/// });
/// worker.join().unwrap();
/// ```
pub fn mark(lane: &str, text: impl Display) {
    let Some(recorder) = multiprocess::recorder() else {
        return;
    };
    dispatcher::with_default(recorder, || info!(target: TARGET, lane, %text, "mark"));
    // After the event: thread-locals are dropped in reverse order, and dropping `LANE` uses `tracing`. An ending thread
    // may already have dropped it.
    let _ = LANE.try_with(|lane| lane.0.set(true));
}

/// Prints a line that begins a part of a step. Each part gets its own picture in the timeline of the step.
///
/// # Examples
///
/// ```
/// support::part("without a lock:");
/// ```
pub fn part(title: &str) {
    // A closed pipe shows up at the next `println!`.
    let _ = writeln!(io::stdout(), "{title}");
    if let Some(recorder) = multiprocess::recorder() {
        dispatcher::with_default(recorder, || info!(target: TARGET, text = title, "part"));
    }
}

const TARGET: &str = "lesson";

/// The lane of this thread, if it has one.
struct Lane(Cell<bool>);

impl Drop for Lane {
    fn drop(&mut self) {
        if self.0.get()
            && let Some(recorder) = multiprocess::recorder()
        {
            dispatcher::with_default(recorder, || info!(target: TARGET, "lane ends"));
        }
    }
}

thread_local! {
    static LANE: Lane = const { Lane(Cell::new(false)) };
}
