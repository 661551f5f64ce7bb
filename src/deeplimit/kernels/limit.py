"""The kernel of the infinitely wide and infinitely deep network, in every regime."""

from __future__ import annotations

from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.distance import cdist

from deeplimit.activations import Activation
from deeplimit.kernels.koenigs import (
    BoettcherFunction,
    KoenigsAtOne,
    KoenigsAtZero,
    KoenigsFunction,
    KoenigsInside,
)
from deeplimit.kernels.profiles import Profile
from deeplimit.persist.state import State, from_state, to_state
from deeplimit.regimes import Taxonomy, taxonomy

Array = NDArray[np.float64]


class LimitKernel:
    r"""Exact infinite-depth kernel of an activation, as a function of the gap :math:`s = 1-\xi`.

    What "the" limit is depends on the regime:

    ============================== =============================================================
    singular-kernel                :math:`\kappa(\xi) = \lim f^L(\xi)/a_1^L`, with
                                   :math:`\kappa'(0) = 1`; infinite at a gap of zero
    nearest-neighbour              Böttcher function `b`, :math:`b\circ f = b^m`, `b(1) = 1`:
                                   iterates are ordered as its powers
    majority-vote                  the constant :math:`\xi_*`, and 1 at a gap of zero;
                                   `tie_break` orders what the constant leaves tied
    conditionally-positive-definite :math:`-\eta(s)`, :math:`\eta = \lim (1 - f^L)/B'^L`
    identity                       :math:`\xi` itself
    ============================== =============================================================

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
    >>> kernel.at_correlation([0.1, 0.5]).round(9)
    array([0.101344137, 0.713599128])
    >>> kernel.log_at_gap([1e-9]).round(6)
    array([20.366438])
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
            "LimitKernel", {"tabulate": self.tabulate}, {}, {"activation": to_state(self.activation)}
        )

    @classmethod
    def _from_state(cls, state: State) -> Self:
        made = from_state(state.children["activation"])
        return cls(made, tabulate=bool(state.meta["tabulate"]))

    @cached_property
    def _function(self) -> KoenigsFunction | None:
        dual = self.activation.dual
        if self.regime == "singular-kernel":
            return KoenigsAtZero(dual)
        if self.regime == "nearest-neighbour":
            assert self.taxonomy.degree is not None
            return BoettcherFunction(dual, self.taxonomy.degree)
        if self.regime == "conditionally-positive-definite":
            return KoenigsAtOne(dual)
        return None

    @cached_property
    def _profile(self) -> Profile | None:
        return None if self._function is None else _profile(self._function)

    @property
    def error(self) -> float:
        """Largest error of the logarithm found while tabulating."""
        return self._profile.error if self.tabulate and self._profile is not None else 0.0

    @property
    def positive(self) -> bool:
        """Whether the kernel is positive at every gap below 2, without asking its sign."""
        even = self.taxonomy.degree is not None and self.taxonomy.degree % 2 == 0
        return self.regime == "majority-vote" or (self.regime == "nearest-neighbour" and even)

    @cached_property
    def tie_break(self) -> KoenigsKernel | None:
        """The Koenigs function at the inner fixed point; None where there is none."""
        point = self.taxonomy.fixed_point
        if self.regime != "majority-vote" or point is None or not 0.0 < point < 1.0:
            return None
        return KoenigsKernel(KoenigsInside(self.activation.dual, point), self.tabulate)

    def _log_and_sign(self, s: ArrayLike) -> tuple[Array, Array]:
        s = _checked_gaps(s)
        if self.regime == "majority-vote":
            point = self.taxonomy.fixed_point
            value = np.where(s == 0.0, 1.0, 1.0 if point is None else point)
        elif self.regime == "identity":
            value = 1.0 - s
        else:
            log, sign = self._evaluate(s)
            if self.regime == "nearest-neighbour":
                return -np.exp(log), sign
            if self.regime == "conditionally-positive-definite":
                return log, -sign
            at_zero = s == 0.0
            return np.where(at_zero, np.inf, log), np.where(at_zero, 1.0, sign)
        with np.errstate(divide="ignore"):
            return np.log(np.abs(value)), np.sign(value)

    def _evaluate(self, s: Array) -> tuple[Array, Array]:
        assert self._function is not None
        if not self.tabulate:
            return self._function.log_and_sign(s)
        assert self._profile is not None
        log, sign = self._profile.log_and_sign(s)
        if isinstance(self._function, BoettcherFunction):
            # The table of small gaps keeps no sign: there it is positive.
            sign = np.where(s <= 1.0, 1.0, sign)
        return log, sign

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
        return -self._evaluate(_checked_gaps(s))[0]

    def log_at_gap(self, s: ArrayLike) -> Array:
        """Natural logarithm of the kernel's size.

        Parameters
        ----------
        s : array_like of float
            Gaps in [0, 2].

        Returns
        -------
        ndarray of float64
            Of the shape of `s`; infinite at a gap of zero in the singular regime.

        Raises
        ------
        ValueError
            If a gap is outside [0, 2].

        Examples
        --------
        >>> import deeplimit as dl
        >>> dl.LimitKernel("9d_opt").log_at_gap([1e-30, 0.1]).round(6)
        array([277.230219,  11.430884])
        """
        return self._log_and_sign(s)[0]

    def log_and_sign_at_gap(self, s: ArrayLike) -> tuple[Array, Array | None]:
        """Logarithm of the kernel's size and its sign, in one evaluation.

        Parameters
        ----------
        s : array_like of float
            Gaps in [0, 2].

        Returns
        -------
        log : ndarray of float64
        sign : ndarray of float64 or None
            None if all signs are +1.

        Raises
        ------
        ValueError
            If a gap is outside [0, 2].

        Examples
        --------
        >>> import deeplimit as dl
        >>> dl.LimitKernel("erf").log_and_sign_at_gap([0.5])[1] is None
        True
        """
        log, sign = self._log_and_sign(s)
        return log, (None if self.positive or np.all(sign > 0.0) else sign)

    def sign_at_gap(self, s: ArrayLike) -> Array:
        """Sign of the kernel.

        Parameters
        ----------
        s : array_like of float
            Gaps in [0, 2].

        Returns
        -------
        ndarray of float64
            1, -1 or 0.

        Raises
        ------
        ValueError
            If a gap is outside [0, 2].

        Examples
        --------
        >>> import deeplimit as dl
        >>> dl.LimitKernel("erf").sign_at_gap([0.5, 1.0, 1.5])
        array([ 1.,  0., -1.])
        """
        return self._log_and_sign(s)[1]

    def at_gap(self, s: ArrayLike) -> Array:
        """Evaluate the kernel at gaps.

        Parameters
        ----------
        s : array_like of float
            Gaps in [0, 2].

        Returns
        -------
        ndarray of float64
            Values; infinite where they exceed the range of a double.

        Raises
        ------
        ValueError
            If a gap is outside [0, 2].

        Examples
        --------
        >>> import deeplimit as dl
        >>> dl.LimitKernel("3d_opt").at_gap(0.5).round(9)
        np.float64(0.713599128)
        """
        log, sign = self._log_and_sign(s)
        with np.errstate(over="ignore"):
            return np.asarray(sign * np.exp(log))[()]

    def at_correlation(self, xi: ArrayLike) -> Array:
        """Evaluate the kernel at correlations.

        Parameters
        ----------
        xi : array_like of float
            Correlations in [-1, 1].

        Returns
        -------
        ndarray of float64

        Raises
        ------
        ValueError
            If a correlation is outside [-1, 1].

        Examples
        --------
        >>> import deeplimit as dl
        >>> dl.LimitKernel("5d_opt").at_correlation([-0.5, 0.9]).round(9)
        array([ -0.11504039, 128.495854261])
        """
        return self.at_gap(1.0 - np.asarray(xi, dtype=np.float64))

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
        >>> bool(factor.min() > 0.9), round(float(factor.max() / factor.min()), 6)
        (True, 1.000001)
        """
        period = None if self._function is None else self._function.period
        if self.regime != "singular-kernel" or period is None or self.exponent is None:
            raise ValueError("only a singular kernel with a power-law singularity has this factor.")
        phase = np.linspace(0.0, 1.0, n)
        cycles = np.ceil(-65.0 / period)  # gaps near 1e-28: the corrections are below rounding
        log_s = (cycles + phase) * period
        log = self.log_at_gap(np.exp(log_s))
        return phase, np.exp(log + self.exponent / 2.0 * (log_s + np.log(2.0)))

    def __call__(self, X: ArrayLike, Z: ArrayLike | None = None) -> Array:
        """Evaluate the kernel between rows of unit norm.

        Parameters
        ----------
        X : array_like of shape (n, k)
            Points on the unit sphere.
        Z : array_like of shape (m, k), optional
            Other points; by default `X`.

        Returns
        -------
        ndarray of shape (n, m)

        Raises
        ------
        ValueError
            If a row's norm is not 1.

        Examples
        --------
        >>> import deeplimit as dl
        >>> dl.LimitKernel("3d_opt")([[1.0, 0.0]], [[0.6, 0.8]]).round(9)
        array([[0.992788545]])
        """
        return np.asarray(self.at_gap(sphere_gaps(X, Z)))


