from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import make_blobs

import deeplimit as dl
from deeplimit.engines.grid import leave_one_out
from deeplimit.estimators.exponents import GRID, choose_exponent
from deeplimit.sums import fit_lift


@pytest.fixture
def data():
    return make_blobs(40, centers=3, n_features=3, cluster_std=3.0, random_state=4)


def brute_force(X, y, weight, exponent):
    """Leave one distinct row out at a time, and predict it by the sums of the others."""
    distinct = len(np.unique(X, axis=0))
    prior = np.bincount(y, weights=weight) / weight.sum()
    loss = 0.0
    for i in range(len(X)):
        others = np.any(X[i] != X, axis=1)
        distance = np.linalg.norm(X[others] - X[i], axis=1)
        score = np.bincount(y[others], weights=weight[others] * distance**-exponent, minlength=3)
        share = score / score.sum() * (1 - 1 / distinct) + prior / distinct
        loss -= weight[i] * np.log(share[y[i]])
    return loss / weight.sum()


def test_auto_is_the_least_loss(data):
    X, y = data
    model = dl.DeepLimitClassifier(speed="paper").fit(X, y)
    assert set(GRID) <= set(model.loo_exponents_)
    losses = [brute_force(X, y, np.ones(40), exponent) for exponent in model.loo_exponents_]
    np.testing.assert_allclose(model.loo_losses_, losses, rtol=1e-9)
    assert model.exponent_ == model.loo_exponents_[np.argmin(losses)]
    assert f"{model.exponent_:.6g}" in model.regime_


def test_dimension_is_that_of_the_data():
    rng = np.random.default_rng(6)
    X = rng.normal(size=(1500, 2)) @ rng.normal(size=(2, 7))
    model = dl.HilbertClassifier().fit(X, np.arange(1500) % 2)
    assert model.exponent_ == pytest.approx(2.0, abs=0.15)
    assert dl.DeepLimitClassifier(exponent="dimension").fit(X, np.arange(1500) % 2).exponent_ == (
        model.exponent_
    )


def test_matched_activation_has_the_exponent(data):
    X, y = data
    model = dl.DeepLimitClassifier("matched", exponent=3.7).fit(X, y)
    assert model.exponent_ == pytest.approx(3.7, abs=1e-9)
    assert model.kernel_.regime == "singular-kernel"


def test_few_rows_have_no_leave_one_out():
    X, y = np.array([[0.0], [1.0], [3.0]]), np.array([0, 1, 1])
    choice = choose_exponent("auto", fit_lift(X, "euclidean"), X, y, np.ones(3), 2)
    assert choice.losses is None
    assert choice.exponent > 0


def test_big_data_leave_an_even_choice_out():
    rng = np.random.default_rng(8)
    X, y = rng.normal(size=(5000, 2)), rng.integers(0, 2, 5000)
    model = dl.DeepLimitClassifier(speed="paper").fit(X, y)
    assert model.loo_losses_.min() == pytest.approx(np.log(2), abs=0.02)
    even = leave_one_out(
        model.lift_, X, y, None, 2, [2.0], left_out=np.linspace(0, 4999, 2000).astype(int)
    )
    at = model.loo_exponents_.tolist().index(2.0)
    assert model.loo_losses_[at] == pytest.approx(even.log_loss[0, 0], rel=1e-12)
