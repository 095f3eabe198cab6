//! Recordings of processes that were killed, or that kept recording after their end: each can be shown.

use std::fs;

use serde_json::Value;

use crate::model::Timeline;
use crate::{lanes, recording, svg, text, trace};

/// Two processes and three more threads, with everything that lanes show. Threads may still record after `process ends`,
/// even their first event.
const MAIN: &[&str] = &[
    r#"{"at":100,"name":"MainProcess","pid":7,"event":"process begins"}"#,
    r#"{"at":110,"thread":7,"memory":"l","what":"lock pen","event":"made"}"#,
    r#"{"at":111,"thread":7,"memory":"q","what":"a Queue of u64","event":"made"}"#,
    r#"{"at":115,"thread":7,"text":"first:","event":"part"}"#,
    r#"{"at":120,"thread":7,"name":"w","pid":9,"daemon":false,"event":"process started"}"#,
    r#"{"at":130,"thread":8,"name":"helper","event":"thread seen"}"#,
    r#"{"at":150,"thread":8,"queue":"q","item":1,"since":125,"event":"got"}"#,
    r#"{"at":160,"thread":8,"lock":"l","event":"lock awaited"}"#,
    r#"{"at":190,"thread":8,"lock":"l","event":"lock held"}"#,
    r#"{"at":195,"thread":7,"text":"second:","event":"part"}"#,
    r#"{"at":200,"thread":7,"pid":9,"event":"join awaited"}"#,
    r#"{"at":220,"thread":7,"name":"w","pid":9,"status":"signal: 9 (SIGKILL)","event":"process ended"}"#,
    r#"{"at":225,"thread":7,"pid":9,"event":"joined"}"#,
    r#"{"at":230,"event":"process ends"}"#,
    r#"{"at":240,"thread":8,"lock":"l","event":"lock released"}"#,
    r#"{"at":245,"thread":6,"lane":"late","text":"1","event":"mark"}"#,
    r#"{"at":250,"thread":6,"lane":"late","event":"lane ends"}"#,
    r#"{"at":255,"thread":6,"lane":"later","text":"2","event":"mark"}"#,
];
const CHILD: &[&str] = &[
    r#"{"at":125,"name":"w","pid":9,"parent":7,"event":"process begins"}"#,
    r#"{"at":128,"thread":9,"function":"work","event":"task begins"}"#,
    r#"{"at":140,"thread":9,"queue":"q","item":1,"event":"put"}"#,
    r#"{"at":145,"thread":9,"lock":"l","event":"lock awaited"}"#,
    r#"{"at":146,"thread":9,"lock":"l","event":"lock held"}"#,
    r#"{"at":155,"thread":9,"lock":"l","event":"lock awaited"}"#,
    r#"{"at":205,"thread":10,"lane":"of w","text":"a","event":"mark"}"#,
];

/// Returns the timeline of a recording of these processes.
fn shown(processes: &[&[&str]]) -> anyhow::Result<Timeline> {
    let folder = tempfile::tempdir().unwrap();
    for (number, lines) in processes.iter().enumerate() {
        let text = lines.join("\n") + "\n";
        fs::write(folder.path().join(format!("{number}-5.jsonl")), text).unwrap();
    }
    Ok(lanes::timeline(&recording::read(folder.path())?))
}

/// Checks that every item is within its lane, and returns the text, the picture, and the trace.
fn checked(recording: &[&[&str]]) -> [String; 3] {
    let timeline = shown(recording).unwrap();
    for lane in &timeline.lanes {
        let mut bounds = lane
            .items
            .iter()
            .map(|item| [lane.start, item.start, item.end, lane.end]);
        let is_right = lane.start <= lane.end && bounds.all(|bounds| bounds.is_sorted());
        assert!(is_right, "{lane:?} of {recording:?}");
    }
    let [lanes, drawn] = [true, false].map(|plain| text::lines("it", &timeline, 80, plain));
    let rows: Vec<_> = lanes.iter().filter(|line| line.contains('|')).collect();
    let is_wide = rows.iter().all(|row| row.chars().count() == 80);
    let drawn = drawn.iter().filter(|line| line.contains('│')).count();
    assert!(is_wide && drawn == rows.len(), "{lanes:?}");
    let picture = svg::svg("it", &timeline);
    assert!(picture.ends_with("</svg>\n"));
    let trace = trace::json("it", &timeline);
    assert!(serde_json::from_str::<Value>(&trace).is_ok(), "{trace}");
    [lanes.join("\n"), picture, trace]
}

#[test]
fn an_incomplete_or_reordered_recording_can_be_shown() {
    for of_main in 1..=MAIN.len() {
        for of_child in 0..=CHILD.len() {
            checked(&[&MAIN[..of_main], &CHILD[..of_child]]);
        }
    }
    let is_of_thread_8 = |line: &&str| line.contains(r#""thread":8"#);
    let (of_thread_8, others): (Vec<&str>, Vec<&str>) =
        MAIN.iter().partition(|it| is_of_thread_8(it));
    for place in 1..MAIN.len() {
        for torn in ["", r#"{"at":8,"thr{"at":9,"event":"lost"}"#] {
            let lines = [&MAIN[..place], &[torn], &MAIN[place + 1..]].concat();
            checked(&[&lines, CHILD]);
        }
        // Each thread keeps its own order, but one of them writes all its events at one place.
        let (before, after) = others.split_at(place.min(others.len()));
        checked(&[&[before, &of_thread_8, after].concat(), CHILD]);
    }
}

#[test]
fn a_worker_terminated_by_its_pool_looks_different_from_a_killed_one() {
    let terminated = r#"{"at":215,"thread":7,"pid":9,"event":"worker terminated"}"#;
    let by_pool = [&MAIN[..11], &[terminated], &MAIN[11..]].concat();
    let killed = ["X is killed or fails", "#dead", "ended badly: SIGKILL"];
    let ended = [
        "] is terminated by its pool",
        "#over",
        "terminated by its pool",
    ];
    for (lines, signs, others) in [(MAIN, killed, ended), (&by_pool, ended, killed)] {
        let texts = checked(&[lines, CHILD]);
        for (text, (sign, other)) in texts.iter().zip(signs.iter().zip(others)) {
            let is_shown = text.contains(sign) && text.contains("later");
            // The picture defines all symbols in any case.
            let other = other.replace('#', "href=\"#");
            assert!(is_shown && !text.contains(&other), "{sign}: {text}");
        }
    }
}

#[test]
fn errors_name_the_file_and_no_escape_sequence_reaches_the_terminal() {
    let error = |processes: &[&[&str]]| format!("{:#}", shown(processes).unwrap_err());
    assert!(error(&[]).contains("contains no recording"));
    assert!(error(&[&MAIN[1..]]).contains("0-5.jsonl is not a recording"));
    assert!(error(&[&[MAIN[0], r#"{"at":9}"#]]).contains("line 2"));
    let escape = MAIN[3].replace("first", "\\u001b[2J");
    let [lanes, ..] = checked(&[&[&MAIN[..3], &[&escape], &MAIN[4..]].concat()]);
    let is_shown = lanes.contains("[2J") && !lanes.contains('\u{1b}');
    assert!(is_shown, "{lanes}");
}
