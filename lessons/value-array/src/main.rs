mod left_behind;

use anyhow::{Result, ensure};
use multiprocess::{Array, RawArray, Value, spawn, task};
use shared_memory::ShmemConf;
use std::fs::{self, File};
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Mutex;
use support::{readable_time, timed};

fn main() -> ExitCode {
    multiprocess::init([
        task(add_one),
        task(square),
        task(square_and_set),
        task(square_in_file),
        task(sum),
        task(sum_copy),
        task(left_behind::own_array),
    ]);
    if left_behind::is_owner() {
        return left_behind::owner();
    }
    support::run_steps(&[
        ("not-shared", not_shared),
        ("array", array),
        ("value", value),
        ("under-the-hood", under_the_hood),
        ("big", big),
        ("left-behind", left_behind::left_behind),
    ])
}

static PLAIN: Mutex<i64> = Mutex::new(0);

fn add_one(shared: Value<i64>) -> i64 {
    let mut plain = PLAIN.lock().unwrap();
    *plain += 1;
    *shared.lock().unwrap() += 1;
    *plain
}

fn not_shared() -> Result<()> {
    let shared = Value::new(0)?;
    let mut children = Vec::new();
    for _ in 0..4 {
        children.push(spawn(add_one, (shared.clone(),))?);
    }
    let mut seen = Vec::new();
    for child in children {
        seen.push(child.join()?);
    }
    let (plain, shared) = (*PLAIN.lock().unwrap(), shared.get()?);
    println!("the plain number, in each child: {seen:?}");
    println!("in the parent: plain {plain}, shared {shared}");
    assert_eq!((plain, shared), (0, 4));
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
    spawn(square, (vec![2, 3, 5], squares.clone()))?.join()?;
    println!("after: {:?}", squares.to_vec()?);
    assert_eq!(squares.to_vec()?, [4, 9, 25]);
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
    spawn(square_and_set, arguments)?.join()?;
    println!("array: {:?}", squares.to_vec()?);
    println!("value: {}", number.get()?);
    assert_eq!(squares.to_vec()?, [4, 9, 25]);
    assert_eq!(number.get()?, 5.67);
    Ok(())
}

fn square_in_file(numbers: Vec<i32>, name: String) -> usize {
    let segment = ShmemConf::new().os_id(&name).open().unwrap();
    let path = format!("/dev/shm{name}");
    let file = File::options().write(true).open(path).unwrap();
    for (place, number) in numbers.iter().enumerate() {
        let bytes = (number * number).to_ne_bytes(); // four of them
        file.write_all_at(&bytes, 4 * place as u64).unwrap();
    }
    segment.len()
}

fn under_the_hood() -> Result<()> {
    if !cfg!(target_os = "linux") {
        println!("this step looks at /dev/shm, which only Linux has");
        return Ok(());
    }
    let segment = ShmemConf::new().size(12).create()?;
    let name = segment.get_os_id().to_string();
    let path = format!("/dev/shm{name}");
    println!("a segment of {} bytes, in {path}", segment.len());

    let length = spawn(square_in_file, (vec![2, 3, 5], name))?.join()?;
    println!("the child opened {length} bytes by that name");
    let bytes = fs::read(&path)?;
    println!("now there are in it: {bytes:?}");
    let (fours, _) = bytes.as_chunks();
    let numbers: Vec<i32> = fours.iter().map(|four| i32::from_ne_bytes(*four)).collect();
    println!("as numbers: {numbers:?}");
    assert_eq!(numbers, [4, 9, 25]);

    drop(segment);
    ensure!(!Path::new(&path).exists(), "the name is left over");
    Ok(())
}

const LENGTH: usize = 8 * 1024 * 1024; // numbers of 8 bytes: 64 MiB

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
    for part in numbers.to_vec().chunks(LENGTH / 4) {
        children.push(spawn(sum_copy, (part.to_vec(),))?);
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
    let (alone, time) = timed(|| sum(numbers.clone(), 0..LENGTH));
    println!("one process: {alone} in {}", readable_time(time));
    let (shared, time) = timed(|| sum_by_four(&numbers));
    let shared = shared?;
    println!("four processes: {shared} in {}", readable_time(time));
    let (copied, time) = timed(|| sum_copies_by_four(&numbers));
    let copied = copied?;
    println!("four with copies: {copied} in {}", readable_time(time));
    assert_eq!(alone, 35_184_367_894_528);
    assert_eq!((shared, copied), (alone, alone));
    Ok(())
}
