"""Which labels go together, and in which type."""

from __future__ import annotations

import numpy as np
import pytest

from deeplimit.examples.labels import as_labels, merged


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (np.array([1, 3]), np.array([2, 3], dtype=np.int8)),
        (np.array([False, True]), np.array([2, 1])),
        (np.array([1, 3]), np.array([2.5])),
        (np.array(["a", "c"]), np.array(["bcd", "a"])),
        (np.array(["a", "c"]), np.array(["bcd", "a"], dtype=object)),
        (np.array([b"a"]), np.array([b"b"])),
        (np.array(["2020-01-01"], dtype="M8[D]"), np.array(["2019-01-01"], dtype="M8[D]")),
    ],
)
def test_classes_are_those_of_both_given_together(first, second):
    together = np.unique(np.concatenate([first, second]))
    found = merged(first, second)
    assert found.dtype == together.dtype
    assert found.tolist() == together.tolist()


@pytest.mark.parametrize(
    ("first", "second", "words"),
    [
        (np.array([1]), np.array(["1"]), "do not go with"),
        (np.array(["a"]), np.array([True]), "do not go with"),
        (np.array([b"a"]), np.array(["a"]), "do not go with"),
        (np.array([2**53 + 1]), np.array([0.5]), "no common type that keeps them apart"),
        (np.array([2**53 + 1]), np.array([2**63], dtype=np.uint64), "no common type"),
    ],
)
def test_labels_that_do_not_go_together(first, second, words):
    with pytest.raises(ValueError, match=words):
        merged(first, second)


def test_labels_are_a_vector_of_finite_values():
    assert as_labels(True, one=3).tolist() == [True] * 3
    assert as_labels("x", one=0).tolist() == []
    for bad in ([[1, 2]], "x", [np.inf, 1.0], [np.nan]):
        with pytest.raises(ValueError, match=r"labels (are a list|must be finite)"):
            as_labels(bad)
