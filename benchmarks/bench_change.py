"""Examples that come and go: exactness over random histories, and what a change costs.

    python benchmarks/bench_change.py [--histories 10000] [--examples 1000000] [--columns 30]

Prints how many histories of add, forget and relabel ended in a state that differs in a bit from a
fit of what remains, and the median time of a change of one example with its certificate.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from pathlib import Path

import numpy as np

import deeplimit as dl

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
from estimators.histories import History

ESTIMATORS = (
    dl.HilbertClassifier(1.0),
    dl.HilbertClassifier(2.5, class_weight="balanced"),
    dl.DeepLimitClassifier(exponent=3.0),
    dl.DeepLimitClassifier("3d_opt"),
    dl.DeepLimitClassifier("3d_opt", projection="stereographic", class_weight="balanced"),
    dl.OneNearestNeighborClassifier(),
    dl.MajorityVoteClassifier(class_weight="balanced"),
)


def histories(count: int) -> None:
    different, steps = [], 0
    started = time.perf_counter()
    for seed in range(count):
        rng = np.random.default_rng(seed)
        history = History(ESTIMATORS[seed % len(ESTIMATORS)], rng)
        length = int(rng.integers(1, 30))
        for _ in range(length):
            history.step()
        steps += length
        if history.differences():
            different.append((seed, history.differences()))
    print(
        f"{count} histories, {steps} steps, {time.perf_counter() - started:.0f} s: "
        f"{len(different)} differ from a fit of what remains"
    )
    for seed, names in different[:10]:
        print(f"  seed {seed}: {', '.join(names)}")


def milliseconds(change, times: int) -> str:
    taken = []
    for i in range(times):
        start = time.perf_counter()
        change(i)
        taken.append(1e3 * (time.perf_counter() - start))
    return f"median {statistics.median(taken):8.3f} ms, most {max(taken):8.3f} ms"


def cost(n: int, d: int, times: int) -> None:
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(n, d)), rng.integers(0, 10, n)
    start = time.perf_counter()
    clf = dl.HilbertClassifier(float(d)).fit(X, y)
    print(f"{n:,} x {d}: fit {time.perf_counter() - start:.2f} s")
    start = time.perf_counter()
    clf.certificate()
    print(f"first certificate {time.perf_counter() - start:.2f} s")
    gone = rng.permutation(n)[: 2 * times]
    print("forget 1                ", milliseconds(lambda i: clf.forget([gone[i]]), times))
    certified = gone[times:]
    print(
        "forget 1 and certificate",
        milliseconds(lambda i: clf.forget([certified[i]]).certificate(), times),
    )
    left = np.setdiff1d(np.arange(n), gone)
    print(
        "relabel 1 and certificate",
        milliseconds(lambda i: clf.relabel([left[i]], [i % 10]).certificate(), times),
    )
    print(
        "partial_fit 1 and certificate",
        milliseconds(lambda i: clf.partial_fit(X[:1], y[:1]).certificate(), times),
    )
    ids = clf.ids_
    rows = np.concatenate([X, np.repeat(X[:1], times, axis=0)])[ids]
    labels = clf._examples.classes[clf._index]
    again = dl.HilbertClassifier(float(d)).fit(rows, labels).certificate()
    print("fingerprint equal to that of a fit of what remains:", again == clf.certificate())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--histories", type=int, default=10_000)
    parser.add_argument("--examples", type=int, default=1_000_000)
    parser.add_argument("--columns", type=int, default=30)
    parser.add_argument("--times", type=int, default=200)
    options = parser.parse_args()
    cost(options.examples, options.columns, options.times)
    histories(options.histories)
