"""Formulas to test with: random trees, and a list that calls every function."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from deeplimit.activations.expressions import (
    Call,
    Comparison,
    Constant,
    Expression,
    Number,
    Operation,
    Variable,
)
from deeplimit.activations.functions import FUNCTIONS

#: Arguments where every function but acosh, log and sqrt is defined, or gives NaN as it should.
POINTS = np.concatenate(
    [[-8.0, -1.0, -0.5, -1e-9, 0.0, 1e-9, 0.5, 1.0, 8.0], np.linspace(-3.1, 3.3, 41)]
)

#: One call of every function of one argument, and calls of the others in several shapes.
CALLS = [f"{name}(x)" for name, spec in FUNCTIONS.items() if spec.arity == 1] + [
    "max(0, x) - 0.4",
    "max(x, x^2)",
    "min(0.3, x)",
    "min(sin(x), cos(x))",
    "logaddexp(-1, x)",
    "logaddexp(x, 2x)",
    "clip(x, -0.5, 1)",
    "clip(3x, -x^2, x^2)",
    "clip(0.1, x, x + 1)",
    "where(x > 0, x, 0.1*x)",
    "where(x >= 0.5, 1, 0)",
    "where(x^2 < 1, 0.1, sin(x))",
    "where(1 <= x, pi, x)",
    "h(0, x)",
    "h(1, x)",
    "h(7, x)",
    "h(20, 0.5x)",
]

#: Formulas made of several of them.
FORMULAS = [
    *CALLS,
    "x",
    "-x",
    "2",
    "-pi/e",
    "sin(2.676*x)",
    "x*sigmoid(1.702x)",
    "x/(1 + |x|)",
    "exp(0.7x) - exp(0.245)",
    "0.5*h(1, x) + 0.5*sqrt(3)*h(3, x)",
    "x^2 - 2^-x + x^-2 - x^3/(1 + x^2)",
    "|x|^0.3 + log(0.5) - x*log(0.25)",
    "where(|x| < 1, x - max(0, x), where(x > 2, gelu(x), -softplus(x)))",
]


def _combined(parts: list[Expression], others: list[Expression]) -> list[Expression]:
    pairs = [pair for a in parts for b in others for pair in ((a, b), (b, a))]
    return [Operation("neg", (a,)) for a in parts] + [
        Operation(sign, pair) for sign in "+*/^" for pair in pairs
    ]


_LEAVES: list[Expression] = [Variable(), Number(2)]
_SHALLOW = [*_LEAVES, *_combined(_LEAVES[:1], _LEAVES[1:])]
#: Every operator in every place of every other, and those next to a leaf in every other again.
OPERATIONS = _combined(_SHALLOW, _SHALLOW)


def nested_operations() -> list[Expression]:
    """Put each of the `OPERATIONS` into every operator next to the variable."""
    return _combined(OPERATIONS, _LEAVES[:1])


def whole_powers(tree: Expression) -> set[float]:
    """Collect the whole exponents but 0 and 1: the ways to compute them differ in last bits."""
    found = set().union(*map(whole_powers, tree.operands))
    if getattr(tree, "sign", None) == "^":
        exponent = tree.operands[1].constant
        if exponent is not None and exponent.is_integer() and abs(exponent) >= 2:
            found.add(abs(exponent))
    return found


def _finite(build, *parts):
    """Build a node, or give its variable where the constants in it have no finite value."""
    try:
        return build(*parts)
    except ValueError:
        return Variable()


def _grow(inner: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    several = st.lists(inner, min_size=2, max_size=4).map(tuple)
    pair = st.tuples(inner, inner)
    compared = st.builds(
        lambda sign, right: Comparison(sign, (Variable(), right)),
        st.sampled_from(["<", "<=", ">", ">="]),
        inner,
    )
    # By thirds, so that one function of one argument is drawn as often as an operator.
    single = [n for n, s in FUNCTIONS.items() if s.arity == 1]
    unary = [single[::3], single[1::3], single[2::3]]
    by_arity = {
        arity: st.sampled_from(
            [n for n, s in FUNCTIONS.items() if s.arity == arity and n not in ("where", "h")]
        )
        for arity in (2, 3)
    }
    return st.one_of(
        st.builds(lambda a: _finite(Operation, "neg", (a,)), inner),
        st.builds(lambda s, p: _finite(Operation, s, p), st.sampled_from("+*"), several),
        st.builds(lambda s, p: _finite(Operation, s, p), st.sampled_from("/^"), pair),
        *(st.builds(lambda n, a: _finite(Call, n, (a,)), st.sampled_from(c), inner) for c in unary),
        st.builds(lambda n, p: _finite(Call, n, p), by_arity[2], pair),
        st.builds(lambda n, *p: _finite(Call, n, p), by_arity[3], inner, inner, inner),
        st.builds(lambda k, a: _finite(Call, "h", (Number(k), a)), st.integers(0, 9), inner),
        st.builds(lambda *p: Call("where", p), compared, inner, inner),
    )


#: Random trees of every kind of node; about half of the leaves are the variable.
TREES = st.recursive(
    st.one_of(
        st.just(Variable()),
        st.just(Variable()),
        st.floats(0.0, allow_infinity=False, allow_nan=False).map(lambda v: Number(abs(v))),
        st.integers(0, 9).map(Number),
        st.sampled_from(["pi", "e"]).map(Constant),
    ),
    _grow,
    max_leaves=12,
)
