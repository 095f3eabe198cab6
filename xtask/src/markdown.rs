use std::borrow::Cow;

use pulldown_cmark::{Alignment, Event, Options, Parser, Tag, TagEnd};
use textwrap::WordSplitter;

use crate::look::Look;
use crate::table;

/// Renders Markdown as lines of text of at most `width`; code keeps its own width.
pub(crate) fn lines(markdown: &str, width: usize, look: Look) -> Vec<String> {
    let mut renderer = Renderer {
        look,
        width,
        ..Renderer::default()
    };
    for event in Parser::new_ext(markdown, Options::ENABLE_TABLES) {
        renderer.take(event);
    }
    renderer.end_text();
    renderer.lines
}

/// Wraps a text. Words are never divided: in this course a hyphen often stands in a name.
pub(crate) fn wrap(text: &str, width: usize, first: &str, rest: &str) -> Vec<String> {
    let options = textwrap::Options::new(width)
        .initial_indent(first)
        .subsequent_indent(rest)
        .word_splitter(WordSplitter::NoHyphenation)
        .break_words(false);
    let lines = textwrap::wrap(text, options).into_iter();
    lines
        .map(|line| line.replace(UNBREAKABLE, " ").trim_end().to_owned())
        .collect()
}

/// Wraps a text so that no line is longer than `width`, dividing code and words where it must.
pub(crate) fn wrap_anywhere(text: &str, width: usize) -> Vec<String> {
    let options = textwrap::Options::new(width)
        .word_splitter(WordSplitter::NoHyphenation)
        .break_words(true);
    let text = text.replace(UNBREAKABLE, " ");
    textwrap::wrap(&text, options)
        .into_iter()
        .map(Cow::into_owned)
        .collect()
}

/// Stands for a space at which a line is not broken.
const UNBREAKABLE: char = '\u{a0}';

/// Code in a sentence of up to this length stays on one line.
const SHORT_CODE: usize = 40;

/// What Markdown has become so far, and what is being gathered.
#[derive(Default)]
struct Renderer {
    look: Look,
    width: usize,
    lines: Vec<String>,
    /// The text of the paragraph, heading or cell that is under way.
    text: String,
    /// What a list's item or a quotation puts before each of its lines.
    indents: Vec<String>,
    /// The bullet or number that the next line begins with.
    marker: Option<String>,
    /// The number of the next item, for each list that is open; none for bullets.
    lists: Vec<Option<u64>>,
    /// The addresses of the links that are open, and where their texts begin.
    links: Vec<(String, usize)>,
    table: Option<Table>,
    html: Option<String>,
    in_code: bool,
    blank_wanted: bool,
}

#[derive(Default)]
struct Table {
    alignments: Vec<Alignment>,
    rows: Vec<Vec<String>>,
}

