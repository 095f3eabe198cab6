//! What a child inherits from its parent, and what not.

use crate::story;

use std::ffi::OsString;
use std::io::{Read, Write};
use std::process::{Command, ExitCode};

use rustix::io::{FdFlags, fcntl_setfd};

use multiprocess::{Builder, Error, RegisteredTask, init, spawn, task};

use story::proc;
use story::scene::Scene;

pub(crate) fn main() -> ExitCode {
    story::play(
        || init(tasks()),
        story::named![
            with_an_open_file_of_its_own,
            with_words_on_standard_input,
            without_standard_streams,
            deleted,
            replaced,
            with_arguments_and_a_folder,
            descriptors_of_a_library,
            with_folders_that_cannot_be,
        ],
        story::named![
            a_child_inherits_no_descriptors,
            a_child_has_an_empty_standard_input,
            a_program_without_standard_streams_has_children_too,
            a_deleted_program_starts_children_that_run_the_same_code,
            a_replaced_program_starts_children_that_run_the_same_code,
            a_child_has_its_parents_folder_and_environment,
            a_child_can_have_surroundings_of_its_own,
            the_streams_of_a_child_can_be_set,
            a_folder_that_cannot_be_is_an_error_that_leaves_nothing_open,
            a_child_keeps_what_a_library_opened_before_main,
        ],
    )
}

fn tasks() -> Vec<RegisteredTask> {
    vec![
        task(doubler),
        task(descriptors),
        task(reads_input),
        task(surroundings),
        task(surroundings_of_a_grandchild),
        task(echoes),
    ]
}

fn doubler(number: i64) -> i64 {
    2 * number
}

fn descriptors() -> Vec<(u32, String)> {
    proc::descriptors()
}

fn with_an_open_file_of_its_own() {
    init(tasks());
    let inherited = |open: &[(u32, String)]| open.iter().any(|(number, _)| [7, 9].contains(number));
    assert!(inherited(&proc::descriptors()));
    for daemon in [false, true] {
        let child = Builder::new()
            .daemon(daemon)
            .spawn(descriptors, ())
            .unwrap();
        let open = child.join().unwrap();
        let (standard, own) = open.split_at(3);
        assert!(
            [0, 1, 2]
                .into_iter()
                .eq(standard.iter().map(|(number, _)| *number)),
            "{open:?}"
        );
        assert_eq!(standard[0].1, "/dev/null");
        assert!(
            own.len() <= 3
                && own
                    .iter()
                    .all(|(_, to)| to.starts_with("socket:") || to.contains("/mp-")),
            "{open:?}"
        );
    }
    assert!(inherited(&proc::descriptors()));
}

fn a_child_inherits_no_descriptors() {
    let script = "exec \"$PROGRAM\" 7</dev/null 9</proc/self/stat";
    Scene::by_shell(script, "with_an_open_file_of_its_own").succeed();
}

fn reads_input() -> String {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).unwrap();
    text
}

fn with_words_on_standard_input() {
    init(tasks());
    assert_eq!(spawn(reads_input, ()).unwrap().join().unwrap(), "");
    assert_eq!(reads_input(), "for the parent\nalone\n");
}

fn a_child_has_an_empty_standard_input() {
    Scene::new("with_words_on_standard_input")
        .input("for the parent\nalone\n")
        .succeed();
}

fn without_standard_streams() {
    init(tasks());
    assert_eq!(spawn(doubler, (5,)).unwrap().join().unwrap(), 10);
}

fn a_program_without_standard_streams_has_children_too() {
    let script = "exec \"$PROGRAM\" 0<&- 1>&- 2>&-";
    Scene::by_shell(script, "without_standard_streams").succeed();
}

fn deleted() {
    init(tasks());
    std::fs::remove_file(std::env::current_exe().unwrap()).unwrap();
    assert_eq!(spawn(doubler, (5,)).unwrap().join().unwrap(), 10);
    assert_eq!(spawn(doubler, (6,)).unwrap().join().unwrap(), 12);
}

