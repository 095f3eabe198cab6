"""Lesson 5, pool: the same steps in Python. Run: python3 pool.py [STEP ...], or --list."""

import multiprocessing
import multiprocessing.pool
import os
import signal
import sys
import time

sys.stdout.reconfigure(line_buffering=True)  # each line at once, also into a pipe


def doubled(number):
    return number * 2


def map():
    with multiprocessing.Pool(3) as pool:
        for worker in multiprocessing.active_children():
            print("worker: process", worker.pid)
        print("two rounds:")
        doubles = pool.map(doubled, [5, 10, 20])
        print("5, 10, 20 doubled:", doubles)
        print("and once more:", pool.map(doubled, doubles))
    assert doubles == [10, 20, 40]


def squared(number):
    return number * number


def squares():
    with multiprocessing.Pool(3) as pool:
        results = pool.map(squared, range(1, 6))
        pool.close()
        pool.join()
    for result in results:
        print(result)
    assert results == [1, 4, 9, 16, 25]


def keep_event(event):
    global kept_event  # an Event cannot be an input: each worker gets it when it starts
    kept_event = event


def squared_when_told(number):
    kept_event.wait()
    return squared(number)


def map_async():
    go = multiprocessing.Event()
    with multiprocessing.Pool(4, initializer=keep_event, initargs=(go,)) as pool:
        waited_for = pool.map(squared, range(10))
        print("map:      ", waited_for)
        result = pool.map_async(squared_when_told, range(10))
        print("the same is under way, and main goes on")
        result.wait(0.05)
        print("after 50 ms, ready?", result.ready())
        assert not result.ready()
        go.set()
        print("map_async:", result.get(timeout=1))
        assert result.get() == waited_for == [0, 1, 4, 9, 16, 25, 36, 49, 64, 81]


COUNT = 100_000


def sum_of_squares(_):
    total = 0
    for number in range(1000):
        total += number * number
    return total


def one_after_the_other():
    return [sum_of_squares(number) for number in range(COUNT)]


def in_pool(kind):
    with kind() as pool:  # as many workers as there are cores
        return pool.map(sum_of_squares, range(COUNT))


def timed(work, *arguments):
    begin = time.perf_counter()
    result = work(*arguments)
    return result, time.perf_counter() - begin


def speed():
    expected, alone = timed(one_after_the_other)
    from_processes, processes = timed(in_pool, multiprocessing.Pool)
    from_threads, threads = timed(in_pool, multiprocessing.pool.ThreadPool)
    print(f"workers:             {os.cpu_count()}")
    print(f"one after the other: {alone:.2f} s")
    print(f"pool of processes:   {processes:.2f} s")
    print(f"pool of threads:     {threads:.2f} s")
    print(f"speed-up, processes: {alone / processes:.2f}")
    print(f"speed-up, threads:   {alone / threads:.2f}")
    assert from_processes == from_threads == expected == [332_833_500] * COUNT


def first_waits(number):
    if number == 1:
        kept_event.wait()
    return number


def last_opens(number):
    if number == 5:
        kept_event.set()
    return first_waits(number)


def in_order():
    gate = multiprocessing.Event()
    with multiprocessing.Pool(2, initializer=keep_event, initargs=(gate,)) as pool:
        in_order = list(pool.imap(last_opens, range(1, 6)))
        print("imap:", in_order)
        assert in_order == [1, 2, 3, 4, 5]

        gate.clear()
        any_order = []
        for number in pool.imap_unordered(first_waits, range(1, 6)):
            any_order.append(number)
            if len(any_order) == 4:
                print("four of five are there, now the gate opens")
                gate.set()
        print("imap_unordered:", any_order)
        assert any_order[-1] == 1
        assert sorted(any_order) == in_order


def share_of_sixty(people):
    return 60 // people


def killed_at_thirteen(number):
    if number == 13:
        os.kill(os.getpid(), signal.SIGKILL)
    return number * 2


def one_panics(pool):
    try:
        pool.map(share_of_sixty, [1, 2, 0, 4])
    except ZeroDivisionError as error:
        print("a task failed:", error)


def one_is_killed(pool):
    result = pool.map_async(killed_at_thirteen, [11, 12, 13, 14], chunksize=1)
    try:
        result.get(timeout=1)
    except multiprocessing.TimeoutError:
        print("no result after 1 s, and without the limit there would never be one")
    print("and the next:", pool.map(killed_at_thirteen, [11, 12, 14]))


def failure():
    with multiprocessing.Pool(2) as pool:
        one_panics(pool)
        one_is_killed(pool)


STEPS = [map, squares, map_async, speed, in_order, failure]


def main():
    steps = {step.__name__.replace("_", "-"): step for step in STEPS}
    chosen = sys.argv[1:] or list(steps)
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
