//! The turns of a race, in a column for each actor.

use textwrap::core::display_width;

use super::race::{Action, Race};
use crate::highlight::painted;
use crate::screen::Screen;
use crate::style::{BOLD, MAGENTA};

/// The width of the numbers at the left.
const MARGIN: usize = 5;

pub(super) struct Columns<'a> {
    pub(super) race: &'a Race,
    pub(super) screen: &'a Screen,
}

impl Columns<'_> {
    /// Returns the shared values, and the letters of the actors. A value that the last turn has changed stands
    /// with the old one.
    pub(super) fn heading(&self) -> Vec<String> {
        let [values, before] = &self.race.values;
        let value = |(name, text): &(String, String)| {
            let value = format!(" {name} = {text}");
            match before.iter().find(|old| old.0 == *name && old.1 != *text) {
                Some((_, old)) => format!("{}  (was {old})", self.screen.style.paint(BOLD, &value)),
                None => value,
            }
        };
        let mut lines: Vec<String> = values.iter().map(value).collect();
        let letter = |actor: char| self.screen.style.paint(BOLD, &format!("  {actor}"));
        lines.extend([String::new(), self.row("", letter)]);
        lines
    }

    /// Returns the turns so far, a row for each.
    pub(super) fn turns(&self) -> Vec<String> {
        let arrow = self.sign("\u{2192} ", "-> ");
        let rows = (1..).zip(&self.race.turns).map(|(number, turn)| {
            self.row(&format!("{number:>3}"), |actor| match actor {
                _ if actor == turn.actor => self.cell(' ', arrow, turn),
                _ => String::new(),
            })
        });
        rows.collect()
    }

    /// Returns the row of what each actor runs next, with the key for it.
    pub(super) fn next(&self) -> String {
        let mark = self.sign("\u{25b6}", ">");
        self.row(&format!("{mark:>3}"), |actor| {
            let Some(next) = self.race.next(actor) else {
                return "  finished".to_owned();
            };
            let key = self.race.keys().find(|key| key.1 == actor);
            let key = key.filter(|_| next.beside.is_empty());
            self.cell(key.map_or(' ', |key| key.0), "", next)
        })
    }

    /// Returns a row, with a cell for each actor.
    fn row(&self, margin: &str, cell: impl Fn(char) -> String) -> String {
        let mut row = padded(margin, MARGIN);
        for &actor in &self.race.actors {
            row += &padded(&cell(actor), self.column());
        }
        row.trim_end().to_owned()
    }

    /// Returns a key, a line of code and what stands beside it, shortened to the width of a column.
    fn cell(&self, key: char, sign: &str, action: &Action) -> String {
        let width = self.column().saturating_sub(3);
        let beside = match &*action.beside {
            "" => String::new(),
            beside => self.shortened(&format!("  {sign}{beside}"), width / 2),
        };
        let line = self.shortened(&action.line, width.saturating_sub(display_width(&beside)));
        let key = self.screen.style.paint(MAGENTA, &key.to_string());
        let beside = self.screen.style.paint(BOLD, &beside);
        format!(
            "{key} {}{beside}",
            painted("rust", &line, self.screen.style)
        )
    }

    fn column(&self) -> usize {
        self.screen.width.saturating_sub(MARGIN) / self.race.actors.len().max(1)
    }

    fn shortened(&self, text: &str, width: usize) -> String {
        if display_width(text) <= width {
            return text.to_owned();
        }
        let dots = self.sign("\u{2026}", "...");
        let mut short = text.to_owned();
        while display_width(&short) + display_width(dots) > width && short.pop().is_some() {}
        short + dots
    }

    fn sign<'a>(&self, sign: &'a str, plain: &'a str) -> &'a str {
        [sign, plain][usize::from(self.screen.is_plain())]
    }
}

fn padded(text: &str, width: usize) -> String {
    text.to_owned() + &" ".repeat(width.saturating_sub(display_width(text)))
}

#[cfg(test)]
mod tests {
    use super::{Columns, Screen};
    use crate::schedule::race::Race;

    #[test]
    fn each_actor_has_a_column_and_a_line_that_is_too_long_is_shortened() {
        let mut race = Race::default();
        let said = "value,total,0|did,A,load(),0|value,total,1|blocked,A,a_long_call_of(lock)|next,B,store()";
        for line in said.split('|') {
            race.hear(&line.replace(',', "\t"))
                .expect("it's understood");
        }
        race.values = [race.values[0].split_off(1), race.values[0].clone()];
        let lines = |width| {
            let mut screen = Screen::stdout(true);
            screen.width = width;
            let (race, screen) = (&race, &screen);
            let columns = Columns { race, screen };
            [columns.heading(), columns.turns(), vec![columns.next()]].concat()
        };
        let expected = " total = 1  (was 0)

       A                        B
  1    load()  -> 0
  >    a_long_cal...  blocked 2 store()";
        assert_eq!(lines(55).join("\n"), expected);
        // Whatever the size of the terminal.
        assert_eq!(lines(1).len(), 5);
    }
}
