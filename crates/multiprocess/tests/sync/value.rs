//! A value that processes share: every update under the lock counts.

#![allow(
    clippy::needless_pass_by_value,
    reason = "arguments of a child move to it"
)]

use crate::story;

use std::process::ExitCode;
use std::time::Duration;

use multiprocess::{Barrier, Error, Event, Queue, RegisteredTask, Value, init, spawn, task};
use serde::{Deserialize, Serialize};

use story::proc;
use story::scene::Scene;

pub(crate) fn main() -> ExitCode {
    story::play(
        || init(tasks()),
        story::named![makes_many],
        story::named![
            it_is_read_and_written,
            many_fit_where_no_file_may_be_long,
            every_number_type_can_be_shared,
            a_struct_of_numbers_can_be_shared,
            no_update_is_lost,
            none_of_a_thousand_runs_loses_an_update,
            a_thread_never_waits_for_itself,
            its_lock_is_tried_and_limited,
            a_killed_writer_is_reported,
            it_travels_in_structs_to_grandchildren_and_back,
            a_value_of_another_type_is_refused_at_the_other_end,
        ],
    )
}

fn tasks() -> Vec<RegisteredTask> {
    vec![
        task(adds),
        task(adds_to_all),
        task(books),
        task(holds),
        task(moves),
        task(hands_down),
        task(takes_a_float),
    ]
}

fn it_is_read_and_written() {
    let value = Value::new(5_i64).unwrap();
    assert_eq!(value.get().unwrap(), 5);
    value.set(-7).unwrap();
    *value.lock().unwrap() *= 2;
    let same = value.clone();
    assert_eq!(*same.lock().unwrap(), -14);
    assert_eq!(format!("{:?}", same.lock().unwrap()), "-14");
}

fn makes_many() {
    init(tasks());
    let values: Vec<_> = (0..1000).map(|_| Value::new(0).unwrap()).collect();
    // All of them would be a message that is too long for a file.
    for some in values.chunks(100) {
        let child = spawn(adds_to_all, (some.to_vec(),)).unwrap();
        child.join().unwrap();
    }
    for value in &values {
        assert_eq!(value.get().unwrap(), 1);
    }
}

fn adds_to_all(values: Vec<Value<i32>>) {
    for value in values {
        *value.lock().unwrap() += 1;
    }
}

fn many_fit_where_no_file_may_be_long() {
    // In blocks of 512 bytes, or of 1024 with some shells.
    Scene::by_shell(r#"ulimit -f 16 && exec "$PROGRAM""#, "makes_many").succeed();
}

fn every_number_type_can_be_shared() {
    fn kept<T: bytemuck::Pod + PartialEq + std::fmt::Debug>(number: T) {
        let value = Value::new(number).unwrap();
        assert_eq!(value.get().unwrap(), number);
        value.set(T::zeroed()).unwrap();
        assert_eq!(value.get().unwrap(), T::zeroed());
    }
    kept(i8::MIN);
    kept(u8::MAX);
    kept(i16::MIN);
    kept(u16::MAX);
    kept(i32::MIN);
    kept(u32::MAX);
    kept(i64::MIN);
    kept(u64::MAX);
    kept(i128::MIN);
    kept(u128::MAX);
    kept(5.67_f32);
    kept(5.67_f64);
    kept([1_u8; 3]);
    kept(usize::MAX);
}

#[derive(Clone, Copy, Debug, PartialEq, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
struct Point {
    x: f64,
    y: f64,
}

fn moves(point: Value<Point>) {
    let mut point = point.lock().unwrap();
    point.x += 1.0;
    point.y -= 1.0;
}

fn a_struct_of_numbers_can_be_shared() {
    let point = Value::new(Point { x: 1.5, y: 2.5 }).unwrap();
    spawn(moves, (point.clone(),)).unwrap().join().unwrap();
    assert_eq!(point.get().unwrap(), Point { x: 2.5, y: 1.5 });
}

fn adds(value: Value<i64>, times: u32) {
    for _ in 0..times {
        *value.lock().unwrap() += 1;
    }
}

fn no_update_is_lost() {
    let value = Value::new(0_i64).unwrap();
    let children: Vec<_> = (0..4)
        .map(|_| spawn(adds, (value.clone(), 2_000)).unwrap())
        .collect();
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| adds(value.clone(), 2_000));
        }
    });
    for child in children {
        child.join().unwrap();
    }
    assert_eq!(value.get().unwrap(), 12_000);
}

const RUNS: usize = 1_000;