fn replaced() {
    init(tasks());
    let program = std::env::current_exe().unwrap();
    let other = program.with_extension("new");
    // As a build does: another file takes the name.
    std::fs::copy("/bin/false", &other).unwrap();
    std::fs::rename(&other, &program).unwrap();
    assert_eq!(spawn(doubler, (5,)).unwrap().join().unwrap(), 10);
    assert!(!Command::new(&program).status().unwrap().success());
}

/// Plays a scene of a copy of this program, which is in a folder of its own.
fn play_copy(scene: &str) {
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("copy");
    // By another process: a file that this one had open for writing could be busy when it is run.
    let mut copying = Command::new("cp");
    let copied = copying
        .arg(std::env::current_exe().unwrap())
        .arg(&copy)
        .status();
    assert!(copied.unwrap().success());
    Scene::of(&copy, scene).succeed();
}

fn a_deleted_program_starts_children_that_run_the_same_code() {
    play_copy("deleted");
}

fn a_replaced_program_starts_children_that_run_the_same_code() {
    play_copy("replaced");
}

/// The current folder, a variable, the arguments, and those that the system shows.
type Surroundings = (String, Option<String>, [Vec<String>; 2]);

fn surroundings() -> Surroundings {
    let folder = std::env::current_dir().unwrap().display().to_string();
    let variable = std::env::var("OF_THE_PARENT").ok();
    let words = |word: OsString| word.into_string().unwrap();
    let seen = multiprocess::args_os().skip(1).map(words).collect();
    (folder, variable, [seen, std::env::args().skip(1).collect()])
}

fn surroundings_of_a_grandchild() -> Surroundings {
    let below = Builder::new().name("below").spawn(surroundings, ());
    below.unwrap().join().unwrap()
}

fn with_arguments_and_a_folder() {
    init(tasks());
    std::env::set_current_dir("/").unwrap();
    let child = Builder::new()
        .name("at the root")
        .spawn(surroundings, ())
        .unwrap();
    let (folder, variable, [seen, shown]) = child.join().unwrap();
    assert_eq!(
        (folder.as_str(), variable.as_deref()),
        ("/", Some("a value"))
    );
    assert_eq!(seen, ["play"]);
    assert_eq!(shown, ["play", "--multiprocess-child", "at the root"]);
    let below = spawn(surroundings_of_a_grandchild, ()).unwrap();
    let [seen, shown] = below.join().unwrap().2;
    assert_eq!(seen, ["play"]);
    assert_eq!(shown, ["play", "--multiprocess-child", "below"]);
}

fn a_child_has_its_parents_folder_and_environment() {
    Scene::new("with_arguments_and_a_folder")
        .env("OF_THE_PARENT", "a value")
        .arg("play")
        .succeed();
}

fn a_child_can_have_surroundings_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().canonicalize().unwrap();
    let builder = || Builder::new().name("set").current_dir(&folder);
    let builder = || builder().env("OF_THE_PARENT", "another").args(["one", ""]);
    let path = folder.display().to_string();
    let child = builder().spawn(surroundings_of_a_grandchild, ()).unwrap();
    let (found, variable, [seen, shown]) = child.join().unwrap();
    assert_eq!((found, variable.as_deref()), (path, Some("another")));
    assert_eq!(seen, ["one", ""]);
    assert_eq!(shown, ["one", "", "--multiprocess-child", "below"]);
    let child = builder().env_remove("OF_THE_PARENT");
    let child = child.args([""; 0]).spawn(surroundings, ()).unwrap();
    let (_, variable, [seen, _]) = child.join().unwrap();
    assert_eq!((variable, seen), (None, Vec::new()));
}

