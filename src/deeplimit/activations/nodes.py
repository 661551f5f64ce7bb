"""The parts of a formula's tree: their limits, the folding of constants, the passes over them."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from deeplimit._extras import require
from deeplimit.activations.functions import DIALECTS, Backend, Evaluation
from deeplimit.activations.notation import TextWriter, TexWriter, Writer, Written
from deeplimit.activations.operators import COMPARISONS
from deeplimit.duals.base import Array, Parity

__all__ = ["MAX_DEPTH", "MAX_SIZE", "Comparison", "Evaluable", "Node", "refuse_comparisons"]

#: Levels of nesting, so that recursion over a tree stays far from the interpreter's limit.
MAX_DEPTH = 64
#: Nodes, counted as often as they are reached, so that no sharing can hide an exponential cost.
MAX_SIZE = 10_000

_SCRATCH = Evaluation(DIALECTS["numpy"], np.float64(0.0))


class Node:
    """A part of a formula: an expression, or the condition of a ``where``.

    Attributes
    ----------
    operands : tuple of Node
        The parts, from left to right.
    depth, size : int
        Levels from here downward; number of nodes.
    constant : float or None
        The value, if it does not depend on the variable; always finite.

    Raises
    ------
    ValueError
        If the formula is nested too deep, too large, or constant without being finite.
    """

    operands: tuple[Node, ...] = ()
    depth: int
    size: int
    constant: float | None

    def __post_init__(self) -> None:
        depth = 1 + max((part.depth for part in self.operands), default=0)
        size = 1 + sum(part.size for part in self.operands)
        if depth > MAX_DEPTH:
            raise ValueError(f"the formula is nested more than {MAX_DEPTH} levels deep")
        if size > MAX_SIZE:
            raise ValueError(f"the formula has more than {MAX_SIZE} parts")
        constant = self._fold()
        if constant is not None and not math.isfinite(constant):
            text = self.text()
            short = text if len(text) <= 40 else text[:37] + "..."
            raise ValueError(f"{short} is not a finite number")
        # The dataclasses are frozen; these three follow from their fields.
        object.__setattr__(self, "depth", depth)
        object.__setattr__(self, "size", size)
        object.__setattr__(self, "constant", constant)

    def _fold(self) -> float | None:
        """Give the value if every part is constant."""
        values = [np.float64(v) for part in self.operands if (v := part.constant) is not None]
        if not values or len(values) < len(self.operands):
            return None
        with np.errstate(all="ignore"):
            return float(self._compute(_SCRATCH, *values))

    def _compute(self, evaluation: Evaluation, *values: Any) -> Any:
        """Combine the values of the parts."""
        raise NotImplementedError

    def _evaluate(self, evaluation: Evaluation) -> Any:
        if self.constant is not None:
            return self.constant
        return self._compute(evaluation, *(part._evaluate(evaluation) for part in self.operands))

    def _substitute(self, inner: Any) -> Any:
        """Put another tree in the place of the variable."""
        if not self.operands:
            return self
        operands = tuple(part._substitute(inner) for part in self.operands)
        fields: dict[str, Any] = {"operands": operands}
        return dataclasses.replace(self, **fields)  # type: ignore[type-var]

    def _write(self, writer: Writer) -> Written:
        raise NotImplementedError

    def parity(self) -> Parity:
        """Give the symmetry about 0 that the structure proves.

        Returns
        -------
        {"odd", "even", None}
            None if the rules for sums, products, powers and compositions decide nothing; "even"
            for a constant.

        Examples
        --------
        >>> from deeplimit.activations.expressions import parse
        >>> parse("x*tanh(x)").parity(), parse("x + cos(x)").parity()
        ('even', None)
        """
        raise NotImplementedError

    def text(self) -> str:
        """Write in the formula language.

        Returns
        -------
        str
            What `parse` reads back as an equal tree.

        Examples
        --------
        >>> from deeplimit.activations.expressions import parse
        >>> parse("2*|x|**2").text()
        '2*abs(x)^2'
        """
        return TextWriter().text(self)

    def tex(self) -> str:
        r"""Write in TeX, for the inside of a formula environment.

        Returns
        -------
        str
            TeX that needs amsmath.

        Examples
        --------
        >>> from deeplimit.activations.expressions import parse
        >>> print(parse("x/sqrt(1 + x^2)").tex())
        \frac{x}{\sqrt{1 + x^{2}}}
        """
        return TexWriter().text(self)


class Evaluable(Node):
    """A node that has values, whole arrays at a time, in NumPy and in other libraries."""

    def __call__(self, z: ArrayLike) -> Array:
        """Evaluate in NumPy, without warnings: values that do not exist are NaN.

        Parameters
        ----------
        z : array_like of any shape
            Real arguments.

        Returns
        -------
        ndarray of float64
            Values, of the shape of `z`.

        Raises
        ------
        TypeError
            If `z` is complex.

        Examples
        --------
        >>> from deeplimit.activations.expressions import parse
        >>> parse("max(0, x) - 0.4")([-1.0, 2.0])
        array([-0.4,  1.6])
        """
        if np.iscomplexobj(z):
            raise TypeError("an activation takes real numbers, got complex ones.")
        x = np.asarray(z, dtype=np.float64)
        with np.errstate(all="ignore"):
            values = self.evaluate(x)
        return np.array(values, dtype=np.float64)[()] if values is x else np.asarray(values)[()]

    def evaluate(self, x: Any, backend: Backend = "numpy") -> Any:
        """Evaluate on an array of a library, by that library's functions.

        Parameters
        ----------
        x : ndarray, torch.Tensor or jax.Array of floating dtype
            Arguments.
        backend : {"numpy", "torch", "jax"}, default="numpy"
            The library.

        Returns
        -------
        array
            Values, of the type and shape of `x`; differentiable where the library does that.

        Raises
        ------
        ImportError
            If the library is not installed.
        ValueError
            If `backend` is none of these.

        Examples
        --------
        >>> import numpy as np
        >>> from deeplimit.activations.expressions import parse
        >>> parse("x^2").evaluate(np.array([3.0]))
        array([9.])
        """
        if backend not in DIALECTS:
            raise ValueError(f"backend is one of {', '.join(DIALECTS)}; got {backend!r}.")
        evaluation = Evaluation(DIALECTS[backend], x)
        values = self._evaluate(evaluation)
        return values if self.constant is None else evaluation.full_like(self.constant)

    def on_torch(self, tensor: Any) -> Any:
        """Evaluate on a PyTorch tensor, on its device and in its dtype.

        Parameters
        ----------
        tensor : torch.Tensor of floating dtype
            Arguments.

        Returns
        -------
        torch.Tensor
            Values, of the shape of `tensor`, with gradients.

        Raises
        ------
        ImportError
            If PyTorch is not installed.
        TypeError
            If `tensor` is not a tensor of floating dtype.

        Examples
        --------
        >>> import torch
        >>> from deeplimit.activations.expressions import parse
        >>> parse("max(0, x) - 0.5").on_torch(torch.tensor([-1.0, 2.0]))
        tensor([-0.5000,  1.5000])
        """
        torch = require("torch", extra="torch", purpose="evaluating an activation with torch")
        if not (torch.is_tensor(tensor) and tensor.is_floating_point()):
            got = getattr(tensor, "dtype", type(tensor).__name__)
            raise TypeError(f"an activation takes a tensor of floating dtype, got {got}.")
        return self.evaluate(tensor, "torch")

    @property
    def variables(self) -> frozenset[str]:
        """The variables the value depends on: ``{"x"}`` or none."""
        return frozenset() if self.constant is not None else frozenset({"x"})


@dataclass(frozen=True, repr=False)
class Comparison(Node):
    """A condition such as ``x > 0``; it must depend on the variable.

    Attributes
    ----------
    sign : {"<", "<=", ">", ">="}
        What is asked.
    operands : tuple of Expression
        Both sides.
    """

    sign: str
    operands: tuple[Node, ...]

    def __post_init__(self) -> None:
        if self.sign not in COMPARISONS or len(self.operands) != 2:
            raise ValueError(f"a comparison is one of {', '.join(COMPARISONS)} between two parts")
        refuse_comparisons(self.operands)
        if all(part.constant is not None for part in self.operands):
            raise ValueError("a condition must depend on x")
        super().__post_init__()

    def _compute(self, evaluation: Evaluation, *values: Any) -> Any:
        return COMPARISONS[self.sign](*values)

    def _write(self, writer: Writer) -> Written:
        return writer.comparison(self.sign, *self.operands)

    def parity(self) -> Parity:
        """Give "even" if both sides are even."""
        return "even" if all(part.parity() == "even" for part in self.operands) else None


def refuse_comparisons(parts: Sequence[Node]) -> None:
    """Raise ValueError if one of the parts is a condition."""
    if not all(isinstance(part, Evaluable) for part in parts):
        raise ValueError("a comparison can stand only as the first argument of where")
