"""Measures a row of the table of speeds in Python: speed.py ROW [METHOD]. Prints nanoseconds per operation."""

import math
import multiprocessing
import os
import sys
import time

TRIPS = 5_000
PAUSED_TRIPS = 100
ITEMS = 60_000
ALONE = 50_000
TOGETHER = 10_000


def each(times, work):
    begin = time.perf_counter_ns()
    work()
    return (time.perf_counter_ns() - begin) / times


def nothing():
    pass


def spawn(context):
    times = 3 if context.get_start_method() == "spawn" else 20

    def work():
        for _ in range(times):
            process = context.Process(target=nothing)
            process.start()
            process.join()

    return each(times, work)


def echo(end):
    while (number := end.recv()) is not None:
        end.send(number)


def trips(context, count, pause):
    ours, theirs = context.Pipe()
    child = context.Process(target=echo, args=(theirs,))
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


def pipe(context):
    return trips(context, TRIPS, 0)


def pipe_paused(context):
    return trips(context, PAUSED_TRIPS, 0.002)


def put(queue, numbers):
    for number in numbers:
        queue.put(number)


def get(queue, count):
    for _ in range(count):
        queue.get()


def through_queue(context, putters, getters):
    queue = context.Queue()

    def work():
        others = [context.Process(target=get, args=(queue, ITEMS // getters)) for _ in range(getters - 1)]
        children = [context.Process(target=put, args=(queue, range(ITEMS // putters))) for _ in range(putters)]
        for child in others + children:
            child.start()
        get(queue, ITEMS // getters)
        for child in others + children:
            child.join()

    return each(ITEMS, work)


def queue(context):
    return through_queue(context, 1, 1)


def queue_4_2(context):
    return through_queue(context, 4, 2)


def successor(number):
    return number + 1


def mapped(context, inputs, **options):
    with context.Pool(os.cpu_count()) as workers:
        workers.map(successor, range(1000))
        return each(inputs, lambda: workers.map(successor, range(inputs), **options))


def pool(context):
    return mapped(context, 1_000_000)


def pool_single(context):
    return mapped(context, 20_000, chunksize=1)


def taken(thing):
    def work():
        for _ in range(ALONE):
            thing.acquire()
            thing.release()

    return each(ALONE, work)


def lock(context):
    return taken(context.Lock())


def semaphore(context):
    return taken(context.Semaphore(2))


def lock_new(context):
    def work():
        for _ in range(300):
            context.Lock()

    return each(300, work)


def add(value, ready, start):
    with ready.get_lock():
        ready.value += 1
    start.wait()
    for _ in range(TOGETHER):
        with value.get_lock():
            value.value += 1


def value(context):
    number, ready, start = context.Value("q", 0), context.Value("i", 0), context.Event()
    workers = [context.Process(target=add, args=(number, ready, start)) for _ in range(4)]
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


def factorial(context):
    return each(1, lambda: math.factorial(1_500_000))


ROWS = [
    spawn, pipe, pipe_paused, queue, queue_4_2, pool, pool_single, lock, semaphore, lock_new, value, factorial
]


def main():
    rows = {row.__name__.replace("_", "-"): row for row in ROWS}
    if len(sys.argv) < 2 or sys.argv[1] not in rows:
        sys.exit(f"usage: speed.py ROW [METHOD]; the rows are {', '.join(rows)}")
    method = sys.argv[2] if len(sys.argv) > 2 else "fork"
    print(rows[sys.argv[1]](multiprocessing.get_context(method)))


if __name__ == "__main__":
    main()
