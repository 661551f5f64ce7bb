"""The classifier of a store is the one in memory, whoever sums, and follows every change."""

from __future__ import annotations

import warnings

import distributed
import numpy as np
import pytest

import deeplimit as dl
from deeplimit.engines import stored


@pytest.fixture
def small_shards(monkeypatch):
    """Cut even small stores into several shards."""
    cut = stored.shards_of
    monkeypatch.setattr(
        "deeplimit.estimators.stored_examples.shards_of",
        lambda snapshot, weight=None: cut(snapshot, weight, rows=100),
    )


def data(n=450, m=60, d=3):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n, d)).astype(np.float32)
    y = np.array(["no", "yes", "maybe"])[(X[:, 0] > 0).astype(int) + (X[:, 1] > 1)]
    Q = rng.standard_normal((m, d)).astype(np.float32)
    Q[:5] = X[:5]
    return X, y, rng.integers(1, 4, n).astype(float), Q


@pytest.fixture
def store(tmp_path):
    X, y, w, _ = data()
    with dl.ExampleStore.create(tmp_path / "examples", 3) as store:
        store.append(X[:200], y[:200], w[:200])
        store.append(X[200:], y[200:], w[200:])
        yield store


def in_memory(X, y, w, exponent=3.0):
    return dl.HilbertClassifier(exponent=exponent, engine="reference").fit(X, y, w)


@pytest.mark.parametrize("precision", ["double", "single"])
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_it_is_the_classifier_in_memory(store, small_shards, precision, n_jobs):
    X, y, w, Q = data()
    model = dl.StoreClassifier(store, 3.0, precision=precision, n_jobs=n_jobs)
    expected = in_memory(X, y, w)
    tolerance = 1e-11 if precision == "double" else 1e-5
    assert np.array_equal(model.predict(Q), expected.predict(Q))
    np.testing.assert_allclose(model.predict_proba(Q), expected.predict_proba(Q), atol=tolerance)
    found, top = model.contributions(Q, top=4), expected.contributions(Q, top=4)
    assert np.array_equal(found.indices, top.indices)
    assert np.array_equal(found.classes, top.classes)
    np.testing.assert_allclose(found.shares, top.shares, atol=tolerance)
    np.testing.assert_allclose(found.shares.sum(1) + found.rest, 1.0, atol=1e-12)


def test_it_follows_changes(store, small_shards):
    X, y, w, Q = data()
    model = dl.StoreClassifier(store, 3.0, precision="double")
    model.forget([3, 205]).relabel([7, 210], ["yes", "never"])
    model.partial_fit([[0.5, 0.5, 0.5]], ["no"], [2.0])
    y = y.astype("<U5")
    y[7], y[210] = "yes", "never"
    rest = np.delete(np.arange(450), [3, 205])
    X = np.concatenate([X[rest], np.full((1, 3), 0.5)])
    expected = in_memory(X, np.append(y[rest], "no"), np.append(w[rest], 2.0))
    assert model.classes_.tolist() == ["maybe", "never", "no", "yes"]
    np.testing.assert_allclose(model.predict_proba(Q), expected.predict_proba(Q), atol=1e-11)
    assert np.array_equal(model.ids_, [*rest, 450])
    named = np.array([*rest, 450])
    found = model.contributions(Q, top=3)
    assert np.array_equal(found.indices, named[expected.contributions(Q, top=3).indices])
    # A class whose examples are all gone is no class.
    model.forget([210])
    assert model.classes_.tolist() == ["maybe", "no", "yes"]
    store.compact()
    again = dl.StoreClassifier(store, 3.0, precision="double")
    np.testing.assert_allclose(again.predict_proba(Q), model.predict_proba(Q), atol=1e-14)


def test_flips_are_those_in_memory(store, small_shards):
    X, y, w, Q = data()
    Q = Q[:8]
    model = dl.StoreClassifier(store, 3.0, precision="double")
    expected = in_memory(X, y, w).flip(Q)
    found = model.flip(Q)
    assert all(np.array_equal(a, b) for a, b in zip(found.removed, expected.removed, strict=True))
    assert np.array_equal(found.after, expected.after)
    assert found.verify(model).all()
    with pytest.raises(ValueError, match="there is no example 4711"):
        model.predict_without(Q, [4711])


def test_a_cluster_gives_the_same_bits(store, small_shards):
    _, _, _, Q = data()
    serial = dl.StoreClassifier(store, 3.0)
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0"
        ) as local,
        distributed.Client(local) as client,
    ):
        spread = dl.StoreClassifier(store, 3.0, client=client)
        assert spread.predict_proba(Q).tobytes() == serial.predict_proba(Q).tobytes()
        found, top = spread.contributions(Q), serial.contributions(Q)
        assert np.array_equal(found.indices, top.indices)
        before = spread.predict_proba(Q)
        serial.forget([0])
        # The workers have the version open that they were asked for.
        assert spread.predict_proba(Q).tobytes() == before.tobytes()
        client.restart()
        with pytest.raises(ValueError, match="no longer at"):
            spread.predict(Q)
        assert spread.refresh().predict_proba(Q).tobytes() == serial.predict_proba(Q).tobytes()


