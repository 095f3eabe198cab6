use super::Problem;
use super::checkout::{Checkout, LessonFiles};
use course::document::{Code, Document};
use course::excerpt::{Fault, excerpt};

/// Every block of Rust or Python in a README consists of whole items of the lesson's files. A block
/// that must not compile is an example of their documentation, and begins with a comment that says
/// why.
pub(super) fn excerpts_are_verbatim(checkout: &Checkout) -> Vec<Problem> {
    let mut problems = Vec::new();
    for lesson in &checkout.lessons {
        for code in lesson.readme.iter().flat_map(Document::code) {
            if code.has_tag("compile_fail") {
                problems.extend(explained(lesson, code));
            }
            if let Some(excerpt) = excerpt(code, &lesson.sources) {
                let faults = excerpt.faults.iter();
                problems.extend(faults.map(|fault| problem(lesson, code, fault)));
            }
        }
    }
    problems
}

fn problem(lesson: &LessonFiles, code: &Code, fault: &Fault) -> Problem {
    // The block's text begins on the line after its fence.
    let line = code.line + 1 + fault.line;
    Problem::new(lesson.readme_path(), line, fault.to_string(), fault.mend())
}

fn explained(lesson: &LessonFiles, code: &Code) -> Option<Problem> {
    if code.text.trim_start().starts_with("//") {
        return None;
    }
    Some(Problem::new(
        lesson.readme_path(),
        code.line,
        "a block that does not compile does not say so",
        "begin it with a comment that says that it does not compile, and why",
    ))
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
    fn a_changed_line_is_refused_with_both_places_and_texts() {
        let found = after("    let two = 2;", "    let two = 3;");
        assert_eq!(
            found,
            [format!(
                "{README}:20: fn map differs from lessons/pool/src/main.rs:8:\n    \
                 - let two = 3;\n    + let two = 2;\n    mend: `cargo xtask check --fix` writes it again"
            )]
        );
    }

    #[test]
    fn a_changed_line_of_python_is_refused() {
        let found = after("    print(10)", "    print(11)");
        assert!(found[0].contains("lessons/pool/pool.py:2:"), "{found:?}");
    }

    #[test]
    fn every_item_that_differs_is_told() {
        let fixture = Fixture::new();
        fixture.replace(README, "number * 2", "2 * number");
        fixture.replace(README, "    print(20)\n", "");
        fixture.replace(README, "let two = 2;", "let two = 3;");
        fixture.replace(README, "let a b;", "let b a;");
        let found = problems(excerpts_are_verbatim, &fixture.checkout());
        let items: Vec<_> = found
            .iter()
            .map(|problem| {
                problem
                    .split(' ')
                    .skip(1)
                    .take(2)
                    .collect::<Vec<_>>()
                    .join(" ")
            })
            .collect();
        assert_eq!(items, ["def map", "fn double", "fn map", "// Does"]);
    }

    #[test]
    fn an_invented_function_is_refused_with_the_nearest() {
        let found = after("fn double(", "fn doubled(");
        assert!(
            found[0].contains(
                "`fn doubled` does not appear anywhere in the lesson; did you mean `fn double`?"
            ),
            "{found:?}"
        );
    }

    #[test]
    fn half_a_function_is_refused_with_what_follows() {
        let found = after("\n    println!(\"{}\", double(two));\n    Ok(())\n}", "");
        assert!(found[0].contains("\n    + (an empty line)\n"), "{found:?}");
    }

    #[test]
    fn the_other_half_is_refused_too() {
        let found = after("fn double(number: i32) -> i32 {\n", "");
        assert!(
            found[0].contains("`    number * 2` does not appear"),
            "{found:?}"
        );
    }

    #[test]
    fn what_does_not_compile_is_an_example_of_the_documentation() {
        let found = after("let a b;", "let b;");
        assert_eq!(found.len(), 1, "{found:?}");
        let place = "lessons/pool/src/refused.rs:6";
        assert!(found[0].contains(place), "{found:?}");
        let found = after(
            "// Does not compile: two words.\nlet a b;",
            "// let\nlet b;",
        );
        assert!(
            found[0].contains("no `compile_fail` example begins with `// let`"),
            "{found:?}"
        );
    }

    #[test]
    fn what_does_not_compile_begins_with_a_comment() {
        let fixture = Fixture::new();
        let comment = "// Does not compile: two words.\n";
        fixture.replace(README, comment, "");
        fixture.replace("lessons/pool/src/refused.rs", &format!("//! {comment}"), "");
        let found = problems(excerpts_are_verbatim, &fixture.checkout());
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains("does not say so"), "{found:?}");
    }
}
