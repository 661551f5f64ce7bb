"""A file can hold anything: what no set can be is refused."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from deeplimit.examples import ExampleSet
from deeplimit.persist import from_state, to_state


def kept():
    made = ExampleSet(2)
    made.add(np.arange(8.0).reshape(4, 2), ["a", "b", "b", "c"], [1.0, 2.0, 0.0, 1.0])
    made.forget([0])
    return made


def test_a_set_comes_back():
    made = kept()
    again = from_state(to_state(made))
    for mine, theirs in zip(made.snapshot(), again.snapshot(), strict=True):
        assert mine.tobytes() == theirs.tobytes()
    assert (again.version, again.largest, len(again)) == (made.version, made.largest, 2)
    assert again.total() == made.total()
    for both in (made, again):
        both.add(np.ones((1, 2)), ["d"], [1.0])
        assert both.snapshot().ids.tolist() == [1, 3, 4]
        assert both.counts.tolist() == [1, 1, 1]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("rows", np.zeros((2, 3))),
        ("rows", np.zeros((1, 2))),
        ("rows", np.full((2, 2), np.inf)),
        ("codes", np.array([0, 2])),
        ("codes", np.array([1, 1])),
        ("codes", np.array([-1, 0])),
        ("weights", np.array([1.0, 0.0])),
        ("weights", np.array([1.0, -1.0])),
        ("weights", np.array([1.0, np.inf])),
        ("ids", np.array([3, 1])),
        ("ids", np.array([1, 1])),
        ("ids", np.array([-1, 1])),
        ("ids", np.array([1, 4])),
        ("ids", np.array([1])),
    ],
)
def test_what_does_not_fit_is_refused(name, value):
    state = to_state(kept())
    forged = dataclasses.replace(state, arrays=state.arrays | {name: value})
    with pytest.raises(ValueError, match="its examples do not fit together"):
        from_state(forged)


def test_classes_out_of_order_are_refused():
    made = kept()
    made.classes = made.classes[::-1].copy()
    with pytest.raises(ValueError, match="its classes are not in order"):
        from_state(to_state(made))
