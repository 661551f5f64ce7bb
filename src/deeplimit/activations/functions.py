"""The functions a formula may call: in NumPy, PyTorch and JAX, in TeX, and their parity."""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from deeplimit._extras import require
from deeplimit.activations.operators import Operand, ParityRule, even, neither, odd
from deeplimit.duals.base import Parity

__all__ = [
    "ALIASES",
    "Backend",
    "CONSTANTS",
    "DIALECTS",
    "Dialect",
    "Evaluation",
    "FUNCTIONS",
    "FunctionSpec",
    "MAX_DEGREE",
    "normalised_hermite",
]

Backend = Literal["numpy", "torch", "jax"]

#: Named numbers: value and TeX.
CONSTANTS: Mapping[str, tuple[float, str]] = {
    "pi": (math.pi, r"\pi"),
    "e": (math.e, r"\mathrm{e}"),
}

#: Highest degree of ``h(k, x)``; up to it an overflow means that the value itself overflows.
MAX_DEGREE = 500


@dataclass(frozen=True)
class Dialect:
    """An array library: under which short names its modules go, in programs and at run time.

    Attributes
    ----------
    name : {"numpy", "torch", "jax"}
        The library.
    modules : Mapping of str to str
        Short name in a program, full name of the module.
    full_like : str
        Dotted name of the function that fills an array of given shape and dtype.
    lifts : bool
        True if functions of several arguments take arrays only, so that numbers must be lifted.
    """

    name: Backend
    modules: Mapping[str, str]
    full_like: str
    lifts: bool = False

    def __hash__(self) -> int:
        return hash(self.name)


DIALECTS: Mapping[Backend, Dialect] = {
    "numpy": Dialect(
        "numpy", {"np": "numpy", "special": "scipy.special", "math": "math"}, "np.full_like"
    ),
    "torch": Dialect("torch", {"torch": "torch", "math": "math"}, "torch.full_like", lifts=True),
    "jax": Dialect(
        "jax",
        {"jax": "jax", "jnp": "jax.numpy", "special": "jax.scipy.special", "math": "math"},
        "jnp.full_like",
    ),
}


@cache
def _resolve(dialect: Dialect, dotted: str) -> Callable[..., Any]:
    """Find the function a program of the dialect would reach under a dotted name."""
    head, *attributes = dotted.split(".")
    module = dialect.modules[head]
    if dialect.name == "numpy":
        found: Any = importlib.import_module(module)
    else:
        purpose = f"evaluating an activation with {dialect.name}"
        found = require(module, extra=dialect.name, purpose=purpose)
    for attribute in attributes:
        found = getattr(found, attribute)
    function: Callable[..., Any] = found
    return function


def _clip_parity(operands: Sequence[Operand]) -> Parity:
    x, low, high = operands
    if low.constant is not None and high.constant is not None and low.constant == -high.constant:
        return x.parity()
    return neither(operands)


def _where_parity(operands: Sequence[Operand]) -> Parity:
    condition, a, b = operands
    return a.parity() if condition.parity() == "even" and a.parity() == b.parity() else None


def _hermite_parity(operands: Sequence[Operand]) -> Parity:
    degree, x = operands
    return odd([x]) if (degree.constant or 0.0) % 2 else even([x])


@dataclass(frozen=True)
class FunctionSpec:
    r"""One function of the formula language, in every library and notation.

    Attributes
    ----------
    name : str
        Name in a formula.
    parameters : tuple of str
        Names of its arguments; their number is its arity.
    tex : str
        A TeX operator, or a template in which ``#1``, ``#2`` stand for the arguments.
    parity : callable
        Parity of a call, from the parities of its arguments.
    numpy, torch, jax : str or None
        Dotted name in a program of each library; None if the function is computed by
        `definition` there.
    definition : callable or None
        ``definition(call, *values)`` in terms of arithmetic and of ``call(name, *values)``. It
        serves arrays as well as expressions, so values and programs come from the same line.
    program : str or None
        Source of a helper, for a definition that cannot be written as one expression.
    """

    name: str
    parameters: tuple[str, ...]
    tex: str
    parity: ParityRule
    numpy: str | None = None
    torch: str | None = None
    jax: str | None = None
    definition: Callable[..., Any] | None = None
    program: str | None = None

    @property
    def arity(self) -> int:
        """Number of arguments."""
        return len(self.parameters)

    @property
    def signature(self) -> str:
        """The call as one would write it, such as ``clip(x, lo, hi)``."""
        return f"{self.name}({', '.join(self.parameters)})"

    def dotted(self, dialect: Dialect) -> str | None:
        """Give the dotted name in a dialect, or None if the function is defined by others there."""
        return {"numpy": self.numpy, "torch": self.torch, "jax": self.jax}[dialect.name]


