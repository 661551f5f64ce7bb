from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deeplimit.engines.cluster_moments import Moments, joined, moments

RADII = ["nearest", "farthest"]


def cluster(seed, m, d, offset=0.0, scale=1.0):
    rng = np.random.default_rng(seed)
    rows = scale * rng.standard_normal((m, d)) * rng.uniform(0.1, 3.0, d) + offset
    return rows, rng.uniform(0.1, 2.0, m)


def seen_along(found: Moments, line):
    """Evaluate the quadratic form, row after row."""
    d, total, coefficients = len(line), 0.0, iter(found.form.tolist())
    for i in range(d):
        for j in range(i, d):
            total += next(coefficients) * line[i] * line[j]
    assert next(coefficients, None) is None
    return total


def check(found: Moments, rows, mass):
    """Compare with moments of the members about the stated centre, in 80-bit numbers."""
    wide = rows.astype(np.longdouble) - found.centre.astype(np.longdouble)
    share = mass.astype(np.longdouble) / mass.astype(np.longdouble).sum()
    squares = np.sum(wide * wide, axis=1)
    variance = np.sum(share * squares)
    off = np.sqrt(np.sum((share @ wide) ** 2))
    reach = np.sqrt(squares)
    # The bounds that the search takes: a relative 2(D + 256) ulp of room, as its `pad`.
    room = 1.0 + (2 * rows.shape[1] + 512) * 2.0**-52
    assert off <= found.off * room
    assert abs(variance - found.variance) <= found.variance * (room - 1) + 2.0 * (
        found.off * found.farthest
    )
    assert found.nearest / room <= reach.min()
    assert reach.max() <= found.farthest * room
    assert np.sqrt(np.sum(share * (squares - variance) ** 2)) <= found.spread * room
    centred = wide - share @ wide
    values = np.linalg.eigvalsh((centred.T @ (centred * share[:, None])).astype(np.float64))
    trace = float(variance)
    assert values[-1] <= (found.thick * room) ** 2 + 1e-13 * trace
    assert values[0] >= (found.thin / room) ** 2 - 1e-13 * trace
    if rows.shape[1] <= 12:
        for line in np.vstack([np.eye(rows.shape[1]), np.ones(rows.shape[1])]):
            along = float(np.sum(share * (centred @ line) ** 2))
            room = 1e-6 * trace + 2.0 * line.size * found.off**2
            assert abs(found.variance * seen_along(found, line) - along) <= room * line.sum()
    assert np.all(found.first <= rows.min(axis=0)) and np.all(found.last >= rows.max(axis=0))


@pytest.mark.parametrize("offset", [0.0, 1e6])
@pytest.mark.parametrize("scale", [1.0, 1e-120, 1e120])
@pytest.mark.parametrize(("m", "d"), [(1, 3), (2, 3), (40, 3), (7, 20), (150, 140)])
def test_moments_bound_what_they_say(m, d, offset, scale):
    rows, mass = cluster(m * d, m, d, offset * scale, scale)
    found = moments(rows, mass)
    check(found, rows, mass)
    spread = np.sqrt(np.cov(rows.T, aweights=mass, ddof=0).trace()) if m > 1 else 0.0
    assert np.sqrt(found.variance) == pytest.approx(spread, rel=1e-9)
    # Sharp, too: without this any large number would pass.
    assert found.off <= 1e-12 * max(abs(offset * scale), spread)
    assert found.thick <= np.sqrt(found.variance) * (1 + 1e-10)


def test_the_thickness_is_the_largest_deviation_of_any_direction():
    rows, mass = cluster(3, 60, 4)
    found = moments(rows, mass)
    values = np.linalg.eigvalsh(np.cov(rows.T, aweights=mass, ddof=0))
    assert [found.thin, found.thick] == pytest.approx(np.sqrt(values[[0, -1]]), rel=1e-10)


@pytest.mark.parametrize(("d", "count"), [(1, 1), (12, 78), (13, 0)])
def test_variances_along_lines_are_known_up_to_twelve_dimensions(d, count):
    rows, mass = cluster(4, 20, d)
    found = moments(rows, mass)
    none = moments(rows[:0], mass[:0])
    assert found.form.shape == none.form.shape == (count,)
    assert found.form.dtype == none.form.dtype == np.float32
    assert Moments.stack([found, none], d).form.shape == (2, count)
    assert joined(Moments.stack([found, found], d), found).form.shape == (count,)


def test_deviations_of_a_variance_that_is_next_to_nothing_are_numbers():
    # The quotient of a weight and 2.5e-320 would overflow.
    found = moments(np.array([[0.0, 0.0], [1e-160, 3e-160]]), np.ones(2))
    assert 0.0 < found.variance < 1e-319
    assert found.thin == 0.0
    assert found.thick == pytest.approx(np.sqrt(2.5) * 1e-160, rel=1e-3)
    assert found.form.tolist() == pytest.approx([0.1, 0.6, 0.9], rel=1e-3)


def test_equal_members_have_no_extent():
    found = moments(np.full((5, 2), 0.1), np.ones(5))
    assert [found.variance, found.spread, found.thick, found.farthest] == [0.0] * 4
    assert found.centre.tolist() == [0.1, 0.1] and found.form.tolist() == [0.0] * 3


@given(
    seed=st.integers(0, 10**6),
    sizes=st.tuples(st.integers(1, 9), st.integers(1, 9)),
    d=st.integers(1, 4),
    offset=st.sampled_from([0.0, 1e5]),
    gone=st.integers(0, 8),
)
def test_joined_moments_bound_the_union(seed, sizes, d, offset, gone):
    rows, mass = cluster(seed, sum(sizes), d, offset)
    left = np.arange(len(rows)) < sizes[0]
    kept = np.arange(len(rows)) != gone % len(rows)
    before = moments(rows, mass)
    parts = [
        moments(rows[part & kept], mass[part & kept])
        for part in (left, ~left)
        if (part & kept).any()
    ]
    if parts:
        union = joined(Moments.stack(parts, d), before)
        check(union, rows[kept], mass[kept])
        assert union.weight == pytest.approx(mass[kept].sum(), rel=1e-14)


def test_joining_again_and_again_does_not_wear_out():
    rows, mass = cluster(8, 30, 3)
    parts = Moments.stack([moments(rows[:10], mass[:10]), moments(rows[10:], mass[10:])], 3)
    once = joined(parts, moments(rows, mass))
    often = once
    for _ in range(200):
        often = joined(parts, often)
    check(often, rows, mass)
    assert often.variance == pytest.approx(once.variance, rel=1e-14)
    for name in RADII:
        assert getattr(often, name) == pytest.approx(getattr(once, name), rel=1e-11)


def test_the_mean_of_offset_members_is_exact_within_its_bound():
    rows = np.array([[1e9 + 1.0], [1e9 + 2.0], [1e9 + 4.0]])
    found = moments(rows, np.ones(3))
    exact = Fraction(3 * 10**9 + 7, 3)
    assert abs(Fraction(float(found.centre[0])) - exact) <= Fraction(float(found.off))


def test_no_clusters_stack_to_empty_arrays():
    empty = Moments.stack([], 4)
    assert empty.centre.shape == (0, 4) and empty.weight.shape == (0,)
    assert moments(np.zeros((0, 2)), np.zeros(0)).weight == 0.0
