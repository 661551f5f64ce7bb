"""Check that networks of finite width approach the kernel."""

from __future__ import annotations

import importlib.util
from typing import Any

import numpy as np

from deeplimit.kernels import NetworkKernel
from deeplimit.reproduce.machines import gaps_between
from deeplimit.reproduce.results import Chart, Curve, Result, Table
from deeplimit.reproduce.settings import Settings

#: Activation and number of hidden layers.
NETWORKS = (("relu", 2), ("erf", 2))


def check_finite_width(settings: Settings) -> Result:
    """Train networks of growing width and compare them with the kernel predictor."""
    if importlib.util.find_spec("torch") is None:
        return Result(
            passed=None, figure='not run: needs deeplimit[torch] (pip install "deeplimit[torch]")'
        )
    from deeplimit.networks import width_sweep

    rng = np.random.default_rng(7)
    points = rng.normal(size=(30, 8))
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    X, Q = points[:10], points[10:]
    labels = np.where(np.arange(len(X)) % 2 == 0, 1.0, -1.0)
    widths, seeds = (
        settings.pick([32, 128, 512], [32, 64, 128, 256, 512, 1024]),
        settings.pick(4, 8),
    )
    rows: list[tuple[Any, ...]] = []
    curves: list[Curve] = []
    told: list[str] = []
    passed, data = True, []
    for name, depth in settings.pick(NETWORKS[-1:], NETWORKS):
        settings.tell(f"{name}: networks of width {widths[0]} to {widths[-1]}")
        kernel = NetworkKernel(name, depth)
        sweep = width_sweep(
            name,
            depth,
            widths,
            X,
            labels,
            Q,
            seeds,
            kernel=(kernel.at_gap(gaps_between(X, X)), kernel.at_gap(gaps_between(Q, X))),
        )
        rows += [
            (
                name,
                depth,
                int(r["width"]),
                f"{r['deviation']:.4f} ± {r['deviation_error']:.4f}",
                f"{r['ntk_deviation']:.4f} ± {r['ntk_deviation_error']:.4f}",
                f"{r['agreement']:.1%}",
            )
            for r in sweep.records()
        ]
        x = [float(w) for w in sweep.widths]
        curves.append(
            Curve(f"{name}, network", x, sweep.deviation.tolist(), sweep.deviation_error.tolist())
        )
        curves.append(Curve(f"{name}, NTK", x, sweep.ntk_deviation.tolist()))
        told.append(
            f"{name}: width^({sweep.slope:.2f} ± {sweep.slope_error:.2f}), its tangent kernel "
            f"width^({sweep.ntk_slope:.2f} ± {sweep.ntk_slope_error:.2f})"
        )
        near = all(-0.8 < slope < -0.3 for slope in (sweep.slope, sweep.ntk_slope))
        passed &= near and sweep.converged
        data.append(
            {
                "activation": name,
                "depth": depth,
                "slope": sweep.slope,
                "slope_error": sweep.slope_error,
                "ntk_slope": sweep.ntk_slope,
                "ntk_slope_error": sweep.ntk_slope_error,
                "converged": sweep.converged,
                "widths": sweep.records(),
            }
        )
    return Result(
        passed=bool(passed),
        figure="the distance of trained networks from the kernel predictor falls like "
        + "; ".join(told),
        tables=[
            Table(
                "Networks trained by gradient descent against the kernel predictor",
                ("activation", "layers", "width", "network", "NTK, relative", "decisions equal"),
                rows,
            )
        ],
        charts=[Chart("Distance from the kernel", "width", "mean distance", curves, log_y=True)],
        notes=[
            f"{len(X)} random examples and {len(Q)} queries on the sphere in R⁸, {seeds} seeds for "
            "each width. The power expected is −1/2.",
        ],
        data={"networks": data},
    )
