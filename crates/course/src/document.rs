use std::ops::Range;

use pulldown_cmark::{CodeBlockKind, Event, HeadingLevel, Options, Parser, Tag};

/// A parsed README. The script of a lesson is one.
#[derive(Debug, Default)]
pub struct Document {
    /// The whole text; all ranges refer to it.
    pub text: String,
    pub title: String,
    pub opening: Vec<Block>,
    pub sections: Vec<Section>,
    /// Every link in order: of links, images, definitions, and HTML.
    pub links: Vec<Link>,
    /// The link definitions (`[name]: address`), which are appended to every prose block.
    definitions: String,
}

/// A link and its destination.
#[derive(Debug, PartialEq)]
pub struct Link {
    pub destination: String,
    pub line: usize,
    /// The range of the destination in the text.
    pub place: Range<usize>,
    /// The ranges of the whole link and of its text; `None` for a definition or HTML.
    words: Option<(Range<usize>, Range<usize>)>,
}

/// A part of a script below a second-level heading.
#[derive(Debug)]
pub struct Section {
    pub heading: String,
    /// The step that the section shows: the heading up to the colon, if that is a step's name.
    pub step: Option<String>,
    /// The heading without the name of the step.
    pub words: String,
    pub line: usize,
    pub blocks: Vec<Block>,
}

#[derive(Debug)]
pub enum Block {
    /// Markdown: paragraphs, lists, tables.
    Prose(String),
    Code(Code),
}

/// A fenced block of code, with the line of its opening fence.
#[derive(Clone, Debug)]
pub struct Code {
    pub info: String,
    pub text: String,
    pub line: usize,
    /// The range between the fences.
    pub place: Range<usize>,
}

impl Document {
    /// Parses a README. Any Markdown is accepted: `cargo xtask check` checks what a script needs.
    pub fn parse(text: &str) -> Self {
        let parser = Parser::new_ext(text, Options::ENABLE_TABLES);
        let mut document = Self {
            text: text.to_owned(),
            ..Self::default()
        };
        for (name, definition) in parser.reference_definitions().iter() {
            let text = ["[", name, "]: ", &definition.dest, "\n"];
            document.definitions.extend(text);
            document.add_link(&definition.dest, &definition.span, false);
        }
        let mut depth = 0;
        for (event, range) in parser.into_offset_iter() {
            match event {
                Event::Start(tag) => {
                    if let Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. } = &tag {
                        document.add_link(dest_url, &range, true);
                    }
                    if depth == 0 {
                        document.add_top(tag, &range);
                    }
                    depth += 1;
                }
                Event::End(_) => depth -= 1,
                Event::Html(html) | Event::InlineHtml(html) => {
                    for attribute in [" src=\"", " href=\"", " srcset=\""] {
                        let value = html.split_once(attribute).map(|(_, value)| value);
                        if let Some((value, _)) = value.and_then(|value| value.split_once('"')) {
                            document.add_link(value, &range, false);
                        }
                    }
                }
                _ => {}
            }
        }
        document.links.sort_by_key(|link| link.place.start);
        document
    }

    /// Returns the text with some ranges replaced. Of overlapping edits, only the first is made.
    pub fn edited(&self, mut edits: Vec<(Range<usize>, String)>) -> String {
        edits.sort_by_key(|(place, _)| place.start);
        let mut text = String::new();
        let mut done = 0;
        for (place, new) in edits {
            if place.start < done {
                continue;
            }
            text.extend([&self.text[done..place.start], &new]);
            done = place.end;
        }
        text + &self.text[done..]
    }

    /// Returns the edits that change each link's destination to what `destination` returns. If it returns
    /// `None`, only the text of the link remains.
    pub fn redirected(
        &self,
        mut destination: impl FnMut(&Link) -> Option<String>,
    ) -> Vec<(Range<usize>, String)> {
        let mut edits = Vec::new();
        for link in &self.links {
            if let Some(new) = destination(link) {
                edits.push((link.place.clone(), new));
            } else if let Some((whole, words)) = &link.words {
                edits.push((whole.start..words.start, String::new()));
                edits.push((words.end..whole.end, String::new()));
            }
        }
        edits
    }

    /// Returns the names of the steps in the order of their sections.
    pub fn steps(&self) -> impl Iterator<Item = &str> {
        let sections = self.sections.iter();
        sections.filter_map(|section| section.step.as_deref())
    }

    /// Returns every block of code in order.
    pub fn code(&self) -> impl Iterator<Item = &Code> {
        let in_sections = self.sections.iter().flat_map(|section| &section.blocks);
        let blocks = self.opening.iter().chain(in_sections);
        blocks.filter_map(Block::code)
    }

    /// Adds a top-level element: a heading, a block of code, or prose.
    fn add_top(&mut self, tag: Tag, range: &Range<usize>) {
        let source = self.text[range.clone()].trim_end();
        let line = self.line_at(range.start);
        match tag {
            Tag::Heading { level, .. } if level <= HeadingLevel::H2 => {
                let heading = source.trim_matches('#').trim().to_owned();
                if level == HeadingLevel::H1 && self.title.is_empty() {
                    self.title = heading;
                    return;
                }
                let named = heading.split_once(':');
                let named = named.filter(|(name, _)| is_step_name(name));
                self.sections.push(Section {
                    step: named.map(|(name, _)| name.to_owned()),
                    words: named
                        .map_or(&*heading, |(_, words)| words.trim())
                        .to_owned(),
                    heading,
                    line,
                    blocks: Vec::new(),
                });
            }
            Tag::CodeBlock(CodeBlockKind::Fenced(info)) => {
                let start = source.find('\n').map_or(source.len(), |end| end + 1);
                // A fence that isn't closed reaches to the end of the text.
                let end = source.rfind('\n').map_or(source.len(), |end| end + 1);
                let is_closed = source[end..].trim_start().starts_with(['`', '~']);
                let end = if is_closed { end } else { source.len() };
                let code = Block::Code(Code {
                    info: info.into_string(),
                    text: source[start..end].to_owned(),
                    line,
                    place: range.start + start..range.start + end,
                });
                self.place_for_blocks().push(code);
            }
            _ => {
                // From the start of the line: an indented code block needs its indentation.
                let before = &self.text[..range.start];
                let start = before.rfind('\n').map_or(0, |end| end + 1);
                let piece = self.text[start..range.end].trim_end();
                let piece = format!("{piece}\n\n{}", self.definitions);
                match self.place_for_blocks().last_mut() {
                    Some(Block::Prose(prose)) => prose.extend(["\n", &piece]),
                    _ => self.place_for_blocks().push(Block::Prose(piece)),
                }
            }
        }
    }

    fn place_for_blocks(&mut self) -> &mut Vec<Block> {
        match self.sections.last_mut() {
            Some(section) => &mut section.blocks,
            None => &mut self.opening,
        }
    }

    /// Adds a link, unless it's a reference, whose destination is in a definition.
    fn add_link(&mut self, destination: &str, whole: &Range<usize>, has_words: bool) {
        let source = &self.text[whole.clone()];
        let at = source.rfind(destination);
        let Some(at) = at.filter(|_| !destination.is_empty()) else {
            return;
        };
        let end = source[..at].rfind("](").filter(|_| has_words);
        if has_words && end.is_none() {
            return;
        }
        let mark = 1 + usize::from(source.starts_with('!'));
        let words = end.map(|end| (whole.clone(), whole.start + mark..whole.start + end));
        let start = whole.start + at;
        self.links.push(Link {
            destination: destination.to_owned(),
            line: self.line_at(start),
            place: start..start + destination.len(),
            words,
        });
    }

    fn line_at(&self, place: usize) -> usize {
        1 + self.text[..place].matches('\n').count()
    }
}

