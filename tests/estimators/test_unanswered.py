"""An estimator without an answer says why, and is without the method for all who ask."""

from __future__ import annotations

import copy
import pickle

import pytest

import deeplimit as dl
from deeplimit.estimators.attribution import ExplainedClassifier
from deeplimit.estimators.unanswered import REASONS

CHANGES = ("partial_fit", "forget", "relabel", "certificate")

LACKING = [
    (dl.OneNearestNeighborClassifier(), REASONS, "the nearest examples decide alone"),
    (dl.MajorityVoteClassifier(), REASONS, "the heaviest class wins"),
    (dl.NetworkKernelClassifier(), REASONS, "none has its own"),
    (dl.DeepLimitRegressor(), REASONS + CHANGES, "for the contrast alone"),
    (dl.FiniteNetworkClassifier(), REASONS + CHANGES, "keeps no examples"),
]


@pytest.mark.parametrize(("made", "names", "why"), LACKING, ids=lambda part: type(part).__name__)
def test_what_is_not_there_says_why_and_what_to_take(made, names, why):
    for name in names:
        assert not hasattr(made, name)
        with pytest.raises(AttributeError, match=rf"has no {name}, for .*{why}.*; take ") as found:
            getattr(made, name)
        assert found.value.name == name and found.value.obj is made


def test_every_reason_is_one_that_others_give():
    assert all(hasattr(ExplainedClassifier, name) for name in REASONS)
    public = {name for name in vars(ExplainedClassifier) if not name.startswith(("_", "set_"))}
    assert public == set(REASONS)


@pytest.mark.parametrize("made", [made for made, _, _ in LACKING], ids=str)
def test_any_other_name_is_missing_as_ever(made):
    with pytest.raises(AttributeError, match=f"'{type(made).__name__}' object has no attribute 'x"):
        made.xyz  # noqa: B018
    again = pickle.loads(pickle.dumps(copy.deepcopy(made)))
    assert again.get_params() == made.get_params()


def test_a_store(tmp_path):
    with dl.ExampleStore.create(tmp_path / "of", 1) as store:
        store.append([[0.0], [1.0]], [0, 1])
        model = dl.StoreClassifier(store, 1.0)
        for name in ("leave_one_out", "predict_proba_bounds", "certificate", "report", "columns"):
            assert not hasattr(model, name)
            with pytest.raises(AttributeError, match=rf"StoreClassifier has no {name}, for its ex"):
                getattr(model, name)
        assert model.flip([[0.1]]).found.all()
