"""Factors of classes by their definition."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.utils.class_weight import compute_class_weight

import deeplimit as dl
from deeplimit.estimators.weighting import Weighting, check_total

LABELS = np.array(["a", "b", "c"])
INDEX, ONES = np.array([0, 1, 1, 2, 2, 2]), np.ones(6)


def test_balanced_is_scikit_learns_for_equal_weights():
    found = Weighting("balanced", None, LABELS, LABELS).factors(INDEX, ONES)
    expected = compute_class_weight("balanced", classes=LABELS, y=LABELS[INDEX])
    np.testing.assert_allclose(found, expected, rtol=1e-15)


def test_priors_become_the_shares_of_the_masses():
    weight = np.array([1.0, 2.0, 0.5, 3.0, 1.0, 1.0])
    for class_weight in (None, "balanced"):
        weighting = Weighting(class_weight, [1, 2, 5], LABELS, LABELS)
        mass = np.bincount(INDEX, weights=weight * weighting.factors(INDEX, weight)[INDEX])
        if class_weight is None:
            np.testing.assert_allclose(mass / mass.sum(), [1 / 8, 2 / 8, 5 / 8], rtol=1e-15)
        else:
            raw = np.bincount(INDEX, weights=weight)
            ratio = mass / (raw.sum() / raw)
            np.testing.assert_allclose(ratio / ratio[0], [1.0, 2.0, 5.0], rtol=1e-14)


def test_only_classes_with_examples_have_a_factor():
    weighting = Weighting(None, [1, 7, 3], LABELS, LABELS[[0, 2]])
    mass = np.bincount(
        [0, 1, 1], weights=weighting.factors(np.array([0, 1, 1]), np.ones(3))[[0, 1, 1]]
    )
    np.testing.assert_allclose(mass / mass.sum(), [0.25, 0.75], rtol=1e-15)


@pytest.mark.parametrize(
    "priors",
    [
        [1, 2],
        [1, 2, 0],
        [1, 2, -1],
        [[1, 2, 3]],
        [1, 2, np.nan],
        1.0,
        [1, 2, np.inf],
        [1e308, 1e308, 1],
        list("abc"),
        "a",
        [1, [2]],
    ],
)
def test_priors_that_are_none(priors):
    with pytest.raises(ValueError, match="priors must be 3 positive numbers"):
        Weighting(None, priors, LABELS, LABELS)


ESTIMATORS = [
    dl.DeepLimitClassifier(),
    dl.DeepLimitClassifier(exponent=2.0),
    dl.OneNearestNeighborClassifier(),
    dl.NetworkKernelClassifier(),
    dl.DeepLimitRegressor(exponent=2.0),
]


@pytest.mark.parametrize("made", ESTIMATORS, ids=str)
def test_weights_without_a_sum_are_refused(made):
    X, y = np.arange(30.0)[:, None], np.arange(30) % 2
    fitted = clone(made).fit(X, y)
    before, said = dict(vars(fitted)), fitted.predict(X)
    for weight in (np.full(30, 1e308), np.full(30, 4e303)):
        with pytest.raises(ValueError, match=r"^sample weights add up to more than 1e\d+: divide"):
            fitted.fit(X, y, sample_weight=weight)
    assert all(vars(fitted)[name] is value for name, value in before.items())
    np.testing.assert_array_equal(fitted.predict(X), said)


@pytest.mark.parametrize("made", ESTIMATORS[:-1], ids=str)
def test_weights_without_a_sum_are_refused_when_they_come_later(made):
    X, y = np.arange(6.0)[:, None], np.arange(6) % 2
    most = "1e150" if made is ESTIMATORS[0] else "1e304"
    weight = np.full(6, float(most) / 10.0)
    fitted = clone(made).fit(X, y, sample_weight=weight)
    mark = fitted.certificate().fingerprint
    with pytest.raises(ValueError, match=rf"^sample weights add up to more than {most}: divide"):
        fitted.partial_fit(X, y, sample_weight=weight)
    assert fitted.certificate().fingerprint == mark and fitted.ids_.size == 6
    # Who is forgotten has no weight any more.
    fitted.forget([0, 1, 2, 3]).partial_fit(X, y, sample_weight=weight)
    assert np.isfinite(fitted.class_mass_).all() and fitted.ids_.size == 8
    assert np.isfinite(fitted.predict_proba(X)).all()


def test_a_total_does_not_overflow_in_a_narrow_type():
    check_total(np.full(3, 3e38, dtype=np.float32))
