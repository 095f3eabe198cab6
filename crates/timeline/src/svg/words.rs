//! The words of the picture: its description, and the axis of time.

use std::fmt::Write;

use crate::model::{Kind, Lane, Part, Sign, Timeline, time};

/// Says in words what is drawn, for a reader who can't see it.
pub(super) fn description(timeline: &Timeline, parts: &[&Part]) -> String {
    let mut words = String::new();
    for part in parts {
        let heading = match part.heading() {
            "" => String::new(),
            heading => format!("{heading}, "),
        };
        let lanes = timeline.lanes_in(part).map(|(_, lane)| summary(lane, part));
        let lanes: Vec<String> = lanes.collect();
        let _ = write!(
            words,
            "{heading}{}: {}. ",
            time(part.length()),
            lanes.join("; ")
        );
    }
    words.trim_end().to_owned()
}

fn summary(lane: &Lane, part: &Part) -> String {
    let from = time(lane.start.max(part.start) - part.start);
    let to = time(lane.end.min(part.end) - part.start);
    let mut words = format!("{} from {from} to {to}", lane.name);
    for kind in Kind::ALL {
        let spans = lane.spans.iter().filter(|span| span.kind == kind);
        let spans = spans.filter(|span| part.touches(span.start, span.end));
        let times = spans.map(|span| span.end.min(part.end) - span.start.max(part.start));
        let total: u64 = times.sum();
        if total > part.length() / 100 {
            let _ = write!(words, ", {} for {}", kind.meaning(), time(total));
        }
    }
    for sign in [Sign::Put, Sign::Got, Sign::Terminated, Sign::Failed] {
        let marks = lane.marks.iter().filter(|mark| mark.sign == sign);
        let count = marks.filter(|mark| part.touches(mark.at, mark.at)).count();
        let times = if count > 1 {
            format!(" {count} times")
        } else {
            String::new()
        };
        if count > 0 {
            let _ = write!(words, ", {}{times}", sign.meaning());
        }
    }
    words
}

/// Returns round times from 0 up to `length` nanoseconds, less than ten, and what is written there.
pub(super) fn ticks(length: u64) -> Vec<(u64, String)> {
    let powers = (0..19).map(|power| 10_u64.pow(power));
    let mut steps = powers.flat_map(|power| [1, 2, 5].map(|digit| digit * power));
    let step = steps.find(|step| length / step < 9).unwrap_or(u64::MAX);
    let ticks = (0..=length / step).map(|number| number * step);
    // `20 ms` and not `20.0 ms`.
    let words = |at| time(at).replace(".00 ", " ").replace(".0 ", " ");
    ticks.map(|at| (at, words(at))).collect()
}
