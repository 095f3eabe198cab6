"""Measures an operation in Python, and prints its nanoseconds: speed.py FUNCTION [ARGUMENT]...

`src/rows.rs` has the calls.
"""

import array
import math
import multiprocessing
import os
import sys
import time
from multiprocessing import shared_memory

CONTEXT = multiprocessing.get_context("fork")
ITEMS = 60_000
ALONE = 50_000
TOGETHER = 10_000
MIB = 1 << 20


def each(times, work):
    begin = time.perf_counter_ns()
    work()
    return (time.perf_counter_ns() - begin) / times


def nothing():
    pass


def spawn(method):
    context = multiprocessing.get_context(method)
    times = 3 if method == "spawn" else 20

    def work():
        for _ in range(times):
            process = context.Process(target=nothing)
            process.start()
            process.join()

    return each(times, work)


def echo(end):
    while (message := end.recv()) is not None:
        end.send(message)


def trips(count, pause):
    ours, theirs = CONTEXT.Pipe()
    child = CONTEXT.Process(target=echo, args=(theirs,))
    child.start()
    total = 0
    for number in range(-100, count):
        if pause:
            time.sleep(pause)
        begin = time.perf_counter_ns()
        ours.send(number)
        assert ours.recv() == number
        total += (time.perf_counter_ns() - begin) if number >= 0 else 0
    ours.send(None)
    child.join()
    return total / count


def pipe():
    return trips(5_000, 0)


def pipe_paused():
    return trips(100, 0.002)


def large(kind, mib):
    length = int(mib) * MIB
    vector = b"\x01" * length if kind == "bytes" else array.array("d", [1.0]) * (length // 8)
    ours, theirs = CONTEXT.Pipe()
    child = CONTEXT.Process(target=echo, args=(theirs,))
    child.start()
    times = max(100 // int(mib), 3)

    def work():
        nonlocal vector
        for _ in range(times):
            ours.send(vector)
            vector = ours.recv()

    work()
    nanoseconds = each(times, work)
    ours.send(None)
    child.join()
    return nanoseconds


def buffer():
    memory = shared_memory.SharedMemory(create=True, size=100 * MIB)
    ours, theirs = CONTEXT.Pipe()
    child = CONTEXT.Process(target=echo, args=(theirs,))
    child.start()
    times = 200

    def work():
        for _ in range(times):
            ours.send(memory)
            ours.recv().close()

    work()
    nanoseconds = each(times, work)
    ours.send(None)
    child.join()
    memory.close()
    memory.unlink()
    return nanoseconds


def put(queue, numbers):
    for number in numbers:
        queue.put(number)


def get(queue, count):
    for _ in range(count):
        queue.get()


def queue(producers, consumers):
    producers, consumers, queue = int(producers), int(consumers), CONTEXT.Queue()

    def work():
        others = [CONTEXT.Process(target=get, args=(queue, ITEMS // consumers)) for _ in range(consumers - 1)]
        children = [CONTEXT.Process(target=put, args=(queue, range(ITEMS // producers))) for _ in range(producers)]
        for child in others + children:
            child.start()
        get(queue, ITEMS // consumers)
        for child in others + children:
            child.join()

    return each(ITEMS, work)


def successor(number):
    return number + 1


def mapped(function, inputs, **options):
    with CONTEXT.Pool(os.cpu_count()) as workers:
        workers.map(successor, range(1000))
        return each(len(inputs), lambda: workers.map(function, inputs, **options))


def pool():
    return mapped(successor, range(1_000_000))


def pool_single():
    return mapped(successor, range(20_000), chunksize=1)


def pool_large():
    # All of them are different: pickle sends an object that appears several times only once.
    return mapped(len, [bytes([number]) * MIB for number in range(64)])


def taken(thing):
    def work():
        for _ in range(ALONE):
            thing.acquire()
            thing.release()

    return each(ALONE, work)


def lock():
    return taken(CONTEXT.Lock())


def semaphore():
    return taken(CONTEXT.Semaphore(2))


MAKERS = {
    "lock": CONTEXT.Lock,
    "value": lambda: CONTEXT.Value("q", 0),
    "semaphore": lambda: CONTEXT.Semaphore(2),
    "event": CONTEXT.Event,
    "queue": CONTEXT.Queue,
    "pipe": CONTEXT.Pipe,
}


def new(kind):
    make = MAKERS[kind]

    def work():
        for _ in range(1000):
            make()

    work()
    return each(1000, work)


def usage():
    descriptors = len(os.listdir("/proc/self/fd"))
    with open("/proc/self/smaps_rollup") as memory:
        words = memory.read().split()
    return descriptors, 1024 * int(words[words.index("Rss:") + 1])


def keep(kept, kind, wanted):
    make, made, stopped = MAKERS[kind], [], ""
    before = usage()
    spare = open("/dev/null")
    begin = time.perf_counter_ns()
    try:
        while len(made) < wanted:
            made.append(make())
    except OSError as error:
        stopped = str(error)
    microseconds = (time.perf_counter_ns() - begin) / 1000
    spare.close()
    totals = [microseconds, *(after - former for after, former in zip(usage(), before))]
    count = len(made)
    duration, descriptors, resident = (total / max(count, 1) for total in totals)
    if stopped:
        kept.clear()
    else:
        kept.append(made)
    return (
        f"| {kind:12} | {wanted:7} | {count:7} | {duration:9.1f} µs | {descriptors:11.3f} | {resident:14.0f} "
        f"| {'':14} | {stopped} |"
    )


def handles(*kinds):
    """Does the same as `src/measure/handles.rs`. The file of a semaphore has no name, so its bytes aren't counted."""
    for make in MAKERS.values():
        make()
    kept = []
    lines = [keep(kept, kind, 1_000 if kind in ("queue", "pipe") else 10_000) for kind in kinds]
    return "\n".join(lines)


def add(value, ready, start):
    with ready.get_lock():
        ready.value += 1
    start.wait()
    for _ in range(TOGETHER):
        with value.get_lock():
            value.value += 1


def value():
    number, ready, start = CONTEXT.Value("q", 0), CONTEXT.Value("i", 0), CONTEXT.Event()
    workers = [CONTEXT.Process(target=add, args=(number, ready, start)) for _ in range(4)]
    for worker in workers:
        worker.start()
    while ready.value < 4:
        time.sleep(0.001)
    time.sleep(0.02)

    def work():
        start.set()
        for worker in workers:
            worker.join()

    nanoseconds = each(4 * TOGETHER, work)
    assert number.value == 4 * TOGETHER
    return nanoseconds


def factorial():
    return each(1, lambda: math.factorial(1_500_000))


if __name__ == "__main__":
    name, *arguments = sys.argv[1:]
    print(globals()[name](*arguments))
