//! Draws a timeline as SVG: in black, white and dark blue on its own background, for light and dark pages, with shapes
//! and hatching that are distinct in print.

mod canvas;

use canvas::{Canvas, text_width};

use crate::model::{Arrow, Item, Kind, Lane, MEANINGS, Part, Timeline, time};

/// The shape of each kind, in the same order.
const SHAPES: [&str; 8] = ["task", "wait", "hold", "note", "put", "got", "over", "dead"];
const WIDTH: f64 = 820.0;
const RIGHT: f64 = 24.0;
/// The height of a lane.
const LANE: f64 = 27.0;
/// The width of 20 letters. Longer names are cut.
const MAX_NAME: f64 = 115.2;
/// The label of a narrower task is written after it.
const NARROW: f64 = 14.0;
/// The most arrows of one kind that are drawn. More would hide what they should show, long ones sooner than short ones.
const MAX_LONG: usize = 6;
const MAX_SHORT: usize = 40;

/// Draws the timeline.
pub(crate) fn svg(title: &str, timeline: &Timeline) -> String {
    let lengths = || timeline.parts.iter().map(Part::length);
    let (min, max) = (lengths().min().unwrap_or(1), lengths().max().unwrap_or(1));
    let names = timeline.lanes.iter().map(|lane| text_width(&lane.name));
    let left = 24.0 + 1.15 * names.fold(0.0, f64::max).min(MAX_NAME);
    let mut canvas = Canvas::default();
    canvas.text("t", 12.0, 24.0, title);
    let mut y = 34.0;
    for part in &timeline.parts {
        // Parts of similar length are drawn to the same scale, so that you can compare them.
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
    canvas.document(WIDTH, height, title)
}

/// The picture of one part.
struct Picture<'a> {
    timeline: &'a Timeline,
    part: &'a Part,
    /// The time that the whole width shows.
    length: u64,
    /// The left end of the lanes.
    left: f64,
}

impl Picture<'_> {
    /// Draws the part below `y`, and returns where the next one begins.
    fn draw(&self, canvas: &mut Canvas, mut y: f64) -> f64 {
        if !self.part.title.is_empty() {
            let heading = format!("{} ({})", self.part.title, time(self.part.length()));
            canvas.text("p", 12.0, y + 20.0, &heading);
            y += 26.0;
        }
        let top = y;
        let rows = self.timeline.lanes.iter().map(|lane| {
            let is_shown = self.part.shows(lane);
            y += if is_shown { LANE } else { 0.0 };
            is_shown.then_some(y - LANE / 2.0)
        });
        let rows: Vec<Option<f64>> = rows.collect();
        for (at, words) in ticks(self.part.length()) {
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
            ("started", "arrow soft", MAX_LONG),
            ("ended", "arrow soft", MAX_LONG),
            ("message", "arrow", MAX_SHORT),
            ("lock handed over", "arrow", MAX_SHORT),
        ] {
            let y = |(lane, at): (usize, u64)| {
                rows[lane].filter(|_| self.part.start <= at && at < self.part.end)
            };
            let ends =
                |arrow: &Arrow| Some((arrow.from.1, y(arrow.from)?, arrow.to.1, y(arrow.to)?));
            let arrows = self.timeline.arrows.iter();
            let arrows = arrows.filter(|arrow| arrow.cause == cause);
            let arrows: Vec<_> = arrows.filter_map(ends).collect();
            for (start, from, end, to) in arrows.iter().filter(|_| arrows.len() <= max) {
                let head = if from < to { to - 7.0 } else { to + 7.0 };
                let line = format!("L{:.1} {head:.1}", self.x(*end));
                canvas.path(class, self.x(*start), *from, &line);
            }
        }
    }

    fn lane(&self, canvas: &mut Canvas, lane: &Lane, y: f64) {
        canvas.text("n", 12.0, y + 4.0, &format!("{:.20}", lane.name));
        let end = format!("H{:.1}", self.x(lane.end));
        canvas.path("there", self.x(lane.start), y, &end);
        for kind in Kind::SPANS {
            let mut drawn_to = f64::MIN;
            for span in self.part.items(lane, kind..=kind) {
                let (start, end) = (self.x(span.start), self.x(span.end));
                // Of spans too narrow to see, waits are left out, and so are those that would overlap.
                if end - start >= 1.0 || (kind != Kind::Wait && start >= drawn_to) {
                    drawn_to = end.max(start + 1.0);
                    self.span(canvas, lane, span, y);
                }
            }
        }
        let mut marks = self.part.items(lane, Kind::MARKS).peekable();
        while let Some(mark) = marks.next() {
            let next = marks.peek().map_or(WIDTH, |next| self.x(next.start));
            draw_mark(canvas, mark, self.x(mark.start), next, y);
        }
    }

    fn span(&self, canvas: &mut Canvas, lane: &Lane, span: &Item, y: f64) {
        let (x, end) = (self.x(span.start), self.x(span.end));
        let is_narrow = span.kind == Kind::Task && end - x < NARROW;
        let height = if span.kind == Kind::Wait { 10.0 } else { 16.0 };
        canvas.rect(SHAPES[span.kind as usize], x, y, (end - x).max(1.2), height);
        let (class, x, y) = match span.kind {
            Kind::Wait => return,
            Kind::Hold => ("w", x + 4.0, y + 4.0),
            _ if is_narrow => ("a", end + 2.0, y - 3.0),
            _ => ("", x + 4.0, y + 4.0),
        };
        // The label, if nothing else is drawn there.
        let others = lane.items.iter();
        let others = others.filter(|other| other.kind > span.kind || is_narrow);
        let others = others.map(|other| other.start);
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

    /// Returns the horizontal position of a time.
    fn x(&self, at: u64) -> f64 {
        self.left + (WIDTH - RIGHT - self.left) * self.part.place(at, self.length)
    }
}

