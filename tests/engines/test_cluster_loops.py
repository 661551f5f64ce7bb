from __future__ import annotations

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deeplimit.engines import cluster_loops as loops
from deeplimit.engines.clusters import ClusterIndex

PAD = 1e-12


def exact_sum(index, q, unit, half):
    """Sum a one-class index at 40 digits."""
    with mpmath.workdps(40):
        total = mpmath.mpf(0)
        d, nodes = index.n_features, index.nodes
        for leaf in np.flatnonzero(nodes.child < 0):
            start, room = nodes.start[leaf], nodes.room[leaf]
            block = nodes.members[start * d : (start + room) * d].reshape(d, room)
            for i in range(nodes.number[leaf]):
                u = sum(
                    (mpmath.mpf(float(a)) - float(b)) ** 2
                    for a, b in zip(block[:, i], q, strict=True)
                )
                total += nodes.mass[start + i] * (mpmath.mpf(unit) / u) ** half
        return total


def bounds_of(index, q, half, image=0.0):
    d2 = loops.distance2(q, index.nodes.centre, 0)
    unit = float(d2 + index.nodes.variance[0])
    whole = int(2 * half) if 2 * half == int(2 * half) and half <= 32 else -1
    pad = (2 * q.size + 512) * 2.0**-52
    return unit, loops.bounds(index.nodes, 0, q, d2, unit, half, whole, pad, image)


def estimate_of(nodes, q, unit, half, lower=0.0, upper=np.inf):
    return loops.estimate(nodes, 0, q, unit, half, -1, lower, upper, np.empty(q.size))


@given(
    seed=st.integers(0, 10**6),
    m=st.integers(1, 12),
    d=st.integers(1, 4),
    half=st.sampled_from([0.05, 0.25, 0.5, 1.0, 1.65, 5.0, 32.0, 400.0]),
    away=st.sampled_from([0.0, 0.3, 1.0, 3.0, 100.0]),
    offset=st.sampled_from([0.0, 1e4]),
    forgotten=st.booleans(),
)
def test_bounds_hold_the_exact_sum(seed, m, d, half, away, offset, forgotten):
    rng = np.random.default_rng(seed)
    rows = rng.standard_normal((m, d)) * rng.uniform(0, 2, d) + offset
    index = ClusterIndex.build(rows, np.zeros(m, int), rng.uniform(0.1, 1, m), 1, size=3)
    if forgotten and m > 1:
        index.forget(0)
    q = offset + away * rng.standard_normal(d)
    unit, (lower, upper, key) = bounds_of(index, q, half)
    middle = estimate_of(index.nodes, q, unit, half, lower, upper)
    exact = exact_sum(index, q, unit, half)
    error = PAD * (1 + half)
    assert lower * (1 - error) <= exact
    assert exact <= upper * (1 + error)
    assert lower <= middle <= upper and 0.0 <= key <= upper - lower


@pytest.mark.parametrize("half", [0.5, 3.0, 20.25])
def test_bounds_are_those_of_two_atoms(half):
    # Members on a sphere about the centre, seen from it: the mean is the sum.
    rows = np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]])
    index = ClusterIndex.build(rows, np.zeros(4, int), None, 1)
    unit, (lower, upper, *_) = bounds_of(index, np.zeros(2), half)
    exact = 4 * index.nodes.mass[0] * unit**half
    assert [lower, upper] == pytest.approx([exact, exact], rel=1e-11)
    # Two members on a line through the query: mean and deviation determine them.
    index = ClusterIndex.build([[0.0], [1.0]], [0, 0], None, 1)
    unit, (lower, upper, *_) = bounds_of(index, np.array([3.0]), half)
    exact = 0.5 * ((unit / 9.0) ** half + (unit / 4.0) ** half)
    assert upper == pytest.approx(exact, rel=1e-10)
    assert lower <= exact


def test_the_least_deviation_allows_for_the_one_of_squares():
    # -2(q - μ)·x deviates by 2·9·√3 = 31.18 and |x - μ|² by √12 = 3.46, against each other.
    index = ClusterIndex.build([[0.0], [0.0], [0.0], [4.0]], [0] * 4, None, 1)
    unit, (lower, *_) = bounds_of(index, np.array([10.0]), 1.0)
    mean, most = 84.0, (9.0 + 3.0) ** 2
    variance = np.var([100.0, 100.0, 100.0, 36.0])
    part = variance / (variance + (most - mean) ** 2)
    atoms = part / most + (1 - part) / (mean - variance / (most - mean))
    assert unit == mean and lower == pytest.approx(2.0 * unit * atoms, rel=1e-11)


