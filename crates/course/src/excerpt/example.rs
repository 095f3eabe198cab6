/// An example in the documentation of a Rust file, as its reader sees it.
#[derive(Debug, PartialEq)]
pub(super) struct Example<'a> {
    /// Whether it must not compile.
    pub(super) is_refused: bool,
    /// The lines with their places in the file, counted from 0.
    pub(super) lines: Vec<(usize, &'a str)>,
}

/// Gives the examples in documentation: the fenced blocks in `//!`, `///` and `/*! */`.
pub(super) fn examples(text: &str) -> Vec<Example<'_>> {
    let mut examples = Vec::new();
    let mut open: Option<Example> = None;
    let mut in_comment = false;
    for (number, line) in text.lines().enumerate() {
        let Some(said) = documentation(line, &mut in_comment) else {
            open = None;
            continue;
        };
        if let Some(info) = said.trim_start().strip_prefix("```") {
            if let Some(example) = open.take() {
                examples.push(example);
            } else {
                let mut words = info.split(|letter: char| !is_word(letter));
                open = Some(Example {
                    is_refused: words.any(|word| word == "compile_fail"),
                    lines: Vec::new(),
                });
            }
        } else if let Some(example) = &mut open {
            example.lines.extend(shown(said).map(|line| (number, line)));
        }
    }
    examples
}

/// Gives what a line says if it is documentation.
fn documentation<'a>(line: &'a str, in_comment: &mut bool) -> Option<&'a str> {
    if *in_comment {
        *in_comment = !line.contains("*/");
        return in_comment.then_some(line);
    }
    let start = line.trim_start();
    if start.starts_with("/*!") || start.starts_with("/**") {
        *in_comment = !line.contains("*/");
        return in_comment.then_some("");
    }
    let said = start
        .strip_prefix("//!")
        .or_else(|| start.strip_prefix("///"))?;
    Some(said.strip_prefix(' ').unwrap_or(said))
}

/// Gives a line of an example as the documentation shows it: not at all if it is hidden with `# `.
fn shown(line: &str) -> Option<&str> {
    let start = line.trim_start();
    if start == "#" || start.starts_with("# ") {
        return None;
    }
    // A line that begins with a mark of its own has two of them.
    Some(line.strip_prefix("##").map_or(line, |_| &line[1..]))
}

fn is_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

#[cfg(test)]
mod tests {
    use super::{Example, examples};

    #[test]
    fn examples_of_each_kind_are_found_without_their_hidden_lines() {
        let text = "\
//! Text.
//!
//! ```compile_fail,E0382
//! # fn main() {
//! let a = b;
//! #
//!
//!     indented
//! ##[derive(Debug)]
//! # }
//! ```
fn code() {}
    /// ```
    /// one
    /// ```
/*!
```rust,compile_fail
two
```
*/
/// ```
fn not_an_example() {}
";
        let example = |is_refused, lines: &[(usize, &'static str)]| Example {
            is_refused,
            lines: lines.to_vec(),
        };
        assert_eq!(
            examples(text),
            [
                example(
                    true,
                    &[
                        (4, "let a = b;"),
                        (6, ""),
                        (7, "    indented"),
                        (8, "#[derive(Debug)]")
                    ]
                ),
                example(false, &[(13, "one")]),
                example(true, &[(17, "two")]),
            ]
        );
    }
}
