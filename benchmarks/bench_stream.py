"""A classifier of examples on disk: time against that of computing and reading alone, and memory.

    python benchmarks/bench_stream.py [--examples N] [--columns D] [--queries M] [--folder F]

The goal: 10 million examples of 32 columns, 1,000 queries, within 1.3 times (compute + read), and
at most 1 GB of memory. Compute is the engine's own time for the same sums over packed examples in
memory, taken on a part and scaled; read is reading the files once, dropped from the page cache
where the system lets us. Both sides have the compiled loops loaded, which in a new process takes
the time printed first. Needs 4 bytes a number of free disk.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

import deeplimit as dl
from deeplimit.engines import CompiledEngine
from deeplimit.kernels.power import PowerKernel
from deeplimit.sums import fit_lift

BLOCK = 500_000


def make(folder: Path, n: int, d: int) -> None:
    rng = np.random.default_rng(0)
    with dl.ExampleStore.create(folder, d) as store:
        for start in range(0, n, BLOCK):
            X = rng.standard_normal((min(BLOCK, n - start), d), dtype=np.float32)
            store.append(X, (X[:, 0] > 0.4).astype(int) + 2 * (X[:, 1] > 1))


def drop(folder: Path) -> None:
    """Ask the system to forget the files, so that the disk is read."""
    os.sync()
    for path in folder.glob("part-*"):
        descriptor = os.open(path, os.O_RDONLY)
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(descriptor)


def read(folder: Path) -> float:
    drop(folder)
    start = time.perf_counter()
    room = bytearray(1 << 22)
    for path in sorted(folder.glob("part-*")):
        with open(path, "rb", buffering=0) as file:
            while file.readinto(room):
                pass
    return time.perf_counter() - start


def compute(d: int, m: int, n: int, jobs: int) -> float:
    rng = np.random.default_rng(1)
    part = 262_144
    X = rng.standard_normal((part, d), dtype=np.float32)
    Q = rng.standard_normal((m, d))
    y = (X[:, 0] > 0.4).astype(int) + 2 * (X[:, 1] > 1)
    engine = CompiledEngine(
        fit_lift(X[:10], "euclidean"), X, y, None, 4, n_jobs=jobs, precision="single"
    )
    kernel = PowerKernel(8.0)
    engine.class_sums(kernel, Q[:8])
    start = time.perf_counter()
    for _ in range(4):
        engine.class_sums(kernel, Q)
    return (time.perf_counter() - start) * n / (4 * part)


def predict(folder: Path, d: int, m: int, jobs: int) -> None:
    """What a user runs, in a process of its own, so that its memory is its own."""
    Q = np.random.default_rng(1).standard_normal((m, d))
    model = dl.StoreClassifier(folder, 8.0, n_jobs=jobs)
    start = time.perf_counter()
    engine = CompiledEngine(
        fit_lift(Q, "euclidean"), Q, np.zeros(m, dtype=int), None, 1, precision="single"
    )
    engine.class_sums(PowerKernel(8.0), Q[:8])
    loaded = time.perf_counter() - start
    drop(folder)
    start = time.perf_counter()
    model.predict(Q)
    taken = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"{loaded} {taken} {peak}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--examples", type=int, default=10_000_000)
    parser.add_argument("--columns", type=int, default=32)
    parser.add_argument("--queries", type=int, default=1000)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument(
        "--folder", type=Path, help="where the files go; by default a temporary folder"
    )
    parser.add_argument("--predict", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    n, d, m, jobs = arguments.examples, arguments.columns, arguments.queries, arguments.jobs
    if arguments.predict:
        predict(arguments.predict, d, m, jobs)
        return
    with tempfile.TemporaryDirectory(dir=arguments.folder) as temporary:
        folder = Path(temporary, "examples")
        start = time.perf_counter()
        make(folder, n, d)
        print(
            f"{n} x {d} written in {time.perf_counter() - start:.0f} s, {m} queries, {jobs} threads"
        )
        command = [
            sys.executable, __file__, "--predict", str(folder), "--columns", str(d),
            "--queries", str(m), "--jobs", str(jobs),
        ]  # fmt: skip
        ratios = []
        for _ in range(3):
            own, disk = compute(d, m, n, jobs), read(folder)
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            loaded, taken, peak = map(float, done.stdout.split())
            ratios.append(taken / (own + disk))
            print(
                f"load {loaded:.2f}; compute {own:.2f}, read {disk:.2f}, predict {taken:.2f} s, "
                f"{ratios[-1]:.2f} of compute and read; peak memory {peak:.2f} GB",
                flush=True,
            )
        print(f"median {sorted(ratios)[1]:.2f} (goal: 1.3), peak memory {peak:.2f} GB (goal: 1)")


if __name__ == "__main__":
    main()
