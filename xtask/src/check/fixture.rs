use std::fs;
use std::process::Command;

use tempfile::TempDir;

use super::Problem;
use super::checkout::{Checkout, LessonFiles};
use course::Course;

/// A small checkout in a folder of its own: one lesson in which everything is right.
pub(super) struct Fixture {
    root: TempDir,
}

const FILES: &[(&str, &str)] = &[
    (
        "Cargo.toml",
        "[workspace]\nmembers = [\"lessons/pool\", \"xtask\"]\n",
    ),
    (
        "xtask/Cargo.toml",
        "[package]\nname = \"xtask\"\n\n[lints.rust]\nunsafe_code = \"forbid\"\n\n\
         [lints.clippy]\npedantic = \"warn\"\n",
    ),
    (
        "lessons/pool/Cargo.toml",
        "[package]\nname = \"pool\"\n\n[[bin]]\nname = \"pool\"\npath = \"src/main.rs\"\n\n\
         [package.metadata.lesson]\nnumber = 1\ntitle = \"Pool: workers\"\nminutes = 3\n\n\
         [lints.rust]\nunsafe_code = \"forbid\"\n",
    ),
    (
        "lessons/pool/src/main.rs",
        "fn double(number: i32) -> i32 {\n    number * 2\n}\n\n\
         fn between() {}\n\n\
         fn map() -> Result<(), String> {\n    let two = 2;\n\n    \
             println!(\"{}\", double(two));\n    Ok(())\n}\n\n\
         fn in_order() -> Result<(), String> {\n    Ok(())\n}\n",
    ),
    (
        "lessons/pool/src/refused.rs",
        "//! Two words are no name:\n//!\n//! ```compile_fail\n\
         //! // Does not compile: two words.\n//! # fn main() {\n//! let a b;\n//! # }\n//! ```\n",
    ),
    (
        "lessons/pool/pool.py",
        "def map():\n    print(10)\n\n    print(20)\n\n\ndef in_order():\n    pass\n",
    ),
    (
        "lessons/pool/README.md",
        "# Pool: workers\n\nProse.\n\n\
         ## map: one function\n\n\
         ```python\ndef map():\n    print(10)\n\n    print(20)\n```\n\n\
         ```rust\nfn double(number: i32) -> i32 {\n    number * 2\n}\n\n\
         fn map() -> Result<(), String> {\n    let two = 2;\n\n    \
             println!(\"{}\", double(two));\n    Ok(())\n}\n```\n\n\
         ```console\n$ cargo run -q -p pool -- map\n4\n```\n\n\
         ## in-order: one after the other\n\n\
         ```python\ndef in_order():\n    pass\n```\n\n\
         ```rust\nfn in_order() -> Result<(), String> {\n    Ok(())\n}\n```\n\n\
         ```rust,compile_fail\n// Does not compile: two words.\nlet a b;\n```\n\n\
         ```console\n$ cargo run -q -p pool -- in-order\n```\n",
    ),
];

impl Fixture {
    pub(super) fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let fixture = Self { root };
        for (path, text) in FILES {
            fixture.write(path, text);
        }
        fixture
    }

    pub(super) fn write(&self, path: &str, text: &str) {
        let path = self.root.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub(super) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.root.path().join(path)).unwrap()
    }

    pub(super) fn remove(&self, path: &str) {
        fs::remove_file(self.root.path().join(path)).unwrap();
    }

    pub(super) fn append(&self, path: &str, text: &str) {
        self.write(path, &(self.read(path) + text));
    }

    pub(super) fn replace(&self, path: &str, old: &str, new: &str) {
        let text = self.read(path);
        assert!(text.contains(old), "{path} has no {old:?}");
        self.write(path, &text.replacen(old, new, 1));
    }

    /// Commits everything as it is now.
    pub(super) fn commit(&self) {
        self.stage();
        let settings = ["user.name=A", "user.email=a@b", "commit.gpgsign=false"];
        let settings = settings.into_iter().flat_map(|setting| ["-c", setting]);
        let commit = ["commit", "-q", "--no-verify", "-m", "All"];
        let words: Vec<&str> = ["git"].into_iter().chain(settings).chain(commit).collect();
        self.run(&words);
    }

    /// Has git take note of everything as it is now.
    pub(super) fn stage(&self) {
        self.run(&["git", "init", "-q"]);
        self.run(&["git", "add", "."]);
    }

    /// Runs a command in the checkout.
    pub(super) fn run(&self, words: &[&str]) {
        let mut command = Command::new(words[0]);
        command.args(&words[1..]).current_dir(self.root.path());
        assert!(command.status().unwrap().success(), "{words:?}");
    }

    /// Reads the checkout as it is now. The lesson's program is not built: it has two steps,
    /// and no runs.
    pub(super) fn checkout(&self) -> Checkout {
        let root = self.root.path().to_owned();
        let course = Course::find(root.clone()).unwrap();
        let lessons = course.lessons.iter().map(|lesson| {
            let mut files = LessonFiles::read(&root, lesson).unwrap();
            files.steps = Ok(vec!["map".to_owned(), "in-order".to_owned()]);
            files
        });
        Checkout {
            lessons: lessons.collect(),
            no_python: None,
            files: super::checkout::files(&root).unwrap(),
            root,
        }
    }
}

/// Gives what a rule finds wrong, as it is told to the user.
pub(super) fn problems(rule: fn(&Checkout) -> Vec<Problem>, checkout: &Checkout) -> Vec<String> {
    rule(checkout).iter().map(ToString::to_string).collect()
}