@pytest.mark.parametrize("place", [-3.0, -1.0, 0.5, 2.0, 4.0])
@pytest.mark.parametrize("members", [[0.0, 1.0], [0.0, 1.0, 1.0], [0.0, 0.0, 1.0, 2.0]])
def test_bounds_hold_where_the_mean_is_no_float(members, place):
    # Beyond 2^40 the floats lie 2^-12 apart.
    rows = 2.0**40 + 2.0**-12 * np.array(members)[:, None]
    index = ClusterIndex.build(rows, [0] * len(rows), None, 1)
    q = np.array([2.0**40 + 2.0**-12 * np.ceil(place)])
    for half in (0.25, 1.0, 10.0):
        unit, (lower, upper, *_) = bounds_of(index, q, half)
        if upper < np.inf:
            exact = exact_sum(index, q, unit, half)
            assert lower * (1 - 1e-10) <= exact <= upper * (1 + 1e-10)


def test_the_deviation_makes_bounds_sharper_than_jensen_and_the_chord():
    rng = np.random.default_rng(1)
    rows = rng.standard_normal((200, 8))
    index = ClusterIndex.build(rows, np.zeros(200, int), None, 1)
    q, half = np.full(8, 4.0), 2.0
    unit, (lower, upper, *_) = bounds_of(index, q, half)
    nodes = index.nodes
    weight = nodes.weight[0]
    d2 = loops.distance2(q, nodes.centre, 0)
    low = (np.sqrt(d2) - nodes.farthest[0]) ** 2
    high = (np.sqrt(d2) + nodes.farthest[0]) ** 2
    along = (unit - low) / (high - low)
    chord = weight * ((1 - along) * (unit / low) ** half + along * (unit / high) ** half)
    exact = float(exact_sum(index, q, unit, half))
    assert weight * 1.01 < lower < exact < upper < exact + 0.5 * (chord - exact)


@pytest.mark.parametrize(("d", "half", "away"), [(10, 1.5, 4.0), (20, 3.0, 3.0), (20, 3.0, 8.0)])
def test_the_estimate_is_that_of_a_round_cloud(d, half, away):
    # With a log-normal's skewness it would be 2 to 9 percent too small.
    rows = np.random.default_rng(4).standard_normal((20_000, d))
    index = ClusterIndex.build(rows, np.zeros(len(rows), int), None, 1, size=len(rows))
    q = np.zeros(d)
    q[0] = away
    unit, (lower, upper, _) = bounds_of(index, q, half)
    middle = estimate_of(index.nodes, q, unit, half)
    terms = (unit / np.sum((rows - q) ** 2, axis=1)) ** half
    exact = index.nodes.weight[0] * terms.mean()
    assert middle == pytest.approx(exact, rel=0.005)
    assert lower < 0.9 * exact and upper > 1.1 * exact


@pytest.mark.parametrize("d", [4, 9, 12])
def test_the_estimate_knows_along_which_line_a_cluster_is_seen(d):
    rng = np.random.default_rng(5)
    axis = rng.standard_normal(d)
    axis /= np.linalg.norm(axis)
    rows = rng.standard_normal((20_000, d))
    rows += np.outer(rows @ axis, axis)
    nodes = ClusterIndex.build(rows, np.zeros(len(rows), int), None, 1, size=len(rows)).nodes
    round_ = nodes._replace(form=np.empty((1, 0), dtype=np.float32))
    across = rng.standard_normal(d)
    across -= across @ axis * axis
    for line, near, far in ((axis, 0.02, 0.1), (across / np.linalg.norm(across), 0.001, 0.01)):
        q = 12.0 * line
        exact = nodes.weight[0] * np.mean(np.sum((rows - q) ** 2, axis=1) ** -1.5)
        assert estimate_of(nodes, q, 1.0, 1.5) == pytest.approx(exact, rel=near)
        # As if it were round it would be far off.
        assert estimate_of(round_, q, 1.0, 1.5) != pytest.approx(exact, rel=far)


@pytest.mark.parametrize("scale", [1e-140, 1.0, 1e140])
@pytest.mark.parametrize("d", [1, 2, 12, 13])
def test_an_estimate_does_not_depend_on_the_unit_of_length(d, scale):
    rng = np.random.default_rng(6)
    rows, q = rng.standard_normal((30, d)), np.full(d, 2.5)
    whole = ClusterIndex.build(rows, np.zeros(30, int), None, 1).nodes
    scaled = ClusterIndex.build(rows * scale, np.zeros(30, int), None, 1).nodes
    for place in (q, whole.centre[0]):
        expected = estimate_of(whole, place, 1.0, 1.25)
        found = estimate_of(scaled, place * scale, scale**2, 1.25)
        assert found == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("copies", [1, 5])
