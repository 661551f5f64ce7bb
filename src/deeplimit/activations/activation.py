"""Activation functions with everything the theory asks of them."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from deeplimit.activations import catalog, recipes
from deeplimit.activations.export import Code, export
from deeplimit.activations.expressions import parse
from deeplimit.activations.foreign import DOUBLE, adapt
from deeplimit.activations.polynomial import hermite_coefficients
from deeplimit.activations.tree import Expression, Variable, hermite_sum, number
from deeplimit.duals.algebra import CenteredDual, MixedDual
from deeplimit.duals.base import Dual, Parity
from deeplimit.duals.closed import ArcCosineDual, ArcSineDual, ConstantDual, IdentityDual
from deeplimit.duals.hermite import GaussianQuadrature
from deeplimit.duals.quadrature import QuadratureDual
from deeplimit.duals.series import SeriesDual
from deeplimit.persist.state import State

Array = NDArray[np.float64]

_SERIES_TERMS = 400


class Activation:
    r"""An activation function, its dual and its constants.

    Every constant is that of the normalised activation :math:`\phi/\sqrt{E\,\phi(z)^2}` with `z`
    a standard Gaussian; calling the object gives the function as it was given.

    Parameters
    ----------
    spec : str, Expression, callable or Activation
        A name (``"relu"``, ``"gelu"``, ``"h3"``, ``"sine_2.676"``, see `names`), a formula
        (``"sin(2.676*x)"``), or any pointwise function of NumPy arrays, PyTorch tensors, JAX
        arrays or floats.
    name : str, optional
        What to call it; by default the name, the formula or the function's own name.

    Attributes
    ----------
    name : str
    expression : Expression or None
        The formula; None for a function without one.
    dual : Dual
        :math:`f(\xi) = E\,\phi(u)\phi(v)`, normalised.
    norm2 : float
        :math:`E\,\phi(z)^2` before normalising.
    A, A1, B1 : float
        :math:`E\,\phi`, :math:`E\,\phi'` and :math:`E\,\phi'^2`; `B1` is infinite if the
        activation jumps.
    errors : dict of str to float
        Absolute error bounds of ``norm2``, ``A``, ``A1`` and ``B1``. Zero means that the value is
        exact by structure (a symmetry, a closed form, a mean taken away) up to its rounding.
    pointwise : bool
        False for a layer with a bias or a skip, which is not one function of `z`.

    Raises
    ------
    ValueError
        If the activation is not square-integrable, not pointwise, or a formula does not parse.
    TypeError
        If `spec` is none of the above.

    References
    ----------
    .. [1] A. Radhakrishnan, M. Belkin, C. Uhler, "Wide and deep neural networks achieve optimality
       for classification", arXiv 2204.14126.
    .. [2] A. Daniely, R. Frostig, Y. Singer, "Toward deeper understanding of neural networks: the
       power of initialization and a dual view on expressivity", NeurIPS 2016 (dual activations).

    Examples
    --------
    >>> import deeplimit as dl
    >>> phi = dl.Activation("erf")
    >>> round(phi.A1, 12), round(phi.B1, 12)
    (0.955815276520, 1.225700003786)
    >>> dl.Activation("x*sigmoid(1.702x)").centered().A
    0.0
    """

    name: str
    expression: Expression | None
    pointwise: bool = True

    def __init__(
        self,
        spec: str | Expression | Callable[..., Any] | Activation,
        *,
        name: str | None = None,
    ) -> None:
        self._precision = DOUBLE
        self._closed: Dual | None = None
        self._signed: Array | None = None
        self._zero_mean = False
        self.expression = None
        self._recipe: recipes.Recipe | None = None
        if isinstance(spec, Activation):
            self.__dict__.update(spec.__dict__)
            self.name = name or spec.name
            return
        if isinstance(spec, str):
            default = self._read(spec)
            self._recipe = {"kind": "spec", "spec": default}
        elif isinstance(spec, Expression):
            self.expression, default = spec, spec.text()
            self._recipe = {"kind": "spec", "spec": default}
        elif callable(spec):
            self._function, self._precision = adapt(spec)
            default = getattr(spec, "__name__", type(spec).__name__)
            default = "function" if default == "<lambda>" else default
        else:
            raise TypeError(
                "an activation is a name, a formula or a pointwise function, "
                f"got {type(spec).__name__}."
            )
        if self.expression is not None:
            self._function = self.expression
        self.name = name or default

    def _read(self, text: str) -> str:
        found = catalog.find(text)
        if found is not None:
            key, entry = found
            self.expression = parse(entry.formula)
            self._closed = entry.dual() if entry.dual else None
            self._zero_mean = entry.zero_mean
            squares = catalog.SQUARED_COEFFICIENTS.get(key)
            if squares:
                self._closed, self._signed = SeriesDual(squares), np.sqrt(squares)
            elif re_hermite := (key[1:] if key[0] == "h" and key[1:].isdigit() else ""):
                self._signed = np.eye(int(re_hermite) + 1)[-1]
                self._closed = SeriesDual(self._signed)
            return key
        try:
            self.expression = parse(text)
        except ValueError as error:
            if text.strip().replace("_", "").replace("-", "").isalnum():
                raise ValueError(
                    f"no activation is called {text!r}, and as a formula: {error}"
                    f"{catalog.suggestion(text)}"
                ) from None
            raise
        return text.strip()

    @classmethod
    def from_hermite(cls, coefficients: ArrayLike, name: str | None = None) -> Activation:
        r"""Make an activation of its normalised Hermite coefficients.

        Parameters
        ----------
        coefficients : array_like of shape (K,)
            :math:`c_k` in :math:`\phi = \sum_k c_k h_k`, of any norm.
        name : str, optional
            What to call it; by default its formula.

        Returns
        -------
        Activation
            Its dual :math:`\sum_k c_k^2 \xi^k / \sum_k c_k^2` is exact.

        Raises
        ------
        ValueError
            If all coefficients are zero or one is not finite.

        Examples
        --------
        >>> import deeplimit as dl
        >>> dl.Activation.from_hermite([0, 1, 0, 1]).B1
        2.0
        """
        c = np.asarray(coefficients, dtype=np.float64)
        if c.ndim != 1 or not np.all(np.isfinite(c)) or not np.any(c):
            raise ValueError("Hermite coefficients must be finite, in one row, and not all zero.")
        self = cls(hermite_sum(c.tolist()), name=name)
        self._signed = c / np.linalg.norm(c)
        self._closed = SeriesDual(c * c)
        self._recipe = {"kind": "hermite", "coefficients": c.tolist()}
        return self

    #: Subclasses are saved as what they are to a network.
    _saved_as = "Activation"

    def _to_state(self) -> State:
        if self._recipe is None:
            raise TypeError(
                f"{self.name} is a Python callable, which a model file cannot hold because it "
                "holds no code; give the activation by name or as a formula such as "
                "'sin(2.676*x)' and fit again."
            )
        return State("Activation", {"name": self.name, "recipe": self._recipe})

    @classmethod
    def _from_state(cls, state: State) -> Activation:
        recipe: Any = state.meta["recipe"]
        return recipes.make(recipe, str(state.meta["name"]))

    def __call__(self, z: ArrayLike) -> Array:
        """Evaluate the activation as given, not normalised.

        Parameters
        ----------
        z : array_like of float
            Arguments, of any shape.

        Returns
        -------
        ndarray of float64
            Values, of the shape of `z`.
        """
        return np.asarray(self._function(np.asarray(z, dtype=np.float64)), dtype=np.float64)

    def __repr__(self) -> str:
        return f"Activation({self.name!r})"

    @property
    def formula(self) -> str:
        """The formula as text; the name where there is none."""
        return self.expression.text() if self.expression is not None else self.name

    @cached_property
    def _quadrature(self) -> GaussianQuadrature:
        try:
            return GaussianQuadrature(self._function, self._precision)
        except ValueError as error:
            raise ValueError(f"{self.name}: {error}") from None

    @cached_property
    def dual(self) -> Dual:
        """The dual map of the normalised activation."""
        if self._closed is not None:
            return self._closed
        c = None if self.expression is None else hermite_coefficients(self.expression)
        if c is not None:
            if not np.any(c):
                raise ValueError(f"{self.name}: the activation is zero everywhere.")
            self._signed = c / np.linalg.norm(c)
            return SeriesDual(c * c)
        dual = self._recognised() or self._numerical()
        return CenteredDual(dual) if self._zero_mean else dual

    def _recognised(self) -> Dual | None:
        """Closed form of a function that is linear, or constant, on either side of zero.

        Doubling the argument is exact in binary, so homogeneity can be tested bit for bit.
        """
        z = self._quadrature._fine[0]
        z = z[np.abs(z) > 1e-3]
        v, v2 = self(z), self(2.0 * z)
        p, n = (float(v) for v in self(np.array([1.0, -1.0])))
        if not (math.isfinite(p) and math.isfinite(n)) or p == n == 0.0:
            return None
        if np.array_equal(v2, 2.0 * v) and np.array_equal(
            v > 0, np.where(z > 0, p, n) > 0
        ):  # pragma: no branch
            linear = np.where(z > 0, p * z, -n * z)
            if np.allclose(v, linear, rtol=8 * self._precision, atol=0.0):
                return ArcCosineDual(p, n)
        if np.array_equal(v2, v) and np.array_equal(v, np.where(z > 0, p, n)):
            mean2 = (p + n) ** 2 / (2.0 * (p * p + n * n))
            if mean2 == 1.0:
                return ConstantDual()
            return MixedDual([(mean2, ConstantDual()), (1.0 - mean2, ArcSineDual(math.inf))])
        return None

    def _numerical(self) -> Dual:
        q = self._quadrature
        norm2 = q.moments.norm2
        if q.pieces.smooth and not q.pieces.breaks.size:
            c, error = q.hermite(_SERIES_TERMS)
            k = np.arange(c.size)
            terms = c * c * k / norm2
            last = np.flatnonzero(terms > 1e-17)[-1] + 1 if np.any(terms > 1e-17) else 1
            if last < _SERIES_TERMS - 40:
                return SeriesDual(c[:last] ** 2, error=2.0 * error / math.sqrt(norm2))
        return QuadratureDual(q)

    @cached_property
    def norm2(self) -> float:
        r""":math:`E\,\phi(z)^2`, the factor between the activation as given and normalised."""
        return self._quadrature.moments.norm2

    @property
    def is_odd(self) -> bool:
        """Whether the activation is odd, and its kernels with it."""
        return self.dual.parity == "odd"

    @property
    def is_even(self) -> bool:
        """Whether the activation is even."""
        return self.dual.parity == "even"

    @property
    def parity(self) -> Parity:
        """Symmetry of the dual: "odd", "even" or None."""
        return self.dual.parity

    def _sign(self, degree: int) -> float:
        return 1.0 if self.hermite(degree + 1)[degree] >= 0.0 else -1.0

    @cached_property
    def A(self) -> float:
        r""":math:`E\,\phi` of the normalised activation."""
        a0 = self.dual.a0
        return self._sign(0) * math.sqrt(a0) if a0 else 0.0

    @cached_property
    def A1(self) -> float:
        r""":math:`E\,\phi'` of the normalised activation."""
        a1 = self.dual.a1
        return self._sign(1) * math.sqrt(a1) if a1 else 0.0

    @property
    def B1(self) -> float:
        r""":math:`E\,\phi'^2` of the normalised activation."""
        return self.dual.slope_at_one

    @cached_property
    def errors(self) -> dict[str, float]:
        """Absolute error bounds of ``norm2``, ``A``, ``A1`` and ``B1``; 0 is exact."""
        zero = {"norm2": 0.0, "A": 0.0, "A1": 0.0, "B1": 0.0}
        if self.dual.error == 0.0:
            return zero
        m = self._quadrature.moments
        root = math.sqrt(m.norm2)
        relative = m.errors["norm2"] / m.norm2
        slope = 0.0 if math.isinf(self.B1) else m.errors["energy"] / m.norm2
        return {
            "norm2": m.errors["norm2"],
            "A": m.errors["mean"] / root + abs(self.A) * relative if self.A else 0.0,
            "A1": m.errors["slope"] / root + abs(self.A1) * relative if self.A1 else 0.0,
            "B1": slope + self.B1 * relative if slope else 0.0,
        }

    def hermite(self, n: int) -> Array:
        r"""Give the signed normalised Hermite coefficients of the normalised activation.

        Parameters
        ----------
        n : int
            How many, from degree 0.

        Returns
        -------
        ndarray of float64, shape (n,)
            :math:`E\,\phi(z) h_k(z)`; their squares are ``dual.coefficients(n)``.

        Examples
        --------
        >>> import deeplimit as dl
        >>> dl.Activation("x^3").hermite(4) ** 2
        array([0. , 0.6, 0. , 0.4])
        """
        _ = self.dual  # finds the exact coefficients of a polynomial
        signed = self._signed
        if signed is None:
            signed = self._quadrature.hermite(n)[0] / math.sqrt(self._quadrature.moments.norm2)
        out = np.zeros(n)
        out[: min(n, signed.size)] = signed[:n]
        return out

    # -- changes ---------------------------------------------------------------------------------

    def _derived(
        self, function: Callable[[Array], Array], expression: Expression | None, name: str
    ) -> Activation:
        if expression is not None:
            return Activation(expression, name=name)
        made = Activation(function, name=name)
        made._precision = max(made._precision, self._precision)
        return made

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
        return self.scaled(1.0 / math.sqrt(self.norm2))

    def scaled(self, factor: float) -> Activation:
        """Multiply the values; the dual stays as it is.

        Parameters
        ----------
        factor : float
            Not zero.

        Returns
        -------
        Activation

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
        made = self._derived(lambda z: factor * self(z), expression, f"{factor:.6g}*({self.name})")
        made._closed = self.dual
        made._signed = self.hermite(_SERIES_TERMS) * math.copysign(1.0, factor)
        made.__dict__["norm2"] = self.norm2 * factor**2
        made.__dict__["errors"] = {**self.errors, "norm2": self.errors["norm2"] * factor**2}
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
            lambda z: self(factor * z), expression, f"{self.name} at {factor:.6g}*x"
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
            return Activation(self)
        mean = self.A * math.sqrt(self.norm2)
        expression = None if self.expression is None else self.expression - number(mean)
        made = self._derived(lambda z: self(z) - mean, expression, f"{self.name} centred")
        rest = 1.0 - self.dual.a0
        made._closed = CenteredDual(self.dual)
        made._signed = self.hermite(_SERIES_TERMS) / math.sqrt(rest)
        made._signed[0] = 0.0
        made.__dict__["norm2"] = self.norm2 * rest
        errors = {key: error / rest for key, error in self.errors.items()}
        made.__dict__["errors"] = {**errors, "A": 0.0}
        made._recipe = recipes.change(self, "centered")
        return made

    def __add__(self, other: Activation | float) -> Activation:
        """Add two activations, or a number, value by value."""
        if isinstance(other, int | float):
            other = Activation(number(float(other)))
        if not isinstance(other, Activation):
            return NotImplemented
        both = self.expression is not None and other.expression is not None
        expression = self.expression + other.expression if both else None
        return self._derived(
            lambda z: self(z) + other(z), expression, f"{self.name} + {other.name}"
        )

    def compose(self, inner: Activation) -> Activation:
        r"""Compose pointwise: :math:`\phi(\psi(z))`.

        Parameters
        ----------
        inner : Activation
            :math:`\psi`, applied first.

        Returns
        -------
        Activation

        Examples
        --------
        >>> import deeplimit as dl
        >>> dl.Activation("square").compose(dl.Activation("sin")).formula
        'sin(x)^2'
        """
        both = self.expression is not None and inner.expression is not None
        expression = self.expression.compose(inner.expression) if both else None
        return self._derived(lambda z: self(inner(z)), expression, f"{self.name}({inner.name})")

    def _layer(self, parts: list[tuple[float, Dual]], name: str) -> Activation:
        made = Activation(self, name=name)
        for key in ("dual", "A", "A1"):
            made.__dict__.pop(key, None)
        made._closed = MixedDual(parts)
        made._signed = np.sqrt(made._closed.coefficients(_SERIES_TERMS))
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

    # -- other libraries -------------------------------------------------------------------------

    def torch(self) -> Callable[[Any], Any]:
        """Give the activation as a function of PyTorch tensors, not normalised.

        Returns
        -------
        callable
            Differentiable if the activation has a formula or was a PyTorch function.

        Raises
        ------
        ValueError
            If it is not pointwise, or is a function without a formula that PyTorch cannot run.

        Examples
        --------
        >>> import torch, deeplimit as dl
        >>> dl.Activation("relu").torch()(torch.tensor([-1.0, 2.0]))
        tensor([0., 2.])
        """
        if not self.pointwise:
            raise ValueError(f"{self.name} is a layer, not one function of its input.")
        if self.expression is None:
            raise ValueError(
                f"{self.name} has no formula to translate; give the activation as a formula."
            )
        return self.expression.on_torch

    def code(self, *, normalized: bool = True) -> Code:
        """Write the activation as text, TeX, Python, PyTorch and JAX.

        Parameters
        ----------
        normalized : bool, default=True
            Whether to divide by the root of ``norm2``.

        Returns
        -------
        Code

        Raises
        ------
        ValueError
            If there is no formula, or the activation is not pointwise.

        Examples
        --------
        >>> import deeplimit as dl
        >>> dl.Activation("erf").code(normalized=False).text
        'erf(x)'
        """
        if self.expression is None or not self.pointwise:
            raise ValueError(f"{self.name} has no formula to write out.")
        return export(self.expression, norm2=self.norm2 if normalized else 1.0)


def _check_factor(factor: float) -> None:
    if not math.isfinite(factor) or factor == 0.0:
        raise ValueError(f"the factor must be finite and not zero, got {factor}.")
