use anyhow::Result;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::thread;

fn enter(map: Arc<Mutex<BTreeMap<i64, i64>>>, number: i64) {
    let mut map = map.lock().unwrap();
    let before = map.len();
    map.insert(number, number);
    println!("thread {number}: size {before} before, {} after", map.len());
}

pub fn shared_map() -> Result<()> {
    let map = Arc::new(Mutex::new(BTreeMap::new()));
    let mut threads = Vec::new();
    for number in 0..4 {
        let map = Arc::clone(&map); // one more owner of the same map
        threads.push(thread::spawn(move || enter(map, number)));
    }
    for thread in threads {
        thread.join().unwrap();
    }
    println!("{:?}", map.lock().unwrap());
    Ok(())
}
