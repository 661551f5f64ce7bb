"""Kill -9 and speed of the store of examples.

    python benchmarks/bench_store.py [--kills N] [--rows N] [--folder FOLDER]

The tally of N killed writers; then, for N examples × 32 in float32, each beside what the disk does
with the same bytes in the same run: appending, opening, forgetting one, compacting, reading.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from deeplimit.store import ExampleStore

KILLS = Path(__file__).resolve().parents[1] / "tests" / "store" / "kills.py"
D = 32
MB = 1e6


def seconds(function: Callable[[], object]) -> float:
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def kill_writers(kills: int) -> None:
    start = time.perf_counter()
    answer = subprocess.run(
        [sys.executable, KILLS, str(kills)], stdout=subprocess.PIPE, text=True, check=True
    )
    for name, count in json.loads(answer.stdout).items():
        print(f"{name:36s}{count:10d}")
    print(f"{'seconds':36s}{time.perf_counter() - start:10.1f}", flush=True)


def write_plainly(path: Path, data: np.ndarray) -> None:
    with path.open("wb") as file:
        file.write(data.data)
        file.flush()
        os.fsync(file.fileno())


def evict(folder: Path) -> None:
    """Have the next reading come from the disk."""
    os.sync()
    for path in folder.iterdir():
        with path.open("rb") as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def read_plainly(folder: Path) -> None:
    for path in folder.glob("part-*"):
        with path.open("rb", buffering=0) as file:
            while file.read(1 << 23):
                pass


def read_all(folder: Path, compute: Callable[[np.ndarray], object]) -> None:
    with ExampleStore.open(folder) as store:
        for chunk in store.chunks():
            compute(chunk.rows)


def speed(rows: int, temporary: Path) -> None:
    rng = np.random.default_rng(0)
    X = rng.standard_normal((rows, D), dtype=np.float32)
    y = rng.integers(0, 10, rows)
    labels = np.array([f"class {k}" for k in range(10)])[y]
    plain = seconds(lambda: write_plainly(temporary / "plain", X))
    folder = temporary / "store"
    store = ExampleStore.create(folder, D)
    took = seconds(lambda: store.append(X, y))
    size = sum(path.stat().st_size for path in folder.iterdir())
    print(f"{'plain file, write + fsync':36s}{X.nbytes / MB / plain:10.0f} MB/s")
    print(f"{'append, integer labels':36s}{size / MB / took:10.0f} MB/s")
    with ExampleStore.create(temporary / "strings", D) as other:
        took = seconds(lambda: other.append(X, labels))
    print(f"{'append, string labels':36s}{size / MB / took:10.0f} MB/s")
    one = X[:1]
    latency = statistics.median(
        seconds(lambda: write_plainly(temporary / "one", one)) for _ in y[:99]
    )
    print(f"{'plain file of one row, write + fsync':36s}{1e3 * latency:10.2f} ms")
    gone = iter(rng.permutation(rows)[:1000].tolist())
    for name, change in {
        "append 1": lambda: store.append(one, y[:1]),
        "forget 1": lambda: store.forget([next(gone)]),
        "relabel 1": lambda: store.relabel([next(gone)], y[:1]),
    }.items():
        latencies = [seconds(change) for _ in range(200)]
        print(
            f"{f'{name} of {rows:.0e}: median':36s}{1e3 * statistics.median(latencies):10.2f} ms"
            f", largest {1e3 * max(latencies):.2f}"
        )
    manifest = (folder / "manifest").stat().st_size
    print(f"{'manifest':36s}{manifest:10d} bytes")
    store.close()
    opening = statistics.median(seconds(lambda: ExampleStore.open(folder).close()) for _ in y[:20])
    print(f"{'open':36s}{1e3 * opening:10.2f} ms")
    with ExampleStore.open(folder, "a") as store:
        took = seconds(store.compact)
    print(f"{'compact':36s}{size / MB / took:10.0f} MB/s")
    Q = rng.standard_normal((D, 100), dtype=np.float32)
    for name, compute in {"sum": np.sum, "100 queries": lambda C: C @ Q}.items():
        runs = []
        for _ in range(5):
            evict(folder)
            plain = seconds(lambda: read_plainly(folder))
            warm = seconds(lambda c=compute: read_all(folder, c))
            evict(folder)
            runs.append((plain, warm, seconds(lambda c=compute: read_all(folder, c))))
        plain, warm, cold = map(statistics.median, zip(*runs, strict=True))
        print(
            f"{f'{name}: cold / (read + warm)':36s}{cold / (plain + warm):10.2f}"
            f", read {plain:.2f} s, warm {warm:.2f} s, cold {cold:.2f} s"
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--rows", type=int, default=10**6)
    parser.add_argument("--folder", help="where to put the files; by default a temporary folder")
    options = parser.parse_args()
    kill_writers(options.kills)
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        speed(options.rows, Path(folder))
    print(
        f"{'peak memory':36s}{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:10.0f} MiB"
    )
