//! The picture of a run, as SVG: black, white and dark blue on a background of its own, for light and dark pages, with
//! shapes and hatching that can be told apart in print.

mod canvas;
mod words;

use canvas::{Canvas, text_width};

use crate::model::{Arrow, Cause, Kind, Lane, Mark, Part, Sign, Span, Timeline, time};

const WIDTH: f64 = 820.0;
const RIGHT: f64 = 24.0;
/// The height of a lane.
const LANE: f64 = 27.0;
const MAX_NAME: usize = 20;
/// A task that is narrower has its words behind it.
const NARROW: f64 = 14.0;
/// More arrows than that, of those that go from far to far and of others, hide what they should show.
const MAX_FAR: usize = 6;
const MAX_NEAR: usize = 40;

/// Draws the timeline.
pub(crate) fn svg(title: &str, timeline: &Timeline) -> String {
    let parts: Vec<&Part> = timeline.shown_parts().collect();
    let lengths = || parts.iter().map(|part| part.length());
    let (min, max) = (lengths().min().unwrap_or(1), lengths().max().unwrap_or(1));
    let names = timeline.lanes.iter();
    let names = names.map(|lane| text_width(&shortened(&lane.name)));
    let left = 24.0 + 1.15 * names.fold(0.0, f64::max);
    let mut canvas = Canvas::default();
    canvas.text("t", 12.0, 24.0, title);
    let mut y = 34.0;
    for part in &parts {
        // Parts of about the same length are drawn to one scale, so that they can be compared.
        let length = if max / min <= 5 { max } else { part.length() };
        let picture = Picture {
            timeline,
            part,
            length,
            left,
        };
        y = picture.draw(&mut canvas, y);
    }
    let height = legend(&mut canvas, y + 8.0) + 16.0;
    let description = words::description(timeline, &parts);
    canvas.document((WIDTH, height), title, &description)
}

/// The picture of one part.
struct Picture<'a> {
    timeline: &'a Timeline,
    part: &'a Part,
    /// The time that takes the whole width.
    length: u64,
    /// Where lanes begin.
    left: f64,
}

impl Picture<'_> {
    /// Draws the part from a height on, and returns the height at which the next begins.
    fn draw(&self, canvas: &mut Canvas, mut y: f64) -> f64 {
        if !self.part.heading().is_empty() {
            let length = time(self.part.length());
            let heading = format!("{} ({length})", self.part.heading());
            canvas.text("p", 12.0, y + 20.0, &heading);
            y += 26.0;
        }
        let top = y;
        let mut rows = vec![None; self.timeline.lanes.len()];
        for (number, _) in self.timeline.lanes_in(self.part) {
            rows[number] = Some(y + LANE / 2.0);
            y += LANE;
        }
        for (at, words) in words::ticks(self.part.length()) {
            let x = self.x(self.part.start + at);
            canvas.path("grid", x, top, &format!("V{y}"));
            canvas.text("a middle", x, y + 12.0, &words);
        }
        self.arrows(canvas, &rows);
        for (lane, row) in self.timeline.lanes.iter().zip(rows) {
            if let Some(y) = row {
                self.lane(canvas, lane, y);
            }
        }
        y + 22.0
    }

    fn arrows(&self, canvas: &mut Canvas, rows: &[Option<f64>]) {
        for (cause, class, max) in [
            (Cause::Started, "arrow soft", MAX_FAR),
            (Cause::Ended, "arrow soft", MAX_FAR),
            (Cause::Message, "arrow", MAX_NEAR),
            (Cause::Lock, "arrow", MAX_NEAR),
        ] {
            let is_shown =
                |(lane, at): (usize, u64)| rows[lane].is_some() && self.part.touches(at, at);
            let arrows = self.timeline.arrows.iter();
            let arrows = arrows
                .filter(|arrow| arrow.cause == cause && is_shown(arrow.from) && is_shown(arrow.to));
            let arrows: Vec<&Arrow> = arrows.collect();
            for arrow in arrows.iter().filter(|_| arrows.len() <= max) {
                let [from, to] = [arrow.from, arrow.to].map(|(lane, _)| rows[lane].unwrap_or(0.0));
                let head = if from < to { to - 7.0 } else { to + 7.0 };
                let line = format!("L{:.1} {head:.1}", self.x(arrow.to.1));
                canvas.path(class, self.x(arrow.from.1), from, &line);
            }
        }
    }

    fn lane(&self, canvas: &mut Canvas, lane: &Lane, y: f64) {
        canvas.text("n", 12.0, y + 4.0, &shortened(&lane.name));
        let end = format!("H{:.1}", self.x(lane.end));
        canvas.path("there", self.x(lane.start), y, &end);
        for kind in Kind::ALL {
            let mut drawn_to = f64::MIN;
            let spans = lane.spans.iter().filter(|span| span.kind == kind);
            for span in spans.filter(|span| self.part.touches(span.start, span.end)) {
                let (start, end) = (self.x(span.start), self.x(span.end));
                // Too narrow to be seen: a wait is left out, and what would be drawn over another.
                if end - start >= 1.0 || (kind != Kind::Wait && start >= drawn_to) {
                    drawn_to = end.max(start + 1.0);
                    self.span(canvas, lane, span, y);
                }
            }
        }
        let marks = lane
            .marks
            .iter()
            .filter(|mark| self.part.touches(mark.at, mark.at));
        let marks: Vec<&Mark> = marks.collect();
        for (index, mark) in marks.iter().enumerate() {
            let next = marks.get(index + 1).map_or(WIDTH, |next| self.x(next.at));
            draw_mark(canvas, mark, self.x(mark.at), next, y);
        }
    }

    fn span(&self, canvas: &mut Canvas, lane: &Lane, span: &Span, y: f64) {
        let (class, height) = match span.kind {
            Kind::Task => ("task", 16.0),
            Kind::Wait => ("wait", 10.0),
            Kind::Hold => ("hold", 16.0),
        };
        let (x, end) = (self.x(span.start), self.x(span.end));
        canvas.rect(class, x, y, (end - x).max(1.2), height);
        let is_narrow = span.kind == Kind::Task && end - x < NARROW;
        let (class, x, y) = match span.kind {
            Kind::Task if is_narrow => ("a", end + 2.0, y - 3.0),
            Kind::Task => ("", x + 4.0, y + 4.0),
            Kind::Hold => ("w", x + 4.0, y + 4.0),
            Kind::Wait => return,
        };
        // Its words, as far as nothing else is drawn there.
        let spans = lane.spans.iter();
        let spans = spans.filter(|other| other.kind > span.kind || is_narrow);
        let others = spans.map(|other| other.start);
        let others = others.chain(lane.marks.iter().map(|mark| mark.at));
        let next = others.filter(|&at| at > span.start || (at == span.start && !is_narrow));
        let end = if is_narrow { lane.end } else { span.end };
        let end = self.x(next.min().unwrap_or(end).min(end));
        let words = span.label.trim_start_matches("a ");
        let short = words.split(", ").last().unwrap_or(words);
        let fits = |words: &&str| text_width(words) < end - x - 1.0;
        if let Some(words) = [words, short].into_iter().find(fits) {
            canvas.text(class, x, y, words);
        }
    }

    /// Returns where in the picture a moment is.
    fn x(&self, at: u64) -> f64 {
        self.left + (WIDTH - RIGHT - self.left) * self.part.place(at, self.length)
    }
}

