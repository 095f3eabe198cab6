use super::Language;
use super::example::examples;
use crate::source::Source;

/// Lines that stand together: a file, or an example in its documentation as a reader sees it.
#[derive(Debug)]
pub(super) struct Passage<'a> {
    source: &'a Source,
    pub(super) lines: Vec<&'a str>,
    /// The lines in the file, counted from 1.
    numbers: Vec<usize>,
    /// Whether it is an example that must not compile.
    pub(super) is_refused: bool,
    /// Its place among the passages of the file.
    pub(super) number: usize,
}

impl Passage<'_> {
    /// Gives the file and line of a line, or of the end.
    pub(super) fn place(&self, line: usize) -> String {
        let last = self.numbers.last().map_or(1, |last| last + 1);
        let number = self.numbers.get(line).copied().unwrap_or(last);
        format!("{}:{number}", self.source.path.display())
    }
}

/// Gives a file, and if it is Rust each example in its documentation.
pub(super) fn passages(source: &Source, language: Language) -> Vec<Passage<'_>> {
    let whole = (false, source.text.lines().enumerate().collect::<Vec<_>>());
    let mut parts = vec![whole];
    if language == Language::Rust {
        let examples = examples(&source.text).into_iter();
        parts.extend(examples.map(|example| (example.is_refused, example.lines)));
    }
    let parts = parts.into_iter().enumerate();
    parts
        .map(|(number, (is_refused, lines))| Passage {
            source,
            numbers: lines.iter().map(|(number, _)| number + 1).collect(),
            lines: lines.into_iter().map(|(_, line)| line).collect(),
            is_refused,
            number,
        })
        .collect()
}
