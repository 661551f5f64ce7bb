from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deeplimit.engines.cluster_moments import Moments, moments
from deeplimit.engines.clusters import ClusterIndex


def data(seed=0, n=200, d=3, n_classes=4):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((n, d)), rng.integers(n_classes, size=n), rng.uniform(0.5, 2, n)


def leaves(index):
    """Give node, positions and coordinates of each leaf."""
    nodes, d = index.nodes, index.n_features
    for leaf in np.flatnonzero(nodes.child < 0):
        start, room, count = nodes.start[leaf], nodes.room[leaf], nodes.number[leaf]
        block = nodes.members[start * d : (start + room) * d].reshape(d, room)
        yield leaf, index.order[start : start + count], block[:, :count].T


def below(index, node):
    """Give the positions of the members of a node, from its leaves."""
    child = index.nodes.child[node]
    if child < 0:
        start = index.nodes.start[node]
        return index.order[start : start + index.nodes.number[node]]
    return np.concatenate([below(index, child), below(index, child + 1)])


def assert_sound(index, X, y, mass, present):
    """Every node holds members of its class alone, and its moments bound theirs."""
    nodes = index.nodes
    seen = np.sort(np.concatenate([part for _, part, _ in leaves(index)]))
    assert seen.tolist() == np.flatnonzero(present).tolist()
    for leaf, positions, coordinates in leaves(index):
        assert np.array_equal(coordinates, X[positions])
        start = nodes.start[leaf]
        scaled = nodes.mass[start : start + len(positions)]
        assert np.allclose(scaled / mass[positions], scaled[:1] / mass[positions[:1]], rtol=1e-15)
    unit = nodes.weight[nodes.roots].sum() / mass[present].sum()
    assert unit == pytest.approx(2.0 ** np.round(np.log2(unit)), rel=1e-13)
    for node in range(len(nodes.label)):
        positions = below(index, node)
        assert len(positions) == nodes.number[node]
        if not len(positions):
            assert nodes.weight[node] == 0.0
            continue
        assert np.all(y[positions] == nodes.label[node])
        exact = moments(X[positions], mass[positions] * unit)
        here = Moments(*(getattr(nodes, name)[node] for name in Moments._fields))
        assert here.weight == pytest.approx(exact.weight, rel=1e-13)
        assert here.centre == pytest.approx(exact.centre, rel=1e-13, abs=1e-13)
        assert here.variance == pytest.approx(exact.variance, rel=1e-12, abs=1e-25)
        for low in ("nearest", "thin"):
            assert getattr(here, low) <= getattr(exact, low) * (1 + 1e-12) + 1e-13
        for high in ("farthest", "thick", "spread"):
            assert getattr(here, high) >= getattr(exact, high) * (1 - 1e-12) - 1e-13
        of = (part.variance * part.form for part in (here, exact))
        assert next(of) == pytest.approx(next(of), rel=1e-6, abs=1e-6 * exact.variance + 1e-24)
        assert np.array_equal(here.first, exact.first) and np.array_equal(here.last, exact.last)


@pytest.mark.parametrize("size", [1, 7, 48, 1000])
def test_the_tree_holds_every_example_once(size):
    X, y, weight = data()
    index = ClusterIndex.build(X, y, weight, 4, size=size)
    assert_sound(index, X, y, weight, np.ones(len(X), dtype=bool))
    assert len(index) == len(X)
    assert max(len(part) for _, part, _ in leaves(index)) <= size


def parts(X):
    """Give the positions in the two parts of the first cut."""
    index = ClusterIndex.build(X, np.zeros(len(X), dtype=int), None, 1, size=len(X) - 1)
    child = index.nodes.child[0]
    return below(index, child), below(index, child + 1)


def apart(values, left, right):
    return values[left].max() < values[right].min() or values[right].max() < values[left].min()


def test_a_round_cluster_is_cut_along_a_coordinate():
    X = np.random.default_rng(1).standard_normal((500, 6))
    X[:, 4] *= 1.1
    left, right = parts(X)
    assert [j for j in range(6) if apart(X[:, j], left, right)] == [4]


def test_a_long_cluster_is_cut_across():
    rng = np.random.default_rng(2)
    X = rng.standard_normal((500, 9)) + 3.0 * rng.standard_normal((500, 1))
    left, right = parts(X)
    assert not any(apart(X[:, j], left, right) for j in range(9))
    # The axis is estimated, and so are the places of rows near the cut.
    along = X.sum(axis=1) - X.sum(axis=1).mean()
    far = np.abs(along) > 0.2 * along.std()
    assert apart(along, left[far[left]], right[far[right]])


