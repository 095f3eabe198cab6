//! `cargo xtask book`, with a script in place of mdbook; `.ci/run` makes the real book.

use crate::small_course::{SmallCourse, put_script, run_to_end};

const MDBOOK: &str = "target/tools/bin/mdbook";

#[test]
fn a_missing_or_failing_mdbook_and_a_wrong_command_line_are_errors() {
    let course = SmallCourse::new();
    let missing = run_to_end(course.command(&["book"]).env("PATH", "nowhere"));
    for part in ["mdbook is not installed", "cargo install mdbook --version"] {
        assert!(missing.error.contains(part), "{missing:?}");
    }
    put_script(&course.path(MDBOOK), "echo no paper >&2; exit 3");
    let failing = course.run(&["book"]);
    assert!(failing.error.contains("no paper"), "{failing:?}");
    for run in [missing, failing] {
        assert_eq!((run.out.as_str(), run.status), ("", Some(1)), "{run:?}");
    }
    for argument in ["--serve", "folder"] {
        let run = course.run(&["book", argument]);
        assert!(run.error.contains(argument), "{run:?}");
        assert_eq!((run.out.as_str(), run.status), ("", Some(2)));
    }
}

#[test]
fn the_pages_are_in_order_with_working_links_labels_and_folded_answers() {
    let course = SmallCourse::new();
    course.append(
        "lessons/greeting/README.md",
        "\n[a](../trouble/README.md#fails) [b](src/main.rs) ![c](c.svg) [*d*](../nowhere.md)\n\
         [e](#hello) [f](https://rust.example/) [g][h] [i](i.md)\n\n[h]: exercise/task.md\n\n\
         ```rust\nfn main()\n```\n\n```rust,compile_fail\nlet x;\n```\n\n\
         ```text\nerror[E0282]: what is x?\n```\n\n```text\nplain\n```\n",
    );
    course.write("lessons/greeting/c.svg", "");
    course.write("lessons/greeting/i.md", "Not a page of the book.");
    let task = "# Greet\n\nDo.\n\n## Hint 1\n\nOne.\n\n## Hint 2\n\nTwo.\n\n## What next\n\nGo.\n";
    course.write("lessons/greeting/exercise/task.md", task);
    // The script copies the sources to the book.
    let copy = "mkdir -p \"$4\" && cp -r \"$2/src/.\" \"$4\"";
    put_script(&course.path(MDBOOK), copy);
    let run = course.run(&["book"]);
    assert_eq!((run.error.as_str(), run.status), ("", Some(0)));
    assert!(run.out.contains("6 pages.\n"), "{run:?}");

    let read = |path: &str| course.read(&format!("target/book/{path}"));
    assert_eq!(
        read("SUMMARY.md"),
        "# Contents\n\n[Welcome](lessons/index.md)\n\n\
         - [All about greeting](lessons/greeting/index.md)\n  \
           - [Exercise: Greet](lessons/greeting/exercise/task.md)\n\
         - [All about trouble](lessons/trouble/index.md)\n\
         - [All about broken](lessons/broken/index.md)\n\n\
         [Farewell](lessons/farewell.md)\n\n"
    );
    assert_eq!(read("lessons/index.md"), "# Welcome\n\nWelcome to it.\n");
    assert_eq!(read("lessons/farewell.md"), "# Farewell\n\nGoodbye.\n");
    let page = read("lessons/greeting/index.md");
    for part in [
        "[a](../trouble/index.md#fails) [b](src/main.rs.txt) ![c](c.svg) *d*\n",
        "[e](#hello) [f](https://rust.example/) [g][h] i\n\n[h]: exercise/task.md\n",
        "Guess.\n\n<div class=\"label\">Rust</div>\n\n```rust\nfn hello() {}\n```\n\n\
         <details><summary>The run, and what to notice</summary>\n\n\
         <div class=\"label\">Terminal</div>\n\n```console\n$ cargo",
        "Notice hello.\n\n\n</details>\n\n## Things to try\n",
        "\">Rust, from <a href=\"src/main.rs.txt\">src/main.rs</a></div>\n\n```rust\nfn main",
        "<div class=\"label\">Rust that does not compile</div>\n\n```rust,compile_fail\n",
        "<div class=\"label\">What the compiler says</div>\n\n```text\nerror[E0282]",
        "\n```\n\n```text\nplain\n```\n",
    ] {
        assert!(page.contains(part), "no {part:?} in {page}");
    }
    assert!(read("lessons/greeting/src/main.rs.txt").contains("fn main"));
    assert_eq!(read("lessons/greeting/c.svg"), "");
    let task = read("lessons/greeting/exercise/task.md");
    let hint =
        |name, text| format!("<details><summary>{name}</summary>\n\n\n{text}\n\n\n</details>\n\n");
    let hints = hint("Hint 1", "One.") + &hint("Hint 2", "Two.");
    assert_eq!(
        task,
        format!("# Greet\n\nDo.\n\n{hints}## What next\n\nGo.\n")
    );
}
