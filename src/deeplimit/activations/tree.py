"""A formula of one variable: built, evaluated in any library, written in any notation."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from deeplimit.activations import export
from deeplimit.activations.functions import (
    CONSTANTS,
    FUNCTIONS,
    MAX_DEGREE,
    Evaluation,
    FunctionSpec,
)
from deeplimit.activations.nodes import Comparison, Evaluable, Node, refuse_comparisons
from deeplimit.activations.notation import Writer, Written
from deeplimit.activations.operators import OPERATORS
from deeplimit.duals.base import Parity

__all__ = [
    "Call",
    "Comparison",
    "Constant",
    "Expression",
    "Number",
    "Operation",
    "Variable",
    "hermite_sum",
    "number",
]


class Expression(Evaluable):
    """A formula of one variable `x`.

    Expressions are made by `parse`, by arithmetic on expressions and numbers, and by the node
    classes. They are frozen, compare by structure and are nested at most `MAX_DEPTH` levels deep.

    Examples
    --------
    >>> from deeplimit.activations.expressions import Variable, parse
    >>> x = Variable()
    >>> e = 2 * x**2 - 1
    >>> e
    parse('2*x^2 - 1')
    >>> e == parse("2x^2 - 1"), e.parity()
    (True, 'even')
    >>> e([0.0, 1.0])
    array([-1.,  1.])
    """

    # NumPy's scalars leave arithmetic with an expression to the expression.
    __array_ufunc__ = None

    def compose(self, inner: Expression) -> Expression:
        """Put another expression in the place of the variable.

        Parameters
        ----------
        inner : Expression
            What to apply this expression to.

        Returns
        -------
        Expression
            This expression of `inner` of the variable.

        Raises
        ------
        ValueError
            If the result would be too large, or not finite where it is constant.

        Examples
        --------
        >>> from deeplimit.activations.expressions import parse
        >>> parse("x*tanh(x)").compose(parse("2x"))
        parse('(2*x)*tanh(2*x)')
        """
        composed: Expression = self._substitute(inner)
        return composed

    def python(self, name: str = "activation") -> str:
        """Write a Python function that needs NumPy and SciPy only.

        Parameters
        ----------
        name : str, default="activation"
            Name of the function.

        Returns
        -------
        str
            Source, with its imports.

        Raises
        ------
        ValueError
            If `name` cannot name a function here.

        Examples
        --------
        >>> from deeplimit.activations.expressions import parse
        >>> print(parse("sin(2.676x)").python("sine").splitlines()[-1])
            return np.sin(2.676 * x)
        """
        return export.python_source(self, name)

    def torch(self, name: str = "Activation") -> str:
        """Write a PyTorch module without parameters.

        Parameters
        ----------
        name : str, default="Activation"
            Name of the class.

        Returns
        -------
        str
            Source of a subclass of ``torch.nn.Module``, with its imports.

        Raises
        ------
        ValueError
            If `name` cannot name a class here.

        Examples
        --------
        >>> from deeplimit.activations.expressions import parse
        >>> print(parse("sin(2.676x)").torch("Sine").splitlines()[-1].strip())
        return torch.sin(2.676 * x)
        """
        return export.torch_source(self, name)

    def __repr__(self) -> str:
        return f"parse({self.text()!r})"

    def __add__(self, other: Expression | float) -> Expression:
        return Operation("+", (*self._parts("+"), number(other)))

    def __radd__(self, other: float) -> Expression:
        return number(other) + self

    def __sub__(self, other: Expression | float) -> Expression:
        return self + (-number(other))

    def __rsub__(self, other: float) -> Expression:
        return number(other) - self

    def __mul__(self, other: Expression | float) -> Expression:
        return Operation("*", (*self._parts("*"), number(other)))

    def __rmul__(self, other: float) -> Expression:
        return number(other) * self

    def __truediv__(self, other: Expression | float) -> Expression:
        return Operation("/", (self, number(other)))

    def __rtruediv__(self, other: float) -> Expression:
        return number(other) / self

    def __pow__(self, other: Expression | float) -> Expression:
        return Operation("^", (self, number(other)))

    def __rpow__(self, other: float) -> Expression:
        return number(other) ** self

    def __neg__(self) -> Expression:
        return Operation("neg", (self,))

    def _parts(self, sign: str) -> tuple[Node, ...]:
        """Give what a flat sum or product that begins with this expression begins with."""
        return (self,)


@dataclass(frozen=True, repr=False)
class Number(Expression):
    """A number written out; ``-2`` is an `Operation` on one.

    Attributes
    ----------
    value : float
        Finite and without a sign.
    """

    value: float

    def __post_init__(self) -> None:
        value = float(self.value)
        if not math.isfinite(value) or math.copysign(1.0, value) < 0.0:
            raise ValueError(f"a Number is finite and has no sign, got {value!r}; use number()")
        object.__setattr__(self, "value", value)
        super().__post_init__()

    def _fold(self) -> float:
        return self.value

    def _write(self, writer: Writer) -> Written:
        return writer.number(self.value)

    def parity(self) -> Parity:
        """Give "even"."""
        return "even"


@dataclass(frozen=True, repr=False)
class Constant(Expression):
    """A number with a name.

    Attributes
    ----------
    name : {"pi", "e"}
        The name.
    """

    name: str

    def __post_init__(self) -> None:
        if self.name not in CONSTANTS:
            raise ValueError(f"no constant {self.name!r}; there are {', '.join(CONSTANTS)}")
        super().__post_init__()

    def _fold(self) -> float:
        return CONSTANTS[self.name][0]

    def _write(self, writer: Writer) -> Written:
        return writer.named(self.name)

    def parity(self) -> Parity:
        """Give "even"."""
        return "even"


@dataclass(frozen=True, repr=False)
class Variable(Expression):
    """The variable ``x``."""

    def _evaluate(self, evaluation: Evaluation) -> Any:
        return evaluation.x

    def _substitute(self, inner: Any) -> Any:
        return inner

    def _write(self, writer: Writer) -> Written:
        return writer.variable()

    def parity(self) -> Parity:
        """Give "odd"."""
        return "odd"


@dataclass(frozen=True, repr=False)
class Operation(Expression):
    """A sum, a product, a quotient, a power or a change of sign.

    Attributes
    ----------
    sign : {"+", "*", "/", "^", "neg"}
        What is done. A subtracted term is a changed sign in a sum.
    operands : tuple of Expression
        Two or more for a sum or a product, which are flat; otherwise two, or one for "neg".
    """

    sign: str
    operands: tuple[Node, ...]

    def __post_init__(self) -> None:
        operator = OPERATORS.get(self.sign)
        if operator is None:
            raise ValueError(f"no operator {self.sign!r}; there are {', '.join(OPERATORS)}")
        if not operator.fewest <= len(self.operands) <= operator.most:
            raise ValueError(f"{self.sign} cannot take {len(self.operands)} operands")
        refuse_comparisons(self.operands)
        super().__post_init__()

    def _parts(self, sign: str) -> tuple[Node, ...]:
        return self.operands if self.sign == sign else (self,)

    def _compute(self, evaluation: Evaluation, *values: Any) -> Any:
        return OPERATORS[self.sign].compute(*values)

    def _write(self, writer: Writer) -> Written:
        return writer.operation(self.sign, self.operands)

    def parity(self) -> Parity:
        """Give the parity by the operator's rule; a constant is even."""
        return "even" if self.constant is not None else OPERATORS[self.sign].parity(self.operands)


