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
        }
    }

    pub(crate) fn of(arrived: Vec<Arrived>) -> Collection<R> {
        let mut results = Collection::new(arrived.iter().map(|some| some.count).sum());
        for some in arrived {
            results.add(some);
        }
        results
    }

    pub(crate) fn add(&mut self, arrived: Arrived) {
        // A piece that arrived before its turn, and where it begins.
        let (mut begin, mut piece) = (arrived.first, Vec::new());
        if begin != self.results.len() {
            piece.reserve(arrived.count);
        }
        arrived.for_each(|index, result| match result {
            Ok(value) if index == self.results.len() => self.results.push(value),
            Ok(value) => piece.push(value),
            Err(failure) => {
                self.failures.insert(index, failure);
                self.early.insert(begin, std::mem::take(&mut piece));
                begin = index + 1;
            }
        });
        if !piece.is_empty() {
            self.early.insert(begin, piece);
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
        let mut each: Vec<_> = self.results.into_iter().map(Ok).collect();
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
