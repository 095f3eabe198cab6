use super::Screen;
use crate::look::Look;

const QUESTION: &str = "Enter: more   q: quit";

/// A terminal of that size that shows nothing to anybody.
fn terminal(look: Look, columns: usize, height: usize) -> Screen<'static> {
    let mut screen = Screen::new(std::io::sink(), look, 80);
    screen.columns = columns;
    screen.height = Some(height);
    screen
}

#[test]
fn a_line_that_is_wider_than_the_terminal_takes_rows_as_it_does_there() {
    let wide = "x".repeat(81);
    let screen = terminal(Look::Plain, 80, 24);
    // The question and the row below it leave 22.
    let mut lines = vec!["x".to_owned(); 21];
    lines.push("x".repeat(80));
    assert_eq!(screen.fitting(&lines, QUESTION), 22);
    lines[21].clone_from(&wide);
    assert_eq!(screen.fitting(&lines, QUESTION), 21);
    let narrow = terminal(Look::Plain, 60, 20);
    let lines = vec!["x".repeat(61); 10];
    assert_eq!(narrow.fitting(&lines, QUESTION), 9);
    assert_eq!(narrow.fitting(&lines, &wide), 8, "a long question, too");
}

#[test]
fn what_only_colours_a_line_makes_it_no_wider() {
    let screen = terminal(Look::Colour, 80, 24);
    let bold = screen.look.heading(&"x".repeat(80));
    let lines = vec![bold; 22];
    assert_eq!(screen.fitting(&lines, QUESTION), 22);
}

#[test]
fn what_was_shown_since_the_last_question_leaves_less_room() {
    let mut screen = terminal(Look::Plain, 60, 20);
    screen.line(&"x".repeat(100)).unwrap();
    let lines = vec!["x".to_owned(); 17];
    assert_eq!(screen.fitting(&lines, QUESTION), 0);
    assert_eq!(screen.fitting(&lines[1..], QUESTION), 16);
}