fn with_folders_that_cannot_be() {
    init(tasks());
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a file"), "").unwrap();
    // The lease of the run stays open from the first handle on.
    let _run = multiprocess::Lock::new().unwrap();
    let before = proc::descriptors();
    for (wrong, why) in [
        ("no such folder", "No such file"),
        ("a file", "Not a directory"),
    ] {
        let (input, output) = std::io::pipe().unwrap();
        let child = Builder::new().name("set").stdin(input).stdout(output);
        let child = child.current_dir(folder.path().join(wrong));
        let error = child.spawn(surroundings, ()).unwrap_err();
        assert!(matches!(&error, Error::Spawn { name, .. } if name == "set"));
        let error = error.to_string();
        assert!(error.contains(wrong) && error.contains(why), "{error}");
        assert_eq!(proc::descriptors(), before);
    }
}

fn a_folder_that_cannot_be_is_an_error_that_leaves_nothing_open() {
    Scene::new("with_folders_that_cannot_be").succeed();
}

fn echoes() -> Vec<(u32, String)> {
    print!("{}", reads_input());
    eprint!("not empty");
    proc::descriptors()
}

fn the_streams_of_a_child_can_be_set() {
    // Of every kind of start.
    for daemon in [false, true] {
        let builder = || Builder::new().daemon(daemon);
        let (mut output, output_of_child) = std::io::pipe().unwrap();
        let (mut error, error_of_child) = std::io::pipe().unwrap();
        let (input_of_child, mut input) = std::io::pipe().unwrap();
        // As one that was not made by Rust.
        fcntl_setfd(&output_of_child, FdFlags::empty()).unwrap();
        let child = builder().stdin(input_of_child).stdout(output_of_child);
        let child = child.stderr(error_of_child).spawn(echoes, ()).unwrap();
        input.write_all(b"there and back").unwrap();
        drop(input);
        let mut texts = [String::new(), String::new()];
        output.read_to_string(&mut texts[0]).unwrap();
        error.read_to_string(&mut texts[1]).unwrap();
        assert_eq!(texts, ["there and back", "not empty"]);
        let open = child.join().unwrap();
        for (place, (number, to)) in (0..3).zip(&open) {
            assert!(*number == place && to.starts_with("pipe:"), "{open:?}");
        }
        // No copy of them is left.
        let others = open[3..].iter().filter(|(_, to)| to.starts_with("pipe:"));
        assert_eq!(others.count(), 0, "{open:?}");
    }
}

/// Opens the file `LIBRARY_OPENS` twice, and has one of the two closed by the start of a program.
const LIBRARY: &str = "
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
__attribute__((constructor)) static void before_main(void) {
    open(getenv(\"LIBRARY_OPENS\"), O_RDONLY | O_CLOEXEC);
    open(getenv(\"LIBRARY_OPENS\"), O_RDONLY);
}
";

fn descriptors_of_a_library() {
    init(tasks());
    let open = spawn(descriptors, ()).unwrap().join().unwrap();
    let opened = std::env::var("LIBRARY_OPENS").unwrap();
    let of_library: Vec<_> = open.iter().filter(|(_, file)| *file == opened).collect();
    assert_eq!(of_library.len(), 2, "{open:?}");
    assert!(!open.iter().any(|(number, _)| *number == 9), "{open:?}");
}

fn a_child_keeps_what_a_library_opened_before_main() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (source, library, file) = (path("library.c"), path("library.so"), path("file"));
    std::fs::write(&source, LIBRARY).unwrap();
    std::fs::write(&file, "").unwrap();
    // Rust needs it for linking, so it is there.
    let mut command = Command::new("cc");
    let compiled = command
        .args(["-shared", "-fPIC", "-o", &library, &source])
        .status();
    assert!(compiled.expect("there is `cc`").success());
    Scene::by_shell(
        "LD_PRELOAD=\"$LIBRARY\" exec \"$PROGRAM\" 9</dev/null",
        "descriptors_of_a_library",
    )
    .env("LIBRARY", library)
    .env("LIBRARY_OPENS", file)
    .succeed();
}
