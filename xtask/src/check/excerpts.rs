use super::Problem;
use super::checkout::{Checkout, LessonFiles, Source};
use crate::readme::{Block, Code, Readme};

/// Every block of Rust or Python in a README consists of whole items of the lesson's files. A block
/// that must not compile stands nowhere, and begins with a comment that says why.
pub(super) fn excerpts_are_verbatim(checkout: &Checkout) -> Vec<Problem> {
    let mut problems = Vec::new();
    for lesson in &checkout.lessons {
        for block in lesson.readme.iter().flat_map(Readme::blocks) {
            if let Block::Code(code) = block {
                problems.extend(check(lesson, code));
            }
        }
    }
    problems
}

fn check(lesson: &LessonFiles, code: &Code) -> Vec<Problem> {
    let sources: Vec<&Source> = match code.language() {
        "rust" if code.has_tag("compile_fail") => return explained(lesson, code),
        "rust" => lesson.rust.iter().collect(),
        "python" => lesson.python.iter().collect(),
        _ => return Vec::new(),
    };
    let problems = pieces(&code.text).into_iter().filter_map(|piece| {
        let (line, what) = match locate(&piece.lines, &sources) {
            Place::Here => return None,
            Place::CutOff(place) => {
                let last = piece.first + piece.lines.len() - 1;
                (last, format!("the excerpt stops in the middle of {place}"))
            }
            Place::Differs { after, place } => {
                let line = piece.lines[after];
                (
                    piece.first + after,
                    format!("`{}` is not what stands in {place}", line.trim()),
                )
            }
            Place::Nowhere => {
                let line = piece.lines[0].trim();
                (
                    piece.first,
                    format!("`{line}` stands nowhere in the lesson"),
                )
            }
        };
        let mend = "copy the whole function from the lesson's file again";
        // The block's text begins on the line after its fence.
        Some(Problem::new(
            lesson.readme_path(),
            code.line + 1 + line,
            what,
            mend,
        ))
    });
    problems.collect()
}

fn explained(lesson: &LessonFiles, code: &Code) -> Vec<Problem> {
    if code.text.trim_start().starts_with("//") {
        return Vec::new();
    }
    vec![Problem::new(
        lesson.readme_path(),
        code.line,
        "a block that does not compile does not say so",
        "begin it with a comment that says that it does not compile, and why",
    )]
}

/// One item of a block: a function, a type, with what stands directly above it.
struct Piece<'a> {
    /// The line in the block at which it begins, counted from 0.
    first: usize,
    lines: Vec<&'a str>,
}

/// Divides a block where an empty line is followed by one that is not indented.
fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces: Vec<Piece> = Vec::new();
    let mut after_blank = true;
    for (index, line) in text.lines().enumerate() {
        let blank = line.trim().is_empty();
        match pieces.last_mut() {
            Some(piece) if !after_blank || blank || continues(line) => piece.lines.push(line),
            _ if blank => {}
            _ => pieces.push(Piece {
                first: index,
                lines: vec![line],
            }),
        }
        after_blank = blank;
    }
    for piece in &mut pieces {
        while piece
            .lines
            .last()
            .is_some_and(|line| line.trim().is_empty())
        {
            piece.lines.pop();
        }
    }
    pieces
}

/// Tells whether a line belongs to an item that began before it.
fn continues(line: &str) -> bool {
    line.starts_with([' ', '\t', '}', ')', ']'])
}

/// Where a piece stands in the sources.
enum Place {
    Here,
    /// The source has more of the item.
    CutOff(String),
    /// The source differs after so many lines, at that place.
    Differs {
        after: usize,
        place: String,
    },
    Nowhere,
}

fn locate(piece: &[&str], sources: &[&Source]) -> Place {
    let mut best = Place::Nowhere;
    let mut best_length = 0;
    for source in sources {
        let lines: Vec<&str> = source.text.lines().collect();
        for start in 0..lines.len() {
            let there = &lines[start..];
            let same = piece
                .iter()
                .zip(there)
                .take_while(|(one, other)| one == other)
                .count();
            let place = format!("{}:{}", source.path.display(), start + same + 1);
            if same == piece.len() {
                let next = there[same..].iter().find(|line| !line.trim().is_empty());
                let whole = continues(piece[0]) || next.is_none_or(|line| !continues(line));
                if whole {
                    return Place::Here;
                }
                best = Place::CutOff(place);
                best_length = usize::MAX;
            } else if same > best_length {
                best = Place::Differs { after: same, place };
                best_length = same;
            }
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::excerpts_are_verbatim;
    use crate::check::fixture::{Fixture, problems};

    const README: &str = "lessons/pool/README.md";

    fn after(old: &str, new: &str) -> Vec<String> {
        let fixture = Fixture::new();
        fixture.replace(README, old, new);
        problems(excerpts_are_verbatim, &fixture.checkout())
    }

    #[test]
    fn whole_functions_are_accepted_even_when_others_stand_between_them() {
        let fixture = Fixture::new();
        assert_eq!(
            problems(excerpts_are_verbatim, &fixture.checkout()),
            [""; 0]
        );
    }

    #[test]
    fn a_changed_line_is_refused_with_both_places() {
        let found = after("    let two = 2;", "    let two = 3;");
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(
            found[0].contains("`let two = 3;` is not what stands in"),
            "{found:?}"
        );
        assert!(found[0].contains("lessons/pool/src/main.rs:"), "{found:?}");
    }

    #[test]
    fn a_changed_line_of_python_is_refused() {
        let found = after("    print(10)", "    print(11)");
        assert!(found[0].contains("lessons/pool/pool.py:"), "{found:?}");
    }

    #[test]
    fn an_invented_function_is_refused() {
        let found = after("fn double(", "fn treble(");
        assert!(
            found[0].contains("stands nowhere in the lesson"),
            "{found:?}"
        );
    }

    #[test]
    fn half_a_function_is_refused() {
        let found = after("\n    println!(\"{}\", double(two));\n    Ok(())\n}", "");
        assert!(found[0].contains("stops in the middle of"), "{found:?}");
    }

    #[test]
    fn what_does_not_compile_begins_with_a_comment() {
        let found = after("// Does not compile: two words.\n", "");
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains("does not say so"), "{found:?}");
    }
}
