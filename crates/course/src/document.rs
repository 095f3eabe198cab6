use std::ops::Range;

use pulldown_cmark::{CodeBlockKind, Event, HeadingLevel, Options, Parser, Tag};

/// A README taken apart. The script of a lesson is one.
#[derive(Debug, Default)]
pub struct Document {
    /// The text that was taken apart: every range is one of this.
    pub text: String,
    pub title: String,
    pub opening: Vec<Block>,
    pub sections: Vec<Section>,
    /// Every link in order: links and images, their definitions, and those of HTML.
    pub links: Vec<Link>,
}

/// A link and where it leads.
#[derive(Debug, PartialEq)]
pub struct Link {
    pub destination: String,
    pub line: usize,
    /// Where the destination stands in the text.
    pub place: Range<usize>,
    /// The whole link, and its words: not of a definition, nor of HTML.
    words: Option<(Range<usize>, Range<usize>)>,
}

/// What becomes of a link in a text that stands elsewhere.
#[derive(Debug, PartialEq)]
pub enum Destination {
    /// It stays as it is.
    Same,
    /// It leads there instead.
    Moved(String),
    /// It leads nowhere: its words stay.
    Gone,
}

/// A part of a script under a second-level heading.
#[derive(Debug)]
pub struct Section {
    pub heading: String,
    /// The step that the section shows: the heading's text before the colon, if it is a step's name.
    pub step: Option<String>,
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
#[derive(Debug)]
pub struct Code {
    pub info: String,
    pub text: String,
    pub line: usize,
    /// What stands between the fences.
    pub place: Range<usize>,
}

impl Document {
    /// Takes a script apart. Anything that is Markdown is accepted: what must be there is the
    /// business of `cargo xtask check`.
    pub fn parse(text: &str) -> Self {
        let parser = Parser::new_ext(text, Options::ENABLE_TABLES);
        let definitions = definitions(&parser);
        let mut readme = Self {
            text: text.to_owned(),
            ..Self::default()
        };
        for (_, definition) in parser.reference_definitions().iter() {
            readme.add_link(&definition.dest, &definition.span, None);
        }
        let mut depth = 0;
        let mut code: Option<Code> = None;
        // The stretch of prose that is being gathered.
        let mut prose: Option<Range<usize>> = None;
        for (event, range) in parser.into_offset_iter() {
            match &event {
                Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                    readme.add_link(dest_url, &range, Some(range.clone()));
                }
                Event::Html(html) | Event::InlineHtml(html) => {
                    for attribute in [" src=\"", " href=\"", " srcset=\""] {
                        let value = html.split_once(attribute).map(|(_, value)| value);
                        if let Some((value, _)) = value.and_then(|value| value.split_once('"')) {
                            readme.add_link(value, &range, None);
                        }
                    }
                }
                _ => {}
            }
            match event {
                Event::Start(tag) => {
                    depth += 1;
                    if depth > 1 {
                        continue;
                    }
                    match tag {
                        Tag::Heading {
                            level: level @ (HeadingLevel::H1 | HeadingLevel::H2),
                            ..
                        } => {
                            readme.add_prose(text, prose.take(), &definitions);
                            readme.add_heading(level, &text[range.clone()], line_at(text, &range));
                        }
                        Tag::CodeBlock(kind) => {
                            readme.add_prose(text, prose.take(), &definitions);
                            let info = match kind {
                                CodeBlockKind::Fenced(info) => info.into_string(),
                                CodeBlockKind::Indented => String::new(),
                            };
                            let line = line_at(text, &range);
                            code = Some(Code {
                                info,
                                text: String::new(),
                                line,
                                place: place_of_code(text, &range),
                            });
                        }
                        _ => {
                            let start = prose.map_or(range.start, |stretch| stretch.start);
                            prose = Some(start..range.end);
                        }
                    }
                }
                Event::Text(line) if depth == 1 => {
                    if let Some(code) = &mut code {
                        code.text.push_str(&line);
                    }
                }
                Event::End(_) => {
                    depth -= 1;
                    if depth == 0
                        && let Some(code) = code.take()
                    {
                        readme.add(Block::Code(code));
                    }
                }
                _ => {}
            }
        }
        readme.add_prose(text, prose, &definitions);
        readme.links.sort_by_key(|link| link.place.start);
        readme
    }

    /// Gives the text with new contents at some places, which do not overlap.
    pub fn edited(&self, mut edits: Vec<(Range<usize>, String)>) -> String {
        edits.sort_by_key(|(place, _)| place.start);
        let mut text = String::new();
        let mut done = 0;
        for (place, new) in edits {
            text.extend([&self.text[done..place.start], &new]);
            done = place.end;
        }
        text + &self.text[done..]
    }

    /// Gives the edits that let each link lead where `destination` says. Of a link within another, such
    /// as an image, nothing more is asked once the other has become its words.
    pub fn redirected(
        &self,
        mut destination: impl FnMut(&Link) -> Destination,
    ) -> Vec<(Range<usize>, String)> {
        let mut edits = Vec::new();
        for link in &self.links {
            match (destination(link), &link.words) {
                (Destination::Same, _) | (Destination::Gone, None) => {}
                (Destination::Moved(there), _) => edits.push((link.place.clone(), there)),
                (Destination::Gone, Some((whole, words))) => {
                    edits.push((whole.start..words.start, String::new()));
                    edits.push((words.end..whole.end, String::new()));
                }
            }
        }
        edits
    }

