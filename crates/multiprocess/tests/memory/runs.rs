//! Where a run has its files: it works with any environment, umask, user and other programs, and leaves
//! nothing.

#![allow(
    clippy::needless_pass_by_value,
    reason = "arguments of a child move to it"
)]

use crate::story;

use std::ffi::OsStr;
use std::fs;
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, chown, symlink};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use multiprocess::{
    Array, Lock, Pool, Queue, RegisteredTask, Semaphore, Value, channel, init, spawn, task,
};

use nix::unistd::{seteuid, setuid};

use story::left::{files, folder};
use story::proc::Known;
use story::scene::{Played, Scene};

pub(crate) fn main() -> ExitCode {
    story::play(
        || init(tasks()),
        story::named![
            uses_everything,
            shares_and_waits,
            continues_without_its_files,
            finds_names_of_others,
            changes_its_user,
            has_another_effective_user,
            changes_its_umask,
            finds_a_half_made_file,
            changes_its_folder,
            has_no_folder,
        ],
        story::named![
            without_the_folder_for_temporary_files_the_dead_are_still_known,
            a_run_continues_when_its_files_are_removed,
            names_of_others_in_a_run_are_harmless,
            a_program_that_changes_its_user_begins_again,
            the_effective_user_counts,
            the_umask_does_not_matter,
            a_file_without_its_mode_is_cleared_away,
            names_of_others_are_passed_over,
            the_folder_for_temporary_files_may_have_any_name,
            an_empty_tmpdir_counts_as_unset,
            a_relative_tmpdir_is_found_once,
            without_a_folder_the_error_names_it,
        ],
    )
}

pub(super) fn tasks() -> Vec<RegisteredTask> {
    vec![
        task(adds),
        task(keeps),
        task(keeps_value),
        task(makes_and_dies),
        task(makes),
        task(doubler),
    ]
}

pub(super) fn adds(value: Value<u64>, lock: Lock, permits: Semaphore, queue: Queue<Array<u64>>) {
    let _lock = lock.lock().unwrap();
    let _permit = permits.acquire().unwrap();
    *value.lock().unwrap() += 1;
    queue.put(Array::new(10).unwrap()).unwrap();
}

pub(super) fn doubler(number: u64) -> u64 {
    2 * number
}

/// Makes one of each, and has a child use them.
pub(super) fn use_everything() {
    let (value, lock) = (Value::new(7_u64).unwrap(), Lock::new().unwrap());
    let (permits, queue) = (Semaphore::new(1).unwrap(), Queue::new().unwrap());
    let (sender, receiver) = channel::<u64>().unwrap();
    let args = (value.clone(), lock, permits, queue.clone());
    spawn(adds, args).unwrap().join().unwrap();
    assert_eq!(value.get().unwrap(), 8);
    assert_eq!(queue.get().unwrap().len(), 10);
    sender.send(3).unwrap();
    drop(sender);
    assert_eq!(receiver.recv().unwrap(), 3);
    assert!(receiver.recv().unwrap_err().is_closed());
    let pool = Pool::new(2).unwrap();
    assert_eq!(pool.map(doubler, 0..3).unwrap(), [0, 2, 4]);
}

pub(super) fn uses_everything() {
    init(tasks());
    use_everything();
}

fn keeps(array: Array<u8>) {
    println!("child: {}", Known::of(std::process::id()));
    story::a_minute();
    drop(array);
}

fn shares_and_waits() {
    init(tasks());
    let array = Array::new(1000).unwrap();
    println!("main: {}", Known::of(std::process::id()));
    let child = spawn(keeps, (array.clone(),)).unwrap();
    let _ = child.join();
}

#[track_caller]
pub(super) fn succeeded(played: &Played) {
    assert!(played.status.success(), "{played:#?}");
    nothing_is_left(played.pid);
}

/// Another program that starts now may be cleaning up.
fn nothing_is_left(main: u32) {
    story::until("nothing is left", || files(main).is_empty());
}

