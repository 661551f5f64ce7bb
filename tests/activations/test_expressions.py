"""The formula language: what it reads, refuses, computes, writes and proves."""

from __future__ import annotations

import copy
import itertools
import math
import pickle
import timeit

import mpmath
import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from activations.formulas import (
    CALLS,
    FORMULAS,
    OPERATIONS,
    POINTS,
    TREES,
    nested_operations,
    whole_powers,
)
from deeplimit.activations.expressions import (
    MAX_DEPTH,
    MAX_LENGTH,
    MAX_SIZE,
    Call,
    Comparison,
    Constant,
    Expression,
    Number,
    Operation,
    Variable,
    hermite_sum,
    number,
    parse,
)
from deeplimit.activations.functions import ALIASES, CONSTANTS, FUNCTIONS

X = Variable()


def mp_hermite(k: int, x: mpmath.mpf) -> mpmath.mpf:
    """Sum the explicit series of He_k, divided by the root of k factorial."""
    terms = (
        (-1) ** m * x ** (k - 2 * m) / (mpmath.factorial(m) * mpmath.factorial(k - 2 * m) * 2**m)
        for m in range(k // 2 + 1)
    )
    return mpmath.sqrt(mpmath.factorial(k)) * mpmath.fsum(terms)


def mp_where(condition: bool, a: mpmath.mpf, b: mpmath.mpf) -> mpmath.mpf:
    return a if condition else b


REFERENCE = {
    **{
        name: getattr(mpmath, name)
        for name in (
            *("exp", "expm1", "log", "log1p", "sqrt", "sign", "sin", "cos", "tan", "asin", "acos"),
            *("atan", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "erf", "erfc"),
        )
    },
    "square": lambda x: x * x,
    "abs": abs,
    "sigmoid": lambda x: 1 / (1 + mpmath.exp(-x)),
    "max": max,
    "min": min,
    "logaddexp": lambda a, b: mpmath.log(mpmath.exp(a) + mpmath.exp(b)),
    "clip": lambda x, lo, hi: min(max(x, lo), hi),
    "where": mp_where,
    "ndtr": mpmath.ncdf,
    "softplus": lambda x: mpmath.log1p(mpmath.exp(x)),
    "relu": lambda x: max(x, mpmath.mpf(0)),
    "elu": lambda x: x if x > 0 else mpmath.expm1(x),
    "gelu": lambda x: x * mpmath.ncdf(x),
    "silu": lambda x: x / (1 + mpmath.exp(-x)),
    "heaviside": lambda x: (1 + mpmath.sign(x)) / 2,
    "h": lambda k, x: mp_hermite(int(k), x),
}


def mp_value(node: object, x: mpmath.mpf) -> mpmath.mpf:
    """Evaluate a tree at 60 digits, by rules written here."""
    match node:
        case Number():
            return mpmath.mpf(node.value)
        case Constant():
            return {"pi": +mpmath.pi, "e": +mpmath.e}[node.name]
        case Variable():
            return x
    values = [mp_value(part, x) for part in node.operands]
    match node:
        case Operation(sign="neg"):
            return -values[0]
        case Operation(sign="+"):
            return mpmath.fsum(values)
        case Operation(sign="*"):
            return mpmath.fprod(values)
        case Operation(sign="/"):
            return values[0] / values[1] if values[1] else mpmath.nan
        case Operation(sign="^"):
            return values[0] ** values[1] if values[0] or values[1] >= 0 else mpmath.inf
        case Comparison(sign=sign):
            a, b = values
            return {"<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b}[sign]
        case Call(name=name):
            return REFERENCE[name](*values)
    raise AssertionError(node)


def mp_float(node: Expression, x: float) -> float:
    with mpmath.workdps(60):
        try:
            value = mp_value(node, mpmath.mpf(x))
        except ZeroDivisionError:
            return math.nan
        return float(value) if mpmath.im(value) == 0 else math.nan


def test_every_function_has_a_reference_and_a_formula() -> None:
    assert REFERENCE.keys() == FUNCTIONS.keys()
    assert {name for name in FUNCTIONS if any(f"{name}(" in c for c in CALLS)} == FUNCTIONS.keys()
    assert set(ALIASES.values()) <= FUNCTIONS.keys()
    assert not (FUNCTIONS.keys() | ALIASES.keys()) & (CONSTANTS.keys() | {"x", "z"})


@pytest.mark.parametrize("text", FORMULAS)
def test_values_against_sixty_digits(text: str) -> None:
    expression = parse(text)
    expected = np.array([mp_float(expression, float(x)) for x in POINTS])
    defined = np.isfinite(expected)
    assert defined.sum() >= 9, "a reference that is never defined tests nothing"
    values = expression(POINTS)
    # Near its zeros a value can only be as good as the terms it is the difference of.
    np.testing.assert_allclose(values[defined], expected[defined], rtol=1e-12, atol=2e-14)
    assert not np.isfinite(values[~defined]).any()
    tensor = expression.on_torch(torch.tensor(POINTS)).numpy()
    assert tensor.dtype == np.float64
    np.testing.assert_allclose(tensor[defined], expected[defined], rtol=1e-12, atol=2e-14)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("sigmoid(x)", [-700.0, -40.0, 40.0]),
        ("softplus(x)", [-700.0, -40.0, 19.0, 25.0, 700.0]),
        ("log1p(x)", [1e-20, 1e-300]),
        ("expm1(x)", [1e-20, -1e-300]),
        ("erfc(x)", [5.0, 20.0, 26.0]),
        ("ndtr(x)", [-8.0, -20.0, -37.0]),
        ("gelu(x)", [-8.0, -20.0, -37.0]),
        ("elu(x)", [-1e-20, -40.0, 1e300]),
        ("silu(x)", [-700.0, -1e-300]),
        ("asinh(x)", [-1e-20, 1e-20, -1e10]),
        ("tanh(x)", [1e-20, 400.0]),
        ("logaddexp(-800, x)", [-800.0, 800.0]),
    ],
)
def test_tails_keep_their_relative_accuracy(text: str, at: list[float]) -> None:
    expression = parse(text)
    expected = [mp_float(expression, x) for x in at]
    assert all(expected)
    np.testing.assert_allclose(expression(at), expected, rtol=1e-12)
    tensor = expression.on_torch(torch.tensor(at, dtype=torch.float64))
    np.testing.assert_allclose(tensor.numpy(), expected, rtol=1e-12)