    /// Gives the names of the steps in the order of their sections.
    pub fn steps(&self) -> impl Iterator<Item = &str> {
        self.sections
            .iter()
            .filter_map(|section| section.step.as_deref())
    }

    /// Gives every block of the script in order, whatever section it is in.
    pub fn blocks(&self) -> impl Iterator<Item = &Block> {
        let in_sections = self.sections.iter().flat_map(|section| &section.blocks);
        self.opening.iter().chain(in_sections)
    }

    /// Gives every block of code in order, whatever section it is in.
    pub fn code(&self) -> impl Iterator<Item = &Code> {
        self.blocks().filter_map(Block::code)
    }

    /// Adds a link, if its destination stands there: that of a reference stands in its definition.
    fn add_link(&mut self, destination: &str, within: &Range<usize>, whole: Option<Range<usize>>) {
        let here = &self.text[within.clone()];
        let Some(at) = here.rfind(destination).filter(|_| !destination.is_empty()) else {
            return;
        };
        let start = within.start + at;
        let words = match whole {
            Some(whole) => {
                let Some(end) = here[..at].rfind("](") else {
                    return;
                };
                let mark = if here.starts_with('!') { 2 } else { 1 };
                Some((whole, within.start + mark..within.start + end))
            }
            None => None,
        };
        self.links.push(Link {
            destination: destination.to_owned(),
            line: line_at(&self.text, &(start..start)),
            place: start..start + destination.len(),
            words,
        });
    }

    fn add_heading(&mut self, level: HeadingLevel, source: &str, line: usize) {
        let heading = source.trim().trim_matches('#').trim().to_owned();
        if level == HeadingLevel::H1 && self.title.is_empty() {
            self.title = heading;
            return;
        }
        let step = heading
            .split_once(':')
            .map(|(name, _)| name.to_owned())
            .filter(|name| is_step_name(name));
        self.sections.push(Section {
            heading,
            step,
            line,
            blocks: Vec::new(),
        });
    }

    fn add_prose(&mut self, text: &str, stretch: Option<Range<usize>>, definitions: &str) {
        if let Some(stretch) = stretch {
            let prose = text[stretch].trim_end();
            self.add(Block::Prose(format!("{prose}\n\n{definitions}")));
        }
    }

    fn add(&mut self, block: Block) {
        match self.sections.last_mut() {
            Some(section) => section.blocks.push(block),
            None => self.opening.push(block),
        }
    }
}

impl Section {
    /// Gives the heading without the name of the step.
    pub fn words(&self) -> &str {
        match (&self.step, self.heading.split_once(':')) {
            (Some(_), Some((_, words))) => words.trim(),
            _ => &self.heading,
        }
    }

    /// Gives the section's blocks of code.
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
    /// Gives the language: the first word after the fence.
    pub fn language(&self) -> &str {
        self.tags().next().unwrap_or_default()
    }

    /// Tells whether one of the words after the fence is this one.
    pub fn has_tag(&self, wanted: &str) -> bool {
        self.tags().any(|tag| tag == wanted)
    }

    /// Tells whether this is the recorded run of that command: a console block that begins with it.
    pub fn is_run_of(&self, command: &str) -> bool {
        self.language() == "console" && self.text.lines().next().map(str::trim_end) == Some(command)
    }

    /// Gives the words after the fence: the language, and what else is said of the block.
    pub fn tags(&self) -> impl Iterator<Item = &str> {
        let between = |letter: char| letter == ',' || letter.is_whitespace();
        self.info.split(between).filter(|tag| !tag.is_empty())
    }
}

/// Tells whether a text looks like the name of a step: small letters, digits and hyphens.
fn is_step_name(text: &str) -> bool {
    let allowed =
        |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-';
    !text.is_empty() && text.chars().all(allowed)
}

/// Gives the link definitions (`[name]: address`) of the whole text, which each stretch of prose
/// needs to be understood alone.
fn definitions(parser: &Parser) -> String {
    let mut text = String::new();
    for (name, definition) in parser.reference_definitions().iter() {
        text.extend(["[", name, "]: ", &definition.dest, "\n"]);
    }
    text
}

/// Gives where the text of a block stands: between the line of its opening fence and its closing one.
fn place_of_code(text: &str, block: &Range<usize>) -> Range<usize> {
    let whole = &text[block.clone()];
    let start = whole
        .find('\n')
        .map_or(block.end, |end| block.start + end + 1);
    let closing = whole
        .trim_end()
        .rfind('\n')
        .map_or(block.end, |end| block.start + end + 1);
    start..closing.max(start)
}

fn line_at(text: &str, range: &Range<usize>) -> usize {
    1 + text[..range.start].matches('\n').count()
}

#[cfg(test)]
mod tests;
