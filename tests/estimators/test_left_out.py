from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.metrics import log_loss

import deeplimit as dl

MODELS = {
    "pure": dl.DeepLimitClassifier(exponent=3.0),
    "weights": dl.HilbertClassifier(exponent=2.0),
    "odd": dl.DeepLimitClassifier("erf"),
    "compiled": dl.HilbertClassifier(exponent=2.5, engine="compiled"),
}


def data():
    rng = np.random.default_rng(0)
    X = rng.integers(0, 6, (60, 2)).astype(float)  # duplicates and ties
    y = np.array(list("abc"))[rng.integers(0, 3, 60)]
    return X, y, rng.uniform(0.5, 2.0, 60)


@pytest.mark.parametrize("name", MODELS)
def test_each_example_is_decided_by_a_fit_without_it(name):
    X, y, w = data()
    w = w if name == "weights" else np.ones(60)
    model = MODELS[name].fit(X, y, w)
    found = model.leave_one_out()
    assert np.array_equal(found.ids, np.arange(60))
    for i in range(60):
        # Settings stay as they are: the lift, too.
        assert found.predictions[i] == model.predict_without(X[[i]], [i])[0]
    if name != "odd":
        for i in range(0, 60, 7):
            rest = np.delete(np.arange(60), i)
            again = MODELS[name].fit(X[rest], y[rest], w[rest])
            np.testing.assert_allclose(
                found.probabilities[i], again.predict_proba(X[[i]])[0], atol=1e-12
            )
    assert found.accuracy == pytest.approx(np.average(found.predictions == y, weights=w))
    assert np.array_equal(found.right, found.predictions == y)
    expected = log_loss(y, np.clip(found.probabilities, 2.0**-52, 1), sample_weight=w)
    assert found.log_loss == pytest.approx(expected, rel=1e-9)


def test_it_follows_changes():
    X, y, _ = data()
    model = dl.HilbertClassifier(exponent=2.0).fit(X, y).forget([3, 4])
    found = model.leave_one_out()
    again = dl.HilbertClassifier(exponent=2.0).fit(np.delete(X, [3, 4], 0), np.delete(y, [3, 4]))
    assert np.array_equal(found.ids, model.ids_)
    assert np.array_equal(found.probabilities, again.leave_one_out().probabilities)


def test_declared_classes_have_no_probability():
    model = dl.HilbertClassifier(exponent=2.0)
    model.partial_fit([[0.0], [1.0], [2.0]], ["b", "b", "c"], classes=["a", "b", "c"])
    assert model.leave_one_out().probabilities[:, 0].tolist() == [0, 0, 0]


def test_a_class_of_one_example_is_gone_without_it():
    model = dl.HilbertClassifier(exponent=2.0).fit([[0.0], [1.0], [2.0]], ["a", "b", "b"])
    assert model.leave_one_out().probabilities[0].tolist() == [0.0, 1.0]


def test_what_has_no_leave_one_out_says_so():
    with pytest.raises(ValueError, match="two examples at least"):
        dl.HilbertClassifier(exponent=1.0).fit([[0.0]], [0]).leave_one_out()
    with pytest.raises(ValueError, match="no sum of the examples"):
        dl.DeepLimitClassifier("relu").fit([[0.0], [1.0]], [0, 1]).leave_one_out()


@pytest.mark.parametrize("model", [*MODELS.values(), dl.DeepLimitClassifier()], ids=str)
def test_progress_is_told_and_changes_nothing(model, monkeypatch):
    X, y, w = data()
    monkeypatch.setattr("deeplimit.estimators.left_out._ROWS", 25)
    fitted, told = clone(model).fit(X, y, w), []
    found = fitted.leave_one_out(progress=lambda *count: told.append(count))
    n = found.ids.size
    assert told == ([(n, n)] if hasattr(fitted, "pool_") else [(25, 60), (50, 60), (60, 60)])
    np.testing.assert_array_equal(found.probabilities, fitted.leave_one_out().probabilities)


@pytest.mark.parametrize("value", [5, "yes", True])
def test_progress_that_is_no_callable(value):
    for made in (dl.DeepLimitClassifier(), dl.HilbertClassifier(2.0)):
        X, y, _ = data()
        with pytest.raises(TypeError, match="progress is a callable that takes two numbers"):
            made.fit(X, y).leave_one_out(progress=value)