def test_a_reader_follows_when_it_is_told_to(store, tmp_path):
    _, _, _, Q = data()
    reader = dl.StoreClassifier(tmp_path / "examples", 3.0)
    before = reader.predict_proba(Q)
    dl.StoreClassifier(store, 3.0).forget([0, 1])
    assert reader.predict_proba(Q).tobytes() == before.tobytes()
    assert reader.refresh().predict_proba(Q).tobytes() != before.tobytes()
    with pytest.raises(ValueError, match="open for reading alone"):
        reader.forget([5])


def test_the_exponent_may_be_chosen(store):
    X, y, w, _ = data()
    chosen = dl.StoreClassifier(store).exponent_
    assert chosen == dl.DeepLimitClassifier(speed="paper").fit(X, y, w).exponent_


def test_float64_rows_of_any_size(tmp_path):
    rng = np.random.default_rng(1)
    X, y = rng.standard_normal((50, 2)) * 1e200, np.arange(50) % 2
    with dl.ExampleStore.create(tmp_path / "wide", 2, dtype="float64") as store:
        store.append(X, y)
        model = dl.StoreClassifier(store, 2.0)
        assert np.array_equal(model.predict(X), y)
        Q = rng.standard_normal((20, 2)) * 1e200
        assert np.array_equal(model.predict(Q), in_memory(X, y, None, 2.0).predict(Q))


def test_progress_is_told(store, small_shards):
    told = []
    model = dl.StoreClassifier(store, 2.0, progress=lambda *count: told.append(count))
    model.predict([[0.0, 0.0, 0.0]])
    assert told == [(i, 5) for i in range(1, 6)]


def test_what_does_not_suit_is_refused(store, tmp_path):
    dl.ExampleStore.create(tmp_path / "empty", 2).close()
    with pytest.raises(ValueError, match="no example of positive weight"):
        dl.StoreClassifier(tmp_path / "empty", 1.0)
    model = dl.StoreClassifier(store, 1.0)
    for rows, message in (
        ([[1.0, 2.0]], "X has 2 features, but StoreClassifier is expecting 3 features as input"),
        (np.empty((0, 3)), "minimum of 1 is required by StoreClassifier"),
        ([[np.nan, 0.0, 0.0]], "NaN"),
        ([1.0, 2.0, 3.0], "2D array"),
    ):
        with pytest.raises(ValueError, match=message):
            model.predict(rows)
    with pytest.raises(ValueError, match="leaves nothing to decide by"):
        model.forget(np.arange(450))
    with pytest.raises(ValueError, match="precision is 'single' or 'double'"):
        dl.StoreClassifier(store, 1.0, precision="half")
    with pytest.raises(ValueError, match="positive number"):
        dl.StoreClassifier(store, -1.0)


def test_a_query_beyond_the_type_of_the_store_is_an_error_and_no_warning(store):
    model = dl.StoreClassifier(store, 2.0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ValueError, match="too large for dtype"):
            model.predict([[1e300, 0.0, 0.0]])
        with pytest.raises(ValueError, match="too large for dtype"):
            model.predict([[-1e39, 0.0, 0.0]])


def test_weights_without_a_sum_are_refused_before_they_are_stored(tmp_path):
    X, y = [[0.0], [1.0], [3.0]], [0, 1, 1]
    with dl.ExampleStore.create(tmp_path / "of", 1) as store:
        store.append(X, y)
        model = dl.StoreClassifier(store, 2.0)
        said = model.predict_proba([[0.4]])
        for weight in ([1e308] * 3, np.full(3, 4e303)):
            with pytest.raises(ValueError, match="sample weights add up to more than 1e304"):
                model.partial_fit(X, y, weight)
        model.partial_fit(X, y, [9e303, 0.0, 0.0]).forget([3])
        assert len(store) == 5
        assert np.array_equal(model.predict_proba([[0.4]]), said)
        with pytest.raises(ValueError, match="sample weights must be finite"):
            model.partial_fit(X, y, [np.inf, 1.0, 1.0])
        store.append(X, y, np.full(3, 4e303))
        with pytest.raises(ValueError, match="sample weights add up to more than 1e304"):
            dl.StoreClassifier(store, 2.0)


def test_score_is_the_accuracy(tmp_path):
    X, y = np.arange(10.0)[:, None], np.array(list("aabbaabbab"))
    with dl.ExampleStore.create(tmp_path / "of", 1) as store:
        store.append(X, y)
        model = dl.StoreClassifier(store, 2.0)
        other = np.where(np.arange(10) < 3, "b", y)
        assert model.score(X, y) == 1.0
        assert model.score(X, other) == 0.8
        assert model.score(X, other, sample_weight=[8.0] + [1.0] * 9) == 8.0 / 17.0
        with pytest.raises(ValueError, match="inconsistent numbers of samples"):
            model.score(X, y[:5])
