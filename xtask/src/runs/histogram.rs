use std::io;

use textwrap::core::display_width;

use crate::screen::Screen;

/// How often each outcome came.
#[derive(Debug, Default)]
pub(crate) struct Histogram {
    outcomes: Vec<Counted>,
}

/// An outcome, how often it came, and the first run that it came of.
#[derive(Debug, PartialEq)]
pub(crate) struct Counted {
    pub(crate) outcome: String,
    pub(crate) count: usize,
    pub(crate) first: String,
}

/// Characters of the longest bar.
const BAR: usize = 30;

impl Histogram {
    /// Counts an outcome; `run` says which run it came of.
    pub(crate) fn add(&mut self, outcome: &str, run: &str) {
        let mut known = self.outcomes.iter_mut();
        match known.find(|counted| counted.outcome == outcome) {
            Some(counted) => counted.count += 1,
            None => self.outcomes.push(Counted {
                outcome: outcome.to_owned(),
                count: 1,
                first: run.to_owned(),
            }),
        }
    }

    /// How many runs were counted.
    pub(crate) fn runs(&self) -> usize {
        self.outcomes.iter().map(|counted| counted.count).sum()
    }

    /// Gives the outcomes, the most frequent first; of equally frequent ones the earlier.
    pub(crate) fn outcomes(&self) -> Vec<&Counted> {
        let mut outcomes: Vec<&Counted> = self.outcomes.iter().collect();
        outcomes.sort_by_key(|counted| std::cmp::Reverse(counted.count));
        outcomes
    }

    /// How often an outcome came.
    pub(crate) fn count(&self, outcome: &str) -> usize {
        let mut outcomes = self.outcomes.iter();
        let counted = outcomes.find(|counted| counted.outcome == outcome);
        counted.map_or(0, |counted| counted.count)
    }

    /// Shows a line for each of `titles`, which are the names and counts of outcomes.
    pub(crate) fn show(&self, screen: &mut Screen, titles: &[(&str, usize)]) -> io::Result<()> {
        let all = self.runs();
        let width = titles.iter().map(|(title, _)| display_width(title)).max();
        let digits = all.to_string().len();
        for (title, count) in titles {
            let gap = " ".repeat(width.unwrap_or(0) - display_width(title));
            let percent = percent(*count, all);
            let sign = if screen.is_plain() { "#" } else { "\u{2588}" };
            let bar = sign.repeat(bar_length(*count, all));
            screen.line(
                format!("  {title}{gap}  {count:>digits$} of {all}  {percent:>4}  {bar}")
                    .trim_end(),
            )?;
        }
        screen.blank()
    }
}

/// A share in whole percent; what is not nothing is not 0%, and what is not everything is not 100%.
pub(crate) fn percent(count: usize, all: usize) -> String {
    let rounded = (200 * count + all) / (2 * all.max(1));
    match rounded {
        0 if count > 0 => "<1%".to_owned(),
        100 if count < all => ">99%".to_owned(),
        _ => format!("{rounded}%"),
    }
}

fn bar_length(count: usize, all: usize) -> usize {
    let length = (2 * BAR * count + all) / (2 * all.max(1));
    length.max(usize::from(count > 0))
}

#[cfg(test)]
mod tests {
    use super::{Counted, Histogram, percent};
    use crate::screen::{Screen, Style};

    fn histogram(outcomes: &[(&str, usize)]) -> Histogram {
        let mut histogram = Histogram::default();
        for (outcome, count) in outcomes {
            for run in 0..*count {
                histogram.add(outcome, &format!("{outcome}{run}"));
            }
        }
        histogram
    }

    #[test]
    fn outcomes_are_counted_and_the_most_frequent_comes_first() {
        let histogram = histogram(&[("rare", 1), ("often", 3), ("also rare", 1)]);
        assert_eq!(histogram.runs(), 5);
        assert_eq!((histogram.count("often"), histogram.count("never")), (3, 0));
        let outcomes = histogram.outcomes();
        let names: Vec<&str> = outcomes.iter().map(|one| one.outcome.as_str()).collect();
        assert_eq!(names, ["often", "rare", "also rare"]);
        let first = Counted {
            outcome: "often".to_owned(),
            count: 3,
            first: "often0".to_owned(),
        };
        assert_eq!(outcomes[0], &first);
    }

    #[test]
    fn lines_are_aligned_and_fit() {
        let histogram = histogram(&[("lost", 178), ("whole", 22)]);
        let mut shown = Vec::new();
        let titles = [("lost", 178), ("whole", 22), ("odd", 0)];
        let mut screen = Screen::new(&mut shown, Style::Plain, 80);
        histogram.show(&mut screen, &titles).unwrap();
        drop(screen);
        assert_eq!(
            String::from_utf8(shown).unwrap(),
            "  lost   178 of 200   89%  ###########################\n\
             \u{20} whole   22 of 200   11%  ###\n\
             \u{20} odd      0 of 200    0%\n\n"
        );
    }

    #[test]
    fn nearly_all_is_not_all_and_nearly_nothing_is_not_nothing() {
        assert_eq!(percent(0, 1000), "0%");
        assert_eq!(percent(1, 1000), "<1%");
        assert_eq!(percent(5, 1000), "1%");
        assert_eq!(percent(999, 1000), ">99%");
        assert_eq!(percent(1000, 1000), "100%");
        assert_eq!(percent(0, 0), "0%");
    }
}
