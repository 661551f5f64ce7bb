"""The goals of the engine, each measured here and printed with what was reached.

    python benchmarks/bench_engine.py [--quick] [--only speed,accuracy,clusters,shards,graphics]

Speed is pairs a second on one core, ours and the peers' in turn, round after round, by the
process's own time; what counts is the ratio of medians. Peers that are absent are named.
Provable decisions are shown beside those by the plain bounds of Jensen and of the chord.
Flips are decisions by the estimates of `bound_proportions` that differ from those of the full sums,
of 1,000 queries that share a budget of 5 % of their pairs; beside them, not judged, those with
4.9 % for each query (the last leaf comes on top).
Goals were set on a processor that issues two 512-bit multiply-adds a cycle. With one, ten columns
take ten cycles for 16 pairs whatever is done with the distances: nearly all that a goal leaves.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from threadpoolctl import threadpool_limits

from deeplimit import LimitKernel, NetworkKernel
from deeplimit.engines import ArrayShard, CompiledEngine, bound_proportions, decide, shard_sums
from deeplimit.engines.clusters import ClusterIndex
from deeplimit.kernels.power import PowerKernel
from deeplimit.sums import class_sums, fit_lift

sys.path.insert(0, str(Path(__file__).resolve().parent))
from bench_below_linear import mixture
from peers import PEERS

SIZES = {10: 2**19, 30: 2**17, 100: 2**16, 400: 2**15}
NTK = NetworkKernel("relu", 3)
GOALS = {
    "scikit-learn ArgKmin, k=10": {10: 8.0, 30: 5.0, 100: 2.5, 400: 2.0},
    "torch eager": {10: 6.0, 30: 3.0, 100: 2.0, 400: 1.7},
    "tiled sgemm": {10: 2.5, 30: 1.0, 100: 0.8, 400: 0.9},
}


# The goal of provable decisions was set on data of which bounds by means, variances and radii alone
# visited 7 to 12 %.
PLAIN = 0.12


class Goal(NamedTuple):
    what: str
    goal: str
    found: str
    met: bool | None
    otherwise: str = "not measured"


def told(goals: list[Goal]) -> None:
    width = max(len(g.what) for g in goals)
    for g in goals:
        met = {True: "met", False: "NOT MET", None: g.otherwise}[g.met]
        print(f"{g.what:{width}s}  {g.goal:>22s}  {g.found:>28s}  {met}", flush=True)


def labelled(X: np.ndarray) -> np.ndarray:
    """Classes of unlike sizes, so that hardly a query is a tie."""
    return (X[:, 0] > 0.4).astype(np.int64)


def rates(runs: dict[str, Callable[[], object]], pairs: int, rounds: int) -> dict[str, float]:
    """Million pairs a second of each, by turns."""
    for run in runs.values():
        run()
    taken: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            start = time.process_time()
            run()
            taken[name].append(time.process_time() - start)
    return {name: pairs / statistics.median(t) / 1e6 for name, t in taken.items()}


def speed(quick: bool) -> Iterator[Goal]:
    rng = np.random.default_rng(0)
    sizes = {10: 2**14, 100: 2**12} if quick else SIZES
    m, absent = 256, set()
    table: dict[str, dict[int, float]] = {}
    for d, n in sizes.items():
        X = rng.standard_normal((n, d)).astype(np.float32)
        Q = rng.standard_normal((m, d)).astype(np.float32)
        y = labelled(X)
        runs: dict[str, Callable[[], object]] = {}
        lift = fit_lift(X, "euclidean")
        for precision in ("single", "double"):
            engine = CompiledEngine(lift, X, y, None, 2, precision=precision)
            for name, exponent in (("", 3.0), (", exponent 3.7", 3.7)):
                kernel = PowerKernel(exponent)
                runs[f"ours, {precision}{name}"] = partial(engine.class_sums, kernel, Q)
        # Kernels of networks, of rows of norm 1. That of erf has both signs: double precision.
        on_sphere = fit_lift(X, "normalize")
        for kernel, precision in ((LimitKernel("erf"), "double"), (NTK, "double"), (NTK, "single")):
            engine = CompiledEngine(on_sphere, X, y, None, 2, precision=precision)
            name = "NTK of depth 3" if kernel is NTK else "limit of erf"
            runs[f"ours, {precision}, {name}"] = partial(engine.class_sums, kernel, Q)
        expected = class_sums(PowerKernel(3.0), lift, X, y, None, Q[:8], 2).proportions()
        for peer in PEERS:
            try:
                run = peer.make(X, y, Q)
                answer = run()
            except ImportError:
                absent.add(peer.name)
                continue
            if peer.same_sums:
                sums = np.asarray(answer)[:8]
                shares = sums / sums.sum(1, keepdims=True)
                np.testing.assert_allclose(shares, expected, atol=1e-3)
            runs[peer.name] = run
        for name, rate in rates(runs, n * m, 3 if quick else 7).items():
            table.setdefault(name, {})[d] = rate
    print("million pairs a second on one core, median" + (" (quick)" if quick else ""))
    print(f"{'':28s}" + "".join(f"{f'd={d}':>9s}" for d in sizes))
    for name, row in table.items():
        print(f"{name:28s}" + "".join(f"{row[d]:9.0f}" for d in sizes))
    for name in sorted(absent):
        print(f"{name:28s} not installed: pip install 'deeplimit[bench]'")
    print()
    ours = table["ours, single"]
    for peer, goals in GOALS.items():
        for d in sizes:
            if peer in table and d in goals:
                ratio = ours[d] / table[peer][d]
                yield Goal(
                    f"against {peer}, d={d}", f">= {goals[d]:g}x", f"{ratio:.2f}x",
                    ratio >= goals[d],
                )  # fmt: skip
    general = table["ours, single, exponent 3.7"]
    for d, goal in ((10, 2.6), (100, 1.3), (400, 1.3)):
        if d in sizes:
            ratio = ours[d] / general[d]
            yield Goal(
                f"general exponent's cost, d={d}", f"<= {goal:g}x", f"{ratio:.2f}x", ratio <= goal
            )


def error(found, expected) -> float:
    """Largest error of a class's sum, relative to it."""
    top = np.where(np.isneginf(expected.max_log), 0.0, expected.max_log)
    scale = np.exp(np.where(np.isneginf(found.max_log), -np.inf, found.max_log - top))
    size = np.where(expected.positive > 0, expected.positive, 1.0)
    return float(np.max(np.abs(found.positive * scale - expected.positive) / size))


