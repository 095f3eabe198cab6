use super::Numbered;

/// Lines of a transcript beside those of a run, in order, with as few differences as can be.
pub(super) struct Alignment<'a> {
    pub(super) rows: Vec<Row<'a>>,
}

#[derive(Debug, PartialEq)]
pub(super) enum Row<'a> {
    /// A line that the transcript allows, with its place there.
    Same(usize, &'a str),
    /// A line of the transcript that was not printed.
    Missing(usize, &'a str),
    /// A line that was printed and is not in the transcript.
    Extra(&'a str),
}

impl Alignment<'_> {
    pub(super) fn is_same(&self) -> bool {
        self.rows.iter().all(|row| matches!(row, Row::Same(..)))
    }
}

/// Lays lines in their order beside those that were printed. A gap takes any number of lines.
pub(super) fn align<'a>(expected: &[Numbered<'a>], printed: &[&'a str]) -> Alignment<'a> {
    let differences = differences(expected, printed);
    let mut rows = Vec::new();
    let (mut line, mut place) = (0, 0);
    while line < expected.len() || place < printed.len() {
        let here = differences[line][place];
        let down = differences.get(line + 1);
        let next = expected.get(line);
        match (next, printed.get(place)) {
            (Some((_, gap)), _) if gap.is_gap() && down.is_some_and(|row| row[place] == here) => {
                line += 1;
            }
            (Some((_, gap)), Some(_)) if gap.is_gap() => place += 1,
            (Some((number, wanted)), Some(text))
                if wanted.allows(text) && down.is_some_and(|row| row[place + 1] == here) =>
            {
                rows.push(Row::Same(*number, text));
                line += 1;
                place += 1;
            }
            (Some((number, wanted)), _) if down.is_some_and(|row| row[place] + 1 == here) => {
                rows.push(Row::Missing(*number, wanted.text()));
                line += 1;
            }
            (_, Some(text)) => {
                rows.push(Row::Extra(text));
                place += 1;
            }
            (_, None) => break,
        }
    }
    Alignment { rows }
}

/// Gives for each place in both lists how many lines differ from there on, at the least.
fn differences(expected: &[Numbered], printed: &[&str]) -> Vec<Vec<usize>> {
    let mut table = vec![vec![0; printed.len() + 1]; expected.len() + 1];
    for line in (0..=expected.len()).rev() {
        for place in (0..=printed.len()).rev() {
            let wanted = expected.get(line).map(|(_, wanted)| *wanted);
            let text = printed.get(place);
            let is_gap = wanted.is_some_and(super::line::Line::is_gap);
            let cost = usize::from(!is_gap);
            let missing = wanted.map(|_| table[line + 1][place] + cost);
            let extra = text.map(|_| table[line][place + 1] + cost);
            let same = match (wanted, text) {
                (Some(wanted), Some(text)) if !is_gap && wanted.allows(text) => {
                    Some(table[line + 1][place + 1])
                }
                _ => None,
            };
            table[line][place] = [same, missing, extra]
                .into_iter()
                .flatten()
                .min()
                .unwrap_or(0);
        }
    }
    table
}
