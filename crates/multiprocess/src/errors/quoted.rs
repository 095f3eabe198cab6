//! Text from users in the messages of this crate: escaped, so that it cannot look like part of the message; names are
//! shortened.

use std::fmt::{self, Write};

/// A name, on one line, shortened.
pub(crate) struct Name<'a>(pub(crate) &'a str);

/// A process, by its name and id.
pub(crate) struct Process<'a>(pub(crate) &'a str, pub(crate) u32);

/// A message on one line, which may hold names, shortened.
#[cfg_attr(
    not(feature = "print"),
    allow(dead_code, reason = "only the printer shows them")
)]
pub(crate) struct Line<'a>(pub(crate) &'a str);

/// A message that may have several lines, such as that of a panic, whole.
pub(crate) struct Words<'a>(pub(crate) &'a str);

/// The most bytes that are shown, before escaping.
const NAME: usize = 128;

impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        show(self.0, NAME, &[], f)
    }
}

impl fmt::Display for Process<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "process '{}' (pid {})", Name(self.0), self.1)
    }
}

impl fmt::Display for Words<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        show(self.0, self.0.len(), &['\n', '\t'], f)
    }
}

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        show(self.0, 32 * NAME, &[], f)
    }
}

fn show(text: &str, max: usize, unescaped: &[char], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let end = text.floor_char_boundary(max);
    for character in text[..end].chars() {
        // Text that was escaped before, and is part of a longer text, is not escaped again.
        if unescaped.contains(&character) || ['\'', '"', '\\'].contains(&character) {
            f.write_char(character)?;
        } else {
            write!(f, "{}", character.escape_debug())?;
        }
    }
    if end < text.len() {
        write!(f, "… ({} bytes)", text.len())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Line, Name, Words};

    #[test]
    fn printable_text_is_not_escaped() {
        for text in ["", "worker 1", "it's \"so\" \\ simple", "Ωμέγα 🦀"] {
            assert_eq!(Name(text).to_string(), text);
            assert_eq!(Words(text).to_string(), text);
        }
        assert_eq!(
            Words("left: 1\n\tright: 2").to_string(),
            "left: 1\n\tright: 2"
        );
    }

    #[test]
    fn unprintable_characters_are_escaped_once() {
        let name = Name("a\0b\n\x1b[31m\u{202e}").to_string();
        assert_eq!(name, "a\\0b\\n\\u{1b}[31m\\u{202e}");
        assert_eq!(Words(&name).to_string(), name);
        assert_eq!(Words("\r\x1b[2J").to_string(), "\\r\\u{1b}[2J");
    }

    #[test]
    fn long_names_are_shortened_between_characters_and_messages_are_whole() {
        let name = Name(&"é".repeat(1000)).to_string();
        assert_eq!(name, format!("{}… (2000 bytes)", "é".repeat(64)));
        assert!(Line(&"x".repeat(3 << 20)).to_string().len() < 5000);
        assert_eq!(Words(&"x".repeat(3 << 20)).to_string().len(), 3 << 20);
    }
}
