//! The picture of a run, as SVG. It is drawn in black, white and dark blue, with shapes and hatching that can be told
//! apart in print, on a ground of its own, so that it can be read on a dark page.

use std::fmt::Write;

use super::axis;
use super::legend::{DEFINITIONS, Legend, STYLE};
use super::model::{Because, Kind, Lane, Mark, Part, Sign, Span, Timeline};
use super::words::{LETTER, description, text_width, time};
use crate::svg::escaped;

const WIDTH: f64 = 820.0;
const RIGHT: f64 = 24.0;
const LANE: f64 = 27.0;
const LONGEST_NAME: usize = 20;
/// A span that is narrower has no room for a word.
const NARROW: f64 = 14.0;
/// More arrows of a kind than that hide what they should show.
const MOST_ARROWS: usize = 40;
/// The same for the starts and ends of processes, whose arrows go from far to far.
const MOST_STARTS: usize = 6;

/// Draws the timeline.
pub(super) fn svg(title: &str, timeline: &Timeline) -> String {
    let mut picture = Picture::new(timeline);
    let _ = write!(
        picture.body,
        "<text class=\"t\" x=\"12\" y=\"24\">{}</text>",
        escaped(title)
    );
    picture.y = 34.0;
    let parts: Vec<&Part> = timeline.shown_parts().collect();
    for part in &parts {
        picture.part(part, common_length(&parts).unwrap_or(part.length()));
    }
    let legend = std::mem::take(&mut picture.legend);
    let height = legend.draw(&mut picture.body, picture.y + 8.0, WIDTH) + 16.0;
    let body = &picture.body;
    let title = escaped(title);
    let description = escaped(&description(timeline, &parts));
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" \
         height=\"{height}\" role=\"img\" aria-labelledby=\"title desc\">\n\
         <title id=\"title\">{title}: what ran when</title>\n<desc id=\"desc\">{description}</desc>\n\
         <style>{STYLE}</style>\n<defs>{DEFINITIONS}</defs>\n\
         <rect width=\"{WIDTH}\" height=\"{height}\" fill=\"#fff\"/>\n{body}</svg>\n"
    )
}

/// Parts that are about as long as each other are drawn to one scale, so that their lengths can be compared.
fn common_length(parts: &[&Part]) -> Option<u64> {
    let longest = parts.iter().map(|part| part.length()).max()?;
    let shortest = parts.iter().map(|part| part.length()).min()?;
    (longest / shortest <= 5).then_some(longest)
}

struct Picture<'a> {
    timeline: &'a Timeline,
    body: String,
    left: f64,
    y: f64,
    legend: Legend,
}

impl<'a> Picture<'a> {
    fn new(timeline: &'a Timeline) -> Self {
        let names = timeline
            .lanes
            .iter()
            .map(|lane| shortened(&lane.name).chars().count());
        let longest = u32::try_from(names.max().unwrap_or(0)).unwrap_or(0);
        Self {
            timeline,
            body: String::new(),
            left: 24.0 + LETTER * f64::from(longest) * 1.05,
            y: 0.0,
            legend: Legend::default(),
        }
    }

    fn part(&mut self, part: &Part, length: u64) {
        let title = part.heading();
        if !title.is_empty() {
            self.y += 20.0;
            let _ = write!(
                self.body,
                "\n<text class=\"p\" x=\"12\" y=\"{}\">{} ({})</text>",
                self.y,
                escaped(title),
                time(part.length())
            );
            self.y += 6.0;
        }
        let lanes: Vec<(usize, &Lane)> = self.timeline.lanes_in(part).collect();
        let scale = Scale {
            part,
            length,
            left: self.left,
        };
        let top = self.y;
        let rows = |lane: usize| {
            let row = lanes.iter().position(|(number, _)| *number == lane)?;
            Some(top + LANE * (f64::from(u32::try_from(row).ok()?) + 0.5))
        };
        self.y += LANE * f64::from(u32::try_from(lanes.len()).unwrap_or(0));
        self.axis(&scale, top);
        self.arrows(&scale, rows);
        for &(number, lane) in &lanes {
            if let Some(y) = rows(number) {
                self.lane(lane, &scale, y);
            }
        }
        self.y += 22.0;
    }

