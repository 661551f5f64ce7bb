"""Check that networks of finite depth decide as the limit does."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deeplimit.kernels import LimitKernel, NetworkKernel
from deeplimit.reproduce.headline import TRAIN, bank_for, limit_kernels
from deeplimit.reproduce.machines import conjugate, gaps_between, ridgeless
from deeplimit.reproduce.problems import PROBLEMS
from deeplimit.reproduce.results import Chart, Curve, Result, Table
from deeplimit.reproduce.settings import Settings

Floats = NDArray[np.float64]

#: Network, data, depth by which all decisions are the limit's.
STATED = (
    ("2d_opt", "R²", 50),
    ("3d_opt", "R³", 50),
    ("5d_opt", "R⁵", 20),
    ("9d_opt", "R⁹", 10),
    ("erf", "R²", 200),
)
PROBES = np.array([0.05, 0.2, 0.5, 0.8])


def check_finite_depth(settings: Settings) -> Result:
    """Compare decisions by depth with the limit's, and measure how fast the kernels approach."""
    n, tests = settings.pick(200, 1000), settings.pick(200, 1000)
    rows: list[tuple[Any, ...]] = []
    curves, passed = [], True
    data: list[dict[str, Any]] = []
    for name, where, stated in STATED:
        settings.tell(f"{name} by depth")
        sample = PROBLEMS[where].draw(n, tests, 500)
        limit = _limit_decisions(name, where, sample, settings)
        gram = gaps_between(sample.train, sample.train)
        cross = gaps_between(sample.test, sample.train)
        depths = [stated // 10, stated // 5, stated // 2, stated]
        depths += settings.pick([], [2 * stated])
        shares: dict[str, list[float]] = {}
        for kind in ("nngp", "ntk"):
            for depth in depths:
                kernel = NetworkKernel(name, depth, kind=kind)
                found = ridgeless(kernel, gram, sample.train_labels, cross)
                shares.setdefault(kind, []).append(float(np.mean(found.decisions == limit)))
        at = depths.index(stated)
        passed &= shares["nngp"][at] == 1.0
        large = None
        if not settings.quick:
            large = _at_size(name, where, stated, settings)
            passed &= large == 1.0
        curves.append(Curve(name, depths, shares["nngp"]))
        factor, power = _rates(limit_kernels(settings)[name])
        expected = _expected_factor(limit_kernels(settings)[name])
        passed &= abs(factor - expected) < 0.02 * expected and abs(power + 1.0) < 0.05
        rows.append(
            (
                name,
                where,
                stated,
                *(f"{100 * shares[kind][at]:.1f} %" for kind in ("nngp", "ntk")),
                "–" if large is None else f"{100 * large:.2f} %",
                f"{factor:.5f} ({expected:.5f})",
                f"{power:.3f}",
            )
        )
        data.append(
            {
                "network": name,
                "problem": where,
                "depths": depths,
                "nngp": shares["nngp"],
                "ntk": shares["ntk"],
                "stated_depth": stated,
                "share_at_10000": large,
                "nngp_factor": factor,
                "nngp_factor_expected": expected,
                "ntk_power": power,
            }
        )
    full = all(d["nngp"][d["depths"].index(d["stated_depth"])] == 1.0 for d in data)
    figure = (
        f"at the stated depths (10 to 200) {'all' if full else 'not all'} of {tests:,} decisions "
        f"for each of {len(STATED)} networks are the limit's"
    )
    if not settings.quick:
        worst = min(float(d["share_at_10000"] or 0.0) for d in data)
        share = "all" if worst == 1.0 else f"{100 * worst:.1f} % or more"
        figure += f", {share} of them with {TRAIN:,} examples too"
    figure += "; the NNGP kernel approaches geometrically, the NTK like 1/L"
    return Result(
        passed=bool(passed),
        figure=figure,
        tables=[
            Table(
                "Decisions equal to the limit's, and rates",
                (
                    "network",
                    "data",
                    "depth",
                    "NNGP",
                    "NTK",
                    f"NNGP, n = {TRAIN:,}",
                    "error factor a layer (expected)",
                    "power of L, NTK",
                ),
                rows,
            )
        ],
        charts=[
            Chart("Decisions equal to the limit's (NNGP)", "depth", "share of decisions", curves)
        ],
        notes=[
            f"Ridgeless regression on {n:,} labels, {tests:,} queries, NNGP kernel, as in the "
            "paper's public experiment.",
            "The NTK has the same limit but comes to it like 1/L, and later the nearer the "
            "examples: at these depths its decisions still differ.",
        ],
        data={"n": n, "tests": tests, "networks": data},
    )


def _limit_decisions(name: str, where: str, sample: Any, settings: Settings) -> Floats:
    bank = bank_for(PROBLEMS[where], settings, (name,))
    scores = bank.scores(sample.train, sample.train_labels[:, None], sample.test, settings.n_jobs)
    return np.where(scores.sums[name][:, 0] < 0, -1.0, 1.0)


def _at_size(name: str, where: str, depth: int, settings: Settings) -> float:
    """Share of equal decisions with as many examples as in the headline table."""
    sample = PROBLEMS[where].draw(TRAIN, 1000, 501)
    limit = _limit_decisions(name, where, sample, settings)
    kernel = NetworkKernel(name, depth, kind="nngp")
    gram = gaps_between(sample.train, sample.train)
    cross = gaps_between(sample.test, sample.train)
    found = conjugate(kernel, gram, sample.train_labels, cross)
    return float(np.mean(found.decisions == limit))


def _error(kernel: LimitKernel, depth: int, kind: Any) -> float:
    """Largest relative distance of the scaled network kernel from the limit kernel."""
    network = NetworkKernel(kernel.activation, depth, kind=kind)
    scale = depth * math.log(_slope(kernel))
    if kind == "ntk":
        scale += math.log(depth + 1)
    logs = network.log_at_gap(PROBES) - scale - kernel.log_at_gap(PROBES)
    return float(np.abs(np.expm1(logs)).max())


def _slope(kernel: LimitKernel) -> float:
    return float(kernel.activation.dual.coefficients(2)[1])


def _rates(kernel: LimitKernel) -> tuple[float, float]:
    """Factor a layer of the NNGP's error, and power of the depth of the NTK's."""
    # Far enough down for the last term to be left, not so far that it rounds.
    depth = 1
    while _error(kernel, depth, "nngp") > 1e-5:
        depth += 1
    last = depth
    while _error(kernel, last + 1, "nngp") > 1e-8:
        last += 1
    last = max(last, depth + 1)
    fall = math.log(_error(kernel, last, "nngp") / _error(kernel, depth, "nngp"))
    near, far = (_error(kernel, d, "ntk") for d in (2000, 8000))
    return math.exp(fall / (last - depth)), math.log(far / near) / math.log(4.0)


def _expected_factor(kernel: LimitKernel) -> float:
    """Predict the factor: the slope at 0, to the power of the step to the next degree of κ."""
    a = kernel.activation.dual.coefficients(16)
    following = int(np.flatnonzero(a[2:])[0]) + 2
    return _slope(kernel) ** (following - 1)
