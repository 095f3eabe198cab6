//! `cargo xtask bench`, with a program that says what it gets instead of measuring.

use std::process::Stdio;

use crate::small_course::{SmallCourse, finished};

const PROGRAM: &str = r#"
fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    println!("{} {}", std::process::id(), words.join(" "));
    std::process::exit(3);
}
"#;
const PACKAGE: &str = "name = \"bench\"\nversion = \"0.1.0\"\n";

#[test]
fn xtask_becomes_the_program_that_measures() {
    let course = SmallCourse::new();
    let workspace = "[workspace]\nresolver = \"3\"\nmembers = [\"crates/bench\"]\n";
    course.write("Cargo.toml", workspace);
    let lock = format!("version = 4\n\n[[package]]\n{PACKAGE}");
    course.write("Cargo.lock", &lock);
    let manifest = format!("[package]\n{PACKAGE}edition = \"2024\"\n");
    course.write("crates/bench/Cargo.toml", &manifest);
    course.write("crates/bench/src/main.rs", PROGRAM);
    let mut bench = course.command(&["bench", "lock", "--quick", "--output", "files"]);
    bench.stdout(Stdio::piped()).stderr(Stdio::piped());
    let bench = bench.spawn().expect("xtask starts");
    let expected = format!("{} lock --quick --output files\n", bench.id());
    let told = finished(bench);
    assert_eq!((&told.out, told.status), (&expected, Some(3)), "{told:?}");
}
