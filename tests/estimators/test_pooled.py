from __future__ import annotations

import warnings
from functools import cache

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import make_circles, make_moons

import deeplimit as dl

SPEEDS = ["instant", "full"]
speeds = pytest.mark.parametrize("speed", SPEEDS)


def table(n=90, seed=0):
    """Draw numbers, categories, missing cells, a truth value and dates."""
    rng = np.random.default_rng(seed)
    colour = rng.choice(["red", "green", "blue", "grey"], n)
    size = np.where(rng.random(n) < 0.2, np.nan, rng.standard_normal(n))
    frame = pd.DataFrame(
        {
            "size": size,
            "colour": np.where(rng.random(n) < 0.1, None, colour),
            "weight": rng.lognormal(size=n),
            "new": rng.random(n) < 0.5,
            "day": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 900, n), unit="D"),
        }
    )
    score = np.nan_to_num(size) + (colour == "red") - 0.5 * frame["new"].to_numpy()
    return frame, np.where(score + 0.4 * rng.standard_normal(n) > 0.2, "yes", "no")


def numbers(n=40, seed=0, d=3):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, d))
    return X, np.where(X[:, 0] + 0.7 * rng.standard_normal(n) > 0, "yes", "no")


def queries():
    return table(25, 1)[0]


def of(speed, X, y, w=None):
    return dl.DeepLimitClassifier(speed=speed).fit(X, y, w)


@cache
def fitted(speed):
    return of(speed, *table())


def same(model, again):
    """Nothing that is asked tells the two apart, to the last bit."""
    asked = queries()
    assert np.array_equal(model.predict_proba(asked), again.predict_proba(asked))
    assert np.array_equal(model.predict(asked), again.predict(asked))
    mine, theirs = model.leave_one_out(), again.leave_one_out()
    assert np.array_equal(mine.probabilities, theirs.probabilities)
    assert model.certificate().fingerprint == again.certificate().fingerprint


@speeds
def test_forgetting_is_a_fit_of_what_remains(speed):
    X, y = table()
    gone = [0, 13, 14, 55, 89]
    kept = np.delete(np.arange(90), gone)
    same(of(speed, X, y).forget(gone), of(speed, X.iloc[kept], y[kept]))


def test_forgetting_all_that_had_a_level_forgets_the_level():
    X, y = table()
    gone = np.flatnonzero((X["colour"] == "red").to_numpy())
    kept = np.delete(np.arange(90), gone)
    same(of("instant", X, y).forget(gone), of("instant", X.iloc[kept], y[kept]))


@speeds
def test_relabelling_is_a_fit_with_the_other_labels(speed):
    X, y = table()
    ids = [1, 30, 31, 77]
    other = y.copy()
    other[ids] = np.where(y[ids] == "yes", "no", "yes")
    same(of(speed, X, y).relabel(ids, other[ids]), of(speed, X, other))


@speeds
def test_adding_is_a_fit_of_all(speed):
    X, y = table()
    model = of(speed, X.iloc[:50], y[:50])
    model.predict(queries())  # what follows is not of the pool that is there
    same(model.partial_fit(X.iloc[50:], y[50:]), of(speed, X, y))


def test_a_class_comes_and_goes():
    X, y = table()
    model = of("instant", X, y).partial_fit(X.iloc[:3], ["maybe"] * 3)
    assert model.classes_.tolist() == ["maybe", "no", "yes"]
    assert model.predict_proba(queries()).shape == (25, 3)
    same(model.forget([90, 91, 92]), of("instant", X, y))


@speeds
def test_a_saved_model_is_the_model(speed, tmp_path):
    model = fitted(speed)
    path = tmp_path / "model.safetensors"
    dl.save(model, path)
    again = dl.load(path)
    same(model, again)
    points = again._model.points(model._queries(queries()))
    assert np.array_equal(model.pool_.scores(points), again.pool_.scores(points))
    assert np.array_equal(model.pool_.shares(points), again.pool_.shares(points))
    assert model.regime_ == again.regime_
    X, y = table()
    same(again.forget([4]), of(speed, X.drop(index=4), np.delete(y, 4)))


