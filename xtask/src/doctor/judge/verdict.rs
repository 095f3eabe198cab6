/// How good it is for the course.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::doctor) enum Verdict {
    Fine,
    /// The course can be played; something will be slower, or left out.
    Note,
    /// Something that the course needs is missing.
    Problem,
}

impl Verdict {
    pub(in crate::doctor) fn word(self) -> &'static str {
        match self {
            Verdict::Fine => "ok",
            Verdict::Note => "note",
            Verdict::Problem => "PROBLEM",
        }
    }
}

/// A thing that was looked at.
#[derive(Debug, PartialEq)]
pub(in crate::doctor) struct Finding {
    pub(in crate::doctor) what: &'static str,
    /// What was found.
    pub(in crate::doctor) found: String,
    pub(in crate::doctor) verdict: Verdict,
    /// What to do, in Markdown; empty when all is well.
    pub(in crate::doctor) advice: String,
}

impl Finding {
    pub(super) fn fine(what: &'static str, found: impl Into<String>) -> Self {
        Self {
            what,
            found: found.into(),
            verdict: Verdict::Fine,
            advice: String::new(),
        }
    }

    pub(super) fn note(
        what: &'static str,
        found: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Self {
            verdict: Verdict::Note,
            advice: advice.into(),
            ..Self::fine(what, found)
        }
    }

    pub(super) fn problem(
        what: &'static str,
        found: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Self {
            verdict: Verdict::Problem,
            ..Self::note(what, found, advice)
        }
    }
}
