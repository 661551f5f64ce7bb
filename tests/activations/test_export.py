"""Programs to paste: each runs, computes what the expression computes, and imports what it uses."""

from __future__ import annotations

import ast
import math
import subprocess
import sys
from collections.abc import Iterator

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from matplotlib.mathtext import MathTextParser

from activations.formulas import FORMULAS, OPERATIONS, POINTS, TREES, whole_powers
from deeplimit.activations.export import Code, export, jax_source
from deeplimit.activations.expressions import Expression, parse
from deeplimit.activations.functions import FUNCTIONS


@pytest.fixture
def x64() -> Iterator[None]:
    """Let JAX compute in double precision for the length of a test."""
    before = jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", True)
    yield
    jax.config.update("jax_enable_x64", before)


def run_source(source: str, name: str) -> object:
    """Execute a program as a reader who pastes it would, and take what it defines."""
    namespace: dict[str, object] = {}
    exec(compile(source, "<pasted>", "exec"), namespace)
    return namespace[name]


def close(values: object, expected: np.ndarray) -> None:
    values = np.asarray(values)
    assert values.dtype == np.float64
    assert values.shape == expected.shape
    np.testing.assert_allclose(values, expected, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("text", FORMULAS)
def test_every_program_agrees_with_the_expression(text: str, x64: None) -> None:
    expression = parse(text)
    code = export(expression, name="pasted")
    expected = expression(POINTS)
    assert parse(code.text) == expression
    with np.errstate(all="ignore"):
        close(run_source(code.python, "pasted")(POINTS), expected)
    module = run_source(code.torch, "Pasted")()
    assert isinstance(module, torch.nn.Module)
    assert list(module.parameters()) == []
    close(module(torch.tensor(POINTS)).numpy(), expected)
    function = run_source(code.jax, "pasted")
    close(function(jnp.asarray(POINTS)), expected)
    close(jax.jit(function)(jnp.asarray(POINTS)), expected)
    close(expression.evaluate(jnp.asarray(POINTS), "jax"), expected)


@given(TREES)
@settings(max_examples=300)
def test_python_program_of_any_tree(tree: Expression) -> None:
    assume(not whole_powers(tree))
    with np.errstate(all="ignore"):
        values = run_source(tree.python(), "activation")(POINTS)
    np.testing.assert_array_equal(values, tree(POINTS))


def test_python_programs_of_every_operator_in_every_place() -> None:
    at = np.array([0.5, 1.25, 3.0])
    with np.errstate(all="ignore"):
        for tree in OPERATIONS:
            values = run_source(tree.python(), "activation")(at)
            np.testing.assert_allclose(values, tree(at), rtol=1e-13, err_msg=tree.text())


@given(TREES)
@settings(max_examples=150)
def test_torch_program_of_any_tree_does_what_the_tree_does(tree: Expression) -> None:
    assume(not whole_powers(tree))
    x = torch.tensor(POINTS)
    np.testing.assert_array_equal(run_source(tree.torch(), "Activation")()(x), tree.on_torch(x))


@pytest.mark.parametrize("text", FORMULAS)
def test_programs_import_exactly_what_they_use(text: str) -> None:
    code = export(parse(text))
    for source in (code.python, code.torch, code.jax):
        tree = ast.parse(source)
        imported = {
            (alias.asname or alias.name).partition(".")[0]
            for node in ast.walk(tree)
            if isinstance(node, ast.Import | ast.ImportFrom)
            for alias in node.names
        }
        defined = {n.name for n in tree.body if isinstance(n, ast.FunctionDef | ast.ClassDef)}
        used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        assert imported <= used
        called = {n for n in used if n.startswith("_") or n in ("np", "torch", "jax", "jnp")}
        assert called <= imported | defined
        assert {d for d in defined if d.startswith("_")} <= used
        assert source.endswith("\n")
        assert "\n\n\n\n" not in source


def test_programs_pass_the_linter() -> None:
    text = "gelu(x) + h(3, x) - softplus(2x) + tanh(x)*erf(x) - 0.3"
    code = export(parse(text), norm2=2.0, name="mixture")
    for source in (code.python, code.torch, code.jax):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", "check", "--isolated", "--select=E,F,W,I",
             "--ignore=E501", "-"],
            input=source, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout


def test_normalised_code_has_second_moment_one() -> None:
    nodes, weights = np.polynomial.hermite_e.hermegauss(80)
    weights = weights / weights.sum()
    expression = parse("sin(2.676*x)")
    norm2 = float(weights @ expression(nodes) ** 2)
    code = export(expression, norm2=norm2, name="sine")
    values = run_source(code.python, "sine")(nodes)
    assert weights @ values**2 == pytest.approx(1.0, rel=1e-14)
    assert code.text == f"{1 / math.sqrt(norm2)!r}*sin(2.676*x)"
    assert export(expression) == export(expression, norm2=1.0)


