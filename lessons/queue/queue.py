"""Lesson 6, queue: the same steps in Python. Run: python3 queue.py [STEP ...], or --list."""

import os
import sys

# This file has the name of the standard module `queue`, and Python looks in the program's own folder
# first: an `import queue`, also the one in `multiprocessing`, would import this file. So take the
# folder off the search path before anything else is imported. Child processes that aren't forked
# read this file again, and do the same.
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:] = [folder for folder in sys.path if os.path.realpath(folder) != HERE]

import multiprocessing
import queue
import threading
import time

sys.stdout.reconfigure(line_buffering=True)  # each line at once, also into a pipe


JOBS = [(2, "fold"), (3, "stamp"), (1, "write")]


def put_jobs(jobs):
    for job in JOBS:
        jobs.put(job)


def thread_queues():
    for kind in [queue.Queue, queue.LifoQueue, queue.PriorityQueue]:
        jobs = kind()
        producer = threading.Thread(target=put_jobs, args=(jobs,))
        producer.start()
        producer.join()
        print(f"{kind.__name__}:", [jobs.get() for _ in JOBS])


thread_queue = queue.Queue()


def fill_both(process_queue):
    thread_queue.put("hello, threads")
    print("thread queue in the child:", thread_queue.qsize(), "item")
    process_queue.put(f"hello, processes, from {os.getpid()}")


def which_queue():
    process_queue = multiprocessing.Queue()
    child = multiprocessing.Process(target=fill_both, args=(process_queue,))
    child.start()
    child.join()
    print("thread queue in the parent:", thread_queue.qsize(), "items")
    print(f"parent {os.getpid()} got:", process_queue.get())


def put_answer(answers):
    print(f"child {os.getpid()} puts 42")
    answers.put(42)


def answer():
    answers = multiprocessing.Queue()
    child = multiprocessing.Process(target=put_answer, args=(answers,))
    child.start()
    print(f"parent {os.getpid()} got", answers.get())
    child.join()


def put_squares(numbers, squares):
    for number in numbers:
        squares.put(number * number)
    squares.close()  # this process puts no more items
    squares.join_thread()  # wait until all of them are in the pipe


def squares():
    squares = multiprocessing.Queue()
    child = multiprocessing.Process(target=put_squares, args=([2, 3, 5], squares))
    child.start()
    child.join()
    print("the child has ended")
    for _ in range(3):
        print(squares.get())

    numbers = range(1, 100_001)
    child = multiprocessing.Process(target=put_squares, args=(numbers, squares))
    child.start()
    child.join(1)  # without the 1, it hangs here
    print("after 1 s, has the child ended?", not child.is_alive())
    for number in numbers:
        assert squares.get() == number * number
    child.join()
    print("all taken, and now the child has ended")


def put_numbers(numbers, queue):
    for number in numbers:
        queue.put(number)


def double_until_sentinel(queue, doubles):
    while True:
        number = queue.get()
        print(f"{number} doubled is {2 * number}")
        doubles.put(2 * number)
        if number == -1:
            break


def same_object_after_queue(item):
    queue = multiprocessing.Queue()
    queue.put(item)
    return queue.get() is item


def sentinel():
    queue = multiprocessing.Queue()
    doubles = multiprocessing.Queue()
    children = [
        multiprocessing.Process(target=put_numbers, args=([5, 10, 13, -1], queue)),
        multiprocessing.Process(target=double_until_sentinel, args=(queue, doubles)),
    ]
    for child in children:
        child.start()
    print("with a sentinel:", [doubles.get() for _ in range(4)])
    for child in children:
        child.join()
    print("is -1 the same object after a queue?  ", same_object_after_queue(-1))
    print("is -1000 the same object after a queue?", same_object_after_queue(-1000))


def worker(jobs, results, all_here):
    name = multiprocessing.current_process().name
    first = jobs.get()
    results.put((first, first * first, name))
    all_here.wait()
    while True:
        job = jobs.get()
        if job is None:
            break
        time.sleep(0.001)  # the work
        results.put((job, job * job, name))


def workers():
    jobs = multiprocessing.Queue()
    results = multiprocessing.Queue()
    all_here = multiprocessing.Barrier(4)
    names = [f"worker-{number}" for number in range(1, 5)]
    workers = [
        multiprocessing.Process(target=worker, args=(jobs, results, all_here), name=name)
        for name in names
    ]
    for child in workers:
        child.start()
    for job in range(1, 101):
        jobs.put(job)
    for _ in workers:
        jobs.put(None)  # one sentinel for each worker

    done = [results.get() for _ in range(100)]
    for child in workers:
        child.join()
    for name in names:
        print(f"{name} did {sum(result[2] == name for result in done)} jobs")
    assert sorted(result[0] for result in done) == list(range(1, 101))
    print(len(done), "jobs, each done once")
    print("the squares add up to", sum(result[1] for result in done))


STEPS = [thread_queues, which_queue, answer, squares, sentinel, workers]


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
