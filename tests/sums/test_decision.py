from __future__ import annotations

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given

from deeplimit.sums import PartialSums
from deeplimit.sums.decision import TIE_TOLERANCE
from sums.reference import exact_sums
from sums.strategies import terms

INF = np.inf


def sums(logs, index, n_classes=3, signs=None, weights=None):
    return PartialSums.empty(1, n_classes).add(
        [logs], None if signs is None else [signs], index, weights
    )


def winner(*args, prior=None, then=None, **kwargs):
    return int(sums(*args, **kwargs).decide(prior, then).winner[0])


@given(terms())
def test_decisions_against_many_digits(t):
    total = t.sums()
    decision = total.decide()
    shares = total.proportions()
    tolerance = mp.mpf(2 * TIE_TOLERANCE)
    for q in range(2):
        plus, minus, hit_plus, hit_minus = exact_sums(
            t.logs[q], t.signs[q], t.index, t.weights, t.n_classes
        )
        with mp.workdps(4500):
            left = list(range(t.n_classes))
            levels = [(plus, minus)]
            if any(hit_plus) or any(hit_minus):
                levels.insert(0, (hit_plus, hit_minus))
            assert decision.exact[q] == (len(levels) == 2)
            for up, down in levels:
                best = max(left, key=lambda c, up=up, down=down: up[c] - down[c])
                floor = up[best] - down[best] - tolerance * (up[best] + down[best])
                left = [c for c in left if up[c] - down[c] + tolerance * (up[c] + down[c]) >= floor]
            assert decision.winner[q] in left
            if len(left) == 1:
                assert not decision.tied[q]
            up, down = levels[0]
            net = [max(mp.mpf(0), a - b) for a, b in zip(up, down, strict=True)]
            # Nets within their rounding error of zero count as zero.
            net = [
                v if v > tolerance * (a + b) else mp.mpf(0)
                for v, a, b in zip(net, up, down, strict=True)
            ]
            if sum(net) > 0:
                for c in range(t.n_classes):
                    mass = (up[c] + down[c]) / sum(net)
                    if mass < 1e6:
                        assert abs(shares[q, c] - net[c] / sum(net)) < 1e-11 * (1 + mass)
        assert np.sum(shares[q]) == pytest.approx(1.0, abs=1e-14)
        assert np.all(shares[q] >= 0)
        assert np.argmax(shares[q]) == decision.winner[q]


@given(terms(positive=True))
def test_log_scores_are_logs_of_the_proportions(t):
    total = t.sums()
    decision, shares = total.decide(), total.proportions()
    some = np.any(decision.signs > 0, axis=1)
    with np.errstate(divide="ignore"):
        expected = np.log(shares[some])
    scores = decision.log_scores[some]
    # A share below e^-700 may have vanished from the proportions.
    there = scores > -700
    np.testing.assert_allclose(scores[there], expected[there], atol=1e-11, rtol=0)
    assert np.all(shares[some][~there] < 1e-300)
    assert np.all(np.isneginf(decision.log_scores[~some]))


def test_largest_sum_wins():
    assert winner([0.0, 0.6, 0.6], [0, 1, 2], weights=[1.9, 1, 1.01]) == 0
    assert winner([0.0, 0.7, 0.6], [0, 1, 2], weights=[1.9, 1, 1.01]) == 1
    assert winner([5000.0, 4999.0, -5000.0], [2, 1, 0]) == 2


def test_ties_go_by_the_prior_and_then_by_the_index():
    assert winner([0.3, 0.3], [2, 1]) == 1
    assert winner([0.3, 0.3], [2, 1], prior=[9, 1, 2]) == 2
    assert winner([0.3, 0.3], [2, 1], prior=[9, 2, 2]) == 1
    total = sums([0.3, 0.3], [2, 1])
    assert total.decide().tied.tolist() == [True]
    assert not sums([0.3, 0.2], [2, 1]).decide().tied[0]
    # The argument of the largest proportion is the decision, and the rows still add up to 1.
    shares = total.proportions(prior=[9, 1, 2])
    assert np.argmax(shares) == 2
    assert shares.sum() == 1.0
    assert shares[0, 1] == 0.5


def test_ties_are_found_whatever_the_order_of_summation():
    values = np.random.default_rng(0).uniform(-3, 3, 50)
    orders = [np.random.default_rng(seed).permutation(50) for seed in range(30)]
    differ = 0
    for order in orders:
        total = sums([*values, *values[order]], [1] * 50 + [0] * 50, 2)
        differ += int(total.positive[0, 0] != total.positive[0, 1])
        assert total.decide(prior=[1, 2]).winner[0] == 1
        assert total.decide(prior=[2, 1]).winner[0] == 0
    assert differ > 5  # rounding would have decided


def test_tolerance():
    total = sums([0.0, 1e-9], [0, 1], 2)
    assert total.decide().winner[0] == 1
    assert total.decide(tolerance=1e-8).winner[0] == 0
    assert sums([0.0, 5e-13], [0, 1], 2).decide().winner[0] == 0
    assert sums([0.0, 5e-13], [0, 1], 2).decide(tolerance=0.0).winner[0] == 1


def test_hits_decide_alone():
    assert winner([INF, 5000.0], [0, 1]) == 0
    total = sums([INF, INF, 5000.0, 1.0], [0, 1, 2, 0], weights=[1, 3, 1, 1])
    assert total.decide().winner[0] == 1
    assert total.decide().exact[0]
    assert total.proportions().tolist() == [[0.25, 0.75, 0.0]]
    np.testing.assert_allclose(total.decide().log_scores, [[np.log(0.25), np.log(0.75), -INF]])


