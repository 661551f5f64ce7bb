"""Factors of classes by their definition."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.utils.class_weight import compute_class_weight

from deeplimit.estimators.weighting import Weighting

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
    "priors", [[1, 2], [1, 2, 0], [1, 2, -1], [[1, 2, 3]], [1, 2, np.nan], 1.0]
)
def test_priors_that_are_none(priors):
    with pytest.raises(ValueError, match="priors must be 3 positive numbers"):
        Weighting(None, priors, LABELS, LABELS)