@pytest.mark.parametrize("k", [2, 3, 10, 50, 200, 500])
def test_hermite_polynomials_against_sixty_digits(k: int) -> None:
    at = np.linspace(-2.2 * math.sqrt(k), 2.2 * math.sqrt(k), 23)
    with mpmath.workdps(400):
        expected = np.array([float(mp_hermite(k, mpmath.mpf(x))) for x in at])
    values = parse(f"h({k}, x)")(at)
    # Relative to the envelope exp(x^2/4), which the polynomial touches between its zeros.
    envelope = np.maximum(np.abs(expected), np.exp(np.minimum(at**2 / 4, k / 2)))
    assert np.max(np.abs(values - expected) / envelope) < 1e-12


@given(TREES)
@settings(max_examples=400)
def test_reading_undoes_writing(tree: Expression) -> None:
    assert parse(tree.text()) == tree
    assert parse(f" ( {tree.text()} ) ") == tree
    assert eval(repr(tree), {"parse": parse}) == tree


def test_reading_undoes_writing_for_every_operator_in_every_place() -> None:
    trees = OPERATIONS + nested_operations()
    assert len(trees) > 2000
    assert [parse(tree.text()) for tree in trees] == trees


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_keep_every_bit(value: float) -> None:
    again = parse(number(value).text())
    assert again == number(value)
    assert again.constant == value
    assert math.copysign(1.0, again.constant) == math.copysign(1.0, value)


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("x**2", "x^2"),
        ("2^3^x", "2^(3^x)"),
        ("-x^2", "-(x^2)"),
        ("2^-x", "2^(-x)"),
        ("x^-x^2", "x^(-(x^2))"),
        ("-x*x", "(-x)*x"),
        ("x/2/x", "(x/2)/x"),
        ("x/2*x", "(x/2)*x"),
        ("x - 1 - x", "x + -1 + -x"),
        ("+x", "x"),
        ("1.702x", "1.702*x"),
        ("2x^2", "2*x^2"),
        ("0.5(x+1)", "0.5*(x + 1)"),
        ("2sin(x)", "2*sin(x)"),
        ("2pi", "2*pi"),
        ("1/2*3x", "1/2*3*x"),
        ("x - 2x", "x - 2*x"),
        ("2e3x", "2000*x"),
        ("2 e", "2*e"),
        (".5x", "0.5*x"),
        ("5.*x", "5*x"),
        ("1E-3*x", "0.001*x"),
        ("|x|", "abs(x)"),
        ("||x| - 1|", "abs(abs(x) - 1)"),
        ("|x|*|x|", "abs(x)*abs(x)"),
        ("|-|x||", "abs(-abs(x))"),
        ("sin(z)", "sin(x)"),
        ("x − 2×x·π", "x - 2*x*pi"),
        ("where(x ≥ 0, x, -x)", "where(x >= 0, x, -x)"),
        (" \n max( x ,\t0 ) ", "max(x, 0)"),
        *(
            (f"{alias}({a})", f"{name}({a})")
            for alias, name in ALIASES.items()
            for a in ["x, 1" if FUNCTIONS[name].arity == 2 else "x"]
        ),
    ],
)
def test_spellings(text: str, same: str) -> None:
    assert parse(text) == parse(same)


