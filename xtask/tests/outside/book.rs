//! `cargo xtask book`, with a stand-in for mdbook; `.ci/run` makes the whole book.

use std::fs;

use crate::small_course::{SmallCourse, put_script, told};

/// Gives the course an mdbook that copies the sources into the book, and then does what the script
/// says.
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
    let told = told(course.command(&["book"]).env("PATH", "nowhere"));
    assert!(told.error.contains("mdbook is not installed"), "{told:?}");
    assert!(
        told.error
            .contains("cargo install mdbook --version 0.5.4 --locked"),
        "{told:?}"
    );
    assert_eq!((told.out.as_str(), told.status), ("", Some(1)));
}

#[test]
fn a_folder_with_something_in_it_is_left_alone() {
    let course = SmallCourse::new();
    course.write("notes/mine.txt", "mine");
    let told = course.tell(&["book", "notes"]);
    assert!(
        told.error.contains("is neither empty nor a book"),
        "{told:?}"
    );
    assert!(told.error.contains("or remove it"), "{told:?}");
    assert_eq!(told.status, Some(2));
    assert_eq!(course.read("notes/mine.txt"), "mine");
}

#[test]
fn what_cuts_a_book_short_leaves_the_old_one_and_does_not_stop_the_next() {
    let course = SmallCourse::new();
    let make = |script: &str| {
        put_mdbook(&course, script);
        course.tell(&["book"])
    };
    let told = make("echo old > index.html");
    assert_eq!(told.status, Some(0), "{told:?}");

    let killed = make("echo half > index.html; kill -9 $PPID");
    assert_eq!(killed.status, None, "{killed:?}");
    let failed = make("echo half > index.html; exit 3");
    assert!(failed.error.contains("mdbook failed"), "{failed:?}");
    assert_eq!(failed.status, Some(1));
    let broken = make("echo '<a href=\"nowhere.html\">' > index.html");
    assert!(broken.out.contains("nowhere.html"), "{broken:?}");
    assert_eq!(broken.status, Some(1));
    assert_eq!(course.read("target/book/index.html"), "old\n");

    let told = make("echo new > index.html");
    assert_eq!(told.status, Some(0), "{told:?}");
    assert_eq!(course.read("target/book/index.html"), "new\n");
    let left = fs::read_dir(course.path("target")).expect("a folder");
    let left = left.filter(|entry| {
        let name = entry.as_ref().expect("an entry").file_name();
        name.to_string_lossy().starts_with('.')
    });
    assert_eq!(left.count(), 0);
}

#[test]
fn what_it_does_not_know_is_refused() {
    for arguments in [&["book", "--serve"][..], &["book", "one", "two"]] {
        let told = SmallCourse::new().tell(arguments);
        assert_eq!((told.out.as_str(), told.status), ("", Some(2)), "{told:?}");
    }
}
