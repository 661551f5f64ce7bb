"""Activations made of activations: scaled, stretched, centred, composed, put into layers."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from deeplimit.activations import recipes
from deeplimit.activations.tree import Expression, Variable, number
from deeplimit.duals.algebra import CenteredDual, MixedDual
from deeplimit.duals.base import Dual
from deeplimit.duals.closed import ConstantDual, IdentityDual

if TYPE_CHECKING:
    from deeplimit.activations.activation import Activation

Array = NDArray[np.float64]

#: Signed Hermite coefficients that a change passes on exactly.
_KEPT_TERMS = 400


class Changeable(ABC):
    """The changes of an activation; each gives another one and leaves this one as it is."""

    name: str
    expression: Expression | None
    pointwise: bool
    _precision: float
    _recipe: recipes.Recipe | None

    @property
    @abstractmethod
    def dual(self) -> Dual:
        """The dual map of the normalised activation."""

    @property
    @abstractmethod
    def norm2(self) -> float:
        """Mean square."""

    @property
    @abstractmethod
    def _root(self) -> float:
        """Root of the mean square, which is in range where the square itself is not."""

    @property
    @abstractmethod
    def A(self) -> float:
        """Mean of the normalised activation."""

    @property
    @abstractmethod
    def errors(self) -> dict[str, float]:
        """Error bounds of the constants."""

    @abstractmethod
    def hermite(self, n: int) -> Array:
        """Give Hermite coefficients."""

    @abstractmethod
    def __call__(self, z: ArrayLike) -> Array:
        """Evaluate the activation."""

    @abstractmethod
    def _copy(self, name: str | None = None) -> Activation:
        """Give the same activation under another name."""

    def _derived(
        self, function: Callable[[Array], Array], expression: Expression | None, name: str
    ) -> Activation:
        from deeplimit.activations.activation import Activation

        self._check_pointwise()
        made = Activation(function if expression is None else expression, name=name)
        made._precision = max(made._precision, self._precision)
        return made

    def _check_pointwise(self) -> None:
        if not self.pointwise:
            raise ValueError(f"{self.name} is a layer, not one function of its input.")

    def _representable(self, norm2: float) -> float:
        if not 0.0 < norm2 < math.inf:
            raise ValueError(
                f"{self.name} is of the size 1e{math.log10(self._root):.0f}, whose square is "
                "beyond the range of floats; scale the activation: its dual stays as it is."
            )
        return norm2

    def normalized(self) -> Activation:
        r"""Divide by :math:`\sqrt{E\,\phi^2}`; the dual stays as it is.

        Returns
        -------
        Activation
            With ``norm2`` 1 up to rounding.

        Examples
        --------
        >>> import deeplimit as dl
        >>> round(dl.Activation("relu").normalized().norm2, 12)
        1.0
        """
        return self.scaled(1.0 / self._root)

    def scaled(self, factor: float) -> Activation:
        """Multiply the values; the dual stays as it is.

        Parameters
        ----------
        factor : float
            Not zero.

        Returns
        -------
        Activation
            The changed one.

        Raises
        ------
        ValueError
            If `factor` is zero or not finite.

        Examples
        --------
        >>> import deeplimit as dl
        >>> dl.Activation("relu").scaled(2.0).norm2
        2.0
        """
        _check_factor(factor)
        expression = None if self.expression is None else number(factor) * self.expression
        made = self._derived(
            partial(_times, self, factor), expression, f"{factor:.6g}*({self.name})"
        )
        made._closed = self.dual
        made._signed = self.hermite(_KEPT_TERMS) * math.copysign(1.0, factor)
        made.__dict__["_root"] = self._root * abs(factor)
        square = factor * factor
        made.__dict__["errors"] = {**self.errors, "norm2": self.errors["norm2"] * square}
        with suppress(ValueError):
            made.__dict__["norm2"] = self._representable(self.norm2 * square)
        made._recipe = recipes.change(self, "scaled", factor)
        return made

    def stretched(self, factor: float) -> Activation:
        r"""Scale the argument: :math:`\phi(cz)`, another activation with another fate.

        Parameters
        ----------
        factor : float
            `c`, not zero.

        Returns
        -------
        Activation
            The changed one.

        Raises
        ------
        ValueError
            If `factor` is zero or not finite.

        Examples
        --------
        >>> import deeplimit as dl
        >>> round(dl.Activation("sin").stretched(2.0).B1, 12)
        4.002684601607
        """
        _check_factor(factor)
        inner = number(factor) * Variable()
        expression = None if self.expression is None else self.expression.compose(inner)
        return self._derived(
            partial(_at_multiple, self, factor), expression, f"{self.name} at {factor:.6g}*x"
        )

    def centered(self) -> Activation:
        """Subtract the mean, so that A is exactly 0.

        Returns
        -------
        Activation
            Its mean is zero by construction, although the constant written in its formula is
            rounded.

        Raises
        ------
        ValueError
            If nothing is left.

        Examples
        --------
        >>> import deeplimit as dl
        >>> phi = dl.Activation("relu").centered()
        >>> phi.A, round(phi.B1, 12)
        (0.0, 1.466942206924)
        """
        if self.A == 0.0:
            return self._copy()
        mean = self.A * self._root
        expression = None if self.expression is None else self.expression - number(mean)
        made = self._derived(partial(_less, self, mean), expression, f"{self.name} centred")
        rest = 1.0 - self.dual.a0
        made._closed = CenteredDual(self.dual)
        made._signed = self.hermite(_KEPT_TERMS) / math.sqrt(rest)
        made._signed[0] = 0.0
        made.__dict__["_root"] = self._root * math.sqrt(rest)
        made.__dict__["norm2"] = self.norm2 * rest
        errors = {key: error / rest for key, error in self.errors.items()}
        made.__dict__["errors"] = {**errors, "A": 0.0}
        made._recipe = recipes.change(self, "centered")
        return made

    def __add__(self, other: Activation | float) -> Activation:
        """Add two activations, or a number, value by value."""
        from deeplimit.activations.activation import Activation

        if isinstance(other, int | float):
            other = Activation(number(float(other)))
        if not isinstance(other, Activation):
            return NotImplemented
        other._check_pointwise()
        mine, its = self.expression, other.expression
        expression = None if mine is None or its is None else mine + its
        made = self._derived(partial(_sum, self, other), expression, f"{self.name} + {other.name}")
        made._precision = max(made._precision, other._precision)
        return made

    __radd__ = __add__

    def compose(self, inner: Activation) -> Activation:
        r"""Compose pointwise: :math:`\phi(\psi(z))`.

        Parameters
        ----------
        inner : Activation
            :math:`\psi`, applied first.

        Returns
        -------
        Activation
            The composition.

        Raises
        ------
        ValueError
            If one of the two is a layer, not one function of its input.

        Examples
        --------
        >>> import deeplimit as dl
        >>> dl.Activation("square").compose(dl.Activation("sin")).formula
        'sin(x)^2'
        """
        inner._check_pointwise()
        mine, its = self.expression, inner.expression
        expression = None if mine is None or its is None else mine.compose(its)
        made = self._derived(partial(_of, self, inner), expression, f"{self.name}({inner.name})")
        made._precision = max(made._precision, inner._precision)
        return made

    def _layer(self, parts: list[tuple[float, Dual]], name: str) -> Activation:
        made = self._copy(name)
        for key in ("dual", "A", "A1"):
            made.__dict__.pop(key, None)
        made._closed = MixedDual(parts)
        made._signed = np.sqrt(made._closed.coefficients(_KEPT_TERMS))
        # The parts without the activation are exact, and the weights are below one.
        made.__dict__["errors"] = dict(self.errors)
        made.pointwise = False
        return made

    def biased(self, variance: float) -> Activation:
        r"""Add a bias to the layer: :math:`f_b = (f + \sigma_b^2)/(1 + \sigma_b^2)`.

        Parameters
        ----------
        variance : float
            :math:`\sigma_b^2`, relative to the weights' variance, at least 0.

        Returns
        -------
        Activation
            Not pointwise: the function of the layer is random.

        Raises
        ------
        ValueError
            If `variance` is negative or not finite.

        Examples
        --------
        >>> import deeplimit as dl
        >>> dl.taxonomy(dl.Activation("erf").biased(0.1)).regime
        'majority-vote'
        """
        if not (math.isfinite(variance) and variance >= 0):
            raise ValueError(f"the variance of a bias is at least 0, got {variance}.")
        total = 1.0 + variance
        parts = [(1.0 / total, self.dual), (variance / total, ConstantDual())]
        made = self._layer(parts, f"{self.name} with bias {variance:g}")
        made._recipe = recipes.change(self, "biased", variance)
        return made

    def residual(self, weight: float = 1.0) -> Activation:
        r"""Put a skip around the layer: :math:`f_\tau = (\xi + \tau f)/(1 + \tau)`.

        Parameters
        ----------
        weight : float, default=1.0
            :math:`\tau`, the variance of the branch relative to the skip's, above 0.

        Returns
        -------
        Activation
            Not pointwise: the layer adds its input.

        Raises
        ------
        ValueError
            If `weight` is not positive and finite.

        Examples
        --------
        >>> import deeplimit as dl
        >>> dl.taxonomy(dl.Activation("h2").residual(1.0)).regime
        'singular-kernel'
        """
        if not (math.isfinite(weight) and weight > 0):
            raise ValueError(f"the weight of the branch is above 0, got {weight}.")
        parts = [(1.0 / (1.0 + weight), IdentityDual()), (weight / (1.0 + weight), self.dual)]
        made = self._layer(parts, f"{self.name} with skip, branch {weight:g}")
        made._recipe = recipes.change(self, "residual", weight)
        return made


def _times(phi: Changeable, factor: float, z: Array) -> Array:
    return factor * phi(z)


def _at_multiple(phi: Changeable, factor: float, z: Array) -> Array:
    return phi(factor * z)


def _less(phi: Changeable, mean: float, z: Array) -> Array:
    return phi(z) - mean


def _sum(phi: Changeable, psi: Changeable, z: Array) -> Array:
    return phi(z) + psi(z)


def _of(phi: Changeable, psi: Changeable, z: Array) -> Array:
    return phi(psi(z))


def _check_factor(factor: float) -> None:
    if not math.isfinite(factor) or factor == 0.0:
        raise ValueError(f"the factor must be finite and not zero, got {factor}.")