@pytest.mark.parametrize(
    ("text", "at", "value"),
    [
        ("2 + 3*x^2", 2.0, 14.0),
        ("(2 + 3)*x^2", 2.0, 20.0),
        ("2^3^x", 2.0, 512.0),
        ("-x^2", 3.0, -9.0),
        ("x - 1 - 1", 5.0, 3.0),
        ("8/x/2", 2.0, 2.0),
        ("8/(x/2)", 2.0, 8.0),
        ("8/x*2", 2.0, 8.0),
        ("where(x > 1, 10, 20)", 1.0, 20.0),
        ("where(x >= 1, 10, 20)", 1.0, 10.0),
        ("where(x < 1, 10, 20)", 1.0, 20.0),
        ("where(x <= 1, 10, 20)", 1.0, 10.0),
        ("heaviside(x)", 0.0, 0.5),
        ("sign(x)", 0.0, 0.0),
    ],
)
def test_precedence_and_conventions(text: str, at: float, value: float) -> None:
    assert parse(text)(at) == value


ERRORS = [
    ("", 1, "empty"),
    ("   ", 4, "empty"),
    ("sinn(x)", 1, "did you mean 'sin'?"),
    ("1 + Tanh(x)", 5, "did you mean 'tanh'?"),
    ("2*y", 3, "unknown name 'y'; known are abs"),
    ("x + qwertyuiop(x)", 5, "known are abs"),
    ("inf*x", 1, "numbers are finite"),
    ("9**9**9", 2, "9^9^9 is not a finite number"),
    ("x + log(0)", 5, "log(0) is not a finite number"),
    ("1/0", 2, "1/0 is not a finite number"),
    ("x*(1e308*10)", 9, "is not a finite number"),
    ("1e308 + 1e308", 7, "is not a finite number"),
    ("|log(0)|", 2, "log(0) is not a finite number"),
    ("1e999", 1, "largest float"),
    ("x @ 2", 3, "'@' has no meaning here"),
    ("x\n@", 3, "'@' has no meaning here"),
    ("np.sin(x)", 3, "'.' has no meaning here"),
    ("__import__('os')", 12, "has no meaning here"),
    ("lambda: x", 7, "':' has no meaning here"),
    ("x = 1", 3, "'=' has no meaning here"),
    ("((x)", 1, "never closed"),
    ("sin(x", 4, "never closed"),
    ("|x", 1, "never closed"),
    ("x)", 2, "where an operator should follow"),
    ("sin(x]", 6, "no meaning"),
    ("(x, 1)", 3, "where ')' should follow"),
    ("x +", 4, "ends where"),
    ("* x", 1, "'*' where a number"),
    ("x * / x", 5, "'/' where a number"),
    ("2 3", 3, "'3' where an operator"),
    ("x x", 3, "'x' where an operator"),
    ("(x)(x)", 4, "'(' where an operator"),
    ("1,5*x", 2, "','"),
    ("max(x,,1)", 7, "','"),
    ("max(x)", 1, "max(a, b) cannot take 1 arguments"),
    ("sin()", 1, "sin(x) cannot take 0 arguments"),
    ("sin(x, x)", 1, "sin(x) cannot take 2 arguments"),
    ("sin x", 1, "needs its arguments: sin(x)"),
    ("x(2)", 2, "write x*("),
    ("z + x", 5, "either x or z"),
    ("pi(x)", 1, "unknown name 'pi'"),
    ("1/2x", 4, "two readings"),
    ("x^2x", 4, "two readings"),
    ("x/-2(x)", 5, "two readings"),
    ("2e", 2, "write 2*e"),
    ("x > 0", 3, "where(condition, a, b)"),
    ("max(x > 0, 1)", 7, "where(condition, a, b)"),
    ("where(x, 1, 2)", 1, "needs a condition"),
    ("where(x > 0, x > 1, 2)", 16, "where(condition, a, b)"),
    ("where(0 < x < 1, 1, 2)", 13, "do not chain"),
    ("where(1 > 0, x, 2)", 9, "must depend on x"),
    ("where(x > 0, 1)", 1, "cannot take 2 arguments"),
    ("h(2.5, x)", 1, "integer from 0 to 500"),
    ("h(x, 2)", 1, "integer from 0 to 500"),
    ("h(-1, x)", 1, "integer from 0 to 500"),
    ("h(501, x)", 1, "integer from 0 to 500"),
    ("(" * 1_000_000, MAX_LENGTH + 1, "at most 100000 characters"),
    ("(" * 90_000, MAX_DEPTH + 1, "more than 64 levels"),
    ("sin(" * 20_000, 4 * MAX_DEPTH + 1, "more than 64 levels"),
    ("-" * 90_000 + "x", MAX_DEPTH + 1, "more than 64 levels"),
    ("|" * 90_000, MAX_DEPTH + 1, "more than 64 levels"),
    ("x^" * 40_000 + "x", 2 * MAX_DEPTH + 2, "more than 64 levels"),
    ("x/" * 40_000 + "x", 2 * MAX_DEPTH, "more than 64 levels"),
    ("x+" * 40_000 + "x", 2, "more than 10000 parts"),
    ("9" * 99_999, 1, "largest float"),
    ("a" * 99_999, 1, "unknown name 'aaaa"),
]


