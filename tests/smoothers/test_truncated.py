from __future__ import annotations

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deeplimit.smoothers.nearest import Near, Neighbours
from deeplimit.smoothers.truncated import Lists, Setting, add_proportions, density, lists_of

MASSES, EXPONENTS, DENSITIES = (0.3, 1.0, 2.5, 8.0, np.inf), (0.0, 1.0, 4.0, 16.0), (0.0, 0.5, 1.0)
SETTINGS = [Setting(k, a, b) for k in MASSES for a in EXPONENTS for b in DENSITIES]


def draw(seed, m=4, k=7, weights=(0.0, 0.5, 1.0, 3.0)):
    rng = np.random.default_rng(seed)
    distances = np.sort(rng.choice([0.0, 1e-150, 1e-3, 0.5, 0.5, 1.0, 7.0, 1e40], (m, k)), axis=1)
    with np.errstate(divide="ignore"):
        logs = np.log(distances)
    places = np.array([rng.permutation(12)[:k] for _ in range(m)])
    lists = Lists(places, logs, rng.choice(weights, (m, k)), rng.choice([-3.0, 0.0, 1.5], (m, k)))
    return lists, distances, rng.integers(0, 3, 12)


def definition(distances, weights, local, setting):
    """Go through a list, nearest first, at 60 digits."""
    with mpmath.workdps(60):
        rest, parts = mpmath.mpf(setting.mass), []
        for weight in weights:
            part = min(mpmath.mpf(weight), rest)
            parts.append(part)
            rest -= part
        hits = [d == 0.0 and w > 0.0 for d, w in zip(distances, weights, strict=True)]
        terms = []
        for d, part, log, hit in zip(distances, parts, local, hits, strict=True):
            if setting.exponent == 0.0 or hit:
                terms.append(part)
            elif any(hits) or part == 0:
                terms.append(mpmath.mpf(0))
            else:
                ratio = mpmath.mpf(d) / mpmath.exp(mpmath.mpf(setting.density) * mpmath.mpf(log))
                terms.append(part * ratio ** (-mpmath.mpf(setting.exponent)))
        total = mpmath.fsum(terms)
        return [float(term / total) if total else 0.0 for term in terms]


@given(st.integers(0, 100_000), st.sampled_from(SETTINGS))
def test_terms_are_those_of_the_definition(seed, setting):
    lists, distances, _ = draw(seed)
    expected = [
        definition(*row, setting) for row in zip(distances, lists.weights, lists.local, strict=True)
    ]
    np.testing.assert_allclose(lists.terms(setting), expected, rtol=1e-10, atol=1e-14)


@given(st.integers(0, 100_000))
@settings(max_examples=30)
def test_classes_have_the_terms_of_their_examples(seed):
    lists, _, index = draw(seed)
    wanted = index[:4]
    columns = lists.of_class(SETTINGS, index, wanted)
    for setting, column in zip(SETTINGS, columns.T, strict=True):
        terms = lists.terms(setting)
        each = [(terms * (index[lists.places] == c)).sum(axis=1) for c in range(3)]
        shares = lists.proportions(setting, index, 3)
        np.testing.assert_allclose(shares, np.transpose(each), rtol=1e-12, atol=1e-15)
        np.testing.assert_allclose(column, shares[np.arange(4), wanted], rtol=1e-9, atol=1e-12)
        some = lists.weights.sum(axis=1) > 0.0
        np.testing.assert_allclose(shares.sum(axis=1), some, rtol=1e-12)


def test_without_local_scales_density_does_nothing():
    lists, _, index = draw(0)
    bare = lists._replace(local=None)
    for setting in SETTINGS:
        plain = setting._replace(density=0.0)
        assert np.array_equal(bare.terms(setting), lists.terms(plain))
        assert np.array_equal(bare.of_class([setting], index, index[:4]),
                              lists.of_class([plain], index, index[:4]))  # fmt: skip


@pytest.mark.parametrize("setting", SETTINGS, ids=str)
def test_no_weight_is_no_share(setting):
    lists, _, index = draw(1)
    none = lists._replace(weights=np.zeros_like(lists.weights))
    assert not none.terms(setting).any()
    assert not none.of_class([setting], index, index[:4]).any()
    hits = lists._replace(logs=np.full_like(lists.logs, -np.inf), weights=np.ones((4, 7)))
    np.testing.assert_allclose(hits.terms(setting).sum(axis=1), 1.0, rtol=1e-14)
    assert not (none._replace(logs=hits.logs)).terms(setting).any()


