"""Lesson 7, pipe: the same steps in Python. Run: python3 pipe.py [STEP ...], or --list."""

import array
import multiprocessing
import os
import sys
import time
from multiprocessing import connection

sys.stdout.reconfigure(line_buffering=True)  # each line at once, also into a pipe


def add_one(parent):
    number = parent.recv()
    print(f"child {os.getpid()} got {number}")
    parent.send(number + 1)


def ask():
    ours, theirs = multiprocessing.Pipe()
    child = multiprocessing.Process(target=add_one, args=(theirs,))
    child.start()
    ours.send(10)
    print(f"parent {os.getpid()} got {ours.recv()}")
    child.join()


def count_letters(parent, parents_end):
    parents_end.close()  # without this line the loop may never end
    try:
        while True:
            word = parent.recv()
            print(f"child: got {word!r}")
            parent.send(len(word))
    except EOFError:
        print("child: no more words")


def tell(parent):
    for sentence in ["once upon a time", "and they lived happily"]:
        parent.send(sentence)


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

    print("did Ann speak within 50 ms?", ends[0].poll(0.05))

    for place in [2, 0, 1]:
        ends[place].send("your turn")
        ready = connection.wait(ends)
        places = [ends.index(end) for end in ready]
        print(f"ready: {places}:", ready[0].recv())
    for end in ends:
        end.send("good night")
    for child in guests:
        child.join()


def speaker(letter, end):
    for _ in range(100):
        end.send(letter * 100_000)


def one_owner():
    receiving, sending = multiprocessing.Pipe(duplex=False)
    speakers = []
    for letter in "AB":
        child = multiprocessing.Process(target=speaker, args=(letter, sending))
        child.start()
        speakers.append(child)
    sending.close()
    intact = 0
    try:
        while True:
            message = receiving.recv()
            assert message in ("A" * 100_000, "B" * 100_000), "a message is corrupt"
            intact += 1
    except Exception as error:
        name, text = type(error).__name__, str(error)[:60]
        print(f"{intact} of 200 messages, then {name}: {text}")
    for child in speakers:
        child.terminate()  # or they wait forever: the parent doesn't read any more
        child.join()


NUMBERS = 16 * 1024 * 1024  # of 4 bytes each: 64 MiB


def echo(parent):
    message = parent.recv()
    parent.send(message)


def large():
    message = array.array("I", range(NUMBERS)).tobytes()
    ours, theirs = multiprocessing.Pipe()
    child = multiprocessing.Process(target=echo, args=(theirs,))
    child.start()
    start = time.perf_counter()
    ours.send(message)
    answer = ours.recv()
    milliseconds = 1000 * (time.perf_counter() - start)
    print(f"{len(answer)} bytes there and back: {milliseconds:.0f} ms")
    assert answer == message
    child.join()


def add_one_by_hand(questions, answers):
    number = questions.recv()
    print(f"child {os.getpid()} got {number}")
    answers.send(number + 1)


def under_the_hood():
    questions, our_sender = multiprocessing.Pipe(duplex=False)
    our_receiver, answers = multiprocessing.Pipe(duplex=False)
    child = multiprocessing.Process(target=add_one_by_hand, args=(questions, answers))
    child.start()
    questions.close()
    answers.close()
    our_sender.send(10)
    print(f"parent {os.getpid()} got {our_receiver.recv()}")
    child.join()


STEPS = [ask, both_ways, wait, one_owner, large, under_the_hood]


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
