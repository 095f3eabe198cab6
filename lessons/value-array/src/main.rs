mod left_behind;

use anyhow::Result;
use left_behind::{is_owner, left_behind, owner};
use multiprocess::{Array, RawArray, Value, spawn, task};
use shared_memory::ShmemConf;
use std::fs::{self, File};
use std::io::Write;
use std::ops::Range;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Mutex;
use std::time::Instant;
use support::readable_time;

fn main() -> ExitCode {
    multiprocess::init([
        task(add_one),
        task(square),
        task(square_and_set),
        task(square_by_name),
        task(sum),
        task(sum_copy),
    ]);
    if is_owner() {
        return owner();
    }
    support::run_steps(&[
        ("not-shared", not_shared),
        ("array", array),
        ("value", value),
        ("under-the-hood", under_the_hood),
        ("big", big),
        ("left-behind", left_behind),
    ])
}

static PLAIN: Mutex<i64> = Mutex::new(0);

fn add_one(shared: Value<i64>) -> i64 {
    *shared.lock().unwrap() += 1;
    let mut plain = PLAIN.lock().unwrap();
    *plain += 1;
    *plain
}

fn not_shared() -> Result<()> {
    let shared = Value::new(0)?;
    let mut children = Vec::new();
    for _ in 0..4 {
        children.push(spawn(add_one, (shared.clone(),))?);
    }
    for child in children {
        println!("in a child: plain {}", child.join()?);
    }
    let plain = *PLAIN.lock().unwrap();
    println!("in the parent: plain {plain}, shared {}", shared.get()?);
    Ok(())
}

fn square(numbers: Vec<i32>, squares: Array<i32>) {
    let mut squares = squares.lock().unwrap();
    for (place, number) in numbers.iter().enumerate() {
        squares[place] = number * number;
    }
}

fn array() -> Result<()> {
    let squares = Array::new(3)?;
    println!("before: {:?}", squares.to_vec()?);
    let child = spawn(square, (vec![2, 3, 5], squares.clone()))?;
    child.join()?;
    println!("after: {:?}", squares.to_vec()?);
    Ok(())
}

fn square_and_set(numbers: Vec<i32>, squares: Array<i32>, number: Value<f64>) {
    square(numbers, squares);
    *number.lock().unwrap() = 5.67;
}

fn value() -> Result<()> {
    let squares = Array::new(3)?;
    let number = Value::new(0.0)?;
    let arguments = (vec![2, 3, 5], squares.clone(), number.clone());
    let child = spawn(square_and_set, arguments)?;
    child.join()?;
    println!("array: {:?}", squares.to_vec()?);
    println!("value: {}", number.get()?);
    Ok(())
}

fn square_by_name(numbers: Vec<i32>, name: String) {
    let path = format!("/dev/shm{name}");
    let mut segment = File::options().write(true).open(path).unwrap();
    for number in numbers {
        let square = number * number;
        segment.write_all(&square.to_ne_bytes()).unwrap(); // 4 bytes
    }
}

fn under_the_hood() -> Result<()> {
    if !Path::new("/dev/shm").exists() {
        println!("this step needs /dev/shm, which only Linux has");
        return Ok(());
    }
    let segment = ShmemConf::new().size(12).create()?;
    let name = segment.get_os_id();
    println!("a segment of {} bytes, named {name}", segment.len());
    let child = spawn(square_by_name, (vec![2, 3, 5], name.to_string()))?;
    child.join()?;

    let bytes = fs::read(format!("/dev/shm{name}"))?;
    println!("bytes: {bytes:?}");
    let mut numbers = Vec::new();
    for four_bytes in bytes.chunks(4) {
        numbers.push(i32::from_ne_bytes(four_bytes.try_into()?));
    }
    println!("numbers: {numbers:?}");
    Ok(())
}

const LENGTH: usize = 8 * 1024 * 1024; // numbers of 8 bytes each: 64 MiB

fn sum(numbers: RawArray<u64>, places: Range<usize>) -> u64 {
    places.map(|place| numbers.get(place)).sum()
}

fn sum_copy(numbers: Vec<u64>) -> u64 {
    numbers.iter().sum()
}

fn sum_by_four(numbers: &RawArray<u64>) -> Result<u64> {
    let quarter = LENGTH / 4;
    let mut children = Vec::new();
    for part in 0..4 {
        let places = part * quarter..(part + 1) * quarter;
        children.push(spawn(sum, (numbers.clone(), places))?);
    }
    let mut total = 0;
    for child in children {
        total += child.join()?;
    }
    Ok(total)
}

fn sum_copies_by_four(numbers: &RawArray<u64>) -> Result<u64> {
    let mut children = Vec::new();
    for quarter in numbers.to_vec().chunks(LENGTH / 4) {
        children.push(spawn(sum_copy, (quarter.to_vec(),))?);
    }
    let mut total = 0;
    for child in children {
        total += child.join()?;
    }
    Ok(total)
}

fn big() -> Result<()> {
    let numbers = RawArray::new(LENGTH)?;
    for place in 0..LENGTH {
        numbers.set(place, place as u64);
    }
    let start = Instant::now();
    let total = sum(numbers.clone(), 0..LENGTH);
    let time = readable_time(start.elapsed());
    println!("one process: {total} in {time}");

    let start = Instant::now();
    let total = sum_by_four(&numbers)?;
    let time = readable_time(start.elapsed());
    println!("four processes: {total} in {time}");

    let start = Instant::now();
    let total = sum_copies_by_four(&numbers)?;
    let time = readable_time(start.elapsed());
    println!("four with copies: {total} in {time}");
    Ok(())
}