impl Renderer {
    fn take(&mut self, event: Event) {
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(tag),
            Event::Text(text) if self.in_code => self.code_lines(&text),
            Event::Text(text) => self.text.push_str(&text),
            Event::Code(code) => {
                let code = if code.len() <= SHORT_CODE {
                    code.replace(' ', &UNBREAKABLE.to_string())
                } else {
                    code.into_string()
                };
                let code = self.look.inline_code(&code);
                self.text.push_str(&code);
            }
            Event::SoftBreak => self.text.push(' '),
            Event::HardBreak => self.text.push('\n'),
            Event::Html(html) => {
                if let Some(gathered) = &mut self.html {
                    gathered.push_str(&html);
                }
            }
            Event::InlineHtml(html) => {
                let text = readable_html(&html);
                self.text.push_str(&text);
            }
            _ => {}
        }
    }

    fn start(&mut self, tag: Tag) {
        match tag {
            // Not at a paragraph's start: it may continue a `Hint: ` that stands before it.
            Tag::Heading { .. } => self.end_text(),
            Tag::List(first) => {
                self.end_text();
                self.lists.push(first);
            }
            Tag::Item => self.start_item(),
            Tag::BlockQuote(_) => {
                self.end_text();
                self.indents.push("    ".to_owned());
            }
            Tag::CodeBlock(_) => {
                self.end_text();
                self.blank_wanted = true;
                self.in_code = true;
            }
            Tag::HtmlBlock => {
                self.end_text();
                self.html = Some(String::new());
            }
            Tag::Table(alignments) => {
                self.end_text();
                self.table = Some(Table {
                    alignments,
                    rows: Vec::new(),
                });
            }
            Tag::TableHead | Tag::TableRow => {
                if let Some(table) = &mut self.table {
                    table.rows.push(Vec::new());
                }
            }
            Tag::Strong => self.text.push_str(self.look.bold().0),
            Tag::Link { dest_url, .. } => {
                self.links.push((dest_url.into_string(), self.text.len()));
            }
            Tag::Image { .. } => self.text.push_str("[picture: "),
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Paragraph => {
                self.end_text();
                self.blank_wanted = true;
            }
            TagEnd::Heading(_) => {
                self.text = self.look.heading(&self.text);
                self.end_text();
                self.blank_wanted = true;
            }
            TagEnd::List(_) => {
                self.lists.pop();
                self.blank_wanted = self.lists.is_empty();
            }
            TagEnd::Item => {
                self.end_text();
                self.indents.pop();
                self.marker = None;
            }
            TagEnd::BlockQuote(_) => {
                self.end_text();
                self.indents.pop();
            }
            TagEnd::CodeBlock => {
                self.in_code = false;
                self.blank_wanted = true;
            }
            TagEnd::HtmlBlock => self.end_html(),
            TagEnd::TableCell => {
                let cell = std::mem::take(&mut self.text);
                if let Some(row) = self.table.as_mut().and_then(|table| table.rows.last_mut()) {
                    row.push(cell);
                }
            }
            TagEnd::Table => self.end_table(),
            TagEnd::Strong => self.text.push_str(self.look.bold().1),
            TagEnd::Link => {
                if let Some((address, start)) = self.links.pop()
                    && address.starts_with("http")
                    && self.text[start..] != address
                {
                    self.text.extend([" (", &address, ")"]);
                }
            }
            TagEnd::Image => self.text.push(']'),
            _ => {}
        }
    }

    fn start_item(&mut self) {
        self.end_text();
        let marker = match self.lists.last_mut() {
            Some(Some(number)) => {
                *number += 1;
                format!("{}. ", *number - 1)
            }
            _ => "- ".to_owned(),
        };
        self.indents.push(" ".repeat(marker.len()));
        self.marker = Some(marker);
    }

    /// Puts down the text gathered so far, wrapped.
    fn end_text(&mut self) {
        let text = std::mem::take(&mut self.text);
        if text.trim().is_empty() {
            return;
        }
        let (first, rest) = self.next_indents();
        let lines = wrap(text.trim(), self.width, &first, &rest);
        self.put(lines);
    }

    fn end_table(&mut self) {
        let Some(mut table) = self.table.take() else {
            return;
        };
        for cell in table.rows.first_mut().into_iter().flatten() {
            *cell = self.look.heading(cell);
        }
        let (_, indent) = self.next_indents();
        let width = self.width.saturating_sub(indent.len());
        let lines = table::lines(&table.rows, &table.alignments, width);
        self.blank_wanted = true;
        self.put(lines.into_iter().map(|line| format!("{indent}{line}")));
        self.blank_wanted = true;
    }

    fn end_html(&mut self) {
        let html = self.html.take().unwrap_or_default();
        let text = readable_html(&html);
        let text = text.trim();
        if text.is_empty() {
            return;
        }
        self.blank_wanted = true;
        // `Hint:` alone goes before the paragraph that follows it. What stands in the block beside
        // it has not been read as Markdown yet.
        if text.ends_with(':') && !text.contains('\n') {
            self.text = format!("{text} ");
        } else {
            let (_, indent) = self.next_indents();
            let inner = lines(text, self.width.saturating_sub(indent.len()), self.look);
            self.put(inner.into_iter().map(|line| format!("{indent}{line}")));
            self.blank_wanted = true;
        }
    }

    fn code_lines(&mut self, text: &str) {
        let (_, indent) = self.next_indents();
        let lines: Vec<String> = text
            .lines()
            .map(|line| format!("{indent}    {line}"))
            .collect();
        self.put(lines);
    }

    /// Gives what goes before the next line, and before the lines after it.
    fn next_indents(&mut self) -> (String, String) {
        let rest = self.indents.concat();
        let first = match self.marker.take() {
            Some(marker) => format!("{}{marker}", &rest[..rest.len() - marker.len()]),
            None => rest.clone(),
        };
        (first, rest)
    }

    fn put(&mut self, lines: impl IntoIterator<Item = String>) {
        if self.blank_wanted && !self.lines.is_empty() {
            self.lines.push(String::new());
        }
        self.blank_wanted = false;
        self.lines.extend(lines);
    }
}

/// Makes text of the little HTML that a script may use: a summary becomes `Hint: ` and the like,
/// other tags and comments vanish.
fn readable_html(html: &str) -> String {
    let mut text = String::new();
    let mut rest = html;
    while let Some((before, after)) = rest.split_once('<') {
        text.push_str(before);
        let end = if after.starts_with("!--") { "-->" } else { ">" };
        let (tag, remainder) = after.split_once(end).unwrap_or((after, ""));
        text.push_str(match tag.trim() {
            "/summary" => ": ",
            "details" => "\n",
            _ => "",
        });
        rest = remainder;
    }
    text.push_str(rest);
    let named = [("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")];
    let replaced = named
        .iter()
        .fold(text, |text, (name, letter)| text.replace(name, letter));
    replaced.replace(":: ", ": ")
}

#[cfg(test)]
mod tests;
