"""Lesson 2, naming: the same steps in Python. Run: python3 naming.py [STEP ...], or --list."""

import glob
import multiprocessing
import os
import sys
import threading
import time

# Each line at once and as a whole, also into a pipe.
sys.stdout.reconfigure(line_buffering=True, write_through=False)


def say_name():
    print(f"my name is {threading.current_thread().name}")


def thread_names():
    say_name()
    unnamed = threading.Thread(target=say_name)
    unnamed.start()
    unnamed.join()
    for name in ["worker", "my_service"]:
        named = threading.Thread(target=say_name, name=name)
        named.start()
        named.join()


def stay_until_counted(counted):
    counted.wait()


def thread_census():
    counted = threading.Event()
    threads = []
    for name in ["reader", "writer"]:
        thread = threading.Thread(target=stay_until_counted, args=(counted,), name=name)
        thread.start()
        threads.append(thread)

    names = [thread.name for thread in threading.enumerate()]
    print(threading.active_count(), "threads are alive:", ", ".join(names))
    print("counted by:", threading.current_thread().name)
    counted.set()
    for thread in threads:
        thread.join()
    print("after the joins:", threading.active_count())


def worker():
    name = multiprocessing.current_process().name
    print(f"{name} Starting")
    time.sleep(0.1)
    print(f"{name} Exiting")


def my_service(workers_have_ended):
    name = multiprocessing.current_process().name
    print(f"{name} Starting")
    time.sleep(0.15)
    workers_have_ended.wait()
    print(f"{name} Exiting")


def process_names():
    workers_have_ended = multiprocessing.Event()
    worker_1 = multiprocessing.Process(name="worker 1", target=worker)
    worker_2 = multiprocessing.Process(target=worker)
    service = multiprocessing.Process(
        name="my_service", target=my_service, args=(workers_have_ended,)
    )
    worker_1.start()
    worker_2.start()
    service.start()
    worker_1.join()
    worker_2.join()
    workers_have_ended.set()
    service.join()


def process_says_pid():
    print(f"process {multiprocessing.current_process().name} has pid {os.getpid()}")


def thread_says_pid():
    print(f"thread {threading.current_thread().name} has pid {os.getpid()}")


def pids():
    processes = [multiprocessing.Process(target=process_says_pid) for _ in range(4)]
    threads = [threading.Thread(target=thread_says_pid) for _ in range(4)]
    for task in processes + threads:  # processes first: a fork copies no other thread
        task.start()
    for task in processes + threads:
        task.join()
    pids = {os.getpid()}
    for process in processes:
        pids.add(process.pid)
    print("main:", len(pids), "pids in all")


def resize(ready, enough):
    def heartbeat():
        ready.set()
        enough.wait()

    threading.Thread(target=heartbeat, name="heartbeat").start()


def in_ps():
    ready = multiprocessing.Event()
    enough = multiprocessing.Event()
    child = multiprocessing.Process(
        name="resize-pictures-for-web", target=resize, args=(ready, enough)
    )
    child.start()
    ready.wait()
    print("its name in Python:", child.name)
    for file in glob.glob(f"/proc/{child.pid}/task/*/comm"):
        with open(file) as comm:
            print("a thread, in Linux:", comm.read().strip())
    enough.set()
    child.join()


STEPS = [thread_names, thread_census, process_names, pids, in_ps]


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
