//! The programs of the lessons, built while somebody reads.

use std::collections::HashMap;
use std::io;
use std::path::Path;
use std::rc::Rc;
use std::sync::mpsc::{self, Receiver};
use std::thread::{self, JoinHandle};

use crate::screen::Screen;
use crate::task::though_unread;
use course::build::Program;

/// The programs that have been asked for, each by the name of its package.
#[derive(Default)]
pub(crate) struct Programs(HashMap<String, State>);

enum State {
    /// Being built, with what Cargo says it is doing.
    Building(JoinHandle<Result<Program, String>>, Receiver<String>),
    Built(Rc<Program>),
}

impl Programs {
    /// Lets a lesson's program be built in the background, unless it has been.
    pub(crate) fn begin(&mut self, root: &Path, lesson: &str) {
        self.0
            .entry(lesson.to_owned())
            .or_insert_with_key(|lesson| {
                let (sender, doing) = mpsc::channel();
                let (root, lesson) = (root.to_owned(), lesson.clone());
                let tell =
                    move |doing: &str| sender.send(doing.to_owned()).map_err(io::Error::other);
                let build = move || Program::build(&root, &lesson, ["--bin", &lesson], tell);
                let thread = thread::spawn(build);
                State::Building(thread, doing)
            });
    }

    /// Forgets a lesson's program: it may have been changed, and is to be built anew.
    pub(crate) fn forget(&mut self, lesson: &str) {
        self.0.remove(lesson);
    }

    /// Returns a lesson's program, and says so while that takes time. Where it cannot be built,
    /// shows what Cargo says, and returns nothing; also if the reader of the output has gone away.
    pub(crate) fn wait(
        &mut self,
        screen: &mut Screen,
        root: &Path,
        lesson: &str,
    ) -> io::Result<Option<Rc<Program>>> {
        self.begin(root, lesson);
        let program = match self.0.remove(lesson).expect("it has begun") {
            State::Built(program) => Ok(program),
            State::Building(thread, doing) => {
                let label = format!("Building {lesson}");
                for doing in doing.iter().filter(|_| !thread.is_finished()) {
                    though_unread(screen.status(&label, &doing))?;
                }
                though_unread(screen.end_status())?;
                thread.join().expect("building does not panic").map(Rc::new)
            }
        };
        if let Err(said) = &program {
            let why = format!("{lesson} does not build. Cargo says:");
            let told = screen
                .failure(&why)
                .and_then(|()| screen.code("", "", said));
            though_unread(told)?;
        }
        let program = program.ok();
        let built = program
            .iter()
            .map(|it| (lesson.to_owned(), State::Built(Rc::clone(it))));
        self.0.extend(built);
        Ok(program)
    }
}
