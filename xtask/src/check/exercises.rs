use std::fs;
use std::path::{Path, PathBuf};

use super::Problem;
use super::checkout::{Checkout, LessonFiles};
use crate::gap;
use crate::manifest::Manifest;
use course::document::Document;

/// An exercise has a task with hints, a program, checks and a solution, and Cargo knows its two
/// programs. That the program has no gap is only noted: see [`filled_gaps`].
pub(super) fn exercises_are_whole(checkout: &Checkout) -> Vec<Problem> {
    let lessons = checkout.lessons.iter();
    lessons
        .flat_map(|lesson| problems(checkout, lesson))
        .collect()
}

/// Notes where no gap is marked, and how to have it again. Whoever learns here has filled it in, and
/// perhaps committed that, and must not be stopped for it.
pub(super) fn filled_gaps(checkout: &Checkout) -> Vec<String> {
    let programs = checkout.lessons.iter().filter_map(|lesson| {
        let program = lesson.folder.join("exercise").join("main.rs");
        let text = fs::read_to_string(checkout.root.join(&program)).ok()?;
        (!gap::is_marked(&text)).then_some(program)
    });
    let note = |program: PathBuf| {
        let again = match gap::restoring(&checkout.root, &program) {
            Some(command) => format!("to have the exercise again as it was: `{command}`"),
            None => format!(
                "if it is still to be filled in, mark the gap with a comment that begins with `{}`",
                gap::MARK
            ),
        };
        format!(
            "note: {}: no gap is marked, so it counts as filled in\n    {again}",
            program.display()
        )
    };
    programs.map(note).collect()
}

fn problems(checkout: &Checkout, lesson: &LessonFiles) -> Vec<Problem> {
    let folder = lesson.folder.join("exercise");
    if !checkout.root.join(&folder).is_dir() {
        return Vec::new();
    }
    let mut problems = Vec::new();
    let mut read = |name: &str, what: &str| {
        let path = folder.join(name);
        let text = fs::read_to_string(checkout.root.join(&path));
        if text.is_err() {
            let what = format!("the exercise has no {what}");
            problems.push(Problem::new(&path, 1, what, "write it"));
        }
        (path, text.unwrap_or_default())
    };
    let (task, sheet) = read("task.md", "task");
    read("main.rs", "program");
    let (solution, solved) = read("solution/main.rs", "solution");
    read("checks.rs", "checks");

    let sheet = Document::parse(&sheet);
    let hints = sheet.sections.iter();
    let hints = hints.filter(|section| section.heading.starts_with("Hint "));
    let next = sheet.sections.last();
    if hints.count() < 2 || next.is_none_or(|last| last.heading.starts_with("Hint ")) {
        problems.push(Problem::new(
            &task,
            1,
            "the task is not whole",
            "give it sections `## Hint 1` and `## Hint 2`, and last `## What to try next`",
        ));
    }
    if let Some(line) = solved.lines().position(|line| line.contains(gap::MARK)) {
        problems.push(Problem::new(
            &solution,
            line + 1,
            "the solution has a gap",
            "fill it, and remove the comment",
        ));
    }
    problems.extend(unknown_programs(checkout, lesson));
    problems
}

