from __future__ import annotations

import numpy as np
import pytest

from deeplimit.engines import grid as module
from deeplimit.engines.grid import leave_one_out
from deeplimit.kernels.power import PowerKernel
from deeplimit.sums import fit_lift, top_contributors

EXPONENTS = [0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 7.3, 8.0, 16.0, 64.0]


def data(n=300, d=4, seed=0, duplicates=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, d))
    X[:duplicates] = X[duplicates : 2 * duplicates]
    y = (rng.integers(0, 3, n) + (X[:, 0] > 0)) % 3
    return X, y, rng.uniform(0.5, 2.0, n)


def brute(lift, X, y, w, n_classes, exponents, counts):
    """Leave out one row after the other, with the rows equal to it, as the definition says."""
    distinct = len(np.unique(X, axis=0))
    shares = np.bincount(y, w, n_classes) / w.sum()
    loss, right = np.zeros((2, len(counts), len(exponents)))
    for i in range(len(X)):
        gaps = lift.gap(X[i], X)
        order = [j for j in np.lexsort((np.arange(len(X)), y, gaps)) if gaps[j] > 0]
        for k, count in enumerate(counts):
            near = order[:count]
            for a, exponent in enumerate(exponents):
                terms = w[near] * (gaps[near] / gaps[near[0]]) ** (-exponent / 2)
                p = np.bincount(y[near], terms, n_classes) / terms.sum()
                p = p * (1 - 1 / distinct) + shares / distinct
                loss[k, a] -= w[i] * np.log(p[y[i]])
                right[k, a] += w[i] * (np.argmax(p) == y[i])
    return loss / w.sum(), right / w.sum()


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("kind", ["euclidean", "hemisphere"])
def test_it_is_the_definition(kind, compiled, monkeypatch):
    monkeypatch.setattr(module, "WORTH_COMPILING", 0 if compiled else np.inf)
    X, y, w = data(n=90, duplicates=5)
    lift = fit_lift(X, kind)
    counts = [1, 3, 20, None]
    found = leave_one_out(lift, X, y, w, 3, EXPONENTS, counts)
    loss, right = brute(lift, X, y, w, 3, EXPONENTS, counts)
    np.testing.assert_allclose(found.log_loss, loss, rtol=1e-10)
    np.testing.assert_allclose(found.accuracy, right, rtol=1e-12)
    assert found.neighbours.tolist() == [1, 3, 20, np.inf]
    assert found.n_left_out == 90


@pytest.mark.parametrize("precision", ["double", "single"])
@pytest.mark.parametrize("duplicates", [0, 100])
def test_compiled_loops_agree_with_numpy(precision, duplicates, monkeypatch):
    X, y, w = data(n=1100, duplicates=duplicates)
    if duplicates or precision == "double":
        X[600:620] = X[620:640] + 1e-9
    lift = fit_lift(X, "euclidean")
    # Which of two tied neighbours is the nearer is a coin.
    counts = [None] if duplicates else [1, 5, 30, None]
    monkeypatch.setattr(module, "WORTH_COMPILING", 0)
    found = leave_one_out(lift, X, y, w, 3, EXPONENTS, counts, precision=precision, n_jobs=2)
    monkeypatch.setattr(module, "available", lambda name: False)
    expected = leave_one_out(lift, X, y, w, 3, EXPONENTS, counts)
    tolerance = 1e-10 if precision == "double" else 2e-5
    np.testing.assert_allclose(found.log_loss, expected.log_loss, rtol=tolerance)
    np.testing.assert_allclose(found.accuracy, expected.accuracy, atol=2e-3)


def test_weights_are_repetitions():
    X, y, _ = data(n=120)
    w = np.random.default_rng(3).integers(1, 4, 120)
    lift = fit_lift(X, "euclidean")
    weighted = leave_one_out(lift, X, y, w, 3, EXPONENTS)
    repeated = leave_one_out(lift, np.repeat(X, w, 0), np.repeat(y, w), None, 3, EXPONENTS)
    np.testing.assert_allclose(weighted.log_loss, repeated.log_loss, rtol=1e-11)
    np.testing.assert_allclose(weighted.accuracy, repeated.accuracy, rtol=1e-12)


def test_some_rows_may_be_left_out_of_all():
    X, y, w = data(n=200)
    lift = fit_lift(X, "euclidean")
    halves = [np.arange(0, 200, 2), np.arange(1, 200, 2)]
    whole = leave_one_out(lift, X, y, w, 3, [2.0, 5.0], [4, None])
    parts = [leave_one_out(lift, X, y, w, 3, [2.0, 5.0], [4, None], left_out=h) for h in halves]
    mass = [w[h].sum() for h in halves]
    mean = np.average([part.log_loss for part in parts], axis=0, weights=mass)
    np.testing.assert_allclose(mean, whole.log_loss, rtol=1e-12)


