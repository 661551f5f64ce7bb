from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import approx_fprime, minimize

from deeplimit.smoothers import pooling
from deeplimit.smoothers.pooling import Link, mixture_weights, pool_weights

seeds = st.integers(0, 10_000)


def draw(seed, n=40, C=3, M=4):
    """Draw forecasts of different worth, the last of them the prior."""
    rng = np.random.default_rng(seed)
    index = rng.integers(0, C, n)
    index[:C] = np.arange(C)
    weight = rng.uniform(0.3, 3.0, n)
    prior = np.bincount(index, weights=weight) / weight.sum()
    scores = rng.dirichlet(np.full(C, 0.7), (M - 1, n))
    scores[:, np.arange(n), index] += 2.0 * rng.random((M - 1, 1))
    scores /= scores.sum(axis=2, keepdims=True)
    scores = np.concatenate([scores, np.tile(prior, (1, n, 1))])
    scores[0] = 1.3 * scores[0] - 0.1  # as ridge solutions are, now and then negative
    return scores, index, weight, prior


def probabilities(scores, power, mixed, prior):
    p = np.maximum(scores, 1e-4) ** power
    return (1.0 - mixed) * p / p.sum(axis=1, keepdims=True) + mixed * prior


def log_loss(p, index, weight):
    return np.average(-np.log(p[np.arange(index.size), index]), weights=weight)


@given(seeds)
def test_a_link_gives_probabilities_in_the_order_of_the_scores(seed):
    rng = np.random.default_rng(seed)
    scores = rng.uniform(-0.2, 1.0, (9, 4))
    link = Link(float(rng.uniform(0.2, 12.0)), float(rng.uniform(0.0, 0.3)), np.full(4, 0.25))
    found = link.probabilities(scores)
    np.testing.assert_allclose(found, probabilities(scores, *link), rtol=1e-9)
    np.testing.assert_allclose(found.sum(axis=1), 1.0, rtol=1e-14)
    top = scores.max(axis=1) > 1e-4
    assert np.array_equal(found.argmax(axis=1)[top], scores.argmax(axis=1)[top])


@given(seeds)
@settings(max_examples=30)
def test_a_mixture_is_as_likely_as_a_direct_search_finds(seed):
    scores, index, weight, _ = draw(seed)
    P = np.clip(scores[:, np.arange(index.size), index].T, 0.0, 1.0)
    share = weight / weight.sum()
    found = mixture_weights(P, weight)
    assert found.min() >= 0.0
    assert found.sum() == pytest.approx(1.0, rel=1e-12)

    def loss(w):
        return -share @ np.log(np.maximum(P @ w, 1e-300))

    best = minimize(
        loss, np.full(4, 0.25), method="SLSQP", bounds=[(0.0, 1.0)] * 4,
        constraints={"type": "eq", "fun": lambda w: w.sum() - 1.0},
    )  # fmt: skip
    # It stops where ten steps gain no more than a millionth of a nat.
    assert loss(found) <= best.fun + 2e-3
    assert loss(found) <= min(loss(e) for e in np.eye(4)) + 1e-3
    patient = mixture_weights(np.repeat(P, 2, axis=1), weight)  # twins share what one would have
    np.testing.assert_allclose(patient.reshape(4, 2).sum(axis=1), found, atol=1e-9)


def test_a_mixture_goes_by_weight():
    P = np.array([[0.9, 0.1], [0.1, 0.9]])
    for w in (0.5, 0.6, 0.8):
        # The maximum of w ln(a) + (1 - w) ln(1 - a), a being what the first case is given.
        found = mixture_weights(P, np.array([w, 1.0 - w]) * 7.0, rounds=5000)
        assert 0.1 + 0.8 * found[0] == pytest.approx(w, abs=1e-2)


def test_what_no_forecast_foresaw_is_no_nan():
    P = np.array([[0.0, 0.0], [0.4, 0.6]])
    assert mixture_weights(P, np.ones(2)).sum() == pytest.approx(1.0)


