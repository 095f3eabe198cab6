use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::mpsc::{self, Receiver};
use std::thread;

use anyhow::{anyhow, bail};

use crate::screen::Screen;
use course::build::{Build, Program};

/// The programs of the lessons that have been reached. They are built while somebody reads the
/// opening words.
pub(crate) struct Programs {
    root: PathBuf,
    /// How far each is, by the name of its lesson.
    all: HashMap<String, Readiness>,
}

enum Readiness {
    OnItsWay(Building),
    Ready(Rc<Program>),
}

impl Programs {
    /// Begins with none, for the checkout `root`.
    pub(crate) fn new(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
            all: HashMap::new(),
        }
    }

    /// Lets a lesson's program be built, if nobody has done so.
    pub(crate) fn begin(&mut self, lesson: &str) {
        let Self { root, all } = self;
        all.entry(lesson.to_owned())
            .or_insert_with(|| Readiness::OnItsWay(Building::start(root, lesson)));
    }

    /// Forgets a lesson's program: it may have been changed, and is to be built anew.
    pub(crate) fn forget(&mut self, lesson: &str) {
        self.all.remove(lesson);
    }

    /// Gives a lesson's program, and waits for it if need be, saying so while it takes time. Where
    /// it cannot be built, gives what Cargo said.
    pub(crate) fn wait(
        &mut self,
        screen: &mut Screen,
        lesson: &str,
    ) -> io::Result<Result<Rc<Program>, String>> {
        self.begin(lesson);
        let built = match self.all.remove(lesson) {
            Some(Readiness::OnItsWay(building)) => {
                let label = format!("Building lesson {lesson}");
                let built = building.wait(|doing| screen.status(&label, doing));
                screen.end_status()?;
                built
            }
            Some(Readiness::Ready(program)) => {
                let ready = Readiness::Ready(Rc::clone(&program));
                self.all.insert(lesson.to_owned(), ready);
                return Ok(Ok(program));
            }
            None => Err(anyhow!("nobody builds it")),
        };
        match built {
            Ok(Build::Done(program)) => {
                let program = Rc::new(program);
                let ready = Readiness::Ready(Rc::clone(&program));
                self.all.insert(lesson.to_owned(), ready);
                Ok(Ok(program))
            }
            Ok(Build::Failed(said)) => Ok(Err(said)),
            Err(error) => match error.downcast::<io::Error>() {
                Ok(error) => Err(error),
                Err(error) => Ok(Err(format!("{error:#}"))),
            },
        }
    }
}

/// The program of a lesson that is being built.
struct Building {
    news: Receiver<News>,
}

enum News {
    /// What Cargo says it is doing.
    Doing(String),
    Done(anyhow::Result<Build>),
}

impl Building {
    /// Begins to build the program of a package, and does not wait for it.
    fn start(root: &Path, package: &str) -> Self {
        let (sender, news) = mpsc::channel();
        let (root, package) = (root.to_owned(), package.to_owned());
        thread::spawn(move || {
            let nobody = |_| io::Error::other("nobody waits for the program any more");
            let built = Program::build(&root, &package, |doing| {
                sender.send(News::Doing(doing.to_owned())).map_err(nobody)
            });
            // An error means that nobody wants to know.
            let _ = sender.send(News::Done(built));
        });
        Self { news }
    }

    /// Waits for the program. `tell` is called with what Cargo is doing, and not at all when it has
    /// already done everything.
    fn wait(self, mut tell: impl FnMut(&str) -> io::Result<()>) -> anyhow::Result<Build> {
        let mut last = None;
        for news in self.news.try_iter() {
            match news {
                News::Done(built) => return built,
                News::Doing(doing) => last = Some(doing),
            }
        }
        if let Some(doing) = last {
            tell(&doing)?;
        }
        for news in self.news {
            match news {
                News::Done(built) => return built,
                News::Doing(doing) => tell(&doing)?,
            }
        }
        bail!("the building has stopped half way")
    }
}
