/// Gives Rust source with its comments, texts and character literals taken out, line for line.
pub fn code_only(source: &str) -> String {
    let mut code = String::new();
    for (is_code, part) in parts(source) {
        if is_code {
            code.push_str(part);
        } else {
            // The lines of what is left out stay, so that line numbers hold.
            code.extend(part.chars().filter(|letter| *letter == '\n'));
            code.push(' ');
        }
    }
    code
}

/// Tells of each line whether it begins inside a comment or text that began before it.
pub fn begins_inside(source: &str) -> Vec<bool> {
    let mut inside = vec![false];
    for (is_code, part) in parts(source) {
        inside.extend(part.matches('\n').map(|_| !is_code));
    }
    inside
}

/// Divides source into code, letter by letter, and comments and literals, each as a whole.
fn parts(source: &str) -> Vec<(bool, &str)> {
    let mut parts = Vec::new();
    let mut rest = source;
    let mut before = ' ';
    while let Some(letter) = rest.chars().next() {
        let length = skipped(rest, before);
        let (taken, remainder) = rest.split_at(length.max(letter.len_utf8()));
        parts.push((length == 0, taken));
        before = letter;
        rest = remainder;
    }
    parts
}

/// Gives the length of the comment or literal that `rest` begins with, or 0.
fn skipped(rest: &str, before: char) -> usize {
    if rest.starts_with("//") {
        return rest.find('\n').unwrap_or(rest.len());
    }
    if rest.starts_with("/*") {
        return block_comment(rest);
    }
    if rest.starts_with('"') {
        return quoted(rest, '"');
    }
    if rest.starts_with('\'') {
        // A quote that is not closed after one character belongs to a lifetime.
        let mut letters = rest.chars().skip(1);
        let first = letters.next();
        let is_literal = first == Some('\\') || letters.next() == Some('\'');
        return if is_literal { quoted(rest, '\'') } else { 0 };
    }
    let in_word = before.is_alphanumeric() && !"bc".contains(before) || before == '_';
    if rest.starts_with('r') && !in_word {
        return raw(rest);
    }
    0
}

fn block_comment(rest: &str) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while at < rest.len() {
        let here = &rest[at..];
        if here.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if here.starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                break;
            }
        } else {
            at += here.chars().next().map_or(1, char::len_utf8);
        }
    }
    at
}

fn quoted(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, letter) in rest.char_indices().skip(1) {
        if escaped {
            escaped = false;
        } else if letter == '\\' {
            escaped = true;
        } else if letter == quote {
            return at + 1;
        }
    }
    rest.len()
}

fn raw(rest: &str) -> usize {
    let marks = rest[1..]
        .chars()
        .take_while(|letter| *letter == '#')
        .count();
    let start = 1 + marks;
    if !rest[start..].starts_with('"') {
        return 0;
    }
    let end = format!("\"{}", "#".repeat(marks));
    let inside = &rest[start + 1..];
    inside
        .find(&end)
        .map_or(rest.len(), |at| start + 1 + at + end.len())
}

#[cfg(test)]
mod tests {
    use super::{begins_inside, code_only};

    #[test]
    fn lines_inside_comments_and_texts_are_known() {
        let source = "/*!\nfn a() {}\n*/\nfn b() {\n    \"c\nfn d\"; // e\n}";
        let inside = begins_inside(source);
        assert_eq!(inside, [false, true, true, false, false, true, false]);
    }

    #[test]
    fn comments_go_and_lines_stay() {
        assert_eq!(code_only("a // b\nc /* d /* e */\n */ f"), "a  \nc \n  f");
    }

    #[test]
    fn texts_go() {
        assert_eq!(code_only(r#"f("a \" b", 'c', '\'', 'd')"#), "f( ,  ,  ,  )");
        assert_eq!(code_only("f(r#\"a \" b\"#, br\"c\")"), "f( , b )");
    }

    #[test]
    fn lifetimes_and_names_stay() {
        let source = "fn f<'a>(r: &'a str, for_r: u8) -> &'a str { r }";
        assert_eq!(code_only(source), source);
    }

    #[test]
    fn an_unfinished_text_ends_with_the_source() {
        assert_eq!(code_only("a \"b"), "a  ");
    }
}
