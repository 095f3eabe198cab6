//! Large values that are sent to other processes, and the cost of copying them.

use std::hint::black_box;
use std::mem;

use anyhow::ensure;
use multiprocess::{Array, Pool};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::measure::{Samples, pipe, repeated, thrice};

const MIB: usize = 1 << 20;

/// Sends a vector of this many MiB to a child, which sends it back; the same vector makes every round trip.
pub(crate) fn vector<T>(mib: u32) -> Samples
where
    T: From<u8> + Copy + Send + Sync + Serialize + DeserializeOwned + 'static,
{
    let length = mib as usize * MIB / size_of::<T>();
    let mut vector = vec![T::from(1); length];
    pipe::to_child(|trip| {
        repeated(100 / mib, || {
            vector = trip(mem::take(&mut vector))?;
            ensure!(vector.len() == length, "another length came back");
            Ok(())
        })
    })
}

/// Sends only a handle: the array itself isn't copied.
pub(crate) fn buffer() -> Samples {
    let array = Array::<u8>::new(100 * MIB)?;
    pipe::to_child(|trip| repeated(500, || trip(array.clone())))
}

/// Copies this many MiB into an existing vector, and into new ones, whose pages are fresh.
pub(crate) fn copies(mib: u32, old: u32, new: u32) -> Samples {
    let source = vec![1_u8; mib as usize * MIB];
    let mut target = source.clone();
    repeated(100 / mib, || {
        for _ in 0..old {
            black_box(&mut target).copy_from_slice(black_box(&source));
        }
        for _ in 0..new {
            drop(black_box(black_box(&source).clone()));
        }
        Ok(())
    })
}

pub(crate) fn length(bytes: Vec<u8>) -> usize {
    bytes.len()
}

pub(crate) fn pool() -> Samples {
    let pool = Pool::builder().build()?;
    // `map` consumes its inputs: one set for the warm-up, and one for each sample.
    let mut sets = vec![vec![vec![1_u8; MIB]; 64]; 4];
    thrice(64, || {
        let lengths = pool.map(length, sets.pop().unwrap_or_default())?;
        assert_eq!(lengths, [MIB; 64]);
        Ok(())
    })
}

/// Copies 64 MiB out of an array in shared memory, or into it.
pub(crate) fn array(copy: fn(&mut [u8], &mut [u8])) -> Samples {
    let (array, mut vector) = (Array::<u8>::new(64 * MIB)?, vec![1_u8; 64 * MIB]);
    array.lock()?.fill(2);
    repeated(1, || {
        copy(&mut array.lock()?, black_box(&mut vector));
        Ok(())
    })
}
