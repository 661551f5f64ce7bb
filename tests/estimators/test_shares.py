"""Shares of the classes: rows add up to one, and the decision is where the largest stands."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import deeplimit as dl
from deeplimit.estimators.shares import clipped_shares


@given(arrays(np.float64, (4, 3), elements=st.sampled_from([-1.0, 0.0, 0.25, 0.5, 1.0])))
def test_the_winner_of_a_tie_has_the_largest_share(scores):
    top = scores == scores.max(axis=1, keepdims=True)
    last = scores.shape[1] - 1 - np.argmax(top[:, ::-1], axis=1)  # the last of those tied
    shares = clipped_shares(scores, last)
    np.testing.assert_array_equal(np.argmax(shares, axis=1), last)
    np.testing.assert_allclose(shares.sum(axis=1), 1.0, rtol=1e-15)


def test_a_tie_of_nearest_neighbours_decided_by_the_next():
    model = dl.OneNearestNeighborClassifier().fit([[-1.0], [1.0], [2.0]], [0, 1, 1])
    assert model.predict([[0.0]]).tolist() == [1]
    assert model.predict_proba([[0.0]]).tolist() == [[0.0, 1.0]]
