//! Values that travel: arguments and results of every shape.

#![allow(
    clippy::needless_pass_by_value,
    reason = "arguments of a child move to it"
)]

use crate::story;

use std::collections::BTreeMap;
use std::process::ExitCode;

use multiprocess::{Error, RegisteredTask, Task, init, spawn, task};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

pub(crate) fn main() -> ExitCode {
    story::play(
        || init(tasks()),
        story::named![],
        story::named![
            functions_of_none_to_six_arguments_run,
            values_of_many_types_come_back_as_they_went,
            values_around_the_size_at_which_they_go_another_way_come_back,
            closures_without_captures_run_and_are_distinguished,
            instances_of_a_generic_function_are_distinguished,
            eighty_mebibytes_go_and_come_back_equal,
        ],
    )
}

fn tasks() -> Vec<RegisteredTask> {
    vec![
        task(none),
        task(one),
        task(two),
        task(three),
        task(four),
        task(five),
        task(six),
        task(same::<i64>),
        task(same::<u128>),
        task(same::<String>),
        task(same::<()>),
        task(same::<Order>),
        task(same::<Vec<Item>>),
        task(same::<Option<Option<u8>>>),
        task(same::<Result<char, String>>),
        task(same::<Vec<u8>>),
        task(same::<[f64; 4]>),
        task(doubling()),
        task(two_closures().0),
        task(two_closures().1),
    ]
}

fn none() -> u8 {
    7
}

fn one(number: i64) -> i64 {
    2 * number
}

fn two(text: String, times: usize) -> String {
    text.repeat(times)
}

fn three(a: f64, b: f64, larger: bool) -> f64 {
    if larger { a.max(b) } else { a.min(b) }
}

fn four(list: Vec<i32>, bonus: Option<i32>, unit: char, (low, high): (i32, i32)) -> String {
    let sum = list.iter().sum::<i32>() + bonus.unwrap_or(0);
    format!("{}{unit}", sum.clamp(low, high))
}

fn five(tiny: i8, small: i16, middle: i32, large: i64, huge: i128) -> Vec<i128> {
    vec![tiny.into(), small.into(), middle.into(), large.into(), huge]
}

fn six(one: u8, two: u8, three: u8, four: u8, five: u8, six: u8) -> [u8; 6] {
    [six, five, four, three, two, one]
}

fn same<T>(value: T) -> T {
    value
}

/// Runs a function in a process of its own and returns its result.
fn ask<F, Args>(function: F, args: Args) -> F::Output
where
    F: Task<Args>,
    Args: Serialize + DeserializeOwned,
{
    spawn(function, args).unwrap().join().unwrap()
}

fn functions_of_none_to_six_arguments_run() {
    assert_eq!(ask(none, ()), 7);
    assert_eq!(ask(one, (-21,)), -42);
    assert_eq!(ask(two, ("grüß ".to_owned(), 3)), "grüß grüß grüß ");
    assert!((ask(three, (1.5, 2.5, true)) - 2.5).abs() < f64::EPSILON);
    assert_eq!(ask(four, (vec![1, 2, 3], Some(4), 'm', (0, 9))), "9m");
    assert_eq!(
        ask(five, (i8::MIN, i16::MAX, i32::MIN, i64::MAX, i128::MIN)),
        [
            i128::from(i8::MIN),
            i128::from(i16::MAX),
            i128::from(i32::MIN),
            i128::from(i64::MAX),
            i128::MIN
        ]
    );
    assert_eq!(ask(six, (1, 2, 3, 4, 5, 6)), [6, 5, 4, 3, 2, 1]);
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Order {
    number: u64,
    items: Vec<Item>,
    by_day: BTreeMap<String, BTreeMap<i16, Option<String>>>,
    note: Option<Box<Order>>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum Item {
    Nothing,
    Count(u32),
    Priced { name: String, price: f32 },
}

fn order() -> Order {
    let days = [
        (-1, None),
        (31, Some("last".to_owned())),
        (0, Some(String::new())),
    ];
    let inner = Order {
        number: 0,
        items: Vec::new(),
        by_day: BTreeMap::new(),
        note: None,
    };
    Order {
        number: u64::MAX,
        items: vec![
            Item::Nothing,
            Item::Count(u32::MAX),
            Item::Priced {
                name: "\u{10FFFF}\0'\"\n".to_owned(),
                price: -0.5,
            },
        ],
        by_day: BTreeMap::from([(String::new(), BTreeMap::from(days))]),
        note: Some(Box::new(inner)),
    }
}

fn values_of_many_types_come_back_as_they_went() {
    ask(same::<()>, ((),));
    assert_eq!(ask(same::<i64>, (i64::MIN,)), i64::MIN);
    assert_eq!(ask(same::<u128>, (u128::MAX,)), u128::MAX);
    assert_eq!(ask(same::<String>, (String::new(),)), "");
    assert_eq!(ask(same::<Order>, (order(),)), order());
    assert_eq!(ask(same::<Vec<Item>>, (Vec::new(),)), []);
    for nested in [None, Some(None), Some(Some(3))] {
        assert_eq!(ask(same::<Option<Option<u8>>>, (nested,)), nested);
    }
    for result in [Ok('é'), Err("no".to_owned())] {
        let there_and_back = ask(same::<Result<char, String>>, (result.clone(),));
        assert_eq!(there_and_back, result);
    }
    let numbers = [f64::NAN, f64::NEG_INFINITY, -0.0, f64::MIN_POSITIVE];
    let bits = |numbers: [f64; 4]| numbers.map(f64::to_bits);
    assert_eq!(bits(ask(same::<[f64; 4]>, (numbers,))), bits(numbers));
}

fn values_around_the_size_at_which_they_go_another_way_come_back() {
    let limit = 32 * 1024;
    // A vector is sent with its length before it, which takes three bytes here.
    let around = (limit - 5..=limit + 2).chain([0, 1, limit / 2, 2 * limit, 10 * limit]);
    for length in around {
        let bytes: Vec<u8> = (0..=250).cycle().take(length).collect();
        assert!(ask(same::<Vec<u8>>, (bytes.clone(),)) == bytes, "{length}");
    }
}

fn eighty_mebibytes_go_and_come_back_equal() {
    let bytes: Vec<u8> = (0..=250).cycle().take(80 << 20).collect();
    let mut child = spawn(same::<Vec<u8>>, (bytes.clone(),)).unwrap();
    let answer = child.join_timeout(story::LIMIT).unwrap();
    assert!(answer == bytes);
}

fn doubling() -> impl Task<(i64,), Output = i64> {
    |number: i64| 2 * number
}

fn two_closures() -> (
    impl Task<(i64,), Output = i64>,
    impl Task<(i64,), Output = i64>,
) {
    (|number: i64| number + 1, |number: i64| number - 1)
}

fn closures_without_captures_run_and_are_distinguished() {
    assert_eq!(ask(doubling(), (21,)), 42);
    assert_eq!(ask(two_closures().0, (5,)), 6);
    assert_eq!(ask(two_closures().1, (5,)), 4);
}

fn instances_of_a_generic_function_are_distinguished() {
    assert_eq!(ask(same::<String>, ("text".to_owned(),)), "text");
    let missing = spawn(same::<Vec<String>>, (Vec::new(),)).unwrap_err();
    assert!(matches!(missing, Error::NotRegistered { .. }), "{missing}");
}