@pytest.mark.parametrize(("text", "column", "problem"), ERRORS, ids=[e[0][:20] for e in ERRORS])
def test_errors_name_the_column(text: str, column: int, problem: str) -> None:
    with pytest.raises(ValueError, match="formula, column") as caught:
        parse(text)
    first, shown, caret = str(caught.value).split("\n")
    assert first.startswith(f"formula, column {column}: ")
    assert problem in first
    assert caret.strip() == "^"
    assert len(shown) <= 80
    pointed = shown[2:][caret.index("^") - 2 : caret.index("^") - 1]
    assert pointed == text[column - 1 : column].replace("\n", " ")


@pytest.mark.parametrize("text", [None, 3, b"x", ["x"]])
def test_only_strings_are_read(text: object) -> None:
    with pytest.raises(TypeError, match="a formula is a string, got"):
        parse(text)  # type: ignore[arg-type]


@given(st.text(alphabet="x12.e+-*/^(),|<>= sincomahwr", max_size=40))
@settings(max_examples=600)
def test_any_text_is_read_or_refused_with_a_column(text: str) -> None:
    try:
        expression = parse(text)
    except ValueError as error:
        assert str(error).startswith("formula, column ")
        assert str(error).count("\n") == 2
    else:
        assert parse(expression.text()) == expression