@dataclass(frozen=True)
class Evaluation:
    """A pass over a formula at given values of its variable.

    Attributes
    ----------
    dialect : Dialect
        Library that computes.
    x : array of any shape
        Values of the variable.
    """

    dialect: Dialect
    x: Any

    def full_like(self, value: float) -> Any:
        """Give an array like `x` filled with one value."""
        return _resolve(self.dialect, self.dialect.full_like)(self.x, value)

    def call(self, name: str, *values: Any) -> Any:
        """Call the function of the given name; numbers are lifted to arrays where need be."""
        spec = FUNCTIONS[name]
        dotted = spec.dotted(self.dialect)
        if dotted is None:
            assert spec.definition is not None
            return spec.definition(self.call, *values)
        if self.dialect.lifts and spec.arity > 1:
            values = tuple(self.full_like(v) if isinstance(v, float) else v for v in values)
        return _resolve(self.dialect, dotted)(*values)


def normalised_hermite(k: int, x: Any) -> Any:
    r"""Evaluate :math:`\mathit{He}_k(x)/\sqrt{k!}` by its three-term recurrence.

    Parameters
    ----------
    k : int
        Degree, not negative.
    x : array of any library, or number
        Arguments.

    Returns
    -------
    array or number
        Values, of the type of `x`; the number 1.0 for degree 0.

    Examples
    --------
    >>> normalised_hermite(2, 3.0) * 2**0.5
    8.0
    """
    previous, value = 0.0, 1.0
    for n in range(k):
        previous, value = value, (x * value - math.sqrt(n) * previous) / math.sqrt(n + 1)
    return value


# The same recurrence as a program to paste; a test holds the two together.
_HERMITE_PROGRAM = '''\
def _h(k, x):
    """Evaluate the normalised Hermite polynomial He_k(x) / sqrt(k!)."""
    previous, value = 0.0, 1.0
    for n in range(k):
        previous, value = value, (x * value - math.sqrt(n) * previous) / math.sqrt(n + 1)
    return value
'''


def _spec(
    name: str,
    parity: ParityRule,
    tex: str | None = None,
    *,
    parameters: tuple[str, ...] = ("x",),
    numpy: str | None = None,
    torch: str | None = None,
    jax: str | None = None,
) -> FunctionSpec:
    """Describe a function that every library has, under its own name unless told otherwise."""
    return FunctionSpec(
        name,
        parameters,
        rf"\operatorname{{{name}}}" if tex is None else tex,
        parity,
        numpy=numpy or f"np.{name}",
        torch=torch or f"torch.{name}",
        jax=jax or (numpy or f"np.{name}").replace("np.", "jnp."),
    )


def _defined(
    name: str,
    parity: ParityRule,
    definition: Callable[..., Any],
    tex: str | None = None,
    *,
    numpy: str | None = None,
    torch: str | None = None,
    jax: str | None = None,
) -> FunctionSpec:
    """Describe a function of `x` by others, for the libraries that lack it."""
    tex = rf"\operatorname{{{name}}}" if tex is None else tex
    return FunctionSpec(name, ("x",), tex, parity, numpy, torch, jax, definition)


_PAIR = ("a", "b")

