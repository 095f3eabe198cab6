//! `cargo xtask book`, as far as it goes without mdbook; `.ci/run` makes the whole book.

use crate::small_course::{SmallCourse, told};

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
    assert_eq!(told.status, Some(2));
}

#[test]
fn what_it_does_not_know_is_refused() {
    for arguments in [&["book", "--serve"][..], &["book", "one", "two"]] {
        let told = SmallCourse::new().tell(arguments);
        assert_eq!((told.out.as_str(), told.status), ("", Some(2)), "{told:?}");
    }
}
