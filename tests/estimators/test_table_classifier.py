"""The default classifier takes raw tables, and forgets as if rows had never been there."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

import deeplimit as dl

N = 60


def table(seed: int = 0, n: int = N) -> tuple[pd.DataFrame, np.ndarray]:
    """Make a table of numbers, categories, dates and gaps, and classes that follow from it."""
    rng = np.random.default_rng(seed)
    size, colour = rng.normal(size=n), rng.choice(np.array(["red", "blue", "green"]), n)
    frame = pd.DataFrame(
        {
            "size": np.where(rng.random(n) < 0.1, np.nan, size),
            "colour": pd.Series(colour, dtype=object).where(rng.random(n) > 0.1),
            "fresh": rng.random(n) < 0.5,
            "seen": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 90, n), "D"),
        }
    )
    return frame, np.where(size + 2.0 * (colour == "red") > 0.7, "yes", "no")


def same(one: object, two: object, rows: pd.DataFrame) -> bool:
    """Whether two models say the same of rows, to the bit."""
    return bool(one.predict_proba(rows).tobytes() == two.predict_proba(rows).tobytes())


speeds = pytest.mark.parametrize("speed", ["instant", "full", "paper"])
pools = pytest.mark.parametrize("speed", ["instant", "full"])


@speeds
def test_a_table_as_it_comes(speed):
    X, y = table()
    clf = dl.DeepLimitClassifier(speed=speed).fit(X, y)
    assert clf.feature_names_in_.tolist() == X.columns.tolist()
    new, truth = table(1)
    assert clf.score(new, truth) > 0.75
    # An unseen category, and a row of which nothing is known.
    odd = pd.DataFrame({"size": [0.1, np.nan], "colour": ["mauve", None], "fresh": [True, None],
                        "seen": [pd.Timestamp("2030-01-01"), pd.NaT]})  # fmt: skip
    np.testing.assert_allclose(clf.predict_proba(odd).sum(axis=1), 1.0)
    with pytest.raises(ValueError, match="feature names"):
        clf.predict(new.rename(columns={"size": "weight"}))


@pools
def test_what_was_there_before_leaves_no_trace(speed):
    X, y = table()
    more, labels = table(1, 12)
    more["colour"] = "mauve"
    clf = dl.DeepLimitClassifier(speed=speed).fit(more, labels).partial_fit(X, y)
    assert clf.certificate().n_examples == N + 12
    clf.predict(X[:2])
    clf.forget(np.arange(12))
    again = dl.DeepLimitClassifier(speed=speed).fit(X, y)
    queries = table(2, 20)[0]
    assert same(clf, again, queries)
    assert clf.certificate() == again.certificate()
    assert clf.certificate().kept == ()
    other = "no" if y[0] == "yes" else "yes"
    clf.relabel([12], other)
    assert clf.certificate() != again.certificate()
    assert same(clf, again.fit(X, np.append(other, y[1:])), queries)


@speeds
def test_a_change_that_fails_adds_no_category(speed):
    X, y = table()
    clf = dl.DeepLimitClassifier(speed=speed).fit(X, y)
    before = clf.predict_proba(X), clf.certificate()
    with pytest.raises(ValueError, match="inconsistent"):
        clf.partial_fit(X[:3].assign(colour="mauve"), y[:2])
    assert clf.predict_proba(X).tobytes() == before[0].tobytes()
    assert clf.certificate() == before[1]


@speeds
def test_a_file_holds_the_table(speed, tmp_path):
    X, y = table()
    clf = dl.DeepLimitClassifier(speed=speed).fit(X, y)
    clf.predict(X)
    dl.save(clf, tmp_path / "model.safetensors")
    loaded = dl.load(tmp_path / "model.safetensors")
    assert same(clf, loaded, X)
    assert loaded.certificate() == clf.certificate()
    more, labels = table(3, 5)
    more["colour"] = ["mauve", "red", "mauve", None, "blue"]
    for model in (clf, loaded):
        model.partial_fit(more, labels).forget([0, 7])
    assert same(clf, loaded, more)
    dl.save(clf, tmp_path / "model.safetensors")  # with a pool that no question was put to
    assert same(clf, dl.load(tmp_path / "model.safetensors"), more)


@pools
def test_frames_arrays_and_lists_are_one_table(speed):
    X, y = table()
    X = X[["size", "colour"]]
    clf = dl.DeepLimitClassifier(speed=speed).fit(X, y)
    cells = X.astype(object).where(X.notna(), None)
    array = dl.DeepLimitClassifier(speed=speed).fit(cells.to_numpy(), y)
    assert array.predict_proba(cells.to_numpy()).tobytes() == clf.predict_proba(X).tobytes()
    rows = cells.to_numpy().tolist()
    assert array.predict_proba(rows).tobytes() == clf.predict_proba(X).tobytes()


@pools
def test_the_pool_in_words(speed):
    X, y = table()
    clf = dl.DeepLimitClassifier(speed=speed).fit(X, y)
    assert clf.regime_ == clf.pool_.in_words()
    assert clf.regime_.startswith("pool of ")
    weights = sum(g.weights.sum() + g.ridge_weight for g in clf.pool_.groups)
    assert weights + clf.pool_.prior_weight == pytest.approx(1.0)
    assert clf.exponent_ is None and not hasattr(clf, "kernel_")


def test_a_pure_rule_has_no_pool():
    X, y = table()
    clf = dl.DeepLimitClassifier(speed="paper").fit(X, y)
    assert not hasattr(clf, "pool_")
    assert clf.exponent_ > 0.0
    with pytest.raises(AttributeError, match="a pure rule"):
        _ = clf.pool_


def test_speed_follows_from_what_is_given():
    X, y = table()
    for settings, speed in [
        ({}, "instant"),
        ({"speed": "instant"}, "instant"),
        ({"speed": "full"}, "full"),
        ({"speed": "paper"}, "paper"),
        ({"exponent": 2.0}, "paper"),
        ({"exponent": 2.0, "speed": "paper"}, "paper"),
        ({"activation": "erf"}, "paper"),
        ({"projection": "hemisphere"}, "paper"),
    ]:
        assert dl.DeepLimitClassifier(**settings).fit(X, y).speed_ == speed


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"speed": "fast"}, "speed is 'auto', 'instant', 'full' or 'paper', got 'fast'"),
        ({"speed": "full", "exponent": 2.0}, "exponent is a setting of the pure system"),
        ({"speed": "instant", "activation": "erf"}, "activation is a setting of the pure system"),
        ({"speed": "instant", "projection": "none"}, "projection is a setting of the pure system"),
        ({"time_limit": 0}, "time_limit is a positive number of seconds, got 0"),
        ({"time_limit": "long"}, "time_limit is a positive number of seconds, got 'long'"),
    ],
)
def test_settings_that_do_not_suit(settings, message):
    clf = dl.DeepLimitClassifier(**settings)
    with pytest.raises(ValueError, match=message):
        clf.fit(*table())
    assert set(vars(clf)) == set(vars(clone(clf)))


def test_progress_is_told_where_it_is_wanted(capsys):
    X, y = table()
    clf = dl.DeepLimitClassifier().fit(X, y)
    assert capsys.readouterr() == ("", "")
    told = dl.DeepLimitClassifier(verbose=True).fit(X, y)
    out, err = capsys.readouterr()
    assert out == "" and err.startswith("deeplimit: tried distances in ")
    assert same(clf, told, X)
    # What is told is no setting of the model, and may be had of one that was fitted.
    assert clf.certificate() == told.certificate()


def test_a_limit_of_time_leaves_out_what_comes_later(capsys):
    X, y = table()
    dl.DeepLimitClassifier(speed="full", verbose=True).fit(X, y)
    every = capsys.readouterr().err.splitlines()
    clf = dl.DeepLimitClassifier(speed="full", verbose=True, time_limit=1e-9).fit(X, y)
    assert len(capsys.readouterr().err.splitlines()) == 1 < len(every)
    assert clf.score(X, y) > 0.7
    # The first kind of distance is tried whatever the limit.
    assert len(clf.pool_.groups) == 1


def test_numbers_of_random_states():
    X, y = table()
    one = dl.DeepLimitClassifier().fit(X, y)
    other = dl.DeepLimitClassifier(random_state=1).fit(X, y)
    assert not same(one, other, X)
    assert same(other, dl.DeepLimitClassifier(random_state=1).fit(X, y), X)
    assert one.certificate() != other.certificate()


def test_what_only_pure_rules_can_do_is_refused():
    X, y = table()
    clf = dl.DeepLimitClassifier().fit(X, y)
    with pytest.raises(ValueError, match="pure singular kernel"):
        clf.predict_proba_bounds(X[:2])


@pools
def test_rows_left_out_are_those_of_the_fit(speed):
    X, y = table()
    clf = dl.DeepLimitClassifier(speed=speed).fit(X, y)
    found = clf.leave_one_out()
    assert found.probabilities.shape == (N, 2)
    at = np.searchsorted(clf.classes_, y)
    loss = -np.log(found.probabilities[np.arange(N), at])
    assert found.log_loss == pytest.approx(loss.mean())
    assert found.accuracy == np.mean(found.predictions == y)
    # Honest: a row that was looked at is told better than one that was left out.
    seen = clf.predict_proba(X)[np.arange(N), at]
    assert -np.log(seen).mean() < found.log_loss < np.log(2)


@pools
def test_without_some_examples_as_if_they_had_not_been(speed):
    X, y = table()
    clf = dl.DeepLimitClassifier(speed=speed).fit(X, y)
    np.testing.assert_array_equal(clf.predict_without(X, []), clf.predict(X))
    gone = np.flatnonzero(y == "yes")
    assert (clf.predict_without(X, gone) == "no").all()


def test_the_name_of_a_category_goes_with_its_last_example(tmp_path):
    import deeplimit as dl

    table = [["secret", 0.0], *([["b", float(i)] for i in range(8)] + [["c", 0.5]] * 3)]
    labels = [0, *([0, 1] * 4), 1, 0, 1]
    clf = dl.DeepLimitClassifier().fit(table, labels).forget([0])
    dl.save(clf, tmp_path / "model.safetensors")
    assert b"secret" not in (tmp_path / "model.safetensors").read_bytes()
    other = dl.DeepLimitClassifier().fit(table[1:], labels[1:])
    assert clf.certificate() == other.certificate()
    asked = [["secret", 1.0], ["b", 3.0], [None, 2.0]]
    assert (clf.predict_proba(asked) == other.predict_proba(asked)).all()
    more = [["secret", 2.5], ["d", 1.5]]
    both = [each.partial_fit(more, [1, 0]).predict_proba(asked) for each in (clf, other)]
    assert (both[0] == both[1]).all()


@pytest.mark.parametrize("settings", [{}, {"exponent": 2.0}], ids=["pooled", "pure"])
def test_errors_about_the_table_name_the_classifier(settings):
    X, y = np.random.default_rng(0).normal(size=(20, 3)), np.arange(20) % 2
    clf = dl.DeepLimitClassifier(**settings).fit(X, y)
    two, none = "^X has 2 features, but DeepLimitClassifier is expecting 3 f", "by DeepLimitClassif"
    for rows, message in ((X[:, :2], two), (X[:0], none)):
        for ask in (clf.predict, clf.flip, clf.columns, clf.support):
            with pytest.raises(ValueError, match=message):
                ask(rows)
        with pytest.raises(ValueError, match=message):
            clf.partial_fit(rows, y[: len(rows)])
    with pytest.raises(ValueError, match=none):
        dl.DeepLimitClassifier(**settings).fit(X[:0], y[:0])
    assert clf.n_features_in_ == 3


@pytest.mark.parametrize("settings", [{}, {"exponent": 2.0}], ids=["pooled", "pure"])
def test_names_of_columns_stay_after_partial_fit(settings):
    frame = pd.DataFrame({"a": [0.0, 1.0, 2.0, 3.0], "b": [1.0, 0.0, 1.0, 5.0]})
    clf = dl.DeepLimitClassifier(**settings).fit(frame, [0, 1, 0, 1])
    clf.partial_fit(frame + 0.5, [0, 1, 0, 1])
    assert clf.feature_names_in_.tolist() == ["a", "b"]
    with pytest.warns(UserWarning, match="but DeepLimitClassifier was fitted with feature names"):
        clf.predict(frame.to_numpy())
    # Where a table without names is fitted next, none are left.
    assert not hasattr(clf.fit(frame.to_numpy(), [0, 1, 0, 1]), "feature_names_in_")


def test_a_table_of_nothing_says_so():
    X, y = np.full((300, 2), np.nan), np.arange(300) % 2
    message = "n_samples=300, for there are no numbers in any column: all cells are missing"
    with pytest.raises(ValueError, match=message):
        dl.DeepLimitClassifier(exponent=2.0).fit(X, y)
    with pytest.raises(ValueError, match="so that nothing tells its rows apart"):
        dl.DeepLimitClassifier(exponent=2.0).fit(np.where(X[:, :1] > 0, X, [1.0, np.nan]), y)
