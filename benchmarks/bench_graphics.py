"""Pairs a second of the graphics engine on a GPU, beside torch and the limits of the machine.

    python benchmarks/bench_graphics.py [--quick]

Each row is one shape, all its figures taken in one run, best of several: the fused kernel, whole
operations of torch in float32, and a product of matrices in bfloat16 of the same shape, of which a
third is the limit of three products a pair. The kernel is timed alone, with its near pairs but
without their refinement, and then the engine with all of it.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np
import torch

from deeplimit.engines.character import Character
from deeplimit.engines.graphics import GraphicsEngine
from deeplimit.engines.precision import Demands, arithmetics
from deeplimit.engines.profiles import profile_of
from deeplimit.kernels.power import PowerKernel
from deeplimit.sums import class_sums, fit_lift

# Goals: part of the limit of the tail at 32 columns, of three bfloat16 products beyond.
GOALS = {32: 0.45, 128: 0.60, 400: 0.65}
# The tail's limit at a half-integer exponent on an H200, in pairs a second.
TAIL = 3.7e12


def best(function: Callable[[], object], repeat: int = 5) -> float:
    function()
    times = []
    for _ in range(repeat):
        torch.cuda.synchronize()
        start = time.perf_counter()
        function()
        torch.cuda.synchronize()
        times.append(time.perf_counter() - start)
    return min(times)


def eager_sums(queries: torch.Tensor, examples: torch.Tensor, block: int = 2**16) -> torch.Tensor:
    """Sum |q - x|^-3 as one would write it: products of matrices, a block of examples at a time."""
    total = torch.zeros(len(queries), device=queries.device)
    norms = (queries * queries).sum(1)
    for part in examples.split(block):
        u = norms[:, None] + (part * part).sum(1)[None] - 2.0 * (queries @ part.T)
        total += u.clamp_min(1e-12).pow(-1.5).sum(1)
    return total


def row(d: int, n: int, m: int, exponent: float) -> None:
    rng = np.random.default_rng(0)
    X, Q, y = rng.standard_normal((n, d)), rng.standard_normal((m, d)), rng.integers(0, 10, n)
    lift, kernel = fit_lift(X[:1000], "euclidean"), PowerKernel(exponent)
    engine = GraphicsEngine(lift, X, y, None, 10, device="cuda")
    there = engine._residents
    character = Character.of(profile_of(kernel, lift, degree=5, bits=4))
    demands = Demands(exponent, there.columns, there.blur, engine.tolerance)
    arithmetic, thresholds = next(arithmetics(demands))
    chunks = there.chunks(arithmetic, thresholds, character)
    visitors = there.visitors(there.images(Q), None, arithmetic)
    few = 2**22
    fused = best(lambda: engine._chunk_terms(chunks, *visitors, few))
    near = engine._chunk_terms(chunks, *visitors, few).count / (n * m)
    whole = best(lambda: engine.class_sums(kernel, Q), 3)
    x, q = (torch.tensor(a, dtype=torch.float32, device="cuda") for a in (X, Q))
    by_torch = best(lambda: eager_sums(q, x), 3)
    a, b = q.bfloat16(), x.bfloat16()
    product = 3.0 * best(lambda: [a @ part.T for part in b.split(2**18)], 3)
    exact = class_sums(kernel, lift, X, y, None, Q[:8], 10)
    ours = engine.class_sums(kernel, Q[:8])
    ratio = ours.positive / exact.positive * np.exp(ours.max_log - exact.max_log)
    pairs = n * m
    limit = min(TAIL, pairs / product)
    goal = f"{GOALS[d]:.0%}" if d in GOALS and exponent == 3.0 else "-"
    form = f"{arithmetic.dtype} {'differences' if arithmetic.differences else 'products'}"
    print(
        f"{d:5d}{exponent:7g}  {form:20s}{pairs / fused / 1e12:9.3f}{pairs / whole / 1e12:9.3f}"
        f"{pairs / by_torch / 1e12:9.3f}{pairs / product / 1e12:11.3f}"
        f"{pairs / fused / limit:9.0%}{goal:>7s}{near:10.1e}{np.abs(ratio - 1.0).max():10.1e}",
        flush=True,
    )


def main(quick: bool) -> None:
    if not torch.cuda.is_available():
        print("no GPU is at hand: the rows of the goals table that need one were not measured")
        return
    n, m = (2**18, 1024) if quick else (2**21, 4096)
    print(torch.cuda.get_device_name(), f"{m} queries x {n} examples, 10^12 pairs a second")
    print(
        f"{'d':>5s}{'α':>7s}  {'arithmetic':20s}{'kernel':>9s}{'engine':>9s}{'torch':>9s}"
        f"{'bf16 x 3':>11s}{'of limit':>9s}{'goal':>7s}{'refined':>10s}{'error':>10s}"
    )
    for d in (10, 32, 128, 400):
        row(d, n, m, 3.0)
    for exponent in (2.5, 7.5, 20.0, 64.0):
        row(32, n, m, exponent)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="an eighth of the examples")
    main(parser.parse_args().quick)
