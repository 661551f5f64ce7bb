"""Activations by name: those of PyTorch and Keras, the paper's, and Hermite polynomials."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from deeplimit.duals.algebra import MixedDual
from deeplimit.duals.base import Dual
from deeplimit.duals.closed import (
    LARGEST_RATE,
    ArcCosineDual,
    ArcSineDual,
    ConstantDual,
    ExponentialDual,
    GaussianDual,
    GeluDual,
    HyperbolicDual,
    IdentityDual,
)


@dataclass(frozen=True)
class Entry:
    """A named activation.

    Attributes
    ----------
    formula : str
        In the formula language.
    dual : callable or None
        Makes the closed-form dual; None where there is no closed form (a polynomial's is found
        from its formula).
    origin : str
        Where the activation is from.
    zero_mean : bool
        True if the constants of the formula are the rounded solution of an equation that makes
        the mean vanish: A is 0 then, not what rounding leaves.
    squares : tuple of float
        Squared Hermite coefficients that irrational ones in the formula stand for; else empty.
    """

    formula: str
    dual: Callable[[], Dual] | None = None
    origin: str = "PyTorch, Keras"
    zero_mean: bool = False
    squares: tuple[float, ...] = ()


def _leaky(slope: float) -> Callable[[], Dual]:
    return lambda: ArcCosineDual(1.0, -slope)


def _half_sign(mean2: float, rest: Dual) -> Dual:
    """Dual of a constant plus an odd function, from the share of the constant."""
    return MixedDual([(mean2, ConstantDual()), (1.0 - mean2, rest)])


_SELU_SCALE, _SELU_ALPHA = 1.0507009873554805, 1.6732632423543772

#: Every name, with its formula.
CATALOG: Mapping[str, Entry] = {
    "identity": Entry("x", IdentityDual),
    "relu": Entry("relu(x)", lambda: ArcCosineDual(1.0, 0.0)),
    "leaky_relu": Entry("max(x, 0) + 0.01*min(x, 0)", _leaky(0.01)),
    "prelu": Entry("max(x, 0) + 0.25*min(x, 0)", _leaky(0.25), "PyTorch (initial slope)"),
    "rrelu": Entry(
        "max(x, 0) + 0.22916666666666666*min(x, 0)", _leaky(11 / 48), "PyTorch (evaluation)"
    ),
    "abs": Entry("abs(x)", lambda: ArcCosineDual(1.0, 1.0), "classical"),
    "relu6": Entry("clip(x, 0, 6)"),
    "elu": Entry("elu(x)"),
    "celu": Entry("elu(x)"),
    "selu": Entry(f"{_SELU_SCALE}*(max(x, 0) + {_SELU_ALPHA}*expm1(min(x, 0)))", zero_mean=True),
    "gelu": Entry("gelu(x)", GeluDual),
    "gelu_tanh": Entry("0.5*x*(1 + tanh(sqrt(2/pi)*(x + 0.044715*x^3)))"),
    "quick_gelu": Entry("x*sigmoid(1.702*x)", None, "CLIP"),
    "silu": Entry("silu(x)"),
    "mish": Entry("x*tanh(softplus(x))"),
    "softplus": Entry("softplus(x)"),
    "sigmoid": Entry("sigmoid(x)"),
    "log_sigmoid": Entry("-softplus(-x)"),
    "tanh": Entry("tanh(x)"),
    "softsign": Entry("x/(1 + abs(x))"),
    "hard_tanh": Entry("clip(x, -1, 1)"),
    "hard_sigmoid": Entry("clip(x/6 + 0.5, 0, 1)"),
    "hard_swish": Entry("x*clip(x/6 + 0.5, 0, 1)"),
    "hard_shrink": Entry("where(abs(x) > 0.5, x, 0)"),
    "soft_shrink": Entry("max(x - 0.5, 0) + min(x + 0.5, 0)"),
    "tanh_shrink": Entry("x - tanh(x)"),
    "sparse_plus": Entry("where(x > 1, x, where(x > -1, (x + 1)^2/4, 0))", None, "Keras"),
    "sparse_sigmoid": Entry("clip((x + 1)/2, 0, 1)", None, "Keras"),
    "squareplus": Entry("(x + sqrt(x^2 + 4))/2", None, "Keras"),
    "exponential": Entry("exp(x)", lambda: ExponentialDual(1.0), "Keras"),
    "erf": Entry("erf(x)", lambda: ArcSineDual(1.0), "the paper's experiments"),
    "ndtr": Entry(
        "ndtr(x)", lambda: _half_sign(0.75, ArcSineDual(math.sqrt(0.5))), "normal distribution"
    ),
    "sin": Entry("sin(x)", lambda: HyperbolicDual(1.0, odd=True), "classical"),
    "cos": Entry("cos(x)", lambda: HyperbolicDual(1.0, odd=False), "classical"),
    "gaussian": Entry("exp(-x^2/2)", lambda: GaussianDual(0.5), "radial basis functions"),
    "sign": Entry("sign(x)", lambda: ArcSineDual(math.inf), "classical"),
    "step": Entry("heaviside(x)", lambda: _half_sign(0.5, ArcSineDual(math.inf)), "perceptron"),
    "square": Entry("x^2", None, "classical"),
    "cube": Entry("x^3", None, "classical"),
    "relu_squared": Entry("relu(x)^2", None, "Primer"),
    "arctan": Entry("atan(x)", None, "classical"),
    "asinh": Entry("asinh(x)", None, "classical"),
    "snake": Entry("x + sin(x)^2", None, "Ziyin et al. 2020"),
    # The paper's public experiments: squared coefficients on h1, h2, h3 (h7 for d = 1).
    "2d_opt": Entry(
        "sqrt(0.5)*h(1, x) + sqrt(0.5)*h(7, x)",
        None,
        "the paper, data in R²",
        squares=(0, 0.5, 0, 0, 0, 0, 0, 0.5),
    ),
    "3d_opt": Entry(
        "sqrt(0.5)*h(1, x) + sqrt(0.5)*h(3, x)",
        None,
        "the paper, data in R³",
        squares=(0, 0.5, 0, 0.5),
    ),
    "5d_opt": Entry(
        "0.5*h(1, x) + sqrt(0.5)*h(2, x) + 0.5*h(3, x)",
        None,
        "the paper, R⁵",
        squares=(0, 0.25, 0.5, 0.25),
    ),
    "9d_opt": Entry(
        "0.25*h(1, x) + sqrt(0.875)*h(2, x) + 0.25*h(3, x)",
        None,
        "the paper, R⁹",
        squares=(0, 0.0625, 0.875, 0.0625),
    ),
}

ALIASES: Mapping[str, str] = {
    "linear": "identity",
    "swish": "silu",
    "exp": "exponential",
    "hardtanh": "hard_tanh",
    "hardsigmoid": "hard_sigmoid",
    "hardswish": "hard_swish",
    "hard_silu": "hard_swish",
    "hardshrink": "hard_shrink",
    "softshrink": "soft_shrink",
    "tanhshrink": "tanh_shrink",
    "logsigmoid": "log_sigmoid",
    "leakyrelu": "leaky_relu",
    "sine": "sin",
    "cosine": "cos",
    "heaviside": "step",
    "probit": "ndtr",
    "gelu_new": "gelu_tanh",
    "rbf": "gaussian",
    "atan": "arctan",
}

_LAYERS = (
    "softmax", "softmax2d", "log_softmax", "logsoftmax", "softmin", "sparsemax", "glu", "maxout",
    "threshold", "multihead_attention", "multiheadattention",
)  # fmt: skip
_NUMBER = r"(\d+\.?\d*(?:e-?\d+)?)"
_PATTERNS: tuple[tuple[re.Pattern[str], Callable[[str], Entry]], ...] = (
    (re.compile(r"h(\d{1,3})"), lambda k: Entry(f"h({k}, x)", None, "Hermite polynomial")),
    (
        re.compile(rf"sine_{_NUMBER}"),
        lambda a: Entry(
            f"sin(sqrt({a})*x)",
            (lambda: HyperbolicDual(float(a), odd=True)) if float(a) <= LARGEST_RATE else None,
            "the paper's sine family",
        ),
    ),
    (
        re.compile(rf"leaky_relu_{_NUMBER}"),
        lambda s: Entry(f"max(x, 0) + {s}*min(x, 0)", _leaky(float(s))),
    ),
)


def names() -> list[str]:
    """List the named activations.

    Returns
    -------
    list of str
        Names; further ones are ``h<k>``, ``sine_<a>`` and ``leaky_relu_<slope>``.

    Examples
    --------
    >>> "gelu" in names()
    True
    """
    return list(CATALOG)


def find(name: str) -> tuple[str, Entry] | None:
    """Look an activation up by name, alias or pattern.

    Parameters
    ----------
    name : str
        Case and hyphens do not matter.

    Returns
    -------
    (str, Entry) or None
        Canonical name and entry; None if there is no such name.

    Raises
    ------
    ValueError
        For the name of something that is not a pointwise activation.

    Examples
    --------
    >>> find("Swish")[0]
    'silu'
    """
    # The hyphen of an exponent stays.
    key = re.sub(r"(?<![0-9]e)[- ]", "_", name.strip().lower())
    key = ALIASES.get(key, key)
    if key in CATALOG:
        return key, CATALOG[key]
    if key in _LAYERS:
        raise ValueError(
            f"{name!r} is not one pointwise function: it is a layer, or needs parameters; "
            "write the function as a formula."
        )
    for pattern, build in _PATTERNS:
        match = pattern.fullmatch(key)
        if match and float(match.group(1)) > 0:
            return key, build(match.group(1))
    return None


def suggestion(name: str) -> str:
    """Say which names are near a mistyped one.

    Parameters
    ----------
    name : str
        What was typed.

    Returns
    -------
    str
        A sentence, or nothing.

    Examples
    --------
    >>> suggestion("gelo")
    ' Did you mean gelu?'
    """
    near = difflib.get_close_matches(name.lower(), [*CATALOG, *ALIASES], n=2, cutoff=0.7)
    return f" Did you mean {' or '.join(near)}?" if near else ""
