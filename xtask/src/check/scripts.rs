use super::Problem;
use super::checkout::{Checkout, LessonFiles};

pub(super) fn files_are_there(checkout: &Checkout) -> Vec<Problem> {
    let mut problems = Vec::new();
    for lesson in &checkout.lessons {
        let name = &lesson.name;
        let readme = lesson.readme_path();
        match &lesson.readme {
            None => problems.push(Problem::new(
                readme,
                1,
                format!("lesson {name} has no README.md"),
                "write the script of the lesson there, a section per step",
            )),
            Some(script) if script.title != lesson.title => problems.push(Problem::new(
                readme,
                1,
                format!(
                    "the title is \"{}\", but Cargo.toml says \"{}\"",
                    script.title, lesson.title
                ),
                "make the first line and `title` in Cargo.toml the same",
            )),
            Some(_) => {}
        }
        if lesson.sources.python.is_none() {
            problems.push(Problem::new(
                lesson.folder.join(format!("{name}.py")),
                1,
                format!("lesson {name} has no Python counterpart"),
                "write it there, a function per step",
            ));
        }
    }
    problems
}

pub(super) fn sections_match_steps(checkout: &Checkout) -> Vec<Problem> {
    checkout.lessons.iter().flat_map(match_steps).collect()
}

fn match_steps(lesson: &LessonFiles) -> Vec<Problem> {
    let Some(readme) = &lesson.readme else {
        return Vec::new();
    };
    let path = lesson.readme_path();
    let name = &lesson.name;
    let steps = match &lesson.steps {
        Ok(steps) => steps,
        Err(reason) => {
            let main = lesson.folder.join("src/main.rs");
            let what = format!("the steps of lesson {name} cannot be told: {reason}");
            let mend = format!("make `cargo run -p {name} -- --list` work");
            return vec![Problem::new(main, 1, what, mend)];
        }
    };
    let mut problems = Vec::new();
    let mut seen: Vec<&str> = Vec::new();
    for section in &readme.sections {
        let Some(step) = section.step.as_deref() else {
            continue;
        };
        if seen.contains(&step) {
            problems.push(Problem::new(
                &path,
                section.line,
                format!("step {step} has a second section"),
                "join the two sections, or name the right step",
            ));
        } else if !steps.iter().any(|listed| listed == step) {
            problems.push(Problem::new(
                &path,
                section.line,
                format!("the section is about a step {step}, which the lesson does not list"),
                "name a step of src/main.rs, or leave the colon out of the heading",
            ));
        } else {
            seen.push(step);
        }
    }
    for step in steps {
        if !seen.contains(&step.as_str()) {
            problems.push(Problem::new(
                &path,
                1,
                format!("step {step} has no section"),
                format!("add one with the heading `## {step}: what it shows`"),
            ));
        }
    }
    if problems.is_empty() && seen != *steps {
        problems.push(Problem::new(
            &path,
            1,
            format!("the sections come in the order {}", seen.join(", ")),
            format!("put them in the order of the steps: {}", steps.join(", ")),
        ));
    }
    problems
}

pub(super) fn functions_exist(checkout: &Checkout) -> Vec<Problem> {
    let mut problems = Vec::new();
    for lesson in &checkout.lessons {
        for step in lesson.steps.iter().flatten() {
            problems.extend(function_is_missing(lesson, step));
            problems.extend(counterpart_is_missing(lesson, step));
        }
    }
    problems
}

fn function_is_missing(lesson: &LessonFiles, step: &str) -> Option<Problem> {
    let function = step.replace('-', "_");
    let starts = ["", "pub ", "pub(crate) ", "pub(super) "]
        .map(|visibility| format!("{visibility}fn {function}("));
    let files = lesson.sources.rust.iter();
    let mut lines = files.flat_map(|source| source.text.lines());
    if lines.any(|line| starts.iter().any(|start| line.starts_with(start))) {
        return None;
    }
    Some(Problem::new(
        lesson.folder.join("src/main.rs"),
        1,
        format!("step {step} has no function `{function}` in src"),
        format!("write `fn {function}() -> anyhow::Result<()>` there"),
    ))
}

