"""Finite-depth kernels by neural-tangents, as an oracle the library is held against.

Writes NNGP and NTK values of fully connected networks at a few depths and correlations.
neural-tangents 0.6.5 doesn't import with a current JAX, so the script wants a throw-away
environment of its own, outside the repository and without this package::

    python3.11 -m venv oracle-env
    oracle-env/bin/pip install "neural-tangents==0.6.5" "jax==0.4.23" "jaxlib==0.4.23" \
        "numpy<2" "scipy<1.13"
    oracle-env/bin/python -P benchmarks/oracles/neural_tangents.py tests/data/neural_tangents.json

(``-P`` because this file has the name of the package that it imports.) It runs on a CPU in about
a minute. ``tests/test_oracles.py`` reads the file.

How the two conventions meet
----------------------------
A network here is ``Dense(1), phi, Dense(s), phi, Dense(s), …`` in the NTK parametrisation, without
biases, with ``W_std = 1`` first and ``s = 1 / sqrt(E phi(z)^2)`` after each nonlinearity, so that
the diagonal of the covariance stays 1. Inputs are ``sqrt(width)`` times unit vectors, because
neural-tangents divides the first inner product by the number of columns. Then

* the first ``Dense`` gives ``nngp = ntk = xi``: that is ``Sigma_0 = Theta_0 = xi``;
* a pair ``phi, Dense(s)`` gives ``nngp <- f(nngp)`` and ``ntk <- f(nngp) + ntk f'(nngp)``, with
  ``f`` the dual of the normalised activation: that is ``Sigma_L`` and ``Theta_L``, L pairs deep.

``s**2`` is a rounded number, and the variance of the polynomial activations drifts by a factor
of up to ``B'`` a layer (``4**20 * 1e-16`` for 2d_opt), so the variances are set back to the 1 that
they are after each pair. The largest drift removed at once is recorded (``variance_drift``).

neural-tangents differentiates steps almost everywhere, so that their NTK is just the NNGP kernel;
the NTK of the dual map has ``f'(1) = inf`` instead. For steps only the NNGP values are written.

Activations without a closed form there go through its Gauss-Hermite quadrature; the entry's
``degree`` says how many nodes, and ``relative_error`` is the largest change from 3/4 as many.

"""

from __future__ import annotations

import argparse
import json
import math
import platform
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import erf
from neural_tangents import stax

jax.config.update("jax_enable_x64", True)

CORRELATIONS = (
    *(-0.99, -0.9, -0.7, -0.5, -0.25, -0.05, 0.0, 0.1),
    *(0.3, 0.5, 0.7, 0.9, 0.99, 0.999, 0.9999),
)
DEPTHS = (1, 2, 5, 20)
NODES = 192


@dataclass(frozen=True)
class Case:
    """One activation: what it is called here, how it's written, and its layer over there."""

    names: tuple[str, ...]
    formula: str
    layer: str
    build: Callable[..., Any]
    step: bool = False
    quadrature: bool = False


def mixture(name: str, squares: dict[int, float]) -> Case:
    """An activation of the paper, ``sum_k sqrt(a_k) h_k``, as the polynomial that it is."""
    series = np.zeros(max(squares) + 1)
    for degree, square in squares.items():
        series[degree] = math.sqrt(square / math.factorial(degree))
    powers = np.polynomial.hermite_e.herme2poly(series).tolist()
    terms = (f"{math.sqrt(square)!r}*h({degree}, x)" for degree, square in squares.items())
    return Case((name,), " + ".join(terms), "Polynomial", lambda: stax.Polynomial(powers))


def smooth(name: str, formula: str, function: Callable[[Any], Any]) -> Case:
    """A smooth activation through the quadrature of neural-tangents."""
    return Case(
        (name,) if name else (),
        formula,
        "ElementwiseNumerical",
        lambda nodes: stax.ElementwiseNumerical(function, deg=nodes),
        quadrature=True,
    )


def hermite(degree: int) -> Case:
    """The normalised Hermite polynomial of this degree."""
    return Case(
        (f"h{degree}",), f"h({degree}, x)", f"Hermite({degree})", lambda: stax.Hermite(degree)
    )


def sine(a: float, *names: str) -> Case:
    """``sin(b x)`` with ``b = sqrt(a)``, which the authors call sine_a."""
    b = math.sqrt(a)
    names = (*names, f"sine_{a:g}")
    return Case(names, f"sin({b!r}*x)", f"Sin(b={b!r})", lambda: stax.Sin(a=1.0, b=b))


