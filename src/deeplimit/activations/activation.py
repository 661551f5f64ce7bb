"""Activation functions with everything the theory asks of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from deeplimit.activations import analysis, catalog, recipes
from deeplimit.activations.changes import Changeable
from deeplimit.activations.export import Code, export
from deeplimit.activations.expressions import parse
from deeplimit.activations.foreign import DOUBLE, ForeignFunction, adapt
from deeplimit.activations.tree import Expression, hermite_sum
from deeplimit.duals.algebra import CenteredDual
from deeplimit.duals.base import Dual, Parity
from deeplimit.duals.hermite import GaussianQuadrature
from deeplimit.duals.series import SeriesDual
from deeplimit.persist.state import State

Array = NDArray[np.float64]


class Activation(Changeable):
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
    (0.95581527652, 1.225700003786)
    >>> dl.Activation("x*sigmoid(1.702x)").centered().A
    0.0
    """

    name: str
    expression: Expression | None
    pointwise: bool = True
    _function: Callable[[Array], Array]

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
            adapted = adapt(spec)
            self._function: Callable[[Array], Array] = adapted
            self._precision = adapted.precision
            default = _name_of(spec)
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
            if entry.squares:
                self._closed, self._signed = SeriesDual(entry.squares), np.sqrt(entry.squares)
            return key
        try:
            self.expression = parse(text)
        except ValueError as error:
            if text.strip().replace("_", "").replace("-", "").isalnum():
                raise ValueError(
                    f"no activation is called {text!r}.{catalog.suggestion(text)} It is no formula "
                    f"either: {str(error).splitlines()[0].partition(';')[0]}."
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

        Raises
        ------
        ValueError
            If the activation is a layer, with a bias or a skip, not one function of its input.
        """
        self._check_pointwise()
        return np.asarray(self._function(np.asarray(z, dtype=np.float64)), dtype=np.float64)

    def __repr__(self) -> str:
        return f"Activation({self.name!r})"

    @property
    def formula(self) -> str:
        """The formula as text; the name where there is none."""
        return self.expression.text() if self.expression is not None else self.name

    @cached_property
    def _analysis(self) -> analysis.Analysis:
        if self.expression is not None:
            return analysis.of_expression(self.expression)
        return analysis.Analysis(self._function, self._precision)

    @cached_property
    def _quadrature(self) -> GaussianQuadrature:
        with self._named():
            return self._analysis.quadrature

    @contextmanager
    def _named(self) -> Iterator[None]:
        """Put the name before what the analysis of the function complains of."""
        try:
            yield
        except ValueError as error:
            raise ValueError(f"{self.name}: {error}") from None

    @cached_property
    def dual(self) -> Dual:
        """The dual map of the normalised activation."""
        if self._closed is not None:
            return self._closed
        with self._named():
            dual = self._analysis.dual
        return CenteredDual(dual) if self._zero_mean else dual

    @cached_property
    def _root(self) -> float:
        """Root of the mean square, which is in range where the square itself is not."""
        if "norm2" in self.__dict__:
            return math.sqrt(self.norm2)
        return math.sqrt(self._quadrature.moments.norm2) * self._quadrature.scale

    @cached_property
    def norm2(self) -> float:
        r""":math:`E\,\phi(z)^2`, the factor between the activation as given and normalised."""
        scale = self._quadrature.scale
        return self._representable(self._quadrature.moments.norm2 * scale * scale)

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
        m, scale = self._quadrature.moments, self._quadrature.scale
        root = math.sqrt(m.norm2)
        relative = m.errors["norm2"] / m.norm2
        # A value that happens to be computed as zero is not known to be.
        centred = self.parity == "odd" or isinstance(self.dual, CenteredDual)
        level = self.parity == "even"
        jumps = math.isinf(self.B1)
        return {
            "norm2": m.errors["norm2"] * scale * scale,
            "A": 0.0 if centred else m.errors["mean"] / root + abs(self.A) * relative,
            "A1": 0.0 if level else m.errors["slope"] / root + abs(self.A1) * relative,
            "B1": 0.0 if jumps else m.errors["energy"] / m.norm2 + self.B1 * relative,
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
        signed = self._signed
        if signed is None and self._closed is None:
            with self._named():
                signed = self._analysis.signed
        if signed is None:
            # The sign is known from the values, the size better from the dual.
            with self._named():
                found = self._analysis.hermite(n)
            return np.copysign(np.sqrt(self.dual.coefficients(n)), found)
        out = np.zeros(n)
        out[: min(n, signed.size)] = signed[:n]
        return out

    def _copy(self, name: str | None = None) -> Activation:
        return Activation(self, name=name)

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
        self._check_pointwise()
        if isinstance(self._function, ForeignFunction) and self._function.way == "torch":
            return self._function.original
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


def _name_of(function: Callable[..., Any]) -> str:
    """Name a function, one with some arguments set included."""
    name = getattr(getattr(function, "func", function), "__name__", type(function).__name__)
    return "function" if name == "<lambda>" else str(name)
