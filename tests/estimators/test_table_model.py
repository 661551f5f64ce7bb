"""Equal examples are merged: told together, left out together, and each has its part."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pytest

import deeplimit as dl
from deeplimit.estimators.table_model import (
    PLANS,
    TableModel,
    _categories,
    _units,
    canonical_rows,
    fit_table,
)
from deeplimit.smoothers import Plan
from deeplimit.tables import TableEncoder
from deeplimit.tables.coding import TableCoder

# Settings by which a hundred rows are many.
SMALL = Plan(
    learners=60, choosers=70, left_out=90, exact=80, centres=40, odds_from=100, least_group=0.0
)
ALL = PLANS | {"small": SMALL}
plans = pytest.mark.parametrize("plan", ALL.values(), ids=ALL)


def table(n=120, seed=0):
    """Draw words and numbers with missing cells, each example two or three times."""
    rng = np.random.default_rng(seed)
    size = np.where(rng.random(n) < 0.1, np.nan, rng.standard_normal(n))
    frame = pd.DataFrame({"size": size, "colour": rng.choice(["red", "blue", "grey"], n)})
    frame["weight"] = rng.lognormal(size=n)
    index = (np.nan_to_num(size) + (frame["colour"] == "red") > 0.3).to_numpy().astype(np.int64)
    return frame, np.where(rng.random(n) < 0.15, 1 - index, index)


def copied(seed=1, n=120):
    """Give places of rows of `table` with repetitions, in some order."""
    rng = np.random.default_rng(seed)
    return rng.permutation(np.repeat(np.arange(n), rng.integers(1, 4, n)))


def fitted(frame, index, weight, plan=PLANS["instant"], n_classes=2):
    coder = TableCoder()
    codes = np.asarray(coder.fit_transform(frame))
    return fit_table(codes, coder, index, weight, n_classes, plan, seed=0, n_jobs=1), coder


def asked(model, coder):
    return model.points(np.asarray(coder.transform(table(30, 5)[0])))


@cache
def of_copies():
    X, y = table()
    who = copied()
    weight = np.random.default_rng(2).choice([0.5, 1.0, 3.0], who.size)
    return *fitted(X.iloc[who], y[who], weight, SMALL), who, weight


@plans
def test_a_weight_is_so_many_rows_to_the_last_bit(plan):
    X, y = table()
    who = copied()
    one, coder = fitted(X, y, np.bincount(who).astype(float), plan)
    many, again = fitted(X.iloc[who], y[who], np.ones(who.size), plan)
    a, b = asked(one, coder), asked(many, again)
    assert np.array_equal(one.pool.scores(a), many.pool.scores(b))
    assert np.array_equal(one.pool.left_out.scores, many.pool.left_out.scores)
    assert (one.pool.centres is None) == (plan is not SMALL)
    # What all copies have is what the one has.
    sums = np.zeros((30, 120))
    np.add.at(sums.T, who, many.shares(b).T)
    np.testing.assert_allclose(sums, one.shares(a), atol=1e-13)


@plans
def test_the_order_of_rows_changes_no_bit(plan):
    X, y = table()
    order = np.random.default_rng(3).permutation(120)
    one, coder = fitted(X, y, np.ones(120), plan)
    other, again = fitted(X.iloc[order], y[order], np.ones(120), plan)
    a, b = asked(one, coder), asked(other, again)
    assert np.array_equal(one.pool.scores(a), other.pool.scores(b))
    assert np.array_equal(one.shares(a)[:, order], other.shares(b))


def test_examples_are_found_again_in_what_is_merged():
    model, _, who, weight = of_copies()
    y = table()[1]
    assert model.pool.index.size == np.unique(model.member).size == 120
    assert np.array_equal(model.member[:, None] == model.member, who[:, None] == who)
    assert np.array_equal(model.index, y[who])
    np.testing.assert_allclose(model.weight, weight, rtol=1e-14)
    np.testing.assert_allclose(np.bincount(model.member, weights=model.part), 1.0, rtol=1e-14)


def test_copies_share_by_weight_and_sum_to_the_score():
    model, coder, who, weight = of_copies()
    Q = asked(model, coder)
    shares, scores = model.shares(Q), model.pool.scores(Q)
    for c in range(2):
        sums = shares[:, model.index == c].sum(axis=1)
        np.testing.assert_allclose(sums, scores[:, c], atol=1e-12)
    for i in range(5):
        each = np.flatnonzero(who == i)
        expected = shares[:, each].sum(axis=1, keepdims=True) * weight[each] / weight[each].sum()
        np.testing.assert_allclose(shares[:, each], expected, atol=1e-14)


def test_equal_rows_of_other_classes_stay_apart():
    X, y = table()
    model, _ = fitted(pd.concat([X, X]), np.append(y, 1 - y), np.ones(240))
    assert model.pool.index.size == 240
    assert np.array_equal(model.index, np.append(y, 1 - y))
    assert np.isfinite(model.pool.left_out.scores).all()


def test_without_some_copies_the_others_weigh_what_they_weighed():
    model, coder, who, weight = of_copies()
    Q = asked(model, coder)
    out = np.append(np.flatnonzero(who == 7), np.flatnonzero(who > 60)[::3])
    kept = np.setdiff1d(np.arange(who.size), out)
    less = model.without(out)
    np.testing.assert_allclose(less.weight, weight[kept], rtol=1e-12)
    assert np.array_equal(less.index, model.index[kept])
    # The pool of the distinct ones that remain, with the weights that remain.
    merged = np.bincount(model.member[kept], weights=weight[kept], minlength=120)
    assert np.count_nonzero(merged) < 120
    there = np.flatnonzero(merged)
    expected = model.pool.of(there, merged[there]).scores(Q)
    np.testing.assert_allclose(less.pool.scores(Q), expected, rtol=1e-12)
    shares = less.shares(Q)
    assert shares.shape == (30, kept.size)
    for c in range(2):
        sums = shares[:, less.index == c].sum(axis=1)
        np.testing.assert_allclose(sums, expected[:, c], atol=1e-12)
    # One after the other is both at once.
    again = model.without(out[:5]).without(np.searchsorted(np.delete(np.arange(who.size), out[:5]),
                                                           out[5:]))  # fmt: skip
    np.testing.assert_allclose(again.pool.scores(Q), expected, rtol=1e-9)
    np.testing.assert_allclose(model.without(out[:0]).pool.scores(Q), model.pool.scores(Q), 1e-9)


def test_without_all_is_refused():
    model, _, who, _ = of_copies()
    with pytest.raises(ValueError, match=f"{who.size} examples are all there are"):
        model.without(np.arange(who.size))


def test_its_state_is_the_model():
    model, coder, _, _ = of_copies()
    again = TableModel._from_state(model._to_state())
    Q = asked(model, coder)
    assert np.array_equal(again.pool.scores(asked(again, coder)), model.pool.scores(Q))
    assert np.array_equal(again.shares(Q), model.shares(Q))
    assert np.array_equal(again.member, model.member)
    assert [g.loss for g in again.pool.groups] == [g.loss for g in model.pool.groups]


def test_levels_are_numbered_by_their_names():
    one, other = TableCoder(), TableCoder()
    words = np.array([["b", "a", None, "c", "a"]], dtype=object).T
    a = np.asarray(one.fit_transform(words))
    b = np.asarray(other.fit_transform(words[::-1]))[::-1]
    assert not np.array_equal(a, b, equal_nan=True)
    rows = canonical_rows(a, one)
    assert np.array_equal(rows, canonical_rows(b, other), equal_nan=True)
    assert rows[:, 0].tolist()[:2] == [1.0, 0.0]
    # Of those there are: what was forgotten has no number.
    assert canonical_rows(a[[0, 3]], one).tolist() == [[0.0], [1.0]]
    numbers = TableCoder()
    rows = np.asarray(numbers.fit_transform(np.arange(4.0)[:, None]))
    assert canonical_rows(rows, numbers) is rows


# What that comes to in a classifier.


def noisy(n, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, 4))
    return X, (rng.random(n) < 1 / (1 + np.exp(-1.5 * X[:, 0]))).astype(int)


@pytest.mark.parametrize("weight", ["1.3", "two", "balanced"])
def test_weights_above_one_do_not_let_an_example_vote_for_itself(weight):
    X, y = noisy(1300)
    w = {
        "1.3": np.full(300, 1.3),
        "two": np.full(300, 2.0),
        "balanced": np.where(y[:300], 1.2, 0.8),
    }
    one = dl.DeepLimitClassifier().fit(X[:300], y[:300])
    other = dl.DeepLimitClassifier().fit(X[:300], y[:300], w[weight])
    assert other.score(X[300:], y[300:]) > one.score(X[300:], y[300:]) - 0.02
    assert other.leave_one_out().log_loss > 0.3


@pytest.mark.parametrize("times", [2, 5])
def test_copies_do_not_tell_each_other(times):
    X, y = noisy(100)
    y = np.random.default_rng(1).permutation(y)  # so that there is nothing to tell
    found = dl.DeepLimitClassifier().fit(np.tile(X, (times, 1)), np.tile(y, times)).leave_one_out()
    assert found.accuracy < 0.65
    assert found.ids.size == 100 * times
    whole = found.probabilities.reshape(times, 100, 2)
    assert np.array_equal(whole, np.tile(whole[:1], (times, 1, 1)))


def test_copies_of_examples_left_out_are_told_and_others_are_not(monkeypatch):
    monkeypatch.setitem(PLANS, "instant", SMALL)
    X, y = noisy(120)
    who = copied()
    model = dl.DeepLimitClassifier().fit(X[who], y[who])
    found = model.leave_one_out()
    assert np.unique(who[found.ids]).size == 90
    # With all their copies.
    assert np.array_equal(found.ids, np.flatnonzero(np.isin(who, who[found.ids])))
    assert np.array_equal(found.right, found.predictions == y[who][found.ids])


def test_one_of_two_copies_comes_and_goes():
    X, y = noisy(80)
    asked = noisy(40, 1)[0]
    model = dl.DeepLimitClassifier().fit(X, y)
    before, state = model.predict_proba(asked), model.certificate().fingerprint
    model.partial_fit(X[:10], y[:10])
    heavier = dl.DeepLimitClassifier().fit(X, y, np.where(np.arange(80) < 10, 2.0, 1.0))
    assert np.array_equal(model.predict_proba(asked), heavier.predict_proba(asked))
    model.relabel([80, 81], 1 - y[:2])
    other = dl.DeepLimitClassifier().fit(
        np.vstack([X, X[:10]]), np.concatenate([y, 1 - y[:2], y[2:10]])
    )
    assert np.array_equal(model.predict_proba(asked), other.predict_proba(asked))
    model.forget(np.arange(80, 90))
    assert np.array_equal(model.predict_proba(asked), before)
    assert model.certificate().fingerprint == state


def test_a_pool_with_a_view_by_odds_is_saved_told_and_forgotten_as_others(monkeypatch, tmp_path):
    monkeypatch.setitem(PLANS, "instant", Plan(odds_from=100, learners=100, least_group=0.0))
    X, y = table(260)
    y = ((X["weight"] > 0.6) & (X["weight"] < 1.2)).to_numpy() ^ (X["colour"] == "red").to_numpy()
    asked = table(30, 5)[0]
    model = dl.DeepLimitClassifier().fit(X, y)
    (group,) = (g for g in model.pool_.groups if g.name == "odds, agop")
    assert group.view.bent.size == 2
    dl.save(model, tmp_path / "model.safetensors")
    again = dl.load(tmp_path / "model.safetensors")
    assert np.array_equal(again.predict_proba(asked), model.predict_proba(asked))
    scores = model.pool_.scores(model._model.points(model._queries(asked)))
    found = model.contributions(asked, top=None)
    np.testing.assert_allclose(found.class_shares, scores, atol=1e-12)
    np.testing.assert_allclose(found.rest, 0.0, atol=1e-12)
    rest = dl.DeepLimitClassifier().fit(X.iloc[20:], y[20:])
    assert np.array_equal(
        again.forget(np.arange(20)).predict_proba(asked), rest.predict_proba(asked)
    )


@pytest.mark.parametrize("ties", [False, True])
def test_the_order_of_rows_does_not_matter_to_a_classifier(ties):
    rng = np.random.default_rng(0)
    X = rng.integers(0, 3, (200, 4)).astype(float) if ties else rng.standard_normal((200, 5))
    y = (X[:, 0] ** 2 + X[:, 1] ** 2 > 1.4).astype(int) ^ (rng.random(200) < 0.1)
    Q, order = rng.standard_normal((50, X.shape[1])), rng.permutation(200)
    a, b = dl.DeepLimitClassifier().fit(X, y), dl.DeepLimitClassifier().fit(X[order], y[order])
    assert np.array_equal(a.predict_proba(Q), b.predict_proba(Q))
    mine, theirs = a.leave_one_out(), b.leave_one_out()
    assert np.array_equal(mine.probabilities[order], theirs.probabilities)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_great_weights_and_copies_can_be_fitted(seed):
    rng = np.random.default_rng(seed)
    X = np.repeat(rng.standard_normal((30, 4)), 4, axis=0)
    weight = 1e8 * rng.uniform(0.5, 1, 120)
    model = dl.DeepLimitClassifier().fit(X, rng.integers(0, 2, 120), weight)
    np.testing.assert_allclose(model.predict_proba(X).sum(axis=1), 1.0, rtol=1e-12)


def test_weights_so_unequal_that_no_column_has_a_spread_are_no_obstacle():
    X, y = noisy(20)
    w = np.full(20, 1e-13)
    w[0] = 1e12
    model = dl.DeepLimitClassifier().fit(X, y, w)
    assert np.all(model.predict(X) == y[0])


def test_nothing_left_is_refused():
    X, y = noisy(20)
    model = dl.DeepLimitClassifier().fit(X, y)
    with pytest.raises(ValueError, match="20 examples are all there are"):
        model.predict_without(X, np.arange(20))


def test_missing_is_missing_whatever_its_sign():
    X, y = noisy(120)
    X[::3, 1] = np.nan
    other = X.copy()
    other[::3, 1] = -np.nan
    a, b = (dl.DeepLimitClassifier().fit(Z, y).predict_proba(noisy(50, 1)[0]) for Z in (X, other))
    assert np.array_equal(a, b)


def test_units_are_known_of_tables_of_numbers():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((50, 3)) * [1.0, 4.0, 10.0]
    assert _units(TableEncoder().fit(X * [1.0, 1.0, 100.0])) is None
    ratio = _units(TableEncoder().fit(X)) / X.std(axis=0)
    np.testing.assert_allclose(ratio, ratio[0], rtol=0.5)
    assert _units(TableEncoder().fit(rng.standard_normal((500, 3)))) is None
    X[3, 1] = np.nan
    assert _units(TableEncoder().fit(X)) is None
    frame = pd.DataFrame({"a": X[:, 0], "b": np.arange(50) % 3 == 0, "c": list("xyzuv") * 10})
    assert _units(TableEncoder().fit(frame)) is None
    encoder = TableEncoder().fit(frame)
    (block,) = _categories(encoder, encoder.coder_)
    assert block.size == 5
