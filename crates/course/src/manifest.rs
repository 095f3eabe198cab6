use std::path::Path;

use anyhow::{Context, anyhow};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::source::text_of;

/// Returns whether a folder is a workspace of its own, such as a learner's copy of a lesson.
pub fn stands_alone(folder: &Path) -> bool {
    let found = read(&folder.join("Cargo.toml"), |manifest| {
        Ok(manifest.get(&["workspace"]).is_some())
    });
    found.unwrap_or(false)
}

/// Reads a `Cargo.toml`, and returns what `take` takes from it. An error names the file and, if it can,
/// the line.
pub(crate) fn read<T>(
    path: &Path,
    take: impl FnOnce(&Manifest) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let text = text_of(path)?;
    let manifest = DeTable::parse(&text).map_err(|error| {
        let line = error.span().map_or(1, |span| line_at(&text, span.start));
        anyhow!("line {line}: {}", error.message())
    });
    let taken = manifest.and_then(|top| {
        take(&Manifest {
            text: &text,
            top: top.into_inner(),
        })
    });
    taken.with_context(|| format!("{} cannot be used", path.display()))
}

/// A `Cargo.toml`, which knows on which line a value is.
pub(crate) struct Manifest<'a> {
    text: &'a str,
    top: DeTable<'a>,
}

impl<'a> Manifest<'a> {
    /// Returns the value at a path of keys, such as `["package", "name"]`.
    fn get(&self, keys: &[&str]) -> Option<&Spanned<DeValue<'a>>> {
        let (first, rest) = keys.split_first()?;
        let mut rest = rest.iter();
        rest.try_fold(self.top.get(*first)?, |value, key| {
            value.get_ref().get(*key)
        })
    }

    /// Returns the text at a path of keys.
    pub(crate) fn text(&self, keys: &[&str]) -> Option<&str> {
        self.get(keys)?.get_ref().as_str()
    }

    /// Returns the whole number at a path of keys.
    pub(crate) fn number(&self, keys: &[&str]) -> Option<u32> {
        let number = self.get(keys)?.get_ref().as_integer()?;
        number.as_str().parse().ok()
    }

    /// Returns the line of the value at a path of keys, or 1.
    pub(crate) fn line(&self, keys: &[&str]) -> usize {
        let value = self.get(keys);
        value.map_or(1, |value| line_at(self.text, value.span().start))
    }
}

fn line_at(text: &str, place: usize) -> usize {
    1 + text[..place].matches('\n').count()
}
