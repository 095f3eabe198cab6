use std::fs;
use std::io;
use std::path::Path;

use anyhow::Context;

use course::document::{Block, Document, Section};

/// The words with which the whole course begins and ends: `lessons/README.md`, its sections
/// `Welcome` and `Farewell`. A course without that file has neither.
#[derive(Debug, Default)]
pub(crate) struct Frame {
    pub(crate) title: String,
    pub(crate) welcome: Vec<Block>,
    pub(crate) farewell: Vec<Block>,
}

impl Frame {
    /// Reads the frame of the course in the checkout `root`.
    pub(crate) fn read(root: &Path) -> anyhow::Result<Self> {
        let path = root.join("lessons").join("README.md");
        match fs::read_to_string(&path) {
            Ok(text) => Ok(Self::parse(&text)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(error).with_context(|| format!("{} cannot be read", path.display())),
        }
    }

    fn parse(text: &str) -> Self {
        let readme = Document::parse(text);
        let mut frame = Self {
            title: readme.title,
            ..Self::default()
        };
        for Section {
            heading, blocks, ..
        } in readme.sections
        {
            match heading.as_str() {
                "Welcome" => frame.welcome = blocks,
                "Farewell" => frame.farewell = blocks,
                _ => {}
            }
        }
        frame
    }
}

#[cfg(test)]
mod tests {
    use super::Frame;
    use course::document::Block;
    use std::path::Path;

    #[test]
    fn this_course_has_words_to_begin_and_to_end_with() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let frame = Frame::read(&root).unwrap();
        assert!(!frame.title.is_empty());
        for words in [&frame.welcome, &frame.farewell] {
            assert!(matches!(words.first(), Some(Block::Prose(_))), "{frame:?}");
        }
    }

    #[test]
    fn a_course_without_such_words_has_none() {
        let root = tempfile::tempdir().unwrap();
        let frame = Frame::read(root.path()).unwrap();
        assert!(frame.welcome.is_empty() && frame.farewell.is_empty());
    }

    #[test]
    fn other_sections_are_not_played() {
        let frame = Frame::parse("# T\n\nno\n\n## Welcome\n\nyes\n\n## Notes\n\nno\n");
        assert!(matches!(frame.welcome.as_slice(), [Block::Prose(text)] if text.trim() == "yes"));
        assert!(frame.farewell.is_empty());
    }
}
