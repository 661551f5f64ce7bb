from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from deeplimit.persist import State, from_state, register, to_state
from deeplimit.tables import TableEncoder


@register
class Centroids(BaseEstimator):
    """A toy that has attributes of many kinds."""

    _transient = frozenset({"cache_"})

    def __init__(self, activation="gelu", prior=None, encoder=None):
        self.activation = activation
        self.prior = prior
        self.encoder = encoder

    def fit(self, X, y):
        self.classes_, codes = np.unique(y, return_inverse=True)
        self.means_ = np.array([X[codes == k].mean(axis=0) for k in range(len(self.classes_))])
        self.n_features_in_ = X.shape[1]
        self.depth_ = np.inf
        self.loss_ = np.float64(0.1)
        self.cache_ = lambda: self
        return self

    def predict(self, X):
        gaps = ((X[:, None] - self.means_) ** 2).sum(axis=2)
        return self.classes_[gaps.argmin(axis=1)]


@register
class Celsius:
    """A class that is not scikit-learn-like and brings its own state."""

    def __init__(self, degrees):
        self.kelvin = degrees + 273.0

    def _to_state(self):
        return State("Celsius", {"version": 1}, {"kelvin": np.array([self.kelvin])})

    @classmethod
    def _from_state(cls, state):
        return cls(float(state.arrays["kelvin"][0]) - 273.0)


@register
class Bare:
    """A class without parameters."""


X = np.array([[0.0, 1.0], [1.0, 0.0], [5.0, 5.0]])
LABELS = [
    np.array([0, 0, 1]),
    np.array([0.5, 0.5, 2.0]),
    np.array(["a", "a", "b"]),
    np.array(["a", "a", "b"], dtype=object),
    np.array([True, True, False]),
]


@pytest.mark.parametrize("y", LABELS, ids=lambda y: y.dtype.name)
def test_an_estimator_comes_back_whole(y):
    model = Centroids("sin(2.676*x)", prior=[0.25, 0.75]).fit(X, y)
    copy = from_state(to_state(model))
    assert type(copy) is Centroids
    assert copy.get_params() == model.get_params()
    assert vars(model).keys() - vars(copy).keys() == {"cache_"}
    assert copy.classes_.dtype == model.classes_.dtype
    assert copy.means_.tobytes() == model.means_.tobytes()
    assert copy.depth_ == np.inf
    assert type(copy.loss_) is np.float64
    assert copy.predict(X).tolist() == model.predict(X).tolist()


def test_the_state_shows_where_things_are():
    state = to_state(Centroids(encoder=TableEncoder().fit([[1], [2]])).fit(X, LABELS[0]))
    assert state.class_name == "Centroids"
    assert state.meta["params"]["activation"] == "gelu"
    assert set(state.arrays) == {"classes_", "means_"}
    assert state.children["encoder"].class_name == "TableEncoder"
    assert state.meta["attrs"]["depth_"] == {"$": "float", "hex": "7ff0000000000000"}


def test_pipelines_of_registered_steps():
    table = np.array([[1.0, "a"], [2.0, "b"], [3.0, "b"]], dtype=object)
    model = make_pipeline(TableEncoder(), Centroids()).fit(table, [0, 1, 1])
    copy = from_state(to_state(model))
    assert type(copy) is Pipeline
    assert [type(step) for _, step in copy.steps] == [TableEncoder, Centroids]
    assert copy.predict(table).tolist() == model.predict(table).tolist()


def test_a_class_with_a_state_of_its_own():
    model = Centroids(prior=[Celsius(20.0), Bare()])
    copy = from_state(to_state(model))
    assert copy.prior[0].kelvin == 293.0
    assert type(copy.prior[1]) is Bare


def test_a_callable_activation_is_refused():
    model = Centroids(activation=np.tanh)
    with pytest.raises(TypeError, match=r"^Centroids\.activation is a Python callable"):
        to_state(model)


def test_classes_that_are_not_registered_are_refused():
    with pytest.raises(TypeError, match="StandardScaler is not a class model files may hold"):
        to_state(StandardScaler())
    with pytest.raises(TypeError, match=r"Pipeline\.steps\.0\.1 is a StandardScaler"):
        to_state(make_pipeline(StandardScaler(), Centroids()))
    with pytest.raises(TypeError, match="dict is not a class"):
        to_state({})


@pytest.mark.parametrize(
    "meta",
    [
        {},
        {"params": {}},
        {"params": [], "attrs": {}},
        {"params": {"unknown": 1}, "attrs": {}},
        {"params": {}, "attrs": {"__class__": 1}},
        {"params": {}, "attrs": {"a b": 1}},
        {"params": {}, "attrs": {"means_": {"$": "array", "at": "means_", "order": "C"}}},
    ],
)
def test_a_state_its_class_can_not_have_is_refused(meta):
    with pytest.raises((ValueError, KeyError, TypeError)):
        from_state(State("Centroids", meta))
