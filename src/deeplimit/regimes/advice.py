"""What a user of an activation should know: the warnings of a classification."""

from __future__ import annotations

import math

import numpy as np

from deeplimit.duals.base import Dual
from deeplimit.regimes.constants import Constants
from deeplimit.regimes.decision import Decision
from deeplimit.regimes.fixed import weight_of_antipodes

#: An oscillation of the kernel by more than this part is worth a word.
NOTICEABLE = 0.01
#: A factor a layer above this makes the limit slow.
_SLOW = 0.99


def warnings(
    decision: Decision,
    c: Constants,
    dual: Dual,
    *,
    rate: float | None,
    amplitude: float | None,
) -> tuple[str, ...]:
    """Write the warnings.

    Parameters
    ----------
    decision : Decision
        The regime.
    c : Constants
        Of the activation.
    dual : Dual
        Of the activation.
    rate : float or None
        Factor by which distances from the limit shrink in a layer.
    amplitude : float or None
        Of the log-periodic factor.

    Returns
    -------
    tuple of str
        Sentences.
    """
    found: list[str] = []
    if decision.regime == "singular-kernel":
        found += _singular(c, amplitude)
    if decision.regime == "nearest-neighbour":
        found += _nearest(c, dual)
    if decision.regime in ("singular-kernel", "nearest-neighbour"):
        if dual.parity == "odd":
            found.append(
                "The activation is odd, and so is the kernel: antipodes vote against their label, "
                "which is inconsistent where data have antipodes; use an activation that is not "
                "odd, or lift data of R^d onto the open hemisphere."
            )
        found.append("Orthogonal points have weight 0.")
        found.append(_bias(c))
    if decision.regime == "majority-vote" and not c.constant:
        if c.side == 0:
            power = _tangency(dual)
            found.append(
                "The limit is approached only polynomially: n points of smallest gap s need a "
                f"depth of about n*s^-{power:.3g}."
            )
        elif rate is not None and rate > _SLOW:
            found.append(
                "The limit is approached slowly: distances from it shrink by a part of "
                f"{1.0 - rate:.2g} a layer."
            )
    if decision.regime == "conditionally-positive-definite":
        found.append("With a fixed ridge the limit is the majority vote.")
    if decision.regime == "identity":
        found.append("Depth changes nothing: the kernel stays linear.")
    return tuple(found)


def _singular(c: Constants, amplitude: float | None) -> list[str]:
    if math.isinf(c.B1):
        return ["Exponent 0 is local in no dimension: the limit is inconsistent in general."]
    found = []
    off = abs(c.exponent - round(c.exponent))
    if off > max(1e-9, c.exponent_error) or round(c.exponent) < 1:
        found.append(
            f"The exponent {c.exponent:.6g} is no whole number: the limit is consistent only on "
            "sets of just that dimension; design(dimension=d) gives an activation for yours."
        )
    if amplitude is not None and amplitude > NOTICEABLE:
        found.append(
            "The kernel over the power of the distance is not constant next to 0 but oscillates "
            f"log-periodically, by a factor between {math.exp(-amplitude):.3g} and "
            f"{math.exp(amplitude):.3g}."
        )
    return found


def _nearest(c: Constants, dual: Dual) -> list[str]:
    found = []
    if c.degree is None:
        return ["The degree of the decay is not certain: a low Hermite coefficient may be zero."]
    if dual.parity == "even":
        found.append("The kernel is even: it finds the nearest up to sign, the largest |x·z|.")
    elif c.degree % 2:
        found.append("A negative correlation votes against its label.")
    if dual.parity is None:
        equal = weight_of_antipodes(dual)
        found.append(
            "A negative correlation counts less than the positive one of its size: an antipode "
            f"as much as a correlation of {equal:.6g}."
        )
    return found


def _bias(c: Constants) -> str:
    if math.isinf(c.B1):
        return "A bias of any variance turns this into the majority vote."
    excess = math.expm1(c.log_growth)
    return (
        f"A bias destroys this: of variance below B' - 1 = {excess:.6g} it leads to the majority "
        "vote, above to the conditionally positive definite regime."
    )


def _tangency(dual: Dual) -> float:
    """Power of the gap in the relative distance of a critical map from the identity."""
    s = np.array([1e-3, 1e-5])
    part = 1.0 - dual.gap(s) / s
    return round(float(np.log(part[0] / part[1]) / np.log(s[0] / s[1])), 2)
