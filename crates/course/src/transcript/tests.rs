use super::Transcript;
use crate::document::Document;
use std::time::Duration;
use support::readable_time;

fn parsed(info: &str, text: &str) -> Result<Transcript, String> {
    let block = Document::parse(&format!("```{info}\n{}\n```\n", text.trim_end()));
    Transcript::of(block.code().next().unwrap())
}

/// Returns how a run differs, or an empty text.
fn difference(info: &str, lines: &str, printed: &str) -> String {
    let printed: Vec<String> = printed.lines().map(str::to_owned).collect();
    let transcript = parsed(info, &format!("$ run it\n{lines}")).unwrap();
    let compared = transcript.compare(&printed);
    compared.map_or_else(|difference| difference.to_string(), |()| String::new())
}

#[track_caller]
fn matches(info: &str, lines: &str, right: &[&str], wrong: &[&str]) {
    for printed in right {
        assert_eq!(difference(info, lines, printed), "", "{info}: {printed}");
    }
    for printed in wrong {
        assert_ne!(difference(info, lines, printed), "", "{info}: {printed}");
    }
}

#[test]
fn an_ordered_run_must_match_line_by_line() {
    let lines = "10\nin [TIME]\nprocess [PID]\nDone";
    let wrong = [
        "11\nin 13.4 ms\nprocess 4711\nDone",
        "10\nin a while\nprocess 4711\nDone",
        "10\nin 13.4 ms\nprocess none\nDone",
        "10\nin 13.4 ms\nprocess 4711",
        "10\nin 13.4 ms\nprocess 4711\nDone\nand more",
        "10\nprocess 4711\nin 13.4 ms\nDone",
        "10\n10\nin 13.4 ms\nprocess 4711\nDone",
        "10\nin 13.4 ms\nprocess 4711\n\nDone",
        "",
    ];
    let right = "10\nin 13.4 ms\nprocess 4711\nDone";
    matches("console", lines, &[right], &wrong);
    matches("console", "", &[""], &["a"]);
    matches("console", "a\n\nb  ", &["a  \n\nb"], &[]);
}

#[test]
fn unordered_lines_come_in_any_order_each_of_them_once() {
    let right = [
        "hello 0\nhello 1\nhello 17\nx\ny",
        "y\nx\nhello 17\nhello 1\nhello 0",
        "x\nhello 1\ny\nhello 0\nhello 17",
        // Patterns match what literal lines leave over.
        "hello 0\nhello 1\nhello 0\nhello 1\nhello 0",
        "\n\nhello 1\nhello 0\nhello 3",
    ];
    let wrong = [
        "hello 0\nhello 2\nhello 17\nx\ny",
        "hello 0\nhello 17\nx\ny",
        "hello 0\nhello 1\nhello 17\nx\ny\nz",
        "hello 0\nhello 0\nhello 17\nx\ny",
        "hello 0\nhello 1\nx\ny\nz",
        "",
    ];
    let garbled = "[..]\n[..]\nhello [N]\nhello 0\nhello 1";
    matches("console any-order", garbled, &right, &wrong);
    matches("console any-order", "a\nb", &[], &["a\nb\nb", "a\na"]);
}

const WORKERS: &str = "\
main: goes on
one: 0
two: 0
one: 1
two: 1
main: all have ended";

#[test]
fn workers_interleave_but_the_lines_of_each_keep_their_order() {
    let right = [
        "main: goes on\none: 0\none: 1\ntwo: 0\ntwo: 1\nmain: all have ended",
        "two: 0\ntwo: 1\none: 0\none: 1\nmain: goes on\nmain: all have ended",
        "two: 0\none: 0\nmain: goes on\ntwo: 1\none: 1\nmain: all have ended",
    ];
    let wrong = [
        "main: goes on\none: 1\none: 0\ntwo: 0\ntwo: 1\nmain: all have ended",
        "main: goes on\none: 0\none: 1\ntwo: 0\ntwo: 2\nmain: all have ended",
        "main: goes on\none: 0\none: 1\ntwo: 0\nmain: all have ended",
        "main: goes on\none: 0\none: 1\ntwo: 0\ntwo: 1\ntwo: 1\nmain: all have ended",
        "main: goes on\none: 0\none: 1\ntwo: 0\ntwo: 1\nthree: 0\nmain: all have ended",
        "main: goes on\none: 0\none: 1\nmain: all have ended",
        "",
    ];
    matches("console per-worker", WORKERS, &right, &wrong);
}

#[test]
fn a_line_of_main_below_lines_of_others_comes_after_them() {
    let wrong = [
        "main: goes on\none: 0\none: 1\ntwo: 0\nmain: all have ended\ntwo: 1",
        "one: 0\none: 1\ntwo: 0\ntwo: 1\nmain: all have ended\nmain: goes on",
        "main: goes on\none: 0\none: 1\ntwo: 0\ntwo: 1\nmain: all have ended\nmore",
        "main: goes on\none: 0\none: 1\ntwo: 0\ntwo: 1",
    ];
    matches("console per-worker", WORKERS, &[], &wrong);
    let twice = "one: 0\nmain: first\none: 1\ntwo: 0\nmain: second";
    let right = "one: 0\nmain: first\ntwo: 0\none: 1\nmain: second";
    let wrong = [
        "one: 0\none: 1\nmain: first\ntwo: 0\nmain: second",
        "main: first\none: 0\ntwo: 0\none: 1\nmain: second",
    ];
    matches("console per-worker", twice, &[right], &wrong);
    // The same with `any-order`.
    let wrong = ["b\nmain counts 2\na\nc", "b\na\nc\nmain counts 2"];
    let lines = "a\nb\nmain counts 2\nc";
    matches(
        "console any-order",
        lines,
        &["b\na\nmain counts 2\nc"],
        &wrong,
    );
    let (right, wrong) = (
        "a\nmain: goes on\nmain: ends",
        "a\nmain: ends\nmain: goes on",
    );
    matches(
        "console any-order",
        "main: goes on\na\nmain: ends",
        &[right],
        &[wrong],
    );
}

