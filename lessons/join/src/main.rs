use anyhow::{Result, ensure};
use ipc_channel::ipc::{self, IpcReceiver, IpcSender};
use multiprocess::{Error, task};
use std::path::Path;
use std::process::{self, ExitCode};
use std::sync::{Arc, Barrier, Mutex};
use std::thread;
use std::time::{Duration, Instant};

fn main() -> ExitCode {
    multiprocess::init([
        task(doubled),
        task(fill_list),
        task(background_task),
        task(nap),
        task(daemon_child),
        task(ordinary_child),
        task(main_program),
        task(end_by),
    ]);
    support::run_steps(&[
        ("join-order", join_order),
        ("doubler", doubler),
        ("no-answer", no_answer),
        ("background", background),
        ("timeout", timeout),
        ("daemon", daemon),
        ("exit-codes", exit_codes),
    ])
}

fn short_task(number: u32, line_is_out: Arc<Barrier>) -> Instant {
    thread::sleep(Duration::from_millis(30));
    line_is_out.wait();
    println!("task {number} has finished");
    Instant::now()
}

fn join_order() -> Result<()> {
    let line_is_out = Arc::new(Barrier::new(4));
    let mut tasks = Vec::new();
    for number in 1..=3 {
        let line_is_out = Arc::clone(&line_is_out);
        tasks.push(thread::spawn(move || short_task(number, line_is_out)));
    }

    println!("Tasks started");
    println!("This line runs before they finish");
    let line_printed = Instant::now();
    line_is_out.wait();
    for task in tasks {
        let finished = task.join().unwrap();
        ensure!(finished >= line_printed && finished <= Instant::now());
    }
    println!("Done");
    Ok(())
}

fn doubled(number: i64) -> i64 {
    let double = number * 2;
    println!(
        "{number} doubled is {double}, says process {}",
        process::id()
    );
    double
}

fn doubler() -> Result<()> {
    let mut children = Vec::new();
    for number in [5, 10, 15, 20, 25] {
        children.push(multiprocess::spawn(doubled, (number,))?);
    }

    let mut answers = Vec::new();
    let mut pids = Vec::new();
    for child in children {
        let pid = child.pid();
        ensure!(!pids.contains(&pid), "pid {pid} was seen twice");
        pids.push(pid);
        answers.push(child.join()?);
    }
    println!("main joined: {answers:?}, from {} processes", pids.len());
    assert_eq!(answers, [10, 20, 30, 40, 50]);
    assert_eq!(pids.len(), 5);
    Ok(())
}

static SQUARES: Mutex<Vec<i64>> = Mutex::new(Vec::new());

fn fill_list(numbers: Vec<i64>) -> Vec<i64> {
    let mut squares = SQUARES.lock().unwrap();
    for number in numbers {
        squares.push(number * number);
    }
    println!("the list in the child: {squares:?}");
    squares.clone()
}

fn no_answer() -> Result<()> {
    let child = multiprocess::spawn(fill_list, (vec![2, 3, 8, 9],))?;
    let answer = child.join()?;

    let squares = SQUARES.lock().unwrap();
    println!("the list in the parent: {squares:?}");
    println!("what join returned: {answer:?}");
    ensure!(squares.is_empty(), "the parent's list was never touched");
    assert_eq!(answer, [4, 9, 64, 81]);
    Ok(())
}

fn background_task(length: Duration) {
    println!("{} starts", multiprocess::current().name());
    thread::sleep(length);
    println!("{} ends", multiprocess::current().name());
}

fn background() -> Result<()> {
    let cores = thread::available_parallelism()?;
    println!("this program may use {cores} cores at a time");

    let length = Duration::from_millis(300);
    let start = Instant::now();
    let child = multiprocess::spawn(background_task, (length,))?;
    child.join()?;
    let time = start.elapsed();
    println!("started and joined in {}", support::readable_time(time));
    ensure!(time >= length);
    Ok(())
}

fn nap(alarm: IpcReceiver<()>) -> String {
    alarm.recv().expect("the parent rings");
    "well rested".to_string()
}

