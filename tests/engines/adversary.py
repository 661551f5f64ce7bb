"""Cases that are hard for sums in float32, and the error of an engine's answer to one of them."""

from __future__ import annotations

import dataclasses
import os

import numpy as np

from deeplimit.engines.graphics import GraphicsEngine
from deeplimit.kernels.power import PowerKernel
from deeplimit.sums import class_sums, fit_lift

# Where the engine computes: "cuda" tests the fused kernel on a card.
DEVICE = os.environ.get("DEEPLIMIT_DEVICE", "cpu")
EXPONENTS = [0.5, 1.0, 3.0, 7.5, 20.0, 64.0, 200.0, 800.0]


@dataclasses.dataclass
class TurningKernel:
    """A kernel of both signs, singular at a gap of 0: (1 + ξ/2)(0.2 + ξ)(2s)^(-3/2)."""

    exponent: float = 3.0
    positive: bool = False

    def log_at_gap(self, s):
        with np.errstate(divide="ignore"):
            size = np.abs((1.5 - s / 2) * (1.2 - s))
            return np.log(size) - 1.5 * np.log(2 * s)

    def sign_at_gap(self, s):
        return np.sign(1.2 - s)


@dataclasses.dataclass
class OddKernel:
    """A kernel of both signs, singular at both ends: ξ/(1 - ξ²)."""

    exponent: float = 2.0
    positive: bool = False

    def log_at_gap(self, s):
        with np.errstate(divide="ignore"):
            return np.log(np.abs(1 - s)) - np.log(s) - np.log(2 - s)

    def sign_at_gap(self, s):
        return np.sign(1 - s)


@dataclasses.dataclass
class CosineKernel:
    """A kernel without a singularity: exp(cos)."""

    exponent: float = 0.0
    positive: bool = True

    def log_at_gap(self, s):
        return 1.0 - np.asarray(s)

    def sign_at_gap(self, s):
        return np.ones(np.shape(s))


def case(d, n_classes=3, *, n=150, m=40, offset=0.0, kind="euclidean", weights=None, seed=0):
    """Give examples and queries with near pairs down to 1e-6, duplicates, and exact hits."""
    rng = np.random.default_rng([seed, d, n_classes])
    X, Q = rng.standard_normal((n, d)), rng.standard_normal((m, d))
    X[3], X[4] = X[2], X[2]
    Q[0] = X[2]
    for i, size in enumerate([1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1]):
        step = rng.standard_normal(d)
        Q[1 + i] = X[10 + i] + size * step / np.linalg.norm(step)
    X, Q = X + offset, Q + offset
    if kind == "none":
        X, Q = (A / np.linalg.norm(A, axis=1, keepdims=True) for A in (X, Q))
        X[20] = -Q[20]
    y = rng.integers(0, n_classes, n)
    w = None
    if weights == "some":
        w = rng.choice([0.0, 0.5, 1.0, 3.0], n)
    elif weights == "wild":
        w = 10.0 ** rng.uniform(-20, 20, n)
    return fit_lift(X, kind), X, y, w, Q


def leave_one_out(m, n):
    """Give an example for each query to leave out, and none for every third."""
    return np.where(np.arange(m) % 3 == 0, -1, np.arange(m) % n)


def reference(kernel, lift, X, y, w, Q, n_classes, exclude=None):
    """Sum by the reference engine, a query at a time where examples are excluded."""
    if exclude is None:
        return class_sums(kernel, lift, X, y, w, Q, n_classes)
    heavy = np.ones(len(X)) if w is None else w
    parts = []
    for q, left_out in zip(Q, exclude, strict=True):
        mine = heavy.copy()
        if left_out >= 0:
            mine[left_out] = 0.0
        parts.append(class_sums(kernel, lift, X, y, mine, q[None], n_classes))
    return type(parts[0]).concatenate(parts)