fn counterpart_is_missing(lesson: &LessonFiles, step: &str) -> Option<Problem> {
    let python = lesson.sources.python.as_ref()?;
    let function = step.replace('-', "_");
    let start = format!("def {function}(");
    if python.text.lines().any(|line| line.starts_with(&start)) {
        return None;
    }
    Some(Problem::new(
        &python.path,
        1,
        format!("step {step} has no function `{function}` in Python"),
        format!("write `def {function}():` there"),
    ))
}

pub(super) fn runs_are_shown(checkout: &Checkout) -> Vec<Problem> {
    let mut problems = Vec::new();
    for lesson in &checkout.lessons {
        for section in lesson.readme.iter().flat_map(|readme| &readme.sections) {
            let Some(step) = &section.step else { continue };
            let command = course::command(&lesson.name, step);
            if !section.code().any(|code| code.is_run_of(&command)) {
                problems.push(Problem::new(
                    lesson.readme_path(),
                    section.line,
                    format!("the section of step {step} shows no run of it"),
                    format!("add a ```console block that begins with `{command}`"),
                ));
            }
        }
    }
    problems
}

/// The section of a step shows its function, in Rust and in Python.
pub(super) fn code_is_shown(checkout: &Checkout) -> Vec<Problem> {
    let mut problems = Vec::new();
    for lesson in &checkout.lessons {
        for section in lesson.readme.iter().flat_map(|readme| &readme.sections) {
            let Some(step) = &section.step else { continue };
            let function = step.replace('-', "_");
            for (language, start) in [("rust", "fn"), ("python", "def")] {
                let start = format!("{start} {function}(");
                let mut blocks = section.code().filter(|code| code.language() == language);
                let shows = |line: &str| {
                    let before = line.split(&start).next().unwrap_or_default();
                    before.len() < line.len() && (before.is_empty() || before.starts_with("pub"))
                };
                if !blocks.any(|code| code.text.lines().any(shows)) {
                    problems.push(Problem::new(
                        lesson.readme_path(),
                        section.line,
                        format!("the section of step {step} does not show `{start})`"),
                        format!(
                            "add a ```{language} block with the line `{start})`; \
                             `cargo xtask sync` writes the rest"
                        ),
                    ));
                }
            }
        }
    }
    problems
}

