from __future__ import annotations

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning

from deeplimit.networks import FiniteNetworkClassifier


@pytest.fixture
def blobs():
    rng = np.random.default_rng(0)
    centres = np.array([[0.0, 0.0], [3.0, 0.0], [0.0, 3.0]])
    X = np.concatenate([centre + 0.5 * rng.standard_normal((12, 2)) for centre in centres])
    return X, np.repeat(["a", "b", "c"], 12)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_blobs_are_learned_and_the_answers_agree_with_each_other(blobs, n_classes, dtype):
    X, y = blobs[0][: 12 * n_classes], blobs[1][: 12 * n_classes]
    clf = FiniteNetworkClassifier(width=128, tol=0.05, dtype=dtype).fit(X[::2], y[::2])
    assert clf.converged_
    assert clf.score(X[1::2], y[1::2]) > 0.9
    decision, shares = clf.decision_function(X), clf.predict_proba(X)
    assert decision.shape == ((len(X),) if n_classes == 2 else (len(X), 3))
    assert shares.shape == (len(X), n_classes)
    np.testing.assert_allclose(shares.sum(axis=1), 1.0)
    assert np.array_equal(clf.classes_[shares.argmax(axis=1)], clf.predict(X))
    if n_classes == 2:
        np.testing.assert_allclose(shares[:, 1], np.clip((1 + decision) / 2, 0, 1), atol=1e-12)
        assert np.array_equal(clf.predict(X) == "b", decision > 0)


def test_proportions_where_no_output_is_positive_go_to_the_largest(blobs, monkeypatch):
    clf = FiniteNetworkClassifier(width=8, tol=0.5).fit(*blobs)
    outputs = np.array([[-3.0, -2.0, -1.5], [-1.0, -1.0, -1.0], [0.0, 1.0, -2.0]])
    monkeypatch.setattr(clf, "_outputs", lambda X: outputs)
    np.testing.assert_allclose(
        clf.predict_proba(None), [[0, 0, 1], [1, 0, 0], [1 / 3, 2 / 3, 0]], atol=1e-15
    )


def test_a_fit_is_determined_by_its_seed(blobs):
    fits = [
        FiniteNetworkClassifier(width=16, tol=0.3, random_state=s).fit(*blobs) for s in (4, 4, 5)
    ]
    values = [clf.decision_function(blobs[0]) for clf in fits]
    assert np.array_equal(values[0], values[1])
    assert np.abs(values[0] - values[2]).max() > 1e-3


def test_an_ensemble_is_the_mean_of_its_networks_and_nearer_to_the_limit(sphere, relu_ntk):
    X, Q = sphere(12, 10), sphere(60, 10, seed=1)
    y = np.where(X[:, 0] * X[:, 1] > 0, 1, -1)
    limit = relu_ntk(1)(Q, X) @ np.linalg.solve(relu_ntk(1)(X, X), y)
    fits = [FiniteNetworkClassifier(width=128, tol=1e-6, n_ensemble=k).fit(X, y) for k in (1, 8)]
    errors = [np.abs(clf.decision_function(Q) - limit).mean() for clf in fits]
    assert errors[1] < 0.6 * errors[0]
    ensemble = fits[1]
    np.testing.assert_allclose(
        ensemble.decision_function(Q),
        np.mean([network(Q)[:, 0] for network in ensemble.networks_], axis=0),
    )
    assert len(ensemble.loss_curve_) == ensemble.n_iter_ + 1


def test_the_bare_sign_of_a_wide_network_is_that_of_the_kernel_predictor(sphere, relu_ntk):
    X, Q = sphere(20, 10), sphere(200, 10, seed=1)
    y = np.where(X[:, 0] * X[:, 1] > 0, 1, -1)
    limit = relu_ntk(2)(Q, X) @ np.linalg.solve(relu_ntk(2)(X, X), y)
    clf = FiniteNetworkClassifier(depth=2, width=1024, tol=1e-6).fit(X, y)
    assert (clf.predict(Q) == np.sign(limit)).mean() > 0.95


def test_rows_of_unit_norm_are_taken_as_they_lie_and_others_are_lifted(sphere):
    X = sphere(8, 3)
    y = np.arange(8) % 2
    settings = {"width": 32, "tol": 0.3}
    assert FiniteNetworkClassifier(**settings).fit(X, y).networks_[0].n_features == 3
    assert FiniteNetworkClassifier(**settings).fit(2 * X, y).networks_[0].n_features == 4
    with pytest.raises(ValueError, match="leaves the sphere"):
        FiniteNetworkClassifier(projection="euclidean").fit(X, y)


def test_conflicting_labels_leave_a_loss_and_no_warning():
    X = [[0.0], [0.0], [1.0], [3.0]]
    clf = FiniteNetworkClassifier(width=64).fit(X, ["a", "b", "a", "b"])
    assert clf.converged_
    assert clf.loss_curve_[-1] == pytest.approx(0.5, abs=1e-2)
    np.testing.assert_allclose(clf.predict_proba([[0.0]]), [[0.5, 0.5]], atol=0.02)


@pytest.mark.parametrize(
    ("settings", "advice"),
    [
        ({"max_steps": 2, "momentum": False}, "raise max_steps or tol, or set momentum=True"),
        ({"max_steps": 2}, "raise max_steps or tol$"),
    ],
)
def test_training_that_falls_short_warns_and_says_what_to_do(settings, advice):
    with pytest.warns(ConvergenceWarning, match=advice):
        clf = FiniteNetworkClassifier(width=64, **settings).fit([[0.0, 1.0], [1.0, 0.0]], [0, 1])
    assert not clf.converged_


def test_one_class_is_refused():
    with pytest.raises(ValueError, match="at least two classes"):
        FiniteNetworkClassifier().fit([[0.0], [1.0]], [1, 1])


@pytest.mark.parametrize("n_ensemble", [0, 1.5])
def test_an_ensemble_of_no_networks_is_refused(n_ensemble):
    with pytest.raises(ValueError, match="n_ensemble must be"):
        FiniteNetworkClassifier(n_ensemble=n_ensemble).fit([[0.0], [1.0]], [0, 1])


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_values_that_are_no_numbers_are_refused(value):
    with pytest.raises(ValueError, match=r"NaN|infinity"):
        FiniteNetworkClassifier().fit([[value], [1.0]], [0, 1])


def test_huge_rows_are_lifted_without_overflow():
    X = np.array([[-1e300], [1e300], [0.9e300], [-0.9e300]])
    clf = FiniteNetworkClassifier(width=64).fit(X, [0, 1, 1, 0])
    assert clf.predict(X).tolist() == [0, 1, 1, 0]


def test_a_fitted_classifier_survives_clone_and_pickle(blobs):
    clf = FiniteNetworkClassifier(width=16, tol=0.3).fit(*blobs)
    again = pickle.loads(pickle.dumps(clf))
    assert np.array_equal(again.decision_function(blobs[0]), clf.decision_function(blobs[0]))
    assert not hasattr(clone(clf), "networks_")
