//! Full pages on a terminal: a title, a text, a question, and the keys.

use std::fmt::Write as _;
use std::io::{self, Write};

use regex_lite::Regex;
use textwrap::Options;
use textwrap::core::display_width;

use crate::keys::{Key, Keyboard};
use crate::pagination::pages;
use crate::screen::Screen;
use crate::style::{BOLD, FAINT, MAGENTA};
use crate::wrap::wrap;

/// Clears a row from the cursor on. Before a line, because after a line as wide as the terminal, the cursor is
/// still on the last character.
const CLEAR: &str = "\u{1b}[K";

/// What stands around a text on its pages.
#[derive(Default)]
pub(crate) struct View<'a> {
    pub(crate) title: String,
    /// At the right of the title, such as the time.
    pub(crate) state: String,
    /// What to think about, below the text.
    pub(crate) question: &'a str,
    /// Whether it's asked already. If not, it's shown from the page after the one whose text asks it, and on
    /// the last page.
    pub(crate) is_asked: bool,
    /// What Enter does on the last page; empty if nothing.
    pub(crate) enter: &'a str,
    /// Whether Page Up does something on the first page.
    pub(crate) has_before: bool,
    /// The other keys that do something, the most important first.
    pub(crate) keys: &'a [(char, &'a str)],
}

/// Returns the keys that do something: each key comes with what it does, and whether it does that now.
pub(crate) fn working<T>(all: impl IntoIterator<Item = (char, T, bool)>) -> Vec<(char, T)> {
    let keys = all.into_iter().filter(|(.., works)| *works);
    keys.map(|(key, does, _)| (key, does)).collect()
}

/// The current page of a text, and the number of its pages.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Position {
    page: usize,
    of: usize,
}

impl Position {
    pub(crate) const END: Self = Self {
        page: usize::MAX,
        of: 0,
    };

    /// Adapts to a new number of pages, after a change of the terminal's size.
    fn settle(&mut self, of: usize) {
        if self.of != of && self.of > 0 {
            self.page = self.page * of / self.of;
        }
        *self = Self {
            page: self.page.min(of - 1),
            of,
        };
    }

    pub(crate) fn is_last(self) -> bool {
        self.page + 1 == self.of
    }
}

impl Screen {
    /// Shows a text's pages, turns them, and returns the first key that doesn't turn a page.
    pub(crate) fn read(
        &mut self,
        keyboard: &mut Keyboard,
        view: &View,
        blocks: &[Vec<String>],
        position: &mut Position,
    ) -> io::Result<Key> {
        let pages = pages(blocks, self.room(view), self.size.0);
        let asks = |page: &Vec<String>| has_text(page, view.question);
        let asked_on = pages.iter().position(asks).unwrap_or(0);
        loop {
            position.settle(pages.len());
            let is_asked = view.is_asked || position.is_last() || position.page > asked_on;
            self.show_page(view, is_asked, &pages[position.page], *position)?;
            match keyboard.key()? {
                Key::Forward if !position.is_last() => position.page += 1,
                Key::Back if position.page > 0 => position.page -= 1,
                Key::Resumed => self.page_shown = Default::default(),
                key => return Ok(key),
            }
        }
    }

    /// Begins a page on which a program's lines appear as they come. `doing` stands in place of the keys.
    pub(crate) fn begin_live(&mut self, view: &View, doing: &str) -> io::Result<()> {
        self.measure();
        self.page_shown = Default::default();
        let frame = if self.is_plain() {
            format!("{}\n\n", view.title)
        } else {
            let (top, bottom) = (self.top(view, Position::default()), self.bottom(view, true));
            let doing = self.style.paint(FAINT, &format!(" {doing}"));
            let first = top.len() + 1;
            let last = first + self.room(view) - 1;
            let page = self.drawn(&top, &[], &bottom, &doing);
            // From here on, only the rows between title and question scroll.
            format!("{page}\u{1b}[{first};{last}r\u{1b}[{first};1H")
        };
        self.live = Some((frame, Vec::new()));
        self.show_live()
    }

    /// Shows the live page, with its last lines. Earlier ones scroll away.
    pub(crate) fn show_live(&self) -> io::Result<()> {
        let mut stdout = io::stdout();
        if let Some((frame, lines)) = &self.live {
            let last = &lines[lines.len().saturating_sub(self.size.1)..];
            write!(stdout, "{frame}")?;
            last.iter()
                .try_for_each(|line| writeln!(stdout, "{line}"))?;
        }
        stdout.flush()
    }

    /// Ends a live page. Returns its lines, and the position at their end.
    pub(crate) fn end_live(&mut self, view: &View) -> io::Result<(Vec<String>, Position)> {
        let (_, lines) = self.live.take().unwrap_or_default();
        self.measure();
        let pages = pages(std::slice::from_ref(&lines), self.room(view), self.size.0);
        let position = Position {
            page: pages.len() - 1,
            of: 0,
        };
        if self.is_plain() {
            self.page_shown.1 = pages.last().map_or(0, Vec::len);
        } else {
            io::stdout().write_all(b"\x1b[r")?;
        }
        Ok((lines, position))
    }

    /// Returns the number of rows for the text on each page.
    pub(crate) fn room(&self, view: &View) -> usize {
        let (columns, rows) = self.size;
        let around = if self.is_plain() {
            // A plain line may be longer than the terminal is wide. The text is between two empty lines, and
            // the cursor is below the page.
            let lines = self.bottom(view, true).len() + 2;
            lines * self.width.div_ceil(columns) + 3
        } else {
            self.bottom(view, true).len() + 3
        };
        rows.saturating_sub(around).max(1)
    }