def test_limits_hold_for_trees_that_are_built() -> None:
    tree: Expression = X
    for _ in range(MAX_DEPTH - 1):
        tree = Call("sin", (tree,))
    assert parse(tree.text()) == tree
    with pytest.raises(ValueError, match="nested more than 64 levels"):
        Call("sin", (tree,))
    doubled: Expression = X
    with pytest.raises(ValueError, match=f"more than {MAX_SIZE} parts"):
        for _ in range(20):
            doubled = doubled * doubled + 1.0
    wide = sum((X for _ in range(1000)), start=X + 0.0)
    assert wide.depth == 2
    assert wide(1.0) == 1001.0


def test_functions_on_functions_cost_no_more_than_their_number() -> None:
    text = "gelu(" * 60 + "x" + ")" * 60
    assert np.isfinite(parse(text)(POINTS)).all()
    assert len(parse(text).python()) < 2000


@pytest.mark.parametrize(
    "build",
    [
        lambda: Number(-1.0),
        lambda: Number(-0.0),
        lambda: Number(math.inf),
        lambda: number(math.nan),
        lambda: Constant("tau"),
        lambda: Operation("%", (X, X)),
        lambda: Operation("+", (X,)),
        lambda: Operation("neg", (X, X)),
        lambda: Operation("*", (Comparison(">", (X, Number(0))), X)),
        lambda: Comparison("==", (X, Number(0))),
        lambda: Comparison(">", (Number(1), Number(0))),
        lambda: Call("nothing", (X,)),
        lambda: Call("sin", (X, X)),
        lambda: Call("where", (X, X, X)),
        lambda: Call("h", (Number(1.5), X)),
        lambda: Call("sin", (X,)).definition(),
        lambda: X.evaluate(np.ones(2), "cupy"),
    ],
)
def test_nodes_refuse_what_has_no_meaning(build: object) -> None:
    with pytest.raises(ValueError, match=r"\w+ \w+"):
        build()  # type: ignore[operator]


@pytest.mark.parametrize("wrong", ["x", None, 1j, [1.0], np.ones(2)])
def test_arithmetic_is_with_real_numbers(wrong: object) -> None:
    with pytest.raises(TypeError, match="built of real numbers"):
        wrong * X  # type: ignore[operator]


def test_arithmetic_builds_what_the_language_reads() -> None:
    built = {
        "2*x^2 - 1": 2 * X**2 - 1,
        "x + x + x": X + X + X,
        "x*x*2": X * X * 2,
        "1/x/3": 1 / X / 3,
        "2^x": 2**X,
        "-x - -1": -X - (-1),
        "1 - x": 1 - X,
        "-0.5*x": -0.5 * X,
        "(x + 1)*(x - 1)": (X + 1) * (X - 1),
        "0.1 + x": np.float64(0.1) + X,
        "x/2": X / np.int64(2),
    }
    for text, tree in built.items():
        assert tree.text() == text
        assert parse(text) == tree


@given(TREES)
@settings(max_examples=300)
def test_a_proven_symmetry_holds(tree: Expression) -> None:
    parity = tree.parity()
    assert parity in ("odd", "even", None)
    if parity is not None:
        sign = -1.0 if parity == "odd" else 1.0
        assume(max(whole_powers(tree), default=0) <= 16)
        # The sign of an infinite value at a pole is that of a zero: symmetry says nothing of it.
        left, right = tree(-POINTS), sign * tree(POINTS)
        pole = np.isinf(left) & np.isinf(right)
        np.testing.assert_array_equal(left[~pole], right[~pole])


