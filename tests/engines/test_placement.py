from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from deeplimit.engines.placement import Placement
from deeplimit.sums import PartialSums


@given(
    seed=st.integers(0, 10**6),
    n=st.integers(0, 60),
    tile=st.sampled_from([1, 4]),
    tiles=st.integers(1, 3),
    wild=st.booleans(),
)
def test_every_example_has_its_place_in_a_chunk_of_its_class(seed, n, tile, tiles, wild):
    rng = np.random.default_rng(seed)
    index = rng.integers(0, 4, n)
    weight = rng.choice([0.0, 1.0, 0.3], n)
    if wild:
        weight *= 2.0 ** rng.integers(-1000, 1000, n)
    placement = Placement.of(index, weight, tile, tile * tiles)
    np.testing.assert_array_equal(np.sort(placement.order), np.flatnonzero(weight > 0))
    assert np.all(np.diff(placement.places) > 0)
    np.testing.assert_array_equal(placement.at(placement.places), placement.order)
    starts, stops = placement.starts, placement.stops
    assert np.all(starts % tile == 0)
    assert np.all((stops - starts) % tile == 0)
    assert np.all((stops > starts) & (stops - starts <= tile * tiles))
    np.testing.assert_array_equal(starts, np.concatenate([[0], stops])[: len(starts)])
    assert np.all(np.diff(placement.classes) >= 0)
    if placement.order.size:
        chunk = np.searchsorted(stops, placement.places, side="right")
        np.testing.assert_array_equal(placement.classes[chunk], index[placement.order])
        assert placement.weights.max() <= 1.0
        assert placement.weights.min() >= 2.0**-25
        assert placement.weights.max() >= 0.5
        logs = np.log(placement.weights) + placement.log_units[chunk]
        np.testing.assert_allclose(logs, np.log(weight[placement.order]), atol=1e-12)


def test_weights_of_like_size_share_a_run():
    placement = Placement.of(np.zeros(6, dtype=np.int64), np.array([0.4, 1, 2, 3, 5, 1e6]), 8, 8)
    assert placement.order.tolist() == [0, 1, 2, 3, 4, 5]
    assert placement.starts.tolist() == [0]


@given(seed=st.integers(0, 10**6), spread=st.sampled_from([1.0, 1000.0]))
def test_collecting_is_the_algebra_of_partial_sums(seed, spread):
    rng = np.random.default_rng(seed)
    placement = Placement.of(rng.choice([0, 2, 3], 30), rng.choice([0.5, 1e30], 30), 2, 4)
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
    ours = placement.collect(logs, positive, negative, 4)
    np.testing.assert_array_equal(ours.max_log, merged.max_log)
    np.testing.assert_allclose(ours.positive, merged.positive, rtol=1e-13)
    np.testing.assert_allclose(ours.negative, merged.negative, rtol=1e-13)
    assert not ours.hit_positive.any()