@dataclass(frozen=True, repr=False)
class Call(Expression):
    """A call of one of the `FUNCTIONS`.

    Attributes
    ----------
    name : str
        Name of the function.
    operands : tuple of Node
        Its arguments; the first one of ``where`` is a `Comparison`.
    """

    name: str
    operands: tuple[Node, ...]

    def __post_init__(self) -> None:
        spec = FUNCTIONS.get(self.name)
        if spec is None:
            raise ValueError(f"no function {self.name!r}")
        if len(self.operands) != spec.arity:
            raise ValueError(f"{spec.signature} cannot take {len(self.operands)} arguments")
        if self.name == "where":
            if not isinstance(self.operands[0], Comparison):
                raise ValueError(f"{spec.signature} needs a condition such as x > 0 first")
            refuse_comparisons(self.operands[1:])
        else:
            refuse_comparisons(self.operands)
        if self.name == "h":
            degree = self.operands[0]
            if not isinstance(degree, Number) or degree.value not in range(MAX_DEGREE + 1):
                raise ValueError(f"the degree k of h(k, x) is an integer from 0 to {MAX_DEGREE}")
        super().__post_init__()

    @property
    def spec(self) -> FunctionSpec:
        """What is known of the function."""
        return FUNCTIONS[self.name]

    def _fold(self) -> float | None:
        if self.name == "h" and self.operands[0].constant == 0.0:
            return 1.0
        return super()._fold()

    def _compute(self, evaluation: Evaluation, *values: Any) -> Any:
        return evaluation.call(self.name, *values)

    def _write(self, writer: Writer) -> Written:
        return writer.call(self)

    def definition(self) -> Expression:
        """Give the function of the variable as its definition by other functions."""
        if self.spec.definition is None:
            raise ValueError(f"{self.name} is not defined by other functions")
        body: Expression = self.spec.definition(
            lambda name, *values: Call(name, tuple(map(number, values))), Variable()
        )
        return body

    def parity(self) -> Parity:
        """Give the parity by the function's rule; a constant is even."""
        return "even" if self.constant is not None else self.spec.parity(self.operands)


