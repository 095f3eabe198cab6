//! Where the README of the project shows the speeds.

use std::fs;
use std::path::Path;

use anyhow::{Context, ensure};

const BEGIN: &str = "<!-- cargo xtask bench --readme writes from here -->\n";
const END: &str = "<!-- to here -->\n";

/// The picture that the README shows.
const PICTURE: &str = "crates/multiprocess/examples/speed/speed.svg";

/// Puts the table into the README, and the picture where it finds it.
pub(crate) fn put(root: &Path, table: &str, picture: &str) -> anyhow::Result<()> {
    let path = root.join("README.md");
    let text = fs::read_to_string(&path).context("README.md cannot be read")?;
    let text = replaced(&text, table)?;
    fs::write(root.join(PICTURE), picture)
        .with_context(|| format!("{PICTURE} cannot be written"))?;
    fs::write(&path, text).context("README.md cannot be written")?;
    Ok(())
}

/// Gives the text with the table between its two marks.
fn replaced(text: &str, table: &str) -> anyhow::Result<String> {
    let parts = text.split_once(BEGIN).and_then(|(before, rest)| {
        let (_, after) = rest.split_once(END)?;
        Some((before, after))
    });
    ensure!(
        parts.is_some(),
        "README.md has no place for the table: it needs the lines {} and {}",
        BEGIN.trim(),
        END.trim()
    );
    let (before, after) = parts.unwrap_or_default();
    Ok(format!("{before}{BEGIN}\n{table}\n{END}{after}"))
}

#[cfg(test)]
mod tests {
    use super::{BEGIN, END, replaced};

    #[test]
    fn the_new_table_takes_the_place_of_the_old() {
        let text = format!("# Title\n\n{BEGIN}\nold\n\n{END}\nMore.\n");
        let new = replaced(&text, "new\n").unwrap();
        assert_eq!(new, format!("# Title\n\n{BEGIN}\nnew\n\n{END}\nMore.\n"));
    }

    #[test]
    fn a_readme_without_a_place_is_refused() {
        let error = replaced("# Title\n", "new\n").unwrap_err().to_string();
        assert!(error.contains("no place for the table"), "{error}");
        assert!(replaced(BEGIN, "new\n").is_err());
    }
}