/// Looks for the two programs in the lesson's manifest.
fn unknown_programs(checkout: &Checkout, lesson: &LessonFiles) -> Vec<Problem> {
    let path = lesson.folder.join("Cargo.toml");
    let Ok(manifest) = Manifest::read(&checkout.root.join(&path)) else {
        return Vec::new(); // another rule says so
    };
    let examples = manifest.get(&["example"]);
    let examples = examples.map_or(&[][..], |examples| examples.list());
    let known: Vec<(&str, &str)> = examples
        .iter()
        .filter_map(|example| {
            let example = example.table()?;
            Some((example.get("name")?.text()?, example.get("path")?.text()?))
        })
        .collect();
    let name = &lesson.name;
    [
        (format!("{name}-exercise"), "exercise/main.rs"),
        (format!("{name}-solution"), "exercise/solution/main.rs"),
    ]
    .into_iter()
    .filter(|(name, path)| !known.contains(&(name.as_str(), path)))
    .map(|(name, source)| {
        Problem::new(
            PathBuf::from(Path::new(&path)),
            1,
            format!("Cargo does not know the program {name}"),
            format!("add [[example]] with name = \"{name}\" and path = \"{source}\""),
        )
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::{exercises_are_whole, filled_gaps};
    use crate::check::fixture::{Fixture, problems};

    const MANIFEST: &str = "lessons/pool/Cargo.toml";
    const PROGRAM: &str = "lessons/pool/exercise/main.rs";

    fn fixture() -> Fixture {
        let fixture = Fixture::new();
        let folder = "lessons/pool/exercise";
        let task =
            "# Add\n\nAdd.\n\n## Hint 1\n\nA.\n\n## Hint 2\n\nB.\n\n## What to try next\n\nC.\n";
        fixture.write(&format!("{folder}/task.md"), task);
        fixture.write(
            &format!("{folder}/main.rs"),
            "fn main() {\n    // Gap: add.\n}\n",
        );
        fixture.write(&format!("{folder}/checks.rs"), "");
        fixture.write(&format!("{folder}/solution/main.rs"), "fn main() {}\n");
        fixture.append(
            MANIFEST,
            "\n[[example]]\nname = \"pool-exercise\"\npath = \"exercise/main.rs\"\n\
             \n[[example]]\nname = \"pool-solution\"\npath = \"exercise/solution/main.rs\"\n",
        );
        fixture
    }

    fn found(fixture: &Fixture) -> Vec<String> {
        problems(exercises_are_whole, &fixture.checkout())
    }

    #[test]
    fn a_whole_exercise_and_none_have_no_problem() {
        assert_eq!(found(&fixture()), [""; 0]);
        assert_eq!(found(&Fixture::new()), [""; 0]);
    }

    #[test]
    fn a_task_without_hints_is_refused() {
        let fixture = fixture();
        fixture.replace("lessons/pool/exercise/task.md", "## Hint 2", "## Hinting");
        let found = found(&fixture);
        assert!(
            found[0].contains("task.md:1: the task is not whole"),
            "{found:?}"
        );
    }

    #[test]
    fn a_solution_with_a_gap_is_refused() {
        let fixture = fixture();
        fixture.append("lessons/pool/exercise/solution/main.rs", "// Gap: add.\n");
        let found = found(&fixture);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(
            found[0].contains("main.rs:2: the solution has a gap"),
            "{found:?}"
        );
    }

    #[test]
    fn a_gap_without_a_mark_is_noted_and_no_problem() {
        let fixture = fixture();
        assert_eq!(filled_gaps(&fixture.checkout()), [""; 0]);
        fixture.replace(PROGRAM, "// Gap: add.", "add();");
        assert_eq!(found(&fixture), [""; 0]);
        let notes = filled_gaps(&fixture.checkout());
        assert_eq!(notes.len(), 1, "{notes:?}");
        assert!(
            notes[0].starts_with("note: lessons/pool/exercise/main.rs: no gap is marked"),
            "{notes:?}"
        );
        assert!(notes[0].contains("begins with `// Gap:`"), "{notes:?}");
    }

    /// The command that a note names brings the gap back.
    #[test]
    fn a_gap_that_was_filled_in_can_be_had_again_as_the_note_says() {
        let fixture = fixture();
        fixture.commit();
        fixture.replace(PROGRAM, "// Gap: add.", "add();");
        brought_back(&fixture);

        fixture.replace(PROGRAM, "// Gap: add.", "add();");
        fixture.commit();
        fixture.append(PROGRAM, "// Tidied up.\n");
        brought_back(&fixture);

        fixture.replace(PROGRAM, "// Gap: add.", "sum();");
        fixture.stage();
        brought_back(&fixture);
    }

    #[track_caller]
    fn brought_back(fixture: &Fixture) {
        assert_eq!(found(fixture), [""; 0]);
        let notes = filled_gaps(&fixture.checkout());
        assert_eq!(notes.len(), 1, "{notes:?}");
        let command = notes[0].split('`').nth(1).unwrap();
        fixture.run(&command.split(' ').collect::<Vec<_>>());
        assert!(fixture.read(PROGRAM).contains("// Gap: add."), "{command}");
        assert_eq!(filled_gaps(&fixture.checkout()), [""; 0]);
    }

    #[test]
    fn programs_that_cargo_does_not_know_are_refused() {
        let fixture = fixture();
        fixture.replace(MANIFEST, "\"pool-solution\"", "\"pond-solution\"");
        let found = found(&fixture);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(
            found[0].contains("does not know the program pool-solution"),
            "{found:?}"
        );
    }
}
