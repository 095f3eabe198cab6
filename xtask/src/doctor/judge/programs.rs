//! What is installed, downloaded and built.

use super::verdict::Finding;
use crate::doctor::found::{Packages, Python, Tool};
use crate::mdbook::INSTALL;

const PYTHON: (u32, u32) = (3, 9);

/// Judges Rust's version; `needed` is such as `1.95`.
pub(in crate::doctor) fn rust(tool: &Tool, needed: &str) -> Finding {
    let mend = "`rustup update` installs the newest.";
    match tool {
        Tool::Missing(why) => Finding::problem("Rust", why, install_or_start(why)),
        Tool::Says(words) => match version(words) {
            Some(version) if Some(version) < self::version(needed) => Finding::problem(
                "Rust",
                words,
                format!("The course needs Rust {needed} or newer. {mend}"),
            ),
            Some(_) => Finding::fine("Rust", words),
            None => Finding::note(
                "Rust",
                words,
                format!("The course needs Rust {needed} or newer."),
            ),
        },
    }
}

/// Judges Cargo.
pub(in crate::doctor) fn cargo(tool: &Tool) -> Finding {
    match tool {
        Tool::Says(words) => Finding::fine("Cargo", words),
        Tool::Missing(why) => Finding::problem("Cargo", why, install_or_start(why)),
    }
}

fn install_or_start(why: &str) -> &'static str {
    if why.contains("not found") {
        "Install Rust: <https://rustup.rs> says how."
    } else {
        "It is there but does not start: the cause stands above."
    }
}

/// Judges whether the packages that the course uses are downloaded.
pub(in crate::doctor) fn packages(packages: &Packages) -> Finding {
    const WHAT: &str = "packages";
    match packages {
        Packages::AllHere(count) => Finding::fine(
            WHAT,
            format!("{count}, all downloaded: no network is needed"),
        ),
        Packages::SomeMissing(which) => Finding::note(
            WHAT,
            which,
            "Run `cargo fetch --locked` while there is a network; after that none is needed.",
        ),
        Packages::Unclear(why) => Finding::problem(
            WHAT,
            why,
            "`cargo metadata --locked` in the checkout shows what Cargo cannot do.",
        ),
    }
}

/// Judges how many of the lessons are built already.
pub(in crate::doctor) fn built(built: usize, lessons: usize) -> Finding {
    const WHAT: &str = "lessons built";
    let found = format!("{built} of {lessons}");
    if built < lessons {
        let advice = "A lesson is built when it is played for the first time, and the first of them takes \
                      longest. Before a class, run `cargo build --workspace`.";
        return Finding::note(WHAT, found, advice);
    }
    Finding::fine(WHAT, found)
}

/// Judges what is there of Python.
pub(in crate::doctor) fn python(python: &Python) -> Finding {
    const WHAT: &str = "Python";
    let needed = format!("{}.{}", PYTHON.0, PYTHON.1);
    match python {
        Python::Missing(why) => Finding::note(
            WHAT,
            why,
            format!(
                "Only the Python counterparts need it. For those, install Python {needed} or newer so that it \
                 is called `python3`."
            ),
        ),
        Python::Here {
            version: words,
            start_method,
        } => {
            let found = format!("{words}, starts processes by {start_method}");
            if version(words).is_none_or(|version| version < PYTHON) {
                let advice = format!("The Python counterparts need Python {needed} or newer.");
                return Finding::note(WHAT, found, advice);
            }
            Finding::fine(WHAT, found)
        }
    }
}

/// Judges `mdbook`, which only makes the HTML book.
pub(in crate::doctor) fn mdbook(tool: &Tool) -> Finding {
    match tool {
        Tool::Says(words) => Finding::fine("mdBook", words),
        Tool::Missing(why) => Finding::note(
            "mdBook",
            why,
            format!("Only the course as an HTML book needs it. In the checkout: `{INSTALL}`."),
        ),
    }
}

/// Finds the first version in a text, such as `rustc 1.95.0 (abc 2026-01-02)`: its first two numbers.
fn version(text: &str) -> Option<(u32, u32)> {
    text.split_whitespace().find_map(|word| {
        let mut numbers = word.split('.').map(str::parse::<u32>);
        match (numbers.next(), numbers.next()) {
            (Some(Ok(major)), Some(Ok(minor))) => Some((major, minor)),
            _ => None,
        }
    })
}
