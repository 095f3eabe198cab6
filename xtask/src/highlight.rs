//! Syntax highlighting of keywords, strings and comments.

use regex_lite::{Captures, Regex};

use crate::style::{BOLD, FAINT, MAGENTA, Style};

/// Group 1 is a comment, group 2 a string or a character (`'a` alone is a lifetime), the rest keywords.
const RUST: &str = r#"(?x)
    (//[^\n]*)
    | (b?r\#"(?s:.*?)"\# | b?r"[^"]*" | [bc]?"(?:\\(?s:.)|[^"\\])*" | b?'(?:\\'|\\[^'\n]+|[^'\\\n])')
    | \b(?:as|async|await|break|const|continue|crate|dyn|else|enum|extern|false|fn|for|if|impl|in|let
    |loop|match|mod|move|mut|pub|ref|return|self|Self|static|struct|super|trait|true|type|unsafe|use
    |where|while)\b"#;

const PYTHON: &str = r#"(?x)
    (\#[^\n]*)
    | ("""(?s:.*?)""" | '''(?s:.*?)''' | "(?:\\.|[^"\\\n])*" | '(?:\\.|[^'\\\n])*')
    | \b(?:and|as|assert|async|await|break|class|continue|def|del|elif|else|except|False|finally|for
    |from|global|if|import|in|is|lambda|None|nonlocal|not|or|pass|raise|return|True|try|while|with
    |yield)\b"#;

/// Returns highlighted code. Each word has its own style, so that a long line can be wrapped anywhere.
pub(crate) fn painted(language: &str, code: &str, style: Style) -> String {
    let pattern = match language {
        "rust" => RUST,
        "python" => PYTHON,
        _ => return code.to_owned(),
    };
    let pattern = Regex::new(pattern).expect("the pattern is correct");
    let paint = |found: &Captures| {
        let codes = match (found.get(1), found.get(2)) {
            (Some(_), _) => FAINT,
            (_, Some(_)) => MAGENTA,
            _ => BOLD,
        };
        let words = found[0].split_inclusive([' ', '\n']).map(|word| {
            let (word, space) = word.split_at(word.trim_end().len());
            style.paint(codes, word) + space
        });
        words.collect::<String>()
    };
    pattern.replace_all(code, paint).into_owned()
}

#[cfg(test)]
mod tests {
    use super::painted;
    use crate::style::{BOLD, FAINT, MAGENTA, Style};

    /// Marks what is highlighted: `*keyword|`, `<string>`, `{comment|`.
    fn marked(language: &str, code: &str) -> String {
        assert_eq!(painted(language, code, Style::Plain), code);
        let text = painted(language, code, Style::Colour);
        let text = text.replace(MAGENTA.0, "<").replace(MAGENTA.1, ">");
        let text = text.replace(BOLD.0, "*").replace(FAINT.0, "{");
        text.replace(BOLD.1, "|")
    }

    #[test]
    fn rust_is_highlighted() {
        let code = "let n = fnord(\"if\"); // let\nimpl<'a> Cell<'a> { c == '\"' || c == '\\'' }\n\
                    p!(\"a\\\"//c\", r#\"raw\"text\"#, \"one\n  two\"); self.type_of()";
        let expected = "*let| n = fnord(<\"if\">); {//| {let|\n\
                        *impl|<'a> Cell<'a> { c == <'\"'> || c == <'\\''> }\n\
                        p!(<\"a\\\"//c\">, <r#\"raw\"text\"#>, <\"one>\n  <two\">); *self|.type_of()";
        assert_eq!(marked("rust", code), expected);
    }

    #[test]
    fn python_is_highlighted() {
        let code = "for n in names:  # if\nprint(f\"{n}#not\", 'it\\'s')\n\
                    \"\"\"Doc\n'two'.\"\"\"\npass; importer = None_";
        let expected = "*for| n *in| names:  {#| {if|\nprint(f<\"{n}#not\">, <'it\\'s'>)\n\
                        <\"\"\"Doc>\n<'two'.\"\"\">\n*pass|; importer = None_";
        assert_eq!(marked("python", code), expected);
        assert_eq!(marked("toml", "if = \"x\""), "if = \"x\"");
    }
}
