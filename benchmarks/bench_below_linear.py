"""Decisions and proportions below linear cost, beside the full sums, all in one run.

    python benchmarks/bench_below_linear.py [--quick] [--n N] [FILE.npz ...]

Without files the data are mixtures of Gaussians. A file holds arrays X and y; a fifth of its rows
are the queries. "visited" is the part of the pairs that were computed, a bound counting as a pair.
A budget is that of "each" query, or of "all" together, who share it; without one intervals are to
be as narrow as the number in its place.
Speeds are ratios to the full sums: by the reference in NumPy, and by the compiled engine in double
and in single precision, whose times were taken next to it, on one thread. Last comes `predict` of
a classifier, which chooses for itself: the first call measures and makes the clusters.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import deeplimit as dl
from deeplimit.engines.bounded import bound_proportions, decide
from deeplimit.engines.clusters import ClusterIndex
from deeplimit.engines.compiled import CompiledEngine
from deeplimit.kernels.power import PowerKernel
from deeplimit.sums import EuclideanLift, class_sums

HEAD = (
    f"{'data':16s}{'n':>8s}{'d':>4s}{'α':>6s}{'build s':>9s}{'visited':>9s}{'proved':>8s}"
    f"{'changed':>8s}{'µs/query':>10s}{'×NumPy':>8s}{'×double':>8s}{'×single':>8s}{'costs':>17s}"
)
HEAD_PART = (
    f"{'data':16s}{'n':>8s}{'d':>4s}{'α':>6s}{'budget':>8s}{'of':>6s}{'visited':>9s}{'flips':>8s}"
    f"{'error':>9s}{'width':>8s}{'missed':>8s}{'µs/query':>10s}"
)
HEAD_PREDICT = (
    f"{'data':16s}{'n':>8s}{'d':>4s}{'α':>6s}{'queries':>9s}{'compiled s':>12s}{'auto s':>9s}"
    f"{'ratio':>7s}{'again s':>9s}{'ratio':>7s}{'changed':>9s}  chosen"
)


class Data(NamedTuple):
    name: str
    X: np.ndarray
    y: np.ndarray
    Q: np.ndarray


def timed(function: Callable[[], Any], repeat: int = 3) -> tuple[float, Any]:
    times = []
    for _ in range(repeat):
        start = time.perf_counter()
        result = function()
        times.append(time.perf_counter() - start)
    return min(times), result


def mixture(n: int, d: int, m: int, apart: float) -> Data:
    """Draw 20 Gaussians of unit width for 4 classes, their centres N(0, apart²)."""
    rng = np.random.default_rng(d)
    centres = apart * rng.standard_normal((20, d))
    part = rng.integers(20, size=n + m)
    rows = centres[part] + rng.standard_normal((n + m, d))
    return Data(f"mixture {apart:g}", rows[:n], part[:n] % 4, rows[n:])


def stored(path: Path, m: int) -> Data:
    with np.load(path, allow_pickle=False) as arrays:
        X, y = arrays["X"].astype(np.float64), np.unique(arrays["y"], return_inverse=True)[1]
    X = np.where(np.isnan(X), np.nanmean(X, axis=0), X)
    X = (X - X.mean(axis=0)) / np.maximum(X.std(axis=0), 1e-12)
    order = np.random.default_rng(0).permutation(len(X))
    split = min(m, len(X) // 5)
    return Data(path.stem, X[order[split:]], y[order[split:]], X[order[:split]])


def sets(files: list[Path], n: int, m: int) -> Iterator[Data]:
    if files:
        yield from (stored(path, m) for path in files)
        return
    for d in (3, 10):
        for apart in (3.0, 1.5, 0.75):
            yield mixture(n, d, m, apart)
    for d in (30, 54):
        yield mixture(n, d, m, 0.75)


def run(data: Data, factors: tuple[float, ...]) -> Iterator[tuple[str, str]]:
    n, d = data.X.shape
    n_classes, m = int(data.y.max()) + 1, len(data.Q)
    lift = EuclideanLift.fit(data.X)
    built, index = timed(
        lambda: ClusterIndex.build(lift.transform(data.X), data.y, None, n_classes), 1
    )
    images = lift.transform(data.Q)
    engines = [
        CompiledEngine(lift, data.X, data.y, None, n_classes, precision=precision)
        for precision in ("double", "single")
    ]
    for factor in factors:
        alpha = max(1.0, round(factor * d))
        kernel = PowerKernel(alpha)
        decide(index, alpha, images[:1])
        plain, sums = timed(
            lambda k=kernel: class_sums(k, lift, data.X, data.y, None, data.Q, n_classes), 1
        )
        dense = []
        for engine in engines:
            engine.class_sums(kernel, data.Q[:1])
            dense.append(timed(lambda e=engine, k=kernel: e.class_sums(k, data.Q))[0])
        full, shares = sums.decide(), sums.proportions()
        spent, found = timed(lambda a=alpha: decide(index, a, images))
        changed = found.certain & ((found.winner != full.winner) | full.tied)
        # What a visited pair costs in pairs of each of the full sums: the `cost` of a plan.
        costs = "/".join(f"{spent / found.visited.mean() * n / t:.1f}" for t in (plain, *dense))
        # What the search leaves open costs a full sum each.
        spent += np.mean(~found.certain) * dense[0]
        ratios = "".join(f"{t / spent:8.2f}" for t in (plain, *dense))
        first = (
            f"{data.name:16s}{n:8d}{d:4d}{alpha:6g}{built:9.2f}"
            f"{found.visited.mean() / n:9.2%}{found.certain.mean():8.1%}{changed.sum():8d}"
            f"{spent / m * 1e6:10.0f}{ratios}{costs:>17s}"
        )
        second = []
        budgets = [
            ({"tolerance": 0.0, "budget": budget, "shared": shared}, f"{budget:8.0%}", of)
            for budget in (0.01, 0.05)
            for shared, of in ((False, "each"), (True, "all"))
        ]
        widths = [({"tolerance": width}, f"{'none':>8s}", f"{width:g}") for width in (0.1, 0.02)]
        for asked, budget, of in budgets + widths:
            spent, part = timed(lambda a=alpha, k=asked: bound_proportions(index, a, images, **k))
            flips = (part.estimate.argmax(axis=1) != full.winner) & ~full.tied
            missed = (shares < part.lower) | (shares > part.upper * (1 + 1e-15))
            second.append(
                f"{data.name:16s}{n:8d}{d:4d}{alpha:6g}{budget}{of:>6s}"
                f"{part.visited.mean() / n:9.2%}"
                f"{flips.mean():8.2%}{np.abs(part.estimate - shares).max(axis=1).mean():9.1e}"
                f"{(part.upper - part.lower).max(axis=1).mean():8.3f}{missed.sum():8d}"
                f"{spent / m * 1e6:10.0f}"
            )
        yield first, "\n".join(second)


def predicted(data: Data) -> str:
    """Time `predict` of fresh models, so that a first call has the choice and the build in it."""
    (n, d), m = data.X.shape, len(data.Q)
    first: dict[str, float] = {}
    again: dict[str, float] = {}
    classes = {}
    for _ in range(2):
        for engine in ("compiled", "auto"):
            model = dl.HilbertClassifier(float(d), engine=engine).fit(data.X, data.y)
            model.predict(data.Q[:1])
            spent, classes[engine] = timed(lambda model=model: model.predict(data.Q), 1)
            first[engine] = min(first.get(engine, np.inf), spent)
            # The second call may make the clusters, where the first was too short for them to pay.
            spent, _ = timed(lambda model=model: model.predict(data.Q), 2)
            again[engine] = min(again.get(engine, np.inf), spent)
    changed = np.sum(classes["auto"] != classes["compiled"])
    chosen = "full sums" if model._live["search"]._index is None else "clusters"
    return (
        f"{data.name:16s}{n:8d}{d:4d}{d:6d}{m:9d}{first['compiled']:12.2f}{first['auto']:9.2f}"
        f"{first['auto'] / first['compiled']:7.2f}{again['auto']:9.2f}"
        f"{again['auto'] / again['compiled']:7.2f}{changed:9d}  {chosen}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--quick", action="store_true", help="a tenth of the examples")
    parser.add_argument("--n", type=int, default=100_000, help="examples of a mixture")
    parser.add_argument("--m", type=int, default=400, help="queries")
    options = parser.parse_args()
    n = options.n // 10 if options.quick else options.n
    later = []
    print("provable decisions: the goal is ≤ 12 % visited for d ≤ 10, none changed\n" + HEAD)
    for data in sets(options.files, n, options.m):
        for first, second in run(data, (0.3, 1.0)):
            print(first, flush=True)
            later.append(second)
    print(
        "\nproportions within a budget: the goal is ≤ .5 % flips at 5 %, none missed\n" + HEAD_PART
    )
    print("\n".join(later))
    if not options.files:
        print(
            "\npredict, engine='auto' beside 'compiled': the goal is a ratio ≤ 1.15 where clusters "
            "do not pay, none changed\n" + HEAD_PREDICT
        )
        for d, apart in ((3, 3.0), (30, 0.75)):
            # So many that a first call alone has reason to think of clusters.
            print(predicted(mixture(max(n, 20_000), d, 50 * options.m, apart)), flush=True)


if __name__ == "__main__":
    main()
