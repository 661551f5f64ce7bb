"""Everything the page shows of an activation, as numbers: the mathematics stays in Python."""

from __future__ import annotations

import base64
import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deeplimit.activations import Activation
from deeplimit.evidence.sweep import plain
from deeplimit.kernels.limit import LimitKernel
from deeplimit.kernels.network import NetworkKernel
from deeplimit.kernels.radial import GapKernel
from deeplimit.kernels.tabulated import KoenigsKernel
from deeplimit.playground.pieces import FAR, HIGH, NODES, PANELS, Pieces, fit_pieces
from deeplimit.regimes import Taxonomy, taxonomy

__all__ = ["DEPTHS", "ERROR", "make_profile", "summary"]

Floats = NDArray[np.float64]
Function = Callable[[Floats], tuple[Floats, Floats]]

#: Depths whose kernels are tabulated.
DEPTHS = (1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 16, 20, 24, 32, 48, 64, 128, 256)
#: Interpolation error of the logarithm, relative to the larger of 1 and it; of a ratio, absolute.
ERROR = 1e-7

# Powers beyond this one leave nothing but the nearest example, at whatever distance.
_LARGEST_POWER = 5000
_HERMITE, _REACH, _POINTS = 16, 4.0, 161


class _Numbers:
    """Numbers for the page, one after another, in one row of doubles."""

    def __init__(self) -> None:
        self._parts: list[Floats] = []
        self._size = 0

    def add(self, pieces: Pieces) -> dict[str, Any]:
        """Keep pieces; give where they are."""
        at = self._size
        self._parts.append(pieces.coefficients.ravel())
        self._size += pieces.coefficients.size
        return {"low": pieces.low, "edges": pieces.edges.tolist(), "at": at}

    def text(self) -> str:
        """Give all of them, little-endian, in base 64."""
        rows = np.concatenate(self._parts) if self._parts else np.zeros(0)
        return base64.b64encode(rows.astype("<f8").tobytes()).decode("ascii")


def summary(key: str, title: str, code: str, t: Taxonomy) -> dict[str, Any]:
    """Say in a few words what an activation becomes, for a list of them.

    Parameters
    ----------
    key, title, code : str
        Name in addresses, for people, and in Python.
    t : Taxonomy
        What it becomes.

    Returns
    -------
    dict
        Ready for JSON.
    """
    return {
        "key": key,
        "title": title,
        "code": code,
        "formula": t.activation.formula,
        "regime": t.regime,
        "exponent": plain(t.exponent),
        "dimension": plain(t.dimension),
        "constants": {"A": plain(t.A), "A1": plain(t.A1), "B1": plain(t.B1)},
    }


def make_profile(
    activation: Activation, *, key: str, title: str, code: str, depths: tuple[int, ...] = DEPTHS
) -> dict[str, Any]:
    """Tabulate an activation: constants, curves, and its kernels at every depth and in the limit.

    Parameters
    ----------
    activation : Activation
        The activation.
    key, title, code : str
        Name in addresses, for people, and in Python.
    depths : tuple of int, default=DEPTHS
        Depths of the kernels.

    Returns
    -------
    dict
        Ready for JSON. ``tables`` lists the kernels; each has ``near``, pieces of ln|K| over gaps
        up to 1, and ``far``, what the kernel of a gap above 1 is to that of the opposite
        correlation: a constant, or pieces of a ratio. ``error`` is the largest error found at gaps
        between the nodes.

    Raises
    ------
    ValueError
        If the activation has no dual, is a constant, or cannot be iterated.

    Examples
    --------
    >>> import deeplimit as dl
    >>> made = make_profile(dl.Activation("erf"), key="erf", title="erf", code='"erf"', depths=(1,))
    >>> made["regime"], [(t["kind"], t["depth"]) for t in made["tables"]]
    ('singular-kernel', [('nngp', 1), ('ntk', 1), ('limit', None)])
    >>> max(t["error"] for t in made["tables"]) < 1e-9
    True
    """
    t = taxonomy(activation)
    if t.B1 == 0.0:
        raise ValueError(
            f"{title} is a constant: the first layer makes all inputs the same, so that there is "
            "nothing for depth to do; let it depend on x."
        )
    numbers = _Numbers()
    tables = _finite(t, depths, numbers)
    if t.regime != "undecided":
        tables += _limit(t, numbers)
    told = summary(key, title, code, t)
    constants = {
        name: plain(getattr(t, name))
        for name in ("A", "A1", "B1", "exponent", "dimension", "degree", "fixed_point",
                     "fixed_gap", "rate", "oscillation", "errors")
    }  # fmt: skip
    return {
        **told,
        "constants": constants,
        "parity": activation.parity,
        "reason": t.reason,
        "warnings": list(t.warnings),
        "candidates": list(t.candidates),
        "hermite": _finite_list(activation.hermite(_HERMITE)),
        "portrait": _portrait(activation),
        "dual": _dual(activation),
        "grid": {"high": HIGH, "panels": PANELS, "nodes": NODES},
        "tables": tables,
        "numbers": numbers.text(),
    }


def _finite_list(values: Floats) -> list[float | None]:
    return [float(v) if math.isfinite(v) else None for v in values]


