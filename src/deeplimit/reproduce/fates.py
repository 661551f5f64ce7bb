"""Check of what becomes of the common activations: ReLU, and sigmoid with its like."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from deeplimit.activations import Activation
from deeplimit.estimators import DeepLimitClassifier
from deeplimit.kernels import NetworkKernel
from deeplimit.reproduce.machines import gaps_between, ridgeless
from deeplimit.reproduce.problems import PROBLEMS
from deeplimit.reproduce.results import Chart, Curve, Result, Table
from deeplimit.reproduce.settings import Settings

Floats = NDArray[np.float64]

RIDGE = 1e-3


def check_common(settings: Settings) -> Result:
    """Follow ReLU to the majority vote, and sigmoid and softplus to an interpolation."""
    sample = PROBLEMS["R⁹"].draw(settings.pick(60, 100), settings.pick(150, 400), 77)
    X, y, Q = sample.train, sample.train_labels, sample.test
    majority = np.full(len(Q), 1.0 if y.sum() > 0 else -1.0)
    gram, cross = gaps_between(X, X), gaps_between(Q, X)
    relu_depths = [1, 10, 100, 1000, 3000]
    relu = []
    for depth in relu_depths:
        settings.tell(f"ReLU at depth {depth:,}")
        found = ridgeless(NetworkKernel("relu", depth), gram, y, cross)
        relu.append(_share(found.decisions, majority))
    curves = [Curve("ReLU, no ridge", relu_depths, relu)]
    rows: list[tuple[Any, ...]] = [
        ("relu", "none", d, "majority", s) for d, s in zip(relu_depths, relu, strict=True)
    ]
    passed = relu[-1] == 1.0
    told = []
    depths = [1, 3, 10, 30, 100]
    few = slice(0, 40)
    for name in ("sigmoid", "softplus"):
        limit = DeepLimitClassifier(name, projection="none").fit(X[few], y[few])
        decided = limit.predict(Q)
        apart = 1.0 - _share(decided, np.full(len(Q), 1.0 if y[few].sum() > 0 else -1.0))
        phi = Activation(name)
        equal, ridge = [], []
        for depth in depths:
            near, far = _gaps_at_depth(phi, gram, depth), _gaps_at_depth(phi, cross, depth)
            scale = phi.B1**depth
            alone = _interpolate(near[few, few] / scale, scale, y[few], far[:, few] / scale)
            equal.append(_share(np.where(alone < 0, -1.0, 1.0), decided))
            matrix = 1.0 - near + RIDGE * np.eye(len(X))
            held = (1.0 - far) @ scipy.linalg.solve(matrix, y, assume_a="pos")
            ridge.append(_share(np.where(held < 0, -1.0, 1.0), majority))
        rows += [(name, "none", d, "its limit", s) for d, s in zip(depths, equal, strict=True)]
        rows += [(name, f"{RIDGE:g}", d, "majority", s) for d, s in zip(depths, ridge, strict=True)]
        curves.append(Curve(f"{name}, ridge", depths, ridge))
        passed &= equal[-1] == 1.0 and ridge[-1] == 1.0 and apart > 0.05
        told.append(f"{name}'s own limit differs from the majority on {apart:.0%}")
    figure = (
        f"ReLU at depth {relu_depths[-1]:,} decides {relu[-1]:.1%} of points by majority; "
        + "; ".join(told)
        + f"; with a ridge of {RIDGE:g} both are majority votes by depth {depths[-1]}"
    )
    return Result(
        passed=bool(passed),
        figure=figure,
        tables=[
            Table(
                "Share of decisions that agree",
                ("activation", "ridge", "depth", "compared with", "share"),
                rows,
            )
        ],
        charts=[Chart("Decisions by majority", "depth", "share of decisions by majority", curves)],
        notes=[
            f"Data in R⁹, {len(X)} examples (40 for the interpolation, whose matrix is "
            "ill-conditioned for more). ReLU goes to the majority vote like a power of the depth "
            "only: nearer examples and more of them need more layers.",
            "Without a ridge, sigmoid and softplus are no majority vote: of the three classifiers "
            "of the abstract they are none, but an interpolation.",
        ],
        data={
            "relu": {"depths": relu_depths, "share_majority": relu},
            "rows": [list(row) for row in rows],
        },
    )


def _share(one: Floats, other: Floats) -> float:
    return float(np.mean(one == other))


def _gaps_at_depth(phi: Activation, gaps: Floats, depth: int) -> Floats:
    out = gaps.ravel()
    for _ in range(depth):
        out = phi.dual.gap(out)
    return np.asarray(out).reshape(gaps.shape)


def _interpolate(eta: Floats, scale: float, y: Floats, cross: Floats) -> Floats:
    """Solve with the matrix 1 - scale·eta, also when it rounds to 1 everywhere."""
    n = len(y)
    system = np.ones((n + 1, n + 1))
    system[:n, :n], system[n, n] = -eta, -scale
    solution = scipy.linalg.solve(system, np.append(y, 0.0))
    return np.asarray(solution[n] - cross @ solution[:n])