fn without_the_folder_for_temporary_files_the_dead_are_still_known() {
    // With the portable versions there are no other files than those in that folder.
    if story::is_portable() {
        return;
    }
    let temp = tempfile::tempdir().unwrap();
    let mut scene = Scene::new("shares_and_waits")
        .env("TMPDIR", temp.path())
        .start();
    let (_, main) = scene.introduced();
    let (_, child) = scene.introduced();
    assert_ne!(files(main.pid), Vec::<PathBuf>::new());
    scene.kill();
    child.kill();
    story::until("both are gone", || !child.is_running());
    drop(temp);
    Scene::new("uses_everything").succeed();
    nothing_is_left(main.pid);
}

fn remove_all_files(which: impl Fn(&Path) -> bool) {
    let all = files(std::process::id());
    for path in all.iter().filter(|path| which(path)) {
        fs::remove_file(path).unwrap();
    }
}

fn continues_without_its_files() {
    init(tasks());
    let value = Value::new(1_u64).unwrap();
    let permits = Semaphore::new(1).unwrap();
    let pool = Pool::new(1).unwrap();
    assert_eq!(pool.map(doubler, [1]).unwrap(), [2]);
    remove_all_files(|path| path.extension().is_some_and(|suffix| suffix == "lease"));
    // Another program starts, which removes what dead processes left.
    Scene::new("uses_everything").succeed();
    use_everything();
    let before = multiprocess::active_children();
    for worker in &before {
        Known::of(worker.pid()).kill();
    }
    story::until("the worker is replaced", || {
        pool.map(doubler, [1]).is_ok_and(|results| results == [2])
    });
    let permit = permits.acquire().unwrap();
    remove_all_files(|_| true);
    use_everything();
    *value.lock().unwrap() += 1;
    assert_eq!(value.get().unwrap(), 2);
    // Its holder does not count as dead.
    assert!(permits.try_acquire().unwrap_err().is_would_block());
    drop(permit);
    assert!(permits.try_acquire().is_ok());
}

fn a_run_continues_when_its_files_are_removed() {
    succeeded(&Scene::new("continues_without_its_files").play());
}

pub(super) fn keeps_value(_: Value<u64>) {}

fn makes_and_dies() {
    std::mem::forget(Array::<u8>::new(10).unwrap());
    std::process::abort();
}

fn finds_names_of_others() {
    init(tasks());
    let this = std::process::id();
    let queue = Queue::new().unwrap();
    let lease = files(this)
        .into_iter()
        .find(|path| path.extension().is_some_and(|suffix| suffix == "lease"))
        .unwrap();
    let victim = PathBuf::from(std::env::var_os("VICTIM").unwrap());
    let beside = |path: &Path, suffix: &str| {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        PathBuf::from(name)
    };
    let run = lease.with_extension("");
    // As the names of chunks.
    let link = beside(&run, "-3");
    symlink(&victim, &link).unwrap();
    let pipe = beside(&run, "-1");
    rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, 0o644.into()).unwrap();
    let strange = beside(&run, "-2");
    fs::write(&strange, "").unwrap();
    let _ = chown(&strange, Some(STRANGER), None);
    // Too long for the first ring: the next one has a file of its own.
    queue.put(vec![1_u8; 100_000]).unwrap();
    assert_eq!(queue.get().unwrap().len(), 100_000);
    let before = files(this).len();
    spawn(makes_and_dies, ()).unwrap().join().unwrap_err();
    story::until("what the child left is removed", || {
        files(this).len() <= before
    });
    for planted in [link, pipe, strange] {
        println!("{}", planted.display());
    }
}

fn names_of_others_in_a_run_are_harmless() {
    let elsewhere = tempfile::tempdir().unwrap();
    let victim = elsewhere.path().join("victim");
    fs::write(&victim, vec![7; 300_000]).unwrap();
    let played = Scene::new("finds_names_of_others")
        .env("VICTIM", &victim)
        .play();
    assert!(played.status.success(), "{played:#?}");
    assert!(fs::read(&victim).unwrap().iter().all(|&byte| byte == 7));
    let planted: Vec<PathBuf> = played.out.iter().map(PathBuf::from).collect();
    let others = || {
        files(played.pid)
            .into_iter()
            .all(|path| planted.contains(&path))
    };
    story::until("only they are left", others);
    for path in planted {
        let _ = fs::remove_file(path);
    }
    nothing_is_left(played.pid);
}

const NOBODY: u32 = 65_534;