@speeds
def test_contributions_sum_to_the_pooled_score(speed):
    model = fitted(speed)
    scores = model.pool_.scores(model._model.points(model._queries(queries())))
    found = model.contributions(queries(), top=None)
    np.testing.assert_allclose(found.class_shares, scores, atol=1e-12)
    np.testing.assert_allclose(found.shares.sum(axis=1), 1.0, atol=1e-12)
    np.testing.assert_allclose(found.rest, 0.0, atol=1e-12)
    y = table()[1]
    for c, label in enumerate(model.classes_):
        sums = np.where(y[found.indices] == label, found.shares, 0.0).sum(axis=1)
        np.testing.assert_allclose(sums, scores[:, c], atol=1e-12)
    few = model.contributions(queries(), top=4)
    assert np.array_equal(few.indices, found.indices[:, :4])
    assert np.all(np.diff(np.abs(found.shares), axis=1) <= 0.0)
    np.testing.assert_allclose(few.rest + few.shares.sum(axis=1), 1.0, atol=1e-12)


def test_leaving_out_keeps_the_settings_and_takes_the_examples():
    model = fitted("instant")
    asked = queries()
    assert np.array_equal(model.predict_without(asked, []), model.predict(asked))
    y = table()[1]
    assert set(model.predict_without(asked, np.flatnonzero(y == "yes"))) == {"no"}
    pool, points = model.pool_, model._model.points(model._queries(asked))
    for gone in (np.arange(20), np.flatnonzero(y == "yes")[:35]):
        kept = np.sort(np.delete(model._model.member, gone))
        answer = model.predict_without(asked, gone)
        left = pool.of(kept).scores(points)
        assert np.array_equal(answer, model.classes_[left.argmax(axis=1)])
    assert np.any(answer != model.predict(asked))


def test_leave_one_out_is_what_the_fit_said():
    model = fitted("instant")
    y = table()[1]
    found = model.leave_one_out()
    assert np.array_equal(found.ids, np.arange(90))
    truth = found.probabilities[np.arange(90), np.searchsorted(model.classes_, y)]
    assert found.log_loss == pytest.approx(-np.log(truth).mean(), rel=1e-12)
    assert found.accuracy == pytest.approx(np.mean(found.predictions == y), rel=1e-12)
    assert 0.6 < found.accuracy < 1.0
    linked = model.pool_.link.probabilities(model.pool_.left_out.scores)
    np.testing.assert_allclose(found.probabilities, linked[model._model.member], atol=1e-12)


def odds(model):
    p = model.predict_proba(queries())
    return p[:, 1] / p[:, 0]


@pytest.mark.parametrize(
    ("parameters", "factor"),
    [
        ({"class_weight": {"no": 1.0, "yes": 4.0}}, lambda share: 4.0),
        ({"class_weight": "balanced"}, lambda share: (1.0 - share) / share),
        ({"priors": [0.9, 0.1]}, lambda share: (1.0 - share) / share / 9.0),
    ],
    ids=["weights", "balanced", "priors"],
)
def test_weights_of_classes_multiply_the_odds(parameters, factor):
    X, y = table()
    model = dl.DeepLimitClassifier(**parameters).fit(X, y)
    share = np.mean(y == "yes")
    np.testing.assert_allclose(odds(model), factor(share) * odds(fitted("instant")), rtol=1e-9)
    p = model.predict_proba(queries())
    assert np.array_equal(model.classes_[p.argmax(axis=1)], model.predict(queries()))


@speeds
def test_weight_two_is_two_rows(speed):
    X, y = table()
    heavy = of(speed, X, y, np.full(90, 2.0)).predict_proba(queries())
    twice = of(speed, pd.concat([X, X]), np.concatenate([y, y])).predict_proba(queries())
    assert np.array_equal(heavy, twice)


def test_weight_zero_is_absence():
    X, y = table()
    w = np.ones(90)
    w[[2, 40]] = 0.0
    kept = np.flatnonzero(w)
    mine = of("instant", X, y, w).predict_proba(queries())
    assert np.array_equal(mine, of("instant", X.iloc[kept], y[kept]).predict_proba(queries()))


def test_units_hardly_matter():
    X, y = table()
    asked = queries()

    def changed(frame):
        return frame.assign(weight=frame["weight"] * 1024.0, size=frame["size"] / 4.0)

    found = of("instant", changed(X), y).predict_proba(changed(asked))
    # Folds, which go by the bits of the rows, are others: close, not equal.
    assert np.abs(found - fitted("instant").predict_proba(asked)).mean() < 0.1


