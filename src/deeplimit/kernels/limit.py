"""The kernel of the infinitely wide and infinitely deep network, in every regime."""

from __future__ import annotations

from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from deeplimit.activations import Activation
from deeplimit.kernels.koenigs import (
    BoettcherFunction,
    KoenigsAtOne,
    KoenigsAtZero,
    KoenigsFunction,
    KoenigsInside,
)
from deeplimit.kernels.radial import Array, GapKernel, checked_gaps
from deeplimit.kernels.tabulated import KoenigsKernel
from deeplimit.persist.state import State, from_state, to_state
from deeplimit.regimes import Taxonomy, taxonomy

#: Multiplier at the inner fixed point above which it breaks no ties.
_SLOWEST = 0.999


class LimitKernel(GapKernel):
    r"""Exact infinite-depth kernel of an activation, as a function of the gap :math:`s = 1-\xi`.

    What "the" limit is depends on the regime:

    =============================== =============================================================
    singular-kernel                 :math:`\kappa(\xi) = \lim f^L(\xi)/a_1^L`, with
                                    :math:`\kappa'(0) = 1`; infinite at a gap of zero
    nearest-neighbour               Böttcher function `b`, :math:`b\circ f = b^m`, `b(1) = 1`:
                                    iterates are ordered as its powers
    majority-vote                   the constant :math:`\xi_*`, and 1 at a gap of zero;
                                    `tie_break` orders what the constant leaves tied
    conditionally-positive-definite :math:`-\eta(s)`, :math:`\eta = \lim (1 - f^L)/B'^L`
    identity                        :math:`\xi` itself
    =============================== =============================================================

    The NTK has the same limit in the singular regime after dividing by :math:`(L+1) a_1^L`, but
    approaches it only like `1/L`.

    Parameters
    ----------
    activation : Activation, str or callable
        The activation, or anything `Activation` accepts.
    tabulate : bool, default=True
        Evaluate through a table (relative error below 1e-12 or so, O(1) an entry) rather than by
        iterating the dual for every entry.

    Attributes
    ----------
    activation : Activation
    taxonomy : Taxonomy
    regime : str
    exponent : float or None
        :math:`\alpha` in :math:`\kappa \sim \|x-z\|^{-\alpha}`; None outside the singular regime.
    error : float
        Largest error of the logarithm found while tabulating; 0 without a table.

    Raises
    ------
    ValueError
        If the regime is undecided, or the layer too close to the identity to be iterated.

    References
    ----------
    .. [1] A. Radhakrishnan, M. Belkin, C. Uhler, arXiv 2204.14126.
    .. [2] G. Koenigs, "Recherches sur les intégrales de certaines équations fonctionnelles", 1884.

    Examples
    --------
    >>> import deeplimit as dl
    >>> kernel = dl.LimitKernel("3d_opt")
    >>> kernel.at_correlation([0.1, 0.5]).round(6)
    array([0.101344, 0.713599])
    >>> kernel.log_at_gap([1e-9]).round(6)
    array([20.221016])
    """

    def __init__(self, activation: Any, *, tabulate: bool = True) -> None:
        self.activation = Activation(activation)
        self.taxonomy: Taxonomy = taxonomy(self.activation)
        self.regime = self.taxonomy.regime
        self.exponent = self.taxonomy.exponent
        self.tabulate = tabulate
        if self.regime == "undecided":
            raise ValueError(
                f"{self.activation.name} has no limit that can be stated: {self.taxonomy.reason}"
            )

    def __repr__(self) -> str:
        return f"LimitKernel({self.activation.name!r})"

    def _to_state(self) -> State:
        return State(
            "LimitKernel",
            {"tabulate": self.tabulate},
            {},
            {"activation": to_state(self.activation)},
        )

    @classmethod
    def _from_state(cls, state: State) -> Self:
        made = from_state(state.children["activation"])
        return cls(made, tabulate=bool(state.meta["tabulate"]))

    @cached_property
    def _koenigs(self) -> KoenigsKernel | None:
        dual = self.activation.dual
        if self.regime == "singular-kernel":
            function: KoenigsFunction = KoenigsAtZero(dual)
        elif self.regime == "nearest-neighbour":
            assert self.taxonomy.degree is not None
            function = BoettcherFunction(dual, self.taxonomy.degree)
        elif self.regime == "conditionally-positive-definite":
            function = KoenigsAtOne(dual)
        else:
            return None
        return KoenigsKernel(function, self.tabulate)

    @property
    def error(self) -> float:
        """Bound of the error that the table adds to the logarithm; 0 without a table."""
        return 0.0 if self._koenigs is None else self._koenigs.error

    @property
    def log_diagonal(self) -> float:
        """Logarithm of the kernel of a point with itself: ±inf where it is infinite or zero."""
        singular = {"singular-kernel": np.inf, "conditionally-positive-definite": -np.inf}
        return singular.get(self.regime, 0.0)

    @property
    def positive(self) -> bool:
        """Whether the sign is known to be +1 at every gap, save where the kernel is 0."""
        even = self.taxonomy.degree is not None and self.taxonomy.degree % 2 == 0
        return self.regime == "majority-vote" or (self.regime == "nearest-neighbour" and even)

    @cached_property
    def tie_break(self) -> KoenigsKernel | None:
        """The Koenigs function at the inner fixed point.

        None where there is no such point, or where it attracts so slowly (by less than a
        thousandth a layer) that no depth of interest would show it.
        """
        gap, rate = self.taxonomy.fixed_gap, self.taxonomy.rate
        if self.regime != "majority-vote" or gap is None or not 0.0 < gap < 1.0:
            return None
        if rate is None or rate > _SLOWEST:
            return None
        return KoenigsKernel(KoenigsInside(self.activation.dual, gap), self.tabulate)

    def _log_and_sign(self, s: Array) -> tuple[Array, Array]:
        if self._koenigs is None:
            if self.regime == "identity":
                value = 1.0 - s
            else:
                point = self.taxonomy.fixed_point
                value = np.where(s == 0.0, 1.0, 1.0 if point is None else point)
            with np.errstate(divide="ignore"):
                return np.log(np.abs(value)), np.sign(value)
        log, sign = self._koenigs.log_and_sign_at_gap(s)
        if self.regime == "nearest-neighbour":
            return -np.exp(log), sign
        if self.regime == "conditionally-positive-definite":
            return log, -sign
        at_zero = s == 0.0
        return np.where(at_zero, np.inf, log), np.where(at_zero, 1.0, sign)

    def log_closeness(self, s: ArrayLike) -> Array:
        r"""Order of the examples in the nearest-neighbour regime, :math:`-\ln(-\ln|b|)`.

        Parameters
        ----------
        s : array_like of float
            Gaps in [0, 2].

        Returns
        -------
        ndarray of float64
            Larger is closer; infinite at a gap of zero. It resolves gaps at which `b` itself
            rounds to 1.

        Raises
        ------
        ValueError
            In another regime, or if a gap is outside [0, 2].

        Examples
        --------
        >>> import deeplimit as dl
        >>> dl.LimitKernel("h2").log_closeness([0.0, 1e-20, 0.5]).round(3)
        array([  inf, 46.052,  0.367])
        """
        if self.regime != "nearest-neighbour":
            raise ValueError(f"{self.activation.name} is not in the nearest-neighbour regime.")
        assert self._koenigs is not None
        return -self._koenigs.log_at_gap(checked_gaps(s))

    def periodic_factor(self, n: int = 256) -> tuple[Array, Array]:
        r"""Give the factor `R` in :math:`\kappa = R(\|x-z\|)/\|x-z\|^\alpha` near the singularity.

        Parameters
        ----------
        n : int, default=256
            Points over one period.

        Returns
        -------
        phase : ndarray of shape (n,)
            :math:`\ln s/\ln B'` modulo 1, from 0 to 1.
        factor : ndarray of shape (n,)
            `R`, positive and periodic in the phase; constant for the θ-family only.

        Raises
        ------
        ValueError
            Outside the singular regime, and if the activation jumps (the singularity is then
            logarithmic).

        Examples
        --------
        >>> import deeplimit as dl
        >>> phase, factor = dl.LimitKernel("3d_opt").periodic_factor()
        >>> bool(factor.min() > 0.9), bool(factor.max() / factor.min() < 1.0001)
        (True, True)
        """
        period = None if self._koenigs is None else self._koenigs.function.period
        if self.regime != "singular-kernel" or period is None or self.exponent is None:
            raise ValueError("only a singular kernel with a power-law singularity has this factor.")
        phase = np.linspace(0.0, 1.0, n)
        cycles = np.ceil(-65.0 / period)  # gaps near 1e-28: the corrections are below rounding
        log_s = (cycles + phase) * period
        log = self.log_at_gap(np.exp(log_s))
        return phase, np.exp(log + self.exponent / 2.0 * (log_s + np.log(2.0)))
