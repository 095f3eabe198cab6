//! Text from users in the messages of this crate: escaped, so that it can't look like part of the message; names are
//! shortened.

use std::fmt::{self, Write};

/// A name, on one line, shortened.
pub(crate) struct Name<'a>(pub(crate) &'a str);

pub(crate) struct Process<'a>(pub(crate) &'a str, pub(crate) u32);

/// A message on one line, which may contain names, shortened.
pub(crate) struct Line<'a>(pub(crate) &'a str);

/// A message that may have several lines, such as that of a panic, whole.
pub(crate) struct Words<'a>(pub(crate) &'a str);

/// The maximum number of bytes of a name that are shown, before escaping.
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

/// Returns the name of a type as one writes it: `Vec<String>` for `alloc::vec::Vec<alloc::string::String>`.
pub(crate) fn without_paths(type_name: &str) -> String {
    let is_in_path = |it: char| it.is_alphanumeric() || it == '_' || it == ':';
    let paths = type_name.split_inclusive(|it| !is_in_path(it));
    paths.filter_map(|path| path.rsplit("::").next()).collect()
}

fn show(text: &str, max: usize, unescaped: &[char], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let end = text.floor_char_boundary(max);
    for character in text[..end].chars() {
        // Not escaped again if it is part of a longer text that was escaped before.
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
    use super::without_paths;

    #[test]
    fn types_are_named_as_one_writes_them() {
        let name = "a Queue<(alloc::string::String, [core::option::Option<&str>; 2])>";
        let short = "a Queue<(String, [Option<&str>; 2])>";
        assert_eq!(without_paths(name), short);
    }
}
