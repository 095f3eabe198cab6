//! The programs of the lessons, built in the background.

use std::collections::HashMap;
use std::io;
use std::path::Path;
use std::rc::Rc;
use std::sync::mpsc::{self, Receiver};
use std::thread::{self, JoinHandle};

use crate::screen::Screen;
use crate::task::ignore_broken_pipe;
use course::build::Program;

/// The requested programs, by the names of their packages.
#[derive(Default)]
pub(crate) struct Programs(HashMap<String, State>);

enum State {
    /// Being built, with Cargo's progress messages.
    Building(JoinHandle<Result<Program, String>>, Receiver<String>),
    Built(Rc<Program>),
}

impl Programs {
    /// Starts to build a lesson's program in the background, unless that has been done.
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

    /// Forgets a lesson's program, so that it's built again: it may have changed.
    pub(crate) fn forget(&mut self, lesson: &str) {
        self.0.remove(lesson);
    }

    /// Waits for a lesson's program, shows the progress, and returns it. If the build fails, shows Cargo's
    /// errors and returns `None`. A closed output is no error here.
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
                    ignore_broken_pipe(screen.status(&label, &doing))?;
                }
                ignore_broken_pipe(screen.end_status())?;
                thread.join().expect("building does not panic").map(Rc::new)
            }
        };
        if let Err(errors) = &program {
            let why = format!("{lesson} does not build. Cargo's errors:");
            let shown = screen
                .failure(&why)
                .and_then(|()| screen.code("", "", errors));
            ignore_broken_pipe(shown)?;
        }
        let program = program.ok();
        let built = program
            .iter()
            .map(|it| (lesson.to_owned(), State::Built(Rc::clone(it))));
        self.0.extend(built);
        Ok(program)
    }
}