_SPECS = [
    _spec("exp", neither, r"\exp"),
    _spec("expm1", neither),
    _spec("log", neither, r"\log"),
    _spec("log1p", neither),
    _spec("sqrt", neither, r"\sqrt{#1}"),
    _spec("square", even, r"\left(#1\right)^{2}"),
    _spec("abs", even, r"\left|#1\right|"),
    _spec("sign", odd),
    _spec("sin", odd, r"\sin"),
    _spec("cos", even, r"\cos"),
    _spec("tan", odd, r"\tan"),
    _spec("asin", odd, r"\arcsin", numpy="np.arcsin"),
    _spec("acos", neither, r"\arccos", numpy="np.arccos"),
    _spec("atan", odd, r"\arctan", numpy="np.arctan"),
    _spec("sinh", odd, r"\sinh"),
    _spec("cosh", even, r"\cosh"),
    _spec("tanh", odd, r"\tanh"),
    _spec("asinh", odd, numpy="np.arcsinh"),
    _spec("acosh", neither, numpy="np.arccosh"),
    _spec("atanh", odd, numpy="np.arctanh"),
    _spec("erf", odd, numpy="special.erf"),
    _spec("erfc", neither, numpy="special.erfc"),
    _spec("sigmoid", neither, r"\sigma", numpy="special.expit", jax="jax.nn.sigmoid"),
    _spec("max", neither, r"\max", parameters=_PAIR, numpy="np.maximum", torch="torch.maximum"),
    _spec("min", neither, r"\min", parameters=_PAIR, numpy="np.minimum", torch="torch.minimum"),
    _spec("logaddexp", neither, parameters=_PAIR),
    _spec("clip", _clip_parity, parameters=("x", "lo", "hi"), torch="torch.clamp"),
    _spec(
        "where",
        _where_parity,
        r"\begin{cases}#2 & #1 \\ #3 & \text{otherwise}\end{cases}",
        parameters=("condition", "a", "b"),
    ),
    # torch.special.ndtr forms 1 - erf and loses the lower tail.
    _defined(
        "ndtr",
        neither,
        lambda call, x: 0.5 * call("erfc", -math.sqrt(0.5) * x),
        r"\Phi",
        numpy="special.ndtr",
        jax="special.ndtr",
    ),
    # torch.nn.functional.softplus is x beyond 20, an error of 2e-9.
    _defined("softplus", neither, lambda call, x: call("logaddexp", 0.0, x), jax="jax.nn.softplus"),
    _defined(
        "relu",
        neither,
        lambda call, x: call("max", 0.0, x),
        r"\operatorname{ReLU}",
        torch="torch.relu",
        jax="jax.nn.relu",
    ),
    _defined(
        "elu",
        neither,
        # Not through where(): the branch not taken would overflow and spoil the gradient.
        lambda call, x: call("max", 0.0, x) + call("expm1", call("min", 0.0, x)),
        r"\operatorname{ELU}",
    ),
    _defined("gelu", neither, lambda call, x: x * call("ndtr", x), r"\operatorname{GELU}"),
    _defined("silu", neither, lambda call, x: x * call("sigmoid", x), r"\operatorname{SiLU}"),
    # One half at 0, as sign(x) is 0 there.
    _defined("heaviside", neither, lambda call, x: 0.5 + 0.5 * call("sign", x)),
    FunctionSpec(
        "h",
        ("k", "x"),
        r"h_{#1}\left(#2\right)",
        _hermite_parity,
        definition=lambda call, k, x: normalised_hermite(int(k), x),
        program=_HERMITE_PROGRAM,
    ),
]

#: Every function of the language by name.
FUNCTIONS: Mapping[str, FunctionSpec] = {spec.name: spec for spec in _SPECS}

#: Other spellings that a formula may use, and the name they stand for.
ALIASES: Mapping[str, str] = {
    "arcsin": "asin",
    "arccos": "acos",
    "arctan": "atan",
    "arcsinh": "asinh",
    "arccosh": "acosh",
    "arctanh": "atanh",
    "ln": "log",
    "sgn": "sign",
    "step": "heaviside",
    "expit": "sigmoid",
    "logistic": "sigmoid",
    "maximum": "max",
    "minimum": "min",
    "swish": "silu",
}
