"""Lesson 3, join: the same steps in Python. Run: python3 join.py [STEP ...], or --list."""

import multiprocessing
import os
import sys
import threading
import time

# Each line at once and as a whole, also into a pipe.
sys.stdout.reconfigure(line_buffering=True, write_through=False)


def short_task(number, line_is_out):
    line_is_out.wait()
    time.sleep(0.03)
    print(f"task {number} has finished")


def join_order():
    line_is_out = threading.Event()
    tasks = []
    for number in range(1, 4):
        task = threading.Thread(target=short_task, args=(number, line_is_out))
        task.start()
        tasks.append(task)

    print("Tasks started")
    print("This line runs before they finish")
    line_is_out.set()
    for task in tasks:
        task.join()
    print("Done")


def tick(name, delay):
    for number in range(1, 4):
        time.sleep(delay)
        print(f"{name}: tick {number}")


def careless():
    # Daemon threads: Python would wait for ordinary ones.
    threading.Thread(target=tick, args=("fast", 1), daemon=True).start()
    threading.Thread(target=tick, args=("slow", 3), daemon=True).start()
    print("careless: returns without a join")


def careful():
    fast = threading.Thread(target=tick, args=("fast", 0.1), daemon=True)
    slow = threading.Thread(target=tick, args=("slow", 0.3), daemon=True)
    fast.start()
    slow.start()
    fast.join()
    slow.join()
    print("careful: returns after two joins")


def unjoined():
    for program in [careless, careful]:
        child = multiprocessing.Process(target=program)
        child.start()
        child.join()
        print(f"main: the {program.__name__} program has ended")


def doubled(number):
    double = number * 2
    print(f"{number} doubled is {double}, says process {os.getpid()}")
    return double


def doubler():
    children = []
    for number in [5, 10, 15, 20, 25]:
        child = multiprocessing.Process(target=doubled, args=(number,))
        child.start()
        children.append(child)
    answers = []
    for child in children:
        answers.append(child.join())
    print("joined:", answers)


squares = []


def fill_list(numbers):
    for number in numbers:
        squares.append(number * number)
    print("the list in the child:", squares)


def no_answer():
    child = multiprocessing.Process(target=fill_list, args=([2, 3, 8, 9],))
    child.start()
    child.join()
    print("the list in the parent:", squares)


def background_task(length):
    print(f"{multiprocessing.current_process().name} starts")
    time.sleep(length)
    print(f"{multiprocessing.current_process().name} ends")


def background():
    print("this machine has", multiprocessing.cpu_count(), "cores")
    start = time.monotonic()
    child = multiprocessing.Process(target=background_task, args=(0.3,))
    child.start()
    child.join()
    print(f"started and joined in {1000 * (time.monotonic() - start):.0f} ms")


def nap(alarm):
    alarm.wait()
    return "well rested"


def timeout():
    alarm = multiprocessing.Event()
    sleeper = multiprocessing.Process(target=nap, args=(alarm,))
    sleeper.start()
    print("after 50 ms:", sleeper.join(0.05))
    print("is it alive?", sleeper.is_alive())
    alarm.set()
    print("joined for good:", sleeper.join())
    print("is it alive?", sleeper.is_alive())


def daemon_child(running):
    print("daemon: first line")
    running.set()
    time.sleep(60)
    print("daemon: last line")


def ordinary_child(running, program_is_done):
    running.set()
    program_is_done.wait()
    time.sleep(0.1)
    print("ordinary child: last line")


def main_program():
    running = multiprocessing.Event()
    multiprocessing.Process(target=daemon_child, args=(running,), daemon=True).start()
    running.wait()

    running, done = multiprocessing.Event(), multiprocessing.Event()
    multiprocessing.Process(target=ordinary_child, args=(running, done)).start()
    running.wait()  # until the child has its events
    print("program: last line, and no join")
    done.set()


def daemon():
    program = multiprocessing.Process(target=main_program)
    program.start()
    program.join()
    print("the program has ended")


def end_by(way):
    if way == "return":
        return 42
    if way == "exit":
        sys.exit(3)
    if way == "panic":
        raise ValueError("the cube of a string")
    time.sleep(60)


def exit_codes():
    children = []
    for way in ["return", "exit", "panic", "wait", "wait"]:
        child = multiprocessing.Process(target=end_by, args=(way,))
        child.start()
        children.append(child)
    children[3].terminate()
    children[4].kill()
    for child in children:
        child.join()
        print("exit code:", child.exitcode)


STEPS = [
    join_order, unjoined, doubler, no_answer, background, timeout, daemon, exit_codes
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
