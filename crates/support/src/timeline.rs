use std::cell::Cell;
use std::fmt::Display;
use std::io::{self, Write};

use tracing::{dispatcher, info};

/// Notes in the timeline of the step that the lane `lane` of this thread is at `text`.
///
/// `cargo xtask timeline` records a step and draws a lane for each process by itself. A thread gets one with its first
/// note; it ends with the thread. Where nothing is recorded, this does nothing.
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
    // After the event: what is begun first ends last, and `tracing` is needed to the end.
    // A thread that is ending may have ended its lane before.
    let _ = LANE.try_with(|lane| lane.0.set(true));
}

/// Prints a line with which a part of a step begins. In the timeline of the step the part gets a picture of its own.
///
/// # Examples
///
/// ```
/// support::part("without a lock:");
/// ```
pub fn part(title: &str) {
    // A reader that has gone away is told to whoever prints next.
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
