"""Kernels of infinitely wide networks of finite depth: NNGP and NTK."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from deeplimit.activations import Activation
from deeplimit.duals.base import Dual
from deeplimit.kernels.profiles import Profile
from deeplimit.kernels.radial import Array, GapKernel
from deeplimit.persist.state import State, from_state, to_state

#: Below this many entries a table costs more than it saves.
_WORTH_A_TABLE = 200_000


class NetworkKernel(GapKernel):
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
    >>> dl.NetworkKernel("relu", depth=1).at_correlation([1.0, 0.0]).round(6)
    array([2.     , 0.31831])
    >>> dl.NetworkKernel("3d_opt", depth=100_000, kind="nngp").log_at_gap([0.5]).round(3)
    array([-69315.055])
    >>> dl.NetworkKernel("relu", depth=10_000).at_gap([0.5], normalize=True).round(3)
    array([0.25])
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

    # -- evaluation ------------------------------------------------------------------------------

    @cached_property
    def _profile(self) -> Profile:
        diagonal = self.log_diagonal

        def normalized(s: Array) -> tuple[Array, Array]:
            log, sign = self._iterate(s)
            return log - diagonal, sign

        return Profile(normalized, parity=self.activation.parity if self.depth else "odd")

    def _log_and_sign(self, s: Array) -> tuple[Array, Array]:
        if s.size < _WORTH_A_TABLE:
            return self._iterate(s)
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
        tiny = self._leading.radius if vanishes else 0.0
        for layer in range(self.depth):
            if vanishes:
                active = active[np.abs(xi[active]) > tiny]
            if not active.size:
                break
            si, xii = s[active], xi[active]
            near = si < 0.5
            if near.all():
                new_s = dual.gap(si)
                new_xi = 1.0 - new_s
                slope = dual.gap_derivative(si) if ntk else si
            else:
                far = ~near
                new_s, new_xi, slope = np.empty_like(si), np.empty_like(si), np.empty_like(si)
                new_s[near] = dual.gap(si[near])
                new_xi[near] = 1.0 - new_s[near]
                new_xi[far] = dual.value(xii[far])
                new_s[far] = 1.0 - new_xi[far]
                if ntk:
                    slope[near] = dual.gap_derivative(si[near])
                    slope[far] = dual.derivative(xii[far])
            if ntk:
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
        rest = np.flatnonzero((left > 0) & (np.abs(xi) <= tiny)) if vanishes else active[:0]
        if rest.size:
            with np.errstate(divide="ignore"):
                log_sigma, log_theta = np.log(np.abs(xi[rest])), log[rest]
            log[rest], sign[rest] = self._leading.finish(
                log_sigma, np.sign(xi[rest]), log_theta, sign[rest], left[rest], ntk
            )
        log[exact], sign[exact] = self.log_diagonal, 1.0
        return log, sign

    @cached_property
    def _leading(self) -> _LeadingTerm:
        return _LeadingTerm.of(self.activation.dual)


@dataclass(frozen=True)
class _LeadingTerm:
    """What is left of a dual that vanishes at zero: `a xi^m`.

    Attributes
    ----------
    degree : int
    log_coefficient : float
    radius : float
        Correlations up to this size see no other term, and are not squared out of range.
    """

    degree: int
    log_coefficient: float
    radius: float

    @classmethod
    def of(cls, dual: Dual) -> _LeadingTerm:
        a = dual.coefficients(64)
        m = int(np.flatnonzero(a)[0])
        negligible = 1e-18 * a[m] / max(float(a[m + 1 :].max(initial=0.0)), a[m])
        return cls(m, math.log(a[m]), max(min(1e-20, negligible), 1e-290 ** (1.0 / m)))

    def finish(
        self,
        log_sigma: Array,
        sign_sigma: Array,
        log_theta: Array,
        sign_theta: Array,
        layers: NDArray[np.int_],
        ntk: bool,
    ) -> tuple[Array, Array]:
        """Take many layers at once, from the NNGP and the NTK so far to either of them."""
        n, m, lead = layers.astype(np.float64), self.degree, self.log_coefficient
        with np.errstate(over="ignore", invalid="ignore"):
            if m == 1:
                shift: Array | float = n
                log, sign = log_sigma + n * lead, sign_sigma
            else:
                log = np.power(float(m), n) * (log_sigma + lead / (m - 1)) - lead / (m - 1)
                sign = sign_sigma if m % 2 else np.abs(sign_sigma)
                shift = np.full_like(n, 1.0 / (m - 1))
            if ntk:
                # r = Theta/Sigma follows r -> 1 + m r: it adds 1 a layer for m = 1, and else
                # r + 1/(m - 1) is multiplied by m.
                ratio = sign_theta * sign_sigma * np.exp(log_theta - log_sigma)
                start = ratio + shift
                log += np.log(np.abs(start))
                sign = sign * np.sign(start)
                if m > 1:
                    growth = n * math.log(m)
                    log += growth + np.log1p(-shift / start * np.exp(-growth))
        zero = sign_sigma == 0.0
        return np.where(zero, -np.inf, log), np.where(zero, 0.0, sign)