fn draw_mark(canvas: &mut Canvas, mark: &Mark, x: f64, next: f64, y: f64) {
    let (label, width) = (&mark.label, text_width(&mark.label));
    match mark.sign {
        Sign::Note if x + width.max(8.0) + 5.0 <= next => {
            let width = width.max(8.0) + 5.0;
            canvas.rect("note", x, y, width, 16.0);
            canvas.text("middle", x + width / 2.0, y + 4.0, label);
        }
        Sign::Note => canvas.path("note", x, y - 8.0, "v16"),
        Sign::Put => canvas.symbol("put", x, y),
        Sign::Got => canvas.symbol("got", x, y),
        Sign::Terminated => canvas.symbol("over", x, y),
        Sign::Failed => {
            canvas.symbol("dead", x, y);
            let is_at_end = x + width > WIDTH - RIGHT;
            let (class, x) = if is_at_end {
                ("end", x - 9.0)
            } else {
                ("", x + 9.0)
            };
            canvas.text(class, x, y + 4.0, label);
        }
    }
}

/// Explains what was drawn, in as many lines as it needs, and returns the height of the last.
fn legend(canvas: &mut Canvas, mut y: f64) -> f64 {
    const LEFT: f64 = 14.0;
    let mut x = LEFT;
    for (class, words) in [
        ("there", "is there"),
        ("task", Kind::Task.meaning()),
        ("wait", Kind::Wait.meaning()),
        ("hold", Kind::Hold.meaning()),
        ("note", Sign::Note.meaning()),
        ("put", Sign::Put.meaning()),
        ("got", Sign::Got.meaning()),
        ("arrow soft", "starts, ends"),
        ("arrow", "hands over"),
        ("over", Sign::Terminated.meaning()),
        ("dead", Sign::Failed.meaning()),
    ] {
        if !canvas.has_drawn(class) {
            continue;
        }
        if x + 26.0 + text_width(words) > WIDTH {
            (x, y) = (LEFT, y + 18.0);
        }
        match class {
            "put" | "got" | "over" | "dead" => canvas.symbol(class, x + 10.0, y),
            "there" | "arrow" | "arrow soft" => canvas.path(class, x, y, "h20"),
            _ => canvas.rect(class, x, y, 20.0, 10.0),
        }
        canvas.text("", x + 26.0, y + 4.0, words);
        x += 46.0 + text_width(words);
    }
    y
}

fn shortened(name: &str) -> String {
    match name.chars().count() {
        ..=MAX_NAME => name.to_owned(),
        _ => name.chars().take(MAX_NAME - 1).chain(['…']).collect(),
    }
}
