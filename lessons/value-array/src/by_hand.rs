/*!
Shared memory with the package `shared_memory` alone. `cargo test --doc -p value-array` runs this:
one program that has the same memory twice, under one name.

```
use shared_memory::{Shmem, ShmemConf, ShmemError};

fn as_numbers(segment: &mut Shmem) -> &mut [i32] {
    let length = segment.len() / size_of::<i32>();
    let start = segment.as_ptr().cast::<i32>();
    // SAFETY: we vouch for it: these bytes are so many numbers, and nobody else uses them now.
    unsafe { std::slice::from_raw_parts_mut(start, length) }
}

fn main() -> Result<(), ShmemError> {
    let mut segment = ShmemConf::new().size(3 * size_of::<i32>()).create()?;
    let mut same = ShmemConf::new().os_id(segment.get_os_id()).open()?;

    for (place, number) in [2, 3, 5].iter().enumerate() {
        as_numbers(&mut same)[place] = number * number;
    }
    assert_eq!(as_numbers(&mut segment), [4, 9, 25]);
    Ok(())
}
```

What the compiler refuses of the safe types. To put something into an array that it is not for:

```compile_fail,E0308
# fn main() -> Result<(), multiprocess::Error> {
# multiprocess::init([]);
// does not compile: expected `i32`, found floating-point number
let numbers = multiprocess::Array::<i32>::new(3)?;
numbers.lock()?[0] = 4.5;
# Ok(())
# }
```

To share what is more than its bytes. A `String` is an address in the memory of one process:

```compile_fail,E0277
# fn main() -> Result<(), multiprocess::Error> {
# multiprocess::init([]);
// does not compile: the trait bound `String: Pod` is not satisfied
let name = multiprocess::Value::new(String::from("tango"))?;
# Ok(())
# }
```

To keep hold of the elements after the lock was released:

```compile_fail,E0505
fn main() -> Result<(), multiprocess::Error> {
    multiprocess::init([]);
    let numbers = multiprocess::Array::<i32>::new(3)?;
    let guard = numbers.lock()?;
    let first = &guard[0];
    drop(guard); // E0505: cannot move out of `guard` because it is borrowed
    println!("{first}");
    Ok(())
}
```
*/