fn draw_mark(canvas: &mut Canvas, mark: &Item, x: f64, next: f64, y: f64) {
    let (label, width) = (&mark.label, text_width(&mark.label));
    if mark.kind == Kind::Note {
        let width = width.max(8.0) + 5.0;
        if x + width > next {
            return canvas.path("note", x, y - 8.0, "v16");
        }
        canvas.rect("note", x, y, width, 16.0);
        return canvas.text("middle", x + width / 2.0, y + 4.0, label);
    }
    canvas.symbol(SHAPES[mark.kind as usize], x, y);
    if mark.kind == Kind::Failed {
        let is_at_end = x + width > WIDTH - RIGHT;
        let (class, aside) = if is_at_end { ("end", -9.0) } else { ("", 9.0) };
        canvas.text(class, x + aside, y + 4.0, label);
    }
}

/// Draws a legend of what was drawn, and returns the position of its last line.
fn legend(canvas: &mut Canvas, mut y: f64) -> f64 {
    const LEFT: f64 = 14.0;
    let mut x = LEFT;
    let lines = [
        ("there", "is alive"),
        ("arrow soft", "starts, ends"),
        ("arrow", "hands over"),
    ];
    let kinds = SHAPES.into_iter().zip(MEANINGS);
    for (class, words) in lines.into_iter().chain(kinds) {
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

/// Returns less than ten round times from 0 to `length` nanoseconds, with their labels.
fn ticks(length: u64) -> impl Iterator<Item = (u64, String)> {
    let powers = (0..19).map(|power| 10_u64.pow(power));
    let mut steps = powers.flat_map(|power| [1, 2, 5].map(|digit| digit * power));
    let step = steps.find(|step| length / step < 9).unwrap_or(u64::MAX);
    // `20 ms`, not `20.0 ms`.
    let words = |at| match at {
        0 => "0".to_owned(),
        _ => time(at).replace(".00 ", " ").replace(".0 ", " "),
    };
    (0..=length / step).map(move |number| (number * step, words(number * step)))
}
