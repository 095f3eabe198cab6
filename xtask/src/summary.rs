use std::io;
use std::time::Duration;

use support::readable_time;

use crate::course::Lesson;
use crate::screen::Screen;

/// How the playing of a lesson went.
pub(crate) struct Played<'a> {
    pub(crate) lesson: &'a Lesson,
    pub(crate) steps: usize,
    pub(crate) time: Duration,
    pub(crate) failures: Vec<Failure>,
}

/// Something that went wrong: what, and how.
pub(crate) struct Failure {
    what: String,
    reason: String,
}

impl<'a> Played<'a> {
    pub(crate) fn new(lesson: &'a Lesson) -> Self {
        Self {
            lesson,
            steps: 0,
            time: Duration::ZERO,
            failures: Vec::new(),
        }
    }

    pub(crate) fn fail(&mut self, what: String, reason: &str) {
        self.failures.push(Failure {
            what,
            reason: reason.to_owned(),
        });
    }
}

/// Shows what was played, how long it took, and what failed.
pub(crate) fn show(screen: &mut Screen, played: &[Played]) -> io::Result<()> {
    screen.heading("What was played")?;
    let widest = |text: fn(&Played) -> String| {
        let lengths = played.iter().map(|one| text(one).len());
        lengths.max().unwrap_or(0)
    };
    let name_width = widest(|one| one.lesson.name.clone());
    let steps_width = widest(|one| steps(one.steps));
    for one in played {
        let Played { lesson, time, .. } = one;
        screen.line(&format!(
            "{:>2}  {:<name_width$}  {:<steps_width$}  {:>8}",
            lesson.number,
            lesson.name,
            steps(one.steps),
            readable_time(*time)
        ))?;
    }
    screen.blank()?;
    let all_steps = steps(played.iter().map(|one| one.steps).sum());
    let time = readable_time(played.iter().map(|one| one.time).sum());
    let failures: Vec<&Failure> = played.iter().flat_map(|one| &one.failures).collect();
    if failures.is_empty() {
        return screen.line(&format!("{all_steps} in {time}. Everything worked."));
    }
    let count = failures.len();
    screen.failure(&format!("{all_steps} in {time}. Failed: {count}."))?;
    for Failure { what, reason } in failures {
        screen.line(&format!("- {what}: {reason}"))?;
    }
    Ok(())
}

fn steps(count: usize) -> String {
    match count {
        1 => "1 step".to_owned(),
        _ => format!("{count} steps"),
    }
}
