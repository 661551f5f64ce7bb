from __future__ import annotations

import pytest

import deeplimit as dl
from deeplimit.estimators.fitting import limit_kernel, untouched_on_failure


def test_attributes_are_put_back():
    model = dl.MajorityVoteClassifier().fit([[0.0], [1.0]], [0, 1])
    before = dict(vars(model))
    with pytest.raises(KeyError), untouched_on_failure(model):
        model.classes_ = None
        model.more_ = 1
        del model.n_features_in_
        raise KeyError
    assert vars(model).keys() == before.keys()
    assert all(vars(model)[name] is value for name, value in before.items())
    with untouched_on_failure(model):
        model.more_ = 1
    assert model.more_ == 1


def test_kernels_of_names_are_made_once():
    assert limit_kernel("erf") is limit_kernel("erf")
    phi = dl.Activation("erf")
    assert limit_kernel(phi) is not limit_kernel(phi)
    assert limit_kernel(phi).exponent == limit_kernel("erf").exponent
