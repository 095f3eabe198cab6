"""Lesson 8, value-array, in Python. Run: python3 value-array.py [STEP ...], or --list."""

import array as standard_array
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from multiprocessing import shared_memory

sys.stdout.reconfigure(line_buffering=True)  # print each line at once, even into a pipe

plain = 0


def add_one(shared):
    global plain
    with shared.get_lock():
        shared.value += 1
    plain += 1
    print("in a child: plain", plain)


def not_shared():
    shared = multiprocessing.Value("q", 0)
    children = [multiprocessing.Process(target=add_one, args=(shared,)) for _ in range(4)]
    for child in children:
        child.start()
    for child in children:
        child.join()
    print(f"in the parent: plain {plain}, shared {shared.value}")


def square(numbers, squares):
    for place, number in enumerate(numbers):
        squares[place] = number * number


def array():
    squares = multiprocessing.Array("i", 3)
    print("before:", squares[:])
    child = multiprocessing.Process(target=square, args=([2, 3, 5], squares))
    child.start()
    child.join()
    print("after:", squares[:])


def square_and_set(numbers, squares, number):
    square(numbers, squares)
    number.value = 5.67


def value():
    squares = multiprocessing.Array("i", 3)
    number = multiprocessing.Value("d", 0.0)
    arguments = ([2, 3, 5], squares, number)
    child = multiprocessing.Process(target=square_and_set, args=arguments)
    child.start()
    child.join()
    print("array:", squares[:])
    print("value:", number.value)


def square_by_name(numbers, name):
    segment = shared_memory.SharedMemory(name=name)
    with segment.buf.cast("i") as squares:
        for place, number in enumerate(numbers):
            squares[place] = number * number
    segment.close()


def under_the_hood():
    segment = shared_memory.SharedMemory(create=True, size=12)
    print(f"a segment of {segment.size} bytes, named {segment.name}")
    child = multiprocessing.Process(target=square_by_name, args=([2, 3, 5], segment.name))
    child.start()
    child.join()
    print("bytes:", list(segment.buf[:12]))
    with segment.buf.cast("i") as squares:
        print("numbers:", list(squares[:3]))
    segment.close()
    segment.unlink()


LENGTH = 8 * 1024 * 1024  # numbers of 8 bytes each: 64 MiB


def sum_part(numbers, sums, part, first, end):
    with memoryview(numbers).cast("B").cast("Q") as view:
        sums[part] = sum(view[first:end])


def sum_by(workers, numbers):
    start = time.perf_counter()
    sums = multiprocessing.RawArray("Q", workers)
    share = LENGTH // workers
    children = []
    for part in range(workers):
        arguments = (numbers, sums, part, part * share, (part + 1) * share)
        children.append(multiprocessing.Process(target=sum_part, args=arguments))
    for child in children:
        child.start()
    for child in children:
        child.join()
    milliseconds = 1000 * (time.perf_counter() - start)
    print(f"processes: {workers}, sum: {sum(sums)} in {milliseconds:.0f} ms")


def big():
    numbers = multiprocessing.RawArray("Q", LENGTH)
    memoryview(numbers).cast("B")[:] = standard_array.array("Q", range(LENGTH)).tobytes()
    sum_by(1, numbers)
    sum_by(4, numbers)


def owner():
    segment = shared_memory.SharedMemory(create=True, size=8000)
    print(segment.name)
    time.sleep(60)  # long enough to be killed


def start_another_program():
    command = [sys.executable, __file__, "--list"]
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)


def left_behind():
    if not os.path.isdir("/dev/shm"):
        print("this step needs /dev/shm, which only Linux has")
        return
    command = [sys.executable, __file__, "--owner"]
    program = subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True)
    path = "/dev/shm/" + program.stdout.readline().decode().strip()
    print("while the program runs:", int(os.path.exists(path)))
    os.killpg(program.pid, signal.SIGKILL)  # also kills its resource tracker
    program.wait()
    program.stdout.close()
    print("after it was killed:", int(os.path.exists(path)))
    start_another_program()
    print("after the next start:", int(os.path.exists(path)))
    os.unlink(path)  # or it stays until the machine restarts


STEPS = [not_shared, array, value, under_the_hood, big, left_behind]


def main():
    steps = {step.__name__.replace("_", "-"): step for step in STEPS}
    chosen = sys.argv[1:] or list(steps)
    if chosen == ["--owner"]:
        owner()
        return
    if chosen == ["--list"]:
        print("\n".join(steps))
        return
    for name in chosen:
        if name not in steps:
            sys.exit(f"no step {name}; the steps are: {', '.join(steps)}")
        print("==", name)
        steps[name]()


if __name__ == "__main__":
    main()
