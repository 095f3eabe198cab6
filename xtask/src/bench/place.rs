//! Where the README of the project shows the speeds.

use std::fs;
use std::path::Path;

use anyhow::{Context, ensure};

use crate::sync::{clear_draft, replace};

const BEGIN: &str = "<!-- cargo xtask bench --readme writes from here -->\n";
const END: &str = "<!-- to here -->\n";

const README: &str = "README.md";

/// The picture that the README shows.
const PICTURE: &str = "crates/multiprocess/examples/speed/speed.svg";

/// Fails if the README has no place for the table.
pub(crate) fn look(root: &Path) -> anyhow::Result<()> {
    replaced(&read(root)?, "").map(drop)
}

/// Puts the table into the README, and the picture where it finds it.
pub(crate) fn put(root: &Path, table: &str, picture: &str) -> anyhow::Result<()> {
    let text = replaced(&read(root)?, table)?;
    for (name, text) in [(PICTURE, picture), (README, &text)] {
        let path = root.join(name);
        clear_draft(&path)
            .and_then(|()| replace(&path, text))
            .with_context(|| format!("{name} cannot be written"))?;
    }
    Ok(())
}

fn read(root: &Path) -> anyhow::Result<String> {
    fs::read_to_string(root.join(README)).with_context(|| format!("{README} cannot be read"))
}

/// Gives the text with the table between its two marks.
fn replaced(text: &str, table: &str) -> anyhow::Result<String> {
    let parts = text.split_once(BEGIN).and_then(|(before, rest)| {
        let (_, after) = rest.split_once(END)?;
        Some((before, after))
    });
    ensure!(
        parts.is_some(),
        "{README} has no place for the table: it needs the lines {} and {}",
        BEGIN.trim(),
        END.trim()
    );
    let (before, after) = parts.unwrap_or_default();
    Ok(format!("{before}{BEGIN}\n{table}\n{END}{after}"))
}

#[cfg(test)]
mod tests {
    use super::{BEGIN, END, PICTURE, README, look, put, replaced};
    use std::fs;

    #[test]
    fn table_and_picture_are_replaced_and_nothing_else_is_left() {
        let root = tempfile::tempdir().unwrap();
        let readme = root.path().join(README);
        let picture = root.path().join(PICTURE);
        let folder = picture.parent().unwrap();
        fs::create_dir_all(folder).unwrap();
        fs::write(&readme, format!("# Title\n\n{BEGIN}{END}")).unwrap();
        fs::write(&picture, "old").unwrap();
        look(root.path()).unwrap();
        put(root.path(), "table\n", "new").unwrap();
        assert!(fs::read_to_string(&readme).unwrap().contains("\ntable\n"));
        assert_eq!(fs::read_to_string(&picture).unwrap(), "new");
        assert_eq!(fs::read_dir(folder).unwrap().count(), 1);
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 2);
    }

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