CASES: tuple[Case, ...] = (
    Case(("relu",), "relu(x)", "Relu()", stax.Relu),
    Case(("leaky_relu",), "max(x, 0.01*x)", "LeakyRelu(0.01)", lambda: stax.LeakyRelu(0.01)),
    Case((), "max(x, 0.2*x)", "LeakyRelu(0.2)", lambda: stax.LeakyRelu(0.2)),
    Case(("abs",), "abs(x)", "Abs()", stax.Abs),
    Case(
        (),
        "1.5*max(x, 0) - 0.25*min(x, 0)",
        "ABRelu(-0.25, 1.5)",
        lambda: stax.ABRelu(-0.25, 1.5),
    ),
    Case(("erf",), "erf(x)", "Erf()", stax.Erf),
    Case((), "erf(0.5*x) + 0.2", "Erf(1, 0.5, 0.2)", lambda: stax.Erf(1.0, 0.5, 0.2)),
    Case((), "0.5 + 0.5*erf(x/2.4020563531719796)", "Sigmoid_like()", stax.Sigmoid_like),
    Case(("gelu",), "x*ndtr(x)", "Gelu()", stax.Gelu),
    Case((), "exp(-x^2)*sin(x)", "Gabor()", stax.Gabor),
    sine(1.0, "sin"),
    sine(4.0),
    sine(0.25),
    sine(2.676),
    sine(6.13539),
    sine(13.8258),
    Case((), "sin(x + 0.5)", "Sin(1, 1, 0.5)", lambda: stax.Sin(1.0, 1.0, 0.5)),
    Case(("cos",), "cos(x)", "Cos()", stax.Cos),
    Case((), "sqrt(2)*sin(0.8*x + pi/4)", "Rbf(0.32)", lambda: stax.Rbf(0.32)),
    Case(("sign",), "sign(x)", "Sign()", stax.Sign, step=True),
    Case(("exp",), "exp(x)", "Exp()", stax.Exp),
    Case((), "exp(0.5*x)", "Exp(1, 0.5)", lambda: stax.Exp(1.0, 0.5)),
    Case((), "exp(0.7*x)", "ExpNormalized(0.49)", lambda: stax.ExpNormalized(0.49, -1.0)),
    Case((), "exp(-x^2)", "Gaussian()", stax.Gaussian),
    Case(("gaussian",), "exp(-0.5*x^2)", "Gaussian(1, -0.5)", lambda: stax.Gaussian(1.0, -0.5)),
    Case((), "x^2", "Monomial(2)", lambda: stax.Monomial(2)),
    Case((), "x^3", "Monomial(3)", lambda: stax.Monomial(3)),
    Case((), "x^5", "Monomial(5)", lambda: stax.Monomial(5)),
    Case((), "heaviside(x)", "RectifiedMonomial(0)", lambda: stax.RectifiedMonomial(0), step=True),
    Case((), "relu(x)^2", "RectifiedMonomial(2)", lambda: stax.RectifiedMonomial(2)),
    Case((), "relu(x)^3", "RectifiedMonomial(3)", lambda: stax.RectifiedMonomial(3)),
    Case(
        (),
        "1 + x - 0.5*x^2 + 0.25*x^3",
        "Polynomial([1, 1, -0.5, 0.25])",
        lambda: stax.Polynomial([1.0, 1.0, -0.5, 0.25]),
    ),
    hermite(2),
    hermite(3),
    hermite(4),
    mixture("2d_opt", {1: 1 / 2, 7: 1 / 2}),
    mixture("3d_opt", {1: 1 / 2, 3: 1 / 2}),
    mixture("5d_opt", {1: 1 / 4, 2: 1 / 2, 3: 1 / 4}),
    mixture("9d_opt", {1: 1 / 16, 2: 7 / 8, 3: 1 / 16}),
    smooth("tanh", "tanh(x)", jnp.tanh),
    smooth("sigmoid", "sigmoid(x)", jax.nn.sigmoid),
    smooth("softplus", "softplus(x)", jax.nn.softplus),
    smooth("silu", "x*sigmoid(x)", jax.nn.silu),
    smooth("", "tanh(x) - 0.5*erf(x) + 0.1", lambda x: jnp.tanh(x) - 0.5 * erf(x) + 0.1),
)


