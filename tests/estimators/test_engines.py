"""Estimators with engines: the same decisions, followed through changes, pickled and saved."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from sklearn.base import clone

import deeplimit as dl
from deeplimit.estimators.examples import Examples
from deeplimit.sums import class_sums, fit_lift

ENGINES = ["compiled", "single", "graphics"]


def data(n=2500, m=200, d=3):
    rng = np.random.default_rng(0)
    X, Q = rng.standard_normal((n, d)), rng.standard_normal((m, d))
    y = np.array(["no", "yes", "maybe"])[(X[:, 0] > 0).astype(int) + (X[:, 1] > 1)]
    Q[:5] = X[:5]
    return X, y, Q


# Where there is no card, which is tested elsewhere, that is said.
@pytest.mark.filterwarnings("ignore:no GPU can be used by torch here")
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("activation", [None, "5d_opt"])
def test_decisions_are_those_of_the_reference(engine, activation):
    X, y, Q = data()
    model = dl.DeepLimitClassifier(activation, exponent=3.0, engine=engine)
    reference = clone(model).set_params(engine="reference").fit(X, y)
    model.fit(X, y)
    tolerance = 1e-10 if engine == "compiled" else 2e-5
    assert np.array_equal(model.predict(Q), reference.predict(Q))
    np.testing.assert_allclose(model.predict_proba(Q), reference.predict_proba(Q), atol=tolerance)


def test_the_default_compiles_what_is_large():
    X, y, Q = data()
    model = dl.HilbertClassifier(exponent=3.0).fit(X, y)
    model.predict(Q[:1])
    assert model._live["engine"].name == "compiled"
    small = dl.HilbertClassifier(exponent=3.0).fit(X[:500], y[:500])
    small.predict(Q[:1])
    assert small._live == {}


@pytest.mark.parametrize("options", [{}, {"class_weight": "balanced"}, {"priors": [0.2, 0.5, 0.3]}])
def test_it_follows_changes(options):
    X, y, Q = data()
    model = dl.HilbertClassifier(exponent=3.0, **options).fit(X[:2400], y[:2400])
    model.predict(Q)
    first = model._live["engine"]
    model.partial_fit(X[2400:], y[2400:]).forget([1, 7, 2450]).relabel([9, 2460], ["no", "yes"])
    y = y.copy()
    y[[9, 2460]] = ["no", "yes"]
    rest = np.delete(np.arange(2500), [1, 7, 2450])
    again = dl.HilbertClassifier(exponent=3.0, engine="reference", **options).fit(X[rest], y[rest])
    np.testing.assert_allclose(model.predict_proba(Q), again.predict_proba(Q), atol=1e-12)
    assert (model._live["engine"] is first) == (not options)
    top, expected = model.contributions(Q, top=4), again.contributions(Q, top=4)
    assert np.array_equal(top.indices, rest[expected.indices])
    np.testing.assert_allclose(top.shares, expected.shares, atol=1e-12)
    assert model.certificate().fingerprint == again.certificate().fingerprint


def test_a_model_with_an_engine_can_be_pickled_and_saved(tmp_path):
    X, y, Q = data()
    model = dl.HilbertClassifier(exponent=3.0).fit(X, y)
    expected = model.predict_proba(Q)
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_allclose(again.predict_proba(Q), expected, atol=1e-14)
    dl.save(model, tmp_path / "model")
    np.testing.assert_allclose(dl.load(tmp_path / "model").predict_proba(Q), expected, atol=1e-14)


def test_an_unknown_engine_is_refused():
    X, y, _ = data(n=10)
    with pytest.raises(ValueError, match="engine must be one of auto, reference"):
        dl.HilbertClassifier(engine="fast").fit(X, y)


def test_one_engine_serves_all_kernels_that_it_sums():
    X, _, Q = data()
    lift = fit_lift(X)
    examples = Examples(X, np.zeros(len(X), dtype=int), np.ones(len(X)), lift, 1)
    for exponent in (1.0, 2.0, 3.0):
        sums = examples.sums(dl.PowerKernel(exponent), Q[:9])
        expected = class_sums(dl.PowerKernel(exponent), lift, X, examples.index, None, Q[:9], 1)
        np.testing.assert_allclose(
            sums.max_log + np.log(sums.positive),
            expected.max_log + np.log(expected.positive),
            rtol=1e-10,
        )
    assert list(examples._engines) == ["compiled"]
