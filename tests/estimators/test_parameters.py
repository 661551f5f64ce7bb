"""What a parameter may be is checked wherever it is taken, in one line that names it."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import clone

import deeplimit as dl
from deeplimit.estimators.parameters import check_bounds, check_count, check_orders

X = np.linspace(0.0, 1.0, 24).reshape(12, 2) ** 2
Y = np.repeat([0, 1], 6)

NO_COUNTS = [0, -1, 1.5, 2.0, "a", True, np.nan, [1]]


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    with dl.ExampleStore.create(tmp_path_factory.mktemp("store") / "of", n_features=2) as made:
        made.append(X, Y)
        yield made


@pytest.fixture(params=["pooled", "pure", "hilbert", "store"])
def classifier(request, store):
    if request.param == "store":
        return dl.StoreClassifier(store, exponent=2.0)
    made = {
        "pooled": dl.DeepLimitClassifier(),
        "pure": dl.DeepLimitClassifier(exponent=2.0),
        "hilbert": dl.HilbertClassifier(2.0),
    }[request.param]
    return made.fit(X, Y)


@pytest.mark.parametrize("value", NO_COUNTS, ids=repr)
def test_no_number_of_examples(classifier, value):
    with pytest.raises(ValueError, match=r"^top is a number of examples, at least 1; got "):
        classifier.contributions(X[:1], top=value)
    with pytest.raises(ValueError, match=r"^max_removed is a number of examples, at least 1; got "):
        classifier.flip(X[:1], max_removed=value)


def test_integers_of_numpy_are_numbers_of_examples(classifier):
    assert classifier.contributions(X[:1], top=np.int32(2)).indices.shape == (1, 2)
    assert classifier.flip(X[:1], max_removed=np.int64(12)).count[0] > 0


@pytest.mark.parametrize("value", [0, 1.5, "all", True, [2]], ids=repr)
@pytest.mark.parametrize(
    "made",
    [
        dl.DeepLimitClassifier(),
        dl.DeepLimitClassifier(exponent=2.0),
        dl.OneNearestNeighborClassifier(),
        dl.HilbertClassifier(),
        dl.DeepLimitRegressor(exponent=2.0),
    ],
    ids=lambda made: type(made).__name__,
)
def test_no_number_of_threads(made, value):
    made = clone(made)
    before = dict(vars(made), n_jobs=value)
    with pytest.raises(ValueError, match=r"^n_jobs is a number of threads, -1 for all processors"):
        made.set_params(n_jobs=value).fit(X, Y)
    assert vars(made) == before
    made.set_params(n_jobs=1).fit(X, Y)
    said = made.predict(X)
    with pytest.raises(ValueError, match=r"^n_jobs is a number of threads"):
        made.set_params(n_jobs=value).predict(X)
    np.testing.assert_array_equal(made.set_params(n_jobs=None).predict(X), said)


def test_no_number_of_threads_for_a_store(store):
    with pytest.raises(ValueError, match=r"^n_jobs is a number of threads"):
        dl.StoreClassifier(store, exponent=2.0, n_jobs="all")


@pytest.mark.parametrize("value", ["a", -0.1, np.nan, np.inf, None, True], ids=repr)
def test_no_tolerance(value):
    clf = dl.DeepLimitClassifier(exponent=2.0).fit(X, Y)
    with pytest.raises(ValueError, match=r"^tolerance must be a finite number, at least 0; got "):
        clf.predict_proba_bounds(X, tolerance=value)


@pytest.mark.parametrize("value", ["a", 0, -1, 2, 1.0001, np.nan, np.inf, True], ids=repr)
def test_no_budget(value):
    clf = dl.HilbertClassifier(2.0).fit(X, Y)
    for shared in (False, True):
        with pytest.raises(
            ValueError, match=r"^budget must be a part of all examples, above 0 and up"
        ):
            clf.predict_proba_bounds(X, budget=value, shared=shared)


@pytest.mark.parametrize("value", ["a", 1.5, 2, 5, None, True, np.inf], ids=repr)
def test_no_number_of_orders(value):
    clf = dl.DeepLimitClassifier(exponent=2.0).fit(X, Y)
    with pytest.raises(ValueError, match=r"^n_orders is an even number, at least 4; got "):
        clf.columns(X[:1], n_orders=value)


def test_what_suits_is_let_through():
    for value in (None, 1, np.int64(5)):
        check_count("top", value)
    for tolerance, budget in ((0, None), (np.float32(0.5), 1), (0.0, np.float64(1e-9))):
        check_bounds(tolerance, budget)
    for value in (4, 128, 6.0, np.int64(8)):
        check_orders(value)
