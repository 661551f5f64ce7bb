from __future__ import annotations

import math

import numpy as np
import pytest

from deeplimit.reproduce.statistics import Estimate, error_of_accuracy, estimate, family_bound


def test_estimate() -> None:
    values = np.array([0.1, 0.4, 0.2, 0.9])
    found = estimate(values)
    assert found.mean == pytest.approx(0.4)
    assert found.error == pytest.approx(np.std(values, ddof=1) / 2)
    assert str(found) == f"{found.mean:.4f} ± {found.error:.4f}"
    assert found.ratio == pytest.approx(found.mean / found.error)


def test_ratio_without_an_error() -> None:
    assert Estimate(0.0, 0.0).ratio == 0.0
    assert Estimate(-1.0, 0.0).ratio == -math.inf


def test_error_of_accuracy_covers() -> None:
    # Accuracies that vary from sample to sample and by their test points.
    rng = np.random.default_rng(1)
    p = np.clip(0.8 + 0.005 * rng.standard_normal(4000), 0, 1)
    here = rng.binomial(500, p) / 500
    other = math.sqrt((0.005**2 + 0.16 / 10_000) / 5)
    assert error_of_accuracy(here, 500, 5, 10_000) == pytest.approx(other, rel=0.1)
    own = error_of_accuracy(here, 500, here.size, 500)
    assert own == pytest.approx(estimate(here).error, rel=0.01)


def test_error_counts_the_binomial_part_at_least() -> None:
    # Two seeds that happen to agree.
    own = error_of_accuracy(np.array([0.5, 0.5]), 100, 2, 100)
    assert own == pytest.approx(math.sqrt(0.25 / 200))


def test_family_bound_holds_the_level() -> None:
    rng = np.random.default_rng(2)
    largest = np.abs(rng.standard_normal((20_000, 48))).max(axis=1)
    assert np.mean(largest > family_bound(48)) == pytest.approx(0.05, abs=0.006)