def test_rare_values_far_out_are_no_reason_for_a_cut():
    rng = np.random.default_rng(3)
    X = rng.standard_normal((500, 3))
    X[:, 0] = 0.0
    X[:20, 0] = 6.0
    X[:, 2] *= 1.1
    assert X[:, 0].var() > X[:, 2].var()
    left, right = parts(X)
    assert apart(X[:, 2], left, right) and not apart(X[:, 0], left, right)


def test_the_same_rows_give_the_same_tree():
    X, y, weight = data()
    first, second = (ClusterIndex.build(X, y, weight, 4, size=5) for _ in range(2))
    for one, other in zip(first.nodes, second.nodes, strict=True):
        assert np.array_equal(one, other)


def test_clusters_are_smaller_than_chance():
    X, y, _ = data(n=2000, d=2, n_classes=1)
    index = ClusterIndex.build(X, y, None, 1, size=32)
    at_leaves = index.nodes.child < 0
    assert np.median(index.nodes.variance[at_leaves]) < 0.05 * index.nodes.variance[0]


@pytest.mark.parametrize("kind", ["equal", "two", "outlier", "huge", "tiny"])
def test_a_tree_is_shallow_whatever_the_data(kind):
    rng = np.random.default_rng(0)
    X = {
        "equal": np.full((3000, 2), 0.3),
        "two": np.repeat([[0.0, 1.0], [1.0, 1.0]], [2999, 1], axis=0),
        "outlier": np.exp(rng.uniform(0, 300, (3000, 1))),
        "huge": 2.0**500 * rng.uniform(-1, 1, (3000, 2)),
        "tiny": 1e-310 * rng.uniform(-1, 1, (3000, 2)),
    }[kind]
    index = ClusterIndex.build(X, np.zeros(3000, dtype=int), None, 1, size=8)
    assert max(len(part) for _, part, _ in leaves(index)) <= 8
    depth = np.zeros(len(index.parent), dtype=int)
    for node, parent in enumerate(index.parent):
        depth[node] = 0 if parent < 0 else depth[parent] + 1
    assert depth.max() <= 60
    for column in index.nodes:
        assert np.all(np.isfinite(column))


def test_weight_zero_is_absence():
    X, y, weight = data(n=60)
    weight[::3] = 0.0
    index = ClusterIndex.build(X, y, weight, 4, size=4)
    assert_sound(index, X, y, weight, weight > 0)
    with pytest.raises(ValueError, match="no example is at position 3"):
        index.forget(3)


@given(seed=st.integers(0, 10**6), size=st.integers(1, 6), gone=st.integers(1, 30))
def test_forgetting_leaves_a_sound_tree(seed, size, gone):
    X, y, weight = data(seed, n=30, d=2, n_classes=3)
    X = np.round(X, 1)
    index = ClusterIndex.build(X, y, weight, 3, size=size)
    present = np.ones(len(X), dtype=bool)
    for position in np.random.default_rng(seed).permutation(len(X))[:gone]:
        index.forget(int(position))
        present[position] = False
    assert len(index) == present.sum()
    if present.any():
        assert_sound(index, X, y, weight, present)


def test_an_example_is_forgotten_once():
    index = ClusterIndex.build([[0.0], [1.0]], [0, 0], None, 1)
    index.forget(0)
    for position in (0, -1, 2):
        with pytest.raises(ValueError, match=f"no example is at position {position}"):
            index.forget(position)


def test_no_examples_are_a_tree_without_nodes():
    index = ClusterIndex.build(np.zeros((0, 3)), [], None, 2)
    assert len(index) == 0 and index.n_features == 3 and index.nodes.centre.shape == (0, 3)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"points": [1.0, 2.0]}, "a matrix"),
        ({"points": np.zeros((2, 0))}, "at least one column"),
        ({"points": [[np.nan], [0.0]]}, "not finite"),
        ({"points": [[np.inf], [0.0]]}, "not finite"),
        ({"points": [[1e300], [0.0]]}, "beyond 2\\^501"),
        ({"class_index": [0]}, "vector of as many integers"),
        ({"class_index": [0.0, 1.0]}, "vector of as many integers"),
        ({"class_index": [0, 2]}, "0..1"),
        ({"class_index": [-1, 0]}, "0..1"),
        ({"weight": [-1.0, 1.0]}, "nonnegative"),
        ({"weight": [1e-300, 1.0]}, "factor 2\\^600"),
        ({"size": 0}, "size must be at least 1"),
        ({"rounding": -1.0}, "rounding"),
        ({"rounding": np.inf}, "rounding"),
    ],
)
def test_what_does_not_fit_is_refused(changes, message):
    given = {"points": [[0.0], [1.0]], "class_index": [0, 1], "weight": None, "n_classes": 2}
    with pytest.raises(ValueError, match=message):
        ClusterIndex.build(**(given | changes))
