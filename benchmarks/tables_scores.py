"""Measures of one result, and statistics over sets: intervals, ranks, critical differences."""

from __future__ import annotations

import numpy as np

BINS = 15
LEAST = 1e-15
RESAMPLES = 10_000


def spread(shares: np.ndarray, known: np.ndarray, classes: int) -> np.ndarray:
    """Normalise each row to sum 1, with 0 for classes that a method did not learn."""
    shares = np.asarray(shares, dtype=np.float64)
    full = np.zeros((len(shares), classes))
    full[:, np.asarray(known, dtype=int)] = shares
    total = full.sum(axis=1, keepdims=True)
    if not np.isfinite(full).all() or (full < 0).any() or (total <= 0).any():
        raise ValueError("The method gave probabilities that are not finite, negative, or all 0.")
    return full / total


def log_loss(shares: np.ndarray, y: np.ndarray) -> float:
    """Mean of -ln p of the true class, in nats, with p (rows sum to 1) clipped below at 1e-15."""
    return float(-np.log(np.maximum(shares[np.arange(len(y)), y], LEAST)).mean())


def calibration_error(shares: np.ndarray, y: np.ndarray) -> float:
    """Expected calibration error of the top class.

    A row's confidence is its largest probability, and it is right if that class (the first of
    equals) is the true one. Rows are put into 15 bins of equal width, (0, 1/15], …, (14/15, 1];
    the error is the mean over rows of their bin's |share right - mean confidence|.
    """
    confidence = shares.max(axis=1)
    right = np.argmax(shares, axis=1) == y
    bins = np.clip(np.ceil(confidence * BINS).astype(int) - 1, 0, BINS - 1)
    gaps = np.bincount(bins, right - confidence, minlength=BINS)
    return float(np.abs(gaps).sum() / len(y))


def balanced_accuracy(predicted: np.ndarray, y: np.ndarray) -> float:
    """Mean over the classes of `y` of the share of their rows that are predicted right."""
    return float(np.mean([np.mean(predicted[y == c] == c) for c in np.unique(y)]))


def measures(predicted: np.ndarray, shares: np.ndarray | None, y: np.ndarray) -> dict[str, float]:
    """All measures of one result; those of probabilities only where there are any."""
    found = {
        "accuracy": float(np.mean(predicted == y)),
        "balanced_accuracy": balanced_accuracy(predicted, y),
    }
    if shares is not None:
        found["log_loss"] = log_loss(shares, y)
        found["calibration_error"] = calibration_error(shares, y)
    return found


def baseline(y_train: np.ndarray, y_test: np.ndarray, classes: int) -> dict[str, float]:
    """What the class shares of the training rows alone get: counted where a method fails."""
    shares = np.bincount(y_train, minlength=classes) / len(y_train)
    rows = np.tile(shares, (len(y_test), 1))
    return measures(np.argmax(rows, axis=1), rows, y_test)


def interval(differences: np.ndarray, seed: int = 0) -> tuple[float, float]:
    """95 % interval of the mean by resampling sets (percentiles of 10,000 bootstrap means)."""
    rng = np.random.default_rng(seed)
    rows = rng.integers(0, len(differences), (RESAMPLES, len(differences)))
    low, high = np.percentile(differences[rows].mean(axis=1), [2.5, 97.5])
    return float(low), float(high)


def ranks(values: np.ndarray) -> np.ndarray:
    """Rank methods (columns) on each set (row), 1 for the largest value, equals share the mean."""
    from scipy.stats import rankdata

    # Means of splits that are equal but for rounding are equal.
    return rankdata(-np.round(values, 10), axis=1)


def critical_difference(methods: int, sets: int, level: float = 0.05) -> float:
    """Nemenyi's: mean ranks over `sets` closer than this are not told apart (Demšar 2006)."""
    from scipy.stats import studentized_range

    quantile = studentized_range.ppf(1.0 - level, methods, np.inf) / np.sqrt(2.0)
    return float(quantile * np.sqrt(methods * (methods + 1) / (6.0 * sets)))


def groups(means: np.ndarray, width: float) -> list[tuple[int, int]]:
    """Give the longest runs (first, last) of sorted mean ranks that are not told apart."""
    found: list[tuple[int, int]] = []
    for first in range(len(means)):
        last = int(np.searchsorted(means, means[first] + width, side="left")) - 1
        if last > first and (not found or last > found[-1][1]):
            found.append((first, last))
    return found
