//! What a picture is made of, and the explanation below it.

use std::fmt::Write;

use super::words::text_width;

/// The order of the legend.
const ORDER: [&str; 10] = [
    "there", "task", "wait", "hold", "note", "put", "got", "soft", "arrow", "dead",
];

pub(super) const STYLE: &str = "\
text{font:11px sans-serif;fill:#111}.t{font:bold 15px sans-serif}.p{font:bold 12px sans-serif}\
.n{font:12px sans-serif}.w{fill:#fff}.a{font-size:10px;fill:#444}\
.there{stroke:#888;stroke-width:1.5}.task{fill:#fff;stroke:#111}.hold{fill:#16365c;stroke:#16365c}\
.wait{fill:url(#hatch);stroke:#777;stroke-width:.6}.grid{stroke:#ddd}\
.put{fill:#111}.got{fill:#fff;stroke:#111}.dead{stroke:#111;stroke-width:3}\
.note{fill:#fff;stroke:#111}.arrow{fill:none;stroke:#777;marker-end:url(#head)}.soft{stroke-dasharray:3 2}";

pub(super) const DEFINITIONS: &str = "\
<pattern id=\"hatch\" width=\"5\" height=\"5\" patternUnits=\"userSpaceOnUse\" patternTransform=\"rotate(45)\">\
<rect width=\"5\" height=\"5\" fill=\"#fff\"/><path d=\"M0 0V5\" stroke=\"#777\" stroke-width=\"2\"/></pattern>\
<marker id=\"head\" viewBox=\"0 0 6 6\" refX=\"6\" refY=\"3\" markerWidth=\"6\" markerHeight=\"6\" orient=\"auto\">\
<path d=\"M0 0L6 3L0 6z\" fill=\"#777\"/></marker>\
<path id=\"put\" class=\"put\" d=\"M0-7L4.500 1H-4.500z\"/><path id=\"got\" class=\"got\" d=\"M0 7L4.500-1H-4.500z\"/>\
<path id=\"dead\" class=\"dead\" d=\"M-5-6L5 6M-5 6L5-6\"/>";

const LEFT: f64 = 14.0;

/// The classes that a picture has used.
#[derive(Default)]
pub(super) struct Legend(Vec<&'static str>);

impl Legend {
    pub(super) fn explain(&mut self, class: &'static str) {
        if !self.0.contains(&class) {
            self.0.push(class);
        }
    }

    /// Draws the legend at a height, in as many lines as it needs, and gives the height of the last.
    pub(super) fn draw(mut self, body: &mut String, mut y: f64, width: f64) -> f64 {
        let mut x = LEFT;
        body.push('\n');
        self.0
            .sort_by_key(|class| ORDER.iter().position(|known| known == class));
        for class in self.0 {
            let words = meaning(class);
            if x + 26.0 + text_width(words) > width {
                (x, y) = (LEFT, y + 18.0);
            }
            let _ = match class {
                "put" | "got" | "dead" => write!(
                    body,
                    "<use href=\"#{class}\" x=\"{}\" y=\"{y}\"/>",
                    x + 10.0
                ),
                "there" => write!(body, "<path class=\"there\" d=\"M{x} {y}h20\"/>"),
                "soft" => write!(body, "<path class=\"arrow soft\" d=\"M{x} {y}h20\"/>"),
                "arrow" => write!(body, "<path class=\"arrow\" d=\"M{x} {y}h20\"/>"),
                class => write!(
                    body,
                    "<rect class=\"{class}\" x=\"{x}\" y=\"{}\" width=\"20\" height=\"10\"/>",
                    y - 5.0
                ),
            };
            x += 26.0;
            let _ = write!(body, "<text x=\"{x}\" y=\"{}\">{words}</text>", y + 4.0);
            x += text_width(words) + 20.0;
        }
        body.push('\n');
        y
    }
}

/// Says what something in a picture, or in the lanes on a terminal, means.
pub(super) fn meaning(class: &str) -> &'static str {
    match class {
        "there" => "is there",
        "task" => "runs a function",
        "wait" => "waits",
        "hold" => "holds a lock",
        "note" => "notes what it does",
        "put" => "puts",
        "got" => "gets",
        "dead" => "is killed or fails",
        "soft" => "starts, ends",
        _ => "hands over",
    }
}
