//! The words of a picture.

use std::fmt::Write;
use std::time::Duration;

use support::readable_time;

use super::model::{Kind, Lane, Part, Sign, Timeline};

/// Width of a letter, as far as that can be said without knowing the font.
pub(super) const LETTER: f64 = 6.4;

/// Says in words what is drawn, for who cannot see it.
pub(super) fn description(timeline: &Timeline, parts: &[&Part]) -> String {
    let mut words = String::new();
    for part in parts {
        let title = part.heading();
        let comma = if title.is_empty() { "" } else { ", " };
        let lanes: Vec<String> = timeline
            .lanes_in(part)
            .map(|(_, lane)| summary(lane, part))
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

/// How wide words are drawn, as far as that can be said.
pub(super) fn text_width(words: &str) -> f64 {
    LETTER * 0.9 * f64::from(u32::try_from(words.chars().count()).unwrap_or(0))
}

/// Writes a time with its unit.
pub(super) fn time(nanoseconds: u64) -> String {
    readable_time(Duration::from_nanos(nanoseconds))
}