fn timeout() -> Result<()> {
    let (ring, alarm) = ipc::channel()?;
    let mut sleeper = multiprocess::spawn(nap, (alarm,))?;

    let early = sleeper.join_timeout(Duration::from_millis(50)).unwrap_err();
    println!("{early}");
    println!("is it alive? {}", sleeper.is_alive());
    ensure!(early.is_timeout() && sleeper.is_alive());

    ring.send(())?;
    let answer = sleeper.join()?;
    println!("joined for good: {answer}");
    assert_eq!(answer, "well rested");
    Ok(())
}

fn daemon_child(running: IpcSender<()>) {
    println!("daemon: first line");
    running.send(()).expect("the program waits for this");
    thread::sleep(Duration::from_secs(60));
    println!("daemon: last line");
}

fn ordinary_child(running: IpcSender<()>, program_is_done: IpcReceiver<()>) {
    println!("ordinary child: first line");
    running.send(()).expect("the program waits for this");
    program_is_done.recv().expect("the program says so");
    thread::sleep(Duration::from_millis(100));
    println!("ordinary child: last line");
}

fn main_program() -> (u32, u32) {
    let (running, daemon_is_running) = ipc::channel().unwrap();
    let daemon = multiprocess::Builder::new().daemon(true);
    let daemon = daemon.spawn(daemon_child, (running,)).unwrap();
    daemon_is_running.recv().unwrap();

    let (running, child_is_running) = ipc::channel().unwrap();
    let (tell_child, program_is_done) = ipc::channel().unwrap();
    let child = multiprocess::spawn(ordinary_child, (running, program_is_done)).unwrap();
    child_is_running.recv().unwrap();

    println!("program: last line, and no join");
    tell_child.send(()).unwrap();
    (daemon.pid(), child.pid())
}

fn daemon() -> Result<()> {
    let program = multiprocess::Builder::new()
        .name("program")
        .spawn(main_program, ())?;
    let (daemon, child) = program.join()?;
    println!("the program has ended");
    for pid in [daemon, child] {
        let directory = format!("/proc/{pid}"); // Linux has one for each process
        ensure!(!Path::new(&directory).exists(), "{pid} is left over");
    }
    Ok(())
}

fn end_by(way: String) -> i64 {
    match way.as_str() {
        "return" => return 42,
        "exit" => process::exit(3),
        "panic" => panic!("the cube of a string"),
        _ => thread::sleep(Duration::from_secs(60)), // long enough to be stopped
    }
    0
}

fn describe(ending: Result<i64, Error>) -> String {
    match ending {
        Ok(value) => format!("returned {value}"),
        Err(Error::Exited { code, .. }) => format!("exited with code {code}"),
        Err(Error::Panicked { message, .. }) => format!("panicked: {message}"),
        Err(Error::Killed { signal, .. }) => format!("was ended by {signal}"),
        Err(other) => format!("something else: {other}"),
    }
}

fn exit_codes() -> Result<()> {
    let returns = multiprocess::spawn(end_by, ("return".to_string(),))?;
    let exits = multiprocess::spawn(end_by, ("exit".to_string(),))?;
    let panics = multiprocess::spawn(end_by, ("panic".to_string(),))?;
    let terminated = multiprocess::spawn(end_by, ("wait".to_string(),))?;
    let killed = multiprocess::spawn(end_by, ("wait".to_string(),))?;
    terminated.terminate()?;
    killed.kill()?;

    let mut endings = Vec::new();
    for child in [returns, exits, panics, terminated, killed] {
        let ending = describe(child.join());
        println!("{ending}");
        endings.push(ending);
    }
    assert_eq!(endings[0], "returned 42");
    assert_eq!(endings[1], "exited with code 3");
    assert_eq!(endings[2], "panicked: the cube of a string");
    assert_eq!(endings[3], "was ended by SIGTERM");
    assert_eq!(endings[4], "was ended by SIGKILL");
    Ok(())
}