/// A user as whom no program of a test runs.
const STRANGER: u32 = 65_533;

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

fn changes_its_user() {
    init(tasks());
    let value = Value::new(1_u64).unwrap();
    setuid(NOBODY.into()).unwrap();
    use_everything();
    let error = spawn(keeps_value, (value.clone(),)).unwrap_err();
    assert!(error.to_string().contains("uid 0"), "{error}");
    assert_eq!(value.get().unwrap(), 1);
}

fn a_program_that_changes_its_user_begins_again() {
    // Only the superuser can.
    if !is_root() {
        return;
    }
    let played = Scene::new("changes_its_user").play();
    assert!(played.status.success(), "{played:#?}");
    // The run of the superuser could not be cleared away by its process.
    Scene::new("uses_everything").succeed();
    nothing_is_left(played.pid);
}

/// The files of this process's run, without those of killed workers that are removed meanwhile.
fn files_found() -> Vec<(PathBuf, fs::Metadata)> {
    let found = |path: PathBuf| match fs::metadata(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        found => Some((path, found.unwrap())),
    };
    files(std::process::id())
        .into_iter()
        .filter_map(found)
        .collect()
}

fn has_another_effective_user() {
    init(tasks());
    seteuid(NOBODY.into()).unwrap();
    use_everything();
    let _value = Value::new(1_u64).unwrap();
    for (path, found) in files_found() {
        assert_eq!(found.uid(), NOBODY, "{}", path.display());
    }
}

fn the_effective_user_counts() {
    if is_root() {
        succeeded(&Scene::new("has_another_effective_user").play());
    }
}

fn changes_its_umask() {
    init(tasks());
    if is_root() {
        // The superuser may open what has no mode bits.
        setuid(NOBODY.into()).unwrap();
    }
    for umask in [0o777, 0o177, 0o022, 0] {
        rustix::process::umask(rustix::fs::Mode::from_raw_mode(umask));
        use_everything();
        let (_value, _channel) = (Value::new(1_u64).unwrap(), channel::<u64>().unwrap());
        // A worker may be making its file at this moment: it has its mode once it is made.
        let is_private = |(_, found): &(PathBuf, fs::Metadata)| found.mode() & 0o777 == 0o600;
        story::until("only its user may open each file", || {
            files_found().iter().all(is_private)
        });
    }
}

fn the_umask_does_not_matter() {
    succeeded(&Scene::new("changes_its_umask").play());
}

fn finds_a_half_made_file() {
    init(tasks());
    if is_root() {
        // The superuser may open what has no mode bits.
        setuid(NOBODY.into()).unwrap();
    }
    let _value = Value::new(1_u64).unwrap();
    let mut own = files(std::process::id()).into_iter();
    let own = own.find(|path| path.to_string_lossy().contains(".alive-"));
    // As a worker leaves its file that is killed before it has set the mode.
    let half_made = PathBuf::from(format!("{}0", own.unwrap().display()));
    let mut options = fs::OpenOptions::new();
    let made = options
        .write(true)
        .create_new(true)
        .mode(0o000)
        .open(&half_made);
    drop(made.unwrap());
    spawn(makes_and_dies, ()).unwrap().join().unwrap_err();
    story::until("what was half made is removed", || !half_made.exists());
}

fn a_file_without_its_mode_is_cleared_away() {
    succeeded(&Scene::new("finds_a_half_made_file").play());
}

