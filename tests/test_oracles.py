"""The library against figures it had no part in: neural-tangents, and the authors' experiment.

`benchmarks/oracles` holds the scripts that made the files and says how to make them anew.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deeplimit import Activation, LimitKernel, NetworkKernel

DATA = Path(__file__).parent / "data"
TANGENTS = json.loads((DATA / "neural_tangents.json").read_text())
AUTHORS = json.loads((DATA / "authors_experiment.json").read_text())

CORRELATIONS = np.array(TANGENTS["correlations"])
GAPS = np.array(AUTHORS["gaps"])
STACKS = [
    pytest.param(spec, entry, id=spec)
    for entry in TANGENTS["activations"]
    for spec in entry["specs"]
]
KERNELS = [
    pytest.param(spec, entry, id=spec)
    for entry in AUTHORS["kernels"].values()
    for spec in entry["specs"]
]
LIMITS = [param for param in KERNELS if "log_limit" in param.values[1]]
DECIDED = [
    pytest.param(problem, name, id=f"R{problem['columns']}-{name}")
    for problem in AUTHORS["problems"]
    for name in problem["maps"]
]
MATCHED = {
    2: ("erf", "sine_1", "2d_opt"),
    3: ("sine_2.676", "3d_opt"),
    5: ("sine_6.13539", "5d_opt"),
    9: ("sine_13.8258", "9d_opt"),
}


def signs(text: str) -> np.ndarray:
    return np.array([{"+": 1.0, "-": -1.0, "0": 0.0}[letter] for letter in text])


def gaps(x: np.ndarray, z: np.ndarray) -> np.ndarray:
    return np.sum((x[:, None, :] - z[None, :, :]) ** 2, axis=2) / 2


@cache
def sphere(columns: int, part: str) -> np.ndarray:
    (problem,) = (p for p in AUTHORS["problems"] if p["columns"] == columns)
    simplex = np.array(problem[part])
    return simplex / np.linalg.norm(simplex, axis=1, keepdims=True)


def decisions(kernel: Any, s: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Signs of the kernel sums, each scaled by its greatest term."""
    log = kernel.log_at_gap(s)
    terms = np.exp(log - log.max(axis=1, keepdims=True)) * kernel.sign_at_gap(s)
    return np.where(terms @ weights < 0, -1.0, 1.0)


@pytest.mark.parametrize(("spec", "entry"), STACKS)
def test_one_layer_is_neural_tangents(spec: str, entry: dict[str, Any]) -> None:
    phi = Activation(spec)
    if entry["norm2"] is not None:
        assert phi.norm2 == pytest.approx(entry["norm2"], rel=1e-10)
    value = np.array(entry["nngp"][0])
    np.testing.assert_allclose(phi.dual.value(CORRELATIONS), value, rtol=1e-9, atol=1e-14)
    if entry["ntk"] is not None:
        # Theta_1 = f + xi f'
        product = np.array(entry["ntk"][0]) - value
        got = CORRELATIONS * phi.dual.derivative(CORRELATIONS)
        np.testing.assert_allclose(got, product, rtol=1e-9, atol=1e-14)


@pytest.mark.parametrize(("spec", "entry"), STACKS)
def test_stacks_are_neural_tangents(spec: str, entry: dict[str, Any]) -> None:
    phi = Activation(spec)
    for kind in ("nngp", "ntk"):
        # no NTK of steps over there: it differentiates them almost everywhere, to zero
        for depth, want in zip(TANGENTS["depths"], entry[kind] or [], strict=False):
            got = NetworkKernel(phi, depth=depth, kind=kind).at_correlation(CORRELATIONS)
            np.testing.assert_allclose(
                got, want, rtol=1e-9, atol=1e-14, err_msg=f"{kind} at depth {depth}"
            )


@pytest.mark.parametrize(("spec", "entry"), KERNELS)
def test_deep_kernels_in_the_log_domain(spec: str, entry: dict[str, Any]) -> None:
    phi = Activation(spec)
    for row, depth in enumerate(entry["depths"]):
        if depth > 1000 and spec != entry["specs"][0]:
            continue  # slow, and no other dual than the one under its name
        # an error of a_1 in its last digits comes in once a layer
        tolerance = {"rtol": 1e-12, "atol": 1e-10 + 1e-13 * depth}
        for kind in ("nngp", "ntk"):
            kernel = NetworkKernel(phi, depth=depth, kind=kind)
            log, sign = kernel.log_and_sign_at_gap(GAPS)
            where = f"{kind} at depth {depth}"
            want = np.array(entry[f"log_{kind}"][row], dtype=float)
            # sqrt(1/2) in sixteen digits squares to 1/2 and a rounding: a zero is no more than that
            zero = np.isneginf(want) & (spec != entry["specs"][0])
            assert np.all(log[zero] < -36.0), where
            np.testing.assert_allclose(log[~zero], want[~zero], **tolerance, err_msg=where)
            want = signs(entry[f"sign_{kind}"][row])
            np.testing.assert_array_equal(sign[~zero], want[~zero], err_msg=where)
            if depth <= 100:
                diagonal = entry["log_ntk_diagonal"][row] if kind == "ntk" else 0.0
                got = kernel.log_at_gap([0.0])
                np.testing.assert_allclose(got, diagonal, **tolerance, err_msg=where)


@pytest.mark.parametrize(("spec", "entry"), LIMITS)
def test_limit_kernel_is_what_the_iterates_tend_to(spec: str, entry: dict[str, Any]) -> None:
    kernel = LimitKernel(Activation(spec))
    np.testing.assert_allclose(kernel.log_at_gap(GAPS), entry["log_limit"], rtol=0, atol=1e-10)
    np.testing.assert_array_equal(kernel.sign_at_gap(GAPS), signs(entry["sign_limit"]))


@pytest.mark.parametrize(("problem", "name"), DECIDED)
def test_limit_decides_as_the_authors_regression(problem: dict[str, Any], name: str) -> None:
    labels = signs(problem["train_labels"])
    s = gaps(sphere(problem["columns"], "test"), sphere(problem["columns"], "train"))
    kernel = LimitKernel(Activation(AUTHORS["kernels"][name]["specs"][0]))
    got = decisions(kernel, s, labels)
    rule = problem["maps"][name]["regression"]
    np.testing.assert_array_equal(got, signs(rule["decisions"]))
    accuracy = np.mean(got == signs(problem["test_labels"]))
    assert accuracy == pytest.approx(rule["accuracy"], abs=1e-12)


@pytest.mark.parametrize(
    ("columns", "name"), [(columns, name) for columns, names in MATCHED.items() for name in names]
)
def test_regression_at_the_authors_depth(columns: int, name: str) -> None:
    (problem,) = (p for p in AUTHORS["problems"] if p["columns"] == columns)
    train, test = sphere(columns, "train"), sphere(columns, "test")
    phi = Activation(AUTHORS["kernels"][name]["specs"][0])
    kernel = NetworkKernel(phi, depth=AUTHORS["depths"][name], kind="nngp")
    gram = kernel.at_gap(gaps(train, train))
    np.testing.assert_array_equal(np.diag(gram), 1.0)
    solution = np.linalg.solve(gram, signs(problem["train_labels"]))
    got = decisions(kernel, gaps(test, train), solution)
    np.testing.assert_array_equal(got, signs(problem["maps"][name]["regression"]["decisions"]))
