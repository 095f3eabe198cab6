use crate::key::{KEYS, Key};
use crate::scene::{Scene, Scenes};

/// Where the playing waits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Pause {
    /// At the end of a page, when more of a scene is to come.
    More,
    /// Before a step's run.
    BeforeRun,
    /// After everything of a scene.
    After,
}

/// How the playing goes on.
#[derive(Debug, PartialEq)]
pub(crate) enum Move {
    /// With what is still to be shown of the scene.
    More,
    /// With the run of the step that is being shown.
    Run,
    /// With that scene. The number of scenes means: with the end.
    Scene(usize),
    /// Not yet: something is to be said, and then the question is asked again.
    Stay(&'static str),
    /// Not at all. Another time it would go on with that scene.
    Quit(usize),
}

impl Pause {
    /// Gives what follows at the scene `place` when nobody is asked.
    pub(crate) fn unasked(self, place: usize) -> Move {
        match self {
            Self::More => Move::More,
            Self::BeforeRun => Move::Run,
            Self::After => Move::Scene(place + 1),
        }
    }

    /// Gives what a key leads to.
    pub(crate) fn answered(self, scenes: &Scenes, place: usize, key: Key) -> Move {
        let is_step = matches!(scenes.all.get(place), Some(Scene::Step(..)));
        match key {
            Key::GoOn => self.unasked(place),
            Key::Again if is_step => Move::Run,
            Key::Again => Move::Scene(place),
            Key::Back => match place.checked_sub(1) {
                Some(before) => Move::Scene(before),
                None => Move::Stay("This is where the playing began: there is nothing before it."),
            },
            Key::NextLesson => match scenes.next_lesson(place) {
                Some(next) => Move::Scene(next),
                None => Move::Stay("There is no lesson after this one: Enter goes on, q ends."),
            },
            Key::Quit => match self {
                Self::More | Self::BeforeRun => Move::Quit(place),
                Self::After => Move::Quit(place + 1),
            },
            Key::Help => Move::Stay(KEYS),
        }
    }

    /// Gives the question, with what is answered by Enter first.
    pub(crate) fn question(self, scenes: &Scenes, place: usize) -> String {
        let again = match (self, scenes.all.get(place)) {
            (Self::After, Some(Scene::Step(..))) => "   r: again",
            _ => "",
        };
        let enter = match self {
            Self::More => "Enter: more",
            Self::BeforeRun => "Enter: run it",
            Self::After => "Enter: go on",
        };
        format!("{enter}{again}   b: back   s: next lesson   q: quit   ?: keys")
    }
}

#[cfg(test)]
mod tests {
    use super::{Move, Pause};
    use crate::key::Key;
    use crate::scene::tests::{Shelf, places};

    /// The scenes of two lessons: welcome, pool with map and squares and words, queue with both
    /// steps, farewell.
    const MAP: &str = "pool map";

    fn after(scene: &str, pause: Pause, key: Key) -> Result<String, Move> {
        let shelf = Shelf::new();
        let course = shelf.course();
        let scenes = shelf.scenes(&course, "");
        let names = places(&scenes);
        let place = names.iter().position(|name| name == scene).unwrap();
        match pause.answered(&scenes, place, key) {
            Move::Scene(place) => Ok(names.get(place).cloned().unwrap_or("end".to_owned())),
            other => Err(other),
        }
    }

    #[test]
    fn enter_runs_the_step_and_then_goes_on() {
        assert_eq!(after(MAP, Pause::BeforeRun, Key::GoOn), Err(Move::Run));
        assert_eq!(after(MAP, Pause::After, Key::GoOn).unwrap(), "pool squares");
        assert_eq!(
            after("pool squares", Pause::After, Key::GoOn).unwrap(),
            "words of pool"
        );
        assert_eq!(
            after("words of pool", Pause::After, Key::GoOn).unwrap(),
            "queue"
        );
        assert_eq!(after("farewell", Pause::After, Key::GoOn).unwrap(), "end");
    }

    #[test]
    fn a_page_is_turned_and_the_other_keys_work_there_too() {
        assert_eq!(after(MAP, Pause::More, Key::GoOn), Err(Move::More));
        assert_eq!(after(MAP, Pause::More, Key::Again), Err(Move::Run));
        assert_eq!(after(MAP, Pause::More, Key::Quit), Err(Move::Quit(2)));
        assert_eq!(after(MAP, Pause::More, Key::Back).unwrap(), "pool");
    }

    #[test]
    fn back_goes_to_the_scene_before_whether_this_one_has_run_or_not() {
        for pause in [Pause::BeforeRun, Pause::After] {
            assert_eq!(after("pool squares", pause, Key::Back).unwrap(), MAP);
            assert_eq!(after(MAP, pause, Key::Back).unwrap(), "pool");
        }
        assert_eq!(
            after("queue", Pause::After, Key::Back).unwrap(),
            "words of pool"
        );
        let at_the_beginning = after("welcome", Pause::After, Key::Back);
        assert!(matches!(at_the_beginning, Err(Move::Stay(_))));
    }

    #[test]
    fn again_runs_a_step_and_shows_words_once_more() {
        assert_eq!(after(MAP, Pause::After, Key::Again), Err(Move::Run));
        assert_eq!(after(MAP, Pause::BeforeRun, Key::Again), Err(Move::Run));
        assert_eq!(after("pool", Pause::After, Key::Again).unwrap(), "pool");
    }

    #[test]
    fn the_next_lesson_is_one_key_away_and_after_the_last_comes_the_farewell() {
        for scene in ["pool", MAP, "words of pool"] {
            assert_eq!(
                after(scene, Pause::After, Key::NextLesson).unwrap(),
                "queue"
            );
        }
        assert_eq!(
            after("welcome", Pause::After, Key::NextLesson).unwrap(),
            "pool"
        );
        assert_eq!(
            after("queue map", Pause::BeforeRun, Key::NextLesson).unwrap(),
            "farewell"
        );
        let beyond = after("farewell", Pause::After, Key::NextLesson);
        assert!(matches!(beyond, Err(Move::Stay(_))));
    }

    #[test]
    fn quitting_remembers_what_would_have_come() {
        assert_eq!(
            after("welcome", Pause::After, Key::Quit),
            Err(Move::Quit(1))
        );
        assert_eq!(after(MAP, Pause::BeforeRun, Key::Quit), Err(Move::Quit(2)));
        assert_eq!(after(MAP, Pause::After, Key::Quit), Err(Move::Quit(3)));
    }

    #[test]
    fn any_other_key_tells_the_keys_and_stays() {
        for pause in [Pause::BeforeRun, Pause::After] {
            let Err(Move::Stay(said)) = after(MAP, pause, Key::Help) else {
                panic!("it went on");
            };
            for key in ["Enter", "b ", "r ", "s ", "q "] {
                assert!(said.contains(key), "{said}");
            }
            assert!(said.len() < 80 && !said.contains('\n'), "{said}");
        }
    }

    #[test]
    fn without_questions_everything_comes_once() {
        assert_eq!(Pause::BeforeRun.unasked(3), Move::Run);
        assert_eq!(Pause::After.unasked(3), Move::Scene(4));
    }
}
