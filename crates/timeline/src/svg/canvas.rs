//! The elements of the SVG.

use std::fmt::Write;

/// What has been drawn so far. Coordinates are of the middle of a rectangle's left side, and of a text's baseline.
#[derive(Default)]
pub(super) struct Canvas(String);

const STYLE: &str = "\
text{font:11px sans-serif;fill:#111}.t{font:bold 15px sans-serif}.p{font:bold 12px sans-serif}\
.n{font:12px sans-serif}.w{fill:#fff}.a{font-size:10px;fill:#444}.middle{text-anchor:middle}\
.end{text-anchor:end;paint-order:stroke;stroke:#fff;stroke-width:3}\
.there{stroke:#888;stroke-width:1.5}.task{fill:#fff;stroke:#111}.hold{fill:#16365c;stroke:#16365c}\
.wait{fill:url(#hatch);stroke:#777;stroke-width:.6}.grid{stroke:#ddd}.put,.over{fill:#111}\
.got,.note{fill:#fff;stroke:#111}.note{rx:3px}.dead{stroke:#111;stroke-width:3}\
.arrow{fill:none;stroke:#777;marker-end:url(#head)}.soft{stroke-dasharray:3 2}";

const DEFINITIONS: &str = "\
<pattern id=\"hatch\" width=\"5\" height=\"5\" patternUnits=\"userSpaceOnUse\" patternTransform=\"rotate(45)\">\
<rect width=\"5\" height=\"5\" fill=\"#fff\"/><path d=\"M0 0V5\" stroke=\"#777\" stroke-width=\"2\"/></pattern>\
<marker id=\"head\" viewBox=\"0 0 6 6\" refX=\"6\" refY=\"3\" markerWidth=\"6\" markerHeight=\"6\" orient=\"auto\">\
<path d=\"M0 0L6 3L0 6z\" fill=\"#777\"/></marker>\
<path id=\"put\" class=\"put\" d=\"M0-7L4.500 1H-4.500z\"/><path id=\"got\" class=\"got\" d=\"M0 7L4.500-1H-4.500z\"/>\
<path id=\"over\" class=\"over\" d=\"M-4-4H4V4H-4z\"/><path id=\"dead\" class=\"dead\" d=\"M-5-6L5 6M-5 6L5-6\"/>";

impl Canvas {
    pub(super) fn text(&mut self, class: &str, x: f64, y: f64, words: &str) {
        let words = escaped(words);
        let place = format!(r#"x="{x:.1}" y="{y:.1}""#);
        let _ = writeln!(self.0, r#"<text class="{class}" {place}>{words}</text>"#);
    }

    pub(super) fn rect(&mut self, class: &str, x: f64, y: f64, width: f64, height: f64) {
        let place = format!(r#"x="{x:.1}" y="{:.1}""#, y - height / 2.0);
        let size = format!(r#"width="{width:.1}" height="{height}""#);
        let _ = writeln!(self.0, r#"<rect class="{class}" {place} {size}/>"#);
    }

    /// Draws a path that begins at a point and continues with `rest`.
    pub(super) fn path(&mut self, class: &str, x: f64, y: f64, rest: &str) {
        let line = format!("M{x:.1} {y:.1}{rest}");
        let _ = writeln!(self.0, r#"<path class="{class}" d="{line}"/>"#);
    }

    pub(super) fn symbol(&mut self, id: &str, x: f64, y: f64) {
        let _ = writeln!(self.0, r##"<use href="#{id}" x="{x:.1}" y="{y:.1}"/>"##);
    }

    pub(super) fn has_drawn(&self, class: &str) -> bool {
        let quoted = [format!("\"{class}\""), format!("\"#{class}\"")];
        quoted.iter().any(|class| self.0.contains(class))
    }

    /// Returns the whole file.
    pub(super) fn document(&self, width: f64, height: f64, title: &str) -> String {
        let (title, body) = (escaped(title), &self.0);
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
             height=\"{height}\" role=\"img\">\n<title>{title}: what ran when</title>\n\
             <style>{STYLE}</style>\n<defs>{DEFINITIONS}</defs>\n\
             <rect width=\"{width}\" height=\"{height}\" fill=\"#fff\"/>\n{body}</svg>\n"
        )
    }
}

/// Returns the approximate width of a text, without knowing the font.
pub(super) fn text_width(words: &str) -> f64 {
    5.76 * f64::from(u32::try_from(words.chars().count()).unwrap_or(u32::MAX))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
