from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from deeplimit.reproduce.headline import (
    NETWORKS,
    REFERENCE,
    Measured,
    bank_for,
    check_consistency,
    check_ordering,
    decisions,
    measure,
)
from deeplimit.reproduce.problems import PROBLEMS
from deeplimit.reproduce.settings import Settings

TESTS = 4000


def made_up(seeds: int = 20, shift: dict[tuple[str, str], float] | None = None) -> Settings:
    """Give settings whose memory holds accuracies around the reference, as if measured."""
    rng = np.random.default_rng(0)
    accuracy: dict[str, dict[str, Any]] = {}
    for column, problem in enumerate(PROBLEMS):
        for rule, told in REFERENCE.items():
            mean = told[column] + (shift or {}).get((problem, rule), 0.0)
            drawn = rng.binomial(TESTS, mean, seeds) / TESTS
            accuracy.setdefault(problem, {})[rule] = drawn
    settings = Settings()
    settings.shared("headline", lambda: Measured(accuracy, TESTS, 0.0))
    return settings


def test_reproduced_figures_pass() -> None:
    result = check_consistency(made_up())
    assert result.passed
    assert len(result.data["cells"]) == 48
    assert result.data["mean_square_z"] < 2.0


def test_one_cell_that_is_off_fails() -> None:
    result = check_consistency(made_up(shift={("R⁵", "5d_opt"): -0.02}))
    assert result.passed is False
    worst = max(result.data["cells"], key=lambda cell: abs(cell["z"]))
    assert (worst["problem"], worst["rule"]) == ("R⁵", "5d_opt")
    assert worst["z"] < -4


def test_z_is_the_difference_in_combined_errors() -> None:
    cell = check_consistency(made_up()).data["cells"][0]
    combined = math.hypot(cell["standard_error"], cell["reference_standard_error"])
    assert cell["z"] == pytest.approx((cell["accuracy"] - cell["reference"]) / combined)


def test_reference_ordering_passes() -> None:
    result = check_ordering(made_up())
    assert result.passed, result.figure
    assert any("erf in R²" in note for note in result.notes)


def test_a_mismatched_winner_fails() -> None:
    result = check_ordering(made_up(shift={("R⁹", "2d_opt"): 0.25}))
    assert result.passed is False
    assert any("2d_opt in R⁹" in note for note in result.notes)


def test_an_equal_rule_that_is_not_fails() -> None:
    assert check_ordering(made_up(shift={("R⁵", "Hilbert"): -0.03})).passed is False


def test_measuring_once_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deeplimit.reproduce.headline.TRAIN", 300)
    told: list[str] = []
    settings = Settings(quick=True, progress=told.append)
    found = measure(settings)
    assert measure(settings) is found
    assert len(told) == 4 * 4
    for problem, by_rule in found.accuracy.items():
        assert set(by_rule) == set(REFERENCE), problem
        # Better than the majority by far, not better than Bayes by more than chance.
        assert by_rule["Bayes"].mean() > by_rule["majority"].mean() + 0.05
        for rule, values in by_rule.items():
            assert values.mean() < by_rule["Bayes"].mean() + 0.02, rule


def test_rules_decide_as_they_are_called() -> None:
    problem = PROBLEMS["R²"]
    sample = problem.draw(400, 50, 0)
    rules = decisions(bank_for(problem, Settings(), NETWORKS[:1]), sample, Settings())
    assert set(rules) == {"Bayes", "majority", "1-NN", "Hilbert", NETWORKS[0]}
    assert all(set(v.tolist()) <= {-1.0, 1.0} for v in rules.values())
    np.testing.assert_array_equal(rules["majority"], -1.0)
    inner = sample.test @ sample.train.T
    np.testing.assert_array_equal(rules["1-NN"], sample.train_labels[inner.argmax(axis=1)])
