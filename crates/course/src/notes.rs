use crate::document::Block;

/// Returns the notes for the teacher: the comments `<!-- notes: ... -->` in the prose.
pub fn notes<'a>(blocks: impl IntoIterator<Item = &'a Block>) -> String {
    let mut all = Vec::new();
    for block in blocks {
        if let Block::Prose(text) = block {
            let notes = text.split("<!-- notes:").skip(1);
            all.extend(notes.filter_map(|rest| Some(rest.split_once("-->")?.0.trim())));
        }
    }
    all.join("\n\n")
}

#[cfg(test)]
mod tests {
    use super::notes;
    use crate::document::Document;

    #[test]
    fn the_notes_of_a_section_are_its_comments_for_the_teacher() {
        let document = Document::parse(
            "# T\n\n<!-- notes: Opening. -->\n\n## map: one\n\nA.\n\n<!-- notes: Ask.\nWait.\n\n- Draw. -->\n\n\
             ```text\n<!-- notes: code -->\n```\n\n<!-- not shown -->\nB. <!-- notes: More. -->\n\n\
             ## order: two\n\n<!-- notes: never ended\n",
        );
        assert_eq!(notes(&document.opening), "Opening.");
        let of = |section: usize| notes(&document.sections[section].blocks);
        assert_eq!(of(0), "Ask.\nWait.\n\n- Draw.\n\nMore.");
        assert_eq!(of(1), "");
    }
}
