"""Lesson 7, pipe: the same steps in Python. Run: python3 pipe.py [STEP ...], or --list."""

import array
import multiprocessing
import os
import sys
import time
from multiprocessing import connection

sys.stdout.reconfigure(line_buffering=True)  # each line at once, also into a pipe


def add_one(asker):
    number = asker.recv()
    print(f"child {os.getpid()} was asked about {number}")
    asker.send(number + 1)


def ask():
    ours, theirs = multiprocessing.Pipe()
    child = multiprocessing.Process(target=add_one, args=(theirs,))
    child.start()
    ours.send(10)
    print(f"parent {os.getpid()} was answered {ours.recv()}")
    child.join()


def count_letters(asker, parents_end):
    parents_end.close()  # or this process itself keeps the conversation open
    try:
        while True:
            word = asker.recv()
            print(f"child: asked about {word!r}")
            asker.send(len(word))
    except EOFError:
        print("child: that was the last word")


def tell(listener):
    for part in ["once upon a time", "and they lived happily"]:
        listener.send(part)


def both_ways():
    ours, theirs = multiprocessing.Pipe()
    child = multiprocessing.Process(target=count_letters, args=(theirs, ours))
    child.start()
    theirs.close()
    for word in ["to", "be", "continued"]:
        ours.send(word)
        print(f"parent: {ours.recv()} letters")
    ours.close()
    child.join()

    ours, theirs = multiprocessing.Pipe()
    child = multiprocessing.Process(target=tell, args=(theirs,))
    child.start()
    theirs.close()  # without this line the loop below never ends
    try:
        while True:
            print("parent:", ours.recv())
    except EOFError:
        print("parent: the end")
    child.join()


def guest(host):
    name = multiprocessing.current_process().name
    while host.recv() == "your turn":
        host.send(f"{name} speaks")


def wait():
    guests = []
    ends = []
    for name in ["Ann", "Ben", "Cleo"]:
        ours, theirs = multiprocessing.Pipe()
        child = multiprocessing.Process(target=guest, args=(theirs,), name=name)
        child.start()
        guests.append(child)
        ends.append(ours)

    print("has Ann spoken within 50 ms?", ends[0].poll(0.05))

    for place in [2, 0, 1]:
        ends[place].send("your turn")
        ready = connection.wait(ends)
        places = [ends.index(end) for end in ready]
        print(f"ready: {places}:", ready[0].recv())
        assert places == [place]
    for end in ends:
        end.send("good night")
    for child in guests:
        child.join()


def speaker(letter, end):
    for _ in range(100):
        end.send(letter * 100_000)


def one_owner():
    listening, speaking = multiprocessing.Pipe(duplex=False)
    speakers = []
    for letter in "AB":
        child = multiprocessing.Process(target=speaker, args=(letter, speaking))
        child.start()
        speakers.append(child)
    speaking.close()
    whole = 0
    try:
        while True:
            message = listening.recv()
            assert message in ("A" * 100_000, "B" * 100_000), "a message is spoilt"
            whole += 1
    except Exception as error:
        name, text = type(error).__name__, str(error)[:60]
        print(f"{whole} of 200 messages, then {name}: {text}")
    for child in speakers:
        child.terminate()  # nobody listens any more: they would wait for ever
        child.join()


def echo(caller):
    caller.send(caller.recv())


def large():
    message = array.array("I", range(16 * 1024 * 1024)).tobytes()
    ours, theirs = multiprocessing.Pipe()
    child = multiprocessing.Process(target=echo, args=(theirs,))
    child.start()
    begin = time.perf_counter()
    ours.send(message)
    answer = ours.recv()
    duration = time.perf_counter() - begin
    print(f"{len(answer)} bytes there and back: {1000 * duration:.0f} ms")
    assert answer == message
    child.join()


STEPS = [ask, both_ways, wait, one_owner, large]


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