@pytest.mark.parametrize("power", [*range(-20, 21), 0.5, -1.5, 2.5, 1e6])
def test_powers(power: float) -> None:
    at = np.abs(POINTS) if power % 1 else POINTS
    expression = parse(f"x^{number(power).text()}")
    with mpmath.workdps(40):
        expected = [float(mpmath.mpf(v) ** power) if v or power >= 0 else np.inf for v in at]
    np.testing.assert_allclose(expression(at), expected, rtol=2e-15)
    if power in range(-16, 17):
        sign = -1.0 if power % 2 == 1 else 1.0
        np.testing.assert_array_equal(expression(-at)[at != 0], sign * expression(at)[at != 0])


@pytest.mark.parametrize("inner", ["x", "abs(x)", "x + 0.3", "x^3"])
@pytest.mark.parametrize("name", [n for n, spec in FUNCTIONS.items() if spec.arity == 1])
def test_the_symmetry_of_every_function_is_known(name: str, inner: str) -> None:
    expression = parse(f"{name}({inner})")
    right, left = expression(POINTS), expression(-POINTS)
    odd, even = (np.array_equal(left, s * right, equal_nan=True) for s in (-1.0, 1.0))
    assert expression.parity() == ("odd" if odd else "even" if even else None)


@pytest.mark.parametrize(
    ("text", "parity"),
    [
        ("sin(2.676x)", "odd"),
        ("cos(x) - 3", "even"),
        ("x*tanh(x)", "even"),
        ("x^3 + sin(x)", "odd"),
        ("x^3 + sin(x) + 0", "odd"),
        ("x^3 + 1", None),
        ("x^-2", "even"),
        ("x^-3", "odd"),
        ("|x|^0.5", "even"),
        ("x^0.5", None),
        ("2^(x^2)", "even"),
        ("2^x", None),
        ("exp(-x^2/2)", "even"),
        ("exp(x)", None),
        ("x*exp(-x^2)", "odd"),
        ("x/(1 + |x|)", "odd"),
        ("erf(sin(x))", "odd"),
        ("abs(erf(x))", "even"),
        ("clip(x, -1, 1)", "odd"),
        ("clip(x, -1, 2)", None),
        ("clip(|x|, 0, 2)", "even"),
        ("max(|x|, x^2)", "even"),
        ("max(0, x)", None),
        ("where(|x| < 1, x, sin(x))", "odd"),
        ("where(|x| < 1, 1, cos(x))", "even"),
        ("where(x < 1, x, sin(x))", None),
        ("where(|x| < 1, x, 1)", None),
        ("h(3, x)", "odd"),
        ("h(4, x)", "even"),
        ("h(3, cos(x))", "even"),
        ("h(4, exp(x))", None),
        ("0.5*h(1, x) - h(3, x)/pi", "odd"),
        ("-x", "odd"),
        ("pi", "even"),
        ("h(0, exp(x))", "even"),
        ("sigmoid(x)", None),
        ("relu(x)", None),
    ],
)
def test_symmetry_that_is_proven(text: str, parity: str | None) -> None:
    assert parse(text).parity() == parity


@given(TREES, TREES)
@settings(max_examples=200)
def test_composition_is_composition(outer: Expression, inner: Expression) -> None:
    try:
        composed = outer.compose(inner)
    except ValueError:  # constant without being finite
        return
    at = inner(POINTS)
    expected = outer(at)
    values = composed(POINTS)
    if inner.constant is None:
        np.testing.assert_array_equal(values, expected)
    else:
        # Folding goes through the library's functions of one number, not of arrays.
        np.testing.assert_allclose(values, expected, rtol=1e-9, equal_nan=True)


def test_shapes_types_and_silence() -> None:
    expression = parse("x^2 + exp(x)/x")
    assert isinstance(expression(2.0), np.float64)
    assert expression([[1, 2], [3, 4]]).shape == (2, 2)
    assert expression(np.ones(3, dtype=np.float32)).dtype == np.float64
    assert expression(np.zeros((0, 2))).shape == (0, 2)
    assert parse("3")(np.ones((2, 2))).tolist() == [[3.0, 3.0], [3.0, 3.0]]
    assert parse("2^x")(5000.0) == np.inf
    z = np.arange(3.0)
    assert not np.shares_memory(X(z), z)
    with np.errstate(all="raise"):
        for text in FORMULAS:
            values = parse(text)([-np.inf, -1e308, -1.0, 0.0, 1e308, np.inf, np.nan])
            assert values.shape == (7,)
    assert np.isnan(parse("log(x)")(-1.0))
    assert np.isnan(parse("heaviside(x)")(np.nan))
    with pytest.raises(TypeError, match="real numbers, got complex"):
        X([1j])


