use super::lines;
use crate::look::Look;

fn plain(markdown: &str) -> String {
    lines(markdown, 40, Look::Plain).join("\n")
}

#[test]
fn a_paragraph_is_wrapped_and_names_are_kept_whole() {
    let text =
        "A thread is a path of execution, as in the step three-workers, and\nruns beside yours.";
    assert_eq!(
        plain(text),
        "A thread is a path of execution, as in\nthe step three-workers, and runs beside\nyours."
    );
}

#[test]
fn code_in_a_sentence_keeps_its_marks_and_its_line() {
    let text = "When you have typed it, `cargo xtask lesson` plays.";
    assert_eq!(
        plain(text),
        "When you have typed it,\n`cargo xtask lesson` plays."
    );
}

#[test]
fn a_list_hangs_below_its_markers() {
    let text = "Two:\n\n- the first, which is long enough to be wrapped\n- the second\n\nEnd.";
    assert_eq!(
        plain(text),
        "Two:\n\n- the first, which is long enough to be\n  wrapped\n- the second\n\nEnd."
    );
}

#[test]
fn a_hint_is_told_as_a_hint() {
    let expected = "1. Try more.\n\n   Hint: use `spawn`.\n\n2. Less.";
    let apart = "1. Try more.\n\n   <details><summary>Hint</summary>\n\n   use `spawn`.\n\n   \
                 </details>\n\n2. Less.\n";
    assert_eq!(plain(apart), expected);
    let below =
        "1. Try more.\n   <details><summary>Hint</summary>use `spawn`.</details>\n2. Less.\n";
    assert_eq!(plain(below), expected);
    let inside = "1. Try more. <details><summary>Hint</summary> use `spawn`.</details>\n";
    assert_eq!(plain(inside), "1. Try more.\n   Hint:  use `spawn`.");
}

#[test]
fn a_comment_is_not_shown() {
    assert_eq!(plain("One.\n\n<!-- not > this -->\n\nTwo."), "One.\n\nTwo.");
}

#[test]
fn a_link_to_elsewhere_shows_its_address() {
    assert_eq!(
        plain("See [it](https://a.example/) or [the lesson](../join/README.md)."),
        "See it (https://a.example/) or the\nlesson."
    );
}

#[test]
fn a_table_is_aligned() {
    assert_eq!(
        plain("| Python | Rust |\n|---|---:|\n| `join()` | `join()?` |\n"),
        "Python         Rust\n--------  ---------\n`join()`  `join()?`"
    );
}

#[test]
fn code_in_a_list_is_never_wrapped() {
    let code = "let long = \"a line of code that is wider than the forty columns\";";
    let text = format!("1. Add\n\n   ```rust\n   {code}\n   ```\n");
    assert_eq!(plain(&text), format!("1. Add\n\n       {code}"));
}

#[test]
fn on_a_terminal_strong_words_are_bold_and_cost_no_width() {
    let lines = lines("One **two** three.", 14, Look::Colour);
    assert_eq!(lines, ["One \u{1b}[1mtwo\u{1b}[22m three."]);
}
