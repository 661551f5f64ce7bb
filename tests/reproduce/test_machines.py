from __future__ import annotations

import numpy as np
import pytest

from deeplimit import NetworkKernel
from deeplimit.estimators import NetworkKernelClassifier
from deeplimit.reproduce.machines import conjugate, gaps_between, ridgeless
from deeplimit.reproduce.problems import PROBLEMS

SAMPLE = PROBLEMS["R⁵"].draw(120, 60, 0)
GRAM = gaps_between(SAMPLE.train, SAMPLE.train)
CROSS = gaps_between(SAMPLE.test, SAMPLE.train)


def test_gaps() -> None:
    np.testing.assert_allclose(CROSS, 1.0 - SAMPLE.test @ SAMPLE.train.T, atol=1e-14)
    np.testing.assert_array_equal(np.diag(GRAM), 0.0)


@pytest.mark.parametrize("kind", ["ntk", "nngp"])
def test_ridgeless_interpolates_and_is_the_solve(kind: str) -> None:
    kernel = NetworkKernel("5d_opt", 12, kind=kind)
    y = SAMPLE.train_labels
    at_examples = ridgeless(kernel, GRAM, y, GRAM)
    np.testing.assert_allclose(at_examples.values, y, atol=1e-8)
    found = ridgeless(kernel, GRAM, y, CROSS)
    matrix = kernel.at_gap(GRAM, normalize=True)
    want = kernel.at_gap(CROSS, normalize=True) @ np.linalg.solve(matrix, y)
    np.testing.assert_allclose(found.values, want, rtol=1e-8, atol=1e-12)
    np.testing.assert_array_equal(found.decisions, np.where(want < 0, -1, 1))
    assert found.rank == len(y)


def test_conjugate_gradients_agree() -> None:
    kernel = NetworkKernel("5d_opt", 12, kind="nngp")
    one = ridgeless(kernel, GRAM, SAMPLE.train_labels, CROSS)
    two = conjugate(kernel, GRAM.copy(), SAMPLE.train_labels, CROSS)
    np.testing.assert_allclose(one.values, two.values, rtol=1e-8, atol=1e-13)


def test_public_machine_decides_alike() -> None:
    public = NetworkKernelClassifier("5d_opt", 12, "nngp", ridge=0.0, projection="none")
    decided = public.fit(SAMPLE.train, SAMPLE.train_labels).predict(SAMPLE.test)
    kernel = NetworkKernel("5d_opt", 12, kind="nngp")
    found = ridgeless(kernel, GRAM, SAMPLE.train_labels, CROSS)
    np.testing.assert_array_equal(found.decisions, decided)


def test_decisions_survive_underflow() -> None:
    kernel = NetworkKernel("9d_opt", 2000, kind="nngp")
    found = ridgeless(kernel, GRAM, SAMPLE.train_labels, CROSS)
    assert np.all(found.values == 0.0)
    assert {-1.0, 1.0} == set(found.decisions.tolist())


def test_rank_of_a_shallow_polynomial() -> None:
    # Degree 3 in R⁵ without the constant: 1, 2 and 3 of 5 coordinates on the sphere.
    kernel = NetworkKernel("5d_opt", 1, kind="nngp")
    assert ridgeless(kernel, GRAM, SAMPLE.train_labels, CROSS).rank < 60