def _portrait(activation: Activation) -> dict[str, Any] | None:
    """Sample the function itself, normalised; a layer with a bias or a skip is none."""
    if not activation.pointwise:
        return None
    z = np.linspace(-_REACH, _REACH, _POINTS)
    with np.errstate(over="ignore"):
        value = activation(z) / math.sqrt(activation.norm2)
    return {"reach": _REACH, "value": _finite_list(value)}


def _dual(activation: Activation) -> dict[str, Any]:
    """Sample the dual map; the nodes are dense at the ends, where it may be steep."""
    xi = np.sin(np.linspace(-math.pi / 2, math.pi / 2, 257))
    return {"xi": xi.tolist(), "value": activation.dual.value(xi).tolist()}


def _finite(t: Taxonomy, depths: tuple[int, ...], numbers: _Numbers) -> list[dict[str, Any]]:
    tables = []
    kinds = ("nngp",) if math.isinf(t.B1) else ("nngp", "ntk")
    for depth in depths:
        if t.degree is not None and depth > 1 and t.degree**depth > _LARGEST_POWER:
            break
        for kind in kinds:
            kernel = NetworkKernel(t.activation, depth, kind=kind)  # type: ignore[arg-type]
            entry = {"kind": kind, "depth": depth, "log_diagonal": kernel.log_diagonal}
            tables.append({**entry, **_tabulated(_of(kernel), t.activation.parity, numbers)})
    return tables


def _of(kernel: GapKernel) -> Function:
    return lambda s: kernel.log_and_sign_at_gap(s, normalize=True)


def _tabulated(function: Function, parity: str | None, numbers: _Numbers) -> dict[str, Any]:
    """Tabulate a kernel: ln|K| where correlations are positive, and a ratio where they are not."""
    near, error = fit_pieces(lambda s: function(s)[0])
    if parity is not None:
        far: dict[str, Any] = {"constant": 1.0 if parity == "even" else -1.0}
        return {"near": numbers.add(near), "far": far, "error": error}

    def ratio(s: Floats) -> Floats:
        log, sign = function(2.0 - s)
        return np.asarray(sign * np.exp(log - near(s)))

    opposite, worse = fit_pieces(ratio, FAR)
    return {
        "near": numbers.add(near),
        "far": {"ratio": numbers.add(opposite)},
        "error": max(error, worse),
    }


def _limit(t: Taxonomy, numbers: _Numbers) -> list[dict[str, Any]]:
    kernel = LimitKernel(t.activation, tabulate=False)
    parity = t.activation.parity
    entry: dict[str, Any] = {"kind": "limit", "depth": None}
    if t.regime in ("singular-kernel", "identity"):
        return [{**entry, **_tabulated(kernel.log_and_sign_at_gap, parity, numbers)}]
    if t.regime == "nearest-neighbour":
        return [{**entry, **_closeness(kernel, parity, numbers)}]
    if t.regime == "conditionally-positive-definite":
        return [{**entry, **_two_sides(lambda s: kernel.log_and_sign_at_gap(s)[0], numbers)}]
    tie = kernel.tie_break
    if tie is None or t.fixed_gap is None:
        return []
    return [{**entry, "kind": "tie", **_tie(tie, t.fixed_gap, numbers)}]


def _closeness(kernel: LimitKernel, parity: str | None, numbers: _Numbers) -> dict[str, Any]:
    """Tabulate the order of the examples, and how the opposite side compares."""
    degree = kernel.taxonomy.degree or 2
    sign = 1.0 if degree % 2 == 0 else -1.0
    order = kernel.log_closeness

    def function(s: Floats) -> tuple[Floats, Floats]:
        # A ratio of closeness rather than of the kernel, whose logarithm this is the log of.
        return order(s), np.where(s > 1.0, sign, 1.0)

    return {**_tabulated(function, parity, numbers), "sign": sign}


def _two_sides(log: Callable[[Floats], Floats], numbers: _Numbers) -> dict[str, Any]:
    """Tabulate a function that is positive at every gap, each side by its logarithm."""
    near, error = fit_pieces(log)
    far, worse = fit_pieces(lambda s: log(2.0 - s), FAR)
    return {
        "near": numbers.add(near),
        "far": {"log": numbers.add(far)},
        "error": max(error, worse),
    }


def _tie(kernel: KoenigsKernel, fixed_gap: float, numbers: _Numbers) -> dict[str, Any]:
    """Tabulate what breaks the tie of a majority vote: it changes sign at the fixed point.

    Near: the logarithm of its quotient by (fixed gap - s). Far: its value over the root of 1 + k²,
    k being its value at the opposite correlation.
    """
    near, error = fit_pieces(lambda s: kernel.function.quotient(s)[0])
    entry = {"near": numbers.add(near), "root_gap": fixed_gap}
    if kernel.function.dual.parity == "even":
        return {**entry, "far": {"constant": 1.0}, "error": error}

    def ratio(s: Floats) -> Floats:
        log, sign = kernel.log_and_sign_at_gap(2.0 - s)
        opposite = 2.0 * (near(s) + np.log(np.abs(fixed_gap - s)))
        return np.asarray(sign * np.exp(log - np.logaddexp(0.0, opposite) / 2.0))

    far, worse = fit_pieces(ratio, FAR)
    return {**entry, "far": {"beside": numbers.add(far)}, "error": max(error, worse)}
