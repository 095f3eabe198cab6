//! The sections of a script while the course is played: page by page where somebody turns them.

use std::io;

use super::Player;
use crate::block;
use crate::pause::{Move, Pause};
use course::document::Block;

impl Player<'_> {
    /// Asks how to go on, until the answer is something else than to stay.
    pub(super) fn pause(&mut self, pause: Pause, place: usize) -> io::Result<Move> {
        let Some(keyboard) = &mut self.options.keyboard else {
            return Ok(pause.unasked(place));
        };
        let question = pause.question(self.scenes, place);
        loop {
            let screen = &mut self.screen;
            let key = keyboard.answer(|| screen.ask(&question))?;
            screen.end_ask()?;
            match pause.answered(self.scenes, place, key) {
                Move::Stay(said) => screen.remark(said)?,
                other => return Ok(other),
            }
        }
    }

    /// Shows a section of a script: its heading, and the blocks below it.
    pub(super) fn section(
        &mut self,
        place: usize,
        mut above: Vec<String>,
        heading: &str,
        blocks: &[Block],
    ) -> io::Result<Move> {
        // One more empty line: the parts of a lesson are easy to tell apart in plain text too.
        above.push(String::new());
        above.extend(self.screen.heading_lines(heading));
        self.blocks(place, above, blocks)
    }

    /// Shows blocks of a script, the first of them together with the lines above it, so that no page
    /// ends with a heading. Gives how to go on: with more, if nobody wishes anything else at the end
    /// of a page.
    pub(super) fn blocks(
        &mut self,
        place: usize,
        mut above: Vec<String>,
        blocks: &[Block],
    ) -> io::Result<Move> {
        for block in blocks {
            self.screen.measure();
            let mut lines = std::mem::take(&mut above);
            lines.extend(block::lines(&self.screen, block));
            match self.lines(place, &lines)? {
                Move::More => {}
                other => return Ok(other),
            }
        }
        self.lines(place, &above)
    }

    /// Shows lines, page by page where somebody turns them.
    fn lines(&mut self, place: usize, mut lines: &[String]) -> io::Result<Move> {
        // The longest question of a scene is the one behind it.
        let question = Pause::After.question(self.scenes, place);
        while !lines.is_empty() {
            let count = match &self.options.keyboard {
                Some(_) => self.screen.fitting(lines, &question),
                None => lines.len(),
            };
            let (page, rest) = lines.split_at(count);
            page.iter().try_for_each(|line| self.screen.line(line))?;
            lines = rest;
            if !lines.is_empty() {
                match self.pause(Pause::More, place)? {
                    Move::More => {}
                    other => return Ok(other),
                }
            }
        }
        Ok(Move::More)
    }
}
