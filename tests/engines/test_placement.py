from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from deeplimit.engines.placement import Placement


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


@given(seed=st.integers(0, 10**6), n=st.integers(1, 60), spread=st.sampled_from([3, 100, 1000]))
def test_examples_of_a_chunk_are_of_like_size_and_ascend(seed, n, spread):
    rng = np.random.default_rng(seed)
    index = rng.integers(0, 3, n)
    sizes = rng.uniform(0.5, 1.0, n) * 2.0 ** -rng.integers(0, spread, n)
    sizes[rng.uniform(size=n) < 0.1] = 0.0
    placement = Placement.of(index, None, 4, 8, sizes)
    np.testing.assert_array_equal(np.sort(placement.order), np.arange(n))
    chunk = np.searchsorted(placement.stops, placement.places, side="right")
    np.testing.assert_array_equal(placement.classes[chunk], index[placement.order])
    for c in range(placement.classes.size):
        mine = sizes[placement.order[chunk == c]]
        assert np.all(np.diff(mine) >= 0.0)
        large = mine[mine > 2.0**-60]
        assert large.size == 0 or large[-1] / large[0] < 2.0**20


def test_magnitudes_are_those_of_places_and_weights():
    index = np.zeros(100, dtype=np.int64)
    assert Placement.of(index, None, 64, 128).magnitudes == 7.0
    assert Placement.of(index, np.where(index < 1, 1.0, 0.0), 64, 128).magnitudes == 7.0
    assert Placement.of(index, np.linspace(1.0, 4.0, 100), 64, 128).magnitudes == 9.0
    assert Placement.of(index[:0], None, 64, 128).magnitudes == 0.0
