use anyhow::{Result, ensure};
use ipc_channel::ipc::{self, IpcSender};
use multiprocess::{Array, spawn};
use std::io::{self, BufRead, BufReader};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::Duration;
use std::{env, fs, thread};

const OWNER: &str = "--owner";

/// Whether this program was started by `start_owner`.
pub fn is_owner() -> bool {
    env::args().nth(1).as_deref() == Some(OWNER)
}

pub fn own_array(ready: IpcSender<()>) {
    let _array = Array::<i64>::new(1000).unwrap();
    ready.send(()).expect("the parent waits for this");
    thread::sleep(Duration::from_secs(60)); // long enough to be killed
}

/// A program of its own. It owns an array, and so does its child, which it kills.
pub fn owner() -> ExitCode {
    let _array = Array::<i64>::new(1000).unwrap();
    let (ready, child_is_ready) = ipc::channel().unwrap();
    let child = spawn(own_array, (ready,)).unwrap();
    child_is_ready.recv().unwrap();
    child.kill().unwrap();
    child.join().expect_err("it was killed");

    println!("ready");
    io::stdin().read_line(&mut String::new()).unwrap(); // until its input ends
    ExitCode::SUCCESS
}

fn start_owner() -> Result<Child> {
    let mut program = Command::new(env::current_exe()?)
        .arg(OWNER)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut line = String::new();
    BufReader::new(program.stdout.take().unwrap()).read_line(&mut line)?;
    assert_eq!(line, "ready\n");
    Ok(program)
}

/// The names of the shared memory that a program and its children have made and not removed.
fn names_of(program: &Child) -> Result<Vec<String>> {
    let beginning = format!("mp-{:x}-", program.id());
    let mut names = Vec::new();
    for entry in fs::read_dir("/dev/shm")? {
        let name = entry?.file_name().to_string_lossy().to_string();
        if name.starts_with(&beginning) && !name.contains('.') {
            names.push(name);
        }
    }
    Ok(names)
}

fn names_after_another_start(program: &Child) -> Result<Vec<String>> {
    Command::new(env::current_exe()?).arg("--list").output()?;
    for _ in 0..100 {
        if names_of(program)?.is_empty() {
            break;
        }
        thread::sleep(Duration::from_millis(10)); // a third program may be clearing up
    }
    names_of(program)
}

pub fn left_behind() -> Result<()> {
    if !cfg!(target_os = "linux") {
        println!("this step looks at /dev/shm, which only Linux has");
        return Ok(());
    }
    let mut program = start_owner()?;
    let names = names_of(&program)?;
    println!("of a program and its killed child: {} names", names.len());
    assert_eq!(names.len(), 2);
    drop(program.stdin.take()); // its input ends, and so does the program
    ensure!(program.wait()?.success());
    let names = names_of(&program)?;
    println!("after the program's end: {} names", names.len());
    ensure!(names.is_empty(), "left behind: {names:?}");

    let mut program = start_owner()?;
    let names = names_of(&program)?;
    println!("of another one of the kind: {} names", names.len());
    assert_eq!(names.len(), 2);
    program.kill()?;
    program.wait()?;
    println!("after it was killed: {} names", names_of(&program)?.len());
    let names = names_after_another_start(&program)?;
    println!("after another start of a program: {} names", names.len());
    ensure!(names.is_empty(), "left behind: {names:?}");
    Ok(())
}
