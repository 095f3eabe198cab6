//! Where a play is, in a file of the target folder, for `cargo xtask notes` in another terminal.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::player::Player;
use crate::playlist::{Kind, Scene};
use course::document::Block;

/// The file, in the target folder.
const FILE: &str = "course/playing";
/// A play holds the lock on this file. The system releases it, however the play ends.
const LOCK: &str = "course/playing.lock";

/// What a play shows at the moment, and what its teacher needs to know.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Playing {
    pub(crate) title: String,
    pub(crate) question: String,
    /// Whether the screen shows a text or a run.
    pub(crate) screen: String,
    /// The heading that comes next; empty at the end.
    pub(crate) next: String,
    /// The time of the lesson; without planned minutes if there's no lesson.
    pub(crate) lesson: Pace,
    /// The time of all that's played.
    pub(crate) class: Pace,
    pub(crate) notes: String,
}

/// When something began, in seconds since 1970, and its planned minutes.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Pace {
    began: u64,
    pub(crate) planned: u64,
    /// The planned minutes before and after the current step.
    pub(crate) here: [u64; 2],
}

impl Pace {
    /// Returns the minutes since the beginning.
    pub(crate) fn elapsed(&self) -> u64 {
        now().as_secs().saturating_sub(self.began) / 60
    }

    fn text(&self) -> String {
        let [start, end] = self.here;
        format!("{} {} {start} {end}", self.began, self.planned)
    }

    fn parse(text: &str) -> Option<Self> {
        let mut numbers = text.split(' ').map(str::parse);
        let mut number = || numbers.next()?.ok();
        Some(Self {
            began: number()?,
            planned: number()?,
            here: [number()?, number()?],
        })
    }
}

impl Playing {
    /// Returns what the play in progress shows; `None` if there's none.
    pub(crate) fn read(target_folder: &Path) -> Option<Self> {
        let lock = File::open(target_folder.join(LOCK)).ok()?;
        let is_held = matches!(lock.try_lock_shared(), Err(TryLockError::WouldBlock));
        is_held
            .then(|| fs::read_to_string(target_folder.join(FILE)).ok())?
            .and_then(|text| Self::parse(&text))
    }

    fn text(&self) -> String {
        let (lesson, class) = (self.lesson.text(), self.class.text());
        let lines = [
            &self.title,
            &self.question,
            &self.screen,
            &self.next,
            &lesson,
            &class,
            &self.notes,
        ];
        lines.map(String::as_str).join("\n")
    }

    /// Parses what `text` returns: a line for each field, and the notes.
    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.splitn(7, '\n').map(str::to_owned);
        let mut line = || lines.next();
        Some(Self {
            title: line()?,
            question: line()?,
            screen: line()?,
            next: line()?,
            lesson: Pace::parse(&line()?)?,
            class: Pace::parse(&line()?)?,
            notes: line()?,
        })
    }
}

/// Writes where the play is.
pub(crate) struct Publisher {
    target_folder: PathBuf,
    lock: Option<File>,
    /// The scene that was published last.
    place: Option<usize>,
    began: Duration,
}

impl Publisher {
    pub(crate) fn new(target_folder: &Path) -> Self {
        Self {
            target_folder: target_folder.to_owned(),
            lock: None,
            place: None,
            began: now(),
        }
    }

    /// Replaces the file in one step. Fails while another play has the lock.
    fn publish(&mut self, playing: &Playing) -> io::Result<()> {
        let path = self.target_folder.join(FILE);
        let lock = self.lock.take().map_or_else(|| self.locked(), Ok)?;
        let new = path.with_extension("new");
        fs::write(&new, playing.text())?;
        fs::rename(new, path)?;
        self.lock = Some(lock);
        Ok(())
    }

    fn locked(&self) -> io::Result<File> {
        let path = self.target_folder.join(LOCK);
        fs::create_dir_all(path.parent().unwrap_or(&path))?;
        let lock = File::create(path)?;
        lock.try_lock()?;
        Ok(lock)
    }
}

