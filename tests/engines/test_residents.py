from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deeplimit.engines.eager import pytorch
from deeplimit.engines.halves import Halves
from deeplimit.engines.placement import TILE
from deeplimit.engines.precision import Arithmetic
from deeplimit.engines.residents import Residents
from deeplimit.sums import PartialSums, fit_lift

FORMS = [
    Arithmetic("float32", False),
    Arithmetic("float32", True),
    Arithmetic("float64", False),
    Arithmetic("float32", False, halves=True),
]


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
@pytest.mark.parametrize("columns", [40, 130])
def test_tensors_hold_images_and_norms_of_what_they_hold(form, columns):
    rng = np.random.default_rng(1)
    X = rng.standard_normal((300, columns))
    X[200:] *= 1e-4
    there = residents("euclidean", X, np.where(np.arange(300) < 5, 0.0, 2.0))
    there.forget(np.array([7, 7, 0]))
    examples, norms, weights, alike, tops = there._settle(form)
    placement = there.placement
    if form.halves:
        assert isinstance(examples, Halves)
        chunk = np.searchsorted(placement.stops, placement.places, side="right")
        assert examples.high.abs().max() > 2**10  # of the 2^15 that there are
        held = examples._replace(
            high=examples.high[placement.places],
            low=examples.low[placement.places],
            exponents=examples.exponents[chunk],
        )
        matrix = held.wide().numpy()
        # What is read of them ends with a tile beyond the last place.
        assert len(examples.high) == len(placement) + TILE
    else:
        matrix = examples.numpy()[placement.places]
        assert matrix.dtype == form.dtype
    images = there.images(X)[placement.order]
    np.testing.assert_allclose(matrix[:, :columns], images, rtol=1e-6, atol=1e-12)
    assert not matrix[:, columns:].any()
    wide = {40: 64, 130: 192 if form.halves else 160}[columns]
    assert matrix.shape[1] == (columns + -columns % 8 if form.differences else wide)
    remain = placement.order != 7
    exact = np.sum(matrix[remain].astype(float) ** 2, axis=1)
    taken = placement.places[remain]
    np.testing.assert_allclose(norms.numpy()[taken], exact, rtol=8 * form.unit)
    absent = np.setdiff1d(np.arange(len(placement)), taken)
    assert np.isinf(norms.numpy()[absent]).all()
    assert alike
    assert len(weights) == len(placement) + TILE
    np.testing.assert_array_equal(weights.numpy()[placement.places], 0.5)
    assert np.all(np.delete(weights.numpy(), placement.places) == 0.0)
    # A tile's top bounds its norms, the absent one's among them.
    full = np.sum(matrix.astype(float) ** 2, axis=1)
    for tile, top in enumerate(tops.numpy()):
        assert full[placement.places // TILE == tile].max() == pytest.approx(top, rel=1e-6)


def test_unlike_weights_are_not_alike():
    X = np.random.default_rng(1).standard_normal((20, 3))
    assert not residents("euclidean", X, np.linspace(1.0, 2.0, 20))._settle(FORMS[1]).alike
    assert residents("euclidean", X)._settle(FORMS[1]).alike


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


@given(seed=st.integers(0, 10**6), spread=st.sampled_from([1.0, 1000.0]))
def test_collecting_is_the_algebra_of_partial_sums(seed, spread):
    rng = np.random.default_rng(seed)
    X, torch = rng.standard_normal((500, 2)), pytorch()
    index, weight = rng.choice([0, 2, 3], 500), rng.choice([0.5, 1e30], 500)
    there = Residents(fit_lift(X, "euclidean"), X, index, weight, torch.device("cpu"))
    placement = there.placement
    shape = (placement.classes.size, 5)
    logs = rng.uniform(-spread, spread, shape)
    logs[rng.uniform(size=shape) < 0.2] = -np.inf
    positive, negative = rng.uniform(0, 2, (2, *shape))
    positive[np.isneginf(logs)] = negative[np.isneginf(logs)] = 0.0
    merged = PartialSums.empty(5, 4)
    for c, log, above, below in zip(placement.classes, logs, positive, negative, strict=True):
        part = PartialSums.empty(5, 4)
        unit = placement.log_units[np.flatnonzero((logs == log).all(axis=1))[0]]
        part.max_log[:, c], part.positive[:, c], part.negative[:, c] = log + unit, above, below
        merged = merged.merge(part)
    ours = there.collect(*(torch.from_numpy(a) for a in (logs, positive, negative)), 4)
    np.testing.assert_array_equal(ours.max_log, merged.max_log)
    np.testing.assert_allclose(ours.positive, merged.positive, rtol=1e-13)
    np.testing.assert_allclose(ours.negative, merged.negative, rtol=1e-13)
    assert not ours.hit_positive.any()