def number(value: Expression | float) -> Expression:
    """Make an expression of a number of either sign; an expression stays as it is.

    Parameters
    ----------
    value : float or Expression
        A finite number.

    Returns
    -------
    Expression
        A `Number`, or a change of sign of one.

    Raises
    ------
    TypeError
        If `value` is neither a real number nor an expression.
    ValueError
        If `value` is infinite or NaN.

    Examples
    --------
    >>> number(-0.5)
    parse('-0.5')
    """
    if isinstance(value, Expression):
        return value
    if not isinstance(value, int | float | np.integer | np.floating):
        raise TypeError(f"a formula is built of real numbers, got {type(value).__name__}")
    value = float(value)
    return -Number(-value) if math.copysign(1.0, value) < 0.0 else Number(value)


def hermite_sum(coefficients: Mapping[int, float] | Sequence[float]) -> Expression:
    r"""Build :math:`\sum_k c_k h_k(x)` in the normalised Hermite polynomials.

    Parameters
    ----------
    coefficients : mapping of int to float, or sequence of float
        Coefficient of each degree; those that are 0 are left out.

    Returns
    -------
    Expression
        Terms ``c*h(k, x)`` by rising degree; a coefficient 1 is not written, and degree 0 gives
        a number.

    Raises
    ------
    ValueError
        If a coefficient is not finite, or a degree is not an integer from 0 to 500.

    Examples
    --------
    >>> hermite_sum({1: 0.5**0.5, 3: -(0.5**0.5)})
    parse('0.7071067811865476*h(1, x) - 0.7071067811865476*h(3, x)')
    """
    pairs = coefficients.items() if isinstance(coefficients, Mapping) else enumerate(coefficients)
    terms: list[Expression] = []
    for degree, coefficient in sorted(pairs):
        if coefficient == 0.0:
            continue
        polynomial = Call("h", (Number(degree), Variable()))
        if degree == 0:
            terms.append(number(coefficient))
        elif abs(coefficient) == 1.0:
            terms.append(polynomial if coefficient > 0.0 else -polynomial)
        elif coefficient > 0.0 or not terms:
            terms.append(number(coefficient) * polynomial)
        else:
            terms.append(-(number(-coefficient) * polynomial))
    if len(terms) > 1:
        return Operation("+", tuple(terms))
    return terms[0] if terms else Number(0.0)
