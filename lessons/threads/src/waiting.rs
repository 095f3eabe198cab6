use anyhow::Result;
use std::thread;
use std::time::Duration;
use support::{readable_time, timed};

const PAUSE: Duration = Duration::from_millis(100);
const NUMBERS: [u64; 4] = [2, 3, 8, 9];

fn squares() -> Vec<u64> {
    let mut squares = Vec::new();
    for number in NUMBERS {
        thread::sleep(PAUSE);
        squares.push(number * number);
    }
    squares
}

fn cubes() -> Vec<u64> {
    let mut cubes = Vec::new();
    for number in NUMBERS {
        thread::sleep(PAUSE);
        cubes.push(number * number * number);
    }
    cubes
}

fn squares_and_cubes_in_threads() -> (Vec<u64>, Vec<u64>) {
    let squares = thread::spawn(squares);
    let cubes = thread::spawn(cubes);
    (squares.join().unwrap(), cubes.join().unwrap())
}

fn wait() {
    thread::sleep(Duration::from_millis(200));
}

fn wait_in_four_threads() {
    let mut waits = Vec::new();
    for _ in 0..4 {
        waits.push(thread::spawn(wait));
    }
    for wait in waits {
        wait.join().unwrap();
    }
}

pub fn waiting() -> Result<()> {
    let (in_a_row, row_time) = timed(|| (squares(), cubes()));
    let (in_threads, threads_time) = timed(squares_and_cubes_in_threads);
    println!("squares {:?}, cubes {:?}", in_threads.0, in_threads.1);
    println!("one after the other: {}", readable_time(row_time));
    println!("in two threads:      {}", readable_time(threads_time));
    assert_eq!(in_threads, (vec![4, 9, 64, 81], vec![8, 27, 512, 729]));
    assert_eq!(in_threads, in_a_row);
    assert!(row_time >= 8 * PAUSE && threads_time >= 4 * PAUSE);
    assert!(threads_time < row_time);

    let ((), once) = timed(wait);
    let ((), four_times) = timed(wait_in_four_threads);
    println!("one wait:                   {}", readable_time(once));
    println!("four waits in four threads: {}", readable_time(four_times));
    assert!(four_times < 4 * once);
    Ok(())
}
