//! The trace event format of Chrome, which Perfetto reads too.

use serde_json::{Value, json};

use super::model::{Arrow, Because, Kind, Lane, Sign, Span, Timeline};

/// Writes the timeline as a trace: processes and threads with their spans, marks, and arrows.
pub(super) fn json(timeline: &Timeline) -> String {
    let mut events = Vec::new();
    for (order, lane) in timeline.lanes.iter().enumerate() {
        events.extend(names(lane, order));
        // An arrow begins and ends at a span, so there is one wherever the lane is.
        events.push(complete(lane, "is there", "lane", lane.start, lane.end));
        let mut open: Vec<&Span> = Vec::new();
        for (number, span) in lane.spans.iter().enumerate() {
            open.retain(|open| open.end > span.start);
            let nests = open.last().is_none_or(|open| span.end <= open.end);
            if nests {
                let name = span_name(span);
                events.push(complete(
                    lane,
                    &name,
                    category(span.kind),
                    span.start,
                    span.end,
                ));
                open.push(span);
            } else {
                // Spans of one thread have to lie within each other; others get a row of their own.
                events.extend(apart(lane, span, &format!("{order}.{number}")));
            }
        }
        for mark in &lane.marks {
            events.push(json!({
                "ph": "i", "s": "t", "name": sign_name(mark.sign, &mark.label), "cat": "mark",
                "pid": lane.process, "tid": lane.thread, "ts": microseconds(mark.at),
            }));
        }
    }
    for (id, arrow) in timeline.arrows.iter().enumerate() {
        events.extend(flow(timeline, arrow, id));
    }
    for part in timeline.parts.iter().filter(|part| !part.title.is_empty()) {
        if let Some(first) = timeline.lanes.first() {
            events.push(json!({
                "ph": "i", "s": "g", "name": part.title, "cat": "part",
                "pid": first.process, "tid": first.thread, "ts": microseconds(part.start),
            }));
        }
    }
    let trace = json!({ "displayTimeUnit": "ms", "traceEvents": events });
    format!("{trace}\n")
}

fn names(lane: &Lane, order: usize) -> Vec<Value> {
    let about = |kind: &str, arguments: Value| {
        json!({
            "ph": "M", "name": kind, "pid": lane.process, "tid": lane.thread, "ts": 0, "args": arguments,
        })
    };
    let mut names = vec![
        about("thread_name", json!({ "name": lane.name })),
        about("thread_sort_index", json!({ "sort_index": order })),
    ];
    if lane.is_main {
        names.push(about("process_name", json!({ "name": lane.name })));
        names.push(about("process_sort_index", json!({ "sort_index": order })));
    }
    names
}

fn complete(lane: &Lane, name: &str, category: &str, start: u64, end: u64) -> Value {
    json!({
        "ph": "X", "name": name, "cat": category, "pid": lane.process, "tid": lane.thread,
        "ts": microseconds(start), "dur": microseconds(end - start),
    })
}

fn apart(lane: &Lane, span: &Span, id: &str) -> [Value; 2] {
    [("b", span.start), ("e", span.end)].map(|(phase, at)| {
        json!({
            "ph": phase, "id": id, "name": span_name(span), "cat": category(span.kind),
            "pid": lane.process, "tid": lane.thread, "ts": microseconds(at),
        })
    })
}

fn flow(timeline: &Timeline, arrow: &Arrow, id: usize) -> [Value; 2] {
    let name = match arrow.kind {
        Because::Started => "started",
        Because::Joined => "ended",
        Because::Message => "message",
        Because::Lock => "lock handed over",
    };
    [("s", arrow.from), ("f", arrow.to)].map(|(phase, (lane, at))| {
        let lane = &timeline.lanes[lane];
        json!({
            "ph": phase, "bp": "e", "id": id, "name": name, "cat": "arrow",
            "pid": lane.process, "tid": lane.thread, "ts": microseconds(at),
        })
    })
}

fn category(kind: Kind) -> &'static str {
    match kind {
        Kind::Task => "task",
        Kind::Wait => "wait",
        Kind::Hold => "lock",
    }
}

fn span_name(span: &Span) -> String {
    match span.kind {
        Kind::Task => span.label.clone(),
        Kind::Wait => format!("waits {}", span.label),
        Kind::Hold => format!("holds {}", span.label),
    }
}

fn sign_name(sign: Sign, label: &str) -> String {
    match sign {
        Sign::Note => label.to_owned(),
        Sign::Put => format!("put into {label}"),
        Sign::Got => format!("got from {label}"),
        Sign::Death => format!("ended badly: {label}"),
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
