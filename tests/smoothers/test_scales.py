from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from scipy.stats import f_oneway

from deeplimit.smoothers.scales import KEPT, agop_scales, anova_scales, sparing


def labelled(n=400, p=5, seed=0):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((n, p)), rng.integers(0, 2, n), rng


def normed(scale):
    return scale / np.sqrt(np.mean(scale**2))


def epsilon_squared(values, index):
    """Give Kelley's measure by way of the F statistic, less two deviations of chance."""
    n, k = len(values), np.unique(index).size
    F = f_oneway(*(values[index == c] for c in np.unique(index))).statistic
    found = (F - 1.0) / (F + (n - k) / (k - 1))
    return max(found - 2.0 * np.sqrt(2.0 * (k - 1)) / (n - k), 0.0)


@pytest.mark.parametrize("n_classes", [2, 4])
def test_anova_is_that_of_three_polynomials(n_classes):
    rng = np.random.default_rng(n_classes)
    Z, index = rng.standard_normal((300, 4)), rng.integers(0, n_classes, 300)
    Z[:, 0] += 0.8 * index
    Z[:, 1] *= 1.0 + index
    Z[:, 2] += 0.3 * index
    parts = [sum(epsilon_squared(v, index) for v in (z, z**2, z**3 - 3.0 * z)) for z in Z.T]
    found = anova_scales(Z, index, np.ones(300), n_classes)
    np.testing.assert_allclose(found, normed(np.sqrt(parts)), rtol=1e-9, atol=1e-12)
    kept = anova_scales(Z, index, np.ones(300), n_classes, KEPT)
    expected = normed(np.sqrt(parts + KEPT * np.mean(parts)))
    np.testing.assert_allclose(kept, expected, rtol=1e-9)
    assert kept.min() > 0.0


@pytest.mark.parametrize("what", ["mean", "spread", "skew"])
def test_anova_finds_what_tells_and_nothing_else(what):
    rng = np.random.default_rng(1)
    index = np.arange(1000) % 2
    Z = rng.standard_normal((1000, 6))
    if what == "mean":
        Z[:, 3] += index
    elif what == "spread":
        Z[:, 3] *= np.where(index, 1.5, 0.5)
    else:  # of mean 0 and variance 1 either way
        Z[:, 3] = (rng.exponential(size=1000) - 1.0) * np.where(index, 1.0, -1.0)
    scale = anova_scales(Z, index, np.ones(1000), 2)
    assert scale[3] > 2.3  # alone it would be the root of 6
    assert np.delete(scale, 3).max() < 0.4


def test_without_information_all_columns_count_alike():
    Z, index, _ = labelled()
    one = np.ones(5)
    twice = np.repeat(Z[:200], 2, axis=0), np.arange(400) % 2  # each row in both classes
    assert np.array_equal(anova_scales(*twice, np.ones(400), 2), one)
    assert np.array_equal(anova_scales(Z, np.zeros_like(index), np.ones(400), 2), one)
    assert np.array_equal(anova_scales(Z * 0.0, index, np.ones(400), 2), one)
    assert np.array_equal(anova_scales(Z[:2], np.array([0, 1]), np.ones(2), 2), one)
    assert np.array_equal(agop_scales(Z * 0.0, index, np.ones(400), 2, rounds=2), one)
    assert np.array_equal(
        agop_scales(Z[:50], np.zeros(50, dtype=np.int64), np.ones(50), 2, rounds=2), one
    )


def test_two_values_tell_as_a_straight_line_does():
    rng = np.random.default_rng(2)
    index = np.arange(600) % 2
    Z = rng.standard_normal((600, 2))
    Z[:, 0] = np.where(rng.random(600) < 0.2, 1 - index, index) * np.sqrt(0.5)
    scale = anova_scales(Z, index, np.ones(600), 2)
    assert scale[0] > 1.35
    assert scale[1] < 0.4


def test_weights_count_like_repeated_rows():
    Z, index, rng = labelled(60, 3)
    Z[:, 0] += index
    times = rng.integers(1, 4, 60)
    twice = np.repeat(np.arange(60), times)
    for learn in (
        lambda *part: anova_scales(*part, 2),
        lambda *part: anova_scales(*part, 2, KEPT),
        lambda *part: agop_scales(*part, 2, rounds=2),
    ):
        a = learn(Z, index, times.astype(float))
        b = learn(Z[twice], index[twice], np.ones(twice.size))
        np.testing.assert_allclose(a, b, rtol=1e-5)


