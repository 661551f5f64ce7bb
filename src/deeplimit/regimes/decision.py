"""The decision: from the constants of an activation, and their errors, to its regime."""

from __future__ import annotations

import math
from dataclasses import dataclass

from deeplimit.evidence.verdict import Regime
from deeplimit.regimes.constants import Constants


@dataclass(frozen=True)
class Decision:
    """A regime with its reason.

    Attributes
    ----------
    regime : str
        One of `Regime`.
    reason : str
        A sentence with the numbers that decide.
    candidates : tuple of str
        Regimes that the error bounds leave open, if undecided.
    """

    regime: Regime
    reason: str
    candidates: tuple[Regime, ...] = ()


def decide(c: Constants) -> Decision:
    """Decide the regime.

    Parameters
    ----------
    c : Constants
        Of the activation.

    Returns
    -------
    Decision
        Undecided only where A, A' or B' is within its error of a boundary between regimes.
    """
    if c.constant:
        return Decision(
            "majority-vote",
            "The activation is constant: every entry of the kernel is 1, of which the "
            "pseudo-inverse makes the mean of all labels.",
        )
    if c.mean_vanishes:
        return _centred(c)
    if c.side == -1:
        told = f"A = {c.A:.6g} is not 0"
        if c.mean_vanishes is None:
            # A = 0 implies B' = sum k a_k >= sum a_k = 1.
            told = "A is not 0, since A = 0 would imply B' at least 1"
        return Decision(
            "conditionally-positive-definite",
            f"{told} and B' = {c.B1:.6g} is below 1: all correlations go to 1, geometrically, and "
            "the ridgeless limit interpolates by a conditionally positive definite kernel.",
        )
    if c.mean_vanishes is None:
        candidates = list(_centred(c).candidates or (_centred(c).regime,))
        candidates += ["majority-vote"]
        if c.side is None:
            candidates.append("conditionally-positive-definite")
        return Decision(
            "undecided",
            f"A = {c.A:.3g} is zero to within its error {c.errors['A']:.1g}, which does not make "
            "it zero; if it is meant to be, centered() makes it exactly zero.",
            tuple(candidates),
        )
    return _shifted(c)


def _centred(c: Constants) -> Decision:
    """Decide with A = 0: by A'."""
    if c.slope_vanishes:
        power = f"the power {c.degree}" if c.degree else "a power above 1"
        return Decision(
            "nearest-neighbour",
            f"A = 0 and A' = 0: each layer raises small correlations to {power}, so that the "
            "largest correlation alone decides.",
        )
    if c.linear:
        return Decision("identity", "The activation is plus or minus the identity: layers add up.")
    if c.slope_vanishes is None:
        return Decision(
            "undecided",
            f"A = 0, but A' = {c.A1:.3g} is zero only to within its error {c.errors['A1']:.1g}; "
            "if it is meant to be zero, give the activation by its Hermite coefficients.",
            ("nearest-neighbour", "singular-kernel"),
        )
    if c.linear is None or not c.log_growth > 0.0:
        return Decision(
            "undecided",
            f"A = 0, but |A'| = {abs(c.A1):.15g} is 1 to within its error {c.errors['A1']:.1g}, as "
            "it is for the identity alone.",
            ("identity", "singular-kernel"),
        )
    told = f"A = 0, 0 < |A'| = {_digits(abs(c.A1), 0.5 * c.log_slope)} < 1"
    if math.isinf(c.B1):
        return Decision(
            "singular-kernel",
            f"{told} and B' is infinite (the activation jumps, or nearly does): the limit is a "
            "kernel with a logarithmic singularity, exponent 0.",
        )
    return Decision(
        "singular-kernel",
        f"{told} and B' = {_digits(c.B1, c.log_growth)}: the limit is a singular kernel, exponent "
        f"-4 ln|A'|/ln B' = {c.exponent:.9g}.",
    )


def _digits(value: float, log: float) -> str:
    """Write a number so that it can be told from 1."""
    off = math.expm1(log)
    return f"{value:.6g}" if abs(off) > 1e-4 else f"1 {'+' if off > 0 else '-'} {abs(off):.3g}"


def _shifted(c: Constants) -> Decision:
    """Decide with A certainly not 0 and B' not certainly below 1."""
    told = f"A = {c.A:.6g} is not 0"
    if c.side is None:
        return Decision(
            "undecided",
            f"{told}, but B' - 1 = {c.B1 - 1.0:.2g} is zero to within its error "
            f"{max(c.errors['B1'], 1e-15):.1g}, and its sign decides.",
            ("majority-vote", "conditionally-positive-definite"),
        )
    if c.side == 0:
        return Decision(
            "majority-vote",
            f"{told} and B' = 1: all correlations go to 1, but only polynomially, and the limit is "
            "the majority vote.",
        )
    return Decision(
        "majority-vote",
        f"{told} and B' = {c.B1:.6g} exceeds 1 by {c.B1 - 1.0:.3g}: the correlations of all "
        "different points go to one value, and the limit is the majority vote.",
    )
