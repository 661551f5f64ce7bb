"""Cost and error of the limit kernel, an entry at a time and in a classifier.

    python benchmarks/bench_limit_kernel.py [--quick]

Every figure of a run is taken in that run, best of several: nanoseconds an entry through the table
and by iterating the dual, the error against mpmath, and prediction beside scikit-learn's
neighbours.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from sklearn.neighbors import KNeighborsClassifier, RadiusNeighborsClassifier

import deeplimit as dl

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
from kernels.oracle import exact

NAMES = ["2d_opt", "3d_opt", "5d_opt", "9d_opt", "sine_2.676", "sine_13.825845805282", "erf"]
OTHERS = ["tanh", "h2", "sigmoid", "gelu", "elu"]


def best(function: Callable[[], object], repeat: int = 3) -> float:
    times = []
    for _ in range(repeat):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return min(times)


def entries(quick: bool) -> None:
    n = 10**5 if quick else 10**6
    rng = np.random.default_rng(0)
    gaps = np.exp(rng.uniform(np.log(1e-8), np.log(1.5), n))
    few = gaps[:2000]
    probe = np.concatenate([np.logspace(-12, -1, 12), [0.3, 0.5, 0.9, 1.2, 1.5]])
    print(f"{'activation':22s}{'table s':>9s}{'ns/entry':>10s}{'iterated':>10s}{'error':>10s}")
    for name in NAMES + OTHERS:
        start = time.perf_counter()
        kernel = dl.LimitKernel(name)
        kernel = kernel.tie_break or kernel
        kernel.log_at_gap(0.5)
        built = time.perf_counter() - start
        direct = dl.LimitKernel(name, tabulate=False)
        direct = direct.tie_break or direct
        fast = best(lambda k=kernel: k.log_and_sign_at_gap(gaps)) / n * 1e9
        slow = best(lambda k=direct: k.log_and_sign_at_gap(few), 1) / few.size * 1e9
        error = ""
        if name in NAMES:
            want = np.array([exact(name).log_kappa(s)[0] for s in probe])
            error = f"{np.abs(np.expm1(kernel.log_at_gap(probe) - want)).max():.1e}"
        print(f"{name:22s}{built:9.2f}{fast:10.0f}{slow:10.0f}{error:>10s}", flush=True)


def prediction(quick: bool) -> None:
    n, d = (2000, 5) if quick else (10_000, 5)
    rng = np.random.default_rng(1)
    X, Q = rng.normal(size=(n, d)), rng.normal(size=(n, d))
    y = (X[:, 0] + rng.normal(size=n) > 0).astype(int)
    models = {
        "DeepLimitClassifier, exponent 5": dl.DeepLimitClassifier(exponent=5.0),
        "DeepLimitClassifier, 5d_opt": dl.DeepLimitClassifier("5d_opt"),
        "OneNearestNeighborClassifier": dl.OneNearestNeighborClassifier(),
        "KNeighborsClassifier(1)": KNeighborsClassifier(1),
        "KNeighborsClassifier(15)": KNeighborsClassifier(15),
        "KNeighborsClassifier(15), brute": KNeighborsClassifier(15, algorithm="brute"),
        "KNeighborsClassifier(n, distance)": KNeighborsClassifier(
            n, weights=lambda r: r**-5.0, algorithm="brute"
        ),
        "RadiusNeighborsClassifier(1)": RadiusNeighborsClassifier(1.0, outlier_label=0),
    }
    print(f"\npredict {n} x {n}, {d} columns, one thread")
    for name, model in models.items():
        model.fit(X, y)
        seconds = best(lambda m=model: m.predict(Q), 1)
        print(f"{name:36s}{seconds:8.2f} s{seconds / n / n * 1e9:10.1f} ns a pair", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a tenth of the entries and pairs")
    arguments = parser.parse_args()
    entries(arguments.quick)
    prediction(arguments.quick)
