//! The words of the picture: its description, and the axis of time.

use std::fmt::Write;

use crate::model::{KINDS, Lane, Part, Timeline, time};

/// Says in words what is drawn, for a reader who can't see it.
pub(super) fn description(timeline: &Timeline) -> String {
    let parts = timeline.parts.iter().map(|part| {
        let lanes = timeline.lanes.iter().filter(|lane| part.shows(lane));
        let lanes: Vec<String> = lanes.map(|lane| summary(lane, part)).collect();
        let comma = if part.title.is_empty() { "" } else { ", " };
        let length = time(part.length());
        format!("{}{comma}{length}: {}.", part.title, lanes.join("; "))
    });
    parts.collect::<Vec<String>>().join(" ")
}

fn summary(lane: &Lane, part: &Part) -> String {
    let within = |at: u64| time(at.clamp(part.start, part.end) - part.start);
    let (from, to) = (within(lane.start), within(lane.end));
    let mut words = format!("{} from {from} to {to}", lane.name);
    for (kind, (.., meaning)) in KINDS {
        let _ = match part.items(lane, kind..=kind).count() {
            0 => Ok(()),
            1 => write!(words, ", {meaning}"),
            count => write!(words, ", {meaning} {count} times"),
        };
    }
    words
}

/// Returns round times from 0 up to `length` nanoseconds, less than ten, and what is written there.
pub(super) fn ticks(length: u64) -> impl Iterator<Item = (u64, String)> {
    let powers = (0..19).map(|power| 10_u64.pow(power));
    let mut steps = powers.flat_map(|power| [1, 2, 5].map(|digit| digit * power));
    let step = steps.find(|step| length / step < 9).unwrap_or(u64::MAX);
    // `20 ms` and not `20.0 ms`.
    let words = |at| time(at).replace(".00 ", " ").replace(".0 ", " ");
    (0..=length / step).map(move |number| (number * step, words(number * step)))
}
