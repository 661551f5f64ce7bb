"""Decisions and bounds from clusters: those of the full sums, and only where they cost less."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import deeplimit as dl
from deeplimit.engines.bounded import Found
from deeplimit.engines.clusters import ClusterIndex
from deeplimit.estimators import deciding

LETTERS = np.array(["a", "b", "c", "d"])


def mixture(n, d, m, apart):
    """Draw 20 Gaussians of unit width for 4 classes, their centres N(0, apart²)."""
    rng = np.random.default_rng(d)
    centres = apart * rng.standard_normal((20, d))
    part = rng.integers(20, size=n + m)
    rows = centres[part] + rng.standard_normal((n + m, d))
    return rows[:n], LETTERS[part[:n] % 4], rows[n:]


@pytest.fixture
def asked(monkeypatch):
    """Queries searched in each call."""
    sizes = []
    decide = deciding.decide

    def spy(index, exponent, images, **options):
        sizes.append(len(images))
        return decide(index, exponent, images, **options)

    monkeypatch.setattr(deciding, "decide", spy)
    return sizes


@pytest.fixture
def count_pairs(monkeypatch):
    """Count pairs where seconds would be taken: a visited one is worth 40, a build 5000 a row."""
    n_examples = []

    def timed(function):
        result = function()
        if isinstance(result, ClusterIndex):
            return 5000.0 * len(result), result
        if isinstance(result, Found):
            return 40.0 * float(result.visited.sum()), result
        return float(len(result) * n_examples[0]), result

    monkeypatch.setattr(deciding, "_timed", timed)
    return n_examples.append


def search_always(patch):
    """Make clusters at the first query, and search them whatever it costs."""
    patch.setattr(deciding, "WORTH_SEARCHING", 1)
    patch.setattr(deciding, "_PATIENCE", 0)
    patch.setattr(deciding, "_ENOUGH", 1)
    patch.setattr(deciding, "_PROBES", 16)
    trial = deciding._Trial(seconds=1e9, expected=0.0, price=0.0)
    patch.setattr(deciding.Search, "_tried", lambda *_: trial)
    patch.setattr(deciding.Search, "_refuse", lambda _: None)


class TestChoice:
    def test_clusters_are_searched_where_they_pay(self, asked, count_pairs):
        X, y, Q = mixture(20_000, 3, 9000, 8.0)
        count_pairs(len(X))
        model = dl.HilbertClassifier(3.0).fit(X, y)
        expected = dl.HilbertClassifier(3.0, engine="compiled").fit(X, y).predict(Q)
        assert np.array_equal(model.predict(Q), expected)
        assert sum(asked) > len(Q)
        del asked[:]
        assert model.predict(Q[:1]) == expected[:1]
        assert asked == [1]
        del asked[:]
        assert np.array_equal(model.predict(Q), expected)
        assert asked == [128, len(Q) - 128]

    def test_they_are_tried_once_where_they_do_not(self, asked, count_pairs):
        X, y, Q = mixture(20_000, 10, 9000, 0.75)
        count_pairs(len(X))
        model = dl.DeepLimitClassifier(exponent=10.0).fit(X, y)
        expected = dl.DeepLimitClassifier(exponent=10.0, engine="compiled").fit(X, y).predict(Q)
        assert np.array_equal(model.predict(Q), expected)
        assert asked
        assert max(asked) <= 128
        assert model._live["search"]._index is None
        del asked[:]
        model.predict(Q)
        model.forget([3])
        model.predict(Q)
        assert asked == []

    def test_few_queries_are_summed(self, asked):
        X, y, Q = mixture(20_000, 3, 200, 8.0)
        model = dl.HilbertClassifier(3.0).fit(X, y)
        model.predict(Q)
        assert asked == []

    def test_they_wait_until_they_have_paid(self, asked, count_pairs, monkeypatch):
        X, y, Q = mixture(20_000, 3, 1000, 8.0)
        count_pairs(len(X))
        monkeypatch.setattr(deciding, "_PATIENCE", 1000)
        model = dl.HilbertClassifier(3.0).fit(X, y)
        model.predict(Q)
        search = model._live["search"]
        # A build costs 1.25 times 5000 queries, of which two calls make up a part.
        assert 0.0 < search._trial.expected < 0.5
        assert search._trial.price == pytest.approx(6250.0)
        calls = int(np.ceil(6250 / (1.0 - search._trial.expected) / 1000))
        for _ in range(calls - 2):
            model.predict(Q)
        assert search._index is None
        model.predict(Q)
        assert search._index is not None

    def test_queries_that_cost_too_much_end_it(self, asked, count_pairs):
        X, _, Q = mixture(10_000, 3, 12_000, 8.0)
        # Two classes that mirror each other: on the plane between them no search can tell.
        X = np.concatenate([X, X * [-1.0, 1.0, 1.0]])
        y = np.repeat(["a", "b"], 10_000)
        between = Q[:9] * [0.0, 1.0, 1.0]
        count_pairs(len(X))
        model = dl.HilbertClassifier(3.0).fit(X, y)
        full = dl.HilbertClassifier(3.0, engine="compiled").fit(X, y)
        assert np.array_equal(model.predict(Q), full.predict(Q))
        assert model._live["search"]._index is not None
        assert model.predict(between[:1]).tolist() == full.predict(between[:1]).tolist() == ["a"]
        assert model._live["search"]._index is not None
        assert model.predict(between).tolist() == full.predict(between).tolist()
        assert model._live["search"]._index is None
        del asked[:]
        assert np.array_equal(model.predict(Q), full.predict(Q))
        assert asked == []

    def test_a_call_that_costs_too_much_is_summed(self, asked, count_pairs):
        X, _, Q = mixture(10_000, 3, 12_000, 8.0)
        X = np.concatenate([X, X * [-1.0, 1.0, 1.0]])
        y = np.repeat(["a", "b"], 10_000)
        count_pairs(len(X))
        model = dl.HilbertClassifier(3.0).fit(X, y)
        model.predict(Q)
        del asked[:]
        assert set(model.predict(Q[:1000] * [0.0, 1.0, 1.0])) == {"a"}
        assert asked == [128]

    @pytest.mark.parametrize(
        ("model", "n"),
        [
            (dl.HilbertClassifier(3.0, engine="compiled"), 20_000),
            (dl.HilbertClassifier(3.0, engine="reference"), 20_000),
            (dl.HilbertClassifier(3.0), 19_999),
            (dl.DeepLimitClassifier("3d_opt"), 20_000),
        ],
    )
    def test_what_is_named_is_what_sums(self, model, n):
        X, y, _ = mixture(20_000, 3, 1, 8.0)
        assert deciding.search_of(model.fit(X[:n], y[:n])) is None


class TestDecisions:
    @given(
        seed=st.integers(0, 10**6),
        n=st.integers(2, 60),
        d=st.integers(1, 3),
        exponent=st.sampled_from([0.5, 1.0, 3.0, 64.0]),
        options=st.sampled_from([{}, {"class_weight": "balanced"}, {"projection": "hemisphere"}]),
    )
    def test_ties_duplicates_weights_and_changes(self, seed, n, d, exponent, options):
        rng = np.random.default_rng(seed)
        # Few values: rows coincide, and sums tie.
        X, Q = rng.integers(-2, 3, (n, d)) * 0.5, rng.integers(-4, 5, (40, d)) * 0.25
        y, weight = rng.choice(LETTERS, n), rng.choice([0.5, 1.0, 3.0], n)
        gone = rng.permutation(n)[: n // 4]
        fitted = dict(exponent=exponent, **options)
        full = dl.DeepLimitClassifier(**fitted, engine="reference").fit(X, y, weight)
        with pytest.MonkeyPatch.context() as patch:
            search_always(patch)
            model = dl.DeepLimitClassifier(**fitted).fit(X, y, weight)
            for step in range(3):
                assert model.predict(Q).tolist() == full.predict(Q).tolist(), step
                assert model._live["search"]._index is not None
                for changed in (model, full):
                    if step == 0:
                        changed.forget(gone)
                    else:
                        changed.partial_fit(X[:2], y[:2])

    def test_what_is_forgotten_leaves_the_clusters(self, monkeypatch, asked):
        search_always(monkeypatch)
        X, y, Q = mixture(3000, 3, 300, 2.0)
        model = dl.HilbertClassifier(3.0).fit(X, y)
        model.predict(Q)
        index = model._live["search"]._index
        assert sum(asked) > len(Q)
        model.forget([5, 17, 2999])
        rest = np.delete(np.arange(3000), [5, 17, 2999])
        full = dl.HilbertClassifier(3.0, engine="reference").fit(X[rest], y[rest])
        assert np.array_equal(model.predict(Q), full.predict(Q))
        assert model._live["search"]._index is index
        assert len(index) == 2997
        # So many that clustering anew is less.
        model.forget(np.arange(100, 200))
        rest = np.setdiff1d(rest, np.arange(100, 200))
        full.fit(X[rest], y[rest])
        assert np.array_equal(model.predict(Q), full.predict(Q))
        assert model._live["search"]._index is not index

    @pytest.mark.parametrize("change", ["add", "relabel", "class"])
    def test_other_changes_begin_anew(self, monkeypatch, change):
        search_always(monkeypatch)
        X, y, Q = mixture(500, 2, 100, 1.0)
        y[:3] = "e"
        model = dl.HilbertClassifier(2.0).fit(X, y)
        model.predict(Q)
        search = model._live["search"]
        if change == "add":
            model.partial_fit(Q[:3], ["e", "a", "b"])
            X, y = np.concatenate([X, Q[:3]]), np.append(y, ["e", "a", "b"])
        elif change == "relabel":
            model.relabel([4, 9], ["d", "d"])
            y[[4, 9]] = "d"
        else:
            model.forget([0, 1, 2])
            X, y = X[3:], y[3:]
        full = dl.HilbertClassifier(2.0, engine="reference").fit(X, y)
        assert np.array_equal(model.predict(Q), full.predict(Q))
        assert model._live["search"] is not search

    def test_weights_too_far_apart_are_summed(self, monkeypatch, asked):
        X, y, Q = mixture(500, 2, 100, 1.0)
        weight = np.where(np.arange(500) < 250, 1e-300, 1.0)
        monkeypatch.setattr(deciding, "WORTH_SEARCHING", 1)
        monkeypatch.setattr(deciding, "_PATIENCE", 0)
        model = dl.HilbertClassifier(2.0).fit(X, y, weight)
        full = dl.HilbertClassifier(2.0, engine="reference").fit(X, y, weight)
        assert np.array_equal(model.predict(Q), full.predict(Q))
        assert asked == []

    def test_clusters_are_no_part_of_the_model(self, monkeypatch):
        search_always(monkeypatch)
        X, y, Q = mixture(500, 2, 100, 1.0)
        model = dl.HilbertClassifier(2.0).fit(X, y)
        expected = model.predict(Q)
        assert model._live["search"]._index is not None
        again = pickle.loads(pickle.dumps(model))
        assert "_live" not in vars(again)
        assert np.array_equal(again.predict(Q), expected)


class TestBounds:
    @pytest.mark.parametrize(
        "options",
        [
            {},
            {"class_weight": "balanced"},
            {"class_weight": {"a": 3.0}, "priors": [0.1, 0.2, 0.3, 0.4]},
            {"projection": "hemisphere"},
            {"projection": "none"},
        ],
    )
    @pytest.mark.parametrize(("tolerance", "budget"), [(0.01, None), (0.0, 0.05), (0.2, None)])
    def test_they_hold_the_probabilities(self, options, tolerance, budget):
        X, y, Q = mixture(1500, 3, 120, 1.5)
        Q[:3] = X[:3]
        if options.get("projection") == "none":
            X, Q = (rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in (X, Q))
        weight = np.random.default_rng(0).uniform(0.5, 2.0, len(X))
        model = dl.DeepLimitClassifier(exponent=3.0, **options).fit(X, y, weight)
        for _ in range(2):
            exact = model.predict_proba(Q)
            found = model.predict_proba_bounds(Q, tolerance, budget)
            assert np.all(found.lower <= exact * (1 + 1e-15))
            assert np.all(exact <= found.upper * (1 + 1e-15))
            assert np.all((found.lower <= found.estimate) & (found.estimate <= found.upper))
            width = (found.upper - found.lower).max(axis=1)
            assert width[found.reached].max(initial=0.0) <= tolerance + 1e-8
            if budget is None and "projection" not in options:
                assert found.reached.all()
            model.forget(model.ids_[:3])

    def test_a_class_without_examples_has_none(self):
        model = dl.HilbertClassifier(1.0)
        model.partial_fit([[0.0], [1.0], [3.0]], ["a", "c", "c"], classes=["b", "d"])
        found = model.predict_proba_bounds([[2.0], [0.0]])
        for part in found[:3]:
            np.testing.assert_allclose(part, [[0.2, 0.0, 0.8, 0.0], [1, 0, 0, 0]], atol=1e-10)
        assert found.reached.tolist() == [True, True]

    def test_one_class_is_all(self):
        found = (
            dl.HilbertClassifier(1.0).fit([[0.0], [1.0]], ["a", "a"]).predict_proba_bounds([[5]])
        )
        assert found.lower.tolist() == [[pytest.approx(1.0)]]
        assert found.upper.tolist() == [[1.0]]

    def test_the_budget_is_kept(self):
        X, y, Q = mixture(5000, 10, 50, 0.75)
        found = dl.HilbertClassifier(3.0).fit(X, y).predict_proba_bounds(Q, 0.0, budget=0.1)
        assert not found.reached.any()
        assert found.visited.max() <= 0.1 * 5000 + 96

    @pytest.mark.parametrize("options", [{}, {"class_weight": "balanced"}])
    def test_rows_share_a_budget(self, options):
        X, y, Q = mixture(4000, 6, 100, 0.75)
        model = dl.DeepLimitClassifier(exponent=2.0, **options).fit(X, y)
        exact = model.predict_proba(Q)
        found = model.predict_proba_bounds(Q, 0.0, 0.3, shared=True)
        assert np.all(found.lower <= exact * (1 + 1e-15))
        assert np.all(exact <= found.upper * (1 + 1e-15))
        assert found.visited.mean() <= 0.3 * 4000
        # Some have been searched to the end, and others have less than their part.
        assert found.visited.max() > 4000
        assert found.visited.min() < 0.3 * 4000 / 2

    def test_a_network_has_none(self):
        model = dl.DeepLimitClassifier("3d_opt").fit([[0.0], [1.0]], ["a", "b"])
        with pytest.raises(ValueError, match="pure singular kernel alone: take speed='paper'"):
            model.predict_proba_bounds([[0.5]])

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"tolerance": -1.0}, "tolerance must be"),
            ({"budget": 0.0}, "budget must be"),
            ({"shared": True}, "no budget to be shared"),
        ],
    )
    def test_what_is_out_of_range_is_refused(self, options, message):
        model = dl.HilbertClassifier(1.0).fit([[0.0], [1.0]], ["a", "b"])
        with pytest.raises(ValueError, match=message):
            model.predict_proba_bounds([[0.5]], **options)
