"""Blueprints: what each family makes of a wanted exponent."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from deeplimit.activations.activation import Activation
from deeplimit.activations.tree import Call, Expression, Variable, hermite_sum, number
from deeplimit.designs import parameters as solve
from deeplimit.duals.algebra import CenteredDual
from deeplimit.duals.base import Array, Dual
from deeplimit.duals.closed import ExponentialDual, HyperbolicDual, PowerLawDual
from deeplimit.duals.hermite import GaussianQuadrature
from deeplimit.duals.series import SeriesDual

#: A Hermite series is cut after so many terms, or where less than this is left.
_TERMS, _CUT = 128, 1e-16
_HIGHEST_DEGREE = 500
_STRETCHES = np.geomspace(0.05, 20.0, 41)
_WEIGHTS = (1e-4, 1e280)
#: -ln of the smallest weight of degree 1 that is far from underflow.
_LEAST_WEIGHT = 660.0


@dataclass(frozen=True)
class Request:
    """What is asked of a family."""

    exponent: float
    odd: bool = False
    slope: float | None = None
    degree: int | None = None
    base: Any = None


@dataclass(frozen=True)
class Blueprint:
    """What to build.

    Attributes
    ----------
    spec : Expression or Activation
        The function.
    parameters : dict of str to float
        What was solved for or chosen.
    dual : Dual or None
        Exact dual; None if the function brings its own.
    signed : ndarray or None
        Signed normalised Hermite coefficients.
    norm2 : float or None
        Second moment of the function.
    note : str
        What else to know.
    """

    spec: Expression | Activation
    parameters: Mapping[str, float]
    dual: Dual | None = None
    signed: Array | None = None
    norm2: float | None = None
    note: str = ""


@dataclass(frozen=True)
class OutOfRangeError(ValueError):
    """A wanted exponent that the options of a family exclude; the text says what is possible."""

    text: str
    others: bool = field(default=True)

    def __str__(self) -> str:
        return self.text


def _series(squares: Mapping[int, float], parameters: Mapping[str, float]) -> Blueprint:
    """Make a finite Hermite sum of its squared coefficients."""
    a = np.zeros(max(squares) + 1)
    for degree, weight in squares.items():
        a[degree] = weight
    roots = np.sqrt(a)
    expression = hermite_sum({k: float(roots[k]) for k in squares})
    return Blueprint(expression, parameters, SeriesDual(a), roots / math.sqrt(a.sum()), a.sum())


def three_term(r: Request) -> Blueprint:
    """Weigh the degrees 1, 2, 3, or 1 and 3."""
    if r.odd:
        return _mixture(r.exponent, 3, {})
    a = 2.0 ** (-r.exponent / 2.0)
    squares = {1: a, 2: 1.0 - 2.0 * a, 3: a}
    return _series({k: w for k, w in squares.items() if w > 0.0}, {"a": a})


def two_degrees(r: Request) -> Blueprint:
    """Weigh degree 1 and the two degrees around the mean that B' asks for."""
    slopes = (r.slope,) if r.slope is not None else (2.0, 3.0)
    for slope in slopes:
        if not slope > 1.0:
            raise OutOfRangeError(f"the slope B' is above 1, got {slope:g}.", others=False)
        found = solve.neighbouring_degrees(r.exponent, slope, odd=r.odd)
        if found is None:
            continue
        first, others = found
        if max(others) > _HIGHEST_DEGREE:
            raise OutOfRangeError(
                f"two-degrees would need degree {max(others)} for exponent {r.exponent:g} with "
                f"B' = {slope:g}; take a smaller slope."
            )
        return _series({1: first, **others}, {"slope": slope, "a1": first})
    least = "B' + 2 A'² at least 3" if r.odd else "B' + A'² at least 2"
    raise OutOfRangeError(
        f"two-degrees needs {least}, which exponent {r.exponent:g} and B' = {slopes[-1]:g} do not "
        f"give; a slope of {3 if r.odd else 2} always does."
    )


def two_term(r: Request) -> Blueprint:
    """Weigh degree 1 and one other."""
    least = math.floor(2.0 / r.exponent * (1.0 + 1e-9) + 1.0) + 1
    degree = r.degree if r.degree is not None else least + (r.odd and least % 2 == 0)
    _check_degree(degree, odd=r.odd)
    if r.exponent <= 2.0 / (degree - 1):
        raise OutOfRangeError(
            f"two-term of degree {degree} reaches exponents above {2.0 / (degree - 1):g} only, got "
            f"{r.exponent:g}; degree {least} would do."
        )
    return _mixture(r.exponent, degree, {"degree": degree})


def _mixture(exponent: float, degree: int, parameters: Mapping[str, float]) -> Blueprint:
    log_weight = solve.mixture_weight(exponent, degree)
    if log_weight > _LEAST_WEIGHT:
        raise OutOfRangeError(
            f"for exponent {exponent:g} degree {degree} leaves degree 1 a weight that underflows; "
            "take a lower degree."
        )
    p, q = math.exp(-log_weight), -math.expm1(-log_weight)
    return _series({1: p, degree: q}, {"p": p, **parameters})


def _check_degree(degree: int, *, odd: bool) -> None:
    if not 2 <= degree <= _HIGHEST_DEGREE or int(degree) != degree:
        raise OutOfRangeError(
            f"the degree is a whole number from 2 to {_HIGHEST_DEGREE}, got {degree}.", others=False
        )
    if odd and degree % 2 == 0:
        raise OutOfRangeError(f"degree {degree} is not odd; take an odd one.", others=False)


