//! `cargo xtask book`, with a stand-in for mdbook; `.ci/run` makes the whole book.

use crate::small_course::{SmallCourse, put_script, told};

/// Makes an mdbook for the course, which puts its sources into the book, and then does what the script says.
fn put_mdbook(course: &SmallCourse, script: &str) {
    let copy = "set -e; mkdir -p \"$4\"; cp -r \"$2/src/.\" \"$4\"; cd \"$4\"";
    put_script(
        &course.path("target/tools/bin/mdbook"),
        &format!("{copy}\n{script}"),
    );
}

#[test]
fn without_mdbook_it_is_said_how_to_install_it() {
    let course = SmallCourse::new();
    let missing = told(course.command(&["book"]).env("PATH", "nowhere"));
    for part in ["mdbook is not installed", "cargo install mdbook --version"] {
        assert!(missing.error.contains(part), "{missing:?}");
    }
    assert_eq!((missing.out.as_str(), missing.status), ("", Some(1)));
    for argument in ["--serve", "folder"] {
        let told = course.tell(&["book", argument]);
        assert!(told.error.contains(argument), "{told:?}");
        assert_eq!((told.out.as_str(), told.status), ("", Some(2)));
    }
}

#[test]
fn the_pages_are_in_order_with_links_that_fit_and_answers_that_are_folded() {
    let course = SmallCourse::new();
    course.append(
        "lessons/greeting/README.md",
        "\n[a](../trouble/README.md#fails) [b](src/main.rs) ![c](c.svg) [*d*](../nowhere.md)\n\
         [e](#hello) [f](https://rust.example/) [g][h]\n\n[h]: exercise/task.md\n",
    );
    course.write("lessons/greeting/c.svg", "");
    let task = "# Greet\n\nDo.\n\n## Hint 1\n\nOne.\n\n## Hint 2\n\nTwo.\n\n## What next\n\nGo.\n";
    course.write("lessons/greeting/exercise/task.md", task);
    put_mdbook(&course, "echo '<a href=\"SUMMARY.md\">' > index.html");
    let told = course.tell(&["book"]);
    assert_eq!((told.error.as_str(), told.status), ("", Some(0)));
    assert!(told.out.contains("5 pages, no broken link"), "{told:?}");

    let read = |path: &str| course.read(&format!("target/book/{path}"));
    assert_eq!(
        read("SUMMARY.md"),
        "# Contents\n\n[Welcome and farewell](lessons/index.md)\n\n\
         - [All about greeting](lessons/greeting/index.md)\n  \
           - [Exercise: Greet](lessons/greeting/exercise/task.md)\n\
         - [All about trouble](lessons/trouble/index.md)\n\
         - [All about broken](lessons/broken/index.md)\n"
    );
    let page = read("lessons/greeting/index.md");
    for part in [
        "[a](../trouble/index.md#fails) [b](src/main.rs.txt) ![c](c.svg) *d*\n",
        "[e](#hello) [f](https://rust.example/) [g][h]\n\n[h]: exercise/task.md\n",
        "Guess.\n\n```rust\nfn hello() {}\n```\n\n<details><summary>The run",
        "Notice hello.\n\n\n</details>\n\n## Things to try\n",
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

#[test]
fn a_broken_link_and_a_failing_mdbook_are_told() {
    let course = SmallCourse::new();
    let page = "<h1 id=\"top\"> <a href=\"#top\"> <a href=\"index.html#top\"> <a href=\"https://a.b\"> \
                <a href=\"no.html\"> <a href=\"#low\"> <a href=\"index.html#in\"> <img src=\"../c.svg\"> \
                <link href=\"https://c.d\">";
    put_mdbook(
        &course,
        &format!("mkdir sub; echo '{page}' > sub/index.html"),
    );
    let told = course.tell(&["book"]);
    let (_, broken) = told
        .error
        .split_once("lead nowhere:\n")
        .expect("broken links");
    let expected = [
        "no.html",
        "#low",
        "index.html#in",
        "https://c.d",
        "../c.svg",
    ];
    let expected = expected.map(|link| format!("sub/index.html: {link}\n"));
    assert_eq!((broken, told.status), (&*expected.concat(), Some(1)));

    put_mdbook(&course, "echo no ink >&2; exit 3");
    let told = course.tell(&["book"]);
    assert!(told.error.contains("no ink"), "{told:?}");
    assert_eq!((told.out.as_str(), told.status), ("", Some(1)));
}
