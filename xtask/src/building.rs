use std::io;
use std::path::Path;
use std::sync::mpsc::{self, Receiver};
use std::thread;

use anyhow::bail;

use crate::program::{Build, Program};

/// The program of a lesson that is being built, while somebody reads the opening words.
pub(crate) struct Building {
    news: Receiver<News>,
}

enum News {
    /// What Cargo says it is doing.
    Doing(String),
    Done(anyhow::Result<Build>),
}

impl Building {
    /// Begins to build the program of a package, and does not wait for it.
    pub(crate) fn start(root: &Path, package: &str) -> Self {
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
    pub(crate) fn wait(
        self,
        mut tell: impl FnMut(&str) -> io::Result<()>,
    ) -> anyhow::Result<Build> {
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
