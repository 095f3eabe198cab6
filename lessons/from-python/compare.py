"""Counts primes in Python and in Rust, while another Python thread ticks."""

import math
import threading
import time

import primes

LIMIT = 300_000


def is_prime(number):
    return all(number % divisor for divisor in range(2, math.isqrt(number) + 1))


def count_primes(limit):
    return sum(is_prime(number) for number in range(2, limit))


def measure(name, function):
    """Prints how long a call takes, and how often another thread ticks meanwhile."""
    ticks = 0
    done = threading.Event()

    def tick():
        nonlocal ticks
        while not done.wait(0.001):
            ticks += 1

    ticker = threading.Thread(target=tick)
    ticker.start()
    start = time.perf_counter()
    count = function(LIMIT)
    seconds = time.perf_counter() - start
    done.set()
    ticker.join()
    print(f"{name}: {count} primes below {LIMIT} in {seconds:.3f} s, {ticks} ticks meanwhile")
    return count, seconds


if __name__ == "__main__":
    in_rust, rust = measure("Rust", primes.count_primes)
    in_python, python = measure("Python", count_primes)
    assert in_rust == in_python == 25_997
    print(f"Rust is {python / rust:.0f} times as fast")