def test_variables() -> None:
    assert parse("sin(z)").variables == {"x"}
    assert parse("sin(2)*pi").variables == set()
    assert parse("sin(1)").constant == np.sin(1.0)
    assert parse("h(0, x)").constant == 1.0
    assert parse("x").constant is None


def test_expressions_are_values() -> None:
    expression = parse("where(x > 0, h(3, x), max(x, -1)/pi)")
    assert hash(expression) == hash(parse(expression.text()))
    assert pickle.loads(pickle.dumps(expression)) == expression
    assert copy.deepcopy(expression) == expression
    assert expression != parse("x")
    with pytest.raises(AttributeError):
        expression.name = "max"  # type: ignore[attr-defined]


def test_hermite_sums() -> None:
    assert hermite_sum([0.25, 0.0, 1.0]).text() == "0.25 + h(2, x)"
    assert hermite_sum({3: -1.0, 1: 0.1}).text() == "0.1*h(1, x) - h(3, x)"
    assert hermite_sum({1: -0.5, 3: -0.25}).text() == "-0.5*h(1, x) - 0.25*h(3, x)"
    assert hermite_sum({2: -0.3}).text() == "-0.3*h(2, x)"
    assert hermite_sum({}).constant == 0.0
    assert hermite_sum([0.0, 1.0]).parity() == "odd"
    assert hermite_sum(np.array([0.5, 0.5])).text() == "0.5 + 0.5*h(1, x)"
    many = hermite_sum({k: (-1.0) ** k / (k + 3) for k in range(301)})
    assert parse(many.text()) == many
    for bad in ({501: 1.0}, {-1: 1.0}, {1: math.inf}, [math.nan]):
        with pytest.raises(ValueError, match=r"finite|degree|Number"):
            hermite_sum(bad)


def test_hermite_polynomials_are_orthonormal() -> None:
    nodes, weights = np.polynomial.hermite_e.hermegauss(40)
    weights = weights / weights.sum()
    values = np.array([parse(f"h({k}, x)")(nodes) for k in range(20)])
    np.testing.assert_allclose((values * weights) @ values.T, np.eye(20), atol=1e-12)


@pytest.mark.parametrize("text", ["elu(x)", "relu(x)", "softplus(x)", "gelu(x)", "clip(x, -1, 1)"])
def test_gradients_are_finite_far_out(text: str) -> None:
    x = torch.tensor([-1e4, -800.0, 800.0, 1e4], dtype=torch.float64, requires_grad=True)
    (gradient,) = torch.autograd.grad(parse(text).on_torch(x).sum(), x)
    right = 0.0 if text.startswith("clip") else 1.0
    assert gradient.tolist() == [0.0, 0.0, right, right]


def test_torch_keeps_dtype_and_shape_and_checks_them() -> None:
    for text, dtype in itertools.product(FORMULAS, [torch.float32, torch.float64, torch.bfloat16]):
        x = torch.linspace(0.1, 0.9, 6, dtype=dtype).reshape(2, 3)
        values = parse(text).on_torch(x)
        assert (values.dtype, values.shape) == (dtype, x.shape), text
    for wrong in (torch.arange(3), np.ones(3), 1.0):
        with pytest.raises(TypeError, match="a tensor of floating dtype, got"):
            X.on_torch(wrong)


def test_reading_takes_less_than_a_millisecond() -> None:
    text = "x*sigmoid(1.702x) + where(x > 0, x, 0.1*x) - 0.3*h(3, x)"
    assert min(timeit.repeat(lambda: parse(text), number=1, repeat=100)) < 1e-3
