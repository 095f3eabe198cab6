//! The blocks of a script on a screen.

use std::io;

use crate::screen::Screen;
use course::document::{Block, Code};

/// Shows text and code as they stand in a script.
pub(crate) fn show(screen: &mut Screen, blocks: &[Block]) -> io::Result<()> {
    for block in blocks {
        let lines = lines(screen, block);
        lines.iter().try_for_each(|line| screen.line(line))?;
    }
    Ok(())
}

/// Gives the lines that show a block.
pub(crate) fn lines(screen: &Screen, block: &Block) -> Vec<String> {
    match block {
        Block::Prose(text) => screen.prose_lines(text),
        Block::Code(code) => screen.code_lines(label(code), code.language(), &code.text),
    }
}

fn label(code: &Code) -> &str {
    match code.language() {
        "python" => "Python",
        "rust" if code.has_tag("compile_fail") => "Rust that does not compile",
        "rust" => "Rust",
        "console" => "Recorded in a terminal",
        "toml" => "TOML",
        _ => "",
    }
}
