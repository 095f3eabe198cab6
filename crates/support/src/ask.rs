//! The lines that a race and a person's user interface exchange, through pipes. Fields are separated by tabs.
//!
//! The race prints `goal TEXT` once. Before each choice, it prints `value NAME TEXT` for each shared value, and
//! `next ACTOR LINE` or `blocked ACTOR LINE` for each actor that has actions left; then `choose`, and reads the
//! letter of an actor that is ready. After its action comes `did ACTOR LINE RESULT`, and at the end `outcome TEXT`.

use std::collections::BTreeMap;
use std::io::{self, Write};

use crate::end::End;

/// An actor that waits for its turn.
pub(crate) struct Parked {
    /// The number of actions that had happened when it was last asked whether it is ready.
    pub(crate) step: usize,
    /// The source line that it runs next.
    pub(crate) line: String,
    /// Whether it can run that line. If not, the lock that it needs is taken.
    pub(crate) is_ready: bool,
}

/// Prints a line. The race ends if standard output is closed.
pub(crate) fn say(fields: &[&str]) -> Result<(), End> {
    let mut out = io::stdout().lock();
    let written = writeln!(out, "{}", fields.join("\t")).and_then(|()| out.flush());
    written.map_err(|error| match error.kind() {
        io::ErrorKind::BrokenPipe => End::Closed,
        _ => End::Failed(format!("cannot write to standard output: {error}")),
    })
}

/// Shows what each actor runs next, and reads which one of them does.
pub(crate) fn choose(parked: &BTreeMap<char, Parked>) -> Result<char, End> {
    for (actor, Parked { line, is_ready, .. }) in parked {
        let kind = if *is_ready { "next" } else { "blocked" };
        say(&[kind, &actor.to_string(), line])?;
    }
    if parked.values().all(|parked| !parked.is_ready) {
        return Err(End::Stuck);
    }
    say(&["choose"])?;
    let mut answer = String::new();
    match io::stdin().read_line(&mut answer) {
        Ok(0) => return Err(End::Closed),
        Ok(_) => {}
        Err(error) => return Err(End::Refused(format!("cannot read the answer: {error}"))),
    }
    let answer = answer.trim();
    let ready = parked.iter().filter(|(_, parked)| parked.is_ready);
    let ready: Vec<String> = ready.map(|(actor, _)| actor.to_string()).collect();
    let chosen = ready.iter().find(|actor| *actor == answer);
    chosen
        .and_then(|actor| actor.chars().next())
        .ok_or_else(|| {
            let ready = ready.join(", ");
            End::Refused(format!(
                "`{answer}` cannot run next; these are ready: {ready}"
            ))
        })
}