@pytest.mark.parametrize("seed", range(4))
def test_the_gradient_is_that_of_finite_differences(monkeypatch, seed):
    seen = {}

    def look(loss, t, **options):
        seen.update(loss=loss, t=t)
        return minimize(loss, t, **options)

    monkeypatch.setattr(pooling, "minimize", look)
    scores, index, weight, prior = draw(seed)
    found = pool_weights(scores, index, weight, np.ones(4), prior)
    rng = np.random.default_rng(seed)
    for _ in range(5):
        t = seen["t"] + rng.uniform(-1.0, 1.0, 5)
        value, slope = seen["loss"](t)
        numeric = approx_fprime(t, lambda s: seen["loss"](s)[0], 1e-7)
        np.testing.assert_allclose(slope, numeric, rtol=1e-5, atol=1e-6)
        w = np.exp(t[:-1]) / np.exp(t[:-1]).sum()
        p = probabilities(np.tensordot(w, scores, 1), np.exp(t[-1]), found.link.mixed, prior)
        expected = log_loss(p, index, weight) + t[-1] ** 2 / weight.sum()
        assert value == pytest.approx(expected, rel=1e-12)


@given(seeds)
@settings(max_examples=12)
def test_no_start_leads_below(seed):
    scores, index, weight, prior = draw(seed)
    found = pool_weights(scores, index, weight, np.ones(4), prior)
    mixed = 1.0 / (1.0 + weight.sum())
    assert found.link.mixed == pytest.approx(mixed, rel=1e-14)
    assert found.weights.sum() == pytest.approx(1.0, rel=1e-12)

    def loss(t):
        w = np.exp(t[:-1] - t[:-1].max())
        pooled = np.tensordot(w / w.sum(), scores, 1)
        p = probabilities(pooled, np.exp(t[-1]), mixed, prior)
        return log_loss(p, index, weight) + t[-1] ** 2 / weight.sum()

    bounds = [(-16.0, 3.0)] * 4 + [(-1.5, np.log(12.0))]
    starts = [np.zeros(5), *(np.append(6.0 * e - 3.0, 0.5) for e in np.eye(4))]
    best = min(minimize(loss, t, method="L-BFGS-B", bounds=bounds).fun for t in starts)
    assert found.loss <= best + 1e-3


@given(seeds)
@settings(max_examples=30)
def test_a_pool_is_no_worse_than_any_of_its_smoothers(seed):
    scores, index, weight, prior = draw(seed)
    at = np.arange(index.size)
    start = mixture_weights(np.clip(scores[:, at, index].T, 0.0, 1.0), weight)
    found = pool_weights(scores, index, weight, np.maximum(start, 0.02), prior)
    pooled = np.tensordot(found.weights, scores, 1)
    mine = log_loss(found.link.probabilities(pooled), index, weight)
    each = [log_loss(found.link.probabilities(s), index, weight) for s in scores]
    assert mine <= min(each) + 1e-4
    assert mine <= log_loss(np.tile(prior, (index.size, 1)), index, weight) + 1e-4


def test_a_weight_counts_like_repeated_rows():
    scores, index, _, prior = draw(1)
    times = np.random.default_rng(1).integers(1, 4, index.size)
    a = pool_weights(scores, index, times.astype(float), np.ones(4), prior)
    twice = np.repeat(np.arange(index.size), times)
    b = pool_weights(scores[:, twice], index[twice], np.ones(twice.size), np.ones(4), prior)
    assert a.loss == pytest.approx(b.loss, rel=1e-6)
    np.testing.assert_allclose(a.weights, b.weights, atol=1e-3)
    P = scores[:, np.arange(index.size), index].T.clip(0.0, 1.0)
    np.testing.assert_allclose(
        mixture_weights(P, times.astype(float)),
        mixture_weights(P[twice], np.ones(twice.size)),
        atol=1e-9,
    )


def test_the_power_is_free_only_as_far_as_there_are_rows():
    rng = np.random.default_rng(3)
    index = np.arange(200) % 2
    blunt = np.where(np.eye(2)[index] > 0, 0.6, 0.4)  # always right, never sure
    flip = rng.random(200) < 0.05
    blunt[flip] = blunt[flip][:, ::-1]
    few, many = (
        pool_weights(blunt[None, :n], index[:n], np.ones(n), np.ones(1), np.full(2, 0.5))
        for n in (4, 200)
    )
    assert 1.0 < few.link.power < many.link.power
    assert many.link.power > 5.0
