//! The trace event format of Chrome, which Perfetto reads too.

use serde_json::{Value, json};

use crate::model::{Item, Kind, Lane, Timeline};

/// Returns the timeline as a trace: processes and threads with their spans, marks, and arrows.
pub(crate) fn json(title: &str, timeline: &Timeline) -> String {
    let mut trace = Trace(Vec::new());
    for (number, lane) in timeline.lanes.iter().enumerate() {
        let name = json!({ "args": { "name": lane.name } });
        let order = json!({ "args": { "sort_index": number } });
        let is_main = lane.thread == lane.pid;
        for kind in &["thread", "process"][..=usize::from(is_main)] {
            trace.add("M", "", &format!("{kind}_name"), lane, 0, &name);
            trace.add("M", "", &format!("{kind}_sort_index"), lane, 0, &order);
        }
        // An arrow begins and ends at a span, so there is one wherever the lane is.
        trace.add_span("is there", lane, lane.start, lane.end);
        let mut outer: Vec<&Item> = Vec::new();
        for item in &lane.items {
            let name = item_name(item);
            outer.retain(|outer| outer.end > item.start);
            if item.kind >= Kind::Note {
                trace.add("i", "mark", &name, lane, item.start, &json!({ "s": "t" }));
            } else if outer.last().is_none_or(|outer| item.end <= outer.end) {
                trace.add_span(&name, lane, item.start, item.end);
                outer.push(item);
            } else {
                // The spans of a thread have to nest; one that doesn't gets a row of its own.
                let id = json!({ "id": trace.0.len().to_string() });
                trace.add("b", "span", &name, lane, item.start, &id);
                trace.add("e", "span", &name, lane, item.end, &id);
            }
        }
    }
    for (id, arrow) in timeline.arrows.iter().enumerate() {
        let fields = json!({ "id": id, "bp": "e" });
        for (phase, (lane, at)) in [("s", arrow.from), ("f", arrow.to)] {
            trace.add(
                phase,
                "arrow",
                arrow.cause,
                &timeline.lanes[lane],
                at,
                &fields,
            );
        }
    }
    for part in timeline.parts.iter().filter(|part| !part.title.is_empty()) {
        let (first, fields) = (&timeline.lanes[0], json!({ "s": "g" }));
        trace.add("i", "part", &part.title, first, part.start, &fields);
    }
    let about = json!({ "title": title });
    let trace = json!({ "displayTimeUnit": "ms", "otherData": about, "traceEvents": trace.0 });
    format!("{trace}\n")
}

fn item_name(item: &Item) -> String {
    let label = &item.label;
    match item.kind {
        Kind::Task | Kind::Note => label.clone(),
        Kind::Wait => format!("waits {label}"),
        Kind::Hold => format!("holds {label}"),
        Kind::Put => format!("put into {label}"),
        Kind::Got => format!("got from {label}"),
        Kind::Terminated => "ended by its pool".to_owned(),
        Kind::Failed => format!("ended badly: {label}"),
    }
}

struct Trace(Vec<Value>);

impl Trace {
    fn add_span(&mut self, name: &str, lane: &Lane, start: u64, end: u64) {
        let length = json!({ "dur": microseconds(end - start) });
        self.add("X", "span", name, lane, start, &length);
    }

    /// Adds an event with the fields that all have, and those of its phase.
    fn add(&mut self, phase: &str, category: &str, name: &str, lane: &Lane, at: u64, more: &Value) {
        let mut event = json!({
            "ph": phase, "cat": category, "name": name,
            "pid": lane.pid, "tid": lane.thread, "ts": microseconds(at),
        });
        for (field, value) in more.as_object().into_iter().flatten() {
            event[field] = value.clone();
        }
        self.0.push(event);
    }
}

/// The format counts in microseconds, with decimals.
#[expect(
    clippy::cast_precision_loss,
    reason = "exact for runs of up to a hundred days"
)]
fn microseconds(nanoseconds: u64) -> f64 {
    nanoseconds as f64 / 1000.0
}
