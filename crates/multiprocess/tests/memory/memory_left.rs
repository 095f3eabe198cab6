//! What is left of shared memory, in the system and in the folder for temporary files: nothing, whichever process dies.

#![allow(
    clippy::needless_pass_by_value,
    reason = "arguments of a child move to it"
)]

use crate::story;

use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use multiprocess::{Array, Lock, RegisteredTask, Semaphore, Value, init, spawn, task};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use tempfile::TempDir;

use story::left::{files, slots};
use story::proc::{self, Known};
use story::scene::{Playing, Scene};

pub(crate) fn main() -> ExitCode {
    story::play(
        || init(tasks()),
        story::named![
            shares_memory,
            starts_and_ends,
            makes_a_thousand,
            fails_to_start,
            sends_to_the_dying,
            sends_the_wrong_type,
            forgets_guards,
        ],
        story::named![
            an_orderly_end_leaves_nothing,
            a_killed_user_leaves_nothing,
            a_killed_owner_leaves_the_memory_to_the_user_who_clears_it_away,
            the_next_start_removes_what_killed_programs_left,
            a_run_is_not_over_while_a_child_of_it_lives,
            two_programs_do_not_touch_each_others_memory,
            a_thousand_arrays_leave_nothing,
            a_failed_start_takes_back_what_it_packed,
            a_child_killed_while_it_starts_leaves_nothing,
            a_handle_refused_at_the_other_end_leaves_nothing,
            forgotten_guards_leave_nothing,
        ],
    )
}

fn tasks() -> Vec<RegisteredTask> {
    vec![
        task(keeps),
        task(takes),
        task(takes_late),
        task(measures),
        task(takes_a_float),
    ]
}

/// Another program that starts now may be cleaning up.
fn assert_nothing_left(main: u32) {
    story::until("nothing is left", || files(main).is_empty());
}

/// Shares memory with a child, and ends when the file `go` is there.
fn shares_memory() {
    init(tasks());
    let array = Array::<u64>::new(1000).unwrap();
    let total = Value::new(0).unwrap();
    let permits = Semaphore::new(1).unwrap();
    let locks = vec![Lock::new().unwrap(), Lock::new().unwrap()];
    let child = spawn(keeps, (array.clone(), total.clone(), permits, locks)).unwrap();
    println!("main: {}", Known::of(std::process::id()));
    // Its words come after ours.
    *total.lock().unwrap() = 1;
    wait_for("go");
    let mut elements = array.lock().unwrap();
    elements.fill(1);
    let sum: u64 = elements.iter().sum();
    drop(elements);
    println!("sum {sum}");
    // The child may have been killed.
    let _ = child.join();
}

fn keeps(array: Array<u64>, total: Value<u64>, permits: Semaphore, locks: Vec<Lock>) {
    story::until("the parent has spoken", || total.get().unwrap() == 1);
    let _permit = permits.acquire().unwrap();
    let _lock = locks[0].lock().unwrap();
    println!("child: {}", Known::of(std::process::id()));
    wait_for("end");
    array.lock().unwrap().fill(2);
    println!("child ends");
}

fn wait_for(file: &str) {
    let path = Path::new(&std::env::var_os("ORDERS").unwrap()).join(file);
    story::until(file, || path.exists());
}

fn starts_and_ends() {
    init(tasks());
}

struct Sharing {
    scene: Playing,
    main: Known,
    child: Known,
}

fn start_sharing(temp: &TempDir) -> Sharing {
    let mut scene = Scene::new("shares_memory")
        .env("ORDERS", temp.path())
        .start();
    let (_, main) = scene.introduced();
    let (_, child) = scene.introduced();
    assert_eq!(slots(main.pid).len(), 5);
    // The lease, two processes, and a chunk.
    assert!(files(main.pid).len() >= 4, "{:?}", files(main.pid));
    Sharing { scene, main, child }
}

impl Sharing {
    #[track_caller]
    fn finish(self, sum: u64) {
        let played = self.scene.finish();
        assert!(played.status.success(), "{played:#?}");
        assert!(played.out.contains(&format!("sum {sum}")), "{played:#?}");
    }
}