/// Adds an amount twenty times, in each run.
fn books(balance: Value<i64>, amount: i64, all_are_here: Barrier) {
    for _ in 0..RUNS {
        all_are_here.wait().unwrap();
        for _ in 0..20 {
            *balance.lock().unwrap() += amount;
        }
        all_are_here.wait().unwrap();
    }
}

fn none_of_a_thousand_runs_loses_an_update() {
    let balance = Value::new(200_i64).unwrap();
    let all_are_here = Barrier::new(3).unwrap();
    let children = [1, -1]
        .map(|amount| spawn(books, (balance.clone(), amount, all_are_here.clone())).unwrap());
    for run in 0..RUNS {
        all_are_here.wait().unwrap();
        all_are_here.wait().unwrap();
        assert_eq!(balance.get().unwrap(), 200, "after run {run}");
    }
    for child in children {
        child.join().unwrap();
    }
}

fn a_thread_never_waits_for_itself() {
    let value = Value::new(1_u8).unwrap();
    let guard = value.lock().unwrap();
    for result in [
        value.get().map(drop),
        value.set(2),
        value.lock().map(drop),
        value.try_lock().map(drop),
        value.lock_timeout(story::LIMIT).map(drop),
    ] {
        let error = result.unwrap_err();
        assert!(matches!(error, Error::HeldAlready { .. }), "{error}");
    }
    drop(guard);
    assert_eq!(value.get().unwrap(), 1);
}

fn holds(value: Value<i64>, held: Event) {
    let mut value = value.lock().unwrap();
    *value = 13;
    held.set();
    story::a_minute();
}

fn its_lock_is_tried_and_limited() {
    let (value, held) = (Value::new(0).unwrap(), Event::new().unwrap());
    let child = spawn(holds, (value.clone(), held.clone())).unwrap();
    held.wait();
    assert!(value.try_lock().unwrap_err().is_would_block());
    let error = value.lock_timeout(Duration::from_millis(20)).unwrap_err();
    assert!(
        matches!(&error, Error::LockTimeout { holder: Some(holder), .. }
            if holder.pid == child.pid()),
        "{error}"
    );
    child.kill().unwrap();
    child.join().unwrap_err();
    assert!(value.try_lock().is_ok());
}

fn a_killed_writer_is_reported() {
    let (value, held) = (Value::new(0).unwrap(), Event::new().unwrap());
    let child = spawn(holds, (value.clone(), held.clone())).unwrap();
    held.wait();
    proc::kill(child.pid());
    let mut guard = value.lock().unwrap();
    assert!(guard.holder_died());
    assert_eq!(*guard, 13);
    guard.clear_death();
    drop(guard);
    assert!(!value.lock().unwrap().holder_died());
    child.join().unwrap_err();
}

#[derive(Serialize, Deserialize)]
struct Account {
    owner: String,
    balances: [Value<f64>; 2],
}

fn hands_down(account: Account, generations: u32) -> Account {
    if generations > 0 {
        return spawn(hands_down, (account, generations - 1))
            .unwrap()
            .join()
            .unwrap();
    }
    *account.balances[1].lock().unwrap() += 0.5;
    account
}

fn it_travels_in_structs_to_grandchildren_and_back() {
    let balances = [Value::new(1.0).unwrap(), Value::new(2.0).unwrap()];
    let account = Account {
        owner: "an owner".to_owned(),
        balances: balances.clone(),
    };
    let back = hands_down(account, 2);
    assert_eq!(back.owner, "an owner");
    assert_eq!(balances[1].get().unwrap().to_bits(), 2.5_f64.to_bits());
    back.balances[0].set(7.0).unwrap();
    assert_eq!(balances[0].get().unwrap().to_bits(), 7.0_f64.to_bits());
}

fn takes_a_float(value: Value<f64>) -> f64 {
    value.get().unwrap()
}

/// Sends one thing, and is read as another.
#[derive(Serialize, Deserialize)]
#[serde(into = "Value<i64>", from = "Value<f64>")]
#[derive(Clone)]
struct Disguise(Value<i64>);

impl From<Disguise> for Value<i64> {
    fn from(disguise: Disguise) -> Value<i64> {
        disguise.0
    }
}

impl From<Value<f64>> for Disguise {
    fn from(_: Value<f64>) -> Disguise {
        unreachable!("it is refused")
    }
}

fn a_value_of_another_type_is_refused_at_the_other_end() {
    let value = Value::new(1_i64).unwrap();
    let queue = Queue::new().unwrap();
    queue.put(Disguise(value.clone())).unwrap();
    let refused = queue.get().map(|_| ()).unwrap_err();
    assert!(refused.to_string().contains("is expected"), "{refused}");
    assert_eq!(value.get().unwrap(), 1);
}
