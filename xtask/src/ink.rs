use std::sync::LazyLock;

use regex_lite::Regex;

/// What kind of code a piece of a line is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Ink {
    Other,
    Keyword,
    /// A text, or a letter, between quotation marks.
    Quoted,
    Comment,
}

/// A line of code, in pieces.
pub(crate) type Line<'a> = Vec<(Ink, &'a str)>;

/// What is told apart, in the order of the groups.
const GROUPS: [Ink; 3] = [Ink::Comment, Ink::Quoted, Ink::Keyword];

static RUST: LazyLock<Regex> = LazyLock::new(|| {
    let quoted = [
        r##"b?r#"(?s:.*?)"#"##,
        r#"b?r"[^"]*""#,
        r#"[bc]?"(?:\\(?s:.)|[^"\\])*""#,
        // One letter: `'a` alone is a lifetime.
        r"b?'(?:\\'|\\[^'\n]+|[^'\\\n])'",
    ];
    pattern(
        "//",
        &quoted,
        "as async await break const continue crate dyn else enum extern false fn for if impl in \
         let loop match mod move mut pub ref return self Self static struct super trait true type \
         unsafe use where while",
    )
});

static PYTHON: LazyLock<Regex> = LazyLock::new(|| {
    let quoted = [
        r#""""(?s:.*?)""""#,
        r"'''(?s:.*?)'''",
        r#""(?:\\.|[^"\\\n])*""#,
        r"'(?:\\.|[^'\\\n])*'",
    ];
    pattern(
        "#",
        &quoted,
        "and as assert async await break class continue def del elif else except False finally for \
         from global if import in is lambda None nonlocal not or pass raise return True try while \
         with yield",
    )
});

/// Makes a pattern of what begins a comment, of the forms of quotation, and of the keywords.
fn pattern(comment: &str, quoted: &[&str], keywords: &str) -> Regex {
    let quoted = quoted.join("|");
    let keywords = keywords.split_whitespace().collect::<Vec<_>>().join("|");
    let whole = format!(r"({comment}[^\n]*)|({quoted})|(\b(?:{keywords})\b)");
    Regex::new(&whole).expect("the pattern is correct")
}

/// Takes code apart into lines and pieces. Of a language that is not known each line is one piece.
pub(crate) fn lines<'a>(language: &str, code: &'a str) -> Vec<Line<'a>> {
    let pattern = match language {
        "rust" => &RUST,
        "python" => &PYTHON,
        _ => return code.lines().map(|line| vec![(Ink::Other, line)]).collect(),
    };
    let mut pieces = Pieces::default();
    let mut place = 0;
    for captures in pattern.captures_iter(code) {
        let found = (1..).zip(GROUPS);
        let found = found.filter_map(|(group, ink)| Some((ink, captures.get(group)?)));
        for (ink, piece) in found {
            pieces.add(Ink::Other, &code[place..piece.start()]);
            pieces.add(ink, piece.as_str());
            place = piece.end();
        }
    }
    pieces.add(Ink::Other, code[place..].trim_end_matches('\n'));
    pieces.lines.push(pieces.last);
    pieces.lines
}

#[derive(Default)]
struct Pieces<'a> {
    lines: Vec<Line<'a>>,
    last: Line<'a>,
}

impl<'a> Pieces<'a> {
    fn add(&mut self, ink: Ink, text: &'a str) {
        for (count, part) in text.split('\n').enumerate() {
            if count > 0 {
                self.lines.push(std::mem::take(&mut self.last));
            }
            if !part.is_empty() {
                self.last.push((ink, part));
            }
        }
    }
}

/// Divides a line so that each part has at most `width` letters, and the parts after the first at
/// most `rest`: behind a space if there is one, and else anywhere.
pub(crate) fn divided(line: Line, width: usize, rest: usize) -> Vec<Line> {
    let mut parts = Vec::new();
    let mut remaining = line;
    let mut room = width.max(1);
    loop {
        let text: String = remaining.iter().map(|(_, piece)| *piece).collect();
        if text.chars().count() <= room {
            parts.push(remaining);
            return parts;
        }
        let end = text
            .char_indices()
            .nth(room)
            .map_or(text.len(), |(at, _)| at);
        let indent = text.len() - text.trim_start().len();
        let space = text[..end].rfind(' ').map(|at| at + 1);
        let at = space.filter(|at| *at > indent).unwrap_or(end);
        let (part, after) = split(remaining, at);
        parts.push(part);
        remaining = after;
        room = rest.max(1);
    }
}

