use std::ops::Range;

use pulldown_cmark::{CodeBlockKind, Event, HeadingLevel, Options, Parser, Tag};

/// The script of a lesson, taken apart.
#[derive(Debug, Default)]
pub(crate) struct Readme {
    pub(crate) title: String,
    pub(crate) opening: Vec<Block>,
    pub(crate) sections: Vec<Section>,
}

/// A part of a script under a second-level heading.
#[derive(Debug)]
pub(crate) struct Section {
    pub(crate) heading: String,
    /// The step that the section shows: the heading's text before the colon, if it is a step's name.
    pub(crate) step: Option<String>,
    pub(crate) line: usize,
    pub(crate) blocks: Vec<Block>,
}

#[derive(Debug)]
pub(crate) enum Block {
    /// Markdown: paragraphs, lists, tables.
    Prose(String),
    Code(Code),
}

/// A fenced block of code, with the line of its opening fence.
#[derive(Debug)]
pub(crate) struct Code {
    pub(crate) info: String,
    pub(crate) text: String,
    pub(crate) line: usize,
}

impl Readme {
    /// Takes a script apart. Anything that is Markdown is accepted: what must be there is the
    /// business of `cargo xtask check`.
    pub(crate) fn parse(text: &str) -> Self {
        let parser = Parser::new_ext(text, Options::ENABLE_TABLES);
        let definitions = definitions(&parser);
        let mut readme = Self::default();
        let mut depth = 0;
        let mut code: Option<Code> = None;
        // The stretch of prose that is being gathered.
        let mut prose: Option<Range<usize>> = None;
        for (event, range) in parser.into_offset_iter() {
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
        readme
    }

    /// Gives the names of the steps in the order of their sections.
    pub(crate) fn steps(&self) -> impl Iterator<Item = &str> {
        self.sections
            .iter()
            .filter_map(|section| section.step.as_deref())
    }

    /// Gives every block of the script in order, whatever section it is in.
    pub(crate) fn blocks(&self) -> impl Iterator<Item = &Block> {
        let in_sections = self.sections.iter().flat_map(|section| &section.blocks);
        self.opening.iter().chain(in_sections)
    }

    /// Gives every block of code in order, whatever section it is in.
    pub(crate) fn code(&self) -> impl Iterator<Item = &Code> {
        self.blocks().filter_map(Block::code)
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
    pub(crate) fn words(&self) -> &str {
        match (&self.step, self.heading.split_once(':')) {
            (Some(_), Some((_, words))) => words.trim(),
            _ => &self.heading,
        }
    }

    /// Gives the section's blocks of code.
    pub(crate) fn code(&self) -> impl Iterator<Item = &Code> {
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
    pub(crate) fn language(&self) -> &str {
        self.tags().next().unwrap_or_default()
    }

    /// Tells whether one of the words after the fence is this one.
    pub(crate) fn has_tag(&self, wanted: &str) -> bool {
        self.tags().any(|tag| tag == wanted)
    }

    /// Tells whether this is the recorded run of that command: a console block that begins with it.
    pub(crate) fn is_run_of(&self, command: &str) -> bool {
        self.language() == "console" && self.text.lines().next().map(str::trim_end) == Some(command)
    }

    /// Gives the words after the fence: the language, and what else is said of the block.
    pub(crate) fn tags(&self) -> impl Iterator<Item = &str> {
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

fn line_at(text: &str, range: &Range<usize>) -> usize {
    1 + text[..range.start].matches('\n').count()
}

#[cfg(test)]
mod tests;
