"""What the orbits show: the regime of a network, read off its kernel alone."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from deeplimit.evidence.course import NEAR_ONE, Course, Fate

Regime = Literal[
    "nearest-neighbour",
    "majority-vote",
    "singular-kernel",
    "conditionally-positive-definite",
    "identity",
    "undecided",
]

#: Two inner limits that differ by less than this, relative to their room, are one.
_SAME = 1e-3


@dataclass(frozen=True)
class Verdict:
    """A regime and what was measured.

    Attributes
    ----------
    regime : str
        One of `Regime`.
    observation : str
        What the orbits do, in a sentence.
    slope_at_one : float
        Growth of an infinitesimal gap in a layer; infinite if it grows without bound.
    rate : float or None
        Factor by which the distance from the limit shrinks in a layer; 0 if super-exponentially,
        1 if only polynomially or not at all, None if it was not seen.
    degree, exponent, fixed_point, power : float or None
        Degree of a super-exponential decay; exponent of the singularity; inner limit; power of
        the depth with which gaps shrink.
    """

    regime: Regime
    observation: str
    slope_at_one: float
    rate: float | None = None
    degree: int | None = None
    exponent: float | None = None
    fixed_point: float | None = None
    power: float | None = None


def judge(course: Course, tolerance: float) -> Verdict:
    """Infer the regime from orbits, without any constant of the activation.

    Parameters
    ----------
    course : Course
        Orbits, at least one layer deep.
    tolerance : float
        Relative error of the map, for telling a slope at one from 1.

    Returns
    -------
    Verdict
        "undecided" where the orbits so far do not show one fate.
    """
    slope = slope_at_one(course)
    if np.all(course.fate == Fate.STILL):
        return Verdict("identity", "no correlation changes in a layer", slope, rate=1.0)
    if course.origin_stays:
        return _decay(course, slope)
    if np.all(course.first == 0.0):
        told = "after one layer all inputs are equal"
        return Verdict("majority-vote", told, slope, rate=0.0)
    return _merge(course, slope, tolerance)


def slope_at_one(course: Course) -> float:
    """Measure the growth of an infinitesimal gap in the first layer.

    The growths from three gaps in geometric progression are extrapolated to gap 0: they grow
    without bound as the gap shrinks if their differences do not.

    Parameters
    ----------
    course : Course
        Orbits, at least one layer deep.

    Returns
    -------
    float
        The slope at one; infinite if the growth has no bound.
    """
    at = [course.index(gap) for gap in NEAR_ONE]
    nearest, middle, farthest = (course.first[at] / course.start[at]).tolist()
    near, far = nearest - middle, middle - farthest
    if abs(near) <= 1e-13 * abs(nearest):
        return float(nearest)
    if near > 0.0 and not near < 0.9 * far:
        return math.inf
    quotient = near / far
    return float(nearest + near * quotient / (1.0 - quotient))


def _decay(course: Course, slope: float) -> Verdict:
    """Judge orbits when orthogonal inputs stay orthogonal: they fall to 0, but how fast."""
    generic = course.generic
    moving = generic & (course.fate == Fate.MOVING)
    last = course.records[-1].log_xi
    # On the way, a high correlation may still be leaving 1.
    fell = (last < course.records[0].log_xi) | ~generic
    settled = np.isin(course.fate, (Fate.ZERO, Fate.PLUNGE)) | ~generic
    told = "orthogonal inputs stay orthogonal"
    if not (slope > 1.0 and np.all(settled | (moving & fell))):
        return Verdict("undecided", f"{told}, the fate of others is not clear", slope)
    found = _law_at_zero(course)
    if found is None:
        return Verdict("undecided", f"{told}, how correlations decay is not clear", slope)
    degree, log_rate = found
    if degree > 1:
        told = f"{told}, a correlation is raised to the power {degree} in a layer"
        return Verdict("nearest-neighbour", told, slope, rate=0.0, degree=degree)
    rate = math.exp(log_rate)
    growth = f"by {slope:.6g}" if math.isfinite(slope) else "the more, the smaller it is"
    told = f"{told}, a correlation shrinks by {rate:.6g} and a small gap grows {growth}"
    exponent = 0.0
    if math.isfinite(slope):
        # The orbit itself passes whole periods, so that no log-periodic factor enters.
        layers, gap = course.growth
        if layers == 0:
            return Verdict("undecided", f"{told}, too fast to measure the exponent", slope)
        exponent = -2.0 * layers * log_rate / math.log(gap / NEAR_ONE[0])
    return Verdict("singular-kernel", told, slope, rate=rate, exponent=exponent)


def _law_at_zero(course: Course) -> tuple[int, float] | None:
    """Degree of the map's leading term at 0 and, for degree 1, the logarithm of its slope."""
    pairs = course.samples.reshape(-1, 2)
    pairs = pairs[np.isfinite(pairs).all(axis=1)]
    pairs = pairs[np.argsort(pairs[:, 0])]
    apart = np.flatnonzero(pairs[:, 0] - pairs[0, 0] > 0.5) if len(pairs) else np.zeros(0, int)
    if not apart.size:
        return None
    first, second = pairs[0], pairs[apart[0]]
    power = 1.0 + float((second[1] - first[1]) / (second[0] - first[0]))
    degree = round(power)
    if degree < 1 or abs(power - degree) > 0.05:
        return None
    return degree, float(first[1])


