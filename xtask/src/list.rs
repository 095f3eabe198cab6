use std::process::ExitCode;

use lexopt::Parser;

use crate::screen::Screen;
use course::Course;

pub(crate) const USAGE: &str = "\
Usage: cargo xtask list

Shows the number, name, title and minutes of each lesson, and its steps.
";

/// The task `list`: shows the lessons, their steps and minutes.
pub(crate) fn run(mut arguments: Parser) -> anyhow::Result<ExitCode> {
    if let Some(argument) = arguments.next()? {
        return Err(argument.unexpected().into());
    }
    let course = Course::here()?;
    let mut screen = Screen::stdout(false);
    let mut scripts_read = true;
    for lesson in &course.lessons {
        let about = format!("{} minutes: {}", lesson.minutes, lesson.title);
        screen.heading(&format!("{} {}, {about}", lesson.number, lesson.name))?;
        match lesson.readme() {
            Ok(readme) => {
                let steps = readme.sections.iter();
                let steps: Vec<(&str, &str)> = steps
                    .filter_map(|section| Some((section.step.as_deref()?, section.words())))
                    .collect();
                let width = steps.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
                for (name, words) in steps {
                    screen.line(&format!("    {name:<width$}  {words}"))?;
                }
            }
            Err(error) => {
                scripts_read = false;
                screen.line(&format!("    {error:#}"))?;
            }
        }
        screen.blank()?;
    }
    let minutes: u32 = course.lessons.iter().map(|lesson| lesson.minutes).sum();
    let count = course.lessons.len();
    screen.line(&format!("{count} lessons, {minutes} minutes in all."))?;
    screen
        .line("`cargo xtask lesson LESSON STEP` plays a step, `cargo xtask lesson` everything.")?;
    Ok(ExitCode::from(u8::from(!scripts_read)))
}
