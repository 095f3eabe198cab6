mod census;
mod system;

use anyhow::{Result, ensure};
use ipc_channel::ipc::{self, IpcReceiver, IpcSender};
use multiprocess::task;
use std::process::{self, ExitCode};
use std::sync::{Arc, Barrier};
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

fn say_name() -> Option<String> {
    let me = thread::current();
    match me.name() {
        Some(name) => println!("my name is {name}"),
        None => println!("I have no name"),
    }
    me.name().map(String::from)
}

fn thread_names() -> Result<()> {
    let main = say_name();
    let unnamed = thread::spawn(say_name).join().unwrap();

    let first = thread::Builder::new()
        .name("Thread-1".to_string())
        .spawn(say_name)?;
    let first = first.join().unwrap();
    let second = thread::Builder::new()
        .name("Thread-2".to_string())
        .spawn(say_name)?;
    let second = second.join().unwrap();

    assert_eq!(main.as_deref(), Some("main"));
    assert_eq!(unnamed, None);
    assert_eq!(first.as_deref(), Some("Thread-1"));
    assert_eq!(second.as_deref(), Some("Thread-2"));
    Ok(())
}

fn stay_until_counted(meeting: Arc<Barrier>) {
    let _entry = census::sign_in();
    meeting.wait(); // all three are on the list
    meeting.wait(); // main has counted
}

fn thread_census() -> Result<()> {
    let _entry = census::sign_in();
    let meeting = Arc::new(Barrier::new(3));
    let mut threads = Vec::new();
    for name in ["reader", "writer"] {
        let meeting = Arc::clone(&meeting);
        let builder = thread::Builder::new().name(name.to_string());
        threads.push(builder.spawn(move || stay_until_counted(meeting))?);
    }

    meeting.wait();
    let names = census::names();
    let seen_by_system = system::thread_names(process::id())?;
    meeting.wait();
    for thread in threads {
        thread.join().unwrap();
    }

    println!("{} threads are alive: {}", names.len(), names.join(", "));
    println!("the operating system shows: {}", seen_by_system.join(", "));
    println!("after the joins: {}", census::names().join(", "));
    assert_eq!(names, ["main", "reader", "writer"]);
    assert_eq!(census::names(), ["main"]);
    if cfg!(target_os = "linux") {
        ensure!(seen_by_system.contains(&"reader".to_string()));
        ensure!(seen_by_system.contains(&"writer".to_string()));
    }
    Ok(())
}

fn worker() -> String {
    let me = multiprocess::current();
    println!("{} Starting", me.name());
    thread::sleep(Duration::from_millis(100));
    println!("{} Exiting", me.name());
    me.name().to_string()
}

fn my_service(workers_have_ended: IpcReceiver<()>) {
    let me = multiprocess::current();
    println!("{} Starting", me.name());
    thread::sleep(Duration::from_millis(150));
    workers_have_ended.recv().expect("the parent says so");
    println!("{} Exiting", me.name());
}

fn process_names() -> Result<()> {
    let (tell_service, workers_have_ended) = ipc::channel()?;
    let worker_1 = multiprocess::Builder::new()
        .name("worker 1")
        .spawn(worker, ())?;
    let worker_2 = multiprocess::spawn(worker, ())?;
    let service = multiprocess::Builder::new()
        .name("my_service")
        .spawn(my_service, (workers_have_ended,))?;

    let default_name = worker_2.name().to_string();
    ensure!(default_name.starts_with("Process-"));
    assert_eq!(worker_1.join()?, "worker 1");
    assert_eq!(worker_2.join()?, default_name);
    ensure!(service.is_alive(), "the service outlives its workers");
    tell_service.send(())?;
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
    let own_pid = process::id();
    let mut processes = Vec::new();
    let mut threads = Vec::new();
    for number in 1..=4 {
        processes.push(multiprocess::spawn(process_says_pid, ())?);
        let name = format!("Thread-{number}");
        threads.push(thread::Builder::new().name(name).spawn(thread_says_pid)?);
    }

    for thread in threads {
        assert_eq!(thread.join().unwrap(), own_pid);
    }
    let mut different = vec![own_pid];
    for process in processes {
        let pid = process.join()?;
        ensure!(!different.contains(&pid), "pid {pid} was seen twice");
        different.push(pid);
    }
    println!(
        "main counts {} different pids, its own among them",
        different.len()
    );
    Ok(())
}

fn resize(ready: IpcSender<()>, enough: IpcReceiver<()>) {
    let heartbeat = thread::Builder::new()
        .name("heartbeat".to_string())
        .spawn(move || {
            ready.send(()).expect("the parent waits for this");
            enough.recv().expect("the parent says so");
        });
    heartbeat.unwrap().join().unwrap();
}

fn in_ps() -> Result<()> {
    if !cfg!(target_os = "linux") {
        println!("this step reads the files below /proc, which only Linux has");
        return Ok(());
    }
    let (ready, is_ready) = ipc::channel()?;
    let (stop, enough) = ipc::channel()?;
    let child = multiprocess::Builder::new()
        .name("resize-pictures-for-web")
        .spawn(resize, (ready, enough))?;
    is_ready.recv()?;

    println!("ps: {}", system::ps(child.pid()));
    let pids = system::pids_called("resize-pictures")?;
    let threads = system::thread_names(child.pid())?;
    let command_line = system::command_line(child.pid());
    stop.send(())?;

    ensure!(pids.contains(&child.pid()), "found only {pids:?}");
    println!("found by the name resize-pictures: pid {}", child.pid());
    ensure!(
        threads.contains(&"heartbeat".to_string()),
        "found only {threads:?}"
    );
    println!("its threads: {}", threads.join(", "));
    ensure!(command_line.contains(&child.name().to_string()));
    println!("the whole name, on its command line: {}", child.name());
    child.join()?;
    Ok(())
}
