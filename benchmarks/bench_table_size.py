"""Time, memory and file size of the default classifier as tables grow.

    python benchmarks/bench_table_size.py [--rows 1000 100000] [--columns 20] [--speeds full]

Each case runs in a process of its own, with the threads that BLAS takes by itself: wall time of a
fit, its largest memory, and wall time of the probabilities of 1,000 rows, on a made table of which
four columns matter. The promise: 100,000 × 50 fitted in 5 minutes and 4 GB on 2 cores.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np


def made(rows: int, columns: int) -> tuple[np.ndarray, np.ndarray]:
    """Make a table of normal columns whose first four decide, with noise."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((rows, columns))
    f = np.sin(2 * X[:, 0]) + X[:, 1] * X[:, 2] + 0.5 * X[:, 3] ** 2 - 0.5
    return X, (f + 0.5 * rng.standard_normal(rows) > 0).astype(int)


def case(rows: int, columns: int, speed: str) -> dict[str, float]:
    import deeplimit as dl

    X, y = made(rows + 1000, columns)
    start = time.perf_counter()
    clf = dl.DeepLimitClassifier(speed=speed, n_jobs=-1).fit(X[:rows], y[:rows])
    fitted = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    start = time.perf_counter()
    said = clf.predict_proba(X[rows:])
    asked = time.perf_counter() - start
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.safetensors"
        dl.save(clf, path)
        size = path.stat().st_size / 2**20
    right = float((said.argmax(axis=1) == y[rows:]).mean())
    return {"fit": fitted, "memory": peak, "ask": asked, "file": size, "accuracy": right}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, nargs="+", default=[1000, 10_000, 100_000])
    parser.add_argument("--columns", type=int, default=20)
    parser.add_argument("--speeds", nargs="+", default=["instant", "full"])
    parser.add_argument("--case", nargs=3, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.case:
        rows, columns, speed = given.case
        print(json.dumps(case(int(rows), int(columns), speed)))
        return
    print(
        f"{'rows':>8s}{'columns':>8s}  {'speed':8s}{'fit s':>8s}{'GB':>7s}{'ask s':>8s}{'MB':>8s}"
    )
    for rows in given.rows:
        for speed in given.speeds:
            command = [sys.executable, __file__, "--case", str(rows), str(given.columns), speed]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            found = json.loads(done.stdout.splitlines()[-1])
            print(
                f"{rows:8d}{given.columns:8d}  {speed:8s}{found['fit']:8.1f}{found['memory']:7.2f}"
                f"{found['ask']:8.2f}{found['file']:8.1f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
