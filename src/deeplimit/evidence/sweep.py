"""The depth sweep: the kernel of a network layer by layer, and the regime it shows."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from deeplimit.activations.activation import Activation
from deeplimit.duals.base import Array, Dual
from deeplimit.evidence.course import NEAR_ONE, NEAR_ZERO, Course, Fate
from deeplimit.evidence.verdict import Regime, judge

__all__ = ["DepthSweep", "Predicted", "depth_sweep"]

#: Inputs from almost equal over orthogonal (1) to almost antipodal (2).
_GAPS = (*NEAR_ONE, 1e-6, 0.01, 0.1, 0.5, 0.9, NEAR_ZERO, 1.0, 1.5, 1.9)
#: Depths from which a sweep may end although not all orbits have met their fate.
_PATIENCE = 512


class Predicted(Protocol):
    """What a sweep is compared with: the part of a `Taxonomy` it can see."""

    @property
    def regime(self) -> Regime:
        """The regime."""
        ...

    @property
    def candidates(self) -> tuple[Regime, ...]:
        """Regimes left open."""
        ...

    @property
    def errors(self) -> Mapping[str, float]:
        """Absolute errors of A1, B1 and the exponent."""
        ...

    @property
    def rate(self) -> float | None:
        """Factor a layer, towards the limit."""
        ...

    @property
    def degree(self) -> int | None:
        """Degree of a super-exponential decay."""
        ...

    @property
    def exponent(self) -> float | None:
        """Exponent of a singularity."""
        ...

    @property
    def fixed_point(self) -> float | None:
        """Inner fixed point."""
        ...

    @property
    def B1(self) -> float:
        """Slope at one."""
        ...


@dataclass(frozen=True, eq=False)
class DepthSweep:
    r"""The kernel of an infinitely wide network at growing depth, and what it shows.

    The regime is read off the correlations of the layers alone, not off the constants A, A', B'
    from which a `Taxonomy` decides: the two are independent witnesses.

    Parameters
    ----------
    name : str
        Of the activation.
    depths : ndarray of int, shape (n,)
        Recorded depths, from 0.
    gaps : ndarray of shape (p,)
        Gaps :math:`1 - x \cdot z` of the inputs, ascending.
    correlations : ndarray of shape (n, p)
        :math:`f^L(\xi)` at each depth for each gap.
    log_correlations, log_gaps : ndarray of shape (n, p)
        :math:`\ln|f^L|` and :math:`\ln(1 - f^L)`, which hold where a correlation underflows or
        cannot be told from 1.
    fates : tuple of str
        For each gap: "zero", "plunge" (to zero, super-exponentially), "one", "inner" (a point
        between), "still" (unchanged) or "moving" (not yet settled).
    regime : str
        What the orbits show: a regime, or "undecided".
    observation : str
        The same in a sentence.
    rate : float or None
        Factor by which the distance from the limit shrinks in a layer, far down: 0 for a
        super-exponential decay, 1 for a polynomial one.
    slope_at_one : float
        Growth of an infinitesimal gap in a layer.
    degree : int or None
        Power to which a layer raises a small correlation, in the nearest-neighbour regime.
    exponent : float or None
        Of the singularity, in the singular regime, measured over whole periods.
    fixed_point : float or None
        Where all correlations meet, in the majority regime.
    power : float or None
        Gaps shrink like this power of the inverse depth, where they shrink polynomially.

    Examples
    --------
    >>> from deeplimit.evidence import depth_sweep
    >>> sweep = depth_sweep("3d_opt")
    >>> sweep.regime, round(sweep.rate, 9), round(sweep.exponent, 6)
    ('singular-kernel', 0.5, 2.0)
    """

    name: str
    depths: NDArray[np.int64]
    gaps: Array
    correlations: Array
    log_correlations: Array
    log_gaps: Array
    fates: tuple[str, ...]
    regime: Regime
    observation: str
    rate: float | None
    slope_at_one: float
    degree: int | None
    exponent: float | None
    fixed_point: float | None
    power: float | None

    def comparison(self, taxonomy: Predicted) -> dict[str, tuple[float, float]]:
        """Put what was measured next to what a classification predicts.

        Parameters
        ----------
        taxonomy : Taxonomy
            Or anything with its constants.

        Returns
        -------
        dict of str to (float, float)
            Measured and predicted value of each quantity that both know.

        Examples
        --------
        >>> from deeplimit.evidence import depth_sweep
        >>> from deeplimit.regimes import taxonomy
        >>> depth_sweep("h3").comparison(taxonomy("h3"))["degree"]
        (3, 3)
        """
        pairs = {
            "rate": (self.rate, taxonomy.rate),
            "slope_at_one": (self.slope_at_one, taxonomy.B1),
            "degree": (self.degree, taxonomy.degree),
            "exponent": (self.exponent, taxonomy.exponent),
            "fixed_point": (self.fixed_point, taxonomy.fixed_point),
        }
        return {
            key: (seen, told)
            for key, (seen, told) in pairs.items()
            if seen is not None and told is not None
        }

    def agrees_with(self, taxonomy: Predicted) -> bool:
        """Tell whether a classification agrees with the regime and the rates of this sweep.

        Parameters
        ----------
        taxonomy : Taxonomy
            Or anything with its constants.

        Returns
        -------
        bool
            An undecided classification agrees with each of its candidates; an undecided sweep
            agrees with nothing.

        Examples
        --------
        >>> from deeplimit.evidence import depth_sweep
        >>> from deeplimit.regimes import taxonomy
        >>> sweep = depth_sweep("erf")
        >>> sweep.agrees_with(taxonomy("erf")), sweep.agrees_with(taxonomy("tanh"))
        (True, False)
        """
        if taxonomy.regime == "undecided":
            return self.regime in taxonomy.candidates
        comparison, errors = self.comparison(taxonomy), taxonomy.errors
        inner = self.regime == "majority-vote"
        alike = self.regime == taxonomy.regime or (
            # A layer whose whole effect is below rounding cannot be told from none.
            self.regime == "identity"
            and max(abs(1.0 - told) for _, told in comparison.values()) <= 1e-15
        )
        # Next to the identity a layer changes so little that rounding blurs the ratios.
        ratios = [r for r in (self.rate, self.slope_at_one) if r is not None and r != 1.0]
        blur = 4e-16 / min((abs(1.0 - r) for r in ratios), default=1.0)
        return alike and all(
            seen == told or abs(seen - told) <= _allowance(key, told, inner, errors, blur)
            for key, (seen, told) in comparison.items()
        )

    def to_dict(self) -> dict[str, Any]:
        """Give everything as numbers, strings and lists, ready for JSON.

        Returns
        -------
        dict
            Infinite numbers are the strings "inf" and "-inf".

        Examples
        --------
        >>> from deeplimit.evidence import depth_sweep
        >>> depth_sweep("sign").to_dict()["slope_at_one"]
        'inf'
        """
        return {key: plain(value) for key, value in vars(self).items()}

    def to_text(self) -> str:
        """Write a table of correlations by depth and gap, with the verdict above it.

        Returns
        -------
        str
            Some columns only; next to 1 the gap is shown.

        Examples
        --------
        >>> from deeplimit.evidence import depth_sweep
        >>> print(depth_sweep("h2").to_text().splitlines()[0])
        h2: nearest-neighbour (orthogonal inputs stay orthogonal, a correlation is raised to ...
        """
        shown = np.flatnonzero((self.gaps >= 1e-7) & (self.gaps != NEAR_ZERO)).tolist()
        rows = [["depth", *(f"gap {g:g}" for g in self.gaps[shown])]]
        rows += [
            [str(depth), *(self._cell(i, j) for j in shown)] for i, depth in enumerate(self.depths)
        ]
        rows.append(["", *(self.fates[j] for j in shown)])
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = [
            "  ".join(cell.rjust(w) for cell, w in zip(r, widths, strict=True)).rstrip()
            for r in rows
        ]
        return "\n".join([f"{self.name}: {self.regime} ({self.observation})", *lines])

    def _cell(self, i: int, j: int) -> str:
        xi, log_xi, log_gap = (
            float(a[i, j]) for a in (self.correlations, self.log_correlations, self.log_gaps)
        )
        if log_gap == -math.inf:
            return "1"
        if log_gap < math.log(1e-4):
            return f"1-{_power_of_ten(log_gap)}"
        if log_xi == -math.inf:
            return "0"
        if log_xi < math.log(1e-4):
            return ("-" if xi < 0 else "") + _power_of_ten(log_xi)
        return f"{xi:.6f}"

    def __str__(self) -> str:
        return self.to_text()


def _allowance(
    key: str, told: float, inner: bool, errors: Mapping[str, float], blur: float
) -> float:
    """Say how far a measured value may be from the predicted one."""
    if key == "rate" and inner:
        # Measured a thousandth of the way before the fixed point.
        return 5e-3 * (1.0 - told)
    stated = errors.get({"slope_at_one": "B1", "rate": "A1"}.get(key, key), 0.0)
    relative = {"exponent": 1e-5 + blur, "fixed_point": 1e-4}.get(key, 1e-6)
    return relative * max(abs(told), 1e-3) + 4.0 * stated


def _power_of_ten(log: float) -> str:
    exponent = math.floor(log / math.log(10.0))
    if exponent < -9999:
        return f"10^{float(exponent):.3g}"
    digits = f"{10.0 ** (log / math.log(10.0) - exponent):.2f}"
    return f"1.00e{exponent + 1}" if digits == "10.00" else f"{digits}e{exponent}"


def plain(value: Any) -> Any:
    """Turn arrays, tuples and infinite numbers into what JSON can hold."""
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, dict):
        return {key: plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [plain(entry) for entry in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else ("inf" if value > 0 else "-inf")
    return value


def depth_sweep(
    activation: Any,
    gaps: Sequence[float] = (),
    *,
    max_depth: int = 100_000,
) -> DepthSweep:
    r"""Follow the kernel of an infinitely wide network through its layers.

    Correlations from almost equal to almost antipodal inputs are put through the dual map again
    and again, next to 1 as gaps and next to 0 as logarithms, until each has met its fate or what
    they do leaves no doubt. Ratios are measured next to 1 and next to 0, extrapolated from the
    layers, not taken from the constants of the activation.

    Parameters
    ----------
    activation : str, callable, Activation or Dual
        What to follow.
    gaps : sequence of float, default=()
        Further gaps :math:`1 - \xi` in [0, 2] to follow beside the standard ones.
    max_depth : int, default=100_000
        Depth at which to stop in any case.

    Returns
    -------
    DepthSweep
        Correlations by depth, the regime they show, and the rates.

    Raises
    ------
    ValueError
        If a gap is outside [0, 2] or `max_depth` is below 1.

    References
    ----------
    .. [1] B. Poole, S. Lahiri, M. Raghu, J. Sohl-Dickstein, S. Ganguli, "Exponential expressivity
       in deep neural networks through transient chaos", NeurIPS 2016 (correlation maps by depth).

    Examples
    --------
    >>> from deeplimit.evidence import depth_sweep
    >>> sweep = depth_sweep("gelu")
    >>> sweep.regime, round(sweep.fixed_point, 4)
    ('majority-vote', 0.7604)
    """
    if isinstance(activation, Dual):
        dual, name = activation, type(activation).__name__
    else:
        phi = activation if isinstance(activation, Activation) else Activation(activation)
        dual, name = phi.dual, phi.name
    starts = np.unique(np.array([*_GAPS, *gaps], dtype=np.float64))
    if not (starts[0] >= 0.0 and starts[-1] <= 2.0):
        raise ValueError("a gap is 1 less a correlation, from 0 to 2.")
    if max_depth < 1:
        raise ValueError(f"max_depth is at least 1, got {max_depth}.")
    tolerance = 1e-13 + 10.0 * dual.error
    course = Course(dual, starts)
    due = 1
    while course.depth < max_depth and not course.arrived():
        course.step()
        if course.depth == due:
            course.record()
            due = _next_depth(due)
        deep = course.depth >= _PATIENCE and course.depth.bit_count() == 1
        if deep:
            course.record()
            if judge(course, tolerance).regime != "undecided":
                break
    course.record()
    verdict = judge(course, tolerance)
    records = course.records
    return DepthSweep(
        name=name,
        depths=np.array([r.depth for r in records]),
        gaps=starts,
        correlations=np.array([r.xi for r in records]),
        log_correlations=np.array([r.log_xi for r in records]),
        log_gaps=np.array([r.log_gap for r in records]),
        fates=tuple(Fate(f).name.lower() for f in course.fate),
        **vars(verdict),
    )


def _next_depth(depth: int) -> int:
    """Give the next of 1, 2, 5, 10, 20, 50 and so on."""
    return depth * 5 // 2 if str(depth)[0] == "2" else depth * 2