fn order(temp: &TempDir, file: &str) {
    fs::write(temp.path().join(file), "").unwrap();
}

fn another_start() {
    Scene::new("starts_and_ends").succeed();
}

fn temp() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn an_orderly_end_leaves_nothing() {
    let temp = temp();
    let sharing = start_sharing(&temp);
    let main = sharing.main.pid;
    another_start();
    assert_eq!(slots(main).len(), 5);
    order(&temp, "end");
    order(&temp, "go");
    sharing.finish(1000);
    assert_nothing_left(main);
}

fn a_killed_user_leaves_nothing() {
    let temp = temp();
    let sharing = start_sharing(&temp);
    let main = sharing.main.pid;
    sharing.child.kill();
    order(&temp, "go");
    sharing.finish(1000);
    assert_nothing_left(main);
}

fn a_killed_owner_leaves_the_memory_to_the_user_who_clears_it_away() {
    let temp = temp();
    let mut sharing = start_sharing(&temp);
    let main = sharing.main.pid;
    sharing.scene.kill();
    assert_eq!(slots(main).len(), 5);
    order(&temp, "end");
    let played = sharing.scene.finish();
    assert!(played.out.contains(&"child ends".to_owned()), "{played:#?}");
    story::until("the child is gone", || !sharing.child.is_running());
    assert_nothing_left(main);
}

fn the_next_start_removes_what_killed_programs_left() {
    let temp = temp();
    let mut sharing = start_sharing(&temp);
    let main = sharing.main.pid;
    sharing.scene.kill();
    sharing.child.kill();
    story::until("both are gone", || !sharing.child.is_running());
    another_start();
    assert_nothing_left(main);
}

fn a_run_is_not_over_while_a_child_of_it_lives() {
    let temp = temp();
    let mut sharing = start_sharing(&temp);
    let main = sharing.main.pid;
    sharing.scene.kill();
    for _ in 0..3 {
        another_start();
        assert_eq!(slots(main).len(), 5);
    }
    assert!(sharing.child.is_running());
    sharing.child.kill();
    story::until("it is gone", || !sharing.child.is_running());
    another_start();
    assert_nothing_left(main);
}

fn two_programs_do_not_touch_each_others_memory() {
    let temp = temp();
    let mut killed = start_sharing(&temp);
    let living = start_sharing(&temp);
    let main = living.main.pid;
    killed.scene.kill();
    killed.child.kill();
    story::until("it is gone", || !killed.child.is_running());
    another_start();
    assert_nothing_left(killed.main.pid);
    assert_eq!(slots(main).len(), 5);
    order(&temp, "go");
    order(&temp, "end");
    living.finish(1000);
    assert_nothing_left(main);
}

fn makes_a_thousand() {
    init(tasks());
    // What is made once and stays: the run, and the file of the portable locks.
    let first = Lock::new().unwrap();
    drop(first.lock().unwrap());
    let before = proc::descriptors();
    let files_before = files(std::process::id()).len();
    for number in 0..1000 {
        let array = Array::<u8>::new(number).unwrap();
        array.lock().unwrap().fill(1);
        if number % 100 == 0 {
            // With a handle that has gone to a process and come back.
            let array = spawn(takes, (array,)).unwrap().join().unwrap();
            assert_eq!(array.len(), number);
        }
    }
    // The thread that waits for children beside us lets go of the last one a moment later.
    story::until("its descriptors are closed", || {
        proc::descriptors() == before
    });
    assert_eq!(slots(std::process::id()).len(), 1);
    assert_eq!(files(std::process::id()).len(), files_before);
    drop(first);
    assert_eq!(slots(std::process::id()).len(), 0);
}

fn takes(array: Array<u8>) -> Array<u8> {
    array
}

/// Plays a scene that looks for itself, and then looks whether it left something.
fn play_alone(scene: Scene) {
    let played = scene.play();
    assert!(played.status.success(), "{played:#?}");
    assert_nothing_left(played.pid);
}

fn a_thousand_arrays_leave_nothing() {
    play_alone(Scene::new("makes_a_thousand"));
}

/// Something that cannot be sent.
#[derive(Deserialize)]
struct Stubborn;