impl Section {
    /// Returns the section's blocks of code.
    pub fn code(&self) -> impl Iterator<Item = &Code> {
        self.blocks.iter().filter_map(Block::code)
    }
}

impl Block {
    fn code(&self) -> Option<&Code> {
        match self {
            Block::Code(code) => Some(code),
            Block::Prose(_) => None,
        }
    }
}

impl Code {
    /// Returns the language: the first word after the fence.
    pub fn language(&self) -> &str {
        self.tags().next().unwrap_or_default()
    }

    /// Returns what is written above the block when it's shown; nothing if it's plain text.
    pub fn label(&self) -> &'static str {
        match self.language() {
            "python" => "Python",
            "rust" if self.has_tag("compile_fail") => "Rust that does not compile",
            "rust" => "Rust",
            "console" => "Terminal",
            "toml" => "TOML",
            _ if self.text.starts_with("error[E") => "What the compiler says",
            _ => "",
        }
    }

    /// Returns whether `wanted` is one of the words after the fence.
    pub fn has_tag(&self, wanted: &str) -> bool {
        self.tags().any(|tag| tag == wanted)
    }

    /// Returns whether this is the transcript of a command: a console block that begins with it.
    pub fn is_run_of(&self, command: &str) -> bool {
        let first = self
            .text
            .lines()
            .next()
            .and_then(|line| line.strip_prefix("$ "));
        self.language() == "console" && first.map(str::trim_end) == Some(command)
    }

    /// Returns the words after the fence: the language and the attributes.
    pub fn tags(&self) -> impl Iterator<Item = &str> {
        let between = |letter: char| letter == ',' || letter.is_whitespace();
        self.info.split(between).filter(|tag| !tag.is_empty())
    }
}

/// Returns whether a text looks like the name of a step: lowercase letters, digits and hyphens.
fn is_step_name(text: &str) -> bool {
    let is_allowed = |byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
    !text.is_empty() && text.bytes().all(is_allowed)
}

#[cfg(test)]
mod tests;