fn names_of_others_are_passed_over() {
    let folder = folder();
    let elsewhere = tempfile::tempdir().unwrap();
    let precious = elsewhere.path().join("precious");
    fs::write(&precious, "").unwrap();
    // An earlier user made the folder in which a run used to be.
    let temp = tempfile::tempdir().unwrap();
    for user in [0, rustix::process::getuid().as_raw()] {
        let _ = fs::create_dir(temp.path().join(format!("multiprocess-{user}")));
    }
    let this = std::process::id();
    let name = |run: u8, suffix: &str| folder.join(format!("mp-1-{this:08x}{run:08x}{suffix}"));
    let (of_other, other_chunk) = (name(1, ".lease"), name(1, "-11"));
    let (link, directory) = (name(2, ".lease"), name(3, ".lease"));
    let dead = name(4, ".lease");
    // Whole before it has its name: meanwhile other programs start, and remove what dead processes left.
    let unnamed = folder.join(format!("of-other-{this}"));
    fs::write(&unnamed, "").unwrap();
    let is_other = chown(&unnamed, Some(STRANGER), None).is_ok();
    fs::rename(&unnamed, &of_other).unwrap();
    fs::write(&other_chunk, "").unwrap();
    symlink(&precious, &link).unwrap();
    fs::create_dir(&directory).unwrap();
    fs::write(&dead, "").unwrap();
    let scene = Scene::new("uses_everything");
    if story::is_portable() {
        scene.succeed();
    } else {
        scene.env("TMPDIR", temp.path()).succeed();
    }
    story::until("the dead run is cleared away", || !dead.exists());
    let exist = [&of_other, &other_chunk, &precious, &link, &directory].map(|it| it.exists());
    for path in [of_other, other_chunk, link] {
        let _ = fs::remove_file(path);
    }
    let _ = fs::remove_dir(directory);
    assert_eq!(exist, [is_other, is_other, true, true, true]);
}

fn makes() {
    let _array = Array::<u8>::new(10).unwrap();
    let here = std::env::current_dir().unwrap();
    println!("{} in {}", names_in_folder(), here.display());
}

/// Whether this process has its names where the main process has found the folder.
fn names_in_folder() -> bool {
    let found = std::env::var_os("FOUND").unwrap();
    let folder = if story::is_portable() {
        Path::new(&found)
    } else {
        Path::new("/dev/shm")
    };
    let beginning = format!("mp-{:x}-", std::process::id());
    let names = fs::read_dir(folder).unwrap().flatten();
    names
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .any(|name| name.starts_with(&beginning))
}

fn changes_its_folder() {
    init(tasks());
    std::env::set_current_dir("/").unwrap();
    // The child begins a run of its own, and clears it away.
    spawn(makes, ()).unwrap().join().unwrap();
    use_everything();
}

fn the_folder_for_temporary_files_may_have_any_name() {
    let temp = tempfile::tempdir().unwrap();
    let temp = temp.path().join(OsStr::from_bytes(b"not \xff UTF-8"));
    fs::create_dir(&temp).unwrap();
    let scene = Scene::new("changes_its_folder").env("TMPDIR", &temp);
    assert_eq!(scene.env("FOUND", &temp).succeed(), ["true in /"]);
    assert_eq!(fs::read_dir(&temp).unwrap().count(), 0);
}

fn an_empty_tmpdir_counts_as_unset() {
    let current = tempfile::tempdir().unwrap();
    let script = format!("cd {}; exec \"$PROGRAM\"", current.path().display());
    let scene = Scene::by_shell(&script, "changes_its_folder").env("TMPDIR", "");
    assert_eq!(scene.env("FOUND", "/tmp").succeed(), ["true in /"]);
    assert_eq!(fs::read_dir(current.path()).unwrap().count(), 0);
}

fn a_relative_tmpdir_is_found_once() {
    let current = tempfile::tempdir().unwrap();
    let temp = current.path().join("temp");
    fs::create_dir(&temp).unwrap();
    let script = format!("cd {}; exec \"$PROGRAM\"", current.path().display());
    let scene = Scene::by_shell(&script, "changes_its_folder").env("TMPDIR", "temp");
    assert_eq!(scene.env("FOUND", &temp).succeed(), ["true in /"]);
    assert_eq!(fs::read_dir(&temp).unwrap().count(), 0);
}

fn has_no_folder() {
    init(tasks());
    match Lock::new() {
        Ok(_) => println!("ok"),
        Err(error) => println!("{error}"),
    }
}

fn without_a_folder_the_error_names_it() {
    let temp = tempfile::tempdir().unwrap();
    let nowhere = temp.path().join("nowhere");
    let scene = Scene::new("has_no_folder").env("TMPDIR", &nowhere);
    let out = scene.succeed();
    let [line] = &out[..] else {
        panic!("{out:?}");
    };
    if story::is_portable() {
        assert!(line.contains("TMPDIR"), "{line}");
        assert!(line.contains(nowhere.to_str().unwrap()), "{line}");
    } else {
        assert_eq!(line, "ok");
    }
}