@pytest.mark.parametrize("start", [None, np.array([1.5, 0.7, 0.0, 1.0])], ids=["ones", "given"])
def test_agop_is_the_gradient_by_finite_differences(start):
    rng = np.random.default_rng(3)
    Z, index = rng.standard_normal((40, 4)), rng.integers(0, 3, 40)
    weight = rng.uniform(0.5, 2.0, 40)
    scale = np.ones(4) if start is None else start
    share = weight / weight.sum()
    X = Z * scale
    length = np.sqrt(share @ cdist(X, X, "sqeuclidean") @ share)
    targets = np.eye(3)[index]
    targets = targets - share @ targets
    K = np.exp(-cdist(X, X) / length)
    a = np.linalg.solve(K + 0.1 * np.diag(1.0 / weight), targets)

    def without(i, z):
        """Give the solution less the term that has its tip at the example itself."""
        k = np.exp(-cdist(z[None] * scale, X) / length)[0]
        k[i] = 0.0
        return k @ a

    total, h = np.zeros(4), 1e-5
    for i in range(40):
        for j in range(4):
            e = h * np.eye(4)[j]
            slope = (without(i, Z[i] + e) - without(i, Z[i] - e)) / (2.0 * h)
            total[j] += weight[i] * np.sum(slope**2)
    found = agop_scales(Z, index, weight, 3, rounds=1, start=start)
    np.testing.assert_allclose(found, normed(np.sqrt(total)), rtol=1e-5, atol=1e-9)


def test_rounds_follow_each_other():
    Z, index, _ = labelled(80, 3)
    w = np.ones(80)
    once = agop_scales(Z, index, w, 2, rounds=1)
    twice = agop_scales(Z, index, w, 2, rounds=1, start=once)
    np.testing.assert_allclose(agop_scales(Z, index, w, 2, rounds=2), twice, rtol=1e-12)


def test_agop_leaves_little_to_what_does_not_matter():
    rng = np.random.default_rng(4)
    Z = rng.standard_normal((400, 20))
    index = (Z[:, 0] * Z[:, 1] > 0).astype(np.int64)  # neither tells anything alone
    scale = agop_scales(Z, index, np.ones(400), 2, rounds=3)
    assert scale[:2].min() > 2.0
    assert scale[2:].max() < 0.5
    assert np.mean(scale**2) == pytest.approx(1.0, rel=1e-12)


def test_what_is_far_beyond_the_length_has_no_slope():
    """Weights so unequal that the kernel is 0 between examples."""
    Z, index, _ = labelled(40, 3)
    weight = np.ones(40)
    weight[0] = 1e12
    scale = agop_scales(Z, index, weight, 2, rounds=2)
    assert np.isfinite(scale).all()
    assert np.mean(scale**2) == pytest.approx(1.0, rel=1e-12)


def test_duplicates_have_no_slope_between_them():
    Z, index, _ = labelled(30, 3)
    Z = np.concatenate([Z, Z])
    index = np.concatenate([index, 1 - index])
    scale = agop_scales(Z, index, np.ones(60), 2, rounds=2)
    assert np.isfinite(scale).all()


def test_columns_that_hold_a_thousandth_of_the_variance_together_are_left_out():
    rng = np.random.default_rng(5)
    Z, weight = rng.standard_normal((400, 30)) * 3.0, rng.uniform(0.5, 2.0, 400)
    scale = rng.uniform(0.0, 1.0, 30) ** 6
    found = sparing(scale, Z, weight)
    spared = found == 0.0
    assert 0 < spared.sum() < 30
    # What is left keeps its proportions; even the least of it is too much to go as well.
    np.testing.assert_allclose(found, normed(np.where(spared, 0.0, scale)), rtol=1e-12)
    part = scale**2 * np.cov(Z.T, aweights=weight, ddof=0).diagonal()
    assert part[spared].sum() < 0.001 * part.sum()
    assert part[spared].sum() + part[~spared].min() >= 0.001 * part.sum()


def test_no_column_is_left_out_where_all_count_alike():
    Z = np.random.default_rng(0).standard_normal((300, 40))
    assert np.all(sparing(np.ones(40), Z, np.ones(300)) == 1.0)
    # Nor where nothing varies.
    assert np.all(sparing(np.ones(3), np.zeros((5, 3)), np.ones(5)) == 1.0)