def inputs() -> tuple[np.ndarray, np.ndarray]:
    """One point and its partners at `CORRELATIONS`, of norm 2 in four columns.

    Four, because 2 is an exact square root: ``2 * 2 * xi / 4`` is ``xi`` without rounding.

    """
    xi = np.array(CORRELATIONS)
    partners = np.zeros((len(xi), 4))
    partners[:, 0], partners[:, 1] = 2 * xi, 2 * np.sqrt((1 - xi) * (1 + xi))
    return np.array([[2.0, 0.0, 0.0, 0.0]]), partners


def stack(activation: Any) -> tuple[float, float, list[Any], list[Any]]:
    """Mean square, largest variance drift, and the kernels of one activation at `DEPTHS`."""
    x, z = inputs()
    dense = stax.Dense(1, W_std=1.0, b_std=None, parameterization="ntk")
    # Variances only: the rectified monomials are 0/0 on the diagonal of a whole covariance.
    first = dense[2](x, z, diagonal_batch=True, diagonal_spatial=True)
    norm2 = float(stax.serial(activation)[2](first).cov1[0])
    last = stax.Dense(1, W_std=1 / math.sqrt(norm2), b_std=None, parameterization="ntk")
    pair = stax.serial(activation, last)[2]
    kernel, drift = first, 0.0
    nngp, ntk = [], []
    for depth in range(1, max(DEPTHS) + 1):
        kernel = pair(kernel)
        variances = np.concatenate([np.ravel(kernel.cov1), np.ravel(kernel.cov2)])
        drift = max(drift, float(np.max(np.abs(variances - 1))))
        kernel = kernel.replace(cov1=jnp.ones_like(kernel.cov1), cov2=jnp.ones_like(kernel.cov2))
        if depth in DEPTHS:
            nngp.append(np.asarray(kernel.nngp)[0])
            ntk.append(np.asarray(kernel.ntk)[0])
    return norm2, drift, nngp, ntk


def evaluate(case: Case) -> dict[str, Any]:
    """The entry of one activation."""
    entry: dict[str, Any] = {
        "specs": [*case.names, case.formula],
        "layer": case.layer,
        "degree": NODES if case.quadrature else None,
    }
    norm2, drift, nngp, ntk = stack(case.build(NODES) if case.quadrature else case.build())
    error = 0.0
    if case.quadrature:
        _, _, coarse_nngp, coarse_ntk = stack(case.build(3 * NODES // 4))
        for fine, coarse in ((nngp, coarse_nngp), (ntk, coarse_ntk)):
            change = np.abs(np.array(fine) - np.array(coarse))
            size = np.where(np.array(CORRELATIONS) == 0, 1.0, np.abs(fine))
            error = max(error, float(np.max(change / size)))
    if case.layer.startswith("ExpNormalized"):
        norm2 = None  # a kernel transformation, already normalised, of no particular function
    return entry | {
        "norm2": norm2,
        "variance_drift": drift,
        "relative_error": error if case.quadrature else None,
        "nngp": [row.tolist() for row in nngp],
        "ntk": None if case.step else [row.tolist() for row in ntk],
    }


def main() -> None:
    """Write the file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("path", type=Path, help="JSON file to write")
    path = parser.parse_args().path
    warnings.simplefilter("ignore")  # it warns of quadrature and of assumed unit norms, both meant
    entries = [evaluate(case) for case in CASES]
    packages = ("neural-tangents", "jax", "jaxlib", "numpy", "scipy")
    document = {
        "made_by": "benchmarks/oracles/neural_tangents.py",
        "versions": {"python": platform.python_version(), **{p: version(p) for p in packages}},
        "float64": True,
        "correlations": list(CORRELATIONS),
        "depths": list(DEPTHS),
    }
    lines = [json.dumps(entry, allow_nan=False) for entry in entries]
    head = json.dumps(document, indent=1)[:-2]
    path.write_text(head + ',\n "activations": [\n' + ",\n".join(lines) + "\n ]\n}\n")
    for entry in entries:
        print(
            f"{entry['specs'][-1][:40]:40s} drift {entry['variance_drift']:.1e}"
            f" error {entry['relative_error'] or 0:.1e}"
        )


if __name__ == "__main__":
    main()
