"""Lesson 4, locks: the same steps in Python. Run: python3 locks.py [STEP ...], or --list."""

import multiprocessing
import sys
import threading
import time

# Write each line at once, also into a pipe.
sys.stdout.reconfigure(line_buffering=True, write_through=False)


class Total:
    def __init__(self):
        self.number = 0

    def read(self):
        return self.number

    def write(self, number):
        self.number = number


def in_threads(function, arguments):
    threads = [threading.Thread(target=function, args=args) for args in arguments]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def add_apart(total, times):
    for _ in range(times):
        seen = total.read()
        total.write(seen + 1)


def free_run(times):
    total = Total()
    in_threads(add_apart, [(total, times), (total, times)])
    return total.read()


class Schedule:
    def __init__(self, turns):
        self.turns = list(turns)
        self.next_turn = threading.Condition()

    def turn(self, name, action):
        with self.next_turn:
            mine = self.next_turn.wait_for(lambda: self.turns[:1] == [name], timeout=5)
            assert mine, f"the turn of thread {name} never came"
            result = action()
            del self.turns[0]
            self.next_turn.notify_all()
            return result


def add_twice(total, schedule, name):
    for _ in range(2):
        seen = schedule.turn(name, total.read)
        schedule.turn(name, lambda: total.write(seen + 1))


def replay(turns):
    total = Total()
    schedule = Schedule(turns)
    in_threads(add_twice, [(total, schedule, "A"), (total, schedule, "B")])
    return total.read()


def race():
    print("2 x 10 additions make", free_run(10))
    totals = [free_run(200_000) for _ in range(5)]
    print(f"2 x 200000 additions make {min(totals)}, the min of 5 runs")
    for turns in ["AABBBBAA", "ABABAABB", "ABBBBAAA"]:
        print(f"{turns}: 2 x 2 additions make {replay(turns)}")
    print("the flag is up, and the value is", hand_over())


def publish(box, ready):
    box.append(42)
    ready.set()  # raise the flag


def hand_over():
    box = []
    ready = threading.Event()
    threading.Thread(target=publish, args=(box, ready)).start()
    ready.wait()
    return box[0]


def add_locked(lock, total, times):
    for _ in range(times):
        with lock:
            seen = total.read()
            total.write(seen + 1)


def mutex():
    for times in [10, 200_000]:
        total, lock = Total(), threading.Lock()
        in_threads(add_locked, [(lock, total, times), (lock, total, times)])
        print("Lock:", total.read())


def enter(lock, entries, number):
    with lock:
        before = len(entries)
        entries[number] = number
        print(f"thread {number}: size {before} before, {len(entries)} after")


def shared_map():
    lock = threading.Lock()
    entries = {}
    in_threads(enter, [(lock, entries, number) for number in range(4)])
    print(dict(sorted(entries.items())))


def in_processes(function, arguments):
    children = [multiprocessing.Process(target=function, args=args) for args in arguments]
    for child in children:
        child.start()
    for child in children:
        child.join()


def print_three_times(word):
    for end in [" ", " ", "\n"]:
        print(word, end=end, flush=True)
        time.sleep(0.005)


def print_locked(word, lock):
    lock.acquire()
    try:
        print_three_times(word)
    finally:
        lock.release()


def say_hello(number, lock):
    with lock:
        print("hello world", number)
        time.sleep(0.002)


def printers():
    lock = multiprocessing.Lock()
    words = ["tango", "foxtrot", 10]
    print("without a lock:")
    in_processes(print_three_times, [(word,) for word in words])
    print("with a lock:")
    in_processes(print_locked, [(word, lock) for word in words])
    print("ten take one lock:")
    in_processes(say_hello, [(number, lock) for number in range(10)])


def change(balance, amount):
    for _ in range(100):
        seen = balance.value
        time.sleep(0.001)
        balance.value = seen + amount


def change_locked(balance, amount):
    for _ in range(100):
        with balance.get_lock():
            seen = balance.value
            time.sleep(0.001)
            balance.value = seen + amount


def balance():
    balance = multiprocessing.Value("q", 200)
    in_processes(change, [(balance, 1), (balance, -1)])
    print("without a lock:", balance.value)
    balance = multiprocessing.Value("q", 200)
    in_processes(change_locked, [(balance, 1), (balance, -1)])
    print("with a lock:", balance.value)


def take_crosswise(name, first, second, both):
    with first:
        both.wait(timeout=5)  # now each of the two holds a lock
        if not second.acquire(timeout=0.1):
            print(name, "didn't get the other lock in time, and can't say why")
        both.wait(timeout=5)  # now both have timed out


def take_in_order(name, pen, paper):
    with pen:
        with paper:
            print(name, "got both")


def deadlock():
    pen, paper = multiprocessing.Lock(), multiprocessing.Lock()
    both = multiprocessing.Barrier(2)
    print("crosswise:")
    in_processes(take_crosswise, [("Ann", pen, paper, both), ("Bob", paper, pen, both)])
    print("both take the pen first:")
    in_processes(take_in_order, [("Ann", pen, paper), ("Bob", pen, paper)])


def hold(lock, holding):
    lock.acquire()
    holding.set()
    time.sleep(60)


def killed_holder():
    lock, holding = multiprocessing.Lock(), multiprocessing.Event()
    ann = multiprocessing.Process(name="Ann", target=hold, args=(lock, holding))
    ann.start()
    holding.wait()
    print(f"Ann, process {ann.pid}, holds the lock and is killed")
    ann.kill()
    ann.join()
    print("after half a second, do we have it?", lock.acquire(timeout=0.5))


STEPS = [race, mutex, shared_map, printers, balance, deadlock, killed_holder]


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