def error(ours, theirs):
    """Give the largest error of a sum relative to its cell's total; inf where levels differ."""
    for part in (ours.positive, ours.negative, ours.hit_positive, ours.hit_negative):
        if not (np.isfinite(part).all() and (part >= 0).all()):
            return np.inf
    for mine, exact in (
        (ours.hit_positive, theirs.hit_positive),
        (ours.hit_negative, theirs.hit_negative),
    ):
        if not np.allclose(mine, exact, rtol=1e-12, atol=0):
            return np.inf
    total = theirs.positive + theirs.negative
    here = total > 0
    if not np.array_equal(ours.positive + ours.negative > 0, here):
        return np.inf
    if not np.isfinite(ours.max_log[here]).all():
        return np.inf
    scale = np.exp((ours.max_log - np.where(here, theirs.max_log, 0.0))[here]) / total[here]
    worst = [0.0]
    for mine, exact in ((ours.positive, theirs.positive), (ours.negative, theirs.negative)):
        worst.append(np.abs(mine[here] * scale - exact[here] / total[here]).max(initial=0.0))
    return float(max(worst))


def cases():
    """Give hard cases: a name, the kernel, the data, their number of classes, what is left out."""
    for d in (1, 3, 32, 128):
        for exponent in EXPONENTS:
            offset = 1e4 if exponent in (0.5, 3.0, 20.0, 800.0) else 0.0
            name = f"power {exponent}, d={d}, offset {offset:g}"
            yield name, PowerKernel(exponent), case(d, offset=offset), 3, None
    for d in (3, 32):
        left_out = leave_one_out(40, 150)
        yield f"left out, d={d}", PowerKernel(3.0), case(d, weights="some"), 3, left_out
        data = case(d, 1, weights="wild")
        yield f"1 class, d={d}", PowerKernel(2.0), data, 1, None
        for kind in ("none", "hemisphere"):
            for kernel in (TurningKernel(), OddKernel(), CosineKernel()):
                name = f"{type(kernel).__name__} on {kind}, d={d}"
                yield name, kernel, case(d, kind=kind, weights="wild"), 3, left_out
    # So many columns come in blocks.
    for d in (70, 150):
        data = case(d, weights="some")
        yield f"left out, d={d}", PowerKernel(3.0), data, 3, leave_one_out(40, 150)
        yield f"power 1.5, d={d}", PowerKernel(1.5), case(d, offset=10.0), 3, None
    yield "100 classes", PowerKernel(2.0), case(3, 100), 100, None
    rng = np.random.default_rng(5)
    X, Q = rng.standard_normal((150, 5)), rng.standard_normal((20, 5))
    y = rng.integers(0, 3, 150)
    outlier, strays = X.copy(), Q.copy()
    outlier[7] = 1e30
    strays[3:6] = np.array([1e8, 1e200, 1e300])[:, None]
    clusters = 1e6 * rng.integers(0, 2, (150, 1))
    columns = np.ones((1, 12))
    for name, examples, queries in (
        ("an outlier", outlier, Q),
        ("strays", X, strays),
        ("subnormal", X * 1e-310, Q * 1e-310),
        ("huge", X * 1e300, Q * 1e300),
        ("equal examples", np.ones((150, 5)), np.ones((20, 5))),
        ("a step from equal examples", np.ones((150, 5)), 1 + 1e-9 * Q),
        ("clusters", X + clusters, Q + clusters[:20]),
        ("equal columns", X @ np.eye(5, 1) @ columns, Q @ np.eye(5, 1) @ columns),
        ("bits", rng.integers(0, 2, (150, 40)), rng.integers(0, 2, (20, 40))),
    ):
        rows = np.asarray(examples, dtype=np.float64)
        yield name, PowerKernel(3.0), (fit_lift(rows, "euclidean"), rows, y, None, queries), 3, None


def errors():
    """Give for each case the error of the graphics engine, and whether its decisions are right."""
    found = {}
    for name, kernel, (lift, X, y, w, Q), n_classes, exclude in cases():
        engine = GraphicsEngine(lift, X, y, w, n_classes, device=DEVICE)
        exact = reference(kernel, lift, X, y, w, Q, n_classes, exclude)
        ours = engine.class_sums(kernel, Q, exclude)
        agree = bool(np.all(ours.decide().winner == exact.decide().winner))
        found[name] = error(ours, exact), agree
    return found
