/*!
Shared memory with the package `shared_memory` alone. `cargo test --doc -p value-array` runs this
program. It opens one segment twice, as two processes would.

```
use shared_memory::{Shmem, ShmemConf, ShmemError};

fn as_numbers(segment: &mut Shmem) -> &mut [i32] {
    let start = segment.as_ptr().cast::<i32>();
    let length = segment.len() / size_of::<i32>();
    // SAFETY: we promise that this memory is valid, and that no one else uses it now.
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

What the compiler refuses with the safe types. A float in an array of integers:

```compile_fail,E0308
# fn main() -> Result<(), multiprocess::Error> {
# multiprocess::init([]);
let numbers = multiprocess::Array::<i32>::new(3)?;
numbers.lock()?[0] = 4.5;
# Ok(())
# }
```

Sharing more than plain bytes. A `String` holds an address, which is valid in one process only:

```compile_fail,E0277
# fn main() -> Result<(), multiprocess::Error> {
# multiprocess::init([]);
let name = multiprocess::Value::new(String::from("tango"))?;
# Ok(())
# }
```

Using an element after the lock is released:

```compile_fail,E0505
# fn main() -> Result<(), multiprocess::Error> {
# multiprocess::init([]);
# let numbers = multiprocess::Array::<i32>::new(3)?;
// does not compile: cannot move out of `guard` because it is borrowed
let guard = numbers.lock()?;
let first = &guard[0];
drop(guard);
println!("{first}");
# Ok(())
# }
```
*/
