"""Lesson 4, locks: the same steps in Python. Run: python3 locks.py [STEP ...], or --list."""

import multiprocessing
import sys
import threading
import time

# A line leaves this program as a whole, into a pipe too.
sys.stdout.reconfigure(line_buffering=True, write_through=False)


class Total:
    def __init__(self):
        self.number = 0

    def read(self):
        return self.number

    def write(self, number):
        self.number = number


def in_two_threads(function, *args):
    threads = [threading.Thread(target=function, args=args) for _ in range(2)]
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
    in_two_threads(add_apart, total, times)
    return total.read()


class Schedule:
    def __init__(self, turns):
        self.turns = list(turns)
        self.next_turn = threading.Condition()

    def turn(self, name, action):
        with self.next_turn:
            mine = self.next_turn.wait_for(lambda: self.turns[:1] == [name], timeout=5)
            assert mine, f"it was never the turn of thread {name}"
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
    threads = []
    for name in "AB":
        thread = threading.Thread(target=add_twice, args=(total, schedule, name))
        thread.start()
        threads.append(thread)
    for thread in threads:
        thread.join()
    return total.read()


def race():
    print("2 x 10 additions make", free_run(10))
    times = 200_000
    totals = [free_run(times) for _ in range(5)]
    short = sum(total < 2 * times for total in totals)
    least = min(totals)
    print(f"2 x {times} additions: short in {short} of 5 runs, the least was {least}")

    for turns, expected in [("AABBBBAA", 4), ("ABABAABB", 3), ("ABBBBAAA", 2)]:
        assert [replay(turns) for _ in range(100)] == [expected] * 100
        print(f"{turns}: 2 x 2 additions make {expected}, in 100 of 100 replays")


def add_locked(lock, total, times):
    for _ in range(times):
        with lock:
            seen = total.read()
            total.write(seen + 1)


def mutex():
    for times in [10, 200_000]:
        total = Total()
        lock = threading.Lock()
        start = time.monotonic()
        in_two_threads(add_locked, lock, total, times)
        milliseconds = 1000 * (time.monotonic() - start)
        print(f"Lock: {total.read()} in {milliseconds:.1f} ms")
        assert total.read() == 2 * times


def enter(lock, entries, number):
    with lock:
        before = len(entries)
        entries[number] = number
        print(f"thread {number}: size {before} before, {len(entries)} after")


def shared_map():
    lock = threading.Lock()
    entries = {}
    threads = [threading.Thread(target=enter, args=(lock, entries, n)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(dict(sorted(entries.items())))
    assert entries == {0: 0, 1: 1, 2: 2, 3: 3}


def in_processes(function, arguments):
    children = [multiprocessing.Process(target=function, args=args) for args in arguments]
    for child in children:
        child.start()
    for child in children:
        child.join()


def print_thrice(word):
    for end in [" ", " ", "\n"]:
        print(word, end=end, flush=True)
        time.sleep(0.005)


def print_in_turn(word, lock):
    lock.acquire()
    try:
        print_thrice(word)
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
    in_processes(print_thrice, [(word,) for word in words])
    print("with a lock:")
    in_processes(print_in_turn, [(word, lock) for word in words])
    print("ten take one lock:")
    in_processes(say_hello, [(number, lock) for number in range(10)])


PAUSE = 0.00001
RUNS = 10


def calculate():
    return sum(range(3000))


def deposit(balance):
    for _ in range(100):
        seen = balance.value
        calculate()
        balance.value = seen + 1
        time.sleep(PAUSE)


def withdraw(balance):
    for _ in range(100):
        seen = balance.value
        calculate()
        balance.value = seen - 1
        time.sleep(PAUSE)


def deposit_locked(balance):
    for _ in range(100):
        with balance.get_lock():
            seen = balance.value
            calculate()
            balance.value = seen + 1
        time.sleep(PAUSE)


def withdraw_locked(balance):
    for _ in range(100):
        with balance.get_lock():
            seen = balance.value
            calculate()
            balance.value = seen - 1
        time.sleep(PAUSE)


def one_run(deposit, withdraw):
    balance = multiprocessing.Value("q", 200)
    children = []
    for function in [deposit, withdraw]:
        children.append(multiprocessing.Process(target=function, args=(balance,)))
    for child in children:
        child.start()
    for child in children:
        child.join()
    return balance.value


def balance():
    print("without a lock:", [one_run(deposit, withdraw) for _ in range(RUNS)])
    with_lock = [one_run(deposit_locked, withdraw_locked) for _ in range(RUNS)]
    print("with a lock:", with_lock)
    assert with_lock == [200] * RUNS


def take_crosswise(first, second, both):
    name = multiprocessing.current_process().name
    with first:
        both.wait(timeout=5)  # now each of the two has its first lock
        if second.acquire(timeout=0.1):
            print(name, "got both")
            second.release()
        else:
            print(name, "did not get the other lock in time, and cannot say why")
        both.wait(timeout=5)  # and has it still, when both have asked for the second


def take_in_order(first, second):
    with first:
        with second:
            print(multiprocessing.current_process().name, "got both")


def deadlock():
    pen = multiprocessing.Lock()
    paper = multiprocessing.Lock()
    both = multiprocessing.Barrier(2)
    print("crosswise:")
    ann = multiprocessing.Process(name="Ann", target=take_crosswise, args=(pen, paper, both))
    bob = multiprocessing.Process(name="Bob", target=take_crosswise, args=(paper, pen, both))
    ann.start()
    bob.start()
    ann.join()
    bob.join()
    print("both take the pen first:")
    in_processes(take_in_order, [(pen, paper), (pen, paper)])


def hold(lock, holding):
    lock.acquire()
    holding.set()
    time.sleep(60)


def killed_holder():
    lock = multiprocessing.Lock()
    holding = multiprocessing.Event()
    ann = multiprocessing.Process(name="Ann", target=hold, args=(lock, holding))
    ann.start()
    holding.wait(timeout=5)
    print(f"Ann, process {ann.pid}, holds the lock and is killed")
    ann.kill()
    ann.join()
    got_it = lock.acquire(timeout=0.5)
    print("after half a second, did we get it?", got_it)
    print("without a time limit we would wait for ever")
    assert not got_it


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
