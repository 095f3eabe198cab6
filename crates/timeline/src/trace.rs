//! The trace event format of Chrome, which Perfetto reads too.

use serde_json::{Value, json};

use crate::model::{Cause, Kind, Lane, Sign, Span, Timeline};

/// Returns the timeline as a trace: processes and threads with their spans, marks, and arrows.
pub(crate) fn json(title: &str, timeline: &Timeline) -> String {
    let mut trace = Trace(Vec::new());
    for (order, lane) in timeline.lanes.iter().enumerate() {
        trace.add_names(lane, order);
        // An arrow begins and ends at a span, so there is one wherever the lane is.
        trace.add_span("lane", "is there", lane, lane.start, lane.end);
        trace.add_spans(lane, order);
        for mark in &lane.marks {
            let label = &mark.label;
            let name = match mark.sign {
                Sign::Note => label.clone(),
                Sign::Put => format!("put into {label}"),
                Sign::Got => format!("got from {label}"),
                Sign::Terminated => "ended by its pool".to_owned(),
                Sign::Failed => format!("ended badly: {label}"),
            };
            trace.add("i", "mark", &name, lane, mark.at, &json!({ "s": "t" }));
        }
    }
    for (id, arrow) in timeline.arrows.iter().enumerate() {
        let name = match arrow.cause {
            Cause::Started => "started",
            Cause::Ended => "ended",
            Cause::Message => "message",
            Cause::Lock => "lock handed over",
        };
        let fields = json!({ "id": id, "bp": "e" });
        for (phase, (lane, at)) in [("s", arrow.from), ("f", arrow.to)] {
            trace.add(phase, "arrow", name, &timeline.lanes[lane], at, &fields);
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

struct Trace(Vec<Value>);

impl Trace {
    fn add_names(&mut self, lane: &Lane, order: usize) {
        let count = if lane.is_main { 2 } else { 1 };
        for kind in &["thread", "process"][..count] {
            let name = json!({ "args": { "name": lane.name } });
            self.add("M", "", &format!("{kind}_name"), lane, 0, &name);
            let order = json!({ "args": { "sort_index": order } });
            self.add("M", "", &format!("{kind}_sort_index"), lane, 0, &order);
        }
    }

    fn add_spans(&mut self, lane: &Lane, order: usize) {
        let mut outer: Vec<&Span> = Vec::new();
        for (number, span) in lane.spans.iter().enumerate() {
            let (category, name) = match span.kind {
                Kind::Task => ("task", span.label.clone()),
                Kind::Wait => ("wait", format!("waits {}", span.label)),
                Kind::Hold => ("lock", format!("holds {}", span.label)),
            };
            outer.retain(|outer| outer.end > span.start);
            if outer.last().is_none_or(|outer| span.end <= outer.end) {
                self.add_span(category, &name, lane, span.start, span.end);
                outer.push(span);
                continue;
            }
            // The spans of a thread have to nest; one that doesn't gets a row of its own.
            let id = json!({ "id": format!("{order}.{number}") });
            self.add("b", category, &name, lane, span.start, &id);
            self.add("e", category, &name, lane, span.end, &id);
        }
    }

    fn add_span(&mut self, category: &str, name: &str, lane: &Lane, start: u64, end: u64) {
        let length = json!({ "dur": microseconds(end - start) });
        self.add("X", category, name, lane, start, &length);
    }

    /// Adds an event with the fields that all have, and those of its phase.
    fn add(&mut self, phase: &str, category: &str, name: &str, lane: &Lane, at: u64, more: &Value) {
        let mut event = json!({
            "ph": phase, "cat": category, "name": name,
            "pid": lane.process, "tid": lane.thread, "ts": microseconds(at),
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