#[test]
fn a_heading_divides_the_lines_above_and_below_it() {
    let right = ["without:\nx\ny\nwith:\nb\na", "without:\na\n\nwith:\na\nb"];
    let wrong = [
        "x\nwithout:\ny\nwith:\na\nb",
        "without:\nx\nwith:\ny\na\nb",
        "without:\nx\ny\na\nwith:\nb",
        "with:\na\nb\nwithout:\nx\ny",
        "without:\nx\ny\na\nb",
        "x\ny\nwith:\na\nb",
    ];
    let lines = "without:\n[..]\n[..]\nwith:\na\nb";
    matches("console any-order", lines, &right, &wrong);
    let lines = "first:\none: 0\none: 1\nthen:\ntwo: 0\none: 2";
    let right = "first:\none: 0\none: 1\nthen:\none: 2\ntwo: 0";
    let wrong = "first:\none: 0\nthen:\none: 1\ntwo: 0\none: 2";
    matches("console per-worker", lines, &[right], &[wrong]);
}

#[test]
fn a_pattern_in_the_name_of_a_worker_matches_one_worker() {
    let lines = "Process-[N] starts\nservice starts\nProcess-[N] ends";
    let right = "Process-3 starts\nProcess-3 ends\nservice starts";
    let wrong = [
        "Process-3 starts\nProcess-4 ends\nservice starts",
        "Process-3 ends\nProcess-3 starts\nservice starts",
    ];
    matches("console per-worker", lines, &[right], &wrong);
    // Both patterns match w-2; only one assignment matches all.
    let lines = "w-[N] [..]\nw-[N] ends\nw-2 starts\nw-2 ends";
    let right = "w-2 starts\nw-2 ends\nw-7 sings\nw-7 ends";
    matches("console per-worker", lines, &[right], &[]);
}

#[test]
fn a_difference_shows_the_missing_and_extra_lines_and_their_place() {
    let many: Vec<String> = (1..40).map(|line| line.to_string()).collect();
    let extra = "  2\n+ 3\n+ 4\n+ 5\n+ 6\n+ 7\n+ 8\n+ 9\n+ 10\n+ ... and 29 more lines";
    let workers = "main: goes on\ntwo: 0\ntwo: 1\none: 0\none: 2\nmain: all have ended";
    for (info, lines, printed, expected) in [
        ("console", "1\n2\n3\n4", "1\n2\n5\n4", "  2\n- 3\n+ 5"),
        ("console", "1\n2", &many.join("\n"), extra),
        (
            "console any-order",
            "[..]\nhello 0\nhello 1",
            "x\nhello 1\nhello 2",
            "- hello 0\n+ hello 2",
        ),
        (
            "console per-worker",
            WORKERS,
            workers,
            "  one: 0\n- one: 1\n+ one: 2",
        ),
        (
            "console per-worker",
            "one: 0\nmain: end",
            "one: 0",
            "- main: end",
        ),
        (
            "console per-worker",
            "w-[N]: 0\nw-[N]: 1",
            "w-3: 0\nx: 1",
            "  w-3: 0\n- w-[N]: 1\n+ x: 1",
        ),
    ] {
        assert_eq!(difference(info, lines, printed), expected);
    }
    let transcript = parsed("console", "$ run\n1\n2\n8").unwrap();
    let missing = transcript.compare(&["1".to_owned(), "2".to_owned()]);
    assert_eq!(missing.unwrap_err().place, 2);
}

#[test]
fn an_invalid_block_is_refused() {
    let refused = |info, text| parsed(info, text).unwrap_err();
    assert_eq!(
        refused("console any-oder", "$ run\n"),
        "`any-oder` is not an order of a transcript; did you mean `any-order`?"
    );
    assert!(refused("console", "run\n").contains("does not begin with `$ `"));
    assert!(refused("console", "").contains("does not begin with `$ `"));
    assert!(refused("console", "$ a\n1\n$ b\n").contains("a second command, `$ b`"));
}

#[test]
fn a_pattern_matches_its_meaning_and_nothing_else() {
    for (pattern, allowed, refused) in [
        ("a[..]e", "ae|a, then e, then e", "a, then e, then f"),
        ("[..] and [..]", "x and y and z", "x or y"),
        (
            "[N] of 20",
            "0 of 20|17 of 20|-3 of 20|1.93 of 20",
            " of 20|x of 20|1x of 20|1. of 20|1 7 of 20|17 of 21",
        ),
        ("pid [PID]", "pid 4711", "pid 0|pid -4|pid 4.5|pid 07|pid "),
        (
            "in [TIME]",
            "in 2 s",
            "in 2.05|in 2.05 h|in s|in 2,05 s|in -2 s|in 2.05s|in 2.05 s.",
        ),
    ] {
        let split = |runs: &'static str| runs.split('|').collect::<Vec<_>>();
        matches("console", pattern, &split(allowed), &split(refused));
    }
    for nanoseconds in [0, 999, 13_420, 999_950, 2_054_000_000, 700_000_000_000] {
        let time = readable_time(Duration::from_nanos(nanoseconds));
        matches("console", "in [TIME]", &[&format!("in {time}")], &[]);
    }
}