def test_equal_members_are_estimated_exactly(copies):
    index = ClusterIndex.build(np.full((copies, 3), 0.1), np.zeros(copies, int), None, 1)
    q = np.array([1.0, 2.0, -3.0])
    exact = index.nodes.weight[0] * np.sum((q - 0.1) ** 2) ** -2.0
    assert estimate_of(index.nodes, q, 1.0, 2.0) == pytest.approx(exact, rel=1e-14)
    # At the query itself nothing is known but that the sum has no bound.
    assert estimate_of(index.nodes, np.full(3, 0.1), 1.0, 2.0) == 0.0


@pytest.mark.parametrize("half", [0.5, 2.0, 7.3, 200.0])
def test_rounded_images_widen_the_bounds(half):
    rng = np.random.default_rng(2)
    rows = rng.standard_normal((20, 3)) * 0.1
    index = ClusterIndex.build(rows, np.zeros(20, int), None, 1)
    q, image = np.array([1.0, 0.5, 0.0]), 1e-6
    unit, (lower, upper, *_) = bounds_of(index, q, half, image)
    for _ in range(20):
        moved = rows + rng.uniform(-1, 1, rows.shape) * image / 4
        there = ClusterIndex.build(moved, np.zeros(20, int), None, 1)
        exact = exact_sum(there, q + rng.uniform(-1, 1, 3) * image / 4, unit, half)
        assert lower <= exact <= upper


def test_a_cluster_that_may_hold_the_query_has_no_upper_bound():
    index = ClusterIndex.build([[0.0], [0.0]], [0, 0], None, 1)
    assert bounds_of(index, np.array([0.0]), 1.0)[1] == (0.0, np.inf, np.inf)
    index = ClusterIndex.build([[0.0], [2.0]], [0, 0], None, 1)
    assert bounds_of(index, np.array([2.0]), 1.0)[1][1] == np.inf


@pytest.mark.parametrize("whole", [1, 2, 3, 10, 63, 64])
def test_powers_by_products_are_powers(whole):
    for ratio in (0.3, 1.0, 1.7):
        assert loops.power_of(ratio, whole / 2, whole) == pytest.approx(
            loops.power_of(ratio, whole / 2, -1), rel=1e-13
        )
    assert loops.power_of(0.0, whole / 2, whole) == loops.power_of(0.0, whole / 2, -1) == 0.0
    assert loops.power_of(np.inf, whole / 2, whole) == np.inf


@pytest.mark.parametrize("whole", [-1, 1, 6, 7])
def test_a_leaf_is_summed_term_by_term(whole):
    rng = np.random.default_rng(3)
    rows = rng.standard_normal((30, 5))
    index = ClusterIndex.build(rows, np.zeros(30, int), rng.uniform(0.1, 1, 30), 1, size=50)
    index.forget(4)
    half, q = (whole if whole > 0 else 5.3) / 2, np.full(5, 0.3)
    squares, terms = np.empty(50), np.empty(50)
    least = loops.open_leaf(index.nodes, 0, q, squares)
    assert least == pytest.approx(squares[:29].min())
    assert np.sort(squares[:29]) == pytest.approx(
        np.sort(np.sum((np.delete(rows, 4, axis=0) - q) ** 2, axis=1)), rel=1e-14
    )
    total = loops.sum_members(index.nodes.mass, squares, 29, least, half, whole, terms)
    assert total == pytest.approx(float(exact_sum(index, q, least, half)), rel=1e-13)


def test_hits_are_equal_rows_and_near_ones_are_unclear():
    rows = [[0.0, 1.0], [0.0, 1.0], [1e-170, 1.0], [0.5, 1.0]]
    index = ClusterIndex.build(rows, np.zeros(4, int), [1.0, 2.0, 3.0, 4.0], 1)
    squares, q = np.empty(4), np.array([0.0, 1.0])
    assert loops.open_leaf(index.nodes, 0, q, squares) == 0.0
    unit = index.nodes.mass.sum() / 10.0
    found = loops.count_hits(index.nodes, 0, q, squares, loops.UNDERFLOW, 0.0)
    assert found == (3.0 * unit, True)
    # Images that are rounded may be equal though the rows are not.
    assert loops.count_hits(index.nodes, 0, q, squares, 1e-20, 1e-12) == (0.0, True)
