"""Kernels of infinitely wide networks of finite depth: NNGP and NTK."""

from __future__ import annotations

import math
from functools import cached_property
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from deeplimit.activations import Activation
from deeplimit.kernels.limit import _checked_gaps, sphere_gaps
from deeplimit.kernels.profiles import Profile
from deeplimit.persist.state import State, from_state, to_state

Array = NDArray[np.float64]

_TINY = 1e-90
#: Below this many entries a table costs more than it saves.
_WORTH_A_TABLE = 200_000


class NetworkKernel:
    r"""NNGP or NTK of a fully connected network of `depth` hidden layers and infinite width.

    On the unit sphere, with :math:`f` the dual of the normalised activation:
    :math:`\Sigma_0 = \Theta_0 = \xi`, :math:`\Sigma_L = f(\Sigma_{L-1})` and
    :math:`\Theta_L = \Sigma_L + \Theta_{L-1} f'(\Sigma_{L-1})`. Layers are iterated in the gap
    near one and in the logarithm near zero, so that neither is lost at any depth.

    Parameters
    ----------
    activation : Activation, str or callable
        The activation, or anything `Activation` accepts.
    depth : int
        Number of hidden layers `L`, at least 0.
    kind : {"ntk", "nngp"}, default="ntk"
        Which kernel.

    Attributes
    ----------
    log_diagonal : float
        Logarithm of the kernel of a point with itself: 0 for the NNGP,
        :math:`\ln\sum_{j\le L} B'^j` for the NTK.

    Raises
    ------
    ValueError
        If the depth is negative, the kind unknown, or the NTK of an activation that jumps is
        asked for (it is infinite).

    References
    ----------
    .. [1] A. Jacot, F. Gabriel, C. Hongler, "Neural tangent kernel", NeurIPS 2018.
    .. [2] J. Lee et al., "Deep neural networks as Gaussian processes", ICLR 2018.

    Examples
    --------
    >>> import deeplimit as dl
    >>> dl.NetworkKernel("relu", depth=1).at_correlation([1.0, 0.0]).round(9)
    array([2.        , 0.318309886])
    >>> dl.NetworkKernel("3d_opt", depth=100_000, kind="nngp").log_at_gap([0.5]).round(3)
    array([-69315.055])
    """

    def __init__(
        self, activation: Any, depth: int, *, kind: Literal["ntk", "nngp"] = "ntk"
    ) -> None:
        self.activation = Activation(activation)
        if int(depth) != depth or depth < 0:
            raise ValueError(f"depth is a number of hidden layers, at least 0; got {depth!r}.")
        if kind not in ("ntk", "nngp"):
            raise ValueError(f"kind is 'ntk' or 'nngp', got {kind!r}.")
        self.depth, self.kind = int(depth), kind
        if kind == "ntk" and depth > 0 and math.isinf(self.activation.B1):
            raise ValueError(
                f"{self.activation.name} jumps, so that its NTK is infinite; use kind='nngp'."
            )

    def __repr__(self) -> str:
        return f"NetworkKernel({self.activation.name!r}, depth={self.depth}, kind={self.kind!r})"

    def _to_state(self) -> State:
        meta: dict[str, Any] = {"depth": self.depth, "kind": self.kind}
        return State("NetworkKernel", meta, {}, {"activation": to_state(self.activation)})

    @classmethod
    def _from_state(cls, state: State) -> Self:
        made = from_state(state.children["activation"])
        depth, kind = state.meta["depth"], state.meta["kind"]
        return cls(made, depth, kind=kind)  # type: ignore[arg-type]

    @cached_property
    def log_diagonal(self) -> float:
        """Logarithm of the kernel of a point with itself."""
        if self.kind == "nngp" or self.depth == 0:
            return 0.0
        b, n = self.activation.B1, self.depth + 1
        if abs(b - 1.0) * n < 1e-8:
            return math.log(n)
        x = n * math.log(b)
        # (b^n - 1) / (b - 1), for b above and below one alike.
        if x > 0:
            return x + math.log(-math.expm1(-x)) - math.log(b - 1.0)
        return math.log(-math.expm1(x)) - math.log1p(-b)

    @property
    def positive(self) -> bool:
        """Whether no correlation gives a negative value, without asking its sign."""
        return self.depth > 0 and self.activation.is_even and self.kind == "nngp"

    def log_at_gap(self, s: ArrayLike, *, normalize: bool = False) -> Array:
        """Natural logarithm of the kernel's size.

        Parameters
        ----------
        s : array_like of float
            Gaps in [0, 2].
        normalize : bool, default=False
            Divide by the kernel of a point with itself.

        Returns
        -------
        ndarray of float64
            Of the shape of `s`.

        Raises
        ------
        ValueError
            If a gap is outside [0, 2].

        Examples
        --------
        >>> import deeplimit as dl
        >>> dl.NetworkKernel("9d_opt", depth=255, kind="nngp").log_at_gap(0.5).round(4)
        np.float64(-703.1947)
        """
        log = self._log_and_sign(s)[0]
        return log - self.log_diagonal if normalize else log

    def log_and_sign_at_gap(
        self, s: ArrayLike, *, normalize: bool = False
    ) -> tuple[Array, Array]:
        """Logarithm of the kernel's size and its sign, in one evaluation.

        Parameters
        ----------
        s : array_like of float
            Gaps in [0, 2].
        normalize : bool, default=False
            Divide by the kernel of a point with itself.

        Returns
        -------
        log, sign : ndarray of float64
            As from `log_at_gap` and `sign_at_gap`.

        Raises
        ------
        ValueError
            If a gap is outside [0, 2].

        Examples
        --------
        >>> import deeplimit as dl
        >>> dl.NetworkKernel("identity", depth=0).log_and_sign_at_gap([1.5])
        (array([-0.69314718]), array([-1.]))
        """
        log, sign = self._log_and_sign(s)
        return (log - self.log_diagonal if normalize else log), sign

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
        >>> dl.NetworkKernel("erf", depth=3).sign_at_gap([0.5, 1.5])
        array([ 1., -1.])
        """
        return self._log_and_sign(s)[1]

    def at_gap(self, s: ArrayLike, *, normalize: bool = False) -> Array:
        """Evaluate the kernel at gaps.

        Parameters
        ----------
        s : array_like of float
            Gaps in [0, 2].
        normalize : bool, default=False
            Divide by the kernel of a point with itself.

        Returns
        -------
        ndarray of float64

        Raises
        ------
        ValueError
            If a gap is outside [0, 2].

        Examples
        --------
        >>> import deeplimit as dl
        >>> dl.NetworkKernel("relu", depth=10_000).at_gap([0.5], normalize=True).round(3)
        array([0.25])
        """
        log, sign = self._log_and_sign(s)
        with np.errstate(over="ignore"):
            return np.asarray(sign * np.exp(log - (self.log_diagonal if normalize else 0.0)))[()]

    def at_correlation(self, xi: ArrayLike, *, normalize: bool = False) -> Array:
        """Evaluate the kernel at correlations.

        Parameters
        ----------
        xi : array_like of float
            Correlations in [-1, 1].
        normalize : bool, default=False
            Divide by the kernel of a point with itself.

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
        >>> dl.NetworkKernel("identity", depth=2).at_correlation(0.5)
        np.float64(1.5)
        """
        return self.at_gap(1.0 - np.asarray(xi, dtype=np.float64), normalize=normalize)

    def __call__(
        self, X: ArrayLike, Z: ArrayLike | None = None, *, normalize: bool = False
    ) -> Array:
        """Evaluate the kernel between rows of unit norm.

        Parameters
        ----------
        X : array_like of shape (n, k)
            Points on the unit sphere.
        Z : array_like of shape (m, k), optional
            Other points; by default `X`.
        normalize : bool, default=False
            Divide by the kernel of a point with itself.

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
        >>> dl.NetworkKernel("relu", depth=1, kind="nngp")([[1.0, 0.0]], [[0.0, 1.0]]).round(6)
        array([[0.31831]])
        """
        return np.asarray(self.at_gap(sphere_gaps(X, Z), normalize=normalize))

    # -- evaluation ------------------------------------------------------------------------------

    @cached_property
    def _profile(self) -> Profile:
        diagonal = self.log_diagonal

        def normalized(s: Array) -> tuple[Array, Array]:
            log, sign = self._iterate(s)
            return log - diagonal, sign

        return Profile(normalized, parity=self.activation.parity if self.depth else "odd")

    def _log_and_sign(self, s: ArrayLike) -> tuple[Array, Array]:
        s = _checked_gaps(s)
        if s.size < _WORTH_A_TABLE:
            log, sign = self._iterate(s.ravel())
            return log.reshape(s.shape), sign.reshape(s.shape)
        log, sign = self._profile.log_and_sign(s)
        return log + self.log_diagonal, sign

    def _iterate(self, s: Array) -> tuple[Array, Array]:
        """Logarithm and sign of the kernel at every gap, layer by layer."""
        dual, ntk = self.activation.dual, self.kind == "ntk"
        s = np.array(s, dtype=np.float64)
        exact = s == 0.0
        xi = 1.0 - s
        # Theta is kept as theta * exp(scale).
        theta, scale = xi.copy(), np.zeros_like(xi)
        left = np.full(s.shape, self.depth)
        active = np.arange(s.size)
        vanishes = dual.a0 == 0.0
        for layer in range(self.depth):
            if vanishes:
                active = active[np.abs(xi[active]) > _TINY]
            if not active.size:
                break
            si, xii = s[active], xi[active]
            near = si < 0.5
            new_s, new_xi = np.empty_like(si), np.empty_like(si)
            slope = np.empty_like(si)
            new_s[near] = dual.gap(si[near])
            new_xi[near] = 1.0 - new_s[near]
            new_xi[~near] = dual.value(xii[~near])
            new_s[~near] = 1.0 - new_xi[~near]
            if ntk:
                slope[near] = dual.gap_derivative(si[near])
                slope[~near] = dual.derivative(xii[~near])
                new_theta = new_xi * np.exp(-scale[active]) + theta[active] * slope
                large = np.abs(new_theta) > 1e100
                small = (np.abs(new_theta) < 1e-100) & (new_theta != 0.0)
                for rescale in (large, small):
                    at = active[rescale]
                    scale[at] += np.log(np.abs(new_theta[rescale]))
                    new_theta[rescale] = np.sign(new_theta[rescale])
            else:
                new_theta = new_xi
            settled = np.array_equal(new_xi, xii) and np.array_equal(new_theta, theta[active])
            s[active], xi[active], theta[active] = new_s, new_xi, new_theta
            left[active] = self.depth - layer - 1
            if settled:
                left[active] = 0
                break
        with np.errstate(divide="ignore"):
            log, sign = np.log(np.abs(theta)) + scale, np.sign(theta)
        if vanishes and np.any(left):
            self._finish(log, sign, xi, theta, scale, left)
        log[exact], sign[exact] = self.log_diagonal, 1.0
        return log, sign

    def _finish(
        self,
        log: Array,
        sign: Array,
        xi: Array,
        theta: Array,
        scale: Array,
        left: NDArray[np.int_],
    ) -> None:
        """Take the layers that are left at once: only the dual's leading term acts any more."""
        at = np.flatnonzero((left > 0) & (np.abs(xi) <= _TINY))
        n = left[at].astype(np.float64)
        a = self.activation.dual.coefficients(64)
        m = int(np.flatnonzero(a)[0])
        lead = math.log(a[m])
        with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
            log_xi = np.log(np.abs(xi[at]))
            if m == 1:
                # Sigma_n = a^n Sigma_0 and Theta_n = a^n (Theta_0 + n Sigma_0).
                new_log, new_sign = log_xi + n * lead, np.sign(xi[at])
                if self.kind == "ntk":
                    total = theta[at] + n * xi[at] * np.exp(-scale[at])
                    new_log = np.log(np.abs(total)) + scale[at] + n * lead
                    new_sign = np.sign(total)
            else:
                # Sigma_n by the power map, and Theta_n / Sigma_n =: r with r' = 1 + m r.
                power = np.power(float(m), n)
                new_log = power * (log_xi + lead / (m - 1)) - lead / (m - 1)
                new_sign = np.sign(xi[at]) ** (m if m % 2 else 2)
                if self.kind == "ntk":
                    ratio = theta[at] / xi[at] * np.exp(scale[at])
                    new_log += np.log(np.abs(ratio + 1.0 / (m - 1))) + n * math.log(m)
            zero = xi[at] == 0.0
            new_log[zero], new_sign[zero] = -np.inf, 0.0
        log[at], sign[at] = new_log, new_sign
