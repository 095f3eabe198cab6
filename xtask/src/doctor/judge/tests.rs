use super::room::{MIB, SHARED_MEMORY};
use super::*;
use crate::doctor::found::{Limit, Packages, Python, Room, Tool};

fn fine(finding: &Finding) {
    assert_eq!(finding.verdict, Verdict::Fine, "{finding:?}");
    assert_eq!(finding.advice, "", "{finding:?}");
}

fn noted(finding: &Finding, advice: &str) {
    assert_eq!(finding.verdict, Verdict::Note, "{finding:?}");
    assert!(finding.advice.contains(advice), "{finding:?}");
}

fn missing(finding: &Finding, advice: &str) {
    assert_eq!(finding.verdict, Verdict::Problem, "{finding:?}");
    assert!(finding.advice.contains(advice), "{finding:?}");
}

fn says(words: &str) -> Tool {
    Tool::Says(words.to_owned())
}

fn nothing() -> Tool {
    Tool::Missing("it is not found".to_owned())
}

#[test]
fn the_course_is_at_home_on_linux() {
    fine(&system("linux", "x86_64"));
    noted(&system("macos", "aarch64"), "Linux");
    missing(&system("windows", "x86_64"), "WSL");
}

#[test]
fn rust_must_be_new_enough() {
    fine(&rust(&says("rustc 1.95.0 (59807616e 2026-04-14)"), "1.95"));
    fine(&rust(
        &says("rustc 1.100.1-nightly (abc 2026-01-01)"),
        "1.95",
    ));
    fine(&rust(&says("rustc 2.0.0"), "1.95"));
    missing(
        &rust(&says("rustc 1.94.3 (abc 2026-01-01)"), "1.95"),
        "rustup update",
    );
    missing(&rust(&nothing(), "1.95"), "Install Rust");
    let stuck = Tool::Missing("rustc cannot be started".to_owned());
    missing(&rust(&stuck, "1.95"), "does not start");
    noted(&rust(&says("a compiler"), "1.95"), "1.95");
    fine(&cargo(&says("cargo 1.95.0")));
    missing(&cargo(&nothing()), "Install Rust");
}

#[test]
fn one_core_is_enough_but_shows_no_speed_up() {
    fine(&cores(2));
    noted(&cores(1), "speed-ups");
}

#[test]
fn a_busy_machine_is_noted() {
    fine(&load(Some(0.4), 2));
    fine(&load(None, 2));
    noted(&load(Some(1.5), 2), "times");
}

#[test]
fn shared_memory_must_hold_the_largest_step() {
    let room = |free, total| Room::Bytes { free, total };
    fine(&shared_memory(&room(SHARED_MEMORY, SHARED_MEMORY)));
    fine(&shared_memory(&Room::NotHere));
    // What Docker gives by itself.
    missing(&shared_memory(&room(64 * MIB, 64 * MIB)), "--shm-size");
    missing(&shared_memory(&room(MIB, 1024 * MIB)), "who uses it");
    missing(
        &shared_memory(&Room::Unusable("read only".to_owned())),
        "tmpfs",
    );
}

#[test]
fn the_temporary_folder_must_be_there_and_have_room() {
    let room = |free| Room::Bytes {
        free,
        total: 1 << 40,
    };
    fine(&temporary("/tmp", &room(1 << 30)));
    missing(&temporary("/tmp", &room(0)), "TMPDIR");
    missing(&temporary("/nowhere", &Room::NotHere), "TMPDIR");
    missing(
        &temporary("/proc", &Room::Unusable("no".to_owned())),
        "TMPDIR",
    );
}

#[test]
fn a_full_disk_matters_only_before_the_first_build() {
    let room = |free| Room::Bytes {
        free,
        total: 1 << 40,
    };
    fine(&disk(&room(1 << 40), false));
    fine(&disk(&room(1 << 20), true));
    noted(&disk(&room(1 << 20), false), "CARGO_TARGET_DIR");
    missing(
        &disk(&Room::Unusable("no".to_owned()), false),
        "CARGO_TARGET_DIR",
    );
}

#[test]
fn limits_must_be_high_enough() {
    for judge in [files, tasks] {
        fine(&judge(Limit::None, 2));
        fine(&judge(Limit::Unknown, 2));
        fine(&judge(Limit::AtMost(64), 2));
        missing(&judge(Limit::AtMost(64), 16), "ulimit");
        missing(&judge(Limit::AtMost(20), 2), "ulimit");
    }
}

#[test]
fn packages_that_are_not_here_need_a_network() {
    fine(&packages(&Packages::AllHere(107)));
    let missing_one = Packages::SomeMissing("--offline was specified".to_owned());
    noted(&packages(&missing_one), "cargo fetch");
    let unclear = Packages::Unclear("cannot update the lock file".to_owned());
    missing(&packages(&unclear), "cargo metadata");
}

#[test]
fn python_and_mdbook_can_be_done_without() {
    let python3 = |version: &str| Python::Here {
        version: version.to_owned(),
        start_method: "fork".to_owned(),
    };
    fine(&python(&python3("3.9.0")));
    fine(&python(&python3("3.14.1")));
    noted(&python(&python3("3.8.20")), "3.9");
    noted(
        &python(&Python::Missing("python3 is not found".to_owned())),
        "python3",
    );
    fine(&mdbook(&says("mdbook v0.5.0")));
    noted(&mdbook(&nothing()), crate::mdbook::INSTALL);
}

#[test]
fn what_makes_no_difference_is_fine() {
    fine(&terminal(None, true));
    fine(&terminal(Some(80), true));
    fine(&terminal(Some(200), false));
    noted(&terminal(Some(60), false), "widen");
    fine(&leftovers(0));
    noted(&leftovers(2), "clears it away");
    fine(&environment(&[]));
    noted(&environment(&["MULTIPROCESS_LOG"]), "`MULTIPROCESS_LOG`");
    fine(&built(8, 8));
    noted(&built(3, 8), "cargo build");
}
