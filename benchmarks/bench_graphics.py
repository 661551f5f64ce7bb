"""Pairs a second of the graphics engine on a GPU, beside torch and the limits of the card.

    python benchmarks/bench_graphics.py [--quick]

Each row is one shape. The kernel is timed alone, with its near pairs but without their refinement;
then the engine with all of it, from rows in memory to sums in memory; then the same sums by whole
operations of torch in float32. The limit of many columns is three products in 16 bits, at the rate
that torch reaches here for large matrices in bfloat16; that of few columns is one reciprocal root
a pair, as the goal was set. Errors and decisions are those of some queries against float64.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from deeplimit.engines import fused
from deeplimit.engines.graphics import GraphicsEngine
from deeplimit.kernels.power import PowerKernel
from deeplimit.sums import class_sums, fit_lift

# Goals: part of the limit of the tail at 32 columns, of three products beyond.
GOALS = {32: 0.45, 128: 0.60, 400: 0.65}
# The tail's limit at a half-integer exponent on an H200, in pairs a second.
TAIL = 3.7e12
CLASSES, CHECKED = 10, 16
SIZES = 1.5 ** -np.arange(CLASSES)


class Launches:
    """Stands for the kernel, and keeps its last call to be timed."""

    def __init__(self, kernel: Any) -> None:
        self.kernel = kernel
        self.last: Callable[[], object] = lambda: None

    def __getitem__(self, grid: tuple[int, ...]) -> Callable[..., object]:
        def launch(*arguments: object, **options: object) -> object:
            self.last = lambda: self.kernel[grid](*arguments, **options)
            return self.last()

        return launch


def on_card(function: Callable[[], object], repeat: int = 10) -> float:
    """Seconds the card takes, the median; of fewer runs where one takes long."""
    start = time.perf_counter()
    for _ in range(3):
        function()
    torch.cuda.synchronize()
    if time.perf_counter() - start > 0.5:
        repeat = 3
    times = []
    for _ in range(repeat):
        start, stop = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        start.record()
        function()
        stop.record()
        torch.cuda.synchronize()
        times.append(start.elapsed_time(stop) / 1e3)
    return statistics.median(times)


def by_clock(function: Callable[[], object], repeat: int = 3) -> float:
    """Seconds of a call that ends with an answer, the median."""
    times = []
    for _ in range(repeat):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def eager_sums(queries: torch.Tensor, examples: torch.Tensor, exponent: float) -> torch.Tensor:
    """Sum |q - x|^-α as one would write it: products of matrices, a block of examples at a time."""
    total = torch.zeros(len(queries), device=queries.device)
    norms = (queries * queries).sum(1)
    for part in examples.split(2**16):
        u = norms[:, None] + (part * part).sum(1)[None] - 2.0 * (queries @ part.T)
        total += u.clamp_min(1e-12).pow(-exponent / 2.0).sum(1)
    return total


def products(size: int = 8192) -> float:
    """Multiply-adds a second of a product of matrices in bfloat16."""
    a, b = (torch.randn(size, size, device="cuda").bfloat16() for _ in range(2))
    return size**3 / on_card(lambda: a @ b)


def rows(
    d: int, n: int, m: int, exponents: tuple[float, ...], rate: float, launches: Launches
) -> None:
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n, d), dtype=np.float32).astype(np.float64)
    Q = rng.standard_normal((m, d))
    # Classes of unlike sizes, so that hardly a query is a tie, which the reference would decide.
    y = rng.choice(CLASSES, n, p=SIZES / SIZES.sum())
    lift = fit_lift(X[:1000], "euclidean")
    engine = GraphicsEngine(lift, X, y, None, CLASSES, device="cuda")
    counts: list[tuple[str, int]] = []
    real = engine._chunk_terms

    def counted(chunks: Any, *rest: Any) -> Any:
        terms = real(chunks, *rest)
        form = chunks.arithmetic
        name = "halves" if form.halves else "differences" if form.differences else "products"
        counts.append((f"{form.dtype} {name}", terms.count))
        return terms

    engine._chunk_terms = counted
    x, q = (torch.tensor(a, dtype=torch.float32, device="cuda") for a in (X, Q))
    pairs = n * m
    for exponent in exponents:
        kernel = PowerKernel(exponent)
        counts.clear()
        engine.class_sums(kernel, Q)
        form, near = counts[-1]
        alone = on_card(launches.last)
        whole = by_clock(lambda kernel=kernel: engine.class_sums(kernel, Q))
        eager = on_card(lambda exponent=exponent: eager_sums(q, x, exponent), 3)
        exact = class_sums(kernel, lift, X, y, None, Q[:CHECKED], CLASSES)
        ours = engine.class_sums(kernel, Q[:CHECKED])
        error = ours.positive / exact.positive * np.exp(ours.max_log - exact.max_log) - 1.0
        other = int((ours.decide().winner != exact.decide().winner).sum())
        limit = TAIL if d < 64 else rate / (3.0 * d)
        goal = f"{GOALS[d]:.0%}" if d in GOALS and exponent == 3.0 else "-"
        print(
            f"{d:5d}{exponent:7g}  {form:20s}{pairs / alone / 1e12:9.3f}{pairs / whole / 1e12:9.3f}"
            f"{pairs / eager / 1e12:9.3f}{limit / 1e12:9.3f}{pairs / alone / limit:10.0%}{goal:>7s}"
            f"{near / pairs:10.1e}{np.abs(error).max():10.1e}{other:9d}",
            flush=True,
        )


def main(quick: bool) -> None:
    if not torch.cuda.is_available():
        print("no GPU is at hand: the rows of the goals table that need one were not measured")
        return
    rate = products()
    largest, m = (2**18, 1024) if quick else (2**21, 4096)
    print(
        f"{torch.cuda.get_device_name()}, torch {torch.__version__}: products in bfloat16 at "
        f"{2.0 * rate / 1e12:.0f} TFLOP/s; {m} queries, 10^12 pairs a second"
    )
    print(
        f"{'d':>5s}{'α':>7s}  {'arithmetic':20s}{'kernel':>9s}{'engine':>9s}{'torch':>9s}"
        f"{'limit':>9s}{'of limit':>10s}{'goal':>7s}{'refined':>10s}{'error':>10s}{'changed':>9s}"
    )
    launches = Launches(fused.tiles.sum_chunk)
    fused.tiles.sum_chunk = launches
    for d in (10, 32, 64, 128, 400):
        n = min(largest, 2**27 // d)
        rows(d, n, m, (3.0, 2.5, 7.5, 20.0, 64.0) if d == 32 else (3.0,), rate, launches)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="an eighth of the examples")
    main(parser.parse_args().quick)