def test_threads_change_no_bit(monkeypatch):
    monkeypatch.setattr(module, "WORTH_COMPILING", 0)
    X, y, w = data(n=600)
    lift = fit_lift(X, "euclidean")
    runs = [leave_one_out(lift, X, y, w, 3, EXPONENTS, [5, None], n_jobs=j) for j in (1, 2)]
    assert runs[0].log_loss.tobytes() == runs[1].log_loss.tobytes()


def test_neighbours_beyond_the_examples_are_all():
    X, y, w = data(n=40)
    lift = fit_lift(X, "euclidean")
    found = leave_one_out(lift, X, y, w, 3, [3.0], [39, 1000, None])
    np.testing.assert_allclose(found.log_loss[:2], found.log_loss[2:].repeat(2, 0), rtol=1e-12)
    assert found.best()[0] == 3.0


def test_the_best_of_a_sharp_boundary_is_local():
    rng = np.random.default_rng(0)
    X = rng.uniform(-1, 1, (400, 2))
    y = (np.sin(5 * X[:, 0]) > X[:, 1]).astype(int)
    found = leave_one_out(fit_lift(X, "euclidean"), X, y, None, 2, [1.0, 2.0, 8.0], [5, 20, None])
    exponent, count = found.best()
    assert (
        found.log_loss.min()
        == found.log_loss[[5, 20, None].index(count)][[1.0, 2.0, 8.0].index(exponent)]
    )
    assert (exponent, count) != (1.0, None)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"exponents": [0.0]}, "exponents must be positive"),
        ({"exponents": []}, "exponents must be positive"),
        ({"neighbours": [0]}, "neighbours must be numbers of at least 1"),
        ({"neighbours": []}, "neighbours must be numbers of at least 1"),
        ({"X": np.zeros((5, 2)), "index": [0] * 5, "weight": None}, "two distinct rows"),
        ({"index": [0, 1]}, "a matrix of 2 examples and 4 columns is expected"),
        ({"index": np.full(300, 3)}, r"class indices must lie in 0\.\.2"),
        ({"neighbours": [2.5]}, "neighbours must be numbers of at least 1"),
        ({"neighbours": [np.nan]}, "neighbours must be numbers of at least 1"),
    ],
)
def test_what_does_not_suit_is_refused(change, message):
    X, y, w = data()
    given = {"X": X, "index": y, "weight": w, "exponents": [1.0], "neighbours": [None]} | change
    lift = fit_lift(given["X"], "euclidean")
    with pytest.raises(ValueError, match=message):
        leave_one_out(
            lift, given["X"], given["index"], given["weight"], 3, given["exponents"],
            given["neighbours"],
        )  # fmt: skip


def test_there_are_two_precisions():
    X, y, _ = data()
    with pytest.raises(ValueError, match='precision must be "single" or "double"'):
        leave_one_out(fit_lift(X, "euclidean"), X, y, None, 3, [1.0], precision="half")


def test_left_out_neighbours_are_those_of_the_reference():
    X, y, _ = data(n=260)
    lift = fit_lift(X, "euclidean")
    top = top_contributors(PowerKernel(1.0), lift, X, None, X, 1, exclude=np.arange(260))
    found = leave_one_out(lift, X, y, None, 3, [1.0], [1])
    assert found.accuracy[0, 0] == pytest.approx(np.mean(y[top.indices[:, 0]] == y))


def test_rows_that_cannot_be_left_out_are_refused():
    X, y, w = data()
    lift, w[:3] = fit_lift(X, "euclidean"), 0.0
    for left_out, message in (
        ([-1], "places of examples"),
        ([300], "places of examples"),
        ([0, 1], "positive weight"),
        ([], "positive weight"),
    ):
        with pytest.raises(ValueError, match=message):
            leave_one_out(lift, X, y, w, 3, [1.0], left_out=np.array(left_out, dtype=int))
    X[5, 0] = np.nan
    with pytest.raises(ValueError, match="examples must be finite"):
        leave_one_out(lift, X, y, w, 3, [1.0])


@pytest.mark.parametrize("decades", [25, 150])
@pytest.mark.parametrize("precision", ["double", "single"])
def test_weights_of_all_sizes(precision, decades, monkeypatch):
    X, y, _ = data(n=200)
    w = 10.0 ** np.random.default_rng(1).uniform(-decades, decades, 200)
    lift = fit_lift(X, "euclidean")
    expected = leave_one_out(lift, X, y, w, 3, EXPONENTS)
    monkeypatch.setattr(module, "WORTH_COMPILING", 0)
    found = leave_one_out(lift, X, y, w, 3, EXPONENTS, precision=precision)
    np.testing.assert_allclose(found.log_loss, expected.log_loss, rtol=1e-10)


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_progress_is_told(n_jobs):
    X, y, _ = data(n=300)
    told = []
    leave_one_out(
        fit_lift(X, "euclidean"), X, y, None, 3, [2.0], n_jobs=n_jobs,
        progress=lambda *count: told.append(count),
    )  # fmt: skip
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert told[-1] == (300, 300)