    fn axis(&mut self, scale: &Scale, top: f64) {
        let bottom = self.y;
        for (at, words) in axis::ticks(scale.part.length().min(scale.length)) {
            let x = scale.x(scale.part.start + at);
            let _ = write!(
                self.body,
                "<path class=\"grid\" d=\"M{x:.1} {top}V{bottom}\"/>\
                 <text class=\"a\" x=\"{x:.1}\" y=\"{}\" text-anchor=\"middle\">{words}</text>",
                bottom + 12.0
            );
        }
    }

    fn arrows(&mut self, scale: &Scale, row: impl Fn(usize) -> Option<f64>) {
        for (kind, is_soft) in [
            (Because::Started, true),
            (Because::Joined, true),
            (Because::Message, false),
            (Because::Lock, false),
        ] {
            let all = self
                .timeline
                .arrows
                .iter()
                .filter(|arrow| arrow.kind == kind);
            let drawn: Vec<_> = all
                .filter(|arrow| scale.shows(arrow.from.1) && scale.shows(arrow.to.1))
                .collect();
            if drawn.len() > if is_soft { MOST_STARTS } else { MOST_ARROWS } {
                continue;
            }
            for arrow in drawn {
                let (Some(from), Some(to)) = (row(arrow.from.0), row(arrow.to.0)) else {
                    continue;
                };
                let soft = if is_soft { " soft" } else { "" };
                let _ = write!(
                    self.body,
                    "<path class=\"arrow{soft}\" d=\"M{:.1} {from}L{:.1} {:.1}\"/>",
                    scale.x(arrow.from.1),
                    scale.x(arrow.to.1),
                    if from < to { to - 7.0 } else { to + 7.0 }
                );
                self.legend.explain(if is_soft { "soft" } else { "arrow" });
            }
        }
    }

    fn lane(&mut self, lane: &Lane, scale: &Scale, y: f64) {
        let name = escaped(&shortened(&lane.name));
        let _ = write!(
            self.body,
            "\n<text class=\"n\" x=\"12\" y=\"{:.1}\">{name}</text>",
            y + 4.0
        );
        let (start, end) = (scale.x(lane.start), scale.x(lane.end));
        let _ = write!(
            self.body,
            "<path class=\"there\" d=\"M{start:.1} {y}H{end:.1}\"/>"
        );
        self.legend.explain("there");
        for kind in [Kind::Task, Kind::Wait, Kind::Hold] {
            let mut drawn_to = f64::MIN;
            for span in lane.spans.iter().filter(|span| span.kind == kind) {
                if !scale.part.touches(span.start, span.end) {
                    continue;
                }
                let (start, end) = (scale.x(span.start), scale.x(span.end));
                // What is too narrow to be seen is left away where it is a wait, and where another one is.
                let is_narrow = end - start < 1.0;
                if is_narrow && (kind == Kind::Wait || start < drawn_to) {
                    continue;
                }
                drawn_to = end.max(start + 1.0);
                self.span(lane, span, scale, y);
            }
        }
        self.marks(lane, scale, y);
    }

    fn span(&mut self, lane: &Lane, span: &Span, scale: &Scale, y: f64) {
        let (class, height) = match span.kind {
            Kind::Task => ("task", 16.0),
            Kind::Wait => ("wait", 10.0),
            Kind::Hold => ("hold", 16.0),
        };
        self.legend.explain(class);
        let x = scale.x(span.start);
        let width = (scale.x(span.end) - x).max(1.2);
        let top = y - height / 2.0;
        let _ = write!(
            self.body,
            "<rect class=\"{class}\" x=\"{x:.1}\" y=\"{top}\" width=\"{width:.1}\" height=\"{height}\"/>"
        );
        self.words(lane, span, scale, y);
    }

