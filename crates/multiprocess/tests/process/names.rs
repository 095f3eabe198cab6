//! Names: given and by default, to the program and to the operating system.

#![allow(
    clippy::needless_pass_by_value,
    reason = "arguments of a child move to it"
)]

use crate::story;

use std::process::ExitCode;

use ipc_channel::ipc::{self, IpcReceiver};
use multiprocess::{
    Builder, Error, ProcessInfo, RegisteredTask, active_children, current, init, parent, spawn,
    task,
};

use story::proc;
use story::scene::Scene;

pub(crate) fn main() -> ExitCode {
    story::play(
        || init(tasks()),
        story::named![default_names, census, a_name_that_cannot_be],
        story::named![
            processes_without_a_name_are_numbered,
            children_of_children_are_numbered_within_their_parent,
            a_name_is_known_on_both_sides,
            the_operating_system_shows_the_name,
            long_and_foreign_names_are_cut_between_characters,
            a_name_that_no_process_can_have_is_an_error_without_a_process,
            each_process_knows_itself_and_its_parent,
            the_active_children_are_those_that_run,
        ],
    )
}

fn tasks() -> Vec<RegisteredTask> {
    vec![
        task(who),
        task(parent_info),
        task(as_shown),
        task(grandparent),
        task(wait),
        task(count_active),
    ]
}

fn who() -> ProcessInfo {
    current()
}

fn parent_info() -> Option<ProcessInfo> {
    parent().as_deref().cloned()
}

/// Names of two children of this child, and what their parent is called.
fn grandparent() -> (String, String, Option<ProcessInfo>) {
    let first = spawn(who, ()).unwrap().join().unwrap();
    let second = Builder::new().name("given").spawn(who, ()).unwrap();
    assert_eq!(second.join().unwrap().name(), "given");
    let third = spawn(who, ()).unwrap().join().unwrap();
    let above = spawn(parent_info, ()).unwrap().join().unwrap();
    (first.name().to_owned(), third.name().to_owned(), above)
}

/// Short name, and command line, as the operating system has them.
fn as_shown() -> (String, Vec<String>) {
    let comm = std::fs::read("/proc/self/comm").unwrap();
    let line = std::fs::read("/proc/self/cmdline").unwrap();
    let args = line.strip_suffix(b"\0").unwrap().split(|&byte| byte == 0);
    (
        String::from_utf8(comm.strip_suffix(b"\n").unwrap().to_vec()).unwrap(),
        args.map(|arg| String::from_utf8(arg.to_vec()).unwrap())
            .collect(),
    )
}

fn wait(word: IpcReceiver<()>) {
    story::next(&word);
}

fn count_active() -> usize {
    let before = active_children().len();
    let (word, words) = ipc::channel().unwrap();
    let child = spawn(wait, (words,)).unwrap();
    let during = active_children();
    assert_eq!(during.len(), 1);
    assert_eq!(during[0].pid(), child.pid());
    word.send(()).unwrap();
    child.join().unwrap();
    before + active_children().len()
}

fn default_names() {
    init(tasks());
    assert_eq!(current().name(), "MainProcess");
    for number in 1..=3 {
        let child = spawn(who, ()).unwrap();
        assert_eq!(child.name(), format!("Process-{number}"));
        assert_eq!(child.join().unwrap().name(), format!("Process-{number}"));
    }
    // One with a name has a number too, as in Python.
    let named = Builder::new().name("four").spawn(who, ()).unwrap();
    assert_eq!(named.join().unwrap().name(), "four");
    let fifth = spawn(grandparent, ()).unwrap();
    assert_eq!(fifth.name(), "Process-5");
    let (first, third, above) = fifth.join().unwrap();
    assert_eq!(first, "Process-5:1");
    assert_eq!(third, "Process-5:3");
    assert_eq!(above.unwrap().name(), "Process-5");
}

fn processes_without_a_name_are_numbered() {
    Scene::new("default_names").succeed();
}

fn children_of_children_are_numbered_within_their_parent() {
    let child = Builder::new()
        .name("middle")
        .spawn(grandparent, ())
        .unwrap();
    let pid = child.pid();
    let (first, third, above) = child.join().unwrap();
    // The parent's number, not its name.
    let (parent, number) = first.rsplit_once(':').unwrap();
    assert!(parent.starts_with("Process-"), "{parent}");
    assert_eq!(number, "1");
    assert_eq!(third, format!("{parent}:3"));
    let above = above.unwrap();
    assert_eq!((above.name(), above.pid()), ("middle", pid));
}