def shapes(kind, columns, n=800, seed=0):
    rng = np.random.default_rng(seed)
    if kind == "moons":
        X, y = make_moons(n, noise=0.1, random_state=seed)
    elif kind == "circles":
        X, y = make_circles(n, noise=0.05, factor=0.4, random_state=seed)
    else:
        X = rng.standard_normal((n, 2))
        y = (np.sum(X**2, axis=1) > 2.0 * np.log(2.0)).astype(int)
    return np.hstack([X, rng.standard_normal((n, columns))]), y


@pytest.mark.parametrize("kind", ["moons", "circles", "radial"])
@pytest.mark.parametrize("columns", [50, 150])
def test_columns_that_tell_nothing_do_not_hide_what_does(kind, columns):
    X, y = shapes(kind, columns)
    assert dl.DeepLimitClassifier().fit(X[:500], y[:500]).score(X[500:], y[500:]) >= 0.95


@pytest.mark.parametrize(
    ("kind", "noise", "least"),
    [("moons", 0.3, 0.93), ("circles", 0.3, 0.93), ("radial", 0.2, 0.92), ("moons", 0.4, 0.75)],
)
def test_wrong_labels_are_outvoted(kind, noise, least):
    right = []
    for seed in range(3):
        X, y = shapes(kind, 0, 1500, seed)
        rng = np.random.default_rng(seed)
        noisy = np.where(rng.random(500) < noise, 1 - y[:500], y[:500])
        right.append(dl.DeepLimitClassifier().fit(X[:500], noisy).score(X[500:], y[500:]))
    assert np.mean(right) >= least


def cases():
    rng = np.random.default_rng(2)
    X, y = numbers()
    outlier, holes, gone = X.copy(), X.copy(), X.copy()
    outlier[0, 0], outlier[1, 1] = 1e300, -1.7e308
    holes[::3, 1] = np.nan
    gone[:, 1] = np.nan
    ones, mixed = np.ones(40), np.ones(40)
    mixed[:2] = 1e12, 1e-12
    twins = np.repeat(X[:10], 4, axis=0)
    return {
        "one": (X[:1], y[:1], None),
        "two": (X[:2], ["a", "b"], None),
        "two alike": (X[[0, 0]], ["a", "b"], None),
        "three": (X[:3], ["a", "b", "a"], None),
        "one class": (X, ["a"] * 40, None),
        "equal rows": (np.ones((40, 2)), y, None),
        "equal rows but for one": (np.vstack([np.ones((39, 2)), [[2.0, 1.0]]]), y, None),
        "constant and not": (np.column_stack([X[:, 0], np.ones(40)]), y, None),
        "huge": (X * 1e300, y, None),
        "tiny": (X * 1e-300, y, None),
        "smallest": (np.round(X) * 5e-324, y, None),
        "outliers": (outlier, y, None),
        "far from zero": (1e16 + 2.0 * np.arange(40.0)[:, None], y, None),
        "next to each other": (1.0 + 1e-15 * np.arange(40.0)[:, None], y, None),
        "wide": (rng.standard_normal((12, 80)), y[:12], None),
        "one column": (X[:, :1], y, None),
        "two values": ((X > 0).astype(float), y, None),
        "class of one": (X, ["a"] + ["b"] * 39, None),
        "fifty classes": (rng.standard_normal((150, 3)), np.arange(150) % 50, None),
        "heavy": (X, y, ones * 1e12),
        "light": (X, y, ones * 1e-12),
        "heavy and light": (X, y, mixed),
        "twins": (twins, y, None),
        "truth values": (X, y == "yes", None),
        "whole numbers": (X, (y == "yes") * 2 - 1, None),
        "objects": (X, y.astype(object), None),
        "holes": (holes, y, None),
        "an empty column": (gone, y, None),
        "nothing at all": (np.full((40, 2), np.nan), y, None),
        "big integers": ((X * 1e18).astype(np.int64), y, None),
        "float32": (X.astype(np.float32), y, None),
        "booleans": (X > 0, y, None),
    }


CASES = cases()


@speeds
@pytest.mark.parametrize("name", CASES)
def test_hostile_tables_have_an_answer(name, speed):
    X, y, w = CASES[name]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = of(speed, X, y, w)
        sound(model, X)
        if np.issubdtype(np.asarray(X).dtype, np.floating):
            # A column that is missing altogether, only now.
            sound(model, np.where(np.arange(X.shape[1]) == 0, np.nan, X))
        found = model.leave_one_out()
        assert np.isfinite(found.log_loss)
        assert found.probabilities.shape == (found.ids.size, len(model.classes_))


