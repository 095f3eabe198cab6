//! The picture of a run, as SVG. It is drawn in black, white and dark blue, with shapes and hatching that can be told
//! apart in print, on a ground of its own, so that it can be read on a dark page.

use std::fmt::Write;
use std::time::Duration;

use support::readable_time;

use super::axis;
use super::model::{Because, Kind, Lane, Mark, Part, Sign, Span, Timeline};
use super::terminal::shown_parts;

const WIDTH: f64 = 820.0;
const RIGHT: f64 = 24.0;
const LANE: f64 = 27.0;
/// Width of a letter, as far as that can be said without knowing the font.
const LETTER: f64 = 6.4;
const LONGEST_NAME: usize = 20;
/// More arrows of a kind than that hide what they should show.
const MOST_ARROWS: usize = 40;
/// The same for the starts and ends of processes, whose arrows go from far to far.
const MOST_STARTS: usize = 6;

/// The order of the legend.
const ORDER: [&str; 10] = [
    "there", "task", "wait", "hold", "note", "put", "got", "soft", "arrow", "dead",
];

const STYLE: &str = "\
text{font:11px sans-serif;fill:#111}.t{font:bold 15px sans-serif}.p{font:bold 12px sans-serif}\
.n{font:12px sans-serif}.w{fill:#fff}.a{font-size:10px;fill:#444}\
.there{stroke:#888;stroke-width:1.5}.task{fill:#fff;stroke:#111}.hold{fill:#16365c;stroke:#16365c}\
.wait{fill:url(#hatch);stroke:#777;stroke-width:.6}.grid{stroke:#ddd}\
.put{fill:#111}.got{fill:#fff;stroke:#111}.dead{stroke:#111;stroke-width:3}\
.note{fill:#fff;stroke:#111}.arrow{fill:none;stroke:#777;marker-end:url(#head)}.soft{stroke-dasharray:3 2}";

const DEFINITIONS: &str = "\
<pattern id=\"hatch\" width=\"5\" height=\"5\" patternUnits=\"userSpaceOnUse\" patternTransform=\"rotate(45)\">\
<rect width=\"5\" height=\"5\" fill=\"#fff\"/><path d=\"M0 0V5\" stroke=\"#777\" stroke-width=\"2\"/></pattern>\
<marker id=\"head\" viewBox=\"0 0 6 6\" refX=\"6\" refY=\"3\" markerWidth=\"6\" markerHeight=\"6\" orient=\"auto\">\
<path d=\"M0 0L6 3L0 6z\" fill=\"#777\"/></marker>\
<path id=\"put\" class=\"put\" d=\"M0-7L4.500 1H-4.500z\"/><path id=\"got\" class=\"got\" d=\"M0 7L4.500-1H-4.500z\"/>\
<path id=\"dead\" class=\"dead\" d=\"M-5-6L5 6M-5 6L5-6\"/>";

