use std::fs;
use std::path::{Path, PathBuf};

use super::Problem;
use super::checkout::{Checkout, LessonFiles};
use crate::manifest::Manifest;
use crate::readme::Readme;

/// How the comment begins that marks a gap.
const GAP: &str = "// Gap:";

/// An exercise has a task with hints, a gap, checks and a solution, and Cargo knows its two programs.
///
/// Whoever has filled the gap in need not bring it back: it is enough that it is committed.
pub(super) fn exercises_are_whole(checkout: &Checkout) -> Vec<Problem> {
    let lessons = checkout.lessons.iter();
    lessons
        .flat_map(|lesson| problems(checkout, lesson))
        .collect()
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
    let (program, gapped) = read("main.rs", "program");
    let (solution, solved) = read("solution/main.rs", "solution");
    read("checks.rs", "checks");

    let sheet = Readme::parse(&sheet);
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
    let is_marked = |text: &str| text.contains(GAP);
    if !is_marked(&gapped)
        && !checkout
            .committed(&program)
            .is_some_and(|it| is_marked(&it))
    {
        problems.push(Problem::new(
            &program,
            1,
            "no gap is marked",
            format!(
                "write a comment that begins with `{GAP}` where something is to be filled in; if this \
                 is your own solution, bring the original back, with git: `git restore {}`",
                program.display()
            ),
        ));
    }
    if let Some(line) = solved.lines().position(|line| line.contains("// Gap")) {
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
    use super::exercises_are_whole;
    use crate::check::fixture::{Fixture, problems};

    const MANIFEST: &str = "lessons/pool/Cargo.toml";

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
    fn a_program_without_a_gap_and_a_solution_with_one_are_refused() {
        let fixture = fixture();
        fixture.replace("lessons/pool/exercise/main.rs", "// Gap: add.", "");
        fixture.append("lessons/pool/exercise/solution/main.rs", "// Gap: add.\n");
        let found = found(&fixture);
        assert!(
            found[0].contains("main.rs:1: no gap is marked"),
            "{found:?}"
        );
        assert!(
            found[1].contains("main.rs:2: the solution has a gap"),
            "{found:?}"
        );
    }

    #[test]
    fn a_gap_that_is_committed_may_be_filled_in() {
        let fixture = fixture();
        fixture.commit();
        fixture.replace("lessons/pool/exercise/main.rs", "// Gap: add.", "add();");
        assert_eq!(found(&fixture), [""; 0]);
        fixture.commit();
        let found = found(&fixture);
        assert!(
            found[0].contains("`git restore lessons/pool/exercise/main.rs`"),
            "{found:?}"
        );
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
