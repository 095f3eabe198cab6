/// What somebody wants who is asked at a pause.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Key {
    GoOn,
    Back,
    Again,
    NextLesson,
    Quit,
    /// To be told the keys, or anything that is none of them.
    Help,
}

/// The keys, in one line.
pub(crate) const KEYS: &str =
    "Enter goes on, b goes back, r runs again, s goes to the next lesson, q ends.";

impl Key {
    /// Understands a line of input.
    pub(crate) fn of_line(line: &str) -> Self {
        match line.trim() {
            "" => Self::GoOn,
            "b" => Self::Back,
            "r" => Self::Again,
            "s" => Self::NextLesson,
            "q" => Self::Quit,
            _ => Self::Help,
        }
    }

    /// Understands what one key sends. Those that turn the pages, and the arrows, work as well: the
    /// remote controls of presenters send them.
    pub(crate) fn of_bytes(bytes: &[u8]) -> Self {
        match bytes {
            b" " | b"\x1b[6~" | b"\x1b[C" | b"\x1bOC" => Self::GoOn,
            b"\x1b[5~" | b"\x1b[D" | b"\x1bOD" => Self::Back,
            // Ctrl-D, the end of input.
            b"\x04" => Self::Quit,
            _ => std::str::from_utf8(bytes).map_or(Self::Help, Self::of_line),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Key;

    #[test]
    fn each_key_has_its_meaning_as_a_line_and_as_a_byte() {
        let meanings = [
            ("", Key::GoOn),
            ("b", Key::Back),
            ("r", Key::Again),
            ("s", Key::NextLesson),
            ("q", Key::Quit),
            ("?", Key::Help),
            ("h", Key::Help),
            ("x", Key::Help),
            ("quit", Key::Help),
        ];
        for (text, key) in meanings {
            assert_eq!(Key::of_line(&format!("{text}\n")), key, "{text:?}");
            assert_eq!(Key::of_line(&format!("{text}\r\n")), key, "{text:?}");
            if text.len() == 1 {
                assert_eq!(Key::of_bytes(text.as_bytes()), key, "{text:?}");
            }
        }
        assert_eq!(Key::of_bytes(b"\n"), Key::GoOn);
        assert_eq!(Key::of_bytes(b"\r"), Key::GoOn);
    }

    #[test]
    fn a_remote_control_turns_pages() {
        assert_eq!(Key::of_bytes(b"\x1b[6~"), Key::GoOn);
        assert_eq!(Key::of_bytes(b"\x1b[5~"), Key::Back);
    }

    #[test]
    fn what_is_no_key_asks_for_the_keys() {
        assert_eq!(Key::of_bytes(b"\x1b"), Key::Help);
        assert_eq!(Key::of_bytes(b"\x1b[A"), Key::Help);
        assert_eq!(Key::of_bytes("é".as_bytes()), Key::Help);
        assert_eq!(Key::of_bytes(&[0xff]), Key::Help);
    }

    #[test]
    fn the_end_of_input_quits() {
        assert_eq!(Key::of_bytes(b"\x04"), Key::Quit);
    }
}
