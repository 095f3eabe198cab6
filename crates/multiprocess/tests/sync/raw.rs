//! Numbers that processes share without a lock.

#![allow(
    clippy::needless_pass_by_value,
    reason = "arguments of a child move to it"
)]

use crate::story;

use std::process::ExitCode;

use multiprocess::{Error, Event, Number, RawArray, RawValue, RegisteredTask, init, spawn, task};

pub(crate) fn main() -> ExitCode {
    story::play(
        || init(tasks()),
        &[],
        story::named![
            every_number_type_can_be_shared,
            an_array_begins_with_zeros,
            an_array_of_length_0_works,
            an_index_outside_is_a_panic,
            more_than_there_is_memory_is_refused,
            an_indivisible_update_is_never_lost,
            a_number_is_never_half_written,
            an_update_read_and_written_apart_can_be_lost,
        ],
    )
}

fn tasks() -> Vec<RegisteredTask> {
    vec![task(updates), task(writes), task(reads_and_writes)]
}

fn every_number_type_can_be_shared() {
    fn kept<T: Number + PartialEq + std::fmt::Debug>(number: T, other: T) {
        let value = RawValue::new(number).unwrap();
        assert_eq!(value.get(), number);
        assert_eq!(value.update(|_| other), number);
        assert_eq!(value.clone().get(), other);
        let array = RawArray::new(3).unwrap();
        array.set(2, number);
        assert_eq!(array.get(2), number);
        assert_eq!(array.update(2, |_| other), number);
        assert_eq!(array.to_vec()[2], other);
        assert_eq!(array.get(0), array.get(1));
    }
    kept(i8::MIN, -1);
    kept(u8::MAX, 1);
    kept(i16::MIN, -1);
    kept(u16::MAX, 1);
    kept(i32::MIN, -1);
    kept(u32::MAX, 1);
    kept(i64::MIN, -1);
    kept(u64::MAX, 1);
    kept(5.67_f32, -0.5);
    kept(5.67_f64, f64::INFINITY);
}

fn an_array_begins_with_zeros() {
    let array = RawArray::<u16>::new(1000).unwrap();
    assert_eq!((array.len(), array.is_empty()), (1000, false));
    assert_eq!(array.to_vec(), vec![0; 1000]);
}

fn an_array_of_length_0_works() {
    let array = RawArray::<f64>::new(0).unwrap();
    assert_eq!((array.len(), array.is_empty()), (0, true));
    assert_eq!(array.to_vec(), [0.0; 0]);
}

fn an_index_outside_is_a_panic() {
    let array = RawArray::<u8>::new(3).unwrap();
    let outside = |index: usize| {
        let array = array.clone();
        std::thread::spawn(move || array.get(index)).join().is_err()
    };
    assert!(!outside(2) && outside(3) && outside(usize::MAX));
}

fn more_than_there_is_memory_is_refused() {
    for length in [usize::MAX, usize::MAX / 8, isize::MAX as usize / 8, 1 << 45] {
        let error = RawArray::<u64>::new(length).unwrap_err();
        assert!(matches!(error, Error::Memory { .. }), "{error}");
        assert!(error.to_string().contains("more memory than"), "{error}");
    }
}

fn updates(counter: RawValue<u64>, sum: RawArray<f64>) {
    for _ in 0..5_000 {
        counter.update(|count| count + 1);
        sum.update(1, |sum| sum + 0.5);
    }
}

fn an_indivisible_update_is_never_lost() {
    let (counter, sum) = (RawValue::new(0).unwrap(), RawArray::new(2).unwrap());
    let children: Vec<_> = (0..4)
        .map(|_| spawn(updates, (counter.clone(), sum.clone())).unwrap())
        .collect();
    for child in children {
        child.join().unwrap();
    }
    assert_eq!(counter.get(), 20_000);
    assert_eq!(sum.to_vec().map_bits(), [0.0, 10_000.0].map_bits());
}

/// Floats that are compared by their bits, as exact numbers.
trait MapBits {
    fn map_bits(&self) -> Vec<u64>;
}

impl<A: AsRef<[f64]>> MapBits for A {
    fn map_bits(&self) -> Vec<u64> {
        self.as_ref()
            .iter()
            .map(|number| number.to_bits())
            .collect()
    }
}

const PATTERNS: [u64; 3] = [0, u64::MAX, 0x5555_5555_5555_5555];

fn writes(number: RawValue<u64>, stop: Event) {
    for pattern in PATTERNS.into_iter().cycle() {
        number.set(pattern);
        if stop.is_set() {
            return;
        }
    }
}

fn a_number_is_never_half_written() {
    let (number, stop) = (RawValue::new(0).unwrap(), Event::new().unwrap());
    let child = spawn(writes, (number.clone(), stop.clone())).unwrap();
    for _ in 0..200_000 {
        assert!(PATTERNS.contains(&number.get()));
    }
    stop.set();
    child.join().unwrap();
}

/// Waits between reading and writing, so that another one comes between.
fn reads_and_writes(counter: RawValue<u32>, read: Event, write: Event) {
    let count = counter.get();
    read.set();
    write.wait();
    counter.set(count + 1);
}

fn an_update_read_and_written_apart_can_be_lost() {
    let counter = RawValue::new(0).unwrap();
    let (read, write) = (Event::new().unwrap(), Event::new().unwrap());
    let child = spawn(
        reads_and_writes,
        (counter.clone(), read.clone(), write.clone()),
    )
    .unwrap();
    read.wait();
    counter.set(counter.get() + 1);
    write.set();
    child.join().unwrap();
    assert_eq!(counter.get(), 1);
}
