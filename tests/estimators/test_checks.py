"""scikit-learn's own checks, every one, of every estimator and setting."""

from __future__ import annotations

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

import deeplimit as dl

SINGULAR = ["matched", "3d_opt", "5d_opt", "erf"]
OTHERS = ["relu", "gelu", "h2", "h3", "sigmoid", "identity", "step"]

ESTIMATORS = [
    dl.DeepLimitClassifier(),
    dl.DeepLimitClassifier(speed="full"),
    dl.DeepLimitClassifier(speed="paper"),
    *(dl.DeepLimitClassifier(name) for name in SINGULAR + OTHERS),
    dl.DeepLimitClassifier(exponent="dimension"),
    dl.DeepLimitClassifier(exponent=3, class_weight="balanced"),
    dl.DeepLimitClassifier(exponent=2.5, n_jobs=2),
    dl.DeepLimitClassifier("5d_opt", projection="stereographic"),
    *(
        dl.DeepLimitClassifier(speed="paper", engine=name)
        for name in ["reference", "compiled", "single"]
    ),
    dl.DeepLimitClassifier("5d_opt", engine="compiled"),
    dl.HilbertClassifier(exponent=3, engine="graphics"),
    dl.OneNearestNeighborClassifier(),
    dl.MajorityVoteClassifier(),
    dl.HilbertClassifier(),
    dl.HilbertClassifier("auto"),
    dl.NetworkKernelClassifier(),
    dl.NetworkKernelClassifier("3d_opt", 5, "nngp", ridge=0),
    dl.NetworkKernelClassifier("erf", 3, ridge=0.1),
    dl.NetworkKernelClassifier(center=True),
    dl.DeepLimitRegressor(),
    dl.DeepLimitRegressor(normalize=False),
    *(dl.DeepLimitRegressor(name) for name in ["3d_opt", "relu", "h2", "sigmoid", "identity"]),
    dl.FiniteNetworkClassifier(width=64, tol=0.7),
]


@parametrize_with_checks(ESTIMATORS)
def test_check(estimator, check):
    check(estimator)


def test_every_estimator_is_checked():
    named = {name for name in dl.__all__ if name.endswith(("Classifier", "Regressor"))}
    # The classifier of a store is no estimator: it has nothing to fit.
    assert named - {"StoreClassifier"} == {type(estimator).__name__ for estimator in ESTIMATORS}


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=str)
def test_representation_can_be_evaluated(estimator):
    made = eval(repr(estimator), dict(vars(dl), **{n: getattr(dl, n) for n in dl.__all__}))
    assert made.get_params() == estimator.get_params()