def _merge(course: Course, slope: float, tolerance: float) -> Verdict:
    """Judge orbits when orthogonal inputs do not stay so: all meet, at 1 or inside."""
    generic = course.generic
    start, last = course.records[0], course.records[-1]
    fate = course.fate
    told = "orthogonal inputs do not stay orthogonal"
    if np.all(np.isin(fate[generic], (Fate.INNER, Fate.STILL))):
        xi, gap = course.limit_xi[generic], course.limit_gap[generic]
        spread = max(np.ptp(xi) / np.min(np.abs(xi)), np.ptp(gap) / np.min(gap))
        if spread > _SAME or slope < 1.0 - tolerance:
            return Verdict("undecided", f"{told}, but do not meet in one point", slope)
        ratios = course.log_ratio[generic & (fate == Fate.INNER)]
        rate = float(np.exp(np.median(ratios[np.isfinite(ratios)]))) if ratios.size else None
        point = float(np.median(xi))
        told = f"all correlations of different inputs go to {point:.6g}"
        return Verdict("majority-vote", told, slope, rate=rate, fixed_point=point)
    nearer = last.log_gap < start.log_gap
    up = np.all(nearer[generic] | (fate[generic] == Fate.ONE))
    if slope < 1.0 - tolerance and up:
        told = f"all gaps vanish, shrinking by {slope:.6g} in a layer"
        return Verdict("conditionally-positive-definite", told, slope, rate=slope)
    if slope <= 1.0 + tolerance and slope >= 1.0 - tolerance and up:
        power = _power(course)
        told = f"all gaps vanish, but only like depth to the power -{power:.3g}"
        return Verdict("majority-vote", told, slope, rate=1.0, power=power)
    if slope > 1.0 + tolerance and nearer[course.index(1.0)]:
        told = "orthogonal inputs approach one another, almost equal ones part: all meet between"
        return Verdict("majority-vote", told, slope)
    return Verdict("undecided", f"{told}, where they meet is not clear", slope)


def _power(course: Course) -> float:
    """Power of the depth by which a gap shrinks, over the last recorded stretch."""
    at = course.index(1.0)
    late, early = course.records[-1], course.records[0]
    for record in reversed(course.records):
        if record.depth * 2 <= late.depth:
            early = record
            break
    if early.depth == 0:
        return math.nan
    fall = float(early.log_gap[at] - late.log_gap[at])
    return fall / math.log(late.depth / early.depth)
