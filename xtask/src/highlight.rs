//! Syntax highlighting, in the two colours that are legible on black and on white: red and magenta.

use regex_lite::{Captures, Regex};

use crate::style::{ALARM, BOLD, Codes, FAINT, KEYWORD, MAGENTA, RED, Style};

/// The groups of the patterns. A group begins where its match begins; what follows it isn't painted.
const STYLES: [(&str, Codes); 6] = [
    ("alarm", ALARM),
    ("comment", FAINT),
    ("literal", RED),
    ("keyword", KEYWORD),
    ("type", MAGENTA),
    ("function", BOLD),
];

/// `'a'` is a literal. Attributes, macros and lifetimes such as `'a` are painted like types.
const RUST: &str = r#"(?x)
    (?<comment> //[^\n]* | /\*(?s:.*?)\*/)
    | (?<literal> b?r\#"(?s:.*?)"\# | b?r"[^"]*" | [bc]?"(?:\\(?s:.)|[^"\\])*"
    | b?'(?:\\'|\\[^'\n]+|[^'\\\n])' | \b\d[\d_]*(?:\.\d[\d_]*)?\w*)
    | (?<keyword> \b(?:as|async|await|break|const|continue|crate|dyn|else|enum|extern|false|fn|for|if
    |impl|in|let|loop|match|mod|move|mut|pub|ref|return|self|Self|static|struct|super|trait|true|type
    |unsafe|use|where|while)\b)
    | (?<type> \#!?\[[^\]\n]*\] | \b[a-z_]\w*! | '\w+ | \b(?:[A-Z]|[A-Z]\w*[a-z]\w*|bool|char|str
    |[fiu](?:8|16|32|64|128|size))\b)
    | (?<function> \b[a-z_]\w*)(?:\(|(?:::)?<)"#;

const PYTHON: &str = r#"(?x)
    (?<comment> \#[^\n]*)
    | (?<literal> [BFRbfr]{0,2}(?:"""(?s:.*?)""" | '''(?s:.*?)''' | "(?:\\.|[^"\\\n])*"
    | '(?:\\.|[^'\\\n])*') | \b\d[\d_]*(?:\.\d[\d_]*)?\w*)
    | (?<keyword> \b(?:and|as|assert|async|await|break|class|continue|def|del|elif|else|except|False
    |finally|for|from|global|if|import|in|is|lambda|None|nonlocal|not|or|pass|raise|return|self|True
    |try|while|with|yield)\b)
    | (?<type> @\w[\w.]* | \b[A-Z]\w*[a-z]\w*\b)
    | (?<function> \b[a-z_]\w*)\("#;

/// A message of the compiler.
const ERROR: &str = r"(?mx)
    (?<alarm> ^error(?:\[\w+\])?)
    | (?<comment> ^\ *(?:-->|\d*\ ?\||=)) | (?<literal> \^+.*)";

/// Returns highlighted code. Each word has its own style, so that a long line can be wrapped anywhere.
pub(crate) fn painted(language: &str, code: &str, style: Style) -> String {
    let pattern = match language {
        "rust" => RUST,
        "python" => PYTHON,
        "console" => r"(?m)(?<function>^\$ .*)",
        "text" if code.starts_with("error") => ERROR,
        _ => return code.to_owned(),
    };
    let pattern = Regex::new(pattern).expect("the pattern is correct");
    let paint = |found: &Captures| {
        let group = |&(name, codes)| found.name(name).map(|group| (group.as_str(), codes));
        let (text, codes) = STYLES.iter().find_map(group).expect("each match has one");
        let words = text.split_inclusive([' ', '\n']).map(|word| {
            let (word, space) = word.split_at(word.trim_end().len());
            style.paint(codes, word) + space
        });
        words.collect::<String>() + &found[0][text.len()..]
    };
    pattern.replace_all(code, paint).into_owned()
}

#[cfg(test)]
mod tests {
    use super::{STYLES, painted};
    use crate::style::Style;

    /// Marks what is highlighted: `*keyword~`, `<literal~`, `^type~`, `$function~`, `{comment~`, `!alarm~`.
    fn marked(language: &str, code: &str) -> String {
        assert_eq!(painted(language, code, Style::Plain), code);
        let mut text = painted(language, code, Style::Colour);
        for ((_, (on, off)), begin) in STYLES.iter().zip(["!", "{", "<", "*", "^", "$"]) {
            text = text.replace(on, begin).replace(off, "~");
        }
        text
    }

    #[test]
    fn rust_is_highlighted() {
        let code = "let n = fnord(\"if\"); // let\nimpl<'a> Cell<'a> { c == '\"' || c == '\\'' }\n\
                    p!(\"a\\\"//c\", r#\"raw\"#, \"one\n  two\"); self.type_of::<u8>(A_B, 0..1_0u8)\n\
                    #[derive(Debug)]\nfn f<T>(t: &str) { a != b; t.0 /* if */ }";
        let expected = "*let~ n = $fnord~(<\"if\"~); {//~ {let~\n\
                        *impl~<^'a~> ^Cell~<^'a~> { c == <'\"'~ || c == <'\\''~ }\n\
                        ^p!~(<\"a\\\"//c\"~, <r#\"raw\"#~, <\"one~\n  <two\"~); \
                        *self~.$type_of~::<^u8~>(A_B, <0~..<1_0u8~)\n\
                        ^#[derive(Debug)]~\n*fn~ $f~<^T~>(t: &^str~) { a != b; t.<0~ {/*~ {if~ {*/~ }";
        assert_eq!(marked("rust", code), expected);
    }

    #[test]
    fn python_is_highlighted() {
        let code = "@f.cache\ndef g(n):  # if\nPool(f\"{n}#not\", 'it\\'s', 1.5)\n\
                    \"\"\"Doc\n'two'.\"\"\"\npass; importer = none_";
        let expected = "^@f.cache~\n*def~ $g~(n):  {#~ {if~\n^Pool~(<f\"{n}#not\"~, <'it\\'s'~, <1.5~)\n\
                        <\"\"\"Doc~\n<'two'.\"\"\"~\n*pass~; importer = none_";
        assert_eq!(marked("python", code), expected);
    }

    #[test]
    fn a_message_of_the_compiler_is_highlighted_and_other_text_is_not() {
        let message = "error[E0308]: no\n --> a:1\n  |\n1 | f(a | b)\n  |   ^ an i64\n";
        let expected =
            "!error[E0308]~: no\n {-->~ a:1\n  {|~\n{1~ {|~ f(a | b)\n  {|~   <^~ <an~ <i64~\n";
        assert_eq!(marked("text", message), expected);
        assert_eq!(marked("text", "a | b\n  | ^"), "a | b\n  | ^");
        assert_eq!(marked("console", "$ ls\nif"), "$$~ $ls~\nif");
    }
}
