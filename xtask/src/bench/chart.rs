//! The findings as a picture: a bar for each side, as long as its time.

use std::fmt::Write;

use crate::bench::finding::{Finding, Measured, amount};
use crate::bench::machine::Machine;
use crate::svg::escaped;

const WIDTH: f64 = 760.0;
const MARGIN: f64 = 16.0;
/// Where the bars begin.
const BARS: f64 = 180.0;
/// The longest bar.
const LONGEST: f64 = 400.0;
const BAR: f64 = 13.0;
const LINE: f64 = 19.0;
const TITLE: f64 = 24.0;
const GAP: f64 = 12.0;

/// Draws the findings as an SVG, on a ground of its own, so that it can be seen on light and dark
/// pages. Within a row the slowest side is as long as can be; rows are not to be compared.
pub(crate) fn svg(findings: &[Finding], machine: &Machine) -> String {
    let mut body = String::new();
    let mut y = MARGIN + LINE;
    text(
        &mut body,
        MARGIN,
        y,
        "title",
        "Time of one operation: shorter is better",
    );
    y += LINE;
    let words = machine.words();
    text(&mut body, MARGIN, y, "note", &words);
    y += GAP;
    for finding in findings {
        let medians = finding.sides.iter().filter_map(Measured::median);
        let Some(slowest) = medians.max_by(f64::total_cmp) else {
            continue;
        };
        y += TITLE;
        text(&mut body, MARGIN, y, "row", finding.row.title);
        for measured in &finding.sides {
            let Some(median) = measured.median() else {
                continue;
            };
            y += LINE;
            bar(&mut body, y, median / slowest, measured, finding);
        }
        y += GAP;
    }
    let height = y + MARGIN;
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" \
         font-family=\"sans-serif\" font-size=\"13\" role=\"img\">\n\
         <title>Speed of multiprocess beside others</title>\n\
         <style>.title {{ font-size: 16px; font-weight: bold }} .note {{ font-size: 10px }} \
         .row {{ font-weight: bold }} text {{ fill: #1f2328 }} rect {{ stroke: #1f2328 }} \
         .ours {{ fill: #1f4e9c }} .python {{ fill: #f2c744 }} .other {{ fill: #d0d4da }}</style>\n\
         <rect width=\"100%\" height=\"100%\" style=\"fill: #ffffff; stroke: none\"/>\n\
         {body}</svg>\n"
    )
}

fn bar(body: &mut String, y: f64, part: f64, measured: &Measured, finding: &Finding) {
    let side = measured.side;
    let kind = if side.name == "ours" {
        "ours"
    } else if side.by.is_python() {
        "python"
    } else {
        "other"
    };
    // The shortest can still be seen.
    let length = (LONGEST * part).max(1.0);
    let top = y - BAR + 2.0;
    text(body, MARGIN + 12.0, y, "side", side.title);
    let _ = writeln!(
        body,
        "<rect class=\"{kind}\" x=\"{BARS}\" y=\"{top}\" width=\"{length:.1}\" height=\"{BAR}\"/>"
    );
    let median = measured.median().unwrap_or_default();
    let words = amount(median, finding.row.shown);
    text(body, BARS + length + 6.0, y, "amount", &words);
}

fn text(body: &mut String, x: f64, y: f64, class: &str, words: &str) {
    let words = escaped(words);
    let _ = writeln!(
        body,
        "<text class=\"{class}\" x=\"{x:.1}\" y=\"{y}\">{words}</text>"
    );
}

#[cfg(test)]
mod tests {
    use super::svg;
    use crate::bench::finding::Finding;
    use crate::bench::machine::Machine;
    use crate::bench::rows::ROWS;

    #[test]
    fn the_slowest_bar_is_the_longest_and_what_was_not_measured_has_none() {
        let row = ROWS.iter().find(|row| row.name == "lock").unwrap();
        let mut finding = Finding::new(row);
        finding.sides[0].nanoseconds = vec![20.0];
        finding.sides[2].nanoseconds = vec![80.0];
        let machine = Machine {
            cores: 2,
            processor: "A & B <fast>".to_owned(),
            system: String::new(),
            rust: String::new(),
            python: String::new(),
            date: String::new(),
            load: String::new(),
            busy: None,
        };
        let picture = svg(&[finding], &machine);
        assert!(picture.contains("class=\"ours\" x=\"180\""), "{picture}");
        assert!(picture.contains("width=\"100.0\""), "{picture}");
        assert!(picture.contains("width=\"400.0\""), "{picture}");
        assert!(!picture.contains("bare robust mutex"), "{picture}");
        assert!(picture.contains("A &amp; B &lt;fast&gt;"), "{picture}");
    }
}
