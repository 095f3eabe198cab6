use anyhow::{Result, ensure};
use multiprocess::Array;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::Duration;
use std::{env, fs, thread};

/// Returns whether this program was started as an owner of shared memory.
pub fn is_owner() -> bool {
    env::args().nth(1).as_deref() == Some("--owner")
}

pub fn owner() -> ExitCode {
    let _array = Array::<i64>::new(1000).unwrap();
    println!("ready");
    thread::sleep(Duration::from_secs(60)); // long enough to be killed
    ExitCode::SUCCESS
}

fn start_owner() -> Result<Child> {
    let mut program = Command::new(env::current_exe()?)
        .arg("--owner")
        .stdout(Stdio::piped())
        .spawn()?;
    let mut line = String::new();
    BufReader::new(program.stdout.take().unwrap()).read_line(&mut line)?;
    ensure!(
        line == "ready\n",
        "the program ended before it had its array"
    );
    Ok(program)
}

fn count_segments(pid: u32) -> Result<usize> {
    let mut count = 0;
    for file in fs::read_dir("/dev/shm")? {
        let name = file?.file_name().to_string_lossy().to_string();
        if name.starts_with(&format!("mp-{pid:x}-")) && !name.contains('.') {
            count += 1;
        }
    }
    Ok(count)
}

fn start_another_program() -> Result<()> {
    let mut program = Command::new(env::current_exe()?);
    program.arg("--list").stdout(Stdio::null()).status()?;
    Ok(())
}

pub fn left_behind() -> Result<()> {
    if !Path::new("/dev/shm").exists() {
        println!("this step needs /dev/shm, which only Linux has");
        return Ok(());
    }
    let mut program = start_owner()?;
    let pid = program.id();
    let count = count_segments(pid);
    program.kill()?;
    program.wait()?;
    println!("while the program runs: {}", count?);
    println!("after it was killed: {}", count_segments(pid)?);

    start_another_program()?;
    for _ in 0..100 {
        if count_segments(pid)? == 0 {
            break;
        }
        thread::sleep(Duration::from_millis(10)); // another program may be cleaning up
    }
    println!("after the next start: {}", count_segments(pid)?);
    Ok(())
}
