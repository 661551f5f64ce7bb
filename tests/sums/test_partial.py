"""The laws of the algebra, and its values against many digits."""

from __future__ import annotations

import dataclasses

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deeplimit.sums import PartialSums
from deeplimit.sums.weights import check_weights
from sums.reference import exact_sums
from sums.strategies import terms

FIELDS = [field.name for field in dataclasses.fields(PartialSums)]


def bits(sums):
    return [getattr(sums, name).tobytes() for name in FIELDS]


def assert_close(a, b, rtol=1e-13):
    """Compare what sums stand for: positive·e^max and negative·e^max, relative to both."""
    assert a.shape == b.shape
    np.testing.assert_allclose(a.hit_positive, b.hit_positive, rtol=rtol)
    np.testing.assert_allclose(a.hit_negative, b.hit_negative, rtol=rtol)
    # The largest log weight of a class is a fact, not a matter of rounding.
    assert np.array_equal(a.max_log, b.max_log)
    np.testing.assert_allclose(a.positive, b.positive, rtol=rtol)
    np.testing.assert_allclose(a.negative, b.negative, rtol=rtol)


@given(terms())
def test_sums_against_many_digits(t):
    sums = t.sums()
    for q in range(len(t.logs)):
        exact = exact_sums(t.logs[q], t.signs[q], t.index, t.weights, t.n_classes)
        for c in range(t.n_classes):
            with mp.workdps(50):
                scale = mp.exp(mp.mpf(float(sums.max_log[q, c])))
                plus, minus = (
                    exact[0][c] / scale if scale else 0,
                    exact[1][c] / scale if scale else 0,
                )
                # A term e^-700 of the largest has lost three digits, below 1e-308 it is lost.
                near = 1e-14 * (plus + minus)
                assert abs(sums.positive[q, c] - plus) <= min(near, 3e-13 * plus + 1e-300)
                assert abs(sums.negative[q, c] - minus) <= min(near, 3e-13 * minus + 1e-300)
            assert sums.hit_positive[q, c] == pytest.approx(float(exact[2][c]), rel=1e-14)
            assert sums.hit_negative[q, c] == pytest.approx(float(exact[3][c]), rel=1e-14)


def test_max_log_is_over_present_finite_terms():
    sums = PartialSums.empty(1, 2).add([[1.0, 9.0, np.inf, 2.0]], None, [0, 0, 0, 1], [1, 0, 1, 1])
    assert sums.max_log.tolist() == [[1.0, 2.0]]
    assert sums.hit_positive.tolist() == [[1.0, 0.0]]


def test_a_term_of_sign_0_is_none():
    logs = [[1000.0, 0.0, 0.0, 0.0, np.inf]]
    sums = PartialSums.empty(1, 2).add(logs, [[0, 1, 1, 1, 0]], [0, 0, 0, 1, 1])
    assert sums.max_log.tolist() == [[0.0, 0.0]]
    np.testing.assert_allclose(sums.proportions(), [[2 / 3, 1 / 3]], rtol=1e-14)


def test_weights_as_far_apart_as_numbers_are():
    # One example is near and weighs nothing to speak of; what is far decides.
    logs, index, weight = np.array([[759.0, 0.0, 0.0]]), [0, 0, 1], np.array([1e-300, 1e100, 1e95])
    for order in ([0, 1, 2], [1, 0, 2], [2, 1, 0]):
        kinds = np.array(index)[order]
        sums = PartialSums.empty(1, 2).add(logs[:, order], None, kinds, weight[order])
        np.testing.assert_allclose(sums.proportions()[0, 1], 1e-5, rtol=1e-4)
    # Nor is it lost where two sums are merged.
    parts = [
        PartialSums.empty(1, 2).add(logs[:, [k]], None, [index[k]], [weight[k]]) for k in range(3)
    ]
    whole = parts[0].merge(parts[1]).merge(parts[2])
    np.testing.assert_allclose(whole.proportions()[0, 1], 1e-5, rtol=1e-4)


def test_logarithms_at_the_ends_of_the_range_warn_of_nothing():
    sums = PartialSums.empty(1, 2).add([[1e308, -1e308, -1e308]], None, [0, 0, 1])
    assert sums.merge(sums).proportions().tolist() == [[1.0, 0.0]]


@given(terms(), st.data())
def test_a_split_anywhere_adds_up(t, data):
    n = t.index.size
    cut = data.draw(st.integers(0, n))
    left, right = t.take(slice(0, cut)), t.take(slice(cut, n))
    assert_close(left.sums().merge(right.sums()), t.sums())
    empty = PartialSums.empty(len(t.logs), t.n_classes)
    assert_close(left.sums().add(right.logs, right.signs, right.index, right.weights), t.sums())
    assert_close(empty.merge(left.sums()).merge(right.sums()), t.sums())