def test_golden() -> None:
    assert export(parse("0.5*h(1, x) - softplus(2)*h(3, x)"), name="3d_opt") == Code(
        text="0.5*h(1, x) - softplus(2)*h(3, x)",
        tex=(
            r"0.5\,h_{1}\left(x\right) - "
            r"\operatorname{softplus}\left(2\right)\,h_{3}\left(x\right)"
        ),
        python='''\
import math

import numpy as np


def _h(k, x):
    """Evaluate the normalised Hermite polynomial He_k(x) / sqrt(k!)."""
    previous, value = 0.0, 1.0
    for n in range(k):
        previous, value = value, (x * value - math.sqrt(n) * previous) / math.sqrt(n + 1)
    return value


def phi_3d_opt(x):
    """Evaluate 0.5*h(1, x) - softplus(2)*h(3, x)."""
    x = np.asarray(x, dtype=np.float64)
    return 0.5 * _h(1, x) - 2.1269280110429727 * _h(3, x)
''',
        torch='''\
import math

import torch


def _h(k, x):
    """Evaluate the normalised Hermite polynomial He_k(x) / sqrt(k!)."""
    previous, value = 0.0, 1.0
    for n in range(k):
        previous, value = value, (x * value - math.sqrt(n) * previous) / math.sqrt(n + 1)
    return value


class Phi3dOpt(torch.nn.Module):
    """Evaluate 0.5*h(1, x) - softplus(2)*h(3, x)."""

    def forward(self, x):
        return 0.5 * _h(1, x) - 2.1269280110429727 * _h(3, x)
''',
        jax='''\
import math


def _h(k, x):
    """Evaluate the normalised Hermite polynomial He_k(x) / sqrt(k!)."""
    previous, value = 0.0, 1.0
    for n in range(k):
        previous, value = value, (x * value - math.sqrt(n) * previous) / math.sqrt(n + 1)
    return value


def phi_3d_opt(x):
    """Evaluate 0.5*h(1, x) - softplus(2)*h(3, x)."""
    return 0.5 * _h(1, x) - 2.1269280110429727 * _h(3, x)
''',
    )


@pytest.mark.parametrize(
    ("text", "tex"),
    [
        ("2x", r"2\,x"),
        ("x*2", r"x \cdot 2"),
        ("2*3*x", r"2 \cdot 3\,x"),
        ("2*(1/x)", r"2 \cdot \frac{1}{x}"),
        ("1e-7*x^2", r"1 \cdot 10^{-7}\,x^{2}"),
        ("(1e22)^x", r"\left(1 \cdot 10^{22}\right)^{x}"),
        ("sin(x)^2", r"\left(\sin\left(x\right)\right)^{2}"),
        ("square(square(x))", r"\left(\left(x\right)^{2}\right)^{2}"),
        ("x^x^2", r"x^{x^{2}}"),
        ("-(x + 1)*x", r"-\left(x + 1\right)\,x"),
        ("x*-x", r"x\,\left(-x\right)"),
        ("x - (1 - x)", r"x - \left(1 - x\right)"),
        ("|x|/sqrt(pi)", r"\frac{\left|x\right|}{\sqrt{\pi}}"),
        (
            "where(x <= 0, 0.1x, e)",
            r"\begin{cases}0.1\,x & x \le 0 \\ \mathrm{e} & \text{otherwise}\end{cases}",
        ),
    ],
)
def test_tex(text: str, tex: str) -> None:
    assert parse(text).tex() == tex


@given(TREES)
@settings(max_examples=60)
def test_tex_is_accepted_by_a_reader_of_tex(tree: Expression) -> None:
    tex = tree.tex()
    depth = 0
    for sign in tex:
        depth += (sign == "{") - (sign == "}")
        assert depth >= 0
    assert depth == 0
    assert tex.count(r"\left") == tex.count(r"\right")
    assert "#" not in tex
    if "cases" not in tex:  # the one environment that Matplotlib's reader lacks
        MathTextParser("path").parse(f"${tex}$")


@pytest.mark.parametrize(
    ("name", "function", "module"),
    [
        ("activation", "activation", "Activation"),
        ("leaky relu (0.2)", "leaky_relu_0_2", "LeakyRelu02"),
        ("sine_2.676", "sine_2_676", "Sine2676"),
        ("relu", "relu", "Relu"),
        ("torch", "torch_", "Torch"),
        ("x", "x_", "X"),
        ("lambda", "lambda_", "Lambda"),
        ("φ'; import os", "import_os", "ImportOs"),
        ("", "activation", "Activation"),
    ],
)
def test_any_name_makes_names(name: str, function: str, module: str) -> None:
    code = export(parse("relu(x)"), name=name)
    assert run_source(code.python, function)(np.array([-1.0, 2.0])).tolist() == [0.0, 2.0]
    assert callable(run_source(code.jax, function))
    assert issubclass(run_source(code.torch, module), torch.nn.Module)


@pytest.mark.parametrize("name", ["", "1a", "a b", "lambda", "np", "x", "_h", "a\nimport os"])
def test_names_that_would_break_a_program_are_refused(name: str) -> None:
    expression = parse("h(2, x)")
    for write in (expression.python, expression.torch, lambda n: jax_source(expression, n)):
        with pytest.raises(ValueError, match=r"name"):
            write(name)


@pytest.mark.parametrize("norm2", [0.0, -1.0, math.inf, math.nan])
def test_second_moment_is_checked(norm2: float) -> None:
    with pytest.raises(ValueError, match="norm2 is a second moment, positive and finite"):
        export(parse("x"), norm2=norm2)


def test_a_negative_value_keeps_its_parentheses() -> None:
    assert parse("(-2)^x*(1 - 3)").python().endswith("return (-2.0)**x * -2.0\n")
    assert parse("(-0)^x - log(0.5)").python().endswith("return (-0.0)**x + 0.6931471805599453\n")


def test_helpers_are_written_once() -> None:
    source = parse("gelu(x) + gelu(2x) + ndtr(x)").torch()
    assert source.count("def _gelu") == source.count("def _ndtr") == 1
    assert FUNCTIONS["gelu"].torch is None
