//! The results of a call, gathered in the order of its inputs.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;

use crate::error::{Error, Result};
use crate::pool::batch::Outcome;
use crate::pool::call::{Arrived, Parcel};
use crate::pool::failure::TaskFailure;

/// Results that have arrived, in pieces that follow each other.
pub(crate) struct Collection<R> {
    pieces: Vec<(usize, Vec<R>)>,
    failures: BTreeMap<usize, TaskFailure>,
    done: usize,
}

impl<R: DeserializeOwned> Collection<R> {
    pub(crate) fn new() -> Collection<R> {
        Collection {
            pieces: Vec::new(),
            failures: BTreeMap::new(),
            done: 0,
        }
    }

    /// Inputs of which the result, or the failure, is known.
    pub(crate) fn done(&self) -> usize {
        self.done
    }

    pub(crate) fn add(&mut self, arrived: Arrived) {
        self.done += arrived.count();
        match arrived {
            Arrived::Results {
                first,
                count,
                bytes,
                ..
            } => {
                let mut piece = Vec::with_capacity(count);
                let mut piece_first = first;
                for_each_result(bytes, first, count, |index, result| match result {
                    Ok(value) => piece.push(value),
                    Err(failure) => {
                        self.failures.insert(index, failure);
                        self.pieces.push((piece_first, std::mem::take(&mut piece)));
                        piece_first = index + 1;
                    }
                });
                self.pieces.push((piece_first, piece));
            }
            Arrived::Failed {
                first,
                count,
                failure,
            } => {
                self.failures
                    .extend((first..first + count).map(|index| (index, failure.clone())));
            }
        }
    }

    /// All results, or the failure of the first input that failed.
    pub(crate) fn all(mut self, function: &str) -> Result<Vec<R>> {
        if let Some((index, failure)) = self.failures.pop_first() {
            return Err(Error::Task {
                function: function.to_owned(),
                index,
                failure,
            });
        }
        self.pieces.sort_unstable_by_key(|&(first, _)| first);
        let mut pieces = self.pieces.into_iter().map(|(_, piece)| piece);
        let mut results = pieces.next().unwrap_or_default();
        results.reserve_exact(self.done - results.len());
        for mut piece in pieces {
            results.append(&mut piece);
        }
        Ok(results)
    }

    /// The result of each input, or its failure.
    pub(crate) fn each(self, function: &str) -> Vec<Result<R>> {
        let values = self
            .pieces
            .into_iter()
            .flat_map(|(first, piece)| (first..).zip(piece.into_iter().map(Ok)));
        let failures = self.failures.into_iter().map(|(index, failure)| {
            (
                index,
                Err(Error::Task {
                    function: function.to_owned(),
                    index,
                    failure,
                }),
            )
        });
        let mut all: Vec<_> = values.chain(failures).collect();
        all.sort_unstable_by_key(|&(index, _)| index);
        all.into_iter().map(|(_, result)| result).collect()
    }
}

/// Reads the results of a batch.
pub(crate) fn for_each_result<R: DeserializeOwned>(
    mut message: Parcel,
    first: usize,
    count: usize,
    mut each: impl FnMut(usize, Result<R, TaskFailure>),
) {
    let mut results = message.open();
    for index in first..first + count {
        each(
            index,
            match results.next() {
                Outcome::Value(value) => Ok(value),
                Outcome::Panicked { message, location } => {
                    Err(TaskFailure::Panicked { message, location })
                }
                Outcome::UnsendableResult(reason) => Err(TaskFailure::UnsendableResult { reason }),
                Outcome::UnreadableInput(reason) => Err(TaskFailure::UnreadableInput { reason }),
                Outcome::UnreadableResult(reason) => Err(TaskFailure::UnreadableResult { reason }),
            },
        );
    }
}
