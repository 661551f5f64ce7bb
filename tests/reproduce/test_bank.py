from __future__ import annotations

import numpy as np
import pytest

from deeplimit.estimators import HilbertClassifier, OneNearestNeighborClassifier
from deeplimit.kernels import LimitKernel, PowerKernel
from deeplimit.reproduce.bank import KernelBank
from deeplimit.reproduce.machines import gaps_between
from deeplimit.reproduce.problems import PROBLEMS
from deeplimit.sums import class_sums, fit_lift

NAMES = ("2d_opt", "9d_opt", "erf", "sine_13.8258")


@pytest.fixture(scope="module")
def kernels() -> dict[str, LimitKernel]:
    return {name: LimitKernel(name) for name in NAMES}


@pytest.mark.parametrize("problem", ["R³", "R⁹"])
def test_sums_are_those_of_the_kernels(kernels: dict[str, LimitKernel], problem: str) -> None:
    power = PowerKernel(PROBLEMS[problem].dimension)
    bank = KernelBank(kernels | {"Hilbert": power})
    sample = PROBLEMS[problem].draw(700, 60, 0)
    targets = np.column_stack((sample.train_labels, np.arange(700.0)))
    scores = bank.scores(sample.train, targets, sample.test)
    gaps = gaps_between(sample.test, sample.train)
    for name, kernel in {**kernels, "Hilbert": power}.items():
        log = kernel.log_at_gap(gaps)
        weights = np.exp(log - log.max(axis=1, keepdims=True))
        want = weights @ targets / weights.sum(axis=1, keepdims=True)
        np.testing.assert_allclose(scores.sums[name], want, rtol=2e-6, atol=1e-8)
    np.testing.assert_array_equal(scores.nearest, gaps.argmin(axis=1))


def test_decisions_are_those_of_the_library(kernels: dict[str, LimitKernel]) -> None:
    bank = KernelBank(kernels | {"Hilbert": PowerKernel(4.0)})
    sample = PROBLEMS["R⁵"].draw(900, 200, 5)
    X, y, Q = sample.train, sample.train_labels, sample.test
    scores = bank.scores(X, y[:, None], Q)
    index, lift = (y > 0).astype(np.int64), fit_lift(X, "none")
    for name, kernel in kernels.items():
        winner = class_sums(kernel, lift, X, index, None, Q, 2).decide().winner
        np.testing.assert_array_equal(scores.sums[name][:, 0] >= 0, winner == 1)
    hilbert = HilbertClassifier(exponent=4.0).fit(X, y).predict(Q)
    np.testing.assert_array_equal(np.where(scores.sums["Hilbert"][:, 0] < 0, -1, 1), hilbert)
    nearest = OneNearestNeighborClassifier().fit(X, y).predict(Q)
    np.testing.assert_array_equal(y[scores.nearest], nearest)


def test_result_does_not_depend_on_threads(kernels: dict[str, LimitKernel]) -> None:
    bank = KernelBank(kernels)
    sample = PROBLEMS["R²"].draw(5000, 100, 1)
    one, two = (
        bank.scores(sample.train, sample.train_labels[:, None], sample.test, n_jobs)
        for n_jobs in (1, 2)
    )
    for name in NAMES:
        np.testing.assert_array_equal(one.sums[name], two.sums[name])


def test_a_coincident_example_decides() -> None:
    bank = KernelBank({"power": PowerKernel(1.0), "3d_opt": LimitKernel("3d_opt")})
    X = np.array([[1.0, 0.0], [0.6, 0.8], [0.6 + 1e-9, 0.8]])
    scores = bank.scores(X, np.array([[1.0], [1.0], [-1.0]]), X)
    for sums in scores.sums.values():
        np.testing.assert_array_equal(np.sign(sums[:, 0]), [1.0, 1.0, -1.0])


def test_examples_in_several_tiles(kernels: dict[str, LimitKernel]) -> None:
    sample = PROBLEMS["R³"].draw(40_000, 4, 8)
    bank = KernelBank({"erf": kernels["erf"]})
    labels = sample.train_labels[:, None]
    whole = bank.scores(sample.train, labels, sample.test)
    gaps = gaps_between(sample.test, sample.train)
    weights = kernels["erf"].at_gap(gaps)
    want = weights @ labels / weights.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(whole.sums["erf"], want, rtol=1e-8, atol=1e-10)
    np.testing.assert_array_equal(whole.nearest, gaps.argmin(axis=1))


def test_interpolation_error_is_told(kernels: dict[str, LimitKernel]) -> None:
    for name, kernel in kernels.items():
        assert 0.0 < KernelBank({name: kernel}).error < 1e-6


def test_negative_correlations_are_refused(kernels: dict[str, LimitKernel]) -> None:
    with pytest.raises(ValueError, match="nonnegative"):
        KernelBank(kernels).scores(
            np.array([[1.0, 0.0]]), np.array([[1.0]]), np.array([[-1.0, 0.0]])
        )
