//! Lines of text that fit into a width.

use textwrap::{Options, WordSplitter};

/// Stands for a space at which a line is not broken.
pub(crate) const UNBREAKABLE: &str = "\u{a0}";

/// Wraps a text. Words are never divided at a hyphen: in this course it often stands in a name.
/// Code is divided, and words too, only if `options` let long words be broken.
pub(crate) fn wrap(text: &str, options: Options) -> Vec<String> {
    let options = options.word_splitter(WordSplitter::NoHyphenation);
    let space = if options.break_words {
        " "
    } else {
        UNBREAKABLE
    };
    let text = text.replace(UNBREAKABLE, space);
    let lines = textwrap::wrap(&text, options).into_iter();
    let lines = lines.map(|line| line.replace(UNBREAKABLE, " "));
    lines.map(|line| line.trim_end().to_owned()).collect()
}