/// The Python counterpart has the same steps in the same order, where Python is there to say so.
pub(super) fn counterparts_list_the_same(checkout: &Checkout) -> Vec<Problem> {
    let mut problems = Vec::new();
    for lesson in &checkout.lessons {
        let (Ok(steps), Some(listed)) = (&lesson.steps, &lesson.python_steps) else {
            continue;
        };
        let what = match listed {
            Ok(listed) if listed == steps => continue,
            Ok(listed) => format!("`--list` names the steps {}", listed.join(", ")),
            Err(reason) => format!("`--list` does not name the steps: {reason}"),
        };
        problems.push(Problem::new(
            lesson.folder.join(format!("{}.py", lesson.name)),
            1,
            what,
            format!(
                "make `STEPS` there the steps of the lesson: {}",
                steps.join(", ")
            ),
        ));
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::{
        code_is_shown, counterparts_list_the_same, files_are_there, functions_exist,
        runs_are_shown, sections_match_steps,
    };
    use crate::check::fixture::{Fixture, problems};

    #[test]
    fn a_lesson_in_order_has_no_problem() {
        let checkout = Fixture::new().checkout();
        let rules = [
            files_are_there,
            sections_match_steps,
            functions_exist,
            runs_are_shown,
            code_is_shown,
            counterparts_list_the_same,
        ];
        for rule in rules {
            assert_eq!(problems(rule, &checkout), [""; 0]);
        }
    }

    #[test]
    fn a_missing_readme_or_counterpart_is_refused() {
        let fixture = Fixture::new();
        fixture.remove("lessons/pool/README.md");
        fixture.remove("lessons/pool/pool.py");
        let found = problems(files_are_there, &fixture.checkout());
        assert!(found[0].starts_with("lessons/pool/README.md:1: lesson pool has no README"));
        assert!(found[1].starts_with("lessons/pool/pool.py:1: lesson pool has no Python"));
    }

    #[test]
    fn another_title_is_refused() {
        let fixture = Fixture::new();
        fixture.replace("lessons/pool/README.md", "# Pool", "# Pol");
        let found = problems(files_are_there, &fixture.checkout());
        assert!(found[0].contains("title is \"Pol: workers\""), "{found:?}");
    }

    #[test]
    fn a_step_without_a_section_is_refused() {
        let fixture = Fixture::new();
        fixture.replace("lessons/pool/README.md", "## in-order: ", "## ");
        let found = problems(sections_match_steps, &fixture.checkout());
        assert_eq!(found.len(), 1);
        assert!(
            found[0].contains("step in-order has no section"),
            "{found:?}"
        );
    }

    #[test]
    fn a_section_without_a_step_or_twice_is_refused_with_its_line() {
        let fixture = Fixture::new();
        fixture.append("lessons/pool/README.md", "\n## order: x\n\n## map: y\n");
        let lines = fixture.read("lessons/pool/README.md").lines().count();
        let found = problems(sections_match_steps, &fixture.checkout());
        let expected = format!("lessons/pool/README.md:{}: the section is about", lines - 2);
        assert!(found[0].starts_with(&expected), "{found:?}");
        assert!(
            found[1].contains("step map has a second section"),
            "{found:?}"
        );
    }

    #[test]
    fn sections_in_another_order_are_refused() {
        let mut checkout = Fixture::new().checkout();
        checkout.lessons[0].steps.as_mut().unwrap().reverse();
        let found = problems(sections_match_steps, &checkout);
        assert!(found[0].contains("in the order map, in-order"), "{found:?}");
    }

    #[test]
    fn a_lesson_that_cannot_list_its_steps_is_refused() {
        let mut checkout = Fixture::new().checkout();
        checkout.lessons[0].steps = Err("it does not build".to_owned());
        let found = problems(sections_match_steps, &checkout);
        assert!(found[0].contains("it does not build"), "{found:?}");
    }

    #[test]
    fn a_missing_function_is_refused_in_either_language() {
        let fixture = Fixture::new();
        fixture.replace(
            "lessons/pool/src/main.rs",
            "fn in_order(",
            "fn in_disorder(",
        );
        fixture.replace("lessons/pool/pool.py", "def map(", "def mapped(");
        let found = problems(functions_exist, &fixture.checkout());
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(
            found[0].contains("no function `map` in Python"),
            "{found:?}"
        );
        assert!(
            found[1].contains("no function `in_order` in src"),
            "{found:?}"
        );
    }

    #[test]
    fn a_run_of_another_step_is_no_run_of_this() {
        let fixture = Fixture::new();
        fixture.replace(
            "lessons/pool/README.md",
            "-p pool -- map",
            "-p pool -- in-order",
        );
        let found = problems(runs_are_shown, &fixture.checkout());
        assert_eq!(found.len(), 1);
        assert!(
            found[0].contains("`$ cargo run -q -p pool -- map`"),
            "{found:?}"
        );
    }

    #[test]
    fn a_section_that_does_not_show_its_function_is_refused_in_either_language() {
        let fixture = Fixture::new();
        let readme = "lessons/pool/README.md";
        fixture.replace(
            readme,
            "```python\ndef in_order():",
            "```python\ndef map():",
        );
        fixture.replace(readme, "```rust\nfn in_order()", "```text\nfn in_order()");
        let found = problems(code_is_shown, &fixture.checkout());
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(
            found[0].contains("step in-order does not show `fn in_order()`"),
            "{found:?}"
        );
        assert!(
            found[1].contains("step in-order does not show `def in_order()`"),
            "{found:?}"
        );
    }

    #[test]
    fn a_counterpart_with_other_steps_is_refused() {
        let mut checkout = Fixture::new().checkout();
        checkout.lessons[0].python_steps = Some(Ok(vec!["map".to_owned()]));
        let found = problems(counterparts_list_the_same, &checkout);
        assert!(
            found[0].starts_with("lessons/pool/pool.py:1: `--list` names the steps map\n"),
            "{found:?}"
        );
        assert!(
            found[0].contains("the steps of the lesson: map, in-order"),
            "{found:?}"
        );
        checkout.lessons[0].python_steps = Some(Err("it hangs".to_owned()));
        let found = problems(counterparts_list_the_same, &checkout);
        assert!(found[0].contains("it hangs"), "{found:?}");
    }
}
