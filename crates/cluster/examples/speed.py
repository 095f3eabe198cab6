"""What speed.rs measures, by mpi4py's MPIPoolExecutor."""

from statistics import median
from time import perf_counter

from mpi4py.futures import MPIPoolExecutor


def successor(number):
    return number + 1


def one_millisecond(number):
    start = perf_counter()
    while perf_counter() - start < 0.001:
        pass
    return number


def measure(executor, what, function, inputs, chunksize):
    times = []
    for _ in range(6):
        start = perf_counter()
        list(executor.map(function, inputs, chunksize=chunksize))
        times.append(perf_counter() - start)
    name = f"MPIPoolExecutor, chunksize={chunksize}"
    print(f"{name:34} {what:12} {median(times[1:]) * 1e6 / len(inputs):10.2f} µs")


if __name__ == "__main__":
    with MPIPoolExecutor() as executor:
        measure(executor, "n + 1", successor, range(20_000), 1)
        measure(executor, "n + 1", successor, range(200_000), 1000)
        measure(executor, "1 ms of work", one_millisecond, range(1000), 1)
        measure(executor, "1 ms of work", one_millisecond, range(1000), 20)
        measure(executor, "1 MiB", len, [bytes([1]) * 2**20 for _ in range(64)], 1)
