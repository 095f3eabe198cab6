//! The tasks `bench` and `timeline`, with programs that print their arguments.

use std::fs;
use std::process::Stdio;

use crate::small_course::{SmallCourse, finished};

const BENCH: &str = r#"
fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    println!("{} {}", std::process::id(), words.join(" "));
    std::process::exit(3);
}
"#;
const STEP: &str = r#"
fn main() {
    let step = std::env::args().nth(1).unwrap();
    let folder = std::env::var("MULTIPROCESS_RECORD").unwrap_or_default();
    std::fs::write(folder + "/recorded", step).unwrap();
}
"#;
const TIMELINE: &str = r#"
fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let step = std::fs::read_to_string(words[0].clone() + "/recorded").unwrap();
    println!("lanes of {step}: {}", words[1..].join(" "));
    if words.contains(&"a.png".to_owned()) {
        eprintln!("error: end it in .svg");
        std::process::exit(2);
    }
}
"#;

/// Makes a course with this program as a crate.
fn course_with(name: &str, program: &str) -> SmallCourse {
    let course = SmallCourse::new();
    let package = format!("name = \"{name}\"\nversion = \"0.1.0\"\n");
    course.replace("Cargo.toml", "[\"", &format!("[\"crates/{name}\", \""));
    let lessons = ["broken", "greeting", "trouble"]
        .map(|lesson| format!("\n[[package]]\nname = \"{lesson}\"\nversion = \"0.1.0\"\n"));
    let lock = format!("version = 4\n\n[[package]]\n{package}{}", lessons.concat());
    course.write("Cargo.lock", &lock);
    let manifest = format!("[package]\n{package}edition = \"2024\"\n");
    course.write(&format!("crates/{name}/Cargo.toml"), &manifest);
    course.write(&format!("crates/{name}/src/main.rs"), program);
    course
}

#[test]
fn bench_replaces_xtask() {
    let course = course_with("bench", BENCH);
    let mut bench = course.command(&["bench", "lock", "--quick"]);
    bench.stdout(Stdio::piped()).stderr(Stdio::piped());
    let bench = bench.spawn().expect("xtask starts");
    let expected = format!("{} lock --quick\n", bench.id());
    let run = finished(bench);
    assert_eq!((&run.out, run.status), (&expected, Some(3)), "{run:?}");
}

#[test]
fn a_recorded_step_is_shown_by_the_program_timeline() {
    let course = course_with("timeline", TIMELINE);
    course.write("lessons/greeting/src/main.rs", STEP);
    for (arguments, shown, error, status) in [
        ("lesson greeting hello --timeline", "", "", 0),
        ("timeline greeting hello -o a.svg", "--output a.svg ", "", 0),
        (
            "timeline greeting hello -o a.png",
            "--output a.png ",
            "error: end it in .svg",
            2,
        ),
    ] {
        let arguments: Vec<&str> = arguments.split(' ').collect();
        let run = course.run(&arguments);
        let shown = format!("lanes of hello: {shown}--title greeting hello --width 80\n");
        assert!(run.out.contains(&shown), "{run:?}");
        assert!(run.error.contains(error), "{run:?}");
        assert_eq!(run.status, Some(status), "{run:?}");
    }
    let recordings = fs::read_dir(course.path("target/debug/recordings")).expect("a folder");
    assert_eq!(recordings.count(), 0, "nothing is left");
}