def sound(model, X):
    p, answer = model.predict_proba(X), model.predict(X)
    assert p.shape == (len(X), len(model.classes_))
    assert p.min() >= 0.0
    np.testing.assert_allclose(p.sum(axis=1), 1.0, rtol=1e-12)
    assert answer.dtype == model.classes_.dtype
    chosen = p[np.arange(len(X)), np.searchsorted(model.classes_, answer)]
    assert np.array_equal(chosen, p.max(axis=1))
    shares = model.contributions(X, top=None)
    np.testing.assert_allclose(shares.class_shares.sum(axis=1), 1.0, atol=1e-11)


def test_what_nothing_tells_apart_has_the_share_of_its_class():
    p = dl.DeepLimitClassifier().fit(np.ones((8, 2)), [0] * 6 + [1] * 2).predict_proba([[1, 1]])
    np.testing.assert_allclose(p, [[0.75, 0.25]], rtol=1e-12)


@pytest.mark.parametrize("exponent", [990, -990])
def test_units_beyond_squares_do_not_matter(exponent):
    X, y = numbers(120, d=2)
    factor = 2.0**exponent  # nothing is rounded
    right = dl.DeepLimitClassifier().fit(X * factor, y).score(X * factor, y)
    assert right >= dl.DeepLimitClassifier().fit(X, y).score(X, y) - 0.1
    assert right > 0.65


def test_later_rows_may_have_what_was_not_there():
    model = fitted("instant")
    asked = queries()
    for column, cell in (("colour", "infrared"), ("colour", None), ("size", np.nan)):
        sound(model, asked.assign(**{column: cell}))
    sound(model, asked.assign(day=pd.NaT))
    one, other = (
        model.predict_proba(asked.assign(colour=colour)) for colour in ("infrared", "ultraviolet")
    )
    assert np.array_equal(one, other)


@speeds
def test_a_model_survives_what_it_refuses(speed):
    X, y = numbers()
    model = of(speed, X, y)
    before, state = model.predict_proba(X), model.certificate().fingerprint
    infinite, n = X.copy(), len(X)
    infinite[3, 1] = np.inf
    refused = [
        (lambda: model.fit(infinite, y), "infinite"),
        (lambda: model.partial_fit(infinite, y), "infinite"),
        (lambda: model.predict(-infinite), "infinite"),
        (lambda: model.fit(X, y, np.zeros(n)), "zero"),
        (lambda: model.fit(X, y, -np.ones(n)), "[Nn]egative"),
        (lambda: model.fit(X, y, np.full(n, np.nan)), "NaN"),
        (lambda: model.fit(X, y[:-1]), "inconsistent"),
        (lambda: model.fit(X, X[:, 0]), "continuous"),
        (lambda: model.fit(X[:0], y[:0]), "0 sample"),
        (lambda: model.fit(X[:, :0], y), "0 feature"),
        (lambda: model.forget(np.arange(n)), "leaves nothing"),
        (lambda: model.forget([n]), "unknown"),
        (lambda: model.partial_fit(X[:, :2], y), "features"),
        (lambda: model.predict(X[:, :2]), "features"),
        (lambda: model.contributions(X, top=0), "at least 1"),
        (lambda: model.predict_without(X, [n]), "no example"),
    ]
    for attempt, words in refused:
        with pytest.raises(ValueError, match=words):
            attempt()
        assert np.array_equal(model.predict_proba(X), before)
        assert model.certificate().fingerprint == state


def test_text_that_does_not_fit_its_column_is_refused_and_nothing_is_learnt():
    X, y = table()
    model = of("instant", X, y)
    wrong = X.iloc[:2].assign(weight=["heavy", "light"], colour="mauve")
    with pytest.raises(ValueError, match="weight"):
        model.partial_fit(wrong, ["yes", "no"])
    same(model, fitted("instant"))


def test_asking_changes_no_attribute():
    X, y = numbers()
    model = of("instant", X, y)
    names = set(vars(model))
    model.forget([0])
    model.predict(X)
    model.leave_one_out()
    assert set(vars(model)) == names


def test_another_random_state_is_another_pool():
    X, y = numbers(150)
    a, b, c = (
        dl.DeepLimitClassifier(random_state=s).fit(X, y).predict_proba(X + 0.05) for s in (0, 1, 1)
    )
    assert np.array_equal(b, c)
    assert not np.array_equal(a, b)
    assert np.abs(a - b).mean() < 0.1
