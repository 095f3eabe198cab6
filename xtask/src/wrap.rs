//! Text wrapping.

use textwrap::{Options, WordSplitter};

/// A space at which a line isn't broken.
pub(crate) const UNBREAKABLE: &str = "\u{a0}";

/// Wraps a text. Never breaks words at a hyphen, which is often part of a name.
pub(crate) fn wrap(text: &str, options: Options) -> Vec<String> {
    let options = options.word_splitter(WordSplitter::NoHyphenation);
    let lines = textwrap::wrap(text, options).into_iter();
    let lines = lines.map(|line| line.replace(UNBREAKABLE, " "));
    lines.map(|line| line.trim_end().to_owned()).collect()
}