def accuracy(quick: bool) -> Iterator[Goal]:
    worst, changed, cases = 0.0, 0, 0
    harsh_worst, harsh_changed = 0.0, 0
    for d in (2, 10, 30, 100):
        for seed in range(2 if quick else 6):
            rng = np.random.default_rng([seed, d])
            X = rng.standard_normal((4000, d)) + rng.choice([0.0, 1e4])
            y = rng.integers(0, 3, 4000)
            X[5], X[6] = X[4], X[4]
            near = [X[i : i + 20] for i in range(0, 80, 20)]
            steps = (1e-4, 1e-6, 1e-5, 1e-2)
            Q = np.concatenate(
                [a + s * rng.standard_normal(a.shape) / np.sqrt(d)
                 for a, s in zip(near, steps, strict=True)]
                + [X[:6], X[rng.permutation(4000)[:40]] + rng.standard_normal((40, d))]
            )  # fmt: skip
            lift = fit_lift(X, "euclidean")
            engine = CompiledEngine(lift, X, y, None, 3, precision="single")
            for exponent in (0.5, 1.0, 3.0, 7.5, 20.0, 64.0, 200.0, 800.0):
                kernel = PowerKernel(exponent)
                expected = class_sums(kernel, lift, X, y, None, Q, 3)
                found = engine.class_sums(kernel, Q)
                wrong = error(found, expected)
                off = int((found.decide().winner != expected.decide().winner).sum())
                off += int(not np.isfinite(found.positive).all())
                cases += 1
                harsh_worst, harsh_changed = max(harsh_worst, wrong), harsh_changed + off
                if exponent <= 20:
                    worst, changed = max(worst, wrong), changed + off
    yield Goal(
        "float32 against float64, exponents to 20, nearest at 1e-4", "<= 1e-5",
        f"{worst:.1e}, {changed} changed", worst <= 1e-5 and not changed,
    )  # fmt: skip
    yield Goal(
        f"the same, {cases} hard cases, exponents .5 to 800, near 1e-6", "<= 1e-5, 0 changed",
        f"{harsh_worst:.1e}, {harsh_changed} changed", harsh_worst <= 1e-5 and not harsh_changed,
    )  # fmt: skip


def plainly(index: ClusterIndex) -> ClusterIndex:
    """Leave the bounds of Jensen and of the chord alone: by mean, variance and radii."""
    nodes = index.nodes
    none = np.full_like(nodes.spread, np.inf)
    return replace(
        index,
        nodes=nodes._replace(
            first=np.full_like(nodes.first, -np.inf), last=np.full_like(nodes.last, np.inf),
            thin=np.zeros_like(nodes.thin), spread=none,
        ),
    )  # fmt: skip


