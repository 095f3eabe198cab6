use std::fs;

use anyhow::Context;

use super::Subject;
use course::document::{Block, Document, Section};
use course::excerpt::{FIX, excerpt};

/// Updates the code blocks that differ from the programs, and reports each.
pub(super) fn fix(subject: &mut Subject) -> anyhow::Result<()> {
    let path = subject.lesson.readme_path();
    let mut edits = Vec::new();
    for code in subject.readme.code() {
        if let Some(excerpt) = excerpt(code, &subject.sources) {
            for fault in excerpt.faults.iter().filter(|fault| fault.help == FIX) {
                let line = code.line + fault.line;
                let updated = format!("updated {}", fault.item);
                subject.report.add(&path, line, updated, "");
            }
            edits.push((code.place.clone(), excerpt.text));
        }
    }
    let text = subject.readme.edited(edits);
    if text != subject.readme.text {
        fs::write(&path, &text).with_context(|| path.display().to_string())?;
    }
    subject.readme = Document::parse(&text);
    Ok(())
}

/// Compares the title with the manifest, the code with the programs, and the sections with the steps.
pub(super) fn check(subject: &Subject) {
    let (lesson, readme, steps) = (subject.lesson, &subject.readme, &subject.steps);
    if readme.title != lesson.title {
        let what = format!("the title is not \"{}\" as in Cargo.toml", lesson.title);
        subject.problem(1, what, "change one of them");
    }
    for code in readme.code() {
        let excerpt = excerpt(code, &subject.sources);
        for fault in excerpt.iter().flat_map(|excerpt| &excerpt.faults) {
            subject.problem(code.line + fault.line, &fault.what, fault.help);
        }
    }
    let shown: Vec<&str> = readme.steps().collect();
    if shown != *steps {
        let what = format!("the sections show the steps {}", shown.join(", "));
        let steps = steps.join(", ");
        let help = format!("write a section `## STEP: …` for each step in this order: {steps}");
        subject.problem(1, what, help);
    }
    for section in &readme.sections {
        if let Some(step) = section.step.as_ref().filter(|step| steps.contains(step)) {
            check_section(subject, section, step);
        }
    }
}

/// Checks that the section of a step has all its parts.
fn check_section(subject: &Subject, section: &Section, step: &str) {
    let is_question = |block: &Block| matches!(block, Block::Prose(text) if text.contains("?**"));
    let shows = |language, start: &str| {
        let blocks = section.code().filter(|code| code.language() == language);
        let mut lines = blocks.flat_map(|code| code.text.lines());
        lines.any(|line| line.contains(start) && !line.starts_with(' '))
    };
    let function = step.replace('-', "_");
    let (python, rust) = (format!("def {function}("), format!("fn {function}("));
    let run = course::command(&subject.lesson.name, step);
    let parts = [
        (section.blocks.iter().any(is_question), "question", "**…?**"),
        (shows("python", &python), "```python block", &python),
        (shows("rust", &rust), "```rust block", &rust),
        (shows("console", &run), "```console block", &run),
    ];
    for (_, part, text) in parts.iter().filter(|(is_there, ..)| !is_there) {
        let what = format!("the section of step {step} has no {part} `{text}`");
        let help = "add it; `cargo xtask check --fix` completes code blocks";
        subject.problem(section.line, what, help);
    }
}