def by_hand(setting, X, index, weight, i, local=None):
    """Score example i from all others."""
    weight = weight.copy()
    weight[i] = 0.0
    d = np.sqrt(((X - X[i]) ** 2).sum(axis=1))
    order = np.argsort(d, kind="stable")
    local = np.zeros(len(X)) if local is None else local
    terms = definition(d[order], weight[order], local[order], setting)
    return np.bincount(index[order], weights=terms, minlength=2)


@pytest.mark.parametrize("setting", SETTINGS[::4], ids=str)
def test_an_example_is_left_out_wholly(setting):
    rng = np.random.default_rng(2)
    X, index = rng.standard_normal((15, 2)), rng.integers(0, 2, 15)
    weight = rng.choice([0.4, 1.0, 2.0], 15)
    own = np.arange(15)
    found = lists_of(Neighbours(X).nearest(X, 15), weight, None, own).proportions(setting, index, 2)
    expected = [by_hand(setting._replace(density=0.0), X, index, weight, i) for i in own]
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-13)


def test_a_weight_counts_like_repeated_rows():
    rng = np.random.default_rng(3)
    X, index, times = rng.standard_normal((20, 2)), rng.integers(0, 2, 20), rng.integers(1, 4, 20)
    twice, n = np.repeat(np.arange(20), times), times.sum()
    mine = lists_of(Neighbours(X).nearest(X, 20), times.astype(float))
    theirs = lists_of(Neighbours(X[twice]).nearest(X[twice], n), np.ones(n))
    for setting in SETTINGS:
        a = mine.proportions(setting, index, 2)[twice]
        b = theirs.proportions(setting, index[twice], 2)
        np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-13)


def test_a_local_scale_is_the_distance_that_holds_a_mass_of_seven_others():
    rng = np.random.default_rng(4)
    X, times = rng.standard_normal((30, 2)), rng.integers(1, 4, 30)
    d = np.sqrt(((X[:, None] - X[None]) ** 2).sum(axis=2))
    around, own = Neighbours(X).nearest(X, 30), np.arange(30)
    found = density(around, np.ones(30), own, 1.0)
    np.testing.assert_allclose(found, np.log(np.sort(d, axis=1)[:, 7]), rtol=1e-12)
    # Other weights count like repeated rows; its own do not count.
    found = density(around, times.astype(float), own, 1.0)
    for i in own:
        others = np.repeat(np.delete(d[i], i), np.delete(times, i))
        assert found[i] == pytest.approx(np.log(np.sort(others)[6]), rel=1e-12)


def test_a_local_scale_has_a_floor_and_few_examples_have_one_too():
    X = np.zeros((20, 1))
    X[19] = 1.0
    near, own = Neighbours(X).nearest(X, 17), np.arange(20)
    found = density(near, np.ones(20), own, 0.5)
    assert np.allclose(found[:19], np.log(0.5) - 7.0)
    few = density(Neighbours(X[17:]).nearest(X[17:], 17), np.ones(3), np.arange(3), 0.5)
    np.testing.assert_allclose(few, 0.0, atol=1e-15)


def test_lists_weigh_their_examples():
    near = Near(np.array([[2, 0]]), np.array([[0.0, 1.0]]))
    lists = lists_of(near, np.array([1.0, 2.0, 3.0]), np.array([5.0, 6.0, 7.0]))
    assert lists.weights.tolist() == [[3.0, 1.0]]
    assert lists.local.tolist() == [[7.0, 5.0]]
    assert lists_of(near, np.full(3, 0.25), None, np.array([0])).weights.tolist() == [[0.25, 0.0]]


@given(st.integers(0, 10_000))
@settings(max_examples=30)
def test_compiled_sums_are_those_of_the_terms(seed):
    lists, *_ = draw(seed)
    m, k = lists.places.shape
    # An example of its own for each place in a list.
    near = Near(np.arange(m * k).reshape(m, k), lists.logs)
    weight, local = lists.weights.ravel(), lists.local.ravel()
    index = np.random.default_rng(seed).integers(0, 3, m * k)
    for setting in SETTINGS:
        out = np.full((m, 3), 0.25)
        add_proportions(out, near, weight, local, index, [setting], np.array([0.5]))
        said = lists_of(near, weight, local).proportions(setting, index, 3)
        np.testing.assert_allclose(out, 0.25 + 0.5 * said, rtol=1e-12)
    some, factors = SETTINGS[3:9], np.arange(1.0, 7.0)
    out, one = np.zeros((m, 3)), np.zeros((m, 3))
    add_proportions(out, near, weight, local, index, some, factors)
    for setting, v in zip(some, factors, strict=True):
        add_proportions(one, near, weight, local, index, [setting], np.array([v]))
    np.testing.assert_allclose(out, one, rtol=1e-12)