def test_a_tie_among_hits_is_broken_by_the_sums_of_those_that_tie():
    logs, index = [INF, INF, -5000.0, -4999.0, 5000.0], [0, 1, 0, 1, 2]
    assert winner(logs, index) == 1
    assert sums(logs, index).proportions() == pytest.approx(np.array([[0.5, 0.5, 0.0]]))
    assert winner([INF, INF, -4999.0, -5000.0, 5000.0], index) == 0
    assert winner([INF, INF, 0.0], [0, 1, 2], prior=[1, 2, 3]) == 1
    # A class without a hit is out, whatever its sum.
    assert winner([INF, INF, INF, 9.0], [0, 1, 1, 0]) == 1


def test_negative_hits_repel():
    total = sums([INF, -1.0, -2.0], [0, 1, 2], signs=[-1, 1, 1])
    assert total.decide().winner[0] == 1
    shares = total.proportions()
    assert shares[0, 0] == 0.0
    assert shares[0, 1] == pytest.approx(1 / (1 + np.exp(-1)))
    assert sums([INF, INF, 0.0], [0, 0, 1], 2, signs=[1, -1, 1]).decide().winner[0] == 1


def test_negative_sums():
    assert winner([0.0, 1.0, 2.0], [0, 1, 2], signs=[-1, -1, -1]) == 0
    assert winner([5000.0, -5000.0, 0.0], [0, 1, 2], signs=[-1, -1, -1]) == 1
    assert winner([5000.0, -5000.0], [0, 1], signs=[-1, -1]) == 2
    total = sums([0.0, 1.0, 2.0], [0, 1, 2], signs=[-1, -1, -1])
    assert total.proportions().tolist() == [[1.0, 0.0, 0.0]]
    assert total.decide().signs.tolist() == [[-1, -1, -1]]
    mixed = sums([0.0, 1.0, 2.0], [0, 1, 2], signs=[1, -1, 1])
    assert mixed.proportions()[0, 1] == 0.0


def test_a_sum_that_cancels_is_zero_not_noise():
    values = np.log([0.1, 0.2, 0.3])
    total = sums([*values[:2], values[2], -40.0], [0, 0, 0, 1], 2, signs=[1, 1, -1, 1])
    assert total.positive[0, 0] != total.negative[0, 0]  # rounding left something
    assert total.decide().signs[0, 0] == 0
    # The error of class 0 is above the score of class 1: nothing separates them.
    assert total.decide(prior=[1, 2]).winner[0] == 1
    assert total.proportions(prior=[1, 2]).tolist() == [[0.0, 1.0]]


def test_classes_on_scales_far_apart_are_still_compared():
    assert winner([5000.0, 5000.0, 0.0, -1.0], [0, 0, 1, 2], signs=[-1, -1, 1, 1]) == 1
    assert winner([5000.0, 0.0, 1e-9], [0, 1, 2], signs=[-1, 1, 1]) == 2
    assert winner([-1e300, -2e300], [1, 0]) == 1
    assert winner([0.0, 0.0], [0, 1], weights=[1e-300, 1e300]) == 1
    assert winner([650.0, 0.0], [0, 1], weights=[1e-300, 1e3]) == 1
    assert winner([710.0, 0.0], [0, 1], weights=[1e-300, 1e3]) == 0


def test_no_terms_at_all():
    empty = PartialSums.empty(2, 3)
    assert empty.decide([1, 5, 2]).winner.tolist() == [1, 1]
    assert empty.decide().winner.tolist() == [0, 0]
    assert empty.proportions([1, 5, 2]).tolist() == [[0.0, 1.0, 0.0]] * 2
    assert np.isneginf(empty.decide().log_scores).all()
    none = PartialSums.empty(0, 3)
    assert none.decide().winner.shape == (0,)
    assert none.proportions().shape == (0, 3)
    assert none.decide().log_scores.shape == (0, 3)


def test_another_kernel_breaks_ties_before_the_prior():
    flat, then = sums([0.0, 0.0, -1.0], [0, 1, 2]), sums([0.0, 1.0, 5.0], [0, 1, 2])
    assert flat.decide(prior=[2, 1, 1], then=then).winner[0] == 1
    assert not flat.decide(then=then).tied[0]
    assert np.argmax(flat.proportions(prior=[2, 1, 1], then=then)) == 1
    hits = sums([INF, 5.0], [0, 1])
    assert flat.decide(then=hits).winner[0] == 0


def test_many_queries_are_cut_to_blocks_without_a_seam():
    rng = np.random.default_rng(0)
    logs = rng.normal(0, 300, (5000, 60))
    logs[::7, 3] = INF
    signs = rng.choice([1, 1, -1], logs.shape)
    index = np.arange(60) % 20
    total = PartialSums.empty(5000, 20).add(logs, signs, index)
    decision, shares = total.decide(), total.proportions()
    for i in (0, 1, 3275, 3276, 3277, 4999):
        one = total.take([i])
        assert one.decide().winner[0] == decision.winner[i]
        assert np.array_equal(one.decide().log_scores[0], decision.log_scores[i])
        assert np.array_equal(one.proportions()[0], shares[i])
    assert np.array_equal(np.argmax(shares, axis=1), decision.winner)


def test_wrong_shapes_are_refused():
    total = PartialSums.empty(1, 2)
    with pytest.raises(ValueError, match="a prior of 2 numbers is expected"):
        total.decide(prior=[1.0])
    with pytest.raises(ValueError, match="a prior of 2 numbers is expected"):
        total.proportions(prior=[np.nan, 1.0])
    with pytest.raises(ValueError, match="`then` must have the shape"):
        total.decide(then=PartialSums.empty(1, 3))