class KoenigsKernel:
    """A Koenigs function as a kernel of the gap: what breaks an exact tie of a majority vote.

    Parameters
    ----------
    function : KoenigsFunction
        The function.
    tabulate : bool, default=True
        Whether to evaluate it through a table.
    """

    positive = False

    def __init__(self, function: KoenigsFunction, tabulate: bool = True) -> None:
        self._function = function
        self._profile = _profile(function) if tabulate else None

    def log_at_gap(self, s: ArrayLike) -> Array:
        """Natural logarithm of the function's size at gaps `s`."""
        return self._log_and_sign(s)[0]

    def sign_at_gap(self, s: ArrayLike) -> Array:
        """Sign of the function at gaps `s`."""
        return self._log_and_sign(s)[1]

    def at_gap(self, s: ArrayLike) -> Array:
        """Evaluate the function at gaps `s`."""
        log, sign = self._log_and_sign(s)
        with np.errstate(over="ignore"):
            return np.asarray(sign * np.exp(log))

    def _log_and_sign(self, s: ArrayLike) -> tuple[Array, Array]:
        s = _checked_gaps(s)
        if self._profile is not None:
            return self._profile.log_and_sign(s)
        return self._function.log_and_sign(s)


def _profile(function: KoenigsFunction) -> Profile:
    return Profile(
        function.quotient,
        theta=function.theta,
        period=function.period,
        root_gap=function.root_gap,
        parity=function.dual.parity,
        smallest=1e-300 if np.isinf(function.dual.slope_at_one) else 1e-33,
        # Beyond the equator a Boettcher function need not be smooth, and takes few steps.
        far=not isinstance(function, BoettcherFunction),
    )


