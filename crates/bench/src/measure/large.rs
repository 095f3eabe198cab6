//! Large blocks of memory, on their way to other processes, and what copying them costs.

use std::hint::black_box;

use anyhow::Result;
use multiprocess::{Array, Pool};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::measure::{pipe, repeated, thrice};

const MIB: usize = 1 << 20;
const ARRAY: usize = 64 * MIB;

/// How often so much is moved for one sample.
fn times(mib: usize) -> u32 {
    u32::try_from(100 / mib).unwrap_or(1)
}

/// The child sends back the vector of so many MiB that it received, and this process sends that one again.
pub(crate) fn vector<T, const SIZE: usize>() -> Result<Vec<f64>>
where
    T: From<u8> + Copy + Send + Sync + Serialize + DeserializeOwned + 'static,
{
    let mut vector = vec![T::from(1); SIZE * MIB / size_of::<T>()];
    pipe::to_child(|trip| {
        repeated(times(SIZE), || {
            vector = trip(std::mem::take(&mut vector))?;
            assert_eq!(vector.len(), SIZE * MIB / size_of::<T>());
            Ok(())
        })
    })
}

/// The child sends back the array of 100 MiB that it received, and this process sends that one again: the array itself
/// stays where it is.
pub(crate) fn buffer() -> Result<Vec<f64>> {
    let mut array = Array::<u8>::new(100 * MIB)?;
    pipe::to_child(|trip| {
        repeated(500, || {
            array = trip(array.clone())?;
            Ok(())
        })
    })
}

/// Copies so many MiB into a vector that is there, and into new ones, whose pages are new, too.
pub(crate) fn copies<const SIZE: usize, const OLD: u32, const NEW: u32>() -> Result<Vec<f64>> {
    let source = vec![1_u8; SIZE * MIB];
    let mut target = source.clone();
    repeated(times(SIZE), || {
        for _ in 0..OLD {
            black_box(&mut target).copy_from_slice(black_box(&source));
        }
        for _ in 0..NEW {
            drop(black_box(black_box(&source).clone()));
        }
        Ok(())
    })
}

pub(crate) fn length(bytes: Vec<u8>) -> usize {
    bytes.len()
}

pub(crate) fn pool() -> Result<Vec<f64>> {
    let pool = Pool::builder().build()?;
    // The map consumes its inputs: a set for each sample, and one to warm up.
    let mut sets = vec![vec![vec![1_u8; MIB]; 64]; 4];
    thrice(64, || {
        let lengths = pool.map(length, sets.pop().unwrap_or_default())?;
        assert_eq!(lengths, [MIB; 64]);
        Ok(())
    })
}

pub(crate) fn array_read() -> Result<Vec<f64>> {
    let array = Array::<u8>::new(ARRAY)?;
    array.lock()?.fill(1);
    let mut target = vec![2_u8; ARRAY];
    repeated(1, || {
        black_box(&mut target).copy_from_slice(&array.lock()?);
        Ok(())
    })
}

pub(crate) fn array_write() -> Result<Vec<f64>> {
    let array = Array::<u8>::new(ARRAY)?;
    let source = vec![1_u8; ARRAY];
    repeated(1, || {
        array.lock()?.copy_from_slice(black_box(&source));
        Ok(())
    })
}
