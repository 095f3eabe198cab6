//! An array that processes share: sizes are checked, and the memory is the same at both ends.

#![allow(
    clippy::needless_pass_by_value,
    reason = "arguments of a child move to it"
)]

use crate::story;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use multiprocess::{Array, Error, Event, Queue, RegisteredTask, init, spawn, task};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use story::forged::{Forged, bytes_of};
use story::proc;

pub(crate) fn main() -> ExitCode {
    story::play(
        || init(tasks()),
        &[],
        story::named![
            it_begins_with_zeros_or_with_what_it_is_given,
            a_child_sees_and_changes_the_same_elements,
            a_slice_is_shared_by_the_threads_of_the_holder,
            one_of_length_0_works_and_travels,
            an_array_larger_than_memory_is_refused_at_once,
            an_array_larger_than_the_address_space_is_refused,
            its_memory_is_reserved_when_it_is_created,
            a_thread_never_waits_for_itself,
            a_killed_writer_is_reported_and_its_elements_stay,
            an_array_of_another_type_is_refused_at_the_other_end,
            an_array_of_another_length_is_refused_at_the_other_end,
            large_elements_are_whole,
        ],
    )
}

fn tasks() -> Vec<RegisteredTask> {
    vec![task(squares), task(length), task(holds), task(sums)]
}

fn it_begins_with_zeros_or_with_what_it_is_given() {
    let zeros = Array::<f32>::new(1000).unwrap();
    assert_eq!((zeros.len(), zeros.is_empty()), (1000, false));
    assert!(
        zeros
            .to_vec()
            .unwrap()
            .iter()
            .all(|bits| bits.to_bits() == 0)
    );
    let primes = Array::from_slice(&[2_i32, 3, 5]).unwrap();
    assert_eq!(primes.to_vec().unwrap(), [2, 3, 5]);
    let mut guard = primes.lock().unwrap();
    guard[1] = 9;
    guard[2..].copy_from_slice(&[7]);
    assert_eq!(format!("{guard:?}"), "[2, 9, 7]");
    drop(guard);
    assert_eq!(primes.clone().to_vec().unwrap(), [2, 9, 7]);
}

fn squares(numbers: Array<i32>) -> usize {
    for number in numbers.lock().unwrap().iter_mut() {
        *number *= *number;
    }
    numbers.len()
}

fn a_child_sees_and_changes_the_same_elements() {
    let numbers = Array::from_slice(&[2, 3, 5]).unwrap();
    let child = spawn(squares, (numbers.clone(),)).unwrap();
    assert_eq!(child.join().unwrap(), 3);
    assert_eq!(numbers.to_vec().unwrap(), [4, 9, 25]);
}

fn a_slice_is_shared_by_the_threads_of_the_holder() {
    let numbers = Array::<u32>::new(1000).unwrap();
    let mut guard = numbers.lock().unwrap();
    std::thread::scope(|scope| {
        for (part, chunk) in (1..).zip(guard.chunks_mut(250)) {
            scope.spawn(move || chunk.fill(part));
        }
    });
    assert_eq!(guard.iter().sum::<u32>(), 250 * (1 + 2 + 3 + 4));
}

fn length(array: Array<u64>) -> usize {
    assert!(array.lock().unwrap().is_empty());
    array.len()
}

fn one_of_length_0_works_and_travels() {
    let array = Array::<u64>::new(0).unwrap();
    assert!(array.is_empty());
    assert_eq!(array.to_vec().unwrap(), [0; 0]);
    assert_eq!(spawn(length, (array,)).unwrap().join().unwrap(), 0);
    assert!(Array::<u8>::from_slice(&[]).unwrap().is_empty());
}

/// Bytes of memory that are free, by the system's word.
fn free() -> usize {
    let text = std::fs::read_to_string("/proc/meminfo").unwrap();
    let line = text.lines().find(|line| line.starts_with("MemAvailable:"));
    let kilobytes: usize = line
        .unwrap()
        .split_whitespace()
        .nth(1)
        .unwrap()
        .parse()
        .unwrap();
    kilobytes * 1024
}

fn an_array_larger_than_memory_is_refused_at_once() {
    let start = Instant::now();
    for bytes in [free() + (1 << 30), 2 * free(), 1 << 46] {
        let error = Array::<u64>::new(bytes / 8).unwrap_err();
        assert!(matches!(error, Error::Memory { .. }), "{error}");
        let words = error.to_string();
        assert!(words.contains("Array<u64> of length"), "{words}");
        assert!(words.contains("more memory than"), "{words}");
    }
    assert!(start.elapsed() < Duration::from_secs(5));
}

