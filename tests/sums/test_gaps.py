from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from deeplimit.sums import GapTiles, fit_lift, gap_blocks
from sums.reference import exact_gap, relative_error

KINDS = ["hemisphere", "stereographic", "normalize", "none", "euclidean"]


def whole(X, Z, lift, **options):
    """Put the blocks together, each entry once."""
    gaps = np.full((len(X), len(Z)), np.nan)
    for rows, columns, block in gap_blocks(X, Z, lift, **options):
        assert np.isnan(gaps[rows, columns]).all()
        gaps[rows, columns] = block
    assert not np.isnan(gaps).any()
    return gaps


def clustered(kind, d, seed=0, n=60):
    """Give rows at all distances from 1 to 1e-12 of each other, some of them equal."""
    rng = np.random.default_rng(seed)
    X = np.repeat(rng.standard_normal((n // 10, d)), 10, axis=0)
    apart = np.tile([0, 0, 1e-12, 1e-10, 1e-8, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2], n // 10)
    X *= 1 + apart[:, None] * rng.standard_normal((n, d))
    return X / np.linalg.norm(X, axis=1, keepdims=True) if kind == "none" else X


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("d", [2, 15, 40])
@pytest.mark.parametrize("offset", [0.0, 1e5])
def test_blocks_agree_with_single_pairs(kind, d, offset):
    X = clustered(kind, d)
    if kind != "none":
        X += offset
    Z = X if kind == "none" else np.r_[X[:25], X[:1] * 1.5, X[1:2] + 1.0]
    lift = fit_lift(Z, kind)
    gaps = whole(X, Z, lift)
    pairs = lift.gap(X[:, None], Z)
    assert np.array_equal(gaps == 0, pairs == 0)
    # Normalising cannot hold to 1e-16 of a row for rows far from each other in size.
    np.testing.assert_allclose(gaps, pairs, rtol=2e-12)
    if lift.separates:
        assert np.array_equal(gaps == 0, (X[:, None] == Z).all(-1))


@pytest.mark.parametrize("d", [3, 40])
@pytest.mark.parametrize("kind", ["hemisphere", "stereographic", "euclidean"])
def test_blocks_against_many_digits(kind, d):
    X = clustered(kind, d, seed=1)
    lift = fit_lift(X, kind)
    gaps = whole(X, X, lift)
    rng = np.random.default_rng(2)
    near = [(i, i + j) for i in range(0, 60, 10) for j in range(1, 10)]
    far = [tuple(rng.integers(0, 60, 2)) for _ in range(60)]
    for i, j in near + far:
        assert relative_error(gaps[i, j], exact_gap(lift, X[i], X[j])) < 1e-12


def test_products_of_matrices_alone_would_not_do():
    X = clustered("euclidean", 40, seed=1) + 1e3
    lift = fit_lift(X, "euclidean")
    norms = np.sum(X**2, axis=1) / 2
    naive = norms[:, None] + norms - X @ X.T
    gaps = whole(X, X, lift)
    with np.errstate(divide="ignore", invalid="ignore"):
        error = np.abs(naive - gaps) / gaps
    assert np.nanmax(error[gaps > 0]) > 1.0


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("d", [3, 40])
def test_the_size_of_blocks_does_not_matter(kind, d):
    X = clustered(kind, d)
    lift = fit_lift(X, kind)
    gaps = whole(X, X, lift)
    for block_bytes in (1, 1000, 10_000, 100_000):
        np.testing.assert_allclose(
            whole(X, X, lift, block_bytes=block_bytes), gaps, rtol=1e-12, atol=0
        )


@pytest.mark.parametrize("d", [5, 40])
def test_a_tile_full_of_near_pairs(d):
    rng = np.random.default_rng(0)
    X = 1.0 + 1e-6 * rng.standard_normal((50, d))
    X = np.r_[X, 100.0 * np.ones((1, d))]
    for kind in ("hemisphere", "euclidean"):
        lift = fit_lift(X, kind)
        np.testing.assert_allclose(whole(X, X, lift), lift.gap(X[:, None], X), rtol=1e-12)


@pytest.mark.parametrize("kind", ["normalize", "none"])
@pytest.mark.parametrize("d", [3, 40])
def test_antipodes_have_gap_two(kind, d):
    X = clustered("none", d)
    lift = fit_lift(X, kind)
    gaps = whole(X, -X, lift)
    assert np.all(np.diag(gaps) == 2.0)
    assert np.all(gaps <= 2.0)


@pytest.mark.parametrize("kind", ["hemisphere", "stereographic", "euclidean"])
@pytest.mark.parametrize("size", [1e-310, 1e-160, 1e300])
@pytest.mark.parametrize("d", [2, 40])
def test_sizes_at_the_ends_of_the_range(kind, size, d):
    X = np.random.default_rng(0).standard_normal((20, d)) * size
    X[5] = X[4]
    lift = fit_lift(X, kind)
    gaps = whole(X, X, lift)
    np.testing.assert_allclose(gaps, lift.gap(X[:, None], X), rtol=1e-12)
    assert np.array_equal(gaps == 0, (X[:, None] == X).all(-1))


def test_memory_is_bounded():
    rng = np.random.default_rng(0)
    for d in (4, 60):
        X = rng.standard_normal((2500, d))
        lift = fit_lift(X, "hemisphere")
        tracemalloc.start()
        for _, _, gaps in gap_blocks(X, X, lift, block_bytes=2**20):
            assert gaps.nbytes <= 2**20
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        # Against 50 MB for the matrix of all gaps: a tile, and the examples' rows and images.
        assert peak < 2**20 + 5 * X.nbytes + 2**20


def test_degenerate_shapes_and_options():
    X = np.ones((3, 2))
    lift = fit_lift(X, "hemisphere")
    assert list(gap_blocks(X[:0], X, lift)) == []
    assert list(gap_blocks(X, X[:0], lift)) == []
    assert whole(X[:1], X, lift).tolist() == [[0.0, 0.0, 0.0]]
    with pytest.raises(ValueError, match="block_bytes must be positive"):
        GapTiles(X, lift, block_bytes=0)
    with pytest.raises(ValueError, match="2 columns are expected"):
        list(gap_blocks(np.ones((2, 3)), X, lift))


def test_row_blocks_cover_the_queries():
    tiles = GapTiles(np.ones((5000, 2)), fit_lift(np.ones((5000, 2)), "euclidean"))
    assert len(tiles) == 5000
    for m in (0, 1, 15, 100, 3000):
        blocks = tiles.row_blocks(m)
        assert [i for b in blocks for i in range(b.start, b.stop)] == list(range(m))
    assert len(tiles.row_blocks(100)) > 4
