use anyhow::Result;
use multiprocess::{Error, Event, task};
use std::process::{self, ExitCode};
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

fn main() -> ExitCode {
    multiprocess::init([
        task(careless),
        task(careful),
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
        ("unjoined", unjoined),
        ("doubler", doubler),
        ("no-answer", no_answer),
        ("background", background),
        ("timeout", timeout),
        ("daemon", daemon),
        ("exit-codes", exit_codes),
    ])
}

fn short_task(number: u32, line_is_out: Event) {
    line_is_out.wait();
    thread::sleep(Duration::from_millis(30));
    println!("task {number} has finished");
}

fn join_order() -> Result<()> {
    let line_is_out = Event::new()?;
    let mut tasks = Vec::new();
    for number in 1..=3 {
        let line_is_out = line_is_out.clone();
        tasks.push(thread::spawn(move || short_task(number, line_is_out)));
    }

    println!("Tasks started");
    println!("This line runs before they finish");
    line_is_out.set();
    for task in tasks {
        task.join().unwrap();
    }
    println!("Done");
    Ok(())
}

fn tick(name: &str, delay: Duration) {
    for number in 1..=3 {
        thread::sleep(delay);
        println!("{name}: tick {number}");
    }
}

fn careless() {
    thread::spawn(|| tick("fast", Duration::from_millis(1000)));
    thread::spawn(|| tick("slow", Duration::from_millis(3000)));
    println!("careless: returns without a join");
}

fn careful() {
    let fast = thread::spawn(|| tick("fast", Duration::from_millis(100)));
    let slow = thread::spawn(|| tick("slow", Duration::from_millis(300)));
    fast.join().unwrap();
    slow.join().unwrap();
    println!("careful: returns after two joins");
}

fn unjoined() -> Result<()> {
    multiprocess::spawn(careless, ())?.join()?;
    println!("main: the careless program has ended");
    multiprocess::spawn(careful, ())?.join()?;
    println!("main: the careful program has ended");
    Ok(())
}

fn doubled(number: i64) -> i64 {
    let double = number * 2;
    let pid = process::id();
    println!("{number} doubled is {double}, says process {pid}");
    double
}

fn doubler() -> Result<()> {
    let mut children = Vec::new();
    for number in [5, 10, 15, 20, 25] {
        children.push(multiprocess::spawn(doubled, (number,))?);
    }

    let mut answers = Vec::new();
    for child in children {
        answers.push(child.join()?);
    }
    println!("main joined: {answers:?}");
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

    let start = Instant::now();
    let child = multiprocess::spawn(background_task, (Duration::from_millis(300),))?;
    child.join()?;
    let time = support::readable_time(start.elapsed());
    println!("started and joined in {time}");
    Ok(())
}

fn nap(alarm: Event) -> String {
    alarm.wait();
    "well rested".to_string()
}

fn timeout() -> Result<()> {
    let alarm = Event::new()?;
    let mut sleeper = multiprocess::spawn(nap, (alarm.clone(),))?;

    let early = sleeper.join_timeout(Duration::from_millis(50)).unwrap_err();
    println!("after 50 ms: is it a timeout? {}", early.is_timeout());
    println!("is it alive? {}", sleeper.is_alive());

    alarm.set();
    println!("joined for good: {}", sleeper.join()?);
    Ok(())
}

fn daemon_child(running: Event) {
    println!("daemon: first line");
    running.set();
    thread::sleep(Duration::from_secs(60));
    println!("daemon: last line");
}

fn ordinary_child(program_is_done: Event) {
    program_is_done.wait();
    thread::sleep(Duration::from_millis(100));
    println!("ordinary child: last line");
}

fn main_program() -> Result<()> {
    let running = Event::new()?;
    let builder = multiprocess::Builder::new().daemon(true);
    let _daemon = builder.spawn(daemon_child, (running.clone(),))?;
    running.wait();

    let done = Event::new()?;
    let _child = multiprocess::spawn(ordinary_child, (done.clone(),))?;
    println!("program: last line, and no join");
    done.set();
    Ok(())
}

fn daemon() -> Result<()> {
    multiprocess::spawn(main_program, ())?.join()?;
    println!("the program has ended");
    Ok(())
}

fn end_by(way: String) -> i64 {
    match way.as_str() {
        "return" => return 42,
        "exit" => process::exit(3),
        "panic" => panic!("the cube of a string"),
        _ => thread::sleep(Duration::from_secs(60)), // until a signal ends it
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
    let mut children = Vec::new();
    for way in ["return", "exit", "panic", "wait", "wait"] {
        children.push(multiprocess::spawn(end_by, (way.to_string(),))?);
    }
    children[3].terminate()?;
    children[4].kill()?;
    for child in children {
        println!("{}", describe(child.join()));
    }
    Ok(())
}