@given(terms(), st.data())
def test_merge_is_commutative_to_the_bit_and_associative_to_rounding(t, data):
    part = np.array(
        data.draw(st.lists(st.integers(0, 2), min_size=t.index.size, max_size=t.index.size))
    )
    a, b, c = (t.take(np.flatnonzero(part == k)).sums() for k in range(3))
    assert bits(a.merge(b)) == bits(b.merge(a))
    assert_close(a.merge(b).merge(c), a.merge(b.merge(c)))


@given(terms())
def test_the_empty_sums_are_neutral_to_the_bit(t):
    sums = t.sums()
    empty = PartialSums.empty(*sums.shape)
    assert bits(sums.merge(empty)) == bits(sums) == bits(empty.merge(sums))


@given(terms(), st.randoms(use_true_random=False))
def test_the_order_of_the_examples_does_not_matter(t, random):
    order = list(range(t.index.size))
    random.shuffle(order)
    assert_close(t.take(np.array(order, dtype=int)).sums(), t.sums())


@given(terms(), st.integers(-20, 20))
def test_weights_scale_and_logs_shift(t, k):
    sums = t.sums()
    scaled = t._replace(weights=t.weights * 2.0**k).sums()
    assert np.array_equal(scaled.positive, sums.positive * 2.0**k)
    assert np.array_equal(scaled.hit_negative, sums.hit_negative * 2.0**k)
    # A shift that rounds no logarithm changes nothing but the largest one.
    whole = t._replace(logs=np.round(t.logs))
    shifted, plain = whole._replace(logs=whole.logs + 100 * k).sums(), whole.sums()
    assert np.array_equal(shifted.max_log, plain.max_log + 100 * k)
    assert np.array_equal(shifted.positive, plain.positive)
    assert np.array_equal(shifted.negative, plain.negative)
    np.testing.assert_allclose(shifted.proportions(), plain.proportions(), rtol=1e-12)
    assert np.array_equal(shifted.decide().winner, plain.decide().winner)


@given(terms(max_size=6))
def test_a_weight_is_a_number_of_copies(t):
    counts = np.round(np.minimum(t.weights, 5)).astype(int)
    copies = t.take(np.repeat(np.arange(t.index.size), counts))
    copies = copies._replace(weights=np.ones(copies.index.size))
    assert_close(t._replace(weights=counts.astype(float)).sums(), copies.sums())


@given(terms())
def test_rows_are_independent(t):
    sums = t.sums()
    rows = [
        PartialSums.empty(1, t.n_classes).add(t.logs[[i]], t.signs[[i]], t.index, t.weights)
        for i in range(2)
    ]
    assert bits(PartialSums.concatenate(rows)) == bits(sums)
    assert bits(sums.take([1])) == bits(rows[1])
    assert bits(sums.take(np.array([False, True]))) == bits(rows[1])


def test_adding_leaves_the_original_alone():
    sums = PartialSums.empty(1, 2)
    before = bits(sums)
    more = sums.add([[1.0]], None, [1])
    other = bits(more)
    more.merge(more)
    more.add([[2.0]], None, [1])
    assert bits(sums) == before
    assert bits(more) == other


def test_signs_default_to_plus_and_zero_is_nothing():
    logs = np.log([[1.0, 2.0, 4.0]])
    assert_close(
        PartialSums.empty(1, 1).add(logs, None, [0, 0, 0]),
        PartialSums.empty(1, 1).add(logs, [[1, 1, 1]], [0, 0, 0]),
    )
    sums = PartialSums.empty(1, 1).add(logs, [[1, -1, 0]], [0, 0, 0])
    assert (sums.positive / sums.negative).item() == pytest.approx(0.5, rel=1e-15)


def test_bad_input_is_refused():
    empty = PartialSums.empty(1, 2)
    with pytest.raises(ValueError, match="log weights of shape"):
        empty.add([[0.0, 1.0]], None, [0])
    with pytest.raises(ValueError, match=r"class indices must lie in 0\.\.1"):
        empty.add([[0.0]], None, [2])
    with pytest.raises(ValueError, match=r"class indices must lie in 0\.\.1"):
        empty.add([[0.0]], None, [-1])
    with pytest.raises(ValueError, match="signs of shape"):
        empty.add([[0.0]], [1], [0])
    with pytest.raises(ValueError, match="a log weight is NaN"):
        empty.add([[np.nan, 0.0]], None, [0, 0])
    with pytest.raises(ValueError, match="same shape"):
        empty.merge(PartialSums.empty(2, 2))
    for weights in ([-1.0], [np.nan], [np.inf]):
        with pytest.raises(ValueError, match="nonnegative numbers with a finite sum"):
            empty.add([[0.0]], None, [0], weights)
    with pytest.raises(ValueError, match="2 sample weights are expected"):
        empty.add([[0.0, 0.0]], None, [0, 0], [1.0])


def test_check_weights():
    assert check_weights(None, 3) is None
    assert check_weights([1, 1], 2) is None
    with pytest.raises(ValueError, match="finite sum"):
        check_weights([1e308, 1e308], 2)