    /// Writes what a span is, where nothing else is drawn: in it, or behind it where it is narrow.
    fn words(&mut self, lane: &Lane, span: &Span, scale: &Scale, y: f64) {
        let (x, end) = (scale.x(span.start), scale.x(span.end));
        let is_narrow = end - x < NARROW && span.kind == Kind::Task;
        let (words, class) = match span.kind {
            Kind::Task if is_narrow => (span.label.as_str(), " class=\"a\""),
            Kind::Task => (span.label.as_str(), ""),
            Kind::Hold => (span.label.trim_start_matches("a "), " class=\"w\""),
            Kind::Wait => return,
        };
        let spans = lane
            .spans
            .iter()
            .filter(|other| other.kind > span.kind || is_narrow);
        let next = spans
            .map(|other| other.start)
            .chain(lane.marks.iter().map(|mark| mark.at));
        let next = next
            .filter(|&at| at > span.start || (at == span.start && !is_narrow))
            .min();
        let limit = if is_narrow { lane.end } else { span.end };
        let free_to = scale.x(next.unwrap_or(limit).min(limit));
        let (x, y) = if is_narrow {
            (end + 2.0, y - 3.0)
        } else {
            (x + 4.0, y + 4.0)
        };
        let short = words.split(", ").last().unwrap_or(words);
        let fits = |words: &&str| text_width(words) < free_to - x - 1.0;
        if let Some(words) = [words, short].into_iter().find(fits) {
            let words = escaped(words);
            let _ = write!(
                self.body,
                "<text{class} x=\"{x:.1}\" y=\"{y:.1}\">{words}</text>"
            );
        }
    }

    fn marks(&mut self, lane: &Lane, scale: &Scale, y: f64) {
        let marks: Vec<&Mark> = lane
            .marks
            .iter()
            .filter(|mark| scale.shows(mark.at))
            .collect();
        for (index, mark) in marks.iter().enumerate() {
            let x = scale.x(mark.at);
            let class = match mark.sign {
                Sign::Note => {
                    let next = marks.get(index + 1).map_or(WIDTH, |next| scale.x(next.at));
                    self.note(&mark.label, x, next - x, y);
                    continue;
                }
                Sign::Put => "put",
                Sign::Got => "got",
                Sign::Death => "dead",
            };
            self.legend.explain(class);
            let _ = write!(self.body, "<use href=\"#{class}\" x=\"{x:.1}\" y=\"{y}\"/>");
            if mark.sign == Sign::Death {
                let words = escaped(&mark.label);
                let (x, anchor) = if x + text_width(&mark.label) > WIDTH - RIGHT {
                    (x - 9.0, " text-anchor=\"end\"")
                } else {
                    (x + 9.0, "")
                };
                let _ = write!(
                    self.body,
                    "<text x=\"{x:.1}\" y=\"{:.1}\"{anchor}>{words}</text>",
                    y + 4.0
                );
            }
        }
    }

    /// A note: its words in a box, as far as there is room for them.
    fn note(&mut self, words: &str, x: f64, room: f64, y: f64) {
        self.legend.explain("note");
        let width = (text_width(words) + 5.0).max(13.0);
        if width > room {
            let _ = write!(
                self.body,
                "<path class=\"note\" d=\"M{x:.1} {}v16\"/>",
                y - 8.0
            );
            return;
        }
        let (top, middle) = (y - 8.0, x + width / 2.0);
        let _ = write!(
            self.body,
            "<rect class=\"note\" x=\"{x:.1}\" y=\"{top}\" width=\"{width:.1}\" height=\"16\" rx=\"3\"/>\
             <text x=\"{middle:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
            y + 4.0,
            escaped(words)
        );
    }
}

/// Where in the picture a moment lies.
struct Scale<'a> {
    part: &'a Part,
    /// What takes the whole width.
    length: u64,
    left: f64,
}

impl Scale<'_> {
    #[expect(clippy::cast_precision_loss, reason = "a place in a picture")]
    fn x(&self, at: u64) -> f64 {
        let at = at.clamp(self.part.start, self.part.end) - self.part.start;
        let width = WIDTH - RIGHT - self.left;
        self.left + width * at as f64 / self.length as f64
    }

    fn shows(&self, at: u64) -> bool {
        self.part.touches(at, at)
    }
}

fn shortened(name: &str) -> String {
    match name.chars().count() {
        ..=LONGEST_NAME => name.to_owned(),
        _ => name.chars().take(LONGEST_NAME - 1).chain(['…']).collect(),
    }
}
