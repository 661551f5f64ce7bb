"""Every estimator comes back from its file with every decision, the exact dual included."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.pipeline import make_pipeline

import deeplimit as dl

X, y = load_iris(return_X_y=True)
QUERIES = X[::3] + 0.05

ACTIVATIONS = [
    "3d_opt",
    "relu",
    "gelu",
    "h2",
    "sigmoid",
    "identity",
    "sin(1.5*x)",
    dl.Activation("relu").centered(),
    dl.Activation("relu").centered().scaled(-3.0),
    dl.Activation("erf").biased(0.1),
    dl.Activation("h2").residual(0.5),
    dl.Activation.from_hermite([0.0, -1.0, 0.0, 2.0]),
    *(
        dl.design(exponent=2.0 if name in ("mobius", "theta") else 3.0, family=name)
        for name in ("three-term", "two-degrees", "two-term", "sine", "exponential", "mobius")
    ),
    dl.design(exponent=1.5, family="theta"),
    dl.design(exponent=3.0, family="residual"),
]


def roundtrip(estimator: Any, path: Path) -> Any:
    file = path / "model.safetensors"
    dl.save(estimator, file)
    return dl.load(file)


@pytest.mark.parametrize("activation", ACTIVATIONS, ids=lambda a: getattr(a, "name", a))
def test_limits_come_back_bit_for_bit(activation: Any, tmp_path: Path) -> None:
    model = dl.DeepLimitClassifier(activation).fit(X, y)
    loaded = roundtrip(model, tmp_path)
    assert loaded.regime_ == model.regime_
    assert loaded.exponent_ == model.exponent_
    np.testing.assert_array_equal(loaded.predict_proba(QUERIES), model.predict_proba(QUERIES))


@pytest.mark.parametrize(
    "estimator",
    [
        dl.DeepLimitClassifier(),
        dl.DeepLimitClassifier(speed="full", class_weight="balanced"),
        dl.DeepLimitClassifier(speed="paper"),
        dl.DeepLimitClassifier("matched", class_weight="balanced"),
        dl.DeepLimitClassifier("5d_opt", projection="stereographic", priors=[1, 2, 3]),
        dl.OneNearestNeighborClassifier(),
        dl.MajorityVoteClassifier(),
        dl.HilbertClassifier(2.0),
        dl.NetworkKernelClassifier("gelu", depth=4, kind="nngp"),
        make_pipeline(dl.TableEncoder(), dl.DeepLimitClassifier(speed="paper")),
    ],
    ids=lambda e: type(e).__name__,
)
def test_classifiers_come_back_bit_for_bit(estimator: Any, tmp_path: Path) -> None:
    names = np.array(["setosa", "versicolor", "virginica"])[y]
    model = estimator.fit(X, names)
    loaded = roundtrip(model, tmp_path)
    np.testing.assert_array_equal(loaded.classes_, model.classes_)
    np.testing.assert_array_equal(loaded.predict(QUERIES), model.predict(QUERIES))
    np.testing.assert_array_equal(loaded.predict_proba(QUERIES), model.predict_proba(QUERIES))


@pytest.mark.parametrize("activation", [None, "3d_opt", "sigmoid"])
def test_regressors_come_back_bit_for_bit(activation: str | None, tmp_path: Path) -> None:
    model = dl.DeepLimitRegressor(activation).fit(X[:, :3], X[:, 3])
    loaded = roundtrip(model, tmp_path)
    np.testing.assert_array_equal(loaded.predict(QUERIES[:, :3]), model.predict(QUERIES[:, :3]))


@pytest.mark.parametrize("speed", ["instant", "paper"])
def test_reasons_survive(speed: str, tmp_path: Path) -> None:
    model = dl.DeepLimitClassifier(speed=speed).fit(X, y)
    loaded = roundtrip(model, tmp_path)
    np.testing.assert_array_equal(
        loaded.contributions(QUERIES).shares, model.contributions(QUERIES).shares
    )


def test_a_callable_is_refused_with_advice(tmp_path: Path) -> None:
    model = dl.DeepLimitClassifier(dl.Activation(np.tanh)).fit(X, y)
    with pytest.raises(TypeError, match="by name or as a formula"):
        dl.save(model, tmp_path / "model.safetensors")
    assert not list(tmp_path.iterdir())