def _checked_gaps(s: ArrayLike) -> Array:
    s = np.asarray(s, dtype=np.float64)
    if s.size and not (np.min(s) >= 0.0 and np.max(s) <= 2.0 + 1e-9):
        raise ValueError("gaps lie in [0, 2]: they are 1 - correlation, or half squared distances.")
    return np.minimum(s, 2.0)


def sphere_gaps(X: ArrayLike, Z: ArrayLike | None = None) -> Array:
    """Gaps between rows of unit norm, from coordinate differences.

    Parameters
    ----------
    X, Z : array_like of shapes (n, k) and (m, k)
        Points on the unit sphere; `Z` is `X` if left out.

    Returns
    -------
    ndarray of shape (n, m)

    Raises
    ------
    ValueError
        If a row's norm is not 1 within 1e-6.
    """
    X = np.atleast_2d(np.asarray(X, dtype=np.float64))
    Z = X if Z is None else np.atleast_2d(np.asarray(Z, dtype=np.float64))
    for rows in (X, Z):
        norms = np.linalg.norm(rows, axis=1)
        if rows.size and not np.all(np.abs(norms - 1.0) <= 1e-6):
            raise ValueError("rows must have unit norm; lift or normalise the data first.")
    return np.asarray(np.minimum(cdist(X, Z, "sqeuclidean") / 2.0, 2.0))
