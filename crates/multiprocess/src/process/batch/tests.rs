use crate::process::batch::*;

fn append_input<T: Serialize + 'static>(input: &T, inputs: &mut Vec<u8>) {
    let write = |bytes: &mut Vec<u8>| codec::write_part(input, bytes, IpcHandles::Refused);
    append::<T>(inputs, write).unwrap();
}

fn half(number: u32) -> u32 {
    assert!(number.is_multiple_of(2), "{number} is odd");
    number / 2
}

#[test]
fn each_call_of_a_batch_has_its_own_result() {
    let mut inputs = Vec::new();
    for number in [2_u32, 3, 400] {
        append_input(&number, &mut inputs);
    }
    let mut results = Vec::new();
    run(half, &inputs, 3, &|_| {}, &mut results);
    let mut results = Results::new(&results);
    assert!(matches!(results.next::<u32>(), Ok(1)));
    assert!(
        matches!(results.next::<u32>(), Err(Failure::Panicked { message, ..}) if message == "3 is odd")
    );
    assert!(matches!(results.next::<u32>(), Ok(200)));
    assert!(matches!(
        results.next::<u32>(),
        Err(Failure::UnreadableResult(_))
    ));
}

/// A number that panics at the given step.
#[derive(Debug, PartialEq)]
struct Mine(u32);

const READ: u32 = 1;
const CALLED: u32 = 2;
const WRITTEN: u32 = 3;
const DROPPED: u32 = 4;

impl Mine {
    fn explode(&self, when: u32) {
        assert!(self.0 != when, "mine {when}");
    }
}

impl serde::Serialize for Mine {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeTuple;
        let mut pair = serializer.serialize_tuple(2)?;
        pair.serialize_element(&self.0)?;
        self.explode(WRITTEN);
        pair.serialize_element(&0_u8)?;
        pair.end()
    }
}

impl<'de> serde::Deserialize<'de> for Mine {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Mine, D::Error> {
        let mine = Mine(serde::Deserialize::deserialize(deserializer)?);
        mine.explode(READ);
        Ok(mine)
    }
}

#[test]
fn a_result_that_panics_half_written_is_taken_back() {
    let mut inputs = Vec::new();
    for number in [5_u32, WRITTEN, 6] {
        append_input(&number, &mut inputs);
    }
    let mut bytes = Vec::new();
    run(|mine: Mine| mine, &inputs, 3, &|_| {}, &mut bytes);
    let mut results = Results::new(&bytes);
    assert!(matches!(results.next::<u32>(), Ok(5)));
    assert!(matches!(results.next::<u32>(), Err(Failure::UnsendableResult(it)) if it == "mine 3"));
    assert!(matches!(results.next::<u32>(), Ok(6)));
}

#[test]
fn a_panic_at_any_point_harms_no_other_call() {
    struct Dropped(u32);

    impl Drop for Dropped {
        fn drop(&mut self) {
            Mine(self.0).explode(DROPPED);
        }
    }

    impl serde::Serialize for Dropped {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            Mine(self.0).explode(WRITTEN);
            serializer.serialize_u32(self.0)
        }
    }

    impl<'de> serde::Deserialize<'de> for Dropped {
        fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Dropped, D::Error> {
            Ok(Dropped(serde::Deserialize::deserialize(from)?))
        }
    }

    #[allow(clippy::needless_pass_by_value, reason = "inputs move to the function")]
    fn called(mine: Mine) -> Dropped {
        mine.explode(CALLED);
        Dropped(mine.0)
    }

    let mut inputs = Vec::new();
    for number in [
        0_u32, READ, 9, CALLED, 9, WRITTEN, DROPPED, DROPPED, READ, 9,
    ] {
        append_input(&number, &mut inputs);
    }
    let mut bytes = Vec::new();
    run(called, &inputs, 10, &|_| {}, &mut bytes);
    let mut results = Results::new(&bytes);
    let mut outcomes = Vec::new();
    for _ in 0..10 {
        outcomes.push(match results.next::<u32>() {
            Ok(number) => number.to_string(),
            Err(Failure::Panicked { message, .. }) => format!("called: {message}"),
            Err(Failure::UnsendableResult(reason)) => format!("written: {reason}"),
            Err(Failure::UnreadableArguments(reason)) => format!("read: {reason}"),
            Err(failure) => panic!("{failure:?}"),
        });
    }
    let expected = [
        "0",
        "read: mine 1",
        "9",
        "called: mine 2",
        "9",
        "written: mine 3",
        "4",
        "4",
        "read: mine 1",
        "9",
    ];
    assert_eq!(outcomes, expected);
}

#[test]
fn a_batch_that_was_cut_off_is_an_error_for_what_is_missing() {
    let mut inputs = Vec::new();
    append_input(&2_u32, &mut inputs);
    let mut results = Vec::new();
    run(half, &inputs, 2, &|_| {}, &mut results);
    let mut results = Results::new(&results);
    assert!(matches!(results.next::<u32>(), Ok(1)));
    assert!(matches!(
        results.next::<u32>(),
        Err(Failure::UnreadableArguments(_))
    ));
}

#[test]
fn a_value_that_cannot_be_read_does_not_hide_the_next() {
    let mut inputs = Vec::new();
    append_input(&2_u32, &mut inputs);
    // A number that does not end.
    inputs.extend([1, 0xff]);
    append_input(&8_u32, &mut inputs);
    let mut results = Vec::new();
    run(half, &inputs, 3, &|_| {}, &mut results);
    let mut results = Results::new(&results);
    assert!(matches!(results.next::<u32>(), Ok(1)));
    assert!(matches!(
        results.next::<u32>(),
        Err(Failure::UnreadableArguments(_))
    ));
    assert!(matches!(results.next::<u32>(), Ok(4)));
}