impl Serialize for Stubborn {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom("not me"))
    }
}

fn takes_late(_: Killer, array: Array<u8>, _: Stubborn) -> usize {
    array.len()
}

fn fails_to_start() {
    init(tasks());
    let array = Array::<u8>::new(10).unwrap();
    let args = (Killer, array.clone(), Stubborn);
    let error = spawn(takes_late, args).unwrap_err();
    assert!(
        matches!(error, multiprocess::Error::Encode { .. }),
        "{error}"
    );
    // Without descriptors no process can be started, and with too few of them packing or starting fails half-way.
    let mut open = Vec::new();
    while let Ok(file) = fs::File::open("/dev/null") {
        open.push(file);
    }
    let mut failures = Vec::new();
    loop {
        match spawn(takes, (array.clone(),)) {
            Ok(child) => {
                child.join().unwrap();
                break;
            }
            Err(error) => failures.push(error.to_string()),
        }
        open.pop().expect("at last there are enough descriptors");
    }
    assert!(!failures.is_empty());
    drop(open);
    drop(array);
    assert_eq!(slots(std::process::id()), Vec::<String>::new());
}

fn a_failed_start_takes_back_what_it_packed() {
    let script = r#"ulimit -n 60; exec "$PROGRAM""#;
    play_alone(Scene::by_shell(script, "fails_to_start"));
}

/// Ends the process that reads it.
#[derive(Serialize)]
struct Killer;

impl<'de> Deserialize<'de> for Killer {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Killer, D::Error> {
        proc::kill(std::process::id());
        loop {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

fn measures(array: Array<u8>) -> usize {
    array.len()
}

fn sends_to_the_dying() {
    init(tasks());
    for step in 0..40 {
        let array = Array::<u8>::new(10).unwrap();
        let child = spawn(measures, (array.clone(),)).unwrap();
        std::thread::sleep(Duration::from_micros(50 * step));
        child.kill().unwrap();
        // It may have been faster.
        let _ = child.join();
        drop(array);
        // What the child had received is released by another thread.
        story::until("nothing is left", || slots(std::process::id()).is_empty());
    }
}

fn a_child_killed_while_it_starts_leaves_nothing() {
    play_alone(Scene::new("sends_to_the_dying"));
}

/// Sends one thing, and is read as another.
#[derive(Debug)]
struct Disguise(Value<i64>);

impl Serialize for Disguise {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Disguise {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Disguise, D::Error> {
        let value = Value::<f64>::deserialize(deserializer)?;
        unreachable!("{value:?} is refused");
    }
}

fn takes_a_float(_: Disguise) {
    unreachable!("it is refused");
}

fn sends_the_wrong_type() {
    init(tasks());
    let value = Value::new(1).unwrap();
    let child = spawn(takes_a_float, (Disguise(value.clone()),)).unwrap();
    let error = child.join().unwrap_err();
    assert!(
        matches!(error, multiprocess::Error::Decode { .. }),
        "{error}"
    );
    assert_eq!(value.get().unwrap(), 1);
    drop(value);
    assert_eq!(slots(std::process::id()), Vec::<String>::new());
}

fn a_handle_refused_at_the_other_end_leaves_nothing() {
    play_alone(Scene::new("sends_the_wrong_type"));
}

fn forgets_guards() {
    init(tasks());
    let array = Array::<u8>::new(10).unwrap();
    let elsewhere = array.clone();
    std::thread::spawn(move || {
        let mut guard = elsewhere.lock().unwrap();
        guard[0] = 1;
        std::mem::forget(guard);
    })
    .join()
    .unwrap();
    // The thread is gone and its guard will never be dropped: the lock stays held until the process ends.
    let error = array.lock_timeout(Duration::from_millis(50)).unwrap_err();
    assert!(error.to_string().contains("Array<u8>"), "{error}");
    for _ in 0..10 {
        let mine = Array::<u8>::new(10).unwrap();
        let guard = mine.lock().unwrap();
        std::mem::forget(guard);
    }
}

fn forgotten_guards_leave_nothing() {
    play_alone(Scene::new("forgets_guards"));
}
