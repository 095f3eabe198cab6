"""Lesson 1, threads: the same steps in Python. Run: python3 threads.py [STEP ...], or --list."""

import math
import multiprocessing
import os
import sys
import threading
import time

sys.stdout.reconfigure(line_buffering=True)  # each line at once, also into a pipe


def count(name):
    for number in range(10):
        print(f"{name}: {number}")
        time.sleep(0.01)


def spawn():
    worker = threading.Thread(target=count, args=("worker",))
    worker.start()
    print("main: goes on while the worker counts")
    worker.join()
    print("main: the worker has finished")


def three_workers():
    names = ["worker-1", "worker-2", "worker-3"]
    workers = [threading.Thread(target=count, args=(name,)) for name in names]
    for worker in workers:
        worker.start()
    print("main: goes on while three workers count")
    for worker in workers:
        worker.join()
    print("main: all three have finished")


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
        begin = time.perf_counter()
        print(f"{self.name}: start")
        for tick in range(1, self.ticks + 1):
            time.sleep(self.delay)
            print(f"{self.name}: tick {tick} after {time.perf_counter() - begin:.3f} s")
        print(f"{self.name}: end")


def as_struct():
    start_and_join([Ticker("fast", 0.02, 5), Ticker("slow", 0.04, 5)])
    print("main: fast and slow have ended")
    tasks = [("task-1", 0.03), ("task-2", 0.02), ("task-3", 0.01)]
    start_and_join([Ticker(name, delay, 1) for name, delay in tasks])
    print("main: Done")


def start_and_join(threads):
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def print_cube(number):
    print(f"cube of {number} = {number ** 3}")


def panic():
    # One argument too many: a TypeError, but only when it runs.
    bad = threading.Thread(target=print_cube, args=(2, 3))
    good = threading.Thread(target=print_cube, args=(2,))
    bad.start()
    good.start()
    bad.join()  # doesn't say that the thread failed
    print("main: goes on")
    good.join()
    print("main: Done")


def powers(exponent, results):
    for number in [2, 3, 8, 9]:
        time.sleep(0.1)
        results.append(number**exponent)


def one_after_the_other():
    results = []
    powers(2, results)
    powers(3, results)
    print(results)


def in_two_threads():
    results = []
    squares = threading.Thread(target=powers, args=(2, results))
    cubes = threading.Thread(target=powers, args=(3, results))
    start_and_join([squares, cubes])
    print(results)


def four_waits():
    start_and_join([threading.Thread(target=time.sleep, args=(0.2,)) for _ in range(4)])


def timed(work, *arguments):
    begin = time.perf_counter()
    work(*arguments)
    return f"{time.perf_counter() - begin:.3f} s"


def waiting():
    print("one after the other:", timed(one_after_the_other))
    print("in two threads:", timed(in_two_threads))
    print("one wait:", timed(time.sleep, 0.2))
    print("four waits in four threads:", timed(four_waits))


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
    start_and_join([kind(target=hundred_times) for _ in range(4)])


def cpu_bound():
    print("cores:", os.cpu_count())
    print("one run:", timed(hundred_times))
    print("four in a row:", timed(four_in_a_row))
    print("four threads:", timed(four_at_once, threading.Thread))
    print("four processes:", timed(four_at_once, multiprocessing.Process))


NUMBER = 300_000  # a fifth of Rust's number: with 1_500_000, Python takes over 10 s each time


def tick_beside(name, computation):
    ticks = 0
    while computation.is_alive():
        ticks += 1
        time.sleep(0.01)
    print(f"{name}: ticked {ticks} times meanwhile")


def factorial_beside_workers():
    computation = threading.Thread(target=math.factorial, args=(NUMBER,))
    computation.start()
    workers = []
    for name in ["worker-1", "worker-2", "worker-3"]:
        workers.append(threading.Thread(target=tick_beside, args=(name, computation)))
    start_and_join(workers)


def factorial_bits(worker):
    bits = math.factorial(NUMBER).bit_length()
    print(f"Worker: {worker} says {bits} bits")


def five_processes():
    workers = []
    for worker in range(5):
        workers.append(multiprocessing.Process(target=factorial_bits, args=(worker,)))
    start_and_join(workers)


def factorial():
    print("main: in one thread:", timed(factorial_beside_workers))
    print("main: in five processes:", timed(five_processes))


STEPS = [spawn, three_workers, as_function, as_struct, panic, waiting, cpu_bound, factorial]


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