def clusters(quick: bool) -> Iterator[Goal]:
    n, m = (20_000, 100) if quick else (100_000, 300)
    for d in (3, 10):
        for apart in (3.0, 1.5, 0.75):
            data = mixture(n, d, m, apart)
            points, queries = data.X, data.Q
            lift = fit_lift(points, "euclidean")
            index = ClusterIndex.build(points, data.y, None, int(data.y.max()) + 1)
            exact = class_sums(
                PowerKernel(d), lift, points, data.y, None, queries, int(data.y.max()) + 1
            ).decide()
            found = decide(index, float(d), queries)
            changed = int((found.winner != exact.winner)[found.certain].sum())
            part = float(found.visited.mean() / n)
            plain = float(decide(plainly(index), float(d), queries).visited.mean() / n)
            # Of what is harder than what the goal was set on it says nothing, but that is shown.
            met = part <= 0.12 and not changed
            harder = not met and not changed and plain > PLAIN
            yield Goal(
                f"provable decisions, d={d}, classes apart {apart:g}", "<= 12 %, 0 changed",
                f"{100 * part:.1f} % (plain {100 * plain:.0f} %), {changed} changed, "
                f"{100 * found.certain.mean():.0f} % proved",
                None if harder else met, "harder than the goal's data",
            )  # fmt: skip
    for d in (10, 30, 54):
        for apart in (3.0, 1.5, 0.75):
            data = mixture(n, d, m if quick else 1000, apart)
            count = int(data.y.max()) + 1
            index = ClusterIndex.build(data.X, data.y, None, count)
            kernel = PowerKernel(0.3 * d)
            exact = class_sums(
                kernel, fit_lift(data.X, "euclidean"), data.X, data.y, None, data.Q, count
            ).decide()
            flips, parts = [], []
            for budget, shared in ((0.05, True), (0.049, False)):
                found = bound_proportions(
                    index, 0.3 * d, data.Q, tolerance=0.0, budget=budget, shared=shared
                )
                flips.append(float((found.estimate.argmax(1) != exact.winner).mean()))
                parts.append(float(found.visited.mean() / n))
            yield Goal(
                f"moments, exponent .3 d, d={d}, classes apart {apart:g}", "<= .5 % at <= 5 %",
                f"{100 * flips[0]:.1f} % at {100 * parts[0]:.1f} %, each {100 * flips[1]:.1f} %",
                flips[0] <= 0.005 and parts[0] <= 0.0501,
            )  # fmt: skip


def shards(quick: bool) -> Iterator[Goal]:
    try:
        import distributed
    except ImportError:
        yield Goal("shards on two workers", "same bits, <= 30 ms", "distributed is absent", None)
        return
    rng = np.random.default_rng(0)
    X = rng.standard_normal((40_000, 10))
    y = labelled(X)
    Q, ids = rng.standard_normal((100, 10)), np.arange(len(X))
    lift, kernel = fit_lift(X, "euclidean"), PowerKernel(3.0)
    parts = [ArrayShard(X[p], y[p], None, ids[p]) for p in np.array_split(np.arange(len(X)), 8)]
    tiny = [ArrayShard(X[:8], y[:8], None, ids[:8])] * 8
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0"
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        serial = shard_sums(kernel, lift, parts, Q, 2)
        spread = shard_sums(kernel, lift, parts, Q, 2, client=client)
        same = all(
            getattr(serial, name).tobytes() == getattr(spread, name).tobytes()
            for name in ("max_log", "positive", "negative", "hit_positive", "hit_negative")
        )
        over = []
        for _ in range(10):
            start = time.perf_counter()
            shard_sums(kernel, lift, tiny, Q, 2, client=client)
            middle = time.perf_counter()
            shard_sums(kernel, lift, tiny, Q, 2)
            over.append((middle - start) - (time.perf_counter() - middle))
    late = 1e3 * statistics.median(over)
    yield Goal(
        "8 shards on two workers", "same bits, <= 30 ms",
        f"{'same bits' if same else 'OTHER BITS'}, {late:.0f} ms a call", same and late <= 30,
    )  # fmt: skip


def graphics(quick: bool) -> Iterator[Goal]:
    try:
        import torch

        here = torch.cuda.is_available()
    except ImportError:
        here = False
    if here:
        script = Path(__file__).with_name("bench_graphics.py")
        subprocess.run([sys.executable, str(script)], check=True)
        return
    for d, goal in ((32, "45 % of the tail"), (128, "60 % of bf16x3"), (400, "65 % of bf16x3")):
        yield Goal(f"graphics card, d={d}", f">= {goal}", "there is no card here", None)


SECTIONS = {
    "speed": speed,
    "accuracy": accuracy,
    "clusters": clusters,
    "shards": shards,
    "graphics": graphics,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="small cases")
    parser.add_argument("--only", default=",".join(SECTIONS), help="some of the sections")
    arguments = parser.parse_args()
    chosen = arguments.only.split(",")
    if unknown := [name for name in chosen if name not in SECTIONS]:
        parser.error(f"no section {', '.join(unknown)}: there are {', '.join(SECTIONS)}")
    with threadpool_limits(1):
        for name in chosen:
            print(f"-- {name}", flush=True)
            told(list(SECTIONS[name](arguments.quick)))


if __name__ == "__main__":
    main()
