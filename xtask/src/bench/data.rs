//! The findings for other programs, in JSON.

use serde_json::{Value, json};

use crate::bench::finding::{Finding, Goal, Measured, Ratio};
use crate::bench::machine::Machine;

/// Writes the findings, every measurement among them.
pub(crate) fn json(findings: &[Finding], machine: &Machine, rounds: usize) -> String {
    let data = json!({
        "machine": {
            "cores": machine.cores,
            "processor": machine.processor,
            "system": machine.system,
            "rust": machine.rust,
            "python": machine.python,
            "date": machine.date,
            "load": machine.load,
            "busy": machine.busy,
        },
        "rounds": rounds,
        "rows": findings.iter().map(|finding| row(finding, machine.cores, rounds)).collect::<Vec<_>>(),
    });
    format!("{data:#}\n")
}

fn row(finding: &Finding, cores: usize, rounds: usize) -> Value {
    let sides = finding.sides.iter();
    let sides: Vec<Value> = sides.map(|it| side(finding, it, cores, rounds)).collect();
    json!({
        "name": finding.row.name,
        "title": finding.row.title,
        "sides": sides,
    })
}

fn side(finding: &Finding, measured: &Measured, cores: usize, rounds: usize) -> Value {
    let comparison = finding.comparison(measured, cores);
    let (least, most) = measured.spread().unzip();
    let ratio = comparison.map(|it| it.ratio);
    let goal = comparison.and_then(|it| it.goal);
    json!({
        "name": measured.side.name,
        "title": measured.side.title,
        "rounds": measured.side.rounds(rounds),
        "nanoseconds": measured.nanoseconds,
        "median": measured.median(),
        "least": least,
        "most": most,
        "failure": measured.failure,
        "times_as_fast": ratio.map(|ratio| match ratio {
            Ratio::Faster(faster) => faster,
            Ratio::Longer(longer) => 1.0 / longer,
        }),
        "times_as_long": ratio.map(|ratio| match ratio {
            Ratio::Faster(faster) => 1.0 / faster,
            Ratio::Longer(longer) => longer,
        }),
        "asked": goal.map(|goal| match goal {
            Goal::AtLeast(least) => json!({ "times_as_fast_at_least": least }),
            Goal::AtMost(most) => json!({ "times_as_long_at_most": most }),
        }),
        "holds": comparison.and_then(|it| it.holds()),
    })
}
