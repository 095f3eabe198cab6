//! What is around the course.

use super::verdict::Finding;

/// Judges the operating system.
pub(in crate::doctor) fn system(os: &str, architecture: &str) -> Finding {
    let found = format!("{os}, {architecture}");
    match os {
        "linux" => Finding::fine("system", found),
        "windows" => Finding::problem(
            "system",
            found,
            "The crate `multiprocess` needs Unix. On Windows, use WSL, the Windows Subsystem for Linux.",
        ),
        _ => Finding::note(
            "system",
            found,
            "The course is made for Linux. On other Unix systems some steps show less.",
        ),
    }
}

/// Judges how many cores a program may use.
pub(in crate::doctor) fn cores(cores: usize) -> Finding {
    match cores {
        0 | 1 => Finding::note(
            "cores",
            cores.to_string(),
            "All steps work, but none gets faster by working in parallel: the speed-ups that the lessons \
             show are about 1 here.",
        ),
        _ => Finding::fine("cores", cores.to_string()),
    }
}

/// Judges how busy the machine is: the mean number of programs that wanted to compute in the last minute.
pub(in crate::doctor) fn load(load: Option<f64>, cores: usize) -> Finding {
    const WHAT: &str = "busy with other things";
    let Some(load) = load else {
        return Finding::fine(WHAT, "this system does not say");
    };
    let found = format!("{load:.1} programs on {cores} cores");
    let share = load / f64::from(u32::try_from(cores.max(1)).unwrap_or(u32::MAX));
    if share > 0.5 {
        let advice = "Other programs compute as well. The times that the steps measure will be longer, and \
                      the speed-ups smaller.";
        return Finding::note(WHAT, found, advice);
    }
    Finding::fine(WHAT, found)
}

/// Judges where the output goes: `None` for what is no terminal.
pub(in crate::doctor) fn terminal(width: Option<u16>, is_plain: bool) -> Finding {
    const WHAT: &str = "terminal";
    match width {
        None => Finding::fine(WHAT, "none: plain text, 80 columns"),
        Some(width) if width < 80 => Finding::note(
            WHAT,
            format!("{width} columns"),
            "Code in the lessons is up to 100 columns wide: widen the window, or make the letters smaller.",
        ),
        Some(width) if is_plain => Finding::fine(WHAT, format!("{width} columns, plain text")),
        Some(width) => Finding::fine(WHAT, format!("{width} columns, with colours")),
    }
}

/// Judges what programs left that were killed.
pub(in crate::doctor) fn leftovers(dead_runs: usize) -> Finding {
    const WHAT: &str = "left by killed programs";
    let found = match dead_runs {
        0 => return Finding::fine(WHAT, "nothing"),
        1 => "what 1 run shared".to_owned(),
        _ => format!("what {dead_runs} runs shared"),
    };
    let advice =
        "Nothing needs to be done: the next step with processes that is run clears it away.";
    Finding::note(WHAT, found, advice)
}

/// Judges the environment variables that change what the lessons show; `set` has those that are set.
pub(in crate::doctor) fn environment(set: &[&str]) -> Finding {
    const WHAT: &str = "environment";
    if set.is_empty() {
        return Finding::fine(WHAT, "nothing that changes the lessons");
    }
    let names: Vec<String> = set.iter().map(|name| format!("`{name}`")).collect();
    Finding::note(
        WHAT,
        format!("{} set", set.join(", ")),
        format!(
            "The lessons will show other things than their texts say. `unset` what you did not set on \
             purpose: {}.",
            names.join(", ")
        ),
    )
}
