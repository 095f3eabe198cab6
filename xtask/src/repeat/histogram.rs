use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt::Display;
use std::io;

use crate::screen::Screen;
use crate::table;

/// The length of the longest bar.
const MAX_BAR: usize = 20;

/// Counts how often each outcome came, including known ones that never came; the most frequent is first.
pub(super) fn counts<'a>(
    known: impl Iterator<Item = &'a str>,
    seen: impl Iterator<Item = &'a str>,
) -> Vec<(&'a str, usize)> {
    let mut counts: BTreeMap<&str, usize> = known.map(|outcome| (outcome, 0)).collect();
    for outcome in seen {
        *counts.entry(outcome).or_default() += 1;
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by_key(|(_, count)| Reverse(*count));
    counts
}

/// Returns the rows of a table: the heading, and the count of each outcome.
pub(super) fn rows(screen: &Screen, outcomes: &[(impl Display, usize)]) -> Vec<Vec<String>> {
    let all: usize = outcomes.iter().map(|(_, count)| count).sum();
    let sign = if screen.is_plain() { "#" } else { "\u{2588}" };
    let mut rows = vec![["outcome", "runs", "share", ""].map(str::to_owned).to_vec()];
    for (outcome, count) in outcomes {
        let bar = sign.repeat((MAX_BAR * count).div_ceil(all.max(1)));
        let share = percent(*count, all);
        rows.push(vec![outcome.to_string(), count.to_string(), share, bar]);
    }
    rows
}

pub(super) fn show(screen: &mut Screen, rows: &[Vec<String>]) -> io::Result<()> {
    for line in table::lines(rows, screen.width.saturating_sub(2)) {
        screen.line(&format!("  {line}"))?;
    }
    screen.blank()
}

/// Returns a share in percent. Never rounds a non-zero share to 0 %, nor a share below 100 % to 100 %.
pub(super) fn percent(count: usize, all: usize) -> String {
    match (200 * count + all) / (2 * all.max(1)) {
        0 if count > 0 => "<1%".to_owned(),
        100 if count < all => ">99%".to_owned(),
        rounded => format!("{rounded}%"),
    }
}

#[cfg(test)]
mod tests {
    use super::percent;

    #[test]
    fn a_share_is_not_rounded_to_0_or_100_percent() {
        assert_eq!(percent(0, 1000), "0%");
        assert_eq!(percent(1, 1000), "<1%");
        assert_eq!(percent(5, 1000), "1%");
        assert_eq!(percent(999, 1000), ">99%");
        assert_eq!(percent(1000, 1000), "100%");
    }
}