const NAMES: [&str; 6] = [
    "worker 1",
    "my_service",
    "",
    "--help",
    "a name with (parentheses), 'quotes' and \n a line end",
    "Ωμέγα-εργάτης-με-μακρύ-όνομα",
];

fn a_name_is_known_on_both_sides() {
    for name in NAMES {
        let child = Builder::new().name(name).spawn(who, ()).unwrap();
        assert_eq!(child.name(), name);
        let pid = child.pid();
        let child = child.join().unwrap();
        assert_eq!((child.name(), child.pid()), (name, pid));
    }
}

fn the_operating_system_shows_the_name() {
    for name in NAMES {
        let child = Builder::new().name(name).spawn(as_shown, ()).unwrap();
        let (comm, args) = child.join().unwrap();
        assert!(name.starts_with(&comm), "{comm:?}");
        assert!(comm.len() == name.len() || comm.len() > 15 - 4, "{comm:?}");
        let program = std::env::args().next().unwrap();
        let own: Vec<String> = std::env::args().skip(1).collect();
        assert_eq!(args[0], program);
        assert_eq!(args[1..=own.len()], own);
        assert_eq!(args[1 + own.len()..], ["--multiprocess-child", name]);
    }
}

fn long_and_foreign_names_are_cut_between_characters() {
    let cases = [
        ("fifteen bytes..", "fifteen bytes.."),
        ("sixteen bytes...", "sixteen bytes.."),
        // Two, three and four bytes a character.
        ("ééééééééé", "ééééééé"),
        ("a€€€€€€", "a€€€€"),
        ("abc🦀🦀🦀🦀", "abc🦀🦀🦀"),
        ("ab🦀🦀🦀🦀", "ab🦀🦀🦀"),
    ];
    for (name, short) in cases {
        let child = Builder::new().name(name).spawn(as_shown, ()).unwrap();
        assert_eq!(child.join().unwrap().0, short);
    }
}

fn a_name_that_cannot_be() {
    init(tasks());
    // The lease of the run stays open from the first handle, or answer that may hold one, on.
    let _run = multiprocess::Lock::new().unwrap();
    let before = proc::descriptors();
    for name in ["with\0zero".to_owned(), "too long ".repeat(1 << 20)] {
        let error = Builder::new().name(&name).spawn(who, ()).unwrap_err();
        assert!(matches!(&error, Error::Spawn { name: shown, .. } if *shown == name));
        assert!(proc::children().is_empty());
        assert_eq!(active_children(), []);
    }
    assert_eq!(proc::descriptors(), before);
    assert!(spawn(who, ()).unwrap().join().is_ok());
}

fn a_name_that_no_process_can_have_is_an_error_without_a_process() {
    Scene::new("a_name_that_cannot_be").succeed();
}

fn each_process_knows_itself_and_its_parent() {
    let this = current();
    assert_eq!(this.name(), "MainProcess");
    assert_eq!(this.pid(), std::process::id());
    assert!(!this.is_daemon());
    assert_eq!(parent(), None);
    for daemon in [false, true] {
        let child = Builder::new().daemon(daemon).spawn(who, ()).unwrap();
        assert_eq!(child.is_daemon(), daemon);
        assert_eq!(child.join().unwrap().is_daemon(), daemon);
    }
    let above = spawn(parent_info, ()).unwrap().join().unwrap();
    assert_eq!(above, Some(this));
}

fn census() {
    init(tasks());
    assert_eq!(active_children(), []);
    let (words, children): (Vec<_>, Vec<_>) = ["one", "two", "three"]
        .map(|name| {
            let (word, words) = ipc::channel().unwrap();
            let builder = Builder::new().name(name).daemon(name == "two");
            (word, builder.spawn(wait, (words,)).unwrap())
        })
        .into_iter()
        .unzip();
    let listed = active_children();
    let names: Vec<&str> = listed.iter().map(ProcessInfo::name).collect();
    assert_eq!(names, ["one", "two", "three"]);
    for (info, child) in listed.iter().zip(&children) {
        assert_eq!(info.pid(), child.pid());
        assert_eq!(info.is_daemon(), info.name() == "two");
    }
    children[1].kill().unwrap();
    story::until("the killed one leaves the list", || {
        active_children().len() == 2
    });
    for word in words {
        let _ = word.send(());
    }
    // Asking for the list reaps; there was no join.
    story::until("the list empties", || active_children().is_empty());
    assert!(proc::children().is_empty());
    assert_eq!(spawn(count_active, ()).unwrap().join().unwrap(), 0);
}

fn the_active_children_are_those_that_run() {
    Scene::new("census").succeed();
}
