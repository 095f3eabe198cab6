//! The table and the picture in the README of the project.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

const BEGIN: &str = "<!-- cargo xtask bench --readme writes from here -->\n";
const END: &str = "<!-- to here -->\n";

fn file(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Fails if the README has no place for the table.
pub(crate) fn check() -> Result<()> {
    replaced("").map(drop)
}

pub(crate) fn write(table: &str, picture: &str) -> Result<()> {
    let readme = replaced(table)?;
    fs::write(file("speed.svg"), picture).context("the picture cannot be written")?;
    fs::write(file("../../README.md"), readme).context("README.md cannot be written")
}

fn replaced(table: &str) -> Result<String> {
    let readme = fs::read_to_string(file("../../README.md")).context("README.md cannot be read")?;
    with_table(&readme, table).with_context(|| {
        let (begin, end) = (BEGIN.trim(), END.trim());
        format!("README.md has no place for the table: it needs the lines {begin} and {end}")
    })
}

/// Returns the text with the table between the two comments, if it has them.
fn with_table(text: &str, table: &str) -> Option<String> {
    let (before, rest) = text.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}\n{table}\n{END}{after}"))
}

#[cfg(test)]
mod tests {
    use super::{BEGIN, END, check, with_table};

    #[test]
    fn the_new_table_replaces_the_old() {
        check().unwrap();
        let text = format!("# Title\n\n{BEGIN}\nold\n\n{END}\nMore.\n");
        let new = format!("# Title\n\n{BEGIN}\nnew\n\n{END}\nMore.\n");
        assert_eq!(with_table(&text, "new\n"), Some(new));
        assert_eq!(with_table(BEGIN, "new\n"), None);
    }
}
