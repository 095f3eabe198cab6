//! What a play shows to its teacher: written by the play, and read by `cargo xtask notes` in another terminal.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::playlist::{self, Kind, Scene};

/// The file, in the target folder.
const FILE: &str = "course/playing";
/// A play holds the lock on this file. The system releases it, however the play ends.
const LOCK: &str = "course/playing.lock";

/// The title and the question of a play's screen, each on a line of its own, and then the notes in Markdown.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Playing(String);

impl Playing {
    /// Returns what the play in progress shows; `None` if there's none.
    pub(crate) fn read(target_folder: &Path) -> Option<Self> {
        let lock = File::open(target_folder.join(LOCK)).ok()?;
        let is_held = matches!(lock.try_lock_shared(), Err(TryLockError::WouldBlock));
        let text = is_held.then(|| fs::read_to_string(target_folder.join(FILE)).ok());
        text.flatten().map(Self)
    }

    /// Returns what a scene's teacher sees. `times` are the time spent in its lesson, and in all.
    pub(crate) fn of(scenes: &[Scene], place: usize, times: [Duration; 2]) -> Self {
        let scene = &scenes[place];
        let start = playlist::start(scenes, place);
        let is_start = |place: &usize| playlist::start(scenes, *place) == *place;
        let next = (place + 1..scenes.len()).find(is_start);
        let end = next.unwrap_or(scenes.len());
        let notes = course::notes(scenes[start..end].iter().flat_map(|scene| &scene.blocks));
        let notes = [&*notes, "There are no notes for this part."][usize::from(notes.is_empty())];
        let shown = match scene.kind {
            Kind::Text => "the text",
            Kind::Python => "the run in Python",
            Kind::Rust => "the run in Rust, and what to notice",
        };
        let next = next.map_or("the end", |next| &*scenes[next].heading);
        let line = |name, elapsed: Duration, lesson| {
            let [all, from, to] =
                [scenes.len(), start, end].map(|end| planned(&scenes[..end], lesson));
            let here = [format!("{from} to {to}"), from.to_string()];
            let (minutes, here) = (elapsed.as_secs() / 60, &here[usize::from(from == to)]);
            format!("- **{name}:** {minutes} of {all} minutes; planned here: {here}\n")
        };
        let [spent, total] = times;
        let number = scene.lesson_number();
        let lesson = number.map_or_else(String::new, |_| line("Lesson", spent, number));
        let class = line("Class", total, None);
        let (title, question) = (&scene.title, &scene.question);
        Self(format!(
            "{title}\n{question}\n{notes}\n\n- **On the screen:** {shown}\n- **Next:** {next}\n{lesson}{class}"
        ))
    }

    /// Returns the title, the question, and the notes.
    pub(crate) fn parts(&self) -> [&str; 3] {
        let mut parts = self.0.splitn(3, '\n');
        [(); 3].map(|()| parts.next().unwrap_or_default())
    }
}

/// Writes what a play shows.
#[derive(Default)]
pub(crate) struct Publisher {
    target_folder: PathBuf,
    lock: Option<File>,
    published: Playing,
}

impl Publisher {
    pub(crate) fn new(target_folder: &Path) -> Self {
        Self {
            target_folder: target_folder.to_owned(),
            ..Self::default()
        }
    }

    /// Publishes what a play shows, unless it's published. If that fails, the play goes on without notes, and
    /// the next call tries again: another play may have ended, or its lock was just being tested.
    pub(crate) fn publish(&mut self, playing: Playing) {
        if playing != self.published && self.replace(&playing).is_ok() {
            self.published = playing;
        }
    }

    /// Replaces the file in one step. Fails while another play has the lock.
    fn replace(&mut self, playing: &Playing) -> io::Result<()> {
        let path = self.target_folder.join(FILE);
        let lock = self.lock.take().map_or_else(|| self.locked(), Ok)?;
        let new = path.with_extension("new");
        fs::write(&new, &playing.0)?;
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

/// Returns the planned minutes of all scenes, or of those of one lesson.
fn planned(scenes: &[Scene], lesson: Option<u32>) -> u32 {
    let counts = |scene: &&Scene| lesson.is_none() || scene.lesson_number() == lesson;
    let seconds = scenes.iter().filter(counts).map(|scene| scene.seconds);
    (seconds.sum::<u32>() + 30) / 60
}
