"""Lesson 1, threads: the same steps in Python. Run: python3 threads.py [STEP ...], or --list."""

import math
import multiprocessing
import os
import sys
import threading
import time

sys.stdout.reconfigure(line_buffering=True)  # each line at once, also into a pipe


def count(name, counted):
    for number in range(10):
        print(f"{name}: {number}")
        counted.append(number)
        time.sleep(0.01)


def spawn():
    counted = []
    worker = threading.Thread(target=count, args=("worker", counted))
    worker.start()
    print("main: goes on while the worker counts")
    worker.join()
    print(f"main: the worker counted {len(counted)} numbers")
    assert counted == list(range(10))


def three_workers():
    counted = {"worker-1": [], "worker-2": [], "worker-3": []}
    workers = [threading.Thread(target=count, args=item) for item in counted.items()]
    for worker in workers:
        worker.start()
    print("main: goes on while three workers count")
    for worker in workers:
        worker.join()
    for numbers in counted.values():
        assert numbers == list(range(10))
    print("main: every number came three times")


def background(pause):
    print("background: starting")
    time.sleep(pause)
    print("background: finished")


def as_function():
    begin = time.perf_counter()
    task = threading.Thread(target=background, args=(0.1,))
    task.start()
    print("main: goes on")
    task.join()
    print(f"main: the task took {time.perf_counter() - begin:.3f} s")


class Ticker(threading.Thread):
    def __init__(self, name, delay, ticks):
        super().__init__(name=name)
        self.delay = delay
        self.ticks = ticks

    def run(self):
        print(f"{self.name}: start {self.name}")
        for tick in range(1, self.ticks + 1):
            time.sleep(self.delay)
            print(f"{self.name}: tick {tick}")
        print(f"{self.name}: end {self.name}")


def as_struct():
    tickers = [Ticker("fast", 0.02, 5), Ticker("slow", 0.04, 5)]
    for ticker in tickers:
        ticker.start()
    for ticker in tickers:
        ticker.join()
    print("main: fast and slow have ended")

    tasks = [
        Ticker("task-1", 0.03, 1),
        Ticker("task-2", 0.02, 1),
        Ticker("task-3", 0.01, 1),
    ]
    for task in tasks:
        task.start()
    for task in tasks:
        task.join()
    print("main: Done")


DELAY = 0.1


def tick(name, delay, ticks):
    for number in range(1, 4):
        time.sleep(delay)
        print(f"{name}: tick {number}")
        ticks.put(number)


def careless(ticks):
    # Only daemon threads are cut off: Python waits for all others on its own.
    threading.Thread(target=tick, args=("fast", DELAY, ticks), daemon=True).start()
    threading.Thread(target=tick, args=("slow", 3 * DELAY, ticks), daemon=True).start()
    print("careless: returns, and its program ends")


def careful(ticks):
    fast = threading.Thread(target=tick, args=("fast", DELAY, ticks))
    slow = threading.Thread(target=tick, args=("slow", 3 * DELAY, ticks))
    fast.start()
    slow.start()
    fast.join()
    slow.join()
    print("careful: both threads have ended, now it returns")


def count_ticks(program):
    ticks = multiprocessing.SimpleQueue()
    child = multiprocessing.Process(target=program, args=(ticks,))
    child.start()
    child.join()
    count = 0
    while not ticks.empty():
        ticks.get()
        count += 1
    print(f"main: {count} of 6 ticks from the {program.__name__} program")
    return count


def unjoined():
    assert count_ticks(careless) < 6
    assert count_ticks(careful) == 6


def print_cube(number):
    print(f"cube of {number} = {number ** 3}")


def panic():
    # One argument too many: a TypeError, but only once it runs.
    bad = threading.Thread(target=print_cube, args=(2, 3))
    good = threading.Thread(target=print_cube, args=(2,))
    bad.start()
    bad.join()  # says nothing of the failure
    print("main goes on")
    good.start()
    good.join()
    print("Done")


PAUSE = 0.1
NUMBERS = [2, 3, 8, 9]


def squares(results):
    for number in NUMBERS:
        time.sleep(PAUSE)
        results.append(number**2)


def cubes(results):
    for number in NUMBERS:
        time.sleep(PAUSE)
        results.append(number**3)


def wait(results):
    time.sleep(0.2)


def timed(target, *arguments):
    begin = time.perf_counter()
    target(*arguments)
    return time.perf_counter() - begin


def in_threads(targets, results):
    threads = [threading.Thread(target=target, args=(results,)) for target in targets]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def waiting():
    results = []
    row = timed(squares, results) + timed(cubes, results)
    threads = timed(in_threads, [squares, cubes], results)
    print(f"one after the other: {row:.3f} s")
    print(f"in two threads:      {threads:.3f} s")
    assert results[:8] == [4, 9, 64, 81, 8, 27, 512, 729]
    assert sorted(results[8:]) == sorted(results[:8])

    print(f"one wait:                   {timed(wait, []):.3f} s")
    print(f"four waits in four threads: {timed(in_threads, [wait] * 4, []):.3f} s")


def add_squares():
    total = 0
    for number in range(100_000):
        total += number * number
    return total


def hundred_times():
    total = 0
    for _ in range(100):
        total += add_squares()
    return total


def four_in_a_row():
    for _ in range(4):
        hundred_times()


def four_at_once(kind):
    workers = [kind(target=hundred_times) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()


def cpu_bound():
    assert add_squares() * 100 == 33_332_833_335_000_000
    print(f"cores:               {os.cpu_count()}")
    print(f"one run:             {timed(hundred_times):.2f} s")
    print(f"four in a row:       {timed(four_in_a_row):.2f} s")
    print(f"four in threads:     {timed(four_at_once, threading.Thread):.2f} s")
    print(f"four in processes:   {timed(four_at_once, multiprocessing.Process):.2f} s")


NUMBER = 300_000  # a fifth of Rust's: 1 500 000 takes Python some 10 to 16 seconds, each time


def tick_until(done, counters, worker):
    while not done.is_set():
        counters[worker] += 1
        time.sleep(0.01)


def factorial_beside_workers(number):
    done = threading.Event()
    counters = [0, 0, 0]
    for worker in range(3):
        threading.Thread(target=tick_until, args=(done, counters, worker)).start()
    before = list(counters)
    computation = threading.Thread(target=math.factorial, args=(number,))
    duration = timed(lambda: (computation.start(), computation.join()))
    after = list(counters)
    done.set()
    print(f"in one thread, beside three workers: {duration:.2f} s")
    for worker in range(3):
        print(f"a worker ticked {after[worker] - before[worker]} times meanwhile")


def factorial_bits(number):
    name = multiprocessing.current_process().name
    print(f"{name} says {math.factorial(number).bit_length()} bits")


def five_processes():
    workers = []
    for number in range(5):
        name = f"Worker: {number}"
        worker = multiprocessing.Process(name=name, target=factorial_bits, args=(NUMBER,))
        worker.start()
        workers.append(worker)
    for worker in workers:
        worker.join()
    assert all(worker.exitcode == 0 for worker in workers)


def factorial():
    factorial_beside_workers(NUMBER)
    print(f"in five processes at once: {timed(five_processes):.2f} s")


STEPS = [
    spawn, three_workers, as_function, as_struct, unjoined, panic, waiting, cpu_bound, factorial
]


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