impl Player<'_> {
    /// Publishes the current scene, unless that's done. If it fails, the play goes on without notes, and the
    /// next call tries again: another play may have ended, or its lock was just being tested.
    pub(crate) fn publish(&mut self) {
        if self.publisher.place != Some(self.place) {
            let playing = self.playing();
            let published = self.publisher.publish(&playing);
            self.publisher.place = published.ok().map(|()| self.place);
        }
    }

    fn playing(&mut self) -> Playing {
        let (scenes, began) = (self.scenes, self.publisher.began);
        let scene = &scenes[self.place];
        let view = self.view(scene);
        // A step, or a text without one, begins with its text.
        let is_start = |place: &usize| scenes[*place].kind == Kind::Text;
        let start = (0..=self.place).rev().find(is_start).unwrap_or(0);
        let next = (self.place + 1..scenes.len()).find(is_start);
        let end = next.unwrap_or(scenes.len());
        let pace = |began: Duration, lesson| Pace {
            began: began.as_secs(),
            planned: planned(scenes, lesson),
            here: [start, end].map(|place| planned(&scenes[..place], lesson)),
        };
        let lesson = scene.lesson.map(|lesson| {
            let spent = self.reading.clock.in_lesson(lesson.number);
            pace(now().saturating_sub(spent), Some(lesson.number))
        });
        Playing {
            title: view.title,
            question: view.question.to_owned(),
            screen: match scene.kind {
                Kind::Text => "the text".to_owned(),
                Kind::Python => "the run in Python".to_owned(),
                Kind::Rust => "the run in Rust, and what to notice".to_owned(),
            },
            next: next
                .map(|next| heading(&scenes[next], scene))
                .unwrap_or_default(),
            lesson: lesson.unwrap_or_default(),
            class: pace(began, None),
            notes: course::notes(scenes[start..end].iter().flat_map(|scene| &scene.blocks)),
        }
    }
}

/// Returns the planned minutes of all scenes, or of those of one lesson. The steps of a lesson have equal shares.
fn planned(scenes: &[Scene], lesson: Option<u32>) -> u64 {
    let steps = scenes
        .iter()
        .filter(|scene| scene.kind == Kind::Text && scene.step.is_some());
    let seconds = steps.filter_map(|scene| {
        let of = scene
            .lesson
            .filter(|it| lesson.is_none_or(|number| it.number == number))?;
        Some(u64::from(of.minutes) * 60 / scene.number.1 as u64)
    });
    (seconds.sum::<u64>() + 30) / 60
}

/// Returns the heading of a scene, without the name of the lesson if that's the current one.
fn heading(scene: &Scene, current: &Scene) -> String {
    let Some(Block::Prose(text)) = scene.blocks.first() else {
        return String::new();
    };
    let heading = text
        .trim_start_matches('#')
        .trim_start()
        .lines()
        .next()
        .unwrap_or_default();
    let lesson = current
        .lesson
        .map(|lesson| format!("Lesson {}, step ", lesson.name));
    let short = lesson.and_then(|lesson| heading.strip_prefix(&lesson));
    short.unwrap_or(heading).to_owned()
}

/// Returns the time since 1970.
fn now() -> Duration {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{Pace, Playing, now};

    #[test]
    fn what_is_published_is_read_again_and_time_goes_on() {
        let lesson = Pace {
            began: now().as_secs() - 150,
            planned: 23,
            here: [4, 8],
        };
        let playing = Playing {
            title: "5 Pool".to_owned(),
            lesson,
            notes: "Ask.\n\nDraw.".to_owned(),
            ..Playing::default()
        };
        let read = Playing::parse(&playing.text()).unwrap();
        assert_eq!(read, playing);
        assert_eq!(read.lesson.elapsed(), 2);
        assert_eq!(Playing::parse("5 Pool\n\nof another version"), None);
    }
}
