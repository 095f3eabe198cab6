//! The results of a call, gathered in the order of its inputs.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;

use crate::errors::error::{Error, Result};
use crate::errors::task_failure::TaskFailure;
use crate::pool::job::Arrived;

/// Results that have arrived.
pub(crate) struct Collection<R> {
    /// Those of the first inputs, one behind the other.
    results: Vec<R>,
    /// Pieces that arrived before their turn, by the number of the first.
    early: BTreeMap<usize, Vec<R>>,
    failures: BTreeMap<usize, TaskFailure>,
    done: usize,
}

impl<R: DeserializeOwned + 'static> Collection<R> {
    /// So many results are expected.
    pub(crate) fn new(expected: usize) -> Collection<R> {
        let mut results = Vec::new();
        // An iterator's size hint may be wrong.
        let _ = results.try_reserve_exact(expected);
        Collection {
            results,
            early: BTreeMap::new(),
            failures: BTreeMap::new(),
            done: 0,
        }
    }

    pub(crate) fn of(arrived: Vec<Arrived>) -> Collection<R> {
        let mut results = Collection::new(arrived.iter().map(|some| some.count).sum());
        for some in arrived {
            results.add(some);
        }
        results
    }

    /// Inputs of which the result, or the failure, is known.
    pub(crate) fn done(&self) -> usize {
        self.done
    }

    pub(crate) fn add(&mut self, arrived: Arrived) {
        self.done += arrived.count;
        let in_turn = arrived.first == self.results.len();
        // Where the piece begins that is being filled.
        let (mut begin, mut piece) = if in_turn {
            (0, std::mem::take(&mut self.results))
        } else {
            (arrived.first, Vec::with_capacity(arrived.count))
        };
        arrived.for_each(|index, result| match result {
            Ok(value) => piece.push(value),
            Err(failure) => {
                self.failures.insert(index, failure);
                self.keep(begin, std::mem::take(&mut piece));
                begin = index + 1;
            }
        });
        self.keep(begin, piece);
    }

    /// Keeps results that follow each other, the first of which has that number.
    fn keep(&mut self, first: usize, mut piece: Vec<R>) {
        if first != self.results.len() {
            if !piece.is_empty() {
                self.early.insert(first, piece);
            }
            return;
        }
        if self.results.is_empty() {
            self.results = piece;
        } else {
            self.results.append(&mut piece);
        }
        while let Some(mut next) = self.early.remove(&self.results.len()) {
            self.results.append(&mut next);
        }
    }

    /// Returns all results, or the failure of the first input that failed.
    pub(crate) fn all(mut self, function: &str) -> Result<Vec<R>> {
        if let Some((index, failure)) = self.failures.pop_first() {
            return Err(failed(function, index, failure));
        }
        Ok(self.results)
    }

    /// Returns the result of each input, or its failure.
    pub(crate) fn each(mut self, function: &str) -> Vec<Result<R>> {
        let mut each = Vec::with_capacity(self.done);
        each.extend(self.results.into_iter().map(Ok));
        loop {
            let index = each.len();
            if let Some(piece) = self.early.remove(&index) {
                each.extend(piece.into_iter().map(Ok));
            } else if let Some(failure) = self.failures.remove(&index) {
                each.push(Err(failed(function, index, failure)));
            } else {
                return each;
            }
        }
    }
}

/// Returns the error for an input that failed.
pub(crate) fn failed(function: &str, index: usize, failure: TaskFailure) -> Error {
    Error::Task {
        function: function.to_owned(),
        index,
        failure,
    }
}
