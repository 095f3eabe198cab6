"""Lesson 5, pool: the same steps in Python. Run: python3 pool.py [STEP ...], or --list."""

import multiprocessing
import multiprocessing.pool
import os
import signal
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool

sys.stdout.reconfigure(line_buffering=True)  # each line at once, also into a pipe


def doubled(number):
    return number * 2


def map():
    with multiprocessing.Pool(3) as pool:
        for worker in multiprocessing.active_children():
            print("worker: process", worker.pid)
        doubles = pool.map(doubled, [5, 10, 20])
        print("5, 10, 20 doubled:", doubles)
        again = pool.map(doubled, doubles)
        print("doubled again:    ", again)


def squared(number):
    return number * number


def squares():
    with multiprocessing.Pool(3) as pool:
        results = pool.map(squared, range(1, 6))
        pool.close()
        pool.join()
    for result in results:
        print(result)


def keep_event(event):
    global kept_event  # an Event can't be an input: each worker gets it when it starts
    kept_event = event


def squared_after_go(number):
    kept_event.wait()
    return squared(number)


def map_async():
    go = multiprocessing.Event()
    with multiprocessing.Pool(4, initializer=keep_event, initargs=(go,)) as pool:
        print("map:      ", pool.map(squared, range(10)))
        result = pool.map_async(squared_after_go, range(10))
        print("the second round is running, and main goes on")
        try:
            result.get(timeout=0.05)
        except multiprocessing.TimeoutError:
            print("no result within 50 ms")
        go.set()
        print("map_async:", result.get(timeout=1))


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
    start = time.perf_counter()
    result = work(*arguments)
    return result, time.perf_counter() - start


def speed():
    expected, alone = timed(one_after_the_other)
    from_processes, processes = timed(in_pool, multiprocessing.Pool)
    from_threads, threads = timed(in_pool, multiprocessing.pool.ThreadPool)
    print(f"workers:             {os.cpu_count()}")
    print(f"one after the other: {alone:.2f} s")
    print(f"processes:           {processes:.2f} s")
    print(f"threads:             {threads:.2f} s")
    print(f"speed-up, processes: {alone / processes:.2f}")
    print(f"speed-up, threads:   {alone / threads:.2f}")
    assert from_processes == from_threads == expected


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
        for number in pool.imap(last_opens, range(1, 6)):
            print("imap:", number)

        gate.clear()
        results = []
        for number in pool.imap_unordered(first_waits, range(1, 6)):
            results.append(number)
            if len(results) == 4:
                print("four of five results have arrived, main opens the gate")
                gate.set()
        print("imap_unordered:", results)


def share_of_sixty(people):
    return 60 // people


def killed_at_thirteen(number):
    if number == 13:
        os.kill(os.getpid(), signal.SIGKILL)
    return number * 2


def one_raises():
    with multiprocessing.Pool(2) as pool:
        try:
            pool.map(share_of_sixty, [1, 2, 0, 4])
        except ZeroDivisionError as error:
            print("Pool:", error)


def one_is_killed_in_pool():
    with multiprocessing.Pool(2) as pool:
        result = pool.map_async(killed_at_thirteen, [11, 12, 13, 14], chunksize=1)
        try:
            print(result.get(timeout=1))
        except multiprocessing.TimeoutError:
            print("Pool: no result after 1 s; without the timeout, get() waits forever")
        print("Pool, the next map:", pool.map(killed_at_thirteen, [11, 12, 14]))


def one_is_killed_in_executor():
    with ProcessPoolExecutor(2) as executor:
        for numbers in [[11, 12, 13, 14], [11, 12, 14]]:
            try:
                print("ProcessPoolExecutor:", list(executor.map(killed_at_thirteen, numbers)))
            except BrokenProcessPool as error:
                print("ProcessPoolExecutor: BrokenProcessPool:", error)


def failure():
    one_raises()
    one_is_killed_in_pool()
    one_is_killed_in_executor()


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
