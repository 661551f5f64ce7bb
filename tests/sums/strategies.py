"""Draws of signed log-domain terms."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from hypothesis import strategies as st

from deeplimit.sums import PartialSums


class Terms(NamedTuple):
    """Terms for m queries and n examples of n_classes classes."""

    logs: np.ndarray
    signs: np.ndarray
    index: np.ndarray
    weights: np.ndarray
    n_classes: int

    def take(self, columns) -> Terms:
        return Terms(
            self.logs[:, columns],
            self.signs[:, columns],
            self.index[columns],
            self.weights[columns],
            self.n_classes,
        )

    def sums(self) -> PartialSums:
        empty = PartialSums.empty(len(self.logs), self.n_classes)
        return empty.add(self.logs, self.signs, self.index, self.weights)


@st.composite
def terms(draw, m=2, max_size=12, positive=False):
    """Draw logarithms up to ±5000 of few or of many values, with hits, zeros and ties."""
    n = draw(st.integers(0, max_size))
    n_classes = draw(st.integers(1, 4))
    log = st.one_of(
        st.floats(-5000, 5000),
        st.sampled_from([-np.inf, np.inf, 0.0, 1.0, -5000.0, 5000.0]),
        st.floats(-2, 2),
    )
    weight = st.one_of(st.integers(0, 3).map(float), st.floats(1e-3, 1e3))

    def grid(item):
        flat = draw(st.lists(item, min_size=m * n, max_size=m * n))
        return np.array(flat).reshape(m, n)

    return Terms(
        grid(log).astype(np.float64),
        grid(st.just(1) if positive else st.sampled_from([1, 1, -1])).astype(np.int8),
        np.array(draw(st.lists(st.integers(0, n_classes - 1), min_size=n, max_size=n)), dtype=int),
        np.array(draw(st.lists(weight, min_size=n, max_size=n)), dtype=np.float64),
        n_classes,
    )