    fn show_page(
        &mut self,
        view: &View,
        is_asked: bool,
        lines: &[String],
        position: Position,
    ) -> io::Result<()> {
        let bottom = self.bottom(view, is_asked);
        let keys = self.keys(view, position);
        let page = format!("{lines:?}{bottom:?}{keys}");
        if self.is_plain() {
            let already = std::mem::replace(&mut self.page_shown.1, 0);
            if self.page_shown.0 != page {
                if already == 0 {
                    self.line(&view.title)?;
                    self.blank()?;
                }
                self.lines(&lines[already.min(lines.len())..])?;
                if lines.last().is_some_and(|line| !line.is_empty()) {
                    self.blank()?;
                }
                self.lines(&bottom)?;
                self.line(&keys)?;
            }
            self.page_shown.0 = page;
            return io::stdout().flush();
        }
        let top = self.top(view, position);
        let page = format!("{page}{top:?}{:?}", self.size);
        if self.page_shown.0 != page {
            let page = self.drawn(&top, lines, &bottom, &keys);
            io::stdout().write_all(page.as_bytes())?;
        }
        self.page_shown.0 = page;
        io::stdout().flush()
    }

    /// Returns what draws a page: lines at the top, lines at the bottom, and keys in the last row.
    fn drawn(&self, top: &[String], lines: &[String], bottom: &[String], keys: &str) -> String {
        let mut page = "\u{1b}[H".to_owned();
        for line in top.iter().chain(lines) {
            let _ = writeln!(page, "{CLEAR}{line}");
        }
        let row = self.size.1.saturating_sub(bottom.len()).max(1);
        let _ = write!(page, "\u{1b}[J\u{1b}[{row};1H");
        for line in bottom {
            let _ = writeln!(page, "{CLEAR}{line}");
        }
        page + CLEAR + keys
    }

    fn rule(&self) -> String {
        self.style.paint(FAINT, &"\u{2500}".repeat(self.width))
    }

    fn top(&self, view: &View, position: Position) -> [String; 2] {
        let page = match position.of {
            0 | 1 => String::new(),
            of => format!(" \u{b7} page {} of {of}", position.page + 1),
        };
        let right = display_width(&page) + display_width(&view.state) + 4;
        let width = self.width.saturating_sub(right);
        let mut title: String = view.title.chars().take(width).collect();
        if title != view.title {
            title.pop();
            title.push('\u{2026}');
        }
        let gap = " ".repeat(width.saturating_sub(display_width(&title)));
        let title = self.style.paint(BOLD, &format!("{title}{page}"));
        [format!(" {title}{gap}  {}", view.state), self.rule()]
    }

    /// Returns the lines between the text and the keys.
    fn bottom(&self, view: &View, is_asked: bool) -> Vec<String> {
        let options = Options::new(self.width.saturating_sub(1)).break_words(false);
        let mut lines = wrap(
            view.question,
            options.initial_indent(" ").subsequent_indent(" "),
        );
        lines.retain(|line| !line.is_empty());
        for line in &mut lines {
            // A hidden question's rows stay reserved.
            let shown = if is_asked { line.as_str() } else { "" };
            *line = self.style.paint(BOLD, shown);
        }
        if self.is_plain() {
            lines.retain(|line| !line.is_empty());
        } else {
            lines.insert(0, self.rule());
        }
        lines
    }

    /// Returns the line of keys: as many as fit, and always the last one.
    fn keys(&self, view: &View, position: Position) -> String {
        let enter = if position.is_last() {
            view.enter
        } else {
            "more"
        };
        let (back, colon, [begin, end]) = if self.is_plain() {
            ("Page Up", ":", ["[", "]"])
        } else {
            ("\u{2190}", "", [" ", ""])
        };
        let key = |name: &str, does: &str| {
            let name = self.style.paint(MAGENTA, name);
            format!("{name}{colon} {does}")
        };
        let mut keys = Vec::new();
        keys.extend((!enter.is_empty()).then(|| key("Enter", enter)));
        keys.extend((view.has_before || position.page > 0).then(|| key(back, "page back")));
        keys.extend(
            view.keys
                .iter()
                .map(|(name, does)| key(&name.to_string(), does)),
        );
        loop {
            let line = [begin, &keys.join("   "), end].concat();
            if display_width(&line) <= self.width || keys.len() < 3 {
                return line;
            }
            keys.remove(keys.len() - 2);
        }
    }
}

/// Returns whether lines have a text, whatever their styles and ends.
fn has_text(lines: &[String], text: &str) -> bool {
    let other = Regex::new("\u{1b}\\[[0-9;]*m|`|\\s").expect("the pattern is correct");
    let bare = |text| other.replace_all(text, "").into_owned();
    bare(&lines.concat()).contains(&bare(text))
}

#[cfg(test)]
mod tests {
    use super::{Position, Screen, View};

    #[test]
    fn a_title_that_does_not_fit_beside_the_state_is_shortened() {
        let mut screen = Screen::default();
        screen.width = 30;
        let view = View {
            title: "4 Locks \u{b7} race \u{b7} step 1 of 7".to_owned(),
            state: "0 of 30 min".to_owned(),
            ..View::default()
        };
        let [title, _] = screen.top(&view, Position::default());
        assert_eq!(title, " 4 Locks \u{b7} race\u{2026}  0 of 30 min");
    }

    #[test]
    fn a_line_as_wide_as_the_terminal_keeps_its_last_character() {
        let wide = ["wide".to_owned()];
        let page = Screen::default().drawn(&wide, &wide, &wide, "wide");
        assert_eq!(page.matches("\u{1b}[Kwide").count(), 4);
        assert!(!page.contains("wide\u{1b}[K"), "{page:?}");
    }
}
