from __future__ import annotations

import numpy as np
import pytest

from deeplimit.engines.eager import pytorch
from deeplimit.engines.precision import Arithmetic
from deeplimit.engines.residents import Residents
from deeplimit.sums import fit_lift

FORMS = [Arithmetic("float32", False), Arithmetic("float32", True), Arithmetic("float64", False)]


def residents(kind, X, weight=None):
    index = np.arange(len(X)) % 2
    return Residents(fit_lift(X, kind), X, index, weight, pytorch().device("cpu"))


@pytest.mark.parametrize("kind", ["euclidean", "hemisphere"])
@pytest.mark.parametrize("scale", [1e-200, 1e-3, 1.0, 1e150])
@pytest.mark.parametrize("offset", [0.0, 1e4])
def test_images_are_centred_scaled_and_as_far_apart_as_the_lift_says(kind, scale, offset):
    rng = np.random.default_rng(0)
    X = scale * (rng.standard_normal((50, 20)) + offset)
    there = residents(kind, X)
    images = there.images(X)
    norms = np.linalg.norm(images, axis=1)
    assert 0.1 < norms.max() <= 1.0
    gaps = there._lift.gap(X[:1], X[1:])
    ours = np.sum((images[:1] - images[1:]) ** 2, axis=1)
    np.testing.assert_allclose(np.log(ours) + np.log(there.gap_unit), np.log(gaps), atol=1e-8)


@pytest.mark.parametrize("form", FORMS)
def test_tensors_hold_images_and_norms_of_what_they_hold(form):
    rng = np.random.default_rng(1)
    X = rng.standard_normal((300, 40))
    there = residents("euclidean", X, np.where(np.arange(300) < 5, 0.0, 2.0))
    there.forget(np.array([7, 7, 0]))
    examples, norms, weights = there._settle(form)
    placement = there.placement
    matrix = examples.numpy()[placement.places]
    assert matrix.dtype == form.dtype
    np.testing.assert_allclose(matrix[:, :40], there.images(X)[placement.order], rtol=1e-6)
    assert not matrix[:, 40:].any()
    assert matrix.shape[1] == (40 if form.differences else 64)
    taken = placement.places[placement.order != 7]
    exact = np.sum(examples.numpy()[taken].astype(float) ** 2, axis=1)
    np.testing.assert_allclose(norms.numpy()[taken], exact, rtol=2 * form.unit)
    absent = np.setdiff1d(np.arange(len(placement)), taken)
    assert np.isinf(norms.numpy()[absent]).all()
    np.testing.assert_array_equal(weights.numpy()[placement.places], 0.5)


def test_visitors_know_the_place_of_what_they_must_not_see():
    X = np.random.default_rng(2).standard_normal((9, 3))
    there = residents("euclidean", X, np.where(np.arange(9) == 4, 0.0, 1.0))
    images = there.images(X[:4])
    images[2] = np.inf
    queries, norms, skip = there.visitors(images, np.array([-1, 0, 4, 5]), FORMS[1])
    assert skip.tolist()[0] == skip.tolist()[2] == -1
    assert there.placement.at(np.array(skip.tolist())[[1, 3]]).tolist() == [0, 5]
    assert np.isinf(norms.numpy()).tolist() == [False, False, True, False]
    assert not queries.numpy()[2].any()
