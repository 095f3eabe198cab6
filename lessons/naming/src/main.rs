mod registry;
mod system;

use anyhow::Result;
use multiprocess::{Event, task};
use std::collections::HashSet;
use std::process::{self, ExitCode};
use std::sync::Barrier;
use std::thread;
use std::time::Duration;

fn main() -> ExitCode {
    multiprocess::init([
        task(worker),
        task(my_service),
        task(process_says_pid),
        task(resize),
    ]);
    support::run_steps(&[
        ("thread-names", thread_names),
        ("thread-census", thread_census),
        ("process-names", process_names),
        ("pids", pids),
        ("in-ps", in_ps),
    ])
}

fn say_name() {
    let me = thread::current();
    match me.name() {
        Some(name) => println!("my name is {name}"),
        None => println!("I have no name"),
    }
}

fn thread_names() -> Result<()> {
    say_name();
    thread::spawn(say_name).join().unwrap();
    for name in ["Thread-1", "Thread-2"] {
        let builder = thread::Builder::new().name(name.to_string());
        builder.spawn(say_name)?.join().unwrap();
    }
    Ok(())
}

static MEETING: Barrier = Barrier::new(3);

fn stay_until_counted() {
    let _registration = registry::register();
    MEETING.wait(); // all three are registered
    MEETING.wait(); // main has counted
}

fn thread_census() -> Result<()> {
    let _registration = registry::register();
    let mut threads = Vec::new();
    for name in ["reader", "writer"] {
        let builder = thread::Builder::new().name(name.to_string());
        threads.push(builder.spawn(stay_until_counted)?);
    }

    MEETING.wait();
    let names = registry::names();
    println!("{} threads are alive: {}", names.len(), names.join(", "));
    let names = system::thread_names(process::id())?;
    println!("the operating system shows: {}", names.join(", "));
    MEETING.wait();
    for thread in threads {
        thread.join().unwrap();
    }
    println!("after the joins: {}", registry::names().join(", "));
    Ok(())
}

fn worker() {
    let me = multiprocess::current();
    println!("{} Starting", me.name());
    thread::sleep(Duration::from_millis(100));
    println!("{} Exiting", me.name());
}

fn my_service(workers_have_ended: Event) {
    let me = multiprocess::current();
    println!("{} Starting", me.name());
    thread::sleep(Duration::from_millis(150));
    workers_have_ended.wait();
    println!("{} Exiting", me.name());
}

fn process_names() -> Result<()> {
    let workers_have_ended = Event::new()?;
    let worker_1 = multiprocess::Builder::new()
        .name("worker 1")
        .spawn(worker, ())?;
    let worker_2 = multiprocess::spawn(worker, ())?;
    let service = multiprocess::Builder::new()
        .name("my_service")
        .spawn(my_service, (workers_have_ended.clone(),))?;

    worker_1.join()?;
    worker_2.join()?;
    workers_have_ended.set();
    service.join()?;
    Ok(())
}

fn process_says_pid() -> u32 {
    let me = multiprocess::current();
    println!("process {} has pid {}", me.name(), process::id());
    process::id()
}

fn thread_says_pid() -> u32 {
    let me = thread::current();
    println!("thread {} has pid {}", me.name().unwrap(), process::id());
    process::id()
}

fn pids() -> Result<()> {
    let mut processes = Vec::new();
    let mut threads = Vec::new();
    for number in 1..=4 {
        processes.push(multiprocess::spawn(process_says_pid, ())?);
        let builder = thread::Builder::new().name(format!("Thread-{number}"));
        threads.push(builder.spawn(thread_says_pid)?);
    }

    let mut pids = HashSet::new();
    for thread in threads {
        pids.insert(thread.join().unwrap());
    }
    let in_threads = pids.len();
    for process in processes {
        pids.insert(process.join()?);
    }
    let in_all = pids.len();
    println!("main: {in_threads} pid in the threads, {in_all} in all");
    Ok(())
}

fn resize(ready: Event, enough: Event) -> Result<()> {
    let builder = thread::Builder::new().name("heartbeat".to_string());
    let heartbeat = builder.spawn(move || {
        ready.set();
        enough.wait();
    })?;
    heartbeat.join().unwrap();
    Ok(())
}

fn in_ps() -> Result<()> {
    if !cfg!(target_os = "linux") {
        println!("this step reads files below /proc, which only Linux has");
        return Ok(());
    }
    let ready = Event::new()?;
    let enough = Event::new()?;
    let builder = multiprocess::Builder::new().name("resize-pictures-for-web");
    let child = builder.spawn(resize, (ready.clone(), enough.clone()))?;
    ready.wait();

    let pid = child.pid();
    println!("ps: {}", system::ps(pid));
    println!("the process: {}", system::process_name(pid)?);
    println!("its threads: {}", system::thread_names(pid)?.join(", "));
    println!("its command line: {}", system::command_line(pid)?);

    enough.set();
    child.join()?;
    Ok(())
}