def sine(r: Request) -> Blueprint:
    """Take a sine of the right frequency."""
    a = solve.sine_parameter(r.exponent)
    dual = HyperbolicDual(a, odd=True)
    expression = Call("sin", (number(math.sqrt(a)) * Variable(),))
    signed = np.sqrt(dual.coefficients(400))
    signed[3::4] *= -1.0
    return Blueprint(expression, {"a": a}, dual, signed, -0.5 * math.expm1(-2.0 * a))


def exponential(r: Request) -> Blueprint:
    """Take an exponential less its mean."""
    a = solve.exponential_parameter(r.exponent)
    dual = CenteredDual(ExponentialDual(a))
    b, mean = math.sqrt(a), math.exp(a / 2.0)
    expression = Call("exp", (number(b) * Variable(),)) - number(mean)
    signed = np.sqrt(dual.coefficients(400))
    norm2 = math.exp(a) * math.expm1(a) if a < 350.0 else math.inf
    return Blueprint(expression, {"a": a, "b": b}, dual, signed, norm2)


def power_law(r: Request) -> Blueprint:
    """Take the activation whose limit kernel is known exactly."""
    slope = 2.0 if r.slope is None else r.slope
    if not slope > 1.0:
        raise OutOfRangeError(f"the slope B' is above 1, got {slope:g}.", others=False)
    theta = r.exponent / 2.0
    p = slope**-theta
    dual = PowerLawDual(p, theta)
    a = dual.coefficients(_TERMS + 1)
    if theta == 1.0:
        a[1:] = p * (1.0 - p) ** np.arange(_TERMS)
    # What is left after each term: the later ones, and those that were never computed.
    beyond = (1.0 - p) ** _TERMS if theta == 1.0 else max(0.0, 1.0 - float(a.sum()))
    left = np.concatenate((np.cumsum(a[:0:-1])[::-1], [0.0])) + beyond
    enough = np.flatnonzero(left <= _CUT)
    last = int(enough[0]) if enough.size else _TERMS
    roots = np.sqrt(a[: last + 1])
    note = (
        f"The dual is exact; the function written out keeps {last} terms of its Hermite series and "
        f"cuts {left[last]:.2g} of its mass."
    )
    signed = np.sqrt(dual.coefficients(400))
    return Blueprint(
        hermite_sum(dict(enumerate(roots.tolist()))),
        {"p": p, "theta": theta},
        dual,
        signed,
        1.0 - float(left[last]),
        note,
    )


def centered(r: Request) -> Blueprint:
    """Subtract the mean of a common activation, after scaling its argument if need be."""
    base = Activation("gelu" if r.base is None else r.base)
    if math.isnan(r.exponent):
        return Blueprint(base.centered(), {})

    def excess(stretch: float) -> float:
        return _centred_exponent(base, stretch) - r.exponent

    values = np.array([_or_nan(excess, float(c)) for c in _STRETCHES])
    with np.errstate(invalid="ignore"):
        signs = np.flatnonzero(values[:-1] * values[1:] <= 0.0)
    if not signs.size:
        low, high = np.nanmin(values) + r.exponent, np.nanmax(values) + r.exponent
        raise OutOfRangeError(
            f"{base.name} less its mean has exponents from about {low:.4g} to {high:.4g}, whatever "
            f"its argument is multiplied by; {r.exponent:g} is not among them."
        )
    # Of several solutions the one nearest to the activation as it is.
    best = signs[np.argmin(np.abs(np.log(_STRETCHES[signs])))]
    stretch = solve.root(excess, float(_STRETCHES[best]), float(_STRETCHES[best + 1]))
    return Blueprint(base.stretched(stretch).centered(), {"stretch": stretch})


def _centred_exponent(base: Activation, stretch: float) -> float:
    m = GaussianQuadrature(base.stretched(stretch)).moments
    variance = m.norm2 - m.mean**2
    return -2.0 * math.log(m.slope**2 / variance) / math.log(m.energy / variance)


def _or_nan(function: Callable[[float], float], at: float) -> float:
    try:
        return function(at)
    except (ValueError, ZeroDivisionError, OverflowError):
        return math.nan


def residual(r: Request) -> Blueprint:
    """Put a skip around a layer without mean."""
    if r.base is None:
        least = math.floor(2.0 / r.exponent + 1.0) + 1
        degree = r.degree if r.degree is not None else least + (r.odd and least % 2 == 0)
        _check_degree(degree, odd=r.odd)
        base = Activation(f"h{degree}")
    else:
        base = Activation(r.base).centered()
    slope, growth = base.dual.a1, base.B1
    if not (slope < 1.0 < growth < math.inf):
        raise OutOfRangeError(
            f"a skip around {base.name} cannot be tuned: B' = {growth:g} is not finite and above 1."
        )

    def excess(log_weight: float) -> float:
        return solve.residual_exponent(math.exp(log_weight), slope, growth) - r.exponent

    low, high = (math.log(w) for w in _WEIGHTS)
    if excess(low) * excess(high) > 0.0:
        ends = sorted(excess(end) + r.exponent for end in (low, high))
        reach = f"{ends[0]:.6g} to {ends[1]:.6g}" if slope else f"{ends[0]:.6g} on"
        raise OutOfRangeError(
            f"a skip around {base.name} reaches exponents from about {reach}, got {r.exponent:g}; "
            "another base reaches others."
        )
    weight = math.exp(solve.root(excess, low, high))
    return Blueprint(
        base.residual(weight),
        {"tau": weight},
        note="A layer with a skip: x + sqrt(tau) times the normalised branch, over sqrt(1 + tau).",
    )


MAKERS: Mapping[str, Callable[[Request], Blueprint]] = {
    "three-term": three_term,
    "two-degrees": two_degrees,
    "two-term": two_term,
    "sine": sine,
    "exponential": exponential,
    "mobius": power_law,
    "theta": power_law,
    "centered": centered,
    "residual": residual,
}