/// Splits a line at a place that is counted in bytes.
fn split(line: Line, at: usize) -> (Line, Line) {
    let (mut before, mut after) = (Vec::new(), Vec::new());
    let mut place = 0;
    for (ink, piece) in line {
        let (one, other) = piece.split_at(at.saturating_sub(place).min(piece.len()));
        place += piece.len();
        before.extend(Some((ink, one)).filter(|_| !one.is_empty()));
        after.extend(Some((ink, other)).filter(|_| !other.is_empty()));
    }
    (before, after)
}

#[cfg(test)]
mod tests {
    use super::{Ink, divided, lines};

    /// Marks the pieces: `*keyword*`, `"quoted"` as `<quoted>`, comments as `{comment}`.
    fn marked(language: &str, code: &str) -> String {
        let lines = lines(language, code).into_iter().map(|line| {
            let pieces = line.into_iter().map(|(ink, piece)| match ink {
                Ink::Other => piece.to_owned(),
                Ink::Keyword => format!("*{piece}*"),
                Ink::Quoted => format!("<{piece}>"),
                Ink::Comment => format!("{{{piece}}}"),
            });
            pieces.collect::<String>()
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn rust_is_told_apart() {
        let told_apart = [
            (
                "let n = fnord(\"if\"); // let it be\n",
                "*let* n = fnord(<\"if\">); {// let it be}",
            ),
            (
                "println!(\"a \\\"b\\\" // c\")",
                "println!(<\"a \\\"b\\\" // c\">)",
            ),
            (
                "if c == '\"' || c == '\\''",
                "*if* c == <'\"'> || c == <'\\''>",
            ),
            ("impl<'a> Cell<'a, '_>", "*impl*<'a> Cell<'a, '_>"),
            ("r#\"raw \" text\"#;", "<r#\"raw \" text\"#>;"),
            (
                "\"one\ntwo\"; self.type_of()",
                "<\"one>\n<two\">; *self*.type_of()",
            ),
        ];
        for (code, expected) in told_apart {
            assert_eq!(marked("rust", code), expected);
        }
    }

    #[test]
    fn python_is_told_apart() {
        let told_apart = [
            (
                "for n in names:  # if any",
                "*for* n *in* names:  {# if any}",
            ),
            (
                "print(f\"{n} # not\", 'it\\'s')",
                "print(f<\"{n} # not\">, <'it\\'s'>)",
            ),
            (
                "\"\"\"Doc of\n'two' lines.\"\"\"\npass",
                "<\"\"\"Doc of>\n<'two' lines.\"\"\">\n*pass*",
            ),
            ("importer = None_", "importer = None_"),
        ];
        for (code, expected) in told_apart {
            assert_eq!(marked("python", code), expected);
        }
    }

    #[test]
    fn no_letter_is_lost_in_any_language() {
        let code = "fn a() {\n\n    \"x\";\n}\n";
        for language in ["rust", "python", "toml", ""] {
            let lines = lines(language, code).into_iter();
            let text = lines.map(|line| line.iter().map(|(_, piece)| *piece).collect::<String>());
            assert_eq!(
                text.collect::<Vec<_>>(),
                code.lines().collect::<Vec<_>>(),
                "{language}"
            );
        }
    }

    #[test]
    fn a_long_line_is_divided_behind_a_space_or_else_anywhere() {
        let parts = |line, width, rest| {
            let parts = divided(lines("rust", line).remove(0), width, rest).into_iter();
            let text = parts.map(|part| part.iter().map(|(_, piece)| *piece).collect::<String>());
            text.collect::<Vec<_>>()
        };
        assert_eq!(parts("let a = 1;", 10, 10), ["let a = 1;"]);
        assert_eq!(parts("let abc = 12;", 10, 4), ["let abc = ", "12;"]);
        assert_eq!(parts("    abcdefgh", 6, 4), ["    ab", "cdef", "gh"]);
        assert_eq!(parts("ääää", 2, 2), ["ää", "ää"]);
    }

    #[test]
    fn the_parts_of_a_line_keep_their_kind() {
        let line = lines("rust", "let a = \"one two\";").remove(0);
        let expected = [
            vec![
                (Ink::Keyword, "let"),
                (Ink::Other, " a = "),
                (Ink::Quoted, "\"one "),
            ],
            vec![(Ink::Quoted, "two\""), (Ink::Other, ";")],
        ];
        assert_eq!(divided(line, 14, 14), expected);
    }
}
