use std::io;
use std::time::Duration;

use support::readable_time;

use crate::screen::Screen;
use course::Lesson;

/// How the playing of a lesson went.
pub(crate) struct Played<'a> {
    /// The place of the lesson among those that are played.
    pub(crate) chapter: usize,
    lesson: &'a Lesson,
    pub(crate) time: Duration,
    /// What kept the lesson itself from being played.
    failure: Option<String>,
    steps: Vec<Step>,
}

/// How the last run of a step went.
struct Step {
    name: String,
    failure: Option<String>,
}

impl<'a> Played<'a> {
    pub(crate) fn new(chapter: usize, lesson: &'a Lesson) -> Self {
        Self {
            chapter,
            lesson,
            time: Duration::ZERO,
            failure: None,
            steps: Vec::new(),
        }
    }

    /// Notes what keeps the lesson from being played, or that nothing does any more.
    pub(crate) fn note_lesson(&mut self, failure: Option<&str>) {
        self.failure = failure.map(str::to_owned);
    }

    /// Notes how a step's run went. What was noted of an earlier run no longer counts.
    pub(crate) fn note_step(&mut self, name: &str, failure: Option<String>) {
        let name = name.to_owned();
        match self.steps.iter_mut().find(|step| step.name == name) {
            Some(step) => step.failure = failure,
            None => self.steps.push(Step { name, failure }),
        }
    }

    pub(crate) fn has_failed(&self) -> bool {
        self.failures().next().is_some()
    }

    /// Gives what failed, and how.
    fn failures(&self) -> impl Iterator<Item = (String, &str)> {
        let lesson = &self.lesson.name;
        let whole = self.failure.iter().map(|reason| (lesson.clone(), reason));
        let steps = self.steps.iter().filter_map(move |step| {
            let reason = step.failure.as_ref()?;
            Some((format!("{lesson} {}", step.name), reason))
        });
        whole.chain(steps).map(|(what, reason)| (what, &**reason))
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
    let steps_width = widest(|one| steps(one.steps.len()));
    for one in played {
        let Played { lesson, time, .. } = one;
        screen.line(&format!(
            "{:>2}  {:<name_width$}  {:<steps_width$}  {:>8}",
            lesson.number,
            lesson.name,
            steps(one.steps.len()),
            readable_time(*time)
        ))?;
    }
    screen.blank()?;
    let all_steps = steps(played.iter().map(|one| one.steps.len()).sum());
    let time = readable_time(played.iter().map(|one| one.time).sum());
    let failures: Vec<_> = played.iter().flat_map(Played::failures).collect();
    if failures.is_empty() {
        return screen.line(&format!("{all_steps} in {time}. Everything worked."));
    }
    let count = failures.len();
    screen.failure(&format!("{all_steps} in {time}. Failed: {count}."))?;
    for (what, reason) in failures {
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
