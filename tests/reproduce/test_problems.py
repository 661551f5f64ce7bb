from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import dirichlet

from deeplimit.reproduce.problems import PRIOR, PROBLEMS


@pytest.mark.parametrize("name", list(PROBLEMS))
def test_posterior_is_that_of_the_densities(name: str) -> None:
    problem = PROBLEMS[name]
    rng = np.random.default_rng(0)
    simplex = rng.dirichlet(np.ones(len(problem.first)), 50)
    want = []
    for point in simplex:
        a = PRIOR * dirichlet.pdf(point, problem.first)
        b = (1 - PRIOR) * dirichlet.pdf(point, problem.second)
        want.append(a / (a + b))
    np.testing.assert_allclose(problem.posterior(simplex), want, rtol=1e-9)


@pytest.mark.parametrize("name", list(PROBLEMS))
def test_draw(name: str) -> None:
    problem = PROBLEMS[name]
    sample = problem.draw(600, 400, 3)
    points = np.concatenate((sample.train, sample.test))
    labels = np.concatenate((sample.train_labels, sample.test_labels))
    assert points.shape == (1000, problem.dimension + 1)
    np.testing.assert_allclose(np.linalg.norm(points, axis=1), 1.0, atol=1e-12)
    assert points.min() >= 0.0
    assert np.sum(labels > 0) == round(PRIOR * 1000)
    again = problem.draw(600, 400, 3)
    np.testing.assert_array_equal(sample.train, again.train)
    assert not np.array_equal(sample.train, problem.draw(600, 400, 4).train)
    # A posterior above 1/2 decides rightly more often than not.
    right = np.mean((sample.test_posterior > 0.5) == (sample.test_labels > 0))
    assert right > 0.65


def test_noise_turns_labels_over_and_dulls_the_posterior() -> None:
    clean = PROBLEMS["R⁵"].draw(2000, 2000, 1)
    noisy = PROBLEMS["R⁵"].draw(2000, 2000, 1, noise=0.2)
    np.testing.assert_array_equal(clean.train, noisy.train)
    turned = np.mean(clean.train_labels != noisy.train_labels)
    assert abs(turned - 0.2) < 4 * math.sqrt(0.16 / 2000)
    np.testing.assert_allclose(noisy.test_posterior, 0.2 + 0.6 * clean.test_posterior)


def test_posterior_is_calibrated_under_noise_and_another_prior() -> None:
    sample = PROBLEMS["R³"].draw(1, 40_000, 2, prior=0.15, noise=0.2)
    share = np.mean(sample.test_labels > 0)
    assert abs(share - np.mean(sample.test_posterior)) < 0.01
    sure = sample.test_posterior < 0.3
    assert abs(np.mean(sample.test_labels[sure] > 0) - sample.test_posterior[sure].mean()) < 0.01


def test_first_keeps_the_queries() -> None:
    sample = PROBLEMS["R²"].draw(50, 10, 0)
    part = sample.first(7)
    np.testing.assert_array_equal(part.train, sample.train[:7])
    np.testing.assert_array_equal(part.train_labels, sample.train_labels[:7])
    assert part.test is sample.test
