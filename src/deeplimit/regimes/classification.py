"""The taxonomy of activations by what their infinitely deep networks become."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any

from deeplimit.activations.activation import Activation
from deeplimit.evidence.sweep import DepthSweep, depth_sweep, plain
from deeplimit.evidence.verdict import Regime
from deeplimit.regimes.advice import warnings
from deeplimit.regimes.constants import Constants
from deeplimit.regimes.decision import Decision, decide
from deeplimit.regimes.fixed import inner_fixed_point, multiplier, oscillation

__all__ = ["Taxonomy", "taxonomy"]

#: Below this slope at one a log-periodic factor, of relative size about exp(-π²/ln B'), which is
#: 3e-11 here, cannot be seen.
_FLAT = 1.5


@dataclass(frozen=True, eq=False)
class Taxonomy:
    r"""What an infinitely deep network of an activation becomes, and why.

    Parameters
    ----------
    name : str
        Of the activation.
    regime : str
        "nearest-neighbour", "majority-vote", "singular-kernel",
        "conditionally-positive-definite", "identity" or "undecided".
    reason : str
        A sentence with the numbers that decide.
    A, A1, B1 : float
        :math:`E\,\phi`, :math:`E\,\phi'` and :math:`E\,\phi'^2` of the normalised activation.
    errors : dict of str to float
        Absolute error bounds of ``A``, ``A1``, ``B1`` and, where there is one, ``exponent``;
        0 for what is exact by structure.
    exponent : float or None
        :math:`\alpha = -4\ln|A'|/\ln B'` of the singular kernel, 0 for a logarithmic
        singularity; None in the other regimes.
    dimension : int, float or None
        Intrinsic dimension of data for which the limit is consistent: the exponent, as an
        integer if it is one to within its error; None if there is none.
    degree : int or None
        Power to which a layer raises small correlations, in the nearest-neighbour regime.
    fixed_point, fixed_gap : float or None
        :math:`\xi_*` in (0, 1), where all correlations meet in the majority regime with B' > 1,
        and :math:`1 - \xi_*` with its own relative accuracy.
    rate : float or None
        Factor by which the distance from the limit shrinks in a layer: :math:`A'^2` in the
        singular regime, the multiplier :math:`f'(\xi_*)` in the majority regime (1 if only
        polynomially), B' in the conditionally positive definite one, 0 for nearest neighbours.
    oscillation : float or None
        Half the amplitude of the logarithm of the singular kernel's log-periodic factor.
    candidates : tuple of str
        Regimes that the error bounds leave open, if undecided.
    warnings : tuple of str
        What else to know, in sentences.
    activation : Activation
        What was classified.

    Examples
    --------
    >>> from deeplimit.regimes import taxonomy
    >>> t = taxonomy("h4")
    >>> t.regime, t.degree, t.degree_is_even, t.rate
    ('nearest-neighbour', 4, True, 0.0)
    """

    name: str
    regime: Regime
    reason: str
    A: float
    A1: float
    B1: float
    errors: dict[str, float]
    exponent: float | None
    dimension: float | None
    degree: int | None
    fixed_point: float | None
    fixed_gap: float | None
    rate: float | None
    oscillation: float | None
    candidates: tuple[Regime, ...]
    warnings: tuple[str, ...]
    activation: Activation = field(repr=False)

    @cached_property
    def evidence(self) -> DepthSweep:
        """The depth sweep of the kernel itself, made on first access."""
        return depth_sweep(self.activation)

    @property
    def degree_is_even(self) -> bool:
        """Whether small correlations lose their sign, in the nearest-neighbour regime."""
        return self.degree is not None and self.degree % 2 == 0

    def summary(self) -> str:
        """Say everything in a few lines.

        Returns
        -------
        str
            Regime, constants, reason and warnings.

        Examples
        --------
        >>> from deeplimit.regimes import taxonomy
        >>> print(taxonomy("relu").summary())
        relu: majority vote
          A = 0.564189583548, A' = 0.707106781187, B' = 1
          A = 0.56419 is not 0 and B' = 1: all correlations go to 1, but only polynomially, and ...
          - The limit is approached only polynomially: n points of smallest gap s need a depth ...
        """
        head = self.regime.replace("-", " ")
        if self.exponent is not None:
            head += f", exponent {self.exponent:.9g}"
        if self.dimension is not None:
            head += f": consistent in dimension {self.dimension:.9g}"
        if self.candidates:
            head += f" ({' or '.join(self.candidates)})"
        constants = f"A = {self.A:.12g}, A' = {self.A1:.12g}, B' = {self.B1:.12g}"
        lines = [f"{self.name}: {head}", f"  {constants}", f"  {self.reason}"]
        if self.fixed_point is not None and self.fixed_gap is not None:
            near = self.fixed_gap < 1e-3
            point = f"1 - {self.fixed_gap:.6g}" if near else f"{self.fixed_point:.12g}"
            lines.append(f"  All correlations meet at {point}.")
        return "\n".join([*lines, *(f"  - {warning}" for warning in self.warnings)])

    def __str__(self) -> str:
        return self.summary()

    def to_dict(self) -> dict[str, Any]:
        """Give everything but the activation itself and the evidence, ready for JSON.

        Returns
        -------
        dict
            Infinite numbers are the strings "inf" and "-inf".

        Examples
        --------
        >>> from deeplimit.regimes import taxonomy
        >>> taxonomy("3d_opt").to_dict()["dimension"]
        2
        """
        names = [f.name for f in fields(self) if f.name != "activation"]
        return {name: plain(getattr(self, name)) for name in names}


def taxonomy(activation: Any, *, evidence: bool = False) -> Taxonomy:
    r"""Classify an activation by what its infinitely deep network becomes.

    With :math:`E\,\phi^2 = 1`, :math:`A = E\,\phi`, :math:`A' = E\,\phi'` and
    :math:`B' = E\,\phi'^2`:

    ================== ================= ==============================================
    A = 0              A' = 0            1-nearest neighbour
    A = 0              0 < abs(A') < 1   singular kernel of exponent -4 ln abs(A')/ln B'
    A = 0              abs(A') = 1       the identity: no limit but the linear kernel
    A not 0            B' at least 1     majority vote (a constant activation too)
    A not 0            B' below 1        conditionally positive definite kernel
    ================== ================= ==============================================

    A counts as 0 only if it is so by structure: a symmetry, a closed form, a mean taken away. A
    constant within its error of a boundary leaves the regime undecided, with the candidates.

    Parameters
    ----------
    activation : str, callable or Activation
        Anything `Activation` takes.
    evidence : bool, default=False
        Whether to follow the kernel through its layers at once; otherwise on first access of
        ``Taxonomy.evidence``.

    Returns
    -------
    Taxonomy
        Regime, reason, constants, warnings, and the evidence on demand.

    References
    ----------
    .. [1] A. Radhakrishnan, M. Belkin, C. Uhler, "Wide and deep neural networks achieve optimality
       for classification", arXiv 2204.14126.

    Examples
    --------
    >>> from deeplimit.regimes import taxonomy
    >>> t = taxonomy("5d_opt")
    >>> t.regime, t.dimension, t.evidence.agrees_with(t)
    ('singular-kernel', 4, True)
    >>> taxonomy("h2").regime, taxonomy("relu").regime, taxonomy("sigmoid").regime
    ('nearest-neighbour', 'majority-vote', 'conditionally-positive-definite')
    """
    phi = activation if isinstance(activation, Activation) else Activation(activation)
    c = Constants.of(phi)
    decision = decide(c)
    exponent = dimension = amplitude = None
    errors = dict(c.errors)
    if decision.regime == "singular-kernel":
        exponent = c.exponent
        errors["exponent"] = c.exponent_error
        dimension = _dimension(exponent, errors["exponent"])
        amplitude = _amplitude(phi, c)
    xi, gap, rate = _meeting(decision, c, phi)
    result = Taxonomy(
        name=phi.name,
        regime=decision.regime,
        reason=decision.reason,
        A=c.A,
        A1=c.A1,
        B1=c.B1,
        errors=errors,
        exponent=exponent,
        dimension=dimension,
        degree=c.degree if decision.regime == "nearest-neighbour" else None,
        fixed_point=xi,
        fixed_gap=gap,
        rate=rate,
        oscillation=amplitude,
        candidates=decision.candidates,
        warnings=warnings(decision, c, phi.dual, rate=rate, amplitude=amplitude),
        activation=phi,
    )
    if evidence:
        _ = result.evidence
    return result


def _dimension(exponent: float, error: float) -> float | None:
    if exponent <= 0.0:
        return None
    whole = round(exponent)
    return whole if whole >= 1 and abs(exponent - whole) <= max(1e-9, error) else exponent


def _amplitude(phi: Activation, c: Constants) -> float | None:
    if math.isinf(c.B1):
        return None
    if c.B1 < _FLAT:
        return 0.0
    return oscillation(phi.dual, c.log_slope, c.log_growth)


def _meeting(
    decision: Decision, c: Constants, phi: Activation
) -> tuple[float | None, float | None, float | None]:
    """Where all correlations go, as correlation and as gap, and how fast."""
    if decision.regime == "singular-kernel":
        return None, None, math.exp(c.log_slope)
    if decision.regime == "conditionally-positive-definite":
        return None, None, c.B1
    if decision.regime == "nearest-neighbour" or c.constant:
        return None, None, 0.0
    if decision.regime == "majority-vote" and c.side == 1:
        found = inner_fixed_point(phi.dual)
        return (None, None, 1.0) if found is None else (*found, multiplier(phi.dual, *found))
    return None, None, None if decision.regime == "undecided" else 1.0