/// Draws the timeline.
pub(super) fn svg(title: &str, timeline: &Timeline) -> String {
    let mut picture = Picture::new(timeline);
    let _ = write!(
        picture.body,
        "<text class=\"t\" x=\"12\" y=\"24\">{}</text>",
        escaped(title)
    );
    picture.y = 34.0;
    let parts: Vec<&Part> = shown_parts(timeline).collect();
    for part in &parts {
        picture.part(part, common_length(&parts).unwrap_or(part.length()));
    }
    picture.legend();
    let height = picture.y;
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

/// Says in words what is drawn, for who cannot see it.
fn description(timeline: &Timeline, parts: &[&Part]) -> String {
    let mut words = String::new();
    for part in parts {
        let title = part.title.trim_end_matches(':');
        let comma = if title.is_empty() { "" } else { ", " };
        let lanes: Vec<String> = timeline
            .lanes
            .iter()
            .filter(|lane| lane.is_in(part))
            .map(|lane| summary(lane, part))
            .collect();
        let _ = write!(
            words,
            "{title}{comma}{}: {}. ",
            time(part.length()),
            lanes.join("; ")
        );
    }
    words.trim_end().to_owned()
}

fn summary(lane: &Lane, part: &Part) -> String {
    let mut words = vec![format!(
        "{} from {} to {}",
        lane.name,
        time(lane.start.max(part.start) - part.start),
        time(lane.end.min(part.end) - part.start)
    )];
    let spans = |kind| {
        let spans = lane.spans.iter().filter(move |span| span.kind == kind);
        spans.filter(|span| part.touches(span.start, span.end))
    };
    for (kind, verb) in [(Kind::Wait, "waits"), (Kind::Hold, "holds a lock")] {
        let total: u64 = spans(kind)
            .map(|span| span.end.min(part.end) - span.start.max(part.start))
            .sum();
        if total > part.length() / 100 {
            words.push(format!("{verb} for {}", time(total)));
        }
    }
    for (sign, verb) in [(Sign::Put, "puts"), (Sign::Got, "gets")] {
        let marks = lane
            .marks
            .iter()
            .filter(|mark| mark.sign == sign && part.touches(mark.at, mark.at));
        let count = marks.count();
        if count > 0 {
            words.push(format!("{verb} {count}"));
        }
    }
    words.join(", ")
}

struct Picture<'a> {
    timeline: &'a Timeline,
    body: String,
    left: f64,
    y: f64,
    legend: Vec<(&'static str, &'static str)>,
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
            legend: Vec::new(),
        }
    }

    fn part(&mut self, part: &Part, length: u64) {
        let title = part.title.trim_end_matches(':');
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
        let all = self.timeline.lanes.iter().enumerate();
        let lanes: Vec<(usize, &Lane)> = all.filter(|(_, lane)| lane.is_in(part)).collect();
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
                self.explain(if is_soft { "soft" } else { "arrow" });
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
        self.explain("there");
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
        self.explain(class);
        let x = scale.x(span.start);
        let width = (scale.x(span.end) - x).max(1.2);
        let top = y - height / 2.0;
        let _ = write!(
            self.body,
            "<rect class=\"{class}\" x=\"{x:.1}\" y=\"{top}\" width=\"{width:.1}\" height=\"{height}\"/>"
        );
        // Words go where nothing else is drawn.
        let others = lane.spans.iter().filter(|other| other.kind > span.kind);
        let marks = lane.marks.iter().map(|mark| mark.at);
        let next = others.map(|other| other.start).chain(marks);
        let free_to = next
            .filter(|&at| at >= span.start)
            .min()
            .unwrap_or(span.end)
            .min(span.end);
        let room = scale.x(free_to) - x - 6.0;
        let words = match span.kind {
            Kind::Task => span.label.as_str(),
            Kind::Hold => span.label.trim_start_matches("a "),
            Kind::Wait => return,
        };
        let short = words.split(", ").last().unwrap_or(words);
        for words in [words, short] {
            if text_width(words) < room {
                let white = if span.kind == Kind::Hold {
                    " class=\"w\""
                } else {
                    ""
                };
                let (x, y) = (x + 4.0, y + 4.0);
                let _ = write!(
                    self.body,
                    "<text{white} x=\"{x:.1}\" y=\"{y:.1}\">{}</text>",
                    escaped(words)
                );
                break;
            }
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
            self.explain(class);
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
        self.explain("note");
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

    fn explain(&mut self, class: &'static str) {
        let words = match class {
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
        };
        if !self.legend.contains(&(class, words)) {
            self.legend.push((class, words));
        }
    }

    fn legend(&mut self) {
        self.y += 8.0;
        let y = self.y;
        let mut x = 14.0;
        self.body.push('\n');
        let mut legend = std::mem::take(&mut self.legend);
        legend.sort_by_key(|(class, _)| ORDER.iter().position(|known| known == class));
        for (class, words) in legend {
            let _ = match class {
                "put" | "got" | "dead" => write!(
                    self.body,
                    "<use href=\"#{class}\" x=\"{}\" y=\"{y}\"/>",
                    x + 10.0
                ),
                "there" => write!(self.body, "<path class=\"there\" d=\"M{x} {y}h20\"/>"),
                "soft" => write!(self.body, "<path class=\"arrow soft\" d=\"M{x} {y}h20\"/>"),
                "arrow" => write!(self.body, "<path class=\"arrow\" d=\"M{x} {y}h20\"/>"),
                class => write!(
                    self.body,
                    "<rect class=\"{class}\" x=\"{x}\" y=\"{}\" width=\"20\" height=\"10\"/>",
                    y - 5.0
                ),
            };
            x += 26.0;
            let _ = write!(
                self.body,
                "<text x=\"{x}\" y=\"{}\">{words}</text>",
                y + 4.0
            );
            x += text_width(words) + 20.0;
        }
        self.y += 16.0;
        self.body.push('\n');
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

fn text_width(words: &str) -> f64 {
    LETTER * 0.9 * f64::from(u32::try_from(words.chars().count()).unwrap_or(0))
}

fn time(nanoseconds: u64) -> String {
    readable_time(Duration::from_nanos(nanoseconds))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