fn an_array_larger_than_the_address_space_is_refused() {
    for length in [
        usize::MAX,
        usize::MAX / 8,
        isize::MAX as usize,
        isize::MAX as usize / 8,
    ] {
        let error = Array::<u64>::new(length).unwrap_err();
        assert!(matches!(error, Error::Memory { .. }), "{error}");
        let error = Array::<u8>::new(length).unwrap_err();
        assert!(matches!(error, Error::Memory { .. }), "{error}");
    }
}

fn its_memory_is_reserved_when_it_is_created() {
    let array = Array::<u8>::new(8 << 20).unwrap();
    // It has a file of its own.
    let name = story::memory_name(&array);
    let path = story::left::folder().join(name.rsplitn(3, '-').nth(2).unwrap());
    let found = std::fs::metadata(&path).unwrap();
    // Blocks, of 512 bytes, that are there before anything was written.
    let there = std::os::unix::fs::MetadataExt::blocks(&found) * 512;
    assert!(there >= 8 << 20, "{there} bytes");
    drop(array);
    assert!(!path.exists());
}

fn a_thread_never_waits_for_itself() {
    let array = Array::from_slice(&[1_u8]).unwrap();
    let guard = array.lock().unwrap();
    for result in [
        array.to_vec().map(drop),
        array.lock().map(drop),
        array.try_lock().map(drop),
        array.lock_timeout(story::LIMIT).map(drop),
    ] {
        let error = result.unwrap_err();
        assert!(matches!(error, Error::HeldAlready { .. }), "{error}");
    }
    drop(guard);
}

fn holds(array: Array<u64>, held: Event) {
    let mut array = array.lock().unwrap();
    array[..2].fill(7);
    held.set();
    story::a_minute();
}

fn a_killed_writer_is_reported_and_its_elements_stay() {
    let array = Array::<u64>::new(4).unwrap();
    let held = Event::new().unwrap();
    let child = spawn(holds, (array.clone(), held.clone())).unwrap();
    held.wait();
    assert!(array.try_lock().unwrap_err().is_would_block());
    array.lock_timeout(Duration::from_millis(5)).unwrap_err();
    proc::kill(child.pid());
    let mut guard = array.lock().unwrap();
    assert!(guard.holder_died());
    assert_eq!(guard[..], [7, 7, 0, 0]);
    guard.clear_death();
    drop(guard);
    assert!(!array.lock().unwrap().holder_died());
    child.join().unwrap_err();
}

/// Sends an array of one type, and is read as an array of another.
struct Disguise(Array<u64>);

impl Serialize for Disguise {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Disguise {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Disguise, D::Error> {
        let array = Array::<i16>::deserialize(deserializer)?;
        unreachable!("{array:?} is refused");
    }
}

fn an_array_of_another_type_is_refused_at_the_other_end() {
    let array = Array::<u64>::new(3).unwrap();
    let queue = Queue::new().unwrap();
    queue.put(Disguise(array.clone())).unwrap();
    let refused = queue.get().map(|_| ()).unwrap_err();
    assert!(refused.to_string().contains("is expected"), "{refused}");
    array.lock().unwrap().fill(1);
}

fn an_array_of_another_length_is_refused_at_the_other_end() {
    let array = Array::<u8>::new(300).unwrap();
    // The bytes that travel contain the length as the number 300.
    let good = bytes_of(array.clone());
    let length = postcard_of(&300_u64);
    let place = good
        .windows(length.len())
        .rposition(|bytes| bytes == length);
    for wrong in [299_u64, 301, 400, 1 << 20, u64::MAX] {
        let mut bad = good[..place.unwrap()].to_vec();
        bad.extend(postcard_of(&wrong));
        bad.extend(&good[place.unwrap() + length.len()..]);
        // In another process, which has it not open.
        let error = spawn(sums, (Forged::Sent(bad),)).unwrap().join();
        let error = error.unwrap_err().to_string();
        assert!(error.contains("cannot be read"), "{wrong}: {error}");
    }
    assert_eq!(array.len(), 300);
    let sum = spawn(sums, (Forged::Sent(good),)).unwrap().join();
    assert_eq!(sum.unwrap(), 0);
}

fn postcard_of<T: Serialize>(value: &T) -> Vec<u8> {
    postcard::to_stdvec(value).unwrap()
}

fn sums(array: Forged<Array<u8>>) -> u8 {
    let Forged::Read(array) = array else {
        unreachable!("it was sent")
    };
    array.to_vec().unwrap().into_iter().sum()
}

#[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C, align(64))]
struct Line([u64; 8]);

fn large_elements_are_whole() {
    let array = Array::<Line>::new(10).unwrap();
    let mut guard = array.lock().unwrap();
    for (number, line) in (0..).zip(guard.iter_mut()) {
        line.0 = [number; 8];
        assert_eq!(std::ptr::from_ref(line).addr() % 64, 0);
    }
    drop(guard);
    assert_eq!(array.to_vec().unwrap()[9].0, [9; 8]);
}
