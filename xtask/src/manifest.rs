use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, anyhow};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A `Cargo.toml` that knows on which line each thing stands.
pub(crate) struct Manifest {
    top: Table,
}

pub(crate) type Table = BTreeMap<String, Value>;

/// A value, and the line on which it begins, counted from 1.
pub(crate) struct Value {
    line: usize,
    kind: Kind,
}

enum Kind {
    Text(String),
    Flag(bool),
    List(Vec<Value>),
    Table(Table),
    /// What no rule asks for: a date, a number.
    Other,
}

impl Manifest {
    /// Reads and parses a file; an error names the file and, where it can, the line.
    pub(crate) fn read(path: &Path) -> anyhow::Result<Self> {
        let text = fs::read_to_string(path)
            .with_context(|| format!("{} cannot be read", path.display()))?;
        Self::parse(&text).with_context(|| format!("{} cannot be understood", path.display()))
    }

    /// Parses the text of a manifest.
    pub(crate) fn parse(text: &str) -> anyhow::Result<Self> {
        let table = DeTable::parse(text).map_err(|error| {
            let line = error.span().map_or(1, |span| line_at(text, span.start));
            anyhow!("line {line}: {}", error.message())
        })?;
        Ok(Self {
            top: table_of(text, table.get_ref()),
        })
    }

    /// Gives the table of everything.
    pub(crate) fn top(&self) -> &Table {
        &self.top
    }

    /// Gives the value at a path of keys, such as `["package", "name"]`.
    pub(crate) fn get(&self, keys: &[&str]) -> Option<&Value> {
        let (last, tables) = keys.split_last()?;
        let mut table = &self.top;
        for key in tables {
            table = table.get(*key)?.table()?;
        }
        table.get(*last)
    }

    /// Gives the text at a path of keys.
    pub(crate) fn text(&self, keys: &[&str]) -> Option<&str> {
        self.get(keys)?.text()
    }

    /// Gives the line on which the value at a path of keys begins, or else its nearest table that is
    /// there, or else 1.
    pub(crate) fn line(&self, keys: &[&str]) -> usize {
        (1..=keys.len())
            .rev()
            .find_map(|depth| self.get(&keys[..depth]))
            .map_or(1, |value| value.line)
    }
}

impl Value {
    pub(crate) fn line(&self) -> usize {
        self.line
    }

    pub(crate) fn text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn is_true(&self) -> bool {
        matches!(self.kind, Kind::Flag(true))
    }

    /// Gives the values of a list, or none.
    pub(crate) fn list(&self) -> &[Value] {
        match &self.kind {
            Kind::List(values) => values,
            _ => &[],
        }
    }

    pub(crate) fn table(&self) -> Option<&Table> {
        match &self.kind {
            Kind::Table(table) => Some(table),
            _ => None,
        }
    }

    fn of(text: &str, value: &Spanned<DeValue>) -> Self {
        let kind = match value.get_ref() {
            DeValue::String(text) => Kind::Text(text.to_string()),
            DeValue::Boolean(flag) => Kind::Flag(*flag),
            DeValue::Array(values) => {
                Kind::List(values.iter().map(|value| Self::of(text, value)).collect())
            }
            DeValue::Table(table) => Kind::Table(table_of(text, table)),
            DeValue::Integer(_) | DeValue::Float(_) | DeValue::Datetime(_) => Kind::Other,
        };
        let line = line_at(text, value.span().start);
        Self { line, kind }
    }
}

fn table_of(text: &str, table: &DeTable) -> Table {
    let entries = table.iter();
    entries
        .map(|(key, value)| (key.get_ref().to_string(), Value::of(text, value)))
        .collect()
}

fn line_at(text: &str, place: usize) -> usize {
    1 + text[..place].matches('\n').count()
}

#[cfg(test)]
mod tests {
    use super::Manifest;

    #[test]
    fn values_are_found_with_their_lines() {
        let text = "[package]\nname = \"pool\"\n\n[package.metadata.lesson]\nnumber = 5\n";
        let manifest = Manifest::parse(text).unwrap();
        assert_eq!(manifest.text(&["package", "name"]), Some("pool"));
        let number = ["package", "metadata", "lesson", "number"];
        assert_eq!(manifest.line(&number), 5);
        assert_eq!(
            manifest.line(&["package", "metadata", "lesson", "minutes"]),
            4
        );
    }

    #[test]
    fn a_mistake_is_told_with_its_line() {
        let error = Manifest::parse("[package]\nname = \n").err().unwrap();
        assert!(error.to_string().starts_with("line 2: "), "{error}");
    }
}
