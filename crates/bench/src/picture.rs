//! The results as a picture: a bar for each side, as long as its time.

use std::fmt::Write;

use crate::results::{RowResults, SideResults, amount};
use crate::rows::Program;

const STYLE: &str = "<title>Speed of multiprocess beside others</title>
<style>.title { font-size: 16px; font-weight: bold } .note { font-size: 10px } .row { font-weight: bold } \
text { fill: #1f2328 } rect { stroke: #1f2328 } \
.ours { fill: #1f4e9c } .python { fill: #f2c744 } .other { fill: #d0d4da }</style>
<rect width=\"100%\" height=\"100%\" style=\"fill: #ffffff; stroke: none\"/>";

/// Draws the results as an SVG, on a background of its own, for light and dark pages. Only the bars of one row can be
/// compared: its slowest side has the longest.
pub(crate) fn svg(results: &[RowResults], machine: &str) -> String {
    let mut y = 54.0;
    let title = "Time of one operation: shorter is better";
    let mut body = text(16.0, 35.0, "title", title);
    body += &text(16.0, y, "note", machine);
    for RowResults { row, sides } in results {
        let medians = sides.iter().filter_map(SideResults::median);
        let slowest = medians.fold(0.0, f64::max);
        y += 36.0;
        body += &text(16.0, y, "row", row.title);
        for (index, side) in sides.iter().enumerate() {
            let Some(median) = side.median() else {
                continue;
            };
            y += 19.0;
            let class = match side.side.program {
                _ if index == 0 => "ours",
                Program::Python(_) => "python",
                _ => "other",
            };
            // The shortest bar is still visible.
            let (length, top) = ((400.0 * median / slowest).max(1.0), y - 11.0);
            body += &text(28.0, y, "side", side.side.title);
            let _ = writeln!(
                body,
                "<rect class=\"{class}\" x=\"190\" y=\"{top}\" width=\"{length:.1}\" height=\"13\"/>"
            );
            let amount = amount(median, row.is_rate);
            body += &text(196.0 + length, y, "amount", &amount);
        }
    }
    let height = y + 28.0;
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 770 {height}\" \
         font-family=\"sans-serif\" font-size=\"13\" role=\"img\">\n{STYLE}\n{body}</svg>\n"
    )
}

fn text(x: f64, y: f64, class: &str, words: &str) -> String {
    let words = words.replace('&', "&amp;").replace('<', "&lt;");
    format!("<text class=\"{class}\" x=\"{x:.1}\" y=\"{y}\">{words}</text>\n")
}

#[cfg(test)]
mod tests {
    use super::svg;
    use crate::results::tests::results;

    #[test]
    fn the_slowest_bar_is_the_longest_and_what_was_not_measured_has_none() {
        let lock = results("lock", &[&[20.0], &[], &[80.0]]);
        let picture = svg(&[lock], "A & B <fast>");
        assert!(picture.contains("width=\"100.0\""), "{picture}");
        assert!(picture.contains("width=\"400.0\""), "{picture}");
        assert!(!picture.contains("bare robust mutex"), "{picture}");
        assert!(picture.contains("A &amp; B &lt;fast>"), "{picture}");
    }
}
