//! What the exercise must do.

use super::{clerk, office, signature};
use anyhow::{Context, Result, ensure};
use std::collections::HashSet;
use std::process;
use std::thread;
use support::Check;

pub const CHECKS: &[Check] = &[
    ("the main thread signs", main_thread_signs),
    ("a thread with a name signs with it", named_thread_signs),
    ("a thread without a name signs as ?", unnamed_thread_signs),
    ("a clerk and its thread sign", clerk_and_thread_sign),
    (
        "an office has a process for each name",
        office_has_processes,
    ),
];

fn main_thread_signs() -> Result<()> {
    expect(
        &signature(),
        &format!("MainProcess[{}]/main", process::id()),
    )
}

fn named_thread_signs() -> Result<()> {
    let reader = thread::Builder::new().name("reader".to_string());
    let signed = reader.spawn(signature)?.join();
    let signed = signed.ok().context("signature panicked")?;
    expect(&signed, &format!("MainProcess[{}]/reader", process::id()))
}

fn unnamed_thread_signs() -> Result<()> {
    let signed = thread::spawn(signature).join();
    let signed = signed.ok().context("signature panicked")?;
    expect(&signed, &format!("MainProcess[{}]/?", process::id()))
}

fn clerk_and_thread_sign() -> Result<()> {
    let anna = multiprocess::Builder::new().name("Anna");
    let anna = anna.spawn(clerk, ())?;
    let pid = anna.pid();
    let signed = anna.join()?;
    ensure!(signed.len() == 2, "two signatures, not {}", signed.len());
    let own = &signed[0];
    ensure!(
        own.starts_with(&format!("Anna[{pid}]/")),
        "the clerk's own signature begins with \"Anna[{pid}]/\", and not so: {own:?}"
    );
    expect(&signed[1], &format!("Anna[{pid}]/stamp"))
}

fn office_has_processes() -> Result<()> {
    let names = ["Anna", "Ben", "the new one"];
    let signed = office(&names)?;
    ensure!(signed.len() == 3, "three clerks, not {}", signed.len());
    let mut pids = HashSet::from([process::id().to_string()]);
    for (name, signatures) in names.iter().zip(signed) {
        let stamp = signatures.last().context("a clerk did not sign")?;
        let pid = stamp
            .strip_prefix(&format!("{name}["))
            .and_then(|rest| rest.strip_suffix("]/stamp"));
        let pid = pid.with_context(|| format!("{name} is to sign in this place, not {stamp:?}"))?;
        ensure!(
            pids.insert(pid.to_owned()),
            "{name} has no process of its own: pid {pid} was seen before"
        );
    }
    Ok(())
}

fn expect(signed: &str, expected: &str) -> Result<()> {
    ensure!(
        signed == expected,
        "the signature is {signed:?}, and should be {expected:?}"
    );
    Ok(())
}
