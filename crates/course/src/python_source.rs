/// Tells of each line of Python whether it begins inside a text that began before it.
pub(crate) fn begins_inside(source: &str) -> Vec<bool> {
    let mut inside = vec![false];
    let mut rest = source;
    while let Some(letter) = rest.chars().next() {
        let length = skipped(rest);
        let (taken, remainder) = rest.split_at(length.max(letter.len_utf8()));
        inside.extend(taken.matches('\n').map(|_| length > 0));
        rest = remainder;
    }
    inside
}

/// Gives the length of the comment or text that `rest` begins with, or 0.
fn skipped(rest: &str) -> usize {
    if rest.starts_with('#') {
        return rest.find('\n').unwrap_or(rest.len());
    }
    let quotes = ["\"\"\"", "'''", "\"", "'"];
    let Some(quote) = quotes.into_iter().find(|quote| rest.starts_with(quote)) else {
        return 0;
    };
    let mut at = quote.len();
    while at < rest.len() {
        let here = &rest[at..];
        if here.starts_with(quote) {
            return at + quote.len();
        }
        // A text with one quote ends with its line, whatever is wrong with it.
        if quote.len() == 1 && here.starts_with('\n') {
            return at;
        }
        let escaped = here.starts_with('\\');
        at += usize::from(escaped);
        let letter = rest[at..].chars().next();
        at += letter.map_or(0, char::len_utf8);
    }
    rest.len()
}

#[cfg(test)]
mod tests {
    use super::begins_inside;

    #[test]
    fn only_lines_inside_long_texts_are_inside() {
        let source = "a = \"'''\"  # it's\nb = '''\ndef c():\n\\''' '''\nd = 'e\nf = \"\"\"";
        assert_eq!(
            begins_inside(source),
            [false, false, true, true, false, false]
        );
    }

    #[test]
    fn a_text_without_an_end_ends_with_the_source() {
        assert_eq!(begins_inside("\"\"\"a\nb\\"), [false, true]);
    }
}
