//! Reports of panics in the processes of a check, as the crate `multiprocess` prints them: a line with the
//! location, and the message below it.

/// Removes the reports that don't say what is wrong: those of panics in `checks.rs`, which the check causes on
/// purpose or learns about, and those that another line repeats.
pub(super) fn without_expected(mut lines: Vec<String>) -> Vec<String> {
    let all = lines.join("\n");
    let mut at = 0;
    while at + 1 < lines.len() {
        let first = lines[at].strip_suffix(':');
        let Some((_, location)) = first.and_then(|line| line.split_once(" panicked at ")) else {
            at += 1;
            continue;
        };
        let is_repeated = |count: &usize| {
            let message = lines[at + 1..=at + count].join("\n");
            all.contains(&format!("{location}: {message}"))
        };
        let repeated = (1..lines.len() - at).take_while(is_repeated).count();
        let is_expected = location.contains("/checks.rs:");
        match repeated.max(usize::from(is_expected)) {
            0 => at += 1,
            count => drop(lines.drain(at..=at + count)),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::without_expected;

    #[test]
    fn a_panic_that_is_expected_or_reported_twice_is_left_out() {
        let text = "process 'A' (pid 1) panicked at exercise/checks.rs:4:5:\nit is torn\nfirst\n\
                    process 'A' (pid 2) panicked at exercise/main.rs:6:7:\nnot equal\n  left: 1\nmore\n\
                    process 'A' (pid 3) panicked at exercise/main.rs:8:9:\nonly here\n\
                    process 'A' (pid 2) panicked at exercise/main.rs:6:7: not equal\n  left: 1\n\
                    process 'A' (pid 4) panicked at exercise/main.rs:8:9:";
        let lines = text.lines().map(str::to_owned).collect();
        let expected = "first\nmore\nprocess 'A' (pid 3) panicked at exercise/main.rs:8:9:\nonly here\n\
                        process 'A' (pid 2) panicked at exercise/main.rs:6:7: not equal\n  left: 1\n\
                        process 'A' (pid 4) panicked at exercise/main.rs:8:9:";
        assert_eq!(without_expected(lines).join("\n"), expected);
    }
}
