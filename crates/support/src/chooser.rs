use std::collections::BTreeMap;

use crate::ask::{self, Parked};
use crate::end::End;

/// Who decides which actor runs next.
pub(crate) enum Chooser {
    /// No one: each actor runs as soon as it can.
    Free,
    /// A whole schedule.
    Given(Vec<char>),
    /// The beginning of a schedule. After that, the first actor that is ready runs.
    Prefix(Vec<char>),
    /// A person, who is asked each time.
    Ask,
}

impl Chooser {
    /// Chooses the actor that runs after `step` actions, from all that have actions left.
    pub(crate) fn choose(&self, step: usize, parked: &BTreeMap<char, Parked>) -> Result<char, End> {
        let ready = parked.iter().find(|(_, parked)| parked.is_ready);
        let first = ready.map(|(&actor, _)| actor).ok_or(End::Stuck);
        match self {
            Chooser::Given(letters) | Chooser::Prefix(letters) if step < letters.len() => {
                allowed(letters[step], step, parked)
            }
            Chooser::Given(_) => first.and(Err(End::TooShort)),
            Chooser::Prefix(_) | Chooser::Free => first,
            Chooser::Ask => ask::choose(parked),
        }
    }
}

/// Returns an actor that a schedule names, if it can run.
fn allowed(actor: char, step: usize, parked: &BTreeMap<char, Parked>) -> Result<char, End> {
    let why = match parked.get(&actor) {
        Some(Parked { is_ready: true, .. }) => return Ok(actor),
        Some(Parked { line, .. }) => format!("cannot run `{line}`, because the lock is taken"),
        None => "has no actions left".to_owned(),
    };
    Err(End::Refused(format!(
        "action {} of this schedule is not possible: {actor} {why}",
        step + 1
    )))
}
