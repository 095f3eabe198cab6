"""Lesson 4, locks: you are the scheduler of CPython's bytecode instructions.

Two threads, A and B, execute `total += 1`. Both wait before each instruction, and the schedule
decides whose instruction is next. Nothing is simulated: Python itself stops its threads.

With --cure, each thread takes a lock. To keep it short, it waits only before it uses a global name
or the lock.

Would CPython do this by itself? With the GIL, since Python 3.10, it switches threads only when a
function starts (RESUME), when a loop goes round, and at calls: never inside `total += 1`. Older
Pythons did. In a free-threaded build, which has no GIL, both threads run at once.
"""

import argparse
import dis
import functools
import signal
import sys
from queue import SimpleQueue
from threading import Lock, Thread, current_thread, settrace

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
say = functools.partial(print, sep="\t", flush=True)
total = 0
lock = Lock()


def add():
    global total
    total += 1


def add_locked():
    global total
    with lock:
        total += 1


@functools.cache
def instructions_of(function):
    """Returns the instructions before which a thread waits: the text of each, by its offset."""
    texts = {}
    methods = ["lock.__enter__", "lock.__exit__"]
    for instruction in dis.get_instructions(function):
        name, argument = instruction.opname, instruction.argrepr
        if name in ["SETUP_WITH", "BEFORE_WITH", "CALL_FUNCTION", "CALL"]:  # in various Pythons
            texts[instruction.offset] = f"{name} {methods.pop(0)}"
        elif function is add or "GLOBAL" in name:
            texts[instruction.offset] = f"{name} {argument}".strip()
    return texts


class Actor(Thread):
    """A thread that executes a function, and waits for its turn before each instruction."""

    def __init__(self, function):
        super().__init__(target=function, daemon=True)
        self.instructions = instructions_of(function)
        self.waiting = SimpleQueue()
        self.turns = SimpleQueue()
        self.start()
        self.next = self.waiting.get()

    def run(self):
        try:
            super().run()
        finally:
            self.waiting.put(None)  # there is no next instruction

    def wait_before(self, offset):
        if offset in self.instructions:
            self.waiting.put(self.instructions[offset])
            self.turns.get()

    def is_blocked(self):
        return self.next.endswith("lock.__enter__") and lock.locked()

    def execute_next(self):
        self.turns.put("your turn")
        executed, self.next = self.next, self.waiting.get()
        return executed


def trace(frame, event, _):
    """Python calls this when an actor calls a function, and before each instruction of ours."""
    if frame.f_code in [add.__code__, add_locked.__code__]:
        frame.f_trace_opcodes = True
        if event in ["call", "opcode"]:  # in Python 3.11, the call is the instruction RESUME
            current_thread().wait_before(frame.f_lasti)
        return trace


def stop_at_instructions(function):
    if sys.version_info < (3, 12):
        return settrace(trace)
    # In Python 3.12, settrace fails with two threads: it stops only one, or crashes. Its successor
    # `sys.monitoring` doesn't.
    tool, events = sys.monitoring.DEBUGGER_ID, sys.monitoring.events
    sys.monitoring.use_tool_id(tool, "bytecodes.py")
    wait = lambda code, offset: current_thread().wait_before(offset)
    sys.monitoring.register_callback(tool, events.PY_START, wait)
    sys.monitoring.register_callback(tool, events.INSTRUCTION, wait)
    sys.monitoring.set_local_events(tool, function.__code__, events.PY_START | events.INSTRUCTION)


class Race:
    def __init__(self, function):
        global total, lock
        total, lock = 0, Lock()
        self.actors = {letter: Actor(function) for letter in "AB"}
        self.letters = ""  # the schedule so far

    def ready(self):
        actors = self.actors.items()
        return [letter for letter, actor in actors if actor.next and not actor.is_blocked()]

    def execute_next(self, letter):
        if letter not in self.ready():
            ready = " or ".join(self.ready()) or "the end"
            parser.error(f"after `{self.letters}` comes {ready}, not {letter or 'the end'}")
        self.letters += letter
        return self.actors[letter].execute_next()


def run(function, schedule):
    """Runs this schedule, or all: each run notes the beginnings of those that it leaves out."""
    beginnings = ["" if schedule == "all" else schedule]
    while beginnings:
        race = Race(function)
        for letter in beginnings.pop():
            race.execute_next(letter)
        while race.ready():
            first, *others = race.ready() if schedule == "all" else [""]
            beginnings += [race.letters + other for other in others]
            race.execute_next(first)
        print(f"{race.letters}: 1 + 1 make {total}")


def ask(function):
    """Asks for each letter. A line is a word that says what it is, and more fields after tabs."""
    goal = "Lose an update: make the total smaller than 2."
    if function is add_locked:
        goal = f"Now there is a lock. {goal}"
    else:
        goal += " (Left alone, Python 3.10 or newer with the GIL doesn't switch threads inside "
        goal += "`total += 1`. Without the GIL, it can happen.)"
    say("goal", goal)
    race = Race(function)
    while True:
        say("value", "total", total)
        if function is add_locked:
            say("value", "lock", "locked" if lock.locked() else "unlocked")
        if not race.ready():
            return say("outcome", f"1 + 1 make {total}")
        for letter, actor in race.actors.items():
            if actor.next:
                say("blocked" if actor.is_blocked() else "next", letter, actor.next)
        say("choose")
        if not (letter := sys.stdin.readline()):
            return
        executed = race.execute_next(letter.strip())
        # What LOAD_GLOBAL has loaded, or STORE_GLOBAL has stored, is still the total.
        say("did", letter.strip(), executed, total if executed.endswith("GLOBAL total") else "")


def main():
    # Ctrl-C, or the end of the program that reads our output, ends this program quietly.
    for name in {"SIGINT", "SIGPIPE"} & set(dir(signal)):
        signal.signal(signal.Signals[name], signal.SIG_DFL)
    parser.add_argument("step", choices=["race"])
    parser.add_argument("--schedule", required=True, metavar="ask|all|LETTERS")
    parser.add_argument("--cure", action="store_true", help="the same with a lock")
    args = parser.parse_args()
    function = add_locked if args.cure else add
    stop_at_instructions(function)
    if args.schedule == "ask":
        ask(function)
    else:
        run(function, args.schedule)


if __name__ == "__main__":
    main()
