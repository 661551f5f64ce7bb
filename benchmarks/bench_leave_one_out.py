"""Leave-one-out of a whole training set in one pass: seconds, beside the reference on a part of it.

    python benchmarks/bench_leave_one_out.py [--examples N] [--columns D] [--jobs J]

The goal: 100,000 examples of 30 columns in at most 15 s on two cores, predictions, log-loss and
accuracy. A second line does a grid of exponents, a third exponents and numbers of neighbours.
"""

from __future__ import annotations

import argparse
import time

import numpy as np

import deeplimit as dl
from deeplimit.engines import leave_one_out
from deeplimit.sums import fit_lift

GRID = [1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 16.0, 24.0, 32.0]
COUNTS = [5, 10, 20, 50, None]


def seconds(function) -> tuple[float, object]:
    start = time.perf_counter()
    answer = function()
    return time.perf_counter() - start, answer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--examples", type=int, default=100_000)
    parser.add_argument("--columns", type=int, default=30)
    parser.add_argument("--jobs", type=int, default=2)
    arguments = parser.parse_args()
    n, d, jobs = arguments.examples, arguments.columns, arguments.jobs
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n, d))
    y = (X[:, 0] + X[:, 1] * X[:, 2] + 0.5 * rng.standard_normal(n) > 0).astype(int)
    y += 2 * (X[:, 3] > 1)
    lift = fit_lift(X, "euclidean")
    small = np.arange(0, n, max(1, n // 500))[:500]
    # Compiled beforehand: that is once in the life of an installation.
    leave_one_out(lift, X[:3000], y[:3000], None, 4, GRID, COUNTS, precision="single")
    model = dl.HilbertClassifier(exponent=8.0, engine="single", n_jobs=jobs).fit(X, y)
    model.predict(X[:1])
    taken, found = seconds(model.leave_one_out)
    print(f"{n} x {d}, {jobs} threads")
    print(
        f"one smoother: predictions, probabilities, log-loss {found.log_loss:.4f}, accuracy "
        f"{found.accuracy:.4f}: {taken:.1f} s (goal: 15 s at 100,000 x 30 on two cores)"
    )
    for name, counts in (("exponents", [None]), ("exponents and neighbourhoods", COUNTS)):
        taken, grid = seconds(
            lambda counts=counts: leave_one_out(
                lift, X, y, None, 4, GRID, counts, precision="single", n_jobs=jobs
            )
        )
        settings = len(GRID) * len(counts)
        print(f"{settings} smoothers, {name}: {taken:.1f} s; best {grid.best()}")
    taken, few = seconds(
        lambda: leave_one_out(
            lift, X, y, None, 4, [8.0], left_out=small, precision="double", n_jobs=jobs
        )
    )
    print(f"500 left out in double precision: {taken:.2f} s; log-loss {few.log_loss[0, 0]:.4f}")


if __name__ == "__main__":
    main()
